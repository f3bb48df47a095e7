//! Where something stands in a JSON value, and how that is written.

use std::fmt;
use std::str::FromStr;

use super::canonical::append_string;

/// One step from a value into one that it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// To the member of this name.
    Member(String),
    /// To the element of this index, from 0.
    Element(usize),
}

/// A place in a JSON value; without segments it is the value itself.
///
/// A member whose name is `[A-Za-z_][A-Za-z0-9_]*` is written `.name` (the first without its dot),
/// any other `["its name"]` with the escapes of JSON, an element `[2]`: `metadata.items[2]["a b"]`.
/// The quoted form is read for every name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The segments, outermost first.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Goes one step further in.
    pub fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    /// Goes one step back out, and gives that step.
    pub fn pop(&mut self) -> Option<Segment> {
        self.0.pop()
    }
}

impl From<Vec<Segment>> for Path {
    fn from(segments: Vec<Segment>) -> Self {
        Self(segments)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Element(element) => write!(formatter, "[{element}]")?,
                Segment::Member(name) if name_length(name) == name.len() && !name.is_empty() => {
                    if index > 0 {
                        formatter.write_str(".")?;
                    }
                    formatter.write_str(name)?;
                }
                Segment::Member(name) => {
                    let mut quoted = String::with_capacity(name.len() + 2);
                    append_string(name, &mut quoted);
                    write!(formatter, "[{quoted}]")?;
                }
            }
        }
        Ok(())
    }
}

/// A text is not a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a path from its byte {at} on: members are written .name or [\"any name\"], elements [2]"
)]
pub struct PathError {
    /// The byte, from 0, where the segment begins that cannot be read.
    pub at: usize,
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (segment, length) = read_segment(rest, segments.is_empty()).ok_or(PathError {
                at: text.len() - rest.len(),
            })?;
            segments.push(segment);
            rest = &rest[length..];
        }
        Ok(Self(segments))
    }
}

/// The segment that the text begins with, and its length in bytes.
fn read_segment(text: &str, first: bool) -> Option<(Segment, usize)> {
    let Some(inside) = text.strip_prefix('[') else {
        let name = if first { text } else { text.strip_prefix('.')? };
        let length = name_length(name);
        let segment = Segment::Member(name[..length].to_owned());
        return (length > 0).then_some((segment, text.len() - name.len() + length));
    };
    let (segment, length) = if inside.starts_with('"') {
        let length = quoted_length(inside)?;
        (
            Segment::Member(serde_json::from_str(&inside[..length]).ok()?),
            length,
        )
    } else {
        let length = inside.find(']')?;
        let digits = &inside[..length];
        let plain = digits == "0" || digits.starts_with(|digit| matches!(digit, '1'..='9'));
        (
            Segment::Element(digits.parse().ok().filter(|_| plain)?),
            length,
        )
    };
    inside[length..]
        .starts_with(']')
        .then_some((segment, length + 2))
}

/// The length in bytes of the longest `[A-Za-z_][A-Za-z0-9_]*` that the text begins with.
fn name_length(text: &str) -> usize {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return 0;
    }
    text.bytes()
        .position(|byte| !byte.is_ascii_alphanumeric() && byte != b'_')
        .unwrap_or(text.len())
}

/// The length in bytes of the quoted string that the text begins with, quotes included.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::tests::text;
    use super::*;

    fn segment() -> impl Strategy<Value = Segment> {
        prop_oneof![
            "[A-Za-z_][A-Za-z0-9_]{0,5}".prop_map(Segment::Member),
            text().prop_map(Segment::Member),
            any::<String>().prop_map(Segment::Member),
            any::<usize>().prop_map(Segment::Element),
        ]
    }

    proptest! {
        #[test]
        fn a_path_reads_as_it_was_written(segments in vec(segment(), 0..8)) {
            let path = Path::from(segments);
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }

        #[test]
        fn what_is_read_is_one_path_however_it_was_written(
            text in r#"(a|_9|\.|\[|\]|"|\\|\\u0041|0|12| |é|\["a b"\]|\[3\]){0,8}"#
        ) {
            if let Ok(path) = text.parse::<Path>() {
                prop_assert_eq!(path.to_string().parse(), Ok(path));
            }
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            if let Err(PathError { at }) = text.parse::<Path>() {
                prop_assert!(at < text.len() && text.is_char_boundary(at));
            }
        }
    }

    #[test]
    fn paths_are_written_as_the_contract_has_it() {
        let member = |name: &str| Segment::Member(name.to_owned());
        for (segments, text) in [
            (vec![], ""),
            (vec![member("after")], "after"),
            (vec![member("_a9"), member("B")], "_a9.B"),
            (
                vec![
                    member("metadata"),
                    member("items"),
                    Segment::Element(2),
                    member("a b"),
                ],
                r#"metadata.items[2]["a b"]"#,
            ),
            (vec![Segment::Element(0), member("a")], "[0].a"),
            (vec![member("a b"), member("c")], r#"["a b"].c"#),
            (vec![member("9a")], r#"["9a"]"#),
            (vec![member("")], r#"[""]"#),
            (vec![member("é")], r#"["é"]"#),
            (vec![member("a.b")], r#"["a.b"]"#),
            (vec![member("\"\\]\n\0")], r#"["\"\\]\n\u0000"]"#),
        ] {
            let path = Path::from(segments);
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse(), Ok(path));
        }
    }

    #[test]
    fn a_plain_name_may_be_quoted_too() {
        let path: Path = r#"["a"]["\u0062"]"#.parse().unwrap();
        assert_eq!(path.to_string(), "a.b");
    }

    #[test]
    fn what_is_no_path_is_refused_where_it_goes_wrong() {
        for (text, at) in [
            (".a", 0),
            ("a.", 1),
            ("a..b", 1),
            ("a.9", 1),
            ("9a", 0),
            ("a b", 1),
            ("a[", 1),
            ("a[]", 1),
            ("a[01]", 1),
            ("a[+1]", 1),
            ("a[-1]", 1),
            ("a[99999999999999999999]", 1),
            ("a[\"b]", 1),
            ("a[\"b\"", 1),
            ("a[\"b\"x]", 1),
            ("a[\"\\ud800\"]", 1),
            ("a[b]", 1),
            ("[0]a", 3),
            ("a.b[0] ", 6),
            ("é", 0),
        ] {
            assert_eq!(text.parse::<Path>(), Err(PathError { at }), "{text}");
        }
    }
}

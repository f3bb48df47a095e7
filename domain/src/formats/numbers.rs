//! Numbers that an event cannot hold, made texts before JSON is parsed: a parser that gives them as
//! doubles has already lost their digits.

use std::borrow::Cow;

/// The largest whole number that an event holds, 2^53 − 1 (RFC 7493, section 2.2).
const INTEGER_MOST: u128 = (1 << 53) - 1;

/// Puts quotes around whole numbers beyond ±(2^53 − 1), and around numbers whose nearest double is
/// infinite. What is not JSON stays as wrong as it is.
pub(super) fn quote_large(text: &[u8]) -> Cow<'_, [u8]> {
    let mut quoted: Vec<u8> = Vec::new();
    // What is before has been copied.
    let mut copied = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => at = end_of_text(text, at),
            b'-' | b'0'..=b'9' => {
                let rest = text.get(at..).unwrap_or_default();
                let length = rest
                    .iter()
                    .take_while(|byte| {
                        matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
                    })
                    .count();
                let token = rest.get(..length).unwrap_or_default();
                if is_large(token) {
                    quoted.extend_from_slice(text.get(copied..at).unwrap_or_default());
                    quoted.push(b'"');
                    quoted.extend_from_slice(token);
                    quoted.push(b'"');
                    copied = at + length;
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    quoted.extend_from_slice(text.get(copied..).unwrap_or_default());
    Cow::Owned(quoted)
}

/// Where the text whose opening quote is at `start` is over.
fn end_of_text(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

fn is_large(token: &[u8]) -> bool {
    // Shorter ones are within the bounds, and nearly all are shorter.
    if token.len() < 5 {
        return false;
    }
    let Ok(token) = str::from_utf8(token) else {
        return false;
    };
    let digits = token.strip_prefix('-').unwrap_or(token);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // JSON has no leading zeros, and digits that do not fit into 128 bits are large.
        return !digits.starts_with('0')
            && digits.len() > 15
            && digits
                .parse()
                .is_ok_and(|number: u128| number > INTEGER_MOST)
            || digits.len() > 38 && !digits.starts_with('0');
    }
    token.parse().is_ok_and(|number: f64| number.is_infinite())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn read(text: &str) -> Value {
        serde_json::from_slice(&quote_large(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_whole_number_beyond_what_a_double_holds_keeps_its_digits_as_text() {
        let value = read(
            r#"{"a":9007199254740991,"b":9007199254740992,"c":-9007199254740992,"d":123456789012345678901234567890123456789012345,"e":1e400,"f":1.5e3}"#,
        );
        let expected = serde_json::json!({
            "a": 9_007_199_254_740_991_i64,
            "b": "9007199254740992",
            "c": "-9007199254740992",
            "d": "123456789012345678901234567890123456789012345",
            "e": "1e400",
            "f": 1500.0,
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn digits_inside_texts_and_names_are_left_alone() {
        let text = r#"{"99999999999999999999":"say \"99999999999999999999\" \\"}"#;
        assert_eq!(quote_large(text.as_bytes()), text.as_bytes());
    }

    proptest! {
        #[test]
        fn whole_numbers_come_out_as_they_went_in(number: i128) {
            let value = read(&format!("[{number}]"));
            let most = i128::try_from(INTEGER_MOST).unwrap();
            if (-most..=most).contains(&number) {
                prop_assert_eq!(value[0].as_i64().map(i128::from), Some(number));
            } else {
                let text = number.to_string();
                prop_assert_eq!(value[0].as_str(), Some(&*text));
            }
        }

        #[test]
        fn bytes_that_are_no_json_are_gone_through_to_their_end(bytes: Vec<u8>) {
            prop_assert!(quote_large(&bytes).len() >= bytes.len());
        }
    }
}

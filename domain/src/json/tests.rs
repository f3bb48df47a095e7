//! What is JSON, what of it is taken, and where the first fault is said to be.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::path::Segment;
use super::*;

/// Text in which everything that JSON and RFC 8785 treat specially is frequent, U+0000 excepted.
pub(super) fn text() -> impl Strategy<Value = String> {
    let special = select(vec![
        'a',
        'B',
        '_',
        '7',
        ' ',
        '.',
        '[',
        ']',
        '"',
        '\\',
        '/',
        '\n',
        '\t',
        '\u{1}',
        '\u{1f}',
        '\u{7f}',
        '\u{80}',
        'é',
        '€',
        '\u{d7ff}',
        '\u{e000}',
        '\u{fb33}',
        '\u{ffff}',
        '\u{10000}',
        '😀',
        '\u{10ffff}',
    ]);
    let any = any::<char>().prop_filter("is refused", |character| *character != '\0');
    let characters = prop_oneof![3 => special, 1 => any];
    vec(characters, 0..12).prop_map(String::from_iter)
}

/// Any value that is taken.
pub(super) fn value() -> impl Strategy<Value = Value> {
    let largest = i64::try_from(MAX_INTEGER).unwrap();
    let double = any::<u64>()
        .prop_map(f64::from_bits)
        .prop_filter("no JSON", |n| n.is_finite());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-largest..=largest).prop_map(Value::from),
        (-9_i64..=9).prop_map(Value::from),
        double.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(text(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Bytes close to JSON: a value's text in which a few bytes were replaced, inserted or taken out.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let snippets = select(vec![
        &b"\""[..],
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\n",
        b"0",
        b"-",
        b"-0",
        b"01",
        b".",
        b"e",
        b"1e999",
        b"1E-999",
        b"9007199254740992",
        b"100000000000000000000",
        b"null",
        b"tru",
        b"\\u0000",
        b"\\ud83d",
        b"\\ude00",
        b"\\u00e9",
        b"\\x",
        b"\0",
        b"\x1f",
        b"\xff",
        b"\xc3",
        b"\xef\xbb\xbf",
        b"\"a\":1,\"a\":2",
    ]);
    let edits = vec((any::<Index>(), 0_usize..3, snippets), 0..4);
    (value(), any::<bool>(), edits).prop_map(|(value, pretty, edits)| {
        let text = if pretty {
            serde_json::to_vec_pretty(&value)
        } else {
            serde_json::to_vec(&value)
        };
        let mut bytes = text.unwrap();
        for (at, removed, snippet) in edits {
            let start = at.index(bytes.len() + 1);
            let end = bytes.len().min(start + removed);
            bytes.splice(start..end, snippet.iter().copied());
        }
        bytes
    })
}

/// Whether it is JSON at all, of any depth, by `serde_json`.
fn is_json(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Replaces the double −0, which `serde_json` also reads from `-0`: here that is the integer.
fn with_one_zero(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) => json!(0),
        Value::Array(elements) => elements.into_iter().map(with_one_zero).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, with_one_zero(value)))
            .collect(),
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_text_of_a_value_gives_the_value(value in value()) {
        for text in [serde_json::to_vec(&value), serde_json::to_vec_pretty(&value)] {
            prop_assert_eq!(parse(&text.unwrap()).unwrap(), value.clone());
        }
    }

    #[test]
    fn what_is_json_is_what_serde_json_calls_so(bytes in nearly_json()) {
        let syntax = matches!(parse(&bytes), Err(JsonError::Syntax(_)));
        prop_assert_eq!(!syntax, is_json(&bytes));
        prop_assert_eq!(parse_batch(&bytes).is_ok(), is_json(&bytes));
    }

    #[test]
    fn what_is_taken_is_what_serde_json_reads(bytes in nearly_json()) {
        if let Ok(value) = parse(&bytes) {
            let theirs: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(with_one_zero(value), with_one_zero(theirs));
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..64)) {
        let syntax = matches!(parse(&bytes), Err(JsonError::Syntax(_)));
        prop_assert_eq!(!syntax, is_json(&bytes));
    }

    #[test]
    fn decimals_become_the_nearest_double(whole in 0_u64.., fraction in "[0-9]{1,40}", exponent in -400..=300) {
        let text = format!("{whole}.{fraction}e{exponent}");
        match (parse(text.as_bytes()), text.parse::<f64>().unwrap()) {
            (Ok(value), double) => prop_assert_eq!(value.as_f64(), Some(double)),
            (Err(error), double) => {
                prop_assert!(double.is_infinite());
                prop_assert_eq!(error, refusal("", RefusalReason::NumberOverflow));
            }
        }
    }

    #[test]
    fn the_first_fault_is_named_by_its_path(
        segments in vec(prop_oneof![text().prop_map(Segment::Member), (0_usize..4).prop_map(Segment::Element)], 0..12),
        fault in select(vec![
            ("9007199254740992", RefusalReason::IntegerOutOfRange),
            ("-1e309", RefusalReason::NumberOverflow),
            (r#""a\u0000""#, RefusalReason::NullCharacter),
            (r#""\udc00\ud800""#, RefusalReason::LoneSurrogate),
        ]),
    ) {
        let (mut body, reason) = (fault.0.to_owned(), fault.1);
        for segment in segments.iter().rev() {
            body = match segment {
                // A second fault behind the first is not the first.
                Segment::Member(name) => format!(" {{ {} : {body} , \"later\" : 1e400 }} ", json!(name)),
                Segment::Element(index) => format!("[{}{body},1e400]", "[{}, null],".repeat(*index)),
            };
        }
        let path = Path::from(segments).to_string();
        prop_assert_eq!(parse(body.as_bytes()), Err(refusal(&path, reason)));
        // Whether it is JSON is decided first.
        body.push(']');
        prop_assert!(matches!(parse(body.as_bytes()), Err(JsonError::Syntax(_))));
    }

    #[test]
    fn each_element_of_a_batch_is_judged_as_a_text_of_its_own(
        texts in vec(nearly_json().prop_filter("not JSON", |bytes| is_json(bytes)), 0..6)
    ) {
        let mut body = b" [\n".to_vec();
        body.extend(texts.join(&b" , "[..]));
        body.extend(b"\t]\r\n");
        let batch = parse_batch(&body).unwrap();
        prop_assert!(batch.is_list());
        prop_assert_eq!(batch.elements().len(), texts.len());
        for (element, text) in batch.elements().iter().zip(&texts) {
            prop_assert_eq!(element.length(), text.trim_ascii().len());
            prop_assert_eq!(element.value().map_err(JsonError::from), parse(text));
        }
    }
}

fn refusal(path: &str, reason: RefusalReason) -> JsonError {
    JsonError::Refused(Refusal {
        path: path.to_owned(),
        reason,
    })
}

/// What is said of a text that must be refused.
#[track_caller]
fn refused(text: &str) -> (String, RefusalReason) {
    match parse(text.as_bytes()) {
        Err(JsonError::Refused(refusal)) => (refusal.path, refusal.reason),
        other => panic!("{text} gave {other:?}"),
    }
}

/// What is said of bytes that must not be JSON.
#[track_caller]
fn broken(bytes: impl AsRef<[u8]>) -> (usize, usize, SyntaxReason) {
    match parse(bytes.as_ref()) {
        Err(JsonError::Syntax(syntax)) => (syntax.line, syntax.column, syntax.reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_member_twice_is_refused_by_its_name() {
    use RefusalReason::DuplicateMember;
    assert_eq!(
        refused(r#"{"a":1,"b":2,"a":3}"#),
        ("a".into(), DuplicateMember)
    );
    assert_eq!(
        refused(r#"{"a":{"b c":[{},{"d":1,"d":1}]}}"#),
        (r#"a["b c"][1].d"#.into(), DuplicateMember)
    );
    assert_eq!(
        refused(r#"{"é":1,"\u00E9":1}"#),
        (r#"["é"]"#.into(), DuplicateMember)
    );
    assert_eq!(
        refused(r#"{"":1,"":1}"#),
        (r#"[""]"#.into(), DuplicateMember)
    );
    assert_eq!(
        parse(br#"{"a":{"a":1},"A":[{"a":1},{"a":1}]}"#),
        Ok(json!({"a":{"a":1},"A":[{"a":1},{"a":1}]}))
    );
}

#[test]
fn what_would_be_read_back_as_something_else_is_not_taken() {
    for name in ["RawValue", "Number", ""] {
        let member = format!("$serde_json::private::{name}");
        for value in [r#""[1,2]""#, "1"] {
            let (path, reason) = refused(&format!(r#"{{"a":[{{"b":1,"{member}":{value}}}]}}"#));
            assert_eq!(path, format!(r#"a[0]["{member}"]"#));
            assert_eq!(reason, RefusalReason::ReservedName);
        }
    }
    // Written otherwise it is the same name; and as a value it is a text like others.
    assert_eq!(
        refused(r#"{"\u0024serde_json::private::RawValue":"1"}"#).1,
        RefusalReason::ReservedName
    );
    assert!(parse(br#"{"a":"$serde_json::private::RawValue"}"#).is_ok());
}

#[test]
fn a_member_twice_comes_before_a_fault_in_its_second_value() {
    assert_eq!(
        refused(r#"{"a":1,"a":1e999}"#),
        ("a".into(), RefusalReason::DuplicateMember)
    );
    assert_eq!(
        refused(r#"{"a":1e999,"a":1}"#),
        ("a".into(), RefusalReason::NumberOverflow)
    );
}

#[test]
fn the_null_character_is_refused_in_strings_and_names() {
    use RefusalReason::NullCharacter;
    assert_eq!(
        refused(r#"{"a":["x","\u0000"]}"#),
        ("a[1]".into(), NullCharacter)
    );
    assert_eq!(
        refused(r#"{"a":{"b\u0000\n":1}}"#),
        (r#"a["b\u0000\n"]"#.into(), NullCharacter)
    );
    assert_eq!(parse(br#""\\u0000""#), Ok(json!("\\u0000")));
}

#[test]
fn a_surrogate_needs_its_other_half() {
    use RefusalReason::{LoneSurrogate, NullCharacter};
    assert_eq!(parse(br#""\ud83d\uDE00\uD83D\ude01""#), Ok(json!("😀😁")));
    for lone in [
        r"\ud83d",
        r"\ude00",
        r"\ud83dx",
        r"\ud83d\n",
        r"\ud83d\u0041",
        r"\ude00\ud83d",
        r"\ud83d\ud83d\ude00",
    ] {
        assert_eq!(
            refused(&format!(r#"{{"a":"{lone}"}}"#)),
            ("a".into(), LoneSurrogate),
            "{lone}"
        );
    }
    assert_eq!(
        refused(r#"{"a":{"x\ud83dy":1}}"#),
        ("a[\"x\u{fffd}y\"]".into(), LoneSurrogate)
    );
    assert_eq!(refused(r#""\ud83d\u0000""#), (String::new(), LoneSurrogate));
    assert_eq!(refused(r#""\u0000\ud83d""#), (String::new(), NullCharacter));
}

#[test]
fn whole_numbers_have_a_range_and_doubles_have_another() {
    use RefusalReason::{IntegerOutOfRange, NumberOverflow};
    assert_eq!(
        parse(b"9007199254740991"),
        Ok(json!(9_007_199_254_740_991_i64))
    );
    assert_eq!(
        parse(b"-9007199254740991"),
        Ok(json!(-9_007_199_254_740_991_i64))
    );
    for large in [
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551616",
        "100000000000000000000",
    ] {
        assert_eq!(
            refused(&format!("[{large}]")),
            ("[0]".into(), IntegerOutOfRange),
            "{large}"
        );
    }
    assert_eq!(
        refused(&"9".repeat(400)),
        (String::new(), IntegerOutOfRange)
    );
    assert_eq!(parse(b"1e20"), Ok(json!(1e20)));
    assert_eq!(
        parse(b"9007199254740993.0"),
        Ok(json!(9_007_199_254_740_992.0))
    );
    assert_eq!(parse(b"1.7976931348623157e308"), Ok(json!(f64::MAX)));
    assert_eq!(parse(b"1.7976931348623158e308"), Ok(json!(f64::MAX)));
    assert_eq!(
        refused("1.7976931348623159e308"),
        (String::new(), NumberOverflow)
    );
    assert_eq!(refused(r#"{"a":-1E+400}"#), ("a".into(), NumberOverflow));
    assert_eq!(parse(b"1e-400"), Ok(json!(0.0)));
    assert_eq!(parse(b"0e99999999999999999999"), Ok(json!(0.0)));
}

#[test]
fn whole_numbers_are_integers_and_others_doubles() {
    assert!(parse(b"1").unwrap().is_i64());
    assert!(parse(b"1.0").unwrap().is_f64());
    assert!(parse(b"1e0").unwrap().is_f64());
    assert!(parse(b"-0").unwrap().is_i64());
    assert!(parse(b"-0.0").unwrap().as_f64().unwrap().is_sign_negative());
}

#[test]
fn sixty_four_levels_are_taken_and_no_more() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(parse(nested(64).as_bytes()).is_ok());
    assert_eq!(
        refused(&nested(65)),
        ("[0]".repeat(64), RefusalReason::TooDeep)
    );
    let objects = r#"{"a":"#.repeat(64) + "1" + &"}".repeat(64);
    assert!(parse(objects.as_bytes()).is_ok());
    let objects = r#"{"a":"#.repeat(64) + "[]" + &"}".repeat(64);
    assert_eq!(
        refused(&objects),
        (["a"; 64].join("."), RefusalReason::TooDeep)
    );
    // The array of a batch is not a level of its elements.
    let batch = format!("[{},{}]", nested(64), nested(65));
    let batch = parse_batch(batch.as_bytes()).unwrap();
    assert!(batch.elements()[0].value().is_ok());
    assert_eq!(
        batch.elements()[1].value().unwrap_err().reason,
        RefusalReason::TooDeep
    );
}

#[test]
fn no_depth_exhausts_the_stack() {
    for levels in [10_000, 1_000_000] {
        let (open, close) = (r#"{"a":["#.repeat(levels), "]}".repeat(levels));
        assert_eq!(refused(&format!("{open}{close}")).1, RefusalReason::TooDeep);
        assert_eq!(
            broken(format!("{open}1,{close}")).2,
            SyntaxReason::ExpectedValue
        );
        assert_eq!(broken(&open).2, SyntaxReason::UnexpectedEnd);
        assert_eq!(broken("[".repeat(levels)).2, SyntaxReason::UnexpectedEnd);
    }
}

#[test]
fn what_is_not_json_is_named_by_line_and_column() {
    use SyntaxReason as Reason;
    for (text, line, column, reason) in [
        ("", 1, 1, Reason::UnexpectedEnd),
        (" \n ", 2, 2, Reason::UnexpectedEnd),
        ("{\n  \"é\": nul\n}", 2, 8, Reason::ExpectedValue),
        ("[tru", 1, 5, Reason::UnexpectedEnd),
        ("[NaN]", 1, 2, Reason::ExpectedValue),
        ("[1,]", 1, 4, Reason::ExpectedValue),
        ("[1 2]", 1, 4, Reason::ExpectedCommaOrBracket),
        ("[[1}]", 1, 4, Reason::ExpectedCommaOrBracket),
        ("{\"a\":1,}", 1, 8, Reason::ExpectedName),
        ("{a:1}", 1, 2, Reason::ExpectedName),
        ("{\"a\" 1}", 1, 6, Reason::ExpectedColon),
        ("{\"a\":1]", 1, 7, Reason::ExpectedCommaOrBrace),
        ("\"😀\t\"", 1, 3, Reason::ControlCharacter),
        ("\"\0\"", 1, 2, Reason::ControlCharacter),
        ("\"\\x\"", 1, 2, Reason::InvalidEscape),
        ("\"\\u12g4\"", 1, 2, Reason::InvalidEscape),
        ("\"\\u12", 1, 6, Reason::UnexpectedEnd),
        ("01", 1, 2, Reason::InvalidNumber),
        ("[1.]", 1, 4, Reason::InvalidNumber),
        ("[-]", 1, 3, Reason::InvalidNumber),
        ("1e", 1, 3, Reason::UnexpectedEnd),
        ("+1", 1, 1, Reason::ExpectedValue),
        ("{} {}", 1, 4, Reason::TrailingCharacters),
        ("\u{feff}{}", 1, 1, Reason::ByteOrderMark),
    ] {
        assert_eq!(broken(text), (line, column, reason), "{text}");
    }
}

#[test]
fn what_is_not_utf8_is_named_where_it_stands() {
    assert_eq!(
        broken(b"[\n\"\xc3\xa9\xff\"]"),
        (2, 3, SyntaxReason::InvalidUtf8)
    );
    assert_eq!(
        broken(b"[\"\xed\xa0\x80\"]"),
        (1, 3, SyntaxReason::InvalidUtf8)
    );
    assert_eq!(broken(b"{}\xff"), (1, 3, SyntaxReason::InvalidUtf8));
    assert_eq!(broken(b"[tru\xff"), (1, 5, SyntaxReason::InvalidUtf8));
    assert_eq!(broken(b"{x \"\xff\"}"), (1, 2, SyntaxReason::ExpectedName));
}

#[test]
fn a_syntax_error_wins_over_a_refusal_before_it() {
    assert_eq!(broken("[1e999,]"), (1, 8, SyntaxReason::ExpectedValue));
    assert!(parse_batch(br#"[{"a":1,"a":2},{"#).is_err());
}

#[test]
fn a_text_that_is_no_array_is_a_batch_of_one() {
    let batch = parse_batch(b" {\"a\": 1} ").unwrap();
    assert!(!batch.is_list());
    let [element] = batch.elements() else {
        panic!("{batch:?}")
    };
    assert_eq!(
        (element.length(), element.value()),
        (8, Ok(json!({"a": 1})))
    );
    assert!(parse_batch(b"[]").unwrap().elements().is_empty());
    assert!(parse_batch(b"").is_err());
    assert!(parse_batch(b"[1,]").is_err());
    assert!(parse_batch(b"[1] 2").is_err());
}

#[test]
fn lines_are_judged_each_for_itself_and_keep_their_numbers() {
    let body = b"{\"a\":1}\r\n\n \t\r\n[1,\n{\"b\":1,\"b\":1} \n\"\xff\"\n\xef\xbb\xbf2\n3";
    let lines: Vec<_> = parse_lines(body)
        .map(|line| (line.number, line.length, line.value()))
        .collect();
    let syntax = |line, column, reason| {
        Err(JsonError::Syntax(Syntax {
            line,
            column,
            reason,
        }))
    };
    assert_eq!(
        lines,
        [
            (1, 7, Ok(json!({"a": 1}))),
            (4, 3, syntax(4, 4, SyntaxReason::UnexpectedEnd)),
            (5, 14, Err(refusal("b", RefusalReason::DuplicateMember))),
            (6, 3, syntax(6, 2, SyntaxReason::InvalidUtf8)),
            (7, 4, syntax(7, 1, SyntaxReason::ByteOrderMark)),
            (8, 1, Ok(json!(3))),
        ]
    );
    assert_eq!(parse_lines(b"").count(), 0);
    assert_eq!(parse_lines(b"\r\n\n").count(), 0);
}

#[test]
fn an_error_says_where_and_what() {
    assert_eq!(
        parse(b"{\"a\":\n}").unwrap_err().to_string(),
        "line 2, column 1: a value is expected here"
    );
    assert_eq!(
        parse(br#"{"a":{"b":[1e999]}}"#).unwrap_err().to_string(),
        "a.b[0]: the number is too large for a double"
    );
    assert_eq!(
        parse(b"1e999").unwrap_err().to_string(),
        "the number is too large for a double"
    );
}

//! JSON in the one form that is hashed: RFC 8785, JSON Canonicalization Scheme.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::syntax::plain_length;

/// The value's RFC 8785 form: no white space, members in the order of their names' UTF-16 code
/// units, numbers as ECMAScript writes the nearest double (both zeros as `0`).
///
/// Recurses once a level, so the value must be bounded, as those of [`parse`](super::parse) are.
pub fn canonical(value: &Value) -> String {
    let mut out = String::with_capacity(256);
    append(value, &mut out);
    out
}

/// Writes what [`canonical()`] gives at the end of `out`.
pub fn append(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => append_number(number, out),
        Value::String(text) => append_string(text, out),
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                append(element, out);
            }
            out.push(']');
        }
        Value::Object(members) => append_object(members, out),
    }
}

/// Writes `text` as a JSON string at the end of `out`, with no more escapes than RFC 8785 (section
/// 3.2.2.2) asks for.
pub fn append_string(text: &str, out: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    out.push('"');
    let mut rest = text;
    loop {
        let (run, special) = rest.split_at(plain_length(rest.as_bytes()));
        out.push_str(run);
        if special.is_empty() {
            break;
        }
        // What is not plain is one byte of ASCII.
        let (special, behind) = special.split_at(1);
        match special {
            "\"" => out.push_str("\\\""),
            "\\" => out.push_str("\\\\"),
            "\u{8}" => out.push_str("\\b"),
            "\t" => out.push_str("\\t"),
            "\n" => out.push_str("\\n"),
            "\u{c}" => out.push_str("\\f"),
            "\r" => out.push_str("\\r"),
            control => {
                out.push_str("\\u00");
                for byte in control.bytes() {
                    out.push(HEX[usize::from(byte >> 4)]);
                    out.push(HEX[usize::from(byte & 0xF)]);
                }
            }
        }
        rest = behind;
    }
    out.push('"');
}

/// Writes what [`canonical()`] gives of an object at the end of `out`.
pub fn append_object(members: &Map<String, Value>, out: &mut String) {
    out.push('{');
    if members
        .keys()
        .is_sorted_by(|one, other| by_utf16(one, other).is_le())
    {
        append_members(members.iter(), out);
    } else {
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort_unstable_by(|(one, _), (other, _)| by_utf16(one, other));
        append_members(sorted.into_iter(), out);
    }
    out.push('}');
}

fn append_members<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>, out: &mut String) {
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        append_string(name, out);
        out.push(':');
        append(value, out);
    }
}

fn append_number(number: &Number, out: &mut String) {
    // A number is an integer of 64 bits or a finite double, so it always has a nearest double.
    let double = number.as_f64().unwrap_or_default();
    out.push_str(ryu_js::Buffer::new().format_finite(double));
}

/// Compares by UTF-16 code units (RFC 8785, section 3.2.3).
///
/// UTF-8 orders by code point. UTF-16 differs in one thing: surrogates, which stand for U+10000 and
/// above, lie below U+E000 to U+FFFF. In UTF-8 the former begin with 0xF0 and up, the latter with
/// 0xEE or 0xEF, and no other byte is that large.
fn by_utf16(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    match one.iter().zip(other).find(|(a, b)| a != b) {
        None => one.len().cmp(&other.len()),
        Some((a @ 0xEE.., b @ 0xEE..)) if (*a >= 0xF0) != (*b >= 0xF0) => b.cmp(a),
        Some((a, b)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::super::parse;
    use super::super::tests::{text, value};
    use super::*;

    fn of_text(text: &str) -> String {
        canonical(&parse(text.as_bytes()).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn another_implementation_gives_the_same(value in value()) {
            prop_assert_eq!(canonical(&value), serde_jcs::to_string(&value).unwrap());
        }

        #[test]
        fn a_double_reads_as_it_was_written(bits in any::<u64>()) {
            let double = f64::from_bits(bits);
            prop_assume!(double.is_finite());
            prop_assert_eq!(canonical(&json!(double)).parse(), Ok(double));
        }

        #[test]
        fn names_are_compared_by_utf16(one in text(), other in text()) {
            prop_assert_eq!(by_utf16(&one, &other), one.encode_utf16().cmp(other.encode_utf16()));
        }
    }

    #[test]
    fn members_are_sorted_as_in_the_rfc() {
        // RFC 8785, section 3.2.3.
        let sorted = of_text(
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
            "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
            "\u00f6":"Latin Small Letter O With Diaeresis"}"#,
        );
        assert_eq!(
            sorted,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
             \"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\
             \"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        );
    }

    #[test]
    fn the_sample_of_the_rfc_is_reproduced() {
        // RFC 8785, sections 3.2.2 and 3.2.3.
        let sample = r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        assert_eq!(
            of_text(sample),
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
    }

    #[test]
    fn numbers_are_written_as_ecmascript_does() {
        // RFC 8785, appendix B.
        for (bits, text) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(canonical(&json!(f64::from_bits(bits))), text);
        }
    }

    #[test]
    fn numbers_of_one_value_have_one_form() {
        for (text, form) in [
            ("-0", "0"),
            ("-0.0", "0"),
            ("1.0", "1"),
            ("10e-1", "1"),
            ("1e21", "1e+21"),
            ("1e20", "100000000000000000000"),
            ("1e-7", "1e-7"),
            ("5e-324", "5e-324"),
            ("9007199254740991", "9007199254740991"),
            ("-9007199254740991", "-9007199254740991"),
        ] {
            assert_eq!(of_text(text), form, "{text}");
        }
    }

    #[test]
    fn every_ascii_character_has_its_form() {
        for code in 0..0x80_u8 {
            let text = char::from(code).to_string();
            let form = match code {
                b'"' => r#""\"""#.to_owned(),
                b'\\' => r#""\\""#.to_owned(),
                0x08 => r#""\b""#.to_owned(),
                0x09 => r#""\t""#.to_owned(),
                0x0a => r#""\n""#.to_owned(),
                0x0c => r#""\f""#.to_owned(),
                0x0d => r#""\r""#.to_owned(),
                0x00..0x20 => format!(r#""\u{code:04x}""#),
                _ => format!("\"{text}\""),
            };
            // In every place of the eight bytes that are looked at together.
            for before in 0..10 {
                let padding = "é".repeat(before / 2) + &"-".repeat(before % 2);
                let padded = canonical(&json!(format!("{padding}{text}")));
                assert_eq!(padded, format!("\"{padding}{}", &form[1..]));
            }
        }
    }
}

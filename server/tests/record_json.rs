//! `POST /api/v1/events`: which JSON is taken, and how what is wrong with it is said.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Setting, event, raw, with};
use serde_json::{Value, json};

#[test]
fn one_object_an_array_and_lines_are_taken() {
    let setting = Setting::new();
    let one = event("ONE").to_string();
    setting.sender.send_text(one.clone()).expect(201);
    let spaced = format!(" \r\n\t[ {one} ,\n {one} ] \n");
    assert_eq!(setting.sender.send_text(spaced).expect(201).ids().len(), 2);
    let lines = format!("{one}\r\n\n{one}\n   \n{one}");
    assert_eq!(setting.sender.send_lines(lines).expect(201).ids().len(), 3);
    for answer in [
        setting.sender.send(&json!([])),
        setting.sender.send_lines(""),
    ] {
        let told = answer.expect(201).json();
        assert_eq!(told, json!({"recorded": 0, "duplicates": 0, "events": []}));
    }
    assert_eq!(setting.kept(), 6);
}

#[test]
fn what_is_not_json_is_a_400_that_says_where() {
    let setting = Setting::new();
    for text in [
        &b"{"[..],
        b"",
        b"nonsense",
        b"{\"actor\": }",
        b"[{}, ]",
        b"{'actor': 1}",
        b"{\"a\": 01}",
        b"{\"a\": NaN}",
        b"[] []",
        b"{\"a\": \"\x01\"}",
        b"\xef\xbb\xbf{}",
        b"{\"description\": \"\xff\xfe\"}",
        b"{\"description\": \"\xc3\"}",
        b"{\"description\": \"\xed\xa0\x80\"}",
    ] {
        let answer = setting.sender.send_text(text);
        let told = String::from_utf8_lossy(text).into_owned();
        assert_eq!(answer.status, 400, "{told}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(answer.text().contains("line"), "{told}: {}", answer.text());
    }
    assert_eq!(setting.kept(), 0);
}

#[test]
fn one_broken_line_in_the_middle_of_many_is_named_and_nothing_is_recorded() {
    let setting = Setting::new();
    let mut lines: Vec<_> = (0..3_000)
        .map(|n| event(&format!("N_{n}")).to_string())
        .collect();
    lines[1_499] = r#"{"actor": {"kind": "user""#.to_owned();
    let answer = setting.sender.send_lines(lines.join("\n")).expect(400);
    assert_eq!(answer.json()["line"], 1_500, "{}", answer.text());
    assert!(answer.text().contains("line 1500"), "{}", answer.text());
    let mut bad = b"{\"description\": \"\xff\"}\n".to_vec();
    bad.extend_from_slice(lines[0].as_bytes());
    assert_eq!(setting.sender.send_lines(bad).expect(400).json()["line"], 1);
    lines[1_499] = r#"{"actor": {"kind": "user"}}"#.to_owned();
    let errors = setting
        .sender
        .send_lines(lines.join("\n"))
        .expect(422)
        .errors();
    assert!(
        errors.iter().all(|(index, ..)| *index == 1_499),
        "{errors:?}"
    );
    assert_eq!(setting.kept(), 0);

    // The same line alone, and the rest is recorded.
    lines[1_499] = r#"{"actor": {"kind": "user""#.to_owned();
    let told = setting
        .sender
        .post(
            "/api/v1/events?on_error=skip",
            "application/x-ndjson",
            lines.join("\n"),
        )
        .expect(207)
        .json();
    assert_eq!(
        (&told["recorded"], &told["refused"]),
        (&json!(2_999), &json!(1))
    );
    assert_eq!(told["results"][1_499]["status"], "refused");
    assert!(
        told["results"][1_499]["reason"]
            .as_str()
            .unwrap()
            .contains("JSON")
    );
    assert_eq!(setting.kept(), 2_999);
}

#[test]
fn json_that_rfc_7493_rules_out_is_a_422() {
    const TWICE: &str = "twice";
    const NULL: &str = "U+0000";
    const HALF: &str = "surrogate";
    const WHOLE: &str = "±(2^53 − 1)";
    const OVERFLOW: &str = "too large";
    let setting = Setting::new();
    for (text, at, words) in [
        (raw(r#""action":"Y""#), "action", TWICE),
        (
            raw(r#""metadata":{"a":1,"b":{"c":1,"c":1}}"#),
            "metadata.b.c",
            TWICE,
        ),
        // Written differently, and still the same name.
        (
            raw("\"metadata\":{\"a\":1,\"\\u0061\":2}"),
            "metadata.a",
            TWICE,
        ),
        (raw(r#""description":"a\u0000b""#), "description", NULL),
        (
            raw(r#""metadata":{"a\u0000":1}"#),
            r#"metadata["a\u0000"]"#,
            NULL,
        ),
        (raw(r#""description":"\ud800""#), "description", HALF),
        (raw(r#""description":"\udc00\ud800""#), "description", HALF),
        (
            raw(r#""metadata":{"n":9007199254740992}"#),
            "metadata.n",
            WHOLE,
        ),
        (
            raw(r#""metadata":{"n":-9007199254740992}"#),
            "metadata.n",
            WHOLE,
        ),
        (
            raw(r#""metadata":{"n":123456789012345678901234567890}"#),
            "metadata.n",
            WHOLE,
        ),
        (raw(r#""metadata":{"n":1e400}"#), "metadata.n", OVERFLOW),
        (
            raw(r#""metadata":{"n":[[-1e309]]}"#),
            "metadata.n[0][0]",
            OVERFLOW,
        ),
    ] {
        let answer = setting.sender.send_text(text.clone());
        assert_eq!(answer.status, 422, "{text}: {}", answer.text());
        let errors = answer.errors();
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        let (index, field, reason) = &errors[0];
        assert_eq!((*index, field.as_str()), (0, at), "{text}: {reason}");
        assert!(reason.contains(words), "{text}: {errors:?}");
    }
    assert_eq!(setting.kept(), 0);
}

#[test]
fn numbers_are_given_back_as_they_were_or_as_the_nearest_double() {
    let setting = Setting::new();
    for (sent, back) in [
        ("9007199254740991", "9007199254740991"),
        ("-9007199254740991", "-9007199254740991"),
        ("0.1", "0.1"),
        ("0.10000000000000000555", "0.1"),
        ("1e-400", "0.0"),
        ("9007199254740993.0", "9007199254740992.0"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("5e-324", "5e-324"),
        ("2.2250738585072011e-308", "2.225073858507201e-308"),
    ] {
        let text = raw(&format!(r#""metadata":{{"n":{sent}}}"#));
        let id = setting.sender.send_text(text).expect(201).ids().remove(0);
        let event = setting
            .sender
            .get(&format!("/api/v1/events/{id}"))
            .expect(200)
            .json();
        let back: Value = serde_json::from_str(back).unwrap();
        assert_eq!(event["metadata"]["n"].as_f64(), back.as_f64(), "{sent}");
    }
}

#[test]
fn any_text_is_given_back_unchanged() {
    let setting = Setting::new();
    let odd = "\u{1}\t\"\\/\u{7f}\u{2028}\u{feff}\u{fffd}e\u{301}é ş İ ß 🦀\u{10ffff} %_*";
    let sent = json!({
        "actor": {"kind": "user", "id": odd, "name": odd, "email": odd},
        "action": "ODD", "target": {"kind": "y", "id": odd, "name": odd},
        "description": odd, "operation": odd, "idempotency_key": odd,
        "metadata": {odd: [odd, {odd: null}], "": {}}, "before": {}, "context": {"ip": odd},
    });
    let event = setting.given_back(&sent);
    for field in [
        "description",
        "operation",
        "idempotency_key",
        "metadata",
        "before",
        "context",
    ] {
        assert_eq!(event[field], sent[field], "{field}");
    }
    assert_eq!(event["target"]["name"], odd);
    assert_eq!(event["actor"]["email"], odd);
}

#[test]
fn what_is_wrong_with_a_field_is_named() {
    let setting = Setting::new();
    for (field, value, at, words) in [
        ("actor", json!(null), "actor", "missing"),
        ("actor", json!("alex"), "actor", "object"),
        ("actor", json!([]), "actor", "object"),
        (
            "actor",
            json!({"kind": "person", "id": "1"}),
            "actor.kind",
            "user, token, agent",
        ),
        ("actor", json!({"id": "1"}), "actor.kind", "missing"),
        ("actor", json!({"kind": "user"}), "actor.id", "missing"),
        (
            "actor",
            json!({"kind": "user", "id": 7}),
            "actor.id",
            "text",
        ),
        (
            "actor",
            json!({"kind": "user", "id": "1", "age": 7}),
            "actor.age",
            "",
        ),
        (
            "actor",
            json!({"kind": "user", "id": "1", "deactivated": true}),
            "actor.deactivated",
            "",
        ),
        ("action", json!(null), "action", "missing"),
        ("action", json!("has space"), "action", "A-Z"),
        ("action", json!("ünder"), "action", "A-Z"),
        ("action", json!(7), "action", "text"),
        ("target", json!(null), "target", "missing"),
        ("target", json!({"kind": "a b"}), "target.kind", "A-Z"),
        (
            "target",
            json!({"kind": "y", "url": "javascript:alert(1)"}),
            "target.url",
            "http",
        ),
        (
            "target",
            json!({"kind": "y", "url": "ftp://e.example"}),
            "target.url",
            "http",
        ),
        ("target", json!({"kind": "y", "size": 3}), "target.size", ""),
        ("occurred_at", json!("yesterday"), "occurred_at", "RFC 3339"),
        (
            "occurred_at",
            json!("2026-05-12"),
            "occurred_at",
            "RFC 3339",
        ),
        (
            "occurred_at",
            json!("2026-05-12T09:14:03"),
            "occurred_at",
            "RFC 3339",
        ),
        (
            "occurred_at",
            json!("2026-02-30T09:14:03Z"),
            "occurred_at",
            "RFC 3339",
        ),
        ("occurred_at", json!(1_789_000_000), "occurred_at", "text"),
        (
            "outcome",
            json!("maybe"),
            "outcome",
            "success, failure, denied",
        ),
        ("verb", json!("CREATE"), "verb", "create"),
        ("category", json!("Members"), "category", "members"),
        ("via", json!("agent"), "via", "list"),
        ("via", json!([{"kind": "agent"}]), "via[0].id", "missing"),
        ("related", json!({"kind": "y"}), "related", "list"),
        (
            "related",
            json!([{"kind": "y"}, {"id": "1"}]),
            "related[1].kind",
            "missing",
        ),
        ("operation", json!(7), "operation", "text"),
        ("idempotency_key", json!(7), "idempotency_key", "text"),
        ("description", json!(["a"]), "description", "text"),
        ("before", json!([1]), "before", "object"),
        ("after", json!("x"), "after", "object"),
        ("metadata", json!(1), "metadata", "object"),
        ("context", json!(true), "context", "object"),
        ("workspace", json!("Growth"), "workspace", ""),
        ("workspace", json!("other"), "workspace", "growth"),
        ("colour", json!("red"), "colour", ""),
        ("Action", json!("X"), "Action", ""),
        ("odd name", json!(null), "[\"odd name\"]", ""),
    ] {
        setting.refuses(&with(event("X"), field, value), at, words);
    }
    for field in [
        "id",
        "seq",
        "recorded_at",
        "tenant",
        "given",
        "source",
        "redacted",
        "erased",
    ] {
        setting.refuses(&with(event("X"), field, "daybook"), field, "Daybook");
    }
    for value in [
        json!(1),
        json!("x"),
        json!(null),
        json!([[]]),
        json!([null]),
    ] {
        setting.refuses(&value, "", "object");
    }
    assert_eq!(setting.kept(), 0);
}

#[test]
fn every_fault_of_every_event_is_named_up_to_a_hundred() {
    let setting = Setting::new();
    let bad = json!({"actor": {"kind": "x"}, "action": "", "colour": 1});
    let answer = setting
        .sender
        .send(&json!([event("GOOD"), bad, event("GOOD"), bad]));
    let errors = answer.expect(422).errors();
    let named: Vec<_> = errors
        .iter()
        .map(|(index, field, _)| (*index, field.as_str()))
        .collect();
    for index in [1, 3] {
        for field in ["actor.kind", "action", "target", "colour"] {
            assert!(
                named.contains(&(index, field)),
                "{index} {field}: {named:?}"
            );
        }
    }
    assert!(
        errors
            .iter()
            .all(|(index, _, reason)| [1, 3].contains(index) && !reason.is_empty())
    );
    let many = json!(vec![bad; 200]);
    assert_eq!(setting.sender.send(&many).expect(422).errors().len(), 100);
    assert_eq!(setting.kept(), 0);
}

//! `POST /api/v1/events`: what is taken, what is refused and how it is said, and what is given back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use domain::time::Timestamp;
use harness::{Answer, Client, Daybook, READ_AND_WRITE, Server, event, members_of, with};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// A server with one workspace, and a sender who may read what was sent.
struct Setting {
    daybook: Daybook,
    server: Server,
    sender: Client,
}

impl Setting {
    fn new() -> Self {
        let daybook = Daybook::acme();
        let secret = daybook.token("acme/growth", &READ_AND_WRITE);
        let server = daybook.serve();
        let sender = server.client().with_token(&secret);
        Self {
            daybook,
            server,
            sender,
        }
    }

    /// How many events of applications there are.
    fn kept(&self) -> usize {
        let walk = self.sender.walk("limit=500");
        walk.events
            .iter()
            .filter(|event| event["source"].is_null())
            .count()
    }

    /// The event as given back, after it was sent.
    #[track_caller]
    fn given_back(&self, sent: &Value) -> Value {
        let id = self.sender.send(sent).expect(201).ids().remove(0);
        self.sender
            .get(&format!("/api/v1/events/{id}"))
            .expect(200)
            .json()
    }

    /// The event is refused for this field, and the reason has these words.
    #[track_caller]
    fn refuses(&self, sent: &Value, field: &str, words: &str) {
        refused(&self.sender.send(sent), field, words);
    }
}

#[track_caller]
fn refused(answer: &Answer, field: &str, words: &str) {
    assert_eq!(answer.status, 422, "{}", answer.text());
    let errors = answer.errors();
    assert!(
        errors
            .iter()
            .any(|(_, at, reason)| at == field && reason.contains(words)),
        "wanted {field}: {words}, got {errors:?}"
    );
}

/// An event as text, with the text of one more member.
fn raw(member: &str) -> String {
    let event = event("X").to_string();
    format!("{},{member}}}", event.strip_suffix('}').unwrap())
}

/// JSON nested so many levels deep, the event and its `metadata` counted.
fn nested(levels: usize) -> String {
    let inner = levels - 2;
    raw(&format!(
        r#""metadata":{{"deep":{}1{}}}"#,
        "[".repeat(inner),
        "]".repeat(inner)
    ))
}

#[test]
fn an_event_is_given_back_with_every_field_of_the_contract_in_its_order() {
    let setting = Setting::new();
    let sent = json!({
        "idempotency_key": "billing-7731",
        "occurred_at": (recently(2) + "03.1234567890+02:00"),
        "workspace": "growth",
        "actor": {"kind": "user", "id": "usr_1", "name": "Alex Kim", "email": "alex@example.com"},
        "via": [{"kind": "agent", "id": "agt_7", "name": "Release assistant"}],
        "action": "API_TOKEN_CREATED", "verb": "rotate", "category": "secrets",
        "target": {"kind": "api_token", "id": "tok_9", "name": "ci-prod-deploy",
                   "url": "https://app.example.com/tokens/tok_9"},
        "related": [{"kind": "user", "id": "usr_4", "name": "Kim Berg"}],
        "operation": "rotate-2026-05", "outcome": "failure", "description": "partial rotation",
        "before": {"name": "ci"}, "after": {"name": "ci-prod-deploy", "list": [1, 2.5, null]},
        "metadata": {"reason": "quarterly"},
        "context": {"ip": "203.0.113.9", "user_agent": "curl/8", "request_id": "req_1",
                    "location": "Oslo, NO"},
    });
    let placed = setting.sender.send(&sent).expect(201).json();
    assert_eq!(
        (placed["recorded"].clone(), placed["duplicates"].clone()),
        (json!(1), json!(0))
    );
    let placed = &placed["events"][0];
    let id = placed["id"].as_str().unwrap();
    let answer = setting
        .sender
        .get(&format!("/api/v1/events/{id}"))
        .expect(200);
    assert_eq!(
        members_of(&answer.text()),
        [
            "id",
            "seq",
            "idempotency_key",
            "occurred_at",
            "recorded_at",
            "tenant",
            "workspace",
            "actor",
            "via",
            "action",
            "verb",
            "category",
            "given",
            "target",
            "related",
            "operation",
            "outcome",
            "description",
            "before",
            "after",
            "metadata",
            "context",
            "source",
            "redacted",
            "erased"
        ]
    );
    let event = answer.json();
    assert_eq!(event["occurred_at"], recently(0) + "03.123456Z");
    assert_eq!(event["recorded_at"], placed["recorded_at"]);
    assert_eq!(event["seq"], placed["seq"]);
    assert_eq!(
        (&event["tenant"], &event["workspace"]),
        (&json!("acme"), &json!("growth"))
    );
    assert_eq!(
        members_of(&event["actor"].to_string()).len(),
        5,
        "{}",
        event["actor"]
    );
    assert_eq!(event["actor"]["deactivated"], false);
    assert_eq!(
        event["via"],
        json!([{"kind": "agent", "id": "agt_7", "name": "Release assistant", "email": null}])
    );
    assert_eq!(
        event["related"],
        json!([{"kind": "user", "id": "usr_4", "name": "Kim Berg", "url": null}])
    );
    assert_eq!(event["given"], json!(["verb", "category"]));
    assert_eq!(
        (&event["source"], &event["redacted"]),
        (&Value::Null, &json!(0))
    );
    assert_eq!(event["erased"], json!([]));
    for field in [
        "idempotency_key",
        "action",
        "verb",
        "category",
        "target",
        "operation",
        "outcome",
        "description",
        "before",
        "after",
        "metadata",
        "context",
    ] {
        assert_eq!(event[field], sent[field], "{field}");
    }
    let listed = setting
        .sender
        .get("/api/v1/events?q=ci-prod")
        .expect(200)
        .json();
    assert_eq!(listed["events"][0], event);
}

#[test]
fn what_was_not_given_is_null_and_lists_are_empty() {
    let setting = Setting::new();
    let sent = json!({"actor": {"kind": "system"}, "action": "X", "target": {"kind": "y"}});
    let event = setting.given_back(&sent);
    assert_eq!(
        event["actor"],
        json!({
            "kind": "system", "id": null, "name": null, "email": null, "deactivated": false
        })
    );
    assert_eq!(
        event["target"],
        json!({"kind": "y", "id": null, "name": null, "url": null})
    );
    for field in [
        "idempotency_key",
        "operation",
        "description",
        "before",
        "after",
        "metadata",
        "context",
        "source",
    ] {
        assert_eq!(event[field], Value::Null, "{field}");
    }
    for field in ["via", "related", "given", "erased"] {
        assert_eq!(event[field], json!([]), "{field}");
    }
    assert_eq!(event["outcome"], "success");
    assert_eq!(event["category"], "other");
    // It occurred when it arrived.
    assert!(event["occurred_at"].as_str().unwrap() <= event["recorded_at"].as_str().unwrap());
}

#[test]
fn numbers_of_arrival_and_ids_rise_in_the_order_sent() {
    let setting = Setting::new();
    let events: Vec<_> = (0..50)
        .map(|number| event(&format!("A_{number}")))
        .collect();
    let answer = setting.sender.send(&json!(events)).expect(201);
    let told = answer.json();
    let placed = told["events"].as_array().unwrap();
    let first = placed[0]["seq"].as_u64().unwrap();
    for (number, pair) in (0..).zip(placed) {
        assert_eq!(pair["seq"], first + number);
        let id = pair["id"].as_str().unwrap();
        let event = setting
            .sender
            .get(&format!("/api/v1/events/{id}"))
            .expect(200)
            .json();
        assert_eq!(event["action"], format!("A_{number}"));
    }
    let ids = answer.ids();
    assert!(ids.is_sorted(), "{ids:?}");
    assert!(
        ids.iter().all(|id| id.as_bytes()[14] == b'7'),
        "UUID version 7: {ids:?}"
    );
}

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
fn every_bound_is_taken_and_one_more_is_refused() {
    let setting = Setting::new();
    let long = |letters: usize| "ø".repeat(letters);
    let plain = |letters: usize| "a".repeat(letters);
    let url = |letters: usize| format!("https://e.example/{}", plain(letters - 18));
    let agent = json!({"kind": "agent", "id": "a"});
    let object = json!({"kind": "k"});
    let actor = |field: &str, text: String| json!({"kind": "user", "id": "usr_1", "name": "Alex", field: text});
    let target = |field: &str, text: String| with(json!({"kind": "y"}), field, text);
    for (field, at, within, beyond) in [
        (
            "actor",
            "actor.id",
            actor("id", long(512)),
            actor("id", long(513)),
        ),
        (
            "actor",
            "actor.name",
            actor("name", long(512)),
            actor("name", long(513)),
        ),
        (
            "actor",
            "actor.email",
            actor("email", long(512)),
            actor("email", long(513)),
        ),
        ("action", "action", json!(plain(128)), json!(plain(129))),
        ("action", "action", json!("aZ09_.:/-"), json!("")),
        (
            "target",
            "target.kind",
            json!({"kind": plain(64)}),
            json!({"kind": plain(65)}),
        ),
        (
            "target",
            "target.id",
            target("id", long(512)),
            target("id", long(513)),
        ),
        (
            "target",
            "target.name",
            target("name", long(512)),
            target("name", long(513)),
        ),
        (
            "target",
            "target.url",
            target("url", url(2_048)),
            target("url", url(2_049)),
        ),
        ("via", "via", json!(vec![&agent; 4]), json!(vec![&agent; 5])),
        (
            "related",
            "related",
            json!(vec![&object; 16]),
            json!(vec![&object; 17]),
        ),
        ("operation", "operation", json!(long(128)), json!(long(129))),
        (
            "idempotency_key",
            "idempotency_key",
            json!(long(512)),
            json!(long(513)),
        ),
        ("idempotency_key", "idempotency_key", json!("1"), json!("")),
    ] {
        let event = setting.given_back(&with(event("BOUND"), field, within.clone()));
        if within.is_string() {
            assert_eq!(event[field], within);
        }
        setting.refuses(&with(harness::event("BOUND"), field, beyond), at, "");
    }
}

#[test]
fn an_event_has_at_most_64_kib() {
    let setting = Setting::new();
    let sized = |bytes: usize| {
        let empty = raw(r#""description":"""#).len();
        raw(&format!(r#""description":"{}""#, "d".repeat(bytes - empty)))
    };
    setting.sender.send_text(sized(65_536)).expect(201);
    refused(&setting.sender.send_text(sized(65_537)), "", "65536");
    // Blanks between events are nobody's, and characters count as the bytes that they are.
    setting
        .sender
        .send_text(format!("[  {}  ]", sized(65_536)))
        .expect(201);
    let wide = raw(&format!(r#""description":"{}""#, "ø".repeat(32_768)));
    assert!(wide.len() > 65_536);
    refused(&setting.sender.send_text(wide), "", "65536");
    assert_eq!(setting.kept(), 2);
}

#[test]
fn json_has_at_most_64_levels() {
    let setting = Setting::new();
    setting.sender.send_text(nested(64)).expect(201);
    let answer = setting.sender.send_text(nested(65));
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.errors()[0].2.contains("64"), "{}", answer.text());
    assert_eq!(setting.sender.send_text(nested(10_000)).status, 422);
    // And where it is not even an event, or never closed.
    let only_open = "[".repeat(100_000);
    assert_eq!(setting.sender.send_text(only_open).status, 400);
    let closed = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(setting.sender.send_text(closed).status, 422);
    setting.sender.send(&event("STILL_THERE")).expect(201);
    assert_eq!(setting.kept(), 2);
}

#[test]
fn a_request_has_at_most_5000_events() {
    let setting = Setting::new();
    let one = event("MANY").to_string();
    let array = |events: usize| format!("[{}]", vec![one.as_str(); events].join(","));
    let lines = |events: usize| vec![one.as_str(); events].join("\n");
    assert_eq!(
        setting
            .sender
            .send_text(array(5_000))
            .expect(201)
            .ids()
            .len(),
        5_000
    );
    setting.sender.send_text(array(5_001)).expect(413);
    assert_eq!(
        setting
            .sender
            .send_lines(lines(5_000))
            .expect(201)
            .ids()
            .len(),
        5_000
    );
    let answer = setting.sender.send_lines(lines(5_001)).expect(413);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(setting.kept(), 10_000);
}

#[test]
fn a_request_has_at_most_8_mib() {
    let setting = Setting::new();
    let one = event("LARGE").to_string();
    let padded = |bytes: usize| format!("[{one}]{}", " ".repeat(bytes - one.len() - 2));
    setting
        .sender
        .send_text(padded(8 * 1024 * 1024))
        .expect(201);
    setting
        .sender
        .send_text(padded(8 * 1024 * 1024 + 1))
        .expect(413);
    setting
        .sender
        .send_text(padded(20 * 1024 * 1024))
        .expect(413);
    // The connection, and what comes after, is as good as before.
    setting.sender.send(&event("AFTER")).expect(201);
    assert_eq!(setting.kept(), 2);
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
fn times_have_any_offset_and_are_no_more_than_a_day_ahead() {
    let setting = Setting::new();
    let at = |text: &str| setting.given_back(&with(event("T"), "occurred_at", text));
    let date = recently(0);
    // `recently` ends with the minutes' colon: "2026-05-12T09:14:".
    for (sent, shown) in [
        (
            format!("{}00+00:00", recently(0)),
            format!("{date}00.000000Z"),
        ),
        (
            format!("{}00.999999999Z", recently(0)),
            format!("{date}00.999999Z"),
        ),
        (
            format!("{}30.5+14:00", recently(14)),
            format!("{date}30.500000Z"),
        ),
        (
            format!("{}30-12:00", recently(-12)),
            format!("{date}30.000000Z"),
        ),
        (
            format!("{}00+05:45", shifted(5 * 60 + 45)),
            format!("{date}00.000000Z"),
        ),
        (
            format!("{}00-00:01", shifted(-1)),
            format!("{date}00.000000Z"),
        ),
        (
            format!("{}00z", recently(0).replace('T', "t")),
            format!("{date}00.000000Z"),
        ),
    ] {
        assert_eq!(at(&sent)["occurred_at"], shown, "{sent}");
    }
    setting
        .sender
        .send(&with(event("T"), "occurred_at", recently(23) + "00Z"))
        .expect(201);
    for hours in [25, 24 * 400] {
        let far = with(event("T"), "occurred_at", recently(hours) + "00Z");
        setting.refuses(&far, "occurred_at", "24 hours");
    }
    let far = with(event("T"), "occurred_at", "9999-12-31T23:59:59Z");
    setting.refuses(&far, "occurred_at", "24 hours");
}

#[test]
fn what_is_older_than_the_workspace_keeps_is_refused_with_the_limit() {
    let setting = Setting::new();
    let old = with(event("OLD"), "occurred_at", recently(-91 * 24) + "00Z");
    setting.refuses(&old, "occurred_at", "90d");
    setting.refuses(
        &with(event("OLD"), "occurred_at", "0001-01-01T00:00:00Z"),
        "occurred_at",
        "90d",
    );
    let young = with(event("YOUNG"), "occurred_at", recently(-89 * 24) + "00Z");
    setting.sender.send(&young).expect(201);
    // A longer retention holds at once, under the running server.
    let line = [
        "settings",
        "set",
        "--workspace",
        "acme/growth",
        "--retention",
        "1y",
    ];
    setting.daybook.run(&line).succeeded();
    setting.sender.send(&old).expect(201);
    let ancient = with(event("OLD"), "occurred_at", recently(-367 * 24) + "00Z");
    setting.refuses(&ancient, "occurred_at", "1y");
    let line = [
        "settings",
        "set",
        "--workspace",
        "acme/growth",
        "--retention",
        "forever",
    ];
    setting.daybook.run(&line).succeeded();
    setting
        .sender
        .send(&with(event("OLD"), "occurred_at", "1970-01-01T00:00:00Z"))
        .expect(201);
}

#[test]
fn a_token_may_have_a_limit_of_its_own_to_the_past() {
    let setting = Setting::new();
    let secret = setting
        .daybook
        .token_with("acme/growth", &["events:write"], &["--oldest", "30d"]);
    let sender = setting.server.client().with_token(&secret);
    let at = |days: i64| with(event("X"), "occurred_at", recently(-days * 24) + "00Z");
    sender.send(&at(29)).expect(201);
    refused(&sender.send(&at(31)), "occurred_at", "this token may send");
    setting.sender.send(&at(31)).expect(201);
}

#[test]
fn a_key_is_recorded_once_whoever_sends_it_again() {
    let setting = Setting::new();
    let keyed = |key: &str, action: &str| with(event(action), "idempotency_key", key);
    let first = setting
        .sender
        .send(&keyed("k1", "FIRST"))
        .expect(201)
        .json();
    let again = setting
        .sender
        .send(&keyed("k1", "SECOND"))
        .expect(201)
        .json();
    assert_eq!(
        (&again["recorded"], &again["duplicates"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(again["events"], first["events"]);

    // Inside one batch, beside new ones, with another token.
    let other = setting.daybook.token("acme/growth", &["events:write"]);
    let batch = json!([
        keyed("k2", "A"),
        keyed("k1", "B"),
        keyed("k2", "C"),
        keyed("k3", "D")
    ]);
    let told = setting
        .server
        .client()
        .with_token(&other)
        .send(&batch)
        .expect(201)
        .json();
    assert_eq!(
        (&told["recorded"], &told["duplicates"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(told["events"][1], first["events"][0]);
    assert_eq!(told["events"][2], told["events"][0]);

    // After a restart.
    setting.server.kill();
    let server = setting.daybook.serve();
    let sender = server.client().with_token(&other);
    assert_eq!(
        sender.send(&keyed("k3", "E")).expect(201).json()["duplicates"],
        1
    );

    // In another workspace it is another key, and so in the tenant's own log.
    setting
        .daybook
        .run(&["workspace", "create", "acme/revenue"])
        .succeeded();
    let tenant = setting.daybook.token("acme", &READ_AND_WRITE);
    let tenant = server.client().with_token(&tenant);
    let elsewhere = with(keyed("k1", "ELSEWHERE"), "workspace", "revenue");
    assert_eq!(tenant.send(&elsewhere).expect(201).json()["recorded"], 1);
    assert_eq!(
        tenant.send(&keyed("k1", "TENANTS")).expect(201).json()["recorded"],
        1
    );
    assert_eq!(
        tenant.send(&keyed("k1", "TENANTS")).expect(201).json()["recorded"],
        0
    );
    let here = with(keyed("k1", "HERE"), "workspace", "growth");
    assert_eq!(
        tenant.send(&here).expect(201).json()["events"],
        first["events"]
    );
}

#[test]
fn without_a_key_the_same_event_is_recorded_as_often_as_it_is_sent() {
    let setting = Setting::new();
    let twice = json!([event("TWICE"), event("TWICE")]);
    assert_eq!(
        setting.sender.send(&twice).expect(201).json()["recorded"],
        2
    );
    assert_eq!(setting.kept(), 2);
}

#[test]
fn with_on_error_skip_the_good_ones_are_recorded_and_each_is_told() {
    let setting = Setting::new();
    let keyed = |key: &str| with(event("K"), "idempotency_key", key);
    setting.sender.send(&keyed("old")).expect(201);
    let batch = json!([
        keyed("new"), {"action": "X"}, keyed("old"), 7,
        with(event("X"), "occurred_at", recently(-100 * 24) + "00Z"), keyed("new"),
    ]);
    let skip = |body: &Value| {
        setting.sender.post(
            "/api/v1/events?on_error=skip",
            "application/json",
            body.to_string(),
        )
    };
    let told = skip(&batch).expect(207).json();
    assert_eq!(
        (&told["recorded"], &told["duplicates"], &told["refused"]),
        (&json!(1), &json!(2), &json!(3))
    );
    let results = told["results"].as_array().unwrap();
    let statuses: Vec<_> = results
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        [
            "recorded",
            "refused",
            "duplicate",
            "refused",
            "refused",
            "duplicate"
        ]
    );
    for result in results {
        let refused = result["status"] == "refused";
        assert_eq!(
            refused,
            result["id"].is_null() && result["seq"].is_null(),
            "{result}"
        );
        assert_eq!(
            refused,
            result["field"].is_string() && result["reason"].is_string()
        );
    }
    assert_eq!(results[4]["field"], "occurred_at");
    assert_eq!(results[0]["id"], results[5]["id"]);
    // What is not JSON as a whole is nobody's single fault.
    setting
        .sender
        .post("/api/v1/events?on_error=skip", "application/json", "[{}")
        .expect(400);
    for query in ["on_error=stop", "on_error=skip&colour=red"] {
        let answer =
            setting
                .sender
                .post(&format!("/api/v1/events?{query}"), "application/json", "[]");
        let name = if query.contains("colour") {
            "colour"
        } else {
            "on_error"
        };
        assert!(answer.expect(400).text().contains(name));
    }
}

#[test]
fn credentials_are_taken_out_at_the_door() {
    let setting = Setting::new();
    let sent = |password: &str| {
        json!({
            "actor": {"kind": "system"}, "action": "X", "target": {"kind": "y", "id": "api_key"},
            "before": {"password": "old-password", "user": "alex"},
            "after": {"password": password, "nested": [{"apiKey": "ak_123"}], "user": "alex"},
            "metadata": {"client_secret": {"a": 1}, "token_count": 7, "secret": null},
            "context": {"ip": "203.0.113.9", "authorization": "Bearer abcdef"},
        })
    };
    let event = setting.given_back(&sent("new-password"));
    let text = event.to_string();
    for gone in ["old-password", "new-password", "ak_123", "abcdef"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    let is_mark = |value: &Value| {
        value
            .as_str()
            .and_then(|text| text.strip_prefix("redacted:"))
            .is_some_and(|digits| {
                digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
    };
    for place in [
        "/before/password",
        "/after/password",
        "/after/nested/0/apiKey",
        "/context/authorization",
    ] {
        assert!(is_mark(event.pointer(place).unwrap()), "{place}: {text}");
    }
    assert_eq!(event["after"]["user"], "alex");
    assert_eq!(event["target"]["id"], "api_key");
    assert!(event["redacted"].as_u64().unwrap() >= 4);
    assert_ne!(event["before"]["password"], event["after"]["password"]);
    // Equal for equal values, and a mark that is sent back stays.
    let same = setting.given_back(&sent("old-password"));
    assert_eq!(same["before"]["password"], same["after"]["password"]);
    assert_eq!(same["before"]["password"], event["before"]["password"]);
    let mark = event["after"]["password"].as_str().unwrap();
    assert_eq!(setting.given_back(&sent(mark))["after"]["password"], mark);

    // Who may, and asks for it, sends without.
    let post = |client: &Client| {
        client.post(
            "/api/v1/events?redact=off",
            "application/json",
            sent("plain").to_string(),
        )
    };
    assert!(
        post(&setting.sender)
            .expect(403)
            .text()
            .contains("events:unredacted")
    );
    let scopes = ["events:write", "events:read", "events:unredacted"];
    let secret = setting.daybook.token("acme/growth", &scopes);
    let trusted = setting.server.client().with_token(&secret);
    let id = post(&trusted).expect(201).ids().remove(0);
    let event = setting
        .sender
        .get(&format!("/api/v1/events/{id}"))
        .expect(200)
        .json();
    assert_eq!(
        (&event["after"]["password"], &event["redacted"]),
        (&json!("plain"), &json!(0))
    );
    // Without asking, all the same taken out.
    let id = trusted.send(&sent("plain")).expect(201).ids().remove(0);
    let event = setting
        .sender
        .get(&format!("/api/v1/events/{id}"))
        .expect(200)
        .json();
    assert!(is_mark(&event["after"]["password"]));
}

#[test]
fn while_recording_is_off_events_are_discarded_and_counted() {
    let setting = Setting::new();
    let switch = |to: &str| {
        let line = [
            "settings",
            "set",
            "--workspace",
            "acme/growth",
            "--recording",
            to,
        ];
        setting.daybook.run(&line).succeeded();
    };
    switch("off");
    let told = setting
        .sender
        .send(&json!([event("A"), event("B")]))
        .expect(202)
        .json();
    assert_eq!(told, json!({"recorded": 0, "discarded": 2}));
    let skip = "/api/v1/events?on_error=skip";
    let told = setting
        .sender
        .post(skip, "application/json", event("C").to_string());
    assert_eq!(
        told.expect(202).json(),
        json!({"recorded": 0, "discarded": 1})
    );
    // What is wrong is said all the same.
    setting.sender.send(&json!({})).expect(422);
    assert_eq!(setting.kept(), 0);
    switch("on");
    setting.sender.send(&event("D")).expect(201);
    assert_eq!(setting.kept(), 1);
    let walk = setting.sender.walk("action=AUDIT_RECORDING_UPDATED");
    assert_eq!(walk.texts("/source"), ["daybook", "daybook"]);
    // The newest tells of switching on, and of what was discarded.
    let on = walk.events[0].to_string();
    assert!(on.contains("\"discarded\":3"), "{on}");
    assert_eq!(
        walk.events[0].pointer("/after/recording"),
        Some(&json!(true)),
        "{on}"
    );
}

#[test]
fn a_token_opens_its_own_place_and_no_other() {
    let setting = Setting::new();
    setting
        .daybook
        .run(&["workspace", "create", "acme/revenue"])
        .succeeded();
    setting
        .daybook
        .run(&["tenant", "create", "globex"])
        .succeeded();
    setting
        .daybook
        .run(&["workspace", "create", "globex/growth"])
        .succeeded();
    let client = |secret: &str| setting.server.client().with_token(secret);
    let tenant = client(&setting.daybook.token("acme", &READ_AND_WRITE));
    let revenue = client(&setting.daybook.token("acme/revenue", &READ_AND_WRITE));
    let globex = client(&setting.daybook.token("globex", &READ_AND_WRITE));

    // A workspace's token names that one only, or none.
    setting
        .sender
        .send(&with(event("OWN"), "workspace", "growth"))
        .expect(201);
    setting.refuses(
        &with(event("X"), "workspace", "revenue"),
        "workspace",
        "growth",
    );
    // A tenant's names any of its own, or none: then the event is the tenant's.
    let ids = tenant
        .send(&json!([
            with(event("T1"), "workspace", "growth"),
            with(event("T2"), "workspace", "revenue"),
            event("T3"),
        ]))
        .expect(201)
        .ids();
    refused(
        &tenant.send(&with(event("X"), "workspace", "nowhere")),
        "workspace",
        "nowhere",
    );
    let seen = |client: &Client| -> Vec<bool> {
        let status = |id: &String| client.get(&format!("/api/v1/events/{id}")).status;
        ids.iter().map(|id| status(id) == 200).collect()
    };
    assert_eq!(seen(&tenant), [true, true, true]);
    assert_eq!(seen(&setting.sender), [true, false, false]);
    assert_eq!(seen(&revenue), [false, true, false]);
    assert_eq!(seen(&globex), [false, false, false]);
    setting
        .sender
        .get(&format!("/api/v1/events/{}", ids[1]))
        .expect(404);
    let own = tenant
        .get(&format!("/api/v1/events/{}", ids[2]))
        .expect(200)
        .json();
    assert_eq!(own["workspace"], Value::Null);
}

#[test]
fn who_brings_no_good_token_is_told_so() {
    let setting = Setting::new();
    let one = event("X");
    let nobody = setting.server.client();
    for client in [
        nobody.clone(),
        nobody.with_token("dbk_wrong"),
        nobody.with_token(""),
        nobody.with_header("authorization", "Basic YTpi"),
    ] {
        let answer = client.send(&one).expect(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        client.get("/api/v1/events").expect(401);
        client
            .get("/api/v1/events/01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11")
            .expect(401);
    }
    let reader = setting.daybook.token("acme/growth", &["events:read"]);
    assert!(
        nobody
            .with_token(&reader)
            .send(&one)
            .expect(403)
            .text()
            .contains("events:write")
    );
    let writer = setting.daybook.token("acme/growth", &["events:write"]);
    let writer = nobody.with_token(&writer);
    writer.send(&one).expect(201);
    assert!(
        writer
            .get("/api/v1/events")
            .expect(403)
            .text()
            .contains("events:read")
    );
    // Revoked from the next request on.
    let list = setting.daybook.run(&["token", "list"]).succeeded().out;
    for id in list
        .split_whitespace()
        .filter(|word| word.starts_with("tok_"))
    {
        setting
            .daybook
            .run(&["token", "revoke", "--id", id])
            .succeeded();
    }
    writer.send(&one).expect(401);
    setting.sender.send(&one).expect(401);
}

#[test]
fn a_label_on_an_actor_is_shown_on_all_their_events() {
    let setting = Setting::new();
    let id = setting
        .sender
        .send(&event("BEFORE"))
        .expect(201)
        .ids()
        .remove(0);
    let label = json!({"deactivated": true});
    setting
        .sender
        .put("/api/v1/actors/user/usr_1", &label)
        .expect(403);
    let secret = setting.daybook.token("acme/growth", &["actors:write"]);
    let host = setting.server.client().with_token(&secret);
    let actor = host
        .put("/api/v1/actors/user/usr_1", &label)
        .expect(200)
        .json();
    assert_eq!(
        (&actor["id"], &actor["deactivated"]),
        (&json!("usr_1"), &json!(true))
    );
    let shown = |id: &str| {
        let event = setting
            .sender
            .get(&format!("/api/v1/events/{id}"))
            .expect(200)
            .json();
        event["actor"]["deactivated"].clone()
    };
    assert_eq!(shown(&id), true);
    let later = setting
        .sender
        .send(&event("AFTER"))
        .expect(201)
        .ids()
        .remove(0);
    assert_eq!(shown(&later), true);
    host.put("/api/v1/actors/user/usr_1", &json!({"deactivated": false}))
        .expect(200);
    assert_eq!(shown(&id), false);
    for bad in [
        json!({}),
        json!({"deactivated": "yes"}),
        json!({"deactivated": true, "x": 1}),
    ] {
        host.put("/api/v1/actors/user/usr_1", &bad).expect(422);
    }
}

/// So many hours from now, to the minute, as far as the seconds: `2026-05-12T09:14:`.
fn recently(hours: i64) -> String {
    shifted(hours * 60)
}

/// So many minutes from when the test began, so that it does not matter when a minute ends.
fn shifted(minutes: i64) -> String {
    static START: OnceLock<Timestamp> = OnceLock::new();
    let start = *START.get_or_init(harness::now);
    let time = start.plus(chrono::TimeDelta::minutes(minutes)).datetime();
    time.format("%Y-%m-%dT%H:%M:").to_string()
}

//! `POST /api/v1/events`: how much is taken of everything, and from which times.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Setting, event, raw, recently, refused, shifted, with};
use serde_json::json;

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
fn a_large_request_of_large_events_is_recorded_whole() {
    let setting = Setting::new();
    let body = "b".repeat(60_000);
    let events: Vec<_> = (0..130)
        .map(|number| with(event(&format!("L_{number}")), "description", body.clone()))
        .collect();
    let ids = setting.sender.send(&json!(events)).expect(201).ids();
    assert_eq!(ids.len(), 130);
    let walk = setting.sender.walk("limit=500&sort=action");
    // Daybook's own, of this look for instance, stand beside them.
    let sent: Vec<_> = walk
        .events
        .iter()
        .filter(|event| event["source"].is_null())
        .collect();
    assert_eq!(sent.len(), 130);
    assert!(sent.iter().all(|event| event["description"] == body));
    assert!(
        ids.iter()
            .all(|id| sent.iter().any(|event| event["id"] == **id)),
        "each is there under its own id"
    );
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

/// JSON nested so many levels deep, the event and its `metadata` counted.
fn nested(levels: usize) -> String {
    let inner = levels - 2;
    raw(&format!(
        r#""metadata":{{"deep":{}1{}}}"#,
        "[".repeat(inner),
        "]".repeat(inner)
    ))
}

//! `POST /api/v1/events`: events that come again, and batches of which some are refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{READ_AND_WRITE, Setting, event, recently, with};
use serde_json::{Value, json};

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

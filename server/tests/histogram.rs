//! `GET /api/v1/events/histogram`: when what matches occurred, in the days of a time zone.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use harness::{Client, Daybook, READ_AND_WRITE, Server, event, with};
use serde_json::{Value, json};

/// A log with events of three days in May, and somebody who reads it.
fn log() -> (Daybook, Server, Client) {
    let daybook = Daybook::acme();
    let keep = [
        "settings",
        "set",
        "--workspace",
        "acme/growth",
        "--retention",
        "forever",
    ];
    daybook.run(&keep).succeeded();
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let server = daybook.serve();
    let reader = server.client().with_token(&secret);
    let at = |time: &str, action: &str| with(event(action), "occurred_at", time);
    let events = [
        // A day of Kathmandu begins at 18:15 in UTC.
        at("2026-05-11T18:14:59.999999Z", "API_TOKEN_CREATED"),
        at("2026-05-11T18:15:00Z", "API_TOKEN_CREATED"),
        at("2026-05-12T09:14:03Z", "MEMBER_REMOVED"),
        at("2026-05-12T18:14:59Z", "MEMBER_REMOVED"),
        at("2026-05-13T02:00:00Z", "MEMBER_REMOVED"),
    ];
    reader.send(&json!(events)).expect(201);
    (daybook, server, reader)
}

fn told(reader: &Client, query: &str) -> Value {
    let address = format!("/api/v1/events/histogram?{query}");
    reader.get(&address).expect(200).json()
}

#[test]
fn events_are_counted_by_category_in_the_days_of_the_zone() {
    let (_daybook, _server, reader) = log();
    let kathmandu = "since=2026-05-11&until=2026-05-13&tz=Asia/Kathmandu&buckets=3";
    assert_eq!(
        told(&reader, kathmandu),
        json!({
            "since": "2026-05-10T18:15:00.000000Z",
            "until": "2026-05-13T18:14:59.999999Z",
            "tz": "Asia/Kathmandu",
            "step": "1d",
            "buckets": [
                {"start": "2026-05-10T18:15:00.000000Z", "counts": {"auth_tokens": 1}},
                {"start": "2026-05-11T18:15:00.000000Z", "counts": {"auth_tokens": 1, "members": 2}},
                {"start": "2026-05-12T18:15:00.000000Z", "counts": {"members": 1}}
            ],
            "exact": true
        })
    );
    let only = told(&reader, &format!("{kathmandu}&category=members"));
    let counts: Vec<&Value> = only["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| &bucket["counts"])
        .collect();
    assert_eq!(
        counts,
        [&json!({}), &json!({"members": 2}), &json!({"members": 1})]
    );
}

#[test]
fn without_since_it_begins_with_the_first_event_that_matches() {
    let (_daybook, _server, reader) = log();
    let told = told(&reader, "action=MEMBER_REMOVED&until=2026-05-12T18:15:00Z");
    assert_eq!(told["since"], "2026-05-12T09:14:03.000000Z");
    assert_eq!((&told["tz"], &told["step"]), (&json!("UTC"), &json!("15m")));
    let buckets = told["buckets"].as_array().unwrap();
    // The last moment begins a part of its own.
    assert_eq!(buckets.len(), 38);
    assert_eq!(buckets[0]["start"], "2026-05-12T09:00:00.000000Z");
    assert_eq!(buckets[36]["counts"], json!({"members": 1}));
    assert_eq!(buckets[1]["counts"], json!({}));
}

#[test]
fn nothing_that_matches_is_counted_too() {
    let (_daybook, _server, reader) = log();
    let told = told(
        &reader,
        "q=nothing+like+that&since=2026-05-12&until=2026-05-12",
    );
    let buckets = told["buckets"].as_array().unwrap();
    assert_eq!((told["step"].as_str(), buckets.len()), (Some("15m"), 96));
    assert!(buckets.iter().all(|bucket| bucket["counts"] == json!({})));
}

#[test]
fn what_is_not_taken_is_named() {
    let (_daybook, _server, reader) = log();
    for (query, parameter) in [
        ("buckets=0", "buckets"),
        ("buckets=1001", "buckets"),
        ("sort=actor", "sort"),
        ("cursor=x", "cursor"),
        ("tz=Mars", "tz"),
    ] {
        let address = format!("/api/v1/events/histogram?{query}");
        let problem = reader.get(&address).expect(400).json();
        assert_eq!(problem["parameters"][0]["parameter"], parameter, "{query}");
    }
}

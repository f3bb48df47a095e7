//! Retention as an operator sees it: what has expired is deleted by the command, and by a running
//! server.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use chrono::TimeDelta;
use harness::{Client, Daybook, READ_AND_WRITE, event, with};
use serde_json::Value;

/// An event that occurred so many days ago.
fn days_ago(days: i64, name: &str) -> Value {
    let at = harness::now().plus(-TimeDelta::days(days));
    let mut event = with(event("MEMBER_ADDED"), "occurred_at", at.to_string());
    event["target"]["name"] = name.into();
    event
}

/// A workspace that kept its events for a year, with so many old ones and a new one, and that keeps
/// 90 days from now on.
fn shortened(old: usize) -> (Daybook, String) {
    let daybook = Daybook::acme();
    set_retention(&daybook, "1y");
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let server = daybook.serve();
    let sender = server.client().with_token(&secret);
    let old: Vec<_> = (0..old).map(|_| days_ago(100, "old")).collect();
    sender.send(&old.into()).expect(201);
    sender.send(&days_ago(10, "new")).expect(201);
    assert!(server.stop().0.success());
    set_retention(&daybook, "90d");
    (daybook, secret)
}

fn set_retention(daybook: &Daybook, retention: &str) {
    let line = [
        "settings",
        "set",
        "--workspace",
        "acme/growth",
        "--retention",
        retention,
        "--now",
    ];
    daybook.run(&line).succeeded();
}

/// The names of the targets of what applications sent.
fn left(reader: &Client) -> Vec<String> {
    reader
        .walk("action=MEMBER_ADDED&limit=500")
        .texts("/target/name")
}

/// How many deletions the log tells of, and how many events they say.
fn told(reader: &Client) -> Vec<String> {
    reader
        .walk("action=AUDIT_EVENTS_EXPIRED")
        .texts("/after/deleted")
}

#[test]
fn the_command_deletes_what_has_expired_and_says_how_much() {
    let (daybook, secret) = shortened(7);
    let ran = daybook
        .run(&["retention", "run", "--workspace", "acme/growth"])
        .succeeded();
    assert!(
        ran.out
            .starts_with("acme/growth: 7 events that occurred before "),
        "{ran:#?}"
    );
    assert!(ran.out.contains("deleted; it keeps 90 days"), "{ran:#?}");
    // Everything else has nothing to delete.
    let ran = daybook.run(&["retention", "run"]).succeeded();
    assert_eq!(
        ran.out,
        "acme: nothing has expired\nacme/growth: nothing has expired\n"
    );
    let server = daybook.serve();
    let reader = server.client().with_token(&secret);
    assert_eq!(
        (left(&reader), told(&reader)),
        (vec!["new".into()], vec!["7".into()])
    );
    let page = reader
        .get("/api/v1/events?action=AUDIT_EVENTS_EXPIRED")
        .json();
    let event = &page["events"][0];
    assert_eq!(event["source"], "daybook");
    assert_eq!(event["actor"]["kind"], "system");
    assert!(event["metadata"]["os_user"].is_string(), "{event}");
    assert_eq!(event["after"]["retention"], "90d");
}

#[test]
fn a_running_server_deletes_by_itself() {
    let (daybook, secret) = shortened(3_000);
    let server = daybook.serve();
    let reader = server.client().with_token(&secret);
    harness::wait_for("what has expired is gone", || {
        (left(&reader) == ["new"]).then_some(())
    });
    assert_eq!(told(&reader), ["3000"]);
    let page = reader
        .get("/api/v1/events?action=AUDIT_EVENTS_EXPIRED")
        .json();
    let event = &page["events"][0];
    assert_eq!(
        (&event["actor"]["kind"], &event["metadata"]),
        (&"system".into(), &Value::Null)
    );
    assert!(server.stop().0.success());
}

#[test]
fn beside_a_running_server_the_command_has_it_delete() {
    let (daybook, secret) = shortened(0);
    let server = daybook.serve();
    let client = server.client().with_token(&secret);
    // The server looked when it began; what expires now waits for its next look.
    set_retention(&daybook, "1y");
    let old: Vec<_> = (0..2_500).map(|_| days_ago(200, "old")).collect();
    client.send(&old.into()).expect(201);
    set_retention(&daybook, "30d");
    let ran = daybook
        .run(&["retention", "run", "--workspace", "acme/growth"])
        .succeeded();
    assert!(ran.out.contains("2,500 events"), "{ran:#?}");
    assert_eq!(left(&client), ["new"]);
    let told = client.walk("action=AUDIT_EVENTS_EXPIRED").events;
    assert_eq!(told.len(), 1);
    drop(server);
}

#[test]
fn a_workspace_that_is_not_there_is_refused() {
    let daybook = Daybook::acme();
    daybook
        .run(&["retention", "run", "--workspace", "acme/revenue"])
        .refused(1, "there is no workspace acme/revenue");
}

#[test]
fn an_event_that_was_deleted_is_not_found_any_more() {
    let daybook = Daybook::acme();
    set_retention(&daybook, "1y");
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let server = daybook.serve();
    let client = server.client().with_token(&secret);
    let sent = client.send(&vec![days_ago(100, "old"), days_ago(99, "old")].into());
    let ids = sent.expect(201).ids();
    // Somebody reads, and goes on when it is gone: it drops out of their walk.
    let first = client
        .get("/api/v1/events?action=MEMBER_ADDED&limit=1")
        .expect(200)
        .json();
    let older = first["older"].as_str().unwrap().to_owned();
    set_retention(&daybook, "90d");
    daybook.run(&["retention", "run"]).succeeded();
    for id in ids {
        client.get(&format!("/api/v1/events/{id}")).expect(404);
    }
    let next = format!("/api/v1/events?action=MEMBER_ADDED&limit=1&cursor={older}");
    let next = client.get(&next).expect(200).json();
    assert_eq!(next["events"], Value::Array(Vec::new()));
    assert_eq!(next["older"], Value::Null);
}

#[test]
fn while_a_legal_hold_stands_nothing_is_deleted_by_any_path() {
    let (daybook, secret) = shortened(2_000);
    let hold = |what: &str, reason: &str| {
        let line = [
            "hold",
            what,
            "--workspace",
            "acme/growth",
            "--reason",
            reason,
        ];
        daybook.run(&line).succeeded();
    };
    hold("place", "Acme v. Initech");
    // The command,
    let ran = daybook.run(&["retention", "run"]).succeeded();
    assert_eq!(
        ran.out,
        "acme: a legal hold stands, nothing is deleted\n\
         acme/growth: a legal hold stands, nothing is deleted\n"
    );
    // the server by itself, which looks when it begins and after each minute,
    let server = daybook.serve();
    let reader = server.client().with_token(&secret);
    let ran = daybook.run(&["retention", "run", "--workspace", "acme/growth"]);
    assert!(ran.succeeded().out.contains("a legal hold stands"));
    // another retention, set at once,
    set_retention(&daybook, "1d");
    assert_eq!((left(&reader).len(), told(&reader).len()), (2_001, 0));
    assert!(server.stop().0.success());
    // and whoever opens the file.
    let release = if harness::postgres().is_some() {
        "INSERT INTO release (id, tenant, ws, seq, before, events) \
         SELECT 1, 1, 1, max(seq), 0, 0 FROM leaf"
    } else {
        "INSERT INTO release (id, ws, n, before, events) SELECT 1, 1, max(n), 0, 0 FROM leaf"
    };
    for statement in [
        "DELETE FROM content",
        "DELETE FROM leaf",
        release,
        "UPDATE content SET body = NULL",
        "UPDATE actor SET id = NULL, name = NULL, email = NULL",
        "UPDATE target SET id = NULL, name = NULL, url = NULL",
        "DELETE FROM hold",
    ] {
        assert!(daybook.ask_database(statement).is_err(), "{statement}");
    }
    // Lifted, what has expired goes.
    hold("lift", "Settled");
    daybook.run(&["retention", "run"]).succeeded();
    let server = daybook.serve();
    let reader = server.client().with_token(&secret);
    assert_eq!(
        (left(&reader), told(&reader)),
        (Vec::new(), vec!["2001".into()])
    );
}

//! `daybook backup`: a whole copy beside a running server, brought back in another folder.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use harness::{Client, Daybook, READ_AND_WRITE, event, with};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

/// Events with keys `from` to `from + 20`.
fn batch(from: usize) -> Value {
    let events = (from..from + 20).map(|n| {
        let event = with(
            event("SECRET_ROTATED"),
            "idempotency_key",
            format!("key-{n}"),
        );
        with(event, "description", "x".repeat(n % 400))
    });
    json!(events.collect::<Vec<_>>())
}

/// All events, in the order of arrival.
fn log(client: &Client) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/feed?limit=500&after={after}");
        let mut part = client.get(&path).expect(200).json();
        let to = part["next"].as_u64().unwrap();
        if to == after {
            return events;
        }
        after = to;
        let Value::Array(more) = part["events"].take() else {
            panic!("no events in {part}");
        };
        events.extend(more);
    }
}

/// Brings a copy back in a folder of its own.
fn restored(daybook: &Daybook, copy: &str, folder: &Path) -> Daybook {
    fs::copy(daybook.path(copy), folder.join("daybook.db")).unwrap();
    fs::copy(
        daybook.path("daybook.db.key"),
        folder.join("daybook.db.key"),
    )
    .unwrap();
    Daybook::at(folder)
}

#[test]
fn a_copy_made_beside_a_recording_server_is_brought_back_as_it_was() {
    only_sqlite!();
    let daybook = Daybook::acme();
    let secret = daybook.token("acme", &READ_AND_WRITE);
    let sender = daybook.token("acme/growth", &["events:write"]);
    let server = daybook.serve();
    let client = server.client().with_token(&sender);
    let (enough, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let told = thread::scope(|scope| {
        let recording = scope.spawn(|| {
            while !enough.load(Ordering::SeqCst) {
                let from = sent.fetch_add(20, Ordering::SeqCst);
                client.send(&batch(from)).expect(201);
            }
        });
        harness::wait_for("something is recorded", || {
            (sent.load(Ordering::SeqCst) > 200).then_some(())
        });
        let ran = daybook.run(&["backup", "copy.db"]);
        enough.store(true, Ordering::SeqCst);
        recording.join().unwrap();
        ran.succeeded().out
    });
    // `copy.db holds 1,234 events (5 MiB), …`
    assert!(told.starts_with("copy.db holds "), "{told}");
    assert!(told.contains("daybook.db.key is not in it"), "{told}");
    let held = told.split(' ').nth(2).unwrap().replace(',', "");
    let held: usize = held.parse().unwrap();
    assert!(held > 200, "{told}");
    let whole = log(&server.client().with_token(&secret));
    assert!(server.stop().0.success());

    let folder = tempfile::tempdir().unwrap();
    let copy = restored(&daybook, "copy.db", folder.path());
    let server = copy.serve();
    let reader = server.client().with_token(&secret);
    let kept = log(&reader);
    assert_eq!(kept[..held], whole[..held]);
    // Their own look, which the copy does not know of.
    let since: Vec<_> = kept[held..].iter().map(|event| &event["action"]).collect();
    assert!(
        since.iter().all(|action| *action == "AUDIT_LOG_READ"),
        "{since:?}"
    );

    // Senders send everything again: what the copy holds is known, the rest is taken.
    let client = server.client().with_token(&sender);
    for from in (0..sent.load(Ordering::SeqCst)).step_by(20) {
        client.send(&batch(from)).expect(201);
    }
    let keys = |log: &[Value]| -> Vec<String> {
        let keys = log
            .iter()
            .filter_map(|event| event["idempotency_key"].as_str());
        let mut keys: Vec<_> = keys.map(str::to_owned).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&log(&reader)), keys(&whole));
}

#[test]
fn what_cannot_be_copied_is_said_in_one_line() {
    only_sqlite!();
    let daybook = Daybook::acme();
    let there = daybook.write("there.db", "precious");
    daybook
        .run(&["backup", "there.db"])
        .refused(1, "a backup never overwrites");
    assert_eq!(fs::read(there).unwrap(), b"precious");
    daybook
        .run(&["backup", "nowhere/copy.db"])
        .refused(1, "cannot be written");
    daybook.run(&["backup"]).refused(2, "<FILE>");
    // Nothing is made where there is nothing.
    daybook
        .run(&["backup", "copy.db", "--database", "sqlite:mistyped.db"])
        .refused(1, "there is no log to copy");
    assert!(!daybook.path("mistyped.db").exists());
    assert!(!daybook.path("copy.db").exists());
    let names = fs::read_dir(daybook.path(".")).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.all(|name| !name.contains(".part-")));
}

#[test]
fn a_copy_without_the_key_file_is_not_opened() {
    only_sqlite!();
    let daybook = Daybook::acme();
    daybook.run(&["backup", "copy.db"]).succeeded();
    let folder = tempfile::tempdir().unwrap();
    let copy = restored(&daybook, "copy.db", folder.path());
    fs::remove_file(copy.path("daybook.db.key")).unwrap();
    for line in [&["serve", "--listen", "127.0.0.1:0"][..], &["hold", "list"]] {
        let ran = copy.run(line).ended(1);
        assert!(
            ran.err
                .contains("daybook.db.key is not there; bring it back from a copy"),
            "{ran:#?}"
        );
    }
    assert!(!copy.path("daybook.db.key").exists());
    // A copy of a copy is one too.
    let keys = daybook.path("daybook.db.key").display().to_string();
    let copy = copy.variable("DAYBOOK_KEY_FILE", &keys);
    let told = copy.run(&["backup", "again.db"]).succeeded().out;
    assert!(told.contains(&keys), "{told}");
}

#[test]
fn a_log_on_a_server_is_copied_by_the_server() {
    let daybook = Daybook::acme();
    if harness::postgres().is_some() {
        daybook.run(&["backup", "copy.db"]).refused(1, "pg_dump");
    } else {
        let nowhere = [
            "backup",
            "copy.db",
            "--database",
            "postgres://127.0.0.1:1/x",
        ];
        daybook.run(&nowhere).refused(1, "pg_dump");
    }
    assert!(!daybook.path("copy.db").exists());
}

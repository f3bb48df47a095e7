//! Exports that carry their proof, of any part of a log and with any parts of its events: each is right,
//! and its rows are those of an export without.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    event::{NewEvent, Outcome, Part, Parts},
    export::check::{CheckedFile, Checker, FileFault, check_line},
    question::{Query, Unknown},
    retention::Retention,
};
use log::{BEGINNING, Log, event, object, operator, time, user};
use serde_json::{Value, json};
use store::{
    access::ExportScope,
    export::{ExportError, Format, Wanted},
    retention::{Occasion, Removal},
    settings::SettingsChange,
};

fn query(text: &str) -> Query {
    let read = Query::read(text, Unknown::Refused);
    assert!(read.faults.is_empty(), "{text}: {:?}", read.faults);
    read.query
}

/// The number-th event; one a minute occurred, backwards.
fn some_event(number: usize) -> NewEvent {
    let ago = TimeDelta::minutes(i64::try_from(number).unwrap());
    let at = time(BEGINNING).plus(-ago).to_string();
    let name = ["Alex Kim", "Priya \"Raman\"", "Åse \u{1f600}"][number % 3];
    let person = user(&format!("usr_{}", number % 7), name);
    let actions = ["MEMBER_ADDED", "secret:rotate", "x"];
    let thing = object("secret", &format!("sec_{}", number % 50), "SALESFORCE");
    let mut event = event(person, actions[number % 3], thing, &at);
    if number.is_multiple_of(2) {
        event.via = vec![user("agt_1", "Assistant"), user("agt_2", name)];
        event.related = vec![object("user", "usr_9", "Kim Berg")];
        event.operation = Some(format!("operation {}", number % 11));
        event.verb = Some("rotate".parse().unwrap());
        event.outcome = Outcome::Denied;
    }
    if number.is_multiple_of(3) {
        event.description = Some("in two\nlines".to_owned());
        event.idempotency_key = Some(format!("key-{number}"));
        event.metadata = json!({}).as_object().cloned();
    }
    let after = json!({"version": number, "password": "hunter2", "ratio": 1e-7, "b": [1, null]});
    event.after = after.as_object().cloned();
    if number.is_multiple_of(5) {
        event.context = json!({"ip": "::1"}).as_object().cloned();
    }
    event
}

/// A log of two workspaces whose tree has more than two tiles, of which the store made checkpoints in between.
async fn some_log() -> (Log, ExportScope) {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let other = log.token("acme/revenue").await;
    for batch in 0..4 {
        let events = (batch * 160..(batch + 1) * 160).map(some_event);
        log.record(&grant, events.collect()).await;
        log.record(&other, vec![some_event(batch)]).await;
        log.store.cover().await.unwrap();
    }
    log.record(&grant, vec![some_event(1_000)]).await;
    let scope = grant.export_scope().unwrap();
    (log, scope)
}

async fn file(log: &Log, scope: &ExportScope, question: &str, proof: Option<Parts>) -> Vec<u8> {
    let wanted = Wanted {
        proof,
        ..Log::wanted(&query(question), Format::Ndjson)
    };
    let mut export = log.store.export(scope, wanted, &operator()).await.unwrap();
    let mut file = Vec::new();
    while let Some(piece) = export.next().await {
        file.extend(piece.unwrap());
    }
    file
}

fn checked(file: &[u8]) -> Result<CheckedFile, FileFault> {
    let mut checker = Checker::new();
    for line in file
        .strip_suffix(b"\n")
        .unwrap()
        .split(|byte| *byte == b'\n')
    {
        checker.take(check_line(line))?;
    }
    checker.finish(None, &[])
}

fn rows(file: &[u8]) -> Vec<Value> {
    let lines = file.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[tokio::test]
async fn any_part_of_a_log_with_any_parts_of_its_events_is_right() {
    let (log, scope) = some_log().await;
    let questions = [
        "",
        "order=asc",
        "action=x&sort=actor",
        "outcome=denied&sort=target_kind",
        "target_id=sec_3",
        "actor_id=usr_2&q=salesforce",
        "operation=operation 4",
        "actor=nobody is called so",
    ];
    let mut checks = 0;
    for (at, question) in questions.into_iter().enumerate() {
        let plain = rows(&file(&log, &scope, question, None).await);
        let all = file(&log, &scope, question, Some(Parts::ALL)).await;
        checked(&all).unwrap_or_else(|wrong| panic!("{question}: {wrong}"));
        // The rows are those without a proof.
        let mut proven = rows(&all);
        proven.pop();
        for row in &mut proven {
            row.as_object_mut().unwrap().remove("proof").unwrap();
        }
        // The exports themselves are told in the log.
        let told = |row: &Value| row["source"] == "daybook";
        let both = [plain, proven].map(|rows| {
            let rows = rows.into_iter().filter(|row| !told(row));
            rows.collect::<Vec<_>>()
        });
        assert_eq!(both[0], both[1], "{question}");
        // Other parts each time; each comes up, shown and not.
        for bits in [1_usize, 18, 36, 64, 85, 126, 0]
            .iter()
            .map(|bits| (bits + at * 11) % 128)
        {
            let parts = Part::ALL.iter().enumerate();
            let shown: Parts = parts
                .filter(|(at, _)| bits >> at & 1 == 1)
                .map(|(_, part)| *part)
                .collect();
            let some = file(&log, &scope, question, Some(shown)).await;
            let right =
                checked(&some).unwrap_or_else(|wrong| panic!("{question} {shown}: {wrong}"));
            if right.rows > 0 {
                assert_eq!(right.shown_by_all(), shown, "{question}");
            }
            checks += right.rows;
        }
    }
    assert!(checks > 5_000, "{checks}");
}

#[tokio::test]
async fn what_expired_is_not_in_the_file_and_the_rest_is_right() {
    let (log, scope) = some_log().await;
    log.clock
        .set(time(BEGINNING).plus(TimeDelta::days(30) - TimeDelta::minutes(100)));
    let path = "acme/growth".parse().unwrap();
    let settings = log.store.operator_settings(&path).await.unwrap().unwrap();
    let change = SettingsChange {
        retention: Some(Retention::Days(30)),
        now: true,
        ..SettingsChange::default()
    };
    let by = operator();
    log.store
        .change_settings(&settings, change, &by)
        .await
        .unwrap();
    let expiring = log.store.expiring_log(&path).await.unwrap().unwrap();
    log.store
        .release(&expiring, Occasion::Asked, &by)
        .await
        .unwrap();
    while matches!(log.store.remove_some().await.unwrap(), Removal::Some { .. }) {}
    let whole = file(&log, &scope, "", Some(Parts::ALL)).await;
    let right = checked(&whole).unwrap();
    assert!((100..200).contains(&right.rows), "{}", right.rows);
    assert!(right.checkpoint.size > 640, "{}", right.checkpoint.size);
}

#[tokio::test]
async fn what_is_altered_in_the_database_is_found_in_its_export() {
    let (log, scope) = some_log().await;
    let lifted = if log::postgres().is_some() {
        "ALTER TABLE actor DISABLE TRIGGER USER"
    } else {
        "DROP TRIGGER actor_keeps"
    };
    log.execute(lifted).await;
    log.execute("UPDATE actor SET name = 'Mallory' WHERE name = 'Alex Kim'")
        .await;
    // It has the texts in memory.
    let log = log.reopened().await;
    let grant = log.token("acme/growth").await;
    let altered = file(
        &log,
        &grant.export_scope().unwrap(),
        "order=asc&action=MEMBER_ADDED",
        Some(Parts::ALL),
    )
    .await;
    drop(scope);
    let wrong = checked(&altered).unwrap_err().to_string();
    assert!(
        wrong.starts_with("line 1: proof.header.parts is not"),
        "{wrong}"
    );
}

#[tokio::test]
async fn another_format_carries_no_proof() {
    let (log, scope) = some_log().await;
    for format in [Format::Csv, Format::Json] {
        let wanted = Wanted {
            proof: Some(Parts::ALL),
            ..Log::wanted(&Query::default(), format)
        };
        let refused = log
            .store
            .export(&scope, wanted, &operator())
            .await
            .unwrap_err();
        assert!(
            matches!(refused, ExportError::NoPlaceForProofs),
            "{refused}"
        );
    }
}

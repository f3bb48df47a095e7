//! What fingerprints tell of an index.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{
    DatabaseUrl, Options, Store,
    administration::{By, NewToken, TokenPlace},
    clock::SetClock,
    recording::{Door, Redaction},
    sqlite::sql::made_of_our_own_texts,
};
use domain::{
    event::{Action, Actor, ActorKind, NewEvent, Outcome, Target},
    role::TokenScope,
    time::Timestamp,
};
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use std::path::Path;

/// When the first event occurred: 2026-01-05, in microseconds.
const FIRST: i64 = 1_767_571_200_000_000;

fn actor(number: usize) -> Actor {
    Actor {
        kind: ActorKind::User,
        id: Some(format!("usr_{number}")),
        name: Some(format!("Person {number}")),
        email: None,
    }
}

fn target(kind: &str, number: usize) -> Target {
    Target {
        kind: kind.parse().unwrap(),
        id: Some(format!("{kind}_{number}")),
        name: None,
        url: None,
    }
}

/// Of every sort that the index has a place for.
fn event(number: usize) -> NewEvent {
    let action: Action = ["secret:rotate", "member:add", "plan:change"][number % 3]
        .parse()
        .unwrap();
    let mut event = NewEvent::new(actor(number % 5), action, target("secret", number % 7));
    event.occurred_at = Some(Timestamp::from_micros(
        FIRST + i64::try_from(number).unwrap() * 700_000_000,
    ));
    if number.is_multiple_of(3) {
        event.via = vec![actor(8), actor(number % 2)];
    }
    if number.is_multiple_of(4) {
        event.related = vec![
            target("user", 1),
            target("user", 2),
            target("secret", number % 7),
            target("team", number % 3),
        ];
    }
    event.idempotency_key = number.is_multiple_of(2).then(|| format!("key-{number}"));
    event.operation = number.is_multiple_of(6).then(|| "bulk-7".to_owned());
    if number.is_multiple_of(5) {
        event.outcome = Outcome::Denied;
    }
    event
}

/// The files of a log with its index, which nobody has open.
async fn recorded(folder: &Path) -> (Files, i64) {
    let log = folder.join("daybook.db");
    let store = Store::open(Options {
        clock: Arc::new(SetClock::at(Timestamp::from_micros(
            FIRST + 7 * 86_400_000_000,
        ))),
        ..Options::new(DatabaseUrl::Sqlite(log.clone()))
    })
    .await
    .unwrap();
    let by = By::operator("tester");
    let tenant = "acme".parse().unwrap();
    store.create_tenant(&tenant, "Acme", &by).await.unwrap();
    let mut number = 0;
    for workspace in ["acme/growth", "acme/revenue"] {
        let path = workspace.parse().unwrap();
        store
            .create_workspace(&path, "Workspace", &by)
            .await
            .unwrap();
        let token = NewToken {
            place: TokenPlace::Workspace(path),
            name: "tests".into(),
            scopes: TokenScope::ALL.to_vec(),
            expires: None,
            oldest_seconds: None,
        };
        let secret = store.create_token(&token, &by).await.unwrap();
        let grant = store.token(secret.reveal()).await.unwrap().unwrap();
        let door = Door::token(&grant, Redaction::On).unwrap();
        let events = (0..300).map(|_| {
            number += 1;
            store.admit(&door, event(number)).unwrap()
        });
        store.record(events.collect()).await.unwrap();
    }
    store.wait_for_index(|_, _| ()).await.unwrap();
    store.close().await;
    let files = Files::new(&log, None);
    let mut index = files.index_compared().await.unwrap();
    let mark = sqlx::query_scalar("SELECT n FROM mark")
        .fetch_one(&mut index)
        .await
        .unwrap();
    index
        .execute("PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .unwrap();
    index.close().await.unwrap();
    (files, mark)
}

/// The same log with a copy of its index in which one row was altered.
async fn altered(files: &Files, alteration: &str) -> Files {
    let altered = Files {
        index: files.index.with_extension("altered"),
        ..files.clone()
    };
    std::fs::copy(&files.index, &altered.index).unwrap();
    let mut index = SqliteConnection::connect(altered.index.to_str().unwrap())
        .await
        .unwrap();
    for statement in alteration.split(';') {
        let text = made_of_our_own_texts(statement.to_owned());
        let done = index.execute(text).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement}");
    }
    index
        .execute("PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .unwrap();
    index.close().await.unwrap();
    altered
}

#[tokio::test]
async fn an_index_has_the_fingerprints_that_its_log_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let (files, mark) = recorded(folder.path()).await;
    assert!(mark > 600);
    assert_eq!(compare(&files, &|_| ()).await, Fingerprints::Alike);
    // Of an index that says of itself that it is another's, nothing is told.
    let other = altered(&files, "UPDATE mark SET installation = x'00'").await;
    assert_eq!(compare(&other, &|_| ()).await, Fingerprints::Untold);
}

/// Whatever is altered, in any column of any table.
#[tokio::test]
async fn other_rows_have_other_fingerprints() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = recorded(folder.path()).await;
    // A table, a column, its type, and the columns of the table's key.
    let columns: Vec<(String, String, String, String)> = {
        let mut index = files.index_compared().await.unwrap();
        let columns = sqlx::query_as(
            "SELECT m.name, c.name, c.type, \
                 (SELECT group_concat(k.name) FROM pragma_table_info(m.name) k WHERE k.pk > 0) \
             FROM main.sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND (m.name LIKE 'by!_%' ESCAPE '!' OR m.name LIKE 'count!_%' ESCAPE '!')",
        );
        let columns = columns.fetch_all(&mut index).await.unwrap();
        index.close().await.unwrap();
        columns
    };
    assert!(columns.len() > 100, "{}", columns.len());
    for (table, column, of, key) in columns {
        let other = match of.as_str() {
            "INTEGER" => format!("coalesce({column}, 0) + 1000003"),
            "TEXT" => format!("{column} || '8'"),
            _ => format!("CAST({column} || x'01' AS BLOB)"),
        };
        let alteration = format!(
            "UPDATE {table} SET {column} = {other} WHERE ({key}) IN (SELECT {key} FROM {table} LIMIT 1)"
        );
        let altered = altered(&files, &alteration).await;
        let compared = compare(&altered, &|_| ()).await;
        assert_eq!(compared, Fingerprints::Different, "{table}.{column}");
    }
}

/// Of an event that was never recorded, and takes another's away from what is counted.
#[tokio::test]
async fn rows_of_no_event_are_different_wherever_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = recorded(folder.path()).await;
    let forged = altered(
        &files,
        "INSERT INTO by_actor SELECT a.ws, a.key, a.at, 9000000000000000000, -c.events, a.actor, a.via, \
             a.action, a.kind, a.target, a.related, a.outcome \
         FROM by_actor a JOIN count_actor c ON c.ws = a.ws AND c.key = a.key WHERE a.own = 1 LIMIT 1; \
         UPDATE count_actor SET entries = entries + 1, events = 0 WHERE (ws, key) IN \
             (SELECT ws, key FROM by_actor WHERE n = 9000000000000000000)",
    )
    .await;
    assert_eq!(compare(&forged, &|_| ()).await, Fingerprints::Different);
}

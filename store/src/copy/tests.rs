//! What there is to copy is what both schemas have.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::tables::{ADMINISTERED, HOLD, INSTALLATION, TEXTS};
use crate::{DatabaseUrl, Options, Store, sqlite::reading::log};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

type Columns = BTreeMap<String, BTreeSet<String>>;

fn known(more: &[(&str, &[&str])], of_texts: &[&str]) -> Columns {
    let names =
        |all: &[&str]| -> BTreeSet<String> { all.iter().map(|name| (*name).to_owned()).collect() };
    let mut known = Columns::new();
    for table in ADMINISTERED.iter().chain([&HOLD, &INSTALLATION]) {
        let columns = table.columns.iter().map(|(name, _)| (*name).to_owned());
        known.insert(table.name.to_owned(), columns.collect());
    }
    for table in &TEXTS {
        let mut columns = names(of_texts);
        columns.extend(table.columns.iter().map(|(name, _)| (*name).to_owned()));
        known.insert(table.name.to_owned(), columns);
    }
    for (table, columns) in more {
        known.insert((*table).to_owned(), names(columns));
    }
    known
}

const CONTENT: [&str; 15] = [
    "actor",
    "via",
    "action",
    "target",
    "related",
    "outcome",
    "operation",
    "key",
    "key_rest",
    "salt",
    "source",
    "keep",
    "body",
    "erased",
    "proofs",
];

fn and(all: &[&'static str]) -> Vec<&'static str> {
    CONTENT.iter().chain(all).copied().collect()
}

/// Whoever adds a table or a column says here what becomes of it when an installation moves.
#[tokio::test]
async fn every_table_and_column_of_sqlite_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("daybook.db");
    let options = Options::new(DatabaseUrl::Sqlite(path.clone()));
    Store::open(options).await.unwrap().close().await;
    let mut log = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let there: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    )
    .fetch_all(&mut log)
    .await
    .unwrap();
    let content = and(&["n"]);
    let expected = known(
        &[
            // Copied event by event.
            (
                "leaf",
                &[
                    "n",
                    "tenant",
                    "seq",
                    "id",
                    "ws",
                    "occurred_at",
                    "recorded_at",
                    "parts",
                ],
            ),
            ("content", &content),
            (
                "release",
                &["id", "ws", "n", "before", "events", "finished_at"],
            ),
            ("erasure", &["id", "ws", "n", "events", "finished_at"]),
            (
                "erasure_event",
                &["erasure", "n", "parts", "actor", "via", "target", "related"],
            ),
            ("erasure_damage", &["erasure", "n", "what"]),
            ("cleaning", &["one", "finished"]),
            // Counters for who has the log open: a copy begins without.
            ("removal", &["one", "batches"]),
            ("emptied", &["ws", "times"]),
            // Of the move itself.
            ("moving", &["one", "target", "since", "moved_at", "owner"]),
            ("copying", &["one", "source", "since", "hash", "owner"]),
            // Of the servers that run on it.
            (
                "background_check",
                &[
                    "tenant",
                    "checked",
                    "root",
                    "rules",
                    "passed_at",
                    "passed",
                    "failed_at",
                    "fault",
                ],
            ),
            ("lease", &["what", "holder", "until"]),
        ],
        &["ws", "num"],
    );
    same(there, &expected);
}

#[tokio::test]
async fn every_table_and_column_of_postgresql_is_known() {
    let Some(server) = log::postgres() else {
        return log::leave_out();
    };
    let name = format!("copy_tables_{}", std::process::id());
    let mut beside = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .unwrap();
    let make = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    beside.execute(make).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("{server}/{name}");
    let options = Options {
        key_file: Some(folder.path().join("key")),
        ..Options::new(url.parse().unwrap())
    };
    Store::open(options).await.unwrap().close().await;
    let mut database = PgConnection::connect(&url).await.unwrap();
    let there: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.relname::TEXT, a.attname::TEXT FROM pg_class c \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.relnamespace = 'public'::REGNAMESPACE AND c.relkind IN ('r', 'p') \
             AND NOT c.relispartition AND c.relname NOT LIKE '\\_sqlx%'",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
    // Not with force: that may not end who vacuums it, whom the server ends by itself without.
    let drop = AssertSqlSafe(format!("DROP DATABASE {name}"));
    beside.execute(drop).await.unwrap();
    let content = and(&["tenant", "class", "at", "seq", "ws", "kind"]);
    let counted = ["tenant", "ws", "what", "key", "other", "events", "entries"];
    let expected = known(
        &[
            (
                "leaf",
                &[
                    "tenant",
                    "seq",
                    "id",
                    "ws",
                    "occurred_at",
                    "recorded_at",
                    "parts",
                    "class",
                ],
            ),
            ("content", &content),
            (
                "release",
                &[
                    "id",
                    "tenant",
                    "ws",
                    "seq",
                    "before",
                    "events",
                    "finished_at",
                    "reached_at",
                    "reached_seq",
                ],
            ),
            (
                "erasure",
                &["id", "tenant", "ws", "seq", "events", "finished_at"],
            ),
            (
                "erasure_event",
                &[
                    "erasure", "seq", "parts", "actor", "via", "target", "related",
                ],
            ),
            ("erasure_damage", &["erasure", "seq", "what"]),
            ("cleaning", &["one", "finished"]),
            // Made of events as they are copied.
            (
                "entry",
                &[
                    "tenant", "class", "at", "seq", "ws", "what", "key", "actor", "via", "action",
                    "kind", "target", "related", "outcome",
                ],
            ),
            ("idempotency", &["tenant", "ws", "key", "key_rest", "seq"]),
            ("log_class", &["tenant", "ws", "class"]),
            ("tally", &counted),
            (
                "tally_change",
                &[
                    "tenant", "ws", "what", "n", "key", "other", "events", "entries",
                ],
            ),
            ("tenant_head", &["tenant", "seq", "removals", "id"]),
            (
                "text_head",
                &[
                    "tenant", "ws", "actor", "via", "action", "kind", "target", "related",
                    "emptied",
                ],
            ),
            // Of the move itself.
            ("moving", &["one", "target", "since", "moved_at", "owner"]),
            ("copying", &["one", "source", "since", "hash", "owner"]),
            // Of the servers that run on it.
            (
                "background_check",
                &[
                    "tenant",
                    "checked",
                    "root",
                    "rules",
                    "passed_at",
                    "passed",
                    "failed_at",
                    "fault",
                ],
            ),
            ("lease", &["what", "holder", "until"]),
        ],
        &["tenant", "ws", "num"],
    );
    same(there, &expected);
}

fn same(there: Vec<(String, String)>, expected: &Columns) {
    let mut found = Columns::new();
    for (table, column) in there {
        found.entry(table).or_default().insert(column);
    }
    assert!(found.len() > 20);
    assert_eq!(found, *expected);
}

//! A copy of the log, made while others record: it is whole, it can be opened with the key file, and
//! it goes on where it was made.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::event::{Event, NewEvent};
use log::{BEGINNING, Folder, Log, event, limit, object, user};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};
use store::{
    Store, StoreError,
    access::TokenGrant,
    backup::{Backup, BackupError},
    recording::Receipt,
};

fn events(from: usize, count: usize) -> Vec<NewEvent> {
    (from..from + count)
        .map(|n| {
            let actor = user(&format!("usr_{}", n % 40), &format!("Person {}", n % 40));
            let target = object("secret", &format!("sec_{}", n % 90), "ci");
            let mut event = event(actor, "SECRET_ROTATED", target, BEGINNING);
            event.idempotency_key = Some(format!("key-{n}"));
            event.description = Some("what for".repeat(n % 20));
            event
        })
        .collect()
}

async fn backup(store: &Store, to: &Path) -> Result<Backup, BackupError> {
    store.backup(to, |done, all| assert!(done <= all)).await
}

/// Brings a copy back in a folder of its own, with the key file where `with_keys` says so.
async fn restored(log: &Log, copy: &Path, with_keys: bool) -> (Folder, Result<Store, StoreError>) {
    let folder = Folder::new();
    fs::copy(copy, folder.path().join("daybook.db")).unwrap();
    if with_keys {
        let keys = "daybook.db.key";
        fs::copy(log.folder.path().join(keys), folder.path().join(keys)).unwrap();
    }
    let store = Store::open(Log::options(&folder, &log.clock)).await;
    (folder, store)
}

/// Every row of every table that only grows, up to event `n`, by table.
async fn rows(file: &Path, n: u64) -> BTreeMap<&'static str, Vec<String>> {
    let url = format!("sqlite:{}", file.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    let mut all = BTreeMap::new();
    for (table, which) in [
        ("leaf", format!("WHERE n <= {n}")),
        ("content", format!("WHERE n <= {n}")),
        ("installation", String::new()),
        ("tenant", String::new()),
        ("token", String::new()),
    ] {
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT 'quote(' || name || ')' FROM pragma_table_info(?)")
                .bind(table)
                .fetch_all(&mut database)
                .await
                .unwrap();
        let columns = columns.join(" || ',' || ");
        let statement = format!("SELECT {columns} FROM {table} {which} ORDER BY rowid");
        let rows = sqlx::query_scalar(AssertSqlSafe(statement))
            .fetch_all(&mut database)
            .await
            .unwrap();
        all.insert(table, rows);
    }
    all
}

async fn whole(store: &Store, reader: &TokenGrant, head: u64) -> Vec<Event> {
    let scope = reader.read_scope().unwrap();
    let mut query = limit(500);
    let mut events = Vec::new();
    loop {
        let page = store.page(&scope, &query).await.unwrap();
        events.extend(page.events.into_iter().filter(|event| event.seq <= head));
        match page.older {
            Some(older) => query = query.at(older),
            None => break,
        }
    }
    events.sort_by_key(|event| event.seq);
    events
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_while_others_record_is_the_log_as_it_was() {
    only_sqlite!();
    let log = Log::new().await;
    let sender = log.token("acme/growth").await;
    let reader = log.token("acme").await;
    log.record(&sender, events(0, 5_000)).await;
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy.db");

    let (enough, sent) = (AtomicBool::new(false), AtomicUsize::new(5_000));
    let recording = async {
        while !enough.load(Ordering::SeqCst) {
            let from = sent.fetch_add(50, Ordering::SeqCst);
            log.record(&sender, events(from, 50)).await;
        }
    };
    let copying = async {
        let made = backup(&log.store, &copy).await;
        enough.store(true, Ordering::SeqCst);
        made.unwrap()
    };
    let ((), made) = tokio::join!(recording, copying);
    let sent = sent.load(Ordering::SeqCst);
    log.record(&sender, events(sent, 50)).await;
    assert!(made.events > 5_000, "{made:?}");
    assert_eq!(made.bytes, fs::metadata(&copy).unwrap().len());
    assert_eq!(
        files(place.path()),
        std::slice::from_ref(&copy),
        "nothing else is left"
    );

    // Row by row, and event by event as anybody reads it.
    let (folder, store) = restored(&log, &copy, true).await;
    let store = store.unwrap();
    let original = log.folder.path().join("daybook.db");
    let (then, now) = (
        rows(&folder.path().join("daybook.db"), u64::MAX / 2).await,
        rows(&original, made.events).await,
    );
    assert_eq!(then["leaf"].len() as u64, made.events);
    for (table, rows) in &now {
        assert!(*rows == then[table], "{table} is another");
    }
    let held = whole(&store, &reader, u64::MAX).await;
    assert_eq!(held, whole(&log.store, &reader, made.events).await);
    assert_eq!(made.last, held.last().map(|event| event.recorded_at));

    // It goes on from there: what it holds is known by its key, what it lost is taken again.
    let door = store::recording::Door::token(&sender, store::recording::Redaction::On).unwrap();
    let again = [events(0, 1), events(sent + 10, 1)].concat().into_iter();
    let again = again.map(|event| store.admit(&door, event).unwrap());
    let receipts = store.record(again.collect()).await.unwrap();
    assert!(matches!(receipts[0], Receipt::Duplicate(_)), "{receipts:?}");
    let Receipt::Recorded(placed) = receipts[1] else {
        panic!("{receipts:?}");
    };
    assert_eq!(placed.seq, made.events + 1);
    store.close().await;
}

#[tokio::test]
async fn a_copy_needs_the_key_file() {
    only_sqlite!();
    let log = Log::new().await;
    let copy = log.folder.path().join("copy.db");
    backup(&log.store, &copy).await.unwrap();
    let (folder, missing) = restored(&log, &copy, false).await;
    let told = missing.unwrap_err().to_string();
    assert!(
        told.contains("daybook.db.key is not there") && told.contains("bring it back"),
        "{told}"
    );
    // None is made in its place.
    assert!(!folder.path().join("daybook.db.key").exists());
}

#[tokio::test]
async fn a_copy_is_guarded_as_the_log_is() {
    only_sqlite!();
    let log = Log::new().await;
    let copy = log.folder.path().join("copy.db");
    backup(&log.store, &copy).await.unwrap();
    let url = format!("sqlite:{}", copy.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    for statement in ["DELETE FROM content", "UPDATE leaf SET occurred_at = 0"] {
        let refused = sqlx::query(statement).execute(&mut database).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn a_file_that_is_there_is_left_as_it_is() {
    only_sqlite!();
    let log = Log::new().await;
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy.db");
    fs::write(&copy, "precious").unwrap();
    let refused = backup(&log.store, &copy).await.unwrap_err();
    assert!(
        matches!(&refused, BackupError::Exists(path) if *path == copy),
        "{refused}"
    );
    assert_eq!(fs::read(&copy).unwrap(), b"precious");
    // The log itself is such a file too.
    let own = log.folder.path().join("daybook.db");
    let refused = backup(&log.store, &own).await.unwrap_err();
    assert!(matches!(refused, BackupError::Exists(_)), "{refused}");

    let nowhere = place.path().join("nowhere").join("copy.db");
    let refused = backup(&log.store, &nowhere).await.unwrap_err();
    assert!(
        matches!(&refused, BackupError::File { error, .. } if error.kind() == io::ErrorKind::NotFound),
        "{refused}"
    );
    assert_eq!(files(place.path()), [copy]);
}

#[tokio::test]
async fn a_log_on_a_server_is_copied_by_the_server() {
    let log = Log::new().await;
    let copy = log.folder.path().join("copy.db");
    let copied = backup(&log.store, &copy).await;
    if log::postgres().is_none() {
        assert!(copied.is_ok());
        return;
    }
    let told = copied.unwrap_err().to_string();
    for tool in ["pg_dump", "pg_basebackup", "key file"] {
        assert!(told.contains(tool), "{told}");
    }
    assert!(!copy.exists());
}

//! What is recorded is found at once, once, and for ever, however far the index is behind: also by who opens the
//! log after a crash, by other processes, and by its key.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::event::NewEvent;
use log::{BEGINNING, Folder, Log, limit, operator, time};
use sqlx::{Connection, SqliteConnection};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use store::{
    Options, Readiness, Scope, Store,
    access::TokenGrant,
    question::Count,
    recording::{Door, Receipt, Redaction},
    retention::{Occasion, Released, Removal},
    settings::SettingsChange,
};

fn some_event(number: usize) -> NewEvent {
    let object = log::object("user", &format!("usr_{number}"), "Somebody");
    let mut event = log::event(
        log::user("usr_1", "Alex Kim"),
        "MEMBER_ADDED",
        object,
        BEGINNING,
    );
    let ago = chrono::TimeDelta::seconds(i64::try_from(number).unwrap());
    event.occurred_at = Some(time(BEGINNING).plus(-ago));
    event
}

fn with_key(number: usize) -> NewEvent {
    let mut event = some_event(number);
    event.idempotency_key = Some(format!("key {number}"));
    event
}

/// The keys of all events that a scope holds.
async fn keys(store: &Store, scope: &Scope) -> Vec<String> {
    let mut query = limit(500);
    let mut keys = Vec::new();
    loop {
        let page = store.page(scope, &query).await.unwrap();
        let events = page.events.into_iter();
        keys.extend(events.filter_map(|event| event.idempotency_key));
        match page.older {
            Some(cursor) => query = query.at(cursor),
            None => return keys,
        }
    }
}

async fn record(store: &Store, grant: &TokenGrant, events: Vec<NewEvent>) -> Vec<Receipt> {
    let door = Door::token(grant, Redaction::On).unwrap();
    let events = events.into_iter();
    let admitted = events.map(|event| store.admit(&door, event).unwrap());
    store.record(admitted.collect()).await.unwrap()
}

/// The files of a log as they are at this moment, as somebody finds them after the machine stopped.
fn stopped(log: &Log) -> Folder {
    let folder = Folder::new();
    // The index first: it may be older than the log that it is found with, and never newer.
    let names = [
        "daybook.db.index",
        "daybook.db.index-wal",
        "daybook.db",
        "daybook.db-wal",
        "daybook.db.key",
    ];
    for name in names {
        let copied = std::fs::copy(log.folder.path().join(name), folder.path().join(name));
        assert!(copied.is_ok() || name.ends_with("-wal"), "{name}");
    }
    folder
}

#[tokio::test]
async fn after_a_crash_everything_that_was_acknowledged_is_there() {
    only_sqlite!();
    for behind in [0, 150, i64::MAX] {
        let log = Log::behind(behind).await;
        let grant = log.token("acme/growth").await;
        for batch in 0..10 {
            let events = (batch * 50..batch * 50 + 50).map(with_key).collect();
            let receipts = log.record(&grant, events).await;
            assert!(receipts.iter().all(|it| matches!(it, Receipt::Recorded(_))));
        }
        let folder = stopped(&log);
        let begun = Instant::now();
        let options = Options {
            index_behind: behind,
            ..Log::options(&folder, &log.clock)
        };
        let store = Store::open(options).await.unwrap();
        assert_eq!(store.readiness().await, Readiness::Ready);
        assert!(begun.elapsed() < Duration::from_secs(5));
        let scope = grant.read_scope().unwrap();
        let there = keys(&store, &scope).await;
        assert_eq!(there.len(), 500, "behind by {behind}");
        assert_eq!(there.iter().collect::<HashSet<_>>().len(), 500);
        // Its keys are known, those that the index has and those that it does not.
        let again = (0..520).map(with_key).collect();
        let receipts = record(&store, &grant, again).await;
        let known = |receipt: &&Receipt| matches!(receipt, Receipt::Duplicate(_));
        assert_eq!(receipts.iter().filter(known).count(), 500);
        store.close().await;
        log.store.close().await;
    }
}

#[tokio::test]
async fn a_key_is_recorded_once_while_the_index_takes_it_over() {
    only_sqlite!();
    let log = Log::behind(20).await;
    let grant = log.token("acme/growth").await;
    let other = Store::open(Log::options(&log.folder, &log.clock)).await;
    let other = other.unwrap();
    let mut senders = Vec::new();
    for sender in 0..6 {
        let store = if sender % 3 == 0 { &other } else { &log.store };
        let (store, grant, keeper) = (store.clone(), grant.clone(), log.store.clone());
        senders.push(tokio::spawn(async move {
            for number in 0..60 {
                // Whoever comes later sends what the others did a moment ago.
                let events = (number..number + 3).map(with_key).collect();
                record(&store, &grant, events).await;
                if number % 7 == sender {
                    keeper.wait_for_index(|_, _| ()).await.unwrap();
                }
            }
        }));
    }
    for sender in senders {
        sender.await.unwrap();
    }
    let scope = grant.read_scope().unwrap();
    for store in [&log.store, &other] {
        let there = keys(store, &scope).await;
        assert_eq!(there.len(), 62);
        assert_eq!(there.iter().collect::<HashSet<_>>().len(), 62);
    }
    other.close().await;
}

#[tokio::test]
async fn what_another_process_records_is_found_at_once() {
    only_sqlite!();
    let log = Log::behind(i64::MAX).await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    let other = Store::open(Log::options(&log.folder, &log.clock)).await;
    let other = other.unwrap();
    let mut sent = 0;
    for round in 0..30 {
        let (writes, reads) = if round % 2 == 0 {
            (&other, &log.store)
        } else {
            (&log.store, &other)
        };
        let events = (sent..=sent + round % 4).map(with_key).collect();
        record(writes, &grant, events).await;
        sent += round % 4 + 1;
        assert_eq!(keys(reads, &scope).await.len(), sent);
        assert_eq!(keys(writes, &scope).await.len(), sent);
    }
    other.close().await;
}

#[tokio::test]
async fn what_has_expired_goes_however_far_the_index_is_behind() {
    only_sqlite!();
    let log = Log::behind(i64::MAX).await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    let old = |number: usize| {
        let mut event = with_key(number);
        let days = chrono::TimeDelta::days(if number.is_multiple_of(2) { 20 } else { 1 });
        event.occurred_at = Some(time(BEGINNING).plus(-days));
        event
    };
    log.record(&grant, (0..40).map(old).collect()).await;
    let path = "acme/growth".parse().unwrap();
    let settings = log.store.operator_settings(&path).await.unwrap().unwrap();
    let change = SettingsChange {
        retention: Some(domain::retention::Retention::Days(7)),
        now: true,
        ..SettingsChange::default()
    };
    let by = operator();
    let changed = log.store.change_settings(&settings, change, &by);
    changed.await.unwrap();
    let expiring = log.store.expiring_log(&path).await.unwrap().unwrap();
    let released = log.store.release(&expiring, Occasion::Asked, &by).await;
    let Released::Made(release, _) = released.unwrap() else {
        panic!("nothing was released");
    };
    assert_eq!(release.events, 20);
    while !matches!(log.store.remove_some().await.unwrap(), Removal::Nothing) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let left = keys(&log.store, &scope).await;
    assert_eq!(left.len(), 20);
    // What comes afterwards is beyond the index again.
    log.record(&grant, (100..103).map(some_event).collect())
        .await;
    let count = log.store.count(&scope, &limit(1)).await.unwrap();
    let all = log.walk(&scope, &limit(500)).await.len();
    assert_eq!(count, Count::Exactly(all as u64));
}

#[tokio::test]
async fn a_walk_shows_the_same_while_the_index_takes_over_what_it_walks_through() {
    only_sqlite!();
    let log = Log::behind(i64::MAX).await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    log.record(&grant, (0..100).map(with_key).collect()).await;
    let mut query = limit(7);
    let mut seen = Vec::new();
    let mut turn = 0;
    loop {
        let page = log.store.page(&scope, &query).await.unwrap();
        let events = page.events.into_iter();
        seen.extend(events.filter_map(|event| event.idempotency_key));
        let Some(older) = page.older else { break };
        query = query.at(older);
        turn += 1;
        let more = (100 + turn * 3..103 + turn * 3).map(with_key).collect();
        log.record(&grant, more).await;
        if turn % 3 == 1 {
            log.store.wait_for_index(|_, _| ()).await.unwrap();
        }
    }
    let wanted: Vec<String> = (0..100).map(|number| format!("key {number}")).collect();
    assert_eq!(seen, wanted);
}

/// A connection to the log past the store, with the index attached as `i`.
async fn both_files(log: &Log) -> SqliteConnection {
    let path = log.folder.path().join("daybook.db");
    let url = format!("sqlite:{}", path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let attach = format!("ATTACH '{}.index' AS i", path.display());
    let attach = sqlx::raw_sql(sqlx::AssertSqlSafe(attach));
    attach.execute(&mut connection).await.unwrap();
    connection
}

/// How far the index may lag where that is tried.
const MOST: i64 = 100;

#[tokio::test]
async fn who_records_waits_before_the_index_lags_further_than_it_may() {
    only_sqlite!();
    let log = Log::with(|options| Options {
        index_behind: 0,
        index_lag_most: MOST,
        ..options
    })
    .await;
    let grant = log.token("acme/growth").await;
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..4 {
        let (store, grant) = (log.store.clone(), grant.clone());
        let mut files = both_files(&log).await;
        senders.spawn(async move {
            let mut worst = 0;
            for batch in 0..25 {
                let first = sender * 1_000 + batch * 20;
                record(&store, &grant, (first..first + 20).map(with_key).collect()).await;
                // The log's end is read first: the index may only have come on since.
                let (head,): (i64,) = sqlx::query_as("SELECT max(n) FROM leaf")
                    .fetch_one(&mut files)
                    .await
                    .unwrap();
                let (mark,): (i64,) = sqlx::query_as("SELECT n FROM i.mark")
                    .fetch_one(&mut files)
                    .await
                    .unwrap();
                worst = worst.max(head - mark);
            }
            worst
        });
    }
    let lags = senders.join_all().await;
    assert!(lags.iter().all(|lag| *lag <= MOST), "{lags:?}");
    assert!(lags.iter().any(|lag| *lag > 0), "{lags:?}");
    let there = keys(&log.store, &grant.read_scope().unwrap()).await;
    assert_eq!(there.iter().collect::<HashSet<_>>().len(), 2_000);
    assert_eq!(there.len(), 2_000);
}

#[tokio::test]
async fn where_the_index_cannot_follow_senders_are_refused_in_time_and_nothing_is_lost() {
    only_sqlite!();
    let log = Log::with(|options| Options {
        index_behind: 0,
        index_lag_most: 300,
        ..options
    })
    .await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    log.store.wait_for_index(|_, _| ()).await.unwrap();
    // Of those who made it.
    let before = log.walk(&scope, &limit(100)).await.len();
    let mut files = both_files(&log).await;
    let mut change = async |statement: &'static str| {
        sqlx::raw_sql(statement).execute(&mut files).await.unwrap();
    };
    change(
        "CREATE TRIGGER i.stop BEFORE INSERT ON by_time \
         BEGIN SELECT RAISE(ABORT, 'no room for more'); END",
    )
    .await;
    let door = Door::token(&grant, Redaction::On).unwrap();
    let send = async |from: usize| {
        let events = (from..from + 20).map(|number| log.store.admit(&door, some_event(number)));
        let events = events.map(Result::unwrap).collect();
        log.store.record(events).await
    };
    let mut sent = 0;
    let refused = loop {
        match send(sent).await {
            Ok(receipts) => {
                assert!(receipts.iter().all(|it| matches!(it, Receipt::Recorded(_))));
                sent += receipts.len();
            }
            Err(refused) => break refused,
        }
        assert!(sent <= 300, "nobody was refused");
    };
    assert!(
        refused.to_string().contains("no room for more"),
        "{refused}"
    );
    assert!(sent > 200, "refused after {sent}");
    assert_eq!(log.store.readiness().await, Readiness::Ready);
    assert_eq!(log.walk(&scope, &limit(100)).await.len(), before + sent);
    assert!(send(sent).await.is_err(), "it is as before");

    change("DROP TRIGGER i.stop").await;
    log.store.wait_for_index(|_, _| ()).await.unwrap();
    assert_eq!(send(sent).await.unwrap().len(), 20);
    let there = log.walk(&scope, &limit(100)).await;
    assert_eq!(there.len(), before + sent + 20);
}

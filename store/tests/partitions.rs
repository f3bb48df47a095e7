//! On PostgreSQL, contents lie apart by how long they are kept and by when they occurred: in few tables,
//! whatever times are sent, which go when they are empty and their time is over.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{event::NewEvent, retention::Retention, slug::WorkspacePath, time::Timestamp};
use log::{BEGINNING, Log, event, limit, object, operator, time, user};
use store::{
    recording::{Door, Receipt, Redaction},
    retention::{Occasion, Removal},
    settings::SettingsChange,
};

const GROWTH: &str = "acme/growth";

fn growth() -> WorkspacePath {
    GROWTH.parse().unwrap()
}

fn at(moment: &str) -> NewEvent {
    event(
        user("usr_1", "Alex Kim"),
        "secret:rotate",
        object("secret", "sec_1", "SALESFORCE"),
        moment,
    )
}

fn days_ago(days: i64) -> Timestamp {
    time(BEGINNING).plus(-TimeDelta::days(days))
}

impl Log {
    /// Sets how long a workspace keeps its events, at once.
    async fn keep(&self, path: &str, retention: Retention) {
        let path = path.parse().unwrap();
        let scope = self.store.operator_settings(&path).await.unwrap().unwrap();
        let change = SettingsChange {
            retention: Some(retention),
            now: true,
            ..SettingsChange::default()
        };
        self.store
            .change_settings(&scope, change, &operator())
            .await
            .unwrap();
    }

    /// The names of the partitions of contents.
    async fn partitions(&self) -> Vec<String> {
        let names: Vec<(String,)> = self
            .rows(
                "SELECT c.relname::TEXT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
                 WHERE i.inhparent = 'content'::regclass ORDER BY 1",
            )
            .await;
        names.into_iter().map(|(name,)| name).collect()
    }

    /// Releases what has expired in growth, and removes it.
    async fn expire(&self) {
        let log = self.store.expiring_log(&growth()).await.unwrap().unwrap();
        self.store
            .release(&log, Occasion::Asked, &operator())
            .await
            .unwrap();
        while self.store.remove_some().await.unwrap() != Removal::Nothing {}
    }
}

#[tokio::test]
async fn events_of_all_years_are_recorded_and_read() {
    let log = Log::new().await;
    log.keep(GROWTH, Retention::Forever).await;
    let grant = log.token(GROWTH).await;
    let mut moments: Vec<String> = (0..2026)
        .map(|year| format!("{year:04}-07-01T12:00:00Z"))
        .collect();
    // Go's time of nothing, as somebody east of Greenwich sends it; and the ends of years.
    moments.extend(
        [
            "0001-01-01T00:00:00+01:00",
            "0001-01-01T00:00:00Z",
            "1683-12-31T23:59:59.999999Z",
            "2019-12-31T23:59:59.999999Z",
            "2020-01-01T00:00:00Z",
            "2025-12-31T23:59:59.999999Z",
            "2026-01-01T00:00:00Z",
        ]
        .map(str::to_owned),
    );
    for group in moments.chunks(2_000) {
        let events = group.iter().map(|moment| at(moment)).collect();
        let receipts = log.record(&grant, events).await;
        let is_recorded = |receipt| matches!(receipt, &Receipt::Recorded(_));
        assert!(receipts.iter().all(is_recorded));
    }
    let scope = log.scope(GROWTH).await;
    let read = log.walk(&scope, &limit(500)).await;
    let read = read.iter().filter(|event| event.source.is_none());
    let mut read: Vec<Timestamp> = read.map(|event| event.occurred_at).collect();
    let mut sent: Vec<Timestamp> = moments.iter().map(|moment| time(moment)).collect();
    read.sort();
    sent.sort();
    assert_eq!(read, sent);
    if log::postgres().is_some() {
        let partitions = log.partitions().await;
        // One for what occurred before 2020, and seven years; and a month or two of the settings before.
        assert!(partitions.len() <= 12, "{partitions:?}");
        assert!(partitions.contains(&"content_0_before".to_owned()));
    }
}

#[tokio::test]
async fn what_is_older_than_its_class_lies_with_what_stays_and_goes_all_the_same() {
    let log = Log::new().await;
    log.keep(GROWTH, Retention::Forever).await;
    let grant = log.token(GROWTH).await;
    let door = Door::token(&grant, Redaction::On).unwrap();
    let old = ["1999-01-01T00:00:00Z", "2021-01-01T00:00:00Z"]
        .map(|moment| log.store.admit(&door, at(moment)).unwrap());
    // Somebody has it kept for a shorter time before they are recorded.
    log.keep(GROWTH, Retention::Days(30)).await;
    log.store.record(old.into()).await.unwrap();
    let scope = log.scope(GROWTH).await;
    let own = async || {
        let read = log.walk(&scope, &limit(500)).await;
        read.iter().filter(|event| event.source.is_none()).count()
    };
    assert_eq!(own().await, 2);
    if log::postgres().is_some() {
        let partitions = log.partitions().await;
        let old = ["content_31_before", "content_31_202101"];
        let is_old = |name: &String| old.contains(&name.as_str());
        assert!(!partitions.iter().any(is_old), "{partitions:?}");
    }
    log.expire().await;
    assert_eq!(own().await, 0);
}

#[tokio::test]
async fn partitions_go_when_they_are_empty_and_nothing_can_come_into_them() {
    if log::postgres().is_none() {
        return;
    }
    let log = Log::new().await;
    let moments = |days: [i64; 3]| days.map(|days| at(&days_ago(days).to_string()));
    log.keep(GROWTH, Retention::Days(90)).await;
    log.keep("acme/revenue", Retention::Days(90)).await;
    let grant = log.token(GROWTH).await;
    log.record(&grant, moments([89, 60, 30]).into()).await;
    let other = log.token("acme/revenue").await;
    log.record(&other, vec![at(&days_ago(60).to_string())])
        .await;
    let there = log.partitions().await;
    for month in ["02", "03", "04"] {
        let name = format!("content_92_2026{month}");
        assert!(there.contains(&name), "{name}: {there:?}");
    }

    // All of February has expired, but events as old as these may come from who has another time.
    log.clock.set(time("2026-06-28T00:00:00Z"));
    log.expire().await;
    let after = log.partitions().await;
    let lost = |name: &&String| !after.contains(name);
    assert_eq!(there.iter().find(lost), None);

    // Now they may not; in one of them is something of the other workspace's.
    log.clock.set(time("2027-05-12T00:00:00Z"));
    log.record(&grant, vec![at("2027-05-01T00:00:00Z")]).await;
    let number = "SELECT drop_empty_partition(1810080000000000)::INTEGER::BIGINT";
    assert_eq!(log.number(number).await, 1);
    let dropped = log.partitions().await;
    let lost: Vec<&String> = there
        .iter()
        .filter(|name| !dropped.contains(name))
        .collect();
    assert_eq!(lost, ["content_92_202602"], "one at a time");
    log.expire().await;
    let left = log.partitions().await;
    assert!(left.contains(&"content_92_202603".to_owned()), "{left:?}");
    assert!(!left.contains(&"content_92_202604".to_owned()), "{left:?}");
    assert!(left.iter().any(|name| name.starts_with("content_0_")));

    // And everything goes on.
    let receipts = log.record(&grant, vec![at("2027-05-02T00:00:00Z")]).await;
    assert!(matches!(receipts[..], [Receipt::Recorded(_)]));
    let scope = log.scope("acme/revenue").await;
    let read = log.walk(&scope, &limit(500)).await;
    let own = read.iter().filter(|event| event.source.is_none());
    assert_eq!(own.count(), 1);
}

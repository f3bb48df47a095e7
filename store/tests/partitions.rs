//! On PostgreSQL, contents lie apart by how long they are kept and by when they occurred: in few tables,
//! whatever times are sent. They go as a whole where everything in them has expired, and when they are
//! empty and their time is over.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    event::{Event, NewEvent},
    question::{FeedQuery, Query, Unknown},
    retention::Retention,
    slug::WorkspacePath,
    time::Timestamp,
};
use log::{BEGINNING, Log, event, limit, object, operator, time, user};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use std::collections::BTreeSet;
use store::{
    export::Format,
    question::Count,
    recording::{Door, Receipt, Redaction},
    retention::{Occasion, Removal},
    settings::SettingsChange,
};

const GROWTH: &str = "acme/growth";
const REVENUE: &str = "acme/revenue";

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

    /// Releases what has expired in all logs.
    async fn release_all(&self) {
        for log in self.store.expiring_logs().await.unwrap() {
            let by = operator();
            let released = self.store.release(&log, Occasion::Asked, &by);
            released.await.unwrap();
        }
    }

    /// Removes all that may be removed: how many events in each piece.
    async fn pieces(&self) -> Vec<u64> {
        let mut pieces = Vec::new();
        loop {
            match self.store.remove_some().await.unwrap() {
                Removal::Some { events: 0, .. } => {}
                Removal::Some { events, .. } => pieces.push(events),
                Removal::Erased { .. } => panic!("nothing is to be erased"),
                Removal::Nothing => return pieces,
                // Of whoever was killed the server is still ending the connection.
                Removal::Elsewhere => tokio::task::yield_now().await,
            }
        }
    }

    /// Removes a partition, as the server has it done: how many events it had; none where it cannot
    /// be had.
    async fn remove_partition(&self, name: &str) -> Option<i64> {
        let call = format!("SELECT events FROM remove_partition('{name}', 3)");
        let [(events,)] = self.rows::<(Option<i64>,)>(&call).await[..] else {
            panic!("one row");
        };
        events
    }

    async fn has_partition(&self, name: &str) -> bool {
        let name = format!("content_{name}");
        self.partitions().await.contains(&name)
    }

    /// How many events of applications there are in a workspace (1: growth, 2: revenue).
    async fn events_of(&self, ws: i64) -> i64 {
        let count =
            format!("SELECT count(*) FROM content WHERE ws = {ws} AND operation IS NOT NULL");
        self.number(&count).await
    }

    /// Waits until somebody waits for a lock while a partition is being removed; who that is.
    async fn removal_that_waits(&self) -> i64 {
        loop {
            let waiting: Vec<(i64,)> = self
                .rows(
                    "SELECT pid::BIGINT FROM pg_stat_activity WHERE datname = current_database() \
                     AND query LIKE '%FROM remove_partition(%' AND wait_event_type = 'Lock' \
                     AND pid <> pg_backend_pid()",
                )
                .await;
            if let [(pid,)] = waiting[..] {
                return pid;
            }
            tokio::task::yield_now().await;
        }
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
    only_postgres!();
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

    // What there is of February has expired, but more may come.
    log.clock.set(time("2026-05-20T00:00:00Z"));
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

/// Something of a day in a month, with all that an event may have beside it.
fn happened(month: &str, n: usize) -> NewEvent {
    let moment = format!("{month}-{:02}T{:02}:30:00Z", 1 + n % 10, n % 24);
    let person = user(
        &format!("usr_{month}_{}", n % 40),
        &format!("Person {month} {}", n % 40),
    );
    let secret = object(
        "secret",
        &format!("sec_{}", n % 25),
        &format!("Secret {month} {}", n % 25),
    );
    let mut event = event(
        person,
        ["MEMBER_ADDED", "secret:rotate"][n % 2],
        secret,
        &moment,
    );
    if n.is_multiple_of(3) {
        event.via = vec![user(&format!("agt_{}", n % 4), "Release assistant")];
    }
    if n.is_multiple_of(4) {
        event.related = vec![object(
            "user",
            &format!("rel_{month}_{}", n % 7),
            "Kim Berg",
        )];
    }
    if n.is_multiple_of(5) {
        event.idempotency_key = Some(format!("{month} {n}"));
    }
    event.operation = Some(format!("operation {}", n % 3));
    event
}

/// How many events growth has in each month, and revenue.
const OF_GROWTH: usize = 1_200;
const OF_REVENUE: usize = 300;
/// December and January have expired whole, when 90 days are kept; of February and May, nothing.
const MONTHS: [&str; 2] = ["2025-12", "2026-01"];
const DECEMBER: &str = "366_202512";
const JANUARY: &str = "366_202601";

/// Both workspaces kept a year, and have events of four months; of February those expire that occurred
/// up to the 11th, at 9.
async fn log_of_a_year() -> Log {
    let log = Log::new().await;
    for (place, most) in [(GROWTH, OF_GROWTH), (REVENUE, OF_REVENUE)] {
        log.keep(place, Retention::Years(1)).await;
        let grant = log.token(place).await;
        for month in MONTHS.into_iter().chain(["2026-02", "2026-05"]) {
            log.record(&grant, (0..most).map(|n| happened(month, n)).collect())
                .await;
        }
    }
    log
}

/// The same; now both keep 90 days, and what has expired is released.
async fn shortened() -> Log {
    let log = log_of_a_year().await;
    log.keep(GROWTH, Retention::Days(90)).await;
    log.keep(REVENUE, Retention::Days(90)).await;
    log.release_all().await;
    log
}

/// A connection that reads contents, and does not end.
async fn reader_of(log: &Log) -> PgConnection {
    let mut connection = log.connection().await;
    let begin = "BEGIN; LOCK TABLE ONLY content IN ACCESS SHARE MODE";
    connection.execute(begin).await.unwrap();
    connection
}

/// A connection while which is there nobody looks at tables that have grown: a partition that is being
/// looked at is not dropped but emptied in batches.
async fn undisturbed(log: &Log) -> PgConnection {
    let mut connection = log.connection().await;
    let lock = "SELECT pg_advisory_lock(hashtextextended('daybook young tables', 0))";
    connection.execute(lock).await.unwrap();
    connection
}

#[tokio::test]
async fn whole_months_go_at_once_and_the_rest_in_batches() {
    only_postgres!();
    let log = shortened().await;
    let _undisturbed = undisturbed(&log).await;
    // Where a part of each partition lies on every node, batches go.
    if log.is_distributed().await {
        return;
    }
    let month = u64::try_from(OF_GROWTH + OF_REVENUE).unwrap();
    for name in [DECEMBER, JANUARY] {
        assert!(log.has_partition(name).await);
        let removed = log.store.remove_some().await.unwrap();
        assert!(
            matches!(removed, Removal::Some { events, .. } if events == month),
            "{removed:?}"
        );
        assert!(!log.has_partition(name).await);
        assert_eq!(log.miscounted().await, 0);
    }
    let rest = log.pieces().await;
    assert!(
        rest.len() > 1 && rest.iter().all(|events| *events <= 1_000),
        "{rest:?}"
    );
    assert_eq!(rest.iter().sum::<u64>(), month);
    assert!(
        log.has_partition("366_202602").await,
        "it may yet be recorded in"
    );
    // Everybody's names are gone with their last event.
    let named = "SELECT (SELECT count(*) FROM actor WHERE name LIKE 'Person 202_-__ %' \
            AND name NOT LIKE 'Person 2026-05 %') \
        + (SELECT count(*) FROM target WHERE name LIKE 'Secret 202_-__ %' \
            AND name NOT LIKE 'Secret 2026-05 %' OR id LIKE 'rel\\_%' AND id NOT LIKE 'rel\\_2026-05%')";
    assert_eq!(log.number(named).await, 0);
    assert_eq!(log.miscounted().await, 0);
    let unfinished = "SELECT count(*) FROM release WHERE finished_at IS NULL";
    assert_eq!(log.number(unfinished).await, 0);
}

/// All that a log holds and answers, as text; without what is random.
async fn everything(log: &Log) -> Vec<String> {
    let mut all = Vec::new();
    for table in [
        "SELECT seq, ws, occurred_at, recorded_at, class FROM leaf",
        "SELECT tenant, class, at, seq, ws, actor, via, action, kind, target, related, outcome, \
            operation, key, key_rest, source, keep FROM content WHERE operation IS NOT NULL",
        "SELECT * FROM entry",
        "SELECT * FROM idempotency",
        "SELECT * FROM tallied WHERE events <> 0 OR entries <> 0",
        "SELECT * FROM actor",
        "SELECT ws, num, kind, name FROM target",
        "SELECT id, tenant, ws, seq, before, events, finished_at FROM release",
        "SELECT tenant, seq FROM tenant_head",
    ] {
        let rows: Vec<(String,)> = log
            .rows(&format!("SELECT t::TEXT FROM ({table}) t ORDER BY 1"))
            .await;
        all.push(table.to_owned());
        all.extend(rows.into_iter().map(|(row,)| row));
    }
    for place in [GROWTH, REVENUE, "acme"] {
        let grant = log.token(place).await;
        let scope = grant.read_scope().unwrap();
        let (every, _) = FeedQuery::read("limit=500");
        let mut after = 0;
        loop {
            let next = FeedQuery {
                after,
                ..every.clone()
            };
            let feed = log.store.feed(&scope, &next).await.unwrap();
            all.extend(feed.events.iter().map(told));
            after = feed.next;
            if feed.is_all {
                break;
            }
        }
        for question in [
            "sort=actor",
            "target_kind=secret",
            "actor=assistant",
            "q=kim",
        ] {
            let mut query = asked(question);
            query.limit = limit(500).limit;
            all.push(question.to_owned());
            all.extend(log.walk(&scope, &query).await.iter().map(told));
            let mut snapshot = log.store.snapshot(&scope).await.unwrap();
            all.push(format!("{:?}", snapshot.count(&query).await.unwrap()));
            snapshot.end().await;
        }
        let mut query = Query::default();
        query.filter.operation = Some("operation 1".into());
        let scope = grant.export_scope().unwrap();
        let file = log.exported(&scope, &query, Format::Ndjson).await;
        let lines = file.lines().map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            event.as_object_mut().unwrap().remove("id");
            event.to_string()
        });
        all.extend(lines);
    }
    all
}

/// A question, as its address says it.
fn asked(text: &str) -> Query {
    let read = Query::read(text, Unknown::Refused);
    assert!(read.faults.is_empty(), "{:?}", read.faults);
    read.query
}

/// What an event says, but for its id and what is random in Daybook's own.
fn told(event: &Event) -> String {
    let of_application = event.source.is_none();
    format!(
        "{} {} {} {:?} {:?}",
        event.seq,
        event.occurred_at,
        event.action,
        of_application.then_some((&event.actor, &event.via, &event.target, &event.related)),
        (event.action.as_str() == "AUDIT_EVENTS_EXPIRED").then_some(&event.after)
    )
}

#[tokio::test]
async fn it_comes_to_the_same_as_batches_which_go_where_somebody_has_the_table() {
    only_postgres!();
    only_one_node!();
    let whole = shortened().await;
    let by_batches = shortened().await;
    let reader = reader_of(&by_batches).await;
    let pieces = by_batches.pieces().await;
    drop(reader);
    assert!(pieces.iter().all(|events| *events <= 1_000), "{pieces:?}");
    assert!(by_batches.has_partition(DECEMBER).await);
    let _undisturbed = undisturbed(&whole).await;
    let at_once = whole.pieces().await;
    assert_eq!(at_once[..2], [1_500, 1_500]);
    assert_eq!(at_once.iter().sum::<u64>(), pieces.iter().sum::<u64>());
    let (left, of_batches) = (everything(&whole).await, everything(&by_batches).await);
    assert!(left.len() > 5_000);
    for (one, other) in left.iter().zip(&of_batches) {
        assert_eq!(one, other);
    }
    assert_eq!(left.len(), of_batches.len());
}

#[tokio::test]
async fn a_hold_of_one_workspace_stops_it_until_it_is_lifted() {
    only_postgres!();
    only_one_node!();
    let log = shortened().await;
    let place = "INSERT INTO hold (id, workspace, reason, placed_by, placed_at) \
         SELECT coalesce(max(id), 0) + 1, 2, 'case 12', 'Ingrid', 0 FROM hold";
    log.execute(place).await;
    assert_eq!(log.remove_partition(DECEMBER).await, Some(0));
    let pieces = log.pieces().await;
    assert!(pieces.iter().all(|events| *events <= 1_000), "{pieces:?}");
    let there = i64::try_from(4 * OF_REVENUE).unwrap();
    assert_eq!(
        log.events_of(2).await,
        there,
        "nothing of what is held is gone"
    );
    assert_eq!(log.events_of(1).await, i64::try_from(OF_GROWTH).unwrap());
    let lift = "UPDATE hold SET lifted_at = 1, lifted_by = 'Ingrid', lifted_reason = 'settled'";
    log.execute(lift).await;
    let _undisturbed = undisturbed(&log).await;
    assert_eq!(log.pieces().await, [300, 300, 300]);
    assert!(!log.has_partition(DECEMBER).await && !log.has_partition(JANUARY).await);
    assert_eq!(log.miscounted().await, 0);
}

#[tokio::test]
async fn a_hold_that_is_being_placed_is_waited_for_and_seen() {
    only_postgres!();
    only_one_node!();
    let log = shortened().await;
    // As whoever places one has it before the commit.
    let mut placing = log.connection().await;
    placing
        .execute(
            "BEGIN; SELECT 1 FROM tenant_head FOR UPDATE; \
             INSERT INTO hold (id, workspace, reason, placed_by, placed_at) \
             SELECT coalesce(max(id), 0) + 1, 2, 'case 12', 'Ingrid', 0 FROM hold",
        )
        .await
        .unwrap();
    let (removed, ()) = tokio::join!(log.remove_partition(DECEMBER), async {
        log.removal_that_waits().await;
        placing.execute("COMMIT").await.unwrap();
    });
    assert_eq!(removed, Some(0));
    assert!(log.has_partition(DECEMBER).await);
    assert_eq!(
        log.events_of(2).await,
        i64::try_from(4 * OF_REVENUE).unwrap()
    );
    assert_eq!(log.miscounted().await, 0);
}

#[tokio::test]
async fn where_another_workspace_keeps_longer_the_others_expire_in_batches() {
    only_postgres!();
    only_one_node!();
    let log = log_of_a_year().await;
    log.keep(GROWTH, Retention::Days(90)).await;
    log.release_all().await;
    let pieces = log.pieces().await;
    assert!(pieces.iter().all(|events| *events <= 1_000), "{pieces:?}");
    assert_eq!(
        pieces.iter().sum::<u64>(),
        u64::try_from(3 * OF_GROWTH).unwrap()
    );
    assert!(log.has_partition(DECEMBER).await && log.has_partition(JANUARY).await);
    assert_eq!(log.remove_partition(DECEMBER).await, Some(0));
    assert_eq!(
        log.events_of(2).await,
        i64::try_from(4 * OF_REVENUE).unwrap()
    );
    assert_eq!(log.miscounted().await, 0);
}

#[tokio::test]
async fn the_database_drops_nothing_that_no_release_covers() {
    only_postgres!();
    only_one_node!();
    let log = shortened().await;
    let there = log.partitions().await;
    for name in [
        "366_202602",
        "92_202605",
        "0_2026",
        "0_before",
        "no_such",
        "366_202512; --",
    ] {
        assert_eq!(log.remove_partition(name).await, Some(0), "{name}");
    }
    assert_eq!(log.partitions().await, there);
    // Something came after the release, with a time before it: it was not covered when that was made.
    let late = happened("2025-12", 3);
    log.execute(
        "INSERT INTO content SELECT tenant, class, at, 1000000, ws, actor, NULL, action, kind, target, NULL, \
             outcome, operation, NULL, NULL, salt, source, keep, body \
         FROM content WHERE class = 366 AND ws = 1 AND operation IS NOT NULL ORDER BY at LIMIT 1",
    )
    .await;
    assert!(late.occurred_at < Some(days_ago(90)));
    assert_eq!(log.remove_partition(DECEMBER).await, Some(0));
    assert_eq!(log.remove_partition(JANUARY).await, Some(1_500));
}

/// PostgreSQL has no older states of what is dropped: whoever reads one is waited for.
#[tokio::test]
async fn a_state_that_somebody_reads_stays_whole() {
    only_postgres!();
    only_one_node!();
    let log = shortened().await;
    let scope = log.scope(GROWTH).await;
    // What the log looks like is known from then on.
    log.store.snapshot(&scope).await.unwrap().end().await;
    // Of this nothing was asked yet.
    let mut state = log.store.snapshot(&scope).await.unwrap();
    assert_eq!(log.remove_partition(DECEMBER).await, None);
    let oldest = asked("order=asc&limit=500");
    let first = state.page(&oldest).await.unwrap();
    assert!(first.events[0].occurred_at < time("2026-01-01T00:00:00Z"));
    assert_eq!(first.events.len(), 500);
    state.end().await;
    assert_eq!(log.remove_partition(DECEMBER).await, Some(1_500));
    // A walk that was begun goes on without it.
    let next = oldest.at(first.older.or(first.newer).unwrap());
    let rest = log.walk(&scope, &next).await;
    assert!(
        rest.iter()
            .all(|event| event.occurred_at >= time("2026-01-01T00:00:00Z"))
    );
}

#[tokio::test]
async fn who_reads_and_records_meanwhile_sees_neither_errors_nor_gaps() {
    only_postgres!();
    only_one_node!();
    let log = shortened().await;
    let grant = log.token(GROWTH).await;
    let (scope, exports) = (grant.read_scope().unwrap(), grant.export_scope().unwrap());
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let recorded = std::sync::Mutex::new(BTreeSet::new());
    let over = || is_over.load(std::sync::atomic::Ordering::Relaxed);
    let record = async {
        let mut n = 0;
        while !over() {
            n += 1;
            let events = vec![happened("2026-05", n), happened("2026-05", n + 7)];
            let events = events.into_iter().map(|event| NewEvent {
                idempotency_key: None,
                ..event
            });
            for receipt in log.record(&grant, events.collect()).await {
                let Receipt::Recorded(placed) = receipt else {
                    panic!("{receipt:?}");
                };
                recorded.lock().unwrap().insert(placed.seq);
            }
        }
    };
    let read = async || {
        while !over() {
            let known = recorded.lock().unwrap().clone();
            // One state, and what it says of itself.
            let mut state = log.store.snapshot(&scope).await.unwrap();
            let Count::Exactly(count) = state.count(&Query::default()).await.unwrap() else {
                panic!("they are few");
            };
            let page = state.page(&limit(500)).await.unwrap();
            assert!(page.events.len() == 500 && count >= 500);
            state.end().await;
            // And all pages.
            let read = log.walk(&scope, &limit(500)).await;
            let seqs: BTreeSet<u64> = read.iter().map(|event| event.seq).collect();
            assert_eq!(seqs.len(), read.len(), "none twice");
            assert!(
                seqs.is_superset(&known),
                "what was recorded before is there"
            );
        }
    };
    let export = async {
        while !over() {
            let known = recorded.lock().unwrap().len();
            let file = log
                .exported(&exports, &Query::default(), Format::Ndjson)
                .await;
            assert!(file.lines().count() >= known);
        }
    };
    let remove = async {
        for name in [DECEMBER, JANUARY] {
            while log.remove_partition(name).await.is_none() {}
            assert!(!log.has_partition(name).await);
        }
        log.pieces().await;
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    tokio::join!(record, read(), read(), export, remove);
    assert!(!recorded.lock().unwrap().is_empty());
    assert_eq!(log.miscounted().await, 0);
}

#[tokio::test]
async fn who_records_in_a_partition_that_is_being_removed_waits_for_nobody_and_it_stays() {
    only_postgres!();
    only_one_node!();
    let log = shortened().await;
    let _undisturbed = undisturbed(&log).await;
    log.keep(GROWTH, Retention::Years(1)).await;
    let grant = log.token(GROWTH).await;
    // While somebody has one of its keys, a removal goes no further than to that.
    let with_key = "SELECT min(seq) FROM content_366_202512 WHERE key IS NOT NULL";
    let with_key = log.number(with_key).await;
    let mut holding = log.connection().await;
    let hold = format!("BEGIN; SELECT 1 FROM idempotency WHERE seq = {with_key} FOR UPDATE");
    holding.execute(AssertSqlSafe(hold)).await.unwrap();
    let (removed, ()) = tokio::join!(log.remove_partition(DECEMBER), async {
        let removal = log.removal_that_waits().await;
        log.record(&grant, vec![happened("2025-12", 1_201)]).await;
        assert_eq!(log.removal_that_waits().await, removal);
        holding.execute("ROLLBACK").await.unwrap();
    });
    assert_eq!(removed, Some(0), "what came since is not covered");
    assert!(log.has_partition(DECEMBER).await);
    let there = i64::try_from(4 * OF_GROWTH + 1).unwrap();
    assert_eq!(log.events_of(1).await, there);
    assert_eq!(log.miscounted().await, 0);
}

#[tokio::test]
async fn where_somebody_has_the_tables_for_long_that_is_found_before_anything_is_counted() {
    only_postgres!();
    only_one_node!();
    let log = shortened().await;
    let _undisturbed = undisturbed(&log).await;
    let mut dump = log.connection().await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
        LOCK TABLE content_366_202512 IN ACCESS SHARE MODE";
    dump.execute(begin).await.unwrap();
    let mut removal = log.connection().await;
    removal.execute("BEGIN").await.unwrap();
    let removed: Option<i64> = sqlx::query_scalar("SELECT events FROM remove_partition($1, 1)")
        .bind(DECEMBER)
        .fetch_one(&mut removal)
        .await
        .unwrap();
    let wrote: bool = sqlx::query_scalar("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        .fetch_one(&mut removal)
        .await
        .unwrap();
    removal.execute("ROLLBACK").await.unwrap();
    assert_eq!((removed, wrote), (None, false));
    dump.execute("ROLLBACK").await.unwrap();
    assert_eq!(log.remove_partition(DECEMBER).await, Some(1_500));
}

#[tokio::test]
async fn who_is_killed_in_the_middle_loses_nothing() {
    only_postgres!();
    only_one_node!();
    let log = shortened().await;
    let before = everything(&log).await;
    // Who records and does not end.
    let mut recording = log.connection().await;
    let begin = "BEGIN; SELECT 1 FROM tenant_head FOR UPDATE";
    recording.execute(begin).await.unwrap();
    // By now it has done everything but for the drop.
    let (removed, killed) = tokio::join!(log.store.remove_some(), async {
        let pid = log.removal_that_waits().await;
        log.number(&format!(
            "SELECT pg_terminate_backend({pid}::INTEGER)::INTEGER::BIGINT"
        ))
        .await
    });
    assert_eq!(killed, 1);
    assert!(removed.is_err(), "{removed:?}");
    recording.execute("ROLLBACK").await.unwrap();
    assert_eq!(log.miscounted().await, 0);
    let after: BTreeSet<String> = everything(&log).await.into_iter().collect();
    let lost: Vec<&String> = before
        .iter()
        .filter(|line| !after.contains(*line))
        .collect();
    // The tokens that read it.
    assert!(
        lost.iter().all(|line| !line.contains("operation")),
        "{lost:?}"
    );
    let _undisturbed = undisturbed(&log).await;
    assert_eq!(log.pieces().await[..2], [1_500, 1_500]);
    assert_eq!(log.miscounted().await, 0);
}

#[tokio::test]
async fn who_keeps_longer_again_records_in_a_month_that_was_dropped() {
    only_postgres!();
    only_one_node!();
    let log = shortened().await;
    // Another server, which knows the partitions that were there.
    let second = store::Store::open(Log::options(&log.folder, &log.clock))
        .await
        .unwrap();
    log.keep(GROWTH, Retention::Years(1)).await;
    let record = async |n: usize| {
        let grant = log.token(GROWTH).await;
        let door = Door::token(&grant, Redaction::On).unwrap();
        let admitted = second.admit(&door, happened("2025-12", n)).unwrap();
        second.record(vec![admitted]).await.unwrap()
    };
    record(2_001).await;
    assert_eq!(
        log.remove_partition(DECEMBER).await,
        Some(0),
        "what came since is not covered"
    );
    log.keep(GROWTH, Retention::Days(90)).await;
    log.pieces().await;
    log.release_all().await;
    assert_eq!(log.pieces().await, [1]);
    assert!(!log.has_partition(DECEMBER).await);
    log.keep(GROWTH, Retention::Years(1)).await;
    let receipts = record(2_002).await;
    assert!(
        matches!(receipts[..], [Receipt::Recorded(_)]),
        "{receipts:?}"
    );
    assert!(log.has_partition(DECEMBER).await);
    second.close().await;
}

/// What the documentation says: docs/postgresql.md.
const LOCKS: i64 = 700;

#[tokio::test]
async fn the_widest_question_takes_no_more_locks_than_is_said() {
    only_postgres!();
    only_one_node!();
    let log = Log::new().await;
    let grant = log.token(GROWTH).await;
    log.record(&grant, vec![happened("2026-05", 12)]).await;
    // A log that has been in each class, each with all partitions that there ever are at a time.
    let mut connection = log.connection().await;
    for (class, days) in [
        (31, 62),
        (92, 123),
        (366, 397),
        (1_100, 1_131),
        (3_700, 3_731),
        (0, 2_400),
    ] {
        let add = format!(
            "SELECT add_partition({class}::SMALLINT, {} + day * 86400000000) \
             FROM generate_series(-{days}, 31, 15) day",
            time(BEGINNING).micros()
        );
        connection.execute(AssertSqlSafe(add)).await.unwrap();
        let class = format!("INSERT INTO log_class VALUES (1, 1, {class}) ON CONFLICT DO NOTHING");
        connection.execute(AssertSqlSafe(class)).await.unwrap();
    }
    let scope = grant.read_scope().unwrap();
    let mut state = log.store.snapshot(&scope).await.unwrap();
    for question in [
        "actor=assistant",
        "target_kind=user&sort=actor",
        "q=kim",
        "via_id=agt_0",
    ] {
        // Often enough for plans that are kept.
        for _ in 0..8 {
            let query = asked(question);
            assert_eq!(
                state.page(&query).await.unwrap().events.len(),
                1,
                "{question}"
            );
            state.count(&query).await.unwrap();
        }
    }
    let locks = log
        .number(
            "SELECT max(locks) FROM (SELECT count(*) AS locks FROM pg_locks l \
                 JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() \
                 WHERE l.pid <> pg_backend_pid() GROUP BY l.pid) each",
        )
        .await;
    state.end().await;
    assert!(locks > LOCKS / 2, "{locks}");
    assert!(locks <= LOCKS, "{locks}");
}

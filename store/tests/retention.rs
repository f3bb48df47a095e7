//! Retention: what has expired goes, under a release, and nothing else does.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    event::{Event, NewEvent, Source},
    question::{Filter, Query},
    retention::{Plan, Retention},
    slug::WorkspacePath,
    time::Timestamp,
};
use log::{Log, event, limit, object, operator, time, user};
use proptest::prelude::*;
use sqlx::{Connection, SqliteConnection};
use std::collections::BTreeMap;
use store::{
    administration::By,
    discard_index,
    question::Count,
    recording::Door,
    retention::{ExpiringLog, Occasion, Released, Removal},
    settings::SettingsChange,
};

fn growth() -> WorkspacePath {
    "acme/growth".parse().unwrap()
}

impl Log {
    async fn log_of(&self, path: &WorkspacePath) -> ExpiringLog {
        self.store.expiring_log(path).await.unwrap().unwrap()
    }

    /// Sets how long a workspace keeps its events, at once.
    async fn keep(&self, path: &WorkspacePath, retention: Retention) {
        let scope = self.store.operator_settings(path).await.unwrap().unwrap();
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

    async fn release(&self, path: &WorkspacePath) -> Released {
        let log = self.log_of(path).await;
        self.store
            .release(&log, Occasion::Asked, &operator())
            .await
            .unwrap()
    }

    /// Through which events are brought in as they occurred, under what holds now.
    async fn door(&self, path: &WorkspacePath) -> Door {
        let workspace = self.store.workspace(path).await.unwrap().unwrap();
        self.store.import_door(&workspace).await.unwrap()
    }

    /// Removes all that may be removed; how many events that was.
    async fn remove_all(&self) -> u64 {
        let mut removed = 0;
        loop {
            match self.store.remove_some().await.unwrap() {
                Removal::Some { events, .. } => removed += events,
                Removal::Erased { .. } => panic!("nothing is to be erased"),
                Removal::Nothing => return removed,
                Removal::Elsewhere => panic!("this process keeps the index"),
            }
        }
    }

    /// What somebody may read, by number: with what its sender called it.
    async fn whole(&self, place: &str) -> BTreeMap<u64, Event> {
        let scope = self.scope(place).await;
        let events = self.walk(&scope, &limit(500)).await;
        events.into_iter().map(|event| (event.seq, event)).collect()
    }

    async fn raw(&self, file: &str) -> SqliteConnection {
        let path = self.folder.path().join(file);
        SqliteConnection::connect(&format!("sqlite:{}", path.display()))
            .await
            .unwrap()
    }

    /// Kept up to date or made anew, the index is the same. PostgreSQL's own needs no check; but what
    /// is counted there is what there is.
    async fn check_index(self) {
        if log::postgres().is_some() {
            assert_eq!(self.miscounted().await, 0);
            return;
        }
        let kept = self.index().await;
        assert!(!kept["by_time"].is_empty() && !kept["count_pair"].is_empty());
        let Self {
            store,
            clock,
            folder,
        } = self;
        store.close().await;
        discard_index(&Self::options(&folder, &clock)).unwrap();
        let store = store::Store::open(Self::options(&folder, &clock))
            .await
            .unwrap();
        store.wait_for_index(|_, _| ()).await.unwrap();
        let log = Self {
            store,
            clock,
            folder,
        };
        let anew = log.index().await;
        for (table, rows) in kept {
            // Of what a release has not ended with, the counts stand at nothing.
            let counted = |rows: &[String]| -> Vec<String> {
                let counted = rows.iter().filter(|row| !row.ends_with(",0,0]"));
                counted.cloned().collect()
            };
            assert_eq!(counted(&rows), counted(&anew[&table]), "{table}");
        }
    }

    /// Every row of the index, each as text, by its table.
    async fn index(&self) -> BTreeMap<String, Vec<String>> {
        self.store.wait_for_index(|_, _| ()).await.unwrap();
        let mut index = self.raw("daybook.db.index").await;
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sqlite_schema WHERE type = 'table' \
             AND (name LIKE 'by_%' OR name LIKE 'count_%')",
        )
        .fetch_all(&mut index)
        .await
        .unwrap();
        let mut all = BTreeMap::new();
        for table in tables {
            let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
                .bind(&table)
                .fetch_all(&mut index)
                .await
                .unwrap();
            let shown = columns
                .iter()
                .map(|name| format!("iif(typeof({name}) = 'blob', hex({name}), {name})"));
            let shown = shown.collect::<Vec<_>>().join(", ");
            let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "SELECT json_array({shown}) FROM {table} ORDER BY {}",
                columns.join(", ")
            )))
            .fetch_all(&mut index)
            .await
            .unwrap();
            all.insert(table, rows);
        }
        all
    }
}

/// An event that occurred so many days before the tests' clock begins.
fn days_ago(days: i64, number: usize) -> NewEvent {
    let at = time(log::BEGINNING).plus(-TimeDelta::days(days));
    let person = user(&format!("usr_{number}"), &format!("Person {number}"));
    let mut event = event(
        person,
        ["MEMBER_ADDED", "secret:rotate"][number % 2],
        object(
            "secret",
            &format!("sec_{number}"),
            &format!("Secret {number}"),
        ),
        &at.to_string(),
    );
    event.via = vec![user(&format!("agt_{number}"), &format!("Agent {number}"))];
    event.related = vec![object("user", &format!("rel_{number}"), "Kim Berg")];
    event.operation = Some(format!("operation {number}"));
    event.idempotency_key = Some(format!("key {number}"));
    event.description = Some(format!("{days}"));
    event
}

#[tokio::test]
async fn what_has_expired_goes_and_its_leaf_stays() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    let old: Vec<_> = (0..30)
        .zip(0..)
        .map(|(n, number)| days_ago(100 + n, number))
        .collect();
    let new: Vec<_> = (30..40)
        .zip(30..)
        .map(|(n, number)| days_ago(n, number))
        .collect();
    log.record(&grant, old).await;
    log.record(&grant, new).await;
    let before = log.whole("acme/growth").await;
    let leaves = log.number("SELECT count(*) FROM leaf").await;

    log.keep(&growth(), Retention::Days(90)).await;
    let Released::Made(release, retention) = log.release(&growth()).await else {
        panic!("30 events have expired");
    };
    assert_eq!((release.events, retention), (30, Retention::Days(90)));
    assert_eq!(log.remove_all().await, 30);
    assert!(log.store.is_finished(&release).await.unwrap());

    let after = log.whole("acme/growth").await;
    let gone: Vec<_> = before
        .keys()
        .filter(|seq| !after.contains_key(seq))
        .collect();
    assert_eq!(gone.len(), 30);
    for (seq, event) in &before {
        let expired = event.occurred_at < release.before;
        assert_eq!(after.contains_key(seq), !expired, "{event:?}");
    }
    let told = after
        .values()
        .find(|event| event.action.as_str() == "AUDIT_EVENTS_EXPIRED");
    let told = told.unwrap();
    assert_eq!(told.source, Some(Source::Daybook));
    assert_eq!(
        serde_json::to_value(told.after.as_ref().unwrap()).unwrap(),
        serde_json::json!({
            "deleted": 30, "occurred_before": release.before.to_string(), "retention": "90d"
        })
    );
    // Three more: settings changed once, the release, and the token that read it all.
    assert!(log.number("SELECT count(*) FROM leaf").await > leaves);
    assert_eq!(
        log.number(&format!(
            "SELECT count(*) FROM leaf WHERE {0} NOT IN (SELECT {0} FROM content)",
            log::n()
        ))
        .await,
        30
    );
}

#[tokio::test]
async fn nothing_of_it_is_left_in_the_log_or_the_index() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..5).map(|n| days_ago(100, n)).collect())
        .await;
    // Somebody who also did something lately keeps their name.
    log.record(
        &grant,
        vec![NewEvent {
            idempotency_key: None,
            ..days_ago(1, 2)
        }],
    )
    .await;
    log.keep(&growth(), Retention::Days(90)).await;
    log.release(&growth()).await;
    assert_eq!(log.remove_all().await, 5);
    let count = async |what: &str| log.number(what).await;
    assert_eq!(
        count("SELECT count(*) FROM actor WHERE name LIKE 'Person %'").await,
        1
    );
    assert_eq!(
        count("SELECT count(*) FROM actor WHERE name LIKE 'Agent %'").await,
        1
    );
    assert_eq!(
        count("SELECT count(*) FROM actor WHERE email LIKE 'person%'").await,
        1
    );
    assert_eq!(
        count("SELECT count(*) FROM target WHERE name LIKE 'Secret %'").await,
        1
    );
    assert_eq!(
        count("SELECT count(*) FROM target WHERE id LIKE 'rel_%'").await,
        1
    );

    log.check_index().await;
}

#[tokio::test]
async fn who_acts_again_after_their_entries_are_gone_is_named() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, vec![days_ago(100, 1), days_ago(100, 2)])
        .await;
    // Whoever looked meanwhile knows their names.
    log.whole("acme/growth").await;
    log.keep(&growth(), Retention::Days(90)).await;
    log.release(&growth()).await;
    assert_eq!(log.remove_all().await, 2);
    log.record(&grant, vec![days_ago(1, 2), days_ago(1, 3), days_ago(1, 1)])
        .await;
    for person in ["Person 1", "Person 2", "Person 3"] {
        let question = Query {
            filter: Filter {
                actor: Some(person.into()),
                ..Filter::default()
            },
            ..Query::default()
        };
        let scope = log.scope("acme/growth").await;
        let found = log.walk(&scope, &question).await;
        assert_eq!(found.len(), 1, "{person}");
        assert_eq!(found[0].actor.actor.name.as_deref(), Some(person));
        let target = found[0].target.name.clone().unwrap();
        assert_eq!(target.replace("Secret", "Person"), person);
    }
    // And so it is when the log is opened again.
    let log = log.reopened().await;
    let names: Vec<_> = log
        .whole("acme/growth")
        .await
        .into_values()
        .filter(|event| event.source.is_none())
        .map(|event| event.actor.actor.name.unwrap())
        .collect();
    assert_eq!(names, ["Person 2", "Person 3", "Person 1"]);
}

#[tokio::test]
async fn a_key_may_come_again_when_its_event_is_gone() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    let first = log.record(&grant, vec![days_ago(100, 1)]).await;
    let again = log.record(&grant, vec![days_ago(100, 1)]).await;
    assert!(
        matches!(again[..], [store::recording::Receipt::Duplicate(_)]),
        "{first:?}"
    );
    log.keep(&growth(), Retention::Days(90)).await;
    log.release(&growth()).await;
    log.remove_all().await;
    let anew = log.record(&grant, vec![days_ago(1, 1)]).await;
    assert!(matches!(anew[..], [store::recording::Receipt::Recorded(_)]));
}

#[tokio::test]
async fn what_judges_others_never_expires() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Days(30)).await;
    log.keep(&growth(), Retention::Days(90)).await;
    let kept: Vec<u64> = log
        .whole("acme/growth")
        .await
        .into_iter()
        .filter(|(_, event)| {
            ["WORKSPACE_CREATED", "AUDIT_RETENTION_UPDATED"].contains(&event.action.as_str())
        })
        .map(|(seq, _)| seq)
        .collect();
    assert_eq!(kept.len(), 3);
    log.clock.set(time("2031-01-01T00:00:00Z"));
    let Released::Made(first, _) = log.release(&growth()).await else {
        panic!("tokens were made long ago")
    };
    log.remove_all().await;
    log.token("acme/growth").await;
    log.clock.set(time("2036-01-01T00:00:00Z"));
    log.release(&growth()).await;
    log.remove_all().await;
    let left = log.whole("acme/growth").await;
    assert!(kept.iter().all(|seq| left.contains_key(seq)));
    let expired = left
        .values()
        .filter(|event| event.action.as_str() == "AUDIT_EVENTS_EXPIRED");
    assert_eq!(expired.count(), 2);
    assert!(first.events >= 1);
}

#[tokio::test]
async fn a_log_is_released_once_a_day_unless_somebody_asks() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..4).map(|n| days_ago(89, n)).collect())
        .await;
    let expiring = log.log_of(&growth()).await;
    let by = By::operator("tester");
    let daily = async || {
        log.store
            .release(&expiring, Occasion::Daily, &by)
            .await
            .unwrap()
    };
    assert_eq!(daily().await, Released::Nothing);
    log.clock.set(time("2026-05-13T10:00:00Z"));
    let Released::Made(release, _) = daily().await else {
        panic!("four have expired")
    };
    assert_eq!(daily().await, Released::Unfinished(release));
    log.remove_all().await;
    assert_eq!(daily().await, Released::TooSoon);
    assert_eq!(log.release(&growth()).await, Released::Nothing);
    log.clock.set(time("2026-05-14T10:00:00Z"));
    assert_eq!(daily().await, Released::Nothing);
}

#[tokio::test]
async fn nothing_is_deleted_while_a_legal_hold_stands() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..6_000).map(|n| days_ago(100, n)).collect())
        .await;
    log.keep(&growth(), Retention::Days(90)).await;
    let Released::Made(release, _) = log.release(&growth()).await else {
        panic!("expired")
    };
    let Removal::Some { events, .. } = log.store.remove_some().await.unwrap() else {
        panic!("there is something to remove")
    };
    assert!(events > 0 && events < 6_000);
    let place = "INSERT INTO hold (id, workspace, reason, placed_by, placed_at) \
         SELECT coalesce(max(id), 0) + 1, 1, 'case 12', 'Ingrid', 0 FROM hold";
    log.execute(place).await;
    // A release that was begun is suspended, and none is made.
    assert_eq!(log.store.remove_some().await.unwrap(), Removal::Nothing);
    assert_eq!(log.release(&growth()).await, Released::Unfinished(release));
    let left = log.whole("acme/growth").await;
    let left = left.values().filter(|event| event.source.is_none()).count();
    assert_eq!(left as u64, 6_000 - events);
    // The tenant's own log is held with it.
    log.clock.set(time("2040-01-01T00:00:00Z"));
    for log_of in log.store.expiring_logs().await.unwrap() {
        let name = log_of.to_string();
        let released = log
            .store
            .release(&log_of, Occasion::Asked, &operator())
            .await
            .unwrap();
        let expected = match name.as_str() {
            "acme/growth" => released == Released::Unfinished(release),
            "acme" => released == Released::Held,
            _ => true,
        };
        assert!(expected, "{name}: {released:?}");
    }
    let lift = "UPDATE hold SET lifted_at = 1, lifted_by = 'Ingrid', lifted_reason = 'settled'";
    log.execute(lift).await;
    assert!(log.remove_all().await >= 6_000 - events);
    assert!(log.store.is_finished(&release).await.unwrap());
    // With their names, though they are many.
    let names = "SELECT (SELECT count(*) FROM actor WHERE name LIKE 'Person %' OR name LIKE 'Agent %') \
        + (SELECT count(*) FROM target WHERE name LIKE 'Secret %' OR id LIKE 'rel_%')";
    assert_eq!(log.number(names).await, 0);
}

/// Until a vacuum PostgreSQL still meets what was deleted: nothing of it is looked at again.
#[tokio::test]
async fn a_removal_goes_on_where_the_last_batch_ended() {
    only_postgres!();
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    // Many at one moment, and in no order; in a month of which not everything has expired.
    let days = |n: usize| 91 + i64::try_from(n * 7 % 10).unwrap();
    log.record(&grant, (0..2_500).map(|n| days_ago(days(n), n)).collect())
        .await;
    log.keep(&growth(), Retention::Days(90)).await;
    log.release(&growth()).await;
    let reached = async || -> (i64, i64) {
        let places = log
            .rows("SELECT reached_at, reached_seq FROM release")
            .await;
        places[0]
    };
    for left in [1_500, 500, 0] {
        let before = reached().await;
        let Removal::Some { events, .. } = log.store.remove_some().await.unwrap() else {
            panic!("there is something to remove")
        };
        assert!(events > 0);
        let (at, seq) = reached().await;
        assert!((at, seq) > before);
        let count = async |which: &str| {
            log.number(&format!(
                "SELECT count(*) FROM content WHERE ws = 1 AND source IS NULL \
                 AND (at, seq) {which} ({at}, {seq})"
            ))
            .await
        };
        assert_eq!((count("<=").await, count(">").await), (0, left));
        let leaf = format!("SELECT count(*) FROM leaf WHERE occurred_at = {at} AND seq = {seq}");
        assert_eq!(log.number(&leaf).await, 1);
    }
    assert_eq!(log.remove_all().await, 0);
    log.check_index().await;
}

#[tokio::test]
async fn of_two_processes_one_removes_until_it_is_done_or_gone() {
    only_postgres!();
    let log = Log::new().await;
    let open = async || store::Store::open(Log::options(&log.folder, &log.clock)).await;
    let second = open().await.unwrap();
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..3_500).map(|n| days_ago(100, n)).collect())
        .await;
    log.keep(&growth(), Retention::Days(90)).await;
    let Released::Made(release, _) = log.release(&growth()).await else {
        panic!("expired")
    };
    let is_batch = |removal| matches!(removal, Removal::Some { events: 1_000, .. });
    assert!(is_batch(second.remove_some().await.unwrap()));
    assert_eq!(log.store.remove_some().await.unwrap(), Removal::Elsewhere);
    assert!(is_batch(second.remove_some().await.unwrap()));
    // It stops in the middle, and the other goes on.
    second.close().await;
    let second = open().await.unwrap();
    assert!(is_batch(log.store.remove_some().await.unwrap()));
    assert_eq!(second.remove_some().await.unwrap(), Removal::Elsewhere);
    // Whoever loses the connection loses the turn with it.
    log.execute(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks l \
         JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() \
         WHERE l.locktype = 'advisory'",
    )
    .await;
    let mut removed = 0;
    loop {
        match second.remove_some().await.unwrap() {
            Removal::Some { events, .. } => removed += events,
            Removal::Erased { .. } => panic!("nothing is to be erased"),
            Removal::Nothing => break,
            // The server is still ending the connection.
            Removal::Elsewhere => tokio::task::yield_now().await,
        }
    }
    assert_eq!(removed, 500);
    assert!(second.is_finished(&release).await.unwrap());
    let first = log.store.remove_some().await;
    assert!(first.is_err(), "{first:?}");
    assert_eq!(log.store.remove_some().await.unwrap(), Removal::Nothing);
    second.close().await;
    log.check_index().await;
}

#[tokio::test]
async fn the_database_refuses_to_delete_early() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, vec![days_ago(100, 1), days_ago(10, 2)])
        .await;
    let refused = async |statement: &str, why: &str| {
        let words = log.refused(statement).await;
        assert!(words.contains(why), "{statement}: {words}");
    };
    let make = |before: Timestamp| {
        let (columns, values) = if log::postgres().is_some() {
            ("tenant, ws, seq", "1, 1, max(seq)")
        } else {
            ("ws, n", "1, max(n)")
        };
        format!(
            "INSERT INTO release (id, {columns}, before, events) SELECT 1, {values}, {}, 0 FROM leaf",
            before.micros()
        )
    };
    let kept_from = Retention::Years(1)
        .keeps_from(time(log::BEGINNING))
        .unwrap();
    refused(
        &make(kept_from.plus(TimeDelta::microseconds(1))),
        "only what has expired",
    )
    .await;
    // Neither under a plan that keeps everything.
    let plan = Plan::new(Some(Retention::Forever), None).unwrap();
    log.store
        .set_plan(&"acme".parse().unwrap(), plan, &operator())
        .await
        .unwrap();
    refused(&make(kept_from), "only what has expired").await;
    log.store
        .set_plan(&"acme".parse().unwrap(), Plan::default(), &operator())
        .await
        .unwrap();
    // A release covers what it says, and no more.
    log.keep(&growth(), Retention::Days(90)).await;
    log.release(&growth()).await;
    let of = |days: i64| {
        format!(
            "DELETE FROM content WHERE {0} = (SELECT {0} FROM leaf WHERE occurred_at = {1})",
            log::n(),
            time(log::BEGINNING).plus(-TimeDelta::days(days)).micros()
        )
    };
    refused(&of(10), "append-only").await;
    refused(
        "UPDATE actor SET name = 'Somebody' WHERE num = 1",
        "append-only",
    )
    .await;
    refused("UPDATE release SET before = before + 1", "not changed").await;
    refused("DELETE FROM release", "append-only").await;
    // Triggers on a node see no release: there whoever is not carrying one out deletes nothing at all.
    if log.is_distributed().await {
        refused(&of(100), "append-only").await;
    } else {
        assert_eq!(log.execute(&of(100)).await, 1);
    }
    refused("DELETE FROM content WHERE keep", "append-only").await;
}

#[tokio::test]
async fn a_batch_that_only_the_index_lost_is_taken_over_again() {
    only_sqlite!();
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..10).map(|n| days_ago(100, n)).collect())
        .await;
    let before = log.index().await;
    let whole = log.whole("acme/growth").await.len();
    let Log {
        store,
        clock,
        folder,
    } = log;
    store.close().await;
    // As it is when the machine stops after the index's commit and before the log's.
    let path = folder.path().join("daybook.db.index");
    let mut index = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let mut log_file = SqliteConnection::connect(&format!(
        "sqlite:{}",
        folder.path().join("daybook.db").display()
    ))
    .await
    .unwrap();
    let gone: Vec<i64> =
        sqlx::query_scalar("SELECT n FROM content WHERE operation IS NOT NULL LIMIT 4")
            .fetch_all(&mut log_file)
            .await
            .unwrap();
    for n in &gone {
        sqlx::query("INSERT INTO removing (n) VALUES (?)")
            .bind(n)
            .execute(&mut index)
            .await
            .unwrap();
    }
    let list = gone
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",");
    for statement in [
        format!("DELETE FROM by_time WHERE n IN ({list})"),
        format!("DELETE FROM by_actor WHERE n IN ({list})"),
        format!("DELETE FROM by_action WHERE n IN ({list})"),
        format!("DELETE FROM by_kind WHERE n IN ({list})"),
        format!("DELETE FROM by_target WHERE n IN ({list})"),
        format!("DELETE FROM by_operation WHERE n IN ({list})"),
        format!("DELETE FROM by_key WHERE n IN ({list})"),
        "UPDATE mark SET removals = removals + 1".to_owned(),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&mut index)
            .await
            .unwrap();
    }
    drop((index, log_file));
    let store = store::Store::open(Log::options(&folder, &clock))
        .await
        .unwrap();
    let log = Log {
        store,
        clock,
        folder,
    };
    let after = log.index().await;
    for (table, rows) in before.iter().filter(|(table, _)| table.starts_with("by_")) {
        let kept: Vec<_> = rows
            .iter()
            .filter(|row| !after[table].contains(row))
            .collect();
        assert!(kept.is_empty(), "{table} lost {kept:?}");
    }
    assert!(log.whole("acme/growth").await.len() >= whole);
}

#[tokio::test]
async fn names_go_also_where_the_index_is_made_anew_before_a_release_ends() {
    only_sqlite!();
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..5).map(|n| days_ago(100, n)).collect())
        .await;
    log.keep(&growth(), Retention::Days(90)).await;
    log.release(&growth()).await;
    // All of it is removed; that nothing is left is found the next time.
    let removed = log.store.remove_some().await.unwrap();
    assert!(matches!(removed, Removal::Some { events: 5, .. }));
    let Log {
        store,
        clock,
        folder,
    } = log;
    store.close().await;
    discard_index(&Log::options(&folder, &clock)).unwrap();
    let store = store::Store::open(Log::options(&folder, &clock))
        .await
        .unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    let log = Log {
        store,
        clock,
        folder,
    };
    let named = "SELECT count(*) FROM actor WHERE name LIKE 'Person %' OR name LIKE 'Agent %'";
    assert_eq!(log.number(named).await, 10);
    assert_eq!(log.remove_all().await, 0);
    assert_eq!(log.number(named).await, 0);
    let unfinished = "SELECT count(*) FROM release WHERE finished_at IS NULL";
    assert_eq!(log.number(unfinished).await, 0);
}

#[tokio::test]
async fn what_was_counted_before_it_was_deleted_is_not_counted_on() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    // More than are counted one by one: what is kept in memory tells.
    let many = 10_050;
    let of = |days: i64, person: usize| NewEvent {
        idempotency_key: None,
        ..days_ago(days, person)
    };
    log.record(&grant, (0..many).map(|_| of(100, 1)).collect())
        .await;
    log.record(&grant, vec![of(10, 1)]).await;
    let question = Query {
        filter: Filter {
            actor: Some("Person 1".into()),
            ..Filter::default()
        },
        ..Query::default()
    };
    let before = log.store.count(&scope, &question).await.unwrap();
    assert_eq!(before, Count::MoreThan(10_000));
    log.keep(&growth(), Retention::Days(90)).await;
    log.release(&growth()).await;
    // Nobody looks until there is as much again.
    assert_eq!(log.remove_all().await, many);
    log.record(&grant, (0..many).map(|_| of(10, 2)).collect())
        .await;
    let after = log.store.count(&scope, &question).await.unwrap();
    assert_eq!(after, Count::Exactly(1));
}

#[tokio::test]
async fn what_is_imported_later_under_a_longer_retention_is_safe() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, vec![days_ago(100, 1)]).await;
    log.keep(&growth(), Retention::Days(90)).await;
    let Released::Made(..) = log.release(&growth()).await else {
        panic!("one has expired")
    };
    // Before it is carried out.
    log.keep(&growth(), Retention::Years(1)).await;
    log.record(&grant, vec![days_ago(200, 2)]).await;
    assert_eq!(log.remove_all().await, 1);
    let left = log.whole("acme/growth").await;
    let left: Vec<_> = left
        .values()
        .filter_map(|event| event.description.as_deref())
        .collect();
    assert!(left.contains(&"200") && !left.contains(&"100"), "{left:?}");
}

#[tokio::test]
async fn a_shorter_retention_says_beforehand_what_it_would_delete() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..7).map(|n| days_ago(100, n)).collect())
        .await;
    let scope = log
        .store
        .operator_settings(&growth())
        .await
        .unwrap()
        .unwrap();
    let would = async |retention| log.store.would_expire(&scope, retention).await.unwrap();
    let expiring = would(Retention::Days(90)).await.unwrap();
    assert_eq!(expiring.events, 7);
    // It holds in seven days.
    assert_eq!(expiring.from, time(log::BEGINNING).plus(TimeDelta::days(7)));
    assert_eq!(
        expiring.before,
        time(log::BEGINNING).plus(-TimeDelta::days(83))
    );
    assert_eq!(would(Retention::Days(120)).await.unwrap().events, 0);
    assert_eq!(would(Retention::Forever).await, None);
    // The plan's floor holds whatever is asked for.
    let plan = Plan::new(Some(Retention::Days(180)), None).unwrap();
    log.store
        .set_plan(&"acme".parse().unwrap(), plan, &operator())
        .await
        .unwrap();
    assert_eq!(would(Retention::Days(90)).await.unwrap().events, 0);
}

#[tokio::test]
async fn counts_choices_and_filters_follow() {
    let log = Log::new().await;
    log.keep(&growth(), Retention::Years(1)).await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..9).map(|n| days_ago(100, n)).collect())
        .await;
    let scope = log.scope("acme/growth").await;
    let members = Query {
        filter: Filter {
            action: vec!["MEMBER_ADDED".parse().unwrap()],
            ..Filter::default()
        },
        ..Query::default()
    };
    let mut snapshot = log.store.snapshot(&scope).await.unwrap();
    assert_eq!(snapshot.count(&members).await.unwrap(), Count::Exactly(5));
    let offers = snapshot.choices().await.unwrap().offered;
    assert!(offers.kinds.iter().any(|kind| kind.as_str() == "secret"));
    snapshot.end().await;
    log.keep(&growth(), Retention::Days(90)).await;
    log.release(&growth()).await;
    assert_eq!(log.remove_all().await, 9);
    let mut snapshot = log.store.snapshot(&scope).await.unwrap();
    assert_eq!(snapshot.count(&members).await.unwrap(), Count::Exactly(0));
    let offers = snapshot.choices().await.unwrap().offered;
    assert!(!offers.kinds.iter().any(|kind| kind.as_str() == "secret"));
    assert!(
        !offers
            .actions
            .iter()
            .any(|choice| choice.action.as_str() == "secret:rotate")
    );
    snapshot.end().await;
    assert!(log.walk(&scope, &members).await.is_empty());
}

/// One step of a log's life.
#[derive(Clone, Debug)]
enum Step {
    /// An application records events that occurred so many hours ago.
    Record {
        workspace: usize,
        hours_ago: Vec<u32>,
    },
    /// The operator sets a retention, to hold at once.
    Keep {
        workspace: usize,
        retention: Retention,
    },
    /// An owner asks for one.
    Ask {
        workspace: usize,
        retention: Retention,
    },
    Plan {
        floor: Option<Retention>,
        cap: Option<Retention>,
    },
    /// So many hours pass.
    Wait(u32),
    Hold {
        workspace: usize,
    },
    Lift {
        workspace: usize,
    },
    /// What has expired is released, and so many batches of it are removed.
    Run {
        batches: usize,
    },
    Reopen,
}

fn retentions() -> impl Strategy<Value = Retention> {
    prop_oneof![
        (1_u16..20).prop_map(Retention::Days),
        Just(Retention::Days(90)),
        Just(Retention::Years(1)),
        Just(Retention::Forever),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bound = || prop::option::weighted(0.4, retentions());
    let step = prop_oneof![
        6 => (0..2_usize, prop::collection::vec(0_u32..600, 1..8))
            .prop_map(|(workspace, hours_ago)| Step::Record { workspace, hours_ago }),
        2 => (0..2_usize, retentions())
            .prop_map(|(workspace, retention)| Step::Keep { workspace, retention }),
        2 => (0..2_usize, retentions())
            .prop_map(|(workspace, retention)| Step::Ask { workspace, retention }),
        1 => (bound(), bound()).prop_map(|(floor, cap)| Step::Plan { floor, cap }),
        4 => (1_u32..1_000).prop_map(Step::Wait),
        1 => (0..2_usize).prop_map(|workspace| Step::Hold { workspace }),
        1 => (0..2_usize).prop_map(|workspace| Step::Lift { workspace }),
        6 => prop_oneof![Just(0_usize), Just(1), Just(50)].prop_map(|batches| Step::Run { batches }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 4..24)
}

/// What must be there, worked out anew from what was done.
struct Model {
    /// Every event whose content is there: its log, when it occurred, and whether it never expires.
    there: BTreeMap<i64, (i64, Timestamp, bool)>,
    /// How long each workspace keeps its events, and what waits from when.
    kept: [(Retention, Option<(Retention, Timestamp)>); 2],
    plan: Plan,
    held: [bool; 2],
    /// Releases that are not finished: their log, what they cover, and whether that is gone.
    releases: Vec<(i64, Timestamp, i64)>,
}

/// The logs of the model: the tenant's own, and those of its two workspaces, as they are named.
const LOGS: [(i64, &str); 3] = [(-1, "acme"), (1, "acme/growth"), (2, "acme/revenue")];

impl Model {
    fn kept_from(&self, ws: i64, now: Timestamp) -> Option<Timestamp> {
        let of = |(set, waiting): &(Retention, Option<(Retention, Timestamp)>)| {
            let due = waiting
                .filter(|(_, from)| *from <= now)
                .map(|(retention, _)| retention);
            self.plan.holds(due.unwrap_or(*set)).keeps_from(now)
        };
        match ws {
            // None keeps everything, and comes before any moment.
            -1 => self.kept.iter().map(of).min().flatten(),
            ws => of(&self.kept[usize::try_from(ws).unwrap() - 1]),
        }
    }

    fn is_held(&self, ws: i64) -> bool {
        match ws {
            -1 => self.held.contains(&true),
            ws => self.held[usize::try_from(ws).unwrap() - 1],
        }
    }

    fn release(&mut self, ws: i64, head: i64, now: Timestamp) {
        if self.is_held(ws) || self.releases.iter().any(|(of, ..)| *of == ws) {
            return;
        }
        let Some(before) = self.kept_from(ws, now) else {
            return;
        };
        let expired = |(of, at, keep): &(i64, Timestamp, bool)| *of == ws && *at < before && !keep;
        if self.there.values().any(expired) {
            self.releases.push((ws, before, head));
        }
    }

    /// Carries releases out, all of them, or a step of the first.
    fn carry_out(&mut self, all: bool) {
        let held = self.held;
        let is_held = |ws: i64| match ws {
            -1 => held.contains(&true),
            ws => held[usize::try_from(ws).unwrap() - 1],
        };
        let free = self.releases.iter().filter(|(ws, ..)| !is_held(*ws));
        let carried: Vec<_> = free
            .take(if all { usize::MAX } else { 1 })
            .copied()
            .collect();
        for (ws, before, head) in carried {
            let is_covered = |n: i64, (of, at, keep): &(i64, Timestamp, bool)| {
                *of == ws && !*keep && *at < before && n <= head
            };
            let is_gone = !self.there.iter().any(|(n, event)| is_covered(*n, event));
            self.there.retain(|n, event| !is_covered(*n, event));
            // What is left of a release is found to be nothing the time after.
            if all || is_gone {
                self.releases.retain(|(of, ..)| *of != ws);
            }
        }
    }
}

impl Model {
    /// Follows one step of carrying releases out on PostgreSQL, which takes what has expired of several
    /// logs at once where that is a whole partition.
    async fn follow(&mut self, log: &Log) {
        let there = contents(log).await;
        let unfinished: Vec<(i64,)> = log
            .rows("SELECT ws FROM release WHERE finished_at IS NULL")
            .await;
        let free: Vec<_> = self
            .releases
            .iter()
            .filter(|(ws, ..)| !self.is_held(*ws))
            .copied()
            .collect();
        let covers = |(of_ws, before, head): &(i64, Timestamp, i64), n: i64| {
            let (ws, at, keep) = self.there[&n];
            ws == *of_ws && !keep && at < *before && n <= *head
        };
        let gone: Vec<i64> = self
            .there
            .keys()
            .filter(|n| !there.contains_key(n))
            .copied()
            .collect();
        for n in &gone {
            assert!(
                free.iter().any(|release| covers(release, *n)),
                "{n} is not covered"
            );
        }
        let is_left = |release| there.keys().any(|n| covers(release, *n));
        assert!(
            !gone.is_empty() || !free.first().is_some_and(is_left),
            "something goes with each step"
        );
        let is_unfinished = |ws: i64| unfinished.contains(&(ws,));
        for release in &self.releases {
            assert!(
                is_unfinished(release.0) || !is_left(release),
                "{release:?} has not ended"
            );
        }
        self.releases.retain(|(ws, ..)| is_unfinished(*ws));
        self.there = there;
    }
}

async fn contents(log: &Log) -> BTreeMap<i64, (i64, Timestamp, bool)> {
    let rows: Vec<(i64, i64, i64, bool)> = log
        .rows(&format!(
            "SELECT l.{0}, l.ws, l.occurred_at, c.keep FROM leaf l JOIN content c ON {1}",
            log::n(),
            log::same("c", "l")
        ))
        .await;
    let row = |(n, ws, at, keep)| (n, (ws, Timestamp::from_micros(at), keep));
    rows.into_iter().map(row).collect()
}

async fn live(steps: Vec<Step>) {
    let mut log = Log::new().await;
    let workspaces = ["acme/growth", "acme/revenue"];
    let paths = workspaces.map(|path| path.parse::<WorkspacePath>().unwrap());
    let scopes = [
        log.scope(workspaces[0]).await,
        log.scope(workspaces[1]).await,
    ];
    let days = (Retention::DEFAULT, None);
    let mut model = Model {
        there: BTreeMap::new(),
        kept: [days, days],
        plan: Plan::default(),
        held: [false; 2],
        releases: Vec::new(),
    };
    let mut now = time(log::BEGINNING);
    let mut head = 0;
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Record {
                workspace,
                hours_ago,
            } => {
                let ws = i64::try_from(workspace).unwrap() + 1;
                let kept_from = model.kept_from(ws, now);
                let door = log.door(&paths[workspace]).await;
                for (at, hours) in hours_ago.into_iter().enumerate() {
                    let occurred = now.plus(-TimeDelta::hours(hours.into()));
                    let mut event = days_ago(0, number * 10 + at);
                    event.occurred_at = Some(occurred);
                    let admitted = log.store.admit(&door, event);
                    let is_late = kept_from.is_some_and(|from| occurred < from);
                    assert_eq!(admitted.is_err(), is_late, "nothing is taken to be deleted");
                    if let Ok(admitted) = admitted {
                        log.store.record(vec![admitted]).await.unwrap();
                    }
                }
            }
            Step::Keep {
                workspace,
                retention,
            } => {
                log.keep(&paths[workspace], retention).await;
                model.kept[workspace] = (retention, None);
            }
            Step::Ask {
                workspace,
                retention,
            } => {
                let scope = log
                    .store
                    .operator_settings(&paths[workspace])
                    .await
                    .unwrap()
                    .unwrap();
                let change = SettingsChange {
                    retention: Some(retention),
                    ..SettingsChange::default()
                };
                log.store
                    .change_settings(&scope, change, &operator())
                    .await
                    .unwrap();
                let (set, waiting) = &mut model.kept[workspace];
                if let Some((due, _)) = waiting.take_if(|(_, from)| *from <= now) {
                    *set = due;
                }
                if retention >= *set {
                    (*set, *waiting) = (retention, None);
                } else if waiting.is_none_or(|(asked, _)| asked != retention) {
                    *waiting = Some((retention, now.plus(TimeDelta::days(7))));
                }
            }
            Step::Plan { floor, cap } => {
                if let Ok(plan) = Plan::new(floor, cap) {
                    log.store
                        .set_plan(&"acme".parse().unwrap(), plan, &operator())
                        .await
                        .unwrap();
                    model.plan = plan;
                }
            }
            Step::Wait(hours) => {
                now = now.plus(TimeDelta::hours(hours.into()));
                log.clock.set(now);
            }
            Step::Hold { workspace } => {
                if !model.held[workspace] {
                    let id = workspace + 1;
                    log.execute(&format!(
                        "INSERT INTO hold (id, workspace, reason, placed_by, placed_at) \
                         SELECT coalesce(max(id), 0) + 1, {id}, 'case', 'Ingrid', 0 FROM hold"
                    ))
                    .await;
                    model.held[workspace] = true;
                }
            }
            Step::Lift { workspace } => {
                let id = workspace + 1;
                log.execute(&format!(
                    "UPDATE hold SET lifted_at = 1, lifted_by = 'Ingrid', \
                     lifted_reason = 'settled' WHERE workspace = {id} AND lifted_at IS NULL"
                ))
                .await;
                model.held[workspace] = false;
            }
            Step::Run { batches } => {
                for (ws, name) in LOGS {
                    // What was recorded since is known by now, the releases' own events included.
                    let there = contents(&log).await;
                    model
                        .there
                        .extend(there.into_iter().filter(|(n, _)| *n > head));
                    head = log
                        .number(&format!("SELECT max({}) FROM leaf", log::n()))
                        .await;
                    model.release(ws, head + 1, now);
                    let logs = log.store.expiring_logs().await.unwrap();
                    let of = logs.iter().find(|of| of.to_string() == name).unwrap();
                    log.store
                        .release(of, Occasion::Asked, &operator())
                        .await
                        .unwrap();
                }
                let there = contents(&log).await;
                model
                    .there
                    .extend(there.into_iter().filter(|(n, _)| *n > head));
                head = log
                    .number(&format!("SELECT max({}) FROM leaf", log::n()))
                    .await;
                for _ in 0..batches {
                    log.store.remove_some().await.unwrap();
                }
                if batches == 1 && log::postgres().is_some() {
                    model.follow(&log).await;
                } else if batches > 0 {
                    model.carry_out(batches > 1);
                }
                assert_eq!(contents(&log).await, model.there);
            }
            Step::Reopen => log = log.reopened().await,
        }
    }
    // What can be read is what is there.
    for (ws, scope) in (1..).zip(&scopes) {
        let read = log.walk(scope, &limit(500)).await;
        let of_ws = contents(&log).await;
        assert_eq!(
            read.len(),
            of_ws.values().filter(|(of, ..)| *of == ws).count()
        );
    }
    log.check_index().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever is recorded, set, held and lifted, and whenever: exactly what must go goes.
    #[test]
    fn exactly_what_has_expired_goes(steps in steps()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(live(steps));
    }
}

/// What occurred in a month has expired whole, in all logs and then in one of them alone: on PostgreSQL it
/// goes at once.
#[tokio::test]
async fn what_expires_by_the_month_goes_as_exactly() {
    let record = |workspace, days_ago: [u32; 4]| Step::Record {
        workspace,
        hours_ago: days_ago.map(|days| days * 24).to_vec(),
    };
    let step = || Step::Run { batches: 1 };
    live(vec![
        record(0, [1, 12, 20, 40]),
        record(1, [2, 13, 21, 41]),
        // August: of April and earlier everything has expired.
        Step::Wait(100 * 24),
        Step::Hold { workspace: 1 },
        step(),
        step(),
        step(),
        Step::Lift { workspace: 1 },
        step(),
        step(),
        Step::Run { batches: 50 },
        record(0, [1, 30, 50, 80]),
        record(1, [1, 31, 51, 81]),
        Step::Keep {
            workspace: 1,
            retention: Retention::Days(3),
        },
        Step::Wait(300),
        Step::Run { batches: 0 },
        Step::Keep {
            workspace: 0,
            retention: Retention::Days(3),
        },
        step(),
        step(),
        Step::Reopen,
        step(),
        record(0, [0, 1, 1, 2]),
        step(),
        step(),
        step(),
        Step::Run { batches: 50 },
    ])
    .await;
}

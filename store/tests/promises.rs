//! What a log promises, whatever happens to it: nothing changes, nothing is lost, nothing comes
//! twice, and the index is never believed against the log.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    event::{Event, NewEvent, Source},
    leaf::{Salt, parts_hash},
    question::{Filter, Query},
    retention::{Plan, Retention},
};
use log::{Log, event, limit, object, operator, time, user};
use sqlx::{Connection, SqliteConnection};
use std::{collections::HashSet, time::Duration};
use store::{
    DatabaseUrl, Options, Readiness, Store,
    access::TokenGrant,
    discard_index,
    question::Count,
    recording::{Door, Receipt, Redaction},
    settings::SettingsChange,
};

const AT: &str = "2026-05-12T08:00:00Z";

fn some_event(number: usize) -> NewEvent {
    let person = user(
        &format!("usr_{}", number % 3),
        ["Alex Kim", "Priya Raman", "Åse"][number % 3],
    );
    let mut event = event(
        person,
        ["MEMBER_ADDED", "secret:rotate"][number % 2],
        object("secret", &format!("sec_{}", number % 5), "SALESFORCE"),
        AT,
    );
    event.via = vec![user("agt_1", "Assistant")];
    event.related = vec![object("user", "usr_9", "Kim Berg")];
    event.after = serde_json::json!({"version": number, "password": "hunter2"})
        .as_object()
        .cloned();
    event
}

fn with_key(number: usize) -> NewEvent {
    NewEvent {
        idempotency_key: Some(format!("key-{number}")),
        ..some_event(number)
    }
}

async fn raw(log: &Log, file: &str) -> SqliteConnection {
    let path = log.folder.path().join(file);
    SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap()
}

fn seqs(receipts: &[Receipt]) -> Vec<u64> {
    receipts
        .iter()
        .map(|receipt| match receipt {
            Receipt::Recorded(placed) | Receipt::Duplicate(placed) => placed.seq,
            Receipt::Discarded => 0,
        })
        .collect()
}

async fn all(log: &Log, grant: &TokenGrant) -> Vec<Event> {
    log.walk(&grant.read_scope().unwrap(), &limit(500)).await
}

#[tokio::test]
async fn the_database_refuses_to_change_remove_or_replace_what_was_recorded() {
    only_sqlite!();
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..4).map(some_event).collect()).await;
    let before = all(&log, &grant).await;
    let mut database = raw(&log, "daybook.db").await;
    for table in [
        "leaf", "content", "actor", "via", "action", "kind", "target", "related",
    ] {
        let rows: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
                .fetch_one(&mut database)
                .await
                .unwrap();
        assert!(rows > 0, "{table} holds something to refuse for");
        for statement in [
            format!("DELETE FROM {table}"),
            format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"),
            format!("REPLACE INTO {table} SELECT * FROM {table} ORDER BY 1 DESC, 2 DESC LIMIT 1"),
        ] {
            let refused = sqlx::query(sqlx::AssertSqlSafe(statement.clone()))
                .execute(&mut database)
                .await
                .unwrap_err();
            assert!(
                refused.to_string().contains("append-only"),
                "{statement}: {refused}"
            );
        }
        let first: String = sqlx::query_scalar("SELECT name FROM pragma_table_info(?) LIMIT 1")
            .bind(table)
            .fetch_one(&mut database)
            .await
            .unwrap();
        let statement = format!("UPDATE {table} SET {first} = {first}");
        let refused = sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&mut database)
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("append-only"),
            "{table}: {refused}"
        );
    }
    assert_eq!(all(&log, &grant).await, before);
}

/// On PostgreSQL the server may not even ask for it, and triggers refuse it to the tables' owner.
#[tokio::test]
async fn on_postgresql_nobody_changes_or_removes_what_was_recorded() {
    only_postgres!();
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..4).map(some_event).collect()).await;
    let before = all(&log, &grant).await;
    for table in [
        "leaf", "content", "actor", "via", "action", "kind", "target", "related",
    ] {
        let rows = log.number(&format!("SELECT count(*) FROM {table}")).await;
        assert!(rows > 0, "{table} holds something to refuse for");
        for statement in [
            format!("DELETE FROM {table}"),
            format!("UPDATE {table} SET tenant = tenant"),
        ] {
            let words = log.refused(&statement).await;
            assert!(words.contains("append-only"), "{statement}: {words}");
            let words = log
                .refused(&format!("SET ROLE daybook_server; {statement}"))
                .await;
            assert!(words.contains("permission denied"), "{statement}: {words}");
        }
        let words = log
            .refused(&format!("SET ROLE daybook_server; TRUNCATE {table}"))
            .await;
        assert!(words.contains("permission denied"), "{table}: {words}");
    }
    let gap = "INSERT INTO leaf SELECT tenant, seq + 2, decode(md5('x'), 'hex'), ws, occurred_at, \
         recorded_at, parts, class FROM leaf ORDER BY seq DESC LIMIT 1";
    // On a node of its own the database does not look at the leaf before.
    if !log.is_distributed().await {
        let words = log.refused(gap).await;
        assert!(words.contains("next number"), "{words}");
    }
    let twice = "INSERT INTO leaf SELECT tenant, seq + 1, id, ws, occurred_at, recorded_at, parts, \
         class FROM leaf ORDER BY seq DESC LIMIT 1";
    log.refused(twice).await;
    for statement in [
        "DELETE FROM entry",
        "DELETE FROM idempotency",
        "DROP TABLE content",
        "ALTER TABLE leaf DISABLE TRIGGER ALL",
    ] {
        let words = log
            .refused(&format!("SET ROLE daybook_server; {statement}"))
            .await;
        let is_refused = words.contains("permission denied") || words.contains("must be owner");
        assert!(is_refused, "{statement}: {words}");
    }
    assert_eq!(all(&log, &grant).await, before);
}

#[tokio::test]
async fn what_is_given_back_is_what_was_hashed() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..3).map(with_key).collect()).await;
    let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = log
        .rows(&format!(
            "SELECT l.seq, l.parts, c.salt FROM leaf l JOIN content c ON {} \
             WHERE l.ws > 0",
            log::same("c", "l")
        ))
        .await;
    let events = all(&log, &grant).await;
    assert!(
        events
            .iter()
            .any(|event| event.source == Some(Source::Daybook))
    );
    assert!(events.iter().any(|event| event.redacted == 1));
    for event in events {
        let row = rows
            .iter()
            .find(|row| u64::try_from(row.0) == Ok(event.seq))
            .unwrap();
        let salt = Salt(row.2.clone().try_into().unwrap());
        let mut said = NewEvent::new(event.actor.actor, event.action, event.target);
        said.idempotency_key = event.idempotency_key;
        said.via = event.via;
        said.related = event.related;
        said.operation = event.operation;
        said.outcome = event.outcome;
        said.description = event.description;
        said.before = event.before;
        said.after = event.after;
        said.metadata = event.metadata;
        said.context = event.context;
        assert_eq!(parts_hash(&said, event.source, &salt).0.to_vec(), row.1);
    }
}

#[tokio::test]
async fn an_idempotency_key_is_recorded_once_whenever_it_comes_again() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let first = log
        .record(&grant, vec![with_key(1), with_key(2), with_key(1)])
        .await;
    assert!(matches!(
        first[..],
        [Receipt::Recorded(one), Receipt::Recorded(_), Receipt::Duplicate(again)] if one == again
    ));
    let again = log.record(&grant, vec![with_key(2), with_key(3)]).await;
    assert!(matches!(
        again[..],
        [Receipt::Duplicate(_), Receipt::Recorded(_)]
    ));
    assert_eq!(seqs(&again)[0], seqs(&first)[1]);
    // The same key in another workspace is another key.
    let elsewhere = log.token("acme/revenue").await;
    assert!(matches!(
        log.record(&elsewhere, vec![with_key(1)]).await[..],
        [Receipt::Recorded(_)]
    ));

    let log = log.reopened().await;
    let late = log.record(&grant, vec![with_key(3)]).await;
    assert!(matches!(late[..], [Receipt::Duplicate(_)]));
}

#[tokio::test]
async fn numbers_have_no_gap_and_ids_rise_with_them() {
    let log = Log::new().await;
    let (growth, revenue) = (
        log.token("acme/growth").await,
        log.token("acme/revenue").await,
    );
    for number in 0..20 {
        let grant = if number % 3 == 0 { &revenue } else { &growth };
        log.record(grant, vec![with_key(number / 2), some_event(number)])
            .await;
    }
    let whole = log.token("acme").await;
    let mut events = all(&log, &whole).await;
    events.sort_by_key(|event| event.seq);
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    assert!(events.is_sorted_by(|one, next| one.id < next.id));
}

/// Answers to questions of every kind, for comparing.
async fn answers(log: &Log, grant: &TokenGrant) -> Vec<Vec<u64>> {
    let scope = grant.read_scope().unwrap();
    let mut answers = Vec::new();
    for question in [
        "",
        "actor=kim",
        "actor_id=usr_1",
        "via_id=agt_1",
        "action=secret:rotate",
        "q=sales",
        "target_kind=user",
        "target_id=sec_1",
        "sort=actor",
        "sort=action&order=desc",
        "verb=create",
        "sort=target_kind&actor=priya",
        "outcome=success",
    ] {
        let read = domain::question::Query::read(question, domain::question::Unknown::Refused);
        assert_eq!(read.faults, [], "{question}");
        answers.push(
            log.walk(&scope, &read.query)
                .await
                .iter()
                .map(|event| event.seq)
                .collect(),
        );
    }
    let mut snapshot = log.store.snapshot(&scope).await.unwrap();
    let choices = snapshot.choices().await.unwrap();
    answers.push(vec![choices.events]);
    answers.push(choices.categories.iter().map(|family| family.1).collect());
    let mut filters = Vec::new();
    filters.extend(choices.offered.actions.iter().map(|choice| Filter {
        action: vec![choice.action.clone()],
        ..Filter::default()
    }));
    filters.extend(choices.offered.kinds.iter().map(|kind| Filter {
        target_kind: vec![kind.clone()],
        ..Filter::default()
    }));
    let mut counts = Vec::new();
    for filter in filters {
        let query = Query {
            filter,
            ..Query::default()
        };
        match snapshot.count(&query).await.unwrap() {
            Count::Exactly(count) => counts.push(count),
            other => panic!("{other:?}"),
        }
    }
    answers.push(counts);
    snapshot.end().await;
    answers
}

#[tokio::test]
async fn an_index_made_anew_answers_as_the_one_before() {
    only_sqlite!();
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    for number in 0..30 {
        log.record(&grant, vec![some_event(number), with_key(number)])
            .await;
    }
    let before = answers(&log, &grant).await;
    log.store.close().await;
    discard_index(&Log::options(&log.folder, &log.clock)).unwrap();
    let Log { clock, folder, .. } = log;
    let store = Store::open(Log::options(&folder, &clock)).await.unwrap();
    store.wait_for_index(|_, _| {}).await.unwrap();
    let log = Log {
        store,
        clock,
        folder,
    };
    assert_eq!(answers(&log, &grant).await, before);
    // Keys are known again too.
    assert!(matches!(
        log.record(&grant, vec![with_key(3)]).await[..],
        [Receipt::Duplicate(_)]
    ));
}

#[tokio::test]
async fn an_index_that_does_not_agree_with_the_log_is_made_again() {
    only_sqlite!();
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..5).map(some_event).collect()).await;
    log.store.close().await;
    let path = |name: &str| log.folder.path().join(name);
    // A backup of the log alone is brought back after more was recorded.
    std::fs::copy(path("daybook.db"), path("backup.db")).unwrap();
    let log = log.reopened().await;
    log.record(&grant, (5..9).map(some_event).collect()).await;
    assert_eq!(
        all(&log, &grant)
            .await
            .iter()
            .filter(|event| event.source.is_none())
            .count(),
        9
    );
    log.store.close().await;
    let path = |name: &str| log.folder.path().join(name);
    std::fs::copy(path("backup.db"), path("daybook.db")).unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(path(&format!("daybook.db{ending}")));
    }
    let log = log.reopened().await;
    log.store.wait_for_index(|_, _| {}).await.unwrap();
    assert_eq!(
        all(&log, &grant)
            .await
            .iter()
            .filter(|event| event.source.is_none())
            .count(),
        5
    );
    let more = log.record(&grant, vec![some_event(20)]).await;
    assert!(matches!(more[..], [Receipt::Recorded(_)]));
    assert_eq!(
        all(&log, &grant)
            .await
            .iter()
            .filter(|event| event.source.is_none())
            .count(),
        6
    );
}

#[tokio::test]
async fn a_broken_index_is_made_again() {
    only_sqlite!();
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..5).map(some_event).collect()).await;
    let before = answers(&log, &grant).await;
    log.store.close().await;
    std::fs::write(
        log.folder.path().join("daybook.db.index"),
        b"not a database at all",
    )
    .unwrap();
    let log = log.reopened().await;
    log.store.wait_for_index(|_, _| {}).await.unwrap();
    assert_eq!(answers(&log, &grant).await, before);
}

#[tokio::test]
async fn two_processes_on_one_log_lose_nothing_and_double_nothing() {
    let mut log = Log::new().await;
    if log::postgres().is_some() {
        // What a database says of transactions is no business of theirs.
        log.execute(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = \
             ''repeatable read''', current_database()); END $$",
        )
        .await;
        log = log.reopened().await;
    }
    let grant = log.token("acme/growth").await;
    // The second keeps no index: the first has it.
    let second = Store::open(Log::options(&log.folder, &log.clock))
        .await
        .unwrap();
    let mut tasks = Vec::new();
    for sender in 0..4 {
        let store = if sender % 2 == 0 {
            log.store.clone()
        } else {
            second.clone()
        };
        let grant = grant.clone();
        tasks.push(tokio::spawn(async move {
            let door = Door::token(&grant, Redaction::On).unwrap();
            for round in 0..25 {
                // Every key is sent twice, by different processes.
                let events = (0..4).map(|at| with_key(round * 8 + (sender / 2) * 4 + at));
                let events = events
                    .map(|event| store.admit(&door, event).unwrap())
                    .collect();
                store.record(events).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    for store in [&log.store, &second] {
        let scope = grant.read_scope().unwrap();
        let mut keys = Vec::new();
        let mut query = limit(500);
        loop {
            let page = store.page(&scope, &query).await.unwrap();
            keys.extend(
                page.events
                    .into_iter()
                    .filter_map(|event| event.idempotency_key),
            );
            let Some(cursor) = page.older else { break };
            query = query.at(cursor);
        }
        assert_eq!(keys.len(), 200, "each key is there");
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 200, "and once");
    }
    second.close().await;
    assert_eq!(log.store.readiness().await, Readiness::Ready);
}

#[tokio::test]
async fn while_recording_is_off_what_is_sent_is_counted_and_gone() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let path = "acme/growth".parse().unwrap();
    let settings = log.store.operator_settings(&path).await.unwrap().unwrap();
    let switch = |on| SettingsChange {
        recording: Some(on),
        ..SettingsChange::default()
    };
    log.store
        .change_settings(&settings, switch(false), &operator())
        .await
        .unwrap();
    let receipts = log.record(&grant, (0..3).map(some_event).collect()).await;
    assert_eq!(receipts, [Receipt::Discarded; 3]);
    assert_eq!(log.store.settings(&settings).await.unwrap().discarded, 3);
    // The other workspace records on.
    let elsewhere = log.token("acme/revenue").await;
    assert!(matches!(
        log.record(&elsewhere, vec![some_event(1)]).await[..],
        [Receipt::Recorded(_)]
    ));

    log.store
        .change_settings(&settings, switch(true), &operator())
        .await
        .unwrap();
    assert!(matches!(
        log.record(&grant, vec![some_event(1)]).await[..],
        [Receipt::Recorded(_)]
    ));
    let told = all(&log, &grant).await;
    let on = told
        .iter()
        .find(|event| {
            event.action.as_str() == "AUDIT_RECORDING_UPDATED"
                && event.after.as_ref().unwrap()["recording"] == true
        })
        .unwrap();
    assert_eq!(on.metadata.as_ref().unwrap()["discarded"], 3);
}

#[tokio::test]
async fn a_shorter_retention_waits_seven_days_and_can_be_cancelled() {
    let log = Log::new().await;
    let path = "acme/growth".parse().unwrap();
    let settings = log.store.operator_settings(&path).await.unwrap().unwrap();
    let keep = |retention, now| SettingsChange {
        retention: Some(retention),
        now,
        ..SettingsChange::default()
    };
    let change = async |change| {
        log.store
            .change_settings(&settings, change, &operator())
            .await
            .unwrap()
    };
    let longer = change(keep(Retention::Years(1), false)).await;
    assert_eq!(
        (longer.retention, longer.pending),
        (Retention::Years(1), None)
    );
    let shorter = change(keep(Retention::Days(30), false)).await;
    assert_eq!(shorter.effective, Retention::Years(1));
    assert_eq!(shorter.pending.unwrap().from, time("2026-05-19T09:00:00Z"));
    let cancelled = log
        .store
        .cancel_pending(&settings, &operator())
        .await
        .unwrap();
    assert_eq!(
        (cancelled.effective, cancelled.pending),
        (Retention::Years(1), None)
    );

    change(keep(Retention::Days(30), false)).await;
    log.clock.set(time("2026-05-19T08:59:59.999999Z"));
    assert_eq!(
        log.store.settings(&settings).await.unwrap().effective,
        Retention::Years(1)
    );
    log.clock.set(time("2026-05-19T09:00:00Z"));
    assert_eq!(
        log.store.settings(&settings).await.unwrap().effective,
        Retention::Days(30)
    );

    let at_once = change(keep(Retention::Days(7), true)).await;
    assert_eq!(
        (at_once.effective, at_once.pending),
        (Retention::Days(7), None)
    );
    let plan = Plan::new(Some(Retention::Days(60)), None).unwrap();
    log.store
        .set_plan(&"acme".parse().unwrap(), plan, &operator())
        .await
        .unwrap();
    assert_eq!(
        log.store.settings(&settings).await.unwrap().effective,
        Retention::Days(60)
    );
}

#[tokio::test]
async fn events_older_than_the_workspace_keeps_are_refused_with_the_limit() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let door = Door::token(&grant, Redaction::On).unwrap();
    let at = |moment: &str| NewEvent {
        occurred_at: Some(time(moment)),
        ..some_event(1)
    };
    // 90 days before the clock's 2026-05-12T09:00.
    assert!(log.store.admit(&door, at("2026-02-11T09:00:00Z")).is_ok());
    let faults = log
        .store
        .admit(&door, at("2026-02-11T08:59:59.999999Z"))
        .unwrap_err();
    assert_eq!(faults[0].field, "occurred_at");
    assert!(
        faults[0].reason.contains("2026-02-11T09:00:00.000000Z"),
        "{faults:?}"
    );
}

#[tokio::test]
async fn another_key_file_or_none_stops_the_store_and_names_the_file() {
    let log = Log::new().await;
    log.store.close().await;
    let key = log.folder.path().join("daybook.db.key");
    let aside = log.folder.path().join("aside");
    std::fs::rename(&key, &aside).unwrap();
    let missing = Store::open(Log::options(&log.folder, &log.clock))
        .await
        .unwrap_err();
    assert!(
        missing.to_string().contains("daybook.db.key is not there"),
        "{missing}"
    );

    let other = tempfile::tempdir().unwrap();
    let elsewhere = Options::new(DatabaseUrl::Sqlite(other.path().join("other.db")));
    Store::open(elsewhere).await.unwrap().close().await;
    std::fs::copy(other.path().join("other.db.key"), &key).unwrap();
    let wrong = Store::open(Log::options(&log.folder, &log.clock))
        .await
        .unwrap_err();
    assert!(
        wrong.to_string().contains("another installation"),
        "{wrong}"
    );

    std::fs::rename(&aside, &key).unwrap();
    assert!(
        Store::open(Log::options(&log.folder, &log.clock))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_cursor_belongs_to_its_question_and_its_reader() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, (0..9).map(some_event).collect()).await;
    let scope = grant.read_scope().unwrap();
    let page = log.store.page(&scope, &limit(3)).await.unwrap();
    let cursor = page.older.unwrap();
    // Another page size is allowed, another question or reader is not.
    assert!(
        log.store
            .page(&scope, &limit(5).at(cursor.clone()))
            .await
            .is_ok()
    );
    let sorted = limit(3)
        .sorted(domain::question::Sort::Actor, None)
        .at(cursor.clone());
    assert!(log.store.page(&scope, &sorted).await.is_err());
    let elsewhere = log.scope("acme/revenue").await;
    assert!(
        log.store
            .page(&elsewhere, &limit(3).at(cursor.clone()))
            .await
            .is_err()
    );
    for at in 0..cursor.len() {
        let mut altered = cursor.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(
            log.store.page(&scope, &limit(3).at(altered)).await.is_err(),
            "character {at}"
        );
    }
}

#[tokio::test]
async fn looks_at_a_log_are_told_once_an_hour_with_the_names_of_filters() {
    let log = Log::new().await;
    let person = log.owner("acme/growth").await;
    let scope = person.audit_scope(&"acme/growth".parse().unwrap()).unwrap();
    let by = store::administration::By::person(&person, None);
    for _ in 0..3 {
        log.store
            .note_look(&scope, &by, &["actor", "since"])
            .await
            .unwrap();
    }
    let looks = async |log: &Log| {
        let events = log.walk(&scope, &limit(500)).await;
        events
            .into_iter()
            .filter(|event| event.action.as_str() == "AUDIT_LOG_READ")
            .collect::<Vec<_>>()
    };
    let told = looks(&log).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].metadata.as_ref().unwrap()["filters"],
        serde_json::json!(["actor", "since"])
    );
    log.clock.set(time("2026-05-12T10:00:01Z"));
    log.store.note_look(&scope, &by, &[]).await.unwrap();
    assert_eq!(looks(&log).await.len(), 2);
}

#[tokio::test]
async fn who_gives_up_asking_leaves_nothing_behind() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    log.record(&grant, (0..20).map(some_event).collect()).await;
    // Wherever an asker is when they go: for every reader's connection, many times.
    for micros in (0..4_000).step_by(20) {
        let patience = Duration::from_micros(micros);
        let _ = tokio::time::timeout(patience, log.store.page(&scope, &limit(5))).await;
    }
    for _ in 0..20 {
        let page = log.store.page(&scope, &limit(5)).await.unwrap();
        assert_eq!(page.events.len(), 5);
    }
}

#[tokio::test]
async fn more_than_ten_thousand_are_told_as_that() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    for from in (0..10_010).step_by(1_001) {
        log.record(&grant, (from..from + 1_001).map(some_event).collect())
            .await;
    }
    for (question, count) in [
        // Kept counts are exact, however many; two events are Daybook's own.
        ("", Count::Exactly(10_012)),
        ("actor_kind=user", Count::Exactly(10_010)),
        ("outcome=success", Count::Exactly(10_012)),
        ("action=MEMBER_ADDED", Count::Exactly(5_005)),
        // What is counted by reading is not read to its end.
        ("since=2026-05-01", Count::MoreThan(10_000)),
        ("q=sec_", Count::MoreThan(10_000)),
        ("target_kind=secret", Count::MoreThan(10_000)),
        ("actor=kim&outcome=success", Count::Exactly(3_337)),
        ("q=sec_1&outcome=success", Count::Exactly(2_002)),
        ("until=2026-05-01", Count::Exactly(0)),
    ] {
        let read = Query::read(question, domain::question::Unknown::Refused);
        assert_eq!(read.faults, [], "{question}");
        let told = log.store.count(&scope, &read.query).await.unwrap();
        assert_eq!(told, count, "{question}");
    }
}

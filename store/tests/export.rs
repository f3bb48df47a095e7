//! Exports: the same as all pages, told by the log, and never whole to the eye when they are not.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    event::{Event, NewEvent, Outcome},
    question::{Query, Unknown},
    retention::Retention,
    role::{Role, TokenScope},
};
use log::{BEGINNING, Log, event, limit, lines, object, operator, time, user};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::HashSet, time::Duration};
use store::{
    Scope,
    access::{ExportScope, Refused},
    administration::{By, NewToken, TokenPlace},
    export::{Broken, Export, ExportError, Format, Name, Progress, State, Wanted},
    question::QuestionError,
    retention::{Occasion, Released, Removal},
    settings::SettingsChange,
};

fn query(text: &str) -> Query {
    let read = Query::read(text, Unknown::Refused);
    assert!(read.faults.is_empty(), "{text}: {:?}", read.faults);
    read.query
}

/// The number-th of many events, of which one a minute occurred, the last at the beginning.
fn some_event(number: usize, of: usize) -> NewEvent {
    let ago = TimeDelta::minutes(i64::try_from(of - number).unwrap());
    let at = time(BEGINNING).plus(-ago);
    let person = user(
        &format!("usr_{}", number % 7),
        ["Alex Kim", "Priya Raman", "Åse"][number % 3],
    );
    let thing = object("secret", &format!("sec_{}", number % 50), "SALESFORCE");
    let actions = ["MEMBER_ADDED", "secret:rotate", "x"];
    let mut event = event(person, actions[number % 3], thing, &at.to_string());
    event.idempotency_key = Some(format!("key-{number}"));
    if number.is_multiple_of(2) {
        event.via = vec![user("agt_1", "Assistant")];
        event.related = vec![object("user", "usr_9", "Kim Berg")];
        let controls: String = (1..32)
            .chain([127, 0x2028])
            .filter_map(char::from_u32)
            .collect();
        event.operation = Some(format!("a \"quoted\" \\ operation / {controls}"));
        event.description = Some("=1+1\nin two lines, \"quoted\"".to_owned());
    }
    let after = json!({"version": number, "password": "hunter2", "ratio": 0.1, "b": [1, null]});
    event.after = after.as_object().cloned();
    event
}

/// A log with so many events of an application.
async fn log_of(events: usize) -> (Log, Scope, ExportScope) {
    let log = Log::new().await;
    keep(&log, Retention::Days(365)).await;
    let grant = log.token("acme/growth").await;
    for from in (0..events).step_by(1_000) {
        let batch = (from..events.min(from + 1_000)).map(|number| some_event(number, events));
        log.record(&grant, batch.collect()).await;
    }
    let scope = grant.read_scope().unwrap();
    (log, scope, grant.export_scope().unwrap())
}

async fn keep(log: &Log, retention: Retention) {
    let path = "acme/growth".parse().unwrap();
    let scope = log.store.operator_settings(&path).await.unwrap().unwrap();
    let change = SettingsChange {
        retention: Some(retention),
        now: true,
        ..SettingsChange::default()
    };
    let by = operator();
    log.store
        .change_settings(&scope, change, &by)
        .await
        .unwrap();
}

/// What the log tells of exports, the oldest first.
async fn told(log: &Log, scope: &Scope) -> Vec<Event> {
    let asked =
        query("action=AUDIT_EXPORT_STARTED&action=AUDIT_EXPORT_FINISHED&order=asc&limit=500");
    let mut events = log.walk(scope, &asked).await;
    events.sort_by_key(|event| event.seq);
    events
}

/// Waits until an export is over that nobody reads any more.
async fn over(export: &Progressing<'_>) -> State {
    loop {
        match export.progress() {
            Some(Progress { state, .. }) if state != State::Running => return state,
            _ => tokio::task::yield_now().await,
        }
    }
}

/// Somebody's export, by its name.
struct Progressing<'a> {
    log: &'a Log,
    person: store::access::SignedIn,
    name: Name,
}

impl Progressing<'_> {
    fn progress(&self) -> Option<Progress> {
        self.log.store.export_progress(&self.person, &self.name)
    }
}

/// The secret of a new token that may do everything.
async fn secret(log: &Log) -> String {
    let token = NewToken {
        place: TokenPlace::Workspace("acme/growth".parse().unwrap()),
        name: "exports".into(),
        scopes: TokenScope::ALL.to_vec(),
        expires: None,
        oldest_seconds: None,
    };
    let secret = log.store.create_token(&token, &operator()).await.unwrap();
    secret.reveal().to_owned()
}

async fn named(log: &Log, wanted: Wanted) -> (Export, Progressing<'_>) {
    let person = log.owner("acme/growth").await;
    let scope = person.audit_scope(&"acme/growth".parse().unwrap()).unwrap();
    let scope = person.export_scope(&scope).unwrap();
    let name: Name = "my-export-1".parse().unwrap();
    let wanted = Wanted {
        proof: None,
        name: Some(name.clone()),
        ..wanted
    };
    let by = By::person(&person, None);
    let export = log.store.export(&scope, wanted, &by).await.unwrap();
    (export, Progressing { log, person, name })
}

async fn rest(export: &mut Export) -> (Vec<u8>, Option<Broken>) {
    let mut file = Vec::new();
    while let Some(piece) = export.next().await {
        match piece {
            Ok(piece) => file.extend(piece),
            Err(broken) => {
                assert!(export.next().await.is_none(), "it is over");
                return (file, Some(broken));
            }
        }
    }
    (file, None)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_many_steps_is_all_pages_whatever_is_asked() {
    let (log, scope, export) = log_of(9_000).await;
    for text in [
        "",
        "order=asc",
        "sort=actor",
        "sort=action&order=desc",
        "sort=target_kind",
        "actor=kim",
        "actor=assistant&sort=actor",
        "action=x&since=2026-05-08",
        "target_kind=user",
        "q=rotated",
        "outcome=denied",
    ] {
        let asked = Query {
            limit: limit(500).limit,
            ..query(text)
        };
        let walked = log.walk(&scope, &asked).await;
        assert!(walked.len() > 8_000 || !text.is_empty());
        let file = log.exported(&export, &asked, Format::Ndjson).await;
        assert!(file == lines(&walked), "{text}: {} events", walked.len());
    }
    // A page that was turned to, and its size, are of no account.
    let page = log.store.page(&scope, &limit(5)).await.unwrap();
    let second = limit(5).at(page.older.unwrap());
    let file = log.exported(&export, &second, Format::Ndjson).await;
    assert!(file.lines().count() >= 9_000);
    log.store.close().await;
}

#[tokio::test]
async fn json_is_an_array_of_the_same_and_csv_has_a_line_for_each() {
    let (log, scope, export) = log_of(700).await;
    let walked = log.walk(&scope, &limit(500)).await;
    let asked = Query::default();
    let file = log.exported(&export, &asked, Format::Json).await;
    let array: Vec<Event> = serde_json::from_str(&file).unwrap();
    assert_eq!(array[array.len() - walked.len()..], walked);
    let nothing = query("q=no+such+thing");
    let file = log.exported(&export, &nothing, Format::Json).await;
    assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), json!([]));
    assert_eq!(log.exported(&export, &nothing, Format::Ndjson).await, "");
    let head = domain::export::COLUMNS.join(",") + "\r\n";
    assert_eq!(log.exported(&export, &nothing, Format::Csv).await, head);
    let of_senders = query("outcome=success&target_kind=secret");
    let file = log.exported(&export, &of_senders, Format::Csv).await;
    assert!(file.starts_with(&head));
    assert!(file.contains("\"'=1+1\nin two lines, \"\"quoted\"\"\""));
    log.store.close().await;
}

#[tokio::test]
async fn the_log_tells_who_took_which_data_before_the_first_byte_and_at_the_end() {
    let (log, scope, _) = log_of(1_200).await;
    let asked = query("action=x&range=30d&sort=actor");
    let (mut export, progress) = named(&log, Log::wanted(&asked, Format::Csv)).await;
    let events = told(&log, &scope).await;
    assert_eq!(events.len(), 1, "before the first byte");
    let (file, broken) = rest(&mut export).await;
    assert_eq!(broken, None);
    let events = told(&log, &scope).await;
    let [started, finished] = events.as_slice() else {
        panic!("{events:#?}");
    };
    assert_eq!(started.action.as_str(), "AUDIT_EXPORT_STARTED");
    assert_eq!(started.actor.actor.name.as_deref(), Some("Ingrid Solheim"));
    assert_eq!(started.target.id.as_deref(), Some("acme/growth"));
    let metadata = Value::Object(started.metadata.clone().unwrap());
    let expected = json!({
        "format": "csv",
        "query": "action=x&range=30d&sort=actor",
        "since": "2026-04-12T09:00:00.000000Z",
        "until": "2026-05-12T09:00:00.000000Z",
    });
    assert_eq!(metadata, expected);
    assert_eq!(finished.action.as_str(), "AUDIT_EXPORT_FINISHED");
    assert_eq!(finished.outcome, Outcome::Success);
    assert_eq!(finished.operation, started.operation);
    let metadata = finished.metadata.as_ref().unwrap();
    assert_eq!(metadata["rows"], 400);
    assert_eq!(metadata["bytes"], file.len());
    let hash = format!("{:x}", Sha256::digest(&file));
    assert_eq!(metadata["sha256"], hash);
    let Some(Progress {
        rows, of, state, ..
    }) = progress.progress()
    else {
        panic!("it is told for a while");
    };
    assert_eq!((rows, of), (400, Some(400)));
    assert!(matches!(state, State::Whole(whole) if whole.sha256 == hash));
    log.store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_reads_on_in_another_state_though_nobody_keeps_it_waiting() {
    only_postgres!();
    only_one_node!();
    let (log, _, export) = log_of(6_000).await;
    log.attack("").await;
    let wanted = Log::wanted(&query("order=desc"), Format::Ndjson);
    let export = log.store.export(&export, wanted, &operator()).await;
    let mut export = export.unwrap();
    let first = export.next().await.unwrap().unwrap();
    // It is read ahead for a while, and then waits for whoever has the table.
    let mut other = log.connection().await;
    let lock = "BEGIN; LOCK TABLE content IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut other).await.unwrap();
    let taking = tokio::spawn(async move {
        let (more, broken) = rest(&mut export).await;
        assert_eq!(broken, None);
        more
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
         AND datname = current_database() AND now() - query_start > interval '200 milliseconds'";
    while log.number(waits).await == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let oldest = "DELETE FROM content WHERE seq <= 1000; COMMIT";
    sqlx::raw_sql(oldest).execute(&mut other).await.unwrap();
    let more = taking.await.unwrap();
    let file = String::from_utf8([first, more].concat()).unwrap();
    let lines = file.lines().count();
    // A few of those that went were of another log.
    assert!(lines < 5_100, "{lines}");
    log.store.close().await;
}

#[tokio::test]
async fn what_is_recorded_or_removed_meanwhile_changes_nothing_else() {
    let (log, scope, export) = log_of(6_000).await;
    let asked = query("order=desc&limit=500");
    let walked = log.walk(&scope, &asked).await;
    let wanted = Log::wanted(&asked, Format::Ndjson);
    let mut export = log
        .store
        .export(&export, wanted, &operator())
        .await
        .unwrap();
    let mut file = export.next().await.unwrap().unwrap();
    // Late ones and new ones, and those older than two days go.
    let grant = log.token("acme/growth").await;
    let more = (0..500).map(|number| NewEvent {
        idempotency_key: None,
        ..some_event(number * 7, 6_000)
    });
    log.record(&grant, more.collect()).await;
    keep(&log, Retention::Days(2)).await;
    let path = "acme/growth".parse().unwrap();
    let expiring = log.store.expiring_log(&path).await.unwrap().unwrap();
    let released = log
        .store
        .release(&expiring, Occasion::Asked, &operator())
        .await;
    assert!(matches!(released.unwrap(), Released::Made(..)));
    let mut removed = 0;
    let end = loop {
        match log.store.remove_some().await.unwrap() {
            Removal::Some { events, .. } => removed += events,
            end => break end,
        }
    };
    // Of those of before 3,120, of the late ones 446.
    assert_eq!((removed, end), (3_566, Removal::Nothing));
    let (more, broken) = rest(&mut export).await;
    assert_eq!(broken, None);
    file.extend(more);
    let text = String::from_utf8(file).unwrap();
    let events: Vec<Event> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kept: HashSet<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(kept.len(), events.len(), "nothing comes twice");
    let left: Vec<&Event> = walked.iter().filter(|it| kept.contains(&it.seq)).collect();
    assert_eq!(
        events.iter().collect::<Vec<_>>(),
        left,
        "in the order of before"
    );
    let bound = time(BEGINNING).plus(-TimeDelta::days(2));
    let young = walked.iter().filter(|event| event.occurred_at >= bound);
    for event in young {
        assert!(kept.contains(&event.seq), "{} is skipped", event.seq);
    }
    assert!(
        events.len() < walked.len(),
        "what was removed dropped out: {} of {} are left",
        events.len(),
        walked.len()
    );
    log.store.close().await;
}

#[tokio::test]
async fn a_reader_who_goes_away_leaves_a_failure_in_the_log() {
    let (log, scope, _) = log_of(4_000).await;
    let (mut export, progress) = named(&log, Log::wanted(&Query::default(), Format::Ndjson)).await;
    assert!(export.next().await.unwrap().is_ok());
    drop(export);
    assert_eq!(over(&progress).await, State::Broken(Broken::Gone));
    let events = told(&log, &scope).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].outcome, Outcome::Failure);
    let rows = events[1].metadata.as_ref().unwrap()["rows"].as_u64();
    assert!(rows.is_some_and(|rows| rows < 4_000), "{rows:?}");
    log.store.close().await;
}

#[tokio::test]
async fn who_has_the_last_piece_and_never_comes_back_did_not_take_it_all() {
    for format in [Format::Ndjson, Format::Json] {
        let (log, scope, export) = log_of(10).await;
        let known = log.exported(&export, &query("action=x"), format).await;
        let (mut export, progress) = named(&log, Log::wanted(&query("action=x"), format)).await;
        let mut file = Vec::new();
        while file.len() < known.len() {
            file.extend(export.next().await.unwrap().unwrap());
        }
        // It has all the time that it needs to take that for success.
        for _ in 0..50 {
            log.store.page(&scope, &limit(50)).await.unwrap();
        }
        assert_eq!(progress.progress().unwrap().state, State::Running);
        drop(export);
        assert_eq!(over(&progress).await, State::Broken(Broken::Gone));
        let last = told(&log, &scope).await.pop().unwrap();
        assert_eq!(last.outcome, Outcome::Failure);
        let rows = known.matches("\"action\":\"x\"").count();
        assert_eq!(last.metadata.unwrap()["rows"], rows);
        log.store.close().await;
    }
}

#[tokio::test]
async fn an_export_that_is_cancelled_ends_with_an_error() {
    let (log, scope, _) = log_of(4_000).await;
    let (mut export, progress) = named(&log, Log::wanted(&Query::default(), Format::Csv)).await;
    assert!(export.next().await.unwrap().is_ok());
    let other = log
        .person("tom@acme.example", "acme/growth", Role::Admin)
        .await;
    assert!(!log.store.cancel_export(&other, &progress.name));
    assert!(log.store.cancel_export(&progress.person, &progress.name));
    let (_, broken) = rest(&mut export).await;
    assert_eq!(broken, Some(Broken::Cancelled));
    assert!(!log.store.cancel_export(&progress.person, &progress.name));
    let events = told(&log, &scope).await;
    let told = events[1].description.as_deref();
    assert_eq!(told, Some("Broke off: it was cancelled."));
    log.store.close().await;
}

#[tokio::test]
async fn closing_the_log_breaks_exports_off_and_tells_of_it() {
    let (log, scope, export) = log_of(4_000).await;
    let wanted = Log::wanted(&Query::default(), Format::Json);
    let mut export = log
        .store
        .export(&export, wanted, &operator())
        .await
        .unwrap();
    assert!(export.next().await.unwrap().is_ok());
    let log = log.reopened().await;
    let (_, broken) = rest(&mut export).await;
    assert_eq!(broken, Some(Broken::Stopped));
    let events = told(&log, &scope).await;
    assert_eq!(events[1].outcome, Outcome::Failure);
    log.store.close().await;
}

#[tokio::test]
async fn who_takes_nothing_holds_no_reader_and_gives_out_in_the_end() {
    let (log, scope, export) = log_of(4_000).await;
    let mut idle = Vec::new();
    // More than there are connections.
    for _ in 0..20 {
        let wanted = Log::wanted(&Query::default(), Format::Ndjson);
        idle.push(
            log.store
                .export(&export, wanted, &operator())
                .await
                .unwrap(),
        );
    }
    for _ in 0..50 {
        log.store.page(&scope, &limit(50)).await.unwrap();
    }
    drop(idle);
    let wanted = Wanted {
        patience: Some(Duration::from_millis(20)),
        ..Log::wanted(&Query::default(), Format::Ndjson)
    };
    let (mut export, progress) = named(&log, wanted).await;
    assert_eq!(over(&progress).await, State::Broken(Broken::Stalled));
    let (_, broken) = rest(&mut export).await;
    assert_eq!(broken, Some(Broken::Stalled));
    log.store.close().await;
}

#[tokio::test]
async fn no_more_run_at_the_same_time_than_there_may() {
    let (log, _, export) = log_of(2_000).await;
    let mut running = Vec::new();
    let refused = loop {
        let wanted = Log::wanted(&Query::default(), Format::Ndjson);
        match log.store.export(&export, wanted, &operator()).await {
            Ok(export) => running.push(export),
            Err(error) => break error,
        }
        assert!(running.len() < 100);
    };
    assert!(matches!(refused, ExportError::Busy));
    assert_eq!(running.len(), 32);
    log.store.close().await;
}

#[tokio::test]
async fn nobody_runs_so_many_that_others_cannot() {
    let (log, _, export) = log_of(2_000).await;
    let begin = async |name: &str| {
        let grant = log.store.token(name).await.unwrap().unwrap();
        let wanted = Log::wanted(&Query::default(), Format::Ndjson);
        let by = By::token(&grant, None);
        log.store.export(&export, wanted, &by).await
    };
    let (one, other) = (secret(&log).await, secret(&log).await);
    let mut running = Vec::new();
    for _ in 0..4 {
        running.push(begin(&one).await.unwrap());
    }
    let refused = begin(&one).await;
    assert!(matches!(refused, Err(ExportError::BusyWithYours)));
    assert!(begin(&other).await.is_ok());
    // When one of them has ended there is room again.
    let (_, broken) = rest(&mut running[0]).await;
    assert_eq!(broken, None);
    let again = loop {
        match begin(&one).await {
            Err(ExportError::BusyWithYours) => tokio::task::yield_now().await,
            begun => break begun,
        }
    };
    assert!(again.is_ok());
    log.store.close().await;
}

#[tokio::test]
async fn what_is_revoked_stops_and_the_log_tells_of_it() {
    let (log, scope, _) = log_of(4_000).await;
    let secret = secret(&log).await;
    let grant = log.store.token(&secret).await.unwrap().unwrap();
    let wanted = Log::wanted(&Query::default(), Format::Ndjson);
    let mut export = log
        .store
        .export(
            &grant.export_scope().unwrap(),
            wanted,
            &By::token(&grant, None),
        )
        .await
        .unwrap();
    assert!(export.next().await.unwrap().is_ok());
    let id = &grant.public_id;
    log.store.revoke_token(id, &operator()).await.unwrap();
    // It reads on slowly, and nothing of what it did not take keeps it from ending.
    while export.progress().state == State::Running {
        tokio::task::yield_now().await;
    }
    let (_, broken) = rest(&mut export).await;
    assert_eq!(broken, Some(Broken::Refused));
    let events = told(&log, &scope).await;
    assert_eq!(events[1].outcome, Outcome::Failure);
    let why = events[1].description.as_deref().unwrap();
    assert!(why.contains("right to export"), "{why}");
    log.store.close().await;
}

#[tokio::test]
async fn who_lost_the_role_takes_nothing_more() {
    let (log, _, _) = log_of(4_000).await;
    // Somebody else stays an owner.
    log.person("olga@acme.example", "acme/growth", Role::Owner)
        .await;
    let wanted = Log::wanted(&Query::default(), Format::Ndjson);
    let (_kept, progress) = named(&log, wanted).await;
    let email = &progress.person.email;
    log.store
        .deactivate_person(email, &operator())
        .await
        .unwrap();
    assert_eq!(over(&progress).await, State::Broken(Broken::Refused));
    log.store.close().await;
}

#[tokio::test]
async fn no_piece_is_large_where_large_events_follow_small_ones() {
    let (log, _, export) = log_of(1_500).await;
    let grant = log.token("acme/growth").await;
    let long = "x\"".repeat(14_000);
    let large = (0..60).map(|number| NewEvent {
        description: Some(long.clone()),
        idempotency_key: None,
        occurred_at: Some(time(BEGINNING)),
        ..some_event(number, 60)
    });
    log.record(&grant, large.collect()).await;
    let wanted = Log::wanted(&query("order=asc"), Format::Ndjson);
    let begun = log.store.export(&export, wanted, &operator()).await;
    let mut export = begun.unwrap();
    let mut bytes = 0;
    while let Some(piece) = export.next().await {
        let piece = piece.unwrap().len();
        assert!(piece < 1_500_000, "{piece}");
        bytes += piece;
    }
    assert!(bytes > 60 * long.len() + 1_500_000);
    log.store.close().await;
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_begins_nothing() {
    let (log, scope, export) = log_of(1).await;
    let asked = query("workspace=revenue");
    let wanted = Log::wanted(&asked, Format::Csv);
    let refused = log.store.export(&export, wanted, &operator()).await;
    assert!(matches!(
        refused,
        Err(ExportError::Question(QuestionError::Parameter {
            parameter: "workspace",
            ..
        }))
    ));
    assert_eq!(told(&log, &scope).await, []);
    log.store.close().await;
}

#[tokio::test]
async fn nobody_takes_away_more_than_they_may() {
    let log = Log::new().await;
    let path = "acme/growth".parse().unwrap();
    let subject = domain::question::Subject {
        kind: "integration".parse().unwrap(),
        id: "int_1".into(),
    };
    for (role, may) in [
        (Role::Member, false),
        (Role::Auditor, true),
        (Role::Admin, true),
        (Role::Owner, true),
    ] {
        let email = format!("{}@acme.example", role.as_str());
        let person = log.person(&email, "acme/growth", role).await;
        if let Ok(scope) = person.audit_scope(&path) {
            assert!(person.export_scope(&scope).is_ok(), "{role}");
        } else {
            assert!(!may, "{role}");
        }
        let object = person.object_scope(&path, subject.clone()).unwrap();
        assert_eq!(person.export_scope(&object).is_ok(), may, "{role}");
        let own = person.own_scope(&path).unwrap();
        let refused = person.export_scope(&own);
        assert!(matches!(refused, Err(Refused::NoAccess { .. })), "{role}");
    }
    // Somebody else's scope opens nothing.
    let owner = log
        .person("olga@acme.example", "acme/growth", Role::Owner)
        .await;
    let other = log
        .person("rita@acme.example", "acme/revenue", Role::Owner)
        .await;
    let theirs = owner.audit_scope(&path).unwrap();
    assert_eq!(other.export_scope(&theirs), Err(Refused::NotFound));
    log.store.close().await;
}

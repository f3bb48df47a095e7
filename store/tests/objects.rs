//! What an object is called, and who changed it last, whoever looks at it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    event::{Event, NewEvent, Target},
    question::{Query, Subject},
    verb::Verb,
};
use log::{Log, event, limit, object, operator, time, user};
use store::{
    Scope,
    access::SignedIn,
    administration::By,
    objects::{Named, Overview},
    question::Count,
};

const ID: &str = "rpa_7";

/// A log with somebody who owns it, and the scope of one of its objects.
async fn an_object() -> (Log, SignedIn, Scope) {
    let log = Log::new().await;
    let owner = log.owner("acme/growth").await;
    let subject = Subject {
        kind: "integration".parse().unwrap(),
        id: ID.to_owned(),
    };
    let scope = owner
        .object_scope(&"acme/growth".parse().unwrap(), subject)
        .unwrap();
    (log, owner, scope)
}

/// The object with a name, and with or without an address.
fn named(name: &str, url: Option<&str>) -> Target {
    Target {
        url: url.map(str::to_owned),
        ..object("integration", ID, name)
    }
}

/// The object by its id alone.
fn unnamed() -> Target {
    Target {
        name: None,
        ..named("", None)
    }
}

fn alex(action: &str, on: Target, at: &str) -> NewEvent {
    event(user("usr_1", "Alex Kim"), action, on, at)
}

async fn record(log: &Log, events: Vec<NewEvent>) {
    let grant = log.token("acme/growth").await;
    log.record(&grant, events).await;
}

/// The object, as the log knows it.
async fn known(log: &Log, scope: &Scope) -> Option<Target> {
    let mut snapshot = log.store.snapshot(scope).await.unwrap();
    let object = snapshot.object().await.unwrap();
    snapshot.end().await;
    object
}

/// The newest change.
async fn last_change(log: &Log, scope: &Scope) -> Option<Event> {
    let mut snapshot = log.store.snapshot(scope).await.unwrap();
    let change = snapshot.last_change().await.unwrap();
    snapshot.end().await;
    change
}

/// The object's name and address.
async fn called(log: &Log, scope: &Scope) -> (Option<String>, Option<String>) {
    let object = known(log, scope).await.unwrap();
    assert_eq!(
        (object.kind.as_str(), object.id.as_deref()),
        ("integration", Some(ID))
    );
    (object.name, object.url)
}

fn texts(name: &str, url: &str) -> (Option<String>, Option<String>) {
    (Some(name.to_owned()), Some(url.to_owned()))
}

/// The action of the newest change.
async fn last(log: &Log, scope: &Scope) -> Option<String> {
    let event = last_change(log, scope).await?;
    Some(event.action.to_string())
}

#[tokio::test]
async fn an_object_is_called_what_was_given_for_it_last() {
    let (log, _, scope) = an_object().await;
    assert_eq!(known(&log, &scope).await, None);
    let first = named("Slack", Some("https://acme.example/old"));
    let renamed = named("Slack of sales", Some("https://acme.example/new"));
    record(
        &log,
        vec![
            alex("INTEGRATION_UPDATED", renamed, "2026-05-12T08:00:00Z"),
            // What arrives late tells of what was before.
            alex("INTEGRATION_CREATED", first, "2026-05-12T07:00:00Z"),
        ],
    )
    .await;
    let now = texts("Slack of sales", "https://acme.example/new");
    assert_eq!(called(&log, &scope).await, now);
    // Named by its id alone it keeps its name, and named without an address its address.
    record(
        &log,
        vec![alex("INTEGRATION_RUN", unnamed(), "2026-05-12T08:30:00Z")],
    )
    .await;
    assert_eq!(called(&log, &scope).await, now);
    let mut elsewhere = alex(
        "MEMBER_ADDED",
        object("user", "usr_4", "Kim Berg"),
        "2026-05-12T08:40:00Z",
    );
    elsewhere.related = vec![named("Slack of growth", None)];
    record(&log, vec![elsewhere]).await;
    assert_eq!(
        called(&log, &scope).await,
        texts("Slack of growth", "https://acme.example/new")
    );
}

#[tokio::test]
async fn a_look_at_an_object_neither_renames_nor_changes_it() {
    let (log, owner, scope) = an_object().await;
    let on = named("Slack", Some("https://acme.example/slack"));
    record(
        &log,
        vec![alex(
            "INTEGRATION_CREATED",
            on.clone(),
            "2026-05-12T08:00:00Z",
        )],
    )
    .await;
    let by = By::person(&owner, None);
    log.store.note_look(&scope, &by, &[]).await.unwrap();

    let newest = log.store.page(&scope, &limit(1)).await.unwrap().events;
    assert_eq!(newest[0].action.as_str(), "AUDIT_LOG_READ");
    assert_eq!(newest[0].target, on, "the look names what was looked at");
    assert_eq!(
        called(&log, &scope).await,
        texts("Slack", "https://acme.example/slack")
    );
    let changed = last_change(&log, &scope).await.unwrap();
    assert_eq!(changed.action.as_str(), "INTEGRATION_CREATED");
    assert_eq!(
        changed.actor.actor.name.as_deref(),
        Some("Alex Kim"),
        "who looked changed nothing"
    );

    // Of a new name that was given before the look, and arrives after it, the look knew nothing.
    record(
        &log,
        vec![alex(
            "INTEGRATION_UPDATED",
            named("Slack of sales", None),
            "2026-05-12T08:59:00Z",
        )],
    )
    .await;
    assert_eq!(
        called(&log, &scope).await,
        texts("Slack of sales", "https://acme.example/slack")
    );
    assert_eq!(
        last(&log, &scope).await.as_deref(),
        Some("INTEGRATION_UPDATED")
    );
}

#[tokio::test]
async fn a_look_at_what_no_event_names_does_not_make_it_known() {
    let (log, owner, scope) = an_object().await;
    let by = By::person(&owner, None);
    log.store.note_look(&scope, &by, &[]).await.unwrap();
    let shown = log.walk(&scope, &Query::default()).await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].target, unnamed());
    assert_eq!(known(&log, &scope).await, None);
    assert_eq!(last(&log, &scope).await, None);
}

#[tokio::test]
async fn the_last_change_is_the_newest_event_that_is_no_reading() {
    let (log, owner, scope) = an_object().await;
    assert_eq!(last(&log, &scope).await, None);
    let on = || named("Slack", None);
    let mut read_by_its_sender = alex("INTEGRATION_CHECKED", on(), "2026-05-12T08:30:00Z");
    read_by_its_sender.verb = Some(Verb::Read);
    record(
        &log,
        vec![
            alex("INTEGRATION_CREATED", on(), "2026-05-12T07:00:00Z"),
            alex("INTEGRATION_UPDATED", on(), "2026-05-12T08:00:00Z"),
            alex("INTEGRATION_READ", on(), "2026-05-12T08:10:00Z"),
            read_by_its_sender,
            // Another object's.
            alex(
                "INTEGRATION_DELETED",
                object("integration", "rpa_8", "Teams"),
                "2026-05-12T08:40:00Z",
            ),
        ],
    )
    .await;
    assert_eq!(
        last(&log, &scope).await.as_deref(),
        Some("INTEGRATION_UPDATED")
    );
    // However many looked since.
    for hour in 10..22 {
        log.clock.set(time(&format!("2026-05-12T{hour}:00:01Z")));
        let by = By::person(&owner, None);
        log.store.note_look(&scope, &by, &[]).await.unwrap();
    }
    assert_eq!(
        last(&log, &scope).await.as_deref(),
        Some("INTEGRATION_UPDATED")
    );
    // What is done to it as a related object is done to it too.
    let mut related = alex(
        "MEMBER_ADDED",
        object("user", "usr_4", "Kim Berg"),
        "2026-05-12T08:20:00Z",
    );
    related.related = vec![on()];
    record(&log, vec![related]).await;
    assert_eq!(last(&log, &scope).await.as_deref(), Some("MEMBER_ADDED"));
}

/// The object at a glance.
async fn overview(log: &Log, scope: &Scope) -> Option<Overview> {
    let mut snapshot = log.store.snapshot(scope).await.unwrap();
    let overview = snapshot.overview().await.unwrap();
    snapshot.end().await;
    overview
}

/// Who touched it most, with in how many entries.
fn touched(overview: &Overview) -> Vec<(&str, usize)> {
    let touched = overview.touched.iter();
    touched
        .map(|touched| (touched.actor.actor.sort_name(), touched.entries))
        .collect()
}

#[tokio::test]
async fn an_overview_tells_every_name_and_since_when() {
    let (log, owner, scope) = an_object().await;
    assert_eq!(overview(&log, &scope).await, None);
    let by = By::person(&owner, None);
    log.store.note_look(&scope, &by, &[]).await.unwrap();
    assert_eq!(overview(&log, &scope).await, None, "a look tells nothing");

    let on = |name: &str| named(name, None);
    let mut related = alex(
        "MEMBER_ADDED",
        object("user", "usr_4", "Kim Berg"),
        "2026-05-12T06:00:00Z",
    );
    related.related = vec![unnamed()];
    record(
        &log,
        vec![
            alex("UPDATED", on("Slack"), "2026-05-12T08:30:00Z"),
            alex("UPDATED", on("Teams"), "2026-05-12T08:00:00Z"),
            // What arrives late tells of what was before.
            alex("CREATED", on("Slack"), "2026-05-12T07:00:00Z"),
            alex("RUN", unnamed(), "2026-05-12T08:45:00Z"),
            related,
        ],
    )
    .await;
    // Long after: a look with the newest name is no use of it.
    log.clock.set(time("2026-05-12T12:00:00Z"));
    log.store.note_look(&scope, &by, &[]).await.unwrap();
    let known = overview(&log, &scope).await.unwrap();
    assert_eq!(known.object, on("Slack"));
    let name = |name: &str, since: &str, last: &str| Named {
        name: name.to_owned(),
        since: time(since),
        last: time(last),
    };
    assert_eq!(
        known.names,
        [
            name("Slack", "2026-05-12T07:00:00Z", "2026-05-12T08:30:00Z"),
            name("Teams", "2026-05-12T08:00:00Z", "2026-05-12T08:00:00Z"),
        ]
    );
    assert_eq!(known.first_seen, time("2026-05-12T06:00:00Z"));
    assert_eq!(known.last_seen, time("2026-05-12T08:45:00Z"));
    assert!(!known.is_cut);
    assert_eq!(known.entries, Count::Exactly(7), "looks are entries too");
    assert_eq!(
        touched(&known),
        [("Alex Kim", 5)],
        "who looked did not touch it"
    );
    assert_eq!(known.touched_among, None);
}

#[tokio::test]
async fn an_overview_tells_the_five_who_touched_it_most() {
    let (log, _, scope) = an_object().await;
    let mut made = Vec::new();
    for person in 1..=7 {
        for minute in 0..person {
            let actor = user(&format!("usr_{person}"), &format!("Person {person}"));
            let at = format!("2026-05-12T0{person}:{minute:02}:00Z");
            made.push(event(actor, "UPDATED", named("Slack", None), &at));
        }
    }
    // Somebody who was called otherwise is the same; a related object is touched, too; an entry
    // that names it twice is one.
    let renamed = || user("usr_3", "Person three");
    for minute in 0..4 {
        let on = object("user", "usr_4", "Kim Berg");
        let mut related = event(
            renamed(),
            "MEMBER_ADDED",
            on,
            &format!("2026-05-12T08:{minute:02}:00Z"),
        );
        related.related = vec![named("Slack", None), named("Slack of growth", None)];
        made.push(related);
    }
    record(&log, made).await;
    let known = overview(&log, &scope).await.unwrap();
    assert_eq!(
        touched(&known),
        [
            // Of two who touched it equally often, who did so last.
            ("Person three", 7),
            ("Person 7", 7),
            ("Person 6", 6),
            ("Person 5", 5),
            ("Person 4", 4)
        ]
    );
    assert_eq!(known.touched[0].last, time("2026-05-12T08:03:00Z"));
    assert!(
        known
            .touched
            .iter()
            .all(|touched| !touched.actor.deactivated)
    );

    let grant = log.token("acme/growth").await;
    let kind = domain::event::ActorKind::User;
    log.store
        .set_actor_deactivated(&grant, kind, "usr_7", true, &operator())
        .await
        .unwrap();
    let known = overview(&log, &scope).await.unwrap();
    let gone: Vec<bool> = known
        .touched
        .iter()
        .map(|touched| touched.actor.deactivated)
        .collect();
    assert_eq!(gone, [false, true, false, false, false]);
}

#[tokio::test]
async fn of_a_long_log_only_the_newest_entries_are_counted_by_actor() {
    let (log, _, scope) = an_object().await;
    let grant = log.token("acme/growth").await;
    // Half under one name and half under another, the older ones by somebody else.
    for from in (0..12_000_i64).step_by(2_000) {
        let made = (from..from + 2_000).map(|n| {
            let on = named(if n % 2 == 0 { "Slack" } else { "Teams" }, None);
            let actor = if n < 9_999 {
                user("usr_1", "Alex Kim")
            } else {
                user("usr_2", "Kim Berg")
            };
            let mut made = event(actor, "UPDATED", on, log::BEGINNING);
            let ago = chrono::TimeDelta::milliseconds(n);
            made.occurred_at = Some(time(log::BEGINNING).plus(-ago));
            made
        });
        log.record(&grant, made.collect()).await;
    }
    let known = overview(&log, &scope).await.unwrap();
    assert_eq!(known.touched_among, Some(10_000));
    assert_eq!(touched(&known), [("Alex Kim", 9_999), ("Kim Berg", 1)]);
}

#[tokio::test]
async fn an_object_whose_name_is_never_the_same_is_known_by_its_newest_names() {
    let (log, _, scope) = an_object().await;
    let grant = log.token("acme/growth").await;
    let made = (0..1_500).map(|n| {
        let on = named(&format!("Run {n}"), None);
        let mut made = alex("RUN", on, log::BEGINNING);
        made.occurred_at = Some(time(log::BEGINNING).plus(chrono::TimeDelta::milliseconds(n)));
        made
    });
    log.record(&grant, made.collect()).await;
    let known = overview(&log, &scope).await.unwrap();
    assert_eq!(known.object.name.as_deref(), Some("Run 1499"));
    assert_eq!(known.names.len(), 1_000);
    assert!(known.is_cut);
    assert_eq!(called(&log, &scope).await.0.as_deref(), Some("Run 1499"));
}

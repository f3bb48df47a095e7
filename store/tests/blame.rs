//! What an object's events come to, on either database: only its own, in whatever order they arrived, and
//! with what is not known of it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    blame::{Asked, Field, GapKind, Origin},
    event::{ActorKind, NewEvent, Outcome, Part, Target},
    json::Path,
    question::Subject,
    retention::Retention,
    role::Role,
    slug::WorkspacePath,
    time::Timestamp,
};
use log::{BEGINNING, Log, event, object, operator, time, user};
use proptest::prelude::*;
use serde_json::{Value, json};
use store::{
    Scope,
    blame::{BlameQuery, ObjectBlame},
    erasure::What,
    question::QuestionError,
    recording::Receipt,
    retention::{Occasion, Released, Removal},
    settings::SettingsChange,
};

fn growth() -> WorkspacePath {
    "acme/growth".parse().unwrap()
}

fn service() -> Target {
    object("service", "svc_1", "Checkout")
}

fn query(asked: Asked) -> BlameQuery {
    BlameQuery {
        workspace: None,
        subject: Subject {
            kind: "service".parse().unwrap(),
            id: "svc_1".to_owned(),
        },
        asked,
    }
}

/// Alex's change of the service.
fn change(action: &str, at: &str, before: Value, after: Value) -> NewEvent {
    let state = |state: Value| match state {
        Value::Object(members) => Some(members),
        _ => None,
    };
    let mut event = event(user("usr_1", "Alex Kim"), action, service(), at);
    event.before = state(before);
    event.after = state(after);
    event
}

impl Log {
    async fn blame(&self, scope: &Scope, asked: Asked) -> ObjectBlame {
        let found = self.store.blame(scope, &query(asked)).await;
        found.unwrap().unwrap()
    }

    async fn switch_recording(&self, on: bool) {
        let scope = self.store.operator_settings(&growth()).await;
        let change = SettingsChange {
            recording: Some(on),
            ..SettingsChange::default()
        };
        let (scope, by) = (scope.unwrap().unwrap(), operator());
        let changed = self.store.change_settings(&scope, change, &by);
        changed.await.unwrap();
    }
}

/// Fields as lines: `path = value by whom (changes)`.
fn lines(fields: &[Field]) -> Vec<String> {
    let line = |field: &Field| {
        let by = match &field.last.origin {
            Origin::Event(author) => author.actor.sort_name().to_owned(),
            Origin::Initial => "initial".to_owned(),
            Origin::Outside { since, until, .. } => format!("outside {since} {until}"),
            Origin::Erased { until, .. } => format!("erased {until}"),
        };
        let value = field.last.value.as_ref().map(Value::to_string);
        let value = value.unwrap_or_default();
        format!("{} = {value} by {by} ({})", field.path, field.last.changes)
    };
    fields.iter().map(line).collect()
}

fn gaps(found: &ObjectBlame) -> Vec<(GapKind, Option<Timestamp>, Option<Timestamp>)> {
    let gaps = found.gaps.iter();
    gaps.map(|gap| (gap.kind, gap.since, gap.until)).collect()
}

#[tokio::test]
async fn only_what_succeeded_on_the_object_itself_tells_of_it() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = log.scope("acme/growth").await;
    let mut denied = change(
        "SERVICE_UPDATED",
        "2026-05-12T08:10:00Z",
        json!({"size": 2}),
        json!({"size": 9}),
    );
    denied.outcome = Outcome::Denied;
    let mut beside = change(
        "MEMBER_ADDED",
        "2026-05-12T08:20:00Z",
        Value::Null,
        json!({"size": 7}),
    );
    beside.target = object("user", "usr_9", "Kim Berg");
    beside.related = vec![service()];
    let mut other = change(
        "SERVICE_UPDATED",
        "2026-05-12T08:30:00Z",
        json!({"size": 2}),
        json!({"size": 8}),
    );
    other.target = object("service", "svc_2", "Search");
    let mut renamed = change(
        "SERVICE_UPDATED",
        "2026-05-12T08:05:00Z",
        json!({"size": 1}),
        json!({"size": 2}),
    );
    renamed.actor = user("usr_2", "Mara Lindqvist");
    renamed.target.name = Some("Checkout of growth".to_owned());
    let created = change(
        "SERVICE_CREATED",
        "2026-05-12T08:00:00Z",
        Value::Null,
        json!({"size": 1, "region": "eu"}),
    );
    log.record(&grant, vec![renamed, denied, beside, other, created])
        .await;

    let found = log.blame(&scope, Asked::default()).await;
    assert_eq!(found.object.name.as_deref(), Some("Checkout"));
    assert!(found.blame.exists());
    assert_eq!(found.at, time(BEGINNING));
    assert_eq!(
        lines(&found.blame.fields),
        [
            "region = \"eu\" by Alex Kim (1)",
            "size = 2 by Mara Lindqvist (2)"
        ]
    );
    assert_eq!(found.gaps, []);
    let at = Asked {
        at: Some(time("2026-05-12T08:00:00Z")),
        ..Asked::default()
    };
    let then = log.blame(&scope, at).await;
    assert_eq!(then.at, time("2026-05-12T08:00:00Z"));
    assert_eq!(
        lines(&then.blame.fields)[1],
        "size = 1 by Alex Kim (1)",
        "what happened at the moment is included"
    );
    let nothing = BlameQuery {
        subject: Subject {
            id: "svc_3".to_owned(),
            ..query(Asked::default()).subject
        },
        ..query(Asked::default())
    };
    assert_eq!(log.store.blame(&scope, &nothing).await.unwrap(), None);
}

#[tokio::test]
async fn who_may_not_see_the_object_is_told_of_none() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let created = change("SERVICE_CREATED", BEGINNING, Value::Null, json!({"a": 1}));
    log.record(&grant, vec![created]).await;
    let owner = log.owner("acme/growth").await;
    let member = log.person("m@acme.example", "acme/growth", Role::Member);
    let member = member.await;
    let of = |id: &str| {
        let subject = Subject {
            id: id.to_owned(),
            ..query(Asked::default()).subject
        };
        member.object_scope(&growth(), subject).unwrap()
    };
    let asked = query(Asked::default());
    let found = async |scope: &Scope| log.store.blame(scope, &asked).await.unwrap();
    assert!(
        found(&owner.audit_scope(&growth()).unwrap())
            .await
            .is_some()
    );
    assert!(found(&of("svc_1")).await.is_some());
    assert_eq!(found(&of("svc_2")).await, None);
    assert_eq!(found(&member.own_scope(&growth()).unwrap()).await, None);
    assert_eq!(found(&log.scope("acme/revenue").await).await, None);

    // A tenant's log has several workspaces: the object is in one of them.
    let tenant = log.scope("acme").await;
    assert_eq!(found(&tenant).await, None);
    let named = |slug: &str| BlameQuery {
        workspace: Some(slug.parse().unwrap()),
        ..query(Asked::default())
    };
    let growth = log.store.blame(&tenant, &named("growth")).await.unwrap();
    assert!(growth.is_some());
    let revenue = log.store.blame(&tenant, &named("revenue")).await.unwrap();
    assert_eq!(revenue, None);
    for (scope, slug) in [(&tenant, "sales"), (&of("svc_1"), "growth")] {
        let refused = log.store.blame(scope, &named(slug)).await.unwrap_err();
        let is_of_workspace = matches!(
            refused,
            QuestionError::Parameter {
                parameter: "workspace",
                ..
            }
        );
        assert!(is_of_workspace, "{refused}");
    }
}

#[tokio::test]
async fn who_set_a_field_is_labelled_when_they_are_deactivated() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = log.scope("acme/growth").await;
    let mut by_agent = change(
        "SERVICE_UPDATED",
        "2026-05-12T08:10:00Z",
        json!({"b": 1}),
        json!({"b": 2}),
    );
    by_agent.actor = user("usr_2", "Mara Lindqvist");
    let mut agent = user("agt_1", "Assistant");
    agent.kind = ActorKind::Agent;
    by_agent.via = vec![agent.clone()];
    let created = change(
        "SERVICE_CREATED",
        "2026-05-12T08:00:00Z",
        Value::Null,
        json!({"a": 1, "b": 1}),
    );
    log.record(&grant, vec![created, by_agent]).await;
    let by = operator();
    let labelled = log
        .store
        .set_actor_deactivated(&grant, ActorKind::User, "usr_1", true, &by);
    labelled.await.unwrap();
    let found = log.blame(&scope, Asked::default()).await;
    let told: Vec<(String, bool, usize)> = found
        .blame
        .fields
        .iter()
        .map(|field| match &field.last.origin {
            Origin::Event(author) => (
                author.actor.sort_name().to_owned(),
                found.is_deactivated(&author.actor),
                author.via.len(),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            ("Alex Kim".to_owned(), true, 0),
            ("Mara Lindqvist".to_owned(), false, 1)
        ]
    );
}

#[tokio::test]
async fn a_time_without_recording_and_events_without_a_state_are_gaps() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = log.scope("acme/growth").await;
    let at = |minutes: i64| time(BEGINNING).plus(chrono::TimeDelta::minutes(minutes));
    let now = || log.store.now().to_string();
    let created = change("SERVICE_CREATED", &now(), Value::Null, json!({"a": 1}));
    log.record(&grant, vec![created]).await;
    // An application cannot make a gap.
    let mut lie = event(
        user("usr_1", "Alex Kim"),
        "AUDIT_RECORDING_UPDATED",
        object("workspace", "acme/growth", "Growth"),
        &now(),
    );
    lie.after = json!({"recording": false}).as_object().cloned();
    log.record(&grant, vec![lie]).await;
    log.clock.set(at(10));
    log.switch_recording(false).await;
    log.clock.set(at(20));
    log.switch_recording(true).await;
    log.clock.set(at(30));
    let silent = change("SERVICE_SCALED", &now(), Value::Null, Value::Null);
    log.record(&grant, vec![silent]).await;
    log.clock.set(at(40));
    let looked = change("SERVICE_READ", &now(), Value::Null, Value::Null);
    log.record(&grant, vec![looked]).await;
    let owner = log.owner("acme/growth").await;
    let subject = query(Asked::default()).subject;
    let tab = owner.object_scope(&growth(), subject).unwrap();
    let by = store::administration::By::person(&owner, None);
    log.store.note_look(&tab, &by, &[]).await.unwrap();
    log.clock.set(at(50));
    log.switch_recording(false).await;

    let found = log.blame(&scope, Asked::default()).await;
    assert_eq!(
        gaps(&found),
        [
            (GapKind::RecordingOff, Some(at(10)), Some(at(20))),
            (GapKind::NoState, Some(at(30)), Some(at(30))),
            (GapKind::RecordingOff, Some(at(50)), None),
        ]
    );
    let asked = Asked {
        at: Some(at(5)),
        ..Asked::default()
    };
    assert_eq!(gaps(&log.blame(&scope, asked).await), []);
}

#[tokio::test]
async fn an_event_that_lost_what_it_was_about_is_a_gap_of_all_objects_of_its_kind() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = log.scope("acme/growth").await;
    let at = |minutes: i64| time(BEGINNING).plus(chrono::TimeDelta::minutes(minutes));
    let of = |id: &str, minutes: i64, action: &str, outcome: Outcome| {
        let before = Value::Null;
        let mut event = change(
            action,
            &at(minutes).to_string(),
            before,
            json!({"a": minutes}),
        );
        event.target = object(if id == "job_1" { "job" } else { "service" }, id, id);
        event.outcome = outcome;
        event
    };
    log.clock.set(at(60));
    let events = vec![
        of("svc_1", 0, "SERVICE_UPDATED", Outcome::Success),
        of("svc_2", 10, "SERVICE_UPDATED", Outcome::Success),
        of("svc_1", 20, "SERVICE_UPDATED", Outcome::Success),
        of("svc_1", 30, "SERVICE_UPDATED", Outcome::Failure),
        of("job_1", 40, "JOB_UPDATED", Outcome::Success),
        of("svc_1", 50, "SERVICE_UPDATED", Outcome::Success),
    ];
    let receipts = log.record(&grant, events).await;
    assert_eq!(gaps(&log.blame(&scope, Asked::default()).await), []);
    let settings = log
        .store
        .operator_settings(&growth())
        .await
        .unwrap()
        .unwrap();
    for receipt in &receipts[1..5] {
        let Receipt::Recorded(placed) = receipt else {
            panic!("{receipt:?}");
        };
        let what = What::Event(placed.id, Some([Part::Objects].into_iter().collect()));
        let reason = "Request 4711".parse().unwrap();
        let erased = log
            .store
            .erase(&settings, &what, &reason, &operator())
            .await;
        erased.unwrap();
        while log.store.remove_some().await.unwrap() != Removal::Nothing {}
    }
    let found = log.blame(&scope, Asked::default()).await;
    assert_eq!(found.events_read, 2);
    let of_its_kind = GapKind::ObjectsErased;
    assert_eq!(gaps(&found), [(of_its_kind, Some(at(10)), Some(at(20)))]);
    let asked = Asked {
        at: Some(at(15)),
        ..Asked::default()
    };
    let then = log.blame(&scope, asked).await;
    assert_eq!(gaps(&then), [(of_its_kind, Some(at(10)), Some(at(10)))]);
}

#[tokio::test]
async fn what_retention_took_is_a_gap_and_what_is_left_tells_what_it_can() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = log.scope("acme/growth").await;
    let first = change(
        "SERVICE_CREATED",
        "2026-03-01T08:00:00Z",
        Value::Null,
        json!({"a": 1, "b": 1}),
    );
    let second = change(
        "SERVICE_UPDATED",
        "2026-05-12T08:00:00Z",
        json!({"a": 1, "b": 1}),
        json!({"a": 2, "b": 1}),
    );
    log.record(&grant, vec![first, second]).await;
    let settings = log.store.operator_settings(&growth()).await.unwrap();
    let (settings, by) = (settings.unwrap(), operator());
    let change = SettingsChange {
        retention: Some("30d".parse::<Retention>().unwrap()),
        now: true,
        ..SettingsChange::default()
    };
    let changed = log.store.change_settings(&settings, change, &by);
    changed.await.unwrap();
    let expiring = log.store.expiring_log(&growth()).await.unwrap().unwrap();
    let released = log.store.release(&expiring, Occasion::Asked, &by);
    let Released::Made(release, _) = released.await.unwrap() else {
        panic!("nothing had expired");
    };
    while log.store.remove_some().await.unwrap() != Removal::Nothing {}

    let found = log.blame(&scope, Asked::default()).await;
    assert_eq!(
        lines(&found.blame.fields),
        ["a = 2 by Alex Kim (1)", "b = 1 by initial (0)"]
    );
    assert_eq!(
        gaps(&found),
        [(GapKind::Retention, None, Some(release.before))]
    );
}

#[tokio::test]
async fn a_long_history_is_read_in_pieces_and_told_whole() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = log.scope("acme/growth").await;
    let at = |n: i64| time(BEGINNING).plus(chrono::TimeDelta::seconds(n - 3_000));
    let mut events: Vec<NewEvent> = (1..1_300)
        .map(|n| {
            let (before, after) = (json!({"n": n - 1}), json!({"n": n}));
            change("SERVICE_UPDATED", &at(n).to_string(), before, after)
        })
        .collect();
    events.reverse();
    for some in events.chunks(400) {
        log.record(&grant, some.to_vec()).await;
    }
    let asked = Asked {
        field: Some("n".parse::<Path>().unwrap()),
        ..Asked::default()
    };
    let found = log.blame(&scope, asked).await;
    let [field] = found.blame.fields.as_slice() else {
        panic!("{:?}", found.blame.fields);
    };
    assert_eq!(field.last.changes, 1_299);
    let values: Vec<i64> = field
        .history
        .iter()
        .filter_map(|setting| setting.value.as_ref()?.as_i64())
        .collect();
    assert_eq!(values, (0..1_300).collect::<Vec<_>>());
}

/// What is told, without the ids, which rise with the order of arrival.
fn told(found: &ObjectBlame) -> (Vec<String>, Vec<String>, u64) {
    let blame = &found.blame;
    (lines(&blame.fields), lines(&blame.removed), blame.changes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_order_of_arrival_it_is_told_the_same(
        steps in proptest::collection::vec((0..3_i64, 0..3_u8, any::<bool>()), 2..7),
        order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        // Some at the same instant.
        let mut second = 0;
        let mut was = Value::Null;
        let mut events = Vec::new();
        for (later, value, both) in steps {
            second += later;
            let is = json!({"a": value, "l": vec![value; usize::from(value)]});
            let at = time("2026-05-12T08:00:00Z").plus(chrono::TimeDelta::seconds(second));
            let before = if both { was } else { Value::Null };
            events.push(change("SERVICE_UPDATED", &at.to_string(), before, is.clone()));
            was = is;
        }
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let of = |events: Vec<Vec<NewEvent>>| runtime.block_on(async {
            let log = Log::new().await;
            let grant = log.token("acme/growth").await;
            let scope = log.scope("acme/growth").await;
            for some in events {
                log.record(&grant, some).await;
            }
            let found = log.blame(&scope, Asked::default()).await;
            log.store.close().await;
            told(&found)
        });
        let in_time = of(vec![events.clone()]);
        let shuffled = order.iter().filter_map(|at| events.get(*at).cloned());
        let shuffled = of(shuffled.map(|event| vec![event]).collect());
        prop_assert_eq!(in_time, shuffled);
    }
}

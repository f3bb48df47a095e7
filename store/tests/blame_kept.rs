//! What folds of long histories came to is kept, and never tells anything else than a fold from the
//! beginning: whatever was recorded late, removed, or read otherwise since, and by whom.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    blame::{Asked, GapKind, Origin},
    catalogue::OwnedEntry,
    category::Category,
    event::{Event, NewEvent, Part},
    question::{Query, Subject},
    retention::Retention,
    slug::WorkspacePath,
    time::Timestamp,
    verb::Verb,
};
use log::{Log, event, object, operator, time, user};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::{
    Options, Scope, Store,
    access::TokenGrant,
    administration::By,
    blame::{BlameQuery, ObjectBlame},
    erasure::What,
    recording::{Door, Redaction},
    retention::{Occasion, Released, Removal},
    settings::SettingsChange,
};

fn growth() -> WorkspacePath {
    "acme/growth".parse().unwrap()
}

fn query(asked: &Asked) -> BlameQuery {
    BlameQuery {
        workspace: None,
        subject: Subject {
            kind: "service".parse().unwrap(),
            id: "svc_1".to_owned(),
        },
        asked: asked.clone(),
    }
}

/// A day of the log: `0` is one that has not expired, earlier ones have once it is kept for 30 days.
fn at(day: i64, second: i64) -> Timestamp {
    let begin = time("2026-05-10T08:00:00Z");
    begin.plus(chrono::TimeDelta::seconds(day * 86_400 + second))
}

fn change(occurred_at: Timestamp, name: &str, before: Value, after: Value) -> NewEvent {
    let state = |state: Value| match state {
        Value::Object(members) => Some(members),
        _ => None,
    };
    let target = object("service", "svc_1", name);
    let mut event = event(
        user("usr_1", "Alex Kim"),
        "SERVICE_UPDATED",
        target,
        &occurred_at.to_string(),
    );
    event.before = state(before);
    event.after = state(after);
    event
}

/// The event number `n`, at that second of the day 0.
fn nth(n: i64) -> NewEvent {
    let state = |n: i64| json!({"n": n, "l": [n, n - 1], "same": true});
    change(at(0, n), "Checkout", state(n - 1), state(n))
}

/// A log that another store reads and writes too, which keeps nothing.
struct Both {
    log: Log,
    other: Store,
    grant: TokenGrant,
    scope: Scope,
}

impl Both {
    async fn new() -> Self {
        let log = Log::new().await;
        let grant = log.token("acme/growth").await;
        let other = Options {
            fold_kept_from: usize::MAX,
            ..Log::options(&log.folder, &log.clock)
        };
        Self {
            other: Store::open(other).await.unwrap(),
            scope: grant.read_scope().unwrap(),
            log,
            grant,
        }
    }

    async fn close(self) {
        self.other.close().await;
        self.log.store.close().await;
    }

    async fn record(&self, events: Vec<NewEvent>) {
        self.record_with(&self.log.store, events).await;
    }

    /// By the other process.
    async fn record_beside(&self, events: Vec<NewEvent>) {
        self.record_with(&self.other, events).await;
    }

    /// What is older than the log keeps is not taken.
    async fn record_with(&self, store: &Store, events: Vec<NewEvent>) {
        let door = Door::token(&self.grant, Redaction::On).unwrap();
        let events = events.into_iter();
        let admitted = events.filter_map(|event| store.admit(&door, event).ok());
        store.record(admitted.collect()).await.unwrap();
    }

    /// What both tell, which must be the same, and how many events were read for it by the one that keeps
    /// something.
    async fn ask(&self, asked: &Asked) -> (Option<ObjectBlame>, usize) {
        let query = query(asked);
        let kept = self.log.store.blame(&self.scope, &query).await.unwrap();
        let plain = self.other.blame(&self.scope, &query).await.unwrap();
        let read = kept.as_ref().map_or(0, |found| found.events_read);
        let alike = |found: Option<ObjectBlame>| {
            found.map(|mut found| {
                found.events_read = 0;
                found
            })
        };
        let (kept, plain) = (alike(kept), alike(plain));
        assert_eq!(kept, plain, "{asked:?}");
        (kept, read)
    }

    async fn ask_now(&self) -> usize {
        self.ask(&Asked::default()).await.1
    }

    /// Keeps the log for 30 days from now on, and removes what is older.
    async fn release(&self) {
        let store = &self.log.store;
        let settings = store.operator_settings(&growth()).await.unwrap().unwrap();
        let change = SettingsChange {
            retention: Some("30d".parse::<Retention>().unwrap()),
            now: true,
            ..SettingsChange::default()
        };
        let by = operator();
        store.change_settings(&settings, change, &by).await.unwrap();
        let expiring = store.expiring_log(&growth()).await.unwrap().unwrap();
        let released = store.release(&expiring, Occasion::Asked, &by).await;
        if let Released::Made(..) = released.unwrap() {
            self.carry_out().await;
        }
    }

    async fn carry_out(&self) {
        while self.log.store.remove_some().await.unwrap() != Removal::Nothing {}
    }

    /// Erases a part of the object's first event that still has it. The index reads as what is left.
    async fn erase(&self, part: Part) {
        let mut events = self.log.walk(&self.scope, &Query::default()).await;
        events.retain(|event| {
            event.action.as_str() == "SERVICE_UPDATED" && !event.erased.contains(&part)
        });
        let Some(first) = events.iter().min_by_key(|event| event.seq) else {
            return;
        };
        let store = &self.log.store;
        let settings = store.operator_settings(&growth()).await.unwrap().unwrap();
        let what = What::Event(first.id, Some([part].into_iter().collect()));
        let reason = "Request 4711".parse().unwrap();
        let erased = store.erase(&settings, &what, &reason, &operator()).await;
        erased.unwrap();
        self.carry_out().await;
    }
}

#[tokio::test]
async fn what_decides_in_one_instant_is_read_of_every_event() {
    let both = Both::new().await;
    let named = |name| change(at(0, 1), name, Value::Null, json!({"n": 1}));
    both.record(vec![named("Checkout"), named("Till")]).await;
    let (found, _) = both.ask(&Asked::default()).await;
    let events = both.log.walk(&both.scope, &Query::default()).await;
    let first = |event: &&Event| event.target.name.as_deref() == Some("Checkout");
    let first = events.iter().find(first).unwrap();
    match &found.unwrap().blame.fields[0].last.origin {
        Origin::Event(author) => assert_eq!(author.event, first.id),
        origin => panic!("{origin:?}"),
    }
    both.close().await;
}

#[tokio::test]
async fn the_next_question_begins_where_the_last_one_came_to() {
    let both = Both::new().await;
    let events = |from: i64, to: i64| (from..to).map(nth).collect::<Vec<_>>();
    both.record(events(1, 21)).await;
    assert_eq!(both.ask_now().await, 20);
    assert_eq!(both.ask_now().await, 0);
    both.record(events(21, 24)).await;
    assert_eq!(both.ask_now().await, 3);
    // An earlier moment, and a comparison with one.
    let then = Some(at(0, 10));
    let read = async |asked: Asked| both.ask(&asked).await.1;
    let of_moment = Asked {
        at: then,
        ..Asked::default()
    };
    let of_earlier = read(of_moment).await;
    assert!(of_earlier < 3, "{of_earlier}");
    let compared = Asked {
        compare: then,
        ..Asked::default()
    };
    let after_the_moment = 13;
    let of_compared = read(compared).await;
    assert!(
        (after_the_moment..16).contains(&of_compared),
        "{of_compared}"
    );
    // A field's history is kept by itself.
    let field = Asked {
        field: Some("n".parse().unwrap()),
        ..Asked::default()
    };
    assert_eq!(read(field.clone()).await, 23);
    assert_eq!(read(field).await, 0);
    both.close().await;
}

#[tokio::test]
async fn an_event_that_arrives_late_is_told_from_any_process() {
    let both = Both::new().await;
    let events: Vec<NewEvent> = (1..21).map(|n| nth(2 * n)).collect();
    both.record(events).await;
    assert_eq!(both.ask_now().await, 20);
    // By another process.
    let late = change(at(0, 21), "Checkout", Value::Null, json!({"late": true}));
    both.record_beside(vec![late]).await;
    let (found, read) = both.ask(&Asked::default()).await;
    let is_late = |field: &domain::blame::Field| field.path.to_string() == "late";
    assert!(found.unwrap().blame.fields.iter().any(is_late));
    assert!((11..16).contains(&read), "{read}");
    assert_eq!(both.ask_now().await, 0);
    // At the instant of the last one that was folded.
    let same = change(at(0, 40), "Checkout", Value::Null, json!({"same": 2}));
    both.record(vec![same]).await;
    let read = both.ask_now().await;
    assert!((2..9).contains(&read), "{read}");
    both.close().await;
}

#[tokio::test]
async fn what_retention_took_is_in_no_fold_that_is_kept() {
    let both = Both::new().await;
    let old = (1..11).map(|n| change(at(-60, n), "Checkout", Value::Null, json!({"old": n})));
    let mut events: Vec<NewEvent> = old.collect();
    events.extend((1..11).map(nth));
    both.record(events).await;
    assert_eq!(both.ask_now().await, 20);
    assert_eq!(both.ask_now().await, 0);
    both.release().await;
    let (found, read) = both.ask(&Asked::default()).await;
    assert_eq!(read, 10);
    let found = found.unwrap();
    let is_old = |field: &domain::blame::Field| field.path.to_string() == "old";
    assert!(!found.blame.fields.iter().any(is_old));
    assert_eq!(found.gaps.len(), 1);
    assert_eq!(both.ask_now().await, 0);
    both.close().await;
}

#[tokio::test]
async fn what_was_erased_is_in_no_fold_that_is_kept_and_afterwards_folds_are_kept_again() {
    let both = Both::new().await;
    both.record((1..21).map(nth).collect()).await;
    assert_eq!(both.ask_now().await, 20);
    assert_eq!(both.ask_now().await, 0);
    both.erase(Part::Change).await;
    let (found, read) = both.ask(&Asked::default()).await;
    assert_eq!(read, 20);
    assert!(
        found
            .unwrap()
            .gaps
            .iter()
            .any(|gap| gap.kind == GapKind::Erased)
    );
    assert_eq!(both.ask_now().await, 0);
    both.erase(Part::Objects).await;
    let (found, read) = both.ask(&Asked::default()).await;
    assert_eq!(read, 19);
    let gaps = found.unwrap().gaps;
    assert!(gaps.iter().any(|gap| gap.kind == GapKind::ObjectsErased));
    assert_eq!(both.ask_now().await, 0);
    both.close().await;
}

/// What an action is may be changed while an answer is made of many events with it.
#[tokio::test]
async fn an_answer_reads_all_actions_through_one_catalogue() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let events = (1..301).map(|n| {
        let mut event = nth(n);
        event.action = "service:look".parse().unwrap();
        event
    });
    log.record(&grant, events.collect()).await;
    let owner = log.owner("acme/growth").await;
    let settings = owner.settings_scope(&growth()).unwrap();
    let by = By::person(&owner, None);
    let entry = |verb: Verb| OwnedEntry {
        action: "service:look".parse().unwrap(),
        category: Category::CrmSyncs,
        verb,
        label: "Service".parse().unwrap(),
    };
    let scope = grant.read_scope().unwrap();
    let of = async || {
        let found = log.store.blame(&scope, &query(&Asked::default())).await;
        found.unwrap().map(|found| {
            let fields = found.blame.fields.iter();
            fields.map(|field| field.last.changes).max().unwrap_or(0)
        })
    };
    // What one question finds to be changed, the others that are on their way read through.
    let asking = async || {
        let mut told = BTreeSet::new();
        for _ in 0..50 {
            told.insert(of().await);
        }
        told
    };
    let changing = async {
        let store = &log.store;
        loop {
            for verb in [Verb::Update, Verb::Read] {
                let entry = entry(verb);
                let added = store.add_catalogue_entry(&settings, &entry, &by);
                added.await.unwrap();
                let removed = store.remove_catalogue_entry(&settings, &entry.action, &by);
                removed.await.unwrap();
            }
        }
    };
    let told = tokio::select! {
        (one, other) = async { tokio::join!(asking(), asking()) } => &one | &other,
        () = changing => unreachable!("it goes on for ever"),
    };
    assert!(
        told.is_subset(&BTreeSet::from([Some(0), Some(300)])),
        "{told:?}"
    );
    log.store.close().await;
}

#[tokio::test]
async fn an_action_that_is_read_otherwise_since_is_folded_anew() {
    let both = Both::new().await;
    let mut events: Vec<NewEvent> = (1..11).map(nth).collect();
    events[9].action = "service:away".parse().unwrap();
    events[9].after = None;
    both.record(events).await;
    let (found, _) = both.ask(&Asked::default()).await;
    assert!(found.unwrap().blame.exists());
    assert_eq!(both.ask_now().await, 0);
    let owner = both.log.owner("acme/growth").await;
    let settings = owner.settings_scope(&growth()).unwrap();
    let away = OwnedEntry {
        action: "service:away".parse().unwrap(),
        category: Category::CrmSyncs,
        verb: Verb::Delete,
        label: "Service gone".parse().unwrap(),
    };
    let by = By::person(&owner, None);
    let added = both.log.store.add_catalogue_entry(&settings, &away, &by);
    added.await.unwrap();
    let (found, read) = both.ask(&Asked::default()).await;
    assert!(!found.unwrap().blame.exists());
    assert_eq!(read, 10);
    both.close().await;
}

/// Something that happens to a log.
#[derive(Clone, Debug)]
enum Happens {
    /// Events are recorded: on which day, at which second, what they say, under which name.
    Recorded(Vec<(i64, i64, u8, bool)>, bool),
    /// What is old is removed.
    Released,
    /// A part of the first event is erased.
    Erased(Part),
    /// Somebody asks.
    Asked(Option<i64>, Option<i64>, Option<&'static str>),
}

fn happens() -> impl Strategy<Value = Happens> {
    let event = (
        prop_oneof![6 => Just(0_i64), 1 => Just(-60_i64)],
        0..12_i64,
        0..6_u8,
        any::<bool>(),
    );
    let moment = || proptest::option::weighted(0.4, 0..14_i64);
    let field = proptest::option::weighted(0.3, prop_oneof![Just("n"), Just("l")]);
    prop_oneof![
        4 => (proptest::collection::vec(event, 1..6), any::<bool>())
            .prop_map(|(events, beside)| Happens::Recorded(events, beside)),
        1 => Just(Happens::Released),
        1 => prop_oneof![Just(Part::Change), Just(Part::Objects), Just(Part::Actor)]
            .prop_map(Happens::Erased),
        5 => (moment(), moment(), field).prop_map(|(at, compare, field)| Happens::Asked(at, compare, field)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_the_log_it_is_told_as_from_the_beginning(
        steps in proptest::collection::vec(happens(), 6..20),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let both = Both::new().await;
            for step in steps {
                match step {
                    Happens::Recorded(events, beside) => {
                        let events = events.into_iter().map(|(day, second, says, is_renamed)| {
                            let name = if is_renamed { "Checkout" } else { "Till" };
                            let state = |n: u8| json!({"n": n, "l": vec![n; usize::from(n)]});
                            let before = if says % 2 == 0 { state(says / 2) } else { Value::Null };
                            let after = if says == 5 { Value::Null } else { state(says) };
                            change(at(day, second), name, before, after)
                        });
                        let events = events.collect();
                        if beside {
                            both.record_beside(events).await;
                        } else {
                            both.record(events).await;
                        }
                    }
                    Happens::Released => both.release().await,
                    Happens::Erased(part) => both.erase(part).await,
                    Happens::Asked(moment, compare, field) => {
                        let asked = Asked {
                            at: moment.map(|second| at(0, second)),
                            compare: compare.map(|second| at(0, second)),
                            field: field.map(|field| field.parse().unwrap()),
                        };
                        both.ask(&asked).await;
                        both.ask_now().await;
                    }
                }
            }
            both.close().await;
        });
    }
}

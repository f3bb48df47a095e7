//! Walking all pages of any answer gives exactly what filtering and sorting all events in memory
//! gives: each event once, also while events are being added, early and late ones.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    catalogue::{Catalogue, OwnedEntry},
    category::Category,
    event::{Actor, ActorKind, Event, Given, NewEvent, Outcome, Target},
    question::{BucketsMost, Filter, HistogramQuery, Limit, Moment, Order, Query, Sort, Span},
    retention::Retention,
    role::Role,
    time::Timestamp,
    verb::Verb,
};
use log::{BEGINNING, Log, operator, time};
use proptest::{prelude::*, sample::select};
use std::collections::{BTreeMap, HashMap};
use store::{
    Scope, Store, access::ExportScope, administration::By, export::Format, question::Count,
    settings::SettingsChange,
};
use tokio::runtime::Runtime;

/// Names that differ by case, length and script, with some that are part of others.
const NAMES: [&str; 6] = ["Alex Kim", "alex kim", "Åse", "ÅSE Berg", "Kim", "%_*"];
const ACTIONS: [&str; 6] = [
    "MEMBER_REMOVED",
    "member_removed",
    "deployment:create",
    "secret.rotated",
    "x",
    "API_TOKEN_CREATED",
];
const KINDS: [&str; 4] = ["user", "User", "integration", "secret"];
const IDS: [&str; 4] = ["a", "b", "Alex", "rpa_7"];

fn actor() -> impl Strategy<Value = Actor> {
    let id = select(&IDS[..]);
    let name = proptest::option::of(select(&NAMES[..]));
    let email = proptest::option::of(select(&["alex@acme.example", "ÅSE@acme.example"][..]));
    (select(ActorKind::ALL), id, name, email).prop_map(|(kind, id, name, email)| Actor {
        kind,
        id: (!kind.is_nobody() || id == "a").then(|| id.to_owned()),
        name: name.map(str::to_owned),
        email: email.map(str::to_owned),
    })
}

fn target() -> impl Strategy<Value = Target> {
    (
        select(&KINDS[..]),
        proptest::option::of(select(&IDS[..])),
        proptest::option::of(select(&NAMES[..])),
    )
        .prop_map(|(kind, id, name)| Target {
            kind: kind.parse().unwrap(),
            id: id.map(str::to_owned),
            name: name.map(str::to_owned),
            url: None,
        })
}

/// An event within two days of the beginning; many share their moment.
fn event() -> impl Strategy<Value = NewEvent> {
    (
        (actor(), proptest::collection::vec(actor(), 0..3)),
        (
            select(&ACTIONS[..]),
            proptest::option::of(select(&["v", "w"][..])),
        ),
        (target(), proptest::collection::vec(target(), 0..3)),
        (select(Outcome::ALL), 0_i64..20, any::<bool>()),
        proptest::option::weighted(0.2, select(&domain::verb::Verb::ALL[..])),
        proptest::option::weighted(0.2, select(&domain::category::Category::ALL[..])),
    )
        .prop_map(
            |((actor, via), (action, operation), (target, related), rest, verb, category)| {
                let (outcome, at, early) = rest;
                let hours = chrono::TimeDelta::hours(if early { -at } else { at % 3 - 2 });
                let mut event = NewEvent::new(actor, action.parse().unwrap(), target);
                event.via = via;
                event.operation = operation.map(str::to_owned);
                event.related = related;
                event.outcome = outcome;
                event.verb = verb;
                event.category = category;
                event.occurred_at = Some(time(BEGINNING).plus(hours));
                event
            },
        )
}

fn some<T: Clone + std::fmt::Debug + 'static>(
    values: &'static [T],
) -> impl Strategy<Value = Vec<T>> {
    prop_oneof![
        3 => Just(Vec::new()),
        1 => proptest::sample::subsequence(values.to_vec(), 1..=values.len().min(3)),
    ]
}

fn texts(values: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    some(values).prop_map(|values| values.into_iter().map(str::to_owned).collect())
}

fn moment() -> impl Strategy<Value = Option<Moment>> {
    proptest::option::weighted(
        0.2,
        select(
            &[
                "2026-05-11",
                "2026-05-12T08:00",
                "2026-05-12T09:00:00Z",
                "2026-05-11T15:00:00Z",
            ][..],
        )
        .prop_map(|text| text.parse().unwrap()),
    )
}

fn query() -> impl Strategy<Value = Query> {
    let sought = || {
        proptest::option::weighted(
            0.25,
            select(
                &[
                    "kim",
                    "ÅSE",
                    "a",
                    "%",
                    "e",
                    "nobody",
                    "system",
                    "REMOVED",
                    "Member removed",
                ][..],
            )
            .prop_map(str::to_owned),
        )
    };
    let filter = (
        (
            some(&domain::category::Category::ALL),
            some(&domain::verb::Verb::ALL),
        ),
        (
            texts(&ACTIONS),
            some(Outcome::ALL),
            texts(&IDS),
            some(ActorKind::ALL),
        ),
        (texts(&IDS), texts(&KINDS), texts(&IDS)),
        (
            sought(),
            sought(),
            proptest::option::weighted(0.1, Just("v".to_owned())),
        ),
        (moment(), moment()),
    )
        .prop_map(|(classes, acted, objects, texts, (since, until))| Filter {
            category: classes.0,
            verb: classes.1,
            action: acted
                .0
                .iter()
                .map(|action| action.parse().unwrap())
                .collect(),
            outcome: acted.1,
            actor_id: acted.2,
            actor_kind: acted.3,
            via_id: objects.0,
            target_kind: objects.1.iter().map(|kind| kind.parse().unwrap()).collect(),
            target_id: objects.2,
            actor: texts.0,
            q: texts.1,
            operation: texts.2,
            since,
            until,
            ..Filter::default()
        });
    (
        prop_oneof![1 => Just(Filter::default()), 4 => filter],
        select(&Sort::ALL[..]),
        proptest::option::of(select(&[Order::Ascending, Order::Descending][..])),
        1_u16..8,
    )
        .prop_map(|(filter, sort, order, limit)| Query {
            filter,
            sort,
            order,
            limit: Limit::try_from(limit).ok(),
            cursor: None,
        })
}

/// What filtering and sorting in memory gives.
fn expected(all: &[Event], query: &Query, now: Timestamp) -> Vec<u64> {
    expected_with(&Catalogue::default(), all, query, now)
}

/// The same, with actions called as a catalogue has them.
fn expected_with(catalogue: &Catalogue, all: &[Event], query: &Query, now: Timestamp) -> Vec<u64> {
    let span: Span = query.filter.span(now);
    let mut events: Vec<&Event> = all
        .iter()
        .filter(|event| {
            let label = catalogue.reading(event.action.as_str()).label.into_owned();
            query.filter.matches(event, &label, span)
        })
        .collect();
    let text = |event: &Event| match query.sort {
        Sort::Time => String::new(),
        Sort::Action => event.action.as_str().to_lowercase(),
        Sort::TargetKind => event.target.kind.as_str().to_lowercase(),
        Sort::Actor => event.actor.actor.sort_name().to_lowercase(),
    };
    events.sort_by_key(|event| (text(event), event.occurred_at, event.seq));
    if query.direction() == Order::Descending {
        events.reverse();
    }
    events.into_iter().map(|event| event.seq).collect()
}

/// Walks to the end and back; while it does, `added` is recorded, piece by piece.
async fn there_and_back(
    log: &Log,
    scope: &Scope,
    query: &Query,
    grant: &store::access::TokenGrant,
    mut added: Vec<NewEvent>,
) -> (Vec<u64>, Vec<u64>) {
    let seqs = |events: &[Event]| events.iter().map(|event| event.seq).collect::<Vec<_>>();
    let mut page = log.store.page(scope, query).await.unwrap();
    assert_eq!(page.newer, None, "nothing is before the first page");
    let mut there = seqs(&page.events);
    let mut last = page.clone();
    while let Some(cursor) = page.older.clone() {
        if let Some(event) = added.pop() {
            log.record(grant, vec![event]).await;
        }
        page = log.store.page(scope, &query.at(cursor)).await.unwrap();
        assert!(page.newer.is_some(), "a later page leads back");
        there.extend(seqs(&page.events));
        last = page.clone();
    }
    let mut back = vec![seqs(&last.events)];
    while let Some(cursor) = last.newer.clone() {
        last = log.store.page(scope, &query.at(cursor)).await.unwrap();
        assert!(last.older.is_some(), "an earlier page leads on");
        back.push(seqs(&last.events));
    }
    (there, back.into_iter().rev().flatten().collect())
}

/// Each question that is asked of a scope is answered with what filtering and sorting its events in
/// memory gives, counted, walked there and walked back.
async fn expect_answers(
    log: &Log,
    scope: &Scope,
    all: &[Event],
    queries: &[Query],
    grant: &store::access::TokenGrant,
) -> Result<(), TestCaseError> {
    for query in queries {
        let wanted = expected(all, query, log.store.now());
        let count = log.store.count(scope, query).await.unwrap();
        let few = Count::Exactly(wanted.len() as u64);
        prop_assert_eq!(count, few, "{}", query.query_string());
        let (there, back) = there_and_back(log, scope, query, grant, Vec::new()).await;
        prop_assert_eq!(&there, &wanted, "{}", query.query_string());
        prop_assert_eq!(&back, &wanted, "back: {}", query.query_string());
    }
    expect_histograms(log, scope, all, queries).await?;
    // Last, because the log tells of exports.
    if let Some(scope) = grant.export_scope().ok().filter(|it| it.scope() == scope) {
        for query in queries {
            expect_exported(log, &scope, query).await?;
        }
    }
    Ok(())
}

/// When events occurred is what counting them one by one gives: by whole quarters of an hour, by parts of
/// them, and in the days of zones that are no whole hours apart.
async fn expect_histograms(
    log: &Log,
    scope: &Scope,
    all: &[Event],
    queries: &[Query],
) -> Result<(), TestCaseError> {
    let zones = ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe"];
    let asked = zones
        .iter()
        .cycle()
        .zip([100, 3, 1_000, 30].into_iter().cycle());
    for (query, (zone, most)) in queries.iter().zip(asked) {
        let mut filter = query.filter.clone();
        filter.tz = Some(zone.parse().unwrap());
        let query = HistogramQuery {
            filter,
            most: BucketsMost::try_from(most).unwrap(),
        };
        let histogram = log.store.histogram(scope, &query).await.unwrap();
        let catalogue = Catalogue::default();
        let wanted = log::counted::histogram(&catalogue, all, &query, log.store.now());
        prop_assert_eq!(histogram, wanted, "{:?}", query);
    }
    Ok(())
}

/// An export is all pages of the walk, one after the other.
async fn expect_exported(
    log: &Log,
    scope: &ExportScope,
    query: &Query,
) -> Result<(), TestCaseError> {
    let walked = log::lines(&log.walk(scope.scope(), query).await);
    let exported = log.exported(scope, query, Format::Ndjson).await;
    // What an export leaves behind is newer than what it holds.
    prop_assert_eq!(&exported, &walked, "{}", query.query_string());
    Ok(())
}

async fn everything(log: &Log, scope: &Scope) -> Vec<Event> {
    log.walk(scope, &log::limit(500)).await
}

/// What a workspace says of an action, or that it says nothing any more.
fn saying() -> impl Strategy<Value = (&'static str, Option<OwnedEntry>)> {
    let labels = [
        "Kim came",
        "removed",
        "Something else",
        "ÅSE",
        "Member removed",
    ];
    let says = (
        select(&Category::ALL[..]),
        select(&Verb::ALL[..]),
        select(labels.to_vec()),
    );
    (select(&ACTIONS[..]), proptest::option::weighted(0.7, says)).prop_map(|(action, says)| {
        let entry = says.map(|(category, verb, label)| OwnedEntry {
            action: action.parse().unwrap(),
            category,
            verb,
            label: label.parse().unwrap(),
        });
        (action, entry)
    })
}

/// Each event is read as the catalogue has it, but for what its sender gave; so are the families
/// that there is to choose from.
async fn expect_readings(
    log: &Log,
    scope: &Scope,
    catalogue: &Catalogue,
    all: &[Event],
) -> Result<(), TestCaseError> {
    let mut snapshot = log.store.snapshot(scope).await.unwrap();
    let choices = snapshot.choices().await.unwrap();
    let labels: Vec<String> = all.iter().map(|event| snapshot.label(event)).collect();
    snapshot.end().await;
    let mut families: HashMap<Category, u64> = HashMap::new();
    for (event, label) in all.iter().zip(labels) {
        let reading = catalogue.reading(event.action.as_str());
        prop_assert_eq!(&label, &reading.label);
        if !event.given.contains(&Given::Verb) {
            prop_assert_eq!(event.verb, reading.verb);
        }
        if !event.given.contains(&Given::Category) {
            prop_assert_eq!(event.category, reading.category);
        }
        *families.entry(event.category).or_default() += 1;
    }
    prop_assert_eq!(
        choices.categories.into_iter().collect::<HashMap<_, _>>(),
        families
    );
    for choice in &choices.offered.actions {
        prop_assert_eq!(
            &choice.label,
            &catalogue.reading(choice.action.as_str()).label
        );
    }
    Ok(())
}

/// What is kept for ever lies together on PostgreSQL, and all else apart from it.
async fn keep_for(log: &Log, kept: Retention) {
    let place = "acme/growth".parse().unwrap();
    let settings = log.store.operator_settings(&place).await.unwrap().unwrap();
    let keep = SettingsChange {
        retention: Some(kept),
        now: true,
        ..SettingsChange::default()
    };
    let kept = log
        .store
        .change_settings(&settings, keep, &operator())
        .await;
    kept.unwrap();
}

#[tokio::test]
async fn a_value_with_very_many_entries_is_walked_through_like_any_other() {
    for kept in [Retention::Days(90), Retention::Forever] {
        let log = Log::new().await;
        keep_for(&log, kept).await;
        let grant = log.token("acme/growth").await;
        let scope = grant.read_scope().unwrap();
        for action in ["a", "b", "c"] {
            let many = (0..700).map(|number| {
                let name = format!("Nr {}", number % 3);
                let object = log::object("user", &name, &name);
                let at = format!("2026-05-12T08:{:02}:{:02}Z", number / 60, number % 60);
                log::event(log::user(&name, &name), action, object, &at)
            });
            log.record(&grant, many.collect()).await;
        }
        let all = everything(&log, &scope).await;
        for sort in [Sort::Action, Sort::TargetKind, Sort::Actor] {
            for order in [Order::Ascending, Order::Descending] {
                let query = Query {
                    sort,
                    order: Some(order),
                    ..log::limit(100)
                };
                let wanted = expected(&all, &query, log.store.now());
                let (there, back) = there_and_back(&log, &scope, &query, &grant, Vec::new()).await;
                assert_eq!(there, wanted, "{}", query.query_string());
                assert_eq!(back, wanted, "back: {}", query.query_string());
            }
        }
        log.store.close().await;
    }
}

/// On PostgreSQL fewer: each takes several times as long there.
fn cases() -> u32 {
    if log::postgres().is_some() { 10 } else { 24 }
}

/// How far the index is kept behind: not at all, so that some is in memory, or all.
fn behind() -> impl Strategy<Value = i64> {
    prop_oneof![Just(log::index_behind()), 1..60_i64, Just(i64::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_gives_each_event_once_and_in_order(
        events in proptest::collection::vec(event(), 1..60),
        late in proptest::collection::vec(event(), 0..6),
        queries in proptest::collection::vec(query(), 12),
        kept in select(vec![Retention::Days(90), Retention::Forever]),
        behind in behind(),
    ) {
        Runtime::new().unwrap().block_on(async {
            let log = Log::behind(behind).await;
            keep_for(&log, kept).await;
            let grant = log.token("acme/growth").await;
            let scope = grant.read_scope().unwrap();
            for batch in events.chunks(7) {
                log.record(&grant, batch.to_vec()).await;
            }
            for query in &queries {
                let all = everything(&log, &scope).await;
                let wanted = expected(&all, query, log.store.now());
                let count = log.store.count(&scope, query).await.unwrap();
                let few = Count::Exactly(wanted.len() as u64);
                prop_assert_eq!(count, few, "{}", query.query_string());
                let (there, back) = there_and_back(&log, &scope, query, &grant, late.clone()).await;
                prop_assert_eq!(&there, &wanted, "{}", query.query_string());
                prop_assert_eq!(&back, &wanted, "back: {}", query.query_string());
                expect_exported(&log, &grant.export_scope().unwrap(), query).await?;
            }
            log.store.close().await;
            Ok(())
        })?;
    }

    #[test]
    fn what_a_workspace_says_of_actions_holds_for_past_events_at_the_next_look(
        events in proptest::collection::vec(event(), 1..30),
        later in event(),
        sayings in proptest::collection::vec(saying(), 1..5),
        queries in proptest::collection::vec(query(), 5),
        behind in behind(),
    ) {
        Runtime::new().unwrap().block_on(async {
            let log = Log::behind(behind).await;
            let grant = log.token("acme/growth").await;
            let scope = grant.read_scope().unwrap();
            log.record(&grant, events).await;
            let owner = log.owner("acme/growth").await;
            let settings = owner.settings_scope(&"acme/growth".parse().unwrap()).unwrap();
            let by = By::person(&owner, None);
            // What another process says, which knows nothing of this one, holds as well.
            let other = Store::open(Log::options(&log.folder, &log.clock)).await.unwrap();
            let mut known: BTreeMap<&str, OwnedEntry> = BTreeMap::new();
            for (at, (action, entry)) in sayings.into_iter().enumerate() {
                let sayer = if at % 2 == 0 { &log.store } else { &other };
                match (&entry, known.contains_key(action)) {
                    (Some(entry), false) => {
                        sayer.add_catalogue_entry(&settings, entry, &by).await.unwrap();
                    }
                    (Some(entry), true) => {
                        sayer.change_catalogue_entry(&settings, entry, &by).await.unwrap();
                    }
                    (None, true) => {
                        let action = action.parse().unwrap();
                        sayer.remove_catalogue_entry(&settings, &action, &by).await.unwrap();
                    }
                    (None, false) => {}
                }
                match entry {
                    Some(entry) => drop(known.insert(action, entry)),
                    None => drop(known.remove(action)),
                }
                log.record(&grant, vec![later.clone()]).await;
                let catalogue = Catalogue::new(known.values().cloned().collect());
                let all = everything(&log, &scope).await;
                expect_readings(&log, &scope, &catalogue, &all).await?;
                for query in &queries {
                    let wanted = expected_with(&catalogue, &all, query, log.store.now());
                    let count = log.store.count(&scope, query).await.unwrap();
                    let few = Count::Exactly(wanted.len() as u64);
                    prop_assert_eq!(count, few, "{}", query.query_string());
                    let walked = log.walk(&scope, query).await;
                    let seqs: Vec<u64> = walked.iter().map(|event| event.seq).collect();
                    prop_assert_eq!(&seqs, &wanted, "{}", query.query_string());
                    let page = other.page(&scope, query).await.unwrap();
                    prop_assert!(page.events.iter().eq(walked.iter().take(page.events.len())));
                    prop_assert_eq!(page.events.is_empty(), walked.is_empty());
                }
            }
            other.close().await;
            log.store.close().await;
            Ok(())
        })?;
    }

    #[test]
    fn a_tenants_log_is_that_of_its_workspaces_and_its_own(
        events in proptest::collection::vec((event(), 0..3_usize), 1..40),
        queries in proptest::collection::vec((query(), texts(&["growth", "revenue"])), 6),
        behind in behind(),
    ) {
        Runtime::new().unwrap().block_on(async {
            let log = Log::behind(behind).await;
            let grant = log.token("acme").await;
            let places = [None, Some("growth"), Some("revenue")];
            let events = events.into_iter().map(|(mut event, place)| {
                event.workspace = places[place].map(|slug| slug.parse().unwrap());
                event
            });
            log.record(&grant, events.collect()).await;
            let person = log.person("tina@acme.example", "acme", Role::TenantAdmin).await;
            let scope = person.tenant_scope(&"acme".parse().unwrap()).unwrap();
            let all = everything(&log, &scope).await;
            // Whatever was recorded in the tenant is there: it is numbered without a gap.
            let mut seqs: Vec<u64> = all.iter().map(|event| event.seq).collect();
            seqs.sort_unstable();
            prop_assert_eq!(&seqs, &(1..=all.len() as u64).collect::<Vec<_>>());
            let queries: Vec<Query> = queries
                .into_iter()
                .map(|(mut query, slugs)| {
                    let slugs = slugs.iter().map(|slug| slug.parse().unwrap());
                    query.filter.workspace = slugs.collect();
                    query
                })
                .collect();
            let answered = expect_answers(&log, &scope, &all, &queries, &grant).await;
            log.store.close().await;
            answered
        })?;
    }

    #[test]
    fn an_object_has_in_its_log_what_was_done_to_it_and_what_concerns_it(
        events in proptest::collection::vec(event(), 1..40),
        queries in proptest::collection::vec(query(), 6),
        behind in behind(),
    ) {
        Runtime::new().unwrap().block_on(async {
            let log = Log::behind(behind).await;
            let grant = log.token("acme/growth").await;
            let whole = grant.read_scope().unwrap();
            log.record(&grant, events).await;
            let person = log.owner("acme/growth").await;
            let subject = domain::question::Subject {
                kind: "integration".parse().unwrap(),
                id: "rpa_7".into(),
            };
            let scope =
                person.object_scope(&"acme/growth".parse().unwrap(), subject.clone()).unwrap();
            let of_it: Vec<Event> = everything(&log, &whole)
                .await
                .into_iter()
                .filter(|event| {
                    std::iter::once(&event.target).chain(&event.related).any(|it| subject.is(it))
                })
                .collect();
            expect_answers(&log, &scope, &of_it, &queries, &grant).await?;
            let whole = person.export_scope(&scope).unwrap();
            for query in &queries {
                expect_exported(&log, &whole, query).await?;
            }
            log.store.close().await;
            Ok::<(), TestCaseError>(())
        })?;
    }

    #[test]
    fn somebodys_own_log_is_what_they_did_by_id_or_by_address(
        events in proptest::collection::vec((event(), 0..4_usize), 1..40),
        queries in proptest::collection::vec(query(), 6),
        behind in behind(),
    ) {
        Runtime::new().unwrap().block_on(async {
            let log = Log::behind(behind).await;
            let grant = log.token("acme/growth").await;
            let whole = grant.read_scope().unwrap();
            let person = log.person("åse@acme.example", "acme/growth", Role::Member).await;
            let events = events.into_iter().map(|(mut event, by)| {
                match by {
                    // As Daybook names them; and somebody else whose id only looks like it.
                    0 => event.actor = log::user(&person.public_id, "Åse"),
                    1 => {
                        event.actor.kind = ActorKind::Token;
                        event.actor.id = Some(person.public_id.clone());
                    }
                    _ => {}
                }
                event
            });
            log.record(&grant, events.collect()).await;
            // The same address in another workspace is not of this log.
            let elsewhere = log.token("acme/revenue").await;
            let mut other = log::user("usr_1", "x");
            other.email = Some("åse@acme.example".to_owned());
            let on = log::object("user", "a", "A");
            log.record(&elsewhere, vec![log::event(other, "x", on, BEGINNING)]).await;

            let scope = person.own_scope(&"acme/growth".parse().unwrap()).unwrap();
            let own: Vec<Event> = everything(&log, &whole)
                .await
                .into_iter()
                .filter(|event| {
                    let actor = &event.actor.actor;
                    let email = actor.email.as_deref().map(str::to_lowercase);
                    (actor.kind == ActorKind::User && actor.id.as_ref() == Some(&person.public_id))
                        || email.as_deref() == Some("åse@acme.example")
                })
                .collect();
            let answered = expect_answers(&log, &scope, &own, &queries, &grant).await;
            log.store.close().await;
            answered
        })?;
    }
}

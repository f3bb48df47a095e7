//! When events occurred: exact whatever came and went, in the days of any zone, and honest where there is
//! no time to count all of it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    catalogue::{Catalogue, OwnedEntry},
    category::Category,
    event::{Event, NewEvent},
    question::{BucketsMost, Filter, Histogram, HistogramQuery, Step, Zone},
    retention::Retention,
    time::Timestamp,
};
use log::{BEGINNING, Log, counted, limit, operator, time};
use std::time::Duration;
use store::{
    Options, Scope, Store,
    administration::By,
    discard_index,
    retention::{Occasion, Released, Removal},
    settings::SettingsChange,
};

const ACTIONS: [&str; 4] = [
    "MEMBER_REMOVED",
    "secret.rotated",
    "API_TOKEN_CREATED",
    "deployment:create",
];

/// Events of `days` days before the beginning, one every `minutes` minutes.
fn of_days(days: i64, minutes: i64) -> Vec<NewEvent> {
    let begin = time(BEGINNING).plus(-TimeDelta::days(days));
    let numbers = 0..days * 24 * 60 / minutes;
    let at = |number| begin.plus(TimeDelta::minutes(number * minutes)).to_string();
    let actions = ACTIONS.iter().cycle();
    numbers
        .zip(actions)
        .map(|(number, action)| {
            let name = format!("Nr {}", number % 7);
            let object = log::object("user", &name, &name);
            log::event(log::user(&name, &name), action, object, &at(number))
        })
        .collect()
}

fn asked(text: &str) -> HistogramQuery {
    let (asked, faults) = HistogramQuery::read(text);
    assert_eq!(faults, []);
    asked
}

/// What there is to be asked: without a filter, by category, by something that is read, in zones whose days
/// begin at a whole hour, a quarter past, and half past.
const QUESTIONS: [&str; 9] = [
    "",
    "buckets=7&tz=Asia/Kathmandu",
    "category=members&buckets=40",
    "action=secret.rotated&tz=Australia/Lord_Howe&buckets=9",
    "since=2026-05-09&until=2026-05-10&tz=Asia/Kathmandu",
    "since=2026-05-10T07:03:11Z&until=2026-05-10T09:44:00Z",
    "actor=nr+3",
    "actor=nr&buckets=5",
    "category=members&category=secrets&range=7d&tz=America/St_Johns",
];

/// Each question is answered with what counting all events one by one gives.
async fn check(log: &Log, scope: &Scope, catalogue: &Catalogue) {
    let all: Vec<Event> = log.walk(scope, &limit(500)).await;
    for text in QUESTIONS {
        let query = asked(text);
        let told = log.store.histogram(scope, &query).await.unwrap();
        let wanted = counted::histogram(catalogue, &all, &query, log.store.now());
        assert_eq!(told, wanted, "{text}");
    }
}

async fn change(log: &Log, retention: Retention) {
    let place = "acme/growth".parse().unwrap();
    let settings = log.store.operator_settings(&place).await.unwrap().unwrap();
    let change = SettingsChange {
        retention: Some(retention),
        now: true,
        ..SettingsChange::default()
    };
    let by = operator();
    let changed = log.store.change_settings(&settings, change, &by);
    changed.await.unwrap();
}

#[tokio::test]
async fn it_is_exact_after_events_came_went_and_the_index_was_made_again() {
    is_exact(log::index_behind()).await;
}

#[tokio::test]
async fn it_is_exact_however_far_the_index_is_behind() {
    only_sqlite!();
    for behind in [100, i64::MAX] {
        is_exact(behind).await;
    }
}

async fn is_exact(behind: i64) {
    let log = Log::behind(behind).await;
    let catalogue = Catalogue::default();
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    check(&log, &scope, &catalogue).await;
    for events in of_days(20, 45).chunks(300) {
        log.record(&grant, events.to_vec()).await;
    }
    check(&log, &scope, &catalogue).await;
    // What comes late is counted where it belongs.
    let late = time(BEGINNING).plus(-TimeDelta::days(15)).to_string();
    let object = log::object("user", "late", "Late");
    let event = log::event(log::user("late", "Late"), "MEMBER_REMOVED", object, &late);
    log.record(&grant, vec![event]).await;
    check(&log, &scope, &catalogue).await;

    change(&log, Retention::Days(14)).await;
    let path = "acme/growth".parse().unwrap();
    let expiring = log.store.expiring_log(&path).await.unwrap().unwrap();
    let by = operator();
    let released = log.store.release(&expiring, Occasion::Asked, &by);
    assert!(matches!(released.await.unwrap(), Released::Made(..)));
    while !matches!(log.store.remove_some().await.unwrap(), Removal::Nothing) {}
    check(&log, &scope, &catalogue).await;

    let Log {
        store,
        clock,
        folder,
    } = log;
    store.close().await;
    if log::postgres().is_none() {
        discard_index(&Log::options(&folder, &clock)).unwrap();
    }
    let store = Store::open(Log::options(&folder, &clock)).await.unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    let log = Log {
        store,
        clock,
        folder,
    };
    check(&log, &scope, &catalogue).await;
    log.store.close().await;
}

#[tokio::test]
async fn what_a_workspace_says_of_an_action_holds_for_what_was_counted_before() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    log.record(&grant, of_days(3, 60)).await;
    let journeys = asked("category=journeys");
    let counted = |told: &Histogram| -> u64 {
        let counts = told
            .buckets
            .iter()
            .flat_map(|bucket| bucket.counts.values());
        counts.sum()
    };
    let before = log.store.histogram(&scope, &journeys).await.unwrap();
    assert_eq!(counted(&before), 0);
    let owner = log.owner("acme/growth").await;
    let settings = owner
        .settings_scope(&"acme/growth".parse().unwrap())
        .unwrap();
    let entry = OwnedEntry {
        action: "secret.rotated".parse().unwrap(),
        category: Category::Journeys,
        verb: domain::verb::Verb::Update,
        label: "Secret rotated".parse().unwrap(),
    };
    let by = By::person(&owner, None);
    let added = log.store.add_catalogue_entry(&settings, &entry, &by);
    added.await.unwrap();
    let after = log.store.histogram(&scope, &journeys).await.unwrap();
    assert_eq!(counted(&after), 18);
    log.store.close().await;
}

#[tokio::test]
async fn a_tenants_is_that_of_all_its_workspaces() {
    let log = Log::new().await;
    for place in ["acme/growth", "acme/revenue"] {
        let grant = log.token(place).await;
        for events in of_days(6, 30).chunks(200) {
            log.record(&grant, events.to_vec()).await;
        }
    }
    let tenant = log.scope("acme").await;
    check(&log, &tenant, &Catalogue::default()).await;
    log.store.close().await;
}

#[tokio::test]
async fn where_there_is_no_time_to_count_all_the_newest_parts_are_told_and_are_right() {
    let log = Log::with(|options| Options {
        count_within: Duration::ZERO,
        count_at_once: 50,
        ..options
    })
    .await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    for events in of_days(20, 45).chunks(300) {
        log.record(&grant, events.to_vec()).await;
    }
    // What the index does not have yet is in memory, and takes no time.
    log.store.wait_for_index(|_, _| ()).await.unwrap();
    let all: Vec<Event> = log.walk(&scope, &limit(500)).await;
    let query = asked("actor=nr&buckets=30");
    let told = log.store.histogram(&scope, &query).await.unwrap();
    let wanted = counted::histogram(&Catalogue::default(), &all, &query, log.store.now());
    assert!(!told.exact);
    assert_eq!(
        (told.since, told.until, told.step),
        (wanted.since, wanted.until, wanted.step)
    );
    let (some, of_all) = (told.buckets.len(), wanted.buckets.len());
    assert!(0 < some && some < of_all, "{some} of {of_all}");
    assert_eq!(told.buckets, wanted.buckets[of_all - some..]);
    // What is kept takes no time.
    let kept = log
        .store
        .histogram(&scope, &asked("buckets=30"))
        .await
        .unwrap();
    assert_eq!(kept.exact, log::postgres().is_none());
    log.store.close().await;
}

#[tokio::test]
async fn time_in_which_nothing_was_recorded_yet_takes_none_to_count() {
    let log = Log::with(|options| Options {
        count_within: Duration::ZERO,
        ..options
    })
    .await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    log.record(&grant, of_days(2, 30)).await;
    log.store.wait_for_index(|_, _| ()).await.unwrap();
    let query = asked("actor=nr&since=2020-01-01&until=2027-01-01");
    let told = log.store.histogram(&scope, &query).await.unwrap();
    assert!(told.exact);
    let entries: u64 = told.buckets.iter().flat_map(|it| it.counts.values()).sum();
    assert_eq!(entries, 96);
    log.store.close().await;
}

#[tokio::test]
async fn the_parts_are_as_short_as_they_can_be() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    log.record(&grant, of_days(2, 30)).await;
    for (most, step) in [
        (1_000, Step::FiveMinutes),
        (100, Step::Hour),
        (2, Step::Week),
        (1, Step::Month),
    ] {
        let query = HistogramQuery {
            filter: Filter {
                tz: Some(Zone::utc()),
                ..Filter::default()
            },
            most: BucketsMost::try_from(most).unwrap(),
        };
        let told = log.store.histogram(&scope, &query).await.unwrap();
        assert_eq!(told.step, step, "{most}");
    }
    let first: Timestamp = time(BEGINNING).plus(-TimeDelta::days(2));
    let told = log.store.histogram(&scope, &asked("q=nr")).await.unwrap();
    assert_eq!(told.since, first);
    log.store.close().await;
}

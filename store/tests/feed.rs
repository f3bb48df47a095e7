//! Following a log: whoever does is given every event that their filter asks for once, in the order
//! of arrival, in whatever pieces they take it and whatever is recorded meanwhile.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    catalogue::Catalogue,
    event::{Actor, ActorKind, Event, NewEvent, Outcome, Target},
    question::{FeedQuery, Filter, Limit, Query, Subject},
    retention::Retention,
    role::Role,
    slug::WorkspacePath,
    time::Timestamp,
};
use log::{BEGINNING, Log, event, limit, object, operator, time, user};
use proptest::{collection::vec, prelude::*, sample::select};
use std::time::{Duration, Instant};
use store::{
    Scope, Store,
    administration::By,
    question::QuestionError,
    retention::{Occasion, Released, Removal},
    settings::SettingsChange,
};
use tokio::{runtime::Runtime, task::JoinSet};

/// Longer than anything here takes: who waits so long was not woken.
const LONG: Duration = Duration::from_secs(30);

fn growth() -> WorkspacePath {
    "acme/growth".parse().unwrap()
}

/// What a follower asks who was at `after`, as its address says the rest.
fn asked(text: &str, after: u64) -> FeedQuery {
    let (asked, faults) = FeedQuery::read(text);
    assert_eq!(faults, [], "{text}");
    FeedQuery { after, ..asked }
}

fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

/// Something that happened: `n` says what.
fn happened(n: u32) -> NewEvent {
    let turn = |by: u32, of: usize| usize::try_from(n / by).unwrap() % of;
    let kind = [ActorKind::User, ActorKind::Agent, ActorKind::System][turn(1, 3)];
    let id = format!("usr_{}", turn(3, 4));
    let name = ["Alex Kim", "alex kim", "Åse Berg", "Kim"][turn(3, 4)];
    let actor = Actor {
        kind,
        id: (kind != ActorKind::System).then_some(id),
        name: (!n.is_multiple_of(5)).then(|| name.to_owned()),
        email: n.is_multiple_of(7).then(|| "ALEX@acme.example".to_owned()),
    };
    let thing = |n: usize| -> Target {
        let kind = ["user", "User", "secret"][n % 3];
        object(kind, &format!("obj_{}", n % 5), ["Kim", "ci", "ÅSE"][n % 3])
    };
    let action = ["MEMBER_REMOVED", "secret.rotated", "deployment:create"][turn(2, 3)];
    let at = time(BEGINNING).plus(TimeDelta::hours(-i64::from(n % 40)));
    let mut event = event(actor, action, thing(turn(5, 15)), &at.to_string());
    event.outcome = Outcome::ALL[turn(11, Outcome::ALL.len())];
    if n.is_multiple_of(4) {
        event.related = vec![thing(turn(13, 15)), thing(turn(17, 15))];
    }
    if n.is_multiple_of(6) {
        event.via = vec![user("agt_1", "Release assistant")];
    }
    if n.is_multiple_of(9) {
        event.operation = Some("bulk".to_owned());
    }
    event
}

/// Filters, one after the other of which may be set.
const FILTERS: [&str; 17] = [
    "category=members",
    "verb=create&verb=delete",
    "action=secret.rotated",
    "outcome=denied&outcome=failure",
    "actor=KIM",
    "actor=assistant",
    "actor_id=usr_1&actor_id=usr_3",
    "actor_kind=system",
    "via_id=agt_1",
    "target_kind=secret",
    "target_id=obj_1&target_kind=user",
    "q=åse",
    "q=Member removed",
    "operation=bulk",
    "since=2026-05-11T09:00:00Z",
    "until=2026-05-12T01:00",
    "action=NOBODY_DOES_THIS",
];

/// Whose log is followed.
#[derive(Clone, Copy, Debug)]
enum Follower {
    Tenant,
    Growth,
    Object,
    Own,
}

impl Follower {
    async fn scope(self, log: &Log) -> Scope {
        let person = || log.person("alex@acme.example", "acme/growth", Role::Owner);
        match self {
            Self::Tenant => log.scope("acme").await,
            Self::Growth => log.scope("acme/growth").await,
            Self::Object => person().await.object_scope(&growth(), subject()).unwrap(),
            Self::Own => person().await.own_scope(&growth()).unwrap(),
        }
    }

    /// What of the whole log is theirs to see.
    fn sees(self, event: &Event) -> bool {
        let of_growth = event.workspace.as_ref().map(domain::slug::Slug::as_str) == Some("growth");
        match self {
            Self::Tenant => true,
            Self::Growth => of_growth,
            Self::Object => {
                let mut objects = std::iter::once(&event.target).chain(&event.related);
                of_growth && objects.any(|object| subject().is(object))
            }
            Self::Own => {
                let email = event.actor.actor.email.as_deref();
                of_growth
                    && (email.is_some_and(|email| email.to_lowercase() == "alex@acme.example"))
            }
        }
    }
}

fn subject() -> Subject {
    Subject {
        kind: "secret".parse().unwrap(),
        id: "obj_2".to_owned(),
    }
}

/// What a filter leaves of the whole log.
fn expected(all: &[Event], follower: Follower, filter: &Filter, now: Timestamp) -> Vec<u64> {
    let (catalogue, span) = (Catalogue::default(), filter.span(now));
    let is_asked_for = |event: &&Event| {
        let label = catalogue.reading(event.action.as_str()).label.into_owned();
        follower.sees(event) && filter.matches(event, &label, span)
    };
    let mut seqs: Vec<u64> = all
        .iter()
        .filter(is_asked_for)
        .map(|event| event.seq)
        .collect();
    seqs.sort_unstable();
    seqs
}

async fn whole(log: &Log) -> Vec<Event> {
    log.walk(&log.scope("acme").await, &limit(500)).await
}

/// Follows from `after` to the end of the log, in pieces as long as `limits` say in turn.
async fn followed(
    store: &Store,
    scope: &Scope,
    filter: &Filter,
    limits: &[u16],
    after: u64,
) -> (Vec<u64>, u64) {
    let mut all = Vec::new();
    let mut next = after;
    for most in limits.iter().cycle() {
        let question = FeedQuery {
            after: next,
            filter: filter.clone(),
            limit: Limit::try_from(*most).ok(),
            ..FeedQuery::default()
        };
        let feed = store.feed(scope, &question).await.unwrap();
        let given = seqs(&feed.events);
        assert!(given.len() <= usize::from(*most), "{given:?}");
        assert!(feed.next >= next, "{} after {next}", feed.next);
        assert!(given.iter().all(|seq| (next + 1..=feed.next).contains(seq)));
        all.extend(given);
        next = feed.next;
        if feed.is_all {
            break;
        }
    }
    (all, next)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn who_follows_gets_what_filtering_all_events_gives_in_the_order_of_arrival(
        before in vec((0_u32..4_000, 0_usize..3), 0..60),
        during in vec(vec((0_u32..4_000, 0_usize..3), 1..9), 0..8),
        filters in proptest::sample::subsequence(&FILTERS[..], 0..3),
        follower in select(&[Follower::Tenant, Follower::Growth, Follower::Object, Follower::Own][..]),
        limits in vec(1_u16..12, 1..4),
    ) {
        Runtime::new().unwrap().block_on(async {
            let log = Log::new().await;
            let grant = log.token("acme").await;
            let scope = follower.scope(&log).await;
            let everything = log.scope("acme").await;
            let made = |(n, place): &(u32, usize)| {
                let mut event = happened(*n);
                let place = [Some("growth"), Some("revenue"), None][*place];
                event.workspace = place.map(|slug| slug.parse().unwrap());
                event
            };
            log.record(&grant, before.iter().map(made).collect()).await;
            // Two of the filters may name the same parameter: then the second is left out.
            let mut query = Query::default();
            for text in &filters {
                let names = query.filter.names();
                let more = Query::read(text, domain::question::Unknown::Refused).query;
                if more.filter.names().iter().all(|name| !names.contains(name)) {
                    let both = format!("{}&{text}", query.query_string());
                    query = Query::read(&both, domain::question::Unknown::Refused).query;
                }
            }
            let filter = query.filter;

            // Others record while the follower reads.
            let recording = async {
                for batch in &during {
                    log.record(&grant, batch.iter().map(made).collect()).await;
                }
            };
            let following = async {
                let (mut all, mut next) = (Vec::new(), 0);
                for _ in 0..4 {
                    let (more, to) = followed(&log.store, &scope, &filter, &limits, next).await;
                    all.extend(more);
                    next = to;
                    tokio::task::yield_now().await;
                }
                (all, next)
            };
            let ((), (mut given, next)) = tokio::join!(recording, following);
            let (rest, _) = followed(&log.store, &scope, &filter, &limits, next).await;
            given.extend(rest);
            let all = log.walk(&everything, &limit(500)).await;
            assert_eq!(given, expected(&all, follower, &filter, log.store.now()));
            log.store.close().await;
        });
    }
}

/// A log in which somebody waits for what arrives, `of` being whose and `text` what.
async fn waiting(
    log: &Log,
    scope: &Scope,
    text: &str,
) -> tokio::task::JoinHandle<(Vec<u64>, Duration)> {
    let after = log
        .store
        .feed(scope, &asked("limit=500", 0))
        .await
        .unwrap()
        .next;
    let (store, scope, question) = (log.store.clone(), scope.clone(), asked(text, after));
    let waits = tokio::spawn(async move {
        let began = Instant::now();
        let feed = store.feed(&scope, &question).await.unwrap();
        (seqs(&feed.events), began.elapsed())
    });
    // Until it waits, or at least has begun.
    tokio::task::yield_now().await;
    waits
}

fn one(action: &str) -> Vec<NewEvent> {
    vec![event(
        user("usr_1", "Alex Kim"),
        action,
        object("secret", "obj_2", "ci"),
        BEGINNING,
    )]
}

#[tokio::test]
async fn who_waits_is_answered_when_something_comes() {
    let log = Log::new().await;
    let (tenant, growth) = (log.scope("acme").await, log.scope("acme/growth").await);
    let sender = log.token("acme/growth").await;
    let waits = [
        waiting(&log, &tenant, "wait=30").await,
        waiting(&log, &growth, "wait=30").await,
        waiting(&log, &growth, "wait=30&action=SECRET_ROTATED").await,
        waiting(&log, &growth, "wait=30&q=rotated&target_id=obj_2").await,
    ];
    let placed = log.record(&sender, one("SECRET_ROTATED")).await;
    let store::recording::Receipt::Recorded(placed) = placed[0] else {
        panic!("{placed:?}");
    };
    for waits in waits {
        let (given, took) = waits.await.unwrap();
        assert_eq!(given, [placed.seq]);
        assert!(took < LONG, "{took:?}");
    }
}

#[tokio::test]
async fn who_waits_hears_of_what_another_process_recorded() {
    let log = Log::new().await;
    let sender = log.token("acme/growth").await;
    let scope = log.scope("acme/growth").await;
    let waits = waiting(&log, &scope, "wait=30&action=SECRET_ROTATED").await;
    let other = Store::open(Log::options(&log.folder, &log.clock))
        .await
        .unwrap();
    let door = store::recording::Door::token(&sender, store::recording::Redaction::On).unwrap();
    let admitted = one("SECRET_ROTATED")
        .into_iter()
        .map(|event| other.admit(&door, event).unwrap());
    other.record(admitted.collect()).await.unwrap();
    let (given, took) = waits.await.unwrap();
    assert_eq!(given.len(), 1);
    assert!(took < LONG, "{took:?}");
    other.close().await;
}

#[tokio::test]
async fn what_others_record_or_a_filter_leaves_out_ends_no_wait_and_is_looked_at_once() {
    let log = Log::new().await;
    let sender = log.token("acme").await;
    let scope = log.scope("acme/growth").await;
    let waits = waiting(&log, &scope, "wait=30&action=SECRET_ROTATED").await;
    let mut seqs = Vec::new();
    for (slug, action) in [
        ("revenue", "SECRET_ROTATED"),
        ("growth", "MEMBER_ADDED"),
        ("growth", "SECRET_ROTATED"),
    ] {
        let mut events = one(action);
        events[0].workspace = Some(slug.parse().unwrap());
        let store::recording::Receipt::Recorded(placed) = log.record(&sender, events).await[0]
        else {
            panic!("it was not recorded");
        };
        seqs.push(placed.seq);
    }
    assert_eq!(waits.await.unwrap().0, seqs[2..]);
    let feed = log
        .store
        .feed(&scope, &asked("action=MEMBER_REMOVED", seqs[0]))
        .await
        .unwrap();
    assert_eq!((feed.events.len(), feed.next), (0, seqs[2]));
    assert!(feed.is_all);
}

#[tokio::test]
async fn where_nothing_comes_the_answer_comes_after_the_wait() {
    let log = Log::new().await;
    let scope = log.scope("acme/growth").await;
    let waits = waiting(&log, &scope, "wait=1").await;
    let (given, took) = waits.await.unwrap();
    assert!(given.is_empty());
    assert!(took >= Duration::from_secs(1) && took < LONG, "{took:?}");
    // Beyond the end there is nothing either.
    let feed = log.store.feed(&scope, &asked("", 1_000_000)).await.unwrap();
    assert_eq!((feed.events.len(), feed.next), (0, 1_000_000));
}

#[tokio::test]
async fn many_who_wait_hold_up_nobody_and_all_are_answered() {
    const MANY: usize = 200;
    let log = Log::new().await;
    let sender = log.token("acme/growth").await;
    let scope = log.scope("acme/growth").await;
    let mut waits = JoinSet::new();
    for number in 0..MANY {
        let text = ["wait=30", "wait=30&action=SECRET_ROTATED"][number % 2];
        waits.spawn(waiting(&log, &scope, text).await);
    }
    // What anybody asks meanwhile is answered.
    let page = log.store.page(&scope, &Query::default()).await.unwrap();
    assert!(!page.events.is_empty());
    log.record(&sender, one("SECRET_ROTATED")).await;
    let mut answered = 0;
    while let Some(waited) = waits.join_next().await {
        let (given, took) = waited.unwrap().unwrap();
        assert_eq!(given.len(), 1);
        assert!(took < LONG, "{took:?}");
        answered += 1;
    }
    assert_eq!(answered, MANY);
}

#[tokio::test]
async fn where_the_server_stops_nobody_waits_any_longer() {
    let log = Log::new().await;
    let scope = log.scope("acme/growth").await;
    let waits = waiting(&log, &scope, "wait=30").await;
    log.store.end_waits();
    let (given, took) = waits.await.unwrap();
    assert!(given.is_empty() && took < LONG, "{given:?} {took:?}");
    let again = waiting(&log, &scope, "wait=30").await.await.unwrap();
    assert!(again.1 < LONG, "{again:?}");
}

#[tokio::test]
async fn one_answer_looks_at_so_many_numbers_and_says_how_far_it_came() {
    let log = Log::new().await;
    let sender = log.token("acme").await;
    // Somebody rotates, and somebody else removes: none does both.
    for batch in 0..12 {
        let mut events = Vec::new();
        for n in 0..1_000 {
            let (who, what) = [("usr_1", "SECRET_ROTATED"), ("usr_2", "MEMBER_REMOVED")][n % 2];
            let mut event = event(
                user(who, "Alex Kim"),
                what,
                object("secret", "obj_2", "ci"),
                BEGINNING,
            );
            event.workspace = Some("growth".parse().unwrap());
            events.push(event);
        }
        assert_eq!(log.record(&sender, events).await.len(), 1_000, "{batch}");
    }
    let head = whole(&log).await.len() as u64;
    for (place, text) in [
        ("acme/growth", "actor_id=usr_1&action=MEMBER_REMOVED"),
        ("acme", "actor_id=usr_1&action=MEMBER_REMOVED"),
        (
            "acme/revenue",
            "action=SECRET_ROTATED&action=WORKSPACE_CREATED&actor_id=usr_1",
        ),
        ("acme/revenue", "limit=500"),
    ] {
        let scope = log.scope(place).await;
        let began = Instant::now();
        // Also who would wait is told at once how far it is.
        let question = asked(&format!("{text}&wait=30"), 20);
        let feed = log.store.feed(&scope, &question).await.unwrap();
        assert!(began.elapsed() < LONG);
        assert!(feed.events.is_empty(), "{place} {text}");
        // What no actor or action of the workspace can be is known without looking.
        let is_known = place == "acme/revenue" && text != "limit=500";
        if is_known {
            continue;
        }
        assert!(!feed.is_all, "{place} {text}");
        assert_eq!(feed.next, 20 + 10_000, "{place} {text}");
        let rest = log
            .store
            .feed(&scope, &asked(text, feed.next))
            .await
            .unwrap();
        assert!(rest.is_all && rest.next > head, "{place} {text}");
    }
    // What there is, is given by the limit, however much.
    let scope = log.scope("acme/growth").await;
    let feed = log.store.feed(&scope, &asked("limit=500", 20)).await;
    let feed = feed.unwrap();
    assert_eq!((feed.events.len(), feed.is_all), (500, false));
    assert_eq!(feed.next, feed.events[499].seq);
}

#[tokio::test]
async fn what_is_deleted_is_passed_by() {
    let log = Log::new().await;
    let sender = log.token("acme/growth").await;
    let scope = log.scope("acme/growth").await;
    log.record(&sender, one("SECRET_ROTATED")).await;
    log.clock.set(time("2026-06-20T09:00:00Z"));
    let mut late = one("MEMBER_ADDED");
    late[0].occurred_at = None;
    log.record(&sender, late).await;
    let before = log.store.feed(&scope, &asked("", 0)).await.unwrap();
    let settings = log.store.operator_settings(&growth()).await.unwrap();
    let change = SettingsChange {
        retention: Some(Retention::Days(30)),
        now: true,
        ..SettingsChange::default()
    };
    log.store
        .change_settings(&settings.unwrap(), change, &operator())
        .await
        .unwrap();
    let expiring = log.store.expiring_log(&growth()).await.unwrap().unwrap();
    let released = log
        .store
        .release(&expiring, Occasion::Asked, &operator())
        .await;
    assert!(matches!(released.unwrap(), Released::Made(..)));
    while log.store.remove_some().await.unwrap() != Removal::Nothing {}

    let actions = |events: &[Event]| -> Vec<String> {
        let events = events.iter();
        events.map(|event| event.action.to_string()).collect()
    };
    let after = log.store.feed(&scope, &asked("", 0)).await.unwrap();
    assert!(actions(&before.events).contains(&"SECRET_ROTATED".to_owned()));
    assert!(!actions(&after.events).contains(&"SECRET_ROTATED".to_owned()));
    assert!(actions(&after.events).contains(&"MEMBER_ADDED".to_owned()));
    assert!(after.next > before.next);
}

#[tokio::test]
async fn a_workspace_is_asked_for_in_a_tenant_only_and_by_its_name() {
    let log = Log::new().await;
    let sender = log.token("acme").await;
    for slug in ["growth", "revenue"] {
        let mut events = one("SECRET_ROTATED");
        events[0].workspace = Some(slug.parse().unwrap());
        log.record(&sender, events).await;
    }
    let tenant = log.scope("acme").await;
    for (text, wanted) in [
        ("workspace=growth", &["growth"][..]),
        ("workspace=growth&workspace=revenue", &["growth", "revenue"]),
    ] {
        let text = format!("{text}&action=SECRET_ROTATED");
        let feed = log.store.feed(&tenant, &asked(&text, 0)).await.unwrap();
        let slugs = feed.events.iter().map(|event| event.workspace.clone());
        let slugs: Vec<String> = slugs.map(|slug| slug.unwrap().to_string()).collect();
        assert_eq!(slugs, wanted);
    }
    let growth = log.scope("acme/growth").await;
    for (scope, text) in [
        (&tenant, "workspace=nowhere"),
        (&growth, "workspace=growth"),
    ] {
        let refused = log.store.feed(scope, &asked(text, 0)).await.unwrap_err();
        assert!(
            matches!(&refused, QuestionError::Parameter { parameter, .. } if *parameter == "workspace"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn what_is_new_on_a_page_is_counted_but_for_the_reader_s_own_looks() {
    let log = Log::new().await;
    let sender = log.token("acme/growth").await;
    let owner = log.owner("acme/growth").await;
    let scope = owner.audit_scope(&growth()).unwrap();
    let me = By::person(&owner, None);
    let mut snapshot = log.store.snapshot(&scope).await.unwrap();
    let page = snapshot.page(&limit(2)).await.unwrap();
    let shown = snapshot.shown_to(&limit(2)).await.unwrap().unwrap();
    snapshot.end().await;
    assert_eq!(
        shown, page.events[0].seq,
        "the page shows all that there is"
    );
    let question = |text: &str| asked(text, shown);
    log.store.note_look(&scope, &me, &[]).await.unwrap();
    let news = log.store.news(&scope, &question(""), &me).await.unwrap();
    assert_eq!((news.entries, news.next), (0, shown + 1));

    log.record(&sender, one("SECRET_ROTATED")).await;
    let other = log.person("ruth@acme.example", "acme/growth", Role::Admin);
    let other = By::person(&other.await, None);
    log.store.note_look(&scope, &other, &[]).await.unwrap();
    let news = |text: &str| {
        let (store, scope, me) = (log.store.clone(), scope.clone(), me.clone());
        let question = question(text);
        async move { store.news(&scope, &question, &me).await.unwrap().entries }
    };
    assert_eq!(news("action=SECRET_ROTATED").await, 1);
    assert_eq!(news("action=AUDIT_LOG_READ").await, 1, "another's look");
    assert_eq!(news("action=MEMBER_REMOVED").await, 0);

    // A later page shows the log as it was when the walk began: what came since is new to it.
    let mut snapshot = log.store.snapshot(&scope).await.unwrap();
    let second = limit(2).at(page.older.unwrap());
    assert_eq!(snapshot.shown_to(&second).await.unwrap(), Some(shown));
    let strange = limit(2).at("strange");
    assert_eq!(snapshot.shown_to(&strange).await.unwrap(), None);
    snapshot.end().await;
}

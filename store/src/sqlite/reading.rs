//! What a page reads: as SQLite tells that it would, and as it then does.
//!
//! No page scans a table of the index or sorts what it need not: each statement seeks where its plan
//! says. What SQLite says of them stands in `tests/snapshots/reading.txt`; where that is to change,
//! `DAYBOOK_WRITE_SNAPSHOTS=1` writes it anew, to be looked at before it is committed.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../tests/log/mod.rs"]
pub(crate) mod log;

use super::{find::Search, sql::made_of_our_own_texts};
use crate::{
    blame::BlameQuery, cursor::Place, dictionary::Dictionary, objects::ObjectsQuery, plan::CHUNK,
};
use domain::{
    blame::Asked,
    event::{NewEvent, Outcome, Target},
    question::{Limit, Order, Query, Sort, Subject, Unknown},
    role::Role,
};
use log::{BEGINNING, Log, event, object, operator, time, user};
use sqlx::Row;
use std::{
    collections::BTreeSet,
    env,
    fmt::{self, Write as _},
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use store::{Scope, Store};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Every filter alone, pairs of them, and every sort, alone and with filters.
const QUESTIONS: [&str; 34] = [
    "",
    "order=asc",
    "since=2026-05-12T08:00:00Z",
    "until=2026-05-12T08:00:00Z",
    "range=24h",
    "category=members",
    "verb=create",
    "action=MEMBER_REMOVED",
    "action=MEMBER_REMOVED&action=SECRET_ROTATED",
    "outcome=denied",
    "outcome=failure&outcome=denied",
    "actor=person 7",
    "actor_id=usr_3",
    "actor_id=usr_3&actor_id=usr_5",
    "actor_kind=agent",
    "via_id=agt_1",
    "target_kind=secret",
    "target_id=obj_18",
    "target_kind=secret&target_id=obj_18",
    "q=obj_18",
    "q=removed",
    "operation=bulk-3",
    "actor_id=usr_3&action=MEMBER_REMOVED",
    "actor_id=usr_3&outcome=denied",
    "target_id=obj_18&outcome=failure",
    "action=MEMBER_REMOVED&since=2026-05-12T08:00:00Z",
    "operation=bulk-3&actor_id=usr_10",
    "sort=actor",
    "sort=actor&order=desc",
    "sort=action",
    "sort=target_kind",
    "sort=actor&action=MEMBER_REMOVED",
    "sort=action&actor_id=usr_3",
    "sort=target_kind&target_id=obj_18",
];

/// Of these, those of which a page is full after as many entries as it has events, because their
/// filter is the way in, or there is none.
const FULL_AT_ONCE: [&str; 18] = [
    "",
    "order=asc",
    "since=2026-05-12T08:00:00Z",
    "range=24h",
    "category=members",
    "action=MEMBER_REMOVED",
    "action=MEMBER_REMOVED&action=SECRET_ROTATED",
    "outcome=denied",
    "outcome=failure&outcome=denied",
    "actor_id=usr_3",
    "actor_id=usr_3&actor_id=usr_5",
    "target_kind=secret",
    "target_id=obj_18",
    "operation=bulk-3",
    "sort=actor",
    "sort=actor&order=desc",
    "sort=action",
    "sort=target_kind",
];

/// A log of so many events, one a second until the beginning, whose values come in turns.
async fn log_of(events: u64) -> (Log, Scope) {
    const ACTIONS: [&str; 7] = [
        "DEPLOYMENT_CREATED",
        "DEPLOYMENT_UPDATED",
        "MEMBER_ADDED",
        "MEMBER_REMOVED",
        "PIPELINE_RUN",
        "SECRET_ROTATED",
        "SECRET_READ",
    ];
    const KINDS: [&str; 5] = ["deployment", "user", "pipeline", "secret", "service"];
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let turn = |n: u64, of: usize| usize::try_from(n % of as u64).unwrap();
    let made = |n: u64| -> NewEvent {
        let person = turn(n * 7, 40);
        let actor = user(&format!("usr_{person}"), &format!("Person {person}"));
        let thing = turn(n * 11, 60);
        let target: Target = object(
            KINDS[turn(thing as u64, 5)],
            &format!("obj_{thing}"),
            &format!("Thing {thing}"),
        );
        let mut made = event(actor, ACTIONS[turn(n * 3, 7)], target, BEGINNING);
        let ago = chrono::TimeDelta::seconds(i64::try_from(events - n).unwrap());
        made.occurred_at = Some(time(BEGINNING).plus(-ago));
        made.outcome = match n % 21 {
            3 => Outcome::Failure,
            7 => Outcome::Denied,
            _ => Outcome::Success,
        };
        if n.is_multiple_of(6) {
            let mut agent = user(&format!("agt_{}", turn(n / 6, 4)), "Release assistant");
            agent.kind = domain::event::ActorKind::Agent;
            if n.is_multiple_of(12) {
                made.actor = agent;
            } else {
                made.via = vec![agent];
            }
        }
        if n.is_multiple_of(9) {
            made.related = vec![object("service", &format!("obj_{}", turn(n, 60)), "Other")];
        }
        if n.is_multiple_of(10) {
            made.operation = Some(format!("bulk-{}", turn(n / 10, 10)));
        }
        made
    };
    for from in (0..events).step_by(2_000) {
        let batch = (from..events.min(from + 2_000)).map(made).collect();
        log.record(&grant, batch).await;
    }
    // What is tried is how the index is read.
    log.store.wait_for_index(|_, _| ()).await.unwrap();
    let scope = grant.read_scope().unwrap();
    (log, scope)
}

fn question(text: &str) -> Query {
    let read = Query::read(text, Unknown::Refused);
    assert!(read.faults.is_empty(), "{text}: {:?}", read.faults);
    Query {
        limit: Limit::try_from(20).ok(),
        ..read.query
    }
}

/// What the store told in its log lines: the plans, and the statements.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Line>>>);

#[derive(Clone, Debug, PartialEq)]
enum Line {
    Plan(String),
    Statement(String),
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        let line = match field.name() {
            "plan" => Line::Plan(text),
            "statement" => Line::Statement(text),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Subscriber for Told {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("store::")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Two pages of an answer: the plan of each, and the statements that it asked.
async fn two_pages(store: &Store, scope: &Scope, query: &Query) -> Vec<Line> {
    let told = Told::default();
    let listening = tracing::subscriber::set_default(told.clone());
    let first = store.page(scope, query).await.unwrap();
    assert!(!first.events.is_empty(), "{query:?} finds nothing");
    if let Some(cursor) = first.older {
        store.page(scope, &query.at(cursor)).await.unwrap();
    }
    drop(listening);
    std::mem::take(&mut *told.0.lock().unwrap())
}

/// How SQLite would carry out a statement, line by line.
async fn explained(store: &Store, statement: &str) -> Vec<String> {
    let text = made_of_our_own_texts(format!("EXPLAIN QUERY PLAN {statement}"));
    let rows = sqlx::query(text)
        .fetch_all(store.inner.readers.sqlite().unwrap())
        .await
        .unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

/// The step seeks by key, or passes over what was given or found already: a list of numbers, the
/// rows of a gathering.
fn is_no_scan(step: &str, statement: &str) -> bool {
    // From one who carries something out to the next, by the least of those that are left.
    if statement.starts_with("WITH RECURSIVE carrier") {
        return ["SCAN carrier", "SEARCH p USING PRIMARY KEY (ws=?"]
            .iter()
            .any(|known| step.starts_with(known))
            || !(step.starts_with("SCAN ") || step.starts_with("SEARCH "));
    }
    if let Some(found) = step.strip_prefix("SEARCH ") {
        return found.starts_with("x USING PRIMARY KEY (ws=?")
            || found.starts_with("p USING PRIMARY KEY (ws=? AND ")
            || found.starts_with("p USING INDEX count_pair_by_actor (ws=? AND actor=?")
            || found.starts_with("p USING COVERING INDEX count_pair_by_actor (ws=? AND actor=?");
    }
    !step.starts_with("SCAN ")
        || step.starts_with("SCAN j VIRTUAL TABLE")
        || step.starts_with("SCAN (subquery-")
}

#[tokio::test]
async fn no_page_scans_a_table_or_sorts_what_lies_in_order() {
    crate::only_sqlite!();
    // As long as there is one listener only, whether a place's log lines are of interest is asked of
    // the thread that comes by there first, and that may be another test's, to which nobody listens.
    let _another = tracing::Dispatch::new(Told::default());
    let (log, scope) = log_of(6_000).await;
    let mut snapshot = String::new();
    let mut seen = BTreeSet::new();
    for text in QUESTIONS {
        let _ = writeln!(snapshot, "? {text}");
        let mut plan = String::new();
        for line in two_pages(&log.store, &scope, &question(text)).await {
            let statement = match line {
                Line::Plan(told) => {
                    let _ = writeln!(snapshot, "  {told}");
                    seen.extend(told.split(':').next().map(str::to_owned));
                    plan = told;
                    continue;
                }
                Line::Statement(statement) => statement,
            };
            let steps = explained(&log.store, &statement).await;
            for step in &steps {
                let _ = writeln!(snapshot, "    {step}");
                assert!(
                    is_no_scan(step, &statement),
                    "{text}: {plan}\n{statement}\n{steps:#?}"
                );
            }
            let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
            // The entries of several keys are merged, those of a gathering sorted.
            let may_sort = plan.starts_with("gather")
                || statement.contains("json_each")
                || statement.contains("UNION ALL");
            assert!(
                may_sort || !sorts,
                "{text}: {plan}\n{statement}\n{steps:#?}"
            );
        }
    }
    let kinds: Vec<_> = seen.iter().map(String::as_str).collect();
    assert_eq!(kinds, ["gather", "in order", "walk"], "each kind of plan");

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/reading.txt");
    if env::var_os("DAYBOOK_WRITE_SNAPSHOTS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &snapshot).unwrap();
    }
    let known = fs::read_to_string(&file).unwrap_or_default();
    for (number, (now, then)) in snapshot.lines().zip(known.lines()).enumerate() {
        assert_eq!(now, then, "line {} of {}", number + 1, file.display());
    }
    assert_eq!(
        snapshot.len(),
        known.len(),
        "{} ends elsewhere",
        file.display()
    );
}

#[tokio::test]
async fn who_follows_a_log_reads_its_numbers_in_their_order_and_no_index() {
    crate::only_sqlite!();
    let (log, _) = log_of(500).await;
    for (places, limit) in [
        (None, None),
        (Some(&[1_i64][..]), Some(50)),
        (Some(&[1, 2][..]), None),
    ] {
        let sql = super::feed::entries(1, places, (7, 500), limit);
        let steps = explained(&log.store, &sql.text).await;
        let sought: Vec<_> = steps
            .iter()
            .filter(|step| step.starts_with("SEARCH"))
            .collect();
        assert_eq!(
            sought,
            [
                "SEARCH l USING INDEX leaf_by_seq (tenant=? AND seq>? AND seq<?)",
                "SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
            ],
            "{steps:#?}"
        );
        assert!(
            !steps.iter().any(|step| step.contains("TEMP B-TREE")),
            "{steps:#?}"
        );
    }
}

#[tokio::test]
async fn what_somebody_did_themselves_is_read_from_their_own_entries() {
    crate::only_sqlite!();
    let (log, _) = log_of(6_000).await;
    let role = Role::Member;
    let person = log.person("person.3@acme.example", "acme/growth", role);
    let scope = person.await.own_scope(&"acme/growth".parse().unwrap());
    let scope = scope.unwrap();
    for text in [
        "",
        "order=asc",
        "actor_kind=user",
        "range=24h",
        "sort=actor",
    ] {
        let mut statements = 0;
        for line in two_pages(&log.store, &scope, &question(text)).await {
            let statement = match line {
                Line::Plan(plan) => {
                    assert!(plan.contains("by_actor"), "{text}: {plan}");
                    continue;
                }
                Line::Statement(statement) => statement,
            };
            statements += 1;
            for step in explained(&log.store, &statement).await {
                assert!(is_no_scan(&step, &statement), "{text}: {statement}\n{step}");
            }
        }
        assert!(statements >= 2, "{text}: two pages were read");
    }
    let mut snapshot = log.store.snapshot(&scope).await.unwrap();
    let told = Told::default();
    let listening = tracing::subscriber::set_default(told.clone());
    let choices = snapshot.choices().await.unwrap();
    drop(listening);
    snapshot.end().await;
    assert!(!choices.offered.kinds.is_empty());
    let lines = std::mem::take(&mut *told.0.lock().unwrap());
    let [Line::Statement(statement)] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    for step in explained(&log.store, statement).await {
        assert!(is_no_scan(&step, statement), "{statement}\n{step}");
    }
}

#[tokio::test]
async fn the_right_to_export_is_sought_and_is_there_until_it_is_taken() {
    crate::only_sqlite!();
    let log = Log::new().await;
    for statement in [super::export::TOKEN, super::export::ROLES] {
        for step in explained(&log.store, statement).await {
            assert!(!step.starts_with("SCAN "), "{statement}\n{step}");
        }
    }
    let by = operator();
    let path = "acme/growth".parse().unwrap();
    let may = async |scope| log.store.inner.may_still_export(&scope).await.unwrap();
    let owner = log.owner("acme/growth").await;
    let auditor = log.person("aud@acme.example", "acme/growth", Role::Auditor);
    let auditor = auditor.await;
    let reads = auditor.audit_scope(&path).unwrap();
    let theirs = auditor.export_scope(&reads).unwrap();
    assert!(may(theirs.clone()).await);
    let manages = owner.management_scope(&path).unwrap();
    let (id, role) = (&auditor.public_id, Role::Member);
    let changed = log.store.change_member(&manages, id, role, None, &by);
    changed.await.unwrap();
    assert!(!may(theirs).await);

    let admin = log.person("tia@acme.example", "acme", Role::Owner).await;
    let whole = admin.tenant_scope(&"acme".parse().unwrap()).unwrap();
    for reads in [whole, admin.audit_scope(&path).unwrap()] {
        assert!(may(admin.export_scope(&reads).unwrap()).await);
    }

    let grant = log.token("acme/growth").await;
    let tokens = grant.export_scope().unwrap();
    assert!(may(tokens.clone()).await);
    let revoked = log.store.revoke_token(&grant.public_id, &by);
    revoked.await.unwrap();
    assert!(!may(tokens).await);
    assert!(may(log.store.operator_export(&path).await.unwrap().unwrap()).await);
}

#[tokio::test]
async fn an_export_seeks_each_event_and_sorts_nothing() {
    crate::only_sqlite!();
    let log = Log::new().await;
    let steps = explained(&log.store, super::export::SIZES).await;
    let [list, content] = steps.as_slice() else {
        panic!("{steps:#?}");
    };
    assert!(list.starts_with("SCAN j VIRTUAL TABLE"), "{steps:#?}");
    assert!(
        content.starts_with("SEARCH c USING INTEGER PRIMARY KEY"),
        "{steps:#?}"
    );
    let steps = explained(&log.store, super::export::LINES).await;
    let [list, leaf, content] = steps.as_slice() else {
        panic!("{steps:#?}");
    };
    assert!(list.starts_with("SCAN j VIRTUAL TABLE"), "{steps:#?}");
    assert!(
        leaf.starts_with("SEARCH l USING INTEGER PRIMARY KEY"),
        "{steps:#?}"
    );
    assert!(
        content.starts_with("SEARCH c USING INTEGER PRIMARY KEY"),
        "{steps:#?}"
    );
}

#[tokio::test]
async fn a_step_of_the_index_finds_where_it_ends_without_a_scan() {
    crate::only_sqlite!();
    let log = Log::new().await;
    let statement = super::index::END_OF_STEP.replace("log.", "");
    let steps = explained(&log.store, &statement).await;
    let of_leaf: Vec<_> = steps
        .iter()
        .filter(|step| step.split(' ').any(|word| word == "leaf" || word == "l"))
        .collect();
    assert_eq!(of_leaf.len(), 2, "{steps:#?}");
    for step in of_leaf {
        // The greatest number is the last row: nothing is passed over to it.
        let seeks = step.starts_with("SEARCH l USING INTEGER PRIMARY KEY") || step == "SEARCH leaf";
        assert!(seeks, "{steps:#?}");
    }
}

#[tokio::test]
async fn every_way_to_read_a_page_gives_the_same() {
    crate::only_sqlite!();
    let (log, scope) = log_of(3_000).await;
    let mut snapshot = log.store.snapshot(&scope).await.unwrap();
    let mut seen = BTreeSet::new();
    // What an event has beside it: a related object, somebody who carried it out.
    let beside = [
        "target_kind=service",
        "target_kind=service&outcome=failure",
        "target_kind=service&target_id=obj_18",
        "target_id=obj_18&actor_id=usr_3",
        "actor=release",
        "actor=release&action=MEMBER_REMOVED",
    ];
    for text in QUESTIONS.into_iter().chain(beside) {
        let query = question(text);
        let span = query.filter.span(snapshot.now());
        let asked = &snapshot.asked(&query.filter, span).unwrap()[0];
        for (sort, direction) in [Sort::Actor, Sort::Action, Sort::TargetKind]
            .into_iter()
            .flat_map(|sort| [(sort, Order::Ascending), (sort, Order::Descending)])
        {
            let mut after: Option<Place> = None;
            for page in 0..3 {
                let mut first: Option<Vec<Place>> = None;
                for way in asked.conditions.ways(sort, &asked.shelf.counts, 100, 20) {
                    let connection = snapshot.transaction.connection();
                    let search = Search {
                        within: asked.shelf.within(connection),
                        conditions: &asked.conditions,
                        of_tail: &asked.conditions,
                        sort,
                        direction,
                        after: after.as_ref(),
                        up_to: snapshot.head,
                        limit: 20,
                    };
                    let told = way.plan.to_string();
                    let with =
                        |use_it: &mut dyn FnMut(&Dictionary)| use_it(&asked.shelf.texts.read());
                    let found = search
                        .run(connection, way.plan, with, &asked.shelf.counts)
                        .await
                        .unwrap();
                    let first = first.get_or_insert_with(|| found.clone());
                    let what = format!("{text}, {sort:?} {direction:?}, page {page}: {told}");
                    assert_eq!(*first, found, "{what}");
                    seen.insert(told.split_once(": ").unwrap().0.to_owned());
                    if let Some((walked, _)) = told.split_once(", gather") {
                        let is_found_out = walked.contains(" on ");
                        seen.insert(
                            if is_found_out {
                                "both, by kind"
                            } else {
                                "both"
                            }
                            .to_owned(),
                        );
                    }
                }
                after = first.and_then(|found| found.get(7).cloned());
                if after.is_none() {
                    break;
                }
            }
        }
    }
    snapshot.end().await;
    let seen: Vec<_> = seen.iter().map(String::as_str).collect();
    assert_eq!(
        seen,
        ["both", "both, by kind", "gather", "walk"],
        "each kind of way"
    );
}

/// Counts the steps of SQLite's machine while a page is read: some for each row that it looks at.
struct Steps(Arc<AtomicU64>);

impl Steps {
    /// Listens on all connections by which a store reads.
    async fn of(store: &Store) -> Self {
        // What the index does not have yet takes no steps.
        store.wait_for_index(|_, _| ()).await.unwrap();
        let steps = Arc::new(AtomicU64::new(0));
        let mut connections = Vec::new();
        for _ in 0..super::keeper::readers() {
            let mut connection = store.inner.readers.acquire().await.unwrap();
            let counted = Arc::clone(&steps);
            let mut handle = connection.sqlite().unwrap().lock_handle().await.unwrap();
            handle.set_progress_handler(1, move || {
                counted.fetch_add(1, Ordering::Relaxed);
                true
            });
            drop(handle);
            connections.push(connection);
        }
        Self(steps)
    }

    /// The steps of the first page and of the second, when everything is known that is kept in
    /// memory.
    async fn of_pages(&self, store: &Store, scope: &Scope, text: &str) -> [u64; 2] {
        let mut query = question(text);
        store.page(scope, &query).await.unwrap();
        let mut steps = [0; 2];
        for page in &mut steps {
            self.0.store(0, Ordering::Relaxed);
            let found = store.page(scope, &query).await.unwrap();
            *page = self.0.load(Ordering::Relaxed);
            assert!(*page > 0, "{text}: no step was counted");
            assert_eq!(found.events.len(), 20, "{text}: a page that is full");
            query = query.at(found.older.unwrap());
        }
        steps
    }
}

#[tokio::test]
async fn a_page_reads_no_more_of_a_long_log_than_of_a_short_one() {
    crate::only_sqlite!();
    let (short, short_scope) = log_of(8_000).await;
    let (long, long_scope) = log_of(32_000).await;
    let (in_short, in_long) = (Steps::of(&short.store).await, Steps::of(&long.store).await);
    for text in FULL_AT_ONCE {
        let few = in_short.of_pages(&short.store, &short_scope, text).await;
        let many = in_long.of_pages(&long.store, &long_scope, text).await;
        for (few, many) in few.into_iter().zip(many) {
            // A tenth more, for what the counts of the two make of the same plan.
            assert!(many <= few + few / 10, "{text}: {few} steps, then {many}");
            // In time order a page reads its own entries; sorted by a text, a chunk of neighbours.
            let most = if text.starts_with("sort") {
                20 * CHUNK
            } else {
                4_000
            };
            assert!(many <= most, "{text}: {many} steps for a page of 20");
        }
    }
}

#[tokio::test]
async fn a_list_of_objects_reads_no_more_of_a_long_log_than_of_a_short_one() {
    crate::only_sqlite!();
    let query = |kind: Option<&str>, q: Option<&str>| ObjectsQuery {
        kind: kind.map(|kind| kind.parse().unwrap()),
        q: q.map(str::to_owned),
        limit: 20,
        ..ObjectsQuery::default()
    };
    let questions = [
        query(None, None),
        query(Some("deployment"), None),
        query(None, Some("thing 1")),
    ];
    let mut read: Vec<Vec<u64>> = Vec::new();
    for events in [4_000, 16_000] {
        let (log, _) = log_of(events).await;
        let owner = log.owner("acme/growth").await;
        let path = "acme/growth".parse().unwrap();
        let scope = owner.objects_scope(&path).unwrap();
        let steps = Steps::of(&log.store).await;
        let mut all = Vec::new();
        for question in &questions {
            log.store.objects(&scope, question).await.unwrap();
            steps.0.store(0, Ordering::Relaxed);
            let page = log.store.objects(&scope, question).await.unwrap();
            assert!(page.objects.len() > 5, "{question:?}");
            all.push(steps.0.load(Ordering::Relaxed));
        }
        read.push(all);
    }
    for (question, (few, many)) in questions.iter().zip(read[0].iter().zip(&read[1])) {
        assert!(*few > 0, "{question:?}: no step was counted");
        assert!(
            *many <= few + few / 10,
            "{question:?}: {few} steps, then {many}"
        );
    }
}

/// A log of so many objects: each is named by an event of the first half, and by one of the second.
async fn log_of_objects(objects: u64) -> Log {
    const KINDS: [&str; 3] = ["deployment", "pipeline", "service"];
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let events = 2 * objects;
    let made = |n: u64| -> NewEvent {
        let thing = n % objects;
        let kind = KINDS[usize::try_from(thing % 3).unwrap()];
        let name = format!("Thing {:05}", thing * 7_919 % objects);
        let target = object(kind, &format!("obj_{thing}"), &name);
        let mut made = event(user("usr_1", "Person"), "TOUCHED", target, BEGINNING);
        let ago = chrono::TimeDelta::seconds(i64::try_from(events - n).unwrap());
        made.occurred_at = Some(time(BEGINNING).plus(-ago));
        made
    };
    for from in (0..events).step_by(2_000) {
        let batch = (from..events.min(from + 2_000)).map(made).collect();
        log.record(&grant, batch).await;
    }
    log
}

#[tokio::test]
async fn a_list_of_many_objects_reads_no_more_than_one_of_few() {
    const LIMIT: usize = 20;
    crate::only_sqlite!();
    let asked = |kind: Option<&str>, q: Option<&str>| ObjectsQuery {
        kind: kind.map(|kind| kind.parse().unwrap()),
        q: q.map(str::to_owned),
        limit: LIMIT,
        ..ObjectsQuery::default()
    };
    // By when they were seen last, by name, of many that a search finds, of few, and of none.
    let questions = [
        (asked(None, None), LIMIT),
        (asked(Some("service"), None), LIMIT),
        (asked(None, Some("thing")), LIMIT),
        (asked(None, Some("thing 0012")), 10),
        (asked(None, Some("no such thing")), 0),
    ];
    let mut read: Vec<Vec<u64>> = Vec::new();
    for objects in [1_000, 4_000] {
        let log = log_of_objects(objects).await;
        let owner = log.owner("acme/growth").await;
        let scope = owner
            .objects_scope(&"acme/growth".parse().unwrap())
            .unwrap();
        let steps = Steps::of(&log.store).await;
        let mut all = Vec::new();
        for (question, found) in &questions {
            // What is kept in memory is known after the first time.
            log.store.objects(&scope, question).await.unwrap();
            let mut question = question.clone();
            for page in 0..12 {
                steps.0.store(0, Ordering::Relaxed);
                let listed = log.store.objects(&scope, &question).await.unwrap();
                // The first, the next, and one far from both ends.
                if [0, 1, 11].contains(&page) {
                    assert_eq!(listed.objects.len(), *found, "{question:?}");
                    all.push(steps.0.load(Ordering::Relaxed));
                }
                match listed.next {
                    Some(next) => question.cursor = Some(next),
                    None => break,
                }
            }
        }
        read.push(all);
    }
    assert_eq!(read[0].len(), 3 * 3 + 2, "as many pages of each: {read:?}");
    assert_eq!(
        read[0].len(),
        read[1].len(),
        "as many pages of each: {read:?}"
    );
    for (few, many) in read[0].iter().zip(&read[1]) {
        assert!(*few > 0, "a step was counted: {read:?}");
        assert!(
            *many <= few + few / 10,
            "{few} steps, then {many}: {read:?}"
        );
        assert!(*many <= 12_000, "{many} steps for a page of {LIMIT}");
    }
}

#[tokio::test]
async fn an_objects_history_reads_its_own_events_and_no_others() {
    crate::only_sqlite!();
    let mut read = Vec::new();
    for events in [4_000, 16_000] {
        let (log, scope) = log_of(events).await;
        let grant = log.token("acme/growth").await;
        let changes = (1..=60).map(|n| {
            let target = object("service", "svc_1", "Checkout");
            let mut change = event(
                user("usr_1", "Person"),
                "SERVICE_UPDATED",
                target,
                BEGINNING,
            );
            let ago = chrono::TimeDelta::seconds(7 * n);
            change.occurred_at = Some(time(BEGINNING).plus(-ago));
            change.after = serde_json::json!({"n": n}).as_object().cloned();
            change
        });
        log.record(&grant, changes.collect()).await;
        let query = BlameQuery {
            workspace: None,
            subject: Subject {
                kind: "service".parse().unwrap(),
                id: "svc_1".to_owned(),
            },
            asked: Asked::default(),
        };
        let steps = Steps::of(&log.store).await;
        let known = log.store.blame(&scope, &query).await.unwrap().unwrap();
        assert_eq!(known.blame.fields[0].last.changes, 60);
        steps.0.store(0, Ordering::Relaxed);
        log.store.blame(&scope, &query).await.unwrap();
        read.push(steps.0.load(Ordering::Relaxed));
    }
    let [few, many] = read[..] else { panic!() };
    assert!(few > 0, "no step was counted");
    assert!(many <= few + few / 10, "{few} steps, then {many}");
}

//! The list of objects: all of them, each once, in the order that it tells.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    event::{Event, NewEvent, Target, TargetKind},
    question::{Limit, Query, Subject},
    role::Role,
    slug::WorkspacePath,
};
use log::{BEGINNING, Log, event, object, operator, time, user};
use proptest::{collection::vec, option, prelude::*, sample::select};
use store::{
    access::{ObjectsScope, SignedIn, TokenGrant},
    administration::{By, NewPerson, Place},
    objects::{ObjectsOrder, ObjectsPage, ObjectsQuery},
    question::QuestionError,
};
use tokio::runtime::Runtime;

const KINDS: [&str; 4] = ["integration", "secret", "Secret", "pipeline"];
const IDS: [&str; 5] = ["a", "B", "a/b", "%", "ångström"];
const NAMES: [&str; 6] = ["Alex", "alex", "ÅSE", "Zoo", "100%", "_"];

fn path() -> WorkspacePath {
    "acme/growth".parse().unwrap()
}

/// Somebody with a role, signed in.
async fn of_role(log: &Log, role: Role) -> SignedIn {
    let email = format!("{role}@acme.example");
    let person = NewPerson {
        email: email.clone(),
        name: role.as_str().to_owned(),
        place: Place::Workspace(path(), role),
        until: None,
    };
    let by = operator();
    let made = log.store.create_person(&person, "correct horse", &by).await;
    made.unwrap();
    let signed_in = log.store.sign_in(&email, "correct horse", None, None).await;
    let secret = signed_in.unwrap().secret;
    log.store.session(secret.reveal()).await.unwrap().unwrap()
}

/// An object as a list shows it: kind, id, name, when it was last seen.
type Shown = (String, String, Option<String>, String);

fn shown(page: &ObjectsPage) -> Vec<Shown> {
    let objects = page.objects.iter();
    objects
        .map(|object| {
            let last = object.last_seen.to_string();
            (
                object.kind.to_string(),
                object.id.clone(),
                object.name.clone(),
                last,
            )
        })
        .collect()
}

/// All pages from the first on; turning back from each gives the one before.
async fn walk(log: &Log, scope: &ObjectsScope, query: &ObjectsQuery) -> Vec<ObjectsPage> {
    let ask = async |cursor: Option<&String>| {
        let query = ObjectsQuery {
            cursor: cursor.cloned(),
            ..query.clone()
        };
        log.store.objects(scope, &query).await.unwrap()
    };
    let mut pages = vec![ask(None).await];
    assert_eq!(pages[0].previous, None);
    while let Some(next) = pages.last().unwrap().next.clone() {
        pages.push(ask(Some(&next)).await);
        assert!(pages.len() < 1_000, "the list has no end");
        let [.., before, last] = pages.as_slice() else {
            panic!("two pages");
        };
        let back = ask(last.previous.as_ref()).await;
        if !before.stopped && !last.stopped && back.objects.len() == before.objects.len() {
            assert_eq!(shown(&back), shown(before));
        }
    }
    pages
}

async fn listed(log: &Log, scope: &ObjectsScope, query: &ObjectsQuery) -> Vec<Shown> {
    let pages = walk(log, scope, query).await;
    let (last, full) = pages.split_last().unwrap();
    for page in full {
        assert_eq!(page.objects.len(), query.limit);
        assert!(!page.stopped);
    }
    assert!(last.objects.len() <= query.limit);
    pages.iter().flat_map(shown).collect()
}

/// What the list must hold, from the entries themselves, those last seen first.
fn expected(events: &[Event], scope: &ObjectsScope) -> Vec<Shown> {
    let mut events: Vec<&Event> = events
        .iter()
        .filter(|event| event.action.as_str() != "AUDIT_LOG_READ")
        .collect();
    events.sort_by_key(|event| std::cmp::Reverse((event.occurred_at, event.seq)));
    let mut objects: Vec<Shown> = Vec::new();
    for event in events {
        for target in std::iter::once(&event.target).chain(&event.related) {
            let Some(id) = &target.id else { continue };
            if !scope.has(&target.kind) {
                continue;
            }
            let kind = target.kind.to_string();
            match objects
                .iter_mut()
                .find(|known| known.0 == kind && known.1 == *id)
            {
                // Of the names within one entry any may be the newest.
                Some(known) => known.2 = known.2.take().or_else(|| target.name.clone()),
                None => {
                    let last = event.occurred_at.to_string();
                    objects.push((kind, id.clone(), target.name.clone(), last));
                }
            }
        }
    }
    objects
}

async fn events(log: &Log, grant: &TokenGrant) -> Vec<Event> {
    let scope = grant.read_scope().unwrap();
    let query = Query {
        limit: Limit::try_from(500).ok(),
        ..Query::default()
    };
    log.walk(&scope, &query).await
}

fn target() -> impl Strategy<Value = Target> {
    (
        select(&KINDS[..]),
        option::weighted(0.9, select(&IDS[..])),
        option::weighted(0.8, select(&NAMES[..])),
    )
        .prop_map(|(kind, id, name)| Target {
            kind: kind.parse().unwrap(),
            id: id.map(str::to_owned),
            name: name.map(str::to_owned),
            url: None,
        })
}

/// An event; many share their moment, and none names an object in two ways.
fn any_event() -> impl Strategy<Value = NewEvent> {
    (vec(target(), 1..4), 0_i64..12).prop_map(|(targets, hours)| {
        let mut objects: Vec<Target> = Vec::new();
        for target in targets {
            let is_same = |other: &Target| other.kind == target.kind && other.id == target.id;
            if !objects.iter().any(is_same) {
                objects.push(target);
            }
        }
        let first = objects.remove(0);
        let mut made = event(user("usr_1", "Alex Kim"), "UPDATED", first, BEGINNING);
        made.occurred_at = Some(time(BEGINNING).plus(-chrono::TimeDelta::hours(hours)));
        made.related = objects;
        made
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_pages_together_are_every_object_once(
        made in vec(any_event(), 0..40),
        limit in 1_usize..8,
        q in option::of(select(&["a", "Å", "%", "_", "zo", "nothing"][..])),
        kind in option::of(select(&KINDS[..])),
        role in select(&[Role::Member, Role::Auditor][..]),
        behind in select(&[0, 9, i64::MAX][..]),
    ) {
        Runtime::new().unwrap().block_on(async {
            let log = Log::behind(behind).await;
            let person = of_role(&log, role).await;
            let scope = person.objects_scope(&path()).unwrap();
            let grant = log.token("acme/growth").await;
            if !made.is_empty() {
                log.record(&grant, made).await;
            }
            let events = events(&log, &grant).await;
            let all = expected(&events, &scope);
            let query = ObjectsQuery { limit, ..ObjectsQuery::default() };
            prop_assert_eq!(&listed(&log, &scope, &query).await, &all);

            let query = ObjectsQuery {
                q: q.map(str::to_owned),
                kind: kind.map(|kind| kind.parse().unwrap()),
                ..query
            };
            // By any name that it ever had.
            let is_found = |shown: &Shown| {
                let mut named = events.iter()
                    .filter(|event| event.action.as_str() != "AUDIT_LOG_READ")
                    .flat_map(|event| std::iter::once(&event.target).chain(&event.related))
                    .filter(|target| {
                        target.kind.as_str() == shown.0 && target.id.as_ref() == Some(&shown.1)
                    });
                kind.is_none_or(|kind| kind == shown.0)
                    && q.is_none_or(|q| named.any(|target| target.is_found_by(&q.to_lowercase())))
            };
            let mut wanted: Vec<Shown> = all.into_iter().filter(is_found).collect();
            let mut found = listed(&log, &scope, &query).await;
            wanted.sort();
            found.sort();
            prop_assert_eq!(found, wanted);
            Ok(())
        })?;
    }
}

/// A log with an auditor, and a token that sends.
async fn sending() -> (Log, ObjectsScope, TokenGrant) {
    let log = Log::new().await;
    let person = of_role(&log, Role::Auditor).await;
    let scope = person.objects_scope(&path()).unwrap();
    let grant = log.token("acme/growth").await;
    (log, scope, grant)
}

fn touched(on: Target, at: &str) -> NewEvent {
    event(user("usr_1", "Alex Kim"), "UPDATED", on, at)
}

fn ids(page: &ObjectsPage) -> Vec<&str> {
    page.objects
        .iter()
        .map(|object| object.id.as_str())
        .collect()
}

/// A question about integrations, `limit` a page.
fn integrations(q: &str, limit: usize) -> ObjectsQuery {
    ObjectsQuery {
        q: Some(q.to_owned()).filter(|q| !q.is_empty()),
        kind: Some("integration".parse().unwrap()),
        cursor: None,
        limit,
    }
}

#[tokio::test]
async fn a_kind_is_listed_by_name_whatever_its_case_and_else_by_id() {
    let (log, scope, grant) = sending().await;
    let nameless = Target {
        name: None,
        ..object("integration", "Mono", "")
    };
    let made = [
        object("integration", "1", "zebra"),
        object("integration", "2", "Åse"),
        object("integration", "3", "alpha"),
        object("integration", "4", "Beta"),
        object("integration", "5", "ALPHA"),
        nameless,
        object("pipeline", "6", "aaa"),
    ];
    let made = made.map(|on| touched(on, "2026-05-12T08:00:00Z")).to_vec();
    log.record(&grant, made).await;
    let page = log
        .store
        .objects(&scope, &integrations("", 50))
        .await
        .unwrap();
    assert_eq!(page.order, ObjectsOrder::Name);
    assert_eq!(ids(&page), ["3", "5", "4", "Mono", "1", "2"]);
    assert_eq!((&page.next, &page.previous), (&None, &None));
    let kinds: Vec<&str> = page.kinds.iter().map(TargetKind::as_str).collect();
    assert!(kinds.contains(&"integration") && kinds.contains(&"pipeline"));

    // Renamed, it stands where its new name does, and is still found by the old one.
    let renamed = touched(object("integration", "3", "Omega"), "2026-05-12T08:30:00Z");
    log.record(&grant, vec![renamed]).await;
    let page = log
        .store
        .objects(&scope, &integrations("", 50))
        .await
        .unwrap();
    assert_eq!(ids(&page), ["5", "4", "Mono", "3", "1", "2"]);
    let page = log
        .store
        .objects(&scope, &integrations("LPHA", 50))
        .await
        .unwrap();
    assert_eq!(ids(&page), ["5", "3"]);
    assert_eq!(page.objects[1].name.as_deref(), Some("Omega"));
}

#[tokio::test]
async fn a_walk_shows_the_list_as_it_was_when_it_began() {
    let (log, scope, grant) = sending().await;
    let name = |n: usize| format!("int_{n}");
    let made = (0..6).map(|n| {
        let on = object("integration", &name(n), &format!("Integration {n}"));
        touched(on, &format!("2026-05-12T08:0{n}:00Z"))
    });
    log.record(&grant, made.collect()).await;
    let mut query = ObjectsQuery {
        limit: 2,
        ..ObjectsQuery::default()
    };
    let first = log.store.objects(&scope, &query).await.unwrap();
    assert_eq!(first.order, ObjectsOrder::LastSeen);
    query.cursor = first.next.clone();
    let second = log.store.objects(&scope, &query).await.unwrap();
    // What arrives now, early or late, moves nothing on the pages of this walk.
    log.record(
        &grant,
        vec![
            touched(
                object("integration", "int_0", "Other"),
                "2026-05-12T08:59:00Z",
            ),
            touched(object("integration", "new", "New"), "2026-05-12T08:02:30Z"),
        ],
    )
    .await;
    assert_eq!(log.store.objects(&scope, &query).await.unwrap(), second);
    let mut walked = [ids(&first), ids(&second)].concat();
    query.cursor = second.next.clone();
    let third = log.store.objects(&scope, &query).await.unwrap();
    walked.extend(ids(&third));
    walked.retain(|id| id.starts_with("int_") || *id == "new");
    // Daybook's own entries of the beginning are newer than these.
    let mut all = Vec::new();
    let mut next = third.next.clone();
    while let Some(cursor) = next {
        query.cursor = Some(cursor);
        let page = log.store.objects(&scope, &query).await.unwrap();
        all.extend(ids(&page).into_iter().map(str::to_owned));
        next = page.next;
    }
    walked.extend(
        all.iter()
            .map(String::as_str)
            .filter(|id| id.starts_with("int_")),
    );
    assert!(!all.iter().any(|id| id == "new"));
    assert_eq!(
        walked,
        ["int_5", "int_4", "int_3", "int_2", "int_1", "int_0"]
    );
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only() {
    let (log, scope, grant) = sending().await;
    let made = (0..4).map(|n| {
        let on = object("integration", &n.to_string(), "A");
        touched(on, "2026-05-12T08:00:00Z")
    });
    log.record(&grant, made.collect()).await;
    let page = log
        .store
        .objects(&scope, &integrations("", 2))
        .await
        .unwrap();
    let cursor = page.next.unwrap();
    let refused = async |query: ObjectsQuery, cursor: String| {
        let query = ObjectsQuery {
            cursor: Some(cursor),
            ..query
        };
        let answer = log.store.objects(&scope, &query).await;
        matches!(answer, Err(QuestionError::Cursor))
    };
    assert!(
        !refused(integrations("", 3), cursor.clone()).await,
        "another limit"
    );
    assert!(refused(integrations("a", 2), cursor.clone()).await);
    assert!(refused(ObjectsQuery::default(), cursor.clone()).await);
    let mut broken = cursor.into_bytes();
    broken[20] ^= 1;
    let broken = String::from_utf8(broken).unwrap();
    assert!(refused(integrations("", 2), broken).await);
    assert!(refused(integrations("", 2), "x".to_owned()).await);
}

#[tokio::test]
async fn what_was_only_looked_at_is_no_object() {
    let log = Log::new().await;
    let person = of_role(&log, Role::Auditor).await;
    let scope = person.objects_scope(&path()).unwrap();
    let subject = Subject {
        kind: "integration".parse().unwrap(),
        id: "guessed".to_owned(),
    };
    let of_object = person.object_scope(&path(), subject).unwrap();
    let by = By::person(&person, None);
    log.store.note_look(&of_object, &by, &[]).await.unwrap();
    for query in [
        ObjectsQuery::default(),
        integrations("", 50),
        integrations("guess", 50),
    ] {
        let page = log.store.objects(&scope, &query).await.unwrap();
        assert!(!ids(&page).contains(&"guessed"), "{query:?}");
    }
}

#[tokio::test]
async fn members_find_nothing_of_a_guarded_kind() {
    let log = Log::new().await;
    let member = of_role(&log, Role::Member).await;
    let scope = member.objects_scope(&path()).unwrap();
    let grant = log.token("acme/growth").await;
    let mut both = touched(
        object("integration", "int_1", "Common"),
        "2026-05-12T08:00:00Z",
    );
    both.related = vec![object("secret", "sec_1", "Common too")];
    log.record(&grant, vec![both]).await;
    let of_kind = |kind: &str| ObjectsQuery {
        kind: Some(kind.parse().unwrap()),
        ..ObjectsQuery::default()
    };
    let search = ObjectsQuery {
        q: Some("common".to_owned()),
        ..ObjectsQuery::default()
    };
    let page = log.store.objects(&scope, &search).await.unwrap();
    assert_eq!(ids(&page), ["int_1"]);
    assert!(page.kinds.iter().all(|kind| scope.has(kind)));
    for kind in ["secret", "user", "api_token"] {
        let page = log.store.objects(&scope, &of_kind(kind)).await.unwrap();
        assert!(page.objects.is_empty(), "{kind}");
    }
    let page = log.store.objects(&scope, &ObjectsQuery::default()).await;
    let page = page.unwrap();
    assert!(ids(&page).contains(&"int_1") && !ids(&page).contains(&"sec_1"));
}

/// So many events on one object, a second apart, until `until`.
async fn busy(log: &Log, grant: &TokenGrant, events: i64, until: &str) {
    for from in (0..events).step_by(2_000) {
        let made = (from..events.min(from + 2_000)).map(|n| {
            let mut made = touched(object("process", "busy", "Busy"), until);
            made.occurred_at = Some(time(until).plus(-chrono::TimeDelta::milliseconds(n)));
            made
        });
        log.record(grant, made.collect()).await;
    }
}

#[tokio::test]
async fn where_one_object_has_nearly_all_entries_the_list_is_by_name() {
    let (log, scope, grant) = sending().await;
    // Nothing of Daybook's own is newer than these.
    let until = "2026-05-12T10:00:00Z";
    log.clock.set(time(until));
    log.record(
        &grant,
        vec![
            touched(object("process", "quiet", "Quiet"), "2026-05-12T07:00:00Z"),
            touched(object("process", "calm", "Calm"), "2026-05-12T07:30:00Z"),
            touched(
                object("process", "second", "Second"),
                "2026-05-12T09:59:59.5Z",
            ),
        ],
    )
    .await;
    busy(&log, &grant, 22_000, until).await;
    let query = ObjectsQuery::default();
    let page = log.store.objects(&scope, &query).await.unwrap();
    assert_eq!(page.order, ObjectsOrder::Name);
    let processes: Vec<&str> = page
        .objects
        .iter()
        .filter(|object| object.kind.as_str() == "process")
        .map(|object| object.id.as_str())
        .collect();
    assert_eq!(processes, ["busy", "calm", "quiet", "second"]);

    // Where the first page is full, the walk goes on by when they were seen: page by page, so many
    // entries are looked through at most, and nothing is left out.
    let query = ObjectsQuery {
        limit: 2,
        ..ObjectsQuery::default()
    };
    let pages = walk(&log, &scope, &query).await;
    assert!(
        pages
            .iter()
            .all(|page| page.order == ObjectsOrder::LastSeen)
    );
    assert_eq!(ids(&pages[0]), ["busy", "second"]);
    assert!(pages[1].stopped && pages[1].objects.is_empty());
    let all: Vec<Shown> = pages.iter().flat_map(shown).collect();
    assert_eq!(all, expected(&events(&log, &grant).await, &scope));
}

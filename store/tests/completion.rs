//! What completes what somebody types in a filter: what exists, the most used first, and no more than may be read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod log;

use domain::{
    event::{Actor, ActorKind, NewEvent},
    question::Subject,
    role::Role,
    slug::WorkspacePath,
};
use log::{Log, event, object, time, user};
use store::{
    Scope,
    question::{ActorChoice, ObjectChoice},
};

const GROWTH: &str = "acme/growth";
const REVENUE: &str = "acme/revenue";
const AT: &str = "2026-05-12T09:00:00Z";

fn growth() -> WorkspacePath {
    GROWTH.parse().unwrap()
}

fn rotated(actor: Actor, id: &str, name: &str) -> NewEvent {
    event(actor, "SECRET_ROTATED", object("secret", id, name), AT)
}

fn nobody() -> Actor {
    Actor {
        kind: ActorKind::System,
        id: None,
        name: None,
        email: None,
    }
}

async fn actors(log: &Log, scope: &Scope, text: &str) -> Vec<ActorChoice> {
    let mut snapshot = log.store.snapshot(scope).await.unwrap();
    let found = snapshot.complete_actors(text, 10).await.unwrap();
    snapshot.end().await;
    found
}

async fn objects(log: &Log, scope: &Scope, text: &str) -> Vec<ObjectChoice> {
    let mut snapshot = log.store.snapshot(scope).await.unwrap();
    let found = snapshot.complete_objects(text, 10).await.unwrap();
    snapshot.end().await;
    found
}

async fn kinds(log: &Log, scope: &Scope, text: &str) -> Vec<String> {
    let mut snapshot = log.store.snapshot(scope).await.unwrap();
    let found = snapshot.complete_kinds(text, 10).await.unwrap();
    snapshot.end().await;
    found.iter().map(ToString::to_string).collect()
}

/// What they are called, with how many events are theirs.
fn told(found: &[ActorChoice]) -> Vec<(&str, u64)> {
    let found = found.iter();
    found.map(|one| (one.name.as_str(), one.events)).collect()
}

fn named(found: &[ObjectChoice]) -> Vec<(&str, &str)> {
    let found = found.iter();
    found
        .map(|one| (one.id.as_str(), one.name.as_deref().unwrap_or_default()))
        .collect()
}

#[tokio::test]
async fn who_acted_is_found_by_a_part_of_the_name_or_address_most_entries_first() {
    // What the index does not have yet counts as well.
    for behind in [0, 4, 1_000] {
        let log = Log::behind(behind).await;
        let grant = log.token(GROWTH).await;
        let mut events = Vec::new();
        for (person, count) in [
            (user("usr_1", "Alex Kim"), 2),
            (user("usr_2", "Kim Berg"), 5),
            (user("usr_3", "Mara Lind"), 9),
        ] {
            events.extend((0..count).map(|_| rotated(person.clone(), "sec_1", "Key")));
        }
        events.extend((0..3).map(|_| rotated(nobody(), "sec_1", "Key")));
        log.record(&grant, events).await;
        let scope = log.scope(GROWTH).await;
        let found = actors(&log, &scope, "KIM").await;
        assert_eq!(told(&found), [("Kim Berg", 5), ("Alex Kim", 2)], "{behind}");
        assert_eq!(found[0].email.as_deref(), Some("kim.berg@acme.example"));
        assert_eq!(
            told(&actors(&log, &scope, "mara.lind@").await),
            [("Mara Lind", 9)]
        );
        let system = actors(&log, &scope, "syst").await;
        assert_eq!(system.len(), 1);
        // Daybook's own events are by the system too.
        assert!(
            system[0].id.is_none() && system[0].events >= 3,
            "{system:?}"
        );
        assert_eq!(actors(&log, &scope, "nobody like that").await, []);
        // Of everybody, where nothing was typed yet.
        assert_eq!(actors(&log, &scope, "").await[0].name, "Mara Lind");
    }
}

#[tokio::test]
async fn somebody_who_has_another_name_now_is_one_and_found_by_both() {
    let log = Log::new().await;
    let grant = log.token(GROWTH).await;
    let before = user("usr_1", "Nora Hagen");
    let after = user("usr_1", "Nora Solberg");
    let mut events: Vec<_> = (0..3)
        .map(|_| rotated(before.clone(), "sec_1", "Key"))
        .collect();
    events.push(rotated(after, "sec_1", "Key"));
    log.record(&grant, events).await;
    let scope = log.scope(GROWTH).await;
    for text in ["hagen", "solberg", "nora"] {
        assert_eq!(
            told(&actors(&log, &scope, text).await),
            [("Nora Solberg", 4)],
            "{text}"
        );
    }
}

/// Somebody who did not get in.
fn stranger(name: Option<&str>, email: Option<&str>) -> Actor {
    Actor {
        kind: ActorKind::Anonymous,
        id: None,
        name: name.map(str::to_owned),
        email: email.map(str::to_owned),
    }
}

#[tokio::test]
async fn who_has_no_id_is_told_from_others_by_what_they_are_called() {
    for behind in [0, 1_000] {
        let log = Log::behind(behind).await;
        let grant = log.token(GROWTH).await;
        let mut events = Vec::new();
        for (actor, count) in [
            (stranger(Some("Bob"), None), 3),
            (stranger(Some("Bob"), Some("bob@acme.example")), 2),
            (stranger(None, Some("bobby@acme.example")), 1),
            (stranger(None, None), 4),
            (stranger(Some("Eve"), Some("eve@acme.example")), 5),
        ] {
            events.extend((0..count).map(|_| rotated(actor.clone(), "sec_1", "Key")));
        }
        log.record(&grant, events).await;
        let scope = log.scope(GROWTH).await;
        let found = actors(&log, &scope, "bob").await;
        let told = |found: &[ActorChoice]| {
            let told = found
                .iter()
                .map(|one| (one.name.clone(), one.email.clone(), one.events));
            told.collect::<Vec<_>>()
        };
        let one = |name: &str, email: Option<&str>, events| {
            (name.to_owned(), email.map(str::to_owned), events)
        };
        let bobs = [
            one("Bob", None, 3),
            one("Bob", Some("bob@acme.example"), 2),
            one("bobby@acme.example", Some("bobby@acme.example"), 1),
        ];
        assert_eq!(told(&found), bobs, "{behind}");
        assert!(found.iter().all(|one| one.id.is_none() && one.is_exact));
        assert_eq!(
            // Who has no name is found by the kind.
            told(&actors(&log, &scope, "anonym").await),
            [
                one("anonymous", None, 4),
                one("bobby@acme.example", Some("bobby@acme.example"), 1)
            ]
        );
        // So it is in the log of an object.
        let subject = Subject {
            kind: "secret".parse().unwrap(),
            id: "sec_1".to_owned(),
        };
        let owner = log.owner(GROWTH).await;
        let tab = owner.object_scope(&growth(), subject).unwrap();
        assert_eq!(told(&actors(&log, &tab, "bob").await), bobs, "{behind}");
        assert_eq!(told(&actors(&log, &tab, "").await).len(), 5, "{behind}");
    }
}

#[tokio::test]
async fn of_an_object_with_very_many_entries_the_newest_tell_who_acted() {
    let log = Log::new().await;
    let grant = log.token(GROWTH).await;
    let kim = user("usr_1", "Alex Kim");
    let renamed = user("usr_1", "Alex Lind");
    for from in (0..10_200_i64).step_by(1_700) {
        let events = (from..from + 1_700).map(|n| {
            let actor = match n {
                0 => user("usr_2", "Kim Berg"),
                1..5_000 => kim.clone(),
                10_000.. => user("usr_3", "Mara Lind"),
                _ => renamed.clone(),
            };
            let mut made = rotated(actor, "sec_1", if n % 2 == 0 { "Key" } else { "Other" });
            made.occurred_at = Some(time(AT).plus(chrono::TimeDelta::milliseconds(n)));
            made
        });
        log.record(&grant, events.collect()).await;
    }
    let subject = Subject {
        kind: "secret".parse().unwrap(),
        id: "sec_1".to_owned(),
    };
    let owner = log.owner(GROWTH).await;
    let tab = owner.object_scope(&growth(), subject).unwrap();
    // Who has another name now is found by both, and who acted before all of these by none.
    let found = actors(&log, &tab, "kim").await;
    assert_eq!(told(&found), [("Alex Lind", 9_800)]);
    assert!(!found[0].is_exact);
    let found = actors(&log, &tab, "lind").await;
    assert_eq!(told(&found), [("Alex Lind", 9_800), ("Mara Lind", 200)]);
}

#[tokio::test]
async fn objects_and_kinds_are_found_also_where_they_are_only_concerned() {
    for behind in [0, 1_000] {
        let log = Log::behind(behind).await;
        let grant = log.token(GROWTH).await;
        let kim = || user("usr_1", "Alex Kim");
        let mut events: Vec<_> = (0..4)
            .map(|_| rotated(kim(), "sec_1", "Salesforce key"))
            .collect();
        events.push(rotated(kim(), "sec_2", "Salesforce secret"));
        // It is called otherwise now, and still found by what it was called.
        events.push(rotated(kim(), "sec_1", "CRM key"));
        let mut concerned = rotated(kim(), "sec_3", "Other");
        concerned.related = vec![object("integration", "int_1", "Salesforce")];
        events.push(concerned);
        log.record(&grant, events).await;
        let scope = log.scope(GROWTH).await;
        assert_eq!(
            named(&objects(&log, &scope, "salesforce").await),
            [
                ("sec_1", "CRM key"),
                ("int_1", "Salesforce"),
                ("sec_2", "Salesforce secret")
            ],
            "{behind}"
        );
        assert_eq!(named(&objects(&log, &scope, "SEC_2").await).len(), 1);
        assert_eq!(kinds(&log, &scope, "CRE").await, ["secret"], "{behind}");
        let kinds = kinds(&log, &scope, "t").await;
        let place = |kind: &str| kinds.iter().position(|known| known == kind);
        assert!(place("secret") < place("integration"), "{kinds:?}");
        assert!(place("integration").is_some(), "{kinds:?}");
    }
}

#[tokio::test]
async fn among_many_those_with_the_most_entries_come_first() {
    let log = Log::new().await;
    let grant = log.token(GROWTH).await;
    let kim = || user("usr_1", "Alex Kim");
    let mut events: Vec<_> = (0..900)
        .map(|at| rotated(kim(), &format!("sec_{at}"), "Key"))
        .collect();
    events.extend((0..5).map(|_| rotated(kim(), "sec_450", "Key")));
    for events in events.chunks(300) {
        log.record(&grant, events.to_vec()).await;
    }
    let scope = log.scope(GROWTH).await;
    assert_eq!(objects(&log, &scope, "key").await[0].id, "sec_450");
    // Somebody looks, and then something new comes up that is used more.
    log.record(
        &grant,
        (0..9).map(|_| rotated(kim(), "sec_new", "Key")).collect(),
    )
    .await;
    let found = objects(&log, &scope, "key").await;
    assert_eq!((found[0].id.as_str(), found[0].entries), ("sec_new", 9));
    assert_eq!((found[1].id.as_str(), found[1].entries), ("sec_450", 6));
}

#[tokio::test]
async fn nobody_is_told_of_what_they_may_not_read() {
    let log = Log::new().await;
    let (in_growth, in_revenue) = (log.token(GROWTH).await, log.token(REVENUE).await);
    let (kim, berg) = (user("usr_1", "Alex Kim"), user("usr_2", "Kim Berg"));
    log.record(
        &in_growth,
        vec![
            rotated(kim.clone(), "sec_1", "Key one"),
            rotated(berg.clone(), "sec_2", "Key two"),
        ],
    )
    .await;
    log.record(&in_revenue, vec![rotated(berg, "sec_3", "Key three")])
        .await;
    let member = log
        .person("ingrid@acme.example", GROWTH, Role::Member)
        .await;
    let admin = log
        .person("tina@acme.example", "acme", Role::TenantAdmin)
        .await;

    // Of another workspace nothing.
    let scope = log.scope(GROWTH).await;
    assert_eq!(
        told(&actors(&log, &scope, "kim").await),
        [("Alex Kim", 1), ("Kim Berg", 1)]
    );
    assert_eq!(objects(&log, &scope, "three").await, []);
    // Of an object, who did something to it, and no other object.
    let subject = Subject {
        kind: "integration".parse().unwrap(),
        id: "int_1".to_owned(),
    };
    let mut changed = event(
        kim,
        "integration:update",
        object("integration", "int_1", "CRM"),
        AT,
    );
    changed.related = Vec::new();
    log.record(&in_growth, vec![changed]).await;
    let tab = member.object_scope(&growth(), subject).unwrap();
    assert_eq!(told(&actors(&log, &tab, "kim").await), [("Alex Kim", 1)]);
    assert_eq!(told(&actors(&log, &tab, "berg").await), []);
    assert_eq!(objects(&log, &tab, "key").await, []);
    assert_eq!(kinds(&log, &tab, "secret").await, [""; 0]);
    // Of what somebody did themselves, nobody and nothing of others.
    let own = member.own_scope(&growth()).unwrap();
    assert_eq!(actors(&log, &own, "kim").await, []);
    assert_eq!(objects(&log, &own, "key").await, []);
    // Who reads the whole tenant is told of all its workspaces.
    let whole = admin.tenant_scope(&"acme".parse().unwrap()).unwrap();
    assert_eq!(told(&actors(&log, &whole, "berg").await), [("Kim Berg", 2)]);
    assert_eq!(objects(&log, &whole, "key").await.len(), 3);
}

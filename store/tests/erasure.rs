//! Erasure: what is taken out is found nowhere any more, the log stays provable, and nobody takes out what
//! no release names.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    erasure::Erased,
    event::{Actor, ActorKind, Event, EventId, NewEvent, Part, Parts},
    export::Format,
    question::{Filter, Query, Unknown},
    slug::WorkspacePath,
};
use log::{BEGINNING, Log, event, limit, lines, object, operator, user};
use proptest::prelude::*;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use store::{
    Store,
    access::{SettingsScope, TokenGrant},
    erasure::{Address, ErasureError, Mention, Progress, Release, Released, What, clean},
    proof::verify::{Verified, VerifyError, Wrong, verify},
    question::Count,
    recording::Receipt,
    retention::Removal,
};

const JANE: &str = "jane.doe@acme.example";

fn path(place: &str) -> WorkspacePath {
    place.parse().unwrap()
}

fn parts(parts: &[Part]) -> Parts {
    parts.iter().copied().collect()
}

fn jane() -> What {
    What::Person(JANE.parse().unwrap())
}

fn reason() -> store::holds::Reason {
    "Request 4711 under article 17".parse().unwrap()
}

/// Jane as she was called once, whatever the case her address was written in.
fn jane_as(name: &str, email: &str) -> Actor {
    Actor {
        kind: ActorKind::User,
        id: Some("usr_1".into()),
        name: Some(name.into()),
        email: Some(email.into()),
    }
}

struct Erasing {
    log: Log,
    scope: SettingsScope,
    grant: TokenGrant,
}

impl Erasing {
    async fn new() -> Self {
        Self::of(Log::new().await).await
    }

    async fn of(log: Log) -> Self {
        let scope = log.store.operator_settings(&path("acme/growth")).await;
        Self {
            scope: scope.unwrap().unwrap(),
            grant: log.token("acme/growth").await,
            log,
        }
    }

    /// Events of Jane, by her and through her, and of others; in some others she is mentioned.
    async fn with_jane() -> Self {
        let erasing = Self::new().await;
        let jane = jane_as("Jane Doe", JANE);
        let married = jane_as("Jane Roe", "Jane.Doe@Acme.example");
        let other = user("usr_2", "Priya Raman");
        let mut events = Vec::new();
        for number in 0..30 {
            let who = [&jane, &other, &married][number % 3].clone();
            let target = object("secret", &format!("sec_{}", number % 4), "SALESFORCE");
            let mut event = event(who, "secret:rotate", target, BEGINNING);
            event.idempotency_key = Some(format!("key-{number}"));
            event.after = json!({"version": number}).as_object().cloned();
            if number % 5 == 1 {
                event.via = vec![user("usr_3", "Kim Berg"), married.clone()];
            }
            events.push(event);
        }
        // What mentions her elsewhere: in an object, a change, a note, a context, an operation.
        let mention = |action| {
            event(
                other.clone(),
                action,
                object("user", "usr_1", JANE),
                BEGINNING,
            )
        };
        events.push(mention("MEMBER_ADDED"));
        let mut told = event(
            other.clone(),
            "NOTE",
            object("page", "p", "Page"),
            BEGINNING,
        );
        told.description = Some("asked by JANE.DOE@acme.example today".into());
        told.before = json!({"owners": [{"mail": JANE}]}).as_object().cloned();
        told.context = json!({"login": JANE}).as_object().cloned();
        events.push(told);
        let mut bulk = event(jane.clone(), "NOTE", object("page", "p", "Page"), BEGINNING);
        bulk.operation = Some(format!("import by {JANE}"));
        events.push(bulk);
        erasing.log.record(&erasing.grant, events).await;
        erasing.log.store.cover().await.unwrap();
        erasing
    }

    async fn events(&self) -> Vec<Event> {
        let scope = self.grant.read_scope().unwrap();
        self.log.walk(&scope, &Query::default()).await
    }

    async fn by_seq(&self) -> BTreeMap<u64, Event> {
        let events = self.events().await.into_iter();
        events.map(|event| (event.seq, event)).collect()
    }

    /// Makes releases, and carries none out.
    async fn released(&self, what: &What) -> Result<Vec<Release>, ErasureError> {
        let (reason, by) = (reason(), operator());
        let store = &self.log.store;
        match store.erase(&self.scope, what, &reason, &by).await? {
            Released::Made(releases, _) => Ok(releases),
            Released::Nothing(_) => Ok(Vec::new()),
            Released::Unfinished(_) => panic!("nothing is under way"),
        }
    }

    async fn carry_out(&self) {
        carry_out(&self.log.store).await;
    }

    async fn erase(&self, what: &What) -> Vec<Release> {
        let releases = self.released(what).await.unwrap();
        self.carry_out().await;
        let progress = self.log.store.erasure_progress(&releases).await.unwrap();
        assert_eq!(progress, Progress::Finished);
        releases
    }

    async fn mentions(&self, address: &str, but_theirs: bool) -> Vec<Mention> {
        let address: Address = address.parse().unwrap();
        let mut mentions = Vec::new();
        let told = |mention| {
            mentions.push(mention);
            Ok::<_, store::StoreError>(())
        };
        let looked = self
            .log
            .store
            .mentions(&self.scope, &address, but_theirs, told, |_, _| ());
        let found = looked.await.unwrap();
        assert_eq!(found, mentions.len() as u64);
        mentions
    }

    async fn verified(&self) -> Result<Verified, Wrong> {
        self.log.store.cover().await.unwrap();
        let options = Log::options(&self.log.folder, &self.log.clock);
        match verify(&options, &[], |_, _| ()).await {
            Ok(verified) => Ok(verified),
            Err(VerifyError::Wrong(wrong)) => Err(wrong),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn carry_out(store: &Store) {
    loop {
        match store.remove_some().await.unwrap() {
            Removal::Erased { .. } | Removal::Some { .. } => {}
            Removal::Nothing => return,
            Removal::Elsewhere => tokio::task::yield_now().await,
        }
    }
}

/// Where a text stands in a folder's files, or in the rows of a database on PostgreSQL.
async fn places(log: &Log, text: &str) -> Vec<String> {
    let mut places = Vec::new();
    if log::postgres().is_some() {
        let tables: Vec<(String,)> = log
            .rows(
                "SELECT relname::TEXT FROM pg_class WHERE relnamespace = 'public'::REGNAMESPACE \
                 AND relkind = 'r'",
            )
            .await;
        for (table,) in tables {
            let found = log
                .number(&format!(
                    "SELECT count(*) FROM \"{table}\" t WHERE position('{text}' IN lower(t::TEXT)) > 0"
                ))
                .await;
            if found > 0 {
                places.push(table);
            }
        }
        return places;
    }
    for file in std::fs::read_dir(log.folder.path()).unwrap() {
        let path = file.unwrap().path();
        // What lies beside a file comes and goes.
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let bytes = bytes.to_ascii_lowercase();
        if bytes
            .windows(text.len())
            .any(|some| some == text.as_bytes())
        {
            places.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    places
}

/// What an index holds, but for what it counts of what is not there.
async fn index_of(folder: &log::Folder) -> Vec<String> {
    let path = folder.path().join("daybook.db.index");
    let mut index = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let mut all = Vec::new();
    for (table, columns) in [
        ("by_time", "ws, at, n, actor, via, target, related"),
        ("by_actor", "ws, key, at, n, own, actor, via"),
        ("by_action", "ws, key, at, n, actor"),
        ("by_target", "ws, key, at, n, own, actor, target"),
        ("by_kind", "ws, key, at, n, own, actor"),
        ("by_operation", "ws, key, at, n, actor"),
        ("by_key", "hash, n"),
        ("count_actor", "ws, key, events, entries"),
        ("count_action", "ws, key, events"),
        ("count_kind", "ws, key, events, entries"),
        ("count_target", "ws, key, events, entries"),
        ("count_pair", "ws, action, actor, events"),
        ("count_via", "ws, key, actor, events"),
    ] {
        let counted = if table.starts_with("count") {
            "WHERE events <> 0"
        } else {
            ""
        };
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT '{table} ' || json_array({columns}) FROM {table} {counted} ORDER BY 1"
        )))
        .fetch_all(&mut index)
        .await
        .unwrap();
        all.extend(rows);
    }
    all
}

#[tokio::test]
async fn a_person_goes_from_all_that_they_did_or_carried_out_under_one_pseudonym() {
    let erasing = Erasing::with_jane().await;
    let before = erasing.by_seq().await;
    let what = jane();
    let would = erasing.log.store.would_erase(&erasing.scope, &what);
    let would = would.await.unwrap();
    assert_eq!(erasing.by_seq().await, before, "a look changes nothing");
    erasing.erase(&jane()).await;
    let after = erasing.by_seq().await;
    let is_jane =
        |actor: &Actor| actor.email.as_deref().map(str::to_lowercase).as_deref() == Some(JANE);
    let mut pseudonyms = BTreeSet::new();
    let mut counted: BTreeMap<Parts, u64> = BTreeMap::new();
    for (seq, event) in &before {
        let now = &after[seq];
        let mut expected = event.clone();
        if is_jane(&event.actor.actor) {
            expected.erased.push(Part::Actor);
            let id = now.actor.actor.id.clone();
            pseudonyms.insert(id.clone());
            let kind = ActorKind::User;
            let (name, email) = (None, None);
            expected.actor.actor = Actor {
                kind,
                id,
                name,
                email,
            };
        }
        if event.via.iter().any(is_jane) {
            expected.erased.push(Part::Via);
            expected.via[1] = now.via[1].clone();
            pseudonyms.insert(now.via[1].id.clone());
            assert_eq!((&now.via[1].name, &now.via[1].email), (&None, &None));
        }
        if !expected.erased.is_empty() {
            *counted
                .entry(expected.erased.iter().copied().collect())
                .or_default() += 1;
        }
        assert_eq!(*now, expected);
    }
    assert_eq!(counted, would.events);
    assert_eq!(counted.len(), 3);
    assert_eq!(pseudonyms, BTreeSet::from([would.pseudonym.clone()]));
    assert!(would.pseudonym.unwrap().starts_with("erased-"));
    // The log tells of it, and names nobody.
    let told: Vec<&Event> = after
        .values()
        .filter(|event| !before.contains_key(&event.seq))
        .collect();
    let [told] = told[..] else {
        panic!("one event tells of it")
    };
    assert_eq!(told.action.as_str(), "AUDIT_CONTENT_ERASED");
    assert_eq!(
        told.description.as_deref(),
        Some("Request 4711 under article 17")
    );
    let named = Erased::read(&told.after.as_ref().unwrap()["erased"]).unwrap();
    let expected: Erased = after
        .values()
        .filter(|event| !event.erased.is_empty())
        .map(|event| (event.seq, parts(&event.erased)))
        .collect();
    assert_eq!(named, expected);
    assert!(
        !serde_json::to_string(told)
            .unwrap()
            .to_lowercase()
            .contains("jane")
    );
}

#[tokio::test]
async fn nothing_is_found_by_what_was_erased() {
    let erasing = Erasing::with_jane().await;
    erasing.erase(&jane()).await;
    let scope = erasing.grant.read_scope().unwrap();
    for words in [
        "actor=jane",
        "actor=doe",
        "actor_id=usr_1",
        "via_id=usr_1",
        "q=roe",
    ] {
        let query = asked(words);
        let found = erasing.log.walk(&scope, &query).await;
        assert_eq!(found.len(), 0, "{words}");
        let counted = erasing.log.store.count(&scope, &query).await;
        assert!(counted.is_ok(), "{words}");
    }
    let pseudonym = erasing.events().await.into_iter();
    let pseudonym = pseudonym
        .filter(|event| event.erased.contains(&Part::Actor))
        .find_map(|event| event.actor.actor.id)
        .unwrap();
    let query = asked(&format!("actor_id={pseudonym}"));
    let found = erasing.log.walk(&scope, &query).await;
    let all = erasing.events().await;
    let theirs = all
        .iter()
        .filter(|event| event.erased.contains(&Part::Actor));
    assert_eq!(found.len(), theirs.count());
    // What is exported says the same as the pages.
    let export = erasing.grant.export_scope().unwrap();
    let file = erasing
        .log
        .exported(&export, &Query::default(), Format::Ndjson)
        .await;
    assert_eq!(file, lines(&all));
    if log::postgres().is_some() {
        assert_eq!(erasing.log.miscounted().await, 0);
    }
}

#[tokio::test]
async fn what_mentions_the_address_elsewhere_is_listed_with_its_parts() {
    let erasing = Erasing::with_jane().await;
    let would = erasing.mentions(JANE, true).await;
    erasing.erase(&jane()).await;
    let mentions = erasing.mentions(JANE, false).await;
    assert_eq!(mentions, would);
    let told: Vec<Parts> = mentions.iter().map(|mention| mention.parts).collect();
    assert_eq!(
        told,
        [
            parts(&[Part::Objects]),
            parts(&[Part::Change, Part::Details, Part::Context]),
            parts(&[Part::Facts]),
        ]
    );
}

#[tokio::test]
async fn no_file_and_no_row_knows_what_was_erased() {
    let erasing = Erasing::new().await;
    let jane = jane_as("Jane Doe", JANE);
    // So many that pages are split, and old ones lie about.
    let mut events = Vec::new();
    for number in 0..400 {
        let who = if number % 7 == 0 {
            jane.clone()
        } else {
            user(&format!("usr_{number}"), &format!("Somebody {number}"))
        };
        events.push(event(who, "NOTE", object("page", "p", "Page"), BEGINNING));
    }
    erasing.log.record(&erasing.grant, events).await;
    assert!(!places(&erasing.log, JANE).await.is_empty());
    erasing.erase(&self::jane()).await;
    let Erasing { log, .. } = erasing;
    log.store.close().await;
    let options = Log::options(&log.folder, &log.clock);
    let cleaned = clean(&options, &[JANE.to_owned()]).await.unwrap();
    assert!(!cleaned.is_left);
    assert_eq!(places(&log, JANE).await, Vec::<String>::new());
    // It is a log as before.
    let log = log.reopened().await;
    let erasing = Erasing::of(log).await;
    assert_eq!(
        erasing
            .events()
            .await
            .iter()
            .filter(|event| event.source.is_none())
            .count(),
        400
    );
    erasing.verified().await.unwrap();
}

async fn one(erasing: &Erasing) -> (EventId, Event) {
    let mut some = event(
        jane_as("Jane Doe", JANE),
        "secret:rotate",
        object("secret", "sec_1", "SALESFORCE"),
        BEGINNING,
    );
    some.via = vec![user("agt_1", "Assistant")];
    some.related = vec![
        object("user", "usr_9", "Kim Berg"),
        object("team", "t", "Ops"),
    ];
    some.description = Some("a note".into());
    some.idempotency_key = Some("once".into());
    some.before = json!({"a": 1}).as_object().cloned();
    some.after = json!({"a": 2}).as_object().cloned();
    some.metadata = json!({"m": [1, 2]}).as_object().cloned();
    some.context = json!({"ip": "192.0.2.1"}).as_object().cloned();
    erasing.log.record(&erasing.grant, vec![some]).await;
    let event = erasing.events().await.into_iter();
    let event = event.max_by_key(|event| event.seq).unwrap();
    (event.id, event)
}

/// An event as it is to be when parts of it are erased; pseudonyms are those that came.
fn without(mut event: Event, gone: Parts, now: &Event) -> Event {
    event.erased = gone.list().to_vec();
    let nobody = |actor: &Actor, id: &Actor| Actor {
        kind: actor.kind,
        id: id.id.clone(),
        name: None,
        email: None,
    };
    if gone.has(Part::Actor) {
        event.actor.actor = nobody(&event.actor.actor, &now.actor.actor);
    }
    if gone.has(Part::Via) {
        let members = event.via.iter().zip(&now.via);
        event.via = members.map(|(actor, now)| nobody(actor, now)).collect();
    }
    if gone.has(Part::Objects) {
        for object in event.related.iter_mut().chain([&mut event.target]) {
            (object.id, object.name, object.url) = (None, None, None);
        }
    }
    if gone.has(Part::Change) {
        (event.before, event.after) = (None, None);
    }
    if gone.has(Part::Details) {
        (event.description, event.idempotency_key, event.metadata) = (None, None, None);
    }
    if gone.has(Part::Context) {
        event.context = None;
    }
    event
}

#[tokio::test]
async fn an_event_loses_all_but_its_facts_and_again_nothing() {
    let erasing = Erasing::new().await;
    let (id, before) = one(&erasing).await;
    erasing.erase(&What::Event(id, None)).await;
    let scope = erasing.grant.read_scope().unwrap();
    let now = erasing.log.store.event(&scope, id).await.unwrap().unwrap();
    let gone = parts(&[
        Part::Actor,
        Part::Via,
        Part::Objects,
        Part::Change,
        Part::Details,
        Part::Context,
    ]);
    assert_eq!(now, without(before, gone, &now));
    assert!(now.actor.actor.id.clone().unwrap().starts_with("erased-"));
    assert_ne!(now.actor.actor.id, now.via[0].id);
    assert!(
        erasing
            .released(&What::Event(id, None))
            .await
            .unwrap()
            .is_empty()
    );
    let inclusion = erasing
        .log
        .store
        .inclusion(&scope, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(inclusion.hashes.keys().copied().collect::<Parts>(), gone);
    assert_eq!(
        inclusion.salts.keys().copied().collect::<Vec<_>>(),
        [Part::Facts]
    );
    let verified = erasing.verified().await.unwrap();
    let [tenant] = &verified.tenants[..] else {
        panic!("{verified:?}")
    };
    let [erased] = &tenant.erased[..] else {
        panic!("{tenant:?}")
    };
    assert_eq!((erased.entries, erased.parts), (1, gone));
    assert_eq!(
        erased.reason.as_deref(),
        Some("Request 4711 under article 17")
    );
    // Its key is gone with it: what is sent under it again is another event.
    one(&erasing).await;
    let all = erasing.events().await;
    assert_eq!(
        all.iter()
            .filter(|event| event.action.as_str() == "secret:rotate")
            .count(),
        2
    );
}

#[tokio::test]
async fn part_after_part_may_go() {
    let erasing = Erasing::new().await;
    let (id, before) = one(&erasing).await;
    let mut gone = Parts::NONE;
    for part in [
        Part::Context,
        Part::Actor,
        Part::Details,
        Part::Objects,
        Part::Change,
        Part::Via,
    ] {
        erasing.erase(&What::Event(id, Some(parts(&[part])))).await;
        gone = gone.with(part);
        let now = erasing
            .events()
            .await
            .into_iter()
            .find(|event| event.id == id)
            .unwrap();
        assert_eq!(now, without(before.clone(), gone, &now));
        erasing.verified().await.unwrap();
    }
}

#[tokio::test]
async fn of_one_chain_two_people_are_erased_one_after_the_other() {
    let erasing = Erasing::with_jane().await;
    erasing.erase(&jane()).await;
    erasing
        .erase(&What::Person("kim.berg@acme.example".parse().unwrap()))
        .await;
    for event in erasing.events().await {
        if event.erased.contains(&Part::Via) {
            assert!(
                event.via.iter().all(|actor| actor.email.is_none()),
                "{event:?}"
            );
            assert_ne!(event.via[0].id, event.via[1].id);
        }
    }
    erasing.verified().await.unwrap();
}

#[tokio::test]
async fn who_comes_again_is_a_new_person_until_they_are_erased_again() {
    let erasing = Erasing::with_jane().await;
    erasing.erase(&jane()).await;
    let (id, _) = one(&erasing).await;
    let find = |events: Vec<Event>| events.into_iter().find(|event| event.id == id).unwrap();
    assert_eq!(
        find(erasing.events().await).actor.actor.name.as_deref(),
        Some("Jane Doe")
    );
    erasing.erase(&jane()).await;
    let all = erasing.events().await;
    let pseudonyms: BTreeSet<_> = all
        .iter()
        .filter(|event| event.erased.contains(&Part::Actor))
        .map(|event| event.actor.actor.id.clone())
        .collect();
    assert_eq!(pseudonyms.len(), 1);
    assert!(find(all).erased.contains(&Part::Actor));
    erasing.verified().await.unwrap();
}

#[tokio::test]
async fn what_may_not_be_erased_is_refused_with_a_reason() {
    let erasing = Erasing::with_jane().await;
    let store = &erasing.log.store;
    let (id, _) = one(&erasing).await;
    let unknown = EventId(uuid::Uuid::nil());
    let refused = erasing.released(&What::Event(unknown, None)).await;
    assert!(matches!(refused, Err(ErasureError::UnknownEvent(_))));
    let facts = Some(parts(&[Part::Facts, Part::Actor]));
    let refused = erasing.released(&What::Event(id, facts)).await;
    assert!(matches!(refused, Err(ErasureError::Facts)));
    let telling = format!("asked for by {}", JANE.to_uppercase())
        .parse()
        .unwrap();
    for what in [jane(), What::Event(id, None)] {
        let refused = store
            .erase(&erasing.scope, &what, &telling, &operator())
            .await;
        assert!(
            matches!(refused, Err(ErasureError::ReasonTells)),
            "{what:?}"
        );
    }
    let mut own = erasing.events().await.into_iter();
    let own = own
        .find(|event| event.action.as_str() == "WORKSPACE_CREATED")
        .unwrap();
    let refused = erasing.released(&What::Event(own.id, None)).await;
    assert!(matches!(refused, Err(ErasureError::Judges { .. })));
    erasing
        .erase(&What::Event(
            own.id,
            Some(parts(&[Part::Objects, Part::Details])),
        ))
        .await;
    erasing.verified().await.unwrap();

    let hold = "Lawsuit".parse().unwrap();
    store
        .place_hold(&erasing.scope, &hold, &operator())
        .await
        .unwrap();
    let Err(ErasureError::Held(stands)) = erasing.released(&jane()).await else {
        panic!("a hold stands");
    };
    assert_eq!(stands.reason, "Lawsuit");
    let would = store.would_erase(&erasing.scope, &jane()).await;
    assert!(matches!(would, Err(ErasureError::Held(_))));
}

#[tokio::test]
async fn a_hold_suspends_what_is_not_erased_yet() {
    let erasing = Erasing::with_jane().await;
    let releases = erasing.released(&jane()).await.unwrap();
    let store = &erasing.log.store;
    let why = "Lawsuit".parse().unwrap();
    store
        .place_hold(&erasing.scope, &why, &operator())
        .await
        .unwrap();
    erasing.carry_out().await;
    assert_eq!(
        store.erasure_progress(&releases).await.unwrap(),
        Progress::Suspended
    );
    assert!(
        erasing
            .events()
            .await
            .iter()
            .all(|event| event.erased.is_empty())
    );
    erasing.verified().await.unwrap();
    store
        .lift_hold(&erasing.scope, &why, &operator())
        .await
        .unwrap();
    erasing.carry_out().await;
    assert_eq!(
        store.erasure_progress(&releases).await.unwrap(),
        Progress::Finished
    );
    assert!(
        erasing
            .events()
            .await
            .iter()
            .any(|event| !event.erased.is_empty())
    );
    erasing.verified().await.unwrap();
}

#[tokio::test]
async fn what_is_cut_short_goes_on_without_the_address() {
    let erasing = Erasing::with_jane().await;
    let releases = erasing.released(&jane()).await.unwrap();
    let erasing = Erasing::of(erasing.log.reopened().await).await;
    // Meanwhile they go on: of that nothing is named.
    let (id, _) = one(&erasing).await;
    erasing.carry_out().await;
    let store = &erasing.log.store;
    assert_eq!(
        store.erasure_progress(&releases).await.unwrap(),
        Progress::Finished
    );
    for event in erasing.events().await {
        let email = event.actor.actor.email.as_deref();
        assert!(event.id == id || email.map(str::to_lowercase).as_deref() != Some(JANE));
    }
    erasing.verified().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_or_records_meanwhile_misses_nothing() {
    let erasing = Erasing::new().await;
    let (log, grant) = (&erasing.log, &erasing.grant);
    // More than are rewritten at a time.
    let numbered = |number: usize| {
        let page = object("page", &format!("p{}", number % 3), "Page");
        let mut event = event(jane_as("Jane Doe", JANE), "NOTE", page, BEGINNING);
        event.idempotency_key = Some(format!("key-{number}"));
        event
    };
    log.record(grant, (0..2_400).map(numbered).collect()).await;
    erasing.released(&jane()).await.unwrap();
    let scope = grant.read_scope().unwrap();
    let all = log.walk(&scope, &limit(500)).await.len();
    let store = log.store.clone();
    let erased = tokio::spawn(async move { carry_out(&store).await });
    let looking = async {
        let mut looked = 0;
        while looked == 0 || !erased.is_finished() {
            let counted = log.store.count(&scope, &Query::default()).await.unwrap();
            assert_eq!(counted, Count::Exactly(all as u64));
            looked += 1;
        }
    };
    let sending = async {
        let mut sent = 0;
        while sent == 0 || !erased.is_finished() {
            let again = (sent % 60..2_400).step_by(60).map(numbered);
            for receipt in log.record(grant, again.collect()).await {
                assert!(matches!(receipt, Receipt::Duplicate(_)), "{receipt:?}");
            }
            sent += 1;
        }
    };
    tokio::join!(looking, sending);
    erased.await.unwrap();
    assert_eq!(log.walk(&scope, &limit(500)).await.len(), all);
}

#[tokio::test]
async fn an_index_that_is_made_again_finds_the_same() {
    only_sqlite!();
    let erasing = Erasing::with_jane().await;
    erasing.erase(&jane()).await;
    let before = erasing.events().await;
    let Log {
        store,
        clock,
        folder,
    } = erasing.log;
    store.close().await;
    store::discard_index(&Log::options(&folder, &clock)).unwrap();
    let store = Store::open(Log::options(&folder, &clock)).await.unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    let erasing = Erasing::of(Log {
        store,
        clock,
        folder,
    })
    .await;
    let own = |event: &&Event| event.action.as_str() != "API_TOKEN_CREATED";
    let after = erasing.events().await;
    let after: Vec<&Event> = after.iter().filter(own).collect();
    assert_eq!(after, before.iter().filter(own).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_that_only_the_index_had_rewritten_is_taken_over_again() {
    only_sqlite!();
    let erasing = Erasing::with_jane().await;
    erasing.released(&jane()).await.unwrap();
    let before = erasing.events().await;
    let log = erasing.log.reopened().await;
    // As it is when the machine stops after the index's commit and before the log's.
    let path = log.folder.path().join("daybook.db");
    let kept = path.with_extension("kept");
    log.store.close().await;
    std::fs::copy(&path, &kept).unwrap();
    let Log { clock, folder, .. } = log;
    let open = || Store::open(Log::options(&folder, &clock));
    let store = open().await.unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    let step = store.remove_some().await.unwrap();
    assert!(
        matches!(step, Removal::Erased { events: 1.., .. }),
        "{step:?}"
    );
    store.close().await;
    std::fs::rename(&kept, &path).unwrap();
    let store = open().await.unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    let taken_over = index_of(&folder).await;
    let scope = erasing.grant.read_scope().unwrap();
    let log = Log {
        store,
        clock: clock.clone(),
        folder,
    };
    assert_eq!(log.walk(&scope, &Query::default()).await, before);
    let by_jane = log.walk(&scope, &asked(&format!("actor={JANE}"))).await;
    assert!(!by_jane.is_empty());
    let Log {
        store,
        clock,
        folder,
    } = log;
    store.close().await;
    store::discard_index(&Log::options(&folder, &clock)).unwrap();
    let store = Store::open(Log::options(&folder, &clock)).await.unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    assert_eq!(index_of(&folder).await, taken_over);
    carry_out(&store).await;
    let log = Log {
        store,
        clock,
        folder,
    };
    assert!(
        log.walk(&scope, &asked(&format!("actor={JANE}")))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn the_database_refuses_what_no_release_names() {
    let erasing = Erasing::with_jane().await;
    let log = &erasing.log;
    let zeros = if log::postgres().is_some() {
        "decode(repeat('00', 16), 'hex')"
    } else {
        "zeroblob(16)"
    };
    let hollow =
        format!("UPDATE content SET body = NULL, erased = 16, proofs = salt, salt = {zeros}");
    for statement in [
        "UPDATE content SET body = NULL".to_owned(),
        "UPDATE content SET salt = salt".to_owned(),
        "UPDATE actor SET id = NULL, name = NULL, email = NULL".to_owned(),
        hollow.clone(),
    ] {
        log.refused(&statement).await;
    }
    // Under a release: only what it names.
    erasing.released(&jane()).await.unwrap();
    log.refused(&hollow).await;
    log.refused("UPDATE content SET body = NULL").await;
    for statement in [
        "UPDATE erasure_event SET parts = 126",
        "DELETE FROM erasure_event",
        "DELETE FROM erasure",
        "UPDATE erasure SET events = 1",
    ] {
        log.refused(statement).await;
    }
    let n = log::n();
    let add = format!("INSERT INTO erasure_event (erasure, {n}, parts) VALUES (1, 1, 16)");
    log.refused(&add).await;
    erasing.carry_out().await;
    log.refused("UPDATE erasure SET finished_at = 1").await;
    erasing.verified().await.unwrap();
}

/// Statements of somebody who may do everything on the database, with its triggers out of the way.
async fn attack(log: &Log, statements: &str) {
    if log::postgres().is_some() {
        let tables = [
            "leaf",
            "content",
            "actor",
            "erasure",
            "erasure_event",
            "hold",
        ];
        let off = tables.map(|table| format!("ALTER TABLE {table} DISABLE TRIGGER USER;"));
        log.execute(&format!("{} {statements}", off.concat())).await;
        return;
    }
    let triggers: Vec<(String,)> = log
        .rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .await;
    let drops: Vec<String> = triggers
        .into_iter()
        .map(|(name,)| format!("DROP TRIGGER {name};"))
        .collect();
    let drops = drops.concat();
    log.execute(&format!("PRAGMA foreign_keys = OFF; {drops} {statements}"))
        .await;
}

#[tokio::test]
async fn a_release_that_its_entry_does_not_tell_of_is_found() {
    for statements in [
        "UPDATE erasure_event SET parts = parts | 64",
        "DELETE FROM erasure_event",
        "DELETE FROM erasure_event; DELETE FROM erasure",
    ] {
        let erasing = Erasing::with_jane().await;
        erasing.erase(&jane()).await;
        erasing.verified().await.unwrap();
        attack(&erasing.log, statements).await;
        let found = erasing.verified().await;
        assert!(
            matches!(found, Err(Wrong::Release { .. } | Wrong::Unerased { .. })),
            "{statements}: {found:?}"
        );
    }
}

#[tokio::test]
async fn what_was_nulled_without_a_release_is_found() {
    let erasing = Erasing::new().await;
    let (id, before) = one(&erasing).await;
    erasing
        .erase(&What::Event(id, Some(parts(&[Part::Context]))))
        .await;
    erasing.verified().await.unwrap();
    let same = if log::postgres().is_some() {
        "c.tenant = l.tenant AND c.seq = l.seq"
    } else {
        "c.n = l.n"
    };
    let it = format!(
        "(SELECT 1 FROM leaf l WHERE {same} AND l.seq = {})",
        before.seq
    );
    // Its note is taken out, and nothing put in its place.
    let table = if log::postgres().is_some() {
        "content c"
    } else {
        "content AS c"
    };
    attack(
        &erasing.log,
        &format!("UPDATE {table} SET body = NULL, key = NULL, key_rest = NULL WHERE EXISTS {it}"),
    )
    .await;
    assert!(matches!(
        erasing.verified().await,
        Err(Wrong::Altered { .. })
    ));
    // With its hash in its place, as if it had been erased.
    let scope = erasing.grant.read_scope().unwrap();
    let proofs = erasing
        .log
        .store
        .inclusion(&scope, id)
        .await
        .unwrap()
        .unwrap();
    let mut proof: BTreeMap<Part, String> = BTreeMap::new();
    proof.extend(
        proofs
            .salts
            .iter()
            .map(|(part, salt)| (*part, salt.to_string())),
    );
    proof.extend(
        proofs
            .hashes
            .iter()
            .map(|(part, hash)| (*part, hash.to_string())),
    );
    let told: NewEvent = before.as_given();
    for part in [Part::Change, Part::Details] {
        let salt = proofs.salts[&part];
        let canonical = domain::leaf::part_of(part, &told, None);
        proof.insert(part, domain::leaf::part_hash(&salt, &canonical).to_string());
    }
    let hex: String = Part::ALL.iter().map(|part| proof[part].clone()).collect();
    let bytes = if log::postgres().is_some() {
        format!("decode('{hex}', 'hex')")
    } else {
        format!("x'{hex}'")
    };
    attack(
        &erasing.log,
        &format!("UPDATE {table} SET erased = 112, proofs = {bytes} WHERE EXISTS {it}"),
    )
    .await;
    let found = erasing.verified().await;
    let Err(Wrong::Unerased { parts, seq, .. }) = found else {
        panic!("{found:?}")
    };
    assert_eq!((parts.as_str(), seq), ("change, details", before.seq));
}

#[tokio::test]
async fn an_erasure_under_a_hold_is_found() {
    let erasing = Erasing::with_jane().await;
    let why = "Lawsuit".parse().unwrap();
    let store = &erasing.log.store;
    store
        .place_hold(&erasing.scope, &why, &operator())
        .await
        .unwrap();
    // The row of the hold is made to say that it was lifted, while it is erased.
    attack(
        &erasing.log,
        "UPDATE hold SET lifted_at = 1, lifted_by = 'x', lifted_reason = 'x'",
    )
    .await;
    erasing.erase(&jane()).await;
    let found = erasing.verified().await;
    let Err(Wrong::Release { what, .. }) = found else {
        panic!("{found:?}")
    };
    assert!(what.contains("legal hold"), "{what}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// Random parts of random events, and random people: everything else is as before, what is found is
    /// what the events themselves say, and the log stays provable.
    #[test]
    fn everything_else_is_as_before(
        steps in prop::collection::vec((0_usize..40, 1_u8..64, any::<bool>()), 1..5)
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let erasing = Erasing::with_jane().await;
            let first = erasing.by_seq().await;
            let numbers: Vec<u64> = first
                .values()
                .filter(|event| event.source.is_none())
                .map(|event| event.seq)
                .collect();
            let people = [JANE, "priya.raman@acme.example", "kim.berg@acme.example"];
            for (which, bits, is_person) in steps {
                let before = erasing.by_seq().await;
                let gone = Parts::from_bits(bits << 1).unwrap();
                let seq = numbers[which % numbers.len()];
                let what = if is_person {
                    What::Person(people[which % 3].parse().unwrap())
                } else {
                    What::Event(before[&seq].id, Some(gone))
                };
                erasing.erase(&what).await;
                let after = erasing.by_seq().await;
                for (at, event) in &before {
                    let now = &after[at];
                    let more: Parts = parts(&now.erased).without(parts(&event.erased));
                    prop_assert!(is_person || *at == seq || more.is_empty());
                    if is_person {
                        prop_assert!(more.without(parts(&[Part::Actor, Part::Via])).is_empty());
                        let theirs = |actor: &Actor| actor
                            .email
                            .as_deref()
                            .map(str::to_lowercase)
                            .as_deref() == Some(people[which % 3]);
                        prop_assert!(!theirs(&now.actor.actor) && !now.via.iter().any(theirs));
                        let mut expected = event.clone();
                        expected.erased.clone_from(&now.erased);
                        if theirs(&event.actor.actor) {
                            expected.actor.clone_from(&now.actor);
                        }
                        for (member, now) in expected.via.iter_mut().zip(&now.via) {
                            if theirs(member) {
                                member.clone_from(now);
                            }
                        }
                        prop_assert_eq!(now, &expected);
                    } else {
                        let all = parts(&event.erased).and(more);
                        let mut expected = without(event.clone(), more, now);
                        expected.erased = all.list().to_vec();
                        prop_assert_eq!(now, &expected);
                    }
                }
                let scope = erasing.grant.read_scope().unwrap();
                for words in ["actor=jane", "actor=erased", "q=sales", "actor_id=usr_2", "q=kim"] {
                    let query = asked(words);
                    let found = erasing.log.walk(&scope, &query).await;
                    let found: BTreeSet<u64> = found.iter().map(|event| event.seq).collect();
                    let naive: BTreeSet<u64> = after
                        .values()
                        .filter(|event| matches(&query.filter, event))
                        .map(|event| event.seq)
                        .collect();
                    prop_assert_eq!(found, naive, "{}", words);
                }
            }
            prop_assert!(erasing.verified().await.is_ok());
            if log::postgres().is_some() {
                prop_assert_eq!(erasing.log.miscounted().await, 0);
            }
            Ok(())
        })?;
    }
}

fn asked(words: &str) -> Query {
    let read = Query::read(words, Unknown::Refused);
    assert!(read.faults.is_empty(), "{words}");
    read.query
}

/// Whether a filter finds an event, by its meaning.
fn matches(filter: &Filter, event: &Event) -> bool {
    let catalogue = domain::catalogue::Catalogue::default();
    let label = catalogue.reading(event.action.as_str()).label.to_string();
    filter.matches(event, &label, filter.span(log::time(BEGINNING)))
}

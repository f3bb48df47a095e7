//! A log of which somebody is erased: what the tests of erasure share.

#![allow(dead_code, reason = "each test file uses a part")]

use crate::log::{BEGINNING, Log, event, object, operator, user};
use domain::{
    event::{Actor, ActorKind, Event, EventId, Part, Parts},
    question::{Query, Unknown},
    slug::WorkspacePath,
};
use serde_json::json;
use std::collections::BTreeMap;
use store::{
    Store,
    access::{SettingsScope, TokenGrant},
    erasure::{Address, Damaged, ErasureError, Mention, Progress, Release, Released, What},
    proof::verify::{Verified, VerifyError, Wrong, verify},
    retention::{ExpiringLog, Occasion, Removal},
    settings::SettingsChange,
};

pub const JANE: &str = "jane.doe@acme.example";

pub fn path(place: &str) -> WorkspacePath {
    place.parse().unwrap()
}

pub fn parts(parts: &[Part]) -> Parts {
    parts.iter().copied().collect()
}

pub fn jane() -> What {
    What::Person(JANE.parse().unwrap())
}

pub fn reason() -> store::holds::Reason {
    "Request 4711 under article 17".parse().unwrap()
}

/// Jane as she was called once, whatever the case her address was written in.
pub fn jane_as(name: &str, email: &str) -> Actor {
    Actor {
        kind: ActorKind::User,
        id: Some("usr_1".into()),
        name: Some(name.into()),
        email: Some(email.into()),
    }
}

pub struct Erasing {
    pub log: Log,
    pub scope: SettingsScope,
    pub grant: TokenGrant,
}

impl Erasing {
    pub async fn new() -> Self {
        Self::of(Log::new().await).await
    }

    pub async fn of(log: Log) -> Self {
        let scope = log.store.operator_settings(&path("acme/growth")).await;
        Self {
            scope: scope.unwrap().unwrap(),
            grant: log.token("acme/growth").await,
            log,
        }
    }

    /// Events of Jane, by her and through her, and of others; in some others she is mentioned.
    pub async fn with_jane() -> Self {
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

    pub async fn events(&self) -> Vec<Event> {
        let scope = self.grant.read_scope().unwrap();
        self.log.walk(&scope, &Query::default()).await
    }

    pub async fn by_seq(&self) -> BTreeMap<u64, Event> {
        let events = self.events().await.into_iter();
        events.map(|event| (event.seq, event)).collect()
    }

    /// Makes releases, and carries none out.
    pub async fn released(&self, what: &What) -> Result<Vec<Release>, ErasureError> {
        let (reason, by) = (reason(), operator());
        let store = &self.log.store;
        match store.erase(&self.scope, what, &reason, &by).await? {
            Released::Made(releases, _) => Ok(releases),
            Released::Nothing(_) => Ok(Vec::new()),
            Released::Unfinished(_) | Released::Part(..) => panic!("nothing is under way"),
        }
    }

    pub async fn carry_out(&self) {
        carry_out(&self.log.store).await;
    }

    pub async fn erase(&self, what: &What) -> Vec<Release> {
        let releases = self.released(what).await.unwrap();
        self.carry_out().await;
        assert_eq!(self.progress(&releases).await, Progress::Finished);
        releases
    }

    pub async fn progress(&self, releases: &[Release]) -> Progress {
        self.log.store.erasure_progress(releases).await.unwrap()
    }

    pub async fn damage(&self, releases: &[Release]) -> Vec<Damaged> {
        self.log.store.erasure_damage(releases).await.unwrap()
    }

    pub async fn place_hold(&self) {
        let (why, by) = ("Lawsuit".parse().unwrap(), operator());
        let placed = self.log.store.place_hold(&self.scope, &why, &by).await;
        placed.unwrap();
    }

    pub async fn lift_hold(&self) {
        let (why, by) = ("Settled".parse().unwrap(), operator());
        let lifted = self.log.store.lift_hold(&self.scope, &why, &by).await;
        lifted.unwrap();
    }

    pub async fn change(&self, change: SettingsChange) {
        let by = operator();
        let changed = self.log.store.change_settings(&self.scope, change, &by);
        changed.await.unwrap();
    }

    /// Keeps events for a day from now on, and permits the deletion of what occurred before.
    pub async fn let_expire(&self) -> store::retention::Release {
        self.change(SettingsChange {
            retention: Some("1d".parse().unwrap()),
            now: true,
            ..SettingsChange::default()
        })
        .await;
        let (store, by) = (&self.log.store, operator());
        let log: ExpiringLog = store
            .expiring_log(&path("acme/growth"))
            .await
            .unwrap()
            .unwrap();
        match store.release(&log, Occasion::Asked, &by).await.unwrap() {
            store::retention::Released::Made(release, _) => release,
            other => panic!("{other:?}"),
        }
    }

    pub async fn mentions(&self, address: &str, but_theirs: bool) -> Vec<Mention> {
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

    pub async fn verified(&self) -> Result<Verified, Wrong> {
        self.log.store.cover().await.unwrap();
        let options = Log::options(&self.log.folder, &self.log.clock);
        match verify(&options, &[], |_, _| ()).await {
            Ok(verified) => Ok(verified),
            Err(VerifyError::Wrong(wrong)) => Err(wrong),
            Err(error) => panic!("{error}"),
        }
    }
}

pub async fn carry_out(store: &Store) {
    loop {
        match store.remove_some().await.unwrap() {
            Removal::Erased { .. } | Removal::Some { .. } => {}
            Removal::Nothing => return,
            Removal::Elsewhere => tokio::task::yield_now().await,
        }
    }
}

pub async fn one(erasing: &Erasing) -> (EventId, Event) {
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
pub fn without(mut event: Event, gone: Parts, now: &Event) -> Event {
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

pub fn asked(words: &str) -> Query {
    let read = Query::read(words, Unknown::Refused);
    assert!(read.faults.is_empty(), "{words}");
    read.query
}

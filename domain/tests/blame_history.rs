//! Blame of a real history, hundreds of versions of a public file, is what replaying them gives.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use domain::{
    blame::{Asked, Blame, Field, Fold, Origin, Telling, blame},
    event::{Actor, ActorKind, EventId, Object, Outcome},
    json::{Path, canonical, path::Segment},
    time::Timestamp,
    verb::Verb,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use uuid::Uuid;

/// See `samples/README.md`.
const PATCHES: &str = include_str!("samples/express_package.ndjson");

/// A version of the file: who made it, when, and what it says.
struct Version {
    at: Timestamp,
    by: u64,
    file: Value,
}

/// RFC 7396.
fn patched(file: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut members = match file {
        Value::Object(members) => members,
        _ => Object::new(),
    };
    for (name, patch) in patch {
        let value = members.remove(name);
        if !patch.is_null() {
            let value = patched(value.unwrap_or_default(), patch);
            members.insert(name.clone(), value);
        }
    }
    members.into()
}

fn versions() -> Vec<Version> {
    let mut file = Value::Null;
    let mut version = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        file = patched(file.take(), &line["patch"]);
        Version {
            at: line["at"].as_str().unwrap().parse().unwrap(),
            by: line["by"].as_u64().unwrap(),
            file: file.clone(),
        }
    };
    PATCHES.lines().map(&mut version).collect()
}

/// What events give of the states before and after.
#[derive(Clone, Copy, Debug)]
enum Gives {
    Whole,
    WhatChanged,
}

/// The versions as events, numbered from 1.
fn events(versions: &[Version], gives: Gives) -> Vec<Telling> {
    let without = |state: &Object, other: &Object| -> Object {
        let members = state.iter();
        let changed = members.filter(|(name, value)| other.get(*name) != Some(value));
        changed
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let mut before: Option<Object> = None;
    let mut events = Vec::new();
    for (number, version) in (1_u128..).zip(versions) {
        let after = version.file.as_object().unwrap().clone();
        let (was, is) = match (&before, gives) {
            (None, _) => (None, after.clone()),
            (Some(was), Gives::Whole) => (Some(was.clone()), after.clone()),
            (Some(was), Gives::WhatChanged) => (Some(without(was, &after)), without(&after, was)),
        };
        events.push(Telling {
            id: EventId(Uuid::from_u128(number)),
            occurred_at: version.at,
            actor: Arc::new(Actor {
                kind: ActorKind::User,
                id: Some(version.by.to_string()),
                name: None,
                email: None,
            }),
            via: Arc::from([]),
            verb: if before.is_none() {
                Verb::Create
            } else {
                Verb::Update
            },
            outcome: Outcome::Success,
            idempotency_key: None,
            before: was.map(|state| Arc::new(state.into())),
            after: Some(Arc::new(is.into())),
            erased: false,
            rest: String::new(),
        });
        before = Some(after);
    }
    events
}

/// What tells a field from the others, wherever it moves to, with where it is, and its value.
type Flat = BTreeMap<String, (Path, Value)>;

/// The fields of a version. In this file all elements of a list are told apart by their names or values.
fn flat(file: &Value) -> Flat {
    fn walk(value: &Value, key: &str, path: &mut Path, found: &mut Flat) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, value) in members {
                    path.push(Segment::Member(name.clone()));
                    walk(value, &format!("{key}/{name}"), path, found);
                    path.pop();
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                for (place, value) in elements.iter().enumerate() {
                    let name = value.get("name").unwrap_or(value);
                    path.push(Segment::Element(place));
                    walk(value, &format!("{key}[{}]", canonical(name)), path, found);
                    path.pop();
                }
            }
            value => {
                let known = found.insert(key.to_owned(), (path.clone(), value.clone()));
                assert!(known.is_none(), "{key} is there twice");
            }
        }
    }
    let mut found = Flat::new();
    walk(file, "", &mut Path::default(), &mut found);
    found
}

/// A field by its path: its value, the event that set it, what it was before, and how often it was set.
type Told = BTreeMap<String, (Value, u128, Option<Value>, u64)>;

/// What replaying the versions gives after each of them.
fn replayed(versions: &[Version]) -> Vec<Told> {
    let mut last = Flat::new();
    let mut set: HashMap<String, (u128, Option<Value>)> = HashMap::new();
    let mut counts: HashMap<String, u64> = HashMap::new();
    let mut all = Vec::new();
    for (number, version) in (1_u128..).zip(versions) {
        let now = flat(&version.file);
        for (key, (_, value)) in &now {
            let before = last.get(key).map(|(_, value)| value);
            if before != Some(value) {
                set.insert(key.clone(), (number, before.cloned()));
                *counts.entry(key.clone()).or_default() += 1;
            }
        }
        let told = now.iter().map(|(key, (path, value))| {
            let (by, before) = set[key].clone();
            (path.to_string(), (value.clone(), by, before, counts[key]))
        });
        all.push(told.collect());
        last = now;
    }
    all
}

fn told(fields: &[Field]) -> Told {
    let of = |field: &Field| {
        let Origin::Event(author) = &field.last.origin else {
            panic!("{field:?}");
        };
        let last = field.last.clone();
        let by = author.event.0.as_u128();
        (
            field.path.to_string(),
            (last.value.unwrap(), by, last.previous, last.changes),
        )
    };
    fields.iter().map(of).collect()
}

#[test]
fn who_set_each_field_of_a_real_file_is_what_replaying_its_history_gives() {
    let versions = versions();
    assert!(versions.len() > 500);
    let known = replayed(&versions);
    for gives in [Gives::Whole, Gives::WhatChanged] {
        let events = events(&versions, gives);
        for (number, known) in (1..).zip(&known).step_by(83).chain([(587, &known[586])]) {
            let asked = Asked {
                at: Some(events[number - 1].occurred_at),
                ..Asked::default()
            };
            let found: Blame = blame(asked, events.clone());
            assert_eq!(told(&found.fields), *known, "{gives:?}, version {number}");
            let removed = found.removed.iter();
            let mut origins = removed.map(|field| &field.last.origin);
            assert!(origins.all(|origin| matches!(origin, Origin::Event(_))));
            assert_eq!(found.changes, number as u64);
            assert_eq!(found.untold, []);
        }
    }
}

#[test]
fn a_real_file_has_one_history_in_whatever_order_its_versions_arrive() {
    // As a sender whose clock knows days: the versions of a day are told apart by what they say.
    const DAY: i64 = 86_400_000_000;
    let versions = versions();
    let mut events = events(&versions, Gives::Whole);
    for event in &mut events {
        let day = event.occurred_at.micros().div_euclid(DAY);
        event.occurred_at = Timestamp::from_micros(day * DAY);
    }
    let in_time = blame(Asked::default(), events.clone());
    events.reverse();
    let reversed = blame(Asked::default(), events.clone());
    assert_eq!(reversed, in_time);
    let of_a_day = |event: &Telling| event.occurred_at.micros() / DAY % 7;
    events.sort_by_key(of_a_day);
    assert_eq!(blame(Asked::default(), events), in_time);
    // Each version follows from the one before, so that nothing seems to have changed outside.
    let known = replayed(&versions).pop().unwrap();
    assert_eq!(told(&in_time.fields), known);
}

#[test]
fn the_whole_history_of_a_field_is_told() {
    let versions = versions();
    let mut expected: Vec<&str> = versions
        .iter()
        .map(|version| version.file["version"].as_str().unwrap())
        .collect();
    expected.dedup();
    let mut fold = Fold::new(Asked {
        field: Some("version".parse().unwrap()),
        ..Asked::default()
    });
    for event in events(&versions, Gives::Whole) {
        fold.tell(event);
    }
    let found = fold.finish();
    let [field] = found.fields.as_slice() else {
        panic!("{:?}", found.fields);
    };
    let history: Vec<&str> = field
        .history
        .iter()
        .map(|setting| setting.value.as_ref().unwrap().as_str().unwrap())
        .collect();
    assert!(history.len() > 150, "{}", history.len());
    assert_eq!(history, expected);
    assert_eq!(field.last.changes, history.len() as u64);
}

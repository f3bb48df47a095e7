//! What blame tells, and that it does not depend on the order of arrival.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

mod lists;
mod order;
mod properties;
mod unknown;

use super::*;
use crate::event::ActorKind;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

fn state(value: Value) -> Option<Arc<Stated>> {
    match value {
        Value::Object(members) => Some(Arc::new(members.into())),
        _ => None,
    }
}

/// An event at a second; `null` for a state: not given.
fn event(number: u128, second: i64, verb: Verb, before: Value, after: Value) -> Telling {
    Telling {
        id: EventId(Uuid::from_u128(number)),
        occurred_at: at(second),
        actor: Arc::new(Actor {
            kind: ActorKind::User,
            id: Some(format!("usr_{number}")),
            name: None,
            email: None,
        }),
        via: Arc::from([]),
        verb,
        outcome: Outcome::Success,
        idempotency_key: None,
        before: state(before),
        after: state(after),
        erased: false,
        rest: String::new(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

/// Events in a row, a second apart from 1, numbered alike.
fn in_a_row<const N: usize>(events: [(Verb, Value, Value); N]) -> Vec<Telling> {
    let numbered = (1_i64..).zip(events);
    numbered
        .map(|(number, (verb, before, after))| {
            event(
                u128::from(number.unsigned_abs()),
                number,
                verb,
                before,
                after,
            )
        })
        .collect()
}

fn second(time: Timestamp) -> i64 {
    time.micros() / 1_000_000
}

/// Events that did not tell: how many, how many of them erased, and the first.
fn named(silent: &Silent) -> String {
    let named = silent.named.iter().map(|id| id.0.as_u128().to_string());
    let named = named.collect::<Vec<_>>().join(",");
    format!("{}/{}: {named}", silent.events, silent.erased)
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Event(author) => author.event.0.as_u128().to_string(),
        Origin::Initial => "initial".to_owned(),
        Origin::Outside {
            since,
            until,
            silent,
        } => {
            let of = silent
                .as_ref()
                .map(|silent| format!(" of {}", named(silent)));
            format!(
                "outside {}-{}{}",
                second(*since),
                second(*until),
                of.unwrap_or_default()
            )
        }
        Origin::Erased {
            since,
            until,
            silent,
        } => {
            let since = since.map_or_else(String::new, |since| second(since).to_string());
            format!("erased {since}-{} of {}", second(*until), named(silent))
        }
    }
}

fn setting(setting: &Setting) -> String {
    let text = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
    format!(
        "{} <- {} by {} ({})",
        text(&setting.value),
        text(&setting.previous),
        origin(&setting.origin),
        setting.changes
    )
}

/// Fields as lines: `path: value <- previous by event (changes)`.
fn lines(fields: &[Field]) -> Vec<String> {
    let line = |field: &Field| format!("{}: {}", field.path, setting(&field.last));
    fields.iter().map(line).collect()
}

fn now(events: Vec<Telling>) -> Blame {
    blame(Asked::default(), events)
}

fn history(field: &str, events: Vec<Telling>) -> Vec<String> {
    let asked = Asked {
        field: Some(field.parse().unwrap()),
        ..Asked::default()
    };
    let blame = blame(asked, events);
    let fields = blame.fields.iter().chain(&blame.removed);
    let all = fields.flat_map(|field| &field.history);
    all.map(setting).collect()
}

#[test]
fn each_field_has_who_set_it_last_and_what_it_was_before() {
    let events = in_a_row([
        (
            Verb::Create,
            Value::Null,
            json!({"a": 1, "o": {"x": "u", "y": true}}),
        ),
        (
            Verb::Update,
            json!({"a": 1, "o": {"x": "u", "y": true}}),
            json!({"a": 1, "o": {"x": "v", "y": true}}),
        ),
        (
            Verb::Update,
            json!({"a": 1}),
            json!({"a": 2, "b.c \"d\"": null}),
        ),
    ]);
    let blame = now(events);
    assert!(blame.exists());
    assert_eq!(
        lines(&blame.fields),
        [
            "a: 2 <- 1 by 3 (2)",
            r#"["b.c \"d\""]: null <- - by 3 (1)"#,
            r#"o.x: "v" <- "u" by 2 (2)"#,
            "o.y: true <- - by 1 (1)",
        ]
    );
    assert_eq!(blame.changes, 3);
    let what: Vec<What> = blame.moments.iter().map(|moment| moment.what).collect();
    assert_eq!(what, [What::Created, What::Changed(1), What::Changed(2)]);
}

#[test]
fn what_was_so_before_the_first_event_that_tells_of_it_is_initial() {
    let events = in_a_row([
        (
            Verb::Update,
            json!({"a": 1, "b": 1}),
            json!({"a": 2, "b": 1}),
        ),
        (Verb::Update, json!({"c": 5, "a": 2}), json!({"a": 3})),
    ]);
    let blame = now(events.clone());
    assert_eq!(
        lines(&blame.fields),
        ["a: 3 <- 2 by 2 (2)", "b: 1 <- - by initial (0)"]
    );
    assert_eq!(lines(&blame.removed), ["c: - <- 5 by 2 (0)"]);
    assert_eq!(
        history("a", events),
        [
            "1 <- - by initial (0)",
            "2 <- 1 by 1 (1)",
            "3 <- 2 by 2 (2)"
        ]
    );
}

#[test]
fn a_before_that_is_not_what_was_left_is_a_change_outside_the_log() {
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1, "b": 1, "c": 1})),
        (Verb::Update, json!({"b": 1}), json!({"b": 2})),
        (
            Verb::Update,
            json!({"a": 7, "b": 9}),
            json!({"a": 7, "b": 3, "c": 4}),
        ),
    ]);
    assert_eq!(
        lines(&now(events.clone()).fields),
        [
            "a: 7 <- 1 by outside 1-3 (2)",
            "b: 3 <- 9 by 3 (4)",
            "c: 4 <- - by 3 (2)",
        ]
    );
    assert_eq!(
        history("b", events.clone()),
        [
            "1 <- - by 1 (1)",
            "2 <- 1 by 2 (2)",
            "9 <- 2 by outside 2-3 (3)",
            "3 <- 9 by 3 (4)",
        ]
    );
    // It was not there any more when the event set it.
    assert_eq!(
        history("c", events),
        [
            "1 <- - by 1 (1)",
            "- <- 1 by outside 1-3 (1)",
            "4 <- - by 3 (2)"
        ]
    );
}

#[test]
fn without_a_before_nothing_is_claimed_of_it() {
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1, "b": 1})),
        (Verb::Update, Value::Null, json!({"a": 1, "b": 2})),
        (Verb::Update, json!({"b": 2}), Value::Null),
    ]);
    let blame = now(events);
    assert_eq!(lines(&blame.fields), ["a: 1 <- - by 1 (1)"]);
    assert_eq!(lines(&blame.removed), ["b: - <- 2 by 3 (2)"]);
}

#[test]
fn what_did_not_succeed_and_who_only_looks_change_nothing() {
    let mut events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1})),
        (Verb::Update, json!({"a": 1}), json!({"a": 2})),
        (Verb::Update, json!({"a": 1}), json!({"a": 3})),
        (Verb::Read, Value::Null, Value::Null),
        (Verb::Export, json!({"a": 8}), json!({"a": 9})),
    ]);
    events[1].outcome = Outcome::Failure;
    events[2].outcome = Outcome::Denied;
    let blame = now(events);
    assert_eq!(lines(&blame.fields), ["a: 1 <- - by 1 (1)"]);
    assert_eq!(blame.untold, []);
}

#[test]
fn a_deletion_removes_every_field_and_what_comes_after_goes_on_with_the_counts() {
    let events = in_a_row([
        (
            Verb::Create,
            Value::Null,
            json!({"a": 1, "l": [1], "o": {"x": 1}}),
        ),
        (Verb::Delete, json!({"a": 1}), Value::Null),
        (Verb::Create, Value::Null, json!({"a": 1})),
    ]);
    let gone = blame(
        Asked {
            at: Some(at(2)),
            ..Asked::default()
        },
        events.clone(),
    );
    assert!(!gone.exists());
    assert_eq!(gone.fields, []);
    assert_eq!(
        lines(&gone.removed),
        [
            "a: - <- 1 by 2 (1)",
            "l[0]: - <- 1 by 2 (1)",
            "o.x: - <- 1 by 2 (1)"
        ]
    );
    let back = now(events.clone());
    assert!(back.exists());
    assert_eq!(lines(&back.fields), ["a: 1 <- - by 3 (2)"]);
    assert_eq!(
        history("a", events),
        ["1 <- - by 1 (1)", "- <- 1 by 2 (1)", "1 <- - by 3 (2)"]
    );
}

#[test]
fn what_is_found_after_a_deletion_came_back_outside_the_log() {
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1})),
        (Verb::Delete, Value::Null, Value::Null),
        (
            Verb::Update,
            json!({"a": 1, "b": 2}),
            json!({"a": 2, "b": 2}),
        ),
    ]);
    assert_eq!(
        lines(&now(events).fields),
        ["a: 2 <- 1 by 3 (3)", "b: 2 <- - by outside 2-3 (1)"]
    );
}

#[test]
fn something_of_an_object_that_is_deleted_is_no_deletion_of_it() {
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"members": ["a", "b"]})),
        (
            Verb::Delete,
            json!({"members": ["a", "b"]}),
            json!({"members": ["b"]}),
        ),
    ]);
    let blame = now(events);
    assert!(blame.exists());
    assert_eq!(lines(&blame.fields), ["members[0]: \"b\" <- - by 1 (1)"]);
    assert_eq!(lines(&blame.removed), ["members[0]: - <- \"a\" by 2 (1)"]);
}

#[test]
fn what_is_found_where_nothing_was_came_there_outside_the_log() {
    // Of an object that was deleted, also after it came to be again.
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1})),
        (Verb::Delete, Value::Null, Value::Null),
        (Verb::Create, Value::Null, json!({"a": 1})),
        (
            Verb::Update,
            json!({"a": 1, "b": 1}),
            json!({"a": 1, "b": 1}),
        ),
    ]);
    assert_eq!(
        lines(&now(events).fields),
        ["a: 1 <- - by 3 (2)", "b: 1 <- - by outside 2-4 (1)"]
    );
    // Of what was removed.
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"o": {"x": 1}})),
        (Verb::Update, json!({"o": {"x": 1}}), json!({})),
        (
            Verb::Update,
            json!({"o": {"x": 1, "y": 2}}),
            json!({"o": {"x": 1, "y": 2}}),
        ),
    ]);
    assert_eq!(
        lines(&now(events).fields),
        [
            "o.x: 1 <- - by outside 2-3 (2)",
            "o.y: 2 <- - by outside 2-3 (1)"
        ]
    );
}

#[test]
fn that_there_was_none_before_is_told_where_it_is_known() {
    let known = |events: Vec<Telling>| -> Vec<String> {
        let fields = now(events).fields.into_iter();
        let known = fields.filter(|field| field.last.was_absent);
        known.map(|field| field.path.to_string()).collect()
    };
    let after = json!({"a": 1, "o": {"x": 1}});
    let first = |verb: Verb, before: Value| in_a_row([(verb, before, after.clone())]);
    // Nobody knows what was before the first event, where it does not say so.
    assert_eq!(known(first(Verb::Update, Value::Null)), [""; 0]);
    assert_eq!(known(first(Verb::Update, json!({}))), ["a", "o.x"]);
    assert_eq!(known(first(Verb::Create, Value::Null)), ["a", "o.x"]);
    // What was found had been there, and what that had been is not known.
    assert_eq!(known(first(Verb::Update, json!({"o": {"x": 2}}))), ["a"]);
    // The place was told of before: it was removed, it held no members, or the object was deleted.
    let told = |state: Value, between: (Verb, Value, Value)| {
        in_a_row([
            (Verb::Update, Value::Null, state),
            between,
            (Verb::Update, Value::Null, after.clone()),
        ])
    };
    let removed = (Verb::Update, json!({"a": 2}), json!({}));
    assert_eq!(known(told(json!({"a": 2, "o": 3}), removed)), ["a", "o.x"]);
    let deleted = (Verb::Delete, Value::Null, Value::Null);
    assert_eq!(known(told(json!({"b": 2}), deleted)), ["a", "o.x"]);
}

#[test]
fn an_object_of_which_nothing_is_told_was_not_deleted() {
    let read = in_a_row([(Verb::Read, Value::Null, Value::Null)]);
    assert_eq!(now(read).existence, Existence::Untold);
    let updated = in_a_row([(Verb::Update, Value::Null, Value::Null)]);
    assert_eq!(now(updated).existence, Existence::There);
    let deleted = in_a_row([(Verb::Delete, Value::Null, Value::Null)]);
    assert_eq!(now(deleted).existence, Existence::Deleted);
}

#[test]
fn a_credential_is_its_mark_and_that_it_changed_counts() {
    let mark = |digit: &str| json!({"password": format!("redacted:{}", digit.repeat(32))});
    let events = in_a_row([
        (Verb::Create, Value::Null, mark("a")),
        (Verb::Rotate, mark("a"), mark("b")),
        (Verb::Rotate, mark("b"), mark("b")),
    ]);
    let blame = now(events);
    let [password] = blame.fields.as_slice() else {
        panic!("{blame:?}");
    };
    assert_eq!(password.last.changes, 2);
    assert_eq!(origin(&password.last.origin), "2");
}

#[test]
fn two_moments_are_compared_field_by_field() {
    let events = in_a_row([
        (
            Verb::Create,
            Value::Null,
            json!({"a": 1, "b": 1, "c": 1, "d": 1}),
        ),
        (
            Verb::Update,
            json!({"a": 1, "b": 1}),
            json!({"a": 2, "b": 2}),
        ),
        (
            Verb::Update,
            json!({"a": 2, "b": 2, "c": 1}),
            json!({"a": 3, "b": 1, "e": [1]}),
        ),
        (Verb::Update, json!({"d": 1}), json!({"d": 2})),
    ]);
    let asked = Asked {
        at: Some(at(3)),
        compare: Some(at(1)),
        field: None,
    };
    let blame = blame(asked, events);
    let told = blame.differences.iter().map(|difference| {
        let before = difference.before.as_ref().map(Value::to_string);
        format!(
            "{}: {} .. {}",
            difference.path,
            before.unwrap_or_default(),
            setting(&difference.last)
        )
    });
    // That b changed and changed back is no difference.
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "a: 1 .. 3 <- 2 by 3 (3)",
            "c: 1 .. - <- 1 by 3 (1)",
            "e[0]:  .. 1 <- - by 3 (1)"
        ]
    );
}

#[test]
fn a_path_to_what_holds_fields_asks_for_all_of_them() {
    let events = in_a_row([
        (
            Verb::Create,
            Value::Null,
            json!({"o": {"x": 1, "y": {"z": 2}}, "oo": 3}),
        ),
        (Verb::Update, json!({"o": {"x": 1}}), json!({"o": {"x": 2}})),
    ]);
    assert_eq!(
        history("o", events.clone()),
        ["1 <- - by 1 (1)", "2 <- 1 by 2 (2)", "2 <- - by 1 (1)"]
    );
    assert_eq!(history("o.w", events), [""; 0]);
}

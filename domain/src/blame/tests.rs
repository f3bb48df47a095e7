//! What blame tells, and that it does not depend on the order of arrival.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

mod properties;

use super::*;
use crate::event::ActorKind;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

fn object(value: Value) -> Option<Arc<Object>> {
    match value {
        Value::Object(members) => Some(Arc::new(members)),
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
        before: object(before),
        after: object(after),
        erased: false,
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

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Event(author) => author.event.0.as_u128().to_string(),
        Origin::Initial => "initial".to_owned(),
        Origin::Outside { since, until } => {
            let second = |time: &Timestamp| time.micros() / 1_000_000;
            format!("outside {}-{}", second(since), second(until))
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
fn events_without_a_state_are_told_those_in_a_row_as_one() {
    let mut events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1})),
        (Verb::Update, Value::Null, Value::Null),
        (Verb::Rotate, Value::Null, Value::Null),
        (Verb::Update, json!({"a": 1}), json!({"a": 2})),
        (Verb::Run, Value::Null, Value::Null),
        (Verb::Delete, Value::Null, Value::Null),
    ]);
    events[2].erased = true;
    let untold = |since, until, events, erased| Untold {
        since: at(since),
        until: at(until),
        events,
        erased,
    };
    assert_eq!(now(events).untold, [untold(2, 3, 2, 1), untold(5, 5, 1, 0)]);
}

#[test]
fn elements_keep_their_history_wherever_they_move() {
    let list = |list: Value| json!({"m": list});
    let one = list(json!([{"id": 1, "r": "a"}, {"id": 2, "r": "a"}, "x"]));
    let two = list(json!(["x", {"id": 2, "r": "b"}, {"id": 1, "r": "a"}]));
    let three = list(json!([{"id": 1, "r": "a"}, {"id": 3}]));
    let events = in_a_row([
        (Verb::Create, Value::Null, one.clone()),
        (Verb::Update, one, two.clone()),
        (Verb::Update, two, three),
    ]);
    let blame = now(events.clone());
    assert_eq!(
        lines(&blame.fields),
        [
            "m[0].id: 1 <- - by 1 (1)",
            "m[0].r: \"a\" <- - by 1 (1)",
            "m[1].id: 3 <- - by 3 (1)",
        ]
    );
    let mut removed = lines(&blame.removed);
    removed.sort();
    assert_eq!(
        removed,
        [
            "m[0]: - <- \"x\" by 3 (1)",
            "m[1].id: - <- 2 by 3 (1)",
            "m[1].r: - <- \"b\" by 3 (2)",
        ]
    );
    assert_eq!(history("m[0].r", events), ["\"a\" <- - by 1 (1)"]);
}

#[test]
fn an_element_that_comes_back_goes_on_with_its_history() {
    let list = |list: Value| json!({"tags": list});
    let events = in_a_row([
        (Verb::Create, Value::Null, list(json!(["a", "b"]))),
        (Verb::Update, list(json!(["a", "b"])), list(json!(["b"]))),
        (Verb::Update, list(json!(["b"])), list(json!(["b", "a"]))),
        // Somebody took it away unseen, and brought something else.
        (
            Verb::Update,
            list(json!(["c", "b"])),
            list(json!(["c", "b", "d"])),
        ),
    ]);
    assert_eq!(
        history("tags[1]", events[..3].to_vec()),
        [
            "\"a\" <- - by 1 (1)",
            "- <- \"a\" by 2 (1)",
            "\"a\" <- - by 3 (2)"
        ]
    );
    let blame = now(events);
    assert_eq!(
        lines(&blame.fields),
        [
            "tags[0]: \"c\" <- - by outside 3-4 (1)",
            "tags[1]: \"b\" <- - by 1 (1)",
            "tags[2]: \"d\" <- - by 4 (1)",
        ]
    );
    assert_eq!(
        lines(&blame.removed),
        ["tags[1]: - <- \"a\" by outside 3-4 (2)"]
    );
}

#[test]
fn a_value_that_becomes_an_object_or_a_list_is_gone_and_back_again() {
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1, "b": {}, "c": []})),
        (
            Verb::Update,
            json!({"a": 1, "b": {}, "c": []}),
            json!({"a": {"x": 1}, "b": {"x": 1}, "c": [1]}),
        ),
        (
            Verb::Update,
            json!({"a": {"x": 1}, "b": {"x": 1}, "c": [1]}),
            json!({"a": [2], "b": {}, "c": 3}),
        ),
    ]);
    let second = blame(
        Asked {
            at: Some(at(2)),
            ..Asked::default()
        },
        events.clone(),
    );
    assert_eq!(
        lines(&second.fields),
        [
            "a.x: 1 <- - by 2 (1)",
            "b.x: 1 <- - by 2 (1)",
            "c[0]: 1 <- - by 2 (1)"
        ]
    );
    // What holds something did not go.
    assert_eq!(lines(&second.removed), [""; 0]);
    assert_eq!(
        lines(&now(events.clone()).fields),
        [
            "a[0]: 2 <- - by 3 (1)",
            r#"b: {} <- {"x":1} by 3 (2)"#,
            "c: 3 <- [1] by 3 (2)"
        ]
    );
    // What it was before it held something is told where it is asked for.
    assert_eq!(
        history("a", events),
        [
            "2 <- - by 3 (1)",
            "1 <- - by 1 (1)",
            "- <- 1 by 2 (1)",
            "1 <- - by 2 (1)",
            "- <- 1 by 3 (1)"
        ]
    );
}

#[test]
fn what_was_empty_and_held_something_was_removed_by_who_removed_it() {
    let states = [
        json!({"l": [], "o": {}, "n": null}),
        json!({"l": ["x"], "o": {"x": 1}, "n": {"x": 1}}),
    ];
    for (verb, after) in [(Verb::Update, json!({})), (Verb::Delete, Value::Null)] {
        let events = in_a_row([
            (Verb::Create, Value::Null, states[0].clone()),
            (Verb::Update, states[0].clone(), states[1].clone()),
            (verb, states[1].clone(), after),
        ]);
        let asked = Asked {
            compare: Some(at(1)),
            ..Asked::default()
        };
        let blame = blame(asked, events);
        assert_eq!(
            lines(&blame.removed),
            [
                r#"l: - <- ["x"] by 3 (1)"#,
                r#"l[0]: - <- "x" by 3 (1)"#,
                r#"n: - <- {"x":1} by 3 (1)"#,
                "n.x: - <- 1 by 3 (1)",
                r#"o: - <- {"x":1} by 3 (1)"#,
                "o.x: - <- 1 by 3 (1)",
            ],
            "{verb:?}"
        );
        let told = blame.differences.iter();
        let told: Vec<_> = told
            .map(|one| (one.path.to_string(), origin(&one.last.origin)))
            .collect();
        let by_3 = |path: &str| (path.to_owned(), "3".to_owned());
        assert_eq!(told, [by_3("l"), by_3("n"), by_3("o")]);
    }
}

#[test]
fn a_value_that_takes_the_place_of_others_has_them_as_its_previous_one() {
    let events = in_a_row([
        (
            Verb::Create,
            Value::Null,
            json!({"scopes": ["a", "b"], "o": {"x": 1}}),
        ),
        (
            Verb::Update,
            json!({"scopes": ["a", "b"]}),
            json!({"scopes": null}),
        ),
        // And outside the log.
        (Verb::Update, json!({"o": []}), json!({"o": []})),
    ]);
    assert_eq!(
        lines(&now(events.clone()).fields),
        [
            r#"o: [] <- {"x":1} by outside 1-3 (1)"#,
            r#"scopes: null <- ["a","b"] by 2 (1)"#
        ]
    );
    let mut told = history("scopes", events);
    told.sort();
    assert_eq!(
        told,
        [
            r#""a" <- - by 1 (1)"#,
            r#""b" <- - by 1 (1)"#,
            r#"- <- "a" by 2 (1)"#,
            r#"- <- "b" by 2 (1)"#,
            r#"null <- ["a","b"] by 2 (1)"#
        ]
    );
}

#[test]
fn what_had_the_place_of_an_element_is_no_part_of_its_history() {
    let list = |list: Value| json!({"m": list});
    let events = in_a_row([
        (
            Verb::Create,
            Value::Null,
            list(json!([{"id": 1}, {"id": 2}])),
        ),
        (
            Verb::Update,
            list(json!([{"id": 1}, {"id": 2}])),
            list(json!([{"id": 2}])),
        ),
    ]);
    assert_eq!(history("m[0]", events.clone()), ["2 <- - by 1 (1)"]);
    assert_eq!(
        history("m", events.clone()),
        ["2 <- - by 1 (1)", "1 <- - by 1 (1)", "- <- 1 by 2 (1)"]
    );
    let gone = now(events).removed;
    let gone: Vec<_> = gone
        .iter()
        .map(|field| field.gone.map(|gone| gone.at))
        .collect();
    assert_eq!(gone, [Some(at(2))]);
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

#[test]
fn events_of_one_instant_are_ordered_by_what_they_find_and_leave() {
    let chain = [
        event(1, 1, Verb::Create, Value::Null, json!({"a": 0})),
        event(2, 1, Verb::Update, json!({"a": 0}), json!({"a": 7})),
        event(3, 1, Verb::Update, json!({"a": 7}), json!({"a": 3})),
        event(4, 1, Verb::Update, json!({"a": 3}), json!({"a": 5})),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let blame = now(order.map(|at| chain[at].clone()).to_vec());
        assert_eq!(lines(&blame.fields), ["a: 5 <- 3 by 4 (4)"], "{order:?}");
    }
    // There and back, and on.
    let events = vec![
        event(9, 0, Verb::Create, Value::Null, json!({"a": 1})),
        event(1, 1, Verb::Update, json!({"a": 1}), json!({"a": 3})),
        event(2, 1, Verb::Update, json!({"a": 1}), json!({"a": 2})),
        event(3, 1, Verb::Update, json!({"a": 2}), json!({"a": 1})),
    ];
    assert_eq!(lines(&now(events).fields), ["a: 3 <- 1 by 1 (4)"]);
    // It is made anew in the instant in which it was deleted.
    let events = vec![
        event(1, 1, Verb::Create, Value::Null, json!({"a": 0})),
        event(3, 2, Verb::Create, Value::Null, json!({"a": 1})),
        event(2, 2, Verb::Delete, Value::Null, Value::Null),
    ];
    assert_eq!(lines(&now(events).fields), ["a: 1 <- - by 3 (2)"]);
    // And where nothing is known before them.
    let events = vec![
        event(1, 1, Verb::Update, json!({"a": 7}), json!({"a": 3})),
        event(2, 1, Verb::Update, json!({"a": 9}), json!({"a": 7})),
    ];
    assert_eq!(lines(&now(events).fields), ["a: 3 <- 7 by 1 (2)"]);
}

#[test]
fn a_chain_within_one_instant_is_followed_however_long_it_is() {
    let first = event(1, 0, Verb::Create, Value::Null, json!({"a": 0, "b": 0}));
    let change = |number: u32, from: u32, to: u32| {
        event(
            u128::from(number),
            1,
            Verb::Update,
            json!({"a": from}),
            json!({"a": to}),
        )
    };
    let mut chain = vec![change(2, 0, 1_000)];
    chain.extend((0..500).map(|step| change(step + 3, 1_000 + step, 1_001 + step)));
    let forward = chain.clone();
    let backward = chain.iter().rev().cloned().collect();
    let mut mixed = chain;
    mixed.sort_by_key(|event| event.id.0.as_u128() * 7_919 % 503);
    for events in [forward, backward, mixed] {
        let mut events: Vec<Telling> = events;
        events.push(first.clone());
        let blame = now(events);
        assert_eq!(
            lines(&blame.fields),
            ["a: 1500 <- 1499 by 502 (502)", "b: 0 <- - by 1 (1)"]
        );
    }
}

#[test]
fn of_events_of_one_instant_that_tell_nothing_of_their_order_the_key_decides() {
    let keyed = |number, key: &str, value: u8| Telling {
        idempotency_key: Some(key.to_owned()),
        ..event(number, 1, Verb::Update, Value::Null, json!({"a": value}))
    };
    let events = vec![keyed(1, "k-2", 1), keyed(2, "k-1", 2)];
    assert_eq!(lines(&now(events).fields), ["a: 1 <- 2 by 1 (2)"]);
}

#[test]
fn what_the_log_is_silent_about_is_a_gap_while_the_object_may_have_been_there() {
    let silence = Silence {
        released_before: Some(at(5)),
        off: vec![(at(2), Some(at(4))), (at(7), Some(at(8))), (at(20), None)],
    };
    let kinds = |second: i64, verb: Verb, until: Option<i64>| -> Vec<String> {
        let until = until.map(at);
        let blame = now(vec![event(1, second, verb, Value::Null, json!({"a": 1}))]);
        let second = |time: Option<Timestamp>| {
            time.map_or_else(String::new, |time| (time.micros() / 1_000_000).to_string())
        };
        let gaps = blame.gaps(&silence, until).into_iter();
        gaps.map(|gap| {
            format!(
                "{} {}-{}",
                gap.kind.as_str(),
                second(gap.since),
                second(gap.until)
            )
        })
        .collect()
    };
    assert_eq!(
        kinds(6, Verb::Update, None),
        [
            "retention -5",
            "recording_off 2-4",
            "recording_off 7-8",
            "recording_off 20-"
        ]
    );
    // It came to be when all that was over.
    assert_eq!(kinds(6, Verb::Create, Some(10)), ["recording_off 7-8"]);
    assert_eq!(kinds(8, Verb::Create, Some(10)), [""; 0]);
    // It was imported later than what else occurred then was deleted.
    assert_eq!(
        kinds(3, Verb::Create, Some(6)),
        ["recording_off 2-4", "retention 3-5"]
    );
    // Nothing is told of what came after the moment.
    assert_eq!(
        kinds(2, Verb::Update, Some(3)),
        ["retention -3", "recording_off 2-3"]
    );
    assert_eq!(kinds(8, Verb::Create, Some(30)), ["recording_off 20-30"]);
}

#[test]
fn a_creation_hides_what_was_deleted_before_it_only_where_it_tells_all() {
    let silence = Silence {
        released_before: Some(at(1)),
        off: Vec::new(),
    };
    let has_gap = |events: Vec<Telling>| {
        let gaps = now(events).gaps(&silence, None);
        gaps.iter().any(|gap| gap.kind == GapKind::Retention)
    };
    let creation = |after: Value| (Verb::Create, Value::Null, after);
    let nothing = (Verb::Run, json!({}), json!({}));
    let whole = [creation(json!({"a": 1})), nothing.clone()];
    assert!(!has_gap(in_a_row(whole)));
    let stateless = in_a_row([creation(Value::Null), nothing]);
    assert_eq!(now(stateless.clone()).moments[0].what, What::Created);
    assert!(has_gap(stateless));
    let found = (Verb::Update, json!({"b": 1}), json!({"b": 2}));
    assert!(has_gap(in_a_row([creation(json!({"a": 1})), found])));
}

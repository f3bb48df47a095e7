//! What a diff tells, and that it tells all of it.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use super::*;
use crate::json::canonical;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

fn object(value: Value) -> Object {
    match value {
        Value::Object(members) => members,
        _ => Object::new(),
    }
}

/// A diff as lines: `+ path: value`, `- path: value`, `path: before -> after`.
fn lines(before: Value, after: Value) -> Vec<String> {
    let (before, after) = (object(before), object(after));
    told(&diff(Some(&before), Some(&after)))
}

fn told(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|Change { path, kind }| match kind {
            ChangeKind::Added(value) => format!("+ {path}: {value}"),
            ChangeKind::Removed(value) => format!("- {path}: {value}"),
            ChangeKind::Changed(before, after) => format!("{path}: {before} -> {after}"),
        })
        .collect()
}

#[test]
fn only_what_changed_is_told_field_by_field() {
    let before = json!({"a": {"x": 1, "y": 2}, "b": 1, "c d": 3, "e": null, "same": [1]});
    let after = json!({"a": {"x": 1, "y": 5}, "c d": 4, "e": false, "f": "n", "same": [1]});
    assert_eq!(
        lines(before, after),
        [
            "a.y: 2 -> 5",
            "- b: 1",
            "[\"c d\"]: 3 -> 4",
            "e: null -> false",
            "+ f: \"n\"",
        ]
    );
}

#[test]
fn with_one_state_alone_everything_was_added_or_removed() {
    let state =
        object(json!({"credentials": {"password": "p", "user": "u"}, "scopes": [1, 2], "o": {}}));
    assert_eq!(
        told(&diff(None, Some(&state))),
        [
            "+ credentials.password: \"p\"",
            "+ credentials.user: \"u\"",
            "+ o: {}",
            "+ scopes: [1,2]",
        ]
    );
    assert_eq!(
        told(&diff(Some(&state), None)),
        [
            "- credentials.password: \"p\"",
            "- credentials.user: \"u\"",
            "- o: {}",
            "- scopes: [1,2]",
        ]
    );
    assert_eq!(diff(None, None), []);
}

#[test]
fn an_object_that_is_left_empty_is_told_from_one_that_went() {
    let before = json!({"a": {"x": 1}});
    assert_eq!(lines(before.clone(), json!({})), ["- a.x: 1"]);
    assert_eq!(lines(before, json!({"a": {}})), ["- a.x: 1", "+ a: {}"]);
    assert_eq!(
        lines(json!({"a": {}}), json!({"a": {"x": 1}})),
        ["+ a.x: 1"]
    );
}

#[test]
fn elements_are_found_by_identity_and_named_by_their_place_in_the_state_shown() {
    let before = json!({"m": [{"id": 1, "r": "a"}, {"id": 2, "r": "a"}, {"id": 3, "r": "a"}]});
    let after = json!({"m": [{"id": 4, "r": "a"}, {"id": 3, "r": "b"}, {"id": 1, "r": "a"}]});
    assert_eq!(
        lines(before, after),
        [
            "+ m[0]: {\"id\":4,\"r\":\"a\"}",
            "- m[1]: {\"id\":2,\"r\":\"a\"}",
            "m[1].r: \"a\" -> \"b\"",
        ]
    );
}

#[test]
fn an_identity_is_the_id_else_the_name_else_the_key() {
    let changed = |name: &str| {
        let state = |value: u8| json!({"l": [{name: "x", "v": value}, {name: "y", "v": 0}]});
        lines(state(1), state(2))
    };
    for name in ["id", "name", "key"] {
        assert_eq!(changed(name), ["l[0].v: 1 -> 2"], "{name}");
    }
    assert_eq!(
        changed("label"),
        [
            "- l[0]: {\"label\":\"x\",\"v\":1}",
            "+ l[0]: {\"label\":\"x\",\"v\":2}"
        ]
    );
    let renamed = lines(
        json!({"l": [{"id": 7, "name": "x", "key": 1}]}),
        json!({"l": [{"id": 7, "name": "y", "key": 2}]}),
    );
    assert_eq!(renamed, ["l[0].key: 1 -> 2", "l[0].name: \"x\" -> \"y\""]);
}

#[test]
fn an_identity_that_is_there_twice_tells_nothing_apart() {
    let before = json!({"l": [{"name": "x", "v": 1}, {"name": "x", "v": 2}]});
    let after = json!({"l": [{"name": "x", "v": 2}, {"name": "x", "v": 3}]});
    assert_eq!(
        lines(before, after),
        [
            "- l[0]: {\"name\":\"x\",\"v\":1}",
            "+ l[1]: {\"name\":\"x\",\"v\":3}"
        ]
    );
}

#[test]
fn an_element_that_is_there_more_often_was_added() {
    assert_eq!(
        lines(json!({"l": ["a", "b"]}), json!({"l": ["b", "a", "a"]})),
        ["+ l[2]: \"a\""]
    );
}

#[test]
fn lists_without_a_common_element_are_one_change_unless_they_are_short() {
    assert_eq!(
        lines(json!({"l": ["a"]}), json!({"l": ["b", "c"]})),
        ["- l[0]: \"a\"", "+ l[0]: \"b\"", "+ l[1]: \"c\""]
    );
    let long = |from: usize| json!({"l": (from..from + 10).collect::<Vec<_>>()});
    assert_eq!(lines(long(0), long(10)).len(), 1);
    assert_eq!(lines(long(0), long(9)).len(), 18);
    assert_eq!(
        lines(json!({"l": [[1]]}), json!({"l": [[2]]})),
        ["l: [[1]] -> [[2]]"]
    );
}

#[test]
fn numbers_are_compared_by_value() {
    assert_eq!(
        diff(
            Some(&object(json!({"a": 1}))),
            Some(&object(json!({"a": 1.0})))
        ),
        []
    );
    assert_eq!(lines(json!({"l": [1.0, 2]}), json!({"l": [2, 1]})), [""; 0]);
    assert_eq!(lines(json!({"a": 1}), json!({"a": "1"})), ["a: 1 -> \"1\""]);
}

fn line_of(before: Value, after: Value) -> Option<(String, usize)> {
    let (before, after) = (object(before), object(after));
    let Summary { first, more } = summary(&diff(Some(&before), Some(&after)))?;
    Some((first.path.to_string(), more))
}

#[test]
fn the_most_telling_change_is_short_and_not_bookkeeping() {
    let told = |before: Value, after: Value| line_of(before, after).unwrap();
    assert_eq!(
        told(
            json!({"etag": "a", "role": "viewer", "updated_at": 1, "id": 1, "deep": {"a": 1}}),
            json!({"etag": "b", "role": "admin", "updated_at": 2, "id": 2, "deep": {"a": 2}}),
        ),
        ("role".into(), 4)
    );
    assert_eq!(
        told(
            json!({}),
            json!({"id": 7, "name": "ci", "plan_id": "p", "scope": "read"})
        ),
        ("scope".into(), 3)
    );
    assert_eq!(
        told(
            json!({"a": vec!["x"; 20], "z": 1}),
            json!({"a": "y".repeat(90), "z": 2})
        ),
        ("z".into(), 1)
    );
    let mark = |digit: &str| format!("redacted:{}", digit.repeat(32));
    assert_eq!(
        told(
            json!({"password": mark("a"), "username": "svc"}),
            json!({"password": mark("b"), "username": "svc_2"}),
        ),
        ("username".into(), 1)
    );
    assert_eq!(
        told(json!({"updatedAt": 1}), json!({"updatedAt": 2})),
        ("updatedAt".into(), 0)
    );
    assert_eq!(
        told(json!({"name": "a"}), json!({"name": "b", "x": 1})),
        ("name".into(), 1)
    );
    assert_eq!(summary(&[]), None);
}

#[test]
fn a_value_is_told_in_one_line() {
    let mark = format!("redacted:{}", "0a".repeat(16));
    for (value, text) in [
        (json!("two\r\n\twords "), "two words"),
        (json!("a\u{202E}b"), "a b"),
        (json!(""), "\"\""),
        (json!(" \n"), "\" \\n\""),
        (json!(null), "null"),
        (json!(1e21), "1e+21"),
        (json!(true), "true"),
        (json!(["a", 1, null]), "a, 1, null"),
        (json!([]), "[]"),
        (json!({"b": 1, "a": ["x"]}), "{\"a\":[\"x\"],\"b\":1}"),
        (json!([["a"]]), "[[\"a\"]]"),
        (json!(mark), "redacted"),
    ] {
        assert_eq!(short(&value, 40), text);
    }
}

#[test]
fn a_long_text_is_cut_at_a_character() {
    assert_eq!(short(&json!("åååå"), 4), "åååå");
    assert_eq!(short(&json!("åååå"), 3), "åå…");
    assert_eq!(short(&json!("a bcd"), 3), "a…");
    assert_eq!(short(&json!("abc"), 1), "…");
    assert_eq!(short(&json!("abc"), 0), "");
}

/// The state after, from the state before and the changes alone; of lists in which nothing moved.
fn apply(before: Object, changes: &[Change]) -> Object {
    let steps = changes.iter().map(|change| Step {
        path: change.path.segments(),
        kind: &change.kind,
    });
    object(field(Some(before.into()), &steps.collect::<Vec<_>>()).unwrap_or_default())
}

#[derive(Clone, Copy)]
struct Step<'a> {
    path: &'a [Segment],
    kind: &'a ChangeKind,
}

fn field(value: Option<Value>, steps: &[Step<'_>]) -> Option<Value> {
    if let Some(here) = steps.iter().find(|step| step.path.is_empty()) {
        return match here.kind {
            ChangeKind::Added(value) => Some(value.clone()),
            ChangeKind::Removed(_) => None,
            ChangeKind::Changed(before, after) => {
                assert!(value.is_some_and(|value| is_same(&value, before)));
                Some(after.clone())
            }
        };
    }
    let mut inside: BTreeMap<&Segment, Vec<Step<'_>>> = BTreeMap::new();
    let mut elements = Vec::new();
    for step in steps {
        let (first, path) = step.path.split_first().unwrap();
        if path.is_empty() && matches!(first, Segment::Element(_)) {
            elements.push((first, step.kind));
        } else {
            inside
                .entry(first)
                .or_default()
                .push(Step { path, ..*step });
        }
    }
    if let Some(Value::Array(mut list)) = value {
        for (at, kind) in elements.iter().rev() {
            if let (Segment::Element(at), ChangeKind::Removed(value)) = (at, kind) {
                assert!(is_same(&list.remove(*at), value));
            }
        }
        for (at, kind) in elements {
            if let (Segment::Element(at), ChangeKind::Added(value)) = (at, kind) {
                list.insert(*at, value.clone());
            }
        }
        for (at, steps) in inside {
            let Segment::Element(at) = at else { continue };
            list[*at] = field(Some(list[*at].clone()), &steps).unwrap();
        }
        return Some(list.into());
    }
    assert!(elements.is_empty());
    let mut members = value.map(object).unwrap_or_default();
    for (name, steps) in inside {
        let Segment::Member(name) = name else {
            continue;
        };
        if let Some(value) = field(members.remove(name), &steps) {
            members.insert(name.clone(), value);
        }
    }
    (!members.is_empty()).then(|| members.into())
}

fn at<'a>(state: &'a Object, path: &Path) -> Option<&'a Value> {
    let (first, rest) = path.segments().split_first()?;
    let Segment::Member(name) = first else {
        return None;
    };
    rest.iter()
        .try_fold(state.get(name)?, |value, segment| match segment {
            Segment::Member(name) => value.get(name),
            Segment::Element(at) => value.get(at),
        })
}

/// Sorts every list by its elements' identities, so that none moves.
fn sort(value: &mut Value) {
    match value {
        Value::Array(elements) => {
            elements.iter_mut().for_each(sort);
            elements.sort_by_cached_key(|element| {
                let name = ["id", "name", "key"].iter().find_map(|name| {
                    let value = element.get(name)?;
                    let tells =
                        value.is_number() || value.as_str().is_some_and(|text| !text.is_empty());
                    tells.then(|| format!("{name}{}", canonical(value)))
                });
                (name, canonical(element))
            });
        }
        Value::Object(members) => members.values_mut().for_each(sort),
        _ => {}
    }
}

/// Turns every list round that is not in a list.
fn turn(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.reverse(),
        Value::Object(members) => members.values_mut().for_each(turn),
        _ => {}
    }
}

fn state() -> impl Strategy<Value = Object> {
    let names = || {
        prop_oneof![
            Just("a"),
            Just("b c"),
            Just("id"),
            Just("name"),
            Just("key")
        ]
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        (0..4u8).prop_map(Value::from),
        (0..3u8).prop_map(|number| f64::from(number).into()),
        "[xy]?".prop_map(Value::from),
    ];
    let members = move |inner: BoxedStrategy<Value>| {
        proptest::collection::hash_map(names(), inner, 0..4).prop_map(|members| {
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Object>()
        })
    };
    let value = leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            members(inner.boxed()).prop_map(Value::from),
        ]
    });
    members(value.boxed())
}

/// Applies a merge patch, as RFC 7396 has it.
fn merged(state: Option<Value>, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut members = state.map(object).unwrap_or_default();
    for (name, value) in patch {
        let was = members.remove(name);
        if !value.is_null() {
            members.insert(name.clone(), merged(was, value));
        }
    }
    members.into()
}

/// Takes the members that were null out of the state before, and out of what was made of it: a merge patch
/// cannot give them. How many of them are not as they were.
fn take_nulls(before: &mut Value, made: &mut Value) -> usize {
    let (Value::Object(before), Value::Object(made)) = (before, made) else {
        return 0;
    };
    let mut lacking = 0;
    before.retain(|name, was| match was {
        Value::Null => {
            lacking += usize::from(made.remove(name) != Some(Value::Null));
            false
        }
        was => {
            if let Some(made) = made.get_mut(name) {
                lacking += take_nulls(was, made);
            }
            true
        }
    });
    lacking
}

#[test]
fn the_way_back_has_what_was_and_null_for_what_was_not() {
    let before = object(
        json!({"role": "viewer", "scopes": ["a", "b"], "limits": {"day": 5, "month": 90}, "same": 1}),
    );
    let after = object(
        json!({"role": "admin", "scopes": ["a"], "limits": {"day": 7, "month": 90}, "same": 1, "until": "May"}),
    );
    let back = Inverse::of(&before, Some(&after));
    assert_eq!(
        Value::from(back.patch.clone()),
        json!({"limits": {"day": 5}, "role": "viewer", "scopes": ["a", "b"], "until": null})
    );
    assert_eq!(back.left_out, 0);
    let of = |path: &str| back.of_field(&path.parse().unwrap()).map(Value::from);
    assert_eq!(of("limits.day"), Some(json!({"limits": {"day": 5}})));
    // A list goes back whole.
    assert_eq!(of("scopes[1]"), Some(json!({"scopes": ["a", "b"]})));
    assert_eq!(of("until"), Some(json!({"until": null})));
    assert_eq!(of("same"), None);
}

#[test]
fn of_what_was_removed_the_way_back_has_all_and_of_what_was_added_each_field_by_itself() {
    let state = object(json!({"name": "x", "owner": {"id": 1}}));
    let back = Inverse::of(&state, None);
    assert_eq!(back.patch, state);
    let back = Inverse::of(&Object::new(), Some(&state));
    assert_eq!(
        Value::from(back.patch.clone()),
        json!({"name": null, "owner": null})
    );
    let field = back.of_field(&"owner.id".parse().unwrap()).unwrap();
    assert_eq!(Value::from(field), json!({"owner": {"id": null}}));
}

#[test]
fn a_mark_is_no_way_back() {
    let mark = |digit: &str| format!("redacted:{}", digit.repeat(32));
    let before = object(json!({"password": mark("a"), "user": "u", "keys": [mark("b")]}));
    let after = object(json!({"password": mark("c"), "user": "v", "keys": []}));
    let back = Inverse::of(&before, Some(&after));
    assert_eq!(Value::from(back.patch.clone()), json!({"user": "u"}));
    assert_eq!(back.left_out, 2);
    assert_eq!(back.of_field(&"password".parse().unwrap()), None);
}

#[test]
fn what_was_null_is_left_as_it_is_and_counted() {
    let back = |before: Value, after: Value| {
        let back = Inverse::of(&object(before), after.as_object());
        (Value::from(back.patch), back.nulls, back.left_out)
    };
    // In a merge patch, null removes.
    assert_eq!(
        back(json!({"a": null, "b": 1}), json!({"a": 5, "b": 2})),
        (json!({"b": 1}), 1, 0)
    );
    assert_eq!(back(json!({"a": null}), json!({})), (json!({}), 1, 0));
    assert_eq!(
        back(json!({"a": null}), json!({"a": null})),
        (json!({}), 0, 0)
    );
    // So it does in what was removed, or is no object any more.
    let owner = json!({"owner": {"id": 1, "team": null, "of": {"it": null}}});
    for after in [json!({}), json!({"owner": 5}), Value::Null] {
        assert_eq!(
            back(owner.clone(), after),
            (json!({"owner": {"id": 1, "of": {}}}), 2, 0)
        );
    }
    // A list is given back as it was.
    let list = json!({"list": [null, {"x": null}]});
    assert_eq!(back(list.clone(), json!({"list": []})), (list, 0, 0));
    let field = Inverse::of(
        &object(json!({"a": null, "b": 1})),
        json!({"a": 5}).as_object(),
    );
    assert_eq!(field.of_field(&"a".parse().unwrap()), None);
}

proptest! {
    #[test]
    fn the_diff_of_a_state_with_itself_is_empty(state in state()) {
        prop_assert_eq!(diff(Some(&state), Some(&state)), []);
    }

    #[test]
    fn what_only_moved_did_not_change(state in state()) {
        let mut turned = Value::Object(state.clone());
        turn(&mut turned);
        prop_assert_eq!(diff(Some(&state), turned.as_object()), []);
    }

    #[test]
    fn the_changes_make_the_state_after_of_the_state_before(before in state(), after in state()) {
        let (mut before, mut after) = (Value::Object(before), Value::Object(after));
        sort(&mut before);
        sort(&mut after);
        let changes = diff(before.as_object(), after.as_object());
        let made = apply(object(before), &changes);
        prop_assert!(is_same(&made.into(), &after), "{:?}", told(&changes));
    }

    #[test]
    fn the_way_back_makes_the_state_before_of_the_state_after(before in state(), after in state()) {
        let back = Inverse::of(&before, Some(&after));
        let mut made = merged(Some(after.into()), &back.patch.into());
        let mut before = Value::Object(before);
        let lacking = take_nulls(&mut before, &mut made);
        prop_assert!(is_same(&made, &before), "{made} instead of {before}");
        prop_assert_eq!(back.nulls, lacking);
    }

    #[test]
    fn every_path_leads_to_its_value_in_the_state_that_it_names(before in state(), after in state()) {
        for Change { path, kind } in diff(Some(&before), Some(&after)) {
            match kind {
                ChangeKind::Added(value) => prop_assert_eq!(at(&after, &path), Some(&value)),
                ChangeKind::Removed(value) => prop_assert_eq!(at(&before, &path), Some(&value)),
                ChangeKind::Changed(old, new) => {
                    prop_assert_eq!(at(&after, &path), Some(&new));
                    prop_assert!(!is_same(&old, &new));
                }
            }
        }
    }

    #[test]
    fn a_summary_counts_every_change(before in state(), after in state()) {
        let changes = diff(Some(&before), Some(&after));
        match summary(&changes) {
            None => prop_assert!(changes.is_empty()),
            Some(Summary { first, more }) => {
                prop_assert_eq!(more + 1, changes.len());
                prop_assert!(changes.contains(&first));
            }
        }
    }

    #[test]
    fn a_short_text_is_one_line_and_fits(text in any::<String>(), most in 0..30usize) {
        let short = short(&Value::from(text), most);
        prop_assert!(short.chars().count() <= most);
        prop_assert!(!short.contains(char::is_control));
    }
}

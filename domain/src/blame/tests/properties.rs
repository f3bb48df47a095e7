//! What holds of every history: held against a replay by hand, and in any order of arrival.

use super::*;
use crate::event::Object;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, subsequence},
};

/// States of objects, with lists in them, of few names and values, so that they are often alike.
fn state() -> impl Strategy<Value = Object> {
    let scalar = prop_oneof![
        (0..3_u8).prop_map(Value::from),
        Just(Value::Null),
        Just(json!("u")),
    ];
    let element = prop_oneof![
        scalar.clone(),
        (0..3_u8, 0..2_u8).prop_map(|(id, value)| json!({"id": id, "v": value})),
        (0..2_u8).prop_map(|value| json!({"v": value})),
    ];
    let list = vec(element, 0..4).prop_map(Value::from);
    let holder = (
        proptest::option::of(scalar.clone()),
        proptest::option::of(list.clone()),
    );
    let holder = holder.prop_map(|(x, y)| {
        let members = [("x", x), ("y.z", y)].into_iter();
        let members = members.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(members.collect())
    });
    let value = prop_oneof![scalar, list, holder];
    proptest::collection::btree_map("[abc]", value, 0..4)
        .prop_map(|members| members.into_iter().collect())
}

/// What an event of a generated history gives.
#[derive(Clone, Debug)]
enum Gives {
    Both,
    OnlyAfter,
    WhatChanged,
    Nothing,
}

fn gives() -> impl Strategy<Value = Gives> {
    prop_oneof![
        4 => Just(Gives::Both),
        1 => Just(Gives::OnlyAfter),
        3 => Just(Gives::WhatChanged),
        1 => Just(Gives::Nothing),
    ]
}

/// Without the members that are the same in both.
fn what_changed(state: &Object, other: &Object) -> Object {
    let changed = state
        .iter()
        .filter(|(name, value)| other.get(*name) != Some(value));
    changed
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// A history of states as events, at these seconds.
fn told(states: &[(Object, Gives)], seconds: &[i64]) -> Vec<Telling> {
    let mut before: Option<&Object> = None;
    let mut events = Vec::new();
    for (number, ((after, gives), second)) in (1..).zip(states.iter().zip(seconds)) {
        let none = Object::new();
        let was = before.unwrap_or(&none);
        let (before_given, after_given) = match gives {
            Gives::Both => (before.cloned(), Some(after.clone())),
            Gives::OnlyAfter => (None, Some(after.clone())),
            Gives::WhatChanged => (
                before.map(|was| what_changed(was, after)),
                Some(what_changed(after, was)),
            ),
            Gives::Nothing => (None, None),
        };
        let verb = match before {
            None => Verb::Create,
            Some(_) => Verb::Update,
        };
        events.push(Telling {
            before: before_given.map(|state| Arc::new(state.into())),
            after: after_given.map(|state| Arc::new(state.into())),
            ..event(number, *second, verb, Value::Null, Value::Null)
        });
        before = Some(after);
    }
    events
}

/// What is at a path in each of these states; none where it leads to an element.
fn places<'a>(states: &'a [Value], path: &Path) -> Option<Vec<Option<&'a Value>>> {
    use crate::json::path::Segment;
    let names = path.segments().iter().map(|segment| match segment {
        Segment::Member(name) => Some(name),
        Segment::Element(_) => None,
    });
    let names: Vec<&String> = names.collect::<Option<_>>()?;
    let place = |state| {
        names
            .iter()
            .try_fold(state, |value: &Value, name| value.get(*name))
    };
    Some(states.iter().map(place).collect())
}

/// A state from its fields; lists in the order of their elements.
fn put_together(fields: &[Field]) -> Value {
    use crate::json::path::Segment;
    fn put(value: &mut Value, path: &[Segment], field: &Value) {
        match path.split_first() {
            None => *value = field.clone(),
            Some((Segment::Member(name), rest)) => {
                if !value.is_object() {
                    *value = json!({});
                }
                put(&mut value[name], rest, field);
            }
            Some((Segment::Element(place), rest)) => {
                if !value.is_array() {
                    *value = json!([]);
                }
                let list = value.as_array_mut().unwrap();
                while list.len() <= *place {
                    list.push(Value::Null);
                }
                put(&mut list[*place], rest, field);
            }
        }
    }
    let mut state = json!({});
    for field in fields {
        let value = field.last.value.as_ref().unwrap();
        put(&mut state, field.path.segments(), value);
    }
    state
}

/// Without what depends on the order of arrival: the ids.
fn without_ids(mut blame: Blame) -> Blame {
    let nobody = EventId(Uuid::nil());
    let forget = |setting: &mut Setting| match &mut setting.origin {
        Origin::Event(author) => Arc::make_mut(author).event = nobody,
        Origin::Outside {
            silent: Some(silent),
            ..
        }
        | Origin::Erased { silent, .. } => Arc::make_mut(silent).named.fill(nobody),
        Origin::Outside { silent: None, .. } | Origin::Initial => {}
    };
    for field in blame.fields.iter_mut().chain(&mut blame.removed) {
        forget(&mut field.last);
        field.history.iter_mut().for_each(forget);
    }
    for difference in &mut blame.differences {
        forget(&mut difference.last);
    }
    for moment in &mut blame.moments {
        moment.event = nobody;
    }
    blame
}

/// A field in the replay: what it is, by which event, how often it was set; told last when.
#[derive(Clone, Debug, Default, PartialEq)]
struct Replayed {
    value: Option<Value>,
    previous: Option<Value>,
    by: String,
    changes: u64,
    told: i64,
}

impl Replayed {
    fn set(&mut self, value: Option<Value>, by: String, counts: bool) {
        self.changes += u64::from(counts && value.is_some());
        self.previous = std::mem::replace(&mut self.value, value);
        self.by = by;
    }
}

fn object(state: Option<&Arc<Stated>>) -> Option<Object> {
    let members = state?.members().iter();
    Some(
        members
            .map(|member| (member.name().to_owned(), member.value.clone()))
            .collect(),
    )
}

/// The replay that a reader would do by hand, of objects without objects or lists in them.
fn replay(events: &[Telling]) -> BTreeMap<String, Replayed> {
    let mut fields: BTreeMap<String, Replayed> = BTreeMap::new();
    // It is known of what is found later that it was not there then.
    let mut deleted: Option<i64> = None;
    // Who did not tell.
    let mut silent: Vec<(i64, String)> = Vec::new();
    for event in events {
        let second = second(event.occurred_at);
        let by = event.id.0.as_u128().to_string();
        let before = object(event.before.as_ref());
        let after = object(event.after.as_ref());
        let is_deletion = event.verb == Verb::Delete && after.as_ref().is_none_or(Object::is_empty);
        let outside = |since: i64| {
            let those: Vec<_> = silent.iter().filter(|(at, _)| *at >= since).collect();
            let names: Vec<_> = those.iter().take(5).map(|(_, id)| id.as_str()).collect();
            let of = format!(" of {}/0: {}", those.len(), names.join(","));
            let of = if those.is_empty() { "" } else { &of };
            format!("outside {since}-{second}{of}")
        };
        let live: Object = fields
            .iter()
            .filter_map(|(name, field)| Some((name.clone(), field.value.clone()?)))
            .collect();
        let creates = event.verb == Verb::Create && before.as_ref().is_none_or(Object::is_empty);
        if creates && !live.is_empty() && after.as_ref().is_some_and(|after| *after != live) {
            for field in fields.values_mut().filter(|field| field.value.is_some()) {
                field.set(None, outside(field.told), true);
                field.told = second;
            }
        }
        for (name, value) in before.iter().flatten() {
            let is_new = !fields.contains_key(name);
            let field = fields.entry(name.clone()).or_default();
            if is_new && deleted.is_none() {
                field.set(Some(value.clone()), "initial".to_owned(), false);
            } else if field.value.as_ref() != Some(value) {
                let since = if is_new { 0 } else { field.told }.max(deleted.unwrap_or(0));
                field.set(Some(value.clone()), outside(since), true);
            }
            field.told = second;
        }
        if let (Some(before), Some(after)) = (&before, &after) {
            for name in after.keys().filter(|name| !before.contains_key(*name)) {
                if let Some(field) = fields.get_mut(name)
                    && field.value.is_some()
                {
                    field.set(None, outside(field.told), true);
                }
            }
        }
        for (name, value) in after.iter().flatten() {
            let field = fields.entry(name.clone()).or_default();
            if field.value.as_ref() != Some(value) {
                field.set(Some(value.clone()), by.clone(), true);
            }
            field.told = second;
        }
        for (name, field) in &mut fields {
            let is_in = |state: &Option<Object>| {
                state.as_ref().is_some_and(|state| state.contains_key(name))
            };
            let went = is_in(&before) && !is_in(&after);
            if field.value.is_some() && (is_deletion || went) {
                field.set(None, by.clone(), true);
                field.told = second;
            }
        }
        if is_deletion {
            deleted = Some(second);
        } else if before.is_none() && after.is_none() {
            silent.push((second, by));
        }
    }
    fields
}

/// Events of which the states are as they come, true or not, of flat objects.
fn flat_events() -> impl Strategy<Value = Vec<Telling>> {
    let flat = || {
        let members =
            proptest::collection::btree_map("[abc]", (0..3_u8).prop_map(Value::from), 0..4);
        proptest::option::weighted(
            0.8,
            members.prop_map(|members| Arc::new(members.into_iter().collect::<Object>().into())),
        )
    };
    let verb = prop_oneof![
        6 => Just(Verb::Update),
        1 => Just(Verb::Create),
        1 => Just(Verb::Delete),
    ];
    vec((verb, flat(), flat()), 0..12).prop_map(|events| {
        let numbered = (1_i64..).zip(events);
        let event = |(number, (verb, before, after)): (i64, _)| Telling {
            before,
            after,
            ..event(
                u128::from(number.unsigned_abs()),
                number,
                verb,
                Value::Null,
                Value::Null,
            )
        };
        numbered.map(event).collect()
    })
}

proptest! {
    #[test]
    fn the_fold_is_what_a_replay_by_hand_gives(events in flat_events()) {
        let known = replay(&events);
        let blame = now(events);
        let mut folded = BTreeMap::new();
        for field in blame.fields.iter().chain(&blame.removed) {
            let Setting { value, previous, changes, origin: from, .. } = field.last.clone();
            let told = known.get(&field.path.to_string()).map_or(0, |known| known.told);
            folded.insert(
                field.path.to_string(),
                Replayed { value, previous, by: origin(&from), changes, told },
            );
        }
        let known: BTreeMap<_, _> = known.into_iter().filter(|(_, field)| !field.by.is_empty()).collect();
        prop_assert_eq!(folded, known);
    }

    #[test]
    fn of_a_history_that_is_told_whole_the_state_is_the_last_and_nothing_is_outside(
        states in vec((state(), prop_oneof![Just(Gives::Both), Just(Gives::WhatChanged)]), 1..8)
    ) {
        let seconds: Vec<i64> = (1..).take(states.len()).collect();
        let events = told(&states, &seconds);
        for (state, second) in states.iter().map(|(state, _)| state).zip(&seconds) {
            let asked = Asked { at: Some(at(*second)), ..Asked::default() };
            let blame = blame(asked, events.clone());
            let state = Value::Object(state.clone());
            prop_assert_eq!(put_together(&blame.fields), state);
            for field in blame.fields.iter().chain(&blame.removed) {
                prop_assert!(matches!(field.last.origin, Origin::Event(_)), "{:?}", field);
            }
        }
    }

    #[test]
    fn each_field_is_by_the_event_that_changed_its_place_last(
        states in vec((state(), prop_oneof![Just(Gives::Both), Just(Gives::WhatChanged)]), 1..8),
        is_deleted in any::<bool>(),
    ) {
        let seconds: Vec<i64> = (1..).take(states.len()).collect();
        let mut events = told(&states, &seconds);
        let mut known = vec![json!({})];
        known.extend(states.iter().map(|(state, _)| Value::Object(state.clone())));
        if is_deleted {
            let number = i64::try_from(known.len()).unwrap();
            let id = u128::try_from(number).unwrap();
            events.push(event(id, number, Verb::Delete, Value::Null, Value::Null));
            known.push(json!({}));
        }
        let Blame { fields, removed, .. } = now(events);
        for field in fields.iter().chain(&removed) {
            // Elements move.
            let Some(places) = places(&known, &field.path) else { continue };
            let changed = |at: &usize| places[*at] != places[*at - 1];
            let last = (1..places.len()).rev().find(changed).unwrap();
            prop_assert_eq!(field.last.value.as_ref(), places[last]);
            prop_assert_eq!(origin(&field.last.origin), last.to_string(), "{:?}", field);
            prop_assert_eq!(field.last.previous.as_ref(), places[last - 1], "{:?}", field);
            prop_assert_eq!(field.last.was_absent, places[last - 1].is_none());
        }
    }

    #[test]
    fn any_order_of_arrival_gives_the_same(
        states in vec((state(), gives()), 1..8),
        seconds in vec(1..4_i64, 8),
        swaps in vec((any::<Index>(), any::<Index>()), 0..20),
        keyed in subsequence((0..8_usize).collect::<Vec<_>>(), 0..8),
        compare in proptest::option::of(0..4_i64),
    ) {
        let mut seconds = seconds;
        seconds.sort_unstable();
        let mut events = told(&states, &seconds);
        for at in keyed {
            if let Some(event) = events.get_mut(at) {
                event.idempotency_key = Some(format!("k{}", at % 3));
            }
        }
        // Who did it is no clue either.
        for event in &mut events {
            event.actor = Arc::new(Actor::SYSTEM);
        }
        let asked = Asked {
            at: None,
            compare: compare.map(at),
            field: Some("a".parse().unwrap()),
        };
        let arrived = |events: &[Telling]| -> Vec<Telling> {
            let numbered = (1_u128..).zip(events);
            numbered.map(|(number, event)| Telling { id: EventId(Uuid::from_u128(number)), ..event.clone() }).collect()
        };
        let one = blame(asked.clone(), arrived(&events));
        for (from, to) in swaps {
            let (from, to) = (from.index(events.len()), to.index(events.len()));
            events.swap(from, to);
        }
        let other = blame(asked, arrived(&events));
        prop_assert_eq!(without_ids(one), without_ids(other));
    }

    #[test]
    fn any_order_of_arrival_of_very_many_events_of_one_instant_gives_the_same(
        changes in vec((proptest::option::of(0..4_u8), 0..4_u8), 30..60),
        key in any::<u64>(),
    ) {
        let mut events: Vec<Telling> = changes
            .into_iter()
            .map(|(from, to)| Telling {
                actor: Arc::new(Actor::SYSTEM),
                ..event(1, 1, Verb::Update, json!(from.map(|from| json!({"a": from}))), json!({"a": to}))
            })
            .collect();
        let one = now(events.clone());
        let mut place = key;
        events.sort_by_cached_key(|_| {
            place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            place >> 33
        });
        prop_assert_eq!(one, now(events));
    }

    #[test]
    fn the_state_at_a_moment_is_what_the_events_until_then_come_to(
        states in vec((state(), gives()), 1..8),
        until in 0..9_i64,
    ) {
        let seconds: Vec<i64> = (1..).take(states.len()).collect();
        let events = told(&states, &seconds);
        let asked = Asked { at: Some(at(until)), ..Asked::default() };
        let known = usize::try_from(until).unwrap().min(events.len());
        prop_assert_eq!(blame(asked, events.clone()), now(events[..known].to_vec()));
    }

    #[test]
    fn the_differences_of_two_moments_lead_from_one_state_to_the_other(
        states in vec((flat_state(), Just(Gives::Both)), 1..8),
        first in 0..8_i64,
    ) {
        let seconds: Vec<i64> = (1..).take(states.len()).collect();
        let events = told(&states, &seconds);
        let then = Asked { at: Some(at(first)), ..Asked::default() };
        let then = put_together(&blame(then, events.clone()).fields);
        let asked = Asked { compare: Some(at(first)), ..Asked::default() };
        let later = blame(asked, events);
        let is = put_together(&later.fields);
        let mut made = then;
        let mut seen = BTreeSet::new();
        for Difference { path, before, last, .. } in later.differences {
            let name = path.to_string();
            prop_assert_eq!(made.get(&name), before.as_ref());
            prop_assert!(seen.insert(name.clone()));
            let members = made.as_object_mut().unwrap();
            match last.value {
                Some(value) => members.insert(name, value),
                None => members.remove(&name),
            };
        }
        prop_assert_eq!(made, is);
    }

    #[test]
    fn the_path_of_every_field_reads_as_it_was_written_and_leads_to_its_history(
        states in vec((state(), gives()), 1..8),
    ) {
        let seconds: Vec<i64> = (1..).take(states.len()).collect();
        let events = told(&states, &seconds);
        for field in now(events.clone()).fields {
            let path: Path = field.path.to_string().parse().unwrap();
            prop_assert_eq!(&path, &field.path);
            let asked = Asked { field: Some(path), ..Asked::default() };
            let found = blame(asked, events.clone()).fields;
            let [only] = found.as_slice() else {
                return Err(TestCaseError::fail(format!("{found:?}")));
            };
            prop_assert_eq!(&only.last, &field.last);
            prop_assert_eq!(only.history.last(), Some(&field.last));
        }
    }
}

/// The same events, with what their states have in common kept once, as a reader of many does.
fn sharing(events: &[Telling]) -> Vec<Telling> {
    let mut last: Option<Arc<Stated>> = None;
    let mut shared = Vec::new();
    for event in events {
        let mut event = event.clone();
        for state in [&mut event.before, &mut event.after] {
            let Some(state) = state else { continue };
            match &last {
                Some(last) if last == state => *state = Arc::clone(last),
                Some(last) => {
                    let known = |member: &Arc<Member>| {
                        let known = last.members().iter().find(|known| *known == member);
                        Arc::clone(known.unwrap_or(member))
                    };
                    *state = Arc::new(Stated::new(state.members().iter().map(known).collect()));
                }
                None => {}
            }
            last = Some(Arc::clone(state));
        }
        shared.push(event);
    }
    shared
}

proptest! {
    #[test]
    fn what_states_have_in_common_makes_no_difference(
        states in vec((state(), gives()), 1..10),
        seconds in vec(1..30_i64, 10),
        others in flat_events(),
        field in proptest::option::of("[abc]"),
    ) {
        let mut seconds = seconds;
        seconds.sort_unstable();
        let asked = Asked { field: field.map(|field| field.parse().unwrap()), ..Asked::default() };
        let mut events = told(&states, &seconds);
        prop_assert_eq!(blame(asked.clone(), sharing(&events)), blame(asked.clone(), events.clone()));
        // And with what is not true between them.
        events.extend(others);
        events.sort_by_key(|event| event.occurred_at);
        prop_assert_eq!(blame(asked.clone(), sharing(&events)), blame(asked, events));
    }

    #[test]
    fn a_fold_that_was_kept_goes_on_as_if_it_had_never_ended(
        states in vec((state(), gives()), 1..10),
        seconds in vec(1..8_i64, 10),
        others in flat_events(),
        kept_at in 0..22_usize,
        kept_for in (proptest::option::of(0..9_i64), proptest::option::of("[abc]")),
        asked in (proptest::option::of(0..9_i64), proptest::option::of(0..9_i64), proptest::option::of("[abc]")),
    ) {
        let mut seconds = seconds;
        seconds.sort_unstable();
        let mut events = told(&states, &seconds);
        events.extend(others);
        events.sort_by_key(|event| event.occurred_at);
        let events = sharing(&events);
        let of = |until: Option<i64>, compare: Option<i64>, field: Option<String>| Asked {
            at: until.map(at),
            compare: compare.map(at),
            field: field.map(|field| field.parse().unwrap()),
        };
        let mut first = Fold::new(of(None, kept_for.0, kept_for.1));
        let mut kept_at = kept_at.min(events.len());
        while kept_at < events.len() && kept_at > 0
            && events[kept_at].occurred_at == events[kept_at - 1].occurred_at {
            kept_at += 1;
        }
        events[..kept_at].iter().cloned().for_each(|event| first.tell(event));
        prop_assert!(first.keep(0).is_none());
        prop_assert!(events[..kept_at].is_empty() || first.keep(usize::MAX).is_none());
        first.settle();
        let asked = of(asked.0, asked.1, asked.2);
        if let Some(mut fold) = first.keep(usize::MAX).and_then(|kept| kept.resume(&asked)) {
            events[kept_at..].iter().cloned().for_each(|event| fold.tell(event));
            prop_assert_eq!(fold.finish(), blame(asked, events));
        }
    }

    #[test]
    fn a_way_through_whole_states_is_found_however_many_events_of_one_instant_there_are(
        states in vec(0..6_u8, 2..80),
        key in any::<u64>(),
    ) {
        let state = |state: u8| json!({"a": state, "b": [state / 2]});
        let first = event(1_000, 0, Verb::Create, Value::Null, state(states[0]));
        let steps = (1..).zip(states.windows(2));
        let mut events: Vec<Telling> = steps
            .map(|(number, step)| event(number, 1, Verb::Update, state(step[0]), state(step[1])))
            .collect();
        let mut place = key;
        events.sort_by_cached_key(|_| {
            place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            place >> 33
        });
        events.push(first);
        let found = now(events);
        for field in found.fields.iter().chain(&found.removed) {
            prop_assert!(matches!(field.last.origin, Origin::Event(_)), "{:?}", field);
        }
        let last = states.last().copied().unwrap();
        prop_assert_eq!(put_together(&found.fields), state(last));
    }
}

fn flat_state() -> impl Strategy<Value = Object> {
    proptest::collection::btree_map("[abcd]", (0..3_u8).prop_map(Value::from), 0..5)
        .prop_map(|members| members.into_iter().collect())
}

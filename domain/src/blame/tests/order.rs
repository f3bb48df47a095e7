//! In which order events of one instant are folded.

use super::*;

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
fn of_events_of_one_instant_that_change_the_same_all_that_they_say_decides() {
    let saying = |number: u128, rest: &str| Telling {
        rest: rest.to_owned(),
        actor: Arc::new(Actor::SYSTEM),
        ..event(number, 1, Verb::Update, Value::Null, json!({"a": 1}))
    };
    let author = |events: Vec<Telling>, of: &[&str]| {
        let said = |id: EventId| {
            let number = usize::try_from(id.0.as_u128()).unwrap();
            of[number].to_owned()
        };
        match &now(events).fields[0].last.origin {
            Origin::Event(author) => said(author.event),
            other => panic!("{other:?}"),
        }
    };
    let one = vec![saying(0, "SERVICE_SCALED"), saying(1, "SERVICE_UPDATED")];
    let other = vec![saying(0, "SERVICE_UPDATED"), saying(1, "SERVICE_SCALED")];
    assert_eq!(
        author(one, &["SERVICE_SCALED", "SERVICE_UPDATED"]),
        author(other, &["SERVICE_UPDATED", "SERVICE_SCALED"])
    );
}

#[test]
fn a_way_that_ends_is_not_taken_while_another_leads_through_all() {
    let change = |number: u128, from: u8, to: u8| {
        event(
            number,
            1,
            Verb::Update,
            json!({"a": from}),
            json!({"a": to}),
        )
    };
    let mut events = vec![
        change(1, 1, 2),
        change(2, 2, 5),
        change(3, 1, 3),
        change(4, 3, 1),
        event(9, 0, Verb::Create, Value::Null, json!({"a": 1})),
    ];
    assert_eq!(lines(&now(events.clone()).fields), ["a: 5 <- 2 by 2 (5)"]);
    events.reverse();
    assert_eq!(lines(&now(events).fields), ["a: 5 <- 2 by 2 (5)"]);
    // Made, changed, deleted and made again within one instant.
    let events = vec![
        event(4, 1, Verb::Create, Value::Null, json!({"a": 1})),
        event(3, 1, Verb::Delete, json!({"a": 2}), Value::Null),
        event(2, 1, Verb::Update, json!({"a": 1}), json!({"a": 2})),
        event(1, 1, Verb::Create, Value::Null, json!({"a": 7})),
        event(5, 1, Verb::Update, json!({"a": 7}), json!({"a": 8})),
    ];
    assert_eq!(now(events).fields.len(), 1);
}

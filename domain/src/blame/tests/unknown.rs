//! What is not known is said: who did not tell, what was erased, and what had to be left out.

use super::{super::weight::Bounds, *};

/// The same events, one of which gave states that were erased.
fn erasing(mut events: Vec<Telling>, place: usize) -> Vec<Telling> {
    let event = &mut events[place];
    event.before = None;
    event.after = None;
    event.erased = true;
    events
}

#[test]
fn what_changed_while_an_event_told_of_no_state_may_have_been_set_by_it() {
    let nothing = || (Verb::Update, Value::Null, Value::Null);
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1, "b": 1})),
        nothing(),
        (Verb::Update, json!({"b": 1}), json!({"b": 2})),
        nothing(),
        (
            Verb::Update,
            json!({"a": 2, "b": 3}),
            json!({"a": 2, "b": 3}),
        ),
    ]);
    let blame = now(events);
    assert_eq!(
        lines(&blame.fields),
        [
            "a: 2 <- 1 by outside 1-5 of 2/0: 2,4 (2)",
            "b: 3 <- 2 by outside 3-5 of 1/0: 4 (3)",
        ]
    );
    // Who looks, and what did not succeed, set nothing.
    let mut events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1})),
        (Verb::Read, Value::Null, Value::Null),
        nothing(),
        (Verb::Update, json!({"a": 2}), json!({"a": 2})),
    ]);
    events[2].outcome = Outcome::Failure;
    assert_eq!(lines(&now(events).fields), ["a: 2 <- 1 by outside 1-4 (2)"]);
}

#[test]
fn of_many_events_that_did_not_tell_the_first_are_named_and_all_are_counted() {
    let bounds = Bounds {
        silent: 4,
        gaps: 4,
        ..Bounds::default()
    };
    let mut fold = Fold::new(Asked::default()).within(bounds);
    let mut number = 0;
    let mut tell = |verb, before: Value, after: Value| {
        number += 1;
        let second = i64::try_from(number).unwrap();
        fold.tell(event(number, second, verb, before, after));
    };
    tell(Verb::Create, Value::Null, json!({"a": 1, "b": 1}));
    for _ in 0..10 {
        tell(Verb::Update, Value::Null, Value::Null);
        tell(Verb::Update, json!({"b": 1}), json!({"b": 1}));
    }
    tell(Verb::Update, json!({"a": 2}), json!({"a": 2}));
    let blame = fold.finish();
    assert_eq!(
        lines(&blame.fields)[0],
        "a: 2 <- 1 by outside 1-22 of 10/0: 16,18,20 (2)"
    );
    let gaps = blame.untold.iter();
    let gaps: Vec<_> = gaps
        .map(|gap| (second(gap.since), second(gap.until), gap.events))
        .collect();
    assert_eq!(gaps, [(2, 14, 7), (16, 16, 1), (18, 18, 1), (20, 20, 1)]);
}

#[test]
fn a_creation_of_what_is_there_tells_that_it_was_gone() {
    let events = in_a_row([
        (
            Verb::Create,
            Value::Null,
            json!({"a": 1, "b": 1, "o": {"x": 1}, "l": [1]}),
        ),
        (Verb::Update, json!({"a": 1}), json!({"a": 2})),
        (Verb::Create, Value::Null, json!({"a": 2, "o": {"y": 1}})),
    ]);
    let blame = now(events.clone());
    assert_eq!(
        lines(&blame.fields),
        ["a: 2 <- - by 3 (3)", "o.y: 1 <- - by 3 (1)"]
    );
    assert_eq!(
        lines(&blame.removed),
        [
            "b: - <- 1 by outside 1-3 (1)",
            "l[0]: - <- 1 by outside 1-3 (1)",
            "o.x: - <- 1 by outside 1-3 (1)",
        ]
    );
    assert!(blame.fields.iter().all(|field| field.last.was_absent));
    assert_eq!(blame.moments[2].what, What::Created);
    assert_eq!(
        history("a", events),
        [
            "1 <- - by 1 (1)",
            "2 <- 1 by 2 (2)",
            "- <- 2 by outside 2-3 (2)",
            "2 <- - by 3 (3)"
        ]
    );
}

#[test]
fn a_creation_that_is_told_twice_changes_nothing() {
    let creation = || (Verb::Create, Value::Null, json!({"a": 1, "o": {"x": [1]}}));
    let blame = now(in_a_row([creation(), creation()]));
    assert_eq!(
        lines(&blame.fields),
        ["a: 1 <- - by 1 (1)", "o.x[0]: 1 <- - by 1 (1)"]
    );
    assert_eq!((blame.changes, blame.removed.len()), (1, 0));
}

#[test]
fn what_was_set_by_an_event_that_was_erased_was_not_set_outside_the_log() {
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1, "b": 1})),
        (Verb::Update, json!({"a": 1}), json!({"a": 2})),
        (
            Verb::Update,
            json!({"a": 2, "b": 1}),
            json!({"a": 3, "b": 1}),
        ),
    ]);
    let told = now(events.clone());
    let blame = now(erasing(events.clone(), 1));
    assert_eq!(
        lines(&blame.fields),
        ["a: 3 <- 2 by 3 (3)", "b: 1 <- - by 1 (1)"]
    );
    assert_eq!(
        history("a", erasing(events.clone(), 1)),
        [
            "1 <- - by 1 (1)",
            "2 <- 1 by erased 1-3 of 1/1: 2 (2)",
            "3 <- 2 by 3 (3)"
        ]
    );
    // That it changed something counts.
    assert_eq!(blame.changes, told.changes);
    assert_eq!(blame.moments[1].what, What::Erased);
    let [untold] = blame.untold.as_slice() else {
        panic!("{:?}", blame.untold);
    };
    assert!(untold.is_erased);
    let gaps = blame.gaps(&Silence::default(), None);
    assert_eq!(
        (gaps[0].kind, gaps[0].count),
        (GapKind::Erased, Some(1)),
        "{gaps:?}"
    );

    // The creation was erased: what is found later may have been set by it.
    let blame = now(erasing(events, 0));
    assert!(blame.exists());
    assert_eq!(blame.moments[0].what, What::Created);
    assert_eq!(
        lines(&blame.fields),
        ["a: 3 <- 2 by 3 (3)", "b: 1 <- - by erased -3 of 1/1: 1 (1)"]
    );
}

#[test]
fn erased_events_and_those_that_gave_nothing_are_gaps_of_their_own() {
    let nothing = || (Verb::Update, Value::Null, Value::Null);
    let events = erasing(in_a_row([nothing(), nothing(), nothing(), nothing()]), 2);
    let blame = now(events);
    let gaps: Vec<_> = blame
        .gaps(&Silence::default(), None)
        .iter()
        .map(|gap| (gap.kind, gap.count))
        .collect();
    let no_state = |count| (GapKind::NoState, Some(count));
    assert_eq!(gaps, [no_state(2), (GapKind::Erased, Some(1)), no_state(1)]);
}

#[test]
fn an_object_of_which_the_deletion_was_erased_is_deleted() {
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1})),
        (Verb::Delete, json!({"a": 1}), Value::Null),
    ]);
    let blame = now(erasing(events, 1));
    assert_eq!(blame.existence, Existence::Deleted);
    assert_eq!(lines(&blame.removed), ["a: - <- 1 by 2 (1)"]);
}

/// The fold of events within bounds.
fn within(bounds: Bounds, asked: Asked, events: Vec<Telling>) -> Blame {
    let mut fold = Fold::new(asked).within(bounds);
    for event in events {
        fold.tell(event);
    }
    fold.finish()
}

fn left(blame: &Blame) -> Vec<(LeftWhat, i64, i64, u64)> {
    let left = blame.left_out.iter();
    left.map(|left| {
        (
            left.what,
            second(left.since),
            second(left.until),
            left.count,
        )
    })
    .collect()
}

/// Of each event one element and one member, others than before.
fn turnover(events: i64) -> Vec<Telling> {
    let state = |n: i64| json!({"l": [format!("element {n}")], format!("m{n}"): n, "n": n});
    (1..=events)
        .map(|n| {
            let number = u128::from(n.unsigned_abs());
            event(number, n, Verb::Update, state(n - 1), state(n))
        })
        .collect()
}

#[test]
fn of_what_is_gone_the_newest_is_kept_and_what_was_forgotten_is_said() {
    let bounds = Bounds {
        gone: 100_000,
        between: 20_000,
        ..Bounds::default()
    };
    let all = now(turnover(2_000));
    let blame = within(bounds, Asked::default(), turnover(2_000));
    assert_eq!(blame.fields, all.fields);
    assert_eq!(all.removed.len(), 4_000);
    assert_eq!(all.left_out, []);
    let kept = blame.removed.len();
    assert!((40..400).contains(&kept), "{kept}");
    let [(LeftWhat::Gone, _, until, count)] = left(&blame)[..] else {
        panic!("{:?}", blame.left_out);
    };
    assert_eq!(usize::try_from(count).unwrap() + kept, 4_000);
    // The newest of all are those that are kept.
    let of_kept = |field: &&Field| field.last.origin.at().is_some_and(|set| set > at(until));
    let newest: Vec<_> = all.removed.iter().filter(of_kept).cloned().collect();
    assert_eq!(blame.removed, newest);
    let gaps = blame.gaps(&Silence::default(), None);
    assert_eq!(gaps[0].kind, GapKind::LeftOut(LeftWhat::Gone));
    assert_eq!((gaps[0].since, gaps[0].until), (None, Some(at(until))));
}

#[test]
fn of_a_long_history_the_newest_is_kept_and_what_was_forgotten_is_said() {
    let bounds = Bounds {
        history: 100_000,
        between: 20_000,
        ..Bounds::default()
    };
    let asked = || Asked {
        field: Some("n".parse().unwrap()),
        ..Asked::default()
    };
    let all = blame(asked(), turnover(2_000));
    let found = within(bounds, asked(), turnover(2_000));
    let (all, kept) = (&all.fields[0], &found.fields[0]);
    assert_eq!(kept.last, all.last);
    let [(LeftWhat::History, _, _, count)] = left(&found)[..] else {
        panic!("{:?}", found.left_out);
    };
    let forgotten = usize::try_from(count).unwrap();
    assert!(forgotten > 1_500, "{forgotten}");
    assert_eq!(kept.history, all.history[forgotten..]);
}

#[test]
fn an_instant_with_more_events_than_can_be_put_in_order_is_passed_over_and_said() {
    let bounds = Bounds {
        instant: 30_000,
        ..Bounds::default()
    };
    let mut events = vec![event(1, 1, Verb::Create, Value::Null, json!({"a": 0}))];
    let flood = |n: u32| {
        let before = json!({"a": n, "text": "x".repeat(1_000)});
        event(
            u128::from(n) + 2,
            2,
            Verb::Update,
            before,
            json!({"a": n + 1}),
        )
    };
    events.extend((0..20).map(flood));
    events.push(event(
        30,
        3,
        Verb::Update,
        json!({"a": 9}),
        json!({"a": 10}),
    ));
    let forward = within(bounds, Asked::default(), events.clone());
    assert_eq!(history_of(&forward), ["a: 10 <- 9 by 30 (3)"],);
    assert_eq!(left(&forward), [(LeftWhat::Instant, 2, 2, 20)]);
    events.reverse();
    events.sort_by_key(|event| event.occurred_at);
    assert_eq!(within(bounds, Asked::default(), events.clone()), forward);
    // What was found after it may have been set by one of them.
    let asked = Asked {
        field: Some("a".parse().unwrap()),
        ..Asked::default()
    };
    let found = within(bounds, asked, events);
    assert_eq!(
        setting(&found.fields[0].history[1]),
        "9 <- 0 by outside 1-3 of 20/0:  (2)"
    );
}

fn history_of(blame: &Blame) -> Vec<String> {
    lines(&blame.fields)
}

#[test]
fn an_object_that_grew_too_large_is_told_as_it_was_until_then() {
    let bounds = Bounds {
        live: 200_000,
        between: 20_000,
        ..Bounds::default()
    };
    let events = (1..=1_000_i64).map(|n| {
        let number = u128::from(n.unsigned_abs());
        event(
            number,
            n,
            Verb::Update,
            json!({}),
            json!({format!("m{n}"): n}),
        )
    });
    let events: Vec<Telling> = events.collect();
    let blame = within(bounds, Asked::default(), events.clone());
    let [(LeftWhat::Later, since, 1_000, count)] = left(&blame)[..] else {
        panic!("{:?}", blame.left_out);
    };
    let folded = usize::try_from(1_000 - count).unwrap();
    assert_eq!(since, i64::try_from(folded).unwrap() + 1);
    let until_then = now(events[..folded].to_vec());
    assert_eq!(blame.fields, until_then.fields);
    assert!((100..700).contains(&folded), "{folded}");
}

#[test]
fn events_without_a_state_are_told_those_in_a_row_as_one() {
    let events = in_a_row([
        (Verb::Create, Value::Null, json!({"a": 1})),
        (Verb::Update, Value::Null, Value::Null),
        (Verb::Rotate, Value::Null, Value::Null),
        (Verb::Update, json!({"a": 1}), json!({"a": 2})),
        (Verb::Run, Value::Null, Value::Null),
        (Verb::Delete, Value::Null, Value::Null),
    ]);
    let untold = |since, until, events| Untold {
        since: at(since),
        until: at(until),
        events,
        is_erased: false,
    };
    assert_eq!(now(events).untold, [untold(2, 3, 2), untold(5, 5, 1)]);
}

#[test]
fn what_the_log_is_silent_about_is_a_gap_while_the_object_may_have_been_there() {
    let silence = Silence {
        released_before: Some(at(5)),
        off: vec![(at(2), Some(at(4))), (at(7), Some(at(8))), (at(20), None)],
        unread_before: None,
        objects_erased: Some(Unassigned {
            events: 2,
            since: Some(at(1)),
            until: at(3),
        }),
    };
    let kinds = |began: i64, verb: Verb, until: Option<i64>| -> Vec<String> {
        let until = until.map(at);
        let blame = now(vec![event(1, began, verb, Value::Null, json!({"a": 1}))]);
        let text = |time: Option<Timestamp>| {
            time.map_or_else(String::new, |time| second(time).to_string())
        };
        let gaps = blame.gaps(&silence, until).into_iter();
        gaps.map(|gap| {
            format!(
                "{} {}-{}",
                gap.kind.as_str(),
                text(gap.since),
                text(gap.until)
            )
        })
        .collect()
    };
    assert_eq!(
        kinds(6, Verb::Update, None),
        [
            "retention -5",
            "objects_erased 1-3",
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
        ["objects_erased 1-3", "recording_off 2-4", "retention 3-5"]
    );
    // Nothing is told of what came after the moment.
    assert_eq!(
        kinds(2, Verb::Update, Some(3)),
        ["retention -3", "objects_erased 1-3", "recording_off 2-3"]
    );
    assert_eq!(kinds(8, Verb::Create, Some(30)), ["recording_off 20-30"]);
}

#[test]
fn a_creation_hides_what_was_deleted_before_it_only_where_it_tells_all() {
    let silence = Silence {
        released_before: Some(at(1)),
        ..Silence::default()
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

#[test]
fn that_recording_was_switched_more_often_than_is_looked_at_is_said() {
    let silence = Silence {
        unread_before: Some(at(5)),
        ..Silence::default()
    };
    let gaps = |second: i64, until: Option<i64>| {
        let creation = event(1, second, Verb::Create, Value::Null, json!({"a": 1}));
        let gaps = now(vec![creation]).gaps(&silence, until.map(at));
        let gaps = gaps.iter().map(|gap| (gap.kind, gap.since, gap.until));
        gaps.collect::<Vec<_>>()
    };
    let switches = GapKind::LeftOut(LeftWhat::Switches);
    assert_eq!(gaps(2, None), [(switches, Some(at(2)), Some(at(5)))]);
    assert_eq!(gaps(2, Some(3)), [(switches, Some(at(2)), Some(at(3)))]);
    assert_eq!(gaps(6, None), []);
}

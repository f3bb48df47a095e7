//! Elements, wherever they move, and what holds something or nothing.

use super::*;

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
fn elements_of_one_name_that_went_together_come_back_each_with_its_history() {
    let list = |list: Value| json!({"l": list});
    let both = json!([{"name": "x", "v": 1}, {"name": "x", "v": 2}]);
    let changed = json!([{"name": "x", "v": 1}, {"name": "x", "v": 2}, {"name": "y", "v": 3}]);
    let swapped = json!([{"name": "x", "v": 2}, {"name": "x", "v": 1}]);
    let histories = |back: Value| {
        let events = in_a_row([
            (Verb::Create, Value::Null, list(json!([both[0]]))),
            (Verb::Update, list(json!([both[0]])), list(changed.clone())),
            (Verb::Update, list(changed.clone()), list(json!([]))),
            (Verb::Update, list(json!([])), list(back)),
        ]);
        let known = lines(&now(events).fields).into_iter();
        known.filter(|line| line.contains(".v")).collect::<Vec<_>>()
    };
    // The one with the value 1 was there since the first event, the other since the second.
    assert_eq!(
        histories(both.clone()),
        ["l[0].v: 1 <- - by 4 (2)", "l[1].v: 2 <- - by 4 (2)"]
    );
    assert_eq!(
        histories(swapped),
        ["l[0].v: 2 <- - by 4 (2)", "l[1].v: 1 <- - by 4 (2)"]
    );
    let whole = |back: Value| {
        let events = in_a_row([
            (Verb::Create, Value::Null, list(json!([both[0]]))),
            (Verb::Update, list(json!([both[0]])), list(both.clone())),
            (Verb::Update, list(both.clone()), list(json!([]))),
            (Verb::Update, list(json!([])), list(back)),
        ]);
        history("l[0].v", events)
    };
    assert_eq!(
        whole(both.clone()),
        ["1 <- - by 1 (1)", "- <- 1 by 3 (1)", "1 <- - by 4 (2)"]
    );
    assert_eq!(
        whole(json!([both[1], both[0]])),
        ["2 <- - by 2 (1)", "- <- 2 by 3 (1)", "2 <- - by 4 (2)"]
    );
    // None has its value again: the first is the first.
    assert_eq!(
        whole(json!([{"name": "x", "v": 7}, {"name": "x", "v": 8}])),
        ["1 <- - by 1 (1)", "- <- 1 by 3 (1)", "7 <- - by 4 (2)"]
    );
}

#[test]
fn equal_elements_that_went_together_come_back_in_their_order() {
    let list = |list: Value| json!({"l": list});
    let events = in_a_row([
        (Verb::Create, Value::Null, list(json!(["u"]))),
        (Verb::Update, list(json!(["u"])), list(json!(["u", "u"]))),
        (Verb::Update, list(json!(["u", "u"])), list(json!([]))),
        (Verb::Update, list(json!([])), list(json!(["u", "u"]))),
    ]);
    assert_eq!(
        history("l[0]", events.clone()),
        [
            r#""u" <- - by 1 (1)"#,
            r#"- <- "u" by 3 (1)"#,
            r#""u" <- - by 4 (2)"#
        ]
    );
    assert_eq!(
        history("l[1]", events),
        [
            r#""u" <- - by 2 (1)"#,
            r#"- <- "u" by 3 (1)"#,
            r#""u" <- - by 4 (2)"#
        ]
    );
}

//! What is asked: every filter of the contract by itself, with frequent and rare values, in every
//! order; and what people ask all day long.

use crate::{
    data::{Dice, FREQUENT_OPERATION, World, Zipf, bulk_operation},
    error::BenchError,
};
use chrono::TimeDelta;
use domain::{
    event::{ActorKind, Target},
    question::{Filter, Order, Query, Sort, Unknown},
    time::Timestamp,
};

/// A place in a list that holds something rare: among the least busy that are still there.
const RARE_OBJECT: usize = 700;

/// Parameters of a question, by name.
type Pairs = Vec<(&'static str, String)>;

/// The filter that parameters come to.
///
/// # Errors
///
/// They are not what the contract takes: the set's world and the contract have parted.
fn filter(pairs: Pairs) -> Result<Filter, BenchError> {
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()));
    let read = Query::read_pairs(pairs, Unknown::Refused);
    match read.faults.first() {
        None => Ok(read.query.filter),
        Some(fault) => Err(BenchError::Unfit(format!(
            "{}={} {}",
            fault.parameter, fault.value, fault.reason
        ))),
    }
}

/// Every filter by itself, with frequent and rare values and with one that nothing has; the first
/// one asks for everything.
///
/// # Errors
///
/// A value is none that the contract takes.
pub fn single_filters(world: &World, end: Timestamp) -> Result<Vec<Filter>, BenchError> {
    let families = &world.families;
    let (Some(busiest), Some(quietest)) = (families.first(), families.last()) else {
        return Err(BenchError::Unfit("the catalogue is empty".to_owned()));
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let name_of = |target: &Target| text(&target.name);
    let person = |from: usize| {
        world
            .actors
            .iter()
            .skip(from)
            .find(|actor| actor.kind == ActorKind::User)
            .unwrap_or(&world.actors[0])
    };
    let busy_person = person(0);
    let rare_person = person(world.actors.len() - 20);
    let rarely_done = |family: &crate::data::Family| {
        family
            .actions
            .last()
            .map_or_else(String::new, |done| done.action.to_string())
    };
    let ago = |hours: i64| end.plus(-TimeDelta::hours(hours)).to_string();

    let mut asked: Vec<Pairs> = vec![Vec::new()];
    let mut ask = |name: &'static str, value: String| asked.push(vec![(name, value)]);
    for family in [busiest, &families[families.len() / 2], quietest] {
        ask("category", family.category.to_string());
    }
    for verb in ["update", "create", "delete", "rotate", "transfer"] {
        ask("verb", verb.to_owned());
    }
    ask("action", busiest.actions[0].action.to_string());
    ask("action", quietest.actions[0].action.to_string());
    ask("action", rarely_done(quietest));
    ask("action", "NEVER_DONE".to_owned());
    for outcome in ["success", "failure", "denied"] {
        ask("outcome", outcome.to_owned());
    }
    ask("actor", "@acme.example".to_owned());
    ask("actor", "an".to_owned());
    ask("actor", "kim".to_owned());
    ask("actor", text(&busy_person.name));
    ask("actor", text(&rare_person.email));
    ask("actor", "nobody at all".to_owned());
    ask("actor_id", text(&world.actors[1].id));
    ask("actor_id", text(&busy_person.id));
    ask("actor_id", text(&rare_person.id));
    for kind in ["user", "token", "system", "anonymous"] {
        ask("actor_kind", kind.to_owned());
    }
    for agent in [world.agents.first(), world.agents.last()]
        .into_iter()
        .flatten()
    {
        ask("via_id", text(&agent.id));
    }
    ask("target_kind", busiest.kinds[0].to_string());
    ask("target_kind", quietest.kinds[0].to_string());
    ask("target_id", text(&busiest.object(0).id));
    ask("target_id", text(&busiest.object(RARE_OBJECT).id));
    ask("target_id", text(&quietest.object(RARE_OBJECT).id));
    ask("q", "deployment".to_owned());
    ask("q", "billing".to_owned());
    ask("q", "a".to_owned());
    ask("q", busiest.actions[0].label.to_owned());
    ask("q", name_of(&busiest.object(0)));
    ask("q", name_of(&quietest.object(RARE_OBJECT)));
    ask("q", "nowhere to be found".to_owned());
    ask("operation", bulk_operation(3));
    ask("operation", FREQUENT_OPERATION.to_owned());
    ask("since", ago(12));
    ask("since", ago(45 * 24));
    ask("until", ago(45 * 24));
    ask("until", ago(89 * 24));
    for range in ["24h", "7d", "30d", "90d"] {
        ask("range", range.to_owned());
    }
    asked.push(vec![("since", ago(1_000)), ("until", ago(999))]);
    asked.into_iter().map(filter).collect()
}

/// A filter in every order.
pub fn in_every_order(filter: &Filter) -> Vec<Query> {
    let orders = [Order::Descending, Order::Ascending];
    Sort::ALL
        .into_iter()
        .flat_map(|sort| orders.map(|order| (sort, order)))
        .map(|(sort, order)| Query {
            filter: filter.clone(),
            sort,
            order: Some(order),
            limit: None,
            cursor: None,
        })
        .collect()
}

/// What one reader after the other asks of a page: mostly the newest, often of the last days, by
/// one or two filters, whose values are as skewed as the events; now and then in another order.
///
/// # Errors
///
/// A value is none that the contract takes.
pub fn everyday(
    world: &World,
    end: Timestamp,
    seed: u64,
    questions: usize,
) -> Result<Vec<Query>, BenchError> {
    let mut dice = Dice::new(seed);
    let families = Zipf::new(world.families.len());
    let actors = Zipf::new(world.actors.len());
    let objects = Zipf::new(world.objects_in_family());
    let mut asked = Vec::with_capacity(questions);
    for _ in 0..questions {
        let mut pairs: Pairs = Vec::new();
        let filters = [0, 0, 1, 1, 1, 1, 1, 2, 2][dice.index(9)];
        for _ in 0..filters {
            let family = &world.families[families.draw(&mut dice)];
            let (name, value) = match dice.below(10) {
                0 | 1 => ("category", family.category.to_string()),
                2 => {
                    let verbs = ["update", "create", "delete", "run"];
                    ("verb", dice.pick(&verbs).to_owned())
                }
                3 => {
                    let often = Zipf::new(family.actions.len());
                    let done = &family.actions[often.draw(&mut dice)];
                    ("action", done.action.to_string())
                }
                4 => ("outcome", dice.pick(&["failure", "denied"]).to_owned()),
                5 | 6 => {
                    let actor = &world.actors[actors.draw(&mut dice)];
                    ("actor", actor.sort_name().to_owned())
                }
                7 => {
                    let target = family.object(objects.draw(&mut dice));
                    ("target_id", target.id.unwrap_or_default())
                }
                8 => ("target_kind", family.kinds[0].to_string()),
                _ => {
                    let target = family.object(objects.draw(&mut dice));
                    ("q", target.name.unwrap_or_default())
                }
            };
            if pairs.iter().all(|(other, _)| *other != name) {
                pairs.push((name, value));
            }
        }
        if dice.chance(400) {
            let days = dice.pick(&[1, 7, 30]);
            let since = end.plus(-TimeDelta::days(days));
            pairs.push(("since", since.to_string()));
        }
        let sort = if dice.chance(50) {
            dice.pick(&[Sort::Actor, Sort::Action, Sort::TargetKind])
        } else {
            Sort::Time
        };
        asked.push(Query {
            filter: filter(pairs)?,
            sort,
            ..Query::default()
        });
    }
    Ok(asked)
}

/// A filter that holds of some of what there is, the frequent more often than the rare: its name and a value.
fn drawn(world: &World, draws: &Draws, dice: &mut Dice) -> (&'static str, String) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let family = &world.families[draws.families.draw(dice)];
    let actor = &world.actors[draws.actors.draw(dice)];
    let object = family.object(draws.objects.draw(dice));
    let done = || &family.actions[0];
    match dice.below(15) {
        0 => ("category", family.category.to_string()),
        1 => {
            let verbs = ["update", "create", "delete", "rotate", "transfer", "run"];
            ("verb", dice.pick(&verbs).to_owned())
        }
        2 => {
            let often = Zipf::new(family.actions.len());
            (
                "action",
                family.actions[often.draw(dice)].action.to_string(),
            )
        }
        3 => ("action", done().action.to_string()),
        4 => (
            "outcome",
            dice.pick(&["success", "failure", "denied"]).to_owned(),
        ),
        5 => ("actor", actor.sort_name().to_owned()),
        6 => (
            "actor",
            dice.pick(&["an", "kim", "@acme.example", "a"]).to_owned(),
        ),
        7 if actor.id.is_some() => ("actor_id", text(&actor.id)),
        8 => {
            let kinds = ["user", "token", "agent", "integration", "system"];
            ("actor_kind", dice.pick(&kinds).to_owned())
        }
        9 => {
            let agents = Zipf::new(world.agents.len());
            ("via_id", text(&world.agents[agents.draw(dice)].id))
        }
        10 => ("target_id", text(&object.id)),
        11 => ("q", text(&object.name)),
        12 => (
            "q",
            dice.pick(&["billing", "deploy", "a", "role"]).to_owned(),
        ),
        13 => {
            let bulk = bulk_operation(dice.below(20));
            (
                "operation",
                dice.pick(&[FREQUENT_OPERATION, &bulk]).to_owned(),
            )
        }
        _ => ("target_kind", object.kind.to_string()),
    }
}

struct Draws {
    families: Zipf,
    actors: Zipf,
    objects: Zipf,
}

/// Two or three filters together, drawn by chance, in any order; every tenth pair is of frequent values that
/// never meet.
///
/// # Errors
///
/// A value is none that the contract takes.
pub fn combined(
    world: &World,
    end: Timestamp,
    seed: u64,
    questions: usize,
) -> Result<Vec<Query>, BenchError> {
    let mut dice = Dice::new(seed);
    let draws = Draws {
        families: Zipf::new(world.families.len()),
        actors: Zipf::new(world.actors.len()),
        objects: Zipf::new(world.objects_in_family()),
    };
    let mut asked = Vec::with_capacity(questions);
    for number in 0..questions {
        let mut pairs: Pairs = Vec::new();
        if number % 10 == 9 {
            pairs.extend(that_never_meet(world, &mut dice));
        }
        let filters = 2 + dice.index(2);
        while pairs.len() < filters {
            let (name, value) = if dice.chance(120) {
                let days = dice.pick(&[1, 7, 30, 60]);
                let name = dice.pick(&["since", "until"]);
                (name, end.plus(-TimeDelta::days(days)).to_string())
            } else {
                drawn(world, &draws, &mut dice)
            };
            if pairs.iter().all(|(other, _)| *other != name) {
                pairs.push((name, value));
            }
        }
        asked.push(Query {
            filter: filter(pairs)?,
            sort: dice.pick(&Sort::ALL),
            order: Some(dice.pick(&[Order::Ascending, Order::Descending])),
            limit: None,
            cursor: None,
        });
    }
    Ok(asked)
}

/// Two filters that each hold of very many events, and together of none, or of next to none.
fn that_never_meet(world: &World, dice: &mut Dice) -> Pairs {
    let (one, other) = (&world.families[0], &world.families[1 + dice.index(4)]);
    let agent = world.agents.first().and_then(|agent| agent.id.clone());
    let system = ("actor_kind", "system".to_owned());
    let pairs = [
        [
            ("action", one.actions[0].action.to_string()),
            ("target_kind", other.kinds[0].to_string()),
        ],
        [
            ("category", one.category.to_string()),
            ("action", other.actions[0].action.to_string()),
        ],
        [
            ("action", other.actions[0].action.to_string()),
            ("q", one.object(0).name.unwrap_or_default()),
        ],
        [system, ("via_id", agent.unwrap_or_default())],
    ];
    pairs[dice.index(pairs.len())].to_vec()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::data::end_of_set;
    use std::collections::BTreeSet;

    #[test]
    fn every_filter_of_a_workspace_is_asked_for() {
        let filters = single_filters(&World::new(), end_of_set()).unwrap();
        let names: BTreeSet<_> = filters.iter().flat_map(Filter::names).collect();
        let all = [
            "category",
            "verb",
            "action",
            "outcome",
            "actor",
            "actor_id",
            "actor_kind",
            "via_id",
            "target_kind",
            "target_id",
            "q",
            "operation",
            "since",
            "until",
            "range",
        ];
        assert_eq!(names, all.into_iter().collect());
    }

    #[test]
    fn every_order_is_another_question() {
        let queries = in_every_order(&Filter::default());
        let texts: BTreeSet<_> = queries.iter().map(Query::query_string).collect();
        assert_eq!((queries.len(), texts.len()), (8, 8));
    }

    #[test]
    fn combined_questions_have_two_or_three_filters_of_every_kind() {
        let world = World::new();
        let asked = combined(&world, end_of_set(), 1, 1_000).unwrap();
        let names: BTreeSet<_> = asked
            .iter()
            .flat_map(|query| query.filter.names())
            .collect();
        assert_eq!(names.len(), 14, "{names:?}");
        for query in &asked {
            assert!((2..=3).contains(&query.filter.names().len()), "{query:?}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_everyday_questions_and_they_differ() {
        let world = World::new();
        let ask = |seed| everyday(&world, end_of_set(), seed, 200).unwrap();
        assert_eq!(ask(1), ask(1));
        let texts: BTreeSet<_> = ask(1).iter().map(Query::query_string).collect();
        assert!(texts.len() > 120, "{}", texts.len());
    }
}

//! What a page must hold, found by looking at every event of the set: so that what is measured is known to be right.

use crate::{data::World, error::BenchError, log::LARGE, recording::Sets};
use domain::{
    catalogue::Catalogue,
    category::Category,
    event::{Action, Actor, Event, Outcome, Target},
    question::{Filter, Order, Query, Sort, Span},
    time::Timestamp,
    verb::Verb,
};
use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

/// No value: an event has no operation, no related object, nobody carried it out.
const NONE: u32 = u32::MAX;

/// Values, each with a number.
struct Numbered<T> {
    list: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    fn new() -> Self {
        Self {
            list: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    fn number(&mut self, value: &T) -> u32 {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(NONE);
        self.list.push(value.clone());
        self.numbers.insert(value.clone(), number);
        number
    }

    /// For each value, whether something holds of it.
    fn of_which(&self, holds: impl Fn(&T) -> bool) -> Vec<bool> {
        self.list.iter().map(holds).collect()
    }

    /// For each value, the place of its text among all texts.
    fn ranks(&self, text: impl Fn(&T) -> String) -> Vec<u32> {
        let texts: Vec<String> = self.list.iter().map(text).collect();
        let mut sorted: Vec<&String> = texts.iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let rank = |text: &String| sorted.partition_point(|other| *other < text);
        texts
            .iter()
            .map(|text| u32::try_from(rank(text)).unwrap_or(NONE))
            .collect()
    }
}

/// An event, in numbers.
#[derive(Clone, Copy)]
struct Row {
    at: i64,
    /// Which of the set's events it is; none of the log's own.
    key: u32,
    actor: u32,
    via: u32,
    action: u32,
    target: u32,
    related: u32,
    operation: u32,
    outcome: Outcome,
}

/// All events of the large workspace.
pub struct BruteForce {
    catalogue: Catalogue,
    actors: Numbered<Actor>,
    actions: Numbered<Action>,
    targets: Numbered<Target>,
    operations: Numbered<String>,
    rows: Vec<Row>,
    /// The places of texts, by actor, action, and target (its kind's).
    ranks: [Vec<u32>; 3],
}

/// What a filter asks of each value.
struct Holding {
    own_actor: Vec<bool>,
    anyone: Option<Vec<bool>>,
    via: Option<Vec<bool>>,
    action: Vec<bool>,
    action_found: Vec<bool>,
    object: Option<Vec<bool>>,
    object_found: Option<Vec<bool>>,
    operation: Option<u32>,
}

fn is_one<T: PartialEq>(wanted: &[T], value: &T) -> bool {
    wanted.is_empty() || wanted.contains(value)
}

fn has(list: &[bool], number: u32) -> bool {
    list.get(number as usize).copied().unwrap_or(false)
}

impl BruteForce {
    /// Of a set, with what the log records of itself: the events that have no key.
    pub fn new(sets: &Sets, world: &World, own: &[Event]) -> Self {
        let mut all = Self {
            catalogue: Catalogue::default(),
            actors: Numbered::new(),
            actions: Numbered::new(),
            targets: Numbered::new(),
            operations: Numbered::new(),
            rows: Vec::new(),
            ranks: Default::default(),
        };
        let mut key = 0;
        for (place, batch) in sets.batches(world, sets.events()) {
            for event in batch {
                if place == LARGE {
                    let at = event.occurred_at.map_or(0, Timestamp::micros);
                    let row = Row {
                        at,
                        key,
                        actor: all.actors.number(&event.actor),
                        via: first(&mut all.actors, &event.via),
                        action: all.actions.number(&event.action),
                        target: all.targets.number(&event.target),
                        related: first(&mut all.targets, &event.related),
                        operation: first(&mut all.operations, event.operation.as_slice()),
                        outcome: event.outcome,
                    };
                    all.rows.push(row);
                }
                key += 1;
            }
        }
        for event in own {
            let row = Row {
                at: event.occurred_at.micros(),
                key: NONE,
                actor: all.actors.number(&event.actor.actor),
                via: first(&mut all.actors, &event.via),
                action: all.actions.number(&event.action),
                target: all.targets.number(&event.target),
                related: first(&mut all.targets, &event.related),
                operation: first(&mut all.operations, event.operation.as_slice()),
                outcome: event.outcome,
            };
            all.rows.push(row);
        }
        all.ranks = [
            all.actors.ranks(|actor| actor.sort_name().to_lowercase()),
            all.actions.ranks(|action| action.as_str().to_lowercase()),
            all.targets
                .ranks(|target| target.kind.as_str().to_lowercase()),
        ];
        all
    }

    fn reading(&self, action: &Action) -> (Verb, Category, String) {
        let reading = self.catalogue.reading(action.as_str());
        (reading.verb, reading.category, reading.label.to_lowercase())
    }

    fn holding(&self, filter: &Filter) -> Holding {
        let text = |text: &Option<String>| text.as_deref().map(str::to_lowercase);
        let (person, q) = (text(&filter.actor), text(&filter.q));
        let is_id = |wanted: &[String], id: &Option<String>| match id {
            _ if wanted.is_empty() => true,
            None => false,
            Some(id) => wanted.contains(id),
        };
        let asks_objects = !filter.target_kind.is_empty() || !filter.target_id.is_empty();
        let operation = |operation: &String| {
            let numbers = &self.operations.numbers;
            // One that nothing belongs to is no event's, not even of those without one.
            numbers.get(operation).copied().unwrap_or(NONE - 1)
        };
        Holding {
            own_actor: self.actors.of_which(|actor| {
                is_id(&filter.actor_id, &actor.id) && is_one(&filter.actor_kind, &actor.kind)
            }),
            anyone: person.map(|wanted| self.actors.of_which(|actor| actor.is_found_by(&wanted))),
            via: (!filter.via_id.is_empty()).then(|| {
                self.actors
                    .of_which(|actor| is_id(&filter.via_id, &actor.id))
            }),
            action: self.actions.of_which(|action| {
                let (verb, category, _) = self.reading(action);
                is_one(&filter.verb, &verb)
                    && is_one(&filter.category, &category)
                    && is_one(&filter.action, action)
            }),
            action_found: self.actions.of_which(|action| {
                q.as_deref().is_none_or(|wanted| {
                    let name = action.as_str().to_lowercase();
                    name.contains(wanted) || self.reading(action).2.contains(wanted)
                })
            }),
            object: asks_objects.then(|| {
                self.targets.of_which(|object| {
                    is_one(&filter.target_kind, &object.kind)
                        && is_id(&filter.target_id, &object.id)
                })
            }),
            object_found: q
                .as_deref()
                .map(|wanted| self.targets.of_which(|object| object.is_found_by(wanted))),
            operation: filter.operation.as_ref().map(operation),
        }
    }

    /// The events that match.
    fn matching(&self, filter: &Filter, span: Span) -> Vec<&Row> {
        let holding = self.holding(filter);
        let objects = |list: &Option<Vec<bool>>, row: &Row| {
            list.as_ref()
                .is_none_or(|list| has(list, row.target) || has(list, row.related))
        };
        let matches = |row: &&Row| {
            has(&holding.own_actor, row.actor)
                && has(&holding.action, row.action)
                && is_one(&filter.outcome, &row.outcome)
                && holding
                    .anyone
                    .as_ref()
                    .is_none_or(|list| has(list, row.actor) || has(list, row.via))
                && holding.via.as_ref().is_none_or(|list| has(list, row.via))
                && objects(&holding.object, row)
                && (objects(&holding.object_found, row) || has(&holding.action_found, row.action))
                && holding
                    .operation
                    .is_none_or(|wanted| wanted == row.operation)
                && span.holds(Timestamp::from_micros(row.at))
        };
        self.rows.iter().filter(matches).collect()
    }

    /// Compares the pages of an answer, each with how many events come before it, with what they must be.
    ///
    /// # Errors
    ///
    /// One of them holds other events, or in another order.
    pub fn check(
        &self,
        query: &Query,
        span: Span,
        pages: &[(usize, Vec<Event>)],
    ) -> Result<(), BenchError> {
        let place = |row: &Row| {
            let [actors, actions, kinds] = &self.ranks;
            let rank = match query.sort {
                Sort::Time => None,
                Sort::Actor => actors.get(row.actor as usize),
                Sort::Action => actions.get(row.action as usize),
                Sort::TargetKind => kinds.get(row.target as usize),
            };
            let rank = rank.copied().unwrap_or(0);
            match query.direction() {
                Order::Ascending => (i64::from(rank), row.at),
                // Turned round.
                Order::Descending => (-i64::from(rank), -row.at),
            }
        };
        let mut expected: Vec<((i64, i64), u32)> = self
            .matching(&query.filter, span)
            .into_iter()
            .map(|row| (place(row), row.key))
            .collect();
        let wrong = |what: String| {
            let question = query.from_start().query_string();
            Err(BenchError::Unfit(format!("{question}: {what}")))
        };
        for (offset, events) in pages {
            let left = expected.len().saturating_sub(*offset);
            let wanted = left.min(query.page_size());
            if events.len() != wanted {
                return wrong(format!(
                    "the page after {offset} has {} events, and should have {wanted}",
                    events.len()
                ));
            }
            if wanted == 0 {
                continue;
            }
            // What comes before the page, the page, and the rest, each in whatever order.
            if *offset > 0 {
                expected.select_nth_unstable(*offset);
            }
            let after = &mut expected[*offset..];
            if wanted < after.len() {
                after.select_nth_unstable(wanted - 1);
            }
            let page = &mut after[..wanted];
            page.sort_unstable();
            let page = page.to_vec();
            let (Some((begin, _)), Some((end, _))) = (page.first(), page.last()) else {
                continue;
            };
            // Of the same moment and text, any may come first.
            let might = expected
                .iter()
                .filter(|(place, _)| begin <= place && place <= end);
            let might: HashSet<u32> = might.map(|(_, key)| *key).collect();
            let mut seen = HashSet::new();
            for (event, (place_wanted, _)) in events.iter().zip(page.iter()) {
                let key = event.idempotency_key.as_deref().and_then(number_in_key);
                let row = match key {
                    Some(key) => self.rows.binary_search_by_key(&key, |row| row.key),
                    None => self
                        .rows
                        .iter()
                        .position(|row| row.key == NONE && row.at == event.occurred_at.micros())
                        .ok_or(0),
                };
                let Some(row) = row.ok().and_then(|at| self.rows.get(at)) else {
                    return wrong(format!("{} is not in the set", event.id));
                };
                let is_right = place(row) == *place_wanted && might.contains(&row.key);
                if !is_right || !seen.insert(event.id) {
                    return wrong(format!("{} is not where it should be", event.id));
                }
            }
        }
        Ok(())
    }
}

/// The number of an event of the set.
fn number_in_key(key: &str) -> Option<u32> {
    key.rsplit('-').next()?.parse().ok()
}

fn first<T: Clone + Eq + Hash>(numbered: &mut Numbered<T>, list: &[T]) -> u32 {
    list.first().map_or(NONE, |value| numbered.number(value))
}

//! What completes what somebody types in a filter: who acted, what was acted on, and of which kinds, those
//! with the most entries first, and only what exists in the log.
//!
//! What a text is a part of is found in memory, and counted as the index has it. Of very many, as a letter or two
//! give, only those are counted that were used most as far as the plan knows, which may be a little behind.

use super::{
    choices::{actors_of_object, list},
    dictionaries::damaged,
    snapshot::{Shelf, Snapshot},
    tail::Column,
};
use crate::{
    StoreError,
    database::{self, Connection, Dialect},
    dictionary::{Dictionary, Number},
    plan::Numbers,
    question::{ActorChoice, ObjectChoice},
};
use domain::event::{ActorKind, TargetKind};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// Of all names that a text is a part of, so many are counted: those that were used most,
const USED_MOST: usize = 5_000;
/// and so many that came up last: how much those are used may not be known yet.
const NEWEST: usize = 500;
/// An object may have been named in more ways than this: it is counted by so many, the newest.
const WAYS_MOST: usize = 1_000;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    Actors,
    Kinds,
    Targets,
}

impl Snapshot {
    /// Who acted, where `text` is a part of their name or e-mail, at most so many, those with the most entries
    /// first. In the log of one object, who did something to it.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn complete_actors(
        &mut self,
        text: &str,
        most: usize,
    ) -> Result<Vec<ActorChoice>, StoreError> {
        // What somebody did themselves tells of nobody else.
        if self.scope.myself().is_some() {
            return Ok(Vec::new());
        }
        let text = text.to_lowercase();
        let mut found: BTreeMap<(ActorKind, Option<String>), ActorChoice> = BTreeMap::new();
        for shelf in &self.shelves {
            let connection = self.transaction.connection();
            let of_object = {
                let texts = shelf.texts.read();
                let subject = self.scope.subject();
                subject.map(|subject| texts.targets_of(subject))
            };
            let counts = match &of_object {
                Some(targets) => actors_of_object(connection, shelf, targets).await?,
                None => {
                    let ways = {
                        let texts = shelf.texts.read();
                        let found = worth_counting(
                            shelf,
                            (Counted::Actors, &shelf.counts.own_actor),
                            &texts,
                            texts.actors_with(&text),
                        );
                        found
                            .into_iter()
                            .flat_map(|number| texts.same_actors(number))
                            .collect()
                    };
                    counts_of(connection, shelf, Counted::Actors, &ways).await?
                }
            };
            let texts = shelf.texts.read();
            let mut of_shelf: BTreeMap<_, ActorChoice> = BTreeMap::new();
            let mut is_found = BTreeSet::new();
            for (number, events) in counts {
                let Some(actor) = texts.actor(number) else {
                    continue;
                };
                let key = (actor.kind, actor.id.clone());
                if actor.is_found_by(&text) {
                    is_found.insert(key.clone());
                }
                let choice = of_shelf.entry(key).or_insert_with(|| ActorChoice {
                    kind: actor.kind,
                    id: actor.id.clone(),
                    name: String::new(),
                    email: None,
                    events: 0,
                });
                // Numbers rise: what they are called now is what they were called last.
                actor.sort_name().clone_into(&mut choice.name);
                choice.email.clone_from(&actor.email);
                choice.events += events;
            }
            of_shelf.retain(|key, _| is_found.contains(key));
            for (key, choice) in of_shelf {
                match found.get_mut(&key) {
                    Some(known) => known.events += choice.events,
                    None => {
                        found.insert(key, choice);
                    }
                }
            }
        }
        Ok(first(found.into_values(), most, |choice| choice.events))
    }

    /// What was acted on, or concerned, where `text` is a part of its id or name, at most so many, those with the
    /// most entries first. None in the log of one object, and of what somebody did themselves.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn complete_objects(
        &mut self,
        text: &str,
        most: usize,
    ) -> Result<Vec<ObjectChoice>, StoreError> {
        if self.scope.subject().is_some() || self.scope.myself().is_some() {
            return Ok(Vec::new());
        }
        let text = text.to_lowercase();
        let mut found: BTreeMap<(TargetKind, String), ObjectChoice> = BTreeMap::new();
        for shelf in &self.shelves {
            let ways = {
                let texts = shelf.texts.read();
                let found = worth_counting(
                    shelf,
                    (Counted::Targets, &shelf.counts.target),
                    &texts,
                    texts.targets_with_text(&text),
                );
                let objects: BTreeSet<Number> = found
                    .into_iter()
                    .filter_map(|number| texts.object(number))
                    .collect();
                let ways = objects
                    .into_iter()
                    .flat_map(|object| texts.ways_to_name(object).rev().take(WAYS_MOST));
                ways.collect()
            };
            let connection = self.transaction.connection();
            let counts = counts_of(connection, shelf, Counted::Targets, &ways).await?;
            let texts = shelf.texts.read();
            for (number, entries) in counts {
                let Some(target) = texts.target(number) else {
                    continue;
                };
                let Some(id) = &target.id else { continue };
                let key = (target.kind.clone(), id.clone());
                let choice = found.entry(key).or_insert_with(|| ObjectChoice {
                    kind: target.kind.clone(),
                    id: id.clone(),
                    name: None,
                    entries: 0,
                });
                if target.name.is_some() {
                    choice.name.clone_from(&target.name);
                }
                choice.entries += entries;
            }
        }
        Ok(first(found.into_values(), most, |choice| choice.entries))
    }

    /// Kinds of objects, where `text` is a part of the name, at most so many, those with the most entries first.
    /// Of what somebody did themselves only which they are is known.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn complete_kinds(
        &mut self,
        text: &str,
        most: usize,
    ) -> Result<Vec<TargetKind>, StoreError> {
        let text = text.to_lowercase();
        let offered = self.choices().await?.offered;
        let holds = |kind: &&TargetKind| kind.as_str().to_lowercase().contains(&text);
        let kinds: Vec<TargetKind> = offered.kinds.iter().filter(holds).cloned().collect();
        let mut used: HashMap<TargetKind, u64> = HashMap::new();
        if self.scope.subject().is_none() && self.scope.myself().is_none() {
            for shelf in &self.shelves {
                let numbers = shelf.texts.read().kinds_named(&kinds);
                let connection = self.transaction.connection();
                let counts = counts_of(connection, shelf, Counted::Kinds, &numbers).await?;
                let texts = shelf.texts.read();
                for (number, entries) in counts {
                    if let Some(kind) = texts.kind(number) {
                        *used.entry(kind.clone()).or_default() += entries;
                    }
                }
            }
        }
        let entries = |kind: &TargetKind| used.get(kind).copied().unwrap_or_default();
        Ok(first(kinds.into_iter(), most, entries))
    }
}

/// The first so many, those with the most entries before the others; of as many they stay as they are.
fn first<T>(all: impl Iterator<Item = T>, most: usize, entries: impl Fn(&T) -> u64) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by_key(|one| Reverse(entries(one)));
    all.truncate(most);
    all
}

/// Of the names that were found, those that are worth counting, by what is known of them.
fn worth_counting(
    shelf: &Shelf,
    (counted, known): (Counted, &[u64]),
    texts: &Dictionary,
    found: Vec<Number>,
) -> Vec<Number> {
    if found.len() <= USED_MOST + NEWEST {
        return found;
    }
    let tail = tail_counts(shelf, counted, texts);
    used_most(found, (USED_MOST, NEWEST), |number| {
        let known = known.get(number as usize).copied().unwrap_or_default();
        known + tail.get(&number).copied().unwrap_or_default()
    })
}

/// Of numbers, ascending, those with the most entries and the last ones, so many of each.
fn used_most(
    mut found: Vec<Number>,
    (most, newest): (usize, usize),
    entries: impl Fn(Number) -> u64,
) -> Vec<Number> {
    if found.len() <= most + newest {
        return found;
    }
    let mut kept = found.split_off(found.len() - newest);
    found.select_nth_unstable_by_key(most, |number| Reverse(entries(*number)));
    found.truncate(most);
    kept.extend(found);
    kept
}

/// How many entries each of the numbers has, in their order; those that have none are left out.
async fn counts_of(
    connection: &mut Connection,
    shelf: &Shelf,
    counted: Counted,
    numbers: &Numbers,
) -> Result<BTreeMap<Number, u64>, StoreError> {
    if numbers.is_empty() {
        return Ok(BTreeMap::new());
    }
    let log = shelf.log;
    let mut counts: BTreeMap<Number, u64> = match connection.dialect() {
        Dialect::Sqlite => {
            // One row, because a row for each takes longer to hand over than to find.
            let counts: String = database::query_scalar(match counted {
                Counted::Actors => {
                    "SELECT json_group_array(json_array(key, events)) FROM i.count_actor \
                     WHERE ws = ?1 AND events > 0 AND key IN (SELECT value FROM json_each(?2))"
                }
                Counted::Kinds => {
                    "SELECT json_group_array(json_array(key, entries)) FROM i.count_kind \
                     WHERE ws = ?1 AND entries > 0 AND key IN (SELECT value FROM json_each(?2))"
                }
                Counted::Targets => {
                    "SELECT json_group_array(json_array(key, entries)) FROM i.count_target \
                     WHERE ws = ?1 AND entries > 0 AND key IN (SELECT value FROM json_each(?2))"
                }
            })
            .bind(log.ws)
            .bind(list(numbers))
            .fetch_one(connection)
            .await?;
            let counts: Vec<(Number, u64)> =
                serde_json::from_str(&counts).map_err(|_| damaged("a count is broken"))?;
            counts.into_iter().collect()
        }
        Dialect::Postgres => {
            let counts: Vec<(Number, u64)> = database::query_as(match counted {
                Counted::Actors => {
                    "SELECT key, events FROM count_actor \
                     WHERE tenant = ? AND ws = ? AND events > 0 AND key = ANY(?)"
                }
                Counted::Kinds => {
                    "SELECT key, entries FROM count_kind \
                     WHERE tenant = ? AND ws = ? AND entries > 0 AND key = ANY(?)"
                }
                Counted::Targets => {
                    "SELECT key, entries FROM count_target \
                     WHERE tenant = ? AND ws = ? AND entries > 0 AND key = ANY(?)"
                }
            })
            .bind(log.tenant)
            .bind(log.ws)
            .bind(list(numbers))
            .fetch_all(connection)
            .await?;
            counts.into_iter().collect()
        }
    };
    if !shelf.tail.is_empty() {
        for (number, entries) in tail_counts(shelf, counted, &shelf.texts.read()) {
            if numbers.has(number) {
                *counts.entry(number).or_default() += entries;
            }
        }
    }
    Ok(counts)
}

/// The same of what the index does not have yet.
fn tail_counts(shelf: &Shelf, counted: Counted, texts: &Dictionary) -> HashMap<Number, u64> {
    let column = match counted {
        Counted::Actors => return shelf.tail.counts(Column::Actor),
        Counted::Kinds => Column::Kind,
        Counted::Targets => Column::Target,
    };
    let mut counts = shelf.tail.counts(column);
    for (set, entries) in shelf.tail.counts(Column::Related) {
        for target in texts.related_numbers(set) {
            let number = match counted {
                Counted::Kinds => texts
                    .target(*target)
                    .and_then(|target| texts.kind_number(&target.kind)),
                Counted::Actors | Counted::Targets => Some(*target),
            };
            if let Some(number) = number {
                *counts.entry(number).or_default() += entries;
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::used_most;

    #[test]
    fn of_very_many_the_most_used_and_the_newest_are_counted() {
        let entries = |number: u32| if number.is_multiple_of(100) { 9 } else { 1 };
        let mut kept = used_most((1..=1_000).collect(), (5, 3), entries);
        kept.sort_unstable();
        let (used, newest) = kept.split_at(5);
        assert!(
            used.iter().all(|number| number.is_multiple_of(100)),
            "{used:?}"
        );
        assert_eq!(newest, [998, 999, 1_000]);
        let few = used_most(vec![3, 1, 2], (2, 1), entries);
        assert_eq!(few, [3, 1, 2]);
    }
}

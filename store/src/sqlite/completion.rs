//! What completes what somebody types in a filter: who acted, what was acted on, and of which kinds, those
//! with the most entries first, and only what exists in the log.
//!
//! What a text is a part of is found in memory, and counted as the index has it. Of very many, as a letter or two
//! give, only those are counted that were used most as far as the plan knows, which may be a little behind. In the
//! log of one object its newest entries tell who acted. So whatever is in the log, a letter costs no more than it
//! takes to look for it in memory, and to count so many.

use super::{
    choices::list,
    dictionaries::damaged,
    object::actors_of_object,
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
use domain::event::{Actor, TargetKind};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// Of all names that a text is a part of, so many are counted: those that were used most,
const USED_MOST: usize = 5_000;
/// and so many that came up last: how much those are used may not be known yet.
const NEWEST: usize = 500;
/// Somebody, or an object, may have been named in more ways than this: they are counted by so many, the newest.
const WAYS_MOST: usize = 1_000;
/// And all that were found together by so many, of which each has at least a few.
const WAYS_IN_ALL: usize = 20_000;

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
        let mut found: BTreeMap<Actor, ActorChoice> = BTreeMap::new();
        for shelf in &self.shelves {
            let connection = self.transaction.connection();
            let (counts, is_exact) = match self.scope.subject() {
                Some(subject) => {
                    let counted = actors_of_object(connection, shelf, subject, self.head);
                    let (counts, is_exact) = counted.await?;
                    (found_by(&text, counts, &shelf.texts.read()), is_exact)
                }
                None => {
                    let ways = {
                        let texts = shelf.texts.read();
                        let found = worth_counting(
                            shelf,
                            (Counted::Actors, &shelf.counts.own_actor),
                            &texts,
                            texts.actors_with(&text),
                        );
                        texts.ways_to_name_actors(&found, WAYS_MOST + 1)
                    };
                    let (ways, is_exact) = together(ways, WAYS_MOST, WAYS_IN_ALL);
                    let counts = counts_of(connection, shelf, Counted::Actors, &ways).await?;
                    (counts, is_exact)
                }
            };
            let texts = shelf.texts.read();
            let mut of_shelf: BTreeMap<Actor, ActorChoice> = BTreeMap::new();
            for (number, events) in counts {
                let Some(actor) = texts.actor(number) else {
                    continue;
                };
                let choice = of_shelf.entry(who(actor)).or_insert_with(|| ActorChoice {
                    kind: actor.kind,
                    id: actor.id.clone(),
                    name: String::new(),
                    email: None,
                    events: 0,
                    is_exact,
                });
                // Numbers rise: what they are called now is what they were called last.
                actor.sort_name().clone_into(&mut choice.name);
                choice.email.clone_from(&actor.email);
                choice.events += events;
            }
            for (who, choice) in of_shelf {
                match found.get_mut(&who) {
                    Some(known) => {
                        known.events += choice.events;
                        known.is_exact &= choice.is_exact;
                    }
                    None => {
                        found.insert(who, choice);
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
                texts.ways_to_name_objects(&found, WAYS_MOST + 1)
            };
            let (ways, _) = together(ways, WAYS_MOST, WAYS_IN_ALL);
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

/// Who somebody is, whatever they are called; of who has no id, what they are called is all that tells.
fn who(actor: &Actor) -> Actor {
    let is_told = actor.id.is_none();
    Actor {
        kind: actor.kind,
        id: actor.id.clone(),
        name: actor.name.clone().filter(|_| is_told),
        email: actor.email.clone().filter(|_| is_told),
    }
}

/// Of actors those whom `text` (lowercase) finds, in any of the ways in which they were named; an empty one all.
fn found_by(
    text: &str,
    mut counts: BTreeMap<Number, u64>,
    texts: &Dictionary,
) -> BTreeMap<Number, u64> {
    if text.is_empty() {
        return counts;
    }
    let actors = counts.keys().filter_map(|number| texts.actor(*number));
    let found = actors.filter(|actor| actor.is_found_by(text)).map(who);
    let found: BTreeSet<Actor> = found.collect();
    counts.retain(|number, _| {
        let actor = texts.actor(*number);
        actor.is_some_and(|actor| found.contains(&who(actor)))
    });
    counts
}

/// The first numbers of each list, so many of each and so many in all, and whether those are all. Where they are too
/// many in all, the longest lists give way first.
fn together(mut lists: Vec<Vec<Number>>, of_each: usize, in_all: usize) -> (Numbers, bool) {
    lists.sort_by_key(Vec::len);
    let mut is_all = true;
    let (mut left, mut lists_left) = (in_all, lists.len());
    for list in &mut lists {
        let share = of_each.min(left / lists_left.max(1));
        is_all &= list.len() <= share;
        list.truncate(share);
        left -= list.len();
        lists_left -= 1;
    }
    (lists.into_iter().flatten().collect(), is_all)
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
    use super::{together, used_most};

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

    #[test]
    fn of_ways_in_which_many_were_named_only_so_many_are_counted_the_newest_of_each() {
        let lists = || vec![vec![9, 8, 7, 6, 5, 4], vec![20], vec![33, 32, 31]];
        let numbers = |of_each, in_all| {
            let (numbers, is_all) = together(lists(), of_each, in_all);
            (numbers.list().to_vec(), is_all)
        };
        let all = vec![4, 5, 6, 7, 8, 9, 20, 31, 32, 33];
        assert_eq!(numbers(6, 10), (all, true));
        assert_eq!(numbers(6, 7), (vec![7, 8, 9, 20, 31, 32, 33], false));
        assert_eq!(numbers(2, 10), (vec![8, 9, 20, 32, 33], false));
        assert_eq!(numbers(6, 3), (vec![9, 20, 33], false));
        let (none, is_all) = together(Vec::new(), 6, 3);
        assert!(none.is_empty() && is_all);
    }
}

//! One log's part of a chunk: its events in the order of time and, from the first question on that wants them so,
//! by the numbers that they have.

use super::Row;
use crate::{
    dictionary::Number,
    plan::{Conditions, Numbers, Object},
};
use std::{ops::Deref, sync::OnceLock};

/// A part with fewer events is read from one end to the other.
const SMALL: usize = 1 << 12;
/// Where more than one event of so many may match, they are read one after the other too: few of them are read before
/// a page is full.
const OFTEN: usize = 16;

/// What events are found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sqlite) enum Column {
    Actor,
    Via,
    Action,
    Kind,
    Target,
    Related,
}

impl Column {
    const ALL: usize = 6;

    pub(super) fn of(self, row: &Row) -> Option<Number> {
        match self {
            Self::Actor => Some(row.actor),
            Self::Via => row.via,
            Self::Action => Some(row.action),
            Self::Kind => Some(row.kind),
            Self::Target => Some(row.target),
            Self::Related => row.related,
        }
    }

    /// Whether an event has one of these numbers.
    pub(super) fn is_among(self, row: &Row, numbers: &Numbers) -> bool {
        self.of(row).is_some_and(|number| numbers.has(number))
    }
}

/// Ways to find events: one of them has to hold.
pub(in crate::sqlite) type AnyOf<'a> = Vec<(Column, &'a Numbers)>;

/// The conditions that events are found by, each of which has to hold; others are only tested.
pub(super) fn found_by(conditions: &Conditions) -> Vec<AnyOf<'_>> {
    use Column::{Action, Actor, Kind, Related, Target, Via};
    let mut all: Vec<AnyOf<'_>> = Vec::new();
    all.extend(conditions.actor.iter().map(|actors| vec![(Actor, actors)]));
    let anyone = conditions.anyone.iter();
    all.extend(anyone.map(|(actors, vias)| vec![(Actor, actors), (Via, vias)]));
    all.extend(conditions.via.iter().map(|(_, vias)| vec![(Via, vias)]));
    all.extend(conditions.action.iter().map(|them| vec![(Action, them)]));
    all.extend(conditions.objects.iter().map(|object| match object {
        Object::Kinds { kinds, related, .. } => vec![(Kind, kinds), (Related, related)],
        Object::Targets {
            targets, related, ..
        } => vec![(Target, targets), (Related, related)],
    }));
    all.extend(conditions.search.iter().map(|search| {
        vec![
            (Target, &search.targets),
            (Related, &search.related),
            (Action, &search.actions),
        ]
    }));
    all
}

/// Events by a number that they have: those of each in the order of time.
#[derive(Debug, Default)]
pub(super) struct ByNumber {
    /// Ascending.
    numbers: Box<[Number]>,
    /// Where those of each number end.
    ends: Box<[u32]>,
    events: Box<[u32]>,
}

impl ByNumber {
    fn of(rows: impl Iterator<Item = (u32, Option<Number>)>) -> Self {
        let mut pairs: Vec<(Number, u32)> = rows
            .filter_map(|(event, number)| Some((number?, event)))
            .collect();
        pairs.sort_unstable();
        let (mut numbers, mut ends) = (Vec::new(), Vec::new());
        for chunk in pairs.chunk_by(|one, next| one.0 == next.0) {
            let before = ends.last().copied().unwrap_or(0);
            numbers.push(chunk[0].0);
            ends.push(before + place(chunk.len()));
        }
        Self {
            numbers: numbers.into(),
            ends: ends.into(),
            events: pairs.into_iter().map(|(_, event)| event).collect(),
        }
    }

    fn at(&self, index: usize) -> &[u32] {
        let end = |index: usize| self.ends.get(index).map_or(0, |end| *end as usize);
        let begin = index.checked_sub(1).map_or(0, end);
        self.events.get(begin..end(index)).unwrap_or_default()
    }

    /// The events with a number.
    pub(super) fn with(&self, number: Number) -> &[u32] {
        match self.numbers.binary_search(&number) {
            Ok(index) => self.at(index),
            Err(_) => &[],
        }
    }

    /// The events of each of the numbers that are among these.
    fn among<'a>(&'a self, numbers: &'a Numbers) -> impl Iterator<Item = &'a [u32]> {
        let (few, many) = if numbers.len() <= self.numbers.len() {
            (Some(numbers.list().iter().map(|it| self.with(*it))), None)
        } else {
            let own = self.numbers.iter().enumerate();
            let own = own.filter(|(_, number)| numbers.has(**number));
            (None, Some(own.map(|(index, _)| self.at(index))))
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }

    /// Each number, with how many events have it.
    pub(super) fn counts(&self) -> impl Iterator<Item = (Number, usize)> {
        let numbers = self.numbers.iter().enumerate();
        numbers.map(|(index, number)| (*number, self.at(index).len()))
    }
}

/// Some of a part's events by number: all of them, or those that were found.
pub(super) enum Sorted<'a> {
    All(&'a ByNumber),
    Found(ByNumber),
}

impl Deref for Sorted<'_> {
    type Target = ByNumber;

    fn deref(&self) -> &ByNumber {
        match self {
            Self::All(all) => all,
            Self::Found(found) => found,
        }
    }
}

/// The events of one log in a chunk.
#[derive(Debug)]
pub(super) struct Part {
    rows: Box<[Row]>,
    by_number: [OnceLock<ByNumber>; Column::ALL],
}

impl Part {
    /// Of events in the order of time.
    pub(super) fn of(rows: Vec<Row>) -> Self {
        Self {
            rows: rows.into(),
            by_number: Default::default(),
        }
    }

    /// In the order of time.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn by_number(&self, column: Column) -> &ByNumber {
        self.by_number[column as usize].get_or_init(|| {
            let rows = self.rows.iter().enumerate();
            ByNumber::of(rows.map(|(event, row)| (place(event), column.of(row))))
        })
    }

    /// The events of which one of these ways holds, in the order of time; none where they are read more quickly one
    /// after the other.
    pub(super) fn any_of(&self, ways: &[(Column, &Numbers)]) -> Option<Vec<u32>> {
        if self.rows.len() < SMALL {
            return None;
        }
        let lists = || {
            let ways = ways.iter().filter(|(_, numbers)| !numbers.is_empty());
            ways.flat_map(|(column, numbers)| self.by_number(*column).among(numbers))
        };
        let mut found = 0;
        for list in lists() {
            found += list.len();
            if found > self.rows.len() / OFTEN {
                return None;
            }
        }
        let mut events = Vec::with_capacity(found);
        lists().for_each(|list| events.extend(list));
        events.sort_unstable();
        events.dedup();
        Some(events)
    }

    /// Events among which are all that match, in the order of time; none where they are read more quickly one after
    /// the other.
    pub(super) fn among_which_match(&self, conditions: &Conditions) -> Option<Vec<u32>> {
        let found = found_by(conditions).into_iter();
        let found = found.filter_map(|ways| self.any_of(&ways));
        found.min_by_key(Vec::len)
    }

    /// Events among which are all that match, by one of their numbers.
    pub(super) fn among_which_match_by(
        &self,
        column: Column,
        conditions: &Conditions,
    ) -> Sorted<'_> {
        match self.among_which_match(conditions) {
            None => Sorted::All(self.by_number(column)),
            Some(found) => {
                let rows = found.into_iter().map(|event| {
                    let row = self.rows.get(event as usize);
                    (event, row.and_then(|row| column.of(row)))
                });
                Sorted::Found(ByNumber::of(rows))
            }
        }
    }
}

/// A place in a part, which never has so many events.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

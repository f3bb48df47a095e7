//! Counting the rows of a copy as they are read, for the fingerprints that the tables of counts should have.

use super::{CopyTable, Fingerprint, RowHash};
use crate::{
    days::{OF_HOUR, QUARTER, QUARTERS, Quarter, written},
    dictionary::Number,
};
use rusqlite::{Row, types::ValueRef};
use siphasher::sip::SipHasher24;
use std::collections::HashMap;

/// A table with counts of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Outcome,
    Day,
    Actor,
    Via,
    Action,
    Pair,
    ActionKind,
    Target,
    Kind,
}

impl Count {
    /// Reads what is counted; of what is not there any more a count may be left, which is none.
    pub(super) const fn all(self) -> &'static str {
        match self {
            Self::Outcome => "SELECT ws, key, events FROM main.count_outcome WHERE events <> 0",
            Self::Day => "SELECT ws, day, hours, quarters FROM main.count_day",
            Self::Actor => {
                "SELECT ws, key, events, entries FROM main.count_actor WHERE events <> 0 OR entries <> 0"
            }
            Self::Via => "SELECT ws, key, actor, events FROM main.count_via WHERE events <> 0",
            Self::Action => "SELECT ws, key, events FROM main.count_action WHERE events <> 0",
            Self::Pair => "SELECT ws, action, actor, events FROM main.count_pair WHERE events <> 0",
            Self::ActionKind => {
                "SELECT ws, action, kind, events FROM main.count_action_kind WHERE events <> 0"
            }
            Self::Target => {
                "SELECT ws, key, events, entries FROM main.count_target WHERE events <> 0 OR entries <> 0"
            }
            Self::Kind => {
                "SELECT ws, key, events, entries FROM main.count_kind WHERE events <> 0 OR entries <> 0"
            }
        }
    }
}

/// What is counted of a copy, whose rows come in order: a group of them after the other.
#[derive(Debug)]
pub(super) struct Tally {
    copy: CopyTable,
    hash: RowHash,
    should: Vec<(Count, Fingerprint)>,
    /// The group: a workspace, and what its rows stand under, or their day.
    of: Option<(i64, i64)>,
    /// How many rows it has, and those that are there as their own.
    entries: i64,
    events: i64,
    /// How many rows it has of each actor, and of each kind.
    actors: HashMap<i64, i64>,
    kinds: HashMap<i64, i64>,
    /// How many events of each action are in each quarter of the day.
    quarters: HashMap<(Number, u8), u64>,
    /// How many events of a workspace ended how.
    outcomes: HashMap<(i64, i64), i64>,
}

impl Tally {
    /// Of a copy none of whose rows were read.
    pub(super) fn new(copy: CopyTable, key: SipHasher24) -> Self {
        let counts = copy.counts().iter();
        Self {
            copy,
            hash: RowHash::new(key),
            should: counts
                .map(|count| (*count, Fingerprint::default()))
                .collect(),
            of: None,
            entries: 0,
            events: 0,
            actors: HashMap::new(),
            kinds: HashMap::new(),
            quarters: HashMap::new(),
            outcomes: HashMap::new(),
        }
    }

    /// Counts a row, in which what is filtered by begins at a column, and which is its event's own if `own`
    /// is 1.
    pub(super) fn add(&mut self, row: &Row<'_>, filters: usize, own: i64) -> rusqlite::Result<()> {
        if self.should.is_empty() {
            return Ok(());
        }
        let (ws, second): (i64, i64) = (row.get(0)?, row.get(1)?);
        let group = if self.copy == CopyTable::Time {
            (ws, Quarter::of(second).day())
        } else {
            (ws, second)
        };
        if self.of != Some(group) {
            self.end_group();
            self.of = Some(group);
        }
        self.entries += 1;
        self.events += own;
        let [actor, _, action, kind, _, _, outcome] = FILTERS.map(|place| filters + place);
        match self.copy {
            CopyTable::Time => {
                *self.outcomes.entry((ws, row.get(outcome)?)).or_default() += 1;
                let quarter = second.div_euclid(QUARTER).rem_euclid(i64::from(QUARTERS));
                let action = row.get::<_, i64>(action)?.clamp(1, i64::from(Number::MAX));
                let action = Number::try_from(action).unwrap_or(Number::MAX);
                let of = (action, quarter.to_le_bytes()[0]);
                *self.quarters.entry(of).or_default() += 1;
            }
            CopyTable::Actor if own == 0 => {
                *self.actors.entry(row.get(actor)?).or_default() += 1;
            }
            CopyTable::Action => {
                *self.actors.entry(row.get(actor)?).or_default() += 1;
                *self.kinds.entry(row.get(kind)?).or_default() += 1;
            }
            _ => {}
        }
        Ok(())
    }

    /// The fingerprints that the tables of counts should have, after the last row.
    pub(super) fn end(mut self) -> Vec<(Count, Fingerprint)> {
        self.end_group();
        for ((ws, outcome), events) in std::mem::take(&mut self.outcomes) {
            self.count(Count::Outcome, &[ws, outcome, events]);
        }
        self.should
    }

    fn end_group(&mut self) {
        let Some((ws, key)) = self.of else {
            return;
        };
        let entries = std::mem::take(&mut self.entries);
        let events = std::mem::take(&mut self.events);
        match self.copy {
            CopyTable::Time => self.end_day(ws, key),
            CopyTable::Actor => {
                self.count(Count::Actor, &[ws, key, events, entries]);
                self.count_each(Count::Via, (ws, key), |tally| &mut tally.actors);
            }
            CopyTable::Action => {
                self.count(Count::Action, &[ws, key, events]);
                self.count_each(Count::Pair, (ws, key), |tally| &mut tally.actors);
                self.count_each(Count::ActionKind, (ws, key), |tally| &mut tally.kinds);
            }
            CopyTable::Target => self.count(Count::Target, &[ws, key, events, entries]),
            CopyTable::Kind => self.count(Count::Kind, &[ws, key, events, entries]),
            CopyTable::Outcome | CopyTable::Operation | CopyTable::Key => {}
        }
    }

    fn count_each(
        &mut self,
        count: Count,
        (ws, key): (i64, i64),
        of: impl Fn(&mut Self) -> &mut HashMap<i64, i64>,
    ) {
        let mut each = std::mem::take(of(self));
        for (number, events) in each.drain() {
            self.count(count, &[ws, key, number, events]);
        }
        // Its room is kept for the next group.
        *of(self) = each;
    }

    fn count(&mut self, count: Count, columns: &[i64]) {
        let columns = columns.iter().map(|number| ValueRef::Integer(*number));
        let hash = self.hash.row(columns);
        self.counted(count, hash);
    }

    fn end_day(&mut self, ws: i64, day: i64) {
        let mut quarters: Vec<_> = self.quarters.drain().collect();
        quarters.sort_unstable();
        let hours = quarters.chunk_by(|one, other| hour_of(*one) == hour_of(*other));
        let hours = hours.filter_map(|same| {
            let first = same.first()?;
            Some((hour_of(*first), same.iter().map(|(_, events)| events).sum()))
        });
        let hash = self.hash.row([
            ValueRef::Integer(ws),
            ValueRef::Integer(day),
            ValueRef::Blob(&written(hours)),
            ValueRef::Blob(&written(quarters.iter().copied())),
        ]);
        self.counted(Count::Day, hash);
    }

    fn counted(&mut self, count: Count, hash: u64) {
        let should = self.should.iter_mut().find(|(of, _)| *of == count);
        if let Some((_, should)) = should {
            should.add_row(hash);
        }
    }
}

/// The places of what is filtered by.
const FILTERS: [usize; super::FILTERED] = [0, 1, 2, 3, 4, 5, 6];

/// An action, and the hour that a quarter is in.
fn hour_of(((action, quarter), _): ((Number, u8), u64)) -> (Number, u8) {
    (action, quarter / OF_HOUR)
}

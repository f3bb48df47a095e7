//! The tail: what the log holds beyond the index's mark, in memory.
//!
//! It is a cache of what can be read from the log, and nothing else. Who records puts in what was
//! committed, because it has it; what a reader's snapshot holds and the cache does not (another process
//! recorded it, or this one has just opened the log) is read from the log, in that snapshot. So an answer
//! never depends on what the memory was told. A reader takes what lies beyond the mark of its own
//! snapshot of the index, up to the end of its own snapshot of the log: each event stands in one of the
//! two, and in one only, whatever the index takes over meanwhile.
//!
//! Chunks never change: a reader takes hold of them, and keeps nobody waiting.

mod part;

use super::dictionaries::Shared;
use crate::{
    StoreError,
    cursor::Place,
    database::{self, Connection, Row as DatabaseRow},
    dictionary::{Number, Ranked},
    plan::{Conditions, Entry, Numbers},
};
use domain::question::{Order, Sort};
use itertools::{Either, Itertools};
use part::Part;
pub(super) use part::{AnyOf, Column};
use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// No events are kept that are so far beyond the mark: where the index is being made, all are read from the log.
const KEPT_MOST: i64 = 1_000_000;

/// Neighbouring chunks are put together until they have so many events.
const CHUNK: usize = 1 << 14;
/// So many numbers are read from the log at a time.
const READ: i64 = 1 << 14;

/// An event beyond the mark, in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) n: i64,
    /// When it occurred, microseconds.
    pub(super) at: i64,
    pub(super) actor: Number,
    pub(super) via: Option<Number>,
    pub(super) action: Number,
    /// The kind of its target.
    pub(super) kind: Number,
    pub(super) target: Number,
    pub(super) related: Option<Number>,
    pub(super) outcome: u32,
    pub(super) operation: Option<Arc<str>>,
}

impl Row {
    /// Its place in time.
    pub(super) fn place(&self) -> (i64, i64) {
        (self.at, self.n)
    }

    /// What is tested of it.
    fn entry(&self) -> Entry<'_> {
        Entry {
            at: self.at,
            actor: self.actor,
            via: self.via,
            action: self.action,
            kind: self.kind,
            target: self.target,
            related: self.related,
            outcome: self.outcome,
            operation: self.operation.as_deref(),
        }
    }
}

/// All events after one number and up to another, those of each workspace in the order of time.
#[derive(Debug)]
struct Chunk {
    after: i64,
    last: i64,
    events: usize,
    logs: HashMap<i64, Arc<Part>>,
}

impl Chunk {
    /// Of rows with their workspaces, in any order.
    fn of(after: i64, last: i64, rows: Vec<(i64, Row)>) -> Self {
        let events = rows.len();
        let mut logs: HashMap<i64, Vec<Row>> = HashMap::new();
        for (ws, row) in rows {
            logs.entry(ws).or_default().push(row);
        }
        let sorted = |(ws, mut rows): (i64, Vec<Row>)| {
            rows.sort_unstable_by_key(Row::place);
            (ws, Arc::new(Part::of(rows)))
        };
        Self {
            after,
            last,
            events,
            logs: logs.into_iter().map(sorted).collect(),
        }
    }

    /// Two that are neighbours.
    fn together(one: &Self, next: &Self) -> Self {
        let mut logs = one.logs.clone();
        for (ws, part) in &next.logs {
            let Some(own) = logs.get_mut(ws) else {
                logs.insert(*ws, Arc::clone(part));
                continue;
            };
            let both = own
                .rows()
                .iter()
                .merge_by(part.rows(), |a, b| a.place() <= b.place());
            *own = Arc::new(Part::of(both.cloned().collect()));
        }
        Self {
            after: one.after,
            last: next.last,
            events: one.events + next.events,
            logs,
        }
    }
}

/// What is known of the log beyond the index's mark.
#[derive(Debug, Default)]
pub(super) struct Tail {
    known: Mutex<Known>,
    /// One at a time reads what is missing: the others find it then.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// The index has everything up to here.
    mark: i64,
    /// In order, and none overlaps with another; there may be gaps.
    chunks: Vec<Arc<Chunk>>,
}

impl Known {
    fn add(&mut self, chunk: Arc<Chunk>) {
        let mut place = self
            .chunks
            .partition_point(|known| known.after < chunk.after);
        let before = place
            .checked_sub(1)
            .and_then(|before| self.chunks.get(before));
        let is_known = before.is_some_and(|before| before.last > chunk.after)
            || self
                .chunks
                .get(place)
                .is_some_and(|next| next.after < chunk.last);
        let is_too_far = chunk.last - self.mark > KEPT_MOST;
        if is_known || is_too_far || chunk.last <= self.mark {
            return;
        }
        self.chunks.insert(place, chunk);
        while place > 0 && self.put_together(place - 1) {
            place -= 1;
        }
        self.put_together(place);
    }

    /// Makes one of the chunk at a place and the next, where they are neighbours of about the same size;
    /// so each event is copied few times, however small the groups that it comes in.
    fn put_together(&mut self, place: usize) -> bool {
        let Some([one, next]) = self.chunks.get(place..place + 2) else {
            return false;
        };
        if one.last != next.after
            || one.events > 2 * next.events
            || one.events + next.events > CHUNK
        {
            return false;
        }
        let both = Arc::new(Chunk::together(one, next));
        self.chunks.splice(place..place + 2, [both]);
        true
    }

    /// What is known of the events after one number and up to another, and what is not.
    fn between(&self, after: i64, up_to: i64) -> (Vec<Arc<Chunk>>, Vec<(i64, i64)>) {
        let first = self.chunks.partition_point(|chunk| chunk.last <= after);
        let known = self.chunks.iter().skip(first);
        let known: Vec<_> = known
            .take_while(|chunk| chunk.after < up_to)
            .cloned()
            .collect();
        let mut gaps = Vec::new();
        let mut next = after;
        for chunk in &known {
            if next < chunk.after {
                gaps.push((next, chunk.after));
            }
            next = chunk.last;
        }
        if next < up_to {
            gaps.push((next, up_to));
        }
        (known, gaps)
    }
}

impl Tail {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what was committed: all events after one number and up to another, with their workspaces.
    pub(super) fn add(&self, after: i64, last: i64, rows: Vec<(i64, Row)>) {
        let chunk = Arc::new(Chunk::of(after, last, rows));
        self.known().add(chunk);
    }

    /// Lets go of what the index has, which was committed up to `mark`.
    pub(super) fn let_go(&self, mark: i64) {
        let mut known = self.known();
        if mark < known.mark {
            // Another process made the index anew: what was erased meanwhile may be as it was in what was kept.
            known.chunks.clear();
        }
        known.mark = mark;
        let gone = known.chunks.partition_point(|chunk| chunk.last <= mark);
        let gone: Vec<_> = known.chunks.drain(..gone).collect();
        drop(known);
        // Who records does not wait for that.
        drop(gone);
    }

    /// Forgets everything.
    pub(super) fn forget(&self) {
        *self.known() = Known::default();
    }

    /// What a snapshot of the log holds after one number and up to another.
    pub(super) async fn view(
        &self,
        connection: &mut Connection,
        after: i64,
        up_to: i64,
    ) -> Result<View, StoreError> {
        if after >= up_to {
            return Ok(View::default());
        }
        let view = |chunks| View {
            after,
            up_to,
            chunks,
        };
        let (chunks, gaps) = self.known().between(after, up_to);
        if gaps.is_empty() {
            return Ok(view(chunks));
        }
        let _turn = self.reading.lock().await;
        let (mut chunks, gaps) = self.known().between(after, up_to);
        for (mut from, to) in gaps {
            while from < to {
                let end = to.min(from.saturating_add(READ));
                let rows = read(connection, from, end).await?;
                let chunk = Arc::new(Chunk::of(from, end, rows));
                self.known().add(Arc::clone(&chunk));
                chunks.push(chunk);
                from = end;
            }
        }
        Ok(view(chunks))
    }
}

/// The events after number ?1 and up to ?2, as the index takes them over.
const AFTER: &str = "SELECT l.n, l.ws, l.occurred_at, c.actor, c.via, c.action, t.kind, c.target, \
         c.related, c.outcome, c.operation \
     FROM leaf l CROSS JOIN content c ON c.n = l.n \
     LEFT JOIN target t ON t.ws = l.ws AND t.num = c.target WHERE l.n > ?1 AND l.n <= ?2";

async fn read(
    connection: &mut Connection,
    after: i64,
    to: i64,
) -> Result<Vec<(i64, Row)>, StoreError> {
    let rows = database::query(AFTER)
        .bind(after)
        .bind(to)
        .fetch_all(connection)
        .await?;
    // A number that no text has, in a log that somebody altered, is one that nobody asks for.
    let optional = |row: &DatabaseRow, column: usize| -> Result<Option<Number>, StoreError> {
        let number: Option<i64> = row.try_get(column)?;
        Ok(number.map(|number| Number::try_from(number).unwrap_or(0)))
    };
    let number =
        |row: &DatabaseRow, column| Ok::<_, StoreError>(optional(row, column)?.unwrap_or(0));
    let read = |row: &DatabaseRow| {
        let operation: Option<String> = row.try_get(10)?;
        let read = Row {
            n: row.try_get(0)?,
            at: row.try_get(2)?,
            actor: number(row, 3)?,
            via: optional(row, 4)?,
            action: number(row, 5)?,
            kind: number(row, 6)?,
            target: number(row, 7)?,
            related: optional(row, 8)?,
            outcome: number(row, 9)?,
            operation: operation.map(Arc::from),
        };
        Ok((row.try_get(1)?, read))
    };
    rows.iter().map(read).collect()
}

/// What a snapshot holds beyond the index's mark.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    after: i64,
    up_to: i64,
    chunks: Vec<Arc<Chunk>>,
}

impl View {
    /// A workspace's part of it, or that of a tenant's own events.
    pub(super) fn of(&self, ws: i64) -> LogTail {
        let runs = self.chunks.iter().filter_map(|chunk| {
            let run = Run {
                is_whole: self.after <= chunk.after && chunk.last <= self.up_to,
                part: Arc::clone(chunk.logs.get(&ws)?),
            };
            Some(run)
        });
        LogTail {
            after: self.after,
            up_to: self.up_to,
            runs: runs.collect(),
        }
    }
}

/// What a snapshot holds of one log beyond the index's mark.
#[derive(Clone, Debug, Default)]
pub(super) struct LogTail {
    after: i64,
    up_to: i64,
    runs: Arc<[Run]>,
}

/// Events in the order of time.
#[derive(Debug)]
struct Run {
    /// Whether all of them are in the snapshot and beyond the mark.
    is_whole: bool,
    part: Arc<Part>,
}

impl Run {
    fn rows(&self) -> &[Row] {
        self.part.rows()
    }

    /// The events at these places, in their order.
    fn at(&self, events: impl IntoIterator<Item = u32>) -> impl Iterator<Item = &Row> {
        let rows = self.rows();
        events
            .into_iter()
            .filter_map(|event| rows.get(event as usize))
    }
}

/// What is looked for in the order of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct InOrder {
    pub(super) direction: Order,
    /// Strictly after this place, in that direction.
    pub(super) after: Option<(i64, i64)>,
    /// Up to this number.
    pub(super) up_to: i64,
}

impl LogTail {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many events there are.
    pub(super) fn len(&self) -> u64 {
        let of_run = |run: &Run| {
            if run.is_whole {
                run.rows().len()
            } else {
                run.rows().iter().filter(|row| self.has(row)).count()
            }
        };
        self.runs.iter().map(of_run).sum::<usize>() as u64
    }

    fn has(&self, row: &Row) -> bool {
        self.after < row.n && row.n <= self.up_to
    }

    /// Those that match, in no order.
    pub(super) fn matching<'a>(
        &'a self,
        conditions: &'a Conditions,
        up_to: i64,
    ) -> impl Iterator<Item = &'a Row> {
        let found = |run: &'a Run| match run.part.among_which_match(conditions) {
            Some(found) => Either::Left(run.at(found)),
            None => Either::Right(run.rows().iter()),
        };
        let rows = self.runs.iter().flat_map(found);
        rows.filter(move |row| self.has(row) && row.n <= up_to && conditions.hold_of(&row.entry()))
    }

    /// Those of which one of these ways holds, in no order.
    pub(super) fn any_of(&self, ways: &AnyOf<'_>, up_to: i64) -> impl Iterator<Item = &Row> {
        let found = |run| {
            let run: &Run = run;
            match run.part.any_of(ways) {
                Some(found) => Either::Left(run.at(found)),
                None => {
                    let is_one = |row: &&Row| {
                        let mut ways = ways.iter();
                        ways.any(|(column, numbers)| column.is_among(row, numbers))
                    };
                    Either::Right(run.rows().iter().filter(is_one))
                }
            }
        };
        let rows = self.runs.iter().flat_map(found);
        rows.filter(move |row| self.has(row) && row.n <= up_to)
    }

    /// Each number that events have in a column, and how many of them do.
    pub(super) fn counts(&self, column: Column) -> HashMap<Number, u64> {
        let mut counts = HashMap::new();
        for run in &*self.runs {
            if run.is_whole {
                for (number, events) in run.part.by_number(column).counts() {
                    *counts.entry(number).or_default() += events as u64;
                }
            } else {
                let rows = run.rows().iter().filter(|row| self.has(row));
                for number in rows.filter_map(|row| column.of(row)) {
                    *counts.entry(number).or_default() += 1;
                }
            }
        }
        counts
    }

    /// Those that match, in the order of time.
    pub(super) fn in_order<'a>(
        &'a self,
        InOrder {
            direction,
            after,
            up_to,
        }: InOrder,
        conditions: &'a Conditions,
    ) -> impl Iterator<Item = &'a Row> {
        let is_wanted = move |row: &&'a Row| {
            self.has(row) && row.n <= up_to && conditions.hold_of(&row.entry())
        };
        // Tested before they are merged: of what is rare, little is left to merge.
        let runs = self.runs.iter().map(move |run| {
            let rows: Box<dyn Iterator<Item = &'a Row> + Send + 'a> =
                match run.part.among_which_match(conditions) {
                    Some(found) => {
                        let of = |event: &u32| run.at([*event]).next().map(Row::place);
                        let found = found[ahead(&found, direction, after, of)].to_vec();
                        match direction {
                            Order::Ascending => Box::new(run.at(found)),
                            Order::Descending => Box::new(run.at(found.into_iter().rev())),
                        }
                    }
                    None => {
                        let rows = run.rows();
                        let rows = &rows[ahead(rows, direction, after, |row| Some(row.place()))];
                        match direction {
                            Order::Ascending => Box::new(rows.iter()),
                            Order::Descending => Box::new(rows.iter().rev()),
                        }
                    }
                };
            rows.filter(is_wanted)
        });
        runs.kmerge_by(move |one: &&Row, other: &&Row| is_before(direction, one, other))
    }
}

/// Whether an event comes before another.
fn is_before(direction: Order, one: &Row, other: &Row) -> bool {
    match direction {
        Order::Ascending => one.place() < other.place(),
        Order::Descending => one.place() > other.place(),
    }
}

/// What of a list in the order of time comes after a place, in a direction.
fn ahead<T>(
    list: &[T],
    direction: Order,
    after: Option<(i64, i64)>,
    place: impl Fn(&T) -> Option<(i64, i64)>,
) -> Range<usize> {
    match (direction, after) {
        (_, None) => 0..list.len(),
        (Order::Ascending, Some(_)) => {
            list.partition_point(|item| place(item) <= after)..list.len()
        }
        (Order::Descending, Some(_)) => 0..list.partition_point(|item| place(item) < after),
    }
}

/// A page's part that lies in the tail: what is looked for there.
pub(super) struct Wanted<'a> {
    pub(super) conditions: &'a Conditions,
    pub(super) sort: Sort,
    pub(super) direction: Order,
    /// Strictly after this, in that direction.
    pub(super) after: Option<&'a Place>,
    /// Up to this number.
    pub(super) up_to: i64,
    /// So many at most.
    pub(super) limit: usize,
}

impl LogTail {
    /// The places of the first events that match, in the order of time.
    pub(super) fn first_by_time(&self, wanted: &Wanted<'_>) -> Vec<Place> {
        let in_order = InOrder {
            direction: wanted.direction,
            after: wanted.after.map(|place| (place.at, place.n)),
            up_to: wanted.up_to,
        };
        self.in_order(in_order, wanted.conditions)
            .take(wanted.limit)
            .map(|row| Place {
                text: String::new(),
                at: row.at,
                n: row.n,
            })
            .collect()
    }

    /// The same in the order of a text: `ranked` has those of what is sorted by.
    pub(super) fn first_by_text(&self, wanted: &Wanted<'_>, ranked: &Ranked) -> Vec<Place> {
        let Wanted {
            conditions,
            sort,
            direction,
            after,
            up_to,
            limit,
        } = *wanted;
        let column = match sort {
            Sort::Time | Sort::Actor => Column::Actor,
            Sort::Action => Column::Action,
            Sort::TargetKind => Column::Kind,
        };
        let is_wanted =
            |row: &&Row| self.has(row) && row.n <= up_to && conditions.hold_of(&row.entry());
        let runs: Vec<_> = self
            .runs
            .iter()
            .map(|run| (run, run.part.among_which_match_by(column, conditions)))
            .collect();
        let from = after.map(|place| &*place.text);
        let mut places = Vec::new();
        for (text, numbers) in ranked.groups(from, direction == Order::Ascending) {
            // Of the text that the page before ended with, what comes after its place.
            let after = after.filter(|after| after.text == text);
            let after = after.map(|after| (after.at, after.n));
            let lists = runs.iter().flat_map(|(run, sorted)| {
                let lists = numbers.iter().map(|number| sorted.with(*number));
                lists.filter(|list| !list.is_empty()).map(move |list| {
                    let place = |event: &u32| run.at([*event]).next().map(Row::place);
                    let list = &list[ahead(list, direction, after, place)];
                    let events = match direction {
                        Order::Ascending => Either::Left(list.iter().copied()),
                        Order::Descending => Either::Right(list.iter().rev().copied()),
                    };
                    run.at(events).filter(is_wanted)
                })
            });
            let found = lists.kmerge_by(move |one, other| is_before(direction, one, other));
            let left = limit - places.len();
            places.extend(found.take(left).map(|row| Place {
                text: text.to_owned(),
                at: row.at,
                n: row.n,
            }));
            if places.len() >= limit {
                break;
            }
        }
        places
    }

    /// When each of these ways to name an object was used first and last up to a number, but for those with an
    /// action of `without`: by the events' targets and what is related to them.
    pub(super) fn uses(
        &self,
        texts: &Shared,
        ways: &[Number],
        without: &Numbers,
        up_to: i64,
    ) -> HashMap<Number, Uses> {
        let mut uses: HashMap<Number, Uses> = HashMap::new();
        if self.is_empty() || ways.is_empty() {
            return uses;
        }
        let naming = Naming::new(texts, ways);
        let ways = naming.found_by();
        let rows = self.any_of(&ways, up_to);
        for row in rows.filter(|row| !without.has(row.action)) {
            naming.each(row, |way| {
                let place = row.place();
                let known = uses.entry(way).or_insert(Uses {
                    first: place,
                    last: place,
                });
                known.first = known.first.min(place);
                known.last = known.last.max(place);
            });
        }
        uses
    }

    /// The events that name something in one of these ways, with each way in which they do; up to a number, in
    /// no order.
    pub(super) fn named<'a>(
        &'a self,
        texts: &Shared,
        ways: &[Number],
        up_to: i64,
    ) -> Vec<(Number, &'a Row)> {
        let mut named = Vec::new();
        if self.is_empty() || ways.is_empty() {
            return named;
        }
        let naming = Naming::new(texts, ways);
        let ways = naming.found_by();
        for row in self.any_of(&ways, up_to) {
            naming.each(row, |way| named.push((way, row)));
        }
        named
    }
}

/// When a way to name an object was used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uses {
    pub(super) first: (i64, i64),
    pub(super) last: (i64, i64),
}

/// Ways to name objects, and the sets of related objects that hold some of them.
struct Naming {
    ways: Numbers,
    sets: Numbers,
    /// The ways that each of the sets holds.
    related: HashMap<Number, Box<[Number]>>,
}

impl Naming {
    fn new(texts: &Shared, ways: &[Number]) -> Self {
        let ways: Numbers = ways.iter().copied().collect();
        let texts = texts.read();
        let sets = texts.related_with(&ways);
        let related = sets.list().iter().map(|set| {
            let members = texts.related_numbers(*set).iter().copied();
            let members: Numbers = members.filter(|member| ways.has(*member)).collect();
            (*set, members.list().into())
        });
        let related = related.collect();
        Self {
            ways,
            sets,
            related,
        }
    }

    fn found_by(&self) -> AnyOf<'_> {
        vec![(Column::Target, &self.ways), (Column::Related, &self.sets)]
    }

    /// Tells each of the ways in which an event names something, once.
    fn each(&self, row: &Row, mut tell: impl FnMut(Number)) {
        if self.ways.has(row.target) {
            tell(row.target);
        }
        let related = row.related.and_then(|set| self.related.get(&set));
        for way in related.map_or(&[][..], |members| members) {
            if *way != row.target {
                tell(*way);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::plan::{Object, Search};
    use proptest::prelude::*;

    fn row(n: i64) -> (i64, Row) {
        let row = Row {
            n,
            at: n * 7_919 % 1_000,
            actor: 1,
            via: None,
            action: 1,
            kind: 1,
            target: 1,
            related: None,
            outcome: 0,
            operation: None,
        };
        (n % 3, row)
    }

    fn chunk(after: i64, last: i64) -> Arc<Chunk> {
        Arc::new(Chunk::of(
            after,
            last,
            (after + 1..=last).map(row).collect(),
        ))
    }

    proptest! {
        #[test]
        fn what_is_known_and_what_is_missing_are_each_event_once(
            added in proptest::collection::vec((0..200_i64, 1..30_i64), 0..40),
            mark in 0..150_i64,
            after in 0..200_i64,
            up_to in 0..250_i64,
        ) {
            let mut known = Known { mark, ..Known::default() };
            for (from, events) in added {
                known.add(chunk(from, from + events));
            }
            let (mut chunks, gaps) = known.between(after, up_to);
            chunks.extend(gaps.into_iter().map(|(from, to)| chunk(from, to)));
            let view = View { after, up_to, chunks };
            let all = Conditions::default();
            let mut numbers = Vec::new();
            for ws in 0..3 {
                let tail = view.of(ws);
                let found = tail.matching(&all, i64::MAX);
                let found: Vec<i64> = found.map(|row| row.n).collect();
                prop_assert_eq!(tail.len(), found.len() as u64);
                let in_order = |direction| InOrder { direction, after: None, up_to: i64::MAX };
                let places = |direction| {
                    let rows = tail.in_order(in_order(direction), &all);
                    rows.map(Row::place).collect::<Vec<_>>()
                };
                let (mut ascending, descending) =
                    (places(Order::Ascending), places(Order::Descending));
                prop_assert!(ascending.is_sorted());
                prop_assert_eq!(ascending.len(), found.len());
                ascending.reverse();
                prop_assert_eq!(ascending, descending);
                numbers.extend(found);
            }
            numbers.sort_unstable();
            prop_assert_eq!(numbers, (after + 1..=up_to).collect::<Vec<_>>());
        }
    }

    /// An event of a log in which some is frequent and some rare.
    fn mixed(n: i64, seed: u64) -> Row {
        let chance = |salt: u64, among: u64| {
            let number = (n.unsigned_abs() + 1) * (seed | 1) * (2 * salt + 1);
            let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
            // The lower a number, the more often it comes.
            let part = mixed % (among * among);
            1 + u32::try_from(among - 1 - part.isqrt()).unwrap()
        };
        let sometimes = |salt, among| {
            chance(salt, 7)
                .is_multiple_of(3)
                .then(|| chance(salt, among))
        };
        Row {
            n,
            at: i64::from(chance(1, 900)),
            actor: chance(2, 60),
            via: sometimes(3, 60),
            action: chance(4, 30),
            kind: chance(5, 8),
            target: chance(6, 2_000),
            related: sometimes(7, 100),
            outcome: chance(8, 3) - 1,
            operation: None,
        }
    }

    fn numbers(most: u32) -> impl Strategy<Value = Numbers> {
        proptest::collection::vec(1..=most, 1..4).prop_map(|list| list.into_iter().collect())
    }

    fn some_conditions() -> impl Strategy<Value = Conditions> {
        let some = |most| proptest::option::weighted(0.4, numbers(most));
        let both = |one, other| proptest::option::weighted(0.2, (numbers(one), numbers(other)));
        let object = proptest::option::weighted(0.4, (any::<bool>(), numbers(40), numbers(100)));
        let search = proptest::option::weighted(0.2, (numbers(50), numbers(20), numbers(30)));
        let bound = proptest::option::weighted(0.3, 0..900_i64);
        let parts = (
            some(60),
            some(30),
            both(60, 60),
            both(60, 60),
            object,
            search,
            bound,
        );
        parts.prop_map(
            |(actor, action, anyone, via, object, search, since)| Conditions {
                actor,
                action,
                anyone,
                via,
                objects: object
                    .into_iter()
                    .map(|(is_kind, own, related)| {
                        if is_kind {
                            Object::Kinds {
                                kinds: own,
                                related,
                                own: true,
                            }
                        } else {
                            Object::Targets {
                                targets: own,
                                related,
                                kinds: None,
                            }
                        }
                    })
                    .collect(),
                search: search.map(|(targets, related, actions)| Search {
                    targets,
                    related,
                    actions,
                    kinds: None,
                }),
                since,
                ..Conditions::default()
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn what_is_found_by_its_numbers_is_what_all_events_are_when_each_is_looked_at(
            seed in any::<u32>(),
            conditions in some_conditions(),
            is_ascending in any::<bool>(),
            (after, limit) in (proptest::option::of(0..900_i64), 1..40_usize),
            (mark, up_to) in (0..2_000_i64, 9_000..12_000_i64),
        ) {
            let rows: Vec<Row> = (1..=12_000).map(|n| mixed(n, u64::from(seed))).collect();
            let of = |from: usize, to: usize| {
                let rows = rows[from..to].iter().map(|row| (1, row.clone())).collect();
                let number = |index: usize| i64::try_from(index).unwrap();
                Arc::new(Chunk::of(number(from), number(to), rows))
            };
            let chunks = vec![of(0, 5_000), of(5_000, 11_500), of(11_500, 12_000)];
            let tail = View { after: mark, up_to: 12_000, chunks }.of(1);
            let there = || rows.iter().filter(|row| mark < row.n && row.n <= up_to);
            let numbers = |mut rows: Vec<&Row>| {
                rows.sort_by_key(|row| row.n);
                rows.iter().map(|row| row.n).collect::<Vec<_>>()
            };

            let expected: Vec<&Row> =
                there().filter(|row| conditions.hold_of(&row.entry())).collect();
            let found = tail.matching(&conditions, up_to).collect();
            prop_assert_eq!(numbers(found), numbers(expected.clone()));

            for ways in part::found_by(&conditions) {
                let is_one = |row: &&Row| {
                    ways.iter().any(|(column, numbers)| column.is_among(row, numbers))
                };
                let found = tail.any_of(&ways, up_to).collect();
                prop_assert_eq!(numbers(found), numbers(there().filter(is_one).collect()));
            }

            for column in [Column::Action, Column::Related] {
                let mut counts: HashMap<Number, u64> = HashMap::new();
                let all = rows.iter().filter(|row| mark < row.n);
                for number in all.filter_map(|row| column.of(row)) {
                    *counts.entry(number).or_default() += 1;
                }
                prop_assert_eq!(tail.counts(column), counts);
            }

            let direction = if is_ascending { Order::Ascending } else { Order::Descending };
            // Two of three have the same text as another.
            let text = |number: Number| format!("{:02}", number * 7 % 40);
            let mut ranked = Ranked::default();
            (1..=60).for_each(|number| ranked.add(text(number), number));
            for sort in [Sort::Time, Sort::Actor, Sort::Action, Sort::TargetKind] {
                let place = |row: &Row| {
                    let text = match sort {
                        Sort::Time => String::new(),
                        Sort::Actor => text(row.actor),
                        Sort::Action => text(row.action),
                        Sort::TargetKind => text(row.kind),
                    };
                    (text, row.at, row.n)
                };
                let after = after.map(|at| {
                    let text = if sort == Sort::Time { String::new() } else { text(3) };
                    Place { text, at, n: 6_000 }
                });
                let mut expected: Vec<_> = expected.iter().map(|row| place(row)).collect();
                expected.sort();
                if !is_ascending {
                    expected.reverse();
                }
                if let Some(after) = &after {
                    let after = (after.text.clone(), after.at, after.n);
                    expected.retain(|one| if is_ascending { *one > after } else { *one < after });
                }
                expected.truncate(limit);
                let wanted = Wanted {
                    conditions: &conditions,
                    sort,
                    direction,
                    after: after.as_ref(),
                    up_to,
                    limit,
                };
                let found = match sort {
                    Sort::Time => tail.first_by_time(&wanted),
                    _ => tail.first_by_text(&wanted, &ranked),
                };
                let found: Vec<_> =
                    found.into_iter().map(|place| (place.text, place.at, place.n)).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn small_groups_are_put_together() {
        let mut known = Known::default();
        for n in 0..1_000 {
            known.add(chunk(n, n + 1));
        }
        assert!(known.chunks.len() < 12, "{}", known.chunks.len());
        let events: usize = known.chunks.iter().map(|chunk| chunk.events).sum();
        assert_eq!(events, 1_000);
    }
}

//! What folds of long histories came to at some moments, in memory, so that the next question about the
//! same object need not begin from the beginning.
//!
//! Nothing is kept that could tell something else than a fold from the beginning: what was kept says
//! which events it was folded from, and whoever goes on from it has found, in a state of the log, that it
//! is from just these that a fold would begin there, and that nothing was done to them since. So it does
//! not matter who recorded an event late, or removed one, and from which process.

use super::super::{change::Log, snapshot::Shelf};
use crate::{
    StoreError,
    database::{self, Connection},
};
use domain::{
    blame::{Asked, Fold, Kept},
    json::Path,
    question::Subject,
};
use quick_cache::{Weighter, sync::Cache};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// About how many bytes are kept of all objects, and of one at most.
const BYTES_MOST: u64 = 64 << 20;
pub(super) const OF_ONE_MOST: usize = 8 << 20;
/// Into about so many parts an object's history is divided by the moments that are kept, where so many can
/// be.
const PARTS: usize = 8;

/// How many releases of a workspace are being carried out, and the newest one by erasure.
const RELEASES: &str = "SELECT (SELECT count(*) FROM release WHERE ws = ?1 AND finished_at IS NULL) \
         + (SELECT count(*) FROM erasure WHERE ws = ?1 AND finished_at IS NULL), \
     (SELECT coalesce(max(id), 0) FROM erasure WHERE ws = ?1)";

/// An object, and the field of it whose history is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Blamed {
    pub(super) log: Log,
    pub(super) subject: Subject,
    pub(super) field: Option<Path>,
}

/// What else than its events an object's fold depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The number of the catalogue that actions are read through.
    catalogue: i64,
    /// The newest release by erasure.
    erasure: i64,
    /// How often texts were emptied, and events removed.
    emptied: i64,
    removals: i64,
    /// How often the database was found to be another.
    times: u64,
}

/// A moment of an object's history.
#[derive(Debug)]
struct Point {
    stamp: Stamp,
    /// From how many events it was folded, and a hash of their times and numbers.
    events: usize,
    digest: [u8; 32],
    kept: Kept,
    /// About how many bytes it takes.
    weight: usize,
}

/// All that is kept.
#[derive(Debug)]
pub(in super::super) struct Folds {
    cache: Cache<Blamed, Arc<[Arc<Point>]>, Weigher>,
    /// Of fewer events nothing is kept: they are quickly read.
    from: usize,
}

#[derive(Clone, Debug)]
struct Weigher;

impl Weighter<Blamed, Arc<[Arc<Point>]>> for Weigher {
    fn weight(&self, _: &Blamed, points: &Arc<[Arc<Point>]>) -> u64 {
        let weights = points.iter().map(|point| point.weight + 512);
        weights.sum::<usize>() as u64 + 512
    }
}

/// What an object's fold depends on in the state of the log that a connection reads; none where it cannot
/// be told what was done to its events.
pub(super) async fn stamp(
    connection: &mut Connection,
    shelf: &Shelf,
    (removals, times): (i64, u64),
) -> Result<Option<Stamp>, StoreError> {
    // What a release takes out goes some at a time.
    let (unfinished, erasure): (i64, i64) = database::query_as(RELEASES)
        .bind(shelf.log.ws)
        .fetch_one(connection)
        .await?;
    let (catalogue, emptied) = {
        let texts = shelf.texts.read();
        (texts.catalogue_version(), shelf.texts.emptied())
    };
    Ok((unfinished == 0).then_some(Stamp {
        catalogue,
        erasure,
        emptied,
        removals,
        times,
    }))
}

/// The hash of events by their times and numbers, the first ones first.
#[derive(Clone, Debug, Default)]
struct Prefix {
    hasher: Sha256,
    events: usize,
}

impl Prefix {
    /// The hash of so many of them.
    fn to(&mut self, events: usize, places: &[(i64, i64)]) -> [u8; 32] {
        for (at, number) in places.get(self.events..events).unwrap_or_default() {
            self.hasher.update(at.to_be_bytes());
            self.hasher.update(number.to_be_bytes());
        }
        self.events = events;
        self.hasher.clone().finalize().into()
    }
}

impl Folds {
    /// Nothing is kept yet; of an object with so many events something will be.
    pub(in super::super) fn new(from: usize) -> Self {
        Self {
            cache: Cache::with_weighter(1_000, BYTES_MOST, Weigher),
            from,
        }
    }

    /// How many events there are between two moments that are kept, at least.
    pub(super) fn between(&self) -> usize {
        (self.from / 3).max(1)
    }

    /// What is kept of an object whose events are at these places, for a question about it.
    pub(super) fn keeping<'a>(
        &'a self,
        of: Blamed,
        stamp: Option<Stamp>,
        places: &'a [(i64, i64)],
    ) -> Keeping<'a> {
        let stamp = stamp.filter(|_| places.len() >= self.from);
        let known = stamp.and_then(|_| self.cache.get(&of));
        let before = known.as_ref().map_or(0, |points| points.len());
        let mut prefix = Prefix::default();
        let is_right = |point: &Arc<Point>| {
            // Of a later moment than is asked for, it may be right for others.
            if stamp != Some(point.stamp) || point.events > places.len() {
                return stamp == Some(point.stamp);
            }
            let instant = |at: usize| places.get(at).map(|(at, _)| at);
            let is_whole = instant(point.events) != instant(point.events - 1);
            is_whole && prefix.to(point.events, places) == point.digest
        };
        let known = known.iter().flat_map(|points| points.iter()).cloned();
        let points: Vec<_> = known.filter(is_right).collect();
        Keeping {
            folds: self,
            of,
            stamp,
            places,
            prefix: Prefix::default(),
            is_other: points.len() != before,
            points,
        }
    }
}

/// What is kept of an object, while a question about it is answered.
pub(super) struct Keeping<'a> {
    folds: &'a Folds,
    of: Blamed,
    /// None: nothing is kept.
    stamp: Option<Stamp>,
    places: &'a [(i64, i64)],
    prefix: Prefix,
    /// The earliest first.
    points: Vec<Arc<Point>>,
    /// Whether that is not what was kept.
    is_other: bool,
}

impl Keeping<'_> {
    /// The latest fold that a question can go on from, and how many events it was folded from.
    pub(super) fn begin(&self, asked: &Asked) -> (usize, Option<Fold>) {
        let points = self.points.iter().rev();
        let mut usable = points
            .filter(|point| point.events <= self.places.len())
            .filter_map(|point| Some((point.events, point.kept.resume(asked)?)));
        match usable.next() {
            Some((events, fold)) => (events, Some(fold)),
            None => (0, None),
        }
    }

    /// Whether the fold of so many events is to be kept.
    pub(super) fn wants(&self, events: usize) -> bool {
        let all = self.places.len();
        let earlier = self.points.iter().map(|point| point.events);
        let last = earlier.filter(|known| *known <= events).max();
        let since = events - last.unwrap_or(0);
        let least = self.folds.between();
        let is_far = since >= least.max(all / PARTS);
        self.stamp.is_some() && (is_far || (events == all && since >= least))
    }

    /// Keeps the fold of so many events.
    pub(super) fn add(&mut self, events: usize, kept: Kept) {
        let Some(stamp) = self.stamp else { return };
        self.is_other = true;
        let point = Arc::new(Point {
            stamp,
            events,
            digest: self.prefix.to(events, self.places),
            weight: kept.weight(),
            kept,
        });
        let place = self.points.partition_point(|known| known.events <= events);
        self.points.insert(place, point);
        let weight = |points: &[Arc<Point>]| points.iter().map(|point| point.weight).sum::<usize>();
        // Of too many, the one goes that is nearest to its neighbours; the latest, which most questions
        // go on from, stays.
        while self.points.len() > 2 * PARTS
            || (self.points.len() > 1 && weight(&self.points) > OF_ONE_MOST)
        {
            let before = |at: usize| match at.checked_sub(1) {
                Some(before) => self.points[before].events,
                None => 0,
            };
            let places = 0..self.points.len() - 1;
            let nearest = places.min_by_key(|at| self.points[at + 1].events - before(*at));
            self.points.remove(nearest.unwrap_or_default());
        }
    }

    /// Leaves what is kept to others.
    pub(super) fn end(self) {
        if self.is_other {
            self.folds.cache.insert(self.of, self.points.into());
        }
    }
}

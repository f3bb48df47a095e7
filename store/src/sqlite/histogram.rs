//! When events occurred: counted from what is kept of each day, else by reading one way in.

mod reading;

use super::{
    Inner, Store,
    snapshot::{Asked, Snapshot, Sought},
};
use crate::{
    StoreError,
    database::Connection,
    days::{QUARTER, Quarter},
    question::QuestionError,
};
use domain::{
    question::{Bucket, Buckets, Histogram, HistogramQuery, Order, Sort},
    time::Timestamp,
};
use reading::{Categories, Counts, Part, parts};
use std::time::{Duration, Instant};

const HOUR: i64 = 60 * MINUTE;
const MINUTE: i64 = 60 * 1_000_000;
const SECOND: i64 = 1_000_000;

impl Store {
    /// When the events that match occurred.
    ///
    /// # Errors
    ///
    /// A filter names what the scope does not have, or the store failed.
    pub async fn histogram(
        &self,
        scope: &crate::Scope,
        query: &HistogramQuery,
    ) -> Result<Histogram, QuestionError> {
        let mut snapshot = self.snapshot(scope).await?;
        let histogram = loop {
            let histogram = snapshot.histogram(query).await;
            if !matches!(histogram, Err(QuestionError::Store(_))) || !snapshot.begin_again().await?
            {
                break histogram;
            }
        };
        snapshot.end().await;
        histogram
    }
}

impl Snapshot {
    /// When the events that match occurred: exactly, where the store's budget for counting lasts.
    ///
    /// # Errors
    ///
    /// A filter names what the scope does not have, or the store failed.
    pub async fn histogram(&mut self, query: &HistogramQuery) -> Result<Histogram, QuestionError> {
        let budget = self.store.inner.count_within;
        self.histogram_within(query, budget).await
    }

    /// The same, for somebody who waits for something else too: exactly, where so long is enough, or the
    /// store's budget, if that is shorter.
    ///
    /// # Errors
    ///
    /// A filter names what the scope does not have, or the store failed.
    pub async fn histogram_within(
        &mut self,
        query: &HistogramQuery,
        budget: Duration,
    ) -> Result<Histogram, QuestionError> {
        let begun = Instant::now();
        let inner = &self.store.inner;
        let (budget, at_once) = inner.counting_within(budget);
        let span = query.filter.span(self.now);
        let asked = self.asked(&query.filter, span)?;
        let (mut since, mut until) = (span.since, span.until);
        if since.is_none() {
            since = self.end_of(&asked, Order::Ascending).await?;
        }
        if until.is_none() {
            let last = self.end_of(&asked, Order::Descending).await?;
            until = Some(last.map_or(self.now, |last| last.max(self.now)));
        }
        let until = until.unwrap_or(self.now);
        let since = since.unwrap_or(until);
        let until = until.max(since);
        let zone = query.filter.zone();
        let buckets = Buckets::dividing((since, until), &zone, query.most);
        let mut counting = Counting {
            unit: unit_of(&buckets),
            at_once,
            counts: Counts::of(&buckets),
        };
        let span = (since.micros(), until.micros());
        let connection = self.transaction.connection();
        let counted_from = counting
            .count(&asked, connection, span, begun + budget)
            .await?;
        let starts = buckets.starts.iter().copied();
        let told = starts.zip(counting.counts.told()).filter(|(start, _)| {
            // Of the part in which counting ended, only some is known.
            counted_from.is_none_or(|from| start.micros() >= from)
        });
        let told = told.map(|(start, counts)| Bucket { start, counts });
        Ok(Histogram {
            since,
            until,
            tz: zone,
            step: buckets.step,
            buckets: told.collect(),
            exact: counted_from.is_none(),
        })
    }

    /// When the first or the last event that matches occurred.
    async fn end_of(
        &mut self,
        asked: &[Asked],
        direction: Order,
    ) -> Result<Option<Timestamp>, StoreError> {
        let up_to = self.head;
        let connection = self.transaction.connection();
        let mut end: Option<i64> = None;
        for asked in asked {
            let sought = Sought {
                sort: Sort::Time,
                direction,
                after: None,
                up_to,
                limit: 1,
            };
            let found = asked.places(connection, sought).await?;
            let Some(at) = found.first().map(|place| place.at) else {
                continue;
            };
            end = Some(end.map_or(at, |end| match direction {
                Order::Ascending => end.min(at),
                Order::Descending => end.max(at),
            }));
        }
        Ok(end.map(Timestamp::from_micros))
    }
}

impl Inner {
    /// How long may be counted where `budget` is what there is, and how many entries are read at a time: as
    /// many fewer as there is less time than usual.
    fn counting_within(&self, budget: Duration) -> (Duration, f64) {
        let at_once = f64::from(self.count_at_once);
        if budget >= self.count_within {
            return (self.count_within, at_once);
        }
        let part = budget.as_secs_f64() / self.count_within.as_secs_f64();
        (budget, (at_once * part).max(1.0))
    }
}

/// The longest time, in microseconds, of which every part is a multiple, wherever it begins.
fn unit_of(buckets: &Buckets) -> i64 {
    let divides = |unit: &i64| {
        let mut starts = buckets.starts.iter();
        starts.all(|start| start.micros().rem_euclid(*unit) == 0)
    };
    [HOUR, QUARTER, MINUTE, SECOND]
        .into_iter()
        .find(divides)
        .unwrap_or(1)
}

/// What was counted so far.
struct Counting {
    /// How finely is counted, in microseconds.
    unit: i64,
    /// About so many entries are read at a time.
    at_once: f64,
    counts: Counts,
}

/// How one part of the log is read.
struct Way<'a> {
    asked: &'a Asked,
    parts: Vec<Part>,
    categories: Categories,
}

impl Counting {
    /// Counts what matches within a span; from when on, where not all of it was counted before the
    /// deadline.
    async fn count(
        &mut self,
        asked: &[Asked],
        connection: &mut Connection,
        span: (i64, i64),
        deadline: Instant,
    ) -> Result<Option<i64>, StoreError> {
        let mut ways = Vec::new();
        let mut entries = 0.0;
        // When there are events, more or less: a span may be much longer.
        let (mut first, mut last) = (span.1, span.0);
        for asked in asked {
            let Some(whole) = asked.conditions.read_whole(&asked.shelf.counts) else {
                continue;
            };
            let way = Way {
                asked,
                parts: parts(&asked.conditions, whole.arms),
                categories: Categories::of(&asked.shelf.texts.read()),
            };
            asked.count_tail(span, self.unit, &way.categories, &mut self.counts);
            if self.unit < QUARTER || !self.count_kept(&way, connection, span).await? {
                entries += whole.entries;
                first = first.min(asked.shelf.counts.first.max(span.0));
                last = last.max(asked.shelf.counts.last.min(span.1));
                ways.push(way);
            }
        }
        let pieces = (entries / self.at_once).ceil().max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "a part of a span"
        )]
        let length = (last.saturating_sub(first).max(0) as f64 / pieces) as i64 + 1;
        // The newest first: that is what is looked at.
        let mut until = span.1;
        while !ways.is_empty() && until >= span.0 {
            if until < span.1 && Instant::now() >= deadline {
                return Ok(Some(until + 1));
            }
            let since = until.min(last).saturating_sub(length - 1);
            // With the first event goes all that lies before it, however far that reaches: it is as good as empty.
            let since = if since <= first {
                span.0
            } else {
                since.max(span.0)
            };
            for way in &ways {
                self.read(way, connection, (since, until)).await?;
            }
            until = since - 1;
        }
        Ok(None)
    }

    /// Counts by reading, from one moment to another, both included.
    async fn read(
        &mut self,
        way: &Way<'_>,
        connection: &mut Connection,
        span: (i64, i64),
    ) -> Result<(), StoreError> {
        for part in &way.parts {
            let within = (span, self.unit);
            part.read(
                way.asked,
                connection,
                within,
                &way.categories,
                &mut self.counts,
            )
            .await?;
        }
        Ok(())
    }

    /// Counts from what is kept of days, where that tells; the beginning and the end of the span, where
    /// they are no whole quarters of an hour, are read. False: it does not tell.
    async fn count_kept(
        &mut self,
        way: &Way<'_>,
        connection: &mut Connection,
        (since, until): (i64, i64),
    ) -> Result<bool, StoreError> {
        let first = Quarter::of(since.saturating_add(QUARTER - 1));
        let end = Quarter::of(until.saturating_add(1));
        if first >= end {
            return Ok(false);
        }
        let of = ((first, end), self.unit >= HOUR);
        let kept = way
            .asked
            .count_kept(connection, of, &way.categories, &mut self.counts);
        if !kept.await? {
            return Ok(false);
        }
        for (since, until) in [(since, first.start() - 1), (end.start(), until)] {
            if since <= until {
                self.read(way, connection, (since, until)).await?;
            }
        }
        Ok(true)
    }
}

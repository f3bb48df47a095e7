//! When events occurred, counted one by one.

use domain::{
    catalogue::Catalogue,
    event::Event,
    question::{Bucket, Buckets, Histogram, HistogramQuery},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// The histogram of a list of events, at the moment `now`, with actions called as a catalogue has them.
pub fn histogram(
    catalogue: &Catalogue,
    all: &[Event],
    query: &HistogramQuery,
    now: Timestamp,
) -> Histogram {
    let filter = &query.filter;
    let span = filter.span(now);
    let matches = |event: &&Event| {
        let label = catalogue.reading(event.action.as_str()).label;
        filter.matches(event, &label, span)
    };
    let matching: Vec<&Event> = all.iter().filter(matches).collect();
    let times = || matching.iter().map(|event| event.occurred_at);
    let until = span
        .until
        .unwrap_or_else(|| times().max().map_or(now, |last| last.max(now)));
    let since = span.since.or_else(|| times().min()).unwrap_or(until);
    let until = until.max(since);
    let buckets = Buckets::dividing((since, until), &filter.zone(), query.most);
    let mut counts = vec![BTreeMap::new(); buckets.starts.len()];
    for event in &matching {
        let place = buckets.of(event.occurred_at).unwrap();
        *counts[place].entry(event.category).or_default() += 1;
    }
    let told = buckets.starts.into_iter().zip(counts);
    Histogram {
        since,
        until,
        tz: filter.zone(),
        step: buckets.step,
        buckets: told
            .map(|(start, counts)| Bucket { start, counts })
            .collect(),
        exact: true,
    }
}

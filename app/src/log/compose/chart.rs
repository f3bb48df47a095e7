//! When what matches occurred, as bars.

use super::Local;
use crate::{
    log::view::{BarView, ChartView, SeriesView},
    number::grouped,
};
use domain::{
    category::Category,
    question::{Bucket, Histogram, Step},
    time::Timestamp,
};
use std::{collections::BTreeMap, fmt::Write};

/// How many units of the drawing the chart is wide: as many as its time.
pub(crate) const WIDTH: f64 = 1_000.0;
/// And how many it is high: as many as the most entries of a bar.
pub(crate) const HEIGHT: f64 = 64.0;
/// No part of a bar is lower, or it could not be seen.
const LEAST: f64 = 0.8;
/// What is left free on either side of a bar, as a part of its width, and at most.
const GAP: (f64, f64) = (0.08, 0.9);
/// So many categories have a colour of their own; if there are more, the last one stands for the rest.
const SERIES_MOST: usize = 7;
/// What they are called then.
const REST: &str = "All others";
/// How many times are written below, at most.
const LABELS: i64 = 7;
/// So many bars are drawn at most: of a time of very many months, several stand together.
const BARS_MOST: usize = 120;

/// The bars.
pub(crate) fn chart(histogram: &Histogram, local: &Local) -> ChartView {
    let mut totals: BTreeMap<Category, u64> = BTreeMap::new();
    for bucket in &histogram.buckets {
        for (category, count) in &bucket.counts {
            *totals.entry(*category).or_default() += count;
        }
    }
    let series = Series::of(totals);
    let across = Across::of(histogram);
    let together = histogram.buckets.len().div_ceil(BARS_MOST).max(1);
    let buckets = joined(&histogram.buckets, together);
    let starts = buckets.iter().map(|bucket| bucket.start);
    let ends = starts.skip(1).map(before);
    let ends = ends.chain([histogram.until]);
    let bars: Vec<BarView> = buckets
        .iter()
        .zip(ends)
        .map(|(bucket, end)| {
            let start = bucket.start.max(histogram.since);
            let (from, to) = (across.place(start), across.place(end));
            BarView {
                x: from,
                width: (to - from).max(0.0),
                words: local.span((start, end), histogram.step),
                since: local.since(start, histogram.step),
                until: local.until(end, histogram.step),
                counts: series.counts(&bucket.counts),
            }
        })
        .collect();
    let most = bars.iter().map(BarView::total).max().unwrap_or(0);
    let paths = paths(&bars, series.names.len(), most);
    let uncounted = (!histogram.exact).then(|| {
        let first = histogram.buckets.first().map(|bucket| bucket.start);
        let from = first.unwrap_or(histogram.until).max(histogram.since);
        (across.place(from), local.minute(from))
    });
    let step = match together {
        1 => histogram.step.words().to_owned(),
        // Of other steps there are never so many.
        months => format!("per {months} months"),
    };
    let title = match most {
        0 if histogram.exact => "No entries in this time".to_owned(),
        most if histogram.exact => format!("Entries {step}, at most {}", grouped(most)),
        // What was not counted may be more.
        _ => format!("Entries {step}"),
    };
    ChartView {
        title,
        axis: axis(&buckets, histogram, local),
        series: series
            .names
            .into_iter()
            .zip(paths)
            .map(|((category, label), path)| SeriesView {
                category,
                label,
                is_rest: label == REST,
                path,
            })
            .collect(),
        bars,
        uncounted,
    }
}

/// The buckets, so many of them as one.
fn joined(buckets: &[Bucket], together: usize) -> Vec<Bucket> {
    let join = |some: &[Bucket]| {
        let start = some.first()?.start;
        let mut counts: BTreeMap<Category, u64> = BTreeMap::new();
        for (category, count) in some.iter().flat_map(|bucket| &bucket.counts) {
            *counts.entry(*category).or_default() += count;
        }
        Some(Bucket { start, counts })
    };
    buckets.chunks(together).filter_map(join).collect()
}

/// The last moment before another.
fn before(moment: Timestamp) -> Timestamp {
    Timestamp::from_micros(moment.micros() - 1)
}

/// Which categories the colours are of: those with the most entries first, and the rest together.
struct Series {
    names: Vec<(Category, &'static str)>,
    has_rest: bool,
}

impl Series {
    fn of(totals: BTreeMap<Category, u64>) -> Self {
        let mut by_count: Vec<(Category, u64)> = totals.into_iter().collect();
        by_count.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let has_rest = by_count.len() > SERIES_MOST;
        if has_rest {
            by_count.truncate(SERIES_MOST - 1);
        }
        let mut names: Vec<(Category, &'static str)> = by_count
            .into_iter()
            .map(|(category, _)| (category, category.label()))
            .collect();
        if has_rest {
            names.push((Category::Other, REST));
        }
        Self { names, has_rest }
    }

    /// How many entries of each there are.
    fn counts(&self, of: &BTreeMap<Category, u64>) -> Vec<u64> {
        let named = self.names.len() - usize::from(self.has_rest);
        let own = self.names.iter().take(named);
        let mut counts: Vec<u64> = own
            .map(|(category, _)| of.get(category).copied().unwrap_or(0))
            .collect();
        if self.has_rest {
            let all: u64 = of.values().sum();
            let rest = all - counts.iter().sum::<u64>();
            counts.push(rest);
        }
        counts
    }
}

/// Where a moment stands across the chart.
struct Across {
    since: i64,
    until: i64,
}

impl Across {
    fn of(histogram: &Histogram) -> Self {
        Self {
            since: histogram.since.micros(),
            until: histogram.until.micros(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
    fn place(&self, moment: Timestamp) -> f64 {
        let whole = (self.until - self.since).max(1) as f64;
        let part = (moment.micros() - self.since).max(0) as f64;
        (part / whole).min(1.0) * WIDTH
    }
}

/// What is drawn of each series, as SVG's paths: a rectangle for each bar that has any of it.
#[expect(clippy::cast_precision_loss, reason = "a height on the screen")]
fn paths(bars: &[BarView], series: usize, most: u64) -> Vec<String> {
    let mut paths = vec![String::new(); series];
    let unit = HEIGHT / most.max(1) as f64;
    for bar in bars {
        let gap = (bar.width * GAP.0).min(GAP.1);
        let (x, width) = (bar.x + gap, bar.width - 2.0 * gap);
        let heights = bar.counts.iter().map(|count| match count {
            0 => 0.0,
            count => (*count as f64 * unit).max(LEAST),
        });
        let heights: Vec<f64> = heights.collect();
        // Where many parts are made higher than they are, all have to fit.
        let scale = (HEIGHT / heights.iter().sum::<f64>()).min(1.0);
        let mut y = HEIGHT;
        for (height, path) in heights.iter().zip(&mut paths) {
            if *height > 0.0 {
                let height = height * scale;
                y -= height;
                // Writing into a text does not fail.
                let _ = write!(path, "M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z");
            }
        }
    }
    paths
}

/// The times that are written below, evenly: where bars begin; where not all was counted, of the whole time.
fn axis(buckets: &[Bucket], histogram: &Histogram, local: &Local) -> Vec<String> {
    let (since, until) = (histogram.since, histogram.until);
    let spans_days = local.date(since) != local.date(until);
    let text = |moment: Timestamp| match histogram.step {
        Step::Month => local.month(moment),
        Step::Day | Step::Week | Step::HalfADay | Step::ThreeHours => {
            local.date(moment).to_string()
        }
        _ if spans_days => local.day_and_minute(moment),
        _ => local.hour_and_minute(moment),
    };
    if !histogram.exact {
        let part = (until.micros() - since.micros()) / (LABELS - 1);
        let moments =
            (0..LABELS).map(|label| Timestamp::from_micros(since.micros() + label * part));
        return moments.map(text).collect();
    }
    let labels = usize::try_from(LABELS).unwrap_or(1).min(buckets.len());
    let last = buckets.len().saturating_sub(1);
    let places = (0..labels).map(|label| label * last / labels.saturating_sub(1).max(1));
    let starts = places.filter_map(|at| Some(buckets.get(at)?.start.max(since)));
    starts.map(text).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::question::Moment;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn bucket(start: &str, counts: &[(Category, u64)]) -> Bucket {
        Bucket {
            start: time(start),
            counts: counts.iter().copied().collect(),
        }
    }

    /// Three days in Oslo, on the second of which clocks were put forward.
    fn histogram() -> Histogram {
        Histogram {
            since: time("2026-03-27T23:00:00Z"),
            until: time("2026-03-30T21:59:59.999999Z"),
            tz: "Europe/Oslo".parse().unwrap(),
            step: Step::Day,
            buckets: vec![
                bucket("2026-03-27T23:00:00Z", &[(Category::Members, 4)]),
                bucket(
                    "2026-03-28T23:00:00Z",
                    &[(Category::Members, 6), (Category::Secrets, 2)],
                ),
                bucket("2026-03-29T22:00:00Z", &[]),
            ],
            exact: true,
        }
    }

    fn local(histogram: &Histogram) -> Local {
        Local::new(&histogram.tz, time("2026-05-12T09:20:00Z"))
    }

    fn composed(histogram: &Histogram) -> ChartView {
        chart(histogram, &local(histogram))
    }

    #[test]
    fn bars_are_as_wide_as_their_time_and_as_high_as_their_entries() {
        let chart = composed(&histogram());
        assert_eq!(chart.title, "Entries per day, at most 8");
        let hours = |bar: &BarView| format!("{:.1}", bar.width * 71.0 / WIDTH);
        let hours: Vec<String> = chart.bars.iter().map(hours).collect();
        assert_eq!(hours, ["24.0", "23.0", "24.0"]);
        let counts: Vec<&[u64]> = chart.bars.iter().map(|bar| &*bar.counts).collect();
        assert_eq!(counts, [&[4, 0], &[6, 2], &[0, 0]]);
        // Six of eight, and on top of them two.
        assert!(
            chart.series[0].path.contains(" 16.0h"),
            "{:?}",
            chart.series
        );
        assert!(chart.series[1].path.contains(" 0.0h"), "{:?}", chart.series);
        assert_eq!(chart.series[1].path.matches('M').count(), 1);
        assert_eq!(chart.axis, ["2026-03-28", "2026-03-29", "2026-03-30"]);
    }

    #[test]
    fn a_bar_leads_to_exactly_its_time() {
        let histogram = histogram();
        let zone = histogram.tz.rules();
        let chart = composed(&histogram);
        let words = chart.bars.iter().map(|bar| bar.words.as_str());
        assert!(words.eq(["2026-03-28", "2026-03-29", "2026-03-30"]));
        for (bar, bucket) in chart.bars.iter().zip(&histogram.buckets) {
            assert_eq!(bar.since.first_instant(zone), bucket.start);
            assert!(matches!(bar.since, Moment::Date(_)), "{:?}", bar.since);
            assert!(matches!(bar.until, Moment::Date(_)), "{:?}", bar.until);
        }
        let ends = chart.bars.iter().map(|bar| bar.until.last_instant(zone));
        let next = histogram
            .buckets
            .iter()
            .skip(1)
            .map(|next| before(next.start));
        assert!(ends.eq(next.chain([histogram.until])));
    }

    #[test]
    fn what_is_cut_off_by_the_time_asked_for_is_not_led_to() {
        let histogram = Histogram {
            since: time("2026-03-28T10:30:00Z"),
            ..histogram()
        };
        let bar = composed(&histogram).bars.swap_remove(0);
        assert_eq!(bar.since.to_string(), "2026-03-28T11:30:00");
        assert_eq!(bar.until.to_string(), "2026-03-28");
    }

    #[test]
    fn of_centuries_there_are_no_more_bars_than_can_be_seen() {
        let month = |at: i64| {
            let start = Timestamp::MIN.micros() + at * 31 * 86_400_000_000;
            Bucket {
                start: Timestamp::from_micros(start),
                counts: [(Category::Data, 1)].into(),
            }
        };
        let histogram = Histogram {
            since: Timestamp::MIN,
            until: month(24_000).start,
            step: Step::Month,
            buckets: (0..24_000).map(month).collect(),
            ..histogram()
        };
        let chart = composed(&histogram);
        assert_eq!(chart.title, "Entries per 200 months, at most 200");
        assert_eq!(chart.bars.len(), BARS_MOST);
        let all: u64 = chart.bars.iter().map(BarView::total).sum();
        assert_eq!(all, 24_000);
    }

    #[test]
    fn of_an_hour_that_came_twice_each_has_a_bar_that_leads_to_it() {
        // Clocks were put back at 01:00Z: 02:00 came twice.
        let starts = [
            "2026-10-25T00:00:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T02:00:00Z",
        ];
        let histogram = Histogram {
            since: time("2026-10-25T00:00:00Z"),
            until: time("2026-10-25T02:30:00Z"),
            step: Step::Hour,
            buckets: starts
                .map(|start| bucket(start, &[(Category::Data, 1)]))
                .to_vec(),
            ..histogram()
        };
        let zone = histogram.tz.rules();
        let chart = composed(&histogram);
        for (at, bar) in chart.bars.iter().enumerate() {
            assert_eq!(bar.since.first_instant(zone), time(starts[at]));
            let end = starts.get(at + 1).map(|next| before(time(next)));
            let end = end.unwrap_or(histogram.until);
            assert_eq!(bar.until.last_instant(zone), end);
        }
        assert_eq!(chart.bars[2].words, "2026-10-25 03:00–03:30");
    }

    #[test]
    fn around_a_moment_are_twenty_minutes_before_and_after_it() {
        let local = local(&histogram());
        let (since, until) = local.around(time("2026-05-12T09:14:03.5Z"));
        assert_eq!(since.to_string(), "2026-05-12T10:54:00");
        assert_eq!(until.to_string(), "2026-05-12T11:34:59.999999");
    }

    #[test]
    fn of_many_categories_the_small_ones_stand_together() {
        let counts: Vec<(Category, u64)> = Category::ALL
            .into_iter()
            .enumerate()
            .map(|(at, category)| (category, 100 - at as u64))
            .collect();
        let histogram = Histogram {
            buckets: vec![bucket("2026-03-27T23:00:00Z", &counts)],
            ..histogram()
        };
        let chart = composed(&histogram);
        assert_eq!(chart.series.len(), SERIES_MOST);
        let rest: Vec<bool> = chart.series.iter().map(|series| series.is_rest).collect();
        assert_eq!(rest, [false, false, false, false, false, false, true]);
        let all: u64 = counts.iter().map(|(_, count)| count).sum();
        assert_eq!(chart.bars[0].total(), all);
    }

    #[test]
    fn what_was_not_counted_is_told() {
        let histogram = Histogram {
            exact: false,
            buckets: histogram().buckets.split_off(1),
            ..histogram()
        };
        let chart = composed(&histogram);
        assert_eq!(chart.title, "Entries per day");
        assert_eq!(chart.axis[0], "2026-03-28");
        assert_eq!(chart.axis[6], "2026-03-30");
        let (width, from) = chart.uncounted.unwrap();
        assert!((width - WIDTH * 24.0 / 71.0).abs() < 0.1, "{width}");
        assert_eq!(from, "2026-03-29 00:00");
    }

    #[test]
    fn where_nothing_occurred_there_are_no_bars_but_there_is_the_time() {
        let mut histogram = histogram();
        for bucket in &mut histogram.buckets {
            bucket.counts.clear();
        }
        let chart = composed(&histogram);
        assert_eq!(chart.title, "No entries in this time");
        assert_eq!((chart.series.len(), chart.bars.len()), (0, 3));
    }
}

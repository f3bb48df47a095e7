//! What was measured, as a table for people and as JSON for programs.

use crate::{error::BenchError, pages::Pages};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use std::{fmt, fs, path::Path, thread, time::Duration};

/// Everything that a run measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// On what.
    pub machine: Machine,
    /// With how many events.
    pub events: u64,
    /// From which seed.
    pub seed: u64,
    /// What was measured.
    pub rows: Vec<Row>,
    /// The questions that took longest.
    pub slowest: Vec<Slow>,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
}

/// The machine, as far as figures depend on it.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// What the processor calls itself.
    pub processor: String,
    /// How many threads run at once.
    pub cores: usize,
    /// Its memory in KiB; 0 where it is not known.
    pub memory_kib: u64,
}

impl Machine {
    /// This machine.
    pub fn this() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let value_of = |text: &str, name: &str| {
            text.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(key, _)| key.trim() == name)
                .map(|(_, value)| value.trim().to_owned())
        };
        let memory = value_of(&text("/proc/meminfo"), "MemTotal");
        Self {
            processor: value_of(&text("/proc/cpuinfo"), "model name")
                .unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_kib: memory
                .and_then(|text| text.split(' ').next()?.parse().ok())
                .unwrap_or(0),
        }
    }
}

/// In what a row is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Events a second: the more the better.
    #[serde(rename = "events/s")]
    EventsPerSecond,
    /// Requests a second: the more the better.
    #[serde(rename = "requests/s")]
    RequestsPerSecond,
    /// Milliseconds: the fewer the better.
    #[serde(rename = "ms")]
    Milliseconds,
    /// MiB: the fewer the better.
    #[serde(rename = "MiB")]
    Mebibytes,
    /// Bytes an event: the fewer the better.
    #[serde(rename = "bytes/event")]
    BytesPerEvent,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::EventsPerSecond => "events/s",
            Self::RequestsPerSecond => "requests/s",
            Self::Milliseconds => "ms",
            Self::Mebibytes => "MiB",
            Self::BytesPerEvent => "bytes/event",
        }
    }

    const fn more_is_better(self) -> bool {
        matches!(self, Self::EventsPerSecond | Self::RequestsPerSecond)
    }

    fn show(self, figure: f64) -> String {
        match self {
            Self::Milliseconds => format!("{figure:.2} ms"),
            _ => format!("{} {}", thousands(figure), self.name()),
        }
    }
}

/// One thing that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What.
    pub what: String,
    /// In what.
    pub unit: Unit,
    /// Daybook's figure.
    pub daybook: f64,
    /// The plain table's, where it was asked the same.
    pub plain: Option<f64>,
    /// How many times better Daybook is than the plain table.
    pub ratio: Option<f64>,
    /// ClickHouse's, where it was asked the same.
    pub clickhouse: Option<f64>,
    /// How many times better Daybook is than ClickHouse.
    pub clickhouse_ratio: Option<f64>,
    /// What Daybook must reach.
    pub bar: Option<f64>,
    /// Whether it does.
    pub met: Option<bool>,
}

impl Row {
    /// Daybook's figure for something.
    pub fn new(what: impl Into<String>, unit: Unit, daybook: f64) -> Self {
        Self {
            what: what.into(),
            unit,
            daybook,
            plain: None,
            ratio: None,
            clickhouse: None,
            clickhouse_ratio: None,
            bar: None,
            met: None,
        }
    }

    /// The same with the plain table's figure beside it.
    #[must_use]
    pub fn beside(mut self, plain: f64) -> Self {
        self.plain = Some(plain);
        self.ratio = self.better_than(plain);
        self
    }

    /// The same with ClickHouse's figure beside it.
    #[must_use]
    pub fn beside_clickhouse(mut self, clickhouse: f64) -> Self {
        self.clickhouse = Some(clickhouse);
        self.clickhouse_ratio = self.better_than(clickhouse);
        self
    }

    fn better_than(&self, other: f64) -> Option<f64> {
        let better = if self.unit.more_is_better() {
            self.daybook / other
        } else {
            other / self.daybook
        };
        better.is_finite().then_some(better)
    }

    /// The same with a bar that Daybook must reach.
    #[must_use]
    pub fn bar(mut self, bar: f64) -> Self {
        self.met = Some(if self.unit.more_is_better() {
            self.daybook >= bar
        } else {
            self.daybook <= bar
        });
        self.bar = Some(bar);
        self
    }
}

/// A question that took long.
#[derive(Clone, Debug, Serialize)]
pub struct Slow {
    /// Who answered.
    pub of: &'static str,
    /// The question, as in an address; with the page of its answer.
    pub question: String,
    /// How long it took in the middle of all times that it was asked, in milliseconds.
    pub median: f64,
    /// How long it took at most.
    pub worst: f64,
}

impl Report {
    /// Adds what was measured of pages.
    pub fn add(&mut self, pages: Pages) {
        self.rows.extend(pages.rows);
        self.slowest.extend(pages.slowest);
        self.notes.extend(pages.notes);
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), BenchError> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(path, text).map_err(BenchError::file(path))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine {
            processor,
            cores,
            memory_kib,
        } = &self.machine;
        writeln!(
            f,
            "{} events from seed {}, on {cores} cores of {processor}, {} GiB of memory\n",
            thousands_of(self.events),
            self.seed,
            memory_kib / 1024 / 1024,
        )?;
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header([
            "measured",
            "Daybook",
            "plain table",
            "ratio",
            "ClickHouse",
            "ratio",
            "bar",
            "met",
        ]);
        for row in &self.rows {
            let show =
                |figure: Option<f64>| figure.map_or_else(String::new, |it| row.unit.show(it));
            let times = |ratio: Option<f64>| {
                ratio.map_or_else(String::new, |ratio| format!("{ratio:.1} ×"))
            };
            let sign = if row.unit.more_is_better() {
                "≥"
            } else {
                "≤"
            };
            table.add_row([
                row.what.clone(),
                row.unit.show(row.daybook),
                show(row.plain),
                times(row.ratio),
                show(row.clickhouse),
                times(row.clickhouse_ratio),
                row.bar
                    .map_or_else(String::new, |bar| format!("{sign} {}", row.unit.show(bar))),
                match row.met {
                    None => String::new(),
                    Some(true) => "yes".to_owned(),
                    Some(false) => "NO".to_owned(),
                },
            ]);
        }
        for column in 1..=6 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        writeln!(f, "{table}")?;
        if !self.slowest.is_empty() {
            let mut table = Table::new();
            table.load_style(presets::ASCII_MARKDOWN).set_header([
                "of",
                "median",
                "worst",
                "the slowest questions",
            ]);
            for slow in &self.slowest {
                table.add_row([
                    slow.of.to_owned(),
                    Unit::Milliseconds.show(slow.median),
                    Unit::Milliseconds.show(slow.worst),
                    slow.question.clone(),
                ]);
            }
            writeln!(f, "\n{table}")?;
        }
        for note in &self.notes {
            writeln!(f, "\n{note}")?;
        }
        Ok(())
    }
}

/// How long things took.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// So many of a thousand took no longer than this, in milliseconds; 0 where nothing was timed.
    pub fn per_mille(&self, part: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * part).div_ceil(1_000).max(1) - 1;
        sorted.get(place).copied().map_or(0.0, milliseconds)
    }

    /// Half of them took no longer than this, in milliseconds.
    pub fn median(&self) -> f64 {
        self.per_mille(500)
    }

    /// The longest, in milliseconds.
    pub fn worst(&self) -> f64 {
        self.per_mille(1_000)
    }
}

impl Extend<Duration> for Times {
    fn extend<I: IntoIterator<Item = Duration>>(&mut self, times: I) {
        self.0.extend(times);
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        Self(times.into_iter().collect())
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// So many in so long, by the second.
pub fn rate(count: u64, time: Duration) -> f64 {
    float(count) / time.as_secs_f64().max(1e-9)
}

/// A count as a figure.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub const fn float(count: u64) -> f64 {
    count as f64
}

/// A figure without its fraction, its digits in groups.
fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its digits in groups.
pub fn thousands_of(count: u64) -> String {
    thousands(float(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(millis: impl IntoIterator<Item = u64>) -> Times {
        millis.into_iter().map(Duration::from_millis).collect()
    }

    fn is(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let all = times((1..=100).rev());
        assert!(is(all.median(), 50.0));
        assert!(is(all.per_mille(990), 99.0));
        assert!(is(all.worst(), 100.0));
        assert!(is(times([7]).per_mille(990), 7.0));
        assert!(is(times([]).worst(), 0.0));
    }

    #[test]
    fn a_ratio_says_how_many_times_better_whatever_is_measured() {
        let rate = Row::new("", Unit::EventsPerSecond, 30_000.0).beside(10_000.0);
        assert!(rate.ratio.is_some_and(|ratio| is(ratio, 3.0)));
        let time = Row::new("", Unit::Milliseconds, 2.0).beside(8.0);
        assert!(time.ratio.is_some_and(|ratio| is(ratio, 4.0)));
    }

    #[test]
    fn a_bar_is_a_least_for_rates_and_a_most_for_times() {
        let met = |unit| Row::new("", unit, 5.0).bar(4.0).met;
        assert_eq!(met(Unit::RequestsPerSecond), Some(true));
        assert_eq!(met(Unit::Milliseconds), Some(false));
        assert_eq!(
            Row::new("", Unit::Milliseconds, 4.0).bar(4.0).met,
            Some(true)
        );
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!(thousands(999.4), "999");
        assert_eq!(thousands(1_000.0), "1,000");
        assert_eq!(thousands_of(12_345_678), "12,345,678");
    }
}

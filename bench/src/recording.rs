//! Recording: batches of 1,000 events with keys, until they are durable and can be found. What it
//! leaves behind is the set that the other parts ask.

use crate::{
    clickhouse::ClickHouse,
    data::{self, Set, World},
    error::BenchError,
    log::{LARGE, Log, SMALL},
    plain_table::PlainTable,
    report::{Row, Unit, rate},
};
use domain::{event::NewEvent, time::Timestamp};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use store::{DatabaseUrl, Options, clock::Clock};

/// One in so many events is the small one's.
const SMALL_PART: u64 = 50;
/// How many events are sent at once.
pub const BATCH: usize = 1_000;
/// How many batches are made before the clock runs on: enough for the index to fall far behind.
const CHUNK: usize = 400;
/// How many events a single sender records, where it is measured by itself.
const ALONE: u64 = 100_000;
/// How many events are recorded one by one, and how many send them.
const ONE_BY_ONE: u64 = 50_000;
const ONE_BY_ONE_SENDERS: usize = 64;
/// How many events a second the store must take while its index may fall behind, and how many with everything
/// indexed.
const DURABLE: f64 = 50_000.0;
const INDEXED: f64 = 25_000.0;

/// A clock that showed the end of the set when it was made: on whatever day something is measured,
/// "the last 24 hours" are the set's.
#[derive(Debug)]
pub struct SetTime(Instant);

impl SetTime {
    /// It is the end of the set now.
    pub fn begin() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SetTime {
    fn now(&self) -> Timestamp {
        let since = chrono::TimeDelta::from_std(self.0.elapsed()).unwrap_or_default();
        data::end_of_set().plus(since)
    }
}

/// What says which set a folder holds, written when it is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Label {
    version: u32,
    seed: u64,
    events: u64,
    /// A token that may read the store's large workspace.
    token: String,
}

/// The folders in which sets are kept.
#[derive(Clone, Debug)]
pub struct Sets {
    folder: PathBuf,
    set: Set,
    /// How many send at the same time.
    senders: usize,
}

/// How long recording took, piece by piece.
#[derive(Debug, Default)]
pub struct Recorded(Vec<Piece>);

/// Some events that were recorded one after the other, into a log whose index had everything before them.
#[derive(Clone, Copy, Debug)]
struct Piece {
    events: u64,
    /// Until the last of them was durable.
    durable: Duration,
    /// Until the index had all of them too.
    indexed: Duration,
}

impl Recorded {
    /// Has batches recorded by so many senders at the same time. Events are made while the clock stands.
    ///
    /// # Errors
    ///
    /// Something was not recorded.
    pub async fn of(
        log: &Log,
        mut batches: impl Iterator<Item = (&'static str, Vec<NewEvent>)>,
        senders: usize,
        bar: &ProgressBar,
    ) -> Result<Self, BenchError> {
        let mut recorded = Self::default();
        loop {
            let chunk: Vec<_> = batches.by_ref().take(CHUNK).collect();
            let count: usize = chunk.iter().map(|(_, batch)| batch.len()).sum();
            if count == 0 {
                return Ok(recorded);
            }
            recorded.0.push(Piece::of(log, chunk, senders).await?);
            bar.inc(count as u64);
        }
    }

    fn rate(pieces: &[Piece], time: impl Fn(&Piece) -> Duration) -> f64 {
        let events = pieces.iter().map(|piece| piece.events).sum();
        rate(events, pieces.iter().map(time).sum())
    }

    /// The last tenth: when nearly everything is there.
    fn last_tenth(&self) -> &[Piece] {
        let last = self.0.len().div_ceil(10);
        &self.0[self.0.len() - last..]
    }

    /// Events a second until they were durable, of all.
    fn durable(&self) -> f64 {
        Self::rate(&self.0, |piece| piece.durable)
    }

    /// Events a second until they were durable and indexed, of all.
    pub fn indexed(&self) -> f64 {
        Self::rate(&self.0, |piece| piece.indexed)
    }
}

impl Piece {
    /// Has some batches recorded by so many senders at the same time.
    async fn of(
        log: &Log,
        batches: Vec<(&'static str, Vec<NewEvent>)>,
        senders: usize,
    ) -> Result<Self, BenchError> {
        let events = batches.iter().map(|(_, batch)| batch.len() as u64).sum();
        let begun = Instant::now();
        log.record(batches, senders).await?;
        let durable = begun.elapsed();
        log.wait_for_index().await?;
        Ok(Self {
            events,
            durable,
            indexed: begun.elapsed(),
        })
    }
}

impl Sets {
    /// The sets in a folder.
    pub fn new(folder: &Path, seed: u64, events: u64, senders: usize) -> Self {
        let set = Set {
            seed,
            events,
            end: data::end_of_set(),
        };
        Self {
            folder: folder.to_owned(),
            set,
            senders,
        }
    }

    fn store_folder(&self) -> PathBuf {
        self.folder.join("store")
    }

    fn plain_folder(&self) -> PathBuf {
        self.folder.join("plain")
    }

    /// How the store's set is opened, with the set's time.
    pub fn store_options(&self) -> Options {
        options_in(&self.store_folder())
    }

    /// Where the store's log is.
    pub fn database(&self) -> PathBuf {
        database(&self.store_folder())
    }

    fn clickhouse_folder(&self) -> PathBuf {
        self.folder.join("clickhouse")
    }

    /// ClickHouse with the set, which is loaded where it is not there yet.
    ///
    /// # Errors
    ///
    /// It does not start, or cannot be loaded.
    pub fn clickhouse(&self, python: &Path, world: &World) -> Result<ClickHouse, BenchError> {
        let folder = self.clickhouse_folder();
        if self.is_in(&folder) {
            return ClickHouse::open(python, &folder);
        }
        let mut clickhouse = ClickHouse::open(python, &empty(&folder)?)?;
        let bar = bar(self.set.events, "loading ClickHouse");
        for (place, batch) in self.batches(world, self.set.events) {
            clickhouse.record(place, &batch)?;
            bar.inc(batch.len() as u64);
        }
        bar.finish_and_clear();
        let events = clickhouse.complete()?;
        if events != self.set.events {
            return Err(BenchError::Unfit(format!(
                "{} events were loaded, and ClickHouse holds {events}",
                self.set.events
            )));
        }
        self.write_label(&folder, String::new())?;
        Ok(clickhouse)
    }

    /// Where the plain table is.
    pub fn plain_path(&self) -> PathBuf {
        self.plain_folder().join("plain.db")
    }

    /// The token that reads the store's large workspace.
    ///
    /// # Errors
    ///
    /// The set is not there.
    pub fn token(&self) -> Result<String, BenchError> {
        label_in(&self.store_folder())
            .map(|label| label.token)
            .ok_or_else(|| BenchError::Unfit("the set is not there".to_owned()))
    }

    fn is_in(&self, folder: &Path) -> bool {
        label_in(folder).is_some_and(|label| {
            (label.version, label.seed, label.events)
                == (data::VERSION, self.set.seed, self.set.events)
        })
    }

    /// A copy of the store's set, with its key, in a folder of its own.
    ///
    /// # Errors
    ///
    /// It cannot be copied.
    pub fn copy(&self, folder: &Path) -> Result<PathBuf, BenchError> {
        let copy = empty(folder)?;
        for ending in ["", ".index", ".key"] {
            let suffixed = |path: PathBuf| {
                let mut name = path.into_os_string();
                name.push(ending);
                name
            };
            let from = suffixed(self.database());
            fs::copy(&from, suffixed(database(&copy))).map_err(BenchError::file(&from))?;
        }
        Ok(copy)
    }

    /// How many events the set has.
    pub fn events(&self) -> u64 {
        self.set.events
    }

    /// How many send at the same time.
    pub fn senders(&self) -> usize {
        self.senders
    }

    /// How many of the set's events are the large workspace's.
    pub fn in_large(&self) -> u64 {
        self.set.events - self.set.events / SMALL_PART
    }

    fn write_label(&self, folder: &Path, token: String) -> Result<(), BenchError> {
        let label = Label {
            version: data::VERSION,
            seed: self.set.seed,
            events: self.set.events,
            token,
        };
        let path = folder.join("set.json");
        fs::write(&path, serde_json::to_string(&label)?).map_err(BenchError::file(&path))
    }

    /// Makes the sets that are not there yet; those that are there are taken as they are.
    ///
    /// # Errors
    ///
    /// They cannot be made.
    pub async fn make_missing(&self, world: &World, plain: bool) -> Result<(), BenchError> {
        if !self.is_in(&self.store_folder()) {
            self.record_into_store(world).await?;
        }
        if plain && !self.is_in(&self.plain_folder()) {
            self.record_into_plain_table(world).await?;
        }
        Ok(())
    }

    /// Records the set anew, into the store and, where it is wanted, into the plain table, and tells how quick it was.
    ///
    /// # Errors
    ///
    /// Something could not be recorded.
    pub async fn measure(&self, world: &World, with_plain: bool) -> Result<Vec<Row>, BenchError> {
        let alone = self.record_alone(world).await?;
        let one_by_one = self.record_one_by_one(world).await?;
        let store = self.record_into_store(world).await?;
        let plain = if with_plain {
            Some(self.record_into_plain_table(world).await?)
        } else {
            None
        };
        let events = Unit::EventsPerSecond;
        let last = |recorded: &Recorded| {
            let last = recorded.last_tenth();
            Recorded::rate(last, |piece| piece.indexed)
        };
        let row = |what: &str, of: &dyn Fn(&Recorded) -> f64| {
            let row = Row::new(what, events, of(&store));
            match &plain {
                Some(plain) => row.beside(of(plain)),
                None => row,
            }
        };
        let recording = format!(
            "recording, batches of 1,000 by {} senders, durable and found",
            self.senders
        );
        let indexed = "the same until all is indexed too";
        Ok(vec![
            row(&recording, &Recorded::durable).bar(DURABLE),
            row(indexed, &Recorded::indexed).bar(INDEXED),
            row("the same, the last tenth of all events", &last),
            Row::new(
                "one sender, into an empty log, durable and found",
                events,
                alone.durable(),
            ),
            Row::new(
                format!(
                    "one event at a time by {ONE_BY_ONE_SENDERS} senders, into an empty log, durable and found"
                ),
                events,
                one_by_one.durable(),
            ),
        ])
    }

    /// What many senders record into an empty log, one event at a time.
    async fn record_one_by_one(&self, world: &World) -> Result<Recorded, BenchError> {
        let folder = empty(&self.folder.join("alone"))?;
        let log = Log::create(options_in(&folder)).await?;
        let events = self.set.events.min(ONE_BY_ONE);
        let bar = bar(events, "recording one event at a time");
        let set = Set { events, ..self.set };
        let ones = set
            .events(world)
            .map(|event| (LARGE, vec![event]))
            .collect();
        let recorded = Recorded(vec![Piece::of(&log, ones, ONE_BY_ONE_SENDERS).await?]);
        bar.finish_and_clear();
        log.close().await;
        fs::remove_dir_all(&folder).map_err(BenchError::file(&folder))?;
        Ok(recorded)
    }

    /// The set's batches in the order in which they are sent, each with its workspace.
    pub fn batches<'a>(
        &self,
        world: &'a World,
        events: u64,
    ) -> impl Iterator<Item = (&'static str, Vec<NewEvent>)> + 'a {
        let set = Set { events, ..self.set };
        let mut all = set.events(world);
        let mut number = 0;
        std::iter::from_fn(move || {
            let batch: Vec<NewEvent> = all.by_ref().take(BATCH).collect();
            number += 1;
            let place = if number % SMALL_PART == 0 {
                SMALL
            } else {
                LARGE
            };
            (!batch.is_empty()).then_some((place, batch))
        })
    }

    /// What one sender records by itself into an empty log.
    async fn record_alone(&self, world: &World) -> Result<Recorded, BenchError> {
        let folder = empty(&self.folder.join("alone"))?;
        let log = Log::create(options_in(&folder)).await?;
        let events = self.set.events.min(ALONE);
        let bar = bar(events, "recording by one sender");
        let recorded = Recorded::of(&log, self.batches(world, events), 1, &bar).await?;
        bar.finish_and_clear();
        log.close().await;
        fs::remove_dir_all(&folder).map_err(BenchError::file(&folder))?;
        Ok(recorded)
    }

    async fn record_into_store(&self, world: &World) -> Result<Recorded, BenchError> {
        let folder = empty(&self.store_folder())?;
        let log = Log::create(options_in(&folder)).await?;
        let bar = bar(self.set.events, "recording into Daybook");
        let batches = self.batches(world, self.set.events);
        let recorded = Recorded::of(&log, batches, self.senders, &bar).await?;
        bar.finish_and_clear();
        log.holds(self.in_large()).await?;
        let token = log.token().to_owned();
        log.close().await;
        self.write_label(&folder, token)?;
        Ok(recorded)
    }

    async fn record_into_plain_table(&self, world: &World) -> Result<Recorded, BenchError> {
        let folder = empty(&self.plain_folder())?;
        let mut table = PlainTable::open(&self.plain_path()).await?;
        let bar = bar(self.set.events, "recording into the plain table");
        let mut recorded = Recorded::default();
        for (place, batch) in self.batches(world, self.set.events) {
            let begun = Instant::now();
            table.record(place, &batch).await?;
            let took = begun.elapsed();
            recorded.0.push(Piece {
                events: batch.len() as u64,
                durable: took,
                indexed: took,
            });
            bar.inc(batch.len() as u64);
        }
        bar.finish_and_clear();
        let count = table.count().await?;
        if count != self.set.events {
            return Err(BenchError::Unfit(format!(
                "{} events were recorded, and the plain table holds {count}",
                self.set.events
            )));
        }
        table.analyze().await?;
        table.close().await?;
        self.write_label(&folder, String::new())?;
        Ok(recorded)
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("daybook.db")
}

/// A log in a folder, with the set's time.
pub fn options_in(folder: &Path) -> Options {
    Options {
        clock: Arc::new(SetTime::begin()),
        ..Options::new(DatabaseUrl::Sqlite(database(folder)))
    }
}

fn label_in(folder: &Path) -> Option<Label> {
    let text = fs::read_to_string(folder.join("set.json")).ok()?;
    serde_json::from_str(&text).ok()
}

/// Makes a folder in which nothing is.
///
/// # Errors
///
/// It cannot be made.
pub fn empty(folder: &Path) -> Result<PathBuf, BenchError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(BenchError::file(folder))?;
    }
    fs::create_dir_all(folder).map_err(BenchError::file(folder))?;
    Ok(folder.to_owned())
}

/// A bar on screen that counts up to `length`.
pub fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg}: {wide_bar} {human_pos} of {human_len}, {per_sec}, {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(length)
        .with_style(style)
        .with_message(what);
    if bar.is_hidden() {
        // Where nobody watches a bar, a line tells what is going on.
        eprintln!("{what} …");
    }
    bar
}

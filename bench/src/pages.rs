//! Pages of 50: how long the store takes for one, whatever is asked, and how long the plain table
//! takes for the same.

use crate::{
    brute_force::BruteForce,
    data::{Dice, World, end_of_set},
    error::BenchError,
    log::{LARGE, grant},
    plain_table::PlainTable,
    questions::{combined, in_every_order, single_filters},
    recording::{Sets, bar},
    report::{Row, Slow, Times, Unit},
};
use domain::{
    event::Event,
    question::{Filter, Limit, Moment, Query, Sort},
    time::Timestamp,
};
use std::{
    fmt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use store::{Scope, Store, question::Page};

/// How long a page may take, in milliseconds.
#[derive(Clone, Copy)]
struct Bars {
    /// At the median; nothing is demanded where there is none.
    p50: Option<f64>,
    /// At the 99th percentile.
    p99: f64,
    /// At most; nothing is demanded where there is none.
    worst: Option<f64>,
}

/// What pages are of.
struct Told {
    /// What stands before each figure's name.
    of: &'static str,
    filters: &'static str,
    bars: Bars,
}

/// What a page from SQLite may take.
const SQLITE: Bars = Bars {
    p50: None,
    p99: 5.0,
    worst: None,
};
/// And one of several filters together.
const SQLITE_COMBINED: Bars = Bars {
    p50: None,
    p99: 10.0,
    worst: Some(60.0),
};
/// What a page from PostgreSQL may take.
const POSTGRES: Bars = Bars {
    p50: Some(3.0),
    p99: 15.0,
    worst: None,
};
/// How many pages of 500 are turned to get deep into an answer.
const DEEP: usize = 10;
/// A page that takes the plain table no longer than this, in milliseconds, is not compared with its.
const SHORT: f64 = 1.0;
/// What pages of one filter are called.
const ONE: &str = "any one filter";
/// How many times as quick as ClickHouse Daybook is to be.
const TIMES: f64 = 10.0;
/// On how many of the pages that it was least better on is told.
const LEAST: usize = 5;
/// The same of several filters together, of which very many are asked for.
const SHALLOW: usize = 2;
/// How many of the slowest questions are told of.
const SLOWEST: usize = 12;

/// Which page of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    First,
    /// Somewhere in the middle, reached by turning pages.
    Deep,
    /// The page before that one, reached by going back.
    Back,
    Last,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first page",
            Self::Deep => "a page further on",
            Self::Back => "the page before it",
            Self::Last => "last page",
        })
    }
}

/// One page to ask for, and how long it took each time.
struct Asked {
    query: Query,
    place: Place,
    /// How many events come before it.
    offset: usize,
    times: Vec<Duration>,
}

impl Asked {
    fn name(&self) -> String {
        let text = self.query.from_start().query_string();
        let text = form_urlencoded::parse(text.as_bytes())
            .filter(|(name, _)| name != "limit")
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(" ");
        let text = if text.is_empty() {
            "no filter"
        } else {
            text.as_str()
        };
        format!("{text}, {} (after {})", self.place, self.offset)
    }

    fn slow(&self, of: &'static str) -> Slow {
        let times: Times = self.times.iter().copied().collect();
        Slow {
            of,
            question: self.name(),
            median: times.median(),
            worst: times.worst(),
        }
    }

    /// In milliseconds.
    fn median(&self) -> f64 {
        self.times.iter().copied().collect::<Times>().median()
    }

    /// The same page, as another answered it.
    fn taking(&self, time: Duration) -> Self {
        Self {
            query: self.query.clone(),
            times: vec![time],
            ..*self
        }
    }
}

/// What was measured of pages.
pub struct Pages {
    /// The figures.
    pub rows: Vec<Row>,
    /// The slowest questions.
    pub slowest: Vec<Slow>,
    /// What of the figures should be known.
    pub notes: Vec<String>,
}

/// The log that is asked.
pub struct Reader {
    store: Store,
    scope: Scope,
}

impl Reader {
    /// Asks for what a token may read.
    ///
    /// # Errors
    ///
    /// The token is not good.
    pub async fn new(store: Store, token: &str) -> Result<Self, BenchError> {
        let scope = grant(&store, token).await?.read_scope()?;
        Ok(Self { store, scope })
    }

    /// A page.
    ///
    /// # Errors
    ///
    /// The question was not answered.
    pub async fn page(&self, query: &Query) -> Result<Page, BenchError> {
        let answer = self.store.page(&self.scope, query).await;
        answer.map_err(|source| BenchError::Question {
            question: query.from_start().query_string(),
            source,
        })
    }

    /// The events that the log recorded of itself: they come after those of the set.
    async fn own(&self) -> Result<Vec<Event>, BenchError> {
        let query = Query {
            filter: Filter {
                since: Some(Moment::Absolute(end_of_set())),
                ..Filter::default()
            },
            limit: Some(Limit::MOST),
            ..Query::default()
        };
        let events = self.page(&query).await?.events.into_iter();
        Ok(events
            .filter(|event| event.idempotency_key.is_none())
            .collect())
    }

    /// Asks for every page so many times, and closes the log.
    async fn ask(
        self,
        mut asked: Vec<Asked>,
        rounds: usize,
        seed: u64,
    ) -> Result<Vec<Asked>, BenchError> {
        let mut dice = Dice::new(seed);
        let progress = bar((asked.len() * rounds) as u64, "asking Daybook for pages");
        for _ in 0..rounds {
            dice.shuffle(&mut asked);
            for question in &mut asked {
                let begun = Instant::now();
                let page = self.page(&question.query).await?;
                question.times.push(begun.elapsed());
                drop(page);
                progress.inc(1);
            }
        }
        progress.finish_and_clear();
        self.store.close().await;
        Ok(asked)
    }

    /// The pages of an answer that are asked for: the first, one that is reached by turning pages
    /// (half of the answer, or as far as `most` pages of 500 go), the one before that, and the last
    /// where turning pages gets there. The last of a longer answer is the first in the other order.
    async fn places(&self, query: &Query, most: usize) -> Result<Vec<Asked>, BenchError> {
        let by_500 = Query {
            limit: Some(Limit::MOST),
            ..query.clone()
        };
        let mut turned = vec![(query.clone(), 0)];
        let mut seen = 0;
        let mut next = by_500.clone();
        let ended = loop {
            let page = self.page(&next).await?;
            seen += page.events.len();
            let Some(older) = page.older else { break true };
            turned.push((query.at(older.clone()), seen));
            if turned.len() > most {
                break false;
            }
            next = by_500.at(older);
        };
        let asked = |query: Query, place: Place, offset: usize| Asked {
            query,
            place,
            offset,
            times: Vec::new(),
        };
        let mut all = vec![asked(query.clone(), Place::First, 0)];
        let deep = if ended {
            turned.len() / 2
        } else {
            turned.len() - 1
        };
        if deep > 0
            && let Some((deep, offset)) = turned.get(deep)
        {
            let page = self.page(deep).await?;
            if let Some(newer) = page.newer {
                let before = offset.saturating_sub(query.page_size());
                all.push(asked(query.at(newer), Place::Back, before));
            }
            all.push(asked(deep.clone(), Place::Deep, *offset));
        }
        if ended && let Some((mut last, mut offset)) = turned.pop() {
            loop {
                let page = self.page(&last).await?;
                let Some(older) = page.older else { break };
                offset += page.events.len();
                last = query.at(older);
            }
            if offset > 0 {
                all.push(asked(last, Place::Last, offset));
            }
        }
        Ok(all)
    }
}

/// What else is asked for the same pages: each for so long, because some take so long there that a run would not end.
pub struct Others {
    /// The plain table; it is left out where there is no time for it.
    pub plain_time: Duration,
    /// ClickHouse, with the Python that has it.
    pub clickhouse: Option<(PathBuf, Duration)>,
}

/// Asks the store for pages, and others for the same.
///
/// # Errors
///
/// A question was not answered.
pub async fn measure(
    sets: &Sets,
    world: &World,
    events: u64,
    rounds: usize,
    others: &Others,
) -> Result<Pages, BenchError> {
    let store = Store::open(sets.store_options()).await?;
    let now = store.now();
    let asked = ask(store, &sets.token()?, world, events, rounds).await?;
    let of = Told {
        of: "",
        filters: ONE,
        bars: SQLITE,
    };
    beside_others(sets, world, now, asked, others, of).await
}

/// Asks the store for pages of two and three filters together, and others for the same. Every page is compared with
/// what all events of the set say, looked at one by one.
///
/// # Errors
///
/// A question was not answered, or wrongly.
pub async fn measure_combined(
    sets: &Sets,
    world: &World,
    (seed, questions): (u64, usize),
    rounds: usize,
    others: &Others,
) -> Result<Pages, BenchError> {
    let store = Store::open(sets.store_options()).await?;
    let now = store.now();
    let reader = Reader::new(store, &sets.token()?).await?;
    let looking = bar(0, "looking at all events one by one");
    let own = reader.own().await?;
    let brute_force = BruteForce::new(sets, world, &own);
    looking.finish_and_clear();
    let asked = combined(world, end_of_set(), seed, questions)?;
    let comparing = bar(asked.len() as u64, "comparing pages with all events");
    let mut pages = Vec::new();
    for query in &asked {
        let of_query = reader.places(query, SHALLOW).await?;
        let mut there = Vec::with_capacity(of_query.len());
        let mut span = query.filter.span(now);
        for asked in &of_query {
            let page = reader.page(&asked.query).await?;
            span = page.span;
            there.push((asked.offset, page.events));
        }
        brute_force.check(query, span, &there)?;
        pages.extend(of_query);
        comparing.inc(1);
    }
    comparing.finish_and_clear();
    drop(brute_force);
    let compared = pages.len();
    let pages = reader.ask(pages, rounds, seed).await?;
    let of = Told {
        of: "",
        filters: "two or three filters",
        bars: SQLITE_COMBINED,
    };
    let mut told = beside_others(sets, world, now, pages, others, of).await?;
    told.notes.push(format!(
        "Two or three filters: {questions} combinations; each of {compared} pages was compared with what all events say, \
         and was right."
    ));
    Ok(told)
}

/// Asks others for the same pages, and tells how quick everybody was.
async fn beside_others(
    sets: &Sets,
    world: &World,
    now: Timestamp,
    mut asked: Vec<Asked>,
    others: &Others,
    of: Told,
) -> Result<Pages, BenchError> {
    Dice::new(sets.events() + 1).shuffle(&mut asked);
    let plain = if others.plain_time.is_zero() {
        Vec::new()
    } else {
        ask_plain_table(sets, &asked, now, others.plain_time).await?
    };
    let clickhouse = match &others.clickhouse {
        Some((python, time)) => ask_clickhouse(sets, world, &asked, now, (python, *time))?,
        None => Vec::new(),
    };
    let filters = of.filters;
    let mut pages = told(&asked, &plain, &clickhouse, of);
    pages.notes.push(format!(
        "Pages of {filters}: {} different ones, each asked of Daybook {} times; {} of them, drawn at random, of the \
         plain table once, and {} of ClickHouse.",
        asked.len(),
        asked.first().map_or(0, |one| one.times.len()),
        plain.len(),
        clickhouse.len(),
    ));
    let of_plain = |other: f64| (other > SHORT).then_some(1.0);
    let plain_table = "the plain table where it took more than 1 ms";
    pages
        .notes
        .extend(slower(&asked, &plain, plain_table, of_plain));
    pages
        .notes
        .extend(slower(&asked, &clickhouse, "ClickHouse", |_| Some(TIMES)));
    Ok(pages)
}

async fn ask_plain_table(
    sets: &Sets,
    asked: &[Asked],
    now: Timestamp,
    time: Duration,
) -> Result<Vec<Asked>, BenchError> {
    let mut table = PlainTable::open(&sets.plain_path()).await?;
    let progress = bar(
        asked.len() as u64,
        "asking the plain table for the same pages",
    );
    let mut plain = Vec::new();
    let begun = Instant::now();
    for question in asked {
        if begun.elapsed() > time {
            break;
        }
        let asking = Instant::now();
        let offset = question.offset as u64;
        table.page(LARGE, &question.query, now, offset).await?;
        plain.push(question.taking(asking.elapsed()));
        progress.inc(1);
    }
    progress.finish_and_clear();
    table.close().await?;
    Ok(plain)
}

fn ask_clickhouse(
    sets: &Sets,
    world: &World,
    asked: &[Asked],
    now: Timestamp,
    (python, time): (&Path, Duration),
) -> Result<Vec<Asked>, BenchError> {
    let mut clickhouse = sets.clickhouse(python, world)?;
    let progress = bar(asked.len() as u64, "asking ClickHouse for the same pages");
    // What it reads first is in memory then.
    for question in asked.iter().take(20) {
        clickhouse.page(LARGE, &question.query, now, question.offset)?;
    }
    let mut answered = Vec::new();
    let begun = Instant::now();
    for question in asked {
        if begun.elapsed() > time {
            break;
        }
        let (took, _) = clickhouse.page(LARGE, &question.query, now, question.offset)?;
        answered.push(question.taking(took));
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(answered)
}

/// On how many pages Daybook was less than so many times as quick as another; and on which ones it was least so.
/// `wanted` tells how many times, of what the other took in milliseconds, where anything is wanted.
fn slower(
    asked: &[Asked],
    other: &[Asked],
    name: &str,
    wanted: impl Fn(f64) -> Option<f64>,
) -> Option<String> {
    let mut ratios: Vec<(f64, bool, &Asked)> = asked
        .iter()
        .zip(other)
        .filter_map(|(own, other)| {
            let took = other.median();
            let ratio = took / own.median();
            Some((ratio, ratio < wanted(took)?, own))
        })
        .collect();
    ratios.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let missed = ratios.iter().filter(|(_, missed, _)| *missed).count();
    let least = ratios
        .iter()
        .take(LEAST)
        .map(|(ratio, _, own)| format!("{ratio:.1} × ({}, {:.2} ms)", own.name(), own.median()));
    let least: Vec<String> = least.collect();
    (!ratios.is_empty()).then(|| {
        format!(
            "Beside {name}: Daybook missed what is wanted of it on {missed} of {} pages. It was least better on: {}.",
            ratios.len(),
            least.join("; "),
        )
    })
}

/// Asks a log on PostgreSQL for the same pages.
///
/// # Errors
///
/// A question was not answered.
pub async fn measure_postgres(
    store: Store,
    token: &str,
    world: &World,
    events: u64,
    rounds: usize,
) -> Result<Pages, BenchError> {
    let asked = ask(store, token, world, events, rounds).await?;
    let of = Told {
        of: "PostgreSQL: ",
        filters: ONE,
        bars: POSTGRES,
    };
    Ok(told(&asked, &[], &[], of))
}

/// Asks a log for every page so many times.
async fn ask(
    store: Store,
    token: &str,
    world: &World,
    events: u64,
    rounds: usize,
) -> Result<Vec<Asked>, BenchError> {
    let reader = Reader::new(store, token).await?;
    let mut asked = Vec::new();
    let filters = single_filters(world, end_of_set())?;
    let turning = bar(
        filters.len() as u64,
        "turning pages to where they are asked for",
    );
    for filter in &filters {
        // Without a filter to the middle of everything; else less deep, for the sake of time.
        let most = if filter.is_empty() {
            usize::try_from(events / 1_000).unwrap_or(DEEP).max(DEEP)
        } else {
            DEEP
        };
        for query in in_every_order(filter) {
            asked.extend(reader.places(&query, most).await?);
        }
        turning.inc(1);
    }
    turning.finish_and_clear();

    reader.ask(asked, rounds, events).await
}

/// Which sorts a row is about.
type Chosen = fn(Sort) -> bool;

/// The figures of what was asked, with `of` before each one's name; `plain` and `clickhouse` are the first of `asked`,
/// as these took them.
fn told(
    asked: &[Asked],
    plain: &[Asked],
    clickhouse: &[Asked],
    Told { of, filters, bars }: Told,
) -> Pages {
    let times = |asked: &[Asked], takes: Chosen| -> Times {
        asked
            .iter()
            .filter(|question| takes(question.query.sort))
            .flat_map(|question| question.times.iter().copied())
            .collect()
    };
    let mut rows = Vec::new();
    let kinds: [(&str, Chosen); 3] = [
        ("any order", |_| true),
        ("by time", |sort| sort == Sort::Time),
        ("by a text", |sort| sort != Sort::Time),
    ];
    for (what, takes) in kinds {
        let (own, other) = (times(asked, takes), times(plain, takes));
        let clickhouse = times(clickhouse, takes);
        for (name, part) in [("p50", 500), ("p99", 990), ("worst", 1_000)] {
            let mut row = Row::new(
                format!("{of}a page of 50, {filters}, {what}: {name}"),
                Unit::Milliseconds,
                own.per_mille(part),
            );
            if other.len() > 0 {
                row = row.beside(other.per_mille(part));
            }
            if clickhouse.len() > 0 {
                row = row.beside_clickhouse(clickhouse.per_mille(part));
            }
            let bar = match part {
                500 => bars.p50,
                990 => Some(bars.p99),
                _ => bars.worst,
            };
            rows.push(match bar {
                Some(bar) => row.bar(bar),
                None => row,
            });
        }
    }
    let slowest = |asked: &[Asked], of| {
        let mut all: Vec<Slow> = asked.iter().map(|question| question.slow(of)).collect();
        all.sort_by(|one, other| other.median.total_cmp(&one.median));
        all.truncate(SLOWEST);
        all
    };
    let name = if of.is_empty() {
        "Daybook"
    } else {
        "Daybook on PostgreSQL"
    };
    let mut slow = slowest(asked, name);
    let mut worst: Vec<Slow> = asked.iter().map(|question| question.slow(name)).collect();
    worst.sort_by(|one, other| other.worst.total_cmp(&one.worst));
    worst.truncate(3);
    worst.retain(|one| slow.iter().all(|other| other.question != one.question));
    slow.extend(worst);
    slow.extend(slowest(plain, "plain table").into_iter().take(6));
    slow.extend(slowest(clickhouse, "ClickHouse").into_iter().take(6));
    Pages {
        rows,
        slowest: slow,
        notes: Vec::new(),
    }
}

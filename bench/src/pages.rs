//! Pages of 50: how long the store takes for one, whatever is asked, and how long the plain table
//! takes for the same.

use crate::{
    data::{Dice, World, end_of_set},
    error::BenchError,
    log::{LARGE, grant},
    plain_table::PlainTable,
    questions::{in_every_order, single_filters},
    recording::{Sets, bar},
    report::{Row, Slow, Times, Unit},
};
use domain::question::{Limit, Query, Sort};
use std::{
    fmt,
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
}

/// What a page from SQLite may take.
const SQLITE: Bars = Bars {
    p50: None,
    p99: 5.0,
};
/// What a page from PostgreSQL may take.
const POSTGRES: Bars = Bars {
    p50: Some(3.0),
    p99: 15.0,
};
/// How many pages of 500 are turned to get deep into an answer.
const DEEP: usize = 10;
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

/// Asks the store for pages, and the plain table for the same; the table only for `plain_time`,
/// because it takes so long for some that a run would not end.
///
/// # Errors
///
/// A question was not answered.
pub async fn measure(
    sets: &Sets,
    world: &World,
    events: u64,
    rounds: usize,
    plain_time: Duration,
) -> Result<Pages, BenchError> {
    let store = Store::open(sets.store_options()).await?;
    let now = store.now();
    let mut asked = ask(store, &sets.token()?, world, events, rounds).await?;

    let mut table = PlainTable::open(&sets.plain_path()).await?;
    Dice::new(events + 1).shuffle(&mut asked);
    let progress = bar(
        asked.len() as u64,
        "asking the plain table for the same pages",
    );
    let mut plain: Vec<Asked> = Vec::new();
    let begun = Instant::now();
    for question in &asked {
        if begun.elapsed() > plain_time {
            break;
        }
        let asking = Instant::now();
        let offset = question.offset as u64;
        table.page(LARGE, &question.query, now, offset).await?;
        plain.push(Asked {
            query: question.query.clone(),
            times: vec![asking.elapsed()],
            ..*question
        });
        progress.inc(1);
    }
    progress.finish_and_clear();
    table.close().await?;
    let mut pages = told(&asked, &plain, "", SQLITE);
    pages.notes.push(format!(
        "Pages: {} different ones, each asked of Daybook {rounds} times; {} of them, drawn at \
         random, of the plain table once.",
        asked.len(),
        plain.len(),
    ));
    Ok(pages)
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
    Ok(told(&asked, &[], "PostgreSQL: ", POSTGRES))
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

    let mut dice = Dice::new(events);
    let progress = bar((asked.len() * rounds) as u64, "asking Daybook for pages");
    for _ in 0..rounds {
        dice.shuffle(&mut asked);
        for question in &mut asked {
            let begun = Instant::now();
            let page = reader.page(&question.query).await?;
            question.times.push(begun.elapsed());
            drop(page);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    reader.store.close().await;
    Ok(asked)
}

/// Which sorts a row is about.
type Chosen = fn(Sort) -> bool;

/// The figures of what was asked, with `of` before each one's name; `plain` are the first of `asked`, as
/// the plain table took them.
fn told(asked: &[Asked], plain: &[Asked], of: &'static str, bars: Bars) -> Pages {
    let times = |asked: &[Asked], takes: Chosen| -> Times {
        asked
            .iter()
            .filter(|question| takes(question.query.sort))
            .flat_map(|question| question.times.iter().copied())
            .collect()
    };
    let mut rows = Vec::new();
    let kinds: [(&str, Chosen); 3] = [
        ("a page of 50, any one filter, any order", |_| true),
        ("a page of 50, any one filter, by time", |sort| {
            sort == Sort::Time
        }),
        ("a page of 50, any one filter, by a text", |sort| {
            sort != Sort::Time
        }),
    ];
    for (what, takes) in kinds {
        let (own, other) = (times(asked, takes), times(plain, takes));
        for (name, part) in [("p50", 500), ("p99", 990), ("worst", 1_000)] {
            let mut row = Row::new(
                format!("{of}{what}: {name}"),
                Unit::Milliseconds,
                own.per_mille(part),
            );
            if other.len() > 0 {
                row = row.beside(other.per_mille(part));
            }
            let bar = match part {
                500 => bars.p50,
                990 => Some(bars.p99),
                _ => None,
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
    Pages {
        rows,
        slowest: slow,
        notes: Vec::new(),
    }
}

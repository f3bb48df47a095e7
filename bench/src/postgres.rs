//! The same log on a PostgreSQL server: recording through one connection and through several servers of
//! one tenant, and pages of 50.

use crate::{
    data::World,
    error::BenchError,
    log::Log,
    pages::{self, Pages},
    recording::{BATCH, Recorded, SetTime, Sets, bar, empty},
    report::{Row, Unit},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::{path::Path, sync::Arc};
use store::{DatabaseUrl, Options, Store};

/// The database that is measured in.
const DATABASE: &str = "daybook_bench";
/// How many events a second one connection must take.
const ONE: f64 = 12_000.0;
/// How many events a second four writers of one tenant must take.
const FOUR: f64 = 25_000.0;
/// How many servers record at the same time: each has one connection that does.
const SERVERS: usize = 4;
/// How many send through each.
const SENDERS: usize = 4;

/// Records the set into an empty database of a server, the first nine tenths through four servers of
/// Daybook and the last through one, and asks for pages.
///
/// # Errors
///
/// Something was not recorded, or not answered.
pub async fn measure(
    server: &str,
    sets: &Sets,
    folder: &Path,
    world: &World,
    events: u64,
    rounds: usize,
) -> Result<(Vec<Row>, Pages), BenchError> {
    let mut admin = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .map_err(BenchError::Postgres)?;
    let drop = format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)");
    let create = format!("CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0");
    for statement in [&drop, &create] {
        let done = admin.execute(AssertSqlSafe(statement.as_str())).await;
        done.map_err(BenchError::Postgres)?;
    }
    let measured = measure_in(server, sets, folder, world, events, rounds).await;
    let dropped = admin.execute(AssertSqlSafe(drop)).await;
    let measured = measured?;
    dropped.map_err(BenchError::Postgres)?;
    Ok(measured)
}

async fn measure_in(
    server: &str,
    sets: &Sets,
    folder: &Path,
    world: &World,
    events: u64,
    rounds: usize,
) -> Result<(Vec<Row>, Pages), BenchError> {
    let folder = empty(&folder.join("postgres"))?;
    let url: DatabaseUrl = format!("{server}/{DATABASE}")
        .parse()
        .map_err(|error| BenchError::Unfit(format!("{error}")))?;
    let options = || Options {
        clock: Arc::new(SetTime::begin()),
        key_file: Some(folder.join("daybook.key")),
        ..Options::new(url.clone())
    };
    let mut log = Log::create(options()).await?;
    for _ in 1..SERVERS {
        log.join(Store::open(options()).await?).await?;
    }
    let mut batches = sets.batches(world, events);
    let bar = bar(events, "recording into PostgreSQL");
    let first = usize::try_from(events / 10 * 9).unwrap_or(usize::MAX) / BATCH;
    let all = batches.by_ref().take(first);
    let four = Recorded::of(&log, all, SERVERS * SENDERS, &bar).await?;
    let one = Recorded::of(&log.alone(), batches, SENDERS, &bar).await?;
    bar.finish_and_clear();
    log.holds(sets.in_large()).await?;
    let token = log.token().to_owned();
    log.close().await;
    let rows = vec![
        Row::new(
            "PostgreSQL: recording, batches of 1,000 through 4 servers of one tenant, durable and indexed",
            Unit::EventsPerSecond,
            four.indexed(),
        )
        .bar(FOUR),
        Row::new(
            "PostgreSQL: the last tenth of all events, through one server, on one connection",
            Unit::EventsPerSecond,
            one.indexed(),
        )
        .bar(ONE),
    ];
    let store = Store::open(options()).await?;
    let pages = pages::measure_postgres(store, &token, world, events, rounds).await?;
    Ok((rows, pages))
}

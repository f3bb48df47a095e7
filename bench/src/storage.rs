//! What an event takes on disk: in each table, and beside the same events elsewhere.

use crate::{
    clickhouse::ClickHouse,
    data::{World, as_json},
    error::BenchError,
    recording::{Sets, bar},
    report::{Row, Unit, float},
};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use std::{collections::BTreeMap, path::Path};

/// From the size of so many events as JSON the size of all is reckoned.
const SAMPLE: u64 = 100_000;
/// What takes less, in bytes for each event, is told together with the rest.
const LITTLE: f64 = 1.0;

/// Tells what the set takes.
///
/// # Errors
///
/// The set is not there, or cannot be read.
pub async fn measure(
    sets: &Sets,
    world: &World,
    with_plain: bool,
    clickhouse: Option<ClickHouse>,
) -> Result<Vec<Row>, BenchError> {
    let events = float(sets.events());
    let reading = bar(0, "looking at what events take on disk");
    let json = json_of(sets, world)?;
    let mut rows = Vec::new();
    let mut all = 0.0;
    let log = sets.database();
    let index = {
        let mut name = log.clone().into_os_string();
        name.push(".index");
        name.into()
    };
    for (what, path) in [("log", &log), ("index", &index)] {
        let mut tables = tables_of(path).await?;
        let rest: f64 = tables
            .extract_if(.., |_, bytes| *bytes / events < LITTLE)
            .map(|it| it.1)
            .sum();
        all += tables.values().sum::<f64>() + rest;
        let mut tables: Vec<(String, f64)> = tables.into_iter().collect();
        tables.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        tables.push(("all others".to_owned(), rest));
        let row = |(table, bytes)| {
            let name = format!("of that, {what}: {table}");
            Row::new(name, Unit::BytesPerEvent, bytes / events)
        };
        rows.extend(tables.into_iter().map(row));
    }
    let mut whole = Row::new("on disk, log and index", Unit::BytesPerEvent, all / events).bar(json);
    if with_plain {
        let plain: f64 = tables_of(&sets.plain_path()).await?.values().sum();
        whole = whole.beside(plain / events);
    }
    if let Some(mut clickhouse) = clickhouse {
        whole = whole.beside_clickhouse(float(clickhouse.bytes()?) / events);
    }
    rows.insert(0, whole);
    reading.finish_and_clear();
    Ok(rows)
}

/// How many bytes an event takes as a line of JSON, as it is sent.
fn json_of(sets: &Sets, world: &World) -> Result<f64, BenchError> {
    let (mut events, mut bytes) = (0, 0);
    for (_, batch) in sets.batches(world, SAMPLE.min(sets.events())) {
        for event in batch {
            events += 1;
            bytes += serde_json::to_string(&as_json(&event))?.len() as u64 + 1;
        }
    }
    Ok(float(bytes) / float(events))
}

/// How many bytes each table of a file takes, and each index.
async fn tables_of(path: &Path) -> Result<BTreeMap<String, f64>, BenchError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = options.connect().await?;
    let sizes: Vec<(String, i64)> =
        sqlx::query_as("SELECT name, sum(pgsize) FROM dbstat WHERE aggregate = TRUE GROUP BY name")
            .fetch_all(&mut connection)
            .await?;
    connection.close().await?;
    let sizes = sizes.into_iter();
    Ok(sizes
        .map(|(name, bytes)| (name, float(bytes.unsigned_abs())))
        .collect())
}

//! Deleting what has expired, from a copy of the set.

use crate::{
    error::BenchError,
    log::LARGE,
    recording::Sets,
    report::{Row, Times, Unit, rate},
};
use domain::{retention::Retention, slug::WorkspacePath};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};
use store::{
    DatabaseUrl, Options, Store,
    administration::By,
    retention::{Occasion, Released, Removal},
    settings::SettingsChange,
};

/// How many events a second are to be deleted.
const RATE: f64 = 25_000.0;
/// Half of the set is older.
const KEPT: Retention = Retention::Days(45);

/// Deletes half of the large workspace's events, without a pause, and tells how quick that was and
/// how long others could not write.
///
/// # Errors
///
/// The set is not there, or cannot be copied or deleted from.
pub async fn measure(sets: &Sets, folder: &Path) -> Result<Vec<Row>, BenchError> {
    let copy = sets.copy(&folder.join("expiring"))?;
    let options = Options {
        database: DatabaseUrl::Sqlite(copy.join("daybook.db")),
        ..sets.store_options()
    };
    let store = Store::open(options).await?;
    store.wait_for_index(|_, _| ()).await?;
    let rows = delete(&store).await;
    store.close().await;
    fs::remove_dir_all(&copy).map_err(BenchError::file(&copy))?;
    rows
}

async fn delete(store: &Store) -> Result<Vec<Row>, BenchError> {
    let by = By::operator("bench");
    let unfit = |what: &str| BenchError::Unfit(what.to_owned());
    let path: WorkspacePath = LARGE.parse().map_err(|_| unfit("no workspace"))?;
    let scope = store.operator_settings(&path).await?;
    let scope = scope.ok_or_else(|| unfit("the set is not there"))?;
    let change = SettingsChange {
        retention: Some(KEPT),
        now: true,
        ..SettingsChange::default()
    };
    store.change_settings(&scope, change, &by).await?;
    let log = store.expiring_log(&path).await?;
    let log = log.ok_or_else(|| unfit("the set is not there"))?;
    let Released::Made(release, _) = store.release(&log, Occasion::Asked, &by).await? else {
        return Err(unfit("nothing of the set has expired"));
    };
    let (mut deleted, mut waited, mut whole) = (0, Vec::new(), Vec::new());
    let begun = Instant::now();
    loop {
        let batch = Instant::now();
        match store.remove_some().await? {
            Removal::Some {
                events,
                kept_waiting,
            } => {
                deleted += events;
                waited.push(kept_waiting);
                whole.push(batch.elapsed());
            }
            Removal::Erased { .. } => {}
            Removal::Nothing => break,
            Removal::Elsewhere => return Err(unfit("another process has the copy's index")),
        }
    }
    let took = begun.elapsed();
    if deleted != release.events {
        return Err(BenchError::Unfit(format!(
            "{} events were to be deleted, and {deleted} were",
            release.events
        )));
    }
    let row = |what: &str, times: Vec<Duration>, part: usize| {
        let times: Times = times.into_iter().collect();
        Row::new(what, Unit::Milliseconds, times.per_mille(part))
    };
    Ok(vec![
        Row::new(
            "deleting what has expired, half of all events, without a pause",
            Unit::EventsPerSecond,
            rate(deleted, took),
        )
        .bar(RATE),
        row("a batch of it: p99", whole, 990),
        row("of that, nobody else can write: p50", waited.clone(), 500),
        row("of that, nobody else can write: p99", waited.clone(), 990),
        row("of that, nobody else can write: worst", waited, 1_000),
    ])
}

//! Pages while others record at full speed, into a copy of the set.

use crate::{
    data::{Dice, Set, World, end_of_set},
    error::BenchError,
    log::{LARGE, Log},
    pages::Reader,
    questions::{in_every_order, single_filters},
    recording::{BATCH, Sets, bar},
    report::{Row, Times, Unit, rate},
};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};
use store::{DatabaseUrl, Options, Store};

/// How many events are recorded meanwhile: more than the index may lag behind by.
const RECORDED: u64 = 600_000;
/// How long a page may take within the 99th percentile, in milliseconds.
const PAGE: f64 = 5.0;

/// Has the set's senders record while one reader after the other asks for a page, and tells how quick both were.
///
/// # Errors
///
/// The set is not there or cannot be copied, something was not recorded, or a question was not answered.
pub async fn measure(
    sets: &Sets,
    folder: &Path,
    world: &World,
    seed: u64,
) -> Result<Vec<Row>, BenchError> {
    let copy = sets.copy(&folder.join("busy"))?;
    let options = Options {
        database: DatabaseUrl::Sqlite(copy.join("daybook.db")),
        ..sets.store_options()
    };
    let store = Store::open(options).await?;
    store.wait_for_index(|_, _| ()).await?;
    let rows = while_recording(&store, sets, world, seed).await;
    store.close().await;
    fs::remove_dir_all(&copy).map_err(BenchError::file(&copy))?;
    rows
}

async fn while_recording(
    store: &Store,
    sets: &Sets,
    world: &World,
    seed: u64,
) -> Result<Vec<Row>, BenchError> {
    let reader = Reader::new(store.clone(), &sets.token()?).await?;
    let mut questions: Vec<_> = single_filters(world, end_of_set())?
        .iter()
        .flat_map(in_every_order)
        .collect();
    // Each once before: no cache is cold.
    for question in &questions {
        reader.page(question).await?;
    }
    let log = Log::of_one_place(store.clone(), sets.token()?).await?;
    let set = Set {
        seed: seed + 9,
        events: RECORDED.min(sets.events()),
        end: end_of_set(),
    };
    let mut events = set.events(world);
    let batches = std::iter::from_fn(|| {
        let batch: Vec<_> = events.by_ref().take(BATCH).collect();
        (!batch.is_empty()).then_some((LARGE, batch))
    });
    let batches: Vec<_> = batches.collect();

    let progress = bar(0, "asking for pages while others record");
    let begun = Instant::now();
    let senders = sets.senders();
    let recording = tokio::spawn(async move {
        log.record(batches, senders).await?;
        Ok::<_, BenchError>(begun.elapsed())
    });
    let mut times: Vec<Duration> = Vec::new();
    let mut dice = Dice::new(seed);
    while !recording.is_finished() {
        dice.shuffle(&mut questions);
        for question in &questions {
            let asked = Instant::now();
            reader.page(question).await?;
            times.push(asked.elapsed());
            progress.inc(1);
            if recording.is_finished() {
                break;
            }
        }
    }
    let took = recording
        .await
        .map_err(|error| BenchError::Unfit(error.to_string()))??;
    progress.finish_and_clear();

    let times: Times = times.into_iter().collect();
    let name = "a page of 50, any one filter, any order, while others record at full speed";
    let row = |part: &str, of_thousand| {
        Row::new(
            format!("{name}: {part}"),
            Unit::Milliseconds,
            times.per_mille(of_thousand),
        )
    };
    Ok(vec![
        row("p50", 500),
        row("p99", 990).bar(PAGE),
        row("worst", 1_000),
        Row::new(
            format!("the {senders} senders meanwhile, durable and found"),
            Unit::EventsPerSecond,
            rate(set.events, took),
        ),
    ])
}

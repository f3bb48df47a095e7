//! What proof costs those who record, and how quick it is checked.

use crate::{
    data::World,
    error::BenchError,
    log::{LARGE, Log},
    program::Program,
    recording::{Recorded, Sets, bar, empty, options_in},
    report::{Row, Unit, rate},
};
use domain::leaf::{Salt, part_hashes};
use std::{fs, hint::black_box, path::Path, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// How many events a second are to be checked.
const RATE: f64 = 100_000.0;
/// How many events are recorded with and without checkpoints, and how often.
const RECORDED: u64 = 200_000;
const ROUNDS: usize = 3;
/// How often a server makes checkpoints.
const EVERY: Duration = Duration::from_secs(1);

/// Records with checkpoints and without, hashes events, has a whole log checked, takes it away with its
/// proofs, and has that file checked.
///
/// # Errors
///
/// Something could not be recorded, exported or checked.
pub async fn measure(
    program: &Path,
    sets: &Sets,
    folder: &Path,
    world: &World,
) -> Result<Vec<Row>, BenchError> {
    let mut rows = recording(sets, folder, world).await?;
    rows.push(hashing(sets, world));
    let copy = sets.copy(&folder.join("proving"))?;
    let checked = check(program, sets, &copy);
    fs::remove_dir_all(&copy).map_err(BenchError::file(&copy))?;
    rows.extend(checked?);
    Ok(rows)
}

/// The median of what is recorded a second, with checkpoints each second and without, in turns.
async fn recording(sets: &Sets, folder: &Path, world: &World) -> Result<Vec<Row>, BenchError> {
    let folder = folder.join("recording");
    let mut rates = [Vec::new(), Vec::new()];
    let recording = bar(0, "recording with checkpoints and without");
    for _ in 0..ROUNDS {
        for (covers, rates) in rates.iter_mut().enumerate() {
            let folder = empty(&folder)?;
            let log = Log::create(options_in(&folder)).await?;
            let batches = sets.batches(world, RECORDED.min(sets.events()));
            let recorded = tokio::select! {
                recorded = Recorded::of(&log, batches, sets.senders(), &recording) => recorded?,
                ended = cover(&log), if covers == 1 => return Err(ended),
            };
            rates.push(recorded.indexed());
            log.close().await;
        }
    }
    recording.finish_and_clear();
    fs::remove_dir_all(&folder).map_err(BenchError::file(&folder))?;
    let [without, with] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    });
    let unit = Unit::EventsPerSecond;
    Ok(vec![
        Row::new(
            "recording in batches of 1,000, with a checkpoint each second",
            unit,
            with,
        ),
        Row::new("the same without checkpoints", unit, without),
    ])
}

/// Makes checkpoints as a server does; ends with what went wrong alone.
async fn cover(log: &Log) -> BenchError {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = log.cover().await {
            return error;
        }
    }
}

/// How many events a second one core turns into the hashes of their parts.
fn hashing(sets: &Sets, world: &World) -> Row {
    let batches: Vec<_> = sets.batches(world, RECORDED.min(sets.events())).collect();
    let events: usize = batches.iter().map(|(_, batch)| batch.len()).sum();
    let salt = Salt([7; 16]);
    let begun = std::time::Instant::now();
    for event in batches.iter().flat_map(|(_, batch)| batch) {
        black_box(part_hashes(event, None, &salt));
    }
    let rate = rate(events as u64, begun.elapsed());
    Row::new(
        "hashing an event's seven parts, on one core",
        Unit::EventsPerSecond,
        rate,
    )
}

/// Checks the log, takes its large workspace away with proofs, and checks the file.
fn check(program: &Path, sets: &Sets, copy: &Path) -> Result<Vec<Row>, BenchError> {
    let program = Program::on(program, &copy.join("daybook.db"))?;
    // Every command that records something leaves a checkpoint of all.
    program.run(
        &[
            "token",
            "create",
            "--workspace",
            LARGE,
            "--name",
            "bench",
            "--scope",
            "events:read",
        ],
        "",
    )?;
    let unit = Unit::EventsPerSecond;
    let checking = bar(0, "checking the whole log");
    let whole = program.timed(&["verify"], None)?;
    let exporting = ["export", "--workspace", LARGE, "--format", "ndjson"];
    let plain = program.timed(&exporting, Some(&copy.join("plain.ndjson")))?;
    let file = copy.join("proved.ndjson");
    let proved = program.timed(&[&exporting[..], &["--with-proof"]].concat(), Some(&file))?;
    let file = file.display().to_string();
    let offline = program.timed(&["verify", "--export", &file], None)?;
    checking.finish_and_clear();
    let row = |what: &str, events, time| Row::new(what, unit, rate(events, time));
    Ok(vec![
        row(
            "checking the whole log (daybook verify)",
            sets.events(),
            whole,
        )
        .bar(RATE),
        row(
            "exporting to a file, NDJSON, with proofs",
            sets.in_large(),
            proved,
        ),
        row("the same without proofs", sets.in_large(), plain),
        row(
            "checking that file (daybook verify --export)",
            sets.in_large(),
            offline,
        ),
    ])
}

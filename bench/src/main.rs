//! `./dev bench`: how quick Daybook is, beside what somebody would otherwise make themselves.
//! `docs/benchmarks.md` tells what is measured, and how.

mod blame;
mod brute_force;
mod busy;
mod clickhouse;
mod data;
mod error;
mod export;
mod http;
mod log;
mod pages;
mod plain_table;
mod postgres;
mod program;
mod proof;
mod questions;
mod recording;
mod report;
mod retention;
mod storage;

use clap::{Parser, ValueEnum};
use data::World;
use error::BenchError;
use pages::Others;
use recording::Sets;
use report::{Machine, Report};
use std::{env, path::PathBuf, process::ExitCode, time::Duration};

/// The program's allocator: what is measured in process is to be as quick as in it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Daybook, and prints a table
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// How many events: whole thousands
    #[arg(long, default_value_t = 1_000_000, value_parser = thousands)]
    events: u64,

    /// Measures this part alone; may be given more than once
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,

    /// Writes the figures to this file too, as JSON
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,

    /// What chance begins with
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Where the sets of events are kept between runs
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    folder: PathBuf,

    /// The program to measure over HTTP
    /// [default: `DAYBOOK_PROGRAM`, else target/release/daybook]
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,

    /// The PostgreSQL server to measure on, in a database of its own there, as `postgres://USER@HOST:PORT`
    /// [default: `DAYBOOK_BENCH_POSTGRES_URL`; without it, PostgreSQL is not measured]
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,

    /// How often each page is asked for
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// How many send batches to the store at the same time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    senders: u16,

    /// How many seconds the plain table is asked for pages; 0: it is left out, also of recording
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    plain_seconds: u64,

    /// A Python that has chdb, for ClickHouse
    /// [default: `DAYBOOK_BENCH_PYTHON`; without it, ClickHouse is not asked]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,

    /// How many seconds ClickHouse is asked for pages
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    clickhouse_seconds: u64,

    /// How many combinations of two and three filters are asked for
    #[arg(long, default_value_t = 4_000)]
    combinations: usize,

    /// How many seconds each measurement over HTTP takes
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    http_seconds: u64,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Recording through the store; makes the sets anew
    Recording,
    /// Pages of 50 from the store
    Pages,
    /// What an event takes on disk
    Storage,
    /// Pages of 50 of two and three filters together, each compared with what all events say
    Combined,
    /// Pages of 50 while others record at full speed
    Busy,
    /// Recording over HTTP, into a fresh database
    Http,
    /// Pages as HTML
    Html,
    /// Deleting what has expired
    Retention,
    /// Taking the whole log away as a file
    Export,
    /// Who set each field of an object with a long history
    Blame,
    /// What proof costs, and how quick the log is checked
    Proof,
    /// Recording into PostgreSQL, and pages of 50 from there
    Postgres,
}

fn thousands(text: &str) -> Result<u64, String> {
    let number: u64 = text
        .replace(['_', ','], "")
        .parse()
        .map_err(|_| "is no number".to_owned())?;
    if number > 0 && number.is_multiple_of(1_000) {
        Ok(number)
    } else {
        Err("must be a number of whole thousands".to_owned())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut report = Report {
        machine: Machine::this(),
        events: arguments.events,
        seed: arguments.seed,
        rows: Vec::new(),
        slowest: Vec::new(),
        notes: Vec::new(),
    };
    let mut done = measure(&arguments, &mut report).await;
    // What was measured before something failed is told all the same.
    if !report.rows.is_empty() {
        print!("{report}");
    }
    if let Some(path) = &arguments.json {
        done = done.and_then(|()| report.write(path));
    }
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments, report: &mut Report) -> Result<(), BenchError> {
    let Arguments { events, seed, .. } = *arguments;
    let wanted = |part: Part| arguments.only.is_empty() || arguments.only.contains(&part);
    let program = arguments
        .program
        .clone()
        .or_else(|| env::var_os("DAYBOOK_PROGRAM").map(PathBuf::from))
        .unwrap_or_else(|| "target/release/daybook".into());
    let http_time = Duration::from_secs(arguments.http_seconds);
    let world = World::new();
    let sets = Sets::new(&arguments.folder, seed, events, arguments.senders.into());
    let with_plain = arguments.plain_seconds > 0;
    if wanted(Part::Recording) {
        report.rows.extend(sets.measure(&world, with_plain).await?);
    }
    let python = arguments.python.clone();
    let python = python.or_else(|| env::var_os("DAYBOOK_BENCH_PYTHON").map(PathBuf::from));
    if python.is_none() {
        let none = "ClickHouse: no Python that has it was named.";
        report.notes.push(none.to_owned());
    }
    let clickhouse_time = Duration::from_secs(arguments.clickhouse_seconds);
    let others = Others {
        plain_time: Duration::from_secs(arguments.plain_seconds),
        clickhouse: python.clone().map(|python| (python, clickhouse_time)),
    };
    let rounds = usize::from(arguments.rounds);
    if wanted(Part::Storage) {
        sets.make_missing(&world, with_plain).await?;
        let clickhouse = match &python {
            Some(python) => Some(sets.clickhouse(python, &world)?),
            None => None,
        };
        let rows = storage::measure(&sets, &world, with_plain, clickhouse);
        report.rows.extend(rows.await?);
    }
    if wanted(Part::Pages) {
        sets.make_missing(&world, with_plain).await?;
        let pages = pages::measure(&sets, &world, events, rounds, &others).await?;
        report.add(pages);
    }
    if wanted(Part::Combined) {
        sets.make_missing(&world, with_plain).await?;
        let asked = (seed, arguments.combinations);
        let pages = pages::measure_combined(&sets, &world, asked, rounds, &others);
        report.add(pages.await?);
    }
    if wanted(Part::Busy) {
        sets.make_missing(&world, false).await?;
        let rows = busy::measure(&sets, &arguments.folder, &world, seed);
        report.rows.extend(rows.await?);
    }
    if wanted(Part::Http) {
        let folder = &arguments.folder;
        let rows = http::measure_recording(&program, folder, &world, seed, http_time);
        report.rows.extend(rows.await?);
    }
    if wanted(Part::Html) {
        sets.make_missing(&world, false).await?;
        let rows = http::measure_pages(&program, &sets, &world, seed, http_time);
        report.rows.extend(rows.await?);
    }
    if wanted(Part::Retention) {
        sets.make_missing(&world, false).await?;
        let rows = retention::measure(&sets, &arguments.folder);
        report.rows.extend(rows.await?);
    }
    if wanted(Part::Export) {
        sets.make_missing(&world, false).await?;
        let rows = export::measure(&program, &sets, &arguments.folder);
        report.rows.extend(rows.await?);
    }
    if wanted(Part::Blame) {
        report.rows.extend(blame::measure(&arguments.folder).await?);
    }
    if wanted(Part::Proof) {
        sets.make_missing(&world, false).await?;
        let rows = proof::measure(&program, &sets, &arguments.folder, &world);
        report.rows.extend(rows.await?);
    }
    if wanted(Part::Postgres) {
        let server = arguments.postgres.clone();
        match server.or_else(|| env::var("DAYBOOK_BENCH_POSTGRES_URL").ok()) {
            Some(server) => {
                let folder = &arguments.folder;
                let (rows, pages) =
                    postgres::measure(&server, &sets, folder, &world, events, rounds).await?;
                report.rows.extend(rows);
                report.add(pages);
            }
            None => report
                .notes
                .push("PostgreSQL: no server was named.".to_owned()),
        }
    }
    Ok(())
}

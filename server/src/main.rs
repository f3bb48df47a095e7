//! The program: one file with the server, its pages and the command line.

mod api;
mod assets;
mod background;
mod commands;
mod demo;
mod environment;
mod export;
mod health;
mod http;
mod pages;
mod sign_in;
mod witness;

use clap::Parser;
use commands::{Cli, CommandError};
use std::{
    env,
    io::{self, IsTerminal as _},
    process::ExitCode,
    time::Duration,
};
use tracing_subscriber::EnvFilter;

/// Pages are made of many small texts, which this allocator gives and takes back quicker than the C
/// library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return commands::refuse(&error),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.tell();
            error.status()
        }
    }
}

fn run(cli: Cli) -> Result<(), CommandError> {
    let filter: EnvFilter = environment::LOG.value()?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(in_colour())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::Failed(format!("threads cannot be started: {error}")))?;
    let done = runtime.block_on(cli.run());
    // What is to be finished is: a thread that still waits for a folder on a network keeps nobody from ending.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

/// Whether what is told on standard error may be coloured: to a person at a terminal who does not
/// forbid it (`NO_COLOR`), never in a file or a pipe.
fn in_colour() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

//! The program: one file with the server, its pages and the command line.

mod api;
mod assets;
mod commands;
mod demo;
mod environment;
mod health;
mod http;
mod pages;
mod sign_in;

use clap::Parser;
use commands::{Cli, CommandError};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

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
        .with_writer(std::io::stderr)
        .init();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::Failed(format!("threads cannot be started: {error}")))?
        .block_on(cli.run())
}

//! `daybook reindex`.

use super::{CommandError, say};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use store::Store;

/// Makes the index again from the log; not beside a running server, which holds it
#[derive(Debug, Args)]
pub struct Reindex {}

impl Reindex {
    /// Does what was asked.
    pub async fn run(self, store: &Store) -> Result<(), CommandError> {
        let bar = ProgressBar::new(0).with_style(counting());
        let events = store
            .reindex(|done, all| {
                bar.set_length(all);
                bar.set_position(done);
            })
            .await;
        bar.finish_and_clear();
        say(format_args!("The index holds all {} events.", events?))
    }
}

/// A bar that counts events.
pub fn counting() -> ProgressStyle {
    ProgressStyle::with_template(
        "{wide_bar} {human_pos} of {human_len} events, {per_sec}, {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
}

//! `daybook reindex`.

use super::{CommandError, Installation, say};
use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use store::{DatabaseUrl, discard_index};

/// Makes the index (SQLite) again from the log; not beside a running server, which holds it
#[derive(Debug, Args)]
pub struct Reindex {}

impl Reindex {
    /// Does what was asked.
    pub async fn run(self, installation: &Installation) -> Result<(), CommandError> {
        if let DatabaseUrl::Postgres(_) = installation.database {
            return Err(CommandError::Failed(
                "a log on PostgreSQL has no index of its own to be made again: its indexes are the \
                 server's, which REINDEX makes anew"
                    .to_owned(),
            ));
        }
        discard_index(&installation.options())?;
        // Who opens a log without an index makes it.
        let store = installation.open().await?;
        let bar = ProgressBar::new(0).with_style(counting());
        let indexed = store
            .wait_for_index(|done, all| {
                bar.set_length(all);
                bar.set_position(done);
            })
            .await;
        bar.finish_and_clear();
        store.close().await;
        say(format_args!(
            "The index holds all {} events.",
            HumanCount(indexed?)
        ))
    }
}

/// A bar that counts events.
pub fn counting() -> ProgressStyle {
    ProgressStyle::with_template(
        "{wide_bar} {human_pos} of {human_len} events, {per_sec}, {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
}

//! `daybook backup`.

use super::{CommandError, Installation, say, told_to_stop};
use clap::Args;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use std::path::PathBuf;
use store::{DatabaseUrl, backup::BackupError};

/// Copies the whole log (SQLite) into a new file, also beside a running server; the key file is kept
/// apart
#[derive(Debug, Args)]
pub struct Backup {
    /// The file to make; one that is there already is never overwritten
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    /// Does what was asked.
    pub async fn run(self, installation: &Installation) -> Result<(), CommandError> {
        // Opening it would make a new one, and the copy would hold nothing.
        let DatabaseUrl::Sqlite(path) = &installation.database else {
            return Err(BackupError::OnAServer.into());
        };
        if !path.exists() {
            return Err(CommandError::Failed(format!(
                "there is no log to copy: {} is not there; name it with --database",
                path.display()
            )));
        }
        let stop = told_to_stop()?;
        let store = installation.open().await?;
        let bar = ProgressBar::new(0).with_style(copying());
        let copied = tokio::select! {
            copied = store.backup(&self.file, |done, all| {
                bar.set_length(all);
                bar.set_position(done);
            }) => copied.map_err(CommandError::from),
            () = stop => Err(CommandError::Failed(
                "stopped before the copy was made; nothing of it is left".to_owned(),
            )),
        };
        bar.finish_and_clear();
        store.close().await;
        let copied = copied?;
        let last = copied.last.map_or_else(String::new, |last| {
            format!(", the last one recorded at {last}")
        });
        say(format_args!(
            "{} holds {} events ({}){last}.",
            self.file.display(),
            HumanCount(copied.events),
            HumanBytes(copied.bytes),
        ))?;
        say(format_args!(
            "The key file {} is not in it: keep a copy of that too, in another place.",
            installation.key_file().display()
        ))
    }
}

/// A bar that counts bytes.
fn copying() -> ProgressStyle {
    ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

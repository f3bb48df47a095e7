//! `daybook retention`.

use super::{CommandError, reindex::counting, remark, say};
use clap::Subcommand;
use domain::slug::WorkspacePath;
use indicatif::{HumanCount, ProgressBar};
use std::time::Duration;
use store::{
    Store,
    administration::By,
    retention::{ExpiringLog, Occasion, Release, Released, Removal},
};

/// How often it is looked how far another process is.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub enum Retention {
    /// Deletes now what has expired, and prints how much; a running server does so once a day
    Run {
        /// Only this workspace, as TENANT/WORKSPACE [default: all, and the tenants' own events]
        #[arg(long, value_name = "W")]
        workspace: Option<WorkspacePath>,
    },
}

impl Retention {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        let Self::Run { workspace } = self;
        let logs =
            match &workspace {
                Some(path) => vec![store.expiring_log(path).await?.ok_or_else(|| {
                    CommandError::Failed(format!("there is no workspace {path}"))
                })?],
                None => store.expiring_logs().await?,
            };
        // What is counted must be in the index.
        store.wait_for_index(|_, _| ()).await?;
        for log in &logs {
            run(store, log, by).await?;
        }
        Ok(())
    }
}

/// Carries out what was released before in a log, and then what has expired by now.
async fn run(store: &Store, log: &ExpiringLog, by: &By) -> Result<(), CommandError> {
    loop {
        match store.release(log, Occasion::Asked, by).await? {
            Released::Unfinished(release) => {
                if !carry_out(store, &release).await? {
                    return say(format_args!(
                        "{log}: a legal hold stands; {} that were to be deleted before it was \
                         placed stay, as far as they are there",
                        events(release.events)
                    ));
                }
                say(format_args!(
                    "{log}: finished deleting {} that occurred before {}",
                    events(release.events),
                    release.before
                ))?;
            }
            Released::Made(release, retention) => {
                if !carry_out(store, &release).await? {
                    return say(format_args!("{log}: a legal hold was placed meanwhile"));
                }
                return say(format_args!(
                    "{log}: {} that occurred before {} deleted; it keeps {}",
                    events(release.events),
                    release.before,
                    retention.words()
                ));
            }
            Released::Held => {
                return say(format_args!(
                    "{log}: a legal hold stands, nothing is deleted"
                ));
            }
            Released::Nothing | Released::TooSoon => {
                return say(format_args!("{log}: nothing has expired"));
            }
        }
    }
}

fn events(number: u64) -> String {
    match number {
        1 => "1 event".to_owned(),
        number => format!("{} events", HumanCount(number)),
    }
}

/// Removes what a release covers, or watches the process that does; false: a legal hold suspends it.
async fn carry_out(store: &Store, release: &Release) -> Result<bool, CommandError> {
    let bar = ProgressBar::new(release.events).with_style(counting());
    let mut is_told = false;
    let finished = loop {
        if store.is_finished(release).await? {
            break true;
        }
        match store.remove_some().await? {
            // Ended, or not possible now.
            Removal::Some { events: 0, .. } => tokio::time::sleep(LOOK_EVERY).await,
            Removal::Some { events, .. } => bar.inc(events),
            Removal::Nothing if !store.is_finished(release).await? => break false,
            // Erasures go first.
            Removal::Erased { .. } | Removal::Nothing => {}
            Removal::Elsewhere => {
                if !std::mem::replace(&mut is_told, true) {
                    remark("The running server deletes them; waiting for it.");
                }
                if store.is_suspended(release).await? {
                    break false;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    };
    bar.finish_and_clear();
    Ok(finished)
}

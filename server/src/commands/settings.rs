//! `daybook settings`.

use super::{
    CommandError,
    arguments::{Switch, minute},
    say,
};
use clap::{Args, Subcommand};
use domain::{retention::Retention, slug::WorkspacePath};
use store::{
    Store,
    access::SettingsScope,
    administration::By,
    holds::Hold,
    settings::{Changed, Settings as Held, SettingsChange},
};

#[derive(Debug, Subcommand)]
pub enum Settings {
    /// Changes settings; a shorter retention holds seven days later
    Set {
        /// The workspace, as TENANT/WORKSPACE
        #[arg(long, value_name = "W")]
        workspace: WorkspacePath,
        #[command(flatten)]
        change: Change,
        /// A shorter retention holds at once
        #[arg(long, requires = "retention")]
        now: bool,
    },
    /// Shows the settings, and what holds
    Show {
        /// The workspace, as TENANT/WORKSPACE
        #[arg(long, value_name = "W")]
        workspace: WorkspacePath,
    },
    /// Cancels a shorter retention that is waiting
    Cancel {
        /// The workspace, as TENANT/WORKSPACE
        #[arg(long, value_name = "W")]
        workspace: WorkspacePath,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Change {
    /// How long events are kept: 1d to 365d, 1y to 10y, or forever
    #[arg(long, value_name = "R")]
    retention: Option<Retention>,
    /// Whether what applications send is recorded
    #[arg(long)]
    recording: Option<Switch>,
}

impl Settings {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        match self {
            Self::Set {
                workspace,
                change,
                now,
            } => {
                let scope = scope(store, &workspace).await?;
                let change = SettingsChange {
                    retention: change.retention,
                    recording: change.recording.map(|switch| switch == Switch::On),
                    now,
                    ..SettingsChange::default()
                };
                let held = store.change_settings(&scope, change, by).await?;
                say(words(&workspace, &held, store.hold(&scope).await?))
            }
            Self::Show { workspace } => {
                let scope = scope(store, &workspace).await?;
                let held = store.settings(&scope).await?;
                say(words(&workspace, &held, store.hold(&scope).await?))
            }
            Self::Cancel { workspace } => {
                let scope = scope(store, &workspace).await?;
                let held = store.cancel_pending(&scope, by).await?;
                say(words(&workspace, &held, store.hold(&scope).await?))
            }
        }
    }
}

/// The operator's way to a workspace's settings.
///
/// # Errors
///
/// There is no such workspace, or the store fails.
pub async fn scope(store: &Store, path: &WorkspacePath) -> Result<SettingsScope, CommandError> {
    store
        .operator_settings(path)
        .await?
        .ok_or_else(|| CommandError::Failed(format!("there is no workspace {path}")))
}

/// The settings, one a line.
fn words(path: &WorkspacePath, held: &Held, hold: Option<Hold>) -> String {
    let changed = |changed: &Option<Changed>| match changed {
        Some(Changed { by, at }) => format!(" (set by {by}, {})", minute(*at)),
        None => " (as it began)".to_owned(),
    };
    let bound = |bound: Option<Retention>| bound.map_or("none".to_owned(), |it| it.to_string());
    let mut lines = vec![
        format!("workspace      {path}"),
        format!(
            "retention      {}{}",
            held.retention,
            changed(&held.retention_set)
        ),
        format!(
            "plan           min-retention {}, max-retention {}",
            bound(held.plan.floor),
            bound(held.plan.cap)
        ),
        format!("what holds     {}", held.effective),
    ];
    if let Some(pending) = &held.pending {
        lines.push(format!(
            "waiting        {} from {} (asked for by {}, {}); until then: daybook settings cancel \
             --workspace {path}",
            pending.retention,
            minute(pending.from),
            pending.asked.by,
            minute(pending.asked.at)
        ));
    }
    lines.push(if held.recording {
        format!("recording      on{}", changed(&held.recording_set))
    } else {
        format!(
            "recording      off{}, {} events discarded since",
            changed(&held.recording_set),
            held.discarded
        )
    });
    if let Some(Hold { reason, placed }) = hold {
        lines.push(format!(
            "legal hold     since {} by {}, nothing is deleted: {reason}",
            minute(placed.at),
            placed.by
        ));
    }
    lines.join("\n")
}

//! `daybook hold`.

use super::{CommandError, arguments::minute, remark, say, settings::scope};
use clap::Subcommand;
use comfy_table::{ContentArrangement, Table, presets};
use domain::slug::WorkspacePath;
use store::{
    Store,
    administration::By,
    holds::{HoldListed, Reason},
};

#[derive(Debug, Subcommand)]
pub enum Hold {
    /// Places a legal hold: nothing of the workspace is deleted while it stands
    Place {
        /// The workspace, as TENANT/WORKSPACE
        #[arg(long, value_name = "W")]
        workspace: WorkspacePath,
        /// Why, 1 to 1000 characters: everybody who reads the log reads it
        #[arg(long, value_name = "TEXT")]
        reason: Reason,
    },
    /// Lifts the legal hold that stands
    Lift {
        /// The workspace, as TENANT/WORKSPACE
        #[arg(long, value_name = "W")]
        workspace: WorkspacePath,
        /// Why, 1 to 1000 characters: everybody who reads the log reads it
        #[arg(long, value_name = "TEXT")]
        reason: Reason,
    },
    /// Lists legal holds, those that stand first
    List {
        /// Of this workspace alone, as TENANT/WORKSPACE
        #[arg(long, value_name = "W")]
        workspace: Option<WorkspacePath>,
    },
}

impl Hold {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        match self {
            Self::Place { workspace, reason } => {
                let scope = scope(store, &workspace).await?;
                store.place_hold(&scope, &reason, by).await?;
                say(format_args!(
                    "A legal hold stands in {workspace}: nothing of it is deleted until daybook \
                     hold lift --workspace {workspace}."
                ))
            }
            Self::Lift { workspace, reason } => {
                let scope = scope(store, &workspace).await?;
                store.lift_hold(&scope, &reason, by).await?;
                let held = store.settings(&scope).await?;
                say(format_args!(
                    "The legal hold of {workspace} is lifted: what is older than it keeps ({}) may \
                     be deleted again.",
                    held.effective
                ))
            }
            Self::List { workspace } => {
                if let Some(workspace) = &workspace {
                    scope(store, workspace).await?;
                }
                let holds = store.all_holds(workspace.as_ref()).await?;
                if holds.is_empty() {
                    remark("There are no legal holds, and there were none.");
                    return Ok(());
                }
                say(table(&holds))
            }
        }
    }
}

/// The holds as a table.
fn table(holds: &[HoldListed]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header([
            "WORKSPACE",
            "SINCE",
            "BY",
            "REASON",
            "LIFTED",
            "LIFTED BY",
            "LIFTED BECAUSE",
        ]);
    for HoldListed {
        workspace,
        hold,
        lifted,
    } in holds
    {
        let (at, by, why) = match lifted {
            None => ("stands".to_owned(), "-", "-"),
            Some(lifted) => (
                minute(lifted.changed.at),
                lifted.changed.by.as_str(),
                lifted.reason.as_str(),
            ),
        };
        table.add_row([
            workspace.to_string(),
            minute(hold.placed.at),
            hold.placed.by.clone(),
            hold.reason.clone(),
            at,
            by.to_owned(),
            why.to_owned(),
        ]);
    }
    table.trim_fmt()
}

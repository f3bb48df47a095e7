//! `daybook workspace`.

use super::{CommandError, say};
use clap::Subcommand;
use domain::slug::WorkspacePath;
use store::{Store, administration::By};

#[derive(Debug, Subcommand)]
pub enum Workspace {
    /// Adds a workspace to a tenant
    Create {
        /// How it is named in addresses; it never changes
        #[arg(value_name = "TENANT/WORKSPACE")]
        path: WorkspacePath,
        /// How it is named on screen [default: its slug]
        #[arg(long)]
        name: Option<String>,
    },
}

impl Workspace {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        let Self::Create { path, name } = self;
        let name = name.unwrap_or_else(|| path.workspace.to_string());
        store.create_workspace(&path, &name, by).await?;
        say(format_args!("Created the workspace {path}."))
    }
}

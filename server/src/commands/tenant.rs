//! `daybook tenant`.

use super::{CommandError, say};
use clap::Subcommand;
use domain::slug::Slug;
use store::{Store, administration::By};

#[derive(Debug, Subcommand)]
pub enum Tenant {
    /// Adds a tenant
    Create {
        /// How it is named in addresses: 1 to 40 of a-z 0-9 -; it never changes
        slug: Slug,
        /// How it is named on screen [default: the slug]
        #[arg(long)]
        name: Option<String>,
    },
}

impl Tenant {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        let Self::Create { slug, name } = self;
        let name = name.unwrap_or_else(|| slug.to_string());
        store.create_tenant(&slug, &name, by).await?;
        say(format_args!("Created the tenant {slug}."))
    }
}

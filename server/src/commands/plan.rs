//! `daybook plan`.

use super::{CommandError, say};
use clap::{Args, Subcommand};
use domain::{
    retention::{Plan as Allowed, Retention, RetentionError},
    slug::Slug,
};
use std::str::FromStr;
use store::{Store, administration::By};

#[derive(Debug, Subcommand)]
pub enum Plan {
    /// Changes what the workspaces of a tenant keep at least and at most
    Set {
        /// The tenant
        #[arg(long)]
        tenant: Slug,
        #[command(flatten)]
        change: Change,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Change {
    /// The least that is kept, whatever owners set: 1d to 365d, 1y to 10y, forever, or none
    #[arg(long, value_name = "R|none")]
    min_retention: Option<Bound>,
    /// The most that is kept, whatever owners set: 1d to 365d, 1y to 10y, forever, or none
    #[arg(long, value_name = "R|none")]
    max_retention: Option<Bound>,
}

/// A retention, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bound(Option<Retention>);

impl FromStr for Bound {
    type Err = RetentionError;

    fn from_str(text: &str) -> Result<Self, RetentionError> {
        match text {
            "none" => Ok(Self(None)),
            text => text.parse().map(Some).map(Self),
        }
    }
}

impl Plan {
    /// Does what was asked. A bound that was not named stays as it is.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        let Self::Set { tenant, change } = self;
        let held = store
            .plan(&tenant)
            .await?
            .ok_or_else(|| CommandError::Failed(format!("there is no tenant {tenant}")))?;
        let plan = Allowed::new(
            change.min_retention.map_or(held.floor, |bound| bound.0),
            change.max_retention.map_or(held.cap, |bound| bound.0),
        )
        .map_err(|error| CommandError::Usage(error.to_string()))?;
        store.set_plan(&tenant, plan, by).await?;
        let words = |bound: Option<Retention>| bound.map_or("none".into(), |it| it.to_string());
        say(format_args!(
            "The plan of {tenant}: min-retention {}, max-retention {}.",
            words(plan.floor),
            words(plan.cap)
        ))
    }
}

//! Retention: what has expired is deleted under a release, which is an event of its own.
//!
//! A log (a workspace's, or a tenant's own) is released at most once a day, or when the operator asks
//! for it. What a release covers is then removed in short batches by one process (on SQLite the one
//! that keeps the index), one after the other, from the index and the log; interrupted anywhere, it
//! goes on. The database itself refuses to delete what no release covers, and everything while a
//! legal hold stands.

use crate::access::{Tenant, Workspace};
use domain::{retention::Retention, time::Timestamp};
use std::{fmt, time::Duration};

/// A log of which events expire: a workspace's, or a tenant's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiringLog(pub(crate) Place);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Workspace(Workspace),
    Tenant(Tenant),
}

impl ExpiringLog {
    pub(crate) const fn ws(&self) -> i64 {
        match &self.0 {
            Place::Workspace(workspace) => workspace.id,
            Place::Tenant(tenant) => -tenant.id,
        }
    }
}

/// `TENANT/WORKSPACE`, or `TENANT` for its own events.
impl fmt::Display for ExpiringLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Workspace(workspace) => workspace.path().fmt(f),
            Place::Tenant(tenant) => tenant.slug.fmt(f),
        }
    }
}

/// How often a log may be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Once a day.
    Daily,
    /// Now: somebody asked for it.
    Asked,
}

/// A release of events that expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    pub(crate) id: i64,
    /// What occurred before this moment goes.
    pub before: Timestamp,
    /// How many events it covered when it was made.
    pub events: u64,
}

/// What came of asking for a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Released {
    /// One was made, under this retention.
    Made(Release, Retention),
    /// One that was made before is still being carried out.
    Unfinished(Release),
    /// Nothing has expired.
    Nothing,
    /// The last one is less than a day old.
    TooSoon,
    /// A legal hold stands, here or, where it is a tenant's own log, in one of its workspaces.
    Held,
}

/// What came of removing a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// So many events were removed.
    Some {
        /// How many.
        events: u64,
        /// How long nobody else could write, at most, in one piece.
        kept_waiting: Duration,
    },
    /// Parts of so many events were erased.
    Erased {
        /// How many.
        events: u64,
        /// How long nobody else could write, at most, in one piece.
        kept_waiting: Duration,
    },
    /// No release is left to be carried out, but for those that a legal hold suspends.
    Nothing,
    /// Another process removes what is to be removed: on SQLite the one that keeps the index.
    Elsewhere,
}

impl Removal {
    /// Nothing could be removed now, and something is left.
    pub(crate) const DELAYED: Self = Self::Some {
        events: 0,
        kept_waiting: Duration::ZERO,
    };
}

/// What a retention would delete of what there is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiring {
    /// When it would hold: a shorter one waits.
    pub from: Timestamp,
    /// What occurred before this moment would go then.
    pub before: Timestamp,
    /// How many events that is.
    pub events: u64,
}

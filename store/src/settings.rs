//! A workspace's settings: how long its events are kept, and whether they are recorded.

use crate::StoreError;
use domain::{
    retention::{Plan, Retention},
    time::Timestamp,
};

/// The settings of a workspace, and how they came to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What the owners set.
    pub retention: Retention,
    /// Who set it, and when; none: it is as it began.
    pub retention_set: Option<Changed>,
    /// A shorter retention that waits.
    pub pending: Option<Pending>,
    /// What the operator allows.
    pub plan: Plan,
    /// What holds: the setting within the plan.
    pub effective: Retention,
    /// Whether what applications send is recorded.
    pub recording: bool,
    /// Who switched it last, and when; none: it was never switched off.
    pub recording_set: Option<Changed>,
    /// How many events were discarded since it was switched off.
    pub discarded: u64,
    /// When the workspace was created.
    pub created_at: Timestamp,
}

/// Who changed something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Their name: a person's, or `system` for the operator.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A shorter retention that holds only after seven days, in which any owner can cancel it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What will hold.
    pub retention: Retention,
    /// From when.
    pub from: Timestamp,
    /// Who asked for it, and when.
    pub asked: Changed,
}

/// What to change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// The retention to set.
    pub retention: Option<Retention>,
    /// Switch recording.
    pub recording: Option<bool>,
    /// A shorter retention holds at once: the operator's alone.
    pub now: bool,
}

/// Why settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Who asked may see them only.
    #[error("only owners change settings")]
    ReadOnly,
    /// There is nothing to cancel.
    #[error("no shorter retention is waiting")]
    NothingPending,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What everybody who reads a log should know about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// Recording is off: who switched it off, and when.
    pub recording_off: Option<Changed>,
    /// A shorter retention waits.
    pub pending: Option<Pending>,
}

//! A workspace's settings: how long its events are kept, and whether they are recorded.

use crate::{StoreError, holds::Hold};
use domain::{
    event::TargetKind,
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
    /// Who may open objects' pages.
    pub object_access: ObjectAccess,
    /// Who set that last, and when; none: it is as it began.
    pub object_access_set: Option<Changed>,
}

/// Who may open objects' pages in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectAccess {
    /// Every member may, not only who reads the log.
    pub for_members: bool,
    guarded: Vec<TargetKind>,
}

impl ObjectAccess {
    /// `for_members`: every member may open objects' pages; `guarded`: but not those of these
    /// kinds, in any order.
    pub fn new(for_members: bool, mut guarded: Vec<TargetKind>) -> Self {
        guarded.sort_unstable();
        guarded.dedup();
        Self {
            for_members,
            guarded,
        }
    }

    /// The kinds whose objects are always for those who read the log, by name.
    pub fn guarded(&self) -> &[TargetKind] {
        &self.guarded
    }

    /// How the setting is named in the log and in forms.
    pub const fn word(&self) -> &'static str {
        if self.for_members {
            "members"
        } else {
            "admins"
        }
    }
}

/// How many people a workspace has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct People {
    /// All whose account and role are good now, tenant admins among them.
    pub all: u64,
    /// Those of them who read the log: auditors, admins, owners, tenant admins.
    pub readers: u64,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// The retention to set.
    pub retention: Option<Retention>,
    /// Switch recording.
    pub recording: Option<bool>,
    /// Who may open objects' pages from now on.
    pub object_access: Option<ObjectAccess>,
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
    /// A legal hold stands. It is told to those who read the whole log of the workspace or of its
    /// tenant, never on objects' pages or My activity: it may be about somebody who looks there.
    pub hold: Option<Hold>,
}

//! What a tenant's admins see and change of their tenant: its workspaces, and who they are.

use crate::{
    StoreError,
    access::Workspace,
    holds::Hold,
    settings::{Changed, Pending},
};
use chrono::NaiveDate;
use domain::{retention::Retention, time::Timestamp};

/// How many workspaces, or admins, one page of them holds.
pub const PAGE: usize = 50;

/// A workspace as its tenant's admins see it listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceListed {
    /// The workspace.
    pub workspace: Workspace,
    /// How long it keeps entries: its setting within the plan.
    pub retention: Retention,
    /// A shorter retention that waits.
    pub pending: Option<Pending>,
    /// Recording is off: who switched it off, and when.
    pub recording_off: Option<Changed>,
    /// The legal hold that stands.
    pub hold: Option<Hold>,
}

/// One page of a tenant's workspaces, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workspaces {
    /// The workspaces of the page.
    pub workspaces: Vec<WorkspaceListed>,
    /// How many there are in all.
    pub total: u64,
}

/// An admin of a tenant as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminListed {
    /// Their public id: `usr_…`.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Since when.
    pub since: Timestamp,
    /// The role's last day, UTC.
    pub last_day: Option<NaiveDate>,
    /// What they are now.
    pub state: AdminState,
}

/// What an admin of a tenant is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminState {
    /// They administer the tenant.
    Active,
    /// The role's last day is over.
    Over,
    /// The operator deactivated their account, then.
    AccountDeactivated(Timestamp),
}

/// One page of a tenant's admins, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admins {
    /// The admins of the page.
    pub admins: Vec<AdminListed>,
    /// How many there are in all.
    pub total: u64,
}

/// Why a tenant's admins were not changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no such admin.
    #[error("there is no such admin of this tenant")]
    NoAdmin,
    /// Nobody who belongs to a workspace of the tenant has this address.
    #[error("nobody who belongs to a workspace of this tenant has the address {0}")]
    NotInTenant(String),
    /// They are an admin already.
    #[error("{0} is an admin of this tenant already")]
    Admin(String),
    /// The operator deactivated their account.
    #[error("the operator of this installation deactivated the account {0}")]
    AccountDeactivated(String),
    /// No e-mail address.
    #[error("\"{0}\" is not an e-mail address")]
    Email(String),
    /// The role's last day is over already.
    #[error("the role's last day is over already")]
    LastDay,
    /// A tenant keeps an admin, without a last day, unless the operator says otherwise.
    #[error("{0} is the last admin of the tenant: make somebody else one first")]
    LastAdmin(String),
    /// Nobody takes the role from themselves, or limits it.
    #[error("nobody takes this role from themselves: ask another admin of the tenant")]
    Yourself,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

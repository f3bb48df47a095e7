//! The members of a workspace, and invitations to become one.

use crate::{StoreError, access::Workspace};
use chrono::{NaiveDate, TimeDelta};
use domain::{role::Role, time::Timestamp};

/// How many members one page of them holds.
pub const PAGE: usize = 100;

/// How long an invitation's link is good.
pub const INVITE: TimeDelta = TimeDelta::days(7);

/// A member as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberListed {
    /// Their public id: `usr_…`.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their role.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
    /// The role's last day, UTC.
    pub last_day: Option<NaiveDate>,
    /// What they are now.
    pub state: MemberState,
}

/// What a member is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// They may do what their role says.
    Active,
    /// The role's last day is over.
    Over,
    /// They were deactivated in this workspace, then.
    Deactivated(Timestamp),
    /// The operator deactivated their account, then; only the operator can bring it back.
    AccountDeactivated(Timestamp),
}

/// One page of a workspace's members, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The members of the page.
    pub members: Vec<MemberListed>,
    /// How many there are in all.
    pub total: u64,
}

/// An invitation that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteListed {
    /// Its public id: `inv_…`.
    pub id: String,
    /// Whose it is.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// The role's last day, UTC.
    pub last_day: Option<NaiveDate>,
    /// Who invited them.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The first moment at which the link is no longer good.
    pub expires: Timestamp,
}

/// Who is to be invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvite {
    /// Their e-mail address.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// The role's last day, UTC.
    pub last_day: Option<NaiveDate>,
}

/// An invitation, for who brings its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Where to.
    pub workspace: Workspace,
    /// Whose it is.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// The role's last day, UTC.
    pub last_day: Option<NaiveDate>,
    /// Who invited them.
    pub by: String,
    /// Whether there is an account with this e-mail address already.
    pub has_account: bool,
}

/// What somebody is who accepted an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Where.
    pub workspace: Workspace,
    /// As what.
    pub role: Role,
}

/// Why members or invitations were not changed.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// There is no such member.
    #[error("there is no such member of this workspace")]
    NoMember,
    /// There is no such invitation: it was never there, was answered, revoked, or is too old.
    #[error("there is no such invitation, or it was answered, revoked, or is too old")]
    NoInvite,
    /// Owners are made, changed, deactivated and removed by owners.
    #[error("only owners make, change, deactivate or remove owners")]
    OwnersOnly,
    /// A workspace keeps an owner, without a last day.
    #[error("{0} is the last owner of the workspace: make somebody else an owner first")]
    LastOwner(String),
    /// Nobody deactivates or removes themselves.
    #[error("nobody deactivates or removes themselves: ask another owner or admin")]
    Yourself,
    /// They are a member already.
    #[error("{0} is a member already")]
    Member(String),
    /// They are a member who was deactivated.
    #[error("{0} is a member who was deactivated: reactivate them instead")]
    DeactivatedMember(String),
    /// The operator deactivated their account.
    #[error("the operator of this installation deactivated the account {0}")]
    AccountDeactivated(String),
    /// No e-mail address.
    #[error("\"{0}\" is not an e-mail address")]
    Email(String),
    /// The role's last day is over already.
    #[error("the role's last day is over already")]
    LastDay,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// There is no such invitation: it was never there, was answered, revoked, or is too old.
    #[error("there is no such invitation, or it was answered, revoked, or is too old")]
    NoInvite,
    /// It is somebody else's, or of who has an account and has to sign in with it.
    #[error("this invitation is for {0}")]
    SomebodyElse(String),
    /// They are a member already.
    #[error("{0} is a member already")]
    Member(String),
    /// A name out of bounds.
    #[error("a name has 1 to 200 characters")]
    Name,
    /// A password out of bounds.
    #[error("a password has 8 to 512 characters")]
    Password,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

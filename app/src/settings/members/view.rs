//! What the members page shows, ready to be set.

use crate::frame::Frame;
use domain::role::Role;

/// The members of a workspace, and who is invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembersView {
    /// Around the page.
    pub frame: Frame,
    /// The zone that times are shown in.
    pub zone: String,
    /// The roles that who looks may give.
    pub roles: Vec<Role>,
    /// The members on this page.
    pub members: Vec<MemberView>,
    /// How many there are in all, those not on this page included.
    pub total: u64,
    /// What they are searched for.
    pub search: String,
    /// This page's address.
    pub here: String,
    /// The page before.
    pub newer: Option<String>,
    /// The page after.
    pub older: Option<String>,
    /// The invitations that wait.
    pub invites: Vec<InviteView>,
    /// The link of an invitation that was made just now: shown this once.
    pub link: Option<String>,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberView {
    /// Their public id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their role.
    pub role: Role,
    /// Since when.
    pub since: String,
    /// The role's last day.
    pub last_day: Option<String>,
    /// What is to be said of them, unless they are active.
    pub state: Option<String>,
    /// Whether they were deactivated.
    pub activity: Activity,
    /// Whether who looks may change them.
    pub may_change: bool,
    /// Whether it is who looks.
    pub is_oneself: bool,
}

/// Whether a member was deactivated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// They were not.
    Active,
    /// They were in this workspace, and can be taken back.
    Deactivated,
    /// The operator deactivated their account, and alone can take them back.
    AccountDeactivated,
}

/// An invitation that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteView {
    /// Its public id.
    pub id: String,
    /// Whose it is.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// The role's last day.
    pub last_day: Option<String>,
    /// Who invited them.
    pub by: String,
    /// When.
    pub at: String,
    /// Until when the link is good.
    pub expires: String,
}

//! What the page of a tenant's admins shows, ready to be set.

use crate::frame::TenantFrame;

/// The admins of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminsView {
    /// Around the page.
    pub frame: TenantFrame,
    /// The zone that times are shown in.
    pub zone: String,
    /// The admins on this page.
    pub admins: Vec<AdminView>,
    /// How many there are in all.
    pub total: u64,
    /// This page's address.
    pub here: String,
    /// The page before.
    pub newer: Option<String>,
    /// The page after.
    pub older: Option<String>,
}

/// An admin of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminView {
    /// Their public id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Since when.
    pub since: String,
    /// The role's last day.
    pub last_day: Option<String>,
    /// What is to be said of them, unless they administer the tenant now.
    pub state: Option<String>,
    /// Whether it is who looks.
    pub is_oneself: bool,
}

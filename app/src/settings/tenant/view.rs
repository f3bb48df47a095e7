//! What a tenant's settings show, ready to be set.

use crate::{frame::TenantFrame, log::view::WhenView};

/// A tenant's plan and workspaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantView {
    /// Around the page.
    pub frame: TenantFrame,
    /// The zone that times are shown in.
    pub zone: String,
    /// The plan in words, a sentence or two in each.
    pub plan: Vec<String>,
    /// The workspaces on this page.
    pub workspaces: Vec<WorkspaceView>,
    /// How many there are in all.
    pub total: u64,
    /// The page before.
    pub newer: Option<String>,
    /// The page after.
    pub older: Option<String>,
}

/// A workspace of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceView {
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The path of its settings.
    pub settings: String,
    /// How long it keeps entries: "90 days".
    pub keeps: String,
    /// A shorter retention that waits, and from when it holds.
    pub pending: Option<(String, WhenView)>,
    /// Recording is off: who switched it off, and when.
    pub recording_off: Option<(String, WhenView)>,
    /// A legal hold stands: who placed it, and when.
    pub hold: Option<(String, WhenView)>,
}

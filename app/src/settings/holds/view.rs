//! What the section on legal holds shows, ready to be set.

use super::said::Said;
use crate::log::view::WhenView;

/// The legal holds of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldsView {
    /// The zone that times are shown in.
    pub zone: String,
    /// The one that stands.
    pub standing: Option<HoldView>,
    /// Those that were lifted, the newest first.
    pub past: Vec<PastHoldView>,
    /// The address of the newest of them, where these are earlier ones.
    pub newest: Option<String>,
    /// The address of earlier ones.
    pub earlier: Option<String>,
    /// What came of the form before, and what was typed into it.
    pub said: Said,
}

/// A hold, as it was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldView {
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: WhenView,
}

/// A hold that was lifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastHoldView {
    /// As it was placed.
    pub placed: HoldView,
    /// How it ended: why, by whom, when.
    pub lifted: HoldView,
}

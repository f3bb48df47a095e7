//! What the page of redaction shows, ready to be set.

use super::said::{Came, Faults, Typed};
use crate::frame::Frame;

/// What a workspace has taken out at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactionView {
    /// Around the page.
    pub frame: Frame,
    /// Whether who looks may change it.
    pub may_change: bool,
    /// The zone that times are shown in.
    pub zone: String,
    /// The address of the page.
    pub here: String,
    /// The names that the workspace adds.
    pub names: Vec<String>,
    /// The paths that it adds.
    pub places: Vec<String>,
    /// Who changed that last, and when.
    pub history: String,
    /// What came of the form before.
    pub outcome: Option<Came>,
    /// Whether the form was sent and nothing came of it.
    pub was_sent: bool,
    /// What was typed into it.
    pub typed: Typed,
    /// What is wrong with that.
    pub faults: Faults,
}

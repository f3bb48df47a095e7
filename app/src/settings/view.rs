//! What the settings page shows, ready to be set.

use super::holds::view::HoldsView;
use crate::frame::Frame;

/// The settings of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsView {
    /// Around the page.
    pub frame: Frame,
    /// Whether they may be changed by who looks.
    pub may_change: bool,
    /// The zone that times are shown in.
    pub zone: String,
    /// How long entries are kept, as the owners set it.
    pub retention: RetentionView,
    /// What the plan allows, and what holds where that is something else.
    pub plan: Option<String>,
    /// Who set the retention, and when.
    pub retention_history: String,
    /// A shorter retention that waits.
    pub pending: Option<PendingView>,
    /// What the shorter retention that was asked for deletes.
    pub expiring: Option<ExpiringView>,
    /// Whether what applications send is recorded.
    pub recording: bool,
    /// Who switched it, and when.
    pub recording_history: String,
    /// Who may open objects' pages.
    pub objects: ObjectsView,
    /// Its legal holds.
    pub holds: HoldsView,
}

/// Who may open objects' pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectsView {
    /// `members` or `admins`.
    pub opened_by: String,
    /// The guarded kinds, separated by spaces.
    pub guarded: String,
    /// How many people there are: "38 people".
    pub everyone: String,
    /// How many of them read the log.
    pub readers: String,
    /// Who set it, and when.
    pub history: String,
}

/// A retention, as its fields show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionView {
    /// `days`, `years` or `forever`.
    pub kind: String,
    /// The number of days, or one to begin with.
    pub days: String,
    /// The number of years, or one to begin with.
    pub years: String,
}

/// A shorter retention that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingView {
    /// What will hold: "30 days".
    pub words: String,
    /// From when, with the zone.
    pub from: String,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub asked: String,
}

/// What a shorter retention deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiringView {
    /// The retention, as the form says it: `30d`.
    pub retention: String,
    /// In words: "30 days".
    pub words: String,
    /// How many entries it would delete now: "41,872 entries".
    pub entries: Option<String>,
    /// Where they are taken away as a file before that, if there are any.
    pub export: Option<String>,
    /// What occurred before this moment, with the zone.
    pub before: String,
    /// From when it holds, with the zone.
    pub from: String,
}

//! What the page of the catalogue shows, ready to be set.

use super::said::{Came, Faults, Typed};
use crate::{frame::Frame, log::view::WhenView};

/// A workspace's own entries of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueView {
    /// Around the page.
    pub frame: Frame,
    /// Whether who looks may change it.
    pub may_change: bool,
    /// The zone that times are shown in.
    pub zone: String,
    /// The entries of this page of the list.
    pub entries: Vec<EntryLine>,
    /// How many there are in all.
    pub all: u64,
    /// The address of this page of the list.
    pub here: String,
    /// The address of the first page, where this is another one.
    pub first: Option<String>,
    /// The address of the next page, where there is one.
    pub next: Option<String>,
    /// The actions that nothing is said of; none: that is not known yet.
    pub unknown: Option<UnknownView>,
    /// What came of the form before.
    pub outcome: Option<Came>,
    /// The form for an entry, for who may change.
    pub form: Option<FormView>,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryLine {
    /// The action's name.
    pub action: String,
    /// What is shown for it.
    pub label: String,
    /// What would be shown without this entry, where a pack says it.
    pub instead_of: Option<String>,
    /// The family, in words.
    pub category: &'static str,
    /// The class, in words.
    pub verb: &'static str,
    /// Who changed it last.
    pub by: String,
    /// And when.
    pub at: WhenView,
    /// The address of the log's entries with this action.
    pub there: String,
    /// The address that opens it to be changed, where that may be.
    pub change: Option<String>,
}

/// The actions that nothing is said of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownView {
    /// Those used most.
    pub actions: Vec<UnknownLine>,
    /// How many more there are.
    pub more: usize,
}

/// An action that nothing is said of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLine {
    /// Its name.
    pub action: String,
    /// What is shown for it.
    pub label: String,
    /// What it is taken to do, in words.
    pub verb: &'static str,
    /// How many entries of the log have it.
    pub events: u64,
    /// The address of those.
    pub there: String,
    /// The address that begins an entry for it, where that may be.
    pub begin: Option<String>,
}

/// The form for an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormView {
    /// The action whose entry is changed; none: a new one.
    pub change: Option<String>,
    /// What stands in it.
    pub typed: Typed,
    /// What is wrong with it.
    pub faults: Faults,
    /// Whether it was sent and nothing came of it.
    pub was_sent: bool,
    /// How the action is read without an entry of the workspace.
    pub without: Option<String>,
}

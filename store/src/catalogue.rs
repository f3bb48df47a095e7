//! What a workspace says of actions itself, over what the catalogue says that ships with Daybook.

use crate::{StoreError, settings::Changed};
use domain::{catalogue::OwnedEntry, event::Action, verb::Verb};

/// So many entries of its own a workspace may have.
pub const ENTRIES_MOST: u64 = 1_000;

/// An entry of a workspace's own, and how it came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnEntry {
    /// What it says.
    pub entry: OwnedEntry,
    /// Who changed it last, and when.
    pub changed: Changed,
}

/// A page of a workspace's own entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPage {
    /// In the order of the actions' names.
    pub entries: Vec<OwnEntry>,
    /// Whether there are more after these.
    pub more: bool,
    /// How many there are in all.
    pub all: u64,
}

/// An action that a workspace's log holds and of which neither a pack nor the workspace says
/// anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAction {
    /// Its name.
    pub action: Action,
    /// What is read from the name to be shown.
    pub label: String,
    /// What is read from the name to have been done.
    pub verb: Verb,
    /// How many events have it.
    pub events: u64,
}

/// The actions that nothing is said of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownActions {
    /// Those used most, the most used first.
    pub actions: Vec<UnknownAction>,
    /// How many more there are.
    pub more: usize,
}

/// What came of changing an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryChange {
    /// It says something else from now on.
    Changed,
    /// It said just that before; nothing changed.
    Same,
}

/// Why the catalogue of a workspace was not changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Who asked may see it only.
    #[error("only owners change the catalogue")]
    ReadOnly,
    /// The workspace has an entry for the action already.
    #[error("there is an entry for {0} already")]
    Exists(Action),
    /// The workspace has no entry for the action.
    #[error("there is no entry for {0}")]
    Missing(Action),
    /// There is no room for another.
    #[error("a workspace has at most {ENTRIES_MOST} entries of its own")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

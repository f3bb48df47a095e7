//! What a workspace has taken out at the door, beside what Daybook knows by name.

use crate::{StoreError, settings::Changed};
use domain::redaction::{Added, AddedName, Place, TooMany};

/// What a workspace adds, and how that came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedactionSettings {
    /// What it adds.
    pub added: Added,
    /// Who changed that last, and when; none: nothing was ever added.
    pub set: Option<Changed>,
}

/// What to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedactionChange {
    /// These are taken out as well from now on.
    Add {
        /// Names of members.
        names: Vec<AddedName>,
        /// Places in events.
        places: Vec<Place>,
    },
    /// Members of this name are no longer taken out on its account.
    RemoveName(AddedName),
    /// What stands in this place is no longer taken out on its account.
    RemovePlace(Place),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedactionChanged {
    /// It holds for what is recorded from the next request on.
    Changed,
    /// It was so before; nothing changed.
    Same,
}

/// Why it was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RedactionError {
    /// Who asked may see it only.
    #[error("only owners change what is taken out")]
    ReadOnly,
    /// There would be too many names or paths.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

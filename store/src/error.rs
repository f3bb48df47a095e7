//! What can go wrong in a store.

/// A store could not do what was asked of it, through no fault of who asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room on the disk; nothing was lost, and it works again when there is room.
    #[error("the disk that holds the log is full")]
    DiskFull,
    /// The files of the log cannot be written.
    #[error("the log cannot be written: {0}")]
    ReadOnly(String),
    /// The index is being made; what needs it has to wait.
    #[error("the index is being made, {mark} of {head} events are in it")]
    Indexing {
        /// The last event in the index.
        mark: u64,
        /// The last event in the log.
        head: u64,
    },
    /// The installation's secrets are missing or are others than the database knows.
    #[error("{0}")]
    Keys(String),
    /// The database's server cannot be reached, is starting or stopping, or has too much to do. Nothing
    /// was done; it works again by itself when the server does.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The same of the one node of several that a tenant lies on: for others it may be there.
    #[error("the database is not available: {0}")]
    NodeUnavailable(String),
    /// The database's server went away while something was being committed, and did not come back to
    /// tell whether it was.
    #[error("the database went away while it committed; it is not known whether it did: {0}")]
    InDoubt(String),
    /// The read replica that is named cannot be one.
    #[error("{0}")]
    Replica(String),
    /// What is stored cannot be what it says: it was altered, or the disk is broken. The database itself
    /// answers.
    #[error("the log is damaged: {0}")]
    Damaged(String),
    /// Anything else that the database says.
    #[error("the database failed: {0}")]
    Database(String),
    /// The installation moves to another database, or has: nothing changes here any more. Questions are
    /// answered.
    #[error("{0}")]
    Moving(Moving),
    /// The database is one that an installation is being copied into.
    #[error("this database is being copied into from {0}, and is not whole yet")]
    BeingCopied(String),
    /// The store is closing.
    #[error("the store is closing")]
    Closing,
}

impl StoreError {
    /// Says of what is damaged where it stands, as far as it is known.
    pub(crate) fn at(self, place: impl std::fmt::Display) -> Self {
        match self {
            Self::Damaged(what) => Self::Damaged(format!("{place}: {what}")),
            other => other,
        }
    }
}

/// How far the move of an installation to another database is, for whoever would change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Moving {
    /// What came last is being copied.
    #[error(
        "this installation is being moved to another database, and takes nothing until that is done"
    )]
    Now,
    /// It is there.
    #[error("this installation has moved to another database, and takes nothing here any more")]
    Done,
}

//! A whole copy of a log, made beside whoever uses it.

use crate::StoreError;
use domain::time::Timestamp;
use std::{io, path::PathBuf};

/// What a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// So many events were recorded until it was made; of some, only that they were.
    pub events: u64,
    /// When the last of them was recorded.
    pub last: Option<Timestamp>,
    /// How large it is.
    pub bytes: u64,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file of this name. It was left as it is.
    #[error(
        "{} is there already and was left as it is: a backup never overwrites, name another file",
        .0.display()
    )]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("{} cannot be written: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The log lies on a server, which copies it itself.
    #[error(
        "a log on PostgreSQL is copied by PostgreSQL: use pg_dump for one copy (daybook export is not \
         one), or pg_basebackup with WAL archiving to be able to go back to any moment, and keep the \
         key file with it; docs/postgresql.md says how"
    )]
    OnAServer,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

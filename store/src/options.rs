//! Which database, and what state it is in.

use crate::clock::{Clock, SystemClock};
use std::{fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

/// Where the log is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An SQLite file; its index lies beside it as `PATH.index`.
    Sqlite(PathBuf),
}

/// A text does not name a database that this program can open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// No scheme that is known.
    #[error("a database is named sqlite:PATH, such as sqlite:data/daybook.db")]
    Unknown,
    /// PostgreSQL, which this version does not speak.
    #[error("this version keeps its log in SQLite only: name it sqlite:PATH")]
    Postgres,
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Err(DatabaseUrlError::Postgres);
        }
        let path = text
            .strip_prefix("sqlite:")
            .ok_or(DatabaseUrlError::Unknown)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            return Err(DatabaseUrlError::Unknown);
        }
        Ok(Self::Sqlite(path.into()))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the log is.
    pub database: DatabaseUrl,
    /// Where the installation's secrets are; none: beside the database, as `PATH.key`.
    pub key_file: Option<PathBuf>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// A page that is sorted by a text is found by reading and sorting everything that matches where
    /// that is estimated to take no longer than this; else value by value, which takes a multiple of
    /// its estimate where filters occur together less often than if they were independent.
    pub gather_within: Duration,
}

impl Options {
    /// A database with its key file beside it and the machine's clock.
    pub fn new(database: DatabaseUrl) -> Self {
        Self {
            database,
            key_file: None,
            clock: Arc::new(SystemClock),
            gather_within: Duration::from_micros(2_500),
        }
    }
}

/// Whether questions can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Yes, about everything that was recorded.
    Ready,
    /// The index is being made: so many of so many events are in it.
    Indexing {
        /// The last event in the index.
        mark: u64,
        /// The last event in the log.
        head: u64,
    },
    /// The database does not answer, and why.
    Unreachable(String),
}

//! Which database, and what state it is in.

use crate::StoreError;
use crate::clock::{Clock, SystemClock};
use sqlx::postgres::PgConnectOptions;
use std::{fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

/// Where the log is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An SQLite file; its index lies beside it as `PATH.index`.
    Sqlite(PathBuf),
    /// A database on a PostgreSQL server.
    Postgres(PostgresUrl),
}

/// How a database on a PostgreSQL server is reached: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
/// It shows itself without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    pub(crate) fn options(&self) -> Result<PgConnectOptions, StoreError> {
        Ok(self
            .0
            .parse::<PgConnectOptions>()?
            .application_name("daybook")
            .options([
                // A server that is frozen, or lost without a word, holds its locks no longer than this.
                ("tcp_keepalives_idle", "10"),
                ("tcp_keepalives_interval", "5"),
                ("tcp_keepalives_count", "3"),
                ("tcp_user_timeout", "30000"),
                // Whoever waited for a lock looks at what is there then, whatever the database says.
                ("default_transaction_isolation", "read committed"),
            ]))
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(known) = self.0.parse::<PgConnectOptions>() else {
            return f.write_str("postgres://");
        };
        write!(
            f,
            "postgres://{}@{}:{}/{}",
            known.get_username(),
            known.get_host(),
            known.get_port(),
            known.get_database().unwrap_or_else(|| known.get_username()),
        )
    }
}

/// A text does not name a database that this program can open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// No scheme that is known.
    #[error(
        "a database is named sqlite:PATH, such as sqlite:data/daybook.db, or \
         postgres://USER:PASSWORD@HOST/DATABASE"
    )]
    Unknown,
    /// No address of a PostgreSQL server.
    #[error("this is no address of a PostgreSQL database: {0}")]
    Postgres(String),
    /// Another database than a PostgreSQL server's.
    #[error("a read replica is named postgres://USER:PASSWORD@HOST/DATABASE")]
    NoServer,
}

impl FromStr for PostgresUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        match text.parse() {
            Ok(DatabaseUrl::Postgres(url)) => Ok(url),
            Err(error @ DatabaseUrlError::Postgres(_)) => Err(error),
            Ok(DatabaseUrl::Sqlite(_)) | Err(_) => Err(DatabaseUrlError::NoServer),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return match text.parse::<PgConnectOptions>() {
                Ok(_) => Ok(Self::Postgres(PostgresUrl(text.to_owned()))),
                Err(error) => Err(DatabaseUrlError::Postgres(error.to_string())),
            };
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

impl DatabaseUrl {
    /// The same, named so that whoever reads it elsewhere finds it: a file by its whole path.
    #[must_use]
    pub fn absolute(&self) -> Self {
        match self {
            Self::Sqlite(path) => {
                Self::Sqlite(std::path::absolute(path).unwrap_or_else(|_| path.clone()))
            }
            Self::Postgres(url) => Self::Postgres(url.clone()),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => fmt::Display::fmt(url, f),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the secrets of an installation on PostgreSQL are, where nothing else is said.
const KEY_FILE: &str = "data/daybook.key";

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the log is.
    pub database: DatabaseUrl,
    /// A standby of a PostgreSQL server that is read from too: pages, exports, and feeds that catch up.
    pub replica: Option<PostgresUrl>,
    /// Where the installation's secrets are; none: beside an SQLite database, as `PATH.key`, and with
    /// PostgreSQL in `data/daybook.key`.
    pub key_file: Option<PathBuf>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// A page that is sorted by a text is found by reading and sorting everything that matches where
    /// that is estimated to take no longer than this; else value by value, which takes a multiple of
    /// its estimate where filters occur together less often than if they were independent.
    pub gather_within: Duration,
    /// For how long entries are read to count when events occurred: then what was counted is the answer.
    pub count_within: Duration,
    /// About so many of them at a time.
    pub count_at_once: u32,
    /// Of an object with so many events, what they come to is kept in memory at some moments, so that the
    /// next question about it begins there.
    pub fold_kept_from: usize,
    /// The index of a log in SQLite files is kept so many events behind the log, unless somebody waits for it:
    /// all that is beyond it is answered from memory. For tests: it is slower, and nobody sees a difference.
    pub index_behind: i64,
    /// The index of a log in SQLite files may lag so many events behind the log; who records waits before it lags
    /// further. Each takes about 100 bytes of memory.
    pub index_lag_most: i64,
}

impl Options {
    /// A database with its key file beside it and the machine's clock.
    pub fn new(database: DatabaseUrl) -> Self {
        Self {
            database,
            replica: None,
            key_file: None,
            clock: Arc::new(SystemClock),
            gather_within: Duration::from_micros(2_500),
            count_within: Duration::from_millis(200),
            count_at_once: 100_000,
            fold_kept_from: 3_000,
            index_behind: 0,
            index_lag_most: 500_000,
        }
    }
}

impl Options {
    /// The same, with the database named by its whole path.
    pub(crate) fn named_absolutely(&self) -> Self {
        Self {
            database: self.database.absolute(),
            ..self.clone()
        }
    }

    /// Where the installation's secrets are.
    pub fn key_file(&self) -> PathBuf {
        match (&self.key_file, &self.database) {
            (Some(path), _) => path.clone(),
            (None, DatabaseUrl::Sqlite(path)) => {
                let mut beside = path.clone().into_os_string();
                beside.push(".key");
                beside.into()
            }
            (None, DatabaseUrl::Postgres(_)) => PathBuf::from(KEY_FILE),
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

/// How a read replica stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaStanding {
    /// It is read from.
    InUse,
    /// It has not caught up with the database, which is read from until it has.
    Behind,
    /// It does not answer, or is not what it has to be: the log tells why.
    Away,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_with_its_password_and_shown_without() {
        let text = "postgres://daybook:hunter2@db.example:5433/audit?sslmode=require";
        let url: DatabaseUrl = text.parse().unwrap();
        assert!(matches!(url, DatabaseUrl::Postgres(_)));
        for shown in [url.to_string(), format!("{url:?}")] {
            assert_eq!(shown, "postgres://daybook@db.example:5433/audit");
        }
        let options = Options::new(url);
        assert!(!format!("{options:?}").contains("hunter2"));
        assert_eq!(options.key_file(), PathBuf::from("data/daybook.key"));
    }

    #[test]
    fn a_file_is_named_by_its_path() {
        for text in ["sqlite:data/x.db", "sqlite://data/x.db"] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), "sqlite:data/x.db");
            let options = Options::new(url);
            assert_eq!(options.key_file(), PathBuf::from("data/x.db.key"));
        }
    }

    #[test]
    fn a_file_is_named_for_others_by_its_whole_path() {
        let here = std::env::current_dir().unwrap();
        let url: DatabaseUrl = "sqlite:data/x.db".parse().unwrap();
        let whole = format!("sqlite:{}", here.join("data/x.db").display());
        assert_eq!(url.absolute().to_string(), whole);
        assert_eq!(url.absolute().absolute(), url.absolute());
        let server: DatabaseUrl = "postgres://daybook@db.example/audit".parse().unwrap();
        assert_eq!(server.absolute(), server);
    }

    #[test]
    fn a_replica_is_a_server() {
        let url: PostgresUrl = "postgres://daybook:hunter2@standby/audit".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://daybook@standby:5432/audit");
        for text in ["", "sqlite:data/x.db", "standby"] {
            let refused = text.parse::<PostgresUrl>();
            assert_eq!(refused, Err(DatabaseUrlError::NoServer), "{text}");
        }
    }

    #[test]
    fn what_names_no_database_is_refused_without_repeating_it() {
        for text in ["", "sqlite:", "mysql://a:hunter2@b/c", "data/x.db"] {
            let refused = text.parse::<DatabaseUrl>();
            assert_eq!(refused, Err(DatabaseUrlError::Unknown), "{text}");
        }
        let refused = "postgres://a:hunter2@b:port/c".parse::<DatabaseUrl>();
        let told = refused.unwrap_err().to_string();
        assert!(
            told.contains("PostgreSQL") && !told.contains("hunter2"),
            "{told}"
        );
    }
}

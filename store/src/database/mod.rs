//! One statement, two databases. What is administered is read and changed by the same texts on
//! SQLite and on PostgreSQL: this is the thin layer that takes them to either.
//!
//! Statements are written in the SQL that both know, with SQLite's `?` and `?1`, and [`dialect`] says
//! what little becomes another text on PostgreSQL. Values and rows have the types that both have:
//! integers of 64 bits, texts, bytes, and booleans.

mod dialect;
mod failure;
mod query;
mod row;
mod silence;
mod sql;
#[cfg(any(test, debug_assertions))]
mod tenants;

pub(crate) use failure::{MOVED, MOVING, is_broken_off};
pub(crate) use query::{Query, query, query_as, query_scalar};
pub(crate) use row::{FromRow, Row};
pub(crate) use silence::Silence;
pub(crate) use sql::{Sql, Value};

use crate::StoreError;
use silence::Patience;
use sqlx::{
    PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection,
};
use std::{
    io,
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

/// Which database it is, where a statement cannot be said in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// A connection to either database, which its owner has alone.
#[derive(Debug)]
pub(crate) enum Connection {
    /// To an SQLite file.
    Sqlite(SqliteConnection),
    /// The same, of a pool.
    PooledSqlite(PoolConnection<Sqlite>),
    /// To a PostgreSQL server.
    Postgres(PgConnection),
    /// The same, of a pool.
    PooledPostgres(PoolConnection<Postgres>),
    /// The same, of a pool, to a standby of the server: what fails there is asked of the server itself.
    OfReplica(PoolConnection<Postgres>, Arc<Silence>),
}

/// A connection, as the database's own.
pub(crate) enum Which<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Connection {
    /// The connection as its database's own.
    pub(crate) fn which(&mut self) -> Which<'_> {
        match self {
            Self::Sqlite(connection) => Which::Sqlite(connection),
            Self::PooledSqlite(connection) => Which::Sqlite(connection),
            Self::Postgres(connection) => Which::Postgres(connection),
            Self::PooledPostgres(connection) | Self::OfReplica(connection, _) => {
                Which::Postgres(connection)
            }
        }
    }

    /// The connection as SQLite's, for what is said to SQLite alone.
    pub(crate) fn sqlite(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        match self.which() {
            Which::Sqlite(connection) => Ok(connection),
            Which::Postgres(_) => Err(another("SQLite")),
        }
    }

    /// The connection as PostgreSQL's, for what is said to PostgreSQL alone.
    pub(crate) fn postgres(&mut self) -> Result<&mut PgConnection, StoreError> {
        match self.which() {
            Which::Postgres(connection) => Ok(connection),
            Which::Sqlite(_) => Err(another("PostgreSQL")),
        }
    }

    /// Which database it leads to.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) | Self::PooledSqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) | Self::PooledPostgres(_) | Self::OfReplica(..) => Dialect::Postgres,
        }
    }

    /// Whether it leads to a standby.
    pub(crate) const fn is_of_replica(&self) -> bool {
        matches!(self, Self::OfReplica(..))
    }

    /// How long an answer on it is waited for.
    fn patience(&self) -> Patience {
        match self {
            Self::OfReplica(_, silence) => Patience {
                limit: PATIENCE_WITH_REPLICA,
                silence: Some(Arc::clone(silence)),
            },
            Self::Sqlite(_)
            | Self::PooledSqlite(_)
            | Self::Postgres(_)
            | Self::PooledPostgres(_) => Patience {
                limit: PATIENCE,
                silence: None,
            },
        }
    }

    /// Runs statements without values, such as `COMMIT`.
    pub(crate) async fn run(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        let patience = self.patience();
        match self.which() {
            Which::Sqlite(connection) => sqlx::raw_sql(text).execute(connection).await.map(drop),
            Which::Postgres(connection) => {
                let ran = patience.wait(sqlx::raw_sql(text).execute(connection));
                ran.await.map(drop)
            }
        }
    }

    /// Closes it instead of giving it back to its pool, when it is let go of.
    pub(crate) fn close_on_drop(&mut self) {
        match self {
            Self::PooledSqlite(connection) => connection.close_on_drop(),
            Self::PooledPostgres(connection) | Self::OfReplica(connection, _) => {
                connection.close_on_drop();
            }
            Self::Sqlite(_) | Self::Postgres(_) => {}
        }
    }
}

/// How long an answer of a PostgreSQL server is waited for. Nothing takes so long that goes well: this is
/// for paths that lead nowhere any more, without anybody having said so.
const PATIENCE: Duration = Duration::from_mins(5);

/// The same of a standby, where somebody else can be asked.
const PATIENCE_WITH_REPLICA: Duration = Duration::from_secs(3);

/// Waits for an answer no longer than `limit`. What is given up must not be gone on with on the same
/// connection.
pub(crate) async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let answered = tokio::time::timeout(limit, answer).await;
    answered.unwrap_or_else(|_| {
        let silent = io::Error::new(io::ErrorKind::TimedOut, "the server does not answer");
        Err(sqlx::Error::Io(silent).into())
    })
}

fn another(wanted: &str) -> StoreError {
    StoreError::Database(format!(
        "a statement for {wanted} was put to another database"
    ))
}

/// A connection that goes back to its pool.
#[derive(Debug)]
pub(crate) struct Pooled(Connection);

impl From<PoolConnection<Postgres>> for Pooled {
    fn from(connection: PoolConnection<Postgres>) -> Self {
        Self(Connection::PooledPostgres(connection))
    }
}

impl Pooled {
    /// A connection to a standby.
    pub(crate) const fn of_replica(
        connection: PoolConnection<Postgres>,
        silence: Arc<Silence>,
    ) -> Self {
        Self(Connection::OfReplica(connection, silence))
    }
}

impl Deref for Pooled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// Connections to either database.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    /// Waits for a connection that is free.
    pub(crate) async fn acquire(&self) -> Result<Pooled, sqlx::Error> {
        Ok(Pooled(match self {
            Self::Sqlite(pool) => Connection::PooledSqlite(pool.acquire().await?),
            Self::Postgres(pool) => Connection::PooledPostgres(pool.acquire().await?),
        }))
    }

    /// How many there are at most.
    pub(crate) fn most(&self) -> u32 {
        match self {
            Self::Sqlite(pool) => pool.options().get_max_connections(),
            Self::Postgres(pool) => pool.options().get_max_connections(),
        }
    }

    /// Closes all of them.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// The pool as SQLite's.
    #[cfg(test)]
    pub(crate) fn sqlite(&self) -> Result<&SqlitePool, StoreError> {
        match self {
            Self::Sqlite(pool) => Ok(pool),
            Self::Postgres(_) => Err(another("SQLite")),
        }
    }
}

//! What the databases' errors mean for who asked.

use crate::{StoreError, error::Moving};
use sqlx::{error::DatabaseError, postgres::PgDatabaseError};

/// SQLite's primary result codes (the low byte of the extended ones).
const READONLY: i32 = 8;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const CORRUPT: i32 = 11;
const NOTADB: i32 = 26;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let of_database = error.as_database_error();
        if let Some(known) =
            of_database.and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
        {
            return of_postgres(known);
        }
        let code = of_database
            .and_then(DatabaseError::code)
            .and_then(|code| code.parse::<i32>().ok())
            .map(|code| code & 0xff);
        if let Some(moving) = of_database.and_then(|error| moving_in(error.message())) {
            return Self::Moving(moving);
        }
        match &error {
            // What a connection says that broke off, or was not had in time.
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => {
                return Self::Unavailable(error.to_string());
            }
            sqlx::Error::PoolClosed => return Self::Closing,
            // A value that is none of its column's.
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                return Self::Damaged(error.to_string());
            }
            _ => {}
        }
        match code {
            Some(FULL) => Self::DiskFull,
            Some(READONLY) => Self::ReadOnly(error.to_string()),
            Some(CORRUPT | NOTADB) => Self::Damaged(error.to_string()),
            Some(CANTOPEN) => Self::Database(format!("cannot open the file: {error}")),
            _ => Self::Database(error.to_string()),
        }
    }
}

/// What triggers say to whoever would change something in an installation that moves, or has moved: on
/// SQLite the words, on PostgreSQL the code of the error.
pub(crate) const MOVING: (&str, &str) = ("daybook: this installation is moving", "DBMVG");
pub(crate) const MOVED: (&str, &str) = ("daybook: this installation has moved", "DBMVD");

fn moving_in(message: &str) -> Option<Moving> {
    if message == MOVING.0 {
        return Some(Moving::Now);
    }
    (message == MOVED.0).then_some(Moving::Done)
}

/// PostgreSQL's codes have five letters or digits: see "PostgreSQL Error Codes" in its manual.
fn of_postgres(error: &PgDatabaseError) -> StoreError {
    match error.code() {
        // disk_full
        "53100" => StoreError::DiskFull,
        // read_only_sql_transaction: a replica, or a server that was set so.
        "25006" => StoreError::ReadOnly(error.to_string()),
        code if code == MOVING.1 => StoreError::Moving(Moving::Now),
        code if code == MOVED.1 => StoreError::Moving(Moving::Done),
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => StoreError::Damaged(error.to_string()),
        _ if is_of_node(error) => StoreError::NodeUnavailable(error.to_string()),
        code if is_transient(code) => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Database(error.to_string()),
    }
}

/// Whether a connection broke off: of what it was asked last nobody said whether it was done.
pub(crate) fn is_broken_off(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(said) => said
            .code()
            .is_some_and(|code| code.starts_with("08") || code.starts_with("57P")),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        _ => false,
    }
}

/// Whether an error passes by itself: what was asked for was undone, and may be asked for again.
fn is_transient(code: &str) -> bool {
    // Connection exceptions, and what an operator does to a server: it stops, starts, or ends a session.
    if code.starts_with("08") || code.starts_with("57P") {
        return true;
    }
    matches!(
        code,
        // serialization_failure, deadlock_detected, lock_not_available, query_canceled
        "40001" | "40P01" | "55P03" | "57014"
        // idle_in_transaction_session_timeout, out_of_memory (also of places for locks),
        // too_many_connections, configuration_limit_exceeded
        | "25P03" | "53200" | "53300" | "53400"
    )
}

/// Whether it is what the coordinator of a Citus says of a node that is away, goes away while it is asked,
/// or has too much to do.
fn is_of_node(error: &PgDatabaseError) -> bool {
    let begins = |words: &&str| error.message().starts_with(*words);
    let is_asked = error
        .r#where()
        .is_some_and(|place| place.contains("while executing command on "));
    match error.code() {
        // connection_failure: a server says it of none of ours, but of its own to another one.
        "08006" => true,
        // What has no code of its own: that a commit failed there, and what libpq says.
        "XX000" => {
            [
                "could not commit transaction for shard ",
                "failure on connection marked as essential: ",
            ]
            .iter()
            .any(begins)
                || is_asked
                    && [
                        "server closed the connection unexpectedly",
                        "could not receive data from server",
                        "could not send data to server",
                        "no connection to the server",
                        "connection not open",
                        "SSL connection has been closed unexpectedly",
                        "SSL SYSCALL error",
                        "SSL error",
                    ]
                    .iter()
                    .any(begins)
        }
        code => is_asked && is_transient(code),
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) => error.into(),
            other => Self::Database(format!(
                "the schema could not be brought up to date: {other}"
            )),
        }
    }
}

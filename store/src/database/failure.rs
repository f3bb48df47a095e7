//! What the databases' errors mean for who asked.

use crate::StoreError;
use sqlx::{error::DatabaseError, postgres::PgDatabaseError};

/// SQLite's primary result codes (the low byte of the extended ones).
const READONLY: i32 = 8;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;

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
        match code {
            Some(FULL) => Self::DiskFull,
            Some(READONLY) => Self::ReadOnly(error.to_string()),
            Some(CANTOPEN) => Self::Database(format!("cannot open the file: {error}")),
            _ => Self::Database(error.to_string()),
        }
    }
}

/// PostgreSQL's codes have five letters or digits: see "PostgreSQL Error Codes" in its manual.
fn of_postgres(error: &PgDatabaseError) -> StoreError {
    match error.code() {
        // disk_full
        "53100" => StoreError::DiskFull,
        // read_only_sql_transaction: a replica, or a server that was set so.
        "25006" => StoreError::ReadOnly(error.to_string()),
        _ => StoreError::Database(error.to_string()),
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

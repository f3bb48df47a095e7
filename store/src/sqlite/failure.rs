//! What SQLite's errors mean for who asked.

use crate::StoreError;

/// SQLite's primary result codes (the low byte of the extended ones).
const READONLY: i32 = 8;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
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

//! Rows of either database, read as the types that both have.

use sqlx::{
    Decode, Error, Postgres, Row as _, Type, ValueRef,
    error::BoxDynError,
    postgres::{PgRow, PgValueRef},
    sqlite::SqliteRow,
};

const MISSING: &str = "a value is missing";

/// A row.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// Reads the column at a place.
    pub(crate) fn try_get<'r, T: Column<'r>>(&'r self, at: usize) -> Result<T, Error> {
        match self {
            Self::Sqlite(row) => T::of_sqlite(row, at),
            Self::Postgres(row) => {
                let value = row.try_get_raw(at)?;
                let read = if value.is_null() {
                    T::none().ok_or_else(|| MISSING.into())
                } else {
                    T::of_postgres(value)
                };
                read.map_err(|source| Error::ColumnDecode {
                    index: at.to_string(),
                    source,
                })
            }
        }
    }
}

/// A value of SQLite's that has to be there: read as a number, one that is missing would be 0.
fn there<T>(value: Option<T>, at: usize) -> Result<T, Error> {
    value.ok_or_else(|| Error::ColumnDecode {
        index: at.to_string(),
        source: MISSING.into(),
    })
}

/// What a column can be read as.
pub(crate) trait Column<'r>: Sized {
    /// From a row of SQLite's.
    fn of_sqlite(row: &'r SqliteRow, at: usize) -> Result<Self, Error>;

    /// From a value of PostgreSQL's that is there.
    fn of_postgres(value: PgValueRef<'r>) -> Result<Self, BoxDynError>;

    /// Where there is no value, if that can be.
    fn none() -> Option<Self> {
        None
    }
}

macro_rules! column {
    ($lifetime:lifetime, $type:ty, $of_postgres:expr) => {
        impl<$lifetime> Column<$lifetime> for $type {
            fn of_sqlite(row: &$lifetime SqliteRow, at: usize) -> Result<Self, Error> {
                there(row.try_get(at)?, at)
            }

            fn of_postgres(value: PgValueRef<$lifetime>) -> Result<Self, BoxDynError> {
                $of_postgres(value)
            }
        }

        impl<$lifetime> Column<$lifetime> for Option<$type> {
            fn of_sqlite(row: &$lifetime SqliteRow, at: usize) -> Result<Self, Error> {
                row.try_get(at)
            }

            fn of_postgres(value: PgValueRef<$lifetime>) -> Result<Self, BoxDynError> {
                $of_postgres(value).map(Some)
            }

            fn none() -> Option<Self> {
                Some(None)
            }
        }
    };
}

column!('r, i64, integer);
column!('r, bool, |value| integer(value).map(|number| number != 0));
column!('r, String, <String as Decode<Postgres>>::decode);
column!('r, &'r str, <&'r str as Decode<Postgres>>::decode);
column!('r, Vec<u8>, |value: PgValueRef<'r>| value.as_bytes().map(<[u8]>::to_vec));
column!('r, &'r [u8], |value: PgValueRef<'r>| value.as_bytes());

/// What is counted, and the numbers of texts, are never below 0: one that is shows that something is broken,
/// and is not taken for 0.
macro_rules! whole {
    ($type:ty) => {
        impl Column<'_> for $type {
            fn of_sqlite(row: &SqliteRow, at: usize) -> Result<Self, Error> {
                let number: i64 = there(row.try_get(at)?, at)?;
                Self::try_from(number).map_err(|source| Error::ColumnDecode {
                    index: at.to_string(),
                    source: source.into(),
                })
            }

            fn of_postgres(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                Ok(Self::try_from(integer(value)?)?)
            }
        }

        impl Column<'_> for Option<$type> {
            fn of_sqlite(row: &SqliteRow, at: usize) -> Result<Self, Error> {
                let number: Option<i64> = row.try_get(at)?;
                match number {
                    Some(_) => <$type as Column<'_>>::of_sqlite(row, at).map(Some),
                    None => Ok(None),
                }
            }

            fn of_postgres(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                <$type as Column<'_>>::of_postgres(value).map(Some)
            }

            fn none() -> Option<Self> {
                Some(None)
            }
        }
    };
}

whole!(u64);
whole!(u32);

/// An integer of any width; a boolean, as SQLite has it.
fn integer(value: PgValueRef<'_>) -> Result<i64, BoxDynError> {
    let kind = value.type_info().into_owned();
    if <i64 as Type<Postgres>>::compatible(&kind) {
        <i64 as Decode<Postgres>>::decode(value)
    } else if <i32 as Type<Postgres>>::compatible(&kind) {
        <i32 as Decode<Postgres>>::decode(value).map(i64::from)
    } else if <i16 as Type<Postgres>>::compatible(&kind) {
        <i16 as Decode<Postgres>>::decode(value).map(i64::from)
    } else if <bool as Type<Postgres>>::compatible(&kind) {
        <bool as Decode<Postgres>>::decode(value).map(i64::from)
    } else {
        Err(format!("{kind} is no integer").into())
    }
}

/// A tuple that is read from a row, column by column.
pub(crate) trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, Error>;
}

macro_rules! tuple {
    ($($type:ident $at:tt),+) => {
        impl<$($type: for<'r> Column<'r>),+> FromRow for ($($type,)+) {
            fn from_row(row: &Row) -> Result<Self, Error> {
                Ok(($(row.try_get::<$type>($at)?,)+))
            }
        }
    };
}

tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use crate::{
        database::{Connection, query_as, query_scalar},
        sqlite::reading::log,
    };
    use sqlx::{Connection as _, PgConnection, SqliteConnection};

    #[tokio::test]
    async fn a_count_below_zero_or_one_that_is_missing_is_an_error_and_not_zero() {
        let memory = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let mut connections = vec![Connection::Sqlite(memory)];
        if let Some(server) = log::postgres() {
            let url = format!("{server}/postgres");
            connections.push(Connection::Postgres(
                PgConnection::connect(&url).await.unwrap(),
            ));
        }
        for connection in &mut connections {
            let counted: (u64, u32) = query_as("SELECT CAST(7 AS BIGINT), 9")
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            assert_eq!(counted, (7, 9));
            for text in ["SELECT -1", "SELECT CAST(NULL AS BIGINT)"] {
                let counted = query_scalar::<u64>(text).fetch_one(&mut *connection).await;
                assert!(counted.is_err(), "{text}: {counted:?}");
            }
            let missing = query_scalar::<i64>("SELECT CAST(NULL AS BIGINT)");
            let missing = missing.fetch_one(&mut *connection).await;
            assert!(missing.is_err(), "{missing:?}");
            let wide = query_scalar::<u32>("SELECT CAST(4294967296 AS BIGINT)")
                .fetch_one(&mut *connection)
                .await;
            assert!(wide.is_err(), "{wide:?}");
            let none = query_scalar::<Option<u64>>("SELECT CAST(NULL AS BIGINT)");
            assert_eq!(none.fetch_one(&mut *connection).await.unwrap(), None);
            let below = query_scalar::<Option<u64>>("SELECT -1");
            assert!(below.fetch_one(&mut *connection).await.is_err());
        }
    }
}

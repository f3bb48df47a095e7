//! Rows of either database, read as the types that both have.

use sqlx::{
    Decode, Error, Postgres, Row as _, Type, ValueRef,
    error::BoxDynError,
    postgres::{PgRow, PgValueRef},
    sqlite::SqliteRow,
};

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
                    T::none().ok_or_else(|| "a value is missing".into())
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
                row.try_get(at)
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

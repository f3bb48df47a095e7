//! SQL that is put together while running: only from our own texts, values are always bound.

use sqlx::{AssertSqlSafe, Sqlite, query::Query, sqlite::SqliteArguments};
use std::{fmt::Write as _, sync::Arc};

/// A value to be bound.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// A statement with its values, `?` by `?`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

impl Sql {
    /// Appends a piece of SQL written by us.
    pub(crate) fn add(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a piece of SQL with one `?`, and its value.
    pub(crate) fn with(&mut self, text: &str, value: impl Into<Value>) -> &mut Self {
        debug_assert_eq!(text.matches('?').count(), 1, "{text}");
        self.text.push_str(text);
        self.values.push(value.into());
        self
    }

    /// Appends another statement's text and values.
    pub(crate) fn append(&mut self, other: Self) -> &mut Self {
        self.text.push_str(&other.text);
        self.values.extend(other.values);
        self
    }

    /// The statement, ready to run. It is told in a trace line, without its values.
    pub(crate) fn query(self) -> Query<'static, Sqlite, SqliteArguments> {
        tracing::trace!(statement = %self.text, "asked");
        let query = sqlx::query(made_of_our_own_texts(self.text));
        self.values
            .into_iter()
            .fold(query, |query, value| match value {
                Value::Integer(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            })
    }
}

/// The one place where SQL that is no literal is declared safe: whoever calls this has put it
/// together from literals alone, and bound every value.
pub(crate) fn made_of_our_own_texts<T>(text: T) -> AssertSqlSafe<T> {
    AssertSqlSafe(text)
}

/// `head` with `rows` rows of `columns` places: `INSERT … VALUES (?,?),(?,?)`.
pub(crate) fn rows_of(head: &str, columns: usize, rows: usize) -> Arc<str> {
    let places = vec!["?"; columns].join(",");
    let mut text = String::with_capacity(head.len() + rows * (places.len() + 3));
    text.push_str(head);
    for row in 0..rows {
        let comma = if row == 0 { " VALUES " } else { "," };
        let _ = write!(text, "{comma}({places})");
    }
    text.into()
}

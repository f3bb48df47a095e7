//! Statements with their values, put to either database.

use super::{
    Connection, Pool, Which, dialect,
    row::{Column, FromRow, Row},
    sql::Value,
};
use sqlx::{
    AssertSqlSafe, Error, Postgres, Sqlite, postgres::PgArguments, sqlite::SqliteArguments,
};
use std::{marker::PhantomData, sync::Arc};

/// A statement's text.
#[derive(Clone, Debug)]
enum Text {
    Written(&'static str),
    Made(Arc<str>),
}

/// A statement with the values that are bound so far.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    text: Text,
    values: Vec<Value>,
}

/// A statement, its values to be bound in their order.
pub(crate) fn query(text: &'static str) -> Query {
    Query {
        text: Text::Written(text),
        values: Vec::new(),
    }
}

/// A statement that was put together while running, from our own texts, with its values.
pub(super) fn made_of(text: String, values: Vec<Value>) -> Query {
    Query {
        text: Text::Made(text.into()),
        values,
    }
}

/// A statement whose rows are read as tuples.
pub(crate) fn query_as<T: FromRow>(text: &'static str) -> Rows<T> {
    Rows {
        query: query(text),
        of: PhantomData,
    }
}

/// A statement whose rows have one column.
pub(crate) fn query_scalar<T: for<'r> Column<'r>>(text: &'static str) -> Scalars<T> {
    Scalars {
        query: query(text),
        of: PhantomData,
    }
}

/// What was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    rows: u64,
}

impl Done {
    /// How many rows it was done to.
    pub(crate) fn rows_affected(self) -> u64 {
        self.rows
    }
}

/// Somewhere that statements can be put to.
pub(crate) trait Executor: Send {
    fn all(self, query: Query) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;
    fn optional(self, query: Query) -> impl Future<Output = Result<Option<Row>, Error>> + Send;
    fn done(self, query: Query) -> impl Future<Output = Result<Done, Error>> + Send;
}

impl Executor for &mut Connection {
    async fn all(self, query: Query) -> Result<Vec<Row>, Error> {
        let patience = self.patience();
        match self.which() {
            Which::Sqlite(connection) => {
                let rows = query.for_sqlite().fetch_all(connection).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Which::Postgres(connection) => {
                let mut all = Vec::new();
                for query in query.for_postgres() {
                    let rows = patience.wait(query.fetch_all(&mut *connection)).await?;
                    all.extend(rows.into_iter().map(Row::Postgres));
                }
                Ok(all)
            }
        }
    }

    async fn optional(self, query: Query) -> Result<Option<Row>, Error> {
        let patience = self.patience();
        match self.which() {
            Which::Sqlite(connection) => {
                let row = query.for_sqlite().fetch_optional(connection).await?;
                Ok(row.map(Row::Sqlite))
            }
            Which::Postgres(connection) => {
                let mut first = None;
                for query in query.for_postgres() {
                    let row = patience
                        .wait(query.fetch_optional(&mut *connection))
                        .await?;
                    first = first.or(row.map(Row::Postgres));
                }
                Ok(first)
            }
        }
    }

    async fn done(self, query: Query) -> Result<Done, Error> {
        let patience = self.patience();
        match self.which() {
            Which::Sqlite(connection) => {
                let done = query.for_sqlite().execute(connection).await?;
                Ok(Done {
                    rows: done.rows_affected(),
                })
            }
            Which::Postgres(connection) => {
                let mut rows = 0;
                for query in query.for_postgres() {
                    let done = patience.wait(query.execute(&mut *connection)).await?;
                    rows += done.rows_affected();
                }
                Ok(Done { rows })
            }
        }
    }
}

impl Executor for &Pool {
    async fn all(self, query: Query) -> Result<Vec<Row>, Error> {
        self.acquire().await?.all(query).await
    }

    async fn optional(self, query: Query) -> Result<Option<Row>, Error> {
        self.acquire().await?.optional(query).await
    }

    async fn done(self, query: Query) -> Result<Done, Error> {
        self.acquire().await?.done(query).await
    }
}

type ForSqlite = sqlx::query::Query<'static, Sqlite, SqliteArguments>;
type ForPostgres = sqlx::query::Query<'static, Postgres, PgArguments>;

impl Query {
    /// Binds the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// All rows. Of several statements with `;` between them, one after the other.
    pub(crate) async fn fetch_all(self, on: impl Executor) -> Result<Vec<Row>, Error> {
        on.all(self).await
    }

    /// The first row, if there is one.
    pub(crate) async fn fetch_optional(self, on: impl Executor) -> Result<Option<Row>, Error> {
        on.optional(self).await
    }

    /// The first row.
    pub(crate) async fn fetch_one(self, on: impl Executor) -> Result<Row, Error> {
        on.optional(self).await?.ok_or(Error::RowNotFound)
    }

    /// Runs it for what it does.
    pub(crate) async fn execute(self, on: impl Executor) -> Result<Done, Error> {
        on.done(self).await
    }

    fn for_sqlite(self) -> ForSqlite {
        let query = match self.text {
            Text::Written(text) => sqlx::query(text),
            Text::Made(text) => sqlx::query(AssertSqlSafe(text)),
        };
        self.values
            .into_iter()
            .fold(query, |query, value| match value {
                Value::Integer(number) => query.bind(number),
                Value::Flag(flag) => query.bind(flag),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
                Value::Numbers(numbers) => query.bind(list(&numbers)),
                Value::Texts(texts) => query.bind(serde_json::Value::from(texts).to_string()),
                Value::NoInteger => query.bind(None::<i64>),
                Value::NoText => query.bind(None::<String>),
                Value::NoBytes => query.bind(None::<Vec<u8>>),
            })
    }

    /// PostgreSQL prepares one statement at a time; each of several is given all values.
    fn for_postgres(self) -> impl Iterator<Item = ForPostgres> + Send {
        let texts = match self.text {
            Text::Written(text) => dialect::known_for_postgres(text),
            Text::Made(text) => dialect::for_postgres(&text).into(),
        };
        let values = self.values;
        let mut at = 0;
        std::iter::from_fn(move || {
            let text = Arc::clone(texts.get(at)?);
            at += 1;
            let query = sqlx::query(AssertSqlSafe(text));
            Some(
                values
                    .iter()
                    .cloned()
                    .fold(query, |query, value| match value {
                        Value::Integer(number) => query.bind(number),
                        Value::Flag(flag) => query.bind(flag),
                        Value::Text(text) => query.bind(storable(text)),
                        Value::Bytes(bytes) => query.bind(bytes),
                        Value::Numbers(numbers) => query.bind(numbers),
                        Value::Texts(texts) => {
                            query.bind(texts.into_iter().map(storable).collect::<Vec<_>>())
                        }
                        Value::NoInteger => query.bind(None::<i64>),
                        Value::NoText => query.bind(None::<String>),
                        Value::NoBytes => query.bind(None::<Vec<u8>>),
                    }),
            )
        })
    }
}

/// A text as PostgreSQL can store it, which knows no U+0000: an event has none, but what is typed in a
/// form or an address may.
fn storable(text: String) -> String {
    if text.contains('\0') {
        return text.replace('\0', "\u{FFFD}");
    }
    text
}

fn list(numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// A statement whose rows are read as tuples.
pub(crate) struct Rows<T> {
    query: Query,
    of: PhantomData<fn() -> T>,
}

impl<T: FromRow> Rows<T> {
    /// Binds the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.query = self.query.bind(value);
        self
    }

    /// All rows.
    pub(crate) async fn fetch_all(self, on: impl Executor) -> Result<Vec<T>, Error> {
        let rows = self.query.fetch_all(on).await?;
        rows.iter().map(T::from_row).collect()
    }

    /// The first row, if there is one.
    pub(crate) async fn fetch_optional(self, on: impl Executor) -> Result<Option<T>, Error> {
        let row = self.query.fetch_optional(on).await?;
        row.as_ref().map(T::from_row).transpose()
    }

    /// The first row.
    pub(crate) async fn fetch_one(self, on: impl Executor) -> Result<T, Error> {
        T::from_row(&self.query.fetch_one(on).await?)
    }
}

/// A statement whose rows have one column.
pub(crate) struct Scalars<T> {
    query: Query,
    of: PhantomData<fn() -> T>,
}

impl<T: for<'r> Column<'r>> Scalars<T> {
    /// Binds the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.query = self.query.bind(value);
        self
    }

    /// That column of all rows.
    pub(crate) async fn fetch_all(self, on: impl Executor) -> Result<Vec<T>, Error> {
        let rows = self.query.fetch_all(on).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }

    /// That of the first row, if there is one.
    pub(crate) async fn fetch_optional(self, on: impl Executor) -> Result<Option<T>, Error> {
        let row = self.query.fetch_optional(on).await?;
        row.as_ref().map(|row| row.try_get(0)).transpose()
    }

    /// That of the first row.
    pub(crate) async fn fetch_one(self, on: impl Executor) -> Result<T, Error> {
        self.query.fetch_one(on).await?.try_get(0)
    }
}

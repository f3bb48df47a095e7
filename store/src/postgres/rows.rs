//! Many rows at once: each column as one array, which the server takes apart (`unnest`).
//!
//! `COPY` would be quicker still, by a third, where the server is reached through a socket of the same
//! machine; but over TCP each costs 40 ms more, as long as sqlx does not set `TCP_NODELAY`: it sends the
//! end of the rows by itself.

use sqlx::{AssertSqlSafe, PgConnection, SqlSafeStr};
use std::collections::HashMap;

/// The values of a column.
#[derive(Debug)]
enum Column {
    Big(Vec<Option<i64>>),
    Integer(Vec<Option<i32>>),
    Small(Vec<Option<i16>>),
    Flag(Vec<bool>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

/// Rows of one table.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    columns: Vec<Column>,
    /// Which column of the row that was begun is next.
    next: usize,
}

/// Adds a value to the next column, which is of its kind in every row.
macro_rules! push {
    ($rows:ident, $kind:ident, $value:expr) => {{
        if $rows.columns.len() == $rows.next {
            $rows.columns.push(Column::$kind(Vec::new()));
        }
        if let Some(Column::$kind(values)) = $rows.columns.get_mut($rows.next) {
            values.push($value);
        }
        $rows.next += 1;
        $rows
    }};
}

impl Rows {
    /// Begins a row, whose columns are then given in their order.
    pub(crate) fn row(&mut self) -> &mut Self {
        self.next = 0;
        self
    }

    /// A BIGINT.
    pub(crate) fn big(&mut self, number: i64) -> &mut Self {
        push!(self, Big, Some(number))
    }

    /// A BIGINT or none.
    pub(crate) fn big_or_null(&mut self, number: Option<i64>) -> &mut Self {
        push!(self, Big, number)
    }

    /// A number of a text: an INTEGER.
    pub(crate) fn number(&mut self, number: u32) -> &mut Self {
        self.number_or_null(Some(number))
    }

    /// A number of a text, or none. `text_head` counts no further than an INTEGER goes.
    pub(crate) fn number_or_null(&mut self, number: Option<u32>) -> &mut Self {
        let number = number.map(|number| i32::try_from(number).unwrap_or(i32::MAX));
        push!(self, Integer, number)
    }

    /// An INTEGER.
    pub(crate) fn integer(&mut self, number: i32) -> &mut Self {
        push!(self, Integer, Some(number))
    }

    /// A SMALLINT.
    pub(crate) fn small(&mut self, number: i16) -> &mut Self {
        push!(self, Small, Some(number))
    }

    /// A SMALLINT or none.
    pub(crate) fn small_or_null(&mut self, number: Option<i16>) -> &mut Self {
        push!(self, Small, number)
    }

    /// A BOOLEAN.
    pub(crate) fn flag(&mut self, flag: bool) -> &mut Self {
        push!(self, Flag, flag)
    }

    /// A BYTEA.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes_or_null(Some(bytes))
    }

    /// A BYTEA or none.
    pub(crate) fn bytes_or_null(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        push!(self, Bytes, bytes.map(<[u8]>::to_vec))
    }

    /// A TEXT.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.text_or_null(Some(text))
    }

    /// A TEXT or none.
    pub(crate) fn text_or_null(&mut self, text: Option<&str>) -> &mut Self {
        push!(self, Text, text.map(str::to_owned))
    }

    /// Adds to each row's BIGINT in the column `to` what belongs to its BIGINT in the column `of`, which
    /// is before that.
    pub(super) fn add_by(&mut self, of: usize, to: usize, addend: &HashMap<i64, i64>) {
        let Some((before, from)) = self.columns.split_at_mut_checked(to) else {
            return;
        };
        if let (Some(Column::Big(of)), Some(Column::Big(to))) = (before.get(of), from.first_mut()) {
            for (of, to) in of.iter().zip(to) {
                let addend = of.and_then(|of| addend.get(&of)).copied().unwrap_or(0);
                *to = to.map(|to| to + addend);
            }
        }
    }

    /// Writes them into a table: `into` is its name and its columns, in their order.
    ///
    /// Lists that are taken apart in what is selected come row by row; in `FROM` each would be laid down
    /// whole first, which takes twice as long.
    pub(crate) async fn write(
        self,
        connection: &mut PgConnection,
        into: &'static str,
    ) -> Result<(), sqlx::Error> {
        let lists: Vec<String> = (1..=self.columns.len())
            .map(|at| format!("unnest(${at})"))
            .collect();
        let statement = format!("INSERT INTO {into} SELECT {}", lists.join(", "));
        self.write_of([], connection, AssertSqlSafe(statement))
            .await
    }

    /// Writes them by a statement, which first takes what is the same in all rows, and then each column as
    /// an array.
    pub(super) async fn write_of<const N: usize>(
        self,
        same: [i64; N],
        connection: &mut PgConnection,
        statement: impl SqlSafeStr,
    ) -> Result<(), sqlx::Error> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let mut query = sqlx::query(statement);
        for value in same {
            query = query.bind(value);
        }
        for column in self.columns {
            query = match column {
                Column::Big(values) => query.bind(values),
                Column::Integer(values) => query.bind(values),
                Column::Small(values) => query.bind(values),
                Column::Flag(values) => query.bind(values),
                Column::Text(values) => query.bind(values),
                Column::Bytes(values) => query.bind(values),
            };
        }
        query.execute(connection).await?;
        Ok(())
    }
}

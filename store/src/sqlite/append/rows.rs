//! The rows of a transaction: an event's leaf and its content.

use super::super::{
    admit::KeyHash,
    dictionaries::damaged,
    sql::{made_of_our_own_texts, rows_of},
};
use crate::{StoreError, dictionary::Number, recording::Placed};
use domain::{
    event::{EventId, Outcome, Source},
    time::Timestamp,
};
use sqlx::{
    Row, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// A row of `leaf`.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) n: i64,
    pub(crate) tenant: i64,
    pub(crate) seq: i64,
    pub(crate) id: Uuid,
    pub(crate) ws: i64,
    pub(crate) occurred_at: i64,
    pub(crate) recorded_at: i64,
    pub(crate) parts: [u8; 32],
}

/// A row of `content`.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) n: i64,
    pub(crate) actor: Number,
    pub(crate) via: Option<Number>,
    pub(crate) action: Number,
    pub(crate) target: Number,
    pub(crate) related: Option<Number>,
    pub(crate) outcome: i64,
    pub(crate) operation: Option<String>,
    pub(crate) key: Option<KeyHash>,
    pub(crate) salt: [u8; 16],
    pub(crate) source: Option<i64>,
    pub(crate) keep: bool,
    pub(crate) body: Option<String>,
    /// Which parts are gone, as bits, and what proves all then: of what is copied.
    pub(crate) erased: Option<(i64, Vec<u8>)>,
}

/// Outcomes by number, as the log keeps them.
pub(crate) const fn outcome_number(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Success => 0,
        Outcome::Failure => 1,
        Outcome::Denied => 2,
    }
}

/// Sources by number, as the log keeps them.
pub(crate) const fn source_number(source: Source) -> i64 {
    match source {
        Source::Daybook => 1,
        Source::Import => 2,
    }
}

/// Where an event is: the columns id, seq and `recorded_at`, from column `from` on.
pub(crate) fn placed_at(row: &SqliteRow, from: usize) -> Result<Placed, StoreError> {
    let id = Uuid::from_slice(row.try_get(from)?).map_err(|_| damaged("an id is broken"))?;
    Ok(Placed {
        id: EventId(id),
        seq: u64::try_from(row.try_get::<i64, _>(from + 1)?).unwrap_or_default(),
        recorded_at: Timestamp::from_micros(row.try_get(from + 2)?),
    })
}

/// A statement with some of its values bound.
type Insert<'q> = Query<'q, Sqlite, SqliteArguments>;

/// The texts of the statements that write rows, each made once.
#[derive(Debug, Default)]
pub(crate) struct Statements(HashMap<(&'static str, usize), Arc<str>>);

impl Statements {
    /// Writes rows into a table, in their order. `head` is the statement up to its values, of which
    /// each row has `columns`, which `bind` binds.
    pub(crate) async fn insert<'q, T>(
        &mut self,
        connection: &mut SqliteConnection,
        head: &'static str,
        columns: usize,
        mut rows: &'q [T],
        bind: impl Fn(Insert<'q>, &'q T) -> Insert<'q>,
    ) -> Result<(), StoreError> {
        while !rows.is_empty() {
            let (some, rest) = rows.split_at(rows_at_once(rows.len()));
            rows = rest;
            let made = self.0.entry((head, some.len()));
            let text = made.or_insert_with(|| rows_of(head, columns, some.len()));
            let query = sqlx::query(made_of_our_own_texts(Arc::clone(text)));
            some.iter()
                .fold(query, &bind)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    /// Writes leaves.
    pub(crate) async fn write_leaves(
        &mut self,
        connection: &mut SqliteConnection,
        leaves: &[Leaf],
    ) -> Result<(), StoreError> {
        let head = "INSERT INTO leaf (n, tenant, seq, id, ws, occurred_at, recorded_at, parts)";
        self.insert(connection, head, 8, leaves, |query, leaf| {
            query
                .bind(leaf.n)
                .bind(leaf.tenant)
                .bind(leaf.seq)
                .bind(&leaf.id.as_bytes()[..])
                .bind(leaf.ws)
                .bind(leaf.occurred_at)
                .bind(leaf.recorded_at)
                .bind(&leaf.parts[..])
        })
        .await
    }

    /// Writes contents.
    pub(crate) async fn write_contents(
        &mut self,
        connection: &mut SqliteConnection,
        contents: &[Content],
    ) -> Result<(), StoreError> {
        let head = "INSERT INTO content (n, actor, via, action, target, related, outcome, \
                    operation, key, key_rest, salt, source, keep, body, erased, proofs)";
        self.insert(connection, head, 16, contents, |query, content| {
            query
                .bind(content.n)
                .bind(i64::from(content.actor))
                .bind(content.via.map(i64::from))
                .bind(i64::from(content.action))
                .bind(i64::from(content.target))
                .bind(content.related.map(i64::from))
                .bind(content.outcome)
                .bind(content.operation.as_deref())
                .bind(content.key.map(|hash| hash.key))
                .bind(content.key.map(|hash| hash.rest))
                .bind(&content.salt[..])
                .bind(content.source)
                .bind(content.keep)
                .bind(content.body.as_deref())
                .bind(content.erased.as_ref().map(|(erased, _)| *erased))
                .bind(content.erased.as_ref().map(|(_, proofs)| &proofs[..]))
        })
        .await
    }
}

/// Rows are written by powers of two, the greatest first: few statements for any number of rows, and
/// few texts, each prepared once.
fn rows_at_once(rows: usize) -> usize {
    let most = rows.min(512);
    1 << most.checked_ilog2().unwrap_or(0)
}

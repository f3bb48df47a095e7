//! A reader's transaction: one state of both files, for as long as it is open.

use super::{
    Inner, Kept,
    change::Log,
    dictionaries::{Shared, damaged, extent, extent_of, read_extent},
    keeper::{Keeper, PATIENCE},
};
use crate::{
    StoreError,
    database::{self, Connection, Dialect, Pool, Pooled},
};
use std::{sync::Arc, time::Instant};

/// Begins the transaction and looks at what its snapshot holds. The index first: the log's
/// snapshot, taken after it, holds all that the index does, unless a batch of events was removed
/// between the two.
const BEGIN: &str = concat!(
    "BEGIN; SELECT n, removals FROM i.mark; \
     SELECT (SELECT max(n) FROM leaf), (SELECT batches FROM removal), \
         (SELECT sum(events) FROM i.count_outcome WHERE ws = ?1), ",
    extent_of!()
);

/// The lock is had before the state is taken: see the table.
const BEGIN_ON_POSTGRES: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; LOCK TABLE reading IN ACCESS SHARE MODE";

/// An open transaction of a reader.
#[derive(Debug)]
pub(super) struct ReadTransaction {
    connection: Pooled,
    is_open: bool,
}

/// What a transaction's snapshot holds.
pub(super) struct Beginning {
    /// The last event in the index.
    pub(super) mark: i64,
    /// How many batches of events the index knows to be removed.
    pub(super) removals: i64,
    /// How many events of the workspace that it was begun for are in the index.
    pub(super) events: u64,
    /// The workspace's texts.
    pub(super) texts: Arc<Shared>,
}

impl Inner {
    /// Begins a transaction of one of the connections, that holds everything that other processes
    /// recorded before, and looks at a log in it.
    pub(super) async fn begin_reading(
        &self,
        connections: &Pool,
        log: Log,
    ) -> Result<(ReadTransaction, Beginning), StoreError> {
        match &self.kept {
            Kept::Sqlite(keeper) => self.begin_on_sqlite(keeper, connections, log).await,
            Kept::Postgres(_) => self.begin_on_postgres(connections, log).await,
        }
    }

    async fn begin_on_sqlite(
        &self,
        keeper: &Keeper,
        connections: &Pool,
        log: Log,
    ) -> Result<(ReadTransaction, Beginning), StoreError> {
        keeper.require_index()?;
        let begun = Instant::now();
        loop {
            let mut transaction = ReadTransaction {
                connection: connections.acquire().await?,
                is_open: true,
            };
            let connection = transaction.connection();
            let rows = database::query(BEGIN)
                .bind(log.ws)
                .fetch_all(connection)
                .await?;
            let [mark, rest] = rows.as_slice() else {
                return Err(damaged("the index has no mark"));
            };
            let (mark, removals): (i64, i64) = (mark.try_get(0)?, mark.try_get(1)?);
            let head: Option<i64> = rest.try_get(0)?;
            if removals < rest.try_get(1)? {
                transaction.end().await;
                if begun.elapsed() > PATIENCE {
                    return Err(damaged("the index has not kept up with what was removed"));
                }
                tokio::task::yield_now().await;
                continue;
            }
            let needed = keeper.needed_by_others(head.unwrap_or(0));
            if mark >= needed {
                let events: Option<i64> = rest.try_get(2)?;
                let connection = transaction.connection();
                let texts = self
                    .dictionaries
                    .extend_and_read(connection, log, extent(rest, 3)?)
                    .await?;
                let beginning = Beginning {
                    mark,
                    removals,
                    events: u64::try_from(events.unwrap_or(0)).unwrap_or_default(),
                    texts,
                };
                return Ok((transaction, beginning));
            }
            transaction.end().await;
            keeper.indexed(needed).await?;
        }
    }

    /// One state of the whole database, whose index is always as far as the log.
    async fn begin_on_postgres(
        &self,
        connections: &Pool,
        log: Log,
    ) -> Result<(ReadTransaction, Beginning), StoreError> {
        let mut transaction = ReadTransaction {
            connection: connections.acquire().await?,
            is_open: true,
        };
        let connection = transaction.connection();
        connection.run(BEGIN_ON_POSTGRES).await?;
        let (mark, removals): (i64, i64) = database::query_as(
            "SELECT coalesce(max(seq), 0), coalesce(max(removals), 0) FROM tenant_head \
             WHERE tenant = ?",
        )
        .bind(log.tenant)
        .fetch_one(&mut *connection)
        .await?;
        let events = count_of(connection, log).await?;
        let extent = read_extent(connection, log).await?;
        let texts = self
            .dictionaries
            .extend_and_read(connection, log, extent)
            .await?;
        let beginning = Beginning {
            mark,
            removals,
            events,
            texts,
        };
        Ok((transaction, beginning))
    }
}

/// How many events the index has of a log.
pub(super) async fn count_of(connection: &mut Connection, log: Log) -> Result<u64, StoreError> {
    let events: Option<i64> = match connection.dialect() {
        Dialect::Sqlite => {
            database::query_scalar("SELECT sum(events) FROM i.count_outcome WHERE ws = ?")
                .bind(log.ws)
                .fetch_one(connection)
                .await?
        }
        Dialect::Postgres => {
            database::query_scalar(
                "SELECT CAST(sum(events) AS BIGINT) FROM tallied \
                 WHERE tenant = ? AND ws = ? AND what = 5",
            )
            .bind(log.tenant)
            .bind(log.ws)
            .fetch_one(connection)
            .await?
        }
    };
    Ok(u64::try_from(events.unwrap_or(0)).unwrap_or_default())
}

impl Inner {
    /// Begins a transaction on the log alone, which holds everything that was committed before; and
    /// the last number of a tenant in it.
    pub(super) async fn begin_following(
        &self,
        tenant: i64,
    ) -> Result<(ReadTransaction, u64), StoreError> {
        let mut transaction = ReadTransaction {
            connection: self.readers.acquire().await?,
            is_open: true,
        };
        let connection = transaction.connection();
        let head = match connection.dialect() {
            Dialect::Sqlite => {
                database::query_scalar("BEGIN; SELECT max(seq) FROM leaf WHERE tenant = ?")
            }
            Dialect::Postgres => {
                connection.run(BEGIN_ON_POSTGRES).await?;
                database::query_scalar("SELECT max(seq) FROM tenant_head WHERE tenant = ?")
            }
        };
        let head: Option<i64> = head.bind(tenant).fetch_one(connection).await?;
        let head = head.and_then(|head| u64::try_from(head).ok());
        Ok((transaction, head.unwrap_or(0)))
    }
}

impl ReadTransaction {
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Ends the transaction. A reader's leaves no trace.
    pub(super) async fn end(mut self) {
        self.is_open = self.connection.run("COMMIT").await.is_err();
    }
}

impl Drop for ReadTransaction {
    /// Whoever asked may be gone before the answer, or an error came between: then the connection
    /// is closed, because the next to use it must not find a transaction open.
    fn drop(&mut self) {
        if self.is_open {
            self.connection.close_on_drop();
        }
    }
}

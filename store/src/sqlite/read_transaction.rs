//! A reader's transaction: one state of both files, for as long as it is open.

use super::{
    Inner, Kept,
    change::Log,
    dictionaries::{Dictionaries, Shared, damaged, extent, extent_of, read_extent},
    keeper::{Keeper, PATIENCE},
    tail::View,
};
use crate::{
    StoreError,
    database::{self, Connection, Dialect, Pool, Pooled},
    postgres::{
        BEGIN_READING,
        replica::{Reached, Reader, Replica},
    },
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

/// Who follows a log and has more numbers than this before them catches up, and is answered by a replica.
const CATCHING_UP: u64 = 500;

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A replica, where there is one that has come as far as it has to; else the database itself.
    Either,
    /// The database itself.
    Primary,
}

/// An open transaction of a reader.
#[derive(Debug)]
pub(super) struct ReadTransaction {
    connection: Pooled,
    is_open: bool,
    /// Of a replica's: how often the database had been found to be another when it began. See
    /// [`Dictionaries::times`](super::dictionaries::Dictionaries::times).
    times: u64,
}

/// What a transaction's snapshot holds.
pub(super) struct Beginning {
    /// The last event in it.
    pub(super) head: i64,
    /// How many batches of events the index knows to be removed.
    pub(super) removals: i64,
    /// How many events of the workspace that it was begun for are in the index.
    pub(super) events: u64,
    /// What it holds beyond the index's mark.
    pub(super) tail: View,
    /// The workspace's texts.
    pub(super) texts: Arc<Shared>,
}

impl Inner {
    /// The connections of somebody who reads.
    fn connections(&self, reader: Reader) -> &Pool {
        match reader {
            Reader::Page => &self.readers,
            Reader::Export => self.exports.connections(),
        }
    }

    /// Begins a transaction that holds everything that was acknowledged before, and looks at a log in it.
    pub(super) async fn begin_reading(
        &self,
        reader: Reader,
        asked: Asked,
        log: Log,
    ) -> Result<(ReadTransaction, Beginning), StoreError> {
        let connections = self.connections(reader);
        match &self.kept {
            Kept::Sqlite(keeper) => self.begin_on_sqlite(keeper, connections, log).await,
            Kept::Postgres(server) => {
                if asked == Asked::Either
                    && let Some(replica) = &server.replica
                    && let Some(begun) = self.begin_on_replica(replica, reader, log).await?
                {
                    return Ok(begun);
                }
                self.begin_on_postgres(connections, log).await
            }
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
                times: 0,
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
            // What the index holds, the log does.
            let head = head.unwrap_or(0).max(mark);
            if head - mark > keeper.tail_most() {
                transaction.end().await;
                keeper.tail_within_bounds(head).await?;
                continue;
            }
            let events: Option<u64> = rest.try_get(2)?;
            let connection = transaction.connection();
            let texts = self
                .dictionaries
                .extend_and_read(connection, log, extent(rest, 3)?)
                .await?;
            let tail = keeper.tail.view(connection, mark, head).await?;
            let beginning = Beginning {
                head,
                tail,
                removals,
                // None: nothing was recorded in it.
                events: events.unwrap_or(0),
                texts,
            };
            return Ok((transaction, beginning));
        }
    }

    async fn begin_on_postgres(
        &self,
        connections: &Pool,
        log: Log,
    ) -> Result<(ReadTransaction, Beginning), StoreError> {
        let mut transaction = ReadTransaction {
            connection: connections.acquire().await?,
            is_open: true,
            times: 0,
        };
        transaction.connection().run(BEGIN_READING).await?;
        let beginning = self.beginning(transaction.connection(), log).await?;
        Ok((transaction, beginning))
    }

    /// The same of a replica that has come as far as the log goes now; none where it has not, or fails.
    async fn begin_on_replica(
        &self,
        replica: &Replica,
        reader: Reader,
        log: Log,
    ) -> Result<Option<(ReadTransaction, Beginning)>, StoreError> {
        if !replica.may_be_asked(self.dictionaries.times()) {
            return Ok(None);
        }
        let needed = {
            let mut connection = self.connections(reader).acquire().await?;
            Reached::of(&mut connection, log.tenant).await?
        };
        // After the primary answered: the connection to it may have found it to be another.
        let times = self.dictionaries.times();
        if !replica.is_sound(times) {
            return Ok(None);
        }
        let Some(connection) = replica.begin(reader, log.tenant, &needed).await else {
            return Ok(None);
        };
        let mut transaction = ReadTransaction {
            connection,
            is_open: true,
            times,
        };
        match self.beginning(transaction.connection(), log).await {
            Ok(beginning) => Ok(Some((transaction, beginning))),
            Err(error) => {
                tracing::debug!("the read replica did not answer: {error}");
                Replica::failed();
                Ok(None)
            }
        }
    }

    /// What the snapshot of a transaction on PostgreSQL holds.
    async fn beginning(
        &self,
        connection: &mut Connection,
        log: Log,
    ) -> Result<Beginning, StoreError> {
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
            .dictionaries_of(connection)
            .extend_and_read(connection, log, extent)
            .await?;
        Ok(Beginning {
            head: mark,
            removals,
            events,
            tail: View::default(),
            texts,
        })
    }

    /// The dictionaries that what a connection leads to is read with.
    pub(super) fn dictionaries_of(&self, connection: &Connection) -> &Dictionaries {
        if connection.is_of_replica() {
            &self.of_replica
        } else {
            &self.dictionaries
        }
    }

    /// Whether what was read in a transaction may be believed. A replica of a database that was found to be
    /// another meanwhile may hold what that does not: then nothing that it told is kept.
    pub(super) fn is_sound(&self, transaction: &ReadTransaction) -> bool {
        let Kept::Postgres(server) = &self.kept else {
            return true;
        };
        let Some(replica) = &server.replica else {
            return true;
        };
        let times = transaction.times;
        let is_sound = !transaction.is_of_replica()
            || (times == self.dictionaries.times() && replica.is_sound(times));
        if !is_sound {
            self.of_replica.forget_all();
        }
        is_sound
    }
}

/// How many events the index has of a log.
pub(super) async fn count_of(connection: &mut Connection, log: Log) -> Result<u64, StoreError> {
    // None: nothing was recorded in it.
    let events: Option<u64> = match connection.dialect() {
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
    Ok(events.unwrap_or(0))
}

impl Inner {
    /// Begins a transaction on the log alone, which holds everything that was committed before, for
    /// somebody who has read it up to a number; and the last number of a tenant in it.
    pub(super) async fn begin_following(
        &self,
        asked: Asked,
        tenant: i64,
        after: u64,
    ) -> Result<(ReadTransaction, u64), StoreError> {
        let Kept::Postgres(server) = &self.kept else {
            let mut transaction = self.follower().await?;
            let head: Option<i64> =
                database::query_scalar("BEGIN; SELECT max(seq) FROM leaf WHERE tenant = ?")
                    .bind(tenant)
                    .fetch_one(transaction.connection())
                    .await?;
            return Ok((transaction, number(head.unwrap_or(0))));
        };
        let (transaction, reached) = self.follow_on_postgres(tenant).await?;
        let head = number(reached.seq);
        let Some(replica) = &server.replica else {
            return Ok((transaction, head));
        };
        let times = self.dictionaries.times();
        if asked == Asked::Primary
            || head <= after.saturating_add(CATCHING_UP)
            || !replica.may_be_asked(times)
        {
            return Ok((transaction, head));
        }
        // Whoever waits for a replica holds nothing of the primary's.
        transaction.end().await;
        if let Some(connection) = replica.begin(Reader::Page, tenant, &reached).await {
            let catching_up = ReadTransaction {
                connection,
                is_open: true,
                times,
            };
            // No further than the primary: what it does not show yet is not acknowledged either.
            return Ok((catching_up, head));
        }
        let (transaction, reached) = self.follow_on_postgres(tenant).await?;
        Ok((transaction, number(reached.seq)))
    }

    /// A transaction on PostgreSQL's primary, and how far it sees a tenant's log go.
    async fn follow_on_postgres(
        &self,
        tenant: i64,
    ) -> Result<(ReadTransaction, Reached), StoreError> {
        let mut transaction = self.follower().await?;
        let connection = transaction.connection();
        connection.run(BEGIN_READING).await?;
        let reached = Reached::of(connection, tenant).await?;
        Ok((transaction, reached))
    }

    /// A connection on which a transaction is about to be opened.
    async fn follower(&self) -> Result<ReadTransaction, StoreError> {
        Ok(ReadTransaction {
            connection: self.readers.acquire().await?,
            is_open: true,
            times: 0,
        })
    }
}

fn number(of_event: i64) -> u64 {
    u64::try_from(of_event).unwrap_or(0)
}

impl ReadTransaction {
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Whether a replica is read from.
    pub(super) fn is_of_replica(&self) -> bool {
        self.connection.is_of_replica()
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

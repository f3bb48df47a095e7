//! Carrying releases out on PostgreSQL: through the functions of its schema, because the server itself may
//! delete nothing. Of several processes one does, until nothing is left: who records in a tenant waits
//! for a batch, and has the pause between two of them.

use super::Server;
use crate::{StoreError, retention::Removal};
use sqlx::{Postgres, pool::PoolConnection};
use std::time::Instant;

/// How many events are removed at a time: nobody else records in the tenant until they are.
const BATCH: i32 = 1_000;
/// Of how many texts those that nothing refers to are emptied at a time: the same, and whoever has them
/// in memory reads them again.
const TEXTS: i32 = 2_000;

/// The key of the lock that is one process's at a time.
macro_rules! turn {
    ($function:literal) => {
        concat!(
            "SELECT ",
            $function,
            "(hashtextextended('daybook removal', 0))"
        )
    };
}

/// A connection that removes. The turn is the connection's, and ends with it at the latest.
#[derive(Debug)]
pub(super) struct Turn {
    connection: PoolConnection<Postgres>,
    is_ours: bool,
}

impl Turn {
    const fn new(connection: PoolConnection<Postgres>) -> Self {
        Self {
            connection,
            is_ours: false,
        }
    }

    /// Takes the turn, where no other process has it; tells whether it is had.
    async fn take(&mut self) -> Result<bool, StoreError> {
        if !self.is_ours {
            self.is_ours = sqlx::query_scalar(turn!("pg_try_advisory_lock"))
                .fetch_one(&mut *self.connection)
                .await?;
        }
        Ok(self.is_ours)
    }

    /// Leaves the turn to others.
    async fn end(mut self) -> Result<(), StoreError> {
        if self.is_ours {
            sqlx::query(turn!("pg_advisory_unlock"))
                .execute(&mut *self.connection)
                .await?;
            self.is_ours = false;
        }
        Ok(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_ours {
            self.connection.close_on_drop();
        }
    }
}

impl Server {
    /// Removes a batch of what the oldest release covers that is unfinished and not suspended by a legal
    /// hold; or ends it, where nothing is left.
    pub(crate) async fn remove_some(&self) -> Result<Removal, StoreError> {
        let mut ours = self.removing.lock().await;
        let mut turn = match ours.take() {
            Some(turn) => turn,
            None => Turn::new(self.remover.acquire().await?),
        };
        let release: Option<(i64, i64)> = sqlx::query_as(
            "SELECT r.id, r.ws FROM release r WHERE r.finished_at IS NULL AND NOT is_held(r.ws) \
             ORDER BY r.id LIMIT 1",
        )
        .fetch_optional(&mut *turn.connection)
        .await?;
        let Some((id, ws)) = release else {
            turn.end().await?;
            return Ok(Removal::Nothing);
        };
        if !turn.take().await? {
            return Ok(Removal::Elsewhere);
        }
        let now = self.clock.now().micros();
        let removal = match carry_out(&mut turn, id, now).await {
            Ok(removal) => removal,
            Err(error) => {
                let held: bool = sqlx::query_scalar("SELECT is_held($1)")
                    .bind(ws)
                    .fetch_one(&mut *turn.connection)
                    .await?;
                if !held {
                    return Err(error.into());
                }
                // A legal hold was placed meanwhile.
                Removal::DELAYED
            }
        };
        if matches!(removal, Removal::Some { events: 0, .. }) {
            if let Err(error) = drop_empty_partitions(&mut turn, now).await {
                tracing::warn!("partitions that are empty were not dropped: {error}");
            }
            self.known.partitions.forget();
        }
        *ours = Some(turn);
        Ok(removal)
    }

    /// Leaves what is still to be removed to others.
    pub(super) async fn stop_removing(&self) {
        let ours = self.removing.lock().await.take();
        if let Some(turn) = ours
            && let Err(error) = turn.end().await
        {
            tracing::debug!("the turn to remove ends with its connection: {error}");
        }
    }
}

/// Removes a batch of a release; or ends it, where nothing is left.
async fn carry_out(turn: &mut Turn, release: i64, now: i64) -> Result<Removal, sqlx::Error> {
    let connection = &mut *turn.connection;
    let begun = Instant::now();
    let removed: i64 = sqlx::query_scalar("SELECT remove_batch($1, $2)")
        .bind(release)
        .bind(BATCH)
        .fetch_one(&mut *connection)
        .await?;
    let mut kept_waiting = begun.elapsed();
    if removed == 0 {
        let mut after = Some(-1);
        while let Some(from) = after {
            let begun = Instant::now();
            after = sqlx::query_scalar("SELECT empty_texts($1, $2, $3)")
                .bind(release)
                .bind(from)
                .bind(TEXTS)
                .fetch_one(&mut *connection)
                .await?;
            kept_waiting = kept_waiting.max(begun.elapsed());
        }
        sqlx::query("SELECT forget_tallies($1)")
            .bind(release)
            .execute(&mut *connection)
            .await?;
        sqlx::query("SELECT finish_release($1, $2)")
            .bind(release)
            .bind(now)
            .execute(&mut *connection)
            .await?;
    }
    Ok(Removal::Some {
        events: u64::try_from(removed).unwrap_or_default(),
        kept_waiting,
    })
}

/// Drops partitions of which everything is gone, each in a transaction of its own.
async fn drop_empty_partitions(turn: &mut Turn, now: i64) -> Result<(), sqlx::Error> {
    let mut is_dropped = true;
    while is_dropped {
        is_dropped = sqlx::query_scalar("SELECT drop_empty_partition($1)")
            .bind(now)
            .fetch_one(&mut *turn.connection)
            .await?;
    }
    Ok(())
}

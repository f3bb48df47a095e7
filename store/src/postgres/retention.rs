//! Carrying releases out on PostgreSQL: through the functions of its schema, because the server itself may
//! delete nothing. Of several processes one does, until nothing is left: who records in a tenant waits
//! for a batch, and has the pause between two of them.
//!
//! Where releases cover all that lies in a partition, it goes as a whole, which takes a fraction of the
//! time and leaves nothing to be vacuumed.

use super::{
    Server,
    append::{CLASSES, DAY, class_of},
    erasure,
};
use crate::{StoreError, retention::Removal, sqlite::settings::effective};
use domain::time::Timestamp;
use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How many events are removed at a time: nobody else records in the tenant until they are.
const BATCH: i32 = 1_000;
/// Of how many texts those that nothing refers to are emptied at a time: the same, and whoever has them
/// in memory reads them again.
const TEXTS: i32 = 2_000;
/// How often it is tried to have the tables from which a partition is dropped: everybody waits behind it.
const TRIES: i32 = 10;
/// How long after these it is tried again; meanwhile batches go.
const AGAIN: Duration = Duration::from_mins(10);

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
    whole: Whole,
}

/// What is known of partitions that may go as a whole.
#[derive(Debug, Default)]
struct Whole {
    /// The last release, and how many holds stood: what it depends on which may go.
    state: (i64, i64),
    /// Of that state, those of which more was found than is covered.
    passed: Vec<String>,
    /// Whether no other may go.
    is_done: bool,
    /// When the tables could not be had.
    gave_way: Option<Instant>,
}

impl Turn {
    fn new(connection: PoolConnection<Postgres>) -> Self {
        Self {
            connection,
            is_ours: false,
            whole: Whole::default(),
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

    /// What came of removing something of a log: a legal hold that was placed meanwhile is no failure.
    async fn unless_held(
        &mut self,
        ws: i64,
        removal: Result<Removal, StoreError>,
    ) -> Result<Removal, StoreError> {
        let Err(error) = removal else {
            return removal;
        };
        let held: bool = sqlx::query_scalar("SELECT is_held($1)")
            .bind(ws)
            .fetch_one(&mut *self.connection)
            .await?;
        if held {
            return Ok(Removal::DELAYED);
        }
        Err(error)
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

impl Turn {
    /// Removes a partition of which unfinished releases cover everything, where there is one and nobody
    /// has the tables for long.
    async fn remove_partition(&mut self, now: Timestamp) -> Result<Option<Removal>, StoreError> {
        let (connection, whole) = (&mut *self.connection, &mut self.whole);
        let state = sqlx::query_as(
            "SELECT (SELECT coalesce(max(id), 0) FROM release), \
                 (SELECT count(*) FROM hold WHERE lifted_at IS NULL)",
        )
        .fetch_one(&mut *connection)
        .await?;
        if whole.state != state {
            whole.state = state;
            whole.passed.clear();
            whole.is_done = false;
        }
        if whole.is_done || whole.gave_way.is_some_and(|at| at.elapsed() < AGAIN) {
            return Ok(None);
        }
        let (classes, unused_until) = unused_until(connection, now).await?;
        loop {
            let covered: Option<String> =
                sqlx::query_scalar("SELECT covered_partition($1, $2, $3)")
                    .bind(&classes)
                    .bind(&unused_until)
                    .bind(&whole.passed)
                    .fetch_one(&mut *connection)
                    .await?;
            let Some(name) = covered else {
                whole.is_done = true;
                return Ok(None);
            };
            let (events, kept_waiting): (Option<i64>, i64) =
                sqlx::query_as("SELECT events, kept_waiting FROM remove_partition($1, $2)")
                    .bind(&name)
                    .bind(TRIES)
                    .fetch_one(&mut *connection)
                    .await?;
            match events.map(u64::try_from) {
                Some(Ok(events)) if events > 0 => {
                    tracing::info!("the partition {name} is deleted with {events} events");
                    let kept_waiting = u64::try_from(kept_waiting).unwrap_or_default();
                    return Ok(Some(Removal::Some {
                        events,
                        kept_waiting: Duration::from_micros(kept_waiting),
                    }));
                }
                Some(_) => whole.passed.push(name),
                None => {
                    tracing::info!(
                        "the partition {name} is not deleted as a whole: somebody has its tables for \
                         long (a dump, a long statement). Its events go in batches, and it is tried \
                         again in {} minutes",
                        AGAIN.as_secs() / 60
                    );
                    whole.gave_way = Some(Instant::now());
                    return Ok(None);
                }
            }
        }
    }
}

/// Up to when nothing is recorded any more in each class: older events are not taken in by any of the
/// workspaces that record in it; with a day, as clocks differ. What somebody records there all the same,
/// because a retention became longer, makes the partition anew.
async fn unused_until(
    connection: &mut PgConnection,
    now: Timestamp,
) -> Result<(Vec<i16>, Vec<i64>), StoreError> {
    let rows: Vec<(String, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT DISTINCT CASE WHEN w.pending_from <= $1 THEN w.pending ELSE w.retention END, \
             t.floor, t.cap \
         FROM workspace w JOIN tenant t ON t.id = w.tenant",
    )
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    let mut recorded_from: HashMap<i16, i64> = HashMap::new();
    for (retention, floor, cap) in rows {
        let retention = effective(&retention, floor.as_deref(), cap.as_deref())?;
        if let Some(from) = retention.keeps_from(now) {
            let oldest = recorded_from
                .entry(class_of(retention, now))
                .or_insert(from.micros());
            *oldest = from.micros().min(*oldest);
        }
    }
    let until = |class| recorded_from.get(class).copied().unwrap_or(now.micros()) - DAY;
    Ok((CLASSES.to_vec(), CLASSES.iter().map(until).collect()))
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_ours {
            self.connection.close_on_drop();
        }
    }
}

impl Server {
    /// Removes a partition of which unfinished releases cover everything; where there is none, a batch of
    /// what the oldest release covers that is unfinished and not suspended by a legal hold; or ends it,
    /// where nothing is left.
    pub(crate) async fn remove_some(&self) -> Result<Removal, StoreError> {
        let mut ours = self.removing.lock().await;
        let mut turn = match ours.take() {
            Some(turn) => turn,
            None => Turn::new(self.remover.acquire().await?),
        };
        let mut failed = None;
        if let Some(release) = erasure::next(&mut turn.connection).await? {
            if !turn.take().await? {
                return Ok(Removal::Elsewhere);
            }
            let now = self.clock.now().micros();
            let ws = release.1.ws;
            let erased = self.erase_some(&mut turn.connection, release, now).await;
            match turn.unless_held(ws, erased).await {
                Ok(erased) => {
                    *ours = Some(turn);
                    return Ok(erased);
                }
                // It keeps nothing from being removed.
                Err(error) => failed = Some(error),
            }
        }
        let release: Option<(i64, i64)> = sqlx::query_as(
            "SELECT r.id, r.ws FROM release r WHERE r.finished_at IS NULL AND NOT is_held(r.ws) \
                 AND NOT EXISTS (SELECT 1 FROM moving) \
             ORDER BY r.id LIMIT 1",
        )
        .fetch_optional(&mut *turn.connection)
        .await?;
        let Some((id, ws)) = release else {
            turn.end().await?;
            return failed.map_or(Ok(Removal::Nothing), Err);
        };
        if !turn.take().await? {
            return Ok(Removal::Elsewhere);
        }
        let moment = self.clock.now();
        let whole = if self.known.is_distributed {
            // A part of each partition lies on every node; a batch is one node's.
            Ok(None)
        } else {
            turn.remove_partition(moment).await
        };
        match whole {
            Ok(Some(removal)) => {
                self.known.partitions.forget();
                *ours = Some(turn);
                return Ok(removal);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!("no whole partition is deleted: {error}");
                turn.whole.gave_way = Some(Instant::now());
            }
        }
        let now = moment.micros();
        let carried_out = carry_out(&mut turn, id, now).await.map_err(Into::into);
        let removal = turn.unless_held(ws, carried_out).await?;
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

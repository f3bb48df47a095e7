//! Carrying releases out on PostgreSQL: through the functions of its schema, because the server itself may
//! delete nothing.

use super::Server;
use crate::{StoreError, retention::Removal};
use std::time::{Duration, Instant};

/// How many events are removed at a time: nobody else records in the tenant until they are.
const BATCH: i32 = 1_000;
/// How many texts are emptied at a time: the same, and whoever has them in memory reads them again.
const TEXTS: i32 = 100_000;

impl Server {
    /// Removes a batch of what the oldest release covers that is unfinished and not suspended by a legal
    /// hold; or ends it, where nothing is left.
    pub(crate) async fn remove_some(&self) -> Result<Removal, StoreError> {
        let mut connection = self.remover.acquire().await?;
        let release: Option<(i64, i64)> = sqlx::query_as(
            "SELECT r.id, r.ws FROM release r WHERE r.finished_at IS NULL AND NOT is_held(r.ws) \
             ORDER BY r.id LIMIT 1",
        )
        .fetch_optional(&mut *connection)
        .await?;
        let Some((id, ws)) = release else {
            return Ok(Removal::Nothing);
        };
        let now = self.clock.now().micros();
        let mut kept_waiting = Duration::ZERO;
        let removed: Result<i64, sqlx::Error> = async {
            let begun = Instant::now();
            let removed: i64 = sqlx::query_scalar("SELECT remove_batch($1, $2)")
                .bind(id)
                .bind(BATCH)
                .fetch_one(&mut *connection)
                .await?;
            kept_waiting = begun.elapsed();
            if removed == 0 {
                let mut after = Some(-1);
                while let Some(from) = after {
                    let begun = Instant::now();
                    after = sqlx::query_scalar("SELECT empty_texts($1, $2, $3)")
                        .bind(id)
                        .bind(from)
                        .bind(TEXTS)
                        .fetch_one(&mut *connection)
                        .await?;
                    kept_waiting = kept_waiting.max(begun.elapsed());
                }
                sqlx::query("SELECT finish_release($1, $2)")
                    .bind(id)
                    .bind(now)
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(removed)
        }
        .await;
        let events = match removed {
            Ok(events) => u64::try_from(events).unwrap_or_default(),
            Err(error) => {
                let held: bool = sqlx::query_scalar("SELECT is_held($1)")
                    .bind(ws)
                    .fetch_one(&mut *connection)
                    .await?;
                // A legal hold was placed meanwhile.
                return if held {
                    Ok(Removal::DELAYED)
                } else {
                    Err(error.into())
                };
            }
        };
        if events == 0 {
            let dropped = sqlx::query("SELECT drop_empty_partitions($1)")
                .bind(now)
                .execute(&mut *connection)
                .await;
            self.known.partitions.forget();
            if let Err(error) = dropped {
                tracing::warn!("partitions that are empty were not dropped: {error}");
            }
        }
        Ok(Removal::Some {
            events,
            kept_waiting,
        })
    }
}

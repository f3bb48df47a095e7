//! Carrying releases out on PostgreSQL: through the functions of its schema, because the server itself may
//! delete nothing.

use super::Server;
use crate::{StoreError, retention::Removal};
use std::time::Instant;

/// How many events are removed at a time: nobody else records in the tenant until they are.
const BATCH: i32 = 1_000;

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
        let begun = Instant::now();
        let now = self.clock.now().micros();
        let removed: Result<i64, sqlx::Error> = async {
            let removed: i64 = sqlx::query_scalar("SELECT remove_batch($1, $2)")
                .bind(id)
                .bind(BATCH)
                .fetch_one(&mut *connection)
                .await?;
            if removed == 0 {
                sqlx::query("SELECT finish_release($1, $2)")
                    .bind(id)
                    .bind(now)
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(removed)
        }
        .await;
        let kept_waiting = begun.elapsed();
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

//! What is done beside recording: tallies are added up, tables that have grown much are looked at, and
//! partitions made before they are needed.

use super::{Server, append::LogId};
use crate::StoreError;
use chrono::{Datelike, Months};
use domain::time::Timestamp;
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{MissedTickBehavior, interval},
};

/// How often tallies are added up. Whoever reads them adds up what came since.
const EVERY: Duration = Duration::from_secs(2);

/// Tends a log, until nobody records any more.
pub(super) async fn tend(server: Arc<Server>, mut until: oneshot::Receiver<()>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut month = None;
    loop {
        tokio::select! {
            _ = &mut until => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = server.add_up().await {
            tracing::warn!("what was counted was not added up: {error}");
        }
        // Once a month, whatever month it is here.
        let now = server.clock.now();
        let this = now.datetime().month();
        if month != Some(this) {
            match server.make_next_month(now).await {
                Ok(()) => month = Some(this),
                Err(error) => tracing::warn!("next month's partitions were not made: {error}"),
            }
        }
    }
}

impl Server {
    async fn add_up(&self) -> Result<(), StoreError> {
        let logs: Vec<LogId> = {
            let logs = self.known.tallied.lock();
            let mut logs = logs.unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *logs).into_iter().collect()
        };
        if logs.is_empty() {
            return Ok(());
        }
        sqlx::query("SELECT look_at_young_tables()")
            .execute(&self.remover)
            .await?;
        for (tenant, ws) in logs {
            sqlx::query("SELECT add_up($1, $2)")
                .bind(tenant)
                .bind(ws)
                .execute(&self.remover)
                .await?;
        }
        Ok(())
    }

    /// Makes the partitions of this month and the next of each class that is in use, so that nobody who
    /// records waits for them.
    async fn make_next_month(&self, now: Timestamp) -> Result<(), StoreError> {
        let classes: Vec<i16> = sqlx::query_scalar("SELECT DISTINCT class FROM log_class")
            .fetch_all(&self.remover)
            .await?;
        let next = now.datetime().checked_add_months(Months::new(1));
        let next = next.map_or(now, Timestamp::from);
        let wanted: Vec<(i16, i64)> = classes
            .iter()
            .flat_map(|class| [(*class, now.micros()), (*class, next.micros())])
            .collect();
        let mut connection = self.remover.acquire().await?;
        self.known.partitions.add(&mut connection, &wanted).await
    }
}

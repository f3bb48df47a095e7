//! What is done beside recording: tallies are added up, tables that have grown much are looked at, and
//! partitions made before they are needed.

use super::{Server, append::LogId};
use crate::{StoreError, database::within};
use chrono::{Datelike, Months};
use domain::time::Timestamp;
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::oneshot,
    time::{MissedTickBehavior, interval},
};

/// How often tallies are added up. Whoever reads them adds up what came since.
const EVERY: Duration = Duration::from_secs(2);

/// Changes of a log's tallies that are worth being added up at once. Where there are fewer, some other
/// server may just have added up, and it costs less to do more at a time.
const ENOUGH: i64 = 300;
/// So often fewer are passed by.
const PASSES: u8 = 3;

/// How often tables that have grown much are looked at, while they grow.
const YOUNG_EVERY: Duration = Duration::from_secs(6);
/// How often it is looked for what nobody added up: another process may have been killed before it did.
const LOOK_EVERY: Duration = Duration::from_mins(10);
/// How long one statement may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Tends a log, until nobody records any more.
pub(super) async fn tend(server: Arc<Server>, mut until: oneshot::Receiver<()>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut month = None;
    let mut looked: Option<Instant> = None;
    let mut young = Instant::now();
    loop {
        tokio::select! {
            _ = &mut until => return,
            _ = tick.tick() => {}
        }
        if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            match server.find_left_over().await {
                Ok(()) => looked = Some(Instant::now()),
                Err(error) => tracing::warn!("it was not looked what is to be added up: {error}"),
            }
        }
        match server.add_up().await {
            Ok(true) if young.elapsed() >= YOUNG_EVERY => {
                young = Instant::now();
                if let Err(error) = server.look_at_young_tables().await {
                    tracing::warn!("tables that grew were not looked at: {error}");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!("what was counted was not added up: {error}"),
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
    /// Finds the logs with changes of tallies that were left over.
    async fn find_left_over(&self) -> Result<(), StoreError> {
        for tenants in self.known.apart(self.tenants().await?) {
            let found = sqlx::query_as(
                "SELECT DISTINCT tenant, ws FROM tally_change WHERE tenant = ANY($1)",
            );
            let found = found.bind(tenants).fetch_all(&self.remover);
            let found: Result<Vec<LogId>, sqlx::Error> = within(PATIENCE, found).await;
            match found.map_err(StoreError::from) {
                Ok(found) => self.known.to_add_up(found),
                // The others' are added up; these, the next time that it is looked.
                Err(error @ StoreError::NodeUnavailable(_)) => {
                    tracing::warn!("it was not looked what is to be added up: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// All tenants.
    async fn tenants(&self) -> Result<Vec<i64>, StoreError> {
        let tenants =
            sqlx::query_scalar("SELECT id FROM tenant ORDER BY id").fetch_all(&self.remover);
        Ok(within(PATIENCE, tenants).await?)
    }

    /// Adds up what there is to add up, and tells whether there was anything. What cannot be is tried
    /// again the next time.
    async fn add_up(&self) -> Result<bool, StoreError> {
        let logs = {
            let logs = self.known.tallied.lock();
            let mut logs = logs.unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *logs)
        };
        if logs.is_empty() {
            return Ok(false);
        }
        let mut done = Ok(());
        for (log, passes) in logs {
            let mut passes = passes;
            if !matches!(done, Err(StoreError::Unavailable(_))) {
                match within(PATIENCE, self.add_up_of(log, passes)).await {
                    Ok(true) => continue,
                    Ok(false) => passes += 1,
                    Err(error) => done = Err(error.into()),
                }
            }
            self.known.add_up_later(log, passes);
        }
        done.map(|()| true)
    }

    /// Adds up the tallies of a log, unless it is to be passed by.
    async fn add_up_of(&self, (tenant, ws): LogId, passes: u8) -> Result<bool, sqlx::Error> {
        if passes < PASSES {
            let changes: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM tally_change WHERE tenant = $1 AND ws = $2",
            )
            .bind(tenant)
            .bind(ws)
            .fetch_one(&self.remover)
            .await?;
            if changes < ENOUGH {
                return Ok(false);
            }
        }
        let added = sqlx::query("SELECT add_up($1, $2)").bind(tenant).bind(ws);
        added.execute(&self.remover).await?;
        Ok(true)
    }

    /// Looks at tables that have grown much.
    async fn look_at_young_tables(&self) -> Result<(), StoreError> {
        let looked = sqlx::query("SELECT look_at_young_tables()").execute(&self.remover);
        within(PATIENCE, looked).await?;
        if self.known.is_distributed {
            let looked =
                sqlx::query("SELECT look_at_young_tables_of_nodes()").execute(&self.remover);
            within(PATIENCE, looked).await?;
        }
        Ok(())
    }

    /// Makes the partitions of this month and the next of each class that is in use, so that nobody who
    /// records waits for them.
    async fn make_next_month(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut classes: BTreeSet<i16> = BTreeSet::new();
        for tenants in self.known.apart(self.tenants().await?) {
            let used: Vec<i16> =
                sqlx::query_scalar("SELECT DISTINCT class FROM log_class WHERE tenant = ANY($1)")
                    .bind(tenants)
                    .fetch_all(&self.remover)
                    .await?;
            classes.extend(used);
        }
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

//! Telling those who wait for events of what arrived on the server, whoever recorded it: another
//! process may have, on another machine.
//!
//! One look at the ends of the logs that somebody waits for, for all who wait: at once after this
//! process recorded something, and else as often as files are looked at.

use super::Server;
use crate::{
    StoreError,
    database::within,
    sqlite::{
        arrivals::{Arrivals, MANY},
        change::Log,
    },
};
use std::{sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked for what other processes recorded.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Wakes those who wait for what arrives, until the store closes.
pub(super) async fn tell(server: Arc<Server>) {
    let arrivals = &server.arrivals;
    let mut heard = arrivals.heard();
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            changed = heard.changed() => if changed.is_err() { return },
            () = arrivals.ended() => return,
        }
        heard.borrow_and_update();
        let followed = arrivals.followed();
        if followed.is_empty() {
            continue;
        }
        tokio::select! {
            told = within(PATIENCE, server.tell_of(arrivals, &followed)) => if told.is_err() {
                // Whoever looks hears of it.
                arrivals.wake_all();
            },
            () = arrivals.ended() => return,
        }
    }
}

impl Server {
    /// Wakes those who wait for what came after the number that the tenant's waiters were told of.
    async fn tell_of(
        &self,
        arrivals: &Arrivals,
        followed: &[(i64, i64)],
    ) -> Result<(), StoreError> {
        let tenants: Vec<i64> = followed.iter().map(|(tenant, _)| *tenant).collect();
        for tenants in self.known.apart(tenants) {
            match self.tell_of_some(arrivals, followed, &tenants).await {
                // Whoever looks hears of it; the others' nodes are there.
                Err(StoreError::NodeUnavailable(_)) => {
                    for tenant in tenants {
                        arrivals.wake_tenant(tenant);
                    }
                }
                told => told?,
            }
        }
        Ok(())
    }

    /// The same, of tenants that are asked about together.
    async fn tell_of_some(
        &self,
        arrivals: &Arrivals,
        followed: &[(i64, i64)],
        tenants: &[i64],
    ) -> Result<(), StoreError> {
        let heads: Vec<(i64, i64)> =
            sqlx::query_as("SELECT tenant, seq FROM tenant_head WHERE tenant = ANY($1)")
                .bind(tenants)
                .fetch_all(&self.watcher)
                .await?;
        for (tenant, head) in heads {
            let told = followed.iter().find(|(known, _)| *known == tenant);
            let Some((_, told)) = told.filter(|(_, told)| *told < head) else {
                continue;
            };
            if head - told > MANY {
                arrivals.wake_tenant(tenant);
            } else {
                let places: Vec<i64> = sqlx::query_scalar(
                    "SELECT DISTINCT ws FROM leaf WHERE tenant = $1 AND seq > $2 AND seq <= $3",
                )
                .bind(tenant)
                .bind(told)
                .bind(head)
                .fetch_all(&self.watcher)
                .await?;
                let places: Vec<Log> = places.into_iter().map(|ws| Log { ws, tenant }).collect();
                arrivals.wake(&places);
            }
            arrivals.told(tenant, head);
        }
        Ok(())
    }
}

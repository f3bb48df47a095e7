//! Deleting what has expired.

use crate::http::EVENTS_EXPIRED;
use std::time::{Duration, Instant};
use store::{
    Store, StoreError,
    administration::By,
    retention::{Occasion, Released, Removal},
};

/// How often it is looked whether something has expired.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked whether somebody else made a release.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// How long is waited after an error.
const AFTER_ERROR: Duration = Duration::from_secs(10);

/// Releases what has expired in each log, once a day, and removes what releases cover, batch by
/// batch. Of several processes one does: on SQLite the one that keeps the index, on PostgreSQL the one
/// that began.
pub async fn expire(store: Store) {
    let mut looked: Option<Instant> = None;
    let mut trouble: Option<String> = None;
    loop {
        let is_due = looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        let step = step(&store, is_due).await;
        if is_due && step.is_ok() {
            looked = Some(Instant::now());
        }
        // Told when it begins and when it is another: it is tried again every few seconds.
        let now = step.as_ref().err().map(ToString::to_string);
        if let Some(error) = now.as_ref().filter(|_| now != trouble) {
            tracing::error!("what has expired could not be deleted: {error}");
        }
        trouble = now;
        tokio::time::sleep(step.unwrap_or(AFTER_ERROR)).await;
    }
}

/// Removes a batch, after having made the releases that are due; gives how long to wait for the next.
async fn step(store: &Store, is_due: bool) -> Result<Duration, StoreError> {
    let begun = Instant::now();
    match store.remove_some().await? {
        // As long as it took belongs to those who record and read.
        Removal::Some { events, .. } if events > 0 => {
            metrics::counter!(EVENTS_EXPIRED).increment(events);
            return Ok(begun.elapsed());
        }
        Removal::Erased { .. } => return Ok(begun.elapsed()),
        // Of no events: a release ended, or nothing can be removed now.
        Removal::Some { .. } | Removal::Elsewhere => return Ok(FOLLOW_EVERY),
        Removal::Nothing => {}
    }
    if is_due {
        for log in store.expiring_logs().await? {
            let released = store
                .release(&log, Occasion::Daily, &By::background())
                .await?;
            if let Released::Made(release, retention) = released {
                tracing::info!(
                    "{log}: {} events that occurred before {} are deleted, under a retention of \
                     {retention}",
                    release.events,
                    release.before
                );
            }
        }
    }
    Ok(FOLLOW_EVERY)
}

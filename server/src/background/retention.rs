//! Deleting what has expired, and erasing what is to be erased.

use crate::http::EVENTS_EXPIRED;
use chrono::TimeDelta;
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
/// So long after an erasure the database is cleaned of it, if the command that asked for it has not done so.
const CLEAN_AFTER: TimeDelta = TimeDelta::seconds(10);
/// How long after that could not be done it is tried again: nobody records while a file is written anew.
const CLEAN_AGAIN: Duration = Duration::from_hours(1);

/// Releases what has expired in each log, once a day, and removes what releases cover, batch by
/// batch. Of several processes one does: on SQLite the one that keeps the index, on PostgreSQL the one
/// that began.
pub async fn expire(store: Store) {
    let mut looked: Option<Instant> = None;
    let mut cleaning = Cleaning::default();
    let mut trouble: Option<String> = None;
    loop {
        let is_due = looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        let step = step(&store, is_due, &mut cleaning).await;
        if is_due && step.is_ok() {
            looked = Some(Instant::now());
        }
        // Told when it begins and when it is another: it is tried again every few seconds.
        let now = step.as_ref().err().map(ToString::to_string);
        if let Some(error) = now.as_ref().filter(|_| now != trouble) {
            tracing::error!("what has expired, or is to be erased, could not be: {error}");
        }
        trouble = now;
        tokio::time::sleep(step.unwrap_or(AFTER_ERROR)).await;
    }
}

/// What is known of cleaning the database of what was erased.
#[derive(Default)]
struct Cleaning {
    /// When it could not be done.
    failed: Option<Instant>,
    /// Whether its file was written anew already.
    is_rewritten: bool,
}

impl Cleaning {
    /// Cleans the database where somebody who erased something did not.
    async fn clean_if_due(&mut self, store: &Store) -> Result<(), StoreError> {
        if self.failed.is_some_and(|at| at.elapsed() < CLEAN_AGAIN)
            || !store.is_to_be_cleaned(CLEAN_AFTER).await?
        {
            return Ok(());
        }
        tracing::info!("the database is cleaned of what was erased");
        // Whom it was about is not known here.
        let texts = self.is_rewritten.then_some(&[][..]);
        let cleaned = store.clean(texts).await;
        let is_done = cleaned.as_ref().is_ok_and(|cleaned| !cleaned.is_left);
        self.is_rewritten |= cleaned.as_ref().is_ok_and(|cleaned| cleaned.rewritten);
        if is_done {
            *self = Self::default();
            tracing::info!("the database holds nothing of what was erased");
            return Ok(());
        }
        self.failed = Some(Instant::now());
        match cleaned {
            Ok(_) => tracing::warn!(
                "others were using the database all the time: it may hold some of what was erased where \
                 nobody reads; it is cleaned later"
            ),
            Err(error) => {
                tracing::error!("the database was not cleaned of what was erased: {error}");
            }
        }
        Ok(())
    }
}

/// Removes a batch, after having made the releases that are due; gives how long to wait for the next.
async fn step(
    store: &Store,
    is_due: bool,
    cleaning: &mut Cleaning,
) -> Result<Duration, StoreError> {
    let begun = Instant::now();
    // What cannot be erased keeps nothing from expiring.
    let mut trouble = match store.remove_some().await {
        // As long as it took belongs to those who record and read.
        Ok(Removal::Some { events, .. }) if events > 0 => {
            metrics::counter!(EVENTS_EXPIRED).increment(events);
            return Ok(begun.elapsed());
        }
        Ok(Removal::Erased { .. }) => return Ok(begun.elapsed()),
        // Of no events: a release ended, or nothing can be removed now.
        Ok(Removal::Some { .. } | Removal::Elsewhere) => return Ok(FOLLOW_EVERY),
        Ok(Removal::Nothing) => None,
        Err(error) => Some(error),
    };
    if is_due {
        for log in store.expiring_logs().await? {
            let released = store
                .release(&log, Occasion::Daily, &By::background())
                .await;
            match released {
                Ok(Released::Made(release, retention)) => tracing::info!(
                    "{log}: {} events that occurred before {} are deleted, under a retention of \
                     {retention}",
                    release.events,
                    release.before
                ),
                Ok(_) => {}
                // The others' nodes are there.
                Err(error @ StoreError::NodeUnavailable(_)) => trouble = trouble.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
    }
    if let Some(error) = trouble {
        return Err(error);
    }
    cleaning.clean_if_due(store).await?;
    Ok(FOLLOW_EVERY)
}

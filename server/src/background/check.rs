//! Verifying the log beside the server, for ever and gently.

use crate::http::{CHECK_FAULTS, ENTRIES_CHECKED};
use std::time::{Duration, Instant};
use store::{
    Store, StoreError,
    proof::verify::{Steady, Step},
};

/// What one server at a time does.
const WHAT: &str = "background check";
/// For how long it is that server's.
const LASTS: Duration = Duration::from_mins(1);
/// How often the newest checkpoints are looked at.
const NEWEST_EVERY: Duration = Duration::from_mins(1);
/// How long there are between the end of a round and the next.
const ROUND_EVERY: Duration = Duration::from_mins(10);
/// How long is waited where another server checks, and after an error.
const AGAIN: Duration = Duration::from_secs(10);
/// Between two stretches, so many times as long as one took belongs to others.
const OTHERS: u32 = 4;
/// At least.
const REST_LEAST: Duration = Duration::from_millis(50);

/// Where the check stands.
#[derive(Default)]
struct Standing {
    steady: Steady,
    /// When the newest checkpoints were looked at.
    newest: Option<Instant>,
    /// When the last round ended.
    ended: Option<Instant>,
}

/// Checks the log, for as long as this is waited for. What is wrong is noted, told where admins look, and
/// stops nothing.
pub async fn check(store: Store) {
    let mut standing = Standing::default();
    let mut trouble: Option<String> = None;
    loop {
        let step = standing.step(&store).await;
        let now = match &step {
            Ok(_) | Err(StoreError::Moving(_)) => None,
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = now.as_ref().filter(|_| now != trouble) {
            tracing::error!("the log could not be checked in the background: {error}");
        }
        trouble = now;
        tokio::time::sleep(step.unwrap_or(AGAIN)).await;
    }
}

impl Standing {
    /// Checks a stretch, and gives how long to wait for the next.
    async fn step(&mut self, store: &Store) -> Result<Duration, StoreError> {
        if self.newest.is_none_or(|at| at.elapsed() >= NEWEST_EVERY) {
            self.look(store).await?;
        }
        let rest = self
            .ended
            .map(|at| ROUND_EVERY.saturating_sub(at.elapsed()));
        if let Some(rest) = rest.filter(|rest| !rest.is_zero()) {
            return Ok(rest.min(NEWEST_EVERY));
        }
        if !store.lease(WHAT, LASTS).await? {
            return Ok(AGAIN);
        }
        let begun = Instant::now();
        let step = self.steady.step(store).await?;
        let (Step::Checked(checked) | Step::Ended(checked)) = step;
        metrics::counter!(ENTRIES_CHECKED).increment(checked);
        if matches!(step, Step::Ended(_)) {
            self.ended = Some(Instant::now());
            store.end_lease(WHAT).await?;
            self.look(store).await?;
            return Ok(NEWEST_EVERY);
        }
        Ok((begun.elapsed() * OTHERS).max(REST_LEAST))
    }

    /// Looks at the newest checkpoints, and measures how many logs something is wrong with.
    #[expect(clippy::cast_precision_loss, reason = "there are not so many tenants")]
    async fn look(&mut self, store: &Store) -> Result<(), StoreError> {
        let looked = store.check_newest().await;
        let faults = store.known_faults().await?;
        metrics::gauge!(CHECK_FAULTS).set(faults as f64);
        self.newest = Some(Instant::now());
        looked.map(drop)
    }
}

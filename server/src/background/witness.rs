//! Bringing checkpoints to witnesses: to each the newest alone, in its own time. Who is slow keeps nobody
//! waiting.

use crate::witness::{Web, bring, patience};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use store::{Store, StoreError, proof::witness::Witness};
use tokio::task::{JoinHandle, JoinSet};

/// What one server at a time does.
const WHAT: &str = "witnesses";
/// For how long it is that server's.
const LASTS: Duration = Duration::from_mins(1);
/// How often it is looked whether somebody is to get something, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The same where there is no witness, or another server brings them what there is.
const IDLE: Duration = Duration::from_secs(5);
/// Looking takes at most one part in so many of the time.
const PARTS: u32 = 20;

/// How often in a row a witness did not take what it was brought of a tenant, and until when it is left
/// alone.
type Failures = HashMap<i64, (u32, Instant)>;

/// The witnesses that are being brought something, and how those fared that are not.
#[derive(Default)]
struct Under {
    busy: HashMap<i64, JoinHandle<Result<Failures, StoreError>>>,
    failures: HashMap<i64, Failures>,
}

impl Drop for Under {
    fn drop(&mut self) {
        for (_, busy) in self.busy.drain() {
            busy.abort();
        }
    }
}

/// Brings witnesses the newest checkpoints, for as long as this is waited for.
pub async fn push(store: Store, web: Web) {
    let mut under = Under::default();
    let mut trouble: Option<String> = None;
    loop {
        let begun = Instant::now();
        let step = under.step(&store, &web).await;
        let now = match &step {
            Ok(_) | Err(StoreError::Moving(_)) => None,
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = now.as_ref().filter(|_| now != trouble) {
            tracing::error!("witnesses get no checkpoints: {error}");
        }
        trouble = now;
        let rest = if step.unwrap_or(false) {
            LOOK_EVERY
        } else {
            IDLE
        };
        tokio::time::sleep(rest.max(begun.elapsed() * PARTS)).await;
    }
}

impl Under {
    /// Sees to it that each witness is being brought what it is to get; whether there is anybody to look
    /// after.
    async fn step(&mut self, store: &Store, web: &Web) -> Result<bool, StoreError> {
        let done: Vec<i64> = self
            .busy
            .iter()
            .filter(|(_, busy)| busy.is_finished())
            .map(|(id, _)| *id)
            .collect();
        for id in done {
            if let Some(busy) = self.busy.remove(&id) {
                let failures = busy.await.map_err(|_| StoreError::Closing)??;
                self.failures.insert(id, failures);
            }
        }
        let witnesses = store.witnesses().await?;
        if witnesses.is_empty() || !store.lease(WHAT, LASTS).await? {
            return Ok(false);
        }
        for witness in witnesses {
            let id = witness.id;
            if self.busy.contains_key(&id) {
                continue;
            }
            let failures = self.failures.remove(&id).unwrap_or_default();
            let work = one(store.clone(), web.clone(), witness, failures);
            self.busy.insert(id, tokio::spawn(work));
        }
        Ok(true)
    }
}

/// Brings one witness what it is to get now.
async fn one(
    store: Store,
    web: Web,
    witness: Witness,
    mut failures: Failures,
) -> Result<Failures, StoreError> {
    for (checkpoint, due) in store.to_witness(&witness).await? {
        let tenant = checkpoint.tenant;
        let until = failures.get(&tenant).map(|(_, until)| *until);
        if !due.is_zero() || until.is_some_and(|until| until > Instant::now()) {
            continue;
        }
        let before = failures.remove(&tenant).map_or(0, |(times, _)| times);
        if !bring(&store, &web, &witness, &checkpoint).await? {
            let times = before.saturating_add(1);
            if before == 0 {
                tracing::warn!(
                    "the witness {} did not take a checkpoint of {}: daybook witness list tells why",
                    witness.name,
                    checkpoint.slug
                );
            }
            failures.insert(tenant, (times, Instant::now() + patience(times)));
        }
    }
    Ok(failures)
}

/// Begins to bring them.
pub fn begin(work: &mut JoinSet<()>, store: &Store) {
    match Web::new() {
        Ok(web) => {
            work.spawn(push(store.clone(), web));
        }
        Err(error) => tracing::error!("witnesses get no checkpoints: {error}"),
    }
}

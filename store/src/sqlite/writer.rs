//! The queue before the log, and the two tasks behind it: one commits groups of requests and answers them, the
//! other brings the index up to date meanwhile.

use super::{
    Inner,
    admit::{Admitted, KeyHash},
    append::{Appender, placed_at},
    index::Indexer,
    keeper::Keeper,
};
use crate::{
    StoreError,
    recording::{Placed, Receipt, RecordError},
    retention::Removal,
};
use sqlx::Row;
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::Instant,
};

/// How much may wait, in KiB of events.
pub(crate) const QUEUE_KIB: u32 = 64 * 1024;
/// How many events are committed together at most.
pub(crate) const GROUP: usize = 8_000;
/// How long is waited at least between two steps of the index that nobody waits for.
const REST: Duration = Duration::from_millis(50);
/// How often the log is looked at for what other processes wrote.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A request that waits.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) events: Vec<Admitted>,
    pub(crate) answer: oneshot::Sender<Result<Vec<Receipt>, StoreError>>,
    /// Its part of the queue, given back when it is answered.
    pub(crate) room: OwnedSemaphorePermit,
}

/// Takes requests from the queue, commits them in groups, and answers them, until the queue is closed; then
/// `ends` is dropped.
pub(crate) async fn commit_groups(
    keeper: Arc<Keeper>,
    mut queue: mpsc::UnboundedReceiver<Job>,
    _ends: oneshot::Sender<Infallible>,
) {
    while let Some(first) = queue.recv().await {
        let mut events = first.events.len();
        let mut jobs = vec![first];
        while events < GROUP
            && let Ok(next) = queue.try_recv()
        {
            events += next.events.len();
            jobs.push(next);
        }
        metrics::histogram!("daybook_group_events")
            .record(f64::from(u32::try_from(events).unwrap_or(u32::MAX)));
        let (answers, work): (Vec<_>, Vec<_>) = jobs
            .into_iter()
            .map(|job| ((job.answer, job.room), job.events))
            .unzip();
        match commit_in_turn(&keeper, events, work).await {
            Ok(receipts) => {
                for ((answer, _room), receipts) in answers.into_iter().zip(receipts) {
                    let _ = answer.send(Ok(receipts));
                }
            }
            Err(error) => {
                tracing::error!("a group of {events} events was not recorded: {error}");
                for (answer, _room) in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}

/// Commits one group when the index is not too far behind, and nobody else writes.
async fn commit_in_turn(
    keeper: &Keeper,
    events: usize,
    jobs: Vec<Vec<Admitted>>,
) -> Result<Vec<Vec<Receipt>>, StoreError> {
    keeper.make_way(events).await?;
    let mut appender = keeper.appender.lock().await;
    commit_group(keeper, &mut appender, jobs).await
}

/// Somebody who asks for some of what releases cover to be removed, and waits for what comes of it.
pub(crate) type RemovalRequest = oneshot::Sender<Result<Removal, StoreError>>;

/// Commits one group: gives a receipt for each event.
async fn commit_group(
    keeper: &Keeper,
    appender: &mut Appender,
    jobs: Vec<Vec<Admitted>>,
) -> Result<Vec<Vec<Receipt>>, StoreError> {
    appender.begin(keeper.mark()).await?;
    let result = stage_group(keeper, appender, jobs).await;
    match result {
        Ok(receipts) => {
            let n = appender.commit().await?;
            keeper.recorded(n);
            Ok(receipts)
        }
        Err(error) => {
            appender.rollback().await;
            Err(error)
        }
    }
}

async fn stage_group(
    keeper: &Keeper,
    appender: &mut Appender,
    jobs: Vec<Vec<Admitted>>,
) -> Result<Vec<Vec<Receipt>>, StoreError> {
    let keys: Vec<KeyHash> = jobs
        .iter()
        .flatten()
        .filter_map(|event| event.key)
        .collect();
    let known = keeper.indexed_keys(&keys).await?;
    let now = keeper.clock.now();
    let mut discarded: HashMap<i64, i64> = HashMap::new();
    let mut all = Vec::with_capacity(jobs.len());
    for events in jobs {
        let mut receipts = Vec::with_capacity(events.len());
        for event in events {
            let ours = event.source == Some(domain::event::Source::Daybook);
            let earlier = event
                .key
                .and_then(|key| known.get(&key).copied().or_else(|| appender.placed(&key)));
            receipts.push(if let Some(earlier) = earlier {
                Receipt::Duplicate(earlier)
            } else if !ours && !appender.records(event.ws) {
                *discarded.entry(event.ws).or_default() += 1;
                Receipt::Discarded
            } else {
                Receipt::Recorded(appender.stage(event, now).await?)
            });
        }
        all.push(receipts);
    }
    for (ws, events) in discarded {
        sqlx::query("UPDATE workspace SET discarded = discarded + ? WHERE id = ?")
            .bind(events)
            .bind(ws)
            .execute(appender.connection.sqlite()?)
            .await?;
    }
    Ok(all)
}

impl Keeper {
    /// Events with these keys that the index has.
    async fn indexed_keys(&self, keys: &[KeyHash]) -> Result<HashMap<KeyHash, Placed>, StoreError> {
        let mut known = HashMap::new();
        if keys.is_empty() {
            return Ok(known);
        }
        let numbers: Vec<i64> = keys.iter().map(|hash| hash.key).collect();
        let numbers = serde_json::to_string(&numbers)
            .map_err(|error| StoreError::Database(error.to_string()))?;
        let rows = sqlx::query(
            "SELECT c.key, c.key_rest, l.id, l.seq, l.recorded_at FROM json_each(?) j \
             CROSS JOIN i.by_key k ON k.hash = j.value \
             JOIN content c ON c.n = k.n AND c.key = k.hash JOIN leaf l ON l.n = k.n",
        )
        .bind(numbers)
        .fetch_all(&self.readers)
        .await?;
        for row in rows {
            let hash = KeyHash {
                key: row.try_get(0)?,
                rest: row.try_get(1)?,
            };
            known.insert(hash, placed_at(&row, 2)?);
        }
        Ok(known)
    }
}

impl Inner {
    /// Puts a request into the queue, and waits until it is durable: from then on it is found.
    pub(crate) async fn enqueue(
        self: &Arc<Self>,
        events: Vec<Admitted>,
    ) -> Result<Vec<Receipt>, RecordError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        if events.iter().any(|event| event.key.is_some()) {
            self.require_index()?;
        }
        let weight: u32 = events.iter().map(Admitted::weight).sum();
        let room = Arc::clone(&self.room)
            .try_acquire_many_owned(weight.min(QUEUE_KIB))
            .map_err(|_| RecordError::Busy { retry_after: 1 })?;
        let (answer, answered) = oneshot::channel();
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
            .ok_or(StoreError::Closing)?;
        queue
            .send(Job {
                events,
                answer,
                room,
            })
            .map_err(|_| StoreError::Closing)?;
        Ok(answered.await.map_err(|_| StoreError::Closing)??)
    }
}

/// Brings the index up to date, removes what it is asked to, and watches for what other processes write; until
/// nothing more is recorded. While much is, it takes over much at once, as much as came meanwhile: that is
/// several times as fast for each event. What it had not taken over at the end is taken over by who opens the log
/// next.
pub(crate) async fn keep_index(
    keeper: Arc<Keeper>,
    mut indexer: Option<Indexer>,
    mut ended: oneshot::Receiver<Infallible>,
    mut removals: mpsc::Receiver<RemovalRequest>,
) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut open = true;
    let mut trouble = Trouble::default();
    loop {
        let mark = keeper.mark();
        let behind = advance(&keeper, &mut indexer).await;
        trouble.tell(&behind);
        let mut more = matches!(behind, Ok(true));
        let is_waited_for = more && keeper.wanted.load(Ordering::Acquire) > keeper.mark();
        if is_waited_for {
            continue;
        }
        if !open {
            break;
        }
        // Small steps, one right after the other, would write the same pages again and again.
        let rested = Instant::now()
            + if mark < keeper.mark() {
                REST
            } else {
                Duration::ZERO
            };
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(rested), if more => break,
                () = keeper.nudge.notified(), if !more => more = true,
                () = keeper.waiting.notified() => break,
                _ = &mut ended, if open => {
                    open = false;
                    break;
                }
                Some(request) = removals.recv() => {
                    let removed = match &mut indexer {
                        Some(indexer) => keeper.remove_some(indexer).await,
                        None => Ok(Removal::Elsewhere),
                    };
                    let _ = request.send(removed);
                    break;
                }
                _ = look.tick() => {
                    // A transaction that is open while nobody holds the connection was abandoned.
                    if let Ok(mut appender) = keeper.appender.try_lock() {
                        appender.rollback().await;
                    }
                    break;
                }
            }
        }
    }
    if let Some(indexer) = indexer
        && let Err(error) = indexer.close().await
    {
        tracing::warn!("the index was not closed cleanly: {error}");
    }
}

/// What keeps the index from following, told when it begins, changes and ends: it is tried again
/// several times a second.
#[derive(Default)]
struct Trouble(Option<String>);

impl Trouble {
    fn tell(&mut self, step: &Result<bool, StoreError>) {
        let now = step.as_ref().err().map(ToString::to_string);
        match &now {
            Some(error) if now != self.0 => {
                tracing::error!("the index could not be brought up to date: {error}");
            }
            None if self.0.is_some() => tracing::warn!("the index follows the log again"),
            _ => {}
        }
        self.0 = now;
    }
}

/// One step; tells whether there is more to take over.
async fn advance(keeper: &Keeper, indexer: &mut Option<Indexer>) -> Result<bool, StoreError> {
    let step = take_over(keeper, indexer).await;
    if let Err(error) = &step {
        let mut known = keeper
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known = Some(error.clone());
        drop(known);
        keeper
            .progress
            .send_modify(|progress| progress.failures += 1);
    }
    step
}

async fn take_over(keeper: &Keeper, indexer: &mut Option<Indexer>) -> Result<bool, StoreError> {
    if indexer.is_none() {
        // Another process has it, or had: it may be free by now.
        if let Some(lock) = keeper.files.try_lock_index()? {
            *indexer = Some(Indexer::open(&keeper.files, lock, &keeper.installation).await?);
            // It may have been made anew.
            keeper.tail.forget();
        }
    }
    let (mark, head) = match indexer {
        Some(indexer) => {
            let wanted = keeper.wanted.load(Ordering::Acquire);
            indexer.step(keeper.lag.kept, wanted).await?
        }
        None => {
            let row: (i64, Option<i64>) =
                sqlx::query_as("SELECT (SELECT n FROM i.mark), (SELECT max(n) FROM leaf)")
                    .fetch_one(&keeper.watcher)
                    .await?;
            (row.0, row.1.unwrap_or(0))
        }
    };
    keeper.arrivals.came(head);
    keeper.tail.let_go(mark);
    let head = head.max(keeper.progress.borrow().head);
    keeper.progress.send_if_modified(|progress| {
        let changed = progress.mark != mark || progress.head != head;
        progress.mark = mark;
        progress.head = head;
        progress.ours = indexer.is_some();
        if mark >= head {
            progress.caught_up = true;
        }
        changed
    });
    let wanted = keeper.wanted.load(Ordering::Acquire);
    let end = head.saturating_sub(keeper.lag.kept).max(wanted.min(head));
    Ok(indexer.is_some() && mark < end)
}

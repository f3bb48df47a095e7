//! The queue before the log, and the two tasks that empty it: one commits groups of requests, the
//! other brings the index up to date and then answers, while the next group is being committed.

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
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// How much may wait, in KiB of events.
pub(crate) const QUEUE_KIB: u32 = 64 * 1024;
/// How many events are committed together at most.
pub(crate) const GROUP: usize = 8_000;
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

/// A request that is committed, and waits for the index.
struct Committed {
    n: i64,
    receipts: Vec<Receipt>,
    answer: oneshot::Sender<Result<Vec<Receipt>, StoreError>>,
    _room: OwnedSemaphorePermit,
}

/// Takes requests from the queue and commits them in groups, until the queue is closed.
pub(crate) async fn commit_groups(
    keeper: Arc<Keeper>,
    mut queue: mpsc::UnboundedReceiver<Job>,
    committed: mpsc::UnboundedSender<Vec<CommittedJob>>,
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
        let mut appender = keeper.appender.lock().await;
        let (answers, work): (Vec<_>, Vec<_>) = jobs
            .into_iter()
            .map(|job| ((job.answer, job.room), job.events))
            .unzip();
        match commit_group(&keeper, &mut appender, work).await {
            Ok((n, receipts)) => {
                drop(appender);
                let group = answers
                    .into_iter()
                    .zip(receipts)
                    .map(|((answer, room), receipts)| {
                        CommittedJob(Committed {
                            n,
                            receipts,
                            answer,
                            _room: room,
                        })
                    })
                    .collect();
                // Who keeps the index is gone only where it panicked: what is durable is answered
                // as that all the same, or its senders would send it again.
                if let Err(lost) = committed.send(group) {
                    tracing::error!("nobody keeps the index any more; please start again");
                    for CommittedJob(job) in lost.0 {
                        let _ = job.answer.send(Ok(job.receipts));
                    }
                }
            }
            Err(error) => {
                drop(appender);
                tracing::error!("a group of {events} events was not recorded: {error}");
                for (answer, _room) in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}

/// Somebody who asks for some of what releases cover to be removed, and waits for what comes of it.
pub(crate) type RemovalRequest = oneshot::Sender<Result<Removal, StoreError>>;

/// A committed request on its way to the index.
pub(crate) struct CommittedJob(Committed);

/// Commits one group: gives the log's new head and a receipt for each event.
async fn commit_group(
    keeper: &Keeper,
    appender: &mut Appender,
    jobs: Vec<Vec<Admitted>>,
) -> Result<(i64, Vec<Vec<Receipt>>), StoreError> {
    appender.begin(keeper.mark()).await?;
    let result = stage_group(keeper, appender, jobs).await;
    match result {
        Ok(receipts) => {
            let n = appender.commit().await?;
            keeper.own_head.store(n, Ordering::Release);
            keeper.arrivals.came(n);
            Ok((n, receipts))
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
    /// Puts a request into the queue, and waits until it is durable and can be found.
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

/// Brings the index up to date, answers what was waiting for it, removes what it is asked to, and
/// watches for what other processes write. Ends when the committing task has.
pub(crate) async fn keep_index(
    keeper: Arc<Keeper>,
    mut indexer: Option<Indexer>,
    mut committed: mpsc::UnboundedReceiver<Vec<CommittedJob>>,
    mut removals: mpsc::Receiver<RemovalRequest>,
) {
    let mut waiting: Vec<Committed> = Vec::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut open = true;
    let mut trouble = Trouble::default();
    loop {
        let behind = advance(&keeper, &mut indexer).await;
        let mark = keeper.mark();
        // Where another process keeps the index, it follows by itself: nothing waits for it.
        let ours = indexer.is_some();
        let (done, still): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|job| !ours || behind.is_err() || job.n <= mark);
        waiting = still;
        for job in done {
            let _ = job.answer.send(Ok(job.receipts));
        }
        trouble.tell(&behind);
        let more = matches!(behind, Ok(true));
        if !open && waiting.is_empty() && !more {
            break;
        }
        if more {
            while let Ok(group) = committed.try_recv() {
                waiting.extend(group.into_iter().map(|job| job.0));
            }
            continue;
        }
        tokio::select! {
            group = committed.recv(), if open => match group {
                Some(group) => {
                    waiting.extend(group.into_iter().map(|job| job.0));
                    while let Ok(group) = committed.try_recv() {
                        waiting.extend(group.into_iter().map(|job| job.0));
                    }
                }
                None => open = false,
            },
            () = keeper.nudge.notified() => {}
            Some(request) = removals.recv() => {
                let removed = match &mut indexer {
                    Some(indexer) => keeper.remove_some(indexer).await,
                    None => Ok(Removal::Elsewhere),
                };
                let _ = request.send(removed);
            }
            _ = look.tick() => {
                // A transaction that is open while nobody holds the connection was abandoned.
                if let Ok(mut appender) = keeper.appender.try_lock() {
                    appender.rollback().await;
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
        }
    }
    let (mark, head) = match indexer {
        Some(indexer) => indexer.step().await?,
        None => {
            let row: (i64, Option<i64>) =
                sqlx::query_as("SELECT (SELECT n FROM i.mark), (SELECT max(n) FROM leaf)")
                    .fetch_one(&keeper.watcher)
                    .await?;
            (row.0, row.1.unwrap_or(0))
        }
    };
    keeper.arrivals.came(head);
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
    Ok(indexer.is_some() && mark < head)
}

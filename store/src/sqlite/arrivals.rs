//! Who waits for events to arrive, and how they hear of it.
//!
//! One task looks where new events lie, for all who wait: after each commit of this process, and
//! where the one who keeps the index found that another process wrote, which it looks for several
//! times a second anyway. It wakes those who wait in these workspaces, and nobody else. Whoever waits
//! holds no connection to the database.

use super::{Inner, Store};
use crate::{StoreError, access::Reach};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Semaphore, watch};

/// How many of those who were woken look at the log at the same time: all others read it too.
const LOOKING: usize = 2;
/// Of more events at once it is not found out whom they concern: everybody looks.
const MANY: i64 = 1_000;
/// How long whoever was woken for nothing of theirs rests at least, before they look again.
const REST_LEAST: Duration = Duration::from_millis(50);
/// The same for each who waits: however many they are, they look a thousand times a second at most.
const REST_FOR_EACH: Duration = Duration::from_millis(1);

/// Whose events somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whose {
    /// Those of a whole tenant.
    Tenant(i64),
    /// Those of a workspace.
    Workspace(i64),
}

impl From<&Reach> for Whose {
    fn from(reach: &Reach) -> Self {
        match reach {
            Reach::Tenant(tenant) => Self::Tenant(tenant.id),
            Reach::Workspace(workspace)
            | Reach::Object(workspace, _)
            | Reach::Own(workspace, _) => Self::Workspace(workspace.id),
        }
    }
}

/// Those who wait.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// The last event that is known to be in the log.
    head: watch::Sender<i64>,
    /// Whether anybody may still wait.
    open: watch::Sender<bool>,
    waiting: Mutex<HashMap<Whose, watch::Sender<()>>>,
    /// How many wait.
    count: AtomicU64,
    /// Who was woken takes turns.
    looking: Semaphore,
}

impl Arrivals {
    /// Nobody waits yet; `head` is the last event in the log.
    pub(super) fn new(head: i64) -> Self {
        Self {
            head: watch::channel(head).0,
            open: watch::channel(true).0,
            waiting: Mutex::default(),
            count: AtomicU64::new(0),
            looking: Semaphore::new(LOOKING),
        }
    }

    /// The log is known to hold event `n`.
    pub(super) fn came(&self, n: i64) {
        self.head.send_if_modified(|head| {
            let is_new = n > *head;
            *head = n.max(*head);
            is_new
        });
    }

    /// Lets everybody go who waits, now and from now on.
    pub(super) fn end(&self) {
        self.open.send_replace(false);
    }

    /// Somebody who is told of what arrives within a reach from now on.
    pub(super) fn waiter(&self, reach: &Reach) -> Waiter<'_> {
        let whose = Whose::from(reach);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = waiting
            .entry(whose)
            .or_insert_with(|| watch::channel(()).0)
            .subscribe();
        self.count.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("daybook_feed_waiting").increment(1.0);
        Waiter {
            arrivals: self,
            whose,
            changed,
            open: self.open.subscribe(),
        }
    }

    fn is_anybody_waiting(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Wakes those who wait for events of these workspaces, each with its tenant; none: everybody.
    fn wake(&self, places: Option<&[(i64, i64)]>) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(places) = places else {
            for changed in waiting.values() {
                changed.send_replace(());
            }
            return;
        };
        for (ws, tenant) in places {
            for whose in [Whose::Workspace(*ws), Whose::Tenant(*tenant)] {
                if let Some(changed) = waiting.get(&whose) {
                    changed.send_replace(());
                }
            }
        }
    }
}

/// Somebody who waits, until it is dropped.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    arrivals: &'a Arrivals,
    whose: Whose,
    changed: watch::Receiver<()>,
    open: watch::Receiver<bool>,
}

impl Waiter<'_> {
    /// Waits until something arrives, or did since the last call; false: nobody may wait any more.
    pub(super) async fn woken(&mut self) -> bool {
        tokio::select! {
            changed = self.changed.changed() => changed.is_ok(),
            _ = self.open.wait_for(|open| !open) => false,
        }
    }

    /// Rests after having been woken for nothing; false: nobody may wait any more.
    pub(super) async fn rest(&mut self) -> bool {
        let waiting = u32::try_from(self.arrivals.count.load(Ordering::Relaxed));
        let rest = REST_FOR_EACH * waiting.unwrap_or(u32::MAX);
        tokio::select! {
            () = tokio::time::sleep(rest.max(REST_LEAST)) => true,
            _ = self.open.wait_for(|open| !open) => false,
        }
    }

    /// The turn to look at the log; it lasts until what is given back is dropped.
    pub(super) async fn turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.arrivals.looking.acquire().await.ok()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let arrivals = self.arrivals;
        let mut waiting = arrivals
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // This one's own is still there.
        if waiting
            .get(&self.whose)
            .is_some_and(|changed| changed.receiver_count() <= 1)
        {
            waiting.remove(&self.whose);
        }
        arrivals.count.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("daybook_feed_waiting").decrement(1.0);
    }
}

impl Store {
    /// Lets everybody go who waits for events to arrive: they are answered at once, and nobody
    /// waits from now on. Called where the server is about to stop.
    pub fn end_waits(&self) {
        self.inner.arrivals.end();
    }
}

/// Wakes those who wait for what arrives, until the store closes.
pub(super) async fn tell(inner: Arc<Inner>) {
    let mut head = inner.arrivals.head.subscribe();
    let mut open = inner.arrivals.open.subscribe();
    let mut told = *head.borrow_and_update();
    loop {
        tokio::select! {
            changed = head.changed() => if changed.is_err() { return },
            _ = open.wait_for(|open| !open) => return,
        }
        let now = *head.borrow_and_update();
        // Who begins to wait after this looks at the log afterwards, and finds all that is in it.
        if inner.arrivals.is_anybody_waiting() {
            match places(&inner, told, now).await {
                Ok(places) => inner.arrivals.wake(places.as_deref()),
                // Whoever looks hears of it.
                Err(_) => inner.arrivals.wake(None),
            }
        }
        told = now;
    }
}

/// Where the events after one number and up to another lie: workspaces with their tenants; none where
/// there are too many to look.
async fn places(inner: &Inner, after: i64, to: i64) -> Result<Option<Vec<(i64, i64)>>, StoreError> {
    if to - after > MANY {
        return Ok(None);
    }
    let places = sqlx::query_as("SELECT DISTINCT ws, tenant FROM leaf WHERE n > ? AND n <= ?")
        .bind(after)
        .bind(to)
        .fetch_all(&inner.watcher)
        .await?;
    Ok(Some(places))
}

//! Who waits for events to arrive, and how they hear of it.
//!
//! One task looks where new events lie, for all who wait: after each commit of this process, and
//! where another process wrote. In files the one who keeps the index finds that, which it looks for
//! several times a second anyway; on a server the task looks itself ([`crate::postgres`]). It wakes
//! those who wait in these workspaces, and nobody else. Whoever waits holds no connection to the
//! database.

use super::{Store, change::Log, keeper::Keeper};
use crate::{StoreError, access::Reach};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Semaphore, watch};

/// How many of those who were woken look at the log at the same time: all others read it too.
const LOOKING: usize = 2;
/// Of more events at once it is not found out whom they concern: everybody looks.
pub(crate) const MANY: i64 = 1_000;
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

/// What those who wait in a tenant's log were told.
#[derive(Debug, Default)]
struct Told {
    /// How many they are.
    waiters: usize,
    /// Up to which number; none until the first of them has looked.
    head: Option<i64>,
}

/// Those who wait, by what they wait for, with its tenant; and by tenants.
#[derive(Debug, Default)]
struct Waiting {
    changed: HashMap<Whose, (i64, watch::Sender<()>)>,
    tenants: HashMap<i64, Told>,
}

/// Those who wait.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// The last event that is known to be in the log; on a server, how often there was reason to look.
    head: watch::Sender<i64>,
    /// Whether anybody may still wait.
    open: watch::Sender<bool>,
    waiting: Mutex<Waiting>,
    /// How many wait.
    count: AtomicU64,
    /// Who was woken takes turns.
    looking: Semaphore,
}

impl Arrivals {
    /// Nobody waits yet; `head` is the last event in the log.
    pub(crate) fn new(head: i64) -> Self {
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

    /// Something came to a server's log, wherever in it.
    pub(crate) fn came_to_server(&self) {
        self.head.send_modify(|times| *times += 1);
    }

    /// Hears of what came to a server's log through this process.
    pub(crate) fn heard(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    /// Waits until nobody may wait any more.
    pub(crate) async fn ended(&self) {
        let mut open = self.open.subscribe();
        let _ = open.wait_for(|open| !open).await;
    }

    /// Lets everybody go who waits, now and from now on.
    pub(super) fn end(&self) {
        self.open.send_replace(false);
    }

    /// Somebody who is told of what arrives within a reach from now on.
    pub(super) fn waiter(&self, reach: &Reach) -> Waiter<'_> {
        let whose = Whose::from(reach);
        let tenant = reach.tenant().id;
        let mut waiting = self.waiting();
        let changed = waiting.changed.entry(whose);
        let (_, changed) = changed.or_insert_with(|| (tenant, watch::channel(()).0));
        let changed = changed.subscribe();
        waiting.tenants.entry(tenant).or_default().waiters += 1;
        self.count.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("daybook_feed_waiting").increment(1.0);
        Waiter {
            arrivals: self,
            whose,
            tenant,
            changed,
            open: self.open.subscribe(),
        }
    }

    /// The tenants in whose logs somebody waits, each with the number that they were told of last.
    pub(crate) fn followed(&self) -> Vec<(i64, i64)> {
        let waiting = self.waiting();
        let told = |(tenant, told): (&i64, &Told)| Some((*tenant, told.head?));
        waiting.tenants.iter().filter_map(told).collect()
    }

    /// Those who wait in a tenant's log were told of it up to a number.
    pub(crate) fn told(&self, tenant: i64, head: i64) {
        if let Some(told) = self.waiting().tenants.get_mut(&tenant) {
            told.head = told.head.max(Some(head));
        }
    }

    fn is_anybody_waiting(&self) -> bool {
        !self.waiting().tenants.is_empty()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait for events of these logs.
    pub(crate) fn wake(&self, places: &[Log]) {
        let waiting = self.waiting();
        for Log { ws, tenant } in places {
            for whose in [Whose::Workspace(*ws), Whose::Tenant(*tenant)] {
                if let Some((_, changed)) = waiting.changed.get(&whose) {
                    changed.send_replace(());
                }
            }
        }
    }

    /// Wakes those who wait for events of a tenant, wherever in it.
    pub(crate) fn wake_tenant(&self, tenant: i64) {
        let waiting = self.waiting();
        for (_, changed) in waiting.changed.values().filter(|(of, _)| *of == tenant) {
            changed.send_replace(());
        }
    }

    /// Wakes everybody.
    pub(crate) fn wake_all(&self) {
        for (_, changed) in self.waiting().changed.values() {
            changed.send_replace(());
        }
    }
}

/// Somebody who waits, until it is dropped.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    arrivals: &'a Arrivals,
    whose: Whose,
    tenant: i64,
    changed: watch::Receiver<()>,
    open: watch::Receiver<bool>,
}

impl Waiter<'_> {
    /// Has looked at the tenant's log up to its last number, and is to be told of what comes after it.
    pub(super) fn saw(&self, head: u64) {
        let head = i64::try_from(head).unwrap_or(i64::MAX);
        if let Some(told) = self.arrivals.waiting().tenants.get_mut(&self.tenant) {
            told.head.get_or_insert(head);
        }
    }

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
        let mut waiting = arrivals.waiting();
        // This one's own is still there.
        if let Entry::Occupied(changed) = waiting.changed.entry(self.whose)
            && changed.get().1.receiver_count() <= 1
        {
            changed.remove();
        }
        if let Entry::Occupied(mut told) = waiting.tenants.entry(self.tenant) {
            told.get_mut().waiters -= 1;
            if told.get().waiters == 0 {
                told.remove();
            }
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

/// Wakes those who wait for what arrives in two files, until the store closes.
pub(super) async fn tell(keeper: Arc<Keeper>) {
    let arrivals = &keeper.arrivals;
    let mut head = arrivals.head.subscribe();
    let mut told = *head.borrow_and_update();
    loop {
        tokio::select! {
            changed = head.changed() => if changed.is_err() { return },
            () = arrivals.ended() => return,
        }
        let now = *head.borrow_and_update();
        // Who begins to wait after this looks at the log afterwards, and finds all that is in it.
        if arrivals.is_anybody_waiting() {
            match places(&keeper, told, now).await {
                Ok(Some(places)) => arrivals.wake(&places),
                // Of an error whoever looks hears.
                Ok(None) | Err(_) => arrivals.wake_all(),
            }
        }
        told = now;
    }
}

/// Where the events after one number and up to another lie: workspaces with their tenants; none where
/// there are too many to look.
async fn places(keeper: &Keeper, after: i64, to: i64) -> Result<Option<Vec<Log>>, StoreError> {
    if to - after > MANY {
        return Ok(None);
    }
    let places: Vec<(i64, i64)> =
        sqlx::query_as("SELECT DISTINCT ws, tenant FROM leaf WHERE n > ? AND n <= ?")
            .bind(after)
            .bind(to)
            .fetch_all(&keeper.watcher)
            .await?;
    let places = places.into_iter();
    Ok(Some(
        places.map(|(ws, tenant)| Log { ws, tenant }).collect(),
    ))
}

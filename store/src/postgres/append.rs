//! Appending on PostgreSQL. Several servers may append to one log; what orders them are locks, taken
//! always in this order, so that nobody waits for each other:
//!
//! 1. of a change of what is administered: the lock of all changes, and then the rows it changes;
//! 2. of events that are counted instead of kept: their workspaces' rows, by id;
//! 3. where a partition is missing: the lock of all partitions;
//! 4. where a text is new: the row in `text_head` of each workspace, by `ws`;
//! 5. the row in `tenant_head` of each tenant, by id, until the transaction ends.
//!
//! Who records applications' events adds partitions and texts each in a transaction of its own before
//! the one that holds the head: it is what the tenant's other writers wait for, so everything that can be
//! done before is. What is looked at before (which texts there are, which workspaces record, which keys
//! are there already) is looked at again then, and where it changed the group begins anew.

mod erasure;
mod group;
mod head;
mod keys;
mod log_rows;
mod places;
mod texts;

pub(super) use places::CLASSES;
pub(crate) use {
    log_rows::{Lies, LogRows, Says},
    places::{DAY, class_of},
};

use super::partitions::Partitions;
use crate::{
    StoreError,
    database::{Connection, Pooled, is_broken_off, within},
    proof::Uncovered,
    recording::Receipt,
    sqlite::{
        Admitted,
        append::{NewErasure, NewRelease},
        dictionaries::{Dictionaries, damaged},
    },
};
use domain::{
    event::{EventId, Source},
    time::Timestamp,
};
use group::Group;
use head::{Head, hold_heads, still_so};
use keys::{ByKey, placed};
use places::{places, wanted_partitions};
use sqlx::{Connection as _, Executor, PgConnection, PgPool};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use texts::{Texts, locked_texts, publish, texts_of};

/// How long a group may take until it is committed, with its waiting for locks.
const GROUP: Duration = Duration::from_secs(30);

/// How long a commit is waited for; then whether it took place is asked on another connection.
const COMMIT: Duration = Duration::from_secs(10);

/// How long it is waited that a transaction is given up, before its connection is.
const ROLLBACK: Duration = Duration::from_secs(5);

/// How often it is tried to ask what became of a commit; each time a connection is waited for.
const ASK: usize = 3;

/// A workspace's log, or a tenant's own, in the order of locks.
pub(super) type LogId = (i64, i64);

/// What every connection that appends knows.
#[derive(Debug)]
pub(crate) struct Known {
    pub(super) dictionaries: Arc<Dictionaries>,
    /// The tenants whose checkpoints do not cover what this process recorded.
    pub(super) uncovered: Arc<Uncovered>,
    pub(super) partitions: Partitions,
    /// The logs whose tallies have changes that are to be added up, and how often each was passed by.
    pub(super) tallied: Mutex<BTreeMap<LogId, u8>>,
    /// Which server and database the last connection led to, and since when it has been running.
    pub(super) met: Mutex<Option<String>>,
    /// Whether each tenant's tables lie on some node of a Citus: see the migration `nodes`.
    pub(super) is_distributed: bool,
}

impl Known {
    /// Takes note of where a new connection leads. Another server, or the same one started again, may
    /// have lost what was said to be durable (`synchronous_commit` off, a standby that was behind, an
    /// older copy): nothing that is known is believed any more.
    pub(super) fn meet(&self, server: String) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let before = met.replace(server);
        if before.is_some() && before != *met {
            self.dictionaries.forget_all();
            self.partitions.forget();
        }
    }

    /// These were recorded: their tallies are to be added up, and a checkpoint is to cover them.
    fn tallied(&self, events: &[Admitted]) {
        let logs: BTreeSet<LogId> = events
            .iter()
            .map(|event| (event.tenant, event.ws))
            .collect();
        let tenants: BTreeSet<i64> = logs.iter().map(|(tenant, _)| *tenant).collect();
        if !tenants.is_empty() {
            self.uncovered.add(tenants);
        }
        self.to_add_up(logs);
    }

    /// Tenants, as statements are to be asked about them: all together; where they are distributed, each
    /// by itself, so that one node is asked.
    pub(super) fn apart(&self, tenants: Vec<i64>) -> Vec<Vec<i64>> {
        if self.is_distributed {
            return tenants.into_iter().map(|tenant| vec![tenant]).collect();
        }
        vec![tenants]
    }

    /// Takes note of logs whose tallies are to be added up.
    pub(super) fn to_add_up(&self, which: impl IntoIterator<Item = LogId>) {
        for log in which {
            self.add_up_later(log, 0);
        }
    }

    /// The same of one that was passed by so often.
    pub(super) fn add_up_later(&self, log: LogId, passes: u8) {
        let mut logs = self.tallied.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = logs.entry(log).or_default();
        *passed = passes.max(*passed);
    }
}

/// A connection that appends.
#[derive(Debug)]
pub(crate) struct Appender {
    pub(crate) connection: Pooled,
    /// Where there are others.
    pool: PgPool,
    known: Arc<Known>,
    /// Whether a transaction is open.
    open: bool,
    /// What the open change records.
    staged: Vec<Admitted>,
    release: Option<NewRelease>,
    /// Releases by erasure, each with the place among these of the event that tells of it.
    erasures: Vec<(usize, NewErasure)>,
}

impl Appender {
    pub(crate) fn new(connection: Pooled, pool: PgPool, known: Arc<Known>) -> Self {
        Self {
            connection,
            pool,
            known,
            open: false,
            staged: Vec::new(),
            release: None,
            erasures: Vec::new(),
        }
    }

    /// Begins a change of what is administered: nobody else changes anything until it ends.
    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        self.open = true;
        self.connection
            .run("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('daybook change', 0))")
            .await?;
        Ok(())
    }

    /// Records an event of Daybook's own in the change, when it is committed.
    pub(crate) fn stage(&mut self, event: Admitted) {
        self.staged.push(event);
    }

    /// Makes a release in the change, of which its event was staged last.
    pub(crate) fn stage_release(&mut self, release: NewRelease) {
        self.release = Some(release);
    }

    /// Makes a release by erasure in the change, of which its event was staged last.
    pub(crate) fn stage_erasure(&mut self, erasure: NewErasure) {
        self.erasures
            .push((self.staged.len().saturating_sub(1), erasure));
    }

    /// Records what was staged, and commits. On an error nothing of the change remains, unless it is
    /// that it is not known.
    pub(crate) async fn commit(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let events = std::mem::take(&mut self.staged);
        let written = self.write_change(&events, now).await;
        match written {
            Ok(texts) => {
                publish(texts);
                self.known.tallied(&events);
                Ok(())
            }
            Err(error) => {
                self.rollback().await;
                // As when recording.
                self.known.partitions.forget();
                Err(error)
            }
        }
    }

    async fn write_change(
        &mut self,
        events: &[Admitted],
        now: Timestamp,
    ) -> Result<Texts, StoreError> {
        let known = Arc::clone(&self.known);
        let connection: &mut Connection = &mut self.connection;
        let mut texts = Texts::new();
        let mut last = None;
        if !events.is_empty() {
            let places = places(connection.postgres()?, events, now).await?;
            let wanted = wanted_partitions(events, &places);
            // On a connection of their own: whoever makes them is not who writes in them, and sees
            // nothing of what a node has not committed.
            known.partitions.add_apart(&self.pool, &wanted).await?;
            let shapes = erasure::shapes(&self.erasures);
            texts = locked_texts(connection, &known.dictionaries, events, &shapes).await?;
            let connection = connection.postgres()?;
            let mut group = Group::compose(events, &places, &ByKey::new(), &mut texts)?;
            let mut heads = hold_heads(connection, &known, events).await?;
            group.number(&mut heads, now)?;
            group.write(connection, &heads).await?;
            if let Some(release) = self.release.take() {
                write_release(connection, &release, events, &heads).await?;
            }
            for (at, made) in std::mem::take(&mut self.erasures) {
                let Some(Receipt::Recorded(placed)) = group.receipts.get(at) else {
                    return Err(damaged("nothing tells of a release"));
                };
                erasure::write(connection, &made, placed.seq, &mut texts).await?;
            }
            last = new_event(events, &group.receipts);
        }
        self.commit_open(last).await?;
        Ok(texts)
    }

    /// Commits the open transaction, of which `last` is an event. On an error it was undone, unless it
    /// is that it is not known.
    ///
    /// Where the connection breaks off before the server says what it did, it may have done either:
    /// it is asked on another connection whether the event is there.
    async fn commit_open(&mut self, last: Option<(i64, EventId)>) -> Result<(), StoreError> {
        let committed = within(COMMIT, self.connection.run("COMMIT")).await;
        self.open = false;
        let Err(error) = committed else {
            return Ok(());
        };
        self.connection.close_on_drop();
        // Of several nodes one may have done what another then refuses, or does not answer.
        if !is_broken_off(&error) && !self.known.is_distributed {
            return Err(error.into());
        }
        let in_doubt = StoreError::InDoubt(error.to_string());
        let Some((tenant, id)) = last else {
            return Err(in_doubt);
        };
        tracing::warn!("a commit was not answered, and is looked for: {error}");
        for _ in 0..ASK {
            match within(GROUP, is_there(&self.pool, tenant, id)).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(error.into()),
                Err(error) => tracing::warn!("it cannot be asked what became of a commit: {error}"),
            }
        }
        Err(in_doubt)
    }

    /// Gives the open transaction up, if one is open.
    pub(crate) async fn rollback(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        self.staged.clear();
        self.release = None;
        self.erasures.clear();
        let undone = within(ROLLBACK, self.connection.run("ROLLBACK")).await;
        if undone.is_err() {
            self.connection.close_on_drop();
        }
    }

    /// Records a group of events: a receipt for each, when all are durable. All or nothing; on an error
    /// nothing, unless it is that it is not known.
    pub(crate) async fn record(
        &mut self,
        events: &[Admitted],
        now: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        // Whether what is in memory of texts was found to be of before.
        let mut is_stale = false;
        loop {
            let written = within(GROUP, self.write_group(events, now, is_stale)).await;
            let recorded = match written {
                Ok(Some(receipts)) => self.commit_group(events, receipts).await.map(Some),
                other => other,
            };
            match recorded {
                Ok(Some(receipts)) => return Ok(receipts),
                // Somebody switched recording off, emptied texts, or recorded the same event, since it was
                // looked at.
                Ok(None) => {
                    self.rollback().await;
                    is_stale = true;
                }
                Err(error) => {
                    self.rollback().await;
                    // It may be that a partition was dropped, which nothing was in any more.
                    self.known.partitions.forget();
                    return Err(error);
                }
            }
        }
    }

    async fn commit_group(
        &mut self,
        events: &[Admitted],
        receipts: Vec<Receipt>,
    ) -> Result<Vec<Receipt>, StoreError> {
        match self.commit_open(new_event(events, &receipts)).await {
            Ok(()) => {
                self.known.tallied(events);
                Ok(receipts)
            }
            // Nothing in it was new: it can be tried again whatever became of it.
            Err(StoreError::InDoubt(why)) if new_event(events, &receipts).is_none() => {
                Err(StoreError::Unavailable(why))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a group in a transaction that stays open, and holds the tenants' heads; or not, where
    /// what was looked at before changed.
    async fn write_group(
        &mut self,
        events: &[Admitted],
        now: Timestamp,
        is_stale: bool,
    ) -> Result<Option<Vec<Receipt>>, StoreError> {
        let known = Arc::clone(&self.known);
        self.open = true;
        let places = places(self.connection.postgres()?, events, now).await?;
        let wanted = wanted_partitions(events, &places);
        known
            .partitions
            .add(self.connection.postgres()?, &wanted)
            .await?;
        let mut texts =
            texts_of(&mut self.connection, &known.dictionaries, events, is_stale).await?;
        let connection = self.connection.postgres()?;
        let placed = placed(connection, &known, events).await?;
        let mut group = Group::compose(events, &places, &placed, &mut texts)?;
        connection.execute("BEGIN").await?;
        let discards: BTreeSet<i64> = events
            .iter()
            .filter(|event| !is_own(event) && places.off.contains(&event.ws))
            .map(|event| event.ws)
            .collect();
        if !discards.is_empty() {
            let ids: Vec<i64> = discards.iter().copied().collect();
            sqlx::query("SELECT 1 FROM workspace WHERE id = ANY($1) ORDER BY id FOR UPDATE")
                .bind(ids)
                .execute(&mut *connection)
                .await?;
        }
        let mut heads = hold_heads(connection, &known, events).await?;
        if !still_so(connection, &known, events, &places, &texts).await? {
            return Ok(None);
        }
        group.number(&mut heads, now)?;
        if !group.write_keys(connection).await? {
            return Ok(None);
        }
        group.write(connection, &heads).await?;
        Ok(Some(group.receipts))
    }
}

/// An event of a transaction that was not there before it, and its tenant.
fn new_event(events: &[Admitted], receipts: &[Receipt]) -> Option<(i64, EventId)> {
    let mut all = events.iter().zip(receipts);
    all.find_map(|(event, receipt)| match receipt {
        Receipt::Recorded(placed) => Some((event.tenant, placed.id)),
        Receipt::Duplicate(_) | Receipt::Discarded => None,
    })
}

/// Whether an event is in the log, now that nobody is about to commit it any more.
async fn is_there(pool: &PgPool, tenant: i64, id: EventId) -> Result<bool, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    // Whoever wrote it held this until the transaction ended, one way or the other.
    sqlx::query("SELECT seq FROM tenant_head WHERE tenant = $1 FOR UPDATE")
        .bind(tenant)
        .execute(&mut *transaction)
        .await?;
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM leaf WHERE tenant = $1 AND id = $2)")
            .bind(tenant)
            .bind(id.0.as_bytes().to_vec())
            .fetch_one(&mut *transaction)
            .await?;
    transaction.rollback().await?;
    Ok(there)
}

impl Drop for Appender {
    /// Whoever asked went away in the middle: the server undoes what a closed connection left open.
    fn drop(&mut self) {
        if self.open {
            self.connection.close_on_drop();
        }
    }
}

fn is_own(event: &Admitted) -> bool {
    event.source == Some(Source::Daybook)
}

fn tenants(events: &[Admitted]) -> Vec<i64> {
    let tenants: BTreeSet<i64> = events.iter().map(|event| event.tenant).collect();
    tenants.into_iter().collect()
}

/// An event's number in its tenant.
fn number_of(seq: i64) -> Result<u64, StoreError> {
    u64::try_from(seq).map_err(|_| damaged("the number of an event is none"))
}

/// Writes a release, of which the last event of its tenant tells.
async fn write_release(
    connection: &mut PgConnection,
    release: &NewRelease,
    events: &[Admitted],
    heads: &HashMap<i64, Head>,
) -> Result<(), StoreError> {
    let told = events.iter().rev().find(|event| event.ws == release.ws);
    let tenant = told
        .map(|event| event.tenant)
        .ok_or_else(|| damaged("nothing tells of a release"))?;
    sqlx::query(
        "INSERT INTO release (id, tenant, ws, seq, before, events) \
         SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5 FROM release",
    )
    .bind(tenant)
    .bind(release.ws)
    .bind(heads.get(&tenant).map_or(0, |head| head.seq))
    .bind(release.before.micros())
    .bind(release.events)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_server_is_not_believed_of_another() {
        let known = Known {
            dictionaries: Arc::default(),
            uncovered: Arc::default(),
            partitions: Partitions::default(),
            tallied: Mutex::default(),
            met: Mutex::default(),
            is_distributed: false,
        };
        for (server, times) in [
            ("a, since 9:00", 0),
            ("a, since 9:00", 0),
            ("a, since 9:05", 1),
        ] {
            known.meet(server.to_owned());
            assert_eq!(known.dictionaries.times(), times, "{server}");
        }
    }
}

//! Retention: making releases of what has expired, and carrying them out.

use super::{
    Kept, Store,
    append::{Appender, NewRelease},
    change::{Change, Log, target, told},
    directory::{find_workspace, tenant_of, workspace_of},
    index::{Batch, Indexer},
    keeper::Keeper,
    settings::{WAIT, effective_retention},
};
use crate::{
    StoreError,
    access::{SettingsScope, Tenant, Workspace},
    administration::By,
    database::{self, Connection, Dialect},
    retention::{Expiring, ExpiringLog, Occasion, Place, Release, Released, Removal},
};
use chrono::TimeDelta;
use domain::{retention::Retention, slug::WorkspacePath, time::Timestamp};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{
    sync::{MutexGuard, oneshot},
    time::error::Elapsed,
};

/// How many events are removed at a time: whoever records meanwhile waits for the index until they
/// are, and the more there are, the less it takes for each.
const BATCH: i64 = 5_000;

/// How long is waited for the turn to write: whoever has it may wait for the index, which waits for
/// the batch.
const TURN: Duration = Duration::from_secs(1);

/// A legal hold stands in the log `$ws`: in that workspace, or in one of that tenant.
macro_rules! is_held {
    ($ws:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace \
                 WHERE h.lifted_at IS NULL AND (w.id = ",
            $ws,
            " OR w.tenant = -",
            $ws,
            "))"
        )
    };
}

impl From<&ExpiringLog> for Log {
    fn from(log: &ExpiringLog) -> Self {
        match &log.0 {
            Place::Workspace(workspace) => workspace.into(),
            Place::Tenant(tenant) => tenant.into(),
        }
    }
}

impl Store {
    /// Every log of the installation: the workspaces', and the tenants' own.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn expiring_logs(&self) -> Result<Vec<ExpiringLog>, StoreError> {
        let rows = database::query(
            "SELECT t.id, t.slug, t.name, w.id, w.slug, w.name, t.id, t.slug, t.name \
             FROM tenant t LEFT JOIN workspace w ON w.tenant = t.id ORDER BY t.slug, w.slug",
        )
        .fetch_all(&self.inner.readers)
        .await?;
        let mut logs: Vec<ExpiringLog> = Vec::with_capacity(rows.len());
        let mut last: Option<Tenant> = None;
        for row in &rows {
            let tenant = tenant_of(row, 0)?;
            if last.as_ref() != Some(&tenant) {
                logs.push(ExpiringLog(Place::Tenant(tenant.clone())));
                last = Some(tenant);
            }
            if row.try_get::<Option<i64>>(3)?.is_some() {
                logs.push(ExpiringLog(Place::Workspace(workspace_of(row, 3)?)));
            }
        }
        Ok(logs)
    }

    /// The log of a workspace; none where there is no such workspace.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn expiring_log(
        &self,
        path: &WorkspacePath,
    ) -> Result<Option<ExpiringLog>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let workspace = find_workspace(&mut connection, path).await?;
        Ok(workspace.map(|workspace| ExpiringLog(Place::Workspace(workspace))))
    }

    /// Permits the deletion of what has expired in a log by now, and records that. It is deleted
    /// afterwards: [`Self::remove_some`].
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn release(
        &self,
        log: &ExpiringLog,
        occasion: Occasion,
        by: &By,
    ) -> Result<Released, StoreError> {
        loop {
            let found = {
                let mut connection = self.inner.readers.acquire().await?;
                state(&mut connection, log, occasion, self.now()).await?
            };
            let (retention, before) = match found {
                State::Due(retention, before) => (retention, before),
                State::Not(reason) => return Ok(reason),
            };
            // Counted before others are kept waiting; what came since is counted when they are.
            let (counted, mark) = self.expired(log.into(), before).await?;
            if counted == 0 {
                return Ok(Released::Nothing);
            }
            let mut change = self.inner.change().await?;
            let now = change.now;
            let result = match state(change.connection(), log, occasion, now).await {
                Ok(State::Due(held, _)) if held == retention => {
                    make(&mut change, log, (retention, before), (counted, mark), by)
                        .await
                        .map(Some)
                }
                // Somebody changed it meanwhile.
                Ok(State::Due(..)) => Ok(None),
                Ok(State::Not(reason)) => Ok(Some(reason)),
                Err(error) => Err(error),
            };
            if let Some(released) = change.finish(result).await? {
                return Ok(released);
            }
        }
    }

    /// Erases a batch of what unfinished releases by erasure cover; where there are none, removes one of
    /// what those by retention cover; the oldest release first.
    ///
    /// # Errors
    ///
    /// The store failed, or is closing. What was not removed is removed the next time.
    pub async fn remove_some(&self) -> Result<Removal, StoreError> {
        let (answer, answered) = oneshot::channel();
        let asked = match &self.inner.kept {
            Kept::Sqlite(keeper) => keeper.removals.send(answer).await,
            Kept::Postgres(server) => return server.remove_some().await,
        };
        asked.map_err(|_| StoreError::Closing)?;
        answered.await.map_err(|_| StoreError::Closing)?
    }

    /// Whether all that a release covers is gone.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn is_finished(&self, release: &Release) -> Result<bool, StoreError> {
        let finished: Option<i64> =
            database::query_scalar("SELECT finished_at FROM release WHERE id = ?")
                .bind(release.id)
                .fetch_one(&self.inner.readers)
                .await?;
        Ok(finished.is_some())
    }

    /// Whether a legal hold suspends a release.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn is_suspended(&self, release: &Release) -> Result<bool, StoreError> {
        Ok(database::query_scalar(concat!(
            "SELECT r.finished_at IS NULL AND ",
            is_held!("r.ws"),
            " FROM release r WHERE r.id = ?"
        ))
        .bind(release.id)
        .fetch_one(&self.inner.readers)
        .await?)
    }

    /// What a retention would delete in a workspace when it holds, should an owner ask for it now;
    /// none where it keeps everything.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn would_expire(
        &self,
        scope: &SettingsScope,
        retention: Retention,
    ) -> Result<Option<Expiring>, StoreError> {
        let settings = self.settings(scope).await?;
        let now = self.now();
        let from = if retention < settings.retention {
            now.plus(WAIT)
        } else {
            now
        };
        let Some(before) = settings.plan.holds(retention).keeps_from(from) else {
            return Ok(None);
        };
        let log = Log::from(&scope.workspace);
        let (events, _) = self.expired(log, before).await?;
        Ok(Some(Expiring {
            from,
            before,
            events: u64::try_from(events).unwrap_or_default(),
        }))
    }

    /// How many events of `ws` occurred before a moment, but for those that never expire; and the
    /// last event that was counted with them. The index is read over them, and no content but of what it does not
    /// have yet.
    async fn expired(&self, log: Log, before: Timestamp) -> Result<(i64, i64), StoreError> {
        self.inner.require_index()?;
        if let Kept::Postgres(_) = self.inner.kept {
            return Ok(database::query_as(
                "SELECT (SELECT count(*) FROM content c WHERE c.tenant = ?1 AND c.ws = ?2 \
                         AND c.at < ?3 AND c.seq <= h.seq AND NOT c.keep), h.seq \
                 FROM tenant_head h WHERE h.tenant = ?1",
            )
            .bind(log.tenant)
            .bind(log.ws)
            .bind(before.micros())
            .fetch_one(&self.inner.readers)
            .await?);
        }
        Ok(database::query_as(
            "SELECT (SELECT count(*) FROM i.by_time WHERE ws = ?1 AND at < ?2) \
                 - (SELECT count(*) FROM content c JOIN leaf l ON l.n = c.n \
                     WHERE c.keep <> 0 AND l.ws = ?1 AND l.occurred_at < ?2 AND l.n <= m.n) \
                 + (SELECT count(*) FROM leaf l JOIN content c ON c.n = l.n \
                     WHERE l.n > m.n AND l.ws = ?1 AND l.occurred_at < ?2 AND c.keep = 0), \
                 max(m.n, coalesce((SELECT max(n) FROM leaf), 0)) \
             FROM i.mark m",
        )
        .bind(log.ws)
        .bind(before.micros())
        .fetch_one(&self.inner.readers)
        .await?)
    }
}

/// Whether a log may be released.
enum State {
    /// Of what occurred before this moment, under this retention.
    Due(Retention, Timestamp),
    /// No.
    Not(Released),
}

async fn state(
    connection: &mut Connection,
    log: &ExpiringLog,
    occasion: Occasion,
    now: Timestamp,
) -> Result<State, StoreError> {
    let ws = log.ws();
    let last = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT r.id, r.before, r.events, r.finished_at, l.recorded_at FROM release r \
             JOIN leaf l ON l.n = r.n WHERE r.ws = ? ORDER BY r.id DESC LIMIT 1"
        }
        Dialect::Postgres => {
            "SELECT r.id, r.before, r.events, r.finished_at, l.recorded_at FROM release r \
             JOIN leaf l ON l.tenant = r.tenant AND l.seq = r.seq \
             WHERE r.ws = ? AND l.tenant = ? ORDER BY r.id DESC LIMIT 1"
        }
    };
    let mut last = database::query(last).bind(ws);
    if connection.dialect() == Dialect::Postgres {
        last = last.bind(Log::from(log).tenant);
    }
    let last = last.fetch_optional(&mut *connection).await?;
    if let Some(row) = last {
        if row.try_get::<Option<i64>>(3)?.is_none() {
            let release = Release {
                id: row.try_get(0)?,
                before: Timestamp::from_micros(row.try_get(1)?),
                events: row.try_get::<u64>(2)?,
            };
            return Ok(State::Not(Released::Unfinished(release)));
        }
        let made = Timestamp::from_micros(row.try_get(4)?);
        if occasion == Occasion::Daily && now < made.plus(TimeDelta::days(1)) {
            return Ok(State::Not(Released::TooSoon));
        }
    }
    let is_held: bool = database::query_scalar(concat!("SELECT ", is_held!("?1")))
        .bind(ws)
        .fetch_one(&mut *connection)
        .await?;
    if is_held {
        return Ok(State::Not(Released::Held));
    }
    let retention = match &log.0 {
        Place::Workspace(workspace) => {
            Some(effective_retention(connection, workspace.id, now).await?)
        }
        Place::Tenant(tenant) => longest_retention(connection, tenant, now).await?,
    };
    let due = retention.and_then(|retention| Some((retention, retention.keeps_from(now)?)));
    Ok(
        due.map_or(State::Not(Released::Nothing), |(retention, before)| {
            State::Due(retention, before)
        }),
    )
}

/// How long a tenant's own events are kept: as long as those of the workspace that keeps them
/// longest; for ever where it has none.
async fn longest_retention(
    connection: &mut Connection,
    tenant: &Tenant,
    now: Timestamp,
) -> Result<Option<Retention>, StoreError> {
    let workspaces: Vec<i64> = database::query_scalar("SELECT id FROM workspace WHERE tenant = ?")
        .bind(tenant.id)
        .fetch_all(&mut *connection)
        .await?;
    let mut longest: Option<Retention> = None;
    for workspace in workspaces {
        let held = effective_retention(&mut *connection, workspace, now).await?;
        longest = Some(longest.map_or(held, |longest| {
            // The one that reaches back furthest now: a year may be no longer than 365 days.
            if held.keeps_from(now) < longest.keeps_from(now) {
                held
            } else {
                longest
            }
        }));
    }
    Ok(longest)
}

/// Makes a release of what occurred before a moment under a retention, with its event. So much was
/// `counted` up to an event.
async fn make(
    change: &mut Change<'_>,
    log: &ExpiringLog,
    (retention, before): (Retention, Timestamp),
    (counted, up_to): (i64, i64),
    by: &By,
) -> Result<Released, StoreError> {
    let ws = log.ws();
    let since = match change.connection().dialect() {
        Dialect::Sqlite => {
            "SELECT count(*) FROM leaf l JOIN content c ON c.n = l.n \
             WHERE l.n > ?1 AND l.ws = ?2 AND l.occurred_at < ?3 AND c.keep = 0"
        }
        Dialect::Postgres => {
            "SELECT count(*) FROM leaf l JOIN content c ON c.tenant = l.tenant AND c.ws = l.ws \
                 AND c.at = l.occurred_at AND c.seq = l.seq AND c.class = l.class \
             WHERE l.seq > ?1 AND l.ws = ?2 AND l.occurred_at < ?3 AND NOT c.keep \
                 AND l.tenant = ?4 AND c.at < ?3"
        }
    };
    let mut since = database::query_scalar(since)
        .bind(up_to)
        .bind(ws)
        .bind(before.micros());
    if change.connection().dialect() == Dialect::Postgres {
        since = since.bind(Log::from(log).tenant);
    }
    let since: i64 = since.fetch_one(change.connection()).await?;
    let id: i64 = database::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM release")
        .fetch_one(change.connection())
        .await?;
    let count = counted + since;
    let events = u64::try_from(count).unwrap_or_default();
    let about = match &log.0 {
        Place::Workspace(Workspace { name, .. }) => target("workspace", log.to_string(), name),
        Place::Tenant(Tenant { name, .. }) => target("tenant", log.to_string(), name),
    };
    let after = json!({"deleted": events, "occurred_before": before, "retention": retention});
    let mut event = told(by, "AUDIT_EVENTS_EXPIRED", about?, None, Some(after))?;
    event.description = Some(format!(
        "What occurred before {before} is deleted: events are kept for {}.",
        retention.words()
    ));
    change.record(log.into(), event).await?;
    change.release(NewRelease {
        ws,
        before,
        events: count,
    });
    let release = Release { id, before, events };
    Ok(Released::Made(release, retention))
}

impl Keeper {
    /// Erases a batch, or removes one. What cannot be erased keeps nothing from being removed.
    pub(super) async fn remove_some(&self, indexer: &mut Indexer) -> Result<Removal, StoreError> {
        match self.erase_some(indexer).await {
            Ok(Some(erased)) => Ok(erased),
            Ok(None) => self.remove_expired(indexer).await,
            Err(error) => match self.remove_expired(indexer).await? {
                Removal::Nothing => Err(error),
                removed => Ok(removed),
            },
        }
    }

    /// Removes a batch of what the oldest release covers that is unfinished and not suspended by a
    /// legal hold; or ends it, where nothing is left.
    async fn remove_expired(&self, indexer: &mut Indexer) -> Result<Removal, StoreError> {
        let release: Option<(i64, i64, i64, i64)> = sqlx::query_as(concat!(
            "SELECT r.id, r.ws, r.n, r.before FROM release r \
             WHERE r.finished_at IS NULL AND NOT EXISTS (SELECT 1 FROM moving) AND NOT ",
            is_held!("r.ws"),
            " ORDER BY r.id LIMIT 1"
        ))
        .fetch_optional(&self.watcher)
        .await?;
        let Some((id, ws, up_to, before)) = release else {
            return Ok(Removal::Nothing);
        };
        // Should that have failed the last time, for want of room.
        indexer.agree_on_removals().await?;
        if !indexer.has(up_to) {
            // All that a release covers is in the index before any of it goes.
            indexer.step(0, up_to).await?;
        }
        if !indexer.has(up_to) {
            return Ok(Removal::DELAYED);
        }
        let batch = Batch {
            ws,
            before,
            up_to,
            after: indexer.removed_to(id),
            most: BATCH,
        };
        let gathered = indexer.gather(&batch).await?;
        if gathered.events == 0 {
            let (mut after, mut kept_waiting) = (Some(0), Duration::ZERO);
            while let Some(from) = after {
                let Ok(turn) = self.turn().await else {
                    return Ok(Removal::DELAYED);
                };
                let begun = Instant::now();
                after = match indexer.empty_texts(ws, from).await {
                    Ok(after) => after,
                    Err(_) if self.is_held(ws).await? => return Ok(Removal::DELAYED),
                    Err(error) => return Err(error),
                };
                if after.is_none() {
                    let now = self.clock.now().micros();
                    indexer.finish_release(id, ws, now).await?;
                }
                drop(turn);
                kept_waiting = kept_waiting.max(begun.elapsed());
            }
            return Ok(Removal::Some {
                events: 0,
                kept_waiting,
            });
        }
        indexer.remove_from_index().await?;
        let (mut after, mut kept_waiting) = (0, Duration::ZERO);
        loop {
            let Ok(turn) = self.turn().await else {
                indexer.agree_on_removals().await?;
                return Ok(Removal::DELAYED);
            };
            let begun = Instant::now();
            let on = indexer.remove_from_log(after).await;
            drop(turn);
            kept_waiting = kept_waiting.max(begun.elapsed());
            match on {
                Ok(Some(to)) => after = to,
                Ok(None) => break,
                // A legal hold was placed meanwhile.
                Err(_) if self.is_held(ws).await? => return Ok(Removal::DELAYED),
                Err(error) => return Err(error),
            }
        }
        indexer.removed(id, gathered.to);
        Ok(Removal::Some {
            events: u64::try_from(gathered.events).unwrap_or_default(),
            kept_waiting,
        })
    }

    /// Whether a legal hold stands in a log.
    pub(super) async fn is_held(&self, ws: i64) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar(concat!("SELECT ", is_held!("?1")))
            .bind(ws)
            .fetch_one(&self.watcher)
            .await?)
    }

    /// The turn to write the log, with nothing open.
    pub(super) async fn turn(&self) -> Result<MutexGuard<'_, Appender>, Elapsed> {
        let mut turn = tokio::time::timeout(TURN, self.appender.lock()).await?;
        // Whatever is open while nobody holds the connection was abandoned.
        turn.rollback().await;
        Ok(turn)
    }
}

//! Erasure: making releases of parts of events, and carrying them out.

mod carry_out;
mod damage;
mod find;
mod found;
mod mentions;

pub(crate) use carry_out::{BATCH, Covered, Rewritten, all_rewritten};
pub(crate) use damage::{Damage, tell as tell_damage};
pub(crate) use find::{proofs, read_parts};

use super::{
    Snapshot, Store,
    append::{NewErased, NewErasure},
    change::{Change, Log, target, told},
    dictionaries::damaged,
    holds::standing_hold,
};
use crate::{
    StoreError,
    access::{SettingsScope, Workspace},
    administration::By,
    database::{self, Connection, Dialect},
    erasure::{ErasureError, Extent, Progress, Release, Released, What},
    holds::Reason,
};
use domain::{
    erasure::Erased,
    event::{Event, EventId},
};
use found::{Found, numbers_in_tenant};
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many events one release names at most: its own event tells all of their numbers.
const EVENTS: usize = 5_000;

/// What came of making one release.
enum Step {
    Made(Release),
    /// Nothing is left to erase.
    Nothing,
    /// Somebody else made one in the workspace since it was looked for.
    Overtaken,
}

/// The releases of a log that are not carried out, and the number of its newest.
async fn releases(connection: &mut Connection, ws: i64) -> Result<(Vec<Release>, i64), StoreError> {
    let unfinished: Vec<i64> = database::query_scalar(
        "SELECT id FROM erasure WHERE ws = ? AND finished_at IS NULL ORDER BY id",
    )
    .bind(ws)
    .fetch_all(&mut *connection)
    .await?;
    let last: i64 = database::query_scalar("SELECT coalesce(max(id), 0) FROM erasure WHERE ws = ?")
        .bind(ws)
        .fetch_one(connection)
        .await?;
    let unfinished = unfinished.into_iter().map(|id| Release { id }).collect();
    Ok((unfinished, last))
}

impl Store {
    /// What an erasure would take out of a workspace now.
    ///
    /// # Errors
    ///
    /// It cannot be erased, or the store failed.
    pub async fn would_erase(
        &self,
        scope: &SettingsScope,
        what: &What,
    ) -> Result<Extent, ErasureError> {
        let mut connection = self.inner.readers.acquire().await?;
        if let Some(hold) = standing_hold(&mut connection, scope.workspace.id).await? {
            return Err(ErasureError::Held(hold));
        }
        let found = self
            .inner
            .find_erasable(&mut connection, &scope.workspace, what)
            .await?;
        Ok(found.extent())
    }

    /// Permits the erasure of parts of an event, or of a person, and records that. They are erased
    /// afterwards: [`Self::remove_some`]. Of many events several releases are made, one after the other, and
    /// others record in between.
    ///
    /// # Errors
    ///
    /// It cannot be erased, or the store failed.
    pub async fn erase(
        &self,
        scope: &SettingsScope,
        what: &What,
        reason: &Reason,
        by: &By,
    ) -> Result<Released, ErasureError> {
        if let What::Person(address) = what
            && address.is_in(reason.as_str())
        {
            return Err(ErasureError::ReasonTells);
        }
        let workspace = &scope.workspace;
        loop {
            let (mut found, last) = {
                let mut connection = self.inner.readers.acquire().await?;
                if let Some(hold) = standing_hold(&mut connection, workspace.id).await? {
                    return Err(ErasureError::Held(hold));
                }
                let (unfinished, last) = releases(&mut connection, workspace.id).await?;
                if !unfinished.is_empty() {
                    return Ok(Released::Unfinished(unfinished));
                }
                let found = self
                    .inner
                    .find_erasable(&mut connection, workspace, what)
                    .await?;
                (found, last)
            };
            if found.is_told_by(reason) {
                return Err(ErasureError::ReasonTells);
            }
            if found.events.is_empty() && matches!(what, What::Event(..)) {
                return Ok(Released::Nothing(found.extent()));
            }
            let released = self.release_found(workspace, &mut found, last, (reason, by));
            if let Some(released) = released.await? {
                return Ok(released);
            }
            // Somebody else made a release meanwhile: what was found is looked for again.
        }
    }

    /// Makes releases of what was found when `last` was the workspace's newest; none where it is not any
    /// more.
    async fn release_found(
        &self,
        workspace: &Workspace,
        found: &mut Found,
        mut last: i64,
        (reason, by): (&Reason, &By),
    ) -> Result<Option<Released>, ErasureError> {
        let mut made = Vec::new();
        loop {
            let mut change = self.inner.change().await?;
            let step = make(&mut change, workspace, found, last, (reason, by)).await;
            match change.finish(step).await? {
                Step::Made(release) => {
                    last = release.id;
                    made.push(release);
                }
                Step::Nothing => return Ok(Some(Released::Nothing(found.extent()))),
                Step::Overtaken if made.is_empty() => return Ok(None),
                Step::Overtaken => return Ok(Some(Released::Part(made, found.released()))),
            }
            if found.is_released() {
                return Ok(Some(Released::Made(made, found.extent())));
            }
        }
    }

    /// How far releases are carried out.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn erasure_progress(&self, releases: &[Release]) -> Result<Progress, StoreError> {
        let ids: Vec<i64> = releases.iter().map(|release| release.id).collect();
        let (left, held): (i64, bool) = database::query_as(
            "SELECT count(*), EXISTS (SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace \
                 JOIN erasure e ON e.ws = w.id \
                 WHERE h.lifted_at IS NULL AND e.id IN (SELECT value FROM json_each(?1))) \
             FROM erasure WHERE finished_at IS NULL AND id IN (SELECT value FROM json_each(?1))",
        )
        .bind(ids)
        .fetch_one(&self.inner.readers)
        .await?;
        Ok(match (left, held) {
            (0, _) => Progress::Finished,
            (_, true) => Progress::Suspended,
            _ => Progress::UnderWay,
        })
    }
}

impl Snapshot {
    /// The events that tell of the releases under which parts of an event were erased, oldest first.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn erased_under(&mut self, event: &Event) -> Result<Vec<EventId>, StoreError> {
        if event.erased.is_empty() {
            return Ok(Vec::new());
        }
        let tenant = self.scope.tenant().id;
        let connection = self.transaction.connection();
        let statement = match connection.dialect() {
            Dialect::Sqlite => {
                "SELECT t.id FROM leaf l JOIN erasure_event e ON e.n = l.n \
                 JOIN erasure r ON r.id = e.erasure JOIN leaf t ON t.n = r.n \
                 WHERE l.tenant = ? AND l.seq = ? ORDER BY r.id"
            }
            Dialect::Postgres => {
                "SELECT t.id FROM erasure_event e JOIN erasure r ON r.id = e.erasure \
                 JOIN leaf t ON t.tenant = r.tenant AND t.seq = r.seq \
                 WHERE r.tenant = ? AND e.seq = ? ORDER BY r.id"
            }
        };
        let ids: Vec<Vec<u8>> = database::query_scalar(statement)
            .bind(tenant)
            .bind(i64::try_from(event.seq).unwrap_or(i64::MAX))
            .fetch_all(connection)
            .await?;
        let id = |bytes: &[u8]| Uuid::from_slice(bytes).map(EventId);
        ids.iter()
            .map(|bytes| id(bytes).map_err(|_| damaged("an id is broken")))
            .collect()
    }
}

/// Makes the next release of what was found, with its event.
async fn make(
    change: &mut Change<'_>,
    workspace: &Workspace,
    found: &mut Found,
    last: i64,
    (reason, by): (&Reason, &By),
) -> Result<Step, ErasureError> {
    let connection = change.connection();
    if let Some(hold) = standing_hold(connection, workspace.id).await? {
        return Err(ErasureError::Held(hold));
    }
    if releases(connection, workspace.id).await?.1 != last {
        return Ok(Step::Overtaken);
    }
    if found.released_to.is_none() {
        found.add_since(connection, workspace).await?;
    }
    let some = found.unreleased(EVENTS);
    let Some((to, _)) = some.last().copied() else {
        return Ok(Step::Nothing);
    };
    let id: i64 = database::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM erasure")
        .fetch_one(&mut *connection)
        .await?;
    let numbers = numbers_in_tenant(connection, workspace, &some).await?;
    let named: Erased = some
        .iter()
        .filter_map(|(n, event)| Some((*numbers.get(n)?, event.parts)))
        .collect();
    let mut after = json!({"events": named.len(), "erased": named.told()});
    if let Some(pseudonym) = &found.pseudonym {
        after["pseudonym"] = pseudonym.as_str().into();
    }
    let about = target("workspace", workspace.path().to_string(), &*workspace.name)?;
    let mut event = told(by, "AUDIT_CONTENT_ERASED", about, None, Some(after))?;
    event.description = Some(reason.to_string());
    let metadata = event.metadata.get_or_insert_default();
    metadata.insert("reason".to_owned(), reason.as_str().into());
    let shapes = found.shapes(&some, &event);
    change.record(Log::from(workspace), event).await?;
    let mut places: BTreeMap<_, usize> = BTreeMap::new();
    for (at, (key, _)) in shapes.iter().enumerate() {
        places.insert(*key, at);
    }
    let erased = some.iter().map(|(n, event)| NewErased {
        n: *n,
        parts: event.parts,
        shape: places.get(&event.stands).copied().unwrap_or_default(),
    });
    change.erase(NewErasure {
        id,
        ws: workspace.id,
        tenant: workspace.tenant.id,
        events: erased.collect(),
        shapes: shapes.into_iter().map(|(_, shape)| shape).collect(),
    })?;
    found.released_to = Some(to);
    Ok(Step::Made(Release { id }))
}

//! Settings: how long a workspace keeps its events, whether it records, and who may open objects.

use super::{
    Store,
    change::{Change, Log, target, told},
    dictionaries::damaged,
    directory::{find_workspace, workspace_of},
    holds::standing_hold,
    snapshot::Snapshot,
};
use crate::{
    StoreError,
    access::{Reach, SettingsScope, Workspace},
    administration::By,
    database::{self, Connection},
    settings::{
        Changed, Notices, ObjectAccess, Pending, People, Settings, SettingsChange, SettingsError,
    },
};
use chrono::TimeDelta;
use domain::{
    retention::{Plan, Retention},
    slug::WorkspacePath,
    time::Timestamp,
};
use serde_json::json;

/// How long a shorter retention waits.
pub(super) const WAIT: TimeDelta = TimeDelta::days(7);

fn retention(text: &str) -> Result<Retention, StoreError> {
    text.parse().map_err(|_| damaged("a retention is broken"))
}

fn optional(text: Option<&str>) -> Result<Option<Retention>, StoreError> {
    text.map(retention).transpose()
}

fn changed(by: Option<String>, at: Option<i64>) -> Option<Changed> {
    Some(Changed {
        by: by?,
        at: Timestamp::from_micros(at?),
    })
}

/// What holds for a workspace with this setting, under a plan of this floor and cap.
pub(crate) fn effective(
    setting: &str,
    floor: Option<&str>,
    cap: Option<&str>,
) -> Result<Retention, StoreError> {
    let plan = Plan {
        floor: optional(floor)?,
        cap: optional(cap)?,
    };
    Ok(plan.holds(retention(setting)?))
}

/// A tenant's plan.
pub(super) async fn plan(connection: &mut Connection, tenant: i64) -> Result<Plan, StoreError> {
    let row = database::query("SELECT floor, cap FROM tenant WHERE id = ?")
        .bind(tenant)
        .fetch_one(connection)
        .await?;
    Ok(Plan {
        floor: optional(row.try_get(0)?)?,
        cap: optional(row.try_get(1)?)?,
    })
}

/// A workspace's settings as they hold at `now`: a pending retention whose time has come counts.
pub(super) async fn settings(
    connection: &mut Connection,
    workspace: i64,
    now: Timestamp,
) -> Result<Settings, StoreError> {
    let row = database::query(
        "SELECT w.retention, w.retention_by, w.retention_at, w.pending, w.pending_from, \
             w.pending_by, w.pending_at, w.recording, w.recording_by, w.recording_at, \
             w.discarded, w.created_at, t.floor, t.cap, w.object_tabs, w.guarded_kinds, \
             w.object_access_by, w.object_access_at \
         FROM workspace w JOIN tenant t ON t.id = w.tenant WHERE w.id = ?",
    )
    .bind(workspace)
    .fetch_one(connection)
    .await?;
    let mut set = retention(row.try_get(0)?)?;
    let mut retention_set = changed(row.try_get(1)?, row.try_get(2)?);
    let mut pending = match (
        optional(row.try_get(3)?)?,
        row.try_get::<Option<i64>>(4)?,
        changed(row.try_get(5)?, row.try_get(6)?),
    ) {
        (Some(retention), Some(from), Some(asked)) => Some(Pending {
            retention,
            from: Timestamp::from_micros(from),
            asked,
        }),
        _ => None,
    };
    if let Some(due) = pending.take_if(|pending| pending.from <= now) {
        set = due.retention;
        retention_set = Some(due.asked);
    }
    let plan = Plan {
        floor: optional(row.try_get(12)?)?,
        cap: optional(row.try_get(13)?)?,
    };
    Ok(Settings {
        retention: set,
        retention_set,
        pending,
        plan,
        effective: plan.holds(set),
        recording: row.try_get(7)?,
        recording_set: changed(row.try_get(8)?, row.try_get(9)?),
        discarded: row.try_get::<u64>(10)?,
        created_at: Timestamp::from_micros(row.try_get(11)?),
        object_access: object_access(row.try_get(14)?, row.try_get(15)?)?,
        object_access_set: changed(row.try_get(16)?, row.try_get(17)?),
    })
}

/// Who may open objects' pages, from the columns `object_tabs` and `guarded_kinds`.
pub(super) fn object_access(tabs: &str, guarded: &str) -> Result<ObjectAccess, StoreError> {
    let guarded = serde_json::from_str(guarded)
        .map_err(|_| damaged("the list of guarded kinds is broken"))?;
    Ok(ObjectAccess::new(tabs == "members", guarded))
}

/// What holds for a workspace at `now`.
pub(super) async fn effective_retention(
    connection: &mut Connection,
    workspace: i64,
    now: Timestamp,
) -> Result<Retention, StoreError> {
    Ok(settings(connection, workspace, now).await?.effective)
}

impl Store {
    /// The settings of a workspace.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn settings(&self, scope: &SettingsScope) -> Result<Settings, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        settings(&mut connection, scope.workspace.id, self.now()).await
    }

    /// How many people a workspace has, and how many of them read its log: whom each choice of who
    /// may open objects' pages means.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn people(&self, scope: &SettingsScope) -> Result<People, StoreError> {
        let workspace = &scope.workspace;
        let (all, readers) = database::query_as(
            "SELECT count(DISTINCT p.id), \
                 count(DISTINCT CASE WHEN x.role <> 'member' THEN p.id END) FROM ( \
                     SELECT person, role FROM membership \
                     WHERE workspace = ?1 AND deactivated_at IS NULL \
                         AND (until IS NULL OR until > ?3) \
                     UNION ALL SELECT person, 'tenant_admin' FROM tenant_admin \
                     WHERE tenant = ?2 AND (until IS NULL OR until > ?3)) x \
             JOIN person p ON p.id = x.person WHERE p.deactivated_at IS NULL",
        )
        .bind(workspace.id)
        .bind(workspace.tenant.id)
        .bind(self.now().micros())
        .fetch_one(&self.inner.readers)
        .await?;
        Ok(People { all, readers })
    }

    /// Changes settings. A longer retention holds at once, a shorter one in seven days, unless the
    /// operator says now. What is already so is not changed, and not told.
    ///
    /// # Errors
    ///
    /// The scope may only see them, or the store failed.
    pub async fn change_settings(
        &self,
        scope: &SettingsScope,
        asked: SettingsChange,
        by: &By,
    ) -> Result<Settings, SettingsError> {
        if !scope.may_change() {
            return Err(SettingsError::ReadOnly);
        }
        let mut change = self.inner.change().await?;
        let result = change_settings(&mut change, &scope.workspace, asked, by).await;
        change.finish(result).await
    }

    /// Cancels a shorter retention that waits.
    ///
    /// # Errors
    ///
    /// The scope may only see settings, nothing waits, or the store failed.
    pub async fn cancel_pending(
        &self,
        scope: &SettingsScope,
        by: &By,
    ) -> Result<Settings, SettingsError> {
        if !scope.may_change() {
            return Err(SettingsError::ReadOnly);
        }
        let mut change = self.inner.change().await?;
        let result = cancel_pending(&mut change, &scope.workspace, by).await;
        change.finish(result).await
    }

    /// The settings of any workspace: for the operator.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn operator_settings(
        &self,
        path: &WorkspacePath,
    ) -> Result<Option<SettingsScope>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        Ok(find_workspace(&mut connection, path)
            .await?
            .map(SettingsScope::operator))
    }
}

impl Snapshot {
    /// What everybody who reads a log should know about it.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn notices(&mut self) -> Result<Notices, StoreError> {
        let Some(workspace) = self.scope.workspace() else {
            return Ok(Notices::default());
        };
        let is_whole = matches!(self.scope.0, Reach::Workspace(_));
        let connection = self.transaction.connection();
        let mut notices = notices(connection, workspace.id, self.now).await?;
        notices.hold.take_if(|_| !is_whole);
        Ok(notices)
    }

    /// The same of each workspace of a tenant of which there is something to know, by name, `most`
    /// of them; and of how many more there is. None where the scope is no tenant's.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn notices_within(
        &mut self,
        most: usize,
    ) -> Result<(Vec<(Workspace, Notices)>, usize), StoreError> {
        let Reach::Tenant(tenant) = &self.scope.0 else {
            return Ok((Vec::new(), 0));
        };
        let connection = self.transaction.connection();
        let rows = database::query(
            "SELECT w.id, w.slug, w.name, t.id, t.slug, t.name FROM tenant t \
             CROSS JOIN workspace w ON w.tenant = t.id \
             WHERE t.id = ? AND (NOT w.recording OR w.pending_from > ? OR EXISTS (SELECT 1 \
                 FROM hold h WHERE h.workspace = w.id AND h.lifted_at IS NULL)) \
             ORDER BY w.name, w.id",
        )
        .bind(tenant.id)
        .bind(self.now.micros())
        .fetch_all(&mut *connection)
        .await?;
        let mut told = Vec::new();
        for row in rows.iter().take(most) {
            let workspace = workspace_of(row, 0)?;
            let notices = notices(connection, workspace.id, self.now).await?;
            told.push((workspace, notices));
        }
        let more = rows.len() - told.len();
        Ok((told, more))
    }
}

async fn notices(
    connection: &mut Connection,
    workspace: i64,
    now: Timestamp,
) -> Result<Notices, StoreError> {
    let settings = settings(connection, workspace, now).await?;
    Ok(Notices {
        recording_off: settings.recording_set.filter(|_| !settings.recording),
        pending: settings.pending,
        hold: standing_hold(connection, workspace).await?,
    })
}

async fn change_settings(
    change: &mut Change<'_>,
    workspace: &Workspace,
    asked: SettingsChange,
    by: &By,
) -> Result<Settings, SettingsError> {
    let now = change.now;
    let before = settings(change.connection(), workspace.id, now).await?;
    if let Some(wanted) = asked.retention {
        set_retention(change, workspace, &before, wanted, asked.now, by).await?;
    }
    if let Some(on) = asked.recording
        && on != before.recording
    {
        set_recording(change, workspace, &before, on, by).await?;
    }
    if let Some(access) = asked.object_access
        && access != before.object_access
    {
        set_object_access(change, workspace, &before.object_access, &access, by).await?;
    }
    Ok(settings(change.connection(), workspace.id, now).await?)
}

fn named(by: &By) -> &str {
    by.actor.sort_name()
}

async fn set_retention(
    change: &mut Change<'_>,
    workspace: &Workspace,
    before: &Settings,
    wanted: Retention,
    at_once: bool,
    by: &By,
) -> Result<(), StoreError> {
    let now = change.now;
    let waits = wanted < before.retention && !at_once;
    let waiting = before.pending.as_ref().map(|pending| pending.retention);
    if (waits && waiting == Some(wanted)) || (wanted == before.retention && waiting.is_none()) {
        return Ok(());
    }
    let from = now.plus(WAIT);
    let who = named(by).to_owned();
    if waits {
        // What came due meanwhile is written down with it.
        database::query(
            "UPDATE workspace SET retention = ?, pending = ?, pending_from = ?, pending_by = ?, \
             pending_at = ? WHERE id = ?",
        )
        .bind(before.retention.to_string())
        .bind(wanted.to_string())
        .bind(from.micros())
        .bind(who)
        .bind(now.micros())
        .bind(workspace.id)
        .execute(change.connection())
        .await?;
    } else {
        database::query(
            "UPDATE workspace SET retention = ?, retention_by = ?, retention_at = ?, \
             pending = NULL, pending_from = NULL, pending_by = NULL, pending_at = NULL WHERE id = ?",
        )
        .bind(wanted.to_string())
        .bind(who)
        .bind(now.micros())
        .bind(workspace.id)
        .execute(change.connection())
        .await?;
    }
    let after = if waits {
        json!({"retention": before.retention, "pending": {"retention": wanted, "from": from}})
    } else {
        json!({"retention": wanted, "pending": null})
    };
    let event = told(
        by,
        "AUDIT_RETENTION_UPDATED",
        target("workspace", workspace.path().to_string(), &workspace.name)?,
        Some(state(before)),
        Some(after),
    )?;
    change.record(Log::from(workspace), event).await
}

/// What the events of retention tell.
fn state(settings: &Settings) -> serde_json::Value {
    let pending = settings
        .pending
        .as_ref()
        .map(|pending| json!({"retention": pending.retention, "from": pending.from}));
    json!({"retention": settings.retention, "pending": pending})
}

async fn set_recording(
    change: &mut Change<'_>,
    workspace: &Workspace,
    before: &Settings,
    on: bool,
    by: &By,
) -> Result<(), StoreError> {
    let now = change.now;
    database::query(
        "UPDATE workspace SET recording = ?, recording_by = ?, recording_at = ?, discarded = 0 \
         WHERE id = ?",
    )
    .bind(on)
    .bind(named(by).to_owned())
    .bind(now.micros())
    .bind(workspace.id)
    .execute(change.connection())
    .await?;
    change.recording_changed().await?;
    let mut event = told(
        by,
        "AUDIT_RECORDING_UPDATED",
        target("workspace", workspace.path().to_string(), &workspace.name)?,
        Some(json!({"recording": before.recording})),
        Some(json!({"recording": on})),
    )?;
    if on {
        let metadata = event.metadata.get_or_insert_default();
        metadata.insert("discarded".to_owned(), before.discarded.into());
    }
    change.record(Log::from(workspace), event).await
}

async fn set_object_access(
    change: &mut Change<'_>,
    workspace: &Workspace,
    before: &ObjectAccess,
    access: &ObjectAccess,
    by: &By,
) -> Result<(), StoreError> {
    let guarded = serde_json::to_string(access.guarded())
        .map_err(|error| StoreError::Database(error.to_string()))?;
    let now = change.now;
    database::query(
        "UPDATE workspace SET object_tabs = ?, guarded_kinds = ?, object_access_by = ?, \
         object_access_at = ? WHERE id = ?",
    )
    .bind(access.word())
    .bind(guarded)
    .bind(named(by).to_owned())
    .bind(now.micros())
    .bind(workspace.id)
    .execute(change.connection())
    .await?;
    let state = |access: &ObjectAccess| json!({"object_tabs": access.word(), "guarded_kinds": access.guarded()});
    let event = told(
        by,
        "AUDIT_OBJECT_ACCESS_UPDATED",
        target("workspace", workspace.path().to_string(), &workspace.name)?,
        Some(state(before)),
        Some(state(access)),
    )?;
    change.record(Log::from(workspace), event).await
}

async fn cancel_pending(
    change: &mut Change<'_>,
    workspace: &Workspace,
    by: &By,
) -> Result<Settings, SettingsError> {
    let now = change.now;
    let before = settings(change.connection(), workspace.id, now).await?;
    if before.pending.is_none() {
        return Err(SettingsError::NothingPending);
    }
    database::query(
        "UPDATE workspace SET pending = NULL, pending_from = NULL, pending_by = NULL, \
         pending_at = NULL WHERE id = ?",
    )
    .bind(workspace.id)
    .execute(change.connection())
    .await
    .map_err(StoreError::from)?;
    let event = told(
        by,
        "AUDIT_RETENTION_CANCELLED",
        target("workspace", workspace.path().to_string(), &workspace.name)?,
        Some(state(&before)),
        Some(json!({"retention": before.retention, "pending": null})),
    )?;
    change.record(Log::from(workspace), event).await?;
    Ok(settings(change.connection(), workspace.id, now).await?)
}

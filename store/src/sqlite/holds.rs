//! Legal holds. That nothing is deleted while one stands is the database's own doing: its triggers
//! refuse.

use super::{
    Store,
    change::{Change, Log, target, told},
};
use crate::{
    StoreError,
    access::{LEGAL_HOLD, SettingsScope, Workspace},
    administration::By,
    database::{self, Connection, Row},
    holds::{Hold, HoldError, HoldListed, Holds, Lifted, PAGE, PastHold, Reason},
    settings::Changed,
};
use domain::{
    slug::{Slug, WorkspacePath},
    time::Timestamp,
};
use serde_json::json;

/// The hold that stands in a workspace: there is one at most.
const STANDING: &str = "SELECT id, reason, placed_by, placed_at FROM hold \
    WHERE workspace = ? AND lifted_at IS NULL";

/// Holds of a workspace that were lifted, from before a number on.
const PAST: &str = "SELECT id, reason, placed_by, placed_at, lifted_reason, lifted_by, lifted_at \
    FROM hold WHERE workspace = ? AND lifted_at IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?";

/// A hold from the columns `reason`, `placed_by`, `placed_at`.
fn hold_of(row: &Row, from: usize) -> Result<Hold, StoreError> {
    Ok(Hold {
        reason: row.try_get(from)?,
        placed: Changed {
            by: row.try_get(from + 1)?,
            at: Timestamp::from_micros(row.try_get(from + 2)?),
        },
    })
}

/// How a hold ended, from the columns `lifted_reason`, `lifted_by`, `lifted_at`.
fn lifted_of(row: &Row, from: usize) -> Result<Option<Lifted>, StoreError> {
    let (reason, by, at) = (
        row.try_get::<Option<String>>(from)?,
        row.try_get::<Option<String>>(from + 1)?,
        row.try_get::<Option<i64>>(from + 2)?,
    );
    Ok(match (reason, by, at) {
        (Some(reason), Some(by), Some(at)) => Some(Lifted {
            reason,
            changed: Changed {
                by,
                at: Timestamp::from_micros(at),
            },
        }),
        _ => None,
    })
}

/// The hold that stands in a workspace, with its number.
async fn standing(
    connection: &mut Connection,
    workspace: i64,
) -> Result<Option<(i64, Hold)>, StoreError> {
    let row = database::query(STANDING)
        .bind(workspace)
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok((row.try_get(0)?, hold_of(&row, 1)?)))
        .transpose()
}

/// The hold that stands in a workspace.
pub(super) async fn standing_hold(
    connection: &mut Connection,
    workspace: i64,
) -> Result<Option<Hold>, StoreError> {
    Ok(standing(connection, workspace).await?.map(|(_, hold)| hold))
}

impl Store {
    /// The hold that stands in a workspace.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn hold(&self, scope: &SettingsScope) -> Result<Option<Hold>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        standing_hold(&mut connection, scope.workspace.id).await
    }

    /// The hold that stands in a workspace, and a page of those that were lifted: the newest, or
    /// those placed before one of an earlier page, by its number.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn holds(
        &self,
        scope: &SettingsScope,
        before: Option<i64>,
    ) -> Result<Holds, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let workspace = scope.workspace.id;
        // One more than the page has, to see whether there are more.
        let rows = database::query(PAST)
            .bind(workspace)
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::try_from(PAGE + 1).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await?;
        let mut past = Vec::new();
        for row in rows.iter().take(PAGE) {
            if let Some(lifted) = lifted_of(row, 4)? {
                past.push(PastHold {
                    id: row.try_get(0)?,
                    hold: hold_of(row, 1)?,
                    lifted,
                });
            }
        }
        Ok(Holds {
            standing: standing_hold(&mut connection, workspace).await?,
            past,
            more: rows.len() > PAGE,
        })
    }

    /// All holds, of one workspace or of all, those that stand first, the newest first: for the
    /// operator.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn all_holds(
        &self,
        workspace: Option<&WorkspacePath>,
    ) -> Result<Vec<HoldListed>, StoreError> {
        let rows = database::query(
            "SELECT t.slug, w.slug, h.reason, h.placed_by, h.placed_at, h.lifted_reason, \
                 h.lifted_by, h.lifted_at \
             FROM hold h JOIN workspace w ON w.id = h.workspace JOIN tenant t ON t.id = w.tenant \
             WHERE (?1 IS NULL OR (t.slug = ?1 AND w.slug = ?2)) \
             ORDER BY h.lifted_at IS NOT NULL, h.id DESC",
        )
        .bind(workspace.map(|path| path.tenant.to_string()))
        .bind(workspace.map(|path| path.workspace.to_string()))
        .fetch_all(&self.inner.readers)
        .await?;
        let part = |text: &str| -> Result<Slug, StoreError> { super::directory::slug(text) };
        rows.iter()
            .map(|row| {
                Ok(HoldListed {
                    workspace: WorkspacePath {
                        tenant: part(row.try_get(0)?)?,
                        workspace: part(row.try_get(1)?)?,
                    },
                    hold: hold_of(row, 2)?,
                    lifted: lifted_of(row, 5)?,
                })
            })
            .collect()
    }

    /// Places a legal hold: from now on nothing of the workspace is deleted.
    ///
    /// # Errors
    ///
    /// The scope may only see settings, a hold stands already, or the store failed.
    pub async fn place_hold(
        &self,
        scope: &SettingsScope,
        reason: &Reason,
        by: &By,
    ) -> Result<Hold, HoldError> {
        if !scope.may_change() {
            return Err(HoldError::ReadOnly);
        }
        let mut change = self.inner.change().await?;
        let result = place(&mut change, &scope.workspace, reason, by).await;
        change.finish(result).await
    }

    /// Lifts the legal hold that stands: what has expired may be deleted again.
    ///
    /// # Errors
    ///
    /// The scope may only see settings, no hold stands, or the store failed.
    pub async fn lift_hold(
        &self,
        scope: &SettingsScope,
        reason: &Reason,
        by: &By,
    ) -> Result<(), HoldError> {
        if !scope.may_change() {
            return Err(HoldError::ReadOnly);
        }
        let mut change = self.inner.change().await?;
        let result = lift(&mut change, &scope.workspace, reason, by).await;
        change.finish(result).await
    }
}

async fn place(
    change: &mut Change<'_>,
    workspace: &Workspace,
    reason: &Reason,
    by: &By,
) -> Result<Hold, HoldError> {
    if let Some(stands) = standing_hold(change.connection(), workspace.id).await? {
        return Err(HoldError::Stands(stands));
    }
    let hold = Hold {
        reason: reason.to_string(),
        placed: Changed {
            by: by.actor.sort_name().to_owned(),
            at: change.now,
        },
    };
    let id: i64 = database::query_scalar(
        "INSERT INTO hold (id, workspace, reason, placed_by, placed_at) \
         SELECT coalesce(max(id), 0) + 1, ?, ?, ?, ? FROM hold RETURNING id",
    )
    .bind(workspace.id)
    .bind(hold.reason.clone())
    .bind(hold.placed.by.clone())
    .bind(hold.placed.at.micros())
    .fetch_one(change.connection())
    .await
    .map_err(StoreError::from)?;
    tell(
        change,
        workspace,
        "AUDIT_HOLD_PLACED",
        reason,
        by,
        (id, &hold),
    )
    .await?;
    Ok(hold)
}

async fn lift(
    change: &mut Change<'_>,
    workspace: &Workspace,
    reason: &Reason,
    by: &By,
) -> Result<(), HoldError> {
    let (id, hold) = standing(change.connection(), workspace.id)
        .await?
        .ok_or(HoldError::NoneStands)?;
    let now = change.now;
    database::query("UPDATE hold SET lifted_reason = ?, lifted_by = ?, lifted_at = ? WHERE id = ?")
        .bind(reason.as_str())
        .bind(by.actor.sort_name().to_owned())
        .bind(now.micros())
        .bind(id)
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
    tell(
        change,
        workspace,
        "AUDIT_HOLD_LIFTED",
        reason,
        by,
        (id, &hold),
    )
    .await?;
    Ok(())
}

/// Tells that a hold was placed or lifted, and why; the row of the event shows the reason too.
async fn tell(
    change: &mut Change<'_>,
    workspace: &Workspace,
    action: &'static str,
    reason: &Reason,
    by: &By,
    (id, hold): (i64, &Hold),
) -> Result<(), StoreError> {
    let stands = json!({"hold": {
        "reason": hold.reason, "placed_by": hold.placed.by, "since": hold.placed.at,
    }});
    let none = json!({"hold": null});
    let (before, after) = if action == "AUDIT_HOLD_PLACED" {
        (none, stands)
    } else {
        (stands, none)
    };
    let mut event = told(
        by,
        action,
        target(LEGAL_HOLD, format!("hold_{id}"), "Legal hold")?,
        Some(before),
        Some(after),
    )?;
    event.description = Some(reason.to_string());
    let metadata = event.metadata.get_or_insert_default();
    metadata.insert("reason".to_owned(), reason.as_str().into());
    change.record(Log::from(workspace), event).await
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{DatabaseUrl, Options};
    use sqlx::Row as _;

    #[tokio::test]
    async fn holds_are_read_from_an_index_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::Sqlite(folder.path().join("daybook.db"));
        let store = Store::open(Options::new(database)).await.unwrap();
        for (statement, seeks) in [
            (
                STANDING,
                "SEARCH hold USING INDEX hold_standing (workspace=?)",
            ),
            (
                PAST,
                "SEARCH hold USING INDEX hold_by_workspace (workspace=?",
            ),
        ] {
            let text =
                super::super::sql::made_of_our_own_texts(format!("EXPLAIN QUERY PLAN {statement}"));
            let steps: Vec<String> = sqlx::query(text)
                .fetch_all(store.inner.readers.sqlite().unwrap())
                .await
                .unwrap()
                .iter()
                .map(|row| row.get("detail"))
                .collect();
            let [step] = &steps[..] else {
                panic!("{steps:?}");
            };
            assert!(step.starts_with(seeks), "{step}");
        }
    }
}

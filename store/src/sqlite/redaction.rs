//! What a workspace has taken out at the door.
//!
//! An event passes the door in its sender's own task, before it waits for the writer. What holds
//! there comes with what is looked up for each request anyway, the sender's token: the number that
//! the workspace's rules have, which rises with every change. The rules of a number are read once in
//! each process. So a change holds at the next request, in every process, and no request asks the
//! database once more where nothing changed.

use super::{
    Inner, Store,
    change::{Change, Log, target, told},
    dictionaries::{damaged, parse},
};
use crate::{
    StoreError,
    access::{SettingsScope, Workspace},
    administration::By,
    database::{self, Connection},
    redaction::{RedactionChange, RedactionChanged, RedactionError, RedactionSettings},
    settings::Changed,
};
use domain::{
    redaction::{Added, AddedName, Place, Rules},
    time::Timestamp,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// How often the database had been found to be another, and the number that a workspace's rules had.
type Seen = (u64, i64);

/// The rules of the workspaces that were sent to, each with its number.
#[derive(Debug, Default)]
pub(super) struct KnownRules {
    built_in: Arc<Rules>,
    added: RwLock<HashMap<i64, (Seen, Arc<Rules>)>>,
}

impl KnownRules {
    /// Those of a workspace that adds nothing, and of what is of no workspace.
    pub(super) fn built_in(&self) -> &Arc<Rules> {
        &self.built_in
    }
}

impl Inner {
    /// The rules of a workspace, of which the number `version` was seen, or later ones.
    pub(super) async fn rules(
        &self,
        connection: &mut Connection,
        workspace: i64,
        version: i64,
    ) -> Result<Arc<Rules>, StoreError> {
        let known = &self.rules;
        if version == 0 {
            return Ok(Arc::clone(&known.built_in));
        }
        let times = self.dictionaries.times();
        {
            let all = known.added.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((of, rules)) = all.get(&workspace)
                && *of >= (times, version)
            {
                return Ok(Arc::clone(rules));
            }
        }
        let (version, settings) = read(connection, workspace).await?;
        let rules = Arc::new(Rules::with(&settings.added));
        let mut all = known.added.write().unwrap_or_else(PoisonError::into_inner);
        let newest = all
            .entry(workspace)
            .or_insert_with(|| ((times, version), Arc::clone(&rules)));
        if newest.0 < (times, version) {
            *newest = ((times, version), rules);
        }
        Ok(Arc::clone(&newest.1))
    }

    /// The rules of a workspace as they are now.
    pub(super) async fn rules_of(
        &self,
        connection: &mut Connection,
        workspace: i64,
    ) -> Result<Arc<Rules>, StoreError> {
        let version: i64 =
            database::query_scalar("SELECT redaction_version FROM workspace WHERE id = ?")
                .bind(workspace)
                .fetch_one(&mut *connection)
                .await?;
        self.rules(connection, workspace, version).await
    }
}

/// What a workspace adds, with its number.
async fn read(
    connection: &mut Connection,
    workspace: i64,
) -> Result<(i64, RedactionSettings), StoreError> {
    let row = database::query(
        "SELECT redaction_version, redaction_names, redaction_paths, redaction_by, redaction_at \
         FROM workspace WHERE id = ?",
    )
    .bind(workspace)
    .fetch_one(connection)
    .await?;
    let list = |column: usize| -> Result<Vec<String>, StoreError> {
        serde_json::from_str(row.try_get(column)?)
            .map_err(|_| damaged("a list of what is taken out is broken"))
    };
    let (names, places) = (list(1)?, list(2)?);
    let names = names.iter().map(|name| parse(name));
    let places = places.iter().map(|place| parse(place));
    let added = Added::new(
        names.collect::<Result<_, _>>()?,
        places.collect::<Result<_, _>>()?,
    )
    .map_err(|_| damaged("more is taken out than may be"))?;
    let by: Option<String> = row.try_get(3)?;
    let at: Option<i64> = row.try_get(4)?;
    let set = by.zip(at).map(|(by, at)| Changed {
        by,
        at: Timestamp::from_micros(at),
    });
    Ok((row.try_get(0)?, RedactionSettings { added, set }))
}

impl Store {
    /// What a workspace has taken out beside what Daybook knows by name.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn redaction(&self, scope: &SettingsScope) -> Result<RedactionSettings, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let (_, settings) = read(&mut connection, scope.workspace.id).await?;
        Ok(settings)
    }

    /// Changes it, for what is recorded from the next request on. What is already so is not changed,
    /// and not told.
    ///
    /// # Errors
    ///
    /// The scope may only see it, there would be too many names or paths, or the store failed.
    pub async fn change_redaction(
        &self,
        scope: &SettingsScope,
        asked: RedactionChange,
        by: &By,
    ) -> Result<RedactionChanged, RedactionError> {
        if !scope.may_change() {
            return Err(RedactionError::ReadOnly);
        }
        let mut change = self.inner.change().await?;
        let result = change_redaction(&mut change, &scope.workspace, asked, by).await;
        change.finish(result).await
    }
}

async fn change_redaction(
    change: &mut Change<'_>,
    workspace: &Workspace,
    asked: RedactionChange,
    by: &By,
) -> Result<RedactionChanged, RedactionError> {
    let (_, RedactionSettings { added: before, .. }) =
        read(change.connection(), workspace.id).await?;
    let (mut names, mut places) = (before.names().to_vec(), before.places().to_vec());
    match asked {
        RedactionChange::Add {
            names: more_names,
            places: more_places,
        } => {
            names.extend(more_names);
            places.extend(more_places);
        }
        RedactionChange::RemoveName(name) => names.retain(|known| !known.is_same(&name)),
        RedactionChange::RemovePlace(place) => places.retain(|known| *known != place),
    }
    let after = Added::new(names, places)?;
    if after == before {
        return Ok(RedactionChanged::Same);
    }
    write(change, workspace, &after, by).await?;
    let event = told(
        by,
        "AUDIT_REDACTION_UPDATED",
        target("workspace", workspace.path().to_string(), &workspace.name)?,
        Some(state(&before)),
        Some(state(&after)),
    )?;
    change.record(Log::from(workspace), event).await?;
    Ok(RedactionChanged::Changed)
}

fn names(added: &Added) -> Value {
    added.names().iter().map(AddedName::as_str).collect()
}

fn paths(added: &Added) -> Value {
    added.places().iter().map(Place::to_string).collect()
}

/// What the events tell.
fn state(added: &Added) -> Value {
    json!({"redaction_names": names(added), "redaction_paths": paths(added)})
}

async fn write(
    change: &mut Change<'_>,
    workspace: &Workspace,
    added: &Added,
    by: &By,
) -> Result<(), StoreError> {
    let now = change.now;
    database::query(
        "UPDATE workspace SET redaction_names = ?, redaction_paths = ?, \
             redaction_version = redaction_version + 1, redaction_by = ?, redaction_at = ? \
         WHERE id = ?",
    )
    .bind(names(added).to_string())
    .bind(paths(added).to_string())
    .bind(by.actor.sort_name().to_owned())
    .bind(now.micros())
    .bind(workspace.id)
    .execute(change.connection())
    .await?;
    Ok(())
}

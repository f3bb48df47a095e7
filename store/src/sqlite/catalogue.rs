//! A workspace's own entries of the catalogue.
//!
//! Each change of them gives the workspace's catalogue another number. Whoever reads a log reads the
//! number with its snapshot, and the entries only where it is another than the one that the
//! dictionary knows: so a change holds at the next look, whichever process made it.

use super::{
    Store,
    change::{Change, Log, target, told},
    choices::in_use,
    dictionaries::{damaged, parse},
    read_transaction::Asked,
};
use crate::{
    StoreError,
    access::{SettingsScope, Workspace},
    administration::By,
    catalogue::{
        CatalogueError, ENTRIES_MOST, EntryChange, EntryPage, OwnEntry, UnknownAction,
        UnknownActions,
    },
    database::{self, Connection, Row},
    postgres::replica::Reader,
    settings::Changed,
};
use domain::{
    catalogue::{Catalogue, OwnedEntry},
    category::Category,
    event::Action,
    time::Timestamp,
    verb::Verb,
};
use serde_json::{Value, json};
use std::collections::HashMap;

/// How many entries a page has.
const PAGE: usize = 100;
/// Of so many actions that nothing is said of the page tells.
const UNKNOWN_MOST: usize = 50;

/// The catalogue of a workspace, and its number.
pub(super) async fn read(
    connection: &mut Connection,
    workspace: i64,
) -> Result<(i64, Catalogue), StoreError> {
    // One statement, one state: the number is that of the entries.
    let rows = database::query(
        "SELECT w.catalogue_version, e.action, e.category, e.verb, e.label FROM workspace w \
         LEFT JOIN catalogue_entry e ON e.workspace = w.id WHERE w.id = ?",
    )
    .bind(workspace)
    .fetch_all(connection)
    .await?;
    let mut version = 0;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        version = row.try_get(0)?;
        if row.try_get::<Option<&str>>(1)?.is_some() {
            entries.push(entry(row, 1)?);
        }
    }
    Ok((version, Catalogue::new(entries)))
}

/// An entry from the columns action, category, verb, label.
fn entry(row: &Row, from: usize) -> Result<OwnedEntry, StoreError> {
    Ok(OwnedEntry {
        action: parse(row.try_get(from)?)?,
        category: parse(row.try_get(from + 1)?)?,
        verb: parse(row.try_get(from + 2)?)?,
        label: parse(row.try_get(from + 3)?)?,
    })
}

fn own_entry(row: &Row) -> Result<OwnEntry, StoreError> {
    Ok(OwnEntry {
        entry: entry(row, 0)?,
        changed: Changed {
            by: row.try_get(4)?,
            at: Timestamp::from_micros(row.try_get(5)?),
        },
    })
}

async fn find(
    connection: &mut Connection,
    workspace: i64,
    action: &Action,
) -> Result<Option<OwnEntry>, StoreError> {
    let row = database::query(
        "SELECT action, category, verb, label, changed_by, changed_at FROM catalogue_entry \
         WHERE workspace = ? AND action = ?",
    )
    .bind(workspace)
    .bind(action.as_str())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(own_entry).transpose()
}

async fn count(connection: &mut Connection, workspace: i64) -> Result<u64, StoreError> {
    let count = database::query_scalar("SELECT count(*) FROM catalogue_entry WHERE workspace = ?");
    Ok(count.bind(workspace).fetch_one(connection).await?)
}

impl Store {
    /// A page of a workspace's own entries: the first, or the one after an action.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn catalogue_entries(
        &self,
        scope: &SettingsScope,
        after: Option<&Action>,
    ) -> Result<EntryPage, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let rows = database::query(
            "SELECT action, category, verb, label, changed_by, changed_at FROM catalogue_entry \
             WHERE workspace = ? AND action > ? ORDER BY action LIMIT ?",
        )
        .bind(scope.workspace.id)
        .bind(after.map_or("", Action::as_str))
        .bind(i64::try_from(PAGE + 1).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
        let entries = rows.iter().take(PAGE).map(own_entry);
        Ok(EntryPage {
            more: rows.len() > PAGE,
            entries: entries.collect::<Result<_, _>>()?,
            all: count(&mut connection, scope.workspace.id).await?,
        })
    }

    /// A workspace's own entry for an action.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn catalogue_entry(
        &self,
        scope: &SettingsScope,
        action: &Action,
    ) -> Result<Option<OwnEntry>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        find(&mut connection, scope.workspace.id, action).await
    }

    /// The actions that a workspace's log holds and that neither a pack nor the workspace knows.
    ///
    /// # Errors
    ///
    /// The index is being made, or the store failed.
    pub async fn unknown_actions(
        &self,
        scope: &SettingsScope,
    ) -> Result<UnknownActions, StoreError> {
        let log = Log::from(&scope.workspace);
        let begun = self.inner.begin_reading(Reader::Page, Asked::Primary, log);
        let (mut transaction, beginning) = begun.await?;
        let tail = beginning.tail.of(log.ws);
        let used = in_use(transaction.connection(), log, &beginning.texts, &tail).await;
        transaction.end().await;
        let used = used?;
        let texts = beginning.texts.read();
        // The same action stands once, in however many readings it was sent.
        let mut events: HashMap<&Action, u64> = HashMap::new();
        for (number, count) in &used.actions {
            if let Some(read) = texts.action(*number) {
                *events.entry(&read.named.action).or_default() += count;
            }
        }
        let mut actions: Vec<UnknownAction> = Vec::new();
        for (action, events) in events {
            let reading = texts.catalogue().reading(action.as_str());
            if !reading.known {
                actions.push(UnknownAction {
                    action: action.clone(),
                    label: reading.label.into_owned(),
                    verb: reading.verb,
                    events,
                });
            }
        }
        actions.sort_unstable_by(|one, other| {
            let by_use = other.events.cmp(&one.events);
            by_use.then_with(|| one.action.cmp(&other.action))
        });
        let more = actions.len().saturating_sub(UNKNOWN_MOST);
        actions.truncate(UNKNOWN_MOST);
        Ok(UnknownActions { actions, more })
    }

    /// Adds an entry for an action that the workspace has none for. It holds at the next look, for
    /// past events too.
    ///
    /// # Errors
    ///
    /// The scope may only see it, the workspace has an entry for the action, or as many as there may
    /// be, or the store failed.
    pub async fn add_catalogue_entry(
        &self,
        scope: &SettingsScope,
        entry: &OwnedEntry,
        by: &By,
    ) -> Result<(), CatalogueError> {
        require_change(scope)?;
        let mut change = self.inner.change().await?;
        let result = add(&mut change, &scope.workspace, entry, by).await;
        change.finish(result).await
    }

    /// Changes what the workspace's own entry for an action says. It holds at the next look, for past
    /// events too.
    ///
    /// # Errors
    ///
    /// The scope may only see it, the workspace has no entry for the action, or the store failed.
    pub async fn change_catalogue_entry(
        &self,
        scope: &SettingsScope,
        entry: &OwnedEntry,
        by: &By,
    ) -> Result<EntryChange, CatalogueError> {
        require_change(scope)?;
        let mut change = self.inner.change().await?;
        let result = alter(&mut change, &scope.workspace, entry, by).await;
        change.finish(result).await
    }

    /// Removes the workspace's own entry for an action, which is read as everywhere from then on.
    ///
    /// # Errors
    ///
    /// The scope may only see it, the workspace has no entry for the action, or the store failed.
    pub async fn remove_catalogue_entry(
        &self,
        scope: &SettingsScope,
        action: &Action,
        by: &By,
    ) -> Result<(), CatalogueError> {
        require_change(scope)?;
        let mut change = self.inner.change().await?;
        let result = remove(&mut change, &scope.workspace, action, by).await;
        change.finish(result).await
    }
}

fn require_change(scope: &SettingsScope) -> Result<(), CatalogueError> {
    if scope.may_change() {
        Ok(())
    } else {
        Err(CatalogueError::ReadOnly)
    }
}

async fn add(
    change: &mut Change<'_>,
    workspace: &Workspace,
    entry: &OwnedEntry,
    by: &By,
) -> Result<(), CatalogueError> {
    let connection = change.connection();
    if find(connection, workspace.id, &entry.action)
        .await?
        .is_some()
    {
        return Err(CatalogueError::Exists(entry.action.clone()));
    }
    if count(connection, workspace.id).await? >= ENTRIES_MOST {
        return Err(CatalogueError::Full);
    }
    write(change, workspace, entry, by).await?;
    Ok(tell(change, workspace, None, Some(entry), by).await?)
}

async fn alter(
    change: &mut Change<'_>,
    workspace: &Workspace,
    entry: &OwnedEntry,
    by: &By,
) -> Result<EntryChange, CatalogueError> {
    let before = find(change.connection(), workspace.id, &entry.action)
        .await?
        .ok_or_else(|| CatalogueError::Missing(entry.action.clone()))?
        .entry;
    if before == *entry {
        return Ok(EntryChange::Same);
    }
    write(change, workspace, entry, by).await?;
    tell(change, workspace, Some(&before), Some(entry), by).await?;
    Ok(EntryChange::Changed)
}

async fn remove(
    change: &mut Change<'_>,
    workspace: &Workspace,
    action: &Action,
    by: &By,
) -> Result<(), CatalogueError> {
    let before = find(change.connection(), workspace.id, action)
        .await?
        .ok_or_else(|| CatalogueError::Missing(action.clone()))?
        .entry;
    database::query("DELETE FROM catalogue_entry WHERE workspace = ? AND action = ?")
        .bind(workspace.id)
        .bind(action.as_str())
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
    Ok(tell(change, workspace, Some(&before), None, by).await?)
}

async fn write(
    change: &mut Change<'_>,
    workspace: &Workspace,
    entry: &OwnedEntry,
    by: &By,
) -> Result<(), StoreError> {
    let now = change.now;
    database::query(
        "INSERT INTO catalogue_entry \
             (workspace, action, category, verb, label, changed_by, changed_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, action) DO UPDATE SET \
             category = excluded.category, verb = excluded.verb, label = excluded.label, \
             changed_by = excluded.changed_by, changed_at = excluded.changed_at",
    )
    .bind(workspace.id)
    .bind(entry.action.as_str())
    .bind(entry.category.as_str())
    .bind(entry.verb.as_str())
    .bind(entry.label.as_str())
    .bind(by.actor.sort_name().to_owned())
    .bind(now.micros())
    .execute(change.connection())
    .await?;
    Ok(())
}

/// Gives the workspace's catalogue its next number, and tells of the change.
async fn tell(
    change: &mut Change<'_>,
    workspace: &Workspace,
    before: Option<&OwnedEntry>,
    after: Option<&OwnedEntry>,
    by: &By,
) -> Result<(), StoreError> {
    database::query("UPDATE workspace SET catalogue_version = catalogue_version + 1 WHERE id = ?")
        .bind(workspace.id)
        .execute(change.connection())
        .await?;
    let entry = after
        .or(before)
        .ok_or_else(|| damaged("a change of the catalogue is of no entry"))?;
    let state = |entry: &OwnedEntry| -> Value {
        json!({
            "action": entry.action,
            "category": Category::as_str(entry.category),
            "verb": Verb::as_str(entry.verb),
            "label": entry.label,
        })
    };
    let event = told(
        by,
        "AUDIT_CATALOGUE_UPDATED",
        target(
            "catalogue_entry",
            entry.action.as_str(),
            entry.action.as_str(),
        )?,
        before.map(state),
        after.map(state),
    )?;
    change.record(Log::from(workspace), event).await
}

//! What a question is answered from: one state of the log, and the parts of it that are in scope.

use super::{
    Inner, Store,
    append::outcome_number,
    dictionaries::{SIZES, Shared, sizes},
    sql::made_of_our_own_texts,
};
use crate::{
    StoreError,
    access::{Reach, Scope},
    dictionary::Dictionary,
    plan::{Conditions, Counts, Object, Plan, Search as SearchSets},
    question::QuestionError,
};
use domain::{
    question::{Filter, Sort, Span, Subject},
    slug::Slug,
    time::Timestamp,
};
use sqlx::{Executor, Row, Sqlite, SqliteConnection, pool::PoolConnection};
use std::{sync::Arc, time::Duration};

/// A workspace in a question, as its snapshot has it.
pub(super) struct Shelf {
    pub(super) ws: i64,
    pub(super) shared: Arc<Shared>,
    pub(super) counts: Arc<Counts>,
    pub(super) conditions: Conditions,
    gather_within: Duration,
}

/// One state of the log.
pub(super) struct Snapshot {
    pub(super) mark: i64,
    pub(super) shelves: Vec<Shelf>,
}

impl Store {
    /// A reader's connection in a transaction, in which it sees one state of both files.
    pub(super) async fn reading(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        connection.execute("BEGIN").await?;
        Ok(connection)
    }

    /// Takes the snapshot that a question is answered from: the open transaction's, in which the
    /// index holds everything that other processes recorded before.
    pub(super) async fn snapshot(
        &self,
        connection: &mut SqliteConnection,
        scope: &Scope,
        filter: &Filter,
        span: Span,
    ) -> Result<Snapshot, QuestionError> {
        self.inner.require_index()?;
        let in_scope = loop {
            // The index first: the log's snapshot, taken after it, holds all that it does.
            let mark: i64 = sqlx::query_scalar("SELECT n FROM i.mark")
                .fetch_one(&mut *connection)
                .await
                .map_err(StoreError::from)?;
            let head: Option<i64> = sqlx::query_scalar("SELECT max(n) FROM leaf")
                .fetch_one(&mut *connection)
                .await
                .map_err(StoreError::from)?;
            if self.inner.know_of_others(mark, head.unwrap_or(0)).await? {
                break (mark, self.shelves_in(connection, scope, filter).await?);
            }
            connection
                .execute("COMMIT")
                .await
                .map_err(StoreError::from)?;
            connection
                .execute("BEGIN")
                .await
                .map_err(StoreError::from)?;
        };
        let (mark, list) = in_scope;
        let mut shelves = Vec::with_capacity(list.len());
        for ws in list {
            let row = sqlx::query(made_of_our_own_texts(format!(
                "SELECT (SELECT sum(events) FROM i.count_outcome WHERE ws = ?1), {SIZES}"
            )))
            .bind(ws)
            .fetch_one(&mut *connection)
            .await
            .map_err(StoreError::from)?;
            let total: Option<i64> = row.try_get(0).map_err(StoreError::from)?;
            let sizes = sizes(&row, 1)?;
            let shared = self
                .inner
                .dictionaries
                .extend(connection, ws, sizes)
                .await?;
            let total = u64::try_from(total.unwrap_or(0)).unwrap_or_default();
            let counts = self.inner.counts_of(connection, ws, total).await?;
            let conditions = conditions(&shared.read(), filter, scope.subject(), span);
            shelves.push(Shelf {
                ws,
                shared,
                counts,
                conditions,
                gather_within: self.inner.gather_within,
            });
        }
        Ok(Snapshot { mark, shelves })
    }

    /// The parts of the log that a scope and the filter `workspace` name.
    async fn shelves_in(
        &self,
        connection: &mut SqliteConnection,
        scope: &Scope,
        filter: &Filter,
    ) -> Result<Vec<i64>, QuestionError> {
        let tenant = match &scope.0 {
            Reach::Workspace(workspace) | Reach::Object(workspace, _) => {
                return if filter.workspace.is_empty() {
                    Ok(vec![workspace.id])
                } else {
                    Err(QuestionError::Parameter {
                        parameter: "workspace",
                        reason: "is a filter of a whole tenant's log; this is one workspace's"
                            .to_owned(),
                    })
                };
            }
            Reach::Tenant(tenant) => tenant,
        };
        let all: Vec<(i64, String)> =
            sqlx::query_as("SELECT id, slug FROM workspace WHERE tenant = ? ORDER BY id")
                .bind(tenant.id)
                .fetch_all(connection)
                .await
                .map_err(StoreError::from)?;
        if filter.workspace.is_empty() {
            return Ok(std::iter::once(-tenant.id)
                .chain(all.into_iter().map(|row| row.0))
                .collect());
        }
        let find = |slug: &Slug| {
            all.iter()
                .find(|(_, known)| known == slug.as_str())
                .map(|(id, _)| *id)
                .ok_or_else(|| QuestionError::Parameter {
                    parameter: "workspace",
                    reason: format!("there is no workspace \"{slug}\" in this tenant"),
                })
        };
        filter.workspace.iter().map(find).collect()
    }
}

impl Inner {
    /// A workspace's dictionary, as far as the connection's snapshot goes.
    pub(crate) async fn dictionary(
        &self,
        connection: &mut SqliteConnection,
        ws: i64,
    ) -> Result<Arc<Shared>, StoreError> {
        let row = sqlx::query(made_of_our_own_texts(format!("SELECT {SIZES}")))
            .bind(ws)
            .fetch_one(&mut *connection)
            .await?;
        self.dictionaries
            .extend(connection, ws, sizes(&row, 0)?)
            .await
    }

    /// What a workspace's log looks like: as it was when it last grew by a fifth.
    async fn counts_of(
        &self,
        connection: &mut SqliteConnection,
        ws: i64,
        total: u64,
    ) -> Result<Arc<Counts>, StoreError> {
        let known = {
            let all = self
                .counts
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            all.get(&ws).cloned()
        };
        if let Some(known) = known
            && total >= known.total
            && total <= known.total + known.total / 5
        {
            return Ok(known);
        }
        let counts = Arc::new(read_counts(connection, ws, total).await?);
        let mut all = self
            .counts
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        all.insert(ws, Arc::clone(&counts));
        Ok(counts)
    }
}

async fn read_counts(
    connection: &mut SqliteConnection,
    ws: i64,
    total: u64,
) -> Result<Counts, StoreError> {
    async fn list(
        connection: &mut SqliteConnection,
        statement: &'static str,
        ws: i64,
    ) -> Result<Vec<u64>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(statement)
            .bind(ws)
            .fetch_all(connection)
            .await?;
        let most = rows
            .last()
            .map_or(0, |(key, _)| usize::try_from(*key).unwrap_or_default());
        let mut counts = vec![0; most + 1];
        for (key, entries) in rows {
            if let Some(count) = usize::try_from(key)
                .ok()
                .and_then(|key| counts.get_mut(key))
            {
                *count = u64::try_from(entries).unwrap_or_default();
            }
        }
        Ok(counts)
    }
    let outcomes = list(
        connection,
        "SELECT key, events FROM i.count_outcome WHERE ws = ? ORDER BY key",
        ws,
    )
    .await?;
    let (first, last): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT (SELECT min(at) FROM i.by_time WHERE ws = ?1), \
             (SELECT max(at) FROM i.by_time WHERE ws = ?1)",
    )
    .bind(ws)
    .fetch_one(&mut *connection)
    .await?;
    Ok(Counts {
        actor: list(
            connection,
            "SELECT key, entries FROM i.count_actor WHERE ws = ? ORDER BY key",
            ws,
        )
        .await?,
        action: list(
            connection,
            "SELECT key, events FROM i.count_action WHERE ws = ? ORDER BY key",
            ws,
        )
        .await?,
        kind: list(
            connection,
            "SELECT key, entries FROM i.count_kind WHERE ws = ? ORDER BY key",
            ws,
        )
        .await?,
        target: list(
            connection,
            "SELECT key, entries FROM i.count_target WHERE ws = ? ORDER BY key",
            ws,
        )
        .await?,
        outcome: [0, 1, 2].map(|at| outcomes.get(at).copied().unwrap_or(0)),
        total,
        first: first.unwrap_or(0),
        last: last.unwrap_or(0),
    })
}

/// What a filter comes to in one workspace.
fn conditions(
    dictionary: &Dictionary,
    filter: &Filter,
    subject: Option<&Subject>,
    span: Span,
) -> Conditions {
    let mut objects = Vec::new();
    if let Some(subject) = subject {
        let targets = dictionary.targets_of(subject);
        objects.push(Object::Targets {
            related: dictionary.related_with(&targets),
            targets,
        });
    }
    if !filter.target_id.is_empty() {
        let targets = dictionary.targets_named(&filter.target_kind, &filter.target_id);
        objects.push(Object::Targets {
            related: dictionary.related_with(&targets),
            targets,
        });
    } else if !filter.target_kind.is_empty() {
        objects.push(Object::Kinds {
            kinds: dictionary.kinds_named(&filter.target_kind),
            related: dictionary.related_of_kinds(&filter.target_kind),
        });
    }
    let mut action = dictionary.actions_named(filter);
    let mut search = filter.q.as_ref().map(|text| {
        let text = text.to_lowercase();
        let targets = dictionary.targets_like(&text);
        SearchSets {
            related: dictionary.related_with(&targets),
            targets,
            actions: dictionary.actions_like(&text),
        }
    });
    // Where a text is a part of nothing but actions, it asks for those.
    if let Some(found) =
        search.take_if(|found| found.targets.is_empty() && found.related.is_empty())
    {
        action = Some(match action {
            None => found.actions,
            Some(named) => named
                .list()
                .iter()
                .copied()
                .filter(|number| found.actions.has(*number))
                .collect(),
        });
    }
    let outcome = |outcome| u32::try_from(outcome_number(outcome)).unwrap_or_default();
    Conditions {
        actor: dictionary.actors_named(filter),
        anyone: filter
            .actor
            .as_ref()
            .map(|text| dictionary.actors_like(&text.to_lowercase())),
        via: (!filter.via_id.is_empty()).then(|| dictionary.carried_out_by(&filter.via_id)),
        action,
        objects,
        search,
        outcome: (!filter.outcome.is_empty())
            .then(|| filter.outcome.iter().copied().map(outcome).collect()),
        operation: filter.operation.clone(),
        since: span.since.map(Timestamp::micros),
        until: span.until.map(Timestamp::micros),
    }
}

impl Shelf {
    /// How a page is read best.
    pub(super) fn plan(&self, sort: Sort, limit: usize) -> Plan {
        let dictionary = self.shared.read();
        let groups = match sort {
            Sort::Time => 0,
            Sort::Actor => dictionary.actors_by_name.len(),
            Sort::Action => dictionary.actions_by_name.len(),
            Sort::TargetKind => dictionary.kinds_by_name.len(),
        };
        self.conditions
            .plan(sort, &self.counts, groups, limit, self.gather_within)
    }
}

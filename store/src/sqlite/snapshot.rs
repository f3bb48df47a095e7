//! One state of the log, to be asked: all that one request is told comes from the same.

use super::{
    Inner, Store,
    conditions::conditions,
    dictionaries::{Shared, extent, extent_of},
    read_transaction::ReadTransaction,
};
use crate::{
    StoreError,
    access::{Reach, Scope},
    database::{self, Connection},
    plan::{Conditions, Counts, Plan},
    question::QuestionError,
};
use domain::{
    event::Event,
    question::{Filter, Sort, Span},
    slug::Slug,
    time::Timestamp,
};
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

/// One state of a scope's log, which everything that is asked of it is answered from. It keeps what
/// was there from being tidied away: end it when all is answered.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) store: Store,
    pub(super) scope: Scope,
    pub(super) transaction: ReadTransaction,
    /// When it was taken.
    pub(super) now: Timestamp,
    /// The last event in it.
    pub(super) mark: i64,
    /// How many batches of events had been removed.
    pub(super) removals: i64,
    pub(super) shelves: Vec<Shelf>,
    /// What was asked last came to this: who asks for a page asks how much there is as well.
    last_asked: Option<(Filter, Span, Arc<[Asked]>)>,
}

/// A workspace's part of a snapshot, or that of the tenant itself.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    pub(super) ws: i64,
    /// Its name in addresses; none of the tenant's own.
    slug: Option<Slug>,
    /// How many events the index has of it.
    pub(super) events: u64,
    pub(super) texts: Arc<Shared>,
    pub(super) counts: Arc<Counts>,
}

/// A question, as it is put to one shelf.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) shelf: Shelf,
    pub(super) conditions: Conditions,
    gather_within: Duration,
}

impl Store {
    /// The log of a scope as it is now, with everything that anybody was told to be recorded.
    ///
    /// # Errors
    ///
    /// The index is being made, or the store failed.
    pub async fn snapshot(&self, scope: &Scope) -> Result<Snapshot, StoreError> {
        let inner = &self.inner;
        let (own, slug) = match scope.workspace() {
            Some(workspace) => (workspace.id, Some(workspace.slug.clone())),
            None => (-scope.tenant().id, None),
        };
        let (mut transaction, beginning) = inner.begin_reading(own).await?;
        let connection = transaction.connection();
        let mut shelves = vec![Shelf {
            ws: own,
            slug,
            events: beginning.events,
            counts: inner.counts_of(connection, own, beginning.events).await?,
            texts: beginning.texts,
        }];
        // One statement for each workspace of the tenant, which reads their sizes, not their events.
        if let Reach::Tenant(tenant) = &scope.0 {
            let workspaces: Vec<(i64, String)> =
                database::query_as("SELECT id, slug FROM workspace WHERE tenant = ? ORDER BY id")
                    .bind(tenant.id)
                    .fetch_all(&mut *connection)
                    .await?;
            for (ws, slug) in workspaces {
                let slug = Some(super::directory::slug(&slug)?);
                shelves.push(inner.shelf(connection, ws, slug).await?);
            }
        }
        Ok(Snapshot {
            store: self.clone(),
            scope: scope.clone(),
            transaction,
            now: self.now(),
            mark: beginning.mark,
            removals: beginning.removals,
            shelves,
            last_asked: None,
        })
    }
}

impl Snapshot {
    /// When it was taken: what "the last 24 hours" are counted from.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Lets go of it.
    pub async fn end(self) {
        self.transaction.end().await;
    }

    /// What the catalogue calls an event's action, in the workspace that the event is of.
    pub fn label(&self, event: &Event) -> String {
        let of_event = |shelf: &&Shelf| shelf.slug == event.workspace;
        match self.shelves.iter().find(of_event) {
            Some(shelf) => {
                let texts = shelf.texts.read();
                let reading = texts.catalogue().reading(event.action.as_str());
                reading.label.into_owned()
            }
            None => event.action.to_string(),
        }
    }

    /// The texts of each part of the log.
    pub(super) fn texts(&self) -> Vec<(i64, Arc<Shared>)> {
        let shelves = self.shelves.iter();
        shelves
            .map(|shelf| (shelf.ws, Arc::clone(&shelf.texts)))
            .collect()
    }

    /// What a filter asks of each part of the log that it names.
    pub(super) fn asked(
        &mut self,
        filter: &Filter,
        span: Span,
    ) -> Result<Arc<[Asked]>, QuestionError> {
        if let Some((known, within, asked)) = &self.last_asked
            && known == filter
            && *within == span
        {
            return Ok(Arc::clone(asked));
        }
        let asked: Arc<[Asked]> = self.ask(filter, span)?.into();
        self.last_asked = Some((filter.clone(), span, Arc::clone(&asked)));
        Ok(asked)
    }

    fn ask(&self, filter: &Filter, span: Span) -> Result<Vec<Asked>, QuestionError> {
        let of_shelf = |shelf: &Shelf| Asked {
            conditions: conditions(&shelf.texts.read(), filter, &self.scope, span),
            shelf: shelf.clone(),
            gather_within: self.store.inner.gather_within,
        };
        if filter.workspace.is_empty() {
            return Ok(self.shelves.iter().map(of_shelf).collect());
        }
        let unfit = |reason: String| QuestionError::Parameter {
            parameter: "workspace",
            reason,
        };
        if self.scope.workspace().is_some() {
            return Err(unfit(
                "is a filter of a whole tenant's log; this is one workspace's".to_owned(),
            ));
        }
        let named = |slug: &Slug| {
            let mut shelves = self.shelves.iter();
            shelves
                .find(|shelf| shelf.slug.as_ref() == Some(slug))
                .map(of_shelf)
                .ok_or_else(|| unfit(format!("there is no workspace \"{slug}\" in this tenant")))
        };
        filter.workspace.iter().map(named).collect()
    }
}

impl Asked {
    /// How a page is read best.
    pub(super) fn plan(&self, sort: Sort, limit: usize) -> Plan {
        let groups = {
            let texts = self.shelf.texts.read();
            match sort {
                Sort::Time => 0,
                Sort::Actor => texts.actors_by_name.len(),
                Sort::Action => texts.actions_by_name.len(),
                Sort::TargetKind => texts.kinds_by_name.len(),
            }
        };
        let counts = &self.shelf.counts;
        self.conditions
            .plan(sort, counts, groups, limit, self.gather_within)
    }
}

impl Inner {
    /// A workspace's part of the connection's snapshot.
    async fn shelf(
        &self,
        connection: &mut Connection,
        ws: i64,
        slug: Option<Slug>,
    ) -> Result<Shelf, StoreError> {
        let row = database::query(concat!(
            "SELECT (SELECT sum(events) FROM i.count_outcome WHERE ws = ?1), ",
            extent_of!()
        ))
        .bind(ws)
        .fetch_one(&mut *connection)
        .await?;
        let events: Option<i64> = row.try_get(0)?;
        let events = u64::try_from(events.unwrap_or(0)).unwrap_or_default();
        let extent = extent(&row, 1)?;
        Ok(Shelf {
            ws,
            slug,
            events,
            texts: self
                .dictionaries
                .extend_and_read(connection, ws, extent)
                .await?,
            counts: self.counts_of(connection, ws, events).await?,
        })
    }

    /// A workspace's dictionary, as far as the connection's snapshot goes.
    pub(crate) async fn dictionary(
        &self,
        connection: &mut Connection,
        ws: i64,
    ) -> Result<Arc<Shared>, StoreError> {
        let row = database::query(concat!("SELECT ", extent_of!()))
            .bind(ws)
            .fetch_one(&mut *connection)
            .await?;
        self.dictionaries
            .extend_and_read(connection, ws, extent(&row, 0)?)
            .await
    }

    /// What a workspace's log looks like: as it was when it last grew or shrank by a fifth.
    async fn counts_of(
        &self,
        connection: &mut Connection,
        ws: i64,
        total: u64,
    ) -> Result<Arc<Counts>, StoreError> {
        let known = {
            let all = self.counts.read().unwrap_or_else(PoisonError::into_inner);
            all.get(&ws).cloned()
        };
        if let Some(known) = known
            && total.abs_diff(known.total) <= known.total / 5
        {
            return Ok(known);
        }
        let counts = Arc::new(read_counts(connection, ws, total).await?);
        let mut all = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(ws, Arc::clone(&counts));
        Ok(counts)
    }
}

async fn read_counts(
    connection: &mut Connection,
    ws: i64,
    total: u64,
) -> Result<Counts, StoreError> {
    /// Two numbers for each key, by key.
    async fn list(
        connection: &mut Connection,
        statement: &'static str,
        ws: i64,
    ) -> Result<(Vec<u64>, Vec<u64>), StoreError> {
        let rows: Vec<(i64, i64, i64)> = database::query_as(statement)
            .bind(ws)
            .fetch_all(connection)
            .await?;
        let most = rows
            .last()
            .map_or(0, |(key, ..)| usize::try_from(*key).unwrap_or_default());
        let mut lists = (vec![0; most + 1], vec![0; most + 1]);
        for (key, entries, events) in rows {
            let key = usize::try_from(key).unwrap_or_default();
            if let (Some(one), Some(other)) = (lists.0.get_mut(key), lists.1.get_mut(key)) {
                *one = u64::try_from(entries).unwrap_or_default();
                *other = u64::try_from(events).unwrap_or_default();
            }
        }
        Ok(lists)
    }
    let (outcomes, _) = list(
        connection,
        "SELECT key, events, events FROM i.count_outcome WHERE ws = ? ORDER BY key",
        ws,
    )
    .await?;
    let (first, last, removals): (Option<i64>, Option<i64>, i64) = database::query_as(
        "SELECT (SELECT at FROM i.by_time WHERE ws = ?1 ORDER BY at LIMIT 1), \
             (SELECT at FROM i.by_time WHERE ws = ?1 ORDER BY at DESC LIMIT 1), \
             (SELECT removals FROM i.mark)",
    )
    .bind(ws)
    .fetch_one(&mut *connection)
    .await?;
    let (actor, own_actor) = list(
        connection,
        "SELECT key, entries, events FROM i.count_actor WHERE ws = ? ORDER BY key",
        ws,
    )
    .await?;
    let (action, _) = list(
        connection,
        "SELECT key, events, events FROM i.count_action WHERE ws = ? ORDER BY key",
        ws,
    )
    .await?;
    let (kind, own_kind) = list(
        connection,
        "SELECT key, entries, events FROM i.count_kind WHERE ws = ? ORDER BY key",
        ws,
    )
    .await?;
    let (target, own_target) = list(
        connection,
        "SELECT key, entries, events FROM i.count_target WHERE ws = ? ORDER BY key",
        ws,
    )
    .await?;
    Ok(Counts {
        actor,
        action,
        kind,
        target,
        own_actor,
        own_kind,
        own_target,
        outcome: [0, 1, 2].map(|at| outcomes.get(at).copied().unwrap_or(0)),
        total,
        first: first.unwrap_or(0),
        last: last.unwrap_or(0),
        removals,
    })
}

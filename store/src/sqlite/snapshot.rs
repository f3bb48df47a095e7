//! One state of the log, to be asked: all that one request is told comes from the same.

use super::{
    Inner, Store,
    change::Log,
    conditions::conditions,
    dictionaries::{Shared, read_extent},
    find::{Search, Within},
    read_transaction::{self, Beginning, ReadTransaction, count_of},
    tail::{LogTail, View},
};
use crate::{
    StoreError,
    access::{Reach, Scope},
    cursor::Place,
    database::{self, Connection, Dialect, Sql},
    dictionary::Dictionary,
    plan::{Conditions, Costs, Counts, Plan},
    postgres::replica::{Reader, Replica},
    question::QuestionError,
};
use domain::{
    event::Event,
    question::{Filter, Order, Sort, Span},
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
    /// For whom it was taken.
    reader: Reader,
    pub(super) transaction: ReadTransaction,
    /// When it was taken.
    pub(super) now: Timestamp,
    /// The last event in it.
    pub(super) head: i64,
    /// How many batches of events had been removed.
    pub(super) removals: i64,
    pub(super) shelves: Vec<Shelf>,
    /// What was asked last came to this: who asks for a page asks how much there is as well.
    last_asked: Option<(Filter, Span, Arc<[Asked]>)>,
}

/// A workspace's part of a snapshot, or that of the tenant itself.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    pub(super) log: Log,
    /// Its name in addresses; none of the tenant's own.
    pub(super) slug: Option<Slug>,
    /// How many events it has.
    pub(super) events: u64,
    /// Those beyond the index's mark.
    pub(super) tail: LogTail,
    pub(super) texts: Arc<Shared>,
    pub(super) counts: Arc<Counts>,
    /// On PostgreSQL, the classes that it has contents in.
    classes: Arc<[i64]>,
}

impl Shelf {
    /// On PostgreSQL, the classes that it has contents in.
    pub(super) fn classes(&self) -> &[i64] {
        &self.classes
    }

    /// Where its events are looked for.
    pub(super) fn within(&self, connection: &Connection) -> Within<'_> {
        Within {
            log: self.log,
            dialect: connection.dialect(),
            classes: &self.classes,
            tail: &self.tail,
        }
    }
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
        self.snapshot_for(Reader::Page, read_transaction::Asked::Either, scope)
            .await
    }

    /// The same, for somebody who reads, of who is asked.
    pub(super) async fn snapshot_for(
        &self,
        reader: Reader,
        asked: read_transaction::Asked,
        scope: &Scope,
    ) -> Result<Snapshot, StoreError> {
        let inner = &self.inner;
        let own = match scope.workspace() {
            Some(workspace) => Log::from(workspace),
            None => Log::from(scope.tenant()),
        };
        let (transaction, beginning) = inner.begin_reading(reader, asked, own).await?;
        let is_of_replica = transaction.is_of_replica();
        let snapshot = self.taken(reader, scope, transaction, beginning).await;
        if !is_of_replica {
            return snapshot;
        }
        match snapshot {
            Ok(snapshot) if inner.is_sound(&snapshot.transaction) => return Ok(snapshot),
            Ok(_) => {}
            Err(error) => tracing::debug!("the read replica did not answer: {error}"),
        }
        Replica::failed();
        let asked = read_transaction::Asked::Primary;
        let (transaction, beginning) = inner.begin_reading(reader, asked, own).await?;
        self.taken(reader, scope, transaction, beginning).await
    }

    /// A snapshot in a transaction that was begun.
    async fn taken(
        &self,
        reader: Reader,
        scope: &Scope,
        mut transaction: ReadTransaction,
        beginning: Beginning,
    ) -> Result<Snapshot, StoreError> {
        let inner = &self.inner;
        let (own, slug) = match scope.workspace() {
            Some(workspace) => (Log::from(workspace), Some(workspace.slug.clone())),
            None => (Log::from(scope.tenant()), None),
        };
        let connection = transaction.connection();
        let tail = beginning.tail.of(own.ws);
        let mut shelves = vec![Shelf {
            log: own,
            slug,
            events: beginning.events + tail.len(),
            tail,
            counts: inner.counts_of(connection, own, beginning.events).await?,
            texts: beginning.texts,
            classes: classes(connection, own).await?,
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
                let log = Log { ws, ..own };
                let shelf = inner.shelf(connection, log, slug, &beginning.tail);
                shelves.push(shelf.await?);
            }
        }
        Ok(Snapshot {
            store: self.clone(),
            scope: scope.clone(),
            reader,
            transaction,
            now: self.now(),
            head: beginning.head,
            removals: beginning.removals,
            shelves,
            last_asked: None,
        })
    }
}

/// A workspace is asked for that the tenant does not have.
pub(super) fn no_such_workspace(slug: &Slug) -> QuestionError {
    QuestionError::Parameter {
        parameter: "workspace",
        reason: format!("there is no workspace \"{slug}\" in this tenant"),
    }
}

/// A workspace is asked for where there is but one.
pub(super) fn is_of_one_workspace() -> QuestionError {
    QuestionError::Parameter {
        parameter: "workspace",
        reason: "is a filter of a whole tenant's log; this is one workspace's".to_owned(),
    }
}

impl Snapshot {
    /// When it was taken: what "the last 24 hours" are counted from.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What was asked of it failed. Where it is a replica's, another one takes its place, of the database
    /// itself, and all is to be asked again of that: true. A replica may break a question off at any time,
    /// and that is nobody's concern who asked.
    ///
    /// # Errors
    ///
    /// The database fails too.
    pub async fn begin_again(&mut self) -> Result<bool, StoreError> {
        if !self.transaction.is_of_replica() {
            return Ok(false);
        }
        Replica::failed();
        let asked = read_transaction::Asked::Primary;
        let again = self.store.snapshot_for(self.reader, asked, &self.scope);
        *self = again.await?;
        Ok(true)
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
            .map(|shelf| (shelf.log.ws, Arc::clone(&shelf.texts)))
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
        if self.scope.workspace().is_some() {
            return Err(is_of_one_workspace());
        }
        let named = |slug: &Slug| {
            let mut shelves = self.shelves.iter();
            shelves
                .find(|shelf| shelf.slug.as_ref() == Some(slug))
                .map(of_shelf)
                .ok_or_else(|| no_such_workspace(slug))
        };
        filter.workspace.iter().map(named).collect()
    }
}

/// Which places are looked for.
#[derive(Clone, Copy)]
pub(super) struct Sought<'a> {
    pub(super) sort: Sort,
    /// In which direction.
    pub(super) direction: Order,
    /// Strictly after this, in that direction.
    pub(super) after: Option<&'a Place>,
    /// Up to this number.
    pub(super) up_to: i64,
    /// So many at most.
    pub(super) limit: usize,
}

impl Asked {
    /// The places of the first events that match, read in the way that is best.
    pub(super) async fn places(
        &self,
        connection: &mut Connection,
        sought: Sought<'_>,
    ) -> Result<Vec<Place>, StoreError> {
        let shelf = &self.shelf;
        let search = Search {
            within: shelf.within(connection),
            conditions: &self.conditions,
            of_tail: &self.conditions,
            sort: sought.sort,
            direction: sought.direction,
            after: sought.after,
            up_to: sought.up_to,
            limit: sought.limit,
        };
        let narrowed = search
            .narrowed_by_pairs(connection, &shelf.counts, self.gather_within)
            .await?;
        let conditions = narrowed.as_ref().unwrap_or(&self.conditions);
        let plan = self.plan(conditions, sought.sort, sought.limit);
        tracing::debug!(ws = shelf.log.ws, %plan, "places");
        let with = |use_it: &mut dyn FnMut(&Dictionary)| use_it(&shelf.texts.read());
        let search = Search {
            conditions,
            ..search
        };
        search.run(connection, plan, with, &shelf.counts).await
    }

    /// How a page is read best.
    fn plan(&self, conditions: &Conditions, sort: Sort, limit: usize) -> Plan {
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
        conditions.plan(sort, counts, groups, limit, self.gather_within)
    }
}

impl Inner {
    /// A workspace's part of the connection's snapshot.
    async fn shelf(
        &self,
        connection: &mut Connection,
        log: Log,
        slug: Option<Slug>,
        tail: &View,
    ) -> Result<Shelf, StoreError> {
        let events = count_of(connection, log).await?;
        let tail = tail.of(log.ws);
        let extent = read_extent(connection, log).await?;
        Ok(Shelf {
            log,
            slug,
            events: events + tail.len(),
            tail,
            texts: self
                .dictionaries_of(connection)
                .extend_and_read(connection, log, extent)
                .await?,
            counts: self.counts_of(connection, log, events).await?,
            classes: classes(connection, log).await?,
        })
    }

    /// A workspace's dictionary, as far as the connection's snapshot goes.
    pub(crate) async fn dictionary(
        &self,
        connection: &mut Connection,
        log: Log,
    ) -> Result<Arc<Shared>, StoreError> {
        let extent = read_extent(connection, log).await?;
        self.dictionaries_of(connection)
            .extend_and_read(connection, log, extent)
            .await
    }

    /// What a workspace's log looks like: as it was when it last grew or shrank by a fifth.
    async fn counts_of(
        &self,
        connection: &mut Connection,
        log: Log,
        total: u64,
    ) -> Result<Arc<Counts>, StoreError> {
        let ws = log.ws;
        let known = {
            let all = self.counts.read().unwrap_or_else(PoisonError::into_inner);
            all.get(&ws).cloned()
        };
        if let Some(known) = known
            && total.abs_diff(known.total) <= known.total / 5
        {
            return Ok(known);
        }
        let counts = Arc::new(read_counts(connection, log, total).await?);
        let mut all = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(ws, Arc::clone(&counts));
        Ok(counts)
    }
}

/// The classes that a log has contents in.
async fn classes(connection: &mut Connection, log: Log) -> Result<Arc<[i64]>, StoreError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(Arc::default());
    }
    let classes: Vec<i64> = database::query_scalar(
        "SELECT class FROM log_class WHERE tenant = ? AND ws = ? ORDER BY class",
    )
    .bind(log.tenant)
    .bind(log.ws)
    .fetch_all(connection)
    .await?;
    Ok(classes.into())
}

/// Reads how many there are of what; see the tables `count_…` of the index, and `tally` on PostgreSQL.
async fn read_counts(
    connection: &mut Connection,
    log: Log,
    total: u64,
) -> Result<Counts, StoreError> {
    /// Two numbers for each key, by key.
    async fn list(
        connection: &mut Connection,
        (table, what): (&'static str, i64),
        log: Log,
    ) -> Result<(Vec<u64>, Vec<u64>), StoreError> {
        let mut sql = Sql::default();
        match connection.dialect() {
            Dialect::Sqlite => sql.add(table).with(" WHERE ws = ?", log.ws),
            Dialect::Postgres => sql
                .add("SELECT key, entries, events FROM tallied")
                .with(" WHERE tenant = ?", log.tenant)
                .with(" AND ws = ?", log.ws)
                .with(" AND what = ?", what),
        };
        sql.add(" ORDER BY key");
        let rows = sql.untold().fetch_all(connection).await?;
        let key_of = |row: &database::Row| row.try_get::<u32>(0).map(|key| key as usize);
        let most = rows.last().map(key_of).transpose()?.unwrap_or(0);
        let mut lists = (vec![0; most + 1], vec![0; most + 1]);
        for row in &rows {
            let key = key_of(row)?;
            if let (Some(one), Some(other)) = (lists.0.get_mut(key), lists.1.get_mut(key)) {
                *one = row.try_get::<u64>(1)?;
                *other = row.try_get::<u64>(2)?;
            }
        }
        Ok(lists)
    }
    const OUTCOME: (&str, i64) = ("SELECT key, events, events FROM i.count_outcome", 5);
    const ACTOR: (&str, i64) = ("SELECT key, entries, events FROM i.count_actor", 1);
    const ACTION: (&str, i64) = ("SELECT key, events, events FROM i.count_action", 2);
    const KIND: (&str, i64) = ("SELECT key, entries, events FROM i.count_kind", 3);
    const TARGET: (&str, i64) = ("SELECT key, entries, events FROM i.count_target", 4);
    let (outcomes, _) = list(connection, OUTCOME, log).await?;
    let (first, last, removals): (Option<i64>, Option<i64>, i64) = match connection.dialect() {
        Dialect::Sqlite => {
            database::query_as(
                "SELECT (SELECT at FROM i.by_time WHERE ws = ?1 ORDER BY at LIMIT 1), \
                     (SELECT at FROM i.by_time WHERE ws = ?1 ORDER BY at DESC LIMIT 1), \
                     (SELECT removals FROM i.mark)",
            )
            .bind(log.ws)
            .fetch_one(&mut *connection)
            .await?
        }
        Dialect::Postgres => {
            database::query_as(
                "SELECT (SELECT min(at) FROM content WHERE tenant = ?1 AND ws = ?2), \
                     (SELECT max(at) FROM content WHERE tenant = ?1 AND ws = ?2), \
                     (SELECT removals FROM tenant_head WHERE tenant = ?1)",
            )
            .bind(log.tenant)
            .bind(log.ws)
            .fetch_one(&mut *connection)
            .await?
        }
    };
    let costs = match connection.dialect() {
        Dialect::Sqlite => Costs::SQLITE,
        Dialect::Postgres => Costs::POSTGRES,
    };
    let (actor, own_actor) = list(connection, ACTOR, log).await?;
    let (action, _) = list(connection, ACTION, log).await?;
    let (kind, own_kind) = list(connection, KIND, log).await?;
    let (target, own_target) = list(connection, TARGET, log).await?;
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
        costs,
    })
}

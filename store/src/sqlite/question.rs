//! Answering questions: who may see what, which snapshot, which page of it.

use super::{
    Inner, Store,
    append::outcome_number,
    dictionaries::{SIZES, Shared, sizes},
    find::{Search, from, tests},
    sql::{Sql, made_of_our_own_texts},
};
use crate::{
    StoreError,
    access::{Reach, Scope},
    cursor::{Cursor, Heading, Place},
    dictionary::Dictionary,
    plan::{Conditions, Counts, Object, Plan, Search as SearchSets},
    question::{Count, Page, QuestionError},
};
use domain::{
    event::{Event, EventId},
    question::{Filter, Order, Query, Sort, Span, Subject},
    slug::Slug,
    time::Timestamp,
};
use sqlx::{Executor, Row, SqliteConnection};
use std::{cmp::Ordering, sync::Arc};

/// Counting stops here.
const COUNT_MOST: u64 = 10_000;
/// And reads no more entries than this for it.
const COUNT_READS: i64 = 40_000;

/// A workspace in a question, as its snapshot has it.
struct Shelf {
    ws: i64,
    shared: Arc<Shared>,
    counts: Arc<Counts>,
    conditions: Conditions,
}

/// What a question is asked of: one state of the log, and the parts of it that are in scope.
struct Snapshot {
    mark: i64,
    shelves: Vec<Shelf>,
}

impl Store {
    /// One page of the answer to a question.
    ///
    /// # Errors
    ///
    /// The cursor is not this question's, a filter names what the scope does not have, or the store
    /// failed.
    pub async fn page(&self, scope: &Scope, query: &Query) -> Result<Page, QuestionError> {
        let question = question_text(scope, query);
        let cursor = match &query.cursor {
            None => None,
            Some(text) => Some(
                Cursor::open(text, &self.inner.keys.cursor, &question)
                    .ok_or(QuestionError::Cursor)?,
            ),
        };
        let walk_began = cursor
            .as_ref()
            .map_or_else(|| self.now(), |cursor| cursor.walk_began);
        let span = query.filter.span(walk_began);
        let mut connection = self
            .inner
            .readers
            .acquire()
            .await
            .map_err(StoreError::from)?;
        connection
            .execute("BEGIN")
            .await
            .map_err(StoreError::from)?;
        let answer = self
            .page_of_snapshot(
                &mut connection,
                scope,
                query,
                cursor,
                walk_began,
                span,
                &question,
            )
            .await;
        // A reader's transaction ends without a trace.
        let _ = connection.execute("COMMIT").await;
        answer
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one caller, which has just made them"
    )]
    async fn page_of_snapshot(
        &self,
        connection: &mut SqliteConnection,
        scope: &Scope,
        query: &Query,
        cursor: Option<Cursor>,
        walk_began: Timestamp,
        span: Span,
        question: &str,
    ) -> Result<Page, QuestionError> {
        let snapshot = self
            .snapshot(connection, scope, &query.filter, span)
            .await?;
        let up_to = cursor.as_ref().map_or(snapshot.mark, |cursor| cursor.up_to);
        let heading = cursor
            .as_ref()
            .map_or(Heading::Older, |cursor| cursor.heading);
        let direction = match heading {
            Heading::Older => query.direction(),
            Heading::Newer => query.direction().reversed(),
        };
        let limit = query.page_size();
        let mut found: Vec<(Place, usize)> = Vec::new();
        for (at, shelf) in snapshot.shelves.iter().enumerate() {
            let search = Search {
                ws: shelf.ws,
                conditions: &shelf.conditions,
                sort: query.sort,
                direction,
                after: cursor.as_ref().map(|cursor| &cursor.place),
                up_to,
                limit: limit + 1,
            };
            let plan = shelf.plan(query.sort, limit);
            tracing::debug!(ws = shelf.ws, %plan, "a page");
            let with = |use_it: &mut dyn FnMut(&Dictionary)| use_it(&shelf.shared.read());
            let places = search.run(connection, plan, with, &shelf.counts).await?;
            found.extend(places.into_iter().map(|place| (place, at)));
        }
        found.sort_by(|(one, _), (other, _)| {
            let ascending = (&one.text, one.at, one.n).cmp(&(&other.text, other.at, other.n));
            if direction == Order::Ascending {
                ascending
            } else {
                ascending.reverse()
            }
        });
        let more = found.len() > limit;
        found.truncate(limit);
        if heading == Heading::Newer {
            found.reverse();
        }
        let seal = |heading, place: &Place| {
            let cursor = Cursor {
                heading,
                up_to,
                walk_began,
                place: place.clone(),
            };
            cursor.seal(&self.inner.keys.cursor, question)
        };
        let first = found.first().map(|(place, _)| place);
        let last = found.last().map(|(place, _)| place);
        let (older, newer) = match (&cursor, heading) {
            (None, _) => (
                last.filter(|_| more)
                    .map(|place| seal(Heading::Older, place)),
                None,
            ),
            // A page beyond which nothing is left still leads back to where it was reached from.
            (Some(from), Heading::Older) => (
                last.filter(|_| more)
                    .map(|place| seal(Heading::Older, place)),
                Some(seal(Heading::Newer, first.unwrap_or(&from.place))),
            ),
            (Some(from), Heading::Newer) => (
                Some(seal(Heading::Older, last.unwrap_or(&from.place))),
                first
                    .filter(|_| more)
                    .map(|place| seal(Heading::Newer, place)),
            ),
        };
        let numbers: Vec<i64> = found.iter().map(|(place, _)| place.n).collect();
        let shelves: Vec<_> = snapshot
            .shelves
            .iter()
            .map(|shelf| (shelf.ws, Arc::clone(&shelf.shared)))
            .collect();
        let events = self
            .inner
            .events(connection, scope.tenant(), &shelves, &numbers)
            .await?;
        Ok(Page {
            events,
            older,
            newer,
            searched_to: None,
            span,
        })
    }

    /// Takes the snapshot that a question is answered from: the open transaction's, in which the
    /// index holds everything that other processes recorded before.
    async fn snapshot(
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

    /// One event, if the scope holds it.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn event(&self, scope: &Scope, id: EventId) -> Result<Option<Event>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let row: Option<(i64, i64)> =
            sqlx::query_as("SELECT n, ws FROM leaf WHERE id = ? AND tenant = ?")
                .bind(&id.0.as_bytes()[..])
                .bind(scope.tenant().id)
                .fetch_optional(&mut *connection)
                .await?;
        let Some((n, ws)) = row else { return Ok(None) };
        if scope
            .workspace()
            .is_some_and(|workspace| workspace.id != ws)
        {
            return Ok(None);
        }
        let shared = self.inner.dictionary(&mut connection, ws).await?;
        let events = self
            .inner
            .events(&mut connection, scope.tenant(), &[(ws, shared)], &[n])
            .await?;
        Ok(events.into_iter().next().filter(|event| {
            scope.subject().is_none_or(|subject| {
                std::iter::once(&event.target)
                    .chain(&event.related)
                    .any(|object| subject.is(object))
            })
        }))
    }

    /// How many events match, where that is cheap to know.
    ///
    /// # Errors
    ///
    /// A filter names what the scope does not have, or the store failed.
    pub async fn count(&self, scope: &Scope, query: &Query) -> Result<Count, QuestionError> {
        let span = query.filter.span(self.now());
        let mut connection = self
            .inner
            .readers
            .acquire()
            .await
            .map_err(StoreError::from)?;
        connection
            .execute("BEGIN")
            .await
            .map_err(StoreError::from)?;
        let answer = self
            .count_of_snapshot(&mut connection, scope, query, span)
            .await;
        let _ = connection.execute("COMMIT").await;
        answer
    }

    async fn count_of_snapshot(
        &self,
        connection: &mut SqliteConnection,
        scope: &Scope,
        query: &Query,
        span: Span,
    ) -> Result<Count, QuestionError> {
        let snapshot = self
            .snapshot(connection, scope, &query.filter, span)
            .await?;
        let mut sum = 0;
        for shelf in &snapshot.shelves {
            match shelf.count(connection, snapshot.mark).await? {
                Count::Exactly(count) => sum += count,
                other => return Ok(other),
            }
        }
        Ok(Count::Exactly(sum))
    }
}

/// What a cursor is bound to: whose it is, and the question without its page.
fn question_text(scope: &Scope, query: &Query) -> String {
    let whose = match &scope.0 {
        Reach::Tenant(tenant) => format!("tenant {}", tenant.id),
        Reach::Workspace(workspace) => format!("workspace {}", workspace.id),
        Reach::Object(workspace, subject) => {
            format!("object {} {} {:?}", workspace.id, subject.kind, subject.id)
        }
    };
    let question = Query {
        limit: None,
        cursor: None,
        ..query.clone()
    };
    format!("{whose}\n{}", question.query_string())
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
        let targets = dictionary.targets_named(&filter.target_kind, &[]);
        objects.push(Object::Kinds {
            kinds: dictionary.kinds_named(&filter.target_kind),
            related: dictionary.related_with(&targets),
        });
    }
    let search = filter.q.as_ref().map(|text| {
        let text = text.to_lowercase();
        let targets = dictionary.targets_like(&text);
        SearchSets {
            related: dictionary.related_with(&targets),
            targets,
            actions: dictionary.actions_like(&text),
        }
    });
    let outcome = |outcome| u32::try_from(outcome_number(outcome)).unwrap_or_default();
    Conditions {
        actor: dictionary.actors_named(filter),
        anyone: filter
            .actor
            .as_ref()
            .map(|text| dictionary.actors_like(&text.to_lowercase())),
        via: (!filter.via_id.is_empty()).then(|| dictionary.carried_out_by(&filter.via_id)),
        action: dictionary.actions_named(filter),
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
    fn plan(&self, sort: Sort, limit: usize) -> Plan {
        let dictionary = self.shared.read();
        let groups = match sort {
            Sort::Time => 0,
            Sort::Actor => dictionary.actors_by_name.len(),
            Sort::Action => dictionary.actions_by_name.len(),
            Sort::TargetKind => dictionary.kinds_by_name.len(),
        };
        self.conditions.plan(sort, &self.counts, groups, limit)
    }

    /// Counts what matches: from kept counts where they tell, else by reading a bounded number of
    /// entries.
    async fn count(
        &self,
        connection: &mut SqliteConnection,
        mark: i64,
    ) -> Result<Count, StoreError> {
        let conditions = &self.conditions;
        if *conditions == Conditions::default() {
            return Ok(Count::Exactly(
                self.kept("count_outcome", None, connection).await?,
            ));
        }
        let by_action = Conditions {
            action: conditions.action.clone(),
            ..Conditions::default()
        };
        if let Some(actions) = &conditions.action
            && *conditions == by_action
        {
            let count = self.kept("count_action", Some(actions), connection).await?;
            return Ok(Count::Exactly(count));
        }
        let by_actor = Conditions {
            actor: conditions.actor.clone(),
            ..Conditions::default()
        };
        if let Some(actors) = &conditions.actor
            && *conditions == by_actor
        {
            let count = self.kept("count_actor", Some(actors), connection).await?;
            return Ok(Count::Exactly(count));
        }
        let arms = match conditions.plan(Sort::Actor, &self.counts, usize::MAX, 10_000) {
            Plan::Nothing => return Ok(Count::Exactly(0)),
            Plan::Gather(arms) | Plan::InOrder(arms) => arms,
            Plan::Walk { .. } => return Ok(Count::Unknown),
        };
        let mut sql = Sql::default();
        // So many entries of the way in are looked at, and those that match counted, each event
        // once.
        sql.add("SELECT count(*), count(DISTINCT iif(hit, n, NULL)) FROM (");
        for (at, arm) in arms.iter().enumerate() {
            if at > 0 {
                sql.add(" UNION ALL ");
            }
            sql.add("SELECT * FROM (SELECT x.n, (1");
            tests(&mut sql, conditions);
            sql.add(") AS hit FROM ");
            from(&mut sql, arm, self.ws);
            if let Some(since) = conditions.since {
                sql.with(" AND x.at >= ?", since);
            }
            if let Some(until) = conditions.until {
                sql.with(" AND x.at <= ?", until);
            }
            sql.with(" AND x.n <= ?", mark);
            sql.with(" LIMIT ?)", COUNT_READS);
        }
        sql.add(")");
        let row = sql.query().fetch_one(connection).await?;
        let read: i64 = row.try_get(0)?;
        let matched = u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default();
        Ok(match (read < COUNT_READS, matched.cmp(&COUNT_MOST)) {
            (true, _) => Count::Exactly(matched),
            (false, Ordering::Greater) => Count::MoreThan(COUNT_MOST),
            (false, _) => Count::Unknown,
        })
    }

    async fn kept(
        &self,
        table: &'static str,
        keys: Option<&crate::plan::Numbers>,
        connection: &mut SqliteConnection,
    ) -> Result<u64, StoreError> {
        let mut sql = Sql::default();
        sql.add("SELECT coalesce(sum(events), 0) FROM i.")
            .add(table);
        sql.with(" WHERE ws = ?", self.ws);
        if let Some(keys) = keys {
            let list: Vec<String> = keys.list().iter().map(ToString::to_string).collect();
            let list = super::sql::Value::Text(format!("[{}]", list.join(",")));
            sql.with(" AND key IN (SELECT value FROM json_each(?))", list);
        }
        let row = sql.query().fetch_one(connection).await?;
        Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default())
    }
}

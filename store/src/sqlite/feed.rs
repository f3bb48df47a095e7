//! Following a log: what arrived after a number, read from the log itself, which has it as soon as it
//! is committed; the index is neither read nor waited for.
//!
//! The leaves of a tenant are gone through in their order. One answer looks at so many numbers at
//! most, whether a filter leaves any of them or not, and says how far it came. A workspace's feed goes
//! through the numbers of the whole tenant too: what others recorded between two of its own events is
//! passed by in the index of numbers, within the same bound.

use super::{
    Store,
    arrivals::Waiter,
    change::Log,
    conditions::conditions,
    dictionaries::{Shared, damaged},
    object::LOOK,
    question::cursor_of,
    read_transaction::{Asked, ReadTransaction},
    snapshot::{Snapshot, is_of_one_workspace, no_such_workspace},
};
use crate::{
    StoreError,
    access::Scope,
    administration::By,
    database::{self, Connection, Dialect, Row, Sql},
    feed::{Feed, News},
    plan::{self, Conditions},
    postgres::replica::Replica,
    question::QuestionError,
};
use domain::{
    question::{FeedQuery, Filter, Query, Span},
    slug::Slug,
};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};
use tokio::time::Instant;

/// So many numbers are looked at for one answer at most.
const LOOKED_AT: u64 = 10_000;
/// So many are read together at first, where a filter leaves out some; then twice as many each time.
const STEP: u64 = 500;
/// And so many at most.
const STEP_MOST: u64 = 4_000;

/// What a look at the log found.
struct Found {
    /// In which it was found, and its texts can be read.
    transaction: ReadTransaction,
    /// The events, by their numbers in the installation.
    numbers: Vec<i64>,
    /// The texts of the parts of the log that they lie in.
    texts: Vec<(i64, Arc<Shared>)>,
    /// After which number it looked, and up to which.
    after: u64,
    next: u64,
    is_all: bool,
    /// The last number of the tenant's log.
    head: u64,
}

/// What one look is for.
struct Look<'a> {
    scope: &'a Scope,
    asked: &'a FeedQuery,
    after: u64,
    /// Whose own looks at the log are passed by.
    reader: Option<&'a By>,
}

/// One part of the log, and what is asked of it.
struct Part {
    texts: Arc<Shared>,
    conditions: Conditions,
}

impl Store {
    /// What arrived after a number, in the order of arrival. Where nothing did, it is waited for.
    ///
    /// # Errors
    ///
    /// A filter names what the scope does not have, or the store failed.
    pub async fn feed(&self, scope: &Scope, asked: &FeedQuery) -> Result<Feed, QuestionError> {
        let mut found = self.found(scope, asked, None).await?;
        let events = loop {
            let is_of_replica = found.transaction.is_of_replica();
            let connection = found.transaction.connection();
            let events = self.inner.events(
                connection,
                scope.tenant(),
                &found.texts,
                &found.numbers,
                None,
            );
            match events.await {
                Err(error) if is_of_replica => {
                    tracing::debug!("the read replica did not answer: {error}");
                    Replica::failed();
                    let look = Look {
                        scope,
                        asked,
                        after: found.after,
                        reader: None,
                    };
                    found = self.look_by(Asked::Primary, &look).await?;
                }
                events => break events?,
            }
        };
        let feed = Feed {
            events,
            next: found.next,
            is_all: found.is_all,
        };
        found.transaction.end().await;
        let events = u64::try_from(feed.events.len()).unwrap_or_default();
        metrics::counter!("daybook_feed_events_total").increment(events);
        Ok(feed)
    }

    /// How much arrived after a number, as [`Self::feed`] would give it; that the reader looked at
    /// the log is no news to them.
    ///
    /// # Errors
    ///
    /// A filter names what the scope does not have, or the store failed.
    pub async fn news(
        &self,
        scope: &Scope,
        asked: &FeedQuery,
        reader: &By,
    ) -> Result<News, QuestionError> {
        let found = self.found(scope, asked, Some(reader)).await?;
        let news = News {
            entries: u64::try_from(found.numbers.len()).unwrap_or_default(),
            next: found.next,
        };
        found.transaction.end().await;
        Ok(news)
    }

    /// Looks, and where nothing is found waits for what arrives.
    async fn found(
        &self,
        scope: &Scope,
        asked: &FeedQuery,
        reader: Option<&By>,
    ) -> Result<Found, QuestionError> {
        let mut look = Look {
            scope,
            asked,
            after: asked.after,
            reader,
        };
        if asked.wait.is_none() {
            return self.look(&look).await;
        }
        let until = Instant::now() + asked.wait.duration();
        // Told of what arrives from before the first look on: nothing comes between the two.
        let mut waiter = self.inner.arrivals.waiter(&scope.0);
        let mut found = self.look(&look).await?;
        let mut looked_at = found.next.saturating_sub(look.after);
        let mut is_first = true;
        loop {
            if !found.numbers.is_empty() || !found.is_all || looked_at >= LOOKED_AT {
                return Ok(found);
            }
            // Whoever waits holds no connection.
            found.transaction.end().await;
            waiter.saw(found.head);
            look.after = found.next;
            let waited = tokio::time::timeout_at(until, wait(&mut waiter, is_first));
            is_first = false;
            let goes_on = matches!(waited.await, Ok(true));
            {
                let _turn = waiter.turn().await;
                found = self.look(&look).await?;
            }
            if !goes_on {
                return Ok(found);
            }
            looked_at += found.next.saturating_sub(look.after);
        }
    }

    async fn look(&self, look: &Look<'_>) -> Result<Found, QuestionError> {
        self.look_by(Asked::Either, look).await
    }

    async fn look_by(&self, asked: Asked, look: &Look<'_>) -> Result<Found, QuestionError> {
        let inner = &self.inner;
        let tenant = look.scope.tenant().id;
        let (mut transaction, mut head) = inner.begin_following(asked, tenant, look.after).await?;
        let to = head.max(look.after);
        let mut found = self.look_in(transaction.connection(), look, to).await;
        let has_failed = matches!(found, Err(QuestionError::Store(_)));
        if transaction.is_of_replica() && (has_failed || !inner.is_sound(&transaction)) {
            Replica::failed();
            let again = inner.begin_following(Asked::Primary, tenant, look.after);
            (transaction, head) = again.await?;
            let to = head.max(look.after);
            found = self.look_in(transaction.connection(), look, to).await;
        }
        match found {
            Ok((numbers, texts, next)) => Ok(Found {
                transaction,
                numbers,
                texts,
                after: look.after,
                next,
                is_all: next >= head,
                head,
            }),
            Err(error) => {
                transaction.end().await;
                Err(error)
            }
        }
    }

    /// The events that are found up to `head`, the texts that they need, and the last number that
    /// was looked at.
    async fn look_in(
        &self,
        connection: &mut Connection,
        look: &Look<'_>,
        head: u64,
    ) -> Result<(Vec<i64>, Vec<(i64, Arc<Shared>)>, u64), QuestionError> {
        let asked = look.asked;
        let span = asked.filter.span(self.now());
        let places = places(connection, look.scope, &asked.filter).await?;
        let mut parts: HashMap<i64, Part> = HashMap::new();
        let is_filtered = look.scope.subject().is_some()
            || look.scope.myself().is_some()
            || !Filter {
                workspace: Vec::new(),
                ..asked.filter.clone()
            }
            .is_empty();
        if is_filtered && let Some([place]) = places.as_deref() {
            let part = self.part(connection, look, span, *place).await?;
            // What nothing in the workspace's log can be yet needs no reading.
            let is_found_nowhere = part.conditions.is_contradiction();
            parts.insert(*place, part);
            if is_found_nowhere {
                return Ok((Vec::new(), texts(parts), head));
            }
        }
        let end = head.min(look.after.saturating_add(LOOKED_AT));
        let most = asked.most();
        let mut numbers = Vec::new();
        let mut next = look.after;
        let mut step = STEP;
        while next < end && numbers.len() < most {
            let (to, limit) = if is_filtered {
                (end.min(next.saturating_add(step)), None)
            } else {
                (end, Some(most - numbers.len()))
            };
            step = (step * 2).min(STEP_MOST);
            let tenant = look.scope.tenant().id;
            let rows = read(connection, tenant, places.as_deref(), (next, to), limit).await?;
            for row in &rows {
                let ws: i64 = row.try_get(WS).map_err(StoreError::from)?;
                if let Entry::Vacant(place) = parts.entry(ws) {
                    place.insert(self.part(connection, look, span, ws).await?);
                }
            }
            // Where a limit was reached, there may be more up to `to`.
            let is_cut = limit.is_some_and(|limit| rows.len() == limit);
            let mut last = if is_cut { next } else { to };
            for row in &rows {
                let seq: u64 = row.try_get(SEQ).map_err(StoreError::from)?;
                if is_cut {
                    last = seq;
                }
                let ws: i64 = row.try_get(WS).map_err(StoreError::from)?;
                let Some(part) = parts.get(&ws) else { continue };
                if part.asks_for(row, look.reader)? {
                    numbers.push(row.try_get(N).map_err(StoreError::from)?);
                    if numbers.len() == most {
                        last = seq;
                        break;
                    }
                }
            }
            next = last;
        }
        Ok((numbers, texts(parts), next))
    }

    async fn part(
        &self,
        connection: &mut Connection,
        look: &Look<'_>,
        span: Span,
        ws: i64,
    ) -> Result<Part, StoreError> {
        let tenant = look.scope.tenant().id;
        let log = Log { ws, tenant };
        let texts = self.inner.dictionary(connection, log).await?;
        let conditions = conditions(&texts.read(), &look.asked.filter, look.scope, span);
        Ok(Part { texts, conditions })
    }
}

impl Snapshot {
    /// Up to which number, in the order of arrival, a page shows the log: what came after it is new
    /// to who reads the page. None where the question's cursor is another's.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn shown_to(&mut self, query: &Query) -> Result<Option<u64>, StoreError> {
        let Ok(cursor) = cursor_of(&self.store, &self.scope, query) else {
            return Ok(None);
        };
        let up_to = cursor.map_or(self.head, |cursor| cursor.up_to);
        let tenant = self.scope.tenant().id;
        let connection = self.transaction.connection();
        // Back from the newest. A walk that began long ago does not have to be found to the number.
        let seq = match connection.dialect() {
            Dialect::Sqlite => {
                "SELECT coalesce( \
                     (SELECT max(seq) FROM leaf INDEXED BY leaf_by_seq \
                      WHERE tenant = ?1 AND seq > h.seq - ?3 AND n <= ?2), h.seq - ?3) \
                 FROM (SELECT max(seq) AS seq FROM leaf WHERE tenant = ?1) h"
            }
            // There the two numbers are one.
            Dialect::Postgres => {
                "SELECT greatest(least(?2, seq), seq - ?3) FROM tenant_head WHERE tenant = ?1"
            }
        };
        let seq: Option<Option<i64>> = database::query_scalar(seq)
            .bind(tenant)
            .bind(up_to)
            .bind(i64::try_from(LOOKED_AT).unwrap_or(i64::MAX))
            .fetch_optional(connection)
            .await?;
        let seq = seq.flatten();
        Ok(Some(
            seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0),
        ))
    }
}

/// Waits until something arrives; after having been woken for nothing not at once again.
async fn wait(waiter: &mut Waiter<'_>, is_first: bool) -> bool {
    (is_first || waiter.rest().await) && waiter.woken().await
}

fn texts(parts: HashMap<i64, Part>) -> Vec<(i64, Arc<Shared>)> {
    let parts = parts.into_iter();
    parts.map(|(ws, part)| (ws, part.texts)).collect()
}

/// The parts of a tenant's log that are asked for; none: all of it.
async fn places(
    connection: &mut Connection,
    scope: &Scope,
    filter: &Filter,
) -> Result<Option<Vec<i64>>, QuestionError> {
    if let Some(workspace) = scope.workspace() {
        if filter.workspace.is_empty() {
            return Ok(Some(vec![workspace.id]));
        }
        return Err(is_of_one_workspace());
    }
    if filter.workspace.is_empty() {
        return Ok(None);
    }
    let known: Vec<(i64, String)> =
        database::query_as("SELECT id, slug FROM workspace WHERE tenant = ?")
            .bind(scope.tenant().id)
            .fetch_all(connection)
            .await
            .map_err(StoreError::from)?;
    let place = |slug: &Slug| {
        let found = known.iter().find(|(_, known)| known == slug.as_str());
        found
            .map(|(ws, _)| *ws)
            .ok_or_else(|| no_such_workspace(slug))
    };
    let places: Result<Vec<i64>, QuestionError> = filter.workspace.iter().map(place).collect();
    places.map(Some)
}

const SEQ: usize = 0;
const N: usize = 1;
const WS: usize = 2;

/// Reads what is tested of a tenant's events; see [`entries`].
async fn read(
    connection: &mut Connection,
    tenant: i64,
    places: Option<&[i64]>,
    numbers: (u64, u64),
    limit: Option<usize>,
) -> Result<Vec<Row>, StoreError> {
    let sql = match connection.dialect() {
        Dialect::Sqlite => entries(tenant, places, numbers, limit),
        Dialect::Postgres => {
            // Partitions are chosen by when they occurred.
            let mut times = Sql::default();
            times.add("SELECT min(l.occurred_at), max(l.occurred_at) FROM leaf l");
            within(&mut times, tenant, places, numbers);
            let times = times.untold().fetch_one(&mut *connection).await?;
            let times: (Option<i64>, Option<i64>) = (times.try_get(0)?, times.try_get(1)?);
            let (Some(first), Some(last)) = times else {
                return Ok(Vec::new());
            };
            entries_on_postgres(tenant, places, numbers, limit, (first, last))
        }
    };
    Ok(sql.query().fetch_all(connection).await?)
}

/// What is read of an event, in the order of [`Part::asks_for`].
macro_rules! tested {
    ($n:literal) => {
        concat!(
            "SELECT l.seq, ",
            $n,
            ", l.ws, l.occurred_at, c.actor, c.via, c.action, c.target, c.related, \
             c.outcome, c.operation, c.source FROM leaf l "
        )
    };
}

/// The statement that reads what is tested of a tenant's events after the first number and up to the
/// second, those whose content is still there.
pub(super) fn entries(
    tenant: i64,
    places: Option<&[i64]>,
    numbers: (u64, u64),
    limit: Option<usize>,
) -> Sql {
    let mut sql = Sql::default();
    sql.add(concat!(
        tested!("l.n"),
        "INDEXED BY leaf_by_seq CROSS JOIN content c ON c.n = l.n"
    ));
    within(&mut sql, tenant, places, numbers);
    in_order(&mut sql, limit);
    sql
}

/// The same on PostgreSQL, of events that occurred between two times. Each is looked for by its key
/// (`OFFSET 0`), whatever the server believes of tables that it has not looked at yet.
fn entries_on_postgres(
    tenant: i64,
    places: Option<&[i64]>,
    numbers: (u64, u64),
    limit: Option<usize>,
    (first, last): (i64, i64),
) -> Sql {
    let mut sql = Sql::default();
    sql.add(tested!("l.seq"))
        .with(
            "JOIN LATERAL (SELECT * FROM content WHERE tenant = ? AND ws = l.ws \
                 AND at = l.occurred_at AND seq = l.seq AND class = l.class",
            tenant,
        )
        .with(" AND at >= ?", first)
        .with(" AND at <= ? OFFSET 0) c ON TRUE", last);
    within(&mut sql, tenant, places, numbers);
    in_order(&mut sql, limit);
    sql
}

/// ` WHERE` leaves are a tenant's, in these places, and after the first number and up to the second.
fn within(sql: &mut Sql, tenant: i64, places: Option<&[i64]>, (after, to): (u64, u64)) {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sql.with(" WHERE l.tenant = ?", tenant)
        .with(" AND l.seq > ?", number(after))
        .with(" AND l.seq <= ?", number(to));
    match places {
        None => {}
        Some([place]) => {
            sql.with(" AND l.ws = ?", *place);
        }
        Some(places) => {
            let list = " AND l.ws IN (SELECT value FROM json_each(?))";
            sql.with(list, places.to_vec());
        }
    }
}

fn in_order(sql: &mut Sql, limit: Option<usize>) {
    sql.add(" ORDER BY l.seq");
    if let Some(limit) = limit {
        sql.with(" LIMIT ?", i64::try_from(limit).unwrap_or(i64::MAX));
    }
}

impl Part {
    /// Whether an entry is asked for, and is no look of the reader's own.
    fn asks_for(&self, row: &Row, reader: Option<&By>) -> Result<bool, StoreError> {
        let optional = |column: usize| -> Result<Option<u32>, StoreError> {
            let number: Option<i64> = row.try_get(column)?;
            let number = number.map(u32::try_from).transpose();
            number.map_err(|_| damaged("a number of an event is broken"))
        };
        let number = |column: usize| -> Result<u32, StoreError> {
            optional(column)?.ok_or_else(|| damaged("a number of an event is not there"))
        };
        let texts = self.texts.read();
        let (actor, action, target) = (number(4)?, number(6)?, number(7)?);
        let kind = texts.target(target).map(|target| &target.kind);
        let entry = plan::Entry {
            at: row.try_get(3)?,
            actor,
            via: optional(5)?,
            action,
            kind: kind.and_then(|kind| texts.kind_number(kind)).unwrap_or(0),
            target,
            related: optional(8)?,
            outcome: number(9)?,
            operation: row.try_get(10)?,
        };
        if !self.conditions.hold_of(&entry) {
            return Ok(false);
        }
        let is_own_look = || {
            let reader = reader?;
            let is_look = texts.action(action)?.named.action.as_str() == LOOK;
            Some(is_look && texts.actor(actor)?.id == reader.actor.id)
        };
        let is_daybooks = row.try_get::<Option<i64>>(11)?.is_some();
        Ok(!is_daybooks || is_own_look() != Some(true))
    }
}

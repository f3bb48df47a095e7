//! Reading an installation, in pieces, from either database.

use super::tables::{Row, Table, Type};
use crate::{
    StoreError,
    database::{self, Connection, Dialect, Sql, Value},
    dictionary::Number,
    postgres::class_of,
    sqlite::{self, KeyHash, damaged, settings::effective},
};
use domain::time::Timestamp;
use std::collections::HashMap;
use uuid::Uuid;

/// An event as the log keeps it, with the numbers of its texts.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) seq: i64,
    pub(crate) id: Uuid,
    pub(crate) ws: i64,
    pub(crate) occurred_at: i64,
    pub(crate) recorded_at: i64,
    pub(crate) parts: [u8; 32],
    /// In which class its content lies, on PostgreSQL.
    pub(crate) class: Option<i16>,
    /// None: it was removed.
    pub(crate) content: Option<Content>,
}

/// What an event says.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) actor: Number,
    pub(crate) via: Option<Number>,
    pub(crate) action: Number,
    pub(crate) target: Number,
    /// A copy of the target's, on PostgreSQL.
    pub(crate) kind: Option<Number>,
    pub(crate) related: Option<Number>,
    pub(crate) outcome: i64,
    pub(crate) operation: Option<String>,
    pub(crate) key: Option<KeyHash>,
    /// Whether it is found by its key.
    pub(crate) has_key: bool,
    pub(crate) salt: [u8; 16],
    pub(crate) source: Option<i64>,
    pub(crate) keep: bool,
    pub(crate) body: Option<String>,
    /// Which parts of it are gone, as bits, and what proves them all then.
    pub(crate) erased: Option<i64>,
    pub(crate) proofs: Option<Vec<u8>>,
}

impl Event {
    /// About how much memory it takes.
    pub(super) fn weight(&self) -> usize {
        let body = self
            .content
            .as_ref()
            .and_then(|content| content.body.as_ref());
        400 + body.map_or(0, String::len)
    }
}

/// A tenant's log.
#[derive(Clone, Debug)]
pub(super) struct TenantLog {
    pub(super) id: i64,
    pub(super) slug: String,
    pub(super) name: String,
    /// The number of its last event.
    pub(super) last: i64,
}

/// All tenants, with where their logs end.
pub(super) async fn tenants(connection: &mut Connection) -> Result<Vec<TenantLog>, StoreError> {
    let rows = database::query(
        "SELECT t.id, t.slug, t.name, \
             coalesce((SELECT max(l.seq) FROM leaf l WHERE l.tenant = t.id), 0) \
         FROM tenant t ORDER BY t.id",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(TenantLog {
                id: row.try_get(0)?,
                slug: row.try_get(1)?,
                name: row.try_get(2)?,
                last: row.try_get(3)?,
            })
        })
        .collect()
}

/// The logs of a tenant: its own, and its workspaces'.
pub(crate) async fn logs(connection: &mut Connection, tenant: i64) -> Result<Vec<i64>, StoreError> {
    let mut logs = vec![-tenant];
    let workspaces: Vec<i64> =
        database::query_scalar("SELECT id FROM workspace WHERE tenant = ? ORDER BY id")
            .bind(tenant)
            .fetch_all(connection)
            .await?;
    logs.extend(workspaces);
    Ok(logs)
}

macro_rules! events {
    ($class:literal, $has_key:literal, $kind:literal, $content:literal) => {
        concat!(
            "SELECT l.seq, l.id, l.ws, l.occurred_at, l.recorded_at, l.parts, ",
            $class,
            ", c.salt, c.actor, c.via, c.action, c.target, c.related, c.outcome, c.operation, \
             c.key, c.key_rest, ",
            $has_key,
            ", c.source, c.keep, c.body, ",
            $kind,
            ", c.erased, c.proofs FROM leaf l ",
            $content,
            " WHERE l.tenant = ?1 AND l.seq > ?2 AND l.seq <= ?3 ORDER BY l.seq"
        )
    };
}

const ON_SQLITE: &str = events!(
    "NULL",
    "c.key IS NOT NULL",
    "NULL",
    "LEFT JOIN content c ON c.n = l.n"
);

/// Each content is looked for by its key (`OFFSET 0`), in the partitions of their times.
const ON_POSTGRES: &str = events!(
    "l.class",
    "EXISTS (SELECT 1 FROM idempotency k WHERE k.tenant = ?1 AND k.ws = l.ws AND k.key = c.key \
         AND k.key_rest = c.key_rest AND k.seq = l.seq)",
    "c.kind",
    "LEFT JOIN LATERAL (SELECT * FROM content WHERE tenant = ?1 AND ws = l.ws \
         AND at = l.occurred_at AND seq = l.seq AND class = l.class AND at >= ?4 AND at <= ?5 \
         OFFSET 0) c ON TRUE"
);

/// When the first and the last of some events occurred.
async fn times(
    connection: &mut Connection,
    tenant: i64,
    (after, to): (i64, i64),
) -> Result<(i64, i64), StoreError> {
    let (first, last): (Option<i64>, Option<i64>) = database::query_as(
        "SELECT min(occurred_at), max(occurred_at) FROM leaf \
         WHERE tenant = ? AND seq > ? AND seq <= ?",
    )
    .bind(tenant)
    .bind(after)
    .bind(to)
    .fetch_one(connection)
    .await?;
    Ok((first.unwrap_or(0), last.unwrap_or(0)))
}

/// The events of a tenant after a number and up to another, in the order of arrival, without a gap.
pub(super) async fn events(
    connection: &mut Connection,
    tenant: i64,
    (after, to): (i64, i64),
) -> Result<Vec<Event>, StoreError> {
    let events = events_as_they_are(connection, tenant, (after, to)).await?;
    for (at, event) in (after + 1..).zip(&events) {
        if event.seq != at {
            return Err(damaged("the numbers of a tenant's events have a gap"));
        }
    }
    Ok(events)
}

/// The same, whichever there are.
pub(crate) async fn events_as_they_are(
    connection: &mut Connection,
    tenant: i64,
    between: (i64, i64),
) -> Result<Vec<Event>, StoreError> {
    let events = events_one_by_one(connection, tenant, between).await?;
    events.into_iter().collect()
}

/// The same; of one that cannot be read, why.
pub(crate) async fn events_one_by_one(
    connection: &mut Connection,
    tenant: i64,
    (after, to): (i64, i64),
) -> Result<Vec<Result<Event, StoreError>>, StoreError> {
    let rows = match connection.dialect() {
        Dialect::Sqlite => database::query(ON_SQLITE).bind(tenant).bind(after).bind(to),
        Dialect::Postgres => {
            let (first, last) = times(connection, tenant, (after, to)).await?;
            let query = database::query(ON_POSTGRES).bind(tenant).bind(after);
            query.bind(to).bind(first).bind(last)
        }
    };
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.iter().map(event).collect())
}

fn number(number: i64) -> Result<Number, StoreError> {
    Number::try_from(number).map_err(|_| damaged("the number of a text is none"))
}

fn event(row: &database::Row) -> Result<Event, StoreError> {
    let seq: i64 = row.try_get(0)?;
    event_at(seq, row).map_err(|error| error.at(format_args!("entry {seq}")))
}

fn event_at(seq: i64, row: &database::Row) -> Result<Event, StoreError> {
    let id = Uuid::from_slice(row.try_get(1)?).map_err(|_| damaged("an id is broken"))?;
    let parts = <[u8; 32]>::try_from(row.try_get::<&[u8]>(5)?);
    let class: Option<i64> = row.try_get(6)?;
    let content = match row.try_get::<Option<&[u8]>>(7)? {
        None => None,
        Some(salt) => {
            let of = |at: usize| -> Result<Number, StoreError> { number(row.try_get(at)?) };
            let any = |at: usize| -> Result<Option<Number>, StoreError> {
                row.try_get::<Option<i64>>(at)?.map(number).transpose()
            };
            let key: (Option<i64>, Option<i64>) = (row.try_get(15)?, row.try_get(16)?);
            Some(Content {
                actor: of(8)?,
                via: any(9)?,
                action: of(10)?,
                target: of(11)?,
                kind: any(21)?,
                related: any(12)?,
                outcome: row.try_get(13)?,
                operation: row.try_get(14)?,
                key: key.0.zip(key.1).map(|(key, rest)| KeyHash { key, rest }),
                has_key: row.try_get(17)?,
                salt: <[u8; 16]>::try_from(salt).map_err(|_| damaged("a salt is broken"))?,
                source: row.try_get(18)?,
                keep: row.try_get(19)?,
                body: row.try_get(20)?,
                erased: row.try_get(22)?,
                proofs: row.try_get(23)?,
            })
        }
    };
    Ok(Event {
        seq,
        id,
        ws: row.try_get(2)?,
        occurred_at: row.try_get(3)?,
        recorded_at: row.try_get(4)?,
        parts: parts.map_err(|_| damaged("a leaf is broken"))?,
        class: class.and_then(|class| i16::try_from(class).ok()),
        content,
    })
}

/// Of the events of a tenant after a number and up to another, those whose content is there.
pub(super) async fn contents(
    connection: &mut Connection,
    tenant: i64,
    (after, to): (i64, i64),
) -> Result<Vec<i64>, StoreError> {
    let numbers = match connection.dialect() {
        Dialect::Sqlite => database::query_scalar(
            "SELECT l.seq FROM leaf l JOIN content c ON c.n = l.n \
             WHERE l.tenant = ?1 AND l.seq > ?2 AND l.seq <= ?3 ORDER BY l.seq",
        )
        .bind(tenant)
        .bind(after)
        .bind(to),
        Dialect::Postgres => {
            let (first, last) = times(connection, tenant, (after, to)).await?;
            database::query_scalar(
                "SELECT l.seq FROM leaf l JOIN LATERAL (SELECT 1 FROM content WHERE tenant = ?1 \
                     AND ws = l.ws AND at = l.occurred_at AND seq = l.seq AND class = l.class \
                     AND at >= ?4 AND at <= ?5 OFFSET 0) c ON TRUE \
                 WHERE l.tenant = ?1 AND l.seq > ?2 AND l.seq <= ?3 ORDER BY l.seq",
            )
            .bind(tenant)
            .bind(after)
            .bind(to)
            .bind(first)
            .bind(last)
        }
    };
    Ok(numbers.fetch_all(connection).await?)
}

/// What changes whenever something is removed, or a text emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Removals {
    batches: i64,
    releases: i64,
    finished: i64,
    emptied: i64,
}

impl Removals {
    /// Whether a release is not carried out yet.
    pub(super) const fn is_under_way(&self) -> bool {
        self.releases > self.finished
    }
}

/// How much was removed so far.
pub(super) async fn removals(connection: &mut Connection) -> Result<Removals, StoreError> {
    let counted = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT (SELECT batches FROM removal), (SELECT count(*) FROM release), \
             (SELECT count(finished_at) FROM release), \
             (SELECT coalesce(sum(times), 0) FROM emptied)"
        }
        Dialect::Postgres => {
            "/* of all tenants */ SELECT (SELECT coalesce(sum(removals), 0)::BIGINT FROM tenant_head), \
             (SELECT count(*) FROM release), (SELECT count(finished_at) FROM release), \
             (SELECT coalesce(sum(emptied), 0)::BIGINT FROM text_head)"
        }
    };
    let (batches, releases, finished, emptied) =
        database::query_as(counted).fetch_one(connection).await?;
    Ok(Removals {
        batches,
        releases,
        finished,
        emptied,
    })
}

fn value(row: &database::Row, at: usize, of: Type) -> Result<Value, StoreError> {
    Ok(match of {
        Type::Integer => row.try_get::<Option<i64>>(at)?.into(),
        Type::Flag => row.try_get::<bool>(at)?.into(),
        Type::Text => row.try_get::<Option<String>>(at)?.into(),
        Type::Bytes => row.try_get::<Option<Vec<u8>>>(at)?.into(),
    })
}

fn values(row: &database::Row, table: &Table, from: usize) -> Result<Row, StoreError> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(at, (_, of))| value(row, from + at, *of))
        .collect()
}

/// The names of a table's columns, after one another.
pub(super) fn names(table: &Table) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// So many rows of a table that is administered are read at a time.
const ROWS: usize = 1_000;

/// Rows of a table that is administered, in the order of their keys: the first, or those after one.
/// None where there are no more.
pub(super) async fn rows(
    connection: &mut Connection,
    table: &Table,
    after: Option<&Row>,
) -> Result<Vec<Row>, StoreError> {
    let key: Vec<&str> = table.columns[..table.key]
        .iter()
        .map(|(name, _)| *name)
        .collect();
    let mut sql = Sql::default();
    sql.add("SELECT /* of all tenants */ ")
        .add(&names(table))
        .add(" FROM ")
        .add(table.name);
    if key.is_empty() {
        // There are few of them, which may be equal.
        if after.is_some() {
            return Ok(Vec::new());
        }
        sql.add(" ORDER BY ").add(&names(table));
    } else {
        if let Some(after) = after {
            sql.add(" WHERE (").add(&key.join(", ")).add(") > (");
            for (at, value) in after.iter().take(table.key).enumerate() {
                sql.with(if at == 0 { "?" } else { ", ?" }, value.clone());
            }
            sql.add(")");
        }
        sql.add(" ORDER BY ").add(&key.join(", "));
        sql.add(&format!(" LIMIT {ROWS}"));
    }
    let rows = sql.untold().fetch_all(connection).await?;
    rows.iter().map(|row| values(row, table, 0)).collect()
}

/// Texts of a log with numbers after one, in their order, so many at most; each with its number.
pub(crate) async fn texts(
    connection: &mut Connection,
    table: &Table,
    (tenant, ws): (i64, i64),
    after: i64,
    most: usize,
) -> Result<Vec<(i64, Row)>, StoreError> {
    let mut sql = Sql::default();
    sql.add("SELECT num, ")
        .add(&names(table))
        .add(" FROM ")
        .add(table.name);
    sql.with(" WHERE ws = ?", ws);
    if connection.dialect() == Dialect::Postgres {
        sql.with(" AND tenant = ?", tenant);
    }
    sql.with(" AND num > ?", after);
    sql.add(&format!(" ORDER BY num LIMIT {most}"));
    let rows = sql.untold().fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, values(row, table, 1)?)))
        .collect()
}

/// The last number of a table of texts in a log; 0 where it has none.
pub(super) async fn last_text(
    connection: &mut Connection,
    table: &Table,
    (tenant, ws): (i64, i64),
) -> Result<i64, StoreError> {
    let mut sql = Sql::default();
    sql.add("SELECT coalesce(max(num), 0) FROM ")
        .add(table.name);
    sql.with(" WHERE ws = ?", ws);
    if connection.dialect() == Dialect::Postgres {
        sql.with(" AND tenant = ?", tenant);
    }
    Ok(sql.untold().fetch_one(connection).await?.try_get(0)?)
}

/// The numbers of actors or targets of a log that are empty, after one, so many at most.
pub(super) async fn empty_texts(
    connection: &mut Connection,
    table: &Table,
    (tenant, ws): (i64, i64),
    after: i64,
    most: usize,
) -> Result<Vec<i64>, StoreError> {
    let mut sql = Sql::default();
    sql.add("SELECT num FROM ").add(table.name);
    sql.with(" WHERE ws = ?", ws);
    if connection.dialect() == Dialect::Postgres {
        sql.with(" AND tenant = ?", tenant);
    }
    sql.with(" AND num > ?", after);
    // What has a kind always has something else, unless it was emptied, or was never told.
    for (name, _) in &table.columns[1..] {
        sql.add(" AND ").add(name).add(" IS NULL");
    }
    sql.add(&format!(" ORDER BY num LIMIT {most}"));
    let rows = sql.untold().fetch_all(connection).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// A release by retention, told by numbers that are the same in both databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) id: i64,
    pub(crate) tenant: i64,
    pub(crate) ws: i64,
    /// The number of the event that tells of it.
    pub(crate) seq: i64,
    pub(crate) before: i64,
    pub(crate) events: i64,
    pub(crate) finished_at: Option<i64>,
}

impl Release {
    pub(super) fn values(&self) -> Row {
        let Self {
            id,
            tenant,
            ws,
            seq,
            before,
            events,
            finished_at,
        } = *self;
        vec![
            id.into(),
            tenant.into(),
            ws.into(),
            seq.into(),
            before.into(),
            events.into(),
            finished_at.into(),
        ]
    }
}

/// Releases after one, in their order, so many at most.
pub(crate) async fn releases(
    connection: &mut Connection,
    after: i64,
) -> Result<Vec<Release>, StoreError> {
    let text = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT r.id, l.tenant, r.ws, l.seq, r.before, r.events, r.finished_at \
             FROM release r JOIN leaf l ON l.n = r.n WHERE r.id > ? ORDER BY r.id LIMIT 1000"
        }
        Dialect::Postgres => {
            "SELECT id, tenant, ws, seq, before, events, finished_at FROM release \
             WHERE id > ? ORDER BY id LIMIT 1000"
        }
    };
    let rows = database::query(text)
        .bind(after)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Release {
                id: row.try_get(0)?,
                tenant: row.try_get(1)?,
                ws: row.try_get(2)?,
                seq: row.try_get(3)?,
                before: row.try_get(4)?,
                events: row.try_get(5)?,
                finished_at: row.try_get(6)?,
            })
        })
        .collect()
}

/// A release by erasure, told by numbers that are the same in both databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Erasure {
    pub(crate) id: i64,
    pub(crate) tenant: i64,
    pub(crate) ws: i64,
    /// The number of the event that tells of it.
    pub(crate) seq: i64,
    pub(crate) events: i64,
    pub(crate) finished_at: Option<i64>,
}

impl Erasure {
    pub(super) fn values(&self) -> Row {
        let Self {
            id,
            tenant,
            ws,
            seq,
            events,
            finished_at,
        } = *self;
        vec![
            id.into(),
            tenant.into(),
            ws.into(),
            seq.into(),
            events.into(),
            finished_at.into(),
        ]
    }
}

/// An event that a release by erasure names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErasedEvent {
    pub(crate) seq: i64,
    pub(crate) parts: i64,
    /// The texts that stand there then, where they are others.
    pub(crate) texts: [Option<i64>; 4],
    /// Why it could not be erased.
    pub(crate) damage: Option<String>,
}

impl Content {
    /// The row that it is in a file, as what the event with this number there says.
    pub(super) fn row(self, n: i64) -> sqlite::Content {
        sqlite::Content {
            n,
            actor: self.actor,
            via: self.via,
            action: self.action,
            target: self.target,
            related: self.related,
            outcome: self.outcome,
            operation: self.operation,
            key: self.key,
            salt: self.salt,
            source: self.source,
            keep: self.keep,
            body: self.body,
            erased: self.erased.zip(self.proofs),
        }
    }
}

impl ErasedEvent {
    pub(super) fn values(&self) -> Row {
        let texts = self.texts.iter().map(|number| (*number).into());
        [self.seq.into(), self.parts.into()]
            .into_iter()
            .chain(texts)
            .collect()
    }
}

/// Releases by erasure after one, in their order, so many at most.
pub(crate) async fn erasures(
    connection: &mut Connection,
    after: i64,
) -> Result<Vec<Erasure>, StoreError> {
    let text = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT e.id, l.tenant, e.ws, l.seq, e.events, e.finished_at \
             FROM erasure e JOIN leaf l ON l.n = e.n WHERE e.id > ? ORDER BY e.id LIMIT 1000"
        }
        Dialect::Postgres => {
            "SELECT id, tenant, ws, seq, events, finished_at FROM erasure \
             WHERE id > ? ORDER BY id LIMIT 1000"
        }
    };
    let rows = database::query(text)
        .bind(after)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Erasure {
                id: row.try_get(0)?,
                tenant: row.try_get(1)?,
                ws: row.try_get(2)?,
                seq: row.try_get(3)?,
                events: row.try_get(4)?,
                finished_at: row.try_get(5)?,
            })
        })
        .collect()
}

/// The events that a release by erasure names, in their order.
pub(crate) async fn erased_events(
    connection: &mut Connection,
    erasure: i64,
) -> Result<Vec<ErasedEvent>, StoreError> {
    let text = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT l.seq, e.parts, e.actor, e.via, e.target, e.related, d.what \
             FROM erasure_event e JOIN leaf l ON l.n = e.n \
             LEFT JOIN erasure_damage d ON d.erasure = e.erasure AND d.n = e.n \
             WHERE e.erasure = ? ORDER BY l.seq"
        }
        Dialect::Postgres => {
            "SELECT e.seq, e.parts, e.actor, e.via, e.target, e.related, d.what FROM erasure_event e \
             LEFT JOIN erasure_damage d ON d.erasure = e.erasure AND d.seq = e.seq \
             WHERE e.erasure = ? ORDER BY e.seq"
        }
    };
    let rows = database::query(text)
        .bind(erasure)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ErasedEvent {
                seq: row.try_get(0)?,
                parts: row.try_get(1)?,
                texts: [
                    row.try_get(2)?,
                    row.try_get(3)?,
                    row.try_get(4)?,
                    row.try_get(5)?,
                ],
                damage: row.try_get(6)?,
            })
        })
        .collect()
}

/// In which class what of each log expires lies on PostgreSQL, by its settings now.
pub(super) async fn classes(
    connection: &mut Connection,
    now: Timestamp,
) -> Result<HashMap<i64, i16>, StoreError> {
    let rows = database::query(
        "SELECT w.id, w.tenant, \
             CASE WHEN w.pending_from <= ? THEN w.pending ELSE w.retention END, t.floor, t.cap \
         FROM workspace w JOIN tenant t ON t.id = w.tenant",
    )
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    let mut classes = HashMap::new();
    for row in &rows {
        let (ws, tenant): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let class = class_of(
            effective(row.try_get(2)?, row.try_get(3)?, row.try_get(4)?)?,
            now,
        );
        classes.insert(ws, class);
        // A tenant's own events stay as long as the longest of its workspaces.
        let own = classes.entry(-tenant).or_insert(class);
        if class == 0 || (*own != 0 && class > *own) {
            *own = class;
        }
    }
    Ok(classes)
}

//! What somebody would make who needs an audit log by Friday: one table in SQLite with the indexes
//! that come to mind, `LIKE` for searching and `OFFSET` for paging. It is as durable as Daybook's
//! log, and spoken to through the same library.

use crate::error::BenchError;
use domain::{
    catalogue::Catalogue,
    event::{Actor, NewEvent, Object, Target},
    question::{Order, Query, Sort, Span},
    time::Timestamp,
};
use serde_json::{Value, json};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, QueryBuilder, Row, Sqlite,
    SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{borrow::Cow, path::Path, sync::Arc};

const SCHEMA: &str = "
    CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        workspace TEXT NOT NULL,
        idempotency_key TEXT,
        occurred_at INTEGER NOT NULL,
        recorded_at INTEGER NOT NULL,
        actor_kind TEXT NOT NULL,
        actor_id TEXT,
        actor_name TEXT,
        actor_email TEXT,
        via TEXT,
        action TEXT NOT NULL,
        verb TEXT NOT NULL,
        category TEXT NOT NULL,
        target_kind TEXT NOT NULL,
        target_id TEXT,
        target_name TEXT,
        related TEXT,
        operation TEXT,
        outcome TEXT NOT NULL,
        description TEXT,
        before TEXT,
        after TEXT,
        metadata TEXT,
        context TEXT
    ) STRICT;
    CREATE UNIQUE INDEX event_once ON event (workspace, idempotency_key);
    CREATE INDEX event_by_time ON event (workspace, occurred_at);
    CREATE INDEX event_by_actor ON event (workspace, actor_id, occurred_at);
    CREATE INDEX event_by_target ON event (workspace, target_id, occurred_at)";

/// What an event has here.
pub const COLUMNS: [&str; 23] = [
    "workspace",
    "idempotency_key",
    "occurred_at",
    "recorded_at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "actor_email",
    "via",
    "action",
    "verb",
    "category",
    "target_kind",
    "target_id",
    "target_name",
    "related",
    "operation",
    "outcome",
    "description",
    "before",
    "after",
    "metadata",
    "context",
];
/// Where in a row the parts are that are JSON: `via`, `related`, and the last four.
const JSON_COLUMNS: [usize; 6] = [9, 16, 20, 21, 22, 23];
/// So many rows are written with one statement: more of them do not make it quicker.
const ROWS: usize = 250;

/// The table, with the one connection that it is spoken to with.
pub struct PlainTable {
    connection: SqliteConnection,
    catalogue: Catalogue,
    insert: Arc<str>,
}

impl PlainTable {
    /// Opens the table, or makes it.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub async fn open(path: &Path) -> Result<Self, BenchError> {
        let is_new = !path.exists();
        // As the store opens its log.
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .statement_cache_capacity(200)
            .pragma("wal_autocheckpoint", "4000")
            .pragma("cache_size", "-65536")
            .pragma("temp_store", "memory")
            .disable_statement_logging()
            .connect()
            .await?;
        if is_new {
            connection.execute(SCHEMA).await?;
        }
        let places = format!("({})", ["?"; COLUMNS.len()].join(","));
        let insert = format!(
            "INSERT INTO event ({}) VALUES {} ON CONFLICT DO NOTHING",
            COLUMNS.join(","),
            vec![places; ROWS].join(","),
        );
        Ok(Self {
            connection,
            catalogue: Catalogue::default(),
            insert: insert.into(),
        })
    }

    /// Records a batch in one transaction; its size is a multiple of 250.
    ///
    /// # Errors
    ///
    /// It could not be written.
    pub async fn record(&mut self, workspace: &str, batch: &[NewEvent]) -> Result<(), BenchError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for events in batch.chunks_exact(ROWS) {
            let mut insert = sqlx::query(AssertSqlSafe(Arc::clone(&self.insert)));
            for event in events {
                for value in columns(&self.catalogue, workspace, event)? {
                    insert = match value {
                        Column::Micros(time) => insert.bind(time),
                        Column::Text(text) => insert.bind(text),
                    };
                }
            }
            insert.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// How many events there are.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn count(&mut self) -> Result<u64, BenchError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM event")
            .fetch_one(&mut self.connection)
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The page of a question that begins after `offset` events: how many events it holds. As
    /// Daybook does, it reads them whole, and one more to know whether there is another page.
    ///
    /// Each filter is asked in the way that is quickest here: other objects and those who carry
    /// something out are not looked at beside target and actor, and text is compared as SQLite does.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn page(
        &mut self,
        workspace: &str,
        query: &Query,
        now: Timestamp,
        offset: u64,
    ) -> Result<usize, BenchError> {
        let mut sql = question(workspace, query, query.filter.span(now), offset);
        let rows = sql.build().fetch_all(&mut self.connection).await?;
        let mut events = 0;
        for row in rows.iter().take(query.page_size()) {
            let mut texts: Vec<Option<&str>> = Vec::with_capacity(COLUMNS.len());
            for column in (1..=COLUMNS.len()).filter(|column| !matches!(column, 3 | 4)) {
                texts.push(row.try_get(column)?);
            }
            for column in JSON_COLUMNS {
                if let Some(text) = row.try_get::<Option<&str>, _>(column)? {
                    serde_json::from_str::<Value>(text)?;
                }
            }
            events += usize::from(texts[0] == Some(workspace));
        }
        Ok(events)
    }

    /// Lets SQLite learn what the table looks like, so that it chooses its indexes well.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn analyze(&mut self) -> Result<(), BenchError> {
        self.connection.execute("ANALYZE").await?;
        Ok(())
    }

    /// Closes the file.
    ///
    /// # Errors
    ///
    /// What was written could not be moved into the main file.
    pub async fn close(mut self) -> Result<(), BenchError> {
        self.connection
            .execute("PRAGMA wal_checkpoint(TRUNCATE)")
            .await?;
        Ok(self.connection.close().await?)
    }
}

/// What an event has in a column.
pub enum Column<'a> {
    Micros(i64),
    Text(Option<Cow<'a, str>>),
}

/// An event's columns, in the order of [`COLUMNS`].
///
/// # Errors
///
/// Something in it is no JSON.
pub fn columns<'a>(
    catalogue: &Catalogue,
    workspace: &'a str,
    event: &'a NewEvent,
) -> Result<[Column<'a>; COLUMNS.len()], BenchError> {
    fn text(text: &str) -> Column<'_> {
        Column::Text(Some(text.into()))
    }
    fn may_be(text: Option<&String>) -> Column<'_> {
        Column::Text(text.map(|text| text.as_str().into()))
    }
    let json = |text: Option<String>| Column::Text(text.map(Cow::from));
    let occurred_at = event.occurred_at.map_or(0, Timestamp::micros);
    let reading = catalogue.reading(event.action.as_str());
    let (actor, target) = (&event.actor, &event.target);
    Ok([
        text(workspace),
        may_be(event.idempotency_key.as_ref()),
        Column::Micros(occurred_at),
        Column::Micros(occurred_at),
        text(actor.kind.as_str()),
        may_be(actor.id.as_ref()),
        may_be(actor.name.as_ref()),
        may_be(actor.email.as_ref()),
        json(list(&event.via, |actor: &Actor| json!(actor))),
        text(event.action.as_str()),
        text(reading.verb.as_str()),
        text(reading.category.as_str()),
        text(target.kind.as_str()),
        may_be(target.id.as_ref()),
        may_be(target.name.as_ref()),
        json(list(&event.related, |target: &Target| json!(target))),
        may_be(event.operation.as_ref()),
        text(event.outcome.as_str()),
        may_be(event.description.as_ref()),
        json(object(event.before.as_ref())?),
        json(object(event.after.as_ref())?),
        json(object(event.metadata.as_ref())?),
        json(object(event.context.as_ref())?),
    ])
}

fn object(object: Option<&Object>) -> Result<Option<String>, BenchError> {
    Ok(object.map(serde_json::to_string).transpose()?)
}

fn list<T>(list: &[T], write: impl Fn(&T) -> Value) -> Option<String> {
    (!list.is_empty()).then(|| list.iter().map(write).collect::<Value>().to_string())
}

/// A question in SQL.
fn question(workspace: &str, query: &Query, span: Span, offset: u64) -> QueryBuilder<Sqlite> {
    let filter = &query.filter;
    let mut sql = QueryBuilder::new("SELECT id, ");
    sql.push(COLUMNS.join(", "));
    sql.push(" FROM event WHERE workspace = ");
    sql.push_bind(workspace.to_owned());
    one_of(&mut sql, "category", &filter.category);
    one_of(&mut sql, "verb", &filter.verb);
    one_of(&mut sql, "action", &filter.action);
    one_of(&mut sql, "outcome", &filter.outcome);
    one_of(&mut sql, "actor_id", &filter.actor_id);
    one_of(&mut sql, "actor_kind", &filter.actor_kind);
    one_of(&mut sql, "target_kind", &filter.target_kind);
    one_of(&mut sql, "target_id", &filter.target_id);
    if let Some(text) = &filter.actor {
        like(&mut sql, &["actor_name", "actor_email"], text);
    }
    if let Some(text) = &filter.q {
        like(&mut sql, &["target_name", "target_id", "action"], text);
    }
    for id in &filter.via_id {
        like(&mut sql, &["via"], &format!("\"id\":\"{id}\""));
    }
    if let Some(operation) = &filter.operation {
        sql.push(" AND operation = ").push_bind(operation.clone());
    }
    if let Some(since) = span.since {
        sql.push(" AND occurred_at >= ").push_bind(since.micros());
    }
    if let Some(until) = span.until {
        sql.push(" AND occurred_at <= ").push_bind(until.micros());
    }
    let word = match query.direction() {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    sql.push(" ORDER BY ");
    match query.sort {
        Sort::Time => {}
        Sort::Action => {
            sql.push(format_args!("action {word}, "));
        }
        Sort::TargetKind => {
            sql.push(format_args!("target_kind {word}, "));
        }
        Sort::Actor => {
            sql.push(format_args!("actor_name {word}, "));
        }
    }
    sql.push(format_args!("occurred_at {word}, id {word} LIMIT "));
    sql.push_bind(i64::try_from(query.page_size() + 1).unwrap_or(i64::MAX));
    sql.push(" OFFSET ");
    sql.push_bind(i64::try_from(offset).unwrap_or(i64::MAX));
    sql
}

fn one_of<T: ToString>(sql: &mut QueryBuilder<Sqlite>, column: &str, values: &[T]) {
    if values.is_empty() {
        return;
    }
    sql.push(format_args!(" AND {column} IN ("));
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            sql.push(", ");
        }
        sql.push_bind(value.to_string());
    }
    sql.push(")");
}

fn like(sql: &mut QueryBuilder<Sqlite>, columns: &[&str], text: &str) {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    sql.push(" AND (");
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            sql.push(" OR ");
        }
        sql.push(format_args!("{column} LIKE "));
        sql.push_bind(pattern.clone());
        sql.push(" ESCAPE '\\'");
    }
    sql.push(")");
}

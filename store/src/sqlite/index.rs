//! Keeping the index: one process does, the one that holds its lock.

mod check;
mod days;
mod erase;
mod fingerprint;
mod remove;

pub(crate) use check::{Compared, Strange, compare_index};
pub(crate) use remove::Batch;

use super::{connect::Files, dictionaries::damaged, sql::made_of_our_own_texts};
use crate::StoreError;
use days::{Counting, count_days};
use domain::{
    event::EventId,
    leaf::{Hash, Header, leaf_hash},
    slug::Slug,
    time::Timestamp,
};
use sqlx::{Connection, Executor, Row, SqliteConnection, sqlite::SqliteRow};
use std::{fs::File, sync::Arc};
use uuid::Uuid;

/// The index's schema, and its version: an index of another version is made again.
const SCHEMA: &str = include_str!("../../../migrations/sqlite/index/index.sql");
const VERSION: i64 = 4;

/// How many events are taken over in one transaction at most: of more, neighbours are written together, and
/// a large index that is made again is made several times as fast as with a fifth of it.
const STEP: i64 = 250_000;

/// The connection that writes the index, and the lock that makes it the only one.
#[derive(Debug)]
pub(crate) struct Indexer {
    connection: SqliteConnection,
    _lock: File,
    mark: i64,
    /// The texts that take a step over, before and after its days are counted.
    take_over: (Arc<str>, Arc<str>),
    /// Those that remove a batch.
    remove: remove::Texts,
    /// The release that is being carried out, and the place in time before which it is.
    removed_to: Option<(i64, (i64, i64))>,
}

impl Indexer {
    /// Keeps the index from its mark on.
    async fn begin(
        mut connection: SqliteConnection,
        lock: File,
        mark: i64,
    ) -> Result<Self, StoreError> {
        connection.execute(TEMPORARY).await?;
        Ok(Self {
            connection,
            _lock: lock,
            mark,
            take_over: (
                text_of(&[BEGIN, &[&step_after_mark()], KEYS, ADD]),
                text_of(&[MOVE_MARK]),
            ),
            remove: remove::Texts::new(),
            removed_to: None,
        })
    }
}

impl Indexer {
    /// Opens the index to write it; makes it anew where it is not this log's, of another version,
    /// or broken.
    pub(crate) async fn open(
        files: &Files,
        lock: File,
        installation: &[u8; 16],
    ) -> Result<Self, StoreError> {
        match Self::existing(files, installation).await {
            Ok(Some((connection, mark))) => {
                let mut indexer = Self::begin(connection, lock, mark).await?;
                indexer.agree_on_removals().await?;
                return Ok(indexer);
            }
            Ok(None) => {}
            Err(StoreError::DiskFull) => return Err(StoreError::DiskFull),
            Err(error) => tracing::warn!("the index cannot be used and is made again: {error}"),
        }
        files.remove_index()?;
        let mut connection = files.index_writer().await?;
        let mut transaction = connection.begin().await?;
        transaction.execute(SCHEMA).await?;
        transaction
            .execute(made_of_our_own_texts(format!(
                "PRAGMA user_version = {VERSION}"
            )))
            .await?;
        sqlx::query(
            "INSERT INTO mark (one, installation, n, leaf, removals) \
             SELECT 1, ?, 0, NULL, batches FROM log.removal",
        )
        .bind(&installation[..])
        .execute(&mut *transaction)
        .await?;
        transaction.execute(UNNAMED).await?;
        transaction.commit().await?;
        Self::begin(connection, lock, 0).await
    }

    /// The index as it is, where it is this log's and agrees with it at its mark.
    async fn existing(
        files: &Files,
        installation: &[u8; 16],
    ) -> Result<Option<(SqliteConnection, i64)>, StoreError> {
        if !files.index.exists() {
            return Ok(None);
        }
        let mut connection = files.index_writer().await?;
        let version: i64 = sqlx::query_scalar("PRAGMA main.user_version")
            .fetch_one(&mut connection)
            .await?;
        if version != VERSION {
            connection.close().await?;
            return Ok(None);
        }
        let row = sqlx::query(
            "SELECT installation, n, leaf, removals - (SELECT batches FROM log.removal) FROM mark",
        )
        .fetch_one(&mut connection)
        .await?;
        let owner: &[u8] = row.try_get(0)?;
        let mark: i64 = row.try_get(1)?;
        let leaf: Option<&[u8]> = row.try_get(2)?;
        // Ahead of the log by the last batch at most, which is taken over again; never behind it.
        let removed_ahead: i64 = row.try_get(3)?;
        let agrees = owner == installation
            && (0..=1).contains(&removed_ahead)
            && match leaf {
                None => mark == 0,
                Some(leaf) => hash_at(&mut connection, mark)
                    .await?
                    .is_some_and(|hash| hash.0 == leaf),
            };
        if agrees {
            return Ok(Some((connection, mark)));
        }
        tracing::info!("the index belongs to another log, or to another state of this one");
        connection.close().await?;
        Ok(None)
    }

    /// Takes over a step's worth of events, but for the last `behind`, unless they are up to the one that is
    /// `wanted`; gives the new mark, and the log's head.
    pub(crate) async fn step(
        &mut self,
        behind: i64,
        wanted: i64,
    ) -> Result<(i64, i64), StoreError> {
        let row = sqlx::query(END_OF_STEP)
            .bind(self.mark)
            .bind(STEP)
            .bind(behind)
            .bind(wanted)
            .fetch_one(&mut self.connection)
            .await?;
        let head = row.try_get::<Option<i64>, _>(0)?.unwrap_or(0);
        let end = head.saturating_sub(behind).max(wanted);
        if head.min(end) <= self.mark {
            return Ok((self.mark, head));
        }
        let to = row
            .try_get::<Option<i64>, _>(1)?
            .ok_or_else(|| damaged("the end of the log is not there"))?;
        let leaf = hash_in(&row, 2)?;
        if let Err(error) = self.take_over(to, &leaf).await {
            let _ = self.connection.execute("ROLLBACK").await;
            return Err(error);
        }
        self.mark = to;
        Ok((to, head))
    }

    /// Takes over what is after the mark, up to the event `to`, whose leaf has the hash `leaf`.
    async fn take_over(&mut self, to: i64, leaf: &Hash) -> Result<(), StoreError> {
        let connection = &mut self.connection;
        let (add, move_mark) = &self.take_over;
        sqlx::query(made_of_our_own_texts(Arc::clone(add)))
            .bind(self.mark)
            .bind(to)
            .execute(&mut *connection)
            .await?;
        count_days(connection, Counting::Up).await?;
        sqlx::query(made_of_our_own_texts(Arc::clone(move_mark)))
            .bind(to)
            .bind(&leaf.0[..])
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Notes again which texts unfinished releases may have left that nothing names: some of their
    /// events may have been gone before they could be counted.
    pub(crate) async fn note_unnamed(&mut self) -> Result<(), StoreError> {
        self.connection.execute(UNNAMED).await?;
        Ok(())
    }

    pub(crate) async fn close(self) -> Result<(), StoreError> {
        Ok(self.connection.close().await?)
    }
}

/// What a release emptied of its last event before now is not counted any more: it is noted, so that its
/// texts are emptied when the release ends.
const UNNAMED: &str = "INSERT INTO count_actor (ws, key, events, entries)
     SELECT ws, num, 0, 0 FROM log.actor
     WHERE ws IN (SELECT ws FROM log.release WHERE finished_at IS NULL
         UNION SELECT ws FROM log.erasure WHERE finished_at IS NULL) ON CONFLICT DO NOTHING;
     INSERT INTO count_target (ws, key, events, entries)
     SELECT ws, num, 0, 0 FROM log.target
     WHERE ws IN (SELECT ws FROM log.release WHERE finished_at IS NULL
         UNION SELECT ws FROM log.erasure WHERE finished_at IS NULL) ON CONFLICT DO NOTHING";

/// The columns that a leaf's header is made of.
macro_rules! header_of_leaf {
    () => {
        "l.id, l.occurred_at, l.recorded_at, l.parts, l.seq, t.slug, w.slug"
    };
}

/// The log's head, the last event of the step after the mark ?1 of at most ?2 events, and the header
/// of its leaf: but for the last ?3 events, unless ?4 is one of them.
pub(super) const END_OF_STEP: &str = concat!(
    "SELECT h.n, l.n, ",
    header_of_leaf!(),
    " FROM (SELECT (SELECT max(n) FROM log.leaf) AS n) h \
     LEFT JOIN log.leaf l ON l.n = min(h.n, ?1 + ?2, max(h.n - ?3, ?4)) \
     LEFT JOIN log.tenant t ON t.id = l.tenant LEFT JOIN log.workspace w ON w.id = l.ws"
);

/// The hash of the leaf with number `n`, computed from the log.
async fn hash_at(connection: &mut SqliteConnection, n: i64) -> Result<Option<Hash>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        header_of_leaf!(),
        " FROM log.leaf l JOIN log.tenant t ON t.id = l.tenant \
         LEFT JOIN log.workspace w ON w.id = l.ws WHERE l.n = ?"
    ))
    .bind(n)
    .fetch_optional(connection)
    .await?;
    row.map(|row| hash_in(&row, 0)).transpose()
}

/// The hash of the leaf whose header stands in a row from column `from` on.
fn hash_in(row: &SqliteRow, from: usize) -> Result<Hash, StoreError> {
    let broken = |_| damaged("a leaf is broken");
    let slug = |text: &str| {
        text.parse::<Slug>()
            .map_err(|_| damaged("a slug is broken"))
    };
    let id = Uuid::from_slice(row.try_get(from)?).map_err(|_| damaged("an id is broken"))?;
    let parts = <[u8; 32]>::try_from(row.try_get::<&[u8], _>(from + 3)?).map_err(broken)?;
    let tenant = slug(row.try_get(from + 5)?)?;
    let workspace: Option<&str> = row.try_get(from + 6)?;
    let workspace = workspace.map(slug).transpose()?;
    Ok(leaf_hash(&Header {
        id: EventId(id),
        occurred_at: Timestamp::from_micros(row.try_get(from + 1)?),
        parts: Hash(parts),
        recorded_at: Timestamp::from_micros(row.try_get(from + 2)?),
        seq: u64::try_from(row.try_get::<i64, _>(from + 4)?).unwrap_or_default(),
        tenant: &tenant,
        workspace: workspace.as_ref(),
    }))
}

/// Where a step's events stand while the copies are filled from them.
const TEMPORARY: &str = "
    CREATE TEMP TABLE batch (n INTEGER PRIMARY KEY, ws, at, actor, via, action, kind, target,
        related, outcome, operation, key);
    CREATE TEMP TABLE of_actor (ws, key, at, n, own, actor, via, action, kind, target, related,
        outcome);
    CREATE TEMP TABLE of_target (ws, key, at, n, own, actor, via, action, kind, target, related,
        outcome);
    CREATE TEMP TABLE of_kind (ws, key, at, n, own, actor, via, action, kind, target, related,
        outcome)";

/// One text of several lists of statements.
fn text_of(parts: &[&[&str]]) -> Arc<str> {
    parts.concat().join(";\n").into()
}

/// Begins a transaction, with nothing in the temporary tables. Not IMMEDIATE: that would take the
/// write lock of the log too, which is attached, and keep those waiting who record.
const BEGIN: &[&str] = &[
    "BEGIN",
    EMPTY_BATCH,
    EMPTY_ACTORS,
    EMPTY_TARGETS,
    EMPTY_KINDS,
];

/// Empties the temporary tables, for another batch in the same transaction.
const EMPTY: &[&str] = &[EMPTY_BATCH, EMPTY_ACTORS, EMPTY_TARGETS, EMPTY_KINDS];

const EMPTY_BATCH: &str = "DELETE FROM temp.batch";
const EMPTY_ACTORS: &str = "DELETE FROM temp.of_actor";
const EMPTY_TARGETS: &str = "DELETE FROM temp.of_target";
const EMPTY_KINDS: &str = "DELETE FROM temp.of_kind";

/// The events after number ?1 and up to ?2, as a batch has them.
const EVENTS_AFTER_MARK: &str = "
     SELECT l.n, l.ws, l.occurred_at AS at, c.actor, c.via, c.action, t.kind, c.target, c.related,
         c.outcome, c.operation, c.key
     FROM log.leaf l JOIN log.content c ON c.n = l.n
     LEFT JOIN log.target t ON t.ws = l.ws AND t.num = c.target
     WHERE l.n > ?1 AND l.n <= ?2";

/// Makes a batch of them.
fn step_after_mark() -> String {
    format!("INSERT INTO temp.batch {EVENTS_AFTER_MARK}")
}

/// Under which actors, targets and kinds the events of a batch stand.
const KEYS: &[&str] = &[
    "INSERT INTO temp.of_actor
     SELECT ws, actor AS key, at, n, 1 AS own, actor, via, action, kind, target, related, outcome
     FROM batch
     UNION ALL
     SELECT DISTINCT b.ws, m.value, b.at, b.n, 0, b.actor, b.via, b.action, b.kind, b.target,
         b.related, b.outcome
     FROM batch b JOIN log.via v ON v.ws = b.ws AND v.num = b.via, json_each(v.members) m",
    "INSERT INTO temp.of_target
     SELECT ws, target AS key, at, n, 1 AS own, actor, via, action, kind, target, related, outcome
     FROM batch
     UNION ALL
     SELECT DISTINCT b.ws, m.value, b.at, b.n, 0, b.actor, b.via, b.action, b.kind, b.target,
         b.related, b.outcome
     FROM batch b JOIN log.related r ON r.ws = b.ws AND r.num = b.related, json_each(r.members) m",
    // A target is of one kind; related objects may be several of the same.
    "INSERT INTO temp.of_kind
     SELECT ws, kind AS key, at, n, 1 AS own, actor, via, action, kind, target, related, outcome
     FROM batch
     UNION ALL
     SELECT DISTINCT o.ws, coalesce(t.kind, o.kind), o.at, o.n, 0, o.actor, o.via, o.action, o.kind,
         o.target, o.related, o.outcome
     FROM of_target o LEFT JOIN log.target t ON t.ws = o.ws AND t.num = o.key
     WHERE o.own = 0",
];

/// Takes a batch over. Each copy is filled in its own order, so that neighbours are written
/// together.
const ADD: &[&str] = &[
    "INSERT INTO by_time (ws, at, n, actor, via, action, kind, target, related, outcome)
     SELECT ws, at, n, actor, via, action, kind, target, related, outcome FROM batch
     ORDER BY ws, at, n",
    "INSERT INTO by_actor
         (ws, key, at, n, own, actor, via, action, kind, target, related, outcome)
     SELECT * FROM of_actor ORDER BY ws, key, at, n, own",
    "INSERT INTO by_action (ws, key, at, n, actor, via, action, kind, target, related, outcome)
     SELECT ws, action, at, n, actor, via, action, kind, target, related, outcome FROM batch
     ORDER BY ws, action, at, n",
    "INSERT INTO by_target
         (ws, key, at, n, own, actor, via, action, kind, target, related, outcome)
     SELECT * FROM of_target ORDER BY ws, key, at, n, own",
    "INSERT INTO by_kind
         (ws, key, at, n, own, actor, via, action, kind, target, related, outcome)
     SELECT * FROM of_kind ORDER BY ws, key, at, n, own",
    "INSERT INTO by_outcome (ws, key, at, n, actor, via, action, kind, target, related, outcome)
     SELECT ws, outcome, at, n, actor, via, action, kind, target, related, outcome FROM batch
     WHERE outcome <> 0 ORDER BY ws, outcome, at, n",
    "INSERT INTO by_operation (ws, key, at, n, actor, via, action, kind, target, related, outcome)
     SELECT ws, operation, at, n, actor, via, action, kind, target, related, outcome FROM batch
     WHERE operation IS NOT NULL ORDER BY ws, operation, at, n",
    "INSERT INTO by_key (hash, n) SELECT key, n FROM batch WHERE key IS NOT NULL ORDER BY key",
    "INSERT INTO count_actor (ws, key, events, entries)
     SELECT ws, key, sum(own), count(*) FROM of_actor WHERE true GROUP BY ws, key
     ON CONFLICT DO UPDATE SET events = events + excluded.events,
         entries = entries + excluded.entries",
    "INSERT INTO count_action (ws, key, events)
     SELECT ws, action, count(*) FROM batch WHERE true GROUP BY ws, action
     ON CONFLICT DO UPDATE SET events = events + excluded.events",
    "INSERT INTO count_kind (ws, key, events, entries)
     SELECT ws, key, sum(own), count(*) FROM of_kind WHERE true GROUP BY ws, key
     ON CONFLICT DO UPDATE SET events = events + excluded.events,
         entries = entries + excluded.entries",
    "INSERT INTO count_target (ws, key, events, entries)
     SELECT ws, key, sum(own), count(*) FROM of_target WHERE true GROUP BY ws, key
     ON CONFLICT DO UPDATE SET events = events + excluded.events,
         entries = entries + excluded.entries",
    "INSERT INTO count_outcome (ws, key, events)
     SELECT ws, outcome, count(*) FROM batch WHERE true GROUP BY ws, outcome
     ON CONFLICT DO UPDATE SET events = events + excluded.events",
    "INSERT INTO count_pair (ws, action, actor, events)
     SELECT ws, action, actor, count(*) FROM batch WHERE true GROUP BY ws, action, actor
     ON CONFLICT DO UPDATE SET events = events + excluded.events",
    "INSERT INTO count_action_kind (ws, action, kind, events)
     SELECT ws, action, kind, count(*) FROM batch WHERE true GROUP BY ws, action, kind
     ON CONFLICT DO UPDATE SET events = events + excluded.events",
    "INSERT INTO count_via (ws, key, actor, events)
     SELECT ws, key, actor, count(*) FROM of_actor WHERE own = 0 GROUP BY ws, key, actor
     ON CONFLICT DO UPDATE SET events = events + excluded.events",
];

/// The mark is at event ?1 now, whose leaf has the hash ?2.
const MOVE_MARK: &[&str] = &["UPDATE mark SET n = ?1, leaf = ?2", "COMMIT"];

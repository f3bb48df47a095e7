//! Whether the index is what would be made from the log: who alters it alters what is found, and not what
//! was recorded.

use super::{
    super::{connect::Files, sql::made_of_our_own_texts},
    EMPTY, KEYS, TEMPORARY, VERSION,
    days::days_differ,
    fingerprint::{self, Fingerprints},
    hash_at, step_after_mark, text_of,
};
use crate::StoreError;
use sqlx::{Connection, Executor, Row, SqliteConnection};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// So many events are compared at a time.
const STEP: i64 = 50_000;
/// How often, and after how long each time, the files are looked at again where one is ahead of the other,
/// as they are for a moment while something is removed.
const LOOKS: u32 = 100;
const AGAIN: Duration = Duration::from_millis(20);

/// What the other filters test stands in every copy but that of keys.
const FILTERS: [&str; 7] = [
    "actor", "via", "action", "kind", "target", "related", "outcome",
];

/// A copy of the events: its table, what its rows are made from and which of these, the names of its key's
/// columns there, and whether it has what filters test.
struct Copy {
    table: &'static str,
    from: &'static str,
    which: &'static str,
    key: &'static [(&'static str, &'static str)],
    has_filters: bool,
}

/// What lists name an event under.
const LISTED: &[(&str, &str)] = &[
    ("ws", "ws"),
    ("key", "key"),
    ("at", "at"),
    ("n", "n"),
    ("own", "own"),
];

const COPIES: [Copy; 8] = [
    Copy {
        table: "by_time",
        from: "batch",
        which: "TRUE",
        key: &[("ws", "ws"), ("at", "at"), ("n", "n")],
        has_filters: true,
    },
    Copy {
        table: "by_actor",
        from: "of_actor",
        which: "TRUE",
        key: LISTED,
        has_filters: true,
    },
    Copy {
        table: "by_action",
        from: "batch",
        which: "TRUE",
        key: &[("ws", "ws"), ("key", "action"), ("at", "at"), ("n", "n")],
        has_filters: true,
    },
    Copy {
        table: "by_target",
        from: "of_target",
        which: "TRUE",
        key: LISTED,
        has_filters: true,
    },
    Copy {
        table: "by_kind",
        from: "of_kind",
        which: "TRUE",
        key: LISTED,
        has_filters: true,
    },
    Copy {
        table: "by_outcome",
        from: "batch",
        which: "b.outcome <> 0",
        key: &[("ws", "ws"), ("key", "outcome"), ("at", "at"), ("n", "n")],
        has_filters: true,
    },
    Copy {
        table: "by_operation",
        from: "batch",
        which: "b.operation IS NOT NULL",
        key: &[("ws", "ws"), ("key", "operation"), ("at", "at"), ("n", "n")],
        has_filters: true,
    },
    Copy {
        table: "by_key",
        from: "batch",
        which: "b.key IS NOT NULL",
        key: &[("hash", "key"), ("n", "n")],
        has_filters: false,
    },
];

/// What is counted: its table, the columns that name it, those that count it, and what it is to be, counted in
/// the copies, once they are right. Those that take longest come first.
const COUNTS: [(&str, &[&str], &[&str], &str); 8] = [
    (
        "count_pair",
        &["ws", "action", "actor"],
        &["events"],
        "SELECT ws, key AS action, actor, count(*) AS events FROM by_action GROUP BY ws, key, actor",
    ),
    (
        "count_outcome",
        &["ws", "key"],
        &["events"],
        "SELECT ws, outcome AS key, count(*) AS events FROM by_time GROUP BY ws, outcome",
    ),
    (
        "count_action_kind",
        &["ws", "action", "kind"],
        &["events"],
        "SELECT ws, key AS action, kind, count(*) AS events FROM by_action GROUP BY ws, key, kind",
    ),
    (
        "count_target",
        &["ws", "key"],
        &["events", "entries"],
        "SELECT ws, key, sum(own) AS events, count(*) AS entries FROM by_target GROUP BY ws, key",
    ),
    (
        "count_actor",
        &["ws", "key"],
        &["events", "entries"],
        "SELECT ws, key, sum(own) AS events, count(*) AS entries FROM by_actor GROUP BY ws, key",
    ),
    (
        "count_kind",
        &["ws", "key"],
        &["events", "entries"],
        "SELECT ws, key, sum(own) AS events, count(*) AS entries FROM by_kind GROUP BY ws, key",
    ),
    (
        "count_via",
        &["ws", "key", "actor"],
        &["events"],
        "SELECT ws, key, actor, count(*) AS events FROM by_actor WHERE own = 0 GROUP BY ws, key, actor",
    ),
    (
        "count_action",
        &["ws", "key"],
        &["events"],
        "SELECT ws, key, count(*) AS events FROM by_action GROUP BY ws, key",
    ),
];

/// What came of comparing an index with its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// There is none of this log as it is: who opens the log makes it anew.
    Nothing,
    /// As far as it is, it is what would be made from the log.
    Alike,
    /// Something in it is not.
    Strange(Strange),
}

/// What of an index is not what would be made from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Strange {
    /// It does not have an event as it should: the event's number, and the table.
    Event(i64, &'static str),
    /// It has so many rows in a table more than it should.
    Rows(u64, &'static str),
    /// It has other counts in a table.
    Counts(&'static str),
}

impl Copy {
    /// The number of the first event of a step of which the copy has not all rows as they should be, and how
    /// many rows it should have.
    fn missing(&self) -> String {
        let filters = FILTERS.iter().filter(|_| self.has_filters);
        let same: Vec<String> = (self.key.iter())
            .map(|(own, from)| format!("x.{own} = b.{from}"))
            .chain(filters.map(|name| format!("x.{name} IS b.{name}")))
            .collect();
        format!(
            "SELECT min(CASE WHEN NOT EXISTS (SELECT 1 FROM main.{} x WHERE {}) THEN b.n END), count(*) \
             FROM temp.{} b WHERE {}",
            self.table,
            same.join(" AND "),
            self.from,
            self.which,
        )
    }
}

/// Compares the index beside a log with it. Tells now and then how many events were compared.
///
/// Fingerprints tell whether the two agree; where they do not, what differs first is looked for, which takes
/// several times as long.
pub(crate) async fn compare_index(
    log: &Path,
    told: impl Fn(u64) + Send + Sync,
) -> Result<Compared, StoreError> {
    let files = Files::new(log, None);
    if !files.index.exists() {
        return Ok(Compared::Nothing);
    }
    let (mut one, mut other) = (files.index_compared().await?, files.index_compared().await?);
    if begin(&mut one, &mut other).await?.is_none() {
        return Ok(Compared::Nothing);
    }
    one.execute("ROLLBACK").await?;
    other.execute("ROLLBACK").await?;
    let fingerprints = fingerprint::compare(&files, &told).await;
    if fingerprints == Fingerprints::Alike {
        return Ok(Compared::Alike);
    }
    let compared = match begin(&mut one, &mut other).await? {
        None => Compared::Nothing,
        Some(mark) => find_strange(&mut one, &mut other, mark, &told)
            .await?
            .map_or(Compared::Alike, Compared::Strange),
    };
    one.close().await?;
    other.close().await?;
    debug_assert!(
        (fingerprints, &compared) != (Fingerprints::Different, &Compared::Alike),
        "fingerprints differ where nothing does"
    );
    Ok(compared)
}

/// Begins to read on both connections where neither file is ahead of the other in what was removed and
/// rewritten, and where both see the same events up to the number that is returned, after which `one` sees
/// none. None where the index is not of this log as it is, or stays ahead of it: whoever opens the log sets
/// that right.
async fn begin(
    one: &mut SqliteConnection,
    other: &mut SqliteConnection,
) -> Result<Option<i64>, StoreError> {
    let version: i64 = sqlx::query_scalar("PRAGMA main.user_version")
        .fetch_one(&mut *one)
        .await?;
    if version != VERSION {
        return Ok(None);
    }
    for _ in 0..LOOKS {
        one.execute("BEGIN").await?;
        other.execute("BEGIN").await?;
        if let (Some((mark, removals)), Some((later, removals_later))) =
            (seen_by(one).await?, seen_by(other).await?)
            && removals == removals_later
            && mark <= later
        {
            return Ok(Some(mark));
        }
        one.execute("ROLLBACK").await?;
        other.execute("ROLLBACK").await?;
        tokio::time::sleep(AGAIN).await;
    }
    Ok(None)
}

/// Up to which event the index is that a connection sees, and how many batches were removed from it; None
/// where what it sees of the log is not the same.
async fn seen_by(connection: &mut SqliteConnection) -> Result<Option<(i64, i64)>, StoreError> {
    let row = sqlx::query(
        "SELECT m.n, m.leaf, m.installation = i.id AND m.removals = r.batches, m.removals \
         FROM main.mark m, log.installation i, log.removal r",
    )
    .fetch_one(&mut *connection)
    .await?;
    let (mark, leaf): (i64, Option<Vec<u8>>) = (row.try_get(0)?, row.try_get(1)?);
    let agrees = match leaf {
        None => mark == 0,
        Some(leaf) => hash_at(connection, mark)
            .await?
            .is_some_and(|hash| hash.0[..] == leaf[..]),
    };
    Ok((row.try_get(2)? && agrees).then_some((mark, row.try_get(3)?)))
}

/// What two connections have still to compare, and what they found.
struct Work<'a, T> {
    mark: i64,
    /// The event before the next step.
    next: AtomicI64,
    /// What is compared next: days, then those of [`COUNTS`].
    next_count: AtomicUsize,
    /// How many events were compared, and who is told.
    compared: AtomicU64,
    told: &'a T,
    /// The rows that each copy should have.
    rows: [AtomicU64; COPIES.len()],
    /// Of what was found: what comes first.
    strange: Mutex<Option<Strange>>,
}

impl<T: Fn(u64) + Sync> Work<'_, T> {
    fn found(&self) -> MutexGuard<'_, Option<Strange>> {
        self.strange.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares what the log has with the copies, a step after the other, up to something strange that
    /// this or the other connection finds.
    async fn compare_events(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        connection.execute(TEMPORARY).await?;
        let step = text_of(&[EMPTY, &[&step_after_mark()], KEYS]);
        let missing: Vec<Arc<str>> = COPIES.iter().map(|copy| copy.missing().into()).collect();
        while self.found().is_none() {
            let from = self.next.fetch_add(STEP, Ordering::Relaxed);
            if from >= self.mark {
                break;
            }
            let to = self.mark.min(from + STEP);
            sqlx::query(made_of_our_own_texts(Arc::clone(&step)))
                .bind(from)
                .bind(to)
                .execute(&mut *connection)
                .await?;
            for ((copy, missing), rows) in COPIES.iter().zip(&missing).zip(&self.rows) {
                let (missing, all): (Option<i64>, i64) =
                    sqlx::query_as(made_of_our_own_texts(Arc::clone(missing)))
                        .fetch_one(&mut *connection)
                        .await?;
                rows.fetch_add(all.unsigned_abs(), Ordering::Relaxed);
                if let Some(n) = missing {
                    self.tell_event(n, copy.table);
                    return Ok(());
                }
            }
            let step = (to - from).unsigned_abs();
            (self.told)(self.compared.fetch_add(step, Ordering::Relaxed) + step);
        }
        Ok(())
    }

    fn tell_event(&self, n: i64, table: &'static str) {
        let mut found = self.found();
        match *found {
            Some(Strange::Event(earlier, _)) if earlier < n => {}
            _ => *found = Some(Strange::Event(n, table)),
        }
    }

    /// Whether the copies have more rows than they should: as everything is there that should be, what else
    /// is there should not be. On the connection that sees no event after the mark.
    async fn compare_rows(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        for (copy, rows) in COPIES.iter().zip(&self.rows) {
            let all = format!("SELECT count(*) FROM main.{}", copy.table);
            let all: i64 = sqlx::query_scalar(made_of_our_own_texts(all))
                .fetch_one(&mut *connection)
                .await?;
            let more = all
                .unsigned_abs()
                .saturating_sub(rows.load(Ordering::Relaxed));
            if more > 0 {
                *self.found() = Some(Strange::Rows(more, copy.table));
                return Ok(());
            }
        }
        Ok(())
    }

    /// Compares what is counted with the copies, a table after the other.
    async fn compare_counts(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        while self.found().is_none() {
            let next = self.next_count.fetch_add(1, Ordering::Relaxed);
            let Some(next) = next.checked_sub(1) else {
                if days_differ(connection).await? {
                    *self.found() = Some(Strange::Counts("count_day"));
                }
                continue;
            };
            let Some((table, names, counts, should)) = COUNTS.get(next) else {
                break;
            };
            let same = |columns: &[&str]| {
                let same = columns.iter().map(|name| format!("x.{name} = b.{name}"));
                same.collect::<Vec<_>>().join(" AND ")
            };
            // Of what is not there any more a count may be left, which is none.
            let some: Vec<String> = counts.iter().map(|name| format!("{name} <> 0")).collect();
            let differ = format!(
                "SELECT count(*) <> (SELECT count(*) FROM main.{table} WHERE {}) \
                     OR coalesce(sum(x.ws IS NULL OR NOT ({})), 0) <> 0 \
                 FROM ({should}) b LEFT JOIN main.{table} x ON {}",
                some.join(" OR "),
                same(counts),
                same(names),
            );
            let differ: bool = sqlx::query_scalar(made_of_our_own_texts(differ))
                .fetch_one(&mut *connection)
                .await?;
            if differ {
                *self.found() = Some(Strange::Counts(table));
            }
        }
        Ok(())
    }
}

async fn find_strange(
    one: &mut SqliteConnection,
    other: &mut SqliteConnection,
    mark: i64,
    told: &(impl Fn(u64) + Sync),
) -> Result<Option<Strange>, StoreError> {
    let work = Work {
        mark,
        next: AtomicI64::new(0),
        next_count: AtomicUsize::new(0),
        compared: AtomicU64::new(0),
        told,
        rows: std::array::from_fn(|_| AtomicU64::new(0)),
        strange: Mutex::new(None),
    };
    tokio::try_join!(work.compare_events(one), work.compare_events(other))?;
    if work.found().is_none() {
        work.compare_rows(one).await?;
    }
    tokio::try_join!(work.compare_counts(one), work.compare_counts(other))?;
    Ok(work.found().take())
}

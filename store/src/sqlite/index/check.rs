//! Whether the index is what would be made from the log: who alters it alters what is found, and not what
//! was recorded.

use super::{
    super::{connect::Files, sql::made_of_our_own_texts},
    EMPTY, KEYS, STEP_AFTER_MARK, TEMPORARY, VERSION, hash_at, text_of,
};
use crate::StoreError;
use sqlx::{Connection, Executor, Row, SqliteConnection};
use std::{path::Path, sync::Arc, time::Duration};

/// So many events are compared at a time.
const STEP: i64 = 20_000;
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

/// What is counted, the columns of it, and what it is to be: counted in the copies, once they are right.
const COUNTS: [(&str, &str, &str); 8] = [
    (
        "count_actor",
        "ws, key, events, entries",
        "SELECT ws, key, sum(own), count(*) FROM by_actor GROUP BY ws, key",
    ),
    (
        "count_action",
        "ws, key, events",
        "SELECT ws, key, count(*) FROM by_action GROUP BY ws, key",
    ),
    (
        "count_kind",
        "ws, key, events, entries",
        "SELECT ws, key, sum(own), count(*) FROM by_kind GROUP BY ws, key",
    ),
    (
        "count_target",
        "ws, key, events, entries",
        "SELECT ws, key, sum(own), count(*) FROM by_target GROUP BY ws, key",
    ),
    (
        "count_outcome",
        "ws, key, events",
        "SELECT ws, outcome, count(*) FROM by_time GROUP BY ws, outcome",
    ),
    (
        "count_pair",
        "ws, action, actor, events",
        "SELECT ws, key, actor, count(*) FROM by_action GROUP BY ws, key, actor",
    ),
    (
        "count_action_kind",
        "ws, action, kind, events",
        "SELECT ws, key, kind, count(*) FROM by_action GROUP BY ws, key, kind",
    ),
    (
        "count_via",
        "ws, key, actor, events",
        "SELECT ws, key, actor, count(*) FROM by_actor WHERE own = 0 GROUP BY ws, key, actor",
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

/// Compares the index beside a log with it, up to the first thing that is not what would be made from the
/// log. Tells now and then how many events were compared.
pub(crate) async fn compare_index(
    log: &Path,
    mut told: impl FnMut(u64) + Send,
) -> Result<Compared, StoreError> {
    let files = Files::new(log, None);
    if !files.index.exists() {
        return Ok(Compared::Nothing);
    }
    let mut connection = files.index_compared().await?;
    let compared = match begin(&mut connection).await? {
        None => Compared::Nothing,
        Some(mark) => {
            let strange = find_strange(&mut connection, mark, &mut told).await?;
            strange.map_or(Compared::Alike, Compared::Strange)
        }
    };
    connection.close().await?;
    Ok(compared)
}

/// Begins to read where neither file is ahead of the other in what was removed and rewritten: up to which
/// event the index is. None where the index is not of this log as it is, or stays ahead of it: whoever
/// opens the log sets that right.
async fn begin(connection: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    let version: i64 = sqlx::query_scalar("PRAGMA main.user_version")
        .fetch_one(&mut *connection)
        .await?;
    if version != VERSION {
        return Ok(None);
    }
    for _ in 0..LOOKS {
        connection.execute("BEGIN").await?;
        let row = sqlx::query(
            "SELECT m.n, m.leaf, m.installation = i.id, m.removals = r.batches \
             FROM main.mark m, log.installation i, log.removal r",
        )
        .fetch_one(&mut *connection)
        .await?;
        let mark: i64 = row.try_get(0)?;
        let leaf: Option<Vec<u8>> = row.try_get(1)?;
        let (is_its, is_even): (bool, bool) = (row.try_get(2)?, row.try_get(3)?);
        let agrees = match leaf {
            None => mark == 0,
            Some(leaf) => hash_at(connection, mark)
                .await?
                .is_some_and(|hash| hash.0[..] == leaf[..]),
        };
        if is_its && is_even && agrees {
            return Ok(Some(mark));
        }
        connection.execute("ROLLBACK").await?;
        tokio::time::sleep(AGAIN).await;
    }
    Ok(None)
}

async fn find_strange(
    connection: &mut SqliteConnection,
    mark: i64,
    told: &mut (impl FnMut(u64) + Send),
) -> Result<Option<Strange>, StoreError> {
    connection.execute(TEMPORARY).await?;
    let step = text_of(&[EMPTY, &[STEP_AFTER_MARK], KEYS]);
    let missing: Vec<Arc<str>> = COPIES.iter().map(|copy| copy.missing().into()).collect();
    let mut rows = [0_u64; COPIES.len()];
    let mut from = 0;
    while from < mark {
        let to = mark.min(from + STEP);
        sqlx::query(made_of_our_own_texts(Arc::clone(&step)))
            .bind(from)
            .bind(to)
            .execute(&mut *connection)
            .await?;
        for ((copy, missing), rows) in COPIES.iter().zip(&missing).zip(&mut rows) {
            let (missing, all): (Option<i64>, i64) =
                sqlx::query_as(made_of_our_own_texts(Arc::clone(missing)))
                    .fetch_one(&mut *connection)
                    .await?;
            if let Some(n) = missing {
                return Ok(Some(Strange::Event(n, copy.table)));
            }
            *rows += all.unsigned_abs();
        }
        from = to;
        told(to.unsigned_abs());
    }
    // Everything that should be there is: what else is there should not.
    for (copy, rows) in COPIES.iter().zip(rows) {
        let all = format!("SELECT count(*) FROM main.{}", copy.table);
        let all: i64 = sqlx::query_scalar(made_of_our_own_texts(all))
            .fetch_one(&mut *connection)
            .await?;
        if all.unsigned_abs() != rows {
            let more = all.unsigned_abs().saturating_sub(rows);
            return Ok(Some(Strange::Rows(more, copy.table)));
        }
    }
    for (table, columns, should) in COUNTS {
        // Of what is not there any more a count may be left, which is none.
        let some = if columns.contains("entries") {
            "events <> 0 OR entries <> 0"
        } else {
            "events <> 0"
        };
        let is = format!("SELECT {columns} FROM {table} WHERE {some}");
        let differ =
            format!("SELECT EXISTS ({is} EXCEPT {should}) OR EXISTS ({should} EXCEPT {is})");
        let differ: bool = sqlx::query_scalar(made_of_our_own_texts(differ))
            .fetch_one(&mut *connection)
            .await?;
        if differ {
            return Ok(Some(Strange::Counts(table)));
        }
    }
    Ok(None)
}

//! Removing what a release covers, in batches: from the index and from the log.
//!
//! The two files are committed one after the other, the index first, and the log in pieces. Both
//! count the batches: where the index is ahead of the log, the batch that it names was not wholly
//! removed from the log, and what is left of it is taken over again.

use super::{
    super::sql::made_of_our_own_texts,
    ADD, BEGIN, EMPTY, Indexer, KEYS,
    days::{Counting, count_days},
    text_of,
};
use crate::StoreError;
use sqlx::{Executor, Row};
use std::sync::Arc;

/// So many events are removed from the log in one transaction, in which nobody else can write.
const PIECE: i64 = 1_000;

/// So many texts are emptied in one. After each, whoever has the workspace's texts in memory reads all
/// of them again, which takes longer.
const TEXTS: i64 = 100_000;

/// What of a release is removed next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub(crate) ws: i64,
    /// What occurred before this moment,
    pub(crate) before: i64,
    /// and has a number up to this.
    pub(crate) up_to: i64,
    /// After this place in time: what comes before it is gone.
    pub(crate) after: (i64, i64),
    /// So many events at most.
    pub(crate) most: i64,
}

/// What came of removing a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Removed {
    /// So many events were removed.
    pub(crate) events: i64,
    /// Up to this place in time.
    pub(crate) to: (i64, i64),
}

/// The texts that remove a batch.
#[derive(Debug)]
pub(super) struct Texts {
    gather: Arc<str>,
    /// Before and after days are counted.
    from_index: (Arc<str>, Arc<str>),
    /// Before, between and after.
    restore: [Arc<str>; 3],
}

impl Texts {
    pub(super) fn new() -> Self {
        Self {
            gather: text_of(&[BEGIN, &[COVERED], KEYS, &["COMMIT"]]),
            from_index: (
                text_of(&[DURABLY, &["BEGIN"], FROM_COPIES]),
                text_of(&[COUNTED]),
            ),
            restore: [
                text_of(&[&["BEGIN"], EMPTY, &[NAMED_AND_THERE], KEYS, FROM_COPIES]),
                text_of(&[EMPTY, &[NAMED_LAST], KEYS, ADD]),
                text_of(&[RESTORED]),
            ],
        }
    }
}

impl Indexer {
    /// The place in time before which a release is carried out, as far as is known.
    pub(crate) fn removed_to(&self, release: i64) -> (i64, i64) {
        self.removed_to
            .filter(|(known, _)| *known == release)
            .map_or((i64::MIN, i64::MIN), |(_, to)| to)
    }

    /// A release is carried out up to a place in time.
    pub(crate) fn removed(&mut self, release: i64, to: (i64, i64)) {
        self.removed_to = Some((release, to));
    }

    /// Gathers a batch of what a release covers, which nobody is kept waiting for: how much that is,
    /// and up to where.
    pub(crate) async fn gather(&mut self, batch: &Batch) -> Result<Removed, StoreError> {
        let text = made_of_our_own_texts(Arc::clone(&self.remove.gather));
        let gathered = sqlx::query(text)
            .bind(batch.ws)
            .bind(batch.before)
            .bind(batch.up_to)
            .bind(batch.after.0)
            .bind(batch.after.1)
            .bind(batch.most)
            .execute(&mut self.connection)
            .await;
        self.undone_unless_ok(gathered).await?;
        let last: Option<(i64, i64)> =
            sqlx::query_as("SELECT at, n FROM temp.batch ORDER BY at DESC, n DESC LIMIT 1")
                .fetch_optional(&mut self.connection)
                .await?;
        let events: i64 = sqlx::query_scalar("SELECT count(*) FROM temp.batch")
            .fetch_one(&mut self.connection)
            .await?;
        Ok(Removed {
            events,
            to: last.unwrap_or(batch.after),
        })
    }

    /// Removes the batch that was gathered from the index.
    pub(crate) async fn remove_from_index(&mut self) -> Result<(), StoreError> {
        let removed = self.remove_from_copies().await;
        self.undone_unless_ok(removed).await
    }

    async fn remove_from_copies(&mut self) -> Result<(), StoreError> {
        let connection = &mut self.connection;
        let (from_copies, counted) = &self.remove.from_index;
        connection
            .execute(made_of_our_own_texts(Arc::clone(from_copies)))
            .await?;
        count_days(connection, Counting::Down).await?;
        connection
            .execute(made_of_our_own_texts(Arc::clone(counted)))
            .await?;
        Ok(())
    }

    /// Removes a piece of that batch from the log as well, of the events after number `after` (at
    /// first 0); nobody else may be writing the log. Gives the number to go on after, until all of
    /// it is removed. On an error what is left of the batch is taken over again: the database
    /// refuses what no release covers, and everything while a legal hold stands.
    pub(crate) async fn remove_from_log(&mut self, after: i64) -> Result<Option<i64>, StoreError> {
        let (to, last): (i64, i64) = sqlx::query_as(
            "SELECT max(n), (SELECT max(n) FROM temp.batch) \
             FROM (SELECT n FROM temp.batch WHERE n > ? ORDER BY n LIMIT ?)",
        )
        .bind(after)
        .bind(PIECE)
        .fetch_one(&mut self.connection)
        .await?;
        let text = if to < last { FROM_LOG } else { LAST_FROM_LOG };
        let removed = sqlx::query(text)
            .bind(after)
            .bind(to)
            .execute(&mut self.connection)
            .await;
        if let Err(error) = self.undone_unless_ok(removed).await {
            self.agree_on_removals().await?;
            return Err(error);
        }
        Ok((to < last).then_some(to))
    }

    /// Gives the open transaction up.
    pub(crate) async fn give_up(&mut self) {
        // Some errors have ended it already.
        let _ = self.connection.execute("ROLLBACK").await;
        let _ = self
            .connection
            .execute("PRAGMA main.synchronous = NORMAL")
            .await;
    }

    /// Empties a piece of the texts of a workspace that nothing in the log refers to any more, of
    /// those with numbers after `after` (at first 0); nobody else may be writing the log. Gives the
    /// number to go on after, until there are none.
    pub(crate) async fn empty_texts(
        &mut self,
        ws: i64,
        after: i64,
    ) -> Result<Option<i64>, StoreError> {
        let to: Option<i64> = sqlx::query_scalar(END_OF_TEXTS)
            .bind(ws)
            .bind(after)
            .bind(TEXTS)
            .fetch_one(&mut self.connection)
            .await?;
        let Some(to) = to else {
            return Ok(None);
        };
        let text = made_of_our_own_texts(text_of(&[EMPTY_TEXTS]));
        let emptied = sqlx::query(text)
            .bind(ws)
            .bind(self.mark)
            .bind(after)
            .bind(to)
            .execute(&mut self.connection)
            .await;
        self.undone_unless_ok(emptied).await?;
        Ok(Some(to))
    }

    /// Ends a release of a workspace, whose texts are emptied, at the moment `now`, in microseconds;
    /// nobody else may be writing the log.
    pub(crate) async fn finish_release(
        &mut self,
        release: i64,
        ws: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE log.release SET finished_at = ? WHERE id = ?")
            .bind(now)
            .bind(release)
            .execute(&mut self.connection)
            .await?;
        self.forget_emptied(ws).await
    }

    /// Forgets the texts of a workspace that were emptied.
    pub(crate) async fn forget_emptied(&mut self, ws: i64) -> Result<(), StoreError> {
        // What they stood for is gone; should this be lost, they are passed over the next time.
        sqlx::query(
            "DELETE FROM count_actor WHERE ws = ?1 AND entries = 0; \
             DELETE FROM count_target WHERE ws = ?1 AND entries = 0; \
             DELETE FROM removing",
        )
        .bind(ws)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Whether the index holds everything up to event `n`.
    pub(crate) fn has(&self, n: i64) -> bool {
        self.mark >= n
    }

    /// Takes over again what was removed from the index alone, or changed in it alone.
    pub(crate) async fn agree_on_removals(&mut self) -> Result<(), StoreError> {
        let ahead: i64 =
            sqlx::query("SELECT removals - (SELECT batches FROM log.removal) FROM mark")
                .fetch_one(&mut self.connection)
                .await?
                .try_get(0)?;
        if ahead == 0 {
            return Ok(());
        }
        let restored = self.restore().await;
        self.undone_unless_ok(restored).await
    }

    async fn restore(&mut self) -> Result<(), StoreError> {
        let connection = &mut self.connection;
        let [take_out, take_over, restored] = &self.remove.restore;
        connection
            .execute(made_of_our_own_texts(Arc::clone(take_out)))
            .await?;
        count_days(connection, Counting::Down).await?;
        connection
            .execute(made_of_our_own_texts(Arc::clone(take_over)))
            .await?;
        count_days(connection, Counting::Up).await?;
        connection
            .execute(made_of_our_own_texts(Arc::clone(restored)))
            .await?;
        Ok(())
    }

    pub(super) async fn undone_unless_ok<T, E: Into<StoreError>>(
        &mut self,
        result: Result<T, E>,
    ) -> Result<(), StoreError> {
        if let Err(error) = result {
            self.give_up().await;
            return Err(error.into());
        }
        Ok(())
    }
}

/// What occurred in ?1 before ?2 with a number up to ?3, after the place (?4, ?5), ?6 at most.
const COVERED: &str = "INSERT INTO temp.batch
     SELECT b.n, b.ws, b.at, b.actor, b.via, b.action, b.kind, b.target, b.related, b.outcome,
         c.operation, c.key
     FROM by_time b CROSS JOIN log.content c ON c.n = b.n
     WHERE b.ws = ?1 AND b.at < ?2 AND (b.at, b.n) > (?4, ?5) AND b.n <= ?3 AND c.keep = 0
     ORDER BY b.at, b.n LIMIT ?6";

/// What the index has of the last batch that it counts: what is removed is not there, what was erased is there
/// as it is now to be.
const NAMED_AND_THERE: &str = "INSERT INTO temp.batch
     SELECT b.n, b.ws, b.at, b.actor, b.via, b.action, b.kind, b.target, b.related, b.outcome,
         c.operation, c.key
     FROM removing x JOIN log.leaf l ON l.n = x.n JOIN log.content c ON c.n = l.n
     JOIN by_time b ON b.ws = l.ws AND b.at = l.occurred_at AND b.n = l.n";

/// The same as the log has it.
const NAMED_LAST: &str = "INSERT INTO temp.batch
     SELECT l.n, l.ws, l.occurred_at AS at, c.actor, c.via, c.action, t.kind, c.target, c.related,
         c.outcome, c.operation, c.key
     FROM removing x JOIN log.leaf l ON l.n = x.n JOIN log.content c ON c.n = l.n
     LEFT JOIN log.target t ON t.ws = l.ws AND t.num = c.target";

const RESTORED: &[&str] = &[
    "DELETE FROM removing",
    "UPDATE mark SET removals = removals - 1",
    "COMMIT",
];

/// Each copy in its own order, as it was filled. Where the count of an actor or a target comes to
/// nothing it stays, as one of those whose texts are to be emptied.
pub(super) const FROM_COPIES: &[&str] = &[
    "DELETE FROM by_time WHERE (ws, at, n) IN (SELECT ws, at, n FROM batch)",
    "DELETE FROM by_actor WHERE (ws, key, at, n, own) IN (SELECT ws, key, at, n, own FROM of_actor)",
    "DELETE FROM by_action WHERE (ws, key, at, n) IN (SELECT ws, action, at, n FROM batch)",
    "DELETE FROM by_target
     WHERE (ws, key, at, n, own) IN (SELECT ws, key, at, n, own FROM of_target)",
    "DELETE FROM by_kind WHERE (ws, key, at, n, own) IN (SELECT ws, key, at, n, own FROM of_kind)",
    "DELETE FROM by_outcome
     WHERE (ws, key, at, n) IN (SELECT ws, outcome, at, n FROM batch WHERE outcome <> 0)",
    // Without its type the operation is not looked for in the key.
    "DELETE FROM by_operation
     WHERE (ws, key, at, n) IN
         (SELECT ws, CAST(operation AS TEXT), at, n FROM batch WHERE operation IS NOT NULL)",
    "DELETE FROM by_key WHERE (hash, n) IN (SELECT key, n FROM batch WHERE key IS NOT NULL)",
    "UPDATE count_actor SET events = count_actor.events - x.events, entries = count_actor.entries - x.entries
     FROM (SELECT ws, key, sum(own) AS events, count(*) AS entries FROM of_actor GROUP BY ws, key) x
     WHERE count_actor.ws = x.ws AND count_actor.key = x.key",
    "UPDATE count_action SET events = count_action.events - x.events
     FROM (SELECT ws, action AS key, count(*) AS events FROM batch GROUP BY ws, action) x
     WHERE count_action.ws = x.ws AND count_action.key = x.key",
    "UPDATE count_kind SET events = count_kind.events - x.events, entries = count_kind.entries - x.entries
     FROM (SELECT ws, key, sum(own) AS events, count(*) AS entries FROM of_kind GROUP BY ws, key) x
     WHERE count_kind.ws = x.ws AND count_kind.key = x.key",
    "UPDATE count_target SET events = count_target.events - x.events, entries = count_target.entries - x.entries
     FROM (SELECT ws, key, sum(own) AS events, count(*) AS entries FROM of_target GROUP BY ws, key) x
     WHERE count_target.ws = x.ws AND count_target.key = x.key",
    "UPDATE count_outcome SET events = count_outcome.events - x.events
     FROM (SELECT ws, outcome AS key, count(*) AS events FROM batch GROUP BY ws, outcome) x
     WHERE count_outcome.ws = x.ws AND count_outcome.key = x.key",
    "UPDATE count_pair SET events = count_pair.events - x.events
     FROM (SELECT ws, action, actor, count(*) AS events FROM batch GROUP BY ws, action, actor) x
     WHERE count_pair.ws = x.ws AND count_pair.action = x.action AND count_pair.actor = x.actor",
    "UPDATE count_action_kind SET events = count_action_kind.events - x.events
     FROM (SELECT ws, action, kind, count(*) AS events FROM batch GROUP BY ws, action, kind) x
     WHERE count_action_kind.ws = x.ws AND count_action_kind.action = x.action
         AND count_action_kind.kind = x.kind",
    "UPDATE count_via SET events = count_via.events - x.events
     FROM (SELECT ws, key, actor, count(*) AS events FROM of_actor WHERE own = 0
         GROUP BY ws, key, actor) x
     WHERE count_via.ws = x.ws AND count_via.key = x.key AND count_via.actor = x.actor",
    "DELETE FROM count_action WHERE events = 0 AND (ws, key) IN (SELECT ws, action FROM batch)",
    "DELETE FROM count_kind WHERE entries = 0 AND (ws, key) IN (SELECT ws, key FROM of_kind)",
    "DELETE FROM count_outcome WHERE events = 0 AND (ws, key) IN (SELECT ws, outcome FROM batch)",
    "DELETE FROM count_pair
     WHERE events = 0 AND (ws, action, actor) IN (SELECT ws, action, actor FROM batch)",
    "DELETE FROM count_action_kind
     WHERE events = 0 AND (ws, action, kind) IN (SELECT ws, action, kind FROM batch)",
    "DELETE FROM count_via
     WHERE events = 0 AND (ws, key, actor) IN (SELECT ws, key, actor FROM of_actor WHERE own = 0)",
];

/// An index that had lost a batch when the log has not would have to be made anew.
pub(super) const DURABLY: &[&str] = &[
    "PRAGMA main.synchronous = FULL",
    "PRAGMA log.synchronous = FULL",
];

/// The batch is the last one that the index counts.
pub(super) const COUNTED: &[&str] = &[
    "DELETE FROM removing",
    "INSERT INTO removing (n) SELECT n FROM batch",
    "UPDATE mark SET removals = removals + 1",
    "COMMIT",
    // What else is written to the index need not be durable at once.
    "PRAGMA main.synchronous = NORMAL",
];

/// The events of the batch after number ?1 and up to ?2.
macro_rules! from_log {
    () => {
        "BEGIN IMMEDIATE; \
         DELETE FROM log.content WHERE n IN (SELECT n FROM temp.batch WHERE n > ?1 AND n <= ?2);"
    };
}

const FROM_LOG: &str = concat!(from_log!(), " COMMIT");
const LAST_FROM_LOG: &str = concat!(
    from_log!(),
    " UPDATE log.removal SET batches = batches + 1; COMMIT"
);

/// The last of the next ?3 numbers after ?2 that an actor or a target of ?1 has to which no entry of
/// the index refers.
const END_OF_TEXTS: &str = "SELECT max(key) FROM (
     SELECT key FROM count_actor WHERE ws = ?1 AND entries = 0 AND key > ?2
     UNION ALL SELECT key FROM count_target WHERE ws = ?1 AND entries = 0 AND key > ?2
     ORDER BY key LIMIT ?3)";

/// Empties the actors and targets of ?1 with numbers after ?3 and up to ?4 that have no entry in the
/// index, whose mark is ?2, nor in the log beyond it, and that no unfinished release by erasure puts in the
/// place of what it names.
const EMPTY_TEXTS: &[&str] = &[
    "BEGIN IMMEDIATE",
    "DELETE FROM temp.batch",
    "INSERT INTO temp.batch (n, actor, via, target, related)
     SELECT c.n, c.actor, c.via, c.target, c.related
     FROM log.leaf l JOIN log.content c ON c.n = l.n WHERE l.n > ?2 AND l.ws = ?1",
    "INSERT INTO log.emptied (ws, times) VALUES (?1, 1)
     ON CONFLICT DO UPDATE SET times = times + 1",
    "UPDATE log.actor SET id = NULL, name = NULL, email = NULL
     WHERE ws = ?1 AND num > ?3 AND num <= ?4 AND coalesce(id, name, email) IS NOT NULL
         AND num IN (SELECT key FROM count_actor
             WHERE ws = ?1 AND key > ?3 AND key <= ?4 AND entries = 0)
         AND num NOT IN (SELECT actor FROM temp.batch UNION ALL
             SELECT m.value FROM temp.batch b JOIN log.via v ON v.ws = ?1 AND v.num = b.via,
             json_each(v.members) m)
         AND num NOT IN (SELECT e.actor FROM log.erasure_event e WHERE e.actor IS NOT NULL AND e.erasure IN
                 (SELECT id FROM log.erasure WHERE ws = ?1 AND finished_at IS NULL) UNION
             SELECT m.value FROM (SELECT DISTINCT e.via FROM log.erasure_event e WHERE e.erasure IN
                 (SELECT id FROM log.erasure WHERE ws = ?1 AND finished_at IS NULL)) b
             JOIN log.via v ON v.ws = ?1 AND v.num = b.via, json_each(v.members) m)",
    "UPDATE log.target SET id = NULL, name = NULL, url = NULL
     WHERE ws = ?1 AND num > ?3 AND num <= ?4 AND coalesce(id, name, url) IS NOT NULL
         AND num IN (SELECT key FROM count_target
             WHERE ws = ?1 AND key > ?3 AND key <= ?4 AND entries = 0)
         AND num NOT IN (SELECT target FROM temp.batch UNION ALL
             SELECT m.value FROM temp.batch b JOIN log.related r ON r.ws = ?1 AND r.num = b.related,
             json_each(r.members) m)
         AND num NOT IN (SELECT e.target FROM log.erasure_event e WHERE e.target IS NOT NULL AND e.erasure IN
                 (SELECT id FROM log.erasure WHERE ws = ?1 AND finished_at IS NULL) UNION
             SELECT m.value FROM (SELECT DISTINCT e.related FROM log.erasure_event e WHERE e.erasure IN
                 (SELECT id FROM log.erasure WHERE ws = ?1 AND finished_at IS NULL)) b
             JOIN log.related r ON r.ws = ?1 AND r.num = b.related, json_each(r.members) m)",
    "COMMIT",
];

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{
        super::{SCHEMA, TEMPORARY},
        *,
    };
    use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

    /// What is removed is looked for by its whole key: whatever else an index holds is not read.
    #[tokio::test]
    async fn a_batch_is_removed_by_whole_keys() {
        let mut index = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        index.execute(SCHEMA).await.unwrap();
        index.execute(TEMPORARY).await.unwrap();
        let mut looked_at = 0;
        for statement in FROM_COPIES {
            let Some(table) = ["DELETE FROM ", "UPDATE "]
                .iter()
                .find_map(|verb| statement.strip_prefix(verb)?.split_whitespace().next())
                .filter(|table| table.starts_with("by_") || table.starts_with("count_"))
            else {
                continue;
            };
            let key: Vec<String> = sqlx::query_scalar(
                "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk",
            )
            .bind(table)
            .fetch_all(&mut index)
            .await
            .unwrap();
            let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                .fetch_all(&mut index)
                .await
                .unwrap();
            let columns: Vec<_> = key.iter().map(|column| format!("{column}=?")).collect();
            let by_key = format!(
                "SEARCH {table} USING PRIMARY KEY ({})",
                columns.join(" AND ")
            );
            let plan: Vec<String> = rows.iter().map(|row| row.get(3)).collect();
            assert!(plan.contains(&by_key), "{statement}: {plan:#?}");
            looked_at += 1;
        }
        assert!(looked_at > 20);
    }
}

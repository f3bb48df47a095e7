//! Erasing parts of a batch of events: they are taken out of the index, rewritten in the log, and taken
//! over again, all in one transaction, so that nobody who reads or records misses them meanwhile.
//!
//! As with what is removed, both files count the batches, because a transaction over two files commits them
//! one after the other, the index first: where the machine stops between the two, what the index has of the
//! batch that it names is taken over again.

use super::{
    super::{erasure::Rewritten, sql::made_of_our_own_texts},
    ADD, BEGIN, EMPTY, Indexer, KEYS,
    remove::{COUNTED, DURABLY, FROM_COPIES},
    text_of,
};
use crate::StoreError;
use sqlx::Executor;

/// The events with the numbers ?1.
const THESE: &str = "INSERT INTO temp.batch
     SELECT l.n, l.ws, l.occurred_at AS at, c.actor, c.via, c.action, t.kind, c.target, c.related,
         c.outcome, c.operation, c.key
     FROM json_each(?1) j CROSS JOIN log.leaf l ON l.n = j.value JOIN log.content c ON c.n = l.n
     LEFT JOIN log.target t ON t.ws = l.ws AND t.num = c.target";

/// Rewrites the event ?1 under the release ?2.
const REWRITE: &str = "UPDATE log.content SET
         actor = coalesce(e.actor, content.actor),
         via = CASE WHEN e.parts & 4 <> 0 THEN e.via ELSE content.via END,
         target = coalesce(e.target, content.target),
         related = CASE WHEN e.parts & 8 <> 0 THEN e.related ELSE content.related END,
         key = CASE WHEN e.parts & 32 <> 0 THEN NULL ELSE content.key END,
         key_rest = CASE WHEN e.parts & 32 <> 0 THEN NULL ELSE content.key_rest END,
         body = CASE WHEN e.parts & 112 <> 0 THEN ?3 ELSE content.body END,
         salt = zeroblob(16), erased = ?4, proofs = ?5
     FROM log.erasure_event e
     WHERE content.n = ?1 AND e.erasure = ?2 AND e.n = ?1";

impl Indexer {
    /// Whether what goes is overwritten with zeros, in both files.
    pub(crate) async fn overwrite_what_goes(&mut self, whether: bool) -> Result<(), StoreError> {
        let statement = if whether {
            "PRAGMA main.secure_delete = ON; PRAGMA log.secure_delete = ON"
        } else {
            "PRAGMA main.secure_delete = OFF; PRAGMA log.secure_delete = OFF"
        };
        self.connection.execute(statement).await?;
        Ok(())
    }

    /// Gathers the events with these numbers, as they are, to be rewritten.
    pub(crate) async fn gather_these(&mut self, numbers: &str) -> Result<(), StoreError> {
        let text = made_of_our_own_texts(text_of(&[BEGIN, &[THESE], KEYS, &["COMMIT"]]));
        let gathered = sqlx::query(text)
            .bind(numbers)
            .execute(&mut self.connection)
            .await;
        self.undone_unless_ok(gathered).await
    }

    /// Rewrites the batch that was gathered, `numbers` as a JSON array, in the log and in the index; nobody
    /// else may be writing the log. On an error it is as it was.
    pub(crate) async fn rewrite(
        &mut self,
        release: i64,
        numbers: &str,
        events: &[Rewritten],
    ) -> Result<(), StoreError> {
        let rewritten = self.rewrite_in_both(release, numbers, events).await;
        if let Err(error) = self.undone_unless_ok(rewritten).await {
            // One file may have been written when the other could not.
            self.agree_on_removals().await?;
            return Err(error);
        }
        Ok(())
    }

    async fn rewrite_in_both(
        &mut self,
        release: i64,
        numbers: &str,
        events: &[Rewritten],
    ) -> Result<(), sqlx::Error> {
        let out = text_of(&[DURABLY, &["BEGIN IMMEDIATE"], FROM_COPIES]);
        self.connection.execute(made_of_our_own_texts(out)).await?;
        for event in events {
            sqlx::query(REWRITE)
                .bind(event.n)
                .bind(release)
                .bind(event.body.as_deref())
                .bind(i64::from(event.gone.bits()))
                .bind(&event.proofs[..])
                .execute(&mut self.connection)
                .await?;
        }
        let back = text_of(&[
            &["UPDATE log.removal SET batches = batches + 1"],
            EMPTY,
            &[THESE],
            KEYS,
            ADD,
            COUNTED,
        ]);
        sqlx::query(made_of_our_own_texts(back))
            .bind(numbers)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Ends a release by erasure at the moment `now`, in microseconds; nobody else may be writing the log.
    pub(crate) async fn finish_erasure(
        &mut self,
        release: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE log.erasure SET finished_at = ? WHERE id = ?")
            .bind(now)
            .bind(release)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}

//! Erasing parts of a batch of events: they are taken out of the index, rewritten in the log, and taken
//! over again.
//!
//! As with what is removed, both files count the batches, and the index names the last one's events until
//! they are back in it: cut short anywhere, what is in the log and not in the index is taken over.

use super::{
    super::{erasure::Rewritten, sql::made_of_our_own_texts},
    ADD, BEGIN, Indexer, KEYS, text_of,
};
use crate::StoreError;
use sqlx::Executor;

/// The events with the numbers ?1.
const THESE: &str = "INSERT INTO temp.batch
     SELECT l.n, l.ws, l.occurred_at AS at, c.actor, c.via, c.action, t.kind, c.target, c.related,
         c.outcome, c.operation, c.key
     FROM json_each(?1) j CROSS JOIN log.leaf l ON l.n = j.value JOIN log.content c ON c.n = l.n
     LEFT JOIN log.target t ON t.ws = l.ws AND t.num = c.target";

/// Those of the last batch that the log has and the index has not.
const NAMED_AND_MISSING: &str = "INSERT INTO temp.batch
     SELECT l.n, l.ws, l.occurred_at AS at, c.actor, c.via, c.action, t.kind, c.target, c.related,
         c.outcome, c.operation, c.key
     FROM removing x JOIN log.leaf l ON l.n = x.n JOIN log.content c ON c.n = l.n
     LEFT JOIN log.target t ON t.ws = l.ws AND t.num = c.target
     WHERE NOT EXISTS (SELECT 1 FROM by_time b WHERE b.ws = l.ws AND b.at = l.occurred_at AND b.n = l.n)";

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

    /// Gathers the events with these numbers, to be removed from the index.
    pub(crate) async fn gather_these(&mut self, numbers: &[i64]) -> Result<(), StoreError> {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let text = made_of_our_own_texts(text_of(&[BEGIN, &[THESE], KEYS, &["COMMIT"]]));
        let gathered = sqlx::query(text)
            .bind(format!("[{}]", numbers.join(",")))
            .execute(&mut self.connection)
            .await;
        self.undone_unless_ok(gathered).await
    }

    /// Rewrites the gathered batch in the log; nobody else may be writing it. On an error it is taken
    /// over again as it was.
    pub(crate) async fn rewrite_in_log(
        &mut self,
        release: i64,
        events: &[Rewritten],
    ) -> Result<(), StoreError> {
        let rewritten = self.rewrite(release, events).await;
        if let Err(error) = self.undone_unless_ok(rewritten).await {
            self.agree_on_removals().await?;
            return Err(error);
        }
        Ok(())
    }

    async fn rewrite(&mut self, release: i64, events: &[Rewritten]) -> Result<(), sqlx::Error> {
        self.connection.execute("BEGIN IMMEDIATE").await?;
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
        self.connection
            .execute("UPDATE log.removal SET batches = batches + 1; COMMIT")
            .await?;
        Ok(())
    }

    /// Takes over what of the last batch is in the log and not in the index.
    pub(crate) async fn take_back(&mut self) -> Result<(), StoreError> {
        let text = made_of_our_own_texts(text_of(&[
            BEGIN,
            &[NAMED_AND_MISSING],
            KEYS,
            ADD,
            &["DELETE FROM removing", "COMMIT"],
        ]));
        let taken = sqlx::query(text).execute(&mut self.connection).await;
        self.undone_unless_ok(taken).await
    }

    /// Ends a release by erasure of a workspace, whose texts are emptied, at the moment `now`, in
    /// microseconds; nobody else may be writing the log.
    pub(crate) async fn finish_erasure(
        &mut self,
        release: i64,
        ws: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE log.erasure SET finished_at = ? WHERE id = ?")
            .bind(now)
            .bind(release)
            .execute(&mut self.connection)
            .await?;
        self.forget_emptied(ws).await
    }
}

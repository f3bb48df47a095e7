//! Who brought an older copy of the database back on purpose says so: until then nothing is signed that
//! conflicts with what was signed before.

use super::{count, covered, origin, parsed, witness::Conflict};
use crate::{
    Store, StoreError,
    administration::By,
    database,
    holds::Reason,
    sqlite::change::{Log, target, told},
};
use domain::{
    proof::{Checkpoint, Note},
    slug::Slug,
};
use serde_json::json;

/// A tenant's log that is an older copy, on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Whose it is.
    pub tenant: Slug,
    /// How many entries were signed before.
    pub signed: u64,
    /// How many of them a checkpoint covers that is in the database.
    pub holds: u64,
}

impl Store {
    /// Accepts that what was signed before, as this machine remembers it and as these checkpoints say
    /// which witnesses hold, is no past of what the database holds now: it is signed as it is. The log of
    /// each tenant that this is so of tells of it, with the reason. Gives none where nothing conflicts.
    ///
    /// # Errors
    ///
    /// The memory beside the key file cannot be read or written, or the store failed.
    pub async fn accept_restore(
        &self,
        reason: &Reason,
        witnessed: &[Note],
        by: &By,
    ) -> Result<Vec<Accepted>, StoreError> {
        let mut conflicts: Vec<(i64, Conflict)> = Vec::new();
        for note in witnessed {
            conflicts.extend(self.conflict(note).await?);
        }
        let tenants: Vec<(i64, String, String)> =
            database::query_as("SELECT id, slug, name FROM tenant ORDER BY id")
                .fetch_all(&self.inner.readers)
                .await?;
        let mut accepted = Vec::new();
        for (tenant, slug, name) in tenants {
            let slug: Slug = parsed(&slug)?;
            let mut connection = self.inner.readers.acquire().await?;
            let origin = origin(&mut connection, &slug).await?;
            let holds = count(covered(&mut connection, tenant).await?)?;
            drop(connection);
            let mut theirs: Vec<Checkpoint> = conflicts
                .iter()
                .filter(|(of, _)| *of == tenant)
                .map(|(_, conflict)| conflict.checkpoint.clone())
                .collect();
            if self.inner.forgotten_here(tenant, &origin).await?.is_some()
                && let Some((size, root)) = self.inner.proof.memory().signed(&origin)
            {
                let origin = origin.clone();
                theirs.push(Checkpoint { origin, size, root });
            }
            // One that holds more than was ever signed here.
            let ahead: Option<i64> =
                database::query_scalar("SELECT max(ahead) FROM witnessed WHERE tenant = ?")
                    .bind(tenant)
                    .fetch_one(&self.inner.readers)
                    .await?;
            let known = theirs.iter().map(|theirs| theirs.size).max();
            let ahead = ahead.map(count).transpose()?;
            let Some(signed) = known.max(ahead) else {
                continue;
            };
            if known < ahead {
                // Of it the size alone is known.
                theirs.push(Checkpoint {
                    origin: origin.clone(),
                    size: signed,
                    root: domain::leaf::Hash([0; 32]),
                });
            }
            // Cut short anywhere, it is still told that something is wrong: first the log tells of it, then
            // it is accepted, and what is known to be wrong is forgotten last.
            let told = Told {
                tenant,
                slug: &slug,
                name: &name,
                signed,
                holds,
            };
            self.tell_accepted(&told, reason, by).await?;
            self.inner.proof.memory().accept(&origin, &theirs)?;
            self.forget_fault(tenant).await?;
            accepted.push(Accepted {
                tenant: slug,
                signed,
                holds,
            });
        }
        Ok(accepted)
    }

    async fn tell_accepted(
        &self,
        accepted: &Told<'_>,
        reason: &Reason,
        by: &By,
    ) -> Result<(), StoreError> {
        let Told {
            tenant,
            slug,
            name,
            signed,
            holds,
        } = *accepted;
        let mut change = self.inner.change().await?;
        let recorded = async {
            let mut event = told(
                by,
                "AUDIT_RESTORE_ACCEPTED",
                target("tenant", slug.to_string(), name)?,
                Some(json!({ "signed_entries": signed })),
                Some(json!({ "signed_entries": holds })),
            )?;
            event.description = Some(reason.to_string());
            let log = Log {
                ws: -tenant,
                tenant,
            };
            change.record(log, event).await
        }
        .await;
        change.finish(recorded).await?;
        Ok(())
    }

    /// Forgets what is known to be wrong with a tenant's log, and what witnesses hold of it: they are brought
    /// the newest checkpoint.
    async fn forget_fault(&self, tenant: i64) -> Result<(), StoreError> {
        let mut change = self.inner.change().await?;
        let forgotten = async {
            for statement in [
                "UPDATE background_check SET fault = NULL, failed_at = NULL, checked = 0, \
                     root = NULL, rules = NULL WHERE tenant = ?",
                "UPDATE witnessed SET size = 0, ahead = NULL, failing_since = NULL, fault = NULL \
                 WHERE tenant = ?",
            ] {
                database::query(statement)
                    .bind(tenant)
                    .execute(change.connection())
                    .await?;
            }
            Ok::<_, StoreError>(())
        }
        .await;
        change.finish(forgotten).await
    }
}

/// What the log tells of what was accepted.
struct Told<'a> {
    tenant: i64,
    slug: &'a Slug,
    name: &'a str,
    signed: u64,
    holds: u64,
}

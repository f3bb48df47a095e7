//! What witnesses hold, compared with the log.

use crate::{
    Store, StoreError, database,
    proof::{count, covered, origin, parsed, root_of, verifier},
};
use domain::proof::{Checkpoint, Note, VerifierKey};
use std::fmt;

/// What of a checkpoint that a witness holds is wrong, with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// How many entries this log's newest is of.
    pub size: u64,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checkpoint { size, .. } = self.checkpoint;
        if size > self.size {
            write!(
                f,
                "holds a checkpoint of {size} entries, and the newest here is of {}",
                self.size
            )
        } else {
            write!(
                f,
                "holds a checkpoint that was signed of {size} other entries than this log begins with"
            )
        }
    }
}

impl Store {
    /// What of the checkpoints that a witness holds is no past of this log, and is not accepted to be none.
    /// Those of other installations, and those that no known key signed, are passed over. Until somebody
    /// accepts them, nothing is signed that conflicts with them, and it is told wherever admins look.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn hold_to(
        &self,
        witness: &str,
        notes: &[Note],
    ) -> Result<Vec<Conflict>, StoreError> {
        let mut found = Vec::new();
        for note in notes {
            let Some((tenant, conflict)) = self.conflict(note).await? else {
                continue;
            };
            let fault = format!(
                "{}: the witness {witness} {conflict}: the log was altered, or is an older copy",
                self.slug_of(tenant).await?
            );
            let checkpoint = &conflict.checkpoint;
            let tree = (checkpoint.size, checkpoint.root);
            self.inner.proof.memory().add(&checkpoint.origin, tree);
            self.inner.note_fault(tenant, &fault).await?;
            found.push(conflict);
        }
        Ok(found)
    }

    async fn slug_of(&self, tenant: i64) -> Result<String, StoreError> {
        Ok(
            database::query_scalar("SELECT slug FROM tenant WHERE id = ?")
                .bind(tenant)
                .fetch_one(&self.inner.readers)
                .await?,
        )
    }

    /// What is wrong with a checkpoint that was kept elsewhere, and whose it is.
    pub(in crate::proof) async fn conflict(
        &self,
        note: &Note,
    ) -> Result<Option<(i64, Conflict)>, StoreError> {
        let Ok(checkpoint) = Checkpoint::try_from(note) else {
            return Ok(None);
        };
        let tenants: Vec<(i64, String)> =
            database::query_as("SELECT id, slug FROM tenant ORDER BY id")
                .fetch_all(&self.inner.readers)
                .await?;
        let mut connection = self.inner.readers.acquire().await?;
        for (tenant, slug) in tenants {
            let origin = origin(&mut connection, &parsed(&slug)?).await?;
            if origin != checkpoint.origin {
                continue;
            }
            let public: Vec<Vec<u8>> = database::query_scalar("SELECT public FROM signing_key")
                .fetch_all(&mut *connection)
                .await?;
            let keys: Vec<VerifierKey> = public
                .iter()
                .map(|public| verifier(&origin, public))
                .collect::<Result<_, _>>()?;
            if note.verified_by(&keys).is_err()
                || self.inner.proof.memory().is_accepted(&checkpoint)
            {
                return Ok(None);
            }
            let size = count(covered(&mut connection, tenant).await?)?;
            let is_past = checkpoint.size <= size
                && root_of(&mut connection, tenant, checkpoint.size).await?
                    == Some(checkpoint.root);
            return Ok((!is_past).then_some((tenant, Conflict { checkpoint, size })));
        }
        Ok(None)
    }
}

//! What witnesses hold, compared with the log.

use super::{Witness, noted::note_conflict};
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

/// How a checkpoint that was kept elsewhere compares with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The log begins with what it was signed of: so many entries.
    Past(u64),
    /// It does not, and somebody accepted that.
    Accepted,
    /// It does not.
    Conflict(Conflict),
    /// It is none of this installation's, or no key that is known signed it.
    Strange,
}

/// Whose checkpoint it is.
enum Of {
    /// A tenant's.
    Log(i64, Compared),
    /// Nobody's here.
    Strangers,
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
        witness: &Witness,
        notes: &[Note],
    ) -> Result<Vec<Conflict>, StoreError> {
        let mut found = Vec::new();
        for note in notes {
            let (tenant, conflict) = match self.conflict(note).await {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                // That is found where the log itself is looked at, and hides none of the others.
                Err(error @ StoreError::Damaged(_)) => {
                    let name = &witness.name;
                    tracing::warn!("what the witness {name} holds cannot be compared: {error}");
                    continue;
                }
                Err(error) => return Err(error),
            };
            let fault = format!(
                "{}: the witness {} {conflict}: the log was altered, or is an older copy",
                self.inner.name_of(tenant).await?,
                witness.name
            );
            let checkpoint = &conflict.checkpoint;
            let tree = (checkpoint.size, checkpoint.root);
            self.inner.proof.memory().add(&checkpoint.origin, tree);
            let mut change = self.inner.change().await?;
            let of = (witness, tenant);
            let noted = note_conflict(&mut change, of, checkpoint.size, &fault).await;
            change.finish(noted).await?;
            found.push(conflict);
        }
        Ok(found)
    }

    /// How a checkpoint that a witness holds compares with the log.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn compare(&self, note: &Note) -> Result<Compared, StoreError> {
        Ok(match self.compared(note).await? {
            Of::Log(_, compared) => compared,
            Of::Strangers => Compared::Strange,
        })
    }

    /// What is wrong with a checkpoint that was kept elsewhere, and whose it is.
    pub(in crate::proof) async fn conflict(
        &self,
        note: &Note,
    ) -> Result<Option<(i64, Conflict)>, StoreError> {
        Ok(match self.compared(note).await? {
            Of::Log(tenant, Compared::Conflict(conflict)) => Some((tenant, conflict)),
            Of::Log(..) | Of::Strangers => None,
        })
    }

    async fn compared(&self, note: &Note) -> Result<Of, StoreError> {
        let Ok(checkpoint) = Checkpoint::try_from(note) else {
            return Ok(Of::Strangers);
        };
        let tenants: Vec<(i64, String)> =
            database::query_as("SELECT id, slug FROM tenant ORDER BY id")
                .fetch_all(&self.inner.readers)
                .await?;
        let mut connection = self.inner.readers.acquire().await?;
        for (tenant, slug) in tenants {
            // One that is called by no slug signs nothing.
            let Ok(slug) = parsed(&slug) else { continue };
            let origin = origin(&mut connection, &slug).await?;
            if origin != checkpoint.origin {
                continue;
            }
            let public: Vec<Vec<u8>> = database::query_scalar("SELECT public FROM signing_key")
                .fetch_all(&mut *connection)
                .await?;
            let keys: Vec<VerifierKey> = public
                .iter()
                .filter_map(|public| verifier(&origin, public).ok())
                .collect();
            if note.verified_by(&keys).is_err() {
                return Ok(Of::Strangers);
            }
            let size = count(covered(&mut connection, tenant).await?)?;
            let is_past = checkpoint.size <= size
                && root_of(&mut connection, tenant, checkpoint.size).await?
                    == Some(checkpoint.root);
            let compared = if is_past {
                Compared::Past(checkpoint.size)
            } else if self.inner.proof.is_accepted(&checkpoint) {
                Compared::Accepted
            } else {
                Compared::Conflict(Conflict { checkpoint, size })
            };
            return Ok(Of::Log(tenant, compared));
        }
        Ok(Of::Strangers)
    }
}

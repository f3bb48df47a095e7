//! What came of bringing checkpoints to witnesses.

use super::{Outcome, ToWitness, Witness, cut};
use crate::{
    Store, StoreError, database,
    proof::{number, standing::note_fault_in},
    sqlite::change::Change,
};

/// What is to be noted.
enum Noted<'a> {
    /// It has the checkpoint.
    Taken,
    /// It did not take it: what is known of what it holds stays so.
    Failed(&'a str),
    /// It holds so many entries that are no past of this log; with what is told wherever admins look.
    Ahead(u64, String),
    /// The same, and somebody accepted it.
    Accepted(u64),
}

impl Store {
    /// Notes what came of bringing a witness a checkpoint. What another server noted meanwhile of a newer one
    /// stays.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn note_witnessed(
        &self,
        witness: &Witness,
        of: &ToWitness,
        outcome: &Outcome,
    ) -> Result<(), StoreError> {
        let noted = match outcome {
            Outcome::Taken | Outcome::Signed(..) => Noted::Taken,
            Outcome::Failed(fault) => Noted::Failed(fault),
            Outcome::Ahead(theirs) if *theirs <= self.inner.proof.accepted(&of.origin) => {
                Noted::Accepted(*theirs)
            }
            Outcome::Ahead(theirs) => {
                let fault = format!(
                    "{}: the witness {} holds a checkpoint of {theirs} entries that is no past of this \
                     log, whose newest is of {}: the log was altered, or is an older copy",
                    of.slug, witness.name, of.size
                );
                Noted::Ahead(*theirs, fault)
            }
            Outcome::Conflict(conflict) => {
                let fault = format!(
                    "{}: the witness {} {conflict}: the log was altered, or is an older copy",
                    of.slug, witness.name
                );
                Noted::Ahead(conflict.checkpoint.size, fault)
            }
        };
        let mut change = self.inner.change().await?;
        let done = note(&mut change, witness, of, &noted).await;
        let done = match (done, outcome) {
            (Ok(()), Outcome::Signed(cosignature, key)) => {
                let signed = database::query(
                    "INSERT INTO cosignature (tenant, size, public, signature) VALUES (?, ?, ?, ?) \
                     ON CONFLICT DO NOTHING",
                )
                .bind(of.tenant)
                .bind(number(of.size)?)
                .bind(key.to_string())
                .bind(cosignature.line.signature.clone())
                .execute(change.connection())
                .await;
                signed.map(drop).map_err(StoreError::from)
            }
            (done, _) => done,
        };
        change.finish(done).await
    }
}

async fn note(
    change: &mut Change<'_>,
    witness: &Witness,
    of: &ToWitness,
    noted: &Noted<'_>,
) -> Result<(), StoreError> {
    let now = change.now.micros();
    let size = number(of.size)?;
    begin(change, witness, of.tenant).await?;
    // Each only where nobody noted something newer.
    match noted {
        Noted::Taken => {
            database::query(
                "UPDATE witnessed SET size = ?3, at = ?4, failing_since = NULL, fault = NULL, \
                     ahead = NULL WHERE witness = ?1 AND tenant = ?2 AND size <= ?3",
            )
            .bind(witness.id)
            .bind(of.tenant)
            .bind(size)
            .bind(now)
            .execute(change.connection())
            .await?;
        }
        Noted::Failed(fault) => {
            database::query(
                "UPDATE witnessed SET failing_since = coalesce(failing_since, ?3), \
                     fault = CASE WHEN ahead IS NULL THEN ?4 ELSE fault END \
                 WHERE witness = ?1 AND tenant = ?2 AND (size < ?5 OR ahead IS NOT NULL)",
            )
            .bind(witness.id)
            .bind(of.tenant)
            .bind(now)
            .bind(cut(fault))
            .bind(size)
            .execute(change.connection())
            .await?;
        }
        Noted::Ahead(theirs, fault) => {
            let held = number(of.held)?;
            if note_ahead(change, (witness, of.tenant), *theirs, held).await? {
                note_fault_in(change, of.tenant, fault).await?;
            }
        }
        Noted::Accepted(theirs) => {
            database::query(
                "UPDATE witnessed SET failing_since = coalesce(failing_since, ?3), fault = ?4, \
                     ahead = NULL WHERE witness = ?1 AND tenant = ?2 AND size <= ?5",
            )
            .bind(witness.id)
            .bind(of.tenant)
            .bind(now)
            .bind(format!(
                "holds {theirs} entries, which are accepted to be no past of this log"
            ))
            .bind(number(of.held)?)
            .execute(change.connection())
            .await?;
        }
    }
    Ok(())
}

/// Sees to it that there is a row for what a witness holds of a tenant, unless it was removed meanwhile.
async fn begin(change: &mut Change<'_>, witness: &Witness, tenant: i64) -> Result<(), StoreError> {
    database::query(
        "INSERT INTO witnessed (witness, tenant) SELECT id, ?2 FROM witness WHERE id = ?1 \
         ON CONFLICT DO NOTHING",
    )
    .bind(witness.id)
    .bind(tenant)
    .execute(change.connection())
    .await?;
    Ok(())
}

/// Notes that a witness holds so many entries which are no past of this log, where nobody noted that it took
/// more than `held` from here; whether it was.
async fn note_ahead(
    change: &mut Change<'_>,
    (witness, tenant): (&Witness, i64),
    theirs: u64,
    held: i64,
) -> Result<bool, StoreError> {
    let now = change.now.micros();
    let noted = database::query(
        "UPDATE witnessed SET failing_since = coalesce(failing_since, ?3), fault = ?4, ahead = ?5 \
         WHERE witness = ?1 AND tenant = ?2 AND size <= ?6",
    )
    .bind(witness.id)
    .bind(tenant)
    .bind(now)
    .bind(format!(
        "holds {theirs} entries, which are no past of this log"
    ))
    .bind(number(theirs)?)
    .bind(held)
    .execute(change.connection())
    .await?;
    Ok(noted.rows_affected() > 0)
}

/// Notes what was found when what a witness holds was read back: whatever was noted of it before, it is so.
pub(super) async fn note_conflict(
    change: &mut Change<'_>,
    (witness, tenant): (&Witness, i64),
    theirs: u64,
    fault: &str,
) -> Result<(), StoreError> {
    begin(change, witness, tenant).await?;
    note_ahead(change, (witness, tenant), theirs, i64::MAX).await?;
    note_fault_in(change, tenant, fault).await
}

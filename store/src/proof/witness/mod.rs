//! Witnesses: who keeps checkpoints outside this installation. They are added and removed by the operator,
//! each with the events that tell of it, in every tenant's log; what is pushed to them is the server's
//! work.

mod administered;
mod held;

pub use held::Conflict;

use super::{
    ask::{self, Signed},
    count, covered, number, origin, parsed,
};
use crate::{
    Store, StoreError,
    access::Secret,
    database::{self, Connection, Row},
    revealing::open,
    sqlite::{change::Change, damaged},
};
use domain::{
    leaf::Hash,
    proof::{Cosignature, Note, NoteSignature, Origin, WitnessKey, consistency_ranges},
    slug::Slug,
    time::Timestamp,
};
use std::time::Duration;

/// How many characters a witness's name may have.
const NAME_MOST: usize = 100;
/// How many characters of what went wrong are kept.
const FAULT_MOST: usize = 500;
/// What a token is sealed for: until it is removed.
const FOR_EVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// Where checkpoints are brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder of this machine, where each tenant has a file that grows.
    File(String),
    /// An address that takes the checkpoint as a request's body.
    Webhook(String),
    /// Another Daybook, which records it as an event, and the token it gave us.
    Daybook(String, Secret),
    /// A witness that speaks C2SP `tlog-witness`, and the key with which it signs.
    Tlog(String, WitnessKey),
}

impl Place {
    /// How its kind is called.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Webhook(_) => "webhook",
            Self::Daybook(..) => "daybook",
            Self::Tlog(..) => "tlog",
        }
    }

    /// The folder, or the address.
    pub fn address(&self) -> &str {
        match self {
            Self::File(address)
            | Self::Webhook(address)
            | Self::Daybook(address, _)
            | Self::Tlog(address, _) => address,
        }
    }
}

/// A witness to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWitness {
    /// By which name it is removed again.
    pub name: String,
    /// Where checkpoints are brought.
    pub place: Place,
    /// How long there are at least between two checkpoints of a tenant.
    pub every: Duration,
}

/// A witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Where checkpoints are brought.
    pub place: Place,
    /// How long there are at least between two checkpoints of a tenant.
    pub every: Duration,
}

/// A witness as it is listed: without its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessListed {
    /// Its name.
    pub name: String,
    /// Its kind: `file`, `webhook`, `daybook`, `tlog`.
    pub kind: String,
    /// The folder, or the address.
    pub address: String,
    /// With which key it signs.
    pub key: Option<String>,
    /// How long there are at least between two checkpoints of a tenant.
    pub every: Duration,
    /// Who added it.
    pub added_by: String,
    /// When.
    pub added_at: Timestamp,
    /// What it holds of each tenant.
    pub holds: Vec<Holds>,
}

/// What a witness holds of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holds {
    /// Whose checkpoint it is.
    pub tenant: Slug,
    /// How many entries it is of, and since when it holds it; none: none yet.
    pub newest: Option<(u64, Timestamp)>,
    /// Since when it takes none, and why.
    pub failing: Option<(Timestamp, String)>,
}

/// A checkpoint that a witness is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToWitness {
    /// Whose it is.
    pub tenant: i64,
    /// The same, by name.
    pub slug: Slug,
    /// Under which name it is signed.
    pub origin: Origin,
    /// The checkpoint, with its signatures.
    pub note: Note,
    /// How many entries it is of.
    pub size: u64,
    /// How many the one was of that the witness took last; 0: none.
    pub held: u64,
}

/// What came of bringing a checkpoint to a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has it.
    Taken,
    /// It has it, and signed.
    Signed(Box<Cosignature>, WitnessKey),
    /// It holds a checkpoint of so many entries that is no past of this log.
    Ahead(u64),
    /// It did not take it.
    Failed(String),
}

/// What witnesses signed of a checkpoint, as it stands under it.
pub(super) async fn cosignatures(
    connection: &mut Connection,
    tenant: i64,
    size: i64,
) -> Result<Vec<NoteSignature>, StoreError> {
    let rows: Vec<(String, Vec<u8>)> = database::query_as(
        "SELECT public, signature FROM cosignature WHERE tenant = ? AND size = ? ORDER BY public",
    )
    .bind(tenant)
    .bind(size)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(key, signature)| Ok(witness_key(&key)?.line(signature)))
        .collect()
}

fn witness_key(text: &str) -> Result<WitnessKey, StoreError> {
    text.parse()
        .map_err(|_| damaged("the key of a witness is broken"))
}

/// A text of which no more is kept than is of use.
fn cut(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(FAULT_MOST).collect()
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}

impl Store {
    /// All witnesses, with their secrets, for who brings them checkpoints.
    ///
    /// # Errors
    ///
    /// The store failed, or a token was sealed with another key.
    pub async fn witnesses(&self) -> Result<Vec<Witness>, StoreError> {
        let rows = database::query(
            "SELECT id, name, kind, address, public, token, every FROM witness ORDER BY id",
        )
        .fetch_all(&self.inner.readers)
        .await?;
        rows.iter().map(|row| self.witness(row)).collect()
    }

    fn witness(&self, row: &Row) -> Result<Witness, StoreError> {
        let name: String = row.try_get(1)?;
        let address: String = row.try_get(3)?;
        let place = match row.try_get::<&str>(2)? {
            "file" => Place::File(address),
            "webhook" => Place::Webhook(address),
            "daybook" => {
                let sealed: Option<String> = row.try_get(5)?;
                let key = &self.inner.keys.witness;
                let token = sealed.and_then(|sealed| open(key, &name, self.now(), &sealed));
                let token = token.ok_or_else(|| {
                    StoreError::Keys(format!("the token of the witness {name} cannot be opened"))
                })?;
                Place::Daybook(address, Secret(token))
            }
            "tlog" => {
                let key: Option<String> = row.try_get(4)?;
                Place::Tlog(address, witness_key(&key.unwrap_or_default())?)
            }
            other => return Err(damaged(&format!("{other} is no kind of witness"))),
        };
        Ok(Witness {
            id: row.try_get(0)?,
            name,
            place,
            every: seconds(row.try_get(6)?),
        })
    }

    /// All witnesses, as they are listed to the operator.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn listed_witnesses(&self) -> Result<Vec<WitnessListed>, StoreError> {
        self.witnesses_of(None).await
    }

    /// All witnesses, with what they hold of one tenant, or of each.
    pub(super) async fn witnesses_of(
        &self,
        tenant: Option<i64>,
    ) -> Result<Vec<WitnessListed>, StoreError> {
        let rows = database::query(
            "SELECT id, name, kind, address, public, every, added_by, added_at FROM witness ORDER BY id",
        )
        .fetch_all(&self.inner.readers)
        .await?;
        let mut witnesses = Vec::with_capacity(rows.len());
        for row in &rows {
            let states = database::query(
                "SELECT t.slug, t.id, w.size, w.at, w.failing_since, w.fault \
                 FROM witnessed w JOIN tenant t ON t.id = w.tenant WHERE w.witness = ? ORDER BY t.slug",
            )
            .bind(row.try_get::<i64>(0)?)
            .fetch_all(&self.inner.readers)
            .await?;
            let mut holds = Vec::new();
            for state in &states {
                if tenant.is_some_and(|tenant| state.try_get::<i64>(1).ok() != Some(tenant)) {
                    continue;
                }
                let (at, since): (Option<i64>, Option<i64>) =
                    (state.try_get(3)?, state.try_get(4)?);
                let (size, fault): (i64, Option<String>) = (state.try_get(2)?, state.try_get(5)?);
                let size = count(size)?;
                holds.push(Holds {
                    tenant: parsed(state.try_get(0)?)?,
                    newest: at.map(|at| (size, Timestamp::from_micros(at))),
                    failing: since
                        .map(|since| (Timestamp::from_micros(since), fault.unwrap_or_default())),
                });
            }
            witnesses.push(WitnessListed {
                name: row.try_get(1)?,
                kind: row.try_get(2)?,
                address: row.try_get(3)?,
                key: row.try_get(4)?,
                every: seconds(row.try_get(5)?),
                added_by: row.try_get(6)?,
                added_at: Timestamp::from_micros(row.try_get(7)?),
                holds,
            });
        }
        Ok(witnesses)
    }

    /// What a witness is to get: of each tenant the newest checkpoint, where it does not hold it; with how
    /// long it is until it may get it.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn to_witness(
        &self,
        witness: &Witness,
    ) -> Result<Vec<(ToWitness, Duration)>, StoreError> {
        let tenants: Vec<(i64, String)> =
            database::query_as("SELECT id, slug FROM tenant ORDER BY id")
                .fetch_all(&self.inner.readers)
                .await?;
        let now = self.now().micros();
        let mut found = Vec::new();
        for (tenant, slug) in tenants {
            let slug = parsed(&slug)?;
            let mut connection = self.inner.readers.acquire().await?;
            let held: Option<(i64, Option<i64>)> = database::query_as(
                "SELECT size, at FROM witnessed WHERE witness = ? AND tenant = ?",
            )
            .bind(witness.id)
            .bind(tenant)
            .fetch_optional(&mut *connection)
            .await?;
            let (held, at) = held.unwrap_or((0, None));
            if covered(&mut connection, tenant).await? <= held {
                continue;
            }
            let origin = origin(&mut connection, &slug).await?;
            let Some(Signed { size, note }) = ask::newest(&mut connection, tenant, &origin).await?
            else {
                continue;
            };
            let every = i64::try_from(witness.every.as_micros()).unwrap_or(i64::MAX);
            let due = at.map_or(0, |at| at.saturating_add(every).saturating_sub(now));
            let due = Duration::from_micros(u64::try_from(due).unwrap_or(0));
            let to_witness = ToWitness {
                tenant,
                slug,
                origin,
                note,
                size,
                held: count(held)?,
            };
            found.push((to_witness, due));
        }
        Ok(found)
    }

    /// The hashes that show one tree of a tenant's to be the beginning of another; none where there is no
    /// such tree.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn growth_between(
        &self,
        of: &ToWitness,
        from: u64,
    ) -> Result<Option<Vec<Hash>>, StoreError> {
        let Some(ranges) = consistency_ranges(from, of.size) else {
            return Ok(None);
        };
        let mut connection = self.inner.readers.acquire().await?;
        Ok(Some(ask::path(&mut connection, of.tenant, &ranges).await?))
    }

    /// Notes what came of bringing a witness a checkpoint.
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
        if let Outcome::Ahead(theirs) = outcome
            && *theirs > self.inner.proof.memory().accepted(&of.origin)
        {
            let fault = format!(
                "{}: the witness {} holds a checkpoint of {theirs} entries that is no past of this log, \
                 whose newest is of {}: the log was altered, or is an older copy",
                of.slug, witness.name, of.size
            );
            self.inner.note_fault(of.tenant, &fault).await?;
        }
        let mut change = self.inner.change().await?;
        let noted = note(&mut change, witness, of, outcome).await;
        change.finish(noted).await
    }
}

async fn note(
    change: &mut Change<'_>,
    witness: &Witness,
    of: &ToWitness,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    let now = change.now.micros();
    let (size, fault, ahead) = match outcome {
        Outcome::Taken | Outcome::Signed(..) => (Some(of.size), None, None),
        Outcome::Failed(fault) => (None, Some(cut(fault)), None),
        Outcome::Ahead(theirs) => {
            let fault = format!("holds {theirs} entries, which are no past of this log");
            (None, Some(fault), Some(*theirs))
        }
    };
    // It may have been removed meanwhile.
    database::query(
        "INSERT INTO witnessed (witness, tenant) SELECT id, ?2 FROM witness WHERE id = ?1 \
         ON CONFLICT DO NOTHING",
    )
    .bind(witness.id)
    .bind(of.tenant)
    .execute(change.connection())
    .await?;
    match size {
        Some(size) => {
            database::query(
                "UPDATE witnessed SET size = ?3, at = ?4, failing_since = NULL, fault = NULL, \
                     ahead = NULL WHERE witness = ?1 AND tenant = ?2",
            )
            .bind(witness.id)
            .bind(of.tenant)
            .bind(number(size)?)
            .bind(now)
            .execute(change.connection())
            .await?;
        }
        None => {
            let ahead = ahead.map(number).transpose()?;
            database::query(
                "UPDATE witnessed SET failing_since = coalesce(failing_since, ?3), fault = ?4, \
                     ahead = ?5 WHERE witness = ?1 AND tenant = ?2",
            )
            .bind(witness.id)
            .bind(of.tenant)
            .bind(now)
            .bind(fault.as_deref())
            .bind(ahead)
            .execute(change.connection())
            .await?;
        }
    }
    if let Outcome::Signed(cosignature, key) = outcome {
        database::query(
            "INSERT INTO cosignature (tenant, size, public, signature) VALUES (?, ?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(of.tenant)
        .bind(number(of.size)?)
        .bind(key.to_string())
        .bind(cosignature.line.signature.clone())
        .execute(change.connection())
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_one_line_and_not_a_long_one() {
        assert_eq!(cut("a\nb"), "a b");
        assert_eq!(cut(&"x".repeat(9_999)).len(), FAULT_MOST);
    }
}

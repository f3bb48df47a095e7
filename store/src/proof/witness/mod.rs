//! Witnesses: who keeps checkpoints outside this installation. They are added and removed by the operator,
//! each with the events that tell of it, in every tenant's log; what is pushed to them is the server's
//! work.

mod administered;
mod held;
mod noted;

pub use held::{Compared, Conflict};

use super::{
    ask::{self, Signed},
    count, covered, origin, parsed,
};
use crate::{
    Store, StoreError,
    access::Secret,
    database::{self, Connection, Row},
    revealing::open,
    sqlite::damaged,
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
    /// It says that it holds a checkpoint of so many entries, which is no past of this log.
    Ahead(u64),
    /// It holds this one, which this installation signed, and which is no past of this log.
    Conflict(Conflict),
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

    /// What a witness is to get: of each tenant the newest checkpoint, where it does not hold it, or was found
    /// to hold another; with how long it is until it may get it.
    ///
    /// # Errors
    ///
    /// The store failed. A tenant whose checkpoints cannot be read is left out: that is told elsewhere.
    pub async fn to_witness(
        &self,
        witness: &Witness,
    ) -> Result<Vec<(ToWitness, Duration)>, StoreError> {
        let tenants: Vec<i64> = database::query_scalar("SELECT id FROM tenant ORDER BY id")
            .fetch_all(&self.inner.readers)
            .await?;
        let now = self.now().micros();
        let mut found = Vec::new();
        for tenant in tenants {
            let newest = match self.newest_for(witness, tenant, Wanted::Due).await {
                Ok(Some(newest)) => newest,
                Ok(None) => continue,
                Err(error @ StoreError::Damaged(_)) => {
                    tracing::debug!(tenant, "no witness gets a checkpoint: {error}");
                    continue;
                }
                Err(error) => return Err(error),
            };
            let (to_witness, at) = newest;
            let every = i64::try_from(witness.every.as_micros()).unwrap_or(i64::MAX);
            let due = at.map_or(0, |at| at.saturating_add(every).saturating_sub(now));
            let due = Duration::from_micros(u64::try_from(due).unwrap_or(0));
            found.push((to_witness, due));
        }
        Ok(found)
    }

    /// The newest checkpoint of the tenant, as it is now: another server may have made one, and brought it to
    /// the witness, since this one was read. None: there is none any more.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn newest_to_witness(
        &self,
        witness: &Witness,
        of: &ToWitness,
    ) -> Result<Option<ToWitness>, StoreError> {
        let newest = self.newest_for(witness, of.tenant, Wanted::Any).await?;
        Ok(newest.map(|(newest, _)| newest))
    }

    /// The newest checkpoint of a tenant for a witness, and since when that holds what it holds.
    async fn newest_for(
        &self,
        witness: &Witness,
        tenant: i64,
        wanted: Wanted,
    ) -> Result<Option<(ToWitness, Option<i64>)>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let connection: &mut Connection = &mut connection;
        let slug: String = database::query_scalar("SELECT slug FROM tenant WHERE id = ?")
            .bind(tenant)
            .fetch_one(&mut *connection)
            .await?;
        let slug = parsed(&slug)?;
        // Before the checkpoint: so that it is of no less than the witness holds.
        let row: Option<(i64, Option<i64>, Option<i64>)> = database::query_as(
            "SELECT size, at, ahead FROM witnessed WHERE witness = ? AND tenant = ?",
        )
        .bind(witness.id)
        .bind(tenant)
        .fetch_optional(&mut *connection)
        .await?;
        let (size, at, ahead) = row.unwrap_or((0, None, None));
        let is_due = ahead.is_some() || covered(connection, tenant).await? > size;
        if wanted == Wanted::Due && !is_due {
            return Ok(None);
        }
        let origin = origin(connection, &slug).await?;
        let Some(Signed { size: newest, note }) = ask::newest(connection, tenant, &origin).await?
        else {
            return Ok(None);
        };
        let to_witness = ToWitness {
            tenant,
            slug,
            origin,
            note,
            size: newest,
            held: count(size)?,
        };
        Ok(Some((to_witness, at)))
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
}

/// Which newest checkpoint is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// One that the witness is to get.
    Due,
    /// Whatever it holds.
    Any,
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

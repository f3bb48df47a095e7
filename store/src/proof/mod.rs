//! That nothing was altered: each tenant's tree grows with its log, what it has grown to is signed, and
//! whoever reads a log can have proved that an event is in it.
//!
//! The tree is made of the leaves, apart from the transactions that record them, and in the order of
//! arrival: the tiles that it grew by and the checkpoint that covers them are one transaction. So the
//! newest checkpoint always says how large the tree is that the tiles hold. Every process covers what it
//! recorded itself; several take turns, and who comes late finds it done.

mod ask;
mod grow;
mod keys;
mod memory;
mod restore;
mod standing;
pub mod verify;
pub mod witness;

pub(crate) use ask::Sealed;
pub use ask::{Inclusion, ProofError, PublicKey};
pub(crate) use grow::{State, Uncovered};
pub use keys::Rotated;
pub(crate) use keys::know_key;
pub use restore::Accepted;
pub use standing::{Covering, Fault, Seen, Standing};

use crate::{
    StoreError,
    database::{self, Connection},
    sqlite::damaged,
};
use domain::{
    event::EventId,
    leaf::{Hash, Header, leaf_hash},
    proof::{Origin, TileId, Tiles, VerifierKey},
    slug::Slug,
    time::Timestamp,
};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Whose checkpoints a tenant's are: the installation's, under the tenant's name.
async fn origin(connection: &mut Connection, tenant: &Slug) -> Result<Origin, StoreError> {
    let id: Vec<u8> = database::query_scalar("SELECT id FROM installation")
        .fetch_one(connection)
        .await?;
    let id = Uuid::from_slice(&id).map_err(|_| damaged("the installation's id is broken"))?;
    Ok(Origin::new(id, tenant))
}

/// How many leaves the newest checkpoint covers.
async fn covered(connection: &mut Connection, tenant: i64) -> Result<i64, StoreError> {
    let size: Option<i64> =
        database::query_scalar("SELECT max(size) FROM checkpoint WHERE tenant = ?")
            .bind(tenant)
            .fetch_one(connection)
            .await?;
    Ok(size.unwrap_or(0))
}

/// Some tiles of a tenant's tree, those of them that there are.
pub(crate) async fn tiles(
    connection: &mut Connection,
    tenant: i64,
    wanted: impl IntoIterator<Item = TileId>,
) -> Result<Tiles, StoreError> {
    let mut places: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for id in wanted {
        let of_level = places.entry(id.level).or_default();
        of_level.push(number(id.index)?);
    }
    let mut tiles = Tiles::default();
    for (level, places) in places {
        let rows: Vec<(i64, Vec<u8>)> = database::query_as(
            "SELECT place, hashes FROM tile WHERE tenant = ? AND level = ? \
             AND place IN (SELECT value FROM json_each(?))",
        )
        .bind(tenant)
        .bind(i64::from(level))
        .bind(places)
        .fetch_all(&mut *connection)
        .await?;
        for (place, hashes) in rows {
            let index = count(place)?;
            let hashes = hashes_of(&hashes);
            let at = |error: StoreError| error.at(format_args!("tile {place} of level {level}"));
            tiles.0.insert(TileId { level, index }, hashes.map_err(at)?);
        }
    }
    Ok(tiles)
}

/// The root of the first so many leaves of a tenant's tree, from its tiles; none where they do not hold
/// so many.
async fn root_of(
    connection: &mut Connection,
    tenant: i64,
    size: u64,
) -> Result<Option<Hash>, StoreError> {
    let all = 0..size;
    let wanted = Tiles::needed(std::slice::from_ref(&all));
    let tiles = tiles(connection, tenant, wanted).await?;
    Ok(tiles.hash_over(&all))
}

/// The hashes in a tile.
fn hashes_of(bytes: &[u8]) -> Result<Vec<Hash>, StoreError> {
    let (hashes, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(damaged("a tile is cut off"));
    }
    Ok(hashes.iter().copied().map(Hash).collect())
}

fn hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes
        .try_into()
        .map(Hash)
        .map_err(|_| damaged("a hash is broken"))
}

/// A number that the database counts by.
fn number(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| damaged("a number is too large"))
}

fn count(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| damaged("a number is less than nothing"))
}

/// A leaf, as it stands in the log.
#[derive(Clone, Debug)]
struct Leaf {
    seq: u64,
    id: EventId,
    ws: i64,
    occurred_at: Timestamp,
    recorded_at: Timestamp,
    parts: Hash,
}

/// The columns of a leaf, in the order in which [`Leaf::read`] takes them.
macro_rules! columns_of_leaf {
    () => {
        "l.seq, l.id, l.ws, l.occurred_at, l.recorded_at, l.parts"
    };
}
use columns_of_leaf;

impl Leaf {
    fn read(row: &database::Row) -> Result<Self, StoreError> {
        let id = Uuid::from_slice(row.try_get(1)?).map_err(|_| damaged("an id is broken"))?;
        Ok(Self {
            seq: count(row.try_get(0)?)?,
            id: EventId(id),
            ws: row.try_get(2)?,
            occurred_at: Timestamp::from_micros(row.try_get(3)?),
            recorded_at: Timestamp::from_micros(row.try_get(4)?),
            parts: hash(row.try_get(5)?)?,
        })
    }

    fn header<'s>(&self, tenant: &'s Slug, workspace: Option<&'s Slug>) -> Header<'s> {
        Header {
            id: self.id,
            occurred_at: self.occurred_at,
            parts: self.parts,
            recorded_at: self.recorded_at,
            seq: self.seq,
            tenant,
            workspace,
        }
    }

    /// Its hash; none where its workspace is not known (yet).
    fn hash(&self, tenant: &Slug, workspaces: &HashMap<i64, Slug>) -> Option<Hash> {
        let workspace = match self.ws {
            // The tenant's own.
            ..0 => None,
            ws => Some(workspaces.get(&ws)?),
        };
        Some(leaf_hash(&self.header(tenant, workspace)))
    }
}

/// The workspaces of a tenant, by their ids.
async fn workspaces(
    connection: &mut Connection,
    tenant: i64,
) -> Result<HashMap<i64, Slug>, StoreError> {
    let rows: Vec<(i64, String)> =
        database::query_as("SELECT id, slug FROM workspace WHERE tenant = ?")
            .bind(tenant)
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(id, slug)| Ok((id, parsed(&slug)?)))
        .collect()
}

fn parsed(slug: &str) -> Result<Slug, StoreError> {
    slug.parse().map_err(|_| damaged("a slug is broken"))
}

/// By which a key's checkpoints are verified.
fn verifier(origin: &Origin, public: &[u8]) -> Result<VerifierKey, StoreError> {
    public
        .try_into()
        .ok()
        .and_then(|public| VerifierKey::new(origin.as_str(), public).ok())
        .ok_or_else(|| damaged("a signing key is broken"))
}

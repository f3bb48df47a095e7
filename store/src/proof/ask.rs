//! What is asked for: the newest checkpoint, that an event is in it, that one checkpoint is a past of
//! another, and with which keys they were signed.

use super::{
    Leaf, columns_of_leaf, count, covered, hash, number, origin, tiles, verifier, witness,
};
use crate::{
    Store, StoreError,
    access::{Scope, Tenant},
    database::{self, Connection, Dialect},
    sqlite::{
        damaged,
        erasure::{proofs, read_parts},
    },
};
use domain::{
    event::{EventId, Part},
    leaf::{Hash, PartProof, PartProofs, Salt},
    proof::{Checkpoint, Note, Origin, Tiles, VerifierKey, consistency_ranges, inclusion_ranges},
    time::Timestamp,
};
use std::{collections::BTreeMap, ops::Range};

/// Why something is not proved.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProofError {
    /// No checkpoint covers so much.
    #[error("the newest checkpoint covers {size} entries")]
    Uncovered {
        /// How many it covers.
        size: u64,
    },
    /// A tree is no past of a smaller one.
    #[error("a tree is no past of a smaller one")]
    Backwards,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ProofError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// That an event is in a tenant's tree, for whoever has the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The leaf's header, in RFC 8785 form.
    pub header: String,
    /// The salts of the parts that are given.
    pub salts: BTreeMap<Part, Salt>,
    /// The hashes of those that are not.
    pub hashes: BTreeMap<Part, Hash>,
    /// The leaf's place in the tree, from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// The nodes that lead to its root, lowest first.
    pub path: Vec<Hash>,
    /// The checkpoint of that size.
    pub checkpoint: Note,
}

/// A key that signed a tenant's checkpoints, or does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// By which they are verified.
    pub key: VerifierKey,
    /// Since when it signs.
    pub from: Timestamp,
    /// Until when it signed; none: it does.
    pub until: Option<Timestamp>,
}

/// A checkpoint that covers all that was recorded when it was asked for, and who signs.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    /// How many leaves it covers.
    pub(crate) size: u64,
    /// The checkpoint.
    pub(crate) note: Note,
    /// Every key that ever signed the tenant's checkpoints, oldest first.
    pub(crate) keys: Vec<PublicKey>,
}

/// A checkpoint with its signature.
pub(super) struct Signed {
    pub(super) size: u64,
    pub(super) note: Note,
}

/// A tenant's newest checkpoint, with what witnesses signed of it.
pub(super) async fn newest(
    connection: &mut Connection,
    tenant: i64,
    origin: &Origin,
) -> Result<Option<Signed>, StoreError> {
    let row = database::query(
        "SELECT size, root, key, signature FROM checkpoint WHERE tenant = ? \
         ORDER BY size DESC LIMIT 1",
    )
    .bind(tenant)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let public: Vec<u8> = database::query_scalar("SELECT public FROM signing_key WHERE id = ?")
        .bind(row.try_get::<i64>(2)?)
        .fetch_one(&mut *connection)
        .await?;
    let cosignatures = witness::cosignatures(connection, tenant, row.try_get(0)?).await?;
    let checkpoint = Checkpoint {
        origin: origin.clone(),
        size: count(row.try_get(0)?)?,
        root: hash(row.try_get(1)?)?,
    };
    let verifier = verifier(origin, &public)?;
    let mut note = verifier.signed(checkpoint.to_string(), row.try_get(3)?);
    note.signatures.extend(cosignatures);
    Ok(Some(Signed {
        size: checkpoint.size,
        note,
    }))
}

/// The hashes over these leaves of a tenant's tree.
pub(super) async fn path(
    connection: &mut Connection,
    tenant: i64,
    ranges: &[Range<u64>],
) -> Result<Vec<Hash>, StoreError> {
    let tiles = tiles(connection, tenant, Tiles::needed(ranges)).await?;
    let path = tiles.path(ranges);
    path.ok_or_else(|| damaged("a tile of the tree is not there"))
}

/// The leaf of an event, and what proves its parts.
async fn leaf_and_proofs(
    connection: &mut Connection,
    tenant: i64,
    id: EventId,
) -> Result<Option<(Leaf, PartProofs)>, StoreError> {
    let statement = match connection.dialect() {
        Dialect::Sqlite => concat!(
            "SELECT ",
            columns_of_leaf!(),
            ", c.salt, c.erased, c.proofs FROM leaf l JOIN content c ON c.n = l.n WHERE l.id = ? AND l.tenant = ?"
        ),
        Dialect::Postgres => concat!(
            "SELECT ",
            columns_of_leaf!(),
            ", c.salt, c.erased, c.proofs FROM leaf l JOIN content c ON c.tenant = l.tenant AND c.ws = l.ws \
             AND c.at = l.occurred_at AND c.seq = l.seq AND c.class = l.class \
             WHERE l.id = ? AND l.tenant = ?"
        ),
    };
    let row = database::query(statement)
        .bind(&id.0.as_bytes()[..])
        .bind(tenant)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let gone = read_parts(row.try_get(7)?)?;
    let proofs = proofs(gone, row.try_get(6)?, row.try_get(8)?)?;
    Ok(Some((Leaf::read(&row)?, proofs)))
}

impl Store {
    /// The newest checkpoint of the tenant that a scope lies in; where there is none yet, one is made.
    /// None where none can be made here.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn checkpoint(&self, scope: &Scope) -> Result<Option<Note>, StoreError> {
        let tenant = scope.tenant();
        self.covered(tenant.id, 1).await?;
        let mut connection = self.inner.readers.acquire().await?;
        let origin = origin(&mut connection, &tenant.slug).await?;
        let newest = newest(&mut connection, tenant.id, &origin).await?;
        Ok(newest.map(|signed| signed.note))
    }

    /// Has a checkpoint cover so many leaves of a tenant, if one can be made here.
    async fn covered(&self, tenant: i64, leaves: u64) -> Result<(), StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let covered = covered(&mut connection, tenant).await?;
        drop(connection);
        if covered < number(leaves)?
            && let Err(error) = self.inner.cover_tenant(tenant, leaves).await
        {
            tracing::error!("no checkpoint was made: {error}");
        }
        Ok(())
    }

    /// A checkpoint that covers everything that was recorded of the scope's tenant when this was called.
    ///
    /// # Errors
    ///
    /// None can be made here, or the store failed.
    pub(crate) async fn sealed(&self, scope: &Scope) -> Result<Sealed, ProofError> {
        let tenant = scope.tenant();
        self.inner.cover_tenant(tenant.id, u64::MAX).await?;
        let mut connection = self.inner.readers.acquire().await?;
        let origin = origin(&mut connection, &tenant.slug).await?;
        let newest = newest(&mut connection, tenant.id, &origin).await?;
        let newest = newest.ok_or(ProofError::Uncovered { size: 0 })?;
        drop(connection);
        // After it, so that the key which signed it is among them: keys only come.
        let keys = self.public_keys(scope).await?;
        Ok(Sealed {
            size: newest.size,
            note: newest.note,
            keys,
        })
    }

    /// That an event which the scope holds is in its tenant's tree; none where it holds no such event.
    /// Where no checkpoint covers it yet, one is made.
    ///
    /// # Errors
    ///
    /// No checkpoint covers it, and none can be made here, or the store failed.
    pub async fn inclusion(
        &self,
        scope: &Scope,
        id: EventId,
    ) -> Result<Option<Inclusion>, ProofError> {
        let Some(event) = self.event(scope, id).await? else {
            return Ok(None);
        };
        let tenant = scope.tenant();
        let mut connection = self.inner.readers.acquire().await?;
        let Some((leaf, proofs)) = leaf_and_proofs(&mut connection, tenant.id, id).await? else {
            return Ok(None);
        };
        drop(connection);
        self.covered(tenant.id, leaf.seq).await?;
        let mut connection = self.inner.readers.acquire().await?;
        let origin = origin(&mut connection, &tenant.slug).await?;
        let newest = newest(&mut connection, tenant.id, &origin).await?;
        let size = newest.as_ref().map_or(0, |signed| signed.size);
        let index = leaf.seq - 1;
        let (Some(signed), Some(ranges)) = (newest, inclusion_ranges(index, size)) else {
            return Err(ProofError::Uncovered { size });
        };
        Ok(Some(Inclusion {
            header: leaf
                .header(&tenant.slug, event.workspace.as_ref())
                .canonical(),
            salts: proofs
                .by_part()
                .filter_map(|(part, proof)| match proof {
                    PartProof::Salt(salt) => Some((part, salt)),
                    PartProof::Hash(_) => None,
                })
                .collect(),
            hashes: proofs
                .by_part()
                .filter_map(|(part, proof)| match proof {
                    PartProof::Hash(hash) => Some((part, hash)),
                    PartProof::Salt(_) => None,
                })
                .collect(),
            index,
            size,
            path: path(&mut connection, tenant.id, &ranges).await?,
            checkpoint: signed.note,
        }))
    }

    /// The nodes that show the tree of the first `from` entries of a tenant to be the beginning of that
    /// of the first `to`.
    ///
    /// # Errors
    ///
    /// No checkpoint covers so many, `from` is more than `to`, or the store failed.
    pub async fn consistency(
        &self,
        scope: &Scope,
        from: u64,
        to: u64,
    ) -> Result<Vec<Hash>, ProofError> {
        let ranges = consistency_ranges(from, to).ok_or(ProofError::Backwards)?;
        let tenant = scope.tenant().id;
        let mut connection = self.inner.readers.acquire().await?;
        let size = count(covered(&mut connection, tenant).await?)?;
        if to > size {
            return Err(ProofError::Uncovered { size });
        }
        Ok(path(&mut connection, tenant, &ranges).await?)
    }

    /// Every key that ever signed the checkpoints of the tenant that a scope lies in, oldest first.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn public_keys(&self, scope: &Scope) -> Result<Vec<PublicKey>, StoreError> {
        self.keys_of(scope.tenant()).await
    }

    pub(super) async fn keys_of(&self, tenant: &Tenant) -> Result<Vec<PublicKey>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let origin = origin(&mut connection, &tenant.slug).await?;
        let rows: Vec<(Vec<u8>, i64, Option<i64>)> =
            database::query_as("SELECT public, since, until FROM signing_key ORDER BY id")
                .fetch_all(&mut *connection)
                .await?;
        rows.into_iter()
            .map(|(public, from, until)| {
                Ok(PublicKey {
                    key: verifier(&origin, &public)?,
                    from: Timestamp::from_micros(from),
                    until: until.map(Timestamp::from_micros),
                })
            })
            .collect()
    }
}

//! What proves the rows of an export: what is kept beside each event, and the paths of all of them to the
//! one checkpoint that was made when the export was asked for.

use super::lines::on_postgres;
use crate::{
    StoreError,
    database::Dialect,
    proof::Sealed,
    sqlite::{
        dictionaries::damaged,
        erasure::{self, read_parts},
        snapshot::Snapshot,
    },
};
use domain::{
    event::{Actor, Part, Parts},
    export::{LastLine, Row, RowProof, SigningKey},
    leaf::{Hash, PartProofs, Salt},
    proof::{Paths, TileId, Tiles},
};
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};

/// What is kept beside each of a list of events, as a JSON array of arrays ([`Kept`]).
const PROOFS: &str = "SELECT json_group_array(json_array(l.seq, lower(hex(l.parts)), lower(hex(c.salt)), \
         c.erased, CASE WHEN c.proofs IS NOT NULL THEN lower(hex(c.proofs)) END)) \
     FROM json_each(?1) j CROSS JOIN leaf l ON l.n = j.value CROSS JOIN content c ON c.n = l.n";

/// [`PROOFS`] on PostgreSQL.
const PROOFS_ON_POSTGRES: &str = concat!(
    "SELECT CAST(coalesce(json_agg(json_build_array(l.seq, encode(l.parts, 'hex'), \
         encode(c.salt, 'hex'), c.erased, encode(c.proofs, 'hex'))), '[]') AS TEXT) ",
    super::lines::sought!("JOIN")
);

/// So many tiles of the tree are kept, with the nodes over them.
const TILES_MOST: usize = 600;

/// What is kept beside an event.
#[derive(Debug, Deserialize)]
struct Kept {
    seq: u64,
    /// The hash over its parts.
    parts: Hash,
    salt: Salt,
    /// Which parts are gone, as bits, and what proves them all then, in hexadecimal digits.
    erased: Option<i64>,
    proofs: Option<String>,
}

impl Kept {
    /// What proves each of its parts.
    fn proofs(&self) -> Result<PartProofs, StoreError> {
        let proofs = self.proofs.as_deref().map(bytes);
        let proofs =
            proofs.map(|bytes| bytes.ok_or_else(|| damaged("what proves an event is broken")));
        erasure::proofs(
            read_parts(self.erased)?,
            &self.salt.0,
            proofs.transpose()?.as_deref(),
        )
    }
}

/// Bytes from their hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let each = (0..digits.len()).step_by(2);
    each.map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect()
}

impl Snapshot {
    /// What is kept beside the events with these numbers, as it is read.
    pub(super) async fn proofs(&mut self, numbers: &[i64]) -> Result<String, StoreError> {
        let tenant = self.scope.tenant().id;
        let connection = self.transaction.connection();
        match connection.dialect() {
            Dialect::Sqlite => {
                let proofs = sqlx::query_scalar(PROOFS).bind(super::lines::list(numbers));
                Ok(proofs.fetch_one(connection.sqlite()?).await?)
            }
            Dialect::Postgres => {
                let asked = (PROOFS_ON_POSTGRES, None);
                let row = on_postgres(connection, asked, tenant, numbers).await?;
                Ok(row.try_get(0)?)
            }
        }
    }
}

/// What proves some events, by their numbers of arrival.
pub(super) struct Beside(HashMap<u64, Kept>);

impl Beside {
    pub(super) fn read(proofs: &str) -> Result<Self, StoreError> {
        let kept: Vec<Kept> = serde_json::from_str(proofs)
            .map_err(|_| damaged("what proves an event cannot be read"))?;
        let by_seq = kept.into_iter().map(|kept| (kept.seq, kept));
        Ok(Self(by_seq.collect()))
    }
}

/// What the rows of an export are proved with.
pub(super) struct Proving {
    /// The parts that are shown.
    shown: Parts,
    /// The checkpoint, and who signs.
    sealed: Sealed,
    paths: Paths,
}

impl Proving {
    pub(super) fn new(shown: Parts, sealed: Sealed) -> Self {
        Self {
            shown,
            paths: Paths::new(sealed.size),
            sealed,
        }
    }

    /// The tiles that it takes first for the rows with these numbers.
    pub(super) fn missing(
        &mut self,
        numbers: impl Iterator<Item = u64> + Clone,
    ) -> Result<BTreeSet<TileId>, StoreError> {
        let size = self.sealed.size;
        if numbers.clone().any(|seq| seq == 0 || seq > size) {
            return Err(damaged(
                "no checkpoint covers an event that was to be proved",
            ));
        }
        let indexes = numbers.map(|seq| seq - 1);
        let missing = self.paths.missing(indexes.clone());
        if missing.is_empty() || self.paths.kept() + missing.len() <= TILES_MOST {
            return Ok(missing);
        }
        self.paths.forget();
        Ok(self.paths.missing(indexes))
    }

    /// Takes tiles: those that were missing.
    pub(super) fn keep(
        &mut self,
        missing: &BTreeSet<TileId>,
        mut tiles: Tiles,
    ) -> Result<(), StoreError> {
        for id in missing {
            let hashes = tiles.0.remove(id);
            let hashes = hashes.ok_or_else(|| damaged("a tile of the tree is not there"))?;
            self.paths.keep(*id, hashes);
        }
        Ok(())
    }

    /// What proves a row; its tiles were taken.
    pub(super) fn prove(
        &mut self,
        row: &mut Row<'_>,
        beside: &Beside,
    ) -> Result<RowProof, StoreError> {
        let kept = beside.0.get(&row.seq);
        let kept = kept.ok_or_else(|| damaged("what proves an event is not there"))?;
        let path = self.paths.path(row.seq - 1);
        let path = path.ok_or_else(|| damaged("a tile of the tree is not there"))?;
        let proofs = kept.proofs()?;
        // Of a chain of which somebody was erased nothing proves what the others are called.
        let is_told = |actor: &&Actor| actor.name.is_some() || actor.email.is_some();
        let mut shown = self.shown;
        if proofs.erased().has(Part::Via) && row.via.iter().any(is_told) {
            shown = shown.without(Parts::NONE.with(Part::Via));
        }
        row.proven(shown, kept.parts, *proofs.each(), (self.paths.size(), path))
            .map_err(|error| damaged(&error.to_string()))
    }

    /// The last line of a file of so many rows.
    pub(super) fn last_line(&self, rows: u64) -> Result<Vec<u8>, StoreError> {
        let keys = self.sealed.keys.iter().map(|key| SigningKey {
            key: key.key.to_string(),
            from: key.from,
            until: key.until,
        });
        let last = LastLine {
            checkpoint: self.sealed.note.to_string(),
            rows,
            keys: keys.collect(),
        };
        last.line().map_err(|error| damaged(&error.to_string()))
    }
}

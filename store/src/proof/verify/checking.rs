//! A tenant's log, checked piece by piece: each entry by itself in threads, then one after the other, into a
//! tree beside the one that is stored.

use super::{
    Erasures, KeptWrong, Log, PIECE, Releases, Rules, Seen, VerifiedTenant, VerifyError, Wrong,
    content::{self, Checked, Facts, Texts},
    signatures::Signatures,
    verifiers,
};
use crate::{
    StoreError,
    copy::read,
    database::{self, Connection},
    proof::{self, Leaf, count, hash, hashes_of, number},
};
use domain::{
    leaf::Hash,
    proof::{Checkpoint, Edge, Origin, TILE, TileId},
    slug::Slug,
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};
use tokio::task::JoinHandle;

/// So many pieces are checked while others are read.
const AHEAD: usize = 3;
/// So many checkpoints are read at a time.
const CHECKPOINTS: i64 = 1_000;

/// A checkpoint as the database has it.
struct Signed {
    size: u64,
    root: Hash,
    key: i64,
    signature: Vec<u8>,
    made_at: Timestamp,
}

impl Signed {
    fn read(row: &database::Row) -> Result<Self, StoreError> {
        Ok(Self {
            size: count(row.try_get(0)?)?,
            root: hash(row.try_get(1)?)?,
            key: row.try_get(2)?,
            signature: row.try_get(3)?,
            made_at: Timestamp::from_micros(row.try_get(4)?),
        })
    }
}

/// A piece of a log, of which each entry was checked by itself.
struct Piece {
    /// For each entry, its leaf, and what else is to be known of it.
    entries: Vec<Checked>,
    /// What is wrong with the next one; the rest was not looked at.
    wrong: Option<Wrong>,
}

impl Piece {
    fn of(
        events: Vec<read::Event>,
        tenant: &Slug,
        texts: &Texts,
        workspaces: &HashMap<i64, Slug>,
    ) -> Self {
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            match content::check(event, tenant, texts, workspaces) {
                Ok(entry) => entries.push(entry),
                Err(wrong) => {
                    let wrong = Some(wrong);
                    return Self { entries, wrong };
                }
            }
        }
        let wrong = None;
        Self { entries, wrong }
    }
}

/// Why a log cannot be read on: the next entry is missing, or cannot be read.
enum End {
    Missing(i64),
    Damaged(StoreError),
}

/// Entries after a number and up to another; up to the first that is missing or cannot be read, which is
/// told.
async fn read(
    connection: &mut Connection,
    tenant: i64,
    (after, to): (i64, i64),
) -> Result<(Vec<read::Event>, Option<End>), StoreError> {
    let found = read::events_one_by_one(connection, tenant, (after, to)).await?;
    let mut events = Vec::with_capacity(found.len());
    let mut next = after + 1;
    for event in found {
        match event {
            Ok(event) if event.seq == next => events.push(event),
            Ok(_) => break,
            Err(error) => return Ok((events, Some(End::Damaged(error)))),
        }
        next += 1;
    }
    Ok((events, (next <= to).then_some(End::Missing(next))))
}

/// A tenant's log that is being checked.
pub(super) struct Checking {
    seen: Seen,
    pub(super) tenant: i64,
    pub(super) slug: Slug,
    origin: Origin,
    /// The number of the last entry.
    last: i64,
    /// The tree over what is checked.
    pub(super) edge: Edge,
    signatures: Signatures,
    /// How many entries the newest checkpoint covers, as the database says.
    pub(super) signed: u64,
    /// The next ones, in their order.
    checkpoints: VecDeque<Signed>,
    /// Up to which size they were read.
    pub(super) checkpoints_after: i64,
    made: u64,
    covered: Option<(u64, Timestamp)>,
    /// Those that were kept elsewhere, the smallest last.
    kept: Vec<(String, Checkpoint)>,
    pub(super) rules: Rules,
    pub(super) releases: Releases,
    pub(super) erasures: Erasures,
    /// How many of the releases have their event.
    pub(super) told_of: usize,
    /// How many entries say nothing any more.
    released: u64,
}

impl Checking {
    /// A log of which nothing is checked yet.
    pub(super) fn of(
        seen: Seen,
        log: Log,
        releases: Vec<read::Release>,
        kept: Vec<(String, Checkpoint)>,
        keys: &HashMap<i64, Vec<u8>>,
    ) -> Self {
        Self {
            seen,
            kept,
            releases: Releases::new(releases),
            erasures: Erasures::default(),
            tenant: log.tenant,
            signatures: Signatures::new(verifiers(&log.origin, keys)),
            slug: log.slug,
            origin: log.origin,
            last: log.last,
            edge: Edge::default(),
            signed: log.signed,
            checkpoints: VecDeque::new(),
            checkpoints_after: 0,
            made: 0,
            covered: None,
            rules: Rules::default(),
            told_of: 0,
            released: 0,
        }
    }
}

/// What the entries of a tenant refer to, in one state of its log.
#[derive(Clone)]
pub(super) struct Referred {
    texts: Arc<Texts>,
    workspaces: Arc<HashMap<i64, Slug>>,
}

impl Referred {
    pub(super) async fn read(connection: &mut Connection, tenant: i64) -> Result<Self, StoreError> {
        Ok(Self {
            texts: Arc::new(Texts::of(connection, tenant).await?),
            workspaces: Arc::new(proof::workspaces(connection, tenant).await?),
        })
    }
}

impl Checking {
    pub(super) async fn run(
        &mut self,
        connection: &mut Connection,
        told: impl FnMut(u64) + Send,
    ) -> Result<VerifiedTenant, VerifyError> {
        let checked = self.check(connection, told).await;
        self.settle().await?;
        checked
    }

    /// Waits for the signatures that are being verified: what is signed wrongly lies before what else was
    /// found, and is told instead of it.
    pub(super) async fn settle(&mut self) -> Result<(), VerifyError> {
        match self.signatures.settle().await? {
            Some(size) => Err(Wrong::Signature {
                tenant: self.slug.clone(),
                size,
            }
            .into()),
            None => Ok(()),
        }
    }

    async fn check(
        &mut self,
        connection: &mut Connection,
        told: impl FnMut(u64) + Send,
    ) -> Result<VerifiedTenant, VerifyError> {
        let referred = Referred::read(connection, self.tenant).await?;
        self.compare_kept()?;
        self.check_to(connection, &referred, self.last, told)
            .await?;
        self.end(connection).await?;
        Ok(VerifiedTenant {
            tenant: self.slug.clone(),
            entries: self.edge.size(),
            released: self.released,
            erased: self.erasures.told(),
            checkpoints: self.made,
            covered: self.covered,
        })
    }

    /// Checks the entries after those that are checked, up to a number.
    pub(super) async fn check_to(
        &mut self,
        connection: &mut Connection,
        referred: &Referred,
        last: i64,
        mut told: impl FnMut(u64) + Send,
    ) -> Result<(), VerifyError> {
        let mut pieces: VecDeque<JoinHandle<Piece>> = VecDeque::new();
        let (mut after, mut end) = (number(self.edge.size())?, None);
        loop {
            while after < last && end.is_none() && pieces.len() < AHEAD {
                let to = (after + PIECE).min(last);
                let events;
                (events, end) = read(connection, self.tenant, (after, to)).await?;
                let Referred { texts, workspaces } = referred.clone();
                let slug = self.slug.clone();
                pieces.push_back(tokio::task::spawn_blocking(move || {
                    Piece::of(events, &slug, &texts, &workspaces)
                }));
                after = to;
            }
            let Some(piece) = pieces.pop_front() else {
                break;
            };
            let piece = piece.await.map_err(|_| StoreError::Closing)?;
            self.add(connection, piece).await?;
            told(self.edge.size());
        }
        match end {
            None => Ok(()),
            Some(End::Damaged(error)) => Err(error.into()),
            Some(End::Missing(seq)) => {
                let (tenant, seq) = (self.slug.clone(), count(seq)?);
                Err(Wrong::Missing { tenant, seq }.into())
            }
        }
    }

    /// Adds a piece to the tree, entry by entry, and compares it with the tiles and the checkpoints of it.
    async fn add(&mut self, connection: &mut Connection, piece: Piece) -> Result<(), VerifyError> {
        let tiles = self.tiles_of(connection, piece.entries.len()).await?;
        for checked in piece.entries {
            let Checked {
                leaf,
                hash,
                facts,
                gone,
                stands,
            } = checked;
            let at = leaf.seq - 1;
            let index = at / TILE as u64;
            let tile = tiles.get(&index).map(Vec::as_slice);
            let place = usize::try_from(at % TILE as u64).unwrap_or(TILE);
            let held = tile.and_then(|tile| tile.get(place));
            if held.is_some_and(|held| *held != hash) {
                return Err(Wrong::Altered {
                    tenant: self.slug.clone(),
                    seq: leaf.seq,
                    id: leaf.id,
                    what: "its leaf is another than the one that is in the tree",
                }
                .into());
            }
            let mut whole = Vec::new();
            self.edge.push(hash, |id, tile| whole.push((id, tile)));
            for (id, hashes) in whole {
                if id.level > 0 {
                    self.compare_tile(connection, id, &hashes).await?;
                } else if let Some(wrong) = self.wrong_tile(id, tile, &hashes) {
                    return Err(wrong.into());
                }
            }
            let gone = (gone, stands.as_deref());
            let judged = self.erasures.judge(&leaf, &facts, gone, &self.rules);
            judged.map_err(|fault| fault.of(&self.slug, &leaf))?;
            self.judge(&leaf, facts)?;
            self.compare_checkpoint(connection).await?;
            self.compare_kept()?;
        }
        piece.wrong.map_or(Ok(()), |wrong| Err(wrong.into()))
    }

    /// The tiles that the leaves of the next so many entries are in, those that there are.
    async fn tiles_of(
        &self,
        connection: &mut Connection,
        entries: usize,
    ) -> Result<BTreeMap<u64, Vec<Hash>>, StoreError> {
        let first = self.edge.size();
        let last = first + entries as u64;
        let rows: Vec<(i64, Vec<u8>)> = database::query_as(
            "SELECT place, hashes FROM tile WHERE tenant = ? AND level = 0 AND place >= ? \
             AND place <= ?",
        )
        .bind(self.tenant)
        .bind(number(first / TILE as u64)?)
        .bind(number(last / TILE as u64)?)
        .fetch_all(connection)
        .await?;
        rows.into_iter()
            .map(|(place, bytes)| {
                let hashes = hashes_of(&bytes);
                let at = |error: StoreError| error.at(format_args!("tile {place} of level 0"));
                Ok((count(place)?, hashes.map_err(at)?))
            })
            .collect()
    }

    /// How many hashes a tile holds, in the tree that the newest checkpoint is of.
    fn held(&self, id: TileId) -> usize {
        let hashes = self.signed.checked_shr(8 * id.level).unwrap_or(0);
        let held = hashes.saturating_sub(id.index.saturating_mul(TILE as u64));
        usize::try_from(held).map_or(TILE, |held| held.min(TILE))
    }

    /// What is wrong with a tile, which is to hold the first of these.
    fn wrong_tile(&self, id: TileId, tile: Option<&[Hash]>, expected: &[Hash]) -> Option<Wrong> {
        let held = self.held(id);
        let what = match tile {
            None if held == 0 => return None,
            None => "is not there",
            // It may have grown since.
            Some(tile) if self.seen == Seen::Moving && tile.len() > held => {
                if tile.starts_with(expected) || expected.starts_with(tile) {
                    return None;
                }
                "holds other hashes than the entries come to"
            }
            Some(tile) if tile.len() != held => "holds more or less than was signed",
            Some(tile) if !expected.starts_with(tile) => {
                "holds other hashes than the entries come to"
            }
            Some(_) => return None,
        };
        Some(Wrong::Tile {
            tenant: self.slug.clone(),
            level: id.level,
            place: id.index,
            what,
        })
    }

    async fn compare_tile(
        &self,
        connection: &mut Connection,
        id: TileId,
        expected: &[Hash],
    ) -> Result<(), VerifyError> {
        let tiles = proof::tiles(connection, self.tenant, [id]).await?;
        let tile = tiles.0.get(&id).map(Vec::as_slice);
        match self.wrong_tile(id, tile, expected) {
            Some(wrong) => Err(wrong.into()),
            None => Ok(()),
        }
    }

    /// Compares the checkpoint of just so many entries with the tree, if there is one.
    async fn compare_checkpoint(&mut self, connection: &mut Connection) -> Result<(), VerifyError> {
        self.read_checkpoints(connection).await?;
        let size = self.edge.size();
        let Some(signed) = self.checkpoints.pop_front_if(|signed| signed.size <= size) else {
            return Ok(());
        };
        let tenant = || self.slug.clone();
        if signed.size < size {
            return Err(Wrong::Root {
                tenant: tenant(),
                size: signed.size,
            }
            .into());
        }
        if self.edge.root() != signed.root {
            return Err(Wrong::Root {
                tenant: tenant(),
                size,
            }
            .into());
        }
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size,
            root: signed.root,
        };
        let signatures = &mut self.signatures;
        let wrong = signatures.add(checkpoint, signed.key, signed.signature);
        if let Some(size) = wrong.await? {
            return Err(Wrong::Signature {
                tenant: tenant(),
                size,
            }
            .into());
        }
        self.made += 1;
        self.covered = Some((size, signed.made_at));
        Ok(())
    }

    /// Reads the next checkpoints, where none are left.
    async fn read_checkpoints(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        if !self.checkpoints.is_empty() || self.checkpoints_after == i64::MAX {
            return Ok(());
        }
        let rows = database::query(
            "SELECT size, root, key, signature, made_at FROM checkpoint \
             WHERE tenant = ? AND size > ? AND size <= ? ORDER BY size LIMIT ?",
        )
        .bind(self.tenant)
        .bind(self.checkpoints_after)
        .bind(number(self.signed)?)
        .bind(CHECKPOINTS)
        .fetch_all(connection)
        .await?;
        self.checkpoints_after = i64::MAX;
        for row in &rows {
            let size: i64 = row.try_get(0)?;
            let signed = Signed::read(row);
            let at = |error: StoreError| error.at(format_args!("the checkpoint of {size} entries"));
            self.checkpoints.push_back(signed.map_err(at)?);
            self.checkpoints_after = size;
        }
        Ok(())
    }

    /// Compares the checkpoints of just so many entries that were kept elsewhere with the tree.
    fn compare_kept(&mut self) -> Result<(), Wrong> {
        let size = self.edge.size();
        while let Some((name, kept)) = self.kept.pop_if(|(_, kept)| kept.size <= size) {
            if kept.root != self.edge.root() {
                let what = KeptWrong::AnotherPast { size };
                return Err(Wrong::Kept { name, what });
            }
        }
        Ok(())
    }

    /// Whether what became of an entry was permitted, and what it tells of what is.
    fn judge(&mut self, leaf: &Leaf, facts: Facts) -> Result<(), Wrong> {
        let tenant = || self.slug.clone();
        let release = self.releases.all.get(self.told_of);
        let release = release.filter(|release| release.seq.cast_unsigned() == leaf.seq);
        match facts {
            Facts::Gone => {
                let seq = leaf.seq;
                if release.is_some() {
                    let what = "is gone, and it is what permits others to be";
                    return Err(Wrong::Release {
                        tenant: tenant(),
                        seq,
                        what,
                    });
                }
                if !self.releases.cover(leaf) {
                    let id = leaf.id;
                    return Err(Wrong::Unreleased {
                        tenant: tenant(),
                        seq,
                        id,
                    });
                }
                self.released += 1;
            }
            Facts::Plain => {
                if release.is_some() {
                    let what = "is none: that entry tells of something else";
                    let seq = leaf.seq;
                    return Err(Wrong::Release {
                        tenant: tenant(),
                        seq,
                        what,
                    });
                }
            }
            Facts::Telling(told) => {
                let judged = self.rules.follow(leaf, &told, release);
                if let Err(what) = judged {
                    let seq = leaf.seq;
                    return Err(Wrong::Release {
                        tenant: tenant(),
                        seq,
                        what,
                    });
                }
                self.told_of += usize::from(release.is_some());
            }
        }
        Ok(())
    }

    /// What is left over when the whole log is checked.
    pub(super) async fn end(&mut self, connection: &mut Connection) -> Result<(), VerifyError> {
        let entries = self.edge.size();
        let slug = self.slug.clone();
        let tenant = || slug.clone();
        if let Some(release) = self.releases.all.get(self.told_of) {
            let what = "has no such entry";
            let seq = count(release.seq)?;
            return Err(Wrong::Release {
                tenant: tenant(),
                seq,
                what,
            }
            .into());
        }
        if let Some(seq) = self.erasures.untold() {
            let what = "has no such entry";
            let tenant = tenant();
            return Err(Wrong::Release { tenant, seq, what }.into());
        }
        if let Some((name, kept)) = self.kept.pop() {
            let size = kept.size;
            let what = KeptWrong::Shrunk { size, entries };
            return Err(Wrong::Kept { name, what }.into());
        }
        self.read_checkpoints(connection).await?;
        if let Some(signed) = self.checkpoints.front() {
            let size = signed.size;
            return Err(Wrong::Shrunk {
                tenant: tenant(),
                size,
                entries,
            }
            .into());
        }
        // Those that became whole were compared then.
        let growing: Vec<(TileId, Vec<Hash>)> = self
            .edge
            .growing()
            .map(|(id, hashes)| (id, hashes.to_vec()))
            .collect();
        for (id, hashes) in growing {
            self.compare_tile(connection, id, &hashes).await?;
        }
        if self.seen == Seen::Moving {
            return Ok(());
        }
        // The tree holds what the newest checkpoint covers, and no more.
        let rows: Vec<(i64, i64)> = database::query_as(
            "SELECT level, max(place) FROM tile WHERE tenant = ? GROUP BY level",
        )
        .bind(self.tenant)
        .fetch_all(connection)
        .await?;
        for (level, place) in rows {
            let (level, index) = (u32::try_from(level).unwrap_or(u32::MAX), count(place)?);
            let id = TileId { level, index };
            if self.held(id) == 0 {
                return Err(Wrong::Tile {
                    tenant: tenant(),
                    level,
                    place: index,
                    what: "holds what was not signed",
                }
                .into());
            }
        }
        Ok(())
    }
}

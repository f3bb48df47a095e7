//! The hashes of a tree, kept in tiles of 256: a tile of level 0 holds leaves, one of level 1 the
//! roots of whole tiles of level 0, and so on. The last tile of a level grows; what is in it stays.
//! So the tiles of a tree are enough for everything that is asked about a smaller one.

use super::tree::{node_hash, root};
use crate::leaf::Hash;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// How many hashes a whole tile holds.
pub const TILE: usize = 1 << BITS;
/// So many levels of the tree are between two levels of tiles.
pub(super) const BITS: u32 = 8;

/// Where a tile stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// Its level, from 0, whose hashes are leaves.
    pub level: u32,
    /// Its place on that level, from 0.
    pub index: u64,
}

/// How many hashes a level of tiles has in a tree of this size.
pub(super) const fn hashes_at(level: u32, size: u64) -> u64 {
    match size.checked_shr(BITS * level) {
        Some(hashes) => hashes,
        None => 0,
    }
}

/// A level's last tile does not hold what it must in a tree of that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the last tile of level {level} holds {held} hashes, not {expected}")]
pub struct EdgeError {
    /// Which level.
    pub level: u32,
    /// How many hashes it holds.
    pub held: usize,
    /// How many it must hold.
    pub expected: u64,
}

/// The growing edge of a tree: of each level the tile that is not whole yet. It is all that it takes to
/// go on, and to say the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// By level; the last may be empty.
    growing: Vec<Vec<Hash>>,
}

impl Edge {
    /// The tiles that the edge of a tree of this size consists of: where each stands, and how many
    /// hashes of it belong to the tree.
    pub fn tiles_of(size: u64) -> Vec<(TileId, usize)> {
        let mut tiles = Vec::new();
        let mut level = 0;
        while hashes_at(level, size) > 0 {
            let hashes = hashes_at(level, size);
            let index = hashes >> BITS;
            let held = usize::try_from(hashes % (1 << BITS)).unwrap_or(0);
            if held > 0 {
                tiles.push((TileId { level, index }, held));
            }
            level += 1;
        }
        tiles
    }

    /// The edge of a tree of this size, from its tiles; each may hold more than belongs to the tree.
    ///
    /// # Errors
    ///
    /// A tile is not there, or holds too little.
    pub fn of(size: u64, tiles: &Tiles) -> Result<Self, EdgeError> {
        let mut growing: Vec<Vec<Hash>> = Vec::new();
        for (TileId { level, index }, expected) in Self::tiles_of(size) {
            let tile = tiles.0.get(&TileId { level, index });
            let held = tile.map_or(0, Vec::len);
            let hashes = tile
                .and_then(|tile| tile.get(..expected))
                .ok_or(EdgeError {
                    level,
                    held,
                    expected: hashes_at(level, size) % (1 << BITS),
                })?;
            growing.resize(usize::try_from(level).unwrap_or_default(), Vec::new());
            growing.push(hashes.to_vec());
        }
        Ok(Self { size, growing })
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next leaf; `whole` is told of each tile that became whole.
    pub fn push(&mut self, leaf: Hash, mut whole: impl FnMut(TileId, Vec<Hash>)) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0.. {
            let at = usize::try_from(level).unwrap_or(usize::MAX);
            if at == self.growing.len() {
                self.growing.push(Vec::with_capacity(TILE));
            }
            let Some(tile) = self.growing.get_mut(at) else {
                return;
            };
            tile.push(hash);
            if tile.len() < TILE {
                return;
            }
            let tile = std::mem::take(tile);
            hash = root(&tile);
            let index = (self.size - 1) >> (BITS * (level + 1));
            whole(TileId { level, index }, tile);
        }
    }

    /// The tiles that are not whole, with what they hold.
    pub fn growing(&self) -> impl Iterator<Item = (TileId, &[Hash])> {
        let tiles = self.growing.iter().zip(0..);
        tiles
            .filter(|(tile, _)| !tile.is_empty())
            .map(|(tile, level)| {
                let index = hashes_at(level, self.size) >> BITS;
                (TileId { level, index }, tile.as_slice())
            })
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        // What is left over from the levels below is smaller than any node of a level, and the last.
        let mut rest: Option<Hash> = None;
        for tile in &self.growing {
            let nodes: Vec<Hash> = tile.iter().copied().chain(rest).collect();
            rest = (!nodes.is_empty()).then(|| root(&nodes));
        }
        rest.unwrap_or_else(|| root(&[]))
    }
}

/// A node over a whole subtree: over the leaves `index << level` and as many as `1 << level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    level: u32,
    index: u64,
}

impl Node {
    /// Which hashes of which tile it is made of.
    fn lies(self) -> (TileId, Range<usize>) {
        let above = self.level % BITS;
        let first = self.index << above;
        let tile = TileId {
            level: self.level / BITS,
            index: first >> BITS,
        };
        let start = usize::try_from(first % (1 << BITS)).unwrap_or_default();
        (tile, start..start + (1 << above))
    }
}

/// The whole subtrees that leaves are made of, from the left. The range begins where a subtree of its
/// size may begin, as all those of paths do.
fn nodes_of(range: &Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let level = (range.end - start).ilog2();
        nodes.push(Node {
            level,
            index: start >> level,
        });
        start += 1 << level;
    }
    nodes
}

/// Tiles of a tree, as many as were fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiles(pub BTreeMap<TileId, Vec<Hash>>);

impl Tiles {
    /// Which tiles it takes to say the hashes over these leaves.
    pub fn needed(ranges: &[Range<u64>]) -> BTreeSet<TileId> {
        let nodes = ranges.iter().flat_map(nodes_of);
        nodes.map(|node| node.lies().0).collect()
    }

    /// The hash of the node over these leaves, as [`super::inclusion_ranges`] and
    /// [`super::consistency_ranges`] name them; none where a tile is not there, or too short.
    pub fn hash_over(&self, range: &Range<u64>) -> Option<Hash> {
        let mut hash: Option<Hash> = None;
        for node in nodes_of(range).into_iter().rev() {
            let (tile, place) = node.lies();
            let left = root(self.0.get(&tile)?.get(place)?);
            hash = Some(hash.map_or(left, |right| node_hash(&left, &right)));
        }
        Some(hash.unwrap_or_else(|| root(&[])))
    }

    /// The hashes of all these; none where one cannot be said.
    pub fn path(&self, ranges: &[Range<u64>]) -> Option<Vec<Hash>> {
        ranges.iter().map(|range| self.hash_over(range)).collect()
    }
}

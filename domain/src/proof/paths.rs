//! The paths of many leaves to one root, such as those of all rows of an export: what lies over a tile
//! is computed once, however many leaves of it are asked about.

use super::{
    tiles::{BITS, Edge, TILE, TileId, Tiles, hashes_at},
    tree::{inclusion_ranges, node_hash},
};
use crate::leaf::Hash;
use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

/// A tile, and the nodes over it: of each level above the tile's hashes as many as are whole.
#[derive(Clone, Debug)]
struct Grown(Vec<Vec<Hash>>);

impl Grown {
    fn over(hashes: Vec<Hash>) -> Self {
        let mut levels = vec![hashes];
        for _ in 1..BITS {
            let below = levels.last().map_or(&[][..], Vec::as_slice);
            let (pairs, _) = below.as_chunks();
            let above = pairs.iter().map(|[left, right]| node_hash(left, right));
            levels.push(above.collect());
        }
        Self(levels)
    }
}

/// The paths to the root of a tree of a certain size. It keeps the tiles that it was given.
#[derive(Clone, Debug)]
pub struct Paths {
    size: u64,
    tiles: HashMap<TileId, Grown>,
    /// The tiles at the tree's right edge, from which the nodes over its last leaves are made.
    edge: Tiles,
    /// Those nodes, by the first leaf that they stand over.
    ends: HashMap<u64, Hash>,
}

impl Paths {
    /// Of a tree of so many leaves.
    pub fn new(size: u64) -> Self {
        Self {
            size,
            tiles: HashMap::new(),
            edge: Tiles::default(),
            ends: HashMap::new(),
        }
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// How many tiles are kept.
    pub fn kept(&self) -> usize {
        self.tiles.len()
    }

    /// Which tiles it takes for the paths of these leaves (from 0) besides those that are kept.
    pub fn missing(&self, indexes: impl IntoIterator<Item = u64>) -> BTreeSet<TileId> {
        let mut missing: BTreeSet<TileId> = Edge::tiles_of(self.size)
            .into_iter()
            .map(|(id, _)| id)
            .filter(|id| !self.edge.0.contains_key(id))
            .collect();
        for index in indexes {
            for level in 0.. {
                let held = hashes_at(level, self.size);
                let place = index.checked_shr(BITS * (level + 1)).unwrap_or(0);
                // A level that has nothing, or nothing there, has no whole node beside the path.
                if held <= place << BITS {
                    break;
                }
                let id = TileId {
                    level,
                    index: place,
                };
                if !self.tiles.contains_key(&id) && !missing.insert(id) {
                    // Those above it were looked at with it.
                    break;
                }
            }
        }
        missing
    }

    /// Keeps a tile, which may hold more than belongs to the tree.
    pub fn keep(&mut self, id: TileId, mut hashes: Vec<Hash>) {
        let held = hashes_at(id.level, self.size).saturating_sub(id.index << BITS);
        hashes.truncate(usize::try_from(held).unwrap_or(TILE));
        if Edge::tiles_of(self.size)
            .iter()
            .any(|(edge, _)| *edge == id)
        {
            self.edge.0.insert(id, hashes.clone());
        }
        self.tiles.insert(id, Grown::over(hashes));
    }

    /// Forgets the tiles that are not at the tree's edge.
    pub fn forget(&mut self) {
        self.tiles.retain(|id, _| self.edge.0.contains_key(id));
    }

    /// The nodes that, with the leaf at `index` (from 0), make the root of the tree, lowest first; none
    /// where there is no such leaf, or a tile that it takes is not kept.
    pub fn path(&mut self, index: u64) -> Option<Vec<Hash>> {
        let ranges = inclusion_ranges(index, self.size)?;
        ranges.iter().map(|range| self.over(range)).collect()
    }

    fn over(&mut self, leaves: &Range<u64>) -> Option<Hash> {
        let count = leaves.end - leaves.start;
        if count.is_power_of_two() {
            let level = count.trailing_zeros();
            let place = leaves.start >> level;
            let (tiles, within) = (level / BITS, level % BITS);
            let index = place << within >> BITS;
            let tile = self.tiles.get(&TileId {
                level: tiles,
                index,
            })?;
            let first = usize::try_from(place - (index << (BITS - within))).ok()?;
            return tile.0.get(within as usize)?.get(first).copied();
        }
        if let Some(known) = self.ends.get(&leaves.start) {
            return Some(*known);
        }
        let hash = self.edge.hash_over(leaves)?;
        self.ends.insert(leaves.start, hash);
        Some(hash)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::proof::{inclusion_path, root, root_from_path};
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    fn grown(size: u64) -> (Vec<Hash>, Tiles) {
        let leaves: Vec<Hash> = (0..size)
            .map(|number| Hash(Sha256::digest(number.to_be_bytes()).into()))
            .collect();
        let (mut edge, mut tiles) = (Edge::default(), Tiles::default());
        for leaf in &leaves {
            edge.push(*leaf, |id, tile| {
                tiles.0.insert(id, tile);
            });
        }
        let growing = edge.growing().map(|(id, tile)| (id, tile.to_vec()));
        tiles.0.extend(growing);
        (leaves, tiles)
    }

    fn supplied(paths: &mut Paths, tiles: &Tiles, indexes: &[u64]) {
        for id in paths.missing(indexes.iter().copied()) {
            paths.keep(id, tiles.0[&id].clone());
        }
    }

    #[test]
    fn the_paths_of_small_trees_are_those_of_the_definition_even_from_a_larger_trees_tiles() {
        let (leaves, tiles) = grown(1_200);
        for size in (1..40).chain([255, 256, 257, 300, 511, 512, 513, 700, 1_024, 1_199, 1_200]) {
            let mut paths = Paths::new(size);
            let of = &leaves[..usize::try_from(size).unwrap()];
            for index in (0..size).rev() {
                supplied(&mut paths, &tiles, &[index]);
                assert!(paths.missing([index]).is_empty(), "{index} of {size}");
                let expected = inclusion_path(of, usize::try_from(index).unwrap());
                assert_eq!(paths.path(index), expected, "{index} of {size}");
            }
            assert_eq!(paths.path(size), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_leaves_of_a_tree_of_three_levels_of_tiles_lead_to_its_root(
            size in 65_000_u64..70_000, asked in proptest::collection::vec(any::<u64>(), 1..20)
        ) {
            let (leaves, tiles) = grown(size);
            let root = root(&leaves);
            let asked: Vec<u64> = asked.into_iter().map(|index| index % size).collect();
            let mut paths = Paths::new(size);
            for some in asked.chunks(7) {
                supplied(&mut paths, &tiles, some);
                for index in some {
                    let path = paths.path(*index).unwrap();
                    let leaf = leaves[usize::try_from(*index).unwrap()];
                    prop_assert_eq!(root_from_path(&leaf, *index, size, &path), Ok(root));
                }
                paths.forget();
            }
            prop_assert!(paths.kept() <= 3);
        }
    }
}

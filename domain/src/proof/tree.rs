//! The Merkle tree over a tenant's leaves (RFC 9162, section 2.1).

use crate::leaf::Hash;
use sha2::{Digest, Sha256};
use std::ops::Range;

/// The hash of a node over two others (RFC 9162, section 2.1.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let digest = Sha256::new()
        .chain_update([1])
        .chain_update(left.0)
        .chain_update(right.0);
    Hash(digest.finalize().into())
}

/// The root of the tree over these leaves, in their order; of no leaves, the hash of nothing.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash(Sha256::digest([]).into()),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// How many of `size` leaves are in the left part of their tree: the largest power of two that is
/// less than `size`, which is at least 2.
const fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// The same of a tree of any size.
const fn split_of(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

/// Over which leaves the nodes stand that, with the leaf at `index` (from 0), make the root of a tree
/// of `size` leaves, lowest first (RFC 9162, section 2.1.3.1); none where there is no such leaf.
pub fn inclusion_ranges(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if index >= size {
        return None;
    }
    let mut rest = 0..size;
    let mut ranges = Vec::new();
    while rest.end - rest.start > 1 {
        let middle = rest.start + split_of(rest.end - rest.start);
        if index < middle {
            ranges.push(middle..rest.end);
            rest.end = middle;
        } else {
            ranges.push(rest.start..middle);
            rest.start = middle;
        }
    }
    ranges.reverse();
    Some(ranges)
}

/// Over which leaves the nodes stand that show a tree of `from` leaves to be the beginning of one of
/// `to` (RFC 9162, section 2.1.4.1): nothing where the two are the same, or there was nothing; none
/// where `from` is more than `to`.
pub fn consistency_ranges(from: u64, to: u64) -> Option<Vec<Range<u64>>> {
    if from > to {
        return None;
    }
    if from == 0 {
        return Some(Vec::new());
    }
    let mut rest = 0..to;
    let mut ranges = Vec::new();
    // Whether the part that is left is one whose root the smaller tree's own root tells.
    let mut is_whole = true;
    while from < rest.end {
        let middle = rest.start + split_of(rest.end - rest.start);
        if from <= middle {
            ranges.push(middle..rest.end);
            rest.end = middle;
        } else {
            ranges.push(rest.start..middle);
            rest.start = middle;
            is_whole = false;
        }
    }
    if !is_whole {
        ranges.push(rest);
    }
    ranges.reverse();
    Some(ranges)
}

/// The nodes that, with the leaf at `index` (from 0), make the root of the tree over `leaves`,
/// lowest first; none where there is no such leaf.
pub fn inclusion_path(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    let ranges = inclusion_ranges(
        u64::try_from(index).ok()?,
        u64::try_from(leaves.len()).ok()?,
    )?;
    let place = |at: u64| usize::try_from(at).ok();
    ranges
        .into_iter()
        .map(|range| Some(root(leaves.get(place(range.start)?..place(range.end)?)?)))
        .collect()
}

/// Why a path leads from a leaf to no root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The tree has no leaf of this index.
    #[error("the tree has no leaf of this index")]
    Outside,
    /// The path has more nodes than lie between leaf and root.
    #[error("the path has more nodes than lie between leaf and root")]
    TooLong,
    /// The path has fewer nodes than lie between leaf and root.
    #[error("the path has fewer nodes than lie between leaf and root")]
    TooShort,
}

/// The root that a path leads to from a leaf at `index` (from 0) in a tree of `size` leaves (RFC
/// 9162, section 2.1.3.2). The leaf is in the tree if that is the tree's root.
///
/// # Errors
///
/// The path does not fit the place of the leaf.
pub fn root_from_path(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
) -> Result<Hash, InclusionError> {
    if index >= size {
        return Err(InclusionError::Outside);
    }
    // The place of the node reached, and of the last one, on the level that is reached.
    let (mut place, mut last) = (index, size - 1);
    let mut reached = *leaf;
    for node in path {
        if last == 0 {
            return Err(InclusionError::TooLong);
        }
        if place & 1 == 1 || place == last {
            reached = node_hash(node, &reached);
            // A node without a sibling rises as it is.
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            reached = node_hash(&reached, node);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 {
        Ok(reached)
    } else {
        Err(InclusionError::TooShort)
    }
}

/// Why a path does not show one tree to be the beginning of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// The older tree has more leaves than the newer one.
    #[error("the older tree has more leaves than the newer one")]
    Shrunk,
    /// The path has more or fewer nodes than it takes between trees of these sizes.
    #[error("the path does not fit the sizes of the two trees")]
    Misfit,
    /// The path does not lead to the older tree's root.
    #[error("the path does not lead to the root of the older tree")]
    Older,
    /// The path does not lead to the newer tree's root.
    #[error("the path does not lead to the root of the newer tree")]
    Newer,
}

/// Checks that the tree of size and root `from` is the beginning of that of size and root `to` (RFC
/// 9162, section 2.1.4.2).
///
/// # Errors
///
/// It is not, or the path does not show it.
pub fn check_consistency(
    from: (u64, Hash),
    to: (u64, Hash),
    path: &[Hash],
) -> Result<(), ConsistencyError> {
    let ((old_size, old_root), (new_size, new_root)) = (from, to);
    if old_size > new_size {
        return Err(ConsistencyError::Shrunk);
    }
    if old_size == 0 || old_size == new_size {
        // Nothing is the beginning of every tree; and a tree that of itself.
        let is_same = if old_size == new_size {
            old_root == new_root
        } else {
            old_root == root(&[])
        };
        return match (path.is_empty(), is_same) {
            (true, true) => Ok(()),
            (true, false) => Err(ConsistencyError::Older),
            (false, _) => Err(ConsistencyError::Misfit),
        };
    }
    // The places of the last leaves, on the level of the highest node that is whole in the older tree.
    let whole = old_size.trailing_zeros();
    let (mut place, mut last) = ((old_size - 1) >> whole, (new_size - 1) >> whole);
    let mut nodes = path.iter();
    // Where the older tree is whole, its root is the node that the path begins with.
    let first = if old_size.is_power_of_two() {
        old_root
    } else {
        *nodes.next().ok_or(ConsistencyError::Misfit)?
    };
    let (mut older, mut newer) = (first, first);
    for node in nodes {
        if last == 0 {
            return Err(ConsistencyError::Misfit);
        }
        if place & 1 == 1 || place == last {
            older = node_hash(node, &older);
            newer = node_hash(node, &newer);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            newer = node_hash(&newer, node);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        Err(ConsistencyError::Misfit)
    } else if older != old_root {
        Err(ConsistencyError::Older)
    } else if newer != new_root {
        Err(ConsistencyError::Newer)
    } else {
        Ok(())
    }
}

//! The Merkle tree over a tenant's leaves (RFC 9162, section 2.1).

use super::Hash;
use sha2::{Digest, Sha256};

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
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// The nodes that, with the leaf at `index` (from 0), make the root of the tree over `leaves`,
/// lowest first (RFC 9162, section 2.1.3.1); none where there is no such leaf.
pub fn inclusion_path(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let (mut rest, mut index) = (leaves, index);
    let mut path = Vec::new();
    while rest.len() > 1 {
        let (left, right) = rest.split_at(split(rest.len()));
        if index < left.len() {
            path.push(root(right));
            rest = left;
        } else {
            path.push(root(left));
            index -= left.len();
            rest = right;
        }
    }
    path.reverse();
    Some(path)
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

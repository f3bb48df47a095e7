//! That nothing was altered: the Merkle tree over a tenant's leaves (RFC 6962, RFC 9162), the tiles
//! that its hashes are kept in, and the checkpoints that are signed of it (C2SP `tlog-checkpoint`).
//!
//! What a leaf is made of is said in [`crate::leaf`].

mod checkpoint;
mod note;
mod paths;
mod tiles;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError, Origin};
pub use note::{KeyError, Note, NoteError, NoteSignature, Signer, VerifierKey};
pub use paths::Paths;
pub use tiles::{Edge, EdgeError, TILE, TileId, Tiles};
pub use tree::{
    ConsistencyError, InclusionError, check_consistency, consistency_ranges, inclusion_path,
    inclusion_ranges, node_hash, root, root_from_path,
};

#[cfg(test)]
mod tests;

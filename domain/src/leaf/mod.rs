//! What an event leaves in the proof: its parts, their hashes, the header and the leaf of the tree.
//!
//! An event is hashed in seven parts, each salted for itself, so that one part can be shown and
//! proved, or erased, without the others. The header holds the hash over the parts; the leaf, the
//! hash of the header, goes into the tree of the tenant ([`crate::proof`]). What is hashed is what
//! is recorded: an event must be redacted before.

mod erased;
mod hash;
mod header;
mod parts;

pub use erased::PartProofs;
pub use hash::{Hash, HexError, Salt};
pub use header::{Header, leaf_hash};
pub use parts::{
    PARTS, PartProof, hash_of_part, hash_of_parts, part_hash, part_hashes, part_of, part_salt,
    parts_hash, parts_of, proven_parts_hash,
};

#[cfg(test)]
mod tests;

//! What proves an event of which parts were erased: their hashes, and the salts of the others.

use super::{Hash, PARTS, PartProof, Salt, part_salt};
use crate::event::{Part, Parts};

/// What proves each part of an event, in the order of [`PARTS`]: its salt, or its hash where it was
/// erased. The event's salt is not in it: who has that could try out what an erased part said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartProofs([PartProof; 7]);

impl PartProofs {
    /// Of an event of which nothing was erased.
    pub fn of(salt: &Salt) -> Self {
        Self(PARTS.map(|part| PartProof::Salt(part_salt(salt, part))))
    }

    /// Those of each part.
    pub const fn each(&self) -> &[PartProof; 7] {
        &self.0
    }

    /// Those of each part, with the part.
    pub fn by_part(&self) -> impl Iterator<Item = (Part, PartProof)> + '_ {
        PARTS.into_iter().zip(self.0)
    }

    /// The salt of a part that was not erased.
    pub fn salt(&self, part: Part) -> Option<Salt> {
        self.by_part().find_map(|(of, proof)| match proof {
            PartProof::Salt(salt) if of == part => Some(salt),
            _ => None,
        })
    }

    /// Which parts were erased.
    pub fn erased(&self) -> Parts {
        let erased = self.by_part().filter_map(|(part, proof)| match proof {
            PartProof::Hash(_) => Some(part),
            PartProof::Salt(_) => None,
        });
        erased.collect()
    }

    /// Puts the hash of a part in the place of its salt.
    pub fn erase(&mut self, part: Part, hash: Hash) {
        if let Some(proof) = self.0.get_mut(part as usize) {
            *proof = PartProof::Hash(hash);
        }
    }

    /// They as bytes, one after the other. Which of them are hashes is not among these.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(7 * 32);
        for proof in &self.0 {
            match proof {
                PartProof::Salt(salt) => bytes.extend_from_slice(&salt.0),
                PartProof::Hash(hash) => bytes.extend_from_slice(&hash.0),
            }
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote of an event of which these parts were erased; none where it
    /// is not that.
    pub fn from_bytes(erased: Parts, bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut proofs = [PartProof::Salt(Salt([0; 16])); 7];
        for (proof, part) in proofs.iter_mut().zip(PARTS) {
            *proof = if erased.has(part) {
                let (hash, after) = rest.split_first_chunk()?;
                rest = after;
                PartProof::Hash(Hash(*hash))
            } else {
                let (salt, after) = rest.split_first_chunk()?;
                rest = after;
                PartProof::Salt(Salt(*salt))
            };
        }
        rest.is_empty().then_some(Self(proofs))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_proves_an_event_is_read_as_it_was_written(
            bits in 0_u8..128,
            salt in any::<[u8; 16]>(),
            hash in any::<[u8; 32]>(),
        ) {
            let parts = Parts::from_bits(bits).unwrap();
            let mut proofs = PartProofs::of(&Salt(salt));
            for part in parts.list() {
                proofs.erase(*part, Hash(hash));
            }
            prop_assert_eq!(proofs.erased(), parts);
            let bytes = proofs.to_bytes();
            prop_assert_eq!(PartProofs::from_bytes(parts, &bytes), Some(proofs));
            prop_assert_eq!(PartProofs::from_bytes(parts, &bytes[1..]), None);
            for other in 0..128 {
                let read = PartProofs::from_bytes(Parts::from_bits(other).unwrap(), &bytes);
                // As many hashes at other places have as many bytes.
                prop_assert_eq!(read.is_some(), other.count_ones() == bits.count_ones());
            }
        }
    }
}

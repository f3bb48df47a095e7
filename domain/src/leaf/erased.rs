//! What proves an event of which parts were erased: their hashes, and the salts of the others.

use super::{Hash, PARTS, PartProof, Salt, part_salt};
use crate::event::Part;
use std::sync::LazyLock;

/// A set of parts, in the order of [`PARTS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Parts(u8);

impl Parts {
    /// None.
    pub const NONE: Self = Self(0);

    /// A set by its bits, the first part's the lowest; none where there are others.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits < 1 << PARTS.len() {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// The set as bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn bit(part: Part) -> u8 {
        1 << part as u8
    }

    /// Whether a part is in it.
    pub const fn has(self, part: Part) -> bool {
        self.0 & Self::bit(part) != 0
    }

    /// The set with another part.
    #[must_use]
    pub const fn with(self, part: Part) -> Self {
        Self(self.0 | Self::bit(part))
    }

    /// The parts of either.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The parts that are not in another set.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// The parts, in their order.
    pub fn list(self) -> &'static [Part] {
        static LISTS: LazyLock<Vec<Vec<Part>>> = LazyLock::new(|| {
            let parts = |bits: u8| PARTS.into_iter().filter(move |part| Parts(bits).has(*part));
            (0..1 << PARTS.len())
                .map(|bits| parts(bits).collect())
                .collect()
        });
        LISTS.get(usize::from(self.0)).map_or(&[], Vec::as_slice)
    }
}

impl FromIterator<Part> for Parts {
    fn from_iter<T: IntoIterator<Item = Part>>(parts: T) -> Self {
        parts.into_iter().fold(Self::NONE, Self::with)
    }
}

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

    #[test]
    fn a_set_lists_its_parts_in_their_order() {
        let parts: Parts = [Part::Context, Part::Actor].into_iter().collect();
        assert_eq!(parts.list(), [Part::Actor, Part::Context]);
        assert_eq!(parts.bits(), 0b100_0010);
        assert_eq!(Parts::from_bits(128), None);
        assert!(Parts::NONE.list().is_empty());
    }

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

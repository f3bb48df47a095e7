//! Which entries a file has had: a bit for each.

use std::collections::HashMap;

/// So many bits are in a block.
const BLOCK: u64 = 512;

/// A set of numbers, which lie near each other mostly.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<u64, [u64; 8]>);

impl Seen {
    /// Adds one; whether it is new.
    pub(super) fn add(&mut self, number: u64) -> bool {
        let block = self.0.entry(number / BLOCK).or_default();
        let within = number % BLOCK;
        let mask = 1 << (within % 64);
        let Some(word) = block.get_mut(usize::try_from(within / 64).unwrap_or_default()) else {
            return false;
        };
        let is_new = *word & mask == 0;
        *word |= mask;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn a_number_is_new_once(
            numbers in proptest::collection::vec(
                prop_oneof![0..2_000_u64, any::<u64>()], 0..200)
        ) {
            let (mut seen, mut known) = (Seen::default(), HashSet::new());
            for number in numbers {
                prop_assert_eq!(seen.add(number), known.insert(number));
            }
        }
    }
}

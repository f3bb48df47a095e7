//! Chance that falls the same everywhere: `ChaCha8` from the seed, and drawings of our own, in whole
//! numbers only. No library's way of drawing and no rounding can change the story of a seed.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// A source of chance.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number from 0 to `end`, which it never is; 0 where `end` is 0 or less.
    pub fn below(&mut self, end: i64) -> i64 {
        let wide = i128::from(self.0.next_u64()) * i128::from(end.max(0));
        i64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `first` to `last`, both included.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        first + self.below(last - first + 1)
    }

    /// True in `per_mille` of a thousand cases.
    pub fn chance(&mut self, per_mille: i64) -> bool {
        self.below(1_000) < per_mille
    }

    /// A place in a list of `len`.
    pub fn index(&mut self, len: usize) -> usize {
        let end = i64::try_from(len).unwrap_or(i64::MAX);
        usize::try_from(self.below(end)).unwrap_or(0)
    }

    /// A place in a list of `len`, those at its start far more often than those at its end: a few
    /// are busy, most are rare.
    pub fn early_index(&mut self, len: usize) -> usize {
        let reach = self.index(len) + 1;
        let within = self.index(reach) + 1;
        self.index(within)
    }

    /// One of a list.
    pub fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.index(list.len())]
    }

    /// The place that a draw by weight falls on, in a list of weights added up.
    pub fn weighted(&mut self, sums: &[i64]) -> usize {
        let drawn = self.below(sums.last().copied().unwrap_or(0));
        sums.partition_point(|&sum| sum <= drawn)
    }

    /// So many hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from(b"0123456789abcdef"[self.index(16)]))
            .collect()
    }
}

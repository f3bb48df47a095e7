//! Who does what how often.

use super::{dice::Dice, families::KINDS, people::Place, world::Act};

/// What may be done by somebody somewhere: acts by their places in [`KINDS`], weights added up.
#[derive(Default)]
pub struct Repertoire {
    acts: Vec<(usize, usize)>,
    sums: Vec<i64>,
}

impl Repertoire {
    /// The acts whose weight is more than nothing.
    pub fn new(place: Place, weight: impl Fn(usize, &Act) -> i64) -> Self {
        let mut all = Self::default();
        let mut sum = 0;
        for (kind, about) in KINDS.iter().enumerate() {
            for (act, what) in about.acts.iter().enumerate() {
                let share = weight(kind, what) * about.share[place as usize];
                if share > 0 {
                    sum += share;
                    all.acts.push((kind, act));
                    all.sums.push(sum);
                }
            }
        }
        all
    }

    /// One of them, by weight: the places of its kind and of the act.
    pub fn draw(&self, dice: &mut Dice) -> (usize, usize) {
        self.acts[dice.weighted(&self.sums)]
    }
}

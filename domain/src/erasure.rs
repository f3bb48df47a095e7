//! What of which events is erased, as the event that tells of it names them: by number, and by part.

use crate::event::{Part, Parts};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write};

/// Which parts of which events, by their numbers in the tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased(BTreeMap<u64, Parts>);

impl Erased {
    /// How many events.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds parts of an event.
    pub fn add(&mut self, seq: u64, parts: Parts) {
        let known = self.0.entry(seq).or_default();
        *known = known.and(parts);
    }

    /// Each event with its parts, in their order.
    pub fn each(&self) -> impl Iterator<Item = (u64, Parts)> + '_ {
        self.0.iter().map(|(seq, parts)| (*seq, *parts))
    }

    /// As the event tells it: for each set of parts the numbers of the events, `5-9,12`.
    pub fn told(&self) -> Value {
        let mut by_parts: BTreeMap<Parts, Vec<u64>> = BTreeMap::new();
        for (seq, parts) in self.each() {
            by_parts.entry(parts).or_default().push(seq);
        }
        let told = by_parts
            .into_iter()
            .map(|(parts, numbers)| json!({"parts": parts.list(), "events": ranges(&numbers)}));
        told.collect()
    }

    /// Reads what [`Self::told`] wrote; none where it is anything else.
    pub fn read(told: &Value) -> Option<Self> {
        let mut erased = Self::default();
        for entry in told.as_array()? {
            let parts: Vec<Part> = serde_json::from_value(entry.get("parts")?.clone()).ok()?;
            let parts: Parts = parts.into_iter().collect();
            for range in entry.get("events")?.as_str()?.split(',') {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
                // A text that names more than anybody has is none that was written so.
                if first > last || last - first > 10_000_000 {
                    return None;
                }
                for seq in first..=last {
                    erased.add(seq, parts);
                }
            }
        }
        Some(erased)
    }
}

impl FromIterator<(u64, Parts)> for Erased {
    fn from_iter<T: IntoIterator<Item = (u64, Parts)>>(events: T) -> Self {
        let mut erased = Self::default();
        for (seq, parts) in events {
            erased.add(seq, parts);
        }
        erased
    }
}

/// Ascending numbers, those that follow each other as one range.
fn ranges(numbers: &[u64]) -> String {
    let mut out = String::new();
    let mut rest = numbers;
    while let Some((first, _)) = rest.split_first() {
        let together = (*first..)
            .zip(rest)
            .take_while(|(expected, number)| expected == *number)
            .count();
        let (run, after) = rest.split_at(together);
        rest = after;
        if !out.is_empty() {
            out.push(',');
        }
        // Writing into a text cannot fail.
        let _ = match run {
            [one] => write!(out, "{one}"),
            _ => write!(out, "{first}-{}", first + (together as u64) - 1),
        };
    }
    out
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(parts: &[Part]) -> Parts {
        parts.iter().copied().collect()
    }

    #[test]
    fn events_are_told_by_their_parts_in_ranges() {
        let erased: Erased = [
            (5, parts(&[Part::Actor])),
            (6, parts(&[Part::Actor])),
            (7, parts(&[Part::Actor, Part::Via])),
            (8, parts(&[Part::Actor])),
            (12, parts(&[Part::Via])),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            erased.told(),
            json!([
                {"parts": ["actor"], "events": "5-6,8"},
                {"parts": ["via"], "events": "12"},
                {"parts": ["actor", "via"], "events": "7"},
            ])
        );
    }

    #[test]
    fn what_was_not_written_so_is_not_read() {
        for told in [
            json!({}),
            json!([{"parts": ["actor"]}]),
            json!([{"parts": ["nobody"], "events": "1"}]),
            json!([{"parts": ["actor"], "events": ""}]),
            json!([{"parts": ["actor"], "events": "9-5"}]),
            json!([{"parts": ["actor"], "events": "1-18446744073709551615"}]),
        ] {
            assert_eq!(Erased::read(&told), None, "{told}");
        }
    }

    proptest! {
        #[test]
        fn what_is_told_is_read_again(
            events in prop::collection::btree_map(1_u64..500, 1_u8..128, 0..200)
        ) {
            let erased: Erased = events
                .into_iter()
                .map(|(seq, bits)| (seq, Parts::from_bits(bits).unwrap()))
                .collect();
            prop_assert_eq!(Erased::read(&erased.told()), Some(erased));
        }
    }
}

//! Some of the parts of an event.

use super::{Part, UnknownName};
use std::{str::FromStr, sync::LazyLock};

/// A set of parts. Written with commas: `facts,objects`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Parts(u8);

impl Parts {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self(0x7f);

    /// Whether a part is among them.
    pub const fn has(self, part: Part) -> bool {
        self.0 & (1 << part as u8) != 0
    }

    /// Whether any of these is among them.
    pub fn has_any(self, parts: &[Part]) -> bool {
        parts.iter().any(|part| self.has(*part))
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, part: Part) -> Self {
        Self(self.0 | 1 << part as u8)
    }

    /// A set by its bits, the first part's the lowest; none where there are others.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits <= Self::ALL.0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// The set as bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The parts of either.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The parts that are not among others.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// A list of them, in their order.
    pub fn list(self) -> &'static [Part] {
        static LISTS: LazyLock<Vec<Vec<Part>>> = LazyLock::new(|| {
            let all = (0..=Parts::ALL.0).map(Parts);
            all.map(|parts| parts.iter().collect()).collect()
        });
        LISTS.get(usize::from(self.0)).map_or(&[], Vec::as_slice)
    }

    /// In their order.
    pub fn iter(self) -> impl Iterator<Item = Part> {
        let all = Part::ALL.iter().copied();
        all.filter(move |part| self.has(*part))
    }

    /// How many they are.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether they are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Part> for Parts {
    fn from_iter<T: IntoIterator<Item = Part>>(parts: T) -> Self {
        parts.into_iter().fold(Self::NONE, Self::with)
    }
}

impl std::fmt::Display for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, part) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            f.write_str(part.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for Parts {
    type Err = UnknownName;

    /// Reads names of parts with commas between them, one at least.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        text.split(',').map(|name| name.trim().parse()).collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_with_commas_in_any_order() {
        let parts: Parts = "objects, facts,facts".parse().unwrap();
        assert_eq!(parts.to_string(), "facts,objects");
        assert_eq!(parts.len(), 2);
        assert!(parts.has(Part::Facts) && !parts.has(Part::Actor));
        assert_eq!(Part::ALL.iter().copied().collect::<Parts>(), Parts::ALL);
        for text in ["", "facts,", "fact", "facts;actor"] {
            assert!(text.parse::<Parts>().is_err(), "{text}");
        }
    }
}

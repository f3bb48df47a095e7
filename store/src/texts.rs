//! Texts to be searched for a part of one: all in one string, so that a search runs through memory
//! once, at the speed of `memchr`, and not through each text by itself.

use crate::plan::Numbers;
use memchr::memmem;

/// Before each text. No text holds it: events with U+0000 are refused.
const BEFORE: char = '\0';

/// The texts of numbered things, lowercase.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    all: String,
    /// Where those of each number begin.
    begins: Vec<usize>,
}

impl Texts {
    /// Adds the texts of the next number.
    pub(crate) fn add<'a>(&mut self, texts: impl IntoIterator<Item = Option<&'a str>>) {
        self.begins.push(self.all.len());
        for text in texts.into_iter().flatten() {
            self.all.push(BEFORE);
            self.all.push_str(&text.to_lowercase());
        }
    }

    /// The numbers with a text of which `part` (lowercase, not empty) is a part.
    pub(crate) fn with(&self, part: &str) -> Numbers {
        if part.is_empty() || part.contains(BEFORE) {
            return Numbers::default();
        }
        let finder = memmem::Finder::new(part);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = finder.find(self.all.as_bytes().get(from..).unwrap_or_default()) {
            let number = self.begins.partition_point(|begin| *begin <= from + at);
            found.push(u32::try_from(number).unwrap_or(u32::MAX));
            // The rest of this number's texts need no look.
            match self.begins.get(number) {
                Some(next) => from = *next,
                None => break,
            }
        }
        found.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_part_is_found_in_exactly_the_texts_that_hold_it(
            all in prop::collection::vec(
                (prop::option::of("[abÅå ]{0,4}"), prop::option::of("[abÅå ]{0,4}")),
                0..20,
            ),
            part in "[abå ]{1,3}",
        ) {
            let mut texts = Texts::default();
            for (one, other) in &all {
                texts.add([one.as_deref(), other.as_deref()]);
            }
            let holds = |text: &Option<String>| {
                text.as_ref().is_some_and(|text| text.to_lowercase().contains(&part))
            };
            let expected: Vec<u32> = (1..)
                .zip(&all)
                .filter(|(_, (one, other))| holds(one) || holds(other))
                .map(|(number, _)| number)
                .collect();
            let found = texts.with(&part);
            prop_assert_eq!(found.list(), expected);
        }
    }
}

//! Texts to be searched for a part of one: all in one string, so that a search runs through memory
//! once, at the speed of `memchr`, and not through each text by itself.

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

    /// The numbers after `known` with a text of which `part` (lowercase, not empty) is a part.
    pub(crate) fn with(&self, part: &str, known: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut number = known as usize;
        let Some(mut from) = self.begins.get(number).copied() else {
            return found;
        };
        if part.is_empty() || part.contains(BEFORE) {
            return found;
        }
        let finder = memmem::Finder::new(part);
        while let Some(at) = finder.find(self.all.as_bytes().get(from..).unwrap_or_default()) {
            number += begun(self.begins.get(number..).unwrap_or_default(), from + at);
            found.push(u32::try_from(number).unwrap_or(u32::MAX));
            // The rest of this number's texts need no look.
            match self.begins.get(number) {
                Some(next) => from = *next,
                None => break,
            }
        }
        found
    }
}

/// How many of `begins` are not beyond `at`: looked for in steps that double, because the next hit
/// is near where there are many.
fn begun(begins: &[usize], at: usize) -> usize {
    let mut step = 1;
    while begins.get(step).is_some_and(|begin| *begin <= at) {
        step *= 2;
    }
    let passed = step / 2;
    let near = &begins[passed..begins.len().min(step + 1)];
    passed + near.partition_point(|begin| *begin <= at)
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
            known in 0..20_u32,
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
            prop_assert_eq!(&texts.with(&part, 0), &expected);
            let later: Vec<u32> = expected.into_iter().filter(|number| *number > known).collect();
            prop_assert_eq!(texts.with(&part, known), later);
        }
    }
}

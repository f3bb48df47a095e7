//! What Daybook knows of actions: their category, verb, label and description.
//!
//! It ships with packs (`packs/*.toml`, made into a sorted table by the build) and is open: a
//! workspace adds entries of its own, which win over the shipped ones, and an action that nobody
//! knows is read from its name. Nothing of this is part of an event: a reading may be mended later,
//! and past events are then shown in the new light.

mod naming;
mod own;
mod shipped;

pub use own::{Label, LabelError, OwnedEntry};

use std::{borrow::Cow, collections::BTreeMap};

use crate::{category::Category, verb::Verb};

/// What is known of one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The action's name, to the letter.
    pub action: &'a str,
    /// The family it belongs to.
    pub category: Category,
    /// The class of what it does.
    pub verb: Verb,
    /// A short sentence in the past tense, without a full stop: "Member removed".
    pub label: &'a str,
    /// One sentence that adds something to the label.
    pub description: Option<&'a str>,
    /// The pack it came with; `None` for a workspace's own.
    pub pack: Option<&'a str>,
}

/// How an action is read: from an entry, or from its name where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<'a> {
    /// The class of what it does.
    pub verb: Verb,
    /// The family it belongs to; [`Category::Other`] where no entry says it.
    pub category: Category,
    /// What to show for it.
    pub label: Cow<'a, str>,
    /// One sentence more.
    pub description: Option<&'a str>,
    /// Whether an entry says so, rather than the name.
    pub known: bool,
}

impl<'a> From<Entry<'a>> for Reading<'a> {
    fn from(entry: Entry<'a>) -> Self {
        Self {
            verb: entry.verb,
            category: entry.category,
            label: Cow::Borrowed(entry.label),
            description: entry.description,
            known: true,
        }
    }
}

/// The catalogue of one workspace: what is shipped, and the workspace's own entries over it.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    additions: BTreeMap<String, OwnedEntry>,
}

impl Catalogue {
    /// The shipped entries of all packs, sorted by action; no action is there twice.
    #[must_use]
    pub fn shipped() -> &'static [Entry<'static>] {
        &shipped::ENTRIES
    }

    /// The shipped catalogue with a workspace's own entries. Where two of them name the same action
    /// the later one holds.
    #[must_use]
    pub fn new(additions: Vec<OwnedEntry>) -> Self {
        Self {
            additions: additions
                .into_iter()
                .map(|entry| (entry.action.as_str().to_owned(), entry))
                .collect(),
        }
    }

    /// What is shipped for an action, to the letter.
    #[must_use]
    pub fn shipped_entry(action: &str) -> Option<&'static Entry<'static>> {
        let shipped = Self::shipped();
        let at = shipped.binary_search_by(|entry| entry.action.cmp(action));
        at.ok().and_then(|at| shipped.get(at))
    }

    /// How `action` is read. Names are compared to the letter; any text may be asked for.
    #[must_use]
    pub fn reading(&self, action: &str) -> Reading<'_> {
        if let Some(own) = self.additions.get(action) {
            return own.view().into();
        }
        match Self::shipped_entry(action) {
            Some(entry) => (*entry).into(),
            None => naming::read(action),
        }
    }

    /// Every entry that holds: the workspace's own first, then the shipped ones that they do not
    /// replace, each sorted by action.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let shipped = Self::shipped().iter().copied();
        self.additions
            .values()
            .map(OwnedEntry::view)
            .chain(shipped.filter(|entry| !self.additions.contains_key(entry.action)))
    }
}

#[cfg(test)]
mod tests;

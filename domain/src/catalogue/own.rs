//! What a workspace adds to the catalogue.

use super::Entry;
use crate::{category::Category, event::Action, verb::Verb};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An entry that a workspace adds, to name an action of its own or to read a shipped one otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnedEntry {
    /// The action's name, to the letter.
    pub action: Action,
    /// The family it belongs to.
    pub category: Category,
    /// The class of what it does.
    pub verb: Verb,
    /// A short sentence in the past tense, without a full stop.
    pub label: Label,
}

impl OwnedEntry {
    pub(super) fn view(&self) -> Entry<'_> {
        Entry {
            action: self.action.as_str(),
            category: self.category,
            verb: self.verb,
            label: self.label.as_str(),
            description: None,
            pack: None,
        }
    }
}

/// What a workspace calls an action: a line of 1 to 128 characters, without blanks around it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

/// Why a text is no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// There is none, or it is too long.
    #[error("a label has 1 to {} characters", Label::LENGTH_MOST)]
    Length,
    /// It is more than a line.
    #[error("a label has no line breaks, tabs or other control characters")]
    Control,
}

impl Label {
    /// How many characters it may have.
    pub const LENGTH_MOST: usize = 128;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 || length > Self::LENGTH_MOST {
            Err(LabelError::Length)
        } else if text.chars().any(char::is_control) {
            Err(LabelError::Control)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Label {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        text.parse()
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

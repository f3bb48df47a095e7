//! What is taken out in a workspace: what Daybook knows by name, and what the workspace adds.

use super::{Names, places::Place, words::Words};
use std::{fmt, str::FromStr};

/// What is taken out of a workspace's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub(super) names: Names,
    /// Those that hold others first.
    pub(super) places: Vec<Place>,
}

impl Rules {
    /// Daybook's own, for a workspace that adds nothing.
    pub fn built_in() -> Self {
        Self::default()
    }

    /// Daybook's own, and what a workspace adds.
    pub fn with(added: &Added) -> Self {
        let mut places = added.places.clone();
        places.sort_by_key(Place::depth);
        Self {
            names: Names::built_in().with(added.names()),
            places,
        }
    }
}

impl From<Names> for Rules {
    fn from(names: Names) -> Self {
        Self {
            names,
            places: Vec::new(),
        }
    }
}

/// The name of members that a workspace has taken out, in any notation: `national_id`,
/// `nationalId`. It has at least one letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddedName(String);

/// Why a text is no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddedNameError {
    /// There is none, or it is too long.
    #[error("a name has 1 to {} characters", AddedName::LENGTH_MOST)]
    Length,
    /// There is no word in it to compare.
    #[error("a name is made of words, so it has letters")]
    NoWords,
    /// It has line breaks, tabs or other control characters.
    #[error("a name has no line breaks, tabs or other control characters")]
    Control,
}

impl AddedName {
    /// How many characters it may have.
    pub const LENGTH_MOST: usize = 256;

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether another is the same but for its notation.
    pub fn is_same(&self, other: &Self) -> bool {
        Words::of(&self.0).joined() == Words::of(&other.0).joined()
    }
}

impl FromStr for AddedName {
    type Err = AddedNameError;

    fn from_str(text: &str) -> Result<Self, AddedNameError> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 || length > Self::LENGTH_MOST {
            Err(AddedNameError::Length)
        } else if text.chars().any(char::is_control) {
            Err(AddedNameError::Control)
        } else if Words::of(text).joined().is_empty() {
            Err(AddedNameError::NoWords)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl AsRef<str> for AddedName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AddedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a workspace adds to what Daybook takes out, each once, in alphabetical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    names: Vec<AddedName>,
    places: Vec<Place>,
}

/// A workspace would add more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// Names.
    #[error("a workspace adds at most {} names", Added::NAMES_MOST)]
    Names,
    /// Paths.
    #[error("a workspace adds at most {} paths", Added::PLACES_MOST)]
    Places,
}

impl Added {
    /// How many names there may be.
    pub const NAMES_MOST: usize = 200;
    /// How many paths there may be.
    pub const PLACES_MOST: usize = 200;

    /// These names and places, in any order; of names that differ only in their notation the first.
    ///
    /// # Errors
    ///
    /// There are too many.
    pub fn new(names: Vec<AddedName>, mut places: Vec<Place>) -> Result<Self, TooMany> {
        let mut kept: Vec<AddedName> = Vec::with_capacity(names.len());
        for name in names {
            if !kept.iter().any(|known| known.is_same(&name)) {
                kept.push(name);
            }
        }
        kept.sort_unstable();
        places.sort_unstable();
        places.dedup();
        if kept.len() > Self::NAMES_MOST {
            return Err(TooMany::Names);
        }
        if places.len() > Self::PLACES_MOST {
            return Err(TooMany::Places);
        }
        Ok(Self {
            names: kept,
            places,
        })
    }

    /// The names.
    pub fn names(&self) -> &[AddedName] {
        &self.names
    }

    /// The places.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.places.is_empty()
    }
}

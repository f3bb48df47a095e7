//! Legal holds: while one stands, nothing of its workspace is deleted, by no path.

use crate::{StoreError, settings::Changed};
use domain::slug::WorkspacePath;
use std::{fmt, str::FromStr};

/// How many characters the reason for a hold, or for lifting it, may have.
pub const REASON_MOST: usize = 1_000;

/// How many holds of the past one page of them holds.
pub const PAGE: usize = 20;

/// Why a hold is placed or lifted: 1 to [`REASON_MOST`] characters in one line, as whoever looks at
/// the log later reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// A text is no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// Nothing was said.
    #[error("a reason is needed: whoever looks at the log later has to understand it")]
    Missing,
    /// Too much was said.
    #[error("a reason has at most {REASON_MOST} characters; this one has {0}")]
    TooLong(usize),
    /// It holds what cannot be read.
    #[error("a reason has no control characters")]
    Control,
}

impl Reason {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = ReasonError;

    /// Takes a text without the blanks around it; line breaks and tabs become blanks.
    fn from_str(text: &str) -> Result<Self, ReasonError> {
        let text = text
            .trim()
            .replace("\r\n", " ")
            .replace(['\r', '\n', '\t'], " ");
        let length = text.chars().count();
        if length == 0 {
            Err(ReasonError::Missing)
        } else if length > REASON_MOST {
            Err(ReasonError::TooLong(length))
        } else if text.chars().any(char::is_control) {
            Err(ReasonError::Control)
        } else {
            Ok(Self(text))
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A hold, as it was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Why it was placed.
    pub reason: String,
    /// By whom, and since when it stands or stood.
    pub placed: Changed,
}

/// How a hold ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifted {
    /// Why it was lifted.
    pub reason: String,
    /// By whom, and when.
    pub changed: Changed,
}

/// A hold that was lifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastHold {
    /// Its number, by which a page of them goes on.
    pub id: i64,
    /// As it was placed.
    pub hold: Hold,
    /// How it ended.
    pub lifted: Lifted,
}

/// The holds of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// The one that stands.
    pub standing: Option<Hold>,
    /// A page of those that were lifted, the newest first.
    pub past: Vec<PastHold>,
    /// Whether there are more after these.
    pub more: bool,
}

/// A hold as the operator lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldListed {
    /// Of which workspace.
    pub workspace: WorkspacePath,
    /// As it was placed.
    pub hold: Hold,
    /// How it ended; none: it stands.
    pub lifted: Option<Lifted>,
}

/// Why no hold was placed or lifted.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Who asked may see holds only.
    #[error("only owners place and lift legal holds")]
    ReadOnly,
    /// One stands already.
    #[error(
        "a legal hold stands already, placed by {} on {}: \u{201c}{}\u{201d}", .0.placed.by,
        .0.placed.at, .0.reason
    )]
    Stands(Hold),
    /// There is none to lift.
    #[error("no legal hold stands")]
    NoneStands,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

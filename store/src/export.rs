//! Taking a log away as a file. Whoever asks, on a page, through the API or on the command line, gets
//! the same file, made in the same way, and the log tells of it: before its first byte, and when it
//! has ended or broken off.

pub use crate::sqlite::Export;
pub use domain::export::Format;

use crate::{StoreError, proof::ProofError, question::QuestionError};
use domain::{event::Parts, question::Query};
use std::time::Duration;

/// What is to be taken away.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which events, in which order. All that match: its page is of no account.
    pub query: Query,
    /// As what.
    pub format: Format,
    /// With proofs, and which parts then are shown; NDJSON alone can carry them.
    pub proof: Option<Parts>,
    /// What whoever asks calls it, to look how far it is, or to cancel it.
    pub name: Option<Name>,
    /// For how long nobody may take the next piece before it breaks off; none: as long as they like.
    pub patience: Option<Duration>,
}

/// What somebody calls an export of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name(String);

/// A text cannot name an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 8 to 64 of the characters a-z A-Z 0-9 -")]
pub struct NameError;

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if (8..=64).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError)
        }
    }
}

/// Why an export did not begin. Nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// As many run as there may.
    #[error("too many exports are running; try again when one of them has ended")]
    Busy,
    /// As many run as there may for one who asks.
    #[error(
        "as many exports of yours are running as there may; try again when one of them has ended"
    )]
    BusyWithYours,
    /// Another format than NDJSON cannot carry proofs.
    #[error("proofs stand in NDJSON alone: ask for the format ndjson")]
    NoPlaceForProofs,
    /// What there is cannot be proved.
    #[error("no checkpoint can be made of what is to be exported: {0}")]
    Unproven(#[from] ProofError),
    /// The question cannot be answered.
    #[error(transparent)]
    Question(#[from] QuestionError),
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Question(error.into())
    }
}

/// Why an export broke off: its file is not whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Whoever asked for it cancelled it.
    #[error("it was cancelled")]
    Cancelled,
    /// Whoever read it went away.
    #[error("its reader went away")]
    Gone,
    /// Whoever read it took nothing for too long.
    #[error("its reader took nothing for too long")]
    Stalled,
    /// Whoever asked for it may not export any more.
    #[error("the right to export was taken away, or is over")]
    Refused,
    /// The server, or the command, was stopped.
    #[error("it was stopped")]
    Stopped,
    /// The store failed.
    #[error("{0}")]
    Failed(String),
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closing => Self::Stopped,
            error => Self::Failed(error.to_string()),
        }
    }
}

/// A file that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// How many rows it has.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// How an export stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being made.
    Running,
    /// It is whole, and was taken.
    Whole(Whole),
    /// It broke off.
    Broken(Broken),
}

/// How far an export is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// As what it is written.
    pub format: Format,
    /// How many rows were handed over.
    pub rows: u64,
    /// How many there will be, where that was cheap to know.
    pub of: Option<u64>,
    /// How it stands.
    pub state: State,
}

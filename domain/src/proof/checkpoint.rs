//! What is signed of a tree: how many leaves it has, and its root (C2SP `tlog-checkpoint`).

use super::note::{Note, Signer};
use crate::{leaf::Hash, slug::Slug};
use data_encoding::BASE64;
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Whose tree it is: `daybook/INSTALLATION/TENANT`. It is the name of the tenant's key too, as the
/// specification recommends: an installation has one key at a time, which signs for each of its
/// tenants under that one's name. So nobody can pass a tenant's checkpoint off as another's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(String);

impl Origin {
    /// The origin of a tenant's checkpoints.
    pub fn new(installation: Uuid, tenant: &Slug) -> Self {
        Self(format!("daybook/{installation}/{tenant}"))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no checkpoint: three lines, of origin, size and root")]
pub struct CheckpointError;

/// How many leaves a log's tree had, and what its root was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose tree.
    pub origin: Origin,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The checkpoint, signed.
    pub fn sign(&self, signer: &Signer) -> Note {
        signer.sign(self.to_string())
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, size, root } = self;
        writeln!(f, "{origin}\n{size}\n{}", BASE64.encode(&root.0))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text
            .strip_suffix('\n')
            .ok_or(CheckpointError)?
            .split('\n')
            .collect();
        // What others may add below says nothing of the tree.
        let [origin, size, root, ..] = lines.as_slice() else {
            return Err(CheckpointError);
        };
        let number: u64 = size.parse().map_err(|_| CheckpointError)?;
        let root = BASE64
            .decode(root.as_bytes())
            .map_err(|_| CheckpointError)?;
        let root = Hash(root.try_into().map_err(|_| CheckpointError)?);
        // Neither an empty line nor a number that is written in another way.
        if lines.iter().any(|line| line.is_empty()) || number.to_string() != **size {
            return Err(CheckpointError);
        }
        Ok(Self {
            origin: Origin((*origin).to_owned()),
            size: number,
            root,
        })
    }
}

impl TryFrom<&Note> for Checkpoint {
    type Error = CheckpointError;

    fn try_from(note: &Note) -> Result<Self, CheckpointError> {
        note.text.parse()
    }
}

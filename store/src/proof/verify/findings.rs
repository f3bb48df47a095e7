//! What a check finds: what is right, and the first thing that is wrong.

use crate::StoreError;
use domain::{
    event::{EventId, Parts},
    proof::{CheckpointError, NoteError},
    slug::Slug,
    time::Timestamp,
};

/// What was found to be right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// By tenant.
    pub tenants: Vec<VerifiedTenant>,
    /// How many checkpoints that were kept elsewhere are a past of a log.
    pub kept: usize,
    /// Whether what is searched by was compared too; it was not where there is no index.
    pub is_searched_alike: bool,
}

/// What was found to be right of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedTenant {
    /// The tenant.
    pub tenant: Slug,
    /// How many entries its log has.
    pub entries: u64,
    /// What of so many of them says is gone, under a release.
    pub released: u64,
    /// What was erased of others, and under which releases.
    pub erased: Vec<ErasedUnder>,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// How many of the entries the newest covers, and when it was made.
    pub covered: Option<(u64, Timestamp)>,
}

/// What was erased under a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedUnder {
    /// The number of the entry that tells of the release.
    pub seq: u64,
    /// Its id.
    pub id: EventId,
    /// Why, as it says; none: that was erased itself.
    pub reason: Option<String>,
    /// Of so many entries.
    pub entries: u64,
    /// These parts, of some of them.
    pub parts: Parts,
    /// Whether some of it is still to be erased.
    pub is_under_way: bool,
}

impl VerifiedTenant {
    /// How many of the newest entries no checkpoint covers.
    pub fn uncovered(&self) -> u64 {
        self.entries - self.covered.map_or(0, |(size, _)| size)
    }
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// An entry is missing.
    #[error("{tenant}: entry {seq} is missing")]
    Missing {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
    },
    /// What an entry says is not what was recorded.
    #[error("{tenant}: entry {seq} ({id}) does not say what was recorded: {what}")]
    Altered {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
        /// Its id.
        id: EventId,
        /// What shows it.
        what: &'static str,
    },
    /// A tile of the tree is not there, or is another.
    #[error("{tenant}: the tree's tile {place} of level {level} {what}")]
    Tile {
        /// Whose.
        tenant: Slug,
        /// On which level.
        level: u32,
        /// Where on it.
        place: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A checkpoint was signed of another tree.
    #[error(
        "{tenant}: the checkpoint of {size} entries was signed of others: one of them was altered, added \
         or removed, or they are in another order"
    )]
    Root {
        /// Whose.
        tenant: Slug,
        /// How many entries it is of.
        size: u64,
    },
    /// A checkpoint is not signed with the key that it says.
    #[error("{tenant}: the checkpoint of {size} entries is not signed by the key that it names")]
    Signature {
        /// Whose.
        tenant: Slug,
        /// How many entries it is of.
        size: u64,
    },
    /// The log ends before what was signed.
    #[error(
        "{tenant}: a checkpoint covers {size} entries, and the log has {entries}: the newest are gone"
    )]
    Shrunk {
        /// Whose.
        tenant: Slug,
        /// How many entries it is of.
        size: u64,
        /// How many there are.
        entries: u64,
    },
    /// What an entry says is gone, and nothing permits it.
    #[error("{tenant}: what entry {seq} ({id}) says is gone, and no release covers it")]
    Unreleased {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
        /// Its id.
        id: EventId,
    },
    /// Parts of what an entry says are gone, and nothing permits it.
    #[error("{tenant}: of entry {seq} ({id}) parts are gone ({parts}) that no release names")]
    Unerased {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
        /// Its id.
        id: EventId,
        /// Which.
        parts: String,
    },
    /// Parts of what an entry says are said to be erased, and are there.
    #[error(
        "{tenant}: of entry {seq} ({id}) parts are there ({parts}) that a release names which says that it is \
         finished"
    )]
    Left {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
        /// Its id.
        id: EventId,
        /// Which.
        parts: String,
    },
    /// A release is not what the log tells of it, or was not permitted.
    #[error("{tenant}: the release that entry {seq} tells of {what}")]
    Release {
        /// Whose.
        tenant: Slug,
        /// The number of the entry that tells of it, or should.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Something that is stored cannot be read as what it has to be.
    #[error("{of}: what is stored cannot be read: {what}")]
    Damaged {
        /// Of whom, or of what.
        of: String,
        /// What, and why not.
        what: String,
    },
    /// What is kept to search by does not have an entry as it was recorded.
    #[error(
        "{tenant}: entry {seq} is not searched by as it was recorded: {table} was altered. What was \
         recorded is right"
    )]
    Unfound {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
        /// In which table.
        table: &'static str,
    },
    /// What is counted of a log is not what there is.
    #[error("the counts in {table} are not those of what was recorded: they were altered")]
    Counts {
        /// The table.
        table: &'static str,
    },
    /// There is something beside the log that belongs to no entry of it.
    #[error("there are {rows} rows of {table} that belong to no entry of any log")]
    Strange {
        /// How many.
        rows: u64,
        /// Of which table.
        table: &'static str,
    },
    /// A checkpoint that was kept elsewhere is not a past of this log.
    #[error("{name}: {what}")]
    Kept {
        /// The checkpoint.
        name: String,
        /// What is wrong.
        what: KeptWrong,
    },
}

/// What is wrong with a checkpoint that was kept elsewhere, or with the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeptWrong {
    /// It is no checkpoint.
    #[error("is no checkpoint: {0}")]
    Malformed(#[from] CheckpointError),
    /// It is not one of this installation's.
    #[error("is a checkpoint of {0}, which is not in this database")]
    Elsewhere(String),
    /// It is not signed with a key that the database knows.
    #[error("{0}; the keys that this database knows may have been replaced")]
    Signature(NoteError),
    /// The log had another past.
    #[error(
        "was signed of {size} other entries than this log begins with: the log was altered since, or is \
         another one"
    )]
    AnotherPast {
        /// How many entries it is of.
        size: u64,
    },
    /// The log is shorter.
    #[error(
        "covers {size} entries, and this log has {entries}: the newest are gone, or it is an older copy"
    )]
    Shrunk {
        /// How many entries it is of.
        size: u64,
        /// How many there are.
        entries: u64,
    },
}

/// Why a log was not found to be right.
#[derive(Clone, Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is not.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// There is no log.
    #[error("there is no installation in {0}")]
    NoInstallation(String),
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for VerifyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What cannot be read because it is damaged is something wrong with whose it is; any other error stays one,
/// as that a database cannot be reached.
pub(super) fn found_in(of: &str, error: VerifyError) -> VerifyError {
    match error {
        VerifyError::Store(StoreError::Damaged(what)) => {
            let of = of.to_owned();
            Wrong::Damaged { of, what }.into()
        }
        other => other,
    }
}

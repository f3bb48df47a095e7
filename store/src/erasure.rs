//! Erasure: parts of events are taken out under a release, which is an event of its own.
//!
//! The release names the events by number and the parts by name. It is made first; what it covers is
//! then erased in short batches by the one process that also removes what has expired, from the index
//! and the log; interrupted anywhere, it goes on without knowing whom it erases: which texts stand in
//! place of the erased ones was settled when the release was made. The database itself refuses to change
//! an event in any other way, and everything while a legal hold stands.
//!
//! Of an erased part its hash stays, and of the others their salts in place of the event's, so that the
//! log stays provable and nobody can try out what was erased.

mod clean;

pub use clean::{Cleaned, clean};
pub(crate) use clean::{clean_copy, finished, note};

use crate::{StoreError, holds::Hold};
use domain::{
    event::{Action, EventId, Part, Parts},
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

/// An e-mail address, lowercased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

/// A text is no e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an e-mail address")]
pub struct AddressError;

impl Address {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text is this address.
    pub(crate) fn is(&self, text: Option<&str>) -> bool {
        text.is_some_and(|text| text.trim().to_lowercase() == self.0)
    }

    /// Whether a text has this address in it.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        // Most texts have none in them.
        text.len() >= self.0.len() && text.to_lowercase().contains(&self.0)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        crate::sqlite::email_address(text)
            .map(Self)
            .ok_or(AddressError)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Parts of an event; none named: all but the facts.
    Event(EventId, Option<Parts>),
    /// A person, from everything that they did or carried out.
    Person(Address),
}

/// What an erasure takes out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// How many events lose these parts.
    pub events: BTreeMap<Parts, u64>,
    /// What stands in place of a person.
    pub pseudonym: Option<String>,
    /// How many more events are by the same ids, told without the address: who is meant there is not
    /// known for sure, so they are left.
    pub same_ids: u64,
    /// What an earlier erasure could not read, and so not erase: it is left, and not tried again.
    pub damaged: Vec<Damaged>,
    /// Texts by which what goes can be told where it lies about: names, and addresses.
    pub texts: BTreeSet<String>,
}

/// An event that a release names and that cannot be erased, because it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Which.
    pub id: EventId,
    /// What is wrong with it.
    pub what: String,
}

impl Extent {
    /// How many events it concerns.
    pub fn all(&self) -> u64 {
        self.events.values().sum()
    }
}

/// What came of asking for an erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Released {
    /// It may go now, under these releases, which are to be carried out.
    Made(Vec<Release>, Extent),
    /// The same of a part of it: somebody else made a release in the workspace meanwhile, and what is left
    /// is to be looked for again when these are carried out.
    Part(Vec<Release>, Extent),
    /// Nothing is left to erase.
    Nothing(Extent),
    /// Others that were made before are still being carried out.
    Unfinished(Vec<Release>),
}

/// A release by erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    pub(crate) id: i64,
}

/// How far releases by erasure are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All that they cover is erased, but for what cannot be read: see [`crate::Store::erasure_damage`].
    Finished,
    /// Not all.
    UnderWay,
    /// Not all, and a legal hold stands.
    Suspended,
}

/// An event that still mentions an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Which.
    pub id: EventId,
    /// Its number in the tenant.
    pub seq: u64,
    /// When it occurred.
    pub occurred_at: Timestamp,
    /// What was done.
    pub action: Action,
    /// In which parts.
    pub parts: Parts,
}

/// Where an address stands that is no matter of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// An account signs in with it.
    pub account: bool,
    /// So many invitations were sent to it in this workspace.
    pub invitations: u64,
}

/// Why nothing is erased.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// A legal hold stands.
    #[error(
        "a legal hold stands, placed by {} on {}: \u{201c}{}\u{201d}; nothing is erased while it does",
        .0.placed.by, .0.placed.at, .0.reason
    )]
    Held(Hold),
    /// There is no such event.
    #[error("there is no event {0} in this workspace")]
    UnknownEvent(EventId),
    /// What the event said was deleted by retention.
    #[error("what event {0} said has expired and is deleted: nothing of it is left to erase")]
    Expired(EventId),
    /// The facts stay.
    #[error(
        "the part facts cannot be erased: it says what was done and names nobody; it goes with its event, \
         by retention"
    )]
    Facts,
    /// The log is judged by the event.
    #[error(
        "event {id} is Daybook's own {action}, by which is judged what may be deleted and erased: its part \
         change cannot be erased, name others with --part"
    )]
    Judges {
        /// Which.
        id: EventId,
        /// What it tells.
        action: Action,
    },
    /// The reason would bring back what is erased.
    #[error(
        "the reason holds the address that is to be erased: everybody who reads the log reads it"
    )]
    ReasonTells,
    /// The event is not what was recorded.
    #[error(
        "event {0} does not say what was recorded: what proves it would be lost with it; see daybook verify"
    )]
    Altered(EventId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ErasureError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What may be erased of an event.
pub(crate) const ERASABLE: [Part; 6] = [
    Part::Actor,
    Part::Via,
    Part::Objects,
    Part::Change,
    Part::Details,
    Part::Context,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_whatever_case_it_was_written() {
        let address: Address = " Jane@Example.com"
            .parse()
            .unwrap_or(Address(String::new()));
        assert_eq!(address.as_str(), "jane@example.com");
        assert!(address.is(Some("JANE@example.COM ")));
        assert!(!address.is(Some("Jane <jane@example.com>")));
        assert!(address.is_in("Jane <Jane@Example.com>"));
        assert!(!address.is_in("jane@example.co"));
        assert_eq!("jane".parse::<Address>(), Err(AddressError));
    }
}

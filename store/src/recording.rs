//! Recording: what comes through the door, and what its sender hears.

use crate::{
    StoreError,
    access::{MissingScope, TokenGrant, Workspace},
};
use domain::{
    event::{EventId, FieldError},
    redaction::Rules,
    retention::Retention,
    time::Timestamp,
};
use std::sync::Arc;

/// Through which door events come: who sends them, and what follows from it.
#[derive(Clone, Debug)]
pub struct Door(pub(crate) Entrance);

#[derive(Clone, Debug)]
pub(crate) enum Entrance {
    /// An application with its token.
    Token(TokenGrant, Redaction),
    /// An import on the command line, how long the workspace keeps events, and what is taken out.
    Import(Workspace, Retention, Arc<Rules>),
    /// The demo, whose events were recorded when it says.
    Demo(Workspace, Timestamp),
}

/// Whether values whose names say that they are credentials are taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redaction {
    /// Yes, before anything is written.
    On,
    /// No: the sender may, and asked for it.
    Off,
}

impl Door {
    /// The door for what an application sends with its token.
    ///
    /// # Errors
    ///
    /// The token may not send events, or not without redaction.
    pub fn token(grant: &TokenGrant, redaction: Redaction) -> Result<Self, MissingScope> {
        grant.require(domain::role::TokenScope::EventsWrite)?;
        if redaction == Redaction::Off {
            grant.require(domain::role::TokenScope::EventsUnredacted)?;
        }
        Ok(Self(Entrance::Token(grant.clone(), redaction)))
    }

    /// The door for the demo's events, which became durable at `recorded_at`.
    pub fn demo(workspace: &Workspace, recorded_at: Timestamp) -> Self {
        Self(Entrance::Demo(workspace.clone(), recorded_at))
    }
}

pub use crate::sqlite::{Admitted, never_expires};

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is durable.
    Recorded(Placed),
    /// An event with its key was recorded before: this one.
    Duplicate(Placed),
    /// Recording is switched off: it is counted, and gone.
    Discarded,
}

/// Where an event is in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its id.
    pub id: EventId,
    /// Its number in its tenant.
    pub seq: u64,
    /// When it became durable.
    pub recorded_at: Timestamp,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The queue is full: come back in so many seconds.
    #[error("more is being sent than can be written; try again in {retry_after} s")]
    Busy {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// The store failed; nothing of the batch was recorded, unless it is that it is not known
    /// ([`StoreError::InDoubt`]).
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with one event of a batch.
pub type Refusal = Vec<FieldError>;

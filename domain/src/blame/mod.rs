//! Blame: who set each field of an object, when and in which event; what the object was at a moment,
//! and what changed between two.
//!
//! An object's state is nowhere recorded as such. It is folded from the events that it is the target
//! of, in time order: each tells what changed, by the states before and after, whole or only what
//! changed. What is folded is never taken for more than it is. Where an event's `before` is not what
//! the events before it left, something changed that nobody recorded, and the field says so
//! ([`Origin::Outside`]); what an event finds there that none told of was so before it
//! ([`Origin::Initial`]); and events that gave no state are gaps.
//!
//! How an event is read:
//!
//! - Only what succeeded changes anything.
//! - A member that is in `before` and not in `after` was removed, one in `after` and not in `before`
//!   was not there before. What is in neither is unchanged, or unknown. Where one of the states was
//!   not given at all, nothing is claimed about it, but that `before` alone is what was removed.
//! - A creation tells all that is there. Where it comes while the object is known to be there, and tells
//!   of something else, the object was gone before it, and nobody told.
//! - Lists are given whole. Their elements are told apart as in [`crate::diff`].
//! - A deletion (the verb, with no state after, or an empty one) ends everything that is known of the
//!   object. When it comes to be again, counts and histories go on.
//! - A credential that was taken out is its mark: that it changed can be told, what it was cannot.
//!
//! # Order
//! Events are folded by the time at which they occurred. The answer must not depend on the order in
//! which they arrived, so what was given on arrival (`seq`, and the id, which rises with it) decides
//! nothing between events of the same instant: what they find and leave does, then the sender's key,
//! then all else that they say (`order.rs`).
//!
//! # Bounds
//! A fold holds the state and not the events, and of what is gone no more than is said in `weight.rs`;
//! what had to be left out is told ([`LeftOut`]).

mod fold;
mod gap;
mod order;
mod silent;
mod slot;
mod stated;
#[cfg(test)]
mod tests;
mod trail;
mod weight;

pub use fold::{Fold, Kept};
pub use gap::{Gap, GapKind, Silence, Unassigned};
pub use stated::{Member, Stated};

use crate::{
    event::{Actor, Event, EventId, Outcome, Part, Target},
    json::{Path, canonical},
    time::Timestamp,
    verb::Verb,
};
use serde_json::Value;
use std::{cmp::Reverse, sync::Arc};

/// An event that an object is the target of, as far as it tells of the object's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Telling {
    /// The event.
    pub id: EventId,
    /// When it occurred.
    pub occurred_at: Timestamp,
    /// Who did it.
    pub actor: Arc<Actor>,
    /// Who carried it out, nearest first.
    pub via: Arc<[Actor]>,
    /// Its class.
    pub verb: Verb,
    /// How it ended.
    pub outcome: Outcome,
    /// The sender's key.
    pub idempotency_key: Option<String>,
    /// The state before, whole or only what changed.
    pub before: Option<Arc<Stated>>,
    /// The state after, whole or only what changed.
    pub after: Option<Arc<Stated>>,
    /// Whether the states were taken out later.
    pub erased: bool,
    /// Everything else that it says, as a text that does not depend on how it arrived. It decides between
    /// events of one instant, where all else is the same; empty where there are no others.
    pub rest: String,
}

impl Telling {
    /// About how many bytes it takes.
    fn weight(&self) -> usize {
        let states = [&self.before, &self.after].into_iter().flatten();
        weight::of_text(&self.rest) + states.map(|state| state.weight()).sum::<usize>()
    }
}

/// What an event says beside what [`Telling`] names, as one text: its action, target and operation, the
/// objects that it names as related, and what is more.
pub fn rest(
    action: &str,
    operation: Option<&str>,
    objects: impl Iterator<Item = Target>,
    more: &str,
) -> String {
    use std::fmt::Write as _;
    let mut text = format!("{action}\n{operation:?}\n");
    for Target {
        kind,
        id,
        name,
        url,
    } in objects
    {
        let _ = writeln!(text, "{kind} {id:?} {name:?} {url:?}");
    }
    text.push_str(more);
    text
}

impl From<&Event> for Telling {
    fn from(event: &Event) -> Self {
        let given = |state: &Option<crate::event::Object>| state.clone().map(Stated::from);
        let objects = [&event.target].into_iter().chain(&event.related).cloned();
        let more = serde_json::json!([event.description, event.metadata, event.context]);
        Self {
            id: event.id,
            occurred_at: event.occurred_at,
            actor: Arc::new(event.actor.actor.clone()),
            via: event.via.clone().into(),
            verb: event.verb,
            outcome: event.outcome,
            idempotency_key: event.idempotency_key.clone(),
            before: given(&event.before).map(Arc::new),
            after: given(&event.after).map(Arc::new),
            erased: event.erased.contains(&Part::Change),
            rest: rest(
                event.action.as_str(),
                event.operation.as_deref(),
                objects,
                &canonical(&more),
            ),
        }
    }
}

/// Whether what is of this class changes nothing, whatever it is about: then it is no part of an
/// object's history.
pub const fn is_only_looking(verb: Verb) -> bool {
    matches!(verb, Verb::Read | Verb::Export)
}

/// What is asked of an object's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The moment whose state is asked for, what happened at it included; none: after all events.
    pub at: Option<Timestamp>,
    /// An earlier moment that the state is compared with.
    pub compare: Option<Timestamp>,
    /// The field whose whole history is asked for, or what holds fields.
    pub field: Option<Path>,
}

/// What an object's events come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blame {
    /// Whether the object was there.
    pub existence: Existence,
    /// The fields that were there, in the order of their paths.
    pub fields: Vec<Field>,
    /// Those that were there before, and are not any more.
    pub removed: Vec<Field>,
    /// What changed between the moment that was to be compared with and this one, field by field.
    pub differences: Vec<Difference>,
    /// Events that gave no state, those that follow each other as one.
    pub untold: Vec<Untold>,
    /// How many events changed something, and the last of them, oldest first.
    pub changes: u64,
    /// See there.
    pub moments: Vec<Moment>,
    /// When the first event that was folded occurred, and whether it tells how the object came to be.
    pub begins: Option<Beginning>,
    /// What had to be left out.
    pub left_out: Vec<LeftOut>,
}

impl Blame {
    /// Whether the object was there: an event told of it, and none that it was deleted since.
    pub fn exists(&self) -> bool {
        self.existence == Existence::There
    }
}

/// Whether an object is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existence {
    /// No event tells of it: those that there are only look, did not succeed, or are of something else.
    #[default]
    Untold,
    /// It is.
    There,
    /// It was deleted.
    Deleted,
}

/// Where an object's history begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// When the first event occurred.
    pub at: Timestamp,
    /// Whether it says that the object was not there before, and what it was then, and no later event
    /// found something that was there already.
    pub is_creation: bool,
}

/// A field: a value that holds no others.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Where it is. Elements are named by their place in the state, those that are gone by the place
    /// that they had.
    pub path: Path,
    /// What it is, and who set it.
    pub last: Setting,
    /// How it came to be so, oldest first, with the last one; only of the field that was asked for.
    pub history: Vec<Setting>,
    /// Where it is of an element that is gone: that.
    pub gone: Option<Gone>,
}

/// That an element is gone. Another may have its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// When it went, or was found to be gone.
    pub at: Timestamp,
    /// How many segments its path has.
    pub(crate) length: usize,
}

/// A value that a field was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The value; none where the field was removed.
    pub value: Option<Value>,
    /// What it was before, all that it held included; none where there was none, or nobody knows.
    pub previous: Option<Value>,
    /// Whether it is known that there was none.
    pub was_absent: bool,
    /// Who set it.
    pub origin: Origin,
    /// How often it had been set to a value then, this time included.
    pub changes: u64,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// An event set it.
    Event(Arc<Author>),
    /// It was so before the first event that tells of it.
    Initial,
    /// It changed between two events, and neither tells of it.
    Outside {
        /// When the last event before that told of it occurred.
        since: Timestamp,
        /// When the event occurred that found it changed.
        until: Timestamp,
        /// The events between them that do not tell what they changed: one of them may have set it.
        silent: Option<Arc<Silent>>,
    },
    /// It changed between two events, and what others between them gave was erased: one of those may have
    /// set it.
    Erased {
        /// When the last event before that told of it occurred; none: none did.
        since: Option<Timestamp>,
        /// When the event occurred that found it so.
        until: Timestamp,
        /// The events between them that do not tell what they changed.
        silent: Arc<Silent>,
    },
}

/// Events that do not tell what they changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// How many there are.
    pub events: u64,
    /// How many of them gave states that were erased later.
    pub erased: u64,
    /// The first of them.
    pub named: Vec<EventId>,
}

impl Origin {
    /// When it was set, or found to be set; none: before all that is known.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Event(author) => Some(author.occurred_at),
            Self::Outside { until, .. } | Self::Erased { until, .. } => Some(*until),
            Self::Initial => None,
        }
    }

    /// The events that do not tell what they changed, of which one may have set it.
    pub fn silent(&self) -> Option<&Silent> {
        match self {
            Self::Outside { silent, .. } => silent.as_deref(),
            Self::Erased { silent, .. } => Some(silent),
            Self::Event(_) | Self::Initial => None,
        }
    }
}

/// All that some fields were, the newest first, each with its field.
pub fn history<'a>(fields: impl Iterator<Item = &'a Field>) -> Vec<(&'a Field, &'a Setting)> {
    let mut all: Vec<(&Field, &Setting)> = fields
        .flat_map(|field| field.history.iter().rev().map(move |one| (field, one)))
        .collect();
    all.sort_by_key(|(_, setting)| Reverse(setting.origin.at()));
    all
}

/// The event that set a value, and who did it.
#[derive(Clone, Debug, PartialEq)]
pub struct Author {
    /// The event.
    pub event: EventId,
    /// When it occurred.
    pub occurred_at: Timestamp,
    /// Who did it, as they were then.
    pub actor: Arc<Actor>,
    /// Who carried it out, nearest first.
    pub via: Arc<[Actor]>,
}

/// A field that is not what it was at the moment compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where it is, or was.
    pub path: Path,
    /// What it was then; none where it was not there.
    pub before: Option<Value>,
    /// What it is, and who set it last.
    pub last: Setting,
    /// Where it is of an element that is gone: that.
    pub gone: Option<Gone>,
}

/// Events in a row that gave neither the state before nor the one after, or whose states were erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untold {
    /// When the first occurred.
    pub since: Timestamp,
    /// When the last did.
    pub until: Timestamp,
    /// How many there are.
    pub events: u64,
    /// Whether their states were erased.
    pub is_erased: bool,
}

/// Something that is not kept, because there is more of it than can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What.
    pub what: LeftWhat,
    /// When the first of it occurred.
    pub since: Timestamp,
    /// When the last of it did.
    pub until: Timestamp,
    /// How many there are.
    pub count: u64,
}

/// What there may be more of than can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftWhat {
    /// Events of one instant, which could not be put in order: what they changed is not known.
    Instant,
    /// Fields and elements that are gone, those that went first: what came back of them is told as if it
    /// had never been there.
    Gone,
    /// What the field was that is asked for.
    History,
    /// Events after the object had grown too large.
    Later,
    /// When recording was switched off and on.
    Switches,
}

impl LeftWhat {
    /// The name in the outside contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::Gone => "gone",
            Self::History => "history",
            Self::Later => "later",
            Self::Switches => "switches",
        }
    }
}

/// An event that changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When it occurred.
    pub at: Timestamp,
    /// The event.
    pub event: EventId,
    /// What it was.
    pub what: What,
}

/// What an event did to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is there since.
    Created,
    /// It is gone since.
    Deleted,
    /// It changed so many fields.
    Changed(u64),
    /// What it changed was erased.
    Erased,
}

/// What events come to, in whatever order they are given.
pub fn blame(asked: Asked, events: impl IntoIterator<Item = Telling>) -> Blame {
    let mut events: Vec<Telling> = events.into_iter().collect();
    events.sort_by_key(|event| event.occurred_at);
    let mut fold = Fold::new(asked);
    for event in events {
        fold.tell(event);
    }
    fold.finish()
}

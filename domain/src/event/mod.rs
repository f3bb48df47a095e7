//! What is recorded: one action of somebody, on something, at a time.

mod given;
mod kinds;
mod parts;

pub use given::{Bounds, FieldError, NewEvent};
pub use kinds::{Action, ActorKind, NameError, Outcome, Part, Source, TargetKind, UnknownName};
pub use parts::Parts;

use crate::{category::Category, slug::Slug, time::Timestamp, verb::Verb};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A JSON object as it was sent: the states before and after, metadata, context.
pub type Object = Map<String, Value>;

/// The id of an event: UUID version 7 (RFC 9562), rising with the order of arrival, written in
/// lowercase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub Uuid);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EventId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// Who did it, or who carried it out, as they were then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// The sender's id for them; only `system` and `anonymous` may have none.
    pub id: Option<String>,
    /// Their name then.
    pub name: Option<String>,
    /// Their e-mail address then.
    pub email: Option<String>,
}

impl Actor {
    /// An automatic action, by nobody.
    pub const SYSTEM: Self = Self {
        kind: ActorKind::System,
        id: None,
        name: None,
        email: None,
    };

    /// What a log is sorted by when it is sorted by actor, before lowercasing: the name, else the
    /// e-mail, else the id, else the kind.
    pub fn sort_name(&self) -> &str {
        self.name
            .as_deref()
            .or(self.email.as_deref())
            .or(self.id.as_deref())
            .unwrap_or(self.kind.as_str())
    }

    /// Whether the filter `actor` finds this one: `wanted` (lowercase) is part of the name or of
    /// the e-mail; who has no name is found by the kind, where it is `system` or `anonymous`.
    pub fn is_found_by(&self, wanted: &str) -> bool {
        let holds = |text: &Option<String>| {
            text.as_deref()
                .is_some_and(|text| text.to_lowercase().contains(wanted))
        };
        holds(&self.name)
            || holds(&self.email)
            || (self.name.is_none() && self.kind.is_nobody() && self.kind.as_str().contains(wanted))
    }
}

/// What was acted on, or what else the event concerns, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// What kind of thing.
    pub kind: TargetKind,
    /// The sender's id for it.
    pub id: Option<String>,
    /// Its name then.
    pub name: Option<String>,
    /// Where it can be looked at (`http` or `https`).
    pub url: Option<String>,
}

/// An event as it is kept: what was sent, checked and redacted, with what Daybook added when it
/// became durable. It is never edited.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its id.
    pub id: EventId,
    /// Its number in the order of arrival in its tenant, from 1, without a gap.
    pub seq: u64,
    /// When it became durable.
    pub recorded_at: Timestamp,
    /// The customer organization.
    pub tenant: Slug,
    /// Who wrote it, where it was not an application.
    pub source: Option<Source>,
    /// What was sent; `occurred_at` is always there.
    pub event: NewEvent,
    /// When it occurred.
    pub occurred_at: Timestamp,
}

/// An actor as given back: with what is true of them now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownActor {
    /// As they were then.
    #[serde(flatten)]
    pub actor: Actor,
    /// Whether they are deactivated now.
    pub deactivated: bool,
}

/// An event as given back, to the letter of the outside contract: every field is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Its number in the order of arrival in its tenant.
    pub seq: u64,
    /// The sender's key, by which it is recorded once.
    pub idempotency_key: Option<String>,
    /// When it occurred, says the sender.
    pub occurred_at: Timestamp,
    /// When it became durable here.
    pub recorded_at: Timestamp,
    /// The customer organization.
    pub tenant: Slug,
    /// The account inside it; none for an event of the tenant itself.
    pub workspace: Option<Slug>,
    /// Who did it.
    pub actor: ShownActor,
    /// Who or what carried it out on the actor's behalf, nearest first.
    pub via: Vec<Actor>,
    /// What was done.
    pub action: Action,
    /// Its class: given, or read from the catalogue.
    pub verb: Verb,
    /// Its family: given, or read from the catalogue.
    pub category: Category,
    /// Which of `verb` and `category` the sender gave.
    pub given: Vec<Given>,
    /// What was acted on.
    pub target: Target,
    /// What else it concerns.
    pub related: Vec<Target>,
    /// What ties the events of one bulk change together.
    pub operation: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// A note in words.
    pub description: Option<String>,
    /// The state before, whole or only what changed.
    pub before: Option<Object>,
    /// The state after, whole or only what changed.
    pub after: Option<Object>,
    /// Other structured context.
    pub metadata: Option<Object>,
    /// Address, user agent, request, location.
    pub context: Option<Object>,
    /// Who wrote it, where it was not an application.
    pub source: Option<Source>,
    /// How many values were taken out at the door.
    pub redacted: u32,
    /// Which parts were taken out later.
    pub erased: Vec<Part>,
}

impl Event {
    /// What was recorded of it: without what is read into it, and what is Daybook's own.
    pub fn as_given(&self) -> NewEvent {
        let is_given = |what: Given| self.given.contains(&what);
        NewEvent {
            workspace: self.workspace.clone(),
            idempotency_key: self.idempotency_key.clone(),
            occurred_at: Some(self.occurred_at),
            actor: self.actor.actor.clone(),
            via: self.via.clone(),
            action: self.action.clone(),
            verb: is_given(Given::Verb).then_some(self.verb),
            category: is_given(Given::Category).then_some(self.category),
            target: self.target.clone(),
            related: self.related.clone(),
            operation: self.operation.clone(),
            outcome: self.outcome,
            description: self.description.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
            metadata: self.metadata.clone(),
            context: self.context.clone(),
        }
    }
}

/// What of an action's reading a sender gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Given {
    /// The verb.
    Verb,
    /// The category.
    Category,
}

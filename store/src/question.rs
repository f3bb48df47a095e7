//! Questions and their answers.

use crate::StoreError;
use domain::{
    category::Category,
    event::{ActorKind, Event, TargetKind},
    question::Span,
    time::Timestamp,
    verb::Verb,
};
use std::sync::Arc;

/// One page of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The events, in the order asked for.
    pub events: Vec<Event>,
    /// Where the answer goes on, in the order shown.
    pub older: Option<String>,
    /// Where it goes back.
    pub newer: Option<String>,
    /// How far the search came, where its budget was spent before the page was full.
    pub searched_to: Option<Timestamp>,
    /// What the question's times came to.
    pub span: Span,
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// The cursor was altered, or belongs to another question or to somebody else.
    #[error("this cursor belongs to another question")]
    Cursor,
    /// A filter names what the scope does not have.
    #[error("{parameter}: {reason}")]
    Parameter {
        /// The parameter.
        parameter: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many entries match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Exactly so many.
    Exactly(u64),
    /// More than so many; counting on would cost more than the answer.
    MoreThan(u64),
    /// Not known without reading more than the answer itself.
    Unknown,
}

/// What there is to choose from in a scope's filters: only what exists in its log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// How many events there are.
    pub events: u64,
    /// Families with their number of events, most used first.
    pub categories: Vec<(Category, u64)>,
    /// Actions and kinds: the same ones, in the same place, until something new comes up.
    pub offered: Arc<Offered>,
}

/// Actions and kinds to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// Actions, by label.
    pub actions: Vec<ActionChoice>,
    /// Kinds of objects, by name.
    pub kinds: Vec<TargetKind>,
}

/// An action to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionChoice {
    /// Its name.
    pub action: domain::event::Action,
    /// The catalogue's label for it.
    pub label: String,
    /// Its family.
    pub category: Category,
    /// What class of action it is.
    pub verb: Verb,
    /// How many events had it when the list was made: which ones are used most.
    pub events: u64,
}

/// Somebody to choose. Who has no id is told from others of the kind by the name and the e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorChoice {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// Their id; none: who is nobody, as `system`.
    pub id: Option<String>,
    /// What they were called last; the kind, where they were not called anything.
    pub name: String,
    /// Their e-mail address then.
    pub email: Option<String>,
    /// How many events are theirs, of those that were counted.
    pub events: u64,
    /// Whether all were counted.
    pub is_exact: bool,
}

/// An object to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChoice {
    /// Its kind.
    pub kind: TargetKind,
    /// Its id.
    pub id: String,
    /// What it was called last.
    pub name: Option<String>,
    /// How many times entries name it; of one that was named in very many ways, in the newest of them.
    pub entries: u64,
}

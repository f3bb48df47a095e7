//! Blame: what an object's events come to, with what is not known of it.

use domain::{
    blame::{Asked, Blame, Gap},
    event::{Actor, Target},
    question::Subject,
    slug::Slug,
    time::Timestamp,
};
use std::collections::HashSet;

/// Which object's history is asked for, and what of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlameQuery {
    /// Of a tenant's log, the workspace that the object is in; none: it is the tenant's own.
    pub workspace: Option<Slug>,
    /// The object.
    pub subject: Subject,
    /// Of which moment, compared with which, and of which field.
    pub asked: Asked,
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectBlame {
    /// The object, by the newest name and the newest address that were given for it.
    pub object: Target,
    /// The moment that it is told of: the one asked for, else now, or the last event, where that says
    /// that it occurs later.
    pub at: Timestamp,
    /// Its fields.
    pub blame: Blame,
    /// What is not known.
    pub gaps: Vec<Gap>,
    /// How many events were read for it: not those whose fold was kept from an earlier question.
    pub events_read: usize,
    pub(crate) deactivated: HashSet<Actor>,
}

impl ObjectBlame {
    /// Whether somebody who set one of the fields is deactivated now.
    pub fn is_deactivated(&self, actor: &Actor) -> bool {
        self.deactivated.contains(actor)
    }
}

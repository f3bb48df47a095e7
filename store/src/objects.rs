//! Objects: what events were about, as the log knows them.

use crate::question::Count;
use domain::{
    event::{ShownActor, Target, TargetKind},
    time::Timestamp,
};

/// One object, as all that is recorded of it tells. That somebody looked at its log tells nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// The object by the newest name and the newest address that were given for it.
    pub object: Target,
    /// Every name that was given for it, the one used last first.
    pub names: Vec<Named>,
    /// When the oldest event that names it occurred.
    pub first_seen: Timestamp,
    /// When the newest event that names it occurred.
    pub last_seen: Timestamp,
    /// It was named in more ways than are looked at: there may be other names, and it may have been
    /// seen earlier.
    pub is_cut: bool,
    /// How many entries its log has.
    pub entries: Count,
    /// Who touched it most, most first.
    pub touched: Vec<Touched>,
    /// Those were counted among so many of its newest entries; none: among all.
    pub touched_among: Option<usize>,
}

/// A name of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// When the oldest event that has it occurred.
    pub since: Timestamp,
    /// When the newest one did.
    pub last: Timestamp,
}

/// Somebody who did something to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Who, as they were called last.
    pub actor: ShownActor,
    /// In how many entries.
    pub entries: usize,
    /// When the newest of them occurred.
    pub last: Timestamp,
}

/// Which objects are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectsQuery {
    /// A part of the id, or of a name that was ever given.
    pub q: Option<String>,
    /// Of this kind.
    pub kind: Option<TargetKind>,
    /// Where a page before left off.
    pub cursor: Option<String>,
    /// How many a page has.
    pub limit: usize,
}

impl Default for ObjectsQuery {
    fn default() -> Self {
        Self {
            q: None,
            kind: None,
            cursor: None,
            limit: 50,
        }
    }
}

/// How a list of objects is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectsOrder {
    /// Those of which the newest event tells first.
    LastSeen,
    /// By name, lowercased, else by id.
    Name,
}

/// One page of a list of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectsPage {
    /// The objects.
    pub objects: Vec<KnownObject>,
    /// How they are sorted.
    pub order: ObjectsOrder,
    /// Where the list goes on.
    pub next: Option<String>,
    /// Where it goes back.
    pub previous: Option<String>,
    /// The page is not full because so much was looked through that it stopped there.
    pub stopped: bool,
    /// The kinds to choose from.
    pub kinds: Vec<TargetKind>,
}

/// An object of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownObject {
    /// Its kind.
    pub kind: TargetKind,
    /// Its id.
    pub id: String,
    /// Its newest name.
    pub name: Option<String>,
    /// When the newest event that names it occurred.
    pub last_seen: Timestamp,
}

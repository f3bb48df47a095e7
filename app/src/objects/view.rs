//! What the pages of objects show, ready to be set.

use crate::{
    frame::Frame,
    log::view::{CountView, LastView, ObjectView, RowView, WhenView},
};
use domain::event::ActorKind;
use store::objects::ObjectsOrder;

/// One object at a glance.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OverviewView {
    /// Which object it is.
    pub(super) subject: domain::question::Subject,
    pub(super) frame: Frame,
    pub(super) object: ObjectView,
    /// The zone that times are shown in.
    pub(super) zone: String,
    /// When it was read: milliseconds since 1970.
    pub(super) now: i64,
    /// What its entries tell; none where no event names it.
    pub(super) known: Option<KnownView>,
}

/// What an object's entries tell of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KnownView {
    pub(super) first_seen: WhenView,
    pub(super) last_seen: WhenView,
    /// There may be other names, and it may have been seen earlier.
    pub(super) is_cut: bool,
    pub(super) entries: CountView,
    /// Who changed it last, and when.
    pub(super) changed: Option<LastView>,
    /// Its names, the one used last first: since when, and until when.
    pub(super) names: Vec<(String, WhenView, WhenView)>,
    /// How many other names there are.
    pub(super) other_names: usize,
    /// Who touched it most, most first.
    pub(super) touched: Vec<TouchedView>,
    /// Among how many of the newest entries; none: all.
    pub(super) touched_among: Option<usize>,
    /// Its newest entries.
    pub(super) newest: Vec<RowView>,
}

/// Somebody who touched an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TouchedView {
    /// What they are called.
    pub(super) name: String,
    pub(super) kind: ActorKind,
    /// Whether they are deactivated now.
    pub(super) deactivated: bool,
    /// In how many entries.
    pub(super) entries: usize,
    pub(super) last: WhenView,
    /// Their entries, on the Audit tab.
    pub(super) there: Option<String>,
}

/// A page of the list of objects.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ListView {
    pub(super) frame: Frame,
    /// What was asked.
    pub(super) asked: Asked,
    /// The kinds to choose from.
    pub(super) kinds: Vec<String>,
    /// The kind that was asked for is not open to them.
    pub(super) is_guarded: bool,
    pub(super) order: ObjectsOrder,
    /// When it was read: milliseconds since 1970.
    pub(super) now: i64,
    pub(super) objects: Vec<ListedView>,
    /// Where the list goes on, and where it goes back: addresses.
    pub(super) next: Option<String>,
    pub(super) previous: Option<String>,
    /// It stopped before the page was full.
    pub(super) stopped: bool,
    /// The cursor belongs to another list.
    pub(super) lost_cursor: bool,
}

/// An object in the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ListedView {
    /// Its name, else its id.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) last_seen: WhenView,
    /// Its Overview.
    pub(super) there: String,
}

/// What the address of the list asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// A part of a name or an id.
    pub(super) q: Option<String>,
    /// A kind, as it was given.
    pub(super) kind: Option<String>,
    /// Where a page before left off.
    pub(super) cursor: Option<String>,
    /// The zone that times are shown in.
    pub(super) zone: String,
}

impl Asked {
    /// Whether anything narrows the list.
    pub(super) fn is_narrowed(&self) -> bool {
        self.q.is_some() || self.kind.is_some()
    }

    /// Whether the kind is none that there can be.
    pub(super) fn kind_is_wrong(&self) -> bool {
        let parsed = self
            .kind
            .as_deref()
            .map(str::parse::<domain::event::TargetKind>);
        parsed.is_some_and(|kind| kind.is_err())
    }
}

//! What the Blame tab shows, ready to be set.

use crate::{
    frame::Frame,
    log::view::{ActorView, ObjectView, Sign, ValueView, WhenView},
};
use domain::{blame::Existence, question::Subject};

/// Who set each field of an object.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::objects) struct BlameView {
    pub(in crate::objects) frame: Frame,
    /// Which object it is.
    pub(in crate::objects) subject: Subject,
    pub(in crate::objects) object: ObjectView,
    /// The zone that times are shown in.
    pub(in crate::objects) zone: String,
    /// When it was read: milliseconds since 1970.
    pub(in crate::objects) now: i64,
    pub(in crate::objects) asked: AskedView,
    /// What its events come to; none where no event names it, or where what is asked is not understood.
    pub(in crate::objects) known: Option<KnownView>,
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::objects) struct AskedView {
    /// The moment shown, as a field holds it.
    pub(in crate::objects) at: String,
    /// The moment compared with.
    pub(in crate::objects) compare: String,
    /// The field that is opened.
    pub(in crate::objects) field: Option<String>,
    /// Whether fields that are gone are shown too.
    pub(in crate::objects) removed: bool,
    /// What is not understood: the parameter, and why.
    pub(in crate::objects) faults: Vec<(String, String)>,
    /// The same page without a moment, and so now; with nothing compared; with no field opened.
    pub(in crate::objects) now: String,
    pub(in crate::objects) alone: String,
    pub(in crate::objects) closed: String,
    /// With what is gone, or without.
    pub(in crate::objects) other_removed: String,
}

impl AskedView {
    /// What is wrong with a parameter.
    pub(in crate::objects) fn fault(&self, parameter: &str) -> Option<&str> {
        let mut faults = self.faults.iter();
        let fault = faults.find(|(name, _)| name == parameter);
        fault.map(|(_, reason)| reason.as_str())
    }
}

/// What an object's events come to.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::objects) struct KnownView {
    /// Whether it was there.
    pub(in crate::objects) existence: Existence,
    /// The moment that is told of, where one was asked for.
    pub(in crate::objects) at: Option<String>,
    pub(in crate::objects) shown: ShownView,
    /// How many fields are gone.
    pub(in crate::objects) gone: usize,
    /// What is not known, a sentence each.
    pub(in crate::objects) gaps: Vec<String>,
    /// How many events changed something.
    pub(in crate::objects) changes: u64,
    /// The last of them, newest first.
    pub(in crate::objects) moments: Vec<MomentView>,
}

/// What is shown of an object's fields.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::objects) enum ShownView {
    /// Each, with who set it last.
    Fields(Vec<FieldView>),
    /// What one was, newest first.
    History(Vec<FieldView>),
    /// What is not what it was.
    Differences {
        /// The two moments, the earlier one first.
        moments: (String, String),
        changed: Vec<DifferenceView>,
        /// How many fields are the same.
        same: usize,
    },
}

/// A moment at which something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::objects) struct MomentView {
    pub(in crate::objects) when: WhenView,
    /// "2 fields", "created".
    pub(in crate::objects) what: String,
    /// The state then.
    pub(in crate::objects) there: String,
    /// Whether it is the moment shown, or compared with.
    pub(in crate::objects) is_shown: bool,
}

/// A value that a field was given.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::objects) struct FieldView {
    pub(in crate::objects) path: PathView,
    /// Its whole history.
    pub(in crate::objects) history: String,
    /// The value; none: it was removed.
    pub(in crate::objects) value: Option<ValueView>,
    pub(in crate::objects) set: SetView,
    pub(in crate::objects) before: BeforeView,
    /// How often it was set; none: not that anybody knows.
    pub(in crate::objects) changes: Option<u64>,
    /// How long ago, from 1, lately, to 5, before all that is known.
    pub(in crate::objects) age: u8,
}

/// A path: what holds it, and what it is called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::objects) struct PathView {
    pub(in crate::objects) parent: String,
    pub(in crate::objects) name: String,
}

/// What a field was before.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::objects) enum BeforeView {
    /// It was not set.
    NotSet,
    /// Nobody knows.
    Unknown,
    /// This.
    Value(ValueView),
}

/// Who set a field, and when.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::objects) enum SetView {
    /// An event.
    Event {
        actor: ActorView,
        when: WhenView,
        /// The entry, open on the object's Audit tab.
        entry: String,
        /// The object's state before it.
        before: String,
    },
    /// It was so before.
    Initial,
    /// Somebody, between two events, and nobody told.
    Outside {
        since: WhenView,
        until: WhenView,
        silent: Option<SilentView>,
    },
    /// It was found between two events (the first may not be known) of which others were erased.
    Erased {
        since: Option<WhenView>,
        until: WhenView,
        silent: SilentView,
    },
}

/// Entries that do not tell what they changed, of which one may have set a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::objects) struct SilentView {
    /// "1 entry that gave no state".
    pub(in crate::objects) words: String,
    /// Where they are.
    pub(in crate::objects) entries: String,
}

/// A field that is not what it was.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::objects) struct DifferenceView {
    pub(in crate::objects) path: PathView,
    pub(in crate::objects) history: String,
    pub(in crate::objects) sign: Sign,
    pub(in crate::objects) before: Option<ValueView>,
    pub(in crate::objects) after: Option<ValueView>,
    pub(in crate::objects) set: SetView,
}

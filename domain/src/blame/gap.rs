//! What is not known of an object's history, and why.

use super::{Blame, LeftWhat};
use crate::time::Timestamp;

/// Why something may have changed that is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapKind {
    /// Events were deleted because they had expired.
    Retention,
    /// Recording was switched off.
    RecordingOff,
    /// Events gave neither the state before nor the one after.
    NoState,
    /// The states that events gave were erased.
    Erased,
    /// Of events it was erased what they were about: it was something of the object's kind.
    ObjectsErased,
    /// There is more of something than can be kept.
    LeftOut(LeftWhat),
}

impl GapKind {
    /// The name in the outside contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retention => "retention",
            Self::RecordingOff => "recording_off",
            Self::NoState => "no_state",
            Self::Erased => "erased",
            Self::ObjectsErased => "objects_erased",
            Self::LeftOut(_) => "left_out",
        }
    }
}

/// A time of which not all is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// From when; none: from the beginning.
    pub since: Option<Timestamp>,
    /// Until when; none: it goes on.
    pub until: Option<Timestamp>,
    /// How many events it is about, or whatever was left out; none: it is about a time.
    pub count: Option<u64>,
}

/// What a log does not tell of any object, or of none of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// What occurred before this moment was deleted because it had expired.
    pub released_before: Option<Timestamp>,
    /// When recording was switched off, and when on again; none: it is off.
    pub off: Vec<(Timestamp, Option<Timestamp>)>,
    /// Before which moment it was switched more often than was looked at.
    pub unread_before: Option<Timestamp>,
    /// The events of which was erased what they were about, where it was of the object's kind.
    pub objects_erased: Option<Unassigned>,
}

/// Events that may have been any object's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unassigned {
    /// How many there are, those looked at.
    pub events: u64,
    /// When the first occurred; none: there are earlier ones that were not looked at.
    pub since: Option<Timestamp>,
    /// When the last occurred.
    pub until: Timestamp,
}

impl Blame {
    /// What is not known of the object until the moment `at` (none: until now), in the order of time:
    /// what the log is silent about while the object may have been there, and the events without a
    /// state. An object that the log saw come to be has no history before that.
    pub fn gaps(&self, silence: &Silence, at: Option<Timestamp>) -> Vec<Gap> {
        let born = self
            .begins
            .filter(|begins| begins.is_creation)
            .map(|begins| begins.at);
        let mut gaps = Vec::new();
        if let Some(before) = silence.released_before
            && born.is_none_or(|born| born < before)
        {
            gaps.push(Gap {
                kind: GapKind::Retention,
                since: born,
                until: Some(at.map_or(before, |at| at.min(before))),
                count: None,
            });
        }
        for (since, until) in &silence.off {
            let was_over = born.is_some_and(|born| until.is_some_and(|until| until <= born));
            let is_later = at.is_some_and(|at| at < *since);
            if !was_over && !is_later {
                gaps.push(Gap {
                    kind: GapKind::RecordingOff,
                    since: Some(*since),
                    until: match (*until, at) {
                        (Some(until), Some(at)) => Some(until.min(at)),
                        (until, at) => until.or(at),
                    },
                    count: None,
                });
            }
        }
        if let Some(before) = silence.unread_before
            && born.is_none_or(|born| born < before)
        {
            gaps.push(Gap {
                kind: GapKind::LeftOut(LeftWhat::Switches),
                since: born,
                until: Some(at.map_or(before, |at| at.min(before))),
                count: None,
            });
        }
        if let Some(unassigned) = silence.objects_erased
            && born.is_none_or(|born| born <= unassigned.until)
        {
            gaps.push(Gap {
                kind: GapKind::ObjectsErased,
                since: unassigned.since,
                until: Some(unassigned.until),
                count: Some(unassigned.events),
            });
        }
        gaps.extend(self.untold.iter().map(|untold| Gap {
            kind: if untold.is_erased {
                GapKind::Erased
            } else {
                GapKind::NoState
            },
            since: Some(untold.since),
            until: Some(untold.until),
            count: Some(untold.events),
        }));
        gaps.extend(self.left_out.iter().map(|left| Gap {
            kind: GapKind::LeftOut(left.what),
            since: match left.what {
                LeftWhat::Gone | LeftWhat::History => None,
                LeftWhat::Instant | LeftWhat::Later | LeftWhat::Switches => Some(left.since),
            },
            until: Some(left.until),
            count: Some(left.count),
        }));
        gaps.sort_by_key(|gap| (gap.since, gap.until, gap.kind));
        gaps
    }
}

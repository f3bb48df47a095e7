//! Following a log in the order of arrival: whoever does misses nothing, however late an event says
//! that it occurred.

use domain::event::Event;

/// What arrived after a number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Feed {
    /// The events that were asked for, in the order in which they arrived.
    pub events: Vec<Event>,
    /// The highest number that was looked at, whether it matched or not: nothing comes up behind
    /// it later.
    pub next: u64,
    /// Whether that is the end of the log, as it was when it was looked at. Where it is not, there
    /// are more events than are given at once, or more than are looked at for one answer.
    pub is_all: bool,
}

/// How much arrived after a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// So many entries, at most as many as were asked for at once.
    pub entries: u64,
    /// The highest number that was looked at.
    pub next: u64,
}

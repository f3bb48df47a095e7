//! In which order events of the same instant are folded.
//!
//! Clocks are coarse: two changes may carry the same time, and which of them came first must be told
//! by what they say, not by which arrived first. Of those that are left the next one is always
//!
//! 1. one whose `before` is what the events until then left: so `1 → 2` comes before `2 → 3`. A
//!    creation comes where the object is not there, a deletion without a state where it is and nothing
//!    else fits; one that contradicts what is known comes last;
//! 2. among those, one whose `before` is not what another that is left leads to, and which leads to
//!    another: of `1 → 2`, `2 → 1` and `1 → 3` the last is `1 → 3`;
//! 3. then by the sender's idempotency key, and by everything else that the event says, in the order of
//!    the code points. Events of which all that is the same change the same, whoever comes first.
//!
//! All of that is in the events themselves. So the answer is the same for any order of arrival.

use super::{
    Telling,
    fold::{State, is_deletion},
};
use crate::{
    diff::is_same,
    event::{Actor, Object},
    json::canonical::append_object,
    verb::Verb,
};
use std::fmt::Write as _;

/// Of more events at one instant than this, which follow no order that can be seen, the third rule
/// decides alone.
const CHAINED_MOST: usize = 32;

/// What is known says of what an event finds, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// It is known to be so.
    Agrees,
    /// Nothing is known of some of it.
    Unknown,
    /// It is known to be otherwise.
    Contradicts,
}

/// How well an event fits what is known, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Everything that it finds is known to be so.
    Follows,
    /// It makes what is not there.
    Creates,
    /// It may be.
    MayBe,
    /// It ends what is there, and finds nothing.
    Ends,
    /// It cannot be.
    Contradicts,
}

/// The events of one instant that are not folded yet.
pub(super) struct Instant {
    /// In the order of the third rule, the last one first.
    left: Vec<Telling>,
}

impl Instant {
    pub(super) fn of(mut events: Vec<Telling>) -> Self {
        // The id only where nothing else is left to tell them apart.
        events
            .sort_by_cached_key(|event| (event.idempotency_key.clone(), contents(event), event.id));
        events.reverse();
        Self { left: events }
    }

    /// The one that is next where this is known.
    pub(super) fn next(&mut self, state: &State) -> Option<Telling> {
        if self.left.len() > CHAINED_MOST || self.left.len() < 2 {
            return self.left.pop();
        }
        let rank = |at: usize| {
            let event = &self.left[at];
            let mut others = self.left.iter().enumerate();
            let is_led_to = others.any(|(other, from)| other != at && leads_to(from, event));
            let mut others = self.left.iter().enumerate();
            let leads_on = others.any(|(other, to)| other != at && leads_to(event, to));
            (
                fit(event, state),
                is_led_to,
                !leads_on,
                self.left.len() - at,
            )
        };
        let next = (0..self.left.len()).min_by_key(|at| rank(*at))?;
        Some(self.left.remove(next))
    }
}

fn fit(event: &Telling, state: &State) -> Fit {
    match event.before.as_deref() {
        Some(before) if !before.is_empty() => match state.verdict(before, event.after.as_deref()) {
            Verdict::Agrees => Fit::Follows,
            Verdict::Unknown => Fit::MayBe,
            Verdict::Contradicts => Fit::Contradicts,
        },
        _ if event.verb == Verb::Create && !state.exists() => Fit::Creates,
        _ if event.verb == Verb::Create => Fit::Contradicts,
        _ if is_deletion(event) && state.exists() => Fit::Ends,
        _ if is_deletion(event) => Fit::Contradicts,
        _ => Fit::MayBe,
    }
}

/// Whether what one event leaves is what another finds, as far as both tell of it.
fn leads_to(from: &Telling, to: &Telling) -> bool {
    let (Some(left), Some(found)) = (&from.after, &to.before) else {
        return false;
    };
    let mut shared = found
        .iter()
        .filter_map(|(name, value)| Some((left.get(name)?, value)))
        .peekable();
    shared.peek().is_some() && shared.all(|(left, found)| is_same(left, found))
}

/// All that an event says, as one text.
fn contents(event: &Telling) -> String {
    let mut text = String::with_capacity(256);
    let state = |state: Option<&Object>, text: &mut String| match state {
        Some(state) => append_object(state, text),
        None => text.push('-'),
    };
    let actor = |actor: &Actor, text: &mut String| {
        let Actor {
            kind,
            id,
            name,
            email,
        } = actor;
        let _ = writeln!(text, "{kind} {id:?} {name:?} {email:?}");
    };
    let _ = writeln!(text, "{}", event.verb.as_str());
    state(event.before.as_deref(), &mut text);
    text.push('\n');
    state(event.after.as_deref(), &mut text);
    text.push('\n');
    actor(&event.actor, &mut text);
    for via in &*event.via {
        actor(via, &mut text);
    }
    text
}

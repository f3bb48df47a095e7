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
//! Before all that, where each event tells of whole states, and there is a way through all of them on
//! which each finds just what the one before it left, they are in that order, however many they are
//! (`trail.rs`).
//!
//! Where there is no such way, of very many events the first two rules are narrowed, because each would
//! be compared with each other: an event is followed by one whose whole `before` is its whole `after`, if
//! there is one. Where a chain of those begins is told by how its first event fits what was known before
//! the instant. A chain that leads to an end goes no further, though another choice on the way might have
//! led on: what is left begins another chain.
//!
//! All of that is in the events themselves. So the answer is the same for any order of arrival.

use super::{
    Telling,
    fold::{State, is_deletion},
    stated::Stated,
    trail::trail,
};
use crate::{diff::is_same, event::Actor, verb::Verb};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt::Write as _,
};

/// Of more events at one instant than this, not each is compared with each other.
const COMPARED_MOST: usize = 32;

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
pub(super) enum Fit {
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
pub(super) enum Instant {
    /// Which is next is found when it is wanted. In the order of the third rule, the last one first.
    Compared(Vec<Linked>),
    /// In the order in which they are folded, the last one first.
    Chained(Vec<Telling>),
}

/// An event, and which of the others lead to it, and which it leads to: a bit for each.
pub(super) struct Linked {
    event: Telling,
    bit: u32,
    led_to_by: u32,
    leads_to: u32,
}

impl Instant {
    /// `state` is what is known before them.
    pub(super) fn of(mut events: Vec<Telling>, state: &State) -> Self {
        // The id only where nothing else is left to tell them apart: then all that they say is the same.
        events
            .sort_by_cached_key(|event| (event.idempotency_key.clone(), contents(event), event.id));
        let texts: Vec<Texts> = events.iter().map(texts).collect();
        if events.len() > 1
            && let Some(order) = trail(&texts, |at| fit(&events[at], state))
        {
            let mut events: Vec<Option<Telling>> = events.into_iter().map(Some).collect();
            let mut chained: Vec<_> = order.iter().filter_map(|at| events[*at].take()).collect();
            chained.reverse();
            return Self::Chained(chained);
        }
        if events.len() > COMPARED_MOST {
            let mut chained = chained(events, &texts, state);
            chained.reverse();
            return Self::Chained(chained);
        }
        events.reverse();
        let others = |is_linked: &dyn Fn(&Telling) -> bool, but: usize| {
            let others = events.iter().enumerate();
            let linked = others.filter(|(other, event)| *other != but && is_linked(event));
            linked.fold(0, |bits, (other, _)| bits | 1 << other)
        };
        let links = events.iter().enumerate().map(|(at, event)| {
            (
                1 << at,
                others(&|from| leads_to(from, event), at),
                others(&|to| leads_to(event, to), at),
            )
        });
        let links: Vec<(u32, u32, u32)> = links.collect();
        let linked = events.into_iter().zip(links);
        Self::Compared(
            linked
                .map(|(event, (bit, led_to_by, leads_to))| Linked {
                    event,
                    bit,
                    led_to_by,
                    leads_to,
                })
                .collect(),
        )
    }

    /// The one that is next where this is known.
    pub(super) fn next(&mut self, state: &State) -> Option<Telling> {
        let left = match self {
            Self::Chained(left) => return left.pop(),
            Self::Compared(left) => left,
        };
        if left.len() < 2 {
            return left.pop().map(|linked| linked.event);
        }
        let bits = left.iter().fold(0, |bits, linked| bits | linked.bit);
        let rank = |at: usize| {
            let linked = &left[at];
            (
                fit(&linked.event, state),
                linked.led_to_by & bits != 0,
                linked.leads_to & bits == 0,
                left.len() - at,
            )
        };
        let next = (0..left.len()).min_by_key(|at| rank(*at))?;
        Some(left.remove(next).event)
    }
}

/// Events in the order of the third rule, so that one whose whole `before` is the whole `after` of
/// another follows that.
fn chained(events: Vec<Telling>, texts: &[Texts], state: &State) -> Vec<Telling> {
    // One that changes nothing leads only to where it was.
    let changing = || texts.iter().filter(|(found, left)| found != left);
    let all_found: HashSet<&String> = changing().filter_map(|(found, _)| found.as_ref()).collect();
    let all_left: HashSet<&String> = changing().filter_map(|(_, left)| left.as_ref()).collect();
    let is_in = |all: &HashSet<&String>, text: &Option<String>| {
        text.as_ref().is_some_and(|text| all.contains(text))
    };
    let rank = |at: &usize| {
        let (found, left) = &texts[*at];
        (
            fit(&events[*at], state),
            is_in(&all_left, found),
            !is_in(&all_found, left),
            *at,
        )
    };
    let mut ranked: Vec<usize> = (0..events.len()).collect();
    ranked.sort_by_cached_key(rank);
    // Those that lead on come first among those that find the same.
    let mut finding: HashMap<&String, VecDeque<usize>> = HashMap::new();
    for at in &ranked {
        if let (Some(found), _) = &texts[*at] {
            finding.entry(found).or_default().push_back(*at);
        }
    }
    let mut waiting: Vec<Option<Telling>> = events.into_iter().map(Some).collect();
    let mut chained = Vec::with_capacity(waiting.len());
    for first in ranked {
        let mut next = Some(first);
        while let Some(at) = next.take() {
            let Some(event) = waiting[at].take() else {
                break;
            };
            chained.push(event);
            let alike = texts[at].1.as_ref().and_then(|left| finding.get_mut(left));
            if let Some(alike) = alike {
                while let Some(at) = alike.pop_front() {
                    if waiting[at].is_some() {
                        next = Some(at);
                        break;
                    }
                }
            }
        }
    }
    chained
}

/// What an event finds and what it leaves, as texts; none where it does not say.
pub(super) type Texts = (Option<String>, Option<String>);

/// What is found before a creation and left by a deletion: no state.
const NOTHING: &str = "";

fn texts(event: &Telling) -> Texts {
    let text = |state: Option<&Stated>| {
        let state = state.filter(|state| !state.is_empty())?;
        let mut text = String::new();
        state.append(&mut text);
        Some(text)
    };
    let nothing = |is_so: bool| is_so.then(|| NOTHING.to_owned());
    let found = text(event.before.as_deref());
    let left = text(event.after.as_deref());
    (
        found.or_else(|| nothing(event.verb == Verb::Create)),
        left.or_else(|| nothing(is_deletion(event) && !event.erased)),
    )
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
    let mut shared = left.shared(found).peekable();
    shared.peek().is_some() && shared.all(|(left, found)| is_same(left, found))
}

/// All that an event says, as one text.
fn contents(event: &Telling) -> String {
    let mut text = String::with_capacity(256);
    let state = |state: Option<&Stated>, text: &mut String| match state {
        Some(state) => state.append(text),
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
    text.push_str(&event.rest);
    text
}

//! The fold: events in time order, one after the other, and what they come to.

use super::{
    Asked, Author, Beginning, Blame, Existence, LeftOut, LeftWhat, Moment, Telling, What,
    is_only_looking,
    order::{self, Verdict},
    silent::Silences,
    slot::{Now, Slot, Step},
    stated::{Pairs, Stated},
    weight::{Bounds, cutoff},
};
use crate::{event::Outcome, time::Timestamp, verb::Verb};
use std::{collections::VecDeque, mem, sync::Arc};

/// So many of the last moments at which something changed are told.
const MOMENTS_MOST: usize = 200;

/// What is known of an object after some of its events.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) root: Slot,
    existence: Existence,
    /// When it was last deleted: nothing was there then, though it may have come to be again.
    deleted: Option<Timestamp>,
    /// What the last event left, if it said so.
    left: Option<Left>,
}

/// What the last event left: just that is there, of the members that it names.
#[derive(Clone, Debug)]
struct Left {
    state: Arc<Stated>,
    at: Timestamp,
    /// Whether the slots of what it did not change do not know yet that it told of them.
    is_owed: bool,
}

impl State {
    /// Whether it is known to be there.
    pub(super) fn exists(&self) -> bool {
        self.existence == Existence::There
    }
}

/// Folds an object's events, which come in the order of the time at which they occurred; those of one
/// instant in any.
#[derive(Clone, Debug)]
pub struct Fold {
    asked: Asked,
    bounds: Bounds,
    state: State,
    /// The events of one instant, until one of another comes, and about how many bytes they have.
    waiting: Vec<Telling>,
    weight: usize,
    /// An instant that has more events than are kept, and how many it has.
    flooded: Option<(Timestamp, u64)>,
    /// The last instant that was folded, and how many events were.
    last: Option<Timestamp>,
    folded: u64,
    begins: Option<Beginning>,
    silences: Silences,
    changes: u64,
    moments: VecDeque<Moment>,
    left_out: Vec<LeftOut>,
    /// About how many bytes were told since it was weighed what is kept.
    grown: usize,
    /// Whether it is more than can be kept: nothing is folded any more.
    is_full: bool,
}

/// A fold as it was at a moment, to be gone on from.
#[derive(Clone, Debug)]
pub struct Kept(Fold);

impl Kept {
    /// About how many bytes it takes.
    pub fn weight(&self) -> usize {
        self.0.kept_weight()
    }

    /// The fold that has come so far with the question `asked`, where that is the same as it would have
    /// been: where the same field's history is kept, and nothing is compared with what was before.
    pub fn resume(&self, asked: &Asked) -> Option<Fold> {
        let is_before = |moment: Option<Timestamp>| match (self.0.last, moment) {
            (Some(last), Some(moment)) => last <= moment,
            _ => true,
        };
        let fits =
            self.0.asked.field == asked.field && is_before(asked.at) && is_before(asked.compare);
        fits.then(|| Fold {
            asked: asked.clone(),
            ..self.0.clone()
        })
    }
}

impl Fold {
    /// Nothing is known yet.
    pub fn new(asked: Asked) -> Self {
        Self {
            asked,
            bounds: Bounds::default(),
            state: State::default(),
            waiting: Vec::new(),
            weight: 0,
            flooded: None,
            last: None,
            folded: 0,
            begins: None,
            silences: Silences::default(),
            changes: 0,
            moments: VecDeque::new(),
            left_out: Vec::new(),
            grown: 0,
            is_full: false,
        }
    }

    #[cfg(test)]
    pub(super) fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// Takes in an event. One that occurred before another that was told is taken in where it comes.
    pub fn tell(&mut self, event: Telling) {
        if event.outcome != Outcome::Success
            || is_only_looking(event.verb)
            || self.asked.at.is_some_and(|at| event.occurred_at > at)
        {
            return;
        }
        let at = event.occurred_at;
        let instant = self.waiting.first().map(|first| first.occurred_at);
        let instant = instant.or(self.flooded.map(|(at, _)| at));
        if instant.is_some_and(|instant| instant != at) {
            self.settle();
        }
        if self.is_full {
            self.leave_out(LeftWhat::Later, at, 1);
            return;
        }
        if let Some((_, events)) = &mut self.flooded {
            *events += 1;
            return;
        }
        self.weight += event.weight();
        self.waiting.push(event);
        if self.weight > self.bounds.instant && self.waiting.len() > 1 {
            self.flooded = Some((at, self.waiting.len() as u64));
            self.waiting = Vec::new();
        }
    }

    /// The fold as it is now, for other questions; none where more may come of the last instant, where it holds
    /// what this question alone asks for, or where it takes more than so many bytes.
    pub fn keep(&self, most: usize) -> Option<Kept> {
        let is_compared = match (self.asked.compare, self.last) {
            (Some(compare), Some(last)) => last > compare,
            _ => false,
        };
        let is_settled = self.waiting.is_empty() && self.flooded.is_none();
        let is_kept = is_settled && !is_compared && !self.is_full && self.kept_weight() <= most;
        is_kept.then(|| Kept(self.clone()))
    }

    fn kept_weight(&self) -> usize {
        self.state.root.weight()
            + (self.moments.len() + 8) * mem::size_of::<Moment>()
            + self.silences.weight()
    }

    /// What the events come to.
    pub fn finish(mut self) -> Blame {
        self.settle();
        let wanted = self.asked.field.as_ref();
        let found = self.state.root.into_fields(wanted);
        Blame {
            existence: self.state.existence,
            fields: found.fields,
            removed: found.removed,
            differences: if self.asked.compare.is_some() {
                found.differences
            } else {
                Vec::new()
            },
            untold: self.silences.into_gaps(),
            changes: self.changes,
            moments: self.moments.into(),
            begins: self.begins,
            left_out: self.left_out,
        }
    }

    /// Folds the events of the last instant: no more of it come.
    pub fn settle(&mut self) {
        self.weight = 0;
        if let Some((at, events)) = self.flooded.take() {
            self.pass_over(at, events);
            return;
        }
        let mut waiting = mem::take(&mut self.waiting);
        if let [_] = waiting.as_slice() {
            for event in waiting.drain(..) {
                self.fold(&event);
            }
        } else {
            let mut left = order::Instant::of(mem::take(&mut waiting), &self.state);
            while let Some(event) = left.next(&self.state) {
                self.fold(&event);
            }
        }
        self.waiting = waiting;
    }

    /// There were more events at an instant than can be put in order: nothing is known of what they
    /// changed.
    fn pass_over(&mut self, at: Timestamp, events: u64) {
        self.last = Some(at);
        self.begins.get_or_insert(Beginning {
            at,
            is_creation: false,
        });
        if self.state.existence == Existence::Untold {
            self.state.existence = Existence::There;
        }
        let most = (self.bounds.silent, self.bounds.gaps);
        self.silences.push((at, None), (events, false), most);
        self.leave_out(LeftWhat::Instant, at, events);
    }

    fn leave_out(&mut self, what: LeftWhat, at: Timestamp, count: u64) {
        match self.left_out.iter_mut().find(|left| left.what == what) {
            Some(left) => {
                left.until = left.until.max(at);
                left.count += count;
            }
            None => self.left_out.push(LeftOut {
                what,
                since: at,
                until: at,
                count,
            }),
        }
    }

    fn fold(&mut self, event: &Telling) {
        if self.is_full {
            self.leave_out(LeftWhat::Later, event.occurred_at, 1);
            return;
        }
        let at = event.occurred_at;
        let is_deletion = is_deletion(event);
        let gave_state = event.before.is_some() || event.after.is_some();
        let creates = event.verb == Verb::Create && is_empty(event.before.as_deref());
        self.begins.get_or_insert(Beginning {
            at,
            is_creation: creates && event.after.is_some(),
        });
        let is_silent = !gave_state && !is_deletion;
        let now = Now {
            author: Arc::new(Author {
                event: event.id,
                occurred_at: at,
                actor: Arc::clone(&event.actor),
                via: Arc::clone(&event.via),
            }),
            number: self.folded,
            is_compared: self.asked.compare.is_some_and(|compare| at > compare),
            tells_before: event.before.is_some()
                || creates
                || self.state.existence == Existence::Deleted,
            silences: &self.silences,
            changed: std::cell::Cell::new(0),
            is_first: std::cell::Cell::new(false),
        };
        let step = now.step(self.asked.field.as_ref());
        let existed = self.state.existence;
        let is_anew = self.state.fold(event, is_deletion, gave_state, step);
        let (changed, is_first) = (now.changed.get(), now.is_first.get());
        if let Some(begins) = &mut self.begins {
            begins.is_creation &= !is_first;
        }
        self.folded += 1;
        self.last = Some(at);
        if is_silent {
            let most = (self.bounds.silent, self.bounds.gaps);
            self.silences
                .push((at, Some(event.id)), (1, event.erased), most);
        } else {
            self.silences.interrupt();
            self.weigh(event);
        }
        let what = match (existed, self.state.existence) {
            (Existence::There | Existence::Untold, Existence::Deleted) => What::Deleted,
            (Existence::Deleted, Existence::There) => What::Created,
            (Existence::Untold, Existence::There) if creates => What::Created,
            _ if is_anew => What::Created,
            _ if changed > 0 => What::Changed(changed),
            _ if is_silent && event.erased => What::Erased,
            _ => return,
        };
        self.changes += 1;
        if self.moments.len() == MOMENTS_MOST {
            self.moments.pop_front();
        }
        self.moments.push_back(Moment {
            at,
            event: event.id,
            what,
        });
    }

    /// Looks, after a while, how much is kept, and lets go of the oldest of what is gone, and of the
    /// history that is asked for, where that is too much; where what is there is, nothing more is folded.
    fn weigh(&mut self, event: &Telling) {
        self.grown += event.weight();
        if self.grown < self.bounds.between {
            return;
        }
        self.grown = 0;
        let Some(last) = self.last else { return };
        let root = &mut self.state.root;
        let mut settings = Vec::new();
        root.each_setting(&mut |at, weight| settings.push((at, weight)));
        let of_history: usize = settings.iter().map(|(_, weight)| weight).sum();
        if let Some(until) = cutoff(settings, self.bounds.history) {
            let forgotten = root.forget_settings(until);
            self.leave_out(LeftWhat::History, until.unwrap_or(last), forgotten);
        }
        let root = &mut self.state.root;
        let mut gone = Vec::new();
        root.each_gone(&mut |at, weight| gone.push((at, weight)));
        let of_gone: usize = gone.iter().map(|(_, weight)| weight).sum();
        let weight = root.weight();
        if let Some(until) = cutoff(gone, self.bounds.gone) {
            let forgotten = root.forget_gone(until);
            self.leave_out(LeftWhat::Gone, until, forgotten);
        }
        if weight.saturating_sub(of_gone + of_history) > self.bounds.live {
            self.is_full = true;
        }
    }
}

fn is_empty(state: Option<&Stated>) -> bool {
    state.is_none_or(Stated::is_empty)
}

/// Whether an event says that the object is gone: where something is left after it, it is something of
/// the object that was deleted. What an erased event left is not known, but the verb is.
pub(super) fn is_deletion(event: &Telling) -> bool {
    event.verb == Verb::Delete && is_empty(event.after.as_deref())
}

impl State {
    /// Takes in an event, and tells whether it made something anew that was known to be there.
    fn fold(
        &mut self,
        event: &Telling,
        is_deletion: bool,
        gave_state: bool,
        step: Step<'_>,
    ) -> bool {
        let at = event.occurred_at;
        let absent = self.deleted;
        let before = event.before.as_deref();
        let after = event.after.as_deref().filter(|_| !is_deletion);
        // Who gives whole states finds what was left, and changes little of it.
        let follows = match (&event.before, &self.left) {
            (Some(before), Some(left)) => Arc::ptr_eq(before, &left.state),
            _ => false,
        };
        if gave_state
            && !follows
            && let Some(left) = self.left.take()
            && left.is_owed
        {
            for member in left.state.members() {
                self.root
                    .at_member(&member.name, |slot| slot.confirm(&member.value, left.at));
            }
        }
        let is_anew = self.is_anew(event);
        if is_anew {
            self.root.deny_members(step);
        }
        for (found, left) in Pairs::of(before, after) {
            let Some(member) = found.or(left) else {
                continue;
            };
            let is_same =
                matches!((found, left), (Some(found), Some(left)) if Arc::ptr_eq(found, left));
            if follows && is_same {
                continue;
            }
            let step = step.to_member(&member.name);
            self.root.at_member(&member.name, |slot| {
                match found {
                    Some(found) if follows => slot.confirm(&found.value, at),
                    Some(found) => slot.reconcile(&found.value, absent, step),
                    None if before.is_some() => slot.deny(step),
                    None => {}
                }
                match left {
                    Some(_) if is_same => {}
                    Some(left) => {
                        slot.turn_into(found.map(|found| &found.value), &left.value, step);
                    }
                    None if is_deletion => {}
                    None => slot.go(step),
                }
            });
        }
        if is_deletion {
            self.left = None;
            self.root.lose_by_event(step);
            self.existence = Existence::Deleted;
            self.deleted = Some(at);
            return false;
        }
        if gave_state {
            self.left = event.after.as_ref().map(|state| Left {
                state: Arc::clone(state),
                at,
                is_owed: follows,
            });
        }
        let is_back = gave_state || matches!(event.verb, Verb::Create | Verb::Restore);
        if self.existence == Existence::Untold || is_back {
            self.existence = Existence::There;
        }
        is_anew
    }

    /// Whether an event makes the object, though it is known to be there: unless it says what is there,
    /// and so the same twice, the object was gone before, and nobody told.
    fn is_anew(&self, event: &Telling) -> bool {
        let Some(after) = event.after.as_deref() else {
            return false;
        };
        event.verb == Verb::Create
            && is_empty(event.before.as_deref())
            && self.exists()
            && self.root.is_live()
            && !self.root.holds_just(after)
    }

    /// What is known says of the states that an event gives.
    pub(super) fn verdict(&self, before: &Stated, after: Option<&Stated>) -> Verdict {
        let verdicts = Pairs::of(Some(before), after).map(|(found, left)| match (found, left) {
            (Some(found), _) => self.root.verdict_on(&found.name, &found.value),
            (None, Some(denied)) => self.root.verdict_on_absence(&denied.name),
            (None, None) => Verdict::Agrees,
        });
        verdicts.max().unwrap_or(Verdict::Unknown)
    }
}

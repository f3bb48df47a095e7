//! The fold: events in time order, one after the other, and what they come to.

use super::{
    Asked, Author, Beginning, Blame, Existence, Moment, Telling, Untold, What, is_only_looking,
    order::{self, Verdict},
    slot::{Now, Slot, Step},
};
use crate::{
    event::{Object, Outcome},
    time::Timestamp,
    verb::Verb,
};
use std::{collections::VecDeque, mem, sync::Arc};

/// So many of the last moments at which something changed are told.
const MOMENTS_MOST: usize = 200;

/// What is known of an object after some of its events.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) root: Slot,
    existence: Existence,
    /// When it was last deleted: nothing was there then, though it may have come to be again.
    deleted: Option<Timestamp>,
}

impl State {
    /// Whether it is known to be there.
    pub(super) fn exists(&self) -> bool {
        self.existence == Existence::There
    }
}

/// Folds an object's events, which come in the order of the time at which they occurred; those of one
/// instant in any.
#[derive(Debug)]
pub struct Fold {
    asked: Asked,
    state: State,
    /// The events of one instant, until one of another comes.
    waiting: Vec<Telling>,
    begins: Option<Beginning>,
    untold: Vec<Untold>,
    /// Whether the last event gave no state.
    is_untold: bool,
    changes: u64,
    moments: VecDeque<Moment>,
}

impl Fold {
    /// Nothing is known yet.
    pub fn new(asked: Asked) -> Self {
        Self {
            asked,
            state: State::default(),
            waiting: Vec::new(),
            begins: None,
            untold: Vec::new(),
            is_untold: false,
            changes: 0,
            moments: VecDeque::new(),
        }
    }

    /// Takes in an event. One that occurred before another that was told is taken in where it comes.
    pub fn tell(&mut self, event: Telling) {
        if event.outcome != Outcome::Success
            || is_only_looking(event.verb)
            || self.asked.at.is_some_and(|at| event.occurred_at > at)
        {
            return;
        }
        let instant = self.waiting.first().map(|first| first.occurred_at);
        if instant.is_some_and(|instant| instant != event.occurred_at) {
            self.flush();
        }
        self.waiting.push(event);
    }

    /// What the events come to.
    pub fn finish(mut self) -> Blame {
        self.flush();
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
            untold: self.untold,
            changes: self.changes,
            moments: self.moments.into(),
            begins: self.begins,
        }
    }

    /// Folds the events of one instant.
    fn flush(&mut self) {
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

    fn fold(&mut self, event: &Telling) {
        let at = event.occurred_at;
        let is_deletion = is_deletion(event);
        let gave_state = event.before.is_some() || event.after.is_some();
        let creates = event.verb == Verb::Create && is_empty(event.before.as_deref());
        self.begins.get_or_insert(Beginning {
            at,
            is_creation: creates && event.after.is_some(),
        });
        if gave_state || is_deletion {
            self.is_untold = false;
        } else {
            self.note_untold(event);
        }
        let now = Now::new(
            Arc::new(Author {
                event: event.id,
                occurred_at: at,
                actor: Arc::clone(&event.actor),
                via: Arc::clone(&event.via),
            }),
            self.asked.compare.is_some_and(|compare| at > compare),
            event.before.is_some() || creates || self.state.existence == Existence::Deleted,
        );
        let step = now.step(self.asked.field.as_ref());
        let existed = self.state.existence;
        self.state.fold(event, is_deletion, gave_state, step);
        if let Some(begins) = &mut self.begins {
            begins.is_creation &= !now.is_first();
        }
        let what = match (existed, self.state.existence) {
            (Existence::There | Existence::Untold, Existence::Deleted) => What::Deleted,
            (Existence::Deleted, Existence::There) => What::Created,
            (Existence::Untold, Existence::There) if creates => What::Created,
            _ if now.changed() > 0 => What::Changed(now.changed()),
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

    fn note_untold(&mut self, event: &Telling) {
        let erased = u64::from(event.erased);
        match self.untold.last_mut() {
            Some(last) if self.is_untold => {
                last.until = event.occurred_at;
                last.events += 1;
                last.erased += erased;
            }
            _ => self.untold.push(Untold {
                since: event.occurred_at,
                until: event.occurred_at,
                events: 1,
                erased,
            }),
        }
        self.is_untold = true;
    }
}

fn is_empty(state: Option<&Object>) -> bool {
    state.is_none_or(Object::is_empty)
}

/// Whether an event says that the object is gone: where something is left after it, it is something of
/// the object that was deleted. What an erased event left is not known, but the verb is.
pub(super) fn is_deletion(event: &Telling) -> bool {
    event.verb == Verb::Delete && is_empty(event.after.as_deref())
}

impl State {
    fn fold(&mut self, event: &Telling, is_deletion: bool, gave_state: bool, step: Step<'_>) {
        let at = event.occurred_at;
        let absent = self.deleted;
        if let Some(before) = event.before.as_deref() {
            self.root.reconcile_members(before, absent, step);
            for name in event.after.iter().flat_map(|after| after.keys()) {
                if !before.contains_key(name) {
                    self.root.deny(name, step);
                }
            }
        }
        if is_deletion {
            self.root.lose_by_event(step);
            self.existence = Existence::Deleted;
            self.deleted = Some(at);
            return;
        }
        let after = event.after.as_deref();
        if let Some(after) = after {
            self.root
                .turn_into_members(event.before.as_deref(), after, step);
        }
        for name in event.before.iter().flat_map(|before| before.keys()) {
            if after.is_none_or(|after| !after.contains_key(name)) {
                self.root.remove(name, step);
            }
        }
        let is_back = gave_state || matches!(event.verb, Verb::Create | Verb::Restore);
        if self.existence == Existence::Untold || is_back {
            self.existence = Existence::There;
        }
    }

    /// What is known says of the states that an event gives.
    pub(super) fn verdict(&self, before: &Object, after: Option<&Object>) -> Verdict {
        let given = before
            .iter()
            .map(|(name, value)| self.root.verdict_on(name, value));
        let denied = after
            .into_iter()
            .flat_map(Object::keys)
            .filter(|name| !before.contains_key(*name))
            .map(|name| self.root.verdict_on_absence(name));
        given.chain(denied).max().unwrap_or(Verdict::Unknown)
    }
}

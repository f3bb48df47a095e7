//! A place in an object's state: the field that is there, or what is inside; and what was.

mod collect;
mod found;
mod gone;
mod left;

use super::{Author, Origin, Setting, silent::Silences};
use crate::{
    diff::is_same,
    json::{Path, path::Segment},
    time::Timestamp,
};
use gone::Went;
use serde_json::Value;
use std::{cell::Cell, collections::BTreeMap, sync::Arc};

/// An event that is being folded.
#[derive(Debug)]
pub(super) struct Now<'a> {
    pub(super) author: Arc<Author>,
    /// How many were folded before it.
    pub(super) number: u64,
    /// Whether it is later than the moment that the state is compared with.
    pub(super) is_compared: bool,
    /// Whether it says what was there before it: what it does not name then was not there.
    pub(super) tells_before: bool,
    /// Those before it that do not tell what they changed.
    pub(super) silences: &'a Silences,
    /// How many fields it changed.
    pub(super) changed: Cell<u64>,
    /// Whether it found something that nothing was known of.
    pub(super) is_first: Cell<bool>,
}

impl Now<'_> {
    /// At the object itself; `wanted` is the field whose history is kept.
    pub(super) fn step<'a>(&'a self, wanted: Option<&'a Path>) -> Step<'a> {
        Step {
            now: self,
            knows_absence: self.tells_before,
            wanted: wanted.map(Path::segments),
        }
    }

    /// Where what it found comes from, that was not so at a moment, or of which nothing was known.
    fn unseen(&self, since: Option<Timestamp>) -> Origin {
        let until = self.author.occurred_at;
        let silent = self.silences.since(since);
        match (since, silent) {
            (since, Some(silent)) if silent.erased > 0 => Origin::Erased {
                since,
                until,
                silent,
            },
            (Some(since), silent) => Origin::Outside {
                since,
                until,
                silent,
            },
            (None, _) => Origin::Initial,
        }
    }
}

/// An event at a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    now: &'a Now<'a>,
    /// Whether it is known of what nothing told of that it was not here before.
    knows_absence: bool,
    /// What is left from here of the path of the field whose history is kept; none: it leads elsewhere.
    /// Which element it names is known only at the end, so any will do.
    wanted: Option<&'a [Segment]>,
}

impl Step<'_> {
    pub(super) fn at(self) -> Timestamp {
        self.now.author.occurred_at
    }

    fn knowing_absence(self, knows: bool) -> Self {
        Self {
            knows_absence: self.knows_absence || knows,
            ..self
        }
    }

    pub(super) fn to_member(self, name: &str) -> Self {
        let wanted = self.wanted.and_then(|wanted| match wanted {
            [] => Some(wanted),
            [Segment::Member(first), rest @ ..] if first == name => Some(rest),
            _ => None,
        });
        Self { wanted, ..self }
    }

    fn to_element(self) -> Self {
        let wanted = self.wanted.and_then(|wanted| match wanted {
            [] => Some(wanted),
            [Segment::Element(_), rest @ ..] => Some(rest),
            [Segment::Member(_), ..] => None,
        });
        Self { wanted, ..self }
    }
}

/// How a value comes to be known.
#[derive(Clone, Copy, Debug)]
enum How {
    /// The event set it.
    Event,
    /// The event found it, and nothing was known.
    Initial,
    /// The event found it, and it was known to be otherwise at that time.
    Outside(Timestamp),
}

/// A field that is or was somewhere.
#[derive(Clone, Debug)]
struct Track {
    last: Setting,
    history: Vec<Setting>,
    then: Then,
}

/// What a field was at the moment that the state is compared with.
#[derive(Clone, Debug, Default)]
enum Then {
    /// The same, as far as is known.
    #[default]
    Same,
    /// This, if anything; it was set since.
    Was(Option<Value>),
}

/// A place in an object's state.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// When the last event occurred that told of it.
    told: Option<Timestamp>,
    track: Option<Box<Track>>,
    members: BTreeMap<String, Slot>,
    elements: Vec<Slot>,
    /// Elements that went, by what told them apart.
    gone: BTreeMap<String, Vec<Went>>,
}

/// Whether a value holds nothing, but could.
fn is_empty_holder(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        _ => false,
    }
}

impl Slot {
    fn field(&self) -> Option<&Value> {
        self.track.as_ref()?.last.value.as_ref()
    }

    fn has_live_members(&self) -> bool {
        self.members.values().any(Self::is_live)
    }

    fn holds_something(&self) -> bool {
        !self.elements.is_empty() || self.has_live_members()
    }

    pub(super) fn is_live(&self) -> bool {
        self.field().is_some() || self.holds_something()
    }

    /// All that is known to be there; none: nothing.
    fn whole(&self) -> Option<Value> {
        self.is_live().then(|| self.value())
    }

    /// What is known to be there.
    fn value(&self) -> Value {
        if let Some(value) = self.field() {
            return value.clone();
        }
        if !self.elements.is_empty() {
            return self.elements.iter().map(Self::value).collect();
        }
        let live = self.live_members();
        Value::Object(
            live.map(|(name, slot)| (name.clone(), slot.value()))
                .collect(),
        )
    }

    fn live_members(&self) -> impl Iterator<Item = (&String, &Self)> {
        self.members.iter().filter(|(_, slot)| slot.is_live())
    }

    /// Whether nothing else is there than these members.
    pub(super) fn holds_just(&self, state: &super::Stated) -> bool {
        self.live_members().count() == state.members().len()
            && state.members().iter().all(|member| {
                let known = self.members.get(&member.name);
                known.is_some_and(|known| is_same(&known.value(), &member.value))
            })
    }

    /// Does something at a member. Names are copied for those alone that are new.
    pub(super) fn at_member(&mut self, name: &str, act: impl FnOnce(&mut Self)) {
        match self.members.get_mut(name) {
            Some(member) => act(member),
            None => {
                let mut member = Self::default();
                act(&mut member);
                self.members.insert(name.to_owned(), member);
            }
        }
    }

    /// The field is this now; `previous` is all that was here before.
    fn set(&mut self, value: Option<Value>, previous: Option<Value>, how: How, step: Step<'_>) {
        let origin = match how {
            How::Event => Origin::Event(Arc::clone(&step.now.author)),
            How::Initial => step.now.unseen(None),
            How::Outside(since) => step.now.unseen(Some(since)),
        };
        let is_initial = matches!(how, How::Initial);
        match how {
            How::Event => step.now.changed.set(step.now.changed.get() + 1),
            How::Initial => step.now.is_first.set(true),
            How::Outside(_) => {}
        }
        let was_absent = previous.is_none()
            && match how {
                How::Event => step.knows_absence || self.told.is_some(),
                How::Initial => false,
                How::Outside(_) => true,
            };
        let (was, changes, history, then) = match self.track.take() {
            Some(track) => {
                let Track {
                    last,
                    history,
                    then,
                } = *track;
                (last.value, last.changes, history, then)
            }
            None => (None, 0, Vec::new(), Then::Same),
        };
        let then = match then {
            Then::Same if step.now.is_compared && !is_initial => Then::Was(was),
            then => then,
        };
        let counts = value.is_some() && origin != Origin::Initial;
        let last = Setting {
            changes: changes + u64::from(counts),
            value,
            previous,
            was_absent,
            origin,
        };
        let mut track = Track {
            last,
            history,
            then,
        };
        if step.wanted.is_some_and(<[_]>::is_empty) {
            track.history.push(track.last.clone());
        }
        self.track = Some(Box::new(track));
    }

    /// No field is here any more. An empty list or object that holds something now did not go.
    fn vacate(&mut self, how: How, step: Step<'_>) {
        match self.field() {
            None => {}
            Some(value) if is_empty_holder(value) => {
                if let Some(track) = &mut self.track {
                    let value = track.last.value.take();
                    if step.now.is_compared && matches!(track.then, Then::Same) {
                        track.then = Then::Was(value);
                    }
                }
            }
            Some(value) => {
                let previous = Some(value.clone());
                self.set(None, previous, how, step);
            }
        }
    }

    /// Nothing is here any more. What was a field before it held something goes as one too.
    fn lose(&mut self, how: How, step: Step<'_>) {
        if self.track.is_some() && self.is_live() {
            let previous = self.whole();
            self.set(None, previous, how, step);
        }
        self.lose_members(how, step);
        self.lose_elements(how, step);
        self.told = Some(step.at());
    }

    pub(super) fn lose_by_event(&mut self, step: Step<'_>) {
        self.lose(How::Event, step);
    }

    fn lose_members(&mut self, how: How, step: Step<'_>) {
        for (name, member) in &mut self.members {
            if member.is_live() {
                member.lose(how, step.to_member(name));
            }
        }
    }

    /// It is removed by the event.
    pub(super) fn go(&mut self, step: Step<'_>) {
        if self.is_live() {
            self.lose(How::Event, step);
        }
    }

    /// The event says that nothing was here before.
    pub(super) fn deny(&mut self, step: Step<'_>) {
        if self.is_live()
            && let Some(since) = self.told
        {
            self.lose(How::Outside(since), step);
        }
    }

    /// The event says that no members were here before.
    pub(super) fn deny_members(&mut self, step: Step<'_>) {
        for (name, member) in &mut self.members {
            member.deny(step.to_member(name));
        }
    }

    /// A value that holds nothing takes the place of all that is here.
    fn become_field(&mut self, value: &Value, how: How, step: Step<'_>) {
        let previous = self.whole();
        self.lose_members(how, step);
        self.lose_elements(how, step);
        self.set(Some(value.clone()), previous, how, step);
    }

    /// Whether this is what is known, members apart of which a value says nothing.
    fn is(&self, value: &Value) -> bool {
        match value {
            Value::Object(members) if !members.is_empty() => members
                .iter()
                .all(|(name, value)| self.members.get(name).is_some_and(|slot| slot.is(value))),
            Value::Array(elements) if !elements.is_empty() => {
                self.elements.len() == elements.len()
                    && self
                        .elements
                        .iter()
                        .zip(elements)
                        .all(|(one, other)| one.is(other))
            }
            Value::Object(_) if self.has_live_members() => true,
            value => self.field().is_some_and(|known| is_same(known, value)),
        }
    }
}

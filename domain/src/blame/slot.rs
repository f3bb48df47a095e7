//! A place in an object's state: the field that is there, or what is inside; and what was.

use super::{Author, Difference, Field, Gone, Origin, Setting, order::Verdict};
use crate::{
    diff::{Pair, is_same, key, pair},
    event::Object,
    json::{Path, path::Segment},
    time::Timestamp,
};
use serde_json::Value;
use std::{cell::Cell, collections::BTreeMap, mem, sync::Arc};

/// An event that is being folded.
#[derive(Debug)]
pub(super) struct Now {
    author: Arc<Author>,
    /// Whether it is later than the moment that the state is compared with.
    is_compared: bool,
    /// Whether it says what was there before it: what it does not name then was not there.
    tells_before: bool,
    /// How many fields it changed.
    changed: Cell<u64>,
    /// Whether it found something that nothing was known of.
    is_first: Cell<bool>,
}

impl Now {
    pub(super) fn new(author: Arc<Author>, is_compared: bool, tells_before: bool) -> Self {
        Self {
            author,
            is_compared,
            tells_before,
            changed: Cell::new(0),
            is_first: Cell::new(false),
        }
    }

    pub(super) fn changed(&self) -> u64 {
        self.changed.get()
    }

    pub(super) fn is_first(&self) -> bool {
        self.is_first.get()
    }

    /// At the object itself; `wanted` is the field whose history is kept.
    pub(super) fn step<'a>(&'a self, wanted: Option<&'a Path>) -> Step<'a> {
        Step {
            now: self,
            knows_absence: self.tells_before,
            wanted: wanted.map(Path::segments),
        }
    }
}

/// An event at a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    now: &'a Now,
    /// Whether it is known of what nothing told of that it was not here before.
    knows_absence: bool,
    /// What is left from here of the path of the field whose history is kept; none: it leads elsewhere.
    /// Which element it names is known only at the end, so any will do.
    wanted: Option<&'a [Segment]>,
}

impl Step<'_> {
    fn at(self) -> Timestamp {
        self.now.author.occurred_at
    }

    fn knowing_absence(self, knows: bool) -> Self {
        Self {
            knows_absence: self.knows_absence || knows,
            ..self
        }
    }

    fn to_member(self, name: &str) -> Self {
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
#[derive(Debug)]
struct Track {
    last: Setting,
    history: Vec<Setting>,
    then: Then,
}

/// What a field was at the moment that the state is compared with.
#[derive(Debug, Default)]
enum Then {
    /// The same, as far as is known.
    #[default]
    Same,
    /// This, if anything; it was set since.
    Was(Option<Value>),
}

/// A place in an object's state.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// When the last event occurred that told of it.
    told: Option<Timestamp>,
    track: Option<Box<Track>>,
    members: BTreeMap<String, Slot>,
    elements: Vec<Slot>,
    /// Elements that went, with the place that they had, by what told them apart.
    gone: BTreeMap<String, Vec<(usize, Slot)>>,
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

    fn is_live(&self) -> bool {
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
        let live = self.members.iter().filter(|(_, slot)| slot.is_live());
        Value::Object(
            live.map(|(name, slot)| (name.clone(), slot.value()))
                .collect(),
        )
    }

    /// Does something at a member. Names are copied for those alone that are new.
    fn at_member(&mut self, name: &str, act: impl FnOnce(&mut Self)) {
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
            How::Initial => Origin::Initial,
            How::Outside(since) => Origin::Outside {
                since,
                until: step.at(),
            },
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
        let last = Setting {
            changes: changes + u64::from(value.is_some() && !is_initial),
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

    fn lose_elements(&mut self, how: How, step: Step<'_>) {
        for (place, element) in mem::take(&mut self.elements).into_iter().enumerate() {
            self.lose_element(place, element, how, step);
        }
    }

    fn lose_element(&mut self, place: usize, mut element: Self, how: How, step: Step<'_>) {
        let key = key(&element.value());
        element.lose(how, step.to_element());
        self.gone.entry(key).or_default().push((place, element));
    }

    /// The element that was here before and is like this one; else a new one.
    fn element_like(&mut self, value: &Value) -> Self {
        if self.gone.is_empty() {
            return Self::default();
        }
        let key = key(value);
        let Some(alike) = self.gone.get_mut(&key) else {
            return Self::default();
        };
        let found = alike.pop();
        if alike.is_empty() {
            self.gone.remove(&key);
        }
        found.map(|(_, element)| element).unwrap_or_default()
    }

    /// A member is removed by the event.
    pub(super) fn remove(&mut self, name: &str, step: Step<'_>) {
        if let Some(member) = self.members.get_mut(name)
            && member.is_live()
        {
            member.lose(How::Event, step.to_member(name));
        }
    }

    /// The event says that a member was not there before.
    pub(super) fn deny(&mut self, name: &str, step: Step<'_>) {
        if let Some(member) = self.members.get_mut(name)
            && member.is_live()
            && let Some(since) = member.told
        {
            member.lose(How::Outside(since), step.to_member(name));
        }
    }

    /// The event found these members here.
    pub(super) fn reconcile_members(
        &mut self,
        found: &Object,
        absent: Option<Timestamp>,
        step: Step<'_>,
    ) {
        for (name, value) in found {
            let step = step.to_member(name);
            self.at_member(name, |member| member.reconcile(value, absent, step));
        }
    }

    /// The event found this value here. Where nothing is known of it, it is known to have been absent
    /// at the time `absent`, or not known at all.
    fn reconcile(&mut self, found: &Value, absent: Option<Timestamp>, step: Step<'_>) {
        let since = self.told.max(absent);
        match found {
            Value::Object(members) if !members.is_empty() => {
                // What was no object had no members.
                let was_no_object = self.told.is_some() && !self.has_live_members();
                if let Some(since) = since {
                    self.vacate(How::Outside(since), step);
                    self.lose_elements(How::Outside(since), step);
                }
                let absent = if was_no_object { since } else { absent };
                self.reconcile_members(members, absent, step);
            }
            Value::Array(elements) if !elements.is_empty() => {
                if let Some(since) = since {
                    self.vacate(How::Outside(since), step);
                    self.lose_members(How::Outside(since), step);
                }
                self.reconcile_elements(elements, since, absent, step);
            }
            Value::Object(_) if self.has_live_members() => {}
            found => {
                if self.field().is_none_or(|known| !is_same(known, found)) {
                    let how = since.map_or(How::Initial, How::Outside);
                    self.become_field(found, how, step);
                }
            }
        }
        self.told = Some(step.at());
    }

    /// The event found these elements here, and those of them that are new came `since`.
    fn reconcile_elements(
        &mut self,
        found: &[Value],
        since: Option<Timestamp>,
        absent: Option<Timestamp>,
        step: Step<'_>,
    ) {
        let inside = step.to_element();
        let is_known = self.elements.len() == found.len()
            && self
                .elements
                .iter()
                .zip(found)
                .all(|(one, other)| one.is(other));
        if is_known {
            for (element, found) in self.elements.iter_mut().zip(found) {
                element.reconcile(found, absent, inside);
            }
            return;
        }
        let known: Vec<Value> = self.elements.iter().map(Self::value).collect();
        let mut before: Vec<_> = mem::take(&mut self.elements)
            .into_iter()
            .map(Some)
            .collect();
        for pair in pair(&known, found) {
            match pair {
                Pair::Kept { before: was, after } => {
                    let mut element = before[was].take().unwrap_or_default();
                    element.reconcile(&found[after], absent, inside);
                    self.elements.push(element);
                }
                Pair::Added(at) => {
                    let mut element = self.element_like(&found[at]);
                    element.reconcile(&found[at], since, inside);
                    self.elements.push(element);
                }
                Pair::Removed(at) => {
                    if let (Some(element), Some(since)) = (before[at].take(), since) {
                        self.lose_element(at, element, How::Outside(since), step);
                    }
                }
            }
        }
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

    /// The event made this of the members that it names. `before` is what it says that it found, which
    /// was reconciled.
    pub(super) fn turn_into_members(
        &mut self,
        before: Option<&Object>,
        after: &Object,
        step: Step<'_>,
    ) {
        for (name, value) in after {
            let found = before.and_then(|before| before.get(name));
            let step = step.to_member(name);
            self.at_member(name, |member| member.turn_into(found, value, step));
        }
    }

    fn turn_into(&mut self, before: Option<&Value>, after: &Value, step: Step<'_>) {
        if before.is_some_and(|before| is_same(before, after)) {
            return;
        }
        match after {
            Value::Object(members) if !members.is_empty() => {
                let was_no_object = self.told.is_some() && !self.has_live_members();
                self.vacate(How::Event, step);
                self.lose_elements(How::Event, step);
                let step = step.knowing_absence(was_no_object);
                let found = before.and_then(Value::as_object);
                if let Some(found) = found {
                    let was_there = |name: &&String| found.contains_key(*name);
                    for name in members.keys().filter(|name| !was_there(name)) {
                        self.deny(name, step);
                    }
                    for name in found.keys().filter(|name| !members.contains_key(*name)) {
                        self.remove(name, step);
                    }
                }
                self.turn_into_members(found, members, step);
            }
            Value::Array(elements) if !elements.is_empty() => {
                self.vacate(How::Event, step);
                self.lose_members(How::Event, step);
                // A list is told whole.
                let step = step.knowing_absence(self.told.is_some());
                self.turn_into_elements(before, elements, step);
            }
            Value::Object(_) => {
                let named = before.and_then(Value::as_object);
                let is_left = |(name, member): (&String, &Self)| {
                    member.is_live() && named.is_none_or(|named| !named.contains_key(name))
                };
                if self.members.iter().any(is_left) {
                    for name in named.into_iter().flat_map(Object::keys) {
                        self.remove(name, step);
                    }
                } else if self.field().is_none_or(|known| !is_same(known, after)) {
                    self.become_field(after, How::Event, step);
                }
            }
            after => {
                if self.field().is_none_or(|known| !is_same(known, after)) {
                    self.become_field(after, How::Event, step);
                }
            }
        }
        self.told = Some(step.at());
    }

    /// A value that holds nothing takes the place of all that is here.
    fn become_field(&mut self, value: &Value, how: How, step: Step<'_>) {
        let previous = self.whole();
        self.lose_members(how, step);
        self.lose_elements(how, step);
        self.set(Some(value.clone()), previous, how, step);
    }

    fn turn_into_elements(&mut self, before: Option<&Value>, after: &[Value], step: Step<'_>) {
        let inside = step.to_element();
        let known: Vec<Value>;
        let found = before.and_then(Value::as_array);
        let was = match found {
            // What was found was reconciled: these are the elements, in this order.
            Some(found) => found.as_slice(),
            None => {
                known = self.elements.iter().map(Self::value).collect();
                known.as_slice()
            }
        };
        let mut slots: Vec<_> = mem::take(&mut self.elements)
            .into_iter()
            .map(Some)
            .collect();
        for pair in pair(was, after) {
            match pair {
                Pair::Kept {
                    before: from,
                    after: to,
                } => {
                    let mut element = slots
                        .get_mut(from)
                        .and_then(Option::take)
                        .unwrap_or_default();
                    let before = found.and_then(|found| found.get(from));
                    element.turn_into(before, &after[to], inside);
                    self.elements.push(element);
                }
                Pair::Added(at) => {
                    let mut element = self.element_like(&after[at]);
                    element.turn_into(None, &after[at], inside);
                    self.elements.push(element);
                }
                Pair::Removed(at) => {
                    if let Some(element) = slots.get_mut(at).and_then(Option::take) {
                        self.lose_element(at, element, How::Event, step);
                    }
                }
            }
        }
    }

    /// What is known says of a member that an event finds.
    pub(super) fn verdict_on(&self, name: &str, found: &Value) -> Verdict {
        match self.members.get(name) {
            None => Verdict::Unknown,
            Some(slot) => slot.verdict(found),
        }
    }

    /// What is known says of an event that finds no such member.
    pub(super) fn verdict_on_absence(&self, name: &str) -> Verdict {
        match self.members.get(name) {
            None => Verdict::Unknown,
            Some(slot) if slot.is_live() => Verdict::Contradicts,
            Some(_) => Verdict::Agrees,
        }
    }

    fn verdict(&self, found: &Value) -> Verdict {
        match found {
            _ if self.told.is_none() => Verdict::Unknown,
            Value::Object(members) if !members.is_empty() && self.has_live_members() => {
                let verdicts = members
                    .iter()
                    .map(|(name, value)| self.verdict_on(name, value));
                verdicts.max().unwrap_or(Verdict::Agrees)
            }
            found if self.is(found) => Verdict::Agrees,
            _ => Verdict::Contradicts,
        }
    }

    /// The fields that are and were here; of the fields, those alone that `wanted` leads to. Where it
    /// names the place of an element and something is there, those that had the place before are left
    /// out.
    pub(super) fn into_fields(self, wanted: Option<&Path>) -> Found {
        let mut found = Found::default();
        self.collect(&mut Path::default(), None, &mut found);
        if let Some(wanted) = wanted {
            let leads_to = |path: &Path| path.segments().starts_with(wanted.segments());
            found.fields.retain(|field| leads_to(&field.path));
            let is_taken = !found.fields.is_empty();
            let named = wanted.segments().len();
            found.removed.retain(|field| {
                let had_the_place = field.gone.is_some_and(|gone| gone.length <= named);
                leads_to(&field.path) && !(is_taken && had_the_place)
            });
            found.differences.retain(|field| leads_to(&field.path));
        }
        found
    }

    fn collect(self, path: &mut Path, gone: Option<Gone>, found: &mut Found) {
        let holds_something = self.holds_something();
        if let Some(track) = self.track {
            let Track {
                last,
                history,
                then,
            } = *track;
            // What holds something did not go, but what it was before may be asked for.
            let gave_way = last.value.is_none() && holds_something;
            if let Then::Was(before) = then {
                let is_other = match (&before, &last.value) {
                    (Some(before), Some(after)) => !is_same(before, after),
                    (Some(before), None) => !gave_way || !is_empty_holder(before),
                    (None, after) => after.is_some(),
                };
                if is_other {
                    found.differences.push(Difference {
                        path: path.clone(),
                        before,
                        last: last.clone(),
                        gone,
                    });
                }
            }
            if !gave_way || !history.is_empty() {
                let fields = match last.value {
                    Some(_) if gone.is_none() => &mut found.fields,
                    _ => &mut found.removed,
                };
                fields.push(Field {
                    path: path.clone(),
                    last,
                    history,
                    gone,
                });
            }
        }
        for (name, member) in self.members {
            path.push(Segment::Member(name));
            member.collect(path, gone, found);
            path.pop();
        }
        for (place, element) in self.elements.into_iter().enumerate() {
            path.push(Segment::Element(place));
            element.collect(path, gone, found);
            path.pop();
        }
        for (place, element) in self.gone.into_values().flatten() {
            path.push(Segment::Element(place));
            let went = element.told.map(|at| Gone {
                at,
                length: path.segments().len(),
            });
            element.collect(path, gone.or(went), found);
            path.pop();
        }
    }
}

/// The fields of an object.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) fields: Vec<Field>,
    pub(super) removed: Vec<Field>,
    pub(super) differences: Vec<Difference>,
}

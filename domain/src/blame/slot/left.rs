//! What an event leaves.

use super::{How, Slot, Step};
use crate::{
    diff::{Pair, is_same, pair},
    event::Object,
};
use serde_json::Value;
use std::mem;

impl Slot {
    fn remove_member(&mut self, name: &str, step: Step<'_>) {
        if let Some(member) = self.members.get_mut(name) {
            member.go(step.to_member(name));
        }
    }

    fn deny_member(&mut self, name: &str, step: Step<'_>) {
        if let Some(member) = self.members.get_mut(name) {
            member.deny(step.to_member(name));
        }
    }

    /// The event made this of the members that it names. `before` is what it says that it found, which
    /// was reconciled.
    fn turn_into_members(&mut self, before: Option<&Object>, after: &Object, step: Step<'_>) {
        for (name, value) in after {
            let found = before.and_then(|before| before.get(name));
            let step = step.to_member(name);
            self.at_member(name, |member| member.turn_into(found, value, step));
        }
    }

    /// The event made this of what is here.
    pub(in crate::blame) fn turn_into(
        &mut self,
        before: Option<&Value>,
        after: &Value,
        step: Step<'_>,
    ) {
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
                        self.deny_member(name, step);
                    }
                    for name in found.keys().filter(|name| !members.contains_key(*name)) {
                        self.remove_member(name, step);
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
                        self.remove_member(name, step);
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
        let pairs = pair(was, after);
        let mut returning = self.returning(&pairs, after);
        for pair in pairs {
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
                    let mut element = returning.remove(&at).unwrap_or_default();
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
}

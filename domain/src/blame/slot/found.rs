//! What an event finds, held against what is known.

use super::{How, Slot, Step};
use crate::{
    blame::order::Verdict,
    diff::{Pair, is_same, pair},
    event::Object,
    time::Timestamp,
};
use serde_json::Value;
use std::mem;

impl Slot {
    /// The event found these members here.
    fn reconcile_members(&mut self, found: &Object, absent: Option<Timestamp>, step: Step<'_>) {
        for (name, value) in found {
            let step = step.to_member(name);
            self.at_member(name, |member| member.reconcile(value, absent, step));
        }
    }

    /// The event found this value here. Where nothing is known of it, it is known to have been absent
    /// at the time `absent`, or not known at all.
    pub(in crate::blame) fn reconcile(
        &mut self,
        found: &Value,
        absent: Option<Timestamp>,
        step: Step<'_>,
    ) {
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
        let pairs = pair(&known, found);
        let mut returning = self.returning(&pairs, found);
        for pair in pairs {
            match pair {
                Pair::Kept { before: was, after } => {
                    let mut element = before[was].take().unwrap_or_default();
                    element.reconcile(&found[after], absent, inside);
                    self.elements.push(element);
                }
                Pair::Added(at) => {
                    let mut element = returning.remove(&at).unwrap_or_default();
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

    /// The event found just what the last one left here: that is told of again.
    pub(in crate::blame) fn confirm(&mut self, found: &Value, at: Timestamp) {
        match found {
            Value::Object(members) => {
                for (name, value) in members {
                    if let Some(member) = self.members.get_mut(name) {
                        member.confirm(value, at);
                    }
                }
            }
            Value::Array(elements) => {
                for (element, value) in self.elements.iter_mut().zip(elements) {
                    element.confirm(value, at);
                }
            }
            _ => {}
        }
        self.told = Some(at);
    }

    /// What is known says of a member that an event finds.
    pub(in crate::blame) fn verdict_on(&self, name: &str, found: &Value) -> Verdict {
        match self.members.get(name) {
            None => Verdict::Unknown,
            Some(slot) => slot.verdict(found),
        }
    }

    /// What is known says of an event that finds no such member.
    pub(in crate::blame) fn verdict_on_absence(&self, name: &str) -> Verdict {
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
}

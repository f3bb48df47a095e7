//! Elements that went, which of them come back, and what of all that is gone is forgotten.

use super::{How, Slot, Step, Then};
use crate::{
    blame::weight,
    diff::{Pair, key},
    time::Timestamp,
};
use serde_json::Value;
use std::{
    cmp::Reverse,
    collections::{HashMap, btree_map::Entry},
    mem,
};

/// An element that went.
#[derive(Clone, Debug)]
pub(super) struct Went {
    /// The place that it had.
    pub(super) place: usize,
    /// By which event: the number of those before it.
    by: u64,
    /// Its value, where something else tells it apart.
    value: Option<String>,
    pub(super) element: Slot,
}

impl Slot {
    pub(super) fn lose_elements(&mut self, how: How, step: Step<'_>) {
        for (place, element) in mem::take(&mut self.elements).into_iter().enumerate() {
            self.lose_element(place, element, how, step);
        }
    }

    pub(super) fn lose_element(
        &mut self,
        place: usize,
        mut element: Self,
        how: How,
        step: Step<'_>,
    ) {
        let (key, value) = key(&element.value());
        element.lose(how, step.to_element());
        self.gone.entry(key).or_default().push(Went {
            place,
            by: step.now.number,
            value,
            element,
        });
    }

    /// Which elements of a list that are added were here before, by their place in it. Of those that are
    /// told apart by the same, one with the same value comes back, else what went last; and of those that
    /// went together the first.
    pub(super) fn returning(&mut self, pairs: &[Pair], list: &[Value]) -> HashMap<usize, Self> {
        let mut found = HashMap::new();
        if self.gone.is_empty() {
            return found;
        }
        let added = pairs.iter().filter_map(|pair| match pair {
            Pair::Added(at) => Some(*at),
            Pair::Removed(_) | Pair::Kept { .. } => None,
        });
        let added: Vec<_> = added.map(|at| (at, key(&list[at]))).collect();
        for is_exact in [true, false] {
            for (at, (key, value)) in &added {
                if found.contains_key(at) {
                    continue;
                }
                let Entry::Occupied(mut alike) = self.gone.entry(key.clone()) else {
                    continue;
                };
                let places = alike.get().iter().enumerate();
                let best = places
                    .filter(|(_, went)| !is_exact || went.value == *value)
                    .min_by_key(|(_, went)| (Reverse(went.by), went.place));
                let Some((best, _)) = best else { continue };
                found.insert(*at, alike.get_mut().remove(best).element);
                if alike.get().is_empty() {
                    alike.remove();
                }
            }
        }
        found
    }

    /// About how many bytes it takes.
    pub(in crate::blame) fn weight(&self) -> usize {
        let track = self.track.as_ref().map_or(0, |track| {
            let then = match &track.then {
                Then::Was(Some(value)) => weight::of_value(value),
                Then::Was(None) | Then::Same => 0,
            };
            let settings = track.history.iter().chain([&track.last]);
            settings.map(weight::of_setting).sum::<usize>() + then
        });
        let members = self.members.iter();
        let members = members.map(|(name, member)| weight::of_text(name) + member.weight());
        let elements = self.elements.iter().map(Self::weight);
        let gone = self.gone.iter().flat_map(|(key, alike)| {
            let of_key = [weight::of_text(key)];
            of_key.into_iter().chain(alike.iter().map(Went::weight))
        });
        weight::PLACE / 2
            + track
            + members.sum::<usize>()
            + elements.sum::<usize>()
            + gone.sum::<usize>()
    }

    /// When each thing that is gone went, and how much it takes.
    pub(in crate::blame) fn each_gone(&self, take: &mut impl FnMut(Timestamp, usize)) {
        let members = self.members.iter();
        for (name, member) in members {
            match member.told {
                Some(went) if !member.is_live() => {
                    take(went, weight::of_text(name) + member.weight());
                }
                _ => member.each_gone(take),
            }
        }
        for element in &self.elements {
            element.each_gone(take);
        }
        for went in self.gone.values().flatten() {
            if let Some(at) = went.element.told {
                take(at, went.weight());
            }
        }
    }

    /// Forgets what went until a moment, and tells how much that was.
    pub(in crate::blame) fn forget_gone(&mut self, until: Timestamp) -> u64 {
        let mut forgotten = 0;
        let is_old = |slot: &Self| slot.told.is_some_and(|told| told <= until);
        self.members.retain(|_, member| {
            let keeps = member.is_live() || !is_old(member);
            forgotten += u64::from(!keeps);
            keeps
        });
        self.gone.retain(|_, alike| {
            let before = alike.len();
            alike.retain(|went| !is_old(&went.element));
            forgotten += (before - alike.len()) as u64;
            !alike.is_empty()
        });
        let inside = self.members.values_mut().chain(&mut self.elements);
        for slot in inside {
            forgotten += slot.forget_gone(until);
        }
        forgotten
    }

    /// When each of the settings of a history was set (none: before all that is known), and how much it
    /// takes.
    pub(in crate::blame) fn each_setting(&self, take: &mut impl FnMut(Option<Timestamp>, usize)) {
        for setting in self.track.iter().flat_map(|track| &track.history) {
            take(setting.origin.at(), weight::of_setting(setting));
        }
        let gone = self.gone.values().flatten().map(|went| &went.element);
        for slot in self.members.values().chain(&self.elements).chain(gone) {
            slot.each_setting(take);
        }
    }

    /// Forgets what the field that is asked for was until a moment, and tells how much that was.
    pub(in crate::blame) fn forget_settings(&mut self, until: Option<Timestamp>) -> u64 {
        let mut forgotten = 0;
        if let Some(track) = &mut self.track {
            let before = track.history.len();
            track.history.retain(|setting| setting.origin.at() > until);
            forgotten += (before - track.history.len()) as u64;
        }
        let gone = self.gone.values_mut().flatten();
        let gone = gone.map(|went| &mut went.element);
        for slot in self
            .members
            .values_mut()
            .chain(&mut self.elements)
            .chain(gone)
        {
            forgotten += slot.forget_settings(until);
        }
        forgotten
    }
}

impl Went {
    fn weight(&self) -> usize {
        let value = self.value.as_ref();
        value.map_or(0, |value| weight::of_text(value)) + self.element.weight()
    }
}

//! A state as an event gives it.

use super::weight;
use crate::{event::Object, json::canonical::append_object};
use serde_json::Value;
use std::{iter::Peekable, slice::Iter, sync::Arc};

/// A state that an event gives: an object's members, all of them or only what changed, in the order of
/// their names. What two states have in common can be kept once, and is then seen to be the same without
/// looking into it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stated {
    members: Vec<Arc<Member>>,
    weight: usize,
}

/// A member of a state.
#[derive(Debug, PartialEq)]
pub struct Member {
    pub(super) name: String,
    pub(super) value: Value,
    weight: usize,
}

impl Member {
    /// A member, by its name.
    pub fn new(name: String, value: Value) -> Self {
        Self {
            weight: weight::of_text(&name) + weight::of_value(&value),
            name,
            value,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Stated {
    /// A state of these members; of two with one name, the first.
    pub fn new(mut members: Vec<Arc<Member>>) -> Self {
        if !members.is_sorted_by(|one, other| one.name < other.name) {
            members.sort_by(|one, other| one.name.cmp(&other.name));
            members.dedup_by(|one, other| one.name == other.name);
        }
        Self {
            weight: members.iter().map(|member| member.weight).sum(),
            members,
        }
    }

    /// Its members, by name.
    pub fn members(&self) -> &[Arc<Member>] {
        &self.members
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// About how many bytes it takes when it is folded.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// The values of what both have, by name.
    pub(super) fn shared<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (&'a Value, &'a Value)> {
        Pairs::of(Some(self), Some(other))
            .filter_map(|(one, other)| Some((&one?.value, &other?.value)))
    }

    /// Writes it at the end of a text, in the form of which there is but one.
    pub(super) fn append(&self, text: &mut String) {
        let members = self.members.iter();
        let object: Object = members
            .map(|member| (member.name.clone(), member.value.clone()))
            .collect();
        append_object(&object, text);
    }
}

impl From<Object> for Stated {
    fn from(object: Object) -> Self {
        let members = object.into_iter();
        Self::new(
            members
                .map(|(name, value)| Arc::new(Member::new(name, value)))
                .collect(),
        )
    }
}

/// The members of two states, by name, each with that of the other that has the same.
pub(super) struct Pairs<'a> {
    before: Peekable<Iter<'a, Arc<Member>>>,
    after: Peekable<Iter<'a, Arc<Member>>>,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(before: Option<&'a Stated>, after: Option<&'a Stated>) -> Self {
        let members = |state: Option<&'a Stated>| {
            let members: &[Arc<Member>] = state.map_or(&[], |state| &state.members);
            members.iter().peekable()
        };
        Self {
            before: members(before),
            after: members(after),
        }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Option<&'a Arc<Member>>, Option<&'a Arc<Member>>);

    fn next(&mut self) -> Option<Self::Item> {
        match (self.before.peek(), self.after.peek()) {
            (None, None) => None,
            (Some(before), Some(after)) if before.name == after.name => {
                Some((self.before.next(), self.after.next()))
            }
            (Some(before), Some(after)) if before.name > after.name => {
                Some((None, self.after.next()))
            }
            (Some(_), _) => Some((self.before.next(), None)),
            (None, Some(_)) => Some((None, self.after.next())),
        }
    }
}

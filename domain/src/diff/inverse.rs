//! The way back: what would undo a change.

use super::is_same;
use crate::{
    event::Object,
    json::path::{Path, Segment},
    redaction::is_mark,
};
use serde_json::Value;

/// What would undo a change, as a JSON Merge Patch (RFC 7396): brought to the state after, it gives the
/// state before. A field with another value, or that was removed, has the value that it had; one that was
/// added is `null`, which removes it; a list stands whole, as it was. A field that was `null` cannot be
/// given back, because no merge patch sets that: it is left as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inverse {
    /// The patch.
    pub patch: Object,
    /// How many values it lacks, because they were taken out before they were recorded: a mark in their
    /// place is not what they were.
    pub left_out: usize,
    /// How many values it lacks, because they were `null`.
    pub nulls: usize,
}

impl Inverse {
    /// The way back from `after` to `before`.
    pub fn of(before: &Object, after: Option<&Object>) -> Self {
        let mut inverse = Self::default();
        inverse.patch = inverse.set_back(before, after.unwrap_or(&Object::new()));
        inverse
    }

    /// The way back of one field that changed, by the path that its change has; of an element of a list,
    /// of the whole list. None where its value was taken out, or was `null`.
    pub fn of_field(&self, path: &Path) -> Option<Object> {
        let members = path.segments().iter().map_while(|segment| match segment {
            Segment::Member(name) => Some(name),
            Segment::Element(_) => None,
        });
        let names: Vec<&String> = members.collect();
        let (first, rest) = names.split_first()?;
        let mut value = self.patch.get(*first)?;
        for name in rest {
            value = match value {
                Value::Object(members) => members.get(*name)?,
                // What it lies in was added with it.
                _ => &Value::Null,
            };
        }
        let within =
            |value, name: &&String| Value::Object([((*name).clone(), value)].into_iter().collect());
        match names.iter().rev().fold(value.clone(), within) {
            Value::Object(patch) => Some(patch),
            _ => None,
        }
    }

    /// The patch from `after` to `before`; what it lacks is counted.
    fn set_back(&mut self, before: &Object, after: &Object) -> Object {
        let mut patch = Object::new();
        for (name, was) in before {
            match (was, after.get(name)) {
                (was, Some(is)) if is_same(was, is) => {}
                (Value::Null, _) => self.nulls += 1,
                (Value::Object(was), Some(Value::Object(is))) => {
                    let within = self.set_back(was, is);
                    if !within.is_empty() {
                        patch.insert(name.clone(), Value::Object(within));
                    }
                }
                (Value::Object(was), _) => {
                    let left_out = self.left_out;
                    let within = self.set_back(was, &Object::new());
                    // One without members is set; of one whose members were all taken out nothing is known.
                    if !within.is_empty() || self.left_out == left_out {
                        patch.insert(name.clone(), Value::Object(within));
                    }
                }
                (was, _) if holds_mark(was) => self.left_out += 1,
                (was, _) => {
                    patch.insert(name.clone(), was.clone());
                }
            }
        }
        let added = after.keys().filter(|name| !before.contains_key(*name));
        patch.extend(added.map(|name| (name.clone(), Value::Null)));
        patch
    }
}

fn holds_mark(value: &Value) -> bool {
    match value {
        Value::String(text) => is_mark(text),
        Value::Array(elements) => elements.iter().any(holds_mark),
        Value::Object(members) => members.values().any(holds_mark),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

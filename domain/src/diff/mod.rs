//! What an event changed: the difference between the states before and after, field by field.

mod elements;
mod inverse;
mod line;

pub(crate) use elements::{Pair, key, pair};
pub use inverse::Inverse;
pub use line::{Summary, short, summary};

use crate::{
    event::Object,
    json::path::{Path, Segment},
};
use serde_json::Value;

/// One thing that is different after.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which field or element. What was removed is named by its place before, everything else by
    /// its place after.
    pub path: Path,
    /// What became of it.
    pub kind: ChangeKind,
}

/// What became of a field or an element.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeKind {
    /// It was not there before; its value after.
    Added(Value),
    /// It is not there after; its value before.
    Removed(Value),
    /// It has another value; before and after.
    Changed(Value, Value),
}

/// The changes from `before` to `after`, in the order of the fields' names and of the elements.
///
/// Objects are compared field by field, however deep, so that a change is of a field that holds no
/// others: an object that is added or removed is so with each field in it. Elements of a list are
/// compared by identity: an object's is its `id`, else its `name`, else its `key`, where no other
/// element of the list has the same; any other element's is its value. An element that was added or
/// removed is one change, whole; one that only moved is none. A list of which no element is left is
/// one change, unless it is short.
///
/// Where only one of the states is given everything in it was added, or removed. Where both are,
/// what is in neither is unchanged or unknown.
pub fn diff(before: Option<&Object>, after: Option<&Object>) -> Vec<Change> {
    let none = Object::new();
    let mut changes = Changes::default();
    changes.fields(before.unwrap_or(&none), after.unwrap_or(&none));
    changes.found
}

/// Whether two values are the same to a reader: numbers by value, `1` and `1.0` alike.
pub(crate) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, a)| other.get(name).is_some_and(|b| is_same(a, b)))
        }
        (one, other) => one == other,
    }
}

/// The changes found so far, and where.
#[derive(Default)]
struct Changes {
    found: Vec<Change>,
    path: Path,
}

impl Changes {
    fn push(&mut self, kind: ChangeKind) {
        self.found.push(Change {
            path: self.path.clone(),
            kind,
        });
    }

    fn within(&mut self, segment: Segment, find: impl FnOnce(&mut Self)) {
        self.path.push(segment);
        find(self);
        self.path.pop();
    }

    fn fields(&mut self, before: &Object, after: &Object) {
        let mut olds = before.iter().peekable();
        let mut news = after.iter().peekable();
        loop {
            // Both are in the order of the names.
            let old = olds.next_if(|(old, _)| news.peek().is_none_or(|(new, _)| *old <= *new));
            let new = news.next_if(|(new, _)| match old {
                Some((old, _)) => old == *new,
                None => true,
            });
            let Some((name, _)) = old.or(new) else {
                break;
            };
            self.within(Segment::Member(name.clone()), |changes| {
                match (old.map(|(_, value)| value), new.map(|(_, value)| value)) {
                    (Some(old), Some(new)) => changes.values(old, new),
                    (Some(old), None) => changes.removed(old),
                    (None, Some(new)) => changes.added(new),
                    (None, None) => {}
                }
            });
        }
    }

    fn values(&mut self, before: &Value, after: &Value) {
        match (before, after) {
            (before, after) if is_same(before, after) => {}
            (Value::Object(before), Value::Object(after)) => {
                self.fields(before, after);
                if after.is_empty() {
                    // Else it would look as if the object itself had gone.
                    self.push(ChangeKind::Added(Value::Object(Object::new())));
                }
            }
            (Value::Array(before), Value::Array(after)) => self.elements(before, after),
            (before, after) => self.push(ChangeKind::Changed(before.clone(), after.clone())),
        }
    }

    fn added(&mut self, value: &Value) {
        match value {
            Value::Object(members) if !members.is_empty() => self.fields(&Object::new(), members),
            value => self.push(ChangeKind::Added(value.clone())),
        }
    }

    fn removed(&mut self, value: &Value) {
        match value {
            Value::Object(members) if !members.is_empty() => self.fields(members, &Object::new()),
            value => self.push(ChangeKind::Removed(value.clone())),
        }
    }
}

#[cfg(test)]
mod tests;

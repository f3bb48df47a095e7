//! The elements of two lists, compared by identity.

use super::{ChangeKind, Changes};
use crate::json::{canonical, path::Segment};
use serde_json::Value;
use std::collections::HashMap;

/// The members that tell an object in a list from the others, the first that is there.
const IDENTITIES: [&str; 3] = ["id", "name", "key"];

/// How many elements two lists without a common one may have, to be shown element by element.
const SHORT: usize = 12;

/// What became of an element, by its place in the list before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// It was there before.
    Removed(usize),
    /// It is there after.
    Added(usize),
    /// It is there before and after.
    Kept { before: usize, after: usize },
}

impl Pair {
    /// What the changes of a list are ordered by: places, the removed ones first.
    const fn order(self) -> (usize, u8) {
        match self {
            Self::Removed(at) => (at, 0),
            Self::Added(at) | Self::Kept { after: at, .. } => (at, 1),
        }
    }
}

impl Changes {
    /// The changes from one list to another.
    pub(super) fn elements(&mut self, before: &[Value], after: &[Value]) {
        let mut pairs = pair(before, after);
        let kept = pairs.iter().any(|pair| matches!(pair, Pair::Kept { .. }));
        let is_short = before.len() + after.len() <= SHORT
            && before
                .iter()
                .chain(after)
                .all(|element| !element.is_object() && !element.is_array());
        if !kept && !is_short {
            let whole = |list: &[Value]| Value::Array(list.to_vec());
            self.push(ChangeKind::Changed(whole(before), whole(after)));
            return;
        }
        pairs.sort_by_key(|pair| pair.order());
        for pair in pairs {
            let (place, _) = pair.order();
            self.within(Segment::Element(place), |changes| match pair {
                Pair::Removed(at) => changes.push(ChangeKind::Removed(before[at].clone())),
                Pair::Added(at) => changes.push(ChangeKind::Added(after[at].clone())),
                Pair::Kept {
                    before: was,
                    after: is,
                } => changes.values(&before[was], &after[is]),
            });
        }
    }
}

/// Which elements of two lists are the same: those of the list after in their order, then what is
/// not in it any more.
pub(crate) fn pair(before: &[Value], after: &[Value]) -> Vec<Pair> {
    let before_names = identities(before);
    let after_names = identities(after);
    // An identity tells elements apart only where it does so in both lists.
    let is_clear = |name: &String| {
        let once =
            |names: &HashMap<String, Vec<usize>>| names.get(name).is_none_or(|at| at.len() == 1);
        once(&before_names.places) && once(&after_names.places)
    };
    let keys = |list: &[Value], names: &Identities| -> Vec<String> {
        list.iter()
            .zip(&names.names)
            .map(|(element, name)| match name {
                Some(name) if is_clear(name) => name.clone(),
                _ => by_value(element),
            })
            .collect()
    };
    let mut waiting: HashMap<String, Vec<usize>> = HashMap::new();
    // Backwards, so that the first of equal elements is the first to be taken.
    for (at, key) in keys(before, &before_names).into_iter().enumerate().rev() {
        waiting.entry(key).or_default().push(at);
    }
    let mut pairs = Vec::new();
    for (at, key) in keys(after, &after_names).into_iter().enumerate() {
        pairs.push(match waiting.get_mut(&key).and_then(Vec::pop) {
            Some(was) => Pair::Kept {
                before: was,
                after: at,
            },
            None => Pair::Added(at),
        });
    }
    let mut gone: Vec<usize> = waiting.into_values().flatten().collect();
    gone.sort_unstable();
    pairs.extend(gone.into_iter().map(Pair::Removed));
    pairs
}

/// What tells an element from the others of its list, where its identity does: that, and its value;
/// else its value alone.
pub(crate) fn key(element: &Value) -> (String, Option<String>) {
    match identity(element) {
        Some(identity) => (identity, Some(by_value(element))),
        None => (by_value(element), None),
    }
}

fn by_value(element: &Value) -> String {
    format!("={}", canonical(element))
}

/// The identities of a list's elements.
struct Identities {
    /// Of each element; none where it is its value.
    names: Vec<Option<String>>,
    /// Where each is.
    places: HashMap<String, Vec<usize>>,
}

fn identities(list: &[Value]) -> Identities {
    let names: Vec<_> = list.iter().map(identity).collect();
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        if let Some(name) = name {
            places.entry(name.clone()).or_default().push(at);
        }
    }
    Identities { names, places }
}

/// What tells an object in a list from the others: `id:7`, `name:"x"`.
fn identity(element: &Value) -> Option<String> {
    let members = element.as_object()?;
    IDENTITIES.iter().find_map(|name| {
        let value = members.get(*name)?;
        let tells = match value {
            Value::String(text) => !text.is_empty(),
            Value::Number(_) => true,
            _ => false,
        };
        tells.then(|| format!("{name}:{}", canonical(value)))
    })
}

//! The elements of two lists, compared by identity.

use super::{ChangeKind, Changes};
use crate::json::{canonical, path::Segment};
use serde_json::Value;
use std::collections::HashMap;

/// The members that tell an object in a list from the others, the first that is there.
const IDENTITIES: [&str; 3] = ["id", "name", "key"];

/// How many elements two lists without a common one may have, to be shown element by element.
const SHORT: usize = 12;

/// What became of a place in the list before or after.
enum Place<'a> {
    Removed(usize, &'a Value),
    Added(usize, &'a Value),
    /// The place is the one after.
    Kept(usize, &'a Value, &'a Value),
}

impl Place<'_> {
    /// What the changes of a list are ordered by: places, the removed ones first.
    const fn order(&self) -> (usize, u8) {
        match self {
            Self::Removed(at, _) => (*at, 0),
            Self::Added(at, _) | Self::Kept(at, ..) => (*at, 1),
        }
    }
}

impl Changes {
    /// The changes from one list to another.
    pub(super) fn elements(&mut self, before: &[Value], after: &[Value]) {
        let mut places = compare(before, after);
        let kept = places.iter().any(|place| matches!(place, Place::Kept(..)));
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
        places.sort_by_key(Place::order);
        for place in places {
            let (Place::Removed(at, _) | Place::Added(at, _) | Place::Kept(at, ..)) = place;
            self.within(Segment::Element(at), |changes| match place {
                Place::Removed(_, value) => changes.push(ChangeKind::Removed(value.clone())),
                Place::Added(_, value) => changes.push(ChangeKind::Added(value.clone())),
                Place::Kept(_, before, after) => changes.values(before, after),
            });
        }
    }
}

fn compare<'a>(before: &'a [Value], after: &'a [Value]) -> Vec<Place<'a>> {
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
                _ => format!("={}", canonical(element)),
            })
            .collect()
    };
    let mut waiting: HashMap<String, Vec<usize>> = HashMap::new();
    // Backwards, so that the first of equal elements is the first to be taken.
    for (at, key) in keys(before, &before_names).into_iter().enumerate().rev() {
        waiting.entry(key).or_default().push(at);
    }
    let mut places = Vec::new();
    for ((at, element), key) in after.iter().enumerate().zip(keys(after, &after_names)) {
        let partner = waiting.get_mut(&key).and_then(Vec::pop);
        places.push(match partner.and_then(|at| before.get(at)) {
            Some(old) => Place::Kept(at, old, element),
            None => Place::Added(at, element),
        });
    }
    let gone = waiting.into_values().flatten();
    places.extend(gone.filter_map(|at| Some(Place::Removed(at, before.get(at)?))));
    places
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

//! Redaction at the door: values whose names say that they are credentials never reach the disk.
//!
//! In place of the value there is a mark, made with a key that is not in the database: equal for
//! equal values of a workspace, so that the log tells that a credential changed, and when it was
//! changed back, but not what it is.

mod names;
mod places;
mod rules;
mod words;

pub use names::Names;
pub use places::{Place, PlaceError};
pub use rules::{Added, AddedName, AddedNameError, Rules, TooMany};

use crate::{
    event::{NewEvent, Object},
    json::{
        canonical::canonical,
        path::{Path, Segment},
    },
};
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac, digest};
use names::Says;
use serde_json::Value;
use sha2::Sha256;
use std::fmt;

/// What a mark begins with.
const PREFIX: &str = "redacted:";

/// How many bytes of a mark's HMAC are kept.
const MARK_BYTES: usize = 16;

/// The installation's key for marks.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// The key with these bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        // HMAC fills a short key up with zeros to a block (RFC 2104, section 2).
        let mut block = digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self(Mac::new(&block))
    }

    /// The mark for a value: HMAC-SHA256 over the workspace (after its length in 8 bytes, so that
    /// no other workspace and value give the same) and the value in RFC 8785 form.
    fn mark(&self, workspace: &[u8], value: &Value) -> String {
        let digest: [u8; 32] = self
            .0
            .clone()
            .chain_update((workspace.len() as u64).to_be_bytes())
            .chain_update(workspace)
            .chain_update(canonical(value))
            .finalize()
            .into_bytes()
            .into();
        let (kept, _) = digest.split_at(MARK_BYTES);
        format!("{PREFIX}{}", HEXLOWER.encode(kept))
    }
}

impl fmt::Debug for Key {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Whether a text is a mark: `redacted:` and 32 hexadecimal digits in lowercase.
pub fn is_mark(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|digits| {
        digits.len() == 2 * MARK_BYTES
            && digits
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// How many marks an event holds, in `before`, `after`, `metadata` and `context`.
pub fn count_marks(event: &NewEvent) -> u32 {
    let objects = [&event.before, &event.after, &event.metadata, &event.context];
    objects
        .into_iter()
        .flatten()
        .map(count_marks_in)
        .fold(0, u32::saturating_add)
}

/// How many marks an object holds.
pub fn count_marks_in(object: &Object) -> u32 {
    object.values().map(marks_in).fold(0, u32::saturating_add)
}

fn marks_in(value: &Value) -> u32 {
    let all = |sum: u32, value: &Value| sum.saturating_add(marks_in(value));
    match value {
        Value::String(text) => u32::from(is_mark(text)),
        Value::Array(elements) => elements.iter().fold(0, all),
        Value::Object(members) => members.values().fold(0, all),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Where the marks of an object stand that is called `part`: `after.password`, in the order of the
/// names.
pub fn places_of_marks(part: &str, object: &Object) -> Vec<Path> {
    let mut path = Path::default();
    let mut found = Vec::new();
    path.push(Segment::Member(part.to_owned()));
    find_marks_in(object, &mut path, &mut found);
    found
}

fn find_marks_in(object: &Object, path: &mut Path, found: &mut Vec<Path>) {
    for (name, value) in object {
        path.push(Segment::Member(name.clone()));
        find_marks(value, path, found);
        path.pop();
    }
}

fn find_marks(value: &Value, path: &mut Path, found: &mut Vec<Path>) {
    match value {
        Value::String(text) if is_mark(text) => found.push(path.clone()),
        Value::Object(members) => find_marks_in(members, path, found),
        Value::Array(elements) => {
            for (at, element) in elements.iter().enumerate() {
                path.push(Segment::Element(at));
                find_marks(element, path, found);
                path.pop();
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts marks in place of the credentials in `before`, `after`, `metadata` and `context`, at any
/// depth, and gives how many marks the event holds then, those that it came with included. Doing it
/// again changes nothing.
///
/// A value is a credential if its member's name says so ([`Names`]), or the name that stands beside
/// it: `{"name": "password", "value": "…"}`, `["Authorization", "Bearer …"]` in a list of pairs. It
/// is taken out whole, lists and objects too, with these exceptions:
///
/// - `null`, `true`, `false` and what is empty hold nothing to hide: they tell whether there is a
///   credential, and are so few that a mark would not hide which it is.
/// - Numbers under a plural (`tokens`, `passwords`) are counts.
/// - `credentials` and `authorization` often hold more than secrets (`credentials.username`): an
///   object there stays, and what is in it goes by its own name, or if it is only called its value
///   or key.
/// - What is a mark already stays.
///
/// What stands in a [`Place`] of the rules is taken out whole whatever its name, but for what holds
/// nothing to hide and marks. It goes first: a mark is of the value as it was sent.
pub fn redact(event: &mut NewEvent, rules: &Rules, key: &Key, workspace_id: &[u8]) -> u32 {
    let redaction = Redaction {
        names: &rules.names,
        key,
        workspace_id,
    };
    // Names first: what stands beside a value and says what it is must still be there.
    let NewEvent {
        before,
        after,
        metadata,
        context,
        ..
    } = event;
    for object in [before, after, metadata, context].into_iter().flatten() {
        redaction.object(object, false);
    }
    for place in &rules.places {
        place.visit(event, &mut |value| redaction.take_out(value));
    }
    count_marks(event)
}

struct Redaction<'a> {
    names: &'a Names,
    key: &'a Key,
    workspace_id: &'a [u8],
}

impl Redaction<'_> {
    /// Redacts the members; `held`: they are what something that holds credentials is made of.
    fn object(&self, members: &mut Object, held: bool) {
        let named = self.says_beside(members);
        for (name, value) in members {
            let says = match self.names.says(name) {
                Says::Nothing if held && is_bare(name) => Says::Credential,
                Says::Nothing => match (named, side(name)) {
                    (Says::Nothing, _) | (_, None) => Says::Nothing,
                    // A whole state under a name is not the value of that name.
                    (_, Some(Side::State)) if value.is_object() || value.is_array() => {
                        Says::Nothing
                    }
                    (says, Some(_)) => says,
                },
                says => says,
            };
            self.value(value, says, held);
        }
    }

    fn value(&self, value: &mut Value, says: Says, held: bool) {
        match (says, value) {
            (Says::Nothing, Value::Object(members)) => self.object(members, held),
            (Says::Holder, Value::Object(members)) => self.object(members, true),
            (Says::Nothing, Value::Array(elements)) => {
                for element in elements {
                    match element {
                        Value::Array(pair) => self.pair(pair, held),
                        element => self.value(element, Says::Nothing, held),
                    }
                }
            }
            (Says::Holder, Value::Array(elements)) => {
                for element in elements {
                    self.value(element, Says::Holder, true);
                }
            }
            (Says::Several, value) if is_count(value) => {}
            (Says::Credential | Says::Several | Says::Holder, value) => self.take_out(value),
            _ => {}
        }
    }

    /// Puts the mark in place of a value that tells something.
    fn take_out(&self, value: &mut Value) {
        if is_telling(value) {
            *value = Value::String(self.key.mark(self.workspace_id, value));
        }
    }

    /// A list in a list: where it is a name and a value, the value goes by the name.
    fn pair(&self, elements: &mut [Value], held: bool) {
        let says = match elements {
            [Value::String(name), _] => self.names.says(name),
            _ => Says::Nothing,
        };
        for (at, element) in elements.iter_mut().enumerate() {
            match element {
                Value::Array(inner) if says == Says::Nothing => self.pair(inner, held),
                element if at == 1 => self.value(element, says, held),
                element => self.value(element, Says::Nothing, held),
            }
        }
    }

    /// What a name that stands beside its value says of it, as in `{"name": "…", "value": "…"}`.
    fn says_beside(&self, members: &Object) -> Says {
        if !members.keys().any(|name| side(name).is_some()) {
            return Says::Nothing;
        }
        members
            .iter()
            .filter(|(name, _)| is_naming(name))
            .filter_map(|(_, value)| value.as_str())
            // A longer text is a sentence.
            .filter(|name| name.len() <= NAME_MOST)
            .map(|name| self.names.says(name))
            .find(|says| *says != Says::Nothing)
            .unwrap_or(Says::Nothing)
    }
}

/// How many bytes a name that stands beside its value may have.
const NAME_MOST: usize = 128;

/// Whether a member holds the name of what stands beside it.
fn is_naming(name: &str) -> bool {
    const NAMING: [&str; 12] = [
        "name",
        "key",
        "field",
        "header",
        "label",
        "param",
        "parameter",
        "property",
        "attribute",
        "variable",
        "setting",
        "option",
    ];
    NAMING
        .iter()
        .any(|naming| name.eq_ignore_ascii_case(naming))
}

/// What a member holds of that which is named beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// Its value.
    Value,
    /// Its value before or after, or the state of more than a value.
    State,
}

fn side(name: &str) -> Option<Side> {
    const VALUES: [&str; 2] = ["value", "values"];
    const STATES: [&str; 16] = [
        "before",
        "after",
        "old",
        "new",
        "old_value",
        "new_value",
        "oldValue",
        "newValue",
        "previous",
        "current",
        "previous_value",
        "current_value",
        "from",
        "to",
        "fromString",
        "toString",
    ];
    if VALUES.iter().any(|value| name.eq_ignore_ascii_case(value)) {
        Some(Side::Value)
    } else if STATES.iter().any(|state| name.eq_ignore_ascii_case(state)) {
        Some(Side::State)
    } else {
        None
    }
}

/// Whether a member of something that holds credentials is one, though its name does not say so
/// elsewhere.
fn is_bare(name: &str) -> bool {
    const BARE: [&str; 6] = ["value", "values", "key", "data", "code", "private"];
    BARE.iter().any(|bare| name.eq_ignore_ascii_case(bare))
}

/// Whether a value tells more than that there is something, or nothing, and is not yet a mark.
fn is_telling(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty() && !is_mark(text),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// Whether a value under a plural says how many there are: a number, or numbers by name.
fn is_count(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::Object(members) => !members.is_empty() && members.values().all(is_count),
        _ => false,
    }
}

#[cfg(test)]
mod tests;

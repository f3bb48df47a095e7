//! Taking a record apart: what is taken is out of it, so what was understood by nobody is what is
//! left, and is kept as metadata.

use super::Unreadable;
use crate::{
    event::{Action, Object, TargetKind},
    json::canonical,
    time::Timestamp,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Takes a text out that is not empty. Anything else stays where it is.
pub(super) fn take_text(record: &mut Object, name: &str) -> Option<String> {
    let is_text = matches!(record.get(name), Some(Value::String(text)) if !text.is_empty());
    match is_text.then(|| record.remove(name)) {
        Some(Some(Value::String(text))) => Some(text),
        _ => None,
    }
}

/// Takes an id out: a text that is not empty, or a number, as text.
pub(super) fn take_id(record: &mut Object, name: &str) -> Option<String> {
    if let Some(Value::Number(number)) = record.get(name) {
        let id = number.to_string();
        record.remove(name);
        return Some(id);
    }
    take_text(record, name)
}

/// A text that is not empty.
pub(super) fn text<'a>(record: &'a Object, name: &str) -> Option<&'a str> {
    record.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// Takes the moment out that the first of `names` tells which is there: RFC 3339, or milliseconds
/// since 1970. The others stay, but for those that say the same.
pub(super) fn take_time(record: &mut Object, names: &[&str]) -> Result<Timestamp, Unreadable> {
    let Some(name) = names
        .iter()
        .find(|name| record.get(**name).is_some_and(|value| !value.is_null()))
    else {
        let all = names.join(" and ");
        return Err(Unreadable::field(
            names[0],
            format!("is missing: {all} tell the time"),
        ));
    };
    let told = record.remove(*name).unwrap_or_default();
    for other in names {
        if record.get(*other) == Some(&told) {
            record.remove(*other);
        }
    }
    read_time(&told).ok_or_else(|| {
        Unreadable::field(
            name,
            "is neither a time as RFC 3339 writes it, nor milliseconds since 1970",
        )
    })
}

fn read_time(told: &Value) -> Option<Timestamp> {
    let milliseconds = match told {
        Value::String(text) => match text.parse() {
            Ok(time) => return Some(time),
            Err(_) => text.parse::<i64>().ok()?,
        },
        // 1.6e12, as some programs write it. A cast of a double saturates.
        #[expect(clippy::cast_possible_truncation, reason = "finer digits are cut off")]
        Value::Number(number) => number.as_i64().or(number.as_f64().map(|at| at as i64))?,
        _ => return None,
    };
    let micros = milliseconds.checked_mul(1_000)?;
    let time = Timestamp::from_micros(micros);
    (time.micros() == micros).then_some(time)
}

/// A key by which a record is recorded once: the id that its log gave it, else the SHA-256 of its
/// canonical form (RFC 8785).
pub(super) fn key(log: &str, id: Option<String>, record: &Object) -> String {
    match id.filter(|id| !id.is_empty()) {
        // Longer than a key may be, an id says no more than its hash.
        Some(id) if id.chars().count() > 400 => format!("{log}:sha256:{}", hash(id.as_bytes())),
        Some(id) => format!("{log}:{id}"),
        None => {
            let canonical = canonical(&Value::Object(record.clone()));
            format!("{log}:sha256:{}", hash(canonical.as_bytes()))
        }
    }
}

/// SHA-256 in hex digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a text does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// A short name of what another log calls an action: characters that are not taken become `_`.
pub(super) fn action(text: &str) -> Option<Action> {
    short(text, 128).parse().ok()
}

/// A kind of target; characters that are not taken become `_`.
pub(super) fn kind(text: &str) -> Option<TargetKind> {
    short(text, 64).parse().ok()
}

fn short(text: &str, most: usize) -> String {
    text.chars()
        .take(most)
        .map(|character| match character {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '.' | ':' | '/' | '-' => character,
            _ => '_',
        })
        .collect()
}

/// Puts what is left of a record into its metadata; what is `null` says nothing.
pub(super) fn keep(metadata: &mut Object, left: Object, rename: impl Fn(&str) -> String) {
    for (name, value) in left {
        if value.is_null() {
            continue;
        }
        let mut renamed = rename(&name);
        if metadata.contains_key(&renamed) {
            renamed = name;
        }
        while metadata.contains_key(&renamed) {
            renamed.push('_');
        }
        metadata.insert(renamed, value);
    }
}

//! A change in one line: the most telling one, and the text of a value.

use super::{Change, ChangeKind};
use crate::{
    json::{canonical, path::Segment},
    redaction::is_mark,
};
use serde_json::Value;

/// How many characters a text may have to be told in a line.
const SHORT_TEXT: usize = 40;

/// What is told of many changes in one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The most telling one.
    pub first: Change,
    /// How many more there are.
    pub more: usize,
}

/// The most telling change, and how many more there are; none of none.
///
/// Short values before long ones, fields before what is in fields, changed ones before added and
/// removed ones; what tells which object it is, or changes with every change (`id`, `updated_at`,
/// `etag`), last.
pub fn summary(changes: &[Change]) -> Option<Summary> {
    let first = changes.iter().min_by_key(|change| dullness(change))?;
    Some(Summary {
        first: first.clone(),
        more: changes.len() - 1,
    })
}

/// What changes are ordered by, the most telling first.
fn dullness(change: &Change) -> (Telling, Extent, usize, bool) {
    let (telling, extent, is_changed) = match &change.kind {
        ChangeKind::Added(value) | ChangeKind::Removed(value) => {
            (telling(change, value), extent(value), false)
        }
        ChangeKind::Changed(before, after) => (
            telling(change, before).max(telling(change, after)),
            extent(before).max(extent(after)),
            true,
        ),
    };
    (telling, extent, change.path.segments().len(), !is_changed)
}

/// How much a change tells, by its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Telling {
    /// What it is about.
    Much,
    /// Which one it is, or that it changed, but not to what.
    Less,
    /// What changes with every change.
    Nothing,
}

fn telling(change: &Change, value: &Value) -> Telling {
    let name = change
        .path
        .segments()
        .iter()
        .rev()
        .find_map(|segment| match segment {
            Segment::Member(name) => Some(name.to_lowercase().replace(['_', '-'], "")),
            Segment::Element(_) => None,
        });
    match name.as_deref().unwrap_or_default() {
        "id" | "uuid" | "uid" | "createdat" | "createdon" | "created" | "createdby"
        | "updatedat" | "updatedon" | "updated" | "updatedby" | "modifiedat" | "modified"
        | "modifiedby" | "lastmodified" | "lastupdated" | "changedat" | "etag" | "fingerprint"
        | "checksum" | "hash" | "resourceversion" | "generation" | "lockversion" | "url"
        | "selflink" => Telling::Nothing,
        "version" | "revision" | "slug" => Telling::Less,
        name if name.ends_with("id") && name.len() > 4 => Telling::Less,
        // The entry's target says it.
        "name" | "title" if !matches!(change.kind, ChangeKind::Changed(..)) => Telling::Less,
        _ => match value {
            Value::String(text) if is_mark(text) => Telling::Less,
            Value::Null if !matches!(change.kind, ChangeKind::Changed(..)) => Telling::Less,
            _ => Telling::Much,
        },
    }
}

/// How much room a value takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// A few words.
    Short,
    /// A text that would be cut.
    Long,
    /// A list or an object.
    Many,
}

fn extent(value: &Value) -> Extent {
    match value {
        Value::Array(elements) if !elements.is_empty() => Extent::Many,
        Value::Object(members) if !members.is_empty() => Extent::Many,
        Value::String(text) if !is_mark(text) && text.chars().count() > SHORT_TEXT => Extent::Long,
        _ => Extent::Short,
    }
}

/// The text of a value in one line, of at most `most` characters, the last one "…" where it was
/// cut.
///
/// A text is shown as it is, with white space and invisible characters that break or turn a line as
/// single spaces, an empty one as `""`; a mark as `redacted`; a list of plain values with commas
/// between them; everything else as JSON.
pub fn short(value: &Value, most: usize) -> String {
    let text = match value {
        Value::Array(elements) if !elements.is_empty() && elements.iter().all(is_plain) => {
            let texts: Vec<String> = elements.iter().map(plain).collect();
            texts.join(", ")
        }
        value => plain(value),
    };
    if text.chars().count() <= most {
        return text;
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    let end = if most > 0 { "…" } else { "" };
    format!("{}{end}", kept.trim_end())
}

/// Whether a value is neither a list nor an object.
fn is_plain(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) if is_mark(text) => "redacted".to_owned(),
        Value::String(text) => one_line(text),
        value => one_line(&canonical(value)),
    }
}

/// The words of a text with single spaces between them.
fn one_line(text: &str) -> String {
    // Controls, and what changes the direction of the text after it (Unicode, annex 9).
    let parts = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter, '\u{200E}' | '\u{200F}' | '\u{61C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    let words: Vec<&str> = text.split(parts).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        format!("{text:?}")
    } else {
        words.join(" ")
    }
}

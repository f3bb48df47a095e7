//! Values of fields, as a table of changes shows them.

use crate::log::view::{ChangeView, FactView, Sign, SummaryView, ValueView};
use domain::{
    diff::{self, Change, ChangeKind},
    event::Object,
    redaction::is_mark,
};
use serde_json::Value;

/// How many characters of a value are shown before it is folded.
const FOLDED: usize = 160;
/// How many of them stay to be seen.
const HEAD: usize = 120;
/// How many characters of a value a row shows; its column cuts what is left over.
const IN_ROW: usize = 60;

/// The line that a row shows of a change.
pub(super) fn summary(before: Option<&Object>, after: Option<&Object>) -> Option<SummaryView> {
    let summary = diff::summary(&diff::diff(before, after))?;
    let short = |value: &Value| Some(diff::short(value, IN_ROW));
    let (sign, before, after) = match &summary.first.kind {
        ChangeKind::Added(value) => (Sign::Added, None, short(value)),
        ChangeKind::Removed(value) => (Sign::Removed, short(value), None),
        ChangeKind::Changed(before, after) if is_redacted(before) && is_redacted(after) => {
            (Sign::Changed, short(before), Some(ANOTHER.to_owned()))
        }
        ChangeKind::Changed(before, after) => (Sign::Changed, short(before), short(after)),
    };
    Some(SummaryView {
        sign,
        path: summary.first.path.to_string(),
        before,
        after,
        more: summary.more,
    })
}

/// Every change, field by field, each with the address of the field's history and what would undo it,
/// where it has them.
pub(super) fn changes(
    before: Option<&Object>,
    after: Option<&Object>,
    known: impl Fn(&Change) -> (Option<String>, Option<String>),
) -> Vec<ChangeView> {
    let changes = diff::diff(before, after);
    let changes = changes.iter();
    changes.map(|one| change(one, known(one))).collect()
}

/// Changes in words: "3 changed, 1 added".
pub(super) fn words(changes: &[ChangeView]) -> String {
    [Sign::Changed, Sign::Added, Sign::Removed]
        .into_iter()
        .filter_map(|sign| {
            let count = changes.iter().filter(|change| change.sign == sign).count();
            (count > 0).then(|| format!("{count} {}", sign.word()))
        })
        .collect::<Vec<_>>()
        .join(", ")
}

fn change(change: &Change, (history, back): (Option<String>, Option<String>)) -> ChangeView {
    let (sign, before, after) = match &change.kind {
        ChangeKind::Added(value) => (Sign::Added, None, Some(whole(value))),
        ChangeKind::Removed(value) => (Sign::Removed, Some(whole(value)), None),
        ChangeKind::Changed(before, after) => {
            let (before, after) = changed(before, after);
            (Sign::Changed, Some(before), Some(after))
        }
    };
    ChangeView {
        path: change.path.to_string(),
        sign,
        before,
        after,
        history,
        back,
    }
}

/// A value, and another that came in its place, with what is different in it marked.
pub(crate) fn changed(before: &Value, after: &Value) -> (ValueView, ValueView) {
    if is_redacted(before) && is_redacted(after) {
        let after = text(after).replacen(REDACTED, ANOTHER, 1);
        return (whole(before), unmarked(&after));
    }
    sides(&text(before), &text(after))
}

/// What stands for a value that was taken out.
const REDACTED: &str = "redacted";
/// And after one that was another.
const ANOTHER: &str = "redacted, another value";
/// How many digits of a mark are shown, by which those of different values are told apart.
const DIGITS: usize = 6;

/// Whether a value was taken out.
pub(super) fn is_redacted(value: &Value) -> bool {
    value.as_str().is_some_and(is_mark)
}

/// A value as text, marks in words.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) if is_mark(text) => in_words(text),
        Value::String(text) => text.clone(),
        Value::Array(elements) if !elements.is_empty() && elements.iter().all(is_plain) => elements
            .iter()
            .map(|element| match element {
                Value::String(text) if is_mark(text) => in_words(text),
                element => diff::short(element, usize::MAX),
            })
            .collect::<Vec<_>>()
            .join(", "),
        Value::Array(_) | Value::Object(_) => {
            let mut value = value.clone();
            put_in_words(&mut value);
            serde_json::to_string_pretty(&value).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

/// A mark, by its first digits: "redacted (mark 9c1e04)".
fn in_words(mark: &str) -> String {
    let digits = mark.split_once(':').map_or("", |(_, digits)| digits);
    format!("{REDACTED} (mark {})", &digits[..digits.len().min(DIGITS)])
}

/// Puts the marks in a value into words.
fn put_in_words(value: &mut Value) {
    match value {
        Value::String(text) if is_mark(text) => *text = in_words(text),
        Value::Array(elements) => elements.iter_mut().for_each(put_in_words),
        Value::Object(members) => members.values_mut().for_each(put_in_words),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_plain(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

/// A value by itself.
pub(crate) fn whole(value: &Value) -> ValueView {
    unmarked(&text(value))
}

fn unmarked(text: &str) -> ValueView {
    marked(text, 0, text.len(), false)
}

/// Both sides of a change, with what is different marked: where it is a part of a text, and what
/// both have in common is long enough to hide it.
fn sides(before: &str, after: &str) -> (ValueView, ValueView) {
    let head: usize = before
        .chars()
        .zip(after.chars())
        .take_while(|(one, other)| one == other)
        .map(|(letter, _)| letter.len_utf8())
        .sum();
    let tail: usize = before[head..]
        .chars()
        .rev()
        .zip(after[head..].chars().rev())
        .take_while(|(one, other)| one == other)
        .map(|(letter, _)| letter.len_utf8())
        .sum();
    let marks = head + tail >= 6;
    let side = |text: &str| marked(text, head, text.len() - tail, marks);
    (side(before), side(after))
}

fn marked(text: &str, from: usize, to: usize, marks: bool) -> ValueView {
    let length = text.chars().count();
    let folded = (length > FOLDED).then(|| {
        let kept: String = text.chars().take(HEAD).collect();
        (format!("{}…", kept.trim_end()), length)
    });
    let (from, to) = if marks {
        (from, to)
    } else {
        (text.len(), text.len())
    };
    ValueView {
        head: text[..from].to_owned(),
        differs: text[from..to].to_owned(),
        tail: text[to..].to_owned(),
        folded,
    }
}

/// The members of an object as names and values, but for those in `without`.
pub(super) fn facts(object: Option<&Object>, without: &[&str]) -> Vec<FactView> {
    object
        .into_iter()
        .flatten()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .map(|(name, value)| FactView {
            name: name.clone(),
            value: Some(text(value)),
            code: !is_plain(value)
                || matches!(value, Value::String(text) if is_code(text) && !is_mark(text)),
        })
        .collect()
}

/// Whether a text is rather for programs: one word with digits or signs in it.
pub(super) fn is_code(text: &str) -> bool {
    !text.contains(char::is_whitespace)
        && text
            .chars()
            .any(|letter| letter.is_ascii_digit() || matches!(letter, '_' | ':' | '/' | '='))
}

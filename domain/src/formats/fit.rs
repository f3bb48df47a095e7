//! Bringing what another log tells within the bounds of an event: what is too large is cut at its
//! longest texts, and says so.

use super::{Unreadable, fields::hash};
use crate::event::{Actor, NewEvent, Object, Target};
use serde::Serialize;
use serde_json::Value;
use std::io;

/// How many bytes an event may have, as JSON.
pub(super) const EVENT_MOST: usize = 64 * 1024;
/// What Daybook adds when it gives an event back: id, numbers, times, names, and fields left empty.
const ADDED_MOST: usize = 1_024;
/// How many characters names and ids may have.
const NAME_MOST: usize = 512;
/// How deep objects and arrays may lie in an event, itself included.
const LEVELS_MOST: usize = 64;
/// What a cut text ends in.
const CUT: &str = "… (cut)";
/// No text is cut below this many bytes: what is left would tell nothing.
const TEXT_LEAST: usize = 64;

/// Makes an event fit.
///
/// # Errors
///
/// [`Unreadable::TooLarge`] if who, what and which objects alone are more than an event may be.
pub(super) fn fit(mut event: NewEvent) -> Result<NewEvent, Unreadable> {
    for actor in std::iter::once(&mut event.actor).chain(&mut event.via) {
        fit_actor(actor);
    }
    for target in std::iter::once(&mut event.target).chain(&mut event.related) {
        fit_target(target);
    }
    for text in [
        &mut event.description,
        &mut event.operation,
        &mut event.idempotency_key,
    ] {
        text.iter_mut().for_each(without_null_character);
    }
    for tree in trees(&mut event) {
        // The event is the first level, the object the second.
        clean(tree, 2);
    }
    fit_size(&mut event)?;
    Ok(event)
}

fn fit_actor(actor: &mut Actor) {
    fit_id(&mut actor.id);
    for name in [&mut actor.name, &mut actor.email] {
        fit_name(name);
    }
}

fn fit_target(target: &mut Target) {
    fit_id(&mut target.id);
    fit_name(&mut target.name);
    target.url.iter_mut().for_each(without_null_character);
}

fn fit_name(name: &mut Option<String>) {
    if let Some(text) = name {
        without_null_character(text);
        if text.len() > NAME_MOST && text.chars().count() > NAME_MOST {
            *text = begin(text, NAME_MOST - CUT.chars().count()) + CUT;
        }
    }
    if name.as_deref() == Some("") {
        *name = None;
    }
}

/// Ids that begin alike must stay different: a cut one holds a hash of the whole.
fn fit_id(id: &mut Option<String>) {
    if let Some(text) = id
        && text.len() > NAME_MOST
        && text.chars().count() > NAME_MOST
    {
        let hash = begin(&hash(text.as_bytes()), 16);
        let room = NAME_MOST - CUT.chars().count() - 1 - hash.len();
        *text = format!("{}#{hash}{CUT}", begin(text, room));
    }
    fit_name(id);
}

fn begin(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

fn without_null_character(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{FFFD}");
    }
}

/// The parts that may be of any size.
fn trees(event: &mut NewEvent) -> impl Iterator<Item = &mut Object> {
    [
        &mut event.before,
        &mut event.after,
        &mut event.metadata,
        &mut event.context,
    ]
    .into_iter()
    .flatten()
}

/// Takes U+0000 out of an object on `level`, and what lies too deep.
fn clean(object: &mut Object, level: usize) {
    if object.keys().any(|name| name.contains('\0')) {
        rename(object, |name| name.replace('\0', "\u{FFFD}"));
    }
    object
        .values_mut()
        .for_each(|value| clean_value(value, level + 1));
}

fn clean_value(value: &mut Value, level: usize) {
    match value {
        Value::String(text) => without_null_character(text),
        Value::Array(_) | Value::Object(_) if level > LEVELS_MOST => *value = CUT.into(),
        Value::Array(elements) => elements
            .iter_mut()
            .for_each(|element| clean_value(element, level + 1)),
        Value::Object(object) => clean(object, level),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Names the members anew; where two come to have the same name, both stay.
fn rename(object: &mut Object, name: impl Fn(&str) -> String) {
    let mut renamed = Object::new();
    for (old, value) in std::mem::take(object) {
        let mut new = name(&old);
        while renamed.contains_key(&new) {
            new.push('_');
        }
        renamed.insert(new, value);
    }
    *object = renamed;
}

/// Cuts the longest texts, all to the same length, until the event is no larger than it may be.
/// Where that is not enough, because it has very many texts, or none, lists and objects are cut to
/// ever fewer elements.
fn fit_size(event: &mut NewEvent) -> Result<(), Unreadable> {
    if cut_texts(event) {
        return Ok(());
    }
    for elements in [4_096, 1_024, 256, 64, 16, 4, 1] {
        for tree in trees(event) {
            cut_elements_of(tree, elements);
        }
        if cut_texts(event) {
            return Ok(());
        }
    }
    for tree in trees(event) {
        *tree = Object::from_iter([("…".to_owned(), CUT.into())]);
    }
    if cut_texts(event) {
        return Ok(());
    }
    Err(Unreadable::TooLarge)
}

/// Cuts the longest texts if that makes the event fit, and tells whether it fits.
fn cut_texts(event: &mut NewEvent) -> bool {
    let Some(over) = size(event).checked_sub(EVENT_MOST - ADDED_MOST + 1) else {
        return true;
    };
    let excess = over + 1;
    let mut lengths = Vec::new();
    each_text(event, &mut |text| lengths.push(written(text)));
    let saved = |most: usize| -> usize {
        lengths
            .iter()
            .map(|length| length.saturating_sub(most))
            .sum()
    };
    if saved(TEXT_LEAST) < excess {
        return false;
    }
    // The greatest length that saves enough, by halving.
    let (mut enough, mut too_long) = (TEXT_LEAST, EVENT_MOST.max(TEXT_LEAST + 1));
    while saved(too_long) >= excess {
        too_long *= 2;
    }
    while too_long - enough > 1 {
        let middle = enough.midpoint(too_long);
        if saved(middle) >= excess {
            enough = middle;
        } else {
            too_long = middle;
        }
    }
    each_text(event, &mut |text| cut_text(text, enough));
    true
}

fn each_text(event: &mut NewEvent, visit: &mut dyn FnMut(&mut String)) {
    fn each(value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
        match value {
            Value::String(text) => visit(text),
            Value::Array(elements) => elements.iter_mut().for_each(|next| each(next, visit)),
            Value::Object(object) => object.values_mut().for_each(|next| each(next, visit)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    if let Some(text) = &mut event.description {
        visit(text);
    }
    for tree in trees(event) {
        tree.values_mut().for_each(|value| each(value, visit));
    }
}

/// How many bytes a character has in a JSON text.
fn written_character(character: char) -> usize {
    match character {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

/// How many bytes a text has in JSON, without its quotes.
fn written(text: &str) -> usize {
    text.chars().map(written_character).sum()
}

/// Cuts a text to at most `most` bytes as written in JSON.
fn cut_text(text: &mut String, most: usize) {
    if written(text) <= most {
        return;
    }
    let mut left = most - CUT.len();
    let kept = text
        .chars()
        .take_while(
            |character| match left.checked_sub(written_character(*character)) {
                Some(rest) => {
                    left = rest;
                    true
                }
                None => false,
            },
        )
        .map(char::len_utf8)
        .sum();
    text.truncate(kept);
    text.push_str(CUT);
}

/// Leaves so many members of an object and of all objects and lists in it, with short names.
fn cut_elements_of(object: &mut Object, most: usize) {
    if object.keys().any(|name| name.len() > TEXT_LEAST) {
        rename(object, |name| {
            let mut short = name.to_owned();
            cut_text(&mut short, TEXT_LEAST);
            short
        });
    }
    // A mark of an earlier cut counts as a member like the others.
    if object.len() > most + 1 {
        *object = std::mem::take(object).into_iter().take(most).collect();
        object.insert("…".to_owned(), CUT.into());
    }
    object
        .values_mut()
        .for_each(|value| cut_elements(value, most));
}

fn cut_elements(value: &mut Value, most: usize) {
    match value {
        Value::Object(object) => cut_elements_of(object, most),
        Value::Array(elements) => {
            if elements.len() > most + 1 {
                elements.truncate(most);
                elements.push(CUT.into());
            }
            for element in elements {
                cut_elements(element, most);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// How many bytes the event has as JSON, without what Daybook adds.
fn size(event: &NewEvent) -> usize {
    #[derive(Serialize)]
    struct Given<'a> {
        workspace: Option<&'a str>,
        idempotency_key: &'a Option<String>,
        actor: &'a Actor,
        via: &'a [Actor],
        action: &'a str,
        target: &'a Target,
        related: &'a [Target],
        operation: &'a Option<String>,
        description: &'a Option<String>,
        before: &'a Option<Object>,
        after: &'a Option<Object>,
        metadata: &'a Option<Object>,
        context: &'a Option<Object>,
    }
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    let given = Given {
        workspace: event.workspace.as_ref().map(crate::slug::Slug::as_str),
        idempotency_key: &event.idempotency_key,
        actor: &event.actor,
        via: &event.via,
        action: event.action.as_str(),
        target: &event.target,
        related: &event.related,
        operation: &event.operation,
        description: &event.description,
        before: &event.before,
        after: &event.after,
        metadata: &event.metadata,
        context: &event.context,
    };
    match serde_json::to_writer(&mut count, &given) {
        Ok(()) => count.0,
        // Neither the numbers nor the names of JSON values can fail to be written.
        Err(_) => usize::MAX,
    }
}

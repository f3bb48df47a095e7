//! An event as an open row.

use super::{
    Local,
    row::{called, row, target, workspace},
    value::{changes, facts, is_code, is_redacted, text, words},
};
use crate::{
    address,
    log::view::{BackView, EntryView, ErasedView, FactView, RedactedView},
};
use chrono::TimeDelta;
use domain::{
    blame::is_only_looking,
    diff::{Change, ChangeKind, Inverse},
    event::{Event, Object, Outcome, Part, Source},
    question::Subject,
    redaction::places_of_marks,
};
use serde_json::Value;

/// The members of the context that are shown by name, whether they were given or not.
const NAMED: [(&str, &str); 4] = [
    ("ip", "IP address"),
    ("location", "Location"),
    ("user_agent", "User agent"),
    ("request_id", "Request"),
];

/// So many places are named from which values were taken out.
const PLACES_MOST: usize = 8;

/// An event as an open row. `label` is the catalogue's for its action.
pub(crate) fn entry(event: &Event, label: &str, local: &Local) -> EntryView {
    let workspace = workspace(event);
    let inverse = inverse(event);
    let changes = changes(event.before.as_ref(), event.after.as_ref(), |change| {
        let field = inverse
            .as_ref()
            .and_then(|inverse| inverse.of_field(&change.path));
        (history(event, change, local), field.as_ref().map(pretty))
    });
    EntryView {
        row: row(event, label, local),
        change_words: words(&changes),
        changes,
        back: inverse.as_ref().and_then(back),
        around: local.around(event.occurred_at),
        related: event
            .related
            .iter()
            .map(|related| target(related, local, workspace.as_ref()))
            .collect(),
        metadata: facts(event.metadata.as_ref(), &[]),
        context: context(event.context.as_ref()),
        redacted: redacted(event),
        erased: erased(event),
        facts: own(event, local),
        json: pretty(event),
        seq: event.seq,
        proof: None,
    }
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// What would undo what an event changed; none where it changed nothing, or does not tell what was before.
fn inverse(event: &Event) -> Option<Inverse> {
    let before = event.before.as_ref()?;
    let changed = event.outcome == Outcome::Success && !is_only_looking(event.verb);
    changed.then(|| Inverse::of(before, event.after.as_ref()))
}

fn back(inverse: &Inverse) -> Option<BackView> {
    if inverse.patch.is_empty() {
        return None;
    }
    let left_out = match inverse.left_out {
        0 => None,
        1 => Some("A value that was taken out before it was recorded is not in it.".to_owned()),
        count => Some(format!(
            "{count} values that were taken out before they were recorded are not in it."
        )),
    };
    let nulls = match inverse.nulls {
        0 => None,
        1 => Some(
            "A value that was null is not in it, because null removes a field here.".to_owned(),
        ),
        count => Some(format!(
            "{count} values that were null are not in it, because null removes a field here."
        )),
    };
    let lacks: Vec<String> = left_out.into_iter().chain(nulls).collect();
    let lacks = (!lacks.is_empty()).then(|| lacks.join(" "));
    let json = pretty(&inverse.patch);
    Some(BackView { json, lacks })
}

/// Where the history of a field is told that an event changed; none where what it tells is no part of
/// that, or of no object's.
fn history(event: &Event, change: &Change, local: &Local) -> Option<String> {
    let subject = Subject {
        kind: event.target.kind.clone(),
        id: event.target.id.clone()?,
    };
    if event.outcome != Outcome::Success || is_only_looking(event.verb) {
        return None;
    }
    // What was removed is named by the place that it had.
    let at = match change.kind {
        ChangeKind::Removed(_) => event.occurred_at.plus(TimeDelta::microseconds(-1)),
        ChangeKind::Added(_) | ChangeKind::Changed(..) => event.occurred_at,
    };
    let there = address::history_of(&workspace(event)?, &subject, &change.path, at);
    Some(address::in_zone(&there, local.zone()))
}

fn context(context: Option<&Object>) -> Vec<FactView> {
    let named = NAMED.map(|(member, name)| {
        let value = context
            .and_then(|context| context.get(member))
            .filter(|value| !matches!(value, Value::Null))
            .filter(|value| value.as_str() != Some(""));
        FactView {
            name: name.to_owned(),
            code: member == "request_id" && !value.is_some_and(is_redacted),
            value: value.map(text),
        }
    });
    named
        .into_iter()
        .chain(facts(context, &NAMED.map(|(member, _)| member)))
        .collect()
}

/// What was taken out, where anything was.
fn redacted(event: &Event) -> Option<RedactedView> {
    let parts = [
        ("before", &event.before),
        ("after", &event.after),
        ("metadata", &event.metadata),
        ("context", &event.context),
    ];
    let mut places: Vec<String> = parts
        .into_iter()
        .filter_map(|(part, object)| Some(places_of_marks(part, object.as_ref()?)))
        .flatten()
        .map(|path| path.to_string())
        .collect();
    let words = match places.len() {
        0 => return None,
        1 => "1 value was taken out before it was recorded:".to_owned(),
        count => format!("{count} values were taken out before they were recorded:"),
    };
    let more = places.len().saturating_sub(PLACES_MOST);
    places.truncate(PLACES_MOST);
    Some(RedactedView {
        words,
        places,
        more,
    })
}

/// What was erased, where anything was.
fn erased(event: &Event) -> Option<ErasedView> {
    let names: Vec<&str> = event
        .erased
        .iter()
        .map(|part| match part {
            Part::Facts => "what was done",
            Part::Actor => "who did it",
            Part::Via => "who carried it out",
            Part::Objects => "what it was done to",
            Part::Change => "what changed",
            Part::Details => "the note with key and metadata",
            Part::Context => "the context",
        })
        .collect();
    let (last, others) = names.split_last()?;
    let words = match others {
        [] => format!("Erased: {last}."),
        others => format!("Erased: {} and {last}.", others.join(", ")),
    };
    let under = Vec::new();
    Some(ErasedView { words, under })
}

/// What is known of the entry itself.
fn own(event: &Event, local: &Local) -> Vec<FactView> {
    let mut found = Vec::new();
    let mut add = |name: &str, value: Option<String>, code: bool| {
        if let Some(value) = value {
            found.push(FactView {
                name: name.to_owned(),
                value: Some(value),
                code,
            });
        }
    };
    add("Id", Some(event.id.to_string()), true);
    add("Performed", Some(local.exact(event.occurred_at)), false);
    add("Recorded", Some(local.exact(event.recorded_at)), false);
    add("Order of arrival", Some(event.seq.to_string()), false);
    add("Verb", Some(event.verb.label().to_owned()), false);
    add("Actor", event.actor.actor.id.clone(), true);
    if event.actor.deactivated {
        add("Actor now", Some("deactivated".to_owned()), false);
    }
    for via in &event.via {
        let kind = format!("{} ({})", called(via), via.kind);
        add("Via", Some(kind), false);
    }
    add("Target", event.target.id.clone(), true);
    add("Key", event.idempotency_key.clone(), true);
    let source = event.source.map(|source| match source {
        Source::Daybook => "Daybook itself",
        Source::Import => "imported",
    });
    add("Source", source.map(str::to_owned), false);
    if !event.erased.is_empty() {
        let parts: Vec<&str> = event.erased.iter().map(|part| part.as_str()).collect();
        add("Erased", Some(parts.join(", ")), false);
    }
    for fact in &mut found {
        let is_id = fact.value.as_deref().is_some_and(is_code);
        fact.code = fact.code && is_id;
    }
    found
}

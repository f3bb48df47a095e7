//! A row as a JSON object: what serde makes of an [`Event`](crate::event::Event), to the letter.
//!
//! The names of the fields are written as they stand here: serde would look through each of them, in
//! each of millions of rows, for what JSON escapes.

use super::{
    Row,
    proof::{RowProof, Shown},
};
use crate::{
    event::{Actor, Part, Source, Target},
    slug::Slug,
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::{self, Write};
use uuid::fmt::Hyphenated;

/// Adds a row.
pub(super) fn write(out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
    write_shown(out, row, Shown::ALL)?;
    out.push(b'}');
    Ok(())
}

/// Adds a row with its proof; what it does not show is null.
pub(super) fn write_proven(out: &mut Vec<u8>, row: &Row<'_>, proof: &RowProof) -> io::Result<()> {
    write_shown(out, row, proof.writes(row))?;
    proof.write(out)?;
    out.push(b'}');
    Ok(())
}

/// Adds a row that is not ended, with what is shown of it.
fn write_shown(out: &mut Vec<u8>, row: &Row<'_>, shown: Shown) -> io::Result<()> {
    let facts = shown.has(Part::Facts);
    out.extend_from_slice(br#"{"id":""#);
    let mut id = [0; Hyphenated::LENGTH];
    out.extend_from_slice(row.id.0.hyphenated().encode_lower(&mut id).as_bytes());
    write!(out, r#"","seq":{},"idempotency_key":"#, row.seq)?;
    let details = shown.has(Part::Details);
    kept(out, row.idempotency_key.filter(|_| details));
    write!(
        out,
        r#","occurred_at":"{}","recorded_at":"{}","#,
        row.occurred_at, row.recorded_at
    )?;
    out.extend_from_slice(br#""tenant":"#);
    plain(out, row.tenant.as_str());
    out.extend_from_slice(br#","workspace":"#);
    plain_if_any(out, row.workspace.map(Slug::as_str));
    let (actor, actor_id) = (shown.has(Part::Actor), shown.has_id(Part::Actor));
    out.extend_from_slice(br#","actor":{"kind":"#);
    plain_if_any(out, facts.then(|| row.actor.kind.as_str()));
    out.extend_from_slice(br#","id":"#);
    json(out, &row.actor.id.filter(|_| actor_id))?;
    out.extend_from_slice(br#","name":"#);
    json(out, &row.actor.name.filter(|_| actor))?;
    out.extend_from_slice(br#","email":"#);
    json(out, &row.actor.email.filter(|_| actor))?;
    out.extend_from_slice(br#","deactivated":"#);
    match row.actor.deactivated {
        _ if !actor_id => out.extend_from_slice(b"null"),
        true => out.extend_from_slice(b"true"),
        false => out.extend_from_slice(b"false"),
    }
    out.extend_from_slice(br#"},"via":"#);
    write_via(out, &row.via, shown)?;
    out.extend_from_slice(br#","action":"#);
    plain_if_any(out, facts.then(|| row.action.as_str()));
    out.extend_from_slice(br#","verb":"#);
    plain_if_any(out, facts.then(|| row.verb.as_str()));
    out.extend_from_slice(br#","category":"#);
    plain_if_any(out, facts.then(|| row.category.as_str()));
    out.extend_from_slice(br#","given":"#);
    list(out, if facts { &row.given } else { &[] })?;
    out.extend_from_slice(br#","target":"#);
    write_target(out, row.target, shown)?;
    out.extend_from_slice(br#","related":"#);
    write_related(out, &row.related, shown)?;
    out.extend_from_slice(br#","operation":"#);
    kept(out, row.operation.filter(|_| facts));
    out.extend_from_slice(br#","outcome":"#);
    plain_if_any(out, facts.then(|| row.outcome.as_str()));
    let change = shown.has(Part::Change);
    let context = shown.has(Part::Context);
    for (name, text, is_shown) in [
        (r#","description":"#, row.description, details),
        (r#","before":"#, row.before, change),
        (r#","after":"#, row.after, change),
        (r#","metadata":"#, row.metadata, details),
        (r#","context":"#, row.context, context),
    ] {
        out.extend_from_slice(name.as_bytes());
        kept(out, text.filter(|_| is_shown));
    }
    out.extend_from_slice(br#","source":"#);
    plain_if_any(out, row.source.filter(|_| facts).map(Source::as_str));
    write!(out, r#","redacted":{},"erased":"#, row.redacted)?;
    list(out, row.erased)
}

/// Who carried it out: their kinds are facts.
fn write_via(out: &mut Vec<u8>, via: &[&Actor], shown: Shown) -> io::Result<()> {
    let (facts, names, ids) = (
        shown.has(Part::Facts),
        shown.has(Part::Via),
        shown.has_id(Part::Via),
    );
    if facts && names || via.is_empty() {
        return list(out, via);
    }
    if !facts && !ids {
        out.extend_from_slice(b"[]");
        return Ok(());
    }
    let mut before = b'[';
    for actor in via {
        out.push(before);
        before = b',';
        out.extend_from_slice(br#"{"kind":"#);
        plain_if_any(out, facts.then(|| actor.kind.as_str()));
        out.extend_from_slice(br#","id":"#);
        json(out, &actor.id.as_ref().filter(|_| ids))?;
        out.extend_from_slice(br#","name":"#);
        json(out, &actor.name.as_ref().filter(|_| names))?;
        out.extend_from_slice(br#","email":"#);
        json(out, &actor.email.as_ref().filter(|_| names))?;
        out.push(b'}');
    }
    out.push(b']');
    Ok(())
}

/// What else it concerns: their kinds are facts.
fn write_related(out: &mut Vec<u8>, related: &[&Target], shown: Shown) -> io::Result<()> {
    if related.is_empty() || !shown.has(Part::Facts) && !shown.has(Part::Objects) {
        out.extend_from_slice(b"[]");
        return Ok(());
    }
    let mut before = b'[';
    for target in related {
        out.push(before);
        before = b',';
        write_target(out, target, shown)?;
    }
    out.push(b']');
    Ok(())
}

fn write_target(out: &mut Vec<u8>, target: &Target, shown: Shown) -> io::Result<()> {
    let objects = shown.has(Part::Objects);
    out.extend_from_slice(br#"{"kind":"#);
    plain_if_any(out, shown.has(Part::Facts).then(|| target.kind.as_str()));
    out.extend_from_slice(br#","id":"#);
    json(out, &target.id.as_ref().filter(|_| objects))?;
    out.extend_from_slice(br#","name":"#);
    json(out, &target.name.as_ref().filter(|_| objects))?;
    out.extend_from_slice(br#","url":"#);
    json(out, &target.url.as_ref().filter(|_| objects))?;
    out.push(b'}');
    Ok(())
}

/// A name that has nothing in it that JSON escapes.
fn plain(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}

/// Such a name, or null.
fn plain_if_any(out: &mut Vec<u8>, name: Option<&str>) {
    match name {
        Some(name) => plain(out, name),
        None => out.extend_from_slice(b"null"),
    }
}

/// What is kept as JSON.
fn kept(out: &mut Vec<u8>, text: Option<&RawValue>) {
    out.extend_from_slice(text.map_or("null", RawValue::get).as_bytes());
}

/// A list, which mostly is empty.
fn list<T: Serialize>(out: &mut Vec<u8>, items: &[T]) -> io::Result<()> {
    if items.is_empty() {
        out.extend_from_slice(b"[]");
        return Ok(());
    }
    json(out, items)
}

fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> io::Result<()> {
    Ok(serde_json::to_writer(out, value)?)
}

//! A row as a JSON object: what serde makes of an [`Event`](crate::event::Event), to the letter.
//!
//! The names of the fields are written as they stand here: serde would look through each of them, in
//! each of millions of rows, for what JSON escapes.

use super::Row;
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::{self, Write};
use uuid::fmt::Hyphenated;

/// Adds a row.
pub(super) fn write(out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
    out.extend_from_slice(br#"{"id":""#);
    let mut id = [0; Hyphenated::LENGTH];
    out.extend_from_slice(row.id.0.hyphenated().encode_lower(&mut id).as_bytes());
    write!(out, r#"","seq":{},"idempotency_key":"#, row.seq)?;
    kept(out, row.idempotency_key);
    write!(
        out,
        r#","occurred_at":"{}","recorded_at":"{}","#,
        row.occurred_at, row.recorded_at
    )?;
    out.extend_from_slice(br#""tenant":"#);
    plain(out, row.tenant.as_str());
    out.extend_from_slice(br#","workspace":"#);
    match row.workspace {
        Some(workspace) => plain(out, workspace.as_str()),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","actor":{"kind":"#);
    plain(out, row.actor.kind.as_str());
    out.extend_from_slice(br#","id":"#);
    json(out, &row.actor.id)?;
    out.extend_from_slice(br#","name":"#);
    json(out, &row.actor.name)?;
    out.extend_from_slice(br#","email":"#);
    json(out, &row.actor.email)?;
    write!(out, r#","deactivated":{}}},"via":"#, row.actor.deactivated)?;
    list(out, &row.via)?;
    out.extend_from_slice(br#","action":"#);
    plain(out, row.action.as_str());
    out.extend_from_slice(br#","verb":"#);
    plain(out, row.verb.as_str());
    out.extend_from_slice(br#","category":"#);
    plain(out, row.category.as_str());
    out.extend_from_slice(br#","given":"#);
    list(out, &row.given)?;
    out.extend_from_slice(br#","target":{"kind":"#);
    plain(out, row.target.kind.as_str());
    out.extend_from_slice(br#","id":"#);
    json(out, &row.target.id)?;
    out.extend_from_slice(br#","name":"#);
    json(out, &row.target.name)?;
    out.extend_from_slice(br#","url":"#);
    json(out, &row.target.url)?;
    out.extend_from_slice(br#"},"related":"#);
    list(out, &row.related)?;
    out.extend_from_slice(br#","operation":"#);
    kept(out, row.operation);
    out.extend_from_slice(br#","outcome":"#);
    plain(out, row.outcome.as_str());
    for (name, text) in [
        (r#","description":"#, row.description),
        (r#","before":"#, row.before),
        (r#","after":"#, row.after),
        (r#","metadata":"#, row.metadata),
        (r#","context":"#, row.context),
    ] {
        out.extend_from_slice(name.as_bytes());
        kept(out, text);
    }
    out.extend_from_slice(br#","source":"#);
    match row.source {
        Some(source) => plain(out, source.as_str()),
        None => out.extend_from_slice(b"null"),
    }
    write!(out, r#","redacted":{},"erased":"#, row.redacted)?;
    list(out, row.erased)?;
    out.push(b'}');
    Ok(())
}

/// A name that has nothing in it that JSON escapes.
fn plain(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
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

//! CSV, as RFC 4180 has it: a line of names, then a line for each event.
//!
//! A spreadsheet runs a cell that begins like a formula, so a text that does gets a `'` put before
//! it, and so does one that begins with `'`: taking one leading `'` away gives every text back. What
//! was not given is an empty cell; a text that was given and is empty is a `'` alone.

use super::Row;
use crate::slug::Slug;
use csv::{Terminator, Writer, WriterBuilder};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, io};

/// The names of the columns.
pub const COLUMNS: [&str; 32] = [
    "id",
    "seq",
    "idempotency_key",
    "occurred_at",
    "recorded_at",
    "tenant",
    "workspace",
    "actor_kind",
    "actor_id",
    "actor_name",
    "actor_email",
    "actor_deactivated",
    "action",
    "verb",
    "category",
    "given",
    "target_kind",
    "target_id",
    "target_name",
    "target_url",
    "outcome",
    "operation",
    "source",
    "redacted",
    "erased",
    "description",
    "via",
    "related",
    "before",
    "after",
    "metadata",
    "context",
];

/// What makes a text that it stands before harmless.
const QUOTE: u8 = b'\'';

/// Whether a spreadsheet could take a text for something else, or it could be taken for one that was
/// made harmless.
fn is_escaped(text: &[u8]) -> bool {
    matches!(
        text.first(),
        None | Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | &QUOTE)
    )
}

/// The text that a cell stands for; none: nothing was given.
pub fn unescaped(cell: &str) -> Option<&str> {
    if cell.is_empty() {
        return None;
    }
    Some(cell.strip_prefix('\'').unwrap_or(cell))
}

/// The line of names.
pub(super) fn head() -> io::Result<Vec<u8>> {
    let mut sheet = Sheet::new(0);
    sheet.lines.write_record(COLUMNS)?;
    sheet.finish()
}

/// Lines of a sheet.
pub(super) struct Sheet {
    lines: Writer<Vec<u8>>,
    /// What a cell is put together in.
    cell: Vec<u8>,
}

impl Sheet {
    /// A sheet without lines; `bytes`: about how long it will be.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            lines: WriterBuilder::new()
                .terminator(Terminator::CRLF)
                .from_writer(Vec::with_capacity(bytes)),
            cell: Vec::new(),
        }
    }

    /// The lines.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        self.lines
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)
    }

    /// Adds the line of an event.
    pub(super) fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.plain(&row.id.to_string())?;
        self.plain(&row.seq.to_string())?;
        self.quoted(row.idempotency_key)?;
        self.plain(&row.occurred_at.to_string())?;
        self.plain(&row.recorded_at.to_string())?;
        self.text(Some(row.tenant.as_str()))?;
        self.text(row.workspace.map(Slug::as_str))?;
        self.plain(row.actor.kind.as_str())?;
        self.text(row.actor.id)?;
        self.text(row.actor.name)?;
        self.text(row.actor.email)?;
        self.plain(if row.actor.deactivated {
            "true"
        } else {
            "false"
        })?;
        self.text(Some(row.action.as_str()))?;
        self.plain(row.verb.as_str())?;
        self.plain(row.category.as_str())?;
        self.json(&row.given)?;
        self.text(Some(row.target.kind.as_str()))?;
        self.text(row.target.id.as_deref())?;
        self.text(row.target.name.as_deref())?;
        self.text(row.target.url.as_deref())?;
        self.plain(row.outcome.as_str())?;
        self.quoted(row.operation)?;
        self.plain(row.source.map_or("", |source| source.as_str()))?;
        self.plain(&row.redacted.to_string())?;
        self.json(row.erased)?;
        self.quoted(row.description)?;
        self.json(&row.via)?;
        self.json(&row.related)?;
        for object in [row.before, row.after, row.metadata, row.context] {
            self.plain(object.map_or("", RawValue::get))?;
        }
        // Ends the line.
        self.lines.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// A cell that never begins like a formula: a number, a name of ours, JSON.
    fn plain(&mut self, text: &str) -> io::Result<()> {
        Ok(self.lines.write_field(text)?)
    }

    /// A cell with a text that somebody chose.
    fn text(&mut self, text: Option<&str>) -> io::Result<()> {
        let Some(text) = text else {
            return self.plain("");
        };
        if !is_escaped(text.as_bytes()) {
            return self.plain(text);
        }
        self.cell.clear();
        self.cell.push(QUOTE);
        self.cell.extend_from_slice(text.as_bytes());
        Ok(self.lines.write_field(&self.cell)?)
    }

    /// The same, of a text that is kept as JSON.
    fn quoted(&mut self, text: Option<&RawValue>) -> io::Result<()> {
        let text: Option<Cow<'_, str>> = match text {
            None => None,
            Some(text) => Some(unquoted(text.get())?),
        };
        self.text(text.as_deref())
    }

    /// A cell with a list as JSON.
    fn json<T: Serialize + ?Sized>(&mut self, list: &T) -> io::Result<()> {
        self.cell.clear();
        serde_json::to_writer(&mut self.cell, list)?;
        Ok(self.lines.write_field(&self.cell)?)
    }
}

/// The text of a JSON string.
fn unquoted(json: &str) -> io::Result<Cow<'_, str>> {
    let inner = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('\\') => Ok(Cow::Borrowed(inner)),
        _ => Ok(Cow::Owned(serde_json::from_str(json)?)),
    }
}

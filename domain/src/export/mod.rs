//! Events as a file: one a row, whatever the format, with every field as it is given back.
//!
//! A row borrows what it says, and what was kept as JSON stays the text that it is: a file of
//! millions of rows is composed without building a value for each of their fields.

pub mod check;
mod line;
mod proof;
mod sheet;
#[cfg(test)]
mod tests;

use crate::{
    category::Category,
    event::{Action, Actor, ActorKind, EventId, Given, Outcome, Part, Source, Target, UnknownName},
    slug::Slug,
    time::Timestamp,
    verb::Verb,
};
use serde_json::value::RawValue;
use std::{fmt, io, str::FromStr};

pub use proof::{LastLine, RowProof, SigningKey};
pub use sheet::{COLUMNS, unescaped};

/// What a file is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A row a line, for a spreadsheet (RFC 4180).
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Ndjson, Self::Json];

    /// The name in the outside contract, which is also how the name of a file ends.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
        }
    }

    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Ndjson => "NDJSON",
            Self::Json => "JSON",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
            Self::Json => "application/json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownName {
                value: text.to_owned(),
                accepted: Self::ALL.map(Self::as_str).join(", "),
            })
    }
}

/// An event as given back ([`Event`](crate::event::Event)), its fields borrowed and in the same
/// order; what was sent as JSON is the JSON text that is kept.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Its id.
    pub id: EventId,
    /// Its number in the order of arrival.
    pub seq: u64,
    /// The sender's key: a JSON text.
    pub idempotency_key: Option<&'a RawValue>,
    /// When it occurred.
    pub occurred_at: Timestamp,
    /// When it became durable.
    pub recorded_at: Timestamp,
    /// The customer organization.
    pub tenant: &'a Slug,
    /// The account inside it.
    pub workspace: Option<&'a Slug>,
    /// Who did it.
    pub actor: RowActor<'a>,
    /// Who or what carried it out.
    pub via: Vec<&'a Actor>,
    /// What was done.
    pub action: &'a Action,
    /// Its class.
    pub verb: Verb,
    /// Its family.
    pub category: Category,
    /// Which of `verb` and `category` the sender gave.
    pub given: Vec<Given>,
    /// What was acted on.
    pub target: &'a Target,
    /// What else it concerns.
    pub related: Vec<&'a Target>,
    /// What ties the events of one bulk change together: a JSON text.
    pub operation: Option<&'a RawValue>,
    /// How it ended.
    pub outcome: Outcome,
    /// A note in words: a JSON text.
    pub description: Option<&'a RawValue>,
    /// The state before: a JSON object.
    pub before: Option<&'a RawValue>,
    /// The state after: a JSON object.
    pub after: Option<&'a RawValue>,
    /// Other structured context: a JSON object.
    pub metadata: Option<&'a RawValue>,
    /// Address, user agent, request, location: a JSON object.
    pub context: Option<&'a RawValue>,
    /// Who wrote it, where it was not an application.
    pub source: Option<Source>,
    /// How many values were taken out at the door.
    pub redacted: u32,
    /// Which parts were taken out later.
    pub erased: &'a [Part],
}

/// Who did it, with what is true of them now.
#[derive(Clone, Debug)]
pub struct RowActor<'a> {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// The sender's id for them.
    pub id: Option<&'a str>,
    /// Their name then.
    pub name: Option<&'a str>,
    /// Their e-mail address then.
    pub email: Option<&'a str>,
    /// Whether they are deactivated now.
    pub deactivated: bool,
}

impl<'a> RowActor<'a> {
    /// An actor, and whether they are deactivated now.
    pub fn new(actor: &'a Actor, deactivated: bool) -> Self {
        Self {
            kind: actor.kind,
            id: actor.id.as_deref(),
            name: actor.name.as_deref(),
            email: actor.email.as_deref(),
            deactivated,
        }
    }
}

/// Writes a file piece by piece: its beginning, rows, its end.
#[derive(Clone, Copy, Debug)]
pub struct Composer {
    format: Format,
    rows: u64,
}

impl Composer {
    /// A file that has nothing in it yet.
    pub const fn new(format: Format) -> Self {
        Self { format, rows: 0 }
    }

    /// What it is written as.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// How many rows were written.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// What stands before the first row.
    ///
    /// # Errors
    ///
    /// Never, in memory.
    pub fn begin(&self) -> io::Result<Vec<u8>> {
        match self.format {
            Format::Csv => sheet::head(),
            Format::Ndjson => Ok(Vec::new()),
            Format::Json => Ok(b"[".to_vec()),
        }
    }

    /// The next piece of the file, to which rows are added. `bytes`: about how long it will be.
    pub fn piece(&mut self, bytes: usize) -> Piece<'_> {
        let lines = match self.format {
            Format::Csv => Lines::Sheet(Box::new(sheet::Sheet::new(bytes))),
            Format::Ndjson => Lines::Ndjson(Vec::with_capacity(bytes)),
            Format::Json => Lines::Array(Vec::with_capacity(bytes)),
        };
        Piece {
            lines,
            rows: &mut self.rows,
        }
    }

    /// What stands after the last row.
    pub fn end(&self) -> Vec<u8> {
        match self.format {
            Format::Csv | Format::Ndjson => Vec::new(),
            Format::Json => b"\n]\n".to_vec(),
        }
    }
}

/// A piece of a file that is being written.
pub struct Piece<'a> {
    lines: Lines,
    /// How many rows the file has with it.
    rows: &'a mut u64,
}

enum Lines {
    Sheet(Box<sheet::Sheet>),
    Ndjson(Vec<u8>),
    Array(Vec<u8>),
}

impl Piece<'_> {
    /// Adds a row.
    ///
    /// # Errors
    ///
    /// A text of the row that should be JSON is none.
    pub fn add(&mut self, row: &Row<'_>) -> io::Result<()> {
        match &mut self.lines {
            Lines::Sheet(sheet) => sheet.write(row)?,
            Lines::Ndjson(out) => {
                line::write(out, row)?;
                out.push(b'\n');
            }
            Lines::Array(out) => {
                out.extend_from_slice(if *self.rows == 0 { b"\n" } else { b",\n" });
                line::write(out, row)?;
            }
        }
        *self.rows += 1;
        Ok(())
    }

    /// Adds a row with its proof, where the file is NDJSON; in others there is no place for it.
    ///
    /// # Errors
    ///
    /// The file is none of NDJSON, or a text of the row that should be JSON is none.
    pub fn add_proven(&mut self, row: &Row<'_>, proof: &RowProof) -> io::Result<()> {
        let Lines::Ndjson(out) = &mut self.lines else {
            return Err(io::Error::other("proofs stand in NDJSON alone"));
        };
        line::write_proven(out, row, proof)?;
        out.push(b'\n');
        *self.rows += 1;
        Ok(())
    }

    /// The piece.
    ///
    /// # Errors
    ///
    /// Never, in memory.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        match self.lines {
            Lines::Sheet(sheet) => sheet.finish(),
            Lines::Ndjson(out) | Lines::Array(out) => Ok(out),
        }
    }
}

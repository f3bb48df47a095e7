//! Whether a file of rows with their proofs is what was signed: checked without the log that it comes
//! from, from the file and the keys that are trusted alone.
//!
//! Each line is checked by itself ([`check_line`], which may be done for many at the same time), then they
//! are taken one after the other ([`Checker`]), in memory that grows with the log's size by a bit for each
//! entry, and not with what the rows say.

mod row;
mod seen;
mod strict;
#[cfg(test)]
mod tests;

use super::LastLine;
use crate::{
    event::{Part, Parts},
    leaf::Hash,
    proof::{Checkpoint, Note, NoteError, VerifierKey},
    slug::Slug,
};
use seen::Seen;
use std::fmt;

pub use row::CheckedRow;

/// What is wrong with a line by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    /// In which field, as a path; none: with the line as a whole.
    pub field: Option<String>,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field} {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl LineFault {
    fn whole(reason: impl Into<String>) -> Self {
        Self {
            field: None,
            reason: reason.into(),
        }
    }
}

/// A line that is right by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckedLine {
    /// A row.
    Row(CheckedRow),
    /// The last line.
    Last(LastLine),
}

/// Checks a line, without its end.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn check_line(line: &[u8]) -> Result<CheckedLine, LineFault> {
    let line = str::from_utf8(line).map_err(|_| LineFault::whole("is not UTF-8"))?;
    if is_last(line) {
        let last = serde_json::from_str(line).map_err(|error| {
            LineFault::whole(format!(
                "is not the last line of an export: {}",
                without_place(&error)
            ))
        })?;
        return Ok(CheckedLine::Last(last));
    }
    row::check(line).map(CheckedLine::Row)
}

/// Whether a line is the last one, as far as its beginning tells.
fn is_last(line: &str) -> bool {
    let inside = line.trim_start().strip_prefix('{').map(str::trim_start);
    inside.is_some_and(|inside| inside.starts_with("\"checkpoint\""))
}

/// What serde says, without a place in the line: it is one line.
fn without_place(error: &serde_json::Error) -> String {
    let told = error.to_string();
    match told.rsplit_once(" at line ") {
        Some((reason, _)) => format!("cannot be read: {reason}"),
        None => format!("cannot be read: {told}"),
    }
}

/// A checkpoint that was kept elsewhere.
#[derive(Clone, Debug)]
pub struct KeptCheckpoint {
    /// Where it comes from, for whoever reads what is said of it.
    pub name: String,
    /// The checkpoint.
    pub note: Note,
}

/// How a checkpoint that was kept elsewhere stands to the file's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptStanding {
    /// It is of the same tree.
    Same,
    /// It is of fewer entries: that these are the beginning of the file's tree is not told by the file.
    Older,
    /// It is of more: likewise.
    Newer,
}

/// Whose keys were trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// Those in the file itself.
    OfTheFile,
    /// Others.
    Given,
}

/// A file of which everything was found to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedFile {
    /// How many rows it has.
    pub rows: u64,
    /// How many of them show each part, in the order of [`Part::ALL`].
    pub shown: [u64; 7],
    /// Of how many each part was erased, as they say.
    pub erased: [u64; 7],
    /// The checkpoint that they are in.
    pub checkpoint: Checkpoint,
    /// Who signed it.
    pub key: VerifierKey,
    /// Whose keys were trusted.
    pub trusted: Trusted,
    /// How checkpoints that were kept elsewhere stand to it, by name.
    pub kept: Vec<(String, u64, KeptStanding)>,
}

/// The first thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// A line is wrong by itself.
    #[error("line {line}: {fault}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        fault: LineFault,
    },
    /// A line and one before it do not go together.
    #[error("line {line}: {what}")]
    Together {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// The file ends too early.
    #[error(
        "the file breaks off after line {line}: its last line, with the checkpoint and the number of rows, \
         is not there"
    )]
    BreaksOff {
        /// How many lines there are.
        line: u64,
    },
    /// A checkpoint that was kept elsewhere does not go with the file's.
    #[error("{name}: {what}")]
    Kept {
        /// The checkpoint.
        name: String,
        /// What is wrong.
        what: String,
    },
}

/// To which root the rows lead.
#[derive(Clone, Debug)]
struct Reached {
    size: u64,
    root: Hash,
    tenant: Slug,
    /// The first row's line.
    line: u64,
}

/// What of a file was taken so far.
#[derive(Debug, Default)]
pub struct Checker {
    rows: u64,
    lines: u64,
    shown: [u64; 7],
    erased: [u64; 7],
    seen: Seen,
    /// Where the first row leads.
    reached: Option<Reached>,
    /// The first row that leads elsewhere.
    elsewhere: Option<u64>,
    last: Option<(u64, LastLine)>,
}

fn together(line: u64, what: impl Into<String>) -> FileFault {
    FileFault::Together {
        line,
        what: what.into(),
    }
}

impl Checker {
    /// Nothing was taken yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many rows were taken.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes the next line.
    ///
    /// # Errors
    ///
    /// It is wrong, or does not go with those before it; or one before is wrong, as it shows.
    pub fn take(&mut self, checked: Result<CheckedLine, LineFault>) -> Result<(), FileFault> {
        self.lines += 1;
        let line = self.lines;
        if let Some((last, _)) = self.last {
            return Err(together(
                line,
                format!("there is more after the last line, {last}"),
            ));
        }
        match checked {
            Ok(CheckedLine::Row(row)) => self.take_row(line, row),
            Ok(CheckedLine::Last(last)) => {
                self.last = Some((line, last));
                Ok(())
            }
            Err(fault) => match self.elsewhere {
                // One of two rows before it is wrong already.
                Some(elsewhere) => Err(self.leads_elsewhere(elsewhere)),
                None => Err(FileFault::Line { line, fault }),
            },
        }
    }

    fn take_row(&mut self, line: u64, row: CheckedRow) -> Result<(), FileFault> {
        self.rows += 1;
        if !self.seen.add(row.seq) {
            let what = format!("entry {} ({}) stands in the file twice", row.seq, row.id);
            return Err(together(line, what));
        }
        for (at, part) in Part::ALL.iter().enumerate() {
            self.shown[at] += u64::from(row.shown.has(*part));
            self.erased[at] += u64::from(row.erased.has(*part));
        }
        match &self.reached {
            None => {
                self.reached = Some(Reached {
                    size: row.size,
                    root: row.root,
                    tenant: row.tenant,
                    line,
                });
            }
            Some(Reached {
                size, root, tenant, ..
            }) if (*size, root, tenant) != (row.size, &row.root, &row.tenant) => {
                // Which of the two is right is told by the last line.
                self.elsewhere.get_or_insert(line);
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn leads_elsewhere(&self, line: u64) -> FileFault {
        let first = self.reached.as_ref().map_or(1, |reached| reached.line);
        together(
            line,
            format!(
                "proof leads to another tree than that of line {first}: one of the two is not what was \
                 recorded"
            ),
        )
    }

    /// All lines were taken: checks them against the checkpoint, and that against keys.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn finish(
        self,
        trusted: Option<&[VerifierKey]>,
        kept: &[KeptCheckpoint],
    ) -> Result<CheckedFile, FileFault> {
        let Some((line, last)) = &self.last else {
            return Err(match self.elsewhere {
                Some(elsewhere) => self.leads_elsewhere(elsewhere),
                None => FileFault::BreaksOff { line: self.lines },
            });
        };
        let of_last = |field: &str, reason: String| FileFault::Line {
            line: *line,
            fault: LineFault {
                field: Some(field.to_owned()),
                reason,
            },
        };
        let note: Note = last
            .checkpoint
            .parse()
            .map_err(|error: NoteError| of_last("checkpoint", error.to_string()))?;
        let checkpoint = Checkpoint::try_from(&note)
            .map_err(|error| of_last("checkpoint", error.to_string()))?;
        let mut own = Vec::with_capacity(last.keys.len());
        for (at, key) in last.keys.iter().enumerate() {
            let read = key.key.parse::<VerifierKey>();
            own.push(read.map_err(|error| of_last(&format!("keys[{at}].key"), error.to_string()))?);
        }
        // A key of another name signs other logs.
        let of_origin = |keys: &[VerifierKey]| -> Vec<VerifierKey> {
            let name = checkpoint.origin.as_str();
            let keys = keys.iter().filter(|key| key.name() == name);
            keys.cloned().collect()
        };
        let keys = of_origin(trusted.unwrap_or(&own));
        let key = note.verified_by(&keys).map_err(|error| {
            let reason = match (error, trusted) {
                (NoteError::Unknown, Some(_)) => {
                    "is signed by none of the keys that are trusted".to_owned()
                }
                (NoteError::Unknown, None) => {
                    "is signed by none of the keys in the file".to_owned()
                }
                (error, _) => error.to_string(),
            };
            of_last("checkpoint", reason)
        })?;
        self.compare(&checkpoint)?;
        if last.rows != self.rows {
            let reason = format!("is {}, and the file has {}", last.rows, self.rows);
            return Err(of_last("rows", reason));
        }
        let kept = kept
            .iter()
            .map(|one| compare_kept(&checkpoint, &keys, one))
            .collect::<Result<_, _>>()?;
        Ok(CheckedFile {
            rows: self.rows,
            shown: self.shown,
            erased: self.erased,
            key: key.clone(),
            trusted: if trusted.is_some() {
                Trusted::Given
            } else {
                Trusted::OfTheFile
            },
            checkpoint,
            kept,
        })
    }

    /// Whether all rows lead to the tree that was signed.
    fn compare(&self, checkpoint: &Checkpoint) -> Result<(), FileFault> {
        let Some(reached) = &self.reached else {
            return Ok(());
        };
        let origin = checkpoint.origin.as_str();
        let tenant = origin.rsplit_once('/').map_or(origin, |(_, tenant)| tenant);
        let is_signed = reached.size == checkpoint.size
            && reached.root == checkpoint.root
            && reached.tenant.as_str() == tenant;
        let wrong = if is_signed {
            self.elsewhere
        } else {
            Some(reached.line)
        };
        match wrong {
            None => Ok(()),
            Some(line) => Err(together(
                line,
                "proof does not lead to the tree that was signed: what the row and its proof say is not what \
                 was recorded, or they are of another checkpoint or log",
            )),
        }
    }
}

fn compare_kept(
    ours: &Checkpoint,
    keys: &[VerifierKey],
    KeptCheckpoint { name, note }: &KeptCheckpoint,
) -> Result<(String, u64, KeptStanding), FileFault> {
    let wrong = |what: String| FileFault::Kept {
        name: name.clone(),
        what,
    };
    let kept = Checkpoint::try_from(note).map_err(|error| wrong(error.to_string()))?;
    if kept.origin != ours.origin {
        return Err(wrong(format!(
            "is a checkpoint of {}, and the file's is of {}",
            kept.origin, ours.origin
        )));
    }
    note.verified_by(keys)
        .map_err(|error| wrong(error.to_string()))?;
    let standing = match kept.size.cmp(&ours.size) {
        std::cmp::Ordering::Less => KeptStanding::Older,
        std::cmp::Ordering::Greater => KeptStanding::Newer,
        std::cmp::Ordering::Equal if kept.root == ours.root => KeptStanding::Same,
        std::cmp::Ordering::Equal => {
            return Err(wrong(format!(
                "was signed of {} other entries than the file's checkpoint: there were two logs of one name, \
                 or the log was altered between the two",
                kept.size
            )));
        }
    };
    Ok((name.clone(), kept.size, standing))
}

/// A text names no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// It is neither of the two forms.
    #[error(
        "names no keys: it is to be what GET /api/v1/proof/keys answers, or verifier keys, one a line"
    )]
    Malformed,
    /// One of them is none.
    #[error("line {line} {reason}")]
    Line {
        /// Which line.
        line: usize,
        /// Why.
        reason: crate::proof::KeyError,
    },
}

/// Keys that are to be trusted, as somebody kept them: what the API answered, or a verifier key a line,
/// with lines between them that are empty or begin with `#`.
///
/// # Errors
///
/// There are none in it, or something else is.
pub fn read_keys(text: &str) -> Result<Vec<VerifierKey>, KeysError> {
    #[derive(serde::Deserialize)]
    struct Answered {
        keys: Vec<Named>,
    }
    #[derive(serde::Deserialize)]
    struct Named {
        key: String,
    }
    let keys = if text.trim_start().starts_with('{') {
        let answered: Answered = serde_json::from_str(text).map_err(|_| KeysError::Malformed)?;
        let keys = answered.keys.iter().map(|named| named.key.parse());
        keys.collect::<Result<Vec<VerifierKey>, _>>()
            .map_err(|_| KeysError::Malformed)?
    } else {
        let lines = (1..).zip(text.lines().map(str::trim));
        lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(line, key)| {
                key.parse()
                    .map_err(|reason| KeysError::Line { line, reason })
            })
            .collect::<Result<_, _>>()?
    };
    if keys.is_empty() {
        return Err(KeysError::Malformed);
    }
    Ok(keys)
}

/// The parts that all rows of a file show, and those that only some do.
impl CheckedFile {
    /// The parts that every row shows, but where they were erased.
    pub fn shown_by_all(&self) -> Parts {
        self.parts(|shown, erased| shown + erased == self.rows && shown > 0)
    }

    /// The parts that no row shows, and that were erased of none.
    pub fn shown_by_none(&self) -> Parts {
        self.parts(|shown, erased| shown == 0 && erased == 0)
    }

    fn parts(&self, are: impl Fn(u64, u64) -> bool) -> Parts {
        let counts = self.shown.iter().zip(&self.erased);
        let parts = Part::ALL.iter().zip(counts);
        parts
            .filter(|(_, (shown, erased))| are(**shown, **erased))
            .map(|(part, _)| *part)
            .collect()
    }
}

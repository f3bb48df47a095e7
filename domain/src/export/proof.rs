//! A row that carries its proof, and the last line of a file of such rows.

use super::Row;
use crate::{
    event::{Actor, NewEvent, Object, Part, Parts, Target},
    leaf::{Hash, Header, PARTS, PartProof, hash_of_part},
    redaction::count_marks_in,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::{self, Write};

/// That a row was recorded so: what leads from what it shows to the root of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProof {
    /// The parts that are to be shown. Of those among them that were erased, the pseudonyms are.
    pub shown: Parts,
    /// Its header, in RFC 8785 form.
    pub header: String,
    /// What proves each part, in the order of [`PARTS`]: the hash where it is not shown.
    pub parts: [PartProof; 7],
    /// The leaf's place in the tree, from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// The nodes that lead to its root, lowest first.
    pub path: Vec<Hash>,
}

/// What of a row is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    /// The parts that are.
    pub(super) parts: Parts,
    /// The parts that were erased, of which ids may stand as pseudonyms.
    pub(super) pseudonyms: Parts,
}

impl Shown {
    /// All that there is.
    pub(super) const ALL: Self = Self {
        parts: Parts::ALL,
        pseudonyms: Parts::ALL,
    };

    pub(super) fn has(self, part: Part) -> bool {
        self.parts.has(part)
    }

    /// Whether an id that may be a pseudonym is written.
    pub(super) fn has_id(self, part: Part) -> bool {
        self.parts.has(part) || self.pseudonyms.has(part)
    }
}

impl RowProof {
    /// What of the row is written.
    pub(super) fn writes(&self, row: &Row<'_>) -> Shown {
        let erased: Parts = row.erased.iter().copied().collect();
        let proofs = PARTS.iter().zip(&self.parts);
        Shown {
            parts: proofs
                .filter(|(part, proof)| {
                    self.shown.has(**part) && matches!(proof, PartProof::Salt(_))
                })
                .map(|(part, _)| *part)
                .collect(),
            pseudonyms: erased.iter().filter(|part| self.shown.has(*part)).collect(),
        }
    }

    /// Adds it as a member.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        out.extend_from_slice(br#","proof":{"header":"#);
        out.extend_from_slice(self.header.as_bytes());
        for (name, wanted) in [("salts", true), ("hashes", false)] {
            write!(out, r#","{name}":{{"#)?;
            let mut before = "";
            for (part, proof) in PARTS.iter().zip(&self.parts) {
                let digits = match proof {
                    PartProof::Salt(salt) if wanted => salt.to_string(),
                    PartProof::Hash(hash) if !wanted => hash.to_string(),
                    _ => continue,
                };
                write!(out, r#"{before}"{part}":"{digits}""#)?;
                before = ",";
            }
            out.push(b'}');
        }
        write!(
            out,
            r#","index":{},"size":{},"path":["#,
            self.index, self.size
        )?;
        for (at, node) in self.path.iter().enumerate() {
            write!(out, r#"{}"{node}""#, if at > 0 { "," } else { "" })?;
        }
        out.extend_from_slice(b"]}");
        Ok(())
    }
}

impl Row<'_> {
    /// The row with its proof, which shows these parts: `proofs`, in the order of [`PARTS`], is what
    /// proves each part where all are shown, `parts` the hash over all. What is not shown is hashed.
    ///
    /// # Errors
    ///
    /// A text of the row that should be JSON is none.
    pub fn proven(
        &mut self,
        shown: Parts,
        parts: Hash,
        mut proofs: [PartProof; 7],
        (size, path): (u64, Vec<Hash>),
    ) -> io::Result<RowProof> {
        let header = Header {
            id: self.id,
            occurred_at: self.occurred_at,
            parts,
            recorded_at: self.recorded_at,
            seq: self.seq,
            tenant: self.tenant,
            workspace: self.workspace,
        };
        if shown != Parts::ALL {
            let given = self.given_but(shown)?;
            for (part, proof) in PARTS.iter().zip(&mut proofs) {
                if let PartProof::Salt(salt) = proof
                    && !shown.has(*part)
                {
                    *proof = PartProof::Hash(hash_of_part(*part, &given, self.source, salt));
                }
            }
            self.redacted = marks_in(
                shown,
                [self.before, self.after, self.metadata, self.context],
            )?;
        }
        Ok(RowProof {
            shown,
            header: header.canonical(),
            parts: proofs,
            index: self.seq - 1,
            size,
            path,
        })
    }

    /// What was given of the parts that are not among these; of the others there may be nothing.
    fn given_but(&self, shown: Parts) -> io::Result<NewEvent> {
        let actor = Actor {
            kind: self.actor.kind,
            id: self.actor.id.map(str::to_owned),
            name: self.actor.name.map(str::to_owned),
            email: self.actor.email.map(str::to_owned),
        };
        let mut event = NewEvent::new(actor, self.action.clone(), Target::clone(self.target));
        let is_given = |what| self.given.contains(&what);
        event.verb = is_given(crate::event::Given::Verb).then_some(self.verb);
        event.category = is_given(crate::event::Given::Category).then_some(self.category);
        event.via = self.via.iter().copied().cloned().collect();
        event.related = self.related.iter().copied().cloned().collect();
        event.outcome = self.outcome;
        event.operation = text(self.operation)?;
        if !shown.has(Part::Change) {
            event.before = object(self.before)?;
            event.after = object(self.after)?;
        }
        if !shown.has(Part::Details) {
            event.description = text(self.description)?;
            event.idempotency_key = text(self.idempotency_key)?;
            event.metadata = object(self.metadata)?;
        }
        if !shown.has(Part::Context) {
            event.context = object(self.context)?;
        }
        Ok(event)
    }
}

/// Of which part each of these objects is: before, after, metadata, context.
pub(super) const PART_OF: [Part; 4] = [Part::Change, Part::Change, Part::Details, Part::Context];

/// How many values were taken out of what is shown.
fn marks_in(shown: Parts, objects: [Option<&RawValue>; 4]) -> io::Result<u32> {
    let mut marks = 0_u32;
    for (part, text) in PART_OF.into_iter().zip(objects) {
        if shown.has(part)
            && let Some(object) = object(text)?
        {
            marks = marks.saturating_add(count_marks_in(&object));
        }
    }
    Ok(marks)
}

fn text(json: Option<&RawValue>) -> io::Result<Option<String>> {
    let read = json
        .map(|json| serde_json::from_str(json.get()))
        .transpose();
    Ok(read?)
}

fn object(json: Option<&RawValue>) -> io::Result<Option<Object>> {
    let read = json
        .map(|json| serde_json::from_str(json.get()))
        .transpose();
    Ok(read?)
}

/// The last line of a file of rows with their proofs: the checkpoint that all of them are in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastLine {
    /// A signed note.
    pub checkpoint: String,
    /// How many rows there are.
    pub rows: u64,
    /// Every key that ever signed the tenant's checkpoints.
    pub keys: Vec<SigningKey>,
}

/// A key that signs, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKey {
    /// The note's verifier key, as text.
    pub key: String,
    /// Since when it signs.
    pub from: Timestamp,
    /// Until when it signed; none: it does.
    pub until: Option<Timestamp>,
}

impl LastLine {
    /// With what it begins, and no row does.
    pub const BEGINNING: &'static str = r#"{"checkpoint":"#;

    /// The line, ended.
    ///
    /// # Errors
    ///
    /// Never, in memory.
    pub fn line(&self) -> io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

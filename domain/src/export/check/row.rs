//! One row of a file with proofs: that what it shows is what its leaf was made of.

use super::{
    LineFault,
    strict::{Once, Recorded},
};
use crate::{
    category::Category,
    event::{
        Action, Actor, ActorKind, EventId, Given, NewEvent, Outcome, Part, Parts, Source, Target,
        TargetKind,
    },
    json::canonical::canonical,
    leaf::{Hash, Header, PARTS, PartProof, Salt, leaf_hash, proven_parts_hash},
    proof::root_from_path,
    redaction::count_marks_in,
    slug::Slug,
    time::Timestamp,
    verb::Verb,
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, value::RawValue};
use std::{fmt::Display, str::FromStr};

/// A row that is what its leaf was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRow {
    /// The event.
    pub id: EventId,
    /// Its number in the order of arrival.
    pub seq: u64,
    /// Whose tree it says to be in.
    pub tenant: Slug,
    /// The parts that it shows.
    pub shown: Parts,
    /// Those of the others that were erased, as it says.
    pub erased: Parts,
    /// How many leaves the tree has that its path leads to the root of.
    pub size: u64,
    /// And that root.
    pub root: Hash,
}

/// What is written in one way alone: another way of writing the same would not be told from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Exact<T>(T);

impl<'de, T: FromStr<Err: Display> + Display> Deserialize<'de> for Exact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value: T = text.parse().map_err(D::Error::custom)?;
        if value.to_string() == text {
            Ok(Self(value))
        } else {
            Err(D::Error::custom(format_args!(
                "\"{text}\" is written otherwise than Daybook does: {value}"
            )))
        }
    }
}

/// A text that is not empty: nothing would tell an empty one from none.
#[derive(Clone, Debug)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(D::Error::custom("a text is empty, where null is written"));
        }
        Ok(Self(text))
    }
}

fn text(text: Option<&Text>) -> Option<String> {
    text.map(|text| text.0.clone())
}

/// A row as it stands in the file: any of its fields may be null, where its part is not shown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exported<'a> {
    id: Exact<EventId>,
    seq: u64,
    idempotency_key: Option<Text>,
    occurred_at: Exact<Timestamp>,
    recorded_at: Exact<Timestamp>,
    tenant: Slug,
    workspace: Option<Slug>,
    actor: ExportedActor,
    via: Vec<Person>,
    action: Option<Action>,
    verb: Option<Verb>,
    category: Option<Category>,
    given: Vec<Given>,
    target: Thing,
    related: Vec<Thing>,
    operation: Option<Text>,
    outcome: Option<Outcome>,
    description: Option<Text>,
    before: Option<Recorded>,
    after: Option<Recorded>,
    metadata: Option<Recorded>,
    context: Option<Recorded>,
    source: Option<Source>,
    redacted: u32,
    erased: Vec<Part>,
    #[serde(borrow)]
    proof: Proof<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportedActor {
    kind: Option<ActorKind>,
    id: Option<Text>,
    name: Option<Text>,
    email: Option<Text>,
    deactivated: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    kind: Option<ActorKind>,
    id: Option<Text>,
    name: Option<Text>,
    email: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thing {
    kind: Option<TargetKind>,
    id: Option<Text>,
    name: Option<Text>,
    url: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof<'a> {
    #[serde(borrow)]
    header: &'a RawValue,
    salts: OfParts<Salt>,
    hashes: OfParts<Hash>,
    index: u64,
    size: u64,
    path: Vec<Hash>,
}

/// What there is of some parts. A map would take a name twice.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "T: Deserialize<'de>")]
struct OfParts<T> {
    #[serde(default = "none")]
    facts: Option<T>,
    #[serde(default = "none")]
    actor: Option<T>,
    #[serde(default = "none")]
    via: Option<T>,
    #[serde(default = "none")]
    objects: Option<T>,
    #[serde(default = "none")]
    change: Option<T>,
    #[serde(default = "none")]
    details: Option<T>,
    #[serde(default = "none")]
    context: Option<T>,
}

const fn none<T>() -> Option<T> {
    None
}

impl<T: Copy> OfParts<T> {
    const fn get(&self, part: Part) -> Option<T> {
        match part {
            Part::Facts => self.facts,
            Part::Actor => self.actor,
            Part::Via => self.via,
            Part::Objects => self.objects,
            Part::Change => self.change,
            Part::Details => self.details,
            Part::Context => self.context,
        }
    }
}

/// The hash over the parts, which only the header has.
#[derive(Debug, Deserialize)]
struct PartsOfHeader {
    parts: Hash,
}

fn fault(field: impl Into<String>, reason: impl Into<String>) -> LineFault {
    LineFault {
        field: Some(field.into()),
        reason: reason.into(),
    }
}

/// Checks a row by itself.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub(super) fn check(line: &str) -> Result<CheckedRow, LineFault> {
    let row: Exported<'_> = serde_json::from_str(line).map_err(|error| LineFault {
        field: None,
        reason: super::without_place(&error),
    })?;
    let erased: Parts = row.erased.iter().copied().collect();
    if !row.erased.is_sorted_by(|one, next| one < next) {
        return Err(fault("erased", "is not a list of parts in their order"));
    }
    let proofs = proofs(&row.proof)?;
    let shown: Parts = PARTS
        .iter()
        .zip(&proofs)
        .filter(|(_, proof)| matches!(proof, PartProof::Salt(_)))
        .map(|(part, _)| *part)
        .collect();
    if let Some(part) = erased.iter().find(|part| shown.has(*part)) {
        return Err(fault("erased", format!("names {part}, which is shown")));
    }
    row.shows_nothing_else(shown, erased)?;
    let given = row.given(shown)?;
    let parts = row.header(&given, &proofs)?;
    let header = row.leaf_header(parts);
    let Proof {
        index, size, path, ..
    } = &row.proof;
    if index.checked_add(1) != Some(row.seq) {
        return Err(fault(
            "proof.index",
            format!("is not seq less one, {}", row.seq),
        ));
    }
    let root = root_from_path(&leaf_hash(&header), *index, *size, path)
        .map_err(|error| fault("proof.path", error.to_string()))?;
    Ok(CheckedRow {
        id: row.id.0,
        seq: row.seq,
        shown,
        erased,
        size: *size,
        root,
        tenant: row.tenant,
    })
}

/// What proves each part, in the order of [`PARTS`].
fn proofs(proof: &Proof<'_>) -> Result<[PartProof; 7], LineFault> {
    let mut proofs = [PartProof::Hash(Hash([0; 32])); 7];
    for (part, place) in PARTS.into_iter().zip(&mut proofs) {
        *place = match (proof.salts.get(part), proof.hashes.get(part)) {
            (Some(salt), None) => PartProof::Salt(salt),
            (None, Some(hash)) => PartProof::Hash(hash),
            (None, None) => {
                let reason = "has neither the part's salt nor, in proof.hashes, its hash";
                return Err(fault(format!("proof.salts.{part}"), reason));
            }
            (Some(_), Some(_)) => {
                let reason = "stands beside the part's salt, and one of them proves it";
                return Err(fault(format!("proof.hashes.{part}"), reason));
            }
        };
    }
    Ok(proofs)
}

impl Exported<'_> {
    /// Nothing stands where a part is not shown: nothing would prove it.
    fn shows_nothing_else(&self, shown: Parts, erased: Parts) -> Result<(), LineFault> {
        let has_facts = shown.has(Part::Facts);
        let beside = |part: Part, field: &str| {
            let state = if erased.has(part) {
                "was erased"
            } else {
                "is not shown"
            };
            fault(
                field,
                format!(
                    "is there, and the part {part}, which it belongs to, {state}: nothing proves it"
                ),
            )
        };
        let refuse = |part: Part, fields: &[(&str, bool)]| {
            let there = fields.iter().find(|(_, is_there)| *is_there);
            match there {
                Some((field, _)) if !shown.has(part) => Err(beside(part, field)),
                _ => Ok(()),
            }
        };
        let Self { actor, target, .. } = self;
        refuse(
            Part::Facts,
            &[
                ("action", self.action.is_some()),
                ("verb", self.verb.is_some()),
                ("category", self.category.is_some()),
                ("given", !self.given.is_empty()),
                ("operation", self.operation.is_some()),
                ("outcome", self.outcome.is_some()),
                ("source", self.source.is_some()),
                ("actor.kind", actor.kind.is_some()),
                ("target.kind", target.kind.is_some()),
            ],
        )?;
        let has_pseudonym = |part: Part| erased.has(part);
        refuse(
            Part::Actor,
            &[
                (
                    "actor.id",
                    actor.id.is_some() && !has_pseudonym(Part::Actor),
                ),
                ("actor.name", actor.name.is_some()),
                ("actor.email", actor.email.is_some()),
                (
                    "actor.deactivated",
                    actor.deactivated.is_some() && !has_pseudonym(Part::Actor),
                ),
            ],
        )?;
        for (at, via) in self.via.iter().enumerate() {
            refuse(
                Part::Facts,
                &[(&format!("via[{at}].kind"), via.kind.is_some())],
            )?;
            refuse(
                Part::Via,
                &[
                    (
                        &format!("via[{at}].id"),
                        via.id.is_some() && !has_pseudonym(Part::Via),
                    ),
                    (&format!("via[{at}].name"), via.name.is_some()),
                    (&format!("via[{at}].email"), via.email.is_some()),
                ],
            )?;
            if has_facts && via.kind.is_none() {
                return Err(fault(format!("via[{at}].kind"), "is missing"));
            }
        }
        let related = self.related.iter().enumerate();
        let things = related.map(|(at, thing)| (format!("related[{at}]"), thing));
        for (name, thing) in things.chain([("target".to_owned(), target)]) {
            refuse(
                Part::Facts,
                &[(&format!("{name}.kind"), thing.kind.is_some())],
            )?;
            refuse(
                Part::Objects,
                &[
                    (&format!("{name}.id"), thing.id.is_some()),
                    (&format!("{name}.name"), thing.name.is_some()),
                    (&format!("{name}.url"), thing.url.is_some()),
                ],
            )?;
            if has_facts && thing.kind.is_none() {
                return Err(fault(format!("{name}.kind"), "is missing"));
            }
        }
        // A list whose elements say nothing tells how many there were.
        if !has_facts && !shown.has(Part::Via) && !has_pseudonym(Part::Via) && !self.via.is_empty()
        {
            return Err(beside(Part::Via, "via"));
        }
        if !has_facts && !shown.has(Part::Objects) && !self.related.is_empty() {
            return Err(beside(Part::Objects, "related"));
        }
        refuse(
            Part::Change,
            &[
                ("before", self.before.is_some()),
                ("after", self.after.is_some()),
            ],
        )?;
        refuse(
            Part::Details,
            &[
                ("description", self.description.is_some()),
                ("metadata", self.metadata.is_some()),
                ("idempotency_key", self.idempotency_key.is_some()),
            ],
        )?;
        refuse(Part::Context, &[("context", self.context.is_some())])
    }

    /// What was given, as far as it is shown; of the rest something that is looked at by nobody.
    fn given(&self, shown: Parts) -> Result<NewEvent, LineFault> {
        let has_facts = shown.has(Part::Facts);
        let missing = |field: &str| fault(field, "is missing");
        if has_facts && self.actor.kind.is_none() {
            return Err(missing("actor.kind"));
        }
        if has_facts && self.outcome.is_none() {
            return Err(missing("outcome"));
        }
        let nothing = |_| fault("", "cannot be read");
        let action = match &self.action {
            Some(action) => action.clone(),
            None if has_facts => return Err(missing("action")),
            None => "-".parse().map_err(nothing)?,
        };
        let no_kind: TargetKind = "-".parse().map_err(nothing)?;
        let thing = |thing: &Thing| Target {
            kind: thing.kind.clone().unwrap_or_else(|| no_kind.clone()),
            id: text(thing.id.as_ref()),
            name: text(thing.name.as_ref()),
            url: text(thing.url.as_ref()),
        };
        let actor = Actor {
            kind: self.actor.kind.unwrap_or(ActorKind::System),
            id: text(self.actor.id.as_ref()),
            name: text(self.actor.name.as_ref()),
            email: text(self.actor.email.as_ref()),
        };
        let mut given = NewEvent::new(actor, action, thing(&self.target));
        let is_given = |what: Given| self.given.contains(&what);
        if !self.given.is_sorted_by(|one, next| one < next) {
            return Err(fault(
                "given",
                "is not a list of verb and category, in this order",
            ));
        }
        if has_facts && self.verb.is_none() {
            return Err(missing("verb"));
        }
        if has_facts && self.category.is_none() {
            return Err(missing("category"));
        }
        given.verb = self.verb.filter(|_| is_given(Given::Verb));
        given.category = self.category.filter(|_| is_given(Given::Category));
        given.via = self
            .via
            .iter()
            .map(|via| Actor {
                kind: via.kind.unwrap_or(ActorKind::System),
                id: text(via.id.as_ref()),
                name: text(via.name.as_ref()),
                email: text(via.email.as_ref()),
            })
            .collect();
        given.related = self.related.iter().map(thing).collect();
        given.operation = text(self.operation.as_ref());
        given.outcome = self.outcome.unwrap_or(Outcome::Success);
        given.description = text(self.description.as_ref());
        given.idempotency_key = text(self.idempotency_key.as_ref());
        let object = |recorded: Option<&Recorded>| recorded.map(|it| it.0.clone());
        given.before = object(self.before.as_ref());
        given.after = object(self.after.as_ref());
        given.metadata = object(self.metadata.as_ref());
        given.context = object(self.context.as_ref());
        let objects = [&given.before, &given.after, &given.metadata, &given.context];
        let marks = objects.into_iter().flatten().map(count_marks_in);
        let marks = marks.fold(0, u32::saturating_add);
        if self.redacted != marks {
            let reason = format!(
                "is {}, and there are {marks} marks of redaction",
                self.redacted
            );
            return Err(fault("redacted", reason));
        }
        Ok(given)
    }

    fn leaf_header(&self, parts: Hash) -> Header<'_> {
        Header {
            id: self.id.0,
            occurred_at: self.occurred_at.0,
            parts,
            recorded_at: self.recorded_at.0,
            seq: self.seq,
            tenant: &self.tenant,
            workspace: self.workspace.as_ref(),
        }
    }

    /// Compares the header with the row; gives the hash over the parts.
    fn header(&self, given: &NewEvent, proofs: &[PartProof; 7]) -> Result<Hash, LineFault> {
        let text = self.proof.header.get();
        let read: PartsOfHeader = serde_json::from_str(text)
            .map_err(|error| fault("proof.header", super::without_place(&error)))?;
        let parts = proven_parts_hash(given, self.source, proofs);
        let is_other = || {
            fault(
                "proof.header.parts",
                "is not what the row's parts come to: what it shows is not what was recorded, or a salt or \
                 a hash of its proof is another",
            )
        };
        let expected = self.leaf_header(read.parts).canonical();
        if text != expected {
            let Once(header) = serde_json::from_str(text)
                .map_err(|error| fault("proof.header", super::without_place(&error)))?;
            // It may be written with other white space, or its members in another order.
            if canonical(&header) != expected {
                return Err(other_header(&header, &expected));
            }
        }
        if parts == read.parts {
            Ok(parts)
        } else {
            Err(is_other())
        }
    }
}

/// The first member of a header that is not the row's.
fn other_header(header: &Value, expected: &str) -> LineFault {
    let Ok(Value::Object(expected)) = serde_json::from_str(expected) else {
        return fault("proof.header", "is not the row's");
    };
    let names = header
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name);
    for name in names.chain(expected.keys()) {
        if header.get(name) != expected.get(name) {
            let reason = match expected.get(name) {
                None => "is no member of a header, or is null".to_owned(),
                Some(own) => format!("is another than the row's, {own}"),
            };
            return fault(format!("proof.header.{name}"), reason);
        }
    }
    fault("proof.header", "is not the row's")
}

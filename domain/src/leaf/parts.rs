//! The seven parts of an event, and what is hashed of them.
//!
//! All but four members have a fixed shape, whose names stand here in the order of RFC 8785, so that
//! a part is written once, straight into the text that is hashed.

use super::{Hash, Salt};
use crate::{
    category::Category,
    event::{Actor, NewEvent, Object, Part, Source, Target},
    json::canonical::{append_object, append_string},
    verb::Verb,
};
use sha2::{Digest, Sha256};

/// The parts in the order in which their hashes are hashed.
pub const PARTS: [Part; 7] = [
    Part::Facts,
    Part::Actor,
    Part::Via,
    Part::Objects,
    Part::Change,
    Part::Details,
    Part::Context,
];

/// What proves a part: the salt of one that is shown, the hash of one that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartProof {
    /// The part's own salt, for a part that is there.
    Salt(Salt),
    /// The part's hash, for a part that was erased or is not shown.
    Hash(Hash),
}

/// The parts of an event in RFC 8785 form, in the order of [`PARTS`].
pub fn parts_of(event: &NewEvent, source: Option<Source>) -> [(Part, String); 7] {
    PARTS.map(|part| (part, part_of(part, event, source)))
}

/// One part of an event in RFC 8785 form.
pub fn part_of(part: Part, event: &NewEvent, source: Option<Source>) -> String {
    let mut out = String::with_capacity(256);
    write_part(part, event, source, &mut out);
    out
}

/// The salt of a part: the first 16 bytes of SHA-256 of the event's salt and the part's name.
pub fn part_salt(salt: &Salt, part: Part) -> Salt {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(salt.0)
        .chain_update(part.as_str())
        .finalize()
        .into();
    let (first, _) = digest.split_at(16);
    let mut derived = [0; 16];
    derived.copy_from_slice(first);
    Salt(derived)
}

/// The hash of a part: SHA-256 of the part's own salt and the part in RFC 8785 form.
pub fn part_hash(part_salt: &Salt, canonical: &str) -> Hash {
    let digest = Sha256::new()
        .chain_update(part_salt.0)
        .chain_update(canonical);
    Hash(digest.finalize().into())
}

/// The hash of a part of an event, as it is recorded, under the part's own salt.
pub fn hash_of_part(
    part: Part,
    event: &NewEvent,
    source: Option<Source>,
    part_salt: &Salt,
) -> Hash {
    let mut out = String::with_capacity(256);
    write_part(part, event, source, &mut out);
    part_hash(part_salt, &out)
}

/// The hash over all parts: SHA-256 of their hashes, in the order of [`PARTS`].
pub fn hash_of_parts(hashes: &[Hash; 7]) -> Hash {
    let mut digest = Sha256::new();
    for hash in hashes {
        digest.update(hash.0);
    }
    Hash(digest.finalize().into())
}

/// The hashes of an event's parts under the event's salt, in the order of [`PARTS`].
pub fn part_hashes(event: &NewEvent, source: Option<Source>, salt: &Salt) -> [Hash; 7] {
    let proofs = PARTS.map(|part| PartProof::Salt(part_salt(salt, part)));
    hashes(event, source, &proofs)
}

/// The hash over all parts of an event, as it is recorded (that is, after redaction).
pub fn parts_hash(event: &NewEvent, source: Option<Source>, salt: &Salt) -> Hash {
    hash_of_parts(&part_hashes(event, source, salt))
}

/// The hash over all parts of an event of which some are not there: `proofs` in the order of
/// [`PARTS`]. What stands in the event in place of a part that is proved by its hash is not looked
/// at.
pub fn proven_parts_hash(
    event: &NewEvent,
    source: Option<Source>,
    proofs: &[PartProof; 7],
) -> Hash {
    hash_of_parts(&hashes(event, source, proofs))
}

fn hashes(event: &NewEvent, source: Option<Source>, proofs: &[PartProof; 7]) -> [Hash; 7] {
    let mut out = String::with_capacity(1_024);
    let mut hashes = proofs.iter().zip(PARTS).map(|(proof, part)| match proof {
        PartProof::Hash(hash) => *hash,
        PartProof::Salt(salt) => {
            out.clear();
            write_part(part, event, source, &mut out);
            part_hash(salt, &out)
        }
    });
    // Exactly as many as there are parts: the other value never comes.
    std::array::from_fn(|_| hashes.next().unwrap_or(Hash([0; 32])))
}

fn write_part(part: Part, event: &NewEvent, source: Option<Source>, out: &mut String) {
    let mut members = Members::begin(out);
    match part {
        Part::Facts => write_facts(event, source, &mut members),
        Part::Actor => write_person(&event.actor, &mut members),
        Part::Via => members.list("via", &event.via, write_person),
        Part::Objects => {
            members.list("related", &event.related, write_named);
            members.lean_object("target", |target| write_named(&event.target, target));
        }
        Part::Change => {
            members.recorded("after", event.after.as_ref());
            members.recorded("before", event.before.as_ref());
        }
        Part::Details => {
            members.text("description", event.description.as_deref());
            members.text("idempotency_key", event.idempotency_key.as_deref());
            members.recorded("metadata", event.metadata.as_ref());
        }
        Part::Context => members.recorded("context", event.context.as_ref()),
    }
    members.end();
}

/// What happened, naming nobody; verb and category only where they were given.
fn write_facts(event: &NewEvent, source: Option<Source>, facts: &mut Members<'_>) {
    facts.text("action", Some(event.action.as_str()));
    facts.lean_object("actor", |actor| {
        actor.text("kind", Some(event.actor.kind.as_str()));
    });
    facts.text("category", event.category.map(Category::as_str));
    facts.text("operation", event.operation.as_deref());
    facts.text("outcome", Some(event.outcome.as_str()));
    facts.list("related", &event.related, |related, members| {
        members.text("kind", Some(related.kind.as_str()));
    });
    facts.text("source", source.map(Source::as_str));
    facts.lean_object("target", |target| {
        target.text("kind", Some(event.target.kind.as_str()));
    });
    facts.text("verb", event.verb.map(Verb::as_str));
    facts.list("via", &event.via, |via, members| {
        members.text("kind", Some(via.kind.as_str()));
    });
}

fn write_person(actor: &Actor, members: &mut Members<'_>) {
    members.text("email", actor.email.as_deref());
    members.text("id", actor.id.as_deref());
    members.text("name", actor.name.as_deref());
}

fn write_named(target: &Target, members: &mut Members<'_>) {
    members.text("id", target.id.as_deref());
    members.text("name", target.name.as_deref());
    members.text("url", target.url.as_deref());
}

/// Writes an object; its members must come in the order of their names.
struct Members<'a> {
    out: &'a mut String,
    /// Where the object begins.
    start: usize,
}

impl<'a> Members<'a> {
    fn begin(out: &'a mut String) -> Self {
        let start = out.len();
        out.push('{');
        Self { out, start }
    }

    fn end(self) {
        self.out.push('}');
    }

    fn is_empty(&self) -> bool {
        self.out.len() == self.start + 1
    }

    /// A member's name, which is plain.
    fn name(&mut self, name: &str) {
        if !self.is_empty() {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    /// A text; absent where it is empty.
    fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.name(name);
            append_string(text, self.out);
        }
    }

    /// A list of objects; absent where it has no elements. An element stays where nothing is left
    /// in it.
    fn list<T>(&mut self, name: &str, elements: &[T], write: impl Fn(&T, &mut Members<'_>)) {
        if elements.is_empty() {
            return;
        }
        self.name(name);
        let mut before = '[';
        for element in elements {
            self.out.push(before);
            before = ',';
            let mut members = Members::begin(self.out);
            write(element, &mut members);
            members.end();
        }
        self.out.push(']');
    }

    /// An object; absent where nothing is left in it.
    fn lean_object(&mut self, name: &str, write: impl FnOnce(&mut Members<'_>)) {
        let unchanged = self.out.len();
        self.name(name);
        let mut members = Members::begin(self.out);
        write(&mut members);
        if members.is_empty() {
            self.out.truncate(unchanged);
        } else {
            members.end();
        }
    }

    /// An object as it was recorded, with whatever is in it.
    fn recorded(&mut self, name: &str, object: Option<&Object>) {
        if let Some(object) = object {
            self.name(name);
            append_object(object, self.out);
        }
    }
}

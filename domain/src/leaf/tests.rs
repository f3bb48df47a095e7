//! Against the vectors of a second implementation, and what a proof must and must not accept.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a vector that is not as expected fails the test"
)]

use super::*;
use crate::{
    event::{Actor, ActorKind, NewEvent, Object, Part, Source, Target},
    proof::{
        Checkpoint, Origin, Signer, check_consistency, consistency_ranges, inclusion_path, root,
    },
    slug::Slug,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value};
use std::str::FromStr;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../docs/proof/vectors.json")).unwrap()
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    from_value(value.clone()).unwrap()
}

fn hash(value: &Value) -> Hash {
    value.as_str().unwrap().parse().unwrap()
}

/// A vector's event, which may hold what the API would refuse, such as an empty id.
fn event_of(given: &Value) -> (NewEvent, Option<Source>) {
    let actor = |value: &Value| Actor {
        kind: read(&value["kind"]),
        id: read(&value["id"]),
        name: read(&value["name"]),
        email: read(&value["email"]),
    };
    let target = |value: &Value| Target {
        kind: read(&value["kind"]),
        id: read(&value["id"]),
        name: read(&value["name"]),
        url: read(&value["url"]),
    };
    let list = |name: &str| given[name].as_array().cloned().unwrap_or_default();
    let named = |name: &str| list("given").contains(&Value::from(name));
    let event = NewEvent {
        workspace: read(&given["workspace"]),
        idempotency_key: read(&given["idempotency_key"]),
        occurred_at: read(&given["occurred_at"]),
        actor: actor(&given["actor"]),
        via: list("via").iter().map(actor).collect(),
        action: read(&given["action"]),
        verb: named("verb").then(|| read(&given["verb"])),
        category: named("category").then(|| read(&given["category"])),
        target: target(&given["target"]),
        related: list("related").iter().map(target).collect(),
        operation: read(&given["operation"]),
        outcome: read(&given["outcome"]),
        description: read(&given["description"]),
        before: read(&given["before"]),
        after: read(&given["after"]),
        metadata: read(&given["metadata"]),
        context: read(&given["context"]),
    };
    (event, read(&given["source"]))
}

fn leaf_of(given: &Value, parts: Hash) -> (String, Hash) {
    let tenant: Slug = read(&given["tenant"]);
    let workspace: Option<Slug> = read(&given["workspace"]);
    let header = Header {
        id: read(&given["id"]),
        occurred_at: read(&given["occurred_at"]),
        parts,
        recorded_at: read(&given["recorded_at"]),
        seq: read(&given["seq"]),
        tenant: &tenant,
        workspace: workspace.as_ref(),
    };
    (header.canonical(), leaf_hash(&header))
}

fn leaves() -> Vec<Hash> {
    let vectors = vectors();
    let events = vectors["events"].as_array().unwrap();
    events.iter().map(|row| hash(&row["leaf"])).collect()
}

#[test]
fn every_vector_gives_the_same_bytes() {
    let vectors = vectors();
    let rows = vectors["events"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let (event, source) = event_of(&row["event"]);
        let salt = row["salt"].as_str().unwrap().parse().unwrap();
        for (part, canonical) in parts_of(&event, source) {
            assert_eq!(canonical, row["parts"][part.as_str()].as_str().unwrap());
        }
        let hashes = part_hashes(&event, source, &salt);
        for (part, part_hash) in PARTS.iter().zip(hashes) {
            assert_eq!(part_hash, hash(&row["hashes"][part.as_str()]), "{part}");
        }
        let parts = parts_hash(&event, source, &salt);
        let (header, leaf) = leaf_of(&row["event"], parts);
        assert_eq!(header, row["header"].as_str().unwrap());
        assert_eq!(leaf, hash(&row["leaf"]));
    }
}

#[test]
fn an_event_with_erased_parts_keeps_its_leaf() {
    let erased = &vectors()["erased"];
    let (event, source) = event_of(&erased["event"]);
    let proofs = PARTS.map(|part| match erased["salts"].get(part.as_str()) {
        Some(salt) => PartProof::Salt(read(salt)),
        None => PartProof::Hash(hash(&erased["hashes_given"][part.as_str()])),
    });
    let parts = proven_parts_hash(&event, source, &proofs);
    let (_, leaf) = leaf_of(&erased["event"], parts);
    assert_eq!(leaf, hash(&erased["leaf"]));
    assert_eq!(leaf, leaves()[0], "the leaf from before the erasure");
}

#[test]
fn the_roots_of_every_size_are_those_of_the_vectors() {
    let (vectors, leaves) = (vectors(), leaves());
    let roots = vectors["roots"].as_array().unwrap();
    assert_eq!(roots.len(), leaves.len() + 1);
    for (size, expected) in roots.iter().enumerate() {
        assert_eq!(root(&leaves[..size]), hash(expected), "{size}");
    }
}

#[test]
fn the_inclusion_paths_are_those_of_the_vectors() {
    let (vectors, leaves) = (vectors(), leaves());
    let rows = vectors["inclusion"].as_array().unwrap();
    assert_eq!(rows.len(), 10);
    for row in rows {
        let (size, index): (usize, usize) = (read(&row["size"]), read(&row["index"]));
        let path: Vec<Hash> = read(&row["path"]);
        let found = inclusion_path(&leaves[..size], index);
        assert_eq!(found.as_ref(), Some(&path), "{index} of {size}");
    }
}

#[test]
fn the_consistency_paths_are_those_of_the_vectors() {
    let (vectors, leaves) = (vectors(), leaves());
    let rows = vectors["consistency"].as_array().unwrap();
    assert_eq!(rows.len(), 10);
    for row in rows {
        let (from, to): (usize, usize) = (read(&row["from"]), read(&row["to"]));
        let path: Vec<Hash> = read(&row["path"]);
        let ranges = consistency_ranges(from as u64, to as u64).unwrap();
        let over = |at: u64| usize::try_from(at).unwrap();
        let found = ranges
            .iter()
            .map(|range| root(&leaves[over(range.start)..over(range.end)]));
        assert_eq!(found.collect::<Vec<_>>(), path, "{from} to {to}");
        let older = (from as u64, root(&leaves[..from]));
        let newer = (to as u64, root(&leaves[..to]));
        assert_eq!(check_consistency(older, newer, &path), Ok(()));
    }
}

#[test]
fn the_checkpoints_are_those_of_the_vectors() {
    let (vectors, leaves) = (vectors(), leaves());
    let signed = &vectors["checkpoints"];
    let installation: uuid::Uuid = read(&signed["installation"]);
    let secret = hash(&signed["secret"]).0;
    let notes = signed["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 2);
    for row in notes {
        let tenant: Slug = read(&row["tenant"]);
        let size: usize = read(&row["size"]);
        let checkpoint = Checkpoint {
            origin: Origin::new(installation, &tenant),
            size: size as u64,
            root: root(&leaves[..size]),
        };
        let signer = Signer::new(checkpoint.origin.as_str(), &secret).unwrap();
        assert_eq!(checkpoint.sign(&signer).to_string(), row["note"]);
        assert_eq!(signer.verifier().to_string(), row["key"]);
        assert_eq!(signer.verifier().key(), &hash(&signed["public"]).0);
    }
}

#[test]
fn what_is_empty_is_in_no_part_but_a_state_is_hashed_as_recorded() {
    let system = Actor::SYSTEM;
    let target = Target {
        kind: "job".parse().unwrap(),
        id: None,
        name: Some(String::new()),
        url: None,
    };
    let mut event = NewEvent::new(system, "RUN".parse().unwrap(), target);
    event.description = Some(String::new());
    event.via = vec![Actor {
        kind: ActorKind::Agent,
        id: None,
        name: None,
        email: None,
    }];
    event.metadata = Some(Object::new());
    let parts = parts_of(&event, None).map(|(_, canonical)| canonical);
    assert_eq!(
        parts,
        [
            r#"{"action":"RUN","actor":{"kind":"system"},"outcome":"success","target":{"kind":"job"},"via":[{"kind":"agent"}]}"#,
            "{}",
            r#"{"via":[{}]}"#,
            "{}",
            "{}",
            r#"{"metadata":{}}"#,
            "{}",
        ]
    );
}

#[test]
fn an_import_is_told_from_what_was_sent() {
    let (event, _) = event_of(&vectors()["events"][0]["event"]);
    let salt = Salt([7; 16]);
    assert_ne!(
        parts_hash(&event, None, &salt),
        parts_hash(&event, Some(Source::Import), &salt)
    );
}

#[test]
fn equal_parts_of_an_event_have_different_hashes() {
    // Two parts with nothing in them: their salts differ.
    let (event, source) = event_of(&vectors()["events"][1]["event"]);
    let hashes = part_hashes(&event, source, &Salt([7; 16]));
    let of = |part: Part| hashes[PARTS.iter().position(|one| *one == part).unwrap()];
    assert_ne!(of(Part::Change), of(Part::Context));
}

#[test]
fn the_order_of_the_parts_is_that_of_their_list() {
    assert_eq!(PARTS.as_slice(), Part::ALL);
}

#[test]
fn hexadecimal_digits_are_read_in_lowercase_and_in_full_only() {
    let text = "00ff".repeat(16);
    assert_eq!(Hash::from_str(&text).map(|hash| hash.to_string()), Ok(text));
    for bad in [
        "",
        "00",
        &"0G".repeat(32),
        &"AB".repeat(32),
        &"ab".repeat(33),
    ] {
        assert_eq!(Hash::from_str(bad), Err(HexError { digits: 64 }), "{bad}");
    }
    assert_eq!(Salt::from_str("ab"), Err(HexError { digits: 32 }));
}

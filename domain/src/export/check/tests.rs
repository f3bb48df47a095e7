//! What was written is found right, whatever is shown of it; what was altered is found, with its place.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as expected fails the test"
)]

use super::*;
use crate::{
    event::{Event, EventId},
    export::{
        Composer, Format, SigningKey,
        tests::{Kept, event},
    },
    leaf::{Header, PARTS, PartProof, Salt, leaf_hash, part_hashes, part_salt, proven_parts_hash},
    proof::{Origin, Signer, inclusion_path, root},
    redaction::count_marks,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The salt of an event.
fn salt(event: &Event) -> Salt {
    Salt([event.seq.to_le_bytes()[0]; 16])
}

/// What proves each part of an event, of which some were erased: their hashes are those of before.
fn proofs(before: &Event) -> [PartProof; 7] {
    let salt = salt(before);
    let mut proofs = PARTS.map(|part| PartProof::Salt(part_salt(&salt, part)));
    let hashes = part_hashes(&before.as_given(), before.source, &salt);
    for ((part, proof), hash) in PARTS.iter().zip(&mut proofs).zip(hashes) {
        if before.erased.contains(part) {
            *proof = PartProof::Hash(hash);
        }
    }
    proofs
}

/// The event as it is after its parts were erased.
fn erased(event: &Event) -> Event {
    let mut event = event.clone();
    for part in event.erased.clone() {
        match part {
            Part::Actor => {
                event.actor.actor.id = Some("erased-1".to_owned());
                event.actor.actor.name = None;
                event.actor.actor.email = None;
            }
            Part::Change => (event.before, event.after) = (None, None),
            Part::Context => event.context = None,
            Part::Details => {
                (event.description, event.metadata) = (None, None);
                event.idempotency_key = None;
            }
            _ => {}
        }
    }
    event.redacted = count_marks(&event.as_given());
    event
}

fn signer() -> Signer {
    Signer::new(origin().as_str(), &[7; 32]).unwrap()
}

fn origin() -> Origin {
    Origin::new(uuid::Uuid::from_u128(7), &"acme".parse().unwrap())
}

/// The tree over a log, and what signs it.
struct Signed {
    leaves: Vec<Hash>,
    parts: Vec<Hash>,
    log: Vec<Event>,
}

impl Signed {
    fn new(mut log: Vec<Event>) -> Self {
        let (mut leaves, mut parts) = (Vec::new(), Vec::new());
        for (seq, event) in (1..).zip(&mut log) {
            event.seq = seq;
            event.id = EventId(uuid::Uuid::from_u128(u128::from(seq)));
            // Those that name themselves: redacted is counted.
            event.redacted = count_marks(&event.as_given());
            let hash = proven_parts_hash(&event.as_given(), event.source, &proofs(event));
            let header = Header {
                id: event.id,
                occurred_at: event.occurred_at,
                parts: hash,
                recorded_at: event.recorded_at,
                seq,
                tenant: &event.tenant,
                workspace: event.workspace.as_ref(),
            };
            leaves.push(leaf_hash(&header));
            parts.push(hash);
        }
        Self { leaves, parts, log }
    }

    fn note(&self, size: usize) -> Note {
        let checkpoint = Checkpoint {
            origin: origin(),
            size: size as u64,
            root: root(&self.leaves[..size]),
        };
        checkpoint.sign(&signer())
    }

    fn last(&self, rows: usize) -> LastLine {
        LastLine {
            checkpoint: self.note(self.log.len()).to_string(),
            rows: rows as u64,
            keys: vec![SigningKey {
                key: signer().verifier().to_string(),
                from: crate::time::Timestamp::from_micros(0),
                until: None,
            }],
        }
    }

    /// The lines of an export of some events.
    fn export(&self, which: &[usize], shown: Parts) -> Vec<String> {
        let mut composer = Composer::new(Format::Ndjson);
        let mut piece = composer.piece(0);
        for at in which {
            let before = &self.log[*at];
            let kept = Kept::new(erased(before));
            let mut row = kept.row();
            let path = inclusion_path(&self.leaves, *at).unwrap();
            let size = self.leaves.len() as u64;
            let proof = row
                .proven(shown, self.parts[*at], proofs(before), (size, path))
                .unwrap();
            piece.add_proven(&row, &proof).unwrap();
        }
        let mut file = String::from_utf8(piece.finish().unwrap()).unwrap();
        file += &String::from_utf8(self.last(which.len()).line().unwrap()).unwrap();
        file.lines().map(str::to_owned).collect()
    }
}

fn checked(lines: &[String]) -> Result<CheckedFile, FileFault> {
    checked_with(lines, None, &[])
}

fn checked_with(
    lines: &[String],
    trusted: Option<&[VerifierKey]>,
    kept: &[KeptCheckpoint],
) -> Result<CheckedFile, FileFault> {
    let mut checker = Checker::new();
    for line in lines {
        checker.take(check_line(line.as_bytes()))?;
    }
    checker.finish(trusted, kept)
}

fn told(lines: &[String]) -> String {
    checked(lines).unwrap_err().to_string()
}

fn some_log() -> Signed {
    let log = (0..7).map(|number| {
        let mut event = event();
        event.erased.clear();
        event.after =
            json!({"number": number, "password": "redacted:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"})
                .as_object()
                .cloned();
        event
    });
    Signed::new(log.collect())
}

#[test]
fn a_file_is_right_and_says_what_it_shows() {
    let log = some_log();
    let all: Vec<usize> = (0..7).collect();
    let file = checked(&log.export(&all, Parts::ALL)).unwrap();
    assert_eq!((file.rows, file.shown_by_all()), (7, Parts::ALL));
    assert_eq!(file.trusted, Trusted::OfTheFile);
    assert_eq!(file.key, signer().verifier());
    let some: Parts = "facts,objects".parse().unwrap();
    let lines = log.export(&[3, 0, 6], some);
    let file = checked(&lines).unwrap();
    assert_eq!(file.shown_by_all(), some);
    let others = "actor,via,change,details,context".parse().unwrap();
    assert_eq!(file.shown_by_none(), others);
    for secret in [
        "usr_1",
        "Alex",
        "agt_7",
        "billing-7731",
        "partial",
        "number",
        "::1",
        "true",
    ] {
        assert!(!lines[0].contains(secret), "{secret}: {}", lines[0]);
    }
    let none = checked(&log.export(&[], Parts::ALL)).unwrap();
    assert_eq!(none.rows, 0);
}

#[test]
fn a_row_that_is_removed_or_added_or_doubled_or_of_another_log_is_found() {
    let log = some_log();
    let lines = log.export(&[5, 4, 3, 2], Parts::ALL);
    let mut fewer = lines.clone();
    fewer.remove(1);
    assert_eq!(told(&fewer), "line 4: rows is 4, and the file has 3");
    let mut more = lines.clone();
    more.insert(1, log.export(&[0], Parts::ALL)[0].clone());
    assert_eq!(told(&more), "line 6: rows is 4, and the file has 5");
    let mut twice = lines.clone();
    twice.insert(3, lines[1].clone());
    assert!(
        told(&twice).starts_with("line 4: entry 5 ("),
        "{}",
        told(&twice)
    );
    let mut cut = lines.clone();
    cut.pop();
    assert!(told(&cut).starts_with("the file breaks off after line 4"));
    let mut after = lines.clone();
    after.push(lines[0].clone());
    assert_eq!(told(&after), "line 6: there is more after the last line, 5");
    // The first, one in the middle: which one it is, the checkpoint tells.
    let mut other = event();
    other.erased.clear();
    let stranger = Signed::new(vec![other; 6]).export(&[5, 1], Parts::ALL);
    for (at, line) in [(0, 1), (2, 3)] {
        let mut mixed = lines.clone();
        mixed[at].clone_from(&stranger[at / 2]);
        let found = told(&mixed);
        let place = format!("line {line}: proof does not lead to the tree that was signed");
        assert!(found.starts_with(&place), "{found}");
    }
}

#[test]
fn contents_and_proofs_that_changed_places_are_found() {
    let log = some_log();
    let mut lines = log.export(&[0, 1], Parts::ALL);
    let proof = |line: &str| line.find(",\"proof\":").unwrap();
    let (one, other) = (lines[0].clone(), lines[1].clone());
    lines[0] = format!("{}{}", &one[..proof(&one)], &other[proof(&other)..]);
    lines[1] = format!("{}{}", &other[..proof(&other)], &one[proof(&one)..]);
    assert!(
        told(&lines).starts_with("line 1: proof.header"),
        "{}",
        told(&lines)
    );
}

/// The row with something done to it.
fn with(line: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut row: Value = serde_json::from_str(line).unwrap();
    change(&mut row);
    row.to_string()
}

/// What is done to a row.
type Change = fn(&mut Value);

#[test]
fn what_is_altered_is_named() {
    let log = some_log();
    let lines = log.export(&[0, 1, 2], Parts::ALL);
    let hidden = log.export(&[0, 1, 2], "facts".parse().unwrap());
    let changes: [(&[String], Change, &str); 18] = [
        (
            &lines,
            |row| row["action"] = json!("OTHER"),
            "proof.header.parts",
        ),
        (
            &lines,
            |row| row["actor"]["name"] = json!("Mallory"),
            "proof.header.parts",
        ),
        (
            &lines,
            |row| row["after"]["number"] = json!(9),
            "proof.header.parts",
        ),
        (
            &lines,
            |row| row["verb"] = json!("delete"),
            "proof.header.parts",
        ),
        (
            &lines,
            |row| row["occurred_at"] = json!("2026-05-12T09:14:03.123457Z"),
            "proof.header.occurred_at",
        ),
        (
            &lines,
            |row| row["workspace"] = json!("revenue"),
            "proof.header.workspace",
        ),
        (&lines, |row| row["seq"] = json!(7), "proof.header.seq"),
        (&lines, |row| row["redacted"] = json!(5), "redacted"),
        (
            &lines,
            |row| row["proof"]["index"] = json!(2),
            "proof.index",
        ),
        (
            &lines,
            |row| row["proof"]["header"]["v"] = json!(2),
            "proof.header.v",
        ),
        (&lines, |row| row["erased"] = json!(["context"]), "erased"),
        (
            &lines,
            |row| row["colour"] = json!("red"),
            "cannot be read: unknown field `colour`",
        ),
        (
            &lines,
            |row| row["description"] = json!(""),
            "cannot be read: a text is empty",
        ),
        (
            &lines,
            |row| drop(row["proof"]["path"].as_array_mut().unwrap().pop()),
            "proof.path",
        ),
        (
            &hidden,
            |row| row["actor"]["name"] = json!("Mallory"),
            "actor.name is there",
        ),
        (&hidden, |row| row["after"] = json!({}), "after is there"),
        (
            &hidden,
            |row| row["related"][0]["id"] = json!("x"),
            "related[0].id is there",
        ),
        (
            &hidden,
            |row| {
                drop(
                    row["proof"]["hashes"]
                        .as_object_mut()
                        .unwrap()
                        .remove("via"),
                );
            },
            "proof.salts.via",
        ),
    ];
    for (file, change, expected) in changes {
        let mut altered = file.to_vec();
        altered[1] = with(&file[1], change);
        let found = told(&altered);
        assert!(
            found.starts_with(&format!("line 2: {expected}")),
            "{expected}: {found}"
        );
    }
    // A name that stands in the place of what was erased is no pseudonym.
    let mut forged = hidden.clone();
    forged[1] = with(&hidden[1], |row| {
        row["erased"] = json!(["actor"]);
        row["actor"]["email"] = json!("m@x.example");
    });
    assert!(
        told(&forged).starts_with("line 2: actor.email is there"),
        "{}",
        told(&forged)
    );
    let mut twice = lines.clone();
    twice[1] = twice[1].replacen("{\"id\"", "{\"action\":\"X\",\"id\"", 1);
    assert!(
        told(&twice).contains("duplicate field `action`"),
        "{}",
        told(&twice)
    );
}

#[test]
fn the_checkpoint_has_to_be_signed_by_who_is_trusted() {
    let log = some_log();
    let lines = log.export(&[0, 1], Parts::ALL);
    let own = [signer().verifier()];
    let trusted = checked_with(&lines, Some(&own), &[]).unwrap();
    assert_eq!(trusted.trusted, Trusted::Given);
    let other = Signer::new(origin().as_str(), &[8; 32]).unwrap().verifier();
    let refused = checked_with(&lines, Some(&[other]), &[])
        .unwrap_err()
        .to_string();
    assert!(
        refused.ends_with("is signed by none of the keys that are trusted"),
        "{refused}"
    );
    // Of the same secret, but another log's.
    let elsewhere = Signer::new("daybook/elsewhere/acme", &[7; 32])
        .unwrap()
        .verifier();
    let refused = checked_with(&lines, Some(&[elsewhere]), &[])
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("line 3: checkpoint is signed by none"),
        "{refused}"
    );
    // Another size with the same signature.
    let mut altered = lines.clone();
    altered[2] = altered[2].replacen("\\n7\\n", "\\n8\\n", 1);
    assert!(
        told(&altered)
            .contains("line 3: checkpoint is signed by a known key, but not as it stands")
    );
    let mut nobody = lines.clone();
    nobody[2] = with(&lines[2], |last| last["keys"] = json!([]));
    assert!(told(&nobody).contains("line 3: checkpoint is signed by none of the keys in the file"));
}

#[test]
fn a_checkpoint_that_was_kept_is_compared_as_far_as_a_file_can_tell() {
    let log = some_log();
    let lines = log.export(&[0, 1], Parts::ALL);
    let kept = |note: Note| KeptCheckpoint {
        name: "may.txt".to_owned(),
        note,
    };
    for (size, expected) in [(7, KeptStanding::Same), (3, KeptStanding::Older)] {
        let file = checked_with(&lines, None, &[kept(log.note(size))]).unwrap();
        assert_eq!(file.kept, [("may.txt".to_owned(), size as u64, expected)]);
    }
    let mut longer = log.log.clone();
    longer.push(longer[0].clone());
    let file = checked_with(&lines, None, &[kept(Signed::new(longer).note(8))]).unwrap();
    assert_eq!(file.kept[0].2, KeptStanding::Newer);
    let mut others = log.log.clone();
    others[6].description = Some("other".to_owned());
    let wrong = [
        (
            Signed::new(others).note(7),
            "may.txt: was signed of 7 other entries",
        ),
        (
            Checkpoint {
                origin: Origin::new(uuid::Uuid::nil(), &"acme".parse().unwrap()),
                size: 7,
                root: root(&log.leaves),
            }
            .sign(&signer()),
            "may.txt: is a checkpoint of daybook/0000",
        ),
        (
            Checkpoint {
                origin: origin(),
                size: 3,
                root: root(&log.leaves[..3]),
            }
            .sign(&Signer::new(origin().as_str(), &[9; 32]).unwrap()),
            "may.txt: is signed by none",
        ),
    ];
    for (note, expected) in wrong {
        let found = checked_with(&lines, None, &[kept(note)])
            .unwrap_err()
            .to_string();
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn keys_are_read_as_they_are_answered_or_a_line_each() {
    let key = signer().verifier();
    let answered =
        json!({"keys": [{"key": key.to_string(), "from": "2026-05-12T09:14:03Z", "until": null}]});
    let lines = format!("# Daybook's\n\n{key}\n");
    for text in [answered.to_string(), lines] {
        assert_eq!(read_keys(&text).as_deref(), Ok(&[key.clone()][..]));
    }
    for text in [
        "",
        "{}",
        "{\"keys\":[]}",
        "# none",
        "key\n",
        "{\"keys\":[{\"key\":\"x\"}]}",
    ] {
        assert!(read_keys(text).is_err(), "{text}");
    }
}

fn name() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[a-zé\"\\\\ ]{1,5}")
}

fn state() -> impl Strategy<Value = Option<crate::event::Object>> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<f64>()
            .prop_filter("JSON", |number| number.is_finite())
            .prop_map(Value::from),
        (-1_000_000_i64..1_000_000).prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
        Just(json!("redacted:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a")),
        Just(json!([{"a": [], "": {}}, true])),
    ];
    let members = proptest::collection::btree_map("[a-c\u{e9}\u{1f600}]{0,2}", value, 0..3);
    proptest::option::of(members.prop_map(|members| members.into_iter().collect()))
}

fn any_event() -> impl Strategy<Value = Event> {
    let names = (name(), name(), name(), name(), name());
    let states = (state(), state(), state(), state());
    let erased = proptest::sample::subsequence(
        vec![Part::Actor, Part::Change, Part::Details, Part::Context],
        0..=4,
    );
    let rest = (0..3_usize, 0..3_usize, any::<bool>(), any::<bool>(), erased);
    (names, states, rest).prop_map(
        |(names, states, (via, related, is_given, is_own, erased))| {
            let mut event = event();
            let (name, description, operation, key, thing) = names;
            event.actor.actor.name = name;
            event.description = description;
            event.operation = operation;
            event.idempotency_key = key;
            event.target.name = thing;
            (event.before, event.after, event.metadata, event.context) = states;
            event.via = vec![event.via[0].clone(); via];
            event.related = vec![event.related[0].clone(); related];
            if !is_given {
                event.given.clear();
            }
            if is_own {
                event.workspace = None;
                event.source = None;
            }
            event.erased = erased;
            event
        },
    )
}

fn any_parts() -> impl Strategy<Value = Parts> {
    proptest::sample::subsequence(Part::ALL.to_vec(), 0..=7)
        .prop_map(|parts| parts.into_iter().collect())
}

proptest! {
    #[test]
    fn whatever_is_exported_of_any_log_with_any_parts_is_right(
        log in proptest::collection::vec(any_event(), 1..6), shown in any_parts(), some in any::<u8>()
    ) {
        let log = Signed::new(log);
        let which: Vec<usize> = (0..log.log.len()).filter(|at| some >> at & 1 == 0).collect();
        let lines = log.export(&which, shown);
        let file = checked(&lines);
        prop_assert!(file.is_ok(), "{:?}\n{}", file, lines.join("\n"));
    }

    #[test]
    fn a_byte_that_is_changed_is_found_or_says_the_same(
        event in any_event(), shown in any_parts(), place in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let log = Signed::new(vec![event.clone(), event.clone(), event]);
        let mut lines = log.export(&[2, 0, 1], shown);
        let mut bytes = lines[1].clone().into_bytes();
        let at = place.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let before: Value = serde_json::from_str(&lines[1]).unwrap();
        let mut checker = Checker::new();
        checker.take(check_line(lines[0].as_bytes())).unwrap();
        let found = match checker.take(check_line(&bytes)) {
            Err(fault) => Err(fault),
            Ok(()) => {
                lines[1] = String::from_utf8(bytes.clone()).unwrap();
                checked(&lines).map(drop)
            }
        };
        match found {
            Err(fault) => prop_assert!(fault.to_string().starts_with("line 2: "), "{}", fault),
            // Readings alone are not proved, nor what stands in the place of an erased actor.
            Ok(()) => {
                let mut after: Value = serde_json::from_slice(&bytes).unwrap();
                let mut before = before;
                for row in [&mut before, &mut after] {
                    for reading in ["verb", "category"] {
                        let given = row["given"].as_array().unwrap().contains(&json!(reading));
                        if !given {
                            row[reading] = Value::Null;
                        }
                    }
                    if row["erased"].as_array().unwrap().contains(&json!("actor")) {
                        row["actor"]["id"] = Value::Null;
                    }
                }
                prop_assert_eq!(before, after);
            }
        }
    }
}

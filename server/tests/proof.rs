//! Proofs over HTTP: checkpoints, that an event is in one, that one is a past of another, and with which
//! keys they are signed.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use domain::{
    event::{Event, Part},
    leaf::{Hash, PartProof, Salt, leaf_hash, proven_parts_hash},
    proof::{Checkpoint, Note, VerifierKey, check_consistency, root_from_path},
};
use harness::{Client, Daybook, READ_AND_WRITE, Setting, event, members_of, wait_for};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The tenant's newest checkpoint, whose signature is good.
fn checkpoint(client: &Client) -> Checkpoint {
    let answer = client.get("/api/v1/proof/checkpoint").expect(200);
    assert!(answer.header("content-type").starts_with("text/plain"));
    verified(client, &answer.text())
}

fn keys(client: &Client) -> Vec<VerifierKey> {
    let answer = client.get("/api/v1/proof/keys").expect(200).json();
    let keys = answer["keys"].as_array().unwrap().iter();
    keys.map(|key| key["key"].as_str().unwrap().parse().unwrap())
        .collect()
}

fn verified(client: &Client, note: &str) -> Checkpoint {
    let note: Note = note.parse().unwrap();
    let keys = keys(client);
    let key = note.verified_by(&keys).unwrap();
    let checkpoint = Checkpoint::try_from(&note).unwrap();
    assert_eq!(checkpoint.origin.as_str(), key.name());
    checkpoint
}

/// The checkpoint that covers so many entries, when it is made.
fn covering(client: &Client, entries: u64) -> Checkpoint {
    wait_for("a checkpoint", || {
        Some(checkpoint(client)).filter(|made| made.size >= entries)
    })
}

fn hashes(values: &Value) -> Vec<Hash> {
    serde_json::from_value(values.clone()).unwrap()
}

/// The hash over the parts of an event, as its proof salts them.
fn parts_of(shown: &Value, proof: &Value) -> Hash {
    let event: Event = serde_json::from_value(shown.clone()).unwrap();
    let proofs: Vec<PartProof> = Part::ALL
        .iter()
        .map(|part| match proof["salts"].get(part.as_str()) {
            Some(salt) => PartProof::Salt(serde_json::from_value::<Salt>(salt.clone()).unwrap()),
            None => {
                let hash = &proof["hashes"][part.as_str()];
                PartProof::Hash(serde_json::from_value(hash.clone()).unwrap())
            }
        })
        .collect();
    let proofs = proofs.try_into().unwrap();
    proven_parts_hash(&event.as_given(), event.source, &proofs)
}

/// The leaf that an event and its proof come to.
fn leaf_of(shown: &Value, proof: &Value) -> Hash {
    let header = &proof["header"];
    assert_eq!(header["parts"], parts_of(shown, proof).to_string());
    for member in ["id", "occurred_at", "recorded_at", "seq", "tenant"] {
        assert_eq!(header[member], shown[member], "{member}");
    }
    assert_eq!(
        header.get("workspace").unwrap_or(&Value::Null),
        &shown["workspace"]
    );
    assert_eq!(header["v"], 1);
    // serde_json keeps members in the order of their names, and writes none of these otherwise than RFC
    // 8785 does.
    let digest = Sha256::new()
        .chain_update([0])
        .chain_update(header.to_string());
    Hash(digest.finalize().into())
}

#[test]
fn every_event_is_proved_from_what_is_answered_alone() {
    let setting = Setting::new();
    let sent: Vec<Value> = (0..30)
        .map(|n| {
            let mut event = event(&format!("ACTION_{n}"));
            event["metadata"] = json!({ "n": n, "text": "Åse \u{1F600}", "small": 1e-7 });
            event["verb"] = json!("create");
            event
        })
        .collect();
    setting.sender.send(&json!(sent)).expect(201);
    let client = &setting.sender;
    let events = client.walk("limit=500").events;
    assert!(events.len() > 30);
    let mut leaves = Vec::new();
    for shown in &events {
        let id = shown["id"].as_str().unwrap();
        let answer = client
            .get(&format!("/api/v1/proof/inclusion?event={id}"))
            .expect(200);
        assert_eq!(
            members_of(&answer.text()),
            [
                "header",
                "salts",
                "hashes",
                "index",
                "size",
                "path",
                "checkpoint"
            ]
        );
        let proof = answer.json();
        let signed = verified(client, proof["checkpoint"].as_str().unwrap());
        let (index, size) = (
            proof["index"].as_u64().unwrap(),
            proof["size"].as_u64().unwrap(),
        );
        assert_eq!(
            (index + 1, size),
            (shown["seq"].as_u64().unwrap(), signed.size)
        );
        let leaf = leaf_of(shown, &proof);
        let reached = root_from_path(&leaf, index, size, &hashes(&proof["path"]));
        assert_eq!(reached, Ok(signed.root), "{shown}");
        leaves.push(leaf);
        // Another event is not proved by it.
        let mut altered = shown.clone();
        altered["actor"]["name"] = json!("Somebody Else");
        assert_ne!(
            proof["header"]["parts"],
            parts_of(&altered, &proof).to_string()
        );
    }
    leaves.sort();
    leaves.dedup();
    assert_eq!(leaves.len(), events.len());
}

#[test]
fn a_checkpoint_is_made_soon_after_what_arrives_and_goes_on_from_the_one_before() {
    let setting = Setting::new();
    let client = &setting.sender;
    let mut before = checkpoint(client);
    for round in 0..3 {
        let sent: Vec<Value> = (0..200).map(|n| event(&format!("A_{round}_{n}"))).collect();
        client.send(&json!(sent)).expect(201);
        let after = covering(client, before.size + 200);
        let question = format!("from={}&to={}", before.size, after.size);
        let answer = client
            .get(&format!("/api/v1/proof/consistency?{question}"))
            .expect(200);
        assert_eq!(members_of(&answer.text()), ["path"]);
        let path = hashes(&answer.json()["path"]);
        let (from, to) = ((before.size, before.root), (after.size, after.root));
        assert_eq!(check_consistency(from, to, &path), Ok(()));
        before = after;
    }
}

#[test]
fn who_may_read_gets_proofs_of_their_own_events_and_of_the_whole_tree() {
    let daybook = Daybook::acme().workspace("acme/revenue");
    let secret = |place: &str, scopes: &[&str]| daybook.token(place, scopes);
    let tokens = [
        secret("acme/growth", &READ_AND_WRITE),
        secret("acme/revenue", &["events:read"]),
        secret("acme", &["events:read"]),
        secret("acme/growth", &["events:write"]),
    ];
    let server = daybook.serve();
    let [growth, revenue, acme, writer] = tokens.map(|secret| server.client().with_token(&secret));
    let id = growth
        .send(&json!(event("DONE")))
        .expect(201)
        .ids()
        .remove(0);
    let inclusion = format!("/api/v1/proof/inclusion?event={id}");
    growth.get(&inclusion).expect(200);
    acme.get(&inclusion).expect(200);
    revenue.get(&inclusion).expect(404);
    for path in [
        &inclusion,
        "/api/v1/proof/checkpoint",
        "/api/v1/proof/keys",
        "/api/v1/proof/consistency?from=1&to=1",
    ] {
        if *path != inclusion {
            let answers =
                [&growth, &revenue, &acme].map(|client| client.get(path).expect(200).text());
            assert!(!answers[0].is_empty(), "{path}");
        }
        let refused = writer.get(path).expect(403).json();
        assert_eq!(refused["scope"], "events:read", "{path}");
        server.client().get(path).expect(401);
    }
}

#[test]
fn what_is_not_a_question_is_refused_by_name() {
    let setting = Setting::new();
    let client = &setting.sender;
    for (path, parameter) in [
        ("inclusion", "event"),
        ("inclusion?event=", "event"),
        ("inclusion?event=x", "event"),
        ("inclusion?event=x&colour=red", "colour"),
        ("consistency?from=1", "to"),
        ("consistency?from=one&to=2", "from"),
        ("consistency?from=2&to=1", "from"),
        ("consistency?from=-1&to=1", "from"),
        ("consistency?from=1&to=1&to=2", "to"),
        ("consistency?from=1&to=1000000", "to"),
    ] {
        let refused = client
            .get(&format!("/api/v1/proof/{path}"))
            .expect(400)
            .json();
        assert_eq!(
            refused["parameters"][0]["parameter"], parameter,
            "{path}: {refused}"
        );
    }
    let nobodys = "01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11";
    client
        .get(&format!("/api/v1/proof/inclusion?event={nobodys}"))
        .expect(404);
}

#[test]
fn what_was_recorded_is_covered_when_the_server_or_a_command_ends() {
    let setting = Setting::new();
    let sent: Vec<Value> = (0..50).map(|n| event(&format!("A_{n}"))).collect();
    setting.sender.send(&json!(sent)).expect(201);
    let (status, _) = setting.server.stop();
    assert!(status.success());
    let uncovered = || {
        let recorded = setting
            .daybook
            .ask_database("SELECT max(seq) FROM leaf")
            .unwrap();
        let covered = setting
            .daybook
            .ask_database("SELECT max(size) FROM checkpoint")
            .unwrap();
        recorded - covered
    };
    assert_eq!(uncovered(), 0);
    let before = setting
        .daybook
        .ask_database("SELECT max(seq) FROM leaf")
        .unwrap();
    setting
        .daybook
        .run(&[
            "token",
            "create",
            "--workspace",
            "acme/growth",
            "--name",
            "x",
            "--scope",
            "events:read",
        ])
        .succeeded();
    assert!(
        setting
            .daybook
            .ask_database("SELECT max(seq) FROM leaf")
            .unwrap()
            > before
    );
    assert_eq!(uncovered(), 0);
    // A command that records nothing makes none.
    let made = || {
        setting
            .daybook
            .ask_database("SELECT count(*) FROM checkpoint")
            .unwrap()
    };
    let before = made();
    setting.daybook.run(&["token", "list"]).succeeded();
    assert_eq!(made(), before);
}

#[test]
fn a_key_is_rotated_beside_a_running_server_which_signs_with_it() {
    let setting = Setting::new();
    let client = &setting.sender;
    let before = client.get("/api/v1/proof/checkpoint").expect(200).text();
    let old = keys(client).remove(0);
    let ran = setting.daybook.run(&["key", "rotate"]).succeeded();
    assert!(ran.out.contains("signs from"), "{}", ran.out);
    let listed = client.get("/api/v1/proof/keys").expect(200).json();
    let listed = listed["keys"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["until"], listed[1]["from"]);
    assert_eq!(listed[1]["until"], Value::Null);
    let new = keys(client).remove(1);
    // The server recorded it, and covers it.
    let sent = client.send(&json!(event("AFTER"))).expect(201).json();
    let seq = sent["events"][0]["seq"].as_u64().unwrap();
    covering(client, seq);
    let note = client.get("/api/v1/proof/checkpoint").expect(200).text();
    let note: Note = note.parse().unwrap();
    assert_eq!(note.verified_by(std::slice::from_ref(&new)), Ok(&new));
    // What was signed before stays good.
    let before: Note = before.parse().unwrap();
    assert_eq!(before.verified_by(std::slice::from_ref(&old)), Ok(&old));
    verified(client, &before.to_string());
}

#[test]
fn a_leafs_header_is_in_the_form_that_is_hashed() {
    let setting = Setting::new();
    let id = setting
        .sender
        .send(&json!(event("DONE")))
        .expect(201)
        .ids()
        .remove(0);
    let answer = setting
        .sender
        .get(&format!("/api/v1/proof/inclusion?event={id}"))
        .expect(200);
    let text = answer.text();
    let proof = answer.json();
    let header = proof["header"].to_string();
    assert!(text.contains(&header), "as it is hashed: {text}");
    let tenant = proof["header"]["tenant"].as_str().unwrap().parse().unwrap();
    let workspace = proof["header"]["workspace"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let read = |member: &str| proof["header"][member].as_str().unwrap().to_owned();
    let hash = leaf_hash(&domain::leaf::Header {
        id: read("id").parse().unwrap(),
        occurred_at: read("occurred_at").parse().unwrap(),
        parts: read("parts").parse().unwrap(),
        recorded_at: read("recorded_at").parse().unwrap(),
        seq: proof["header"]["seq"].as_u64().unwrap(),
        tenant: &tenant,
        workspace: Some(&workspace),
    });
    let shown = setting
        .sender
        .get(&format!("/api/v1/events/{id}"))
        .expect(200)
        .json();
    assert_eq!(leaf_of(&shown, &proof), hash);
}

#[test]
fn a_log_is_verified_beside_its_server_and_without_its_keys() {
    let setting = Setting::new();
    let sent: Vec<Value> = (0..300).map(|n| event(&format!("A_{n}"))).collect();
    setting.sender.send(&json!(sent)).expect(201);
    let recorded = setting
        .daybook
        .ask_database("SELECT max(seq) FROM leaf")
        .unwrap();
    covering(&setting.sender, recorded.cast_unsigned());
    let note = setting
        .sender
        .get("/api/v1/proof/checkpoint")
        .expect(200)
        .text();
    let kept = setting.daybook.write("kept.txt", &note);
    let ran = setting.daybook.run(&["verify"]).succeeded();
    assert!(ran.out.contains("are what was recorded"), "{}", ran.out);
    assert!(ran.out.contains("covers all of them"), "{}", ran.out);
    assert!(
        ran.out
            .contains("Not checked: whether this database is an older copy"),
        "{}",
        ran.out
    );
    let ran = setting
        .daybook
        .run(&["verify", "--checkpoint", &kept])
        .succeeded();
    assert!(ran.out.contains("is a past of this log"), "{}", ran.out);
    // Another's, one that was altered, one that is none, and one that is not there.
    let other = setting
        .daybook
        .write("other.txt", note.replace("/acme", "/globex"));
    setting
        .daybook
        .run(&["verify", "--checkpoint", &other])
        .refused(1, "which is not in this database");
    let lines: Vec<&str> = note.lines().collect();
    let more = note.replacen(lines[1], &format!("{}9", lines[1]), 1);
    let more = setting.daybook.write("more.txt", more);
    setting
        .daybook
        .run(&["verify", "--checkpoint", &more])
        .refused(1, "it was altered");
    let none = setting.daybook.write("none.txt", "nothing");
    setting
        .daybook
        .run(&["verify", "--checkpoint", &none])
        .refused(1, "is no signed note");
    setting
        .daybook
        .run(&["verify", "--checkpoint", "/nowhere/x.txt"])
        .refused(1, "cannot be read");
    // Without the key file, which it does not need.
    let daybook = setting.daybook;
    setting.server.stop();
    let elsewhere = daybook.path("no.key").display().to_string();
    let daybook = daybook.variable("DAYBOOK_KEY_FILE", &elsewhere);
    daybook.run(&["verify"]).succeeded();
    daybook.run(&["token", "list"]).refused(1, "is not there");
}

#[test]
fn a_demo_is_right_from_its_first_entry_on() {
    let daybook = Daybook::new();
    daybook
        .run(&["demo", "--events", "3000", "--days", "60", "--seed", "7"])
        .succeeded();
    let ran = daybook.run(&["verify"]).succeeded();
    assert!(ran.out.contains("covers all of them"), "{}", ran.out);
    // What its retention lets go is permitted.
    daybook
        .run(&[
            "settings",
            "set",
            "--workspace",
            "acme/growth",
            "--retention",
            "30d",
            "--now",
        ])
        .succeeded();
    daybook.run(&["retention", "run"]).succeeded();
    let ran = daybook.run(&["verify"]).succeeded();
    assert!(
        ran.out.contains("was deleted, under releases"),
        "{}",
        ran.out
    );
}

#[test]
fn what_was_altered_is_named_and_ends_with_status_1() {
    let setting = Setting::new();
    setting.sender.send(&json!(event("DONE"))).expect(201);
    let daybook = setting.daybook;
    setting.server.stop();
    let lifted = if harness::postgres().is_some() {
        "ALTER TABLE action DISABLE TRIGGER action_stays"
    } else {
        "DROP TRIGGER action_keeps"
    };
    for statement in [
        lifted,
        "UPDATE action SET action = 'UNDONE' WHERE action = 'DONE'",
    ] {
        daybook.ask_database(statement).unwrap();
    }
    daybook
        .run(&["verify"])
        .refused(1, "does not say what was recorded: its content is another");
}

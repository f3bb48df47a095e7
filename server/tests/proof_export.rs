//! Exports that carry their proof: checked by the program, and by a script that is built on libraries of
//! others and knows nothing of the program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use flate2::{Compression, write::GzEncoder};
use harness::{Client, Daybook, Ran, Server, event, wait_for, with};
use serde_json::{Value, json};
use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const SCOPES: [&str; 3] = ["events:write", "events:read", "events:export"];

struct Place {
    daybook: Daybook,
    server: Server,
    client: Client,
}

impl Place {
    /// A log with events of every kind of content, more than a tile of the tree holds.
    fn new() -> Self {
        let daybook = Daybook::acme().workspace("acme/revenue");
        let secret = daybook.token("acme/growth", &SCOPES);
        let other = daybook.token("acme/revenue", &SCOPES);
        let server = daybook.serve();
        let client = server.client().with_token(&secret);
        for batch in 0..4 {
            client.send(&events(batch)).expect(201);
            let other = server.client().with_token(&other);
            other.send(&events(batch + 10)).expect(201);
        }
        Self {
            daybook,
            server,
            client,
        }
    }

    fn export(&self, more: &[&str]) -> String {
        let mut line = vec!["export", "--workspace", "acme/growth", "--format", "ndjson"];
        line.extend(["--with-proof"]);
        line.extend(more);
        self.daybook.run(&line).succeeded().out
    }

    fn verify(&self, file: &str, more: &[&str]) -> Ran {
        let path = self.daybook.write("export.ndjson", file);
        let mut line = vec!["verify", "--export", &path];
        line.extend(more);
        self.daybook.run(&line)
    }

    /// What is wrong with a file, after its name.
    #[track_caller]
    fn wrong(&self, file: &str) -> String {
        let ran = self.verify(file, &[]).refused(1, "export.ndjson: ");
        let (_, told) = ran.err.trim_end().split_once("export.ndjson: ").unwrap();
        told.to_owned()
    }

    /// What others say of a file.
    fn asked_of_others(&self, what: &str, given: &str) -> Output {
        let path = self.daybook.write("given", given);
        asked_of_others(what, Path::new(&path))
    }

    #[track_caller]
    fn right_by_others(&self, what: &str, given: &str) -> String {
        let output = self.asked_of_others(what, given);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Runs the script. What it takes is installed by `./dev test`, and by `./dev setup`.
fn asked_of_others(what: &str, path: &Path) -> Output {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = env::var_os("DAYBOOK_TEST_PYTHON")
        .map_or_else(|| here.join("../target/python/bin/python"), PathBuf::from);
    let script = here.join("tests/python/check_proofs.py");
    let mut command = Command::new(&python);
    command.arg("-I").arg(script).arg(what).arg(path);
    let output = command.output();
    output.unwrap_or_else(|error| panic!("{}: {error}; run ./dev setup", python.display()))
}

/// Forty events, each with something else in it.
fn events(batch: usize) -> Value {
    let texts = [
        "plain",
        "é ✓ 𝄞",
        "\u{7f}\u{1}\t\"\\/",
        "=1+1",
        "\u{2028}\u{e000}",
    ];
    let events = (0..40).map(|number| {
        let text = texts[number % texts.len()];
        let mut event = event(["MEMBER_ADDED", "secret:rotate", "x"][number % 3]);
        event["idempotency_key"] = json!(format!("{text} {batch}.{number}"));
        event["actor"]["name"] = json!(text);
        event["actor"]["email"] = json!(format!("a{number}@acme.example"));
        event["target"] = json!({"kind": "secret", "id": format!("sec_{number}"), "name": text,
            "url": "https://acme.example/é"});
        if number % 2 == 0 {
            event["operation"] = json!(text);
            event["via"] = json!([{"kind": "agent", "id": "agt_1", "name": text},
                {"kind": "token", "id": "tok_2"}]);
            event["related"] =
                json!([{"kind": "user", "id": "usr_2"}, {"kind": "user", "name": text}]);
            event["verb"] = json!("rotate");
            event["outcome"] = json!("denied");
        }
        if number % 3 == 0 {
            event["before"] =
                json!({"password": "hunter2", "n": 1e-7, text: [null, {}, [], 0.1, 1e21]});
            event["after"] =
                json!({"password": "hunter3", "n": -0.0, "big": 9_007_199_254_740_991_i64});
            event["metadata"] = json!({});
            event["category"] = json!("members");
        }
        if number % 5 == 0 {
            event["context"] = json!({"ip": "203.0.113.9", "request_id": text});
            event["description"] = json!(format!("{text}\nin two lines"));
        }
        event
    });
    events.collect::<Vec<_>>().into()
}

fn rows(file: &str) -> Vec<Value> {
    file.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The file with one of its lines, from 1, made another.
fn with_line(file: &str, number: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    let mut row: Value = serde_json::from_str(&lines[number - 1]).unwrap();
    change(&mut row);
    lines[number - 1] = row.to_string();
    lines.join("\n") + "\n"
}

#[test]
fn the_test_vectors_are_right_by_others() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = asked_of_others("vectors", &here.join("../docs/proof/vectors.json"));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "4 events\n");
}

#[test]
fn whatever_is_exported_is_right_by_our_own_check_and_by_others() {
    let place = Place::new();
    for more in [
        &[][..],
        &["--target-id", "sec_3"],
        &["--sort", "actor"],
        &[
            "--order",
            "asc",
            "--verb",
            "rotate",
            "--parts",
            "facts,objects",
        ],
        &["--parts", "actor"],
        &["--parts", "facts"],
        &["--parts", "via,context,details", "--action", "x"],
        &["--parts", "change,objects,via", "--outcome", "denied"],
        &["--q", "nothing has this name"],
    ] {
        let file = place.export(more);
        let lines = file.lines().count();
        let ran = place.verify(&file, &[]).succeeded();
        let told = place.right_by_others("export", &file);
        assert_eq!(told, format!("{} rows\n", lines - 1), "{more:?}");
        let size = if lines == 1 {
            "no entries".to_owned()
        } else {
            format!("all {} entries", lines - 1)
        };
        assert!(ran.out.contains(&size), "{more:?}: {}", ran.out);
        assert!(
            ran.out.contains("a key that the file itself names"),
            "{}",
            ran.out
        );
        assert!(ran.out.contains("no entry is missing"), "{}", ran.out);
    }
    let all = rows(&place.export(&[]));
    assert!(all.len() > 160, "{}", all.len());
    let last = all.last().unwrap();
    assert_eq!(last["rows"], all.len() - 1);
    assert!(all[0]["proof"].get("checkpoint").is_none());
}

#[test]
fn through_the_api_it_is_the_same_file() {
    let place = Place::new();
    let path = "/api/v1/events/export?format=ndjson&with_proof=true&action=x";
    let file = place.client.get(path).expect(200).text();
    place.verify(&file, &[]).succeeded();
    place.right_by_others("export", &file);
    let shown = |file: &str| {
        let mut rows = rows(file);
        rows.pop();
        for row in &mut rows {
            // Of another checkpoint: the exports themselves were recorded meanwhile.
            row["proof"]
                .as_object_mut()
                .unwrap()
                .retain(|name, _| name != "path" && name != "size");
        }
        rows
    };
    assert_eq!(shown(&file), shown(&place.export(&["--action", "x"])));
    let some = place
        .client
        .get(&format!("{path}&parts=facts,change"))
        .expect(200)
        .text();
    assert_eq!(
        shown(&some),
        shown(&place.export(&["--action", "x", "--parts", "change,facts"]))
    );
    place.right_by_others("export", &some);
    for (question, parameter) in [
        ("format=csv&with_proof=true", "with_proof"),
        ("format=ndjson&parts=facts", "parts"),
        ("format=ndjson&with_proof=true&parts=everything", "parts"),
    ] {
        let refused = place
            .client
            .get(&format!("/api/v1/events/export?{question}"));
        let refused = refused.expect(400).json();
        assert_eq!(
            refused["parameters"][0]["parameter"], parameter,
            "{refused}"
        );
    }
    // The log tells what went out.
    let told = place
        .client
        .walk("action=AUDIT_EXPORT_STARTED&order=asc")
        .events;
    assert_eq!(told[0]["metadata"]["with_proof"], true);
    assert_eq!(told[0]["metadata"].get("parts"), None);
    let parts: Vec<&Value> = told
        .iter()
        .filter_map(|event| event["metadata"].get("parts"))
        .collect();
    assert_eq!(
        parts,
        [&json!(["facts", "change"]), &json!(["facts", "change"])]
    );
}

#[test]
fn of_parts_that_are_left_out_nothing_is_in_the_file() {
    let place = Place::new();
    let mut secret = event("HIDDEN");
    for (pointer, value) in [
        (
            "/actor",
            json!({"kind": "user", "id": "secret-1", "name": "secret-2", "email": "secret-3@x.example"}),
        ),
        (
            "/via",
            json!([{"kind": "agent", "id": "secret-4", "name": "secret-5"}]),
        ),
        (
            "/target",
            json!({"kind": "token", "id": "secret-6", "name": "secret-7", "url": "https://secret-8.example"}),
        ),
        (
            "/related",
            json!([{"kind": "user", "id": "secret-9", "name": "secret-10"}]),
        ),
        ("/operation", json!("fact-1")),
        ("/description", json!("secret-11")),
        ("/idempotency_key", json!("secret-12")),
        ("/before", json!({"plain-13": "secret-14"})),
        ("/after", json!({"password": "secret-15"})),
        ("/metadata", json!({"secret-16": 1})),
        ("/context", json!({"ip": "secret-17"})),
    ] {
        secret[&pointer[1..]] = value;
    }
    place.client.send(&secret).expect(201);
    let file = place.export(&["--action", "HIDDEN", "--parts", "facts"]);
    assert!(
        file.contains("fact-1") && !file.contains("secret-"),
        "{file}"
    );
    let row = &rows(&file)[0];
    assert_eq!(row["redacted"], 0);
    assert_eq!(
        row["via"],
        json!([{"kind": "agent", "id": null, "name": null, "email": null}])
    );
    let names: Vec<&String> = row["proof"]["hashes"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["actor", "change", "context", "details", "objects", "via"]
    );
    let file = place.export(&["--target-kind", "token", "--parts", "change"]);
    for not_shown in [
        "HIDDEN",
        "fact-1",
        "agent",
        "user",
        "secret-1\"",
        "secret-7",
        "denied",
        "success",
    ] {
        assert!(!file.contains(not_shown), "{not_shown}: {file}");
    }
    assert_eq!(rows(&file)[0]["redacted"], 1);
    let ran = place.verify(&file, &[]).succeeded();
    assert!(ran.out.contains("Each shows: change.\n"), "{}", ran.out);
    assert!(
        ran.out
            .contains("nothing but their hashes: facts, actor, via, objects, details, context."),
        "{}",
        ran.out
    );
}

#[test]
fn what_was_done_to_a_file_is_found_with_its_line() {
    let place = Place::new();
    let file = place.export(&["--action", "x"]);
    let count = file.lines().count();
    let altered = with_line(&file, 7, |row| row["target"]["name"] = json!("another"));
    assert!(
        place
            .wrong(&altered)
            .starts_with("line 7: proof.header.parts is not")
    );
    assert!(!place.asked_of_others("export", &altered).status.success());
    let altered = with_line(&file, 9, |row| {
        row["occurred_at"] = json!("2020-01-01T00:00:00.000000Z");
        row["proof"]["header"]["occurred_at"] = json!("2020-01-01T00:00:00.000000Z");
    });
    assert!(
        place
            .wrong(&altered)
            .starts_with("line 9: proof does not lead to the tree")
    );
    assert!(!place.asked_of_others("export", &altered).status.success());
    let lines: Vec<&str> = file.split_inclusive('\n').collect();
    let without: String = [&lines[..3], &lines[4..]].concat().concat();
    assert_eq!(
        place.wrong(&without),
        format!(
            "line {}: rows is {}, and the file has {}",
            count - 1,
            count - 1,
            count - 2
        )
    );
    let twice: String = [&lines[..5], &lines[2..]].concat().concat();
    assert!(
        place.wrong(&twice).starts_with("line 6: entry "),
        "{}",
        place.wrong(&twice)
    );
    let cut: String = lines[..count - 1].concat();
    assert!(
        place
            .wrong(&cut)
            .starts_with(&format!("the file breaks off after line {}", count - 1))
    );
    let cut = &file[..file.len() - 1];
    assert!(
        place.wrong(cut).contains("breaks off in it"),
        "{}",
        place.wrong(cut)
    );
    assert_eq!(
        place.wrong(""),
        "the file breaks off after line 0: its last line, with the checkpoint and the \
        number of rows, is not there"
    );
    let plain = place
        .daybook
        .run(&["export", "--workspace", "acme/growth", "--format", "ndjson"]);
    let told = place.wrong(&plain.succeeded().out);
    assert_eq!(told, "line 1: cannot be read: missing field `proof`");
}

#[test]
fn a_file_is_read_packed_and_from_standard_input_and_without_any_log() {
    let place = Place::new();
    let file = place.export(&["--action", "x"]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(file.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    // Nothing of Daybook's is there.
    let elsewhere = Daybook::new();
    let path = elsewhere.write("log.ndjson.gz", &packed);
    elsewhere.run(&["verify", "--export", &path]).succeeded();
    let ran = elsewhere
        .run_with(&["verify", "--export", "-"], &file)
        .succeeded();
    assert!(ran.out.starts_with("standard input: all "), "{}", ran.out);
    assert_eq!(fs::read_dir(elsewhere.path(".")).unwrap().count(), 1);
    let cut = elsewhere.write("cut.gz", &packed[..packed.len() / 2]);
    elsewhere
        .run(&["verify", "--export", &cut])
        .refused(1, "cut.gz");
    elsewhere
        .run(&["verify", "--export", "none"])
        .refused(1, "none cannot be read");
}

#[test]
fn who_is_trusted_is_named_and_checkpoints_are_compared() {
    let place = Place::new();
    let before = place
        .client
        .get("/api/v1/proof/checkpoint")
        .expect(200)
        .text();
    let file = place.export(&["--action", "x"]);
    let keys = place.client.get("/api/v1/proof/keys").expect(200).text();
    let keys = place.daybook.write("keys.json", keys);
    let ran = place.verify(&file, &["--keys", &keys]).succeeded();
    assert!(
        ran.out.contains("a key that you named with --keys"),
        "{}",
        ran.out
    );
    let stranger = Daybook::acme();
    let secret = stranger.token("acme/growth", &SCOPES);
    let server = stranger.serve();
    let strangers = server
        .client()
        .with_token(&secret)
        .get("/api/v1/proof/keys")
        .expect(200)
        .text();
    let strangers = place.daybook.write("strangers.json", strangers);
    place.verify(&file, &["--keys", &strangers]).refused(
        1,
        "checkpoint is signed by none of the keys that are trusted",
    );
    let none = place.daybook.write("none.txt", "# nobody\n");
    place
        .verify(&file, &["--keys", &none])
        .refused(1, "names no keys");
    place.daybook.run(&["verify", "--keys", &keys]).ended(2);
    // Its own checkpoint, an older one, and one that somebody made of the same entries.
    let last = rows(&file).pop().unwrap();
    let own = place
        .daybook
        .write("own.txt", last["checkpoint"].as_str().unwrap());
    let older = place.daybook.write("older.txt", &before);
    let ran = place
        .verify(&file, &["--checkpoint", &own, "--checkpoint", &older])
        .succeeded();
    assert!(ran.out.contains("own.txt is of the same"), "{}", ran.out);
    assert!(
        ran.out
            .contains("older.txt is a checkpoint of the same log"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("Not checked: that the shorter"),
        "{}",
        ran.out
    );
    let theirs = server
        .client()
        .with_token(&secret)
        .get("/api/v1/proof/checkpoint")
        .expect(200)
        .text();
    let theirs = place.daybook.write("theirs.txt", theirs);
    place
        .verify(&file, &["--checkpoint", &theirs])
        .refused(1, "theirs.txt: is a checkpoint of daybook/");
    // After a rotation the file names both keys, and those of before do not suffice.
    place.daybook.run(&["key", "rotate"]).succeeded();
    let after = place.export(&["--action", "x"]);
    assert_eq!(
        rows(&after).pop().unwrap()["keys"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    place.verify(&after, &[]).succeeded();
    place.right_by_others("export", &after);
    place
        .verify(&after, &["--keys", &keys])
        .refused(1, "none of the keys that are trusted");
    place.verify(&file, &["--keys", &keys]).succeeded();
}

#[test]
fn a_file_with_proofs_is_imported_as_one_without_but_not_where_parts_are_left_out() {
    let place = Place::new();
    let path = place
        .daybook
        .write("log.ndjson", place.export(&["--action", "x"]));
    let import = |path: &str| {
        place.daybook.run(&[
            "import",
            "--workspace",
            "acme/revenue",
            "--format",
            "daybook",
            path,
        ])
    };
    let count = rows(&fs::read_to_string(&path).unwrap()).len() - 1;
    // The same keys are there already, of the other batches: none of these.
    let ran = import(&path).succeeded();
    assert!(
        ran.out
            .contains(&format!("{count} recorded, 0 duplicates, 0 refused")),
        "{}",
        ran.out
    );
    let path = place.daybook.write(
        "facts.ndjson",
        place.export(&["--action", "x", "--parts", "facts,actor"]),
    );
    let ran = import(&path).ended(1);
    assert!(
        ran.out
            .contains(&format!("0 recorded, 0 duplicates, {count} refused")),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("was exported without its"), "{}", ran.err);
}

#[test]
fn what_cannot_carry_proofs_is_refused() {
    let daybook = Daybook::acme();
    let export = ["export", "--workspace", "acme/growth"];
    let run = |more: &[&str]| daybook.run(&[&export[..], more].concat());
    run(&["--format", "csv", "--with-proof"]).refused(2, "--with-proof is for --format ndjson");
    run(&["--format", "json", "--with-proof"]).refused(2, "--with-proof is for --format ndjson");
    run(&["--format", "ndjson", "--parts", "facts"]).ended(2);
    run(&["--format", "ndjson", "--with-proof", "--parts", "face"]).refused(2, "not one of facts");
}

#[test]
fn the_answers_of_the_api_are_right_by_others_and_so_is_the_whole_tree() {
    let place = Place::new();
    let secret = place.daybook.token("acme", &["events:read"]);
    let reader = place.server.client().with_token(&secret);
    let events = reader.walk("limit=500&order=asc").events;
    let highest = events
        .iter()
        .filter_map(|event| event["seq"].as_u64())
        .max()
        .unwrap();
    assert_eq!(highest, events.len() as u64, "every entry of the tenant");
    let mut checkpoints = Vec::new();
    let mut sizes = Vec::new();
    for round in 0..4 {
        let note = reader.get("/api/v1/proof/checkpoint").expect(200).text();
        let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
        if sizes.last() != Some(&size) {
            sizes.push(size);
            checkpoints.push(note);
        }
        place
            .client
            .send(&with(event("MORE"), "operation", format!("{round}")))
            .expect(201);
        wait_for("a checkpoint", || {
            let note = reader.get("/api/v1/proof/checkpoint").expect(200).text();
            (note.lines().nth(1) != Some(&size.to_string())).then_some(())
        });
    }
    let mut consistency = Vec::new();
    for (at, from) in sizes.iter().enumerate() {
        for to in &sizes[at..] {
            let question = format!("/api/v1/proof/consistency?from={from}&to={to}");
            let path = reader.get(&question).expect(200).json()["path"].take();
            consistency.push(json!({"from": from, "to": to, "path": path}));
        }
    }
    let inclusions: Vec<Value> = events
        .iter()
        .map(|event| {
            let id = event["id"].as_str().unwrap();
            reader
                .get(&format!("/api/v1/proof/inclusion?event={id}"))
                .expect(200)
                .json()
        })
        .collect();
    let keys = reader.get("/api/v1/proof/keys").expect(200).json();
    let keys: Vec<&Value> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["key"])
        .collect();
    let mut given = json!({"events": events, "inclusions": inclusions, "checkpoints": checkpoints,
        "consistency": consistency, "keys": keys});
    let told = place.right_by_others("answers", &given.to_string());
    let expected = format!(
        "{} inclusions, {} consistencies, ",
        events.len(),
        consistency.len()
    );
    assert!(
        told.starts_with(&expected) && !told.contains(" 0 whole trees"),
        "{told}"
    );
    // It can fail.
    given["events"][5]["actor"]["name"] = json!("Mallory");
    assert!(
        !place
            .asked_of_others("answers", &given.to_string())
            .status
            .success()
    );
}

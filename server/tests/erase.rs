//! Erasure as an operator sees it: by the command, beside a running server, killed in the middle.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use harness::{Client, Daybook, READ_AND_WRITE, Server, event, wait_for, with};
use serde_json::{Value, json};
use std::{fs, process::Stdio, time::Duration};

const JANE: &str = "jane.doe@acme.example";
const LINE: [&str; 5] = [
    "erase",
    "--workspace",
    "acme/growth",
    "--reason",
    "Request 4711",
];

/// An installation, a server of it, and who may read and write there.
fn served() -> (Daybook, Server, Client) {
    let daybook = Daybook::acme();
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let server = daybook.serve();
    let client = server.client().with_token(&secret);
    (daybook, server, client)
}

fn erase(daybook: &Daybook, more: &[&str]) -> harness::Ran {
    daybook.run(&[&LINE[..], more].concat())
}

/// An event of Jane's, or of somebody else's.
fn of(who: &str, number: usize) -> Value {
    let mut event = with(
        event("MEMBER_ADDED"),
        "idempotency_key",
        format!("{who}-{number}"),
    );
    event["actor"] = json!({
        "kind": "user", "id": format!("usr_{who}"), "name": format!("{who} Doe"),
        "email": format!("{who}.doe@acme.example"),
    });
    event
}

fn send(reader: &Client, events: Vec<Value>) {
    for some in events.chunks(200) {
        reader.send(&some.to_vec().into()).expect(201);
    }
}

/// Every file of the installation has none of these bytes.
#[track_caller]
fn no_file_knows(daybook: &Daybook, text: &str) {
    if harness::postgres().is_some() {
        return;
    }
    for file in fs::read_dir(daybook.path(".")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap().to_ascii_lowercase();
            let has = bytes
                .windows(text.len())
                .any(|some| some == text.as_bytes());
            assert!(!has, "{}", path.display());
        }
    }
}

#[test]
fn a_person_is_erased_beside_a_running_server_that_forgets_them() {
    let (daybook, server, client) = served();
    send(
        &client,
        (0..40).map(|n| of(["jane", "kim"][n % 2], n)).collect(),
    );
    let mut mention = of("kim", 99);
    mention["description"] = format!("asked by {}", JANE.to_uppercase()).into();
    send(&client, vec![mention]);
    assert_eq!(client.walk("actor=jane").texts("/id").len(), 20);

    let would = erase(&daybook, &["--person", JANE, "--dry-run"]).succeeded();
    assert!(
        would.out.contains("of 20 events would be erased: actor"),
        "{would:#?}"
    );
    assert_eq!(client.walk("actor=jane").texts("/id").len(), 20);
    let reason = ["--person", JANE, "--reason", "for Jane.Doe@acme.example"];
    let line = [&["erase", "--workspace", "acme/growth"][..], &reason].concat();
    daybook
        .run(&line)
        .refused(2, "the reason holds the address");

    let erased = erase(&daybook, &["--person", JANE]).succeeded();
    assert!(
        erased.out.contains("of 20 events erased: actor"),
        "{erased:#?}"
    );
    assert!(
        erased.out.contains("in its place stands erased-"),
        "{erased:#?}"
    );
    let lists = "MEMBER_ADDED  details";
    assert!(
        erased.out.contains(lists) && erased.out.contains("1 event mentions the address"),
        "{erased:#?}"
    );
    assert_eq!(client.walk("actor=jane").texts("/id").len(), 0);
    assert_eq!(client.walk("actor=kim").texts("/id").len(), 21);
    let told = client.walk("action=AUDIT_CONTENT_ERASED");
    assert_eq!(told.texts("/description"), ["Request 4711"]);
    let again = erase(&daybook, &["--person", JANE]).succeeded();
    assert!(again.out.contains("nothing is erased"), "{again:#?}");
    let verified = daybook.run(&["verify"]).succeeded();
    assert!(
        verified.out.contains("of 20 of them was erased: actor"),
        "{verified:#?}"
    );

    // What mentions her goes by its event; then no file knows her.
    let ids = client.walk("action=MEMBER_ADDED").texts("/id");
    erase(&daybook, &["--event", &ids[0], "--part", "details"]).succeeded();
    let last = erase(&daybook, &["--person", JANE]).succeeded();
    assert!(
        last.out.contains("no other part of an event mentions"),
        "{last:#?}"
    );
    no_file_knows(&daybook, JANE);
    assert!(server.stop().0.success());
    no_file_knows(&daybook, JANE);
}

#[test]
fn what_is_refused_ends_with_a_sentence() {
    let (daybook, server, client) = served();
    send(&client, vec![of("jane", 1)]);
    let [id] = &client.walk("actor=jane").texts("/id")[..] else {
        panic!("one event");
    };
    let nobody = "01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a13";
    erase(&daybook, &["--event", nobody]).refused(1, "there is no event");
    erase(&daybook, &["--event", id, "--part", "facts"]).refused(2, "facts cannot be erased");
    erase(&daybook, &["--event", id, "--part", "all"]).refused(2, "facts, actor, via");
    erase(&daybook, &["--person", "jane"]).refused(2, "is not an e-mail address");
    erase(&daybook, &[]).refused(2, "--event");
    erase(&daybook, &["--event", id, "--person", JANE]).refused(2, "cannot be used with");
    let line = [
        "erase",
        "--workspace",
        "acme/none",
        "--person",
        JANE,
        "--reason",
        "R",
    ];
    daybook
        .run(&line)
        .refused(1, "there is no workspace acme/none");
    let line = [
        "hold",
        "place",
        "--workspace",
        "acme/growth",
        "--reason",
        "Acme v. Initech",
    ];
    daybook.run(&line).succeeded();
    erase(&daybook, &["--person", JANE]).refused(1, "Acme v. Initech");
    erase(&daybook, &["--event", id]).refused(1, "a legal hold stands, placed by");
    assert!(server.stop().0.success());
}

#[test]
fn killed_anywhere_it_goes_on() {
    let (daybook, server, client) = served();
    send(
        &client,
        (0..6_000).map(|n| of(["jane", "kim"][n % 2], n)).collect(),
    );
    assert!(server.stop().0.success());
    for pause in [40, 80, 120, 160, 200, 250, 300, 400, 600] {
        let mut command = daybook.command(&[&LINE[..], &["--person", JANE]].concat());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Not a wait for anything: it is killed wherever it is by then.
        std::thread::sleep(Duration::from_millis(pause));
        let _ = child.kill();
        child.wait().unwrap();
        daybook.run(&["verify"]).succeeded();
    }
    let done = erase(&daybook, &["--person", JANE]).succeeded();
    assert!(done.out.contains("no other part"), "{done:#?}");
    no_file_knows(&daybook, JANE);
    let server = daybook.serve();
    let client = client.at(server.client().base());
    assert_eq!(client.walk("actor=jane&limit=500").texts("/id").len(), 0);
    assert_eq!(client.walk("actor=kim&limit=500").texts("/id").len(), 3_000);
    let all = client.walk("action=MEMBER_ADDED&limit=500");
    let gone = all
        .texts("/actor/id")
        .into_iter()
        .filter(|id| id.starts_with("erased-"));
    assert_eq!(gone.count(), 3_000);
    assert!(server.stop().0.success());
    let verified = daybook.run(&["verify"]).succeeded();
    assert!(verified.out.contains("was erased: actor"), "{verified:#?}");
}

#[test]
fn a_server_cleans_what_a_killed_command_left() {
    let (daybook, server, client) = served();
    send(
        &client,
        (0..6_000).map(|n| of(["jane", "kim"][n % 2], n)).collect(),
    );
    let mut command = daybook.command(&[&LINE[..], &["--person", JANE]].concat());
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = quiet.stderr(Stdio::null()).spawn().unwrap();
    let number = |statement: &str| daybook.ask_database(statement).unwrap();
    wait_for("a release is made", || {
        (number("SELECT count(*) FROM erasure") > 0).then_some(())
    });
    let _ = child.kill();
    child.wait().unwrap();
    wait_for("the server cleans the database", || {
        (number("SELECT finished FROM cleaning") > 0).then_some(())
    });
    assert_eq!(client.walk("actor=jane&limit=500").texts("/id").len(), 0);
    no_file_knows(&daybook, JANE);
    no_file_knows(&daybook, "jane doe");
    // It goes on, with the same log.
    send(&client, vec![of("kim", 7_000)]);
    assert!(server.stop().0.success());
    daybook.run(&["verify"]).succeeded();
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_erased() {
    let (daybook, server, client) = served();
    send(&client, (0..20).map(|n| of("jane", n)).collect());
    let id = &client.walk("actor=jane").texts("/id")[4];
    let lift = if harness::postgres().is_some() {
        "ALTER TABLE content DISABLE TRIGGER USER"
    } else {
        "DROP TRIGGER content_keeps"
    };
    daybook.ask_database(lift).unwrap();
    let n = harness::postgres().map_or("n", |_| "seq");
    let hex = id.replace('-', "");
    let of_id =
        harness::postgres().map_or(format!("x'{hex}'"), |_| format!("decode('{hex}', 'hex')"));
    let damage = format!(
        "UPDATE content SET related = 99999 WHERE {n} = (SELECT {n} FROM leaf WHERE id = {of_id})"
    );
    daybook.ask_database(&damage).unwrap();
    for _ in 0..2 {
        let erased = erase(&daybook, &["--person", JANE]).ended(1);
        let names = format!("Event {id} is not erased: it cannot be read");
        assert!(erased.err.contains(&names), "{erased:#?}");
        assert!(
            erased
                .err
                .contains("1 event cannot be read, and was passed over"),
            "{erased:#?}"
        );
    }
    if harness::postgres().is_none() {
        let told = server.told();
        let names = format!("event {id} cannot be read, and is not erased");
        assert!(told.contains(&names), "{told}");
    }
    let erased = "SELECT count(*) FROM content WHERE erased IS NOT NULL";
    assert_eq!(daybook.ask_database(erased), Ok(19));
    // Others are erased after that, too.
    send(&client, vec![of("kim", 1)]);
    let kim = erase(&daybook, &["--person", "kim.doe@acme.example"]).succeeded();
    assert!(kim.out.contains("of 1 event erased: actor"), "{kim:#?}");
    assert!(server.stop().0.success());
}

#[test]
fn what_was_erased_is_exported_so_and_imported_as_nobody_known() {
    let (daybook, server, client) = served();
    send(&client, vec![of("jane", 1)]);
    assert!(server.stop().0.success());
    erase(&daybook, &["--person", JANE]).succeeded();
    let export = [
        "export",
        "--workspace",
        "acme/growth",
        "--format",
        "ndjson",
        "--action",
        "MEMBER_ADDED",
    ];
    let file = daybook.run(&export).succeeded().out;
    let row: Value = serde_json::from_str(file.trim_end()).unwrap();
    assert_eq!(row["erased"], json!(["actor"]));
    assert_eq!(row["actor"]["name"], Value::Null);
    let csv = [
        "export",
        "--workspace",
        "acme/growth",
        "--format",
        "csv",
        "--action",
        "MEMBER_ADDED",
    ];
    let csv = daybook.run(&csv).succeeded().out;
    assert!(csv.contains(r#"[""actor""]"#), "{csv}");
    let path = daybook.write("file.ndjson", &file);
    let other = Daybook::acme();
    let line = [
        "import",
        "--workspace",
        "acme/growth",
        "--format",
        "daybook",
        &path,
    ];
    other.run(&line).succeeded();
    let file = other.run(&export).succeeded().out;
    let imported: Value = serde_json::from_str(file.trim_end()).unwrap();
    assert_eq!(imported["actor"]["id"], row["actor"]["id"]);
    assert_eq!(imported["erased"], json!([]));
}

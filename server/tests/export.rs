//! Exports: over the API, from the page, on the command line.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Client, Daybook, Server, event, wait_for, with};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    process::{Child, Command, Stdio},
    thread,
};

const SCOPES: [&str; 3] = ["events:write", "events:read", "events:export"];
const EXPORT: &str = "/api/v1/events/export";

struct Place {
    daybook: Daybook,
    server: Server,
    /// Sends, reads and exports.
    client: Client,
}

impl Place {
    fn new() -> Self {
        let daybook = Daybook::acme()
            .user("olga@acme.example", "owner", "acme/growth")
            .user("aud@acme.example", "auditor", "acme/growth")
            .user("mia@acme.example", "member", "acme/growth");
        let secret = daybook.token("acme/growth", &SCOPES);
        let server = daybook.serve();
        let client = server.client().with_token(&secret);
        Self {
            daybook,
            server,
            client,
        }
    }

    /// What the log tells of exports that ended, the newest first.
    fn finished(&self) -> Vec<Value> {
        self.client.walk("action=AUDIT_EXPORT_FINISHED").events
    }

    fn started(&self) -> Vec<Value> {
        self.client.walk("action=AUDIT_EXPORT_STARTED").events
    }

    /// Sends so much that no buffer on the way holds it: 24 MB.
    fn fill(&self) {
        let long = "which region does this belong to? ".repeat(1_400);
        for batch in 0..5 {
            let events: Vec<Value> = (0..100)
                .map(|number| {
                    with(
                        event("BIG"),
                        "description",
                        format!("{batch}.{number} {long}"),
                    )
                })
                .collect();
            self.client.send(&events.into()).expect(201);
        }
    }

    /// Waits until the log tells of so many exports that ended.
    fn ended(&self, count: usize) -> Vec<Value> {
        wait_for("the export has ended", || {
            Some(self.finished()).filter(|events| events.len() == count)
        })
    }
}

/// Events that CSV, spreadsheets and shells stumble over.
fn awkward() -> Value {
    let texts = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\ttab",
        "\rreturn",
        "'quoted",
        "''",
        "a,b",
        "\"q\"",
        "two\nlines",
        "two\r\nlines",
        "é ✓ 𝄞",
        "plain",
        " space",
        "=cmd|' /C calc'!A0",
    ];
    let events = texts.iter().enumerate().map(|(number, text)| {
        let mut event = with(event("AWKWARD"), "description", *text);
        event["actor"]["name"] = json!(text);
        event["target"] = json!({"kind": "integration", "id": "int_1", "name": text});
        event["idempotency_key"] = json!(format!("{text}{number}"));
        event["operation"] = json!(text);
        event["metadata"] = json!({*text: [text, 0.1, null], "nested": {"a": text}});
        event["before"] = json!({"password": "hunter2", "n": 1});
        event["after"] = json!({"password": "hunter3", "n": 2.5});
        event["via"] = json!([{"kind": "agent", "id": "agt_1", "name": text}]);
        event["related"] = json!([{"kind": "user", "id": "usr_2", "name": text}]);
        if number.is_multiple_of(2) {
            event["verb"] = json!("rotate");
            event["outcome"] = json!("denied");
        }
        event
    });
    events.collect::<Vec<_>>().into()
}

fn hash(file: &[u8]) -> String {
    format!("{:x}", Sha256::digest(file))
}

/// What a program makes of a file.
fn piped(program: &str, arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writing = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_format_holds_what_the_list_gives_back_and_the_log_knows_its_hash() {
    let place = Place::new();
    place.client.send(&awkward()).expect(201);
    let question = "category=other&sort=actor&order=desc";
    let walked = place.client.walk(question).events;
    assert_eq!(walked.len(), 16);
    for (at, format) in ["ndjson", "json", "csv"].into_iter().enumerate() {
        let answer = place
            .client
            .get(&format!("{EXPORT}?format={format}&{question}"));
        let answer = answer.expect(200);
        let media_type = ["application/x-ndjson", "application/json", "text/csv"][at];
        assert!(answer.header("content-type").starts_with(media_type));
        let name = answer.header("content-disposition");
        assert!(
            name.starts_with("attachment; filename=\"acme-growth-audit-20"),
            "{name}"
        );
        assert!(name.ends_with(&format!("Z.{format}\"")), "{name}");
        let events: Vec<Value> = match format {
            "ndjson" => answer
                .text()
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
            "json" => answer.json().as_array().unwrap().clone(),
            _ => walked.clone(),
        };
        assert_eq!(events, walked, "{format}");
        let finished = place.finished();
        assert_eq!(finished.len(), at + 1);
        let told = &finished[0];
        assert_eq!(told["outcome"], "success");
        assert_eq!(told["actor"]["kind"], "token");
        assert_eq!(told["metadata"]["sha256"], hash(&answer.body));
        assert_eq!(told["metadata"]["rows"], 16);
        assert_eq!(told["metadata"]["bytes"], answer.body.len());
        assert_eq!(told["metadata"]["format"], format);
        assert_eq!(told["metadata"]["query"], question);
        assert!(told["context"]["ip"].is_string());
        let started = &place.started()[0];
        assert_eq!(started["operation"], told["operation"]);
        assert_eq!(started["metadata"]["query"], question);
    }
}

#[test]
fn python_and_jq_read_every_field_of_every_event() {
    let place = Place::new();
    place.client.send(&awkward()).expect(201);
    // The first look is told by an entry of its own.
    place.client.get("/api/v1/events").expect(200);
    let walked = place.client.walk("order=asc").events;

    let csv = place
        .client
        .get(&format!("{EXPORT}?format=csv&order=asc"))
        .expect(200);
    // As docs/exports.md has it.
    let script = r#"
import csv, io, json, sys

csv.field_size_limit(sys.maxsize)

def text(cell):
    return None if cell == "" else cell.removeprefix("'")

def parsed(cell):
    return None if cell == "" else json.loads(cell)

def event(row):
    return {
        "id": row["id"],
        "seq": int(row["seq"]),
        "idempotency_key": text(row["idempotency_key"]),
        "occurred_at": row["occurred_at"],
        "recorded_at": row["recorded_at"],
        "tenant": text(row["tenant"]),
        "workspace": text(row["workspace"]),
        "actor": {
            "kind": row["actor_kind"],
            "id": text(row["actor_id"]),
            "name": text(row["actor_name"]),
            "email": text(row["actor_email"]),
            "deactivated": parsed(row["actor_deactivated"]),
        },
        "via": parsed(row["via"]),
        "action": text(row["action"]),
        "verb": row["verb"],
        "category": row["category"],
        "given": parsed(row["given"]),
        "target": {
            "kind": text(row["target_kind"]),
            "id": text(row["target_id"]),
            "name": text(row["target_name"]),
            "url": text(row["target_url"]),
        },
        "related": parsed(row["related"]),
        "operation": text(row["operation"]),
        "outcome": row["outcome"],
        "description": text(row["description"]),
        "before": parsed(row["before"]),
        "after": parsed(row["after"]),
        "metadata": parsed(row["metadata"]),
        "context": parsed(row["context"]),
        "source": text(row["source"]),
        "redacted": int(row["redacted"]),
        "erased": parsed(row["erased"]),
    }

file = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")
json.dump([event(row) for row in csv.DictReader(file)], sys.stdout)
"#;
    let read = piped("python3", &["-c", script], &csv.body);
    let read: Vec<Value> = serde_json::from_str(&read).unwrap();
    assert_eq!(read.len(), walked.len());
    for (one, other) in read.iter().zip(&walked) {
        assert_eq!(one, other);
    }

    let lines = place
        .client
        .get(&format!("{EXPORT}?format=ndjson&order=asc&action=AWKWARD"));
    let read = piped("jq", &["-cS", "."], &lines.expect(200).body);
    let read: Vec<Value> = read
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let wanted: Vec<_> = walked
        .iter()
        .filter(|it| it["action"] == "AWKWARD")
        .cloned()
        .collect();
    assert_eq!(read, wanted);
}

#[test]
fn exported_and_imported_again_the_log_is_the_same() {
    let place = Place::new();
    place.client.send(&awkward()).expect(201);
    place.client.send(&event("WITHOUT_KEY")).expect(201);
    let exported = place
        .client
        .get(&format!("{EXPORT}?format=ndjson&category=other"))
        .expect(200);
    let other = Daybook::acme();
    let file = other.write("export.ndjson", &exported.body);
    let import = [
        "import",
        "--workspace",
        "acme/growth",
        "--format",
        "daybook",
        &file,
    ];
    other.run(&import).succeeded();
    let secret = other.token("acme/growth", &SCOPES);
    let server = other.serve();
    let client = server.client().with_token(&secret);
    let again = client
        .get(&format!("{EXPORT}?format=ndjson&category=other"))
        .expect(200);
    let events = |text: &str| -> Vec<Value> {
        let mut events: Vec<Value> = text
            .lines()
            .map(|line| {
                let mut event: Value = serde_json::from_str(line).unwrap();
                if event["action"] == "WITHOUT_KEY" {
                    event["idempotency_key"] = Value::Null;
                }
                for own in ["id", "seq", "recorded_at", "source"] {
                    event.as_object_mut().unwrap().remove(own);
                }
                event
            })
            .collect();
        events.sort_by_key(|event| {
            event["occurred_at"].to_string() + &event["description"].to_string()
        });
        events
    };
    let (was, is) = (events(&exported.text()), events(&again.text()));
    assert_eq!(was.len(), 17);
    assert_eq!(was, is);
}

#[test]
fn only_a_token_with_the_scope_exports_and_only_what_it_reaches() {
    let place = Place::new();
    place.client.send(&event("X")).expect(201);
    let asked = format!("{EXPORT}?format=ndjson");
    let refused = place.server.client().get(&asked);
    assert_eq!(refused.status, 401);
    let secret = place.daybook.token("acme/growth", &["events:read"]);
    let refused = place
        .server
        .client()
        .with_token(&secret)
        .get(&asked)
        .expect(403);
    assert_eq!(refused.json()["scope"], "events:export");
    let secret = place.daybook.token("acme/growth", &["events:export"]);
    let alone = place.server.client().with_token(&secret);
    assert!(
        alone
            .get(&asked)
            .expect(200)
            .text()
            .contains("\"action\":\"X\"")
    );
    alone.get("/api/v1/events").expect(403);
    for (asked, parameter) in [
        ("", "format"),
        ("format=xls", "format"),
        ("format=csv&limit=5", "limit"),
        ("format=csv&cursor=abc", "cursor"),
        ("format=csv&verb=x", "verb"),
        ("format=csv&workspace=growth", "workspace"),
    ] {
        let refused = alone.get(&format!("{EXPORT}?{asked}")).expect(400);
        assert_eq!(
            refused.json()["parameters"][0]["parameter"],
            parameter,
            "{asked}"
        );
    }
    let secret = place.daybook.token("acme", &["events:export"]);
    let tenant = place.server.client().with_token(&secret);
    let file = tenant.get(&asked).expect(200);
    let name = file.header("content-disposition");
    assert!(name.contains("\"acme-audit-"), "{name}");
    assert!(file.text().contains("TENANT_CREATED"));
    let file = tenant.get(&format!("{asked}&workspace=growth")).expect(200);
    assert!(!file.text().contains("TENANT_CREATED"));
}

/// Asks by hand, so that what is taken of the answer is in the test's hands.
fn ask(place: &Place, secret: &str, line: &str) -> TcpStream {
    let address = place.client.base().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{line}\r\nHost: {address}\r\nAuthorization: Bearer {secret}\r\n\r\n"
    )
    .unwrap();
    stream
}

#[test]
fn who_goes_away_leaves_a_failure_in_the_log() {
    let place = Place::new();
    place.fill();
    let secret = place.daybook.token("acme/growth", &SCOPES);
    let mut stream = ask(
        &place,
        &secret,
        &format!("GET {EXPORT}?format=csv HTTP/1.1"),
    );
    let mut some = [0; 10_000];
    stream.read_exact(&mut some).unwrap();
    assert!(some.starts_with(b"HTTP/1.1 200"));
    assert_eq!(place.started().len(), 1);
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    let finished = place.ended(1);
    assert_eq!(finished[0]["outcome"], "failure");
    assert!(finished[0]["metadata"]["rows"].as_u64().unwrap() < 500);
    let why = finished[0]["description"].as_str().unwrap();
    assert!(why.starts_with("Broke off: "), "{why}");
}

#[test]
fn a_server_that_is_stopped_breaks_exports_off_and_tells_of_it() {
    let place = Place::new();
    place.fill();
    let secret = place.daybook.token("acme/growth", &SCOPES);
    let mut stream = ask(
        &place,
        &secret,
        &format!("GET {EXPORT}?format=ndjson HTTP/1.1"),
    );
    let mut some = [0; 10_000];
    stream.read_exact(&mut some).unwrap();
    let Place {
        daybook, server, ..
    } = place;
    let (status, told) = server.stop();
    assert!(status.success(), "{told}");
    let mut rest = Vec::new();
    // The connection may be reset, or closed: the answer has no end.
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"));
    let server = daybook.serve();
    let client = server.client().with_token(&secret);
    let finished = client.walk("action=AUDIT_EXPORT_FINISHED").events;
    assert_eq!(finished.len(), 1);
    assert_eq!(finished[0]["outcome"], "failure");
}

#[test]
fn what_could_not_be_seen_to_break_off_is_not_begun() {
    let place = Place::new();
    let secret = place.daybook.token("acme/growth", &SCOPES);
    let mut answer = String::new();
    let mut old = ask(
        &place,
        &secret,
        &format!("GET {EXPORT}?format=csv HTTP/1.0"),
    );
    old.read_to_string(&mut answer).unwrap();
    assert!(
        answer.contains(" 505 ") && answer.contains("proxy_http_version 1.1"),
        "{answer}"
    );
    let mut head = ask(
        &place,
        &secret,
        &format!("HEAD {EXPORT}?format=csv HTTP/1.1"),
    );
    let mut some = [0; 15];
    head.read_exact(&mut some).unwrap();
    assert_eq!(&some, b"HTTP/1.1 200 OK");
    assert!(place.started().is_empty());
}

#[test]
fn a_file_is_not_compressed_on_its_way() {
    let place = Place::new();
    place.client.send(&awkward()).expect(201);
    let browser = place.client.with_header("accept-encoding", "gzip, br");
    let answer = browser.get(&format!("{EXPORT}?format=json")).expect(200);
    assert_eq!(answer.header("content-encoding"), "");
    let list = browser.get("/api/v1/events").expect(200);
    assert_ne!(list.header("content-encoding"), "");
}

#[test]
fn the_page_exports_what_is_on_screen_for_those_who_read_the_log() {
    let place = Place::new();
    place.client.send(&awkward()).expect(201);
    let path = "/acme/growth/audit";
    let olga = place.server.client().signed_in("olga@acme.example");
    let page = olga
        .get(&format!("{path}?outcome=denied&sort=actor&limit=5"))
        .expect(200)
        .text();
    let action = "action=\"/acme/growth/audit/export?outcome=denied&amp;sort=actor\"";
    assert!(page.contains(action));
    let there = format!("{path}/export?outcome=denied&sort=actor");
    let answer = olga.form(&there, &[("format", "ndjson")]).expect(200);
    let walked = place.client.walk("outcome=denied&sort=actor").events;
    let lines: Vec<Value> = answer
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, walked);
    assert_eq!(answer.header("cache-control"), "no-store");
    let told = &place.finished()[0];
    assert_eq!(told["actor"]["name"], "olga");
    assert_eq!(told["metadata"]["query"], "outcome=denied&sort=actor");

    let auditor = place.server.client().signed_in("aud@acme.example");
    auditor.form(&there, &[("format", "csv")]).expect(200);

    // A member has none, wherever they look.
    let mia = place.server.client().signed_in("mia@acme.example");
    let refused = mia.form(&there, &[("format", "csv")]).expect(403);
    assert!(refused.text().contains("This page is not open to you"));
    let object = "/acme/growth/objects/integration/int_1/audit";
    assert!(olga.get(object).expect(200).text().contains("audit/export"));
    assert!(!mia.get(object).expect(200).text().contains("audit/export"));
    mia.form(&format!("{object}/export"), &[("format", "csv")])
        .expect(403);
    assert!(
        !mia.get("/acme/growth/me")
            .expect(200)
            .text()
            .contains("/export")
    );
    let file = olga
        .form(
            &format!("{object}/export?action=AWKWARD"),
            &[("format", "ndjson")],
        )
        .expect(200);
    assert_eq!(file.text().lines().count(), 16);

    // Who is not signed in does so first.
    let nobody = place
        .server
        .client()
        .form(&there, &[("format", "csv")])
        .expect(303);
    assert!(nobody.header("location").starts_with("/login?next="));
    // What another site sends is not taken, and what is not understood is said.
    let elsewhere = olga.with_header("origin", "https://evil.example");
    elsewhere.form(&there, &[("format", "csv")]).expect(403);
    let began = place.started().len();
    olga.form(&there, &[("format", "xls")]).expect(400);
    let faulty = olga.form(&format!("{path}/export?verb=x"), &[("format", "csv")]);
    assert_eq!(faulty.status, 400);
    assert_eq!(place.started().len(), began);
}

#[test]
fn whoever_exports_is_told_how_far_it_is_and_may_cancel_it() {
    let place = Place::new();
    place.fill();
    let olga = place.server.client().signed_in("olga@acme.example");
    let asked = "/ui/export?name=export-0123";
    assert_eq!(olga.get(asked).expect(200).json()["Ok"], Value::Null);
    let exporting = olga.apart();
    let running = thread::spawn(move || {
        let fields = [("format", "csv"), ("export", "export-0123")];
        let form = format!(
            "{}={}&{}={}",
            fields[0].0, fields[0].1, fields[1].0, fields[1].1
        );
        let media_type = "application/x-www-form-urlencoded";
        exporting
            .try_post("/acme/growth/audit/export", media_type, form)
            .map(|it| it.body)
    });
    let file = running.join().unwrap().unwrap();
    let told = olga.get(asked).expect(200).json();
    let html = told["Ok"]["html"].as_str().unwrap();
    assert!(html.contains(&hash(&file)), "{html}");
    assert!(
        told["Ok"]["said"]
            .as_str()
            .unwrap()
            .starts_with("CSV: all 5")
    );
    let other = place.server.client().signed_in("aud@acme.example");
    assert_eq!(other.get(asked).expect(200).json()["Ok"], Value::Null);

    // One that nobody reads waits, and can be cancelled.
    let cookie = {
        let signed = place.server.client();
        let answer = signed.try_sign_in("olga@acme.example", harness::PASSWORD, "");
        answer.session().unwrap()
    };
    let address = place
        .client
        .base()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    let body = "format=ndjson&export=export-4567";
    write!(
        stream,
        "POST /acme/growth/audit/export HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut some = [0; 10_000];
    stream.read_exact(&mut some).unwrap();
    let running = olga.get("/ui/export?name=export-4567").expect(200).json();
    let html = running["Ok"]["html"].as_str().unwrap();
    assert!(html.contains("so far") && html.contains("Cancel"), "{html}");
    let name = [("name", "export-4567")];
    other.form("/ui/cancel_export", &name);
    let still = olga.get("/ui/export?name=export-4567").expect(200).json();
    assert_eq!(still["Ok"]["said"], Value::Null);
    olga.form("/ui/cancel_export", &name);
    let finished = place.ended(2);
    assert_eq!(finished[0]["description"], "Broke off: it was cancelled.");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"));
}

#[test]
fn the_metrics_tell_how_much_is_exported() {
    let place = Place::new();
    place.client.send(&awkward()).expect(201);
    place
        .client
        .get(&format!("{EXPORT}?format=csv&category=other"))
        .expect(200);
    let metrics = place.server.client().get("/metrics").expect(200).text();
    assert!(
        metrics.contains("daybook_exported_rows_total 16"),
        "{metrics}"
    );
    assert!(metrics.contains("daybook_exports_running 0"), "{metrics}");
}

#[test]
fn the_command_line_writes_the_same_file() {
    let place = Place::new();
    place.client.send(&awkward()).expect(201);
    let line = ["export", "--workspace", "acme/growth", "--format"];
    for format in ["csv", "ndjson", "json"] {
        let asked = format!("{EXPORT}?format={format}&outcome=denied&sort=actor");
        let known = place.client.get(&asked).expect(200);
        let more = [format, "--outcome", "denied", "--sort", "actor"];
        let ran = place.daybook.run(&[&line[..], &more].concat()).succeeded();
        assert_eq!(ran.out, known.text());
        assert_eq!(ran.err, "");
        let told = &place.finished()[0];
        assert_eq!(told["actor"]["kind"], "system");
        assert!(told["metadata"]["os_user"].is_string());
        assert_eq!(told["metadata"]["sha256"], hash(&known.body));
    }
    let run = |more: &[&str]| place.daybook.run(&[&line[..], more].concat());
    run(&["csv", "--verb", "x"]).refused(2, "--verb \"x\"");
    run(&["xls"]).refused(2, "csv, ndjson, json");
    let nowhere = ["export", "--workspace", "acme/nowhere", "--format", "csv"];
    place
        .daybook
        .run(&nowhere)
        .refused(1, "there is no workspace acme/nowhere");
}

#[test]
fn a_command_whose_reader_has_had_enough_fails_without_a_word_and_tells_of_it() {
    let place = Place::new();
    place.fill();
    let mut child = exporting(&place);
    let mut out = child.stdout.take().unwrap();
    let mut some = [0; 1_000];
    out.read_exact(&mut some).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let finished = place.finished();
    assert_eq!(finished.len(), 1);
    assert_eq!(finished[0]["outcome"], "failure");
}

/// A command that exports all as NDJSON, of whose file a test takes what it likes.
fn exporting(place: &Place) -> Child {
    let line = ["export", "--workspace", "acme/growth", "--format", "ndjson"];
    let mut command = place.daybook.command(&line);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn a_command_that_cannot_write_its_last_piece_tells_of_a_failure() {
    let place = Place::new();
    // More than a pipe holds, and less than a piece of the file.
    let long = "which region does this belong to? ".repeat(1_400);
    let events: Vec<Value> = (0..4)
        .map(|number| with(event("LONG"), "description", format!("{number} {long}")))
        .collect();
    place.client.send(&events.into()).expect(201);
    let mut child = exporting(&place);
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 1_000]).unwrap();
    // It has all the time that it needs to take this for success.
    for _ in 0..50 {
        assert_eq!(place.finished(), [] as [Value; 0]);
    }
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(place.finished()[0]["outcome"], "failure");
}

#[test]
fn a_command_whose_reader_takes_nothing_can_be_stopped_all_the_same() {
    let place = Place::new();
    place.fill();
    let mut child = exporting(&place);
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 1_000]).unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let status = wait_for("the command has ended", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(1));
    let mut told = String::new();
    let mut err = child.stderr.take().unwrap();
    err.read_to_string(&mut told).unwrap();
    assert!(told.contains("not whole: it was stopped"), "{told}");
    let finished = place.finished();
    assert_eq!(finished.len(), 1);
    assert_eq!(finished[0]["outcome"], "failure");
}

//! `daybook copy` beside a running server: senders are told when to come back, nothing that was
//! acknowledged is lost however often the copy is killed, and the server is started on the other
//! database.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use harness::{Answer, Client, Daybook, READ_AND_WRITE, Server, event, wait_for};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// Sends until it is told to stop, again what was refused: the keys that were acknowledged.
fn send_on(client: &Client, is_over: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let key = format!("meanwhile-{n}");
        loop {
            if is_over.load(Ordering::Acquire) {
                return acknowledged;
            }
            let mut sent = event("door:open");
            sent["idempotency_key"] = json!(key);
            let answer = client.send(&sent);
            if answer.status == 201 {
                break;
            }
            check_refused(&answer);
        }
        acknowledged.push(key);
    }
    acknowledged
}

#[track_caller]
fn check_refused(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    let kind = answer.json()["type"].clone();
    let known = ["moving", "moved"].map(|name| json!(format!("urn:daybook:problem:{name}")));
    assert!(known.contains(&kind), "{}", answer.text());
    assert!(answer.header("Retry-After").parse::<u32>().unwrap() > 0);
}

/// Runs a copy that is killed as soon as it says something.
fn killed_at(daybook: &Daybook, line: &[&str], said: &str) {
    let mut copy = daybook
        .command(line)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(copy.stderr.take().unwrap());
    let heard = told.lines().any(|line| line.unwrap().contains(said));
    copy.kill().unwrap();
    copy.wait().unwrap();
    assert!(heard, "it never said: {said}");
}

fn keys(client: &Client) -> Vec<String> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = client
            .get(&format!("/api/v1/feed?after={after}&limit=500"))
            .expect(200)
            .json();
        let events = page["events"].as_array().unwrap();
        let keys = events
            .iter()
            .filter_map(|event| event["idempotency_key"].as_str());
        all.extend(keys.map(str::to_owned));
        let next = page["next"].as_u64().unwrap();
        if next == after {
            return all;
        }
        after = next;
    }
}

#[test]
fn an_installation_moves_beside_a_server_whoever_is_killed() {
    only_one_node!();
    let daybook = Daybook::acme();
    let token = daybook.token("acme/growth", &READ_AND_WRITE);
    let never_used = daybook.token("acme/growth", &READ_AND_WRITE);
    let server: Server = daybook.serve();
    let client = server.client().with_token(&token);
    for from in [0, 4_000] {
        let many: Vec<Value> = (from..from + 4_000)
            .map(|n| {
                let mut event = event("door:open");
                event["idempotency_key"] = json!(format!("before-{n}"));
                event["target"]["id"] = json!(format!("door-{n}"));
                event
            })
            .collect();
        client.send(&Value::from(many)).expect(201);
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let sender = thread::spawn({
        let (client, is_over) = (client.apart().with_token(&token), Arc::clone(&is_over));
        move || send_on(&client, &is_over)
    });

    let from = daybook.database();
    let to = format!("sqlite:{}", daybook.path("moved.db").display());
    // However it is named where the copy is made, it is told to others by its whole path.
    let line = ["copy", "--from", &from, "--to", "sqlite:moved.db"];
    killed_at(&daybook, &line, "copied");
    // What is not whole is opened by nobody.
    let key_file = daybook.path("daybook.db.key");
    let beside =
        Daybook::at(&daybook.path("")).variable("DAYBOOK_KEY_FILE", key_file.to_str().unwrap());
    let open = ["--database", &to, "tenant", "create", "late"];
    beside.run(&open).refused(1, "is being copied into");

    // Killed when nothing is taken any more, it leaves it so, until somebody goes on or takes it back.
    killed_at(&daybook, &line, "takes nothing any more");
    let refused = client.send(&event("door:open"));
    check_refused(&refused);
    client.get("/api/v1/events").expect(200);
    daybook
        .run(&["copy", "--from", &from, "--abandon"])
        .succeeded();
    client.send(&event("door:open")).expect(201);

    let copied = daybook.run(&line).succeeded();
    assert!(copied.out.contains("SHA-256"), "{copied:#?}");
    let moved = wait_for("what is sent is refused", || {
        let answer = client.send(&event("door:open"));
        check_refused(&answer);
        Some(answer.json()["type"].clone())
    });
    assert_eq!(moved, "urn:daybook:problem:moved");
    is_over.store(true, Ordering::Release);
    let acknowledged = sender.join().unwrap();
    let before = keys(&client);
    // When a token was used last cannot be noted there, and that is nothing to be told of.
    let reader = server.client().with_token(&never_used);
    reader.get("/api/v1/events").expect(200);
    let (_, told) = server.stop();
    assert!(!told.contains("was not noted"), "{told}");
    daybook
        .run(&["tenant", "create", "late"])
        .refused(1, "has moved");
    daybook
        .run(&["copy", "--from", &from, "--abandon"])
        .refused(1, &format!("has moved to {to}"));
    let again = daybook.run(&line).succeeded();
    assert!(again.out.contains("before"), "{again:#?}");

    let server =
        Server::start(beside.command(&["--database", &to, "serve", "--listen", "127.0.0.1:0"]));
    let client = server.client().with_token(&token);
    let there = keys(&client);
    assert_eq!(there, before);
    for key in &acknowledged {
        assert!(
            there.contains(key),
            "{key} was acknowledged and is not there"
        );
    }
    // Sent again, what was refused is recorded once, and what was recorded is known.
    let mut known = event("door:open");
    known["idempotency_key"] = json!("before-17");
    let answer = client.send(&known).expect(201).json();
    assert_eq!(answer["duplicates"], 1);
    server.stop();
}

#[test]
fn a_copy_says_what_it_cannot_do() {
    let daybook = Daybook::acme();
    let from = daybook.database();
    daybook.run(&["copy", "--from", &from]).refused(2, "--to");
    daybook
        .run(&["copy", "--from", &from, "--to", &from])
        .refused(2, "the same database");
    daybook
        .run(&[
            "--database",
            &from,
            "copy",
            "--from",
            &from,
            "--to",
            "sqlite:x.db",
        ])
        .refused(2, "--from and --to");
    daybook
        .run(&["copy", "--from", "sqlite:nothing.db", "--to", "sqlite:x.db"])
        .refused(1, "no installation");
    let why = if harness::has_nodes() {
        let line = ["copy", "--from", &from, "--to", "sqlite:x.db"];
        let why = "is spread over the nodes of a Citus";
        daybook.run(&line).refused(1, why);
        why
    } else {
        "is not being moved"
    };
    daybook
        .run(&["copy", "--from", &from, "--abandon"])
        .refused(1, why);
    daybook
        .run(&["copy", "--from", &from, "--force"])
        .refused(2, "--abandon");
}

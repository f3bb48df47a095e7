//! Who keeps checkpoints elsewhere, the check beside the server, and what is remembered of what was
//! signed: by the command line, and beside a running server.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use domain::{
    leaf::Hash,
    proof::{Checkpoint, Note, Signer, VerifierKey, WitnessKey, check_consistency},
};
use harness::{Client, Daybook, READ_AND_WRITE, Server, event, wait_for};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What was asked of a receiver.
#[derive(Clone, Debug)]
struct Asked {
    line: String,
    headers: HashMap<String, String>,
    body: String,
}

/// Somebody who takes requests: each is answered with a status, a type and a body.
struct Receiver {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Answer = (u16, &'static str, String);

impl Receiver {
    fn new(mut answers: impl FnMut(&Asked) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(one) = read(&stream) else { continue };
                let (status, kind, body) = answers(&one);
                all.lock().unwrap().push(one);
                let _ = write!(
                    &stream,
                    "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
                     Location: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The checkpoints that came as bodies, when one of at least so many entries did.
    fn until(&self, entries: u64) -> Vec<Checkpoint> {
        wait_for("a checkpoint at the receiver", || {
            let all: Vec<Checkpoint> = self
                .asked()
                .iter()
                .map(|one| Checkpoint::try_from(&one.body.parse::<Note>().unwrap()).unwrap())
                .collect();
            all.iter().any(|one| one.size >= entries).then_some(all)
        })
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).ok()?;
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        lines.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    Some(Asked {
        line: line.trim_end().to_owned(),
        headers,
        body: String::from_utf8(body).ok()?,
    })
}

fn signed_in(client: &Client) -> Value {
    client.get("/api/v1/proof/keys").expect(200).json()
}

fn key(client: &Client) -> VerifierKey {
    let keys = signed_in(client);
    keys["keys"][0]["key"].as_str().unwrap().parse().unwrap()
}

fn newest(client: &Client) -> Note {
    let answer = client.get("/api/v1/proof/checkpoint").expect(200);
    answer.text().parse().unwrap()
}

fn size(note: &Note) -> u64 {
    Checkpoint::try_from(note).unwrap().size
}

/// A server with somebody who sends and reads.
fn serving(daybook: &Daybook) -> (Server, Client) {
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let server = daybook.serve();
    let client = server.client().with_token(&secret);
    (server, client)
}

fn send(client: &Client, actions: usize) {
    let sent: Vec<Value> = (0..actions).map(|n| event(&format!("A_{n}"))).collect();
    client.send(&json!(sent)).expect(201);
}

/// A line of `witness list`.
fn listed(daybook: &Daybook, name: &str) -> String {
    let ran = daybook.run(&["witness", "list"]).succeeded();
    let mut lines = ran.out.lines();
    lines
        .find(|line| line.trim_start().starts_with(name))
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_folder_gets_checkpoints_that_verify_reads_and_a_server_finds_what_it_does_not_hold() {
    let daybook = Daybook::acme();
    let folder = daybook.path("witness");
    let folder = folder.to_str().unwrap();
    let add = ["witness", "add", "usb", "--folder", folder, "--every", "1"];
    daybook.run(&add).succeeded();
    daybook.run(&add).refused(1, "exists already");
    let (server, client) = serving(&daybook);
    let file = format!("{folder}/acme.checkpoints");
    let kept = |entries: u64| {
        wait_for("a checkpoint in the folder", || {
            let notes = Note::all_of(&fs::read_to_string(&file).ok()?).ok()?;
            notes
                .iter()
                .any(|note| size(note) >= entries)
                .then_some(notes)
        })
    };
    kept(1);
    send(&client, 5);
    let covers = wait_for("a checkpoint", || {
        Some(size(&newest(&client))).filter(|size| *size > 5)
    });
    let notes = kept(covers);
    assert!(notes.len() > 1);
    wait_for("it is listed", || {
        listed(&daybook, "usb").contains("acme").then_some(())
    });
    // What came last is brought when the server stops, however soon it is.
    send(&client, 3);
    let (status, _) = server.stop();
    assert!(status.success());
    kept(covers + 3);
    let ran = daybook.run(&["verify", "--checkpoint", &file]).succeeded();
    assert!(
        ran.out
            .contains("checkpoints that were kept elsewhere are pasts"),
        "{}",
        ran.out
    );
    // An older state of the log, with nothing beside it that remembers.
    let newest = notes.last().unwrap().clone();
    fs::remove_file(daybook.path("daybook.db.key.signed")).unwrap();
    let strange = newest
        .text
        .replace(&format!("\n{}\n", size(&newest)), "\n99999\n");
    assert_ne!(strange, newest.text);
    daybook.forge(&file, &strange);
    let server = daybook.serve();
    wait_for("the server tells", || {
        server
            .told()
            .contains("the witness usb holds a checkpoint of 99999")
            .then_some(())
    });
    let client = server
        .client()
        .with_token(&daybook.token("acme/growth", &READ_AND_WRITE));
    send(&client, 2);
    wait_for("nothing is signed", || {
        server
            .told()
            .contains("nothing is signed until")
            .then_some(())
    });
    let metrics = server.client().get("/metrics").expect(200).text();
    wait_for("it is measured", || {
        let metrics = server.client().get("/metrics").expect(200).text();
        metrics.contains("daybook_check_faults 1").then_some(())
    });
    assert!(metrics.contains("daybook_"), "{metrics}");
    server.stop();
    // Whoever did it on purpose says so.
    let accept = [
        "key",
        "accept-restore",
        "--reason",
        "Brought back from the copy of Monday",
    ];
    let ran = daybook.run(&accept).succeeded();
    assert!(
        ran.out.contains("acme: checkpoints covered 99,999 entries"),
        "{}",
        ran.out
    );
    let (server, client) = serving(&daybook);
    send(&client, 2);
    let covers = size(&newest_of(&client, covers + 4));
    wait_for("the folder goes on", || {
        let notes = Note::all_of(&fs::read_to_string(&file).unwrap()).unwrap();
        (covers..99_999)
            .contains(&size(notes.last()?))
            .then_some(())
    });
    assert!(
        !server.told().contains("nothing is signed"),
        "{}",
        server.told()
    );
    daybook.run(&["witness", "remove", "usb"]).succeeded();
    daybook
        .run(&["witness", "remove", "usb"])
        .refused(1, "there is no witness usb");
    let told = client.walk("limit=500&workspace=").events.len();
    assert!(told > 0);
}

/// The newest checkpoint, when it covers so many entries.
fn newest_of(client: &Client, entries: u64) -> Note {
    wait_for("a checkpoint", || {
        Some(newest(client)).filter(|note| size(note) >= entries)
    })
}

impl Daybook {
    /// Adds a checkpoint of these words to a file, signed with the installation's own key.
    fn forge(&self, file: &str, text: &str) {
        let keys = fs::read_to_string(self.path("daybook.db.key")).unwrap();
        let secret = keys
            .lines()
            .find_map(|line| line.strip_prefix("signing = "))
            .unwrap();
        let secret: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&secret[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        let origin = text.lines().next().unwrap();
        let signer = Signer::new(origin, &secret.try_into().unwrap()).unwrap();
        let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
        file.write_all(signer.sign(text.to_owned()).to_string().as_bytes())
            .unwrap();
    }
}

#[test]
fn a_webhook_gets_checkpoints_again_until_it_takes_them() {
    let daybook = Daybook::acme();
    let mut times = 0;
    let receiver = Receiver::new(move |_| {
        times += 1;
        (
            if times == 1 { 500 } else { 204 },
            "text/plain",
            String::new(),
        )
    });
    let address = format!("{}/hook?key=hunter2", receiver.address);
    daybook
        .run(&[
            "witness",
            "add",
            "hook",
            "--webhook",
            &address,
            "--every",
            "1",
        ])
        .succeeded();
    let (server, client) = serving(&daybook);
    wait_for("it is told that it does not take them", || {
        listed(&daybook, "hook")
            .contains("it answered 500")
            .then_some(())
    });
    send(&client, 5);
    let entries = size(&newest_of(&client, 8));
    receiver.until(entries);
    let asked = receiver.asked().pop().unwrap();
    assert_eq!(asked.line, "POST /hook?key=hunter2 HTTP/1.1");
    assert_eq!(asked.headers["content-type"], "text/plain; charset=utf-8");
    let note: Note = asked.body.parse().unwrap();
    let key = key(&client);
    assert!(note.verified_by(std::slice::from_ref(&key)).is_ok());
    wait_for("it takes them", || {
        let line = listed(&daybook, "hook");
        line.contains(&format!("{entries} entries")).then_some(())
    });
    drop(server);
    let bare = ["witness", "add", "x", "--webhook", "http://hook.example"];
    daybook
        .run(&bare)
        .refused(2, "without https only on this machine");
    daybook.run(&["witness", "add", "x"]).refused(2, "--folder");
    let both = [
        "witness",
        "add",
        "x",
        "--webhook",
        &address,
        "--folder",
        "y",
    ];
    daybook.run(&both).refused(2, "cannot be used with");
}

#[test]
fn nobody_is_followed_to_where_a_witness_redirects() {
    let daybook = Daybook::acme();
    let receiver = Receiver::new(|_| (302, "text/plain", String::new()));
    daybook
        .run(&["witness", "add", "hook", "--webhook", &receiver.address])
        .succeeded();
    let (_server, _) = serving(&daybook);
    wait_for("it is told", || {
        listed(&daybook, "hook")
            .contains("it answered 302")
            .then_some(())
    });
}

#[test]
fn another_daybook_records_checkpoints_which_verify_reads_from_its_entries() {
    let other = Daybook::new()
        .tenant("auditors")
        .workspace("auditors/clients");
    let token = other.token("auditors/clients", &READ_AND_WRITE);
    let other = other.serve();
    let daybook = Daybook::acme();
    let base = other.client().base().to_owned();
    let add = [
        "witness",
        "add",
        "them",
        "--daybook",
        &base,
        "--every",
        "1",
        "--token-stdin",
    ];
    daybook
        .run_with(&add, "hunter2\n")
        .refused(2, "no token of a Daybook");
    daybook.run_with(&add, &format!("{token}\n")).succeeded();
    let (server, client) = serving(&daybook);
    send(&client, 5);
    newest_of(&client, 8);
    let auditor = other.client().with_token(&token);
    let events = wait_for("an entry there", || {
        let events = auditor.walk("action=CHECKPOINT_WITNESSED").events;
        let largest = events
            .iter()
            .filter_map(|event| event["metadata"]["size"].as_u64())
            .max();
        largest.is_some_and(|size| size >= 8).then_some(events)
    });
    let shown = &events[0];
    assert_eq!(shown["target"]["kind"], "audit_log");
    let file = daybook.write("theirs.json", json!({ "events": events }).to_string());
    server.stop();
    let ran = daybook.run(&["verify", "--checkpoint", &file]).succeeded();
    assert!(ran.out.contains("kept elsewhere"), "{}", ran.out);
    let none = daybook.write("none.json", "{}");
    daybook
        .run(&["verify", "--checkpoint", &none])
        .refused(1, "holds no checkpoint");
}

/// A witness that speaks C2SP `tlog-witness`, as the specification says that it has to.
struct Cosigner {
    log: VerifierKey,
    signer: Signer,
    held: (u64, Hash),
}

impl Cosigner {
    const NAME: &str = "witness.example/w1";

    fn key(signer: &Signer) -> WitnessKey {
        WitnessKey::new(Self::NAME, signer.verifier().key()).unwrap()
    }

    fn answer(&mut self, asked: &Asked) -> Answer {
        let plain = "text/plain";
        if asked.line != "POST /w/add-checkpoint HTTP/1.1" {
            return (405, plain, String::new());
        }
        let (head, note) = asked.body.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let old: u64 = lines
            .next()
            .unwrap()
            .strip_prefix("old ")
            .unwrap()
            .parse()
            .unwrap();
        let path: Vec<Hash> = lines
            .map(|line| {
                let bytes = data_encoding::BASE64.decode(line.as_bytes()).unwrap();
                Hash(bytes.try_into().unwrap())
            })
            .collect();
        let note: Note = note.parse().unwrap();
        if note.verified_by(std::slice::from_ref(&self.log)).is_err() {
            return (403, plain, String::new());
        }
        let checkpoint = Checkpoint::try_from(&note).unwrap();
        let (size, root) = self.held;
        if old > checkpoint.size {
            return (400, plain, String::new());
        }
        if old != size {
            return (409, "text/x.tlog.size", format!("{size}\n"));
        }
        let is_right = if old == 0 {
            path.is_empty()
        } else {
            check_consistency((size, root), (checkpoint.size, checkpoint.root), &path).is_ok()
        };
        if !is_right {
            return (422, plain, String::new());
        }
        self.held = (checkpoint.size, checkpoint.root);
        let at = 1_779_315_147_u64;
        let signed = self.signer.sign(WitnessKey::message(at, &note.text));
        let mut bytes = at.to_be_bytes().to_vec();
        bytes.extend(&signed.signatures[0].signature);
        let line = Self::key(&self.signer).line(bytes);
        let stranger = Note {
            text: String::new(),
            signatures: vec![signed.signatures[0].clone(), line],
        };
        // One of a kind that is not known stands before it.
        let lines = stranger.to_string();
        (200, plain, lines.trim_start_matches('\n').to_owned())
    }
}

#[test]
fn a_witness_cosigns_checkpoints_and_its_signature_stands_under_them() {
    let daybook = Daybook::acme();
    let (server, client) = serving(&daybook);
    let signer = Signer::new(Cosigner::NAME, &[7; 32]).unwrap();
    let witness = Cosigner::key(&signer);
    let cosigner = Arc::new(Mutex::new(Cosigner {
        log: key(&client),
        signer,
        held: (0, Hash([0; 32])),
    }));
    let receiver = {
        let cosigner = Arc::clone(&cosigner);
        Receiver::new(move |asked| cosigner.lock().unwrap().answer(asked))
    };
    let address = format!("{}/w", receiver.address);
    let key = witness.to_string();
    let add = |key: &str| {
        daybook.run(&[
            "witness", "add", "w1", "--tlog", &address, "--key", key, "--every", "1",
        ])
    };
    add("x").refused(2, "verifier key");
    add(&key).succeeded();
    let cosigned = |entries: u64| {
        wait_for("a cosigned checkpoint", || {
            let note = newest(&client);
            let signed = witness.cosignature(&note.text, &note.signatures);
            (signed.is_some() && size(&note) >= entries).then_some(size(&note))
        })
    };
    let first = cosigned(1);
    for round in 1..=3 {
        send(&client, 300);
        let covers = size(&newest_of(&client, first + 300 * round));
        cosigned(covers);
    }
    let held = cosigner.lock().unwrap().held;
    assert!(held.0 > 900);
    assert!(
        receiver
            .asked()
            .iter()
            .any(|asked| !asked.body.starts_with("old 0\n"))
    );
    // It comes back without its memory, and then with more than there is: that is an alarm.
    cosigner.lock().unwrap().held = (0, Hash([0; 32]));
    send(&client, 2);
    cosigned(held.0 + 2);
    cosigner.lock().unwrap().held = (1_000_000, Hash([1; 32]));
    send(&client, 2);
    wait_for("the alarm", || {
        server
            .told()
            .contains("holds a checkpoint of 1000000 entries")
            .then_some(())
    });
    // Recording and signing go on.
    let before = size(&newest(&client));
    send(&client, 2);
    newest_of(&client, before + 2);
    assert!(listed(&daybook, "w1").contains("no past of this log"));
}

#[test]
fn what_was_altered_is_found_beside_the_running_server_and_told() {
    let daybook = Daybook::acme();
    let (server, client) = serving(&daybook);
    send(&client, 20);
    newest_of(&client, 20);
    server.stop();
    if harness::postgres().is_some() {
        daybook
            .ask_database("ALTER TABLE action DISABLE TRIGGER USER")
            .unwrap();
    } else {
        daybook.ask_database("DROP TRIGGER action_keeps").unwrap();
    }
    daybook
        .ask_database("UPDATE action SET action = 'A_X' WHERE action = 'A_3'")
        .unwrap();
    let (server, client) = serving(&daybook);
    wait_for("the server tells", || {
        server
            .told()
            .contains("THE LOG IS NOT WHAT WAS SIGNED")
            .then_some(())
    });
    wait_for("it is measured", || {
        let metrics = server.client().get("/metrics").expect(200).text();
        metrics.contains("daybook_check_faults 1").then_some(())
    });
    send(&client, 2);
}

#[test]
fn a_server_that_begins_anew_remembers_what_was_signed() {
    let daybook = Daybook::acme();
    let (server, client) = serving(&daybook);
    send(&client, 20);
    newest_of(&client, 20);
    server.stop();
    if harness::postgres().is_some() {
        daybook
            .ask_database("ALTER TABLE checkpoint DISABLE TRIGGER USER")
            .unwrap();
        daybook
            .ask_database("ALTER TABLE tile DISABLE TRIGGER USER")
            .unwrap();
    } else {
        for trigger in ["checkpoint_stays", "tile_stays"] {
            daybook
                .ask_database(&format!("DROP TRIGGER {trigger}"))
                .unwrap();
        }
    }
    for table in ["checkpoint", "tile"] {
        daybook
            .ask_database(&format!("DELETE FROM {table}"))
            .unwrap();
    }
    let (server, client) = serving(&daybook);
    wait_for("the server tells", || {
        server.told().contains("accept-restore").then_some(())
    });
    send(&client, 2);
    client.get("/api/v1/proof/checkpoint").expect(404);
    drop(server);
}

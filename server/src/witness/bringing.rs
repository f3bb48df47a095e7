//! What is brought to witnesses while others bring them something too, and what is not.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Folder, Web, bring};
use domain::proof::{Checkpoint, Note, Signer, WitnessKey};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    thread,
    time::Duration,
};
use store::{
    DatabaseUrl, Options, Store,
    administration::By,
    proof::witness::{NewWitness, Outcome, Place, ToWitness, Witness},
};
use tempfile::TempDir;

struct Log {
    store: Store,
    folder: TempDir,
}

fn operator() -> By {
    By::operator("tester")
}

impl Log {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let database = DatabaseUrl::Sqlite(folder.path().join("daybook.db"));
        let store = Store::open(Options::new(database)).await.unwrap();
        let tenant = "acme".parse().unwrap();
        store
            .create_tenant(&tenant, "Acme", &operator())
            .await
            .unwrap();
        let log = Self { store, folder };
        log.grown("w0").await;
        log
    }

    /// Something more is recorded, and covered.
    async fn grown(&self, name: &str) {
        let path = format!("acme/{name}").parse().unwrap();
        let store = &self.store;
        store
            .create_workspace(&path, name, &operator())
            .await
            .unwrap();
        store.cover().await.unwrap();
    }

    async fn witness(&self, place: Place) -> Witness {
        let new = NewWitness {
            name: "w".to_owned(),
            place,
            every: Duration::from_secs(1),
        };
        self.store.add_witness(&new, &operator()).await.unwrap();
        self.store.cover().await.unwrap();
        self.store.witnesses().await.unwrap().remove(0)
    }

    async fn due(&self, witness: &Witness) -> ToWitness {
        let mut due = self.store.to_witness(witness).await.unwrap();
        due.remove(0).0
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A checkpoint that this installation's key signed, of so many other entries.
    fn forged(&self, like: &ToWitness, size: u64) -> Note {
        let keys = fs::read_to_string(self.path("daybook.db.key")).unwrap();
        let mut lines = keys.lines();
        let secret = lines
            .find_map(|line| line.strip_prefix("signing = "))
            .unwrap();
        let secret: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&secret[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        let signer = Signer::new(like.origin.as_str(), &secret.try_into().unwrap()).unwrap();
        let mut checkpoint = Checkpoint::try_from(&like.note).unwrap();
        (checkpoint.size, checkpoint.root.0) = (size, [7; 32]);
        checkpoint.sign(&signer)
    }
}

/// Somebody who takes requests one after the other, and answers each by its body.
fn answering(mut answer: impl FnMut(&str) -> (u16, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let Some(asked) = read(&stream) else { continue };
            let (status, body) = answer(&asked);
            let _ = write!(
                &stream,
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}

fn read(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        if line.trim_end().is_empty() {
            break;
        }
        let (name, value) = line.trim_end().split_once(": ").unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

fn signer() -> Signer {
    Signer::new("w.example", &[7; 32]).unwrap()
}

fn key() -> WitnessKey {
    WitnessKey::new("w.example", signer().verifier().key()).unwrap()
}

/// A witness that holds so many entries, and cosigns whatever is said to go on from there.
fn holding(size: u64) -> String {
    answering(move |asked| {
        let (head, note) = asked.split_once("\n\n").unwrap();
        let old = head.lines().next().unwrap();
        if old != format!("old {size}") {
            return (409, format!("{size}\n"));
        }
        let at = 1_779_315_147_u64;
        let note: Note = note.parse().unwrap();
        let signed = signer().sign(WitnessKey::message(at, &note.text));
        let mut bytes = at.to_be_bytes().to_vec();
        bytes.extend(&signed.signatures[0].signature);
        let lines = Note {
            text: String::new(),
            signatures: vec![key().line(bytes)],
        };
        (200, lines.to_string().trim_start_matches('\n').to_owned())
    })
}

async fn cosigned(log: &Log, address: &str, of: &mut ToWitness, witness: &Witness) -> Outcome {
    let web = Web::new().unwrap();
    let to = (address, &key());
    web.cosign(&log.store, witness, to, of).await.unwrap()
}

#[tokio::test]
async fn a_witness_to_which_another_server_brought_a_newer_checkpoint_is_not_ahead() {
    let log = Log::new().await;
    let nowhere = Place::Tlog("http://127.0.0.1:1".to_owned(), key());
    let witness = log.witness(nowhere).await;
    let older = log.due(&witness).await;
    log.grown("w1").await;
    let newer = log.due(&witness).await;
    assert!(older.size < newer.size);
    let mut brought = older.clone();
    let outcome = cosigned(&log, &holding(newer.size), &mut brought, &witness).await;
    assert!(matches!(outcome, Outcome::Signed(..)), "{outcome:?}");
    // It is the newer one that it signed.
    assert_eq!(brought, newer);
    // One that holds more than anybody made is.
    let mut brought = older.clone();
    let outcome = cosigned(&log, &holding(newer.size + 1), &mut brought, &witness).await;
    assert_eq!(outcome, Outcome::Ahead(newer.size + 1));
}

#[tokio::test]
async fn a_witness_that_holds_as_many_other_entries_is_told() {
    let log = Log::new().await;
    let witness = log
        .witness(Place::Tlog("http://127.0.0.1:1".to_owned(), key()))
        .await;
    let mut due = log.due(&witness).await;
    let size = due.size;
    // That it holds so many it says whatever it is asked.
    let address = answering(move |_| (409, format!("{size}\n")));
    let outcome = cosigned(&log, &address, &mut due, &witness).await;
    assert_eq!(outcome, Outcome::Ahead(size));
}

#[tokio::test]
async fn nothing_is_added_to_a_file_after_what_the_log_does_not_begin_with() {
    let log = Log::new().await;
    let place = log.path("witness");
    let witness = log
        .witness(Place::File(place.to_str().unwrap().to_owned()))
        .await;
    let folder = Folder::new(place.to_str().unwrap());
    folder.make().unwrap();
    let web = Web::new().unwrap();
    let first = log.due(&witness).await;
    assert!(bring(&log.store, &web, &witness, &first).await.unwrap());
    let file = place.join("acme.checkpoints");
    let kept = fs::read_to_string(&file).unwrap();
    // What goes no further is not added again.
    assert_eq!(
        folder.add(&log.store, &first).await.unwrap(),
        Outcome::Taken
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), kept);
    let forged = log.forged(&first, first.size - 1).to_string();
    fs::write(&file, format!("{kept}{forged}")).unwrap();
    log.grown("w1").await;
    for _ in 0..2 {
        let next = log.due(&witness).await;
        assert!(!bring(&log.store, &web, &witness, &next).await.unwrap());
        let now = fs::read_to_string(&file).unwrap();
        assert_eq!(now, format!("{kept}{forged}"));
    }
    assert_eq!(log.store.known_faults().await.unwrap(), 1);
    // It is what it was again.
    fs::write(&file, &kept).unwrap();
    let next = log.due(&witness).await;
    assert!(bring(&log.store, &web, &witness, &next).await.unwrap());
    assert!(fs::read_to_string(&file).unwrap().len() > kept.len());
}

#[tokio::test]
async fn another_daybook_keeps_two_checkpoints_of_as_many_different_entries_apart() {
    let log = Log::new().await;
    let witness = log
        .witness(Place::Tlog("http://127.0.0.1:1".to_owned(), key()))
        .await;
    let due = log.due(&witness).await;
    let other = ToWitness {
        note: log.forged(&due, due.size),
        ..due.clone()
    };
    let (send, sent) = std::sync::mpsc::channel();
    let address = answering(move |asked| {
        let event: serde_json::Value = serde_json::from_str(asked).unwrap();
        send.send(event["idempotency_key"].clone()).unwrap();
        (201, String::new())
    });
    let web = Web::new().unwrap();
    let token = "dbk_x".to_owned().into();
    for of in [&due, &due, &other] {
        assert_eq!(web.record(&address, &token, of).await, Outcome::Taken);
    }
    let keys: Vec<serde_json::Value> = sent.try_iter().collect();
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2]);
    assert!(keys[0].as_str().is_some_and(|key| key.len() <= 512));
}

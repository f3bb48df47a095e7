//! A read replica: a standby of the PostgreSQL server, which answers what is asked of the log as far as it
//! has come. Whoever asks sees no difference, whatever becomes of it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use harness::{Client, Cluster, Daybook, Node, READ_AND_WRITE, Server, event, wait_for, with};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

const REPLICA: &str = "DAYBOOK_DATABASE_READ_URL";

/// An installation with the workspace `acme/growth`, on a primary with a standby.
fn acme(cluster: &Cluster) -> Daybook {
    cluster.daybook().tenant("acme").workspace("acme/growth")
}

fn serve(daybook: &Daybook, replica: &Node) -> Server {
    serve_with(daybook, &replica.url())
}

fn serve_with(daybook: &Daybook, replica: &str) -> Server {
    let mut command = daybook.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env(REPLICA, replica);
    Server::start(command)
}

/// A way to a server on which nothing comes through as long as it is held: whoever asks is let in, and is
/// not answered.
struct Wire {
    address: SocketAddr,
    state: Arc<(Mutex<Held>, Condvar)>,
}

#[derive(Default)]
struct Held {
    is_held: bool,
    /// How often something was asked meanwhile.
    asked: usize,
}

impl Wire {
    fn to(node: &Node) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state: Arc<(Mutex<Held>, Condvar)> = Arc::default();
        let (far, shared) = (("127.0.0.1", node.port()), Arc::clone(&state));
        thread::spawn(move || {
            for near in listener.incoming() {
                let (near, far) = (near.unwrap(), TcpStream::connect(far));
                let Ok(far) = far else { continue };
                let (mut answers, mut back) = (far.try_clone().unwrap(), near.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = io::copy(&mut answers, &mut back);
                    let _ = back.shutdown(std::net::Shutdown::Both);
                });
                let shared = Arc::clone(&shared);
                thread::spawn(move || questions(near, far, &shared));
            }
        });
        Self { address, state }
    }

    fn url(&self) -> String {
        format!("postgres://daybook@{}/daybook", self.address)
    }

    fn hold(&self) {
        self.state.0.lock().unwrap().is_held = true;
    }

    fn let_go(&self) {
        self.state.0.lock().unwrap().is_held = false;
        self.state.1.notify_all();
    }

    /// How often something was asked since it was held for the first time, while it was.
    fn asked(&self) -> usize {
        self.state.0.lock().unwrap().asked
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Takes what is asked to the server, where nobody holds it.
fn questions(mut near: TcpStream, mut far: TcpStream, (held, changed): &(Mutex<Held>, Condvar)) {
    let mut buffer = [0; 4_096];
    while let Ok(read @ 1..) = near.read(&mut buffer) {
        let mut held = held.lock().unwrap();
        if held.is_held {
            held.asked += 1;
        }
        drop(changed.wait_while(held, |held| held.is_held).unwrap());
        if far.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = far.shutdown(std::net::Shutdown::Both);
}

/// Waits until the replica of a server stands so.
#[track_caller]
fn stands(server: &Server, standing: &str) {
    let client = server.client();
    let mut last = Value::Null;
    wait_for(&format!("the replica is {standing}"), || {
        last = client.get("/readyz").expect(200).json();
        (last["replica"] == standing).then_some(())
    });
}

/// How many reads of the log were answered so.
fn reads(server: &Server, answered: &str) -> u64 {
    let told = server.client().get("/metrics").expect(200).text();
    let name = format!("daybook_replica_reads_total{{answered=\"{answered}\"}} ");
    let mut lines = told.lines().filter_map(|line| line.strip_prefix(&name));
    lines.next().map_or(0, |count| count.parse().unwrap())
}

/// A token's holder on a server.
fn holder(server: &Server, secret: &str) -> Client {
    server.client().with_token(secret)
}

/// An event of a series, with a key.
fn numbered(series: &str, number: usize) -> Value {
    let event = with(event("DEPLOYMENT_CREATED"), "operation", series);
    with(event, "idempotency_key", format!("{series}-{number}"))
}

/// How many of a series there are, as a page tells.
fn found(client: &Client, series: &str) -> usize {
    let page = client.get(&format!("/api/v1/events?operation={series}&limit=500"));
    page.expect(200).json()["events"].as_array().unwrap().len()
}

/// Sends one event after the other to one of two servers, and looks for all of them on the other at once.
#[track_caller]
fn each_is_found_at_once(one: &Client, other: &Client, series: &str, times: usize) {
    for number in 0..times {
        one.send(&numbered(series, number)).expect(201);
        assert_eq!(found(other, series), number + 1);
    }
}

#[test]
fn what_was_acknowledged_is_on_the_next_page_of_any_server_however_far_the_replica_is() {
    only_postgres!();
    let cluster = Cluster::new();
    let daybook = acme(&cluster).user("owner@acme.example", "owner", "acme/growth");
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let servers = [(); 2].map(|()| serve(&daybook, &cluster.standby));
    let [one, other] = [0, 1].map(|at| holder(&servers[at], &secret));
    stands(&servers[1], "in use");
    each_is_found_at_once(&one, &other, "in-use", 10);
    assert!(reads(&servers[1], "replica") > 0);
    // A page, with all that stands on it, is the replica's too.
    let before = reads(&servers[1], "replica");
    let owner = servers[1].client().signed_in("owner@acme.example");
    let page = owner.get("/acme/growth/audit?operation=in-use").expect(200);
    assert_eq!(page.text().matches("data-event-id").count(), 10);
    assert!(reads(&servers[1], "replica") > before);

    // It stands still: the database answers, at once, and then without waiting for the replica.
    cluster.standby.ask("SELECT pg_wal_replay_pause()");
    each_is_found_at_once(&one, &other, "behind", 10);
    stands(&servers[1], "behind");
    each_is_found_at_once(&other, &one, "far-behind", 10);
    assert!(reads(&servers[1], "behind") > 0);
    let removed = daybook.run(&["token", "list"]).succeeded();
    assert!(removed.out.contains("acme/growth"), "{removed:?}");
    cluster.primary.ask("SELECT pg_switch_wal()");
    cluster.standby.ask("SELECT pg_wal_replay_resume()");
    stands(&servers[1], "in use");
    each_is_found_at_once(&one, &other, "back", 10);

    // It is gone: servers are ready without it, start without it, and take it up again by themselves.
    cluster.standby.stop("immediate");
    each_is_found_at_once(&one, &other, "gone", 10);
    stands(&servers[1], "away");
    let third = serve(&daybook, &cluster.standby);
    each_is_found_at_once(&one, &holder(&third, &secret), "third", 10);
    let told = servers[1].told();
    let away = told
        .matches("is not read from, the database itself is")
        .count();
    assert_eq!(away, 1, "{told}");
    cluster.standby.start();
    for server in servers.iter().chain([&third]) {
        stands(server, "in use");
    }
    let told = servers[1].told();
    assert!(told.contains("is read from again"), "{told}");
    let before = reads(&third, "replica");
    each_is_found_at_once(&one, &holder(&third, &secret), "again", 10);
    assert!(reads(&third, "replica") > before);
}

#[test]
fn what_a_replica_breaks_off_is_answered_all_the_same() {
    only_postgres!();
    let cluster = Cluster::new();
    let daybook = acme(&cluster).user("owner@acme.example", "owner", "acme/growth");
    let secret = daybook.token(
        "acme/growth",
        &["events:read", "events:write", "events:export"],
    );
    let server = serve(&daybook, &cluster.standby);
    let client = holder(&server, &secret);
    for batch in 0..12 {
        let events: Vec<_> = (0..500)
            .map(|n| numbered("series", batch * 500 + n))
            .collect();
        client.send(&json!(events)).expect(201);
    }
    let whole = client.walk("operation=series&limit=500").texts("/seq");
    assert_eq!(whole.len(), 6_000);
    let export = "/api/v1/events/export?format=ndjson&operation=series";
    let file = client.get(export).expect(200).text();
    stands(&server, "in use");

    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        // Whoever reads there is thrown out again and again.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                cluster.standby.ask(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE usename = 'daybook' AND state <> 'idle'",
                );
            }
        });
        let owner = server.client().signed_in("owner@acme.example");
        let readers = [0, 1, 2].map(|at| {
            let (client, owner, whole, file) = (client.apart(), owner.apart(), &whole, &file);
            scope.spawn(move || match at {
                0 => {
                    for _ in 0..2 {
                        let walk = client.walk("operation=series&limit=500");
                        assert_eq!(walk.texts("/seq"), *whole);
                    }
                }
                1 => {
                    for _ in 0..3 {
                        assert_eq!(client.get(export).expect(200).text(), *file);
                    }
                }
                _ => {
                    for _ in 0..5 {
                        let page = owner.get("/acme/growth/audit").expect(200).text();
                        assert!(page.matches("data-event-id").count() >= 50);
                        owner.get("/acme/growth/objects").expect(200);
                        let object = "/acme/growth/objects/api_token/tok_9";
                        owner.get(object).expect(200);
                    }
                }
            })
        });
        let ended = readers.map(|reader| reader.join().is_ok());
        over.store(true, Ordering::Relaxed);
        assert_eq!(ended, [true; 3]);
    });
    assert!(reads(&server, "failed") > 0, "it was thrown out");
    assert!(reads(&server, "replica") > 0);
}

#[test]
fn an_export_goes_on_where_its_replica_went_away() {
    only_postgres!();
    let cluster = Cluster::new();
    let daybook = acme(&cluster);
    let secret = daybook.token(
        "acme/growth",
        &["events:read", "events:write", "events:export"],
    );
    let server = serve(&daybook, &cluster.standby);
    let client = holder(&server, &secret);
    // Too much to lie in the buffers on the way.
    let text = "x".repeat(20_000);
    for batch in 0..20 {
        let events: Vec<_> = (0..100)
            .map(|n| {
                with(
                    numbered("large", batch * 100 + n),
                    "description",
                    text.as_str(),
                )
            })
            .collect();
        client.send(&json!(events)).expect(201);
    }
    stands(&server, "in use");
    let before = reads(&server, "replica");
    let path = "/api/v1/events/export?format=ndjson&operation=large";
    let mut file = client.open(path);
    let mut first = vec![0; 100_000];
    file.read_exact(&mut first).unwrap();
    assert!(reads(&server, "replica") > before);
    cluster.standby.stop("immediate");
    let mut whole = first;
    file.read_to_end(&mut whole).unwrap();
    let lines: Vec<Value> = whole
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let keys: BTreeSet<&str> = lines
        .iter()
        .map(|line| line["idempotency_key"].as_str().unwrap())
        .collect();
    assert_eq!((lines.len(), keys.len()), (2_000, 2_000));
    let told = client.walk("action=AUDIT_EXPORT_FINISHED");
    assert_eq!(told.texts("/outcome"), ["success"]);
}

#[test]
fn who_is_far_behind_catches_up_at_the_replica_and_goes_on_at_the_database() {
    only_postgres!();
    let cluster = Cluster::new();
    let daybook = acme(&cluster);
    let secret = daybook.token("acme", &READ_AND_WRITE);
    let server = serve(&daybook, &cluster.standby);
    let client = holder(&server, &secret);
    for batch in 0..6 {
        let events: Vec<_> = (0..500)
            .map(|n| with(numbered("series", batch * 500 + n), "workspace", "growth"))
            .collect();
        client.send(&json!(events)).expect(201);
    }
    stands(&server, "in use");
    let before = reads(&server, "replica");
    let (mut after, mut seqs) = (0, Vec::new());
    loop {
        let feed = client.get(&format!("/api/v1/feed?after={after}&limit=500"));
        let feed = feed.expect(200).json();
        let events = feed["events"].as_array().unwrap();
        seqs.extend(events.iter().map(|event| event["seq"].as_u64().unwrap()));
        let next = feed["next"].as_u64().unwrap();
        if next == after {
            break;
        }
        after = next;
    }
    assert_eq!(seqs, (1..=after).collect::<Vec<_>>());
    assert!(reads(&server, "replica") > before);
    // What is new is read where it is first.
    let before = reads(&server, "replica");
    let waiting = {
        let client = client.apart();
        thread::spawn(move || client.get(&format!("/api/v1/feed?after={after}&wait=30")))
    };
    client
        .send(&with(event("NEW"), "workspace", "growth"))
        .expect(201);
    let feed = waiting.join().unwrap().expect(200).json();
    assert_eq!(feed["events"][0]["action"], "NEW");
    assert_eq!(reads(&server, "replica"), before);
}

#[test]
fn one_that_does_not_answer_is_waited_for_once_and_taken_up_when_it_does() {
    only_postgres!();
    let cluster = Cluster::new();
    let daybook = acme(&cluster).user("owner@acme.example", "owner", "acme/growth");
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let wire = Wire::to(&cluster.standby);
    let server = serve_with(&daybook, &wire.url());
    let client = holder(&server, &secret);
    let owner = server.client().signed_in("owner@acme.example");
    client.send(&numbered("series", 0)).expect(201);
    stands(&server, "in use");
    assert_eq!(found(&client, "series"), 1);
    assert!(reads(&server, "replica") > 0);

    // What is wrong with a question is not the replica's fault, and is not asked of anybody else.
    for search in ["cursor=none", "workspace=others", "since=never"] {
        let refused = client.get(&format!("/api/v1/events?{search}"));
        assert!((400..500).contains(&refused.status), "{search}");
        let page = owner.get(&format!("/acme/growth/audit?{search}"));
        assert!(page.status < 500, "{search}");
    }
    assert_eq!(reads(&server, "failed"), 0);

    wire.hold();
    for _ in 0..30 {
        assert_eq!(found(&client, "series"), 1);
    }
    // None, where it was found out by who looks.
    assert!(
        reads(&server, "failed") <= 1,
        "{}",
        reads(&server, "failed")
    );
    assert!(reads(&server, "away") >= 29);
    stands(&server, "away");
    wire.let_go();
    stands(&server, "in use");
    let before = reads(&server, "replica");
    assert_eq!(found(&client, "series"), 1);
    assert!(reads(&server, "replica") > before);
}

#[test]
fn who_waits_for_the_replica_to_catch_up_holds_nothing_of_the_database() {
    only_postgres!();
    let cluster = Cluster::new();
    let daybook = acme(&cluster);
    let secret = daybook.token("acme", &READ_AND_WRITE);
    let wire = Wire::to(&cluster.standby);
    let server = serve_with(&daybook, &wire.url());
    let client = holder(&server, &secret);
    for batch in 0..2 {
        let events: Vec<_> = (0..500)
            .map(|n| with(numbered("series", batch * 500 + n), "workspace", "growth"))
            .collect();
        client.send(&json!(events)).expect(201);
    }
    let behind = "/api/v1/feed?after=0&limit=500";
    stands(&server, "in use");
    let before = reads(&server, "replica");
    client.get(behind).expect(200);
    assert!(reads(&server, "replica") > before);

    wire.hold();
    // Whoever looks how it is does so on a connection of its own, and waits for it for seconds.
    wait_for("it is looked at", || (wire.asked() > 0).then_some(()));
    let following = {
        let client = client.apart();
        thread::spawn(move || client.get(behind))
    };
    wait_for("a follower asks it", || (wire.asked() > 1).then_some(()));
    let open = "SELECT query FROM pg_stat_activity \
        WHERE usename = 'daybook' AND state = 'idle in transaction'";
    assert_eq!(cluster.primary.ask(open), [""; 0]);
    let feed = following.join().unwrap().expect(200).json();
    assert_eq!(feed["events"].as_array().unwrap().len(), 500);
    assert_eq!(reads(&server, "failed"), 1);
}

#[test]
fn what_is_no_replica_of_the_installation_is_refused_or_not_read_from() {
    only_postgres!();
    let cluster = Cluster::new();
    let daybook = acme(&cluster);
    // Another installation, on the same two servers.
    cluster.primary.ask("CREATE DATABASE other OWNER daybook");
    let others = Daybook::new()
        .variable("DAYBOOK_DATABASE_URL", &cluster.primary.url_of("other"))
        .tenant("acme");
    wait_for("the other installation is on the standby", || {
        let there = "SELECT 1 FROM pg_database WHERE datname = 'other'";
        (!cluster.standby.ask(there).is_empty()).then_some(())
    });
    drop(others);
    let refuses = |url: &str, words: &str| {
        wait_for(words, || {
            let mut command = daybook.command(&["serve", "--listen", "127.0.0.1:0"]);
            let ran = command.env(REPLICA, url).output().unwrap();
            let told = String::from_utf8(ran.stderr).unwrap();
            assert_eq!(ran.status.code(), Some(1), "{told}");
            told.contains(words).then_some(())
        });
    };
    refuses(
        &cluster.primary.url(),
        "it is no standby, but takes writes itself",
    );
    refuses(
        &cluster.standby.url_of("other"),
        "it is of another installation",
    );
    let line = ["serve", "--database", "sqlite:x.db", "--read-database"];
    let line = [&line[..], &["postgres://daybook@127.0.0.1/daybook"]].concat();
    daybook.run(&line).refused(
        2,
        "which only a log on PostgreSQL has; this one is sqlite:x.db",
    );
    let line = ["serve", "--read-database", "sqlite:x.db"];
    assert_eq!(daybook.run(&line).status, 2);

    // A standby that takes writes from some moment on is not read from any more.
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let server = serve(&daybook, &cluster.standby);
    let client = holder(&server, &secret);
    stands(&server, "in use");
    cluster.standby.ask("SELECT pg_promote()");
    each_is_found_at_once(&client, &client, "promoted", 10);
    stands(&server, "away");
    let before = reads(&server, "replica");
    each_is_found_at_once(&client, &client, "alone", 5);
    assert_eq!(reads(&server, "replica"), before);
    assert!(
        server.told().contains("it is no standby"),
        "{}",
        server.told()
    );
}

#[test]
fn a_replica_that_holds_what_the_database_lost_is_not_read_from() {
    only_postgres!();
    let mut cluster = Cluster::new();
    let daybook = acme(&cluster);
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let server = serve(&daybook, &cluster.standby);
    let client = holder(&server, &secret);
    client.send(&numbered("kept", 0)).expect(201);
    let copy = cluster.copied("copy", &[]);
    for number in 0..3 {
        client.send(&numbered("lost", number)).expect(201);
    }
    stands(&server, "in use");
    assert_eq!(found(&client, "lost"), 3);
    // The standby has them all when an older copy takes the database's place.
    let head = "SELECT max(seq) FROM tenant_head";
    wait_for("the standby has all", || {
        (cluster.standby.ask(head) == cluster.primary.ask(head)).then_some(())
    });
    cluster.primary.stop("fast");
    cluster.primary.replaced_by(copy);
    cluster.primary.start();
    wait_for("the server is ready again", || {
        (client.get("/readyz").status == 200).then_some(())
    });
    assert_eq!((found(&client, "kept"), found(&client, "lost")), (1, 0));
    stands(&server, "away");
    for number in 0..5 {
        client.send(&numbered("new", number)).expect(201);
        assert_eq!(
            (found(&client, "new"), found(&client, "lost")),
            (number + 1, 0)
        );
    }
    let feed = client
        .get("/api/v1/feed?after=0&limit=500")
        .expect(200)
        .text();
    assert!(!feed.contains("lost-") && feed.contains("new-4"), "{feed}");
    let told = server.told();
    assert!(
        told.contains("it holds events that the database does not"),
        "{told}"
    );
}

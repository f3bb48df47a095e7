//! Two servers of one installation on PostgreSQL, with a read replica: any of them answers anything, and
//! goes on where the other is killed or the database is stopped. Nothing acknowledged is lost, nothing is
//! doubled, who follows the log sees each event once and in order, and no page has a gap.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use chrono::TimeDelta;
use harness::{Answer, Client, Cluster, Daybook, READ_AND_WRITE, Server, event, wait_for, with};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

const SENDERS: usize = 16;
/// So many of them give no keys, and so never send again what was not answered.
const WITHOUT_KEYS: usize = 4;
/// How much is recorded between two things that happen.
const MEANWHILE: usize = 400;
/// Who was not answered tries again after this.
const BREATH: Duration = Duration::from_millis(50);

/// What the installation is asked through: two servers, either of which may be gone.
struct Servers<'a> {
    daybook: &'a Daybook,
    replica: String,
    secret: String,
    running: RwLock<[Option<Server>; 2]>,
}

impl<'a> Servers<'a> {
    fn start(daybook: &'a Daybook, cluster: &Cluster, secret: String) -> Self {
        let servers = Self {
            daybook,
            replica: cluster.standby.url(),
            secret,
            running: RwLock::default(),
        };
        servers.begin(0);
        servers.begin(1);
        servers
    }

    fn begin(&self, at: usize) {
        let mut command = self.daybook.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("DAYBOOK_DATABASE_READ_URL", &self.replica);
        let server = Server::start(command);
        self.running.write().unwrap()[at] = Some(server);
    }

    /// `kill -9`.
    fn kill(&self, at: usize) {
        let server = self.running.write().unwrap()[at].take();
        server.unwrap().kill();
    }

    /// Who sends and reads, at one of the two, or at the other where that is gone.
    fn client(&self, at: usize) -> Client {
        let running = self.running.read().unwrap();
        let server = running[at % 2].as_ref().or(running[(at + 1) % 2].as_ref());
        server.unwrap().client().with_token(&self.secret)
    }

    /// Asks one, and where it gives no answer, or says that there is none now, the other, until there is
    /// one; tells also who asks next time.
    fn ask(&self, at: &mut usize, ask: impl Fn(&Client) -> Result<Answer, ureq::Error>) -> Answer {
        loop {
            match ask(&self.client(*at)) {
                Ok(answer) if answer.status != 503 => return answer,
                Ok(answer) => is_unavailable(&answer),
                Err(_) => {}
            }
            *at += 1;
            thread::sleep(BREATH);
        }
    }
}

/// The answer says that there is none now, and when to come back.
#[track_caller]
fn is_unavailable(answer: &Answer) {
    let told = answer.text();
    assert_eq!(answer.status, 503, "{told}");
    assert_eq!(answer.header("retry-after"), "5", "{told}");
    let kind = answer.json()["type"].as_str().unwrap().to_owned();
    let kind = kind.strip_prefix("urn:daybook:problem:").unwrap();
    assert!(
        ["database-unavailable", "in-doubt"].contains(&kind),
        "{told}"
    );
}

/// A number from 0 to `end`, which it never is.
fn random(end: usize) -> usize {
    usize::try_from(getrandom::u64().unwrap() % end as u64).unwrap()
}

/// What was acknowledged, for all who look.
#[derive(Default)]
struct Acknowledged {
    /// The id and number of each event, by its name.
    events: Mutex<BTreeMap<String, (String, u64)>>,
    count: AtomicUsize,
    /// The greatest number.
    last: AtomicU64,
}

impl Acknowledged {
    fn take(&self, names: Vec<String>, answer: &Answer) {
        let told = answer.json();
        let told = told["events"].as_array().unwrap();
        assert_eq!(told.len(), names.len());
        let mut events = self.events.lock().unwrap();
        for (name, told) in names.into_iter().zip(told) {
            let place = (
                told["id"].as_str().unwrap().to_owned(),
                told["seq"].as_u64().unwrap(),
            );
            self.last.fetch_max(place.1, Ordering::SeqCst);
            // Whoever sends again is told the same.
            let known = events.entry(name).or_insert_with(|| place.clone());
            assert_eq!(*known, place);
        }
        self.count.store(events.len(), Ordering::SeqCst);
    }

    /// Waits until some more was acknowledged.
    fn grows(&self, what: &str) {
        let enough = self.count.load(Ordering::SeqCst) + MEANWHILE;
        wait_for(what, || {
            (self.count.load(Ordering::SeqCst) >= enough).then_some(())
        });
    }
}

/// Sends, to either server in turns, until it is enough: single events and batches.
fn send(servers: &Servers<'_>, sender: usize, acknowledged: &Acknowledged, enough: &AtomicBool) {
    let has_keys = sender >= WITHOUT_KEYS;
    let (mut number, mut at) = (0, sender);
    while !enough.load(Ordering::Relaxed) {
        at += 1;
        let size = [1, 1, 1, 5, 40][random(5)];
        let names: Vec<_> = (number..number + size)
            .map(|number| format!("{sender}-{number}"))
            .collect();
        number += size;
        let events: Vec<_> = names
            .iter()
            .map(|name| {
                let mut event = with(event("DEPLOYMENT_CREATED"), "workspace", "growth");
                event["target"]["name"] = name.as_str().into();
                event["actor"]["id"] = format!("usr_{sender}").into();
                if has_keys {
                    event["idempotency_key"] = name.as_str().into();
                }
                event
            })
            .collect();
        let body = match events.as_slice() {
            [one] => one.to_string(),
            all => json!(all).to_string(),
        };
        let post =
            |client: &Client| client.try_post("/api/v1/events", "application/json", body.as_str());
        if has_keys {
            let answer = servers.ask(&mut at, post).expect(201);
            acknowledged.take(names, &answer);
        } else {
            match post(&servers.client(at)) {
                Ok(answer) if answer.status == 503 => is_unavailable(&answer),
                Ok(answer) => acknowledged.take(names, &answer.expect(201)),
                Err(_) => {}
            }
        }
    }
}

/// Follows the log to where it ends when it is enough: what each event is of which it was told.
fn follow(servers: &Servers<'_>, is_over: &AtomicBool) -> Vec<(u64, String)> {
    let (mut after, mut at) = (0, 0);
    let mut seen = Vec::new();
    loop {
        let was_over = is_over.load(Ordering::SeqCst);
        at += 1;
        let path = format!("/api/v1/feed?after={after}&wait=1&limit=200");
        let feed = servers.ask(&mut at, |client| client.try_get(&path));
        let feed = feed.expect(200).json();
        for event in feed["events"].as_array().unwrap() {
            let seq = event["seq"].as_u64().unwrap();
            assert!(seq > after, "{seq} came after {after}");
            seen.push((seq, event["id"].as_str().unwrap().to_owned()));
        }
        let next = feed["next"].as_u64().unwrap();
        assert!(next >= after, "{next} came after {after}");
        if was_over && next == after {
            return seen;
        }
        after = next;
    }
}

/// A page: what had been acknowledged before it was asked for, and where its events stand.
struct Page {
    acknowledged: u64,
    places: Vec<(String, u64)>,
}

/// Asks for the first page, of either server in turns, until it is enough.
fn look(servers: &Servers<'_>, acknowledged: &Acknowledged, enough: &AtomicBool) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut at = 0;
    while !enough.load(Ordering::Relaxed) {
        at += 1;
        let before = acknowledged.last.load(Ordering::SeqCst);
        let page = servers.ask(&mut at, |client| client.try_get("/api/v1/events?limit=300"));
        let page = page.expect(200).json();
        pages.push(Page {
            acknowledged: before,
            places: page["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(place)
                .collect(),
        });
    }
    pages
}

fn place(event: &Value) -> (String, u64) {
    let at = event["occurred_at"].as_str().unwrap();
    (at.to_owned(), event["seq"].as_u64().unwrap())
}

/// The page has everything that the log had when it was asked for, down to its last event: all up to the
/// last number that it shows, and all that was acknowledged.
fn has_no_gap(page: &Page, log: &[(String, u64)]) {
    assert!(page.places.is_sorted_by(|one, other| one > other));
    let Some(last) = page.places.last() else {
        assert_eq!(page.acknowledged, 0);
        return;
    };
    let shown: HashSet<u64> = page.places.iter().map(|(_, seq)| *seq).collect();
    let greatest = shown.iter().max().copied().unwrap_or(0);
    let up_to = greatest.max(page.acknowledged);
    // A page that is not full goes down to the first of all.
    let is_full = page.places.len() == 300;
    for place in log.iter().filter(|place| place.1 <= up_to) {
        if !is_full || place >= last {
            assert!(shown.contains(&place.1), "{place:?} is not on a page");
        }
    }
}

#[test]
fn nothing_is_lost_or_doubled_while_servers_are_killed_and_the_database_is_stopped() {
    only_postgres!();
    let cluster = Cluster::new();
    let daybook = cluster.daybook().tenant("acme").workspace("acme/growth");
    let daybook = daybook.user("owner@acme.example", "owner", "acme/growth");
    let secret = daybook.token("acme", &READ_AND_WRITE);
    let servers = Servers::start(&daybook, &cluster, secret);
    let owner = servers.client(0).signed_in("owner@acme.example");
    let acknowledged = Acknowledged::default();
    let (enough, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
    let (seen, pages) = thread::scope(|scope| {
        let (servers, acknowledged) = (&servers, &acknowledged);
        let (enough, is_over) = (&enough, &is_over);
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| scope.spawn(move || send(servers, sender, acknowledged, enough)))
            .collect();
        let follower = scope.spawn(move || follow(servers, is_over));
        let looks = [(); 2].map(|()| scope.spawn(move || look(servers, acknowledged, enough)));
        // However this ends, nobody goes on.
        let happened = thread::scope(|scope| {
            let happen = scope.spawn(|| {
                acknowledged.grows("both servers record");
                servers.kill(1);
                acknowledged.grows("one goes on alone");
                servers.begin(1);
                acknowledged.grows("both go on");
                servers.kill(0);
                acknowledged.grows("the other goes on alone");
                servers.begin(0);
                acknowledged.grows("both go on again");
                cluster.primary.stop("fast");
                says_that_it_is_away(&servers.client(1), &owner.at(servers.client(0).base()));
                cluster.primary.start();
                acknowledged.grows("everything goes on by itself");
                cluster.primary.stop("immediate");
                cluster.primary.start();
                acknowledged.grows("and after a crash");
                cluster.standby.stop("immediate");
                acknowledged.grows("it goes on without a replica");
                cluster.standby.start();
                acknowledged.grows("and with it again");
            });
            happen.join()
        });
        enough.store(true, Ordering::SeqCst);
        let senders: Vec<_> = senders
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        is_over.store(true, Ordering::SeqCst);
        let seen = follower.join();
        let pages = looks.map(thread::ScopedJoinHandle::join);
        happened.unwrap();
        for sender in senders {
            sender.unwrap();
        }
        let pages: Vec<Page> = pages.into_iter().flat_map(Result::unwrap).collect();
        (seen.unwrap(), pages)
    });

    // The log as it is in the end: every number once, and the follower saw just that.
    let log = servers.client(1).walk("limit=500").events;
    let mut in_order: Vec<(u64, String)> = log
        .iter()
        .map(|event| {
            let id = event["id"].as_str().unwrap().to_owned();
            (event["seq"].as_u64().unwrap(), id)
        })
        .collect();
    in_order.sort();
    let numbers: Vec<u64> = in_order.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, (1..=log.len() as u64).collect::<Vec<_>>());
    in_order.truncate(seen.len());
    assert!(seen == in_order, "the follower saw another log");
    // What was acknowledged is there, once, where it was said to be. What was not may be, once: nothing
    // was sent twice but with a key.
    let mut there: HashMap<&str, Vec<(&str, u64)>> = HashMap::new();
    for event in log.iter().filter(|event| event["source"].is_null()) {
        let name = event["target"]["name"].as_str().unwrap();
        let place = (
            event["id"].as_str().unwrap(),
            event["seq"].as_u64().unwrap(),
        );
        there.entry(name).or_default().push(place);
    }
    for (name, places) in &there {
        assert_eq!(places.len(), 1, "{name}");
    }
    let events = acknowledged.events.into_inner().unwrap();
    for (name, (id, seq)) in &events {
        assert_eq!(
            there.get(name.as_str()),
            Some(&vec![(id.as_str(), *seq)]),
            "{name}"
        );
    }
    assert!(seen.len() >= events.len());
    let places: Vec<_> = log.iter().map(place).collect();
    assert!(pages.len() > 10, "{} pages", pages.len());
    for page in &pages {
        has_no_gap(page, &places);
    }
}

/// While the database is away, it is said so, to programs and people, and when to come back.
fn says_that_it_is_away(program: &Client, person: &Client) {
    thread::scope(|scope| {
        scope.spawn(|| {
            let sent = with(event("MEANWHILE"), "workspace", "growth");
            is_unavailable(&program.apart().send(&sent));
        });
        scope.spawn(|| is_unavailable(&program.apart().get("/api/v1/events")));
        scope.spawn(|| {
            let page = person.get("/acme/growth/audit").expect(503);
            assert_eq!(page.header("retry-after"), "5");
            let told = page.text();
            assert!(told.contains("Please try again in a moment"), "{told}");
        });
        let readiness = program.get("/readyz").expect(503);
        assert_eq!(readiness.json()["status"], "unreachable");
        program.get("/healthz").expect(200);
    });
}

/// How many expired events a server deleted.
fn deleted(server: &Server) -> u64 {
    let told = server.client().get("/metrics").expect(200).text();
    let mut lines = told
        .lines()
        .filter_map(|line| line.strip_prefix("daybook_events_expired_total "));
    lines.next().map_or(0, |count| count.parse().unwrap())
}

#[test]
fn what_expired_is_deleted_by_one_server_and_by_the_other_when_that_one_is_killed() {
    const OLD: u64 = 30_000;
    only_postgres!();
    let cluster = Cluster::new();
    let daybook = cluster.daybook().tenant("acme").workspace("acme/growth");
    let daybook = daybook.workspace("acme/ops");
    let retention = |workspace: &str, kept: &str| {
        let line = ["settings", "set", "--workspace", workspace];
        let kept = ["--retention", kept, "--now"];
        daybook.run(&[&line[..], &kept].concat()).succeeded();
    };
    retention("acme/growth", "1y");
    retention("acme/ops", "1y");
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let server = daybook.serve();
    let client = server.client().with_token(&secret);
    let old = harness::now().plus(-TimeDelta::days(100)).to_string();
    let old = with(event("MEMBER_ADDED"), "occurred_at", old);
    for _ in 0..OLD / 1_000 {
        client.send(&json!(vec![&old; 1_000])).expect(201);
    }
    client.send(&event("MEMBER_REMOVED")).expect(201);
    // What stays among them: they go batch by batch, not with the table that they lie in.
    let ops = daybook.token("acme/ops", &READ_AND_WRITE);
    let stays = server.client().with_token(&ops);
    stays.send(&old).expect(201);
    assert!(server.stop().0.success());
    retention("acme/growth", "90d");

    let mut servers = vec![daybook.serve(), daybook.serve()];
    // One of them has begun. It is held up in the middle, and killed.
    let begun = wait_for("one of them deletes", || {
        servers.iter().position(|server| deleted(server) > 0)
    });
    let unfinished = "SELECT count(*) FROM release WHERE finished_at IS NULL";
    assert_eq!(cluster.primary.ask(unfinished), ["1"]);
    let first = servers.remove(begun);
    let other = servers.remove(0);
    assert_eq!(deleted(&other), 0, "one at a time");
    first.kill();
    wait_for("the other goes on", || {
        assert!(other.client().get("/readyz").status == 200);
        (deleted(&other) > 0).then_some(())
    });
    wait_for("all is deleted", || {
        (cluster.primary.ask(unfinished) == ["0"]).then_some(())
    });
    let reader = other.client().with_token(&secret);
    assert!(reader.walk("action=MEMBER_ADDED").events.is_empty());
    assert_eq!(reader.walk("action=MEMBER_REMOVED").events.len(), 1);
    let told = reader.walk("action=AUDIT_EVENTS_EXPIRED");
    assert_eq!(told.texts("/after/deleted"), [OLD.to_string()]);
}

//! `kill -9` at random moments while many record, and an import beside a server that records:
//! nothing acknowledged is lost, nothing is doubled, and the index is what the log makes of it.
//!
//! `DAYBOOK_SWEEP_ROUNDS` says how often the server is killed; 5 times where it is not set.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Client, Daybook, READ_AND_WRITE, Server, event, with};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

const SENDERS: usize = 16;

/// What was acknowledged: the id and number of each key.
type Acknowledged = BTreeMap<String, (String, u64)>;

/// A number from 0 to `end`, which it never is.
fn random(end: usize) -> usize {
    usize::try_from(getrandom::u64().unwrap() % end as u64).unwrap()
}

/// Sends batches of random sizes until the server is gone or `enough` is said; some again, as
/// senders do who did not hear an answer. Everything has a key of its own.
fn send_until_gone(
    client: &Client,
    name: &str,
    acknowledged: &AtomicUsize,
    enough: &AtomicBool,
) -> Acknowledged {
    let mut all = Acknowledged::new();
    let mut number = 0;
    while !enough.load(Ordering::Relaxed) {
        let size = [1, 1, 1, 7, 60, 400][random(6)];
        let keys: Vec<_> = (number..number + size)
            .map(|n| format!("{name}-{n}"))
            .collect();
        number += size;
        let events: Vec<_> = keys
            .iter()
            .map(|key| {
                let action = format!("ACTION_{}", random(12));
                let mut event = with(event(&action), "idempotency_key", key.as_str());
                event["actor"]["id"] = json!(format!("usr_{}", random(40)));
                event["target"]["id"] = json!(format!("tok_{}", random(300)));
                event["outcome"] = json!(["success", "failure", "denied"][random(3)]);
                event["after"] = json!({"text": "x".repeat(random(300))});
                event
            })
            .collect();
        let body = json!(events).to_string();
        for _ in 0..=random(2) {
            let Ok(answer) = client.try_post("/api/v1/events", "application/json", body.clone())
            else {
                return all;
            };
            if answer.status == 503 {
                continue;
            }
            let told = answer.expect(201).json();
            let placed = told["events"].as_array().unwrap();
            assert_eq!(placed.len(), keys.len());
            for (key, place) in keys.iter().zip(placed) {
                let place = (
                    place["id"].as_str().unwrap().to_owned(),
                    place["seq"].as_u64().unwrap(),
                );
                // Sent again, it is where it was.
                let before = all.insert(key.clone(), place.clone());
                assert!(before.is_none_or(|before| before == place), "{key} moved");
            }
            acknowledged.fetch_add(keys.len(), Ordering::Relaxed);
        }
    }
    all
}

/// Has many senders record until `stop` comes back; what they heard.
fn record_until(
    server: &Server,
    secret: &str,
    round: usize,
    stop: impl FnOnce(&AtomicUsize),
) -> (Acknowledged, Arc<AtomicBool>) {
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let enough = Arc::new(AtomicBool::new(false));
    let client = server.client().with_token(secret);
    let mut all = Acknowledged::new();
    thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (client, enough) = (client.apart(), Arc::clone(&enough));
                let acknowledged = Arc::clone(&acknowledged);
                scope.spawn(move || {
                    let name = format!("r{round}-s{sender}");
                    send_until_gone(&client, &name, &acknowledged, &enough)
                })
            })
            .collect();
        stop(&acknowledged);
        enough.store(true, Ordering::Relaxed);
        for sender in senders {
            all.extend(sender.join().unwrap());
        }
    });
    (all, enough)
}

/// The whole log, in the order of arrival: every number from 1 once.
fn whole_log(reader: &Client) -> Vec<Value> {
    let mut events = reader.walk("limit=500").events;
    events.sort_by_key(|event| event["seq"].as_u64());
    for (at, event) in events.iter().enumerate() {
        assert_eq!(
            event["seq"],
            at + 1,
            "a gap or a double in the order of arrival"
        );
    }
    let ids: Vec<_> = events
        .iter()
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    assert!(ids.is_sorted(), "ids rise with the order of arrival");
    events
}

/// Everything acknowledged is there once, where it was said to be.
fn assert_kept(log: &[Value], acknowledged: &Acknowledged) {
    let mut by_key: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in log {
        if let Some(key) = event["idempotency_key"].as_str() {
            by_key.entry(key).or_default().push(event);
        }
    }
    for (key, events) in &by_key {
        assert_eq!(events.len(), 1, "{key} is there {} times", events.len());
    }
    for (key, (id, seq)) in acknowledged {
        let event = by_key
            .get(key.as_str())
            .unwrap_or_else(|| panic!("{key} is lost"))[0];
        assert_eq!(
            (event["id"].as_str(), event["seq"].as_u64()),
            (Some(id.as_str()), Some(*seq))
        );
    }
}

/// Answers to questions of every kind, up to a moment, and what the page says there is to choose.
fn answers(reader: &Client, owner: &Client, until: &str) -> Vec<Value> {
    let mut answers: Vec<Value> = [
        "",
        "order=asc",
        "sort=actor",
        "sort=action&order=desc",
        "sort=target_kind",
        "actor=alex",
        "actor_id=usr_3&actor_id=usr_7",
        "action=ACTION_1&action=ACTION_5&outcome=denied",
        "outcome=failure&sort=actor",
        "target_kind=api_token&target_id=tok_17",
        "q=tok_2",
        "category=other&workspace=growth",
        "verb=other&sort=action",
    ]
    .iter()
    .map(|question| {
        let until = until.replace('+', "%2B");
        json!(
            reader
                .walk(&format!("{question}&until={until}&limit=500"))
                .events
        )
    })
    .collect();
    // The page's own counts: its chips and dropdowns, without what is new in every answer.
    let page = owner.get("/acme/growth/audit").expect(200).text();
    let counted: Vec<_> = page
        .split(['<', '>'])
        .filter(|text| text.contains("ACTION_") || text.contains("category="))
        .map(str::to_owned)
        .collect();
    answers.push(json!(counted));
    answers
}

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let rounds = env::var("DAYBOOK_SWEEP_ROUNDS").map_or(5, |rounds| rounds.parse().unwrap());
    let daybook = Daybook::acme().user("kim@acme.example", "owner", "acme/growth");
    let sender = daybook.token("acme/growth", &["events:write"]);
    let reader = daybook.token("acme", &READ_AND_WRITE);
    let mut acknowledged = Acknowledged::new();
    let mut server = daybook.serve();
    for round in 0..rounds {
        // Some rounds end with the first events, some in full course.
        let most = [1, 50, 3_000, 12_000][random(4)];
        let until = random(most);
        let mut running = Some(server);
        let server_of_round = running.as_ref().unwrap();
        let (client, pid) = (server_of_round.client(), server_of_round.pid());
        let _ = client;
        let (heard, _) = record_until(server_of_round, &sender, round, |acknowledged| {
            harness::wait_for("events are acknowledged", || {
                (acknowledged.load(Ordering::Relaxed) >= until).then_some(())
            });
            // Somewhere inside a batch.
            for _ in 0..random(200_000) {
                std::hint::spin_loop();
            }
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        });
        running.take().unwrap().kill();
        acknowledged.extend(heard);
        server = daybook.serve();
        let log = whole_log(&server.client().with_token(&reader));
        assert_kept(&log, &acknowledged);
        println!(
            "round {round}: killed after {until}, {} events are there",
            log.len()
        );
    }

    // The index is what the log makes of it: the same answers from one made anew.
    let ask = |server: &Server| {
        let client = server.client().with_token(&reader);
        let owner = server.client().signed_in("kim@acme.example");
        client.get("/api/v1/events?limit=1").expect(200);
        owner.get("/acme/growth/audit").expect(200);
        (client, owner)
    };
    let (client, owner) = ask(&server);
    let until = harness::now().to_string();
    let before = answers(&client, &owner, &until);
    let count = whole_log(&client).len();
    assert!(server.stop().0.success());
    daybook.run(&["reindex"]).succeeded();
    let server = daybook.serve();
    let (client, owner) = ask(&server);
    assert!(whole_log(&client).len() >= count);
    assert_eq!(
        answers(&client, &owner, &until),
        before,
        "after reindex, answers differ"
    );
}

#[test]
fn an_import_beside_a_recording_server_loses_and_doubles_nothing() {
    const IMPORTED: usize = 12_000;
    let daybook = Daybook::acme();
    let sender = daybook.token("acme/growth", &["events:write"]);
    let reader = daybook.token("acme", &READ_AND_WRITE);
    let lines: Vec<_> = (0..IMPORTED)
        .map(|n| {
            let event = event(&format!("IMPORTED_{}", n % 5));
            with(event, "idempotency_key", format!("import-{n}")).to_string()
        })
        .collect();
    let file = daybook.write("export.ndjson", lines.join("\n"));
    let server = daybook.serve();
    let mut said = Vec::new();
    let (heard, _) = record_until(&server, &sender, 0, |_| {
        let line = [
            "import",
            "--workspace",
            "acme/growth",
            "--format",
            "daybook",
            &file,
        ];
        // Twice, at the same time: one of them records each event.
        said = thread::scope(|scope| {
            let imports = [(); 2].map(|()| scope.spawn(|| daybook.run(&line).succeeded()));
            imports
                .into_iter()
                .map(|import| import.join().unwrap())
                .collect()
        });
    });
    let log = whole_log(&server.client().with_token(&reader));
    assert_kept(&log, &heard);
    let imported = log
        .iter()
        .filter(|event| event["source"] == "import")
        .count();
    assert_eq!(imported, IMPORTED, "{said:#?}");
    let sent = log
        .iter()
        .filter(|event| {
            event["idempotency_key"]
                .as_str()
                .is_some_and(|key| key.starts_with('r'))
        })
        .count();
    assert_eq!(sent, heard.len(), "every answer was heard");
    let told = log
        .iter()
        .filter(|event| event["action"] == "AUDIT_IMPORT_FINISHED");
    let recorded: u64 = told
        .map(|event| event["metadata"]["recorded"].as_u64().unwrap())
        .sum();
    assert_eq!(recorded, IMPORTED as u64);
}

//! `kill -9` at random moments while many record, and an import beside a server that records:
//! nothing acknowledged is lost, nothing is doubled, and the index is what the log makes of it: its
//! counts are those of the log, and one made anew is the same, row by row. So it is where the server
//! is killed while it deletes what has expired. Who follows the log meanwhile misses nothing, and sees
//! nothing twice.
//!
//! `DAYBOOK_SWEEP_ROUNDS` says how often the server is killed; 5 times where it is not set.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use chrono::TimeDelta;
use harness::{Client, Daybook, READ_AND_WRITE, Server, event, with};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    collections::BTreeMap,
    env,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex,
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
                if random(4) == 0 {
                    let agent = format!("agt_{}", random(3));
                    event["via"] = json!([{"kind": "agent", "id": agent}]);
                }
                if random(4) == 0 {
                    // Sometimes the target itself, which stands there once all the same.
                    let other = format!("tok_{}", random(300));
                    let target = event["target"].clone();
                    event["related"] = json!([{"kind": "service", "id": other}, target]);
                }
                event
            })
            .collect();
        let body = json!(events).to_string();
        for _ in 0..=random(2) {
            let answer = client.try_post("/api/v1/events", "application/json", body.clone());
            let Ok(answer) = answer else {
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

/// Says that it is enough when it goes.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has many senders record until `stop` comes back; what they heard.
fn record_until(
    server: &Server,
    secret: &str,
    round: usize,
    stop: impl FnOnce(&AtomicUsize),
) -> Acknowledged {
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
        // Also where what is to stop them fails: the senders are waited for.
        let ended = Ended(&enough);
        stop(&acknowledged);
        drop(ended);
        for sender in senders {
            all.extend(sender.join().unwrap());
        }
    });
    all
}

/// What is checked of an event of a log that may be long.
struct Kept {
    seq: u64,
    id: String,
    key: Option<String>,
    is_imported: bool,
}

impl Kept {
    fn of(event: &Value) -> Self {
        let text = |field: &str| event[field].as_str().map(str::to_owned);
        Self {
            seq: event["seq"].as_u64().unwrap(),
            id: text("id").unwrap(),
            key: text("idempotency_key"),
            is_imported: event["source"] == "import",
        }
    }
}

/// The log in the order of arrival, some of which is deleted.
fn log_with_gaps(reader: &Client) -> Vec<Kept> {
    let mut log = Vec::new();
    reader.walk_pages("limit=500", |page| log.extend(page.iter().map(Kept::of)));
    log.sort_by_key(|event| event.seq);
    log
}

/// The whole log, in the order of arrival: every number from 1 once.
fn whole_log(reader: &Client) -> Vec<Kept> {
    let log = log_with_gaps(reader);
    for (event, wanted) in log.iter().zip(1..) {
        assert_eq!(
            event.seq, wanted,
            "a gap or a double in the order of arrival"
        );
    }
    assert!(
        log.is_sorted_by_key(|event| &event.id),
        "ids rise with the order of arrival"
    );
    log
}

/// Everything acknowledged is there once, where it was said to be.
fn assert_kept(log: &[Kept], acknowledged: &Acknowledged) {
    let mut by_key = BTreeMap::new();
    for event in log {
        if let Some(key) = &event.key {
            assert!(by_key.insert(key, event).is_none(), "{key} is there twice");
        }
    }
    for (key, (id, seq)) in acknowledged {
        let event = by_key.get(key).unwrap_or_else(|| panic!("{key} is lost"));
        assert_eq!((&event.id, event.seq), (id, *seq), "{key} moved");
    }
}

/// Answers to questions of every kind, up to a moment: of each, how many events there are, and a
/// number that stands for all of them in their order.
fn answers(reader: &Client, until: &str) -> Vec<(usize, u64)> {
    [
        "",
        "order=asc",
        "sort=actor",
        "sort=action&order=desc",
        "sort=target_kind",
        "actor=alex",
        "actor_id=usr_3&actor_id=usr_7",
        "via_id=agt_1",
        "action=ACTION_1&action=ACTION_5&outcome=denied",
        "outcome=failure&sort=actor",
        "target_kind=api_token&target_id=tok_17",
        "target_kind=service",
        "q=tok_2",
        "category=other&workspace=growth",
        "verb=other&sort=action",
    ]
    .iter()
    .map(|question| {
        let question = format!("{question}&until={until}&limit=500");
        let (mut events, mut hasher) = (0, DefaultHasher::new());
        reader.walk_pages(&question, |page| {
            for event in page {
                events += 1;
                event.to_string().hash(&mut hasher);
            }
        });
        assert!(events > 0, "{question} is a question without an answer");
        (events, hasher.finish())
    })
    .collect()
}

/// The index of a stopped installation, with the log beside it.
struct Index(SqliteConnection);

impl Index {
    async fn of(daybook: &Daybook) -> Self {
        let file = SqliteConnectOptions::new().filename(daybook.path("daybook.db.index"));
        let mut connection = file.connect().await.unwrap();
        sqlx::query("ATTACH DATABASE ? AS log")
            .bind(daybook.path("daybook.db").to_str().unwrap())
            .execute(&mut connection)
            .await
            .unwrap();
        Self(connection)
    }

    /// The rows of a statement, each as one text.
    async fn rows(&mut self, columns: &[&str], from: &str) -> Vec<String> {
        let columns: Vec<_> = columns
            .iter()
            .map(|column| format!("quote({column})"))
            .collect();
        let statement = format!("SELECT {} FROM {from}", columns.join(" || ',' || "));
        let rows = sqlx::query(AssertSqlSafe(statement)).fetch_all(&mut self.0);
        let rows = rows.await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Every row of every table.
    async fn whole(&mut self) -> BTreeMap<String, Vec<String>> {
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM main.sqlite_schema WHERE type = 'table' ORDER BY name",
        )
        .fetch_all(&mut self.0)
        .await
        .unwrap();
        let mut whole = BTreeMap::new();
        for table in tables {
            let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
                .bind(&table)
                .fetch_all(&mut self.0)
                .await
                .unwrap();
            let columns: Vec<_> = columns.iter().map(String::as_str).collect();
            let rows = self.rows(&columns, &format!("main.{table}")).await;
            whole.insert(table, rows);
        }
        whole
    }

    /// What the index kept count of while it followed is what there is to count in the log.
    async fn assert_counts_are_those_of_the_log(&mut self) {
        const EVENTS: &str = "log.leaf l JOIN log.content c ON c.n = l.n";
        let via = "SELECT DISTINCT l.ws, m.value, l.n FROM log.leaf l \
             JOIN log.content c ON c.n = l.n JOIN log.via v ON v.ws = l.ws AND v.num = c.via, \
             json_each(v.members) m";
        let related = "SELECT DISTINCT l.ws, m.value AS key, l.n FROM log.leaf l \
             JOIN log.content c ON c.n = l.n \
             JOIN log.related r ON r.ws = l.ws AND r.num = c.related, json_each(r.members) m";
        let kind_of = |targets: &str, own: u8| {
            format!(
                "SELECT DISTINCT x.ws, t.kind AS key, x.n, {own} FROM ({targets}) x \
                 JOIN log.target t ON t.ws = x.ws AND t.num = x.key"
            )
        };
        let own_target = format!("SELECT l.ws, c.target AS key, l.n FROM {EVENTS}");
        for (table, key, counted) in [
            (
                "count_action",
                "ws, key, events",
                format!("SELECT l.ws, c.action, count(*) FROM {EVENTS} GROUP BY 1, 2"),
            ),
            (
                "count_outcome",
                "ws, key, events",
                format!("SELECT l.ws, c.outcome, count(*) FROM {EVENTS} GROUP BY 1, 2"),
            ),
            (
                "count_pair",
                "ws, action * 1000000 + actor, events",
                format!(
                    "SELECT l.ws, c.action * 1000000 + c.actor, count(*) FROM {EVENTS} \
                     GROUP BY 1, 2"
                ),
            ),
            (
                "count_action_kind",
                "ws, action * 1000000 + kind, events",
                format!(
                    "SELECT l.ws, c.action * 1000000 + t.kind, count(*) FROM {EVENTS} \
                     JOIN log.target t ON t.ws = l.ws AND t.num = c.target GROUP BY 1, 2"
                ),
            ),
            (
                "count_via",
                "ws, key * 1000000 + actor, events",
                format!(
                    "SELECT x.ws, x.value * 1000000 + c.actor, count(*) FROM ({via}) x \
                     JOIN log.content c ON c.n = x.n GROUP BY 1, 2"
                ),
            ),
            (
                "count_actor",
                "ws, key, events * 1000000 + entries",
                format!(
                    "SELECT ws, key, sum(own) * 1000000 + count(*) FROM ( \
                         SELECT l.ws, c.actor AS key, l.n, 1 AS own FROM {EVENTS} \
                         UNION ALL SELECT *, 0 FROM ({via})) GROUP BY 1, 2"
                ),
            ),
            (
                "count_target",
                "ws, key, events * 1000000 + entries",
                format!(
                    "SELECT ws, key, sum(own) * 1000000 + count(*) FROM ( \
                         SELECT *, 1 AS own FROM ({own_target}) \
                         UNION ALL SELECT *, 0 FROM ({related})) GROUP BY 1, 2"
                ),
            ),
            (
                "count_kind",
                "ws, key, events * 1000000 + entries",
                format!(
                    "SELECT ws, key, sum(own) * 1000000 + count(*) FROM ( \
                         SELECT ws, key, n, 1 AS own FROM ({}) \
                         UNION ALL {}) GROUP BY 1, 2",
                    kind_of(&own_target, 1),
                    kind_of(related, 0)
                ),
            ),
        ] {
            let kept = format!("SELECT {key} FROM main.{table}");
            for (one, other, what) in [
                (&kept, &counted, "kept, and not to be counted"),
                (&counted, &kept, "to be counted, and not kept"),
            ] {
                let difference = format!("({one} EXCEPT {other})");
                let rows = self.rows(&["count(*)"], &difference).await;
                assert_eq!(rows, ["0"], "{table}: {what}");
            }
        }
    }
}

/// Looks into the index of a stopped installation: all of it, after its counts were checked.
fn index_of(daybook: &Daybook) -> BTreeMap<String, Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut index = Index::of(daybook).await;
        index.assert_counts_are_those_of_the_log().await;
        index.whole().await
    })
}

/// The index of a stopped installation, of so many events, is what the log makes of it: made anew it has
/// the same rows. PostgreSQL's own needs no check; but what is counted there is what there is.
fn check_index(daybook: &Daybook, count: usize) {
    if harness::postgres().is_some() {
        assert_eq!(in_log(daybook, "SELECT count(*) FROM content"), count);
        assert_eq!(in_log(daybook, MISCOUNTED), 0);
        return;
    }
    let followed = index_of(daybook);
    assert_eq!(followed["by_time"].len(), count);
    daybook.run(&["reindex"]).succeeded();
    let anew = index_of(daybook);
    assert!(followed.keys().eq(anew.keys()));
    for (table, rows) in &followed {
        assert!(*rows == anew[table], "{table} is another when made anew");
    }
}

/// How many tallies of PostgreSQL's are other than what the contents come to; how many entries and keys
/// stand for nothing; and how many leaves are without their number's successor.
const MISCOUNTED: &str = "
    WITH there AS (
        SELECT c.tenant, c.ws, x.what, x.key, x.other, 1 AS events, 1 AS entries
        FROM content c CROSS JOIN LATERAL (VALUES (1, actor, 0), (2, action, 0), (3, kind, 0),
            (4, target, 0), (5, outcome::INTEGER, 0), (6, action, actor), (7, action, kind))
            x(what, key, other)
        UNION ALL
        SELECT tenant, ws, CASE what WHEN 1 THEN 1 WHEN 2 THEN 4 ELSE 3 END, key, 0, 0, 1 FROM entry
        UNION ALL
        SELECT tenant, ws, 8, key, actor, 1, 1 FROM entry WHERE what = 1
    ), counted AS (
        SELECT tenant, ws, what, key, other, sum(events) AS events, sum(entries) AS entries
        FROM there GROUP BY tenant, ws, what, key, other
    )
    SELECT (SELECT count(*) FROM counted c FULL JOIN (SELECT * FROM tallied
                WHERE events <> 0 OR entries <> 0) t
            ON (t.tenant, t.ws, t.what, t.key, t.other) = (c.tenant, c.ws, c.what, c.key, c.other)
            WHERE (t.events, t.entries) IS DISTINCT FROM (c.events::BIGINT, c.entries::BIGINT))
        + (SELECT count(*) FROM entry e WHERE NOT EXISTS (SELECT 1 FROM content c
            WHERE c.tenant = e.tenant AND c.seq = e.seq))
        + (SELECT count(*) FROM idempotency k WHERE NOT EXISTS (SELECT 1 FROM content c
            WHERE c.tenant = k.tenant AND c.seq = k.seq))
        + (SELECT count(*) FROM tenant_head h WHERE h.seq <> (SELECT count(*) FROM leaf l
            WHERE l.tenant = h.tenant))";

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let rounds = env::var("DAYBOOK_SWEEP_ROUNDS").map_or(5, |rounds| rounds.parse().unwrap());
    let daybook = Daybook::acme();
    let sender = daybook.token("acme/growth", &["events:write"]);
    let reader = daybook.token("acme", &READ_AND_WRITE);
    let mut acknowledged = Acknowledged::new();
    let mut server = daybook.serve();
    for round in 0..rounds {
        // Some rounds end with the first events, some in full course.
        let until = random([12_000, 1, 3_000, 50][round % 4]);
        let pid = server.pid();
        let heard = record_until(&server, &sender, round, |acknowledged| {
            harness::wait_for("events are acknowledged", || {
                (acknowledged.load(Ordering::Relaxed) >= until).then_some(())
            });
            // Somewhere inside a batch.
            for _ in 0..random(200_000) {
                std::hint::spin_loop();
            }
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        });
        acknowledged.extend(heard);
        server.kill();
        server = daybook.serve();
        let log = whole_log(&server.client().with_token(&reader));
        assert_kept(&log, &acknowledged);
        println!(
            "round {round}: killed after {until} acknowledgements, {} events are there",
            log.len()
        );
    }

    // The index is what the log makes of it: one made anew has the same rows, and gives the same
    // answers.
    let client = server.client().with_token(&reader);
    let until = harness::now().to_string();
    let (before, count) = (answers(&client, &until), whole_log(&client).len());
    assert!(server.stop().0.success());
    check_index(&daybook, count);
    let server = daybook.serve();
    let client = server.client().with_token(&reader);
    assert_eq!(whole_log(&client).len(), count);
    assert_eq!(
        answers(&client, &until),
        before,
        "after reindex, answers differ"
    );
}

/// Follows a log, wherever its server is at the moment, until `enough` is said and nothing is new.
fn follow_throughout(
    server: &Mutex<Client>,
    secret: &str,
    question: &str,
    enough: &AtomicBool,
) -> Vec<Kept> {
    let mut all: Vec<Kept> = Vec::new();
    let mut next = 0;
    loop {
        // Asked before: what came until then is looked at by the question that follows.
        let was_enough = enough.load(Ordering::SeqCst);
        let path = format!("/api/v1/feed?after={next}&wait=1&limit=500&{question}");
        let answer = harness::wait_for("the server is there again", || {
            let client = server.lock().unwrap().with_token(secret);
            let answer = client.try_get(&path).ok()?;
            (answer.status != 503).then_some(answer)
        });
        let told = answer.expect(200).json();
        let (events, to) = (told["events"].as_array().unwrap(), &told["next"]);
        let to = to.as_u64().unwrap();
        for event in events.iter().map(Kept::of) {
            let last = all.last().map_or(0, |last| last.seq);
            assert!(last < event.seq && event.seq <= to, "{last}, {}", event.seq);
            all.push(event);
        }
        if was_enough && to == next {
            return all;
        }
        next = to;
    }
}

#[test]
fn who_follows_while_the_server_is_killed_sees_everything_once_and_in_order() {
    let rounds = env::var("DAYBOOK_SWEEP_ROUNDS").map_or(5, |rounds| rounds.parse().unwrap());
    let daybook = Daybook::acme();
    let sender = daybook.token("acme/growth", &["events:write"]);
    let everything = daybook.token("acme", &READ_AND_WRITE);
    let some = daybook.token("acme/growth", &["events:read"]);
    let question = "action=ACTION_3&action=ACTION_7&outcome=denied";
    let first = daybook.serve();
    let server = Mutex::new(first.client());
    let enough = AtomicBool::new(false);
    let mut acknowledged = Acknowledged::new();
    let (whole, filtered, running) = thread::scope(|scope| {
        let ended = Ended(&enough);
        let whole = scope.spawn(|| follow_throughout(&server, &everything, "", &enough));
        let filtered = scope.spawn(|| follow_throughout(&server, &some, question, &enough));
        let mut running = first;
        for round in 0..rounds {
            let until = random([3_000, 50, 6_000][round % 3]);
            let pid = running.pid();
            acknowledged.extend(record_until(&running, &sender, round, |acknowledged| {
                harness::wait_for("events are acknowledged", || {
                    (acknowledged.load(Ordering::Relaxed) >= until).then_some(())
                });
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            }));
            running.kill();
            running = daybook.serve();
            *server.lock().unwrap() = running.client();
        }
        drop(ended);
        (whole.join().unwrap(), filtered.join().unwrap(), running)
    });
    // Every number of the tenant from 1 on, each once, and all that was acknowledged among them.
    for (event, wanted) in whole.iter().zip(1..) {
        assert_eq!(event.seq, wanted, "a gap or a double in what was followed");
    }
    assert_kept(&whole, &acknowledged);
    let client = running.client();
    let log = whole_log(&client.with_token(&everything));
    let ids = |log: &[Kept]| -> Vec<String> { log.iter().map(|event| event.id.clone()).collect() };
    assert_eq!(ids(&whole), ids(&log));
    let mut wanted = Vec::new();
    let walk = format!("{question}&limit=500");
    let reader = client.with_token(&some);
    reader.walk_pages(&walk, |page| wanted.extend(page.iter().map(Kept::of)));
    wanted.sort_by_key(|event| event.seq);
    assert!(!wanted.is_empty());
    assert_eq!(ids(&filtered), ids(&wanted));
}

/// A number that a statement finds in the log of an installation, running or not.
fn in_log(daybook: &Daybook, statement: &str) -> usize {
    let number = daybook.ask_database(statement).unwrap();
    usize::try_from(number).unwrap()
}

#[test]
fn killed_while_it_deletes_what_has_expired_the_server_leaves_a_whole_log() {
    const OLD: usize = 30_000;
    let daybook = Daybook::acme();
    let keep = |retention: &str| {
        let line = [
            "settings",
            "set",
            "--now",
            "--workspace",
            "acme/growth",
            "--retention",
        ];
        daybook.run(&[&line[..], &[retention]].concat()).succeeded();
    };
    keep("1y");
    let sender = daybook.token("acme/growth", &["events:write"]);
    let reader = daybook.token("acme", &READ_AND_WRITE);
    let server = daybook.serve();
    let client = server.client().with_token(&sender);
    for batch in 0..OLD / 1_000 {
        let old: Vec<_> = (0..1_000)
            .map(|n| {
                let at = harness::now().plus(-TimeDelta::days(100 + (n % 7)));
                let mut event = with(
                    event(&format!("OLD_{}", n % 9)),
                    "occurred_at",
                    at.to_string(),
                );
                event["idempotency_key"] = json!(format!("old-{batch}-{n}"));
                event["actor"]["id"] = json!(format!("usr_{}", random(60)));
                event["target"]["id"] = json!(format!("tok_{}", random(500)));
                event["via"] = json!([{"kind": "agent", "id": format!("agt_{}", n % 3)}]);
                event["related"] = json!([{"kind": "service", "id": format!("srv_{}", n % 40)}]);
                event["operation"] = json!(format!("op-{}", n % 50));
                event["outcome"] = json!(["success", "failure", "denied"][random(3)]);
                event
            })
            .collect();
        client.send(&json!(old)).expect(201);
    }
    assert!(server.stop().0.success());
    keep("90d");

    let contents = |daybook: &Daybook| in_log(daybook, "SELECT count(*) FROM content");
    let mut acknowledged = Acknowledged::new();
    let mut rounds = 0;
    let server = loop {
        let (before, server) = (contents(&daybook), daybook.serve());
        let pid = server.pid();
        // The first times while applications go on recording, then not.
        let senders_go_on = rounds < 2;
        if senders_go_on {
            let heard = record_until(&server, &sender, rounds, |acknowledged| {
                harness::wait_for("some of it is deleted, some recorded", || {
                    let sent = acknowledged.load(Ordering::Relaxed);
                    (sent > 200 && contents(&daybook) < before + sent).then_some(())
                });
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            });
            acknowledged.extend(heard);
        } else if rounds < 5 {
            harness::wait_for("some of it is deleted", || {
                (contents(&daybook) < before).then_some(())
            });
            for _ in 0..random(2_000_000) {
                std::hint::spin_loop();
            }
        } else {
            break server;
        }
        server.kill();
        rounds += 1;
    };
    let client = server.client().with_token(&reader);
    harness::wait_for("all of it is deleted", || {
        let finished = "SELECT count(*) FROM release WHERE finished_at IS NOT NULL";
        (in_log(&daybook, finished) == 1).then_some(())
    });

    // What was recorded meanwhile is there; what had expired is gone, under one release. That
    // somebody looks is an event too: it is there when the whole is read.
    let told = client
        .walk("action=AUDIT_EVENTS_EXPIRED")
        .texts("/after/deleted");
    assert_eq!(told, [OLD.to_string()]);
    let log = log_with_gaps(&client);
    assert_kept(&log, &acknowledged);
    let keys = || log.iter().filter_map(|event| event.key.as_deref());
    assert!(keys().any(|key| key.starts_with('r')) && !keys().any(|key| key.starts_with("old-")));
    let count = log.len();
    assert!(server.stop().0.success());
    check_index(&daybook, count);
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
    let heard = record_until(&server, &sender, 0, |_| {
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
    let imported = log.iter().filter(|event| event.is_imported).count();
    assert_eq!(imported, IMPORTED, "{said:#?}");
    let keys = log.iter().filter_map(|event| event.key.as_ref());
    let sent = keys.filter(|key| key.starts_with('r')).count();
    assert_eq!(sent, heard.len(), "every answer was heard");
    // Of the two imports, each tells how much of it was its own.
    let told = server.client().with_token(&reader);
    let told = told.walk("action=AUDIT_IMPORT_FINISHED").events;
    let recorded = told
        .iter()
        .map(|event| event["metadata"]["recorded"].as_u64().unwrap());
    assert_eq!(recorded.sum::<u64>(), IMPORTED as u64);
}

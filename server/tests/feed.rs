//! Following a log over HTTP: `GET /api/v1/feed`.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use harness::{Answer, Client, Daybook, READ_AND_WRITE, Setting, event, members_of, with};
use serde_json::{Value, json};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Longer than anything here takes: who waits so long was not woken.
const LONG: Duration = Duration::from_secs(30);

fn feed(client: &Client, question: &str) -> Value {
    let answer = client.get(&format!("/api/v1/feed?{question}")).expect(200);
    assert_eq!(members_of(&answer.text()), ["events", "next"]);
    answer.json()
}

fn texts(feed: &Value, field: &str) -> Vec<String> {
    let events = feed["events"].as_array().unwrap().iter();
    events
        .map(|event| event[field].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn next(feed: &Value) -> u64 {
    feed["next"].as_u64().unwrap()
}

/// All that there is after `after`, in pieces: the events, and the last number.
fn follow(client: &Client, question: &str, after: u64) -> (Vec<Value>, u64) {
    let (mut events, mut at) = (Vec::new(), after);
    loop {
        let mut part = feed(client, &format!("after={at}&{question}"));
        let to = next(&part);
        let Value::Array(more) = part["events"].take() else {
            panic!("no events in {part}");
        };
        if to == at {
            assert!(more.is_empty(), "{more:?}");
            return (events, at);
        }
        events.extend(more);
        at = to;
    }
}

/// Everything that is there so far was given to the follower, their own first look included: what
/// comes next is new. Where they are.
fn caught_up(client: &Client) -> u64 {
    feed(client, "limit=1");
    follow(client, "limit=500", 0).1
}

/// Asks from a thread of its own; how long it took too.
fn waits(client: &Client, question: &str) -> thread::JoinHandle<(Answer, Duration)> {
    let (client, path) = (client.apart(), format!("/api/v1/feed?{question}"));
    thread::spawn(move || {
        let began = Instant::now();
        (client.get(&path), began.elapsed())
    })
}

#[test]
fn a_follower_gets_every_event_once_in_the_order_of_arrival() {
    let setting = Setting::new();
    // The last that arrive say that they occurred first.
    let sent: Vec<_> = (0..40)
        .map(|n| {
            let event = event(&format!("ACTION_{n}"));
            with(event, "occurred_at", harness::recently(-n) + "00Z")
        })
        .collect();
    setting.sender.send(&json!(sent)).expect(201);
    let (events, last) = follow(&setting.sender, "limit=7", 0);
    let seqs: Vec<_> = events.iter().map(|event| &event["seq"]).collect();
    assert!(seqs.is_sorted_by_key(|seq| seq.as_u64()), "{seqs:?}");
    let sent = events.iter().filter(|event| event["source"].is_null());
    let actions: Vec<_> = sent
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    let wanted: Vec<_> = (0..40).map(|n| format!("ACTION_{n}")).collect();
    assert_eq!(actions, wanted);
    assert_eq!(last, seqs.last().unwrap().as_u64().unwrap());
    // An event of a feed is what an event is.
    let id = events[0]["id"].as_str().unwrap();
    let shown = setting.sender.get(&format!("/api/v1/events/{id}"));
    assert_eq!(shown.expect(200).json(), events[0]);
}

#[test]
fn filters_are_those_of_the_list() {
    let setting = Setting::new();
    let mut sent = Vec::new();
    for n in 0..60 {
        let mut event = event(["MEMBER_REMOVED", "SECRET_ROTATED", "deployment:create"][n % 3]);
        event["actor"]["name"] = json!(["Alex Kim", "Åse Berg"][n % 2]);
        event["target"]["id"] = json!(format!("tok_{}", n % 5));
        event["outcome"] = json!(["success", "denied"][n / 3 % 2]);
        event["operation"] = json!(["one", "two"][n / 2 % 2]);
        sent.push(event);
    }
    setting.sender.send(&json!(sent)).expect(201);
    for question in [
        "category=members",
        "verb=create&outcome=denied",
        "actor=%C3%85SE",
        "action=SECRET_ROTATED&action=MEMBER_REMOVED&target_id=tok_1",
        "q=member+removed",
        "target_kind=api_token&operation=two",
        "actor_kind=user&range=24h",
        "q=nothing+at+all",
    ] {
        let (followed, _) = follow(&setting.sender, question, 0);
        let mut listed = setting.sender.walk(question).events;
        listed.sort_by_key(|event| event["seq"].as_u64());
        assert_eq!(followed, listed, "{question}");
        assert_eq!(
            followed.is_empty(),
            question.contains("nothing"),
            "{question}"
        );
    }
}

#[test]
fn who_waits_is_answered_at_once_when_something_comes() {
    let setting = Setting::new();
    let after = caught_up(&setting.sender);
    let two = [
        waits(&setting.sender, &format!("after={after}&wait=30")),
        waits(
            &setting.sender,
            &format!("after={after}&wait=30&action=SECRET_ROTATED"),
        ),
    ];
    setting.sender.send(&event("MEMBER_ADDED")).expect(201);
    setting.sender.send(&event("SECRET_ROTATED")).expect(201);
    let mut answers = two.map(|waits| waits.join().unwrap()).into_iter();
    for (what, (answer, took)) in ["MEMBER_ADDED", "SECRET_ROTATED"].iter().zip(&mut answers) {
        let answer = answer.expect(200).json();
        assert_eq!(texts(&answer, "action").first().unwrap(), what);
        assert!(took < LONG, "{took:?}");
    }

    // What another process records, too.
    let after = caught_up(&setting.sender);
    let waiting = waits(&setting.sender, &format!("after={after}&wait=30"));
    setting.daybook.token("acme/growth", &["events:write"]);
    let (answer, took) = waiting.join().unwrap();
    let answer = answer.expect(200).json();
    assert_eq!(texts(&answer, "action"), ["API_TOKEN_CREATED"]);
    assert!(took < LONG, "{took:?}");
}

#[test]
fn where_nothing_comes_the_answer_comes_when_the_wait_is_over() {
    let setting = Setting::new();
    let after = caught_up(&setting.sender);
    let began = Instant::now();
    let answer = feed(&setting.sender, &format!("after={after}&wait=1"));
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(answer, json!({"events": [], "next": after}));
    // An empty value counts as not given: nothing is waited for.
    let answer = feed(&setting.sender, &format!("after={after}&wait="));
    assert_eq!(answer, json!({"events": [], "next": after}));
}

#[test]
fn a_look_is_an_event_once_an_hour_and_wakes_nobody_again() {
    let setting = Setting::new();
    let first = feed(&setting.sender, "limit=500");
    assert!(!texts(&first, "action").contains(&"AUDIT_LOG_READ".to_owned()));
    // The look that was just recorded ends the first wait, and no other.
    let second = feed(&setting.sender, &format!("after={}&wait=30", next(&first)));
    assert_eq!(texts(&second, "action"), ["AUDIT_LOG_READ"]);
    for _ in 0..3 {
        let again = feed(
            &setting.sender,
            &format!("after={}&q=x&wait=0", next(&second)),
        );
        assert_eq!(again["events"], json!([]));
    }
    let (looks, _) = follow(&setting.sender, "action=AUDIT_LOG_READ", 0);
    assert_eq!(looks.len(), 1);
    assert_eq!(looks[0]["metadata"]["filters"], json!([]));
    assert_eq!(looks[0]["actor"]["kind"], "token");
}

#[test]
fn what_is_not_taken_is_refused_by_name() {
    let setting = Setting::new();
    for (question, parameter, words) in [
        ("after=-1", "after", "whole number"),
        ("after=newest", "after", "whole number"),
        ("after=1&after=2", "after", "once"),
        ("wait=31", "wait", "from 0 to 30"),
        ("wait=0.5", "wait", "from 0 to 30"),
        ("limit=501", "limit", "from 1 to 500"),
        ("sort=actor", "sort", "no parameter of a feed"),
        ("cursor=abc", "cursor", "no parameter of a feed"),
        ("colour=red", "colour", "after, wait, workspace"),
        ("outcome=maybe", "outcome", "success, failure, denied"),
        ("workspace=growth", "workspace", "whole tenant"),
    ] {
        let answer = setting.sender.get(&format!("/api/v1/feed?{question}"));
        let answer = answer.expect(400);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:daybook:problem:bad-parameter");
        let fault = &problem["parameters"][0];
        assert_eq!(fault["parameter"], parameter, "{question}");
        let reason = fault["reason"].as_str().unwrap();
        assert!(reason.contains(words), "{question}: {reason}");
    }
}

#[test]
fn a_token_follows_what_it_may_read() {
    let daybook = Daybook::acme().workspace("acme/revenue").tenant("globex");
    let server = daybook.serve();
    let client = |place: &str, scopes: &[&str]| {
        let secret = daybook.token(place, scopes);
        server.client().with_token(&secret)
    };
    let [growth, revenue, acme, globex] = ["acme/growth", "acme/revenue", "acme", "globex"]
        .map(|place| client(place, &READ_AND_WRITE));
    growth.send(&event("OF_GROWTH")).expect(201);
    revenue.send(&event("OF_REVENUE")).expect(201);
    acme.send(&event("OF_ACME")).expect(201);
    globex.send(&event("OF_GLOBEX")).expect(201);
    let sent = |client: &Client, question: &str| -> Vec<String> {
        let (events, _) = follow(client, question, 0);
        let sent = events.iter().filter(|event| event["source"].is_null());
        sent.map(|event| event["action"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(sent(&growth, ""), ["OF_GROWTH"]);
    assert_eq!(sent(&acme, ""), ["OF_GROWTH", "OF_REVENUE", "OF_ACME"]);
    assert_eq!(sent(&acme, "workspace=revenue"), ["OF_REVENUE"]);
    assert_eq!(sent(&globex, ""), ["OF_GLOBEX"]);
    // The numbers are the tenant's: they go on over what others of it recorded.
    let (of_acme, _) = follow(&acme, "action=OF_ACME", 0);
    assert!(follow(&growth, "action=OF_GROWTH", 0).1 >= of_acme[0]["seq"].as_u64().unwrap());

    let writer = client("acme/growth", &["events:write"]);
    let refused = writer.get("/api/v1/feed").expect(403).json();
    assert_eq!(refused["scope"], "events:read");
    server.client().get("/api/v1/feed").expect(401);
}

#[test]
fn who_waits_is_answered_when_the_server_stops() {
    let setting = Setting::new();
    let after = caught_up(&setting.sender);
    let metrics = setting.server.client();
    let many: Vec<_> = (0..20)
        .map(|_| waits(&setting.sender, &format!("after={after}&wait=30")))
        .collect();
    harness::wait_for("all of them wait", || {
        let told = metrics.get("/metrics").text();
        told.contains("daybook_feed_waiting 20\n").then_some(())
    });
    let began = Instant::now();
    let (status, told) = setting.server.stop();
    assert!(status.success(), "{told}");
    assert!(began.elapsed() < Duration::from_secs(10), "{told}");
    assert!(!told.contains("cut off"), "{told}");
    for waiting in many {
        let (answer, _) = waiting.join().unwrap();
        let answer = answer.expect(200).json();
        assert_eq!(answer, json!({"events": [], "next": after}));
    }
}

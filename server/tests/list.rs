//! `GET /api/v1/events`: filters, sorts, and walks that stay as they began.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Client, Daybook, READ_AND_WRITE, Server, event, with};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// A log of many kinds of events, and somebody who reads it.
struct Log {
    daybook: Daybook,
    server: Server,
    reader: Client,
    /// What applications sent, as given back.
    events: Vec<Value>,
}

impl Log {
    fn new() -> Self {
        let daybook = Daybook::acme();
        let secret = daybook.token("acme/growth", &READ_AND_WRITE);
        let server = daybook.serve();
        let reader = server.client().with_token(&secret);
        let told = reader.send(&json!(various(300))).expect(201);
        let events = told
            .ids()
            .iter()
            .map(|id| {
                reader
                    .get(&format!("/api/v1/events/{id}"))
                    .expect(200)
                    .json()
            })
            .collect();
        Self {
            daybook,
            server,
            reader,
            events,
        }
    }

    /// The ids of the events for which `is_wanted`, in the order of `by`.
    fn wanted(
        &self,
        is_wanted: impl Fn(&Value) -> bool,
        by: impl Fn(&Value, &Value) -> Ordering,
    ) -> Vec<String> {
        let mut wanted: Vec<_> = self
            .events
            .iter()
            .filter(|event| is_wanted(event))
            .collect();
        wanted.sort_by(|one, other| by(one, other));
        wanted.iter().map(|event| text(event, "/id")).collect()
    }

    /// All pages of a question give exactly the events for which `is_wanted`, newest first.
    #[track_caller]
    fn finds(&self, question: &str, is_wanted: impl Fn(&Value) -> bool) {
        let wanted = self.wanted(is_wanted, newest_first);
        let walk = self.reader.walk(&format!("{question}&limit=23"));
        let found: Vec<_> = walk
            .events
            .iter()
            .filter(|event| event["source"].is_null())
            .map(|event| text(event, "/id"))
            .collect();
        assert_eq!(found, wanted, "{question}");
        assert!(
            !wanted.is_empty(),
            "{question} is a question without an answer"
        );
        assert!(
            wanted.len() < self.events.len(),
            "{question} asks for everything"
        );
    }
}

/// Events with names in several scripts, equal and different times, all outcomes and kinds.
fn various(events: u64) -> Vec<Value> {
    const ACTORS: [(&str, &str, &str); 6] = [
        ("user", "Ådne Øst", "adne@example.com"),
        ("user", "ådne øst", "other@example.com"),
        ("user", "Zoë 100%_*", "zoe@EXAMPLE.com"),
        ("agent", "Release assistant", ""),
        ("system", "", ""),
        ("anonymous", "", ""),
    ];
    const ACTIONS: [&str; 5] = [
        "MEMBER_REMOVED",
        "MEMBER_ADDED",
        "deployment:create",
        "a_",
        "SECRET_ROTATED",
    ];
    let now = harness::now();
    (0..events)
        .map(|n| {
            let (kind, name, email) = ACTORS[(n % 6) as usize];
            let mut actor = json!({"kind": kind});
            if !name.is_empty() {
                actor["id"] = json!(format!("act_{}", n % 6));
                actor["name"] = json!(name);
            }
            if !email.is_empty() {
                actor["email"] = json!(email);
            }
            // Times in no order, many of them equal.
            let ago = chrono::TimeDelta::minutes(i64::try_from((n * 7_919) % 97).unwrap() * 600);
            let mut event = json!({
                "actor": actor,
                "action": ACTIONS[(n % 5) as usize],
                "target": {"kind": (["api_token", "Integration", "job"][(n % 3) as usize]),
                           "id": format!("obj_{}", n % 11), "name": format!("Étoile {}", n % 7)},
                "outcome": (["success", "success", "failure", "denied"][(n % 4) as usize]),
                "occurred_at": now.plus(-ago).to_string(),
            });
            if n % 13 == 0 {
                event["via"] =
                    json!([{"kind": "integration", "id": "int_1", "name": "Bridge BOT"}]);
            }
            if n % 17 == 0 {
                event["related"] = json!([{"kind": "job", "id": "obj_1", "name": "Nightly"}]);
            }
            if n % 19 == 0 {
                event["operation"] = json!("bulk-1");
            }
            if n % 23 == 0 {
                event["verb"] = json!("rollback");
                event["category"] = json!("billing");
            }
            event
        })
        .collect()
}

fn text(event: &Value, pointer: &str) -> String {
    match event.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

fn time_and_seq(event: &Value) -> (String, u64) {
    (text(event, "/occurred_at"), event["seq"].as_u64().unwrap())
}

fn newest_first(one: &Value, other: &Value) -> Ordering {
    time_and_seq(other).cmp(&time_and_seq(one))
}

/// What a log is sorted by when it is sorted by actor.
fn actor_name(event: &Value) -> String {
    ["/actor/name", "/actor/email", "/actor/id", "/actor/kind"]
        .iter()
        .map(|pointer| text(event, pointer))
        .find(|text| !text.is_empty())
        .unwrap()
        .to_lowercase()
}

fn related_and_target(event: &Value) -> Vec<&Value> {
    let related = event["related"].as_array().unwrap();
    std::iter::once(&event["target"]).chain(related).collect()
}

#[test]
fn each_filter_finds_what_it_says() {
    let log = Log::new();
    let is = |pointer: &'static str, value: &'static str| {
        move |event: &Value| text(event, pointer) == value
    };
    log.finds("action=MEMBER_REMOVED", is("/action", "MEMBER_REMOVED"));
    log.finds("action=MEMBER_REMOVED&action=a_", |event| {
        ["MEMBER_REMOVED", "a_"].contains(&text(event, "/action").as_str())
    });
    log.finds("outcome=denied", is("/outcome", "denied"));
    log.finds("outcome=denied&outcome=failure", |event| {
        text(event, "/outcome") != "success"
    });
    log.finds("category=members", is("/category", "members"));
    log.finds("category=billing", is("/category", "billing"));
    log.finds("verb=rollback", is("/verb", "rollback"));
    log.finds("verb=create", is("/verb", "create"));
    log.finds("actor_kind=system", is("/actor/kind", "system"));
    log.finds("actor_kind=system&actor_kind=agent", |event| {
        ["system", "agent"].contains(&text(event, "/actor/kind").as_str())
    });
    log.finds("actor_id=act_0", is("/actor/id", "act_0"));
    log.finds("via_id=int_1", |event| {
        !event["via"].as_array().unwrap().is_empty()
    });
    log.finds("operation=bulk-1", is("/operation", "bulk-1"));
    // The target or a related object.
    log.finds("target_kind=job", |event| {
        related_and_target(event)
            .iter()
            .any(|target| target["kind"] == "job")
    });
    log.finds("target_id=obj_1", |event| {
        related_and_target(event)
            .iter()
            .any(|target| target["id"] == "obj_1")
    });
    // Together the same one.
    log.finds("target_kind=job&target_id=obj_1", |event| {
        related_and_target(event)
            .iter()
            .any(|target| target["kind"] == "job" && target["id"] == "obj_1")
    });
}

#[test]
fn substrings_are_found_whatever_their_case_and_have_no_wildcards() {
    let log = Log::new();
    let actor_has = |wanted: &'static str| {
        move |event: &Value| {
            let via = event["via"].as_array().unwrap();
            std::iter::once(&event["actor"]).chain(via).any(|actor| {
                let own = ["name", "email"].iter().any(|field| {
                    text(actor, &format!("/{field}"))
                        .to_lowercase()
                        .contains(wanted)
                });
                let nobody = actor["name"].is_null()
                    && ["system", "anonymous"].contains(&text(actor, "/kind").as_str())
                    && text(actor, "/kind").contains(wanted);
                own || nobody
            })
        }
    };
    log.finds("actor=%C3%85DNE", actor_has("ådne"));
    log.finds("actor=%C3%B8st", actor_has("øst"));
    log.finds("actor=Example.COM", actor_has("example.com"));
    log.finds("actor=bridge+bot", actor_has("bridge bot"));
    log.finds("actor=SYSTEM", actor_has("system"));
    log.finds("actor=100%25_*", actor_has("100%_*"));
    log.finds("actor=_", actor_has("_"));
    log.finds("actor=o", actor_has("o"));
    let told_has = |wanted: &'static str, label: &'static str| {
        move |event: &Value| {
            let objects = related_and_target(event).into_iter().any(|target| {
                ["/id", "/name"]
                    .iter()
                    .any(|at| text(target, at).to_lowercase().contains(wanted))
            });
            let action = text(event, "/action");
            objects || action.to_lowercase().contains(wanted) || action == label
        }
    };
    log.finds("q=%C3%89TOILE+3", told_has("étoile 3", ""));
    log.finds("q=obj_1", told_has("obj_1", ""));
    log.finds("q=nightly", told_has("nightly", ""));
    log.finds("q=rotated", told_has("rotated", ""));
    // The catalogue's label for it.
    log.finds(
        "q=member+removed",
        told_has("member removed", "MEMBER_REMOVED"),
    );
    assert_eq!(log.reader.walk("q=%25").events.len(), 0);
}

#[test]
fn filters_compose_and_an_empty_value_counts_as_not_given() {
    let log = Log::new();
    log.finds(
        "actor=dne&outcome=denied&q=MEMBER&category=&verb=&since=&cursor=",
        |event| {
            text(event, "/actor/name").to_lowercase().contains("dne")
                && text(event, "/outcome") == "denied"
                && text(event, "/action").starts_with("MEMBER")
        },
    );
    let everything = log.reader.walk("q=&actor=&limit=500").events.len();
    assert!(everything >= log.events.len());
}

#[test]
fn times_include_both_ends_and_dates_are_those_of_the_zone() {
    let log = Log::new();
    let mut times: Vec<_> = log
        .events
        .iter()
        .map(|event| text(event, "/occurred_at"))
        .collect();
    times.sort();
    let (since, until) = (times[80].clone(), times[200].clone());
    let between = |since: String, until: String| {
        move |event: &Value| (since.clone()..=until.clone()).contains(&text(event, "/occurred_at"))
    };
    log.finds(
        &format!("since={since}&until={until}"),
        between(since.clone(), until.clone()),
    );
    log.finds(
        &format!("since={since}"),
        between(since.clone(), "9".to_owned()),
    );
    log.finds(
        &format!("until={until}"),
        between("0".to_owned(), until.clone()),
    );
    let (first, last) = (&since[..10], &until[..10]);
    log.finds(
        &format!("since={first}&until={last}"),
        between(
            format!("{first}T00:00:00.000000Z"),
            format!("{last}T23:59:59.999999Z"),
        ),
    );
    // In Kolkata the day begins five hours and a half earlier.
    let utc = |day: &str| format!("{day}T00:00:00+05:30").parse::<domain::time::Timestamp>();
    log.finds(
        &format!("since={first}&tz=Asia/Kolkata"),
        between(utc(first).unwrap().to_string(), "9".to_owned()),
    );
    log.finds(
        &format!("since={first}T12:30&tz=Asia/Kolkata"),
        between(format!("{first}T07:00:00.000000Z"), "9".to_owned()),
    );
    let week = harness::now().plus(-chrono::TimeDelta::days(7)).to_string();
    log.finds("range=7d", between(week, "9".to_owned()));
    assert_eq!(
        log.reader
            .walk(&format!("since={until}&until={since}"))
            .events
            .len(),
        0
    );
}

#[test]
fn every_sort_orders_by_its_key_then_time_then_arrival_and_turns_whole() {
    let log = Log::new();
    #[allow(clippy::type_complexity, reason = "a table of three columns")]
    let keys: [(&str, fn(&Value) -> String, &str); 4] = [
        ("time", |_| String::new(), "desc"),
        (
            "action",
            |event| text(event, "/action").to_lowercase(),
            "asc",
        ),
        (
            "target_kind",
            |event| text(event, "/target/kind").to_lowercase(),
            "asc",
        ),
        ("actor", actor_name, "asc"),
    ];
    for (sort, key, usual) in keys {
        for order in ["", "asc", "desc"] {
            let turned = if order.is_empty() { usual } else { order } == "desc";
            let wanted = log.wanted(
                |_| true,
                |one, other| {
                    let of = |event: &Value| (key(event), time_and_seq(event));
                    let ascending = of(one).cmp(&of(other));
                    if turned {
                        ascending.reverse()
                    } else {
                        ascending
                    }
                },
            );
            for limit in [7, 50, 500] {
                let walk = log
                    .reader
                    .walk(&format!("sort={sort}&order={order}&limit={limit}"));
                let found: Vec<_> = walk
                    .events
                    .iter()
                    .filter(|event| event["source"].is_null())
                    .map(|event| text(event, "/id"))
                    .collect();
                assert_eq!(found, wanted, "{sort} {order} {limit}");
            }
        }
    }
}

#[test]
fn newer_goes_back_through_the_same_pages() {
    let log = Log::new();
    for sort in ["time", "action", "target_kind", "actor"] {
        for question in [
            format!("sort={sort}"),
            format!("sort={sort}&order=desc&outcome=denied"),
        ] {
            let page = |cursor: &str| {
                let path = format!("/api/v1/events?{question}&limit=9&cursor={cursor}");
                log.reader.get(&path).expect(200).json()
            };
            let mut there = vec![page("")];
            while let Some(older) = there.last().unwrap()["older"].as_str() {
                there.push(page(older));
            }
            assert!(there.len() > 5 && there[0]["newer"].is_null());
            let mut back = vec![there.last().unwrap().clone()];
            while let Some(newer) = back.last().unwrap()["newer"].as_str() {
                back.push(page(newer));
            }
            back.reverse();
            let events = |pages: &[Value]| -> Vec<Value> {
                pages
                    .iter()
                    .flat_map(|page| page["events"].as_array().unwrap().clone())
                    .collect()
            };
            // The first page of the way back may begin elsewhere; all in all it is the same.
            assert_eq!(events(&there), events(&back), "{question}");
        }
    }
}

#[test]
fn a_walk_shows_the_log_as_it_was_whatever_arrives() {
    let log = Log::new();
    let oldest = harness::now()
        .plus(-chrono::TimeDelta::days(85))
        .to_string();
    let newest = harness::now().plus(chrono::TimeDelta::hours(1)).to_string();
    let between = various(20);
    for sort in ["time", "action", "target_kind", "actor"] {
        for order in ["asc", "desc"] {
            let question = format!("sort={sort}&order={order}&limit=31");
            // Daybook itself may tell of the walk, once an hour.
            let sent = |walk: &harness::Walk| -> Vec<String> {
                let sent = walk.events.iter().filter(|event| event["source"].is_null());
                sent.map(|event| text(event, "/id")).collect()
            };
            let before = sent(&log.reader.walk(&question));
            let during = log.reader.walk_and(&question, |page| {
                // Early and late ones, before and behind what was shown; few, because every walk
                // after this one has to read them too.
                let arriving = [
                    between[page % between.len()].clone(),
                    with(event("A_FIRST"), "occurred_at", oldest.as_str()),
                    with(event("zz_last"), "occurred_at", newest.as_str()),
                ];
                let told = log.reader.send(&json!(arriving)).expect(201).json();
                assert_eq!(told["recorded"], 3, "page {page}");
            });
            assert_eq!(sent(&during), before, "{question}");
            assert!(during.pages > 5);
            let after = sent(&log.reader.walk(&question));
            assert_eq!(after.len(), before.len() + 3 * during.pages);
        }
    }
}

#[test]
fn a_cursor_that_was_altered_in_any_character_is_refused() {
    let log = Log::new();
    let page = log.reader.get("/api/v1/events?limit=5").expect(200).json();
    let cursor = page["older"].as_str().unwrap();
    let ask = |cursor: &str| {
        log.reader
            .get(&format!("/api/v1/events?limit=5&cursor={cursor}"))
    };
    ask(cursor).expect(200);
    assert!(
        cursor
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    );
    for at in 0..cursor.len() {
        for other in ["A", "B", "g", "7", "-"] {
            let altered = format!("{}{other}{}", &cursor[..at], &cursor[at + 1..]);
            if altered != cursor {
                let answer = ask(&altered);
                assert_eq!(answer.status, 400, "{altered} for {cursor}");
            }
        }
        let missing = format!("{}{}", &cursor[..at], &cursor[at + 1..]);
        assert_eq!(ask(&missing).status, 400, "{missing}");
    }
    let doubled = format!("{cursor}{cursor}");
    let longer = format!("{cursor}A");
    for altered in [&longer, &doubled, "x", "%00", &"A".repeat(5_000)] {
        let answer = ask(altered).expect(400);
        assert_eq!(answer.json()["parameters"][0]["parameter"], "cursor");
    }
}

#[test]
fn a_cursor_belongs_to_its_question_and_to_who_asked() {
    let log = Log::new();
    let question = "outcome=success&sort=actor";
    let page = log
        .reader
        .get(&format!("/api/v1/events?{question}&limit=5"))
        .expect(200)
        .json();
    let cursor = page["older"].as_str().unwrap();
    let ask = |client: &Client, question: &str| {
        client
            .get(&format!("/api/v1/events?{question}&cursor={cursor}"))
            .status
    };
    // Another limit is allowed.
    for limit in ["limit=5", "limit=100", ""] {
        assert_eq!(ask(&log.reader, &format!("{question}&{limit}")), 200);
    }
    for other in [
        "",
        "outcome=success",
        "outcome=success&sort=action",
        "outcome=success&sort=actor&order=desc",
        "outcome=failure&sort=actor",
        "outcome=success&sort=actor&q=a",
    ] {
        assert_eq!(ask(&log.reader, other), 400, "{other}");
    }
    // Another token of the same workspace asks for the same; one of another does not.
    let client = |place: &str| {
        let secret = log.daybook.token(place, &["events:read"]);
        log.server.client().with_token(&secret)
    };
    assert_eq!(ask(&client("acme/growth"), question), 200);
    log.daybook
        .run(&["workspace", "create", "acme/revenue"])
        .succeeded();
    assert_eq!(ask(&client("acme/revenue"), question), 400);
    assert_eq!(ask(&client("acme"), question), 400);
}

#[test]
fn a_cursor_is_good_after_a_restart() {
    let log = Log::new();
    let page = log
        .reader
        .get("/api/v1/events?limit=100")
        .expect(200)
        .json();
    let older = page["older"].as_str().unwrap();
    let path = format!("/api/v1/events?limit=100&cursor={older}");
    let before = log.reader.get(&path).expect(200).json();
    let secret = log.daybook.token("acme/growth", &["events:read"]);
    log.server.kill();
    let server = log.daybook.serve();
    let after = server
        .client()
        .with_token(&secret)
        .get(&path)
        .expect(200)
        .json();
    assert_eq!(after["events"], before["events"]);
}

#[test]
fn what_is_no_parameter_or_no_value_is_refused_by_name() {
    let log = Log::new();
    for (question, name, words) in [
        ("colour=red", "colour", "target_kind"),
        ("Action=X", "Action", ""),
        ("outcome=maybe", "outcome", "success, failure, denied"),
        ("verb=CREATE", "verb", "create"),
        ("category=member", "category", "members"),
        ("actor_kind=person", "actor_kind", "user"),
        ("action=has+space", "action", "A-Z"),
        ("target_kind=a+b", "target_kind", "A-Z"),
        ("since=soon", "since", ""),
        ("since=2026-02-30", "since", ""),
        ("until=2026-05-12T25:00", "until", ""),
        ("range=8d", "range", "24h"),
        ("range=7d&since=2026-01-01", "range", "since"),
        ("tz=Mars/Base", "tz", ""),
        ("sort=colour", "sort", "target_kind"),
        ("order=up", "order", "asc"),
        ("limit=0", "limit", "500"),
        ("limit=501", "limit", "500"),
        ("limit=-1", "limit", "500"),
        ("limit=ten", "limit", "500"),
        ("q=a&q=b", "q", "once"),
        ("workspace=growth", "workspace", "tenant"),
    ] {
        let answer = log.reader.get(&format!("/api/v1/events?{question}"));
        assert_eq!(answer.status, 400, "{question}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let fault = &answer.json()["parameters"][0];
        assert_eq!(fault["parameter"], name, "{question}: {fault}");
        assert!(
            fault["reason"].as_str().unwrap().contains(words),
            "{question}: {fault}"
        );
    }
    let long = "a".repeat(513);
    log.reader
        .get(&format!("/api/v1/events?q={long}"))
        .expect(400);
}

#[test]
fn a_tenants_token_sees_all_its_workspaces_and_can_choose() {
    let daybook = Daybook::acme().workspace("acme/revenue").tenant("globex");
    let secret = daybook.token("acme", &READ_AND_WRITE);
    let stranger = daybook.token("globex", &["events:read"]);
    let server = daybook.serve();
    let tenant = server.client().with_token(&secret);
    let events = json!([
        with(event("IN_GROWTH"), "workspace", "growth"),
        with(event("IN_REVENUE"), "workspace", "revenue"),
        event("OF_TENANT"),
    ]);
    tenant.send(&events).expect(201);
    let actions = |question: &str| {
        let mut actions = tenant
            .walk(&format!("actor_kind=user&{question}"))
            .texts("/action");
        actions.sort();
        actions
    };
    assert_eq!(actions(""), ["IN_GROWTH", "IN_REVENUE", "OF_TENANT"]);
    assert_eq!(actions("workspace=growth"), ["IN_GROWTH"]);
    assert_eq!(
        actions("workspace=growth&workspace=revenue"),
        ["IN_GROWTH", "IN_REVENUE"]
    );
    let walk = server.client().with_token(&stranger).walk("");
    let tenants = walk.texts("/tenant");
    assert!(!tenants.is_empty());
    assert!(tenants.iter().all(|tenant| tenant == "globex"));
}

#[test]
fn the_log_tells_who_looked_at_it_but_not_for_what_words() {
    let log = Log::new();
    log.reader
        .get("/api/v1/events?q=very-private&outcome=denied")
        .expect(200);
    log.reader.get("/api/v1/events?q=other").expect(200);
    let walk = log.reader.walk("action=AUDIT_LOG_READ");
    // The first look of a token in an hour; a test may see an hour end.
    assert!((1..=2).contains(&walk.events.len()), "{:?}", walk.events);
    let told = walk.events.last().unwrap();
    assert_eq!(
        (&told["source"], &told["actor"]["kind"]),
        (&json!("daybook"), &json!("token"))
    );
    assert!(!told.to_string().contains("very-private"));
}

#[test]
fn health_readiness_and_the_contract_are_there_for_everybody() {
    let log = Log::new();
    let nobody = log.server.client();
    nobody.get("/healthz").expect(200);
    nobody.get("/readyz").expect(200);
    let document = nobody.get("/api/v1/openapi.json").expect(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    assert!(
        document["paths"]["/api/v1/events"]["post"].is_object(),
        "{document}"
    );
    let metrics = nobody.get("/metrics").expect(200).text();
    assert!(metrics.contains("# TYPE"), "{metrics}");
    nobody.get("/api/v1/nothing").expect(404);
    nobody.get("/api").expect(404);
    log.reader.get("/api/v1/events/not-an-id").expect(404);
    log.reader
        .get("/api/v1/events/01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11")
        .expect(404);
}

//! `POST /api/v1/events`: what is given back, who may send, and what becomes of what was sent.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Client, READ_AND_WRITE, Setting, event, members_of, recently, refused, with};
use serde_json::{Value, json};

#[test]
fn an_event_is_given_back_with_every_field_of_the_contract_in_its_order() {
    let setting = Setting::new();
    let sent = json!({
        "idempotency_key": "billing-7731",
        "occurred_at": (recently(2) + "03.1234567890+02:00"),
        "workspace": "growth",
        "actor": {"kind": "user", "id": "usr_1", "name": "Alex Kim", "email": "alex@example.com"},
        "via": [{"kind": "agent", "id": "agt_7", "name": "Release assistant"}],
        "action": "API_TOKEN_CREATED", "verb": "rotate", "category": "secrets",
        "target": {"kind": "api_token", "id": "tok_9", "name": "ci-prod-deploy",
                   "url": "https://app.example.com/tokens/tok_9"},
        "related": [{"kind": "user", "id": "usr_4", "name": "Kim Berg"}],
        "operation": "rotate-2026-05", "outcome": "failure", "description": "partial rotation",
        "before": {"name": "ci"}, "after": {"name": "ci-prod-deploy", "list": [1, 2.5, null]},
        "metadata": {"reason": "quarterly"},
        "context": {"ip": "203.0.113.9", "user_agent": "curl/8", "request_id": "req_1",
                    "location": "Oslo, NO"},
    });
    let placed = setting.sender.send(&sent).expect(201).json();
    assert_eq!(
        (placed["recorded"].clone(), placed["duplicates"].clone()),
        (json!(1), json!(0))
    );
    let placed = &placed["events"][0];
    let id = placed["id"].as_str().unwrap();
    let answer = setting
        .sender
        .get(&format!("/api/v1/events/{id}"))
        .expect(200);
    assert_eq!(
        members_of(&answer.text()),
        [
            "id",
            "seq",
            "idempotency_key",
            "occurred_at",
            "recorded_at",
            "tenant",
            "workspace",
            "actor",
            "via",
            "action",
            "verb",
            "category",
            "given",
            "target",
            "related",
            "operation",
            "outcome",
            "description",
            "before",
            "after",
            "metadata",
            "context",
            "source",
            "redacted",
            "erased"
        ]
    );
    let event = answer.json();
    assert_eq!(event["occurred_at"], recently(0) + "03.123456Z");
    assert_eq!(event["recorded_at"], placed["recorded_at"]);
    assert_eq!(event["seq"], placed["seq"]);
    assert_eq!(
        (&event["tenant"], &event["workspace"]),
        (&json!("acme"), &json!("growth"))
    );
    assert_eq!(
        members_of(&event["actor"].to_string()).len(),
        5,
        "{}",
        event["actor"]
    );
    assert_eq!(event["actor"]["deactivated"], false);
    assert_eq!(
        event["via"],
        json!([{"kind": "agent", "id": "agt_7", "name": "Release assistant", "email": null}])
    );
    assert_eq!(
        event["related"],
        json!([{"kind": "user", "id": "usr_4", "name": "Kim Berg", "url": null}])
    );
    assert_eq!(event["given"], json!(["verb", "category"]));
    assert_eq!(
        (&event["source"], &event["redacted"]),
        (&Value::Null, &json!(0))
    );
    assert_eq!(event["erased"], json!([]));
    for field in [
        "idempotency_key",
        "action",
        "verb",
        "category",
        "target",
        "operation",
        "outcome",
        "description",
        "before",
        "after",
        "metadata",
        "context",
    ] {
        assert_eq!(event[field], sent[field], "{field}");
    }
    let listed = setting
        .sender
        .get("/api/v1/events?q=ci-prod")
        .expect(200)
        .json();
    assert_eq!(listed["events"][0], event);
}

#[test]
fn what_was_not_given_is_null_and_lists_are_empty() {
    let setting = Setting::new();
    let sent = json!({"actor": {"kind": "system"}, "action": "X", "target": {"kind": "y"}});
    let event = setting.given_back(&sent);
    assert_eq!(
        event["actor"],
        json!({
            "kind": "system", "id": null, "name": null, "email": null, "deactivated": false
        })
    );
    assert_eq!(
        event["target"],
        json!({"kind": "y", "id": null, "name": null, "url": null})
    );
    for field in [
        "idempotency_key",
        "operation",
        "description",
        "before",
        "after",
        "metadata",
        "context",
        "source",
    ] {
        assert_eq!(event[field], Value::Null, "{field}");
    }
    for field in ["via", "related", "given", "erased"] {
        assert_eq!(event[field], json!([]), "{field}");
    }
    assert_eq!(event["outcome"], "success");
    assert_eq!(event["category"], "other");
    // It occurred when it arrived.
    assert!(event["occurred_at"].as_str().unwrap() <= event["recorded_at"].as_str().unwrap());
}

#[test]
fn numbers_of_arrival_and_ids_rise_in_the_order_sent() {
    let setting = Setting::new();
    let events: Vec<_> = (0..50)
        .map(|number| event(&format!("A_{number}")))
        .collect();
    let answer = setting.sender.send(&json!(events)).expect(201);
    let told = answer.json();
    let placed = told["events"].as_array().unwrap();
    let first = placed[0]["seq"].as_u64().unwrap();
    for (number, pair) in (0..).zip(placed) {
        assert_eq!(pair["seq"], first + number);
        let id = pair["id"].as_str().unwrap();
        let event = setting
            .sender
            .get(&format!("/api/v1/events/{id}"))
            .expect(200)
            .json();
        assert_eq!(event["action"], format!("A_{number}"));
    }
    let ids = answer.ids();
    assert!(ids.is_sorted(), "{ids:?}");
    assert!(
        ids.iter().all(|id| id.as_bytes()[14] == b'7'),
        "UUID version 7: {ids:?}"
    );
}

#[test]
fn credentials_are_taken_out_at_the_door() {
    let setting = Setting::new();
    let sent = |password: &str| {
        json!({
            "actor": {"kind": "system"}, "action": "X", "target": {"kind": "y", "id": "api_key"},
            "before": {"password": "old-password", "user": "alex"},
            "after": {"password": password, "nested": [{"apiKey": "ak_123"}], "user": "alex"},
            "metadata": {"client_secret": {"a": 1}, "token_count": 7, "secret": null},
            "context": {"ip": "203.0.113.9", "authorization": "Bearer abcdef"},
        })
    };
    let event = setting.given_back(&sent("new-password"));
    let text = event.to_string();
    for gone in ["old-password", "new-password", "ak_123", "abcdef"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    let is_mark = |value: &Value| {
        value
            .as_str()
            .and_then(|text| text.strip_prefix("redacted:"))
            .is_some_and(|digits| {
                digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
    };
    for place in [
        "/before/password",
        "/after/password",
        "/after/nested/0/apiKey",
        "/context/authorization",
    ] {
        assert!(is_mark(event.pointer(place).unwrap()), "{place}: {text}");
    }
    assert_eq!(event["after"]["user"], "alex");
    assert_eq!(event["target"]["id"], "api_key");
    assert!(event["redacted"].as_u64().unwrap() >= 4);
    assert_ne!(event["before"]["password"], event["after"]["password"]);
    // Equal for equal values, and a mark that is sent back stays.
    let same = setting.given_back(&sent("old-password"));
    assert_eq!(same["before"]["password"], same["after"]["password"]);
    assert_eq!(same["before"]["password"], event["before"]["password"]);
    let mark = event["after"]["password"].as_str().unwrap();
    assert_eq!(setting.given_back(&sent(mark))["after"]["password"], mark);

    // Who may, and asks for it, sends without.
    let post = |client: &Client| {
        client.post(
            "/api/v1/events?redact=off",
            "application/json",
            sent("plain").to_string(),
        )
    };
    assert!(
        post(&setting.sender)
            .expect(403)
            .text()
            .contains("events:unredacted")
    );
    let scopes = ["events:write", "events:read", "events:unredacted"];
    let secret = setting.daybook.token("acme/growth", &scopes);
    let trusted = setting.server.client().with_token(&secret);
    let id = post(&trusted).expect(201).ids().remove(0);
    let event = setting
        .sender
        .get(&format!("/api/v1/events/{id}"))
        .expect(200)
        .json();
    assert_eq!(
        (&event["after"]["password"], &event["redacted"]),
        (&json!("plain"), &json!(0))
    );
    // Without asking, all the same taken out.
    let id = trusted.send(&sent("plain")).expect(201).ids().remove(0);
    let event = setting
        .sender
        .get(&format!("/api/v1/events/{id}"))
        .expect(200)
        .json();
    assert!(is_mark(&event["after"]["password"]));
}

#[test]
fn while_recording_is_off_events_are_discarded_and_counted() {
    let setting = Setting::new();
    let switch = |to: &str| {
        let line = [
            "settings",
            "set",
            "--workspace",
            "acme/growth",
            "--recording",
            to,
        ];
        setting.daybook.run(&line).succeeded();
    };
    switch("off");
    let told = setting
        .sender
        .send(&json!([event("A"), event("B")]))
        .expect(202)
        .json();
    assert_eq!(told, json!({"recorded": 0, "discarded": 2}));
    let skip = "/api/v1/events?on_error=skip";
    let told = setting
        .sender
        .post(skip, "application/json", event("C").to_string());
    assert_eq!(
        told.expect(202).json(),
        json!({"recorded": 0, "discarded": 1})
    );
    // What is wrong is said all the same.
    setting.sender.send(&json!({})).expect(422);
    assert_eq!(setting.kept(), 0);
    switch("on");
    setting.sender.send(&event("D")).expect(201);
    assert_eq!(setting.kept(), 1);
    let walk = setting.sender.walk("action=AUDIT_RECORDING_UPDATED");
    assert_eq!(walk.texts("/source"), ["daybook", "daybook"]);
    // The newest tells of switching on, and of what was discarded.
    let on = walk.events[0].to_string();
    assert!(on.contains("\"discarded\":3"), "{on}");
    assert_eq!(
        walk.events[0].pointer("/after/recording"),
        Some(&json!(true)),
        "{on}"
    );
}

#[test]
fn a_token_opens_its_own_place_and_no_other() {
    let setting = Setting::new();
    setting
        .daybook
        .run(&["workspace", "create", "acme/revenue"])
        .succeeded();
    setting
        .daybook
        .run(&["tenant", "create", "globex"])
        .succeeded();
    setting
        .daybook
        .run(&["workspace", "create", "globex/growth"])
        .succeeded();
    let client = |secret: &str| setting.server.client().with_token(secret);
    let tenant = client(&setting.daybook.token("acme", &READ_AND_WRITE));
    let revenue = client(&setting.daybook.token("acme/revenue", &READ_AND_WRITE));
    let globex = client(&setting.daybook.token("globex", &READ_AND_WRITE));

    // A workspace's token names that one only, or none.
    setting
        .sender
        .send(&with(event("OWN"), "workspace", "growth"))
        .expect(201);
    setting.refuses(
        &with(event("X"), "workspace", "revenue"),
        "workspace",
        "growth",
    );
    // A tenant's names any of its own, or none: then the event is the tenant's.
    let ids = tenant
        .send(&json!([
            with(event("T1"), "workspace", "growth"),
            with(event("T2"), "workspace", "revenue"),
            event("T3"),
        ]))
        .expect(201)
        .ids();
    refused(
        &tenant.send(&with(event("X"), "workspace", "nowhere")),
        "workspace",
        "nowhere",
    );
    let seen = |client: &Client| -> Vec<bool> {
        let status = |id: &String| client.get(&format!("/api/v1/events/{id}")).status;
        ids.iter().map(|id| status(id) == 200).collect()
    };
    assert_eq!(seen(&tenant), [true, true, true]);
    assert_eq!(seen(&setting.sender), [true, false, false]);
    assert_eq!(seen(&revenue), [false, true, false]);
    assert_eq!(seen(&globex), [false, false, false]);
    setting
        .sender
        .get(&format!("/api/v1/events/{}", ids[1]))
        .expect(404);
    let own = tenant
        .get(&format!("/api/v1/events/{}", ids[2]))
        .expect(200)
        .json();
    assert_eq!(own["workspace"], Value::Null);
}

#[test]
fn who_brings_no_good_token_is_told_so() {
    let setting = Setting::new();
    let one = event("X");
    let nobody = setting.server.client();
    for client in [
        nobody.clone(),
        nobody.with_token("dbk_wrong"),
        nobody.with_token(""),
        nobody.with_header("authorization", "Basic YTpi"),
    ] {
        let answer = client.send(&one).expect(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        client.get("/api/v1/events").expect(401);
        client
            .get("/api/v1/events/01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11")
            .expect(401);
    }
    let reader = setting.daybook.token("acme/growth", &["events:read"]);
    assert!(
        nobody
            .with_token(&reader)
            .send(&one)
            .expect(403)
            .text()
            .contains("events:write")
    );
    let writer = setting.daybook.token("acme/growth", &["events:write"]);
    let writer = nobody.with_token(&writer);
    writer.send(&one).expect(201);
    assert!(
        writer
            .get("/api/v1/events")
            .expect(403)
            .text()
            .contains("events:read")
    );
    // Revoked from the next request on.
    let list = setting.daybook.run(&["token", "list"]).succeeded().out;
    for id in list
        .split_whitespace()
        .filter(|word| word.starts_with("tok_"))
    {
        setting
            .daybook
            .run(&["token", "revoke", "--id", id])
            .succeeded();
    }
    writer.send(&one).expect(401);
    setting.sender.send(&one).expect(401);
}

#[test]
fn a_label_on_an_actor_is_shown_on_all_their_events() {
    let setting = Setting::new();
    let id = setting
        .sender
        .send(&event("BEFORE"))
        .expect(201)
        .ids()
        .remove(0);
    let label = json!({"deactivated": true});
    setting
        .sender
        .put("/api/v1/actors/user/usr_1", &label)
        .expect(403);
    let secret = setting.daybook.token("acme/growth", &["actors:write"]);
    let host = setting.server.client().with_token(&secret);
    let actor = host
        .put("/api/v1/actors/user/usr_1", &label)
        .expect(200)
        .json();
    assert_eq!(
        (&actor["id"], &actor["deactivated"]),
        (&json!("usr_1"), &json!(true))
    );
    let shown = |id: &str| {
        let event = setting
            .sender
            .get(&format!("/api/v1/events/{id}"))
            .expect(200)
            .json();
        event["actor"]["deactivated"].clone()
    };
    assert_eq!(shown(&id), true);
    let later = setting
        .sender
        .send(&event("AFTER"))
        .expect(201)
        .ids()
        .remove(0);
    assert_eq!(shown(&later), true);
    host.put("/api/v1/actors/user/usr_1", &json!({"deactivated": false}))
        .expect(200);
    assert_eq!(shown(&id), false);
    for bad in [
        json!({}),
        json!({"deactivated": "yes"}),
        json!({"deactivated": true, "x": 1}),
    ] {
        host.put("/api/v1/actors/user/usr_1", &bad).expect(422);
    }
}

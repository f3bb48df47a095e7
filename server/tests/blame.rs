//! Who set each field of an object: the API, the command line and the page.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use harness::{Client, Daybook, READ_AND_WRITE, Server, event};
use serde_json::{Value, json};
use std::sync::LazyLock;

const ROBOT: &str = "/api/v1/objects/integration/int%2F7a/blame";

/// What Alex, or somebody else, did to the robot.
fn told(action: &str, minute: u32, before: Value, after: Value) -> Value {
    let mut told = event(action);
    let target = json!({"kind": "integration", "id": "int/7a", "name": "RPA invoice bot"});
    told["target"] = target;
    told["occurred_at"] = at(minute).into();
    if !before.is_null() {
        told["before"] = before;
    }
    if !after.is_null() {
        told["after"] = after;
    }
    told
}

/// An hour that is over.
static HOUR: LazyLock<String> = LazyLock::new(|| {
    let hour = chrono::Utc::now() - chrono::TimeDelta::hours(2);
    hour.format("%Y-%m-%dT%H").to_string()
});

/// A minute of it.
fn at(minute: u32) -> String {
    format!("{}:{minute:02}:00.000000Z", *HOUR)
}

/// A robot that was connected, and changed twice.
fn history() -> Vec<Value> {
    let created = told(
        "INTEGRATION_CONNECTED",
        1,
        Value::Null,
        json!({"enabled": true, "credentials": {"user": "svc", "password": "one"}}),
    );
    let mut rotated = told(
        "INTEGRATION_UPDATED",
        2,
        json!({"credentials": {"user": "svc", "password": "one"}}),
        json!({"credentials": {"user": "svc_2", "password": "two"}}),
    );
    rotated["actor"] = json!({"kind": "user", "id": "usr_2", "name": "Mara Lindqvist"});
    rotated["via"] = json!({"kind": "agent", "id": "agt_1", "name": "Finance assistant"});
    let found = told(
        "INTEGRATION_UPDATED",
        3,
        json!({"enabled": false, "a.b \"c\"": 1, "gone": 1}),
        json!({"enabled": false, "a.b \"c\"": 2}),
    );
    vec![created, rotated, found]
}

fn serving(events: &[Value]) -> (Daybook, Server, Client) {
    let daybook = Daybook::acme().workspace("acme/revenue");
    let secret = daybook.token("acme/growth", &READ_AND_WRITE);
    let server = daybook.serve();
    let client = server.client().with_token(&secret);
    client.send(&events.to_vec().into()).expect(201);
    (daybook, server, client)
}

fn field<'a>(blame: &'a Value, path: &str) -> &'a Value {
    let fields = blame["fields"].as_array().unwrap();
    let mut fields = fields.iter().filter(|field| field["path"] == path);
    fields.next().unwrap_or_else(|| panic!("{path}: {blame:#}"))
}

#[test]
fn each_field_has_its_value_and_who_set_it_last() {
    let (_daybook, _server, client) = serving(&history());
    let blame = client.get(ROBOT).expect(200).json();
    assert_eq!(
        blame["object"],
        json!({"kind": "integration", "id": "int/7a", "name": "RPA invoice bot"})
    );
    assert_eq!(blame["exists"], true);
    assert_eq!(blame["gaps"], json!([]));
    let paths: Vec<&str> = blame["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "[\"a.b \\\"c\\\"\"]",
            "credentials.password",
            "credentials.user",
            "enabled"
        ]
    );

    let user = field(&blame, "credentials.user");
    let id = user["event_id"].as_str().unwrap();
    assert_eq!(
        *user,
        json!({
            "path": "credentials.user", "value": "svc_2", "previous": "svc", "event_id": id,
            "occurred_at": at(2),
            "actor": {"kind": "user", "id": "usr_2", "name": "Mara Lindqvist", "email": null,
                      "deactivated": false},
            "via": [{"kind": "agent", "id": "agt_1", "name": "Finance assistant", "email": null}],
            "changes": 2, "status": "known",
        })
    );
    let event = client.get(&format!("/api/v1/events/{id}")).expect(200);
    assert_eq!(event.json()["after"]["credentials"]["user"], "svc_2");

    let password = field(&blame, "credentials.password");
    assert!(password["value"].as_str().unwrap().starts_with("redacted:"));
    assert_ne!(password["value"], password["previous"]);

    let enabled = field(&blame, "enabled");
    assert_eq!(
        *enabled,
        json!({
            "path": "enabled", "value": false, "previous": true, "event_id": null,
            "occurred_at": null, "actor": null, "via": [], "changes": 2, "status": "outside",
            "since": at(1), "until": at(3),
        })
    );
    client
        .get("/api/v1/objects/integration/int%2F7b/blame")
        .expect(404);
    client.get("/api/v1/objects/no%20kind/1/blame").expect(404);
}

#[test]
fn a_past_moment_one_field_and_what_is_gone_can_be_asked_for() {
    let (_daybook, _server, client) = serving(&history());
    let ask = |question: &str| {
        client
            .get(&format!("{ROBOT}?{question}"))
            .expect(200)
            .json()
    };

    let then = ask(&format!("at={}", at(1)));
    assert_eq!(then["at"], at(1));
    assert_eq!(field(&then, "credentials.user")["value"], "svc");
    assert_eq!(field(&then, "enabled")["status"], "known");
    let before = ask(&format!("at={}", at(0)));
    assert_eq!(before["exists"], false);
    assert_eq!(before["fields"], json!([]));

    let all = ask("field=credentials.user");
    let history: Vec<_> = all["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["value"].clone(), one["changes"].clone()))
        .collect();
    assert_eq!(
        history,
        [(json!("svc_2"), json!(2)), (json!("svc"), json!(1))]
    );
    // A name with dots, spaces and quotes.
    let quoted = ask("field=%5B%22a.b+%5C%22c%5C%22%22%5D");
    let statuses: Vec<_> = quoted["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].clone())
        .collect();
    assert_eq!(statuses, [json!("known"), json!("initial")]);

    let gone = ask("removed=true");
    let gone = field(&gone, "gone");
    assert_eq!(
        (&gone["value"], &gone["previous"]),
        (&Value::Null, &json!(1))
    );
    assert_eq!(gone["removed"], true);
    for question in [
        "at=soon",
        "field=a..b",
        "removed=1",
        "compare=2026-05-12",
        "tz=UTC",
    ] {
        let problem = client
            .get(&format!("{ROBOT}?{question}"))
            .expect(400)
            .json();
        let name = question.split('=').next().unwrap();
        assert_eq!(problem["parameters"][0]["parameter"], name, "{problem}");
    }
}

#[test]
fn events_without_a_state_and_time_without_recording_are_gaps() {
    let mut events = history();
    events.push(told("INTEGRATION_UPDATED", 4, Value::Null, Value::Null));
    events.push(told("INTEGRATION_UPDATED", 5, Value::Null, Value::Null));
    let (daybook, _server, client) = serving(&events);
    for switch in ["off", "on"] {
        let line = [
            "settings",
            "set",
            "--workspace",
            "acme/growth",
            "--recording",
            switch,
        ];
        daybook.run(&line).succeeded();
    }
    let gaps = client.get(ROBOT).expect(200).json()["gaps"].clone();
    assert_eq!(
        gaps[0],
        json!({"kind": "no_state", "since": at(4), "until": at(5)})
    );
    assert_eq!(gaps[1]["kind"], "recording_off");
    assert!(
        gaps[1]["since"].as_str() < gaps[1]["until"].as_str(),
        "{gaps}"
    );
    assert_eq!(gaps.as_array().unwrap().len(), 2);
}

#[test]
fn a_tenants_token_names_the_workspace_and_others_may_not() {
    let (daybook, server, client) = serving(&history());
    let secret = daybook.token("acme", &["events:read"]);
    let tenant = server.client().with_token(&secret);
    tenant.get(ROBOT).expect(404);
    let growth = format!("{ROBOT}?workspace=growth");
    assert_eq!(tenant.get(&growth).expect(200).json()["exists"], true);
    tenant
        .get(&format!("{ROBOT}?workspace=revenue"))
        .expect(404);
    tenant.get(&format!("{ROBOT}?workspace=sales")).expect(400);
    client.get(&growth).expect(400);
    let secret = daybook.token("acme/revenue", &["events:read"]);
    server.client().with_token(&secret).get(ROBOT).expect(404);
    let secret = daybook.token("acme/growth", &["events:write"]);
    server.client().with_token(&secret).get(ROBOT).expect(403);
    server.client().get(ROBOT).expect(401);
}

#[test]
fn a_look_is_recorded_with_the_names_of_what_was_asked() {
    let (_daybook, _server, client) = serving(&history());
    let question = format!("{ROBOT}?field=enabled&at={}", at(3));
    client.get(&question).expect(200);
    let looks = client.walk("action=AUDIT_LOG_READ");
    let [look] = looks.events.as_slice() else {
        panic!("{:#?}", looks.events);
    };
    assert_eq!(look["metadata"]["filters"], json!(["at", "field"]));
}

#[test]
fn the_command_line_shows_a_table_or_what_the_api_answers() {
    let (daybook, _server, client) = serving(&history());
    let blame = |more: &[&str]| {
        let line = [
            "blame",
            "--workspace",
            "acme/growth",
            "integration",
            "int/7a",
        ];
        daybook.run(&[&line, more].concat())
    };
    let shown = blame(&[]).succeeded();
    let lines: Vec<&str> = shown.out.lines().collect();
    assert!(lines[0].trim_start().starts_with("FIELD"), "{shown:#?}");
    let user = lines.iter().find(|line| line.contains("credentials.user"));
    let user = user.unwrap();
    for part in ["svc_2", "Mara Lindqvist via Finance assistant", "svc "] {
        assert!(user.contains(part), "{user}");
    }
    assert!(shown.out.contains("outside the log"), "{shown:#?}");
    assert!(!shown.out.contains("gone"), "{shown:#?}");

    let same = |question: &str, more: &[&str]| {
        let api = client.get(&format!("{ROBOT}?{question}")).expect(200);
        let told = blame(&[more, &["--json"]].concat()).succeeded();
        let mut told: Value = serde_json::from_str(&told.out).unwrap();
        let mut api = api.json();
        if !question.contains("at=") {
            // Now is not the same for both.
            told["at"].take();
            api["at"].take();
        }
        assert_eq!(told, api);
    };
    same("", &[]);
    same("removed=true", &["--removed"]);
    let then = at(2);
    let question = format!("at={then}&field=credentials.user");
    same(&question, &["--at", &then, "--field", "credentials.user"]);

    let nothing = [
        "blame",
        "--workspace",
        "acme/growth",
        "integration",
        "int/8",
    ];
    daybook.run(&nothing).refused(1, "int/8");
    let nowhere = [
        "blame",
        "--workspace",
        "acme/nowhere",
        "integration",
        "int/8",
    ];
    daybook.run(&nowhere).refused(1, "acme/nowhere");
    blame(&["--at", "soon"]).refused(2, "--at");
    blame(&["--field", "a..b"]).refused(2, "--field");
}

#[test]
fn the_page_tells_the_same_without_script_to_who_may_open_the_object() {
    let (daybook, server, _) = serving(&history());
    let _daybook = daybook
        .user("olga@acme.example", "owner", "acme/growth")
        .user("mika@acme.example", "member", "acme/growth")
        .user("nils@acme.example", "owner", "acme/revenue");
    let page = "/acme/growth/objects/integration/int%2F7a/blame";
    let secret = "/acme/growth/objects/secret/sec_1/blame";
    for (who, status, guarded) in [("olga", 200, 200), ("mika", 200, 403), ("nils", 404, 404)] {
        let client = server.client().signed_in(&format!("{who}@acme.example"));
        let shown = client.get(page).expect(status).text();
        assert_eq!(shown.contains("svc_2"), status == 200, "{who}: {shown}");
        client.get(secret).expect(guarded);
    }
    let login = server.client().get(page).expect(303);
    assert!(login.header("location").starts_with("/login?next="));

    let mika = server.client().signed_in("mika@acme.example");
    let shown = mika.get(page).text();
    for part in [
        "data-field=\"credentials.user\"",
        "Mara Lindqvist",
        "via Finance assistant",
        "outside the log",
        "redacted",
        "field=credentials.user",
        "Show 1 field that is gone",
        "3 changes",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("redacted:"), "no mark is shown: {shown}");

    let then = format!("{page}?at={}", at(1));
    let then = mika.get(&then).text();
    assert!(then.contains("svc") && !then.contains("svc_2"), "{then}");
    let compared = format!("{page}?compare={}", at(1));
    let compared = mika.get(&compared).text();
    for part in ["class=\"diff wide\"", "svc_2", "Stop comparing"] {
        assert!(compared.contains(part), "{part} in {compared}");
    }
    let all = mika.get(&format!("{page}?field=credentials.user")).text();
    assert!(all.contains("History of") && !all.contains("data-field=\"enabled\""));
    let wrong = mika.get(&format!("{page}?at=soon")).expect(400).text();
    assert!(wrong.contains("value=\"soon\"") && wrong.contains("id=\"b-at-error\""));

    // The row of an entry leads to it.
    let olga = server.client().signed_in("olga@acme.example");
    let list = olga.get("/acme/growth/audit?q=int%2F7a&action=INTEGRATION_CONNECTED");
    let id = list.text();
    let id = id.split("data-event-id=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap();
    let opened = olga.get(&format!("/acme/growth/audit?open={id}")).text();
    let link = format!("href=\"{page}?field=credentials.user\"");
    assert!(opened.contains(&link), "{opened}");
}

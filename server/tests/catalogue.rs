//! Settings → Catalogue and Settings → Redaction over HTTP: what is changed there holds at the next
//! request, on pages, in the API, and for what another process does to the same log.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Answer, Client, Daybook, event};
use serde_json::{Value, json};

const OWNER: &str = "olga@acme.example";
const CATALOGUE: &str = "/acme/growth/settings/catalogue";
const REDACTION: &str = "/acme/growth/settings/redaction";

fn installation() -> Daybook {
    Daybook::acme().user(OWNER, "owner", "acme/growth").user(
        "aron@acme.example",
        "auditor",
        "acme/growth",
    )
}

/// A form of the page at `page`, sent as a browser without script does: where it leads.
#[track_caller]
fn sent(client: &Client, form: &str, page: &str, fields: &[(&str, &str)]) -> String {
    let fields = [&[("path", page)], fields].concat();
    let answer: Answer = client
        .with_header("accept", "text/html")
        .form(form, &fields);
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

fn save(client: &Client, fields: &[(&str, &str)]) -> String {
    sent(client, "/ui/save_catalogue_entry", CATALOGUE, fields)
}

const ENTRY: [(&str, &str); 4] = [
    ("action", "door:zorp"),
    ("category", "journeys"),
    ("verb", "activate"),
    ("label", "Door & gate opened"),
];

/// What the API gives back of the action's events.
fn class(reader: &Client, question: &str) -> Vec<(Value, Value)> {
    let listed = reader
        .get(&format!("/api/v1/events?{question}"))
        .expect(200)
        .json();
    let events = listed["events"].as_array().unwrap().clone();
    events
        .into_iter()
        .map(|event| (event["verb"].clone(), event["category"].clone()))
        .collect()
}

#[test]
fn an_entry_holds_for_past_events_on_pages_and_in_the_api() {
    let daybook = installation();
    let secret = daybook.token("acme/growth", &["events:write", "events:read"]);
    let server = daybook.serve();
    let program = server.client().with_token(&secret);
    program.send(&event("door:zorp")).expect(201);
    program
        .send(&json!({
            "actor": {"kind": "system"}, "action": "door:zorp", "target": {"kind": "door"},
            "verb": "run", "category": "agent",
        }))
        .expect(201);
    assert_eq!(
        class(&program, "action=door:zorp&category=other"),
        [(json!("other"), json!("other"))]
    );

    let owner = server.client().signed_in(OWNER);
    let page = owner.get(CATALOGUE).expect(200).text();
    assert!(page.contains("data-unknown=\"door:zorp\"") && page.contains("2 entries"));
    let begun = owner
        .get(&format!("{CATALOGUE}?begin=door%3Azorp"))
        .expect(200)
        .text();
    assert!(
        begun.contains("name=\"action\" type=\"text\" value=\"door:zorp\""),
        "{begun}"
    );

    let leads = save(&owner, &ENTRY);
    assert_eq!(leads, format!("{CATALOGUE}?added=door%3Azorp"));
    let page = owner.get(&leads).expect(200).text();
    assert!(page.contains("The entry for door:zorp is added."));
    assert!(page.contains("Door &amp; gate opened"));
    assert!(!page.contains("data-unknown=\"door:zorp\""));
    // What was sent with an event wins; everything else is read anew.
    let own = (json!("activate"), json!("journeys"));
    let given = (json!("run"), json!("agent"));
    assert_eq!(class(&program, "action=door:zorp"), [given, own.clone()]);
    assert_eq!(
        class(&program, "category=journeys&verb=activate"),
        std::slice::from_ref(&own)
    );
    assert_eq!(class(&program, "q=gate+opened").len(), 2);
    let audit = owner
        .get("/acme/growth/audit?category=journeys")
        .expect(200)
        .text();
    assert_eq!(audit.matches("data-event-id=").count(), 1);
    assert!(audit.contains("Door &amp; gate opened"));

    // Adding it once more leads back with what was typed, and says why.
    let leads = save(&owner, &ENTRY);
    assert!(
        leads.ends_with("#entry") && leads.contains("typed=1"),
        "{leads}"
    );
    let page = owner
        .get(leads.trim_end_matches("#entry"))
        .expect(400)
        .text();
    assert!(page.contains("There is an entry for door:zorp already."));
    assert!(page.contains("value=\"Door &amp; gate opened\""));

    // An auditor sees it, and changes nothing.
    let auditor = server.client().signed_in("aron@acme.example");
    assert!(
        auditor
            .get(CATALOGUE)
            .expect(200)
            .text()
            .contains("owners do")
    );
    let remove = [("change", "door:zorp"), ("act", "remove")];
    assert_eq!(save(&auditor, &remove), CATALOGUE);
    assert_eq!(class(&program, "category=journeys"), [own]);

    let leads = save(
        &owner,
        &[
            ("change", "door:zorp"),
            ("label", "  "),
            ("category", "agent"),
        ],
    );
    let page = owner
        .get(leads.trim_end_matches("#entry"))
        .expect(400)
        .text();
    assert!(
        page.contains("It needs a label") && page.contains("Choose the verb"),
        "{page}"
    );
    assert!(page.contains("Change the entry for door:zorp"));
    assert_eq!(
        save(&owner, &remove),
        format!("{CATALOGUE}?removed=door%3Azorp")
    );
    assert_eq!(class(&program, "category=journeys"), []);
    assert_eq!(
        save(&owner, &remove),
        format!("{CATALOGUE}?missing=door%3Azorp")
    );
    assert_eq!(class(&program, "action=AUDIT_CATALOGUE_UPDATED").len(), 2);
}

#[test]
fn what_is_added_is_taken_out_from_the_next_request_on() {
    let daybook = installation();
    let scopes = ["events:write", "events:read", "events:unredacted"];
    let secret = daybook.token("acme/growth", &scopes);
    let server = daybook.serve();
    let program = server.client().with_token(&secret);
    let event = || {
        json!({
            "actor": {"kind": "system"}, "action": "customer:update",
            "target": {"kind": "customer", "id": "cus_1"},
            "before": {"nationalId": "one"}, "after": {"nationalId": "two"},
            "metadata": {"cards": [{"number": "4111"}], "iban": "NO93"},
        })
    };
    let recorded = |query: &str| -> Value {
        let path = format!("/api/v1/events{query}");
        let answer = program.post(&path, "application/json", event().to_string());
        let id = answer.expect(201).ids().remove(0);
        program
            .get(&format!("/api/v1/events/{id}"))
            .expect(200)
            .json()
    };
    assert_eq!(recorded("")["redacted"], 0);

    let owner = server.client().signed_in(OWNER);
    let add = |names: &str, paths: &str| {
        let fields = [("names", names), ("paths", paths)];
        sent(&owner, "/ui/add_redaction", REDACTION, &fields)
    };
    let leads = add("national_id", "target.name");
    let page = owner.get(&leads).expect(400).text();
    assert!(
        page.contains("begins with before, after, metadata or context"),
        "{page}"
    );
    assert!(
        page.contains(">\ntarget.name</textarea>") && page.contains(">\nnational_id</textarea>")
    );
    assert_eq!(recorded("")["redacted"], 0, "nothing was added");

    assert_eq!(
        add("national_id\r\n", "metadata.cards[*].number\r\n"),
        format!("{REDACTION}?saved=1")
    );
    let page = owner.get(REDACTION).expect(200).text();
    assert!(
        page.contains("<code>metadata.cards[].number</code>"),
        "{page}"
    );
    let taken = recorded("");
    assert_eq!(taken["redacted"], 3);
    assert_ne!(taken["before"]["nationalId"], taken["after"]["nationalId"]);
    assert_eq!(taken["metadata"]["iban"], "NO93");
    let text = taken.to_string();
    assert!(
        !text.contains("\"one\"") && !text.contains("4111"),
        "{text}"
    );
    let id = taken["id"].as_str().unwrap();
    let page = owner
        .get(&format!("/acme/growth/audit?open={id}"))
        .expect(200)
        .text();
    assert!(page.contains("3 values were taken out before they were recorded:"));
    assert!(page.contains("redacted, another value (mark"));
    // Who may, and asks for it, sends as it is.
    let plain = recorded("?redact=off");
    assert_eq!(
        (&plain["redacted"], &plain["after"]["nationalId"]),
        (&json!(0), &json!("two"))
    );

    // An import is another process.
    let line = json!({
        "actor": {"kind": "system"}, "action": "customer:import",
        "target": {"kind": "customer"}, "metadata": {"nationalId": "imported-one"},
    });
    let file = daybook.write("one.ndjson", line.to_string());
    let import = [
        "import",
        "--workspace",
        "acme/growth",
        "--format",
        "daybook",
        &file,
    ];
    daybook.run(&import).succeeded();
    let imported = program
        .get("/api/v1/events?action=customer:import")
        .expect(200)
        .json();
    assert_eq!(imported["events"][0]["redacted"], 1);

    let auditor = server.client().signed_in("aron@acme.example");
    let remove = [("name", "national_id")];
    let leads = sent(&auditor, "/ui/remove_redaction", REDACTION, &remove);
    assert_eq!(leads, REDACTION);
    assert_eq!(recorded("")["redacted"], 3);
    let leads = sent(&owner, "/ui/remove_redaction", REDACTION, &remove);
    assert_eq!(leads, format!("{REDACTION}?saved=1"));
    assert_eq!(recorded("")["redacted"], 1);
    let told = program
        .get("/api/v1/events?action=AUDIT_REDACTION_UPDATED")
        .expect(200)
        .json();
    assert_eq!(told["events"].as_array().unwrap().len(), 2);
    assert_eq!(
        told["events"][0]["before"]["redaction_names"],
        json!(["national_id"])
    );
}

//! Legal holds over HTTP, as a browser without script sends the forms, and what the pages then say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Answer, Client, Daybook};

const OWNER: &str = "olga@acme.example";
const AUDITOR: &str = "ruth@acme.example";
const MEMBER: &str = "mia@acme.example";
const TENANT_ADMIN: &str = "tina@acme.example";
const SETTINGS: &str = "/acme/growth/settings";
const AUDIT: &str = "/acme/growth/audit";

fn installation() -> Daybook {
    Daybook::acme()
        .user(OWNER, "owner", "acme/growth")
        .user("adam@acme.example", "admin", "acme/growth")
        .user(AUDITOR, "auditor", "acme/growth")
        .user(MEMBER, "member", "acme/growth")
        .user(TENANT_ADMIN, "tenant_admin", "acme")
}

#[track_caller]
fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

fn send(client: &Client, what: &str, reason: &str) -> String {
    let fields = [("path", SETTINGS), ("reason", reason)];
    let browser = client.with_header("accept", "text/html");
    location(&browser.form(&format!("/ui/{what}_hold"), &fields))
}

#[test]
fn a_hold_is_placed_shown_to_who_reads_the_log_and_lifted() {
    let daybook = installation();
    let reader = daybook.token("acme/growth", &["events:read"]);
    let server = daybook.serve();
    let owner = server.client().signed_in(OWNER);
    let page = owner.get(SETTINGS).expect(200).text();
    assert!(page.contains("No legal hold stands."), "{page}");
    let leads = send(&owner, "place", "Lawsuit with <Initech>");
    assert_eq!(leads, format!("{SETTINGS}?hold=placed#hold"));
    let page = owner.get(&leads).expect(200).text();
    assert!(page.contains("From now on nothing is deleted."), "{page}");
    assert!(page.contains("olga placed it on"), "{page}");
    assert!(page.contains("Lawsuit with &lt;Initech&gt;"), "{page}");

    // Who reads the log is told, on the Audit page and the tenant's.
    for (who, there) in [
        (OWNER, AUDIT),
        (AUDITOR, AUDIT),
        (TENANT_ADMIN, AUDIT),
        (TENANT_ADMIN, "/acme/audit"),
    ] {
        let page = server.client().signed_in(who).get(there).expect(200).text();
        assert!(page.contains("A legal hold stands"), "{who}: {page}");
        assert!(page.contains("olga placed it on"), "{who}");
        assert!(page.contains("Lawsuit with &lt;Initech&gt;"), "{who}");
    }
    // Not on the own page of whom it may be about.
    let member = server.client().signed_in(MEMBER);
    let page = member.get("/acme/growth/me").expect(200).text();
    assert!(!page.contains("legal hold") && !page.contains("Initech"));

    // A shorter retention may wait meanwhile; nothing claims that it deletes anything.
    let line = ["--workspace", "acme/growth", "--retention", "30d"];
    daybook
        .run(&[&["settings", "set"][..], &line].concat())
        .succeeded();
    let page = owner.get(AUDIT).expect(200).text();
    assert!(page.contains("nothing is deleted while the legal hold stands"));
    assert!(!page.contains("older entries are deleted"), "{page}");
    let page = owner.get(SETTINGS).expect(200).text();
    assert!(page.contains("nothing is deleted while the legal hold below stands"));

    let leads = send(&owner, "lift", "Settled");
    assert_eq!(leads, format!("{SETTINGS}?hold=lifted#hold"));
    let page = owner.get(&leads).expect(200).text();
    assert!(page.contains("The legal hold is lifted."), "{page}");
    assert!(page.contains("“Settled”") && page.contains("Past legal holds"));
    let page = owner.get(AUDIT).expect(200).text();
    assert!(!page.contains("A legal hold stands"), "{page}");

    let told = server
        .client()
        .with_token(&reader)
        .walk("q=hold&order=asc")
        .events;
    let actions: Vec<_> = told.iter().map(|event| &event["action"]).collect();
    assert_eq!(actions, ["AUDIT_HOLD_PLACED", "AUDIT_HOLD_LIFTED"]);
    for event in &told {
        assert_eq!(event["actor"]["email"], OWNER);
        assert!(event["context"]["ip"].is_string());
    }
}

#[test]
fn what_is_refused_says_why_and_keeps_what_was_typed() {
    let daybook = installation();
    let server = daybook.serve();
    let owner = server.client().signed_in(OWNER);
    let leads = send(&owner, "place", " \r\n ");
    let page = owner.get(&leads).expect(400).text();
    assert!(page.contains("A reason is needed"), "{page}");
    let long = "é".repeat(1_001);
    let leads = send(&owner, "place", &long);
    let page = owner.get(&leads).expect(400).text();
    assert!(page.contains("this one has 1001") && page.contains(&long));
    let leads = send(&owner, "lift", "nothing to lift");
    let page = owner.get(&leads).expect(200).text();
    assert!(page.contains("There was no legal hold to lift."), "{page}");
    send(&owner, "place", "first");
    let leads = send(&owner, "place", "second");
    let page = owner.get(&leads).expect(200).text();
    assert!(page.contains("stands already") && page.contains("You had written: “second”"));
    assert!(page.contains("“first”"));

    // Another zone stays.
    let fields = [
        ("path", SETTINGS),
        ("reason", "over"),
        ("tz", "Europe/Oslo"),
    ];
    let browser = owner.with_header("accept", "text/html");
    let leads = location(&browser.form("/ui/lift_hold", &fields));
    assert_eq!(
        leads,
        format!("{SETTINGS}?tz=Europe%2FOslo&hold=lifted#hold")
    );
}

#[test]
fn who_may_only_see_settings_is_shown_no_form_and_changes_nothing() {
    let daybook = installation();
    let server = daybook.serve();
    let owner = server.client().signed_in(OWNER);
    for who in ["adam@acme.example", AUDITOR] {
        let client = server.client().signed_in(who);
        let page = client.get(SETTINGS).expect(200).text();
        assert!(page.contains("No legal hold stands.") && !page.contains("_hold\""));
        send(&client, "place", "not theirs");
    }
    send(&server.client().signed_in(MEMBER), "place", "not theirs");
    send(&server.client(), "place", "not theirs");
    let page = owner.get(SETTINGS).expect(200).text();
    assert!(page.contains("No legal hold stands."), "{page}");
    // Nor another site in an owner's name.
    owner
        .with_header("origin", "https://evil.example")
        .form("/ui/place_hold", &[("path", SETTINGS), ("reason", "x")])
        .expect(403);
    send(&owner, "place", "theirs");
    for who in ["adam@acme.example", AUDITOR] {
        let client = server.client().signed_in(who);
        let page = client.get(SETTINGS).expect(200).text();
        assert!(page.contains("“theirs”") && !page.contains("/ui/lift_hold"));
        send(&client, "lift", "not theirs");
    }
    let admin = server.client().signed_in(TENANT_ADMIN);
    let page = admin.get(SETTINGS).expect(200).text();
    assert!(page.contains("“theirs”") && page.contains("/ui/lift_hold"));
    assert!(send(&admin, "lift", "over").contains("hold=lifted"));
}

#[test]
fn what_is_stored_about_people_is_said_from_the_settings() {
    let daybook = installation();
    let server = daybook.serve();
    let there = "/acme/growth/settings/personal-data";
    for who in [OWNER, "adam@acme.example", AUDITOR, TENANT_ADMIN] {
        let client = server.client().signed_in(who);
        let page = client.get(there).expect(200).text();
        assert!(page.contains("entries for 90 days from"), "{who}: {page}");
        assert!(page.contains("GDPR art. 30") && page.contains("Legal hold placed"));
        let settings = client.get(SETTINGS).expect(200).text();
        assert!(settings.contains(&format!("href=\"{there}\"")), "{who}");
    }
    server.client().signed_in(MEMBER).get(there).expect(403);
    let set = |line: &[&str]| {
        let place = ["settings", "set", "--workspace", "acme/growth"];
        daybook.run(&[&place[..], line].concat()).succeeded();
    };
    set(&["--retention", "forever"]);
    let owner = server.client().signed_in(OWNER);
    let page = owner.get(there).expect(200).text();
    assert!(page.contains("none expires"), "{page}");
    daybook
        .run(&["plan", "set", "--tenant", "acme", "--max-retention", "2y"])
        .succeeded();
    send(&owner, "place", "Secret matter");
    let page = owner.get(there).expect(200).text();
    assert!(page.contains("entries for 2 years from"), "{page}");
    assert!(page.contains("A legal hold stands since"), "{page}");
}

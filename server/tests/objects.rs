//! The list of objects and their pages, as a browser without script asks for them.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod harness;

use harness::{Client, Daybook, Server, event, with};
use serde_json::{Value, json};

const OBJECTS: &str = "/acme/growth/objects";
const ROBOT: &str = "/acme/growth/objects/integration/int%2F7a";

/// A server, and events that were sent to it: what is done to `on`.
fn serving(events: &[Value]) -> (Daybook, Server) {
    let daybook = Daybook::acme()
        .workspace("acme/revenue")
        .user("olga@acme.example", "owner", "acme/growth")
        .user("mika@acme.example", "member", "acme/growth")
        .user("ruth@acme.example", "auditor", "acme/growth")
        .user("tess@acme.example", "tenant_admin", "acme")
        .user("nils@acme.example", "owner", "acme/revenue");
    let secret = daybook.token("acme/growth", &["events:write"]);
    let server = daybook.serve();
    let sender = server.client().with_token(&secret);
    sender.send(&events.to_vec().into()).expect(201);
    (daybook, server)
}

fn on(kind: &str, id: &str, name: &str) -> Value {
    let target = json!({"kind": kind, "id": id, "name": name});
    with(event("SOMETHING_DONE"), "target", target)
}

fn signed_in(server: &Server, name: &str) -> Client {
    server.client().signed_in(&format!("{name}@acme.example"))
}

/// Where the link with this `rel` leads.
fn link(page: &str, rel: &str) -> Option<String> {
    let from = page.find(&format!("rel=\"{rel}\" href=\""))?;
    let address = page[from..].split('"').nth(3)?;
    Some(address.replace("&amp;", "&"))
}

/// The objects that a page lists: their addresses.
fn listed(page: &str) -> Vec<String> {
    let rows = page.split("<th scope=\"row\"><a href=\"").skip(1);
    rows.map(|row| row.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn objects_are_open_to_members_and_to_nobody_outside() {
    let (_daybook, server) = serving(&[
        on("integration", "int/7a", "RPA invoice bot"),
        on("secret", "sec_1", "RPA password"),
    ]);
    let secret = "/acme/growth/objects/secret/sec_1";
    for (who, list, robot, guarded) in [
        ("mika", 200, 200, 403),
        ("ruth", 200, 200, 200),
        ("olga", 200, 200, 200),
        ("tess", 200, 200, 200),
        ("nils", 404, 404, 404),
    ] {
        let client = signed_in(&server, who);
        for (path, status) in [(OBJECTS, list), (ROBOT, robot), (secret, guarded)] {
            let page = client.get(path).expect(status).text();
            let shows = page.contains("RPA");
            assert_eq!(shows, status == 200, "{who} {path}: {page}");
        }
        if list == 200 {
            let page = client.get(OBJECTS).text();
            assert_eq!(page.contains("RPA password"), guarded == 200, "{who}");
            assert!(page.contains(&format!("href=\"{ROBOT}\"")), "{who}");
            let page = client.get(&format!("{OBJECTS}?kind=secret&q=rpa")).text();
            assert_eq!(page.contains("RPA password"), guarded == 200, "{who}");
            assert_eq!(page.contains("not open to you"), guarded == 403, "{who}");
        }
    }
    for path in [OBJECTS, ROBOT, secret] {
        let answer = server.client().get(path).expect(303);
        assert!(answer.header("location").starts_with("/login?next="));
    }
    // What is no object, or no workspace, is no page.
    let mika = signed_in(&server, "mika");
    for path in [
        "/acme/growth/objects/integration",
        "/acme/growth/objects/no%20kind/1",
        "/acme/nowhere/objects",
    ] {
        mika.get(path).expect(404);
    }
    // An object that no event names has the same answer on both its tabs.
    let unknown = "/acme/growth/objects/integration/unknown";
    for path in [unknown.to_owned(), format!("{unknown}/audit")] {
        let page = mika.get(&path).expect(200).text();
        assert!(
            page.contains("Nothing that was recorded is about this object."),
            "{page}"
        );
    }
}

#[test]
fn where_objects_are_for_admins_members_find_neither_list_nor_page() {
    let (_daybook, server) = serving(&[on("integration", "int/7a", "RPA invoice bot")]);
    let olga = signed_in(&server, "olga");
    let mika = signed_in(&server, "mika");
    let in_bar = "<a href=\"/acme/growth/objects\" aria-current=\"page\">Objects</a>";
    assert!(mika.get(OBJECTS).text().contains(in_bar));
    let fields = [
        ("path", "/acme/growth/settings"),
        ("retention", "days"),
        ("days", "90"),
        ("recording", "on"),
        ("object_tabs", "admins"),
        ("guarded", "secret"),
    ];
    olga.with_header("accept", "text/html")
        .form("/ui/save_settings", &fields)
        .expect(303);
    for path in [OBJECTS, ROBOT] {
        let page = mika.get(path).expect(403).text();
        assert!(page.contains(">olga<") && !page.contains("RPA"), "{page}");
    }
    assert!(olga.get(OBJECTS).expect(200).text().contains(in_bar));
    signed_in(&server, "ruth").get(ROBOT).expect(200);
}

#[test]
fn the_list_is_walked_page_by_page_there_and_back() {
    let made: Vec<Value> = (0..120)
        .map(|n| {
            on(
                "pipeline",
                &format!("p/{n:03}"),
                &format!("Pipeline {n:03}"),
            )
        })
        .collect();
    let (_daybook, server) = serving(&made);
    let mika = signed_in(&server, "mika");
    for question in ["?kind=pipeline", "?q=PIPELINE&kind=", ""] {
        let mut pages = vec![mika.get(&format!("{OBJECTS}{question}")).expect(200).text()];
        assert_eq!(link(&pages[0], "prev"), None);
        while let Some(next) = link(pages.last().unwrap(), "next") {
            pages.push(mika.get(&next).expect(200).text());
            assert!(pages.len() < 10);
        }
        let mut all: Vec<String> = pages.iter().flat_map(|page| listed(page)).collect();
        all.retain(|there| there.contains("/pipeline/"));
        let mut wanted: Vec<String> = (0..120)
            .map(|n| format!("/acme/growth/objects/pipeline/p%2F{n:03}"))
            .collect();
        if question.is_empty() {
            // Those seen last come first.
            wanted.reverse();
        }
        assert_eq!(all, wanted, "{question}");
        assert_eq!(listed(&pages[1]).len(), 50);
        let back = mika
            .get(&link(&pages[1], "prev").unwrap())
            .expect(200)
            .text();
        assert_eq!(listed(&back), listed(&pages[0]));
        assert_eq!(link(&back, "prev"), None);
    }
    // A cursor of another search, and a kind that is none, are said and not guessed.
    let page = mika.get(&format!("{OBJECTS}?kind=pipeline")).text();
    let next = link(&page, "next").unwrap().replace("kind=pipeline", "q=x");
    let page = mika.get(&next).expect(400).text();
    assert!(page.contains("cannot be found again"), "{page}");
    let page = mika
        .get(&format!("{OBJECTS}?kind=a+b&q=keep"))
        .expect(400)
        .text();
    assert!(page.contains("“a b” is not a kind.") && page.contains("value=\"keep\""));
}

#[test]
fn an_overview_tells_what_its_entries_do() {
    let mut renamed = on("integration", "int/7a", "RPA invoice bot");
    renamed["target"]["url"] = "https://app.acme.example/7a".into();
    let (_daybook, server) = serving(&[
        on("integration", "int/7a", "Invoices"),
        renamed,
        with(
            on("pipeline", "p1", "Nightly"),
            "related",
            json!([{"kind": "integration", "id": "int/7a"}]),
        ),
    ]);
    let mika = signed_in(&server, "mika");
    let page = mika.get(ROBOT).expect(200).text();
    for words in [
        "<h1>RPA invoice bot</h1>",
        "Invoices",
        "href=\"https://app.acme.example/7a\"",
        ">3 entries</a>",
        "Alex Kim",
        "href=\"/acme/growth/objects?kind=integration\"",
        "SOMETHING_DONE",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert_eq!(page.matches("data-event-id").count(), 3, "{page}");
    // Having looked is told in the log, and is no touch.
    let page = mika.get(ROBOT).expect(200).text();
    assert!(
        page.contains("AUDIT_LOG_READ") && page.contains(">4 entries</a>"),
        "{page}"
    );
    let touched = page.split("Who touched it most").nth(1).unwrap();
    let touched = touched.split("Newest entries").next().unwrap();
    assert!(
        touched.contains("Alex Kim") && !touched.contains("mika"),
        "{touched}"
    );
}

//! A tenant's Audit page and My activity: who opens them, and what they show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Client, Daybook, Server, event, with};
use serde_json::{Value, json};

const TENANT: &str = "/acme/audit";
const GROWTH: &str = "/acme/growth/audit";
const OWN: &str = "/acme/growth/me";

/// A tenant with two workspaces, people of every role, and an entry of each log.
struct Place {
    daybook: Daybook,
    server: Server,
    /// The ids of the entries: in Growth, in Revenue, of the tenant, and Mia's own in Growth.
    ids: [String; 4],
}

fn by_mia(action: &str) -> Value {
    let mia = json!({"kind": "user", "id": "app_7", "name": "Mia", "email": "Member@acme.example"});
    with(event(action), "actor", mia)
}

impl Place {
    fn new() -> Self {
        let daybook = Daybook::acme().workspace("acme/revenue").tenant("globex");
        let daybook = ["member", "auditor", "admin", "owner"]
            .iter()
            .fold(daybook, |daybook, role| {
                daybook.user(&format!("{role}@acme.example"), role, "acme/growth")
            })
            .user("tina@acme.example", "tenant_admin", "acme")
            .user("neighbour@acme.example", "member", "acme/revenue")
            .user("stranger@globex.example", "tenant_admin", "globex");
        let secret = daybook.token("acme", &["events:write"]);
        let server = daybook.serve();
        let sender = server.client().with_token(&secret);
        let of = |workspace: &str, event| with(event, "workspace", json!(workspace));
        let events = json!([
            of("growth", event("DONE_IN_GROWTH")),
            of("revenue", event("DONE_IN_REVENUE")),
            event("DONE_IN_ACME"),
            of("growth", by_mia("DONE_BY_MIA")),
        ]);
        let ids = sender.send(&events).expect(201).ids();
        Self {
            daybook,
            server,
            ids: ids.try_into().unwrap(),
        }
    }

    fn client(&self, who: &str) -> Client {
        self.server.client().signed_in(who)
    }
}

const ALL: [&str; 4] = [
    "DONE_IN_GROWTH",
    "DONE_IN_REVENUE",
    "DONE_IN_ACME",
    "DONE_BY_MIA",
];

/// Which of the entries a page has rows of, in the order of [`ALL`].
fn shown(page: &str) -> Vec<&'static str> {
    let rows: Vec<&str> = page
        .split("data-event-id=")
        .skip(1)
        .filter_map(|row| row.split("</tr>").next())
        .collect();
    let is_shown = |action: &&str| rows.iter().any(|row| row.contains(action));
    ALL.into_iter().filter(is_shown).collect()
}

/// What a server function answers to a path and its question.
fn live(client: &Client, endpoint: &str, fields: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    client.get(&format!("/ui/{endpoint}?{query}")).text()
}

#[test]
fn each_role_opens_its_pages_and_sees_what_is_theirs() {
    let place = Place::new();
    for (who, tenant_status, own_status) in [
        ("member@acme.example", 403, 200),
        ("auditor@acme.example", 403, 200),
        ("admin@acme.example", 403, 200),
        ("owner@acme.example", 403, 200),
        ("tina@acme.example", 200, 200),
        ("neighbour@acme.example", 403, 404),
        ("stranger@globex.example", 404, 404),
    ] {
        let client = place.client(who);
        let answer = client.get(TENANT);
        assert_eq!(answer.status, tenant_status, "{who}");
        let page = answer.text();
        match tenant_status {
            200 => assert_eq!(shown(&page), ALL, "{page}"),
            403 => {
                // Polite, names the tenant's admins and nobody else, and tells nothing of the log.
                assert!(page.contains(">tina<"), "{who}: {page}");
                assert!(!page.contains(">owner<"), "{who}: {page}");
                assert!(!page.contains("DONE_") && !page.contains("data-event-id"));
            }
            _ => assert!(!page.contains("tina"), "{who}: {page}"),
        }
        let answer = client.get(OWN);
        assert_eq!(answer.status, own_status, "{who}");
        let mine = if who.starts_with("member") {
            vec!["DONE_BY_MIA"]
        } else {
            Vec::new()
        };
        let page = answer.text();
        assert_eq!(shown(&page), mine, "{who}");
        // What there is to choose from tells nothing of others either.
        assert!(!page.contains("DONE_IN"), "{who}: {page}");
        // What is asked for by script is answered likewise.
        for (path, status) in [(TENANT, tenant_status), (OWN, own_status)] {
            let told = live(&client, "log", &[("path", path), ("search", "")]);
            assert_eq!(
                told.starts_with("{\"Ok\""),
                status == 200,
                "{who} {path}: {told}"
            );
            if status != 200 {
                assert!(!told.contains("DONE_"), "{who} {path}: {told}");
            }
        }
    }
    // Who is nobody yet signs in first, and a tenant that is not there is told as any other.
    for path in [TENANT, OWN] {
        let answer = place.server.client().get(path).expect(303);
        assert!(
            answer.header("location").starts_with("/login?next="),
            "{path}"
        );
    }
    place
        .client("tina@acme.example")
        .get("/nowhere/audit")
        .expect(404);
}

#[test]
fn nobody_sees_more_by_naming_a_workspace_or_an_entry() {
    let place = Place::new();
    let [in_growth, in_revenue, of_acme, of_mia] = &place.ids;
    let owner = place.client("owner@acme.example");
    // There is one workspace on this page: naming any is wrong, and widens nothing.
    for asked in ["workspace=revenue", "workspace=growth&workspace=revenue"] {
        let page = owner.get(&format!("{GROWTH}?{asked}")).expect(400).text();
        assert_eq!(
            shown(&page),
            ["DONE_IN_GROWTH", "DONE_BY_MIA"],
            "{asked}: {page}"
        );
    }
    let member = place.client("member@acme.example");
    let page = member
        .get(&format!("{OWN}?workspace=revenue"))
        .expect(400)
        .text();
    assert_eq!(shown(&page), ["DONE_BY_MIA"]);
    // Nor by an entry's id, in the address or by script.
    for (client, path, foreign) in [
        (&owner, GROWTH, vec![in_revenue, of_acme]),
        (&member, OWN, vec![in_growth, in_revenue, of_acme]),
    ] {
        let before = shown(&client.get(path).expect(200).text());
        for id in foreign {
            let page = client.get(&format!("{path}?open={id}")).expect(200).text();
            assert!(page.contains("There is no entry"), "{path} {id}");
            assert_eq!(shown(&page), before, "{path} {id}");
            let told = live(
                client,
                "entry",
                &[("path", path), ("search", ""), ("id", id)],
            );
            assert!(!told.contains("DONE_"), "{path} {id}: {told}");
        }
    }
    let told = live(
        &member,
        "entry",
        &[("path", OWN), ("search", ""), ("id", of_mia)],
    );
    assert!(told.contains("app_7"), "{told}");
    // Nor by a cursor of a wider log.
    let tina = place.client("tina@acme.example");
    let page = tina.get(&format!("{TENANT}?limit=1")).expect(200).text();
    let cursor = page.split("cursor=").nth(1).unwrap();
    let cursor = cursor.split(['"', '&', '#']).next().unwrap();
    for (client, path) in [(&owner, GROWTH), (&member, OWN)] {
        let page = client
            .get(&format!("{path}?limit=1&cursor={cursor}"))
            .expect(400);
        assert!(shown(&page.text()).is_empty(), "{path}");
    }
}

#[test]
fn a_tenant_admin_narrows_the_page_to_workspaces() {
    let place = Place::new();
    let tina = place.client("tina@acme.example");
    let page = |asked: &str| tina.get(&format!("{TENANT}?{asked}"));
    let revenue = page("workspace=revenue").expect(200).text();
    assert_eq!(shown(&revenue), ["DONE_IN_REVENUE"]);
    assert!(revenue.contains("name=\"workspace\""), "{revenue}");
    let both = page("workspace=revenue&workspace=growth")
        .expect(200)
        .text();
    assert_eq!(
        shown(&both),
        ["DONE_IN_GROWTH", "DONE_IN_REVENUE", "DONE_BY_MIA"]
    );
    // A workspace that is none is said beside the field; the rest of the question holds.
    let wrong = page("workspace=nowhere&workspace=revenue")
        .expect(400)
        .text();
    assert!(wrong.contains("f-workspace-error"), "{wrong}");
    assert_eq!(shown(&wrong), ["DONE_IN_REVENUE"]);
    // Rows lead to objects in their own workspace.
    assert!(
        revenue.contains("/acme/revenue/objects/api_token/tok_9/audit"),
        "{revenue}"
    );
}

#[test]
fn a_look_at_the_tenants_log_is_in_it_and_a_look_at_ones_own_events_is_in_none() {
    let place = Place::new();
    let member = place.client("member@acme.example");
    member.get(OWN).expect(200);
    let tina = place.client("tina@acme.example");
    tina.get(&format!("{TENANT}?workspace=growth")).expect(200);
    tina.get(TENANT).expect(200);
    let secret = place.daybook.token("acme", &["events:read"]);
    let reader = place.server.client().with_token(&secret);
    let told = reader.walk("action=AUDIT_LOG_READ").events;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["workspace"], Value::Null);
    assert_eq!(told[0]["actor"]["email"], "tina@acme.example");
    assert_eq!(told[0]["metadata"]["filters"], json!(["workspace"]));
}

#[test]
fn the_first_address_leads_to_a_page_that_is_open() {
    let place = Place::new();
    let first = |client: &Client| client.get("/").expect(303).header("location").to_owned();
    let member = place.client("member@acme.example");
    assert_eq!(first(&member), OWN);
    // The page without access leads there, too.
    let refused = member.get(GROWTH).expect(403).text();
    assert!(refused.contains(&format!("href=\"{OWN}\"")), "{refused}");
    let refused = member.get(TENANT).expect(403).text();
    assert!(refused.contains(&format!("href=\"{OWN}\"")), "{refused}");
    assert_eq!(first(&place.client("auditor@acme.example")), GROWTH);
    // A tenant's admin comes back to the workspace last looked at; one whose tenant has none yet
    // has the tenant's page.
    let tina = place.client("tina@acme.example");
    tina.get("/acme/revenue/audit").expect(200);
    tina.get(TENANT).expect(200);
    assert_eq!(first(&tina), "/acme/revenue/audit");
    let stranger = place.client("stranger@globex.example");
    assert_eq!(first(&stranger), "/globex/audit");
    stranger.get("/globex/audit").expect(200);
}

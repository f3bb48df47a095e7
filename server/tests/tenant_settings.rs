//! A tenant's settings over HTTP: its plan and workspaces, its tokens, its admins.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Answer, Client, Daybook, event, with};

const TINA: &str = "tina@acme.example";
const TOM: &str = "tom@acme.example";
const OWNER: &str = "olga@acme.example";
const SETTINGS: &str = "/acme/settings";
const ADMINS: &str = "/acme/settings/admins";
const TOKENS: &str = "/acme/settings/tokens";

fn installation() -> Daybook {
    Daybook::acme()
        .workspace("acme/revenue")
        .user(TINA, "tenant_admin", "acme")
        .user(OWNER, "owner", "acme/growth")
        .tenant("globex")
        .workspace("globex/main")
        .user("elsa@globex.example", "owner", "globex/main")
}

#[track_caller]
fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

fn sent(client: &Client, what: &str, fields: &[(&str, &str)]) -> String {
    let browser = client.with_header("accept", "text/html");
    location(&browser.form(&format!("/ui/{what}"), fields))
}

fn add(client: &Client, email: &str, last_day: &str) -> String {
    let fields = [("path", ADMINS), ("email", email), ("last_day", last_day)];
    sent(client, "add_tenant_admin", &fields)
}

fn change(client: &Client, admin: &str, act: &str, last_day: &str) -> String {
    let fields = [
        ("path", ADMINS),
        ("admin", admin),
        ("act", act),
        ("last_day", last_day),
    ];
    sent(client, "change_tenant_admin", &fields)
}

/// The public id of the admin with this e-mail address.
fn admin(client: &Client, email: &str) -> String {
    let page = client.get(ADMINS).expect(200).text();
    let (_, row) = page
        .split_once(&format!("data-admin=\"{email}\" data-id=\""))
        .unwrap_or_else(|| panic!("{email} is not listed: {page}"));
    row.split('"').next().unwrap().to_owned()
}

#[test]
fn a_tenant_admin_sees_the_plan_and_every_workspace_and_others_are_told_whom_to_ask() {
    let daybook = installation();
    let plan = ["plan", "set", "--tenant", "acme", "--min-retention", "30d"];
    daybook.run(&plan).succeeded();
    let set = |line: &[&str]| daybook.run(line).succeeded();
    set(&[
        "settings",
        "set",
        "--workspace",
        "acme/growth",
        "--recording",
        "off",
    ]);
    set(&[
        "settings",
        "set",
        "--workspace",
        "acme/growth",
        "--retention",
        "1y",
    ]);
    set(&[
        "hold",
        "place",
        "--workspace",
        "acme/revenue",
        "--reason",
        "Lawsuit",
    ]);
    let server = daybook.serve();
    let tina = server.client().signed_in(TINA);
    let page = tina.get(SETTINGS).expect(200).text();
    assert!(page.contains("for at least 30 days"), "{page}");
    assert!(page.contains("There is no maximum"), "{page}");
    let row = |slug: &str| {
        let (_, row) = page
            .split_once(&format!("data-workspace=\"{slug}\""))
            .unwrap();
        row.split("</tr>").next().unwrap().to_owned()
    };
    let growth = row("growth");
    assert!(
        growth.contains("1 year") && growth.contains(">off"),
        "{growth}"
    );
    assert!(growth.contains("href=\"/acme/growth/settings\"") && growth.contains("none"));
    let revenue = row("revenue");
    assert!(
        revenue.contains("90 days") && revenue.contains("stands"),
        "{revenue}"
    );
    // The bar of the tenant's pages leads here.
    let audit = tina.get("/acme/audit").expect(200).text();
    assert!(audit.contains("href=\"/acme/settings\""), "{audit}");

    for (who, status) in [(OWNER, 403), ("elsa@globex.example", 404)] {
        let client = server.client().signed_in(who);
        for there in [SETTINGS, ADMINS, TOKENS] {
            let page = client.get(there).expect(status).text();
            assert_eq!(page.contains(">tina<"), status == 403, "{who}: {page}");
            assert!(!page.contains("Revenue") && !page.contains("Lawsuit"));
        }
    }
    // The zone of the times can be chosen on the page, which stays the one that it is.
    for there in [SETTINGS, ADMINS] {
        let page = tina
            .get(&format!("{there}?page=1&tz=Asia%2FTokyo"))
            .expect(200)
            .text();
        let utc = ["&amp;", "&"].map(|and| format!("href=\"{there}?page=1{and}tz=UTC\""));
        assert!(
            utc.iter().any(|link| page.contains(link)),
            "{there}: {page}"
        );
        let kept = "<input type=\"hidden\" name=\"page\" value=\"1\"";
        assert!(page.contains(kept), "{there}: {page}");
        let page = tina.get(&format!("{there}?tz=Nowhere")).expect(200).text();
        assert!(page.contains("No such time zone"), "{there}: {page}");
    }
    let to = server.client().get(SETTINGS).expect(303);
    assert!(to.header("location").starts_with("/login?next="));
}

#[test]
fn tokens_of_the_tenant_are_made_used_and_revoked_there() {
    let daybook = installation();
    let reader = daybook.token("acme", &["events:read"]);
    let of_growth = daybook.token("acme/growth", &["events:read"]);
    let server = daybook.serve();
    let tina = server.client().signed_in(TINA);
    let fields = [
        ("path", TOKENS),
        ("name", "everywhere"),
        ("scopes[]", "events:write"),
        ("expires", "2999-12-31"),
        ("oldest", "30"),
    ];
    let browser = tina.with_header("accept", "text/html");
    let answer = browser.form("/ui/create_token", &fields);
    let leads = location(&answer);
    assert!(
        leads.starts_with(&format!("{TOKENS}?created=tok_")),
        "{leads}"
    );
    let cookie = answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let page = tina
        .with_header("cookie", &cookie)
        .get(&leads)
        .expect(200)
        .text();
    let (_, shown) = page.split_once("id=\"token-secret\"").expect("a secret");
    let secret = shown.split(['>', '<']).nth(1).unwrap().trim().to_owned();
    assert!(secret.starts_with("dbk_"), "{page}");
    let id = leads.split_once("created=").unwrap().1.to_owned();

    // Good in every workspace and in the tenant itself.
    let program = server.client().with_token(&secret);
    program
        .send(&with(event("X"), "workspace", "growth"))
        .expect(201);
    program
        .send(&with(event("X"), "workspace", "revenue"))
        .expect(201);
    program.send(&event("X")).expect(201);
    let page = tina.get(TOKENS).expect(200).text();
    for words in [
        "everywhere",
        &id,
        "tina",
        "2999-12-31",
        "older than 30 days",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(page.contains(&format!(
        "/acme/audit?target_kind=api_token&amp;target_id={id}"
    )));
    // A workspace's own are no matter of this page.
    assert_eq!(page.matches("data-token=").count(), 2, "{page}");
    let growth = tina.get("/acme/growth/settings/tokens").expect(200).text();
    let (_, own) = growth.split_once("data-token=\"").unwrap();
    let id_of_growth = own.split('"').next().unwrap();
    let revoke =
        |path: &str, id: &str| sent(&tina, "revoke_token", &[("path", path), ("token", id)]);
    assert!(revoke(TOKENS, id_of_growth).contains("unknown"));
    let works = server.client().with_token(&of_growth);
    works.get("/api/v1/events").expect(200);

    // Nobody else makes or revokes them.
    let owner = server.client().signed_in(OWNER);
    let fields = [("path", TOKENS), ("token", &*id)];
    let leads = sent(&owner, "revoke_token", &fields);
    owner.get(&leads).expect(403);
    program.send(&event("X")).expect(201);
    let growth = owner.get("/acme/growth/settings/tokens").expect(200).text();
    assert!(
        growth.contains("The tenant’s admins create and revoke them"),
        "{growth}"
    );

    let leads = revoke(TOKENS, &id);
    let page = tina.get(&leads).expect(200).text();
    assert!(page.contains("“everywhere” is revoked."), "{page}");
    program.send(&event("X")).expect(401);
    let question = format!("target_kind=api_token&target_id={id}&order=asc");
    let told = server.client().with_token(&reader).walk(&question);
    assert_eq!(
        told.texts("/action"),
        ["API_TOKEN_CREATED", "API_TOKEN_REVOKED"]
    );
    for event in &told.events {
        assert!(
            event["workspace"].is_null(),
            "in the tenant's own log: {event}"
        );
        assert_eq!(event["actor"]["email"], TINA);
    }
}

#[test]
fn admins_are_added_limited_and_taken_away_and_the_last_one_stays() {
    let daybook = installation().user(TOM, "member", "acme/revenue");
    let reader = daybook.token("acme", &["events:read"]);
    let server = daybook.serve();
    let tina = server.client().signed_in(TINA);
    let tom = server.client().signed_in(TOM);
    tom.get(SETTINGS).expect(403);

    // Strangers, and who belongs to another tenant, are answered alike.
    for email in ["nobody@acme.example", "elsa@globex.example"] {
        let leads = add(&tina, email, "");
        assert!(leads.contains("fault=not-in-tenant"), "{leads}");
        let page = tina.get(&leads).expect(400).text();
        assert!(page.contains(&format!("value=\"{email}\"")), "{page}");
        assert!(page.contains("Invite them to a workspace first"), "{page}");
    }
    assert!(add(&tina, "no address", "").contains("fault=email"));
    assert!(add(&tina, TOM, "2001-01-01").contains("fault=day-over"));
    let leads = add(&tina, TOM, "31.12.");
    let page = tina.get(&leads).expect(400).text();
    assert!(page.contains("Not a date.") && page.contains("value=\"31.12.\""));
    assert!(add(&tina, TINA, "").contains("fault=admin"));

    let leads = add(&tina, &TOM.to_uppercase(), "2999-12-31");
    assert_eq!(leads, format!("{ADMINS}?done=added"));
    let page = tina.get(&leads).expect(200).text();
    assert!(page.contains("They are an admin of the tenant now.") && page.contains("2999-12-31"));
    // At once, in the session that they have.
    tom.get(SETTINGS).expect(200);
    tom.get("/acme/growth/settings").expect(200);

    let (of_tina, of_tom) = (admin(&tina, TINA), admin(&tina, TOM));
    // Tina is the only one without a last day, and nobody takes their own.
    assert!(change(&tom, &of_tina, "remove", "").contains("fault=last-admin"));
    assert!(change(&tom, &of_tina, "save", "2999-01-01").contains("fault=last-admin"));
    for act in ["remove", "save"] {
        let leads = change(&tina, &of_tina, act, "2999-01-01");
        let page = tina.get(&leads).expect(400).text();
        assert!(
            page.contains("nobody takes this role from themselves"),
            "{page}"
        );
    }
    assert!(change(&tina, "usr_none", "remove", "").contains("fault=gone"));
    let open = tina
        .get(&format!("{ADMINS}?change={of_tom}"))
        .expect(200)
        .text();
    assert!(open.contains("Take the role away"), "{open}");

    assert!(change(&tina, &of_tom, "save", "").contains("done=saved"));
    assert!(change(&tina, &of_tom, "remove", "").contains("done=removed"));
    tom.get(SETTINGS).expect(403);
    tom.get("/acme/revenue/me").expect(200);
    // The role is gone, and with it what it let them do in their open page.
    assert!(change(&tom, &of_tina, "remove", "").ends_with("/admins"));
    tina.get(SETTINGS).expect(200);

    let told = server
        .client()
        .with_token(&reader)
        .walk(&format!(
            "target_kind=user&target_id={of_tom}&category=members&order=asc"
        ))
        .events;
    let told: Vec<_> = told
        .iter()
        .filter(|event| event["workspace"].is_null())
        .collect();
    let actions: Vec<_> = told.iter().map(|event| &event["action"]).collect();
    assert_eq!(
        actions,
        ["MEMBER_ADDED", "MEMBER_ROLE_UPDATED", "MEMBER_REMOVED"]
    );
    assert_eq!(told[0]["after"]["role"], "tenant_admin");
    assert_eq!(told[0]["after"]["until"], "2999-12-31");
    assert_eq!(told[1]["before"]["until"], "2999-12-31");
    assert!(told[1]["after"]["until"].is_null());
    assert_eq!(told[2]["before"]["role"], "tenant_admin");
    assert!(told.iter().all(|event| event["actor"]["email"] == TINA));
}

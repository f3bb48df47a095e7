//! Settings → API tokens: who manages them, and a secret that is shown once and never again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Answer, Client, Daybook, event, shifted, with};
use std::fs;

const OWNER: &str = "olga@acme.example";
const TOKENS: &str = "/acme/growth/settings/tokens";

fn installation() -> Daybook {
    Daybook::acme().user(OWNER, "owner", "acme/growth")
}

/// A form sent as a browser without script does.
fn sent(client: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    client.with_header("accept", "text/html").form(path, fields)
}

/// The form for a new token.
fn create(client: &Client, fields: &[(&str, &str)]) -> Answer {
    let fields = [&[("path", TOKENS)], fields].concat();
    sent(client, "/ui/create_token", &fields)
}

/// The form that revokes a token: where it leads.
fn revoke(client: &Client, id: &str) -> String {
    let fields = [("path", TOKENS), ("token", id)];
    location(&sent(client, "/ui/revoke_token", &fields))
}

/// Where an answer leads.
#[track_caller]
fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

/// What an answer sets the cookie to that shows something once, with its flags.
fn revealing(answer: &Answer) -> Option<String> {
    answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap().to_owned())
        .find(|cookie| cookie.contains("daybook_revealed="))
}

/// The secret on a page, if it shows one.
fn secret(page: &str) -> Option<String> {
    let shown = page.split_once("id=\"token-secret\"")?.1.split_once('>')?.1;
    let secret = shown.split('<').next()?.trim().to_owned();
    assert!(secret.starts_with("dbk_"), "{secret}");
    Some(secret)
}

/// The id in an address such as `…?created=tok_1`.
fn named(leads: &str, parameter: &str) -> String {
    form_urlencoded::parse(leads.split_once('?').unwrap().1.as_bytes())
        .find(|(name, _)| name == parameter)
        .unwrap_or_else(|| panic!("no {parameter} in {leads}"))
        .1
        .into_owned()
}

/// Makes a token, and looks at the page that comes next: the token's id and secret.
fn made(client: &Client, fields: &[(&str, &str)]) -> (String, String) {
    let answer = create(client, fields);
    let leads = location(&answer);
    let cookie = revealing(&answer).expect("something to show");
    let cookie = cookie.split(';').next().unwrap();
    let page = client.with_header("cookie", cookie).get(&leads).expect(200);
    let secret = secret(&page.text()).unwrap_or_else(|| panic!("no secret: {}", page.text()));
    (named(&leads, "created"), secret)
}

#[test]
fn a_secret_is_shown_on_the_next_page_and_on_no_other() {
    let daybook = installation().user("ada@acme.example", "admin", "acme/growth");
    let server = daybook.serve();
    let owner = server.client().signed_in(OWNER);
    let page = owner.get(TOKENS).expect(200).text();
    assert!(page.contains("action=\"/ui/create_token\""), "{page}");

    let fields = [("name", "ci"), ("scopes[]", "events:write")];
    let answer = create(&owner, &fields);
    let leads = location(&answer);
    assert!(
        leads.starts_with(&format!("{TOKENS}?created=tok_")),
        "{leads}"
    );
    let cookie = revealing(&answer).unwrap();
    let flags = cookie.to_ascii_lowercase();
    for flag in ["httponly", "samesite=strict", "path=/", "max-age=120"] {
        assert!(flags.contains(flag), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    let bringing = |client: &Client| client.with_header("cookie", cookie);

    // Nobody else opens it, and nobody who is not signed in.
    let admin = server.client().signed_in("ada@acme.example");
    let page = bringing(&admin).get(&leads).expect(200);
    assert_eq!(secret(&page.text()), None);
    bringing(&server.client()).get(&leads).expect(303);

    let page = bringing(&owner).get(&leads).expect(200);
    let shown = secret(&page.text()).unwrap();
    assert_eq!(page.header("cache-control"), "no-store");
    let cleared = revealing(&page).unwrap();
    assert!(
        cleared.starts_with("daybook_revealed=;") && cleared.contains("Max-Age=0"),
        "{cleared}"
    );
    // A command to try it, ready to be pasted.
    let text = page.text();
    assert!(text.contains(&format!("DAYBOOK_TOKEN={shown}")), "{text}");
    assert!(text.contains(&format!("curl {}/api/v1/events", server.client().base())));
    // Reloaded without the cookie, as browsers do then.
    let again = owner.get(&leads).expect(200);
    assert!(again.text().contains("was shown once and is not kept"));
    assert!(!again.text().contains(&shown));
    assert_eq!(revealing(&again), None);
    // An altered one shows nothing, and is taken away.
    let altered = owner.with_header("cookie", &format!("{cookie}x"));
    let page = altered.get(&leads).expect(200);
    assert_eq!(secret(&page.text()), None);
    assert!(revealing(&page).is_some());

    // Whichever server of the installation is asked next shows it.
    let answer = create(&owner, &fields);
    let cookie = revealing(&answer).unwrap();
    let other = daybook.serve();
    let session = other.client().try_sign_in(OWNER, harness::PASSWORD, "");
    let there = other
        .client()
        .with_header("cookie", &session.session().unwrap())
        .with_header("cookie", cookie.split(';').next().unwrap());
    let page = there.get(&location(&answer)).expect(200);
    let second = secret(&page.text()).unwrap();
    assert_ne!(second, shown);

    // It is in no address, log or file.
    let told = [server.stop().1, other.stop().1].concat();
    for secret in [&shown, &second] {
        assert!(!leads.contains(secret.as_str()) && !told.contains(secret.as_str()));
    }
    for file in fs::read_dir(daybook.path("")).unwrap() {
        let path = file.unwrap().path();
        let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for secret in [&shown, &second] {
            assert!(!content.contains(secret.as_str()), "{}", path.display());
        }
    }
}

#[test]
fn over_https_the_cookie_is_secure() {
    let daybook = installation().variable("DAYBOOK_PUBLIC_URL", "https://audit.example.com");
    let server = daybook.serve();
    let owner = server.client().signed_in(OWNER);
    let answer = create(&owner, &[("name", "ci"), ("scopes[]", "events:read")]);
    let cookie = revealing(&answer).unwrap();
    assert!(cookie.starts_with("__Host-daybook_revealed="), "{cookie}");
    assert!(cookie.contains("; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let page = owner.with_header("cookie", cookie).get(&location(&answer));
    let page = page.expect(200).text();
    assert!(secret(&page).is_some());
    assert!(
        page.contains("https://audit.example.com/api/v1/events?limit=5"),
        "{page}"
    );
}

#[test]
fn a_token_works_within_its_bounds_until_it_is_revoked() {
    let daybook = installation();
    let reader = daybook.token("acme/growth", &["events:read"]);
    let server = daybook.serve();
    let owner = server.client().signed_in(OWNER);
    let (id, secret) = made(
        &owner,
        &[
            ("name", " billing "),
            ("scopes[]", "events:write"),
            ("scopes[]", "events:read"),
            ("expires", "2999-12-31"),
            ("oldest", "30"),
        ],
    );
    let program = server.client().with_token(&secret);
    program.send(&event("X")).expect(201);
    program.get("/api/v1/events").expect(200);
    let old = |days: i64| {
        let at = format!("{}00Z", shifted(-days * 24 * 60));
        program.send(&with(event("X"), "occurred_at", at))
    };
    old(29).expect(201);
    harness::refused(&old(31), "occurred_at", "this token may send");
    let page = owner.get(TOKENS).expect(200).text();
    for words in [
        "billing",
        &id,
        "olga",
        "just now",
        "2999-12-31",
        "older than 30 days",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }

    // It is asked before anything is done.
    let asked = owner
        .get(&format!("{TOKENS}?revoke={id}"))
        .expect(200)
        .text();
    assert!(asked.contains("Revoke “billing”?"), "{asked}");
    assert!(asked.contains("action=\"/ui/revoke_token\""), "{asked}");
    program.get("/api/v1/events").expect(200);

    let leads = revoke(&owner, &id);
    program.get("/api/v1/events").expect(401);
    program.send(&event("X")).expect(401);
    let page = owner.get(&leads).expect(200).text();
    assert!(page.contains("“billing” is revoked."), "{leads}: {page}");
    // Once more: politely.
    let leads = revoke(&owner, &id);
    let page = owner.get(&leads).expect(200).text();
    assert!(
        page.contains("was revoked before by olga"),
        "{leads}: {page}"
    );
    let page = owner
        .get(&format!("{TOKENS}?revoke={id}"))
        .expect(200)
        .text();
    assert!(page.contains("was revoked before by olga"), "{page}");
    assert!(!page.contains("/ui/revoke_token"), "{page}");

    // Each is told once, by whom, with what it could do and without its secret.
    let question = format!("target_kind=api_token&target_id={id}&order=asc");
    let told = server.client().with_token(&reader).walk(&question);
    assert_eq!(
        told.texts("/action"),
        ["API_TOKEN_CREATED", "API_TOKEN_REVOKED"]
    );
    for event in &told.events {
        assert_eq!(event["actor"]["email"], OWNER);
        assert_eq!(event["source"], "daybook");
        assert!(!event.to_string().contains(&secret));
    }
    let after = &told.events[0]["after"];
    assert_eq!(after["name"], "billing");
    assert_eq!(after["oldest_seconds"], 30 * 86_400);
    assert_eq!(after["expires"], "2999-12-31T23:59:59.999999Z");
}

#[test]
fn what_is_not_understood_is_kept_and_makes_nothing() {
    let daybook = installation();
    let server = daybook.serve();
    let owner = server.client().signed_in(OWNER);
    let answer = create(
        &owner,
        &[
            ("name", "kept & shown"),
            ("scopes[]", "events:export"),
            ("expires", "2001-01-01"),
            ("oldest", "soon"),
        ],
    );
    assert_eq!(revealing(&answer), None);
    let page = owner.get(&location(&answer)).expect(400).text();
    for words in [
        "No token was created.",
        "value=\"kept &amp; shown\"",
        "value=\"2001-01-01\"",
        "That day is over.",
        "value=\"soon\"",
        "Not a number of days.",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let leads = location(&create(&owner, &[("name", " ")]));
    let page = owner.get(&leads).expect(400).text();
    assert!(page.contains("needs a name") && page.contains("Choose at least one"));
    assert!(
        !daybook
            .run(&["token", "list"])
            .succeeded()
            .out
            .contains("tok_")
    );
}

#[test]
fn each_role_manages_what_is_its_own_and_nothing_else() {
    let daybook = ["member", "auditor", "admin"]
        .iter()
        .fold(installation(), |daybook, role| {
            daybook.user(&format!("{role}@acme.example"), role, "acme/growth")
        })
        .user("tenant@acme.example", "tenant_admin", "acme")
        .workspace("acme/revenue")
        .user("neighbour@acme.example", "owner", "acme/revenue");
    let of_tenant = daybook.token("acme", &["events:write"]);
    let server = daybook.serve();
    let owner = server.client().signed_in(OWNER);
    let fields = [("name", "private name"), ("scopes[]", "events:read")];
    let (id, secret) = made(&owner, &fields);
    let works = || {
        server
            .client()
            .with_token(&secret)
            .get("/api/v1/events")
            .status
    };
    let tokens = || {
        let list = daybook.run(&["token", "list"]).succeeded().out;
        list.matches("tok_").count()
    };

    for (who, status) in [
        ("member@acme.example", 403),
        ("auditor@acme.example", 403),
        ("neighbour@acme.example", 404),
    ] {
        let client = server.client().signed_in(who);
        let page = client.get(TOKENS).expect(status).text();
        assert!(
            !page.contains("private name") && !page.contains(&id),
            "{who}: {page}"
        );
        // Polite, and names whom to ask; but to strangers nothing.
        assert_eq!(page.contains("for the owners and admins of"), status == 403);
        assert_eq!(page.contains(">olga<"), status == 403, "{who}: {page}");
        let answer = create(&client, &fields);
        assert_eq!(revealing(&answer), None, "{who}");
        client.get(&location(&answer)).expect(status);
        client.get(&revoke(&client, &id)).expect(status);
        assert_eq!((tokens(), works()), (2, 200), "{who}");
    }
    // Nor may another site in an owner's name, nor nobody.
    let fields_of_form = [("path", TOKENS), ("token", &*id)];
    owner
        .with_header("origin", "https://evil.example")
        .form("/ui/revoke_token", &fields_of_form)
        .expect(403);
    revoke(&server.client(), &id);
    assert_eq!(works(), 200);
    // An owner of another workspace has no hold on it from there.
    let neighbour = server.client().signed_in("neighbour@acme.example");
    let there = "/acme/revenue/settings/tokens";
    let leads = location(&sent(
        &neighbour,
        "/ui/revoke_token",
        &[("path", there), ("token", &id)],
    ));
    let page = neighbour.get(&leads).expect(200).text();
    assert!(page.contains("no such token in this workspace"), "{page}");
    for address in [
        format!("{there}?revoke={id}"),
        format!("{there}?created={id}"),
    ] {
        let page = neighbour.get(&address).expect(200).text();
        assert!(!page.contains("private name"), "{page}");
    }
    assert_eq!(works(), 200);
    // Nor has anybody on a workspace's page on the tenant's token, which is listed there.
    let page = neighbour.get(there).expect(200).text();
    assert!(page.contains("Tokens of the tenant"), "{page}");
    let row = page.split("data-token=\"").nth(1).unwrap();
    let leads = revoke(&owner, row.split('"').next().unwrap());
    assert!(leads.contains("unknown"), "{leads}");
    let sender = server.client().with_token(&of_tenant);
    let told = with(event("X"), "workspace", "growth");
    sender.send(&told).expect(201);

    // Admins and tenant admins manage as owners do.
    for who in ["admin@acme.example", "tenant@acme.example"] {
        let client = server.client().signed_in(who);
        let (id, secret) = made(&client, &fields);
        let program = server.client().with_token(&secret);
        program.get("/api/v1/events").expect(200);
        assert!(revoke(&client, &id).contains("revoked="));
        program.get("/api/v1/events").expect(401);
    }
    // The settings lead there whoever may go.
    for (who, leads) in [
        ("auditor@acme.example", false),
        ("admin@acme.example", true),
    ] {
        let client = server.client().signed_in(who);
        let page = client.get("/acme/growth/settings").expect(200).text();
        assert_eq!(page.contains(&format!("href=\"{TOKENS}\"")), leads, "{who}");
    }
}

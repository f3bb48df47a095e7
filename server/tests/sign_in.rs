//! Signing in and out, and who may open which page.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Client, Daybook, PASSWORD, event, with};
use serde_json::json;

const OWNER: &str = "olga@acme.example";
const SETTINGS: &str = "/acme/growth/settings";
const NEW_PASSWORD: &str = "another battery staple";

fn installation() -> Daybook {
    Daybook::acme().user(OWNER, "owner", "acme/growth")
}

/// Where an answer leads.
#[track_caller]
fn location(answer: &harness::Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

/// Whether this client is signed in.
fn is_signed_in(client: &Client) -> bool {
    match client.get("/acme/growth/audit").status {
        200 => true,
        303 => false,
        other => panic!("the Audit page answers {other}"),
    }
}

#[test]
fn a_visitor_signs_in_and_lands_on_the_page_asked_for() {
    let daybook = installation();
    let server = daybook.serve();
    let visitor = server.client();
    let asked = "/acme/growth/audit?actor=kim&range=7d";
    let login = location(&visitor.get(asked));
    let next: String = form_urlencoded::parse(login.split_once('?').unwrap().1.as_bytes())
        .find(|(name, _)| name == "next")
        .unwrap()
        .1
        .into_owned();
    assert!(login.starts_with("/login?"), "{login}");
    assert_eq!(next, asked);
    let page = visitor.get(&login).expect(200).text();
    assert!(
        page.contains("name=\"email\"") && page.contains("name=\"password\""),
        "{page}"
    );

    let answer = visitor.try_sign_in(OWNER, PASSWORD, &next);
    assert_eq!(location(&answer), asked);
    let owner = visitor.with_header("cookie", &answer.session().unwrap());
    let page = owner.get(asked).expect(200);
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self' 'nonce-"),
        "{policy}"
    );
    // The address has no case, and blanks around it are nobody's.
    let answer = visitor.try_sign_in(" OLGA@Acme.example ", PASSWORD, "");
    assert!(answer.session().is_some());
}

#[test]
fn the_session_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let daybook = installation();
    let cookie = |daybook: &Daybook| {
        let server = daybook.serve();
        let answer = server.client().try_sign_in(OWNER, PASSWORD, "").expect(303);
        answer.header("set-cookie").to_owned()
    };
    let flags = |cookie: &str| -> Vec<String> {
        cookie
            .split(';')
            .skip(1)
            .map(|flag| flag.trim().to_ascii_lowercase())
            .collect()
    };
    let plain = cookie(&daybook);
    for flag in ["httponly", "samesite=lax", "path=/"] {
        assert!(flags(&plain).iter().any(|other| other == flag), "{plain}");
    }
    assert!(!flags(&plain).contains(&"secure".to_owned()), "{plain}");
    let daybook = daybook.variable("DAYBOOK_PUBLIC_URL", "https://audit.example.com");
    let secure = cookie(&daybook);
    assert!(flags(&secure).contains(&"secure".to_owned()), "{secure}");
}

#[test]
fn nobody_is_led_to_another_site() {
    let daybook = installation();
    let server = daybook.serve();
    for next in [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/%0d%0aset-cookie: a=b",
        "/\r\nset-cookie: a=b",
    ] {
        let answer = server.client().try_sign_in(OWNER, PASSWORD, next);
        let leads = location(&answer);
        let here = url::Url::parse(&format!("{}/login", server.client().base())).unwrap();
        assert_eq!(
            here.join(&leads).unwrap().origin(),
            here.origin(),
            "{next:?}: {leads}"
        );
        assert!(
            answer.headers.get_all("set-cookie").iter().count() == 1,
            "{next:?}"
        );
    }
}

#[test]
fn wrong_words_do_not_sign_in_and_tell_nothing() {
    let daybook = installation();
    let server = daybook.serve();
    let mut told = Vec::new();
    for (email, password) in [
        (OWNER, "wrong horse battery"),
        ("nobody@acme.example", PASSWORD),
        (OWNER, ""),
        ("", ""),
    ] {
        let answer = server
            .client()
            .try_sign_in(email, password, "/acme/growth/audit");
        assert!(answer.session().is_none(), "{email} {password}");
        assert!(answer.status < 500);
        told.push((answer.status, answer.header("location").to_owned()));
    }
    // Whether there is such an account does not show.
    assert_eq!(told[0], told[1]);
    let secret = daybook.token("acme/growth", &["events:read"]);
    let walk = server
        .client()
        .with_token(&secret)
        .walk("action=SIGN_IN_FAILED");
    assert!(!walk.events.is_empty());
    let log = format!("{:?}", walk.events);
    assert!(log.contains(OWNER) && !log.contains("nobody@") && !log.contains("wrong horse"));
}

#[test]
fn ten_failures_shut_the_door_for_an_account_and_for_an_address() {
    let daybook = installation()
        .user("kim@acme.example", "owner", "acme/growth")
        .variable("DAYBOOK_TRUSTED_PROXIES", "127.0.0.1");
    let server = daybook.serve();
    let from = |address: &str| server.client().with_header("x-forwarded-for", address);
    // From ten addresses at one account.
    for number in 0..10 {
        let answer = from(&format!("203.0.113.{number}")).try_sign_in(OWNER, "wrong-password", "");
        assert_ne!(answer.status, 429, "after {number} failures");
    }
    let answer = from("203.0.113.99")
        .try_sign_in(OWNER, PASSWORD, "")
        .expect(429);
    assert!(answer.header("retry-after").parse::<u32>().unwrap() <= 900);
    assert!(answer.session().is_none());
    // Others sign in.
    from("203.0.113.99").signed_in("kim@acme.example");
    // From one address at ten accounts.
    for number in 0..10 {
        let email = format!("{number}@acme.example");
        let answer = from("198.51.100.7").try_sign_in(&email, "wrong-password", "");
        assert_ne!(answer.status, 429, "after {number} failures");
    }
    from("198.51.100.7")
        .try_sign_in("kim@acme.example", PASSWORD, "")
        .expect(429);
    from("198.51.100.8").signed_in("kim@acme.example");
}

#[test]
fn signing_out_ends_the_session_on_the_server_too() {
    let daybook = installation();
    let server = daybook.serve();
    let owner = server.client().signed_in(OWNER);
    assert!(is_signed_in(&owner));
    let answer = owner.form("/logout", &[]);
    assert_eq!(location(&answer), "/login");
    assert!(answer.session().is_none() && !answer.header("set-cookie").is_empty());
    assert!(!is_signed_in(&owner));
    let secret = daybook.token("acme/growth", &["events:read"]);
    let reader = server.client().with_token(&secret);
    for action in ["SIGNED_IN", "SIGNED_OUT"] {
        let told = reader.walk(&format!("action={action}")).events;
        assert_eq!(told.len(), 1, "{action}");
        assert_eq!(told[0]["actor"]["email"], OWNER);
        assert_ne!(told[0]["actor"]["id"], OWNER);
        assert_eq!(told[0]["source"], "daybook");
    }
}

#[test]
fn a_session_outlives_a_restart_and_ends_with_its_user() {
    let daybook = installation().user("kim@acme.example", "owner", "acme/growth");
    let server = daybook.serve();
    let cookie = server
        .client()
        .try_sign_in(OWNER, PASSWORD, "")
        .session()
        .unwrap();
    server.kill();
    let server = daybook.serve();
    let owner = server.client().with_header("cookie", &cookie);
    assert!(is_signed_in(&owner));
    // At the next request, under the running server.
    daybook
        .run(&["user", "deactivate", "--email", OWNER])
        .succeeded();
    assert!(!is_signed_in(&owner));
    assert!(
        server
            .client()
            .try_sign_in(OWNER, PASSWORD, "")
            .session()
            .is_none()
    );
}

#[test]
fn a_new_password_ends_the_sessions_of_the_old_one() {
    let daybook = installation();
    let server = daybook.serve();
    let owner = server.client().signed_in(OWNER);
    assert!(is_signed_in(&owner));
    let line = ["user", "password", "--email", OWNER, "--password-stdin"];
    daybook.run_with(&line, NEW_PASSWORD).succeeded();
    assert!(!is_signed_in(&owner));
    assert!(
        server
            .client()
            .try_sign_in(OWNER, PASSWORD, "")
            .session()
            .is_none()
    );
    assert!(
        server
            .client()
            .try_sign_in(OWNER, NEW_PASSWORD, "")
            .session()
            .is_some()
    );
}

#[test]
fn a_form_from_another_site_changes_nothing() {
    let daybook = installation();
    let server = daybook.serve();
    let foreign = server
        .client()
        .with_header("origin", "https://evil.example");
    let answer = foreign.try_sign_in(OWNER, PASSWORD, "");
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.session().is_none());
    let owner = server.client().signed_in(OWNER);
    assert_eq!(
        owner
            .with_header("origin", "https://evil.example")
            .form("/logout", &[])
            .status,
        403
    );
    assert_eq!(
        owner
            .with_header("sec-fetch-site", "cross-site")
            .form("/logout", &[])
            .status,
        403
    );
    assert!(is_signed_in(&owner));
    let base = server.client().base().to_owned();
    assert_eq!(
        owner
            .with_header("origin", &base)
            .form("/logout", &[])
            .status,
        303
    );
}

#[test]
fn each_role_opens_its_pages_and_no_others() {
    let daybook = Daybook::acme().workspace("acme/revenue").tenant("globex");
    let roles = ["member", "auditor", "admin"];
    let mut daybook = roles.iter().fold(daybook, |daybook, role| {
        daybook.user(&format!("{role}@acme.example"), role, "acme/growth")
    });
    daybook = daybook
        .user(OWNER, "owner", "acme/growth")
        .user("tenant_admin@acme.example", "tenant_admin", "acme")
        .user("stranger@globex.example", "tenant_admin", "globex")
        .user("neighbour@acme.example", "owner", "acme/revenue");
    let secret = daybook.token("acme/growth", &["events:write"]);
    let server = daybook.serve();
    server
        .client()
        .with_token(&secret)
        .send(&with(
            event("SOMETHING_PRIVATE"),
            "related",
            json!([{"kind": "integration", "id": "int/1"}]),
        ))
        .expect(201);

    let audit = "/acme/growth/audit";
    let tab = "/acme/growth/objects/integration/int%2F1/audit";
    let guarded = "/acme/growth/objects/api_token/tok_9/audit";
    let settings = "/acme/growth/settings";
    for (who, audit_status, tab_status, guarded_status, settings_status) in [
        ("member@acme.example", 403, 200, 403, 403),
        ("auditor@acme.example", 200, 200, 200, 200),
        ("admin@acme.example", 200, 200, 200, 200),
        (OWNER, 200, 200, 200, 200),
        ("tenant_admin@acme.example", 200, 200, 200, 200),
        ("stranger@globex.example", 404, 404, 404, 404),
        ("neighbour@acme.example", 404, 404, 404, 404),
    ] {
        let client = server.client().signed_in(who);
        for (path, status) in [
            (audit, audit_status),
            (tab, tab_status),
            (guarded, guarded_status),
            (settings, settings_status),
        ] {
            let answer = client.get(path);
            assert_eq!(answer.status, status, "{who} {path}");
            let page = answer.text();
            let shows = page.contains("SOMETHING_PRIVATE");
            assert_eq!(
                shows,
                status == 200 && path != settings,
                "{who} {path}: {page}"
            );
            if status == 403 {
                // Polite, and names whom to ask.
                assert!(page.contains(">olga<"), "{page}");
                assert!(!page.contains("neighbour"), "{page}");
            }
            if status == 404 {
                assert!(!page.contains("olga"), "{page}");
            }
        }
    }
    // Who is nobody yet signs in first, wherever they want to go.
    for path in [audit, tab, guarded, settings, "/acme/nowhere/audit"] {
        assert!(
            location(&server.client().get(path)).starts_with("/login?next="),
            "{path}"
        );
    }
    // Nobody is told whether a workspace is there.
    let member = server.client().signed_in("member@acme.example");
    assert_eq!(member.get("/acme/nowhere/audit").status, 404);
    assert_eq!(member.get("/acme/revenue/audit").status, 404);
}

#[test]
fn a_role_that_ends_today_is_good_today() {
    let daybook = Daybook::acme();
    let today = harness::now().datetime().date_naive().to_string();
    let line = [
        "user",
        "create",
        "--email",
        "ruth@audit.example",
        "--name",
        "Ruth",
        "--role",
        "auditor",
        "--workspace",
        "acme/growth",
        "--password-stdin",
        "--until",
        &today,
    ];
    daybook.run_with(&line, PASSWORD).succeeded();
    let server = daybook.serve();
    server
        .client()
        .signed_in("ruth@audit.example")
        .get("/acme/growth/audit")
        .expect(200);
}

/// A person who changes settings as a browser without script does.
fn save(client: &Client, retention: (&str, &str), recording: &str) -> String {
    let (kind, number) = retention;
    let sure = match kind {
        "days" => format!("{number}d"),
        _ => String::new(),
    };
    let fields = [
        ("path", SETTINGS),
        ("retention", kind),
        (kind, number),
        ("recording", recording),
        // Should it be shorter, that is meant.
        ("sure", &sure),
    ];
    let form = client.with_header("accept", "text/html,*/*;q=0.8");
    location(&form.form("/ui/save_settings", &fields))
}

#[test]
fn owners_change_settings_and_others_do_not() {
    let daybook = ["member", "auditor", "admin"]
        .iter()
        .fold(installation(), |daybook, role| {
            daybook.user(&format!("{role}@acme.example"), role, "acme/growth")
        })
        .workspace("acme/revenue")
        .user("neighbour@acme.example", "owner", "acme/revenue");
    let shown = || {
        let line = ["settings", "show", "--workspace", "acme/growth"];
        daybook.run(&line).succeeded().out
    };
    let secret = daybook.token("acme/growth", &["events:read"]);
    let server = daybook.serve();
    let changes = || {
        let reader = server.client().with_token(&secret);
        let walk = reader.walk("category=settings&order=asc");
        walk.texts("/action")
            .into_iter()
            .filter(|action| action.starts_with("AUDIT_RE"))
            .collect::<Vec<_>>()
    };
    let as_it_was = shown();
    let owner = server.client().signed_in(OWNER);
    let page = owner.get(SETTINGS).expect(200).text();
    assert!(page.contains("action=\"/ui/save_settings\""), "{page}");
    assert!(page.contains("type=\"submit\"") && page.contains("value=\"90\""));

    // Who may look may not change, whatever their browser sends; who may not look neither.
    for (who, status) in [
        ("auditor@acme.example", 200),
        ("admin@acme.example", 200),
        ("member@acme.example", 403),
        ("neighbour@acme.example", 404),
    ] {
        let client = server.client().signed_in(who);
        let answer = client.get(SETTINGS).expect(status);
        let page = answer.text();
        assert_eq!(
            page.contains("value=\"90\""),
            status == 200,
            "{who}: {page}"
        );
        assert!(!page.contains(">Save changes<"), "{who}: {page}");
        let leads = save(&client, ("forever", ""), "off");
        assert!(!leads.contains("saved"), "{who}: {leads}");
        assert_eq!(client.get(&leads).status, status, "{who}: {leads}");
        assert_eq!(shown(), as_it_was, "{who}");
    }
    // Nor may another site in an owner's name, nor nobody.
    let foreign = owner.with_header("origin", "https://evil.example");
    let fields = [("path", SETTINGS), ("retention", "forever")];
    foreign.form("/ui/save_settings", &fields).expect(403);
    let leads = save(&server.client(), ("forever", ""), "off");
    assert!(!leads.contains("saved"), "{leads}");
    assert_eq!(shown(), as_it_was);
    assert!(changes().is_empty(), "{:?}", changes());

    // A longer retention holds at once.
    let leads = save(&owner, ("days", "180"), "on");
    assert!(leads.starts_with(&format!("{SETTINGS}?saved")), "{leads}");
    let page = owner.get(&leads).expect(200).text();
    assert!(page.contains("value=\"180\""), "{page}");
    assert!(
        shown().contains("180d") || shown().contains("180 days"),
        "{}",
        shown()
    );
    assert_eq!(changes(), ["AUDIT_RETENTION_UPDATED"]);
    // What was typed and is no retention stays in the form, and nothing changes.
    let leads = save(&owner, ("days", "0"), "off");
    let page = owner.get(&leads).expect(400).text();
    assert!(
        page.contains("role=\"alert\"") && page.contains("value=\"0\""),
        "{page}"
    );
    assert_eq!(changes().len(), 1);
    // The same again says nothing new.
    save(&owner, ("days", "180"), "on");
    assert_eq!(changes().len(), 1);

    // A shorter one waits, and is cancelled.
    let leads = save(&owner, ("days", "30"), "on");
    let page = owner.get(&leads).expect(200).text();
    assert!(page.contains("/ui/cancel_retention"), "{page}");
    assert!(page.contains("value=\"180\""), "{page}");
    let cancel = |client: &Client| {
        let form = client.with_header("accept", "text/html");
        location(&form.form("/ui/cancel_retention", &[("path", SETTINGS)]))
    };
    let auditor = server.client().signed_in("auditor@acme.example");
    let page = auditor.get(&cancel(&auditor)).expect(200).text();
    assert!(!page.contains("/ui/cancel_retention"), "{page}");
    assert_eq!(changes().len(), 2, "an auditor cancels nothing");
    let page = owner.get(&cancel(&owner)).expect(200).text();
    assert!(!page.contains("/ui/cancel_retention"), "{page}");
    assert_eq!(
        changes(),
        [
            "AUDIT_RETENTION_UPDATED",
            "AUDIT_RETENTION_UPDATED",
            "AUDIT_RETENTION_CANCELLED"
        ]
    );
    // Recording is switched off.
    save(&owner, ("days", "180"), "off");
    assert_eq!(changes().last().unwrap(), "AUDIT_RECORDING_UPDATED");
    let writer = daybook.token("acme/growth", &["events:write"]);
    let answer = server.client().with_token(&writer).send(&event("X"));
    assert_eq!(answer.expect(202).json()["discarded"], 1);
}

/// Somebody who says who may open objects, as a browser without script does.
fn open_objects_to(client: &Client, who: &str, guarded: &str) -> String {
    let fields = [
        ("path", SETTINGS),
        ("retention", "days"),
        ("days", "90"),
        ("recording", "on"),
        ("object_tabs", who),
        ("guarded", guarded),
    ];
    let form = client.with_header("accept", "text/html,*/*;q=0.8");
    location(&form.form("/ui/save_settings", &fields))
}

#[test]
fn owners_say_who_may_open_objects_and_it_holds_at_once() {
    let daybook = installation()
        .user("member@acme.example", "member", "acme/growth")
        .user("auditor@acme.example", "auditor", "acme/growth")
        .user("admin@acme.example", "admin", "acme/growth");
    let secret = daybook.token("acme/growth", &["events:read"]);
    let server = daybook.serve();
    let changes = || {
        let reader = server.client().with_token(&secret);
        let walk = reader.walk("action=AUDIT_OBJECT_ACCESS_UPDATED");
        walk.events.len()
    };
    let [member, auditor, admin, owner] = [
        "member@acme.example",
        "auditor@acme.example",
        "admin@acme.example",
        OWNER,
    ]
    .map(|who| server.client().signed_in(who));
    let tab = "/acme/growth/objects/integration/int_1/audit";
    let of_kind = |kind: &str| format!("/acme/growth/objects/{kind}/any/audit");
    let saved = |leads: &str| leads.starts_with(&format!("{SETTINGS}?saved"));

    // Owners see how many people each choice means; what is there already is no change.
    let page = owner.get(SETTINGS).expect(200).text();
    assert!(
        page.contains("4 people") && page.contains("3 people"),
        "{page}"
    );
    let kinds = "api_token invite secret user";
    assert!(page.contains(&format!("value=\"{kinds}\"")), "{page}");
    assert!(saved(&open_objects_to(&owner, "members", kinds)));
    assert!(saved(&open_objects_to(
        &owner,
        "members",
        "user,secret invite api_token"
    )));
    assert_eq!(changes(), 0);
    member.get(tab).expect(200);

    // To admins only.
    assert!(saved(&open_objects_to(&owner, "admins", kinds)));
    assert_eq!(changes(), 1);
    let page = member.get(tab).expect(403).text();
    assert!(
        page.contains(">olga<") && !page.contains("int_1<"),
        "{page}"
    );
    let objects = "href=\"/acme/growth/objects\"";
    assert!(!page.contains(objects), "nothing is open to them: {page}");
    for reader in [&auditor, &admin, &owner] {
        reader.get(tab).expect(200);
    }
    // What the browser asks for once it is live is refused alike.
    let ask = "/ui/log?search=&path=%2Facme%2Fgrowth%2Fobjects%2Fintegration%2Fint_1%2Faudit";
    let told = member.get(ask).text();
    assert!(told.contains("NoAccess"), "{told}");

    // To all, but not these kinds.
    assert!(saved(&open_objects_to(&owner, "members", "integration")));
    assert_eq!(changes(), 2);
    let page = member.get(tab).expect(403).text();
    assert!(page.contains(objects), "others are open to them: {page}");
    member.get(&of_kind("secret")).expect(200);

    // A list that is none is kept, with what a kind is, and changes nothing.
    let leads = open_objects_to(&owner, "admins", "user; secret");
    let page = owner.get(&leads).expect(400).text();
    assert!(page.contains("value=\"user; secret\""), "{page}");
    assert!(page.contains("1 to 64 of A-Z a-z 0-9 _ . : / -"), "{page}");
    assert_eq!(changes(), 2);
    member.get(&of_kind("secret")).expect(200);

    // Who only sees the settings does not change them.
    for client in [&auditor, &admin, &member] {
        let leads = open_objects_to(client, "admins", "");
        assert!(!leads.contains("saved"), "{leads}");
    }
    assert_eq!(changes(), 2);
    let page = auditor.get(SETTINGS).expect(200).text();
    assert!(page.contains("value=\"integration\""), "{page}");
}

#[test]
fn the_first_address_leads_to_the_workspace_last_looked_at() {
    let daybook = installation()
        .workspace("acme/revenue")
        .user(OWNER, "owner", "acme/revenue");
    let server = daybook.serve();
    let visitor = server.client();
    assert!(location(&visitor.get("/")).starts_with("/login"));
    let owner = visitor.signed_in(OWNER);
    owner.get("/acme/revenue/audit").expect(200);
    assert_eq!(location(&owner.get("/")), "/acme/revenue/audit");
    owner.get("/acme/growth/audit").expect(200);
    assert_eq!(location(&owner.get("/")), "/acme/growth/audit");
}

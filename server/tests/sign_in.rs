//! Signing in and out, and who may open which page.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Client, Daybook, PASSWORD};

const OWNER: &str = "olga@acme.example";
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
    owner.get(asked).expect(200);
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

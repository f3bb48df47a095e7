//! Members and invitations, over HTTP, as a browser without script sends the forms.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod harness;

use harness::{Answer, Client, Daybook, PASSWORD};

const OWNER: &str = "olga@acme.example";
const ADMIN: &str = "adam@acme.example";
const MEMBER: &str = "mia@acme.example";
const STRANGER: &str = "sven@acme.example";
const MEMBERS: &str = "/acme/growth/settings/members";

fn installation() -> Daybook {
    Daybook::acme()
        .workspace("acme/revenue")
        .user(OWNER, "owner", "acme/growth")
        .user(ADMIN, "admin", "acme/growth")
        .user("ruth@acme.example", "auditor", "acme/growth")
        .user(MEMBER, "member", "acme/growth")
        .user(STRANGER, "owner", "acme/revenue")
}

/// A browser without script: it says that it takes pages.
fn browser(client: &Client) -> Client {
    client.with_header("accept", "text/html")
}

#[track_caller]
fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

/// The public id of the member with this e-mail address.
fn member(manager: &Client, email: &str) -> String {
    let page = manager.get(&format!("{MEMBERS}?q={email}")).expect(200);
    let page = page.text();
    let (_, rest) = page.split_once("id=\"m-usr_").expect("a member is listed");
    let (id, _) = rest.split_once('"').unwrap();
    format!("usr_{id}")
}

/// Invites somebody, and gives the link as the next page shows it.
fn invite(manager: &Client, email: &str, role: &str) -> String {
    let fields = [("path", MEMBERS), ("email", email), ("role", role)];
    let answer = manager.form("/ui/invite_member", &fields);
    let cookie = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .find_map(|cookie| cookie.split(';').next())
        .expect("what is to be shown travels in a cookie")
        .to_owned();
    assert_eq!(location(&answer), format!("{MEMBERS}?done=1"));
    let page = manager.with_header("cookie", &cookie).get(MEMBERS).text();
    let (_, rest) = page.split_once("/invite?key=").expect("a link is shown");
    let key = rest.split(['<', '"']).next();
    format!("/invite?key={}", key.unwrap())
}

#[test]
fn members_are_for_admins_and_owners() {
    let daybook = installation();
    let server = daybook.serve();
    let client = browser(&server.client());
    for (email, status) in [
        (OWNER, 200),
        (ADMIN, 200),
        ("ruth@acme.example", 403),
        (MEMBER, 403),
        (STRANGER, 404),
    ] {
        let person = client.signed_in(email);
        assert_eq!(person.get(MEMBERS).status, status, "{email}");
        if status != 200 {
            let fields = [
                ("path", MEMBERS),
                ("email", "x@acme.example"),
                ("role", "member"),
            ];
            let sent = person.form("/ui/invite_member", &fields);
            assert_eq!(location(&sent), MEMBERS, "{email}");
        }
    }
    let page = client.signed_in(OWNER).get(MEMBERS).text();
    assert!(!page.contains("x@acme.example"), "nobody was invited");
    assert!(location(&client.get(MEMBERS)).starts_with("/login?"));
}

#[test]
fn an_invitation_makes_a_member_of_somebody_new() {
    let daybook = installation();
    let server = daybook.serve();
    let client = browser(&server.client());
    let link = invite(&client.signed_in(ADMIN), "nora@example.com", "auditor");
    let (_, key) = link.split_once("key=").unwrap();

    let page = client.get(&link).expect(200).text();
    assert!(
        page.contains("nora@example.com") && page.contains("auditor"),
        "{page}"
    );
    let accept = |name: &str, password: &str| {
        let fields = [("key", key), ("name", name), ("password", password)];
        client.form("/invite", &fields)
    };
    let again = location(&accept("Nora", "short"));
    let page = client.get(&again).expect(400).text();
    assert!(
        page.contains("8 to 512") && page.contains("value=\"Nora\""),
        "{page}"
    );
    let page = client
        .get(&location(&accept(" ", PASSWORD)))
        .expect(400)
        .text();
    assert!(page.contains("1 to 200"), "{page}");

    let answer = accept("Nora Vik", PASSWORD);
    assert_eq!(location(&answer), "/acme/growth/audit");
    let nora = client.with_header("cookie", &answer.session().unwrap());
    nora.get("/acme/growth/audit").expect(200);
    nora.get("/acme/revenue/audit").expect(404);

    client.get(&link).expect(404);
    let over = accept("Somebody else", PASSWORD);
    client.get(&location(&over)).expect(404);
}

#[test]
fn who_has_an_account_signs_in_to_accept() {
    let daybook = installation();
    let server = daybook.serve();
    let client = browser(&server.client());
    let link = invite(&client.signed_in(OWNER), STRANGER, "member");
    let (_, key) = link.split_once("key=").unwrap();

    let page = client.get(&link).expect(200).text();
    assert!(page.contains("/login?next=%2Finvite%3Fkey%3D"), "{page}");
    // Nobody takes the account over with the link.
    let fields = [("key", key), ("name", "Not Sven"), ("password", PASSWORD)];
    assert!(client.form("/invite", &fields).session().is_none());
    let page = client.signed_in(MEMBER).get(&link).expect(200).text();
    assert!(
        page.contains(MEMBER) && !page.contains("name=\"key\""),
        "{page}"
    );

    let sven = client.signed_in(STRANGER);
    sven.get("/acme/growth/me").expect(404);
    let page = sven.get(&link).expect(200).text();
    assert!(page.contains("name=\"key\""), "{page}");
    assert_eq!(
        location(&sven.form("/invite", &[("key", key)])),
        "/acme/growth/me"
    );
    sven.get("/acme/growth/audit").expect(403);
}

#[test]
fn a_deactivated_member_is_out_at_once_and_comes_back_when_reactivated() {
    let daybook = installation();
    let server = daybook.serve();
    let client = browser(&server.client());
    let admin = client.signed_in(ADMIN);
    let mia = client.signed_in(MEMBER);
    let id = member(&admin, MEMBER);
    let act = |act: &str| {
        let fields = [("path", MEMBERS), ("member", &*id), ("act", act)];
        location(&admin.form("/ui/change_member", &fields))
    };
    mia.get("/acme/growth/audit").expect(403);
    assert_eq!(act("deactivate"), format!("{MEMBERS}?done=1"));
    assert!(location(&mia.get("/acme/growth/audit")).starts_with("/login?"));
    let refused = client.try_sign_in(MEMBER, PASSWORD, "");
    assert!(refused.session().is_none());
    assert_eq!(act("reactivate"), format!("{MEMBERS}?done=1"));
    client
        .signed_in(MEMBER)
        .get("/acme/growth/audit")
        .expect(403);
}

#[test]
fn a_removed_member_is_out_at_once_and_sees_only_the_invitation_that_brings_them_back() {
    let daybook = installation();
    let server = daybook.serve();
    let client = browser(&server.client());
    let admin = client.signed_in(ADMIN);
    let mia = client.signed_in(MEMBER);
    let id = member(&admin, MEMBER);
    let act = |act: &str| {
        let fields = [("path", MEMBERS), ("member", &*id), ("act", act)];
        location(&admin.form("/ui/change_member", &fields))
    };
    let page = admin.get(&format!("{MEMBERS}?change={id}")).expect(200);
    assert!(page.text().contains("value=\"remove\""), "{}", page.text());
    assert_eq!(act("remove"), format!("{MEMBERS}?done=1"));
    assert!(location(&mia.get("/acme/growth/me")).starts_with("/login?"));
    assert!(client.try_sign_in(MEMBER, PASSWORD, "").session().is_none());
    let page = admin.get(MEMBERS).expect(200).text();
    assert!(!page.contains(MEMBER), "no longer listed");
    assert_eq!(
        act("reactivate"),
        format!("{MEMBERS}?fault=gone&change={id}")
    );

    let link = invite(&admin, MEMBER, "auditor");
    let mia = client.signed_in(MEMBER);
    let page = mia.get("/").expect(200).text();
    for words in [
        "No workspace yet",
        "to growth (acme)",
        "as auditor",
        "Open the link",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    for page in [
        "/acme/growth/me",
        "/acme/growth/audit",
        "/acme/growth/objects",
        "/acme/audit",
    ] {
        mia.get(page).expect(404);
    }
    let (_, key) = link.split_once("key=").unwrap();
    let joined = mia.form("/invite", &[("key", key)]);
    assert_eq!(location(&joined), "/acme/growth/audit");
    mia.get("/acme/growth/audit").expect(200);
}

#[test]
fn pages_of_settings_keep_the_zone_that_is_asked_for_and_remember_it() {
    let daybook = installation();
    let server = daybook.serve();
    let client = browser(&server.client());
    let owner = client.signed_in(OWNER);
    let home = || location(&owner.get("/"));
    let objects = "/acme/growth/objects";
    let overview = "/acme/growth/objects/user/usr_1";
    for path in [
        MEMBERS,
        "/acme/growth/settings/tokens",
        "/acme/growth/settings",
        "/acme/growth/settings/catalogue",
        "/acme/growth/settings/redaction",
        "/acme/growth/settings/personal-data",
        overview,
    ] {
        let page = owner.get(&format!("{path}?tz=Asia%2FTokyo")).expect(200);
        let page = page.text();
        assert!(page.contains(&format!("{path}?tz=UTC")), "{path}: {page}");
        let list = format!("href=\"{objects}?tz=Asia%2FTokyo\"");
        assert!(page.contains(&list), "{path} leads on in its zone: {page}");
        assert_eq!(home(), "/acme/growth/audit?tz=Asia%2FTokyo", "{path}");
        // One that was opened from elsewhere, or with a zone that is none, says nothing of zones.
        owner.get(path).expect(200);
        let page = owner.get(&format!("{path}?tz=Nowhere")).expect(200).text();
        assert!(page.contains("No such time zone") && page.contains("value=\"Nowhere\""));
        assert_eq!(home(), "/acme/growth/audit?tz=Asia%2FTokyo", "{path}");
        owner.get(&format!("{path}?tz=UTC")).expect(200);
        assert_eq!(home(), "/acme/growth/audit", "{path}");
    }
    let fields = [
        ("path", MEMBERS),
        ("tz", "Asia/Tokyo"),
        ("email", "x@acme.example"),
        ("role", "member"),
    ];
    let sent = owner.form("/ui/invite_member", &fields);
    assert_eq!(location(&sent), format!("{MEMBERS}?done=1&tz=Asia%2FTokyo"));
    let page = owner.get(&format!("{MEMBERS}?q=mia&page=1&tz=Asia%2FTokyo"));
    let page = page.text();
    assert!(page.contains("name=\"q\" value=\"mia\""), "{page}");
}

#[test]
fn what_cannot_be_done_is_said_and_what_was_typed_is_kept() {
    let daybook = installation();
    let server = daybook.serve();
    let client = browser(&server.client());
    let (owner, admin) = (client.signed_in(OWNER), client.signed_in(ADMIN));
    let sent = |person: &Client, form: &str, fields: &[(&str, &str)]| {
        let fields: Vec<_> = [("path", MEMBERS)].iter().chain(fields).copied().collect();
        let there = location(&person.form(&format!("/ui/{form}"), &fields));
        let (address, _) = there.split_once('#').unwrap_or((&there, ""));
        person.get(address).expect(400).text()
    };
    let wrong = [
        ("email", "nora at home"),
        ("role", "auditor"),
        ("last_day", "2031-01-01"),
    ];
    let page = sent(&owner, "invite_member", &wrong);
    for kept in [
        "Not an email address",
        "value=\"nora at home\"",
        "value=\"2031-01-01\"",
    ] {
        assert!(page.contains(kept), "{kept}");
    }
    let page = sent(
        &owner,
        "invite_member",
        &[("email", MEMBER), ("role", "admin")],
    );
    assert!(page.contains("a member already"));
    let page = sent(
        &owner,
        "invite_member",
        &[("email", "n@x.y"), ("role", "tenant_admin")],
    );
    assert!(page.contains("Choose one of these roles"));
    let page = sent(
        &admin,
        "invite_member",
        &[("email", "n@x.y"), ("role", "owner")],
    );
    assert!(page.contains("Only owners"));

    let olga = member(&owner, OWNER);
    let demoted = [("member", &*olga), ("act", "save"), ("role", "member")];
    assert!(sent(&owner, "change_member", &demoted).contains("last owner"));
    assert!(sent(&admin, "change_member", &demoted).contains("Only owners"));
    for act in ["deactivate", "remove"] {
        let gone = [("member", &*olga), ("act", act)];
        let oneself = sent(&owner, "change_member", &gone);
        assert!(
            oneself.contains("cannot deactivate or remove yourself"),
            "{act}"
        );
        let owners = sent(&admin, "change_member", &gone);
        assert!(owners.contains("Only owners"), "{act}");
    }
    let mia = member(&owner, MEMBER);
    let yesterday = [
        ("member", &*mia),
        ("act", "save"),
        ("role", "member"),
        ("last_day", "2020-01-01"),
    ];
    assert!(sent(&owner, "change_member", &yesterday).contains("over already"));
}

//! The tokens of a workspace, as those who manage them make, list and revoke them.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    question::Query,
    role::{Role, TokenScope},
    time::Timestamp,
};
use log::{BEGINNING, Log, event, object, operator, time, user};
use store::{
    access::{ManagementScope, Refused, SignedIn, TokenGrant},
    administration::{
        AdministrationError, By, NewPerson, NewToken, Place, Revocation, TokenListed, TokenPlace,
        TokenState, WantedToken,
    },
    recording::{Door, Redaction},
};

const GROWTH: &str = "acme/growth";
const REVENUE: &str = "acme/revenue";

/// Somebody new who is signed in.
async fn person(log: &Log, email: &str, place: Place) -> SignedIn {
    let new = NewPerson {
        email: email.into(),
        name: email.split('@').next().unwrap().into(),
        place,
        until: None,
    };
    let password = "correct horse";
    log.store
        .create_person(&new, password, &operator())
        .await
        .unwrap();
    let session = log
        .store
        .sign_in(email, password, None, None)
        .await
        .unwrap();
    let secret = session.secret;
    log.store.session(secret.reveal()).await.unwrap().unwrap()
}

/// What an owner of a workspace manages, and they themselves.
async fn manager(log: &Log, path: &str) -> (ManagementScope, By) {
    let email = format!("{}@acme.example", path.replace('/', "."));
    let place = Place::Workspace(path.parse().unwrap(), Role::Owner);
    let owner = person(log, &email, place).await;
    let scope = owner.management_scope(&path.parse().unwrap()).unwrap();
    (scope, By::person(&owner, None))
}

fn wanted(name: &str) -> WantedToken {
    WantedToken {
        name: name.into(),
        scopes: vec![TokenScope::EventsWrite, TokenScope::EventsRead],
        expires: None,
        oldest_seconds: None,
    }
}

async fn look_up(log: &Log, secret: &str) -> Option<TokenGrant> {
    log.store.token(secret).await.unwrap()
}

async fn listed(log: &Log, scope: &ManagementScope, id: &str) -> Option<TokenListed> {
    let page = log.store.tokens_of(scope, None).await.unwrap();
    page.tokens.into_iter().find(|token| token.id == id)
}

fn later(delta: TimeDelta) -> Timestamp {
    let beginning = time(BEGINNING).micros();
    Timestamp::from_micros(beginning + delta.num_microseconds().unwrap())
}

#[tokio::test]
async fn a_token_is_good_until_the_look_up_after_it_was_revoked() {
    let log = Log::new().await;
    let (scope, by) = manager(&log, GROWTH).await;
    let made = log
        .store
        .create_token_of(&scope, wanted(" ci "), &by)
        .await
        .unwrap();
    let grant = look_up(&log, made.secret.reveal()).await.unwrap();
    assert_eq!((&*grant.name, &grant.public_id), ("ci", &made.id));
    assert_eq!(grant.scopes, wanted("").scopes);
    let token = listed(&log, &scope, &made.id).await.unwrap();
    assert_eq!(token.created_by.as_deref(), Some("acme.growth"));
    assert_eq!(token.created_at, time(BEGINNING));
    assert_eq!(token.last_used, Some(time(BEGINNING)));
    assert_eq!(token.state(log.store.now()), TokenState::Good);

    log.clock.set(later(TimeDelta::minutes(5)));
    let done = log.store.revoke_token_of(&scope, &made.id, &by).await;
    assert_eq!(done.unwrap(), Revocation::Revoked);
    assert_eq!(look_up(&log, made.secret.reveal()).await, None);
    let token = listed(&log, &scope, &made.id).await.unwrap();
    assert_eq!(token.state(log.store.now()), TokenState::Revoked);
    assert_eq!(token.revoked_by.as_deref(), Some("acme.growth"));
    assert_eq!(token.revoked_at, Some(later(TimeDelta::minutes(5))));
    // Once more changes nothing, and says so.
    let again = log
        .store
        .revoke_token_of(&scope, &made.id, &operator())
        .await;
    assert_eq!(again.unwrap(), Revocation::Before);
    assert_eq!(listed(&log, &scope, &made.id).await, Some(token));

    // Each is told once, in the workspace's log, and the secret nowhere.
    let told = log
        .walk(&log.scope(GROWTH).await, &Query::default())
        .await
        .into_iter()
        .filter(|event| event.target.id.as_ref() == Some(&made.id))
        .collect::<Vec<_>>();
    let actions: Vec<_> = told.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["API_TOKEN_REVOKED", "API_TOKEN_CREATED"]);
    for event in &told {
        assert_eq!(event.actor.actor.name.as_deref(), Some("acme.growth"));
        assert_eq!(event.target.name.as_deref(), Some("ci"));
        let text = serde_json::to_string(event).unwrap();
        assert!(!text.contains(made.secret.reveal()), "{text}");
    }
}

#[tokio::test]
async fn a_token_of_elsewhere_is_neither_seen_nor_revoked() {
    let log = Log::new().await;
    let (growth, by) = manager(&log, GROWTH).await;
    let (revenue, of_revenue) = manager(&log, REVENUE).await;
    let theirs = log
        .store
        .create_token_of(&revenue, wanted("theirs"), &of_revenue)
        .await
        .unwrap();
    let tenants = NewToken {
        place: TokenPlace::Tenant("acme".parse().unwrap()),
        name: "whole tenant".into(),
        scopes: TokenScope::ALL.to_vec(),
        expires: None,
        oldest_seconds: None,
    };
    let of_tenant = log.store.create_token(&tenants, &operator()).await.unwrap();
    let id_of_tenant = look_up(&log, of_tenant.reveal()).await.unwrap().public_id;

    let page = log.store.tokens_of(&growth, None).await.unwrap();
    assert_eq!(page.tokens, []);
    // That the tenant's token writes here too is told.
    let [token] = &page.of_tenant[..] else {
        panic!("{page:?}");
    };
    assert_eq!((&*token.id, &*token.place), (&*id_of_tenant, "acme"));
    // Those of elsewhere are answered like those that never were.
    for id in [&*theirs.id, &*id_of_tenant, "tok_none", ""] {
        assert_eq!(log.store.token_of(&growth, id).await.unwrap(), None, "{id}");
        let refused = log.store.revoke_token_of(&growth, id, &by).await;
        let Err(AdministrationError::Missing(what)) = refused else {
            panic!("{id}: {refused:?}");
        };
        assert_eq!(what, format!("token {id}"));
        let after = log.store.tokens_of(&growth, Some(id)).await.unwrap();
        assert_eq!(after, page, "{id}");
    }
    assert!(look_up(&log, theirs.secret.reveal()).await.is_some());
    assert!(look_up(&log, of_tenant.reveal()).await.is_some());
    // Also where it was revoked before, which would be a hint.
    let gone = log
        .store
        .revoke_token_of(&revenue, &theirs.id, &of_revenue)
        .await;
    assert_eq!(gone.unwrap(), Revocation::Revoked);
    let refused = log.store.revoke_token_of(&growth, &theirs.id, &by).await;
    assert!(matches!(refused, Err(AdministrationError::Missing(_))));
    // Of the tenant's, those that are good for nothing are left out.
    log.store
        .revoke_token(&id_of_tenant, &operator())
        .await
        .unwrap();
    let page = log.store.tokens_of(&growth, None).await.unwrap();
    assert_eq!(page.of_tenant, []);
}

#[tokio::test]
async fn a_token_ends_by_itself_and_sends_nothing_older_than_it_may() {
    let log = Log::new().await;
    let (scope, by) = manager(&log, GROWTH).await;
    let ends = later(TimeDelta::days(2));
    let wanted = WantedToken {
        expires: Some(ends),
        oldest_seconds: Some(86_400),
        ..wanted("short")
    };
    let made = log
        .store
        .create_token_of(&scope, wanted.clone(), &by)
        .await
        .unwrap();
    let token = listed(&log, &scope, &made.id).await.unwrap();
    assert_eq!(token.expires, Some(ends));
    assert_eq!(token.oldest_seconds, Some(86_400));
    let grant = look_up(&log, made.secret.reveal()).await.unwrap();
    let door = Door::token(&grant, Redaction::On).unwrap();
    let at = |text: &str| {
        let on = object("secret", "sec_1", "SALESFORCE");
        event(user("usr_1", "Alex Kim"), "secret:rotate", on, text)
    };
    assert!(log.store.admit(&door, at("2026-05-11T09:00:00Z")).is_ok());
    let faults = log
        .store
        .admit(&door, at("2026-05-11T08:59:59Z"))
        .err()
        .unwrap();
    let [fault] = &faults[..] else {
        panic!("{faults:?}");
    };
    assert_eq!(fault.field, "occurred_at");
    assert!(fault.reason.contains("token may send"), "{}", fault.reason);

    log.clock.set(later(TimeDelta::days(2)));
    assert_eq!(look_up(&log, made.secret.reveal()).await, None);
    let token = listed(&log, &scope, &made.id).await.unwrap();
    assert_eq!(token.state(log.store.now()), TokenState::Expired);
    // And one that is over before it begins is not made.
    let refused = log.store.create_token_of(&scope, wanted, &by).await;
    assert!(matches!(refused, Err(AdministrationError::Invalid(_))));
}

#[tokio::test]
async fn what_is_good_for_nothing_is_not_made() {
    let log = Log::new().await;
    let (scope, by) = manager(&log, GROWTH).await;
    let nothing = WantedToken {
        scopes: Vec::new(),
        ..wanted("ci")
    };
    for refused in [
        nothing,
        wanted(" "),
        wanted(&"x".repeat(201)),
        wanted("a\nb"),
    ] {
        let answer = log
            .store
            .create_token_of(&scope, refused.clone(), &by)
            .await;
        assert!(
            matches!(answer, Err(AdministrationError::Invalid(_))),
            "{refused:?}: {answer:?}"
        );
    }
    let page = log.store.tokens_of(&scope, None).await.unwrap();
    assert_eq!(page.tokens, []);
}

#[tokio::test]
async fn the_newest_come_first_the_revoked_last_and_each_on_one_page() {
    let log = Log::new().await;
    let (scope, by) = manager(&log, GROWTH).await;
    let mut made = Vec::new();
    for number in 0..120 {
        let wanted = wanted(&format!("number {number}"));
        let token = log.store.create_token_of(&scope, wanted, &by).await;
        made.push(token.unwrap().id);
    }
    let (mut good, mut revoked) = (Vec::new(), Vec::new());
    for (number, id) in made.into_iter().enumerate().rev() {
        if number % 3 == 0 {
            log.store.revoke_token_of(&scope, &id, &by).await.unwrap();
            revoked.push(id);
        } else {
            good.push(id);
        }
    }
    let expected = [good, revoked].concat();
    let (mut seen, mut pages) = (Vec::<String>::new(), Vec::new());
    loop {
        let after = seen.last().map(String::as_str);
        let page = log.store.tokens_of(&scope, after).await.unwrap();
        pages.push(page.tokens.len());
        seen.extend(page.tokens.into_iter().map(|token| token.id));
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, expected);
    assert_eq!(pages, [50, 50, 20]);
}

#[tokio::test]
async fn admins_owners_and_tenant_admins_manage_and_nobody_else() {
    let log = Log::new().await;
    let path = GROWTH.parse().unwrap();
    for (name, role, may) in [
        ("member", Role::Member, false),
        ("auditor", Role::Auditor, false),
        ("admin", Role::Admin, true),
        ("owner", Role::Owner, true),
    ] {
        let place = Place::Workspace(GROWTH.parse().unwrap(), role);
        let person = person(&log, &format!("{name}@acme.example"), place).await;
        match person.management_scope(&path) {
            Ok(scope) => {
                assert!(may, "{name}");
                assert_eq!(
                    (scope.workspace().path(), scope.role()),
                    (path.clone(), role)
                );
            }
            Err(refused) => {
                assert!(!may, "{name}");
                assert!(matches!(refused, Refused::NoAccess { .. }), "{name}");
            }
        }
        let elsewhere = person.management_scope(&REVENUE.parse().unwrap());
        assert_eq!(elsewhere, Err(Refused::NotFound), "{name}");
    }
    let admin = person(
        &log,
        "tenant@acme.example",
        Place::Tenant("acme".parse().unwrap()),
    )
    .await;
    for path in [GROWTH, REVENUE] {
        let scope = admin.management_scope(&path.parse().unwrap()).unwrap();
        assert_eq!(scope.role(), Role::TenantAdmin);
    }
}

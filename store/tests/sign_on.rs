//! Signing in at a provider: whose account it is, and memberships that follow groups.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    event::{Event, Outcome, Source},
    role::Role,
};
use log::{Log, PASSWORD, limit, operator};
use store::{
    access::{ManagementScope, NewSession, SignedIn},
    administration::{By, Place},
    clock::Clock,
    members::NewInvite,
    people::SignInError,
    sign_on::{Email, GroupRoles, Identity, SignOnError, SignOnRefusal},
};

const GROWTH: &str = "acme/growth";
const REVENUE: &str = "acme/revenue";
const ISSUER: &str = "https://id.example.com";
const KIM: &str = "kim@acme.example";

/// Kim, as the provider knows them.
fn kim() -> Identity {
    Identity {
        issuer: ISSUER.into(),
        subject: "248289761001".into(),
        email: Email::Verified(KIM.into()),
        name: Some("Kim Berg".into()),
        groups: [].into(),
    }
}

fn in_groups(groups: &[&str]) -> Identity {
    Identity {
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        ..kim()
    }
}

fn roles(text: &str) -> GroupRoles {
    text.parse().unwrap()
}

async fn try_sign_on(
    log: &Log,
    identity: &Identity,
    given: &str,
) -> Result<NewSession, SignOnError> {
    log.store.sign_on(identity, &roles(given), None, None).await
}

async fn who(log: &Log, session: &NewSession) -> Option<SignedIn> {
    log.store.session(session.secret.reveal()).await.unwrap()
}

async fn sign_on(log: &Log, identity: &Identity, given: &str) -> SignedIn {
    let session = try_sign_on(log, identity, given).await.unwrap();
    who(log, &session).await.unwrap()
}

async fn refused(log: &Log, identity: &Identity, given: &str) -> SignOnRefusal {
    match try_sign_on(log, identity, given).await {
        Err(SignOnError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn role(person: &SignedIn, workspace: &str) -> Option<Role> {
    let found = person.membership(&workspace.parse().unwrap());
    found.ok().map(|membership| membership.role)
}

/// What Daybook told of itself in a workspace, the newest first: only this action.
async fn told(log: &Log, workspace: &str, action: &str) -> Vec<Event> {
    let scope = log.scope(workspace).await;
    let mut events = log.walk(&scope, &limit(500)).await;
    events.retain(|event| event.source == Some(Source::Daybook) && event.action.as_str() == action);
    events
}

async fn newest(log: &Log, workspace: &str, action: &str) -> Event {
    let events = told(log, workspace, action).await;
    events.into_iter().next().unwrap()
}

fn group(event: &Event) -> &str {
    event.metadata.as_ref().unwrap()["group"].as_str().unwrap()
}

/// An owner of growth, who manages it.
async fn managed(log: &Log) -> (SignedIn, ManagementScope) {
    let owner = log.owner(GROWTH).await;
    let scope = owner.management_scope(&GROWTH.parse().unwrap()).unwrap();
    (owner, scope)
}

#[tokio::test]
async fn who_is_new_becomes_what_everybody_is() {
    let log = Log::new().await;
    let given = "*=acme/growth:auditor";
    let person = sign_on(&log, &kim(), given).await;
    assert_eq!(person.name, "Kim Berg");
    assert_eq!(person.email, KIM);
    assert_eq!(role(&person, GROWTH), Some(Role::Auditor));
    assert_eq!(role(&person, REVENUE), None);

    let defaulted = newest(&log, GROWTH, "MEMBERSHIP_DEFAULTED").await;
    assert_eq!(defaulted.after.unwrap()["role"], "auditor");
    assert_eq!(
        defaulted.target.id.as_deref(),
        Some(person.public_id.as_str())
    );
    let signed_in = newest(&log, GROWTH, "SIGNED_IN").await;
    assert_eq!(
        signed_in.actor.actor.id.as_deref(),
        Some(person.public_id.as_str())
    );
    assert_eq!(signed_in.metadata.unwrap()["method"], "oidc");
    assert_eq!(
        signed_in.before.unwrap()["identity"],
        serde_json::Value::Null
    );
    assert_eq!(
        signed_in.after.unwrap()["identity"]["subject"],
        "248289761001"
    );

    // Once: the second time they only sign in.
    let again = sign_on(&log, &kim(), given).await;
    assert_eq!(again.public_id, person.public_id);
    assert_eq!(told(&log, GROWTH, "MEMBERSHIP_DEFAULTED").await.len(), 1);
    let signed_in = told(&log, GROWTH, "SIGNED_IN").await;
    assert_eq!(signed_in.len(), 2);
    assert_eq!(signed_in[0].after, None);

    // They have no password here, whichever is tried.
    for password in ["", PASSWORD] {
        let tried = log.store.sign_in(KIM, password, None, None).await;
        assert!(matches!(tried, Err(SignInError::Wrong)), "{tried:?}");
    }
}

#[tokio::test]
async fn with_several_workspaces_and_no_default_who_is_new_needs_a_group() {
    let log = Log::new().await;
    let given = "ops=acme/growth:admin";
    assert_eq!(refused(&log, &kim(), given).await, SignOnRefusal::NoRole);
    assert_eq!(refused(&log, &kim(), "").await, SignOnRefusal::NoRole);
    // Nothing is left of them: as soon as a group says so, they are new.
    let person = sign_on(&log, &in_groups(&["ops"]), given).await;
    assert_eq!(role(&person, GROWTH), Some(Role::Admin));
    let added = newest(&log, GROWTH, "MEMBER_ADDED").await;
    assert_eq!(group(&added), "ops");
    assert_eq!(added.after.unwrap()["role"], "admin");
}

#[tokio::test]
async fn the_only_workspace_takes_who_is_new_as_a_member() {
    let log = Log::new().await;
    // A log of its own with one workspace: the tests' has two.
    let folder = log::Folder::new();
    let clock = log.clock.clone();
    let store = store::Store::open(Log::options(&folder, &clock))
        .await
        .unwrap();
    let log = Log {
        store,
        clock,
        folder,
    };
    let by = operator();
    let tenant = "acme".parse().unwrap();
    log.store.create_tenant(&tenant, "Acme", &by).await.unwrap();
    let growth = GROWTH.parse().unwrap();
    log.store
        .create_workspace(&growth, "Growth", &by)
        .await
        .unwrap();

    let person = sign_on(&log, &kim(), "ops=acme/growth:admin").await;
    assert_eq!(role(&person, GROWTH), Some(Role::Member));
    assert_eq!(told(&log, GROWTH, "MEMBERSHIP_DEFAULTED").await.len(), 1);

    // A second workspace takes nothing from anybody.
    let revenue = REVENUE.parse().unwrap();
    log.store
        .create_workspace(&revenue, "Revenue", &by)
        .await
        .unwrap();
    let person = sign_on(&log, &kim(), "ops=acme/growth:admin").await;
    assert_eq!(role(&person, GROWTH), Some(Role::Member));
    // A group raises the default, and what is left without the group is the default.
    let person = sign_on(&log, &in_groups(&["ops"]), "ops=acme/growth:admin").await;
    assert_eq!(role(&person, GROWTH), Some(Role::Admin));
    let person = sign_on(&log, &kim(), "ops=acme/growth:admin").await;
    assert_eq!(role(&person, GROWTH), Some(Role::Member));
    let updated = told(&log, GROWTH, "MEMBER_ROLE_UPDATED").await;
    let roles = |event: &Event| {
        let role = |state: &Option<domain::event::Object>| {
            state.as_ref().unwrap()["role"].as_str().unwrap().to_owned()
        };
        (role(&event.before), role(&event.after))
    };
    assert_eq!(roles(&updated[1]), ("member".into(), "admin".into()));
    assert_eq!(roles(&updated[0]), ("admin".into(), "member".into()));
    assert!(updated.iter().all(|event| group(event) == "ops"));
}

#[tokio::test]
async fn a_known_address_binds_only_where_it_is_verified() {
    let log = Log::new().await;
    let place = Place::Workspace(GROWTH.parse().unwrap(), Role::Owner);
    let known = log.named("Kim", KIM, place).await;
    let unverified = Identity {
        email: Email::Unverified("Kim@Acme.example".into()),
        ..kim()
    };
    assert_eq!(
        refused(&log, &unverified, "").await,
        SignOnRefusal::Unverified
    );
    let failed = newest(&log, GROWTH, "SIGN_IN_FAILED").await;
    assert_eq!(failed.outcome, Outcome::Failure);
    assert_eq!(failed.metadata.unwrap()["reason"], "email_not_verified");
    let none = Identity {
        email: Email::None,
        ..kim()
    };
    assert_eq!(refused(&log, &none, "").await, SignOnRefusal::NoEmail);

    let person = sign_on(&log, &kim(), "").await;
    assert_eq!(person.public_id, known.public_id);
    assert_eq!(role(&person, GROWTH), Some(Role::Owner));
    // Once it is bound, the subject alone says who it is.
    for email in [Email::None, Email::Unverified("other@acme.example".into())] {
        let person = sign_on(&log, &Identity { email, ..kim() }, "").await;
        assert_eq!(person.public_id, known.public_id);
        assert_eq!(person.email, KIM);
    }
    // They keep their password.
    log.signed_in(KIM).await;
}

#[tokio::test]
async fn who_has_the_address_of_somebody_bound_does_not_get_their_account() {
    let log = Log::new().await;
    let given = "*=acme/growth:member";
    let person = sign_on(&log, &kim(), given).await;
    let another = Identity {
        subject: "another".into(),
        ..kim()
    };
    assert_eq!(
        refused(&log, &another, given).await,
        SignOnRefusal::AnotherIdentity
    );
    let failed = newest(&log, GROWTH, "SIGN_IN_FAILED").await;
    assert_eq!(failed.metadata.unwrap()["reason"], "another_identity");
    // Unless the operator says that it is theirs now.
    log.store.unbind_person(KIM, &operator()).await.unwrap();
    let updated = newest(&log, GROWTH, "USER_UPDATED").await;
    assert_eq!(
        updated.before.unwrap()["identity"]["subject"],
        "248289761001"
    );
    let rebound = sign_on(&log, &another, given).await;
    assert_eq!(rebound.public_id, person.public_id);
    let again = log
        .store
        .unbind_person("nobody@acme.example", &operator())
        .await;
    assert!(again.is_err());
    // A subject means something at its issuer only.
    let elsewhere = Identity {
        issuer: "https://other.example.com".into(),
        email: Email::Verified("else@acme.example".into()),
        ..kim()
    };
    let other = sign_on(&log, &elsewhere, given).await;
    assert_ne!(other.public_id, person.public_id);
}

#[tokio::test]
async fn name_and_address_follow_the_provider_where_they_are_free() {
    let log = Log::new().await;
    let given = "*=acme/growth:auditor";
    let person = sign_on(&log, &kim(), given).await;
    let renamed = Identity {
        name: Some("Kim Vik".into()),
        email: Email::Verified("Kim.Vik@acme.example".into()),
        ..kim()
    };
    let person_again = sign_on(&log, &renamed, given).await;
    assert_eq!(person_again.public_id, person.public_id);
    assert_eq!(person_again.name, "Kim Vik");
    assert_eq!(person_again.email, "kim.vik@acme.example");
    let updated = newest(&log, GROWTH, "USER_UPDATED").await;
    assert_eq!(updated.before.unwrap()["email"], KIM);
    assert_eq!(updated.after.unwrap()["name"], "Kim Vik");

    // The address of somebody else stays theirs, and one that is not verified is nobody's.
    let owner = log.owner(GROWTH).await;
    for email in [
        Email::Verified(owner.email.clone()),
        Email::Unverified("free@acme.example".into()),
    ] {
        let taken = Identity {
            email,
            ..renamed.clone()
        };
        let person = sign_on(&log, &taken, given).await;
        assert_eq!(person.email, "kim.vik@acme.example");
    }
    // What can be no name is none.
    let nameless = Identity {
        name: Some(" \u{7} ".into()),
        ..renamed
    };
    assert_eq!(sign_on(&log, &nameless, given).await.name, "Kim Vik");
    assert_eq!(told(&log, GROWTH, "USER_UPDATED").await.len(), 1);
}

#[tokio::test]
async fn who_is_deactivated_does_not_come_in_this_way_either() {
    let log = Log::new().await;
    let (owner, scope) = managed(&log).await;
    let given = "*=acme/growth:member,ops=acme/growth:admin";
    let person = sign_on(&log, &kim(), given).await;
    log.store
        .deactivate_member(&scope, &owner, &person.public_id, &By::person(&owner, None))
        .await
        .unwrap();
    for identity in [kim(), in_groups(&["ops"])] {
        let refusal = refused(&log, &identity, given).await;
        assert_eq!(refusal, SignOnRefusal::Deactivated);
    }
    let failed = newest(&log, GROWTH, "SIGN_IN_FAILED").await;
    assert_eq!(failed.metadata.unwrap()["reason"], "deactivated");

    log.store
        .reactivate_member(&scope, &person.public_id, &By::person(&owner, None))
        .await
        .unwrap();
    sign_on(&log, &kim(), given).await;
    log.store.deactivate_person(KIM, &operator()).await.unwrap();
    let refusal = refused(&log, &in_groups(&["ops"]), given).await;
    assert_eq!(refusal, SignOnRefusal::Deactivated);
    assert_eq!(told(&log, GROWTH, "MEMBER_REACTIVATED").await.len(), 1);
}

#[tokio::test]
async fn what_groups_gave_follows_them() {
    let log = Log::new().await;
    let given = "ops=acme/growth:admin,all=acme/growth:auditor,money=acme/revenue:member";
    // The highest counts.
    let person = sign_on(&log, &in_groups(&["all", "ops", "money", "choir"]), given).await;
    assert_eq!(role(&person, GROWTH), Some(Role::Admin));
    assert_eq!(role(&person, REVENUE), Some(Role::Member));

    let person = sign_on(&log, &in_groups(&["all", "money"]), given).await;
    assert_eq!(role(&person, GROWTH), Some(Role::Auditor));
    let updated = newest(&log, GROWTH, "MEMBER_ROLE_UPDATED").await;
    assert_eq!(updated.before.as_ref().unwrap()["role"], "admin");
    assert_eq!(updated.after.as_ref().unwrap()["role"], "auditor");
    assert_eq!(group(&updated), "ops");

    // What is gone ends what is open.
    let open = try_sign_on(&log, &in_groups(&["all", "money"]), given)
        .await
        .unwrap();
    let person = sign_on(&log, &in_groups(&["money"]), given).await;
    assert_eq!(role(&person, GROWTH), None);
    assert_eq!(role(&person, REVENUE), Some(Role::Member));
    assert!(who(&log, &open).await.is_none());
    let deactivated = newest(&log, GROWTH, "MEMBER_DEACTIVATED").await;
    assert_eq!(group(&deactivated), "all");

    // Without any, they do not come in; and it is told once.
    for _ in 0..2 {
        assert_eq!(
            refused(&log, &kim(), given).await,
            SignOnRefusal::Deactivated
        );
    }
    assert_eq!(told(&log, REVENUE, "MEMBER_DEACTIVATED").await.len(), 1);

    let person = sign_on(&log, &in_groups(&["ops"]), given).await;
    assert_eq!(role(&person, GROWTH), Some(Role::Admin));
    assert_eq!(role(&person, REVENUE), None);
    let reactivated = newest(&log, GROWTH, "MEMBER_REACTIVATED").await;
    assert_eq!(group(&reactivated), "ops");
}

#[tokio::test]
async fn what_was_given_by_hand_is_raised_by_groups_and_never_lowered_or_taken() {
    let log = Log::new().await;
    let place = Place::Workspace(GROWTH.parse().unwrap(), Role::Auditor);
    log.named("Kim Berg", KIM, place).await;
    let given = "ops=acme/growth:admin,all=acme/growth:member";
    for (groups, expected) in [
        (&[][..], Role::Auditor),
        (&["all"], Role::Auditor),
        (&["ops"], Role::Admin),
        (&["all"], Role::Auditor),
        (&[], Role::Auditor),
    ] {
        let person = sign_on(&log, &in_groups(groups), given).await;
        assert_eq!(role(&person, GROWTH), Some(expected), "{groups:?}");
    }
    assert_eq!(told(&log, GROWTH, "MEMBER_ROLE_UPDATED").await.len(), 2);
    assert_eq!(told(&log, GROWTH, "MEMBER_DEACTIVATED").await, []);
}

#[tokio::test]
async fn what_an_admin_changed_stays_as_it_was_left() {
    let log = Log::new().await;
    let (owner, scope) = managed(&log).await;
    let by = By::person(&owner, None);
    let given = "ops=acme/growth:admin";
    let ops = in_groups(&["ops"]);
    let person = sign_on(&log, &ops, given).await;
    let change = async |role, last_day| {
        log.store
            .change_member(&scope, &person.public_id, role, last_day, &by)
            .await
            .unwrap();
    };
    // Also where it is changed to what it was.
    change(Role::Auditor, None).await;
    let person = sign_on(&log, &ops, given).await;
    assert_eq!(role(&person, GROWTH), Some(Role::Auditor));
    change(Role::Admin, None).await;
    let person = sign_on(&log, &kim(), given).await;
    assert_eq!(role(&person, GROWTH), Some(Role::Admin));
    // A last day holds, whatever groups say.
    let today = log.clock.now().datetime().date_naive();
    change(Role::Admin, Some(today)).await;
    log.clock.set(log.clock.now().plus(TimeDelta::days(1)));
    let person = sign_on(&log, &ops, given).await;
    assert_eq!(role(&person, GROWTH), None);
}

#[tokio::test]
async fn the_last_owner_stays_whatever_groups_say() {
    let log = Log::new().await;
    let given = "boss=acme/growth:owner,all=acme/growth:member";
    sign_on(&log, &in_groups(&["boss"]), given).await;
    for groups in [&[][..], &["all"]] {
        let person = sign_on(&log, &in_groups(groups), given).await;
        assert_eq!(role(&person, GROWTH), Some(Role::Owner), "{groups:?}");
    }
    // As soon as there is another, they follow.
    log.owner(GROWTH).await;
    let person = sign_on(&log, &in_groups(&["all"]), given).await;
    assert_eq!(role(&person, GROWTH), Some(Role::Member));
}

#[tokio::test]
async fn a_tenants_admin_is_given_nothing_that_they_have() {
    let log = Log::new().await;
    log.named("Kim Berg", KIM, Place::Tenant("acme".parse().unwrap()))
        .await;
    let given = "*=acme/growth:member,ops=acme/revenue:auditor";
    let person = sign_on(&log, &in_groups(&["ops"]), given).await;
    assert_eq!(role(&person, GROWTH), Some(Role::TenantAdmin));
    assert_eq!(told(&log, GROWTH, "MEMBERSHIP_DEFAULTED").await, []);
    assert_eq!(told(&log, REVENUE, "MEMBER_ADDED").await, []);
}

#[tokio::test]
async fn an_invitation_is_accepted_on_the_way_by_whose_it_is() {
    let log = Log::new().await;
    let (owner, scope) = managed(&log).await;
    let invite = NewInvite {
        email: KIM.into(),
        role: Role::Admin,
        last_day: None,
    };
    let secret = log
        .store
        .invite(&scope, &invite, &By::person(&owner, None))
        .await
        .unwrap();
    // Without its link nobody is let in by it, and the default does not stand in its way.
    let given = "*=acme/growth:member";
    assert_eq!(refused(&log, &kim(), "").await, SignOnRefusal::Invited);
    assert_eq!(refused(&log, &kim(), given).await, SignOnRefusal::Invited);
    // Nor with it, for who is somebody else.
    let other = Identity {
        subject: "other".into(),
        email: Email::Verified("other@acme.example".into()),
        ..kim()
    };
    let with = async |identity: &Identity| {
        let key = Some(secret.reveal());
        log.store.sign_on(identity, &roles(""), key, None).await
    };
    let tried = with(&other).await;
    assert!(
        matches!(tried, Err(SignOnError::Refused(SignOnRefusal::NoRole))),
        "{tried:?}"
    );
    let session = with(&kim()).await.unwrap();
    let person = who(&log, &session).await.unwrap();
    assert_eq!(role(&person, GROWTH), Some(Role::Admin));
    assert_eq!(told(&log, GROWTH, "INVITE_ACCEPTED").await.len(), 1);
    assert_eq!(told(&log, GROWTH, "MEMBERSHIP_DEFAULTED").await, []);
    assert_eq!(log.store.invitation(secret.reveal()).await.unwrap(), None);
    // The default does not lower it later.
    let person = sign_on(&log, &kim(), given).await;
    assert_eq!(role(&person, GROWTH), Some(Role::Admin));
}

#[tokio::test]
async fn what_a_browser_keeps_on_the_way_is_good_for_ten_minutes() {
    let log = Log::new().await;
    let sealed = log.store.seal_sign_on("verifier").unwrap();
    assert!(!sealed.contains("verifier"));
    let begun = log.clock.now();
    let almost = begun.plus(TimeDelta::minutes(10) - TimeDelta::microseconds(1));
    log.clock.set(almost);
    assert_eq!(log.store.open_sign_on(&sealed).as_deref(), Some("verifier"));
    assert_eq!(log.store.open_sign_on(&sealed[1..]), None);
    // What was sealed for somebody is not for this.
    let owner = log.owner(GROWTH).await;
    let revealed = log.store.seal_for(&owner, "verifier").unwrap();
    assert_eq!(log.store.open_sign_on(&revealed), None);
    log.clock.set(begun.plus(TimeDelta::minutes(10)));
    assert_eq!(log.store.open_sign_on(&sealed), None);
}

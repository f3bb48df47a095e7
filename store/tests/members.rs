//! Members of a workspace: invited, given roles, deactivated and taken back by those who manage them.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    event::{Event, Source},
    role::Role,
};
use log::{Log, PASSWORD, event, limit, object, time, user};
use store::{
    access::{ManagementScope, Refused, SignedIn},
    administration::{By, Place},
    clock::Clock,
    members::{InviteListed, MemberError, MemberState, NewInvite},
    people::SignInError,
};

const GROWTH: &str = "acme/growth";
const REVENUE: &str = "acme/revenue";

fn place(workspace: &str, role: Role) -> Place {
    Place::Workspace(workspace.parse().unwrap(), role)
}

fn manages(person: &SignedIn, workspace: &str) -> ManagementScope {
    person
        .management_scope(&workspace.parse().unwrap())
        .unwrap()
}

fn by(person: &SignedIn) -> By {
    By::person(person, None)
}

fn invite(email: &str, role: Role) -> NewInvite {
    NewInvite {
        email: email.into(),
        role,
        last_day: None,
    }
}

/// What Daybook told of itself in a workspace, the newest first.
async fn told(log: &Log, workspace: &str) -> Vec<Event> {
    let scope = log.scope(workspace).await;
    let mut events = log.walk(&scope, &limit(500)).await;
    events.retain(|event| event.source == Some(Source::Daybook));
    events
}

async fn newest(log: &Log, workspace: &str, action: &str) -> Event {
    let events = told(log, workspace).await;
    let mut named = events
        .into_iter()
        .filter(|event| event.action.as_str() == action);
    named.next().unwrap()
}

/// An owner of growth, and the log.
async fn owned() -> (Log, SignedIn) {
    let log = Log::new().await;
    let owner = log.owner(GROWTH).await;
    (log, owner)
}

#[tokio::test]
async fn who_is_invited_becomes_a_member_by_a_link_that_is_good_once() {
    let (log, owner) = owned().await;
    let scope = manages(&owner, GROWTH);
    let secret = log
        .store
        .invite(
            &scope,
            &invite(" Kim@Acme.example ", Role::Auditor),
            &by(&owner),
        )
        .await
        .unwrap();

    let invitation = log
        .store
        .invitation(secret.reveal())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(invitation.email, "kim@acme.example");
    assert_eq!(invitation.workspace.name, "Growth");
    assert!(!invitation.has_account);

    let (joined, session) = log
        .store
        .accept_invite_anew(secret.reveal(), "Kim Berg", PASSWORD, None)
        .await
        .unwrap();
    assert_eq!(joined.workspace.path().to_string(), GROWTH);
    let kim = log
        .store
        .session(session.secret.reveal())
        .await
        .unwrap()
        .unwrap();
    let role = kim.membership(&GROWTH.parse().unwrap()).unwrap().role;
    assert_eq!((kim.name.as_str(), role), ("Kim Berg", Role::Auditor));

    assert_eq!(log.store.invitation(secret.reveal()).await.unwrap(), None);
    let again = log
        .store
        .accept_invite_anew(secret.reveal(), "Somebody", PASSWORD, None)
        .await;
    assert!(matches!(again, Err(MemberError::NoInvite)), "{again:?}");

    let invited = newest(&log, GROWTH, "MEMBER_INVITED").await;
    assert_eq!(invited.actor.actor.name.as_deref(), Some("Ingrid Solheim"));
    let accepted = newest(&log, GROWTH, "INVITE_ACCEPTED").await;
    assert_eq!(accepted.target, invited.target);
    let added = newest(&log, GROWTH, "MEMBER_ADDED").await;
    assert_eq!(added.actor.actor.name.as_deref(), Some("Kim Berg"));
    assert_eq!(added.after.unwrap()["role"], "auditor");
    assert_eq!(added.metadata.unwrap()["invited_by"], "Ingrid Solheim");
}

#[tokio::test]
async fn who_has_an_account_accepts_with_it_and_nobody_else_does() {
    let (log, owner) = owned().await;
    let helena = log
        .named("Helena", "helena@acme.example", place(REVENUE, Role::Owner))
        .await;
    let secret = log
        .store
        .invite(
            &manages(&owner, GROWTH),
            &invite("helena@acme.example", Role::Admin),
            &by(&owner),
        )
        .await
        .unwrap();
    let anew = log
        .store
        .accept_invite_anew(secret.reveal(), "Not Helena", PASSWORD, None)
        .await;
    assert!(
        matches!(anew, Err(MemberError::SomebodyElse(_))),
        "{anew:?}"
    );
    let other = log.store.accept_invite(secret.reveal(), &owner, None).await;
    assert!(
        matches!(other, Err(MemberError::SomebodyElse(_))),
        "{other:?}"
    );

    log.store
        .accept_invite(secret.reveal(), &helena, None)
        .await
        .unwrap();
    let helena = log.signed_in("helena@acme.example").await;
    assert_eq!(helena.memberships.len(), 2);
}

#[tokio::test]
async fn a_link_is_good_for_a_week_until_it_is_revoked_or_another_is_made() {
    let (log, owner) = owned().await;
    let scope = manages(&owner, GROWTH);
    let kim = invite("kim@acme.example", Role::Member);
    let make = async || log.store.invite(&scope, &kim, &by(&owner)).await.unwrap();
    let is_good = async |secret: &store::access::Secret| {
        let found = log.store.invitation(secret.reveal()).await.unwrap();
        found.is_some()
    };

    let first = make().await;
    let second = make().await;
    assert!(!is_good(&first).await && is_good(&second).await);
    let listed = log.store.invites(&scope).await.unwrap();
    let [InviteListed { id, email, .. }] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert_eq!(email, "kim@acme.example");
    log.store
        .revoke_invite(&scope, id, &by(&owner))
        .await
        .unwrap();
    assert!(!is_good(&second).await);
    let again = log.store.revoke_invite(&scope, id, &by(&owner)).await;
    assert!(matches!(again, Err(MemberError::NoInvite)), "{again:?}");

    let third = make().await;
    let now = log.clock.now();
    log.clock
        .set(now.plus(TimeDelta::days(7) - TimeDelta::seconds(1)));
    assert!(is_good(&third).await);
    log.clock.set(now.plus(TimeDelta::days(7)));
    assert!(!is_good(&third).await);
    assert_eq!(log.store.invites(&scope).await.unwrap(), []);
    let events = told(&log, GROWTH).await;
    let revoked = events
        .iter()
        .filter(|event| event.action.as_str() == "INVITE_REVOKED");
    assert_eq!(revoked.count(), 2);
}

#[tokio::test]
async fn who_is_a_member_is_not_invited_again() {
    let (log, owner) = owned().await;
    let scope = manages(&owner, GROWTH);
    let kim = log
        .named("Kim Berg", "kim@acme.example", place(GROWTH, Role::Member))
        .await;
    let ask = async || {
        let kim = invite("kim@acme.example", Role::Admin);
        log.store.invite(&scope, &kim, &by(&owner)).await
    };
    assert!(matches!(ask().await, Err(MemberError::Member(_))));
    log.store
        .deactivate_member(&scope, &owner, &kim.public_id, &by(&owner))
        .await
        .unwrap();
    assert!(matches!(
        ask().await,
        Err(MemberError::DeactivatedMember(_))
    ));
    let nobody = log
        .store
        .invite(&scope, &invite("kim at acme", Role::Member), &by(&owner))
        .await;
    assert!(matches!(nobody, Err(MemberError::Email(_))), "{nobody:?}");
}

#[tokio::test]
async fn an_admin_manages_everybody_but_owners() {
    let (log, owner) = owned().await;
    let tom = log
        .named("Tom", "tom@acme.example", place(GROWTH, Role::Admin))
        .await;
    let kim = log
        .named("Kim", "kim@acme.example", place(GROWTH, Role::Member))
        .await;
    let scope = manages(&tom, GROWTH);
    let change = async |person: &SignedIn, role| {
        log.store
            .change_member(&scope, &person.public_id, role, None, &by(&tom))
            .await
    };
    change(&kim, Role::Auditor).await.unwrap();
    assert!(matches!(
        change(&kim, Role::Owner).await,
        Err(MemberError::OwnersOnly)
    ));
    assert!(matches!(
        change(&owner, Role::Member).await,
        Err(MemberError::OwnersOnly)
    ));
    let invited = log
        .store
        .invite(&scope, &invite("x@acme.example", Role::Owner), &by(&tom))
        .await;
    assert!(
        matches!(invited, Err(MemberError::OwnersOnly)),
        "{invited:?}"
    );
    let gone = log
        .store
        .deactivate_member(&scope, &tom, &owner.public_id, &by(&tom))
        .await;
    assert!(matches!(gone, Err(MemberError::OwnersOnly)), "{gone:?}");
    for who in [&kim, &tom] {
        let refused = who.management_scope(&REVENUE.parse().unwrap());
        assert_eq!(refused, Err(Refused::NotFound));
    }
    assert!(matches!(
        kim.management_scope(&GROWTH.parse().unwrap()),
        Err(Refused::NoAccess { .. })
    ));
}

#[tokio::test]
async fn the_last_owner_stays() {
    let (log, owner) = owned().await;
    let scope = manages(&owner, GROWTH);
    let kim = log
        .named("Kim", "kim@acme.example", place(GROWTH, Role::Member))
        .await;
    let change = async |person: &SignedIn, role, day: Option<&str>| {
        let day = day.map(|day| day.parse().unwrap());
        log.store
            .change_member(&scope, &person.public_id, role, day, &by(&owner))
            .await
    };
    let last = |result: Result<(), MemberError>| matches!(result, Err(MemberError::LastOwner(_)));
    assert!(last(change(&owner, Role::Admin, None).await));
    assert!(last(change(&owner, Role::Owner, Some("2027-01-01")).await));
    // An owner for a time does not stay either.
    change(&kim, Role::Owner, Some("2027-01-01")).await.unwrap();
    assert!(last(change(&owner, Role::Admin, None).await));
    change(&kim, Role::Owner, None).await.unwrap();
    let themselves = log
        .store
        .deactivate_member(&scope, &owner, &owner.public_id, &by(&owner))
        .await;
    assert!(
        matches!(themselves, Err(MemberError::Yourself)),
        "{themselves:?}"
    );
    change(&owner, Role::Admin, None).await.unwrap();

    let changed = newest(&log, GROWTH, "MEMBER_ROLE_UPDATED").await;
    assert_eq!(changed.before.unwrap()["role"], "owner");
    assert_eq!(changed.after.unwrap()["role"], "admin");
}

#[tokio::test]
async fn a_role_is_over_after_its_last_day() {
    let (log, owner) = owned().await;
    let scope = manages(&owner, GROWTH);
    let ruth = log
        .named("Ruth", "ruth@acme.example", place(GROWTH, Role::Auditor))
        .await;
    let until = async |day: &str| {
        let day = Some(day.parse().unwrap());
        log.store
            .change_member(&scope, &ruth.public_id, Role::Auditor, day, &by(&owner))
            .await
    };
    let over = until("2026-05-11").await;
    assert!(matches!(over, Err(MemberError::LastDay)), "{over:?}");
    until("2026-05-13").await.unwrap();
    log.clock.set(time("2026-05-13T23:59:59Z"));
    assert_eq!(
        log.signed_in("ruth@acme.example").await.memberships.len(),
        1
    );
    log.clock.set(time("2026-05-14T00:00:00Z"));
    assert_eq!(log.signed_in("ruth@acme.example").await.memberships, []);
    let listed = log.store.members(&scope, "ruth", 0).await.unwrap().members;
    assert_eq!(listed[0].state, MemberState::Over);
    assert_eq!(listed[0].last_day, Some("2026-05-13".parse().unwrap()));
}

#[tokio::test]
async fn deactivating_ends_sessions_and_labels_the_past_here_and_leaves_other_workspaces_alone() {
    let (log, owner) = owned().await;
    let scope = manages(&owner, GROWTH);
    let kim = log
        .named(
            "Kim Berg",
            "kim.berg@acme.example",
            place(GROWTH, Role::Member),
        )
        .await;
    let session = log
        .store
        .sign_in("kim.berg@acme.example", PASSWORD, None, None)
        .await
        .unwrap();
    for workspace in [GROWTH, REVENUE] {
        let token = log.token(workspace).await;
        let deed = event(
            user("host_7", "Kim Berg"),
            "A",
            object("x", "1", "X"),
            log::BEGINNING,
        );
        log.record(&token, vec![deed]).await;
    }
    let labelled = async |workspace: &str| {
        let scope = log.scope(workspace).await;
        let events = log.walk(&scope, &limit(500)).await;
        let deed = events
            .into_iter()
            .find(|event| event.action.as_str() == "A");
        deed.unwrap().actor.deactivated
    };

    log.store
        .deactivate_member(&scope, &owner, &kim.public_id, &by(&owner))
        .await
        .unwrap();
    assert_eq!(
        log.store.session(session.secret.reveal()).await.unwrap(),
        None
    );
    // A member of nothing else in the tenant: deactivated wherever they acted, and shut out.
    assert!(labelled(GROWTH).await && labelled(REVENUE).await);
    let refused = log
        .store
        .sign_in("kim.berg@acme.example", PASSWORD, None, None)
        .await;
    assert!(matches!(refused, Err(SignInError::Wrong)), "{refused:?}");

    log.store
        .reactivate_member(&scope, &kim.public_id, &by(&owner))
        .await
        .unwrap();
    assert!(!labelled(GROWTH).await);
    let secret = log
        .store
        .invite(
            &manages(
                &log.named("Helena", "helena@acme.example", place(REVENUE, Role::Owner))
                    .await,
                REVENUE,
            ),
            &invite("kim.berg@acme.example", Role::Member),
            &by(&owner),
        )
        .await
        .unwrap();
    let kim = log.signed_in("kim.berg@acme.example").await;
    log.store
        .accept_invite(secret.reveal(), &kim, None)
        .await
        .unwrap();
    log.store
        .deactivate_member(&scope, &owner, &kim.public_id, &by(&owner))
        .await
        .unwrap();
    // Still a member elsewhere: labelled here alone, and free to go there.
    assert!(labelled(GROWTH).await && !labelled(REVENUE).await);
    let kim = log.signed_in("kim.berg@acme.example").await;
    let paths: Vec<_> = kim
        .memberships
        .iter()
        .map(|membership| membership.workspace.path().to_string())
        .collect();
    assert_eq!(paths, [REVENUE]);
    let told = newest(&log, GROWTH, "MEMBER_DEACTIVATED").await;
    assert_eq!(told.target.name.as_deref(), Some("Kim Berg"));
    assert_eq!(told.actor.actor.name.as_deref(), Some("Ingrid Solheim"));
}

#[tokio::test]
async fn members_are_found_by_name_and_address_whatever_their_letters() {
    let (log, owner) = owned().await;
    let scope = manages(&owner, GROWTH);
    for (name, email) in [
        ("Åse Øye", "aa@acme.example"),
        ("100% Bot", "bot@acme.example"),
    ] {
        log.named(name, email, place(GROWTH, Role::Member)).await;
    }
    let found = async |search: &str| -> Vec<String> {
        let found = log.store.members(&scope, search, 0).await.unwrap();
        assert_eq!(found.total, found.members.len() as u64);
        found
            .members
            .into_iter()
            .map(|member| member.name)
            .collect()
    };
    assert_eq!(found("").await, ["100% Bot", "Ingrid Solheim", "Åse Øye"]);
    assert_eq!(found("åse ø").await, ["Åse Øye"]);
    assert_eq!(found("0%").await, ["100% Bot"]);
    assert_eq!(found("%").await, ["100% Bot"]);
    assert_eq!(found("OWNER@").await, ["Ingrid Solheim"]);
    assert_eq!(found("nobody").await, [""; 0]);
}

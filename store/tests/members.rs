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
    members::{AcceptError, InviteListed, MemberError, MemberState, NewInvite},
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
    assert!(matches!(again, Err(AcceptError::NoInvite)), "{again:?}");

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
        matches!(anew, Err(AcceptError::SomebodyElse(_))),
        "{anew:?}"
    );
    let other = log.store.accept_invite(secret.reveal(), &owner, None).await;
    assert!(
        matches!(other, Err(AcceptError::SomebodyElse(_))),
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
    let owners = manages(&owner, GROWTH);
    let future_owner = invite("x@acme.example", Role::Owner);
    let made = log.store.invite(&owners, &future_owner, &by(&owner)).await;
    made.unwrap();
    let waiting = log.store.invites(&scope).await.unwrap();
    let revoked = log
        .store
        .revoke_invite(&scope, &waiting[0].id, &by(&tom))
        .await;
    assert!(
        matches!(revoked, Err(MemberError::OwnersOnly)),
        "{revoked:?}"
    );
    // Nor by one that would take its place.
    let lesser = invite("x@acme.example", Role::Member);
    let replaced = log.store.invite(&scope, &lesser, &by(&tom)).await;
    assert!(
        matches!(replaced, Err(MemberError::OwnersOnly)),
        "{replaced:?}"
    );
    assert_eq!(log.store.invites(&owners).await.unwrap(), waiting);
    // But who is shut out has none left.
    let xenia = log
        .named("Xenia", "x@acme.example", place(GROWTH, Role::Member))
        .await;
    log.store
        .deactivate_member(&scope, &tom, &xenia.public_id, &by(&tom))
        .await
        .unwrap();
    assert_eq!(log.store.invites(&owners).await.unwrap(), []);
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

/// Whether somebody can sign in.
async fn gets_in(log: &Log, email: &str) -> bool {
    match log.store.sign_in(email, PASSWORD, None, None).await {
        Ok(_) => true,
        Err(SignInError::Wrong) => false,
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_is_shut_out_everywhere_signs_in_to_answer_an_invitation_and_for_nothing_else() {
    const KIM: &str = "kim@acme.example";
    let (log, owner) = owned().await;
    let helena = log
        .named("Helena", "helena@acme.example", place(REVENUE, Role::Owner))
        .await;
    let kim = log
        .named("Kim Berg", KIM, place(GROWTH, Role::Member))
        .await;
    let growth = manages(&owner, GROWTH);
    log.store
        .deactivate_member(&growth, &owner, &kim.public_id, &by(&owner))
        .await
        .unwrap();
    assert!(!gets_in(&log, KIM).await);

    let revenue = manages(&helena, REVENUE);
    let ask = async |last_day: Option<&str>| {
        let invite = NewInvite {
            last_day: last_day.map(|day| day.parse().unwrap()),
            ..invite(KIM, Role::Auditor)
        };
        log.store
            .invite(&revenue, &invite, &by(&helena))
            .await
            .unwrap()
    };
    // Revoked, it lets nobody in; and who is in already is out at once.
    ask(None).await;
    let session = log.store.sign_in(KIM, PASSWORD, None, None).await.unwrap();
    let secret = session.secret.reveal();
    let kim = log.store.session(secret).await.unwrap().unwrap();
    assert_eq!(
        (&kim.memberships[..], &kim.administers[..]),
        (&[][..], &[][..])
    );
    let found = log.store.own_invitations(&kim).await.unwrap();
    let [waiting] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(waiting.workspace.path().to_string(), REVENUE);
    assert_eq!((waiting.role, &*waiting.by), (Role::Auditor, "Helena"));
    assert_eq!(log.store.own_invitations(&owner).await.unwrap(), []);
    for path in [GROWTH, REVENUE] {
        let path = path.parse().unwrap();
        assert_eq!(kim.own_scope(&path), Err(Refused::NotFound));
        assert_eq!(kim.audit_scope(&path), Err(Refused::NotFound));
    }
    let open = log.store.invites(&revenue).await.unwrap();
    log.store
        .revoke_invite(&revenue, &open[0].id, &by(&helena))
        .await
        .unwrap();
    assert_eq!(log.store.session(secret).await.unwrap(), None);
    assert!(!gets_in(&log, KIM).await);

    // Neither does one that is too old, or whose role would be over.
    ask(None).await;
    log.clock.set(log.clock.now().plus(TimeDelta::days(7)));
    assert!(!gets_in(&log, KIM).await);
    ask(Some("2026-05-20")).await;
    assert!(gets_in(&log, KIM).await);
    log.clock.set(time("2026-05-21T00:00:00Z"));
    assert!(!gets_in(&log, KIM).await);

    let link = ask(None).await;
    let kim = log.signed_in(KIM).await;
    log.store
        .accept_invite(link.reveal(), &kim, None)
        .await
        .unwrap();
    let kim = log.signed_in(KIM).await;
    let paths = kim.memberships.iter().map(|of| of.workspace.path());
    assert_eq!(
        paths.map(|path| path.to_string()).collect::<Vec<_>>(),
        [REVENUE]
    );

    // Whom the operator deactivated no invitation lets in.
    let by_operator = log::operator();
    ask_of(&log, &growth, &owner, "helena@acme.example").await;
    log.named("Olga", "olga@acme.example", place(REVENUE, Role::Owner))
        .await;
    log.store
        .deactivate_person("helena@acme.example", &by_operator)
        .await
        .unwrap();
    assert!(!gets_in(&log, "helena@acme.example").await);
}

async fn ask_of(log: &Log, scope: &ManagementScope, manager: &SignedIn, email: &str) {
    log.store
        .invite(scope, &invite(email, Role::Member), &by(manager))
        .await
        .unwrap();
}

#[tokio::test]
async fn who_is_removed_is_gone_from_the_list_and_stays_in_the_log() {
    const KIM: &str = "kim.berg@acme.example";
    let (log, owner) = owned().await;
    let scope = manages(&owner, GROWTH);
    let kim = log
        .named("Kim Berg", KIM, place(GROWTH, Role::Auditor))
        .await;
    let session = log.store.sign_in(KIM, PASSWORD, None, None).await.unwrap();
    let deed = event(
        user("host_7", "Kim Berg"),
        "A",
        object("x", "1", "X"),
        log::BEGINNING,
    );
    log.record(&log.token(GROWTH).await, vec![deed]).await;
    let is_labelled = async || newest_of_host(&log).await.actor.deactivated;
    let remove = async || {
        log.store
            .remove_member(&scope, &owner, &kim.public_id, &by(&owner))
            .await
    };

    remove().await.unwrap();
    assert_eq!(
        log.store.session(session.secret.reveal()).await.unwrap(),
        None
    );
    assert!(!gets_in(&log, KIM).await, "removed from everything");
    assert!(is_labelled().await);
    let listed = log.store.members(&scope, "", 0).await.unwrap();
    assert_eq!((listed.total, listed.members.len()), (1, 1));
    let counted = log.store.operator_settings(&GROWTH.parse().unwrap()).await;
    let counted = log.store.people(&counted.unwrap().unwrap()).await.unwrap();
    assert_eq!((counted.all, counted.readers), (1, 1));
    let told = newest(&log, GROWTH, "MEMBER_REMOVED").await;
    assert_eq!(told.target.id.as_deref(), Some(&*kim.public_id));
    assert_eq!(told.actor.actor.name.as_deref(), Some("Ingrid Solheim"));
    let before = told.before.unwrap();
    assert_eq!(
        (&before["email"], &before["role"]),
        (&KIM.into(), &"auditor".into())
    );
    assert_eq!(told.after, None);

    // They are no member: nothing is done to them but an invitation, which brings them back.
    let again = remove().await;
    assert!(matches!(again, Err(MemberError::NoMember)), "{again:?}");
    let back = log
        .store
        .reactivate_member(&scope, &kim.public_id, &by(&owner))
        .await;
    assert!(matches!(back, Err(MemberError::NoMember)), "{back:?}");
    let link = log
        .store
        .invite(&scope, &invite(KIM, Role::Member), &by(&owner))
        .await
        .unwrap();
    let kim = log.signed_in(KIM).await;
    log.store
        .accept_invite(link.reveal(), &kim, None)
        .await
        .unwrap();
    assert!(!is_labelled().await);
    let kim = log.signed_in(KIM).await;
    assert_eq!(
        kim.membership(&GROWTH.parse().unwrap()).unwrap().role,
        Role::Member
    );
    let listed = log.store.members(&scope, "kim", 0).await.unwrap();
    assert_eq!(listed.members[0].state, MemberState::Active);
}

/// The newest event that an application sent to growth.
async fn newest_of_host(log: &Log) -> Event {
    let scope = log.scope(GROWTH).await;
    let events = log.walk(&scope, &limit(500)).await;
    let mut sent = events.into_iter().filter(|event| event.source.is_none());
    sent.next().unwrap()
}

#[tokio::test]
async fn a_removal_leaves_other_workspaces_alone_and_the_operator_adds_anew() {
    const KIM: &str = "kim@acme.example";
    let (log, owner) = owned().await;
    let scope = manages(&owner, GROWTH);
    log.named("Kim", KIM, place(GROWTH, Role::Admin)).await;
    let kim = log.named("Kim", KIM, place(REVENUE, Role::Owner)).await;
    let remove = async || {
        log.store
            .remove_member(&scope, &owner, &kim.public_id, &by(&owner))
            .await
    };
    remove().await.unwrap();
    let kim = log.signed_in(KIM).await;
    assert_eq!(
        kim.membership(&GROWTH.parse().unwrap()),
        Err(Refused::NotFound)
    );
    assert_eq!(
        kim.membership(&REVENUE.parse().unwrap()).unwrap().role,
        Role::Owner
    );

    let kim = log.named("Kim", KIM, place(GROWTH, Role::Auditor)).await;
    assert_eq!(kim.memberships.len(), 2);
    let listed = log.store.members(&scope, KIM, 0).await.unwrap().members;
    assert_eq!(
        (listed[0].role, listed[0].state),
        (Role::Auditor, MemberState::Active)
    );
}

#[tokio::test]
async fn owners_and_oneself_are_not_removed_by_whom_may_not() {
    let (log, owner) = owned().await;
    let tom = log
        .named("Tom", "tom@acme.example", place(GROWTH, Role::Admin))
        .await;
    let remove = async |who: &SignedIn, whom: &SignedIn| {
        let scope = manages(who, GROWTH);
        log.store
            .remove_member(&scope, who, &whom.public_id, &by(who))
            .await
    };
    let owners = remove(&tom, &owner).await;
    assert!(matches!(owners, Err(MemberError::OwnersOnly)), "{owners:?}");
    for who in [&tom, &owner] {
        let oneself = remove(who, who).await;
        assert!(matches!(oneself, Err(MemberError::Yourself)), "{oneself:?}");
    }
    let tara = log
        .named(
            "Tara",
            "tara@acme.example",
            Place::Tenant("acme".parse().unwrap()),
        )
        .await;
    let last = remove(&tara, &owner).await;
    assert!(matches!(last, Err(MemberError::LastOwner(_))), "{last:?}");
    let events = told(&log, GROWTH).await;
    let removed = events
        .iter()
        .filter(|event| event.action.as_str() == "MEMBER_REMOVED");
    assert_eq!(removed.count(), 0);
}

#[tokio::test]
async fn an_invitation_of_before_does_not_bring_back_who_was_sent_away() {
    let (log, owner) = owned().await;
    let scope = manages(&owner, GROWTH);
    for (email, is_removed) in [("kim@acme.example", true), ("mia@acme.example", false)] {
        let link = log
            .store
            .invite(&scope, &invite(email, Role::Admin), &by(&owner))
            .await
            .unwrap();
        let person = log.named("Kim", email, place(GROWTH, Role::Member)).await;
        let (id, by) = (&person.public_id, &by(&owner));
        if is_removed {
            log.store
                .remove_member(&scope, &owner, id, by)
                .await
                .unwrap();
        } else {
            log.store
                .deactivate_member(&scope, &owner, id, by)
                .await
                .unwrap();
        }
        assert_eq!(log.store.invitation(link.reveal()).await.unwrap(), None);
        assert!(!gets_in(&log, email).await, "{email}");
    }
}

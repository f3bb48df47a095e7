//! A tenant as its admins see and change it: its workspaces, its tokens, and who administers it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    event::Event,
    question::Query,
    retention::{Plan, Retention},
    role::{Role, TokenScope},
};
use log::{Log, operator};
use store::{
    access::{Refused, SignedIn, TenantAdministration},
    administration::{
        AdministrationError, By, NewPerson, Place, Revocation, TokenState, WantedToken,
    },
    clock::Clock,
    settings::SettingsChange,
    tenants::{AdminError, AdminState, PAGE},
};

const GROWTH: &str = "acme/growth";
const REVENUE: &str = "acme/revenue";

fn administers(person: &SignedIn) -> TenantAdministration {
    person
        .tenant_administration(&"acme".parse().unwrap())
        .unwrap()
}

fn by(person: &SignedIn) -> By {
    By::person(person, None)
}

/// An admin of acme, and the log.
async fn administered() -> (Log, SignedIn) {
    let log = Log::new().await;
    let tina = named(&log, "Tina", Place::Tenant("acme".parse().unwrap())).await;
    (log, tina)
}

async fn named(log: &Log, name: &str, place: Place) -> SignedIn {
    let email = format!("{}@acme.example", name.to_lowercase());
    log.named(name, &email, place).await
}

fn member(workspace: &str) -> Place {
    Place::Workspace(workspace.parse().unwrap(), Role::Member)
}

/// What the tenant's own log tells of an action, the oldest first.
async fn told(log: &Log, action: &str) -> Vec<Event> {
    let scope = log.scope("acme").await;
    let mut events = log.walk(&scope, &Query::default()).await;
    events.retain(|event| event.action.as_str() == action && event.workspace.is_none());
    events.reverse();
    events
}

fn wanted(name: &str) -> WantedToken {
    WantedToken {
        name: name.into(),
        scopes: vec![TokenScope::EventsRead],
        expires: None,
        oldest_seconds: None,
    }
}

#[tokio::test]
async fn only_its_admins_administer_a_tenant() {
    let (log, tina) = administered().await;
    assert_eq!(administers(&tina).tenant().name, "Acme Inc");
    let acme = "acme".parse().unwrap();
    for role in [Role::Member, Role::Auditor, Role::Admin, Role::Owner] {
        let place = Place::Workspace(GROWTH.parse().unwrap(), role);
        let person = named(&log, &role.to_string(), place).await;
        let refused = person.tenant_administration(&acme);
        assert!(
            matches!(refused, Err(Refused::NoTenantAccess { .. })),
            "{role}"
        );
    }
    let globex = "globex".parse().unwrap();
    log.store
        .create_tenant(&globex, "Globex", &operator())
        .await
        .unwrap();
    let elsa = named(&log, "Elsa", Place::Tenant(globex)).await;
    assert_eq!(elsa.tenant_administration(&acme), Err(Refused::NotFound));
}

#[tokio::test]
async fn the_workspaces_are_listed_with_what_holds_in_each_page_by_page() {
    let (log, tina) = administered().await;
    let scope = administers(&tina);
    let cap = Plan::new(None, Some(Retention::Days(30))).unwrap();
    log.store
        .set_plan(&"acme".parse().unwrap(), cap, &operator())
        .await
        .unwrap();
    assert_eq!(log.store.plan_of(&scope).await.unwrap(), cap);
    let growth = tina.settings_scope(&GROWTH.parse().unwrap()).unwrap();
    let change = SettingsChange {
        retention: Some(Retention::Days(7)),
        recording: Some(false),
        ..SettingsChange::default()
    };
    log.store
        .change_settings(&growth, change, &by(&tina))
        .await
        .unwrap();
    let revenue = tina.settings_scope(&REVENUE.parse().unwrap()).unwrap();
    log.store
        .place_hold(&revenue, &"Lawsuit".parse().unwrap(), &by(&tina))
        .await
        .unwrap();
    let found = log.store.workspaces_of(&scope, 0).await.unwrap();
    let [one, other] = &found.workspaces[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (&*one.workspace.name, &*other.workspace.name),
        ("Growth", "Revenue")
    );
    // Within the plan, which is what holds.
    assert_eq!(one.retention, Retention::Days(30));
    let pending = one.pending.as_ref().unwrap();
    assert_eq!(pending.retention, Retention::Days(7));
    assert_eq!(one.recording_off.as_ref().unwrap().by, "Tina");
    assert_eq!(one.hold, None);
    assert_eq!((&other.pending, &other.recording_off), (&None, &None));
    assert_eq!(other.hold.as_ref().unwrap().reason, "Lawsuit");

    for number in 0..PAGE {
        let path = format!("acme/w-{number}").parse().unwrap();
        log.store
            .create_workspace(&path, &format!("W {number:02}"), &operator())
            .await
            .unwrap();
    }
    let first = log.store.workspaces_of(&scope, 0).await.unwrap();
    let second = log.store.workspaces_of(&scope, 1).await.unwrap();
    assert_eq!((first.workspaces.len(), second.workspaces.len()), (PAGE, 2));
    assert_eq!(first.total, PAGE as u64 + 2);
    assert_eq!(
        second.workspaces[1].workspace.name,
        format!("W {}", PAGE - 1)
    );
    let beyond = log.store.workspaces_of(&scope, usize::MAX).await.unwrap();
    assert_eq!(beyond.workspaces, []);
}

#[tokio::test]
async fn the_tenants_tokens_are_managed_apart_from_those_of_its_workspaces() {
    let (log, tina) = administered().await;
    let scope = administers(&tina);
    let growth = tina.management_scope(&GROWTH.parse().unwrap()).unwrap();
    let of_growth = log
        .store
        .create_token_of(&growth, wanted("growth's"), &by(&tina))
        .await
        .unwrap();
    let made = log
        .store
        .create_token_of(&scope, wanted("everywhere"), &by(&tina))
        .await
        .unwrap();
    let grant = log
        .store
        .token(made.secret.reveal())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(grant.read_scope().unwrap().workspace(), None);
    let page = log.store.tokens_of(&scope, None).await.unwrap();
    let [token] = &page.tokens[..] else {
        panic!("{page:?}");
    };
    assert_eq!((&*token.id, &*token.place), (&*made.id, "acme"));
    assert_eq!(page.of_tenant, []);
    // Each where it belongs, and nowhere else.
    assert_eq!(
        log.store.token_of(&scope, &of_growth.id).await.unwrap(),
        None
    );
    assert_eq!(log.store.token_of(&growth, &made.id).await.unwrap(), None);
    let refused = log
        .store
        .revoke_token_of(&scope, &of_growth.id, &by(&tina))
        .await;
    assert!(matches!(refused, Err(AdministrationError::Missing(_))));
    // One of another tenant is as if it never was.
    let globex = "globex".parse().unwrap();
    log.store
        .create_tenant(&globex, "Globex", &operator())
        .await
        .unwrap();
    let elsa = named(&log, "Elsa", Place::Tenant(globex.clone())).await;
    let elsewhere = elsa.tenant_administration(&globex).unwrap();
    let refused = log
        .store
        .revoke_token_of(&elsewhere, &made.id, &by(&elsa))
        .await;
    assert!(matches!(refused, Err(AdministrationError::Missing(_))));

    let done = log
        .store
        .revoke_token_of(&scope, &made.id, &by(&tina))
        .await;
    assert_eq!(done.unwrap(), Revocation::Revoked);
    let page = log.store.tokens_of(&scope, None).await.unwrap();
    assert_eq!(page.tokens[0].state(log.store.now()), TokenState::Revoked);
    assert_eq!(log.store.token(made.secret.reveal()).await.unwrap(), None);
    for action in ["API_TOKEN_CREATED", "API_TOKEN_REVOKED"] {
        let told = told(&log, action).await;
        let of_it = told
            .iter()
            .filter(|event| event.target.id.as_ref() == Some(&made.id));
        assert_eq!(of_it.count(), 1, "{action}");
    }
}

#[tokio::test]
async fn who_belongs_to_a_workspace_becomes_an_admin_and_strangers_do_not() {
    let (log, tina) = administered().await;
    let scope = administers(&tina);
    let tom = named(&log, "Tom", member(GROWTH)).await;
    let globex = "globex".parse().unwrap();
    log.store
        .create_tenant(&globex, "Globex", &operator())
        .await
        .unwrap();
    named(&log, "Elsa", Place::Tenant(globex)).await;
    let add = async |email: &str| log.store.add_admin(&scope, email, None, &by(&tina)).await;
    for email in ["elsa@acme.example", "nobody@acme.example"] {
        let refused = add(email).await;
        assert!(
            matches!(refused, Err(AdminError::NotInTenant(_))),
            "{email}: {refused:?}"
        );
    }
    assert!(matches!(add("nonsense").await, Err(AdminError::Email(_))));
    let over = log.clock.now().datetime().date_naive().pred_opt();
    let refused = log
        .store
        .add_admin(&scope, &tom.email, over, &by(&tina))
        .await;
    assert!(matches!(refused, Err(AdminError::LastDay)), "{refused:?}");
    add(" TOM@acme.example ").await.unwrap();
    assert!(matches!(add(&tom.email).await, Err(AdminError::Admin(_))));
    let tom = log.signed_in(&tom.email).await;
    assert_eq!(tom.administers.len(), 1);
    assert_eq!(tom.memberships.len(), 2);

    // Who was deactivated where they belonged is no longer in the tenant.
    let dora = named(&log, "Dora", member(GROWTH)).await;
    let growth = tina.management_scope(&GROWTH.parse().unwrap()).unwrap();
    log.store
        .deactivate_member(&growth, &tina, &dora.public_id, &by(&tina))
        .await
        .unwrap();
    assert!(matches!(
        add(&dora.email).await,
        Err(AdminError::NotInTenant(_))
    ));
    let dino = named(&log, "Dino", member(GROWTH)).await;
    log.store
        .deactivate_person(&dino.email, &operator())
        .await
        .unwrap();
    assert!(matches!(
        add(&dino.email).await,
        Err(AdminError::AccountDeactivated(_))
    ));
    let added = told(&log, "MEMBER_ADDED").await;
    let value = serde_json::to_value(added.last().unwrap()).unwrap();
    assert_eq!(value["target"]["name"], "Tom");
    assert_eq!(value["after"]["role"], "tenant_admin");
    assert_eq!(value["after"]["email"], "tom@acme.example");
    assert_eq!(value["actor"]["name"], "Tina");
}

#[tokio::test]
async fn a_role_ends_with_its_last_day_and_can_be_given_again() {
    let (log, tina) = administered().await;
    let scope = administers(&tina);
    let tom = named(&log, "Tom", member(GROWTH)).await;
    let today = log.clock.now().datetime().date_naive();
    log.store
        .add_admin(&scope, &tom.email, Some(today), &by(&tina))
        .await
        .unwrap();
    log.clock.set(log.clock.now().plus(TimeDelta::days(1)));
    let state = async || {
        let admins = log.store.admins_of(&scope, 0).await.unwrap();
        assert_eq!(admins.total, 2);
        let of_tom = admins.admins.iter().find(|admin| admin.id == tom.public_id);
        let of_tom = of_tom.unwrap();
        (of_tom.state, of_tom.last_day)
    };
    assert_eq!(state().await, (AdminState::Over, Some(today)));
    let over = log.signed_in(&tom.email).await;
    assert_eq!(over.administers, []);
    log.store
        .add_admin(&scope, &tom.email, None, &by(&tina))
        .await
        .unwrap();
    assert_eq!(state().await, (AdminState::Active, None));
    let updated = told(&log, "MEMBER_ROLE_UPDATED").await;
    let value = serde_json::to_value(&updated[0]).unwrap();
    assert_eq!(value["before"]["until"], today.to_string());
    assert!(value["after"]["until"].is_null());
    // Saying what is so changes nothing, and is not told.
    log.store
        .change_admin(&scope, &tina, &tom.public_id, None, &by(&tina))
        .await
        .unwrap();
    assert_eq!(told(&log, "MEMBER_ROLE_UPDATED").await.len(), 1);
}

#[tokio::test]
async fn the_last_admin_without_a_last_day_stays_and_nobody_takes_their_own() {
    let (log, tina) = administered().await;
    let scope = administers(&tina);
    let tom = named(&log, "Tom", member(GROWTH)).await;
    let day = "2999-12-31".parse().ok();
    log.store
        .add_admin(&scope, &tom.email, day, &by(&tina))
        .await
        .unwrap();
    let tom = log.signed_in(&tom.email).await;
    let of_tom = administers(&tom);
    // Tom's role has a last day: it does not keep the tenant.
    for refused in [
        log.store
            .remove_admin(&of_tom, &tom, &tina.public_id, &by(&tom))
            .await,
        log.store
            .change_admin(&of_tom, &tom, &tina.public_id, day, &by(&tom))
            .await,
    ] {
        let Err(AdminError::LastAdmin(name)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(name, "Tina");
    }
    for refused in [
        log.store
            .remove_admin(&scope, &tina, &tina.public_id, &by(&tina))
            .await,
        log.store
            .change_admin(&scope, &tina, &tina.public_id, day, &by(&tina))
            .await,
    ] {
        assert!(matches!(refused, Err(AdminError::Yourself)), "{refused:?}");
    }
    let unknown = log
        .store
        .remove_admin(&scope, &tina, "usr_none", &by(&tina))
        .await;
    assert!(matches!(unknown, Err(AdminError::NoAdmin)), "{unknown:?}");

    // Two proofs made at the same moment: the second finds that it would leave nobody.
    log.store
        .change_admin(&scope, &tina, &tom.public_id, None, &by(&tina))
        .await
        .unwrap();
    log.store
        .remove_admin(&scope, &tina, &tom.public_id, &by(&tina))
        .await
        .unwrap();
    let refused = log
        .store
        .remove_admin(&of_tom, &tom, &tina.public_id, &by(&tom))
        .await;
    assert!(matches!(refused, Err(AdminError::LastAdmin(_))));
    let removed = told(&log, "MEMBER_REMOVED").await;
    let [removed] = &removed[..] else {
        panic!("{removed:?}");
    };
    let value = serde_json::to_value(removed).unwrap();
    assert_eq!(value["before"]["role"], "tenant_admin");
    assert!(value["after"].is_null());
    // What they were in a workspace is what they are.
    let tom = log.signed_in(&tom.email).await;
    assert_eq!((tom.administers.len(), tom.memberships.len()), (0, 1));
    // A stranger to the workspace needs an invitation: the operator adds somebody new.
    let uma = NewPerson {
        email: "uma@acme.example".into(),
        name: "Uma".into(),
        place: Place::Tenant("acme".parse().unwrap()),
        until: None,
    };
    log.store
        .create_person(&uma, log::PASSWORD, &operator())
        .await
        .unwrap();
    assert_eq!(log.store.admins_of(&scope, 0).await.unwrap().total, 2);
}

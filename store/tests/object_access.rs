//! Who may open objects' pages, and how that is set.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    event::TargetKind,
    question::{Query, Subject},
    role::Role,
    slug::WorkspacePath,
};
use log::{Log, operator, time};
use store::{
    access::{Refused, SettingsScope},
    administration::{By, NewPerson, Place},
    settings::{ObjectAccess, People, SettingsChange, SettingsError},
};

const PASSWORD: &str = "correct horse";

fn path() -> WorkspacePath {
    "acme/growth".parse().unwrap()
}

fn kinds(names: &[&str]) -> Vec<TargetKind> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// Adds somebody and signs them in: the secret of their session.
async fn somebody(log: &Log, name: &str, place: Place) -> String {
    let email = format!("{name}@acme.example");
    let person = NewPerson {
        email: email.clone(),
        name: name.to_owned(),
        place,
        until: None,
    };
    let by = operator();
    let made = log.store.create_person(&person, PASSWORD, &by).await;
    made.unwrap();
    let session = log.store.sign_in(&email, PASSWORD, None, None).await;
    session.unwrap().secret.reveal().to_owned()
}

async fn of_role(log: &Log, role: Role) -> String {
    let place = match role {
        Role::TenantAdmin => Place::Tenant("acme".parse().unwrap()),
        role => Place::Workspace(path(), role),
    };
    somebody(log, role.as_str(), place).await
}

/// Whether the session opens an object of a kind; refused means: without access, not unknown.
async fn opens(log: &Log, session: &str, kind: &str) -> bool {
    let person = log.store.session(session).await.unwrap().unwrap();
    let subject = Subject {
        kind: kind.parse().unwrap(),
        id: "any".to_owned(),
    };
    match person.object_scope(&path(), subject) {
        Ok(_) => true,
        Err(Refused::NoAccess { workspace, .. }) => {
            assert_eq!(workspace.path(), path());
            false
        }
        Err(refused) => panic!("they are a member, and are told: {refused}"),
    }
}

async fn lists_objects(log: &Log, session: &str) -> bool {
    let person = log.store.session(session).await.unwrap().unwrap();
    person.objects_scope(&path()).is_ok()
}

async fn settings(log: &Log) -> SettingsScope {
    let scope = log.store.operator_settings(&path()).await.unwrap();
    scope.unwrap()
}

async fn set(log: &Log, access: ObjectAccess, by: &By) {
    let change = SettingsChange {
        object_access: Some(access),
        ..SettingsChange::default()
    };
    let scope = settings(log).await;
    let changed = log.store.change_settings(&scope, change, by).await;
    changed.unwrap();
}

#[tokio::test]
async fn everybody_opens_objects_but_members_none_of_a_guarded_kind() {
    let log = Log::new().await;
    for role in Role::ALL {
        let session = of_role(&log, role).await;
        let reads = role != Role::Member;
        assert!(lists_objects(&log, &session).await, "{role}");
        for (kind, open) in [
            ("integration", true),
            ("api_token", reads),
            ("user", reads),
            ("invite", reads),
            ("secret", reads),
            // However it is spelled.
            ("Secret", reads),
            ("API_TOKEN", reads),
            ("secrets", true),
        ] {
            assert_eq!(opens(&log, &session, kind).await, open, "{role} {kind}");
        }
        let person = log.store.session(&session).await.unwrap().unwrap();
        let listed = person.objects_scope(&path()).unwrap();
        assert!(listed.has(&"integration".parse().unwrap()), "{role}");
        assert_eq!(listed.has(&"Secret".parse().unwrap()), reads, "{role}");
    }
}

#[tokio::test]
async fn a_change_holds_at_the_next_request() {
    let log = Log::new().await;
    let member = of_role(&log, Role::Member).await;
    let others = [Role::Auditor, Role::Admin, Role::Owner, Role::TenantAdmin];
    let mut readers = Vec::new();
    for role in others {
        readers.push(of_role(&log, role).await);
    }
    let guarded = kinds(&["secret"]);
    set(&log, ObjectAccess::new(false, guarded.clone()), &operator()).await;
    for kind in ["integration", "secret"] {
        assert!(!opens(&log, &member, kind).await);
        for reader in &readers {
            assert!(opens(&log, reader, kind).await);
        }
    }
    assert!(!lists_objects(&log, &member).await);

    set(&log, ObjectAccess::new(true, guarded), &operator()).await;
    assert!(opens(&log, &member, "integration").await);
    assert!(opens(&log, &member, "api_token").await, "no longer guarded");
    assert!(!opens(&log, &member, "secret").await);
    assert!(lists_objects(&log, &member).await);
    // With another role, too.
    let managed = log.store.operator_members(&path()).await.unwrap().unwrap();
    let found = log.store.members(&managed, "member@", 0).await.unwrap();
    let id = &found.members[0].id;
    log.store
        .change_member(&managed, id, Role::Auditor, None, &operator())
        .await
        .unwrap();
    assert!(opens(&log, &member, "secret").await);
}

#[tokio::test]
async fn one_workspaces_setting_is_not_anothers() {
    let log = Log::new().await;
    let revenue: WorkspacePath = "acme/revenue".parse().unwrap();
    let member = of_role(&log, Role::Member).await;
    let elsewhere = somebody(&log, "else", Place::Workspace(revenue, Role::Member)).await;
    set(&log, ObjectAccess::new(false, Vec::new()), &operator()).await;
    assert!(!opens(&log, &member, "integration").await);
    let person = log.store.session(&elsewhere).await.unwrap().unwrap();
    let subject = Subject {
        kind: "integration".parse().unwrap(),
        id: "any".to_owned(),
    };
    let revenue = "acme/revenue".parse().unwrap();
    assert!(person.object_scope(&revenue, subject.clone()).is_ok());
    assert_eq!(
        person.object_scope(&path(), subject),
        Err(Refused::NotFound),
        "who is no member is told nothing"
    );
    assert_eq!(person.objects_scope(&path()), Err(Refused::NotFound));
}

#[tokio::test]
async fn a_change_is_an_event_and_what_is_so_already_is_none() {
    let log = Log::new().await;
    let session = of_role(&log, Role::Owner).await;
    let owner = log.store.session(&session).await.unwrap().unwrap();
    let by = By::person(&owner, None);
    log.clock.set(time("2026-05-12T10:00:00Z"));
    let before = log.store.settings(&settings(&log).await).await.unwrap();
    assert!(before.object_access.for_members);
    assert_eq!(
        before.object_access.guarded(),
        kinds(&["api_token", "invite", "secret", "user"])
    );
    assert_eq!(before.object_access_set, None);

    let wanted = ObjectAccess::new(false, kinds(&["user", "secret", "user"]));
    set(&log, wanted.clone(), &by).await;
    // The same, in another order.
    set(
        &log,
        ObjectAccess::new(false, kinds(&["secret", "user"])),
        &by,
    )
    .await;
    let after = log.store.settings(&settings(&log).await).await.unwrap();
    assert_eq!(after.object_access, wanted);
    let changed = after.object_access_set.unwrap();
    assert_eq!(
        (changed.by.as_str(), changed.at),
        ("owner", time("2026-05-12T10:00:00Z"))
    );

    let scope = log.scope("acme/growth").await;
    let events = log.walk(&scope, &Query::default()).await;
    let told: Vec<_> = events
        .iter()
        .filter(|event| event.action.as_str() == "AUDIT_OBJECT_ACCESS_UPDATED")
        .collect();
    assert_eq!(told.len(), 1);
    let state = |object: &Option<domain::event::Object>| {
        let object = object.clone().unwrap();
        (
            object["object_tabs"].clone(),
            object["guarded_kinds"].clone(),
        )
    };
    assert_eq!(
        state(&told[0].before),
        (
            "members".into(),
            vec!["api_token", "invite", "secret", "user"].into()
        )
    );
    assert_eq!(
        state(&told[0].after),
        ("admins".into(), vec!["secret", "user"].into())
    );
    assert_eq!(told[0].actor.actor.name.as_deref(), Some("owner"));
}

#[tokio::test]
async fn who_may_only_see_settings_does_not_change_who_opens_objects() {
    let log = Log::new().await;
    for role in [Role::Auditor, Role::Admin] {
        let session = of_role(&log, role).await;
        let person = log.store.session(&session).await.unwrap().unwrap();
        let scope = person.settings_scope(&path()).unwrap();
        let change = SettingsChange {
            object_access: Some(ObjectAccess::new(false, Vec::new())),
            ..SettingsChange::default()
        };
        let by = By::person(&person, None);
        let refused = log.store.change_settings(&scope, change, &by).await;
        assert!(matches!(refused, Err(SettingsError::ReadOnly)), "{role}");
    }
    let held = log.store.settings(&settings(&log).await).await.unwrap();
    assert!(held.object_access.for_members);
}

#[tokio::test]
async fn people_are_counted_once_and_only_while_they_may_come_in() {
    let log = Log::new().await;
    let count = async || log.store.people(&settings(&log).await).await.unwrap();
    assert_eq!(count().await, People { all: 0, readers: 0 });
    for role in [Role::Member, Role::Auditor, Role::Owner, Role::TenantAdmin] {
        of_role(&log, role).await;
    }
    assert_eq!(count().await, People { all: 4, readers: 3 });
    let person = |email: &str, place: Place, until: Option<&str>| NewPerson {
        email: email.to_owned(),
        name: "Somebody".to_owned(),
        place,
        until: until.map(|day| day.parse().unwrap()),
    };
    let member = Place::Workspace(path(), Role::Member);
    let revenue = Place::Workspace("acme/revenue".parse().unwrap(), Role::Owner);
    let by = operator();
    for new in [
        // A tenant admin who is a member too is one person, and reads.
        person("tenant_admin@acme.example", member.clone(), None),
        // A role that ends today is good today.
        person("guest@acme.example", member, Some("2026-05-12")),
        person("neighbour@acme.example", revenue, None),
    ] {
        log.store.create_person(&new, PASSWORD, &by).await.unwrap();
    }
    assert_eq!(count().await, People { all: 5, readers: 3 });
    log.clock.set(time("2026-05-13T00:00:00Z"));
    assert_eq!(count().await, People { all: 4, readers: 3 });
    let gone = log.store.deactivate_person("auditor@acme.example", &by);
    gone.await.unwrap();
    assert_eq!(count().await, People { all: 3, readers: 2 });
}

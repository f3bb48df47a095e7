//! A workspace's own entries of the catalogue: who changes them, what is told of it, and where they
//! hold.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    catalogue::OwnedEntry,
    category::Category,
    event::{Action, Event, Source},
    question::{Query, Unknown},
    role::Role,
    verb::Verb,
};
use log::{BEGINNING, Log, event, object, user};
use serde_json::json;
use store::{
    Scope,
    access::SettingsScope,
    administration::By,
    catalogue::{CatalogueError, ENTRIES_MOST, EntryChange},
};

const GROWTH: &str = "acme/growth";

fn entry(action: &str, label: &str) -> OwnedEntry {
    OwnedEntry {
        action: action.parse().unwrap(),
        category: Category::CrmSyncs,
        verb: Verb::Activate,
        label: label.parse().unwrap(),
    }
}

async fn owner(log: &Log, path: &str) -> (SettingsScope, By) {
    let email = format!("{}@acme.example", path.replace('/', "."));
    let owner = log.person(&email, path, Role::Owner).await;
    let scope = owner.settings_scope(&path.parse().unwrap()).unwrap();
    (scope, By::person(&owner, None))
}

/// Events of these actions, in this order.
async fn record(log: &Log, path: &str, actions: &[&str]) -> Scope {
    let grant = log.token(path).await;
    let events = actions.iter().map(|action| {
        let door = object("door", "dor_1", "Door Oslo");
        event(user("usr_1", "Alex Kim"), action, door, BEGINNING)
    });
    log.record(&grant, events.collect()).await;
    grant.read_scope().unwrap()
}

async fn found(log: &Log, scope: &Scope, question: &str) -> Vec<Event> {
    let query = Query::read(question, Unknown::Refused);
    assert!(query.faults.is_empty(), "{question}");
    log.walk(scope, &query.query).await
}

/// What the log tells of changes of the catalogue, the newest first.
async fn told(log: &Log, scope: &Scope) -> Vec<Event> {
    found(log, scope, "action=AUDIT_CATALOGUE_UPDATED").await
}

#[tokio::test]
async fn each_change_is_told_with_what_was_and_what_is() {
    let log = Log::new().await;
    let scope = record(&log, GROWTH, &["door:open"]).await;
    let (settings, by) = owner(&log, GROWTH).await;
    let store = &log.store;
    let action: Action = "door:open".parse().unwrap();
    let first = entry("door:open", "Door opened");
    store
        .add_catalogue_entry(&settings, &first, &by)
        .await
        .unwrap();
    let found = store
        .catalogue_entry(&settings, &action)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (&found.entry, &*found.changed.by),
        (&first, "Ingrid Solheim")
    );

    let second = entry("door:open", "Somebody came in");
    let changed = store.change_catalogue_entry(&settings, &second, &by).await;
    assert_eq!(changed.unwrap(), EntryChange::Changed);
    let same = store.change_catalogue_entry(&settings, &second, &by).await;
    assert_eq!(same.unwrap(), EntryChange::Same);
    store
        .remove_catalogue_entry(&settings, &action, &by)
        .await
        .unwrap();
    assert_eq!(
        store.catalogue_entry(&settings, &action).await.unwrap(),
        None
    );

    let state = |label: &str| {
        json!({
            "action": "door:open", "category": "crm_syncs", "verb": "activate", "label": label
        })
    };
    let told = told(&log, &scope).await;
    let states: Vec<_> = told
        .iter()
        .rev()
        .map(|event| json!([event.before, event.after]))
        .collect();
    assert_eq!(
        states,
        [
            json!([null, state("Door opened")]),
            json!([state("Door opened"), state("Somebody came in")]),
            json!([state("Somebody came in"), null]),
        ]
    );
    for event in &told {
        assert_eq!(event.source, Some(Source::Daybook));
        assert_eq!(event.actor.actor.name.as_deref(), Some("Ingrid Solheim"));
        assert_eq!(event.target.id.as_deref(), Some("door:open"));
    }
    log.store.close().await;
}

#[tokio::test]
async fn what_cannot_be_done_changes_and_tells_nothing() {
    let log = Log::new().await;
    let scope = record(&log, GROWTH, &["door:open"]).await;
    let (settings, by) = owner(&log, GROWTH).await;
    let store = &log.store;
    let known = entry("door:open", "Door opened");
    store
        .add_catalogue_entry(&settings, &known, &by)
        .await
        .unwrap();

    let again = store
        .add_catalogue_entry(&settings, &entry("door:open", "x"), &by)
        .await;
    assert!(matches!(again, Err(CatalogueError::Exists(_))), "{again:?}");
    let missing = entry("door:shut", "x");
    let changed = store.change_catalogue_entry(&settings, &missing, &by).await;
    assert!(
        matches!(changed, Err(CatalogueError::Missing(_))),
        "{changed:?}"
    );
    let removed = store
        .remove_catalogue_entry(&settings, &missing.action, &by)
        .await;
    assert!(
        matches!(removed, Err(CatalogueError::Missing(_))),
        "{removed:?}"
    );

    for role in [Role::Admin, Role::Auditor] {
        let email = format!("{role:?}@acme.example").to_lowercase();
        let person = log.person(&email, GROWTH, role).await;
        let reading = person.settings_scope(&GROWTH.parse().unwrap()).unwrap();
        let by = By::person(&person, None);
        let page = store.catalogue_entries(&reading, None).await.unwrap();
        assert_eq!(page.entries[0].entry, known);
        let refused = [
            store.add_catalogue_entry(&reading, &missing, &by).await,
            store
                .change_catalogue_entry(&reading, &known, &by)
                .await
                .map(drop),
            store
                .remove_catalogue_entry(&reading, &known.action, &by)
                .await,
        ];
        for answer in refused {
            assert!(
                matches!(answer, Err(CatalogueError::ReadOnly)),
                "{answer:?}"
            );
        }
    }
    assert_eq!(told(&log, &scope).await.len(), 1);
    log.store.close().await;
}

#[tokio::test]
async fn a_workspace_has_so_many_entries_and_no_more_and_lists_them_in_pages() {
    let log = Log::new().await;
    let (settings, by) = owner(&log, GROWTH).await;
    let store = &log.store;
    // As many as there may be but one, as if they had been added one by one.
    let entries = ENTRIES_MOST - 1;
    log.execute(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {entries}) \
         INSERT INTO catalogue_entry SELECT w.id, 'act:' || substr(CAST(10000 + n AS TEXT), 2), \
         'other', 'run', 'Done', 'tester', 0 FROM n, workspace w WHERE w.slug = 'growth'"
    ))
    .await;
    store
        .add_catalogue_entry(&settings, &entry("zzz", "Last"), &by)
        .await
        .unwrap();
    let full = store
        .add_catalogue_entry(&settings, &entry("zzzz", "One more"), &by)
        .await;
    assert!(matches!(full, Err(CatalogueError::Full)), "{full:?}");
    // One that is there may still be changed.
    let changed = store
        .change_catalogue_entry(&settings, &entry("zzz", "Still"), &by)
        .await;
    assert_eq!(changed.unwrap(), EntryChange::Changed);

    let mut names = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .catalogue_entries(&settings, after.as_ref())
            .await
            .unwrap();
        assert_eq!(page.all, ENTRIES_MOST);
        assert!(page.entries.len() <= 100);
        names.extend(page.entries.iter().map(|own| own.entry.action.to_string()));
        if !page.more {
            break;
        }
        after = page.entries.last().map(|own| own.entry.action.clone());
    }
    assert_eq!(names.len() as u64, ENTRIES_MOST);
    assert!(names.is_sorted());
    assert_eq!(names.last().map(String::as_str), Some("zzz"));
    log.store.close().await;
}

#[tokio::test]
async fn each_workspace_reads_its_own_also_on_the_tenants_page() {
    let log = Log::new().await;
    let growth = record(&log, GROWTH, &["door:open", "MEMBER_REMOVED"]).await;
    let revenue = record(&log, "acme/revenue", &["door:open"]).await;
    let tenant = record(&log, "acme", &["door:open"]).await;
    let (of_growth, by) = owner(&log, GROWTH).await;
    let (of_revenue, _) = owner(&log, "acme/revenue").await;
    let store = &log.store;
    let own = entry("door:open", "Way in free");
    store
        .add_catalogue_entry(&of_growth, &own, &by)
        .await
        .unwrap();
    let other = OwnedEntry {
        category: Category::Journeys,
        ..entry("door:open", "Gate passed")
    };
    store
        .add_catalogue_entry(&of_revenue, &other, &by)
        .await
        .unwrap();
    let shipped = entry("MEMBER_REMOVED", "Person gone");
    store
        .add_catalogue_entry(&of_growth, &shipped, &by)
        .await
        .unwrap();

    let places = |events: &[Event]| {
        let mut slugs: Vec<_> = events
            .iter()
            .map(|event| event.workspace.as_ref().map(ToString::to_string))
            .collect();
        slugs.sort();
        slugs
    };
    let in_growth = [Some("growth".to_owned())];
    for (scope, question, wanted) in [
        (&growth, "q=way+in", 1),
        (&growth, "q=gate", 0),
        (&growth, "category=crm_syncs&action=MEMBER_REMOVED", 1),
        (&growth, "category=crm_syncs", 2),
        (&revenue, "category=crm_syncs", 0),
        (&revenue, "q=gate", 1),
        (&tenant, "category=other&action=door:open", 1),
        (&tenant, "action=door:open", 3),
    ] {
        let events = found(&log, scope, question).await;
        assert_eq!(events.len(), wanted, "{question}: {:?}", places(&events));
    }
    let events = found(&log, &tenant, "category=crm_syncs&action=door:open").await;
    assert_eq!(places(&events), in_growth);
    let events = found(&log, &tenant, "q=Way+in").await;
    assert_eq!(places(&events), in_growth);
    let events = found(&log, &tenant, "category=other&action=door:open").await;
    assert_eq!(places(&events), [None], "the tenant's own say nothing");

    let all = found(&log, &tenant, "action=door:open").await;
    let snapshot = store.snapshot(&tenant).await.unwrap();
    let mut labels: Vec<String> = all.iter().map(|event| snapshot.label(event)).collect();
    snapshot.end().await;
    labels.sort();
    assert_eq!(labels, ["Door opened", "Gate passed", "Way in free"]);
    log.store.close().await;
}

#[tokio::test]
async fn actions_that_nobody_knows_are_listed_by_how_often_they_are_used() {
    let log = Log::new().await;
    let actions = [
        "door:open",
        "b_thing",
        "door:open",
        "MEMBER_REMOVED",
        "a_thing",
    ];
    record(&log, GROWTH, &actions).await;
    record(&log, "acme/revenue", &["elsewhere_done"]).await;
    let (settings, by) = owner(&log, GROWTH).await;
    let names = async || {
        let unknown = log.store.unknown_actions(&settings).await.unwrap();
        assert_eq!(unknown.more, 0);
        let actions = unknown.actions.into_iter();
        actions
            .map(|unknown| (unknown.action.to_string(), unknown.events))
            .collect::<Vec<_>>()
    };
    let named = |names: &[(&str, u64)]| {
        let names = names.iter();
        names
            .map(|(name, events)| ((*name).to_owned(), *events))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names().await,
        named(&[("door:open", 2), ("a_thing", 1), ("b_thing", 1)])
    );
    let own = entry("door:open", "Door opened");
    log.store
        .add_catalogue_entry(&settings, &own, &by)
        .await
        .unwrap();
    assert_eq!(names().await, named(&[("a_thing", 1), ("b_thing", 1)]));
    log.store
        .remove_catalogue_entry(&settings, &own.action, &by)
        .await
        .unwrap();
    assert_eq!(names().await.len(), 3);

    // Of very many, those used most.
    let many: Vec<String> = (0..60).map(|number| format!("odd_{number:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    record(&log, GROWTH, &many).await;
    let unknown = log.store.unknown_actions(&settings).await.unwrap();
    assert_eq!((unknown.actions.len(), unknown.more), (50, 13));
    assert_eq!(unknown.actions[0].action.as_str(), "door:open");
    log.store.close().await;
}

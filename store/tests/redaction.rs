//! What a workspace has taken out at the door: from when, where, and what is told of it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    event::{Event, NewEvent, Object},
    question::{Query, Unknown},
    redaction::{AddedName, Place, TooMany, is_mark},
    role::{Role, TokenScope},
};
use log::{BEGINNING, Log, event, object, operator, user};
use serde_json::{Value, json};
use store::{
    Store,
    access::{SettingsScope, TokenGrant},
    administration::{By, NewToken, TokenPlace},
    recording::{Door, Receipt, Redaction},
    redaction::{RedactionChange, RedactionChanged, RedactionError},
};

const GROWTH: &str = "acme/growth";

async fn owner(log: &Log) -> (SettingsScope, By) {
    let owner = log.owner(GROWTH).await;
    let scope = owner.settings_scope(&GROWTH.parse().unwrap()).unwrap();
    (scope, By::person(&owner, None))
}

fn more(names: &[&str], places: &[&str]) -> RedactionChange {
    RedactionChange::Add {
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        places: places.iter().map(|place| place.parse().unwrap()).collect(),
    }
}

async fn secret(log: &Log, place: TokenPlace) -> String {
    let token = NewToken {
        place,
        name: "tests".into(),
        scopes: TokenScope::ALL.to_vec(),
        expires: None,
        oldest_seconds: None,
    };
    let secret = log.store.create_token(&token, &operator()).await.unwrap();
    secret.reveal().to_owned()
}

fn sent() -> NewEvent {
    let target = object("customer", "cus_1", "Kim");
    let mut event = event(
        user("usr_1", "Alex Kim"),
        "customer:update",
        target,
        BEGINNING,
    );
    let some = |value: Value| -> Option<Object> { value.as_object().cloned() };
    event.after = some(json!({"cards": [{"number": "1"}, {"number": "2"}], "password": "x"}));
    event.metadata = some(json!({"customer": {"iban": "NO93"}, "nationalId": "0101"}));
    event
}

/// Sends an event through the door of a token, which is looked up as for a request, and gives what
/// was recorded.
async fn recorded(store: &Store, secret: &str, redaction: Redaction, sent: NewEvent) -> Event {
    let grant = store.token(secret).await.unwrap().unwrap();
    through(
        store,
        &grant,
        &Door::token(&grant, redaction).unwrap(),
        sent,
    )
    .await
}

async fn through(store: &Store, reader: &TokenGrant, door: &Door, sent: NewEvent) -> Event {
    let admitted = store.admit(door, sent).unwrap();
    let receipts = store.record(vec![admitted]).await.unwrap();
    let [Receipt::Recorded(placed)] = receipts.as_slice() else {
        panic!("{receipts:?}");
    };
    let scope = reader.read_scope().unwrap();
    store.event(&scope, placed.id).await.unwrap().unwrap()
}

/// What was taken out, by its place.
fn taken(event: &Event) -> Vec<&'static str> {
    let all = json!({"after": event.after, "metadata": event.metadata});
    [
        "/after/cards/0/number",
        "/after/cards/1/number",
        "/after/password",
        "/metadata/customer/iban",
        "/metadata/nationalId",
    ]
    .into_iter()
    .filter(|place| is_mark(all.pointer(place).unwrap().as_str().unwrap()))
    .collect()
}

const BUILT_IN: [&str; 1] = ["/after/password"];
const ALL: [&str; 5] = [
    "/after/cards/0/number",
    "/after/cards/1/number",
    "/after/password",
    "/metadata/customer/iban",
    "/metadata/nationalId",
];

#[tokio::test]
async fn a_change_holds_at_the_next_request_in_every_process() {
    let log = Log::new().await;
    let (settings, by) = owner(&log).await;
    let secret = secret(&log, TokenPlace::Workspace(GROWTH.parse().unwrap())).await;
    let other = Store::open(Log::options(&log.folder, &log.clock))
        .await
        .unwrap();
    let of_both = async || {
        let mut both = Vec::new();
        for store in [&log.store, &other] {
            both.push(recorded(store, &secret, Redaction::On, sent()).await);
        }
        assert_eq!(
            both[0].after, both[1].after,
            "marks are those of the installation"
        );
        assert_eq!(taken(&both[0]), taken(&both[1]));
        both.remove(0)
    };
    let before = of_both().await;
    assert_eq!(taken(&before), BUILT_IN);
    assert_eq!(before.redacted, 1);

    let change = more(
        &["national_id"],
        &["metadata.customer.iban", "after.cards[].number"],
    );
    let done = log
        .store
        .change_redaction(&settings, change.clone(), &by)
        .await;
    assert_eq!(done.unwrap(), RedactionChanged::Changed);
    let after = of_both().await;
    assert_eq!(taken(&after), ALL);
    assert_eq!(after.redacted, 5);
    // What is in the log stays as it was recorded.
    let scope = log.scope(GROWTH).await;
    let again = log.store.event(&scope, before.id).await.unwrap();
    assert_eq!(again, Some(before));

    // A sender that may, and asks for it, passes as before.
    let trusted = recorded(&log.store, &secret, Redaction::Off, sent()).await;
    assert_eq!((taken(&trusted), trusted.redacted), (Vec::new(), 0));

    // The other process takes something back.
    let name: AddedName = "NationalId".parse().unwrap();
    let done = other
        .change_redaction(&settings, RedactionChange::RemoveName(name), &by)
        .await;
    assert_eq!(done.unwrap(), RedactionChanged::Changed);
    let place: Place = "after.cards[*].number".parse().unwrap();
    let done = other
        .change_redaction(&settings, RedactionChange::RemovePlace(place), &by)
        .await;
    assert_eq!(done.unwrap(), RedactionChanged::Changed);
    let fewer = of_both().await;
    assert_eq!(
        taken(&fewer),
        ["/after/password", "/metadata/customer/iban"]
    );
    other.close().await;
    log.store.close().await;
}

#[tokio::test]
async fn it_is_the_workspaces_own_whoever_sends_and_imports() {
    let log = Log::new().await;
    let (settings, by) = owner(&log).await;
    let change = more(
        &["national_id"],
        &["metadata.customer.iban", "after.cards[].number"],
    );
    log.store
        .change_redaction(&settings, change, &by)
        .await
        .unwrap();

    let secret = secret(&log, TokenPlace::Tenant("acme".parse().unwrap())).await;
    for (workspace, wanted) in [
        (Some("growth"), &ALL[..]),
        (Some("revenue"), &BUILT_IN),
        (None, &BUILT_IN),
    ] {
        let mut event = sent();
        event.workspace = workspace.map(|slug| slug.parse().unwrap());
        let event = recorded(&log.store, &secret, Redaction::On, event).await;
        assert_eq!(taken(&event), wanted, "{workspace:?}");
    }
    let grant = log.store.token(&secret).await.unwrap().unwrap();
    let door = log.store.import_door(settings.workspace()).await.unwrap();
    let imported = through(&log.store, &grant, &door, sent()).await;
    assert_eq!(taken(&imported), ALL);
    log.store.close().await;
}

#[tokio::test]
async fn each_change_is_told_and_nothing_that_is_none() {
    let log = Log::new().await;
    let (settings, by) = owner(&log).await;
    let store = &log.store;
    // The names of Daybook's own members among them: what it tells itself is left as it is.
    let change = more(&["redaction_names", "iban"], &["after.redaction_paths"]);
    store
        .change_redaction(&settings, change, &by)
        .await
        .unwrap();
    let same = store
        .change_redaction(&settings, more(&["IBAN"], &[]), &by)
        .await;
    assert_eq!(same.unwrap(), RedactionChanged::Same);
    let unknown = RedactionChange::RemoveName("never".parse().unwrap());
    let same = store.change_redaction(&settings, unknown, &by).await;
    assert_eq!(same.unwrap(), RedactionChanged::Same);
    let name = RedactionChange::RemoveName("iban".parse().unwrap());
    store.change_redaction(&settings, name, &by).await.unwrap();

    let auditor = log.person("aron@acme.example", GROWTH, Role::Auditor).await;
    let reading = auditor.settings_scope(&GROWTH.parse().unwrap()).unwrap();
    let refused = store
        .change_redaction(&reading, more(&["x"], &[]), &by)
        .await;
    assert!(
        matches!(refused, Err(RedactionError::ReadOnly)),
        "{refused:?}"
    );
    let seen = store.redaction(&reading).await.unwrap();
    assert_eq!(seen.added.names().len(), 1);
    assert_eq!(seen.set.unwrap().by, "Ingrid Solheim");

    let scope = log.scope(GROWTH).await;
    let query = Query::read("action=AUDIT_REDACTION_UPDATED", Unknown::Refused).query;
    let told = log.walk(&scope, &query).await;
    let state = |names: &[&str], paths: &[&str]| json!({"redaction_names": names, "redaction_paths": paths});
    let states: Vec<_> = told
        .iter()
        .rev()
        .map(|event| json!([event.before, event.after]))
        .collect();
    let (both, one) = (["iban", "redaction_names"], ["redaction_names"]);
    let paths = ["after.redaction_paths"];
    assert_eq!(
        states,
        [
            json!([state(&[], &[]), state(&both, &paths)]),
            json!([state(&both, &paths), state(&one, &paths)]),
        ]
    );
    assert_eq!(told[0].redacted, 0);
    log.store.close().await;
}

#[tokio::test]
async fn there_are_so_many_names_and_paths_and_no_more() {
    let log = Log::new().await;
    let (settings, by) = owner(&log).await;
    let store = &log.store;
    let letters = |number: usize| {
        let letter = |at: usize| char::from(b'a' + u8::try_from(at % 26).unwrap());
        format!("n{}{}", letter(number / 26), letter(number))
    };
    let names: Vec<String> = (0..200).map(letters).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let paths: Vec<String> = (0..200).map(|number| format!("after.p{number}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    store
        .change_redaction(&settings, more(&names, &paths), &by)
        .await
        .unwrap();
    let full = store
        .change_redaction(&settings, more(&["onemore"], &[]), &by)
        .await;
    assert!(
        matches!(full, Err(RedactionError::TooMany(TooMany::Names))),
        "{full:?}"
    );
    let full = store
        .change_redaction(&settings, more(&[], &["after.more"]), &by)
        .await;
    assert!(
        matches!(full, Err(RedactionError::TooMany(TooMany::Places))),
        "{full:?}"
    );
    assert_eq!(
        store
            .redaction(&settings)
            .await
            .unwrap()
            .added
            .names()
            .len(),
        200
    );
    log.store.close().await;
}

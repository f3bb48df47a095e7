//! What stands in place of what was erased is looked at too: under whom, and that what is said to be gone is.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    event::{Actor, ActorKind, NewEvent, Part, Parts},
    slug::WorkspacePath,
};
use log::{BEGINNING, Log, event, limit, object, operator, user};
use store::{
    access::SettingsScope,
    erasure::{Released, What},
    proof::verify::{Verified, VerifyError, Wrong, verify},
    retention::Removal,
};

const JANE: &str = "jane.doe@acme.example";

fn jane() -> Actor {
    Actor {
        kind: ActorKind::User,
        id: Some("usr_1".into()),
        name: Some("Jane Doe".into()),
        email: Some(JANE.into()),
    }
}

fn did(who: Actor, through: Vec<Actor>) -> NewEvent {
    let mut event = event(
        who,
        "secret:rotate",
        object("secret", "s", "SALES"),
        BEGINNING,
    );
    event.via = through;
    event
}

async fn scope(log: &Log) -> SettingsScope {
    let path: WorkspacePath = "acme/growth".parse().unwrap();
    log.store.operator_settings(&path).await.unwrap().unwrap()
}

async fn release(log: &Log, what: &What) {
    let reason = "Request 4711".parse().unwrap();
    let scope = scope(log).await;
    let released = log.store.erase(&scope, what, &reason, &operator()).await;
    assert!(matches!(released.unwrap(), Released::Made(..)));
}

async fn carry_out(log: &Log) {
    loop {
        match log.store.remove_some().await.unwrap() {
            Removal::Erased { .. } | Removal::Some { .. } => {}
            Removal::Nothing => return,
            Removal::Elsewhere => tokio::task::yield_now().await,
        }
    }
}

/// A log of these events, of which something was erased, and which is right.
async fn erased(events: Vec<NewEvent>, what: &What) -> Log {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, events).await;
    log.store.cover().await.unwrap();
    release(&log, what).await;
    carry_out(&log).await;
    log.store.cover().await.unwrap();
    verified(&log).await.unwrap();
    log
}

async fn verified(log: &Log) -> Result<Verified, Wrong> {
    let options = Log::options(&log.folder, &log.clock);
    match verify(&options, &[], |_, _| ()).await {
        Ok(verified) => Ok(verified),
        Err(VerifyError::Wrong(wrong)) => Err(wrong),
        Err(error) => panic!("{error}"),
    }
}

fn strange(found: Result<Verified, Wrong>) -> &'static str {
    match found {
        Err(Wrong::Altered { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

fn person() -> What {
    What::Person(JANE.parse().unwrap())
}

#[tokio::test]
async fn who_did_it_stands_under_no_other_pseudonym_than_the_release_tells() {
    for attacked in [
        "UPDATE actor SET id = 'erased-0123456789abcdef' WHERE id LIKE 'erased-%'",
        "UPDATE actor SET id = 'usr_2' WHERE id LIKE 'erased-%'",
        "UPDATE actor SET id = NULL WHERE id LIKE 'erased-%'",
    ] {
        let log = erased(vec![did(jane(), Vec::new())], &person()).await;
        log.attack(attacked).await;
        let what = strange(verified(&log).await);
        assert!(what.contains("pseudonym"), "{attacked}: {what}");
    }
}

#[tokio::test]
async fn who_carried_it_out_stands_under_no_other_pseudonym_either() {
    let through = || vec![user("usr_3", "Kim Berg"), jane()];
    for attacked in [
        "UPDATE actor SET id = 'erased-0123456789abcdef' WHERE id LIKE 'erased-%'",
        "UPDATE actor SET id = 'usr_2' WHERE id LIKE 'erased-%'",
        "UPDATE actor SET name = 'Mallory' WHERE id LIKE 'erased-%'",
    ] {
        let log = erased(vec![did(user("usr_2", "Alex Kim"), through())], &person()).await;
        log.attack(attacked).await;
        let what = strange(verified(&log).await);
        assert!(what.contains("carried it out"), "{attacked}: {what}");
    }
}

#[tokio::test]
async fn of_one_event_all_who_were_erased_stand_under_pseudonyms() {
    let through = vec![user("usr_3", "Kim Berg"), jane()];
    for (parts, attacked) in [
        (
            vec![Part::Via],
            "UPDATE actor SET id = 'usr_9' WHERE id LIKE 'erased-%'",
        ),
        (
            vec![Part::Actor, Part::Via],
            "UPDATE actor SET id = 'usr_9' WHERE id LIKE 'erased-%'",
        ),
    ] {
        let log = Log::new().await;
        let grant = log.token("acme/growth").await;
        log.record(
            &grant,
            vec![did(user("usr_2", "Alex Kim"), through.clone())],
        )
        .await;
        log.store.cover().await.unwrap();
        let scope = log.scope("acme/growth").await;
        let sent = log.walk(&scope, &limit(10)).await;
        let sent = sent.iter().find(|event| event.source.is_none()).unwrap();
        let parts: Parts = parts.into_iter().collect();
        release(&log, &What::Event(sent.id, Some(parts))).await;
        carry_out(&log).await;
        verified(&log).await.unwrap();
        log.attack(attacked).await;
        let what = strange(verified(&log).await);
        assert!(what.contains("pseudonym"), "{what}");
    }
}

#[tokio::test]
async fn a_release_that_is_said_to_be_finished_has_left_nothing() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, vec![did(jane(), Vec::new())]).await;
    log.store.cover().await.unwrap();
    release(&log, &person()).await;
    let found = verified(&log).await.unwrap();
    assert!(found.tenants[0].erased[0].is_under_way);
    log.attack("UPDATE erasure SET finished_at = 1").await;
    let found = verified(&log).await;
    let Err(Wrong::Left { parts, .. }) = &found else {
        panic!("{found:?}");
    };
    assert_eq!(parts, "actor");
}

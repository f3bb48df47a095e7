//! A log that is looked at while others write to it, without one state of it all: as it has to be where it is
//! spread over nodes.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{VerifyError, Wrong, verify_moving};
use crate::{
    DatabaseUrl,
    database::Connection,
    postgres,
    retention::{Occasion, Removal},
    settings::SettingsChange,
    sqlite::{
        self,
        reading::log::{BEGINNING, Log, event, object, operator, time, user},
    },
};
use chrono::TimeDelta;
use domain::{event::NewEvent, retention::Retention, slug::WorkspacePath};
use std::sync::atomic::{AtomicU32, Ordering};

/// So often it is looked at when everything was written once.
const LOOKS: u32 = 5;

fn some(count: usize) -> Vec<NewEvent> {
    let events = (0..count).map(|number| {
        let person = user(&format!("usr_{}", number % 3), "Alex Kim");
        let thing = object("secret", &format!("sec_{number}"), "SALESFORCE");
        let mut event = event(person, "secret:rotate", thing, BEGINNING);
        event.occurred_at = None;
        event
    });
    events.collect()
}

async fn connected(log: &Log) -> Connection {
    match &Log::options(&log.folder, &log.clock).database {
        DatabaseUrl::Sqlite(path) => sqlite::migrated(path).await.unwrap(),
        DatabaseUrl::Postgres(url) => postgres::migrated(url).await.unwrap(),
    }
}

/// One more workspace, with events of its own.
async fn joined_by(log: &Log, name: &str) {
    let path: WorkspacePath = format!("acme/{name}").parse().unwrap();
    let (store, by) = (&log.store, operator());
    store.create_workspace(&path, name, &by).await.unwrap();
    let grant = log.token(&path.to_string()).await;
    log.record(&grant, some(3)).await;
}

/// What was recorded first expires, and is removed.
async fn shortened(log: &Log) {
    let path = "acme/growth".parse().unwrap();
    let by = operator();
    let scope = log.store.operator_settings(&path).await.unwrap().unwrap();
    let change = SettingsChange {
        retention: Some(Retention::Days(30)),
        now: true,
        ..SettingsChange::default()
    };
    log.store
        .change_settings(&scope, change, &by)
        .await
        .unwrap();
    log.clock.set(time(BEGINNING).plus(TimeDelta::days(31)));
    let expiring = log.store.expiring_log(&path).await.unwrap().unwrap();
    log.store
        .release(&expiring, Occasion::Asked, &by)
        .await
        .unwrap();
    while matches!(log.store.remove_some().await.unwrap(), Removal::Some { .. }) {}
}

#[tokio::test]
async fn a_log_that_others_write_to_is_never_called_altered() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, some(600)).await;
    log.store.cover().await.unwrap();
    // How often something was written, and looked at.
    let (written, looked) = (AtomicU32::new(0), AtomicU32::new(0));
    let writing = async {
        while looked.load(Ordering::Relaxed) < LOOKS {
            log.record(&grant, some(90)).await;
            match written.load(Ordering::Relaxed) {
                4 => shortened(&log).await,
                6 => drop(log.store.rotate_key(&operator()).await.unwrap()),
                round if round % 5 == 2 => joined_by(&log, &format!("w{round}")).await,
                _ => {}
            }
            log.store.cover().await.unwrap();
            written.fetch_add(1, Ordering::Relaxed);
        }
    };
    let checking = async {
        let mut most = 0;
        while looked.load(Ordering::Relaxed) < LOOKS {
            let mut connection = connected(&log).await;
            let found = verify_moving(&mut connection, &[], |_, _| ())
                .await
                .unwrap();
            assert!(found.tenants[0].entries >= most);
            most = found.tenants[0].entries;
            // All that is written is written beside some look.
            if written.load(Ordering::Relaxed) > 8 {
                looked.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    tokio::join!(writing, checking);
}

#[tokio::test]
async fn what_was_altered_is_found_there_too() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, some(300)).await;
    log.store.cover().await.unwrap();
    let lifted = if crate::sqlite::reading::log::postgres().is_some() {
        "ALTER TABLE action DISABLE TRIGGER action_stays"
    } else {
        "DROP TRIGGER action_keeps"
    };
    log.execute(lifted).await;
    log.execute("UPDATE action SET action = 'secret:read' WHERE action = 'secret:rotate'")
        .await;
    let mut connection = connected(&log).await;
    let found = verify_moving(&mut connection, &[], |_, _| ()).await;
    assert!(
        matches!(&found, Err(VerifyError::Wrong(Wrong::Altered { .. }))),
        "{found:?}"
    );
}

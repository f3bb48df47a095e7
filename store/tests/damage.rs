//! What cannot be read at all is damage: it is told of the log that it is in, and hides no other's.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::slug::{Slug, WorkspacePath};
use log::{BEGINNING, Log, event, object, operator, user};
use store::proof::verify::{Steady, Step, VerifyError, Wrong, verify};

/// Two logs, covered by checkpoints.
async fn recorded() -> Log {
    let log = Log::new().await;
    let other: Slug = "globex".parse().unwrap();
    let by = operator();
    log.store
        .create_tenant(&other, "Globex", &by)
        .await
        .unwrap();
    let path: WorkspacePath = "globex/main".parse().unwrap();
    log.store
        .create_workspace(&path, "Main", &by)
        .await
        .unwrap();
    for place in ["acme/growth", "globex/main"] {
        let grant = log.token(place).await;
        let events = (0..300).map(|number| {
            let thing = object("secret", &format!("sec_{number}"), "SALESFORCE");
            let mut event = event(user("usr_1", "Alex Kim"), "secret:rotate", thing, BEGINNING);
            event.operation = Some("some".to_owned());
            event
        });
        log.record(&grant, events.collect()).await;
    }
    log.store.cover().await.unwrap();
    log
}

async fn rounds(log: &Log, rounds: usize) {
    let mut steady = Steady::default();
    for _ in 0..rounds {
        while let Step::Checked(_) = steady.step(&log.store).await.unwrap() {}
    }
}

/// What is known to be wrong with a tenant's log, and of how many entries all was found right.
async fn known(log: &Log, slug: &str) -> (Option<String>, Option<i64>) {
    let rows: Vec<(Option<String>, Option<i64>)> = log
        .rows(&format!(
            "SELECT fault, passed FROM background_check \
             WHERE tenant = (SELECT id FROM tenant WHERE slug = '{slug}')"
        ))
        .await;
    rows.into_iter().next().unwrap_or_default()
}

async fn verified(log: &Log) -> Result<(), Wrong> {
    let options = Log::options(&log.folder, &log.clock);
    match verify(&options, &[], |_, _| ()).await {
        Ok(_) => Ok(()),
        Err(VerifyError::Wrong(wrong)) => Err(wrong),
        Err(error) => panic!("{error}"),
    }
}

/// A statement on what is the tenant acme's, whose number is 1; with bytes as the database writes them.
fn of_acme(statement: &str) -> String {
    if log::postgres().is_some() {
        let it = "tenant = 1 AND seq = 100";
        statement
            .replace("x'00'", "'\\x00'::bytea")
            .replace("IT", it)
    } else {
        let it = "n = (SELECT n FROM leaf WHERE tenant = 1 AND seq = 100)";
        statement.replace("IT", it)
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_found_where_it_is_and_keeps_no_other_log_from_being_checked() {
    let mut ways = vec![
        (
            "UPDATE leaf SET id = x'00' WHERE tenant = 1 AND seq = 100",
            "entry 100",
        ),
        (
            "UPDATE leaf SET parts = x'00' WHERE tenant = 1 AND seq = 100",
            "entry 100",
        ),
        ("UPDATE content SET salt = x'00' WHERE IT", "entry 100"),
        ("UPDATE content SET target = -1 WHERE IT", "entry 100"),
        (
            "UPDATE tile SET hashes = x'00' WHERE tenant = 1 AND level = 0",
            "tile",
        ),
        (
            "UPDATE checkpoint SET root = x'00' WHERE tenant = 1",
            "checkpoint",
        ),
    ];
    if log::postgres().is_none() {
        let text = "UPDATE content SET operation = CAST(x'ff' AS TEXT) WHERE IT";
        ways.push((text, "entry 100"));
    }
    for (statement, place) in ways {
        let log = recorded().await;
        rounds(&log, 1).await;
        assert_eq!(known(&log, "acme").await.0, None);
        log.execute("UPDATE background_check SET passed = NULL")
            .await;
        log.attack(&of_acme(statement)).await;
        rounds(&log, 2).await;
        let (fault, passed) = known(&log, "acme").await;
        let fault = fault.unwrap_or_else(|| panic!("{statement}: nothing is found"));
        assert!(
            fault.starts_with("acme: ") && fault.contains(place),
            "{statement}: {fault}"
        );
        assert_eq!(passed, None, "{statement}");
        let (fault, passed) = known(&log, "globex").await;
        assert_eq!(fault, None, "{statement}");
        assert!(passed.is_some_and(|passed| passed > 300), "{statement}");
        assert_eq!(log.store.check_newest().await.unwrap(), 1, "{statement}");
        let found = verified(&log).await;
        let Err(Wrong::Damaged { of, what }) = &found else {
            panic!("{statement}: {found:?}");
        };
        assert!(
            of == "acme" && what.contains(place),
            "{statement}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_newest_checkpoint_that_cannot_be_read_is_found_at_once() {
    let log = recorded().await;
    log.attack(&of_acme(
        "UPDATE checkpoint SET root = x'00' WHERE tenant = 1",
    ))
    .await;
    assert_eq!(log.store.check_newest().await.unwrap(), 1);
    let fault = known(&log, "acme").await.0.unwrap();
    assert!(fault.contains("cannot be compared"), "{fault}");
}

#[tokio::test]
async fn a_tenant_whose_name_is_none_hides_no_other() {
    let log = recorded().await;
    log.attack("UPDATE tenant SET slug = 'a b' WHERE slug = 'acme'")
        .await;
    assert_eq!(log.store.check_newest().await.unwrap(), 1);
    rounds(&log, 2).await;
    let (fault, _) = known(&log, "a b").await;
    assert!(fault.is_some_and(|fault| fault.contains("slug")));
    let (fault, passed) = known(&log, "globex").await;
    assert!(fault.is_none() && passed.is_some());
    let found = verified(&log).await;
    assert!(
        matches!(&found, Err(Wrong::Damaged { of, .. }) if of == "tenant 1"),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_is_earlier_in_the_log_is_told_before_what_cannot_be_read() {
    let log = recorded().await;
    let statements = "UPDATE leaf SET id = x'00' WHERE tenant = 1 AND seq = 200; \
         UPDATE leaf SET occurred_at = occurred_at + 1 WHERE tenant = 1 AND seq = 100;";
    log.attack(&of_acme(statements)).await;
    let found = verified(&log).await;
    assert!(
        matches!(found, Err(Wrong::Altered { seq: 100, .. })),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_database_that_cannot_be_asked_is_no_alarm() {
    let log = recorded().await;
    let mut steady = Steady::default();
    log.store.close().await;
    assert!(steady.step(&log.store).await.is_err());
    assert!(log.store.check_newest().await.is_err());
    for slug in ["acme", "globex"] {
        assert_eq!(known(&log, slug).await, (None, None));
    }
}

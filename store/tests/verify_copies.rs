//! Who alters what is kept to search by changes what is found, and not what was recorded: `verify` finds
//! it from the database alone.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::event::{NewEvent, Outcome};
use log::{BEGINNING, Log, event, object, user};
use store::proof::verify::{Verified, VerifyError, Wrong, verify};

fn some_event(number: usize) -> NewEvent {
    let mut event = event(
        user(&format!("usr_{}", number % 3), "Alex Kim"),
        ["secret:rotate", "MEMBER_ADDED"][number % 2],
        object("secret", &format!("sec_{}", number % 5), "SALESFORCE"),
        BEGINNING,
    );
    event.via = vec![user("agt_1", "Assistant")];
    event.related = vec![object("user", "usr_9", "Kim Berg")];
    event.idempotency_key = Some(format!("key-{number}"));
    event.operation = number.is_multiple_of(4).then(|| "bulk-7".to_owned());
    if number.is_multiple_of(7) {
        event.outcome = Outcome::Denied;
    }
    event
}

async fn recorded() -> Log {
    let log = Log::new().await;
    let growth = log.token("acme/growth").await;
    let events = (0..40).map(some_event).collect();
    log.record(&growth, events).await;
    log.store.cover().await.unwrap();
    // What is altered is in the index by then.
    log.store.wait_for_index(|_, _| ()).await.unwrap();
    log
}

async fn verified(log: &Log) -> Result<Verified, Wrong> {
    match verify(&Log::options(&log.folder, &log.clock), &[], |_, _| ()).await {
        Ok(verified) => Ok(verified),
        Err(VerifyError::Wrong(wrong)) => Err(wrong),
        Err(error) => panic!("{error}"),
    }
}

/// The table that an alteration is found in, and what alters it.
const ON_SQLITE: [(&str, &str); 18] = [
    ("by_time", "DELETE FROM i.by_time WHERE n = 20"),
    ("by_time", "UPDATE i.by_time SET at = at - 1 WHERE n = 20"),
    (
        "by_time",
        "UPDATE i.by_time SET actor = 3 - actor % 2 WHERE n = 20",
    ),
    (
        "by_actor",
        "UPDATE i.by_actor SET key = key + 1000 WHERE n = 20 AND own = 0",
    ),
    (
        "by_action",
        "UPDATE i.by_action SET key = key + 1000 WHERE n = 20",
    ),
    (
        "by_target",
        "DELETE FROM i.by_target WHERE n = 20 AND own = 1",
    ),
    (
        "by_kind",
        "UPDATE i.by_kind SET outcome = 2 WHERE n = 20 AND own = 0",
    ),
    ("by_outcome", "DELETE FROM i.by_outcome"),
    ("by_operation", "UPDATE i.by_operation SET key = 'bulk-8'"),
    ("by_key", "DELETE FROM i.by_key WHERE n = 20"),
    (
        "by_time",
        "INSERT INTO i.by_time SELECT ws, at + 1, n, actor, via, action, kind, target, related, \
         outcome FROM i.by_time WHERE n = 20",
    ),
    (
        "by_actor",
        "INSERT INTO i.by_actor SELECT ws, key + 1000, at, n, own, actor, via, action, kind, target, \
         related, outcome FROM i.by_actor WHERE n = 20 AND own = 1",
    ),
    (
        "count_actor",
        "UPDATE i.count_actor SET events = events - 1 WHERE key = 2 AND events > 0",
    ),
    ("count_pair", "DELETE FROM i.count_pair"),
    ("count_day", "DELETE FROM i.count_day"),
    (
        "count_day",
        "UPDATE i.count_day SET hours = CAST(substr(hours, 1, length(hours) - 1) || x'7f' AS BLOB)",
    ),
    (
        "count_day",
        "UPDATE i.count_day SET quarters = CAST(substr(quarters, 1, length(quarters) - 1) || x'7f' AS BLOB)",
    ),
    (
        "count_day",
        "INSERT INTO i.count_day SELECT ws, day + 1, hours, quarters FROM i.count_day",
    ),
];

const ON_POSTGRES: [(&str, &str); 8] = [
    ("entry", "DELETE FROM entry WHERE seq = 20 AND what = 1"),
    (
        "entry",
        "UPDATE entry SET key = key + 1000 WHERE seq = 20 AND what = 2",
    ),
    (
        "entry",
        "UPDATE entry SET outcome = 2 WHERE seq = 20 AND what = 3",
    ),
    (
        "entry",
        "INSERT INTO entry SELECT tenant, class, at, seq, ws, what, key + 1000, actor, via, action, kind, \
         target, related, outcome FROM entry WHERE seq = 20 AND what = 1",
    ),
    ("idempotency", "DELETE FROM idempotency WHERE seq = 20"),
    ("log_class", "DELETE FROM log_class"),
    (
        "tally",
        "UPDATE tally SET events = events + 1; \
         UPDATE tally_change SET events[1] = events[1] + 1 WHERE what = 1",
    ),
    ("tally", "DELETE FROM tally; DELETE FROM tally_change"),
];

#[tokio::test]
async fn what_is_searched_by_is_what_was_recorded() {
    let log = recorded().await;
    verified(&log).await.unwrap();
}

#[tokio::test]
async fn what_is_searched_by_cannot_be_altered_unseen() {
    let index = |log: &Log| log.folder.path().join("daybook.db.index");
    let all = if log::postgres().is_some() {
        &ON_POSTGRES[..]
    } else {
        &ON_SQLITE[..]
    };
    for (table, alteration) in all {
        let log = recorded().await;
        if log::postgres().is_some() {
            // One after the other: on several nodes each statement goes by itself.
            for statement in alteration.split(';') {
                log.execute(statement).await;
            }
        } else {
            let attach = format!("ATTACH '{}' AS i", index(&log).display());
            log.execute(&format!("{attach}; {alteration}")).await;
        }
        let found = verified(&log).await.unwrap_err();
        let found = match &found {
            Wrong::Unfound { table, .. }
            | Wrong::Counts { table }
            | Wrong::Strange { table, .. } => table,
            other => panic!("{alteration}: {other}"),
        };
        assert_eq!(found, table, "{alteration}");
        log.store.close().await;
    }
}

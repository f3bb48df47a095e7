//! What is altered behind the store's back is found, from the database alone, and named.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    event::{EventId, NewEvent},
    leaf::{Hash, Header, leaf_hash},
    proof::{Note, Signer, root},
    retention::Retention,
    slug::{Slug, WorkspacePath},
    time::Timestamp,
};
use log::{BEGINNING, Log, event, limit, object, operator, user};
use std::fmt::Write;
use store::{
    DatabaseUrl, Store,
    access::TokenGrant,
    proof::verify::{Kept, KeptWrong, Verified, VerifyError, Wrong, verify},
    retention::{Occasion, Released, Removal},
    settings::SettingsChange,
};

fn some_event(number: usize) -> NewEvent {
    let mut event = event(
        user(
            &format!("usr_{}", number % 3),
            ["Alex Kim", "Priya Raman", "Åse"][number % 3],
        ),
        ["secret:rotate", "MEMBER_ADDED"][number % 2],
        object("secret", &format!("sec_{number}"), "SALESFORCE"),
        BEGINNING,
    );
    event.via = vec![user("agt_1", "Assistant")];
    event.related = vec![object("user", "usr_9", "Kim Berg")];
    event.idempotency_key = Some(format!("key-{number}"));
    event.after = serde_json::json!({"version": number, "ratio": 1e-7, "password": "hunter2"})
        .as_object()
        .cloned();
    event
}

fn some(events: std::ops::Range<usize>) -> Vec<NewEvent> {
    events.map(some_event).collect()
}

/// A log with events of two tenants, all covered by checkpoints.
async fn recorded() -> Log {
    let log = Log::new().await;
    let other: Slug = "globex".parse().unwrap();
    log.store
        .create_tenant(&other, "Globex", &operator())
        .await
        .unwrap();
    let path: WorkspacePath = "globex/main".parse().unwrap();
    log.store
        .create_workspace(&path, "Main", &operator())
        .await
        .unwrap();
    let growth = log.token("acme/growth").await;
    let main = log.token("globex/main").await;
    log.record(&growth, some(0..20)).await;
    log.record(&main, some(0..20)).await;
    log.store.cover().await.unwrap();
    log.record(&growth, some(20..300)).await;
    log.record(&main, some(20..300)).await;
    log.store.cover().await.unwrap();
    log
}

async fn verified_with(log: &Log, kept: &[Kept]) -> Result<Verified, Wrong> {
    let options = Log::options(&log.folder, &log.clock);
    match verify(&options, kept, |_, _| ()).await {
        Ok(verified) => Ok(verified),
        Err(VerifyError::Wrong(wrong)) => Err(wrong),
        Err(error) => panic!("{error}"),
    }
}

async fn verified(log: &Log) -> Result<Verified, Wrong> {
    verified_with(log, &[]).await
}

/// The tenant acme's number, and how its contents are told from others.
async fn acme(log: &Log) -> i64 {
    log.number("SELECT id FROM tenant WHERE slug = 'acme'")
        .await
}

/// The content of an entry of acme, as a condition.
async fn content_of(log: &Log, seq: i64) -> String {
    let tenant = acme(log).await;
    if log::postgres().is_some() {
        return format!("tenant = {tenant} AND seq = {seq}");
    }
    let n = log
        .number(&format!(
            "SELECT n FROM leaf WHERE tenant = {tenant} AND seq = {seq}"
        ))
        .await;
    format!("n = {n}")
}

/// Which entry is said to be altered, and what shows it.
fn altered(found: Result<Verified, Wrong>) -> (String, u64, &'static str) {
    match found {
        Err(Wrong::Altered {
            tenant, seq, what, ..
        }) => (tenant.to_string(), seq, what),
        other => panic!("{other:?}"),
    }
}

/// The number of an entry that an application sent, in the middle of acme's log.
const SOME: i64 = 100;

#[tokio::test]
async fn a_log_that_nobody_touched_is_right() {
    let log = recorded().await;
    let found = verified(&log).await.unwrap();
    let [acme, globex] = &found.tenants[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (acme.tenant.as_str(), globex.tenant.as_str()),
        ("acme", "globex")
    );
    for tenant in &found.tenants {
        assert!(tenant.entries > 300, "{tenant:?}");
        assert_eq!((tenant.uncovered(), tenant.released), (0, 0));
        assert!(tenant.checkpoints >= 2, "{tenant:?}");
    }
    // What came since is told.
    let growth = log.token("acme/growth").await;
    log.record(&growth, some(300..305)).await;
    let found = verified(&log).await.unwrap();
    assert!(found.tenants[0].uncovered() >= 5, "{found:?}");
    log.store.cover().await.unwrap();
    let found = verified(&log).await.unwrap();
    assert_eq!(found.tenants[0].uncovered(), 0);
}

#[tokio::test]
async fn what_an_entry_says_cannot_be_changed_unseen() {
    let of_content = "its content is another than its leaf was made of";
    let found_by = "the hash that its idempotency key is found by is another's";
    let keeps = "whether retention passes it by is not as its action says";
    let nothing = "something that it refers to is not there, or not valid";
    for (table, change, what) in [
        (
            "content",
            r#"body = '{"d":"nothing happened"}'"#,
            of_content,
        ),
        ("content", "body = NULL", of_content),
        ("content", "body = '{'", nothing),
        ("content", "outcome = 2", of_content),
        ("content", "outcome = 9", nothing),
        ("content", "operation = 'another'", of_content),
        ("content", "via = NULL", of_content),
        ("content", "via = 77", nothing),
        ("content", "related = NULL", of_content),
        ("content", "source = 1", of_content),
        (
            "content",
            "actor = CASE actor WHEN 2 THEN 3 ELSE 2 END",
            of_content,
        ),
        ("content", "key = key + 1", found_by),
        ("content", "keep = keep_of_others", keeps),
    ] {
        let log = recorded().await;
        let change = if log::postgres().is_some() {
            change.replace("keep_of_others", "TRUE")
        } else {
            change.replace("keep_of_others", "1")
        };
        let of = content_of(&log, SOME).await;
        log.attack(&format!("UPDATE {table} SET {change} WHERE {of}"))
            .await;
        let found = altered(verified(&log).await);
        let tenant = "acme".to_owned();
        assert_eq!(found, (tenant, SOME.cast_unsigned(), what), "{change}");
    }
}

#[tokio::test]
async fn the_name_of_an_actor_or_a_target_cannot_be_changed_unseen() {
    for (table, change, first) in [
        (
            "actor",
            "name = 'Mallory' WHERE name = 'Priya Raman'",
            "usr_1",
        ),
        (
            "actor",
            "email = 'mallory@acme.example' WHERE name = 'Priya Raman'",
            "usr_1",
        ),
        (
            "actor",
            "kind = 'agent' WHERE name = 'Priya Raman'",
            "usr_1",
        ),
        ("target", "id = 'sec_0' WHERE id = 'sec_7'", "usr_1"),
        (
            "action",
            "action = 'MEMBER_REMOVED' WHERE action = 'MEMBER_ADDED'",
            "usr_1",
        ),
        (
            "action",
            "verb = 'delete' WHERE action = 'MEMBER_ADDED'",
            "usr_1",
        ),
    ] {
        let log = recorded().await;
        let scope = log.scope("acme").await;
        let mut events = log.walk(&scope, &limit(500)).await;
        events.sort_by_key(|event| event.seq);
        let expected = events.iter().find(|event| {
            event.source.is_none()
                && match table {
                    "actor" => event.actor.actor.id.as_deref() == Some(first),
                    "target" => event.target.id.as_deref() == Some("sec_7"),
                    _ => event.action.as_str() == "MEMBER_ADDED",
                }
        });
        log.attack(&format!("UPDATE {table} SET {change}")).await;
        let (tenant, seq, _) = altered(verified(&log).await);
        assert_eq!(
            (tenant.as_str(), seq),
            ("acme", expected.unwrap().seq),
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_time_an_id_or_a_place_cannot_be_changed_unseen() {
    let log = Log::new().await;
    let revenue = log
        .number("SELECT id FROM workspace WHERE slug = 'revenue'")
        .await;
    drop(log);
    for change in [
        "occurred_at = occurred_at + 1".to_owned(),
        "recorded_at = recorded_at - 60000000".to_owned(),
        format!("ws = {revenue}"),
        "id = reversed".to_owned(),
        "parts = zeros".to_owned(),
    ] {
        let log = recorded().await;
        let bytes = |digits: &str| {
            if log::postgres().is_some() {
                format!("'\\x{digits}'::bytea")
            } else {
                format!("x'{digits}'")
            }
        };
        let change = change
            .replace("reversed", &bytes("01970c3e8d1c7cc0b3a15f0e6f1f8a11"))
            .replace("zeros", &bytes(&"00".repeat(32)));
        let tenant = acme(&log).await;
        log.attack(&format!(
            "UPDATE leaf SET {change} WHERE tenant = {tenant} AND seq = {SOME}"
        ))
        .await;
        let (tenant, seq, _) = altered(verified(&log).await);
        assert_eq!(
            (tenant.as_str(), seq),
            ("acme", SOME.cast_unsigned()),
            "{change}"
        );
    }
}

/// Gives leaves of acme other numbers: through numbers that no other has.
async fn renumbered(log: &Log, change: &str, of: &str) {
    let tenant = acme(log).await;
    log.attack(&format!(
        "UPDATE leaf SET seq = -({change}) WHERE tenant = {tenant} AND {of}; \
             UPDATE leaf SET seq = -seq WHERE tenant = {tenant} AND seq < 0;"
    ))
    .await;
}

#[tokio::test]
async fn entries_cannot_change_places_unseen() {
    let log = recorded().await;
    renumbered(&log, "201 - seq", "seq IN (100, 101)").await;
    let (tenant, seq, _) = altered(verified(&log).await);
    assert_eq!((tenant.as_str(), seq), ("acme", 100));
}

#[tokio::test]
async fn an_entry_cannot_be_removed_unseen() {
    let log = recorded().await;
    let tenant = acme(&log).await;
    let of = content_of(&log, SOME).await;
    let remove = format!(
        "DELETE FROM content WHERE {of}; \
         DELETE FROM leaf WHERE tenant = {tenant} AND seq = {SOME}"
    );
    log.attack(&remove).await;
    let missing = Wrong::Missing {
        tenant: "acme".parse().unwrap(),
        seq: SOME.cast_unsigned(),
    };
    assert_eq!(verified(&log).await, Err(missing));
    // Nor when those after it close up.
    renumbered(&log, "seq - 1", "seq > 100").await;
    let (tenant, seq, _) = altered(verified(&log).await);
    assert_eq!((tenant.as_str(), seq), ("acme", SOME.cast_unsigned()));
}

#[tokio::test]
async fn what_an_entry_said_cannot_be_removed_unseen() {
    let log = recorded().await;
    let of = content_of(&log, SOME).await;
    log.attack(&format!("DELETE FROM content WHERE {of}")).await;
    let found = verified(&log).await;
    let is_named =
        matches!(&found, Err(Wrong::Unreleased { seq, .. }) if *seq == SOME.cast_unsigned());
    assert!(is_named, "{found:?}");
    // Nor under a release that is made up.
    let (tenant, ws) = (
        acme(&log).await,
        log.number("SELECT id FROM workspace WHERE slug = 'growth'")
            .await,
    );
    let release = if log::postgres().is_some() {
        format!(
            "INSERT INTO release (id, tenant, ws, seq, before, events, finished_at) \
             VALUES (1, {tenant}, {ws}, 150, 9000000000000000, 1, 1)"
        )
    } else {
        format!(
            "INSERT INTO release (id, ws, n, before, events, finished_at) \
             SELECT 1, {ws}, n, 9000000000000000, 1, 1 FROM leaf WHERE tenant = {tenant} AND seq = 150"
        )
    };
    log.attack(&release).await;
    let found = verified(&log).await;
    let is_named = matches!(&found, Err(Wrong::Release { seq: 150, .. }));
    assert!(is_named, "{found:?}");
}

#[tokio::test]
async fn an_entry_cannot_be_put_in_between_unseen() {
    let log = recorded().await;
    renumbered(&log, "seq + 1", "seq >= 100").await;
    let tenant = acme(&log).await;
    let (columns, n) = if log::postgres().is_some() {
        (
            "tenant, seq, id, ws, occurred_at, recorded_at, parts, class",
            "",
        )
    } else {
        (
            "n, tenant, seq, id, ws, occurred_at, recorded_at, parts",
            "(SELECT max(n) + 1 FROM leaf), ",
        )
    };
    let id = if log::postgres().is_some() {
        r"'\x01970c3e8d1c7cc0b3a15f0e6f1f8a11'::bytea"
    } else {
        "x'01970c3e8d1c7cc0b3a15f0e6f1f8a11'"
    };
    let class = if log::postgres().is_some() {
        ", class"
    } else {
        ""
    };
    log.attack(&format!(
        "INSERT INTO leaf ({columns}) SELECT {n}tenant, 100, {id}, ws, occurred_at, recorded_at, \
             parts{class} FROM leaf WHERE tenant = {tenant} AND seq = 102"
    ))
    .await;
    let found = verified(&log).await;
    let (tenant, seq, _) = altered(found);
    assert_eq!((tenant.as_str(), seq), ("acme", 100));
}

#[tokio::test]
async fn entries_of_two_tenants_cannot_be_swapped_unseen() {
    let log = recorded().await;
    let (one, other) = (
        acme(&log).await,
        log.number("SELECT id FROM tenant WHERE slug = 'globex'")
            .await,
    );
    let swap = if log::postgres().is_some() {
        // Where tenants lie on several nodes, a row cannot be told that it is another's.
        let mut swap =
            format!("DELETE FROM leaf WHERE tenant IN ({one}, {other}) AND seq = {SOME}");
        for (from, to) in [(one, other), (other, one)] {
            let values: Vec<(String,)> = log
                .rows(&format!(
                    "SELECT format('%s, %L, %s, %s, %s, %L, %s', seq, id, ws, occurred_at, recorded_at, \
                         parts, class) \
                     FROM leaf WHERE tenant = {from} AND seq = {SOME}"
                ))
                .await;
            let (values,) = &values[0];
            write!(
                swap,
                "; INSERT INTO leaf (tenant, seq, id, ws, occurred_at, recorded_at, parts, class) \
                 VALUES ({to}, {values})"
            )
            .unwrap();
        }
        swap
    } else {
        format!(
            "UPDATE leaf SET tenant = -tenant WHERE seq = {SOME}; \
             UPDATE leaf SET tenant = {one} + {other} + tenant WHERE tenant < 0"
        )
    };
    log.attack(&swap).await;
    let (tenant, seq, _) = altered(verified(&log).await);
    assert_eq!((tenant.as_str(), seq), ("acme", SOME.cast_unsigned()));
}

#[tokio::test]
async fn rows_that_belong_to_no_log_are_found() {
    let log = recorded().await;
    let last = if log::postgres().is_some() {
        "INSERT INTO leaf SELECT 99, seq, id, ws, occurred_at, recorded_at, parts, class FROM leaf \
         WHERE seq = 5 AND tenant = (SELECT min(id) FROM tenant)"
    } else {
        "INSERT INTO leaf SELECT n + 100000, 99, seq, randomblob(16), ws, occurred_at, recorded_at, \
         parts FROM leaf WHERE seq = 5 LIMIT 1"
    };
    log.attack(last).await;
    let strange = Wrong::Strange {
        rows: 1,
        table: "leaf",
    };
    assert_eq!(verified(&log).await, Err(strange));
}

/// Id, when it occurred and was recorded, parts, workspace and number.
type LeafRow = (Vec<u8>, i64, i64, Vec<u8>, i64, i64);

/// The leaves of acme as their rows are now.
async fn leaves_of(log: &Log) -> Vec<Hash> {
    let tenant = acme(log).await;
    let workspaces: Vec<(i64, String)> = log
        .rows(&format!(
            "SELECT id, slug FROM workspace WHERE tenant = {tenant}"
        ))
        .await;
    let rows: Vec<LeafRow> = log
        .rows(&format!(
            "SELECT id, occurred_at, recorded_at, parts, ws, seq FROM leaf \
             WHERE tenant = {tenant} ORDER BY seq"
        ))
        .await;
    let slug: Slug = "acme".parse().unwrap();
    let leaf = |(id, occurred_at, recorded_at, parts, ws, seq): &LeafRow| {
        let workspace = workspaces.iter().find(|(id, _)| id == ws);
        let workspace: Option<Slug> = workspace.map(|(_, slug)| slug.parse().unwrap());
        leaf_hash(&Header {
            id: EventId(uuid::Uuid::from_slice(id).unwrap()),
            occurred_at: Timestamp::from_micros(*occurred_at),
            parts: Hash(parts.as_slice().try_into().unwrap()),
            recorded_at: Timestamp::from_micros(*recorded_at),
            seq: seq.cast_unsigned(),
            tenant: &slug,
            workspace: workspace.as_ref(),
        })
    };
    rows.iter().map(leaf).collect()
}

fn bytes(bytes: &[u8]) -> String {
    let digits = bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    if log::postgres().is_some() {
        format!("'\\x{digits}'::bytea")
    } else {
        format!("x'{digits}'")
    }
}

#[tokio::test]
async fn who_makes_the_tree_anew_too_is_found_by_what_was_signed() {
    let log = recorded().await;
    let tenant = acme(&log).await;
    // In PostgreSQL a content lies by when it occurred: this changes when it was recorded.
    log.attack(&format!(
        "UPDATE leaf SET recorded_at = recorded_at - 1 WHERE tenant = {tenant} AND seq = {SOME}"
    ))
    .await;
    let leaves = leaves_of(&log).await;
    for (place, tile) in leaves.chunks(256).enumerate() {
        let hashes: Vec<u8> = tile.iter().flat_map(|hash| hash.0).collect();
        let hashes = bytes(&hashes);
        log.attack(&format!(
            "UPDATE tile SET hashes = {hashes} \
                 WHERE tenant = {tenant} AND level = 0 AND place = {place}"
        ))
        .await;
    }
    let found = verified(&log).await;
    assert!(matches!(&found, Err(Wrong::Root { .. })), "{found:?}");
    // And the roots: then it is the signatures.
    let sizes: Vec<(i64,)> = log
        .rows(&format!(
            "SELECT size FROM checkpoint WHERE tenant = {tenant}"
        ))
        .await;
    for (size,) in &sizes {
        let root = bytes(&root(&leaves[..usize::try_from(*size).unwrap()]).0);
        log.attack(&format!(
            "UPDATE checkpoint SET root = {root} WHERE tenant = {tenant} AND size = {size}"
        ))
        .await;
    }
    let whole = bytes(&root(&leaves[..256]).0);
    log.attack(&format!(
        "UPDATE tile SET hashes = {whole} WHERE tenant = {tenant} AND level = 1"
    ))
    .await;
    let found = verified(&log).await;
    assert!(matches!(&found, Err(Wrong::Signature { .. })), "{found:?}");
}

#[tokio::test]
async fn what_a_store_signed_it_does_not_sign_anew_as_something_else() {
    let log = recorded().await;
    let tenant = acme(&log).await;
    let attacked = format!(
        "UPDATE leaf SET recorded_at = recorded_at + 1 WHERE tenant = {tenant} AND seq = {SOME}; \
         DELETE FROM checkpoint WHERE tenant = {tenant}; DELETE FROM tile WHERE tenant = {tenant};"
    );
    log.attack(&attacked).await;
    let growth = log.token("acme/growth").await;
    log.record(&growth, some(300..301)).await;
    let refused = log.store.cover().await.unwrap_err().to_string();
    assert!(refused.contains("nothing is signed"), "{refused}");
    let made = format!("SELECT count(*) FROM checkpoint WHERE tenant = {tenant}");
    assert_eq!(log.number(&made).await, 0);
}

#[tokio::test]
async fn what_is_no_installation_is_left_as_it_is() {
    only_sqlite!();
    let log = Log::new().await;
    let empty = log.folder.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    let mut options = Log::options(&log.folder, &log.clock);
    options.database = DatabaseUrl::Sqlite(empty.clone());
    let found = verify(&options, &[], |_, _| ()).await;
    assert!(
        matches!(found, Err(VerifyError::NoInstallation(_))),
        "{found:?}"
    );
    // No more than the page that says that it is a database: no table was made.
    assert!(std::fs::metadata(&empty).unwrap().len() <= 4_096);
}

#[tokio::test]
async fn tiles_and_checkpoints_that_are_gone_or_others_are_found() {
    let log = recorded().await;
    let tenant = acme(&log).await;
    let none = bytes(&[0; 32]);
    for (statement, shows) in [
        (
            format!("DELETE FROM tile WHERE tenant = {tenant} AND level = 1"),
            "Tile",
        ),
        (
            format!("UPDATE tile SET hashes = {none} WHERE tenant = {tenant} AND level = 1"),
            "Tile",
        ),
        (
            format!("DELETE FROM tile WHERE tenant = {tenant} AND level = 0 AND place = 1"),
            "Tile",
        ),
        (
            format!("UPDATE checkpoint SET root = {none} WHERE tenant = {tenant}"),
            "Root",
        ),
        (
            format!(
                "UPDATE checkpoint SET signature = {} WHERE tenant = {tenant}",
                bytes(&[7; 64])
            ),
            "Signature",
        ),
    ] {
        let log = recorded().await;
        log.attack(&statement).await;
        let found = verified(&log).await.unwrap_err();
        assert!(
            format!("{found:?}").starts_with(shows),
            "{statement}: {found:?}"
        );
    }
}

/// The newest checkpoint of a tenant, as somebody keeps it elsewhere.
async fn kept(store: &Store, grant: &TokenGrant) -> Kept {
    let scope = grant.read_scope().unwrap();
    let note = store.checkpoint(&scope).await.unwrap().unwrap();
    Kept {
        name: "kept.txt".to_owned(),
        note: note.to_string().parse().unwrap(),
    }
}

fn wrong_with(found: Result<Verified, Wrong>) -> KeptWrong {
    match found {
        Err(Wrong::Kept { name, what }) => {
            assert_eq!(name, "kept.txt");
            what
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_log_whose_newest_entries_are_gone_is_found_by_a_checkpoint_that_was_kept() {
    let log = recorded().await;
    let growth = log.token("acme/growth").await;
    log.store.cover().await.unwrap();
    let older = kept(&log.store, &growth).await;
    log.record(&growth, some(300..310)).await;
    log.store.cover().await.unwrap();
    let newer = kept(&log.store, &growth).await;
    let both = [older.clone(), newer.clone()];
    assert_eq!(verified_with(&log, &both).await.unwrap().kept, 2);
    // The newest entries go, with all that was made of them.
    let tenant = acme(&log).await;
    let size = log
        .number(&format!(
            "SELECT max(size) FROM checkpoint WHERE tenant = {tenant} \
             AND size < (SELECT max(size) FROM checkpoint WHERE tenant = {tenant})"
        ))
        .await;
    let contents = if log::postgres().is_some() {
        format!("tenant = {tenant} AND seq > {size}")
    } else {
        format!("n IN (SELECT n FROM leaf WHERE tenant = {tenant} AND seq > {size})")
    };
    let searched_by = if log::postgres().is_some() {
        format!(
            "DELETE FROM entry WHERE {contents}; DELETE FROM idempotency WHERE {contents}; \
             DELETE FROM tally_change WHERE tenant = {tenant} AND n > {size};"
        )
    } else {
        // The index is of another state then, and made anew.
        String::new()
    };
    log.attack(&format!(
        "DELETE FROM content WHERE {contents}; {searched_by} \
             DELETE FROM leaf WHERE tenant = {tenant} AND seq > {size};"
    ))
    .await;
    let found = verified(&log).await;
    assert!(matches!(&found, Err(Wrong::Shrunk { .. })), "{found:?}");
    let place = size / 256;
    log.attack(&format!(
        "DELETE FROM checkpoint WHERE tenant = {tenant} AND size > {size}; \
             DELETE FROM tile WHERE tenant = {tenant} AND level = 0 AND place > {place}; \
             UPDATE tile SET hashes = substr(hashes, 1, {}) \
             WHERE tenant = {tenant} AND level = 0 AND place = {place}",
        size % 256 * 32
    ))
    .await;
    // By itself the database shows nothing: it is as it was then.
    verified(&log).await.unwrap();
    verified_with(&log, &[older]).await.unwrap();
    let found = wrong_with(verified_with(&log, &[newer]).await);
    assert!(matches!(found, KeptWrong::Shrunk { .. }), "{found}");
}

#[tokio::test]
async fn another_past_another_key_and_another_installation_are_told_apart() {
    let log = recorded().await;
    let growth = log.token("acme/growth").await;
    log.store.cover().await.unwrap();
    let ours = kept(&log.store, &growth).await;
    let signed = |text: String| {
        let name = text.lines().next().unwrap().to_owned();
        let note = Signer::new(&name, &[9; 32]).unwrap().sign(text);
        Kept {
            name: "kept.txt".to_owned(),
            note,
        }
    };
    // Signed by a key that this database never had.
    let found = wrong_with(verified_with(&log, &[signed(ours.note.text.clone())]).await);
    assert!(matches!(found, KeptWrong::Signature(_)), "{found}");
    // Altered after it was signed.
    let mut altered = ours.clone();
    altered.note.text = altered.note.text.replace("acme", "globex");
    let found = wrong_with(verified_with(&log, &[altered]).await);
    assert!(matches!(found, KeptWrong::Signature(_)), "{found}");
    // Another installation's.
    let elsewhere = recorded().await;
    let theirs = elsewhere.token("acme/growth").await;
    let found = wrong_with(verified_with(&log, &[kept(&elsewhere.store, &theirs).await]).await);
    assert!(matches!(found, KeptWrong::Elsewhere(_)), "{found}");
    // Not a checkpoint at all.
    let found = wrong_with(verified_with(&log, &[signed("one-line\n".to_owned())]).await);
    assert!(matches!(found, KeptWrong::Malformed(_)), "{found}");
    // With the key itself, and another past.
    let tenant = acme(&log).await;
    let key = std::fs::read_to_string(log.folder.path().join("daybook.db.key")).unwrap();
    let digits = key
        .lines()
        .find_map(|line| line.strip_prefix("signing = "))
        .unwrap();
    let mut secret = [0; 32];
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap();
    }
    let size = log
        .number(&format!(
            "SELECT max(size) FROM checkpoint WHERE tenant = {tenant}"
        ))
        .await;
    let name = ours.note.signatures[0].name.clone();
    let text = format!("{name}\n{size}\n{}\n", "A".repeat(43) + "=");
    let note: Note = Signer::new(&name, &secret).unwrap().sign(text);
    let made_up = Kept {
        name: "kept.txt".to_owned(),
        note,
    };
    let found = wrong_with(verified_with(&log, &[made_up]).await);
    assert!(matches!(found, KeptWrong::AnotherPast { .. }), "{found}");
    verified_with(&log, &[ours]).await.unwrap();
}

#[tokio::test]
async fn what_was_signed_with_a_key_that_was_rotated_stays_right() {
    let log = recorded().await;
    let growth = log.token("acme/growth").await;
    log.store.cover().await.unwrap();
    let before = kept(&log.store, &growth).await;
    log.store.rotate_key(&operator()).await.unwrap();
    let found = verified_with(&log, &[before]).await.unwrap();
    assert_eq!(found.tenants[0].uncovered(), 0);
}

impl Log {
    fn later(&self, days: i64) {
        self.clock.set(self.store.now().plus(TimeDelta::days(days)));
    }

    async fn keeps(&self, path: &str, retention: Retention, at_once: bool) {
        let path: WorkspacePath = path.parse().unwrap();
        let scope = self.store.operator_settings(&path).await.unwrap().unwrap();
        let change = SettingsChange {
            retention: Some(retention),
            now: at_once,
            ..SettingsChange::default()
        };
        self.store
            .change_settings(&scope, change, &operator())
            .await
            .unwrap();
    }

    async fn expires(&self, path: &str) -> Released {
        let path: WorkspacePath = path.parse().unwrap();
        let log = self.store.expiring_log(&path).await.unwrap().unwrap();
        let released = self
            .store
            .release(&log, Occasion::Asked, &operator())
            .await
            .unwrap();
        while let Removal::Some { .. } = self.store.remove_some().await.unwrap() {}
        released
    }
}

#[tokio::test]
async fn what_expired_is_gone_under_its_release() {
    let log = recorded().await;
    log.keeps("acme/growth", Retention::Days(30), true).await;
    log.later(31);
    let released = log.expires("acme/growth").await;
    assert!(matches!(released, Released::Made(..)), "{released:?}");
    let found = verified(&log).await.unwrap();
    assert!(found.tenants[0].released >= 300, "{found:?}");
    assert_eq!(found.tenants[1].released, 0);
    // A shorter one that waits, and comes due.
    log.keeps("globex/main", Retention::Days(7), false).await;
    log.later(8);
    log.expires("globex/main").await;
    let found = verified(&log).await.unwrap();
    assert!(found.tenants[1].released >= 300, "{found:?}");
    every_covered(&log).await;
}

/// After a cover nothing is left uncovered, and all is right.
async fn every_covered(log: &Log) {
    log.store.cover().await.unwrap();
    let found = verified(log).await.unwrap();
    assert!(found.tenants.iter().all(|tenant| tenant.uncovered() == 0));
}

#[tokio::test]
async fn a_release_that_covers_more_than_its_entry_says_is_found() {
    let log = recorded().await;
    log.keeps("acme/growth", Retention::Days(30), true).await;
    log.later(31);
    log.expires("acme/growth").await;
    log.store.cover().await.unwrap();
    log.attack("UPDATE release SET before = before + 86400000000")
        .await;
    let found = verified(&log).await.unwrap_err();
    assert!(
        matches!(&found, Wrong::Release { what, .. } if what.contains("something else")),
        "{found}"
    );
    log.attack("DELETE FROM release").await;
    let found = verified(&log).await.unwrap_err();
    assert!(matches!(&found, Wrong::Unreleased { .. }), "{found}");
}

#[tokio::test]
async fn a_setting_that_was_changed_behind_the_logs_back_permits_nothing() {
    let log = recorded().await;
    log.later(31);
    // Nobody recorded that the workspace keeps less.
    log.execute("UPDATE workspace SET retention = '30d' WHERE slug = 'growth'")
        .await;
    let released = log.expires("acme/growth").await;
    assert!(matches!(released, Released::Made(..)), "{released:?}");
    log.store.cover().await.unwrap();
    let found = verified(&log).await.unwrap_err();
    // Those that are gone come first; they are covered, by a release that was not permitted.
    assert!(
        matches!(&found, Wrong::Release { what, .. } if what.contains("had not expired")),
        "{found}"
    );
}

//! What proves that nothing was altered: trees that grow with the log, checkpoints of them, and paths
//! that lead there.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    event::{Event, NewEvent, Part},
    leaf::{Hash, Header, PartProof, leaf_hash, proven_parts_hash},
    proof::{Checkpoint, Note, check_consistency, root, root_from_path},
};
use log::{BEGINNING, Log, event, limit, object, operator, user};
use std::{fs, time::Duration};
use store::{Scope, Store, StoreError, proof::ProofError};

fn some_event(number: usize) -> NewEvent {
    let mut event = event(
        user(&format!("usr_{}", number % 3), "Alex Kim"),
        "secret:rotate",
        object("secret", &format!("sec_{number}"), "SALESFORCE"),
        BEGINNING,
    );
    event.via = vec![user("agt_1", "Assistant")];
    event.after = serde_json::json!({ "version": number })
        .as_object()
        .cloned();
    event
}

fn some(events: usize) -> Vec<NewEvent> {
    (0..events).map(some_event).collect()
}

/// The leaf of an event as whoever has it computes it, with the parts' proofs.
fn leaf_of(event: &Event, proofs: &[PartProof]) -> (String, Hash) {
    let proofs: &[PartProof; 7] = proofs.try_into().unwrap();
    let parts = proven_parts_hash(&event.as_given(), event.source, proofs);
    let header = Header {
        id: event.id,
        occurred_at: event.occurred_at,
        parts,
        recorded_at: event.recorded_at,
        seq: event.seq,
        tenant: &event.tenant,
        workspace: event.workspace.as_ref(),
    };
    (header.canonical(), leaf_hash(&header))
}

/// The newest checkpoint, whose signature is good.
async fn checkpoint(store: &Store, scope: &Scope) -> Option<Checkpoint> {
    let note = store.checkpoint(scope).await.unwrap()?;
    let note: Note = note.to_string().parse().unwrap();
    verified(store, scope, &note).await;
    Some(Checkpoint::try_from(&note).unwrap())
}

async fn verified(store: &Store, scope: &Scope, note: &Note) {
    let keys = store.public_keys(scope).await.unwrap();
    let keys: Vec<_> = keys.into_iter().map(|key| key.key).collect();
    note.verified_by(&keys).unwrap();
}

/// Every event of a scope, oldest first.
async fn all(log: &Log, scope: &Scope) -> Vec<Event> {
    let mut events = log.walk(scope, &limit(500)).await;
    events.sort_by_key(|event| event.seq);
    events
}

/// Every event of the tenant is in the tree that its newest checkpoint is of, and that is the tree of all
/// of their leaves.
async fn every_event_is_proved(log: &Log) {
    let scope = log.scope("acme").await;
    log.store.cover().await.unwrap();
    let signed = checkpoint(&log.store, &scope).await.unwrap();
    let mut leaves = Vec::new();
    let events = all(log, &scope).await;
    for event in &events {
        let proof = log
            .store
            .inclusion(&scope, event.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((proof.index, proof.size), (event.seq - 1, signed.size));
        assert!(proof.hashes.is_empty());
        let proofs: Vec<PartProof> = Part::ALL
            .iter()
            .map(|part| PartProof::Salt(proof.salts[part]))
            .collect();
        let (header, leaf) = leaf_of(event, &proofs);
        assert_eq!(proof.header, header);
        let reached = root_from_path(&leaf, proof.index, proof.size, &proof.path);
        assert_eq!(reached, Ok(signed.root), "{}", event.seq);
        verified(&log.store, &scope, &proof.checkpoint).await;
        assert_eq!(Checkpoint::try_from(&proof.checkpoint).unwrap(), signed);
        leaves.push(leaf);
    }
    assert_eq!(leaves.len() as u64, signed.size);
    assert_eq!(root(&leaves), signed.root);
}

#[tokio::test]
async fn every_event_is_proved_to_be_in_its_tenants_tree() {
    let log = Log::new().await;
    let growth = log.token("acme/growth").await;
    let revenue = log.token("acme/revenue").await;
    log.record(&growth, some(3)).await;
    log.record(&revenue, some(4)).await;
    every_event_is_proved(&log).await;
    // Beyond a whole tile, and with what was there already.
    log.record(&growth, some(300)).await;
    every_event_is_proved(&log).await;
}

#[tokio::test]
async fn each_checkpoint_is_a_past_of_those_after_it() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    let mut signed = Vec::new();
    for events in [1, 250, 1, 2, 255, 600] {
        log.record(&grant, some(events)).await;
        log.store.cover().await.unwrap();
        signed.push(checkpoint(&log.store, &scope).await.unwrap());
    }
    for (at, newer) in signed.iter().enumerate() {
        for older in &signed[..=at] {
            let path = log
                .store
                .consistency(&scope, older.size, newer.size)
                .await
                .unwrap();
            let (from, to) = ((older.size, older.root), (newer.size, newer.root));
            assert_eq!(
                check_consistency(from, to, &path),
                Ok(()),
                "{from:?} {to:?}"
            );
        }
    }
    let last = signed.last().unwrap();
    let refused = log.store.consistency(&scope, 1, last.size + 1).await;
    assert!(matches!(refused, Err(ProofError::Uncovered { size }) if size == last.size));
    let refused = log.store.consistency(&scope, 2, 1).await;
    assert!(matches!(refused, Err(ProofError::Backwards)));
}

#[tokio::test]
async fn a_checkpoint_is_made_only_when_the_tree_grew_and_when_the_store_closes() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, some(2)).await;
    log.store.cover().await.unwrap();
    let made = || log.number("SELECT count(*) FROM checkpoint");
    assert_eq!(made().await, 1);
    log.store.cover().await.unwrap();
    assert_eq!(made().await, 1);
    log.record(&grant, some(2)).await;
    let log = log.reopened().await;
    assert_eq!(log.number("SELECT count(*) FROM checkpoint").await, 2);
    let size = log.number("SELECT max(size) FROM checkpoint").await;
    assert_eq!(size, log.number("SELECT max(seq) FROM leaf").await);
    let log = log.reopened().await;
    assert_eq!(log.number("SELECT count(*) FROM checkpoint").await, 2);
    every_event_is_proved(&log).await;
}

#[tokio::test]
async fn what_was_given_up_in_between_is_covered_the_next_time() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, some(2)).await;
    // Dropped where it waits first.
    let given_up = tokio::time::timeout(Duration::ZERO, log.store.cover()).await;
    assert!(given_up.is_err());
    log.store.cover().await.unwrap();
    let size = log.number("SELECT max(size) FROM checkpoint").await;
    assert_eq!(size, log.number("SELECT max(seq) FROM leaf").await);
    every_event_is_proved(&log).await;
}

#[tokio::test]
async fn what_arrives_is_covered_within_a_second_while_somebody_sees_to_it() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    let store = log.store.clone();
    let keeping = tokio::spawn(async move { store.keep_covered().await });
    for _ in 0..2 {
        log.record(&grant, some(3)).await;
        let last = log.number("SELECT max(seq) FROM leaf").await;
        let covered = async {
            while checkpoint(&log.store, &scope)
                .await
                .map_or(0, |made| made.size)
                < last.cast_unsigned()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // Of a machine that does much else, too.
        tokio::time::timeout(Duration::from_secs(20), covered)
            .await
            .unwrap();
    }
    keeping.abort();
}

#[tokio::test]
async fn several_stores_make_one_row_of_checkpoints() {
    let log = Log::new().await;
    let others = [
        Store::open(Log::options(&log.folder, &log.clock))
            .await
            .unwrap(),
        Store::open(Log::options(&log.folder, &log.clock))
            .await
            .unwrap(),
    ];
    let mut tasks = Vec::new();
    for store in [&log.store, &others[0], &others[1]] {
        let secret = store
            .create_token(
                &store::administration::NewToken {
                    place: store::administration::TokenPlace::Workspace(
                        "acme/growth".parse().unwrap(),
                    ),
                    name: "tests".into(),
                    scopes: domain::role::TokenScope::ALL.to_vec(),
                    expires: None,
                    oldest_seconds: None,
                },
                &operator(),
            )
            .await
            .unwrap();
        let grant = store.token(secret.reveal()).await.unwrap().unwrap();
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            use store::recording::{Door, Redaction};
            let door = Door::token(&grant, Redaction::On).unwrap();
            for round in 0..6 {
                let events = some(40 + round).into_iter();
                let admitted = events
                    .map(|event| store.admit(&door, event).unwrap())
                    .collect();
                store.record(admitted).await.unwrap();
                store.cover().await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    every_event_is_proved(&log).await;
    // Each is a past of the last.
    let scope = log.scope("acme").await;
    let last = checkpoint(&log.store, &scope).await.unwrap();
    let sizes: Vec<(i64,)> = log
        .rows("SELECT size FROM checkpoint ORDER BY made_at, size")
        .await;
    assert!(sizes.is_sorted());
    assert!(sizes.len() > 3, "{sizes:?}");
    for (size,) in sizes {
        let size = u64::try_from(size).unwrap();
        log.store
            .consistency(&scope, size, last.size)
            .await
            .unwrap();
    }
    for store in others {
        store.close().await;
    }
}

#[tokio::test]
async fn a_token_of_a_workspace_gets_proofs_of_its_own_events_only() {
    let log = Log::new().await;
    let growth = log.token("acme/growth").await;
    let revenue = log.token("acme/revenue").await;
    log.record(&growth, some(1)).await;
    let [.., event] = &all(&log, &growth.read_scope().unwrap()).await[..] else {
        panic!("one was recorded");
    };
    let theirs = log
        .store
        .inclusion(&revenue.read_scope().unwrap(), event.id)
        .await;
    assert_eq!(theirs.unwrap(), None);
    let ours = log
        .store
        .inclusion(&growth.read_scope().unwrap(), event.id)
        .await;
    // It was not covered yet: asking for it covers it.
    assert!(ours.unwrap().unwrap().size >= event.seq);
}

#[tokio::test]
async fn a_rotated_key_signs_from_then_on_and_what_was_signed_stays_good() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let scope = grant.read_scope().unwrap();
    log.record(&grant, some(2)).await;
    log.store.cover().await.unwrap();
    let before = log.store.checkpoint(&scope).await.unwrap().unwrap();
    let beside = Store::open(Log::options(&log.folder, &log.clock))
        .await
        .unwrap();
    let rotated = log.store.rotate_key(&operator()).await.unwrap();
    assert_ne!(rotated.key, rotated.before);
    let keys = log.store.public_keys(&scope).await.unwrap();
    let [old, new] = &keys[..] else {
        panic!("two keys");
    };
    assert_eq!((old.until, new.until), (Some(rotated.at), None));
    assert_eq!(new.from, rotated.at);
    verified(&log.store, &scope, &before).await;
    assert_eq!(
        before.verified_by(std::slice::from_ref(&old.key)),
        Ok(&old.key)
    );
    let after = log.store.checkpoint(&scope).await.unwrap().unwrap();
    assert_eq!(
        after.verified_by(std::slice::from_ref(&new.key)),
        Ok(&new.key)
    );
    // Every log of the installation tells of it.
    let told = all(&log, &log.scope("acme").await).await;
    let told: Vec<_> = told
        .iter()
        .filter(|event| event.action.as_str() == "AUDIT_SIGNING_KEY_ROTATED")
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].after.as_ref().unwrap()["key"], rotated.key);
    // Who has had the log open since before signs with the new one too.
    beside
        .create_workspace(&"acme/new".parse().unwrap(), "New", &operator())
        .await
        .unwrap();
    beside.cover().await.unwrap();
    let last = beside.checkpoint(&scope).await.unwrap().unwrap();
    assert_eq!(
        last.verified_by(std::slice::from_ref(&new.key)),
        Ok(&new.key)
    );
    assert_ne!(last, after);
    beside.close().await;
    let log = log.reopened().await;
    every_event_is_proved(&log).await;
}

#[tokio::test]
async fn a_store_without_the_rotated_key_makes_no_checkpoints_and_does_not_open() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let key_file = log.folder.path().join("daybook.db.key");
    let old = fs::read(&key_file).unwrap();
    // A server on another machine, with the file as it was.
    let elsewhere = log.folder.path().join("elsewhere.key");
    fs::write(&elsewhere, &old).unwrap();
    let mut options = Log::options(&log.folder, &log.clock);
    options.key_file = Some(elsewhere.clone());
    let other = Store::open(options.clone()).await.unwrap();
    log.store.rotate_key(&operator()).await.unwrap();
    other
        .create_workspace(&"acme/new".parse().unwrap(), "New", &operator())
        .await
        .unwrap();
    let refused = other.cover().await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Keys(words) if words.contains("rotated")),
        "{refused}"
    );
    other.close().await;
    let refused = Store::open(options).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Keys(words) if words.contains("rotate")),
        "{refused}"
    );
    // Who has the key covers it.
    log.record(&grant, some(1)).await;
    every_event_is_proved(&log).await;
}

#[tokio::test]
async fn several_that_begin_at_once_know_one_key() {
    let log = Log::new().await;
    let open = || Store::open(Log::options(&log.folder, &log.clock));
    let (one, two, three, four) = tokio::join!(open(), open(), open(), open());
    let stores = [one, two, three, four].map(Result::unwrap);
    assert_eq!(log.number("SELECT count(*) FROM signing_key").await, 1);
    for store in stores {
        store.close().await;
    }
}

#[tokio::test]
async fn a_log_from_before_there_were_proofs_gets_its_key_and_its_tree() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, some(20)).await;
    log.store.cover().await.unwrap();
    // As it was before: the leaves alone.
    log.attack("DELETE FROM checkpoint; DELETE FROM tile; DELETE FROM signing_key")
        .await;
    log.store.close().await;
    std::fs::remove_file(log.folder.path().join("daybook.db.key.signed")).unwrap();
    let log = log.reopened().await;
    assert_eq!(log.number("SELECT count(*) FROM signing_key").await, 1);
    let keeping = {
        let store = log.store.clone();
        tokio::spawn(async move { store.keep_covered().await })
    };
    let covered = async {
        while log.number("SELECT count(*) FROM checkpoint").await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), covered)
        .await
        .unwrap();
    keeping.abort();
    every_event_is_proved(&log).await;
}

#[tokio::test]
async fn the_database_refuses_to_change_or_remove_what_proves() {
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, some(3)).await;
    log.store.cover().await.unwrap();
    let zeros = if log::postgres().is_some() {
        r"'\x00'::bytea || substr(hashes, 2)"
    } else {
        "CAST(x'00' || substr(hashes, 2) AS BLOB)"
    };
    let distributed = log.is_distributed().await;
    for (statement, told) in [
        ("DELETE FROM checkpoint".to_owned(), "append-only"),
        (
            "UPDATE checkpoint SET made_at = made_at".to_owned(),
            "append-only",
        ),
        ("DELETE FROM tile".to_owned(), "append-only"),
        (format!("UPDATE tile SET hashes = {zeros}"), "append-only"),
        (
            "UPDATE tile SET hashes = substr(hashes, 1, 32)".to_owned(),
            "append-only",
        ),
        ("UPDATE tile SET level = 1".to_owned(), "append-only"),
        (
            "INSERT INTO tile SELECT tenant, level, place + 2, hashes FROM tile".to_owned(),
            "append-only",
        ),
        (
            "INSERT INTO checkpoint SELECT tenant, size - 1, root, made_at, key, signature \
             FROM checkpoint"
                .to_owned(),
            "append-only",
        ),
        (
            "INSERT INTO checkpoint SELECT tenant, size + 1, root, made_at, key, signature \
             FROM checkpoint"
                .to_owned(),
            "append-only",
        ),
        (
            "UPDATE signing_key SET since = since + 1".to_owned(),
            "not be changed",
        ),
        (
            "INSERT INTO signing_key SELECT 2, public, since, NULL FROM signing_key".to_owned(),
            "signing key has the next number",
        ),
    ] {
        if distributed && statement.starts_with("INSERT INTO") && !statement.contains("signing") {
            continue;
        }
        let words = log.refused(&statement).await;
        assert!(words.contains(told), "{statement}: {words}");
        if log::postgres().is_some() && statement.starts_with("DELETE") {
            let words = log
                .refused(&format!("SET ROLE daybook_server; {statement}"))
                .await;
            assert!(words.contains("permission denied"), "{statement}: {words}");
        }
    }
    let words = log.refused("DELETE FROM signing_key").await;
    assert!(
        words.contains("removed") || words.contains("append-only"),
        "{words}"
    );
    if log::postgres().is_none() {
        for table in ["tile", "checkpoint", "signing_key"] {
            log.refused(&format!(
                "INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
            ))
            .await;
        }
    }
    every_event_is_proved(&log).await;
}

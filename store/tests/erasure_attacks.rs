//! Erasure that nobody permitted: the database refuses it, and who does it past the database is found.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod erasing;
mod log;

use domain::event::{NewEvent, Part};
use erasing::{Erasing, jane, one, parts};
use std::collections::BTreeMap;
use store::{erasure::What, proof::verify::Wrong};
#[tokio::test]
async fn the_database_refuses_what_no_release_names() {
    let erasing = Erasing::with_jane().await;
    let log = &erasing.log;
    let zeros = if log::postgres().is_some() {
        "decode(repeat('00', 16), 'hex')"
    } else {
        "zeroblob(16)"
    };
    let hollow =
        format!("UPDATE content SET body = NULL, erased = 16, proofs = salt, salt = {zeros}");
    for statement in [
        "UPDATE content SET body = NULL".to_owned(),
        "UPDATE content SET salt = salt".to_owned(),
        "UPDATE actor SET id = NULL, name = NULL, email = NULL".to_owned(),
        hollow.clone(),
    ] {
        log.refused(&statement).await;
    }
    // Under a release: only what it names.
    erasing.released(&jane()).await.unwrap();
    log.refused(&hollow).await;
    log.refused("UPDATE content SET body = NULL").await;
    for statement in [
        "UPDATE erasure_event SET parts = 126",
        "DELETE FROM erasure_event",
        "DELETE FROM erasure",
        "UPDATE erasure SET events = 1",
    ] {
        log.refused(statement).await;
    }
    let n = log::n();
    let add = format!("INSERT INTO erasure_event (erasure, {n}, parts) VALUES (1, 1, 16)");
    log.refused(&add).await;
    erasing.carry_out().await;
    log.refused("UPDATE erasure SET finished_at = 1").await;
    erasing.verified().await.unwrap();
}

#[tokio::test]
async fn a_release_that_its_entry_does_not_tell_of_is_found() {
    for statements in [
        "UPDATE erasure_event SET parts = parts | 64",
        "DELETE FROM erasure_event",
        "DELETE FROM erasure_event; DELETE FROM erasure",
    ] {
        let erasing = Erasing::with_jane().await;
        erasing.erase(&jane()).await;
        erasing.verified().await.unwrap();
        erasing.log.attack(statements).await;
        let found = erasing.verified().await;
        assert!(
            matches!(found, Err(Wrong::Release { .. } | Wrong::Unerased { .. })),
            "{statements}: {found:?}"
        );
    }
}

#[tokio::test]
async fn what_was_nulled_without_a_release_is_found() {
    let erasing = Erasing::new().await;
    let (id, before) = one(&erasing).await;
    erasing
        .erase(&What::Event(id, Some(parts(&[Part::Context]))))
        .await;
    erasing.verified().await.unwrap();
    let same = if log::postgres().is_some() {
        "c.tenant = l.tenant AND c.seq = l.seq"
    } else {
        "c.n = l.n"
    };
    let it = format!(
        "(SELECT 1 FROM leaf l WHERE {same} AND l.seq = {})",
        before.seq
    );
    // Its note is taken out, and nothing put in its place.
    let table = if log::postgres().is_some() {
        "content c"
    } else {
        "content AS c"
    };
    erasing
        .log
        .attack(&format!(
            "UPDATE {table} SET body = NULL, key = NULL, key_rest = NULL WHERE EXISTS {it}"
        ))
        .await;
    assert!(matches!(
        erasing.verified().await,
        Err(Wrong::Altered { .. })
    ));
    // With its hash in its place, as if it had been erased.
    let scope = erasing.grant.read_scope().unwrap();
    let proofs = erasing
        .log
        .store
        .inclusion(&scope, id)
        .await
        .unwrap()
        .unwrap();
    let mut proof: BTreeMap<Part, String> = BTreeMap::new();
    proof.extend(
        proofs
            .salts
            .iter()
            .map(|(part, salt)| (*part, salt.to_string())),
    );
    proof.extend(
        proofs
            .hashes
            .iter()
            .map(|(part, hash)| (*part, hash.to_string())),
    );
    let told: NewEvent = before.as_given();
    for part in [Part::Change, Part::Details] {
        let salt = proofs.salts[&part];
        let canonical = domain::leaf::part_of(part, &told, None);
        proof.insert(part, domain::leaf::part_hash(&salt, &canonical).to_string());
    }
    let hex: String = Part::ALL.iter().map(|part| proof[part].clone()).collect();
    let bytes = if log::postgres().is_some() {
        format!("decode('{hex}', 'hex')")
    } else {
        format!("x'{hex}'")
    };
    erasing
        .log
        .attack(&format!(
            "UPDATE {table} SET erased = 112, proofs = {bytes} WHERE EXISTS {it}"
        ))
        .await;
    let found = erasing.verified().await;
    let Err(Wrong::Unerased { parts, seq, .. }) = found else {
        panic!("{found:?}")
    };
    assert_eq!((parts.as_str(), seq), ("change, details", before.seq));
}

#[tokio::test]
async fn an_erasure_under_a_hold_is_found() {
    let erasing = Erasing::with_jane().await;
    erasing.place_hold().await;
    // The row of the hold is made to say that it was lifted, while it is erased.
    erasing
        .log
        .attack("UPDATE hold SET lifted_at = 1, lifted_by = 'x', lifted_reason = 'x'")
        .await;
    erasing.erase(&jane()).await;
    let found = erasing.verified().await;
    let Err(Wrong::Release { what, .. }) = found else {
        panic!("{found:?}")
    };
    assert!(what.contains("legal hold"), "{what}");
}

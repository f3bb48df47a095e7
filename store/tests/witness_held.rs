//! What witnesses hold that the log does not begin with: it stays told until it is resolved, and is not told
//! of what has passed.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    event::NewEvent,
    proof::{Checkpoint, Note, Signer},
};
use log::{BEGINNING, Log, event, object, operator, user};
use std::{fs, time::Duration};
use store::{
    Store,
    holds::Reason,
    proof::{
        verify::{Steady, Step},
        witness::{Conflict, Holds, NewWitness, Outcome, Place, ToWitness, Witness},
    },
};

fn some(count: usize) -> Vec<NewEvent> {
    let events = (0..count).map(|number| {
        let thing = object("secret", &format!("sec_{number}"), "SALESFORCE");
        event(user("usr_1", "Alex Kim"), "secret:rotate", thing, BEGINNING)
    });
    events.collect()
}

/// A log with a witness, and checkpoints.
async fn witnessed(place: Place) -> (Log, Witness) {
    let log = Log::new().await;
    let witness = added(&log, "w", place).await;
    grown(&log).await;
    (log, witness)
}

async fn added(log: &Log, name: &str, place: Place) -> Witness {
    let new = NewWitness {
        name: name.to_owned(),
        place,
        every: Duration::from_mins(1),
    };
    log.store.add_witness(&new, &operator()).await.unwrap();
    let mut witnesses = log.store.witnesses().await.unwrap();
    witnesses.retain(|witness| witness.name == name);
    witnesses.remove(0)
}

/// The log has some more entries, which a checkpoint covers.
async fn grown(log: &Log) {
    let grant = log.token("acme/growth").await;
    log.record(&grant, some(5)).await;
    log.store.cover().await.unwrap();
}

fn hook() -> Place {
    Place::Webhook("http://127.0.0.1:1/".to_owned())
}

async fn due(log: &Log, witness: &Witness) -> Option<ToWitness> {
    let due = log.store.to_witness(witness).await.unwrap().pop();
    due.map(|(due, _)| due)
}

async fn noted(log: &Log, witness: &Witness, of: &ToWitness, outcome: Outcome) {
    log.store
        .note_witnessed(witness, of, &outcome)
        .await
        .unwrap();
}

async fn holds(log: &Log) -> Holds {
    let mut listed = log.store.listed_witnesses().await.unwrap();
    listed.remove(0).holds.remove(0)
}

async fn fault(log: &Log) -> Option<String> {
    let rows: Vec<(Option<String>,)> = log.rows("SELECT fault FROM background_check").await;
    rows.into_iter().find_map(|(fault,)| fault)
}

async fn round(log: &Log) {
    let mut steady = Steady::default();
    while let Step::Checked(_) = steady.step(&log.store).await.unwrap() {}
    log.store.check_newest().await.unwrap();
}

fn key_file(log: &Log) -> std::path::PathBuf {
    log.folder.path().join("daybook.db.key")
}

/// A checkpoint of so many entries which this installation's key signed, of another tree.
fn forged(log: &Log, like: &ToWitness, size: u64) -> (Note, Conflict) {
    let keys = fs::read_to_string(key_file(log)).unwrap();
    let mut lines = keys.lines();
    let secret = lines
        .find_map(|line| line.strip_prefix("signing = "))
        .unwrap();
    let secret: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&secret[at * 2..at * 2 + 2], 16).unwrap())
        .collect();
    let signer = Signer::new(like.origin.as_str(), &secret.try_into().unwrap()).unwrap();
    let mut checkpoint = Checkpoint::try_from(&like.note).unwrap();
    (checkpoint.size, checkpoint.root.0) = (size, [7; 32]);
    let note = checkpoint.sign(&signer);
    let conflict = Conflict {
        checkpoint,
        size: like.size,
    };
    (note, conflict)
}

fn reason() -> Reason {
    "Restored".parse().unwrap()
}

async fn accept(store: &Store, notes: &[Note]) -> usize {
    let accepted = store.accept_restore(&reason(), notes, &operator()).await;
    accepted.unwrap().len()
}

#[tokio::test]
async fn what_one_server_notes_late_undoes_nothing_that_another_noted() {
    let (log, witness) = witnessed(hook()).await;
    let older = due(&log, &witness).await.unwrap();
    grown(&log).await;
    let newer = due(&log, &witness).await.unwrap();
    assert!(newer.size > older.size);
    noted(&log, &witness, &newer, Outcome::Taken).await;
    for late in [
        Outcome::Taken,
        Outcome::Failed("it answered 500".to_owned()),
        Outcome::Ahead(newer.size),
    ] {
        noted(&log, &witness, &older, late.clone()).await;
        let held = holds(&log).await;
        assert_eq!(held.newest.unwrap().0, newer.size, "{late:?}");
        assert_eq!(held.failing, None, "{late:?}");
        assert_eq!(fault(&log).await, None, "{late:?}");
    }
    assert_eq!(due(&log, &witness).await, None);
    // Whoever is told that it holds more finds what is newest.
    let newest = log.store.newest_to_witness(&witness, &older).await.unwrap();
    assert_eq!(newest.map(|newest| newest.size), Some(newer.size));
}

#[tokio::test]
async fn a_witness_that_is_ahead_is_told_until_it_takes_the_log_again() {
    let (log, witness) = witnessed(hook()).await;
    let first = due(&log, &witness).await.unwrap();
    noted(&log, &witness, &first, Outcome::Ahead(9_999)).await;
    let told = fault(&log).await.unwrap();
    assert!(told.contains("9999 entries"), "{told}");
    // Neither rounds that find the log right nor a witness that does not answer resolve it.
    round(&log).await;
    let gone = Outcome::Failed("it cannot be reached".to_owned());
    noted(&log, &witness, &first, gone).await;
    round(&log).await;
    assert_eq!(fault(&log).await, Some(told));
    assert!(holds(&log).await.failing.unwrap().1.contains("9999"));
    // It is brought the newest even where that has not changed.
    let again = due(&log, &witness).await.unwrap();
    noted(&log, &witness, &again, Outcome::Taken).await;
    let ahead: Vec<(Option<i64>,)> = log.rows("SELECT ahead FROM witnessed").await;
    assert_eq!(ahead, [(None,)]);
    round(&log).await;
    assert_eq!(fault(&log).await, None);
    assert_eq!(holds(&log).await.failing, None);
}

#[tokio::test]
async fn what_somebody_accepted_of_a_witness_is_told_no_more_also_by_who_runs_on() {
    let (log, witness) = witnessed(hook()).await;
    let first = due(&log, &witness).await.unwrap();
    noted(&log, &witness, &first, Outcome::Ahead(9_999)).await;
    // In another process.
    let command = Store::open(Log::options(&log.folder, &log.clock))
        .await
        .unwrap();
    assert_eq!(accept(&command, &[]).await, 1);
    command.close().await;
    assert_eq!(fault(&log).await, None);
    let again = due(&log, &witness).await.unwrap();
    noted(&log, &witness, &again, Outcome::Ahead(9_999)).await;
    assert_eq!(fault(&log).await, None);
    let failing = holds(&log).await.failing.unwrap().1;
    assert!(failing.contains("accepted"), "{failing}");
    round(&log).await;
    assert_eq!(fault(&log).await, None);
    // More than was accepted is another matter.
    noted(&log, &witness, &again, Outcome::Ahead(10_000)).await;
    assert!(fault(&log).await.is_some());
}

#[tokio::test]
async fn what_a_folder_holds_of_fewer_entries_than_were_signed_last_is_not_forgotten_either() {
    let (log, witness) = witnessed(Place::File("nowhere".to_owned())).await;
    let newest = due(&log, &witness).await.unwrap();
    let (note, conflict) = forged(&log, &newest, newest.size - 2);
    let found = log
        .store
        .hold_to(&witness, std::slice::from_ref(&note))
        .await;
    assert_eq!(found.unwrap(), std::slice::from_ref(&conflict));
    let told = fault(&log).await.unwrap();
    assert!(told.contains("the witness w holds a checkpoint"), "{told}");
    round(&log).await;
    round(&log).await;
    assert_eq!(fault(&log).await, Some(told));
    // Nothing is signed that conflicts with it, by whoever begins anew either.
    let log = log.reopened().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, some(1)).await;
    let refused = log.store.cover().await.unwrap_err().to_string();
    assert!(refused.contains("nothing is signed"), "{refused}");
    // The same when it is to get the next one.
    let again = due(&log, &witness).await.unwrap();
    let outcome = Outcome::Conflict(conflict);
    noted(&log, &witness, &again, outcome).await;
    round(&log).await;
    assert!(fault(&log).await.is_some());
    assert_eq!(accept(&log.store, std::slice::from_ref(&note)).await, 1);
    let found = log
        .store
        .hold_to(&witness, std::slice::from_ref(&note))
        .await;
    assert_eq!(found.unwrap(), []);
    log.store.cover().await.unwrap();
    round(&log).await;
    assert_eq!(fault(&log).await, None);
}

#[tokio::test]
async fn a_witness_never_gets_the_number_of_one_that_was_removed() {
    let (log, old) = witnessed(hook()).await;
    let late = due(&log, &old).await.unwrap();
    log.store.remove_witness("w", &operator()).await.unwrap();
    let new = added(&log, "other", hook()).await;
    assert_ne!(new.id, old.id);
    // Who still brought the old one something notes nothing of the new one.
    noted(&log, &old, &late, Outcome::Taken).await;
    let rows = log.number("SELECT count(*) FROM witnessed").await;
    assert_eq!(rows, 0);
    assert_eq!(due(&log, &new).await.unwrap().held, 0);
    let third = added(&log, "third", hook()).await;
    assert!(third.id > new.id && new.id > old.id);
}

#[tokio::test]
async fn what_cannot_be_accepted_stays_told() {
    let (log, witness) = witnessed(hook()).await;
    let first = due(&log, &witness).await.unwrap();
    noted(&log, &witness, &first, Outcome::Ahead(9_999)).await;
    let told = fault(&log).await.unwrap();
    // What is accepted cannot be kept.
    let memory = log.folder.path().join("daybook.db.key.signed");
    let kept = fs::read(&memory).unwrap_or_default();
    fs::write(&memory, "broken").unwrap();
    let refused = log.store.accept_restore(&reason(), &[], &operator()).await;
    assert!(refused.is_err());
    log.clock.set(log.store.now().plus(TimeDelta::minutes(1)));
    round(&log).await;
    assert_eq!(fault(&log).await, Some(told));
    fs::write(&memory, kept).unwrap();
    if fs::metadata(&memory).unwrap().len() == 0 {
        fs::remove_file(&memory).unwrap();
    }
    assert_eq!(accept(&log.store, &[]).await, 1);
    assert_eq!(fault(&log).await, None);
}

//! What beside the log proves it: the check that goes on and on, what is remembered of what was signed,
//! and who keeps checkpoints elsewhere.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    event::NewEvent,
    proof::{Checkpoint, Note, Signer, WitnessKey, check_consistency},
    slug::Slug,
};
use log::{BEGINNING, Log, event, limit, object, operator, user};
use std::{fs, time::Duration};
use store::{
    Store, StoreError,
    access::Secret,
    administration::AdministrationError,
    holds::Reason,
    proof::{
        Fault, Seen, Standing,
        verify::{Steady, Step},
        witness::{NewWitness, Outcome, Place, ToWitness, Witness},
    },
};

fn some(events: std::ops::Range<usize>) -> Vec<NewEvent> {
    events
        .map(|number| {
            let mut event = event(
                user(&format!("usr_{}", number % 3), "Alex Kim"),
                "secret:rotate",
                object("secret", &format!("sec_{number}"), "SALESFORCE"),
                BEGINNING,
            );
            event.idempotency_key = Some(format!("key-{number}"));
            event
        })
        .collect()
}

fn acme() -> Slug {
    "acme".parse().unwrap()
}

/// A log with some events, covered by checkpoints.
async fn recorded(events: usize) -> Log {
    let log = Log::new().await;
    let growth = log.token("acme/growth").await;
    log.record(&growth, some(0..events / 2)).await;
    log.store.cover().await.unwrap();
    log.record(&growth, some(events / 2..events)).await;
    log.store.cover().await.unwrap();
    log
}

/// A whole round of the check that goes on and on: how many entries it looked at.
async fn round(steady: &mut Steady, store: &Store) -> u64 {
    let mut all = 0;
    loop {
        match steady.step(store).await.unwrap() {
            Step::Checked(checked) => all += checked,
            Step::Ended(checked) => return all + checked,
        }
    }
}

async fn standing(log: &Log) -> Standing {
    let owner = log.named("Olga", "olga@acme.example", tenant_place()).await;
    let scope = owner.tenant_administration(&acme()).unwrap();
    log.store.standing(Seen::Tenant(&scope)).await.unwrap()
}

fn tenant_place() -> store::administration::Place {
    store::administration::Place::Tenant(acme())
}

/// What is known to be wrong with acme's log.
async fn fault(log: &Log) -> Option<String> {
    let rows: Vec<(Option<String>,)> = log.rows("SELECT fault FROM background_check").await;
    rows.into_iter().find_map(|(fault,)| fault)
}

fn file(folder: &log::Folder) -> std::path::PathBuf {
    folder.path().join("daybook.db.key.signed")
}

async fn open(log: &Log) -> Store {
    Store::open(Log::options(&log.folder, &log.clock))
        .await
        .unwrap()
}

/// Records events, which no checkpoint covers yet.
async fn record(log: &Log, events: std::ops::Range<usize>) {
    let growth = log.token("acme/growth").await;
    log.record(&growth, some(events)).await;
}

#[tokio::test]
async fn a_log_that_is_right_passes_round_after_round_and_goes_on_where_a_check_ended() {
    let log = recorded(9_000).await;
    let mut steady = Steady::default();
    let all = round(&mut steady, &log.store).await;
    assert!(all > 9_000);
    assert_eq!(round(&mut steady, &log.store).await, all);
    assert_eq!(log.store.check_newest().await.unwrap(), 0);
    let passed = log.number("SELECT passed FROM background_check").await;
    assert_eq!(passed.unsigned_abs(), all);
    // What arrived and is not covered yet is checked too.
    let growth = log.token("acme/growth").await;
    log.record(&growth, some(9_000..9_010)).await;
    assert_eq!(round(&mut steady, &log.store).await, all + 11);
    assert_eq!(fault(&log).await, None);
}

#[tokio::test]
async fn what_was_altered_is_found_claimed_to_admins_and_forgotten_once_it_is_right_again() {
    let log = recorded(40).await;
    let mut steady = Steady::default();
    round(&mut steady, &log.store).await;
    let text = "UPDATE action SET action = 'secret:rotatf' WHERE action = 'secret:rotate'";
    log.attack(text).await;
    round(&mut steady, &log.store).await;
    let told = fault(&log).await.unwrap();
    assert!(
        told.contains("acme: entry") && told.contains("does not say"),
        "{told}"
    );
    assert_eq!(log.store.check_newest().await.unwrap(), 1);
    // Those of the tenant know.
    let owner = log.owner("acme/growth").await;
    assert_eq!(
        owner.fault_of(&acme()).map(|fault| &fault.words),
        Some(&told)
    );
    let path = "globex".parse().unwrap();
    log.store
        .create_tenant(&path, "Globex", &operator())
        .await
        .unwrap();
    let other = log
        .named(
            "Gus",
            "gus@globex.example",
            store::administration::Place::Tenant(path),
        )
        .await;
    assert_eq!(other.faults, Vec::<Fault>::new());
    // Recording goes on.
    let growth = log.token("acme/growth").await;
    log.record(&growth, some(40..41)).await;
    round(&mut steady, &log.store).await;
    assert_eq!(fault(&log).await, Some(told));
    let back = "UPDATE action SET action = 'secret:rotate' WHERE action = 'secret:rotatf'";
    log.execute(back).await;
    round(&mut steady, &log.store).await;
    assert_eq!(fault(&log).await, None);
    assert_eq!(standing(&log).await.fault, None);
}

#[tokio::test]
async fn a_newest_checkpoint_that_is_not_what_was_signed_is_found_at_once() {
    for (table, column, length, words) in [
        ("checkpoint", "signature", "64", "not signed"),
        ("tile", "hashes", "length(hashes)", "another tree"),
    ] {
        let log = recorded(10).await;
        let zeroes = match log::postgres() {
            Some(_) => format!("decode(repeat('00', {length}), 'hex')"),
            None => format!("zeroblob({length})"),
        };
        let statement = format!("UPDATE {table} SET {column} = {zeroes}");
        log.attack(&statement).await;
        assert_eq!(log.store.check_newest().await.unwrap(), 1, "{statement}");
        let told = fault(&log).await.unwrap();
        assert!(told.contains(words), "{told}");
    }
}

#[tokio::test]
async fn whoever_removes_checkpoints_and_begins_the_server_anew_gets_nothing_signed() {
    let mut log = recorded(600).await;
    log.store.close().await;
    assert!(file(&log.folder).exists());
    log.attack("DELETE FROM tile; DELETE FROM checkpoint;")
        .await;
    log.store = open(&log).await;
    let refused = log.store.cover().await;
    // Nothing was recorded by this process, so nothing was to be covered.
    assert!(refused.is_ok());
    assert_eq!(log.store.check_newest().await.unwrap(), 1);
    let told = fault(&log).await.unwrap();
    assert!(told.contains("accept-restore"), "{told}");
    record(&log, 600..601).await;
    let refused = log.store.cover().await.unwrap_err();
    assert!(refused.to_string().contains("was signed here"), "{refused}");
    assert_eq!(log.number("SELECT count(*) FROM checkpoint").await, 0);
    // Another process, that has forgotten nothing either.
    log.store.close().await;
    log.store = open(&log).await;
    assert_eq!(log.store.check_newest().await.unwrap(), 1);
    // Who did it on purpose says so.
    let reason: Reason = "Restored from last night's copy".parse().unwrap();
    let accepted = log
        .store
        .accept_restore(&reason, &[], &operator())
        .await
        .unwrap();
    assert_eq!(accepted.len(), 1);
    assert!(accepted[0].signed > 600 && accepted[0].holds == 0);
    log.store.cover().await.unwrap();
    assert!(log.number("SELECT max(size) FROM checkpoint").await > 601);
    assert_eq!(log.store.check_newest().await.unwrap(), 0);
    let again = log
        .store
        .accept_restore(&reason, &[], &operator())
        .await
        .unwrap();
    assert_eq!(again, []);
    let told = log
        .number("SELECT count(*) FROM action WHERE action = 'AUDIT_RESTORE_ACCEPTED'")
        .await;
    assert_eq!(told, 1);
    log.store.close().await;
}

#[tokio::test]
async fn what_was_signed_of_another_tree_is_no_past_of_a_larger_one() {
    let mut log = recorded(20).await;
    log.store.close().await;
    // Everything removed, and signed anew to more, where nothing is remembered.
    let kept = file(&log.folder);
    let remembered = fs::read(&kept).unwrap();
    fs::remove_file(&kept).unwrap();
    log.attack("DELETE FROM tile; DELETE FROM checkpoint; UPDATE leaf SET occurred_at = occurred_at + 1 WHERE seq = 2").await;
    log.store = open(&log).await;
    record(&log, 20..40).await;
    log.store.cover().await.unwrap();
    log.store.close().await;
    fs::write(&kept, remembered).unwrap();
    log.store = open(&log).await;
    assert_eq!(log.store.check_newest().await.unwrap(), 1);
    let told = fault(&log).await.unwrap();
    assert!(told.contains("others in their place"), "{told}");
    log.store.close().await;
}

fn new(name: &str, place: Place) -> NewWitness {
    NewWitness {
        name: name.to_owned(),
        place,
        every: Duration::from_mins(1),
    }
}

/// A folder that nobody added.
fn named(name: &str) -> Witness {
    Witness {
        id: 0,
        name: name.to_owned(),
        place: Place::File("nowhere".to_owned()),
        every: Duration::from_mins(1),
    }
}

async fn only(store: &Store) -> Witness {
    store.witnesses().await.unwrap().remove(0)
}

async fn due(store: &Store, witness: &Witness) -> Option<(ToWitness, Duration)> {
    store.to_witness(witness).await.unwrap().pop()
}

#[tokio::test]
async fn a_witness_comes_and_goes_with_the_events_that_tell_of_it_and_its_token_is_sealed() {
    let log = recorded(4).await;
    let token = Secret::from("dbk_abcdef".to_owned());
    let address = "https://u:hunter2@other.example/?key=hunter2";
    let place = Place::Daybook(address.to_owned(), token.clone());
    log.store
        .add_witness(&new("other", place.clone()), &operator())
        .await
        .unwrap();
    let again = log
        .store
        .add_witness(&new("other", place.clone()), &operator())
        .await;
    assert!(matches!(again, Err(AdministrationError::Exists(_))));
    let odd = log
        .store
        .add_witness(&new("a\nb", place.clone()), &operator())
        .await;
    assert!(matches!(odd, Err(AdministrationError::Invalid(_))));
    assert_eq!(only(&log.store).await.place, place);
    let sealed: Vec<(String,)> = log.rows("SELECT token FROM witness").await;
    assert!(!sealed[0].0.contains("abcdef"));
    let listed = log.store.listed_witnesses().await.unwrap();
    assert!(!format!("{listed:?}").contains("dbk_"));
    log.store
        .remove_witness("other", &operator())
        .await
        .unwrap();
    let gone = log.store.remove_witness("other", &operator()).await;
    assert!(matches!(gone, Err(AdministrationError::Missing(_))));
    let scope = log.scope("acme").await;
    let told: Vec<String> = log
        .walk(&scope, &limit(500))
        .await
        .iter()
        .filter(|event| event.action.as_str().starts_with("AUDIT_WITNESS_"))
        .map(|event| {
            let text = serde_json::to_string(event).unwrap();
            assert!(
                !text.contains("hunter2") && !text.contains("dbk_"),
                "{text}"
            );
            assert!(text.contains("\"https://other.example\""), "{text}");
            event.action.to_string()
        })
        .collect();
    assert_eq!(told, ["AUDIT_WITNESS_REMOVED", "AUDIT_WITNESS_ADDED"]);
}

#[tokio::test]
async fn a_witness_gets_the_newest_checkpoint_alone_and_not_too_often() {
    let log = recorded(4).await;
    let place = Place::Webhook("http://127.0.0.1:1/".to_owned());
    log.store
        .add_witness(&new("hook", place), &operator())
        .await
        .unwrap();
    log.store.cover().await.unwrap();
    let witness = only(&log.store).await;
    let (first, wait) = due(&log.store, &witness).await.unwrap();
    assert_eq!(wait, Duration::ZERO);
    assert_eq!(Checkpoint::try_from(&first.note).unwrap().size, first.size);
    let refused = Outcome::Failed("it answered 500\nand more".to_owned());
    log.store
        .note_witnessed(&witness, &first, &refused)
        .await
        .unwrap();
    let holds = log
        .store
        .listed_witnesses()
        .await
        .unwrap()
        .remove(0)
        .holds
        .remove(0);
    assert_eq!(
        (holds.newest, holds.failing.unwrap().1),
        (None, "it answered 500 and more".to_owned())
    );
    log.store
        .note_witnessed(&witness, &first, &Outcome::Taken)
        .await
        .unwrap();
    let holds = log
        .store
        .listed_witnesses()
        .await
        .unwrap()
        .remove(0)
        .holds
        .remove(0);
    assert_eq!((holds.newest.unwrap().0, holds.failing), (first.size, None));
    assert_eq!(due(&log.store, &witness).await, None);
    let growth = log.token("acme/growth").await;
    log.record(&growth, some(4..8)).await;
    log.store.cover().await.unwrap();
    let (next, wait) = due(&log.store, &witness).await.unwrap();
    assert_eq!(wait, Duration::from_mins(1));
    assert_eq!((next.held, next.size > first.size), (first.size, true));
    let path = log
        .store
        .growth_between(&next, next.held)
        .await
        .unwrap()
        .unwrap();
    let trees = [&first, &next].map(|of| {
        let checkpoint = Checkpoint::try_from(&of.note).unwrap();
        (checkpoint.size, checkpoint.root)
    });
    assert_eq!(check_consistency(trees[0], trees[1], &path), Ok(()));
    assert_eq!(
        log.store
            .growth_between(&next, next.size + 1)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn what_a_witness_signed_stands_under_the_checkpoint() {
    let log = recorded(4).await;
    let secret = Signer::new("w.example", &[7; 32]).unwrap();
    let key = WitnessKey::new("w.example", secret.verifier().key()).unwrap();
    let place = Place::Tlog("http://127.0.0.1:1".to_owned(), key.clone());
    log.store
        .add_witness(&new("w", place), &operator())
        .await
        .unwrap();
    log.store.cover().await.unwrap();
    let witness = only(&log.store).await;
    let (first, _) = due(&log.store, &witness).await.unwrap();
    let at = 1_778_576_400_u64;
    let signed = secret.sign(WitnessKey::message(at, &first.note.text));
    let mut bytes = at.to_be_bytes().to_vec();
    bytes.extend(&signed.signatures[0].signature);
    let line = key.line(bytes);
    let cosignature = key
        .cosignature(&first.note.text, std::slice::from_ref(&line))
        .unwrap();
    let outcome = Outcome::Signed(Box::new(cosignature), key.clone());
    log.store
        .note_witnessed(&witness, &first, &outcome)
        .await
        .unwrap();
    let scope = log.scope("acme/growth").await;
    let served: Note = log.store.checkpoint(&scope).await.unwrap().unwrap();
    assert_eq!(served.signatures.len(), 2);
    assert!(key.cosignature(&served.text, &served.signatures).is_some());
    assert_eq!(served.to_string().parse(), Ok(served));
}

#[tokio::test]
async fn a_checkpoint_that_a_witness_holds_and_the_log_does_not_begin_with_is_told() {
    let mut log = recorded(30).await;
    let scope = log.scope("acme/growth").await;
    let before = log.store.checkpoint(&scope).await.unwrap().unwrap();
    assert_eq!(
        log.store
            .hold_to(&named("w"), std::slice::from_ref(&before))
            .await
            .unwrap(),
        []
    );
    let growth = log.token("acme/growth").await;
    log.record(&growth, some(30..40)).await;
    log.store.cover().await.unwrap();
    let newest = log.store.checkpoint(&scope).await.unwrap().unwrap();
    assert_eq!(
        log.store
            .hold_to(&named("w"), &[before.clone(), newest.clone()])
            .await
            .unwrap(),
        []
    );
    log.store.close().await;
    // An older copy comes back, and what this machine remembers is gone.
    fs::remove_file(file(&log.folder)).unwrap();
    let size = Checkpoint::try_from(&newest).unwrap().size;
    log.attack(&format!("DELETE FROM checkpoint WHERE size = {size}"))
        .await;
    log.store = open(&log).await;
    let conflicts = log
        .store
        .hold_to(&named("elsewhere"), &[before, newest.clone()])
        .await
        .unwrap();
    assert_eq!(conflicts.len(), 1);
    let told = fault(&log).await.unwrap();
    assert!(
        told.contains("the witness elsewhere holds a checkpoint of"),
        "{told}"
    );
    record(&log, 40..41).await;
    assert!(matches!(
        log.store.cover().await,
        Err(StoreError::Damaged(_))
    ));
    // What no known key signed says nothing.
    let stranger = Signer::new("daybook/x/acme", &[9; 32]).unwrap();
    let strange = stranger.sign(newest.text.clone());
    let held = log.store.hold_to(&named("w"), &[strange]).await;
    assert_eq!(held.unwrap(), []);
    // Accepted, it is known to be none of its pasts.
    let reason: Reason = "Restored".parse().unwrap();
    let notes = std::slice::from_ref(&newest);
    assert_eq!(
        log.store
            .accept_restore(&reason, notes, &operator())
            .await
            .unwrap()
            .len(),
        1
    );
    let held = log.store.hold_to(&named("elsewhere"), notes).await;
    assert_eq!(held.unwrap(), []);
    log.store.close().await;
}

#[tokio::test]
async fn of_several_servers_one_at_a_time_has_what_is_done_once() {
    let log = recorded(2).await;
    let other = open(&log).await;
    let lasts = Duration::from_mins(1);
    assert!(log.store.lease("witnesses", lasts).await.unwrap());
    assert!(log.store.lease("witnesses", lasts).await.unwrap());
    assert!(!other.lease("witnesses", lasts).await.unwrap());
    assert!(other.lease("check", lasts).await.unwrap());
    log.store.end_lease("witnesses").await.unwrap();
    assert!(other.lease("witnesses", lasts).await.unwrap());
    assert!(!log.store.lease("witnesses", lasts).await.unwrap());
    // Who went away without a word has it no longer.
    log.clock
        .set(log.store.now().plus(chrono::TimeDelta::minutes(2)));
    assert!(log.store.lease("witnesses", lasts).await.unwrap());
    other.close().await;
}

//! What was erased leaves no trace: in no file and no row, also where no event ever named it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod erasing;
mod log;

use erasing::{Erasing, JANE, jane, jane_as};
use log::{BEGINNING, Log, event, object, user};
use serde_json::json;
use std::collections::BTreeSet;
use store::{
    erasure::{Extent, Released, What, clean},
    settings::SettingsChange,
};
/// Where a text stands in a folder's files, or in the rows of a database on PostgreSQL.
async fn places(log: &Log, text: &str) -> Vec<String> {
    let mut places = Vec::new();
    if log::postgres().is_some() {
        let tables: Vec<(String,)> = log
            .rows(
                "SELECT relname::TEXT FROM pg_class WHERE relnamespace = 'public'::REGNAMESPACE \
                 AND relkind = 'r'",
            )
            .await;
        for (table,) in tables {
            let found = log
                .number(&format!(
                    "SELECT count(*) FROM \"{table}\" t WHERE position('{text}' IN lower(t::TEXT)) > 0"
                ))
                .await;
            if found > 0 {
                places.push(table);
            }
        }
        return places;
    }
    for file in std::fs::read_dir(log.folder.path()).unwrap() {
        let path = file.unwrap().path();
        // What lies beside a file comes and goes.
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let bytes = bytes.to_ascii_lowercase();
        if bytes
            .windows(text.len())
            .any(|some| some == text.as_bytes())
        {
            places.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    places
}

impl Erasing {
    /// Erases, closes the log, and has it cleaned as the command does.
    async fn erased_and_cleaned(self, what: &What) -> (Log, Extent) {
        let (reason, by) = (erasing::reason(), log::operator());
        let store = &self.log.store;
        let released = store.erase(&self.scope, what, &reason, &by).await;
        let Released::Made(_, extent) = released.unwrap() else {
            panic!("there is something to erase")
        };
        self.carry_out().await;
        let Self { log, .. } = self;
        log.store.close().await;
        let texts: Vec<String> = extent.texts.iter().cloned().collect();
        let options = Log::options(&log.folder, &log.clock);
        let cleaned = clean(&options, Some(&texts)).await.unwrap();
        assert!(!cleaned.is_left);
        (log, extent)
    }
}

/// Notes of many people, some of whom are Jane.
fn notes() -> Vec<domain::event::NewEvent> {
    let who = |number: usize| match number % 7 {
        0 => jane_as("Jane Doe", JANE),
        3 => jane_as("Jane Roe", JANE),
        _ => user(&format!("usr_{number}"), &format!("Somebody {number}")),
    };
    let page = || object("page", "p", "Page");
    (0..400)
        .map(|number| event(who(number), "NOTE", page(), BEGINNING))
        .collect()
}

#[tokio::test]
async fn no_file_and_no_row_knows_what_was_erased() {
    let erasing = Erasing::new().await;
    // So many that pages are split, and old ones lie about.
    erasing.log.record(&erasing.grant, notes()).await;
    for text in [JANE, "jane doe", "jane roe"] {
        assert!(!places(&erasing.log, text).await.is_empty(), "{text}");
    }
    let (log, extent) = erasing.erased_and_cleaned(&jane()).await;
    let known = [JANE, "Jane Doe", "Jane Roe"].map(str::to_owned);
    assert_eq!(extent.texts, BTreeSet::from(known));
    for text in [JANE, "jane doe", "jane roe"] {
        assert_eq!(places(&log, text).await, Vec::<String>::new(), "{text}");
    }
    // It is a log as before.
    let erasing = Erasing::of(log.reopened().await).await;
    let events = erasing.events().await;
    let sent = events.iter().filter(|event| event.source.is_none());
    assert_eq!(sent.count(), 400);
    erasing.verified().await.unwrap();
}

#[tokio::test]
async fn what_an_event_said_is_in_no_file_and_no_row_either() {
    let erasing = Erasing::new().await;
    let mut told = notes();
    for (number, event) in told.iter_mut().enumerate() {
        event.description = Some(format!("a note of some length, with the number {number}"));
        event.after = json!({"version": number}).as_object().cloned();
    }
    told[200].description = Some("what \"nobody\" should have sent".into());
    told[200].context = json!({"login": "a-secret-of-hers"}).as_object().cloned();
    let receipts = erasing.log.record(&erasing.grant, told).await;
    let store::recording::Receipt::Recorded(placed) = receipts[200] else {
        panic!("{:?}", receipts[200])
    };
    let (log, extent) = erasing
        .erased_and_cleaned(&What::Event(placed.id, None))
        .await;
    assert!(extent.texts.contains("a-secret-of-hers"), "{extent:?}");
    for text in ["should have sent", "a-secret-of-hers"] {
        assert_eq!(places(&log, text).await, Vec::<String>::new(), "{text}");
    }
}

#[tokio::test]
async fn names_of_events_that_were_sent_and_not_recorded_go_too() {
    let erasing = Erasing::with_jane().await;
    let (log, grant) = (&erasing.log, &erasing.grant);
    let page = || object("page", "p", "Page");
    // The same key again, by another name of hers; and what is not recorded at all.
    let mut again = event(jane_as("Jane Quirk", JANE), "NOTE", page(), BEGINNING);
    again.idempotency_key = Some("key-0".into());
    log.record(grant, vec![again]).await;
    let recording = |recording| SettingsChange {
        recording: Some(recording),
        ..SettingsChange::default()
    };
    erasing.change(recording(false)).await;
    let sent = event(jane_as("Jane Xeno", JANE), "NOTE", page(), BEGINNING);
    log.record(grant, vec![sent]).await;
    erasing.change(recording(true)).await;
    let what = What::Person(JANE.parse().unwrap());
    let (log, _) = erasing.erased_and_cleaned(&what).await;
    for text in ["jane doe", "jane roe", "jane quirk", "jane xeno"] {
        assert_eq!(places(&log, text).await, Vec::<String>::new(), "{text}");
    }
    let erasing = Erasing::of(log.reopened().await).await;
    erasing.verified().await.unwrap();
}

#[tokio::test]
async fn it_is_known_whether_a_database_is_to_be_cleaned() {
    let erasing = Erasing::with_jane().await;
    let is_due = async |seconds| {
        let since = chrono::TimeDelta::seconds(seconds);
        erasing.log.store.is_to_be_cleaned(since).await.unwrap()
    };
    assert!(!is_due(0).await);
    erasing.released(&jane()).await.unwrap();
    assert!(!is_due(0).await, "nothing of it is erased yet");
    erasing.carry_out().await;
    assert!(is_due(0).await);
    assert!(!is_due(10).await, "who erased it may be about to");
    let later = erasing.log.store.now().plus(chrono::TimeDelta::seconds(10));
    erasing.log.clock.set(later);
    assert!(is_due(10).await);
    // Whom it was about is not known to whoever does it.
    let cleaned = erasing.log.store.clean(None).await.unwrap();
    assert_eq!(cleaned.rewritten, log::postgres().is_none());
    assert!(!cleaned.is_left && !is_due(0).await);
    // The store goes on, with the same log.
    one_more(&erasing).await;
    erasing.verified().await.unwrap();
}

async fn one_more(erasing: &Erasing) {
    let (_, event) = erasing::one(erasing).await;
    assert_eq!(event.action.as_str(), "secret:rotate");
}

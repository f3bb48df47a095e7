//! Somebody who sends events to a workspace, and what becomes of them.

use super::{Answer, Client, Daybook, READ_AND_WRITE, Server, event};
use domain::time::Timestamp;
use serde_json::Value;
use std::sync::OnceLock;

/// A server with one workspace, and a sender who may read what was sent.
pub struct Setting {
    /// The installation.
    pub daybook: Daybook,
    /// Its server.
    pub server: Server,
    /// Sends to the workspace, and reads it.
    pub sender: Client,
}

impl Setting {
    /// A new installation, serving.
    pub fn new() -> Self {
        let daybook = Daybook::acme();
        let secret = daybook.token("acme/growth", &READ_AND_WRITE);
        let server = daybook.serve();
        let sender = server.client().with_token(&secret);
        Self {
            daybook,
            server,
            sender,
        }
    }

    /// How many events of applications there are.
    pub fn kept(&self) -> usize {
        let walk = self.sender.walk("limit=500");
        walk.events
            .iter()
            .filter(|event| event["source"].is_null())
            .count()
    }

    /// The event as given back, after it was sent.
    #[track_caller]
    pub fn given_back(&self, sent: &Value) -> Value {
        let id = self.sender.send(sent).expect(201).ids().remove(0);
        self.sender
            .get(&format!("/api/v1/events/{id}"))
            .expect(200)
            .json()
    }

    /// The event is refused for this field, and the reason has these words.
    #[track_caller]
    pub fn refuses(&self, sent: &Value, field: &str, words: &str) {
        refused(&self.sender.send(sent), field, words);
    }
}

/// The answer refuses an event for this field, and the reason has these words.
#[track_caller]
pub fn refused(answer: &Answer, field: &str, words: &str) {
    assert_eq!(answer.status, 422, "{}", answer.text());
    let errors = answer.errors();
    assert!(
        errors
            .iter()
            .any(|(_, at, reason)| at == field && reason.contains(words)),
        "wanted {field}: {words}, got {errors:?}"
    );
}

/// An event as text, with the text of one more member.
pub fn raw(member: &str) -> String {
    let event = event("X").to_string();
    format!("{},{member}}}", event.strip_suffix('}').unwrap())
}

/// So many hours from now, to the minute, as far as the seconds: `2026-05-12T09:14:`.
pub fn recently(hours: i64) -> String {
    shifted(hours * 60)
}

/// So many minutes from when the test began, so that it does not matter when a minute ends.
pub fn shifted(minutes: i64) -> String {
    static START: OnceLock<Timestamp> = OnceLock::new();
    let start = *START.get_or_init(super::now);
    let time = start.plus(chrono::TimeDelta::minutes(minutes)).datetime();
    time.format("%Y-%m-%dT%H:%M:").to_string()
}

//! Events to send, and walks over those that are there.

use super::Client;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, json};
use std::fmt;

/// The least that an event is.
pub fn event(action: &str) -> Value {
    json!({
        "actor": {"kind": "user", "id": "usr_1", "name": "Alex Kim"},
        "action": action,
        "target": {"kind": "api_token", "id": "tok_9"},
    })
}

/// An event with one field more, or another value in it.
pub fn with(mut event: Value, field: &str, value: impl Into<Value>) -> Value {
    event[field] = value.into();
    event
}

/// A walk over all pages of a question.
pub struct Walk {
    /// The events, in the order shown.
    pub events: Vec<Value>,
    /// How many pages it took.
    pub pages: usize,
}

impl Client {
    /// Walks from the first page to the last.
    #[track_caller]
    pub fn walk(&self, question: &str) -> Walk {
        self.walk_and(question, |_| ())
    }

    /// Walks from the first page to the last, and does something after each page.
    #[track_caller]
    pub fn walk_and(&self, question: &str, mut after: impl FnMut(usize)) -> Walk {
        let mut walk = Walk {
            events: Vec::new(),
            pages: 0,
        };
        self.walk_pages(question, |page| {
            walk.events.extend(page);
            walk.pages += 1;
            after(walk.pages);
        });
        walk
    }

    /// Walks from the first page to the last, and hands over the events of each: for logs that are
    /// too long to be held whole.
    #[track_caller]
    pub fn walk_pages(&self, question: &str, mut each: impl FnMut(Vec<Value>)) {
        let mut cursor = String::new();
        for _ in 0..100_000 {
            let path = format!("/api/v1/events?{question}&cursor={cursor}");
            let mut page = self.get(&path).expect(200).json();
            let Value::Array(events) = page["events"].take() else {
                panic!("no events in the answer to {question}");
            };
            each(events);
            match page["older"].as_str() {
                Some(older) => older.clone_into(&mut cursor),
                None => return,
            }
        }
        panic!("{question} never ends");
    }
}

impl Walk {
    /// One field of each event as text, without quotes.
    pub fn texts(&self, pointer: &str) -> Vec<String> {
        self.events
            .iter()
            .map(|event| match event.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            })
            .collect()
    }

    /// The ids.
    pub fn ids(&self) -> Vec<String> {
        self.texts("/id")
    }
}

/// The names of the members of a JSON object, in the order in which they are written.
#[track_caller]
pub fn members_of(text: &str) -> Vec<String> {
    struct Members(Vec<String>);

    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Names;
            impl<'de> Visitor<'de> for Names {
                type Value = Members;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members, M::Error> {
                    let mut names = Vec::new();
                    while let Some((name, IgnoredAny)) = map.next_entry()? {
                        names.push(name);
                    }
                    Ok(Members(names))
                }
            }
            deserializer.deserialize_map(Names)
        }
    }

    serde_json::from_str::<Members>(text).unwrap().0
}

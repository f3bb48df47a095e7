//! AWS `CloudTrail`: log files as delivered (`{"Records": […]}`), or one record a line.
//!
//! Who acted is a person, a service, or a session of a role; through which access key and which
//! role it was done is in `via`. What AWS tells beyond what an event has a field for stays in the
//! metadata, under its name in snake case.

mod arn;
mod identity;
mod objects;

use super::{
    Unreadable,
    fields::{self, take_text, text},
};
use crate::event::{NewEvent, Object, Outcome};
use identity::Hints;
use objects::Whereabouts;
use serde_json::Value;

/// The member of a log file that holds its records.
pub(super) const WRAPPER: &str = "Records";

/// What the names of most services end in.
const SERVICE_END: &str = ".amazonaws.com";

/// Whether an object holds records, and is none itself.
pub(super) fn is_wrapper(object: &Object) -> bool {
    object.get(WRAPPER).is_some_and(Value::is_array) && !object.contains_key("eventName")
}

/// The event that one record tells of.
pub(super) fn event(mut record: Object) -> Result<NewEvent, Unreadable> {
    let id = text(&record, "eventID").map(str::to_owned);
    let key = fields::key("cloudtrail", id.clone(), &record);
    if id.is_some() {
        record.remove("eventID");
    }
    let time = fields::take_time(&mut record, &["eventTime", "@timestamp"])?;
    let event_name = take_text(&mut record, "eventName")
        .ok_or_else(|| Unreadable::field("eventName", "is missing, or not a text"))?;
    let event_source = take_text(&mut record, "eventSource").unwrap_or_default();
    let service = event_source
        .strip_suffix(SERVICE_END)
        .unwrap_or(&event_source);
    let action_name = if service.is_empty() {
        event_name.clone()
    } else {
        format!("{service}:{event_name}")
    };
    let action = fields::action(&action_name)
        .ok_or_else(|| Unreadable::field("eventName", "is not the name of an action"))?;

    let whereabouts = Whereabouts::of(&record);
    let objects = objects::find(service, &event_name, &record, &whereabouts)
        .ok_or_else(|| Unreadable::field("eventSource", "is not the name of a service"))?;
    let identity = identity::read(record.remove("userIdentity"), &Hints::of(&record));
    let outcome = read_outcome(&record);

    let mut event = NewEvent::new(identity.actor, action, objects.target);
    event.idempotency_key = Some(key);
    event.occurred_at = Some(time);
    event.via = identity.via;
    event.related = objects.related;
    event.outcome = outcome;
    event.description = take_text(&mut record, "errorMessage");
    event.context = read_context(&mut record);
    let mut metadata = Object::new();
    if event.action.as_str() != action_name || (!event_source.is_empty() && service == event_source)
    {
        // The action alone does not tell what they were.
        metadata.insert("event_name".to_owned(), event_name.into());
        metadata.insert("event_source".to_owned(), event_source.into());
    }
    if let Some(rest) = identity.rest {
        metadata.insert("user_identity".to_owned(), rest);
    }
    fields::keep(&mut metadata, record, snake_case);
    event.metadata = Some(metadata).filter(|metadata| !metadata.is_empty());
    Ok(event)
}

/// How it ended. A sign-in that failed is told by the answer, most else by an error.
fn read_outcome(record: &Object) -> Outcome {
    const DENIED: [&str; 5] = [
        "AccessDenied",
        "Unauthorized",
        "NotAuthorized",
        "AuthorizationError",
        "AuthFailure",
    ];
    if let Some(code) = text(record, "errorCode") {
        if DENIED.iter().any(|word| code.contains(word)) {
            return Outcome::Denied;
        }
        return Outcome::Failure;
    }
    let failed = |answer: &Object| {
        ["ConsoleLogin", "SwitchRole", "CheckMfa"]
            .iter()
            .any(|name| text(answer, name) == Some("Failure"))
    };
    let answer = record.get("responseElements").and_then(Value::as_object);
    if text(record, "errorMessage").is_some() || answer.is_some_and(failed) {
        return Outcome::Failure;
    }
    Outcome::Success
}

fn read_context(record: &mut Object) -> Option<Object> {
    let mut context = Object::new();
    for (name, shown) in [
        ("sourceIPAddress", "ip"),
        ("userAgent", "user_agent"),
        ("requestID", "request_id"),
    ] {
        if let Some(text) = take_text(record, name) {
            context.insert(shown.to_owned(), text.into());
        }
    }
    Some(context).filter(|context| !context.is_empty())
}

/// `requestParameters` becomes `request_parameters`, `sharedEventID` `shared_event_id`.
fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let word_begins = character.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || (before.is_ascii_uppercase()
                        && characters.get(at + 1).is_some_and(char::is_ascii_lowercase))
            });
        if word_begins {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

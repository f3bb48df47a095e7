//! Daybook's own events, as it gives them back: the way from one installation to another.

use super::{Unreadable, fields};
use crate::event::{Bounds, NewEvent, Object};
use serde_json::Value;

/// The members of the last line of an export with proofs.
const LAST_LINE: [&str; 3] = ["checkpoint", "rows", "keys"];

/// What the installation said that gave the events back, and this one says anew; a proof is one of
/// the other log.
const DROPPED: [&str; 8] = [
    "seq",
    "recorded_at",
    "tenant",
    "workspace",
    "source",
    "redacted",
    "erased",
    "proof",
];

/// Whether a record is the last line of an export with proofs, which tells of the file and of no event.
pub(super) fn is_last_line(record: &Object) -> bool {
    record.len() == LAST_LINE.len() && LAST_LINE.iter().all(|name| record.contains_key(*name))
}

/// The event that one event of another installation becomes.
pub(super) fn event(mut record: Object, bounds: Bounds) -> Result<NewEvent, Unreadable> {
    if let Some(part) = part_not_shown(&record) {
        let reason = format!(
            "was exported without its {part} (--parts): what is left is not the event, and cannot be \
             recorded as it"
        );
        return Err(Unreadable::field("", reason));
    }
    let given = record.remove("given").unwrap_or_default();
    for reading in ["verb", "category"] {
        let was_given = given
            .as_array()
            .is_some_and(|given| given.iter().any(|name| name == reading));
        if !was_given {
            record.remove(reading);
        }
    }
    let erased = record.get("erased").cloned().unwrap_or_default();
    for name in DROPPED {
        record.remove(name);
    }
    let id = fields::take_text(&mut record, "id");
    // Not a text: `from_json` says that it may not be given.
    let key = fields::text(&record, "idempotency_key")
        .map(str::to_owned)
        .or_else(|| id.clone())
        .unwrap_or_else(|| fields::key("daybook", None, &record));
    if let Some(Value::Object(actor)) = record.get_mut("actor") {
        actor.remove("deactivated");
        let actor_erased = erased
            .as_array()
            .is_some_and(|parts| parts.iter().any(|part| part == "actor"));
        // An erased actor has a pseudonym as id. Without one, no two events are told to be theirs.
        if actor_erased && fields::text(actor, "id").is_none() {
            actor.insert("id".to_owned(), format!("erased:{key}").into());
        }
    }
    if !record
        .get("idempotency_key")
        .is_some_and(|key| !key.is_null() && !key.is_string())
    {
        record.insert("idempotency_key".to_owned(), key.into());
    }
    NewEvent::from_json(Value::Object(record), bounds).map_err(Unreadable::Refused)
}

/// A part that an export left out, which is none that was erased.
fn part_not_shown(record: &Object) -> Option<&str> {
    let hashes = record.get("proof")?.get("hashes")?.as_object()?;
    let erased = record.get("erased").and_then(Value::as_array);
    let was_erased = |part: &str| erased.is_some_and(|parts| parts.iter().any(|it| it == part));
    hashes
        .keys()
        .map(String::as_str)
        .find(|part| !was_erased(part))
}

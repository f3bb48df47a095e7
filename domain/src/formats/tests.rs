#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{
    event::{Actor, Outcome, Target},
    json,
};
use proptest::prelude::*;
use serde_json::json;

mod cloudtrail;
mod daybook;
mod github;
mod reading;
mod within_bounds;

fn bounds() -> Bounds {
    Bounds {
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
    }
}

fn read(format: Format, text: &[u8]) -> Vec<Record> {
    Reader::new(format, text, bounds())
        .collect::<Result<_, _>>()
        .unwrap()
}

/// The events of a file that has no other.
fn events(format: Format, text: &str) -> Vec<NewEvent> {
    read(format, text.as_bytes())
        .into_iter()
        .map(|record| record.event.unwrap())
        .collect()
}

/// `kind id (name)`, for a line in a table.
fn who(actor: &Actor) -> String {
    let name = actor.name.as_deref().unwrap_or("-");
    let id = actor.id.as_deref().unwrap_or("-");
    format!("{} {id} ({name})", actor.kind)
}

fn what(target: &Target) -> String {
    let name = target.name.as_deref().unwrap_or("-");
    let id = target.id.as_deref().unwrap_or("-");
    format!("{} {id} ({name})", target.kind)
}

/// An event as a sender would give it.
fn sent(event: &NewEvent) -> Value {
    json!({
        "idempotency_key": event.idempotency_key, "occurred_at": event.occurred_at,
        "actor": event.actor, "via": event.via, "action": event.action, "verb": event.verb,
        "category": event.category, "target": event.target, "related": event.related,
        "operation": event.operation, "outcome": event.outcome,
        "description": event.description, "before": event.before, "after": event.after,
        "metadata": event.metadata, "context": event.context,
    })
}

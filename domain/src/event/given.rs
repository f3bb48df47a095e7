//! An event as a sender gives it: read from JSON, every field checked, every fault named.

use super::{Action, Actor, ActorKind, Object, Outcome, Target, TargetKind};
use crate::{category::Category, slug::Slug, time::Timestamp, verb::Verb};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr;

/// How many characters names and ids may have.
const NAME_MOST: usize = 512;
/// How many characters an address may have.
const URL_MOST: usize = 2_048;
/// How many characters an operation may have.
const OPERATION_MOST: usize = 128;
/// How many may carry an action out, one on behalf of the next.
const VIA_MOST: usize = 4;
/// How many other objects an event may concern.
const RELATED_MOST: usize = 16;

/// What is Daybook's to say, and not a sender's.
const OURS: [&str; 8] = [
    "id",
    "seq",
    "recorded_at",
    "tenant",
    "given",
    "source",
    "redacted",
    "erased",
];

/// An event as given: what an application, an importer or Daybook itself wants recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// The account that it is about; none where the sender's own is meant, or the tenant itself.
    pub workspace: Option<Slug>,
    /// The sender's key, by which it is recorded once.
    pub idempotency_key: Option<String>,
    /// When it occurred; none: now.
    pub occurred_at: Option<Timestamp>,
    /// Who did it.
    pub actor: Actor,
    /// Who or what carried it out on the actor's behalf, nearest first; at most four.
    pub via: Vec<Actor>,
    /// What was done.
    pub action: Action,
    /// Its class, where the sender overrides the catalogue.
    pub verb: Option<Verb>,
    /// Its family, where the sender overrides the catalogue.
    pub category: Option<Category>,
    /// What was acted on.
    pub target: Target,
    /// What else it concerns; at most sixteen.
    pub related: Vec<Target>,
    /// What ties the events of one bulk change together.
    pub operation: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// A note in words.
    pub description: Option<String>,
    /// The state before, whole or only what changed.
    pub before: Option<Object>,
    /// The state after, whole or only what changed.
    pub after: Option<Object>,
    /// Other structured context.
    pub metadata: Option<Object>,
    /// Address, user agent, request, location.
    pub context: Option<Object>,
}

/// One thing that is wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Which field, as a path: `actor.kind`, `via[1].id`.
    pub field: String,
    /// What is wrong, and what is accepted.
    pub reason: String,
}

/// What times an event may have: it may not lie far ahead, and not before what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Now.
    pub now: Timestamp,
}

impl Bounds {
    /// The latest moment at which an event may have occurred: 24 hours from now.
    pub fn latest(self) -> Timestamp {
        self.now.plus(TimeDelta::hours(24))
    }
}

impl NewEvent {
    /// An event with what every event has, for what Daybook records itself and for importers.
    pub fn new(actor: Actor, action: Action, target: Target) -> Self {
        Self {
            workspace: None,
            idempotency_key: None,
            occurred_at: None,
            actor,
            via: Vec::new(),
            action,
            verb: None,
            category: None,
            target,
            related: Vec::new(),
            operation: None,
            outcome: Outcome::Success,
            description: None,
            before: None,
            after: None,
            metadata: None,
            context: None,
        }
    }

    /// Reads an event from the JSON object that a sender gave.
    ///
    /// # Errors
    ///
    /// Every field that is missing, unknown, of the wrong type or out of bounds, each with its
    /// path; in the order of the contract's table, unknown ones first.
    #[expect(
        clippy::too_many_lines,
        reason = "one statement a field, in the contract's order"
    )]
    pub fn from_json(value: Value, bounds: Bounds) -> Result<Self, Vec<FieldError>> {
        let mut faults = Faults(Vec::new());
        let Value::Object(mut object) = value else {
            faults.add("", "an event is a JSON object");
            return Err(faults.0);
        };
        for name in OURS {
            if object.remove(name).is_some() {
                faults.add(name, "is set by Daybook and may not be given");
            }
        }
        let mut take = |name: &str| object.remove(name).filter(|value| !value.is_null());

        let actor = match take("actor") {
            Some(value) => read_actor(value, "actor", &mut faults),
            None => faults.none(
                "actor",
                "is missing: who did it, as {\"kind\", \"id\", \"name\", \"email\"}",
            ),
        };
        let action = match take("action") {
            Some(value) => read_parsed(value, "action", &mut faults),
            None => faults.none("action", "is missing: what was done, such as MEMBER_ADDED"),
        };
        let target = match take("target") {
            Some(value) => read_target(value, "target", &mut faults),
            None => faults.none(
                "target",
                "is missing: what was acted on, as {\"kind\", \"id\", \"name\", \"url\"}",
            ),
        };
        let occurred_at = take("occurred_at")
            .and_then(|value| read_parsed::<Timestamp>(value, "occurred_at", &mut faults));
        if occurred_at.is_some_and(|time| time > bounds.latest()) {
            faults.add(
                "occurred_at",
                format!(
                    "lies more than 24 hours ahead; the latest taken now is {}",
                    bounds.latest()
                ),
            );
        }
        let workspace =
            take("workspace").and_then(|value| read_parsed(value, "workspace", &mut faults));
        let outcome = take("outcome").map_or(Some(Outcome::Success), |value| {
            read_parsed(value, "outcome", &mut faults)
        });
        let verb = take("verb").and_then(|value| read_parsed(value, "verb", &mut faults));
        let category =
            take("category").and_then(|value| read_parsed(value, "category", &mut faults));
        let via = match take("via") {
            None => Vec::new(),
            Some(single @ Value::Object(_)) => {
                read_actor(single, "via", &mut faults).into_iter().collect()
            }
            Some(list) => read_list(list, "via", VIA_MOST, &mut faults, read_actor),
        };
        let related = match take("related") {
            None => Vec::new(),
            Some(list) => read_list(list, "related", RELATED_MOST, &mut faults, read_target),
        };
        let mut text = |name: &str, most: usize| {
            take(name).and_then(|value| read_text(value, name, most, &mut faults))
        };
        let operation = text("operation", OPERATION_MOST).filter(|text| !text.is_empty());
        let idempotency_key = text("idempotency_key", NAME_MOST);
        let description = text("description", usize::MAX).filter(|text| !text.is_empty());
        if idempotency_key.as_deref() == Some("") {
            faults.add(
                "idempotency_key",
                format!("must have 1 to {NAME_MOST} characters"),
            );
        }
        let mut state =
            |name: &str| take(name).and_then(|value| read_object(value, name, &mut faults));
        let (before, after) = (state("before"), state("after"));
        let (metadata, context) = (state("metadata"), state("context"));

        // What is left is nothing that we know; `null` does not make it known.
        for name in object.keys() {
            if !KNOWN.contains(&name.as_str()) {
                faults.add(
                    &member_path("", name),
                    format!("is not a field of an event; those are {}", KNOWN.join(", ")),
                );
            }
        }
        match (actor, action, target, outcome) {
            (Some(actor), Some(action), Some(target), Some(outcome)) if faults.0.is_empty() => {
                Ok(Self {
                    workspace,
                    idempotency_key,
                    occurred_at,
                    actor,
                    via,
                    action,
                    verb,
                    category,
                    target,
                    related,
                    operation,
                    outcome,
                    description,
                    before,
                    after,
                    metadata,
                    context,
                })
            }
            _ => Err(faults.0),
        }
    }
}

/// The fields that a sender may give.
const KNOWN: [&str; 17] = [
    "actor",
    "action",
    "target",
    "occurred_at",
    "workspace",
    "outcome",
    "verb",
    "category",
    "via",
    "related",
    "operation",
    "idempotency_key",
    "description",
    "before",
    "after",
    "metadata",
    "context",
];

/// What has been found wrong so far.
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, field: &str, reason: impl Into<String>) {
        self.0.push(FieldError {
            field: field.to_owned(),
            reason: reason.into(),
        });
    }

    fn none<T>(&mut self, field: &str, reason: &str) -> Option<T> {
        self.add(field, reason);
        None
    }
}

/// What a JSON value is, in words.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The path of a member: `.name`, or `["its name"]` where the name is not a plain word.
fn member_path(parent: &str, name: &str) -> String {
    let mut characters = name.chars();
    let plain = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|next| next.is_ascii_alphanumeric() || next == '_');
    match (plain, parent.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{parent}.{name}"),
        (false, _) => format!("{parent}[{}]", Value::from(name)),
    }
}

fn read_text(value: Value, path: &str, most: usize, faults: &mut Faults) -> Option<String> {
    let Value::String(text) = value else {
        return faults.none(path, &format!("must be a text, not {}", kind_of(&value)));
    };
    // Bytes are never fewer than characters: most texts need no counting.
    if text.len() > most {
        let characters = text.chars().count();
        if characters > most {
            let reason = format!("has {characters} characters, at most {most} are taken");
            return faults.none(path, &reason);
        }
    }
    Some(text)
}

fn read_parsed<T: FromStr<Err: std::fmt::Display>>(
    value: Value,
    path: &str,
    faults: &mut Faults,
) -> Option<T> {
    let text = read_text(value, path, usize::MAX, faults)?;
    match text.parse() {
        Ok(parsed) => Some(parsed),
        Err(reason) => faults.none(path, &reason.to_string()),
    }
}

fn read_object(value: Value, path: &str, faults: &mut Faults) -> Option<Object> {
    match value {
        Value::Object(object) => Some(object),
        other => faults.none(
            path,
            &format!("must be an object or null, not {}", kind_of(&other)),
        ),
    }
}

fn read_list<T>(
    value: Value,
    path: &str,
    most: usize,
    faults: &mut Faults,
    read: fn(Value, &str, &mut Faults) -> Option<T>,
) -> Vec<T> {
    let Value::Array(elements) = value else {
        faults.add(path, format!("must be a list, not {}", kind_of(&value)));
        return Vec::new();
    };
    if elements.len() > most {
        faults.add(
            path,
            format!("has {} elements, at most {most} are taken", elements.len()),
        );
        return Vec::new();
    }
    elements
        .into_iter()
        .enumerate()
        .filter_map(|(at, element)| read(element, &format!("{path}[{at}]"), faults))
        .collect()
}

/// Takes the members named in `names` out of an object, `null` as not given, and refuses others.
fn members<const N: usize>(
    value: Value,
    path: &str,
    names: [&str; N],
    faults: &mut Faults,
) -> Option<[Option<Value>; N]> {
    let Value::Object(mut object) = value else {
        return faults.none(path, &format!("must be an object, not {}", kind_of(&value)));
    };
    let taken = names.map(|name| object.remove(name).filter(|value| !value.is_null()));
    for name in object.keys() {
        let reason = format!("is not taken here; what is: {}", names.join(", "));
        faults.add(&member_path(path, name), reason);
    }
    Some(taken)
}

/// A text of a name's length; an empty one counts as not given.
fn read_name(
    value: Option<Value>,
    path: &str,
    name: &str,
    most: usize,
    faults: &mut Faults,
) -> Option<String> {
    read_text(value?, &member_path(path, name), most, faults).filter(|text| !text.is_empty())
}

fn read_actor(value: Value, path: &str, faults: &mut Faults) -> Option<Actor> {
    if value.get("deactivated").is_some() {
        let reason = "is set by Daybook and may not be given";
        return faults.none(&member_path(path, "deactivated"), reason);
    }
    let [kind, id, name, email] = members(value, path, ["kind", "id", "name", "email"], faults)?;
    let kind_path = member_path(path, "kind");
    let kind = match kind {
        Some(value) => read_parsed::<ActorKind>(value, &kind_path, faults),
        None => {
            let kinds: Vec<&str> = ActorKind::ALL.iter().map(|kind| kind.as_str()).collect();
            faults.none(
                &kind_path,
                &format!("is missing: one of {}", kinds.join(", ")),
            )
        }
    };
    let id = read_name(id, path, "id", NAME_MOST, faults);
    let name = read_name(name, path, "name", NAME_MOST, faults);
    let email = read_name(email, path, "email", NAME_MOST, faults);
    let kind = kind?;
    if id.is_none() && !kind.is_nobody() {
        let reason = format!("is missing: an actor of kind {kind} has an id");
        return faults.none(&member_path(path, "id"), &reason);
    }
    Some(Actor {
        kind,
        id,
        name,
        email,
    })
}

fn read_target(value: Value, path: &str, faults: &mut Faults) -> Option<Target> {
    let [kind, id, name, url] = members(value, path, ["kind", "id", "name", "url"], faults)?;
    let kind_path = member_path(path, "kind");
    let kind = match kind {
        Some(value) => read_parsed::<TargetKind>(value, &kind_path, faults),
        None => faults.none(
            &kind_path,
            "is missing: what kind of thing, such as integration",
        ),
    };
    let id = read_name(id, path, "id", NAME_MOST, faults);
    let name = read_name(name, path, "name", NAME_MOST, faults);
    let url = read_name(url, path, "url", URL_MOST, faults);
    if url.as_deref().is_some_and(|url| !is_web_address(url)) {
        faults.add(
            &member_path(path, "url"),
            "must begin with http:// or https://",
        );
    }
    Some(Target {
        kind: kind?,
        id,
        name,
        url,
    })
}

/// Whether a link may be made of it: no other scheme can be followed by a click.
fn is_web_address(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    }) && !url.chars().any(char::is_control)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn bounds() -> Bounds {
        Bounds {
            now: "2026-05-12T09:14:03Z".parse().unwrap(),
        }
    }

    fn faults(value: Value) -> Vec<(String, String)> {
        let errors = NewEvent::from_json(value, bounds()).unwrap_err();
        errors
            .into_iter()
            .map(|error| (error.field, error.reason))
            .collect()
    }

    fn fields(value: Value) -> Vec<String> {
        faults(value).into_iter().map(|(field, _)| field).collect()
    }

    fn least() -> Value {
        json!({"actor": {"kind": "system"}, "action": "X", "target": {"kind": "y"}})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut event = least();
        event[name] = value;
        event
    }

    #[test]
    fn actor_action_and_target_are_enough() {
        let event = NewEvent::from_json(least(), bounds()).unwrap();
        assert_eq!(event.outcome, Outcome::Success);
        assert_eq!(event.occurred_at, None);
        assert_eq!(event.actor, Actor::SYSTEM);
    }

    #[test]
    fn null_is_the_same_as_not_given() {
        for name in KNOWN {
            if !["actor", "action", "target"].contains(&name) {
                let event = NewEvent::from_json(with(name, Value::Null), bounds()).unwrap();
                assert_eq!(
                    event,
                    NewEvent::from_json(least(), bounds()).unwrap(),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let event = json!({
            "actor": {"kind": "person", "id": 7}, "action": "has space", "colour": "red",
            "target": {"kind": "y", "url": "javascript:alert(1)", "size": 1},
            "seq": 4, "via": [{"kind": "agent"}], "before": [1],
        });
        assert_eq!(
            fields(event),
            [
                "seq",
                "actor.kind",
                "actor.id",
                "action",
                "target.size",
                "target.url",
                "via[0].id",
                "before",
                "colour"
            ]
        );
    }

    #[test]
    fn what_is_daybooks_to_say_may_not_be_given() {
        for name in OURS {
            assert_eq!(fields(with(name, json!("x"))), [name]);
        }
        let actor = json!({"kind": "user", "id": "u", "deactivated": false});
        assert!(fields(with("actor", actor)).contains(&"actor.deactivated".to_owned()));
    }

    #[test]
    fn one_object_is_taken_for_a_chain_of_one() {
        let event = with("via", json!({"kind": "agent", "id": "agt_7"}));
        assert_eq!(NewEvent::from_json(event, bounds()).unwrap().via.len(), 1);
    }

    #[test]
    fn names_are_counted_in_characters_not_bytes() {
        let target = |name: String| with("target", json!({"kind": "y", "name": name}));
        assert!(NewEvent::from_json(target("ø".repeat(512)), bounds()).is_ok());
        assert_eq!(fields(target("ø".repeat(513))), ["target.name"]);
    }

    #[test]
    fn a_time_more_than_a_day_ahead_is_refused_with_the_limit() {
        let at = |time: &str| with("occurred_at", json!(time));
        assert!(NewEvent::from_json(at("2026-05-13T09:14:03Z"), bounds()).is_ok());
        let faults = faults(at("2026-05-13T09:14:03.000001Z"));
        assert!(
            faults[0].1.contains("2026-05-13T09:14:03.000000Z"),
            "{faults:?}"
        );
    }

    #[test]
    fn lists_have_their_limits() {
        let agent = json!({"kind": "agent", "id": "a"});
        assert_eq!(fields(with("via", json!(vec![agent; 5]))), ["via"]);
        let target = json!({"kind": "k"});
        assert!(NewEvent::from_json(with("related", json!(vec![&target; 16])), bounds()).is_ok());
        assert_eq!(
            fields(with("related", json!(vec![&target; 17]))),
            ["related"]
        );
    }
}

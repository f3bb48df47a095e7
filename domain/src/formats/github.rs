//! The audit log of a GitHub organization, as exported in JSON, streamed, or read from its API.
//!
//! Objects are known by the names that every record has (`org/repo`), people by their numbers
//! where they are told, because logins are given anew.

use super::{
    Unreadable,
    fields::{self, take_id, take_text, text},
};
use crate::event::{Actor, ActorKind, NewEvent, Object, Outcome, Target};
use serde_json::Value;

/// What an action's family acts on, where it is neither repository, team, person nor organization:
/// the kind, the member with its id, and the one with its name.
const FAMILIES: [(&str, &str, &str, &str); 16] = [
    ("hook", "hook", "hook_id", "hook_id"),
    (
        "pull_request",
        "pull_request",
        "pull_request_url",
        "pull_request_title",
    ),
    (
        "pull_request_review",
        "pull_request",
        "pull_request_url",
        "pull_request_title",
    ),
    ("workflows", "workflow_run", "workflow_run_id", "name"),
    (
        "environment",
        "environment",
        "environment_name",
        "environment_name",
    ),
    ("protected_branch", "protected_branch", "name", "name"),
    (
        "repository_ruleset",
        "repository_ruleset",
        "ruleset_id",
        "ruleset_name",
    ),
    ("integration", "github_app", "integration", "integration"),
    (
        "integration_installation",
        "github_app",
        "integration",
        "integration",
    ),
    (
        "oauth_application",
        "oauth_application",
        "oauth_application_id",
        "oauth_application",
    ),
    (
        "oauth_access",
        "oauth_application",
        "oauth_application_id",
        "oauth_application",
    ),
    (
        "personal_access_token",
        "personal_access_token",
        "user_programmatic_access_id",
        "user_programmatic_access_name",
    ),
    ("public_key", "public_key", "public_key_id", "title"),
    ("deploy_key", "public_key", "public_key_id", "title"),
    (
        "org_credential_authorization",
        "credential_authorization",
        "credential_authorization_id",
        "credential_authorization_type",
    ),
    (
        "ip_allow_list_entry",
        "ip_allow_list_entry",
        "ip_allow_list_entry_id",
        "name",
    ),
];

/// Beginnings and ends that make a member's name that of its earlier value.
const EARLIER: [&str; 2] = ["old_", "previous_"];
const EARLIER_END: [&str; 2] = ["_was", "_were"];

/// The event that one entry of the log tells of.
pub(super) fn event(mut record: Object) -> Result<NewEvent, Unreadable> {
    let key = fields::key("github", take_id(&mut record, "_document_id"), &record);
    flatten_data(&mut record);
    let time = fields::take_time(&mut record, &["created_at", "@timestamp"])?;
    let action_name = take_text(&mut record, "action")
        .ok_or_else(|| Unreadable::field("action", "is missing, or not a text"))?;
    let action = fields::action(&action_name)
        .ok_or_else(|| Unreadable::field("action", "is not the name of an action"))?;
    let (family, act) = action_name.split_once('.').unwrap_or((&action_name, ""));

    let actor = read_actor(&mut record, family);
    let via = read_token(&mut record).into_iter().collect();
    let mut objects = read_objects(&mut record, &actor, family, act);
    let target = if objects.is_empty() {
        let kind = if family.is_empty() { "github" } else { family };
        Target {
            kind: fields::kind(kind)
                .ok_or_else(|| Unreadable::field("action", "is not the name of an action"))?,
            id: None,
            name: None,
            url: None,
        }
    } else {
        objects.remove(0)
    };
    let (before, after) = read_change(&mut record, act, &target);
    let context = read_context(&mut record);

    let mut event = NewEvent::new(actor, action, target);
    event.idempotency_key = Some(key);
    event.occurred_at = Some(time);
    event.via = via;
    event.related = objects;
    if act.starts_with("failed_") || act.ends_with("_failed") || act == "failed" {
        event.outcome = Outcome::Failure;
    }
    event.before = before;
    event.after = after;
    event.context = context;
    let mut metadata = Object::new();
    if event.action.as_str() != action_name {
        metadata.insert("action".to_owned(), action_name.into());
    }
    fields::keep(&mut metadata, record, str::to_owned);
    event.metadata = Some(metadata).filter(|metadata| !metadata.is_empty());
    Ok(event)
}

/// Takes `data` as what it is in newer exports: members like all others.
fn flatten_data(record: &mut Object) {
    let mut data = match record.remove("data") {
        Some(Value::Object(data)) => data,
        Some(other) => {
            record.insert("data".to_owned(), other);
            Object::new()
        }
        None => Object::new(),
    };
    let dotted: Vec<String> = record
        .keys()
        .filter(|name| {
            name.strip_prefix("data.")
                .is_some_and(|name| !name.is_empty())
        })
        .cloned()
        .collect();
    for name in dotted {
        let value = record.remove(&name).unwrap_or_default();
        let plain = name.strip_prefix("data.").unwrap_or(&name);
        let free = if data.contains_key(plain) {
            &name
        } else {
            plain
        };
        data.insert(free.to_owned(), value);
    }
    for (name, value) in data {
        let free = match record.get(&name) {
            None | Some(Value::Null) => name,
            Some(same) if *same == value => continue,
            Some(_) => format!("data.{name}"),
        };
        record.insert(free, value);
    }
}

fn read_actor(record: &mut Object, family: &str) -> Actor {
    let login = take_text(record, "actor");
    let id = take_id(record, "actor_id").or_else(|| login.clone());
    let is_bot = login
        .as_deref()
        .is_some_and(|login| login.ends_with("[bot]"))
        || record.get("actor_is_bot") == Some(&Value::Bool(true));
    if id.is_none() {
        // Nobody is named when a public repository is fetched, nor when GitHub itself acts.
        let kind = if family == "git" {
            ActorKind::Anonymous
        } else {
            ActorKind::System
        };
        return Actor {
            kind,
            ..Actor::SYSTEM
        };
    }
    // The name by which single sign-on knows the person, often an address.
    let is_address = text(record, "external_identity_nameid").is_some_and(|id| id.contains('@'));
    let email = if is_address && !is_bot {
        take_text(record, "external_identity_nameid")
    } else {
        None
    };
    let kind = if is_bot {
        ActorKind::Integration
    } else {
        ActorKind::User
    };
    Actor {
        kind,
        id,
        name: login,
        email,
    }
}

/// The token that was used. GitHub tells its hash, by which one that leaked is looked for; it is
/// taken out of the metadata, where it would be redacted.
fn read_token(record: &mut Object) -> Option<Actor> {
    let id = take_text(record, "hashed_token").or_else(|| take_id(record, "token_id"))?;
    Some(Actor {
        kind: ActorKind::Token,
        id: Some(id),
        name: take_text(record, "programmatic_access_type"),
        email: None,
    })
}

/// The objects of an entry, the one acted on first.
fn read_objects(record: &mut Object, actor: &Actor, family: &str, act: &str) -> Vec<Target> {
    let object = |kind: &str, id: Option<String>, name: Option<String>| {
        let id = id?;
        Some(Target {
            kind: fields::kind(kind)?,
            name: Some(name.unwrap_or_else(|| id.clone())),
            id: Some(id),
            url: None,
        })
    };
    let named = |record: &mut Object, kind: &str, names: &[&str]| {
        let name = names.iter().find_map(|name| take_text(record, name));
        object(kind, name.clone(), name)
    };
    let own = FAMILIES
        .iter()
        .find(|(name, ..)| *name == family)
        .and_then(|(_, kind, id, name)| {
            let id = take_id(record, id);
            let name = if id.is_some() {
                take_id(record, name)
            } else {
                None
            };
            object(kind, id, name)
        });
    let repo = named(record, "repo", &["repo", "repository"]);
    let team = named(record, "team", &["team"]);
    let org = named(record, "organization", &["org"]);
    let enterprise = named(record, "enterprise", &["business", "enterprise"]);
    let login = take_text(record, "user");
    let user_id = take_id(record, "user_id").or_else(|| login.clone());
    let user = object("user", user_id, login).filter(|user| {
        // Many entries name who acts a second time as the one concerned.
        let themselves = user.id == actor.id || user.name == actor.name;
        !themselves || concerns_person(family, act)
    });

    let mut objects = Vec::new();
    let (people_first, people_last) = if concerns_person(family, act) {
        (user, None)
    } else {
        (None, user)
    };
    let (team_first, team_later) = if family == "team" {
        (team, None)
    } else {
        (None, team)
    };
    let (org_first, org_last) = if matches!(family, "org" | "organization") {
        (org, None)
    } else {
        (None, org)
    };
    let found = [
        people_first,
        own,
        team_first,
        org_first,
        repo,
        team_later,
        people_last,
        org_last,
        enterprise,
    ];
    objects.extend(found.into_iter().flatten());
    objects
}

/// Whether an action is done to a person.
fn concerns_person(family: &str, act: &str) -> bool {
    const FAMILIES: [&str; 4] = [
        "user",
        "two_factor_authentication",
        "external_identity",
        "members_can_delete_repos",
    ];
    const ACTS: [&str; 7] = [
        "member",
        "user",
        "collaborator",
        "invit",
        "owner",
        "billing_manager",
        "maintainer",
    ];
    FAMILIES.contains(&family) || ACTS.iter().any(|word| act.contains(word))
}

/// Before and after, of members that come in pairs: `old_permission` and `permission` or
/// `new_permission`, `config_was` and `config`.
fn read_change(
    record: &mut Object,
    act: &str,
    target: &Target,
) -> (Option<Object>, Option<Object>) {
    let earlier: Vec<(String, String)> = record
        .keys()
        .filter_map(|name| Some((name.clone(), changed(name)?.to_owned())))
        .collect();
    let (mut before, mut after) = (Object::new(), Object::new());
    for (name, field) in earlier {
        let new = format!("new_{field}");
        let now = match [new, field.clone()]
            .into_iter()
            .find(|name| record.contains_key(name))
        {
            Some(name) => record.remove(&name),
            // What was renamed is told by its new name.
            None if field == "name" && act.contains("rename") => target
                .name
                .as_deref()
                .and_then(|name| name.rsplit('/').next())
                .map(Value::from),
            None => None,
        };
        // A value that is told only as it was would seem to have been taken away.
        if let Some(now) = now {
            let was = record.remove(&name).unwrap_or_default();
            before.insert(field.clone(), was);
            after.insert(field, now);
        }
    }
    if before.is_empty() {
        (None, None)
    } else {
        (Some(before), Some(after))
    }
}

/// Which field a member tells the earlier value of.
fn changed(name: &str) -> Option<&str> {
    let begun = EARLIER.iter().find_map(|begin| name.strip_prefix(begin));
    let ended = EARLIER_END.iter().find_map(|end| name.strip_suffix(end));
    begun.or(ended).filter(|field| !field.is_empty())
}

fn read_context(record: &mut Object) -> Option<Object> {
    let mut context = Object::new();
    for (name, shown) in [
        ("actor_ip", "ip"),
        ("user_agent", "user_agent"),
        ("request_id", "request_id"),
    ] {
        if let Some(text) = take_text(record, name) {
            context.insert(shown.to_owned(), text.into());
        }
    }
    if let Some(Value::Object(location)) = record.get_mut("actor_location") {
        if let Some(country) = take_text(location, "country_code") {
            context.insert("location".to_owned(), country.into());
        }
        if location.is_empty() {
            record.remove("actor_location");
        }
    }
    Some(context).filter(|context| !context.is_empty())
}

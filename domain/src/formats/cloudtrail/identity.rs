//! Who acted, and through what: `CloudTrail`'s `userIdentity`.
//!
//! - A session of a role is the actor, by its name; the role is in `via`, as a `token`: what was
//!   done was done with its temporary credentials. So "who" and "through which role" are both
//!   asked by a filter. The session is a `user` where a person is behind it (single sign-on, the
//!   console, a second factor, an address as name), an `integration` where an AWS service, an
//!   instance or a service's own role is, else a `token`: credentials of which no more is known.
//! - A long-lived access key (`AKIA…`) is in `via` as a `token` too: the question after a leak is
//!   what was done with it. Temporary keys change every hour, and stay in the metadata.
//! - A service that acted on somebody's behalf comes first in `via`: it is nearest to the act.

use super::{super::fields::text, arn::Arn};
use crate::event::{Actor, ActorKind, Object};
use serde_json::Value;

/// The prefix of long-lived access keys.
const LONG_LIVED: &str = "AKIA";
/// Roles that single sign-on makes for people.
const SINGLE_SIGN_ON: &str = "AWSReservedSSO_";
/// Where the roles of services lie.
const SERVICE_ROLES: &str = ":role/aws-service-role/";

/// Who acted.
pub(super) struct Identity {
    pub actor: Actor,
    pub via: Vec<Actor>,
    /// What else was told.
    pub rest: Option<Value>,
}

/// What other members of the record tell of who acted.
pub(super) struct Hints {
    from_console: bool,
    by_service: bool,
}

impl Hints {
    pub(super) fn of(record: &Object) -> Self {
        let console = record.get("sessionCredentialFromConsole");
        Self {
            from_console: console.is_some_and(|told| told == "true" || told == true),
            by_service: text(record, "eventType") == Some("AwsServiceEvent"),
        }
    }
}

/// Reads who acted.
pub(super) fn read(identity: Option<Value>, hints: &Hints) -> Identity {
    let identity = match identity {
        Some(Value::Object(identity)) => identity,
        other => {
            return Identity {
                actor: nobody(hints),
                via: Vec::new(),
                rest: other.filter(|told| !told.is_null()),
            };
        }
    };
    let actor = read_actor(&identity, hints);
    let via = read_via(&identity, &actor);
    let rest = without_what_is_told(identity, &actor, &via);
    Identity { actor, via, rest }
}

fn nobody(hints: &Hints) -> Actor {
    Actor {
        kind: if hints.by_service {
            ActorKind::System
        } else {
            ActorKind::Anonymous
        },
        ..Actor::SYSTEM
    }
}

fn read_actor(identity: &Object, hints: &Hints) -> Actor {
    let told = |name| text(identity, name);
    let arn = told("arn").and_then(Arn::read);
    let resource = arn.as_ref().map_or("", |arn| arn.resource);
    // Where the type is not told, or is one of which we do not know, the ARN tells.
    let kind = match told("type") {
        Some(kind @ ("AWSService" | "Root" | "AssumedRole" | "AWSAccount" | "WebIdentityUser")) => {
            kind
        }
        Some("Role") => "AssumedRole",
        Some("IAMUser" | "FederatedUser" | "SAMLUser" | "IdentityCenterUser" | "Directory") => {
            "person"
        }
        _ if resource == "root" => "Root",
        _ if resource.starts_with("assumed-role/") => "AssumedRole",
        _ if resource.starts_with("user/") || resource.starts_with("federated-user/") => "person",
        _ if told("arn").or(told("principalId")).is_none() && told("invokedBy").is_some() => {
            "AWSService"
        }
        _ => "unknown",
    };
    match kind {
        "AWSService" => match told("invokedBy").or(told("principalId")).or(told("arn")) {
            Some(service) => named(ActorKind::Integration, service, Some(service)),
            None => nobody(hints),
        },
        "Root" => match first(identity, &["arn", "accountId", "principalId"]) {
            Some(id) => named(ActorKind::User, id, Some("root")),
            None => nobody(hints),
        },
        "AssumedRole" => read_session(identity, hints),
        "AWSAccount"
            if [told("accountId"), told("principalId")].contains(&Some("ANONYMOUS_PRINCIPAL")) =>
        {
            Actor {
                kind: ActorKind::Anonymous,
                ..Actor::SYSTEM
            }
        }
        "AWSAccount" => {
            // Of another account no more is told than the number of who acted there.
            let kind = match told("principalId") {
                Some(id) if id.starts_with("AIDA") => ActorKind::User,
                Some(id) if id.starts_with("AROA") => ActorKind::Token,
                _ => ActorKind::Integration,
            };
            let session = told("principalId").and_then(|id| Some(id.split_once(':')?.1));
            match first(identity, &["arn", "principalId", "accountId"]) {
                Some(id) => named(kind, id, session.or(told("accountId"))),
                None => nobody(hints),
            }
        }
        "WebIdentityUser" => {
            let name = told("userName");
            // Kubernetes and CI jobs sign in this way as well.
            let is_job = name.is_some_and(|name| {
                name.starts_with("system:serviceaccount:") || name.starts_with("repo:")
            });
            let kind = if is_job {
                ActorKind::Integration
            } else {
                ActorKind::User
            };
            match first(identity, &["principalId", "arn", "userName", "accountId"]) {
                Some(id) => named(kind, id, name),
                None => nobody(hints),
            }
        }
        "person" => read_person(identity, hints, ActorKind::User),
        _ => read_person(identity, hints, ActorKind::Integration),
    }
}

fn read_person(identity: &Object, hints: &Hints, kind: ActorKind) -> Actor {
    let told = |name| text(identity, name);
    let behalf = identity.get("onBehalfOf").and_then(Value::as_object);
    let person = behalf.and_then(|behalf| text(behalf, "userId"));
    let ids = ["arn", "principalId", "userName", "accountId", "accessKeyId"];
    let Some(id) = told("arn").or(person).or_else(|| first(identity, &ids)) else {
        return nobody(hints);
    };
    let name = told("userName")
        .or_else(|| Some(told("arn")?.rsplit_once('/')?.1))
        .or_else(|| Some(told("principalId")?.rsplit_once(':')?.1));
    named(kind, id, name)
}

fn read_session(identity: &Object, hints: &Hints) -> Actor {
    let told = |name| text(identity, name);
    let session = told("arn")
        .and_then(|arn| Some(arn.rsplit_once('/')?.1))
        .or_else(|| Some(told("principalId")?.split_once(':')?.1));
    let Some(id) = first(
        identity,
        &["arn", "principalId", "accountId", "accessKeyId"],
    ) else {
        return nobody(hints);
    };
    let context = identity.get("sessionContext").and_then(Value::as_object);
    let issuer = issuer(identity);
    let attributes = context.and_then(|context| context.get("attributes")?.as_object());
    let by_person = hints.from_console
        || id.contains(SINGLE_SIGN_ON)
        || identity.contains_key("onBehalfOf")
        || session.is_some_and(|session| session.contains('@'))
        || attributes.is_some_and(|told| text(told, "mfaAuthenticated") == Some("true"));
    let by_service = told("invokedBy").is_some()
        || context.is_some_and(|context| context.contains_key("ec2RoleDelivery"))
        || issuer
            .and_then(|issuer| text(issuer, "arn"))
            .is_some_and(|arn| arn.contains(SERVICE_ROLES));
    let kind = match (by_person, by_service) {
        (true, _) => ActorKind::User,
        (_, true) => ActorKind::Integration,
        _ => ActorKind::Token,
    };
    named(kind, id, session)
}

/// The role, or the person, that the session's credentials were issued for.
fn issuer(identity: &Object) -> Option<&Object> {
    let issuer = identity.get("sessionContext")?.get("sessionIssuer")?;
    issuer.as_object().filter(|issuer| !issuer.is_empty())
}

fn read_via(identity: &Object, actor: &Actor) -> Vec<Actor> {
    let mut via = Vec::new();
    let mut add = |kind, id: &str, name: Option<&str>| {
        if actor.id.as_deref() != Some(id) {
            via.push(named(kind, id, name));
        }
    };
    if let Some(service) = text(identity, "invokedBy") {
        add(ActorKind::Integration, service, Some(service));
    }
    if let Some(key) = text(identity, "accessKeyId").filter(|key| key.starts_with(LONG_LIVED)) {
        add(ActorKind::Token, key, Some(key));
    }
    let issued = issuer(identity).and_then(|issuer| {
        let kind = match text(issuer, "type") {
            Some("IAMUser" | "Root") => ActorKind::User,
            _ => ActorKind::Token,
        };
        let id = first(issuer, &["arn", "principalId", "userName"])?;
        let name = text(issuer, "userName").or_else(|| Some(id.rsplit_once('/')?.1));
        Some((kind, id.to_owned(), name.map(str::to_owned)))
    });
    let issued = issued.or_else(|| {
        // Older records tell the role in the session's ARN alone.
        let arn = Arn::read(text(identity, "arn")?)?;
        let role = arn
            .resource
            .strip_prefix("assumed-role/")?
            .split('/')
            .next()?;
        let id = format!("arn:{}:iam::{}:role/{role}", arn.partition, arn.account);
        Some((ActorKind::Token, id, Some(role.to_owned())))
    });
    if let Some((kind, id, name)) = issued {
        add(kind, &id, name.as_deref());
    }
    via
}

/// What actor and via do not tell yet. A person's name stays nowhere else: what is erased there
/// would still be here.
fn without_what_is_told(mut identity: Object, actor: &Actor, via: &[Actor]) -> Option<Value> {
    fn forget(told: &mut Object, actors: &[&Actor]) {
        told.retain(|name, value| {
            let keeps = matches!(name.as_str(), "type" | "accountId" | "principalId");
            let said = value.as_str().is_some_and(|value| {
                actors
                    .iter()
                    .any(|actor| [&actor.id, &actor.name].contains(&&Some(value.to_owned())))
            });
            (keeps || !said) && !value.is_null()
        });
        // `AROA…:session`: the session's name is the actor's.
        if let Some(Value::String(id)) = told.get_mut("principalId") {
            for name in actors.iter().filter_map(|actor| actor.name.as_deref()) {
                if let Some(begin) = id.strip_suffix(name).and_then(|id| id.strip_suffix(':')) {
                    *id = begin.to_owned();
                    return;
                }
            }
            if actors.iter().any(|actor| actor.id.as_ref() == Some(&*id)) {
                told.remove("principalId");
            }
        }
    }
    let actors: Vec<&Actor> = std::iter::once(actor).chain(via).collect();
    forget(&mut identity, &actors);
    if let Some(Value::Object(context)) = identity.get_mut("sessionContext") {
        if let Some(Value::Object(issuer)) = context.get_mut("sessionIssuer") {
            forget(issuer, &actors);
        }
        context.retain(|_, told| !told.as_object().is_some_and(Object::is_empty));
    }
    (!identity.is_empty()).then_some(Value::Object(identity))
}

/// The first of these that is told.
fn first<'a>(told: &'a Object, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| text(told, name))
}

/// Somebody with an id; a name with an `@` is taken for their address as well.
fn named(kind: ActorKind, id: &str, name: Option<&str>) -> Actor {
    let is_address = |name: &&str| name.contains('@') && kind == ActorKind::User;
    Actor {
        kind,
        id: Some(id.to_owned()),
        name: name.map(str::to_owned),
        email: name.filter(is_address).map(str::to_owned),
    }
}

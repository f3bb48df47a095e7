//! An event as a row of the ledger.

use super::{Local, value};
use crate::{
    address,
    log::view::{ActorView, RowView, TargetView},
};
use domain::{
    event::{Actor, ActorKind, Event, Part, ShownActor, Source, Target},
    question::Subject,
    slug::WorkspacePath,
};

/// An event as a row. `label` is the catalogue's for its action.
pub(crate) fn row(event: &Event, label: &str, local: &Local) -> RowView {
    let late = match event.source {
        Some(Source::Import) => Some("imported".to_owned()),
        _ => Local::late(event.occurred_at, event.recorded_at),
    };
    RowView {
        id: event.id.to_string(),
        place: None,
        when: local.when(event.occurred_at),
        late,
        actor: ActorView {
            erased: event.erased.contains(&Part::Actor),
            ..actor_of(&event.actor, &event.via)
        },
        category: event.category,
        action: event.action.to_string(),
        label: Some(label)
            .filter(|label| !label.is_empty() && *label != event.action.as_str())
            .map(str::to_owned),
        target: target(&event.target, local, workspace(event).as_ref()),
        outcome: event.outcome,
        change: value::summary(event.before.as_ref(), event.after.as_ref()),
        note: event.description.clone(),
        erased: event.erased.clone(),
        operation: event.operation.clone(),
    }
}

/// Who did it, and who carried it out.
pub(crate) fn actor_of(shown: &ShownActor, via: &[Actor]) -> ActorView {
    let actor = &shown.actor;
    let name = called(actor);
    let (second, second_is_id) = match (&actor.email, &actor.id) {
        (Some(email), _) if *email != name => (Some(email.clone()), false),
        (_, Some(id)) if *id != name => (Some(id.clone()), true),
        _ if actor.kind == ActorKind::System => (Some("automatic".to_owned()), false),
        _ if actor.kind == ActorKind::Anonymous => (Some("not signed in".to_owned()), false),
        _ => (None, false),
    };
    ActorView {
        kind: actor.kind,
        id: actor.id.clone(),
        name,
        second,
        second_is_id,
        deactivated: shown.deactivated,
        erased: false,
        via: via.iter().map(called).collect(),
    }
}

/// What somebody is called: the name, else the e-mail, else the id, else the kind.
pub(super) fn called(actor: &Actor) -> String {
    actor.sort_name().to_owned()
}

/// The workspace that an event lies in; none where it is the tenant's own.
pub(crate) fn workspace(event: &Event) -> Option<WorkspacePath> {
    Some(WorkspacePath {
        tenant: event.tenant.clone(),
        workspace: event.workspace.clone()?,
    })
}

/// An object, with its Audit tab where it has an id and lies in a workspace.
pub(super) fn target(
    target: &Target,
    local: &Local,
    workspace: Option<&WorkspacePath>,
) -> TargetView {
    TargetView {
        kind: target.kind.to_string(),
        id: target.id.clone(),
        name: target.name.clone().or_else(|| target.id.clone()),
        tab: target.id.clone().zip(workspace).map(|(id, workspace)| {
            let subject = Subject {
                kind: target.kind.clone(),
                id,
            };
            address::in_zone(&address::object(workspace, &subject), local.zone())
        }),
        url: target.url.clone(),
    }
}

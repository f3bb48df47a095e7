//! From a filter's words to the numbers that stand for them in one workspace.

use super::append::outcome_number;
use crate::{
    access::Scope,
    dictionary::Dictionary,
    plan::{Conditions, Numbers, Object, Search},
};
use domain::{
    question::{Filter, Span},
    time::Timestamp,
};

/// Of so many targets at most the kinds are looked up: of more there are many kinds.
const OF_KINDS: usize = 1_000;

/// What a filter comes to in one workspace, within what the scope is about: one object, one
/// person's own events.
pub(super) fn conditions(
    dictionary: &Dictionary,
    filter: &Filter,
    scope: &Scope,
    span: Span,
) -> Conditions {
    let kinds_of = |targets: &Numbers| {
        let are_few = targets.len() <= OF_KINDS;
        are_few.then(|| dictionary.kinds_of(targets))
    };
    let named = |targets: Numbers| Object::Targets {
        related: dictionary.related_with(&targets),
        kinds: kinds_of(&targets),
        targets,
    };
    let mut objects = Vec::new();
    if let Some(subject) = scope.subject() {
        let targets = dictionary.targets_of(subject);
        objects.push(named(targets));
    }
    if !filter.target_id.is_empty() {
        let targets = dictionary.targets_named(&filter.target_kind, &filter.target_id);
        objects.push(named(targets));
    } else if !filter.target_kind.is_empty() {
        objects.push(Object::Kinds {
            kinds: dictionary.kinds_named(&filter.target_kind),
            related: dictionary.related_of_kinds(&filter.target_kind),
            own: true,
        });
    }
    let mut action = dictionary.actions_named(filter);
    let mut search = filter.q.as_ref().map(|text| {
        let found = dictionary.search(&text.to_lowercase());
        Search {
            kinds: kinds_of(&found.targets),
            ..found
        }
    });
    // Where a text is a part of nothing but actions, it asks for those.
    if let Some(found) =
        search.take_if(|found| found.targets.is_empty() && found.related.is_empty())
    {
        action = Some(match action {
            None => found.actions,
            Some(named) => both(&named, &found.actions),
        });
    }
    let mut actor = dictionary.actors_named(filter);
    if let Some(myself) = scope.myself() {
        let own = dictionary.actors_who_are(myself);
        actor = Some(match actor {
            None => own,
            Some(named) => both(&named, &own),
        });
    }
    let outcome = |outcome| u32::from(outcome_number(outcome));
    Conditions {
        actor,
        anyone: filter
            .actor
            .as_ref()
            .map(|text| dictionary.actors_like(&text.to_lowercase())),
        via: (!filter.via_id.is_empty()).then(|| dictionary.carried_out_by(&filter.via_id)),
        action,
        objects,
        search,
        outcome: (!filter.outcome.is_empty())
            .then(|| filter.outcome.iter().copied().map(outcome).collect()),
        operation: filter.operation.clone(),
        since: span.since.map(Timestamp::micros),
        until: span.until.map(Timestamp::micros),
    }
}

/// The numbers that are in both sets.
fn both(one: &Numbers, other: &Numbers) -> Numbers {
    let numbers = one.list().iter().copied();
    numbers.filter(|number| other.has(*number)).collect()
}

//! From a filter's words to the numbers that stand for them in one workspace.

use super::append::outcome_number;
use crate::{
    dictionary::Dictionary,
    plan::{Conditions, Object},
};
use domain::{
    question::{Filter, Span, Subject},
    time::Timestamp,
};

/// What a filter comes to in one workspace.
pub(super) fn conditions(
    dictionary: &Dictionary,
    filter: &Filter,
    subject: Option<&Subject>,
    span: Span,
) -> Conditions {
    let mut objects = Vec::new();
    if let Some(subject) = subject {
        let targets = dictionary.targets_of(subject);
        objects.push(Object::Targets {
            related: dictionary.related_with(&targets),
            targets,
        });
    }
    if !filter.target_id.is_empty() {
        let targets = dictionary.targets_named(&filter.target_kind, &filter.target_id);
        objects.push(Object::Targets {
            related: dictionary.related_with(&targets),
            targets,
        });
    } else if !filter.target_kind.is_empty() {
        objects.push(Object::Kinds {
            kinds: dictionary.kinds_named(&filter.target_kind),
            related: dictionary.related_of_kinds(&filter.target_kind),
        });
    }
    let mut action = dictionary.actions_named(filter);
    let mut search = filter
        .q
        .as_ref()
        .map(|text| dictionary.search(&text.to_lowercase()));
    // Where a text is a part of nothing but actions, it asks for those.
    if let Some(found) =
        search.take_if(|found| found.targets.is_empty() && found.related.is_empty())
    {
        action = Some(match action {
            None => found.actions,
            Some(named) => named
                .list()
                .iter()
                .copied()
                .filter(|number| found.actions.has(*number))
                .collect(),
        });
    }
    let outcome = |outcome| u32::try_from(outcome_number(outcome)).unwrap_or_default();
    Conditions {
        actor: dictionary.actors_named(filter),
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

//! Which events are asked for.

use super::{Moment, Range, Span, Zone};
use crate::{
    category::Category,
    event::{Action, ActorKind, Event, Outcome, Target, TargetKind},
    slug::Slug,
    verb::Verb,
};
use serde::{Deserialize, Serialize};

/// Which events are asked for: all that is given must hold; of a list, any one value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Of these workspaces (in a tenant's scope only).
    pub workspace: Vec<Slug>,
    /// Of these families.
    pub category: Vec<Category>,
    /// Of these classes.
    pub verb: Vec<Verb>,
    /// With these actions.
    pub action: Vec<Action>,
    /// That ended like this.
    pub outcome: Vec<Outcome>,
    /// A part of the name or e-mail of the actor, or of anyone in `via`.
    pub actor: Option<String>,
    /// By an actor with one of these ids.
    pub actor_id: Vec<String>,
    /// By an actor of one of these kinds.
    pub actor_kind: Vec<ActorKind>,
    /// Carried out by somebody with one of these ids.
    pub via_id: Vec<String>,
    /// Whose target, or a related object, is of one of these kinds.
    pub target_kind: Vec<TargetKind>,
    /// Whose target, or a related object, has one of these ids; with `target_kind`, the same one.
    pub target_id: Vec<String>,
    /// A part of the id or name of the target or of a related object, of the action, or of the
    /// catalogue's label for it.
    pub q: Option<String>,
    /// Of this bulk change.
    pub operation: Option<String>,
    /// Not before this.
    pub since: Option<Moment>,
    /// Not after this.
    pub until: Option<Moment>,
    /// From so long ago until now, in place of `since` and `until`.
    pub range: Option<Range>,
    /// In which zone dates are read; none: UTC.
    pub tz: Option<Zone>,
}

impl Filter {
    /// Whether nothing is asked for but a zone.
    pub fn is_empty(&self) -> bool {
        Self {
            tz: None,
            ..self.clone()
        } == Self::default()
    }

    /// The zone in which dates are read.
    pub fn zone(&self) -> Zone {
        self.tz.clone().unwrap_or_else(Zone::utc)
    }

    /// The span that since, until and range come to; a range is counted from `walk_began`.
    #[cfg(feature = "zones")]
    pub fn span(&self, walk_began: crate::time::Timestamp) -> Span {
        let zone = self.zone().rules();
        match self.range {
            Some(range) => Span {
                since: Some(walk_began.plus(-range.length())),
                until: Some(walk_began),
            },
            None => Span {
                since: self.since.map(|moment| moment.first_instant(zone)),
                until: self.until.map(|moment| moment.last_instant(zone)),
            },
        }
    }

    /// Whether an event is asked for, as the contract has it, word by word. This is the meaning of
    /// a filter; a store answers the same through its indexes. `span` is what the filter's times
    /// come to, `label` the catalogue's for the event's action.
    pub fn matches(&self, event: &Event, label: &str, span: Span) -> bool {
        let objects = || std::iter::once(&event.target).chain(&event.related);
        any(&self.workspace, |slug| {
            event.workspace.as_ref() == Some(slug)
        }) && any(&self.category, |category| event.category == *category)
            && any(&self.verb, |verb| event.verb == *verb)
            && any(&self.action, |action| event.action == *action)
            && any(&self.outcome, |outcome| event.outcome == *outcome)
            && self.actor.as_deref().is_none_or(|wanted| {
                let wanted = wanted.to_lowercase();
                std::iter::once(&event.actor.actor)
                    .chain(&event.via)
                    .any(|actor| actor.is_found_by(&wanted))
            })
            && any(&self.actor_id, |id| {
                event.actor.actor.id.as_ref() == Some(id)
            })
            && any(&self.actor_kind, |kind| event.actor.actor.kind == *kind)
            && any(&self.via_id, |id| {
                event.via.iter().any(|actor| actor.id.as_ref() == Some(id))
            })
            && objects().any(|object| {
                any(&self.target_kind, |kind| object.kind == *kind)
                    && any(&self.target_id, |id| object.id.as_ref() == Some(id))
            })
            && self.q.as_deref().is_none_or(|wanted| {
                let wanted = wanted.to_lowercase();
                objects().any(|object| object.is_found_by(&wanted))
                    || event.action.as_str().to_lowercase().contains(&wanted)
                    || label.to_lowercase().contains(&wanted)
            })
            && self
                .operation
                .as_ref()
                .is_none_or(|operation| event.operation.as_ref() == Some(operation))
            && span.holds(event.occurred_at)
    }
}

/// An empty list asks for nothing; of another, any value may hold.
fn any<T>(wanted: &[T], holds: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(holds)
}

impl Target {
    /// Whether a search finds this object: `wanted` (lowercase) is part of its id or name.
    pub fn is_found_by(&self, wanted: &str) -> bool {
        [&self.id, &self.name]
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(wanted))
    }
}

/// One object, as an Audit tab is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// Its kind.
    pub kind: TargetKind,
    /// Its id.
    pub id: String,
}

impl Subject {
    /// Whether an object is this one.
    pub fn is(&self, object: &Target) -> bool {
        object.kind == self.kind && object.id.as_deref() == Some(&self.id)
    }
}

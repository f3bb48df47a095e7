//! `GET /api/v1/objects/{kind}/{id}/blame`.

use crate::api::{
    documentation::{
        Actor as ActorDocument, BlameQueryParameters, ProblemDocument,
        ShownActor as ShownActorDocument,
    },
    problem::Problem,
    token::Reading,
};
use axum::{
    Json,
    extract::{Path, RawQuery, State, rejection::PathRejection},
};
use domain::{
    blame::{Field, GapKind, Origin, Setting, Silent, history},
    event::{Actor, EventId, ShownActor},
    question::{BlameParameters, Subject, Unknown},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;
use store::{
    Store,
    blame::{BlameQuery, ObjectBlame},
};
use utoipa::ToSchema;

/// What is known of an object.
#[derive(Debug, Serialize, ToSchema)]
pub struct Blame {
    /// The object.
    object: BlamedObject,
    /// The moment that it is told of: the one asked for, else now.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whether the object was there: an event told of it, and none that it was deleted since.
    exists: bool,
    /// Its fields, in the order of their paths. Where one field was asked for: its history, newest
    /// first.
    fields: Vec<BlamedField>,
    /// What is not known, in the order of time.
    gaps: Vec<BlameGap>,
}

/// The object, by the newest name that was given for it.
#[derive(Debug, Serialize, ToSchema)]
struct BlamedObject {
    /// Its kind.
    kind: String,
    /// Its id.
    id: String,
    /// Its name.
    #[schema(required)]
    name: Option<String>,
}

/// A field, and who set it.
#[derive(Debug, Serialize, ToSchema)]
struct BlamedField {
    /// Where it is: `credentials.user`, `["a name"].members[2].role`. Elements are named by their place
    /// in the state that is told of, those that are gone by the place that they had.
    path: String,
    /// What it was set to.
    #[schema(required)]
    value: Option<Value>,
    /// What it was before; null where there was none, or it is not known.
    #[schema(required)]
    previous: Option<Value>,
    /// The event that set it.
    #[schema(required, value_type = Option<String>, format = "uuid")]
    event_id: Option<EventId>,
    /// When that occurred.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Timestamp>,
    /// Who did it.
    #[schema(required, value_type = Option<ShownActorDocument>)]
    actor: Option<ShownActor>,
    /// Who or what carried it out on the actor's behalf, nearest first.
    #[schema(value_type = Vec<ActorDocument>)]
    via: Vec<Actor>,
    /// How often it had been set then, this time and creation included.
    changes: u64,
    /// How that is known.
    status: Status,
    /// Set outside the log, or by what was erased: when the last event before that told of it occurred.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Set outside the log, or by what was erased: when the event occurred that found it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// The events between the two that do not tell what they changed, and of which one may have set it;
    /// left out where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    silent: Option<SilentEvents>,
    /// True where it was removed, and not set; else it is left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    removed: bool,
}

/// Events that do not tell what they changed: they gave neither before nor after, or that was erased.
#[derive(Debug, Serialize, ToSchema)]
struct SilentEvents {
    /// How many there are.
    events: u64,
    /// How many of them gave states that were erased.
    erased: u64,
    /// The first of them.
    #[schema(value_type = Vec<String>)]
    ids: Vec<EventId>,
}

/// How it is known that a field is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// The event set it.
    Known,
    /// It was so before the first event that tells of it.
    Initial,
    /// It changed between two events without one.
    Outside,
    /// It changed between two events, and what others between them gave was erased.
    Erased,
}

/// A time of which not all is known.
#[derive(Debug, Serialize, ToSchema)]
struct BlameGap {
    /// Why: `retention` (events were deleted because they had expired), `recording_off` (nothing was
    /// recorded), `no_state` (events gave neither before nor after), `erased` (what events gave was
    /// erased), `objects_erased` (of events of something of this kind it was erased what they were about),
    /// `left_out` (there is more than can be kept).
    #[schema(
        value_type = String,
        pattern = "^(retention|recording_off|no_state|erased|objects_erased|left_out)$"
    )]
    kind: &'static str,
    /// What was left out: events of one instant that are too many to be put in order (`instant`), fields
    /// that are gone (`gone`), the beginning of the history that is asked for (`history`), events after
    /// the object had grown too large (`later`), when recording was switched (`switches`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        required = false,
        value_type = String,
        pattern = "^(instant|gone|history|later|switches)$"
    )]
    what: Option<&'static str>,
    /// From when; null: from the beginning.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Until when; null: it goes on.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl Blame {
    /// What is known of an object, as programs are told it: `asked` says whether one field's history is
    /// wanted, or what is gone too.
    pub fn new(found: &ObjectBlame, asked: &BlameParameters, subject: &Subject) -> Self {
        let blame = &found.blame;
        let fields = if asked.field.is_some() {
            let fields = blame.fields.iter().chain(&blame.removed);
            let all = history(fields).into_iter();
            all.map(|(field, setting)| BlamedField::new(field, setting, found))
                .collect()
        } else {
            let gone = blame.removed.iter().filter(|_| asked.removed);
            let fields = blame.fields.iter().chain(gone);
            fields
                .map(|field| BlamedField::new(field, &field.last, found))
                .collect()
        };
        let gaps = found.gaps.iter().map(|gap| BlameGap {
            kind: gap.kind.as_str(),
            what: match gap.kind {
                GapKind::LeftOut(what) => Some(what.as_str()),
                _ => None,
            },
            since: gap.since,
            until: gap.until,
        });
        Self {
            object: BlamedObject {
                kind: subject.kind.to_string(),
                id: subject.id.clone(),
                name: found.object.name.clone(),
            },
            at: found.at,
            exists: blame.exists(),
            fields,
            gaps: gaps.collect(),
        }
    }
}

impl BlamedField {
    fn new(field: &Field, setting: &Setting, found: &ObjectBlame) -> Self {
        let unknown = Self {
            path: field.path.to_string(),
            value: setting.value.clone(),
            previous: setting.previous.clone(),
            event_id: None,
            occurred_at: None,
            actor: None,
            via: Vec::new(),
            changes: setting.changes,
            status: Status::Initial,
            since: None,
            until: None,
            silent: setting.origin.silent().map(SilentEvents::from),
            removed: setting.value.is_none(),
        };
        match &setting.origin {
            Origin::Initial => unknown,
            Origin::Outside { since, until, .. } => Self {
                status: Status::Outside,
                since: Some(*since),
                until: Some(*until),
                ..unknown
            },
            Origin::Erased { since, until, .. } => Self {
                status: Status::Erased,
                since: *since,
                until: Some(*until),
                ..unknown
            },
            Origin::Event(author) => Self {
                status: Status::Known,
                event_id: Some(author.event),
                occurred_at: Some(author.occurred_at),
                actor: Some(ShownActor {
                    actor: Actor::clone(&author.actor),
                    deactivated: found.is_deactivated(&author.actor),
                }),
                via: author.via.to_vec(),
                ..unknown
            },
        }
    }
}

impl From<&Silent> for SilentEvents {
    fn from(silent: &Silent) -> Self {
        Self {
            events: silent.events,
            erased: silent.erased,
            ids: silent.named.clone(),
        }
    }
}

/// Who set each field of an object
///
/// The object's state is folded from the events that it is the target of, in the order of time: each
/// field with its value, who set it last, when, in which event, and what it was before. What is not known
/// says so, in the field's `status` and in `gaps`.
#[utoipa::path(
    get,
    path = "/api/v1/objects/{kind}/{id}/blame",
    operation_id = "blameObject",
    tag = "objects",
    params(
        ("kind" = String, Path, description = "The object's kind, percent-encoded."),
        ("id" = String, Path, description = "The object's id, percent-encoded."),
        BlameQueryParameters,
    ),
    responses(
        (status = 200, description = "What is known of it.", body = Blame),
        (status = 400, description = "A parameter is unknown, or its value is not taken; \
            `parameters` names each.", body = ProblemDocument,
            content_type = "application/problem+json", example = json!({
            "type": "urn:daybook:problem:bad-parameter", "title": "A parameter is not taken",
            "status": 400, "detail": "removed: must be true or false",
            "parameters": [{"parameter": "removed", "value": "yes",
                            "reason": "must be true or false"}]
        })),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `events:read`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 404, description = "No event where the token reads names such an object.",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The index is being made (`mark` of `head` events are in it), \
            or the server is stopping.", body = ProblemDocument,
            content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
    ),
)]
pub async fn blame(
    State(store): State<Store>,
    reading: Reading,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Blame>, Problem> {
    let missing = || Problem::not_found("there is no such object");
    let Ok(Path((kind, id))) = path else {
        return Err(missing());
    };
    let (asked, faults) = BlameParameters::read(&query.unwrap_or_default(), Unknown::Refused);
    if !faults.is_empty() {
        return Err(Problem::parameters(faults));
    }
    let subject = Subject {
        kind: kind.parse().map_err(|_| missing())?,
        id,
    };
    let query = BlameQuery {
        workspace: asked.workspace.clone(),
        subject: subject.clone(),
        asked: asked.asked(),
    };
    let found = store.blame(&reading.scope, &query).await?;
    let found = found.ok_or_else(missing)?;
    reading.note(&store, &asked.names()).await;
    Ok(Json(Blame::new(&found, &asked, &subject)))
}

//! What `OpenAPI` says of the things that `domain` defines: it knows nothing of `OpenAPI`, so their
//! schemas stand here, and the tests below hold them against the real things.

#![expect(
    dead_code,
    reason = "these are read by the macros that make the schemas, and by nobody else"
)]

use domain::{
    category::Category,
    event::{ActorKind, Outcome, Part, Source},
    verb::Verb,
};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use utoipa::{
    IntoParams, Modify, OpenApi, PartialSchema, ToSchema,
    openapi::{
        OpenApi as Description, RefOr,
        schema::{ObjectBuilder, Schema, Type},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

/// What is said of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Daybook",
        description = "Send what people and automations did, and ask who changed what, and when. \
            Every error is a problem document (RFC 9457); times are RFC 3339 in UTC."
    ),
    modifiers(&Tokens),
    tags(
        (name = "events", description = "What was done: recording it and finding it."),
        (name = "objects", description = "What it was done to: who set each field, and when."),
        (name = "proof", description = "That nothing was altered: signed checkpoints, and what leads to them."),
        (name = "actors", description = "Who did it: what is true of them now."),
    )
)]
pub struct Document;

/// Every operation takes an API token.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, description: &mut Description) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.bearer_format = Some("dbk_…".to_owned());
        scheme.description = Some(
            "An API token. Scopes: events:write, events:read, events:export, actors:write, \
             events:unredacted."
                .to_owned(),
        );
        description
            .components
            .get_or_insert_default()
            .security_schemes
            .insert("token".to_owned(), SecurityScheme::Http(scheme).into());
        let none: [&str; 0] = [];
        description.security = Some(vec![SecurityRequirement::new("token", none)]);
    }
}

/// Gives the closed lists of `domain` a schema each.
macro_rules! closed_lists {
    ($($(#[$about:meta])* $schema:ident: $list:ty as $name:literal,)+) => {$(
        $(#[$about])*
        pub struct $schema;

        impl PartialSchema for $schema {
            fn schema() -> RefOr<Schema> {
                let names = <$list>::ALL.iter().map(|one| one.as_str());
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(names))
                    .into()
            }
        }

        impl ToSchema for $schema {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )+};
}

closed_lists! {
    /// What kind of somebody acts.
    ActorKindName: ActorKind as "ActorKind",
    /// How an action ended.
    OutcomeName: Outcome as "Outcome",
    /// Who wrote an event, where it was not an application.
    SourceName: Source as "Source",
    /// A part of an event.
    PartName: Part as "Part",
    /// The class of an action.
    VerbName: Verb as "Verb",
    /// The family of an action.
    CategoryName: Category as "Category",
}

/// An event as a sender gives it. Fields that are none of these are refused.
#[derive(ToSchema)]
pub struct NewEventFields {
    /// Who did it.
    actor: Actor,
    /// What was done, as a short name: `MEMBER_ROLE_UPDATED`, `deployment:create`.
    #[schema(pattern = "^[A-Za-z0-9_.:/-]{1,128}$")]
    action: String,
    /// What was acted on.
    target: Target,
    /// When it occurred; now, if it is left out. At most 24 hours ahead, and not older than the
    /// workspace keeps.
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
    /// The workspace. A workspace's token may name that one only; a tenant's token names one, or
    /// none for an event of the tenant itself.
    workspace: Option<String>,
    /// How it ended; `success`, if it is left out.
    outcome: Option<OutcomeName>,
    /// Its class, where the catalogue's is not the right one.
    verb: Option<VerbName>,
    /// Its family, where the catalogue's is not the right one.
    category: Option<CategoryName>,
    /// Who or what carried it out on the actor's behalf, nearest first. One object is taken for a
    /// list of one.
    #[schema(max_items = 4)]
    via: Option<Vec<Actor>>,
    /// Other objects that it concerns.
    #[schema(max_items = 16)]
    related: Option<Vec<Target>>,
    /// What ties the events of one bulk change together.
    #[schema(max_length = 128)]
    operation: Option<String>,
    /// By which it is recorded once in its workspace, however often it is sent.
    #[schema(min_length = 1, max_length = 512)]
    idempotency_key: Option<String>,
    /// A note in words.
    description: Option<String>,
    /// The state before, whole or only what changed.
    before: Option<Map<String, Value>>,
    /// The state after, whole or only what changed.
    after: Option<Map<String, Value>>,
    /// Other structured context.
    metadata: Option<Map<String, Value>>,
    /// Where it came from; `ip`, `user_agent`, `request_id` and `location` are shown by name.
    context: Option<Map<String, Value>>,
}

/// What a request holds: one event, or an array of them.
#[derive(ToSchema)]
#[schema(title = "NewEvents")]
#[serde(untagged)]
pub enum NewEvent {
    /// One event.
    One(Box<NewEventFields>),
    /// At most 5,000 events.
    Several(Vec<NewEventFields>),
}

/// Who did it, or who carried it out, as they were then.
#[derive(ToSchema)]
pub struct Actor {
    /// What kind of somebody.
    kind: ActorKindName,
    /// The sender's id for them; only `system` and `anonymous` may have none.
    #[schema(max_length = 512)]
    id: Option<String>,
    /// Their name.
    #[schema(max_length = 512)]
    name: Option<String>,
    /// Their e-mail address.
    #[schema(max_length = 512)]
    email: Option<String>,
}

/// An actor as given back: with what is true of them now.
#[derive(ToSchema)]
pub struct ShownActor {
    /// What kind of somebody.
    kind: ActorKindName,
    /// The sender's id for them.
    #[schema(required)]
    id: Option<String>,
    /// Their name then.
    #[schema(required)]
    name: Option<String>,
    /// Their e-mail address then.
    #[schema(required)]
    email: Option<String>,
    /// Whether they are deactivated now.
    deactivated: bool,
}

/// What was acted on, or what else an event concerns, as it was then.
#[derive(ToSchema)]
pub struct Target {
    /// What kind of thing.
    #[schema(pattern = "^[A-Za-z0-9_.:/-]{1,64}$")]
    kind: String,
    /// The sender's id for it.
    #[schema(max_length = 512)]
    id: Option<String>,
    /// Its name.
    #[schema(max_length = 512)]
    name: Option<String>,
    /// Where it can be looked at.
    #[schema(max_length = 2048, pattern = "^[Hh][Tt][Tt][Pp][Ss]?://")]
    url: Option<String>,
}

/// An event as given back: every field is there; what was not given is null, a list empty.
#[derive(ToSchema)]
#[schema(example = event_example)]
pub struct Event {
    /// Its id: UUID version 7, rising with `seq`.
    #[schema(format = "uuid")]
    id: String,
    /// Its number in the tenant's order of arrival, from 1, without a gap.
    seq: u64,
    /// By which it is recorded once.
    #[schema(required)]
    idempotency_key: Option<String>,
    /// When it occurred, says the sender.
    #[schema(format = DateTime)]
    occurred_at: String,
    /// When it became durable.
    #[schema(format = DateTime)]
    recorded_at: String,
    /// The tenant.
    tenant: String,
    /// The workspace; null for an event of the tenant itself.
    #[schema(required)]
    workspace: Option<String>,
    /// Who did it.
    actor: ShownActor,
    /// Who or what carried it out on the actor's behalf, nearest first.
    via: Vec<Actor>,
    /// What was done.
    action: String,
    /// Its class: given, or the catalogue's.
    verb: VerbName,
    /// Its family: given, or the catalogue's.
    category: CategoryName,
    /// Which of `verb` and `category` the sender gave.
    given: Vec<String>,
    /// What was acted on.
    target: Target,
    /// Other objects that it concerns.
    related: Vec<Target>,
    /// What ties the events of one bulk change together.
    #[schema(required)]
    operation: Option<String>,
    /// How it ended.
    outcome: OutcomeName,
    /// A note in words.
    #[schema(required)]
    description: Option<String>,
    /// The state before.
    #[schema(required)]
    before: Option<Map<String, Value>>,
    /// The state after.
    #[schema(required)]
    after: Option<Map<String, Value>>,
    /// Other structured context.
    #[schema(required)]
    metadata: Option<Map<String, Value>>,
    /// Where it came from.
    #[schema(required)]
    context: Option<Map<String, Value>>,
    /// Who wrote it, where it was not an application: Daybook itself, or an import.
    #[schema(required)]
    source: Option<SourceName>,
    /// How many values were taken out at the door.
    redacted: u32,
    /// Which parts were taken out later: what was in them is `null`, but the id of an actor or of somebody in
    /// `via`, which is a pseudonym then, the same for all of one person's.
    erased: Vec<PartName>,
}

fn event_example() -> Value {
    json!({
        "id": "01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11",
        "seq": 48211,
        "idempotency_key": "billing-7731",
        "occurred_at": "2026-05-12T09:14:03.123456Z",
        "recorded_at": "2026-05-12T09:14:03.301220Z",
        "tenant": "acme",
        "workspace": "growth",
        "actor": {"kind": "user", "id": "usr_1", "name": "Alex Kim",
                  "email": "alex@example.com", "deactivated": false},
        "via": [{"kind": "agent", "id": "agt_7", "name": "Release assistant", "email": null}],
        "action": "API_TOKEN_CREATED",
        "verb": "create",
        "category": "auth_tokens",
        "given": [],
        "target": {"kind": "api_token", "id": "tok_9", "name": "ci-prod-deploy",
                   "url": "https://app.example.com/tokens/tok_9"},
        "related": [{"kind": "user", "id": "usr_4", "name": "Kim Berg", "url": null}],
        "operation": "rotate-2026-05",
        "outcome": "success",
        "description": "partial rotation",
        "before": null,
        "after": {"name": "ci-prod-deploy", "scope": "read-workspace"},
        "metadata": {"reason": "quarterly"},
        "context": {"ip": "203.0.113.9", "user_agent": "curl/8", "request_id": "req_1",
                    "location": "Oslo, NO"},
        "source": null,
        "redacted": 0,
        "erased": []
    })
}

/// What is true of an actor now.
#[derive(ToSchema)]
pub struct ActorLabel {
    /// Whether they are deactivated.
    deactivated: bool,
}

/// What is wrong with a request (RFC 9457). Some problems have members of their own besides.
#[derive(ToSchema)]
#[schema(title = "Problem", as = Problem)]
pub struct ProblemDocument {
    /// What is wrong, for programs; it never changes.
    #[schema(example = "urn:daybook:problem:missing-scope")]
    r#type: String,
    /// What is wrong, for people.
    title: String,
    /// The status code.
    status: u16,
    /// What it is about in this case.
    detail: Option<String>,
    /// Not JSON: the line, from 1.
    line: Option<usize>,
    /// Not JSON: the character in the line, from 1.
    column: Option<usize>,
    /// Parameters that are not taken.
    parameters: Option<Vec<ParameterFault>>,
    /// The scope that is missing.
    scope: Option<String>,
    /// Fields of the body that are not valid.
    errors: Option<Vec<FieldFault>>,
    /// The index is being made: the last event in it.
    mark: Option<u64>,
    /// The index is being made: the last event in the log.
    head: Option<u64>,
}

/// A parameter that is not taken.
#[derive(ToSchema)]
struct ParameterFault {
    /// Its name.
    parameter: String,
    /// What was given.
    value: String,
    /// What is wrong with it, and what is accepted.
    reason: String,
}

/// A field that is not valid.
#[derive(ToSchema)]
struct FieldFault {
    /// Which one, as a path: `actor.kind`, `via[1].id`.
    field: String,
    /// What is wrong with it, and what is accepted.
    reason: String,
}

/// Events that are not valid.
#[derive(ToSchema)]
pub struct RefusedEvents {
    /// `urn:daybook:problem:invalid-events`.
    r#type: String,
    /// What is wrong, for people.
    title: String,
    /// 422.
    status: u16,
    /// The first 100 faults.
    #[schema(max_items = 100)]
    errors: Vec<EventFault>,
}

/// What is wrong with an event.
#[derive(ToSchema)]
struct EventFault {
    /// Which event, from 0, in the order sent.
    index: usize,
    /// Which field, as a path: `actor.kind`, `via[1].id`; empty for the event as a whole.
    field: String,
    /// What is wrong with it, and what is accepted.
    reason: String,
}

/// Which events, and in which order. An empty value counts as not given.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FilterParameters {
    /// The workspaces, by their slugs; a tenant's token only.
    workspace: Option<Vec<String>>,
    /// Families of actions.
    #[param(inline)]
    category: Option<Vec<CategoryName>>,
    /// Classes of actions.
    #[param(inline)]
    verb: Option<Vec<VerbName>>,
    /// Actions.
    action: Option<Vec<String>>,
    /// Outcomes.
    #[param(inline)]
    outcome: Option<Vec<OutcomeName>>,
    /// A part of the name or e-mail address of the actor, or of anyone in `via`.
    actor: Option<String>,
    /// Ids of actors.
    actor_id: Option<Vec<String>>,
    /// Kinds of actors; `system`: automatic actions.
    #[param(inline)]
    actor_kind: Option<Vec<ActorKindName>>,
    /// Ids of who carried it out.
    via_id: Option<Vec<String>>,
    /// Kinds of the target or of a related object.
    target_kind: Option<Vec<String>>,
    /// Ids of the target or of a related object; with `target_kind`, of the same one.
    target_id: Option<Vec<String>>,
    /// A part of the id or name of the target or of a related object, of the action, or of the
    /// catalogue's label for it.
    q: Option<String>,
    /// What ties the events of one bulk change together.
    operation: Option<String>,
    /// From when: a date (its start) or a date and time, included.
    #[param(example = "2026-05-01")]
    since: Option<String>,
    /// Until when: a date (its end) or a date and time, included.
    #[param(example = "2026-05-12T10:30:00")]
    until: Option<String>,
    /// Stands for `since` and `until`: the last 24 hours, 7, 30 or 90 days.
    #[param(pattern = "^(24h|7d|30d|90d)$")]
    range: Option<String>,
    /// The time zone of dates, and of times without an offset: an IANA name. Default UTC.
    #[param(example = "Europe/Oslo")]
    tz: Option<String>,
}

/// In which order events are.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrderParameters {
    /// By what they are sorted: `time` (the default), `action`, `target_kind` or `actor`.
    #[param(pattern = "^(time|action|target_kind|actor)$")]
    sort: Option<String>,
    /// `desc` (the default for time) or `asc` (the default for the others).
    #[param(pattern = "^(asc|desc)$")]
    order: Option<String>,
}

/// Which page of them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// How many at once; default 50.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// `older` or `newer` of another page of the same question.
    cursor: Option<String>,
}

/// In how many parts of time they are counted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistogramParameters {
    /// In no more parts than this, where months are not shorter; default 100.
    #[param(minimum = 1, maximum = 1000)]
    buckets: Option<u16>,
}

/// Where a follower is.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FeedParameters {
    /// The last number that was looked at: `next` of the answer before; 0, the default: from the
    /// start.
    #[param(minimum = 0, example = 48211)]
    after: Option<u64>,
    /// How many seconds to wait where nothing is new; default 0: not at all.
    #[param(minimum = 0, maximum = 30, example = 30)]
    wait: Option<u8>,
}

/// How much a follower takes at once.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FeedLimit {
    /// How many at once; default 50.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
}

/// What of an object's history.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BlameQueryParameters {
    /// The workspace that the object is in, by its slug; a tenant's token only. Without it the object is
    /// one of the tenant's own.
    workspace: Option<String>,
    /// The moment whose state is asked for, what happened at it included: a date and time, in UTC
    /// where it has no offset, or a date (its end). Default: now.
    #[param(example = "2026-05-12T09:14:03Z")]
    at: Option<String>,
    /// The path of a field whose whole history is asked for, or of what holds fields.
    #[param(example = "credentials.user")]
    field: Option<String>,
    /// `true`: the fields that are gone too.
    removed: Option<bool>,
}

/// As what they are taken away.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormatParameter {
    /// `csv`: a line for each event, for a spreadsheet; `ndjson`: a JSON object a line; `json`: an
    /// array of them.
    #[param(pattern = "^(csv|ndjson|json)$")]
    format: String,
}

/// Whether they carry their proofs.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProofParameters {
    /// With each row what proves that it was recorded so, as `GET /api/v1/proof/inclusion` gives it, and a
    /// last line with the checkpoint, the number of rows and the keys; for the format `ndjson` alone.
    with_proof: Option<bool>,
    /// The parts that the rows then show, with commas: of `facts`, `actor`, `via`, `objects`, `change`,
    /// `details`, `context`. Of the others their hashes stand in the proof, and nothing else; their fields
    /// are null.
    #[param(example = "facts,objects")]
    parts: Option<String>,
}

#[cfg(test)]
mod tests;

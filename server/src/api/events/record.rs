//! `POST /api/v1/events`.

use super::{
    batch::{self, Checked, Format, OnError},
    receipt::{Discarded, EventResult, Recorded, Skipped, tell_all, tell_each},
};
use crate::api::{
    documentation::{NewEvent, ProblemDocument, RefusedEvents},
    payload::Payload,
    problem::Problem,
    token::Bearer,
};
use axum::{
    extract::{FromRef, FromRequestParts, State},
    http::request::Parts,
    response::Response,
};
use domain::question::Fault;
use std::panic;
use store::{
    Store,
    recording::{Admitted, Door, Redaction},
};

/// How many bytes one request may have: 8 MiB.
const REQUEST_MOST: usize = 8 * 1024 * 1024;
/// Up to how many bytes a body is checked on the spot; a larger one would keep others waiting.
const SMALL: usize = 32 * 1024;

/// A token that may send, and what it asked for.
pub struct Sending {
    door: Door,
    on_error: OnError,
}

impl<S> FromRequestParts<S> for Sending
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Bearer(grant) = Bearer::from_request_parts(parts, state).await?;
        // Whoever may not send at all hears that first.
        let door = Door::token(&grant, Redaction::On)?;
        let asked = Parameters::read(parts.uri.query().unwrap_or_default())?;
        let door = match asked.redaction {
            Redaction::On => door,
            Redaction::Off => Door::token(&grant, Redaction::Off)?,
        };
        Ok(Self {
            door,
            on_error: asked.on_error,
        })
    }
}

/// What may be asked for beside the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parameters {
    on_error: OnError,
    redaction: Redaction,
}

impl Parameters {
    /// Reads a query string. An empty value counts as not given.
    fn read(query: &str) -> Result<Self, Problem> {
        let mut asked = Self {
            on_error: OnError::Refuse,
            redaction: Redaction::On,
        };
        let mut faults = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let reason = match (name.as_ref(), value.as_ref()) {
                ("on_error" | "redact", "") => continue,
                ("on_error", "skip") => {
                    asked.on_error = OnError::Skip;
                    continue;
                }
                ("redact", "off") => {
                    asked.redaction = Redaction::Off;
                    continue;
                }
                ("on_error", _) => "takes skip, or is left out",
                ("redact", _) => "takes off, or is left out",
                _ => "is no parameter; those are on_error, redact",
            };
            faults.push(Fault {
                parameter: name.into_owned(),
                value: value.into_owned(),
                reason: reason.to_owned(),
            });
        }
        if faults.is_empty() {
            Ok(asked)
        } else {
            Err(Problem::parameters(faults))
        }
    }
}

/// Record events
///
/// Takes one event, an array of events, or (as `application/x-ndjson`) an event a line: at most
/// 5,000 and 8 MiB a request, 64 KiB an event. The answer is sent when the events are durable.
///
/// All or nothing: with one bad event nothing is recorded. With `on_error=skip` the good ones are
/// recorded, and the answer tells what became of each.
///
/// Give each event an `idempotency_key` and send the request again after any answer of 5xx, 408 or
/// none: nothing is recorded twice.
#[utoipa::path(
    post,
    path = "/api/v1/events",
    operation_id = "recordEvents",
    tag = "events",
    params(
        ("on_error" = Option<String>, Query, description = "`skip`: record the good events and \
            tell what is wrong with the others.", pattern = "^(skip)?$"),
        ("redact" = Option<String>, Query, description = "`off`: record values whose names say \
            that they are credentials as they are. Needs the scope `events:unredacted`.",
            pattern = "^(off)?$"),
    ),
    request_body(
        description = "One event, an array of events, or an event a line.",
        content(
            (NewEvent = "application/json", examples(
                ("one" = (summary = "One event", value = json!({
                    "idempotency_key": "billing-7731",
                    "occurred_at": "2026-05-12T09:14:03.123456Z",
                    "actor": {"kind": "user", "id": "usr_1", "name": "Alex Kim",
                              "email": "alex@example.com"},
                    "action": "API_TOKEN_CREATED",
                    "target": {"kind": "api_token", "id": "tok_9", "name": "ci-prod-deploy"},
                    "after": {"name": "ci-prod-deploy", "scope": "read-workspace"}
                }))),
                ("several" = (summary = "Two events", value = json!([
                    {"actor": {"kind": "system"}, "action": "job:complete",
                     "target": {"kind": "job", "id": "job_4"}},
                    {"actor": {"kind": "agent", "id": "agt_7"}, "action": "deployment:create",
                     "target": {"kind": "deployment", "id": "dep_2"}}
                ]))),
            )),
            (String = "application/x-ndjson"),
        ),
    ),
    responses(
        (status = 201, description = "All are durable.", body = Recorded, example = json!({
            "recorded": 1, "duplicates": 0, "events": [{
                "id": "01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11", "seq": 48211,
                "recorded_at": "2026-05-12T09:14:03.301220Z"
            }]
        })),
        (status = 202, description = "Recording is off: they are gone.", body = Discarded,
            example = json!({"recorded": 0, "discarded": 1})),
        (status = 207, description = "With `on_error=skip`: what became of each.", body = Skipped,
            example = json!({
            "recorded": 1, "duplicates": 0, "refused": 1, "results": [
                {"status": "recorded", "id": "01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11",
                 "seq": 48211, "recorded_at": "2026-05-12T09:14:03.301220Z", "field": null,
                 "reason": null},
                {"status": "refused", "id": null, "seq": null, "recorded_at": null,
                 "field": "action", "reason": "is missing: what was done, such as MEMBER_ADDED"}
            ]
        })),
        (status = 400, description = "The body is not JSON (`line` and `column` say where), or a \
            parameter is not taken.", body = ProblemDocument,
            content_type = "application/problem+json", example = json!({
            "type": "urn:daybook:problem:not-json", "title": "This is not JSON", "status": 400,
            "detail": "line 3, column 10: a value is expected here", "line": 3, "column": 10
        })),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `events:write`, or with `redact=off` \
            `events:unredacted`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 413, description = "More than 8 MiB or 5,000 events.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 415, description = "The body has a Content-Encoding.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 422, description = "Some events are not valid; nothing was recorded. The first \
            100 faults are told.", body = RefusedEvents,
            content_type = "application/problem+json", example = json!({
            "type": "urn:daybook:problem:invalid-events",
            "title": "Some events are not valid; nothing was recorded", "status": 422,
            "errors": [{"index": 0, "field": "action",
                        "reason": "is missing: what was done, such as MEMBER_ADDED"}]
        })),
        (status = 503, description = "The queue is full, the log cannot be written, the database is not \
            available, the installation is being moved to another database, or the server is stopping. \
            Nothing was recorded, unless `type` says `in-doubt`: send it again after `Retry-After` \
            seconds.",
            body = ProblemDocument, content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
        (status = 507, description = "The disk is full. Nothing was recorded: send it again when \
            there is room.", body = ProblemDocument, content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
    ),
)]
pub async fn record(
    State(store): State<Store>,
    sending: Sending,
    payload: Payload<REQUEST_MOST>,
) -> Result<Response, Problem> {
    let on_error = sending.on_error;
    let checked = check(&store, sending, payload).await?;

    let mut faults = Vec::with_capacity(checked.len());
    let mut admitted = Vec::with_capacity(checked.len());
    for checked in checked {
        match checked {
            Ok(event) => {
                faults.push(None);
                admitted.push(event);
            }
            Err(errors) => faults.push(Some(errors.into_iter().next())),
        }
    }
    let receipts = if admitted.is_empty() {
        Vec::new()
    } else {
        store.record(admitted).await?
    };
    Ok(match on_error {
        OnError::Refuse => tell_all(&receipts),
        OnError::Skip => {
            let mut receipts = receipts.into_iter();
            let results = faults.into_iter().filter_map(|fault| match fault {
                Some(fault) => Some(EventResult::refused(fault)),
                None => receipts.next().map(EventResult::of),
            });
            tell_each(results.collect())
        }
    })
}

/// Checks all events, a large body beside what else is going on.
async fn check(
    store: &Store,
    sending: Sending,
    payload: Payload<REQUEST_MOST>,
) -> Result<Vec<Checked<Admitted>>, Problem> {
    let Sending { door, on_error } = sending;
    let Payload { media_type, bytes } = payload;
    let format = Format::of(&media_type);
    if bytes.len() <= SMALL {
        return batch::read(&bytes, format, on_error, store, &door);
    }
    let store = store.clone();
    let task =
        tokio::task::spawn_blocking(move || batch::read(&bytes, format, on_error, &store, &door));
    match task.await {
        Ok(checked) => checked,
        Err(error) => panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_nothing_knows_are_refused_and_empty_ones_are_none() {
        let asked = Parameters::read("on_error=skip&redact=off").unwrap();
        assert_eq!(asked.on_error, OnError::Skip);
        assert_eq!(asked.redaction, Redaction::Off);
        let plain = Parameters::read("").unwrap();
        assert_eq!(Parameters::read("on_error=&redact=").unwrap(), plain);
        for bad in ["on_error=stop", "redact=on", "dry_run=1"] {
            assert!(Parameters::read(bad).is_err(), "{bad}");
        }
    }
}

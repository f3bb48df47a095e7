//! `PUT /api/v1/actors/{kind}/{id}`.

use crate::api::{
    documentation::{ActorLabel, ProblemDocument, ShownActor as ShownActorDocument},
    payload::Payload,
    problem::{Kind, Problem},
    token::Labelling,
};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use domain::{
    event::{ActorKind, FieldError, ShownActor},
    json::{self, JsonError},
};
use serde_json::Value;
use store::{Store, administration::AdministrationError};

/// How many bytes a label may have.
const LABEL_MOST: usize = 4 * 1024;

/// Label an actor
///
/// A host product tells whether one of its own people is deactivated. The label is shown on all
/// their events, past and to come.
#[utoipa::path(
    put,
    path = "/api/v1/actors/{kind}/{id}",
    operation_id = "labelActor",
    tag = "actors",
    params(
        ("kind" = String, Path, description = "The actor's kind: `user`, `token`, `agent`, \
            `integration`, `system` or `anonymous`."),
        ("id" = String, Path, description = "The actor's id, as their events have it, \
            percent-encoded."),
    ),
    request_body(content = ActorLabel, example = json!({"deactivated": true})),
    responses(
        (status = 200, description = "The actor, labelled.", body = ShownActorDocument,
            example = json!({"kind": "user", "id": "usr_1", "name": "Alex Kim",
                             "email": "alex@example.com", "deactivated": true})),
        (status = 400, description = "The body is not JSON.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `actors:write`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 404, description = "There is no such actor where the token is good.",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 422, description = "The body is not `{\"deactivated\": true}` or \
            `{\"deactivated\": false}`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 503, description = "The log cannot be written, the installation \
            is being moved to another database, or the server is stopping.",
            body = ProblemDocument, content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
        (status = 507, description = "The disk is full.", body = ProblemDocument,
            content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
    ),
)]
pub async fn put(
    State(store): State<Store>,
    Labelling { grant, by }: Labelling,
    path: Result<Path<(String, String)>, PathRejection>,
    payload: Payload<LABEL_MOST>,
) -> Result<Json<ShownActor>, Problem> {
    let Ok(Path((kind, id))) = path else {
        return Err(Problem::not_found("there is no such actor"));
    };
    let kind: ActorKind = kind
        .parse()
        .map_err(|error| Problem::not_found(&format!("an actor's kind {error}")))?;
    let deactivated = read(&payload.bytes)?;
    let actor = store
        .set_actor_deactivated(&grant, kind, &id, deactivated, &by)
        .await?;
    Ok(Json(actor))
}

/// Reads `{"deactivated": true}`.
fn read(bytes: &[u8]) -> Result<bool, Problem> {
    let fault = |field: &str, reason: &str| {
        Problem::fields(vec![FieldError {
            field: field.to_owned(),
            reason: reason.to_owned(),
        }])
    };
    let value = json::parse(bytes).map_err(|error| match error {
        JsonError::Syntax(syntax) => Problem::from(syntax),
        JsonError::Refused(refusal) => fault(&refusal.path, &refusal.reason.to_string()),
    })?;
    let Value::Object(mut object) = value else {
        return Err(fault("", "must be an object: {\"deactivated\": true}"));
    };
    let deactivated = object.remove("deactivated");
    if let Some(other) = object.keys().next() {
        return Err(fault(other, "is not taken here; what is: deactivated"));
    }
    match deactivated {
        Some(Value::Bool(deactivated)) => Ok(deactivated),
        Some(_) => Err(fault("deactivated", "must be true or false")),
        None => Err(fault("deactivated", "is missing: true or false")),
    }
}

impl From<AdministrationError> for Problem {
    fn from(error: AdministrationError) -> Self {
        match error {
            AdministrationError::Store(error) => error.into(),
            AdministrationError::Missing(_) => Self::not_found(&error.to_string()),
            _ => Self::new(Kind::InvalidBody, error.to_string()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use axum::response::IntoResponse;

    #[test]
    fn only_a_truth_value_labels() {
        assert!(read(b"{\"deactivated\": true}").unwrap());
        assert!(!read(b" {\"deactivated\":false} ").unwrap());
        let status = |text: &str| {
            let problem = read(text.as_bytes()).unwrap_err();
            problem.into_response().status().as_u16()
        };
        assert_eq!(status("{\"deactivated\": tru"), 400);
        for text in [
            "{}",
            "[]",
            "null",
            "{\"deactivated\": \"yes\"}",
            "{\"deactivated\": null}",
            "{\"deactivated\": true, \"name\": \"Kim\"}",
            "{\"deactivated\": true, \"deactivated\": false}",
        ] {
            assert_eq!(status(text), 422, "{text}");
        }
    }
}

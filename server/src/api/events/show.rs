//! `GET /api/v1/events/{id}`.

use crate::api::{
    documentation::{Event as EventDocument, ProblemDocument},
    problem::Problem,
    token::Reading,
};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use domain::event::{Event, EventId};
use store::Store;

/// Show one event
#[utoipa::path(
    get,
    path = "/api/v1/events/{id}",
    operation_id = "showEvent",
    tag = "events",
    params(("id" = String, Path, description = "The event's id.", format = "uuid")),
    responses(
        (status = 200, description = "The event.", body = EventDocument),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `events:read`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 404, description = "There is no such event where the token reads.",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The index is being made, or the server is stopping.",
            body = ProblemDocument, content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
    ),
)]
pub async fn show(
    State(store): State<Store>,
    reading: Reading,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Event>, Problem> {
    let missing = || Problem::not_found("there is no such event");
    let id: EventId = id
        .ok()
        .and_then(|Path(id)| id.parse().ok())
        .ok_or_else(missing)?;
    let event = store.event(&reading.scope, id).await?.ok_or_else(missing)?;
    reading.note(&store, &[]).await;
    Ok(Json(event))
}

//! `GET /api/v1/events`.

use crate::api::{
    documentation::{
        Event as EventDocument, FilterParameters, OrderParameters, PageParameters, ProblemDocument,
    },
    problem::Problem,
    token::Reading,
};
use axum::{
    Json,
    extract::{RawQuery, State},
};
use domain::{
    event::Event,
    question::{Query, Unknown},
    time::Timestamp,
};
use serde::Serialize;
use store::Store;
use utoipa::ToSchema;

/// One page of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    /// The events, in the order asked for.
    #[schema(value_type = Vec<EventDocument>)]
    events: Vec<Event>,
    /// What to give as `cursor` for the page that follows in the order shown; null at the end, and
    /// nothing else is a sign of the end.
    older: Option<String>,
    /// What to give as `cursor` for the page before; null at the start.
    newer: Option<String>,
    /// Where the search stopped before the page was full: how far it came. `older` goes on there.
    #[schema(value_type = Option<String>, format = DateTime)]
    searched_to: Option<Timestamp>,
}

/// List events
///
/// Filters compose; those that may be repeated match any of their values. All pages of one walk
/// show the log as it was when the first page was asked for.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "listEvents",
    tag = "events",
    params(FilterParameters, OrderParameters, PageParameters),
    responses(
        (status = 200, description = "A page.", body = EventPage),
        (status = 400, description = "A parameter is unknown, or its value is not taken; \
            `parameters` names each.", body = ProblemDocument,
            content_type = "application/problem+json", example = json!({
            "type": "urn:daybook:problem:bad-parameter", "title": "A parameter is not taken",
            "status": 400, "detail": "limit: is not a whole number from 1 to 500",
            "parameters": [{"parameter": "limit", "value": "501",
                            "reason": "is not a whole number from 1 to 500"}]
        })),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `events:read`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 503, description = "The index is being made (`mark` of `head` events are in it), \
            or the server is stopping.", body = ProblemDocument,
            content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
    ),
)]
pub async fn list(
    State(store): State<Store>,
    reading: Reading,
    RawQuery(query): RawQuery,
) -> Result<Json<EventPage>, Problem> {
    let read = Query::read(&query.unwrap_or_default(), Unknown::Refused);
    if !read.faults.is_empty() {
        return Err(Problem::parameters(read.faults));
    }
    let page = store.page(&reading.scope, &read.query).await?;
    reading.note(&store, &read.query.filter.names()).await;
    Ok(Json(EventPage {
        events: page.events,
        older: page.older,
        newer: page.newer,
        searched_to: page.searched_to,
    }))
}

//! `GET /api/v1/feed`.

use crate::api::{
    documentation::{
        Event as EventDocument, FeedLimit, FeedParameters, FilterParameters, ProblemDocument,
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
    question::{FeedQuery, Wait},
};
use serde::Serialize;
use store::Store;
use utoipa::ToSchema;

/// What arrived after a number.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventFeed {
    /// The events, in the order of arrival.
    #[schema(value_type = Vec<EventDocument>)]
    events: Vec<Event>,
    /// What to give as `after` the next time: the highest number that was looked at, whether it
    /// matched or not. Nothing comes up behind it later.
    next: u64,
}

/// Follow the log
///
/// What arrived after a number, in the order of arrival, which no event slips into behind another,
/// however late it says that it occurred. Where nothing is new the answer comes after `wait` seconds,
/// or at once when something arrives. A follower keeps `next` when it has dealt with the events, and
/// gives it as `after`. An answer without events may still have a higher `next`: one answer looks at
/// 10,000 numbers at most.
#[utoipa::path(
    get,
    path = "/api/v1/feed",
    operation_id = "followEvents",
    tag = "events",
    params(FeedParameters, FilterParameters, FeedLimit),
    responses(
        (status = 200, description = "What is new.", body = EventFeed),
        (status = 400, description = "A parameter is unknown, or its value is not taken; \
            `parameters` names each.", body = ProblemDocument,
            content_type = "application/problem+json", example = json!({
            "type": "urn:daybook:problem:bad-parameter", "title": "A parameter is not taken",
            "status": 400, "detail": "wait: is not a whole number of seconds from 0 to 30",
            "parameters": [{"parameter": "wait", "value": "60",
                            "reason": "is not a whole number of seconds from 0 to 30"}]
        })),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `events:read`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 503, description = "The server is stopping.", body = ProblemDocument,
            content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
    ),
)]
pub async fn feed(
    State(store): State<Store>,
    reading: Reading,
    RawQuery(query): RawQuery,
) -> Result<Json<EventFeed>, Problem> {
    let (asked, faults) = FeedQuery::read(&query.unwrap_or_default());
    if !faults.is_empty() {
        return Err(Problem::parameters(faults));
    }
    let at_once = FeedQuery {
        wait: Wait::default(),
        ..asked.clone()
    };
    let mut feed = store.feed(&reading.scope, &at_once).await?;
    // Before anything is waited for: also who gives up waiting has looked. That they did is an event
    // like others, once an hour, and ends the first wait.
    reading.note(&store, &asked.filter.names()).await;
    if feed.events.is_empty() && feed.is_all && !asked.wait.is_none() {
        let asked = FeedQuery {
            after: feed.next,
            ..asked
        };
        feed = store.feed(&reading.scope, &asked).await?;
    }
    Ok(Json(EventFeed {
        events: feed.events,
        next: feed.next,
    }))
}

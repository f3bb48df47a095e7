//! `GET /api/v1/events/histogram`.

use crate::api::{
    documentation::{FilterParameters, HistogramParameters, ProblemDocument},
    problem::Problem,
    token::Reading,
};
use axum::{
    Json,
    extract::{RawQuery, State},
};
use domain::{
    question::{Histogram, HistogramQuery},
    time::Timestamp,
};
use serde::Serialize;
use std::collections::BTreeMap;
use store::Store;
use utoipa::ToSchema;

/// When the events that match occurred, counted in the parts of a span.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventHistogram {
    /// The first moment that is told of: the one asked for, else that of the first event that matches.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The last: the one asked for, else now, or that of the last event that matches, where that says
    /// that it occurs later.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// The time zone in which the parts begin.
    tz: String,
    /// How long the parts are: the shortest step that needs no more parts than `buckets`. More than that
    /// of months are given as they are.
    #[schema(pattern = "^(1m|5m|15m|1h|3h|12h|1d|1w|1mo)$")]
    step: &'static str,
    /// The parts, the earliest first, those without an event too. Where `exact` is false, those from some
    /// time on: what is told is right, and what was before was not counted.
    buckets: Vec<HistogramBucket>,
    /// Whether everything was counted.
    exact: bool,
}

/// A part of a span.
#[derive(Debug, Serialize, ToSchema)]
struct HistogramBucket {
    /// When it begins, until the next one's beginning: the first may begin before `since`, and counts
    /// nothing of before.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// How many events there are of each category of which there are any.
    counts: BTreeMap<&'static str, u64>,
}

impl From<Histogram> for EventHistogram {
    fn from(histogram: Histogram) -> Self {
        let buckets = histogram.buckets.into_iter().map(|bucket| HistogramBucket {
            start: bucket.start,
            counts: bucket
                .counts
                .into_iter()
                .map(|(category, count)| (category.as_str(), count))
                .collect(),
        });
        Self {
            since: histogram.since,
            until: histogram.until,
            tz: histogram.tz.to_string(),
            step: histogram.step.as_str(),
            buckets: buckets.collect(),
            exact: histogram.exact,
        }
    }
}

/// Count events by time
///
/// When the events that match occurred: in parts of minutes, hours, days, weeks or months, which begin as
/// the clocks of `tz` show them. Without a filter, and by category, verb or action, counts are kept and
/// the answer comes at once; with other filters entries are read, for a fifth of a second at most.
#[utoipa::path(
    get,
    path = "/api/v1/events/histogram",
    operation_id = "countEvents",
    tag = "events",
    params(FilterParameters, HistogramParameters),
    responses(
        (status = 200, description = "The counts.", body = EventHistogram, example = json!({
            "since": "2026-05-11T22:00:00.000000Z", "until": "2026-05-13T21:59:59.999999Z",
            "tz": "Europe/Oslo", "step": "1d",
            "buckets": [
                {"start": "2026-05-11T22:00:00.000000Z", "counts": {"auth_tokens": 3, "members": 14}},
                {"start": "2026-05-12T22:00:00.000000Z", "counts": {}}
            ],
            "exact": true
        })),
        (status = 400, description = "A parameter is unknown, or its value is not taken; \
            `parameters` names each.", body = ProblemDocument,
            content_type = "application/problem+json", example = json!({
            "type": "urn:daybook:problem:bad-parameter", "title": "A parameter is not taken",
            "status": 400, "detail": "buckets: is not a whole number from 1 to 1000",
            "parameters": [{"parameter": "buckets", "value": "0",
                            "reason": "is not a whole number from 1 to 1000"}]
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
pub async fn histogram(
    State(store): State<Store>,
    reading: Reading,
    RawQuery(query): RawQuery,
) -> Result<Json<EventHistogram>, Problem> {
    let (query, faults) = HistogramQuery::read(&query.unwrap_or_default());
    if !faults.is_empty() {
        return Err(Problem::parameters(faults));
    }
    let histogram = store.histogram(&reading.scope, &query).await?;
    reading.note(&store, &query.filter.names()).await;
    Ok(Json(histogram.into()))
}

//! How many requests there are and how long they take, by route, for `/metrics`.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

const REQUESTS: &str = "daybook_http_requests_total";
const SECONDS: &str = "daybook_http_request_seconds";
/// Sign-ins that failed, by `reason`: `wrong` or `too_many`.
pub const SIGN_IN_FAILURES: &str = "daybook_sign_in_failures_total";
/// Events that were deleted because they had expired.
pub const EVENTS_EXPIRED: &str = "daybook_events_expired_total";

/// Entries that the check beside the server looked at.
pub const ENTRIES_CHECKED: &str = "daybook_entries_checked_total";
/// Tenants whose logs it found something wrong with.
pub const CHECK_FAULTS: &str = "daybook_check_faults";

/// How many follow a log and wait for what arrives: programs, and pages that are being looked at.
const FEED_WAITING: &str = "daybook_feed_waiting";
/// Events that were given to those who follow a log.
const FEED_EVENTS: &str = "daybook_feed_events_total";
/// Exports that are running.
const EXPORTS_RUNNING: &str = "daybook_exports_running";
/// Rows of exports that were handed over.
const EXPORTED_ROWS: &str = "daybook_exported_rows_total";

/// What was asked of the log where a read replica is named, by who answered.
const REPLICA_READS: &str = "daybook_replica_reads_total";
/// How far it is behind.
const REPLICA_LAG: &str = "daybook_replica_lag_bytes";
/// Whether it is read from.
const REPLICA_IN_USE: &str = "daybook_replica_in_use";

/// What requests take, from a page out of memory to a slow search.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// How often measurements are put together.
const UPKEEP: Duration = Duration::from_secs(5);

/// Begins to measure; once in a process, the second time gives the same.
///
/// # Errors
///
/// Something else measures already.
pub fn start() -> Result<PrometheusHandle, String> {
    static STARTED: LazyLock<Mutex<Option<PrometheusHandle>>> = LazyLock::new(Mutex::default);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*started {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| error.to_string())?;
    describe_counter!(REQUESTS, "Requests, by method, route and class of status");
    describe_histogram!(
        SECONDS,
        Unit::Seconds,
        "Time until a request's answer begins"
    );
    describe_counter!(SIGN_IN_FAILURES, "Sign-ins that failed, by reason");
    describe_gauge!(EXPORTS_RUNNING, "Exports that are running");
    describe_counter!(EXPORTED_ROWS, "Rows of exports that were handed over");
    describe_counter!(EVENTS_EXPIRED, "Events deleted because they had expired");
    describe_counter!(
        ENTRIES_CHECKED,
        "Entries that were verified in the background"
    );
    describe_gauge!(
        CHECK_FAULTS,
        "Tenants whose logs are not what was signed; anything but 0 is an alarm"
    );
    describe_gauge!(
        FEED_WAITING,
        "Those who follow a log and wait for what arrives"
    );
    describe_counter!(FEED_EVENTS, "Events given to those who follow a log");
    describe_counter!(
        REPLICA_READS,
        "Reads of the log with a read replica, by who answered: the replica, or the database because \
         the replica was behind, away, or failed"
    );
    describe_gauge!(
        REPLICA_LAG,
        Unit::Bytes,
        "How much of the database's write-ahead log the read replica has not applied"
    );
    describe_gauge!(REPLICA_IN_USE, "Whether the read replica is read from");
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut due = tokio::time::interval(UPKEEP);
        loop {
            due.tick().await;
            upkeep.run_upkeep();
        }
    });
    *started = Some(handle.clone());
    Ok(handle)
}

/// Measures a request.
pub async fn measure(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = match request.method().as_str() {
        method @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" | "OPTIONS") => {
            method.to_owned()
        }
        // What somebody makes up must not make up new series.
        _ => "other".to_owned(),
    };
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let status = match response.status().as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    let labels = [
        ("method", method),
        ("route", route),
        ("status", status.to_owned()),
    ];
    counter!(REQUESTS, &labels).increment(1);
    histogram!(SECONDS, &labels).record(began.elapsed());
    response
}

//! Whether the server lives, whether it can answer, and what it measured.

use crate::{
    api::bearer,
    http::{Caller, ServeConfig},
};
use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use std::sync::Arc;
use store::{Readiness, ReplicaStanding, Store};
use subtle::ConstantTimeEq;

/// The text format of Prometheus.
const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

#[derive(Clone)]
struct Health {
    store: Store,
    config: Arc<ServeConfig>,
    metrics: PrometheusHandle,
}

/// `/healthz`, `/readyz`, `/metrics`.
pub fn router(store: &Store, config: &Arc<ServeConfig>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .route("/metrics", get(measurements))
        .with_state(Health {
            store: store.clone(),
            config: Arc::clone(config),
            metrics,
        })
}

/// What `/readyz` tells.
#[derive(Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Told {
    Ready {
        /// How the read replica stands, where one is named: the server is ready without it too.
        #[serde(skip_serializing_if = "Option::is_none")]
        replica: Option<&'static str>,
    },
    Indexing {
        mark: u64,
        head: u64,
    },
    Unreachable,
}

/// Whether questions can be answered: the database is reachable, its schema and index are up to
/// date.
async fn readiness(State(health): State<Health>) -> Response {
    let told = match health.store.readiness().await {
        Readiness::Ready => {
            let replica = health.store.replica().map(|standing| match standing {
                ReplicaStanding::InUse => "in use",
                ReplicaStanding::Behind => "behind",
                ReplicaStanding::Away => "away",
            });
            return Json(Told::Ready { replica }).into_response();
        }
        Readiness::Indexing { mark, head } => Told::Indexing { mark, head },
        Readiness::Unreachable(reason) => {
            // What the database says names its files: that is for the operator.
            tracing::error!("the database does not answer: {reason}");
            Told::Unreachable
        }
    };
    let wait = [(header::RETRY_AFTER, HeaderValue::from_static("5"))];
    (StatusCode::SERVICE_UNAVAILABLE, wait, Json(told)).into_response()
}

/// What was measured, for this machine, or for who brings the token.
async fn measurements(State(health): State<Health>, request: Request) -> Response {
    let brings_token = || {
        let expected = health.config.metrics_token.as_ref()?.reveal();
        let given = request.headers().get(header::AUTHORIZATION)?;
        let given = bearer(given.to_str().ok()?)?;
        Some(bool::from(given.as_bytes().ct_eq(expected.as_bytes())))
    };
    if !Caller::within(request.extensions()).local && brings_token() != Some(true) {
        let told = "measurements are for this machine, or for who brings DAYBOOK_METRICS_TOKEN\n";
        return (StatusCode::FORBIDDEN, told).into_response();
    }
    let told = health.metrics.render();
    ([(header::CONTENT_TYPE, PROMETHEUS)], told).into_response()
}

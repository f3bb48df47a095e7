//! Every address of the server, and what every request passes through.

use super::{ServeConfig, ServeError, caller, measure};
use crate::{api, assets, export, health, pages, sign_in};
use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use store::Store;
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, Predicate},
    },
    csrf::{CsrfLayer, ProtectionError},
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    trace::{DefaultOnFailure, TraceLayer},
};
use tracing::{Level, Span};

/// How hard answers are compressed: they are made once and read once.
const COMPRESSION: CompressionLevel = CompressionLevel::Fastest;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How many characters a request id that is brought along may have.
const REQUEST_ID_MOST: usize = 128;

/// The whole server.
///
/// # Errors
///
/// The public address is none that a browser would name.
pub fn router(
    store: &Store,
    config: &Arc<ServeConfig>,
    metrics: PrometheusHandle,
) -> Result<Router, ServeError> {
    let people = pages::router(store, config)
        .merge(sign_in::router(store, config))
        .layer(same_origin(config)?);
    let router = Router::new()
        .merge(people)
        .merge(api::router(store.clone()))
        .merge(health::router(store, config, metrics))
        .route("/pkg/{name}", get(assets::serve))
        // Each of these is around those before it.
        .layer(
            CompressionLayer::new()
                .quality(COMPRESSION)
                .compress_when(DefaultPredicate::new().and(export::may_compress)),
        )
        .layer(SetResponseHeaderLayer::overriding(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(middleware::from_fn(measure::measure))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_failure(DefaultOnFailure::new().level(Level::DEBUG)),
        )
        .layer(middleware::from_fn_with_state(
            Arc::clone(config),
            caller::identify,
        ))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(middleware::from_fn(drop_strange_id));
    Ok(router)
}

type RefuseForeign = fn(ProtectionError) -> Response;

/// What may change something and goes by the cookie is taken from our own pages only. Programs
/// that are no browsers, which name no origin, pass: no page can make a browser be one.
fn same_origin(config: &ServeConfig) -> Result<CsrfLayer<RefuseForeign>, ServeError> {
    fn refuse(_: ProtectionError) -> Response {
        pages::plain::forbidden("This request came from another site, and nothing was done.")
    }
    let mut layer = CsrfLayer::new();
    if let Some(url) = &config.public_url {
        layer = layer
            .add_trusted_origin(url.origin().ascii_serialization())
            .map_err(|_| ServeError::PublicUrl(url.clone()))?;
    }
    Ok(layer.with_rejection_response(refuse))
}

/// A request in the logs: by its path alone, because what is asked for may name people.
fn span(request: &Request) -> Span {
    let id = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok())
        .unwrap_or_default();
    tracing::debug_span!(
        "request",
        id,
        method = %request.method(),
        path = request.uri().path(),
    )
}

/// A request keeps the id that it brings, if it is a short word; else it gets one.
async fn drop_strange_id(mut request: Request, next: Next) -> Response {
    let is_word = |id: &HeaderValue| {
        (1..=REQUEST_ID_MOST).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    if request
        .headers()
        .get(REQUEST_ID)
        .is_some_and(|id| !is_word(id))
    {
        request.headers_mut().remove(REQUEST_ID);
    }
    next.run(request).await
}

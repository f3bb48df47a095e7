//! The API of version 1, for programs with tokens: it knows no cookies. One file for each operation
//! holds its parameters, its documentation, its errors and its handler.

mod actors;
mod documentation;
mod events;
pub mod objects;
mod payload;
mod problem;
mod proof;
mod token;

pub use proof::inclusion::InclusionProof;
pub use token::bearer;

use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{HeaderValue, Method, header},
    middleware,
    response::IntoResponse,
    routing::{any, get},
};
use problem::{Kind, Problem};
use std::{any::Any, time::Duration};
use store::Store;
use tower_http::{
    catch_panic::CatchPanicLayer,
    set_header::SetResponseHeaderLayer,
    timeout::{RequestBodyDeadlineLayer, RequestBodyTimeoutLayer},
};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How long nothing of a body may come.
const BODY_PAUSE_MOST: Duration = Duration::from_secs(30);
/// How long a whole body may take: 8 MiB at 28 KB a second.
const BODY_TIME_MOST: Duration = Duration::from_mins(5);

/// Every address that begins with `/api`.
pub fn router(store: Store) -> Router {
    let (operations, document) = operations().split_for_parts();
    let document = Bytes::from(document.to_json().unwrap_or_default());
    let described = move || async move {
        let media_type = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, media_type)], document)
    };
    operations
        .route("/api/v1/openapi.json", get(described))
        .with_state(store)
        .method_not_allowed_fallback(refuse_method)
        .route("/api", any(find_nothing))
        .route("/api/", any(find_nothing))
        .route("/api/{*rest}", any(find_nothing))
        .layer(middleware::from_fn(payload::read_left_over))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE_MOST))
        .layer(RequestBodyDeadlineLayer::new(BODY_TIME_MOST))
        // What a body may have is said by `payload`.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
}

/// The operations with what `OpenAPI` says of them.
pub fn operations() -> OpenApiRouter<Store> {
    OpenApiRouter::with_openapi(documentation::Document::openapi())
        .routes(routes!(events::list::list, events::record::record))
        .routes(routes!(events::export::export))
        .routes(routes!(events::histogram::histogram))
        .routes(routes!(events::show::show))
        .routes(routes!(events::feed::feed))
        .routes(routes!(objects::blame::blame))
        .routes(routes!(actors::put::put))
        .routes(routes!(proof::checkpoint::checkpoint))
        .routes(routes!(proof::inclusion::inclusion))
        .routes(routes!(proof::consistency::consistency))
        .routes(routes!(proof::keys::keys))
}

async fn find_nothing() -> Problem {
    Problem::not_found("there is nothing at this address; see /api/v1/openapi.json for what is")
}

async fn refuse_method(method: Method) -> Problem {
    let detail = format!("{method} is not taken here; the header Allow names what is");
    Problem::new(Kind::MethodNotAllowed, detail)
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> axum::response::Response {
    let words = crate::http::panic_words(panic.as_ref());
    tracing::error!("a request to the API panicked: {words}");
    Problem::new(Kind::Internal, "the request was not carried out").into_response()
}

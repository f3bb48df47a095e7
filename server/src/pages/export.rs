//! What the page of a log shows, as a file: a form that is answered with it. The browser saves it and
//! stays on the page.

use super::plain;
use crate::export;
use app::{
    address::LogAddress,
    log::PROVED,
    viewer::{Viewer, scope_at},
};
use axum::{
    Form, RequestExt, Router,
    body::Body,
    extract::{Request, State, rejection::FormRejection},
    http::Uri,
    response::Response,
    routing::post,
};
use domain::{
    event::Parts,
    export::Format,
    question::{Query, Unknown},
};
use serde::Deserialize;
use std::{pin::Pin, sync::Arc};
use store::{
    Store,
    administration::By,
    export::{ExportError, Name, Wanted},
    question::QuestionError,
};

/// Renders the page at a request's address.
pub type Render =
    Arc<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Send + Sync>;

/// How the address of a page's export ends.
const ENDING: &str = "/export";

#[derive(Clone)]
struct Desk {
    store: Store,
    render: Render,
}

/// The exports of all pages of logs. Where one is refused, the page itself is rendered, which says
/// why.
pub fn router<S: Clone + Send + Sync + 'static>(store: Store, render: Render) -> Router<S> {
    Router::new()
        .route("/{tenant}/audit/export", post(take))
        .route("/{tenant}/{workspace}/audit/export", post(take))
        .route(
            "/{tenant}/{workspace}/objects/{kind}/{id}/audit/export",
            post(take),
        )
        .with_state(Desk { store, render })
}

/// What the form sends.
#[derive(Debug, Deserialize)]
struct Asked {
    format: String,
    /// What the page calls it, to tell how far it is; empty without script.
    #[serde(default)]
    export: String,
}

async fn take(State(desk): State<Desk>, request: Request) -> Response {
    let version = request.version();
    let uri = request.uri().clone();
    let viewer = request.extensions().get::<Viewer>().cloned();
    let page = page_request(&request);
    let form: Result<Form<Asked>, FormRejection> = request.extract().await;
    let show = async |page: Option<Request>| match page {
        Some(page) => (desk.render)(page).await,
        None => plain::bad_request("This was not sent by the page of a log."),
    };
    let address = uri.path().strip_suffix(ENDING).and_then(LogAddress::read);
    let (Some(address), Some(person)) = (
        address,
        viewer.as_ref().and_then(|it| it.signed_in.as_ref()),
    ) else {
        return show(page).await;
    };
    let Ok(scope) = scope_at(person, &address) else {
        return show(page).await;
    };
    let Ok(scope) = person.export_scope(&scope) else {
        return plain::forbidden(
            "Only who reads the log of a workspace may take it away as a file. You can still look at \
             this page.",
        );
    };
    let Ok(Form(asked)) = form else {
        return plain::bad_request("This was not sent by the page of a log.");
    };
    let (format, proof) = match (asked.format.as_str(), asked.format.parse()) {
        (PROVED, _) => (Format::Ndjson, Some(Parts::ALL)),
        (_, Ok(format)) => (format, None),
        (_, Err(_)) => {
            return plain::bad_request(
                "A log is taken away as CSV, NDJSON (with proof, too) or JSON, and as nothing else.",
            );
        }
    };
    if !export::can_break_off(version) {
        return plain::old_http(export::CANNOT_BREAK_OFF);
    }
    let read = Query::read(uri.query().unwrap_or_default(), Unknown::Ignored);
    if !read.faults.is_empty() {
        return show(page).await;
    }
    let wanted = Wanted {
        query: read.query,
        format,
        proof,
        name: asked.export.parse::<Name>().ok(),
        patience: Some(export::PATIENCE),
    };
    let context = viewer.as_ref().and_then(|it| it.request.context.clone());
    let now = desk.store.now();
    match desk
        .store
        .export(&scope, wanted, &By::person(person, context))
        .await
    {
        Ok(begun) => export::answer(Some(begun), scope.scope(), format, now),
        Err(ExportError::Busy) => plain::unavailable(
            "As many exports are running as there may. Please try again when one of them has ended.",
        ),
        Err(ExportError::BusyWithYours) => plain::unavailable(
            "As many exports of yours are running as there may. Please try again when one of them has \
             ended, or cancel one.",
        ),
        Err(ExportError::Question(QuestionError::Store(error))) => {
            tracing::error!("an export did not begin: {error}");
            plain::unavailable(
                "The log cannot be exported now, because it cannot be read, or cannot tell of it. \
                 Please try again in a moment.",
            )
        }
        Err(ExportError::Unproven(error)) => {
            tracing::error!("an export with proofs did not begin: {error}");
            plain::unavailable(
                "Nothing can be signed now that would prove this log: Settings, Proof says more. \
                 Without proof it can be exported.",
            )
        }
        Err(ExportError::Question(_) | ExportError::NoPlaceForProofs) => show(page).await,
    }
}

/// The request for the page that the form is on.
fn page_request(request: &Request) -> Option<Request> {
    let uri = request.uri();
    let path = uri.path().strip_suffix(ENDING)?;
    let there: Uri = match uri.query() {
        Some(query) => format!("{path}?{query}").parse().ok()?,
        None => path.parse().ok()?,
    };
    let mut page = Request::new(Body::empty());
    *page.uri_mut() = there;
    *page.headers_mut() = request.headers().clone();
    *page.extensions_mut() = request.extensions().clone();
    // What was sent is not sent on.
    for name in [
        axum::http::header::CONTENT_LENGTH,
        axum::http::header::CONTENT_TYPE,
        axum::http::header::TRANSFER_ENCODING,
    ] {
        page.headers_mut().remove(name);
    }
    Some(page)
}

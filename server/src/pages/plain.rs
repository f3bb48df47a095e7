//! Pages of a few words, for when there is no other to show. They work whatever else does not.

use crate::assets;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; img-src data:; style-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// What somebody may not do.
pub fn forbidden(words: &'static str) -> Response {
    page(StatusCode::FORBIDDEN, "Not allowed", words, None)
}

/// What cannot be read.
pub fn bad_request(words: &'static str) -> Response {
    page(StatusCode::BAD_REQUEST, "Not understood", words, None)
}

/// What is not there.
pub fn not_found(words: &'static str) -> Response {
    page(StatusCode::NOT_FOUND, "Not found", words, None)
}

/// What a request's HTTP is too old for.
pub fn old_http(words: &'static str) -> Response {
    let status = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
    page(status, "Not available", words, None)
}

/// What cannot be done now.
pub fn unavailable(words: &'static str) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    page(status, "Not available", words, Some(5))
}

/// What went wrong.
pub fn failed(words: &'static str) -> Response {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    page(status, "Something went wrong", words, None)
}

/// Too many failed sign-ins: come back in so many seconds.
pub fn too_many(seconds: u32) -> Response {
    let minutes = seconds.div_ceil(60);
    let plural = if minutes == 1 { "" } else { "s" };
    let words = format!(
        "There were too many failed sign-ins for this account or from your network. Please try \
         again in {minutes} minute{plural}. If you forgot your password, ask an administrator."
    );
    let status = StatusCode::TOO_MANY_REQUESTS;
    page(status, "Too many failed sign-ins", &words, Some(seconds))
}

/// `title` and `words` are our own, never somebody's input: nothing in them needs escaping.
fn page(status: StatusCode, title: &str, words: &str, retry_after: Option<u32>) -> Response {
    let style = assets::CSS.map_or_else(String::new, |css| {
        format!("<link rel=\"stylesheet\" href=\"{css}\">")
    });
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">\
         {style}<title>{title} · Daybook</title></head>\
         <body><main class=\"plain\"><h1>{title}</h1><p>{words}</p>\
         <p><a href=\"/\">Back to Daybook</a></p></main></body></html>"
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

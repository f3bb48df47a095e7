//! A log as a file over HTTP: what asks for one, and the answer that carries it. The API and the pages
//! have this in common.

use axum::{
    body::{Body, Bytes},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header},
    response::Response,
};
use domain::{
    export::Format,
    question::{Fault, PARAMETERS, Query, Unknown},
    time::Timestamp,
};
use http_body::Frame;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use store::{
    Scope,
    export::{Broken, Export},
};

/// How long the other side may take nothing before the export breaks off.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The parameters of a list that an export does not have: it is all pages at once.
const OF_PAGES: [&str; 2] = ["limit", "cursor"];
/// The parameter that a list does not have.
const FORMAT: &str = "format";

/// What an export is asked for with, as a query string: the parameters of a list without those of its
/// pages, and `format`.
///
/// # Errors
///
/// Parameters that are not taken.
pub fn read(text: &str) -> Result<(Query, Format), Vec<Fault>> {
    let mut format = None;
    let mut faults = Vec::new();
    let mut rest = Vec::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let mut refuse = |reason: String| {
            faults.push(Fault {
                parameter: name.to_string(),
                value: value.to_string(),
                reason,
            });
        };
        if name == FORMAT {
            match value.parse::<Format>() {
                _ if format.is_some() => refuse("may be given once only".to_owned()),
                Ok(read) => format = Some(read),
                Err(error) => refuse(error.to_string()),
            }
        } else if OF_PAGES.contains(&&*name) || !PARAMETERS.contains(&&*name) {
            let known = PARAMETERS.iter().filter(|known| !OF_PAGES.contains(known));
            let known: Vec<&str> = std::iter::once(&FORMAT).chain(known).copied().collect();
            refuse(format!(
                "is no parameter of an export; those are {}",
                known.join(", ")
            ));
        } else {
            rest.push((name, value));
        }
    }
    if format.is_none() && !faults.iter().any(|fault| fault.parameter == FORMAT) {
        faults.push(Fault {
            parameter: FORMAT.to_owned(),
            value: String::new(),
            reason: "is missing; it is one of csv, ndjson, json".to_owned(),
        });
    }
    let read = Query::read_pairs(rest.into_iter(), Unknown::Refused);
    faults.extend(read.faults);
    match format.filter(|_| faults.is_empty()) {
        Some(format) => Ok((read.query, format)),
        None => Err(faults),
    }
}

/// Whether a request can be answered with a file that, broken off, is seen to be: before HTTP/1.1 the
/// end of an answer is the end of its connection, whatever ended it.
pub fn can_break_off(version: Version) -> bool {
    version > Version::HTTP_10
}

/// What is said where it cannot.
pub const CANNOT_BREAK_OFF: &str = "an export needs HTTP/1.1 or newer, so that one that breaks off is \
    not taken for whole; a proxy before this server may be speaking HTTP/1.0 to it (nginx: \
    proxy_http_version 1.1)";

/// The answer that carries a file. `export`: none where only what would be said of it is asked for.
pub fn answer(export: Option<Export>, scope: &Scope, format: Format, now: Timestamp) -> Response {
    let mut response =
        Response::new(export.map_or_else(Body::empty, |export| Body::new(Pieces(export))));
    let name = file_name(scope, format, now);
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static(format.media_type());
    headers.insert(header::CONTENT_TYPE, content_type);
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy that gathers the answer first would hide how far it is, and keep it on its disk.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response.extensions_mut().insert(AsItIs);
    response
}

/// Marks an answer that is not compressed on its way: its hash is told by the log, and compressing
/// would take longer than making it.
#[derive(Clone, Copy, Debug)]
struct AsItIs;

/// Whether an answer may be compressed.
pub fn may_compress(_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions) -> bool {
    extensions.get::<AsItIs>().is_none()
}

/// What the file is called: `acme-growth-audit-20260512T091403Z.csv`.
fn file_name(scope: &Scope, format: Format, now: Timestamp) -> String {
    let mut parts = vec![scope.tenant().slug.to_string()];
    parts.extend(
        scope
            .workspace()
            .map(|workspace| workspace.slug.to_string()),
    );
    if let Some(subject) = scope.subject() {
        parts.push(plain(subject.kind.as_str()));
        parts.push(plain(&subject.id));
    }
    parts.push("audit".to_owned());
    parts.push(now.datetime().format("%Y%m%dT%H%M%SZ").to_string());
    format!("{}.{format}", parts.join("-"))
}

/// A text as a part of a file's name, wherever it is saved.
fn plain(text: &str) -> String {
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    text.chars()
        .map(|letter| if is_plain(&letter) { letter } else { '_' })
        .take(64)
        .collect()
}

/// An export as the body of an answer. Where it breaks off the body ends with an error, and the
/// connection without the mark that ends an answer.
struct Pieces(Export);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let piece = self.0.poll_next(cx);
        piece.map(|piece| piece.map(|piece| piece.map(|bytes| Frame::data(bytes.into()))))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_asked_for_as_a_list_is_without_its_pages() {
        let (query, format) = read("format=csv&category=members&sort=actor&q=").unwrap();
        assert_eq!(format, Format::Csv);
        assert_eq!(query.query_string(), "category=members&sort=actor");
        for (text, parameter) in [
            ("", "format"),
            ("format=xls", "format"),
            ("format=csv&format=csv", "format"),
            ("format=csv&limit=5", "limit"),
            ("format=csv&cursor=x", "cursor"),
            ("format=csv&colour=red", "colour"),
            ("format=csv&verb=x", "verb"),
        ] {
            let faults = read(text).unwrap_err();
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert_eq!(faults[0].parameter, parameter, "{text}");
        }
        let faults = read("format=csv&colour=red").unwrap_err();
        assert!(faults[0].reason.contains("format, workspace, category"));
        assert!(!faults[0].reason.contains("cursor"));
    }

    #[test]
    fn a_files_name_is_one_everywhere() {
        assert_eq!(plain("a/b\\..\"é"), "a_b_____");
        assert_eq!(plain(&"x".repeat(100)).len(), 64);
    }
}

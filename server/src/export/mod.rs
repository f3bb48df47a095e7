//! A log as a file over HTTP: what asks for one, and the answer that carries it. The API and the pages
//! have this in common.

use axum::{
    body::{Body, Bytes},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header},
    response::Response,
};
use domain::{
    event::Parts,
    export::Format,
    question::{Fault, PARAMETERS, Query, Unknown},
    time::Timestamp,
};
use http_body::Frame;
use std::{
    fmt::Display,
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
/// As what.
const FORMAT: &str = "format";

/// Whether the rows are to carry their proofs, and which parts they then show.
pub const WITH_PROOF: &str = "with_proof";
const PARTS: &str = "parts";

/// What an export is asked for with.
#[derive(Debug)]
pub struct Asked {
    /// Which events, in which order.
    pub query: Query,
    /// As what.
    pub format: Format,
    /// With proofs, and which parts are shown then.
    pub proof: Option<Parts>,
}

/// What an export is asked for with, as a query string: the parameters of a list without those of its
/// pages, `format`, `with_proof` and `parts`.
///
/// # Errors
///
/// Parameters that are not taken.
pub fn read(text: &str) -> Result<Asked, Vec<Fault>> {
    let (mut format, mut with_proof, mut parts) = (None, None, None);
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
        match &*name {
            FORMAT => once(&mut format, value.parse::<Format>(), refuse),
            WITH_PROOF => once(&mut with_proof, value.parse::<bool>(), refuse),
            PARTS => once(&mut parts, value.parse::<Parts>(), refuse),
            name if OF_PAGES.contains(&name) || !PARAMETERS.contains(&name) => {
                let known = PARAMETERS.iter().filter(|known| !OF_PAGES.contains(known));
                let own = [FORMAT, WITH_PROOF, PARTS];
                let known: Vec<&str> = own.iter().chain(known).copied().collect();
                refuse(format!(
                    "is no parameter of an export; those are {}",
                    known.join(", ")
                ));
            }
            _ => rest.push((name, value)),
        }
    }
    let is_missing = format.is_none() && !faults.iter().any(|fault| fault.parameter == FORMAT);
    let mut refuse = |parameter: &str, value: String, reason: &str| {
        faults.push(Fault {
            parameter: parameter.to_owned(),
            value,
            reason: reason.to_owned(),
        });
    };
    if is_missing {
        refuse(
            FORMAT,
            String::new(),
            "is missing; it is one of csv, ndjson, json",
        );
    }
    let is_proved = with_proof.unwrap_or(false);
    if is_proved && format.is_some_and(|format| format != Format::Ndjson) {
        refuse(
            WITH_PROOF,
            "true".to_owned(),
            "is for the format ndjson alone",
        );
    }
    if let Some(parts) = parts.filter(|_| !is_proved) {
        refuse(
            PARTS,
            parts.to_string(),
            "is for an export with with_proof=true",
        );
    }
    let read = Query::read_pairs(rest.into_iter(), Unknown::Refused);
    faults.extend(read.faults);
    match format.filter(|_| faults.is_empty()) {
        Some(format) => Ok(Asked {
            query: read.query,
            format,
            proof: is_proved.then(|| parts.unwrap_or(Parts::ALL)),
        }),
        None => Err(faults),
    }
}

/// Takes the value of a parameter that may be given once.
fn once<T, E: Display>(place: &mut Option<T>, read: Result<T, E>, mut refuse: impl FnMut(String)) {
    match read {
        _ if place.is_some() => refuse("may be given once only".to_owned()),
        Ok(value) => *place = Some(value),
        Err(error) => refuse(error.to_string()),
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
        let asked = read("format=csv&category=members&sort=actor&q=").unwrap();
        assert_eq!((asked.format, asked.proof), (Format::Csv, None));
        assert_eq!(asked.query.query_string(), "category=members&sort=actor");
        for (text, parameter) in [
            ("", "format"),
            ("format=xls", "format"),
            ("format=csv&format=csv", "format"),
            ("format=csv&limit=5", "limit"),
            ("format=csv&cursor=x", "cursor"),
            ("format=csv&colour=red", "colour"),
            ("format=csv&verb=x", "verb"),
            ("format=csv&with_proof=true", "with_proof"),
            ("format=ndjson&with_proof=yes", "with_proof"),
            (
                "format=ndjson&with_proof=true&with_proof=true",
                "with_proof",
            ),
            ("format=ndjson&parts=facts", "parts"),
            ("format=ndjson&with_proof=true&parts=face", "parts"),
        ] {
            let faults = read(text).unwrap_err();
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert_eq!(faults[0].parameter, parameter, "{text}");
        }
        let faults = read("format=csv&colour=red").unwrap_err();
        assert!(
            faults[0]
                .reason
                .contains("format, with_proof, parts, workspace, category")
        );
        assert!(!faults[0].reason.contains("cursor"));
    }

    #[test]
    fn proofs_are_asked_for_with_the_parts_that_are_shown() {
        let proof = |text: &str| read(&format!("format=ndjson{text}")).unwrap().proof;
        assert_eq!(proof("&with_proof=false"), None);
        assert_eq!(proof("&with_proof=true"), Some(Parts::ALL));
        let some = proof("&parts=facts,objects&with_proof=true").unwrap();
        assert_eq!(some.to_string(), "facts,objects");
    }

    #[test]
    fn a_files_name_is_one_everywhere() {
        assert_eq!(plain("a/b\\..\"é"), "a_b_____");
        assert_eq!(plain(&"x".repeat(100)).len(), 64);
    }
}

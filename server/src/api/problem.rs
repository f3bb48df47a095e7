//! What a caller hears when something is wrong: problem details (RFC 9457), the same shape
//! everywhere in the API.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{event::FieldError, json::Syntax, question::Fault, role::TokenScope};
use serde::Serialize;
use store::{
    StoreError, access::MissingScope, error::Moving, question::QuestionError,
    recording::RecordError,
};

/// The media type of problem details.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
/// How many seconds to wait where nothing better is known.
const RETRY_AFTER: u32 = 5;

/// What is wrong. Its name in the answer (`type`) never changes; words may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The body is not JSON.
    NotJson,
    /// A parameter is unknown, or its value is not taken.
    BadParameter,
    /// The request cannot be understood for another reason.
    BadRequest,
    /// No token, or one that is not good any more.
    Unauthorized,
    /// The token lacks the scope that is needed.
    MissingScope,
    /// There is no such thing for this caller.
    NotFound,
    /// There is such a thing, but not this method on it.
    MethodNotAllowed,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The request is larger than is taken.
    TooLarge,
    /// The body is encoded in a way that is not taken.
    UnsupportedEncoding,
    /// Events are not valid.
    InvalidEvents,
    /// The body is JSON, but not what is taken here.
    InvalidBody,
    /// More is sent than can be written.
    Busy,
    /// As many exports are running as there may.
    TooManyExports,
    /// What is asked for needs a newer HTTP.
    HttpVersion,
    /// The index is being made.
    Indexing,
    /// The log cannot be written.
    ReadOnly,
    /// The server is stopping.
    Stopping,
    /// The database's server does not answer, or has too much to do.
    DatabaseUnavailable,
    /// The database's server went away while it committed: it may have, or not.
    InDoubt,
    /// The installation moves to another database.
    Moving,
    /// It has moved there.
    Moved,
    /// No checkpoint covers it yet.
    Uncovered,
    /// The disk is full.
    DiskFull,
    /// A fault of the server.
    Internal,
}

impl Kind {
    /// The URI that names it: `type` in the answer.
    const fn uri(self) -> &'static str {
        match self {
            Self::NotJson => "urn:daybook:problem:not-json",
            Self::BadParameter => "urn:daybook:problem:bad-parameter",
            Self::BadRequest => "urn:daybook:problem:bad-request",
            Self::Unauthorized => "urn:daybook:problem:unauthorized",
            Self::MissingScope => "urn:daybook:problem:missing-scope",
            Self::NotFound => "urn:daybook:problem:not-found",
            Self::MethodNotAllowed => "urn:daybook:problem:method-not-allowed",
            Self::BodyTimeout => "urn:daybook:problem:body-timeout",
            Self::TooLarge => "urn:daybook:problem:too-large",
            Self::UnsupportedEncoding => "urn:daybook:problem:unsupported-encoding",
            Self::InvalidEvents => "urn:daybook:problem:invalid-events",
            Self::InvalidBody => "urn:daybook:problem:invalid-body",
            Self::Busy => "urn:daybook:problem:busy",
            Self::TooManyExports => "urn:daybook:problem:too-many-exports",
            Self::HttpVersion => "urn:daybook:problem:http-version",
            Self::Indexing => "urn:daybook:problem:indexing",
            Self::ReadOnly => "urn:daybook:problem:read-only",
            Self::Stopping => "urn:daybook:problem:stopping",
            Self::DatabaseUnavailable => "urn:daybook:problem:database-unavailable",
            Self::InDoubt => "urn:daybook:problem:in-doubt",
            Self::Moving => "urn:daybook:problem:moving",
            Self::Moved => "urn:daybook:problem:moved",
            Self::Uncovered => "urn:daybook:problem:uncovered",
            Self::DiskFull => "urn:daybook:problem:disk-full",
            Self::Internal => "urn:daybook:problem:internal",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::NotJson => "This is not JSON",
            Self::BadParameter => "A parameter is not taken",
            Self::BadRequest => "This request cannot be read",
            Self::Unauthorized => "A good token is needed",
            Self::MissingScope => "The token does not have the scope",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "This method is not taken here",
            Self::BodyTimeout => "The body did not arrive in time",
            Self::TooLarge => "The request is too large",
            Self::UnsupportedEncoding => "This encoding is not taken",
            Self::InvalidEvents => "Some events are not valid; nothing was recorded",
            Self::InvalidBody => "The body is not valid",
            Self::Busy => "More is being sent than can be written",
            Self::TooManyExports => "Too many exports are running",
            Self::HttpVersion => "A newer HTTP is needed",
            Self::Indexing => "The index is being made",
            Self::ReadOnly => "The log cannot be written",
            Self::Stopping => "The server is stopping",
            Self::DatabaseUnavailable => "The database is not available now",
            Self::InDoubt => "It is not known whether this was done",
            Self::Moving => "This installation is being moved",
            Self::Moved => "This installation has moved",
            Self::Uncovered => "No checkpoint covers this yet",
            Self::DiskFull => "The disk that holds the log is full",
            Self::Internal => "The server failed",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::NotJson | Self::BadParameter | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::MissingScope => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidEvents | Self::InvalidBody => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy
            | Self::TooManyExports
            | Self::Indexing
            | Self::ReadOnly
            | Self::Stopping
            | Self::DatabaseUnavailable
            | Self::InDoubt
            | Self::Moving
            | Self::Moved
            | Self::Uncovered => StatusCode::SERVICE_UNAVAILABLE,
            Self::HttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// What is wrong with one event of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventError {
    /// Which one, from 0, in the order sent.
    pub index: usize,
    /// Which field, as a path.
    pub field: String,
    /// What is wrong, and what is accepted.
    pub reason: String,
}

/// What some problems tell besides.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Members {
    None {},
    Place { line: usize, column: usize },
    Parameters { parameters: Vec<Fault> },
    Scope { scope: TokenScope },
    Events { errors: Vec<EventError> },
    Fields { errors: Vec<FieldError> },
    Progress { mark: u64, head: u64 },
}

/// An answer that tells what is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    kind: Kind,
    detail: Option<String>,
    members: Members,
    /// Seconds after which to try again.
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem and what it is about in this case.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: Some(detail.into()),
            members: Members::None {},
            retry_after: None,
        }
    }

    /// No token, or one that is not good.
    pub fn unauthorized(detail: &str) -> Self {
        Self::new(Kind::Unauthorized, detail)
    }

    /// Nothing is at this address, for this caller.
    pub fn not_found(detail: &str) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    /// As many exports are running as there may.
    pub fn too_many_exports(detail: &str) -> Self {
        Self::new(Kind::TooManyExports, detail).retry_after(30)
    }

    /// Parameters that are not taken, at least one.
    pub fn parameters(faults: Vec<Fault>) -> Self {
        let detail = faults.first().map_or_else(String::new, |fault| {
            format!("{}: {}", fault.parameter, fault.reason)
        });
        Self {
            members: Members::Parameters { parameters: faults },
            ..Self::new(Kind::BadParameter, detail)
        }
    }

    /// Events that are not valid; the first hundred faults are told.
    pub fn events(errors: Vec<EventError>) -> Self {
        Self {
            kind: Kind::InvalidEvents,
            detail: None,
            members: Members::Events { errors },
            retry_after: None,
        }
    }

    /// Fields of a body that are not valid.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        Self {
            kind: Kind::InvalidBody,
            detail: None,
            members: Members::Fields { errors },
            retry_after: None,
        }
    }

    /// The server failed, in a way that only its operator is told.
    pub fn failed(words: &str) -> Self {
        tracing::error!("{words}");
        Self::new(Kind::Internal, "the request was not carried out")
    }

    /// No checkpoint covers what is asked about.
    pub fn uncovered(detail: impl Into<String>) -> Self {
        Self::new(Kind::Uncovered, detail).retry_after(RETRY_AFTER)
    }

    fn retry_after(self, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// How to bring a token that is good for this (RFC 6750, section 3).
    fn challenge(&self) -> Option<HeaderValue> {
        match (self.kind, &self.members) {
            (Kind::Unauthorized, _) => Some(HeaderValue::from_static("Bearer realm=\"daybook\"")),
            (_, Members::Scope { scope }) => HeaderValue::try_from(format!(
                "Bearer realm=\"daybook\", error=\"insufficient_scope\", scope=\"{scope}\""
            ))
            .ok(),
            _ => None,
        }
    }
}

impl From<Syntax> for Problem {
    fn from(syntax: Syntax) -> Self {
        Self {
            members: Members::Place {
                line: syntax.line,
                column: syntax.column,
            },
            ..Self::new(Kind::NotJson, syntax.to_string())
        }
    }
}

impl From<MissingScope> for Problem {
    fn from(missing: MissingScope) -> Self {
        Self {
            members: Members::Scope { scope: missing.0 },
            ..Self::new(Kind::MissingScope, missing.to_string())
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let words = error.to_string();
        match error {
            StoreError::DiskFull => {
                tracing::error!("{words}");
                Self::new(Kind::DiskFull, words).retry_after(30)
            }
            StoreError::ReadOnly(_) => {
                tracing::error!("{words}");
                // What the database says names its files: that is for the operator.
                Self::new(Kind::ReadOnly, "nothing can be recorded now").retry_after(30)
            }
            StoreError::Indexing { mark, head } => Self {
                members: Members::Progress { mark, head },
                ..Self::new(Kind::Indexing, words).retry_after(RETRY_AFTER)
            },
            StoreError::Closing => Self::new(Kind::Stopping, words).retry_after(RETRY_AFTER),
            StoreError::Unavailable(_) | StoreError::NodeUnavailable(_) => {
                tracing::error!("{words}");
                Self::new(
                    Kind::DatabaseUnavailable,
                    "nothing was done; please try again",
                )
                .retry_after(RETRY_AFTER)
            }
            StoreError::InDoubt(_) => {
                tracing::error!("{words}");
                Self::new(
                    Kind::InDoubt,
                    "the database went away while it committed; what has an idempotency key may be \
                     sent again, anything else look for first",
                )
                .retry_after(RETRY_AFTER)
            }
            StoreError::Moving(Moving::Now) => {
                Self::new(Kind::Moving, words).retry_after(RETRY_AFTER)
            }
            // Whoever sends goes on trying: its server is started on the other database.
            StoreError::Moving(Moving::Done) => Self::new(Kind::Moved, words).retry_after(30),
            StoreError::Keys(_)
            | StoreError::Replica(_)
            | StoreError::Damaged(_)
            | StoreError::Database(_)
            | StoreError::BeingCopied(_) => {
                tracing::error!("{words}");
                Self::new(Kind::Internal, "the request was not carried out")
            }
        }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Busy { retry_after } => {
                Self::new(Kind::Busy, error.to_string()).retry_after(retry_after)
            }
            RecordError::Store(error) => error.into(),
        }
    }
}

impl From<QuestionError> for Problem {
    fn from(error: QuestionError) -> Self {
        match error {
            QuestionError::Cursor => Self::parameters(vec![Fault {
                parameter: "cursor".to_owned(),
                value: String::new(),
                reason: "was altered, or belongs to another question".to_owned(),
            }]),
            QuestionError::Parameter { parameter, reason } => Self::parameters(vec![Fault {
                parameter: parameter.to_owned(),
                value: String::new(),
                reason,
            }]),
            QuestionError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Document<'a> {
            r#type: &'static str,
            title: &'static str,
            status: u16,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'a str>,
            #[serde(flatten)]
            members: &'a Members,
        }

        let status = self.kind.status();
        let document = Document {
            r#type: self.kind.uri(),
            title: self.kind.title(),
            status: status.as_u16(),
            detail: self.detail.as_deref(),
            members: &self.members,
        };
        let mut response = match serde_json::to_vec(&document) {
            Ok(document) => Response::new(Body::from(document)),
            Err(_) => Response::new(Body::empty()),
        };
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        headers.extend(
            self.challenge()
                .map(|value| (header::WWW_AUTHENTICATE, value)),
        );
        let wait = self.retry_after.map(HeaderValue::from);
        headers.extend(wait.map(|value| (header::RETRY_AFTER, value)));
        response
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    async fn text(problem: Problem) -> String {
        let body = problem.into_response().into_body();
        String::from_utf8(to_bytes(body, 10_000).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn invalid_events_are_told_in_the_contracts_words_and_order() {
        let problem = Problem::events(vec![EventError {
            index: 3,
            field: "actor.kind".to_owned(),
            reason: "is missing".to_owned(),
        }]);
        assert_eq!(
            text(problem).await,
            "{\"type\":\"urn:daybook:problem:invalid-events\",\
             \"title\":\"Some events are not valid; nothing was recorded\",\"status\":422,\
             \"errors\":[{\"index\":3,\"field\":\"actor.kind\",\"reason\":\"is missing\"}]}"
        );
    }

    #[tokio::test]
    async fn a_full_queue_says_when_to_come_back() {
        let problem = Problem::from(RecordError::Busy { retry_after: 7 });
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }

    #[test]
    fn a_token_without_the_scope_is_told_which_it_needs() {
        let response = Problem::from(MissingScope(TokenScope::EventsRead)).into_response();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(
            response.headers()[header::WWW_AUTHENTICATE],
            "Bearer realm=\"daybook\", error=\"insufficient_scope\", scope=\"events:read\""
        );
    }

    #[tokio::test]
    async fn what_the_database_says_is_not_told_to_callers() {
        let secret = "no such table: person in /var/lib/daybook.db";
        let problem = Problem::from(StoreError::Database(secret.to_owned()));
        assert!(!text(problem).await.contains("daybook.db"));
    }

    #[tokio::test]
    async fn a_database_that_went_away_is_told_with_when_to_come_back() {
        let said = || "server closed the connection to 10.0.0.7".to_owned();
        for (error, name) in [
            (StoreError::Unavailable(said()), "database-unavailable"),
            (StoreError::NodeUnavailable(said()), "database-unavailable"),
            (StoreError::InDoubt(said()), "in-doubt"),
        ] {
            let response = Problem::from(error.clone()).into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[header::RETRY_AFTER], "5");
            let told = text(Problem::from(error)).await;
            assert!(
                told.contains(&format!("urn:daybook:problem:{name}\"")),
                "{told}"
            );
            assert!(!told.contains("10.0.0.7"), "{told}");
        }
    }
}

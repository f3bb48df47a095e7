//! `GET /api/v1/events/export`.

use crate::{
    api::{
        documentation::{
            FilterParameters, FormatParameter, OrderParameters, ProblemDocument, ProofParameters,
        },
        problem::{Kind, Problem},
        token::Exporting,
    },
    export,
};
use axum::{
    extract::{RawQuery, State},
    http::{Method, Version},
    response::Response,
};
use domain::question::Fault;
use store::{
    Store,
    export::{ExportError, Wanted},
};

/// Export events
///
/// All events that match, in the order asked for, as a file: as of when it was asked for, whatever
/// arrives meanwhile. The answer is never compressed. Only an answer that ends as HTTP says that it
/// ends (with curl: exit status 0) is whole; the log then holds `AUDIT_EXPORT_FINISHED` with the
/// number of rows and the file's SHA-256.
///
/// With `with_proof=true` each row of an NDJSON file carries what proves that it was recorded so, and the
/// last line is the checkpoint that all of them are in: `daybook verify --export` checks such a file.
#[utoipa::path(
    get,
    path = "/api/v1/events/export",
    operation_id = "exportEvents",
    tag = "events",
    params(FilterParameters, OrderParameters, FormatParameter, ProofParameters),
    responses(
        (status = 200, description = "The file, as a stream.", content(
            (String = "text/csv", example = "id,seq,idempotency_key,…\r\n"),
            (String = "application/x-ndjson"),
            (Vec<crate::api::documentation::Event> = "application/json"),
        ), headers(("Content-Disposition" = String, description = "The file's name."))),
        (status = 400, description = "A parameter is unknown, missing, or its value is not taken; \
            `parameters` names each.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `events:export`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 503, description = "Too many exports are running, the index is being made, or the \
            server is stopping.", body = ProblemDocument,
            content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
        (status = 505, description = "The request is HTTP/1.0, in which an export that breaks off \
            would look whole.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full: the log cannot tell of the export.",
            body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn export(
    State(store): State<Store>,
    exporting: Exporting,
    method: Method,
    version: Version,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    if !export::can_break_off(version) {
        return Err(Problem::new(Kind::HttpVersion, export::CANNOT_BREAK_OFF));
    }
    let asked = export::read(&query.unwrap_or_default()).map_err(Problem::parameters)?;
    let format = asked.format;
    let scope = &exporting.scope;
    let now = store.now();
    // HEAD: nothing is taken away.
    if method == Method::HEAD {
        return Ok(export::answer(None, scope.scope(), format, now));
    }
    let wanted = Wanted {
        query: asked.query,
        format,
        proof: asked.proof,
        name: None,
        patience: Some(export::PATIENCE),
    };
    let begun = store.export(scope, wanted, &exporting.by).await?;
    Ok(export::answer(Some(begun), scope.scope(), format, now))
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Busy | ExportError::BusyWithYours => {
                Self::too_many_exports(&error.to_string())
            }
            ExportError::NoPlaceForProofs => Self::parameters(vec![Fault {
                parameter: export::WITH_PROOF.to_owned(),
                value: "true".to_owned(),
                reason: error.to_string(),
            }]),
            ExportError::Unproven(error) => error.into(),
            ExportError::Question(error) => error.into(),
        }
    }
}

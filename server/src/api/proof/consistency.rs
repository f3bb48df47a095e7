//! `GET /api/v1/proof/consistency`.

use super::{fault, parameters};
use crate::api::{documentation::ProblemDocument, problem::Problem, token::Reading};
use axum::{
    Json,
    extract::{RawQuery, State},
};
use domain::leaf::Hash;
use serde::Serialize;
use store::{Store, proof::ProofError};
use utoipa::{IntoParams, ToSchema};

/// Which two trees.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro that documents it")]
pub struct ConsistencyParameters {
    /// How many entries the older one has.
    from: u64,
    /// How many the newer one has, at most as many as the newest checkpoint covers.
    to: u64,
}

/// How one tree goes on from another.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsistencyProof {
    /// The nodes of the proof (RFC 9162, section 2.1.4), in hexadecimal digits.
    #[schema(value_type = Vec<String>)]
    path: Vec<Hash>,
}

/// Prove that one checkpoint is a past of another
///
/// The nodes that show the tree of the first `from` entries of the tenant to be the beginning of that
/// of the first `to` (RFC 9162, section 2.1.4): nothing of it was altered, removed or put in between.
#[utoipa::path(
    get,
    path = "/api/v1/proof/consistency",
    operation_id = "proveConsistency",
    tag = "proof",
    params(ConsistencyParameters),
    responses(
        (status = 200, description = "The proof.", body = ConsistencyProof),
        (status = 400, description = "A parameter is unknown, missing, or its value is not taken; \
            `parameters` names each.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `events:read`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 503, description = "The server is stopping.", body = ProblemDocument,
            content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
    ),
)]
pub async fn consistency(
    State(store): State<Store>,
    reading: Reading,
    RawQuery(query): RawQuery,
) -> Result<Json<ConsistencyProof>, Problem> {
    let given = parameters(&query.unwrap_or_default(), ["from", "to"])?;
    let read = |name: &str, value: &str| {
        let number = value.parse::<u64>().ok();
        number.ok_or_else(|| fault(name, value, "is not a number of entries"))
    };
    let [from, to] = &given;
    let (from, to) = match (read("from", from), read("to", to)) {
        (Ok(from), Ok(to)) => (from, to),
        (one, other) => {
            let faults = [one.err(), other.err()].into_iter().flatten().collect();
            return Err(Problem::parameters(faults));
        }
    };
    match store.consistency(&reading.scope, from, to).await {
        Ok(path) => Ok(Json(ConsistencyProof { path })),
        Err(error @ ProofError::Uncovered { .. }) => {
            let reason = format!("is more than there is: {error}");
            Err(Problem::parameters(vec![fault(
                "to",
                &to.to_string(),
                reason,
            )]))
        }
        Err(error) => Err(error.into()),
    }
}

//! `GET /api/v1/proof/keys`.

use crate::api::{documentation::ProblemDocument, problem::Problem, token::Reading};
use axum::{Json, extract::State};
use domain::time::Timestamp;
use serde::Serialize;
use store::Store;
use utoipa::ToSchema;

/// Who signs.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicKeys {
    /// Every key that there ever was, oldest first.
    keys: Vec<PublicKey>,
}

/// A key that checkpoints were signed with.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicKey {
    /// The note's verifier key (C2SP `signed-note`), with the tenant's name in it.
    #[schema(
        example = "daybook/01970c3e-8d1c-4cc0-b3a1-5f0e6f1f8a11/acme+939a3b57+\
        AeZ5vS2…"
    )]
    key: String,
    /// Since when it signs.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Until when it signed; null for the one that does.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    until: Option<Timestamp>,
}

/// List the keys that sign
///
/// Every public key with which checkpoints of the tenant were signed. Whoever trusts them because they
/// come from here trusts this server: keep them elsewhere.
#[utoipa::path(
    get,
    path = "/api/v1/proof/keys",
    operation_id = "listKeys",
    tag = "proof",
    responses(
        (status = 200, description = "The keys.", body = PublicKeys),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `events:read`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 503, description = "The server is stopping.", body = ProblemDocument,
            content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
    ),
)]
pub async fn keys(
    State(store): State<Store>,
    reading: Reading,
) -> Result<Json<PublicKeys>, Problem> {
    let keys = store.public_keys(&reading.scope).await?;
    let keys = keys.into_iter().map(|key| PublicKey {
        key: key.key.to_string(),
        from: key.from,
        until: key.until,
    });
    Ok(Json(PublicKeys {
        keys: keys.collect(),
    }))
}

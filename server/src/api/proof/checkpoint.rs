//! `GET /api/v1/proof/checkpoint`.

use crate::api::{documentation::ProblemDocument, problem::Problem, token::Reading};
use axum::extract::State;
use store::Store;

/// The newest checkpoint
///
/// What was signed last of the tenant's tree: how many entries it has, and its root, as a C2SP
/// `tlog-checkpoint`. One is made within a second of what arrives. Keep some of them elsewhere: later
/// `daybook verify --checkpoint` shows whether the log still is what it was then. Where a witness signed
/// it too (C2SP `tlog-cosignature`), its line stands under ours.
#[utoipa::path(
    get,
    path = "/api/v1/proof/checkpoint",
    operation_id = "showCheckpoint",
    tag = "proof",
    responses(
        (status = 200, description = "The checkpoint, a signed note.", body = String,
            content_type = "text/plain", example = json!(
            "daybook/01970c3e-8d1c-4cc0-b3a1-5f0e6f1f8a11/acme\n48211\n\
             2ZU2bbPPcOUq9Z4DQQSVUsDC8NHsM0rOZ9bnJQ2sGgY=\n\n\
             \u{2014} daybook/01970c3e-8d1c-4cc0-b3a1-5f0e6f1f8a11/acme k5o7Vw…\n"
        )),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `events:read`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 404, description = "Nothing is covered by a checkpoint yet.",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The server is stopping.", body = ProblemDocument,
            content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
    ),
)]
pub async fn checkpoint(State(store): State<Store>, reading: Reading) -> Result<String, Problem> {
    let newest = store.checkpoint(&reading.scope).await?;
    let newest =
        newest.ok_or_else(|| Problem::not_found("nothing is covered by a checkpoint yet"))?;
    Ok(newest.to_string())
}

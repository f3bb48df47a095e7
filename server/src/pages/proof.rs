//! What proves an entry, and the newest checkpoint, for who is signed in: links of pages that lead to what
//! is saved or copied, with or without script.

use super::plain;
use crate::api::InclusionProof;
use app::{
    address::{LogAddress, workspace_path},
    viewer::{Viewer, scope_at},
};
use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::event::EventId;
use store::{
    Store,
    access::SignedIn,
    proof::{ProofError, Seen},
};

/// How the address of an entry's proof ends, after that of the log.
const PROOF: &str = "/proof";
/// How the address of the newest checkpoint ends.
const CHECKPOINT: &str = "/settings/proof/checkpoint";

/// The proofs of the entries of all pages of logs, and the newest checkpoint of each settings' page.
pub fn router<S: Clone + Send + Sync + 'static>(store: Store) -> Router<S> {
    Router::new()
        .route("/{tenant}/settings/proof/checkpoint", get(checkpoint))
        .route(
            "/{tenant}/{workspace}/settings/proof/checkpoint",
            get(checkpoint),
        )
        .route("/{tenant}/audit/proof", get(inclusion))
        .route("/{tenant}/{workspace}/audit/proof", get(inclusion))
        .route("/{tenant}/{workspace}/me/proof", get(inclusion))
        .route(
            "/{tenant}/{workspace}/objects/{kind}/{id}/audit/proof",
            get(inclusion),
        )
        .with_state(store)
}

fn person(request: &Request) -> Option<SignedIn> {
    let viewer = request.extensions().get::<Viewer>();
    viewer.and_then(|viewer| viewer.signed_in.clone())
}

/// What leads from an entry to a checkpoint: the same as the API gives.
async fn inclusion(State(store): State<Store>, request: Request) -> Response {
    let uri = request.uri();
    let mut given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let event = given.find(|(name, _)| name == "event");
    let id = event.and_then(|(_, id)| id.parse::<EventId>().ok());
    let address = uri.path().strip_suffix(PROOF).and_then(LogAddress::read);
    let scope = match (&address, person(&request)) {
        (Some(address), Some(person)) => scope_at(&person, address).ok(),
        _ => None,
    };
    let (Some(scope), Some(id)) = (scope, id) else {
        return plain::not_found("There is no such entry, or you may not see it.");
    };
    match store.inclusion(&scope, id).await {
        Ok(Some(proof)) => match InclusionProof::try_from(proof) {
            Ok(proof) => Json(proof).into_response(),
            Err(problem) => problem.into_response(),
        },
        Ok(None) => plain::not_found("There is no such entry, or you may not see it."),
        Err(ProofError::Uncovered { .. } | ProofError::Backwards) => {
            plain::unavailable("No checkpoint covers this entry yet. Please try again in a moment.")
        }
        Err(ProofError::Store(error)) => super::unavailable(&error),
    }
}

/// The newest checkpoint of the log, as a file.
async fn checkpoint(State(store): State<Store>, request: Request) -> Response {
    let gone = || plain::not_found("There is nothing here, or you may not see it.");
    let path = request.uri().path().strip_suffix(CHECKPOINT);
    let segments: Vec<&str> = path
        .and_then(|path| path.strip_prefix('/'))
        .map(|path| path.split('/').collect())
        .unwrap_or_default();
    let Some(person) = person(&request) else {
        return gone();
    };
    let standing = match segments[..] {
        [tenant] => {
            let Some(scope) = tenant
                .parse()
                .ok()
                .and_then(|tenant| person.tenant_administration(&tenant).ok())
            else {
                return gone();
            };
            store.standing(Seen::Tenant(&scope)).await
        }
        [tenant, workspace] => {
            let Some(scope) = workspace_path(tenant, workspace)
                .and_then(|path| person.settings_scope(&path).ok())
            else {
                return gone();
            };
            store.standing(Seen::Workspace(&scope)).await
        }
        _ => return gone(),
    };
    let (covering, note) = match standing.map(|standing| standing.newest) {
        Ok(Some(newest)) => newest,
        Ok(None) => return gone(),
        Err(error) => return super::unavailable(&error),
    };
    let tenant = segments.first().copied().unwrap_or_default();
    let name = format!(
        "attachment; filename=\"checkpoint-{tenant}-{}.txt\"",
        covering.size
    );
    let mut answer = note.to_string().into_response();
    if let Ok(name) = HeaderValue::try_from(name) {
        answer
            .headers_mut()
            .insert(header::CONTENT_DISPOSITION, name);
    }
    answer
}

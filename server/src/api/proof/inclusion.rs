//! `GET /api/v1/proof/inclusion`.

use super::{fault, parameters};
use crate::api::{documentation::ProblemDocument, problem::Problem, token::Reading};
use axum::{
    Json,
    extract::{RawQuery, State},
};
use domain::{
    event::{EventId, Part},
    leaf::{Hash, Salt},
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use store::{Store, proof::Inclusion};
use utoipa::{IntoParams, ToSchema};

/// Of which event.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro that documents it")]
pub struct InclusionParameters {
    /// The event's id.
    #[param(format = "uuid")]
    event: String,
}

/// What is hashed of an event besides its parts, in RFC 8785 form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read by the macro that documents it")]
pub struct LeafHeader {
    /// The event's id.
    #[schema(format = "uuid")]
    id: String,
    /// When it occurred.
    #[schema(format = DateTime)]
    occurred_at: String,
    /// The hash over the hashes of its parts.
    parts: String,
    /// When it became durable.
    #[schema(format = DateTime)]
    recorded_at: String,
    /// Its number in the order of arrival.
    seq: u64,
    /// The tenant.
    tenant: String,
    /// The version of this form.
    v: u8,
    /// The workspace; absent for an event of the tenant itself.
    workspace: Option<String>,
}

/// That an event is in a checkpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct InclusionProof {
    /// What is hashed of the event besides its parts; the leaf is SHA-256 of a zero byte and this in
    /// RFC 8785 form.
    #[schema(value_type = LeafHeader)]
    header: Box<RawValue>,
    /// The salts of the event's parts, in hexadecimal digits, by the parts' names.
    #[schema(value_type = BTreeMap<String, String>)]
    salts: BTreeMap<Part, Salt>,
    /// The hashes of the parts that were erased, in place of their salts.
    #[schema(value_type = BTreeMap<String, String>)]
    hashes: BTreeMap<Part, Hash>,
    /// The leaf's place in the tree, from 0.
    index: u64,
    /// How many leaves the tree has.
    size: u64,
    /// The nodes that lead from the leaf to the root (RFC 9162, section 2.1.3), lowest first.
    #[schema(value_type = Vec<String>)]
    path: Vec<Hash>,
    /// The checkpoint of that size: a signed note.
    checkpoint: String,
}

/// Prove that an event is in the log
///
/// What leads from the event, as it is given back, to a signed checkpoint of its tenant: whoever has
/// both checks that it was recorded so, without trusting this server.
#[utoipa::path(
    get,
    path = "/api/v1/proof/inclusion",
    operation_id = "proveInclusion",
    tag = "proof",
    params(InclusionParameters),
    responses(
        (status = 200, description = "The proof.", body = InclusionProof),
        (status = 400, description = "A parameter is unknown, missing, or its value is not taken; \
            `parameters` names each.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 401, description = "No good token.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 403, description = "The token lacks `events:read`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 404, description = "There is no such event where the token reads.",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "No checkpoint covers it yet, the index is being made, or the \
            server is stopping.", body = ProblemDocument, content_type = "application/problem+json",
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
    ),
)]
pub async fn inclusion(
    State(store): State<Store>,
    reading: Reading,
    RawQuery(query): RawQuery,
) -> Result<Json<InclusionProof>, Problem> {
    let [event] = parameters(&query.unwrap_or_default(), ["event"])?;
    let id: EventId = event.parse().map_err(|_| {
        Problem::parameters(vec![fault("event", &event, "is not the id of an event")])
    })?;
    let proof = store.inclusion(&reading.scope, id).await?;
    let proof = proof.ok_or_else(|| Problem::not_found("there is no such event"))?;
    reading.note(&store, &[]).await;
    Ok(Json(proof.try_into()?))
}

impl TryFrom<Inclusion> for InclusionProof {
    type Error = Problem;

    fn try_from(proof: Inclusion) -> Result<Self, Problem> {
        let header = RawValue::from_string(proof.header);
        Ok(Self {
            header: header.map_err(|_| Problem::failed("a header is broken"))?,
            salts: proof.salts,
            hashes: proof.hashes,
            index: proof.index,
            size: proof.size,
            path: proof.path,
            checkpoint: proof.checkpoint.to_string(),
        })
    }
}

//! Who calls: an API token in `Authorization: Bearer dbk_…` (RFC 6750). A handler's signature says
//! which right it needs, and gets what that right opens.

use super::problem::Problem;
use crate::http::Caller;
use axum::{
    extract::{FromRef, FromRequestParts},
    http::{header, request::Parts},
};
use domain::role::TokenScope;
use store::{
    Store,
    access::{ExportScope, Scope, TokenGrant},
    administration::By,
};

/// What the secret of every token begins with.
const PREFIX: &str = "dbk_";

/// A token that is good, whatever it may do.
pub struct Bearer(pub TokenGrant);

impl<S> FromRequestParts<S> for Bearer
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let given = parts
            .headers
            .get(header::AUTHORIZATION)
            .ok_or_else(|| Problem::unauthorized("bring one as Authorization: Bearer dbk_…"))?;
        let secret = given
            .to_str()
            .ok()
            .and_then(bearer)
            .filter(|secret| secret.starts_with(PREFIX))
            .ok_or_else(|| {
                Problem::unauthorized("this is no API token: Authorization: Bearer dbk_…")
            })?;
        match Store::from_ref(state).token(secret).await? {
            Some(grant) => Ok(Self(grant)),
            None => Err(Problem::unauthorized(
                "this token is unknown, revoked or expired",
            )),
        }
    }
}

/// The credentials in an `Authorization` header of the scheme Bearer, whose name has no case.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, credentials) = header.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| credentials.trim())
}

/// A token that may read.
pub struct Reading {
    /// What it may read.
    pub scope: Scope,
    /// Who it is, for the log.
    pub by: By,
}

impl<S> FromRequestParts<S> for Reading
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Bearer(grant) = Bearer::from_request_parts(parts, state).await?;
        Ok(Self {
            scope: grant.read_scope()?,
            by: By::token(&grant, Some(Caller::of(parts).context())),
        })
    }
}

impl Reading {
    /// Makes sure that the log tells of this look. Where it cannot, because the disk is full, the
    /// look is answered all the same: that is when it is needed.
    pub async fn note(&self, store: &Store, filters: &[&str]) {
        if let Err(error) = store.note_look(&self.scope, &self.by, filters).await {
            tracing::warn!("a look at the log was not recorded: {error}");
        }
    }
}

/// A token that may take events away as a file.
pub struct Exporting {
    /// What it may take away.
    pub scope: ExportScope,
    /// Who it is, for the log.
    pub by: By,
}

impl<S> FromRequestParts<S> for Exporting
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Bearer(grant) = Bearer::from_request_parts(parts, state).await?;
        Ok(Self {
            scope: grant.export_scope()?,
            by: By::token(&grant, Some(Caller::of(parts).context())),
        })
    }
}

/// A token that may label actors.
pub struct Labelling {
    /// The token.
    pub grant: TokenGrant,
    /// Who it is, for the log.
    pub by: By,
}

impl<S> FromRequestParts<S> for Labelling
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Bearer(grant) = Bearer::from_request_parts(parts, state).await?;
        grant.require(TokenScope::ActorsWrite)?;
        let by = By::token(&grant, Some(Caller::of(parts).context()));
        Ok(Self { grant, by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_has_no_case_and_others_are_no_tokens() {
        assert_eq!(bearer("Bearer dbk_1"), Some("dbk_1"));
        assert_eq!(bearer("bEARER   dbk_1 "), Some("dbk_1"));
        assert_eq!(bearer("Basic dbk_1"), None);
        assert_eq!(bearer("dbk_1"), None);
    }
}

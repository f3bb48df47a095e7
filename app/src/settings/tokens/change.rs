//! Making and revoking tokens: plain forms. What came of one stands in the address of the page that
//! is shown next; a new token's secret does not.

use crate::{refusal::Answered, viewer::Asker};
use leptos::prelude::*;

/// Makes a token in the workspace, or of the tenant, of the page at `path`, and gives that page the secret to show,
/// once. Sends the browser there, and tells its address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "create_token")]
pub async fn create_token(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] name: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] expires: String,
    #[server(default)] oldest: String,
) -> Answered<String> {
    let typed = super::said::Typed {
        name,
        scopes,
        expires,
        oldest,
    };
    Ok(answer::create(Asker::of_request(), &path, &tz, typed).await)
}

/// Revokes a token of the workspace, or of the tenant, of the page at `path`, sends the browser there, and tells its
/// address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "revoke_token")]
pub async fn revoke_token(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] token: String,
) -> Answered<String> {
    Ok(answer::revoke(Asker::of_request(), &path, &tz, token).await)
}

mod answer {
    use crate::{
        answer,
        refusal::Refusal,
        settings::{
            load::zone_named,
            tokens::{
                load::{Owner, opened},
                said::{Came, Said, Typed},
            },
        },
        viewer::Asker,
    };
    use store::administration::{AdministrationError, Revocation};

    pub(super) async fn create(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
        typed: Typed,
    ) -> Result<String, Refusal> {
        let answer = async {
            let (asker, _, scope) = opened(asker, path).await?;
            // What is wrong, the page that is shown next finds out for itself.
            let Ok(wanted) = typed.wanted(asker.store.now()) else {
                return Ok(None);
            };
            let created = asker
                .store
                .create_token_of(&scope, wanted, &asker.by())
                .await
                .map_err(refusal)?;
            answer::reveal(created.secret.reveal());
            Ok(Some(Came::Created(created.id)))
        }
        .await;
        let said = |outcome: Option<Came>| Said {
            typed: (!matches!(outcome, Some(Came::Created(_)))).then_some(typed),
            outcome,
            after: None,
        };
        finish(path, tz, answer, said)
    }

    pub(super) async fn revoke(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
        id: String,
    ) -> Result<String, Refusal> {
        let answer = async {
            let (asker, _, scope) = opened(asker, path).await?;
            let answer = asker.store.revoke_token_of(&scope, &id, &asker.by()).await;
            match answer {
                Ok(Revocation::Revoked) => Ok(Some(Came::Revoked(id))),
                Ok(Revocation::Before) => Ok(Some(Came::Before(id))),
                Err(AdministrationError::Missing(_)) => Ok(Some(Came::Unknown)),
                Err(error) => Err(refusal(error)),
            }
        }
        .await;
        let said = |outcome| Said {
            outcome,
            ..Said::default()
        };
        finish(path, tz, answer, said)
    }

    /// Where to look next. A form is sent there also when it was refused: that page then says why.
    fn finish(
        path: &str,
        tz: &str,
        answer: Result<Option<Came>, Refusal>,
        said: impl FnOnce(Option<Came>) -> Said,
    ) -> Result<String, Refusal> {
        let Some(page) = Owner::read(path).map(|owner| owner.path()) else {
            answer::after_form("/");
            return Err(answer.err().unwrap_or(Refusal::NotFound));
        };
        let zone = zone_named(tz);
        match answer {
            Ok(outcome) => {
                let address = said(outcome).address(&page, zone.as_str());
                answer::after_form(&address);
                Ok(address)
            }
            Err(refusal) => {
                let failed = matches!(refusal, Refusal::Unavailable(_)).then_some(Came::Failed);
                answer::after_form(&said(failed).address(&page, zone.as_str()));
                Err(refusal)
            }
        }
    }

    fn refusal(error: AdministrationError) -> Refusal {
        match error {
            AdministrationError::Store(error) => error.into(),
            error => Refusal::Unavailable(error.to_string()),
        }
    }
}

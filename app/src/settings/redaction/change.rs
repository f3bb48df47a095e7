//! Adding and removing what is taken out: plain forms. What came of one stands in the address of the
//! page that is shown next.

use crate::{refusal::Answered, viewer::Asker};
use leptos::prelude::*;

/// Adds names and paths, one a line, to what the workspace of the page at `path` has taken out, sends
/// the browser there, and tells its address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "add_redaction")]
pub async fn add_redaction(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] names: String,
    #[server(default)] paths: String,
) -> Answered<String> {
    let typed = super::said::Typed { names, paths };
    Ok(answer::add(Asker::of_request(), &path, &tz, typed).await)
}

/// Removes a name or a path from what the workspace of the page at `path` has taken out, sends the
/// browser there, and tells its address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "remove_redaction")]
pub async fn remove_redaction(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] name: String,
    #[server(default)] place: String,
) -> Answered<String> {
    Ok(answer::remove(Asker::of_request(), &path, &tz, &name, &place).await)
}

mod answer {
    use crate::{
        address, answer,
        refusal::Refusal,
        settings::{
            load::zone_named,
            redaction::{
                load::{opened, workspace},
                said::{Came, Said, Typed},
            },
        },
        viewer::Asker,
    };
    use store::redaction::{RedactionChange, RedactionChanged, RedactionError};

    pub(super) async fn add(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
        typed: Typed,
    ) -> Result<String, Refusal> {
        let answer = async {
            let (asker, scope) = opened(asker, path).await?;
            // What is wrong, the page that is shown next finds out for itself.
            let Ok(wanted) = typed.wanted() else {
                return Ok(None);
            };
            let done = asker
                .store
                .change_redaction(&scope, wanted, &asker.by())
                .await;
            came(done).map(Some)
        }
        .await;
        finish(path, tz, answer, Some(typed))
    }

    pub(super) async fn remove(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
        name: &str,
        place: &str,
    ) -> Result<String, Refusal> {
        let answer = async {
            let (asker, scope) = opened(asker, path).await?;
            let change = match (name.parse(), place.parse()) {
                (Ok(name), _) => RedactionChange::RemoveName(name),
                (_, Ok(place)) => RedactionChange::RemovePlace(place),
                // What cannot be is not taken out.
                _ => return Ok(Some(Came::Same)),
            };
            let done = asker
                .store
                .change_redaction(&scope, change, &asker.by())
                .await;
            came(done).map(Some)
        }
        .await;
        finish(path, tz, answer, None)
    }

    fn came(done: Result<RedactionChanged, RedactionError>) -> Result<Came, Refusal> {
        match done {
            Ok(RedactionChanged::Changed) => Ok(Came::Saved),
            Ok(RedactionChanged::Same) => Ok(Came::Same),
            Err(RedactionError::TooMany(_)) => Ok(Came::TooMany),
            Err(RedactionError::ReadOnly) => Err(Refusal::NotFound),
            Err(RedactionError::Store(error)) => Err(error.into()),
        }
    }

    /// Where to look next. A form is sent there also when it was refused: that page then says why.
    fn finish(
        path: &str,
        tz: &str,
        answer: Result<Option<Came>, Refusal>,
        typed: Option<Typed>,
    ) -> Result<String, Refusal> {
        let Some(page) = workspace(path).map(|workspace| address::redaction(&workspace)) else {
            answer::after_form("/");
            return Err(answer.err().unwrap_or(Refusal::NotFound));
        };
        let zone = zone_named(tz);
        let said = |outcome: Option<Came>, typed: Option<Typed>| {
            let said = Said { outcome, typed };
            let address = said.address(&page, zone.as_str());
            answer::after_form(&address);
            address
        };
        match answer {
            Ok(outcome @ Some(Came::Saved | Came::Same)) => Ok(said(outcome, None)),
            Ok(outcome) => Ok(said(outcome, typed)),
            Err(refusal) => {
                if matches!(refusal, Refusal::Unavailable(_)) {
                    said(Some(Came::Failed), typed);
                } else {
                    said(None, None);
                }
                Err(refusal)
            }
        }
    }
}

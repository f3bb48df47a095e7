//! Placing and lifting a legal hold: plain forms. What came of one stands in the address of the page
//! that is shown next.

use crate::{refusal::Answered, viewer::Asker};
use leptos::prelude::*;

/// Places a legal hold on the workspace whose settings are at `path`, sends the browser to the page
/// that shows it, and tells its address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "place_hold")]
pub async fn place_hold(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] reason: String,
) -> Answered<String> {
    Ok(answer::place(Asker::of_request(), &path, &tz, reason).await)
}

/// Lifts the legal hold on the workspace whose settings are at `path`, sends the browser to the page
/// that shows it, and tells its address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "lift_hold")]
pub async fn lift_hold(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] reason: String,
) -> Answered<String> {
    Ok(answer::lift(Asker::of_request(), &path, &tz, reason).await)
}

mod answer {
    use crate::{
        address, answer,
        refusal::Refusal,
        settings::{
            holds::said::{Came, Said},
            load::zone_named,
            load::{opened, workspace},
        },
        viewer::Asker,
    };
    use store::holds::{HoldError, Reason};

    pub(super) async fn place(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
        typed: String,
    ) -> Result<String, Refusal> {
        let answer = async {
            let (asker, scope) = opened(asker, path).await?;
            // What is wrong, the page that is shown next finds out for itself.
            let Ok(reason) = typed.parse::<Reason>() else {
                return Ok(Came::NoPlacingReason);
            };
            match asker.store.place_hold(&scope, &reason, &asker.by()).await {
                Ok(_) => Ok(Came::Placed),
                Err(error) => refused(error),
            }
        }
        .await;
        finish(path, tz, answer, typed)
    }

    pub(super) async fn lift(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
        typed: String,
    ) -> Result<String, Refusal> {
        let answer = async {
            let (asker, scope) = opened(asker, path).await?;
            let Ok(reason) = typed.parse::<Reason>() else {
                return Ok(Came::NoLiftingReason);
            };
            match asker.store.lift_hold(&scope, &reason, &asker.by()).await {
                Ok(()) => Ok(Came::Lifted),
                Err(error) => refused(error),
            }
        }
        .await;
        finish(path, tz, answer, typed)
    }

    fn refused(error: HoldError) -> Result<Came, Refusal> {
        match error {
            HoldError::Stands(_) => Ok(Came::Stands),
            HoldError::NoneStands => Ok(Came::NoneStands),
            // They were shown no form.
            HoldError::ReadOnly => Err(Refusal::NotFound),
            HoldError::Store(error) => Err(error.into()),
        }
    }

    /// Where to look next. A form is sent there also when it was refused: that page then says why.
    fn finish(
        path: &str,
        tz: &str,
        answer: Result<Came, Refusal>,
        typed: String,
    ) -> Result<String, Refusal> {
        let Some(page) = workspace(path).map(|workspace| address::settings(&workspace)) else {
            answer::after_form("/");
            return Err(answer.err().unwrap_or(Refusal::NotFound));
        };
        let zone = zone_named(tz);
        let outcome = match &answer {
            Ok(came) => Some(*came),
            Err(Refusal::Unavailable(_)) => Some(Came::Failed),
            Err(_) => None,
        };
        let is_done = matches!(outcome, Some(Came::Placed | Came::Lifted));
        let said = Said {
            outcome,
            typed: if is_done { String::new() } else { typed },
            before: None,
        };
        let address = said.address(&page, zone.as_str());
        answer::after_form(&address);
        answer.map(|_| address)
    }
}

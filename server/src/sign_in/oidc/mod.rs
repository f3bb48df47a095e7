//! Signing in at an OpenID Connect provider: the way there, and the way back.

mod passage;
mod provider;

pub use provider::{Issuer, Provider, Registration};

use super::{Doors, cookie, next::Next, see_other};
use crate::{
    http::{Caller, SIGN_IN_FAILURES},
    pages::{self, plain},
};
use axum::{
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::Response,
};
use metrics::counter;
use passage::Passage;
use provider::{Departure, ProviderError};
use serde::Deserialize;
use std::sync::Arc;
use store::sign_on::{SignOnError, SignOnRefusal};

/// What the link to the provider says.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    next: String,
}

/// What the provider answers with.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Answered {
    code: Option<String>,
    state: String,
    error: Option<String>,
    iss: Option<String>,
}

/// `GET /login/oidc`: to the provider.
pub(super) async fn depart(
    State(doors): State<Doors>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Some(provider) = doors.config.sign_in.provider() else {
        return see_other("/login", None);
    };
    let next = asked
        .ok()
        .and_then(|Query(asked)| Next::read(&asked.next))
        .unwrap_or_default();
    let departure = match provider.departure().await {
        Ok(departure) => departure,
        Err(error) => return not_signed_in(&error),
    };
    let Departure {
        address,
        state,
        nonce,
        verifier,
    } = departure;
    let secure = doors.config.is_secure();
    match Passage::new(&state, &nonce, &verifier, &next).cookie(&doors.store, secure) {
        Ok(cookie) => see_other(address.as_str(), cookie),
        Err(error) => pages::unavailable(&error),
    }
}

/// `GET /login/oidc/callback`: back from the provider.
pub(super) async fn arrive(
    State(doors): State<Doors>,
    headers: HeaderMap,
    answered: Result<Query<Answered>, QueryRejection>,
    request: Request,
) -> Response {
    let Some(provider) = doors.config.sign_in.provider() else {
        return see_other("/login", None);
    };
    let secure = doors.config.is_secure();
    let passage = Passage::brought(&doors.store, &headers, secure);
    let caller = Caller::within(request.extensions());
    let mut response = match (answered, passage) {
        (Ok(Query(answered)), Some(passage)) if passage.is_answered_by(&answered.state) => {
            came_back(&doors, provider, &caller, answered, &passage).await
        }
        // The cookie of another way to the provider stays: that one may still come back.
        _ => {
            counter!(SIGN_IN_FAILURES, "reason" => "state").increment(1);
            return plain::bad_request(
                "This sign-in was not begun in this browser, took longer than ten minutes, or came \
                 back before. Please sign in once more.",
            );
        }
    };
    if let Some(cookie) = passage::clear(secure) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Somebody came back whom we sent there.
async fn came_back(
    doors: &Doors,
    provider: &Arc<Provider>,
    caller: &Caller,
    answered: Answered,
    passage: &Passage,
) -> Response {
    let next = passage.next();
    let is_its = |iss: &str| iss == provider.issuer();
    if answered.iss.as_deref().is_some_and(|iss| !is_its(iss)) {
        return not_signed_in(&ProviderError::NotValid(
            "the answer is another provider's".to_owned(),
        ));
    }
    let code = match (answered.error.as_deref(), answered.code) {
        (None, Some(code)) => code,
        (Some("access_denied"), _) => {
            counter!(SIGN_IN_FAILURES, "reason" => "cancelled").increment(1);
            return see_other(&format!("/login?error=cancelled{}", next.parameter()), None);
        }
        (error, _) => {
            let error = error.unwrap_or("neither a code nor an error");
            // Whoever comes with it can write anything there: it stays one line, and a short one.
            let error: String = error.chars().take(100).collect();
            return not_signed_in(&ProviderError::Refused(format!("{error:?}")));
        }
    };
    let identity = match provider
        .arrival(code, passage.verifier(), &passage.nonce())
        .await
    {
        Ok(identity) => identity,
        Err(error) => return not_signed_in(&error),
    };
    let invite = next.invitation();
    let signed_in = doors
        .store
        .sign_on(
            &identity,
            provider.roles(),
            invite.as_deref(),
            Some(caller.context()),
        )
        .await;
    match signed_in {
        Ok(session) => {
            let lasts = session.until.datetime() - doors.store.now().datetime();
            let cookie = cookie::set(&session.secret, lasts, doors.config.is_secure());
            // The link of an invitation is good no more where it was accepted just now.
            let answered = match &invite {
                Some(key) => matches!(doors.store.invitation(key).await, Ok(None)),
                None => false,
            };
            let next = if answered { Next::default() } else { next };
            see_other(&next.address(), cookie)
        }
        Err(SignOnError::Refused(refusal)) => {
            counter!(SIGN_IN_FAILURES, "reason" => "refused").increment(1);
            tracing::info!("somebody was not signed in: {refusal}");
            plain::forbidden(words(refusal))
        }
        Err(SignOnError::Store(error)) => pages::unavailable(&error),
    }
}

/// What somebody is told who may not sign in, and what to do.
const fn words(refusal: SignOnRefusal) -> &'static str {
    match refusal {
        SignOnRefusal::NoEmail => {
            "The sign-on provider told us no e-mail address of yours, and Daybook knows people by \
             theirs. Ask whoever runs the provider to add it to your account, and to tell it to \
             Daybook."
        }
        SignOnRefusal::Unverified => {
            "The sign-on provider has not verified that your e-mail address is yours. Verify it \
             there, and sign in once more."
        }
        SignOnRefusal::AnotherIdentity => {
            "The account with your e-mail address belongs to another identity at the sign-on \
             provider, perhaps to who had the address before you. Ask whoever runs this \
             installation."
        }
        SignOnRefusal::Deactivated => {
            "Your account here is deactivated, or no group of yours opens a workspace any more. If \
             you need it, ask an admin of your workspace."
        }
        SignOnRefusal::NoRole => {
            "You are who you say, but have no access to a workspace yet. Ask an admin of the \
             workspace that you need to invite you."
        }
        SignOnRefusal::Invited => {
            "You are who you say, and there is an invitation for you. Open the link that you were \
             sent, and accept it there."
        }
    }
}

/// The provider signed nobody in: what went wrong is for whoever runs the installation to read.
fn not_signed_in(error: &ProviderError) -> Response {
    counter!(SIGN_IN_FAILURES, "reason" => "provider").increment(1);
    match error {
        ProviderError::Unavailable(_) => {
            tracing::error!("{error}");
            plain::unavailable(
                "The sign-on provider does not answer. Please try again in a moment. If it goes on: \
                 whoever runs this installation finds the reason in the server's log, and can let \
                 people in with passwords meanwhile (DAYBOOK_PASSWORDS=on).",
            )
        }
        ProviderError::Refused(_) => {
            tracing::error!("{error}");
            plain::unavailable(
                "The sign-on provider did not sign you in, because it does not take this \
                 installation's request. Whoever runs this installation finds the reason in the \
                 server's log.",
            )
        }
        ProviderError::Code(_) => {
            tracing::warn!("{error}");
            plain::bad_request("This sign-in took too long. Please sign in once more.")
        }
        ProviderError::NotValid(_) => {
            tracing::error!("{error}");
            plain::forbidden(
                "What the sign-on provider said about you could not be verified, and nobody was \
                 signed in. Please try again; if it goes on, whoever runs this installation finds \
                 the reason in the server's log.",
            )
        }
    }
}

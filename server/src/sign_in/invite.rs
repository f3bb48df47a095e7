//! `POST /invite`: an invitation is accepted, by who is signed in or by who has no account yet.

use super::{Doors, cookie, see_other};
use crate::{
    http::Caller,
    pages::{self, plain},
};
use app::{address, frame::first_page};
use axum::{
    Form, RequestExt,
    extract::{Request, State, rejection::FormRejection},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use std::fmt;
use store::members::AcceptError;

/// What the form sends. What is missing counts as empty.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Acceptance {
    key: String,
    name: String,
    password: String,
}

impl fmt::Debug for Acceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acceptance(…)")
    }
}

/// Accepts an invitation. Who is signed in becomes a member as they are; anybody else gets the account
/// that the form describes, and is signed in.
pub async fn accept(State(doors): State<Doors>, headers: HeaderMap, request: Request) -> Response {
    let context = Some(Caller::within(request.extensions()).context());
    let form: Result<Form<Acceptance>, FormRejection> = request.extract().await;
    let Ok(Form(form)) = form else {
        return plain::bad_request("This was not sent by the page of an invitation.");
    };
    let secure = doors.config.is_secure();
    let signed_in = match cookie::secret(&headers, secure) {
        None => None,
        Some(secret) => match doors.store.session(&secret).await {
            Ok(signed_in) => signed_in,
            Err(error) => return pages::unavailable(&error),
        },
    };
    let accepted = match signed_in {
        Some(person) => doors
            .store
            .accept_invite(&form.key, &person, context)
            .await
            .map(|joined| (joined, None)),
        None if !doors.config.sign_in.take_passwords() => {
            return plain::forbidden(
                "Passwords are switched off here. Open the link of the invitation once more, and \
                 sign in with your organization.",
            );
        }
        None => doors
            .store
            .accept_invite_anew(&form.key, &form.name, &form.password, context)
            .await
            .map(|(joined, session)| {
                let lasts = session.until.datetime() - doors.store.now().datetime();
                (joined, cookie::set(&session.secret, lasts, secure))
            }),
    };
    match accepted {
        Ok((joined, cookie)) => see_other(
            &first_page(&joined.workspace.path(), joined.role.reads_the_log()),
            cookie,
        ),
        Err(AcceptError::Store(error)) => pages::unavailable(&error),
        // By a group, or by another link: there is nothing left to accept.
        Err(AcceptError::Member(_)) => see_other("/", None),
        Err(AcceptError::Name) => again(&form, "name"),
        Err(AcceptError::Password) => again(&form, "password"),
        // The page says what holds: that the link is no longer good, or whose it is.
        Err(AcceptError::NoInvite | AcceptError::SomebodyElse(_)) => again(&form, ""),
    }
}

/// The same page again, with the name that was typed; never with the password.
fn again(form: &Acceptance, error: &str) -> Response {
    let key = address::encoded(&form.key);
    let name = address::encoded(&form.name);
    let error = match error {
        "" => String::new(),
        error => format!("&error={error}&name={name}"),
    };
    see_other(&format!("/invite?key={key}{error}"), None)
}

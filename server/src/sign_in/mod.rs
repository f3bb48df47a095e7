//! Signing in and out with forms: what they send, and the cookie that they leave.

mod cookie;
mod invite;
mod next;
pub mod oidc;
mod ways;

pub use cookie::{secret, value as cookie_value};
pub use ways::Ways;

use crate::{
    http::{Caller, SIGN_IN_FAILURES, ServeConfig},
    pages::{self, plain},
};
use axum::{
    Form, Router,
    extract::{Request, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use metrics::counter;
use next::Next;
use serde::Deserialize;
use std::{fmt, sync::Arc};
use store::{Store, people::SignInError};

#[derive(Clone)]
struct Doors {
    store: Store,
    config: Arc<ServeConfig>,
}

/// `POST /login`, `POST /logout` and `POST /invite`, and the ways to a provider and back.
pub fn router(store: &Store, config: &Arc<ServeConfig>) -> Router {
    let router = Router::new()
        .route("/login", post(sign_in))
        .route("/logout", post(sign_out))
        .route("/invite", post(invite::accept))
        .route("/login/oidc", get(oidc::depart))
        .route("/login/oidc/callback", get(oidc::arrive))
        .with_state(Doors {
            store: store.clone(),
            config: Arc::clone(config),
        });
    pages::bounded(router)
}

/// What the form sends. What is missing counts as empty.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Credentials {
    email: String,
    password: String,
    next: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

async fn sign_in(State(doors): State<Doors>, request: Request) -> Response {
    use axum::RequestExt;

    if !doors.config.sign_in.take_passwords() {
        return plain::forbidden(
            "Passwords are switched off here. Please sign in with your organization, on the sign-in \
             page.",
        );
    }
    let caller = Caller::within(request.extensions());
    let form: Result<Form<Credentials>, FormRejection> = request.extract().await;
    let Ok(Form(form)) = form else {
        return plain::bad_request("This was not sent by the sign-in page.");
    };
    let next = Next::read(&form.next);
    let signed_in = doors
        .store
        .sign_in(
            form.email.trim(),
            &form.password,
            Some(caller.address),
            Some(caller.context()),
        )
        .await;
    match signed_in {
        Ok(session) => {
            let lasts = session.until.datetime() - doors.store.now().datetime();
            let cookie = cookie::set(&session.secret, lasts, doors.config.is_secure());
            see_other(&next.unwrap_or_default().address(), cookie)
        }
        Err(SignInError::Wrong) => {
            counter!(SIGN_IN_FAILURES, "reason" => "wrong").increment(1);
            let again = next.map_or_else(String::new, |next| next.parameter());
            see_other(&format!("/login?error=wrong{again}"), None)
        }
        Err(SignInError::TooMany { retry_after }) => {
            counter!(SIGN_IN_FAILURES, "reason" => "too_many").increment(1);
            plain::too_many(retry_after)
        }
        Err(SignInError::Store(error)) => pages::unavailable(&error),
    }
}

async fn sign_out(State(doors): State<Doors>, headers: HeaderMap, request: Request) -> Response {
    let secure = doors.config.is_secure();
    if let Some(secret) = secret(&headers, secure) {
        let caller = Caller::within(request.extensions());
        if let Err(error) = doors.store.sign_out(&secret, Some(caller.context())).await {
            // Whoever believes that they are signed out must be.
            return pages::unavailable(&error);
        }
    }
    see_other("/login", cookie::clear(secure))
}

fn see_other(address: &str, cookie: Option<HeaderValue>) -> Response {
    let Ok(address) = HeaderValue::try_from(address) else {
        return plain::bad_request("This leads to no page.");
    };
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

//! What a browser keeps while somebody is at the provider: by which we know it again, and what proves
//! that the answer is the one to our question. It is sealed, so that nobody else can make one.

use crate::sign_in::{cookie::value, next::Next};
use axum::http::{HeaderMap, HeaderValue};
use cookie::{Cookie, SameSite, time::Duration};
use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};
use serde::{Deserialize, Serialize};
use store::{Store, StoreError, sign_on};
use subtle::ConstantTimeEq;

/// Its name where browsers come by `http`.
const NAME: &str = "daybook_sign_on";
/// Its name where they come by `https`; see the session's.
const SECURE_NAME: &str = "__Host-daybook_sign_on";
/// Browsers drop a cookie of more than 4 KiB without a word.
const SEALED_MOST: usize = 3_584;

const fn name(secure: bool) -> &'static str {
    if secure { SECURE_NAME } else { NAME }
}

/// A way to the provider that somebody is on.
#[derive(Serialize, Deserialize)]
pub struct Passage {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
}

impl Passage {
    pub fn new(state: &CsrfToken, nonce: &Nonce, verifier: &PkceCodeVerifier, next: &Next) -> Self {
        Self {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            next: next.as_str().to_owned(),
        }
    }

    /// Whether an answer of the provider's is the one to this question.
    pub fn is_answered_by(&self, state: &str) -> bool {
        self.state.as_bytes().ct_eq(state.as_bytes()).into()
    }

    /// What the provider has to name in its answer.
    pub fn nonce(&self) -> Nonce {
        Nonce::new(self.nonce.clone())
    }

    /// What proves to the provider that it was us who asked.
    pub fn verifier(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.verifier.clone())
    }

    /// Where somebody goes then.
    pub fn next(&self) -> Next {
        Next::read(&self.next).unwrap_or_default()
    }

    /// The cookie that holds it. Where one would be too long, it leads to the start page.
    ///
    /// # Errors
    ///
    /// The system gives no randomness.
    pub fn cookie(self, store: &Store, secure: bool) -> Result<Option<HeaderValue>, StoreError> {
        let mut sealed = self.sealed(store)?;
        if sealed.len() > SEALED_MOST {
            let to_start = Self {
                next: Next::default().as_str().to_owned(),
                ..self
            };
            sealed = to_start.sealed(store)?;
        }
        Ok(written(&sealed, sign_on::LASTS.num_seconds(), secure))
    }

    fn sealed(&self, store: &Store) -> Result<String, StoreError> {
        let text = serde_json::to_string(self)
            .map_err(|error| StoreError::Keys(format!("this cannot be sealed: {error}")))?;
        store.seal_sign_on(&text)
    }

    /// The one that a browser brings along; none where it was altered, or took too long.
    pub fn brought(store: &Store, headers: &HeaderMap, secure: bool) -> Option<Self> {
        let sealed = value(headers, name(secure))?;
        serde_json::from_str(&store.open_sign_on(&sealed)?).ok()
    }
}

/// Takes the cookie away again: it is good once.
pub fn clear(secure: bool) -> Option<HeaderValue> {
    written("", 0, secure)
}

/// `Lax`: the provider's own page leads back here, and it has to come along then.
fn written(value: &str, seconds: i64, secure: bool) -> Option<HeaderValue> {
    let cookie = Cookie::build((name(secure), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .max_age(Duration::seconds(seconds));
    HeaderValue::try_from(cookie.build().to_string()).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_by_its_state_alone() {
        let state = CsrfToken::new("abc".to_owned());
        let verifier = PkceCodeVerifier::new("v".to_owned());
        let next = Next::read("/acme/growth/audit").unwrap();
        let passage = Passage::new(&state, &Nonce::new("n".to_owned()), &verifier, &next);
        assert!(passage.is_answered_by("abc"));
        for other in ["", "ab", "abcd", "ABC", "n"] {
            assert!(!passage.is_answered_by(other), "{other}");
        }
        assert_eq!(passage.next(), next);
    }

    #[test]
    fn no_script_gets_at_it_and_it_comes_along_from_the_provider() {
        assert_eq!(
            written("abc", 600, true).unwrap(),
            "__Host-daybook_sign_on=abc; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"
        );
        assert_eq!(
            clear(false).unwrap(),
            "daybook_sign_on=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        );
    }
}

//! What a form gives to the page that comes next, to be shown there once: kept meanwhile by the
//! browser of who sent the form, sealed (`store::revealing`), so that it is in no address and in no
//! server's memory, and whichever server is asked next can open it.

use crate::sign_in;
use app::answer::Revealed;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use cookie::{Cookie, SameSite, time::Duration};
use store::{Store, access::SignedIn, revealing};

/// Its name where browsers come by `http`.
const NAME: &str = "daybook_revealed";
/// Its name where they come by `https`; see the session's.
const SECURE_NAME: &str = "__Host-daybook_revealed";
/// Browsers drop a cookie of more than 4 KiB without a word.
const SEALED_MOST: usize = 3_584;

/// What a request is for, as browsers say.
const FETCHED_FOR: HeaderName = HeaderName::from_static("sec-fetch-dest");

const fn name(secure: bool) -> &'static str {
    if secure { SECURE_NAME } else { NAME }
}

/// What a request for a page brings along; none where it asks for something else, which shows
/// nothing.
pub fn brought(method: &Method, headers: &HeaderMap, secure: bool) -> Option<String> {
    let is_page = method == Method::GET
        && headers
            .get(FETCHED_FOR)
            .is_none_or(|wanted| wanted == "document");
    if is_page {
        sign_in::cookie_value(headers, name(secure))
    } else {
        None
    }
}

/// What was brought, for the page, if it was sealed for who looks at it.
pub fn opened(store: &Store, person: Option<&SignedIn>, sealed: &str) -> Revealed {
    Revealed(person.and_then(|person| store.open_for(person, sealed)))
}

/// The cookie by which a browser brings a text along to the next page.
pub fn set(store: &Store, person: &SignedIn, text: &str, secure: bool) -> Option<HeaderValue> {
    let sealed = match store.seal_for(person, text) {
        Ok(sealed) if sealed.len() <= SEALED_MOST => sealed,
        Ok(_) => {
            tracing::error!("what a page should show once is too long for a cookie");
            return None;
        }
        Err(error) => {
            tracing::error!("what a page should show once cannot be sealed: {error}");
            return None;
        }
    };
    written(&sealed, revealing::LASTS.num_seconds(), secure)
}

/// Whether an answer was the page: not that it is elsewhere, or that it cannot be shown now.
pub fn was_shown(status: StatusCode) -> bool {
    !status.is_redirection() && !status.is_server_error()
}

/// Takes the cookie away again.
pub fn clear(secure: bool) -> Option<HeaderValue> {
    written("", 0, secure)
}

fn written(value: &str, seconds: i64, secure: bool) -> Option<HeaderValue> {
    let cookie = Cookie::build((name(secure), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(secure)
        .max_age(Duration::seconds(seconds));
    HeaderValue::try_from(cookie.build().to_string()).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use axum::http::header;

    fn request(cookie: &str, wanted: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        if let Some(wanted) = wanted {
            headers.insert(FETCHED_FOR, HeaderValue::from_str(wanted).unwrap());
        }
        headers
    }

    #[test]
    fn only_a_page_uses_it_up() {
        let found = Some("abc".to_owned());
        let cookie = "daybook_session=s; daybook_revealed=abc";
        for wanted in [None, Some("document")] {
            let headers = request(cookie, wanted);
            assert_eq!(brought(&Method::GET, &headers, false), found, "{wanted:?}");
            assert_eq!(brought(&Method::POST, &headers, false), None, "{wanted:?}");
            assert_eq!(brought(&Method::HEAD, &headers, false), None, "{wanted:?}");
        }
        let image = request(cookie, Some("image"));
        assert_eq!(brought(&Method::GET, &image, false), None);
        assert!(was_shown(StatusCode::OK) && was_shown(StatusCode::NOT_FOUND));
        assert!(!was_shown(StatusCode::SEE_OTHER) && !was_shown(StatusCode::SERVICE_UNAVAILABLE));
    }

    #[test]
    fn over_https_only_the_protected_cookie_counts() {
        let plain = request("daybook_revealed=abc", None);
        assert_eq!(brought(&Method::GET, &plain, true), None);
        let protected = request("__Host-daybook_revealed=abc", None);
        assert_eq!(
            brought(&Method::GET, &protected, true),
            Some("abc".to_owned())
        );
    }

    #[test]
    fn no_script_and_no_other_site_gets_at_it() {
        assert_eq!(
            written("abc", 120, true).unwrap(),
            "__Host-daybook_revealed=abc; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=120"
        );
        assert_eq!(
            clear(false).unwrap(),
            "daybook_revealed=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"
        );
    }
}

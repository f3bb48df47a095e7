//! The cookie that says who is signed in.

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::TimeDelta;
use cookie::{Cookie, SameSite, time::Duration};
use store::access::Secret;

/// Its name where browsers come by `http`.
const NAME: &str = "daybook_session";
/// Its name where they come by `https`: with this prefix browsers take it only from this host, over
/// `https` and for every path.
const SECURE_NAME: &str = "__Host-daybook_session";

const fn name(secure: bool) -> &'static str {
    if secure { SECURE_NAME } else { NAME }
}

/// The secret that a browser brings.
pub fn secret(headers: &HeaderMap, secure: bool) -> Option<String> {
    value(headers, name(secure))
}

/// What a browser brings in the cookie of a name; none where that is empty.
pub fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
        .filter(|value| !value.is_empty())
}

/// Hands the browser its secret, for as long as the session lasts.
pub fn set(secret: &Secret, lasts: TimeDelta, secure: bool) -> Option<HeaderValue> {
    written(secret.reveal(), lasts, secure)
}

/// Takes it away again.
pub fn clear(secure: bool) -> Option<HeaderValue> {
    written("", TimeDelta::zero(), secure)
}

fn written(value: &str, lasts: TimeDelta, secure: bool) -> Option<HeaderValue> {
    let cookie = Cookie::build((name(secure), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .max_age(Duration::seconds(lasts.num_seconds().max(0)));
    HeaderValue::try_from(cookie.build().to_string()).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn brought(cookies: &[&str], secure: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        secret(&headers, secure)
    }

    #[test]
    fn the_secret_is_found_among_other_cookies() {
        let found = Some("abc".to_owned());
        assert_eq!(brought(&["a=1; daybook_session=abc; b=2"], false), found);
        assert_eq!(brought(&["a=1", "daybook_session=abc"], false), found);
        assert_eq!(brought(&["daybook_session="], false), None);
        assert_eq!(brought(&["xdaybook_session=abc"], false), None);
    }

    #[test]
    fn over_https_only_the_protected_cookie_counts() {
        assert_eq!(brought(&["daybook_session=abc"], true), None);
        assert_eq!(
            brought(&["__Host-daybook_session=abc"], true),
            Some("abc".to_owned())
        );
    }

    #[test]
    fn no_script_and_no_other_site_gets_at_it() {
        assert_eq!(
            written("abc", TimeDelta::hours(1), true).unwrap(),
            "__Host-daybook_session=abc; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600"
        );
        assert_eq!(
            clear(false).unwrap(),
            "daybook_session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        );
    }
}

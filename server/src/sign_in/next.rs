//! Where somebody goes after signing in: an address of this site and of no other.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// How many bytes it may have.
const LENGTH_MOST: usize = 4_096;
/// What cannot stand in a header as it is.
const NOT_IN_ADDRESS: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');

/// An address of this site: its path, query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next(String);

impl Default for Next {
    /// The start page, which leads on to the workspace last looked at.
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl Next {
    /// Reads an address that somebody brought. What browsers take for another site, or drop before
    /// they look, is none: a second slash or a backslash after the first, and control characters
    /// anywhere.
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let elsewhere = rest.starts_with('/') || text.contains('\\');
        if elsewhere || text.len() > LENGTH_MOST || text.chars().any(char::is_control) {
            return None;
        }
        Some(Self(text.to_owned()))
    }

    /// The address as it was brought.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The secret of an invitation, where this is its page.
    pub fn invitation(&self) -> Option<String> {
        let query = self.0.strip_prefix("/invite?")?;
        let query = query.split('#').next()?;
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "key")
            .map(|(_, key)| key.into_owned())
    }

    /// The address as a header has it.
    pub fn address(&self) -> String {
        utf8_percent_encode(&self.0, NOT_IN_ADDRESS).to_string()
    }

    /// The address as a further parameter of a query string.
    pub fn parameter(&self) -> String {
        format!("&next={}", utf8_percent_encode(&self.0, NON_ALPHANUMERIC))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;
    use url::Url;

    #[test]
    fn a_page_of_ours_is_led_back_to() {
        let page = "/acme/growth/audit?category=members&q=a%20b&open=01970c3e#row";
        assert_eq!(Next::read(page).unwrap().address(), page);
        assert_eq!(Next::read("/").unwrap().address(), "/");
    }

    #[test]
    fn another_site_is_never_led_to() {
        for elsewhere in [
            "",
            "acme",
            "https://evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "javascript:alert(1)",
        ] {
            assert_eq!(Next::read(elsewhere), None, "{elsewhere:?}");
        }
    }

    #[test]
    fn the_page_of_an_invitation_is_known() {
        let invitation = |text: &str| Next::read(text).unwrap().invitation();
        assert_eq!(
            invitation("/invite?key=a%2Bb&error=name"),
            Some("a+b".to_owned())
        );
        for other in [
            "/",
            "/invite",
            "/invite?name=x",
            "/login?key=x",
            "/invites?key=x",
        ] {
            assert_eq!(invitation(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_led_to_is_on_this_site(text in r"/[/\\a-z.:@?#%\t\n ø]{0,12}") {
            if let Some(next) = Next::read(&text) {
                let here = Url::parse("https://audit.example.com/login").unwrap();
                let there = here.join(&next.address()).unwrap();
                prop_assert_eq!(there.origin(), here.origin());
                prop_assert!(HeaderValue::try_from(next.address()).is_ok());
            }
        }

        #[test]
        fn it_survives_another_try_to_sign_in(text in "/[ -~ø]{0,20}") {
            if let Some(next) = Next::read(&text) {
                let query = next.parameter();
                let mut pairs = form_urlencoded::parse(query.as_bytes());
                prop_assert_eq!(pairs.next().unwrap(), ("next".into(), text.into()));
            }
        }
    }
}

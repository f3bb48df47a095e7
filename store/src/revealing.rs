//! Secrets that are shown once, on the page after the form that made them. No address, database, log
//! or server keeps them: the browser itself brings its own along, sealed, so that nobody can read or
//! make one, and any server of the installation opens it.

use crate::{
    Store, StoreError,
    access::SignedIn,
    keys::{Key, random},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use chrono::TimeDelta;
use domain::time::Timestamp;

/// For how long what was sealed can be opened.
pub const LASTS: TimeDelta = TimeDelta::minutes(2);

/// The nonce comes first: with 192 random bits none ever comes twice.
const NONCE: usize = 24;
/// Then, sealed, until when it can be opened, in microseconds; then the text.
const UNTIL: usize = 8;

impl Store {
    /// Seals a text for somebody: only they open it, within [`LASTS`] from now.
    ///
    /// # Errors
    ///
    /// The system gives no randomness.
    pub fn seal_for(&self, person: &SignedIn, text: &str) -> Result<String, StoreError> {
        let until = Timestamp::from_micros(
            self.now()
                .micros()
                .saturating_add(LASTS.num_microseconds().unwrap_or_default()),
        );
        seal(&self.inner.keys.revealing, &person.public_id, until, text)
    }

    /// Opens what was sealed for somebody; none if it was sealed for somebody else, was altered, or
    /// its time is over.
    pub fn open_for(&self, person: &SignedIn, sealed: &str) -> Option<String> {
        let key = &self.inner.keys.revealing;
        open(key, &person.public_id, self.now(), sealed)
    }
}

/// Seals a text for somebody, so that it opens before `until`.
pub(crate) fn seal(
    key: &Key,
    person: &str,
    until: Timestamp,
    text: &str,
) -> Result<String, StoreError> {
    let nonce = random::<NONCE>()?;
    let mut open = Vec::with_capacity(UNTIL + text.len());
    open.extend_from_slice(&until.micros().to_be_bytes());
    open.extend_from_slice(text.as_bytes());
    let payload = Payload {
        msg: &open,
        aad: person.as_bytes(),
    };
    let closed = XChaCha20Poly1305::new(key.bytes().into())
        .encrypt(&nonce.into(), payload)
        .map_err(|_| StoreError::Keys("a text is too long to be sealed".to_owned()))?;
    let mut sealed = nonce.to_vec();
    sealed.extend_from_slice(&closed);
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens what was sealed for somebody; none if it was for somebody else, was altered, or is over.
pub(crate) fn open(key: &Key, person: &str, now: Timestamp, sealed: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (nonce, closed) = bytes.split_first_chunk::<NONCE>()?;
    let payload = Payload {
        msg: closed,
        aad: person.as_bytes(),
    };
    let open = XChaCha20Poly1305::new(key.bytes().into())
        .decrypt(nonce.into(), payload)
        .ok()?;
    let (until, text) = open.split_first_chunk::<UNTIL>()?;
    if i64::from_be_bytes(*until) <= now.micros() {
        return None;
    }
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const SECRET: &str = "dbk_c2VjcmV0";

    const OURS: Key = Key::for_tests(1);
    const ANOTHER: Key = Key::for_tests(2);

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn sealed() -> String {
        seal(&OURS, "usr_1", time("2026-05-12T09:02:00Z"), SECRET).unwrap()
    }

    fn opened(key: &Key, person: &str, at: &str, sealed: &str) -> Option<String> {
        open(key, person, time(at), sealed)
    }

    #[test]
    fn who_it_was_sealed_for_opens_it_until_its_end() {
        let found = Some(SECRET.to_owned());
        for at in ["2026-05-12T09:00:00Z", "2026-05-12T09:01:59.999999Z"] {
            assert_eq!(opened(&OURS, "usr_1", at, &sealed()), found, "{at}");
        }
        for at in ["2026-05-12T09:02:00Z", "2026-05-13T09:00:00Z"] {
            assert_eq!(opened(&OURS, "usr_1", at, &sealed()), None, "{at}");
        }
    }

    #[test]
    fn somebody_else_and_another_installation_do_not() {
        let at = "2026-05-12T09:00:00Z";
        for person in ["usr_2", "usr_", "usr_11", ""] {
            assert_eq!(opened(&OURS, person, at, &sealed()), None, "{person}");
        }
        assert_eq!(opened(&ANOTHER, "usr_1", at, &sealed()), None);
    }

    #[test]
    fn nothing_that_was_altered_opens() {
        let at = "2026-05-12T09:00:00Z";
        let sealed = sealed();
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 1;
            let altered = URL_SAFE_NO_PAD.encode(altered);
            assert_eq!(opened(&OURS, "usr_1", at, &altered), None, "{place}");
        }
        for length in 0..sealed.len() {
            assert_eq!(opened(&OURS, "usr_1", at, &sealed[..length]), None);
        }
        assert_eq!(opened(&OURS, "usr_1", at, SECRET), None);
    }

    #[test]
    fn it_shows_nothing_and_never_looks_the_same() {
        let (one, other) = (sealed(), sealed());
        assert_ne!(one, other);
        let bytes = URL_SAFE_NO_PAD.decode(&one).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("dbk_"));
    }
}

//! Passwords: Argon2id (RFC 9106) with the crate's recommended parameters, off the async threads.

use crate::{StoreError, administration::AdministrationError};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// The fewest characters of a password; NIST SP 800-63B asks for eight at least.
const LEAST: usize = 8;
/// The most: hashing takes longer with length.
const MOST: usize = 512;

/// The hash of a password that nobody has: so that an unknown account takes as long as a known one, and
/// for who has no password here.
pub(super) const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                                  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Checks a new password's length.
pub(super) fn check(password: &str) -> Result<(), AdministrationError> {
    if (LEAST..=MOST).contains(&password.chars().count()) {
        return Ok(());
    }
    Err(AdministrationError::Invalid(format!(
        "a password has {LEAST} to {MOST} characters"
    )))
}

/// Hashes a password with a salt of its own.
pub(super) async fn hash(password: String) -> Result<String, StoreError> {
    tokio::task::spawn_blocking(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| StoreError::Database(format!("the password was not hashed: {error}")))
    })
    .await
    .map_err(|_| StoreError::Closing)?
}

/// Whether a password is the one of a hash. For nobody's hash it takes as long, and is not.
pub(super) async fn verify(password: String, hash: Option<String>) -> Result<bool, StoreError> {
    tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS.to_owned());
        let hash = PasswordHash::new(&hash)
            .map_err(|_| super::dictionaries::damaged("a password's hash is broken"))?;
        Ok(Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
            && known)
    })
    .await
    .map_err(|_| StoreError::Closing)?
}

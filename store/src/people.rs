//! Signing in and out.

use crate::StoreError;
use chrono::TimeDelta;

/// How long a session lasts.
pub const SESSION: TimeDelta = TimeDelta::days(14);

/// For how long failed sign-ins count.
pub const FAILURES_WITHIN: TimeDelta = TimeDelta::minutes(15);

/// Why somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// E-mail and password do not belong together, or the person is deactivated: nobody is told
    /// which.
    #[error("this e-mail address and password do not belong together")]
    Wrong,
    /// Ten failures in a quarter of an hour, for this account or from this address.
    #[error("too many failed sign-ins; try again in {retry_after} s")]
    TooMany {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

//! The ways in which people sign in here.

use super::oidc::Provider;
use app::viewer::SignInWays;
use std::sync::Arc;

/// How people sign in.
#[derive(Clone, Debug)]
pub enum Ways {
    /// With a password that they have here.
    Passwords,
    /// At a provider, or with a password.
    Both(Arc<Provider>),
    /// At a provider alone.
    SignOn(Arc<Provider>),
}

impl Ways {
    /// The provider at which they sign in.
    pub fn provider(&self) -> Option<&Arc<Provider>> {
        match self {
            Self::Passwords => None,
            Self::Both(provider) | Self::SignOn(provider) => Some(provider),
        }
    }

    /// Whether a password signs in.
    pub fn take_passwords(&self) -> bool {
        !matches!(self, Self::SignOn(_))
    }

    /// What pages know of it.
    pub fn for_pages(&self) -> SignInWays {
        SignInWays {
            passwords: self.take_passwords(),
            sign_on: self.provider().map(|provider| provider.name().to_owned()),
        }
    }
}

//! What the page of API tokens shows, ready to be set.

use super::said::{Faults, Typed};
use crate::{log::view::WhenView, settings::places::Of};
use store::administration::TokenState;

/// The API tokens of a workspace, or of a tenant itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokensView {
    /// Whose they are, with what stands around the page.
    pub of: Of,
    /// The zone that times are shown in.
    pub zone: String,
    /// The day in UTC, by which tokens end.
    pub today: String,
    /// Its own.
    pub tokens: Vec<TokenView>,
    /// The address of the page that it goes back to when a question is answered or a form sent.
    pub here: String,
    /// The address of the first page, where this is another one.
    pub first: Option<String>,
    /// The address of the next page, where there is one.
    pub older: Option<String>,
    /// On a workspace's page: the tenant's, which are good here too.
    pub of_tenant: Vec<TokenView>,
    /// Whether the tenant has more than these.
    pub more_of_tenant: bool,
    /// The address of the page that manages those, for who administers the tenant.
    pub tenant_page: Option<String>,
    /// What came of the form before.
    pub outcome: Option<Outcome>,
    /// The token that is to be revoked, if somebody says so once more.
    pub revoking: Option<TokenView>,
    /// What was typed into the form for a new one, or what it begins with.
    pub typed: Typed,
    /// What is wrong with it.
    pub faults: Faults,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenView {
    /// Its public id: `tok_…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<&'static str>,
    /// "nothing older than 30 days".
    pub oldest: Option<String>,
    /// When it was made.
    pub created: WhenView,
    /// By whom.
    pub created_by: Option<String>,
    /// When it was last used, and how long ago that is.
    pub last_used: Option<(WhenView, String)>,
    /// When it ends by itself.
    pub expires: Option<WhenView>,
    /// What has become of it.
    pub state: TokenState,
    /// When it was revoked.
    pub revoked: Option<WhenView>,
    /// By whom.
    pub revoked_by: Option<String>,
    /// The address of its own history, where it is told there.
    pub history: Option<String>,
    /// The address that asks whether to revoke it, where that can be done.
    pub revoke: Option<String>,
}

/// What came of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A token was made.
    Created(Created),
    /// It is revoked.
    Revoked(TokenView),
    /// It was revoked before.
    RevokedBefore(TokenView),
    /// There is no such token here.
    Unknown,
    /// The log cannot be written.
    Failed,
}

/// A token that was just made.
#[derive(Clone, PartialEq, Eq)]
pub struct Created {
    /// The token.
    pub token: TokenView,
    /// Its secret, the one time that it is shown, and a command that tries it, where it may write or
    /// read.
    pub secret: Option<(String, Option<String>)>,
}

impl std::fmt::Debug for Created {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Created({}, …)", self.token.id)
    }
}

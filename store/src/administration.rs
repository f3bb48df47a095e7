//! What is administered: tenants, workspaces, people, tokens. Each change is one transaction with
//! the event that tells of it.

use crate::{
    StoreError,
    access::{Secret, SignedIn, TokenGrant},
};
use domain::{
    event::{Actor, ActorKind, Object},
    role::{Role, TokenScope},
    slug::{Slug, SlugError, WorkspacePath},
    time::Timestamp,
};

/// Who changes something, and from where: for the event that tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct By {
    pub(crate) actor: Actor,
    pub(crate) metadata: Option<Object>,
    pub(crate) context: Option<Object>,
}

impl By {
    /// Somebody who is signed in, with the request's address and browser.
    pub fn person(person: &SignedIn, context: Option<Object>) -> Self {
        let actor = Actor {
            kind: ActorKind::User,
            id: Some(person.public_id.clone()),
            name: Some(person.name.clone()),
            email: Some(person.email.clone()),
        };
        Self {
            actor,
            metadata: None,
            context,
        }
    }

    /// A token.
    pub fn token(token: &TokenGrant, context: Option<Object>) -> Self {
        let actor = Actor {
            kind: ActorKind::Token,
            id: Some(token.public_id.clone()),
            name: Some(token.name.clone()),
            email: None,
        };
        Self {
            actor,
            metadata: None,
            context,
        }
    }

    /// The server itself, in the background.
    pub const fn background() -> Self {
        Self {
            actor: Actor::SYSTEM,
            metadata: None,
            context: None,
        }
    }

    /// The command line, run by an operating system's user.
    pub fn operator(os_user: &str) -> Self {
        let mut metadata = Object::new();
        metadata.insert("os_user".to_owned(), os_user.into());
        Self {
            actor: Actor::SYSTEM,
            metadata: Some(metadata),
            context: None,
        }
    }
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum AdministrationError {
    /// What should be made is there already.
    #[error("{0} exists already")]
    Exists(String),
    /// What should be changed is not there.
    #[error("there is no {0}")]
    Missing(String),
    /// A name is no slug.
    #[error(transparent)]
    Slug(#[from] SlugError),
    /// A value is out of bounds.
    #[error("{0}")]
    Invalid(String),
    /// The last owner of a workspace stays.
    #[error("{0} is the last owner of a workspace: make somebody else an owner first")]
    LastOwner(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person to be added to a workspace, or as admin of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPerson {
    /// Their e-mail address, by which they sign in.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Where, and as what.
    pub place: Place,
    /// The role's last day: until the end of it in UTC.
    pub until: Option<chrono::NaiveDate>,
}

/// Where somebody has a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a workspace.
    Workspace(WorkspacePath, Role),
    /// As admin of a tenant.
    Tenant(Slug),
}

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Where it is good.
    pub place: TokenPlace,
    /// Its name.
    pub name: String,
    /// What it may do; at least one.
    pub scopes: Vec<TokenScope>,
    /// Until when.
    pub expires: Option<Timestamp>,
    /// The oldest `occurred_at` that it may send: so many seconds before now.
    pub oldest_seconds: Option<i64>,
}

/// A token to be made in the workspace or the tenant that somebody manages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedToken {
    /// Its name.
    pub name: String,
    /// What it may do; at least one.
    pub scopes: Vec<TokenScope>,
    /// Until when.
    pub expires: Option<Timestamp>,
    /// The oldest `occurred_at` that it may send: so many seconds before now.
    pub oldest_seconds: Option<i64>,
}

/// A token that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedToken {
    /// Its public id: `tok_…`.
    pub id: String,
    /// Its secret, which nobody can tell again.
    pub secret: Secret,
}

/// What came of revoking a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// It is revoked: good for nothing from the next request on.
    Revoked,
    /// It was revoked before; nothing changed.
    Before,
}

/// Where a token is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// In one workspace.
    Workspace(WorkspacePath),
    /// In a tenant and all its workspaces.
    Tenant(Slug),
}

/// A token as listed: everything but its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenListed {
    /// Its public id: `tok_…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is good: `TENANT/WORKSPACE`, or `TENANT`.
    pub place: String,
    /// What it may do.
    pub scopes: Vec<TokenScope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it, by name; none: it was made before this was kept.
    pub created_by: Option<String>,
    /// Until when it is good.
    pub expires: Option<Timestamp>,
    /// The oldest `occurred_at` that it may send: so many seconds before now.
    pub oldest_seconds: Option<i64>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Who revoked it, by name.
    pub revoked_by: Option<String>,
}

impl TokenListed {
    /// What has become of it by `now`.
    pub fn state(&self, now: Timestamp) -> TokenState {
        if self.revoked_at.is_some() {
            TokenState::Revoked
        } else if self.expires.is_some_and(|expires| expires <= now) {
            TokenState::Expired
        } else {
            TokenState::Good
        }
    }
}

/// What has become of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It is good.
    Good,
    /// Its last day is over.
    Expired,
    /// It was revoked.
    Revoked,
}

/// A page of the tokens of a workspace, or of a tenant itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPage {
    /// The place's own, the newest first, and after those the revoked ones.
    pub tokens: Vec<TokenListed>,
    /// Whether there are more after these.
    pub more: bool,
    /// On a workspace's first page: the tenant's tokens, which are good here too, without the
    /// revoked ones, the newest first.
    pub of_tenant: Vec<TokenListed>,
    /// Whether the tenant has more than these.
    pub more_of_tenant: bool,
}

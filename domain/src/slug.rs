//! How tenants and workspaces are named in addresses and on the command line.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The name of a tenant or a workspace in addresses: 1–40 of `a-z 0-9 -`, none of the words that
/// are routes. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Slug(String);

/// Words that stand for something else in an address.
const RESERVED: &[&str] = &[
    "api", "assets", "audit", "findings", "healthz", "invite", "login", "logout", "me", "metrics",
    "objects", "pkg", "readyz", "settings", "ui",
];

/// Why a text is not a slug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// It has other characters, none, or too many.
    #[error("a slug is 1 to 40 of the characters a-z 0-9 -")]
    Characters,
    /// It is a word that stands for something else in an address.
    #[error("\"{0}\" is reserved, because it is part of an address")]
    Reserved(String),
}

impl Slug {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() || text.len() > 40 || !text.bytes().all(plain) {
            return Err(SlugError::Characters);
        }
        if RESERVED.contains(&text) {
            return Err(SlugError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Slug {
    type Error = SlugError;

    fn try_from(text: String) -> Result<Self, SlugError> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `TENANT/WORKSPACE`, as the command line names a workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkspacePath {
    /// The customer organization.
    pub tenant: Slug,
    /// The account inside it.
    pub workspace: Slug,
}

/// Why a text does not name a workspace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkspacePathError {
    /// There is no slash, or more than one.
    #[error("a workspace is named TENANT/WORKSPACE, as in acme/growth")]
    Shape,
    /// One of the two names is not a slug.
    #[error(transparent)]
    Slug(#[from] SlugError),
}

impl FromStr for WorkspacePath {
    type Err = WorkspacePathError;

    fn from_str(text: &str) -> Result<Self, WorkspacePathError> {
        let (tenant, workspace) = text.split_once('/').ok_or(WorkspacePathError::Shape)?;
        if workspace.contains('/') {
            return Err(WorkspacePathError::Shape);
        }
        Ok(Self {
            tenant: tenant.parse()?,
            workspace: workspace.parse()?,
        })
    }
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.workspace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_short_plain_and_not_a_route() {
        assert!("acme-2".parse::<Slug>().is_ok());
        for bad in ["", "Acme", "a_b", "å", &"a".repeat(41)] {
            assert_eq!(bad.parse::<Slug>(), Err(SlugError::Characters), "{bad}");
        }
        assert_eq!(
            "audit".parse::<Slug>(),
            Err(SlugError::Reserved("audit".into()))
        );
    }

    #[test]
    fn a_workspace_is_named_with_its_tenant() {
        let path: Result<WorkspacePath, _> = "acme/growth".parse();
        assert_eq!(path.map(|path| path.to_string()), Ok("acme/growth".into()));
        assert_eq!(
            "acme".parse::<WorkspacePath>(),
            Err(WorkspacePathError::Shape)
        );
        assert_eq!(
            "a/b/c".parse::<WorkspacePath>(),
            Err(WorkspacePathError::Shape)
        );
    }
}

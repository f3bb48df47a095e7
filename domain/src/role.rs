//! What people and tokens may do.

use crate::event::UnknownName;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a person may do in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Opens objects' Audit tabs.
    Member,
    /// Reads everything, changes nothing.
    Auditor,
    /// Reads everything, manages members and tokens.
    Admin,
    /// Changes everything.
    Owner,
    /// Counts as owner of every workspace of the tenant.
    TenantAdmin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [
        Self::Member,
        Self::Auditor,
        Self::Admin,
        Self::Owner,
        Self::TenantAdmin,
    ];

    /// The name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Owner => "owner",
            Self::TenantAdmin => "tenant_admin",
        }
    }

    /// For the screen.
    pub const fn label(self) -> &'static str {
        match self {
            Self::TenantAdmin => "tenant admin",
            other => other.as_str(),
        }
    }

    /// Whether this role opens the workspace's Audit page.
    pub const fn reads_the_log(self) -> bool {
        !matches!(self, Self::Member)
    }

    /// Whether this role sees Settings.
    pub const fn reads_settings(self) -> bool {
        !matches!(self, Self::Member)
    }

    /// Whether this role changes Settings.
    pub const fn changes_settings(self) -> bool {
        matches!(self, Self::Owner | Self::TenantAdmin)
    }

    /// Whether this role manages the workspace's members and API tokens.
    pub const fn manages_members_and_tokens(self) -> bool {
        matches!(self, Self::Admin | Self::Owner | Self::TenantAdmin)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownName {
                value: text.to_owned(),
                accepted: "member, auditor, admin, owner, tenant_admin".to_owned(),
            })
    }
}

/// What an API token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TokenScope {
    /// Send events.
    #[serde(rename = "events:write")]
    EventsWrite,
    /// List events, one event, the feed and what is made of them.
    #[serde(rename = "events:read")]
    EventsRead,
    /// Take events away as a file.
    #[serde(rename = "events:export")]
    EventsExport,
    /// Label actors as deactivated.
    #[serde(rename = "actors:write")]
    ActorsWrite,
    /// Send events whose credentials are recorded as they are.
    #[serde(rename = "events:unredacted")]
    EventsUnredacted,
}

impl TokenScope {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::EventsWrite,
        Self::EventsRead,
        Self::EventsExport,
        Self::ActorsWrite,
        Self::EventsUnredacted,
    ];

    /// The name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventsWrite => "events:write",
            Self::EventsRead => "events:read",
            Self::EventsExport => "events:export",
            Self::ActorsWrite => "actors:write",
            Self::EventsUnredacted => "events:unredacted",
        }
    }
}

impl fmt::Display for TokenScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TokenScope {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownName {
                value: text.to_owned(),
                accepted: Self::ALL.map(Self::as_str).join(", "),
            })
    }
}

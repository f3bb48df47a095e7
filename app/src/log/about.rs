//! What a log is about, and what that makes of its page.

use crate::address::LogAddress;
use domain::question::Sort;

/// What a log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A tenant, all its workspaces: its Audit page.
    Tenant,
    /// A workspace: the Audit page.
    Workspace,
    /// One object of it: its Audit tab.
    Object,
    /// What the person who is signed in did: My activity.
    Own,
}

impl About {
    /// What the log at an address is about.
    pub(crate) const fn of(address: &LogAddress) -> Self {
        match address {
            LogAddress::Tenant(_) => Self::Tenant,
            LogAddress::Workspace(_) => Self::Workspace,
            LogAddress::Object(..) => Self::Object,
            LogAddress::Own(_) => Self::Own,
        }
    }

    /// Whether its entries lie in several workspaces: then each row says in which.
    pub(super) const fn has_workspaces(self) -> bool {
        matches!(self, Self::Tenant)
    }

    /// Whether its entries are by several people.
    pub(super) const fn has_actors(self) -> bool {
        !matches!(self, Self::Own)
    }

    /// Whether its entries are about several objects.
    pub(super) const fn has_targets(self) -> bool {
        !matches!(self, Self::Object)
    }

    /// Whether its page shows when its entries occurred.
    pub(super) const fn has_chart(self) -> bool {
        matches!(self, Self::Tenant | Self::Workspace)
    }

    /// How many columns its rows have: when, what and the change, and those that tell entries apart.
    pub(super) const fn columns(self) -> u8 {
        3 + self.has_workspaces() as u8 + self.has_actors() as u8 + self.has_targets() as u8
    }

    /// Whether there is something to sort by.
    pub(super) const fn sorts_by(self, sort: Sort) -> bool {
        match sort {
            Sort::Time | Sort::Action => true,
            Sort::TargetKind => self.has_targets(),
            Sort::Actor => self.has_actors(),
        }
    }

    /// Whether there is a field for a parameter that has one on some page.
    pub(super) fn has_field(self, parameter: &str) -> bool {
        match parameter {
            "workspace" => self.has_workspaces(),
            "actor" => self.has_actors(),
            "target_kind" => self.has_targets(),
            _ => true,
        }
    }

    /// The classes of its page.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Tenant => "page tenant-scope",
            Self::Workspace => "page",
            Self::Object => "page object-scope",
            Self::Own => "page own-scope",
        }
    }
}

//! The class of an action.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The class of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    #[expect(missing_docs)]
    Create,
    #[expect(missing_docs)]
    Update,
    #[expect(missing_docs)]
    Delete,
    #[expect(missing_docs)]
    Restore,
    #[expect(missing_docs)]
    Assign,
    #[expect(missing_docs)]
    Unassign,
    #[expect(missing_docs)]
    Transfer,
    #[expect(missing_docs)]
    Authenticate,
    #[expect(missing_docs)]
    Authorize,
    #[expect(missing_docs)]
    Approve,
    #[expect(missing_docs)]
    Reject,
    #[expect(missing_docs)]
    Activate,
    #[expect(missing_docs)]
    Deactivate,
    #[expect(missing_docs)]
    Enable,
    #[expect(missing_docs)]
    Disable,
    #[expect(missing_docs)]
    Cancel,
    #[expect(missing_docs)]
    Rollback,
    #[expect(missing_docs)]
    Rotate,
    #[expect(missing_docs)]
    Run,
    #[expect(missing_docs)]
    Read,
    #[expect(missing_docs)]
    Export,
    #[expect(missing_docs)]
    Other,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Restore,
        Self::Assign,
        Self::Unassign,
        Self::Transfer,
        Self::Authenticate,
        Self::Authorize,
        Self::Approve,
        Self::Reject,
        Self::Activate,
        Self::Deactivate,
        Self::Enable,
        Self::Disable,
        Self::Cancel,
        Self::Rollback,
        Self::Rotate,
        Self::Run,
        Self::Read,
        Self::Export,
        Self::Other,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Assign => "assign",
            Self::Unassign => "unassign",
            Self::Transfer => "transfer",
            Self::Authenticate => "authenticate",
            Self::Authorize => "authorize",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Activate => "activate",
            Self::Deactivate => "deactivate",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Cancel => "cancel",
            Self::Rollback => "rollback",
            Self::Rotate => "rotate",
            Self::Run => "run",
            Self::Read => "read",
            Self::Export => "export",
            Self::Other => "other",
        }
    }

    /// For the screen.
    pub const fn label(self) -> &'static str {
        self.as_str()
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Verb {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|v| v.as_str() == text)
            .ok_or_else(|| "unknown".into())
    }
}

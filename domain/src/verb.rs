//! The class of an action: what kind of doing it is, whatever it was done to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The class of an action. The list is closed: a sender may name one of these and no other.
///
/// Its text (in the API, in filters, in exports) is [`Verb::as_str`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Something came to be.
    Create,
    /// Something that is there was changed.
    Update,
    /// Something is gone.
    Delete,
    /// Something that was gone or changed is back as it was.
    Restore,
    /// Something or somebody was given to something else.
    Assign,
    /// The reverse of [`Verb::Assign`].
    Unassign,
    /// Something changed hands.
    Transfer,
    /// Somebody showed who they are, or ended that.
    Authenticate,
    /// Somebody or something was allowed to act.
    Authorize,
    /// A request was answered with yes.
    Approve,
    /// A request was answered with no.
    Reject,
    /// Something began to count: a user, a license, a connection.
    Activate,
    /// The reverse of [`Verb::Activate`]: it is still there but no longer counts.
    Deactivate,
    /// A function was switched on.
    Enable,
    /// A function was switched off.
    Disable,
    /// Something under way, or agreed on, was called off.
    Cancel,
    /// A change was taken back to an earlier version.
    Rollback,
    /// A credential was replaced by a fresh one.
    Rotate,
    /// Work was carried out.
    Run,
    /// Something was looked at.
    Read,
    /// Data was taken out.
    Export,
    /// None of these.
    Other,
}

impl Verb {
    /// Every verb, in the order in which they are offered.
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

    /// Its one textual form, in lowercase.
    #[must_use]
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

    /// What the screen calls it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Restore => "Restore",
            Self::Assign => "Assign",
            Self::Unassign => "Unassign",
            Self::Transfer => "Transfer",
            Self::Authenticate => "Authenticate",
            Self::Authorize => "Authorize",
            Self::Approve => "Approve",
            Self::Reject => "Reject",
            Self::Activate => "Activate",
            Self::Deactivate => "Deactivate",
            Self::Enable => "Enable",
            Self::Disable => "Disable",
            Self::Cancel => "Cancel",
            Self::Rollback => "Roll back",
            Self::Rotate => "Rotate",
            Self::Run => "Run",
            Self::Read => "Read",
            Self::Export => "Export",
            Self::Other => "Other",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no verb. Its message names those that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not one of {}", Verb::ALL.map(Verb::as_str).join(", "))]
pub struct UnknownVerb {
    /// What was given.
    pub given: String,
}

impl FromStr for Verb {
    type Err = UnknownVerb;

    fn from_str(text: &str) -> Result<Self, UnknownVerb> {
        Self::ALL
            .into_iter()
            .find(|verb| verb.as_str() == text)
            .ok_or_else(|| UnknownVerb {
                given: text.to_owned(),
            })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn its_text_is_read_back_as_itself_alone_and_in_json() {
        for verb in Verb::ALL {
            assert_eq!(verb.as_str().parse::<Verb>().unwrap(), verb);
            let json = serde_json::to_string(&verb).unwrap();
            assert_eq!(json, format!("\"{verb}\""));
            assert_eq!(serde_json::from_str::<Verb>(&json).unwrap(), verb);
        }
    }

    #[test]
    fn no_two_share_a_text_or_a_label() {
        let texts: BTreeSet<_> = Verb::ALL.iter().map(|verb| verb.as_str()).collect();
        let labels: BTreeSet<_> = Verb::ALL.iter().map(|verb| verb.label()).collect();
        assert_eq!(
            (texts.len(), labels.len()),
            (Verb::ALL.len(), Verb::ALL.len())
        );
    }

    #[test]
    fn they_are_those_of_the_contract_in_its_order() {
        assert_eq!(
            Verb::ALL.map(Verb::as_str).join(", "),
            "create, update, delete, restore, assign, unassign, transfer, authenticate, \
             authorize, approve, reject, activate, deactivate, enable, disable, cancel, \
             rollback, rotate, run, read, export, other"
        );
        assert!(Verb::ALL.is_sorted());
    }

    #[test]
    fn anything_else_is_refused_with_the_list_of_what_is_accepted() {
        for text in ["", "Create", "created", " create", "explode"] {
            let message = text.parse::<Verb>().unwrap_err().to_string();
            assert!(message.contains(&format!("{text:?}")), "{message}");
            assert!(
                Verb::ALL.iter().all(|verb| message.contains(verb.as_str())),
                "{message}"
            );
        }
    }
}

//! Why a page is not shown: told as data, so that the browser can tell one from another.

use leptos::prelude::ServerFnError;
use serde::{Deserialize, Serialize};

/// Why something is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Nobody is signed in.
    SignedOut,
    /// There is no such page for them, whether it exists or not.
    NotFound,
    /// They belong to the workspace or the tenant, but their role does not open this page.
    NoAccess(Box<NoAccess>),
    /// The log cannot be read now; the text says why.
    Unavailable(String),
}

/// What somebody is told whose role does not open a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoAccess {
    /// What the page is of.
    pub of: Closed,
    /// Their e-mail address.
    pub email: String,
    /// Whom to ask, by name.
    pub ask: Vec<String>,
    /// Where they see what they did themselves.
    pub own: Option<String>,
    /// Where the objects that are open to them are listed, if any are.
    pub objects: Option<String>,
}

/// What a page is of that is not open to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closed {
    /// A workspace.
    Workspace {
        /// Its name.
        name: String,
        /// Their role in it.
        role: String,
        /// Whose page it is.
        open_to: OpenTo,
    },
    /// A whole tenant.
    Tenant {
        /// Its name.
        name: String,
    },
}

/// Whom a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenTo {
    /// All who read the log.
    Readers,
    /// Those who manage members and API tokens.
    Managers,
}

impl OpenTo {
    /// Their roles, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Readers => "owners, admins and auditors",
            Self::Managers => "owners and admins",
        }
    }
}

/// What a server function answers: the inner result is the answer, the outer one whether there was
/// any.
pub type Answered<T> = Result<Result<T, Refusal>, ServerFnError>;

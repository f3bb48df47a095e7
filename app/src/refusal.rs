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
    /// They belong to the workspace, but their role does not open this page.
    NoAccess(Box<NoAccess>),
    /// The log cannot be read now; the text says why.
    Unavailable(String),
}

/// What somebody is told whose role does not open a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoAccess {
    /// The workspace's name.
    pub workspace: String,
    /// Who is signed in.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their role.
    pub role: String,
    /// Whom to ask, by name.
    pub owners: Vec<String>,
    /// Where the objects that are open to them are listed, if any are.
    pub objects: Option<String>,
}

/// What a server function answers: the inner result is the answer, the outer one whether there was
/// any.
pub type Answered<T> = Result<Result<T, Refusal>, ServerFnError>;

//! What the page on the proof shows, ready to be set.

use crate::{log::view::WhenView, settings::places::Of};

/// How the proof of a log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofView {
    /// Around the page.
    pub of: Of,
    /// The zone that times are shown in.
    pub zone: String,
    /// The page's path.
    pub path: String,
    /// What the check beside the server found.
    pub check: CheckView,
    /// The newest checkpoint.
    pub newest: Option<CheckpointView>,
    /// The keys that sign, the one of now first.
    pub keys: Vec<KeyView>,
    /// Who keeps checkpoints elsewhere.
    pub witnesses: Vec<WitnessView>,
}

/// What the check beside the server found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckView {
    /// How many entries there are: "1 204".
    pub entries: String,
    /// When all of how many were right.
    pub passed: Option<(String, WhenView)>,
    /// Where it is now, where it is somewhere.
    pub checked: Option<String>,
    /// Whether something is wrong.
    pub failing: bool,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointView {
    /// Of how many entries.
    pub size: String,
    /// When it was made.
    pub at: WhenView,
    /// As it is kept.
    pub text: String,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyView {
    /// The note's verifier key.
    pub text: String,
    /// SHA-256 of the public key, in hexadecimal digits.
    pub fingerprint: String,
    /// Since when it signs.
    pub from: WhenView,
    /// Until when it signed.
    pub until: Option<WhenView>,
}

/// A witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessView {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub kind: String,
    /// Of how many entries the checkpoint is that it holds, and since when.
    pub holds: Option<(String, WhenView)>,
    /// Since when it takes nothing, and why.
    pub failing: Option<(WhenView, String)>,
}

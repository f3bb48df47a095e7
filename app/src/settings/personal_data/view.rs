//! What the page on people's data shows, ready to be set.

use crate::frame::Frame;

/// What is stored about people, for how long and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalDataView {
    /// Around the page.
    pub frame: Frame,
    /// The zone that times are shown in.
    pub zone: String,
    /// When this was so.
    pub at: String,
    /// How long entries are kept now, in sentences.
    pub kept: Vec<String>,
    /// A legal hold stands: since when, by whom.
    pub held: Option<String>,
    /// The actions of which entries never expire, by their labels.
    pub for_good: Vec<String>,
    /// Each kind of data.
    pub parts: Vec<PartView>,
}

/// One kind of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartView {
    /// What it is called.
    pub heading: &'static str,
    /// What is said of it, each under its name.
    pub facts: Vec<(&'static str, String)>,
}

//! What a page says to the browser beside its HTML. The pages know no HTTP: the server provides an
//! [`Answer`] by context for each request and does what it is told.

use leptos::prelude::use_context;
use std::{fmt, sync::Arc};

/// What is said beside the HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The response's status code, such as 404.
    Status(u16),
    /// Look there instead, with `GET` (status 303); an address on this site.
    SeeOther(String),
    /// The next page that the person who asks looks at is given this, once: a secret that is shown
    /// and not kept.
    Reveal(Revealed),
}

/// What the form before this page gave it to show, once. It does not print itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Revealed(pub Option<String>);

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Revealed(…)"
        } else {
            "Revealed(None)"
        })
    }
}

/// Takes what pages and server functions say beside their content.
#[derive(Clone)]
pub struct Answer {
    takes_pages: bool,
    reply: Arc<dyn Fn(Reply) + Send + Sync>,
}

impl Answer {
    /// An answer that hands on to `reply`. `takes_pages`: whether the request asks for a page (its
    /// `Accept` names `text/html`), as a form without script does, and not for data.
    pub fn new(takes_pages: bool, reply: impl Fn(Reply) + Send + Sync + 'static) -> Self {
        Self {
            takes_pages,
            reply: Arc::new(reply),
        }
    }

    fn give(&self, reply: Reply) {
        (self.reply)(reply);
    }
}

/// Sets the response's status code.
pub(crate) fn status(code: u16) {
    if let Some(answer) = use_context::<Answer>() {
        answer.give(Reply::Status(code));
    }
}

/// Sends the browser elsewhere.
pub(crate) fn see_other(address: &str) {
    if let Some(answer) = use_context::<Answer>() {
        answer.give(Reply::SeeOther(address.to_owned()));
    }
}

/// Sends the browser to the page that shows what came of a form, where it was sent without script.
pub(crate) fn after_form(address: &str) {
    if let Some(answer) = use_context::<Answer>()
        && answer.takes_pages
    {
        answer.give(Reply::SeeOther(address.to_owned()));
    }
}

/// Gives a text to the page that is shown next, once, as [`revealed`] there: for a secret that
/// nothing keeps. It is in no address, database or log; only this person's browser brings it back,
/// sealed, within two minutes. It has to be short: what is sealed goes into a cookie.
pub fn reveal(text: &str) {
    if let Some(answer) = use_context::<Answer>() {
        answer.give(Reply::Reveal(Revealed(Some(text.to_owned()))));
    }
}

/// What the form before this page gave it to show; after this page nobody has it any more.
pub fn revealed() -> Option<String> {
    use_context::<Revealed>().and_then(|revealed| revealed.0)
}

//! What a page says to the browser beside its HTML. The pages know no HTTP: the server provides an
//! [`Answer`] by context for each request and does what it is told.

use leptos::prelude::use_context;
use std::sync::Arc;

/// What is said beside the HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The response's status code, such as 404.
    Status(u16),
    /// Look there instead, with `GET` (status 303); an address on this site.
    SeeOther(String),
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

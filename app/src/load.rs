//! The server functions of a log: what the browser may ask once it is live. They take the page's
//! address as it is, so that there is one reading of it, and answer with HTML: the same components
//! render it as render the whole page, and the browser needs to know none of them.

use crate::refusal::Answered;
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

/// A page of a log, to be put in the place of the one on screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// The document's title.
    pub title: String,
    /// The page from its frame on.
    pub html: String,
}

/// The log at `path`, as the query string asks.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "log", input = GetUrl)]
pub async fn load_log(path: String, search: String) -> Answered<Screen> {
    let asker = crate::viewer::Asker::of_request();
    let owner = Owner::current();
    let shown = crate::log::answer::shown(asker, &path, &search).await;
    Ok(shown.map(|shown| {
        let render = || {
            let title = crate::full_title(&shown.title());
            let html = view! { <crate::log::Page shown/> }.to_html();
            Screen { title, html }
        };
        match owner {
            Some(owner) => owner.with(render),
            None => render(),
        }
    }))
}

/// When the entries of the log at `path` occurred, as the query string asks, counted for as long as it may
/// take; none where none did.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "chart", input = GetUrl)]
pub async fn load_chart(path: String, search: String) -> Answered<Option<String>> {
    let asker = crate::viewer::Asker::of_request();
    let owner = Owner::current();
    let counted = crate::log::answer::counted_chart(asker, &path, &search).await;
    Ok(counted.map(|counted| {
        let (links, chart) = counted?;
        let render = || view! { <crate::log::chart::Chart links chart/> }.to_html();
        Some(match owner {
            Some(owner) => owner.with(render),
            None => render(),
        })
    }))
}

/// What may be meant by `text` in a field of the filter (`q` or `actor`) of the log at `path`, most used first, as
/// a listbox holds it: nothing that the query string asks for already. Empty where there is nothing.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "completions", input = GetUrl)]
pub async fn load_completions(
    path: String,
    search: String,
    field: String,
    text: String,
) -> Answered<String> {
    let asker = crate::viewer::Asker::of_request();
    Ok(crate::log::completion::completions(asker, &path, &search, &field, &text).await)
}

/// What arrived since a page was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// How many entries that the page asks for.
    pub entries: u64,
    /// The last number that was looked at, in the order of arrival.
    pub next: u64,
}

/// How many entries that the log at `path` shows, as the query string asks, arrived after number
/// `after`; where none did, they are waited for, `wait` seconds at most, 30 being the longest.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "news", input = GetUrl)]
pub async fn load_news(path: String, search: String, after: u64, wait: u8) -> Answered<News> {
    let asker = crate::viewer::Asker::of_request();
    Ok(crate::log::answer::news(asker, &path, &search, after, wait).await)
}

/// How far an export is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportScreen {
    /// The line about it.
    pub html: String,
    /// What is said of it, once it is over.
    pub said: Option<String>,
}

/// How far the export is that the person who asks named `name`; none where there is none.
///
/// # Errors
///
/// The server does not answer.
#[allow(clippy::unused_async, reason = "on the server it need not wait")]
#[server(prefix = "/ui", endpoint = "export", input = GetUrl)]
pub async fn load_export(name: String) -> Answered<Option<ExportScreen>> {
    use crate::{log::export, viewer::Asker};
    let asker = Asker::of_request();
    Ok(asker.map(|asker| {
        let known = name.parse().ok();
        let progress = known.and_then(|name| asker.store.export_progress(&asker.person, &name))?;
        let is_over = progress.state != store::export::State::Running;
        Some(ExportScreen {
            said: is_over.then(|| export::words(&progress)),
            html: view! { <export::ExportProgress name progress/> }.to_html(),
        })
    }))
}

/// Breaks off the export that the person who asks named `name`; whether there was one that ran.
///
/// # Errors
///
/// The server does not answer.
#[allow(clippy::unused_async, reason = "on the server it need not wait")]
#[server(prefix = "/ui", endpoint = "cancel_export")]
pub async fn cancel_export(name: String) -> Answered<bool> {
    let asker = crate::viewer::Asker::of_request();
    crate::answer::after_form("/");
    Ok(asker.map(|asker| {
        let known = name.parse().ok();
        known.is_some_and(|name| asker.store.cancel_export(&asker.person, &name))
    }))
}

/// Notes whether single keys do something for the person who asks: for them alone, wherever they sign in.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "set_single_keys")]
pub async fn set_single_keys(on: bool) -> Answered<()> {
    let asker = crate::viewer::Asker::of_request();
    crate::answer::after_form("/");
    let asker = match asker {
        Ok(asker) => asker,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let noted = asker.store.note_single_keys(&asker.person, on).await;
    Ok(noted.map_err(crate::refusal::Refusal::from))
}

/// The entry `id` of the log at `path`, as it opens under its row on the page that `search` asks for;
/// none where there is no such entry.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "entry", input = GetUrl)]
pub async fn load_entry(path: String, search: String, id: String) -> Answered<Option<String>> {
    let asker = crate::viewer::Asker::of_request();
    let owner = Owner::current();
    let opened = crate::log::answer::opened_entry(asker, &path, &search, &id).await;
    Ok(opened.map(|opened| {
        let (links, about, entry) = opened?;
        let render = || view! { <crate::log::entry::Entry links about entry/> }.to_html();
        Some(match owner {
            Some(owner) => owner.with(render),
            None => render(),
        })
    }))
}

//! A log, as a page.

use super::{
    answer,
    chips::Chips,
    filters::Filters,
    foot::Foot,
    head::{ObjectHead, PageHead},
    ledger::Ledger,
    states::{Apart, Faults, First, LostCursor, Nothing, Notices, Trouble},
    tokens::Active,
    view::{DayView, EntryView, LogView, ScopeView},
};
use crate::{
    address::{Links, LogAddress},
    frame::{Framed, Here},
    pages::Refused,
    viewer::Asker,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use std::sync::Arc;

/// What a log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A workspace: the Audit page.
    Workspace,
    /// One object of it: its Audit tab.
    Object,
}

/// All that a page of a log shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    pub(super) about: About,
    pub(super) scope: ScopeView,
    pub(super) log: LogView,
    /// The id of the entry that the address opens.
    pub(super) open: Option<String>,
    /// That entry, if there is one.
    pub(super) entry: Option<EntryView>,
}

impl Shown {
    /// What the page is called.
    pub(crate) fn title(&self) -> String {
        match &self.scope.object {
            Some(object) => format!("{}, Audit", object.name),
            None => format!("Audit, {}", self.scope.frame.workspace.name),
        }
    }
}

/// The log at the request's address.
#[component]
pub fn Log() -> impl IntoView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    let asker = Asker::of_request();
    view! {
        <Suspense>
            {Suspend::new(async move {
                match answer::shown(asker, &path, &search).await {
                    Ok(shown) => {
                        if shown.log.lost_cursor || !shown.log.faults.is_empty() {
                            crate::answer::status(400);
                        }
                        view! {
                            <Title text=shown.title()/>
                            <Page shown/>
                        }
                            .into_any()
                    }
                    Err(refusal) => view! { <Refused refusal/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// The page, frame and all.
#[component]
pub(crate) fn Page(shown: Shown) -> impl IntoView {
    let Shown {
        about,
        scope,
        log,
        open,
        entry,
    } = shown;
    let ScopeView {
        frame,
        choices,
        object,
    } = scope;
    let address = LogAddress {
        workspace: frame.workspace.path.clone(),
        subject: object.as_ref().and_then(|object| {
            Some(domain::question::Subject {
                kind: object.kind.parse().ok()?,
                id: object.id.clone(),
            })
        }),
    };
    let links = Arc::new(Links::new(&address, log.query.clone()));
    let apart = open
        .clone()
        .filter(|open| !log.rows().any(|row| row.id == *open))
        .map(|open| {
            view! { <Apart links=links.clone() open entry=entry.clone() about now=log.now/> }
        });
    let mut log = log;
    let days = std::mem::take(&mut log.days);
    let log = Arc::new(log);
    let (here, class) = match about {
        About::Workspace => (Here::Audit, "page"),
        About::Object => (Here::Objects, "page object-scope"),
    };
    let settings = frame
        .reads_settings
        .then(|| crate::address::settings(&frame.workspace.path));
    let workspace = frame.workspace.path.clone();
    let read_at = log.read_at.clone();
    let head = match object {
        Some(object) => {
            view! { <ObjectHead links=links.clone() log=log.clone() object workspace=workspace.clone()/> }.into_any()
        }
        None => view! { <PageHead links=links.clone() log=log.clone()/> }.into_any(),
    };
    let chips = (about == About::Workspace)
        .then(|| view! { <Chips links=links.clone() choices=choices.clone()/> });
    let first = log
        .first
        .clone()
        .map(|public_url| view! { <First public_url workspace settings=settings.clone()/> });

    view! {
        <Framed frame=Some(frame) here zone=log.zone.clone() skip=("#entries", "Skip to the entries")>
            <div class=class>
                {head}
                <Trouble read_at/>
                <Notices notices=log.notices.clone() settings zone=log.zone.clone()/>
                <Faults log=log.clone()/>
                {chips}
                <Filters links=links.clone() log=log.clone() choices about/>
                <Active links=links.clone() log=log.clone()/>
                {apart}
                {first}
                <div class="log" aria-busy="false">
                    <Entries links about log days entry open/>
                </div>
            </div>
        </Framed>
    }
    .into_any()
}

/// The ledger with its foot, or what stands in its place.
#[component]
fn Entries(
    links: Arc<Links>,
    about: About,
    log: Arc<LogView>,
    days: Vec<DayView>,
    entry: Option<EntryView>,
    open: Option<String>,
) -> impl IntoView {
    if log.lost_cursor {
        return view! { <LostCursor links/> }.into_any();
    }
    let foot = view! { <Foot links=links.clone() log=log.clone()/> };
    if days.is_empty() && log.first.is_some() {
        // The first steps stand in their place.
        view! { <div id="entries" tabindex="-1">{foot}</div> }.into_any()
    } else if days.is_empty() {
        view! {
            <Nothing links about searched=log.searched_to.is_some()/>
            {foot}
        }
        .into_any()
    } else {
        view! {
            <Ledger links about log days entry open/>
            {foot}
        }
        .into_any()
    }
}

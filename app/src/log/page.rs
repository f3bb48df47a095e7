//! A log, as a page.

use super::{
    About, answer,
    chart::Chart,
    chips::Chips,
    filters::Filters,
    foot::Foot,
    head::{ObjectHead, PageHead},
    ledger::Ledger,
    states::{Apart, Faults, First, LostCursor, Nothing, Notices, Trouble, Within},
    tokens::Active,
    view::{DayView, EntryView, LogView, ScopeView},
};
use crate::{
    address::{self, Links, LogAddress},
    frame::{Bar, Framed, Here},
    pages::loaded,
};
use leptos::prelude::*;
use leptos_meta::Title;
use std::sync::Arc;

/// All that a page of a log shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    /// Where it is, and so what it is about.
    pub(super) address: LogAddress,
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
        let heading = heading(About::of(&self.address));
        match (&self.scope.object, &self.scope.frame) {
            (Some(object), _) => format!("{}, Audit", object.name),
            (None, Bar::Workspace(frame)) => format!("{heading}, {}", frame.workspace.name),
            (None, Bar::Tenant(frame)) => format!("{heading} of {}", frame.tenant.name),
            (None, Bar::Bare) => heading.to_owned(),
        }
    }
}

/// What stands above a log that is not one object's.
const fn heading(about: About) -> &'static str {
    match about {
        About::Tenant => "Audit, all workspaces",
        About::Workspace | About::Object => "Audit",
        About::Own => "My activity",
    }
}

/// The log at the request's address.
#[component]
pub fn Log() -> impl IntoView {
    loaded(
        |asker, path, search| async move { answer::shown(asker, &path, &search).await },
        |shown| {
            if shown.log.lost_cursor || !shown.log.faults.is_empty() {
                crate::answer::status(400);
            }
            view! {
                <Title text=shown.title()/>
                <Page shown/>
            }
            .into_any()
        },
    )
}

/// The page, frame and all.
#[component]
pub(crate) fn Page(shown: Shown) -> impl IntoView {
    let Shown {
        address: at,
        scope,
        log,
        open,
        entry,
    } = shown;
    let about = About::of(&at);
    let ScopeView {
        frame,
        may_export,
        choices,
        object,
    } = scope;
    let links = Arc::new(Links::new(&at, log.query.clone()).fixed_at(log.fixed));
    let apart = open
        .clone()
        .filter(|open| !log.rows().any(|row| row.id == *open))
        .map(|open| {
            view! { <Apart links=links.clone() open entry=entry.clone() about now=log.now/> }
        });
    let mut log = log;
    let days = std::mem::take(&mut log.days);
    let chart = log
        .chart
        .take()
        .map(|chart| view! { <Chart links=links.clone() chart/> });
    let log = Arc::new(log);
    let here = match about {
        About::Tenant | About::Workspace => Here::Audit,
        About::Object => Here::Objects,
        About::Own => Here::Own,
    };
    // What leads from a page of a workspace to others of it.
    let (settings, workspace, tokens) = match &frame {
        Bar::Workspace(frame) => {
            let path = &frame.workspace.path;
            (
                frame.reads_settings.then(|| address::settings(path)),
                Some(path.clone()),
                frame.manages.then(|| address::tokens(path)),
            )
        }
        Bar::Tenant(_) | Bar::Bare => (None, None, None),
    };
    let read_at = log.read_at.clone();
    let head = match object.zip(workspace.clone()) {
        Some((object, workspace)) => view! {
            <ObjectHead links=links.clone() log=log.clone() object workspace may_export/>
        }
        .into_any(),
        None => {
            let heading = heading(about);
            view! { <PageHead links=links.clone() log=log.clone() heading may_export/> }.into_any()
        }
    };
    let chips = about
        .has_targets()
        .then(|| view! { <Chips links=links.clone() choices=choices.clone()/> });
    let first = log
        .first
        .clone()
        .zip(workspace)
        .map(|(public_url, workspace)| {
            view! { <First public_url workspace settings=settings.clone() tokens/> }
        });

    view! {
        <Framed frame here zone=log.zone.clone() skip=("#entries", "Skip to the entries") has_keys=true>
            <div class=about.class()>
                {head}
                <Trouble read_at/>
                <Notices notices=log.notices.clone() settings zone=log.zone.clone()/>
                <Within within=log.within.clone() zone=log.zone.clone()/>
                <Faults log=log.clone() about/>
                {chart}
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
            <Nothing
                links
                about
                searched=log.searched_to.is_some()
                relaxed=log.relaxed.clone()
            />
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

//! The head of a log page: what it is, of what time, in which zone.

use super::{
    export::ExportMenu,
    range::RangePicker,
    view::{LastView, LogView, ObjectView},
    when::Ago,
    zone::{ZoneMenu, ZoneView},
};
use crate::{
    address::{self, Links},
    icon::Icon,
};
use domain::{question::Subject, slug::WorkspacePath};
use leptos::prelude::*;
use std::sync::Arc;

/// The head of an Audit page, and of My activity.
#[component]
pub(super) fn PageHead(
    links: Arc<Links>,
    log: Arc<LogView>,
    heading: &'static str,
    /// Whether what it shows may be taken away as a file.
    may_export: bool,
) -> impl IntoView {
    let export = may_export.then(|| view! { <ExportMenu links=links.clone()/> });
    view! {
        <header class="page-head">
            <h1>{heading}</h1>
            <div class="page-words">
                <span>{log.words.clone()} ", times in"</span>
                <ZoneMenu zone=ZoneView::of_log(&links, &log)/>
            </div>
            <div class="page-tools">
                <RangePicker links log/>
                {export}
            </div>
        </header>
    }
    .into_any()
}

/// One of the pages of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectTab {
    /// What is known of it.
    Overview,
    /// Its entries.
    Audit,
    /// Who set each of its fields.
    Blame,
}

/// What stands above each of an object's pages: where it is, what it is called, and its tabs.
#[component]
pub(crate) fn ObjectTop(
    workspace: WorkspacePath,
    object: ObjectView,
    /// The zone of the page, which its links keep.
    zone: String,
    /// The tab that is open.
    tab: ObjectTab,
    /// The address of the page, as it is asked now.
    here: String,
) -> impl IntoView {
    let subject = object.kind.parse().ok().map(|kind| Subject {
        kind,
        id: object.id.clone(),
    });
    let in_zone = |path: &str| address::in_zone(path, &zone);
    let objects = in_zone(&address::objects(&workspace));
    let of_kind = in_zone(&address::objects_of(&workspace, &object.kind));
    let tabs = [
        (ObjectTab::Overview, "Overview"),
        (ObjectTab::Audit, "Audit"),
        (ObjectTab::Blame, "Blame"),
    ]
    .map(|(each, name)| {
        let current = each == tab;
        let leads = subject.as_ref().filter(|_| !current).map(|subject| {
            in_zone(&match each {
                ObjectTab::Overview => address::overview(&workspace, subject),
                ObjectTab::Audit => address::object(&workspace, subject),
                ObjectTab::Blame => address::blame(&workspace, subject),
            })
        });
        view! {
            <li>
                <a
                    href=leads.unwrap_or_else(|| here.clone())
                    aria-current=current.then_some("page")
                >
                    {name}
                </a>
            </li>
        }
    })
    .collect_view();
    let kind = object.kind.replace('_', " ");
    let open = object.url.map(|url| {
        view! {
            <a class="button" href=url rel="noopener external">
                <Icon name="open"/>
                {format!("Open the {kind}")}
            </a>
        }
    });
    view! {
        <nav class="crumbs" aria-label="Where this is">
            <ol>
                <li>
                    <a href=objects>"Objects"</a>
                </li>
                <li>
                    <a href=of_kind>{object.kind.clone()}</a>
                </li>
                <li aria-current="page">{object.name.clone()}</li>
            </ol>
        </nav>
        <header class="object-head">
            <h1>{object.name}</h1>
            {open}
            <p class="ids">
                <span>{object.kind}</span>
                <code>{object.id}</code>
            </p>
        </header>
        <nav class="tabs" aria-label="This object">
            <ul>{tabs}</ul>
        </nav>
    }
    .into_any()
}

/// Who changed an object last, and when.
#[component]
pub(crate) fn LastChanged(
    last: LastView,
    /// When the page was read: milliseconds since 1970.
    now: i64,
) -> impl IntoView {
    let exact = last.at.exact.clone();
    view! {
        <span>
            "Last changed by " <strong class="strong">{last.by}</strong> " on "
            <time datetime=last.at.iso title=exact>
                {last.at.date}
                " "
                {last.at.clock}
            </time>
            " "
            <span class="quiet">
                <Ago millis=last.at.millis midnights=last.at.days_ago now/>
            </span>
        </span>
    }
    .into_any()
}

/// The head of an object's Audit tab.
#[component]
pub(super) fn ObjectHead(
    links: Arc<Links>,
    log: Arc<LogView>,
    object: ObjectView,
    workspace: WorkspacePath,
    /// Whether what it shows may be taken away as a file.
    may_export: bool,
) -> impl IntoView {
    let export = may_export.then(|| view! { <ExportMenu links=links.clone()/> });
    let last = log
        .last
        .clone()
        .map(|last| view! { <LastChanged last now=log.now/> });
    view! {
        <ObjectTop
            workspace
            object
            zone=log.zone.clone()
            tab=ObjectTab::Audit
            here=links.closed()
        />
        <div class="object-line">
            <div class="page-words">
                {last}
                <span>
                    "Shown: " {log.words.clone()} ", times in"
                </span>
                <ZoneMenu zone=ZoneView::of_log(&links, &log)/>
            </div>
            <RangePicker links log/>
            {export}
        </div>
    }
    .into_any()
}

//! The head of a log page: what it is, of what time, in which zone.

use super::{
    range::RangePicker,
    view::{LogView, ObjectView},
    when::Ago,
    zone::ZoneMenu,
};
use crate::{address::Links, icon::Icon};
use leptos::prelude::*;
use std::sync::Arc;

/// The head of an Audit page, and of My activity.
#[component]
pub(super) fn PageHead(
    links: Arc<Links>,
    log: Arc<LogView>,
    heading: &'static str,
) -> impl IntoView {
    view! {
        <header class="page-head">
            <h1>{heading}</h1>
            <div class="page-words">
                <span>{log.words.clone()} ", times in"</span>
                <ZoneMenu links=links.clone() log=log.clone()/>
            </div>
            <div class="page-tools">
                <RangePicker links log/>
            </div>
        </header>
    }
    .into_any()
}

/// The head of an object's tab.
#[component]
pub(super) fn ObjectHead(
    links: Arc<Links>,
    log: Arc<LogView>,
    object: ObjectView,
    /// The Audit page, for those who may open it.
    audit: Option<String>,
) -> impl IntoView {
    let kind = object.kind.replace('_', " ");
    let crumb = audit.map(|audit| {
        let of_kind = format!(
            "{audit}?target_kind={}",
            crate::address::encoded(&object.kind)
        );
        view! {
            <li>
                <a href=audit>"Audit"</a>
            </li>
            <li>
                <a href=of_kind>{object.kind.clone()}</a>
            </li>
        }
    });
    let open = object.url.clone().map(|url| {
        view! {
            <a class="button" href=url rel="noopener external">
                <Icon name="open"/>
                {format!("Open the {kind}")}
            </a>
        }
    });
    let last = log.last.clone().map(|last| {
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
                    <Ago millis=last.at.millis midnights=last.at.days_ago now=log.now/>
                </span>
            </span>
        }
    });
    view! {
        <nav class="crumbs" aria-label="Where this is">
            <ol>
                {crumb}
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
            <ul>
                <li>
                    <a href=links.closed() aria-current="page">
                        "Audit"
                    </a>
                </li>
            </ul>
        </nav>
        <div class="object-line">
            <div class="page-words">
                {last}
                <span>
                    "Shown: " {log.words.clone()} ", times in"
                </span>
                <ZoneMenu links=links.clone() log=log.clone()/>
            </div>
            <RangePicker links log/>
        </div>
    }
    .into_any()
}

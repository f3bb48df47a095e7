//! The ledger: one table, a body a day.

use super::{
    About,
    row::Rows,
    view::{DayView, EntryView, LogView, RowView},
};
use crate::{
    address::Links,
    icon::Icon,
    number::{entries, grouped},
};
use domain::question::{Order, Sort};
use leptos::prelude::*;
use maud::{Markup, html};
use std::sync::Arc;

/// The rows, with one of them open.
#[component]
pub(super) fn Ledger(
    links: Arc<Links>,
    about: About,
    log: Arc<LogView>,
    days: Vec<DayView>,
    /// The open entry, if it was found.
    entry: Option<EntryView>,
    /// The id of the entry that is open.
    open: Option<String>,
) -> impl IntoView {
    let caption = caption(&links, about);
    let rows = Rows {
        links: links.clone(),
        about,
        now: log.now,
    };
    let days = days
        .iter()
        .map(|day| {
            let html = html! {
                (head(day, about))
                @for row in &day.rows {
                    (rows.row(row, open.as_deref(), entry.as_ref()))
                }
            };
            view! { <tbody inner_html=html.into_string()></tbody> }
        })
        .collect::<Vec<_>>();
    view! {
        <table class="ledger" id="entries" tabindex="-1">
            <caption class="sr-only">{caption}</caption>
            <Columns about/>
            <thead>
                <tr>
                    <Head links=links.clone() sort=Sort::Time zone=log.zone.clone()/>
                    {about
                        .has_workspaces()
                        .then(|| {
                            view! {
                                <th class="c-workspace" scope="col">
                                    "Workspace"
                                </th>
                            }
                        })}
                    {about
                        .has_actors()
                        .then(|| view! { <Head links=links.clone() sort=Sort::Actor/> })}
                    <Head links=links.clone() sort=Sort::Action/>
                    {about
                        .has_targets()
                        .then(|| view! { <Head links=links.clone() sort=Sort::TargetKind/> })}
                    <th class="c-change" scope="col">
                        "Change"
                    </th>
                </tr>
            </thead>
            {days}
        </table>
    }
    .into_any()
}

/// An object's newest entries, on another page of it: each opens on its Audit tab.
#[component]
pub(crate) fn Newest(
    /// The links of the Audit tab.
    links: Arc<Links>,
    rows: Vec<RowView>,
    zone: String,
    /// When the page was read: milliseconds since 1970.
    now: i64,
) -> impl IntoView {
    let about = About::Object;
    let templates = Rows { links, about, now };
    let html = html! {
        @for row in &rows {
            (templates.row(row, None, None))
        }
    };
    view! {
        <table class="ledger" id="entries" tabindex="-1">
            <caption class="sr-only">"The newest entries"</caption>
            <Columns about/>
            <thead>
                <tr>
                    <th class="c-time" scope="col">
                        {name(Sort::Time)} <span class="zone-name">{zone}</span>
                    </th>
                    <th class="c-actor" scope="col">
                        {name(Sort::Actor)}
                    </th>
                    <th class="c-action" scope="col">
                        {name(Sort::Action)}
                    </th>
                    <th class="c-change" scope="col">
                        "Change"
                    </th>
                </tr>
            </thead>
            <tbody inner_html=html.into_string()></tbody>
        </table>
    }
    .into_any()
}

/// The columns' widths.
#[component]
pub(super) fn Columns(about: About) -> impl IntoView {
    view! {
        <colgroup>
            <col class="c-time"/>
            {about.has_workspaces().then(|| view! { <col class="c-workspace"/> })}
            {about.has_actors().then(|| view! { <col class="c-actor"/> })}
            <col class="c-action"/>
            {about.has_targets().then(|| view! { <col class="c-target"/> })}
            <col class="c-change"/>
        </colgroup>
    }
    .into_any()
}

fn caption(links: &Links, about: About) -> String {
    let entries = match about {
        About::Tenant => "Entries of every workspace",
        About::Workspace | About::Object => "Entries",
        About::Own => "Entries of what you did",
    };
    let by = |sort| name(sort).to_lowercase();
    match (links.query.sort, links.query.direction()) {
        (Sort::Time, Order::Descending) => format!("{entries}, newest first"),
        (Sort::Time, Order::Ascending) => format!("{entries}, oldest first"),
        (sort, Order::Ascending) => format!("{entries} by {}, from A", by(sort)),
        (sort, Order::Descending) => format!("{entries} by {}, from Z", by(sort)),
    }
}

const fn name(sort: Sort) -> &'static str {
    match sort {
        Sort::Time => "Performed on",
        Sort::Actor => "Actor",
        Sort::Action => "Action",
        Sort::TargetKind => "Target",
    }
}

/// The head of a column, which sorts by it.
#[component]
fn Head(
    links: Arc<Links>,
    sort: Sort,
    /// The zone of the times in this column.
    #[prop(optional, into)]
    zone: Option<String>,
) -> impl IntoView {
    let query = &links.query;
    let is_sorted = query.sort == sort;
    let direction = query.direction();
    let order = is_sorted.then(|| direction.reversed());
    let href = links.to(&query.sorted(sort, order));
    let sorted = is_sorted.then_some(match direction {
        Order::Ascending => "ascending",
        Order::Descending => "descending",
    });
    let class = match sort {
        Sort::Time => "c-time",
        Sort::Actor => "c-actor",
        Sort::Action => "c-action",
        Sort::TargetKind => "c-target",
    };
    let title = match (sort, sorted) {
        (Sort::TargetKind, _) => Some("Sorts by the kind of target"),
        _ => None,
    };
    view! {
        <th class=class scope="col" aria-sort=sorted>
            <a href=href data-stay="" title=title>
                {name(sort)}
                <Icon name="arrow-down"/>
            </a>
            {zone.map(|zone| view! { <span class="zone-name">{zone}</span> })}
        </th>
    }
    .into_any()
}

/// The head of a day.
fn head(day: &DayView, about: About) -> Markup {
    let rest = about.columns() - 1;
    html! {
        @if let Some((weekday, date)) = &day.day {
            tr.day {
                th scope="rowgroup" {
                    span.weekday { (weekday) " " }
                    (date)
                }
                td colspan=(rest) {
                    @if let Some(count) = day.entries.and_then(|count| u64::try_from(count).ok()) {
                        (grouped(count)) " " (entries(count))
                    }
                }
            }
        }
    }
}

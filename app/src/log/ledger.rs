//! The ledger: one table, a body a day, and one for the entries of an operation that follow each other.

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
use domain::question::{Order, Query, Sort};
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
    let folds = folds(&links.query);
    let bodies = days
        .iter()
        .flat_map(|day| bodies(day, folds))
        .map(|body| {
            let operation = body.operation();
            let html = html! {
                @if let Some(day) = body.day {
                    (head(day, about))
                }
                @if operation.is_some() {
                    (rows.operation(body.rows, open.as_deref()))
                }
                @for row in body.rows {
                    (rows.row(row, open.as_deref(), entry.as_ref()))
                }
            };
            let class = operation.is_some().then_some("operation");
            view! { <tbody class=class id=operation inner_html=html.into_string()></tbody> }
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
            {bodies}
        </table>
    }
    .into_any()
}

/// Rows that are a body of the table: the head of a day with the rows after it, or others of that day, or
/// those of one operation, which fold into one.
struct Body<'a> {
    /// The day that begins with it.
    day: Option<&'a DayView>,
    rows: &'a [RowView],
    folds: bool,
}

impl Body<'_> {
    /// What it is known by, where it folds: by its last entry, because new ones come before it.
    fn operation(&self) -> Option<String> {
        let last = self.rows.last().filter(|_| self.folds)?;
        Some(format!("o-{}", last.id))
    }
}

/// Whether entries of one operation fold: where they are sorted by time, and it is not what was asked for.
fn folds(query: &Query) -> bool {
    query.sort == Sort::Time && query.filter.operation.is_none()
}

/// The bodies of a day. Only entries fold that follow each other: nothing is moved.
fn bodies(day: &DayView, folds: bool) -> Vec<Body<'_>> {
    let mut bodies = Vec::new();
    let mut head = day.day.is_some().then_some(day);
    // Rows that do not fold stand together, from here on.
    let (mut from, mut at) = (0, 0);
    for rows in day
        .rows
        .chunk_by(|one, other| folds && is_of_one_operation(one, other))
    {
        if rows.len() > 1 {
            if head.is_some() || from < at {
                bodies.push(Body {
                    day: head.take(),
                    rows: &day.rows[from..at],
                    folds: false,
                });
            }
            bodies.push(Body {
                day: None,
                rows,
                folds: true,
            });
            from = at + rows.len();
        }
        at += rows.len();
    }
    if head.is_some() || from < at {
        bodies.push(Body {
            day: head,
            rows: &day.rows[from..],
            folds: false,
        });
    }
    bodies
}

/// Another workspace's operation of the same name is another one.
fn is_of_one_operation(one: &RowView, other: &RowView) -> bool {
    one.operation.is_some() && one.operation == other.operation && one.place == other.place
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::log::{
        compose::{Local, row},
        tests::{events, label, now},
    };
    use domain::question::Unknown;

    /// A day of as many entries, each of an operation; `-`: of none.
    fn day(operations: &str) -> DayView {
        let event = events().remove(0);
        let local = Local::new(&"UTC".parse().unwrap(), now());
        let rows = operations
            .chars()
            .enumerate()
            .map(|(at, operation)| RowView {
                id: at.to_string(),
                operation: (operation != '-').then(|| operation.to_string()),
                ..row(&event, &label(&event), &local)
            });
        DayView {
            day: Some(("Tuesday".to_owned(), "12 May".to_owned())),
            entries: None,
            rows: rows.collect(),
        }
    }

    /// The bodies of such a day: `|` before the one with its head, those that fold in brackets.
    fn shown(day: &DayView, folds: bool) -> String {
        let body = |body: &Body<'_>| {
            let rows: String = body.rows.iter().map(|row| row.id.as_str()).collect();
            let rows = if body.folds {
                format!("[{rows}]")
            } else {
                rows
            };
            format!("{}{rows}", if body.day.is_some() { "|" } else { "" })
        };
        let bodies = bodies(day, folds);
        bodies.iter().map(body).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn entries_of_one_operation_that_follow_each_other_fold() {
        for (operations, expected) in [
            ("--aaa--", "|01 [234] 56"),
            ("aabb", "| [01] [23]"),
            ("a-a-b", "|01234"),
            ("-aa", "|0 [12]"),
            ("---", "|012"),
        ] {
            assert_eq!(shown(&day(operations), true), expected, "{operations}");
        }
        assert_eq!(shown(&day("-aaa-"), false), "|01234");
    }

    #[test]
    fn an_operation_of_another_workspace_is_another_one() {
        let mut day = day("aaaa");
        for (row, name) in day
            .rows
            .iter_mut()
            .zip(["Growth", "Growth", "Revenue", "Revenue"])
        {
            row.place = Some(crate::log::view::PlaceView {
                name: name.to_owned(),
                workspace: None,
            });
        }
        assert_eq!(shown(&day, true), "| [01] [23]");
    }

    #[test]
    fn nothing_folds_in_another_order_or_where_the_operation_was_asked_for() {
        let folds = |search| folds(&Query::read(search, Unknown::Refused).query);
        assert!(folds("q=kim&order=asc"));
        assert!(!folds("sort=actor"));
        assert!(!folds("operation=rotate-2026-05"));
    }
}

//! One row of the ledger. A page has many, so they are written as text, by templates that are
//! compiled: a view for each of their elements took longer than finding the entries.

use super::{
    About,
    entry::Entry,
    view::{ActorView, EntryView, PlaceView, RowView, Sign, SummaryView, TargetView, WhenView},
};
use crate::{address::Links, ago::ago};
use domain::{
    category::Category,
    event::{ActorKind, Outcome, Part},
};
use leptos::prelude::*;
use maud::{Markup, PreEscaped, html};
use std::sync::Arc;

/// What all rows of a table have in common.
#[derive(Clone)]
pub(super) struct Rows {
    /// The links of the page that they are on.
    pub(super) links: Arc<Links>,
    /// What the log is about.
    pub(super) about: About,
    /// When the page was read: milliseconds since 1970.
    pub(super) now: i64,
}

impl Rows {
    /// A row, and under it what it opens to. `open` is the open entry, where the address opens one
    /// and it was found; `opened` is its id.
    pub(super) fn row(
        &self,
        row: &RowView,
        opened: Option<&str>,
        open: Option<&EntryView>,
    ) -> Markup {
        let is_open = opened == Some(row.id.as_str());
        let word = (row.outcome != Outcome::Success).then(|| row.outcome.as_str());
        html! {
            tr .row .is-open[is_open] id={ "e-" (row.id) } data-event-id=(row.id) data-outcome=[word] {
                (self.when(row, is_open))
                @if let Some(row_place) = &row.place {
                    (place(row_place))
                }
                @if self.about.has_actors() {
                    (actor(&row.actor))
                }
                td.c-action {
                    .line-1 {
                        (mark(row.category))
                        code.clip title=(row.action) { (row.action) }
                    }
                    @if let Some(label) = &row.label {
                        .line-2 { span.clip { (label) } }
                    }
                }
                @if self.about.has_targets() {
                    (target(&row.target, row.erased.contains(&Part::Objects)))
                }
                (change(row))
            }
            @if let Some(entry) = open.filter(|entry| is_open && entry.row.id == row.id) {
                (self.entry(entry.clone()))
            }
        }
    }

    /// The row that those of one operation fold into: what they have in common, and how many they are.
    /// `opened` is the id of the open entry: it is not folded away.
    pub(super) fn operation(&self, rows: &[RowView], opened: Option<&str>) -> Markup {
        let Some(first) = rows.first() else {
            return html! {};
        };
        let is_open = rows.iter().any(|row| Some(row.id.as_str()) == opened);
        let count = rows.len();
        let is_common = |same: &dyn Fn(&RowView) -> bool| rows.iter().all(same);
        let actors = distinct(
            rows.iter()
                .map(|row| (&row.actor.kind, &row.actor.id, &row.actor.name)),
        );
        let actors: Vec<&str> = actors
            .into_iter()
            .map(|(_, _, name)| name.as_str())
            .collect();
        let actions = distinct(
            rows.iter()
                .map(|row| row.label.as_ref().unwrap_or(&row.action)),
        );
        let actions: Vec<&str> = actions.into_iter().map(String::as_str).collect();
        let kinds = distinct(rows.iter().map(|row| row.target.kind.as_str()));
        let ids = rows
            .iter()
            .map(|row| Some((&row.target.kind, row.target.id.as_ref()?)));
        let targets = ids
            .collect::<Option<Vec<_>>>()
            .map(|ids| distinct(ids.into_iter()).len());
        let not_done = [Outcome::Failure, Outcome::Denied].map(|outcome| {
            let count = rows.iter().filter(|row| row.outcome == outcome).count();
            (outcome, count)
        });
        html! {
            tr.row.bundle {
                (self.when_folded(first, count, is_open))
                @if let Some(row_place) = &first.place {
                    (place(row_place))
                }
                @if self.about.has_actors() {
                    @if is_common(&|row| row.actor == first.actor) {
                        (actor(&first.actor))
                    } @else {
                        td.c-actor { (several(&actors, "actor", "actors")) }
                    }
                }
                td.c-action {
                    @if is_common(&|row| row.action == first.action) {
                        .line-1 {
                            (mark(first.category))
                            code.clip title=(first.action) { (first.action) }
                        }
                        @if let Some(label) = &first.label {
                            .line-2 { span.clip { (label) } }
                        }
                    } @else {
                        (several(&actions, "action", "actions"))
                    }
                }
                @if self.about.has_targets() {
                    @if is_common(&|row| row.target == first.target) {
                        (target(&first.target, false))
                    } @else {
                        td.c-target {
                            .line-1 {
                                span.name.clip {
                                    @match targets {
                                        Some(1) => "1 target",
                                        Some(count) => { (count) " targets" },
                                        // Who has no id cannot be told from others.
                                        None => (kinds.join(", ")),
                                    }
                                }
                            }
                            @if targets.is_some() {
                                .line-2 { span.kind { (kinds.join(", ")) } }
                            }
                        }
                    }
                }
                td.c-change {
                    .line-1 {
                        @for (outcome, count) in not_done.into_iter().filter(|(_, count)| *count > 0) {
                            (outcome_tag(outcome, Some(count)))
                        }
                        span.said.clip { b { (count) } " entries of one operation" }
                    }
                    @if let Some(operation) = &first.operation {
                        .line-2 { (self.whole(first, operation)) }
                    }
                }
            }
        }
    }

    /// A link to all entries of an operation, also of other pages.
    fn whole(&self, row: &RowView, operation: &str) -> Markup {
        let place = row.place.as_ref();
        let workspace = place.and_then(|place| place.workspace.as_ref());
        let href = self.links.operation(workspace, operation.to_owned());
        html! {
            a.clip href=(href) title={ "Show only the operation " (operation) } { (operation) }
        }
    }

    /// The time of what is folded, which unfolds it.
    fn when_folded(&self, row: &RowView, count: usize, is_open: bool) -> Markup {
        let WhenView {
            iso,
            date,
            clock,
            exact,
            millis,
            days_ago,
        } = &row.when;
        let passed = self.now - millis;
        html! {
            td.c-time {
                .when {
                    details.unfold open[is_open] {
                        summary.opener {
                            (icon("chevron-right"))
                            time datetime=(iso) title=(exact) {
                                span.date { (date) }
                                " "
                                span.clock { (clock) }
                            }
                            span.sr-only { ", " (count) " entries of one operation" }
                        }
                    }
                    span.ago {
                        span data-passed=(passed) data-midnights=(days_ago) { (ago(passed, *days_ago)) }
                    }
                }
            }
        }
    }

    fn entry(&self, entry: EntryView) -> Markup {
        let (links, about) = (self.links.clone(), self.about);
        PreEscaped(view! { <Entry links about entry/> }.to_html())
    }

    fn when(&self, row: &RowView, is_open: bool) -> Markup {
        let WhenView {
            iso,
            date,
            clock,
            exact,
            millis,
            days_ago,
        } = &row.when;
        let address = if is_open {
            self.links.closed()
        } else {
            self.links.opening(&row.id)
        };
        let controls = is_open.then(|| format!("d-{}", row.id));
        let passed = self.now - millis;
        html! {
            td.c-time {
                .when {
                    a.opener
                        href={ (address) "#e-" (row.id) }
                        data-stay=""
                        aria-expanded=(is_open)
                        aria-controls=[controls]
                    {
                        (icon("chevron-right"))
                        time datetime=(iso) title=(exact) {
                            span.date { (date) }
                            " "
                            span.clock { (clock) }
                        }
                    }
                    span.ago {
                        span data-passed=(passed) data-midnights=(days_ago) { (ago(passed, *days_ago)) }
                    }
                    @if let Some(late) = &row.late {
                        span.late { (late) }
                    }
                }
            }
        }
    }
}

/// Each of them once, in their order.
fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

/// What differs among folded rows: how many there are, and which.
fn several(names: &[&str], one: &str, more: &str) -> Markup {
    let listed = names.join(", ");
    html! {
        .line-1 { span.name { (names.len()) " " (if names.len() == 1 { one } else { more }) } }
        .line-2 { span.clip title=(listed) { (listed) } }
    }
}

fn icon(name: &str) -> Markup {
    html! {
        svg.icon aria-hidden="true" { use href={ "#i-" (name) } {} }
    }
}

fn mark(category: Category) -> Markup {
    html! {
        span.mark data-category=(category.as_str()) aria-hidden="true" { (category.mark()) }
    }
}

fn place(place: &PlaceView) -> Markup {
    html! {
        td.c-workspace {
            .line-1 { span.clip title=(place.name) { (place.name) } }
        }
    }
}

fn actor(actor: &ActorView) -> Markup {
    let tag = match &actor.kind {
        ActorKind::User => None,
        kind if kind.as_str() == actor.name => None,
        kind => Some(kind.as_str()),
    };
    let via = (!actor.via.is_empty()).then(|| format!("via {}", actor.via.join(", ")));
    html! {
        td.c-actor {
            .line-1 {
                span.name.clip.gone[actor.deactivated] title=(actor.name) { (actor.name) }
                @if actor.deactivated {
                    span.tag { "deactivated" }
                }
                @if actor.erased {
                    span.tag { "erased" }
                }
                @if let Some(kind) = tag {
                    span.tag { (kind) }
                }
            }
            .line-2 {
                @if let Some(via) = &via {
                    span.via.clip title=(via) { (via) }
                }
                @match &actor.second {
                    Some(id) if actor.second_is_id => code.clip title=(id) { (id) },
                    Some(second) => span.clip title=(second) { (second) },
                    None => {},
                }
            }
        }
    }
}

fn target(target: &TargetView, erased: bool) -> Markup {
    let shown = target.name.as_ref().unwrap_or(&target.kind);
    let id = target
        .id
        .as_ref()
        .filter(|id| Some(*id) != target.name.as_ref());
    html! {
        td.c-target {
            .line-1 {
                @match &target.tab {
                    Some(tab) => a.name.clip href=(tab) title=(shown) { (shown) },
                    None => span.name.clip title=(shown) { (shown) },
                }
                @if erased {
                    span.tag { "erased" }
                }
            }
            .line-2 {
                @if target.name.is_some() {
                    span.kind { (target.kind) }
                }
                @if let Some(id) = id {
                    code.clip title=(id) { (id) }
                }
            }
        }
    }
}

/// What changed; without a change the note says what happened, beside how it ended.
fn change(row: &RowView) -> Markup {
    let (first, second) = match (&row.change, row.outcome) {
        (None, Outcome::Failure | Outcome::Denied) => (row.note.as_ref(), None),
        _ => (None, row.note.as_ref()),
    };
    html! {
        td.c-change {
            .line-1 {
                (outcome_tag(row.outcome, None))
                @if let Some(change) = &row.change {
                    (summary(change))
                }
                @if row.erased.iter().any(|part| matches!(part, Part::Change | Part::Details)) {
                    span.tag { "erased" }
                }
                @if let Some(note) = first {
                    span.said.clip title=(note) { (note) }
                }
            }
            @if let Some(note) = second {
                .line-2 { span.note.clip title=(note) { (note) } }
            }
        }
    }
}

/// How something ended, where it did not go through; of several entries, how many of them.
fn outcome_tag(outcome: Outcome, count: Option<usize>) -> Markup {
    let (name, word) = match outcome {
        Outcome::Success => return html! {},
        Outcome::Failure => ("close", "failed"),
        Outcome::Denied => ("barred", "denied"),
    };
    html! {
        span.tag data-outcome=(outcome.as_str()) {
            (icon(name))
            @if let Some(count) = count { (count) " " }
            (word)
        }
    }
}

fn summary(change: &SummaryView) -> Markup {
    let path = &change.path;
    let old = change.before.as_deref().unwrap_or_default();
    let new = change.after.as_deref().unwrap_or_default();
    let title = match change.sign {
        Sign::Changed => format!("{path}: {old} → {new}"),
        Sign::Added => format!("+ {path}: {new}"),
        Sign::Removed => format!("− {path}: {old}"),
    };
    let more = if change.sign == Sign::Removed {
        "−"
    } else {
        "+"
    };
    let fields = if change.more == 1 { "field" } else { "fields" };
    html! {
        span.change.clip title=(title) {
            @match change.sign {
                Sign::Changed => {
                    span.key { (path) ": " }
                    del { (old) }
                    span.arrow { " → " }
                    ins { (new) }
                }
                Sign::Added => {
                    ins { "+ " }
                    span.key { (path) ": " }
                    ins { (new) }
                }
                Sign::Removed => {
                    del { "− " }
                    span.key { (path) ": " }
                    del { (old) }
                }
            }
        }
        @if change.more > 0 {
            span.more-fields { (more) (change.more) " " (fields) }
        }
    }
}

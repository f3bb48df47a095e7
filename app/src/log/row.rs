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
    let tag = match row.outcome {
        Outcome::Success => None,
        Outcome::Failure => Some(("close", "failed")),
        Outcome::Denied => Some(("barred", "denied")),
    };
    let (first, second) = match (&row.change, &tag) {
        (None, Some(_)) => (row.note.as_ref(), None),
        _ => (None, row.note.as_ref()),
    };
    html! {
        td.c-change {
            .line-1 {
                @if let Some((name, word)) = tag {
                    span.tag data-outcome=(row.outcome.as_str()) { (icon(name)) (word) }
                }
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

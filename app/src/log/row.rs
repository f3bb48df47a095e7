//! One row of the ledger.

use super::{
    About,
    chips::Mark,
    entry::Entry,
    view::{ActorView, EntryView, RowView, Sign, SummaryView, TargetView, WhenView},
    when::Ago,
};
use crate::{address::Links, icon::Icon};
use domain::event::{ActorKind, Outcome};
use leptos::prelude::*;
use std::sync::Arc;

/// A row, and what it opens to.
#[component]
pub(super) fn Row(
    links: Arc<Links>,
    about: About,
    row: RowView,
    /// Whether the address opens this row.
    is_open: bool,
    /// The entry in full, where it is open.
    entry: Option<EntryView>,
    now: i64,
) -> impl IntoView {
    let RowView {
        id,
        when,
        late,
        actor,
        category,
        action,
        label,
        target,
        outcome,
        change,
        note,
    } = row;
    let word = (outcome != Outcome::Success).then(|| outcome.as_str());
    let class = if is_open { "row is-open" } else { "row" };
    let target = (about == About::Workspace).then(|| view! { <TargetCell target/> });
    let opened = entry.map(|entry| {
        view! { <Entry links=links.clone() about entry/> }
    });
    let label = label.map(|label| {
        view! {
            <div class="line-2">
                <span class="clip">{label}</span>
            </div>
        }
    });
    let (anchor, event) = (format!("e-{id}"), id.clone());
    let title = action.clone();
    view! {
        <tr class=class id=anchor data-event-id=event data-outcome=word>
            <WhenCell links id when late is_open now/>
            <ActorCell actor/>
            <td class="c-action">
                <div class="line-1">
                    <Mark category/>
                    <code class="clip" title=title>
                        {action}
                    </code>
                </div>
                {label}
            </td>
            {target}
            <ChangeCell outcome change note/>
        </tr>
        {opened}
    }
    .into_any()
}

#[component]
fn WhenCell(
    links: Arc<Links>,
    id: String,
    when: WhenView,
    late: Option<String>,
    is_open: bool,
    now: i64,
) -> impl IntoView {
    let href = if is_open {
        format!("{}#e-{id}", links.closed())
    } else {
        format!("{}#e-{id}", links.opening(&id))
    };
    let controls = is_open.then(|| format!("d-{id}"));
    let late = late.map(|late| view! { <span class="late">{late}</span> });
    view! {
        <td class="c-time">
            <div class="when">
                <a
                    class="opener"
                    href=href
                    data-stay=""
                    aria-expanded=is_open.to_string()
                    aria-controls=controls
                >
                    <Icon name="chevron-right"/>
                    <time datetime=when.iso title=when.exact>
                        <span class="date">{when.date}</span>
                        " "
                        <span class="clock">{when.clock}</span>
                    </time>
                </a>
                <span class="ago">
                    <Ago millis=when.millis midnights=when.days_ago now/>
                </span>
                {late}
            </div>
        </td>
    }
    .into_any()
}

#[component]
fn ActorCell(actor: ActorView) -> impl IntoView {
    let ActorView {
        kind,
        name,
        second,
        second_is_id,
        deactivated,
        via,
        ..
    } = actor;
    let class = if deactivated {
        "name clip gone"
    } else {
        "name clip"
    };
    let gone = deactivated.then(|| view! { <span class="tag">"deactivated"</span> });
    let tag = match kind {
        ActorKind::User => None,
        other if other.as_str() == name => None,
        other => Some(other.as_str()),
    };
    let tag = tag.map(|kind| view! { <span class="tag">{kind}</span> });
    let via = (!via.is_empty()).then(|| {
        let words = format!("via {}", via.join(", "));
        let title = words.clone();
        view! {
            <span class="via clip" title=title>
                {words}
            </span>
        }
    });
    let second = second.map(|second| {
        let title = second.clone();
        if second_is_id {
            view! {
                <code class="clip" title=title>
                    {second}
                </code>
            }
            .into_any()
        } else {
            view! {
                <span class="clip" title=title>
                    {second}
                </span>
            }
            .into_any()
        }
    });
    let title = name.clone();
    view! {
        <td class="c-actor">
            <div class="line-1">
                <span class=class title=title>
                    {name}
                </span>
                {gone}
                {tag}
            </div>
            <div class="line-2">{via} {second}</div>
        </td>
    }
    .into_any()
}

#[component]
fn TargetCell(target: TargetView) -> impl IntoView {
    let TargetView {
        kind,
        id,
        name,
        tab,
        ..
    } = target;
    let shown = name.clone().unwrap_or_else(|| kind.clone());
    let title = shown.clone();
    let line = match tab {
        Some(tab) => view! {
            <a class="name clip" href=tab title=title>
                {shown}
            </a>
        }
        .into_any(),
        None => view! {
            <span class="name clip" title=title>
                {shown}
            </span>
        }
        .into_any(),
    };
    let kind = name
        .is_some()
        .then(|| view! { <span class="kind">{kind}</span> });
    let id = id.filter(|id| Some(id) != name.as_ref()).map(|id| {
        let title = id.clone();
        view! {
            <code class="clip" title=title>
                {id}
            </code>
        }
    });
    view! {
        <td class="c-target">
            <div class="line-1">{line}</div>
            <div class="line-2">{kind} {id}</div>
        </td>
    }
    .into_any()
}

#[component]
fn ChangeCell(
    outcome: Outcome,
    change: Option<SummaryView>,
    note: Option<String>,
) -> impl IntoView {
    let tag = match outcome {
        Outcome::Success => None,
        Outcome::Failure => Some(("close", "failed")),
        Outcome::Denied => Some(("barred", "denied")),
    };
    let tag = tag.map(|(icon, word)| {
        view! {
            <span class="tag" data-outcome=outcome.as_str()>
                <Icon name=icon/>
                {word}
            </span>
        }
    });
    // Without a change the note says what happened: it comes first, beside how it ended.
    let (first, second) = match (&change, tag.is_some()) {
        (None, true) => (note, None),
        _ => (None, note),
    };
    let first = first.map(|note| {
        let title = note.clone();
        view! {
            <span class="said clip" title=title>
                {note}
            </span>
        }
    });
    let change = change.map(|change| view! { <Summary change/> });
    let second = second.map(|note| {
        let title = note.clone();
        view! {
            <div class="line-2">
                <span class="note clip" title=title>
                    {note}
                </span>
            </div>
        }
    });
    view! {
        <td class="c-change">
            <div class="line-1">{tag} {change} {first}</div>
            {second}
        </td>
    }
    .into_any()
}

#[component]
fn Summary(change: SummaryView) -> impl IntoView {
    let SummaryView {
        sign,
        path,
        before,
        after,
        more,
    } = change;
    let old = before.clone().unwrap_or_default();
    let new = after.clone().unwrap_or_default();
    let (title, words) = match sign {
        Sign::Changed => (
            format!("{path}: {old} → {new}"),
            view! {
                <span class="key">{path} ": "</span>
                <del>{old}</del>
                <span class="arrow">" → "</span>
                <ins>{new}</ins>
            }
            .into_any(),
        ),
        Sign::Added => (
            format!("+ {path}: {new}"),
            view! {
                <ins>"+ "</ins>
                <span class="key">{path} ": "</span>
                <ins>{new}</ins>
            }
            .into_any(),
        ),
        Sign::Removed => (
            format!("− {path}: {old}"),
            view! {
                <del>"− "</del>
                <span class="key">{path} ": "</span>
                <del>{old}</del>
            }
            .into_any(),
        ),
    };
    let more = (more > 0).then(|| {
        let mark = if sign == Sign::Removed { "−" } else { "+" };
        let fields = if more == 1 { "field" } else { "fields" };
        view! { <span class="more-fields">{format!("{mark}{more} {fields}")}</span> }
    });
    view! {
        <span class="change clip" title=title>
            {words}
        </span>
        {more}
    }
    .into_any()
}

//! The list of objects: a search, a kind, and pages.

use super::{
    load,
    view::{Asked, ListView, ListedView},
};
use crate::{
    address,
    frame::{Framed, Here},
    icon::Icon,
    log::{Ago, InZone},
    pages::loaded,
};
use leptos::prelude::*;
use leptos_meta::Title;
use store::objects::ObjectsOrder;

/// The list of objects at the request's address.
#[component]
pub fn Objects() -> impl IntoView {
    loaded(
        |asker, path, search| async move { load::list(asker, &path, &search).await },
        |list| {
            if list.lost_cursor || list.asked.kind_is_wrong() {
                crate::answer::status(400);
            }
            view! { <Page list/> }.into_any()
        },
    )
}

#[component]
pub(super) fn Page(list: ListView) -> impl IntoView {
    let ListView {
        frame,
        asked,
        kinds,
        order,
        now,
        ..
    } = list.clone();
    let workspace = frame.workspace.path.clone();
    let title = format!("Objects, {}", frame.workspace.name);
    let words = frame.workspace.name.clone();
    let zone = asked.zone.clone();
    let is_wrong = asked.kind_is_wrong();
    let by_seen = order == ObjectsOrder::LastSeen;
    let order = match order {
        ObjectsOrder::LastSeen => "Those seen last come first.",
        ObjectsOrder::Name if asked.is_narrowed() => {
            "By name. A search finds an object by any name that it ever had."
        }
        ObjectsOrder::Name => {
            "By name: few objects have nearly all of the newest entries here, so sorting by when \
             each was last seen would take too long."
        }
    };
    let shown = if list.objects.is_empty() {
        view! { <Nothing list=list.clone()/> }.into_any()
    } else {
        let stopped = list.stopped.then(|| {
            view! {
                <p class="searched" role="status">
                    "Many entries were looked through for this page, and no more objects were \
                     found so far. The list goes on from there."
                </p>
            }
        });
        view! {
            <p class="page-words">{order}</p>
            <Table objects=list.objects now/>
            {stopped}
        }
        .into_any()
    };
    let foot = (!is_wrong && !list.lost_cursor)
        .then(|| view! { <Foot next=list.next previous=list.previous by_seen/> });
    let path = address::objects(&workspace);
    view! {
        <Title text=title/>
        <Framed frame=Some(frame) here=Here::Objects zone skip=("#objects", "Skip to the objects")>
            <div class="page">
                <header class="page-head">
                    <h1>"Objects"</h1>
                    <InZone words path=path.clone() kept=&["q", "kind", "cursor"]/>
                </header>
                <Search path asked kinds/>
                {shown}
                {foot}
            </div>
        </Framed>
    }
    .into_any()
}

/// The form that narrows the list.
#[component]
fn Search(path: String, asked: Asked, kinds: Vec<String>) -> impl IntoView {
    let is_wrong = asked.kind_is_wrong();
    let clear = asked.is_narrowed().then(|| {
        let everything = address::in_zone(&path, &asked.zone);
        view! {
            <a class="button plain" href=everything>
                "Clear"
            </a>
        }
    });
    let error = is_wrong.then(|| {
        let kind = asked.kind.clone().unwrap_or_default();
        view! {
            <p class="error" id="k-error" role="alert">
                <Icon name="warn"/>
                {format!(
                    "“{kind}” is not a kind. A kind is 1 to 64 of A-Z a-z 0-9 _ . : / -",
                )}
            </p>
        }
    });
    let zone = (asked.zone != "UTC")
        .then(|| view! { <input type="hidden" name="tz" value=asked.zone.clone()/> });
    let chosen = asked.kind.unwrap_or_default();
    let unlisted = Some(chosen.clone()).filter(|kind| !kind.is_empty() && !kinds.contains(kind));
    let options = unlisted
        .into_iter()
        .chain(kinds)
        .map(|kind| {
            let selected = kind == chosen;
            view! {
                <option value=kind.clone() selected=selected>
                    {kind.clone()}
                </option>
            }
        })
        .collect_view();
    view! {
        <form class="find" method="get" action=path role="search" aria-label="Find objects">
            {zone}
            <div class="field search">
                <label for="k-q">"Search"</label>
                <input
                    type="search"
                    id="k-q"
                    name="q"
                    placeholder="Name or id"
                    autocomplete="off"
                    value=asked.q.unwrap_or_default()
                />
                <Icon name="search"/>
            </div>
            <div class="field">
                <label for="k-kind">"Kind"</label>
                <select
                    id="k-kind"
                    name="kind"
                    aria-invalid=is_wrong.then_some("true")
                    aria-describedby=is_wrong.then_some("k-error")
                >
                    <option value="">"Any kind"</option>
                    {options}
                </select>
                {error}
            </div>
            <div class="acts">
                <button class="button" type="submit">
                    "Find"
                </button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Table(objects: Vec<ListedView>, now: i64) -> impl IntoView {
    let rows = objects
        .into_iter()
        .map(|object| {
            let ListedView {
                name,
                kind,
                id,
                last_seen: at,
                there,
            } = object;
            view! {
                <tr>
                    <th scope="row">
                        <a href=there>{name}</a>
                    </th>
                    <td class="c-kind">{kind}</td>
                    <td class="c-id">
                        <code>{id}</code>
                    </td>
                    <td class="c-seen">
                        <time datetime=at.iso title=at.exact>
                            {at.date}
                            " "
                            {at.clock}
                        </time>
                        " "
                        <span class="ago">
                            <Ago millis=at.millis midnights=at.days_ago now/>
                        </span>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="objects" id="objects" tabindex="-1">
            <caption class="sr-only">"Objects"</caption>
            <thead>
                <tr>
                    <th scope="col">"Name"</th>
                    <th class="c-kind" scope="col">
                        "Kind"
                    </th>
                    <th class="c-id" scope="col">
                        "Id"
                    </th>
                    <th class="c-seen" scope="col">
                        "Last seen"
                    </th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// What stands in place of the objects.
#[component]
fn Nothing(list: ListView) -> impl IntoView {
    let asked = &list.asked;
    let workspace = &list.frame.workspace.path;
    let first = asked.at(workspace, None);
    let everything = address::in_zone(&address::objects(workspace), &asked.zone);
    let (heading, words, link) = if list.lost_cursor {
        (
            "This page of the list cannot be found again",
            "Its address was cut or changed, or it was made for another search.",
            Some((first, "To the first page")),
        )
    } else if asked.kind_is_wrong() {
        (
            "No such kind",
            "Choose a kind above, or any.",
            Some((everything, "All objects")),
        )
    } else if list.is_guarded {
        (
            "Objects of this kind are not open to you",
            "They are for the owners, admins and auditors of this workspace.",
            Some((everything, "All objects that are")),
        )
    } else if list.next.is_some() && list.stopped {
        (
            "Nothing found so far",
            "Many entries were looked through for this page. The list goes on from there.",
            None,
        )
    } else if asked.cursor.is_some() {
        (
            "Nothing more",
            "There is no object further on.",
            Some((first, "To the first page")),
        )
    } else if asked.is_narrowed() {
        (
            "Nothing matches",
            "No object of this kind has this in its id or in a name that it ever had.",
            Some((everything, "All objects")),
        )
    } else {
        (
            "No objects yet",
            "What entries are about appears here as soon as they arrive.",
            None,
        )
    };
    let link = link.map(|(href, words)| {
        view! {
            <p>
                <a href=href>{words}</a>
            </p>
        }
    });
    view! {
        <section class="nothing" id="objects" tabindex="-1" aria-labelledby="nothing">
            <h2 id="nothing">{heading}</h2>
            <p>{words}</p>
            {link}
        </section>
    }
    .into_any()
}

/// The pages before and after.
#[component]
fn Foot(
    next: Option<String>,
    previous: Option<String>,
    /// They are sorted by when they were last seen.
    by_seen: bool,
) -> impl IntoView {
    let (back, on) = if by_seen {
        ("← Newer", "Older →")
    } else {
        ("← Previous", "Next →")
    };
    let previous = previous.map(|href| {
        view! {
            <a class="button" rel="prev" href=href>
                {back}
            </a>
        }
    });
    let next = next.map(|href| {
        view! {
            <a class="button" rel="next" href=href>
                {on}
            </a>
        }
    });
    view! {
        <nav class="foot" aria-label="Pages">
            <span class="pages">{previous} {next}</span>
        </nav>
    }
    .into_any()
}

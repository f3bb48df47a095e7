//! An entry, open in its place: actions in the margin, the change, the rest.

use super::{
    About,
    view::{
        BackView, ChangeView, EntryView, ErasedView, FactView, ProvedView, RedactedView, Sign,
        TargetView, ValueView,
    },
};
use crate::{address::Links, icon::Icon};
use domain::event::{ActorKind, Part};
use leptos::prelude::*;
use std::sync::Arc;

/// An entry in full, as a row under its row.
#[component]
pub(crate) fn Entry(links: Arc<Links>, about: About, entry: EntryView) -> impl IntoView {
    let id = entry.row.id.clone();
    let rest = about.columns() - 1;
    let json = entry.json.clone();
    let change_erased = entry.row.erased.contains(&Part::Change);
    let note = entry.row.note.clone().map(|note| {
        let body = view! { <p class="description">{note}</p> };
        section(format!("n-{id}"), "Note", body)
    });
    view! {
        <tr class="entry" id=format!("d-{id}")>
            <td>
                <Actions links about entry=entry.clone()/>
            </td>
            <td colspan=rest>
                <div class="entry-body">
                    <div>
                        <Changes
                            id=id.clone()
                            changes=entry.changes
                            words=entry.change_words
                            erased=change_erased
                        />
                        <details class="raw">
                            <summary>
                                <Icon name="chevron-right"/>
                                "The entry as JSON"
                            </summary>
                            <pre tabindex="0" role="region" aria-label="The entry as JSON">
                                <code id=format!("j-{id}")>{json}</code>
                            </pre>
                        </details>
                        <Back id=id.clone() back=entry.back/>
                    </div>
                    <div class="entry-side">
                        {note}
                        <Erased id=id.clone() erased=entry.erased/>
                        <Redacted id=id.clone() redacted=entry.redacted/>
                        <Related id=id.clone() related=entry.related/>
                        <Facts id=format!("m-{id}") name="Metadata" facts=entry.metadata/>
                        <Facts id=format!("c-{id}") name="Context" facts=entry.context/>
                        <Facts id=format!("i-{id}") name="Entry" facts=entry.facts/>
                        <Proof id=id.clone() proof=entry.proof/>
                    </div>
                </div>
            </td>
        </tr>
    }
    .into_any()
}

/// What can be done with an entry.
#[component]
fn Actions(links: Arc<Links>, about: About, entry: EntryView) -> impl IntoView {
    let EntryView {
        row,
        back,
        around: (since, until),
        ..
    } = entry;
    let operation = row.operation.clone();
    let kind = row.target.kind.replace('_', " ");
    let open = row.target.url.clone().map(|url| {
        view! {
            <a class="first" href=url rel="noopener external">
                <Icon name="open"/>
                <span class="clip">{format!("Open the {kind}")}</span>
            </a>
        }
    });
    // An object's tab also shows entries that are about another object and only concern this one.
    let tab = row
        .target
        .tab
        .clone()
        .filter(|tab| about.has_targets() || tab.split('?').next() != Some(links.path()))
        .map(|tab| {
            view! {
                <a href=tab>
                    <Icon name="history"/>
                    "Its Audit tab"
                </a>
            }
        });
    let workspace = row
        .place
        .as_ref()
        .and_then(|place| place.workspace.as_ref());
    let place = row.place.as_ref().zip(workspace).map(|(place, workspace)| {
        let href = links.only(|filter| filter.workspace.push(workspace.clone()));
        (href, place.name.clone())
    });
    let actor = match (&row.actor.id, row.actor.kind) {
        // On their own page everything is theirs.
        _ if !about.has_actors() => None,
        (Some(id), _) => Some(links.only(|filter| filter.actor_id.push(id.clone()))),
        (None, kind @ (ActorKind::System | ActorKind::Anonymous)) => {
            Some(links.only(|filter| filter.actor_kind.push(kind)))
        }
        _ => None,
    };
    let action = row
        .action
        .parse()
        .ok()
        .map(|action| links.only(|filter| filter.action.push(action)));
    let target = match (&row.target.id, row.target.kind.parse().ok()) {
        (Some(id), Some(target_kind)) if about.has_targets() => Some(links.only(|filter| {
            // Another workspace may have another object of this id.
            filter.workspace.extend(workspace.cloned());
            filter.target_kind.push(target_kind);
            filter.target_id.push(id.clone());
        })),
        _ => None,
    };
    let operation = operation.map(|operation| links.operation(workspace, operation));
    let (in_place, place) = place.unzip();
    let around = links.around(workspace, (since, until), &row.id);
    let only = [
        (in_place, place.unwrap_or_default()),
        (actor, row.actor.name.clone()),
        (action, "This action".to_owned()),
        (target, format!("This {kind}")),
        (operation, "This operation".to_owned()),
    ]
    .into_iter()
    .filter_map(|(href, words)| {
        let href = href?;
        Some(view! {
            <a href=href>
                <Icon name="filter"/>
                <span class="clip">{words}</span>
            </a>
        })
    })
    .collect::<Vec<_>>();
    let link = links.shared_opening(&row.id);
    let json = format!("j-{}", row.id);
    let back = back.map(|_| {
        view! {
            <button
                class="needs-live"
                type="button"
                data-copy=format!("b-{}", row.id)
                title="What would undo it: the values from before, as a JSON merge patch"
            >
                <Icon name="copy"/>
                <span class="clip">"Copy the change back"</span>
            </button>
        }
    });
    view! {
        <div class="entry-actions" role="group" aria-label="Actions for this entry">
            {open}
            {tab}
            <p class="label">"Show only"</p>
            {only}
            <a href=around title="From 20 minutes before it until 20 minutes after">
                <Icon name="history"/>
                <span class="clip">"Around this moment"</span>
            </a>
            <a class="apart" href=link data-copy="link">
                <Icon name="link"/>
                "Copy link"
            </a>
            <button class="needs-live" type="button" data-copy=json>
                <Icon name="copy"/>
                "Copy JSON"
            </button>
            {back}
        </div>
    }
    .into_any()
}

/// The change, field by field.
#[component]
fn Changes(id: String, changes: Vec<ChangeView>, words: String, erased: bool) -> impl IntoView {
    let heading = format!("t-{id}");
    if changes.is_empty() {
        let words = if erased {
            "What was before and after was erased."
        } else {
            "No state before or after was given with this entry."
        };
        let body = view! { <p class="quiet">{words}</p> };
        return section(heading, "Changes", body);
    }
    let rows = changes
        .into_iter()
        .map(|change| view! { <Change change/> })
        .collect::<Vec<_>>();
    let body = view! {
        <table class="diff">
            <colgroup>
                <col class="c-field"/>
                <col/>
                <col/>
            </colgroup>
            <thead>
                <tr>
                    <th scope="col">"Field"</th>
                    <th scope="col">"Before"</th>
                    <th scope="col">"After"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    };
    let title = view! { "Changes " <span class="quiet">{words}</span> };
    section(heading, title, body)
}

/// What would undo the change, to be read and copied.
#[component]
fn Back(id: String, back: Option<BackView>) -> impl IntoView {
    let Some(BackView { json, lacks }) = back else {
        return ().into_any();
    };
    let lacks = lacks.map(|words| view! { <p class="quiet">{words}</p> });
    view! {
        <details class="raw">
            <summary>
                <Icon name="chevron-right"/>
                "The change back as JSON"
            </summary>
            <pre tabindex="0" role="region" aria-label="The change back as JSON">
                <code id=format!("b-{id}")>{json}</code>
            </pre>
            {lacks}
        </details>
    }
    .into_any()
}

/// A part of the entry under its heading.
fn section(id: String, heading: impl IntoView + 'static, body: impl IntoView + 'static) -> AnyView {
    let labelled = id.clone();
    let (heading, body) = (heading.into_any(), body.into_any());
    view! {
        <section aria-labelledby=labelled>
            <h2 id=id>{heading}</h2>
            {body}
        </section>
    }
    .into_any()
}

#[component]
fn Change(change: ChangeView) -> impl IntoView {
    let ChangeView {
        path,
        sign,
        before,
        after,
        history,
        back,
    } = change;
    let back = back.map(|back| {
        let label = format!("Copy {path} back");
        view! {
            <button
                class="back needs-live"
                type="button"
                data-copy="value"
                value=back
                aria-label=label
                title="Copy what would undo this"
            >
                <Icon name="copy"/>
            </button>
        }
    });
    let path = match history {
        Some(there) => view! {
            <a class="field-history" href=there title="History of this field">
                <PathText path/>
                <Icon name="history"/>
            </a>
        }
        .into_any(),
        None => view! { <PathText path/> }.into_any(),
    };
    let before = match before {
        Some(value) => view! { <td><Value value sign=Sign::Removed/> {back}</td> }.into_any(),
        None => view! { <td class="absent">"not set" {back}</td> }.into_any(),
    };
    let after = match after {
        Some(value) => view! { <td><Value value sign=Sign::Added/></td> }.into_any(),
        None => view! { <td class="absent">"removed"</td> }.into_any(),
    };
    view! {
        <tr data-change=sign.word()>
            <th scope="row">
                <span class="sign" aria-hidden="true">
                    {sign.mark()}
                </span>
                <span class="sr-only">{sign.word()} ": "</span>
                {path}
            </th>
            {before}
            {after}
        </tr>
    }
    .into_any()
}

/// A path, which may be broken after its dots and underscores.
#[component]
fn PathText(path: String) -> impl IntoView {
    path.split_inclusive(['.', '_'])
        .map(|part| view! { {part.to_owned()}<wbr/> })
        .collect::<Vec<_>>()
}

/// One side of a change; long ones folded.
#[component]
fn Value(value: ValueView, sign: Sign) -> impl IntoView {
    let ValueView {
        head,
        differs,
        tail,
        folded,
    } = value;
    let marked = (!differs.is_empty()).then(|| view! { <mark>{differs}</mark> });
    let text = side(sign, (head, marked, tail));
    match folded {
        None => text,
        Some((start, characters)) => view! {
            <details>
                <summary>
                    <span class="head">{side(sign, start)}</span>
                    " "
                    <span class="more">
                        <span class="closed">{format!("show all {characters} characters")}</span>
                        <span class="opened">"show less"</span>
                    </span>
                </summary>
                {text}
            </details>
        }
        .into_any(),
    }
}

fn side(sign: Sign, text: impl IntoView + 'static) -> AnyView {
    let text = text.into_any();
    match sign {
        Sign::Removed => view! { <del>{text}</del> }.into_any(),
        _ => view! { <ins>{text}</ins> }.into_any(),
    }
}

/// What was erased later, and where it is told why.
#[component]
fn Erased(id: String, erased: Option<ErasedView>) -> impl IntoView {
    let Some(ErasedView { words, under }) = erased else {
        return ().into_any();
    };
    let releases = under.len();
    let links = under
        .into_iter()
        .enumerate()
        .map(|(at, there)| {
            let which = (releases > 1).then(|| format!(" ({} of {releases})", at + 1));
            view! {
                " "
                <a href=there>"Under which release, and why" {which}</a>
                "."
            }
        })
        .collect::<Vec<_>>();
    let body = view! {
        <p class="erased">{words} {links}</p>
        <p class="quiet">
            "It cannot be brought back. That something stood there, and that nothing else was altered,              can still be proved."
        </p>
    };
    section(format!("z-{id}"), "Erased", body)
}

/// What was taken out before it was recorded, and what stands in its place.
#[component]
fn Redacted(id: String, redacted: Option<RedactedView>) -> impl IntoView {
    let Some(RedactedView {
        words,
        places,
        more,
    }) = redacted
    else {
        return ().into_any();
    };
    let named = places.len();
    let places = places
        .into_iter()
        .enumerate()
        .map(|(at, place)| {
            let comma = if at + 1 < named { ", " } else { "" };
            view! {
                " "
                <code>
                    <PathText path=place/>
                </code>
                {comma}
            }
        })
        .collect::<Vec<_>>();
    let more = (more > 0).then(|| format!(", and {more} more"));
    let body = view! {
        <p class="redacted">{words} {places} {more} "."</p>
        <p class="quiet">
            "A mark stands in their place. It tells whether a value is the same as another, and not \
             what it is."
        </p>
    };
    section(format!("x-{id}"), "Redacted", body)
}

/// Names and values; what was not given says so.
#[component]
fn Facts(id: String, name: &'static str, facts: Vec<FactView>) -> impl IntoView {
    if facts.is_empty() {
        return ().into_any();
    }
    let facts = facts
        .into_iter()
        .map(|fact| {
            let value = match (fact.value, fact.code) {
                (None, _) => view! { <dd class="quiet">"not given"</dd> }.into_any(),
                (Some(value), true) => view! { <dd><code>{value}</code></dd> }.into_any(),
                (Some(value), false) => view! { <dd>{value}</dd> }.into_any(),
            };
            view! {
                <div>
                    <dt>{fact.name}</dt>
                    {value}
                </div>
            }
        })
        .collect::<Vec<_>>();
    section(id, name, view! { <dl class="facts">{facts}</dl> })
}

/// What proves that the entry is as it was recorded.
#[component]
fn Proof(id: String, proof: Option<ProvedView>) -> impl IntoView {
    let Some(ProvedView { covered, there }) = proof else {
        return ().into_any();
    };
    let body = match covered {
        None => view! {
            <p class="quiet">
                "Not covered by a checkpoint yet: one is made within a second or so of what arrives."
            </p>
        }
        .into_any(),
        Some((size, at)) => view! {
            <p class="proved">
                {format!("Included in the checkpoint of {size} entries, ")}
                <time datetime=at.iso title=at.exact>{at.date} " " {at.clock}</time>
                "."
            </p>
            <p class="proved">
                <a href=there rel="external" data-copy="content">
                    <Icon name="copy"/>
                    "Copy the proof"
                </a>
            </p>
        }
        .into_any(),
    };
    section(format!("p-{id}"), "Proof", body)
}

/// Other objects that the entry concerns, each with its Audit tab.
#[component]
fn Related(id: String, related: Vec<TargetView>) -> impl IntoView {
    if related.is_empty() {
        return ().into_any();
    }
    let heading = format!("r-{id}");
    let items = related
        .into_iter()
        .map(|target| {
            let words = target
                .name
                .or(target.id)
                .unwrap_or_else(|| target.kind.clone());
            let name = match target.tab {
                Some(tab) => view! { <a href=tab>{words}</a> }.into_any(),
                None => words.into_any(),
            };
            view! {
                <div>
                    <dt>{target.kind}</dt>
                    <dd>{name}</dd>
                </div>
            }
        })
        .collect::<Vec<_>>();
    section(
        heading,
        "Also concerns",
        view! { <dl class="facts">{items}</dl> },
    )
}

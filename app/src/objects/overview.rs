//! One object at a glance: what it is and was called, since when it is known, and who touched it.

use super::{
    load,
    page::{NothingRecorded, ObjectPage, Shown},
    view::{KnownView, OverviewView, TouchedView},
};
use crate::{
    address::{self, Links, LogAddress},
    log::{
        Ago, LastChanged, Newest, ObjectTab,
        view::{CountView, WhenView},
    },
    number::{entries, grouped},
    pages::loaded,
};
use domain::{
    event::ActorKind,
    question::{Filter, Query},
};
use leptos::prelude::*;
use std::sync::Arc;

/// The object at the request's address.
#[component]
pub fn Overview() -> impl IntoView {
    loaded(
        |asker, path, search| async move { load::overview(asker, &path, &search).await },
        |shown| view! { <Page shown/> }.into_any(),
    )
}

#[component]
pub(super) fn Page(shown: OverviewView) -> impl IntoView {
    let OverviewView {
        frame,
        subject,
        object,
        zone,
        now,
        known,
    } = shown;
    let workspace = frame.workspace.path.clone();
    let log = LogAddress::Object(workspace.clone(), subject.clone());
    let path = address::overview(&workspace, &subject);
    let query = Query {
        filter: Filter {
            tz: zone.parse().ok().filter(|_| zone != "UTC"),
            ..Filter::default()
        },
        ..Query::default()
    };
    let links = Arc::new(Links::new(&log, query));
    let changed = known
        .as_ref()
        .and_then(|known| known.changed.clone())
        .map(|last| view! { <LastChanged last now/> }.into_any());
    let below = match known {
        Some(known) => view! { <Known known links zone=zone.clone() now/> }.into_any(),
        None => view! { <NothingRecorded id="glance"/> }.into_any(),
    };
    let shown = Shown {
        title: object.name.clone(),
        frame,
        object,
        zone,
        tab: ObjectTab::Overview,
        path,
        stays: &[],
        skip: ("#glance", "Skip to what is known"),
    };
    view! {
        <ObjectPage shown line=changed>
            {below}
        </ObjectPage>
    }
    .into_any()
}

#[component]
fn Known(known: KnownView, links: Arc<Links>, zone: String, now: i64) -> impl IntoView {
    let audit = links.closed();
    let count = match known.entries {
        CountView::Exactly(count) => format!("{} {}", grouped(count), entries(count)),
        CountView::MoreThan(count) => format!("more than {} entries", grouped(count)),
        CountView::Unknown => "entries".to_owned(),
    };
    let earlier = known.is_cut.then_some(" or earlier");
    view! {
        <div class="glance" id="glance" tabindex="-1">
            <section aria-labelledby="g-seen">
                <h2 id="g-seen">"Seen"</h2>
                <dl class="facts">
                    <div>
                        <dt>"First seen"</dt>
                        <dd>
                            <When at=known.first_seen now/>
                            {earlier}
                        </dd>
                    </div>
                    <div>
                        <dt>"Last seen"</dt>
                        <dd>
                            <When at=known.last_seen now/>
                        </dd>
                    </div>
                    <div>
                        <dt>"Recorded"</dt>
                        <dd>
                            <a href=audit.clone()>{count}</a>
                        </dd>
                    </div>
                </dl>
            </section>
            <Names names=known.names others=known.other_names is_cut=known.is_cut now/>
            <Touchers touched=known.touched among=known.touched_among now/>
        </div>
        <section class="newest" aria-labelledby="g-newest">
            <h2 id="g-newest">"Newest entries"</h2>
            <Newest links rows=known.newest zone now/>
            <p>
                <a href=audit>"All entries"</a>
            </p>
        </section>
    }
    .into_any()
}

/// A moment, and how long ago it was.
#[component]
fn When(at: WhenView, now: i64) -> impl IntoView {
    view! {
        <time datetime=at.iso title=at.exact>
            {at.date}
            " "
            {at.clock}
        </time>
        " "
        <span class="quiet">
            <Ago millis=at.millis midnights=at.days_ago now/>
        </span>
    }
    .into_any()
}

/// What it is and was called.
#[component]
fn Names(
    names: Vec<(String, WhenView, WhenView)>,
    others: usize,
    is_cut: bool,
    now: i64,
) -> impl IntoView {
    let none = names
        .is_empty()
        .then(|| view! { <p class="quiet">"It was never given a name: its id stands for it."</p> });
    let others = match (others, is_cut) {
        (0, false) => None,
        (0, true) => Some("And earlier ones.".to_owned()),
        (1, false) => Some("And one other name.".to_owned()),
        (others, false) => Some(format!("And {others} other names.")),
        (others, true) => Some(format!("And more than {others} other names.")),
    };
    let others = others.map(|words| view! { <p class="quiet">{words}</p> });
    let is_named = !names.is_empty();
    let items = names
        .into_iter()
        .map(|(name, since, last)| {
            let last = last.exact;
            view! {
                <div>
                    <dt title=format!("last given {last}")>{name}</dt>
                    <dd>
                        "since " <When at=since now/>
                    </dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="g-names">
            <h2 id="g-names">"Names over time"</h2>
            {none}
            {is_named.then(|| view! { <dl class="facts">{items}</dl> })}
            {others}
        </section>
    }
    .into_any()
}

/// Who touched it most.
#[component]
fn Touchers(touched: Vec<TouchedView>, among: Option<usize>, now: i64) -> impl IntoView {
    let among = among.map(|among| {
        let among = grouped(u64::try_from(among).unwrap_or(u64::MAX));
        view! { <p class="quiet">{format!("Of the newest {among} entries.")}</p> }
    });
    let items = touched
        .into_iter()
        .map(|touched| {
            let count = u64::try_from(touched.entries).unwrap_or(u64::MAX);
            let tag = match touched.kind {
                ActorKind::User => None,
                kind if kind.as_str() == touched.name => None,
                kind => Some(view! { <span class="tag">{kind.as_str()}</span> }),
            };
            let gone = touched
                .deactivated
                .then(|| view! { <span class="tag">"deactivated"</span> });
            let name = match touched.there {
                Some(there) => view! { <a href=there>{touched.name}</a> }.into_any(),
                None => touched.name.into_any(),
            };
            view! {
                <div>
                    <dt>{name} " " {gone} {tag}</dt>
                    <dd>
                        <span class="num">{grouped(count)} " " {entries(count)}</span>
                        ", last "
                        <When at=touched.last now/>
                    </dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="g-touched">
            <h2 id="g-touched">"Who touched it most"</h2>
            <dl class="facts">{items}</dl>
            {among}
        </section>
    }
    .into_any()
}

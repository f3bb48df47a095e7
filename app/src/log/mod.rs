//! The one log component: the Audit page and an object's Audit tab are the same log in another
//! scope. Its whole state is the address.

mod chips;
#[cfg(feature = "ssr")]
mod compose;
mod count;
mod entry;
mod filters;
mod foot;
mod head;
mod ledger;
mod load;
mod range;
mod row;
mod states;
mod tokens;
pub mod view;
mod when;
mod zone;

use crate::{
    address::{Links, LogAddress, without_open},
    frame::{Framed, Here},
    live::Live,
    pages::Refused,
    refusal::{Refusal, flat},
};
use chips::Chips;
#[cfg(feature = "ssr")]
pub(crate) use compose::Local;
use filters::Filters;
use foot::Foot;
use head::{ObjectHead, PageHead};
use ledger::Ledger;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use load::{load_entry, load_log, load_scope};
use states::{Apart, Faults, First, LostCursor, Nothing, Notices, Trouble};
use std::sync::Arc;
use tokens::Active;
use view::{EntryView, LogView, ScopeView};

/// What a log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A workspace: the Audit page.
    Workspace,
    /// One object of it: its Audit tab.
    Object,
}

/// What the address asks for.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    path: String,
    search: String,
    open: Option<String>,
}

/// What is shown, once it was loaded.
type Loaded = (ScopeView, LogView);

/// A log, as a page.
#[component]
pub fn Log(
    /// What it is about.
    about: About,
) -> impl IntoView {
    let live = Live::new();
    provide_context(live);
    let asked = asked(about);
    let path = Memo::new(move |_| asked.with(|asked| asked.path.clone()));
    // Resources apart, so that opening a row asks for the row alone, and paging for the page alone.
    let scope = Resource::new(
        move || path.get(),
        |path| async move { flat(load_scope(path).await) },
    );
    let question =
        Memo::new(move |_| asked.with(|asked| (asked.path.clone(), asked.search.clone())));
    let log = Resource::new(
        move || question.get(),
        |(path, search)| async move { flat(load_log(path, search).await) },
    );
    let opened = Memo::new(move |_| {
        asked.with(|asked| {
            let open = asked.open.clone()?;
            Some((asked.path.clone(), open, zone::named(&asked.search)))
        })
    });
    let entry = Resource::new(
        move || opened.get(),
        |opened| async move {
            match opened {
                Some((path, id, tz)) => flat(load_entry(path, id, tz).await),
                None => Ok(None),
            }
        },
    );

    let (pending, set_pending) = signal(false);
    let shown = RwSignal::new(None::<(String, String)>);
    let busy = Memo::new(move |_| {
        pending.get()
            && shown.with(Option::is_some)
            && question.with(|question| shown.with(|shown| shown.as_ref() != Some(question)))
    });
    let trouble = RwSignal::new(None::<Refusal>);
    let last = StoredValue::new(None::<Loaded>);
    let retry = Callback::new(move |()| {
        scope.refetch();
        log.refetch();
        entry.refetch();
    });

    view! {
        <Transition set_pending>
            {move || Suspend::new(async move {
                let loaded = match (scope.await, log.await) {
                    (Ok(scope), Ok(log)) => Ok((scope, log)),
                    (Err(refusal), _) | (_, Err(refusal)) => Err(refusal),
                };
                let (entry, refused) = match entry.await {
                    Ok(entry) => (entry, None),
                    Err(refusal) => (None, Some(refusal)),
                };
                let asked = asked.get_untracked();
                let (loaded, refused) = match loaded {
                    Ok(loaded) => {
                        last.set_value(Some(loaded.clone()));
                        shown.set(Some((asked.path.clone(), asked.search.clone())));
                        (Some(loaded), refused)
                    }
                    // What was on screen stays, unless somebody is told that it is not theirs.
                    Err(refusal @ (Refusal::Unreachable | Refusal::Unavailable(_))) => {
                        (last.get_value(), Some(refusal))
                    }
                    Err(refusal) => (None, Some(refusal)),
                };
                trouble.set(refused.clone());
                match (loaded, refused) {
                    (Some((scope, log)), _) => {
                        view! { <Page about scope log entry open=asked.open busy trouble retry/> }
                            .into_any()
                    }
                    (None, refusal) => {
                        let refusal = refusal.unwrap_or(Refusal::NotFound);
                        view! { <Refused refusal/> }.into_any()
                    }
                }
            })}
        </Transition>
    }
    .into_any()
}

/// What the address asks for. While the browser leaves for another page, it stays.
fn asked(about: About) -> Memo<Asked> {
    let location = use_location();
    Memo::new(move |before: Option<&Asked>| {
        let path = location.pathname.get();
        let (search, open) = without_open(&location.search.get());
        let mine = LogAddress::read(&path)
            .is_some_and(|address| address.subject.is_some() == (about == About::Object));
        match before {
            Some(before) if !mine => before.clone(),
            _ => Asked { path, search, open },
        }
    })
}

#[component]
fn Page(
    about: About,
    scope: ScopeView,
    log: LogView,
    entry: Option<EntryView>,
    open: Option<String>,
    busy: Memo<bool>,
    trouble: RwSignal<Option<Refusal>>,
    retry: Callback<()>,
) -> impl IntoView {
    #[cfg(feature = "ssr")]
    if log.lost_cursor || !log.faults.is_empty() {
        crate::answer::status(400);
    }
    let ScopeView {
        frame,
        choices,
        object,
    } = scope;
    let address = LogAddress {
        workspace: frame.workspace.path.clone(),
        subject: object.as_ref().and_then(|object| {
            Some(domain::question::Subject {
                kind: object.kind.parse().ok()?,
                id: object.id.clone(),
            })
        }),
    };
    let links = Arc::new(Links::new(&address, log.query.clone()));
    let title = match &object {
        Some(object) => format!("{}, Audit", object.name),
        None => format!("Audit, {}", frame.workspace.name),
    };
    let (here, class) = match about {
        About::Workspace => (Here::Audit, "page"),
        About::Object => (Here::Object, "page object-scope"),
    };
    let settings = frame
        .reads_settings
        .then(|| crate::address::settings(&frame.workspace.path));
    let audit = frame
        .reads_the_log
        .then(|| crate::address::audit(&frame.workspace.path));
    let workspace = frame.workspace.path.clone();
    let read_at = log.read_at.clone();
    let head = match object {
        Some(object) => {
            view! { <ObjectHead links=links.clone() log=log.clone() object audit/> }.into_any()
        }
        None => view! { <PageHead links=links.clone() log=log.clone()/> }.into_any(),
    };
    let chips = (about == About::Workspace)
        .then(|| view! { <Chips links=links.clone() choices=choices.clone()/> });
    let apart = open
        .clone()
        .filter(|open| !log.rows().any(|row| row.id == *open))
        .map(|open| {
            view! { <Apart links=links.clone() open entry=entry.clone() about now=log.now/> }
        });
    let first = log
        .first
        .clone()
        .map(|public_url| view! { <First public_url workspace settings=settings.clone()/> });

    view! {
        <Title text=title/>
        <Framed frame=Some(frame) here zone=log.zone.clone() skip=("#entries", "Skip to the entries")>
            <div class=class>
                {head}
                <Trouble trouble read_at retry/>
                <Notices notices=log.notices.clone() settings zone=log.zone.clone()/>
                <Faults log=log.clone()/>
                {chips}
                <Filters links=links.clone() log=log.clone() choices about/>
                <Active links=links.clone() log=log.clone()/>
                {apart}
                {first}
                <div class="log" aria-busy=move || busy.get().to_string()>
                    <Entries links about log entry open/>
                </div>
            </div>
        </Framed>
    }
    .into_any()
}

/// The ledger with its foot, or what stands in its place.
#[component]
fn Entries(
    links: Arc<Links>,
    about: About,
    log: LogView,
    entry: Option<EntryView>,
    open: Option<String>,
) -> impl IntoView {
    if log.lost_cursor {
        return view! { <LostCursor links/> }.into_any();
    }
    let foot = view! { <Foot links=links.clone() log=log.clone()/> };
    if log.days.is_empty() && log.first.is_some() {
        // The first steps stand in their place.
        view! { <div id="entries" tabindex="-1">{foot}</div> }.into_any()
    } else if log.days.is_empty() {
        view! {
            <Nothing links about searched=log.searched_to.is_some()/>
            {foot}
        }
        .into_any()
    } else {
        view! {
            <Ledger links about log entry open/>
            {foot}
        }
        .into_any()
    }
}

#[cfg(all(test, feature = "ssr"))]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests;

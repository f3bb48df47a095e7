//! The pages that are little more than words, and the two that are a log.

mod letter;
mod login;
mod refused;

use crate::{
    address,
    log::{About, Log},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
pub(crate) use letter::Letter;
pub(crate) use login::Login;
pub(crate) use refused::{Missing, Refused};

/// The Audit page of a workspace.
#[component]
pub fn Audit() -> impl IntoView {
    view! { <Log about=About::Workspace/> }
}

/// The Audit tab of an object.
#[component]
pub fn ObjectAudit() -> impl IntoView {
    view! { <Log about=About::Object/> }
}

/// The workspace looked at last, else the first one, else where to sign in.
#[component]
pub fn Home() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let there = home();
    // Links to this page are followed by the browser itself: it is the server's to answer.
    #[cfg(not(feature = "ssr"))]
    let there: Option<String> = None;
    match there {
        Some(there) => view! { <Elsewhere there/> }.into_any(),
        None => view! {
            <Letter heading="No workspace yet">
                <p>"You are signed in, and a member of no workspace. Whoever runs this \
                    installation can add you to one."</p>
                <form method="post" action="/logout" class="acts">
                    <button class="button" type="submit">
                        "Sign out"
                    </button>
                </form>
            </Letter>
        }
        .into_any(),
    }
}

#[cfg(feature = "ssr")]
fn home() -> Option<String> {
    let viewer = use_context::<crate::viewer::Viewer>();
    let Some(person) = viewer.and_then(|viewer| viewer.signed_in) else {
        return Some("/login".to_owned());
    };
    let last = person
        .last_workspace
        .filter(|last| {
            let mut mine = person.memberships.iter();
            mine.any(|membership| membership.workspace.path() == *last)
        })
        .or_else(|| Some(person.memberships.first()?.workspace.path()))?;
    Some(address::audit(&last))
}

/// An object's page: its Audit tab, as long as that is its only one.
#[component]
pub fn Object() -> impl IntoView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let audit = format!("{}/audit", path.trim_end_matches('/'));
    let there = address::with_query(&audit, &location.search.get_untracked());
    view! { <Elsewhere there/> }
}

/// Sends the browser to another page of this site; a link where it does not go by itself.
#[component]
fn Elsewhere(there: String) -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::answer::see_other(&there);
    let to = there.clone();
    Effect::new(move |_| leave(&to));
    view! {
        <Letter heading="This page is elsewhere">
            <p>
                <a href=there rel="external">
                    "Go there"
                </a>
            </p>
        </Letter>
    }
    .into_any()
}

/// Loads another page of this site.
pub(crate) fn leave(address: &str) {
    if window().location().set_href(address).is_err() {
        leptos::logging::error!("the browser does not go to {address}");
    }
}

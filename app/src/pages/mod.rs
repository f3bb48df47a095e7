//! The pages that are little more than words.

mod letter;
mod login;
mod refused;

use crate::address;
use leptos::prelude::*;
pub(crate) use letter::Letter;
pub(crate) use login::Login;
pub(crate) use refused::{Missing, Refused};

/// The workspace looked at last, in the time zone it was looked at in; else the first one; else where
/// to sign in.
#[component]
pub fn Home() -> impl IntoView {
    match home() {
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

fn home() -> Option<String> {
    let viewer = use_context::<crate::viewer::Viewer>();
    let Some(person) = viewer.and_then(|viewer| viewer.signed_in) else {
        return Some("/login".to_owned());
    };
    let mut mine = person.memberships.iter();
    let last = mine
        .find(|membership| Some(membership.workspace.path()) == person.last_workspace)
        .or_else(|| person.memberships.first())?;
    let workspace = last.workspace.path();
    // Members see the log only as far as it is about an object.
    let there = if last.role.reads_the_log() || !last.opens_objects() {
        address::audit(&workspace)
    } else {
        address::objects(&workspace)
    };
    let zone = person
        .last_zone
        .as_ref()
        .map_or("UTC", |zone| zone.as_str());
    Some(address::in_zone(&there, zone))
}

/// Sends the browser to another page of this site; a link where it does not go by itself.
#[component]
fn Elsewhere(there: String) -> impl IntoView {
    crate::answer::see_other(&there);
    view! {
        <Letter heading="This page is elsewhere">
            <p>
                <a href=there>
                    "Go there"
                </a>
            </p>
        </Letter>
    }
    .into_any()
}

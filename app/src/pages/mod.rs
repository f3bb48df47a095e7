//! The pages that are little more than words.

mod invite;
mod letter;
mod loaded;
mod login;
mod refused;
mod sign_on;

use crate::{address, frame::first_page, refusal::Refusal, viewer::Asker};
pub(crate) use invite::Invite;
use invite::Invited;
use leptos::prelude::*;
pub(crate) use letter::Letter;
pub(crate) use loaded::loaded;
pub(crate) use login::Login;
pub(crate) use refused::{Missing, Refused};
pub(crate) use sign_on::SignOn;
use store::members::Invitation;

/// The workspace looked at last, in the time zone it was looked at in; else the first one; else, for
/// who administers a tenant without any, the tenant; else where to sign in.
#[component]
pub fn Home() -> impl IntoView {
    match home() {
        Some(there) => view! { <Elsewhere there/> }.into_any(),
        None => view! { <OfNothing/> }.into_any(),
    }
}

/// Somebody is signed in and a member of nothing: what invitations wait for them, and nothing else.
#[component]
fn OfNothing() -> impl IntoView {
    loaded(
        |asker, _, _| own_invitations(asker),
        |invitations| {
            let words = if invitations.is_empty() {
                "You are signed in, and a member of no workspace. Whoever runs this installation can \
                 add you to one."
            } else {
                "You are signed in, and a member of no workspace yet. Open the link that came with \
                 the invitation to accept it; who sent it can make another."
            };
            let invitations = invitations
                .into_iter()
                .map(|invitation| view! { <Invited invitation/> })
                .collect_view();
            view! {
                <Letter heading="No workspace yet">
                    {invitations}
                    <p>{words}</p>
                    <form method="post" action="/logout" class="acts">
                        <button class="button" type="submit">
                            "Sign out"
                        </button>
                    </form>
                </Letter>
            }
            .into_any()
        },
    )
}

async fn own_invitations(asker: Result<Asker, Refusal>) -> Result<Vec<Invitation>, Refusal> {
    let asker = asker?;
    Ok(asker.store.own_invitations(&asker.person).await?)
}

fn home() -> Option<String> {
    let viewer = use_context::<crate::viewer::Viewer>();
    let Some(person) = viewer.and_then(|viewer| viewer.signed_in) else {
        return Some("/login".to_owned());
    };
    let mine = &person.memberships;
    let last = person.last_workspace.as_ref().and_then(|last| {
        let mut mine = mine.iter();
        mine.find(|membership| membership.workspace.path() == *last)
    });
    let there = match last.or_else(|| mine.first()) {
        Some(membership) => {
            let reads_the_log = membership.role.reads_the_log();
            first_page(&membership.workspace.path(), reads_the_log)
        }
        None => address::tenant_audit(&person.administers.first()?.slug),
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

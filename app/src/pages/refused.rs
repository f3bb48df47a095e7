//! What stands in place of a page that is not shown.

use super::Letter;
use crate::{
    address,
    refusal::{NoAccess, Refusal},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// There is no such page.
#[component]
pub fn Missing() -> impl IntoView {
    crate::answer::status(404);
    view! {
        <Letter heading="There is no such page">
            <p>
                "Its address may be mistyped, or it belongs to a workspace that you are not a \
                 member of."
            </p>
            <div class="acts">
                <a class="button primary" href="/">
                    "To your workspace"
                </a>
            </div>
        </Letter>
    }
    .into_any()
}

/// A page that is not shown, and why.
#[component]
pub fn Refused(refusal: Refusal) -> impl IntoView {
    match refusal {
        Refusal::SignedOut => view! { <SignedOut/> }.into_any(),
        Refusal::NotFound => view! { <Missing/> }.into_any(),
        Refusal::NoAccess(told) => view! { <NoAccessPage told=*told/> }.into_any(),
        Refusal::Unavailable(why) => {
            crate::answer::status(503);
            view! { <Unavailable why/> }.into_any()
        }
    }
}

/// Signs in first, and comes back.
#[component]
fn SignedOut() -> impl IntoView {
    let location = use_location();
    let here = address::with_query(
        &location.pathname.get_untracked(),
        &location.search.get_untracked(),
    );
    let login = address::login(&here);
    crate::answer::see_other(&login);
    view! {
        <Letter heading="Sign in first">
            <p>
                <a href=login>
                    "Sign in, and come back here"
                </a>
            </p>
        </Letter>
    }
    .into_any()
}

/// Their role does not open the page; its owners are whom to ask.
#[component]
fn NoAccessPage(told: NoAccess) -> impl IntoView {
    crate::answer::status(403);
    let NoAccess {
        workspace,
        email,
        role,
        owners,
        objects,
        ..
    } = told;
    let objects = objects.map(|objects| {
        view! {
            <p>
                "You can still see the history of a single object on its own Audit tab: find it in "
                <a href=objects>"Objects"</a> "."
            </p>
        }
    });
    let location = use_location();
    let here = address::with_query(
        &location.pathname.get_untracked(),
        &location.search.get_untracked(),
    );
    let owners = owners
        .into_iter()
        .map(|name| {
            view! {
                <li>
                    <span class="strong">{name}</span>
                    <span class="quiet">"owner"</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <Letter heading="This page is not open to you">
            <p>
                {format!(
                    "It is for the owners, admins and auditors of {workspace}. You are signed in as ",
                )} <strong class="strong">{email}</strong> {format!(", {role}.")}
            </p>
            <p>"If you need it, ask an owner:"</p>
            <ul class="people">{owners}</ul>
            {objects}
            <div class="acts">
                <a class="button" href=address::login(&here)>
                    "Sign in as someone else"
                </a>
                <form method="post" action="/logout">
                    <button class="button plain" type="submit">
                        "Sign out"
                    </button>
                </form>
            </div>
        </Letter>
    }
    .into_any()
}

/// The log cannot be read now.
#[component]
fn Unavailable(#[prop(into)] why: String) -> impl IntoView {
    view! {
        <Letter heading="The log cannot be read at the moment">
            <p>{format!("The reason given: {why}.")}</p>
            <p>"What was recorded is not lost. Try again in a moment."</p>
            <div class="acts">
                <a class="button primary" href="">
                    "Try again"
                </a>
            </div>
        </Letter>
    }
    .into_any()
}

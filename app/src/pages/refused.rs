//! What stands in place of a page that is not shown.

use super::Letter;
use crate::{
    address,
    refusal::{Closed, NoAccess, Refusal},
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

/// Their role does not open the page; its owners, or the tenant's admins, are whom to ask.
#[component]
fn NoAccessPage(told: NoAccess) -> impl IntoView {
    crate::answer::status(403);
    let NoAccess {
        of,
        email,
        ask,
        own,
        objects,
    } = told;
    let (open_to, role, who, whom) = match of {
        Closed::Workspace {
            name,
            role,
            open_to,
        } => (
            format!("the {} of {name}", open_to.words()),
            format!(", {role}."),
            "owner",
            "an owner",
        ),
        Closed::Tenant { name } => (
            format!("the admins of the whole of {name}"),
            ".".to_owned(),
            "tenant admin",
            "one of them",
        ),
    };
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
    let to_ask = if ask.is_empty() {
        "If you need it, ask whoever runs this installation.".to_owned()
    } else {
        format!("If you need it, ask {whom}:")
    };
    let people = ask
        .into_iter()
        .map(|name| {
            view! {
                <li>
                    <span class="strong">{name}</span>
                    <span class="quiet">{who}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let people = (!people.is_empty()).then(|| view! { <ul class="people">{people}</ul> });
    let own = own.map(|own| {
        view! {
            <p>
                "What you did yourself is under "
                <a href=own>"My activity"</a> "."
            </p>
        }
    });
    view! {
        <Letter heading="This page is not open to you">
            <p>
                {format!("It is for {open_to}. You are signed in as ")}
                <strong class="strong">{email}</strong>
                {role}
            </p>
            <p>{to_ask}</p>
            {people}
            {objects}
            {own}
            <div class="acts">
                <a class="button primary" href="/">
                    "To your workspace"
                </a>
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

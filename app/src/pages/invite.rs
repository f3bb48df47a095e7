//! Answering an invitation: its link leads here.

use super::{Letter, SignOn};
use crate::{
    icon::Icon,
    refusal::Refusal,
    viewer::{SignInWays, Viewer},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use store::{Store, members::Invitation};

/// The page of an invitation's link. The server takes its form at `POST /invite`, and answers one
/// that it does not take with the same page and `error=name`, `password` or `other`.
#[component]
pub fn Invite() -> impl IntoView {
    let asked = Asked::read(&use_location().search.get_untracked());
    let viewer = use_context::<Viewer>();
    let store = use_context::<Store>();
    view! {
        <Suspense>
            {Suspend::new(async move {
                let Some(store) = store else {
                    let refusal = Refusal::Unavailable("no log is open".to_owned());
                    return view! { <super::Refused refusal/> }.into_any();
                };
                match store.invitation(&asked.key).await {
                    Ok(Some(invitation)) => {
                        if asked.error.is_some() {
                            crate::answer::status(400);
                        }
                        let signed_in = viewer.and_then(|viewer| viewer.signed_in);
                        let email = signed_in.map(|person| person.email);
                        view! { <Answering asked invitation email/> }.into_any()
                    }
                    Ok(None) => view! { <Over/> }.into_any(),
                    Err(error) => view! { <super::Refused refusal=error.into()/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// What the address of this page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    key: String,
    name: String,
    error: Option<&'static str>,
}

impl Asked {
    fn read(search: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            match &*name {
                "key" => asked.key = value.into_owned(),
                "name" => asked.name = value.into_owned(),
                "error" => asked.error = ["name", "password"].into_iter().find(|it| *it == value),
                _ => {}
            }
        }
        asked
    }
}

/// The link is good for nothing.
#[component]
fn Over() -> impl IntoView {
    crate::answer::status(404);
    view! {
        <Letter heading="This invitation is no longer good">
            <p>
                "It was answered already, revoked, or is older than seven days. Ask whoever sent \
                 you the link for a new one."
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

#[component]
fn Answering(asked: Asked, invitation: Invitation, email: Option<String>) -> impl IntoView {
    let here = format!("/invite?key={}", crate::address::encoded(&asked.key));
    let invited = view! { <Invited invitation=invitation.clone()/> };
    let ways = SignInWays::of_request();
    let form = match email {
        Some(email) if email == invitation.email => view! { <Accept key=asked.key/> }.into_any(),
        Some(email) => view! { <SomebodyElse email/> }.into_any(),
        None => {
            let form = match (invitation.has_account, ways.passwords) {
                (_, false) => None,
                (true, true) => Some(view! { <KnownAccount here=here.clone()/> }.into_any()),
                (false, true) => {
                    Some(view! { <NewAccount asked email=invitation.email.clone()/> }.into_any())
                }
            };
            let sign_on = ways.sign_on.map(|provider| {
                let alone = !ways.passwords;
                view! {
                    <p>
                        "Sign in with your organization as "
                        <strong class="strong">{invitation.email.clone()}</strong>
                        ", and it is accepted."
                    </p>
                    <SignOn provider next=here alone words="Accept with your organization"/>
                }
            });
            let or = (sign_on.is_some() && form.is_some())
                .then(|| view! { <p class="quiet">"Or with a password:"</p> });
            view! {
                {sign_on}
                {or}
                {form}
            }
            .into_any()
        }
    };
    view! {
        <Letter heading="An invitation">
            {invited}
            {form}
        </Letter>
    }
    .into_any()
}

/// Who invites whom, to what.
#[component]
pub(super) fn Invited(invitation: Invitation) -> impl IntoView {
    let until = invitation
        .last_day
        .map_or_else(String::new, |day| format!(", until {day}"));
    let words = format!(
        " invites you, {}, to {} ({}) as {}{until}.",
        invitation.email,
        invitation.workspace.name,
        invitation.workspace.tenant.name,
        invitation.role.label(),
    );
    view! {
        <p>
            <strong class="strong">{invitation.by}</strong>
            {words}
        </p>
    }
    .into_any()
}

/// Who is signed in is who was invited.
#[component]
fn Accept(key: String) -> impl IntoView {
    view! {
        <form method="post" action="/invite" class="acts">
            <input type="hidden" name="key" value=key/>
            <button class="button primary" type="submit">
                "Accept"
            </button>
            <a class="button plain" href="/">
                "Not now"
            </a>
        </form>
    }
}

/// Who is signed in is not who was invited.
#[component]
fn SomebodyElse(email: String) -> impl IntoView {
    view! {
        <p>
            "You are signed in as " <strong class="strong">{email}</strong>
            ". Sign out, and open the link once more."
        </p>
        <form method="post" action="/logout" class="acts">
            <button class="button" type="submit">
                "Sign out"
            </button>
        </form>
    }
}

/// Who was invited has an account.
#[component]
fn KnownAccount(here: String) -> impl IntoView {
    view! {
        <p>"You have an account here. Sign in with it, and accept."</p>
        <div class="acts">
            <a class="button primary" href=crate::address::login(&here)>
                "Sign in"
            </a>
        </div>
    }
}

/// Who was invited has no account yet.
#[component]
fn NewAccount(asked: Asked, email: String) -> impl IntoView {
    let wrong = |field: &str, id: &'static str, words: &'static str| {
        (asked.error == Some(field)).then(|| {
            view! {
                <p class="error" id=id role="alert">
                    <Icon name="warn"/>
                    {words}
                </p>
            }
        })
    };
    let name_error = wrong("name", "v-name-error", "A name has 1 to 200 characters.");
    let password_error = wrong(
        "password",
        "v-password-error",
        "A password has 8 to 512 characters.",
    );
    let is = |field: &str| (asked.error == Some(field)).then_some("true");
    let (name_is_wrong, password_is_wrong) = (is("name"), is("password"));
    view! {
        <form class="stack" method="post" action="/invite">
            <input type="hidden" name="key" value=asked.key/>
            // For the browser's password store: it is not sent on.
            <div class="field">
                <label for="v-email">"Email"</label>
                <input id="v-email" type="email" autocomplete="username" value=email readonly/>
            </div>
            <div class="field">
                <label for="v-name">"Your name, as the log shows it"</label>
                <input
                    id="v-name"
                    name="name"
                    autocomplete="name"
                    required
                    value=asked.name
                    aria-invalid=name_is_wrong
                    aria-describedby=name_is_wrong.map(|_| "v-name-error")
                />
                {name_error}
            </div>
            <div class="field">
                <label for="v-password">"A password, at least 8 characters"</label>
                <input
                    id="v-password"
                    name="password"
                    type="password"
                    autocomplete="new-password"
                    required
                    aria-invalid=password_is_wrong
                    aria-describedby=password_is_wrong.map(|_| "v-password-error")
                />
                {password_error}
            </div>
            <button class="button primary" type="submit">
                "Accept"
            </button>
        </form>
    }
    .into_any()
}

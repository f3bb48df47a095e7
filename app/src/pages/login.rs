//! Signing in.

use super::{Letter, SignOn};
use crate::{icon::Icon, viewer::SignInWays};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The form that signs in, and the way to the provider, as the installation has it. The server takes
/// the form at `POST /login`, and answers a failed one with `/login?error=wrong` or `error=many`; who
/// gave up at the provider comes back with `error=cancelled`.
#[component]
pub fn Login() -> impl IntoView {
    let search = use_location().search.get_untracked();
    let asked = Asked::read(&search);
    let error = asked.error.map(|error| {
        view! {
            <p class="error" id="l-error" role="alert">
                <Icon name="warn"/>
                {error.words()}
            </p>
        }
        .into_any()
    });
    let why = asked
        .next
        .is_some()
        .then(|| view! { <p>"You will be back where you were."</p> });
    let returns = asked.next.clone().map(|next| {
        view! {
            <p class="return quiet">
                "Returns to " <code>{next}</code>
            </p>
        }
    });
    let ways = SignInWays::of_request();
    let next = asked.next.clone().unwrap_or_default();
    let sign_on = ways.sign_on.map(|provider| {
        let next = next.clone();
        let alone = !ways.passwords;
        view! { <SignOn provider next alone words="Sign in with your organization"/> }
    });
    // The error stands above what it is about.
    let (above, beside) = match asked.error {
        Some(Error::Cancelled) => (error, None),
        _ if !ways.passwords => (error, None),
        _ => (None, error),
    };
    let form = ways.passwords.then(|| {
        let or = sign_on
            .is_some()
            .then(|| view! { <p class="quiet">"Or with a password:"</p> });
        view! {
            {or}
            <Form next error=beside/>
        }
    });
    view! {
        <Letter heading="Sign in">
            {why}
            {above}
            {sign_on}
            {form}
            {returns}
        </Letter>
    }
    .into_any()
}

/// E-mail and password.
#[component]
fn Form(next: String, error: Option<AnyView>) -> impl IntoView {
    let described = error.is_some().then_some("l-error");
    view! {
        <form class="stack" method="post" action="/login">
            <input type="hidden" name="next" value=next/>
            {error}
            <div class="field">
                <label for="l-email">"Email"</label>
                <input
                    id="l-email"
                    name="email"
                    type="email"
                    autocomplete="username"
                    required
                    aria-describedby=described
                />
            </div>
            <div class="field">
                <label for="l-password">"Password"</label>
                <input
                    id="l-password"
                    name="password"
                    type="password"
                    autocomplete="current-password"
                    required
                    aria-describedby=described
                />
            </div>
            <button class="button primary" type="submit">
                "Sign in"
            </button>
        </form>
    }
}

/// Why somebody is here again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error {
    Wrong,
    Many,
    Cancelled,
}

impl Error {
    const fn words(self) -> &'static str {
        match self {
            Self::Wrong => "This email and password do not belong together.",
            Self::Many => "Too many failed sign-ins. Wait a quarter of an hour and try again.",
            Self::Cancelled => "You did not finish signing in with your organization. Try again.",
        }
    }
}

/// What the address of this page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    next: Option<String>,
    error: Option<Error>,
}

impl Asked {
    fn read(search: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            match &*name {
                "next" => asked.next = Some(value.into_owned()).filter(|next| is_ours(next)),
                "error" => {
                    asked.error = Some(match &*value {
                        "many" => Error::Many,
                        "cancelled" => Error::Cancelled,
                        _ => Error::Wrong,
                    });
                }
                _ => {}
            }
        }
        asked
    }
}

/// Whether an address lies on this site: a path, and not one that a browser takes for a host.
fn is_ours(address: &str) -> bool {
    address.starts_with('/') && !address.starts_with("//") && !address.contains('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_site_are_returned_to() {
        let next = |search: &str| Asked::read(search).next;
        assert_eq!(
            next("next=%2Facme%2Fgrowth%2Faudit%3Fq%3Dx").as_deref(),
            Some("/acme/growth/audit?q=x")
        );
        for elsewhere in [
            "next=https%3A%2F%2Fevil.example",
            "next=%2F%2Fevil.example",
            "next=%2F%5Cevil.example",
            "next=",
        ] {
            assert_eq!(next(elsewhere), None, "{elsewhere}");
        }
    }
}

//! The way to the provider at which people sign in.

use leptos::prelude::*;

/// The button that leads to the provider, and from there to an address of this site. It is a link:
/// what is at its end is another site.
#[component]
pub(crate) fn SignOn(
    /// The provider's host: people should know where they are led.
    provider: String,
    /// Where to go then; empty: to the start page.
    next: String,
    /// What the button says.
    words: &'static str,
    /// Whether it is the only way.
    alone: bool,
) -> impl IntoView {
    let class = if alone { "button primary" } else { "button" };
    view! {
        <div class="stack or">
            <a class=class href=crate::address::sign_on(&next)>
                {words}
            </a>
            <p class="quiet">
                "At " <code>{provider}</code>
            </p>
        </div>
    }
}

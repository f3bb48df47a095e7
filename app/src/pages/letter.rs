//! A page that is only words.

use crate::frame::{Frame, Framed};
use leptos::prelude::*;
use leptos_meta::Title;

/// A page that is only words, under a heading.
#[component]
pub fn Letter(
    /// The heading, which is the page's title too.
    heading: &'static str,
    /// Who looks, and where; none where nothing may be told.
    #[prop(optional)]
    frame: Option<Frame>,
    children: Children,
) -> impl IntoView {
    view! {
        <Title text=heading/>
        <Framed frame skip=("#words", "Skip to the message")>
            <div class="letter-wrap">
                <section class="letter" id="words" tabindex="-1">
                    <h1>{heading}</h1>
                    {children()}
                </section>
            </div>
        </Framed>
    }
    .into_any()
}

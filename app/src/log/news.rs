//! What arrived since the page was read.

use crate::{address::Links, icon::Icon, live::NEWS};
use leptos::prelude::*;
use std::sync::Arc;

/// Where it says how many entries are new, once there are any: a link to the first page, which shows
/// them. Nothing on the page moves before that. Without script nobody tells it of new ones, and it
/// stays hidden.
#[component]
pub(super) fn News(
    links: Arc<Links>,
    /// The last number, in the order of arrival, that the page shows.
    shown_to: u64,
) -> impl IntoView {
    let first = links.to(&links.query.from_start());
    view! {
        <div class="news" id=NEWS role="status" data-shown-to=shown_to.to_string()>
            <a class="fresh" href=first hidden>
                <Icon name="arrow-up"/>
                <span></span>
            </a>
        </div>
    }
    .into_any()
}

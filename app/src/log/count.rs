//! How many entries, in words.

use super::view::CountView;
use crate::number::{entries, grouped};
use leptos::prelude::*;

/// How many entries match; said aloud when it changes.
#[component]
pub(super) fn CountLine(count: CountView) -> impl IntoView {
    let (before, number, after) = match count {
        CountView::Exactly(number) => ("", grouped(number), entries(number)),
        CountView::MoreThan(number) => ("more than ", grouped(number), "entries"),
        CountView::Unknown => ("", String::new(), ""),
    };
    view! {
        <p class="count num" role="status">
            {before}
            <b>{number}</b>
            " "
            {after}
        </p>
    }
    .into_any()
}

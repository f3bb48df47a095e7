//! Where a log goes on.

use super::view::LogView;
use crate::address::Links;
use domain::question::{Limit, Query};
use leptos::prelude::*;
use std::sync::Arc;

/// Rows a page that are offered.
const SIZES: [u16; 4] = [25, 50, 100, 200];

/// Rows a page, and the pages before and after.
#[component]
pub(super) fn Foot(links: Arc<Links>, log: Arc<LogView>) -> impl IntoView {
    let query = &links.query;
    let sizes = SIZES
        .map(|size| {
            let href = links.to(&Query {
                limit: Limit::try_from(size)
                    .ok()
                    .filter(|limit| *limit != Limit::DEFAULT),
                ..query.clone()
            });
            let current = (query.page_size() == usize::from(size)).then_some("true");
            view! {
                <a href=href data-stay="" aria-current=current>
                    {size}
                </a>
            }
        })
        .collect_view();
    let searched = log.searched_to.clone().map(|time| {
        view! {
            <p class="searched" role="status">
                "Searched back to "
                <time>{time}</time>
                ". Nothing more so far."
            </p>
        }
    });
    let newer = log.newer.as_ref().map(|cursor| {
        view! {
            <a class="button" rel="prev" href=links.to(&query.at(cursor))>
                "← Newer"
            </a>
        }
    });
    let older = log.older.as_ref().map(|cursor| {
        view! {
            <a class="button" rel="next" href=links.to(&query.at(cursor))>
                "Older →"
            </a>
        }
    });
    view! {
        {searched}
        <nav class="foot" aria-label="Pages">
            <p class="sizes num">"Rows a page " {sizes}</p>
            <span class="pages">{newer} {older}</span>
        </nav>
    }
    .into_any()
}

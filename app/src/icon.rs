//! The icons, drawn once in a page and used by name.

use leptos::prelude::*;

/// Every icon, as symbols; [`Icon`] uses them.
#[component]
pub fn Icons() -> impl IntoView {
    view! { <svg class="sprite" aria-hidden="true" inner_html=SYMBOLS></svg> }
}

/// An icon by its name. It says nothing to a screen reader: the text beside it does.
#[component]
pub fn Icon(
    /// The symbol's name, without `i-`.
    name: &'static str,
) -> impl IntoView {
    let class = if name == "chevron-down" {
        "icon chevron"
    } else {
        "icon"
    };
    view! { <svg class=class aria-hidden="true" inner_html=format!("<use href=\"#i-{name}\"/>")></svg> }
}

/// The product's mark.
#[component]
pub fn Logo() -> impl IntoView {
    view! {
        <svg
            class="logo"
            viewBox="0 0 22 22"
            aria-hidden="true"
            fill="none"
            stroke="currentColor"
            inner_html="<rect x=\"2.5\" y=\"2.5\" width=\"17\" height=\"17\" rx=\"2.5\" stroke-width=\"1.6\"/>\
                        <path d=\"M7 3v16M9 3v16\" stroke-width=\"1\"/>\
                        <path d=\"M11.5 7.5h5M11.5 11h5M11.5 14.5h3\" stroke-width=\"1.4\"/>"
        ></svg>
    }
    .into_any()
}

const SYMBOLS: &str = concat!(
    r#"<symbol id="i-chevron-right" viewBox="0 0 16 16"><path d="m6 3.5 4.5 4.5L6 12.5"/></symbol>"#,
    r#"<symbol id="i-chevron-down" viewBox="0 0 16 16"><path d="M3.5 6 8 10.5 12.5 6"/></symbol>"#,
    r#"<symbol id="i-arrow-up" viewBox="0 0 16 16"><path d="M8 13.5v-11M3.5 7 8 2.5 12.5 7"/></symbol>"#,
    r#"<symbol id="i-arrow-down" viewBox="0 0 16 16"><path d="M8 2.5v11M3.5 9 8 13.5 12.5 9"/></symbol>"#,
    r#"<symbol id="i-search" viewBox="0 0 16 16"><circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/></symbol>"#,
    r#"<symbol id="i-close" viewBox="0 0 16 16"><path d="m3 3 10 10M13 3 3 13"/></symbol>"#,
    r#"<symbol id="i-open" viewBox="0 0 16 16"><path d="M6.5 3.5h-3v9h9v-3M9.5 2.5h4v4M13.5 2.5 7.5 8.5"/></symbol>"#,
    r#"<symbol id="i-export" viewBox="0 0 16 16"><path d="M8 2.5v7.5M4.5 6.5 8 10l3.5-3.5M2.5 13.5h11"/></symbol>"#,
    r#"<symbol id="i-filter" viewBox="0 0 16 16"><path d="M2 4h12M4.5 8h7M7 12h2"/></symbol>"#,
    r#"<symbol id="i-link" viewBox="0 0 16 16"><path d="M6.5 9.5 9.5 6.5M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5 7.5 13A3 3 0 0 1 3 8.5L4.5 7"/></symbol>"#,
    r#"<symbol id="i-copy" viewBox="0 0 16 16"><rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M10.5 5.5v-3h-8v8h3"/></symbol>"#,
    r#"<symbol id="i-history" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.5"/><path d="M8 5v3.2l2 1.3"/></symbol>"#,
    r#"<symbol id="i-warn" viewBox="0 0 16 16"><path d="M8 2.5 14.5 13.5h-13zM8 6.5v3.5M8 12v.1"/></symbol>"#,
    r#"<symbol id="i-info" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path d="M8 7.5V11M8 5v.1"/></symbol>"#,
    r#"<symbol id="i-check" viewBox="0 0 16 16"><path d="m2.5 8.5 3.5 3.5 7.5-8"/></symbol>"#,
    r#"<symbol id="i-barred" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.5"/><path d="m4.2 4.2 7.6 7.6"/></symbol>"#,
    r#"<symbol id="i-lock" viewBox="0 0 16 16"><rect x="3" y="7" width="10" height="6.5" rx="1.5"/><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2"/></symbol>"#,
    r#"<symbol id="i-pause" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path d="M6.5 6v4M9.5 6v4"/></symbol>"#,
);

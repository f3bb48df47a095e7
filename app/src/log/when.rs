//! How long ago something was, on the page.

use crate::ago::ago;
use leptos::prelude::*;

/// How long ago a moment was: as of the server's reading. Where there is script, it goes on: the
/// element tells how many milliseconds and midnights had passed.
#[component]
pub fn Ago(
    /// When: milliseconds since 1970.
    millis: i64,
    /// How many midnights ago.
    midnights: i64,
    /// When the page was read: milliseconds since 1970.
    now: i64,
) -> impl IntoView {
    let passed = now - millis;
    view! {
        <span data-passed=passed data-midnights=midnights>
            {ago(passed, midnights)}
        </span>
    }
}

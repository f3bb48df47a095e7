//! The places of the settings.

use crate::address;
use domain::slug::WorkspacePath;
use leptos::prelude::*;

/// Which of the places a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Settings → Audit log.
    AuditLog,
    /// Settings → Members.
    Members,
}

/// The links to them, beside each.
#[component]
pub(super) fn Places(
    /// Where this is.
    here: Place,
    /// Of which workspace.
    workspace: WorkspacePath,
    /// Whether who looks manages members and tokens.
    manages: bool,
) -> impl IntoView {
    let link = |place: Place, there: String, words: &'static str| {
        let current = (place == here).then_some("page");
        view! {
            <li>
                <a href=there aria-current=current>
                    {words}
                </a>
            </li>
        }
    };
    let managed = manages.then(|| {
        view! { {link(Place::Members, address::members(&workspace), "Members")} }
    });
    view! {
        <nav class="places" aria-label="Settings">
            <ul>
                {link(Place::AuditLog, address::settings(&workspace), "Audit log")} {managed}
            </ul>
        </nav>
    }
    .into_any()
}

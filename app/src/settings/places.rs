//! The list of the settings' pages, beside each of them.

use crate::{address, frame::Frame};
use leptos::prelude::*;

/// Which of the settings' pages is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Current {
    /// How long entries are kept, and whether they are recorded.
    AuditLog,
    /// What the workspace says of actions itself.
    Catalogue,
    /// What is taken out before it is recorded.
    Redaction,
    /// Who belongs to the workspace.
    Members,
    /// What applications send and ask with.
    Tokens,
}

/// The settings' pages that are open to who looks.
#[component]
pub(super) fn Places(
    frame: Frame,
    /// The zone of the page, which its links keep.
    zone: String,
    current: Current,
) -> impl IntoView {
    let workspace = &frame.workspace.path;
    let link = |place: Current, path: String, words: &'static str| {
        let here = (place == current).then_some("page");
        view! {
            <li>
                <a href=address::in_zone(&path, &zone) aria-current=here>
                    {words}
                </a>
            </li>
        }
    };
    let managed = frame.manages.then(|| {
        (
            link(Current::Members, address::members(workspace), "Members"),
            link(Current::Tokens, address::tokens(workspace), "API tokens"),
        )
    });
    view! {
        <nav class="places" aria-label="Settings">
            <ul>
                {link(Current::AuditLog, address::settings(workspace), "Audit log")}
                {link(Current::Catalogue, address::catalogue(workspace), "Catalogue")}
                {link(Current::Redaction, address::redaction(workspace), "Redaction")}
                {managed}
            </ul>
        </nav>
    }
    .into_any()
}

//! What people see. Compiled twice: for the server (`ssr`), which renders complete pages, and for the
//! browser (`hydrate`), which takes them over. The pages know neither HTTP nor SQL: the server
//! provides a `store::Store`, a `viewer::Viewer` and an `answer::Answer` by context.

#![recursion_limit = "256"]

pub mod address;
#[cfg(feature = "ssr")]
pub mod answer;
pub mod frame;
mod icon;
mod live;
pub mod log;
mod pages;
pub mod refusal;
pub mod settings;
#[cfg(feature = "ssr")]
pub mod viewer;

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};
use pages::{Audit, Home, Login, Missing, Object, ObjectAudit};
use settings::SettingsPage;

/// Every page.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let (_, set_is_routing) = signal(false);
    view! {
        <Title formatter=|page| format!("{page} · Daybook")/>
        // With `set_is_routing` the page before stays until the next one is loaded.
        <Router set_is_routing>
            <FlatRoutes fallback=Missing>
                <Route path=path!("/") view=Home ssr=SsrMode::Async/>
                <Route path=path!("/login") view=Login ssr=SsrMode::Async/>
                <Route path=path!("/:tenant/:workspace/audit") view=Audit ssr=SsrMode::Async/>
                <Route
                    path=path!("/:tenant/:workspace/settings")
                    view=SettingsPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/objects/:kind/:id")
                    view=Object
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/objects/:kind/:id/audit")
                    view=ObjectAudit
                    ssr=SsrMode::Async
                />
            </FlatRoutes>
        </Router>
    }
    .into_any()
}

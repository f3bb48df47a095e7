//! What people see.

#[cfg(feature = "ssr")]
pub mod answer;
#[cfg(feature = "ssr")]
pub mod viewer;

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{SsrMode, components::*, path};

#[component]
#[expect(missing_docs)]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title text="Daybook"/>
        <Router>
            <Routes fallback=|| "no such page">
                <Route path=path!("/login") view=|| "sign in" ssr=SsrMode::Async/>
                <Route path=path!("/:tenant/:workspace/audit") view=|| "audit" ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
}

/// A server function.
#[server(prefix = "/ui", endpoint = "echo")]
pub async fn echo(text: String) -> Result<String, ServerFnError> {
    Ok(text)
}

//! Every page, by its address.

use crate::{
    full_title,
    log::Log,
    objects::{Blame, Objects, Overview},
    pages::{Home, Invite, Login, Missing},
    settings::{
        CataloguePage, MembersPage, PersonalDataPage, ProofPage, RedactionPage, SettingsPage,
        TenantAdminsPage, TenantSettingsPage, TokensPage,
    },
};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};

/// Every page.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=|page: String| full_title(&page)/>
        <Router>
            <FlatRoutes fallback=Missing>
                <Route path=path!("/") view=Home ssr=SsrMode::Async/>
                <Route path=path!("/login") view=Login ssr=SsrMode::Async/>
                <Route path=path!("/invite") view=Invite ssr=SsrMode::Async/>
                <Route path=path!("/:tenant/audit") view=Log ssr=SsrMode::Async/>
                <Route
                    path=path!("/:tenant/settings")
                    view=TenantSettingsPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/settings/admins")
                    view=TenantAdminsPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/settings/proof")
                    view=ProofPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/settings/tokens")
                    view=TokensPage
                    ssr=SsrMode::Async
                />
                <Route path=path!("/:tenant/:workspace/audit") view=Log ssr=SsrMode::Async/>
                <Route path=path!("/:tenant/:workspace/me") view=Log ssr=SsrMode::Async/>
                <Route
                    path=path!("/:tenant/:workspace/settings")
                    view=SettingsPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/settings/personal-data")
                    view=PersonalDataPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/settings/proof")
                    view=ProofPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/settings/catalogue")
                    view=CataloguePage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/settings/redaction")
                    view=RedactionPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/settings/members")
                    view=MembersPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/settings/tokens")
                    view=TokensPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/objects")
                    view=Objects
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/objects/:kind/:id")
                    view=Overview
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/objects/:kind/:id/audit")
                    view=Log
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!("/:tenant/:workspace/objects/:kind/:id/blame")
                    view=Blame
                    ssr=SsrMode::Async
                />
            </FlatRoutes>
        </Router>
    }
    .into_any()
}

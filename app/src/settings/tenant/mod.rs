//! A tenant's settings: its plan and workspaces, and who administers it. Its tokens have the same
//! page as a workspace's.

pub mod admins;
mod load;
pub mod view;

use super::places::{Current, Places};
use crate::{
    frame::{Framed, Here},
    log::{InZone, view::WhenView},
    pages::Refused,
    viewer::Asker,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use view::{TenantView, WorkspaceView};

/// A tenant's plan and workspaces.
#[component]
pub fn TenantSettingsPage() -> impl IntoView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    let asker = Asker::of_request();
    view! {
        <Suspense>
            {Suspend::new(async move {
                match load::tenant(asker, &path, &search).await {
                    Ok(tenant) => view! { <Page tenant/> }.into_any(),
                    Err(refusal) => view! { <Refused refusal/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Page(tenant: TenantView) -> impl IntoView {
    let TenantView {
        frame,
        zone,
        plan,
        workspaces,
        total,
        newer,
        older,
    } = tenant;
    let name = frame.tenant.name.clone();
    let slug = frame.tenant.slug.to_string();
    let words = name.clone();
    let path = crate::address::tenant_settings(&frame.tenant.slug);
    let title = format!("Settings, {name}");
    let places = view! { <Places frame=frame.clone() zone=zone.clone() current=Current::Tenant/> };
    view! {
        <Title text=title/>
        <Framed frame=super::places::Of::from(frame) here=Here::Settings zone=zone.clone() skip=("#settings", "Skip to the settings")>
            <div class="page">
                <header class="page-head">
                    <h1>"Settings, all workspaces"</h1>
                    <InZone words path kept=&["page"]/>
                </header>
                <div class="settings wide">
                    {places}
                    <div id="settings" tabindex="-1">
                        <Plan name slug plan/>
                        <Workspaces workspaces total newer older zone/>
                    </div>
                </div>
            </div>
        </Framed>
    }
    .into_any()
}

/// What the operator set: the tenant's names, and its plan in words.
#[component]
fn Plan(name: String, slug: String, plan: Vec<String>) -> impl IntoView {
    let lines = plan
        .into_iter()
        .map(|line| view! { <p>{line}</p> })
        .collect_view();
    view! {
        <section class="setting" aria-labelledby="s-tenant">
            <div class="about">
                <h2 id="s-tenant">"Tenant"</h2>
                <p>"Its name, and its name in addresses, which never changes."</p>
            </div>
            <div class="control said">
                <p>
                    <strong>{name}</strong>
                    " "
                    <code>{slug}</code>
                </p>
            </div>
        </section>
        <section class="setting" aria-labelledby="s-plan">
            <div class="about">
                <h2 id="s-plan">"Plan"</h2>
                <p>"Set by the operator of this installation, who alone can change it."</p>
            </div>
            <div class="control said">{lines}</div>
        </section>
    }
    .into_any()
}

/// The tenant's workspaces, each with how it keeps its log.
#[component]
fn Workspaces(
    workspaces: Vec<WorkspaceView>,
    total: u64,
    newer: Option<String>,
    older: Option<String>,
    zone: String,
) -> impl IntoView {
    let count = match total {
        0 => "There are none yet: the operator creates them.".to_owned(),
        1 => "1 workspace. Its name leads to its settings.".to_owned(),
        more => format!("{more} workspaces. Each name leads to its settings."),
    };
    let rows = workspaces
        .into_iter()
        .map(|workspace| view! { <Workspace workspace zone=zone.clone()/> })
        .collect_view();
    let table = (total > 0).then(|| {
        view! {
            <table class="list">
                <caption class="sr-only">"The workspaces of the tenant"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Workspace"</th>
                        <th scope="col">"Keeps entries"</th>
                        <th scope="col">"Recording"</th>
                        <th scope="col">"Legal hold"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
    });
    view! {
        <section class="listing" aria-labelledby="s-workspaces">
            <h2 id="s-workspaces">"Workspaces"</h2>
            <p>{count}</p>
            {table}
            <Pages newer older label="Pages of workspaces"/>
        </section>
    }
    .into_any()
}

/// Leads on and back in a list.
#[component]
fn Pages(newer: Option<String>, older: Option<String>, label: &'static str) -> impl IntoView {
    let link = |there: Option<String>, rel: &'static str, words: &'static str| {
        there.map(|there| view! { <a class="button" rel=rel href=there>{words}</a> })
    };
    (newer.is_some() || older.is_some()).then(|| {
        view! {
            <nav class="pages" aria-label=label>
                {link(newer, "prev", "← Before")}
                {link(older, "next", "After →")}
            </nav>
        }
    })
}

#[component]
fn Workspace(workspace: WorkspaceView, zone: String) -> impl IntoView {
    let moment = |at: WhenView| {
        let minute = at.clock.get(..5).unwrap_or(&at.clock).to_owned();
        view! { <time datetime=at.iso title=at.exact>{at.date} " " {minute}</time> }
    };
    let pending = workspace.pending.map(|(words, from)| {
        view! { <p class="quiet">{format!("{words} from ")} {moment(from)} " on"</p> }
    });
    let recording = match workspace.recording_off {
        None => view! { "on" }.into_any(),
        Some((by, at)) => view! {
            <span class="tag" data-outcome="denied">
                "off"
            </span>
            <p class="quiet">"since " {moment(at)} " by " {by}</p>
        }
        .into_any(),
    };
    let hold = match workspace.hold {
        None => view! { "none" }.into_any(),
        Some((by, at)) => view! {
            <span class="tag" data-outcome="denied">
                "stands"
            </span>
            <p class="quiet">"since " {moment(at)} " by " {by}</p>
        }
        .into_any(),
    };
    let slug = workspace.slug;
    let named = slug.clone();
    let settings = crate::address::in_zone(&workspace.settings, &zone);
    view! {
        <tr data-workspace=named>
            <th scope="row">
                <a class="strong" href=settings>
                    {workspace.name}
                </a>
                <code class="quiet">{slug}</code>
            </th>
            <td data-label="Keeps entries">
                <span>{workspace.keeps}</span>
                {pending}
            </td>
            <td data-label="Recording">{recording}</td>
            <td data-label="Legal hold">{hold}</td>
        </tr>
    }
    .into_any()
}

//! Settings of a tenant → Admins: who administers it, with or without a last day.

mod change;
mod load;
pub mod view;

use super::Pages;
use crate::{
    address,
    frame::{Framed, Here},
    icon::Icon,
    log::InZone,
    pages::Refused,
    settings::{
        Wrong,
        places::{Current, Of, Places},
    },
    viewer::Asker,
};
use change::{AddTenantAdmin, ChangeTenantAdmin, Fault, Part, Typed};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use view::{AdminView, AdminsView};

/// The admins of a tenant.
#[component]
pub fn TenantAdminsPage() -> impl IntoView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    let asker = Asker::of_request();
    view! {
        <Suspense>
            {Suspend::new(async move {
                let typed = Typed::read(&search);
                match load::admins(asker, &path, &search).await {
                    Ok(admins) => {
                        if typed.fault.is_some() {
                            crate::answer::status(400);
                        }
                        view! { <Page admins typed/> }.into_any()
                    }
                    Err(refusal) => view! { <Refused refusal/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Page(admins: AdminsView, typed: Typed) -> impl IntoView {
    let AdminsView {
        frame,
        zone,
        admins,
        total,
        here,
        newer,
        older,
    } = admins;
    let title = format!("Admins, {}", frame.tenant.name);
    let words = frame.tenant.name.clone();
    let path = address::tenant_admins(&frame.tenant.slug);
    let places = view! { <Places frame=frame.clone() zone=zone.clone() current=Current::Admins/> };
    let whole = typed
        .fault
        .filter(|fault| fault.part() == Part::Whole)
        .map(|fault| {
            view! {
                <div class="notice bad" role="alert">
                    <Icon name="warn"/>
                    <p>{fault.words()}</p>
                </div>
            }
        });
    let done = typed.done.map(|done| {
        view! {
            <div class="notice good" role="status">
                <Icon name="check"/>
                <p>{done.words()} " The change is an entry in the tenant’s own log."</p>
            </div>
        }
    });
    let count = match total {
        1 => "1 admin".to_owned(),
        more => format!("{more} admins"),
    };
    let rows = admins
        .into_iter()
        .map(|admin| {
            let is_open = typed.change.as_ref() == Some(&admin.id) && !admin.is_oneself;
            let typed = is_open.then(|| typed.clone());
            view! { <Admin admin typed here=here.clone() path=path.clone() zone=zone.clone()/> }
        })
        .collect_view();
    view! {
        <Title text=title/>
        <Framed frame=Of::from(frame) here=Here::Settings zone=zone.clone() skip=("#settings", "Skip to the admins")>
            <div class="page">
                <header class="page-head">
                    <h1>"Settings, all workspaces"</h1>
                    <InZone words path=path.clone() kept=&["page", "change"]/>
                </header>
                {whole}
                {done}
                <div class="settings">
                    {places}
                    <div id="settings" tabindex="-1">
                        <section class="listing" aria-labelledby="a-admins">
                            <div class="listing-head">
                                <h2 id="a-admins">"Admins of the tenant"</h2>
                                <a class="button" href="#a-add">
                                    "Add an admin"
                                </a>
                            </div>
                            <p>
                                "They count as owners of every workspace of the tenant, those to \
                                 come included, and see its whole log."
                            </p>
                            <p class="quiet">{count}</p>
                            <ul class="entries">{rows}</ul>
                            <Pages newer older label="Pages of admins"/>
                        </section>
                        <Add typed path zone/>
                    </div>
                </div>
            </div>
        </Framed>
    }
    .into_any()
}

#[component]
fn Admin(
    admin: AdminView,
    /// What was typed into this admin's form, if it is open.
    typed: Option<Typed>,
    /// This page's address.
    here: String,
    /// The page's path.
    path: String,
    zone: String,
) -> impl IntoView {
    let id = format!("a-{}", admin.id);
    let and = if here.contains('?') { '&' } else { '?' };
    let opens = format!("{here}{and}change={}#{id}", address::encoded(&admin.id));
    let closes = format!("{here}#{id}");
    let is_open = typed.is_some();
    let act = (!admin.is_oneself).then(|| {
        let (there, words) = if is_open {
            (closes, "Close")
        } else {
            (opens, "Change")
        };
        let label = format!("{words}: {}", admin.name);
        view! { <a class="button plain" href=there aria-label=label>{words}</a> }
    });
    let until = match &admin.last_day {
        Some(day) => format!("until {day}"),
        None => "no last day".to_owned(),
    };
    let state = admin
        .state
        .clone()
        .map(|state| view! { <span class="tag">{state}</span> });
    let you = admin
        .is_oneself
        .then(|| view! { <span class="tag">"you"</span> });
    let form = typed.map(|typed| view! { <AdminForm admin=admin.clone() typed path zone/> });
    view! {
        <li class="entry-line" id=id class:is-open=is_open data-admin=admin.email.clone() data-id=admin.id.clone()>
            <div class="who-is">
                <p>
                    <span class="strong clip" title=admin.name.clone()>{admin.name.clone()}</span>
                    {you}
                    {state}
                </p>
                <p class="quiet clip" title=admin.email.clone()>{admin.email.clone()}</p>
            </div>
            <div class="what-is">
                <p>{until}</p>
                <p class="quiet">{format!("since {}", admin.since)}</p>
            </div>
            <div class="acts">{act}</div>
            {form}
        </li>
    }
    .into_any()
}

/// The last day of an admin's role, and taking the role away.
#[component]
fn AdminForm(admin: AdminView, typed: Typed, path: String, zone: String) -> impl IntoView {
    let fault = typed.fault;
    let day = match fault {
        Some(_) => typed.last_day,
        None => admin.last_day.clone().unwrap_or_default(),
    };
    view! {
        <form class="entry-form" method="post" action=ChangeTenantAdmin::url()>
            <input type="hidden" name="path" value=path/>
            <input type="hidden" name="tz" value=zone/>
            <input type="hidden" name="admin" value=admin.id/>
            <DayField id="c-day" day fault/>
            // The first button is the one that Enter in a field presses.
            <div class="acts">
                <button class="button primary" type="submit" name="act" value="save">
                    "Save"
                </button>
            </div>
            <Removal name=admin.name/>
        </form>
    }
    .into_any()
}

/// Takes an admin's role away, once it was said what that means.
#[component]
fn Removal(name: String) -> impl IntoView {
    view! {
        <details class="removal">
            <summary class="button danger">"Take the role away…"</summary>
            <div class="notice warn">
                <Icon name="warn"/>
                <p>
                    <strong>{format!("Make {name} no admin of the tenant any more?")}</strong>
                    " It holds at their next request: they no longer count as an owner of the tenant’s \
                     workspaces, and no longer see its whole log. They are still what they are in \
                     single workspaces, and their account stays. An admin can add them again."
                </p>
                <div class="end acts">
                    <button class="button danger" type="submit" name="act" value="remove">
                        "Take it away"
                    </button>
                </div>
            </div>
        </details>
    }
    .into_any()
}

#[component]
fn DayField(id: &'static str, day: String, fault: Option<Fault>) -> impl IntoView {
    let fault = fault.filter(|fault| fault.part() == Part::Day);
    let error_id = format!("{id}-error");
    let described = if fault.is_some() {
        format!("{error_id} {id}-hint")
    } else {
        format!("{id}-hint")
    };
    let error = fault.map(|fault| view! { <Wrong id=error_id words=fault.words()/> });
    view! {
        <div class="field">
            <label for=id>"Last day of the role"</label>
            <input
                type="date"
                id=id
                name="last_day"
                value=day
                aria-invalid=fault.map(|_| "true")
                aria-describedby=described
            />
            {error}
            <p class="hint" id=format!("{id}-hint")>
                "None: until it is taken away. Ends at midnight UTC."
            </p>
        </div>
    }
    .into_any()
}

/// Adds an admin.
#[component]
fn Add(typed: Typed, path: String, zone: String) -> impl IntoView {
    let fault = typed.fault.filter(|_| typed.change.is_none());
    let wrong = fault.filter(|fault| fault.part() == Part::Email);
    let error = wrong.map(|fault| view! { <Wrong id="a-email-error" words=fault.words()/> });
    let (email, day) = if typed.change.is_none() {
        (typed.email, typed.last_day)
    } else {
        (String::new(), String::new())
    };
    let described = if wrong.is_some() {
        "a-email-error a-email-hint"
    } else {
        "a-email-hint"
    };
    view! {
        <section class="setting" id="a-add" aria-labelledby="a-add-head">
            <div class="about">
                <h2 id="a-add-head">"Add an admin"</h2>
                <p>
                    "Somebody who belongs to a workspace of the tenant. Who is new is invited to a \
                     workspace first, under its Members, or added by the operator of this \
                     installation."
                </p>
            </div>
            <form class="control" method="post" action=AddTenantAdmin::url()>
                <input type="hidden" name="path" value=path/>
                <input type="hidden" name="tz" value=zone/>
                <div class="field">
                    <label for="a-email">"Email"</label>
                    // Checked by the server, which says more than a browser does.
                    <input
                        id="a-email"
                        name="email"
                        inputmode="email"
                        autocomplete="off"
                        value=email
                        aria-invalid=wrong.map(|_| "true")
                        aria-describedby=described
                    />
                    {error}
                    <p class="hint" id="a-email-hint">
                        "The address by which they sign in."
                    </p>
                </div>
                <DayField id="a-day" day fault/>
                <div class="acts">
                    <button class="button primary" type="submit">
                        "Add"
                    </button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

//! Settings → Members: who belongs to the workspace, and who is invited.

mod change;
mod load;
pub mod view;

use super::places::{Current, Places};
use crate::{
    address,
    frame::{Framed, Here},
    icon::Icon,
    log::InZone,
    pages::loaded,
};
use change::{ChangeMember, Fault, InviteMember, Part, RevokeInvite, Typed};
use domain::role::Role;
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use view::{Activity, InviteView, MemberView, MembersView};

/// The members of a workspace.
#[component]
pub fn MembersPage() -> impl IntoView {
    loaded(
        |asker, path, search| async move {
            let members = load::members(asker, &path, &search).await;
            members.map(|members| (members, Typed::read(&search)))
        },
        |(members, typed)| {
            if typed.fault.is_some() {
                crate::answer::status(400);
            }
            view! { <Page members typed/> }.into_any()
        },
    )
}

#[component]
fn Page(members: MembersView, typed: Typed) -> impl IntoView {
    let workspace = members.frame.workspace.clone();
    let title = format!("Members, {}", workspace.name);
    let words = workspace.name.clone();
    let path = address::members(&workspace.path);
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
    let done = (typed.done && members.link.is_none()).then(|| {
        view! {
            <div class="notice good" role="status">
                <Icon name="check"/>
                <p>"Done. The change is an entry in the log."</p>
            </div>
        }
    });
    let link = members.link.clone().map(|link| view! { <NewLink link/> });
    let zone = members.zone.clone();
    let frame = members.frame.clone();
    let places = view! { <Places frame=frame.clone() zone=zone.clone() current=Current::Members/> };
    let invites = members.invites.clone();
    let roles = members.roles.clone();
    view! {
        <Title text=title/>
        <Framed
            frame=Some(frame)
            here=Here::Settings
            zone=zone.clone()
            skip=("#settings", "Skip to the members")
        >
            <div class="page">
                <header class="page-head">
                    <h1>"Settings"</h1>
                    <InZone words path=path.clone() kept=&["q", "page", "change"]/>
                </header>
                {whole}
                {done}
                {link}
                <div class="settings">
                    {places}
                    <div id="settings" tabindex="-1">
                        <List members typed=typed.clone() path=path.clone()/>
                        <Invites invites roles=roles.clone() path=path.clone() zone=zone.clone()/>
                        <InviteForm roles typed path zone/>
                    </div>
                </div>
            </div>
        </Framed>
    }
    .into_any()
}

/// The link of an invitation that was made just now.
#[component]
fn NewLink(link: String) -> impl IntoView {
    view! {
        <div class="notice good" role="status">
            <Icon name="check"/>
            <div>
                <p>
                    <strong>"Invited."</strong>
                    " Hand this link to them yourself. It is shown this once, is good for seven \
                     days, and makes a member of whoever opens it first."
                </p>
                <p class="secret">
                    <code id="invite-link">{link}</code>
                    <button class="button needs-live" type="button" data-copy="invite-link">
                        <Icon name="copy"/>
                        "Copy"
                    </button>
                </p>
            </div>
        </div>
    }
    .into_any()
}

/// Who belongs to the workspace.
#[component]
fn List(members: MembersView, typed: Typed, path: String) -> impl IntoView {
    let count = match members.total {
        1 => "1 member".to_owned(),
        more => format!("{more} members"),
    };
    let words = match (members.total, members.search.as_str()) {
        (_, "") => count,
        (0, search) => format!("Nobody’s name or email holds “{search}”."),
        (_, search) => format!("{count} whose name or email holds “{search}”"),
    };
    let page = |there: Option<String>, rel: &'static str, words: &'static str| {
        there.map(|there| view! { <a class="button" rel=rel href=there>{words}</a> })
    };
    let pages = (members.newer.is_some() || members.older.is_some()).then(|| {
        view! {
            <nav class="pages" aria-label="Pages of members">
                {page(members.newer.clone(), "prev", "← Before")}
                {page(members.older.clone(), "next", "After →")}
            </nav>
        }
    });
    let here = members.here.clone();
    let zone = (members.zone != "UTC")
        .then(|| view! { <input type="hidden" name="tz" value=members.zone.clone()/> });
    let rows = members
        .members
        .into_iter()
        .map(|member| {
            let is_open = typed.change.as_ref() == Some(&member.id) && member.may_change;
            let typed = is_open.then(|| typed.clone());
            view! {
                <Member
                    member
                    roles=members.roles.clone()
                    typed
                    here=here.clone()
                    path=path.clone()
                    zone=members.zone.clone()
                />
            }
        })
        .collect_view();
    view! {
        <section class="listing" aria-labelledby="m-members">
            <div class="listing-head">
                <h2 id="m-members">"Members"</h2>
                <a class="button" href="#m-invite">
                    "Invite somebody"
                </a>
                <form method="get" action=path.clone() role="search" class="with-button">
                    {zone}
                    <input
                        type="search"
                        name="q"
                        value=members.search
                        placeholder="Name or email"
                        aria-label="Search members"
                    />
                    <button class="button" type="submit">
                        "Search"
                    </button>
                </form>
            </div>
            <p class="quiet">{words}</p>
            <ul class="entries">{rows}</ul>
            {pages}
        </section>
    }
    .into_any()
}

#[component]
fn Member(
    member: MemberView,
    roles: Vec<Role>,
    /// What was typed into this member's form, if it is open.
    typed: Option<Typed>,
    /// This page's address.
    here: String,
    /// The members page's path.
    path: String,
    /// The zone of the page.
    zone: String,
) -> impl IntoView {
    let id = format!("m-{}", member.id);
    let question = here.split_once('?').map_or("", |(_, question)| question);
    let and = if question.is_empty() { "" } else { "&" };
    let change = address::encoded(&member.id);
    let opens = format!("{path}?{question}{and}change={change}#{id}");
    let closes = format!("{here}#{id}");
    let is_open = typed.is_some();
    let act = member.may_change.then(|| {
        let (there, words) = if is_open {
            (closes, "Close")
        } else {
            (opens, "Change")
        };
        let label = format!("{words}: {}", member.name);
        view! { <a class="button plain" href=there aria-label=label>{words}</a> }
    });
    let until = member
        .last_day
        .clone()
        .map(|day| view! { <span class="quiet">{format!("until {day}")}</span> });
    let state = member
        .state
        .clone()
        .map(|state| view! { <span class="tag">{state}</span> });
    let you = member
        .is_oneself
        .then(|| view! { <span class="tag">"you"</span> });
    let name = if member.activity == Activity::Deactivated {
        "gone clip"
    } else {
        "strong clip"
    };
    let list = question.to_owned();
    let form =
        typed.map(|typed| view! { <MemberForm member=member.clone() roles typed path zone list/> });
    view! {
        <li class="entry-line" id=id class:is-open=is_open>
            <div class="who-is">
                <p>
                    <span class=name title=member.name.clone()>{member.name.clone()}</span>
                    {you}
                    {state}
                </p>
                <p class="quiet clip" title=member.email.clone()>{member.email.clone()}</p>
            </div>
            <div class="what-is">
                <p>{member.role.label()} " " {until}</p>
                <p class="quiet">{format!("since {}", member.since)}</p>
            </div>
            <div class="acts">{act}</div>
            {form}
        </li>
    }
    .into_any()
}

/// A member's role, last day, and whether they go on being a member.
#[component]
fn MemberForm(
    member: MemberView,
    roles: Vec<Role>,
    typed: Typed,
    path: String,
    /// The zone of the page.
    zone: String,
    /// Its query string.
    list: String,
) -> impl IntoView {
    let fault = typed.fault;
    let (role, day) = match fault {
        Some(_) => (typed.role, typed.last_day),
        None => (
            member.role.as_str().to_owned(),
            member.last_day.clone().unwrap_or_default(),
        ),
    };
    let disabled = member.is_oneself;
    let activity = match member.activity {
        Activity::Deactivated => Some(
            view! {
                <button class="button" type="submit" name="act" value="reactivate">
                    "Reactivate"
                </button>
            }
            .into_any(),
        ),
        Activity::Active => Some(
            view! {
                <button
                    class="button danger"
                    type="submit"
                    name="act"
                    value="deactivate"
                    disabled=disabled
                >
                    "Deactivate"
                </button>
            }
            .into_any(),
        ),
        Activity::AccountDeactivated => None,
    };
    let means = match (member.activity, member.is_oneself) {
        (Activity::Deactivated, _) => {
            "Reactivated, they have this role again, and sign in as before."
        }
        (Activity::AccountDeactivated, _) => {
            "The operator of this installation deactivated their account; only the operator can \
             bring it back."
        }
        (Activity::Active, true) => {
            "You cannot deactivate or remove yourself: another owner or admin can."
        }
        (Activity::Active, false) => {
            "Deactivated, they are signed out at once and can no longer open this workspace. What \
             they did stays in the log, labelled “deactivated”. It can be taken back."
        }
    };
    let removal = (!member.is_oneself).then(|| view! { <Removal name=member.name.clone()/> });
    view! {
        <form class="entry-form" method="post" action=ChangeMember::url()>
            <input type="hidden" name="path" value=path/>
            <input type="hidden" name="tz" value=zone/>
            <input type="hidden" name="list" value=list/>
            <input type="hidden" name="member" value=member.id/>
            <RoleField id="m-role" role roles fault/>
            <DayField id="m-day" day fault/>
            // The first button is the one that Enter in a field presses.
            <div class="acts">
                <button class="button primary" type="submit" name="act" value="save">
                    "Save"
                </button>
                {activity}
            </div>
            <p class="hint">{means}</p>
            {removal}
        </form>
    }
    .into_any()
}

/// Removes a member, once it was said what that means.
#[component]
fn Removal(name: String) -> impl IntoView {
    view! {
        <details class="removal">
            <summary class="button danger">"Remove…"</summary>
            <div class="notice warn">
                <Icon name="warn"/>
                <p>
                    <strong>{format!("Remove {name} from this workspace?")}</strong>
                    " They are signed out at once, lose their role here, and are no longer listed. \
                     What they did stays in the log, labelled “deactivated”. Only a new invitation \
                     brings them back."
                </p>
                <div class="end acts">
                    <button class="button danger" type="submit" name="act" value="remove">
                        "Remove them"
                    </button>
                </div>
            </div>
        </details>
    }
    .into_any()
}

#[component]
fn RoleField(
    id: &'static str,
    role: String,
    roles: Vec<Role>,
    fault: Option<Fault>,
) -> impl IntoView {
    let fault = fault.filter(|fault| fault.part() == Part::Role);
    let options = roles
        .into_iter()
        .map(|choice| {
            let chosen = choice.as_str() == role;
            view! {
                <option value=choice.as_str() selected=chosen>
                    {format!("{}: {}", choice.label(), does(choice))}
                </option>
            }
        })
        .collect_view();
    let error =
        fault.map(|fault| view! { <super::Wrong id=format!("{id}-error") words=fault.words()/> });
    view! {
        <div class="field">
            <label for=id>"Role"</label>
            <select id=id name="role" aria-describedby=fault.map(|_| format!("{id}-error"))>
                {options}
            </select>
            {error}
        </div>
    }
    .into_any()
}

/// What a role is for.
fn does(role: Role) -> &'static str {
    match role {
        Role::Member => "opens the Audit tabs of objects",
        Role::Auditor => "reads everything, changes nothing",
        Role::Admin => "reads everything, manages members and tokens",
        Role::Owner | Role::TenantAdmin => "changes everything",
    }
}

#[component]
fn DayField(id: &'static str, day: String, fault: Option<Fault>) -> impl IntoView {
    let fault = fault.filter(|fault| fault.part() == Part::Day);
    let error_id = format!("{id}-error");
    let described = if fault.is_some() {
        error_id.clone()
    } else {
        format!("{id}-hint")
    };
    let error = fault.map(|fault| view! { <super::Wrong id=error_id words=fault.words()/> });
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

/// Who is invited and has not answered yet.
#[component]
fn Invites(
    invites: Vec<InviteView>,
    /// The roles that who looks may give, and take.
    roles: Vec<Role>,
    path: String,
    /// The zone of the page.
    zone: String,
) -> impl IntoView {
    if invites.is_empty() {
        return ().into_any();
    }
    let rows = invites
        .into_iter()
        .map(|invite| {
            let until = invite.last_day.map(|day| format!(", until {day}"));
            let label = format!("Revoke the invitation of {}", invite.email);
            let revoke = roles.contains(&invite.role).then(|| {
                view! {
                    <form class="acts" method="post" action=RevokeInvite::url()>
                        <input type="hidden" name="path" value=path.clone()/>
                        <input type="hidden" name="tz" value=zone.clone()/>
                        <input type="hidden" name="invite" value=invite.id/>
                        <button class="button plain" type="submit" aria-label=label>
                            "Revoke"
                        </button>
                    </form>
                }
            });
            view! {
                <li class="entry-line">
                    <div class="who-is">
                        <p class="clip" title=invite.email.clone()>{invite.email.clone()}</p>
                        <p class="quiet">{format!("invited by {} {}", invite.by, invite.at)}</p>
                    </div>
                    <div class="what-is">
                        <p>{invite.role.label()} {until}</p>
                        <p class="quiet">{format!("the link is good until {}", invite.expires)}</p>
                    </div>
                    {revoke}
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="listing" aria-labelledby="m-invites">
            <h2 id="m-invites">"Invitations"</h2>
            <p class="quiet">"They wait for an answer. A lost link is replaced by inviting again."</p>
            <ul class="entries">{rows}</ul>
        </section>
    }
    .into_any()
}

/// Invites somebody.
#[component]
fn InviteForm(
    roles: Vec<Role>,
    typed: Typed,
    path: String,
    /// The zone of the page.
    zone: String,
) -> impl IntoView {
    let fault = typed.fault.filter(|_| typed.change.is_none());
    let wrong = fault.filter(|fault| fault.part() == Part::Email);
    let error = wrong.map(|fault| view! { <super::Wrong id="i-email-error" words=fault.words()/> });
    view! {
        <section class="setting" aria-labelledby="m-invite">
            <div class="about">
                <h2 id="m-invite">"Invite somebody"</h2>
                <p>
                    "You get a link and hand it over yourself: no mail is sent. Who has no account \
                     here yet makes one with it."
                </p>
            </div>
            <form class="control" method="post" action=InviteMember::url()>
                <input type="hidden" name="path" value=path/>
                <input type="hidden" name="tz" value=zone/>
                <div class="field">
                    <label for="i-email">"Email"</label>
                    // Checked by the server, which says more than a browser does.
                    <input
                        id="i-email"
                        name="email"
                        inputmode="email"
                        autocomplete="off"
                        value=typed.email
                        aria-invalid=wrong.map(|_| "true")
                        aria-describedby=wrong.map(|_| "i-email-error")
                    />
                    {error}
                </div>
                <RoleField id="i-role" role=typed.role roles fault/>
                <DayField id="i-day" day=typed.last_day fault/>
                <div class="acts">
                    <button class="button primary" type="submit">
                        "Invite"
                    </button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

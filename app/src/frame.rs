//! Around every page: the bar with the workspace, the places and the person.

use crate::{
    address,
    icon::{Icon, Icons, Logo},
};
use domain::slug::WorkspacePath;
use leptos::prelude::*;

/// Who looks, and where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Their name.
    pub name: String,
    /// Their role in this workspace.
    pub role: String,
    /// This workspace.
    pub workspace: Place,
    /// All of theirs, this one included.
    pub workspaces: Vec<Place>,
    /// Whether they may open the Audit page.
    pub reads_the_log: bool,
    /// Whether they may open objects' pages.
    pub opens_objects: bool,
    /// Whether they may see the settings.
    pub reads_settings: bool,
}

/// A workspace that somebody may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub path: WorkspacePath,
    /// Its tenant's name.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Their role in it.
    pub role: String,
}

impl Frame {
    /// Around a page of a workspace.
    ///
    /// # Errors
    ///
    /// They are no member of it.
    pub(crate) fn of(
        person: &store::access::SignedIn,
        path: &WorkspacePath,
    ) -> Result<Self, store::access::Refused> {
        let place = |membership: &store::access::Membership| Place {
            path: membership.workspace.path(),
            tenant: membership.workspace.tenant.name.clone(),
            name: membership.workspace.name.clone(),
            role: membership.role.label().to_owned(),
        };
        let membership = person.membership(path)?;
        Ok(Self {
            name: person.name.clone(),
            role: membership.role.label().to_owned(),
            workspace: place(membership),
            workspaces: person.memberships.iter().map(place).collect(),
            reads_the_log: membership.role.reads_the_log(),
            opens_objects: membership.opens_objects(),
            reads_settings: membership.role.reads_settings(),
        })
    }
}

/// Which of the bar's places a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// The Audit page.
    Audit,
    /// The list of objects, and their own pages.
    Objects,
    /// Settings.
    Settings,
}

/// A page with its bar.
#[component]
pub fn Framed(
    /// Who looks, and where; none where nothing may be told.
    frame: Option<Frame>,
    /// Which place it is.
    #[prop(optional)]
    here: Option<Here>,
    /// The zone of the page, which its links keep.
    #[prop(optional, into)]
    zone: Option<String>,
    /// Where the skip link leads, and what it says.
    skip: (&'static str, &'static str),
    /// The page.
    children: Children,
) -> impl IntoView {
    let (target, words) = skip;
    view! {
        <div class="frame">
            <a class="skip" href=target>
                {words}
            </a>
            <Icons/>
            <header class="bar-line">
                <div class="bar">
                    <a class="wordmark" href="/">
                        <Logo/>
                        <span>"Daybook"</span>
                    </a>
                    {frame.map(|frame| view! { <Places frame here zone/> })}
                </div>
            </header>
            <main id="main">{children()}</main>
            <p class="sr-only" id="said" role="status"></p>
        </div>
    }
    .into_any()
}

#[component]
fn Places(frame: Frame, here: Option<Here>, zone: Option<String>) -> impl IntoView {
    let Frame {
        name,
        role,
        workspace,
        workspaces,
        reads_the_log,
        opens_objects,
        reads_settings,
    } = frame;
    let zone = zone.unwrap_or_else(|| "UTC".to_owned());
    let current = move |place| (here == Some(place)).then_some("page");
    let link = |path: String, label, place| {
        view! {
            <li>
                <a href=address::in_zone(&path, &zone) aria-current=current(place)>
                    {label}
                </a>
            </li>
        }
    };
    let audit = reads_the_log.then(|| link(address::audit(&workspace.path), "Audit", Here::Audit));
    let objects =
        opens_objects.then(|| link(address::objects(&workspace.path), "Objects", Here::Objects));
    let settings = reads_settings.then(|| {
        link(
            address::settings(&workspace.path),
            "Settings",
            Here::Settings,
        )
    });
    let who = format!("{name}, {role}");

    view! {
        <Switcher workspace workspaces zone=zone.clone()/>
        <nav aria-label="Main">
            <ul>{audit} {objects} {settings}</ul>
        </nav>
        <div class="who">
            <span class="who-name clip" title=who>
                {name}
                " "
                <span class="quiet">"· " {role}</span>
            </span>
            <form method="post" action="/logout">
                <button class="button plain" type="submit">
                    "Sign out"
                </button>
            </form>
        </div>
    }
    .into_any()
}

#[component]
fn Switcher(workspace: Place, workspaces: Vec<Place>, zone: String) -> impl IntoView {
    let here = workspace.path.clone();
    let mut tenant = String::new();
    let items = workspaces
        .into_iter()
        .map(|place| {
            let head = (place.tenant != tenant).then(|| {
                tenant.clone_from(&place.tenant);
                view! { <li class="menu-head">{place.tenant.clone()}</li> }
            });
            let current = (place.path == here).then_some("true");
            view! {
                {head}
                <li>
                    <a href=address::in_zone(&address::audit(&place.path), &zone) aria-current=current>
                        {place.name}
                        <span class="quiet">{place.role}</span>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <details class="menu switcher">
            <summary class="button plain">
                <span class="sr-only">"Workspace: "</span>
                <span class="quiet clip">{workspace.tenant}</span>
                <span class="quiet" aria-hidden="true">
                    "/"
                </span>
                <span class="strong clip">{workspace.name}</span>
                <Icon name="chevron-down"/>
            </summary>
            <div class="menu-panel">
                <ul>{items}</ul>
            </div>
        </details>
    }
    .into_any()
}

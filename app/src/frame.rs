//! Around every page: the bar with the workspace, the places and the person.

use crate::{
    address,
    icon::{Icon, Icons, Logo},
    live::SINGLE_KEYS,
};
use domain::{
    role::Role,
    slug::{Slug, WorkspacePath},
};
use leptos::prelude::*;

/// What the bar shows: nothing where nothing may be told, else who looks at a page of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Only the product's name.
    Bare,
    /// A page of a workspace.
    Workspace(Frame),
    /// A page of a whole tenant.
    Tenant(TenantFrame),
}

impl From<Option<Frame>> for Bar {
    fn from(frame: Option<Frame>) -> Self {
        frame.map_or(Self::Bare, Self::Workspace)
    }
}

/// Who looks at a page of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one place of the bar, open or not"
)]
pub struct Frame {
    /// Their name.
    pub name: String,
    /// Their role in this workspace.
    pub role: String,
    /// This workspace.
    pub workspace: Place,
    /// All of theirs, this one included.
    pub workspaces: Vec<Place>,
    /// The tenants that they administer.
    pub tenants: Vec<TenantPlace>,
    /// Whether they may open the Audit page.
    pub reads_the_log: bool,
    /// Whether they may open objects' pages.
    pub opens_objects: bool,
    /// Whether they may see the settings.
    pub reads_settings: bool,
    /// Whether they manage its members and API tokens.
    pub manages: bool,
    /// What is wrong with the log, for who can do something about it.
    pub fault: Option<FaultView>,
    /// Whether single keys are shortcuts for them.
    pub single_keys: bool,
}

/// What the check beside the server found wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultView {
    /// What.
    pub words: String,
    /// Since when: `2026-05-12 09:14 UTC`.
    pub since: String,
    /// Where more is told.
    pub more: String,
}

/// Who looks at a page of a whole tenant: one of its admins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantFrame {
    /// Their name.
    pub name: String,
    /// This tenant.
    pub tenant: TenantPlace,
    /// All workspaces of theirs, those of other tenants too.
    pub workspaces: Vec<Place>,
    /// All tenants that they administer, this one included.
    pub tenants: Vec<TenantPlace>,
    /// What is wrong with its log.
    pub fault: Option<FaultView>,
    /// Whether single keys are shortcuts for them.
    pub single_keys: bool,
}

/// A tenant that somebody administers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantPlace {
    /// Its name in addresses.
    pub slug: Slug,
    /// Its name.
    pub name: String,
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
    /// Whether they may open its Audit page.
    pub reads_the_log: bool,
}

impl Place {
    /// A workspace that somebody is a member of.
    fn of(membership: &store::access::Membership) -> Self {
        Self {
            path: membership.workspace.path(),
            tenant: membership.workspace.tenant.name.clone(),
            name: membership.workspace.name.clone(),
            role: membership.role.label().to_owned(),
            reads_the_log: membership.role.reads_the_log(),
        }
    }

    /// The first page there that they may open.
    pub(crate) fn first_page(&self) -> String {
        first_page(&self.path, self.reads_the_log)
    }
}

/// The first page of a workspace that somebody may open: its Audit page, else what they did there
/// themselves.
pub fn first_page(workspace: &WorkspacePath, reads_the_log: bool) -> String {
    if reads_the_log {
        address::audit(workspace)
    } else {
        address::own(workspace)
    }
}

impl TenantPlace {
    fn of(tenant: &store::access::Tenant) -> Self {
        Self {
            slug: tenant.slug.clone(),
            name: tenant.name.clone(),
        }
    }
}

impl TenantFrame {
    /// Around a page of a tenant, for one of its admins.
    pub(crate) fn of(person: &store::access::SignedIn, tenant: &store::access::Tenant) -> Self {
        Self {
            name: person.name.clone(),
            tenant: TenantPlace::of(tenant),
            workspaces: person.memberships.iter().map(Place::of).collect(),
            tenants: person.administers.iter().map(TenantPlace::of).collect(),
            fault: FaultView::of(person, &tenant.slug, address::tenant_proof(&tenant.slug)),
            single_keys: person.single_keys,
        }
    }
}

impl FaultView {
    /// What is wrong with a tenant's log, to be told to who manages something of it.
    fn of(person: &store::access::SignedIn, tenant: &Slug, more: String) -> Option<Self> {
        let fault = person.fault_of(tenant)?;
        Some(Self {
            words: fault.words.clone(),
            since: fault
                .since
                .datetime()
                .format("%Y-%m-%d %H:%M UTC")
                .to_string(),
            more,
        })
    }
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
        let membership = person.membership(path)?;
        Ok(Self {
            name: person.name.clone(),
            role: membership.role.label().to_owned(),
            workspace: Place::of(membership),
            workspaces: person.memberships.iter().map(Place::of).collect(),
            tenants: person.administers.iter().map(TenantPlace::of).collect(),
            reads_the_log: membership.role.reads_the_log(),
            opens_objects: membership.opens_objects(),
            reads_settings: membership.role.reads_settings(),
            manages: membership.role.manages_members_and_tokens(),
            fault: membership
                .role
                .manages_members_and_tokens()
                .then(|| FaultView::of(person, &path.tenant, address::proof(path)))
                .flatten(),
            single_keys: person.single_keys,
        })
    }
}

/// Which of the bar's places a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// The Audit page.
    Audit,
    /// My activity.
    Own,
    /// The list of objects, and their own pages.
    Objects,
    /// Settings.
    Settings,
}

/// A page with its bar.
#[component]
pub fn Framed(
    /// Who looks, and where; none where nothing may be told.
    #[prop(into)]
    frame: Bar,
    /// Which place it is.
    #[prop(optional)]
    here: Option<Here>,
    /// The zone of the page, which its links keep.
    #[prop(optional, into)]
    zone: Option<String>,
    /// Where the skip link leads, and what it says.
    skip: (&'static str, &'static str),
    /// Whether it is a log, which can be read by keyboard.
    #[prop(optional)]
    has_keys: bool,
    /// The page.
    children: Children,
) -> impl IntoView {
    let (target, words) = skip;
    let fault = match &frame {
        Bar::Bare => None,
        Bar::Workspace(frame) => frame.fault.clone(),
        Bar::Tenant(frame) => frame.fault.clone(),
    };
    let fault = fault.map(|fault| view! { <Alarm fault zone=zone.clone()/> });
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
                    {match frame {
                        Bar::Bare => ().into_any(),
                        Bar::Workspace(frame) => view! { <Places frame here zone has_keys/> }.into_any(),
                        Bar::Tenant(frame) => view! { <TenantPlaces frame here zone has_keys/> }.into_any(),
                    }}
                </div>
            </header>
            {fault}
            <main id="main">{children()}</main>
            <p class="sr-only" id="said" role="status"></p>
        </div>
    }
    .into_any()
}

/// That a log is not what was signed: on every page, until it is again.
#[component]
fn Alarm(fault: FaultView, zone: Option<String>) -> impl IntoView {
    let FaultView { words, since, more } = fault;
    let more = address::in_zone(&more, zone.as_deref().unwrap_or("UTC"));
    view! {
        <section class="alarm" aria-label="Something is wrong with the log">
            <div class="notice bad">
                <Icon name="warn"/>
                <div>
                    <p>
                        <strong>"The log is not what was signed. "</strong>
                        {words}
                        "."
                    </p>
                    <p>
                        {format!("Found {since}. Recording goes on. Leave the database, its copies and \
                                  the key file as they are, and have whoever runs this installation compare \
                                  the log with checkpoints that were kept elsewhere (")}
                        <code>"daybook verify --checkpoint"</code>
                        "). " <a href=more>"How the proof stands"</a>
                    </p>
                </div>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Places(frame: Frame, here: Option<Here>, zone: Option<String>, has_keys: bool) -> impl IntoView {
    let keys = has_keys.then_some(frame.single_keys);
    let Frame {
        name,
        role,
        workspace,
        workspaces,
        tenants,
        reads_the_log,
        opens_objects,
        reads_settings,
        ..
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
    let own = address::in_zone(&address::own(&workspace.path), &zone);
    // The name leads there where there is room for it; to who may not open the Audit page it is the
    // first place.
    let own_place = view! {
        <li class=reads_the_log.then_some("narrow-only")>
            <a href=own.clone() aria-current=current(Here::Own)>
                "My activity"
            </a>
        </li>
    };
    let title = format!("{name}, {role}: my activity");
    let spot = Spot {
        tenant: workspace.tenant,
        name: workspace.name,
        path: address::audit(&workspace.path),
    };

    view! {
        <Switcher spot workspaces tenants zone=zone.clone()/>
        <nav aria-label="Main">
            <ul>{audit} {objects} {settings} {own_place}</ul>
        </nav>
        <Who keys>
            <a class="who-name clip" href=own title=title aria-current=current(Here::Own)>
                {name}
                " "
                <span class="quiet">"· " {role}</span>
            </a>
        </Who>
    }
    .into_any()
}

#[component]
fn TenantPlaces(
    frame: TenantFrame,
    here: Option<Here>,
    zone: Option<String>,
    has_keys: bool,
) -> impl IntoView {
    let keys = has_keys.then_some(frame.single_keys);
    let TenantFrame {
        name,
        tenant,
        workspaces,
        tenants,
        ..
    } = frame;
    let zone = zone.unwrap_or_else(|| "UTC".to_owned());
    let path = address::tenant_audit(&tenant.slug);
    let audit = address::in_zone(&path, &zone);
    let settings = address::in_zone(&address::tenant_settings(&tenant.slug), &zone);
    let current = move |place| (here == Some(place)).then_some("page");
    let role = Role::TenantAdmin.label();
    let who = format!("{name}, {role}");
    let spot = Spot {
        tenant: tenant.name,
        name: ALL_WORKSPACES.to_owned(),
        path,
    };
    view! {
        <Switcher spot workspaces tenants zone/>
        <nav aria-label="Main">
            <ul>
                <li>
                    <a href=audit aria-current=current(Here::Audit)>
                        "Audit"
                    </a>
                </li>
                <li>
                    <a href=settings aria-current=current(Here::Settings)>
                        "Settings"
                    </a>
                </li>
            </ul>
        </nav>
        <Who keys>
            <span class="who-name clip" title=who>
                {name}
                " "
                <span class="quiet">"· " {role}</span>
            </span>
        </Who>
    }
    .into_any()
}

/// What the keys of a log do, once WebAssembly runs.
const KEYS: [(&[&str], &str); 6] = [
    (&["/"], "search"),
    (&["j", "k"], "next row, row before"),
    (&["Enter"], "open or close the row"),
    (&["Esc"], "close the row, or a menu"),
    (&["[", "]"], "newer page, older page"),
    (&["?"], "this list"),
];

/// The sheet of keys.
#[component]
fn Keys(
    /// Whether those that are a single letter or sign do something.
    single: bool,
) -> impl IntoView {
    let keys = KEYS
        .map(|(keys, does)| {
            let keys = keys
                .iter()
                .map(|key| view! { <kbd>{*key}</kbd> " " })
                .collect_view();
            view! {
                <div>
                    <dt>{keys}</dt>
                    <dd>{does}</dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <details class="menu to-end needs-live keys">
            <summary class="button plain" title="Keyboard">
                <kbd aria-hidden="true">"?"</kbd>
                <span class="sr-only">"Keyboard"</span>
            </summary>
            <div class="menu-panel">
                <dl>{keys}</dl>
                <label class="switch">
                    <input
                        type="checkbox"
                        name=SINGLE_KEYS
                        checked=single
                        aria-describedby="single-keys-about"
                    />
                    "Single-key shortcuts"
                </label>
                <p class="quiet" id="single-keys-about">
                    "For you, wherever you sign in. Enter, Esc and Tab go on working without them."
                </p>
            </div>
        </details>
    }
    .into_any()
}

/// Who is signed in, and how to sign out.
#[component]
fn Who(
    /// On a log: whether single keys do something.
    keys: Option<bool>,
    children: Children,
) -> impl IntoView {
    let keys = keys.map(|single| view! { <Keys single/> });
    view! {
        <div class="who">
            {keys}
            {children()}
            <form method="post" action="/logout">
                <button class="button plain" type="submit">
                    "Sign out"
                </button>
            </form>
        </div>
    }
    .into_any()
}

/// What a tenant's pages are called where one chooses among workspaces.
const ALL_WORKSPACES: &str = "All workspaces";

/// Where somebody is, as the switcher says it.
#[derive(Clone)]
struct Spot {
    tenant: String,
    name: String,
    /// The Audit page there.
    path: String,
}

#[component]
fn Switcher(
    spot: Spot,
    workspaces: Vec<Place>,
    tenants: Vec<TenantPlace>,
    zone: String,
) -> impl IntoView {
    let item = |audit: &str, page: &str, name: String, role: String| {
        let current = (audit == spot.path).then_some("true");
        view! {
            <li>
                <a href=address::in_zone(page, &zone) aria-current=current>
                    {name}
                    <span class="quiet">{role}</span>
                </a>
            </li>
        }
        .into_any()
    };
    let head = |name: &str| view! { <li class="menu-head">{name.to_owned()}</li> }.into_any();
    let whole = |tenant: &TenantPlace| {
        let path = address::tenant_audit(&tenant.slug);
        let role = Role::TenantAdmin.label().to_owned();
        item(&path, &path, ALL_WORKSPACES.to_owned(), role)
    };
    let mut items = Vec::new();
    // They are sorted by their tenants' names, and names need not be unique: slugs are.
    for of_tenant in workspaces.chunk_by(|one, other| one.path.tenant == other.path.tenant) {
        let Some(first) = of_tenant.first() else {
            continue;
        };
        items.push(head(&first.tenant));
        items.extend(of_tenant.iter().map(|place| {
            let audit = address::audit(&place.path);
            item(
                &audit,
                &place.first_page(),
                place.name.clone(),
                place.role.clone(),
            )
        }));
        let mut mine = tenants.iter();
        items.extend(
            mine.find(|tenant| tenant.slug == first.path.tenant)
                .map(whole),
        );
    }
    // A tenant may have no workspace yet.
    let without = tenants.iter().filter(|tenant| {
        let mut places = workspaces.iter();
        !places.any(|place| place.path.tenant == tenant.slug)
    });
    items.extend(without.flat_map(|tenant| [head(&tenant.name), whole(tenant)]));
    view! {
        <details class="menu switcher">
            <summary class="button plain">
                <span class="sr-only">"Workspace: "</span>
                <span class="quiet clip">{spot.tenant.clone()}</span>
                <span class="quiet" aria-hidden="true">
                    "/"
                </span>
                <span class="strong clip">{spot.name.clone()}</span>
                <Icon name="chevron-down"/>
            </summary>
            <div class="menu-panel">
                <ul>{items}</ul>
            </div>
        </details>
    }
    .into_any()
}

//! Who looks at a page. The server provides a [`Viewer`] and a [`Store`] by context for each
//! request, for pages and server functions alike.

use crate::{
    address::{self, LogAddress},
    refusal::{Closed, NoAccess, OpenTo, Refusal},
};
use domain::{
    event::Object,
    question::{Query, Unknown, Zone},
    slug::{Slug, WorkspacePath},
};
use leptos::prelude::use_context;
use store::{
    Scope, Store, StoreError,
    access::{Refused, SignedIn, Workspace},
    administration::By,
};

/// Who looks at a page, and from where.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who is signed in.
    pub signed_in: Option<SignedIn>,
    /// What is known of the request.
    pub request: RequestFacts,
}

/// What is known of a request.
#[derive(Clone, Debug, Default)]
pub struct RequestFacts {
    /// Its address and browser, as the context of an event: `ip`, `user_agent`.
    pub context: Option<Object>,
    /// How this installation is reached, without a slash at the end: `https://audit.example.com`.
    pub public_url: String,
}

/// The ways in which people sign in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInWays {
    /// Whether a password signs in.
    pub passwords: bool,
    /// The host of the provider where people sign in with an account of its; none: nowhere.
    pub sign_on: Option<String>,
}

impl Default for SignInWays {
    fn default() -> Self {
        Self {
            passwords: true,
            sign_on: None,
        }
    }
}

impl SignInWays {
    /// Those of the installation, from the request's context.
    pub(crate) fn of_request() -> Self {
        use_context::<Self>().unwrap_or_default()
    }
}

/// What somebody may read at the address of a log.
///
/// # Errors
///
/// It is not open to them.
pub fn scope_at(person: &SignedIn, address: &LogAddress) -> Result<Scope, Refused> {
    match address {
        LogAddress::Tenant(tenant) => person.tenant_scope(tenant),
        LogAddress::Workspace(workspace) => person.audit_scope(workspace),
        LogAddress::Object(workspace, subject) => person.object_scope(workspace, subject.clone()),
        LogAddress::Own(workspace) => person.own_scope(workspace),
    }
}

/// Somebody who is signed in, and the store that answers them.
pub(crate) struct Asker {
    pub(crate) store: Store,
    pub(crate) person: SignedIn,
    pub(crate) request: RequestFacts,
}

impl Asker {
    /// Who asks, from the request's context.
    ///
    /// # Errors
    ///
    /// Nobody is signed in, or the server provides no store.
    pub(crate) fn of_request() -> Result<Self, Refusal> {
        let (Some(store), Some(viewer)) = (use_context::<Store>(), use_context::<Viewer>()) else {
            return Err(Refusal::Unavailable("no log is open".to_owned()));
        };
        Ok(Self {
            store,
            person: viewer.signed_in.ok_or(Refusal::SignedOut)?,
            request: viewer.request,
        })
    }

    /// Them, for the event that tells of what they do.
    pub(crate) fn by(&self) -> By {
        By::person(&self.person, self.request.context.clone())
    }

    /// Remembers the zone that the query string of a page of a workspace names. One that names none
    /// says nothing of it: it may have come from elsewhere.
    pub(crate) async fn remember_zone(&self, workspace: &Workspace, search: &str) {
        let named = form_urlencoded::parse(search.as_bytes()).any(|(name, _)| name == "tz");
        let read = Query::read(search, Unknown::Ignored);
        if !named || read.faults.iter().any(|fault| fault.parameter == "tz") {
            return;
        }
        let zone = read.query.filter.zone();
        let kept = (zone != Zone::utc()).then_some(&zone);
        // What is shown is worth seeing also where nothing can be written.
        if let Err(error) = self.store.note_place(&self.person, workspace, kept).await {
            leptos::logging::error!("where somebody looked was not noted: {error}");
        }
    }

    /// Where the objects of a workspace are listed, if they may open any.
    fn list_of_objects(&self, workspace: &WorkspacePath) -> Option<String> {
        let may = self.person.objects_scope(workspace).is_ok();
        may.then(|| address::objects(workspace))
    }

    /// What they are told when the store refuses them a page of all who read the log.
    pub(crate) async fn refusal(&self, refused: Refused) -> Refusal {
        self.refusal_of(refused, OpenTo::Readers).await
    }

    /// What they are told when the store refuses them a page of those who manage the workspace.
    pub(crate) async fn management_refusal(&self, refused: Refused) -> Refusal {
        self.refusal_of(refused, OpenTo::Managers).await
    }

    async fn refusal_of(&self, refused: Refused, open_to: OpenTo) -> Refusal {
        let (of, ask, own) = match refused {
            Refused::NotFound => return Refusal::NotFound,
            Refused::NoAccess { workspace, role } => {
                let own = Some(workspace.path());
                let owners = self.store.owners(&workspace).await;
                let name = workspace.name;
                let role = role.label().to_owned();
                (
                    Closed::Workspace {
                        name,
                        role,
                        open_to,
                    },
                    owners,
                    own,
                )
            }
            Refused::NoTenantAccess { tenant } => {
                let own = self.workspace_in(&tenant.slug);
                let admins = self.store.tenant_admins(&tenant).await;
                (Closed::Tenant { name: tenant.name }, admins, own)
            }
        };
        match ask {
            Ok(ask) => Refusal::NoAccess(Box::new(NoAccess {
                of,
                email: self.person.email.clone(),
                ask: ask.into_iter().map(|(name, _)| name).collect(),
                objects: own.as_ref().and_then(|own| self.list_of_objects(own)),
                own: own.map(|own| address::own(&own)),
            })),
            Err(error) => error.into(),
        }
    }

    /// A workspace of theirs in a tenant: the one looked at last, else the first.
    fn workspace_in(&self, tenant: &Slug) -> Option<WorkspacePath> {
        let mine = || {
            let memberships = self.person.memberships.iter();
            let paths = memberships.map(|membership| membership.workspace.path());
            paths.filter(|path| path.tenant == *tenant)
        };
        let last = mine().find(|path| Some(path) == self.person.last_workspace.as_ref());
        last.or_else(|| mine().next())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

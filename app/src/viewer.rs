//! Who looks at a page. The server provides a [`Viewer`] and a [`Store`] by context for each
//! request, for pages and server functions alike.

use crate::{
    address,
    refusal::{NoAccess, Refusal},
};
use domain::{event::Object, slug::WorkspacePath};
use leptos::prelude::use_context;
use store::{
    Store, StoreError,
    access::{Refused, SignedIn},
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

    /// Where the objects of a workspace are listed, if they may open any.
    fn list_of_objects(&self, workspace: &WorkspacePath) -> Option<String> {
        let may = self.person.objects_scope(workspace).is_ok();
        may.then(|| address::objects(workspace))
    }

    /// What they are told when the store refuses them.
    pub(crate) async fn refusal(&self, refused: Refused) -> Refusal {
        match refused {
            Refused::NotFound => Refusal::NotFound,
            Refused::NoAccess { workspace, role } => match self.store.owners(&workspace).await {
                Ok(owners) => Refusal::NoAccess(Box::new(NoAccess {
                    workspace: workspace.name.clone(),
                    name: self.person.name.clone(),
                    email: self.person.email.clone(),
                    role: role.label().to_owned(),
                    owners: owners.into_iter().map(|(name, _)| name).collect(),
                    objects: self.list_of_objects(&workspace.path()),
                })),
                Err(error) => error.into(),
            },
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

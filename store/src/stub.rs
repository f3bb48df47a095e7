//! Signatures of the store, without bodies.
#![allow(unused, clippy::all, clippy::pedantic, missing_docs)]
use crate::{
    access::*, administration::*, error::*, options::*, people::*, question::*, recording::*,
    settings::*,
};
use domain::{event::*, question::*, retention::*, role::*, slug::*, time::*};
use std::{net::IpAddr, sync::Arc};
#[derive(Clone, Debug)]
pub struct Store(Arc<()>);
impl Store {
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        todo!()
    }
    pub async fn close(&self) {
        todo!()
    }
    pub async fn readiness(&self) -> Readiness {
        todo!()
    }
    pub async fn reindex(&self, progress: impl FnMut(u64, u64) + Send) -> Result<u64, StoreError> {
        todo!()
    }
    pub fn now(&self) -> Timestamp {
        todo!()
    }
    pub fn admit(&self, door: &Door, event: NewEvent) -> Result<Admitted, Vec<FieldError>> {
        todo!()
    }
    pub async fn record(&self, events: Vec<Admitted>) -> Result<Vec<Receipt>, RecordError> {
        todo!()
    }
    pub fn bounds(&self) -> Bounds {
        todo!()
    }
    pub async fn page(&self, scope: &Scope, query: &Query) -> Result<Page, QuestionError> {
        todo!()
    }
    pub async fn event(&self, scope: &Scope, id: EventId) -> Result<Option<Event>, StoreError> {
        todo!()
    }
    pub async fn count(&self, scope: &Scope, query: &Query) -> Result<Count, QuestionError> {
        todo!()
    }
    pub async fn choices(&self, scope: &Scope) -> Result<Choices, StoreError> {
        todo!()
    }
    pub async fn object(&self, scope: &Scope) -> Result<Option<Target>, StoreError> {
        todo!()
    }
    /// The catalogue's label for an action: "Member removed".
    pub fn label(&self, scope: &Scope, action: &Action) -> String {
        todo!()
    }
    pub async fn notices(&self, scope: &Scope) -> Result<Notices, StoreError> {
        todo!()
    }
    pub async fn note_look(
        &self,
        scope: &Scope,
        by: &By,
        names: &[&str],
    ) -> Result<(), StoreError> {
        todo!()
    }
    pub async fn token(&self, secret: &str) -> Result<Option<TokenGrant>, StoreError> {
        todo!()
    }
    pub async fn session(&self, secret: &str) -> Result<Option<SignedIn>, StoreError> {
        todo!()
    }
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        address: Option<IpAddr>,
        context: Option<Object>,
    ) -> Result<NewSession, SignInError> {
        todo!()
    }
    pub async fn sign_out(&self, secret: &str, context: Option<Object>) -> Result<(), StoreError> {
        todo!()
    }
    pub async fn note_workspace(
        &self,
        person: &SignedIn,
        workspace: &Workspace,
    ) -> Result<(), StoreError> {
        todo!()
    }
    pub async fn owners(&self, workspace: &Workspace) -> Result<Vec<(String, String)>, StoreError> {
        todo!()
    }
    pub async fn create_tenant(
        &self,
        slug: &Slug,
        name: &str,
        by: &By,
    ) -> Result<Tenant, AdministrationError> {
        todo!()
    }
    pub async fn create_workspace(
        &self,
        path: &WorkspacePath,
        name: &str,
        by: &By,
    ) -> Result<Workspace, AdministrationError> {
        todo!()
    }
    pub async fn tenant(&self, slug: &Slug) -> Result<Option<Tenant>, StoreError> {
        todo!()
    }
    pub async fn workspace(&self, path: &WorkspacePath) -> Result<Option<Workspace>, StoreError> {
        todo!()
    }
    pub async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        todo!()
    }
    pub async fn create_person(
        &self,
        person: &NewPerson,
        password: &str,
        by: &By,
    ) -> Result<(), AdministrationError> {
        todo!()
    }
    pub async fn change_role(
        &self,
        path: &WorkspacePath,
        email: &str,
        role: Role,
        by: &By,
    ) -> Result<(), AdministrationError> {
        todo!()
    }
    pub async fn deactivate_person(&self, email: &str, by: &By) -> Result<(), AdministrationError> {
        todo!()
    }
    pub async fn set_password(
        &self,
        email: &str,
        password: &str,
        by: &By,
    ) -> Result<(), AdministrationError> {
        todo!()
    }
    pub async fn create_token(
        &self,
        token: &NewToken,
        by: &By,
    ) -> Result<Secret, AdministrationError> {
        todo!()
    }
    pub async fn tokens(&self) -> Result<Vec<TokenListed>, StoreError> {
        todo!()
    }
    pub async fn revoke_token(&self, id: &str, by: &By) -> Result<(), AdministrationError> {
        todo!()
    }
    pub async fn set_actor_deactivated(
        &self,
        grant: &TokenGrant,
        kind: ActorKind,
        id: &str,
        deactivated: bool,
        by: &By,
    ) -> Result<ShownActor, AdministrationError> {
        todo!()
    }
    pub async fn settings(&self, scope: &SettingsScope) -> Result<Settings, StoreError> {
        todo!()
    }
    pub async fn change_settings(
        &self,
        scope: &SettingsScope,
        change: SettingsChange,
        by: &By,
    ) -> Result<Settings, SettingsError> {
        todo!()
    }
    pub async fn cancel_pending(
        &self,
        scope: &SettingsScope,
        by: &By,
    ) -> Result<Settings, SettingsError> {
        todo!()
    }
    pub async fn operator_settings(
        &self,
        path: &WorkspacePath,
    ) -> Result<Option<SettingsScope>, StoreError> {
        todo!()
    }
    pub async fn plan(&self, tenant: &Slug) -> Result<Option<Plan>, StoreError> {
        todo!()
    }
    pub async fn import_door(&self, workspace: &Workspace) -> Result<Door, StoreError> {
        todo!()
    }
    pub async fn set_plan(
        &self,
        tenant: &Slug,
        plan: Plan,
        by: &By,
    ) -> Result<(), AdministrationError> {
        todo!()
    }
    /// An event of Daybook's own that tells of a finished import: AUDIT_IMPORT_FINISHED.
    pub async fn note_import(
        &self,
        workspace: &Workspace,
        by: &By,
        told: Object,
    ) -> Result<(), StoreError> {
        todo!()
    }
}

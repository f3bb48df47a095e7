//! Who is asking, and what they may see. Only what is made here opens the log.

use crate::{proof::Fault, settings::ObjectAccess};
use domain::{
    event::{Actor, ActorKind, TargetKind},
    question::{Subject, Zone},
    redaction::Rules,
    retention::Retention,
    role::{Role, TokenScope},
    slug::{Slug, WorkspacePath},
    time::Timestamp,
};
use std::{fmt, sync::Arc};

/// A tenant, as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tenant {
    pub(crate) id: i64,
    /// How it is named in addresses.
    pub slug: Slug,
    /// How it is named on screen.
    pub name: String,
}

/// A workspace, as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Workspace {
    pub(crate) id: i64,
    /// The tenant that it belongs to.
    pub tenant: Tenant,
    /// How it is named in addresses.
    pub slug: Slug,
    /// How it is named on screen.
    pub name: String,
}

impl Workspace {
    /// `TENANT/WORKSPACE`.
    pub fn path(&self) -> WorkspacePath {
        WorkspacePath {
            tenant: self.tenant.slug.clone(),
            workspace: self.slug.clone(),
        }
    }
}

/// What somebody may read: proof that it was checked. It cannot be made outside this module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(pub(crate) Reach);

/// How far a scope reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Everything of a tenant: its own events and those of all its workspaces.
    Tenant(Tenant),
    /// One workspace.
    Workspace(Workspace),
    /// One object of a workspace.
    Object(Workspace, Subject),
    /// What one person did in a workspace.
    Own(Workspace, Myself),
}

impl Reach {
    pub(crate) fn tenant(&self) -> &Tenant {
        match self {
            Self::Tenant(tenant) => tenant,
            Self::Workspace(workspace) | Self::Object(workspace, _) | Self::Own(workspace, _) => {
                &workspace.tenant
            }
        }
    }

    /// The workspace that it lies in, unless it is a whole tenant's.
    pub(crate) fn workspace(&self) -> Option<&Workspace> {
        match self {
            Self::Tenant(_) => None,
            Self::Workspace(workspace) | Self::Object(workspace, _) | Self::Own(workspace, _) => {
                Some(workspace)
            }
        }
    }
}

/// Who somebody is among the actors of a log: Daybook names them by its own id, applications by
/// theirs, and both by the e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Myself {
    /// Daybook's public id.
    pub(crate) id: String,
    /// The e-mail, lowercased.
    pub(crate) email: String,
}

impl Myself {
    /// Whether an actor is this person.
    pub(crate) fn is(&self, actor: &Actor) -> bool {
        let is_id = actor.kind == ActorKind::User && actor.id.as_ref() == Some(&self.id);
        let email = || actor.email.as_deref().map(str::to_lowercase);
        is_id || email().as_ref() == Some(&self.email)
    }
}

impl Scope {
    /// The tenant that it lies in.
    pub fn tenant(&self) -> &Tenant {
        self.0.tenant()
    }

    /// The workspace that it lies in, unless it is a whole tenant's.
    pub fn workspace(&self) -> Option<&Workspace> {
        self.0.workspace()
    }

    /// The object that it is about, if it is about one.
    pub fn subject(&self) -> Option<&Subject> {
        match &self.0 {
            Reach::Object(_, subject) => Some(subject),
            _ => None,
        }
    }

    /// The person whose own events it is about, if it is about somebody's.
    pub(crate) fn myself(&self) -> Option<&Myself> {
        match &self.0 {
            Reach::Own(_, myself) => Some(myself),
            _ => None,
        }
    }
}

/// What somebody may take away as a file: proof that it was checked. It reaches no further than what
/// they may look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportScope {
    scope: Scope,
    pub(crate) holder: Holder,
}

/// Whose right it is to take a log away. It may be taken from them while they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The operator's, on the command line.
    Operator,
    /// A person's, as long as their role opens the log.
    Person(i64),
    /// A token's, as long as it is good.
    Token(i64),
}

impl ExportScope {
    /// The log that it is taken from.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The operator's, who may do everything on the command line.
    pub(crate) fn operator(workspace: Workspace) -> Self {
        Self {
            scope: Scope(Reach::Workspace(workspace)),
            holder: Holder::Operator,
        }
    }
}

/// Why somebody may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such place for them, whether it exists or not.
    #[error("not found")]
    NotFound,
    /// They belong to the workspace, but their role does not open this; its owners are whom to ask.
    #[error("not open to this role")]
    NoAccess {
        /// The workspace.
        workspace: Workspace,
        /// Their role in it.
        role: Role,
    },
    /// They belong to a workspace of the tenant, but do not administer the tenant; its admins are
    /// whom to ask.
    #[error("not open to who does not administer the tenant")]
    NoTenantAccess {
        /// The tenant.
        tenant: Tenant,
    },
}

/// An API token whose secret was brought, and which was neither revoked nor expired then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenGrant {
    pub(crate) id: i64,
    /// Its public id, for the log: `tok_…`.
    pub public_id: String,
    /// Its name.
    pub name: String,
    pub(crate) reach: Reach,
    /// The workspaces that it may name, with what each keeps.
    pub(crate) workspaces: Vec<Kept>,
    /// What it may do.
    pub scopes: Vec<TokenScope>,
    /// The oldest `occurred_at` that it may send: so many seconds before now.
    pub(crate) oldest_seconds: Option<i64>,
}

/// A workspace, how long it keeps events, and what is taken out of them at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: i64,
    pub(crate) slug: Slug,
    pub(crate) retention: Retention,
    pub(crate) rules: Arc<Rules>,
}

/// A token does not have the scope that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this token does not have the scope {0}")]
pub struct MissingScope(pub TokenScope);

impl TokenGrant {
    /// Checks that the token has a scope.
    ///
    /// # Errors
    ///
    /// It does not.
    pub fn require(&self, scope: TokenScope) -> Result<(), MissingScope> {
        if self.scopes.contains(&scope) {
            Ok(())
        } else {
            Err(MissingScope(scope))
        }
    }

    /// The tenant that it is good in.
    pub(crate) fn tenant(&self) -> i64 {
        self.reach.tenant().id
    }

    /// What the token may read.
    ///
    /// # Errors
    ///
    /// It may not read.
    pub fn read_scope(&self) -> Result<Scope, MissingScope> {
        self.require(TokenScope::EventsRead)
            .map(|()| Scope(self.reach.clone()))
    }

    /// What the token may take away as a file.
    ///
    /// # Errors
    ///
    /// It may not.
    pub fn export_scope(&self) -> Result<ExportScope, MissingScope> {
        self.require(TokenScope::EventsExport)?;
        Ok(ExportScope {
            scope: Scope(self.reach.clone()),
            holder: Holder::Token(self.id),
        })
    }
}

/// What a person is in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The workspace.
    pub workspace: Workspace,
    /// Their role; tenant admins have theirs in every workspace of the tenant.
    pub role: Role,
    /// Which objects' pages the workspace opens to whom.
    pub object_access: ObjectAccess,
}

impl Membership {
    /// Whether they may open objects' pages, those of guarded kinds apart.
    pub fn opens_objects(&self) -> bool {
        self.role.reads_the_log() || self.object_access.for_members
    }
}

/// Somebody who is signed in, with what they are a member of. Made anew for each request, so that
/// what was taken from them is gone at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub(crate) person: i64,
    /// Their public id, for the log: `usr_…`.
    pub public_id: String,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their workspaces, by name.
    pub memberships: Vec<Membership>,
    /// The tenants that they administer.
    pub administers: Vec<Tenant>,
    /// The workspace that they looked at last.
    pub last_workspace: Option<WorkspacePath>,
    /// The time zone that they looked at it in; none: UTC.
    pub last_zone: Option<Zone>,
    /// Whether single keys are shortcuts for them.
    pub single_keys: bool,
    /// What the check beside the server found wrong with the logs of their tenants.
    pub faults: Vec<Fault>,
}

impl SignedIn {
    /// What the check beside the server found wrong with a tenant's log, for who can do something about
    /// it.
    pub fn fault_of(&self, tenant: &Slug) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.tenant == *tenant)
    }

    /// Their membership of a workspace.
    ///
    /// # Errors
    ///
    /// They are no member, or there is no such workspace.
    pub fn membership(&self, path: &WorkspacePath) -> Result<&Membership, Refused> {
        self.memberships
            .iter()
            .find(|membership| {
                membership.workspace.slug == path.workspace
                    && membership.workspace.tenant.slug == path.tenant
            })
            .ok_or(Refused::NotFound)
    }

    fn require(
        &self,
        path: &WorkspacePath,
        may: impl FnOnce(Role) -> bool,
    ) -> Result<&Membership, Refused> {
        let membership = self.membership(path)?;
        if may(membership.role) {
            return Ok(membership);
        }
        Err(Refused::NoAccess {
            workspace: membership.workspace.clone(),
            role: membership.role,
        })
    }

    /// What the workspace's Audit page shows them.
    ///
    /// # Errors
    ///
    /// They are no member, or a member without the role.
    pub fn audit_scope(&self, path: &WorkspacePath) -> Result<Scope, Refused> {
        let membership = self.require(path, Role::reads_the_log)?;
        Ok(Scope(Reach::Workspace(membership.workspace.clone())))
    }

    /// What the tenant's Audit page shows them: all its workspaces, and its own events.
    ///
    /// # Errors
    ///
    /// They do not administer it; who is a member of one of its workspaces is told so, anybody else
    /// not even that it exists.
    pub fn tenant_scope(&self, tenant: &Slug) -> Result<Scope, Refused> {
        let mine = self.administered(tenant)?;
        Ok(Scope(Reach::Tenant(mine.clone())))
    }

    /// The tenant that they administer: its plan, tokens and admins.
    ///
    /// # Errors
    ///
    /// As for [`Self::tenant_scope`].
    pub fn tenant_administration(&self, tenant: &Slug) -> Result<TenantAdministration, Refused> {
        let mine = self.administered(tenant)?;
        Ok(TenantAdministration {
            tenant: mine.clone(),
        })
    }

    fn administered(&self, tenant: &Slug) -> Result<&Tenant, Refused> {
        if let Some(mine) = self.administers.iter().find(|mine| mine.slug == *tenant) {
            return Ok(mine);
        }
        let mut tenants = self
            .memberships
            .iter()
            .map(|member| &member.workspace.tenant);
        match tenants.find(|of| of.slug == *tenant) {
            Some(of) => Err(Refused::NoTenantAccess { tenant: of.clone() }),
            None => Err(Refused::NotFound),
        }
    }

    /// What they did in a workspace, the events whose actor they are: every member may look at that,
    /// whatever their role.
    ///
    /// # Errors
    ///
    /// They are no member.
    pub fn own_scope(&self, path: &WorkspacePath) -> Result<Scope, Refused> {
        let membership = self.membership(path)?;
        let myself = Myself {
            id: self.public_id.clone(),
            email: self.email.to_lowercase(),
        };
        Ok(Scope(Reach::Own(membership.workspace.clone(), myself)))
    }

    /// What they may take away as a file, of a log that they may look at: who reads the workspace's
    /// log may, of it and of its objects', and who administers the tenant, of the tenant's. Nobody
    /// takes away what is open to every member.
    ///
    /// # Errors
    ///
    /// They may only look at it.
    pub fn export_scope(&self, scope: &Scope) -> Result<ExportScope, Refused> {
        match &scope.0 {
            Reach::Tenant(tenant) => {
                self.administered(&tenant.slug)?;
            }
            Reach::Workspace(workspace) | Reach::Object(workspace, _) => {
                self.require(&workspace.path(), Role::reads_the_log)?;
            }
            Reach::Own(workspace, _) => {
                self.require(&workspace.path(), |_| false)?;
            }
        }
        Ok(ExportScope {
            scope: scope.clone(),
            holder: Holder::Person(self.person),
        })
    }

    fn require_objects(&self, path: &WorkspacePath) -> Result<&Membership, Refused> {
        let membership = self.membership(path)?;
        self.require(path, |_| membership.opens_objects())
    }

    /// What an object's own pages show them: every member, unless the workspace's settings keep
    /// objects, or those of this kind, for who reads the log.
    ///
    /// # Errors
    ///
    /// They are no member, or a member to whom the object is not open, whether it exists or not.
    pub fn object_scope(&self, path: &WorkspacePath, subject: Subject) -> Result<Scope, Refused> {
        let guarded = self.require_objects(path)?.guarded();
        let is_guarded = guarded.iter().any(|kind| is_same(kind, &subject.kind));
        let membership = self.require(path, |_| !is_guarded)?;
        Ok(Scope(Reach::Object(membership.workspace.clone(), subject)))
    }

    /// The workspace whose members and tokens they manage.
    ///
    /// # Errors
    ///
    /// They are no member, or a member without the role.
    pub fn management_scope(&self, path: &WorkspacePath) -> Result<ManagementScope, Refused> {
        let membership = self.require(path, Role::manages_members_and_tokens)?;
        Ok(ManagementScope {
            workspace: membership.workspace.clone(),
            role: membership.role,
        })
    }

    /// The objects that they may look for and open, in the list of them.
    ///
    /// # Errors
    ///
    /// They are no member, or a member to whom no object is open.
    pub fn objects_scope(&self, path: &WorkspacePath) -> Result<ObjectsScope, Refused> {
        let membership = self.require_objects(path)?;
        Ok(ObjectsScope {
            workspace: membership.workspace.clone(),
            hidden: membership.guarded(),
        })
    }

    /// The workspace whose settings they may see, and whether they may change them.
    ///
    /// # Errors
    ///
    /// They are no member, or a member without the role.
    pub fn settings_scope(&self, path: &WorkspacePath) -> Result<SettingsScope, Refused> {
        let membership = self.require(path, Role::reads_settings)?;
        Ok(SettingsScope {
            workspace: membership.workspace.clone(),
            may_change: membership.role.changes_settings(),
        })
    }
}

/// The members and tokens of one workspace: proof that somebody may manage them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagementScope {
    pub(crate) workspace: Workspace,
    role: Role,
}

impl ManagementScope {
    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The role of who manages.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The operator's, who may do what owners do.
    pub(crate) fn operator(workspace: Workspace) -> Self {
        Self {
            workspace,
            role: Role::Owner,
        }
    }
}

/// The plan, tokens and admins of one tenant: proof that somebody administers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantAdministration {
    pub(crate) tenant: Tenant,
}

impl TenantAdministration {
    /// The tenant.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }
}

/// The tokens of a workspace, or of a tenant itself: proof that somebody may manage them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokensScope(pub(crate) TokensOf);

/// Whose tokens they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokensOf {
    /// A workspace's.
    Workspace(Workspace),
    /// A tenant's own.
    Tenant(Tenant),
}

impl TokensScope {
    /// The workspace, unless they are a tenant's own.
    pub fn workspace(&self) -> Option<&Workspace> {
        match &self.0 {
            TokensOf::Workspace(workspace) => Some(workspace),
            TokensOf::Tenant(_) => None,
        }
    }

    /// The tenant that they are good in, or in a workspace of.
    pub fn tenant(&self) -> &Tenant {
        match &self.0 {
            TokensOf::Workspace(workspace) => &workspace.tenant,
            TokensOf::Tenant(tenant) => tenant,
        }
    }
}

impl From<&ManagementScope> for TokensScope {
    fn from(scope: &ManagementScope) -> Self {
        Self(TokensOf::Workspace(scope.workspace.clone()))
    }
}

impl From<&TenantAdministration> for TokensScope {
    fn from(scope: &TenantAdministration) -> Self {
        Self(TokensOf::Tenant(scope.tenant.clone()))
    }
}

impl From<&TokensScope> for TokensScope {
    fn from(scope: &TokensScope) -> Self {
        scope.clone()
    }
}

impl Membership {
    /// The kinds whose objects are not open to them: a legal hold's never, for it may be about them.
    fn guarded(&self) -> Vec<TargetKind> {
        if self.role.reads_the_log() {
            return Vec::new();
        }
        let guarded = self.object_access.guarded().iter().cloned();
        guarded.chain(LEGAL_HOLD.parse()).collect()
    }
}

/// The kind that the entries of legal holds are about.
pub(crate) const LEGAL_HOLD: &str = "legal_hold";

/// Kinds are guarded however they are spelled: `Secret` is no way around `secret`.
fn is_same(one: &TargetKind, other: &TargetKind) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}

/// The objects of a workspace that somebody may open: proof that it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectsScope {
    pub(crate) workspace: Workspace,
    hidden: Vec<TargetKind>,
}

impl ObjectsScope {
    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Whether objects of a kind are in it.
    pub fn has(&self, kind: &TargetKind) -> bool {
        !self.hidden.iter().any(|hidden| is_same(hidden, kind))
    }
}

/// The settings of one workspace: proof that somebody may see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsScope {
    pub(crate) workspace: Workspace,
    may_change: bool,
}

impl SettingsScope {
    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Whether they may be changed too.
    pub fn may_change(&self) -> bool {
        self.may_change
    }

    /// The operator's, who may do everything on the command line.
    pub(crate) fn operator(workspace: Workspace) -> Self {
        Self {
            workspace,
            may_change: true,
        }
    }
}

/// A secret that is shown once: a token's, a session's. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) String);

impl From<String> for Secret {
    /// One that somebody else made, and gave us.
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Secret {
    /// The text, for whom it is meant.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// When a session ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// What the browser keeps.
    pub secret: Secret,
    /// Until when it is good.
    pub until: Timestamp,
}

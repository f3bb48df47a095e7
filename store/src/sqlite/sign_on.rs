//! Signing in at an OpenID Connect provider: whose account it is, and what their groups give them.

use super::{
    Store,
    change::{Change, Log, told},
    dictionaries::damaged,
    directory::{check_name, find_workspace, workspace_of},
    invites::{OpenInvite, join, open_invite},
    members::role_of,
    password,
    people::{
        Person, create_account, email_address, end_sessions, find_person, is_last_owner, logs_of,
        need_person,
    },
    sign_in::{is_shut_out, new_session, themselves},
};
use crate::{
    StoreError,
    access::{NewSession, Workspace},
    administration::{AdministrationError, By},
    database::{self, Connection, Row},
    members::AcceptError,
    sign_on::{Email, Group, GroupRoles, Identity, SignOnError, SignOnRefusal},
};
use domain::{
    event::{Actor, ActorKind, Object, Outcome},
    role::Role,
    time::Timestamp,
};
use serde_json::json;
use std::collections::BTreeMap;

/// How events name it.
const METHOD: &str = "oidc";
/// Who changes what groups give: not the person, who only signed in.
const DOER: &str = "Single sign-on";
/// How events name the group that everybody is in.
const EVERYBODY: &str = "*";

impl Store {
    /// Signs in somebody whom a provider knows: binds their account to them, or makes one; accepts the
    /// invitation with the secret `invite` if it is theirs; gives them what their groups give, and
    /// takes what their groups gave and give no more.
    ///
    /// # Errors
    ///
    /// They may not sign in, or the store failed.
    pub async fn sign_on(
        &self,
        identity: &Identity,
        roles: &GroupRoles,
        invite: Option<&str>,
        context: Option<Object>,
    ) -> Result<NewSession, SignOnError> {
        let mut change = self.inner.change().await?;
        let visit = Visit {
            identity,
            roles,
            context,
        };
        let result = visit.sign_on(&mut change, invite).await;
        // That somebody was refused is told, and what their groups took before that is taken.
        change.finish(result).await?.map_err(SignOnError::Refused)
    }

    /// Forgets to whom an account is bound at a provider; its sessions end. Whoever signs in there next
    /// with its verified e-mail address is bound to it.
    ///
    /// # Errors
    ///
    /// There is no such account, or it is bound to nobody.
    pub async fn unbind_person(&self, email: &str, by: &By) -> Result<(), AdministrationError> {
        let mut change = self.inner.change().await?;
        let result = unbind(&mut change, email, by).await;
        change.finish(result).await
    }
}

async fn unbind(change: &mut Change<'_>, email: &str, by: &By) -> Result<(), AdministrationError> {
    let person = need_person(change.connection(), email).await?;
    let bound: Vec<(String, String)> =
        database::query_as("DELETE FROM identity WHERE person = ? RETURNING issuer, subject")
            .bind(person.id)
            .fetch_all(change.connection())
            .await
            .map_err(StoreError::from)?;
    if bound.is_empty() {
        let what = format!("identity of {email} at a provider");
        return Err(AdministrationError::Missing(what));
    }
    end_sessions(change.connection(), person.id).await?;
    let logs = logs_of(change.connection(), person.id).await?;
    for (issuer, subject) in bound {
        let identity = json!({"identity": {"issuer": issuer, "subject": subject}});
        for log in &logs {
            let (before, after) = (Some(identity.clone()), Some(json!({"identity": null})));
            let event = told(by, "USER_UPDATED", person.target()?, before, after)?;
            change.record(*log, event).await?;
        }
    }
    Ok(())
}

/// Somebody who comes from the provider.
struct Visit<'a> {
    identity: &'a Identity,
    roles: &'a GroupRoles,
    context: Option<Object>,
}

/// Whose account it is.
enum Found {
    /// The one bound to the identity.
    Bound(Person),
    /// One with their e-mail address, which is to be bound to it.
    Known(Person),
    /// Nobody's yet: this address has none.
    New(String),
}

impl Visit<'_> {
    async fn sign_on(
        &self,
        change: &mut Change<'_>,
        invite: Option<&str>,
    ) -> Result<Result<NewSession, SignOnRefusal>, StoreError> {
        let (person, bound, invite) = match self.find(change).await? {
            Err((person, refusal)) => {
                if let Some(person) = person {
                    self.tell(change, &person, Err(refusal), false).await?;
                }
                return Ok(Err(refusal));
            }
            Ok(Found::Bound(person) | Found::Known(person)) if person.deactivated => {
                let refusal = SignOnRefusal::Deactivated;
                self.tell(change, &person, Err(refusal), false).await?;
                return Ok(Err(refusal));
            }
            Ok(Found::Bound(person)) => {
                let invite = self.invite(change, invite, &person.email).await?;
                (self.follow_profile(change, person).await?, false, invite)
            }
            Ok(Found::Known(person)) => {
                let invite = self.invite(change, invite, &person.email).await?;
                self.bind(change, person.id).await?;
                (self.follow_profile(change, person).await?, true, invite)
            }
            Ok(Found::New(email)) => {
                let invite = self.invite(change, invite, &email).await?;
                if invite.is_none() && self.adds(change, None, &email).await?.is_empty() {
                    let invited = invited_to(change, &email).await?;
                    return Ok(Err(match invited.as_slice() {
                        [] => SignOnRefusal::NoRole,
                        _ => SignOnRefusal::Invited,
                    }));
                }
                let name = self.name().unwrap_or(&email);
                let person = create_account(change, &email, name, password::NOBODYS).await?;
                self.bind(change, person.id).await?;
                (person, true, invite)
            }
        };
        if let Some(invite) = invite {
            match join(change, invite, &person, self.context.clone()).await {
                // They are a member there already: nothing was done.
                Ok(_) | Err(AcceptError::Member(_)) => {}
                Err(AcceptError::Store(error)) => return Err(error),
                Err(error) => return Err(StoreError::Database(error.to_string())),
            }
        }
        self.follow_groups(change, &person).await?;
        let now = change.now;
        let may = if is_shut_out(change.connection(), person.id, now).await? {
            Err(SignOnRefusal::Deactivated)
        } else {
            Ok(())
        };
        self.tell(change, &person, may, bound).await?;
        match may {
            Ok(()) => new_session(change, person.id).await.map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Whose account it is; else why it is nobody's, and whose it might have been.
    async fn find(
        &self,
        change: &mut Change<'_>,
    ) -> Result<Result<Found, (Option<Person>, SignOnRefusal)>, StoreError> {
        let row = database::query(
            "SELECT p.id, p.public_id, p.name, p.email, p.deactivated_at IS NOT NULL \
             FROM identity i JOIN person p ON p.id = i.person \
             WHERE i.issuer = ? AND i.subject = ?",
        )
        .bind(self.identity.issuer.clone())
        .bind(self.identity.subject.clone())
        .fetch_optional(change.connection())
        .await?;
        if let Some(row) = row {
            return Ok(Ok(Found::Bound(Person {
                id: row.try_get(0)?,
                public_id: row.try_get(1)?,
                name: row.try_get(2)?,
                email: row.try_get(3)?,
                deactivated: row.try_get(4)?,
            })));
        }
        let (email, verified) = match &self.identity.email {
            Email::None => (None, false),
            Email::Unverified(email) => (email_address(email), false),
            Email::Verified(email) => (email_address(email), true),
        };
        let Some(email) = email else {
            return Ok(Err((None, SignOnRefusal::NoEmail)));
        };
        let person = find_person(change.connection(), &email).await?;
        if !verified {
            return Ok(Err((person, SignOnRefusal::Unverified)));
        }
        let Some(person) = person else {
            return Ok(Ok(Found::New(email)));
        };
        // An address that the provider gave to somebody else must not give them the account too.
        let bound: bool = database::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM identity WHERE person = ? AND issuer = ?)",
        )
        .bind(person.id)
        .bind(self.identity.issuer.clone())
        .fetch_one(change.connection())
        .await?;
        if bound {
            return Ok(Err((Some(person), SignOnRefusal::AnotherIdentity)));
        }
        Ok(Ok(Found::Known(person)))
    }

    async fn bind(&self, change: &mut Change<'_>, person: i64) -> Result<(), StoreError> {
        let now = change.now;
        database::query(
            "INSERT INTO identity (issuer, subject, person, created_at) VALUES (?, ?, ?, ?)",
        )
        .bind(self.identity.issuer.clone())
        .bind(self.identity.subject.clone())
        .bind(person)
        .bind(now.micros())
        .execute(change.connection())
        .await?;
        Ok(())
    }

    /// The invitation that they bring, if it is good now and theirs.
    async fn invite(
        &self,
        change: &mut Change<'_>,
        secret: Option<&str>,
        email: &str,
    ) -> Result<Option<OpenInvite>, StoreError> {
        let Some(secret) = secret else {
            return Ok(None);
        };
        let now = change.now;
        let found = open_invite(change.connection(), secret, now).await?;
        Ok(found.filter(|found| found.invitation.email == email))
    }

    /// The name that the provider tells, where it can be one here.
    fn name(&self) -> Option<&str> {
        let name = self.identity.name.as_deref()?.trim();
        check_name(name).is_ok().then_some(name)
    }

    /// Takes over a name and an e-mail address that changed at the provider. An address that it did
    /// not verify, or that is somebody else's here, is not taken.
    async fn follow_profile(
        &self,
        change: &mut Change<'_>,
        person: Person,
    ) -> Result<Person, StoreError> {
        let name = self.name().unwrap_or(&person.name).to_owned();
        let mut email = match &self.identity.email {
            Email::Verified(email) => email_address(email),
            Email::Unverified(_) | Email::None => None,
        }
        .unwrap_or_else(|| person.email.clone());
        if email != person.email && find_person(change.connection(), &email).await?.is_some() {
            tracing::warn!(
                "{} keeps the e-mail address {}: the one that the provider tells is another \
                 account's",
                person.public_id,
                person.email
            );
            email.clone_from(&person.email);
        }
        if (&name, &email) == (&person.name, &person.email) {
            return Ok(person);
        }
        database::query("UPDATE person SET name = ?, email = ? WHERE id = ?")
            .bind(name.clone())
            .bind(email.clone())
            .bind(person.id)
            .execute(change.connection())
            .await?;
        let before = json!({"name": person.name, "email": person.email});
        let after = json!({"name": name, "email": email});
        let person = Person {
            name,
            email,
            ..person
        };
        let by = self.by_provider(None);
        for log in logs_of(change.connection(), person.id).await? {
            let (before, after) = (Some(before.clone()), Some(after.clone()));
            let event = told(&by, "USER_UPDATED", person.target()?, before, after)?;
            change.record(log, event).await?;
        }
        Ok(person)
    }

    /// The provider, for the event that tells of what it gives or takes, by which group.
    fn by_provider(&self, group: Option<&str>) -> By {
        let mut metadata = Object::new();
        metadata.insert("method".to_owned(), METHOD.into());
        metadata.insert("issuer".to_owned(), self.identity.issuer.as_str().into());
        if let Some(group) = group {
            metadata.insert("group".to_owned(), group.into());
        }
        By {
            actor: Actor {
                kind: ActorKind::System,
                id: None,
                name: Some(DOER.to_owned()),
                email: None,
            },
            metadata: Some(metadata),
            context: self.context.clone(),
        }
    }

    /// Tells that somebody signed in, or why not; and that their account was bound to the identity.
    async fn tell(
        &self,
        change: &mut Change<'_>,
        person: &Person,
        may: Result<(), SignOnRefusal>,
        bound: bool,
    ) -> Result<(), StoreError> {
        let Identity {
            issuer, subject, ..
        } = self.identity;
        let mut by = themselves(person, METHOD, self.context.clone());
        let metadata = by.metadata.get_or_insert_default();
        metadata.insert("issuer".to_owned(), issuer.as_str().into());
        let (action, outcome) = match may {
            Ok(()) => ("SIGNED_IN", Outcome::Success),
            Err(refusal) => {
                metadata.insert("reason".to_owned(), refusal.reason().into());
                ("SIGN_IN_FAILED", Outcome::Failure)
            }
        };
        let identity = json!({"identity": {"issuer": issuer, "subject": subject}});
        for log in logs_of(change.connection(), person.id).await? {
            let (before, after) = if bound {
                (Some(json!({"identity": null})), Some(identity.clone()))
            } else {
                (None, None)
            };
            let mut event = told(&by, action, person.target()?, before, after)?;
            event.outcome = outcome;
            change.record(log, event).await?;
        }
        Ok(())
    }
}

/// A role that somebody is given in a workspace where they may be no member yet.
struct Given {
    workspace: Workspace,
    role: Role,
    group: Group,
}

impl Given {
    fn group_name(&self) -> &str {
        match &self.group {
            Group::Named(name) => name,
            Group::Everybody => EVERYBODY,
        }
    }
}

impl Visit<'_> {
    /// The best role that they are given in each workspace, by its id.
    async fn gives(&self, change: &mut Change<'_>) -> Result<BTreeMap<i64, Given>, StoreError> {
        let mut best: BTreeMap<i64, Given> = BTreeMap::new();
        for given in self.roles.of(&self.identity.groups) {
            let found = find_workspace(change.connection(), &given.workspace).await?;
            let Some(workspace) = found else {
                tracing::warn!(
                    "DAYBOOK_OIDC_ROLES names the workspace {}, which is not there",
                    given.workspace
                );
                continue;
            };
            // What everybody has anyway is not the group's.
            let rank = (given.role, &given.group);
            let id = workspace.id;
            if best
                .get(&id)
                .is_none_or(|known| (known.role, &known.group) < rank)
            {
                let given = Given {
                    workspace,
                    role: given.role,
                    group: given.group.clone(),
                };
                best.insert(id, given);
            }
        }
        Ok(best)
    }

    /// What they are given where they are no member yet; `person`: none where they are new.
    async fn adds(
        &self,
        change: &mut Change<'_>,
        person: Option<i64>,
        email: &str,
    ) -> Result<BTreeMap<i64, Given>, StoreError> {
        let now = change.now;
        let (members_of, admin_of) = places(change.connection(), person, now).await?;
        let is_newcomer = members_of.is_empty() && admin_of.is_empty();
        let mut adds = self.gives(change).await?;
        if adds.is_empty()
            && is_newcomer
            && !self.roles.has_default()
            && let Some(workspace) = only_workspace(change.connection()).await?
        {
            let given = Given {
                role: Role::Member,
                group: Group::Everybody,
                workspace,
            };
            adds.insert(given.workspace.id, given);
        }
        // Where an invitation waits, it says what they will be, and not the default.
        let invited = invited_to(change, email).await?;
        adds.retain(|workspace, given| {
            let waits = given.group == Group::Everybody && invited.contains(workspace);
            // A tenant's admin counts as owner of all its workspaces.
            let is_admin = admin_of.contains(&given.workspace.tenant.id);
            !waits && !is_admin && !members_of.contains(workspace)
        });
        Ok(adds)
    }

    /// Brings their memberships to what their groups give.
    async fn follow_groups(
        &self,
        change: &mut Change<'_>,
        person: &Person,
    ) -> Result<(), StoreError> {
        let mut gives = self.gives(change).await?;
        let adds = self.adds(change, Some(person.id), &person.email).await?;
        for held in held(change.connection(), person.id).await? {
            let given = gives.remove(&held.workspace.id);
            self.follow(change, person, held, given).await?;
        }
        for given in adds.into_values() {
            self.add(change, person, &given).await?;
        }
        Ok(())
    }

    /// Makes them a member.
    async fn add(
        &self,
        change: &mut Change<'_>,
        person: &Person,
        given: &Given,
    ) -> Result<(), StoreError> {
        let now = change.now;
        // The default is given once, and stays.
        let (action, source, group) = match &given.group {
            Group::Everybody => ("MEMBERSHIP_DEFAULTED", "given", None),
            Group::Named(name) => ("MEMBER_ADDED", "groups", Some(name.clone())),
        };
        database::query(
            "INSERT INTO membership (person, workspace, role, created_at, role_from, role_group) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(person.id)
        .bind(given.workspace.id)
        .bind(given.role.as_str())
        .bind(now.micros())
        .bind(source)
        .bind(group.clone())
        .execute(change.connection())
        .await?;
        let event = told(
            &self.by_provider(group.as_deref()),
            action,
            person.target()?,
            None,
            Some(json!({
                "name": person.name, "email": person.email, "role": given.role, "until": null,
            })),
        )?;
        change.record(Log::from(&given.workspace), event).await
    }

    /// Brings one membership to what their groups give there.
    async fn follow(
        &self,
        change: &mut Change<'_>,
        person: &Person,
        held: Held,
        given: Option<Given>,
    ) -> Result<(), StoreError> {
        let now = change.now;
        let floor = match &held.from {
            RoleFrom::Changed => return Ok(()),
            RoleFrom::Given => Some(held.role),
            RoleFrom::Groups { floor, .. } => *floor,
        };
        // Its last day is over, and groups do not make it longer.
        if held.until.is_some_and(|until| until <= now.micros()) {
            return Ok(());
        }
        let raised = given.filter(|given| floor.is_none_or(|floor| given.role > floor));
        let before = held.group().map(str::to_owned);
        let (role, group) = match (&raised, floor) {
            (Some(given), _) => (given.role, Some(given.group_name().to_owned())),
            (None, Some(floor)) => (floor, None),
            (None, None) => return self.take(change, person, &held).await,
        };
        // The group by which it changes: the one that gives more, or the one that is gone.
        let cause = if role < held.role {
            before.as_deref()
        } else {
            group.as_deref()
        };
        let by = self.by_provider(cause);
        let was_deactivated = held.deactivated;
        if was_deactivated {
            set_deactivated(change, person, &held, None, &by).await?;
        }
        let kept = role < held.role && stays_owner(change, person, &held).await?;
        let changes = role != held.role && !kept;
        if changes {
            database::query("UPDATE membership SET role = ? WHERE person = ? AND workspace = ?")
                .bind(role.as_str())
                .bind(person.id)
                .bind(held.workspace.id)
                .execute(change.connection())
                .await?;
            let event = told(
                &by,
                "MEMBER_ROLE_UPDATED",
                person.target()?,
                Some(json!({"role": held.role})),
                Some(json!({"role": role})),
            )?;
            change.record(Log::from(&held.workspace), event).await?;
        }
        if !changes && !was_deactivated && (kept || before == group) {
            return Ok(());
        }
        let from = match group {
            _ if kept => held.from,
            Some(group) => RoleFrom::Groups { group, floor },
            None => RoleFrom::Given,
        };
        from.note(change.connection(), person.id, held.workspace.id)
            .await
    }

    /// Takes a membership that only groups gave, and give no more.
    async fn take(
        &self,
        change: &mut Change<'_>,
        person: &Person,
        held: &Held,
    ) -> Result<(), StoreError> {
        if held.deactivated || stays_owner(change, person, held).await? {
            return Ok(());
        }
        let now = change.now;
        let by = self.by_provider(held.group());
        set_deactivated(change, person, held, Some(now), &by).await?;
        end_sessions(change.connection(), person.id).await?;
        held.from
            .note(change.connection(), person.id, held.workspace.id)
            .await
    }
}

/// Deactivates a membership, from then on, or takes that back; and tells it.
async fn set_deactivated(
    change: &mut Change<'_>,
    person: &Person,
    held: &Held,
    at: Option<Timestamp>,
    by: &By,
) -> Result<(), StoreError> {
    database::query("UPDATE membership SET deactivated_at = ? WHERE person = ? AND workspace = ?")
        .bind(at.map(Timestamp::micros))
        .bind(person.id)
        .bind(held.workspace.id)
        .execute(change.connection())
        .await?;
    let (action, is) = match at {
        Some(_) => ("MEMBER_DEACTIVATED", true),
        None => ("MEMBER_REACTIVATED", false),
    };
    let event = told(
        by,
        action,
        person.target()?,
        Some(json!({"deactivated": !is})),
        Some(json!({"deactivated": is})),
    )?;
    change.record(Log::from(&held.workspace), event).await
}

/// Whether they are a workspace's last owner, and stay so whatever their groups say.
async fn stays_owner(
    change: &mut Change<'_>,
    person: &Person,
    held: &Held,
) -> Result<bool, StoreError> {
    let now = change.now;
    let is_last = is_last_owner(change.connection(), person.id, held.workspace.id, now).await?;
    if is_last {
        tracing::warn!(
            "{} stays the last owner of {}, though no group makes them one any more",
            person.public_id,
            held.workspace.path()
        );
    }
    Ok(is_last)
}

/// A membership that somebody has.
struct Held {
    workspace: Workspace,
    role: Role,
    until: Option<i64>,
    deactivated: bool,
    from: RoleFrom,
}

/// Where its role comes from; see the table.
enum RoleFrom {
    Given,
    Groups { group: String, floor: Option<Role> },
    Changed,
}

impl Held {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let from = match row.try_get(9)? {
            "given" => RoleFrom::Given,
            "changed" => RoleFrom::Changed,
            "groups" => RoleFrom::Groups {
                group: row.try_get::<Option<String>>(10)?.unwrap_or_default(),
                floor: row.try_get::<Option<&str>>(11)?.map(role_of).transpose()?,
            },
            _ => return Err(damaged("where a role comes from is broken")),
        };
        Ok(Self {
            workspace: workspace_of(row, 0)?,
            role: role_of(row.try_get(6)?)?,
            until: row.try_get(7)?,
            deactivated: row.try_get(8)?,
            from,
        })
    }

    fn group(&self) -> Option<&str> {
        match &self.from {
            RoleFrom::Groups { group, .. } => Some(group),
            RoleFrom::Given | RoleFrom::Changed => None,
        }
    }
}

impl RoleFrom {
    /// Notes it, after the changes: each change of a membership says that it was changed by hand.
    async fn note(
        &self,
        connection: &mut Connection,
        person: i64,
        workspace: i64,
    ) -> Result<(), StoreError> {
        let (source, group, floor) = match self {
            Self::Given => ("given", None, None),
            Self::Changed => ("changed", None, None),
            Self::Groups { group, floor } => ("groups", Some(group.clone()), *floor),
        };
        database::query(
            "UPDATE membership SET role_from = ?, role_group = ?, given_role = ? \
             WHERE person = ? AND workspace = ?",
        )
        .bind(source)
        .bind(group)
        .bind(floor.map(Role::as_str))
        .bind(person)
        .bind(workspace)
        .execute(connection)
        .await?;
        Ok(())
    }
}

async fn held(connection: &mut Connection, person: i64) -> Result<Vec<Held>, StoreError> {
    let rows = database::query(
        "SELECT w.id, w.slug, w.name, t.id, t.slug, t.name, m.role, m.until, \
             m.deactivated_at IS NOT NULL, m.role_from, m.role_group, m.given_role \
         FROM membership m JOIN workspace w ON w.id = m.workspace JOIN tenant t ON t.id = w.tenant \
         WHERE m.person = ? ORDER BY w.id",
    )
    .bind(person)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Held::read).collect()
}

/// The workspaces that an address is invited to, by id, where it can still accept.
async fn invited_to(change: &mut Change<'_>, email: &str) -> Result<Vec<i64>, StoreError> {
    let now = change.now;
    Ok(database::query_scalar(
        "SELECT workspace FROM invite WHERE email = ?1 AND accepted_at IS NULL \
             AND revoked_at IS NULL AND expires > ?2 AND (until IS NULL OR until > ?2)",
    )
    .bind(email)
    .bind(now.micros())
    .fetch_all(change.connection())
    .await?)
}

/// The installation's workspace, where there is but one.
async fn only_workspace(connection: &mut Connection) -> Result<Option<Workspace>, StoreError> {
    let rows = database::query(
        "SELECT w.id, w.slug, w.name, t.id, t.slug, t.name FROM workspace w \
         JOIN tenant t ON t.id = w.tenant LIMIT 2",
    )
    .fetch_all(connection)
    .await?;
    match rows.as_slice() {
        [only] => workspace_of(only, 0).map(Some),
        _ => Ok(None),
    }
}

/// The workspaces that somebody is, or was, a member of, and the tenants that they are an admin of
/// at the time `now`, by id.
async fn places(
    connection: &mut Connection,
    person: Option<i64>,
    now: Timestamp,
) -> Result<(Vec<i64>, Vec<i64>), StoreError> {
    let workspaces = database::query_scalar("SELECT workspace FROM membership WHERE person = ?")
        .bind(person)
        .fetch_all(&mut *connection)
        .await?;
    let tenants = database::query_scalar(
        "SELECT tenant FROM tenant_admin WHERE person = ? AND (until IS NULL OR until > ?)",
    )
    .bind(person)
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    Ok((workspaces, tenants))
}

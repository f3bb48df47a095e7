//! People: added, given roles, deactivated.

use super::{
    Store,
    change::{Change, Log, target, told},
    directory::{check_name, need_tenant, need_workspace},
    password,
    tokens::public_id,
};
use crate::{
    StoreError,
    access::{Tenant, TokenGrant, Workspace},
    administration::{AdministrationError, By, NewPerson, Place},
    database::{self, Connection, Dialect},
};
use chrono::{NaiveDate, NaiveTime};
use domain::{
    event::{Actor, ActorKind, Object, ShownActor, Target},
    role::Role,
    time::Timestamp,
};
use serde_json::json;

/// Somebody as the tables have them.
pub(super) struct Person {
    pub(super) id: i64,
    pub(super) public_id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) deactivated: bool,
}

impl Person {
    pub(super) fn target(&self) -> Result<Target, StoreError> {
        target("user", self.public_id.clone(), self.name.clone())
    }
}

pub(super) async fn find_person(
    connection: &mut Connection,
    email: &str,
) -> Result<Option<Person>, StoreError> {
    let row = database::query(
        "SELECT id, public_id, name, email, deactivated_at IS NOT NULL FROM person WHERE email = ?",
    )
    .bind(email.trim().to_lowercase())
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Person {
            id: row.try_get(0)?,
            public_id: row.try_get(1)?,
            name: row.try_get(2)?,
            email: row.try_get(3)?,
            deactivated: row.try_get(4)?,
        })
    })
    .transpose()
}

pub(super) async fn need_person(
    connection: &mut Connection,
    email: &str,
) -> Result<Person, AdministrationError> {
    find_person(connection, email)
        .await?
        .ok_or_else(|| AdministrationError::Missing(format!("user {email}")))
}

/// Each log that tells of a person: those of their workspaces, or of the tenants they administer. A
/// workspace in which they were deactivated is told nothing more, unless that is all there is.
pub(super) async fn logs_of(
    connection: &mut Connection,
    person: i64,
) -> Result<Vec<Log>, StoreError> {
    let rows: Vec<(i64, i64)> = database::query_as(
        "SELECT w.id, w.tenant FROM membership m JOIN workspace w ON w.id = m.workspace \
         WHERE m.person = ?1 AND (m.deactivated_at IS NULL OR NOT EXISTS (SELECT 1 \
             FROM membership o WHERE o.person = ?1 AND o.deactivated_at IS NULL)) \
         UNION SELECT -tenant, tenant FROM tenant_admin WHERE person = ?1 ORDER BY 1",
    )
    .bind(person)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(ws, tenant)| Log { ws, tenant })
        .collect())
}

/// An e-mail address, lowercased; none where it is no such address.
pub(crate) fn email_address(email: &str) -> Option<String> {
    let email = email.trim().to_lowercase();
    let (name, host) = email.split_once('@').unwrap_or_default();
    let odd = |letter: char| letter.is_whitespace() || letter.is_control();
    let is_none = name.is_empty() || host.is_empty() || email.len() > 254 || email.contains(odd);
    (!is_none).then_some(email)
}

fn check_email(email: &str) -> Result<String, AdministrationError> {
    email_address(email).ok_or_else(|| {
        AdministrationError::Invalid(format!("\"{}\" is not an e-mail address", email.trim()))
    })
}

/// The first moment after a role's last day, UTC.
pub(super) fn end_of(until: Option<NaiveDate>) -> Option<i64> {
    let next = until?.succ_opt()?.and_time(NaiveTime::MIN).and_utc();
    Some(next.timestamp_micros())
}

impl Store {
    /// Adds somebody to a workspace, or as admin of a tenant. Who has an account already keeps its
    /// password and name.
    ///
    /// # Errors
    ///
    /// There is no such place, they have a role there already, or a value is out of bounds.
    pub async fn create_person(
        &self,
        person: &NewPerson,
        password: &str,
        by: &By,
    ) -> Result<(), AdministrationError> {
        check_name(&person.name)?;
        let email = check_email(&person.email)?;
        password::check(password)?;
        if end_of(person.until).is_some_and(|end| end <= self.now().micros()) {
            return Err(AdministrationError::Invalid(
                "the role's last day is over".into(),
            ));
        }
        let hash = password::hash(password.to_owned()).await?;
        let mut change = self.inner.change().await?;
        let result = create_person(&mut change, person, &email, &hash, by).await;
        change.finish(result).await
    }

    /// Deactivates an account: its sessions end at once, and its past actions are labelled.
    ///
    /// # Errors
    ///
    /// There is no such account, it is deactivated already, or it is a workspace's last owner.
    pub async fn deactivate_person(&self, email: &str, by: &By) -> Result<(), AdministrationError> {
        let mut change = self.inner.change().await?;
        let result = deactivate(&mut change, email, by).await;
        change.finish(result).await
    }

    /// Sets a password; all sessions of the account end.
    ///
    /// # Errors
    ///
    /// There is no such account, or the password is too short.
    pub async fn set_password(
        &self,
        email: &str,
        password: &str,
        by: &By,
    ) -> Result<(), AdministrationError> {
        password::check(password)?;
        let hash = password::hash(password.to_owned()).await?;
        let mut change = self.inner.change().await?;
        let result = set_password(&mut change, email, &hash, by).await;
        change.finish(result).await
    }

    /// The owners of a workspace, name and e-mail: whom a member without access may ask.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn owners(&self, workspace: &Workspace) -> Result<Vec<(String, String)>, StoreError> {
        Ok(database::query_as(
            "SELECT p.name, p.email FROM membership m JOIN person p ON p.id = m.person \
             WHERE m.workspace = ? AND m.role = 'owner' AND p.deactivated_at IS NULL \
                 AND m.deactivated_at IS NULL AND (m.until IS NULL OR m.until > ?) ORDER BY p.name",
        )
        .bind(workspace.id)
        .bind(self.now().micros())
        .fetch_all(&self.inner.readers)
        .await?)
    }

    /// The admins of a tenant, name and e-mail: whom a member of one of its workspaces may ask.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn tenant_admins(
        &self,
        tenant: &Tenant,
    ) -> Result<Vec<(String, String)>, StoreError> {
        Ok(database::query_as(
            "SELECT p.name, p.email FROM tenant_admin a JOIN person p ON p.id = a.person \
             WHERE a.tenant = ? AND p.deactivated_at IS NULL \
                 AND (a.until IS NULL OR a.until > ?) ORDER BY p.name",
        )
        .bind(tenant.id)
        .bind(self.now().micros())
        .fetch_all(&self.inner.readers)
        .await?)
    }

    /// Labels an actor of a host product as deactivated, or takes the label away. It is shown on
    /// all their events, past and to come.
    ///
    /// # Errors
    ///
    /// No event of the scope is by them, or the store failed.
    pub async fn set_actor_deactivated(
        &self,
        grant: &TokenGrant,
        kind: ActorKind,
        id: &str,
        deactivated: bool,
        by: &By,
    ) -> Result<ShownActor, AdministrationError> {
        let mut change = self.inner.change().await?;
        let result = set_actor(&mut change, grant, kind, id, deactivated, by).await;
        change.finish(result).await
    }

    /// Tells that an import has ended: what of it, in `told`.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn note_import(
        &self,
        workspace: &Workspace,
        by: &By,
        told_of: Object,
    ) -> Result<(), StoreError> {
        let mut change = self.inner.change().await?;
        let result = async {
            let on = target(
                "workspace",
                workspace.path().to_string(),
                workspace.name.clone(),
            )?;
            let mut event = told(by, "AUDIT_IMPORT_FINISHED", on, None, None)?;
            event.metadata.get_or_insert_default().extend(told_of);
            change.record(Log::from(workspace), event).await
        }
        .await;
        change.finish(result).await
    }
}

async fn create_person(
    change: &mut Change<'_>,
    new: &NewPerson,
    email: &str,
    hash: &str,
    by: &By,
) -> Result<(), AdministrationError> {
    let now = change.now;
    let known = find_person(change.connection(), email).await?;
    if known.as_ref().is_some_and(|person| person.deactivated) {
        return Err(AdministrationError::Invalid(format!(
            "the account {email} is deactivated"
        )));
    }
    let person = match known {
        Some(person) => person,
        None => create_account(change, email, &new.name, hash).await?,
    };
    let (log, role) = match &new.place {
        Place::Workspace(path, Role::TenantAdmin) => {
            return Err(AdministrationError::Invalid(format!(
                "tenant_admin is a role in a tenant: name {} alone",
                path.tenant
            )));
        }
        Place::Workspace(path, role) => {
            let workspace = need_workspace(change.connection(), path).await?;
            let until = end_of(new.until);
            if !join_workspace(change, &person, &workspace, *role, until).await? {
                return Err(AdministrationError::Exists(format!("{email} in {path}")));
            }
            (Log::from(&workspace), *role)
        }
        Place::Tenant(slug) => {
            let tenant = need_tenant(change.connection(), slug).await?;
            let added = database::query(
                "INSERT INTO tenant_admin (person, tenant, created_at, until) VALUES (?, ?, ?, ?) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(person.id)
            .bind(tenant.id)
            .bind(now.micros())
            .bind(end_of(new.until))
            .execute(change.connection())
            .await
            .map_err(StoreError::from)?;
            if added.rows_affected() == 0 {
                return Err(AdministrationError::Exists(format!("{email} in {slug}")));
            }
            (Log::from(&tenant), Role::TenantAdmin)
        }
    };
    let event = told(
        by,
        "MEMBER_ADDED",
        person.target()?,
        None,
        Some(json!({
            "name": person.name, "email": person.email, "role": role,
            "until": new.until.map(|day| day.to_string()),
        })),
    )?;
    change.record(log, event).await?;
    Ok(())
}

/// Makes an account that is a member of nothing yet.
pub(super) async fn create_account(
    change: &mut Change<'_>,
    email: &str,
    name: &str,
    hash: &str,
) -> Result<Person, StoreError> {
    let (public_id, name) = (public_id("usr")?, name.trim());
    let id = database::query_scalar(
        "INSERT INTO person (public_id, email, name, password, created_at) \
         VALUES (?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(public_id.clone())
    .bind(email)
    .bind(name)
    .bind(hash)
    .bind(change.now.micros())
    .fetch_one(change.connection())
    .await?;
    Ok(Person {
        id,
        public_id,
        name: name.to_owned(),
        email: email.to_owned(),
        deactivated: false,
    })
}

/// Makes somebody a member, or a member again who was removed; false where they are one already.
pub(super) async fn join_workspace(
    change: &mut Change<'_>,
    person: &Person,
    workspace: &Workspace,
    role: Role,
    until: Option<i64>,
) -> Result<bool, StoreError> {
    let added = database::query(
        "INSERT INTO membership (person, workspace, role, created_at, until) \
         VALUES (?, ?, ?, ?, ?) ON CONFLICT (person, workspace) DO UPDATE \
             SET role = excluded.role, created_at = excluded.created_at, \
             until = excluded.until, deactivated_at = NULL, removed_at = NULL \
             WHERE membership.removed_at IS NOT NULL",
    )
    .bind(person.id)
    .bind(workspace.id)
    .bind(role.as_str())
    .bind(change.now.micros())
    .bind(until)
    .execute(change.connection())
    .await?;
    if added.rows_affected() == 0 {
        return Ok(false);
    }
    // Given anew: it is not what somebody changed by hand before.
    database::query(
        "UPDATE membership SET role_from = 'given', role_group = NULL, given_role = NULL \
         WHERE person = ? AND workspace = ?",
    )
    .bind(person.id)
    .bind(workspace.id)
    .execute(change.connection())
    .await?;
    Ok(true)
}

/// Whether a workspace would be left without an owner if this one were none: one with a last day
/// does not stay.
pub(super) async fn is_last_owner(
    connection: &mut Connection,
    person: i64,
    workspace: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (own, others): (i64, i64) = database::query_as(
        "SELECT count(*) FILTER (WHERE m.person = ?1), \
             count(*) FILTER (WHERE m.person <> ?1 AND m.until IS NULL) \
         FROM membership m JOIN person p ON p.id = m.person \
         WHERE m.workspace = ?2 AND m.role = 'owner' AND p.deactivated_at IS NULL \
             AND m.deactivated_at IS NULL AND (m.until IS NULL OR m.until > ?3)",
    )
    .bind(person)
    .bind(workspace)
    .bind(now.micros())
    .fetch_one(connection)
    .await?;
    Ok(own > 0 && others == 0)
}

async fn deactivate(
    change: &mut Change<'_>,
    email: &str,
    by: &By,
) -> Result<(), AdministrationError> {
    let now = change.now;
    let person = need_person(change.connection(), email).await?;
    if person.deactivated {
        return Err(AdministrationError::Invalid(format!(
            "{email} is deactivated already"
        )));
    }
    let logs = logs_of(change.connection(), person.id).await?;
    for log in &logs {
        if log.ws > 0 && is_last_owner(change.connection(), person.id, log.ws, now).await? {
            return Err(AdministrationError::LastOwner(person.email));
        }
    }
    database::query("UPDATE person SET deactivated_at = ? WHERE id = ?")
        .bind(now.micros())
        .bind(person.id)
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
    end_sessions(change.connection(), person.id).await?;
    for log in logs {
        let event = told(
            by,
            "MEMBER_DEACTIVATED",
            person.target()?,
            Some(json!({"deactivated": false})),
            Some(json!({"deactivated": true})),
        )?;
        change.record(log, event).await?;
    }
    Ok(())
}

pub(super) async fn end_sessions(
    connection: &mut Connection,
    person: i64,
) -> Result<(), StoreError> {
    database::query("DELETE FROM session WHERE person = ?")
        .bind(person)
        .execute(connection)
        .await?;
    Ok(())
}

async fn set_password(
    change: &mut Change<'_>,
    email: &str,
    hash: &str,
    by: &By,
) -> Result<(), AdministrationError> {
    let person = need_person(change.connection(), email).await?;
    database::query("UPDATE person SET password = ? WHERE id = ?")
        .bind(hash)
        .bind(person.id)
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
    end_sessions(change.connection(), person.id).await?;
    for log in logs_of(change.connection(), person.id).await? {
        let event = told(by, "PASSWORD_CHANGED", person.target()?, None, None)?;
        change.record(log, event).await?;
    }
    Ok(())
}

/// An actor of a kind and an id, in a workspace or anywhere in a tenant.
macro_rules! newest_actor {
    ($within:literal) => {
        concat!(
            "SELECT a.name, a.email FROM actor a WHERE ",
            $within,
            "a.kind = ?1 AND a.id = ?2 AND (a.ws = ?3 OR \
                 (?3 < 0 AND a.ws IN (SELECT id FROM workspace WHERE tenant = ?4))) \
             ORDER BY a.num DESC LIMIT 1"
        )
    };
}

async fn set_actor(
    change: &mut Change<'_>,
    grant: &TokenGrant,
    kind: ActorKind,
    id: &str,
    deactivated: bool,
    by: &By,
) -> Result<ShownActor, AdministrationError> {
    let now = change.now;
    let tenant = grant.tenant();
    let own = Log {
        ws: -tenant,
        tenant,
    };
    let log = grant.reach.workspace().map_or(own, Log::from);
    // As they were when they were last new, in the workspace or anywhere in the tenant.
    let newest = match change.connection().dialect() {
        Dialect::Sqlite => newest_actor!(""),
        Dialect::Postgres => newest_actor!("a.tenant = ?4 AND "),
    };
    let row = database::query(newest)
        .bind(kind.as_str())
        .bind(id)
        .bind(log.ws)
        .bind(tenant)
        .fetch_optional(change.connection())
        .await
        .map_err(StoreError::from)?;
    let row = row.ok_or_else(|| AdministrationError::Missing(format!("actor {kind} {id}")))?;
    let actor = Actor {
        kind,
        id: Some(id.to_owned()),
        name: row.try_get(0).map_err(StoreError::from)?,
        email: row.try_get(1).map_err(StoreError::from)?,
    };
    let before: Option<Option<i64>> = database::query_scalar(
        "SELECT deactivated_at FROM actor_state WHERE ws = ? AND kind = ? AND id = ?",
    )
    .bind(log.ws)
    .bind(kind.as_str())
    .bind(id)
    .fetch_optional(change.connection())
    .await
    .map_err(StoreError::from)?;
    let was = before.flatten().is_some();
    if was != deactivated {
        database::query(
            "INSERT INTO actor_state (ws, kind, id, deactivated_at) VALUES (?, ?, ?, ?) \
             ON CONFLICT (ws, kind, id) DO UPDATE SET deactivated_at = excluded.deactivated_at",
        )
        .bind(log.ws)
        .bind(kind.as_str())
        .bind(id)
        .bind(deactivated.then_some(now.micros()))
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
        let action = if deactivated {
            "ACTOR_DEACTIVATED"
        } else {
            "ACTOR_REACTIVATED"
        };
        let on = Target {
            kind: kind
                .as_str()
                .parse()
                .map_err(|_| StoreError::Database(format!("{kind} is no kind")))?,
            id: Some(id.to_owned()),
            name: actor.name.clone(),
            url: None,
        };
        let event = told(
            by,
            action,
            on,
            Some(json!({"deactivated": was})),
            Some(json!({"deactivated": deactivated})),
        )?;
        change.record(log, event).await?;
    }
    Ok(ShownActor { actor, deactivated })
}

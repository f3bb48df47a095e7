//! A tenant's workspaces and admins, as its admins see and change them.

use super::{
    Store,
    change::{Change, Log, told},
    directory::workspace_of,
    holds::standing_hold,
    members::{check_last_day, last_day, told_day},
    people::{Person, email_address, find_person},
    settings::{plan, settings},
};
use crate::{
    StoreError,
    access::{SignedIn, Tenant, TenantAdministration},
    administration::By,
    database::{self, Connection, Row},
    members::MemberError,
    tenants::{AdminError, AdminListed, AdminState, Admins, PAGE, WorkspaceListed, Workspaces},
};
use chrono::NaiveDate;
use domain::{retention::Plan, role::Role, time::Timestamp};
use serde_json::{Value, json};

fn page_from(page: usize) -> i64 {
    i64::try_from(page.saturating_mul(PAGE)).unwrap_or(i64::MAX)
}

fn page_size() -> i64 {
    i64::try_from(PAGE).unwrap_or(i64::MAX)
}

impl Store {
    /// What the operator allows a tenant's workspaces.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn plan_of(&self, scope: &TenantAdministration) -> Result<Plan, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        plan(&mut connection, scope.tenant.id).await
    }

    /// The workspaces of a tenant by name; pages of [`PAGE`] are counted from 0.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn workspaces_of(
        &self,
        scope: &TenantAdministration,
        page: usize,
    ) -> Result<Workspaces, StoreError> {
        let now = self.now();
        let mut connection = self.inner.readers.acquire().await?;
        let total = database::query_scalar("SELECT count(*) FROM workspace WHERE tenant = ?")
            .bind(scope.tenant.id)
            .fetch_one(&mut *connection)
            .await?;
        let rows = database::query(
            "SELECT w.id, w.slug, w.name, t.id, t.slug, t.name FROM tenant t \
             CROSS JOIN workspace w ON w.tenant = t.id WHERE t.id = ? \
             ORDER BY w.name, w.id LIMIT ? OFFSET ?",
        )
        .bind(scope.tenant.id)
        .bind(page_size())
        .bind(page_from(page))
        .fetch_all(&mut *connection)
        .await?;
        let mut workspaces = Vec::new();
        for row in &rows {
            let workspace = workspace_of(row, 0)?;
            let held = settings(&mut connection, workspace.id, now).await?;
            workspaces.push(WorkspaceListed {
                retention: held.effective,
                recording_off: held.recording_set.filter(|_| !held.recording),
                pending: held.pending,
                hold: standing_hold(&mut connection, workspace.id).await?,
                workspace,
            });
        }
        Ok(Workspaces { workspaces, total })
    }

    /// The admins of a tenant by name, those whose last day is over or whose account was
    /// deactivated among them; pages of [`PAGE`] are counted from 0.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn admins_of(
        &self,
        scope: &TenantAdministration,
        page: usize,
    ) -> Result<Admins, StoreError> {
        let now = self.now();
        let mut connection = self.inner.readers.acquire().await?;
        let total = database::query_scalar("SELECT count(*) FROM tenant_admin WHERE tenant = ?")
            .bind(scope.tenant.id)
            .fetch_one(&mut *connection)
            .await?;
        let rows = database::query(
            "SELECT p.public_id, p.name, p.email, a.created_at, a.until, p.deactivated_at \
             FROM tenant_admin a JOIN person p ON p.id = a.person WHERE a.tenant = ? \
             ORDER BY p.name, p.id LIMIT ? OFFSET ?",
        )
        .bind(scope.tenant.id)
        .bind(page_size())
        .bind(page_from(page))
        .fetch_all(&mut *connection)
        .await?;
        Ok(Admins {
            admins: rows
                .iter()
                .map(|row| admin_of(row, now))
                .collect::<Result<_, _>>()?,
            total,
        })
    }

    /// Makes somebody who belongs to a workspace of the tenant an admin of it. Whose last day was
    /// over has the role again.
    ///
    /// # Errors
    ///
    /// Nobody in the tenant has that address, they are an admin already, the operator deactivated
    /// them, or the last day is over.
    pub async fn add_admin(
        &self,
        scope: &TenantAdministration,
        email: &str,
        last_day: Option<NaiveDate>,
        by: &By,
    ) -> Result<(), AdminError> {
        let email = email_address(email).ok_or_else(|| AdminError::Email(email.to_owned()))?;
        let mut change = self.inner.change().await?;
        let result = add_admin(&mut change, &scope.tenant, &email, last_day, by).await;
        change.finish(result).await
    }

    /// Gives an admin of the tenant another last day of the role, or none.
    ///
    /// # Errors
    ///
    /// There is no such admin, it is they themselves, or the last one.
    pub async fn change_admin(
        &self,
        scope: &TenantAdministration,
        person: &SignedIn,
        admin: &str,
        last_day: Option<NaiveDate>,
        by: &By,
    ) -> Result<(), AdminError> {
        if person.public_id == admin {
            return Err(AdminError::Yourself);
        }
        let mut change = self.inner.change().await?;
        let result = change_admin(&mut change, &scope.tenant, admin, last_day, by).await;
        change.finish(result).await
    }

    /// Takes the role away from an admin of the tenant, from their next request on. What they are
    /// in its workspaces stays.
    ///
    /// # Errors
    ///
    /// There is no such admin, it is they themselves, or the last one.
    pub async fn remove_admin(
        &self,
        scope: &TenantAdministration,
        person: &SignedIn,
        admin: &str,
        by: &By,
    ) -> Result<(), AdminError> {
        if person.public_id == admin {
            return Err(AdminError::Yourself);
        }
        let mut change = self.inner.change().await?;
        let result = remove_admin(&mut change, &scope.tenant, admin, by).await;
        change.finish(result).await
    }
}

fn admin_of(row: &Row, now: Timestamp) -> Result<AdminListed, StoreError> {
    let until: Option<i64> = row.try_get(4)?;
    let state = match row.try_get::<Option<i64>>(5)? {
        Some(at) => AdminState::AccountDeactivated(Timestamp::from_micros(at)),
        None if until.is_some_and(|until| until <= now.micros()) => AdminState::Over,
        None => AdminState::Active,
    };
    Ok(AdminListed {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        email: row.try_get(2)?,
        since: Timestamp::from_micros(row.try_get(3)?),
        last_day: last_day(until),
        state,
    })
}

/// The end of a last day that is to come.
fn end_of_day(day: Option<NaiveDate>, now: Timestamp) -> Result<Option<i64>, AdminError> {
    check_last_day(day, now).map_err(|error| match error {
        MemberError::Store(error) => AdminError::Store(error),
        _ => AdminError::LastDay,
    })
}

/// An admin as the tables have them.
struct Known {
    person: Person,
    until: Option<i64>,
}

async fn need_admin(
    connection: &mut Connection,
    tenant: &Tenant,
    public_id: &str,
) -> Result<Known, AdminError> {
    let row = database::query(
        "SELECT p.id, p.public_id, p.name, p.email, p.deactivated_at IS NOT NULL, a.until \
         FROM person p JOIN tenant_admin a ON a.person = p.id \
         WHERE p.public_id = ? AND a.tenant = ?",
    )
    .bind(public_id)
    .bind(tenant.id)
    .fetch_optional(connection)
    .await
    .map_err(StoreError::from)?
    .ok_or(AdminError::NoAdmin)?;
    let read = || -> Result<Known, StoreError> {
        Ok(Known {
            person: Person {
                id: row.try_get(0)?,
                public_id: row.try_get(1)?,
                name: row.try_get(2)?,
                email: row.try_get(3)?,
                deactivated: row.try_get(4)?,
            },
            until: row.try_get(5)?,
        })
    };
    Ok(read()?)
}

/// Whether a tenant would be left without an admin if this one were none: one with a last day does
/// not stay.
async fn is_last_admin(
    connection: &mut Connection,
    person: i64,
    tenant: &Tenant,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (own, others): (i64, i64) = database::query_as(
        "SELECT count(*) FILTER (WHERE a.person = ?1), \
             count(*) FILTER (WHERE a.person <> ?1 AND a.until IS NULL) \
         FROM tenant_admin a JOIN person p ON p.id = a.person \
         WHERE a.tenant = ?2 AND p.deactivated_at IS NULL AND (a.until IS NULL OR a.until > ?3)",
    )
    .bind(person)
    .bind(tenant.id)
    .bind(now.micros())
    .fetch_one(connection)
    .await?;
    Ok(own > 0 && others == 0)
}

/// What events tell of the role.
fn state(until: Option<NaiveDate>) -> Value {
    json!({"role": Role::TenantAdmin, "until": told_day(until)})
}

async fn add_admin(
    change: &mut Change<'_>,
    tenant: &Tenant,
    email: &str,
    day: Option<NaiveDate>,
    by: &By,
) -> Result<(), AdminError> {
    let now = change.now;
    let until = end_of_day(day, now)?;
    let stranger = || AdminError::NotInTenant(email.to_owned());
    let person = find_person(change.connection(), email)
        .await?
        .ok_or_else(stranger)?;
    match need_admin(change.connection(), tenant, &person.public_id).await {
        Ok(known) => {
            let is_over = known.until.is_some_and(|until| until <= now.micros());
            if !is_over {
                return Err(AdminError::Admin(person.email));
            }
            if person.deactivated {
                return Err(AdminError::AccountDeactivated(person.email));
            }
            return set_last_day(change, tenant, &known, until, day, by).await;
        }
        Err(AdminError::NoAdmin) => {}
        Err(error) => return Err(error),
    }
    // Who belongs to other tenants only is answered like nobody at all.
    let belongs: bool = database::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM membership m JOIN workspace w ON w.id = m.workspace \
         WHERE m.person = ? AND w.tenant = ? AND m.deactivated_at IS NULL)",
    )
    .bind(person.id)
    .bind(tenant.id)
    .fetch_one(change.connection())
    .await
    .map_err(StoreError::from)?;
    if !belongs {
        return Err(stranger());
    }
    if person.deactivated {
        return Err(AdminError::AccountDeactivated(person.email));
    }
    database::query(
        "INSERT INTO tenant_admin (person, tenant, created_at, until) VALUES (?, ?, ?, ?)",
    )
    .bind(person.id)
    .bind(tenant.id)
    .bind(now.micros())
    .bind(until)
    .execute(change.connection())
    .await
    .map_err(StoreError::from)?;
    let mut after = state(day);
    after["name"] = person.name.clone().into();
    after["email"] = person.email.clone().into();
    let event = told(by, "MEMBER_ADDED", person.target()?, None, Some(after))?;
    change.record(Log::from(tenant), event).await?;
    Ok(())
}

async fn change_admin(
    change: &mut Change<'_>,
    tenant: &Tenant,
    admin: &str,
    day: Option<NaiveDate>,
    by: &By,
) -> Result<(), AdminError> {
    let now = change.now;
    let known = need_admin(change.connection(), tenant, admin).await?;
    if last_day(known.until) == day {
        return Ok(());
    }
    let until = end_of_day(day, now)?;
    if until.is_some() && is_last_admin(change.connection(), known.person.id, tenant, now).await? {
        return Err(AdminError::LastAdmin(known.person.name));
    }
    set_last_day(change, tenant, &known, until, day, by).await
}

/// Sets the last day of a role, and tells it.
async fn set_last_day(
    change: &mut Change<'_>,
    tenant: &Tenant,
    known: &Known,
    until: Option<i64>,
    day: Option<NaiveDate>,
    by: &By,
) -> Result<(), AdminError> {
    database::query("UPDATE tenant_admin SET until = ? WHERE person = ? AND tenant = ?")
        .bind(until)
        .bind(known.person.id)
        .bind(tenant.id)
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
    let event = told(
        by,
        "MEMBER_ROLE_UPDATED",
        known.person.target()?,
        Some(state(last_day(known.until))),
        Some(state(day)),
    )?;
    change.record(Log::from(tenant), event).await?;
    Ok(())
}

async fn remove_admin(
    change: &mut Change<'_>,
    tenant: &Tenant,
    admin: &str,
    by: &By,
) -> Result<(), AdminError> {
    let now = change.now;
    let known = need_admin(change.connection(), tenant, admin).await?;
    if is_last_admin(change.connection(), known.person.id, tenant, now).await? {
        return Err(AdminError::LastAdmin(known.person.name));
    }
    database::query("DELETE FROM tenant_admin WHERE person = ? AND tenant = ?")
        .bind(known.person.id)
        .bind(tenant.id)
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
    let mut before = state(last_day(known.until));
    before["name"] = known.person.name.clone().into();
    before["email"] = known.person.email.clone().into();
    let event = told(
        by,
        "MEMBER_REMOVED",
        known.person.target()?,
        Some(before),
        None,
    )?;
    change.record(Log::from(tenant), event).await?;
    Ok(())
}

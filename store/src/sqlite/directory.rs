//! Tenants and workspaces.

use super::{
    Store,
    change::{Change, Log, target, told},
    dictionaries::damaged,
};
use crate::{
    StoreError,
    access::{Tenant, Workspace},
    administration::{AdministrationError, By},
    database::{self, Connection, Row},
};
use domain::{
    retention::{Plan, Retention},
    slug::{Slug, WorkspacePath},
};
use serde_json::json;

/// Names are shown, and go into addresses' titles: short, and not empty.
const NAME_MOST: usize = 200;

pub(super) fn check_name(name: &str) -> Result<(), AdministrationError> {
    let length = name.trim().chars().count();
    if (1..=NAME_MOST).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(AdministrationError::Invalid(format!(
        "a name has 1 to {NAME_MOST} characters"
    )))
}

pub(super) fn slug(text: &str) -> Result<Slug, StoreError> {
    text.parse().map_err(|_| damaged("a slug is broken"))
}

/// A tenant from the columns id, slug, name.
pub(super) fn tenant_of(row: &Row, from: usize) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        id: row.try_get(from)?,
        slug: slug(row.try_get(from + 1)?)?,
        name: row.try_get(from + 2)?,
    })
}

/// A workspace from the columns id, slug, name, and its tenant's.
pub(super) fn workspace_of(row: &Row, from: usize) -> Result<Workspace, StoreError> {
    Ok(Workspace {
        id: row.try_get(from)?,
        slug: slug(row.try_get(from + 1)?)?,
        name: row.try_get(from + 2)?,
        tenant: tenant_of(row, from + 3)?,
    })
}

pub(super) async fn find_tenant(
    connection: &mut Connection,
    slug: &Slug,
) -> Result<Option<Tenant>, StoreError> {
    let row = database::query("SELECT id, slug, name FROM tenant WHERE slug = ?")
        .bind(slug.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| tenant_of(&row, 0)).transpose()
}

pub(super) async fn find_workspace(
    connection: &mut Connection,
    path: &WorkspacePath,
) -> Result<Option<Workspace>, StoreError> {
    let row = database::query(
        "SELECT w.id, w.slug, w.name, t.id, t.slug, t.name FROM workspace w \
         JOIN tenant t ON t.id = w.tenant WHERE t.slug = ? AND w.slug = ?",
    )
    .bind(path.tenant.as_str())
    .bind(path.workspace.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(|row| workspace_of(&row, 0)).transpose()
}

pub(super) async fn need_tenant(
    connection: &mut Connection,
    slug: &Slug,
) -> Result<Tenant, AdministrationError> {
    find_tenant(connection, slug)
        .await?
        .ok_or_else(|| AdministrationError::Missing(format!("tenant {slug}")))
}

pub(super) async fn need_workspace(
    connection: &mut Connection,
    path: &WorkspacePath,
) -> Result<Workspace, AdministrationError> {
    find_workspace(connection, path)
        .await?
        .ok_or_else(|| AdministrationError::Missing(format!("workspace {path}")))
}

impl Store {
    /// Makes a tenant.
    ///
    /// # Errors
    ///
    /// There is one of that slug, or the name is none.
    pub async fn create_tenant(
        &self,
        slug: &Slug,
        name: &str,
        by: &By,
    ) -> Result<Tenant, AdministrationError> {
        check_name(name)?;
        let mut change = self.inner.change().await?;
        let result = create_tenant(&mut change, slug, name, by).await;
        change.finish(result).await
    }

    /// Makes a workspace. It keeps events for 90 days, within the tenant's plan, and records.
    ///
    /// # Errors
    ///
    /// There is no such tenant, or there is such a workspace, or the name is none.
    pub async fn create_workspace(
        &self,
        path: &WorkspacePath,
        name: &str,
        by: &By,
    ) -> Result<Workspace, AdministrationError> {
        check_name(name)?;
        let mut change = self.inner.change().await?;
        let result = create_workspace(&mut change, path, name, by).await;
        change.finish(result).await
    }

    /// A tenant by its slug: for the operator.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn tenant(&self, slug: &Slug) -> Result<Option<Tenant>, StoreError> {
        find_tenant(&mut *self.inner.readers.acquire().await?, slug).await
    }

    /// All tenants: for the operator.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let rows = database::query("SELECT id, slug, name FROM tenant ORDER BY slug")
            .fetch_all(&self.inner.readers)
            .await?;
        rows.iter().map(|row| tenant_of(row, 0)).collect()
    }

    /// A workspace by its path: for the operator.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn workspace(&self, path: &WorkspacePath) -> Result<Option<Workspace>, StoreError> {
        find_workspace(&mut *self.inner.readers.acquire().await?, path).await
    }

    /// What a tenant's workspaces may keep; none where there is no such tenant.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn plan(&self, tenant: &Slug) -> Result<Option<Plan>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        match find_tenant(&mut connection, tenant).await? {
            Some(tenant) => super::settings::plan(&mut connection, tenant.id)
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// Sets what a tenant's workspaces may keep.
    ///
    /// # Errors
    ///
    /// There is no such tenant.
    pub async fn set_plan(
        &self,
        tenant: &Slug,
        plan: Plan,
        by: &By,
    ) -> Result<(), AdministrationError> {
        let mut change = self.inner.change().await?;
        let result = set_plan(&mut change, tenant, plan, by).await;
        change.finish(result).await
    }
}

async fn create_tenant(
    change: &mut Change<'_>,
    slug: &Slug,
    name: &str,
    by: &By,
) -> Result<Tenant, AdministrationError> {
    if find_tenant(change.connection(), slug).await?.is_some() {
        return Err(AdministrationError::Exists(format!("tenant {slug}")));
    }
    let now = change.now;
    let id: i64 = database::query_scalar(
        "INSERT INTO tenant (slug, name, created_at) VALUES (?, ?, ?) RETURNING id",
    )
    .bind(slug.as_str())
    .bind(name.trim())
    .bind(now.micros())
    .fetch_one(change.connection())
    .await
    .map_err(StoreError::from)?;
    let tenant = Tenant {
        id,
        slug: slug.clone(),
        name: name.trim().to_owned(),
    };
    let event = told(
        by,
        "TENANT_CREATED",
        target("tenant", slug.as_str(), &tenant.name)?,
        None,
        Some(json!({"slug": slug, "name": tenant.name})),
    )?;
    change.record(Log::from(&tenant), event).await?;
    Ok(tenant)
}

async fn create_workspace(
    change: &mut Change<'_>,
    path: &WorkspacePath,
    name: &str,
    by: &By,
) -> Result<Workspace, AdministrationError> {
    let tenant = need_tenant(change.connection(), &path.tenant).await?;
    if find_workspace(change.connection(), path).await?.is_some() {
        return Err(AdministrationError::Exists(format!("workspace {path}")));
    }
    let now = change.now;
    let id: i64 = database::query_scalar(
        "INSERT INTO workspace (tenant, slug, name, created_at, retention) \
         VALUES (?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(tenant.id)
    .bind(path.workspace.as_str())
    .bind(name.trim())
    .bind(now.micros())
    .bind(Retention::DEFAULT.to_string())
    .fetch_one(change.connection())
    .await
    .map_err(StoreError::from)?;
    let slug = path.workspace.clone();
    let workspace = Workspace {
        id,
        tenant,
        slug,
        name: name.trim().to_owned(),
    };
    let event = told(
        by,
        "WORKSPACE_CREATED",
        target("workspace", path.to_string(), &workspace.name)?,
        None,
        Some(json!({
            "slug": path.workspace,
            "name": workspace.name,
            "retention": Retention::DEFAULT,
            "recording": true,
        })),
    )?;
    change.record(Log::from(&workspace), event).await?;
    Ok(workspace)
}

async fn set_plan(
    change: &mut Change<'_>,
    slug: &Slug,
    plan: Plan,
    by: &By,
) -> Result<(), AdministrationError> {
    let tenant = need_tenant(change.connection(), slug).await?;
    let before = super::settings::plan(change.connection(), tenant.id).await?;
    if before == plan {
        return Ok(());
    }
    database::query("UPDATE tenant SET floor = ?, cap = ? WHERE id = ?")
        .bind(plan.floor.map(|floor| floor.to_string()))
        .bind(plan.cap.map(|cap| cap.to_string()))
        .bind(tenant.id)
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
    let state = |plan: Plan| json!({"min_retention": plan.floor, "max_retention": plan.cap});
    let event = told(
        by,
        "PLAN_UPDATED",
        target("tenant", slug.as_str(), &tenant.name)?,
        Some(state(before)),
        Some(state(plan)),
    )?;
    change.record(Log::from(&tenant), event).await?;
    Ok(())
}

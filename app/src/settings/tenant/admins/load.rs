//! What the server finds out for the page of a tenant's admins.

use super::view::{AdminView, AdminsView};
use crate::{
    address,
    frame::TenantFrame,
    log::Local,
    refusal::Refusal,
    settings::tenant::load::{administered, around, at_page, page_of},
    viewer::Asker,
};
use domain::{
    question::{Query, Unknown},
    slug::Slug,
};
use store::tenants::{AdminListed, AdminState};

/// The tenant whose admins lie at a path.
pub(super) fn tenant_at(path: &str) -> Option<Slug> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments[..] {
        [tenant, "settings", "admins"] => tenant.parse().ok(),
        _ => None,
    }
}

/// The admins at `path`, the page of them that the query string asks for.
pub(super) async fn admins(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<AdminsView, Refusal> {
    let (asker, scope) = administered(asker, tenant_at(path)).await?;
    let page = page_of(search);
    let found = asker.store.admins_of(&scope, page).await?;
    let zone = Query::read(search, Unknown::Ignored).query.filter.zone();
    let local = Local::new(&zone, asker.store.now());
    let zone = zone.to_string();
    let address = address::tenant_admins(&scope.tenant().slug);
    let (newer, older) = around(&address, page, found.admins.len(), found.total, &zone);
    Ok(AdminsView {
        frame: TenantFrame::of(&asker.person, scope.tenant()),
        here: at_page(&address, page, &zone),
        total: found.total,
        admins: found
            .admins
            .into_iter()
            .map(|admin| shown(admin, &asker, &local))
            .collect(),
        newer,
        older,
        zone,
    })
}

fn shown(admin: AdminListed, asker: &Asker, local: &Local) -> AdminView {
    AdminView {
        is_oneself: admin.id == asker.person.public_id,
        id: admin.id,
        name: admin.name,
        email: admin.email,
        since: local.second(admin.since),
        last_day: admin.last_day.map(|day| day.to_string()),
        state: match admin.state {
            AdminState::Active => None,
            AdminState::Over => Some("over".to_owned()),
            AdminState::AccountDeactivated(at) => Some(format!(
                "account deactivated by the operator {}",
                local.second(at)
            )),
        },
    }
}

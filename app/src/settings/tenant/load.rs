//! What the server finds out for a tenant's settings.

use super::view::{TenantView, WorkspaceView};
use crate::{address, frame::TenantFrame, log::Local, refusal::Refusal, viewer::Asker};
use domain::{
    question::{Query, Unknown},
    retention::Plan,
    slug::Slug,
};
use store::{
    access::TenantAdministration,
    tenants::{PAGE, WorkspaceListed},
};

/// The tenant whose settings lie at a path.
fn tenant_at(path: &str) -> Option<Slug> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments[..] {
        [tenant, "settings"] => tenant.parse().ok(),
        _ => None,
    }
}

/// Who asks, and the tenant that they administer.
pub(super) async fn administered(
    asker: Result<Asker, Refusal>,
    tenant: Option<Slug>,
) -> Result<(Asker, TenantAdministration), Refusal> {
    let asker = asker?;
    let tenant = tenant.ok_or(Refusal::NotFound)?;
    match asker.person.tenant_administration(&tenant) {
        Ok(scope) => Ok((asker, scope)),
        Err(refused) => Err(asker.refusal(refused).await),
    }
}

/// The page of a list that the query string asks for, from 0.
pub(super) fn page_of(search: &str) -> usize {
    form_urlencoded::parse(search.as_bytes())
        .find(|(name, _)| name == "page")
        // People count from 1.
        .and_then(|(_, page)| page.parse::<usize>().ok())
        .map_or(0, |page| page.saturating_sub(1))
}

/// The address of a page of a list, its times in `zone`.
pub(super) fn at_page(path: &str, page: usize, zone: &str) -> String {
    let path = if page == 0 {
        path.to_owned()
    } else {
        format!("{path}?page={}", page + 1)
    };
    address::in_zone(&path, zone)
}

/// The pages before and after one of a list of so many.
pub(super) fn around(
    path: &str,
    page: usize,
    shown: usize,
    total: u64,
    zone: &str,
) -> (Option<String>, Option<String>) {
    let passed = page.saturating_mul(PAGE).saturating_add(shown) as u64;
    (
        (page > 0).then(|| at_page(path, page - 1, zone)),
        (shown > 0 && passed < total).then(|| at_page(path, page + 1, zone)),
    )
}

/// The tenant's settings at `path`.
pub(super) async fn tenant(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<TenantView, Refusal> {
    let (asker, scope) = administered(asker, tenant_at(path)).await?;
    let plan = asker.store.plan_of(&scope).await?;
    let page = page_of(search);
    let found = asker.store.workspaces_of(&scope, page).await?;
    let zone = Query::read(search, Unknown::Ignored).query.filter.zone();
    let local = Local::new(&zone, asker.store.now());
    let zone = zone.to_string();
    let address = address::tenant_settings(&scope.tenant().slug);
    let (newer, older) = around(&address, page, found.workspaces.len(), found.total, &zone);
    Ok(TenantView {
        frame: TenantFrame::of(&asker.person, scope.tenant()),
        plan: words(plan),
        total: found.total,
        workspaces: found
            .workspaces
            .into_iter()
            .map(|workspace| shown(workspace, &local))
            .collect(),
        newer,
        older,
        zone,
    })
}

/// A plan in words.
fn words(plan: Plan) -> Vec<String> {
    let Plan { floor, cap } = plan;
    let least = match floor {
        None => "There is no minimum: owners may keep entries as briefly as one day.".to_owned(),
        Some(floor) => format!(
            "Every workspace keeps entries for at least {}, also where its owners set less.",
            floor.words()
        ),
    };
    let most = match cap {
        None => "There is no maximum: owners may keep entries for the lifetime of a workspace."
            .to_owned(),
        Some(cap) => format!(
            "No workspace keeps entries for more than {}, also where its owners set more.",
            cap.words()
        ),
    };
    vec![
        least,
        most,
        "The tenant’s own entries, such as these settings’ changes, stay as long as the longest of \
         its workspaces keeps entries."
            .to_owned(),
    ]
}

fn shown(listed: WorkspaceListed, local: &Local) -> WorkspaceView {
    let WorkspaceListed {
        workspace,
        retention,
        pending,
        recording_off,
        hold,
    } = listed;
    WorkspaceView {
        settings: address::settings(&workspace.path()),
        slug: workspace.slug.to_string(),
        name: workspace.name,
        keeps: retention.words(),
        pending: pending.map(|it| (it.retention.words(), local.when(it.from))),
        recording_off: recording_off.map(|it| (it.by, local.when(it.at))),
        hold: hold.map(|it| (it.placed.by, local.when(it.placed.at))),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_list_are_counted_from_1_in_addresses() {
        assert_eq!(page_of(""), 0);
        assert_eq!(page_of("tz=UTC&page=3"), 2);
        for odd in ["page=0", "page=x", "page=-1"] {
            assert_eq!(page_of(odd), 0, "{odd}");
        }
        assert_eq!(at_page("/a/settings", 0, "UTC"), "/a/settings");
        let second = "/a/settings?page=2&tz=Europe%2FOslo";
        assert_eq!(at_page("/a/settings", 1, "Europe/Oslo"), second);
        let (newer, older) = around("/a", 1, PAGE, 101, "UTC");
        assert_eq!(
            (newer.unwrap(), older.unwrap()),
            ("/a".into(), "/a?page=3".into())
        );
        assert_eq!(around("/a", 0, 50, 50, "UTC"), (None, None));
        // Far beyond the end.
        assert_eq!(around("/a", usize::MAX, 0, 50, "UTC").1, None);
    }

    #[test]
    fn a_plan_says_in_words_what_owners_can_and_cannot_do() {
        let [floor, cap] = ["30d", "1y"].map(|text| text.parse().unwrap());
        let said = words(Plan::new(Some(floor), Some(cap)).unwrap()).join(" ");
        assert!(said.contains("at least 30 days") && said.contains("more than 1 year"));
        let said = words(Plan::default()).join(" ");
        assert!(said.contains("no minimum") && said.contains("no maximum"));
    }
}

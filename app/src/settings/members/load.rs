//! What the server finds out for the members page.

use super::view::{Activity, InviteView, MemberView, MembersView};
use crate::{address, answer::revealed, frame::Frame, log::Local, refusal::Refusal, viewer::Asker};
use domain::{
    question::{Query, Unknown},
    role::Role,
    slug::WorkspacePath,
};
use store::{
    access::ManagementScope,
    members::{InviteListed, MemberListed, MemberState, PAGE},
};

/// The workspace whose members lie at a path.
pub(super) fn workspace(path: &str) -> Option<WorkspacePath> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments[..] {
        [tenant, workspace, "settings", "members"] => address::workspace_path(tenant, workspace),
        _ => None,
    }
}

/// Who asks, and whose members they manage.
pub(super) async fn opened(
    asker: Result<Asker, Refusal>,
    path: &str,
) -> Result<(Asker, ManagementScope), Refusal> {
    let asker = asker?;
    let workspace = workspace(path).ok_or(Refusal::NotFound)?;
    match asker.person.management_scope(&workspace) {
        Ok(scope) => Ok((asker, scope)),
        Err(refused) => Err(asker.management_refusal(refused).await),
    }
}

/// Which part of the list is asked for.
struct Asked {
    search: String,
    /// From 0.
    page: usize,
}

impl Asked {
    fn read(search: &str) -> Self {
        let mut asked = Self {
            search: String::new(),
            page: 0,
        };
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            match &*name {
                "q" => value.trim().clone_into(&mut asked.search),
                // People count from 1.
                "page" => asked.page = value.parse().unwrap_or(1_usize).saturating_sub(1),
                _ => {}
            }
        }
        asked
    }

    fn query(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.search.is_empty() {
            query.append_pair("q", &self.search);
        }
        if page > 0 {
            query.append_pair("page", &(page + 1).to_string());
        }
        query.finish()
    }
}

/// The part of the list that a page's query string asks for, as a query string.
pub(super) fn part_of_list(search: &str) -> String {
    let asked = Asked::read(search);
    asked.query(asked.page)
}

/// The members at `path`, those that the query string asks for.
pub(super) async fn members(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<MembersView, Refusal> {
    let (asker, scope) = opened(asker, path).await?;
    let asked = Asked::read(search);
    let found = asker
        .store
        .members(&scope, &asked.search, asked.page)
        .await?;
    let invites = asker.store.invites(&scope).await?;
    let workspace = scope.workspace().path();
    let frame = match Frame::of(&asker.person, &workspace) {
        Ok(frame) => frame,
        Err(refused) => return Err(asker.management_refusal(refused).await),
    };
    asker.remember_zone(scope.workspace(), search).await;
    let zone = Query::read(search, Unknown::Ignored).query.filter.zone();
    let local = Local::new(&zone, asker.store.now());
    let page = address::members(&workspace);
    let there =
        |at: usize| address::in_zone(&address::with_query(&page, &asked.query(at)), zone.as_str());
    let shown = asked.page * PAGE + found.members.len();
    Ok(MembersView {
        frame,
        zone: zone.to_string(),
        roles: roles(scope.role()),
        here: there(asked.page),
        newer: (asked.page > 0).then(|| there(asked.page - 1)),
        older: ((shown as u64) < found.total).then(|| there(asked.page + 1)),
        total: found.total,
        members: found
            .members
            .into_iter()
            .map(|member| shown_member(member, &scope, &asker, &local))
            .collect(),
        invites: invites
            .into_iter()
            .map(|invite| shown_invite(invite, &local))
            .collect(),
        search: asked.search,
        // What another form gave meanwhile, in another tab, is no link: it is not shown as one.
        link: revealed().filter(|text| text.contains("/invite?key=")),
    })
}

/// The roles that somebody may give.
fn roles(manager: Role) -> Vec<Role> {
    let given = [Role::Member, Role::Auditor, Role::Admin, Role::Owner];
    given
        .into_iter()
        .filter(|role| *role != Role::Owner || manager.manages_owners())
        .collect()
}

fn shown_member(
    member: MemberListed,
    scope: &ManagementScope,
    asker: &Asker,
    local: &Local,
) -> MemberView {
    let state = match member.state {
        MemberState::Active => None,
        MemberState::Over => Some("over".to_owned()),
        MemberState::Deactivated(at) => Some(format!("deactivated {}", local.second(at))),
        MemberState::AccountDeactivated(at) => Some(format!(
            "account deactivated by the operator {}",
            local.second(at)
        )),
    };
    MemberView {
        may_change: member.role != Role::Owner || scope.role().manages_owners(),
        activity: match member.state {
            MemberState::Active | MemberState::Over => Activity::Active,
            MemberState::Deactivated(_) => Activity::Deactivated,
            MemberState::AccountDeactivated(_) => Activity::AccountDeactivated,
        },
        is_oneself: member.id == asker.person.public_id,
        id: member.id,
        name: member.name,
        email: member.email,
        role: member.role,
        since: local.second(member.since),
        last_day: member.last_day.map(|day| day.to_string()),
        state,
    }
}

fn shown_invite(invite: InviteListed, local: &Local) -> InviteView {
    InviteView {
        id: invite.id,
        email: invite.email,
        role: invite.role,
        last_day: invite.last_day.map(|day| day.to_string()),
        by: invite.by,
        at: local.second(invite.at),
        expires: local.second(invite.expires),
    }
}

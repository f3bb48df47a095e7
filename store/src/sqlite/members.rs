//! The members of a workspace, as those who manage them see and change them.

use super::{
    Store,
    change::{Change, Log, told},
    dictionaries::damaged,
    invites::{open_of, revoke},
    people::{Person, end_of, end_sessions, is_last_owner},
};
use crate::{
    StoreError,
    access::{ManagementScope, SignedIn, Workspace},
    administration::By,
    database::{self, Connection, Row},
    members::{MemberError, MemberListed, MemberState, Members, PAGE},
};
use chrono::NaiveDate;
use domain::{role::Role, slug::WorkspacePath, time::Timestamp};
use serde_json::json;

/// The day whose end, in UTC, is the first moment after a role.
pub(super) fn last_day(until: Option<i64>) -> Option<NaiveDate> {
    Timestamp::from_micros(until?)
        .datetime()
        .date_naive()
        .pred_opt()
}

pub(super) fn role_of(text: &str) -> Result<Role, StoreError> {
    text.parse().map_err(|_| damaged("a role is broken"))
}

/// A day as events tell it.
pub(super) fn told_day(day: Option<NaiveDate>) -> Option<String> {
    day.map(|day| day.to_string())
}

/// A member as the tables have them.
pub(super) struct Known {
    person: Person,
    role: Role,
    until: Option<i64>,
    pub(super) deactivated: bool,
}

pub(super) async fn need_member(
    connection: &mut Connection,
    workspace: &Workspace,
    public_id: &str,
) -> Result<Known, MemberError> {
    let row = database::query(
        "SELECT p.id, p.public_id, p.name, p.email, p.deactivated_at IS NOT NULL, m.role, m.until, \
             m.deactivated_at IS NOT NULL \
         FROM membership m JOIN person p ON p.id = m.person \
         WHERE m.workspace = ? AND p.public_id = ? AND m.removed_at IS NULL",
    )
    .bind(workspace.id)
    .bind(public_id)
    .fetch_optional(connection)
    .await
    .map_err(StoreError::from)?
    .ok_or(MemberError::NoMember)?;
    let read = || -> Result<Known, StoreError> {
        Ok(Known {
            person: Person {
                id: row.try_get(0)?,
                public_id: row.try_get(1)?,
                name: row.try_get(2)?,
                email: row.try_get(3)?,
                deactivated: row.try_get(4)?,
            },
            role: role_of(row.try_get(5)?)?,
            until: row.try_get(6)?,
            deactivated: row.try_get(7)?,
        })
    };
    Ok(read()?)
}

/// Checks that who manages may give or take this role.
pub(super) fn may_handle(scope: &ManagementScope, role: Role) -> Result<(), MemberError> {
    match role {
        Role::Owner | Role::TenantAdmin if !scope.role().manages_owners() => {
            Err(MemberError::OwnersOnly)
        }
        // Made by the operator, for a whole tenant.
        Role::TenantAdmin => Err(MemberError::NoMember),
        _ => Ok(()),
    }
}

pub(super) fn check_last_day(
    day: Option<NaiveDate>,
    now: Timestamp,
) -> Result<Option<i64>, MemberError> {
    let end = end_of(day);
    if day.is_some() && end.is_none_or(|end| end <= now.micros()) {
        return Err(MemberError::LastDay);
    }
    Ok(end)
}

impl Store {
    /// The members of any workspace: for the operator, who manages as an owner does.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn operator_members(
        &self,
        path: &WorkspacePath,
    ) -> Result<Option<ManagementScope>, StoreError> {
        let workspace = self.workspace(path).await?;
        Ok(workspace.map(ManagementScope::operator))
    }

    /// The members of a workspace by name, those with a text in their name or e-mail address; pages
    /// of [`PAGE`] are counted from 0.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn members(
        &self,
        scope: &ManagementScope,
        search: &str,
        page: usize,
    ) -> Result<Members, StoreError> {
        let rows = database::query(
            "SELECT p.public_id, p.name, p.email, m.role, m.created_at, m.until, m.deactivated_at, \
                 p.deactivated_at \
             FROM membership m JOIN person p ON p.id = m.person \
             WHERE m.workspace = ? AND m.removed_at IS NULL",
        )
        .bind(scope.workspace().id)
        .fetch_all(&self.inner.readers)
        .await?;
        // Compared here: SQLite knows upper and lower case of ASCII only, and people have names. A
        // workspace has as many members as it has people.
        let wanted = search.trim().to_lowercase();
        let mut members = Vec::new();
        for row in &rows {
            let (name, email): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
            let name = name.to_lowercase();
            if name.contains(&wanted) || email.contains(&wanted) {
                members.push((name, member_of(row, self.now())?));
            }
        }
        members.sort_by(|(one, of_one), (other, of_other)| {
            (one, &of_one.email).cmp(&(other, &of_other.email))
        });
        let total = members.len() as u64;
        let members = members
            .into_iter()
            .map(|(_, member)| member)
            .skip(page.saturating_mul(PAGE))
            .take(PAGE)
            .collect();
        Ok(Members { members, total })
    }

    /// Gives a member of the workspace another role, or another last day of it.
    ///
    /// # Errors
    ///
    /// There is no such member, who asks may not do that, or they are the last owner.
    pub async fn change_member(
        &self,
        scope: &ManagementScope,
        member: &str,
        role: Role,
        last_day: Option<NaiveDate>,
        by: &By,
    ) -> Result<(), MemberError> {
        let mut change = self.inner.change().await?;
        let result = change_member(&mut change, scope, member, role, last_day, by).await;
        change.finish(result).await
    }

    /// Deactivates a membership of the workspace, never the account elsewhere: the person's sessions
    /// end at once, and their past actions here are labelled.
    ///
    /// # Errors
    ///
    /// There is no such member, who asks may not do that, it is they themselves, or the last owner.
    pub async fn deactivate_member(
        &self,
        scope: &ManagementScope,
        person: &SignedIn,
        member: &str,
        by: &By,
    ) -> Result<(), MemberError> {
        if person.public_id == member {
            return Err(MemberError::Yourself);
        }
        let mut change = self.inner.change().await?;
        let result = deactivate_member(&mut change, scope, member, by).await;
        change.finish(result).await
    }

    /// Removes a member from the workspace, never the account elsewhere: the person's sessions end at
    /// once, they are no longer listed, and their past actions here stay labelled. A new invitation
    /// brings them back.
    ///
    /// # Errors
    ///
    /// There is no such member, who asks may not do that, it is they themselves, or the last owner.
    pub async fn remove_member(
        &self,
        scope: &ManagementScope,
        person: &SignedIn,
        member: &str,
        by: &By,
    ) -> Result<(), MemberError> {
        if person.public_id == member {
            return Err(MemberError::Yourself);
        }
        let mut change = self.inner.change().await?;
        let result = remove_member(&mut change, scope, member, by).await;
        change.finish(result).await
    }

    /// Takes a deactivation back.
    ///
    /// # Errors
    ///
    /// There is no such member, who asks may not do that, or the operator deactivated the account.
    pub async fn reactivate_member(
        &self,
        scope: &ManagementScope,
        member: &str,
        by: &By,
    ) -> Result<(), MemberError> {
        let mut change = self.inner.change().await?;
        let result = reactivate_member(&mut change, scope, member, by).await;
        change.finish(result).await
    }
}

fn member_of(row: &Row, now: Timestamp) -> Result<MemberListed, StoreError> {
    let until: Option<i64> = row.try_get(5)?;
    let deactivated: (Option<i64>, Option<i64>) = (row.try_get(6)?, row.try_get(7)?);
    let state = match deactivated {
        (_, Some(at)) => MemberState::AccountDeactivated(Timestamp::from_micros(at)),
        (Some(at), None) => MemberState::Deactivated(Timestamp::from_micros(at)),
        (None, None) if until.is_some_and(|until| until <= now.micros()) => MemberState::Over,
        (None, None) => MemberState::Active,
    };
    Ok(MemberListed {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        email: row.try_get(2)?,
        role: role_of(row.try_get(3)?)?,
        since: Timestamp::from_micros(row.try_get(4)?),
        last_day: last_day(until),
        state,
    })
}

async fn change_member(
    change: &mut Change<'_>,
    scope: &ManagementScope,
    member: &str,
    role: Role,
    day: Option<NaiveDate>,
    by: &By,
) -> Result<(), MemberError> {
    let now = change.now;
    let workspace = scope.workspace();
    let known = need_member(change.connection(), workspace, member).await?;
    may_handle(scope, known.role)?;
    may_handle(scope, role)?;
    let before = last_day(known.until);
    if (known.role, before) == (role, day) {
        return Ok(());
    }
    // A day that is over stays as it is told; another one must be to come.
    let until = if before == day {
        known.until
    } else {
        check_last_day(day, now)?
    };
    if (role != Role::Owner || until.is_some())
        && is_last_owner(change.connection(), known.person.id, workspace.id, now).await?
    {
        return Err(MemberError::LastOwner(known.person.name));
    }
    database::query("UPDATE membership SET role = ?, until = ? WHERE person = ? AND workspace = ?")
        .bind(role.as_str())
        .bind(until)
        .bind(known.person.id)
        .bind(workspace.id)
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
    let event = told(
        by,
        "MEMBER_ROLE_UPDATED",
        known.person.target()?,
        Some(json!({"role": known.role, "until": told_day(before)})),
        Some(json!({"role": role, "until": told_day(day)})),
    )?;
    change.record(Log::from(workspace), event).await?;
    Ok(())
}

async fn deactivate_member(
    change: &mut Change<'_>,
    scope: &ManagementScope,
    member: &str,
    by: &By,
) -> Result<(), MemberError> {
    let known = need_dispensable(change, scope, member).await?;
    if known.deactivated {
        return Ok(());
    }
    let now = change.now;
    set_deactivated(change, scope.workspace(), &known.person, Some(now), by).await?;
    Ok(shut_out(change, scope.workspace(), &known.person, by).await?)
}

async fn remove_member(
    change: &mut Change<'_>,
    scope: &ManagementScope,
    member: &str,
    by: &By,
) -> Result<(), MemberError> {
    let workspace = scope.workspace();
    let known = need_dispensable(change, scope, member).await?;
    // The row stays: by it, their past actions are labelled.
    database::query(
        "UPDATE membership SET removed_at = ?1, deactivated_at = coalesce(deactivated_at, ?1) \
         WHERE person = ?2 AND workspace = ?3",
    )
    .bind(change.now.micros())
    .bind(known.person.id)
    .bind(workspace.id)
    .execute(change.connection())
    .await
    .map_err(StoreError::from)?;
    let event = told(
        by,
        "MEMBER_REMOVED",
        known.person.target()?,
        Some(json!({
            "name": known.person.name, "email": known.person.email, "role": known.role,
            "until": told_day(last_day(known.until)),
        })),
        None,
    )?;
    change.record(Log::from(workspace), event).await?;
    Ok(shut_out(change, scope.workspace(), &known.person, by).await?)
}

/// A member without whom the workspace still has an owner, and whom who asks may send away.
async fn need_dispensable(
    change: &mut Change<'_>,
    scope: &ManagementScope,
    member: &str,
) -> Result<Known, MemberError> {
    let now = change.now;
    let workspace = scope.workspace();
    let known = need_member(change.connection(), workspace, member).await?;
    may_handle(scope, known.role)?;
    if is_last_owner(change.connection(), known.person.id, workspace.id, now).await? {
        return Err(MemberError::LastOwner(known.person.name));
    }
    Ok(known)
}

/// Ends what else lets somebody in who is no member any more: sessions, and invitations of before,
/// whoever made them.
async fn shut_out(
    change: &mut Change<'_>,
    workspace: &Workspace,
    person: &Person,
    by: &By,
) -> Result<(), StoreError> {
    end_sessions(change.connection(), person.id).await?;
    for open in open_of(change, workspace, &person.email).await? {
        revoke(change, workspace, open, by).await?;
    }
    Ok(())
}

async fn reactivate_member(
    change: &mut Change<'_>,
    scope: &ManagementScope,
    member: &str,
    by: &By,
) -> Result<(), MemberError> {
    let workspace = scope.workspace();
    let known = need_member(change.connection(), workspace, member).await?;
    may_handle(scope, known.role)?;
    if known.person.deactivated {
        return Err(MemberError::AccountDeactivated(known.person.email));
    }
    if known.deactivated {
        set_deactivated(change, workspace, &known.person, None, by).await?;
    }
    Ok(())
}

/// Deactivates a membership, from then on, or takes that back; and tells it.
async fn set_deactivated(
    change: &mut Change<'_>,
    workspace: &Workspace,
    person: &Person,
    at: Option<Timestamp>,
    by: &By,
) -> Result<(), StoreError> {
    database::query("UPDATE membership SET deactivated_at = ? WHERE person = ? AND workspace = ?")
        .bind(at.map(Timestamp::micros))
        .bind(person.id)
        .bind(workspace.id)
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
    change.record(Log::from(workspace), event).await
}

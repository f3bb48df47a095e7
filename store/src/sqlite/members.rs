//! The members of a workspace, as those who manage them see and change them, and invitations.

use super::{
    Store,
    change::{Change, Log, target, told},
    dictionaries::damaged,
    directory::{check_name, workspace_of},
    password,
    people::{Person, email_address, end_of, end_sessions, find_person, is_last_owner},
    tokens::{fingerprint, public_id, secret},
};
use crate::{
    StoreError,
    access::{ManagementScope, NewSession, Secret, SignedIn, Workspace},
    administration::By,
    members::{
        Invitation, InviteListed, Joined, MemberError, MemberListed, MemberState, Members,
        NewInvite, PAGE,
    },
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    event::{Actor, ActorKind, Object, Target},
    role::Role,
    time::Timestamp,
};
use serde_json::json;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

/// How long an invitation's link is good.
const INVITE: TimeDelta = TimeDelta::days(7);

/// The day whose end, in UTC, is the first moment after a role.
fn last_day(until: Option<i64>) -> Option<NaiveDate> {
    Timestamp::from_micros(until?)
        .datetime()
        .date_naive()
        .pred_opt()
}

pub(super) fn role_of(text: &str) -> Result<Role, StoreError> {
    text.parse().map_err(|_| damaged("a role is broken"))
}

/// A day as events tell it.
fn told_day(day: Option<NaiveDate>) -> Option<String> {
    day.map(|day| day.to_string())
}

/// A member as the tables have them.
struct Known {
    person: Person,
    role: Role,
    until: Option<i64>,
    deactivated: bool,
}

async fn need_member(
    connection: &mut SqliteConnection,
    workspace: &Workspace,
    public_id: &str,
) -> Result<Known, MemberError> {
    let row = sqlx::query(
        "SELECT p.id, p.public_id, p.name, p.email, p.deactivated_at IS NOT NULL, m.role, m.until, \
             m.deactivated_at IS NOT NULL \
         FROM membership m JOIN person p ON p.id = m.person \
         WHERE m.workspace = ? AND p.public_id = ?",
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
fn may_handle(scope: &ManagementScope, role: Role) -> Result<(), MemberError> {
    match role {
        Role::Owner | Role::TenantAdmin if !scope.role().manages_owners() => {
            Err(MemberError::OwnersOnly)
        }
        // Made by the operator, for a whole tenant.
        Role::TenantAdmin => Err(MemberError::NoMember),
        _ => Ok(()),
    }
}

fn check_last_day(day: Option<NaiveDate>, now: Timestamp) -> Result<Option<i64>, MemberError> {
    let end = end_of(day);
    if day.is_some() && end.is_none_or(|end| end <= now.micros()) {
        return Err(MemberError::LastDay);
    }
    Ok(end)
}

impl Store {
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
        let rows = sqlx::query(
            "SELECT p.public_id, p.name, p.email, m.role, m.created_at, m.until, m.deactivated_at, \
                 p.deactivated_at \
             FROM membership m JOIN person p ON p.id = m.person WHERE m.workspace = ?",
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

    /// The invitations to a workspace that wait for an answer, the newest first.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn invites(&self, scope: &ManagementScope) -> Result<Vec<InviteListed>, StoreError> {
        let rows = sqlx::query(
            "SELECT public_id, email, role, until, created_by, created_at, expires FROM invite \
             WHERE workspace = ? AND accepted_at IS NULL AND revoked_at IS NULL AND expires > ? \
             ORDER BY created_at DESC, id DESC",
        )
        .bind(scope.workspace().id)
        .bind(self.now().micros())
        .fetch_all(&self.inner.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(InviteListed {
                    id: row.try_get(0)?,
                    email: row.try_get(1)?,
                    role: role_of(row.try_get(2)?)?,
                    last_day: last_day(row.try_get(3)?),
                    by: row.try_get(4)?,
                    at: Timestamp::from_micros(row.try_get(5)?),
                    expires: Timestamp::from_micros(row.try_get(6)?),
                })
            })
            .collect()
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

    /// Invites somebody; the secret of the link is given once, and only its hash is kept. An
    /// earlier invitation of theirs is revoked.
    ///
    /// # Errors
    ///
    /// Who asks may not do that, the address is none, or they are a member already.
    pub async fn invite(
        &self,
        scope: &ManagementScope,
        invite: &NewInvite,
        by: &By,
    ) -> Result<Secret, MemberError> {
        may_handle(scope, invite.role)?;
        let email =
            email_address(&invite.email).ok_or_else(|| MemberError::Email(invite.email.clone()))?;
        let mut change = self.inner.change().await?;
        let result = create_invite(&mut change, scope, invite, &email, by).await;
        change.finish(result).await
    }

    /// Revokes an invitation: its link is good for nothing from now on.
    ///
    /// # Errors
    ///
    /// There is no such invitation, or it was answered, revoked or is too old.
    pub async fn revoke_invite(
        &self,
        scope: &ManagementScope,
        invite: &str,
        by: &By,
    ) -> Result<(), MemberError> {
        let mut change = self.inner.change().await?;
        let result = async {
            let found: Option<(i64, String, String)> = sqlx::query_as(
                "SELECT id, public_id, email FROM invite WHERE workspace = ? AND public_id = ? \
                 AND accepted_at IS NULL AND revoked_at IS NULL AND expires > ?",
            )
            .bind(scope.workspace().id)
            .bind(invite)
            .bind(change.now.micros())
            .fetch_optional(change.connection())
            .await
            .map_err(StoreError::from)?;
            let found = found.ok_or(MemberError::NoInvite)?;
            revoke(&mut change, scope.workspace(), found, by).await?;
            Ok(())
        }
        .await;
        change.finish(result).await
    }

    /// The invitation with this secret, if it is good now.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn invitation(&self, secret: &str) -> Result<Option<Invitation>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let found = open_invite(&mut connection, secret, self.now()).await?;
        Ok(found.map(|found| found.invitation))
    }

    /// Accepts an invitation for somebody who is signed in.
    ///
    /// # Errors
    ///
    /// The invitation is not good now, or is somebody else's.
    pub async fn accept_invite(
        &self,
        secret: &str,
        person: &SignedIn,
        context: Option<Object>,
    ) -> Result<Joined, MemberError> {
        let mut change = self.inner.change().await?;
        let result = async {
            let found = need_invite(&mut change, secret).await?;
            if found.invitation.email != person.email {
                return Err(MemberError::SomebodyElse(found.invitation.email));
            }
            let known = find_person(change.connection(), &person.email).await?;
            let person = known.ok_or(MemberError::NoInvite)?;
            join(&mut change, found, &person, context).await
        }
        .await;
        change.finish(result).await
    }

    /// Accepts an invitation for somebody who has no account yet: makes one, and begins a session.
    ///
    /// # Errors
    ///
    /// The invitation is not good now, there is an account of that address, or name or password are
    /// out of bounds.
    pub async fn accept_invite_anew(
        &self,
        secret_of_link: &str,
        name: &str,
        password: &str,
        context: Option<Object>,
    ) -> Result<(Joined, NewSession), MemberError> {
        check_name(name).map_err(|_| MemberError::Name)?;
        password::check(password).map_err(|_| MemberError::Password)?;
        // Hashing takes long: nobody makes us do it without a link.
        if self.invitation(secret_of_link).await?.is_none() {
            return Err(MemberError::NoInvite);
        }
        let hash = password::hash(password.to_owned()).await?;
        let mut change = self.inner.change().await?;
        let result = async {
            let found = need_invite(&mut change, secret_of_link).await?;
            let email = found.invitation.email.clone();
            if found.invitation.has_account {
                return Err(MemberError::SomebodyElse(email));
            }
            let person = create_account(&mut change, &email, name.trim(), &hash).await?;
            let joined = join(&mut change, found, &person, context).await?;
            let session = super::sign_in::new_session(&mut change, person.id).await?;
            Ok((joined, session))
        }
        .await;
        change.finish(result).await
    }
}

fn member_of(row: &SqliteRow, now: Timestamp) -> Result<MemberListed, StoreError> {
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
    sqlx::query("UPDATE membership SET role = ?, until = ? WHERE person = ? AND workspace = ?")
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
    let now = change.now;
    let workspace = scope.workspace();
    let known = need_member(change.connection(), workspace, member).await?;
    may_handle(scope, known.role)?;
    if known.deactivated {
        return Ok(());
    }
    if is_last_owner(change.connection(), known.person.id, workspace.id, now).await? {
        return Err(MemberError::LastOwner(known.person.name));
    }
    set_deactivated(change, workspace, &known.person, Some(now), by).await?;
    end_sessions(change.connection(), known.person.id).await?;
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
    sqlx::query("UPDATE membership SET deactivated_at = ? WHERE person = ? AND workspace = ?")
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

fn invite_target(id: &str, email: &str) -> Result<Target, StoreError> {
    target("invite", id, email)
}

async fn create_invite(
    change: &mut Change<'_>,
    scope: &ManagementScope,
    invite: &NewInvite,
    email: &str,
    by: &By,
) -> Result<Secret, MemberError> {
    let now = change.now;
    let workspace = scope.workspace();
    let until = check_last_day(invite.last_day, now)?;
    if let Some(person) = find_person(change.connection(), email).await? {
        if person.deactivated {
            return Err(MemberError::AccountDeactivated(person.email));
        }
        match need_member(change.connection(), workspace, &person.public_id).await {
            Ok(member) if member.deactivated => {
                return Err(MemberError::DeactivatedMember(person.email));
            }
            Ok(_) => return Err(MemberError::Member(person.email)),
            Err(MemberError::NoMember) => {}
            Err(error) => return Err(error),
        }
    }
    let earlier: Vec<(i64, String, String)> = sqlx::query_as(
        "SELECT id, public_id, email FROM invite WHERE workspace = ? AND email = ? \
         AND accepted_at IS NULL AND revoked_at IS NULL AND expires > ?",
    )
    .bind(workspace.id)
    .bind(email)
    .bind(now.micros())
    .fetch_all(change.connection())
    .await
    .map_err(StoreError::from)?;
    for earlier in earlier {
        revoke(change, workspace, earlier, by).await?;
    }
    let id = public_id("inv")?;
    let secret = secret("")?;
    let expires = now.plus(INVITE);
    sqlx::query(
        "INSERT INTO invite (public_id, workspace, email, role, until, secret, created_by, \
             created_at, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id.clone())
    .bind(workspace.id)
    .bind(email)
    .bind(invite.role.as_str())
    .bind(until)
    .bind(fingerprint(secret.reveal()))
    .bind(by.actor.sort_name())
    .bind(now.micros())
    .bind(expires.micros())
    .execute(change.connection())
    .await
    .map_err(StoreError::from)?;
    let event = told(
        by,
        "MEMBER_INVITED",
        invite_target(&id, email)?,
        None,
        Some(json!({
            "email": email, "role": invite.role, "until": told_day(invite.last_day), "expires": expires,
        })),
    )?;
    change.record(Log::from(workspace), event).await?;
    Ok(secret)
}

/// Revokes an invitation that is open: its number, its public id, and whose it is.
async fn revoke(
    change: &mut Change<'_>,
    workspace: &Workspace,
    (number, id, email): (i64, String, String),
    by: &By,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE invite SET revoked_at = ? WHERE id = ?")
        .bind(change.now.micros())
        .bind(number)
        .execute(change.connection())
        .await?;
    let event = told(
        by,
        "INVITE_REVOKED",
        invite_target(&id, &email)?,
        Some(json!({"revoked": false})),
        Some(json!({"revoked": true})),
    )?;
    change.record(Log::from(workspace), event).await
}

/// An invitation that is good now.
pub(super) struct OpenInvite {
    number: i64,
    public_id: String,
    until: Option<i64>,
    pub(super) invitation: Invitation,
}

pub(super) async fn open_invite(
    connection: &mut SqliteConnection,
    secret: &str,
    now: Timestamp,
) -> Result<Option<OpenInvite>, StoreError> {
    let row = sqlx::query(
        "SELECT v.id, v.public_id, v.until, v.email, v.role, v.created_by, \
             EXISTS (SELECT 1 FROM person p WHERE p.email = v.email), \
             w.id, w.slug, w.name, t.id, t.slug, t.name \
         FROM invite v JOIN workspace w ON w.id = v.workspace JOIN tenant t ON t.id = w.tenant \
         WHERE v.secret = ? AND v.accepted_at IS NULL AND v.revoked_at IS NULL AND v.expires > ? \
             AND (v.until IS NULL OR v.until > ?2)",
    )
    .bind(fingerprint(secret))
    .bind(now.micros())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let until = row.try_get(2)?;
    Ok(Some(OpenInvite {
        number: row.try_get(0)?,
        public_id: row.try_get(1)?,
        until,
        invitation: Invitation {
            workspace: workspace_of(&row, 7)?,
            email: row.try_get(3)?,
            role: role_of(row.try_get(4)?)?,
            last_day: last_day(until),
            by: row.try_get(5)?,
            has_account: row.try_get(6)?,
        },
    }))
}

async fn need_invite(change: &mut Change<'_>, secret: &str) -> Result<OpenInvite, MemberError> {
    let now = change.now;
    open_invite(change.connection(), secret, now)
        .await?
        .ok_or(MemberError::NoInvite)
}

pub(super) async fn create_account(
    change: &mut Change<'_>,
    email: &str,
    name: &str,
    hash: &str,
) -> Result<Person, StoreError> {
    let public_id = public_id("usr")?;
    let id = sqlx::query_scalar(
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

/// Makes a member of who was invited, and tells both: that the invitation was answered, and who is
/// a member from here on.
pub(super) async fn join(
    change: &mut Change<'_>,
    invite: OpenInvite,
    person: &Person,
    context: Option<Object>,
) -> Result<Joined, MemberError> {
    let now = change.now;
    let Invitation {
        workspace,
        role,
        last_day,
        email,
        by,
        ..
    } = invite.invitation;
    let added = sqlx::query(
        "INSERT INTO membership (person, workspace, role, created_at, until) \
         VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(person.id)
    .bind(workspace.id)
    .bind(role.as_str())
    .bind(now.micros())
    .bind(invite.until)
    .execute(change.connection())
    .await
    .map_err(StoreError::from)?;
    if added.rows_affected() == 0 {
        return Err(MemberError::Member(email));
    }
    sqlx::query("UPDATE invite SET accepted_at = ? WHERE id = ?")
        .bind(now.micros())
        .bind(invite.number)
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
    let themselves = By {
        actor: Actor {
            kind: ActorKind::User,
            id: Some(person.public_id.clone()),
            name: Some(person.name.clone()),
            email: Some(person.email.clone()),
        },
        metadata: None,
        context,
    };
    let log = Log::from(&workspace);
    let mut accepted = told(
        &themselves,
        "INVITE_ACCEPTED",
        invite_target(&invite.public_id, &email)?,
        Some(json!({"accepted": false})),
        Some(json!({"accepted": true, "role": role, "until": told_day(last_day)})),
    )?;
    accepted.related = vec![person.target()?];
    change.record(log, accepted).await?;
    let mut added = told(
        &themselves,
        "MEMBER_ADDED",
        person.target()?,
        None,
        Some(
            json!({"name": person.name, "email": email, "role": role, "until": told_day(last_day)}),
        ),
    )?;
    added
        .metadata
        .get_or_insert_default()
        .insert("invited_by".to_owned(), by.into());
    added.related = vec![invite_target(&invite.public_id, &email)?];
    change.record(log, added).await?;
    Ok(Joined { workspace, role })
}

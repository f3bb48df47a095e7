//! Invitations to a workspace: made, revoked, and accepted by whom they are for.

use super::{
    Store,
    change::{Change, Log, target, told},
    directory::{check_name, workspace_of},
    members::{check_last_day, last_day, may_handle, need_member, role_of, told_day},
    password,
    people::{Person, create_account, email_address, find_person, join_workspace},
    sign_in::new_session,
    tokens::{fingerprint, public_id, secret},
};
use crate::{
    StoreError,
    access::{ManagementScope, NewSession, Secret, SignedIn, Workspace},
    administration::By,
    database::{self, Connection, Row},
    members::{AcceptError, INVITE, Invitation, InviteListed, Joined, MemberError, NewInvite},
};
use domain::{
    event::{Actor, ActorKind, Object, Target},
    time::Timestamp,
};
use serde_json::json;

/// The invitations that are good at the time ?2 and whose `$column` is ?1.
macro_rules! open_invites {
    ($column:literal) => {
        concat!(
            "SELECT v.id, v.public_id, v.until, v.email, v.role, v.created_by, \
                 EXISTS (SELECT 1 FROM person p WHERE p.email = v.email), \
                 w.id, w.slug, w.name, t.id, t.slug, t.name \
             FROM invite v JOIN workspace w ON w.id = v.workspace JOIN tenant t ON t.id = w.tenant \
             WHERE ",
            $column,
            " = ?1 AND v.accepted_at IS NULL AND v.revoked_at IS NULL AND v.expires > ?2 \
                 AND (v.until IS NULL OR v.until > ?2)"
        )
    };
}

/// Those for an e-mail address, the newest first.
pub(super) const OF_EMAIL: &str = concat!(open_invites!("v.email"), " ORDER BY v.id DESC");

impl Store {
    /// The invitations to a workspace that wait for an answer, the newest first.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn invites(&self, scope: &ManagementScope) -> Result<Vec<InviteListed>, StoreError> {
        let rows = database::query(
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
            let found: Option<Open> = database::query_as(
                "SELECT id, public_id, email, role FROM invite WHERE workspace = ? AND public_id = ? \
                 AND accepted_at IS NULL AND revoked_at IS NULL AND expires > ?",
            )
            .bind(scope.workspace().id)
            .bind(invite)
            .bind(change.now.micros())
            .fetch_optional(change.connection())
            .await
            .map_err(StoreError::from)?;
            let found = found.ok_or(MemberError::NoInvite)?;
            may_handle(scope, role_of(&found.3)?)?;
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

    /// The invitations that wait for an answer of somebody's, the newest first.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn own_invitations(&self, person: &SignedIn) -> Result<Vec<Invitation>, StoreError> {
        let rows = database::query(OF_EMAIL)
            .bind(person.email.clone())
            .bind(self.now().micros())
            .fetch_all(&self.inner.readers)
            .await?;
        let found = rows.iter().map(|row| Ok(OpenInvite::read(row)?.invitation));
        found.collect()
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
    ) -> Result<Joined, AcceptError> {
        let mut change = self.inner.change().await?;
        let result = async {
            let found = need_invite(&mut change, secret).await?;
            if found.invitation.email != person.email {
                return Err(AcceptError::SomebodyElse(found.invitation.email));
            }
            let known = find_person(change.connection(), &person.email).await?;
            let person = known.ok_or(AcceptError::NoInvite)?;
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
    ) -> Result<(Joined, NewSession), AcceptError> {
        check_name(name).map_err(|_| AcceptError::Name)?;
        password::check(password).map_err(|_| AcceptError::Password)?;
        // Hashing takes long: nobody makes us do it without a link.
        if self.invitation(secret_of_link).await?.is_none() {
            return Err(AcceptError::NoInvite);
        }
        let hash = password::hash(password.to_owned()).await?;
        let mut change = self.inner.change().await?;
        let result = async {
            let found = need_invite(&mut change, secret_of_link).await?;
            let email = found.invitation.email.clone();
            if found.invitation.has_account {
                return Err(AcceptError::SomebodyElse(email));
            }
            let person = create_account(&mut change, &email, name, &hash).await?;
            let joined = join(&mut change, found, &person, context).await?;
            let session = new_session(&mut change, person.id).await?;
            Ok((joined, session))
        }
        .await;
        change.finish(result).await
    }
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
    // None is to bring them in by surprise.
    for open in open_of(change, workspace, email).await? {
        may_handle(scope, role_of(&open.3)?)?;
        revoke(change, workspace, open, by).await?;
    }
    let id = public_id("inv")?;
    let secret = secret("")?;
    let expires = now.plus(INVITE);
    database::query(
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

/// An invitation that is open: its number, its public id, whose it is, and the role that it gives.
pub(super) type Open = (i64, String, String, String);

/// What invitations somebody has to a workspace.
pub(super) async fn open_of(
    change: &mut Change<'_>,
    workspace: &Workspace,
    email: &str,
) -> Result<Vec<Open>, StoreError> {
    let now = change.now.micros();
    Ok(database::query_as(
        "SELECT id, public_id, email, role FROM invite WHERE workspace = ? AND email = ? \
         AND accepted_at IS NULL AND revoked_at IS NULL AND expires > ?",
    )
    .bind(workspace.id)
    .bind(email)
    .bind(now)
    .fetch_all(change.connection())
    .await?)
}

/// Revokes an invitation that is open.
pub(super) async fn revoke(
    change: &mut Change<'_>,
    workspace: &Workspace,
    (number, id, email, _): Open,
    by: &By,
) -> Result<(), StoreError> {
    database::query("UPDATE invite SET revoked_at = ? WHERE id = ?")
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

impl OpenInvite {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let until = row.try_get(2)?;
        Ok(Self {
            number: row.try_get(0)?,
            public_id: row.try_get(1)?,
            until,
            invitation: Invitation {
                workspace: workspace_of(row, 7)?,
                email: row.try_get(3)?,
                role: role_of(row.try_get(4)?)?,
                last_day: last_day(until),
                by: row.try_get(5)?,
                has_account: row.try_get(6)?,
            },
        })
    }
}

pub(super) async fn open_invite(
    connection: &mut Connection,
    secret: &str,
    now: Timestamp,
) -> Result<Option<OpenInvite>, StoreError> {
    const OF_SECRET: &str = open_invites!("v.secret");
    let row = database::query(OF_SECRET)
        .bind(fingerprint(secret))
        .bind(now.micros())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(OpenInvite::read).transpose()
}

async fn need_invite(change: &mut Change<'_>, secret: &str) -> Result<OpenInvite, AcceptError> {
    let now = change.now;
    open_invite(change.connection(), secret, now)
        .await?
        .ok_or(AcceptError::NoInvite)
}

/// Makes a member of who was invited, and tells both: that the invitation was answered, and who is
/// a member from here on.
pub(super) async fn join(
    change: &mut Change<'_>,
    invite: OpenInvite,
    person: &Person,
    context: Option<Object>,
) -> Result<Joined, AcceptError> {
    let now = change.now;
    let Invitation {
        workspace,
        role,
        last_day,
        email,
        by,
        ..
    } = invite.invitation;
    if !join_workspace(change, person, &workspace, role, invite.until).await? {
        return Err(AcceptError::Member(email));
    }
    database::query("UPDATE invite SET accepted_at = ? WHERE id = ?")
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

//! Signing in and out, and who a session belongs to.

use super::{
    Store,
    change::{Change, Log, target, told},
    dictionaries::damaged,
    directory::{slug, tenant_of, workspace_of},
    object::LOOK,
    password,
    people::{Person, logs_of},
    read_transaction::Asked,
    settings::object_access,
    tokens::{fingerprint, secret},
};
use crate::{
    StoreError,
    access::{Membership, NewSession, Scope, SignedIn, Workspace},
    administration::By,
    database::{self, Connection, Row},
    people::{FAILURES_WITHIN, SESSION, SignInError},
    postgres::replica::Reader,
    proof::Fault,
};
use chrono::TimeDelta;
use domain::{
    event::{Actor, ActorKind, Object, Outcome, Target},
    question::Zone,
    slug::WorkspacePath,
    time::Timestamp,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// So many failures, in [`FAILURES_WITHIN`], for an account or an address.
const FAILURES: i64 = 10;
/// How events name signing in with a password.
const PASSWORD: &str = "password";
/// Looks of one reader are told once in this time.
const LOOKS: TimeDelta = TimeDelta::hours(1);

/// Whether somebody (`p`) has nothing to sign in for at the time ?2: the operator deactivated their
/// account, or they are deactivated wherever they were a member, administer no tenant, and no
/// invitation waits for them.
macro_rules! is_shut_out {
    () => {
        "(p.deactivated_at IS NOT NULL \
             OR (NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = p.id \
                     AND m.deactivated_at IS NULL) \
                 AND NOT EXISTS (SELECT 1 FROM tenant_admin a WHERE a.person = p.id) \
                 AND NOT EXISTS (SELECT 1 FROM invite v WHERE v.email = p.email \
                     AND v.accepted_at IS NULL AND v.revoked_at IS NULL AND v.expires > ?2 \
                     AND (v.until IS NULL OR v.until > ?2))))"
    };
}

/// Whose the session with the secret ?1 is at the time ?2 (rows of kind 0), the tenants that they
/// administer (1), their workspaces (2), and the tenants whose logs something is wrong with (3).
const SIGNED_IN: &str = concat!(
    "
    SELECT 0, p.id, p.public_id, p.name, p.email, t.slug, w.slug, p.last_zone, p.single_keys
    FROM session s JOIN person p ON p.id = s.person LEFT JOIN workspace w ON w.id = p.last_workspace
    LEFT JOIN tenant t ON t.id = w.tenant
    WHERE s.secret = ?1 AND s.until > ?2 AND NOT ",
    is_shut_out!(),
    ";
    SELECT 1, t.id, t.slug, t.name
    FROM session s JOIN tenant_admin a ON a.person = s.person JOIN tenant t ON t.id = a.tenant
    WHERE s.secret = ?1 AND (a.until IS NULL OR a.until > ?2) ORDER BY t.name;
    SELECT 2, w.id, w.slug, w.name, t.id, t.slug, t.name, m.role, w.object_tabs, w.guarded_kinds
    FROM session s JOIN membership m ON m.person = s.person
    JOIN workspace w ON w.id = m.workspace JOIN tenant t ON t.id = w.tenant
    WHERE s.secret = ?1 AND m.deactivated_at IS NULL AND (m.until IS NULL OR m.until > ?2)
        AND w.tenant NOT IN (SELECT a.tenant FROM tenant_admin a
            WHERE a.person = s.person AND (a.until IS NULL OR a.until > ?2))
    UNION ALL
    SELECT 2, w.id, w.slug, w.name, t.id, t.slug, t.name, 'tenant_admin', w.object_tabs,
        w.guarded_kinds
    FROM session s JOIN tenant_admin a ON a.person = s.person
    JOIN tenant t ON t.id = a.tenant JOIN workspace w ON w.tenant = t.id
    WHERE s.secret = ?1 AND (a.until IS NULL OR a.until > ?2)
    ORDER BY 7, 4;
    SELECT 3, t.slug, b.fault, b.failed_at FROM background_check b JOIN tenant t ON t.id = b.tenant
    WHERE b.fault IS NOT NULL AND EXISTS (SELECT 1 FROM session s WHERE s.secret = ?1
        AND s.until > ?2)"
);

/// The account with the e-mail address ?1, and whether they are shut out at the time ?2.
const ACCOUNT: &str = concat!(
    "SELECT id, public_id, name, email, password, ",
    is_shut_out!(),
    " FROM person p WHERE email = ?1"
);

/// Who a session belongs to, without what they are a member of.
fn person_of(row: &Row) -> Result<SignedIn, StoreError> {
    let last: (Option<&str>, Option<&str>) = (row.try_get(5)?, row.try_get(6)?);
    let last_workspace = match last {
        (Some(tenant), Some(workspace)) => Some(WorkspacePath {
            tenant: slug(tenant)?,
            workspace: slug(workspace)?,
        }),
        _ => None,
    };
    Ok(SignedIn {
        person: row.try_get(1)?,
        public_id: row.try_get(2)?,
        name: row.try_get(3)?,
        email: row.try_get(4)?,
        memberships: Vec::new(),
        administers: Vec::new(),
        last_workspace,
        last_zone: row
            .try_get::<Option<&str>>(7)?
            .and_then(|zone| zone.parse().ok()),
        single_keys: row.try_get(8)?,
        faults: Vec::new(),
    })
}

/// Somebody who wants to come in; deactivated where they have nothing to sign in for.
struct Account {
    person: Person,
    password: String,
}

/// Somebody who signs in, for the events that tell of it; by which method is told too.
pub(super) fn themselves(person: &Person, method: &str, context: Option<Object>) -> By {
    let actor = Actor {
        kind: ActorKind::User,
        id: Some(person.public_id.clone()),
        name: Some(person.name.clone()),
        email: Some(person.email.clone()),
    };
    let mut metadata = Object::new();
    metadata.insert("method".to_owned(), method.into());
    By {
        actor,
        metadata: Some(metadata),
        context,
    }
}

/// Whether somebody has nothing to sign in for at the time `now`.
pub(super) async fn is_shut_out(
    connection: &mut Connection,
    person: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const IS_SHUT_OUT: &str = concat!("SELECT ", is_shut_out!(), " FROM person p WHERE p.id = ?1");
    Ok(database::query_scalar(IS_SHUT_OUT)
        .bind(person)
        .bind(now.micros())
        .fetch_one(connection)
        .await?)
}

impl Store {
    /// Signs somebody in.
    ///
    /// # Errors
    ///
    /// E-mail and password do not belong together, there were too many failures, or the store
    /// failed.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        address: Option<IpAddr>,
        context: Option<Object>,
    ) -> Result<NewSession, SignInError> {
        let email = email.trim().to_lowercase();
        let subjects: Vec<String> = [
            // What is typed there may be anything, however long.
            Some(format!("account {:x}", Sha256::digest(&email))),
            address.map(|address| format!("address {address}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        self.refuse_after_failures(&subjects).await?;
        let account = self.account(&email).await?;
        let hash = account.as_ref().map(|account| account.password.clone());
        let right = password::verify(password.to_owned(), hash).await?;
        match account {
            Some(account) if right && !account.person.deactivated => {
                let mut change = self.inner.change().await?;
                let result = begin_session(&mut change, &account, &subjects, context).await;
                change.finish(result).await
            }
            account => {
                metrics::counter!("daybook_sign_in_failures_total").increment(1);
                let mut change = self.inner.change().await?;
                let result = note_failure(&mut change, account, &subjects, context).await;
                change.finish(result).await?;
                Err(SignInError::Wrong)
            }
        }
    }

    async fn refuse_after_failures(&self, subjects: &[String]) -> Result<(), SignInError> {
        let now = self.now();
        for subject in subjects {
            let (failures, oldest): (i64, Option<i64>) = database::query_as(
                "SELECT count(*), min(at) FROM (SELECT at FROM sign_in_failure \
                 WHERE subject = ? AND at > ? ORDER BY at DESC LIMIT ?) f",
            )
            .bind(subject.clone())
            .bind(now.plus(-FAILURES_WITHIN).micros())
            .bind(FAILURES)
            .fetch_one(&self.inner.readers)
            .await
            .map_err(StoreError::from)?;
            if failures >= FAILURES {
                let free = Timestamp::from_micros(oldest.unwrap_or_default()).plus(FAILURES_WITHIN);
                let seconds = (free.micros() - now.micros()).max(0) / 1_000_000 + 1;
                return Err(SignInError::TooMany {
                    retry_after: u32::try_from(seconds).unwrap_or(u32::MAX),
                });
            }
        }
        Ok(())
    }

    async fn account(&self, email: &str) -> Result<Option<Account>, StoreError> {
        let row = database::query(ACCOUNT)
            .bind(email)
            .bind(self.now().micros())
            .fetch_optional(&self.inner.readers)
            .await?;
        row.map(|row| {
            Ok(Account {
                person: Person {
                    id: row.try_get(0)?,
                    public_id: row.try_get(1)?,
                    name: row.try_get(2)?,
                    email: row.try_get(3)?,
                    deactivated: row.try_get(5)?,
                },
                password: row.try_get(4)?,
            })
        })
        .transpose()
    }

    /// Ends a session. One that is over already is no error.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn sign_out(&self, secret: &str, context: Option<Object>) -> Result<(), StoreError> {
        let Some(person) = self.session(secret).await? else {
            return Ok(());
        };
        let mut change = self.inner.change().await?;
        let result = async {
            database::query("DELETE FROM session WHERE secret = ?")
                .bind(fingerprint(secret))
                .execute(change.connection())
                .await?;
            let by = By::person(&person, context);
            for log in logs_of(change.connection(), person.person).await? {
                let on = target("user", person.public_id.clone(), person.name.clone())?;
                let event = told(&by, "SIGNED_OUT", on, None, None)?;
                change.record(log, event).await?;
            }
            Ok(())
        }
        .await;
        change.finish(result).await
    }

    /// Who a session belongs to, with what they are a member of now.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn session(&self, secret: &str) -> Result<Option<SignedIn>, StoreError> {
        let rows = database::query(SIGNED_IN)
            .bind(fingerprint(secret))
            .bind(self.now().micros())
            .fetch_all(&self.inner.readers)
            .await?;
        let mut signed_in = None;
        for row in &rows {
            match (row.try_get::<i64>(0)?, &mut signed_in) {
                (0, none) => *none = Some(person_of(row)?),
                (1, Some(person)) => person.administers.push(tenant_of(row, 1)?),
                (3, Some(person)) => person.faults.push(Fault {
                    tenant: slug(row.try_get(1)?)?,
                    words: row.try_get(2)?,
                    since: Timestamp::from_micros(row.try_get(3)?),
                }),
                (_, Some(person)) => person.memberships.push(Membership {
                    workspace: workspace_of(row, 1)?,
                    role: row
                        .try_get::<&str>(7)?
                        .parse()
                        .map_err(|_| damaged("a role is broken"))?,
                    object_access: object_access(row.try_get(8)?, row.try_get(9)?)?,
                }),
                (_, None) => {}
            }
        }
        if let Some(person) = &mut signed_in {
            let SignedIn {
                memberships,
                administers,
                faults,
                ..
            } = person;
            faults.retain(|fault| {
                let mut of = memberships
                    .iter()
                    .map(|of| &of.workspace.tenant)
                    .chain(&*administers);
                of.any(|tenant| tenant.slug == fault.tenant)
            });
        }
        Ok(signed_in)
    }

    /// Notes which workspace somebody looked at last, and in which time zone (none: UTC), where
    /// either changed.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn note_place(
        &self,
        person: &SignedIn,
        workspace: &Workspace,
        zone: Option<&Zone>,
    ) -> Result<(), StoreError> {
        if person.last_workspace.as_ref() == Some(&workspace.path())
            && person.last_zone.as_ref() == zone
        {
            return Ok(());
        }
        let mut change = self.inner.change().await?;
        let result =
            database::query("UPDATE person SET last_workspace = ?, last_zone = ? WHERE id = ?")
                .bind(workspace.id)
                .bind(zone.map(Zone::as_str))
                .bind(person.person)
                .execute(change.connection())
                .await
                .map(drop)
                .map_err(StoreError::from);
        change.finish(result).await
    }

    /// Notes whether single keys are shortcuts for somebody, where that changed. It concerns nobody else, and
    /// no event tells of it.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn note_single_keys(&self, person: &SignedIn, on: bool) -> Result<(), StoreError> {
        if person.single_keys == on {
            return Ok(());
        }
        let mut change = self.inner.change().await?;
        let result = database::query("UPDATE person SET single_keys = ? WHERE id = ?")
            .bind(on)
            .bind(person.person)
            .execute(change.connection())
            .await
            .map(drop)
            .map_err(StoreError::from);
        change.finish(result).await
    }

    /// Tells that somebody looks at a log: the first time in an hour, with the names of the filters
    /// they use, never their words. Of an object's log, the event names the object as it is known.
    /// Who looks at what they did themselves learns nothing of others: of that nothing is told.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn note_look(
        &self,
        scope: &Scope,
        by: &By,
        names: &[&str],
    ) -> Result<(), StoreError> {
        if scope.myself().is_some() {
            return Ok(());
        }
        let log = scope
            .workspace()
            .map_or_else(|| Log::from(scope.tenant()), Log::from);
        let reader = by.actor.id.clone().unwrap_or_default();
        let since = self.now().plus(-LOOKS).micros();
        if self.inner.looks.are_told_after(since, log.ws, &reader) {
            return Ok(());
        }
        let last: Option<i64> =
            database::query_scalar("SELECT at FROM look WHERE ws = ? AND reader = ?")
                .bind(log.ws)
                .bind(reader.clone())
                .fetch_optional(&self.inner.readers)
                .await?;
        if let Some(last) = last.filter(|last| *last > since) {
            self.inner.looks.told(log.ws, reader, last);
            return Ok(());
        }
        let on = match (scope.subject(), scope.workspace()) {
            (Some(subject), _) => {
                let asked = self.snapshot_for(Reader::Page, Asked::Primary, scope);
                let mut snapshot = asked.await?;
                let known = snapshot.object().await;
                snapshot.end().await;
                known?.unwrap_or_else(|| Target {
                    kind: subject.kind.clone(),
                    id: Some(subject.id.clone()),
                    name: None,
                    url: None,
                })
            }
            (None, Some(workspace)) => target(
                "workspace",
                workspace.path().to_string(),
                workspace.name.clone(),
            )?,
            (None, None) => target(
                "tenant",
                scope.tenant().slug.to_string(),
                scope.tenant().name.clone(),
            )?,
        };
        let mut change = self.inner.change().await?;
        let now = change.now;
        let result = async {
            // Another page of the same reader may have told it meanwhile.
            let told_now = database::query(
                "INSERT INTO look (ws, reader, at) VALUES (?, ?, ?) \
                 ON CONFLICT (ws, reader) DO UPDATE SET at = excluded.at WHERE look.at <= ?",
            )
            .bind(log.ws)
            .bind(reader)
            .bind(now.micros())
            .bind(since)
            .execute(change.connection())
            .await?;
            if told_now.rows_affected() == 0 {
                return Ok(());
            }
            let mut event = told(by, LOOK, on, None, None)?;
            event
                .metadata
                .get_or_insert_default()
                .insert("filters".to_owned(), json!(names));
            change.record(log, event).await
        }
        .await;
        change.finish(result).await
    }
}

async fn begin_session(
    change: &mut Change<'_>,
    account: &Account,
    subjects: &[String],
    context: Option<Object>,
) -> Result<NewSession, SignInError> {
    let begun: Result<NewSession, StoreError> = async {
        for subject in subjects {
            database::query("DELETE FROM sign_in_failure WHERE subject = ?")
                .bind(subject.clone())
                .execute(change.connection())
                .await?;
        }
        let session = new_session(change, account.person.id).await?;
        let by = themselves(&account.person, PASSWORD, context);
        tell(change, &account.person, "SIGNED_IN", Outcome::Success, &by).await?;
        Ok(session)
    }
    .await;
    Ok(begun?)
}

/// Begins a session of a person.
pub(super) async fn new_session(
    change: &mut Change<'_>,
    person: i64,
) -> Result<NewSession, StoreError> {
    let now = change.now;
    let secret = secret("")?;
    let until = now.plus(SESSION);
    database::query("DELETE FROM session WHERE until <= ?")
        .bind(now.micros())
        .execute(change.connection())
        .await?;
    database::query("INSERT INTO session (secret, person, created_at, until) VALUES (?, ?, ?, ?)")
        .bind(fingerprint(secret.reveal()))
        .bind(person)
        .bind(now.micros())
        .bind(until.micros())
        .execute(change.connection())
        .await?;
    Ok(NewSession { secret, until })
}

async fn note_failure(
    change: &mut Change<'_>,
    account: Option<Account>,
    subjects: &[String],
    context: Option<Object>,
) -> Result<(), StoreError> {
    let now = change.now;
    database::query("DELETE FROM sign_in_failure WHERE at <= ?")
        .bind(now.plus(-FAILURES_WITHIN).micros())
        .execute(change.connection())
        .await?;
    for subject in subjects {
        database::query("INSERT INTO sign_in_failure (subject, at) VALUES (?, ?)")
            .bind(subject.clone())
            .bind(now.micros())
            .execute(change.connection())
            .await?;
    }
    match account {
        // What was typed as the name of nobody is often a password: it is counted, never kept.
        None => Ok(()),
        Some(account) => {
            let person = &account.person;
            let by = themselves(person, PASSWORD, context);
            tell(change, person, "SIGN_IN_FAILED", Outcome::Failure, &by).await
        }
    }
}

/// Tells, wherever they belong, that somebody signed in or did not.
pub(super) async fn tell(
    change: &mut Change<'_>,
    person: &Person,
    action: &'static str,
    outcome: Outcome,
    by: &By,
) -> Result<(), StoreError> {
    for log in logs_of(change.connection(), person.id).await? {
        let mut event = told(by, action, person.target()?, None, None)?;
        event.outcome = outcome;
        change.record(log, event).await?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{DatabaseUrl, Options};
    use sqlx::Row as _;

    #[tokio::test]
    async fn who_somebody_is_is_found_without_a_scan() {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::Sqlite(folder.path().join("daybook.db"));
        let store = Store::open(Options::new(database)).await.unwrap();
        let signed_in = SIGNED_IN.split(';');
        let all = signed_in.chain([ACCOUNT, super::super::invites::OF_EMAIL]);
        let mut invitations = 0;
        for statement in all {
            let text =
                super::super::sql::made_of_our_own_texts(format!("EXPLAIN QUERY PLAN {statement}"));
            let readers = store.inner.readers.sqlite().unwrap();
            let rows = sqlx::query(text).fetch_all(readers).await;
            let steps: Vec<String> = rows.unwrap().iter().map(|row| row.get("detail")).collect();
            // Of what is checked beside the server, the index holds what was found wrong, and nothing else.
            let is_sought = |step: &String| {
                !step.starts_with("SCAN ") || step == "SCAN b USING INDEX background_check_at_fault"
            };
            assert!(steps.iter().all(is_sought), "{statement}: {steps:#?}");
            let by_email = "SEARCH v USING INDEX invite_open_by_email (email=?)";
            invitations += steps.iter().filter(|step| *step == by_email).count();
        }
        assert_eq!(invitations, 3, "by each that asks for invitations");
    }
}

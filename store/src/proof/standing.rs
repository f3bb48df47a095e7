//! How a tenant's proof stands: what is signed, by which key, and what the check beside the server found.

use super::{
    ask::{self, PublicKey},
    count, covered, hash, number, origin, root_of, verifier,
    witness::WitnessListed,
};
use crate::{
    Store, StoreError,
    access::{Scope, SettingsScope, Tenant, TenantAdministration},
    database::{self, Connection},
    sqlite::{Inner, Kept, change::Change},
};
use domain::{
    leaf::Hash,
    proof::{Checkpoint, Note},
    slug::Slug,
    time::Timestamp,
};
use std::time::Duration;

/// What the check beside the server found wrong with a tenant's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whose log it is.
    pub tenant: Slug,
    /// What is wrong.
    pub words: String,
    /// When it was found.
    pub since: Timestamp,
}

/// A checkpoint by which an entry is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covering {
    /// How many entries it is of.
    pub size: u64,
    /// When it was made.
    pub made_at: Timestamp,
}

/// How the proof of a tenant's log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The keys that sign, and signed, the one of now last.
    pub keys: Vec<PublicKey>,
    /// The newest checkpoint, and when it was made.
    pub newest: Option<(Covering, Note)>,
    /// How many entries the log has.
    pub entries: u64,
    /// When the check beside the server last found all of how many entries right.
    pub passed: Option<(u64, Timestamp)>,
    /// How many entries it has checked in the round that is under way.
    pub checked: u64,
    /// What it found wrong.
    pub fault: Option<Fault>,
    /// Who keeps checkpoints elsewhere.
    pub witnesses: Vec<WitnessListed>,
}

/// Somebody who sees how the proof of a tenant's log stands.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// From a workspace's settings.
    Workspace(&'a SettingsScope),
    /// From the tenant's.
    Tenant(&'a TenantAdministration),
}

impl Seen<'_> {
    fn tenant(&self) -> &Tenant {
        match self {
            Self::Workspace(scope) => &scope.workspace().tenant,
            Self::Tenant(scope) => scope.tenant(),
        }
    }
}

/// Opens one state of it all on a reader's connection.
pub(super) async fn begin(inner: &Inner, connection: &mut Connection) -> Result<(), StoreError> {
    let begins = match &inner.kept {
        Kept::Sqlite(_) => "BEGIN",
        Kept::Postgres(_) => crate::postgres::BEGIN_READING,
    };
    // Where this is given up in the middle, nobody gets the connection with its state.
    connection.close_on_drop();
    Ok(connection.run(begins).await?)
}

/// The same, along with what else is noted.
pub(super) async fn note_fault_in(
    change: &mut Change<'_>,
    tenant: i64,
    fault: &str,
) -> Result<(), StoreError> {
    let now = change.now.micros();
    let noted = database::query(
        "INSERT INTO background_check (tenant, failed_at, fault) VALUES (?1, ?2, ?3) \
         ON CONFLICT (tenant) DO UPDATE SET fault = ?3, failed_at = ?2 \
         WHERE background_check.fault IS NULL",
    )
    .bind(tenant)
    .bind(now)
    .bind(fault)
    .execute(change.connection())
    .await?;
    if noted.rows_affected() > 0 {
        tracing::error!(tenant, "THE LOG IS NOT WHAT WAS SIGNED: {fault}");
    }
    Ok(())
}

impl Inner {
    /// Notes what is wrong with a tenant's log, where nothing is known to be yet: it is told wherever
    /// somebody looks who can do something about it, until a whole round finds nothing wrong.
    pub(crate) async fn note_fault(&self, tenant: i64, fault: &str) -> Result<(), StoreError> {
        let known: Option<String> = database::query_scalar(
            "SELECT fault FROM background_check WHERE tenant = ? AND fault IS NOT NULL",
        )
        .bind(tenant)
        .fetch_optional(&self.readers)
        .await?;
        if known.is_some() {
            return Ok(());
        }
        let mut change = self.change().await?;
        let noted = note_fault_in(&mut change, tenant, fault).await;
        change.finish(noted).await
    }

    /// What is wrong with a tenant's newest checkpoint: its signature, its root, that the log is shorter, or
    /// that it cannot be read; and whether what is remembered to have been signed is a past of it.
    pub(super) async fn newest_fault(&self, tenant: i64) -> Result<Option<String>, StoreError> {
        match self.look_at_newest(tenant).await {
            Err(StoreError::Damaged(what)) => {
                let of = self.name_of(tenant).await?;
                Ok(Some(format!(
                    "{of}: the newest checkpoint cannot be compared with the log: {what}"
                )))
            }
            looked => looked,
        }
    }

    /// How a tenant is called where something is wrong with it: its slug, even where that is none.
    pub(super) async fn name_of(&self, tenant: i64) -> Result<String, StoreError> {
        let slug = database::query_scalar("SELECT slug FROM tenant WHERE id = ?")
            .bind(tenant)
            .fetch_optional(&self.readers)
            .await;
        match slug.map_err(StoreError::from) {
            Ok(slug) => Ok(slug.unwrap_or_else(|| format!("tenant {tenant}"))),
            Err(StoreError::Damaged(_)) => Ok(format!("tenant {tenant}")),
            Err(error) => Err(error),
        }
    }

    async fn check_newest_of(&self, tenant: i64) -> Result<(), StoreError> {
        // Twice: the second time in another state, and claimed only where it is the same.
        let Some(fault) = self.newest_fault(tenant).await? else {
            return Ok(());
        };
        if self.newest_fault(tenant).await?.as_ref() == Some(&fault) {
            self.note_fault(tenant, &fault).await?;
        }
        Ok(())
    }

    async fn look_at_newest(&self, tenant: i64) -> Result<Option<String>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        begin(self, &mut connection).await?;
        let slug: String = database::query_scalar("SELECT slug FROM tenant WHERE id = ?")
            .bind(tenant)
            .fetch_one(&mut *connection)
            .await?;
        let slug = super::parsed(&slug)?;
        let origin = origin(&mut connection, &slug).await?;
        let last: Option<i64> =
            database::query_scalar("SELECT max(seq) FROM leaf WHERE tenant = ?")
                .bind(tenant)
                .fetch_one(&mut *connection)
                .await?;
        let entries = count(last.unwrap_or(0))?;
        let row = database::query(
            "SELECT c.size, c.root, c.signature, k.public FROM checkpoint c \
             LEFT JOIN signing_key k ON k.id = c.key \
             WHERE c.tenant = ? ORDER BY c.size DESC LIMIT 1",
        )
        .bind(tenant)
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(row) = row {
            let size = count(row.try_get(0)?)?;
            let root: Hash = hash(row.try_get(1)?)?;
            let checkpoint = Checkpoint {
                origin: origin.clone(),
                size,
                root,
            };
            let signature: Vec<u8> = row.try_get(2)?;
            let public: Option<Vec<u8>> = row.try_get(3)?;
            let key = public.and_then(|public| verifier(&origin, &public).ok());
            let is_signed = key.is_some_and(|key| {
                let note = key.signed(checkpoint.to_string(), signature);
                note.verified_by(std::slice::from_ref(&key)).is_ok()
            });
            if !is_signed {
                return Ok(Some(format!(
                    "{slug}: the checkpoint of {size} entries is not signed by the key that it names"
                )));
            }
            if size > entries {
                return Ok(Some(format!(
                    "{slug}: a checkpoint covers {size} entries, and the log has {entries}: the newest \
                     are gone"
                )));
            }
            if root_of(&mut connection, tenant, size).await? != Some(root) {
                return Ok(Some(format!(
                    "{slug}: the checkpoint of {size} entries was signed of another tree than is stored"
                )));
            }
        }
        connection.run("ROLLBACK").await?;
        drop(connection);
        self.forgotten(tenant, &origin).await
    }
}

impl Store {
    /// Looks, at once, whether each tenant's newest checkpoint is what it was signed of and a past or the
    /// present of its log. What is wrong is noted. Gives how many tenants' logs something is known to be
    /// wrong with.
    ///
    /// # Errors
    ///
    /// The store failed; where that was with one tenant's, the others were looked at.
    pub async fn check_newest(&self) -> Result<u64, StoreError> {
        let tenants: Vec<i64> = database::query_scalar("SELECT id FROM tenant ORDER BY id")
            .fetch_all(&self.inner.readers)
            .await?;
        let mut failed = Ok(());
        for tenant in tenants {
            match self.inner.check_newest_of(tenant).await {
                Err(error @ StoreError::Database(_)) => failed = failed.and(Err(error)),
                done => done?,
            }
        }
        failed?;
        self.known_faults().await
    }

    /// How many tenants' logs something is known to be wrong with.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn known_faults(&self) -> Result<u64, StoreError> {
        let faults: i64 =
            database::query_scalar("SELECT count(*) FROM background_check WHERE fault IS NOT NULL")
                .fetch_one(&self.inner.readers)
                .await?;
        count(faults)
    }

    /// Takes, or goes on with, something that one server at a time does, for so long. Whether it is ours.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn lease(&self, what: &'static str, lasts: Duration) -> Result<bool, StoreError> {
        let holder = self.inner.proof.holder();
        let now = self.now().micros();
        let held: Option<(Vec<u8>, i64)> =
            database::query_as("SELECT holder, until FROM lease WHERE what = ?")
                .bind(what)
                .fetch_optional(&self.inner.readers)
                .await?;
        let half = i64::try_from(lasts.as_micros() / 2).unwrap_or(i64::MAX);
        match held {
            Some((by, until)) if by == holder && until.saturating_sub(now) > half => {
                return Ok(true);
            }
            Some((by, until)) if by != holder && until > now => return Ok(false),
            _ => {}
        }
        let mut change = self.inner.change().await?;
        let now = change.now.micros();
        let taken = database::query(
            "INSERT INTO lease (what, holder, until) VALUES (?1, ?2, ?3) \
             ON CONFLICT (what) DO UPDATE SET holder = ?2, until = ?3 \
             WHERE lease.holder = ?2 OR lease.until <= ?4",
        )
        .bind(what)
        .bind(&holder[..])
        .bind(now.saturating_add(half.saturating_mul(2)))
        .bind(now)
        .execute(change.connection())
        .await;
        let taken = change.finish(taken.map_err(StoreError::from)).await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Lets go of what was taken, so that others need not wait for its end.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn end_lease(&self, what: &'static str) -> Result<(), StoreError> {
        let mut change = self.inner.change().await?;
        let ended = database::query("UPDATE lease SET until = 0 WHERE what = ? AND holder = ?")
            .bind(what)
            .bind(&self.inner.proof.holder()[..])
            .execute(change.connection())
            .await;
        change.finish(ended.map_err(StoreError::from)).await?;
        Ok(())
    }

    /// The first checkpoint that covers an entry, by its number; none: none does yet.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn covering(&self, scope: &Scope, seq: u64) -> Result<Option<Covering>, StoreError> {
        let row: Option<(i64, i64)> = database::query_as(
            "SELECT size, made_at FROM checkpoint WHERE tenant = ? AND size >= ? ORDER BY size LIMIT 1",
        )
        .bind(scope.tenant().id)
        .bind(number(seq)?)
        .fetch_optional(&self.inner.readers)
        .await?;
        row.map(|(size, made_at)| {
            Ok(Covering {
                size: count(size)?,
                made_at: Timestamp::from_micros(made_at),
            })
        })
        .transpose()
    }

    /// Lets go of all that was taken, for a store that closes: who begins next need not wait.
    pub(crate) async fn end_leases(&self) -> Result<(), StoreError> {
        let holder = self.inner.proof.holder();
        let held: i64 =
            database::query_scalar("SELECT count(*) FROM lease WHERE holder = ? AND until > 0")
                .bind(&holder[..])
                .fetch_one(&self.inner.readers)
                .await?;
        if held == 0 {
            return Ok(());
        }
        let mut change = self.inner.change().await?;
        let ended = database::query("UPDATE lease SET until = 0 WHERE holder = ?")
            .bind(&holder[..])
            .execute(change.connection())
            .await;
        change.finish(ended.map_err(StoreError::from)).await?;
        Ok(())
    }

    /// How the proof of a tenant's log stands.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn standing(&self, seen: Seen<'_>) -> Result<Standing, StoreError> {
        let tenant = seen.tenant();
        let keys = self.keys_of(tenant).await?;
        let witnesses = self.witnesses_of(Some(tenant.id)).await?;
        let mut connection = self.inner.readers.acquire().await?;
        let connection: &mut Connection = &mut connection;
        let origin = origin(connection, &tenant.slug).await?;
        let covers = covered(connection, tenant.id).await?;
        let made_at: Option<i64> =
            database::query_scalar("SELECT made_at FROM checkpoint WHERE tenant = ? AND size = ?")
                .bind(tenant.id)
                .bind(covers)
                .fetch_optional(&mut *connection)
                .await?;
        let note = ask::newest(connection, tenant.id, &origin).await?;
        let newest = note.zip(made_at).map(|(signed, made_at)| {
            let made_at = Timestamp::from_micros(made_at);
            let size = signed.size;
            (Covering { size, made_at }, signed.note)
        });
        let last: Option<i64> =
            database::query_scalar("SELECT max(seq) FROM leaf WHERE tenant = ?")
                .bind(tenant.id)
                .fetch_one(&mut *connection)
                .await?;
        let row = database::query(
            "SELECT checked, passed, passed_at, fault, failed_at FROM background_check WHERE tenant = ?",
        )
        .bind(tenant.id)
        .fetch_optional(connection)
        .await?;
        let mut standing = Standing {
            keys,
            newest,
            entries: count(last.unwrap_or(0))?,
            passed: None,
            checked: 0,
            fault: None,
            witnesses,
        };
        if let Some(row) = row {
            standing.checked = count(row.try_get(0)?)?;
            let (passed, at): (Option<i64>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
            standing.passed = match (passed, at) {
                (Some(passed), Some(at)) => Some((count(passed)?, Timestamp::from_micros(at))),
                _ => None,
            };
            let (fault, since): (Option<String>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
            standing.fault = fault.map(|words| Fault {
                tenant: tenant.slug.clone(),
                words,
                since: Timestamp::from_micros(since.unwrap_or(0)),
            });
        }
        Ok(standing)
    }
}

//! The keys that sign: the secret ones in the key file, the public ones, every one there ever was, in the
//! database.

use crate::{
    Store, StoreError,
    administration::By,
    database::{self, Connection},
    keys::{Key, Keys},
    sqlite::change::{Change, Log, target, told},
};
use domain::{proof::VerifierKey, time::Timestamp};
use serde_json::json;
use std::{fmt::Write as _, path::PathBuf};

/// The name of a key where it is not about a tenant's notes: no note is verified with it.
const NO_NOTES: &str = "daybook";

/// The public key of a secret one.
fn public(key: &Key) -> Result<VerifierKey, StoreError> {
    let signer = key.signer(NO_NOTES);
    let signer = signer.map_err(|error| StoreError::Keys(error.to_string()))?;
    Ok(signer.verifier())
}

fn hex(key: &VerifierKey) -> String {
    key.key().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Has the database know the public key of an installation's first signing key, where it does not yet.
pub(crate) async fn know_key(connection: &mut Connection, keys: &Keys) -> Result<(), StoreError> {
    let known: i64 = database::query_scalar("SELECT count(*) FROM signing_key")
        .fetch_one(&mut *connection)
        .await?;
    if known > 0 {
        return Ok(());
    }
    let public = public(&keys.signing)?;
    // Others may open the log at the same moment: it is there once.
    database::query(
        "INSERT INTO signing_key (id, public, since) SELECT 1, ?, created_at FROM installation \
         WHERE NOT EXISTS (SELECT 1 FROM signing_key)",
    )
    .bind(&public.key()[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// What a rotation was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The public key that signs from now on, in hexadecimal digits.
    pub key: String,
    /// The one that did before.
    pub before: String,
    /// When.
    pub at: Timestamp,
    /// The file that holds it.
    pub key_file: PathBuf,
}

impl Store {
    /// Makes a new signing key, which signs from now on; every tenant's log tells of it. What was signed
    /// before stays as good as it was. Cut short anywhere, the key file is right, and a new rotation goes
    /// on with the key that is in it.
    ///
    /// # Errors
    ///
    /// The key file cannot be written, or is not the one that the database knows, or the store failed.
    pub async fn rotate_key(&self, by: &By) -> Result<Rotated, StoreError> {
        // What the old key has to sign, it signs.
        self.cover().await?;
        let mut change = self.inner.change().await?;
        let begun = self.begin_rotation(&mut change, by).await;
        // From here on the database knows the new key, and the file both.
        let (signing, rotated) = change.finish(begun).await?;
        Keys::end_rotation(&self.inner.proof.key_file, &signing)?;
        self.inner.proof.sign_with(signing);
        // It is rotated, whatever keeps a log from being signed now: who asked is to know the new key.
        if let Err(error) = self.cover().await {
            tracing::warn!("the new key has not signed everything yet: {error}");
        }
        Ok(rotated)
    }

    async fn begin_rotation(
        &self,
        change: &mut Change<'_>,
        by: &By,
    ) -> Result<(Key, Rotated), StoreError> {
        let file = &self.inner.proof.key_file;
        let known: Vec<u8> = database::query_scalar("SELECT signing_key FROM installation")
            .fetch_one(change.connection())
            .await?;
        let gone = || {
            StoreError::Keys(format!(
                "the key file {} is not the one that signs now; run this where daybook key rotate was \
                 run last",
                file.display()
            ))
        };
        let keys = Keys::read(file)?
            .and_then(|keys| keys.signing_with(&known))
            .ok_or_else(gone)?;
        let before = public(&keys.signing)?;
        // A rotation whose end was cut short is ended with it.
        let (_, next) = keys.with_next_signing(file)?;
        let after = public(&next)?;
        let now = change.now;
        database::query("UPDATE signing_key SET until = ? WHERE until IS NULL")
            .bind(now.micros())
            .execute(change.connection())
            .await?;
        database::query(
            "INSERT INTO signing_key (id, public, since) SELECT max(id) + 1, ?, ? FROM signing_key",
        )
        .bind(&after.key()[..])
        .bind(now.micros())
        .execute(change.connection())
        .await?;
        database::query("UPDATE installation SET signing_key = ? WHERE one = 1")
            .bind(&next.fingerprint()[..])
            .execute(change.connection())
            .await?;
        let rotated = Rotated {
            key: hex(&after),
            before: hex(&before),
            at: now,
            key_file: file.clone(),
        };
        let tenants: Vec<(i64, String, String)> =
            database::query_as("SELECT id, slug, name FROM tenant ORDER BY id")
                .fetch_all(change.connection())
                .await?;
        for (tenant, slug, name) in tenants {
            let mut event = told(
                by,
                "AUDIT_SIGNING_KEY_ROTATED",
                target("tenant", slug, name)?,
                Some(json!({ "key": rotated.before })),
                Some(json!({ "key": rotated.key })),
            )?;
            event.description =
                Some("Checkpoints are signed with a new key from now on.".to_owned());
            let log = Log {
                ws: -tenant,
                tenant,
            };
            change.record(log, event).await?;
        }
        Ok((next, rotated))
    }
}

//! Witnesses come and go: by the operator, with the events that tell of it in every tenant's log.

use super::{FOR_EVER, NAME_MOST, NewWitness, Place};
use crate::{
    Store, StoreError,
    administration::{AdministrationError, By},
    database,
    revealing::seal,
    sqlite::change::{Change, Log, target, told},
};
use serde_json::{Value, json};

impl Store {
    /// Adds a witness, which gets each tenant's newest checkpoint from now on; every tenant's log tells of
    /// it.
    ///
    /// # Errors
    ///
    /// There is one of this name, or it cannot be called so, or the store failed.
    pub async fn add_witness(&self, new: &NewWitness, by: &By) -> Result<(), AdministrationError> {
        let is_name = !new.name.trim().is_empty()
            && new.name.chars().count() <= NAME_MOST
            && !new.name.chars().any(char::is_control);
        if !is_name {
            return Err(AdministrationError::Invalid(format!(
                "a witness's name has 1 to {NAME_MOST} characters in one line"
            )));
        }
        let token = match &new.place {
            Place::Daybook(_, token) => Some(seal(
                &self.inner.keys.witness,
                &new.name,
                FOR_EVER,
                token.reveal(),
            )?),
            _ => None,
        };
        let mut change = self.inner.change().await?;
        let added = add(&mut change, new, token, by).await;
        change.finish(added).await
    }

    /// Removes a witness, which gets no more checkpoints; every tenant's log tells of it. What it holds it
    /// keeps.
    ///
    /// # Errors
    ///
    /// There is none of this name, or the store failed.
    pub async fn remove_witness(&self, name: &str, by: &By) -> Result<(), AdministrationError> {
        let mut change = self.inner.change().await?;
        let removed = remove(&mut change, name, by).await;
        change.finish(removed).await
    }
}

async fn add(
    change: &mut Change<'_>,
    new: &NewWitness,
    token: Option<String>,
    by: &By,
) -> Result<(), AdministrationError> {
    let known: i64 = database::query_scalar("SELECT count(*) FROM witness WHERE name = ?")
        .bind(new.name.as_str())
        .fetch_one(change.connection())
        .await
        .map_err(StoreError::from)?;
    if known > 0 {
        return Err(AdministrationError::Exists(format!(
            "the witness {}",
            new.name
        )));
    }
    let key = match &new.place {
        Place::Tlog(_, key) => Some(key.to_string()),
        _ => None,
    };
    let every = i64::try_from(new.every.as_secs().max(1)).unwrap_or(i64::MAX);
    let added_by = by.actor.name.clone().or_else(|| os_user(by));
    let now = change.now;
    // Never that of another, which somebody may still be bringing something.
    let id: i64 = database::query_scalar(
        "INSERT INTO witness_number (one, last) \
         SELECT 1, coalesce(max(id), 0) + 1 FROM witness WHERE TRUE \
         ON CONFLICT (one) DO UPDATE SET last = witness_number.last + 1 RETURNING last",
    )
    .fetch_one(change.connection())
    .await
    .map_err(StoreError::from)?;
    database::query(
        "INSERT INTO witness (id, name, kind, address, public, token, every, added_by, added_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(new.name.as_str())
    .bind(new.place.kind())
    .bind(new.place.address())
    .bind(key.as_deref())
    .bind(token.as_deref())
    .bind(every)
    .bind(added_by.unwrap_or_else(|| "operator".to_owned()))
    .bind(now.micros())
    .execute(change.connection())
    .await
    .map_err(StoreError::from)?;
    let after = json!({
        "kind": new.place.kind(), "address": told_address(new.place.address()), "key": key,
        "every_seconds": every,
    });
    let told = Told {
        action: "AUDIT_WITNESS_ADDED",
        name: &new.name,
        before: None,
        after: Some(after),
    };
    Ok(tell(change, &told, by).await?)
}

async fn remove(change: &mut Change<'_>, name: &str, by: &By) -> Result<(), AdministrationError> {
    let row =
        database::query("SELECT id, kind, address, public, every FROM witness WHERE name = ?")
            .bind(name)
            .fetch_optional(change.connection())
            .await
            .map_err(StoreError::from)?;
    let Some(row) = row else {
        return Err(AdministrationError::Missing(format!("witness {name}")));
    };
    let columns = || {
        Ok::<_, sqlx::Error>((
            row.try_get::<i64>(0)?,
            row.try_get::<String>(1)?,
            row.try_get::<String>(2)?,
            row.try_get::<Option<String>>(3)?,
            row.try_get::<i64>(4)?,
        ))
    };
    let (id, kind, address, key, every) = columns().map_err(StoreError::from)?;
    for statement in [
        "DELETE FROM witnessed WHERE witness = ?",
        "DELETE FROM witness WHERE id = ?",
    ] {
        database::query(statement)
            .bind(id)
            .execute(change.connection())
            .await
            .map_err(StoreError::from)?;
    }
    let before = json!({
        "kind": kind, "address": told_address(&address), "key": key, "every_seconds": every,
    });
    let told = Told {
        action: "AUDIT_WITNESS_REMOVED",
        name,
        before: Some(before),
        after: None,
    };
    Ok(tell(change, &told, by).await?)
}

fn os_user(by: &By) -> Option<String> {
    let user = by.metadata.as_ref()?.get("os_user")?.as_str()?;
    Some(user.to_owned())
}

/// An address as the logs of all tenants may tell it: of one in the web whose it is, because a path may be as
/// secret as a password; of a folder nothing.
fn told_address(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or(host);
    Some(format!("{scheme}://{host}"))
}

/// What the log tells of a witness.
struct Told<'a> {
    action: &'static str,
    name: &'a str,
    before: Option<Value>,
    after: Option<Value>,
}

/// Tells of a witness in every tenant's log.
async fn tell(change: &mut Change<'_>, what: &Told<'_>, by: &By) -> Result<(), StoreError> {
    let tenants: Vec<i64> = database::query_scalar("SELECT id FROM tenant ORDER BY id")
        .fetch_all(change.connection())
        .await?;
    for tenant in tenants {
        let event = told(
            by,
            what.action,
            target("witness", what.name, what.name)?,
            what.before.clone(),
            what.after.clone(),
        )?;
        let log = Log {
            ws: -tenant,
            tenant,
        };
        change.record(log, event).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_tells_no_secret_of_an_address() {
        for (address, told) in [
            ("/var/witness", None),
            ("https://a.example/T0/B0/secret", Some("https://a.example")),
            (
                "https://u:p@a.example:8443/hook?key=s",
                Some("https://a.example:8443"),
            ),
            ("https://u:p@a.example", Some("https://a.example")),
            ("https://a.example?key=s", Some("https://a.example")),
            ("https://a.example#s", Some("https://a.example")),
        ] {
            assert_eq!(told_address(address).as_deref(), told);
        }
    }
}

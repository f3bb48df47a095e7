//! What releases by erasure name and cannot be read: it is noted, and passed over.

use super::super::{Store, change::Log, dictionaries::damaged};
use crate::{
    StoreError,
    database::{self, Connection, Dialect},
    erasure::{Damaged, Release},
};
use domain::event::EventId;
use std::collections::BTreeMap;
use uuid::Uuid;

/// An event that cannot be read, by its number: what is wrong.
pub(crate) type Damage = (i64, String);

/// What in a log an earlier release could not erase, by its number in the installation, or, on PostgreSQL,
/// in the tenant.
pub(super) async fn of_log(
    connection: &mut Connection,
    log: Log,
) -> Result<BTreeMap<i64, Damaged>, StoreError> {
    let statement = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT d.n, l.id, d.what FROM erasure_damage d JOIN leaf l ON l.n = d.n \
             WHERE l.ws = ? AND l.tenant = ?"
        }
        Dialect::Postgres => {
            "SELECT d.seq, l.id, d.what FROM erasure_damage d JOIN erasure r ON r.id = d.erasure \
             JOIN leaf l ON l.tenant = r.tenant AND l.seq = d.seq WHERE r.ws = ? AND r.tenant = ?"
        }
    };
    let rows: Vec<(i64, Vec<u8>, String)> = database::query_as(statement)
        .bind(log.ws)
        .bind(log.tenant)
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|(n, id, what)| Ok((n, read(&id, what)?)))
        .collect()
}

fn read(id: &[u8], what: String) -> Result<Damaged, StoreError> {
    let id = Uuid::from_slice(id).map_err(|_| damaged("an id is broken"))?;
    let id = EventId(id);
    Ok(Damaged { id, what })
}

/// Tells the server's log of what is passed over.
pub(crate) fn tell(id: &[u8], what: &str) {
    match Uuid::from_slice(id) {
        Ok(id) => tracing::error!("event {id} cannot be read, and is not erased: {what}"),
        Err(_) => tracing::error!("an event cannot be read, and is not erased: {what}"),
    }
}

impl Store {
    /// What of some releases could not be erased, because it cannot be read: all else of them was, or is
    /// going to be.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn erasure_damage(&self, releases: &[Release]) -> Result<Vec<Damaged>, StoreError> {
        let ids: Vec<i64> = releases.iter().map(|release| release.id).collect();
        let mut connection = self.inner.readers.acquire().await?;
        let connection = &mut *connection;
        if connection.dialect() == Dialect::Sqlite {
            let rows: Vec<(Vec<u8>, String)> = database::query_as(
                "SELECT l.id, d.what FROM erasure_damage d JOIN leaf l ON l.n = d.n \
                 WHERE d.erasure IN (SELECT value FROM json_each(?)) ORDER BY d.n",
            )
            .bind(ids)
            .fetch_all(connection)
            .await?;
            return rows.into_iter().map(|(id, what)| read(&id, what)).collect();
        }
        let rows: Vec<(i64, i64, String)> = database::query_as(
            "SELECT r.tenant, d.seq, d.what FROM erasure_damage d JOIN erasure r ON r.id = d.erasure \
             WHERE d.erasure IN (SELECT value FROM json_each(?)) ORDER BY r.tenant, d.seq",
        )
        .bind(ids)
        .fetch_all(&mut *connection)
        .await?;
        let mut all = Vec::with_capacity(rows.len());
        // Each node is asked for its tenants' entries.
        for of_tenant in rows.chunk_by(|one, next| one.0 == next.0) {
            let tenant = of_tenant.first().map(|(tenant, ..)| *tenant);
            let seqs: Vec<i64> = of_tenant.iter().map(|(_, seq, _)| *seq).collect();
            let ids: Vec<(i64, Vec<u8>)> = database::query_as(
                "SELECT seq, id FROM leaf WHERE tenant = ? AND seq IN (SELECT value FROM json_each(?))",
            )
            .bind(tenant)
            .bind(seqs)
            .fetch_all(&mut *connection)
            .await?;
            let ids: BTreeMap<i64, Vec<u8>> = ids.into_iter().collect();
            for (_, seq, what) in of_tenant {
                if let Some(id) = ids.get(seq) {
                    all.push(read(id, what.clone())?);
                }
            }
        }
        Ok(all)
    }
}

//! Which of a group's events were recorded before, by their keys.

use super::{Known, number_of};
use crate::{
    StoreError,
    recording::Placed,
    sqlite::{Admitted, dictionaries::damaged},
};
use domain::{event::EventId, time::Timestamp};
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Where the events with the group's keys are that were recorded before.
pub(super) type ByKey = HashMap<(i64, i64, i64), Placed>;

pub(super) async fn placed(
    connection: &mut PgConnection,
    known: &Known,
    events: &[Admitted],
) -> Result<ByKey, StoreError> {
    let with_key: BTreeSet<i64> = events
        .iter()
        .filter(|event| event.key.is_some())
        .map(|event| event.tenant)
        .collect();
    let mut earlier = ByKey::new();
    for tenants in known.apart(with_key.into_iter().collect()) {
        if !tenants.is_empty() {
            placed_of(connection, tenants, events, &mut earlier).await?;
        }
    }
    Ok(earlier)
}

/// The same of some tenants. Each key is looked for by itself (`OFFSET 0`), whatever the server believes of
/// tables that it has not looked at yet.
async fn placed_of(
    connection: &mut PgConnection,
    tenants: Vec<i64>,
    events: &[Admitted],
    earlier: &mut ByKey,
) -> Result<(), StoreError> {
    let mut columns: [Vec<i64>; 4] = Default::default();
    for event in events {
        if let Some(hash) = event.key
            && tenants.binary_search(&event.tenant).is_ok()
        {
            let [of, logs, keys, rests] = &mut columns;
            of.push(event.tenant);
            logs.push(event.ws);
            keys.push(hash.key);
            rests.push(hash.rest);
        }
    }
    let [of, logs, keys, rests] = columns;
    let found: Vec<(i64, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT k.tenant, k.seq, k.ws, k.key, k.key_rest \
         FROM unnest($1, $2, $3, $4) AS x(tenant, ws, key, rest) CROSS JOIN LATERAL ( \
             SELECT * FROM idempotency i WHERE i.tenant = ANY($5) AND i.tenant = x.tenant \
                 AND i.ws = x.ws AND i.key = x.key AND i.key_rest = x.rest OFFSET 0) k",
    )
    .bind(of)
    .bind(logs)
    .bind(keys)
    .bind(rests)
    .bind(tenants)
    .fetch_all(&mut *connection)
    .await?;
    let mut by_tenant: BTreeMap<i64, HashMap<i64, (i64, i64, i64)>> = BTreeMap::new();
    for (tenant, seq, ws, key, rest) in found {
        let of_tenant = by_tenant.entry(tenant).or_default();
        of_tenant.insert(seq, (ws, key, rest));
    }
    for (tenant, keys) in by_tenant {
        let numbers: Vec<i64> = keys.keys().copied().collect();
        let rows = sqlx::query(
            "SELECT id, seq, recorded_at FROM leaf WHERE tenant = $1 AND seq = ANY($2)",
        )
        .bind(tenant)
        .bind(numbers)
        .fetch_all(&mut *connection)
        .await?;
        for row in &rows {
            let id = Uuid::from_slice(row.try_get(0)?).map_err(|_| damaged("an id is broken"))?;
            let seq = row.try_get(1)?;
            let key = keys
                .get(&seq)
                .ok_or_else(|| damaged("a key is of no event"))?;
            let placed = Placed {
                id: EventId(id),
                seq: number_of(seq)?,
                recorded_at: Timestamp::from_micros(row.try_get(2)?),
            };
            earlier.insert(*key, placed);
        }
    }
    Ok(())
}

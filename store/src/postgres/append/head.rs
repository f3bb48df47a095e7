//! The ends of tenants' logs, while they are held.

use super::{
    Known,
    places::Places,
    tenants,
    texts::{Texts, extent, lost_texts},
};
use crate::{
    StoreError,
    dictionary::Sizes,
    ids::Ids,
    sqlite::{
        Admitted,
        dictionaries::{Shared, damaged},
    },
};
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// The end of a tenant's log while its row is held.
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) ids: Ids,
    pub(super) last: Option<Uuid>,
}

/// Holds the heads of the group's tenants until the transaction ends.
pub(super) async fn hold_heads(
    connection: &mut PgConnection,
    known: &Known,
    events: &[Admitted],
) -> Result<HashMap<i64, Head>, StoreError> {
    const HEADS: &str = "SELECT tenant, seq, id FROM tenant_head WHERE tenant = ANY($1) \
        ORDER BY tenant FOR UPDATE";
    let mut rows = Vec::new();
    for tenants in known.apart(tenants(events)) {
        let mut held = sqlx::query(HEADS)
            .bind(tenants.clone())
            .fetch_all(&mut *connection)
            .await?;
        if held.len() < tenants.len() {
            for tenant in &tenants {
                sqlx::query("INSERT INTO tenant_head (tenant) VALUES ($1) ON CONFLICT DO NOTHING")
                    .bind(*tenant)
                    .execute(&mut *connection)
                    .await?;
            }
            // In a new statement: the one that waited for another to add a row does not see it.
            held = sqlx::query(HEADS)
                .bind(tenants)
                .fetch_all(&mut *connection)
                .await?;
        }
        rows.extend(held);
    }
    let mut heads = HashMap::new();
    for row in &rows {
        let id: Option<&[u8]> = row.try_get(2)?;
        let id = id.map(Uuid::from_slice).transpose();
        let last = id.map_err(|_| damaged("the last id is broken"))?;
        let head = Head {
            seq: row.try_get(1)?,
            ids: Ids::after(last),
            last,
        };
        heads.insert(row.try_get(0)?, head);
    }
    Ok(heads)
}

/// Whether what was looked at before the heads were held is still so.
pub(super) async fn still_so(
    connection: &mut PgConnection,
    known: &Known,
    events: &[Admitted],
    places: &Places,
    texts: &Texts,
) -> Result<bool, StoreError> {
    let logs: HashSet<i64> = events.iter().map(|event| event.ws).collect();
    // Before the statement, which sees all that others added until then.
    let read: HashMap<i64, (&Arc<Shared>, Sizes)> = texts
        .iter()
        .map(|((_, ws), additions)| {
            let shared = additions.shared();
            (*ws, (shared, shared.read().sizes()))
        })
        .collect();
    let rows = now_so(connection, known, events, &logs).await?;
    let mut off = BTreeSet::new();
    for row in &rows {
        let ws: i64 = row.try_get(1)?;
        if row.try_get(0)? {
            let extent = extent(row, 2)?;
            if let Some((shared, sizes)) = read.get(&ws) {
                if extent.is_behind(*sizes) {
                    lost_texts(&known.dictionaries, ws, shared);
                    return Ok(false);
                }
                if shared.emptied() != extent.emptied() {
                    return Ok(false);
                }
            }
        } else {
            off.insert(ws);
        }
    }
    Ok(logs
        .iter()
        .all(|ws| off.contains(ws) == places.off.contains(ws)))
}

/// Which workspaces of a group's tenants do not record (FALSE), and how far its logs' texts go (TRUE).
async fn now_so(
    connection: &mut PgConnection,
    known: &Known,
    events: &[Admitted],
    logs: &HashSet<i64>,
) -> Result<Vec<PgRow>, StoreError> {
    macro_rules! off {
        () => {
            "SELECT FALSE, w.id, 0, 0, 0, 0, 0, 0, 0 FROM workspace w \
             WHERE w.tenant = ANY($1) AND NOT w.recording"
        };
    }
    macro_rules! extents {
        () => {
            "SELECT TRUE, t.ws, t.actor, t.via, t.action, t.kind, t.target, t.related, t.emptied \
             FROM text_head t WHERE t.tenant = ANY($1) AND t.ws = ANY($2)"
        };
    }
    const TOGETHER: &str = concat!(off!(), " UNION ALL ", extents!());
    let tenants = tenants(events);
    let logs: Vec<i64> = logs.iter().copied().collect();
    if !known.is_distributed {
        let rows = sqlx::query(TOGETHER).bind(tenants).bind(logs);
        return Ok(rows.fetch_all(connection).await?);
    }
    // The coordinator has the one, and a node the other.
    let mut rows = sqlx::query(off!())
        .bind(tenants.clone())
        .fetch_all(&mut *connection)
        .await?;
    for tenants in known.apart(tenants) {
        let extents = sqlx::query(extents!()).bind(tenants).bind(logs.clone());
        rows.extend(extents.fetch_all(&mut *connection).await?);
    }
    Ok(rows)
}

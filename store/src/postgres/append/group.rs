//! A group of events: what becomes of each, and what is written of it.

use super::{
    head::Head,
    is_own,
    keys::ByKey,
    log_rows::{Lies, LogRows, Says},
    number_of,
    places::Places,
    texts::Texts,
};
use crate::{
    StoreError,
    recording::{Placed, Receipt},
    sqlite::{
        Admitted,
        append::{outcome_number, source_number},
        dictionaries::damaged,
    },
};
use domain::{event::EventId, time::Timestamp};
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashMap};

/// What becomes of an event of a group.
#[derive(Clone, Copy)]
enum Fate {
    /// It is this one of its tenant's in the group, counted from 1.
    New(i64),
    /// It was recorded before.
    Recorded(Placed),
    /// It is the same as an earlier one of the group.
    SameAs(usize),
    Discarded,
}

/// A group of events on its way into the log.
pub(super) struct Group<'a> {
    events: &'a [Admitted],
    places: &'a Places,
    fates: Vec<Fate>,
    pub(super) receipts: Vec<Receipt>,
    /// Numbered in the group, until their tenants' heads are held.
    rows: LogRows,
    discarded: BTreeMap<i64, i64>,
}

impl<'a> Group<'a> {
    /// Makes the rows of what is new. All of this can be done before the tenants' heads are held.
    pub(super) fn compose(
        events: &'a [Admitted],
        places: &'a Places,
        placed: &ByKey,
        texts: &mut Texts,
    ) -> Result<Self, StoreError> {
        let mut group = Self {
            events,
            places,
            fates: Vec::with_capacity(events.len()),
            receipts: Vec::with_capacity(events.len()),
            rows: LogRows::default(),
            discarded: BTreeMap::new(),
        };
        let mut own: HashMap<(i64, i64, i64), usize> = HashMap::new();
        let mut counted: HashMap<i64, i64> = HashMap::new();
        for (at, event) in events.iter().enumerate() {
            let key = event.key.map(|hash| (event.ws, hash.key, hash.rest));
            let before = key.and_then(|key| match placed.get(&key) {
                Some(placed) => Some(Fate::Recorded(*placed)),
                None => own.get(&key).map(|at| Fate::SameAs(*at)),
            });
            let fate = if let Some(before) = before {
                before
            } else if !is_own(event) && places.off.contains(&event.ws) {
                *group.discarded.entry(event.ws).or_default() += 1;
                Fate::Discarded
            } else {
                let texts = texts
                    .get_mut(&(event.tenant, event.ws))
                    .ok_or_else(|| damaged("a log has no texts"))?;
                let count = counted.entry(event.tenant).or_default();
                *count += 1;
                let says = Says {
                    outcome: outcome_number(event.event.outcome),
                    operation: event.event.operation.as_deref(),
                    key: event.key,
                    salt: &event.salt.0,
                    source: event.source.map(source_number),
                    keep: event.keep,
                    body: event.body.as_deref(),
                    erased: None,
                    proofs: None,
                };
                let lies = Lies {
                    tenant: event.tenant,
                    ws: event.ws,
                    seq: *count,
                    at: event.occurred_at.micros(),
                    class: places.class(event),
                };
                group.rows.add_content(lies, &says, &texts.numbers(event));
                own.extend(key.map(|key| (key, at)));
                Fate::New(*count)
            };
            group.fates.push(fate);
        }
        Ok(group)
    }

    /// Numbers what is new after the ends of the tenants' logs.
    pub(super) fn number(
        &mut self,
        heads: &mut HashMap<i64, Head>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ends: HashMap<i64, i64> = heads
            .iter()
            .map(|(tenant, head)| (*tenant, head.seq))
            .collect();
        for (event, fate) in self.events.iter().zip(&self.fates) {
            let receipt = match *fate {
                Fate::Recorded(placed) => Receipt::Duplicate(placed),
                Fate::SameAs(at) => match self.receipts.get(at) {
                    Some(Receipt::Recorded(placed)) => Receipt::Duplicate(*placed),
                    _ => return Err(damaged("an event is the same as one that is not recorded")),
                },
                Fate::Discarded => Receipt::Discarded,
                Fate::New(count) => {
                    let head = heads
                        .get_mut(&event.tenant)
                        .ok_or_else(|| damaged("a tenant has no head"))?;
                    let end = ends.get(&event.tenant).copied().unwrap_or(0);
                    let recorded_at = event.recorded_at.unwrap_or(now);
                    head.seq = end + count;
                    let id = head.ids.next(recorded_at)?;
                    head.last = Some(id);
                    let lies = Lies {
                        tenant: event.tenant,
                        ws: event.ws,
                        seq: head.seq,
                        at: event.occurred_at.micros(),
                        class: self.places.class(event),
                    };
                    let recorded = recorded_at.micros();
                    self.rows.add_leaf(lies, &id, recorded, &event.parts);
                    Receipt::Recorded(Placed {
                        id: EventId(id),
                        seq: number_of(head.seq)?,
                        recorded_at,
                    })
                }
            };
            self.receipts.push(receipt);
        }
        self.rows.number_after(&ends);
        Ok(())
    }

    /// Writes the keys; or not, where somebody recorded an event with one since they were looked for.
    pub(super) async fn write_keys(
        &mut self,
        connection: &mut PgConnection,
    ) -> Result<bool, StoreError> {
        match self.rows.write_keys(connection).await {
            Ok(()) => Ok(true),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes all other rows, and where the tenants' logs end now.
    pub(super) async fn write(
        &mut self,
        connection: &mut PgConnection,
        heads: &HashMap<i64, Head>,
    ) -> Result<(), StoreError> {
        std::mem::take(&mut self.rows).write(connection).await?;
        for (ws, events) in &self.discarded {
            sqlx::query("UPDATE workspace SET discarded = discarded + $2 WHERE id = $1")
                .bind(*ws)
                .bind(*events)
                .execute(&mut *connection)
                .await?;
        }
        for (tenant, head) in heads {
            sqlx::query("UPDATE tenant_head SET seq = $2, id = $3 WHERE tenant = $1")
                .bind(*tenant)
                .bind(head.seq)
                .bind(head.last.map(|id| id.as_bytes().to_vec()))
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

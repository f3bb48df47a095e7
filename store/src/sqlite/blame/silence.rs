//! What a log does not tell of an object.

use super::{
    super::{
        snapshot::{Shelf, Snapshot},
        tail::{Column, Row},
    },
    list,
};
use crate::{
    StoreError,
    database::{self, Connection, Dialect},
    dictionary::Number,
    plan::Numbers,
};
use domain::{
    blame::{Silence, Unassigned},
    event::{Source, Target},
    question::{Filter, Subject},
    time::Timestamp,
};
use std::sync::Arc;

/// So many times when recording was switched are looked at, the last ones.
const SWITCHES_MOST: usize = 1_000;

/// So many events of which it was erased what they were about.
const UNASSIGNED_MOST: i64 = 1_000;

/// How Daybook tells that recording was switched on or off.
const RECORDING: &str = "AUDIT_RECORDING_UPDATED";

impl Snapshot {
    /// What the log of an object does not tell until a moment.
    pub(super) async fn silence(
        &mut self,
        shelf: &Shelf,
        subject: &Subject,
        (until, looking): (Timestamp, &[Number]),
    ) -> Result<Silence, StoreError> {
        let log = shelf.log;
        let connection = self.transaction.connection();
        let released: Option<i64> =
            database::query_scalar("SELECT max(before) FROM release WHERE ws = ?")
                .bind(log.ws)
                .fetch_one(&mut *connection)
                .await?;
        let switches = Filter {
            action: RECORDING.parse().into_iter().collect(),
            ..Filter::default()
        };
        let switches = shelf.texts.read().actions_named(&switches);
        let switches = switches.unwrap_or_default();
        let numbers = by_actions(connection, shelf, (&switches, SWITCHES_MOST), self.head).await?;
        let texts = [(log.ws, Arc::clone(&shelf.texts))];
        let tenant = self.scope.tenant();
        let inner = &self.store.inner;
        let events = inner.events(connection, tenant, &texts, &numbers, None);
        let mut off: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
        let events = events.await?;
        let first = events.first().map(|event| event.occurred_at);
        for event in events {
            // Nobody can send an event that says that it is Daybook's.
            let after = event.after.as_ref();
            let is_on = after.and_then(|after| after.get("recording")?.as_bool());
            let is_ours = event.source == Some(Source::Daybook);
            match (is_on.filter(|_| is_ours), off.last_mut()) {
                (Some(true), Some(last)) if last.1.is_none() => last.1 = Some(event.occurred_at),
                (Some(false), last) if last.as_ref().is_none_or(|last| last.1.is_some()) => {
                    off.push((event.occurred_at, None));
                }
                _ => {}
            }
        }
        let connection = self.transaction.connection();
        let objects_erased = unassigned(connection, shelf, subject, (until, looking)).await?;
        Ok(Silence {
            released_before: released.map(Timestamp::from_micros),
            off,
            objects_erased,
            unread_before: first.filter(|_| numbers.len() == SWITCHES_MOST),
        })
    }
}

/// The events until a moment of which it was erased what they were about, where it was something of an
/// object's kind. Of those with one of the actions `looking`, nothing changed.
async fn unassigned(
    connection: &mut Connection,
    shelf: &Shelf,
    subject: &Subject,
    (until, looking): (Timestamp, &[Number]),
) -> Result<Option<Unassigned>, StoreError> {
    let log = shelf.log;
    let of_its_kind = Target {
        kind: subject.kind.clone(),
        id: None,
        name: None,
        url: None,
    };
    let Some(stand_in) = shelf.texts.read().target_number(&of_its_kind) else {
        return Ok(None);
    };
    let numbered = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT e.n FROM erasure_event e JOIN erasure r ON r.id = e.erasure \
             WHERE e.target = ? AND e.parts & 8 <> 0 AND r.ws = ? ORDER BY e.n DESC LIMIT ?"
        }
        Dialect::Postgres => {
            "SELECT e.seq FROM erasure_event e JOIN erasure r ON r.id = e.erasure \
             WHERE e.target = ? AND e.parts & 8 <> 0 AND r.ws = ? ORDER BY e.seq DESC LIMIT ?"
        }
    };
    let numbers: Vec<i64> = database::query_scalar(numbered)
        .bind(i64::from(stand_in))
        .bind(log.ws)
        .bind(UNASSIGNED_MOST)
        .fetch_all(&mut *connection)
        .await?;
    if numbers.is_empty() {
        return Ok(None);
    }
    let are_all = i64::try_from(numbers.len()).is_ok_and(|looked_at| looked_at < UNASSIGNED_MOST);
    let query = match connection.dialect() {
        Dialect::Sqlite => database::query_as(
            "SELECT count(*), min(l.occurred_at), max(l.occurred_at) \
             FROM json_each(?) j CROSS JOIN leaf l ON l.n = j.value CROSS JOIN content c ON c.n = l.n \
             WHERE c.erased & 8 <> 0 AND c.outcome = 0 AND l.occurred_at <= ? \
                 AND c.action NOT IN (SELECT value FROM json_each(?))",
        )
        .bind(numbers),
        Dialect::Postgres => database::query_as(
            "SELECT count(*), min(l.occurred_at), max(l.occurred_at) \
             FROM unnest(?1) j(value) JOIN LATERAL ( \
                 SELECT * FROM leaf WHERE tenant = ?2 AND seq = j.value OFFSET 0) l ON TRUE JOIN LATERAL ( \
                 SELECT * FROM content WHERE tenant = ?2 AND ws = l.ws AND at = l.occurred_at \
                     AND seq = l.seq AND class = l.class OFFSET 0) c ON TRUE \
             WHERE c.erased & 8 <> 0 AND c.outcome = 0 AND l.occurred_at <= ?3 AND c.action <> ALL(?4)",
        )
        .bind(numbers)
        .bind(log.tenant),
    };
    let (events, since, last): (i64, Option<i64>, Option<i64>) = query
        .bind(until.micros())
        .bind(list(looking))
        .fetch_one(connection)
        .await?;
    Ok(last.map(|last| Unassigned {
        events: events.unsigned_abs(),
        since: since.filter(|_| are_all).map(Timestamp::from_micros),
        until: Timestamp::from_micros(last),
    }))
}

/// The numbers of the events with one of these actions, the last ones, in the order of time.
pub(super) async fn by_actions(
    connection: &mut Connection,
    shelf: &Shelf,
    (actions, most): (&Numbers, usize),
    up_to: i64,
) -> Result<Vec<i64>, StoreError> {
    if actions.is_empty() {
        return Ok(Vec::new());
    }
    let log = shelf.log;
    let query = match connection.dialect() {
        Dialect::Sqlite => database::query_as(
            "SELECT x.at, x.n FROM json_each(?2) j CROSS JOIN i.by_action x \
             WHERE x.ws = ?1 AND x.key = j.value AND x.n <= ?3 \
             ORDER BY x.at DESC, x.n DESC LIMIT ?4",
        )
        .bind(log.ws),
        Dialect::Postgres => database::query_as(
            "SELECT at, n FROM by_action WHERE tenant = ?1 AND ws = ?2 AND key = ANY(?3) AND n <= ?4 \
             ORDER BY at DESC, n DESC LIMIT ?5",
        )
        .bind(log.tenant)
        .bind(log.ws),
    };
    let mut places: Vec<(i64, i64)> = query
        .bind(list(actions.list()))
        .bind(up_to)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    let own = vec![(Column::Action, actions)];
    let in_tail = shelf.tail.any_of(&own, up_to);
    places.extend(in_tail.map(Row::place));
    places.sort_unstable();
    places.drain(..places.len().saturating_sub(most));
    Ok(places.into_iter().map(|(_, n)| n).collect())
}

//! The rows of events, on their way into the log, whoever writes them.

use super::LogId;
use crate::{
    StoreError,
    postgres::rows::Rows,
    sqlite::{KeyHash, append::Numbered},
};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Of what there are so many: see the table `tally`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
enum What {
    Actor = 1,
    Action = 2,
    Kind = 3,
    Target = 4,
    Outcome = 5,
    ActionOfActor = 6,
    ActionToKind = 7,
    Via = 8,
}

/// By how much the tallies of a log change.
#[derive(Debug, Default)]
struct Tallies(HashMap<(What, u32, u32), (i32, i32)>);

impl Tallies {
    fn add(&mut self, what: What, key: u32, other: u32, events: i32) {
        let (all, entries) = self.0.entry((what, key, other)).or_default();
        *all += events;
        *entries += 1;
    }

    /// Counts an event.
    fn count(&mut self, outcome: u32, numbers: &Numbered) {
        self.add(What::Actor, numbers.actor, 0, 1);
        self.add(What::Action, numbers.action, 0, 1);
        self.add(What::Kind, numbers.kind, 0, 1);
        self.add(What::Target, numbers.target, 0, 1);
        self.add(What::Outcome, outcome, 0, 1);
        self.add(What::ActionOfActor, numbers.action, numbers.actor, 1);
        self.add(What::ActionToKind, numbers.action, numbers.kind, 1);
        for (what, key) in numbers.beside() {
            match what {
                1 => {
                    self.add(What::Actor, key, 0, 0);
                    self.add(What::Via, key, numbers.actor, 1);
                }
                2 => self.add(What::Target, key, 0, 0),
                _ => self.add(What::Kind, key, 0, 0),
            }
        }
    }
}

/// The rows of events, on their way into the log.
#[derive(Debug, Default)]
pub(crate) struct LogRows {
    leaves: Rows,
    contents: Rows,
    entries: Rows,
    keys: Rows,
    tallies: HashMap<LogId, Tallies>,
    classes: HashSet<(i64, i64, i16)>,
    /// The last number of each tenant's.
    last: HashMap<i64, i64>,
}

/// Where an event lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lies {
    pub(crate) tenant: i64,
    pub(crate) ws: i64,
    pub(crate) seq: i64,
    /// When it occurred.
    pub(crate) at: i64,
    pub(crate) class: i16,
}

/// What it says, beside its texts.
#[derive(Debug)]
pub(crate) struct Says<'a> {
    pub(crate) outcome: u8,
    pub(crate) operation: Option<&'a str>,
    pub(crate) key: Option<KeyHash>,
    pub(crate) salt: &'a [u8; 16],
    pub(crate) source: Option<i64>,
    pub(crate) keep: bool,
    pub(crate) body: Option<&'a str>,
    /// Which parts are gone, as bits, and what proves all then: of what is copied.
    pub(crate) erased: Option<i64>,
    pub(crate) proofs: Option<&'a [u8]>,
}

impl LogRows {
    /// Makes the row of a leaf.
    pub(crate) fn add_leaf(&mut self, lies: Lies, id: &Uuid, recorded_at: i64, parts: &[u8; 32]) {
        self.last.insert(lies.tenant, lies.seq);
        self.leaves
            .row()
            .big(lies.tenant)
            .big(lies.seq)
            .bytes(id.as_bytes())
            .big(lies.ws)
            .big(lies.at)
            .big(recorded_at)
            .bytes(parts)
            .small(lies.class);
    }

    /// Makes the rows of what an event says, and counts it.
    pub(crate) fn add_content(&mut self, lies: Lies, says: &Says<'_>, numbers: &Numbered) {
        let Lies {
            tenant,
            ws,
            seq,
            at,
            class,
        } = lies;
        let outcome = i16::from(says.outcome);
        self.classes.insert((tenant, ws, class));
        let contents = self.contents.row();
        contents.big(tenant).small(class).big(at).big(seq).big(ws);
        contents
            .number(numbers.actor)
            .number_or_null(numbers.via)
            .number(numbers.action)
            .number(numbers.kind)
            .number(numbers.target)
            .number_or_null(numbers.related)
            .small(outcome)
            .text_or_null(says.operation)
            .big_or_null(says.key.map(|hash| hash.key))
            .big_or_null(says.key.map(|hash| hash.rest))
            .bytes(says.salt);
        contents.small_or_null(says.source.and_then(|source| i16::try_from(source).ok()));
        contents.flag(says.keep).text_or_null(says.body);
        contents
            .small_or_null(says.erased.and_then(|erased| i16::try_from(erased).ok()))
            .bytes_or_null(says.proofs);
        for (what, key) in numbers.beside() {
            let entries = self.entries.row();
            entries.big(tenant).small(class).big(at).big(seq).big(ws);
            entries
                .small(what)
                .number(key)
                .number(numbers.actor)
                .number_or_null(numbers.via)
                .number(numbers.action)
                .number(numbers.kind)
                .number(numbers.target)
                .number_or_null(numbers.related)
                .small(outcome);
        }
        if let Some(hash) = says.key {
            let keys = self.keys.row();
            keys.big(tenant)
                .big(ws)
                .big(hash.key)
                .big(hash.rest)
                .big(seq);
        }
        let tallies = self.tallies.entry((tenant, ws)).or_default();
        tallies.count(u32::from(says.outcome), numbers);
    }

    /// Has what is counted of a tenant stand under another number than that of its last event.
    pub(crate) fn tally_as(&mut self, tenant: i64, n: i64) {
        self.last.insert(tenant, n);
    }

    /// Adds to the numbers of all but leaves where their tenants' logs ended.
    pub(super) fn number_after(&mut self, ends: &HashMap<i64, i64>) {
        const TENANT: usize = 0;
        for (rows, number) in [
            (&mut self.contents, 3),
            (&mut self.entries, 3),
            (&mut self.keys, 4),
        ] {
            rows.add_by(TENANT, number, ends);
        }
    }

    /// Writes the keys.
    pub(super) async fn write_keys(
        &mut self,
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        const KEYS: &str = "idempotency (tenant, ws, key, key_rest, seq)";
        std::mem::take(&mut self.keys).write(connection, KEYS).await
    }

    /// Writes all rows that are not written yet.
    pub(crate) async fn write(mut self, connection: &mut PgConnection) -> Result<(), StoreError> {
        self.write_keys(connection).await?;
        let taken = |rows: &mut Rows| std::mem::take(rows);
        let into = "leaf (tenant, seq, id, ws, occurred_at, recorded_at, parts, class)";
        taken(&mut self.leaves).write(connection, into).await?;
        let into = "content (tenant, class, at, seq, ws, actor, via, action, kind, \
            target, related, outcome, operation, key, key_rest, salt, source, keep, body, \
            erased, proofs)";
        taken(&mut self.contents).write(connection, into).await?;
        let into = "entry (tenant, class, at, seq, ws, what, key, actor, via, action, \
            kind, target, related, outcome)";
        taken(&mut self.entries).write(connection, into).await?;
        for ((tenant, ws), tallies) in &self.tallies {
            let mut rows = Rows::default();
            for ((what, key, other), (events, entries)) in &tallies.0 {
                rows.row().small(*what as i16).number(*key).number(*other);
                rows.integer(*events).integer(*entries);
            }
            let last = self.last.get(tenant).copied().unwrap_or(0);
            let statement = "INSERT INTO tally_change \
                    (tenant, ws, n, what, key, other, events, entries) \
                SELECT $1, $2, $3, what, array_agg(key), array_agg(other), array_agg(events), \
                    array_agg(entries) \
                FROM unnest($4, $5, $6, $7, $8) x(what, key, other, events, entries) \
                GROUP BY what";
            rows.write_of([*tenant, *ws, last], connection, statement)
                .await?;
        }
        for (tenant, ws, class) in &self.classes {
            sqlx::query(
                "INSERT INTO log_class (tenant, ws, class) VALUES ($1, $2, $3) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(*tenant)
            .bind(*ws)
            .bind(*class)
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }
}

//! Whether two databases hold the same installation: each is read by itself, and hashed.

use super::{
    end::End,
    read::{self, Event, TenantLog},
    tables::{
        ACTION, ACTOR, ADMINISTERED, HOLD, INSTALLATION, KIND, RELATED, Row, TARGET, TEXTS, VIA,
        hash_bytes, hash_values,
    },
};
use crate::{
    StoreError,
    database::{Connection, Value},
    dictionary::Number,
    sqlite::damaged,
};
use domain::event::EventId;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// So many events are read at a time.
const EVENTS: i64 = 1_000;
/// So many texts are.
const TEXTS_AT_ONCE: usize = 5_000;

type Hash = [u8; 32];

/// What two databases were found to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Same {
    /// The hash over all leaves and contents, all releases and holds, and all that is administered.
    pub(super) hash: Hash,
    /// How many events were recorded.
    pub(super) events: u64,
    /// Of how many it is still known what they say.
    pub(super) contents: u64,
}

/// The first thing in which two databases differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// An event.
    #[error("of the tenant {tenant}, the first that differs is number {seq}, {id}")]
    Event {
        /// Its tenant.
        tenant: String,
        /// Its number.
        seq: i64,
        /// Its id.
        id: EventId,
    },
    /// One of them has more events.
    #[error("of the tenant {tenant}, one has {source_last} events and the other {target_last}")]
    Length {
        /// The tenant.
        tenant: String,
        /// How many there are in the one that is copied.
        source_last: i64,
        /// How many there are in the other.
        target_last: i64,
    },
    /// Texts that no event names.
    #[error("of the tenant {tenant}, texts differ that no event names any more")]
    Texts {
        /// The tenant.
        tenant: String,
    },
    /// What is administered.
    #[error("of what is administered, the table {0} differs")]
    Administered(&'static str),
    /// Releases by retention.
    #[error("release {0} differs")]
    Release(i64),
}

/// Hashes of the texts of a log, by number.
#[derive(Debug, Default)]
struct Texts([Vec<Hash>; 6]);

impl Texts {
    fn at(&self, table: usize, number: Number) -> Result<&Hash, StoreError> {
        (number as usize)
            .checked_sub(1)
            .and_then(|at| self.0[table].get(at))
            .ok_or_else(|| damaged("an event names a text that is not there"))
    }

    /// Hashes a row with what it refers to.
    fn add(&mut self, table: usize, row: &Row) -> Result<(), StoreError> {
        let mut hash = Sha256::new();
        let broken = || damaged("a text is broken");
        match (table, &row[..]) {
            (TARGET, [Value::Integer(kind), said @ ..]) => {
                let kind = Number::try_from(*kind).map_err(|_| broken())?;
                hash.update(self.at(KIND, kind)?);
                hash_values(&mut hash, said);
            }
            (VIA | RELATED, [Value::Text(members)]) => {
                let members: Vec<Number> = serde_json::from_str(members).map_err(|_| broken())?;
                let of = if table == VIA { ACTOR } else { TARGET };
                for member in members {
                    hash.update(self.at(of, member)?);
                }
            }
            _ => hash_values(&mut hash, row),
        }
        self.0[table].push(hash.finalize().into());
        Ok(())
    }

    /// Reads the texts of a log.
    async fn of(connection: &mut Connection, log: (i64, i64)) -> Result<Self, StoreError> {
        let mut texts = Self::default();
        // What is referred to first.
        for table in [KIND, ACTION, ACTOR, TARGET, VIA, RELATED] {
            let mut after = 0;
            loop {
                let some =
                    read::texts(connection, &TEXTS[table], log, after, TEXTS_AT_ONCE).await?;
                if some.is_empty() {
                    break;
                }
                for (number, row) in &some {
                    after += 1;
                    if *number != after {
                        return Err(damaged("the numbers of a log's texts have a gap"));
                    }
                    texts.add(table, row)?;
                }
            }
        }
        Ok(texts)
    }

    fn hash(&self, hash: &mut Sha256) {
        for table in &self.0 {
            hash.update((table.len() as u64).to_be_bytes());
            for text in table {
                hash.update(text);
            }
        }
    }
}

/// Hashes an event with its texts.
fn hash_of(event: &Event, texts: &HashMap<i64, Texts>) -> Result<Hash, StoreError> {
    let mut hash = Sha256::new();
    for number in [event.seq, event.ws, event.occurred_at, event.recorded_at] {
        hash.update(number.to_be_bytes());
    }
    hash.update(event.id.as_bytes());
    hash.update(event.parts);
    let Some(content) = &event.content else {
        return Ok(hash.finalize().into());
    };
    let texts = texts
        .get(&event.ws)
        .ok_or_else(|| damaged("an event is of a log that is not there"))?;
    hash.update([1]);
    hash.update(texts.at(ACTOR, content.actor)?);
    hash.update(texts.at(ACTION, content.action)?);
    hash.update(texts.at(TARGET, content.target)?);
    for (table, number) in [(VIA, content.via), (RELATED, content.related)] {
        match number {
            Some(number) => {
                hash.update([1]);
                hash.update(texts.at(table, number)?);
            }
            None => hash.update([0]),
        }
    }
    hash.update(content.outcome.to_be_bytes());
    hash.update(content.source.unwrap_or(0).to_be_bytes());
    hash.update([u8::from(content.keep), u8::from(content.has_key)]);
    hash.update(content.salt);
    if let Some(key) = content.key {
        hash.update(key.key.to_be_bytes());
        hash.update(key.rest.to_be_bytes());
    }
    for text in [&content.operation, &content.body] {
        match text {
            Some(text) => hash_bytes(&mut hash, 1, text.as_bytes()),
            None => hash.update([0]),
        }
    }
    Ok(hash.finalize().into())
}

/// What of one database is hashed so far.
struct Side<'a> {
    connection: &'a mut Connection,
    hash: Sha256,
    texts: HashMap<i64, Texts>,
}

impl<'a> Side<'a> {
    fn new(end: &'a mut End) -> Self {
        Self {
            connection: &mut end.connection,
            hash: Sha256::new(),
            texts: HashMap::new(),
        }
    }

    /// Begins with a tenant: gives the hash of its texts.
    async fn begin(&mut self, tenant: i64) -> Result<Hash, StoreError> {
        self.texts.clear();
        let mut hash = Sha256::new();
        for ws in read::logs(self.connection, tenant).await? {
            let texts = Texts::of(self.connection, (tenant, ws)).await?;
            texts.hash(&mut hash);
            self.texts.insert(ws, texts);
        }
        let hash: Hash = hash.finalize().into();
        self.hash.update(hash);
        Ok(hash)
    }

    /// Some events, each with its hash.
    async fn events(
        &mut self,
        tenant: i64,
        between: (i64, i64),
    ) -> Result<Vec<(Hash, Event)>, StoreError> {
        let events = read::events(self.connection, tenant, between).await?;
        let mut hashed = Vec::with_capacity(events.len());
        for event in events {
            let hash = hash_of(&event, &self.texts)?;
            self.hash.update(hash);
            hashed.push((hash, event));
        }
        Ok(hashed)
    }

    async fn rows(
        &mut self,
        table: &super::tables::Table,
        after: Option<&Row>,
    ) -> Result<(Hash, Option<Row>), StoreError> {
        let rows = read::rows(self.connection, table, after).await?;
        let mut hash = Sha256::new();
        for row in &rows {
            hash_values(&mut hash, row);
        }
        let hash: Hash = hash.finalize().into();
        self.hash.update(hash);
        Ok((hash, rows.into_iter().next_back()))
    }

    async fn releases(&mut self, after: i64) -> Result<Vec<read::Release>, StoreError> {
        let releases = read::releases(self.connection, after).await?;
        for release in &releases {
            hash_values(&mut self.hash, &release.values());
        }
        Ok(releases)
    }
}

/// Reads both, and compares them. Tells after each piece how many events are.
pub(super) async fn compare(
    source: &mut End,
    target: &mut End,
    tenants: &[TenantLog],
    mut told: impl FnMut(u64) -> Result<(), super::CopyError>,
) -> Result<Result<Same, Difference>, super::CopyError> {
    let there = read::tenants(&mut target.connection).await?;
    let (mut one, mut other) = (Side::new(source), Side::new(target));
    let (mut events, mut contents) = (0, 0);
    for table in [&INSTALLATION]
        .into_iter()
        .chain(ADMINISTERED)
        .chain([&HOLD])
    {
        let mut after: Option<Row> = None;
        loop {
            let (ours, theirs) = tokio::join!(
                one.rows(table, after.as_ref()),
                other.rows(table, after.as_ref())
            );
            let ((ours, last), (theirs, _)) = (ours?, theirs?);
            if ours != theirs {
                return Ok(Err(Difference::Administered(table.name)));
            }
            after = last;
            if after.is_none() {
                break;
            }
        }
    }
    let mut after = 0;
    loop {
        let (ours, theirs) = (one.releases(after).await?, other.releases(after).await?);
        let pairs = ours.iter().zip(&theirs);
        if let Some((ours, _)) = pairs.clone().find(|(ours, theirs)| ours != theirs) {
            return Ok(Err(Difference::Release(ours.id)));
        }
        let same = pairs.count();
        if let Some(more) = ours.get(same).or_else(|| theirs.get(same)) {
            return Ok(Err(Difference::Release(more.id)));
        }
        let Some(last) = ours.last() else { break };
        after = last.id;
    }
    for tenant in tenants {
        let last = there.iter().find(|there| there.id == tenant.id);
        let last = last.map_or(0, |there| there.last);
        let (ours, theirs) = tokio::join!(one.begin(tenant.id), other.begin(tenant.id));
        let same_texts = ours? == theirs?;
        let mut after = 0;
        while after < tenant.last.min(last) {
            let to = (after + EVENTS).min(tenant.last.min(last));
            let (ours, theirs) = tokio::join!(
                one.events(tenant.id, (after, to)),
                other.events(tenant.id, (after, to))
            );
            let (ours, theirs) = (ours?, theirs?);
            for ((ours, event), (theirs, _)) in ours.iter().zip(&theirs) {
                if ours != theirs {
                    return Ok(Err(Difference::Event {
                        tenant: tenant.slug.clone(),
                        seq: event.seq,
                        id: EventId(event.id),
                    }));
                }
                events += 1;
                contents += u64::from(event.content.is_some());
            }
            if ours.len() != theirs.len() {
                return Err(damaged("the numbers of a tenant's events have a gap").into());
            }
            after = to;
            told(events)?;
        }
        if tenant.last != last {
            return Ok(Err(Difference::Length {
                tenant: tenant.slug.clone(),
                source_last: tenant.last,
                target_last: last,
            }));
        }
        if !same_texts {
            return Ok(Err(Difference::Texts {
                tenant: tenant.slug.clone(),
            }));
        }
    }
    let (hash, theirs): (Hash, Hash) = (one.hash.finalize().into(), other.hash.finalize().into());
    if hash != theirs {
        return Err(damaged("two databases with the same parts have other hashes").into());
    }
    Ok(Ok(Same {
        hash,
        events,
        contents,
    }))
}

//! Whether two databases hold the same installation: each is read by itself, and hashed.

use super::{
    end::End,
    read::{self, Event, TenantLog},
    tables::{ADMINISTERED, HOLD, INSTALLATION, Row, TEXTS, Table, hash_bytes, hash_values},
};
use crate::{StoreError, database::Connection, sqlite::damaged};
use domain::event::EventId;
use sha2::{Digest, Sha256};

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
    /// A text that events name: somebody's name, an action, an object.
    #[error("of the tenant {tenant}, number {number} of the log {ws} differs in the table {table}")]
    Text {
        /// The tenant.
        tenant: String,
        /// Its table.
        table: &'static str,
        /// The workspace's number; of the tenant's own log, the tenant's, below zero.
        ws: i64,
        /// The text's number in it.
        number: i64,
    },
    /// What is administered.
    #[error("of what is administered, the table {0} differs")]
    Administered(&'static str),
    /// A release by erasure.
    #[error("release {0} by erasure differs")]
    Erasure(i64),
    /// A release by retention.
    #[error("release {0} differs")]
    Release(i64),
}

/// Hashes an event with the numbers of its texts, which are the same in both.
fn hash_of(event: &Event) -> Hash {
    let mut hash = Sha256::new();
    for number in [event.seq, event.ws, event.occurred_at, event.recorded_at] {
        hash.update(number.to_be_bytes());
    }
    hash.update(event.id.as_bytes());
    hash.update(event.parts);
    let Some(content) = &event.content else {
        return hash.finalize().into();
    };
    hash.update([1]);
    for number in [content.actor, content.action, content.target] {
        hash.update(number.to_be_bytes());
    }
    for number in [content.via, content.related] {
        match number {
            Some(number) => {
                hash.update([1]);
                hash.update(number.to_be_bytes());
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
    hash.update(content.erased.unwrap_or(0).to_be_bytes());
    hash.update(content.proofs.as_deref().unwrap_or_default());
    for text in [&content.operation, &content.body] {
        match text {
            Some(text) => hash_bytes(&mut hash, 1, text.as_bytes()),
            None => hash.update([0]),
        }
    }
    hash.finalize().into()
}

/// What of one database is hashed so far.
struct Side<'a> {
    connection: &'a mut Connection,
    hash: Sha256,
}

impl<'a> Side<'a> {
    fn new(end: &'a mut End) -> Self {
        Self {
            connection: &mut end.connection,
            hash: Sha256::new(),
        }
    }

    /// Texts of a log after a number, in their order: the hash of each.
    async fn texts(
        &mut self,
        table: &Table,
        log: (i64, i64),
        after: i64,
    ) -> Result<Vec<Hash>, StoreError> {
        let texts = read::texts(self.connection, table, log, after, TEXTS_AT_ONCE).await?;
        let mut hashed = Vec::with_capacity(texts.len());
        for (expected, (number, row)) in (after + 1..).zip(&texts) {
            if *number != expected {
                return Err(damaged("the numbers of a log's texts have a gap"));
            }
            let mut hash = Sha256::new();
            hash_values(&mut hash, row);
            let hash: Hash = hash.finalize().into();
            self.hash.update(hash);
            hashed.push(hash);
        }
        Ok(hashed)
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
            let hash = hash_of(&event);
            self.hash.update(hash);
            hashed.push((hash, event));
        }
        Ok(hashed)
    }

    async fn rows(
        &mut self,
        table: &Table,
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

    async fn erasures(
        &mut self,
        after: i64,
    ) -> Result<Vec<(read::Erasure, Vec<read::ErasedEvent>)>, StoreError> {
        let mut erasures = Vec::new();
        for erasure in read::erasures(self.connection, after).await? {
            let events = read::erased_events(self.connection, erasure.id).await?;
            hash_values(&mut self.hash, &erasure.values());
            for event in &events {
                hash_values(&mut self.hash, &event.values());
                hash_values(&mut self.hash, &[event.damage.clone().into()]);
            }
            erasures.push((erasure, events));
        }
        Ok(erasures)
    }
}

/// The first text of a tenant's that differs. A text that refers to others does so by their numbers.
async fn other_texts(
    one: &mut Side<'_>,
    other: &mut Side<'_>,
    tenant: &TenantLog,
) -> Result<Option<Difference>, StoreError> {
    for ws in read::logs(one.connection, tenant.id).await? {
        let log = (tenant.id, ws);
        for table in &TEXTS {
            let mut after = 0;
            loop {
                let (ours, theirs) =
                    tokio::join!(one.texts(table, log, after), other.texts(table, log, after));
                let (ours, theirs) = (ours?, theirs?);
                let same = ours
                    .iter()
                    .zip(&theirs)
                    .take_while(|(ours, theirs)| ours == theirs);
                let same = same.count();
                after += i64::try_from(same).unwrap_or(i64::MAX);
                if same < ours.len().max(theirs.len()) {
                    return Ok(Some(Difference::Text {
                        tenant: tenant.slug.clone(),
                        table: table.name,
                        ws,
                        number: after + 1,
                    }));
                }
                if same == 0 {
                    break;
                }
            }
        }
    }
    Ok(None)
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
    let mut after = 0;
    loop {
        let (ours, theirs) = (one.erasures(after).await?, other.erasures(after).await?);
        if ours != theirs {
            let pairs = ours.iter().zip(&theirs);
            let same = pairs.take_while(|(ours, theirs)| ours == theirs).count();
            let other = ours.get(same).or_else(|| theirs.get(same));
            return Ok(Err(Difference::Erasure(
                other.map_or(0, |(erasure, _)| erasure.id),
            )));
        }
        let Some((last, _)) = ours.last() else { break };
        after = last.id;
    }
    for tenant in tenants {
        let last = there.iter().find(|there| there.id == tenant.id);
        let last = last.map_or(0, |there| there.last);
        if let Some(difference) = other_texts(&mut one, &mut other, tenant).await? {
            return Ok(Err(difference));
        }
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

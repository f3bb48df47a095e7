//! Carrying a release by erasure out: what an event is rewritten to.

use super::{
    super::{
        admit::Body,
        change::Log,
        dictionaries::{Shared, damaged},
        index::Indexer,
        keeper::Keeper,
    },
    damage::{self, Damage},
    find::{proofs, put_body, read_parts},
};
use crate::{
    StoreError,
    database::{self, Connection, Row},
    dictionary::Number,
    retention::Removal,
};
use domain::{
    event::{NewEvent, Part, Parts},
    leaf::{PartProofs, part_hash, part_of},
};
use serde_json::json;
use std::time::{Duration, Instant};

/// How many events are rewritten at a time: whoever records meanwhile waits until they are.
pub(crate) const BATCH: i64 = 500;

/// An event that a release covers, of which something is left.
#[derive(Debug)]
pub(crate) struct Covered {
    /// Its number in the installation, or, on PostgreSQL, in the tenant.
    pub(crate) n: i64,
    parts: Parts,
    gone: Parts,
    proofs: PartProofs,
    actor: Number,
    via: Option<Number>,
    target: Number,
    related: Option<Number>,
    /// Where a part of it is to go.
    body: Option<String>,
}

/// What it becomes.
#[derive(Debug)]
pub(crate) struct Rewritten {
    pub(crate) n: i64,
    /// Which of its parts are gone then.
    pub(crate) gone: Parts,
    pub(crate) proofs: Vec<u8>,
    /// Where a part of it goes.
    pub(crate) body: Option<String>,
}

impl Covered {
    /// Reads the columns: number, parts to go, those gone, salt, proofs, actor, via, target, related, body.
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        let parts = read_parts(row.try_get(1)?)?;
        let gone = read_parts(row.try_get(2)?)?;
        Ok(Self {
            n: row.try_get(0)?,
            parts,
            gone,
            proofs: proofs(gone, row.try_get(3)?, row.try_get(4)?)?,
            actor: row.try_get(5)?,
            via: row.try_get(6)?,
            target: row.try_get(7)?,
            related: row.try_get(8)?,
            body: row.try_get(9)?,
        })
    }

    /// The same of an event whose parts to go are known, with the actor and the chain that are to stand
    /// there; none where that is so already.
    pub(crate) fn left(
        row: &Row,
        parts: i64,
        actor: Option<i64>,
        via: Option<i64>,
    ) -> Result<Option<Self>, StoreError> {
        let mut covered = Self::read(row)?;
        covered.parts = read_parts(Some(parts))?;
        let stands = |part: Part, number: Option<Number>, to: Option<i64>| {
            !covered.parts.has(part) || number.map(i64::from) == to
        };
        let is_done = covered.parts.without(covered.gone).is_empty()
            && stands(Part::Actor, Some(covered.actor), actor)
            && stands(Part::Via, covered.via, via);
        if !BODY.iter().any(|part| covered.parts.has(*part)) {
            covered.body = None;
        }
        Ok((!is_done).then_some(covered))
    }
}

/// The parts that are in the body.
const BODY: [Part; 3] = [Part::Change, Part::Details, Part::Context];

/// Takes what is to go out of an event, and puts the hashes of it in its place.
fn rewritten(covered: Covered, texts: &Shared) -> Result<Rewritten, StoreError> {
    let missing = || damaged("a text that an event names is not there");
    let known = texts.read();
    // What was done is not looked at: the facts stay.
    let action = known.action(1).ok_or_else(missing)?.named.action.clone();
    let actor = known.actor(covered.actor).cloned().ok_or_else(missing)?;
    let target = known.target(covered.target).cloned().ok_or_else(missing)?;
    let mut event = NewEvent::new(actor, action, target);
    if let Some(via) = covered.via {
        event.via = known.via(via).ok_or_else(missing)?;
    }
    if let Some(related) = covered.related {
        event.related = known.related(related).ok_or_else(missing)?;
    }
    put_body(&mut event, covered.body.as_deref())?;
    let mut proofs = covered.proofs;
    for part in covered.parts.list() {
        // What is gone already has its hash: somebody else of the same chain was erased.
        if let Some(salt) = proofs.salt(*part) {
            proofs.erase(*part, part_hash(&salt, &part_of(*part, &event, None)));
        }
    }
    if covered.parts.has(Part::Change) {
        (event.before, event.after) = (None, None);
    }
    if covered.parts.has(Part::Details) {
        event.description = None;
        event.idempotency_key = None;
        event.metadata = None;
    }
    if covered.parts.has(Part::Context) {
        event.context = None;
    }
    Ok(Rewritten {
        n: covered.n,
        gone: covered.gone.and(covered.parts),
        proofs: proofs.to_bytes(),
        body: Body::taken_from(&mut event).text()?,
    })
}

/// Takes what is to go out of some events, each with its number; what of them cannot be read is passed over.
pub(crate) fn all_rewritten(
    covered: Vec<(i64, Result<Covered, StoreError>)>,
    texts: &Shared,
) -> (Vec<Rewritten>, Vec<Damage>) {
    let (mut all, mut damage) = (Vec::with_capacity(covered.len()), Vec::new());
    for (n, covered) in covered {
        match covered.and_then(|covered| rewritten(covered, texts)) {
            Ok(event) => all.push(event),
            Err(error) => damage.push((n, error.to_string())),
        }
    }
    (all, damage)
}

/// What is left of a release: of so many events at most. The body is read where a part of it is to go.
const LEFT: &str = "SELECT e.n, e.parts, c.erased, c.salt, c.proofs, c.actor, c.via, c.target, c.related, \
         CASE WHEN e.parts & 112 <> 0 THEN c.body END \
     FROM erasure_event e JOIN content c ON c.n = e.n \
     WHERE e.erasure = ? AND (coalesce(c.erased, 0) & e.parts <> e.parts \
         OR (e.parts & 2 <> 0 AND c.actor <> e.actor) OR (e.parts & 4 <> 0 AND c.via IS NOT e.via)) \
         AND NOT EXISTS (SELECT 1 FROM erasure_damage d WHERE d.erasure = e.erasure AND d.n = e.n) \
     ORDER BY e.n LIMIT ?";

/// Notes of events of a release that they cannot be read.
const DAMAGED: &str = "INSERT INTO erasure_damage (erasure, n, what) \
     SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?2)";

impl Keeper {
    /// Erases a batch of what the oldest release by erasure covers that is unfinished and not suspended by
    /// a legal hold; or ends it, where nothing is left. None where there is none.
    pub(in crate::sqlite) async fn erase_some(
        &self,
        indexer: &mut Indexer,
    ) -> Result<Option<Removal>, StoreError> {
        let release: Option<(i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT e.id, e.ws, e.n, l.tenant FROM erasure e JOIN leaf l ON l.n = e.n \
             WHERE e.finished_at IS NULL AND NOT EXISTS (SELECT 1 FROM moving) \
             AND NOT EXISTS (SELECT 1 FROM hold h JOIN workspace w ON w.id = h.workspace \
                 WHERE h.lifted_at IS NULL AND (w.id = e.ws OR w.tenant = -e.ws)) \
             ORDER BY e.id LIMIT 1",
        )
        .fetch_optional(&self.watcher)
        .await?;
        let Some((id, ws, up_to, tenant)) = release else {
            return Ok(None);
        };
        // Should that have failed the last time, for want of room.
        indexer.agree_on_removals().await?;
        if !indexer.has(up_to) {
            // All that a release covers is in the index before any of it goes.
            indexer.step(0, up_to).await?;
        }
        if !indexer.has(up_to) {
            return Ok(Some(Removal::DELAYED));
        }
        indexer.overwrite_what_goes(true).await?;
        let erased = self.erase_batch(indexer, id, Log { ws, tenant }).await;
        let kept = indexer.overwrite_what_goes(false).await;
        match erased {
            Ok(removal) => {
                kept?;
                Ok(Some(removal))
            }
            // A legal hold was placed meanwhile.
            Err(_) if self.is_held(ws).await? => Ok(Some(Removal::DELAYED)),
            Err(error) => Err(error),
        }
    }

    async fn erase_batch(
        &self,
        indexer: &mut Indexer,
        id: i64,
        log: Log,
    ) -> Result<Removal, StoreError> {
        let mut connection = Connection::PooledSqlite(self.watcher.acquire().await?);
        let rows = database::query(LEFT)
            .bind(id)
            .bind(BATCH)
            .fetch_all(&mut connection)
            .await?;
        drop(connection);
        let covered: Vec<_> = rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, Covered::read(row))))
            .collect::<Result<_, StoreError>>()?;
        drop(rows);
        if covered.is_empty() {
            return self.end_erasure(indexer, id, log).await;
        }
        let Ok(mut turn) = self.turn().await else {
            return Ok(Removal::DELAYED);
        };
        let texts = turn.texts(log).await?;
        drop(turn);
        let (rewritten, damage) = all_rewritten(covered, &texts);
        if !damage.is_empty() {
            self.note_damage(id, &damage).await?;
        }
        if rewritten.is_empty() {
            return Ok(Removal::Erased {
                events: 0,
                kept_waiting: Duration::ZERO,
            });
        }
        let numbers: Vec<String> = rewritten.iter().map(|event| event.n.to_string()).collect();
        let numbers = format!("[{}]", numbers.join(","));
        indexer.gather_these(&numbers).await?;
        let Ok(turn) = self.turn().await else {
            return Ok(Removal::DELAYED);
        };
        let begun = Instant::now();
        indexer.rewrite(id, &numbers, &rewritten).await?;
        drop(turn);
        let kept_waiting = begun.elapsed();
        Ok(Removal::Erased {
            events: rewritten.len() as u64,
            kept_waiting,
        })
    }

    /// Notes of what cannot be read that it is passed over.
    async fn note_damage(&self, id: i64, damage: &[Damage]) -> Result<(), StoreError> {
        let Ok(mut turn) = self.turn().await else {
            // They are met again.
            return Ok(());
        };
        let connection = turn.connection.sqlite()?;
        sqlx::query(DAMAGED)
            .bind(id)
            .bind(json!(damage).to_string())
            .execute(&mut *connection)
            .await?;
        for (n, what) in damage {
            let event: Vec<u8> = sqlx::query_scalar("SELECT id FROM leaf WHERE n = ?")
                .bind(n)
                .fetch_one(&mut *connection)
                .await?;
            damage::tell(&event, what);
        }
        Ok(())
    }

    /// Whether other releases by erasure of a log are still to be carried out.
    async fn is_more_to_erase(&self, id: i64, log: Log) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM erasure WHERE ws = ? AND id <> ? AND finished_at IS NULL)",
        )
        .bind(log.ws)
        .bind(id)
        .fetch_one(&self.watcher)
        .await?)
    }

    /// Empties the texts that nothing refers to any more, and ends a release. They are looked for when the
    /// last one ends: what it still has to erase may be what refers to them.
    async fn end_erasure(
        &self,
        indexer: &mut Indexer,
        id: i64,
        log: Log,
    ) -> Result<Removal, StoreError> {
        let is_last = !self.is_more_to_erase(id, log).await?;
        let (mut after, mut kept_waiting) = (Some(0), Duration::ZERO);
        while let Some(from) = after {
            let Ok(turn) = self.turn().await else {
                return Ok(Removal::DELAYED);
            };
            let begun = Instant::now();
            after = if is_last {
                indexer.empty_texts(log.ws, from).await?
            } else {
                None
            };
            if after.is_none() {
                let now = self.clock.now().micros();
                indexer.finish_erasure(id, now).await?;
                if is_last {
                    indexer.forget_emptied(log.ws).await?;
                }
            }
            drop(turn);
            kept_waiting = kept_waiting.max(begun.elapsed());
        }
        Ok(Removal::Erased {
            events: 0,
            kept_waiting,
        })
    }
}

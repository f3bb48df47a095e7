//! Carrying releases by erasure out on PostgreSQL: through the functions of its schema, because the server
//! itself may change nothing.

use super::Server;
use crate::{
    StoreError,
    database::{self, Connection},
    retention::Removal,
    sqlite::{
        change::Log,
        dictionaries::read_extent,
        erasure::{BATCH, Covered, Damage, all_rewritten, tell_damage},
    },
};
use sqlx::PgConnection;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Of how many texts those that nothing refers to are emptied at a time.
const TEXTS: i32 = 2_000;

/// The oldest release that is unfinished and not suspended: its number, and its log.
pub(super) async fn next(connection: &mut PgConnection) -> Result<Option<(i64, Log)>, sqlx::Error> {
    let release: Option<(i64, i64, i64)> = sqlx::query_as(
        "SELECT e.id, e.tenant, e.ws FROM erasure e WHERE e.finished_at IS NULL \
             AND NOT is_held(e.ws) AND NOT EXISTS (SELECT 1 FROM moving) ORDER BY e.id LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    Ok(release.map(|(id, tenant, ws)| (id, Log { ws, tenant })))
}

/// What is left of some events, by their numbers, which follow; their parts are known.
const CONTENTS: &str = "SELECT l.seq, 0, c.erased, c.salt, c.proofs, c.actor, c.via, c.target, c.related, \
         c.body \
     FROM leaf l JOIN content c ON c.tenant = l.tenant AND c.ws = l.ws AND c.at = l.occurred_at \
         AND c.seq = l.seq AND c.class = l.class \
     WHERE l.tenant = ? AND l.seq IN (SELECT value FROM json_each(?)) ORDER BY l.seq";

impl Server {
    /// What a release covers of which something is left, so many at most.
    async fn left(
        &self,
        connection: &mut Connection,
        id: i64,
        log: Log,
    ) -> Result<Vec<(i64, Result<Covered, StoreError>)>, StoreError> {
        type Texts = (i64, Option<i64>, Option<i64>);
        let rows: Vec<(i64, i64, Option<i64>, Option<i64>)> = database::query_as(
            "SELECT seq, parts, actor, via FROM erasure_event e WHERE erasure = ? AND NOT EXISTS \
                 (SELECT 1 FROM erasure_damage d WHERE d.erasure = e.erasure AND d.seq = e.seq) \
             ORDER BY seq",
        )
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
        let mut covered = Vec::new();
        let most = usize::try_from(BATCH).unwrap_or(usize::MAX);
        for some in rows.chunks(most) {
            let wanted: HashMap<i64, Texts> = some
                .iter()
                .map(|(seq, parts, actor, via)| (*seq, (*parts, *actor, *via)))
                .collect();
            let numbers: Vec<i64> = some.iter().map(|(seq, ..)| *seq).collect();
            let rows = database::query(CONTENTS)
                .bind(log.tenant)
                .bind(numbers)
                .fetch_all(&mut *connection)
                .await?;
            for row in &rows {
                let seq = row.try_get::<i64>(0)?;
                let Some((parts, actor, via)) = wanted.get(&seq) else {
                    continue;
                };
                let left = Covered::left(row, *parts, *actor, *via).transpose();
                covered.extend(left.map(|left| (seq, left)));
            }
            if !covered.is_empty() {
                break;
            }
        }
        Ok(covered)
    }

    /// Erases a batch of a release, or ends it where nothing is left. `functions`: whose turn it is.
    pub(super) async fn erase_some(
        &self,
        functions: &mut PgConnection,
        (id, log): (i64, Log),
        now: i64,
    ) -> Result<Removal, StoreError> {
        let mut connection = self.writer().await?;
        let covered = self.left(&mut connection, id, log).await?;
        if covered.is_empty() {
            drop(connection);
            return Ok(end(functions, (id, log), now).await?);
        }
        let extent = read_extent(&mut connection, log).await?;
        let texts = self
            .known
            .dictionaries
            .extend(&mut connection, log, extent)
            .await?;
        drop(connection);
        let (rewritten, damage) = all_rewritten(covered, &texts);
        if !damage.is_empty() {
            note_damage(functions, (id, log), &damage).await?;
        }
        if rewritten.is_empty() {
            return Ok(Removal::Erased {
                events: 0,
                kept_waiting: Duration::ZERO,
            });
        }
        let numbers: Vec<i64> = rewritten.iter().map(|event| event.n).collect();
        let (mut bodies, mut proofs) = (Vec::new(), Vec::new());
        for event in rewritten {
            bodies.push(event.body);
            proofs.push(event.proofs);
        }
        let begun = Instant::now();
        let erased: i64 = sqlx::query_scalar("SELECT erase_batch($1, $2, $3, $4)")
            .bind(id)
            .bind(numbers)
            .bind(bodies)
            .bind(proofs)
            .fetch_one(functions)
            .await?;
        self.known.to_add_up([(log.tenant, log.ws)]);
        Ok(Removal::Erased {
            events: u64::try_from(erased).unwrap_or_default(),
            kept_waiting: begun.elapsed(),
        })
    }
}

/// Notes of what cannot be read that it is passed over.
async fn note_damage(
    connection: &mut PgConnection,
    (id, log): (i64, Log),
    damage: &[Damage],
) -> Result<(), sqlx::Error> {
    for (seq, what) in damage {
        sqlx::query(
            "INSERT INTO erasure_damage (erasure, seq, what) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(seq)
        .bind(what)
        .execute(&mut *connection)
        .await?;
        let event: Vec<u8> =
            sqlx::query_scalar("SELECT id FROM leaf WHERE tenant = $1 AND seq = $2")
                .bind(log.tenant)
                .bind(seq)
                .fetch_one(&mut *connection)
                .await?;
        tell_damage(&event, what);
    }
    Ok(())
}

/// Empties the texts that nothing refers to any more, and ends a release. They are looked for when the log's
/// last one ends: what it still has to erase may be what refers to them.
async fn end(
    connection: &mut PgConnection,
    (id, log): (i64, Log),
    now: i64,
) -> Result<Removal, sqlx::Error> {
    let is_last: bool = sqlx::query_scalar(
        "SELECT NOT EXISTS (SELECT 1 FROM erasure WHERE ws = $1 AND id <> $2 AND finished_at IS NULL)",
    )
    .bind(log.ws)
    .bind(id)
    .fetch_one(&mut *connection)
    .await?;
    let (mut after, mut kept_waiting) = (is_last.then_some(-1), Duration::ZERO);
    while let Some(from) = after {
        let begun = Instant::now();
        after = sqlx::query_scalar("SELECT empty_erased_texts($1, $2, $3)")
            .bind(id)
            .bind(from)
            .bind(TEXTS)
            .fetch_one(&mut *connection)
            .await?;
        kept_waiting = kept_waiting.max(begun.elapsed());
    }
    sqlx::query("SELECT finish_erasure($1, $2)")
        .bind(id)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(Removal::Erased {
        events: 0,
        kept_waiting,
    })
}

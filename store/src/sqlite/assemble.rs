//! From numbers back to events: content from the log, texts from the dictionary, and what is true
//! now of those who acted.

use super::{
    Inner,
    admit::Body,
    dictionaries::{Shared, damaged},
    directory::slug,
    erasure::read_parts,
};
use crate::{
    StoreError,
    access::Tenant,
    database::{self, Connection, Dialect, Row},
};
use domain::{
    event::{Actor, Event, EventId, Given, Outcome, ShownActor, Source},
    redaction::count_marks_in,
    slug::Slug,
    time::Timestamp,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// What is read of an event, as [`event`] reads it.
macro_rules! contents {
    ($from:literal) => {
        concat!(
            "SELECT l.ws, l.id, l.seq, l.occurred_at, l.recorded_at, c.actor, c.via, c.action, \
                 c.target, c.related, c.outcome, c.operation, c.source, c.body, w.slug, c.erased ",
            $from,
            " LEFT JOIN workspace w ON w.id = l.ws "
        )
    };
}

async fn contents_on_sqlite(
    connection: &mut Connection,
    numbers: &[i64],
) -> Result<Vec<Row>, StoreError> {
    const CONTENTS: &str = concat!(
        contents!(
            "FROM json_each(?) j CROSS JOIN leaf l ON l.n = j.value \
             CROSS JOIN content c ON c.n = l.n"
        ),
        "ORDER BY j.key"
    );
    Ok(database::query(CONTENTS)
        .bind(numbers.to_vec())
        .fetch_all(connection)
        .await?)
}

/// Between which times they lie is asked first, where it is not known: by that the partitions are chosen.
/// Each is looked for by its key (`OFFSET 0`), whatever the server believes of tables that it has not looked at yet.
async fn contents_on_postgres(
    connection: &mut Connection,
    tenant: &Tenant,
    numbers: &[i64],
    times: Option<(i64, i64)>,
) -> Result<Vec<Row>, StoreError> {
    const CONTENTS: &str = concat!(
        contents!(
            "FROM json_each(?1) j JOIN LATERAL ( \
                 SELECT * FROM leaf WHERE tenant = ?2 AND seq = j.value OFFSET 0) l ON TRUE JOIN LATERAL ( \
                 SELECT * FROM content WHERE tenant = ?2 AND ws = l.ws AND at = l.occurred_at \
                     AND seq = l.seq AND class = l.class AND at >= ?3 AND at <= ?4 OFFSET 0) c ON TRUE"
        ),
        "ORDER BY j.key"
    );
    let (first, last) = match times {
        Some((first, last)) => (Some(first), Some(last)),
        None => times_of(connection, tenant.id, numbers).await?,
    };
    Ok(database::query(CONTENTS)
        .bind(numbers.to_vec())
        .bind(tenant.id)
        .bind(first)
        .bind(last)
        .fetch_all(connection)
        .await?)
}

/// When the first and the last of a tenant's events with these numbers occurred, on PostgreSQL.
pub(super) async fn times_of(
    connection: &mut Connection,
    tenant: i64,
    numbers: &[i64],
) -> Result<(Option<i64>, Option<i64>), StoreError> {
    Ok(database::query_as(
        "SELECT min(occurred_at), max(occurred_at) FROM leaf WHERE tenant = ? AND seq = ANY(?)",
    )
    .bind(tenant)
    .bind(numbers.to_vec())
    .fetch_one(connection)
    .await?)
}

impl Inner {
    /// The events with these numbers, in their order; those whose content is gone are left out. `times`:
    /// when the first and the last of them occurred, where that is known.
    pub(crate) async fn events(
        &self,
        connection: &mut Connection,
        tenant: &Tenant,
        shelves: &[(i64, Arc<Shared>)],
        numbers: &[i64],
        times: Option<(i64, i64)>,
    ) -> Result<Vec<Event>, StoreError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let rows = match connection.dialect() {
            Dialect::Sqlite => contents_on_sqlite(connection, numbers).await?,
            Dialect::Postgres => contents_on_postgres(connection, tenant, numbers, times).await?,
        };
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            let ws: i64 = row.try_get(0)?;
            let (_, shared) = shelves
                .iter()
                .find(|(known, _)| *known == ws)
                .ok_or_else(|| damaged("an event lies in another workspace than its index says"))?;
            events.push(event(&row, tenant, shared)?);
        }
        self.label_deactivated(connection, tenant, &mut events)
            .await?;
        Ok(events)
    }

    /// Labels those actors who are deactivated now: as the host product says of its own people, or
    /// because theirs is a deactivated member's e-mail, in the workspace where they are it and, if
    /// they are a member nowhere else, in the whole tenant.
    async fn label_deactivated(
        &self,
        connection: &mut Connection,
        tenant: &Tenant,
        events: &mut [Event],
    ) -> Result<(), StoreError> {
        let actors: Vec<_> = events
            .iter()
            .map(|event| (&event.actor.actor, event.workspace.as_ref()))
            .collect();
        let gone = self.deactivated(connection, tenant, &actors).await?;
        for (event, gone) in events.iter_mut().zip(gone) {
            event.actor.deactivated = gone;
        }
        Ok(())
    }

    /// Which of these actors, each with the workspace that the event is of, are deactivated now.
    pub(super) async fn deactivated(
        &self,
        connection: &mut Connection,
        tenant: &Tenant,
        all: &[(&Actor, Option<&Slug>)],
    ) -> Result<Vec<bool>, StoreError> {
        let actors = || all.iter().map(|(actor, _)| *actor);
        let emails: HashSet<String> = actors()
            .filter_map(|actor| actor.email.as_deref())
            .map(str::to_lowercase)
            .collect();
        let ids: HashSet<&str> = actors().filter_map(|actor| actor.id.as_deref()).collect();
        let emails: Vec<String> = emails.into_iter().collect();
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        let rows: Vec<(Option<i64>, String, String)> = database::query_as(
            "SELECT NULL, '', p.email FROM json_each(?1) j CROSS JOIN person p ON p.email = j.value \
             WHERE p.deactivated_at IS NOT NULL AND (EXISTS (SELECT 1 FROM membership m \
                 JOIN workspace w ON w.id = m.workspace WHERE m.person = p.id AND w.tenant = ?3) \
                 OR EXISTS (SELECT 1 FROM tenant_admin a WHERE a.person = p.id AND a.tenant = ?3)) \
             UNION ALL \
             SELECT CASE WHEN EXISTS (SELECT 1 FROM membership o JOIN workspace v ON v.id = o.workspace \
                     WHERE o.person = p.id AND v.tenant = ?3 AND o.deactivated_at IS NULL) \
                 OR EXISTS (SELECT 1 FROM tenant_admin a WHERE a.person = p.id AND a.tenant = ?3) \
                 THEN m.workspace END, '', p.email \
             FROM json_each(?1) j CROSS JOIN person p ON p.email = j.value \
             CROSS JOIN membership m ON m.person = p.id JOIN workspace w ON w.id = m.workspace \
             WHERE w.tenant = ?3 AND m.deactivated_at IS NOT NULL AND p.deactivated_at IS NULL \
             UNION ALL \
             SELECT s.ws, s.kind, s.id FROM json_each(?2) j CROSS JOIN actor_state s \
             ON s.id = j.value WHERE s.deactivated_at IS NOT NULL AND (s.ws = -?3 OR s.ws IN \
                 (SELECT id FROM workspace WHERE tenant = ?3))",
        )
        .bind(emails)
        .bind(ids)
        .bind(tenant.id)
        .fetch_all(&mut *connection)
        .await?;
        if rows.is_empty() {
            return Ok(vec![false; all.len()]);
        }
        let mut slugs: HashMap<Option<Slug>, i64> = HashMap::from([(None, -tenant.id)]);
        if rows.iter().any(|(ws, ..)| ws.is_some_and(|ws| ws > 0)) {
            let known: Vec<(i64, String)> =
                database::query_as("SELECT id, slug FROM workspace WHERE tenant = ?")
                    .bind(tenant.id)
                    .fetch_all(connection)
                    .await?;
            for (id, text) in known {
                slugs.insert(Some(slug(&text)?), id);
            }
        }
        let is_gone = |(actor, workspace): &(&Actor, Option<&Slug>)| {
            let ws = slugs.get(&workspace.cloned()).copied();
            let email = actor.email.as_deref().map(str::to_lowercase);
            rows.iter().any(|(of, kind, text)| match of {
                None => email.as_deref() == Some(text),
                // A member's e-mail, in one workspace: no kind.
                Some(of) if kind.is_empty() => ws == Some(*of) && email.as_deref() == Some(text),
                Some(of) => {
                    (*of == -tenant.id || ws == Some(*of))
                        && kind == actor.kind.as_str()
                        && actor.id.as_ref() == Some(text)
                }
            })
        };
        Ok(all.iter().map(is_gone).collect())
    }
}

fn event(row: &Row, tenant: &Tenant, shared: &Shared) -> Result<Event, StoreError> {
    let number = |column: usize| -> Result<u32, StoreError> { Ok(row.try_get(column)?) };
    let optional = |column: usize| -> Result<Option<u32>, StoreError> { Ok(row.try_get(column)?) };
    let missing = || damaged("a text that an event names is not there");
    let dictionary = shared.read();
    let actor: Actor = dictionary.actor(number(5)?).cloned().ok_or_else(missing)?;
    let via = match optional(6)? {
        Some(via) => dictionary.via(via).ok_or_else(missing)?,
        None => Vec::new(),
    };
    let action = dictionary.action(number(7)?).ok_or_else(missing)?;
    let target = dictionary.target(number(8)?).cloned().ok_or_else(missing)?;
    let related = match optional(9)? {
        Some(related) => dictionary.related(related).ok_or_else(missing)?,
        None => Vec::new(),
    };
    let given = [
        action.named.verb.map(|_| Given::Verb),
        action.named.category.map(|_| Given::Category),
    ];
    let body: Option<&str> = row.try_get(13)?;
    let body: Body = match body {
        Some(text) => {
            serde_json::from_str(text).map_err(|_| damaged("an event's body is broken"))?
        }
        None => Body::default(),
    };
    let id = Uuid::from_slice(row.try_get(1)?).map_err(|_| damaged("an id is broken"))?;
    let workspace: Option<&str> = row.try_get(14)?;
    let objects = [&body.before, &body.after, &body.metadata, &body.context];
    let redacted = objects.into_iter().flatten().map(count_marks_in).sum();
    Ok(Event {
        id: EventId(id),
        seq: row.try_get::<u64>(2)?,
        idempotency_key: body.idempotency_key,
        occurred_at: Timestamp::from_micros(row.try_get(3)?),
        recorded_at: Timestamp::from_micros(row.try_get(4)?),
        tenant: tenant.slug.clone(),
        workspace: workspace
            .map(|slug| slug.parse().map_err(|_| damaged("a slug is broken")))
            .transpose()?,
        actor: ShownActor {
            actor,
            deactivated: false,
        },
        via,
        action: action.named.action.clone(),
        verb: action.verb,
        category: action.category,
        given: given.into_iter().flatten().collect(),
        target,
        related,
        operation: row.try_get(11)?,
        outcome: match row.try_get::<i64>(10)? {
            0 => Outcome::Success,
            1 => Outcome::Failure,
            2 => Outcome::Denied,
            _ => return Err(damaged("an outcome is none that there is")),
        },
        description: body.description,
        before: body.before,
        after: body.after,
        metadata: body.metadata,
        context: body.context,
        source: match row.try_get::<Option<i64>>(12)? {
            None => None,
            Some(1) => Some(Source::Daybook),
            Some(2) => Some(Source::Import),
            Some(_) => return Err(damaged("a source is none that there is")),
        },
        redacted,
        erased: read_parts(row.try_get(15)?)?.list().to_vec(),
    })
}

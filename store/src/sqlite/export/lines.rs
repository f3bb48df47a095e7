//! What an export reads of events, many at a time, and what it makes of it.
//!
//! A page gets its events row by row and builds each as a value. Here the database puts many of them
//! together as two texts, and hands over those: what that saves is most of what reading costs. What
//! was sent as JSON stays the text that it is.

use super::proof::{Beside, Proving};
use crate::{
    StoreError,
    database::{self, Connection, Dialect},
    dictionary::{Dictionary, Number},
    sqlite::{
        assemble::times_of,
        dictionaries::{Shared, damaged},
        erasure::read_parts,
        snapshot::Snapshot,
    },
};
use domain::{
    event::{Actor, EventId, Given, Object, Outcome, Source},
    export::{Composer, Row, RowActor},
    redaction::count_marks_in,
    slug::Slug,
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    io,
    sync::Arc,
};
use uuid::Uuid;

/// The events of a list of numbers on PostgreSQL, each looked for by its key (`OFFSET 0`), whatever the
/// server believes of tables that it has not looked at yet.
macro_rules! sought {
    ($join:literal) => {
        concat!(
            "FROM json_each(?1) j JOIN LATERAL ( \
                 SELECT * FROM leaf WHERE tenant = ?2 AND seq = j.value OFFSET 0) l ON TRUE ",
            $join,
            " LATERAL (SELECT * FROM content WHERE tenant = ?2 AND ws = l.ws \
                 AND at = l.occurred_at AND seq = l.seq AND class = l.class \
                 AND at >= ?3 AND at <= ?4 OFFSET 0) c ON TRUE"
        )
    };
}

pub(super) use sought;

/// The events of a list of numbers: what is kept in columns of their own as a JSON array of arrays
/// ([`Facts`]), beside it the bodies, a line for each, but those of more than ?2 bytes; and how many the
/// largest has. A body is JSON without a line break.
pub(in crate::sqlite) const LINES: &str = "SELECT json_group_array(json_array(j.key, l.ws, l.seq, l.occurred_at, \
         l.recorded_at, c.actor, c.via, c.action, c.target, c.related, c.outcome, c.source, \
         hex(l.id), c.operation, c.erased)), \
         group_concat(CASE WHEN octet_length(c.body) <= ?2 THEN c.body ELSE '' END, '\n'), \
         coalesce(max(octet_length(c.body)), 0) \
     FROM json_each(?1) j CROSS JOIN leaf l ON l.n = j.value CROSS JOIN content c ON c.n = l.n";

/// How many bytes the texts of each event of a list of numbers have, in its order; 0 where its content
/// is gone. It is read without reading the texts.
pub(in crate::sqlite) const SIZES: &str = "SELECT json_group_array(\
         coalesce(octet_length(c.body), 0) + coalesce(octet_length(c.operation), 0)) \
     FROM json_each(?) j LEFT JOIN content c ON c.n = j.value";

/// A body that is hardly ever longer, in bytes: as many as are read at once of such are no great
/// matter, and how long each is need not be looked up first.
const SMALL: i64 = 8 * 1024;

/// [`LINES`] on PostgreSQL: of the tenant ?2, of events that occurred between ?3 and ?4; of bodies up to
/// ?5 bytes.
const LINES_ON_POSTGRES: &str = concat!(
    "SELECT CAST(coalesce(json_agg(json_build_array(j.key, l.ws, l.seq, l.occurred_at, \
         l.recorded_at, c.actor, c.via, c.action, c.target, c.related, c.outcome, c.source, \
         encode(l.id, 'hex'), c.operation, c.erased) ORDER BY j.key), '[]') AS TEXT), \
         string_agg(CASE WHEN octet_length(c.body) <= ?5 THEN c.body ELSE '' END, chr(10) \
             ORDER BY j.key), \
         CAST(coalesce(max(octet_length(c.body)), 0) AS BIGINT) ",
    sought!("JOIN")
);

/// [`SIZES`] in the same way.
const SIZES_ON_POSTGRES: &str = concat!(
    "SELECT CAST(coalesce(json_agg(coalesce(octet_length(c.body), 0) \
         + coalesce(octet_length(c.operation), 0) ORDER BY j.key), '[]') AS TEXT) ",
    sought!("LEFT JOIN")
);

/// About how long the rest of an event is as it is read: its numbers and its id.
const FACTS: usize = 128;

/// An event by its number, and about how many bytes are read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    n: i64,
    bytes: usize,
}

/// The first of these events, as many as make no more than so many bytes; but one at least, where there
/// is one.
pub(super) fn fitting(found: &VecDeque<Measured>, most: usize) -> Vec<i64> {
    let mut bytes = 0;
    let fit = found.iter().take_while(|event| {
        let is_first = bytes == 0;
        bytes += event.bytes;
        is_first || bytes <= most
    });
    fit.map(|event| event.n).collect()
}

pub(super) fn list(numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// Events as they were read.
#[derive(Debug)]
pub(super) struct Lines {
    facts: String,
    bodies: String,
    /// What proves them, where that was asked for.
    pub(super) proofs: Option<String>,
    shelves: Arc<[ShelfTexts]>,
}

/// What events of a part of the log are told with.
#[derive(Debug)]
struct ShelfTexts {
    ws: i64,
    slug: Option<Slug>,
    texts: Arc<Shared>,
}

/// An actor, by the part of the log and the number there.
pub(super) type ActorKey = (i64, Number);

/// Who of the actors that came up is deactivated.
pub(super) type Deactivated = HashMap<ActorKey, bool>;

impl Snapshot {
    /// The events with these numbers, in their order, with how long each is.
    pub(super) async fn measured(
        &mut self,
        numbers: Vec<i64>,
    ) -> Result<Vec<Measured>, StoreError> {
        let tenant = self.scope.tenant().id;
        let connection = self.transaction.connection();
        let sizes: String = match connection.dialect() {
            Dialect::Sqlite => {
                let sizes = sqlx::query_scalar(SIZES).bind(list(&numbers));
                sizes.fetch_one(connection.sqlite()?).await?
            }
            Dialect::Postgres => {
                let asked = (SIZES_ON_POSTGRES, None);
                let row = on_postgres(connection, asked, tenant, &numbers).await?;
                row.try_get(0)?
            }
        };
        let unreadable = |_| damaged("the size of an event cannot be read");
        let sizes: Vec<usize> = serde_json::from_str(&sizes).map_err(unreadable)?;
        // An event without a size would be left out of the file, and nobody would be told.
        if sizes.len() != numbers.len() {
            return Err(damaged("the size of an event is not there"));
        }
        let sized = numbers.into_iter().zip(sizes);
        Ok(sized
            .map(|(n, bytes)| Measured {
                n,
                bytes: bytes + FACTS,
            })
            .collect())
    }

    /// The events with these numbers, in their order; those whose content is gone are left out. None
    /// where the body of one has more than [`SMALL`] bytes: then none is read that does.
    pub(super) async fn lines_if_small(
        &mut self,
        numbers: &[i64],
    ) -> Result<Option<Lines>, StoreError> {
        let (lines, largest) = self.lines_up_to(numbers, SMALL).await?;
        Ok((largest <= SMALL).then_some(lines))
    }

    /// The same, however large they are.
    pub(super) async fn lines(&mut self, numbers: &[i64]) -> Result<Lines, StoreError> {
        let (lines, _) = self.lines_up_to(numbers, i64::MAX).await?;
        Ok(lines)
    }

    /// The same, without the bodies that have more than `most` bytes; and how many the largest has.
    async fn lines_up_to(
        &mut self,
        numbers: &[i64],
        most: i64,
    ) -> Result<(Lines, i64), StoreError> {
        let tenant = self.scope.tenant().id;
        let connection = self.transaction.connection();
        let (facts, bodies, largest): (String, Option<String>, i64) = match connection.dialect() {
            Dialect::Sqlite => {
                let lines = sqlx::query_as(LINES).bind(list(numbers)).bind(most);
                lines.fetch_one(connection.sqlite()?).await?
            }
            Dialect::Postgres => {
                let asked = (LINES_ON_POSTGRES, Some(most));
                let row = on_postgres(connection, asked, tenant, numbers).await?;
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)
            }
        };
        let shelves = self.shelves.iter().map(|shelf| ShelfTexts {
            ws: shelf.log.ws,
            slug: shelf.slug.clone(),
            texts: Arc::clone(&shelf.texts),
        });
        let lines = Lines {
            facts,
            bodies: bodies.unwrap_or_default(),
            proofs: None,
            shelves: shelves.collect(),
        };
        Ok((lines, largest))
    }
}

/// What a statement of PostgreSQL's gives of a tenant's events with these numbers.
pub(super) async fn on_postgres(
    connection: &mut Connection,
    (statement, most): (&'static str, Option<i64>),
    tenant: i64,
    numbers: &[i64],
) -> Result<database::Row, StoreError> {
    let (first, last) = times_of(connection, tenant, numbers).await?;
    let mut query = database::query(statement)
        .bind(numbers.to_vec())
        .bind(tenant)
        .bind(first)
        .bind(last);
    if let Some(most) = most {
        query = query.bind(most);
    }
    Ok(query.fetch_one(connection).await?)
}

impl Lines {
    /// How long they are.
    pub(super) fn bytes(&self) -> usize {
        self.facts.len() + self.bodies.len()
    }

    /// The events, with their actors of whom nothing is known yet.
    pub(super) fn read(&self, known: &Deactivated) -> Result<Read<'_>, StoreError> {
        let unreadable = || damaged("an event cannot be read");
        let facts: Vec<Facts<'_>> = serde_json::from_str(&self.facts).map_err(|_| unreadable())?;
        let mut bodies = self.bodies.split('\n');
        let mut facts: Vec<(Facts<'_>, &str)> = facts
            .into_iter()
            .map(|facts| Ok((facts, bodies.next().ok_or_else(unreadable)?)))
            .collect::<Result<_, StoreError>>()?;
        // They come in the order of the list; should they ever not, they are put in it.
        if !facts.is_sorted_by_key(|(facts, _)| facts.place) {
            facts.sort_by_key(|(facts, _)| facts.place);
        }
        let actors = facts.iter().map(|(facts, _)| (facts.ws, facts.actor));
        let unknown = actors.filter(|key| !known.contains_key(key)).collect();
        Ok(Read {
            lines: self,
            facts,
            unknown,
        })
    }
}

/// Events whose lines were read.
pub(super) struct Read<'a> {
    lines: &'a Lines,
    facts: Vec<(Facts<'a>, &'a str)>,
    /// The actors of whom it is not known whether they are deactivated.
    pub(super) unknown: HashSet<ActorKey>,
}

impl Read<'_> {
    /// The actors of whom it is not known whether they are deactivated, as they were then.
    pub(super) fn strangers(&self) -> Result<Vec<(ActorKey, Actor, Option<Slug>)>, StoreError> {
        let mut strangers = Vec::with_capacity(self.unknown.len());
        for shelf in &*self.lines.shelves {
            let texts = shelf.texts.read();
            for key in self.unknown.iter().filter(|(ws, _)| *ws == shelf.ws) {
                let actor = texts.actor(key.1).cloned().ok_or_else(missing)?;
                strangers.push((*key, actor, shelf.slug.clone()));
            }
        }
        // Asking for the others again and again would not find them.
        if strangers.len() < self.unknown.len() {
            return Err(elsewhere());
        }
        Ok(strangers)
    }

    /// The events' numbers in the order of arrival.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> + Clone + '_ {
        self.facts.iter().map(|(facts, _)| facts.seq)
    }

    /// Writes the events as rows of a file; with their proofs, where they are to be proved.
    pub(super) fn compose(
        &self,
        tenant: &Slug,
        deactivated: &Deactivated,
        composer: &mut Composer,
        proving: Option<&mut Proving>,
    ) -> Result<Vec<u8>, StoreError> {
        let beside = Beside::read(self.lines.proofs.as_deref().unwrap_or("[]"))?;
        let mut proving = proving.map(|proving| (proving, beside));
        // A workspace's log is one shelf; of a tenant's, all that came up are held at once, for the
        // moment that a piece takes.
        let mut held = Vec::new();
        for shelf in &*self.lines.shelves {
            if self.facts.iter().any(|(facts, _)| facts.ws == shelf.ws) {
                held.push((shelf, shelf.texts.read()));
            }
        }
        let unreadable = |error: io::Error| damaged(&error.to_string());
        // With the names of the fields and the texts of actors and objects.
        let mut piece = composer.piece(self.lines.bytes() + self.facts.len() * 768);
        for (facts, body) in &self.facts {
            let (shelf, texts) = held
                .iter()
                .find(|(shelf, _)| shelf.ws == facts.ws)
                .ok_or_else(elsewhere)?;
            let gone = deactivated.get(&(facts.ws, facts.actor));
            let gone = *gone.ok_or_else(missing)?;
            let slug = shelf.slug.as_ref();
            let mut row = facts.row(body, texts, tenant, slug, gone)?;
            match &mut proving {
                None => piece.add(&row),
                Some((proving, beside)) => {
                    let proof = proving.prove(&mut row, beside)?;
                    piece.add_proven(&row, &proof)
                }
            }
            .map_err(unreadable)?;
        }
        piece.finish().map_err(unreadable)
    }
}

fn elsewhere() -> StoreError {
    damaged("an event lies in another workspace than its index says")
}

fn missing() -> StoreError {
    damaged("a text that an event names is not there")
}

/// What is kept of an event in columns of their own, in their order.
#[derive(Debug, Deserialize)]
struct Facts<'a> {
    /// Where it stands in the list that was asked for.
    place: usize,
    ws: i64,
    seq: u64,
    occurred_at: i64,
    recorded_at: i64,
    actor: Number,
    via: Option<Number>,
    action: Number,
    target: Number,
    related: Option<Number>,
    outcome: u8,
    source: Option<u8>,
    /// Hexadecimal digits.
    id: &'a str,
    /// A JSON text.
    #[serde(borrow)]
    operation: Option<&'a RawValue>,
    /// Which parts are gone, as bits.
    erased: Option<i64>,
}

/// What of an event is kept as JSON, each member as the text that it is.
#[derive(Debug, Default, Deserialize)]
struct RawBody<'a> {
    #[serde(rename = "d", borrow)]
    description: Option<&'a RawValue>,
    #[serde(rename = "k", borrow)]
    idempotency_key: Option<&'a RawValue>,
    #[serde(rename = "b", borrow)]
    before: Option<&'a RawValue>,
    #[serde(rename = "a", borrow)]
    after: Option<&'a RawValue>,
    #[serde(rename = "m", borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(rename = "c", borrow)]
    context: Option<&'a RawValue>,
}

impl<'a> Facts<'a> {
    fn row(
        &self,
        text: &'a str,
        texts: &'a Dictionary,
        tenant: &'a Slug,
        workspace: Option<&'a Slug>,
        deactivated: bool,
    ) -> Result<Row<'a>, StoreError> {
        let broken = |_| damaged("an event's body is broken");
        let body: RawBody<'a> = if text.is_empty() {
            RawBody::default()
        } else {
            serde_json::from_str(text).map_err(broken)?
        };
        let action = texts.action(self.action).ok_or_else(missing)?;
        let given = [
            action.named.verb.map(|_| Given::Verb),
            action.named.category.map(|_| Given::Category),
        ];
        Ok(Row {
            id: EventId(Uuid::try_parse(self.id).map_err(|_| damaged("an id is broken"))?),
            seq: self.seq,
            idempotency_key: body.idempotency_key,
            occurred_at: Timestamp::from_micros(self.occurred_at),
            recorded_at: Timestamp::from_micros(self.recorded_at),
            tenant,
            workspace,
            actor: RowActor::new(texts.actor(self.actor).ok_or_else(missing)?, deactivated),
            via: match self.via {
                None => Vec::new(),
                Some(via) => texts.via_members(via).ok_or_else(missing)?,
            },
            action: &action.named.action,
            verb: action.verb,
            category: action.category,
            given: given.into_iter().flatten().collect(),
            target: texts.target(self.target).ok_or_else(missing)?,
            related: match self.related {
                None => Vec::new(),
                Some(related) => texts.related_members(related).ok_or_else(missing)?,
            },
            operation: self.operation,
            outcome: match self.outcome {
                0 => Outcome::Success,
                1 => Outcome::Failure,
                2 => Outcome::Denied,
                _ => return Err(damaged("an outcome is none that there is")),
            },
            redacted: redacted(text, &body)?,
            description: body.description,
            before: body.before,
            after: body.after,
            metadata: body.metadata,
            context: body.context,
            source: match self.source {
                None => None,
                Some(1) => Some(Source::Daybook),
                Some(2) => Some(Source::Import),
                Some(_) => return Err(damaged("a source is none that there is")),
            },
            erased: read_parts(self.erased)?.list(),
        })
    }
}

/// How many values were taken out: looked for only where there is something like a mark.
fn redacted(text: &str, body: &RawBody<'_>) -> Result<u32, StoreError> {
    if memchr::memmem::find(text.as_bytes(), b"\"redacted:").is_none() {
        return Ok(0);
    }
    let mut marks = 0_u32;
    let objects = [body.before, body.after, body.metadata, body.context];
    for object in objects.into_iter().flatten() {
        let object: Object =
            serde_json::from_str(object.get()).map_err(|_| damaged("an event's body is broken"))?;
        marks = marks.saturating_add(count_marks_in(&object));
    }
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_at_once_is_bounded_and_one_event_at_least() {
        let event = |n: i64, bytes: usize| Measured { n, bytes };
        let mut found: VecDeque<_> = [
            event(1, 400),
            event(2, 600),
            event(3, 1),
            event(4, 5_000),
            event(5, 10),
        ]
        .into();
        let mut pieces = Vec::new();
        while !found.is_empty() {
            let fit = fitting(&found, 1_000);
            found.drain(..fit.len());
            pieces.push(fit);
        }
        assert_eq!(pieces, [vec![1, 2], vec![3], vec![4], vec![5]]);
        assert!(fitting(&found, 1_000).is_empty());
    }

    #[test]
    fn an_event_of_a_workspace_that_is_not_read_is_an_error_and_not_asked_for_again() {
        let lines = Lines {
            facts: r#"[[0,99,1,1,1,7,null,1,1,null,0,null,"00",null,null]]"#.to_owned(),
            bodies: String::new(),
            proofs: None,
            shelves: Arc::from([]),
        };
        let read = lines.read(&Deactivated::new());
        let told = read.and_then(|read| read.strangers());
        assert!(told.is_err_and(|error| error.to_string().contains("another workspace")));
    }
}

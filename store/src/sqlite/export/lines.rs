//! What an export reads of events, many at a time, and what it makes of it.
//!
//! A page gets its events row by row and builds each as a value. Here the database puts a line of
//! text together for each event, and hands over many of them as one text: what that saves is most of
//! what reading costs. What was sent as JSON stays the text that it is.

use crate::{
    StoreError,
    dictionary::{Dictionary, Number},
    sqlite::{
        dictionaries::{Shared, damaged},
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
use sqlx::Row as _;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// A line for each event of a list of numbers. Its texts are JSON or hexadecimal digits, in which
/// there is no line break and no tab. A number that is not there is 0, which none is.
const LINES: &str = "SELECT group_concat(line, '\n') FROM (SELECT format( \
         '%d %d %d %d %d %d %d %d %d %d %d %d %s\t%s\t%s', j.key, l.ws, l.seq, l.occurred_at, \
         l.recorded_at, c.actor, c.via, c.action, c.target, c.related, c.outcome, c.source, \
         hex(l.id), json_quote(c.operation), c.body) AS line \
     FROM json_each(?) j CROSS JOIN leaf l ON l.n = j.value CROSS JOIN content c ON c.n = l.n)";

/// Events as they were read.
#[derive(Debug)]
pub(super) struct Lines {
    text: String,
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
    /// The events with these numbers, in their order; those whose content is gone are left out.
    pub(super) async fn lines(&mut self, numbers: &[i64]) -> Result<Lines, StoreError> {
        let list: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let connection = self.transaction.connection();
        let row = sqlx::query(LINES)
            .bind(format!("[{}]", list.join(",")))
            .fetch_one(connection)
            .await?;
        let text: Option<String> = row.try_get(0)?;
        let shelves = self.shelves.iter().map(|shelf| ShelfTexts {
            ws: shelf.ws,
            slug: shelf.slug.clone(),
            texts: Arc::clone(&shelf.texts),
        });
        Ok(Lines {
            text: text.unwrap_or_default(),
            shelves: shelves.collect(),
        })
    }
}

impl Lines {
    /// How long they are.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The events, with their actors of whom nothing is known yet.
    pub(super) fn read(&self, known: &Deactivated) -> Result<Read<'_>, StoreError> {
        let mut facts = Vec::new();
        for line in self.text.split('\n').filter(|line| !line.is_empty()) {
            facts.push(Facts::read(line).ok_or_else(|| damaged("an event cannot be read"))?);
        }
        // They come in the order of the list; should they ever not, they are put in it.
        if !facts.is_sorted_by_key(|facts| facts.place) {
            facts.sort_by_key(|facts| facts.place);
        }
        let actors = facts.iter().map(|facts| (facts.ws, facts.actor));
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
    facts: Vec<Facts<'a>>,
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
        Ok(strangers)
    }

    /// Writes the events as rows of a file.
    pub(super) fn compose(
        &self,
        tenant: &Slug,
        deactivated: &Deactivated,
        composer: &mut Composer,
    ) -> Result<Vec<u8>, StoreError> {
        // A workspace's log is one shelf; of a tenant's, all that came up are held at once, for the
        // moment that a piece takes.
        let mut held = Vec::new();
        for shelf in &*self.lines.shelves {
            if self.facts.iter().any(|facts| facts.ws == shelf.ws) {
                held.push((shelf, shelf.texts.read()));
            }
        }
        let mut rows = Vec::with_capacity(self.facts.len());
        for facts in &self.facts {
            let (shelf, texts) = held
                .iter()
                .find(|(shelf, _)| shelf.ws == facts.ws)
                .ok_or_else(|| damaged("an event lies in another workspace than its index says"))?;
            let gone = deactivated.get(&(facts.ws, facts.actor)).copied();
            let slug = shelf.slug.as_ref();
            rows.push(facts.row(texts, tenant, slug, gone.unwrap_or_default())?);
        }
        // The texts come to as much again in JSON, and half as much in CSV.
        let bytes = self.lines.text.len() * 2 + rows.len() * 512;
        composer
            .rows_of(rows, bytes)
            .map_err(|error| damaged(&error.to_string()))
    }
}

fn missing() -> StoreError {
    damaged("a text that an event names is not there")
}

/// What a line says.
struct Facts<'a> {
    /// Where it stands in the list that was asked for.
    place: usize,
    ws: i64,
    seq: u64,
    occurred_at: Timestamp,
    recorded_at: Timestamp,
    actor: Number,
    via: Number,
    action: Number,
    target: Number,
    related: Number,
    outcome: u8,
    source: u8,
    id: Uuid,
    /// A JSON text.
    operation: &'a str,
    /// A JSON object; empty: there is none.
    body: &'a str,
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
    fn read(line: &'a str) -> Option<Self> {
        let (numbers, rest) = line.split_once('\t')?;
        let (operation, body) = rest.split_once('\t')?;
        let mut numbers = numbers.split(' ');
        let mut next = || numbers.next();
        Some(Self {
            place: next()?.parse().ok()?,
            ws: next()?.parse().ok()?,
            seq: next()?.parse().ok()?,
            occurred_at: Timestamp::from_micros(next()?.parse().ok()?),
            recorded_at: Timestamp::from_micros(next()?.parse().ok()?),
            actor: next()?.parse().ok()?,
            via: next()?.parse().ok()?,
            action: next()?.parse().ok()?,
            target: next()?.parse().ok()?,
            related: next()?.parse().ok()?,
            outcome: next()?.parse().ok()?,
            source: next()?.parse().ok()?,
            id: Uuid::try_parse(next()?).ok()?,
            operation,
            body,
        })
    }

    fn row(
        &self,
        texts: &'a Dictionary,
        tenant: &'a Slug,
        workspace: Option<&'a Slug>,
        deactivated: bool,
    ) -> Result<Row<'a>, StoreError> {
        let broken = |_| damaged("an event's body is broken");
        let body: RawBody<'a> = if self.body.is_empty() {
            RawBody::default()
        } else {
            serde_json::from_str(self.body).map_err(broken)?
        };
        let operation: Option<&'a RawValue> =
            serde_json::from_str(self.operation).map_err(broken)?;
        let action = texts.action(self.action).ok_or_else(missing)?;
        let given = [
            action.named.verb.map(|_| Given::Verb),
            action.named.category.map(|_| Given::Category),
        ];
        Ok(Row {
            id: EventId(self.id),
            seq: self.seq,
            idempotency_key: body.idempotency_key,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            tenant,
            workspace,
            actor: RowActor::new(texts.actor(self.actor).ok_or_else(missing)?, deactivated),
            via: match self.via {
                0 => Vec::new(),
                via => texts.via_members(via).ok_or_else(missing)?,
            },
            action: &action.named.action,
            verb: action.verb,
            category: action.category,
            given: given.into_iter().flatten().collect(),
            target: texts.target(self.target).ok_or_else(missing)?,
            related: match self.related {
                0 => Vec::new(),
                related => texts.related_members(related).ok_or_else(missing)?,
            },
            operation,
            outcome: match self.outcome {
                0 => Outcome::Success,
                1 => Outcome::Failure,
                2 => Outcome::Denied,
                _ => return Err(damaged("an outcome is none that there is")),
            },
            redacted: redacted(self.body, &body)?,
            description: body.description,
            before: body.before,
            after: body.after,
            metadata: body.metadata,
            context: body.context,
            source: match self.source {
                0 => None,
                1 => Some(Source::Daybook),
                2 => Some(Source::Import),
                _ => return Err(damaged("a source is none that there is")),
            },
            erased: &[],
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

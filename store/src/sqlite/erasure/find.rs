//! What is to be erased, and what stands in its place.

use super::super::{
    Inner,
    admit::Body,
    change::Log,
    dictionaries::{Shared, damaged, read_extent},
};
use super::{
    damage,
    found::{Found, FoundEvent, Of, OneEvent, Person, Stands},
};
use crate::{
    StoreError,
    access::Workspace,
    database::{self, Connection, Dialect, Row},
    erasure::{Address, ERASABLE, ErasureError, What},
    keys::{Key, mac},
};
use domain::{
    event::{Actor, EventId, NewEvent, Object, Outcome, Part, Parts, Source, Target},
    leaf::{PartProofs, Salt, part_of, proven_parts_hash},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What goes of an event is told by so many of its texts, the longest.
const TEXTS: usize = 16;

/// What stands in place of somebody: the same for the same words, and not to be told from them by who
/// has not the installation's secret.
fn pseudonym(key: &Key, words: &[&str]) -> String {
    let pieces: Vec<&[u8]> = words
        .iter()
        .flat_map(|word| [word.as_bytes(), b"\0"])
        .collect();
    let mac = mac(key, &pieces);
    let number = mac
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("erased-{number:016x}")
}

pub(super) fn named(kind: domain::event::ActorKind, pseudonym: String) -> Actor {
    Actor {
        kind,
        id: Some(pseudonym),
        name: None,
        email: None,
    }
}

fn unnamed(target: &Target) -> Target {
    Target {
        kind: target.kind.clone(),
        id: None,
        name: None,
        url: None,
    }
}

impl Inner {
    /// What would be erased now.
    pub(super) async fn find_erasable(
        &self,
        connection: &mut Connection,
        workspace: &Workspace,
        what: &What,
    ) -> Result<Found, ErasureError> {
        match what {
            What::Person(address) => self.find_person(connection, workspace, address).await,
            What::Event(id, parts) => self.find_event(connection, workspace, *id, *parts).await,
        }
    }

    async fn find_person(
        &self,
        connection: &mut Connection,
        workspace: &Workspace,
        address: &Address,
    ) -> Result<Found, ErasureError> {
        self.index_all().await?;
        let log = Log::from(workspace);
        let (mark, statement) = match connection.dialect() {
            Dialect::Sqlite => (
                database::query_scalar("SELECT n FROM i.mark")
                    .fetch_one(&mut *connection)
                    .await?,
                "SELECT b.n, b.actor, b.via FROM json_each(?1) j CROSS JOIN by_actor b \
                 ON b.key = j.value WHERE b.ws = ?2",
            ),
            Dialect::Postgres => (
                database::query_scalar("SELECT seq FROM tenant_head WHERE tenant = ?")
                    .bind(log.tenant)
                    .fetch_one(&mut *connection)
                    .await?,
                "SELECT b.n, b.actor, b.via FROM json_each(?1) j CROSS JOIN by_actor b \
                 ON b.key = j.value WHERE b.ws = ?2 AND b.tenant = ?3",
            ),
        };
        let extent = read_extent(connection, log).await?;
        let texts = self.dictionaries.extend(connection, log, extent).await?;
        let (theirs, others, known) = {
            let known = texts.read();
            let theirs = known.actors_of(address);
            let others = known.actors_with_ids_of(&theirs);
            (theirs, others, known.sizes().actor)
        };
        let tenant = workspace.tenant.slug.as_str();
        let mut found = Found {
            events: BTreeMap::new(),
            pseudonym: Some(pseudonym(
                &self.keys.pseudonym,
                &["person", tenant, address.as_str()],
            )),
            same_ids: 0,
            damaged: BTreeMap::new(),
            mark,
            released_to: None,
            texts,
            of: Of::Person(Person {
                address: address.clone(),
                theirs: theirs.iter().copied().collect(),
                known,
            }),
        };
        let mut same_ids: BTreeSet<i64> = BTreeSet::new();
        for (actors, are_theirs) in [(theirs, true), (others, false)] {
            for some in actors.chunks(500) {
                let numbers: Vec<i64> = some.iter().map(|number| i64::from(*number)).collect();
                let mut query = database::query(statement).bind(numbers).bind(log.ws);
                if connection.dialect() == Dialect::Postgres {
                    query = query.bind(log.tenant);
                }
                for row in query.fetch_all(&mut *connection).await? {
                    if are_theirs {
                        found.add(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                    } else {
                        same_ids.insert(row.try_get(0)?);
                    }
                }
            }
        }
        same_ids.retain(|n| !found.events.contains_key(n));
        found.same_ids = same_ids.len() as u64;
        found.pass_over(damage::of_log(connection, log).await?);
        Ok(found)
    }

    async fn find_event(
        &self,
        connection: &mut Connection,
        workspace: &Workspace,
        id: EventId,
        wanted: Option<Parts>,
    ) -> Result<Found, ErasureError> {
        if wanted.is_some_and(|parts| parts.has(Part::Facts)) {
            return Err(ErasureError::Facts);
        }
        let log = Log::from(workspace);
        let statement = match connection.dialect() {
            Dialect::Sqlite => {
                "SELECT l.n, c.actor, c.via, c.action, c.target, c.related, c.erased, c.keep, c.body, \
                     c.salt, c.proofs, c.source, c.outcome, c.operation, l.parts \
                 FROM leaf l LEFT JOIN content c ON c.n = l.n \
                 WHERE l.id = ? AND l.tenant = ? AND l.ws = ?"
            }
            Dialect::Postgres => {
                "SELECT l.seq, c.actor, c.via, c.action, c.target, c.related, c.erased, c.keep, c.body, \
                     c.salt, c.proofs, c.source, c.outcome, c.operation, l.parts \
                 FROM leaf l LEFT JOIN content c ON c.tenant = l.tenant AND c.ws = l.ws \
                     AND c.at = l.occurred_at AND c.seq = l.seq AND c.class = l.class \
                 WHERE l.id = ? AND l.tenant = ? AND l.ws = ?"
            }
        };
        let row = database::query(statement)
            .bind(&id.0.as_bytes()[..])
            .bind(log.tenant)
            .bind(log.ws)
            .fetch_optional(&mut *connection)
            .await?
            .ok_or(ErasureError::UnknownEvent(id))?;
        let extent = read_extent(connection, log).await?;
        let texts = self.dictionaries.extend(connection, log, extent).await?;
        // What cannot be read does not say what was recorded either.
        let altered = |_: StoreError| ErasureError::Altered(id);
        let Some((mut event, source, stands)) = recorded(&row, &texts).map_err(altered)? else {
            return Err(ErasureError::Expired(id));
        };
        let gone = read_parts(row.try_get(6)?).map_err(altered)?;
        let proofs = proofs(gone, row.try_get(9)?, row.try_get(10)?).map_err(altered)?;
        let leaf: &[u8] = row.try_get(14)?;
        if proven_parts_hash(&event, source, proofs.each()).0 != leaf {
            return Err(ErasureError::Altered(id));
        }
        let parts: Parts = ERASABLE
            .into_iter()
            .filter(|part| wanted.is_none_or(|wanted| wanted.has(*part)))
            // What said nothing says no less when it is erased.
            .filter(|part| part_of(*part, &event, source) != "{}")
            .collect::<Parts>()
            .without(gone);
        let judges: bool = row.try_get(7)?;
        if judges && parts.has(Part::Change) {
            let action = event.action;
            return Err(ErasureError::Judges { id, action });
        }
        let told_by = texts_of(&event, parts);
        let mut addresses = Vec::new();
        let words = |index: usize| ["event".to_owned(), id.to_string(), index.to_string()];
        let erase = |actor: &mut Actor, index: usize, addresses: &mut Vec<Address>| {
            addresses.extend(actor.email.as_deref().and_then(|email| email.parse().ok()));
            let words = words(index);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            *actor = named(actor.kind, pseudonym(&self.keys.pseudonym, &words));
        };
        if parts.has(Part::Actor) {
            erase(&mut event.actor, 0, &mut addresses);
        }
        if parts.has(Part::Via) {
            for (index, member) in event.via.iter_mut().enumerate() {
                erase(member, index + 1, &mut addresses);
            }
        }
        if parts.has(Part::Objects) {
            event.target = unnamed(&event.target);
            event.related = event.related.iter().map(unnamed).collect();
        }
        // The rest of it is not looked at.
        put_body(&mut event, None)?;
        let pseudonym = parts
            .has(Part::Actor)
            .then(|| event.actor.id.clone())
            .flatten();
        let n: i64 = row.try_get(0)?;
        let events = (!parts.is_empty()).then_some((n, FoundEvent { parts, stands }));
        Ok(Found {
            events: events.into_iter().collect(),
            pseudonym,
            same_ids: 0,
            damaged: BTreeMap::new(),
            mark: n,
            released_to: None,
            texts,
            of: Of::Event(Box::new(OneEvent {
                shape: event,
                addresses,
                texts: told_by,
            })),
        })
    }
}

/// An event as it was given, from a row of [`Inner::find_event`], with under whom it stands; none where its
/// content is gone.
fn recorded(
    row: &Row,
    texts: &Shared,
) -> Result<Option<(NewEvent, Option<Source>, Stands)>, StoreError> {
    let missing = || damaged("a text that an event names is not there");
    let Some(actor) = row.try_get::<Option<u32>>(1)? else {
        return Ok(None);
    };
    let via = row.try_get::<Option<u32>>(2)?;
    let known = texts.read();
    let named = known.action(row.try_get(3)?).ok_or_else(missing)?;
    let named = named.named.clone();
    let target = known.target(row.try_get(4)?);
    let mut event = NewEvent::new(
        known.actor(actor).cloned().ok_or_else(missing)?,
        named.action,
        target.cloned().ok_or_else(missing)?,
    );
    (event.verb, event.category) = (named.verb, named.category);
    if let Some(via) = via {
        event.via = known.via(via).ok_or_else(missing)?;
    }
    if let Some(related) = row.try_get::<Option<u32>>(5)? {
        event.related = known.related(related).ok_or_else(missing)?;
    }
    put_body(&mut event, row.try_get(8)?)?;
    event.outcome = match row.try_get::<i64>(12)? {
        0 => Outcome::Success,
        1 => Outcome::Failure,
        2 => Outcome::Denied,
        _ => return Err(damaged("an outcome is none that there is")),
    };
    event.operation = row.try_get(13)?;
    let source = match row.try_get::<Option<i64>>(11)? {
        None => None,
        Some(1) => Some(Source::Daybook),
        Some(2) => Some(Source::Import),
        Some(_) => return Err(damaged("a source is none that there is")),
    };
    Ok(Some((event, source, (actor, via))))
}

/// Reads which parts are gone.
pub(crate) fn read_parts(bits: Option<i64>) -> Result<Parts, StoreError> {
    let bits = u8::try_from(bits.unwrap_or(0)).ok();
    let parts = bits.and_then(Parts::from_bits);
    parts.ok_or_else(|| damaged("which parts of an event are gone cannot be read"))
}

/// Reads what proves the parts of an event, of which these are gone.
pub(crate) fn proofs(
    gone: Parts,
    salt: &[u8],
    proofs: Option<&[u8]>,
) -> Result<PartProofs, StoreError> {
    let broken = || damaged("what proves an event is broken");
    match proofs {
        Some(bytes) => PartProofs::from_bytes(gone, bytes).ok_or_else(broken),
        None if gone.is_empty() => {
            let salt = salt.try_into().map_err(|_| broken())?;
            Ok(PartProofs::of(&Salt(salt)))
        }
        None => Err(broken()),
    }
}

/// Gives an event what its body says.
pub(super) fn put_body(event: &mut NewEvent, body: Option<&str>) -> Result<(), StoreError> {
    let body = body.map(serde_json::from_str::<Body>).transpose();
    let body = body
        .map_err(|_| damaged("an event's body is broken"))?
        .unwrap_or_default();
    event.description = body.description;
    event.idempotency_key = body.idempotency_key;
    event.before = body.before;
    event.after = body.after;
    event.metadata = body.metadata;
    event.context = body.context;
    Ok(())
}

/// The longest texts in some parts of an event, as they are written in the database.
fn texts_of(event: &NewEvent, parts: Parts) -> BTreeSet<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut actors: Vec<&Actor> = Vec::new();
    if parts.has(Part::Actor) {
        actors.push(&event.actor);
    }
    if parts.has(Part::Via) {
        actors.extend(&event.via);
    }
    let names = actors.iter().flat_map(|actor| [&actor.name, &actor.email]);
    texts.extend(names.flatten().cloned());
    if parts.has(Part::Objects) {
        let objects = event.related.iter().chain([&event.target]);
        let names = objects.flat_map(|object| [&object.id, &object.name, &object.url]);
        texts.extend(names.flatten().cloned());
    }
    let mut put = |object: Option<&Object>| {
        for value in object.into_iter().flat_map(|object| object.values()) {
            put_texts(value, &mut texts);
        }
    };
    if parts.has(Part::Change) {
        put(event.before.as_ref());
        put(event.after.as_ref());
    }
    if parts.has(Part::Context) {
        put(event.context.as_ref());
    }
    if parts.has(Part::Details) {
        put(event.metadata.as_ref());
        let own = [&event.description, &event.idempotency_key];
        texts.extend(own.into_iter().flatten().map(|text| written(text)));
    }
    texts.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
    texts.truncate(TEXTS);
    texts.into_iter().collect()
}

fn put_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(written(text)),
        Value::Array(list) => list.iter().for_each(|value| put_texts(value, texts)),
        Value::Object(object) => object.values().for_each(|value| put_texts(value, texts)),
        _ => {}
    }
}

/// A text as it is written in JSON.
fn written(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(text).to_owned()
}

//! What is to be erased, and what stands in its place.

use super::super::{
    Inner,
    admit::Body,
    change::Log,
    dictionaries::{Dictionaries, Shared, damaged, read_extent},
};
use crate::{
    StoreError,
    access::Workspace,
    database::{self, Connection, Dialect, Row},
    dictionary::Number,
    erasure::{Address, ERASABLE, ErasureError, Extent, What},
    holds::Reason,
    keys::{Key, mac},
};
use domain::{
    event::{Actor, EventId, NewEvent, Outcome, Part, Parts, Source, Target},
    leaf::{PartProofs, Salt, part_of, proven_parts_hash},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// Under which texts an event stands: its actor, and the chain of those who carried it out.
pub(super) type Stands = (Number, Option<Number>);

/// An event of which parts are to be erased.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundEvent {
    pub(super) parts: Parts,
    pub(super) stands: Stands,
}

/// What was found to be erased.
#[derive(Debug)]
pub(super) struct Found {
    /// By the number in the installation, or, on PostgreSQL, in the tenant.
    pub(super) events: BTreeMap<i64, FoundEvent>,
    pub(super) pseudonym: Option<String>,
    same_ids: u64,
    /// Up to which event it was looked for.
    mark: i64,
    texts: Arc<Shared>,
    of: Of,
}

/// Whom or what it is about.
#[derive(Debug)]
enum Of {
    /// A person.
    Person(Person),
    /// An event, whose texts these are to be.
    Event(Box<OneEvent>),
}

#[derive(Debug)]
struct Person {
    address: Address,
    /// The numbers of the actors that are they,
    theirs: BTreeSet<Number>,
    /// among those up to this one.
    known: Number,
}

#[derive(Debug)]
struct OneEvent {
    /// As it is to be.
    shape: NewEvent,
    /// Addresses that go.
    addresses: Vec<Address>,
}

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

fn named(kind: domain::event::ActorKind, pseudonym: String) -> Actor {
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
        self.require_index()?;
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
            mark,
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
        let Some((mut event, source, stands)) = recorded(&row, &texts)? else {
            return Err(ErasureError::Expired(id));
        };
        let gone = read_parts(row.try_get(6)?)?;
        let proofs = proofs(gone, row.try_get(9)?, row.try_get(10)?)?;
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
            mark: n,
            texts,
            of: Of::Event(Box::new(OneEvent {
                shape: event,
                addresses,
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

impl Found {
    /// Adds an event of theirs.
    fn add(&mut self, n: i64, actor: Number, via: Option<Number>) {
        let Of::Person(Person { theirs, .. }) = &self.of else {
            return;
        };
        let known = self.texts.read();
        let carried_out = via.and_then(|via| known.chain(via));
        let mut parts = Parts::NONE;
        if theirs.contains(&actor) {
            parts = parts.with(Part::Actor);
        }
        if carried_out.is_some_and(|members| members.iter().any(|it| theirs.contains(it))) {
            parts = parts.with(Part::Via);
        }
        if !parts.is_empty() {
            let stands = (actor, via);
            self.events.insert(n, FoundEvent { parts, stands });
        }
    }

    /// Adds what came since it was looked for, while nothing more can.
    pub(super) async fn add_since(
        &mut self,
        connection: &mut Connection,
        workspace: &Workspace,
    ) -> Result<(), StoreError> {
        if matches!(self.of, Of::Event(_)) {
            return Ok(());
        }
        let log = Log::from(workspace);
        let rows = match connection.dialect() {
            Dialect::Sqlite => database::query(
                "SELECT c.n, c.actor, c.via FROM leaf l JOIN content c ON c.n = l.n \
                 WHERE l.n > ? AND l.ws = ?",
            )
            .bind(self.mark)
            .bind(log.ws),
            Dialect::Postgres => database::query(
                "SELECT c.seq, c.actor, c.via FROM leaf l JOIN content c ON c.tenant = l.tenant \
                     AND c.ws = l.ws AND c.at = l.occurred_at AND c.seq = l.seq AND c.class = l.class \
                 WHERE l.seq > ? AND l.ws = ? AND l.tenant = ?",
            )
            .bind(self.mark)
            .bind(log.ws)
            .bind(log.tenant),
        };
        let rows = rows.fetch_all(&mut *connection).await?;
        if !rows.is_empty() {
            self.read_new_texts(connection, log).await?;
        }
        for row in &rows {
            self.add(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        }
        Ok(())
    }

    /// Reads what came up since of texts.
    async fn read_new_texts(
        &mut self,
        connection: &mut Connection,
        log: Log,
    ) -> Result<(), StoreError> {
        let Of::Person(person) = &mut self.of else {
            return Ok(());
        };
        let extent = read_extent(connection, log).await?;
        if extent.is_beyond(self.texts.read().sizes()) {
            // By itself: what is read in a transaction that may be undone is for nobody else.
            self.texts = Dictionaries::default()
                .extend(connection, log, extent)
                .await?;
        }
        let known = self.texts.read();
        let new = known.actors_of(&person.address).into_iter();
        person
            .theirs
            .extend(new.filter(|number| *number > person.known));
        Ok(())
    }

    /// Whether a reason holds an address that is to go.
    pub(super) fn is_told_by(&self, reason: &Reason) -> bool {
        match &self.of {
            Of::Person(_) => false,
            Of::Event(event) => {
                let mut addresses = event.addresses.iter();
                addresses.any(|address| address.is_in(reason.as_str()))
            }
        }
    }

    /// How much it is.
    pub(super) fn extent(&self) -> Extent {
        let mut extent = Extent {
            pseudonym: self.pseudonym.clone(),
            same_ids: self.same_ids,
            ..Extent::default()
        };
        for event in self.events.values() {
            *extent.events.entry(event.parts).or_default() += 1;
        }
        extent
    }

    /// What stands in place of what is erased, for each way in which events stand: as an event whose
    /// other parts are those of one that is given.
    pub(super) fn shapes(&self, like: &NewEvent) -> Vec<(Stands, NewEvent)> {
        let all: BTreeSet<Stands> = self.events.values().map(|event| event.stands).collect();
        let known = self.texts.read();
        let shape = |stands: Stands| match &self.of {
            Of::Event(event) => event.shape.clone(),
            Of::Person(Person { theirs, .. }) => {
                let erased = |number: Number, actor: &Actor| match &self.pseudonym {
                    Some(pseudonym) if theirs.contains(&number) => {
                        named(actor.kind, pseudonym.clone())
                    }
                    _ => actor.clone(),
                };
                let mut shape =
                    NewEvent::new(like.actor.clone(), like.action.clone(), like.target.clone());
                if let Some(actor) = known.actor(stands.0)
                    && theirs.contains(&stands.0)
                {
                    shape.actor = erased(stands.0, actor);
                }
                let members = stands.1.and_then(|via| known.chain(via));
                shape.via = members
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|number| Some(erased(*number, known.actor(*number)?)))
                    .collect();
                shape
            }
        };
        all.into_iter()
            .map(|stands| (stands, shape(stands)))
            .collect()
    }
}

/// The numbers in the tenant of what was found.
pub(super) async fn numbers_in_tenant(
    connection: &mut Connection,
    workspace: &Workspace,
    found: &Found,
) -> Result<HashMap<i64, u64>, StoreError> {
    let all: Vec<i64> = found.events.keys().copied().collect();
    let number = |seq: i64| u64::try_from(seq).unwrap_or_default();
    if connection.dialect() == Dialect::Postgres {
        return Ok(all.into_iter().map(|n| (n, number(n))).collect());
    }
    let mut numbers = HashMap::with_capacity(all.len());
    for some in all.chunks(10_000) {
        let rows: Vec<(i64, i64)> = database::query_as(
            "SELECT l.n, l.seq FROM json_each(?1) j CROSS JOIN leaf l ON l.n = j.value \
             WHERE l.tenant = ?2",
        )
        .bind(some.to_vec())
        .bind(workspace.tenant.id)
        .fetch_all(&mut *connection)
        .await?;
        numbers.extend(rows.into_iter().map(|(n, seq)| (n, number(seq))));
    }
    Ok(numbers)
}

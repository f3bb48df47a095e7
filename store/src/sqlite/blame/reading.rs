//! Reading an object's events: of them only what the fold is about, and what comes again and again once.

use super::super::{
    change::Log,
    dictionaries::{Shared, damaged},
};
use super::broken;
use crate::{
    StoreError,
    database::{self, Connection, Dialect},
    dictionary::{Dictionary, Number},
};
use domain::{
    blame::{Fold, Member, Stated, Telling, rest},
    event::{Actor, EventId, Outcome, Part, Parts},
    time::Timestamp,
};
use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashMap, fmt, iter, sync::Arc};
use uuid::Uuid;

/// What the fold is about of the events of a list of numbers: what is kept in columns of their own as a
/// JSON array of arrays ([`Facts`]), beside it the bodies, a line for each.
const STATES: &str = "SELECT json_group_array(json_array(j.key, l.occurred_at, hex(l.id), c.actor, \
         c.via, c.action, c.target, c.related, c.operation, c.erased)), \
         group_concat(coalesce(c.body, ''), '\n') \
     FROM json_each(?) j CROSS JOIN leaf l ON l.n = j.value CROSS JOIN content c ON c.n = l.n";

/// The same, of events that occurred between ?3 and ?4. Each is looked for by its key (`OFFSET 0`),
/// whatever the server believes of tables that it has not looked at yet. Lists begin at 1 there.
const STATES_ON_POSTGRES: &str = "SELECT CAST(coalesce(json_agg(json_build_array(j.key - 1, l.occurred_at, \
         encode(l.id, 'hex'), c.actor, c.via, c.action, c.target, c.related, c.operation, c.erased) ORDER BY j.key), '[]') AS TEXT), \
         string_agg(coalesce(c.body, ''), chr(10) ORDER BY j.key) \
     FROM json_each(?1) j JOIN LATERAL ( \
         SELECT * FROM leaf WHERE tenant = ?2 AND seq = j.value OFFSET 0) l ON TRUE JOIN LATERAL ( \
         SELECT * FROM content WHERE tenant = ?2 AND ws = l.ws AND at = l.occurred_at \
             AND seq = l.seq AND class = l.class AND at >= ?3 AND at <= ?4 OFFSET 0) c ON TRUE";

/// Events as they were read.
#[derive(Debug)]
pub(super) struct States {
    facts: String,
    bodies: String,
}

impl States {
    /// How many bytes they are.
    pub(super) fn len(&self) -> usize {
        self.facts.len() + self.bodies.len()
    }
}

/// The events at these places; those whose content is gone are left out.
pub(super) async fn read(
    connection: &mut Connection,
    log: Log,
    places: &[(i64, i64)],
) -> Result<States, StoreError> {
    let numbers: Vec<i64> = places.iter().map(|(_, n)| *n).collect();
    let query = match connection.dialect() {
        Dialect::Sqlite => database::query_as(STATES).bind(numbers),
        Dialect::Postgres => database::query_as(STATES_ON_POSTGRES)
            .bind(numbers)
            .bind(log.tenant)
            .bind(places.first().map(|(at, _)| *at))
            .bind(places.last().map(|(at, _)| *at)),
    };
    let (facts, bodies): (String, Option<String>) = query.fetch_one(connection).await?;
    Ok(States {
        facts,
        bodies: bodies.unwrap_or_default(),
    })
}

/// What is kept of an event in columns of their own, as far as the fold is about it.
#[derive(Debug, Deserialize)]
struct Facts<'a> {
    /// Where it stands in the list that was asked for.
    place: usize,
    occurred_at: i64,
    /// Hexadecimal digits.
    id: &'a str,
    actor: Number,
    via: Option<Number>,
    action: Number,
    target: Number,
    related: Option<Number>,
    #[serde(borrow)]
    operation: Option<Cow<'a, str>>,
    /// The parts that were erased, as bits.
    erased: Option<u8>,
}

/// The same of what is kept as JSON; the states as the texts that they are.
#[derive(Debug, Default, Deserialize)]
struct Body<'a> {
    #[serde(rename = "k", borrow, default)]
    idempotency_key: Option<Cow<'a, str>>,
    #[serde(rename = "b", borrow, default)]
    before: Option<&'a RawValue>,
    #[serde(rename = "a", borrow, default)]
    after: Option<&'a RawValue>,
}

/// The members of a state, each as the text that it is.
struct Texts<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Deserialize<'a> for Texts<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'a> Visitor<'a> for Members {
            type Value = Texts<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Texts<'a>, A::Error> {
                let mut members = Vec::new();
                while let Some(Text(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Texts(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A name, which is copied only where it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The last state that was read. Who gives whole states says before what was said after the last time,
/// and after it almost the same: only what is different is read.
#[derive(Default)]
struct LastState {
    text: String,
    state: Arc<Stated>,
    /// The texts of its members.
    members: Vec<Arc<str>>,
}

impl LastState {
    fn read(&mut self, raw: &RawValue) -> Result<Arc<Stated>, StoreError> {
        let text = raw.get();
        if text == self.text {
            return Ok(Arc::clone(&self.state));
        }
        let Texts(mut given) = serde_json::from_str(text).map_err(broken)?;
        if !given.is_sorted_by(|(one, _), (other, _)| one < other) {
            given.sort_by(|(one, _), (other, _)| one.cmp(other));
            given.dedup_by(|(one, _), (other, _)| one == other);
        }
        let known = self.state.members().iter().zip(&self.members);
        let mut known = known.peekable();
        let mut members = Vec::with_capacity(given.len());
        let mut texts = Vec::with_capacity(given.len());
        for (name, raw) in given {
            while known
                .next_if(|(member, _)| *member.name() < *name)
                .is_some()
            {}
            let alike =
                known.next_if(|(member, text)| member.name() == name && ***text == *raw.get());
            if let Some((member, text)) = alike {
                members.push(Arc::clone(member));
                texts.push(Arc::clone(text));
            } else {
                let value = serde_json::from_str(raw.get()).map_err(broken)?;
                members.push(Arc::new(Member::new(name.into_owned(), value)));
                texts.push(Arc::from(raw.get()));
            }
        }
        self.state = Arc::new(Stated::new(members));
        self.members = texts;
        self.text.clear();
        self.text.push_str(text);
        Ok(Arc::clone(&self.state))
    }
}

/// Makes of events what the fold takes in. Texts that come again and again are kept once.
pub(super) struct Reading {
    texts: Arc<Shared>,
    actors: HashMap<Number, Arc<Actor>>,
    via: HashMap<Option<Number>, Arc<[Actor]>>,
    last: LastState,
}

impl Reading {
    pub(super) fn new(texts: Arc<Shared>) -> Self {
        Self {
            texts,
            actors: HashMap::new(),
            via: HashMap::from([(None, Arc::from([]))]),
            last: LastState::default(),
        }
    }

    /// Tells the fold of events, in their order; `shared`: which of them occurred at the instant of
    /// another.
    pub(super) fn tell(
        &mut self,
        states: &States,
        shared: &[bool],
        fold: &mut Fold,
    ) -> Result<(), StoreError> {
        let facts: Vec<Facts<'_>> = serde_json::from_str(&states.facts).map_err(broken)?;
        let mut facts: Vec<(Facts<'_>, &str)> =
            facts.into_iter().zip(states.bodies.split('\n')).collect();
        // They come in the order of the list; should they ever not, they are put in it.
        if !facts.is_sorted_by_key(|(facts, _)| facts.place) {
            facts.sort_by_key(|(facts, _)| facts.place);
        }
        let texts = Arc::clone(&self.texts);
        let texts = texts.read();
        for (facts, text) in facts {
            let body: Body<'_> = match text {
                "" => Body::default(),
                text => serde_json::from_str(text).map_err(broken)?,
            };
            let mut state = |raw: Option<&RawValue>| raw.map(|raw| self.last.read(raw)).transpose();
            let before = state(body.before)?;
            let after = state(body.after)?;
            let action = texts.action(facts.action).ok_or_else(missing)?;
            let rest = match shared.get(facts.place) {
                Some(true) => {
                    let target = texts.target(facts.target).ok_or_else(missing)?;
                    let related = facts.related.map(|number| texts.related(number));
                    let related = related.map(|related| related.ok_or_else(missing));
                    let related = related.transpose()?.unwrap_or_default();
                    let objects = iter::once(target.clone()).chain(related);
                    let action = action.named.action.as_str();
                    rest(action, facts.operation.as_deref(), objects, text)
                }
                _ => String::new(),
            };
            fold.tell(Telling {
                id: EventId(Uuid::try_parse(facts.id).map_err(|_| damaged("an id is broken"))?),
                occurred_at: Timestamp::from_micros(facts.occurred_at),
                actor: self.actor(facts.actor, &texts)?,
                via: self.via(facts.via, &texts)?,
                verb: action.verb,
                outcome: Outcome::Success,
                idempotency_key: body.idempotency_key.map(Cow::into_owned),
                before,
                after,
                erased: facts
                    .erased
                    .and_then(Parts::from_bits)
                    .is_some_and(|gone| gone.has(Part::Change)),
                rest,
            });
        }
        Ok(())
    }

    fn actor(&mut self, number: Number, texts: &Dictionary) -> Result<Arc<Actor>, StoreError> {
        if let Some(known) = self.actors.get(&number) {
            return Ok(Arc::clone(known));
        }
        let actor = Arc::new(texts.actor(number).cloned().ok_or_else(missing)?);
        self.actors.insert(number, Arc::clone(&actor));
        Ok(actor)
    }

    fn via(
        &mut self,
        number: Option<Number>,
        texts: &Dictionary,
    ) -> Result<Arc<[Actor]>, StoreError> {
        if let Some(known) = self.via.get(&number) {
            return Ok(Arc::clone(known));
        }
        let via = number.and_then(|number| texts.via(number));
        let via: Arc<[Actor]> = via.ok_or_else(missing)?.into();
        self.via.insert(number, Arc::clone(&via));
        Ok(via)
    }
}

fn missing() -> StoreError {
    damaged("a text that an event names is not there")
}

//! Reading what an object's history is folded from: the events that it is the target of, in the order
//! of time, some at a time, and of them only what the fold is about; and what the log is silent about.

use super::{
    Store,
    change::Log,
    dictionaries::{Shared, damaged},
    directory::find_workspace,
    object::{as_given, looks, newest, newest_uses},
    snapshot::{Shelf, Snapshot, is_of_one_workspace, no_such_workspace},
};
use crate::{
    StoreError,
    access::{Reach, Scope},
    blame::{BlameQuery, ObjectBlame},
    database::{self, Connection, Dialect},
    dictionary::{Dictionary, Number},
    question::QuestionError,
};
use domain::{
    blame::{Blame, Fold, Origin, Setting, Silence, Telling, is_only_looking},
    event::{Actor, EventId, Object, Outcome, Source},
    question::Filter,
    slug::WorkspacePath,
    time::Timestamp,
    verb::Verb,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// So many events are read at once.
const AT_ONCE: usize = 500;

/// How Daybook tells that recording was switched on or off.
const RECORDING: &str = "AUDIT_RECORDING_UPDATED";

/// When the events occurred that have a target (of the list ?2) as their own and succeeded, and their
/// numbers, but for those with an action of the list ?3; up to the number ?4 and the moment ?5.
const OWN: &str = "SELECT json_group_array(json_array(x.at, x.n)) \
     FROM json_each(?2) j CROSS JOIN i.by_target x \
     WHERE x.ws = ?1 AND x.key = j.value AND x.own = 1 AND x.outcome = 0 \
         AND x.action NOT IN (SELECT value FROM json_each(?3)) AND x.n <= ?4 AND x.at <= ?5";

const OWN_ON_POSTGRES: &str = "SELECT CAST(coalesce(json_agg(json_build_array(u.at, u.n)), '[]') AS TEXT) \
     FROM unnest(?3) j(value), LATERAL ( \
         SELECT at, n FROM own_by_target WHERE tenant = ?1 AND ws = ?2 AND key = j.value \
             AND outcome = 0 AND action <> ALL(?4) AND n <= ?5 AND at <= ?6) u";

/// What the fold is about of the events of a list of numbers: what is kept in columns of their own as a
/// JSON array of arrays ([`Facts`]), beside it the bodies, a line for each.
const STATES: &str = "SELECT json_group_array(json_array(j.key, l.occurred_at, hex(l.id), c.actor, \
         c.via, c.action)), \
         group_concat(coalesce(c.body, ''), '\n') \
     FROM json_each(?) j CROSS JOIN leaf l ON l.n = j.value CROSS JOIN content c ON c.n = l.n";

/// The same, of events that occurred between ?3 and ?4. Each is looked for by its key (`OFFSET 0`),
/// whatever the server believes of tables that it has not looked at yet.
const STATES_ON_POSTGRES: &str = "SELECT CAST(coalesce(json_agg(json_build_array(j.key, l.occurred_at, \
         encode(l.id, 'hex'), c.actor, c.via, c.action) ORDER BY j.key), '[]') AS TEXT), \
         string_agg(coalesce(c.body, ''), chr(10) ORDER BY j.key) \
     FROM json_each(?1) j JOIN LATERAL ( \
         SELECT * FROM leaf WHERE tenant = ?2 AND seq = j.value OFFSET 0) l ON TRUE JOIN LATERAL ( \
         SELECT * FROM content WHERE tenant = ?2 AND ws = l.ws AND at = l.occurred_at \
             AND seq = l.seq AND class = l.class AND at >= ?3 AND at <= ?4 OFFSET 0) c ON TRUE";

impl Store {
    /// What is known of an object.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::blame`].
    pub async fn blame(
        &self,
        scope: &Scope,
        query: &BlameQuery,
    ) -> Result<Option<ObjectBlame>, QuestionError> {
        let mut snapshot = self.snapshot(scope).await?;
        let blame = loop {
            let blame = snapshot.blame(query).await;
            if !matches!(blame, Err(QuestionError::Store(_))) || !snapshot.begin_again().await? {
                break blame;
            }
        };
        snapshot.end().await;
        blame
    }

    /// The log of any workspace, to be read: for the operator. None where there is no such workspace.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn operator_log(&self, path: &WorkspacePath) -> Result<Option<Scope>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let workspace = find_workspace(&mut connection, path).await?;
        Ok(workspace.map(|workspace| Scope(Reach::Workspace(workspace))))
    }
}

impl Snapshot {
    /// What is known of an object; none where no event of the scope names it. Of an object's scope, that
    /// object alone; of somebody's own events, none: they are not all of any object's.
    ///
    /// # Errors
    ///
    /// A workspace is named that the scope does not have, or the store failed.
    pub async fn blame(
        &mut self,
        query: &BlameQuery,
    ) -> Result<Option<ObjectBlame>, QuestionError> {
        let subject = &query.subject;
        let is_other = self.scope.subject().is_some_and(|own| own != subject);
        if is_other || self.scope.myself().is_some() {
            return Ok(None);
        }
        let shelf = match &query.workspace {
            None => self.shelves.first(),
            Some(_) if self.scope.workspace().is_some() => return Err(is_of_one_workspace()),
            Some(slug) => {
                let mut shelves = self.shelves.iter();
                let named = shelves.find(|shelf| shelf.slug.as_ref() == Some(slug));
                Some(named.ok_or_else(|| no_such_workspace(slug))?)
            }
        };
        let Some(shelf) = shelf.cloned() else {
            return Ok(None);
        };
        let log = shelf.log;
        let (ways, looks, silent) = {
            let texts = shelf.texts.read();
            let silent = Verb::ALL.into_iter().filter(|verb| is_only_looking(*verb));
            let silent = Filter {
                verb: silent.collect(),
                ..Filter::default()
            };
            let silent = texts.actions_named(&silent).unwrap_or_default();
            let looks = looks(&texts);
            (texts.targets_of(subject), looks, silent)
        };
        let mark = self.mark;
        let connection = self.transaction.connection();
        let uses = newest_uses(connection, log, &newest(ways.list()), &looks, mark).await?;
        let Some(object) = as_given(&shelf.texts.read(), &uses) else {
            return Ok(None);
        };
        let at = query.asked.at;
        let until = at.unwrap_or(Timestamp::MAX);
        let places = own_events(
            connection,
            log,
            (ways.list(), silent.list()),
            (mark, until.micros()),
        )
        .await?;
        let mut fold = Fold::new(query.asked.clone());
        let mut read = Reading::new(Arc::clone(&shelf.texts));
        for some in places.chunks(AT_ONCE) {
            let states = states(connection, log, some).await?;
            read.tell(&states, &mut fold)?;
        }
        let blame = fold.finish();
        let silence = self.silence(&shelf).await?;
        // What is off now is not known to be off later.
        let gaps = blame.gaps(&silence, at.filter(|at| *at < self.now));
        let last = places.last().map(|(at, _)| Timestamp::from_micros(*at));
        Ok(Some(ObjectBlame {
            object,
            at: at.unwrap_or_else(|| last.map_or(self.now, |last| last.max(self.now))),
            deactivated: self.deactivated_of(&blame, &shelf).await?,
            blame,
            gaps,
        }))
    }

    /// What a log does not tell.
    async fn silence(&mut self, shelf: &Shelf) -> Result<Silence, StoreError> {
        let log = shelf.log;
        let connection = self.transaction.connection();
        let released: Option<i64> =
            database::query_scalar("SELECT max(before) FROM release WHERE ws = ?")
                .bind(log.ws)
                .fetch_one(&mut *connection)
                .await?;
        let switches = Filter {
            action: RECORDING.parse().into_iter().collect(),
            ..Filter::default()
        };
        let switches = shelf.texts.read().actions_named(&switches);
        let switches = switches.unwrap_or_default();
        let numbers = by_actions(connection, log, switches.list(), self.mark).await?;
        let texts = [(log.ws, Arc::clone(&shelf.texts))];
        let tenant = self.scope.tenant();
        let inner = &self.store.inner;
        let events = inner.events(connection, tenant, &texts, &numbers, None);
        let mut off: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
        for event in events.await? {
            // Nobody can send an event that says that it is Daybook's.
            let after = event.after.as_ref();
            let is_on = after.and_then(|after| after.get("recording")?.as_bool());
            let is_ours = event.source == Some(Source::Daybook);
            match (is_on.filter(|_| is_ours), off.last_mut()) {
                (Some(true), Some(last)) if last.1.is_none() => last.1 = Some(event.occurred_at),
                (Some(false), last) if last.as_ref().is_none_or(|last| last.1.is_some()) => {
                    off.push((event.occurred_at, None));
                }
                _ => {}
            }
        }
        Ok(Silence {
            released_before: released.map(Timestamp::from_micros),
            off,
        })
    }

    /// Who of those that are told to have set fields is deactivated now.
    async fn deactivated_of(
        &mut self,
        blame: &Blame,
        shelf: &Shelf,
    ) -> Result<HashSet<Actor>, StoreError> {
        let fields = blame.fields.iter().chain(&blame.removed);
        let settings = fields
            .flat_map(|field| field.history.iter().chain([&field.last]))
            .chain(blame.differences.iter().map(|difference| &difference.last));
        let actor = |setting: &Setting| match &setting.origin {
            Origin::Event(author) => Some(Arc::clone(&author.actor)),
            Origin::Initial | Origin::Outside { .. } => None,
        };
        let actors: HashSet<Arc<Actor>> = settings.filter_map(actor).collect();
        let actors: Vec<Arc<Actor>> = actors.into_iter().collect();
        let asked: Vec<_> = actors
            .iter()
            .map(|actor| (&**actor, shelf.slug.as_ref()))
            .collect();
        let connection = self.transaction.connection();
        let tenant = self.scope.tenant();
        let inner = &self.store.inner;
        let gone = inner.deactivated(connection, tenant, &asked).await?;
        let gone = actors.iter().zip(gone).filter(|(_, gone)| *gone);
        Ok(gone.map(|(actor, _)| Actor::clone(actor)).collect())
    }
}

fn list(numbers: &[Number]) -> Vec<i64> {
    numbers.iter().copied().map(i64::from).collect()
}

fn broken(_: serde_json::Error) -> StoreError {
    damaged("an object's events cannot be read")
}

/// When an object's own events occurred, and their numbers, in the order of time: those that have one of
/// these targets and none of these actions, up to a number and a moment.
async fn own_events(
    connection: &mut Connection,
    log: Log,
    (targets, without): (&[Number], &[Number]),
    (up_to, until): (i64, i64),
) -> Result<Vec<(i64, i64)>, StoreError> {
    let query = match connection.dialect() {
        Dialect::Sqlite => database::query_scalar(OWN).bind(log.ws),
        Dialect::Postgres => database::query_scalar(OWN_ON_POSTGRES)
            .bind(log.tenant)
            .bind(log.ws),
    };
    let places: String = query
        .bind(list(targets))
        .bind(list(without))
        .bind(up_to)
        .bind(until)
        .fetch_one(connection)
        .await?;
    let mut places: Vec<(i64, i64)> = serde_json::from_str(&places).map_err(broken)?;
    places.sort_unstable();
    Ok(places)
}

/// The numbers of the events with one of these actions, in the order of time.
async fn by_actions(
    connection: &mut Connection,
    log: Log,
    actions: &[Number],
    up_to: i64,
) -> Result<Vec<i64>, StoreError> {
    if actions.is_empty() {
        return Ok(Vec::new());
    }
    let query = match connection.dialect() {
        Dialect::Sqlite => database::query_as(
            "SELECT x.at, x.n FROM json_each(?2) j CROSS JOIN i.by_action x \
             WHERE x.ws = ?1 AND x.key = j.value AND x.n <= ?3",
        )
        .bind(log.ws),
        Dialect::Postgres => database::query_as(
            "SELECT at, n FROM by_action WHERE tenant = ?1 AND ws = ?2 AND key = ANY(?3) AND n <= ?4",
        )
        .bind(log.tenant)
        .bind(log.ws),
    };
    let mut places: Vec<(i64, i64)> = query
        .bind(list(actions))
        .bind(up_to)
        .fetch_all(connection)
        .await?;
    places.sort_unstable();
    Ok(places.into_iter().map(|(_, n)| n).collect())
}

/// Events as they were read.
struct States {
    facts: String,
    bodies: String,
}

/// The events at these places; those whose content is gone are left out.
async fn states(
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

/// Makes of events what the fold takes in. Texts that come again and again are kept once.
struct Reading {
    texts: Arc<Shared>,
    actors: HashMap<Number, Arc<Actor>>,
    via: HashMap<Option<Number>, Arc<[Actor]>>,
}

impl Reading {
    fn new(texts: Arc<Shared>) -> Self {
        Self {
            texts,
            actors: HashMap::new(),
            via: HashMap::from([(None, Arc::from([]))]),
        }
    }

    /// Tells the fold of events, in their order.
    fn tell(&mut self, states: &States, fold: &mut Fold) -> Result<(), StoreError> {
        let facts: Vec<Facts<'_>> = serde_json::from_str(&states.facts).map_err(broken)?;
        let mut facts: Vec<(Facts<'_>, &str)> =
            facts.into_iter().zip(states.bodies.split('\n')).collect();
        // They come in the order of the list; should they ever not, they are put in it.
        if !facts.is_sorted_by_key(|(facts, _)| facts.place) {
            facts.sort_by_key(|(facts, _)| facts.place);
        }
        let texts = Arc::clone(&self.texts);
        let texts = texts.read();
        // Who gives whole states says before what was said after the last time: that is read once.
        let mut last: Option<(&RawValue, Arc<Object>)> = None;
        for (facts, body) in facts {
            let body: Body<'_> = match body {
                "" => Body::default(),
                text => serde_json::from_str(text).map_err(broken)?,
            };
            let before = match (body.before, &last) {
                (Some(raw), Some((known, object))) if known.get() == raw.get() => {
                    Some(Arc::clone(object))
                }
                (raw, _) => state(raw)?,
            };
            let after = state(body.after)?;
            last = body.after.zip(after.clone());
            fold.tell(Telling {
                id: EventId(Uuid::try_parse(facts.id).map_err(|_| damaged("an id is broken"))?),
                occurred_at: Timestamp::from_micros(facts.occurred_at),
                actor: self.actor(facts.actor, &texts)?,
                via: self.via(facts.via, &texts)?,
                verb: texts.action(facts.action).ok_or_else(missing)?.verb,
                outcome: Outcome::Success,
                idempotency_key: body.idempotency_key.map(Cow::into_owned),
                before,
                after,
                // Nothing can be erased yet: what is told of events in full says the same.
                erased: false,
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

/// A state that was given.
fn state(raw: Option<&RawValue>) -> Result<Option<Arc<Object>>, StoreError> {
    let object = raw.map(|raw| serde_json::from_str(raw.get()));
    Ok(object.transpose().map_err(broken)?.map(Arc::new))
}

fn missing() -> StoreError {
    damaged("a text that an event names is not there")
}

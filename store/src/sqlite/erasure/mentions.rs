//! Which events mention an address: all that a workspace's log says is looked through.

use super::super::{
    Inner, Store,
    admit::Body,
    change::Log,
    dictionaries::{damaged, read_extent},
};
use crate::{
    StoreError,
    access::SettingsScope,
    copy::read,
    database::{self, Connection},
    dictionary::{Dictionary, Number, Sizes, actor_is},
    erasure::{Address, Elsewhere, Mention},
};
use domain::{
    event::{EventId, Object, Part, Parts},
    time::Timestamp,
};
use std::collections::HashSet;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
struct Looking<'a> {
    address: &'a Address,
    /// Whether those who are named by it, and would be erased, are passed over.
    but_theirs: bool,
}

/// So many events are read at a time: each may say much.
const EVENTS: i64 = 256;

/// The texts of a workspace that have an address in them.
#[derive(Debug, Default)]
struct With {
    actors: HashSet<Number>,
    targets: HashSet<Number>,
    /// As far as they are known.
    known: Sizes,
}

impl With {
    /// Looks through the texts that came up since.
    fn extend(&mut self, texts: &Dictionary, looking: Looking<'_>) {
        let address = looking.address;
        let is_in = |text: &Option<String>| text.as_deref().is_some_and(|text| address.is_in(text));
        let sizes = texts.sizes();
        for number in self.known.actor + 1..=sizes.actor {
            let holds = texts.actor(number).is_some_and(|actor| {
                let is_theirs = looking.but_theirs && actor_is(actor, address);
                !is_theirs && (is_in(&actor.id) || is_in(&actor.name) || is_in(&actor.email))
            });
            if holds {
                self.actors.insert(number);
            }
        }
        for number in self.known.target + 1..=sizes.target {
            let holds = texts.target(number).is_some_and(|target| {
                is_in(&target.id) || is_in(&target.name) || is_in(&target.url)
            });
            if holds {
                self.targets.insert(number);
            }
        }
        self.known = sizes;
    }

    /// In which parts of an event the address stands.
    fn parts(
        &self,
        texts: &Dictionary,
        content: &read::Content,
        address: &Address,
    ) -> Result<Parts, StoreError> {
        let mut parts = Parts::NONE;
        if self.actors.contains(&content.actor) {
            parts = parts.with(Part::Actor);
        }
        let chain = content.via.and_then(|via| texts.chain(via));
        if chain.is_some_and(|chain| chain.iter().any(|it| self.actors.contains(it))) {
            parts = parts.with(Part::Via);
        }
        let related = content
            .related
            .map(|related| texts.related_numbers(related));
        let mut objects = related.into_iter().flatten().chain([&content.target]);
        if objects.any(|target| self.targets.contains(target)) {
            parts = parts.with(Part::Objects);
        }
        if content
            .operation
            .as_deref()
            .is_some_and(|text| address.is_in(text))
        {
            parts = parts.with(Part::Facts);
        }
        let Some(body) = &content.body else {
            return Ok(parts);
        };
        // A text in it may have been written with escapes, which few are.
        if !address.is_in(body) && !body.contains('\\') {
            return Ok(parts);
        }
        let body: Body =
            serde_json::from_str(body).map_err(|_| damaged("an event's body is broken"))?;
        let in_text =
            |text: &Option<String>| text.as_deref().is_some_and(|text| address.is_in(text));
        let in_object =
            |object: &Option<Object>| object.as_ref().is_some_and(|it| is_in_object(it, address));
        if in_object(&body.before) || in_object(&body.after) {
            parts = parts.with(Part::Change);
        }
        if in_text(&body.description) || in_text(&body.idempotency_key) || in_object(&body.metadata)
        {
            parts = parts.with(Part::Details);
        }
        if in_object(&body.context) {
            parts = parts.with(Part::Context);
        }
        Ok(parts)
    }
}

fn is_in_object(object: &Object, address: &Address) -> bool {
    let mut members = object.iter();
    members.any(|(name, value)| address.is_in(name) || is_in_value(value, address))
}

fn is_in_value(value: &serde_json::Value, address: &Address) -> bool {
    match value {
        serde_json::Value::String(text) => address.is_in(text),
        serde_json::Value::Array(list) => list.iter().any(|value| is_in_value(value, address)),
        serde_json::Value::Object(object) => is_in_object(object, address),
        _ => false,
    }
}

impl Store {
    /// Looks through all that a workspace's log says for an address, whatever the case it was written in,
    /// and tells each event that mentions it, in the order of arrival; and after some, how many of how
    /// many were looked through. Gives how many mention it. `but_theirs`: those actors are passed over
    /// that would be erased.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn mentions<E: From<StoreError>>(
        &self,
        scope: &SettingsScope,
        address: &Address,
        but_theirs: bool,
        mut told: impl FnMut(Mention) -> Result<(), E> + Send,
        mut looked: impl FnMut(u64, u64) + Send,
    ) -> Result<u64, E> {
        let log = Log::from(&scope.workspace);
        let mut connection = self
            .inner
            .readers
            .acquire()
            .await
            .map_err(StoreError::from)?;
        let last: Option<i64> =
            database::query_scalar("SELECT max(seq) FROM leaf WHERE tenant = ?")
                .bind(log.tenant)
                .fetch_one(&mut *connection)
                .await
                .map_err(StoreError::from)?;
        let (last, mut after, mut mentions) = (last.unwrap_or(0), 0, 0);
        let looking = Looking {
            address,
            but_theirs,
        };
        let mut with = With::default();
        while after < last {
            let to = (after + EVENTS).min(last);
            let some = self
                .inner
                .mentions_between(&mut connection, log, (looking, &mut with), (after, to))
                .await?;
            for mention in some {
                mentions += 1;
                told(mention)?;
            }
            after = to;
            looked(after.unsigned_abs(), last.unsigned_abs());
        }
        Ok(mentions)
    }

    /// Where an address stands that is no matter of the log: erasure leaves that.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn stands_elsewhere(
        &self,
        scope: &SettingsScope,
        address: &Address,
    ) -> Result<Elsewhere, StoreError> {
        let (account, invitations): (bool, i64) = database::query_as(
            "SELECT EXISTS (SELECT 1 FROM person WHERE email = ?1), \
                 (SELECT count(*) FROM invite WHERE email = ?1 AND workspace = ?2)",
        )
        .bind(address.as_str())
        .bind(scope.workspace.id)
        .fetch_one(&self.inner.readers)
        .await?;
        Ok(Elsewhere {
            account,
            invitations: invitations.unsigned_abs(),
        })
    }
}

impl Inner {
    async fn mentions_between(
        &self,
        connection: &mut Connection,
        log: Log,
        (looking, with): (Looking<'_>, &mut With),
        between: (i64, i64),
    ) -> Result<Vec<Mention>, StoreError> {
        let events = read::events_as_they_are(connection, log.tenant, between).await?;
        // After what names them.
        let extent = read_extent(connection, log).await?;
        let texts = self.dictionaries.extend(connection, log, extent).await?;
        let known = texts.read();
        with.extend(&known, looking);
        let mut mentions = Vec::new();
        for event in events.iter().filter(|event| event.ws == log.ws) {
            let Some(content) = &event.content else {
                continue;
            };
            let parts = with.parts(&known, content, looking.address)?;
            let action = known.action(content.action);
            let action = action.ok_or_else(|| damaged("an action is not there"))?;
            if !parts.is_empty() {
                mentions.push(Mention {
                    id: EventId(event.id),
                    seq: event.seq.unsigned_abs(),
                    occurred_at: Timestamp::from_micros(event.occurred_at),
                    action: action.named.action.clone(),
                    parts,
                });
            }
        }
        Ok(mentions)
    }
}

//! What was found to be erased, and what is to stand in its place.

use super::super::{
    change::Log,
    dictionaries::{Dictionaries, Shared, read_extent},
};
use super::find::named;
use crate::{
    StoreError,
    access::Workspace,
    database::{self, Connection, Dialect},
    dictionary::Number,
    erasure::{Address, Damaged, Extent},
    holds::Reason,
};
use domain::event::{Actor, NewEvent, Part, Parts};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound::{Excluded, Unbounded},
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
    pub(super) same_ids: u64,
    /// What of theirs cannot be read, by the same numbers: it is none of these events.
    pub(super) damaged: BTreeMap<i64, Damaged>,
    /// Up to which event it was looked for.
    pub(super) mark: i64,
    /// Up to which of these events releases are made.
    pub(super) released_to: Option<i64>,
    pub(super) texts: Arc<Shared>,
    pub(super) of: Of,
}

/// Whom or what it is about.
#[derive(Debug)]
pub(super) enum Of {
    /// A person.
    Person(Person),
    /// An event, whose texts these are to be.
    Event(Box<OneEvent>),
}

#[derive(Debug)]
pub(super) struct Person {
    pub(super) address: Address,
    /// The numbers of the actors that are they,
    pub(super) theirs: BTreeSet<Number>,
    /// among those up to this one.
    pub(super) known: Number,
}

#[derive(Debug)]
pub(super) struct OneEvent {
    /// As it is to be.
    pub(super) shape: NewEvent,
    /// Addresses that go.
    pub(super) addresses: Vec<Address>,
    /// By which texts what goes can be told.
    pub(super) texts: BTreeSet<String>,
}

impl Found {
    /// Adds an event of theirs.
    pub(super) fn add(&mut self, n: i64, actor: Number, via: Option<Number>) {
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

    /// Passes over what cannot be read.
    pub(super) fn pass_over(&mut self, damaged: BTreeMap<i64, Damaged>) {
        for (n, event) in damaged {
            if self.events.remove(&n).is_some() {
                self.damaged.insert(n, event);
            }
        }
    }

    /// How much it is.
    pub(super) fn extent(&self) -> Extent {
        self.extent_of(self.events.values())
    }

    /// How much of it releases are made of.
    pub(super) fn released(&self) -> Extent {
        let to = self.released_to.unwrap_or(i64::MIN);
        self.extent_of(self.events.range(..=to).map(|(_, event)| event))
    }

    fn extent_of<'a>(&self, events: impl Iterator<Item = &'a FoundEvent>) -> Extent {
        let mut extent = Extent {
            pseudonym: self.pseudonym.clone(),
            same_ids: self.same_ids,
            damaged: self.damaged.values().cloned().collect(),
            texts: self.told_by(),
            ..Extent::default()
        };
        for event in events {
            *extent.events.entry(event.parts).or_default() += 1;
        }
        extent
    }

    /// By which texts what goes can be told.
    fn told_by(&self) -> BTreeSet<String> {
        match &self.of {
            Of::Event(event) => event.texts.clone(),
            Of::Person(Person { theirs, .. }) => {
                let known = self.texts.read();
                let actors = theirs.iter().filter_map(|number| known.actor(*number));
                let texts = actors.flat_map(|actor| [&actor.name, &actor.email]);
                texts.flatten().cloned().collect()
            }
        }
    }

    /// So many at most of the events of which no release is made, in their order.
    pub(super) fn unreleased(&self, most: usize) -> Vec<(i64, FoundEvent)> {
        let after = self.released_to.map_or(Unbounded, Excluded);
        let left = self.events.range((after, Unbounded));
        left.take(most).map(|(n, event)| (*n, *event)).collect()
    }

    /// Whether releases are made of all of it.
    pub(super) fn is_released(&self) -> bool {
        self.unreleased(1).is_empty()
    }

    /// What stands in place of what is erased of some events, for each way in which they stand: as an event
    /// whose other parts are those of one that is given.
    pub(super) fn shapes(
        &self,
        some: &[(i64, FoundEvent)],
        like: &NewEvent,
    ) -> Vec<(Stands, NewEvent)> {
        let all: BTreeSet<Stands> = some.iter().map(|(_, event)| event.stands).collect();
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

/// The numbers in the tenant of some events.
pub(super) async fn numbers_in_tenant(
    connection: &mut Connection,
    workspace: &Workspace,
    some: &[(i64, FoundEvent)],
) -> Result<HashMap<i64, u64>, StoreError> {
    let all: Vec<i64> = some.iter().map(|(n, _)| *n).collect();
    let number = |seq: i64| u64::try_from(seq).unwrap_or_default();
    if connection.dialect() == Dialect::Postgres {
        return Ok(all.into_iter().map(|n| (n, number(n))).collect());
    }
    let rows: Vec<(i64, i64)> = database::query_as(
        "SELECT l.n, l.seq FROM json_each(?1) j CROSS JOIN leaf l ON l.n = j.value \
         WHERE l.tenant = ?2",
    )
    .bind(all)
    .bind(workspace.tenant.id)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(n, seq)| (n, number(seq))).collect())
}

//! What a transaction adds to the texts of a workspace.

use super::super::{
    admit::Admitted,
    dictionaries::{Dictionaries, Shared},
};
use crate::{
    StoreError,
    dictionary::{Dictionary, NamedAction, Number, Sizes},
};
use domain::{
    category::Category,
    event::{Actor, Target, TargetKind},
    verb::Verb,
};
use sqlx::SqliteConnection;
use std::{collections::HashMap, hash::Hash, sync::Arc};

/// New texts of one table, in the order of their numbers.
#[derive(Debug)]
struct New<T> {
    numbers: HashMap<T, Number>,
    list: Vec<T>,
}

impl<T> Default for New<T> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            list: Vec::new(),
        }
    }
}

impl<T: Eq + Hash + Clone> New<T> {
    /// The number of a text: known before, added in this transaction, or the next.
    fn number(&mut self, text: &T, known: Option<Number>, size: Number) -> Number {
        if let Some(number) = known.or_else(|| self.numbers.get(text).copied()) {
            return number;
        }
        self.list.push(text.clone());
        let number = size + Number::try_from(self.list.len()).unwrap_or(Number::MAX);
        self.numbers.insert(text.clone(), number);
        number
    }
}

/// New texts of a workspace.
#[derive(Debug, Default)]
pub(super) struct Additions {
    shared: Arc<Shared>,
    base: Sizes,
    actors: New<Actor>,
    vias: New<Box<[Number]>>,
    actions: New<NamedAction>,
    kinds: New<TargetKind>,
    targets: New<Target>,
    related: New<Box<[Number]>>,
}

/// The numbers that stand for an event's texts.
pub(super) struct Numbered {
    pub(super) actor: Number,
    pub(super) via: Option<Number>,
    pub(super) action: Number,
    pub(super) target: Number,
    pub(super) related: Option<Number>,
}

impl Additions {
    /// Nothing yet, beyond what `shared` holds.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let base = shared.read().sizes();
        Self {
            shared,
            base,
            ..Self::default()
        }
    }

    /// The numbers of an event's texts; what is new gets the next.
    pub(super) fn numbers(&mut self, event: &Admitted) -> Numbered {
        let shared = Arc::clone(&self.shared);
        let known = shared.read();
        let base = self.base;
        let event = &event.event;
        let mut actor = |actor: &Actor| {
            self.actors
                .number(actor, known.actor_number(actor), base.actor)
        };
        let own = actor(&event.actor);
        let chain: Box<[Number]> = event.via.iter().map(&mut actor).collect();
        let via = (!chain.is_empty())
            .then(|| self.vias.number(&chain, known.via_number(&chain), base.via));
        let named = NamedAction {
            action: event.action.clone(),
            verb: event.verb,
            category: event.category,
        };
        let action = self
            .actions
            .number(&named, known.action_number(&named), base.action);
        let mut target = |target: &Target| {
            self.kinds
                .number(&target.kind, known.kind_number(&target.kind), base.kind);
            self.targets
                .number(target, known.target_number(target), base.target)
        };
        let own_target = target(&event.target);
        let others: Box<[Number]> = event.related.iter().map(&mut target).collect();
        let related = (!others.is_empty()).then(|| {
            self.related
                .number(&others, known.related_number(&others), base.related)
        });
        Numbered {
            actor: own,
            via,
            action,
            target: own_target,
            related,
        }
    }

    /// The number of a kind that is known or staged.
    fn kind(&self, known: &Dictionary, kind: &TargetKind) -> Number {
        known
            .kind_number(kind)
            .or_else(|| self.kinds.numbers.get(kind).copied())
            .unwrap_or_default()
    }

    /// Writes the new texts.
    pub(super) async fn write(
        &self,
        connection: &mut SqliteConnection,
        ws: i64,
    ) -> Result<(), StoreError> {
        for (actor, number) in self
            .actors
            .list
            .iter()
            .zip(i64::from(self.base.actor) + 1..)
        {
            sqlx::query(
                "INSERT INTO actor (ws, num, kind, id, name, email) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(ws)
            .bind(number)
            .bind(actor.kind.as_str())
            .bind(actor.id.clone())
            .bind(actor.name.clone())
            .bind(actor.email.clone())
            .execute(&mut *connection)
            .await?;
        }
        for (chain, number) in self.vias.list.iter().zip(i64::from(self.base.via) + 1..) {
            sqlx::query("INSERT INTO via (ws, num, members) VALUES (?, ?, ?)")
                .bind(ws)
                .bind(number)
                .bind(list_text(chain))
                .execute(&mut *connection)
                .await?;
        }
        for (named, number) in self
            .actions
            .list
            .iter()
            .zip(i64::from(self.base.action) + 1..)
        {
            sqlx::query(
                "INSERT INTO action (ws, num, action, verb, category) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(ws)
            .bind(number)
            .bind(named.action.as_str())
            .bind(named.verb.map(Verb::as_str))
            .bind(named.category.map(Category::as_str))
            .execute(&mut *connection)
            .await?;
        }
        for (kind, number) in self.kinds.list.iter().zip(i64::from(self.base.kind) + 1..) {
            sqlx::query("INSERT INTO kind (ws, num, kind) VALUES (?, ?, ?)")
                .bind(ws)
                .bind(number)
                .bind(kind.as_str())
                .execute(&mut *connection)
                .await?;
        }
        for (target, number) in self
            .targets
            .list
            .iter()
            .zip(i64::from(self.base.target) + 1..)
        {
            let kind = self.kind(&self.shared.read(), &target.kind);
            sqlx::query(
                "INSERT INTO target (ws, num, kind, id, name, url) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(ws)
            .bind(number)
            .bind(i64::from(kind))
            .bind(target.id.clone())
            .bind(target.name.clone())
            .bind(target.url.clone())
            .execute(&mut *connection)
            .await?;
        }
        for (set, number) in self
            .related
            .list
            .iter()
            .zip(i64::from(self.base.related) + 1..)
        {
            sqlx::query("INSERT INTO related (ws, num, members) VALUES (?, ?, ?)")
                .bind(ws)
                .bind(number)
                .bind(list_text(set))
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    /// Takes the new texts over into the dictionary that everybody reads. A reader of another
    /// process's events may have read some of them from the log already.
    pub(super) fn publish(self, dictionaries: &Dictionaries) {
        let mut shared = self.shared.write();
        let known = shared.sizes();
        let new = |known: Number, base: Number| (known.saturating_sub(base)) as usize;
        for actor in self
            .actors
            .list
            .into_iter()
            .skip(new(known.actor, self.base.actor))
        {
            shared.add_actor(actor);
        }
        for chain in self
            .vias
            .list
            .into_iter()
            .skip(new(known.via, self.base.via))
        {
            shared.add_via(chain);
        }
        for named in self
            .actions
            .list
            .into_iter()
            .skip(new(known.action, self.base.action))
        {
            shared.add_action(named, dictionaries.catalogue());
        }
        for kind in self
            .kinds
            .list
            .into_iter()
            .skip(new(known.kind, self.base.kind))
        {
            shared.add_kind(kind);
        }
        for target in self
            .targets
            .list
            .into_iter()
            .skip(new(known.target, self.base.target))
        {
            shared.add_target(target);
        }
        for set in self
            .related
            .list
            .into_iter()
            .skip(new(known.related, self.base.related))
        {
            shared.add_related(set);
        }
    }
}

fn list_text(numbers: &[Number]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}

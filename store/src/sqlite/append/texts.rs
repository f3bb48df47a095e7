//! What a transaction adds to the texts of a workspace.

use super::{
    super::{admit::Admitted, dictionaries::Shared},
    rows::Statements,
};
use crate::{
    StoreError,
    dictionary::{Dictionary, NamedAction, Number, Sizes},
};
use domain::{
    category::Category,
    event::{Actor, NewEvent, Target, TargetKind},
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
pub(crate) struct Additions {
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
#[derive(Debug)]
pub(crate) struct Numbered {
    pub(crate) actor: Number,
    pub(crate) via: Option<Number>,
    pub(crate) action: Number,
    /// The target's kind.
    pub(crate) kind: Number,
    pub(crate) target: Number,
    pub(crate) related: Option<Number>,
    /// Who is in `via`.
    pub(crate) chain: Box<[Number]>,
    /// What is in `related`, each with its kind.
    pub(crate) others: Box<[(Number, Number)]>,
}

impl Numbered {
    /// Under whom and what else the event stands, each once: those in `via` (1), related targets
    /// (2), and their kinds (3).
    pub(crate) fn beside(&self) -> Vec<(i16, Number)> {
        let via = self.chain.iter().map(|actor| (1, *actor));
        let targets = self.others.iter().map(|(target, _)| (2, *target));
        let kinds = self.others.iter().map(|(_, kind)| (3, *kind));
        let mut all: Vec<_> = via.chain(targets).chain(kinds).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// New texts with their numbers, by table.
#[derive(Debug)]
pub(crate) struct NewTexts<'a> {
    pub(crate) actors: Vec<(Number, &'a Actor)>,
    /// Lists of numbers, as JSON.
    pub(crate) vias: Vec<(Number, String)>,
    pub(crate) actions: Vec<(Number, &'a NamedAction)>,
    pub(crate) kinds: Vec<(Number, &'a TargetKind)>,
    /// Each with the number of its kind.
    pub(crate) targets: Vec<(Number, &'a Target, Number)>,
    /// Lists of numbers, as JSON.
    pub(crate) related: Vec<(Number, String)>,
}

impl Additions {
    /// Nothing yet, beyond what `shared` holds.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let base = shared.read().sizes();
        Self {
            shared,
            base,
            ..Self::default()
        }
    }

    /// The numbers of an event's texts; what is new gets the next.
    pub(crate) fn numbers(&mut self, event: &Admitted) -> Numbered {
        self.numbers_of(&event.event)
    }

    /// The same of an event that is not to be recorded.
    pub(crate) fn numbers_of(&mut self, event: &NewEvent) -> Numbered {
        let shared = Arc::clone(&self.shared);
        let known = shared.read();
        let base = self.base;
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
            let kind = self
                .kinds
                .number(&target.kind, known.kind_number(&target.kind), base.kind);
            let number = self
                .targets
                .number(target, known.target_number(target), base.target);
            (number, kind)
        };
        let (own_target, kind) = target(&event.target);
        let others: Box<[(Number, Number)]> = event.related.iter().map(&mut target).collect();
        let related = (!others.is_empty()).then(|| {
            let set: Box<[Number]> = others.iter().map(|(number, _)| *number).collect();
            self.related
                .number(&set, known.related_number(&set), base.related)
        });
        Numbered {
            actor: own,
            via,
            action,
            kind,
            target: own_target,
            related,
            chain,
            others,
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.actors.list.is_empty()
            && self.vias.list.is_empty()
            && self.actions.list.is_empty()
            && self.kinds.list.is_empty()
            && self.targets.list.is_empty()
            && self.related.list.is_empty()
    }

    /// The texts that they are added to.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The new texts.
    pub(crate) fn new_texts(&self) -> NewTexts<'_> {
        fn from<T>(list: &[T], base: Number) -> impl Iterator<Item = (Number, &T)> {
            (base + 1..).zip(list)
        }
        let base = self.base;
        let known = self.shared.read();
        let lists = |list: &[Box<[Number]>], base: Number| -> Vec<(Number, String)> {
            from(list, base)
                .map(|(number, set)| (number, list_text(set)))
                .collect()
        };
        NewTexts {
            actors: from(&self.actors.list, base.actor).collect(),
            vias: lists(&self.vias.list, base.via),
            actions: from(&self.actions.list, base.action).collect(),
            kinds: from(&self.kinds.list, base.kind).collect(),
            targets: from(&self.targets.list, base.target)
                .map(|(number, target)| (number, target, self.kind(&known, &target.kind)))
                .collect(),
            related: lists(&self.related.list, base.related),
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
        statements: &mut Statements,
        ws: i64,
    ) -> Result<(), StoreError> {
        let base = self.base;
        let actors = numbered(&self.actors.list, base.actor);
        let head = "INSERT INTO actor (ws, num, kind, id, name, email)";
        let written = statements.insert(connection, head, 6, &actors, |query, (number, actor)| {
            query
                .bind(ws)
                .bind(*number)
                .bind(actor.kind.as_str())
                .bind(actor.id.as_deref())
                .bind(actor.name.as_deref())
                .bind(actor.email.as_deref())
        });
        written.await?;
        let sets = [
            ("INSERT INTO via (ws, num, members)", &self.vias, base.via),
            (
                "INSERT INTO related (ws, num, members)",
                &self.related,
                base.related,
            ),
        ];
        for (head, sets, base) in sets {
            let rows = numbered(&sets.list, base);
            let written = statements.insert(connection, head, 3, &rows, |query, (number, set)| {
                query.bind(ws).bind(*number).bind(list_text(set))
            });
            written.await?;
        }
        let actions = numbered(&self.actions.list, base.action);
        let head = "INSERT INTO action (ws, num, action, verb, category)";
        let written = statements.insert(connection, head, 5, &actions, |query, (number, named)| {
            query
                .bind(ws)
                .bind(*number)
                .bind(named.action.as_str())
                .bind(named.verb.map(Verb::as_str))
                .bind(named.category.map(Category::as_str))
        });
        written.await?;
        let kinds = numbered(&self.kinds.list, base.kind);
        let head = "INSERT INTO kind (ws, num, kind)";
        let written = statements.insert(connection, head, 3, &kinds, |query, (number, kind)| {
            query.bind(ws).bind(*number).bind(kind.as_str())
        });
        written.await?;
        let kind_of: Vec<Number> = {
            let known = self.shared.read();
            let targets = self.targets.list.iter();
            targets
                .map(|target| self.kind(&known, &target.kind))
                .collect()
        };
        let targets: Vec<_> = numbered(&self.targets.list, base.target)
            .into_iter()
            .zip(kind_of)
            .collect();
        let head = "INSERT INTO target (ws, num, kind, id, name, url)";
        statements
            .insert(
                connection,
                head,
                6,
                &targets,
                |query, ((number, target), kind)| {
                    query
                        .bind(ws)
                        .bind(*number)
                        .bind(i64::from(*kind))
                        .bind(target.id.as_deref())
                        .bind(target.name.as_deref())
                        .bind(target.url.as_deref())
                },
            )
            .await
    }

    /// Takes the new texts over into the dictionary that everybody reads. A reader of another
    /// process's events may have read some of them from the log already.
    pub(crate) fn publish(self) {
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
            shared.add_action(named);
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

/// New texts with their numbers, which go on after `base`.
fn numbered<T>(list: &[T], base: Number) -> Vec<(i64, &T)> {
    (i64::from(base) + 1..).zip(list).collect()
}

fn list_text(numbers: &[Number]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}

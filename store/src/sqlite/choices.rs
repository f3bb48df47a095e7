//! What there is to choose from in the filters of a scope.

use super::{
    change::Log,
    dictionaries::{Shared, damaged},
    find::Within,
    snapshot::{Shelf, Snapshot},
    tail::{Column, LogTail},
};
use crate::{
    StoreError,
    database::{self, Connection, Dialect, Sql, Value},
    dictionary::{Dictionary, Number},
    plan::Numbers,
    question::{ActionChoice, Choices, Offered},
};
use domain::{
    category::Category,
    event::{Action, TargetKind},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, btree_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

/// Of what one person did, kinds are looked for among so many of their entries, the newest.
const OWN_READS: i64 = 12_000;
/// And under so many of the names that they acted under, the newest.
const OWN_NAMES: usize = 50;

/// The choices of each workspace, as they were last found.
#[derive(Debug, Default)]
pub(super) struct LastChoices(Mutex<HashMap<i64, Found>>);

/// What was found of a workspace's choices.
#[derive(Clone, Debug)]
struct Found {
    /// When the log ended with this event.
    head: i64,
    /// When so many batches of them had been removed.
    removals: i64,
    state: State,
    choices: Choices,
}

/// How many actions and kinds there are, how many of them are in use, what the workspace says of
/// actions, and how large the log is (a power of two, because which actions are used most changes
/// slowly): as long as it is the same, so is what is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    actions: (Number, usize),
    kinds: (Number, usize),
    /// The number of the workspace's own entries in the catalogue.
    catalogue: i64,
    size: u32,
}

/// The numbers in use in a part of the log.
pub(super) struct InUse {
    /// Actions, with how many events have each.
    pub(super) actions: Vec<(u32, u64)>,
    kinds: Vec<u32>,
}

impl Snapshot {
    /// What exists in the scope's log: its families, with how many events each, its actions and
    /// kinds.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn choices(&mut self) -> Result<Choices, StoreError> {
        if let [shelf] = self.shelves.as_slice()
            && self.scope.subject().is_none()
            && self.scope.myself().is_none()
        {
            let shelf = shelf.clone();
            return self.choices_of(&shelf).await;
        }
        let mut by_category: HashMap<Category, u64> = HashMap::new();
        let mut offers = Vec::with_capacity(self.shelves.len());
        for shelf in &self.shelves {
            let connection = self.transaction.connection();
            let (targets, own) = {
                let texts = shelf.texts.read();
                let targets = self
                    .scope
                    .subject()
                    .map(|subject| texts.targets_of(subject));
                let myself = self.scope.myself();
                (targets, myself.map(|myself| texts.actors_who_are(myself)))
            };
            // Each is counted already: of a tenant a statement for each workspace adds them up.
            let in_use = match (&targets, &own) {
                (Some(targets), _) => in_use_of(connection, shelf, targets).await?,
                (None, Some(own)) => in_use_by(connection, shelf, own).await?,
                (None, None) => in_use_in(connection, shelf).await?,
            };
            let texts = shelf.texts.read();
            count(&mut by_category, &texts, &in_use);
            offers.push(offer(&texts, &in_use));
        }
        Ok(choices(by_category, Arc::new(together(&offers))))
    }

    /// The choices of one workspace: those that were found last, where nothing came since.
    async fn choices_of(&mut self, shelf: &Shelf) -> Result<Choices, StoreError> {
        let known = &self.store.inner.choices;
        let last = known.of(shelf.log.ws);
        let version = shelf.texts.read().catalogue_version();
        let is_same = |last: &&Found| {
            (last.head, last.removals) == (self.head, self.removals)
                && last.state.catalogue == version
        };
        if let Some(last) = last.as_ref().filter(is_same) {
            return Ok(last.choices.clone());
        }
        let in_use = in_use_in(self.transaction.connection(), shelf).await?;
        let texts = shelf.texts.read();
        let state = State::of(&texts, &in_use);
        let offered =
            match last.filter(|last| last.state == state && last.removals == self.removals) {
                Some(last) => last.choices.offered,
                None => Arc::new(offer(&texts, &in_use)),
            };
        let mut by_category = HashMap::new();
        count(&mut by_category, &texts, &in_use);
        let choices = choices(by_category, offered);
        let found = Found {
            head: self.head,
            removals: self.removals,
            state,
            choices: choices.clone(),
        };
        known.keep(shelf.log.ws, found);
        Ok(choices)
    }
}

/// Adds up how many events each family has.
fn count(by_category: &mut HashMap<Category, u64>, texts: &Dictionary, in_use: &InUse) {
    for (number, events) in &in_use.actions {
        if let Some(action) = texts.action(*number) {
            *by_category.entry(action.category).or_default() += events;
        }
    }
}

fn choices(by_category: HashMap<Category, u64>, offered: Arc<Offered>) -> Choices {
    let mut categories: Vec<_> = by_category.into_iter().collect();
    categories.sort_by(|(one, most), (other, more)| more.cmp(most).then(one.cmp(other)));
    Choices {
        events: categories.iter().map(|(_, events)| events).sum(),
        categories,
        offered,
    }
}

impl LastChoices {
    fn of(&self, ws: i64) -> Option<Found> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&ws).cloned()
    }

    fn keep(&self, ws: i64, found: Found) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(ws, found);
    }
}

impl State {
    fn of(texts: &Dictionary, in_use: &InUse) -> Self {
        let known = texts.sizes();
        let events: u64 = in_use.actions.iter().map(|(_, events)| events).sum();
        Self {
            actions: (known.action, in_use.actions.len()),
            kinds: (known.kind, in_use.kinds.len()),
            catalogue: texts.catalogue_version(),
            size: events.checked_ilog2().unwrap_or(0),
        }
    }
}

async fn in_use_in(connection: &mut Connection, shelf: &Shelf) -> Result<InUse, StoreError> {
    in_use(connection, shelf.log, &shelf.texts, &shelf.tail).await
}

/// What is in use in a workspace.
pub(super) async fn in_use(
    connection: &mut Connection,
    log: Log,
    texts: &Shared,
    tail: &LogTail,
) -> Result<InUse, StoreError> {
    if connection.dialect() == Dialect::Postgres {
        let actions = database::query_as(
            "SELECT key, events FROM count_action WHERE tenant = ? AND ws = ? AND events > 0",
        )
        .bind(log.tenant)
        .bind(log.ws)
        .fetch_all(&mut *connection)
        .await?;
        let kinds = database::query_scalar(
            "SELECT key FROM count_kind WHERE tenant = ? AND ws = ? AND entries > 0",
        )
        .bind(log.tenant)
        .bind(log.ws)
        .fetch_all(connection)
        .await?;
        return Ok(InUse { actions, kinds });
    }
    // One row, because a row for each takes longer to hand over than to find.
    let (actions, kinds): (String, String) = database::query_as(
        "SELECT (SELECT json_group_array(json_array(key, events)) FROM i.count_action \
                 WHERE ws = ?1 AND events > 0), \
             (SELECT json_group_array(key) FROM i.count_kind WHERE ws = ?1 AND entries > 0)",
    )
    .bind(log.ws)
    .fetch_one(connection)
    .await?;
    let mut in_use = InUse {
        actions: serde_json::from_str(&actions).map_err(broken)?,
        kinds: serde_json::from_str(&kinds).map_err(broken)?,
    };
    if !tail.is_empty() {
        in_use.add_actions(tail.counts(Column::Action));
        in_use.add_kinds(kinds_of(tail, &texts.read()));
    }
    Ok(in_use)
}

impl InUse {
    /// Adds actions that the index does not have yet, with how many events have them.
    fn add_actions(&mut self, others: impl IntoIterator<Item = (Number, u64)>) {
        let mut actions: BTreeMap<Number, u64> = self.actions.drain(..).collect();
        for (action, events) in others {
            *actions.entry(action).or_default() += events;
        }
        self.actions = actions.into_iter().collect();
    }

    fn add_kinds(&mut self, kinds: impl IntoIterator<Item = Number>) {
        let all = self.kinds.drain(..).chain(kinds);
        let all: BTreeSet<Number> = all.collect();
        self.kinds = all.into_iter().collect();
    }
}

/// The kinds of what events are about: of their targets, and of what is related to them.
fn kinds_of(tail: &LogTail, texts: &Dictionary) -> HashSet<Number> {
    let mut kinds: HashSet<Number> = tail.counts(Column::Kind).into_keys().collect();
    for set in tail.counts(Column::Related).into_keys() {
        let members = texts.related_members(set).unwrap_or_default();
        let members = members.iter();
        kinds.extend(members.filter_map(|member| texts.kind_number(&member.kind)));
    }
    kinds
}

pub(super) fn list(numbers: &Numbers) -> Vec<i64> {
    numbers.list().iter().copied().map(i64::from).collect()
}

/// What is in use in the log of one object.
async fn in_use_of(
    connection: &mut Connection,
    shelf: &Shelf,
    targets: &Numbers,
) -> Result<InUse, StoreError> {
    let log = shelf.log;
    let actions = match connection.dialect() {
        Dialect::Sqlite => {
            let actions: String = database::query_scalar(
                "SELECT json_group_array(json_array(action, events)) FROM ( \
                     SELECT x.action, count(DISTINCT x.n) AS events FROM json_each(?2) j \
                     CROSS JOIN i.by_target x WHERE x.ws = ?1 AND x.key = j.value \
                     GROUP BY x.action)",
            )
            .bind(log.ws)
            .bind(list(targets))
            .fetch_one(connection)
            .await?;
            serde_json::from_str(&actions).map_err(broken)?
        }
        Dialect::Postgres => {
            database::query_as(
                "SELECT action, count(DISTINCT n) FROM by_target \
                 WHERE tenant = ? AND ws = ? AND key = ANY(?) GROUP BY action",
            )
            .bind(log.tenant)
            .bind(log.ws)
            .bind(list(targets))
            .fetch_all(connection)
            .await?
        }
    };
    let mut in_use = InUse {
        actions,
        kinds: Vec::new(),
    };
    if !shelf.tail.is_empty() {
        let related = shelf.texts.read().related_with(targets);
        let ways = vec![(Column::Target, targets), (Column::Related, &related)];
        let rows = shelf.tail.any_of(&ways, i64::MAX);
        in_use.add_actions(rows.map(|row| (row.action, 1)));
    }
    Ok(in_use)
}

/// What is in use in what one person did, as the actors `own`: nothing of what only others use.
async fn in_use_by(
    connection: &mut Connection,
    shelf: &Shelf,
    own: &Numbers,
) -> Result<InUse, StoreError> {
    let log = shelf.log;
    if own.is_empty() {
        return Ok(InUse {
            actions: Vec::new(),
            kinds: Vec::new(),
        });
    }
    let dialect = connection.dialect();
    let actions = match dialect {
        Dialect::Sqlite => {
            let actions: String = database::query_scalar(
                "SELECT json_group_array(json_array(action, events)) FROM ( \
                     SELECT p.action, sum(p.events) AS events FROM json_each(?2) j \
                     CROSS JOIN i.count_pair p WHERE p.ws = ?1 AND p.actor = j.value \
                         AND p.events > 0 GROUP BY p.action)",
            )
            .bind(log.ws)
            .bind(list(own))
            .fetch_one(&mut *connection)
            .await?;
            serde_json::from_str(&actions).map_err(broken)?
        }
        Dialect::Postgres => {
            database::query_as(
                "SELECT action, CAST(sum(events) AS BIGINT) FROM count_pair \
                 WHERE tenant = ? AND ws = ? AND actor = ANY(?) AND events > 0 GROUP BY action",
            )
            .bind(log.tenant)
            .bind(log.ws)
            .bind(list(own))
            .fetch_all(&mut *connection)
            .await?
        }
    };
    // Which kinds somebody acts on is not counted: so many of their newest entries tell.
    let within = Within {
        log,
        dialect,
        classes: &[],
        tail: &shelf.tail,
    };
    let is_postgres = dialect == Dialect::Postgres;
    let names = own.list().iter().rev().take(OWN_NAMES);
    let each = OWN_READS / i64::try_from(names.len()).unwrap_or(1).max(1);
    let mut sql = Sql::default();
    sql.add("SELECT DISTINCT kind FROM (");
    for (at, number) in names.enumerate() {
        sql.add(if at == 0 { "" } else { " UNION ALL " });
        sql.add(if is_postgres { "(" } else { "SELECT * FROM (" });
        sql.add("SELECT x.kind FROM ");
        within.table(
            &mut sql,
            if is_postgres {
                "own_by_actor"
            } else {
                "by_actor"
            },
        );
        sql.add(" x");
        within.is_ours(&mut sql, "x");
        sql.with(" AND x.key = ?", Value::Integer(i64::from(*number)))
            .add(" AND x.own = 1 ORDER BY x.at DESC, x.n DESC");
        sql.with(" LIMIT ?)", each);
    }
    sql.add(if is_postgres { ") k" } else { ")" });
    let rows = sql.query().fetch_all(connection).await?;
    let kinds = rows.iter().map(|row| Ok(row.try_get(0)?));
    let mut in_use = InUse {
        actions,
        kinds: kinds.collect::<Result<_, StoreError>>()?,
    };
    let ways = vec![(Column::Actor, own)];
    let rows = || shelf.tail.any_of(&ways, i64::MAX);
    in_use.add_actions(rows().map(|row| (row.action, 1)));
    in_use.add_kinds(rows().map(|row| row.kind));
    Ok(in_use)
}

fn broken(_: serde_json::Error) -> StoreError {
    damaged("a count is broken")
}

/// Actions and kinds by their numbers.
fn offer(texts: &Dictionary, in_use: &InUse) -> Offered {
    let actions = in_use.actions.iter().filter_map(|(number, events)| {
        let read = texts.action(*number)?;
        Some(ActionChoice {
            action: read.named.action.clone(),
            label: read.label.to_string(),
            category: read.category,
            verb: read.verb,
            events: *events,
        })
    });
    let kinds = in_use.kinds.iter();
    let kinds = kinds.filter_map(|number| texts.kind(*number).cloned());
    sorted(actions, kinds)
}

/// What any of several workspaces offers.
fn together(several: &[Offered]) -> Offered {
    let actions = several.iter().flat_map(|offer| &offer.actions);
    let kinds = several.iter().flat_map(|offer| &offer.kinds);
    sorted(actions.cloned(), kinds.cloned())
}

/// The same action stands once, in however many readings it was sent: as it was sent most.
fn sorted(
    actions: impl Iterator<Item = ActionChoice>,
    kinds: impl Iterator<Item = TargetKind>,
) -> Offered {
    let mut by_name: BTreeMap<Action, ActionChoice> = BTreeMap::new();
    for choice in actions {
        match by_name.entry(choice.action.clone()) {
            Entry::Vacant(place) => {
                place.insert(choice);
            }
            Entry::Occupied(mut place) => {
                let events = place.get().events + choice.events;
                if choice.events > place.get().events {
                    place.insert(choice);
                }
                place.get_mut().events = events;
            }
        }
    }
    let mut actions: Vec<_> = by_name.into_values().collect();
    // Those of one label stay in the order of their names.
    actions.sort_by_cached_key(|choice| choice.label.to_lowercase());
    let kinds: BTreeSet<_> = kinds.collect();
    Offered {
        actions,
        kinds: kinds.into_iter().collect(),
    }
}

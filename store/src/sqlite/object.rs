//! The object that a scope is about: what it is called, who touched it, and what changed it last.

use super::{
    change::Log,
    dictionaries::damaged,
    snapshot::{Shelf, Snapshot},
};
use crate::{
    StoreError,
    database::{self, Connection, Dialect},
    dictionary::{Dictionary, Number},
    objects::{Named, Overview, Touched},
    plan::Numbers,
    question::QuestionError,
};
use domain::{
    event::{Event, ShownActor, Target},
    question::{Filter, Limit, Query, Subject},
    time::Timestamp,
    verb::Verb,
};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// What Daybook records of a look at a log.
pub(crate) const LOOK: &str = "AUDIT_LOG_READ";

/// An object that was named in more ways than this (a name that has a number in it, for instance) is
/// known by so many of them, those that came up last.
const WAYS_MOST: usize = 1_000;
/// Who touched an object is counted among so many of its newest entries.
const AMONG_MOST: usize = 10_000;
/// And no more are read for it, however many names they come under.
const READS_MOST: usize = 10 * AMONG_MOST;
/// Who acted on an object is looked for under so many of its names, those that were used last.
const NAMES_MOST: usize = 100;
/// So many of those who touched an object are told.
const TOUCHED_MOST: usize = 5;

/// An event's place in time: when it occurred, and its number.
pub(super) type At = (i64, i64);

impl Snapshot {
    /// An object scope's object, by the newest name and the newest address that were given for it;
    /// none where the scope is no object's, or no event names it. That somebody looked at the object
    /// names it as it was known then, and tells nothing new.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn object(&mut self) -> Result<Option<Target>, StoreError> {
        let (Some(subject), Some(shelf)) = (self.scope.subject(), self.shelves.first()) else {
            return Ok(None);
        };
        let shelf = shelf.clone();
        let (ways, looks) = {
            let texts = shelf.texts.read();
            (newest(texts.targets_of(subject).list()), looks(&texts))
        };
        let connection = self.transaction.connection();
        let uses = newest_uses(connection, &shelf, &ways, &looks, self.head).await?;
        Ok(as_given(&shelf.texts.read(), &uses))
    }

    /// All that an object's entries tell of it at a glance; none where the scope is no object's, or
    /// no event names it.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn overview(&mut self) -> Result<Option<Overview>, StoreError> {
        let (Some(subject), Some(shelf)) = (self.scope.subject(), self.shelves.first()) else {
            return Ok(None);
        };
        let shelf = shelf.clone();
        let (all, looks) = {
            let texts = shelf.texts.read();
            (texts.targets_of(subject), looks(&texts))
        };
        let ways = newest(all.list());
        let head = self.head;
        let connection = self.transaction.connection();
        let last = newest_uses(connection, &shelf, &ways, &looks, head).await?;
        let first = oldest_uses(connection, &shelf, &ways, &looks, head).await?;
        let Some(object) = as_given(&shelf.texts.read(), &last) else {
            return Ok(None);
        };
        let (Some(oldest), Some((_, newest))) =
            (first.iter().map(|(_, at)| *at).min(), last.first().copied())
        else {
            return Ok(None);
        };
        let used: Vec<Number> = last.iter().map(|(number, _)| *number).collect();
        let (entries, touched_among) = newest_entries(connection, &shelf, &used, head).await?;
        let touched = touched(&shelf.texts.read(), &entries, &looks);
        let touched = self.labelled(touched).await?;
        let names = names(&shelf.texts.read(), &first, &last);
        Ok(Some(Overview {
            object,
            names,
            first_seen: Timestamp::from_micros(oldest.0),
            last_seen: Timestamp::from_micros(newest.0),
            is_cut: ways.len() < all.len(),
            entries: self.count(&Query::default()).await.map_err(failed)?,
            touched,
            touched_among,
        }))
    }

    /// The same, with those labelled who are deactivated now.
    async fn labelled(&mut self, mut touched: Vec<Touched>) -> Result<Vec<Touched>, StoreError> {
        let workspace = self.scope.workspace().map(|workspace| &workspace.slug);
        let actors = touched
            .iter()
            .map(|touched| (&touched.actor.actor, workspace))
            .collect::<Vec<_>>();
        let inner = &self.store.inner;
        let connection = self.transaction.connection();
        let tenant = self.scope.tenant();
        let gone = inner.deactivated(connection, tenant, &actors).await?;
        for (touched, gone) in touched.iter_mut().zip(gone) {
            touched.actor.deactivated = gone;
        }
        Ok(touched)
    }

    /// The newest event of a scope that changed something: whose verb is not `read`, whatever it
    /// came to. Found through the index: the scope's entries are read from the newest on, until one
    /// is no look.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn last_change(&mut self) -> Result<Option<Event>, StoreError> {
        let changes = Verb::ALL.into_iter().filter(|verb| *verb != Verb::Read);
        let question = Query {
            filter: Filter {
                verb: changes.collect(),
                ..Filter::default()
            },
            limit: Limit::try_from(1).ok(),
            ..Query::default()
        };
        let page = self.page(&question).await.map_err(failed)?;
        Ok(page.events.into_iter().next())
    }
}

/// Questions of our own have no cursor and name no workspace: only the store can fail them.
fn failed(error: QuestionError) -> StoreError {
    match error {
        QuestionError::Store(error) => error,
        other => StoreError::Database(other.to_string()),
    }
}

/// The actions by which looks are recorded.
pub(super) fn looks(dictionary: &Dictionary) -> Numbers {
    let filter = Filter {
        action: LOOK.parse().into_iter().collect(),
        ..Filter::default()
    };
    dictionary.actions_named(&filter).unwrap_or_default()
}

/// The ways in which an object was named that came up last, ascending.
pub(super) fn newest(ways: &[Number]) -> Vec<Number> {
    let from = ways.len().saturating_sub(WAYS_MOST);
    ways.get(from..).unwrap_or_default().to_vec()
}

/// `$order` of the uses of each number of the list ?2, looks (?4) apart, up to the event ?3: a seek
/// for each.
macro_rules! uses {
    ($order:literal) => {
        concat!(
            "SELECT json_group_array(json_array(j.value, json(( \
                 SELECT json_array(at, n) FROM i.by_target \
                 WHERE ws = ?1 AND key = j.value AND n <= ?3 \
                     AND action NOT IN (SELECT value FROM json_each(?4)) ORDER BY ",
            $order,
            " LIMIT 1)))) FROM json_each(?2) j"
        )
    };
}

/// The same, a row for each.
macro_rules! uses_on_postgres {
    ($order:literal) => {
        concat!(
            "SELECT j.value, u.at, u.n FROM unnest(?1) j(value), LATERAL ( \
                 (SELECT at, n FROM own_by_target WHERE tenant = ?2 AND ws = ?3 \
                     AND key = j.value AND n <= ?4 AND action <> ALL(?5) ORDER BY ",
            $order,
            " LIMIT 1) UNION ALL (SELECT at, n FROM beside_by_target WHERE tenant = ?2 AND ws = ?3 \
                     AND key = j.value AND n <= ?4 AND action <> ALL(?5) ORDER BY ",
            $order,
            " LIMIT 1) ORDER BY ",
            $order,
            " LIMIT 1) u"
        )
    };
}

/// When each way to name an object was used last up to the event `up_to`, looks apart: the newest
/// first, and none that was not.
pub(super) async fn newest_uses(
    connection: &mut Connection,
    shelf: &Shelf,
    ways: &[Number],
    looks: &Numbers,
    up_to: i64,
) -> Result<Vec<(Number, At)>, StoreError> {
    const LAST: [&str; 2] = [
        uses!("at DESC, n DESC"),
        uses_on_postgres!("at DESC, n DESC"),
    ];
    let mut uses = uses_of(connection, LAST, shelf.log, ways, looks, up_to).await?;
    let in_tail = shelf.tail.uses(&shelf.texts, ways, looks, up_to);
    let in_tail = in_tail.into_iter().map(|(way, uses)| (way, uses.last));
    with(&mut uses, in_tail, Ord::max);
    uses.sort_unstable_by_key(|(_, at)| std::cmp::Reverse(*at));
    Ok(uses)
}

/// When each way to name an object was used first.
async fn oldest_uses(
    connection: &mut Connection,
    shelf: &Shelf,
    ways: &[Number],
    looks: &Numbers,
    up_to: i64,
) -> Result<Vec<(Number, At)>, StoreError> {
    const FIRST: [&str; 2] = [uses!("at, n"), uses_on_postgres!("at, n")];
    let mut uses = uses_of(connection, FIRST, shelf.log, ways, looks, up_to).await?;
    let in_tail = shelf.tail.uses(&shelf.texts, ways, looks, up_to);
    let in_tail = in_tail.into_iter().map(|(way, uses)| (way, uses.first));
    with(&mut uses, in_tail, Ord::min);
    Ok(uses)
}

/// Adds to the uses that the index has those that it does not have yet; of both, one.
fn with(
    uses: &mut Vec<(Number, At)>,
    others: impl ExactSizeIterator<Item = (Number, At)>,
    one_of: impl Fn(At, At) -> At,
) {
    if others.len() == 0 {
        return;
    }
    let mut all: HashMap<Number, At> = uses.drain(..).collect();
    for (way, at) in others {
        let known = all.entry(way).or_insert(at);
        *known = one_of(*known, at);
    }
    uses.extend(all);
}

async fn uses_of(
    connection: &mut Connection,
    statement: [&'static str; 2],
    log: Log,
    ways: &[Number],
    looks: &Numbers,
    up_to: i64,
) -> Result<Vec<(Number, At)>, StoreError> {
    if ways.is_empty() {
        return Ok(Vec::new());
    }
    let [on_sqlite, on_postgres] = statement;
    if connection.dialect() == Dialect::Postgres {
        let found: Vec<(Number, i64, i64)> = database::query_as(on_postgres)
            .bind(list(ways))
            .bind(log.tenant)
            .bind(log.ws)
            .bind(up_to)
            .bind(list(looks.list()))
            .fetch_all(connection)
            .await?;
        let used = found.into_iter();
        return Ok(used.map(|(way, at, n)| (way, (at, n))).collect());
    }
    let found: String = database::query_scalar(on_sqlite)
        .bind(log.ws)
        .bind(list(ways))
        .bind(up_to)
        .bind(list(looks.list()))
        .fetch_one(connection)
        .await?;
    let found: Vec<(Number, Option<At>)> = serde_json::from_str(&found).map_err(broken)?;
    let used = found.into_iter();
    Ok(used
        .filter_map(|(number, at)| Some((number, at?)))
        .collect())
}

fn list(numbers: &[Number]) -> Vec<i64> {
    numbers.iter().copied().map(i64::from).collect()
}

fn broken(_: serde_json::Error) -> StoreError {
    damaged("a list of entries is broken")
}

/// An entry of an object's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Entry {
    at: i64,
    n: i64,
    actor: Number,
    action: Number,
}

/// The newest entries of the object that has these names, each once, newest first; and how many were
/// looked at, where there are more. The names used last come first: what is older than the entries
/// found already is not read under the others.
async fn newest_entries(
    connection: &mut Connection,
    shelf: &Shelf,
    ways: &[Number],
    up_to: i64,
) -> Result<(Vec<Entry>, Option<usize>), StoreError> {
    let mut found: Vec<Entry> = Vec::new();
    let (mut since, mut reads, mut more) = (i64::MIN, 0, false);
    let mut in_tail: HashMap<Number, Vec<Entry>> = HashMap::new();
    for (way, row) in shelf.tail.named(&shelf.texts, ways, up_to) {
        in_tail.entry(way).or_default().push(Entry {
            at: row.at,
            n: row.n,
            actor: row.actor,
            action: row.action,
        });
    }
    for way in ways {
        if reads > READS_MOST {
            more = true;
            break;
        }
        let mut entries = entries_of(connection, shelf.log, *way, since, up_to).await?;
        if let Some(others) = in_tail.remove(way) {
            entries.extend(others.into_iter().filter(|entry| entry.at >= since));
            entries.sort_unstable_by(|one, other| other.cmp(one));
            entries.truncate(AMONG_MOST + 1);
        }
        reads += entries.len();
        found.extend(entries);
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.dedup_by_key(|entry| entry.n);
        if found.len() > AMONG_MOST {
            more = true;
            found.truncate(AMONG_MOST);
            since = found.last().map_or(since, |entry| entry.at);
        }
    }
    let among = more.then_some(found.len());
    Ok((found, among))
}

/// Who acted on an object, with how many of its newest entries are theirs, and whether those are all of them.
pub(super) async fn actors_of_object(
    connection: &mut Connection,
    shelf: &Shelf,
    subject: &Subject,
    up_to: i64,
) -> Result<(BTreeMap<Number, u64>, bool), StoreError> {
    let all = shelf.texts.read().targets_of(subject);
    let ways = newest(all.list());
    let mut uses = newest_uses(connection, shelf, &ways, &Numbers::default(), up_to).await?;
    let is_cut = ways.len() < all.len() || uses.len() > NAMES_MOST;
    uses.truncate(NAMES_MOST);
    let used: Vec<Number> = uses.into_iter().map(|(way, _)| way).collect();
    let (entries, among) = newest_entries(connection, shelf, &used, up_to).await?;
    let mut actors = BTreeMap::new();
    for entry in entries {
        *actors.entry(entry.actor).or_default() += 1;
    }
    Ok((actors, !is_cut && among.is_none()))
}

/// The newest entries of one name of an object, from a moment on.
async fn entries_of(
    connection: &mut Connection,
    log: Log,
    way: Number,
    since: i64,
    up_to: i64,
) -> Result<Vec<Entry>, StoreError> {
    let most = i64::try_from(AMONG_MOST + 1).unwrap_or(i64::MAX);
    if connection.dialect() == Dialect::Postgres {
        let rows: Vec<(i64, i64, Number, Number)> = database::query_as(
            "(SELECT at, n, actor, action FROM own_by_target \
                 WHERE tenant = ?1 AND ws = ?2 AND key = ?3 AND at >= ?4 AND n <= ?5 \
                 ORDER BY at DESC, n DESC LIMIT ?6) \
             UNION ALL (SELECT at, n, actor, action FROM beside_by_target \
                 WHERE tenant = ?1 AND ws = ?2 AND key = ?3 AND at >= ?4 AND n <= ?5 \
                 ORDER BY at DESC, n DESC LIMIT ?6) \
             ORDER BY at DESC, n DESC LIMIT ?6",
        )
        .bind(log.tenant)
        .bind(log.ws)
        .bind(i64::from(way))
        .bind(since)
        .bind(up_to)
        .bind(most)
        .fetch_all(connection)
        .await?;
        let entries = rows.into_iter().map(|(at, n, actor, action)| Entry {
            at,
            n,
            actor,
            action,
        });
        return Ok(entries.collect());
    }
    let entries: String = database::query_scalar(
        "SELECT json_group_array(json_array(at, n, actor, action)) FROM ( \
             SELECT at, n, actor, action FROM i.by_target \
             WHERE ws = ? AND key = ? AND at >= ? AND n <= ? \
             ORDER BY at DESC, n DESC LIMIT ?)",
    )
    .bind(log.ws)
    .bind(i64::from(way))
    .bind(since)
    .bind(up_to)
    .bind(most)
    .fetch_one(connection)
    .await?;
    serde_json::from_str(&entries).map_err(broken)
}

/// Who did most of these entries, looks apart.
fn touched(texts: &Dictionary, entries: &[Entry], looks: &Numbers) -> Vec<Touched> {
    /// Somebody is the same by kind and id, whatever they are called; without an id, by the rest.
    type Same<'a> = (&'static str, Option<&'a str>, Option<&'a str>);
    let mut all: HashMap<Same<'_>, (usize, Touched)> = HashMap::new();
    for entry in entries.iter().filter(|entry| !looks.has(entry.action)) {
        let Some(actor) = texts.actor(entry.actor) else {
            continue;
        };
        let name = match &actor.id {
            Some(_) => None,
            None => actor.name.as_deref().or(actor.email.as_deref()),
        };
        let order = all.len();
        let (_, touched) = all
            .entry((actor.kind.as_str(), actor.id.as_deref(), name))
            .or_insert_with(|| {
                // Entries come newest first: this is how they were called last.
                let touched = Touched {
                    actor: ShownActor {
                        actor: actor.clone(),
                        deactivated: false,
                    },
                    entries: 0,
                    last: Timestamp::from_micros(entry.at),
                };
                (order, touched)
            });
        touched.entries += 1;
    }
    let mut all: Vec<(usize, Touched)> = all.into_values().collect();
    all.sort_by_key(|(order, touched)| (std::cmp::Reverse(touched.entries), *order));
    all.truncate(TOUCHED_MOST);
    all.into_iter().map(|(_, touched)| touched).collect()
}

/// Each name with its first and last use, the one used last first.
fn names(texts: &Dictionary, first: &[(Number, At)], last: &[(Number, At)]) -> Vec<Named> {
    let mut names: Vec<Named> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let since: HashMap<Number, At> = first.iter().copied().collect();
    for (number, (at, _)) in last {
        let (Some(target), Some((first, _))) = (texts.target(*number), since.get(number)) else {
            continue;
        };
        let Some(name) = &target.name else { continue };
        let first = Timestamp::from_micros(*first);
        let place = *places.entry(name).or_insert_with(|| {
            names.push(Named {
                name: name.clone(),
                since: first,
                last: Timestamp::from_micros(*at),
            });
            names.len() - 1
        });
        if let Some(named) = names.get_mut(place) {
            named.since = named.since.min(first);
        }
    }
    names
}

/// An object by what it was given as, newest first: an event may name it by its id alone, and its
/// name stays what it was.
pub(super) fn as_given(texts: &Dictionary, uses: &[(Number, At)]) -> Option<Target> {
    let mut given = uses.iter().filter_map(|(number, _)| texts.target(*number));
    let mut known = given.next()?.clone();
    for target in given {
        if known.name.is_some() && known.url.is_some() {
            break;
        }
        known.name = known.name.take().or_else(|| target.name.clone());
        known.url = known.url.take().or_else(|| target.url.clone());
    }
    Some(known)
}

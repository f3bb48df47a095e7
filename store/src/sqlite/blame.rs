//! What an object's events come to: which they are, their fold, some at a time, and what the log is
//! silent about.

mod kept;
mod reading;
mod silence;

pub(super) use kept::Folds;

use super::{
    Store,
    append::outcome_number,
    dictionaries::damaged,
    directory::find_workspace,
    object::{as_given, looks, newest, newest_uses},
    snapshot::{Shelf, Snapshot, is_of_one_workspace, no_such_workspace},
    tail::{Column, Row},
};
use crate::{
    StoreError,
    access::{Reach, Scope},
    blame::{BlameQuery, ObjectBlame},
    database::{self, Connection, Dialect},
    dictionary::Number,
    plan::Numbers,
    question::QuestionError,
};
use domain::{
    blame::{Blame, Fold, Origin, Setting, is_only_looking},
    event::{Actor, Outcome},
    question::Filter,
    slug::WorkspacePath,
    time::Timestamp,
    verb::Verb,
};
use reading::{Reading, read};
use std::{collections::HashSet, sync::Arc};

/// So many events are read at first, and never more than so many at once.
const AT_FIRST: usize = 64;
const AT_ONCE: usize = 1_000;
/// How many bytes of events are to be read at once, more or less.
const BYTES_AT_ONCE: usize = 1 << 20;
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
        // What actions are is read of every event: of all of them through one catalogue.
        loop {
            let catalogue = shelf.texts.read().catalogue_version();
            let found = self.blame_in(&shelf, query).await?;
            if shelf.texts.read().catalogue_version() == catalogue {
                return Ok(found);
            }
        }
    }

    /// What is known of an object in a workspace's log, or a tenant's own.
    async fn blame_in(
        &mut self,
        shelf: &Shelf,
        query: &BlameQuery,
    ) -> Result<Option<ObjectBlame>, StoreError> {
        let subject = &query.subject;
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
        let head = self.head;
        let connection = self.transaction.connection();
        let uses = newest_uses(connection, shelf, &newest(ways.list()), &looks, head).await?;
        let Some(object) = as_given(&shelf.texts.read(), &uses) else {
            return Ok(None);
        };
        let at = query.asked.at;
        let until = at.unwrap_or(Timestamp::MAX);
        let places =
            own_events(connection, shelf, (&ways, &silent), (head, until.micros())).await?;
        let last = places.last().map(|(at, _)| Timestamp::from_micros(*at));
        let (blame, events_read) = self.folded(shelf, query, places).await?;
        let looking = (until, silent.list());
        let silence = self.silence(shelf, subject, looking).await?;
        // What is off now is not known to be off later.
        let gaps = blame.gaps(&silence, at.filter(|at| *at < self.now));
        Ok(Some(ObjectBlame {
            object,
            at: at.unwrap_or_else(|| last.map_or(self.now, |last| last.max(self.now))),
            deactivated: self.deactivated_of(&blame, shelf).await?,
            blame,
            gaps,
            events_read,
        }))
    }

    /// What the events at these places come to, and how many of them were read for it. It begins where an
    /// earlier fold came to, where nothing changed of what that read; and reads while the last events that
    /// were read are being folded, where nobody else waits for it. It ends when nobody waits for the answer
    /// any more.
    async fn folded(
        &mut self,
        shelf: &Shelf,
        query: &BlameQuery,
        places: Vec<(i64, i64)>,
    ) -> Result<(Blame, usize), StoreError> {
        let inner = Arc::clone(&self.store.inner);
        let connection = self.transaction.connection();
        let of = kept::Blamed {
            log: shelf.log,
            subject: query.subject.clone(),
            field: query.asked.field.clone(),
        };
        let times = inner.dictionaries_of(connection).times();
        let stamp = kept::stamp(connection, shelf, (self.removals, times)).await?;
        let mut keeping = inner.folds.keeping(of, stamp, &places);
        let (mut begun, fold) = keeping.begin(&query.asked);
        let events_read = places.len() - begun;
        let mut state = Folding {
            fold: fold.unwrap_or_else(|| Fold::new(query.asked.clone())),
            reading: Reading::new(Arc::clone(&shelf.texts)),
        };
        let most = AT_ONCE.min(inner.folds.between());
        let mut size = AT_FIRST.min(most);
        let mut next = match places.get(begun..places.len().min(begun + size)) {
            None | Some([]) => None,
            Some(some) => Some(read(connection, shelf.log, some).await?),
        };
        while let Some(states) = next.take() {
            let end = places.len().min(begun + size);
            let is_shared = |at: usize| {
                let instant = |at: usize| places.get(at).map(|(at, _)| *at);
                let own = instant(at);
                own == instant(at + 1) || at.checked_sub(1).is_some_and(|at| own == instant(at))
            };
            let shared: Vec<bool> = (begun..end).map(is_shared).collect();
            let is_settled = places.get(end).map(|(at, _)| *at)
                != end
                    .checked_sub(1)
                    .and_then(|last| Some(places.get(last)?.0));
            let keeps = is_settled && keeping.wants(end);
            // No more than twice as many, so that large events after small ones are not too many.
            let bytes = states.len().max(1);
            size = (size * BYTES_AT_ONCE / bytes).clamp(1, 2 * size).min(most);
            begun = end;
            let folding = tokio::task::spawn_blocking(move || {
                state.reading.tell(&states, &shared, &mut state.fold)?;
                if is_settled {
                    state.fold.settle();
                }
                let kept = if keeps {
                    state.fold.keep(kept::OF_ONE_MOST)
                } else {
                    None
                };
                Ok::<_, StoreError>((state, kept))
            });
            let some = places.get(begun..places.len().min(begun + size));
            if let Some(some) = some.filter(|some| !some.is_empty()) {
                next = Some(read(connection, shelf.log, some).await?);
            }
            let folded = folding.await.map_err(|_| damaged("a fold did not end"))?;
            let kept;
            (state, kept) = folded?;
            if let Some(kept) = kept {
                keeping.add(end, kept);
            }
        }
        keeping.end();
        let finishing = tokio::task::spawn_blocking(move || state.fold.finish());
        let blame = finishing.await;
        let blame = blame.map_err(|_| damaged("a fold did not end"))?;
        Ok((blame, events_read))
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
            Origin::Initial | Origin::Outside { .. } | Origin::Erased { .. } => None,
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

/// A fold on its way.
struct Folding {
    fold: Fold,
    reading: Reading,
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
    shelf: &Shelf,
    (targets, without): (&Numbers, &Numbers),
    (up_to, until): (i64, i64),
) -> Result<Vec<(i64, i64)>, StoreError> {
    let log = shelf.log;
    let query = match connection.dialect() {
        Dialect::Sqlite => database::query_scalar(OWN).bind(log.ws),
        Dialect::Postgres => database::query_scalar(OWN_ON_POSTGRES)
            .bind(log.tenant)
            .bind(log.ws),
    };
    let places: String = query
        .bind(list(targets.list()))
        .bind(list(without.list()))
        .bind(up_to)
        .bind(until)
        .fetch_one(connection)
        .await?;
    let mut places: Vec<(i64, i64)> = serde_json::from_str(&places).map_err(broken)?;
    let own = vec![(Column::Target, targets)];
    let in_tail = shelf.tail.any_of(&own, up_to).filter(|row| {
        let succeeded = row.outcome == u32::from(outcome_number(Outcome::Success));
        !without.has(row.action) && succeeded && row.at <= until
    });
    places.extend(in_tail.map(Row::place));
    places.sort_unstable();
    Ok(places)
}

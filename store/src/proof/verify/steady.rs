//! The same beside a running server, for ever and gently: a stretch of a log at a time, each in one state
//! of the database, going on where the last one ended; and anew when all logs are checked.
//!
//! What is found wrong is looked at again, in another state and from the log's beginning on, before it is
//! claimed: and that only where it is the same again, because nodes that have no state in common show, now
//! and then, something that has passed when it is looked at again, and then something else. What cannot be
//! read at all is wrong too, where the database itself answers.

use super::{
    Checking, Erasures, LOOKS, PIECE, Referred, Rules, Seen, VerifyError, Wrong, erased,
    findings::found_in, is_spread, log_of, releases,
};
use crate::{
    Store, StoreError,
    database::{self, Connection},
    proof::{count, hash, number, standing::begin, tiles},
    sqlite::Inner,
};
use domain::{leaf::Hash, proof::Edge};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// For how long one state of the database is held, and longer where more is read at its beginning.
const STRETCH: Duration = Duration::from_millis(500);

/// What came of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many entries were checked, and there are more.
    Checked(u64),
    /// So many were, and all logs are checked.
    Ended(u64),
}

/// A check of all logs that goes on and on. Its place is in the database too, so that a server which
/// begins anew goes on there.
#[derive(Debug, Default)]
pub struct Steady {
    /// The tenants whose logs are still to be checked in this round, the next one last; none: a round is to
    /// begin.
    left: Option<Vec<i64>>,
    /// Those whose check this process began at the beginning, and did not take from the database.
    own: HashSet<i64>,
    /// Those of which something was found wrong, and is looked at again.
    doubted: Doubts,
}

/// What seems to be wrong, by tenant: what was found last, and how often something was.
#[derive(Debug, Default)]
struct Doubts(HashMap<i64, (Wrong, usize)>);

/// What follows from what was found.
#[derive(Debug, PartialEq, Eq)]
enum Doubt {
    /// It is looked at again.
    Again,
    /// It is the same as before.
    Claimed,
    /// It was something else each time: so it has passed, and the next round shows it where it has not.
    Passed,
}

impl Doubts {
    fn has(&self, tenant: i64) -> bool {
        self.0.contains_key(&tenant)
    }

    fn found(&mut self, tenant: i64, wrong: Wrong) -> Doubt {
        let times = match self.0.get(&tenant) {
            Some((before, _)) if *before == wrong => return Doubt::Claimed,
            before => before.map_or(1, |(_, times)| times + 1),
        };
        self.0.insert(tenant, (wrong, times));
        if times < LOOKS {
            Doubt::Again
        } else {
            Doubt::Passed
        }
    }

    fn end(&mut self, tenant: i64) {
        self.0.remove(&tenant);
    }
}

/// How far the check of a log came.
struct Place {
    size: u64,
    root: Hash,
    rules: Rules,
}

impl Place {
    async fn read(connection: &mut Connection, tenant: i64) -> Result<Option<Self>, StoreError> {
        let row: Option<(i64, Option<Vec<u8>>, Option<String>)> = database::query_as(
            "SELECT checked, root, rules FROM background_check WHERE tenant = ?",
        )
        .bind(tenant)
        .fetch_optional(connection)
        .await?;
        let Some((size, Some(root), Some(rules))) = row else {
            return Ok(None);
        };
        let Ok(rules) = serde_json::from_str(&rules) else {
            return Ok(None);
        };
        // A place that is none is no part of the log: it is begun at the beginning.
        let (Ok(size), Ok(root)) = (count(size), hash(&root)) else {
            return Ok(None);
        };
        Ok(Some(Self { size, root, rules }))
    }

    /// The tree that was checked so far; none where the tiles come to another.
    async fn edge(
        &self,
        connection: &mut Connection,
        tenant: i64,
    ) -> Result<Option<Edge>, StoreError> {
        let wanted = Edge::tiles_of(self.size).into_iter().map(|(id, _)| id);
        let tiles = tiles(connection, tenant, wanted).await?;
        let edge = Edge::of(self.size, &tiles).ok();
        Ok(edge.filter(|edge| edge.root() == self.root))
    }
}

/// What a stretch found.
struct Found {
    checked: u64,
    place: Place,
    is_last: bool,
}

impl Inner {
    /// Checks a stretch of a tenant's log, from a place on, in one state. None: there is no such tenant.
    async fn stretch(&self, tenant: i64, is_anew: bool) -> Result<Option<Found>, VerifyError> {
        let mut connection = self.readers.acquire().await?;
        begin(self, &mut connection).await?;
        let connection: &mut Connection = &mut connection;
        let place = if is_anew {
            None
        } else {
            Place::read(connection, tenant).await?
        };
        let edge = match &place {
            Some(place) => place.edge(connection, tenant).await?,
            None => None,
        };
        let begun = Instant::now();
        let rows: Vec<(i64, Vec<u8>)> = database::query_as("SELECT id, public FROM signing_key")
            .fetch_all(&mut *connection)
            .await?;
        let keys: HashMap<i64, Vec<u8>> = rows.into_iter().collect();
        let Some(log) = log_of(connection, tenant).await? else {
            return Ok(None);
        };
        let last = log.last;
        let of_tenant = releases(connection).await?.remove(&tenant);
        let of_tenant = of_tenant.unwrap_or_default();
        // Where nodes have no state in common, what came since is seen too; what seems wrong is looked at
        // again anyway.
        let seen = if is_spread(connection).await? {
            Seen::Moving
        } else {
            Seen::AtOnce
        };
        let mut checking = Checking::of(seen, log, of_tenant, Vec::new(), &keys);
        checking.erasures = Erasures::new(erased::read_of(connection, tenant).await?);
        // Where the log is shorter than it was, it is looked at from its beginning.
        let goes_on = place
            .zip(edge)
            .filter(|(place, _)| number(place.size).is_ok_and(|size| size <= last));
        if let Some((place, edge)) = goes_on {
            let told_of = checking.releases.all.iter();
            checking.told_of = told_of
                .filter(|release| release.seq.unsigned_abs() <= place.size)
                .count();
            checking.erasures.pass(place.size);
            checking.checkpoints_after = number(place.size)?;
            (checking.edge, checking.rules) = (edge, place.rules);
        }
        let from = checking.edge.size();
        let referred = Referred::read(connection, tenant).await?;
        let enough = STRETCH.max(begun.elapsed() * 2);
        let begun = Instant::now();
        let checked = async {
            loop {
                let to = (number(checking.edge.size())? + PIECE).min(last);
                checking.check_to(connection, &referred, to, |_| ()).await?;
                // What no checkpoint covers has no tiles to go on from.
                let may_end = checking.edge.size() <= checking.signed;
                if to >= last || (may_end && begun.elapsed() >= enough) {
                    break;
                }
            }
            let is_last = number(checking.edge.size())? >= last;
            if is_last {
                checking.end(connection).await?;
            }
            Ok::<_, VerifyError>(is_last)
        }
        .await;
        checking.settle().await?;
        let is_last = checked?;
        connection.run("ROLLBACK").await?;
        let size = checking.edge.size();
        Ok(Some(Found {
            checked: size - from,
            place: Place {
                size,
                root: checking.edge.root(),
                rules: checking.rules,
            },
            is_last,
        }))
    }

    /// Notes how far the check of a log came.
    async fn note_place(&self, tenant: i64, found: &Found) -> Result<(), StoreError> {
        let rules = serde_json::to_string(&found.place.rules);
        let rules = rules.map_err(|error| StoreError::Database(error.to_string()))?;
        let is_right = found.is_last && self.newest_fault(tenant).await?.is_none();
        let mut change = self.change().await?;
        let now = change.now.micros();
        let noted = async {
            let connection = change.connection();
            database::query(
                "INSERT INTO background_check (tenant) VALUES (?) ON CONFLICT DO NOTHING",
            )
            .bind(tenant)
            .execute(&mut *connection)
            .await?;
            let size = number(found.place.size)?;
            if found.is_last {
                database::query(
                    "UPDATE background_check SET checked = 0, root = NULL, rules = NULL \
                     WHERE tenant = ?",
                )
                .bind(tenant)
                .execute(&mut *connection)
                .await?;
            } else {
                database::query(
                    "UPDATE background_check SET checked = ?, root = ?, rules = ? WHERE tenant = ?",
                )
                .bind(size)
                .bind(&found.place.root.0[..])
                .bind(rules)
                .bind(tenant)
                .execute(&mut *connection)
                .await?;
            }
            if is_right {
                // What a witness holds is no past of it as long as nobody accepts that.
                database::query(
                    "UPDATE background_check SET passed = ?1, passed_at = ?2, \
                         fault = CASE WHEN EXISTS (SELECT 1 FROM witnessed w \
                             WHERE w.tenant = ?3 AND w.ahead IS NOT NULL) THEN fault END, \
                         failed_at = CASE WHEN EXISTS (SELECT 1 FROM witnessed w \
                             WHERE w.tenant = ?3 AND w.ahead IS NOT NULL) THEN failed_at END \
                     WHERE tenant = ?3",
                )
                .bind(size)
                .bind(now)
                .bind(tenant)
                .execute(&mut *connection)
                .await?;
            }
            Ok::<_, StoreError>(())
        }
        .await;
        change.finish(noted).await
    }
}

impl Steady {
    /// Checks the next stretch. What is wrong is noted, where it was found twice, and the round goes on with
    /// the next tenant.
    ///
    /// # Errors
    ///
    /// The store failed: the same stretch is checked again the next time; where the database refused something
    /// of this log alone, as far as can be told, the next tenant's, and this one in the next round.
    pub async fn step(&mut self, store: &Store) -> Result<Step, StoreError> {
        let inner = &store.inner;
        if self.left.is_none() {
            let tenants: Vec<i64> =
                database::query_scalar("SELECT id FROM tenant ORDER BY id DESC")
                    .fetch_all(&inner.readers)
                    .await?;
            self.left = Some(tenants);
        }
        let left = self.left.get_or_insert_default();
        let Some(&tenant) = left.last() else {
            self.left = None;
            return Ok(Step::Ended(0));
        };
        let step = self.step_in(store, tenant).await;
        if matches!(step, Err(StoreError::Database(_) | StoreError::Damaged(_))) {
            self.next(tenant);
        }
        Ok(self.step_of(step?))
    }

    /// Checks the next stretch of a tenant's log: how many entries it was.
    async fn step_in(&mut self, store: &Store, tenant: i64) -> Result<u64, StoreError> {
        let inner = &store.inner;
        let is_anew = self.doubted.has(tenant) && !self.own.contains(&tenant);
        let found = match inner.stretch(tenant, is_anew).await {
            Err(error @ VerifyError::Store(StoreError::Damaged(_))) => {
                Err(found_in(&inner.name_of(tenant).await?, error))
            }
            found => found,
        };
        let found = match found {
            Ok(found) => found,
            Err(VerifyError::Store(error)) => return Err(error),
            Err(VerifyError::NoInstallation(_)) => None,
            Err(VerifyError::Wrong(wrong)) => {
                self.found(store, tenant, wrong).await?;
                return Ok(0);
            }
        };
        let Some(found) = found else {
            self.next(tenant);
            return Ok(0);
        };
        if is_anew {
            self.own.insert(tenant);
        }
        inner.note_place(tenant, &found).await?;
        if found.is_last {
            self.next(tenant);
        }
        Ok(found.checked)
    }

    /// Something is wrong: it is claimed where the same was found before, and now in a check that this process
    /// itself began at the beginning; else that is what comes next.
    async fn found(&mut self, store: &Store, tenant: i64, wrong: Wrong) -> Result<(), StoreError> {
        let words = wrong.to_string();
        let doubt = self.doubted.found(tenant, wrong);
        tracing::debug!(tenant, ?doubt, "found in the background: {words}");
        match doubt {
            // From the beginning.
            Doubt::Again => {
                self.own.remove(&tenant);
                return Ok(());
            }
            Doubt::Claimed => store.inner.note_fault(tenant, &words).await?,
            Doubt::Passed => {}
        }
        let mut change = store.inner.change().await?;
        let reset = database::query(
            "UPDATE background_check SET checked = 0, root = NULL, rules = NULL WHERE tenant = ?",
        )
        .bind(tenant)
        .execute(change.connection())
        .await;
        change.finish(reset.map_err(StoreError::from)).await?;
        self.next(tenant);
        Ok(())
    }

    /// A tenant's log is done with, for this round.
    fn next(&mut self, tenant: i64) {
        self.own.remove(&tenant);
        self.doubted.end(tenant);
        if let Some(left) = &mut self.left {
            left.retain(|of| *of != tenant);
        }
    }

    fn step_of(&mut self, checked: u64) -> Step {
        match &self.left {
            Some(left) if !left.is_empty() => Step::Checked(checked),
            _ => {
                self.left = None;
                Step::Ended(checked)
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn missing(seq: u64) -> Wrong {
        let tenant = "acme".parse().unwrap();
        Wrong::Missing { tenant, seq }
    }

    #[test]
    fn only_what_is_found_twice_in_a_row_is_claimed() {
        let mut doubts = Doubts::default();
        assert_eq!(doubts.found(1, missing(7)), Doubt::Again);
        // Two that pass, one after the other, are no alarm; nor is what another tenant's log shows.
        assert_eq!(doubts.found(1, missing(8)), Doubt::Again);
        assert_eq!(doubts.found(2, missing(8)), Doubt::Again);
        assert_eq!(doubts.found(1, missing(8)), Doubt::Claimed);
        doubts.end(1);
        assert_eq!(doubts.found(1, missing(8)), Doubt::Again);
        assert!(doubts.has(1) && doubts.has(2));
    }

    #[test]
    fn what_is_another_thing_each_time_holds_nobody_up_for_ever() {
        let mut doubts = Doubts::default();
        let looks = (1..).map(|seq| doubts.found(1, missing(seq)));
        let until: Vec<Doubt> = looks.take_while(|doubt| *doubt == Doubt::Again).collect();
        assert_eq!(until.len(), LOOKS - 1);
    }
}

//! What a walk can leave out: values that have nothing of what is asked for.

use super::{FEW, FEW_COMPARED, FIRST_CHUNK, Search, is_one_of, list};
use crate::{
    StoreError,
    database::{Connection, Dialect, Sql},
    plan::{Conditions, Counts, Numbers, Object, Table},
};
use std::{fmt::Write as _, time::Duration};

/// So many pairs are looked at: of what occurs together in more ways, there is something to be found soon.
const PAIRS: usize = 500;
/// Of how many entries of a table of pairs it is worth to look for those that are asked for.
const WORTH: usize = 8_000;

/// What PostgreSQL calls the pairs of who carries something out and for whom.
const OF_VIA: i16 = 8;

/// A table of what occurs together.
#[derive(Clone, Copy)]
enum Pairs {
    /// Who does which action.
    ActorsActions,
    /// Which action is done to which kind of target.
    ActionsKinds,
    /// Who carries out something for whom.
    CarriersActors,
}

/// The numbers that two sets have in common.
fn common(one: &Numbers, other: &Numbers) -> Numbers {
    let numbers = one.list().iter().copied();
    numbers.filter(|number| other.has(*number)).collect()
}

/// The two sides of pairs.
fn sides(pairs: &[(u32, u32)]) -> (Numbers, Numbers) {
    let one = pairs.iter().map(|(one, _)| *one).collect();
    (one, pairs.iter().map(|(_, other)| *other).collect())
}

impl Search<'_> {
    /// Conditions that the same events of the index meet, with what never occurs together left out, as the
    /// counts of pairs tell exactly: frequent values that never meet are answered without reading, and of
    /// those that hardly do less is read. None, where the log is so small that everything is read within
    /// `small`.
    pub(in super::super) async fn narrowed_by_pairs(
        &self,
        connection: &mut Connection,
        counts: &Counts,
        small: Duration,
    ) -> Result<Option<Conditions>, StoreError> {
        if self.conditions.is_contradiction() || counts.reads_whole_within(small) {
            return Ok(None);
        }
        let mut conditions = self.conditions.clone();
        if let Some((anyone, chains)) = conditions.anyone.take() {
            self.narrow_anyone(connection, counts, &mut conditions, (anyone, chains))
                .await?;
        }
        if let (Some(actors), Some((carriers, chains))) = (&conditions.actor, &conditions.via)
            && let Some(pairs) = self
                .pairs(
                    connection,
                    counts,
                    Pairs::CarriersActors,
                    (carriers, actors),
                )
                .await?
        {
            let (carriers, behind) = sides(&pairs);
            conditions.via = Some((carriers, chains.clone()));
            conditions.actor = Some(behind);
        }
        if let (Some(actors), Some(actions)) = (&conditions.actor, &conditions.action)
            && let Some(pairs) = self
                .pairs(connection, counts, Pairs::ActorsActions, (actors, actions))
                .await?
        {
            let (actors, actions) = sides(&pairs);
            conditions.actor = Some(actors);
            conditions.action = Some(actions);
        }
        for at in 0..conditions.objects.len() {
            self.narrow_kinds(connection, counts, &mut conditions, at)
                .await?;
        }
        Ok(Some(conditions))
    }

    /// The same of an actor or anyone in `via`: where the actor cannot be one of those that are asked for, or
    /// nobody else can, only one of the two is left to look for.
    async fn narrow_anyone(
        &self,
        connection: &mut Connection,
        counts: &Counts,
        conditions: &mut Conditions,
        (anyone, chains): (Numbers, Numbers),
    ) -> Result<(), StoreError> {
        let Some(carriers) = self.carriers(connection, &anyone).await? else {
            conditions.anyone = Some((anyone, chains));
            return Ok(());
        };
        // Who of those that are asked for may be the actor, and whom the others may act for.
        let (mut own, mut carriers, mut behind) = (anyone.clone(), carriers, None);
        if let Some(actors) = &conditions.actor {
            own = common(&anyone, actors);
            let pairs = self.pairs(
                connection,
                counts,
                Pairs::CarriersActors,
                (&carriers, actors),
            );
            if let Some(pairs) = pairs.await? {
                let (left, actors) = sides(&pairs);
                (carriers, behind) = (left, Some(actors));
            }
        }
        if let Some(actions) = &conditions.action {
            let pairs = self.pairs(connection, counts, Pairs::ActorsActions, (&own, actions));
            if let Some(pairs) = pairs.await? {
                own = sides(&pairs).0;
            }
        }
        if let Some(behind) = behind {
            let all = own.list().iter().chain(behind.list());
            conditions.actor = Some(all.copied().collect());
        }
        if carriers.is_empty() {
            conditions.actor = Some(own);
        } else if own.is_empty() && conditions.via.is_none() {
            conditions.via = Some((carriers, chains));
        } else {
            conditions.anyone = Some((anyone, chains));
        }
        Ok(())
    }

    /// Who of these carries out something for others; none, where many do.
    async fn carriers(
        &self,
        connection: &mut Connection,
        of: &Numbers,
    ) -> Result<Option<Numbers>, StoreError> {
        let mut sql = Sql::default();
        match self.within.dialect {
            // From one to the next, however many they act for.
            Dialect::Sqlite => {
                let next = "SELECT min(p.key) AS key FROM i.count_via p WHERE p.ws = ";
                let _ = write!(sql.text, "WITH RECURSIVE carrier AS ({next}");
                sql.with("?", self.within.log.ws);
                let _ = write!(sql.text, " UNION ALL SELECT ({next}");
                sql.with("?", self.within.log.ws);
                sql.add(" AND p.key > carrier.key) FROM carrier WHERE carrier.key IS NOT NULL)");
                sql.add(" SELECT key FROM carrier WHERE key IS NOT NULL");
            }
            // Each is looked up, among what is added up and what came since: the view would add up whom they
            // all act for.
            Dialect::Postgres if of.len() > PAIRS => return Ok(None),
            Dialect::Postgres => {
                sql.with("SELECT j.value FROM unnest(?) j(value)", list(of));
                sql.add(" WHERE EXISTS (SELECT 1 FROM tally p");
                self.within.is_ours(&mut sql, "p");
                let _ = write!(sql.text, " AND p.what = {OF_VIA} AND p.key = j.value)");
                sql.add(" UNION SELECT k.key FROM tally_change p, unnest(p.key) k(key)");
                self.within.is_ours(&mut sql, "p");
                let _ = write!(sql.text, " AND p.what = {OF_VIA} AND k.key = ");
                sql.with("ANY(?)", list(of));
            }
        }
        sql.with(" LIMIT ?", i64::try_from(PAIRS + 1).unwrap_or(i64::MAX));
        let rows = sql.query().fetch_all(connection).await?;
        if rows.len() > PAIRS {
            return Ok(None);
        }
        let carriers = rows.iter().map(|row| Ok(row.try_get(0)?));
        let carriers: Numbers = carriers.collect::<Result<_, StoreError>>()?;
        Ok(Some(common(&carriers, of)))
    }

    /// The same of the kinds at a place among the objects.
    async fn narrow_kinds(
        &self,
        connection: &mut Connection,
        counts: &Counts,
        conditions: &mut Conditions,
        at: usize,
    ) -> Result<(), StoreError> {
        let Conditions {
            action, objects, ..
        } = conditions;
        if let (
            Some(actions),
            Some(Object::Kinds {
                kinds,
                related,
                own,
            }),
        ) = (action, objects.get_mut(at))
            && let Some(pairs) = self
                .pairs(connection, counts, Pairs::ActionsKinds, (actions, kinds))
                .await?
        {
            *own = *own && !pairs.is_empty();
            if related.is_empty() {
                (*actions, *kinds) = sides(&pairs);
            }
        }
        Ok(())
    }

    /// What of two sets occurs together, as pairs of one of each; none, where that is much, or is not worth to be
    /// looked for.
    async fn pairs(
        &self,
        connection: &mut Connection,
        counts: &Counts,
        pairs: Pairs,
        (one, other): (&Numbers, &Numbers),
    ) -> Result<Option<Vec<(u32, u32)>>, StoreError> {
        let (actors, actions) = (counts.actor.len(), counts.action.len());
        // By which of the two it is looked for, and how many there are beside each.
        let (table, names, by_first, beside) = match pairs {
            Pairs::ActorsActions if one.len() * actions <= other.len() * actors => {
                ("count_pair", ["actor", "action"], true, actions)
            }
            Pairs::ActorsActions => ("count_pair", ["actor", "action"], false, actors),
            Pairs::ActionsKinds => ("count_action_kind", ["action", "kind"], true, 2),
            Pairs::CarriersActors => ("count_via", ["key", "actor"], true, actors),
        };
        let (by, tested) = if by_first { (one, other) } else { (other, one) };
        let (by_name, tested_name) = match names {
            [first, second] if by_first => (first, second),
            [first, second] => (second, first),
        };
        // Who carries nothing out has nobody beside them.
        let having = match pairs {
            Pairs::CarriersActors => by
                .list()
                .iter()
                .filter(|one| counts.carries_out(**one))
                .count(),
            _ => by.len(),
        };
        let beside = if tested.len() <= FEW_COMPARED {
            tested.len()
        } else {
            beside
        };
        if having * beside + by.len() * 16 > WORTH {
            return Ok(None);
        }
        let mut sql = Sql::default();
        let _ = write!(sql.text, "SELECT p.{}, p.{} FROM ", names[0], names[1]);
        match self.within.dialect {
            Dialect::Sqlite => {
                sql.with("json_each(?) j CROSS JOIN ", list(by));
                self.within.table(&mut sql, table);
                sql.add(" AS p");
                if by_name == "actor" {
                    // It takes the table's own key else, and reads all of the workspace.
                    sql.add(" INDEXED BY count_pair_by_actor");
                }
                self.within.is_ours(&mut sql, "p");
                let _ = write!(sql.text, " AND p.{by_name} = j.value AND ");
                sql.append(is_one_of(&format!("p.{tested_name}"), tested));
            }
            Dialect::Postgres => {
                self.within.table(&mut sql, table);
                sql.add(" p");
                self.within.is_ours(&mut sql, "p");
                let _ = write!(sql.text, " AND p.{by_name} = ");
                sql.with("ANY(?)", list(by));
                let _ = write!(sql.text, " AND p.{tested_name} = ");
                sql.with("ANY(?)", list(tested));
            }
        }
        sql.add(" AND p.events > 0");
        sql.with(" LIMIT ?", i64::try_from(PAIRS + 1).unwrap_or(i64::MAX));
        let rows = sql.query().fetch_all(connection).await?;
        if rows.len() > PAIRS {
            return Ok(None);
        }
        let pairs = rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        pairs.collect::<Result<_, StoreError>>().map(Some)
    }

    /// The values that the other filters leave to walk: those that occur together with theirs, as
    /// the counts of pairs tell. None: any.
    pub(super) async fn narrowed(
        &self,
        connection: &mut Connection,
        table: Table,
        only: Option<Numbers>,
        counts: &Counts,
    ) -> Result<Option<Numbers>, StoreError> {
        let Conditions {
            actor,
            anyone,
            via,
            action,
            ..
        } = self.conditions;
        let mut left = only;
        let mut keep = |others: Numbers| {
            left = Some(match left.take() {
                None => others,
                Some(left) => left
                    .list()
                    .iter()
                    .copied()
                    .filter(|one| others.has(*one))
                    .collect(),
            });
        };
        match table {
            Table::Actor => {
                if let Some(actions) = action
                    && self.conditions.narrowing_pays(counts, self.limit)
                {
                    keep(
                        self.beside(connection, "actor", "count_pair", "action", actions)
                            .await?,
                    );
                }
                if let Some((actors, _)) = anyone
                    && actors.len() <= FEW
                {
                    let behind = self
                        .beside(connection, "actor", "count_via", "key", actors)
                        .await?;
                    keep(actors.list().iter().chain(behind.list()).copied().collect());
                }
                if let Some((actors, _)) = via
                    && actors.len() <= FEW
                {
                    keep(
                        self.beside(connection, "actor", "count_via", "key", actors)
                            .await?,
                    );
                }
            }
            Table::Action => {
                if let Some(actors) = actor
                    && actors.len() <= FEW
                {
                    keep(
                        self.beside(connection, "action", "count_pair", "actor", actors)
                            .await?,
                    );
                }
            }
            _ => {
                if let Some(actions) = action {
                    let kinds =
                        self.beside(connection, "kind", "count_action_kind", "action", actions);
                    keep(kinds.await?);
                }
            }
        }
        Ok(left)
    }

    /// The actions that are done to something of these kinds.
    pub(super) async fn actions_on(
        &self,
        connection: &mut Connection,
        kinds: &Numbers,
    ) -> Result<Numbers, StoreError> {
        self.beside(connection, "action", "count_action_kind", "kind", kinds)
            .await
    }

    /// The values of `wanted` that stand in a table of pairs beside one of `numbers` in `given`.
    async fn beside(
        &self,
        connection: &mut Connection,
        wanted: &'static str,
        pairs: &'static str,
        given: &'static str,
        numbers: &Numbers,
    ) -> Result<Numbers, StoreError> {
        let mut sql = Sql::default();
        match self.within.dialect {
            Dialect::Sqlite => {
                let _ = write!(sql.text, "SELECT DISTINCT p.{wanted} FROM json_each(");
                sql.with("?", list(numbers));
                let _ = write!(sql.text, ") j CROSS JOIN i.{pairs} p");
                self.within.is_ours(&mut sql, "p");
                let _ = write!(sql.text, " AND p.{given} = j.value");
            }
            Dialect::Postgres => {
                let _ = write!(sql.text, "SELECT DISTINCT p.{wanted} FROM {pairs} p");
                self.within.is_ours(&mut sql, "p");
                let _ = write!(sql.text, " AND p.events > 0 AND p.{given} = ");
                sql.with("ANY(?)", list(numbers));
            }
        }
        let rows = sql.query().fetch_all(connection).await?;
        rows.iter().map(|row| Ok(row.try_get::<u32>(0)?)).collect()
    }

    /// Leaves out values that many entries have, but no event of its own, such as an agent that only
    /// ever acted for others: a walk would pass over all of their entries, and find nothing.
    pub(super) async fn with_own(
        &self,
        connection: &mut Connection,
        table: Table,
        mut groups: Vec<(Box<str>, Vec<u32>)>,
        counts: &Counts,
    ) -> Result<Vec<(Box<str>, Vec<u32>)>, StoreError> {
        let (kept, entries, own) = match table {
            Table::Actor => ("count_actor", &counts.actor, &counts.own_actor),
            Table::Kind => ("count_kind", &counts.kind, &counts.own_kind),
            _ => return Ok(groups),
        };
        let count = |counts: &[u64], number: u32| counts.get(number as usize).copied();
        let doubtful: Numbers = groups
            .iter()
            .flat_map(|(_, numbers)| numbers.iter().copied())
            .filter(|number| {
                count(own, *number) == Some(0)
                    && count(entries, *number).is_some_and(|entries| entries > FIRST_CHUNK)
            })
            .collect();
        if doubtful.is_empty() {
            return Ok(groups);
        }
        // The counts in memory may be a little behind; these are of the snapshot.
        let mut sql = Sql::default();
        match self.within.dialect {
            Dialect::Sqlite => {
                sql.add("SELECT p.key FROM ");
                sql.with("json_each(?) j", list(&doubtful));
                let _ = write!(sql.text, " CROSS JOIN i.{kept} p");
                self.within.is_ours(&mut sql, "p");
                sql.add(" AND p.key = j.value");
            }
            Dialect::Postgres => {
                let _ = write!(sql.text, "SELECT p.key FROM {kept} p");
                self.within.is_ours(&mut sql, "p");
                sql.with(" AND p.key = ANY(?)", list(&doubtful));
            }
        }
        sql.add(" AND p.events = 0");
        let rows = sql.query().fetch_all(connection).await?;
        let without: Numbers = rows
            .iter()
            .map(|row| Ok(row.try_get::<u32>(0)?))
            .collect::<Result<_, StoreError>>()?;
        for (_, numbers) in &mut groups {
            numbers.retain(|number| !without.has(*number));
        }
        groups.retain(|(_, numbers)| !numbers.is_empty());
        Ok(groups)
    }
}

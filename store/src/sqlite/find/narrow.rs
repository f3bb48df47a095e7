//! What a walk can leave out: values that have nothing of what is asked for.

use super::{FEW, FIRST_CHUNK, Search, list};
use crate::{
    StoreError,
    database::{Connection, Dialect, Sql},
    plan::{Conditions, Counts, Numbers, Table},
};
use std::fmt::Write as _;

impl Search<'_> {
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

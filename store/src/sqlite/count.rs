//! How many events match: told where that is cheap to know.

use super::{
    Store,
    find::{from, tests},
    snapshot::{Asked, Snapshot},
    sql::{Sql, Value},
};
use crate::{
    StoreError,
    access::Scope,
    plan::{Conditions, Numbers, Plan},
    question::{Count, QuestionError},
};
use domain::question::{Query, Sort};
use sqlx::{Row, SqliteConnection};
use std::{cmp::Ordering, time::Duration};

/// Counting stops here.
const COUNT_MOST: u64 = 10_000;
/// And reads no more entries than this for it.
const COUNT_READS: i64 = 12_000;

impl Store {
    /// How many events match, where that is cheap to know.
    ///
    /// # Errors
    ///
    /// A filter names what the scope does not have, or the store failed.
    pub async fn count(&self, scope: &Scope, query: &Query) -> Result<Count, QuestionError> {
        let mut snapshot = self.snapshot(scope).await?;
        let count = snapshot.count(query).await;
        snapshot.end().await;
        count
    }
}

impl Snapshot {
    /// How many events match, where that is cheap to know.
    ///
    /// # Errors
    ///
    /// A filter names what the scope does not have, or the store failed.
    pub async fn count(&mut self, query: &Query) -> Result<Count, QuestionError> {
        let span = query.filter.span(self.now);
        let mut sum = 0;
        for asked in self.asked(&query.filter, span)? {
            let connection = self.transaction.connection();
            match asked.count(connection, self.mark).await? {
                Count::Exactly(count) => sum += count,
                other => return Ok(other),
            }
        }
        Ok(Count::Exactly(sum))
    }
}

impl Asked {
    /// Counts what matches: from kept counts where they tell, else by reading a bounded number of
    /// entries.
    async fn count(
        &self,
        connection: &mut SqliteConnection,
        mark: i64,
    ) -> Result<Count, StoreError> {
        let conditions = &self.conditions;
        if *conditions == Conditions::default() {
            return Ok(Count::Exactly(self.shelf.events));
        }
        let by_action = Conditions {
            action: conditions.action.clone(),
            ..Conditions::default()
        };
        if let Some(actions) = &conditions.action
            && *conditions == by_action
        {
            let count = self.kept("count_action", actions, connection).await?;
            return Ok(Count::Exactly(count));
        }
        let by_actor = Conditions {
            actor: conditions.actor.clone(),
            ..Conditions::default()
        };
        if let Some(actors) = &conditions.actor
            && *conditions == by_actor
        {
            let count = self.kept("count_actor", actors, connection).await?;
            return Ok(Count::Exactly(count));
        }
        let arms = match conditions.plan(
            Sort::Actor,
            &self.shelf.counts,
            usize::MAX,
            10_000,
            Duration::MAX,
        ) {
            Plan::Nothing => return Ok(Count::Exactly(0)),
            Plan::Gather(arms) | Plan::InOrder(arms) => arms,
            Plan::Walk { .. } => return Ok(Count::Unknown),
        };
        let mut sql = Sql::default();
        // So many entries of the way in are looked at, and those that match counted, each event
        // once.
        sql.add("SELECT count(*), count(DISTINCT iif(hit, n, NULL)) FROM (");
        for (at, arm) in arms.iter().enumerate() {
            if at > 0 {
                sql.add(" UNION ALL ");
            }
            sql.add("SELECT * FROM (SELECT x.n, (1");
            tests(&mut sql, conditions);
            sql.add(") AS hit FROM ");
            from(&mut sql, arm, self.shelf.ws);
            if let Some(since) = conditions.since {
                sql.with(" AND x.at >= ?", since);
            }
            if let Some(until) = conditions.until {
                sql.with(" AND x.at <= ?", until);
            }
            sql.with(" AND x.n <= ?", mark);
            sql.with(" LIMIT ?)", COUNT_READS);
        }
        sql.add(")");
        let row = sql.query().fetch_one(connection).await?;
        let read: i64 = row.try_get(0)?;
        let matched = u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default();
        Ok(match (read < COUNT_READS, matched.cmp(&COUNT_MOST)) {
            (true, _) => Count::Exactly(matched),
            (false, Ordering::Greater) => Count::MoreThan(COUNT_MOST),
            (false, _) => Count::Unknown,
        })
    }

    async fn kept(
        &self,
        table: &'static str,
        keys: &Numbers,
        connection: &mut SqliteConnection,
    ) -> Result<u64, StoreError> {
        let mut sql = Sql::default();
        sql.add("SELECT coalesce(sum(events), 0) FROM i.")
            .add(table);
        sql.with(" WHERE ws = ?", self.shelf.ws);
        let list: Vec<String> = keys.list().iter().map(ToString::to_string).collect();
        let list = Value::Text(format!("[{}]", list.join(",")));
        sql.with(" AND key IN (SELECT value FROM json_each(?))", list);
        let row = sql.query().fetch_one(connection).await?;
        Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default())
    }
}

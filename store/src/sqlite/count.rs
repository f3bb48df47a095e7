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
    plan::{Arm, Conditions, Counting, Numbers},
    question::{Count, QuestionError},
};
use domain::question::Query;
use sqlx::{Row, SqliteConnection};

/// Counting stops here.
const COUNT_MOST: u32 = 10_000;
/// And reads no more entries than this for it.
const COUNT_READS: u32 = 12_000;

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
        for asked in self.asked(&query.filter, span)?.iter() {
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
        if let Some((table, numbers)) = conditions.kept() {
            let count = self.kept(table, &numbers, connection).await?;
            return Ok(Count::Exactly(count));
        }
        let counts = &self.shelf.counts;
        if conditions.at_least(counts) > u64::from(COUNT_MOST) {
            return Ok(Count::MoreThan(COUNT_MOST.into()));
        }
        let Counting {
            arms,
            entries,
            matching,
        } = conditions.counting(counts);
        if arms.is_empty() {
            return Ok(Count::Exactly(0));
        }
        // Where neither all of them can be read, nor enough of them are likely to match, nothing
        // would come of reading any.
        let (least, most) = (f64::from(COUNT_READS), f64::from(COUNT_MOST));
        if entries > 1.2 * least && matching * least < most {
            return Ok(Count::Unknown);
        }
        let repeats = arms.len() > 1 || arms.iter().any(Arm::may_repeat);
        let tested = |arm: &Arm| {
            let mut sql = Sql::default();
            tests(&mut sql, conditions, arm.met);
            sql
        };
        // Where every entry is one of an event that matches, one more than can be told is enough.
        let all_match = !repeats && arms.iter().all(|arm| tested(arm).text.is_empty());
        let reads = i64::from(if all_match {
            COUNT_MOST + 1
        } else {
            COUNT_READS
        });
        let mut sql = Sql::default();
        // So many entries of the way in are looked at, and those that match counted, each event
        // once.
        sql.add(match (all_match, repeats) {
            (true, _) => "SELECT count(*), count(*), '' FROM (",
            (false, false) => "SELECT count(*), count(*) FILTER (WHERE hit), '' FROM (",
            // `count(DISTINCT …)` would take thrice the time: it puts each number into a tree.
            (false, true) => {
                "SELECT count(*), 0, coalesce(group_concat(iif(hit, n, NULL)), '') FROM ("
            }
        });
        for (at, arm) in arms.iter().enumerate() {
            if at > 0 {
                sql.add(" UNION ALL ");
            }
            if all_match {
                sql.add("SELECT * FROM (SELECT 1 FROM ");
            } else {
                sql.add("SELECT * FROM (SELECT x.n, (1");
                sql.append(tested(arm)).add(") AS hit FROM ");
            }
            from(&mut sql, arm, self.shelf.ws);
            if let Some(since) = conditions.since {
                sql.with(" AND x.at >= ?", since);
            }
            if let Some(until) = conditions.until {
                sql.with(" AND x.at <= ?", until);
            }
            sql.with(" AND x.n <= ?", mark);
            sql.with(" LIMIT ?)", reads);
        }
        sql.add(")");
        let row = sql.query().fetch_one(connection).await?;
        let read: i64 = row.try_get(0)?;
        let matched = if repeats {
            distinct(row.try_get(2)?)
        } else {
            u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default()
        };
        let most = u64::from(COUNT_MOST);
        Ok(if read < reads {
            Count::Exactly(matched)
        } else if matched > most {
            Count::MoreThan(most)
        } else {
            Count::Unknown
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

/// How many different ones are in a list of numbers with commas between them.
fn distinct(list: &str) -> u64 {
    let mut numbers: Vec<i64> = list
        .split(',')
        .filter_map(|number| number.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len() as u64
}

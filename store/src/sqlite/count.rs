//! How many events match: told where that is cheap to know.

use super::{
    Store,
    find::{from, tests},
    snapshot::{Asked, Snapshot},
};
use crate::{
    StoreError,
    access::Scope,
    database::{Connection, Dialect, Sql, Value},
    plan::{Arm, Conditions, Counting, Numbers},
    question::{Count, QuestionError},
};
use domain::question::Query;

/// Counting stops here.
const COUNT_MOST: u32 = 10_000;
/// And reads no more entries than this for it, of all workspaces together.
const COUNT_READS: u32 = 12_000;

/// What counting came to in one workspace.
struct Counted {
    /// So many match at least.
    least: u64,
    /// Whether those are all.
    is_all: bool,
    /// How many entries were read for it.
    read: u32,
}

impl Counted {
    fn all(count: u64) -> Self {
        Self {
            least: count,
            is_all: true,
            read: 0,
        }
    }

    fn at_least(least: u64) -> Self {
        Self {
            least,
            is_all: false,
            read: 0,
        }
    }
}

impl Store {
    /// How many events match, where that is cheap to know.
    ///
    /// # Errors
    ///
    /// A filter names what the scope does not have, or the store failed.
    pub async fn count(&self, scope: &Scope, query: &Query) -> Result<Count, QuestionError> {
        let mut snapshot = self.snapshot(scope).await?;
        let count = loop {
            let count = snapshot.count(query).await;
            if !matches!(count, Err(QuestionError::Store(_))) || !snapshot.begin_again().await? {
                break count;
            }
        };
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
        let most = u64::from(COUNT_MOST);
        let mut sum = 0;
        let mut is_all = true;
        let mut left = COUNT_READS;
        for asked in self.asked(&query.filter, span)?.iter() {
            let connection = self.transaction.connection();
            let counted = asked
                .count(connection, (self.head, self.removals), left)
                .await?;
            sum += counted.least;
            is_all &= counted.is_all;
            // Where a part is not known, only what is known without reading is worth adding: it may
            // be many already.
            left = if is_all {
                left.saturating_sub(counted.read)
            } else {
                0
            };
            if !is_all && sum > most {
                return Ok(Count::MoreThan(most));
            }
        }
        Ok(if is_all {
            Count::Exactly(sum)
        } else {
            Count::Unknown
        })
    }
}

impl Asked {
    /// Counts what matches: from kept counts where they tell, else by reading no more than
    /// `reads_most` entries of each way in.
    async fn count(
        &self,
        connection: &mut Connection,
        (head, removals): (i64, i64),
        reads_most: u32,
    ) -> Result<Counted, StoreError> {
        let conditions = &self.conditions;
        if *conditions == Conditions::default() {
            return Ok(Counted::all(self.shelf.events));
        }
        if let Some((table, numbers)) = conditions.kept() {
            let count = self.kept(table, &numbers, connection).await?;
            return Ok(Counted::all(count + self.in_tail(head)));
        }
        let counts = &self.shelf.counts;
        // Counts in memory are at most too small, unless something was removed since.
        let known = if counts.removals == removals {
            conditions.at_least(counts)
        } else {
            0
        };
        if known > u64::from(COUNT_MOST) {
            return Ok(Counted::at_least(known));
        }
        let Counting {
            arms,
            entries,
            matching,
        } = conditions.counting(counts);
        if arms.is_empty() {
            return Ok(Counted::all(0));
        }
        // Where neither all of them can be read, nor enough of them are likely to match, nothing
        // would come of reading any.
        let (least, most) = (f64::from(reads_most), f64::from(COUNT_MOST));
        if entries > 1.2 * least && matching * least < most {
            return Ok(Counted::at_least(known));
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
            reads_most.min(COUNT_MOST + 1)
        } else {
            reads_most
        });
        let mut sql = Sql::default();
        // So many entries of the way in are looked at, and those that match counted, each event
        // once.
        let is_postgres = connection.dialect() == Dialect::Postgres;
        sql.add(match (all_match, repeats) {
            (false, true) if is_postgres => {
                "SELECT count(*), count(DISTINCT n) FILTER (WHERE hit), '' FROM ("
            }
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
            sql.add(if is_postgres { "(" } else { "SELECT * FROM (" });
            if all_match {
                sql.add("SELECT 1 FROM ");
            } else {
                sql.add("SELECT x.n, (TRUE");
                sql.append(tested(arm)).add(") AS hit FROM ");
            }
            from(&mut sql, arm, &self.shelf.within(connection));
            if let Some(since) = conditions.since {
                sql.with(" AND x.at >= ?", since);
            }
            if let Some(until) = conditions.until {
                sql.with(" AND x.at <= ?", until);
            }
            sql.with(" AND x.n <= ?", head);
            sql.with(" LIMIT ?)", reads);
        }
        sql.add(if is_postgres { ") e" } else { ")" });
        let row = sql.query().fetch_one(connection).await?;
        let read: i64 = row.try_get(0)?;
        let matched = if repeats && !is_postgres {
            distinct(row.try_get(2)?)
        } else {
            row.try_get::<u64>(1)?
        };
        let matched = matched + self.in_tail(head);
        Ok(Counted {
            least: matched,
            // However much of it the index has.
            is_all: read < reads && matched <= u64::from(COUNT_MOST),
            read: u32::try_from(read).unwrap_or(u32::MAX),
        })
    }

    /// How many match of what the index does not have yet.
    fn in_tail(&self, head: i64) -> u64 {
        let matching = self.shelf.tail.matching(&self.conditions, head);
        matching.count() as u64
    }

    async fn kept(
        &self,
        table: &'static str,
        keys: &Numbers,
        connection: &mut Connection,
    ) -> Result<u64, StoreError> {
        let mut sql = Sql::default();
        let within = self.shelf.within(connection);
        sql.add("SELECT CAST(coalesce(sum(x.events), 0) AS BIGINT) FROM ");
        within.table(&mut sql, table);
        sql.add(" x");
        within.is_ours(&mut sql, "x");
        let list = Value::Numbers(keys.list().iter().copied().map(i64::from).collect());
        sql.with(
            match connection.dialect() {
                Dialect::Sqlite => " AND x.key IN (SELECT value FROM json_each(?))",
                Dialect::Postgres => " AND x.key = ANY(?)",
            },
            list,
        );
        let row = sql.query().fetch_one(connection).await?;
        Ok(row.try_get::<u64>(0)?)
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

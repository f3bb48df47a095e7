//! Finding: from conditions and a plan to the keys of a page's events, read from the index.

mod narrow;

use super::{
    change::Log,
    dictionaries::damaged,
    tail::{LogTail, Wanted},
};
use crate::{
    StoreError,
    cursor::Place,
    database::{Connection, Dialect, Sql, Value},
    dictionary::Dictionary,
    plan::{
        Arm, CHUNK, Conditions, Counts, Instead, Keys, Met, Numbers, Object, Only, Plan, Table,
    },
};
use domain::question::{Order, Sort};
use std::fmt::Write as _;

/// Where it is looked for: a log, and how its database is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Within<'a> {
    pub(crate) log: Log,
    pub(crate) dialect: Dialect,
    /// On PostgreSQL, the classes that the log has contents in: of each class the partitions are read
    /// one after the other, in their order.
    pub(crate) classes: &'a [i64],
    /// On SQLite, what the index does not have yet.
    pub(super) tail: &'a LogTail,
}

impl Within<'_> {
    /// The table of an arm, as `x`.
    fn table_of(&self, sql: &mut Sql, arm: &Arm) {
        let is_apart = matches!(arm.table, Table::Actor | Table::Kind | Table::Target);
        if self.dialect == Dialect::Postgres && is_apart {
            sql.add(match arm.own {
                Some(true) => "own_",
                Some(false) => "beside_",
                None => "",
            });
        }
        self.table(sql, arm.table.name());
        sql.add(" x");
    }

    /// A table of the index.
    pub(crate) fn table(&self, sql: &mut Sql, table: &str) {
        sql.add(match self.dialect {
            Dialect::Sqlite => "i.",
            Dialect::Postgres => "",
        });
        sql.add(table);
    }

    /// ` WHERE` it is the log's, in a table that is called `name`.
    pub(crate) fn is_ours(&self, sql: &mut Sql, name: &str) {
        sql.add(" WHERE ");
        if self.dialect == Dialect::Postgres {
            sql.add(name)
                .with(".tenant = ?", self.log.tenant)
                .add(" AND ");
        }
        sql.add(name).with(".ws = ?", self.log.ws);
    }
}

/// What is looked for in one workspace.
pub(crate) struct Search<'a> {
    pub(crate) within: Within<'a>,
    pub(crate) conditions: &'a Conditions,
    /// What is looked for in the tail, of which the index's counts tell nothing.
    pub(crate) of_tail: &'a Conditions,
    pub(crate) sort: Sort,
    /// In which direction it is read: the one shown, or the reverse on the way back.
    pub(crate) direction: Order,
    /// Strictly after this, in that direction.
    pub(crate) after: Option<&'a Place>,
    /// Up to this number.
    pub(crate) up_to: i64,
    /// So many at most.
    pub(crate) limit: usize,
}

/// So many numbers are compared with one by one.
const FEW_COMPARED: usize = 8;
/// So many actors are looked up among the pairs at most: what many do together is almost everything.
const FEW: usize = 50;
/// Neighbouring values are read together until they have so many entries, at first.
const FIRST_CHUNK: u64 = 500;
/// Values between which one statement walks at most.
const KEYS_IN_CHUNK: usize = 500;
/// From so many on, SQLite hands places over as two lists: a row for each costs more than to find it.
const MANY: usize = 1_000;

/// What came of a walk.
enum Walked<'a> {
    /// What a page holds, or all that there is.
    Full(Vec<Place>),
    /// There is little of it: these are gathered instead.
    TooLong(&'a [Arm]),
}

impl Search<'_> {
    /// The places of the first events after the start, in the direction of the search.
    pub(crate) async fn run(
        &self,
        connection: &mut Connection,
        plan: Plan,
        dictionary: impl Fn(&mut dyn FnMut(&Dictionary)),
        counts: &Counts,
    ) -> Result<Vec<Place>, StoreError> {
        let mut places = self.in_index(connection, plan, &dictionary, counts).await?;
        if self.within.tail.is_empty() || self.of_tail.is_contradiction() {
            return Ok(places);
        }
        places.extend(self.in_tail(dictionary));
        self.order(&mut places);
        Ok(places)
    }

    /// Those of them that the index does not have yet.
    fn in_tail(&self, dictionary: impl Fn(&mut dyn FnMut(&Dictionary))) -> Vec<Place> {
        let wanted = Wanted {
            conditions: self.of_tail,
            sort: self.sort,
            direction: self.direction,
            after: self.after,
            up_to: self.up_to,
            limit: self.limit,
        };
        if self.sort == Sort::Time {
            return self.within.tail.first_by_time(&wanted);
        }
        let mut places = Vec::new();
        dictionary(&mut |dictionary| {
            let (ranked, _) = ranked(dictionary, self.sort);
            places = self.within.tail.first_by_text(&wanted, ranked);
        });
        places
    }

    /// Those of them that the index has.
    async fn in_index(
        &self,
        connection: &mut Connection,
        plan: Plan,
        dictionary: impl Fn(&mut dyn FnMut(&Dictionary)),
        counts: &Counts,
    ) -> Result<Vec<Place>, StoreError> {
        if self.within.dialect == Dialect::Postgres && self.within.classes.is_empty() {
            return Ok(Vec::new());
        }
        match plan {
            Plan::Nothing => Ok(Vec::new()),
            Plan::InOrder(arms) => {
                let mut all = Vec::new();
                for arm in arms {
                    all.extend(self.arm_in_order(connection, &arm).await?);
                }
                self.order(&mut all);
                Ok(all)
            }
            Plan::Gather(arms) => self.gather(connection, &arms, dictionary).await,
            Plan::Walk {
                table,
                only,
                instead,
            } => {
                let only = self.narrowed(connection, table, only, counts).await?;
                let groups = self.groups(&dictionary, only.as_ref());
                let met = match table {
                    Table::Actor if self.conditions.actor.is_some() => Met::Actor,
                    Table::Action if self.conditions.action.is_some() => Met::Action,
                    _ => Met::None,
                };
                match self
                    .walk(connection, (table, met), groups, counts, instead.as_ref())
                    .await?
                {
                    Walked::Full(places) => Ok(places),
                    Walked::TooLong(arms) => self.gather(connection, arms, dictionary).await,
                }
            }
            Plan::Both {
                table,
                only,
                met,
                beside,
                instead,
            } => {
                let only = match only {
                    Only::These(numbers) => numbers,
                    Only::ActionsOn(kinds) => {
                        let actions = self.actions_on(connection, &kinds).await?;
                        let left = self.narrowed(connection, table, Some(actions), counts);
                        left.await?.unwrap_or_default()
                    }
                };
                let groups = self.groups(&dictionary, Some(&only));
                let walked = self
                    .walk(connection, (table, met), groups, counts, instead.as_ref())
                    .await?;
                let mut all = match walked {
                    Walked::Full(places) => places,
                    Walked::TooLong(arms) => {
                        return self.gather(connection, arms, dictionary).await;
                    }
                };
                all.extend(self.gather(connection, &beside, &dictionary).await?);
                self.order(&mut all);
                Ok(all)
            }
        }
    }

    /// Sorts places in the direction of the search, takes each once, and as many as are wanted.
    fn order(&self, places: &mut Vec<Place>) {
        places.sort_unstable_by(|one, other| {
            let ascending = (&one.text, one.at, one.n).cmp(&(&other.text, other.at, other.n));
            match self.direction {
                Order::Ascending => ascending,
                Order::Descending => ascending.reverse(),
            }
        });
        places.dedup_by_key(|place| place.n);
        places.truncate(self.limit);
    }

    fn word(&self) -> &'static str {
        match self.direction {
            Order::Ascending => "ASC",
            Order::Descending => "DESC",
        }
    }

    fn sign(&self) -> &'static str {
        match self.direction {
            Order::Ascending => ">",
            Order::Descending => "<",
        }
    }

    /// One way in, in time order. An event that stands there more than once (for its actor and for
    /// someone in `via`) comes once.
    async fn arm_in_order(
        &self,
        connection: &mut Connection,
        arm: &Arm,
    ) -> Result<Vec<Place>, StoreError> {
        let mut places: Vec<Place> = Vec::new();
        let mut after = self.after.map(|place| (place.at, place.n));
        // Few events stand there twice: a little more than what is wanted is almost always enough.
        let read = self.limit + 8;
        loop {
            let sql = match self.within.dialect {
                Dialect::Sqlite => self.in_order(arm, after, read),
                Dialect::Postgres => self.in_order_by_class(arm, after, read),
            };
            let found = self.found(connection, sql).await?;
            let full = found.len() == read;
            for (at, n) in found {
                after = Some((at, n));
                if places.last().is_none_or(|last| last.n != n) {
                    let text = String::new();
                    places.push(Place { text, at, n });
                }
            }
            if !full || places.len() >= self.limit {
                places.truncate(self.limit);
                return Ok(places);
            }
        }
    }

    /// The times and numbers that a statement finds, in its order.
    async fn found(
        &self,
        connection: &mut Connection,
        mut sql: Sql,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        if self.within.dialect == Dialect::Postgres || self.limit < MANY {
            let rows = sql.query().fetch_all(connection).await?;
            let places = rows
                .iter()
                .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
            return places.collect();
        }
        let listed = "SELECT json_group_array(y.at), json_group_array(y.n) FROM (";
        sql.text.insert_str(0, listed);
        sql.add(") y");
        let row = sql.query().fetch_one(connection).await?;
        let times = list_of(&row.try_get::<String>(0)?)?;
        let numbers = list_of(&row.try_get::<String>(1)?)?;
        let mut places: Vec<(i64, i64)> = times.into_iter().zip(numbers).collect();
        // So they come; should they ever not, they are put in order.
        match self.direction {
            Order::Ascending => places.sort_unstable(),
            Order::Descending => places.sort_unstable_by(|one, other| other.cmp(one)),
        }
        Ok(places)
    }

    /// The statement that reads the first `read` entries of a way in after a place.
    fn in_order(&self, arm: &Arm, after: Option<(i64, i64)>, read: usize) -> Sql {
        let mut sql = Sql::default();
        sql.add("SELECT x.at, x.n FROM ");
        from(&mut sql, arm, &self.within);
        self.bounds(&mut sql, after);
        tests(&mut sql, self.conditions, arm.met);
        self.first(&mut sql, "x.", read);
        sql
    }

    /// The same on PostgreSQL: each class apart, and of several keys no more than is wanted of each.
    fn in_order_by_class(&self, arm: &Arm, after: Option<(i64, i64)>, read: usize) -> Sql {
        let mut sql = Sql::default();
        // The events' own and those beside them apart: see the views.
        let is_both =
            arm.own.is_none() && matches!(arm.table, Table::Actor | Table::Kind | Table::Target);
        let arms: Vec<Arm> = if is_both {
            let apart = |own| Arm {
                own: Some(own),
                ..arm.clone()
            };
            vec![apart(true), apart(false)]
        } else {
            vec![arm.clone()]
        };
        let parts: Vec<(&Arm, i64)> = self
            .within
            .classes
            .iter()
            .flat_map(|class| arms.iter().map(|arm| (arm, *class)))
            .collect();
        for (at, (arm, class)) in parts.iter().enumerate() {
            sql.add(if at == 0 { "(" } else { " UNION ALL (" });
            let several = match &arm.keys {
                Keys::Numbers(numbers) if numbers.len() > 1 => Some(numbers),
                _ => None,
            };
            match several {
                Some(numbers) => {
                    sql.with("SELECT y.at, y.n FROM unnest(?) j(value), ", list(numbers));
                    sql.add("LATERAL (SELECT x.at, x.n FROM ");
                    self.within.table_of(&mut sql, arm);
                    self.within.is_ours(&mut sql, "x");
                    sql.add(" AND x.key = j.value");
                }
                None => {
                    sql.add("SELECT x.at, x.n FROM ");
                    from(&mut sql, arm, &self.within);
                }
            }
            let _ = write!(sql.text, " AND x.class = {class}");
            self.bounds(&mut sql, after);
            tests(&mut sql, self.conditions, arm.met);
            self.first(&mut sql, "x.", read);
            if several.is_some() {
                sql.add(") y");
                self.first(&mut sql, "y.", read);
            }
            sql.add(")");
        }
        if parts.len() > 1 {
            self.first(&mut sql, "", read);
        }
        sql
    }

    /// In the order of the search, so many.
    fn first(&self, sql: &mut Sql, of: &str, read: usize) {
        let word = self.word();
        let _ = write!(sql.text, " ORDER BY {of}at {word}, {of}n {word}");
        sql.with(" LIMIT ?", i64::try_from(read).unwrap_or(i64::MAX));
    }

    /// Time and number: where the search begins, how far it may go, and what its walk may see.
    fn bounds(&self, sql: &mut Sql, after: Option<(i64, i64)>) {
        let Conditions { since, until, .. } = *self.conditions;
        let (mut since, mut until) = (since, until);
        if let Some((at, n)) = after {
            let _ = write!(sql.text, " AND (x.at, x.n) {} (?, ?)", self.sign());
            sql.values.extend([Value::Integer(at), Value::Integer(n)]);
            // One bound on each side: the place is the narrower one. Partitions are chosen by plain
            // bounds alone.
            let at = (self.within.dialect == Dialect::Postgres).then_some(at);
            match self.direction {
                Order::Ascending => since = at,
                Order::Descending => until = at,
            }
        }
        if let Some(since) = since {
            sql.with(" AND x.at >= ?", since);
        }
        if let Some(until) = until {
            sql.with(" AND x.at <= ?", until);
        }
        sql.with(" AND x.n <= ?", self.up_to);
    }

    /// The arms read whole, and sorted by rank, time and number.
    async fn gather(
        &self,
        connection: &mut Connection,
        arms: &[Arm],
        dictionary: impl Fn(&mut dyn FnMut(&Dictionary)),
    ) -> Result<Vec<Place>, StoreError> {
        let mut ranks = Vec::new();
        let mut texts: Vec<Box<str>> = Vec::new();
        let mut own_rank = None;
        dictionary(&mut |dictionary| {
            let (ranked, size) = ranked(dictionary, self.sort);
            ranks = vec![0; size as usize * 4];
            for (rank, (text, numbers)) in (0_u32..).zip(ranked.groups(None, true)) {
                for number in numbers {
                    let at = (*number as usize - 1) * 4;
                    ranks[at..at + 4].copy_from_slice(&rank.to_be_bytes());
                }
                if self.after.is_some_and(|place| *place.text == *text) {
                    own_rank = Some(rank);
                }
                texts.push(text.into());
            }
        });
        // Another workspace's text may be none of this one's: then everything of the next greater
        // text lies after it, and nothing of it before.
        let mut after = self.after.map(|place| match own_rank {
            Some(rank) => (rank, place.at, place.n),
            None => {
                let before = texts.iter().take_while(|text| ***text < *place.text);
                let rank = u32::try_from(before.count()).unwrap_or(u32::MAX);
                (rank, i64::MIN, i64::MIN)
            }
        });
        // An event that stands in the arms more than once comes as often, one right after the
        // other: passing them by here costs far less than having the database tell all apart.
        let read = self.limit * 2;
        let mut places: Vec<Place> = Vec::new();
        loop {
            let sql = self.gathering(arms, ranks.clone(), after, read);
            let rows = sql.query().fetch_all(&mut *connection).await?;
            let full = rows.len() == read;
            for row in rows {
                let rank: &[u8] = row.try_get(0)?;
                let rank = rank.try_into().map(u32::from_be_bytes).unwrap_or_default();
                let (at, n) = (row.try_get(1)?, row.try_get(2)?);
                after = Some((rank, at, n));
                if places.last().is_none_or(|last| last.n != n) {
                    let text = texts.get(rank as usize).map(ToString::to_string);
                    places.push(Place {
                        text: text.unwrap_or_default(),
                        at,
                        n,
                    });
                }
            }
            if !full || places.len() >= self.limit {
                places.truncate(self.limit);
                return Ok(places);
            }
        }
    }

    /// The statement that reads arms whole, and gives the first `read` entries after a place by
    /// rank, time and number. `ranks` has four bytes for each number of what is sorted by.
    fn gathering(
        &self,
        arms: &[Arm],
        ranks: Vec<u8>,
        after: Option<(u32, i64, i64)>,
        read: usize,
    ) -> Sql {
        let is_postgres = self.within.dialect == Dialect::Postgres;
        let mut sql = Sql::default();
        // PostgreSQL does not know the name of a column in its own statement.
        sql.add(if is_postgres {
            "SELECT rank, at, n FROM (SELECT substr("
        } else {
            "SELECT substr("
        });
        sql.with("?", Value::Bytes(ranks));
        sql.add(", v * 4 - 3, 4) AS rank, at, n FROM (");
        let column = match self.sort {
            Sort::Time | Sort::Actor => "x.actor",
            Sort::Action => "x.action",
            Sort::TargetKind => "x.kind",
        };
        for (at, arm) in arms.iter().enumerate() {
            if at > 0 {
                sql.add(" UNION ALL ");
            }
            let _ = write!(sql.text, "SELECT {column} AS v, x.at, x.n FROM ");
            from(&mut sql, arm, &self.within);
            self.bounds(&mut sql, None);
            tests(&mut sql, self.conditions, arm.met);
        }
        sql.add(if is_postgres { ") e) r" } else { ")" });
        if let Some((rank, at, n)) = after {
            let _ = write!(sql.text, " WHERE (rank, at, n) {} (?, ?, ?)", self.sign());
            sql.values.extend([
                Value::Bytes(rank.to_be_bytes().to_vec()),
                Value::Integer(at),
                Value::Integer(n),
            ]);
        }
        let word = self.word();
        let _ = write!(sql.text, " ORDER BY rank {word}, at {word}, n {word}");
        sql.with(" LIMIT ?", i64::try_from(read).unwrap_or(i64::MAX));
        sql
    }

    /// The values to walk, in the direction of the search, from where it begins; those of equal
    /// text together.
    fn groups(
        &self,
        dictionary: impl Fn(&mut dyn FnMut(&Dictionary)),
        only: Option<&Numbers>,
    ) -> Vec<(Box<str>, Vec<u32>)> {
        let mut groups = Vec::new();
        dictionary(&mut |dictionary| {
            let (ranked, _) = ranked(dictionary, self.sort);
            let from = self.after.map(|place| &*place.text);
            for (text, numbers) in ranked.groups(from, self.direction == Order::Ascending) {
                let numbers: Vec<u32> = numbers
                    .iter()
                    .copied()
                    .filter(|number| only.is_none_or(|only| only.has(*number)))
                    .collect();
                if !numbers.is_empty() {
                    groups.push((text.into(), numbers));
                }
            }
        });
        groups
    }

    /// Takes the values one after the other, small neighbours in one statement, until the page is
    /// full; or until it took too long, where there is something else to do.
    async fn walk<'p>(
        &self,
        connection: &mut Connection,
        (table, met): (Table, Met),
        groups: Vec<(Box<str>, Vec<u32>)>,
        counts: &Counts,
        instead: Option<&'p Instead>,
    ) -> Result<Walked<'p>, StoreError> {
        let entries = match table {
            Table::Actor => &counts.actor,
            Table::Action => &counts.action,
            _ => &counts.kind,
        };
        let groups = self.with_own(connection, table, groups, counts).await?;
        let mut places: Vec<Place> = Vec::new();
        let mut rest = groups.as_slice();
        // Small neighbours are sorted together: at first no more than often fill a page, then as many as
        // fill what is left of it, as often as they matched until then; or twice as many, where none did.
        let mut most = FIRST_CHUNK;
        let mut looked_at = 0;
        while !rest.is_empty() && places.len() < self.limit {
            let (mut size, mut keys, mut taken) = (0, 0, 0);
            for (_, numbers) in rest {
                let more: u64 = numbers
                    .iter()
                    .map(|number| entries.get(*number as usize).copied().unwrap_or(1))
                    .sum();
                if taken > 0 && (size + more > most || keys + numbers.len() > KEYS_IN_CHUNK) {
                    break;
                }
                size += more;
                keys += numbers.len();
                taken += 1;
            }
            let (chunk, later) = rest.split_at(taken);
            rest = later;
            let first = places.is_empty() && std::ptr::eq(chunk.as_ptr(), groups.as_ptr());
            let wanted = self.limit - places.len();
            let left = instead.map(|instead| instead.after.saturating_sub(looked_at));
            if let (Some(instead), Some(0)) = (instead, left) {
                return Ok(Walked::TooLong(&instead.arms));
            }
            // Of one value more entries than may be looked at: what fills a page is mostly among the first.
            let is_one = self.within.dialect == Dialect::Sqlite && keys == 1;
            let most_read = left.filter(|left| is_one && size > *left);
            let found = self
                .chunk(connection, (table, met), chunk, first, (wanted, most_read))
                .await?;
            if let (Some(instead), Some(_)) = (instead, most_read)
                && found.len() < wanted
            {
                return Ok(Walked::TooLong(&instead.arms));
            }
            places.extend(found);
            looked_at += size;
            let left = self.limit.saturating_sub(places.len()) as u64;
            most = match places.len() as u64 {
                0 => most * 2,
                // A quarter more, for what comes unevenly.
                found => (left * looked_at / found * 5 / 4).max(FIRST_CHUNK),
            };
            most = most.min(CHUNK);
        }
        Ok(Walked::Full(places))
    }

    /// Entries of neighbouring values in their order, as many as are wanted; or those of the first so many
    /// that are read of each, where one value is read alone.
    async fn chunk(
        &self,
        connection: &mut Connection,
        (table, met): (Table, Met),
        chunk: &[(Box<str>, Vec<u32>)],
        first: bool,
        (wanted, most_read): (usize, Option<u64>),
    ) -> Result<Vec<Place>, StoreError> {
        // Where the chunk begins within the value at which the last page ended.
        let begins = self
            .after
            .filter(|place| first && chunk.first().is_some_and(|(text, _)| **text == *place.text));
        let own = matches!(table, Table::Actor | Table::Kind).then_some(true);
        let mut sql = Sql::default();
        let word = self.word();
        let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
        if let [(_, numbers)] = chunk
            && numbers.len() <= FEW
        {
            // However many entries those of one text have: of each no more is read than is wanted.
            for (at, number) in numbers.iter().enumerate() {
                let arm = Arm {
                    table,
                    keys: Keys::Numbers(std::iter::once(*number).collect()),
                    own,
                    met,
                };
                // Each class apart: see `in_order_by_class`.
                let (classes, end) = match self.within.dialect {
                    Dialect::Sqlite => (&[][..], " LIMIT ?)"),
                    Dialect::Postgres => (self.within.classes, " LIMIT ?) y"),
                };
                for part in 0..classes.len().max(1) {
                    sql.add(if at + part == 0 { "" } else { " UNION ALL " });
                    sql.add("SELECT * FROM (SELECT 0 AS rank, x.at AS at, x.n AS n FROM ");
                    if most_read.is_some() {
                        sql.add("(SELECT x.* FROM ");
                    }
                    from(&mut sql, &arm, &self.within);
                    if let Some(class) = classes.get(part) {
                        let _ = write!(sql.text, " AND x.class = {class}");
                    }
                    self.bounds(&mut sql, begins.map(|place| (place.at, place.n)));
                    if let Some(most) = most_read {
                        let _ = write!(
                            sql.text,
                            " ORDER BY x.at {word}, x.n {word} LIMIT {most}) x"
                        );
                        sql.add(" WHERE TRUE");
                    }
                    tests(&mut sql, self.conditions, met);
                    if most_read.is_none() {
                        let _ = write!(sql.text, " ORDER BY x.at {word}, x.n {word}");
                    }
                    sql.with(end, wanted);
                }
            }
            if numbers.len() * self.within.classes.len().max(1) > 1 {
                let _ = write!(sql.text, " ORDER BY at {word}, n {word}");
            }
        } else {
            let pairs: Vec<(u32, usize)> = chunk
                .iter()
                .enumerate()
                .flat_map(|(rank, (_, numbers))| numbers.iter().map(move |number| (*number, rank)))
                .collect();
            let rank = match self.within.dialect {
                Dialect::Sqlite => {
                    let pairs = serde_json::to_string(&pairs)
                        .map_err(|error| StoreError::Database(error.to_string()))?;
                    sql.add("SELECT j.value ->> 1 AS rank, x.at, x.n FROM json_each(");
                    sql.with("?", Value::Text(pairs)).add(") j CROSS JOIN ");
                    self.within.table(&mut sql, table.name());
                    sql.add(" x");
                    self.within.is_ours(&mut sql, "x");
                    sql.add(" AND x.key = j.value ->> 0");
                    "j.value ->> 1"
                }
                Dialect::Postgres => {
                    let (keys, ranks): (Vec<i64>, Vec<i64>) = pairs
                        .iter()
                        .map(|(key, rank)| (i64::from(*key), i64::try_from(*rank).unwrap_or(0)))
                        .unzip();
                    sql.with("SELECT j.rank, x.at, x.n FROM unnest(?, ", keys);
                    sql.with("?) j(key, rank) JOIN ", ranks);
                    let arm = Arm {
                        table,
                        keys: Keys::All,
                        own,
                        met,
                    };
                    self.within.table_of(&mut sql, &arm);
                    sql.add(" ON x.key = j.key");
                    self.within.is_ours(&mut sql, "x");
                    "j.rank"
                }
            };
            if own.is_some() && self.within.dialect == Dialect::Sqlite {
                sql.add(" AND x.own = 1");
            }
            self.bounds(&mut sql, None);
            if let Some(place) = begins {
                let _ = write!(
                    sql.text,
                    " AND ({rank} > 0 OR (x.at, x.n) {} (?, ?))",
                    self.sign()
                );
                sql.values
                    .extend([Value::Integer(place.at), Value::Integer(place.n)]);
            }
            tests(&mut sql, self.conditions, met);
            let _ = write!(sql.text, " ORDER BY rank, x.at {word}, x.n {word}");
        }
        sql.with(" LIMIT ?", wanted);
        let rows = sql.query().fetch_all(connection).await?;
        rows.into_iter()
            .map(|row| {
                let rank = usize::try_from(row.try_get::<i64>(0)?).unwrap_or_default();
                Ok(Place {
                    text: chunk
                        .get(rank)
                        .map(|(text, _)| text.to_string())
                        .unwrap_or_default(),
                    at: row.try_get(1)?,
                    n: row.try_get(2)?,
                })
            })
            .collect()
    }
}

/// What a sort goes by, and how many numbers there are.
fn ranked(dictionary: &Dictionary, sort: Sort) -> (&crate::dictionary::Ranked, u32) {
    let sizes = dictionary.sizes();
    match sort {
        Sort::Time | Sort::Actor => (&dictionary.actors_by_name, sizes.actor),
        Sort::Action => (&dictionary.actions_by_name, sizes.action),
        Sort::TargetKind => (&dictionary.kinds_by_name, sizes.kind),
    }
}

/// A list of numbers that the database put together.
fn list_of(text: &str) -> Result<Vec<i64>, StoreError> {
    serde_json::from_str(text).map_err(|_| damaged("what was found cannot be read"))
}

fn list(numbers: &Numbers) -> Value {
    Value::Numbers(numbers.list().iter().copied().map(i64::from).collect())
}

/// A way in: the table as `x`, its keys, and what of its entries count.
pub(crate) fn from(sql: &mut Sql, arm: &Arm, within: &Within<'_>) {
    match &arm.keys {
        Keys::All => {
            within.table_of(sql, arm);
            within.is_ours(sql, "x");
        }
        Keys::Operation(operation) => {
            within.table_of(sql, arm);
            within.is_ours(sql, "x");
            sql.with(" AND x.key = ?", Value::Text(operation.clone()));
        }
        Keys::Numbers(numbers) => match (numbers.list(), within.dialect) {
            ([one], _) => {
                within.table_of(sql, arm);
                within.is_ours(sql, "x");
                sql.with(" AND x.key = ?", i64::from(*one));
            }
            (_, Dialect::Sqlite) => {
                sql.with("json_each(?) j", list(numbers))
                    .add(" CROSS JOIN ");
                within.table_of(sql, arm);
                within.is_ours(sql, "x");
                sql.add(" AND x.key = j.value");
            }
            (_, Dialect::Postgres) => {
                within.table_of(sql, arm);
                within.is_ours(sql, "x");
                sql.with(" AND x.key = ANY(?)", list(numbers));
            }
        },
    }
    if within.dialect == Dialect::Sqlite {
        is_own(sql, arm.own);
    }
}

fn is_own(sql: &mut Sql, own: Option<bool>) {
    sql.add(match own {
        Some(true) => " AND x.own = 1",
        Some(false) => " AND x.own = 0",
        None => "",
    });
}

/// `column` is one of `numbers`: compared with few, looked up in a map of bytes for many.
pub(crate) fn is_one_of(column: &str, numbers: &Numbers) -> Sql {
    let mut sql = Sql::default();
    match numbers.list() {
        [] => {
            sql.add("FALSE");
        }
        [one] => {
            let _ = write!(sql.text, "{column} = ?");
            sql.values.push(Value::Integer(i64::from(*one)));
        }
        few if few.len() <= FEW_COMPARED => {
            let places = vec!["?"; few.len()].join(", ");
            let _ = write!(sql.text, "{column} IN ({places})");
            sql.values
                .extend(few.iter().map(|number| Value::Integer(i64::from(*number))));
        }
        _ => {
            let _ = write!(sql.text, "substr(?, {column}, 1) = x'01'");
            sql.values.push(Value::Bytes(numbers.map()));
        }
    }
    sql
}

/// `(a OR b …)`.
fn any_of(alternatives: impl IntoIterator<Item = Sql>) -> Sql {
    let mut sql = Sql::default();
    sql.add("(");
    for (at, alternative) in alternatives.into_iter().enumerate() {
        if at > 0 {
            sql.add(" OR ");
        }
        sql.append(alternative);
    }
    sql.add(")");
    sql
}

/// Everything that must hold of an entry, on the columns that the index keeps beside its key, but
/// for what is met already.
pub(crate) fn tests(sql: &mut Sql, conditions: &Conditions, met: Met) {
    let mut and = |test: Sql| {
        sql.add(" AND ");
        sql.append(test);
    };
    if let Some(actors) = &conditions.actor
        && met != Met::Actor
    {
        and(is_one_of("x.actor", actors));
    }
    if let Some((actors, vias)) = &conditions.anyone
        && met != Met::Anyone
    {
        and(any_of([
            is_one_of("x.actor", actors),
            is_one_of("x.via", vias),
        ]));
    }
    if let Some((_, vias)) = &conditions.via
        && met != Met::Via
    {
        and(is_one_of("x.via", vias));
    }
    if let Some(actions) = &conditions.action
        && met != Met::Action
    {
        and(is_one_of("x.action", actions));
    }
    for (at, object) in conditions.objects.iter().enumerate() {
        if met == Met::Object(at) {
            continue;
        }
        and(match object {
            Object::Kinds {
                kinds,
                related,
                own: true,
            } => any_of([is_one_of("x.kind", kinds), is_one_of("x.related", related)]),
            Object::Kinds { related, .. } => is_one_of("x.related", related),
            Object::Targets {
                targets, related, ..
            } => any_of([
                is_one_of("x.target", targets),
                is_one_of("x.related", related),
            ]),
        });
    }
    if let Some(search) = &conditions.search
        && met != Met::Search
    {
        and(any_of([
            is_one_of("x.target", &search.targets),
            is_one_of("x.related", &search.related),
            is_one_of("x.action", &search.actions),
        ]));
    }
    if let Some(outcomes) = &conditions.outcome
        && met != Met::Outcome
    {
        let places = vec!["?"; outcomes.len()].join(", ");
        let mut test = Sql::default();
        let _ = write!(test.text, "x.outcome IN ({places})");
        test.values.extend(
            outcomes
                .list()
                .iter()
                .map(|outcome| Value::Integer(i64::from(*outcome))),
        );
        and(test);
    }
}

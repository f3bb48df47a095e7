//! Reading a way in whole, each event once, and what is kept of days.

use super::super::{
    dictionaries::damaged,
    find::{from, is_one_of, tests},
    snapshot::Asked,
};
use crate::{
    StoreError,
    database::{Connection, Dialect, Sql},
    days::{OF_HOUR, QUARTERS, Quarter, each},
    dictionary::{Dictionary, Number, ReadAction},
    plan::{Arm, Conditions, Keys, Met, Table},
};
use domain::{category::Category, question::Buckets};
use std::collections::BTreeMap;

const CATEGORIES: usize = Category::ALL.len();

/// How many events of each category there are in each part of a span.
pub(super) struct Counts {
    /// Where the parts begin, in microseconds.
    starts: Vec<i64>,
    of_parts: Vec<[u64; CATEGORIES]>,
    /// Where was counted last: what comes next is mostly there too.
    place: usize,
}

impl Counts {
    pub(super) fn of(buckets: &Buckets) -> Self {
        Self {
            starts: buckets.starts.iter().map(|start| start.micros()).collect(),
            of_parts: vec![[0; CATEGORIES]; buckets.starts.len()],
            place: 0,
        }
    }

    /// The part that a moment lies in, by its place; the first, where it lies before: what is before that
    /// was not asked for.
    fn place_of(&self, at: i64) -> usize {
        let after = self.starts.partition_point(|start| *start <= at);
        after.saturating_sub(1)
    }

    /// Counts so many events of a category in a part.
    fn add(&mut self, place: usize, category: Category, events: u64) {
        let counts = self.of_parts.get_mut(place);
        if let Some(count) = counts.and_then(|counts| counts.get_mut(category as usize)) {
            *count += events;
        }
    }

    /// Counts a unit of time's events of an action.
    fn add_unit(&mut self, start: i64, category: Category, events: u64) {
        let is_there = self
            .starts
            .get(self.place)
            .is_some_and(|first| *first <= start)
            && self
                .starts
                .get(self.place + 1)
                .is_none_or(|next| start < *next);
        if !is_there {
            self.place = self.place_of(start);
        }
        self.add(self.place, category, events);
    }

    /// Of each part, how many there are of each category of which there are any.
    pub(super) fn told(self) -> impl Iterator<Item = BTreeMap<Category, u64>> {
        self.of_parts.into_iter().map(|counts| {
            let counts = counts
                .into_iter()
                .enumerate()
                .filter(|(_, count)| *count > 0);
            let named = counts.filter_map(|(at, count)| Some((*Category::ALL.get(at)?, count)));
            named.collect()
        })
    }
}

/// The category of each action of a workspace, by its number from 1, as they are now.
pub(super) struct Categories(Vec<Category>);

impl Categories {
    pub(super) fn of(texts: &Dictionary) -> Self {
        let actions = (1..=texts.sizes().action).map(|number| texts.action(number));
        let category =
            |action: Option<&ReadAction>| action.map_or(Category::Other, |action| action.category);
        Self(actions.map(category).collect())
    }

    fn of_action(&self, action: Number) -> Category {
        let place = (action as usize).wrapping_sub(1);
        self.0.get(place).copied().unwrap_or(Category::Other)
    }
}

/// A part of a way in, whose events stand in no other part.
pub(super) struct Part {
    arm: Arm,
    /// What is left out, because it stands in another part.
    except: Sql,
    /// Whether an event may stand in it more than once.
    may_repeat: bool,
}

/// The parts of a way in.
pub(super) fn parts(conditions: &Conditions, arms: Vec<Arm>) -> Vec<Part> {
    let mut all = Vec::new();
    for arm in arms {
        let Keys::Numbers(keys) = &arm.keys else {
            all.push(Part::whole(arm));
            continue;
        };
        let mut except = Sql::default();
        let own = match arm.table {
            Table::Actor => "x.actor",
            Table::Kind => "x.kind",
            Table::Target => "x.target",
            Table::Action if arm.met == Met::Search => {
                if let Some(search) = &conditions.search {
                    except.add(" AND (");
                    except.append(is_one_of("x.target", &search.targets));
                    except.add(" OR ");
                    except.append(is_one_of("x.related", &search.related));
                    except.add(") IS NOT TRUE");
                }
                all.push(Part {
                    except,
                    ..Part::whole(arm)
                });
                continue;
            }
            _ => {
                all.push(Part::whole(arm));
                continue;
            }
        };
        let may_repeat = keys.len() > 1;
        if arm.own.is_none() {
            except.add(" AND NOT ").append(is_one_of(own, keys));
            all.push(Part::whole(Arm {
                own: Some(true),
                ..arm.clone()
            }));
        }
        let is_beside = arm.own != Some(true);
        all.push(Part {
            except,
            may_repeat: is_beside && may_repeat,
            arm: Arm {
                own: Some(!is_beside),
                ..arm
            },
        });
    }
    all
}

impl Part {
    fn whole(arm: Arm) -> Self {
        Self {
            arm,
            except: Sql::default(),
            may_repeat: false,
        }
    }

    /// Counts what matches from one moment to another, both included, by units of time.
    pub(super) async fn read(
        &self,
        asked: &Asked,
        connection: &mut Connection,
        ((since, until), unit): ((i64, i64), i64),
        categories: &Categories,
        counts: &mut Counts,
    ) -> Result<(), StoreError> {
        let base = since.div_euclid(unit) * unit;
        match connection.dialect() {
            Dialect::Sqlite => {
                let mut sql = Sql::default();
                // Two lists: a row for each would take as long as all the rest of it.
                sql.add(
                    "SELECT coalesce(group_concat(e.unit), ''), coalesce(group_concat(e.action), '') \
                     FROM (",
                );
                sql.append(self.entries(asked, connection, (since, until), (base, unit), None));
                sql.add(") e");
                let row = sql.query().fetch_one(connection).await?;
                let (units, actions): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                for (of, action) in units.split(',').zip(actions.split(',')) {
                    if of.is_empty() {
                        break;
                    }
                    let (Ok(of), Ok(action)) = (of.parse::<i64>(), action.parse()) else {
                        return Err(damaged("what was counted cannot be read"));
                    };
                    counts.add_unit(base + of * unit, categories.of_action(action), 1);
                }
            }
            Dialect::Postgres => {
                for class in asked.shelf.classes() {
                    let mut sql = Sql::default();
                    sql.add("SELECT e.unit, e.action, count(*) FROM (");
                    let of_class = Some(*class);
                    sql.append(self.entries(
                        asked,
                        connection,
                        (since, until),
                        (base, unit),
                        of_class,
                    ));
                    sql.add(") e GROUP BY e.unit, e.action");
                    for row in sql.query().fetch_all(&mut *connection).await? {
                        let of: i64 = row.try_get(0)?;
                        let category = categories.of_action(row.try_get(1)?);
                        counts.add_unit(base + of * unit, category, row.try_get(2)?);
                    }
                }
            }
        }
        Ok(())
    }

    /// The unit and the action of each event.
    fn entries(
        &self,
        asked: &Asked,
        connection: &Connection,
        (since, until): (i64, i64),
        (base, unit): (i64, i64),
        class: Option<i64>,
    ) -> Sql {
        let mut sql = Sql::default();
        sql.add(if self.may_repeat {
            "SELECT DISTINCT x.n, x.action"
        } else {
            "SELECT x.action"
        });
        sql.with(", (x.at - ?", base)
            .with(") / ? AS unit FROM ", unit);
        from(&mut sql, &self.arm, &asked.shelf.within(connection));
        if let Some(class) = class {
            sql.with(" AND x.class = ?", class);
        }
        sql.with(" AND x.at >= ?", since);
        sql.with(" AND x.at <= ?", until);
        tests(&mut sql, &asked.conditions, self.arm.met);
        sql.append(self.except.clone());
        sql
    }
}

impl Asked {
    /// Counts what matches of what the index does not have yet, from one moment to another, both included, by units
    /// of time.
    pub(super) fn count_tail(
        &self,
        (since, until): (i64, i64),
        unit: i64,
        categories: &Categories,
        counts: &mut Counts,
    ) {
        let matching = self.shelf.tail.matching(&self.conditions, i64::MAX);
        for row in matching.filter(|row| since <= row.at && row.at <= until) {
            let category = categories.of_action(row.action);
            counts.add_unit(row.at.div_euclid(unit) * unit, category, 1);
        }
    }

    /// Counts what is kept of days, from one quarter of an hour until before another, `by_hours` where no part
    /// begins within one. False, where it is not by actions alone that events are asked for.
    pub(super) async fn count_kept(
        &self,
        connection: &mut Connection,
        ((first, end), by_hours): ((Quarter, Quarter), bool),
        categories: &Categories,
        counts: &mut Counts,
    ) -> Result<bool, StoreError> {
        if !self.conditions.is_by_action_alone() || connection.dialect() == Dialect::Postgres {
            return Ok(false);
        }
        let actions = self.conditions.action.as_ref();
        // Of days of which not all is asked for, by quarters.
        let (first_whole, last_whole) = if by_hours {
            let end_of_first = Quarter(first.0 + i64::from(QUARTERS) - 1);
            (end_of_first.day(), end.day() - 1)
        } else {
            (i64::MAX, i64::MIN)
        };
        let mut sql = Sql::default();
        sql.with("SELECT x.day, x.day >= ?", first_whole);
        sql.with(" AND x.day <= ? AS whole, ", last_whole);
        sql.with("CASE WHEN x.day >= ?", first_whole);
        sql.with(" AND x.day <= ?", last_whole);
        sql.add(" THEN x.hours ELSE x.quarters END FROM i.count_day x");
        self.shelf.within(connection).is_ours(&mut sql, "x");
        sql.with(" AND x.day >= ?", first.day());
        sql.with(" AND x.day <= ?", Quarter(end.0 - 1).day());
        let wanted = |action| actions.is_none_or(|actions| actions.has(action));
        for row in &sql.query().fetch_all(connection).await? {
            let day: i64 = row.try_get(0)?;
            let quarters = if row.try_get(1)? { OF_HOUR } else { 1 };
            // Where each hour or quarter of the day is counted, if it is.
            let places: Vec<Option<usize>> = (0..QUARTERS / quarters)
                .map(|place| {
                    let quarter = Quarter::of_day_at(day, place * quarters);
                    let is_asked = first <= quarter && quarter < end;
                    is_asked.then(|| counts.place_of(quarter.start()))
                })
                .collect();
            let read = each(row.try_get(2)?, wanted, |action, place, events| {
                if let Some(Some(place)) = places.get(usize::from(place)) {
                    counts.add(*place, categories.of_action(action), events);
                }
            });
            read.ok_or_else(|| {
                damaged("the index's counts by time are not what they should be: make it again")
            })?;
        }
        Ok(true)
    }
}

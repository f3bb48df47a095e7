//! Counting a batch by hours, quarters of them and actions, in the rows of its days. What has a number that
//! no action has, in a log that somebody altered, is counted as the last one: the index goes on.

use super::super::{dictionaries::damaged, sql::made_of_our_own_texts};
use crate::{
    StoreError,
    days::{Changes, DaysChanges, OF_HOUR, QUARTER, QUARTERS, Quarter, by_hours, changed, written},
};
use sqlx::SqliteConnection;
use std::{
    collections::{BTreeMap, HashMap},
    str::FromStr,
};

/// So many days are written in one statement.
const AT_ONCE: usize = 50;

/// What becomes of a batch's events in the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// They come.
    Up,
    /// They go.
    Down,
}

/// Of each event of the batch: its workspace, its quarter and its action. As three lists, because a row for
/// each would take as long as all the rest of it.
const BATCH: &str = "SELECT coalesce(group_concat(ws), ''), \
     coalesce(group_concat((at - ((at % ?1) + ?1) % ?1) / ?1), ''), \
     coalesce(group_concat(min(max(action, 1), 4294967295)), '') FROM temp.batch";

/// The days of a list of workspaces and days.
const DAYS: &str = "SELECT c.ws, c.day, c.hours, c.quarters FROM json_each(?) j \
     CROSS JOIN main.count_day c ON c.ws = j.value ->> 0 AND c.day = j.value ->> 1";

/// Counts the events of `temp.batch`, in the transaction that is open.
pub(super) async fn count_days(
    connection: &mut SqliteConnection,
    counting: Counting,
) -> Result<(), StoreError> {
    let (workspaces, quarters, actions): (String, String, String) = sqlx::query_as(BATCH)
        .bind(QUARTER)
        .fetch_one(&mut *connection)
        .await?;
    let mut changes = DaysChanges::default();
    let change = match counting {
        Counting::Up => 1,
        Counting::Down => -1,
    };
    let events = list(&workspaces).zip(list(&quarters)).zip(list(&actions));
    for ((ws, quarter), action) in events {
        let (ws, quarter): (Option<i64>, Option<i64>) = (ws, quarter);
        let (Some(ws), Some(quarter), Some(action)) = (ws, quarter, action) else {
            return Err(damaged("an event's action or time is not a number"));
        };
        changes.add(ws, Quarter(quarter), action, change);
    }
    change_days(connection, &changes.0).await
}

/// The numbers of a list with commas; none for what is not a number.
fn list<T: FromStr>(list: &str) -> impl Iterator<Item = Option<T>> {
    let texts = list.split(',').filter(|text| !text.is_empty());
    texts.map(|text| text.parse().ok())
}

async fn change_days(
    connection: &mut SqliteConnection,
    changes: &BTreeMap<(i64, i64), Changes>,
) -> Result<(), StoreError> {
    let days: Vec<_> = changes.keys().collect();
    let days =
        serde_json::to_string(&days).map_err(|error| StoreError::Database(error.to_string()))?;
    let known: Vec<(i64, i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(DAYS)
        .bind(days)
        .fetch_all(&mut *connection)
        .await?;
    let mut known: HashMap<(i64, i64), (Vec<u8>, Vec<u8>)> = known
        .into_iter()
        .map(|(ws, day, hours, quarters)| ((ws, day), (hours, quarters)))
        .collect();
    let mut rows = Vec::with_capacity(changes.len());
    for (of, changes) in changes {
        let (hours, quarters) = known.remove(of).unwrap_or_default();
        let after = changed(&hours, &by_hours(changes)).zip(changed(&quarters, changes));
        let after = after.ok_or_else(|| {
            damaged("the index's counts by time are not what they should be: make it again")
        })?;
        if after.1.is_empty() {
            sqlx::query("DELETE FROM count_day WHERE ws = ? AND day = ?")
                .bind(of.0)
                .bind(of.1)
                .execute(&mut *connection)
                .await?;
        } else {
            rows.push((of, after));
        }
    }
    let mut rest = rows.as_slice();
    while !rest.is_empty() {
        // Of two lengths, so that there are few texts.
        let length = if rest.len() < AT_ONCE { 1 } else { AT_ONCE };
        let (some, others) = rest.split_at(length);
        rest = others;
        let mut text =
            "INSERT OR REPLACE INTO count_day (ws, day, hours, quarters) VALUES (?, ?, ?, ?)"
                .to_owned();
        text.push_str(&", (?, ?, ?, ?)".repeat(length - 1));
        let mut statement = sqlx::query(made_of_our_own_texts(text));
        for ((ws, day), (hours, quarters)) in some {
            let row = statement.bind(*ws).bind(*day);
            statement = row.bind(hours.as_slice()).bind(quarters.as_slice());
        }
        statement.execute(&mut *connection).await?;
    }
    Ok(())
}

/// So many days are compared at a time.
const COMPARED: i64 = 500;

/// A workspace, a day, its hours, its quarters, and what these are to be made from.
type ComparedDay = (i64, i64, Vec<u8>, Vec<u8>, String);

/// The next days after a workspace and a day, each with what its counts are to be made from: of every event
/// the action's number times 96, and the place of its quarter.
const COMPARE: &str = "SELECT d.ws, d.day, d.hours, d.quarters, coalesce(( \
         SELECT group_concat(min(max(x.action, 1), 4294967295) * 96 \
             + (x.at - d.day * 86400000000) / 900000000) FROM by_time x \
         WHERE x.ws = d.ws AND x.at >= d.day * 86400000000 AND x.at < (d.day + 1) * 86400000000), '') \
     FROM main.count_day d WHERE (d.ws, d.day) > (?1, ?2) ORDER BY d.ws, d.day LIMIT ?3";

/// What was counted, by action and place, of numbers in order that hold both: a day has `of_day` of them for
/// each action, `together` of which are counted as one.
fn placed(
    numbers: &[u64],
    of_day: u64,
    together: u64,
) -> impl Iterator<Item = ((u32, u8), u64)> + '_ {
    numbers
        .chunk_by(move |one, other| one / together == other / together)
        .filter_map(move |same| {
            let number = same.first()?;
            let place = (number % of_day / together).to_le_bytes()[0];
            let action = u32::try_from(number / of_day).ok()?;
            Some(((action, place), same.len() as u64))
        })
}

/// Whether the counts of days are others than those of the events in `by_time`.
pub(super) async fn days_differ(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let (mut counted, mut after) = (0_i64, (i64::MIN, i64::MIN));
    loop {
        let days: Vec<ComparedDay> = sqlx::query_as(COMPARE)
            .bind(after.0)
            .bind(after.1)
            .bind(COMPARED)
            .fetch_all(&mut *connection)
            .await?;
        let Some(last) = days.last() else {
            break;
        };
        after = (last.0, last.1);
        for (_, _, hours, quarters, events) in &days {
            let Some(mut events) = list::<u64>(events).collect::<Option<Vec<u64>>>() else {
                return Ok(true);
            };
            events.sort_unstable();
            counted += i64::try_from(events.len()).unwrap_or(i64::MAX);
            let of_day = u64::from(QUARTERS);
            let is_same = written(placed(&events, of_day, u64::from(OF_HOUR))) == *hours
                && written(placed(&events, of_day, 1)) == *quarters;
            if !is_same || quarters.is_empty() {
                return Ok(true);
            }
        }
    }
    // Of events in days that are not there, nothing was compared.
    let events: i64 = sqlx::query_scalar("SELECT coalesce(sum(events), 0) FROM main.count_outcome")
        .fetch_one(connection)
        .await?;
    Ok(events != counted)
}

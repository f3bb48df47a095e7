//! What the server makes of events for the screen: pure, so that it is tested without a store.

mod chart;
mod entry;
mod row;
pub(crate) mod value;
mod when;

pub(crate) use chart::{HEIGHT, WIDTH, chart};
pub(crate) use entry::entry;
pub(crate) use row::{actor_of, row, workspace};
pub(crate) use when::Local;

use super::view::{DayView, RowView};
use chrono::TimeDelta;
use domain::{
    event::Event,
    question::{Filter, Moment, Sort},
};

/// The rows by day, where they are sorted by time; else all together. A day's entries are counted
/// where the page shows all of them: where neither a newer nor an older page can hold more.
pub(crate) fn days(
    events: &[Event],
    rows: Vec<RowView>,
    sort: Sort,
    local: &Local,
    goes_on: (bool, bool),
) -> Vec<DayView> {
    if sort != Sort::Time {
        let day = DayView {
            day: None,
            entries: None,
            rows,
        };
        return if day.rows.is_empty() {
            Vec::new()
        } else {
            vec![day]
        };
    }
    let mut days: Vec<(chrono::NaiveDate, DayView)> = Vec::new();
    for (event, row) in events.iter().zip(rows) {
        let date = local.date(event.occurred_at);
        match days.last_mut() {
            Some((last, day)) if *last == date => day.rows.push(row),
            _ => days.push((
                date,
                DayView {
                    day: Some(local.day(date)),
                    entries: None,
                    rows: vec![row],
                },
            )),
        }
    }
    let (back, on) = goes_on;
    let last = days.len().saturating_sub(1);
    days.into_iter()
        .enumerate()
        .map(|(at, (_, mut day))| {
            let whole = (at > 0 || !back) && (at < last || !on);
            day.entries = whole.then_some(day.rows.len());
            day
        })
        .collect()
}

/// The time asked for, in words.
pub(crate) fn words(filter: &Filter) -> String {
    let text = |moment: Moment| moment.to_string().replace('T', " ");
    match (filter.range, filter.since, filter.until) {
        (Some(range), _, _) => range.words().to_owned(),
        (None, Some(since), Some(until)) if since == until => text(since),
        (None, Some(since), Some(until)) => format!("{} to {}", text(since), end(until)),
        (None, Some(since), None) => format!("since {}", text(since)),
        (None, None, Some(until)) => format!("until {}", end(until)),
        (None, None, None) => "all entries".to_owned(),
    }
}

/// The end of a time that is asked for, in words: what ends a microsecond before a second ends with it.
pub(crate) fn end(until: Moment) -> String {
    let until = match until {
        Moment::Local(time) if time.and_utc().timestamp_subsec_micros() == 999_999 => {
            Moment::Local(time + TimeDelta::microseconds(1))
        }
        other => other,
    };
    until.to_string().replace('T', " ")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

//! Moments in the zone that a page names.

use crate::log::view::WhenView;
use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta, Timelike};
use chrono_tz::Tz;
use domain::{question::Zone, time::Timestamp};

/// From when on an entry says that it was recorded later than it occurred.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// A zone, and what time it is.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    rules: Tz,
    name: String,
    today: NaiveDate,
}

impl Local {
    pub(crate) fn new(zone: &Zone, now: Timestamp) -> Self {
        let rules = zone.rules();
        Self {
            rules,
            name: zone.to_string(),
            today: now.datetime().with_timezone(&rules).date_naive(),
        }
    }

    /// The zone's IANA name.
    pub(crate) fn zone(&self) -> &str {
        &self.name
    }

    fn at(&self, time: Timestamp) -> DateTime<Tz> {
        time.datetime().with_timezone(&self.rules)
    }

    /// The day of a moment.
    pub(crate) fn date(&self, time: Timestamp) -> NaiveDate {
        self.at(time).date_naive()
    }

    /// Today.
    pub(crate) fn today(&self) -> NaiveDate {
        self.today
    }

    /// The time of day.
    pub(crate) fn clock(&self, time: Timestamp) -> String {
        self.at(time).format("%H:%M:%S").to_string()
    }

    /// To the second: `2026-05-12 09:14:03`.
    pub(crate) fn second(&self, time: Timestamp) -> String {
        self.at(time).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// To the microsecond, with the zone.
    pub(crate) fn exact(&self, time: Timestamp) -> String {
        self.when(time).exact
    }

    /// A moment for the screen.
    pub(crate) fn when(&self, time: Timestamp) -> WhenView {
        let local = self.at(time);
        // As chrono writes a date and a time of day by themselves: a pattern is read anew each time.
        let date = local.date_naive();
        let second = local.time().with_nanosecond(0).unwrap_or_default();
        let micros = local.timestamp_subsec_micros();
        WhenView {
            iso: local.to_rfc3339_opts(SecondsFormat::Micros, true),
            exact: format!("{date} {second}.{micros:06} {}", self.name),
            date: date.to_string(),
            clock: second.to_string(),
            millis: time.micros().div_euclid(1_000),
            days_ago: (self.today - date).num_days(),
        }
    }

    /// A day as a heading: "Tuesday" and "12 May", with the year where it is not this one.
    pub(crate) fn day(&self, date: NaiveDate) -> (String, String) {
        let format = if date.year() == self.today().year() {
            "%-d %B"
        } else {
            "%-d %B %Y"
        };
        (
            date.format("%A").to_string(),
            date.format(format).to_string(),
        )
    }

    /// "recorded 3 days later", where an entry was recorded well after it occurred.
    pub(crate) fn late(occurred: Timestamp, recorded: Timestamp) -> Option<String> {
        let delta = TimeDelta::microseconds(recorded.micros().saturating_sub(occurred.micros()));
        if delta <= LATE {
            return None;
        }
        let (number, unit) = match (delta.num_days(), delta.num_hours(), delta.num_minutes()) {
            (0, 0, minutes) => (minutes, "minute"),
            (0, hours, _) => (hours, "hour"),
            (days, _, _) if days < 730 => (days, "day"),
            (days, _, _) => (days / 365, "year"),
        };
        let s = if number == 1 { "" } else { "s" };
        Some(format!("recorded {number} {unit}{s} later"))
    }
}

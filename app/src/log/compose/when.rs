//! Moments in the zone that a page names.

use crate::log::view::WhenView;
use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta, Timelike};
use chrono_tz::Tz;
use domain::{
    question::{Moment, Span, Step, Zone},
    time::Timestamp,
};

/// From when on an entry says that it was recorded later than it occurred.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// How long before a moment, and how long after it, is around it.
const AROUND: TimeDelta = TimeDelta::minutes(20);
/// A minute, in microseconds.
const MINUTE: i64 = 60_000_000;

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

    /// To the minute: `2026-05-12 09:14`.
    pub(crate) fn minute(&self, time: Timestamp) -> String {
        self.at(time).format("%Y-%m-%d %H:%M").to_string()
    }

    /// The time of day, to the minute.
    pub(crate) fn hour_and_minute(&self, time: Timestamp) -> String {
        self.at(time).format("%H:%M").to_string()
    }

    /// The day and the time of day, to the minute, of a year that is known: `05-12 09:14`.
    pub(crate) fn day_and_minute(&self, time: Timestamp) -> String {
        self.at(time).format("%m-%d %H:%M").to_string()
    }

    /// The month: `2026-05`.
    pub(crate) fn month(&self, time: Timestamp) -> String {
        self.at(time).format("%Y-%m").to_string()
    }

    /// A part of a span that is divided in steps, in words: "2026-05-12 08:00–16:00".
    pub(crate) fn span(&self, (first, last): (Timestamp, Timestamp), step: Step) -> String {
        let days = (self.date(first), self.date(last));
        match step {
            Step::Month if self.month(first) == self.month(last) => self.month(first),
            Step::Month => format!("{} to {}", self.month(first), self.month(last)),
            Step::Day | Step::Week if days.0 == days.1 => days.0.to_string(),
            Step::Day | Step::Week => format!("{} to {}", days.0, days.1),
            _ => {
                // Where the next one begins, not a microsecond before.
                let end = Timestamp::from_micros(last.micros() + 1);
                format!("{}–{}", self.minute(first), self.hour_and_minute(end))
            }
        }
    }

    /// How one asks for what occurred from a moment on: by the date, where it is the day's first and the
    /// steps are days; where the zone's clocks show its time twice, by the moment itself.
    pub(crate) fn since(&self, moment: Timestamp, step: Step) -> Moment {
        self.written(moment, step, |way| way.first_instant(self.rules))
    }

    /// The same of what occurred up to a moment.
    pub(crate) fn until(&self, moment: Timestamp, step: Step) -> Moment {
        self.written(moment, step, |way| way.last_instant(self.rules))
    }

    /// The shortest way to write a moment that is `read` as that.
    fn written(&self, moment: Timestamp, step: Step, read: impl Fn(Moment) -> Timestamp) -> Moment {
        let local = self.at(moment).naive_local();
        let date = Moment::Date(local.date());
        let ways = [
            (step >= Step::Day).then_some(date),
            Some(Moment::Local(local)),
        ];
        let mut ways = ways.into_iter().flatten();
        ways.find(|way| read(*way) == moment)
            .unwrap_or(Moment::Absolute(moment))
    }

    /// The time around a moment, in whole minutes: from when until when.
    pub(crate) fn around(&self, moment: Timestamp) -> (Moment, Moment) {
        let minute = moment.micros() - moment.micros().rem_euclid(MINUTE);
        let around = AROUND.num_microseconds().unwrap_or_default();
        let since = Timestamp::from_micros(minute - around);
        let until = Timestamp::from_micros(minute + MINUTE + around - 1);
        (
            self.since(since, Step::Minute),
            self.until(until, Step::Minute),
        )
    }

    /// A time between two moments that goes on, as it is now, in whole minutes.
    pub(crate) fn fixed(&self, span: Span) -> Option<(Moment, Moment)> {
        let minute = |time: Timestamp| time.micros() - time.micros().rem_euclid(MINUTE);
        let since = Timestamp::from_micros(minute(span.since?));
        let until = Timestamp::from_micros(minute(span.until?) + MINUTE - 1);
        Some((
            self.since(since, Step::Minute),
            self.until(until, Step::Minute),
        ))
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

//! Since and until: dates, moments and presets, and what they come to in a time zone.

use crate::{event::UnknownName, time::Timestamp};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A preset: from so long ago until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Range {
    /// The last 24 hours.
    #[serde(rename = "24h")]
    Day,
    /// The last 7 days.
    #[serde(rename = "7d")]
    Week,
    /// The last 30 days.
    #[serde(rename = "30d")]
    Month,
    /// The last 90 days.
    #[serde(rename = "90d")]
    Quarter,
}

impl Range {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// The name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
        }
    }

    /// How long it is: days of 24 hours.
    pub const fn length(self) -> TimeDelta {
        TimeDelta::hours(match self {
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
            Self::Quarter => 90 * 24,
        })
    }

    /// In words: "last 7 days".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Day => "last 24 hours",
            Self::Week => "last 7 days",
            Self::Month => "last 30 days",
            Self::Quarter => "last 90 days",
        }
    }
}

impl FromStr for Range {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|range| range.as_str() == text)
            .ok_or_else(|| UnknownName {
                value: text.to_owned(),
                accepted: "24h, 7d, 30d, 90d".to_owned(),
            })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One end of a span as it is written: a date, a date and time read in the question's zone, or a
/// moment with an offset of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    /// A whole day.
    Date(NaiveDate),
    /// A time of day in the question's zone.
    Local(NaiveDateTime),
    /// A moment that needs no zone.
    Absolute(Timestamp),
}

/// A text is neither a date nor a date and time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a date or a time; write 2026-05-12, 2026-05-12T09:14 or 2026-05-12T09:14:03Z")]
pub struct MomentError;

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let text = text.trim();
        let within = |date: NaiveDate| {
            (NaiveDate::from_ymd_opt(1, 1, 1)..=NaiveDate::from_ymd_opt(9999, 12, 31))
                .contains(&Some(date))
        };
        if text.len() <= 10 {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| MomentError)?;
            return if within(date) {
                Ok(Self::Date(date))
            } else {
                Err(MomentError)
            };
        }
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Self::Absolute(moment));
        }
        // People write a space where RFC 3339 has its T.
        let text = text.replacen(' ', "T", 1);
        [
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%dT%H:%M:%S%.f",
        ]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        .filter(|time| within(time.date()))
        .map(Self::Local)
        .ok_or(MomentError)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => write!(f, "{}", date.format("%Y-%m-%d")),
            Self::Local(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S%.f")),
            Self::Absolute(moment) => moment.fmt(f),
        }
    }
}

impl TryFrom<String> for Moment {
    type Error = MomentError;

    fn try_from(text: String) -> Result<Self, MomentError> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

/// From when until when, both included; none: no end on that side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first moment that belongs to it.
    pub since: Option<Timestamp>,
    /// The last moment that belongs to it.
    pub until: Option<Timestamp>,
}

impl Span {
    /// Whether a moment belongs to it.
    pub fn holds(self, moment: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= moment)
            && self.until.is_none_or(|until| moment <= until)
    }
}

#[cfg(feature = "zones")]
pub(super) mod resolve {
    use super::{Moment, Timestamp};
    use chrono::{MappedLocalTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
    use chrono_tz::Tz;

    impl Moment {
        /// The first instant that this names in `zone`: a date's first. Where clocks were put back
        /// and the time came twice, the first; where they were put forward and it never came, the
        /// moment of the change.
        pub fn first_instant(self, zone: Tz) -> Timestamp {
            match self {
                Self::Date(date) => earliest(date.and_time(NaiveTime::MIN), zone),
                Self::Local(time) => earliest(time, zone),
                Self::Absolute(moment) => moment,
            }
        }

        /// The last instant that this names in `zone`: a date's last microsecond. Where a time
        /// came twice, the second; where it never came, the moment of the change.
        pub fn last_instant(self, zone: Tz) -> Timestamp {
            match self {
                Self::Date(date) => match date.succ_opt() {
                    Some(next) => earliest(next.and_time(NaiveTime::MIN), zone)
                        .plus(TimeDelta::microseconds(-1)),
                    None => Timestamp::MAX,
                },
                Self::Local(time) => match zone.from_local_datetime(&time) {
                    MappedLocalTime::Ambiguous(_, later) => later.with_timezone(&Utc).into(),
                    _ => earliest(time, zone),
                },
                Self::Absolute(moment) => moment,
            }
        }
    }

    fn earliest(time: NaiveDateTime, zone: Tz) -> Timestamp {
        match zone.from_local_datetime(&time) {
            MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(moment, _) => {
                moment.with_timezone(&Utc).into()
            }
            MappedLocalTime::None => after_gap(time, zone),
        }
    }

    /// The instant at which clocks jumped over `time`: found to the microsecond between a moment
    /// before the gap and one after it (no gap is longer than a day and a few hours).
    pub(in crate::question) fn after_gap(time: NaiveDateTime, zone: Tz) -> Timestamp {
        let guess = time.and_utc().timestamp_micros();
        let day = TimeDelta::hours(30).num_microseconds().unwrap_or_default();
        let (mut before, mut after) = (guess - day, guess + day);
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            let shown = Timestamp::from_micros(middle)
                .datetime()
                .with_timezone(&zone)
                .naive_local();
            if shown < time {
                before = middle;
            } else {
                after = middle;
            }
        }
        Timestamp::from_micros(after)
    }
}

#[cfg(all(test, feature = "zones"))]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn first(text: &str, zone: chrono_tz::Tz) -> String {
        text.parse::<Moment>()
            .unwrap()
            .first_instant(zone)
            .to_string()
    }

    fn last(text: &str, zone: chrono_tz::Tz) -> String {
        text.parse::<Moment>()
            .unwrap()
            .last_instant(zone)
            .to_string()
    }

    #[test]
    fn a_date_is_the_whole_day_in_the_zone_named() {
        let oslo = chrono_tz::Europe::Oslo;
        assert_eq!(first("2026-05-12", oslo), "2026-05-11T22:00:00.000000Z");
        assert_eq!(last("2026-05-12", oslo), "2026-05-12T21:59:59.999999Z");
    }

    #[test]
    fn the_days_on_which_clocks_change_are_23_and_25_hours_long() {
        let oslo = chrono_tz::Europe::Oslo;
        assert_eq!(first("2026-03-29", oslo), "2026-03-28T23:00:00.000000Z");
        assert_eq!(last("2026-03-29", oslo), "2026-03-29T21:59:59.999999Z");
        assert_eq!(last("2026-10-25", oslo), "2026-10-25T22:59:59.999999Z");
    }

    #[test]
    fn a_time_that_came_twice_is_its_first_as_since_and_its_second_as_until() {
        let oslo = chrono_tz::Europe::Oslo;
        assert_eq!(
            first("2026-10-25T02:30", oslo),
            "2026-10-25T00:30:00.000000Z"
        );
        assert_eq!(
            last("2026-10-25T02:30", oslo),
            "2026-10-25T01:30:00.000000Z"
        );
    }

    #[test]
    fn a_time_that_never_came_is_the_moment_of_the_change() {
        let oslo = chrono_tz::Europe::Oslo;
        assert_eq!(
            first("2026-03-29T02:30", oslo),
            "2026-03-29T01:00:00.000000Z"
        );
        // In this zone clocks were put forward at midnight: the day began at one.
        let sao_paulo = chrono_tz::America::Sao_Paulo;
        assert_eq!(
            first("2018-11-04", sao_paulo),
            "2018-11-04T03:00:00.000000Z"
        );
    }

    #[test]
    fn a_moment_with_an_offset_needs_no_zone() {
        let oslo = chrono_tz::Europe::Oslo;
        assert_eq!(
            first("2026-05-12T09:14:03-04:00", oslo),
            "2026-05-12T13:14:03.000000Z"
        );
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-02-30",
            "12.05.2026",
            "2026-05-12T25:00",
            "10000-01-01",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_space_may_stand_for_the_t() {
        assert_eq!(
            "2026-05-12 09:14".parse::<Moment>(),
            "2026-05-12T09:14".parse()
        );
    }
}

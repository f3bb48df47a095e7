//! Moments, as they are recorded: to the microsecond, in UTC.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A moment: microseconds since 1970-01-01T00:00:00Z. Written in RFC 3339 with six digits and `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// A text is not a time in RFC 3339 with a date, a time of day and an offset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a time as RFC 3339 writes it, such as 2026-05-12T09:14:03Z or 2026-05-12T11:14:03.5+02:00"
)]
pub struct TimestampError;

impl Timestamp {
    /// The earliest moment that can be written: the first of the year 0 in RFC 3339.
    pub const MIN: Self = Self(-62_167_219_200_000_000);
    /// The latest moment that can be written: the last microsecond of the year 9999.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// A moment from microseconds since 1970, UTC, held within [`Self::MIN`] and [`Self::MAX`].
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970, UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment as chrono knows it.
    pub fn datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// This moment and `delta` more (or less), held within what can be written.
    #[must_use]
    pub fn plus(self, delta: TimeDelta) -> Self {
        let micros = delta
            .num_microseconds()
            .unwrap_or(if delta < TimeDelta::zero() {
                i64::MIN
            } else {
                i64::MAX
            });
        Self::from_micros(self.0.saturating_add(micros))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    /// Finer digits than microseconds are cut off.
    fn from(time: DateTime<Utc>) -> Self {
        Self::from_micros(time.timestamp_micros())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads RFC 3339 with any offset; finer digits than microseconds are cut off.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| TimestampError)?;
        let micros = time.timestamp_micros();
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(TimestampError)
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand: an export writes millions of them, and every one has the same form.
        let time = self.datetime();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let year = u32::try_from(time.year()).unwrap_or_default();
        let micros = time.timestamp_subsec_micros();
        for (place, digits, mut number) in [
            (0, 4, year),
            (5, 2, time.month()),
            (8, 2, time.day()),
            (11, 2, time.hour()),
            (14, 2, time.minute()),
            (17, 2, time.second()),
            (20, 6, micros),
        ] {
            for digit in text[place..place + digits].iter_mut().rev() {
                *digit += u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        text.parse::<Timestamp>().ok().map(|time| time.to_string())
    }

    #[test]
    fn any_offset_becomes_utc_with_six_digits() {
        assert_eq!(
            shown("2026-05-12T11:14:03.5+02:00").as_deref(),
            Some("2026-05-12T09:14:03.500000Z")
        );
        assert_eq!(
            shown("2026-05-12T23:59:59-11:45").as_deref(),
            Some("2026-05-13T11:44:59.000000Z")
        );
    }

    #[test]
    fn it_is_written_as_chrono_writes_it() {
        let day = 86_400_000_000;
        let some = (-3_000_000..3_000_000)
            .step_by(9_973)
            .map(|days| days * day + days * 7_919);
        for micros in some.chain([0, -1, 1, Timestamp::MIN.0, Timestamp::MAX.0]) {
            let time = Timestamp::from_micros(micros);
            let known = time
                .datetime()
                .to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            assert_eq!(time.to_string(), known);
        }
    }

    #[test]
    fn finer_digits_are_cut_off_and_not_rounded() {
        assert_eq!(
            shown("1969-12-31T23:59:59.9999999Z").as_deref(),
            Some("1969-12-31T23:59:59.999999Z")
        );
    }

    #[test]
    fn a_date_alone_or_a_time_without_offset_is_refused() {
        for text in [
            "2026-05-12",
            "2026-05-12T09:14:03",
            "12 May",
            "",
            "2026-13-01T00:00:00Z",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}

//! The values that arguments take: days, spans of time, switches.

use chrono::{NaiveDate, NaiveTime};
use clap::ValueEnum;
use domain::time::Timestamp;

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// Reads a day as ISO 8601 writes it.
///
/// # Errors
///
/// It is none.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse::<NaiveDate>()
        .ok()
        .filter(|day| day.to_string() == text)
        .ok_or_else(|| "is not a day; write it as 2026-05-31".to_owned())
}

/// The last moment of a day in UTC.
pub fn end_of(day: NaiveDate) -> Timestamp {
    day.succ_opt().map_or(Timestamp::MAX, |next| {
        let midnight = next.and_time(NaiveTime::MIN).and_utc();
        Timestamp::from_micros(midnight.timestamp_micros() - 1)
    })
}

/// Reads a number of days, as in `30d`, as seconds.
///
/// # Errors
///
/// It is none.
pub fn days(text: &str) -> Result<i64, String> {
    text.strip_suffix('d')
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse::<i64>().ok())
        .filter(|days| (1..=36_500).contains(days))
        .map(|days| days * 86_400)
        .ok_or_else(|| "is not a number of days; write 1d to 36500d".to_owned())
}

/// A moment as people read it, to the minute, in UTC.
pub fn minute(time: Timestamp) -> String {
    time.datetime().format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_in_full() {
        assert_eq!(day("2026-05-31").unwrap().to_string(), "2026-05-31");
        for text in ["2026-5-31", "31.05.2026", "2026-02-30", "tomorrow", ""] {
            assert!(day(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_ends_with_its_last_microsecond() {
        let end = end_of(day("2026-12-31").unwrap());
        assert_eq!(end.to_string(), "2026-12-31T23:59:59.999999Z");
    }

    #[test]
    fn spans_are_whole_days() {
        assert_eq!(days("30d"), Ok(2_592_000));
        for text in ["0d", "-1d", "+1d", "30", "d", "1.5d", "1y", "36501d"] {
            assert!(days(text).is_err(), "{text}");
        }
    }
}

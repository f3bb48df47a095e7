//! Days and hours as people live them: time zones, working hours, weekends, holidays, freezes.

use super::dice::Dice;
use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Weekday,
};
use domain::{question::Zone, time::Timestamp};

/// Where people work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum City {
    /// Norway.
    Oslo,
    /// Germany.
    Berlin,
    /// Portugal.
    Lisbon,
    /// United States.
    NewYork,
    /// India.
    Bengaluru,
}

impl City {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Oslo,
        Self::Berlin,
        Self::Lisbon,
        Self::NewYork,
        Self::Bengaluru,
    ];

    /// As a location is written.
    pub const fn location(self) -> &'static str {
        match self {
            Self::Oslo => "Oslo, NO",
            Self::Berlin => "Berlin, DE",
            Self::Lisbon => "Lisbon, PT",
            Self::NewYork => "New York, US",
            Self::Bengaluru => "Bengaluru, IN",
        }
    }

    /// The IANA name of its time zone.
    pub const fn zone(self) -> &'static str {
        match self {
            Self::Oslo => "Europe/Oslo",
            Self::Berlin => "Europe/Berlin",
            Self::Lisbon => "Europe/Lisbon",
            Self::NewYork => "America/New_York",
            Self::Bengaluru => "Asia/Kolkata",
        }
    }

    fn rules(self) -> impl TimeZone {
        let zone: Result<Zone, _> = self.zone().parse();
        zone.unwrap_or_else(|_| Zone::utc()).rules()
    }

    /// The day on which a moment falls here.
    pub fn date(self, at: Timestamp) -> NaiveDate {
        at.datetime().with_timezone(&self.rules()).date_naive()
    }

    /// The moment of a day and time here; a time that a clock skips is an hour later.
    pub fn moment(self, date: NaiveDate, time: NaiveTime) -> Timestamp {
        let at = |time| self.rules().from_local_datetime(&time).earliest();
        let local = date.and_time(time);
        let found = at(local).or_else(|| at(local + TimeDelta::hours(1)));
        found.map_or_else(
            || Timestamp::from(local.and_utc()),
            |time: DateTime<_>| Timestamp::from_micros(time.timestamp_micros()),
        )
    }

    /// Whether people here are at work at a moment.
    pub fn is_working(self, at: Timestamp) -> bool {
        let local = at.datetime().with_timezone(&self.rules());
        (8..18).contains(&local.hour()) && self.diligence(local.date_naive()) > 20
    }

    /// How much is done here on a day, in percent of an ordinary working day.
    pub fn diligence(self, date: NaiveDate) -> i64 {
        if is_weekend(date) {
            return 6;
        }
        if self.is_holiday(date) {
            return 4;
        }
        let summer = match self {
            Self::Oslo => date.month() == 7,
            Self::Berlin | Self::Lisbon => date.month() == 8,
            Self::NewYork | Self::Bengaluru => false,
        };
        match (date.month(), date.day()) {
            (12, 22..) | (1, ..=2) => 18,
            _ if summer => 60,
            // The week ends early.
            _ if date.weekday() == Weekday::Fri => 84,
            _ => 100,
        }
    }

    fn is_holiday(self, date: NaiveDate) -> bool {
        let easter = easter_sunday(date.year());
        let after_easter = (date - easter).num_days();
        let day = (date.month(), date.day());
        match self {
            Self::Oslo => {
                matches!(day, (1, 1) | (5, 1 | 17) | (12, 24..=26))
                    || matches!(after_easter, -3 | -2 | 1 | 39 | 50)
            }
            Self::Berlin => {
                matches!(day, (1 | 5, 1) | (3, 8) | (10, 3) | (12, 24..=26))
                    || matches!(after_easter, -2 | 1 | 39 | 50)
            }
            Self::Lisbon => {
                matches!(
                    day,
                    (1 | 5 | 11, 1) | (4, 25) | (6, 10 | 13) | (10, 5) | (12, 1 | 8 | 24 | 25)
                ) || after_easter == -2
            }
            Self::NewYork => {
                let thanksgiving = date.weekday() == Weekday::Thu
                    && date.month() == 11
                    && week_of_month(date) == 4;
                let monday = date.weekday() == Weekday::Mon;
                matches!(day, (1, 1) | (6, 19) | (7, 4) | (11, 11) | (12, 24 | 25))
                    || thanksgiving
                    || (monday && date.month() == 9 && week_of_month(date) == 1)
                    || (monday && date.month() == 5 && date.day() > 24)
            }
            Self::Bengaluru => {
                matches!(day, (1, 1 | 26) | (8, 15) | (10, 2) | (11, 1) | (12, 25))
            }
        }
    }
}

/// Saturday or Sunday.
pub fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Which of its kind in the month: the first Monday is 1.
fn week_of_month(date: NaiveDate) -> u32 {
    date.day0() / 7 + 1
}

/// Easter Sunday of a year, by Gauss's rule as Meeus, Jones and Butcher have it.
fn easter_sunday(year: i32) -> NaiveDate {
    let (golden, century, rest) = (year % 19, year / 100, year % 100);
    let correction = century - century / 4 - (8 * century + 13) / 25 + 15;
    let epact = (19 * golden + correction) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let days = epact + weekday - 7 * ((golden + 11 * epact + 19 * weekday) / 433);
    NaiveDate::from_ymd_opt(year, 3, 22)
        .unwrap_or_default()
        .checked_add_signed(TimeDelta::days(days.into()))
        .unwrap_or_default()
}

/// The same day, or the next Monday where it falls on a weekend.
pub fn weekday_from(date: NaiveDate) -> NaiveDate {
    let ahead = match date.weekday() {
        Weekday::Sat => 2,
        Weekday::Sun => 1,
        _ => 0,
    };
    date.checked_add_days(Days::new(ahead)).unwrap_or(date)
}

/// Whether production is frozen on a day: the last days of a quarter, and the turn of the year.
pub fn is_frozen(date: NaiveDate) -> bool {
    match (date.month(), date.day()) {
        (3 | 6 | 9, 28..) | (12, 19..) => true,
        (1, day) => day <= 2,
        _ => false,
    }
}

/// A time of day as people work: busiest at ten and at two, a pause at noon, seldom in the evening.
pub fn working_time(dice: &mut Dice) -> NaiveTime {
    /// Hours, and how many of a hundred actions fall into each.
    const HOURS: [(i64, i64); 14] = [
        (7, 2),
        (8, 8),
        (9, 13),
        (10, 14),
        (11, 12),
        (12, 5),
        (13, 11),
        (14, 13),
        (15, 10),
        (16, 7),
        (17, 2),
        (19, 1),
        (20, 1),
        (21, 1),
    ];
    let mut drawn = dice.below(HOURS.iter().map(|(_, share)| share).sum());
    let hour = HOURS.iter().find(|(_, share)| {
        drawn -= share;
        drawn < 0
    });
    within_hour(hour.map_or(10, |(hour, _)| *hour), dice)
}

/// A time of day as automation works: half of it in the small hours.
pub fn night_time(dice: &mut Dice) -> NaiveTime {
    let hour = if dice.chance(520) {
        dice.between(0, 4)
    } else {
        dice.between(0, 23)
    };
    within_hour(hour, dice)
}

/// A moment within an hour of the day, to the microsecond.
fn within_hour(hour: i64, dice: &mut Dice) -> NaiveTime {
    let micros = hour * 3_600_000_000 + dice.below(3_600_000_000);
    NaiveTime::MIN + TimeDelta::microseconds(micros)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn easter_falls_where_the_almanac_has_it() {
        for (year, sunday) in [
            (2024, "2024-03-31"),
            (2025, "2025-04-20"),
            (2026, "2026-04-05"),
        ] {
            assert_eq!(easter_sunday(year), day(sunday));
        }
    }

    #[test]
    fn a_day_of_work_begins_and_ends_where_people_are() {
        let nine = NaiveTime::from_hms_opt(9, 0, 0).unwrap();
        let moment = |city: City, date| city.moment(day(date), nine).to_string();
        assert_eq!(
            moment(City::Oslo, "2026-01-12"),
            "2026-01-12T08:00:00.000000Z"
        );
        assert_eq!(
            moment(City::Oslo, "2026-05-12"),
            "2026-05-12T07:00:00.000000Z"
        );
        assert_eq!(
            moment(City::NewYork, "2026-05-12"),
            "2026-05-12T13:00:00.000000Z"
        );
        assert_eq!(
            moment(City::Bengaluru, "2026-05-12"),
            "2026-05-12T03:30:00.000000Z"
        );
    }

    #[test]
    fn a_time_that_the_clock_skips_still_is_a_moment() {
        let half_past_two = NaiveTime::from_hms_opt(2, 30, 0).unwrap();
        let moment = City::Oslo.moment(day("2026-03-29"), half_past_two);
        assert_eq!(moment.to_string(), "2026-03-29T01:30:00.000000Z");
    }

    #[test]
    fn weekends_and_holidays_are_quiet() {
        assert_eq!(City::Oslo.diligence(day("2026-05-12")), 100);
        for quiet in [
            "2026-05-16",
            "2026-05-17",
            "2026-04-03",
            "2025-12-24",
            "2026-12-28",
        ] {
            assert!(City::Oslo.diligence(day(quiet)) < 20, "{quiet}");
        }
        assert!(City::NewYork.diligence(day("2025-11-27")) < 20);
        assert!(City::Berlin.diligence(day("2025-11-27")) > 80);
    }
}

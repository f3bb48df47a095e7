//! When events occurred: how that is asked, and how a span is divided to show it, into equal parts of days,
//! or whole days, weeks or months, as the clocks of a time zone show them.

use super::{Fault, Filter, Query, Unknown, Zone, parameters::PARAMETERS};
use crate::{category::Category, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

/// How long the parts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// A minute.
    #[serde(rename = "1m")]
    Minute,
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// A quarter of an hour.
    #[serde(rename = "15m")]
    QuarterOfAnHour,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// Three hours.
    #[serde(rename = "3h")]
    ThreeHours,
    /// Half a day.
    #[serde(rename = "12h")]
    HalfADay,
    /// A day.
    #[serde(rename = "1d")]
    Day,
    /// A week, which begins on Monday (ISO 8601).
    #[serde(rename = "1w")]
    Week,
    /// A month.
    #[serde(rename = "1mo")]
    Month,
}

impl Step {
    /// All of them, the shortest first.
    pub const ALL: [Self; 9] = [
        Self::Minute,
        Self::FiveMinutes,
        Self::QuarterOfAnHour,
        Self::Hour,
        Self::ThreeHours,
        Self::HalfADay,
        Self::Day,
        Self::Week,
        Self::Month,
    ];

    /// The name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::QuarterOfAnHour => "15m",
            Self::Hour => "1h",
            Self::ThreeHours => "3h",
            Self::HalfADay => "12h",
            Self::Day => "1d",
            Self::Week => "1w",
            Self::Month => "1mo",
        }
    }

    /// In words, of one part: "per day".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Minute => "per minute",
            Self::FiveMinutes => "per 5 minutes",
            Self::QuarterOfAnHour => "per 15 minutes",
            Self::Hour => "per hour",
            Self::ThreeHours => "per 3 hours",
            Self::HalfADay => "per 12 hours",
            Self::Day => "per day",
            Self::Week => "per week",
            Self::Month => "per month",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Into how many parts a span is divided at most, from 1 to 1,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct BucketsMost(u16);

impl BucketsMost {
    /// Where nothing else was asked for: 100.
    pub const DEFAULT: Self = Self(100);

    /// The number.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl TryFrom<u16> for BucketsMost {
    type Error = &'static str;

    fn try_from(number: u16) -> Result<Self, Self::Error> {
        if (1..=1_000).contains(&number) {
            Ok(Self(number))
        } else {
            Err("a whole number from 1 to 1000")
        }
    }
}

impl From<BucketsMost> for u16 {
    fn from(most: BucketsMost) -> Self {
        most.0
    }
}

impl FromStr for BucketsMost {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: u16 = text.parse().map_err(|_| "a whole number from 1 to 1000")?;
        number.try_into()
    }
}

impl Default for BucketsMost {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// When events occurred is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistogramQuery {
    /// Which events.
    pub filter: Filter,
    /// Into how many parts their time is divided at most.
    pub most: BucketsMost,
}

/// What a histogram has not, because it counts what pages show.
const NOT_HERE: [&str; 4] = ["sort", "order", "limit", "cursor"];

impl HistogramQuery {
    /// Reads a query string (with or without its `?`): what of it could be understood, and what not. An
    /// empty value counts as not given; a parameter that is unknown is a fault.
    pub fn read(text: &str) -> (Self, Vec<Fault>) {
        let text = text.strip_prefix('?').unwrap_or(text);
        let mut asked = Self::default();
        let mut faults: Vec<Fault> = Vec::new();
        let mut rest: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
        let mut is_given = false;
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let is_here = !NOT_HERE.contains(&&*name);
            let taken = match &*name {
                "buckets" if value.is_empty() => continue,
                "buckets" if is_given => Err("may be given once only".to_owned()),
                "buckets" => {
                    is_given = true;
                    let most = value.parse().map(|most| asked.most = most);
                    most.map_err(|accepted: &str| format!("is not {accepted}"))
                }
                known if is_here && PARAMETERS.contains(&known) => {
                    rest.push((name, value));
                    continue;
                }
                _ => {
                    let filters = PARAMETERS.iter().filter(|known| !NOT_HERE.contains(known));
                    let known: Vec<&str> = filters.copied().chain(["buckets"]).collect();
                    let known = known.join(", ");
                    Err(format!(
                        "is no parameter of the histogram; those are {known}"
                    ))
                }
            };
            if let Err(reason) = taken {
                faults.push(Fault {
                    parameter: name.into_owned(),
                    value: value.into_owned(),
                    reason,
                });
            }
        }
        let read = Query::read_pairs(rest.into_iter(), Unknown::Refused);
        asked.filter = read.query.filter;
        faults.extend(read.faults);
        (asked, faults)
    }
}

/// When the events that match occurred, counted in the parts of a span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// The first moment that is told of: the one asked for, else that of the first event that matches.
    pub since: Timestamp,
    /// The last: the one asked for, else now, or that of the last event that matches, where that says that
    /// it occurs later.
    pub until: Timestamp,
    /// In which zone the parts begin.
    pub tz: Zone,
    /// How long the parts are.
    pub step: Step,
    /// The parts, the earliest first. Where counting was ended before its end, those from some time on.
    pub buckets: Vec<Bucket>,
    /// Whether everything was counted: else the parts before those that are told were not.
    pub exact: bool,
}

/// A part of a span, and how many events of which category occurred in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Where it begins: the first may, before the span.
    pub start: Timestamp,
    /// How many there are of each category of which there are any.
    pub counts: BTreeMap<Category, u64>,
}

/// A span divided into parts, each from its start until the next one's; the last one's end is not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// How long they are.
    pub step: Step,
    /// Where each begins, the earliest first: the first of them not after the span's first moment.
    pub starts: Vec<Timestamp>,
}

impl Buckets {
    /// The part that a moment of the span lies in, by its place; none before the first.
    pub fn of(&self, moment: Timestamp) -> Option<usize> {
        let after = self.starts.partition_point(|start| *start <= moment);
        after.checked_sub(1)
    }
}

#[cfg(feature = "zones")]
mod divide {
    use super::{Buckets, BucketsMost, Step, Zone};
    use crate::{question::range::resolve, time::Timestamp};
    use chrono::{
        Datelike, Days, MappedLocalTime, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta,
        TimeZone, Timelike, Utc,
    };
    use chrono_tz::Tz;

    impl Buckets {
        /// Divides the span from `since` to `until`, both included, into the shortest parts of which it needs
        /// no more than `most`; into months, where it has too many of those too.
        ///
        /// A part begins where the zone's clocks show a multiple of the step. Where they are put forward over
        /// one, it begins at the change; where they are put back and show one twice, parts of an hour and
        /// less begin both times, longer ones the first time, so that no part of a day is shown twice.
        pub fn dividing(
            (since, until): (Timestamp, Timestamp),
            zone: &Zone,
            most: BucketsMost,
        ) -> Self {
            let zone = zone.rules();
            let until = until.max(since);
            let divided = |step: Step, most: usize| {
                let starts = starts((since, until), zone, step, most)?;
                Some(Self { step, starts })
            };
            Step::ALL
                .into_iter()
                .find_map(|step| divided(step, most.get()))
                .or_else(|| divided(Step::Month, usize::MAX))
                .unwrap_or_else(|| Self {
                    step: Step::Month,
                    starts: vec![since],
                })
        }
    }

    impl Step {
        /// The multiple at or before a time, and the one after a multiple; none beyond the calendar.
        fn floor(self, time: NaiveDateTime) -> NaiveDateTime {
            let date = time.date();
            let floored = |seconds: u32| {
                let of_day = time.num_seconds_from_midnight();
                let of_day =
                    NaiveTime::from_num_seconds_from_midnight_opt(of_day - of_day % seconds, 0);
                date.and_time(of_day.unwrap_or(NaiveTime::MIN))
            };
            let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN);
            match self.seconds() {
                Some(seconds) => floored(seconds),
                None => match self {
                    Self::Week => {
                        let since = u64::from(date.weekday().num_days_from_monday());
                        midnight(date.checked_sub_days(Days::new(since)).unwrap_or(date))
                    }
                    Self::Month => midnight(date.with_day(1).unwrap_or(date)),
                    _ => midnight(date),
                },
            }
        }

        fn next(self, time: NaiveDateTime) -> Option<NaiveDateTime> {
            match self.seconds() {
                Some(seconds) => time.checked_add_signed(TimeDelta::seconds(i64::from(seconds))),
                None => match self {
                    Self::Week => time.checked_add_days(Days::new(7)),
                    Self::Month => time.checked_add_months(Months::new(1)),
                    _ => time.checked_add_days(Days::new(1)),
                },
            }
        }

        /// How long it is, where it is a part of a day.
        const fn seconds(self) -> Option<u32> {
            match self {
                Self::Minute => Some(60),
                Self::FiveMinutes => Some(5 * 60),
                Self::QuarterOfAnHour => Some(15 * 60),
                Self::Hour => Some(60 * 60),
                Self::ThreeHours => Some(3 * 60 * 60),
                Self::HalfADay => Some(12 * 60 * 60),
                Self::Day | Self::Week | Self::Month => None,
            }
        }
    }

    /// Where the parts begin; none where there are more than `most`.
    fn starts(
        (since, until): (Timestamp, Timestamp),
        zone: Tz,
        step: Step,
        most: usize,
    ) -> Option<Vec<Timestamp>> {
        // Clocks are put back by three hours at most (and by a day, where a zone changed the side of the date
        // line): whatever they show in that time, no start at or before `since` is missed.
        let early = since.plus(-TimeDelta::hours(27));
        let mut time = step.floor(early.datetime().with_timezone(&zone).naive_local());
        let mut starts: Vec<Timestamp> = Vec::new();
        let mut before = None;
        loop {
            let (first, again) = match zone.from_local_datetime(&time) {
                MappedLocalTime::Ambiguous(at, again) if step <= Step::Hour => (
                    at.with_timezone(&Utc).into(),
                    Some(again.with_timezone(&Utc).into()),
                ),
                MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => {
                    (at.with_timezone(&Utc).into(), None)
                }
                MappedLocalTime::None => (resolve::after_gap(time, zone), None),
            };
            let is_past = first > until;
            for start in [Some(first), again].into_iter().flatten() {
                if start <= since {
                    before = before.max(Some(start));
                } else if start <= until {
                    starts.push(start);
                }
            }
            if starts.len() > most.saturating_add(200) {
                return None;
            }
            match step.next(time) {
                Some(next) if !is_past => time = next,
                _ => break,
            }
        }
        starts.extend(before);
        starts.sort_unstable();
        starts.dedup();
        (starts.len() <= most).then_some(starts)
    }
}

#[cfg(all(test, feature = "zones"))]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::question::Moment;
    use chrono::{NaiveDate, TimeDelta};
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn divided(since: &str, until: &str, zone: &str, most: u16) -> Buckets {
        let span = (at(since), at(until));
        Buckets::dividing(span, &zone.parse().unwrap(), most.try_into().unwrap())
    }

    fn shown(buckets: &Buckets, zone: &str) -> Vec<String> {
        let zone: Zone = zone.parse().unwrap();
        let local = |start: &Timestamp| start.datetime().with_timezone(&zone.rules());
        let starts = buckets.starts.iter().map(local);
        starts
            .map(|start| start.format("%m-%d %H:%M %:z").to_string())
            .collect()
    }

    #[test]
    fn the_finest_step_is_taken_that_needs_no_more_buckets_than_asked_for() {
        let step = |until: &str, most| divided("2026-05-01T00:00:00Z", until, "UTC", most).step;
        assert_eq!(step("2026-05-01T01:39:59Z", 100), Step::Minute);
        assert_eq!(step("2026-05-01T01:40:00Z", 100), Step::FiveMinutes);
        assert_eq!(step("2026-05-01T23:59:59Z", 100), Step::QuarterOfAnHour);
        assert_eq!(step("2026-05-01T23:59:59Z", 24), Step::Hour);
        assert_eq!(step("2026-05-07T23:59:59Z", 100), Step::ThreeHours);
        assert_eq!(step("2026-05-30T23:59:59Z", 100), Step::HalfADay);
        assert_eq!(step("2026-07-30T23:59:59Z", 100), Step::Day);
        assert_eq!(step("2027-05-30T23:59:59Z", 100), Step::Week);
        assert_eq!(step("2031-05-30T23:59:59Z", 100), Step::Month);
        assert_eq!(step("2026-05-01T00:00:00Z", 1), Step::Minute);
    }

    #[test]
    fn of_too_many_months_there_are_as_many_as_there_are() {
        let buckets = divided("2000-01-15T00:00:00Z", "2025-12-31T00:00:00Z", "UTC", 100);
        assert_eq!((buckets.step, buckets.starts.len()), (Step::Month, 26 * 12));
        assert_eq!(buckets.starts[0], at("2000-01-01T00:00:00Z"));
    }

    #[test]
    fn days_of_kathmandu_begin_at_a_quarter_past_six_in_the_evening() {
        let kathmandu = "Asia/Kathmandu";
        let buckets = divided("2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z", kathmandu, 4);
        assert_eq!(buckets.step, Step::Day);
        let starts = [
            "2026-04-30T18:15:00Z",
            "2026-05-01T18:15:00Z",
            "2026-05-02T18:15:00Z",
        ];
        assert_eq!(buckets.starts, starts.map(at));
    }

    #[test]
    fn the_days_of_lord_howe_island_on_which_clocks_change_are_half_an_hour_longer_and_shorter() {
        let zone = "Australia/Lord_Howe";
        let days = |since, until| {
            let buckets = divided(since, until, zone, 4);
            assert_eq!(buckets.step, Step::Day);
            let days = buckets.starts.windows(2);
            days.map(|two| (two[1].micros() - two[0].micros()) / 60_000_000)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            days("2026-04-03T14:00:00Z", "2026-04-06T14:00:00Z"),
            [1_440, 1_470, 1_440]
        );
        assert_eq!(
            days("2026-10-02T14:00:00Z", "2026-10-05T14:00:00Z"),
            [1_440, 1_410, 1_440]
        );
        // The hour in which they are put back by half an hour has ninety minutes.
        let hours = divided("2026-04-04T13:00:00Z", "2026-04-04T17:00:00Z", zone, 5);
        let expected = [
            "04-05 00:00 +11:00",
            "04-05 01:00 +11:00",
            "04-05 02:00 +10:30",
            "04-05 03:00 +10:30",
        ];
        assert_eq!(shown(&hours, zone), expected);
    }

    #[test]
    fn an_hour_that_comes_twice_is_shown_twice_and_one_that_never_comes_is_not() {
        let oslo = "Europe/Oslo";
        let twice = divided("2026-10-24T23:00:00Z", "2026-10-25T02:59:59Z", oslo, 4);
        let expected = [
            "10-25 01:00 +02:00",
            "10-25 02:00 +02:00",
            "10-25 02:00 +01:00",
            "10-25 03:00 +01:00",
        ];
        assert_eq!(shown(&twice, oslo), expected);
        let never = divided("2026-03-29T00:00:00Z", "2026-03-29T01:59:59Z", oslo, 2);
        assert_eq!(
            shown(&never, oslo),
            ["03-29 01:00 +01:00", "03-29 03:00 +02:00"]
        );
        // Longer parts are as they are on other days, and take an hour more or less.
        let parts = divided("2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", oslo, 8);
        assert_eq!((parts.step, parts.starts.len()), (Step::ThreeHours, 8));
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let weeks = divided("2026-05-01T00:00:00Z", "2026-05-31T23:59:59Z", "UTC", 5);
        assert_eq!(
            (weeks.step, weeks.starts[0]),
            (Step::Week, at("2026-04-27T00:00:00Z"))
        );
        let months = divided("2026-05-20T00:00:00Z", "2026-07-01T00:00:00Z", "UTC", 3);
        let firsts = [
            "2026-05-01T00:00:00Z",
            "2026-06-01T00:00:00Z",
            "2026-07-01T00:00:00Z",
        ];
        assert_eq!(months.starts, firsts.map(at));
    }

    #[test]
    fn a_number_of_buckets_is_from_1_to_1000() {
        for text in ["0", "1001", "-1", "many", "1.5", ""] {
            assert!(text.parse::<BucketsMost>().is_err(), "{text}");
        }
        assert_eq!(
            "1000".parse::<BucketsMost>().map(BucketsMost::get),
            Ok(1_000)
        );
    }

    #[test]
    fn a_histogram_is_asked_for_with_a_filter_and_a_number_of_buckets() {
        let (asked, faults) = HistogramQuery::read("?category=members&range=30d&buckets=60&q=");
        assert_eq!(faults, []);
        assert_eq!(asked.most.get(), 60);
        assert_eq!(asked.filter.names(), ["category", "range"]);
        assert_eq!(HistogramQuery::read("").0.most.get(), 100);
        for (text, parameter, words) in [
            ("buckets=0", "buckets", "from 1 to 1000"),
            ("buckets=3&buckets=4", "buckets", "once"),
            ("sort=actor", "sort", "no parameter of the histogram"),
            (
                "limit=5",
                "limit",
                "operation, since, until, range, tz, buckets",
            ),
            ("colour=red", "colour", "no parameter"),
            ("verb=fly", "verb", ""),
        ] {
            let (_, faults) = HistogramQuery::read(text);
            assert_eq!(faults.len(), 1, "{text}");
            assert_eq!(faults[0].parameter, parameter);
            assert!(faults[0].reason.contains(words), "{text}: {faults:?}");
        }
    }

    fn zone() -> impl Strategy<Value = Zone> {
        let names: Vec<&'static str> = chrono_tz::TZ_VARIANTS
            .iter()
            .map(|zone| zone.name())
            .collect();
        proptest::sample::select(names).prop_map(|name| name.parse().unwrap())
    }

    proptest! {
        #[test]
        fn a_span_is_divided_without_a_gap(
            zone in zone(),
            since in 0_i64..2_000_000_000_000_000,
            seconds in prop_oneof![0_i64..100_000, 0_i64..10_000_000, 0_i64..300_000_000],
            most in 1_u16..=300,
        ) {
            let since = Timestamp::from_micros(since);
            let until = since.plus(TimeDelta::seconds(seconds));
            let most: BucketsMost = most.try_into().unwrap();
            let buckets = Buckets::dividing((since, until), &zone, most);
            let starts = &buckets.starts;
            prop_assert!(starts.is_sorted_by(|one, next| one < next));
            prop_assert!(starts[0] <= since);
            prop_assert!(starts.get(1).is_none_or(|next| *next > since));
            prop_assert!(starts.last().is_some_and(|last| *last <= until));
            prop_assert!(starts.len() <= most.get() || buckets.step == Step::Month);
            prop_assert_eq!(buckets.of(since), Some(0));
            prop_assert_eq!(buckets.of(until), Some(starts.len() - 1));
        }

        #[test]
        fn a_day_begins_where_a_filter_has_it_begin(
            zone in zone(),
            day in 0_i64..20_000,
        ) {
            let begin: NaiveDate = "1971-01-01".parse().unwrap();
            let date = |days: i64| Moment::Date(begin + TimeDelta::days(day + days));
            let rules = zone.rules();
            let (since, until) = (date(0).first_instant(rules), date(9).last_instant(rules));
            let most = BucketsMost::try_from(10).unwrap();
            let buckets = Buckets::dividing((since, until), &zone, most);
            prop_assert_eq!(buckets.step, Step::Day);
            let mut days: Vec<_> = (0..10).map(|days| date(days).first_instant(rules)).collect();
            // A day that a zone left out, where it changed the side of the date line, has no length.
            days.dedup();
            prop_assert_eq!(buckets.starts, days);
        }
    }
}

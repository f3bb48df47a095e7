//! How long the events of a workspace are kept.

use crate::time::Timestamp;
use chrono::{Months, TimeDelta};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, str::FromStr};

/// How long events are kept: `1d` to `365d`, `1y` to `10y`, or `forever`. A day is 24 hours, a year
/// a calendar year in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Retention {
    /// So many days, 1 to 365.
    Days(u16),
    /// So many years, 1 to 10.
    Years(u8),
    /// For the lifetime of the workspace.
    Forever,
}

/// A text is not a retention.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a retention; write 1d to 365d, 1y to 10y, or forever")]
pub struct RetentionError;

impl Retention {
    /// What a new workspace begins with.
    pub const DEFAULT: Self = Self::Days(90);

    /// The first moment that is kept at `now`: what occurred before it is expired. None: nothing
    /// ever expires.
    pub fn keeps_from(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Days(days) => Some(now.plus(-TimeDelta::days(days.into()))),
            Self::Years(years) => Some(
                now.datetime()
                    .checked_sub_months(Months::new(u32::from(years) * 12))
                    .map_or(Timestamp::MIN, Timestamp::from),
            ),
            Self::Forever => None,
        }
    }

    /// In words: "90 days", "1 year", "the lifetime of the workspace".
    pub fn words(self) -> String {
        match self {
            Self::Days(1) => "1 day".to_owned(),
            Self::Days(days) => format!("{days} days"),
            Self::Years(1) => "1 year".to_owned(),
            Self::Years(years) => format!("{years} years"),
            Self::Forever => "the lifetime of the workspace".to_owned(),
        }
    }

    /// Length for comparing: days, a year as the 365.25 that its calendar comes to.
    fn quarter_days(self) -> u32 {
        match self {
            Self::Days(days) => u32::from(days) * 4,
            Self::Years(years) => u32::from(years) * 1_461,
            Self::Forever => u32::MAX,
        }
    }
}

impl PartialOrd for Retention {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Retention {
    fn cmp(&self, other: &Self) -> Ordering {
        self.quarter_days().cmp(&other.quarter_days())
    }
}

impl FromStr for Retention {
    type Err = RetentionError;

    fn from_str(text: &str) -> Result<Self, RetentionError> {
        let number = |digits: &str| {
            let plain =
                !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
            if plain {
                digits.parse::<u16>().ok()
            } else {
                None
            }
        };
        if text == "forever" {
            return Ok(Self::Forever);
        }
        if let Some(days) = text
            .strip_suffix('d')
            .and_then(number)
            .filter(|days| *days <= 365)
        {
            return Ok(Self::Days(days));
        }
        text.strip_suffix('y')
            .and_then(number)
            .filter(|years| *years <= 10)
            .and_then(|years| u8::try_from(years).ok())
            .map(Self::Years)
            .ok_or(RetentionError)
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days}d"),
            Self::Years(years) => write!(f, "{years}y"),
            Self::Forever => f.write_str("forever"),
        }
    }
}

impl TryFrom<String> for Retention {
    type Error = RetentionError;

    fn try_from(text: String) -> Result<Self, RetentionError> {
        text.parse()
    }
}

impl From<Retention> for String {
    fn from(retention: Retention) -> Self {
        retention.to_string()
    }
}

/// What an operator allows the workspaces of a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The least that is kept, whatever owners set.
    pub floor: Option<Retention>,
    /// The most that is kept, whatever owners set.
    pub cap: Option<Retention>,
}

/// A plan's floor is above its cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the least retention ({floor}) is longer than the most ({cap})")]
pub struct PlanError {
    /// The floor asked for.
    pub floor: Retention,
    /// The cap asked for.
    pub cap: Retention,
}

impl Plan {
    /// A plan, where floor and cap agree.
    ///
    /// # Errors
    ///
    /// The floor is above the cap.
    pub fn new(floor: Option<Retention>, cap: Option<Retention>) -> Result<Self, PlanError> {
        match (floor, cap) {
            (Some(floor), Some(cap)) if floor > cap => Err(PlanError { floor, cap }),
            _ => Ok(Self { floor, cap }),
        }
    }

    /// What holds: the setting, raised to the floor, lowered to the cap.
    pub fn holds(self, setting: Retention) -> Retention {
        let raised = self.floor.map_or(setting, |floor| setting.max(floor));
        self.cap.map_or(raised, |cap| raised.min(cap))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn keeps_from(retention: &str, now: &str) -> Option<String> {
        let retention: Retention = retention.parse().unwrap();
        retention
            .keeps_from(now.parse().unwrap())
            .map(|time| time.to_string())
    }

    #[test]
    fn days_years_and_for_ever_are_read_and_written() {
        for text in ["1d", "365d", "1y", "10y", "forever"] {
            assert_eq!(text.parse::<Retention>().unwrap().to_string(), text);
        }
        for text in [
            "0d", "366d", "0y", "11y", "90", "d", "-1d", "01d", "90 d", "ever", "1.5y",
        ] {
            assert!(text.parse::<Retention>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_is_24_hours_and_a_year_goes_by_the_calendar() {
        let now = "2024-02-29T12:00:00Z";
        assert_eq!(
            keeps_from("1d", now).as_deref(),
            Some("2024-02-28T12:00:00.000000Z")
        );
        assert_eq!(
            keeps_from("1y", now).as_deref(),
            Some("2023-02-28T12:00:00.000000Z")
        );
        assert_eq!(
            keeps_from("4y", now).as_deref(),
            Some("2020-02-29T12:00:00.000000Z")
        );
        assert_eq!(keeps_from("forever", now), None);
    }

    #[test]
    fn a_plan_raises_and_lowers_what_owners_set() {
        let [days, year, ever] = ["90d", "1y", "forever"].map(|text| text.parse().unwrap());
        let plan = Plan::new(Some(days), Some(year)).unwrap();
        assert_eq!(plan.holds(Retention::Days(7)), days);
        assert_eq!(plan.holds(ever), year);
        assert_eq!(plan.holds(Retention::Days(200)), Retention::Days(200));
        assert!(Plan::new(Some(ever), Some(year)).is_err());
    }

    #[test]
    fn a_year_is_longer_than_365_days() {
        assert!(Retention::Years(1) > Retention::Days(365));
    }
}

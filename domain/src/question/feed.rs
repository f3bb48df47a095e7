//! Following a log: which events after which number, in the order in which they arrived.

use super::{Fault, Filter, Limit, Query, Unknown, parameters::PARAMETERS};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Duration};

/// How long is waited for something new at most: 0 to 30 seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Wait(u8);

impl Wait {
    /// The longest.
    pub const MOST: Self = Self(30);

    /// How long that is.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }

    /// Whether nothing is waited for.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl TryFrom<u8> for Wait {
    type Error = &'static str;

    fn try_from(seconds: u8) -> Result<Self, Self::Error> {
        if seconds <= Self::MOST.0 {
            Ok(Self(seconds))
        } else {
            Err("a whole number of seconds from 0 to 30")
        }
    }
}

impl From<Wait> for u8 {
    fn from(wait: Wait) -> Self {
        wait.0
    }
}

/// What a follower asks: what arrived after a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedQuery {
    /// The last number that the follower has looked at; 0: none yet.
    pub after: u64,
    /// How long to wait where nothing is new.
    pub wait: Wait,
    /// Which events.
    pub filter: Filter,
    /// How many at once; none: 50.
    pub limit: Option<Limit>,
}

/// What a follower says beside the filter.
const OWN: [&str; 2] = ["after", "wait"];
/// What a feed has not, because it has one order and no pages.
const NOT_HERE: [&str; 3] = ["sort", "order", "cursor"];

impl FeedQuery {
    /// How many events are asked for at once.
    pub fn most(&self) -> usize {
        self.limit.unwrap_or(Limit::DEFAULT).get()
    }

    /// Reads a query string (with or without its `?`): what of it could be understood, and what
    /// not. An empty value counts as not given; a parameter that is unknown is a fault.
    pub fn read(text: &str) -> (Self, Vec<Fault>) {
        let text = text.strip_prefix('?').unwrap_or(text);
        let mut asked = Self::default();
        let mut faults: Vec<Fault> = Vec::new();
        let mut rest: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
        let mut seen: Vec<Cow<'_, str>> = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let taken = match &*name {
                "after" | "wait" if value.is_empty() => continue,
                "after" | "wait" if seen.contains(&name) => {
                    Err("may be given once only".to_owned())
                }
                "after" => number(&value).map(|after| asked.after = after),
                "wait" => seconds(&value).map(|wait| asked.wait = wait),
                known if PARAMETERS.contains(&known) && !NOT_HERE.contains(&known) => {
                    rest.push((name, value));
                    continue;
                }
                _ => Err(unknown()),
            };
            if let Err(reason) = taken {
                faults.push(Fault {
                    parameter: name.clone().into_owned(),
                    value: value.into_owned(),
                    reason,
                });
            }
            seen.push(name);
        }
        let read = Query::read_pairs(rest.into_iter(), Unknown::Refused);
        asked.filter = read.query.filter;
        asked.limit = read.query.limit;
        faults.extend(read.faults);
        (asked, faults)
    }
}

fn number(value: &str) -> Result<u64, String> {
    let number = value.parse::<i64>().ok();
    number
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| "is not the number of an event: a whole number, 0 for the start".to_owned())
}

fn seconds(value: &str) -> Result<Wait, String> {
    let seconds = value.parse::<u8>().ok();
    seconds
        .and_then(|seconds| Wait::try_from(seconds).ok())
        .ok_or_else(|| "is not a whole number of seconds from 0 to 30".to_owned())
}

fn unknown() -> String {
    let filters = PARAMETERS.iter().filter(|name| !NOT_HERE.contains(name));
    let known: Vec<&str> = OWN.iter().chain(filters).copied().collect();
    format!("is no parameter of a feed; those are {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_says_where_it_is_what_it_wants_and_how_long_it_waits() {
        let (asked, faults) = FeedQuery::read("?after=48211&wait=30&limit=500&category=members");
        assert_eq!(faults, []);
        assert_eq!(asked.after, 48_211);
        assert_eq!(asked.wait.duration(), Duration::from_secs(30));
        assert_eq!(asked.most(), 500);
        assert_eq!(asked.filter.category.len(), 1);
        assert_eq!(FeedQuery::read("after=&wait=&q="), FeedQuery::read(""));
    }

    #[test]
    fn what_is_not_taken_is_named() {
        for (text, parameter, words) in [
            ("after=-1", "after", "whole number"),
            ("after=x", "after", "whole number"),
            ("after=9223372036854775808", "after", "whole number"),
            ("after=1&after=2", "after", "once"),
            ("wait=31", "wait", "from 0 to 30"),
            ("wait=1.5", "wait", "from 0 to 30"),
            ("limit=0", "limit", "from 1 to 500"),
            ("sort=actor", "sort", "no parameter of a feed"),
            ("order=asc", "order", "no parameter of a feed"),
            ("cursor=abc", "cursor", "no parameter of a feed"),
            ("colour=red", "colour", "after, wait, workspace"),
            ("outcome=maybe", "outcome", "success, failure, denied"),
        ] {
            let (_, faults) = FeedQuery::read(text);
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert_eq!(faults[0].parameter, parameter, "{text}");
            assert!(faults[0].reason.contains(words), "{text}: {faults:?}");
        }
    }

    #[test]
    fn one_fault_does_not_hide_the_rest() {
        let (asked, faults) = FeedQuery::read("after=7&wait=99&q=kim");
        assert_eq!(faults.len(), 1);
        assert_eq!((asked.after, asked.wait), (7, Wait::default()));
        assert_eq!(asked.filter.q.as_deref(), Some("kim"));
    }
}

//! What is asked of an object's history: of which moment, compared with which, and of which field. Its
//! one textual form is the query string, as for every other question.

use super::{Fault, Moment, Unknown, Zone};
use crate::{json::Path, slug::Slug};
use std::{borrow::Cow, fmt::Display, str::FromStr};

/// What is asked of an object's history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlameParameters {
    /// The workspace that the object is in (in a tenant's scope only).
    pub workspace: Option<Slug>,
    /// The moment that is asked for, what happened at it included; none: now.
    pub at: Option<Moment>,
    /// An earlier moment to compare with (on pages only).
    pub compare: Option<Moment>,
    /// The field whose whole history is asked for.
    pub field: Option<Path>,
    /// Whether fields that are gone are asked for too.
    pub removed: bool,
    /// In which zone times are read and shown (on pages only); none: UTC.
    pub tz: Option<Zone>,
}

/// Those that programs give.
const PARAMETERS: [&str; 4] = ["workspace", "at", "field", "removed"];

impl BlameParameters {
    /// Reads a query string (with or without its `?`): what of it could be understood, and what not. An
    /// empty value counts as not given. Programs are refused what they do not know; a page's address has
    /// `compare` and `tz` too, and may carry more.
    pub fn read(text: &str, unknown: Unknown) -> (Self, Vec<Fault>) {
        let text = text.strip_prefix('?').unwrap_or(text);
        Self::read_pairs(form_urlencoded::parse(text.as_bytes()), unknown)
    }

    /// Reads parameters.
    pub fn read_pairs<'a>(
        pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
        unknown: Unknown,
    ) -> (Self, Vec<Fault>) {
        let mut asked = Self::default();
        let mut faults = Vec::new();
        let mut seen: Vec<Cow<'_, str>> = Vec::new();
        let is_page = unknown == Unknown::Ignored;
        for (name, value) in pairs {
            let is_known = PARAMETERS.contains(&&*name);
            let taken = match &*name {
                _ if value.is_empty() && is_known => continue,
                _ if is_known && seen.contains(&name) => Err("may be given once only".to_owned()),
                "workspace" => read(&value).map(|slug| asked.workspace = Some(slug)),
                "at" => read(&value).map(|at| asked.at = Some(at)),
                "field" => read(&value).map(|path| asked.field = Some(path)),
                "removed" => truth(&value).map(|removed| asked.removed = removed),
                "compare" if is_page && !value.is_empty() => {
                    read(&value).map(|compare| asked.compare = Some(compare))
                }
                "tz" if is_page && !value.is_empty() => read(&value).map(|tz| asked.tz = Some(tz)),
                _ if is_page => continue,
                _ => {
                    let known = PARAMETERS.join(", ");
                    Err(format!("is no parameter of blame; those are {known}"))
                }
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
        (asked, faults)
    }

    /// The zone in which times are read.
    pub fn zone(&self) -> Zone {
        self.tz.clone().unwrap_or_else(Zone::utc)
    }

    /// The names of what is given.
    pub fn names(&self) -> Vec<&'static str> {
        let given = [
            ("at", self.at.is_some()),
            ("compare", self.compare.is_some()),
            ("field", self.field.is_some()),
            ("removed", self.removed),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(name, _)| name).collect()
    }

    /// What the fold is asked. A date stands for its end, in the zone; of two moments the later one is
    /// told of, and compared with the other.
    #[cfg(feature = "zones")]
    pub fn asked(&self) -> crate::blame::Asked {
        let zone = self.zone().rules();
        let instant = |moment: Option<Moment>| moment.map(|moment| moment.last_instant(zone));
        let (at, compare) = match (instant(self.at), instant(self.compare)) {
            (Some(at), Some(compare)) if at < compare => (Some(compare), Some(at)),
            moments => moments,
        };
        crate::blame::Asked {
            at,
            compare,
            field: self.field.clone(),
        }
    }
}

fn read<T: FromStr<Err: Display>>(value: &str) -> Result<T, String> {
    value.parse().map_err(|error: T::Err| error.to_string())
}

fn truth(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_which_moment_and_which_field_it_wants() {
        let text = "at=2026-05-12T09:14:03Z&field=credentials%5B%22a.b%22%5D&removed=true";
        let (asked, faults) = BlameParameters::read(text, Unknown::Refused);
        assert_eq!(faults, []);
        assert_eq!(
            asked.field.as_ref().map(Path::to_string).as_deref(),
            Some("credentials[\"a.b\"]")
        );
        assert!(asked.removed);
        assert_eq!(asked.names(), ["at", "field", "removed"]);
        let empty = BlameParameters::read("at=&field=&removed=&workspace=", Unknown::Refused);
        assert_eq!(empty, (BlameParameters::default(), Vec::new()));
    }

    #[test]
    fn what_is_not_taken_is_named() {
        for (text, parameter, words) in [
            ("at=yesterday", "at", "not a date"),
            ("field=a..b", "field", "not a path"),
            ("removed=1", "removed", "true or false"),
            ("workspace=A", "workspace", ""),
            ("at=2026-05-12&at=2026-05-13", "at", "once"),
            (
                "compare=2026-05-12",
                "compare",
                "workspace, at, field, removed",
            ),
            ("colour=red", "colour", "no parameter of blame"),
        ] {
            let (_, faults) = BlameParameters::read(text, Unknown::Refused);
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert_eq!(faults[0].parameter, parameter, "{text}");
            assert!(faults[0].reason.contains(words), "{text}: {faults:?}");
        }
    }

    #[test]
    fn a_page_may_be_asked_to_compare_and_carries_more() {
        let text = "at=2026-05-12&compare=2026-05-01&tz=UTC&open=7&compare=";
        let (asked, faults) = BlameParameters::read(text, Unknown::Ignored);
        assert_eq!(faults, []);
        assert!(asked.compare.is_some() && asked.tz.is_some());
        let (_, faults) = BlameParameters::read("compare=soon", Unknown::Ignored);
        assert_eq!(faults.len(), 1);
    }

    #[cfg(feature = "zones")]
    #[test]
    fn the_later_of_two_moments_is_compared_with_the_earlier_and_a_date_is_its_end() {
        let read = |text| BlameParameters::read(text, Unknown::Ignored).0.asked();
        let one = read("at=2026-05-12&compare=2026-05-01&tz=Europe/Oslo");
        assert_eq!(one, read("at=2026-05-01&compare=2026-05-12&tz=Europe/Oslo"));
        let at = one.at.map(|at| at.to_string());
        assert_eq!(at.as_deref(), Some("2026-05-12T21:59:59.999999Z"));
        let now = read("compare=2026-05-01");
        assert_eq!(now.at, None);
        assert!(now.compare.is_some());
    }
}

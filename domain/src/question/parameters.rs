//! The textual form of a question: the parameters of a query string, read and written.

use super::{Filter, Limit, Query};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt::Display, str::FromStr};

/// How many values a parameter may have.
const VALUES_MOST: usize = 100;
/// How many characters a value may have.
const TEXT_MOST: usize = 512;

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its name.
    pub parameter: String,
    /// What was given.
    pub value: String,
    /// What is wrong, and what is accepted.
    pub reason: String,
}

/// A question as read: what of it could be understood, and what not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// The question, without what could not be understood.
    pub query: Query,
    /// What could not be understood.
    pub faults: Vec<Fault>,
}

/// What becomes of a parameter that nothing knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It is a fault: in the API and on the command line.
    Refused,
    /// It is passed over: on pages, whose addresses carry more than the question.
    Ignored,
}

/// The parameters that make a question, in the order in which they are written.
pub const PARAMETERS: [&str; 21] = [
    "workspace",
    "category",
    "verb",
    "action",
    "outcome",
    "actor",
    "actor_id",
    "actor_kind",
    "via_id",
    "target_kind",
    "target_id",
    "q",
    "operation",
    "since",
    "until",
    "range",
    "tz",
    "sort",
    "order",
    "limit",
    "cursor",
];

impl Query {
    /// Reads a query string (`application/x-www-form-urlencoded`, with or without its `?`).
    pub fn read(text: &str, unknown: Unknown) -> Read {
        let text = text.strip_prefix('?').unwrap_or(text);
        Self::read_pairs(form_urlencoded::parse(text.as_bytes()), unknown)
    }

    /// Reads parameters. An empty value counts as not given.
    pub fn read_pairs<'a>(
        pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
        unknown: Unknown,
    ) -> Read {
        let mut read = Read::default();
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in pairs {
            if !PARAMETERS.contains(&name.as_ref()) {
                if unknown == Unknown::Refused {
                    let reason = format!("is no parameter; those are {}", PARAMETERS.join(", "));
                    read.fault(&name, &value, reason);
                }
                continue;
            }
            if value.is_empty() {
                continue;
            }
            if value.chars().count() > TEXT_MOST && name != "cursor" {
                let reason = format!("is longer than {TEXT_MOST} characters");
                read.fault(&name, &value, reason);
                continue;
            }
            let repeated = seen.iter().any(|other| *other == name);
            read.take(&name, &value, repeated);
            seen.push(name.into_owned());
        }
        let filter = &read.query.filter;
        if let Some(range) = filter.range
            && (filter.since.is_some() || filter.until.is_some())
        {
            read.query.filter.range = None;
            let reason = "stands for since and until; give either it or them".to_owned();
            read.fault("range", range.as_str(), reason);
        }
        read
    }

    /// The parameters of this question, those that have a value, always in the same order.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let filter = &self.filter;
        let mut pairs = Vec::new();
        let mut add = |name: &'static str, values: Vec<String>| {
            pairs.extend(values.into_iter().map(|value| (name, value)));
        };
        add("workspace", texts(&filter.workspace));
        add("category", texts(&filter.category));
        add("verb", texts(&filter.verb));
        add("action", texts(&filter.action));
        add("outcome", texts(&filter.outcome));
        add("actor", texts(&filter.actor));
        add("actor_id", texts(&filter.actor_id));
        add("actor_kind", texts(&filter.actor_kind));
        add("via_id", texts(&filter.via_id));
        add("target_kind", texts(&filter.target_kind));
        add("target_id", texts(&filter.target_id));
        add("q", texts(&filter.q));
        add("operation", texts(&filter.operation));
        add("since", texts(&filter.since));
        add("until", texts(&filter.until));
        add("range", texts(&filter.range));
        add("tz", texts(&filter.tz));
        if self.sort != super::Sort::Time {
            add("sort", vec![self.sort.to_string()]);
        }
        if self.direction() != self.sort.usual_order() {
            add("order", vec![self.direction().to_string()]);
        }
        add("limit", texts(&self.limit.map(u16::from)));
        add("cursor", texts(&self.cursor));
        pairs
    }

    /// The query string of this question, without `?`; empty for the plain question.
    pub fn query_string(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.pairs())
            .finish()
    }
}

impl Filter {
    /// The names of the parameters that this filter uses, in their order, each once.
    pub fn names(&self) -> Vec<&'static str> {
        let query = Query {
            filter: self.clone(),
            ..Query::default()
        };
        let mut names: Vec<_> = query.pairs().into_iter().map(|(name, _)| name).collect();
        names.dedup();
        names
    }
}

fn texts<'a, T: Display + 'a>(values: impl IntoIterator<Item = &'a T>) -> Vec<String> {
    values.into_iter().map(ToString::to_string).collect()
}

impl Read {
    fn fault(&mut self, parameter: &str, value: &str, reason: String) {
        self.faults.push(Fault {
            parameter: parameter.to_owned(),
            value: value.to_owned(),
            reason,
        });
    }

    fn take(&mut self, name: &str, value: &str, repeated: bool) {
        let query = &mut self.query;
        let filter = &mut query.filter;
        let taken = match name {
            "workspace" => push(&mut filter.workspace, value),
            "category" => push(&mut filter.category, value),
            "verb" => push(&mut filter.verb, value),
            "action" => push(&mut filter.action, value),
            "outcome" => push(&mut filter.outcome, value),
            "actor_id" => push(&mut filter.actor_id, value),
            "actor_kind" => push(&mut filter.actor_kind, value),
            "via_id" => push(&mut filter.via_id, value),
            "target_kind" => push(&mut filter.target_kind, value),
            "target_id" => push(&mut filter.target_id, value),
            _ if repeated => Err("may be given once only".to_owned()),
            "actor" => set(&mut filter.actor, value),
            "q" => set(&mut filter.q, value),
            "operation" => set(&mut filter.operation, value),
            "since" => set(&mut filter.since, value),
            "until" => set(&mut filter.until, value),
            "range" => set(&mut filter.range, value),
            "tz" => set(&mut filter.tz, value),
            "order" => set(&mut query.order, value),
            "cursor" => set(&mut query.cursor, value),
            "sort" => parse(value).map(|sort| query.sort = sort),
            "limit" => value
                .parse::<u16>()
                .ok()
                .and_then(|number| Limit::try_from(number).ok())
                .map(|limit| query.limit = Some(limit))
                .ok_or_else(|| "is not a whole number from 1 to 500".to_owned()),
            _ => Ok(()),
        };
        if let Err(reason) = taken {
            self.fault(name, value, reason);
        }
    }
}

fn parse<T: FromStr<Err: Display>>(value: &str) -> Result<T, String> {
    value.parse().map_err(|error: T::Err| error.to_string())
}

fn set<T: FromStr<Err: Display>>(field: &mut Option<T>, value: &str) -> Result<(), String> {
    *field = Some(parse(value)?);
    Ok(())
}

fn push<T: FromStr<Err: Display> + PartialEq>(
    list: &mut Vec<T>,
    value: &str,
) -> Result<(), String> {
    let value = parse(value)?;
    if list.contains(&value) {
        return Ok(());
    }
    if list.len() == VALUES_MOST {
        return Err(format!("has more than {VALUES_MOST} values"));
    }
    list.push(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Read {
        Query::read(text, Unknown::Refused)
    }

    #[test]
    fn a_question_is_its_query_string() {
        let text = "category=members&category=auth_tokens&actor=kim+%26+co&actor_kind=system\
                    &since=2026-05-01&until=2026-05-12T10%3A30%3A00&tz=Europe%2FOslo\
                    &sort=actor&order=desc&limit=20";
        let question = read(text);
        assert_eq!(question.faults, []);
        assert_eq!(question.query.query_string(), text);
    }

    #[test]
    fn an_empty_value_counts_as_not_given() {
        assert_eq!(
            read("q=&actor=&verb=&since=&limit=&cursor="),
            Read::default()
        );
    }

    #[test]
    fn a_bad_value_is_named_and_the_others_are_kept() {
        let question = read("q=kim&outcome=maybe&limit=501&since=soon&tz=Mars%2FBase&order=up");
        let names: Vec<_> = question
            .faults
            .iter()
            .map(|fault| fault.parameter.as_str())
            .collect();
        assert_eq!(names, ["outcome", "limit", "since", "tz", "order"]);
        assert!(
            question.faults[0]
                .reason
                .contains("success, failure, denied")
        );
        assert_eq!(question.query.filter.q.as_deref(), Some("kim"));
    }

    #[test]
    fn an_unknown_parameter_is_refused_in_the_api_and_ignored_on_pages() {
        assert_eq!(read("colour=red").faults.len(), 1);
        assert_eq!(
            Query::read("colour=red&open=x", Unknown::Ignored),
            Read::default()
        );
    }

    #[test]
    fn a_range_together_with_since_is_refused() {
        assert_eq!(
            read("range=7d&since=2026-01-01").faults[0].parameter,
            "range"
        );
    }

    #[test]
    fn percent_underscore_and_star_are_plain_characters() {
        let question = read("q=100%25_*");
        assert_eq!(question.query.filter.q.as_deref(), Some("100%_*"));
    }
}

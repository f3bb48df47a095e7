//! What the address of the page says: which page of the list, what came of a form, what was typed.

use crate::{address, settings::kept};
use chrono::{Datelike, NaiveDate, NaiveTime};
use domain::{role::TokenScope, time::Timestamp};
use store::administration::WantedToken;

/// How long a name may be.
const NAME_MOST: usize = 200;
/// How many days ago the oldest event may be that a token may send: a hundred years.
const DAYS_MOST: i64 = 36_500;

/// What the address says beside the zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The list goes on after this token.
    pub after: Option<String>,
    /// What came of a form.
    pub outcome: Option<Came>,
    /// What was typed into the form for a new token.
    pub typed: Option<Typed>,
}

/// What came of a form, or is asked before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// A token was made.
    Created(String),
    /// Whether to revoke a token is asked.
    Revoke(String),
    /// A token is revoked.
    Revoked(String),
    /// It was revoked before.
    Before(String),
    /// There is no such token.
    Unknown,
    /// The log cannot be written.
    Failed,
}

impl Said {
    /// Reads the query string of the page.
    pub fn read(search: &str) -> Self {
        let mut said = Self::default();
        let mut typed = Typed::nothing();
        let mut is_typed = false;
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            let value = value.into_owned();
            match &*name {
                "after" => said.after = Some(value),
                "created" => said.outcome = Some(Came::Created(value)),
                "revoke" => said.outcome = Some(Came::Revoke(value)),
                "revoked" => said.outcome = Some(Came::Revoked(value)),
                "before" => said.outcome = Some(Came::Before(value)),
                "unknown" => said.outcome = Some(Came::Unknown),
                "failed" => said.outcome = Some(Came::Failed),
                "new" => is_typed = true,
                "name" => typed.name = value,
                "scope" => typed.scopes.push(value),
                "expires" => typed.expires = value,
                "oldest" => typed.oldest = value,
                _ => {}
            }
        }
        said.typed = is_typed.then_some(typed);
        said
    }

    /// The address that says it, of the page at `path`, its times in `zone`.
    pub fn address(&self, path: &str, zone: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if zone != "UTC" {
            query.append_pair("tz", zone);
        }
        if let Some(after) = &self.after {
            query.append_pair("after", after);
        }
        match &self.outcome {
            None => {}
            Some(Came::Created(id)) => drop(query.append_pair("created", id)),
            Some(Came::Revoke(id)) => drop(query.append_pair("revoke", id)),
            Some(Came::Revoked(id)) => drop(query.append_pair("revoked", id)),
            Some(Came::Before(id)) => drop(query.append_pair("before", id)),
            Some(Came::Unknown) => drop(query.append_pair("unknown", "1")),
            Some(Came::Failed) => drop(query.append_pair("failed", "1")),
        }
        if let Some(typed) = &self.typed {
            query.append_pair("new", "1");
            query.append_pair("name", kept(&typed.name));
            for scope in typed.scopes.iter().take(TokenScope::ALL.len() + 1) {
                query.append_pair("scope", kept(scope));
            }
            query.append_pair("expires", kept(&typed.expires));
            query.append_pair("oldest", kept(&typed.oldest));
        }
        let place = match (&self.outcome, &self.typed) {
            (Some(Came::Revoke(_)), _) => "#revoke",
            (None, Some(_)) => "#new",
            _ => "",
        };
        format!("{}{place}", address::with_query(path, &query.finish()))
    }
}

/// What was typed into the form for a new token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Its last day.
    pub expires: String,
    /// How many days ago the oldest event may be that it may send.
    pub oldest: String,
}

impl Default for Typed {
    /// What the form begins with.
    fn default() -> Self {
        Self {
            scopes: vec![TokenScope::EventsWrite.as_str().to_owned()],
            ..Self::nothing()
        }
    }
}

/// What is wrong with each field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// With the name.
    pub name: Option<String>,
    /// With what it may do.
    pub scopes: Option<String>,
    /// With its last day.
    pub expires: Option<String>,
    /// With the oldest event.
    pub oldest: Option<String>,
}

impl Faults {
    /// Whether anything is wrong.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

impl Typed {
    fn nothing() -> Self {
        Self {
            name: String::new(),
            scopes: Vec::new(),
            expires: String::new(),
            oldest: String::new(),
        }
    }

    /// The token that was asked for, or what is wrong with each field.
    ///
    /// # Errors
    ///
    /// A field is not understood.
    pub fn wanted(&self, now: Timestamp) -> Result<WantedToken, Faults> {
        let name = name(&self.name);
        let scopes = scopes(&self.scopes);
        let expires = expires(&self.expires, now);
        let oldest = oldest(&self.oldest);
        match (name, scopes, expires, oldest) {
            (Ok(name), Ok(scopes), Ok(expires), Ok(oldest_seconds)) => Ok(WantedToken {
                name,
                scopes,
                expires,
                oldest_seconds,
            }),
            (name, scopes, expires, oldest) => Err(Faults {
                name: name.err(),
                scopes: scopes.err(),
                expires: expires.err(),
                oldest: oldest.err(),
            }),
        }
    }
}

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if text.is_empty() {
        Err("It needs a name: what will use it?".to_owned())
    } else if length > NAME_MOST {
        Err(format!(
            "A name has at most {NAME_MOST} characters. This one is too long."
        ))
    } else if text.chars().any(char::is_control) {
        Err("A name has no line breaks, tabs or other control characters.".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn scopes(chosen: &[String]) -> Result<Vec<TokenScope>, String> {
    let mut scopes = chosen
        .iter()
        .map(|scope| {
            let scope = scope.as_str();
            scope
                .parse()
                .map_err(|_| format!("“{}” is nothing that a token may do.", kept(scope)))
        })
        .collect::<Result<Vec<TokenScope>, _>>()?;
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err("Choose at least one: without any the token is good for nothing.".to_owned());
    }
    Ok(scopes)
}

fn expires(text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let end = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|day| (1970..=9999).contains(&day.year()))
        .map(end_of)
        .ok_or_else(|| "Not a date. It takes one like 2027-12-31, or none.".to_owned())?;
    if end <= now {
        let today = now.datetime().date_naive();
        return Err(format!(
            "That day is over. The earliest is today: {today} in UTC."
        ));
    }
    Ok(Some(end))
}

/// The last moment of a day in UTC.
fn end_of(day: NaiveDate) -> Timestamp {
    day.succ_opt().map_or(Timestamp::MAX, |next| {
        let midnight = next.and_time(NaiveTime::MIN).and_utc();
        Timestamp::from_micros(midnight.timestamp_micros() - 1)
    })
}

fn oldest(text: &str) -> Result<Option<i64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse::<i64>()
        .ok()
        .filter(|days| (1..=DAYS_MOST).contains(days))
        .map(|days| Some(days * 86_400))
        .ok_or_else(|| "Not a number of days. It takes 1 to 36500, or none.".to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-05-12T09:20:00Z".parse().unwrap()
    }

    fn typed(name: &str, scopes: &[&str], expires: &str, oldest: &str) -> Typed {
        Typed {
            name: name.to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            expires: expires.to_owned(),
            oldest: oldest.to_owned(),
        }
    }

    #[test]
    fn what_is_asked_for_is_read_from_the_fields() {
        let scopes = ["events:read", "events:write", "events:read"];
        let token = typed(" ci ", &scopes, "2026-05-12", " 30 ")
            .wanted(now())
            .unwrap();
        assert_eq!(token.name, "ci");
        assert_eq!(
            token.scopes,
            [TokenScope::EventsWrite, TokenScope::EventsRead]
        );
        // Its last day is good to its end.
        let end = "2026-05-12T23:59:59.999999Z".parse().unwrap();
        assert_eq!(token.expires, Some(end));
        assert_eq!(token.oldest_seconds, Some(30 * 86_400));
        let token = typed("ci", &["events:write"], "", " ").wanted(now());
        let token = token.unwrap();
        assert_eq!((token.expires, token.oldest_seconds), (None, None));
    }

    #[test]
    fn every_field_says_what_is_wrong_with_it() {
        let faults = typed(" ", &[], "2026-05-11", "0").wanted(now());
        let faults = faults.unwrap_err();
        assert!(faults.name.unwrap().contains("needs a name"));
        assert!(faults.scopes.unwrap().contains("at least one"));
        assert!(faults.expires.unwrap().contains("2026-05-12 in UTC"));
        assert!(faults.oldest.unwrap().contains("1 to 36500"));
        let write = ["events:write"];
        for (name, expires, oldest) in [
            (&*"x".repeat(201), "", ""),
            ("a\tb", "", ""),
            ("ci", "tomorrow", ""),
            ("ci", "2026-02-30", ""),
            ("ci", "99999-01-01", ""),
            ("ci", "", "-1"),
            ("ci", "", "36501"),
            ("ci", "", "30d"),
            ("ci", "", "9999999999999999999999"),
        ] {
            let answer = typed(name, &write, expires, oldest).wanted(now());
            assert!(answer.unwrap_err().any(), "{name} {expires} {oldest}");
        }
        let unknown = typed("ci", &["events:write", "root"], "", "").wanted(now());
        assert!(unknown.unwrap_err().scopes.unwrap().contains("“root”"));
    }

    #[test]
    fn the_address_keeps_what_was_typed() {
        let path = "/acme/growth/settings/tokens";
        let read = |address: &str| {
            let (_, query) = address.split_once('?').unwrap();
            Said::read(query.split('#').next().unwrap())
        };
        let said = Said {
            after: Some("tok_1".to_owned()),
            outcome: None,
            typed: Some(typed("a & b", &["x", "events:read"], "soon", "ø")),
        };
        let address = said.address(path, "Europe/Oslo");
        assert!(address.contains("tz=Europe%2FOslo") && address.ends_with("#new"));
        assert_eq!(read(&address), said);
        for outcome in [
            Came::Created("tok_1".to_owned()),
            Came::Revoke("tok_1".to_owned()),
            Came::Revoked("tok_1".to_owned()),
            Came::Before("tok_1".to_owned()),
            Came::Unknown,
            Came::Failed,
        ] {
            let said = Said {
                outcome: Some(outcome),
                ..Said::default()
            };
            assert_eq!(read(&said.address(path, "UTC")), said);
        }
        assert_eq!(Said::default().address(path, "UTC"), path);
        // However much is sent, an address stays one that a browser takes.
        let long = typed(&"ø".repeat(60_000), &["x"; 900], "", "");
        let said = Said {
            typed: Some(long),
            ..Said::default()
        };
        assert!(said.address(path, "UTC").len() < 8_000);
    }
}

//! What the address of the page says: what came of a form, and what was typed.

use crate::{address, settings::kept_within};
use domain::redaction::{AddedName, Place};
use store::redaction::RedactionChange;

/// How many characters of what was typed into a field are kept, and taken.
pub(super) const TYPED_MOST: usize = 1_000;

/// What the address says beside the zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What came of a form.
    pub outcome: Option<Came>,
    /// What was typed into the form.
    pub typed: Option<Typed>,
}

/// What came of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// What is taken out was changed.
    Saved,
    /// It was so before.
    Same,
    /// There would be too many names or paths.
    TooMany,
    /// The log cannot be written.
    Failed,
}

impl Came {
    const ALL: [(&'static str, Self); 4] = [
        ("saved", Self::Saved),
        ("same", Self::Same),
        ("too_many", Self::TooMany),
        ("failed", Self::Failed),
    ];
}

impl Said {
    /// Reads the query string of the page.
    pub fn read(search: &str) -> Self {
        let mut said = Self::default();
        let mut typed = Typed::default();
        let mut is_typed = false;
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            let came = Came::ALL.into_iter().find(|(word, _)| *word == name);
            match (&*name, came) {
                (_, Some((_, came))) => said.outcome = Some(came),
                ("typed", _) => is_typed = true,
                ("names", _) => typed.names = value.into_owned(),
                ("paths", _) => typed.paths = value.into_owned(),
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
        for (word, came) in Came::ALL {
            if self.outcome == Some(came) {
                query.append_pair(word, "1");
            }
        }
        if let Some(typed) = &self.typed {
            query.append_pair("typed", "1");
            // One more than is taken: it is said to be too long on the next page, too.
            query.append_pair("names", kept_within(&typed.names, TYPED_MOST + 1));
            query.append_pair("paths", kept_within(&typed.paths, TYPED_MOST + 1));
        }
        address::with_query(path, &query.finish())
    }
}

/// What was typed into the form: names and paths, one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// Names of members.
    pub names: String,
    /// Paths.
    pub paths: String,
}

/// What is wrong with each field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// With the names.
    pub names: Option<String>,
    /// With the paths.
    pub paths: Option<String>,
}

impl Faults {
    /// Whether anything is wrong.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

impl Typed {
    /// What was asked for, or what is wrong with each field.
    ///
    /// # Errors
    ///
    /// A line is not understood, or there is none.
    pub fn wanted(&self) -> Result<RedactionChange, Faults> {
        let names = each::<AddedName>(&self.names);
        let places = each::<Place>(&self.paths);
        match (names, places) {
            (Ok(names), Ok(places)) if names.is_empty() && places.is_empty() => Err(Faults {
                names: Some("Write at least one name here, or one path below.".to_owned()),
                paths: None,
            }),
            (Ok(names), Ok(places)) => Ok(RedactionChange::Add { names, places }),
            (names, places) => Err(Faults {
                names: names.err(),
                paths: places.err(),
            }),
        }
    }
}

/// What each line that is not empty says, or what is wrong with the first that says nothing.
fn each<T>(text: &str) -> Result<Vec<T>, String>
where
    T: std::str::FromStr<Err: ToString>,
{
    let length = text.chars().count();
    if length > TYPED_MOST {
        return Err(format!(
            "These are too many characters at once. It takes {TYPED_MOST}; add the rest after them."
        ));
    }
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            line.parse().map_err(|error: T::Err| {
                let error = error.to_string();
                format!("“{}” is not understood: {error}.", kept_within(line, 80))
            })
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn typed(names: &str, paths: &str) -> Typed {
        Typed {
            names: names.to_owned(),
            paths: paths.to_owned(),
        }
    }

    #[test]
    fn each_line_is_a_name_or_a_path() {
        let paths = "metadata.customer.iban\r\n\r\nafter.cards[*].number";
        let RedactionChange::Add { names, places } =
            typed(" national id \r\niban\r\n", paths).wanted().unwrap()
        else {
            panic!("something is added")
        };
        let names: Vec<_> = names.iter().map(AddedName::as_str).collect();
        assert_eq!(names, ["national id", "iban"]);
        let places: Vec<_> = places.iter().map(ToString::to_string).collect();
        assert_eq!(places, ["metadata.customer.iban", "after.cards[].number"]);
        assert!(typed("iban", "").wanted().is_ok() && typed("", "after.a").wanted().is_ok());
    }

    #[test]
    fn what_is_wrong_is_said_of_the_line() {
        let faults = |names: &str, paths: &str| typed(names, paths).wanted().unwrap_err();
        assert!(faults(" \n", "").names.unwrap().contains("at least one"));
        let both = faults("iban\n--", "after.a\ntarget.name");
        assert!(both.names.unwrap().contains("“--” is not understood"));
        let path = both.paths.unwrap();
        assert!(path.contains("“target.name”") && path.contains("begins with before, after"));
        assert!(
            faults(&"x\n".repeat(600), "")
                .names
                .unwrap()
                .contains("1000")
        );
        assert_eq!(faults("iban", "after").names, None);
    }

    #[test]
    fn the_address_keeps_what_was_typed() {
        let path = "/acme/growth/settings/redaction";
        let read =
            |address: &str| Said::read(address.split_once('?').map_or("", |(_, query)| query));
        for (_, came) in Came::ALL {
            let said = Said {
                outcome: Some(came),
                typed: Some(typed("a & b\nc", "after.ø")),
            };
            assert_eq!(read(&said.address(path, "Europe/Oslo")), said);
        }
        assert_eq!(Said::default().address(path, "UTC"), path);
        let long = Said {
            outcome: None,
            typed: Some(typed(&"x".repeat(50_000), "")),
        };
        let address = long.address(path, "UTC");
        assert!(address.len() < 2_000);
        assert!(read(&address).typed.unwrap().wanted().unwrap_err().any());
    }
}

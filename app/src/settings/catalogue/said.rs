//! What the address of the page says: which page of the list, what came of a form, what was typed.

use crate::{address, settings::kept};
use domain::{
    catalogue::{LabelError, OwnedEntry},
    category::Category,
    event::Action,
    verb::Verb,
};

/// What the address says beside the zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The list goes on after this action.
    pub after: Option<String>,
    /// What came of a form.
    pub outcome: Option<Came>,
    /// The action that a new entry is begun for.
    pub begin: Option<String>,
    /// The action whose entry is to be changed.
    pub change: Option<String>,
    /// What was typed into the form.
    pub typed: Option<Typed>,
}

/// What came of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// An entry was added for this action.
    Added(String),
    /// What the entry for it says was changed.
    Changed(String),
    /// It said just that before.
    Same(String),
    /// It was removed.
    Removed(String),
    /// There is none to change or remove.
    Missing(String),
    /// The log cannot be written.
    Failed,
}

impl Said {
    /// Reads the query string of the page.
    pub fn read(search: &str) -> Self {
        let mut said = Self::default();
        let mut typed = Typed::default();
        let mut is_typed = false;
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            let value = value.into_owned();
            match &*name {
                "after" => said.after = Some(value),
                "added" => said.outcome = Some(Came::Added(value)),
                "changed" => said.outcome = Some(Came::Changed(value)),
                "same" => said.outcome = Some(Came::Same(value)),
                "removed" => said.outcome = Some(Came::Removed(value)),
                "missing" => said.outcome = Some(Came::Missing(value)),
                "failed" => said.outcome = Some(Came::Failed),
                "begin" => said.begin = Some(value),
                "change" => said.change = Some(value),
                "typed" => is_typed = true,
                "action" => typed.action = value,
                "category" => typed.category = value,
                "verb" => typed.verb = value,
                "label" => typed.label = value,
                _ => {}
            }
        }
        said.typed = is_typed.then_some(typed);
        said
    }

    /// The address that says it, of the page at `path`, its times in `zone`.
    pub fn address(&self, path: &str, zone: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut add = |name: &str, value: &str| {
            query.append_pair(name, kept(value));
        };
        if zone != "UTC" {
            add("tz", zone);
        }
        if let Some(after) = &self.after {
            add("after", after);
        }
        match &self.outcome {
            None => {}
            Some(Came::Added(action)) => add("added", action),
            Some(Came::Changed(action)) => add("changed", action),
            Some(Came::Same(action)) => add("same", action),
            Some(Came::Removed(action)) => add("removed", action),
            Some(Came::Missing(action)) => add("missing", action),
            Some(Came::Failed) => add("failed", "1"),
        }
        if let Some(action) = &self.begin {
            add("begin", action);
        }
        if let Some(action) = &self.change {
            add("change", action);
        }
        if let Some(typed) = &self.typed {
            add("typed", "1");
            add("action", &typed.action);
            add("category", &typed.category);
            add("verb", &typed.verb);
            add("label", &typed.label);
        }
        let is_asked = self.begin.is_some() || self.change.is_some() || self.typed.is_some();
        let place = if is_asked && self.outcome.is_none() {
            "#entry"
        } else {
            ""
        };
        format!("{}{place}", address::with_query(path, &query.finish()))
    }
}

/// What was typed into the form for an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// The action's name.
    pub action: String,
    /// The family it belongs to.
    pub category: String,
    /// The class of what it does.
    pub verb: String,
    /// What to show for it.
    pub label: String,
}

/// What is wrong with each field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// With the action's name.
    pub action: Option<String>,
    /// With the category.
    pub category: Option<String>,
    /// With the verb.
    pub verb: Option<String>,
    /// With the label.
    pub label: Option<String>,
}

impl Faults {
    /// Whether anything is wrong.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

impl Typed {
    /// What an entry says, as it is typed.
    pub fn of(entry: &OwnedEntry) -> Self {
        Self {
            action: entry.action.to_string(),
            category: entry.category.as_str().to_owned(),
            verb: entry.verb.as_str().to_owned(),
            label: entry.label.to_string(),
        }
    }

    /// The entry that was asked for, or what is wrong with each field.
    ///
    /// # Errors
    ///
    /// A field is not understood.
    pub fn wanted(&self) -> Result<OwnedEntry, Faults> {
        let action = self.action.trim().parse::<Action>().map_err(|_| {
            "An action is 1 to 128 of A-Z a-z 0-9 _ . : / - without blanks, to the letter as it is \
             sent."
                .to_owned()
        });
        let category = self
            .category
            .parse::<Category>()
            .map_err(|_| "Choose the category that it belongs to.".to_owned());
        let verb = self
            .verb
            .parse::<Verb>()
            .map_err(|_| "Choose the verb that says what is done.".to_owned());
        let label = self.label.parse().map_err(|error| match error {
            LabelError::Length if self.label.trim().is_empty() => {
                "It needs a label: what is to be shown for it?".to_owned()
            }
            LabelError::Length => {
                let length = self.label.trim().chars().count();
                format!("A label has at most 128 characters. This one has {length}.")
            }
            LabelError::Control => {
                "A label has no line breaks, tabs or other control characters.".to_owned()
            }
        });
        match (action, category, verb, label) {
            (Ok(action), Ok(category), Ok(verb), Ok(label)) => Ok(OwnedEntry {
                action,
                category,
                verb,
                label,
            }),
            (action, category, verb, label) => Err(Faults {
                action: action.err(),
                category: category.err(),
                verb: verb.err(),
                label: label.err(),
            }),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn typed(action: &str, category: &str, verb: &str, label: &str) -> Typed {
        Typed {
            action: action.to_owned(),
            category: category.to_owned(),
            verb: verb.to_owned(),
            label: label.to_owned(),
        }
    }

    #[test]
    fn an_entry_is_read_from_the_fields_or_each_says_what_is_wrong() {
        let entry = typed(" door:open ", "accounts", "activate", " Door opened ").wanted();
        let entry = entry.unwrap();
        assert_eq!(entry.action.as_str(), "door:open");
        assert_eq!(
            (entry.category, entry.verb),
            (Category::Accounts, Verb::Activate)
        );
        assert_eq!(entry.label.as_str(), "Door opened");
        assert_eq!(Typed::of(&entry).wanted(), Ok(entry));

        let faults = typed("two words", "doors", "", " ").wanted().unwrap_err();
        assert!(faults.action.unwrap().contains("1 to 128"));
        assert!(faults.category.is_some() && faults.verb.is_some());
        assert!(faults.label.unwrap().contains("needs a label"));
        let long = typed("x", "other", "other", &"ø".repeat(129)).wanted();
        let long = long.unwrap_err();
        assert!(long.label.unwrap().contains("This one has 129."));
        assert_eq!(long.action, None);
    }

    #[test]
    fn the_address_keeps_what_was_typed_and_says_what_came_of_it() {
        let path = "/acme/growth/settings/catalogue";
        let read = |address: &str| {
            let query = address.split_once('?').map_or("", |(_, query)| query);
            Said::read(query.split('#').next().unwrap())
        };
        let said = Said {
            after: Some("a:b".to_owned()),
            change: Some("door:open".to_owned()),
            typed: Some(typed("door & open", "?", "", "ø\n")),
            ..Said::default()
        };
        let address = said.address(path, "Europe/Oslo");
        assert!(address.contains("tz=Europe%2FOslo") && address.ends_with("#entry"));
        assert_eq!(read(&address), said);
        let action = || "door:open".to_owned();
        for outcome in [
            Came::Added(action()),
            Came::Changed(action()),
            Came::Same(action()),
            Came::Removed(action()),
            Came::Missing(action()),
            Came::Failed,
        ] {
            let said = Said {
                outcome: Some(outcome),
                ..Said::default()
            };
            assert_eq!(read(&said.address(path, "UTC")), said);
        }
        assert_eq!(Said::default().address(path, "UTC"), path);
        let text = "ø".repeat(9_000);
        let said = Said {
            typed: Some(typed(&text, &text, "", "")),
            ..Said::default()
        };
        assert!(said.address(path, "UTC").len() < 8_000);
    }
}

//! What the address of the settings says of legal holds: what came of a form, and what was typed.

use crate::address;
use store::holds::REASON_MOST;

/// Where the section stands on the page.
const PLACE: &str = "#hold";

/// What the address says beside the zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What came of a form.
    pub outcome: Option<Came>,
    /// The reason that was typed, where it was not taken.
    pub typed: String,
    /// Past holds are listed from before this one on.
    pub before: Option<i64>,
}

/// What came of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// A hold was placed.
    Placed,
    /// The hold was lifted.
    Lifted,
    /// No hold was placed: the reason is missing or too long.
    NoPlacingReason,
    /// The hold was not lifted: the reason is missing or too long.
    NoLiftingReason,
    /// Somebody else placed one meanwhile.
    Stands,
    /// Somebody else lifted it meanwhile.
    NoneStands,
    /// The log cannot be written.
    Failed,
}

impl Came {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Placed, "placed"),
        (Self::Lifted, "lifted"),
        (Self::NoPlacingReason, "no-placing-reason"),
        (Self::NoLiftingReason, "no-lifting-reason"),
        (Self::Stands, "stands"),
        (Self::NoneStands, "none-stands"),
        (Self::Failed, "failed"),
    ];

    fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(came, name)| (came == self).then_some(name))
            .unwrap_or_default()
    }

    fn read(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(came, name)| (name == text).then_some(came))
    }
}

impl Said {
    /// Reads the query string of the page.
    pub fn read(search: &str) -> Self {
        let mut said = Self::default();
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            match &*name {
                "hold" => said.outcome = Came::read(&value),
                "hold_reason" => said.typed = value.into_owned(),
                "holds_before" => said.before = value.parse().ok(),
                _ => {}
            }
        }
        if said.outcome.is_none() {
            said.typed = String::new();
        }
        said
    }

    /// Whether something was typed that is not understood.
    pub fn is_fault(&self) -> bool {
        matches!(
            self.outcome,
            Some(Came::NoPlacingReason | Came::NoLiftingReason)
        )
    }

    /// The address that says it, of the page at `path`, its times in `zone`.
    pub fn address(&self, path: &str, zone: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if zone != "UTC" {
            query.append_pair("tz", zone);
        }
        if let Some(before) = self.before {
            query.append_pair("holds_before", &before.to_string());
        }
        if let Some(came) = self.outcome {
            query.append_pair("hold", came.name());
            if !self.typed.is_empty() {
                // As much as says that it is too long.
                let kept: String = self.typed.chars().take(REASON_MOST + 100).collect();
                query.append_pair("hold_reason", &kept);
            }
        }
        format!("{}{PLACE}", address::with_query(path, &query.finish()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_what_came_of_a_form_and_keeps_what_was_typed() {
        for (outcome, _) in Came::ALL {
            let said = Said {
                outcome: Some(outcome),
                typed: "Lawsuit & more\nlines".to_owned(),
                before: Some(7),
            };
            let address = said.address("/acme/growth/settings", "Europe/Oslo");
            let (_, search) = address.split_once('?').unwrap_or_default();
            let search = search.strip_suffix("#hold").unwrap_or_default();
            assert_eq!(Said::read(search), said, "{address}");
        }
        assert_eq!(Said::read("hold=x&hold_reason=y"), Said::default());
        let nothing = Said::default().address("/acme/growth/settings", "UTC");
        assert_eq!(nothing, "/acme/growth/settings#hold");
    }
}

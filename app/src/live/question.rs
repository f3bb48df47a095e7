//! What a click or a form asks for, as the query string of an address.

use domain::question::{Query, Unknown};

type Pairs = Vec<(String, String)>;

/// The query string for what a form says: as a question is always written, with what could not be
/// understood at its end, so that the server can say what is wrong with it.
pub(super) fn asked(pairs: &[(String, String)]) -> String {
    let borrowed = pairs
        .iter()
        .map(|(name, value)| (name.as_str().into(), value.as_str().into()));
    let read = Query::read_pairs(borrowed, Unknown::Ignored);
    let faults = read
        .faults
        .iter()
        .map(|fault| (&*fault.parameter, &*fault.value));
    form_urlencoded::Serializer::new(read.query.query_string())
        .extend_pairs(faults)
        .finish()
}

/// Whether a query string asks for a later page.
pub(super) fn has_cursor(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "cursor" && !value.is_empty())
}

/// What is wanted, where more was asked since the page came that it was chosen on: the change from
/// `shown`, what that page shows, to `wanted`, made to `asked`. All are query strings.
pub(super) fn merged(shown: &str, asked: &str, wanted: &str) -> String {
    if shown == asked {
        return wanted.to_owned();
    }
    let (shown, wanted) = (pairs(shown), pairs(wanted));
    let removed = without(&shown, &wanted);
    let added = without(&wanted, &shown);
    let mut rest = without(&pairs(asked), &removed);
    // A cursor belongs to the question that it was given with.
    rest.retain(|(name, _)| name != "cursor");
    for (name, value) in added {
        rest.retain(|(other, _)| !takes_place(&name, other));
        rest.push((name, value));
    }
    self::asked(&rest)
}

/// What is wanted where something was chosen that completes a field: in place of what the field says, what that
/// adds. All but the field's name are query strings.
pub(super) fn completed(asked: &str, field: &str, adds: &str) -> String {
    let mut rest = pairs(asked);
    rest.retain(|(name, _)| name != field && name != "cursor");
    for pair in pairs(adds) {
        if !rest.contains(&pair) {
            rest.push(pair);
        }
    }
    self::asked(&rest)
}

/// Whether a parameter, newly given, takes the place of another.
fn takes_place(new: &str, other: &str) -> bool {
    match new {
        "range" => matches!(other, "range" | "since" | "until"),
        "since" | "until" => other == new || other == "range",
        // Any of several values matches.
        "workspace" | "action" | "verb" | "category" | "outcome" | "actor_id" | "actor_kind"
        | "via_id" | "target_kind" | "target_id" => false,
        _ => other == new,
    }
}

fn pairs(query: &str) -> Pairs {
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// What is in `all` and not in `some`, as often as it is there more often.
fn without(all: &Pairs, some: &Pairs) -> Pairs {
    let mut some = some.clone();
    all.iter()
        .filter(|pair| match some.iter().position(|other| other == *pair) {
            Some(at) => {
                some.swap_remove(at);
                false
            }
            None => true,
        })
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_form_asks_for_what_its_filled_fields_say() {
        let form = pairs(&[
            ("q", "salesforce"),
            ("actor", ""),
            ("action", ""),
            ("sort", "time"),
            ("order", "desc"),
            ("category", "secrets"),
            ("category", "members"),
        ]);
        assert_eq!(
            asked(&form),
            "category=secrets&category=members&q=salesforce"
        );
    }

    #[test]
    fn what_cannot_be_understood_is_still_asked() {
        let form = pairs(&[("q", "kim"), ("until", "2026-05-32")]);
        assert_eq!(asked(&form), "q=kim&until=2026-05-32");
    }

    #[test]
    fn a_link_of_an_older_page_changes_only_what_it_would_have_changed_there() {
        assert_eq!(
            merged("", "q=salesforce", "range=90d"),
            "q=salesforce&range=90d"
        );
        assert_eq!(
            merged("range=7d", "q=x&range=7d", "range=90d"),
            "q=x&range=90d"
        );
        assert_eq!(
            merged("q=x&verb=read", "q=x&verb=read&range=7d", "q=x"),
            "q=x&range=7d"
        );
        assert_eq!(
            merged(
                "category=secrets",
                "category=secrets&q=x",
                "category=secrets&category=members"
            ),
            "category=secrets&category=members&q=x"
        );
        assert_eq!(
            merged(
                "workspace=growth",
                "workspace=growth&q=x",
                "workspace=growth&workspace=revenue"
            ),
            "workspace=growth&workspace=revenue&q=x"
        );
        assert_eq!(
            merged("cursor=abc", "q=x&cursor=abc", "range=7d&cursor=abc"),
            "q=x&range=7d"
        );
    }

    #[test]
    fn a_range_and_dates_take_each_other_s_place() {
        assert_eq!(
            merged("", "since=2026-05-01&q=x", "range=7d"),
            "q=x&range=7d"
        );
        assert_eq!(
            merged("", "q=x&range=7d", "since=2026-05-01"),
            "q=x&since=2026-05-01"
        );
    }

    #[test]
    fn what_is_chosen_takes_the_place_of_what_was_typed_and_stands_beside_the_others() {
        assert_eq!(
            completed("q=x&actor=kim&cursor=abc", "actor", "actor_id=usr_1"),
            "actor_id=usr_1&q=x"
        );
        assert_eq!(
            completed("actor_id=usr_1", "actor", "actor_id=usr_2"),
            "actor_id=usr_1&actor_id=usr_2"
        );
        assert_eq!(
            completed(
                "target_kind=secret&target_id=a&q=b",
                "q",
                "target_kind=secret&target_id=b"
            ),
            "target_kind=secret&target_id=a&target_id=b"
        );
    }

    #[test]
    fn a_later_page_is_known_by_its_cursor() {
        assert!(has_cursor("q=x&cursor=abc"));
        assert!(!has_cursor("q=cursor&cursor="));
    }

    #[test]
    fn a_link_that_changes_nothing_keeps_what_was_asked() {
        for shown in ["", "q=x", "range=7d", "category=secrets&q=x"] {
            for asked in ["verb=read", "q=y&range=30d", "action=A&action=B"] {
                assert_eq!(merged(shown, asked, shown), asked);
            }
        }
    }
}

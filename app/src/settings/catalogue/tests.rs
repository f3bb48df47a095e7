//! The page of the catalogue, rendered as the server renders it.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Page, said::*, view::*};
use crate::log::{
    tests::{frame, html},
    view::WhenView,
};
use leptos::prelude::*;

fn when() -> WhenView {
    WhenView {
        iso: "2026-05-01T09:14:03.000000Z".to_owned(),
        exact: "2026-05-01 09:14:03.000000 UTC".to_owned(),
        date: "2026-05-01".to_owned(),
        clock: "09:14:03".to_owned(),
        millis: 0,
        days_ago: 1,
    }
}

fn view(may_change: bool) -> CatalogueView {
    let change = "/acme/growth/settings/catalogue?change=MEMBER_REMOVED#entry";
    CatalogueView {
        frame: frame(),
        may_change,
        zone: "UTC".to_owned(),
        entries: vec![EntryLine {
            action: "MEMBER_REMOVED".to_owned(),
            label: "Person gone".to_owned(),
            instead_of: Some("Member removed".to_owned()),
            category: "Accounts",
            verb: "Delete",
            by: "Ingrid Solheim".to_owned(),
            at: when(),
            there: "/acme/growth/audit?action=MEMBER_REMOVED".to_owned(),
            change: may_change.then(|| change.to_owned()),
        }],
        all: 1,
        here: "/acme/growth/settings/catalogue".to_owned(),
        first: None,
        next: None,
        unknown: Some(UnknownView {
            actions: vec![UnknownLine {
                action: "door:open".to_owned(),
                label: "Door open".to_owned(),
                verb: "Other",
                events: 1_204,
                there: "/acme/growth/audit?action=door%3Aopen".to_owned(),
                begin: may_change.then(|| "?begin=door%3Aopen#entry".to_owned()),
            }],
            more: 3,
        }),
        outcome: None,
        form: may_change.then(|| FormView {
            change: None,
            typed: Typed::default(),
            faults: Faults::default(),
            was_sent: false,
            without: None,
        }),
    }
}

fn page(catalogue: CatalogueView) -> String {
    html("/acme/growth/settings/catalogue", move || {
        view! { <Page catalogue/> }
    })
}

#[test]
fn owners_change_and_others_only_see() {
    let (owner, auditor) = (page(view(true)), page(view(false)));
    for words in [
        "Person gone",
        "instead of “Member removed”",
        "door:open",
        "1,204 entries",
        "There are 3 more",
    ] {
        assert!(owner.contains(words) && auditor.contains(words), "{words}");
    }
    for words in ["<form id=\"entry\"", "Change<span", "Add an entry<span"] {
        assert!(owner.contains(words), "{words}");
        assert!(!auditor.contains(words), "{words}");
    }
    assert!(auditor.contains("cannot change them: owners do"));
}

#[test]
fn what_is_wrong_stands_beside_its_field_with_what_was_typed() {
    let typed = Typed {
        action: "two words".to_owned(),
        category: "accounts".to_owned(),
        verb: "explode".to_owned(),
        label: "A \"label\"".to_owned(),
    };
    let html = page(CatalogueView {
        form: Some(FormView {
            change: None,
            faults: typed.wanted().unwrap_err(),
            typed,
            was_sent: true,
            without: None,
        }),
        ..view(true)
    });
    assert!(html.contains("Nothing was changed."));
    assert!(html.contains("value=\"two words\""));
    assert!(html.contains("value=\"A &quot;label&quot;\""));
    assert!(html.contains("<option value=\"accounts\" selected"));
    assert!(html.contains("id=\"c-action-error\"") && html.contains("1 to 128 of A-Z"));
    assert!(html.contains("id=\"c-verb-error\"") && !html.contains("id=\"c-label-error\""));
}

#[test]
fn an_entry_that_is_changed_keeps_its_action_and_can_be_removed() {
    let html = page(CatalogueView {
        form: Some(FormView {
            change: Some("MEMBER_REMOVED".to_owned()),
            typed: Typed {
                action: "MEMBER_REMOVED".to_owned(),
                category: "accounts".to_owned(),
                verb: "delete".to_owned(),
                label: "Person gone".to_owned(),
            },
            faults: Faults::default(),
            was_sent: false,
            without: Some("Without it, this action is shown as “Member removed”.".to_owned()),
        }),
        here: "/acme/growth/settings/catalogue?after=A".to_owned(),
        ..view(true)
    });
    assert!(html.contains("Change the entry for MEMBER_REMOVED"));
    assert!(html.contains("name=\"change\" value=\"MEMBER_REMOVED\""));
    assert!(html.contains("name=\"after\" value=\"A\""));
    assert!(html.contains("name=\"act\" value=\"remove\""));
    assert!(!html.contains("name=\"action\""));
    assert!(html.contains("“Member removed”."));
}

#[test]
fn what_came_of_the_form_is_said() {
    let action = || "door:open".to_owned();
    for (came, words) in [
        (Came::Added(action()), "The entry for door:open is added."),
        (Came::Changed(action()), "is changed."),
        (Came::Same(action()), "says just that already."),
        (Came::Removed(action()), "is removed."),
        (
            Came::Missing(action()),
            "There is no entry for door:open any more.",
        ),
        (Came::Failed, "The log cannot be written at the moment."),
    ] {
        let html = page(CatalogueView {
            outcome: Some(came),
            ..view(true)
        });
        assert!(html.contains(words), "{words}");
    }
}

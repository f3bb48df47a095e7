//! The page of redaction, rendered as the server renders it.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Page, said::*, view::RedactionView};
use crate::log::tests::{frame, html};
use domain::redaction::Names;
use leptos::prelude::*;

fn view(may_change: bool) -> RedactionView {
    RedactionView {
        frame: frame(),
        may_change,
        zone: "UTC".to_owned(),
        here: "/acme/growth/settings/redaction".to_owned(),
        names: vec!["national_id".to_owned()],
        places: vec!["after.cards[].number".to_owned()],
        history: "Changed by Ingrid Solheim on 2026-05-01 09:14:03".to_owned(),
        outcome: None,
        was_sent: false,
        typed: Typed::default(),
        faults: Faults::default(),
    }
}

fn page(redaction: RedactionView) -> String {
    html("/acme/growth/settings/redaction", move || {
        view! { <Page redaction/> }
    })
}

#[test]
fn owners_change_and_others_only_see() {
    let (owner, auditor) = (page(view(true)), page(view(false)));
    for words in [
        "<code>national_id</code>",
        "<code>after.cards[].number</code>",
        "Changed by Ingrid Solheim",
        "A change holds for what is recorded from then on.",
        "client_secret",
    ] {
        assert!(owner.contains(words) && auditor.contains(words), "{words}");
    }
    for words in [
        "Add them",
        "/ui/remove_redaction",
        "name=\"place\" value=\"after.cards[].number\"",
    ] {
        assert!(owner.contains(words), "{words}");
        assert!(!auditor.contains(words), "{words}");
    }
    assert!(auditor.contains("cannot change it: owners do"));
}

#[test]
fn what_removing_means_is_said_before_the_button_that_does_it() {
    let (owner, auditor) = (page(view(true)), page(view(false)));
    for (one, field) in [("national_id", "name"), ("after.cards[].number", "place")] {
        let hidden = format!("name=\"{field}\" value=\"{one}\"");
        let (_, form) = owner.split_once(&hidden).unwrap();
        let form = form.split("</form>").next().unwrap();
        let (before, closed) = form.split_once("<details class=\"removal\">").unwrap();
        assert!(!before.contains("<button"), "{before}");
        let (said, button) = closed.split_once("<button").unwrap();
        assert!(said.contains(&format!("No longer take out {one}?")));
        assert!(said.contains("adding this again later does not"), "{said}");
        assert!(button.contains("Remove it") && button.contains(one));
        assert!(!button.contains("<button"), "{button}");
    }
    assert!(!auditor.contains("No longer take out"));
}

#[test]
fn what_is_wrong_stands_beside_its_field_with_what_was_typed() {
    let typed = Typed {
        names: "iban\nnational_id".to_owned(),
        paths: "target.name".to_owned(),
    };
    let html = page(RedactionView {
        faults: typed.wanted().unwrap_err(),
        typed,
        was_sent: true,
        ..view(true)
    });
    assert!(html.contains("Nothing was changed."));
    assert!(html.contains("iban\nnational_id</textarea>"), "{html}");
    assert!(html.contains(">\ntarget.name</textarea>"));
    assert!(html.contains("id=\"r-paths-error\"") && html.contains("begins with before, after"));
    assert!(!html.contains("id=\"r-names-error\""));
}

#[test]
fn what_came_of_the_form_is_said() {
    for (came, words) in [
        (Came::Saved, "It holds for what is recorded from now on."),
        (Came::Same, "It is so already."),
        (Came::Failed, "The log cannot be written at the moment."),
    ] {
        let html = page(RedactionView {
            outcome: Some(came),
            ..view(true)
        });
        assert!(html.contains(words), "{words}");
    }
}

#[test]
fn what_the_page_says_is_taken_out_everywhere_is() {
    let html = page(view(false));
    let told = html.split_once("Taken out everywhere").unwrap().1;
    let (taken, stays) = told.split_once("only said about one").unwrap();
    let names = |part: &str| -> Vec<String> {
        let codes = part.split("<code>").skip(1);
        codes
            .map(|code| code.split('<').next().unwrap().to_owned())
            .collect()
    };
    let built_in = Names::built_in();
    let taken = names(taken);
    assert!(taken.len() > 30);
    for name in taken {
        assert!(built_in.is_credential(&name), "{name}");
    }
    for name in names(stays.split_once("stay").unwrap().0) {
        assert!(!built_in.is_credential(&name), "{name}");
    }
}

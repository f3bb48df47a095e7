//! The settings page, rendered as the server renders it.

use super::{
    Page,
    change::Typed,
    holds::{said::Said, view::*},
    view::*,
};
use crate::log::{
    tests::{frame, html},
    view::WhenView,
};
use leptos::prelude::*;

fn settings(may_change: bool) -> SettingsView {
    SettingsView {
        expiring: None,
        frame: frame(),
        may_change,
        zone: "UTC".to_owned(),
        retention: RetentionView {
            kind: "days".to_owned(),
            days: "90".to_owned(),
            years: "1".to_owned(),
        },
        plan: Some("Your plan keeps at least 30 days, at most 5 years.".to_owned()),
        retention_history: "Set to 90 days by Ingrid Solheim on 2026-01-14 10:02:51".to_owned(),
        pending: Some(PendingView {
            words: "30 days".to_owned(),
            from: "2026-05-19 09:20:00 UTC".to_owned(),
            by: "Priya Raman".to_owned(),
            asked: "2026-05-12 09:20:00".to_owned(),
        }),
        recording: true,
        recording_history: "On since 2025-11-02 08:15:00, never turned off".to_owned(),
        objects: ObjectsView {
            opened_by: "members".to_owned(),
            guarded: "api_token invite secret user".to_owned(),
            everyone: "38 people".to_owned(),
            readers: "5 people".to_owned(),
            history: "Set by Tom Okafor on 2026-02-20 15:44:09".to_owned(),
        },
        holds: HoldsView {
            zone: "UTC".to_owned(),
            standing: None,
            past: Vec::new(),
            newest: None,
            earlier: None,
            said: Said::default(),
        },
    }
}

fn page(may_change: bool, search: &str) -> String {
    page_of(settings(may_change), search)
}

/// The page where an address says something of holds.
fn page_of(mut settings: SettingsView, search: &str) -> String {
    let typed = Typed::read(search);
    settings.holds.said = Said::read(search);
    html("/acme/growth/settings", move || {
        view! { <Page settings typed/> }
    })
}

fn hold(reason: &str, by: &str) -> HoldView {
    HoldView {
        reason: reason.to_owned(),
        by: by.to_owned(),
        at: WhenView {
            iso: "2026-05-10T09:14:03.000000Z".to_owned(),
            exact: "2026-05-10 09:14:03.000000 UTC".to_owned(),
            date: "2026-05-10".to_owned(),
            clock: "09:14:03".to_owned(),
            millis: 0,
            days_ago: 2,
        },
    }
}

/// The same settings while a hold stands.
fn held(may_change: bool) -> SettingsView {
    let mut settings = settings(may_change);
    settings.holds.standing = Some(hold("Lawsuit", "Ingrid Solheim"));
    settings
}

#[test]
fn owners_change_and_cancel_and_others_only_see() {
    let (owner, auditor) = (page(true, ""), page(false, ""));
    for button in ["Save changes", "Cancel it"] {
        assert!(owner.contains(button), "{button}");
        assert!(!auditor.contains(button), "{button}");
    }
    assert!(auditor.contains("<fieldset disabled"));
    assert!(!owner.contains("<fieldset disabled"));
}

#[test]
fn a_bad_number_is_said_beside_its_field_and_kept() {
    let html = page(true, "fault=days&retention=days&days=900&years=1");
    assert!(html.contains("Not a number of days. It takes 1 to 365."));
    assert!(html.contains("value=\"900\""));
    assert!(html.contains("aria-describedby=\"r-days-error\""));
}

#[test]
fn what_is_no_kind_is_said_beside_the_list_and_kept() {
    let html = page(
        true,
        "fault=guarded&retention=days&days=90&object_tabs=admins&guarded=user%3B+secret",
    );
    assert!(html.contains("“user;” is not a kind. A kind is 1 to 64 of"));
    assert!(html.contains("value=\"user; secret\""));
    assert!(html.contains("name=\"object_tabs\" value=\"admins\" checked"));
    assert!(html.contains("id=\"o-guarded-error\""));
}

#[test]
fn who_may_open_objects_is_told_with_how_many_people_that_is() {
    let html = page(true, "");
    for words in [
        "name=\"object_tabs\" value=\"members\" checked",
        "38 people",
        "5 people",
        "value=\"api_token invite secret user\"",
        "Set by Tom Okafor",
    ] {
        assert!(html.contains(words), "{words}");
    }
    assert!(!html.contains("is not a kind"));
}

#[test]
fn what_was_chosen_is_kept_where_it_could_not_be_saved() {
    let html = page(
        true,
        "failed=1&retention=years&days=90&years=7&recording=off",
    );
    assert!(html.contains("Not saved."));
    assert!(html.contains("value=\"7\""));
    assert!(html.contains("id=\"rec-off\" name=\"recording\" value=\"off\" checked"));
}

#[test]
fn owners_place_and_lift_a_legal_hold_and_others_only_see_it() {
    let (owner, auditor) = (page(true, ""), page(false, ""));
    assert!(owner.contains("No legal hold stands.") && owner.contains("Place a legal hold"));
    assert!(auditor.contains("No legal hold stands.") && !auditor.contains("/ui/place_hold"));

    let (owner, auditor) = (page_of(held(true), ""), page_of(held(false), ""));
    for html in [&owner, &auditor] {
        assert!(html.contains("Ingrid Solheim placed it on"), "{html}");
        assert!(html.contains("“Lawsuit”"));
        // Neither the waiting retention nor the setting claims that anything is deleted meanwhile.
        assert!(html.contains("nothing is deleted while the legal hold below stands"));
        assert!(html.contains("nothing is deleted until it is lifted"));
    }
    assert!(owner.contains("/ui/lift_hold") && !owner.contains("/ui/place_hold"));
    assert!(!auditor.contains("/ui/lift_hold"));
}

#[test]
fn a_reason_that_is_not_taken_is_kept_in_the_form_that_it_was_typed_into() {
    let long = "x".repeat(1_001);
    let search = format!("hold=no-placing-reason&hold_reason={long}");
    let html = page(true, &search);
    assert!(html.contains(&format!(">\n{long}</textarea>")), "{html}");
    assert!(html.contains("A reason has at most 1000 characters; this one has 1001."));
    let html = page_of(held(true), "hold=no-lifting-reason&hold_reason=");
    assert!(html.contains("A reason is needed"));
    // Somebody else was quicker: what was written is not lost.
    let html = page_of(held(true), "hold=stands&hold_reason=of+mine");
    assert!(html.contains("stands already") && html.contains("You had written: “of mine”"));
    // An address that was kept says nothing that is not so.
    let html = page(true, "hold=placed");
    assert!(!html.contains("From now on nothing is deleted"));
}

#[test]
fn past_holds_are_listed_with_both_reasons_and_lead_on() {
    let mut settings = settings(false);
    settings.holds.past = vec![PastHoldView {
        placed: hold("Lawsuit", "Ingrid Solheim"),
        lifted: hold("Settled", "Priya Raman"),
    }];
    settings.holds.earlier = Some("/acme/growth/settings?holds_before=7#hold".to_owned());
    let html = page_of(settings, "");
    for words in [
        "“Lawsuit”",
        "Priya Raman lifted it on",
        "“Settled”",
        "holds_before=7#hold",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
}

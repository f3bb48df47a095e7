//! The settings page, rendered as the server renders it.

use super::{Page, change::Typed, view::*};
use crate::log::tests::{frame, html};
use leptos::prelude::*;

fn settings(may_change: bool) -> SettingsView {
    SettingsView {
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
    }
}

fn page(may_change: bool, search: &str) -> String {
    let typed = Typed::read(search);
    html("/acme/growth/settings", move || {
        view! { <Page settings=settings(may_change) typed/> }
    })
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

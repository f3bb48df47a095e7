use super::{days, entry, row, words};
use crate::log::{
    compose::Local,
    tests::{events, label, now},
    view::{RowView, Sign},
};
use domain::{
    event::Event,
    question::{Query, Sort, Unknown},
};
use leptos::prelude::*;
use serde_json::json;

fn local(zone: &str) -> Local {
    Local::new(&zone.parse().unwrap(), now())
}

fn shown(event: &Event, zone: &str) -> RowView {
    row(event, &label(event), &local(zone))
}

fn of(action: &str) -> Event {
    let mut events = events().into_iter();
    events
        .find(|event| event.action.as_str() == action)
        .unwrap()
}

#[test]
fn times_are_those_of_the_zone_that_the_page_names() {
    let event = of("API_TOKEN_EXPIRED");
    let when = shown(&event, "Pacific/Auckland").when;
    assert_eq!((&*when.date, &*when.clock), ("2026-05-11", "21:30:44"));
    assert_eq!(when.iso, "2026-05-11T21:30:44.120044+12:00");
    assert_eq!(when.exact, "2026-05-11 21:30:44.120044 Pacific/Auckland");
    assert_eq!(when.days_ago, 1);
}

#[test]
fn nobody_is_shown_as_system_and_others_by_what_is_known_of_them() {
    let mut event = of("deployment:rollback");
    let actor = shown(&event, "UTC").actor;
    assert_eq!(
        (&*actor.name, actor.second.as_deref()),
        ("system", Some("automatic"))
    );

    event = of("integration:update");
    let actor = shown(&event, "UTC").actor;
    assert_eq!(
        (&*actor.name, actor.second.as_deref()),
        ("nightly-sync", Some("tok_3be7"))
    );
    assert!(actor.second_is_id);

    event.actor.actor.name = None;
    let actor = shown(&event, "UTC").actor;
    assert_eq!((&*actor.name, actor.second), ("tok_3be7", None));

    assert_eq!(
        shown(&of("deployment:create"), "UTC").actor.via,
        ["Release assistant"]
    );
    assert!(
        shown(&of("RPA_CREDENTIALS_UPDATED"), "UTC")
            .actor
            .deactivated
    );
}

#[test]
fn an_entry_that_was_recorded_late_says_so() {
    assert_eq!(
        shown(&of("MEMBER_REMOVED"), "UTC").late.as_deref(),
        Some("recorded 2 days later")
    );
    assert_eq!(
        shown(&of("SECRET_CREATED"), "UTC").late.as_deref(),
        Some("imported")
    );
    assert_eq!(shown(&of("SECRET_ROTATED"), "UTC").late, None);
}

#[test]
fn a_change_is_told_in_a_line() {
    let change = shown(&of("MEMBER_ROLE_UPDATED"), "UTC").change.unwrap();
    assert_eq!(
        (change.sign, &*change.path, change.more),
        (Sign::Changed, "role", 0)
    );
    assert_eq!(change.before.as_deref(), Some("viewer"));
    assert_eq!(change.after.as_deref(), Some("admin"));
    assert_eq!(shown(&of("integration:authorize"), "UTC").change, None);
}

#[test]
fn an_action_that_no_catalogue_names_has_no_label_beside_it() {
    let event = of("MEMBER_REMOVED");
    assert_eq!(row(&event, "MEMBER_REMOVED", &local("UTC")).label, None);
}

#[test]
fn a_target_leads_to_its_tab_however_its_id_is_written() {
    let tab = shown(&of("SECRET_CREATED"), "UTC").target.tab.unwrap();
    let id = "arn%3Aaws%3Asecretsmanager%3Aeu-north-1%3Asecret%2Fsnowflake";
    assert_eq!(tab, format!("/acme/growth/objects/secret/{id}/audit"));
    let denied = events().remove(0);
    assert_eq!(shown(&denied, "UTC").target.tab, None);
}

#[test]
fn a_day_is_counted_where_the_page_shows_all_of_it() {
    let events = events();
    let counts = |goes_on| {
        let rows = events.iter().map(|event| shown(event, "UTC")).collect();
        days(&events, rows, Sort::Time, &local("UTC"), goes_on)
            .into_iter()
            .map(|day| (day.day.unwrap().1, day.entries))
            .collect::<Vec<_>>()
    };
    let day = |name: &str, entries| (name.to_owned(), entries);
    assert_eq!(
        counts((false, false)),
        [day("12 May", Some(8)), day("11 May", Some(6))]
    );
    assert_eq!(
        counts((false, true)),
        [day("12 May", Some(8)), day("11 May", None)]
    );
    assert_eq!(
        counts((true, true)),
        [day("12 May", None), day("11 May", None)]
    );
}

#[test]
fn days_are_those_of_the_zone_and_only_shown_when_sorted_by_time() {
    let events = events();
    let rows = || {
        events
            .iter()
            .map(|event| shown(event, "Asia/Tokyo"))
            .collect()
    };
    let by_day = days(
        &events,
        rows(),
        Sort::Time,
        &local("Asia/Tokyo"),
        (false, false),
    );
    // 15:20 UTC and later is the next day in Tokyo.
    assert_eq!(by_day[0].rows.len(), 10);
    let by_actor = days(
        &events,
        rows(),
        Sort::Actor,
        &local("Asia/Tokyo"),
        (false, false),
    );
    assert_eq!(by_actor.len(), 1);
    assert_eq!(by_actor[0].day, None);
    assert!(days(&[], Vec::new(), Sort::Actor, &local("UTC"), (false, false)).is_empty());
}

#[test]
fn the_time_asked_for_is_told_in_words() {
    let told = |search: &str| words(&Query::read(search, Unknown::Refused).query.filter);
    assert_eq!(told(""), "all entries");
    assert_eq!(told("range=24h"), "last 24 hours");
    assert_eq!(told("since=2026-05-11"), "since 2026-05-11");
    assert_eq!(told("since=2026-05-11&until=2026-05-11"), "2026-05-11");
    assert_eq!(
        told("since=2026-05-11T08:30&until=2026-05-12"),
        "2026-05-11 08:30:00 to 2026-05-12"
    );
}

#[test]
fn an_open_row_tells_every_change_and_what_was_not_given() {
    let event = of("SECRET_ROTATED");
    let entry = entry(&event, &label(&event), &local("UTC"));
    assert_eq!(entry.change_words, "5 changed, 1 added, 1 removed");
    let change = |path: &str| {
        let mut changes = entry.changes.iter();
        changes.find(|change| change.path == path).unwrap()
    };
    let value = change("value");
    let side = |side: &Option<crate::log::view::ValueView>| side.as_ref().unwrap().head.clone();
    assert_eq!(side(&value.before), "redacted (mark 9c1e04)");
    assert_eq!(side(&value.after), "redacted, another value (mark 41aa8f)");
    let redacted = entry.redacted.unwrap();
    let words = "2 values were taken out before they were recorded:";
    assert_eq!(redacted.words, words);
    assert_eq!(redacted.places, ["before.value", "after.value"]);
    assert_eq!(redacted.more, 0);
    let hosts = change("allowed_hosts").before.as_ref().unwrap();
    assert_eq!(hosts.folded.as_ref().unwrap().1, 162);
    assert_eq!(change("consumers[1].pinned_to").before, None);

    let context: Vec<_> = entry
        .context
        .iter()
        .map(|fact| (&*fact.name, fact.value.is_some()))
        .collect();
    let given = [
        ("IP address", true),
        ("Location", true),
        ("User agent", true),
        ("Request", false),
    ];
    assert_eq!(context, given);
    assert_eq!(
        entry.related[0].tab.as_deref(),
        Some("/acme/growth/objects/integration/int_sf%2F1/audit")
    );
    let json: Event = serde_json::from_str(&entry.json).unwrap();
    assert_eq!(json, event);
}

#[test]
fn what_was_taken_out_is_said_in_words_wherever_it_stands() {
    let one = "redacted:9c1e04b7aa309c1e04b7aa309c1e04b7";
    let other = "redacted:41aa8f30b6d241aa8f30b6d241aa8f30";
    let object = |value: serde_json::Value| value.as_object().cloned();
    let mut event = of("SECRET_ROTATED");
    event.before = object(json!({"same": one, "list": [one, "x"], "iban": "NO93"}));
    event.after = object(json!({"same": one, "list": [other, "x"], "iban": one}));
    event.metadata = object(json!({"customer": {"iban": one}, "token": other, "names": [one]}));
    event.context = object(json!({"ip": one, "request_id": other, "session": one}));
    let entry = entry(&event, &label(&event), &local("UTC"));
    let html = crate::log::tests::html("/acme/growth/audit", {
        let entry = entry.clone();
        move || {
            let links = crate::address::Links::new(
                &crate::address::LogAddress::read("/acme/growth/audit").unwrap(),
                Query::default(),
            );
            let about = crate::log::About::of(
                &crate::address::LogAddress::read("/acme/growth/audit").unwrap(),
            );
            view! { <crate::log::entry::Entry links=std::sync::Arc::new(links) about entry/> }
        }
    });
    // The digits stand in the raw JSON alone.
    let (shown, raw) = html.split_once("The entry as JSON").unwrap();
    let side_of = raw.split_once("</details>").unwrap().1;
    assert!(!shown.contains("9c1e04b7") && !side_of.contains("9c1e04b7"));
    assert!(side_of.contains("11 values were taken out before they were recorded:"));
    assert!(side_of.contains(", and 3 more"));

    let paths: Vec<_> = entry.changes.iter().map(|change| &*change.path).collect();
    assert!(
        !paths.contains(&"same"),
        "equal marks are no change: {paths:?}"
    );
    assert!(
        paths.contains(&"iban") && paths.contains(&"list[0]"),
        "{paths:?}"
    );
    let fact = |facts: &[crate::log::view::FactView], name: &str| {
        let fact = facts.iter().find(|fact| fact.name == name).unwrap();
        (fact.value.clone().unwrap(), fact.code)
    };
    let plain = |mark: &str| (format!("redacted (mark {mark})"), false);
    assert_eq!(fact(&entry.metadata, "token"), plain("41aa8f"));
    assert_eq!(
        fact(&entry.metadata, "names"),
        ("redacted (mark 9c1e04)".to_owned(), true)
    );
    assert!(
        fact(&entry.metadata, "customer")
            .0
            .contains("redacted (mark 9c1e04)")
    );
    assert_eq!(fact(&entry.context, "IP address"), plain("9c1e04"));
    assert_eq!(fact(&entry.context, "Request"), plain("41aa8f"));
    assert_eq!(fact(&entry.context, "session"), plain("9c1e04"));
}

#[test]
fn what_the_way_back_lacks_is_said() {
    let mark = format!("redacted:{}", "a".repeat(32));
    let lacks = |before: serde_json::Value| {
        let mut event = of("integration:update");
        event.outcome = domain::event::Outcome::Success;
        event.before = before.as_object().cloned();
        event.after = json!({"role": "admin", "owner": 7, "team": 8, "password": "new"})
            .as_object()
            .cloned();
        let back = entry(&event, &label(&event), &local("UTC")).back;
        back.unwrap().lacks
    };
    assert_eq!(lacks(json!({"role": "viewer"})), None);
    assert_eq!(
        lacks(json!({"role": "viewer", "owner": null})).unwrap(),
        "A value that was null is not in it, because null removes a field here."
    );
    assert_eq!(
        lacks(json!({"role": "viewer", "owner": null, "team": null, "password": mark})).unwrap(),
        "A value that was taken out before it was recorded is not in it. 2 values that were null are \
         not in it, because null removes a field here."
    );
}

#[test]
fn each_field_that_an_event_changed_leads_to_its_history() {
    use domain::event::Outcome;
    let mut event = of("integration:update");
    event.outcome = Outcome::Success;
    event.before = json!({"a": {"b c": 1}, "l": ["x"]}).as_object().cloned();
    event.after = json!({"a": {"b c": 2}, "l": ["y"]}).as_object().cloned();
    let at = |micros: i64| {
        let at = event
            .occurred_at
            .plus(chrono::TimeDelta::microseconds(micros));
        at.to_string().replace(':', "%3A")
    };
    let histories = |event: &Event, zone: &str| -> Vec<Option<String>> {
        let changes = entry(event, &label(event), &local(zone)).changes;
        changes.into_iter().map(|change| change.history).collect()
    };
    let kind = event.target.kind.as_str();
    let id = event.target.id.clone().unwrap();
    let workspace = event.workspace.clone().unwrap();
    let tab = format!("/{}/{workspace}/objects/{kind}/{id}/blame", event.tenant);
    assert_eq!(
        histories(&event, "UTC"),
        [
            Some(format!("{tab}?field=a%5B%22b%20c%22%5D")),
            // An element is named by its place in the state that holds it.
            Some(format!("{tab}?field=l%5B0%5D&at={}", at(-1))),
            Some(format!("{tab}?field=l%5B0%5D&at={}", at(0))),
        ]
    );
    let first = histories(&event, "Europe/Oslo").swap_remove(0);
    assert!(first.unwrap().ends_with("&tz=Europe%2FOslo"));
    for change in [
        |event: &mut Event| event.outcome = Outcome::Denied,
        |event: &mut Event| event.target.id = None,
        |event: &mut Event| event.workspace = None,
    ] {
        let mut other = event.clone();
        change(&mut other);
        assert_eq!(histories(&other, "UTC"), [None, None, None]);
    }
}

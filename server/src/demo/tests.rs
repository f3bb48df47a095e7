//! What the story promises, checked on the demo as it is by default and on shorter and longer ones.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{
    Plan, Step,
    actions::{ACTIONS, READINGS},
    story,
};
use domain::{
    category::Category,
    event::{ActorKind, Bounds, NewEvent, Object, Outcome},
    role::Role,
    time::Timestamp,
    verb::Verb,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

fn plan(events: usize, days: u32, seed: u64, now: &str) -> Plan {
    let now = now.parse().unwrap();
    Plan {
        events,
        days,
        seed,
        now,
    }
}

/// A story's events with the time at which each becomes durable, in that order.
fn events(plan: &Plan) -> Vec<(NewEvent, Timestamp)> {
    let (_, steps) = story(plan).unwrap();
    let record = |step| match step {
        Step::Record {
            event, recorded_at, ..
        } => Some((*event, recorded_at)),
        _ => None,
    };
    steps.filter_map(record).collect()
}

static DEFAULT: LazyLock<Vec<(NewEvent, Timestamp)>> =
    LazyLock::new(|| events(&plan(20_000, 200, 1, "2026-05-18T11:20:00Z")));

/// Plans of every size, ending on working days, weekends, holidays, at night and in a leap year.
fn plans() -> Vec<Plan> {
    vec![
        plan(500, 10, 7, "2026-05-18T11:20:00Z"),
        plan(500, 10, 8, "2026-11-21T03:10:00Z"),
        plan(800, 30, 2, "2028-03-01T00:00:00Z"),
        plan(3_000, 60, 3, "2026-01-04T23:59:59Z"),
        plan(4_000, 365, 4, "2026-12-28T08:00:00Z"),
        plan(60, 200, 5, "2026-07-12T17:00:00Z"),
        plan(300, 1, 6, "2026-02-10T15:00:00Z"),
        plan(0, 5, 6, "2026-02-10T15:00:00Z"),
    ]
}

fn time(event: &NewEvent) -> Timestamp {
    event.occurred_at.unwrap()
}

fn name(event: &NewEvent) -> &str {
    event
        .actor
        .name
        .as_deref()
        .unwrap_or(event.actor.kind.as_str())
}

fn object(event: &NewEvent) -> Option<(String, String)> {
    let id = event.target.id.clone()?;
    Some((event.target.kind.as_str().to_owned(), id))
}

/// An event as a sender would write it.
fn written(event: &NewEvent) -> Value {
    json!({
        "idempotency_key": event.idempotency_key,
        "occurred_at": time(event),
        "workspace": event.workspace,
        "actor": event.actor,
        "via": event.via,
        "action": event.action,
        "verb": event.verb,
        "category": event.category,
        "target": event.target,
        "related": event.related,
        "operation": event.operation,
        "outcome": event.outcome.as_str(),
        "description": event.description,
        "before": event.before,
        "after": event.after,
        "metadata": event.metadata,
        "context": event.context,
    })
}

#[test]
fn the_same_seed_and_moment_tell_the_same_story() {
    let told = |seed| {
        let plan = plan(2_000, 40, seed, "2026-05-18T11:20:00Z");
        let (_, steps) = story(&plan).unwrap();
        steps.collect::<Vec<_>>()
    };
    assert_eq!(told(1), told(1));
    assert_ne!(told(1), told(2));
}

#[test]
fn a_story_has_as_many_events_as_were_asked_for() {
    assert_eq!(DEFAULT.len(), 20_000);
    for plan in plans() {
        assert_eq!(events(&plan).len(), plan.events, "{plan:?}");
    }
}

#[test]
fn steps_come_in_the_order_in_which_they_reach_daybook_and_within_the_days_asked_for() {
    for plan in plans() {
        let (_, steps) = story(&plan).unwrap();
        let mut last = plan.start();
        for step in steps {
            assert!(
                last <= step.at() && step.at() <= plan.now,
                "{plan:?}: {step:?}"
            );
            last = step.at();
            if let Step::Record {
                event, recorded_at, ..
            } = step
            {
                let at = time(&event);
                assert!(
                    plan.start() <= at && at <= recorded_at,
                    "{plan:?}: {event:?}"
                );
            }
        }
    }
}

#[test]
fn no_two_events_occur_at_once() {
    let mut times: Vec<Timestamp> = DEFAULT.iter().map(|(event, _)| time(event)).collect();
    times.sort();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn most_events_are_recorded_at_once_some_hours_later_and_few_after_days() {
    let late = |hours: i64| {
        let late =
            |at: Timestamp, event| at.micros() - time(event).micros() > hours * 3_600_000_000;
        DEFAULT
            .iter()
            .filter(|(event, at)| late(*at, event))
            .count()
    };
    assert!((20..200).contains(&late(1)), "{}", late(1));
    assert!((1..20).contains(&late(48)), "{}", late(48));
}

#[test]
fn every_event_is_one_that_a_sender_could_have_sent() {
    let bounds = Bounds {
        now: "2026-05-18T11:20:00Z".parse().unwrap(),
    };
    let mut keys = BTreeSet::new();
    for (event, _) in DEFAULT.iter() {
        let text = serde_json::to_string(&written(event)).unwrap();
        assert!(text.len() < 16_384, "{text}");
        let read = NewEvent::from_json(serde_json::from_str(&text).unwrap(), bounds).unwrap();
        assert_eq!(&read, event);
        if let Some(key) = &event.idempotency_key {
            assert!(keys.insert(key.clone()), "{key} twice");
        }
    }
}

#[test]
fn every_action_of_the_list_happens_and_no_other() {
    let told: BTreeSet<&str> = DEFAULT
        .iter()
        .map(|(event, _)| event.action.as_str())
        .collect();
    let listed: BTreeSet<&str> = ACTIONS.iter().copied().collect();
    assert_eq!(listed.len(), ACTIONS.len(), "an action is listed twice");
    assert_eq!(told, listed);
}

#[test]
fn every_category_and_every_verb_happens() {
    let categories: BTreeSet<Category> =
        READINGS.iter().map(|(_, category, _)| *category).collect();
    let verbs: BTreeSet<Verb> = READINGS.iter().map(|(_, _, verb)| *verb).collect();
    assert_eq!(categories.len(), Category::ALL.len());
    assert_eq!(verbs.len(), Verb::ALL.len());
}

/// Follows every object through its events in the order of time.
fn follow(events: &[(NewEvent, Timestamp)]) -> BTreeMap<(String, String), Object> {
    let mut in_order: Vec<&NewEvent> = events.iter().map(|(event, _)| event).collect();
    in_order.sort_by_key(|event| time(event));
    // What is known of an object: its fields, and whether those are all.
    let mut states: BTreeMap<(String, String), (Object, bool)> = BTreeMap::new();
    let mut gone = BTreeSet::new();
    for event in in_order {
        let Some(object) = object(event) else {
            continue;
        };
        assert!(
            !gone.contains(&object),
            "something happens to what is gone: {event:?}"
        );
        let empty = Object::new();
        let before = event.before.as_ref().unwrap_or(&empty);
        let after = event.after.as_ref().unwrap_or(&empty);
        let first = !states.contains_key(&object);
        let (state, whole) = states.entry(object.clone()).or_default();
        if event.before.is_none() && event.after.is_some() {
            assert!(first, "created twice: {event:?}");
            *whole = true;
        }
        for (field, value) in before {
            match state.get(field) {
                Some(known) => assert_eq!(known, value, "{field} of {event:?}"),
                None => assert!(!*whole, "{field} was not there: {event:?}"),
            }
        }
        for field in after.keys().filter(|field| !before.contains_key(*field)) {
            assert!(!state.contains_key(field), "{field} was there: {event:?}");
        }
        if event.before.is_some() && event.after.is_none() {
            if *whole {
                assert_eq!(before, state, "the last state of {event:?}");
            }
            gone.insert(object);
            continue;
        }
        for field in before.keys() {
            state.remove(field);
        }
        state.extend(after.clone());
    }
    states
        .into_iter()
        .map(|(object, (state, _))| (object, state))
        .collect()
}

#[test]
fn every_change_starts_where_the_last_one_ended() {
    let states = follow(&DEFAULT);
    assert!(states.len() > 3_000);
    for plan in plans() {
        follow(&events(&plan));
    }
}

#[test]
fn a_change_changes_something_and_what_fails_or_is_denied_by_rule_leaves_things_alone() {
    for (event, _) in DEFAULT.iter() {
        assert!(
            event.before.is_none() || event.before != event.after,
            "{event:?}"
        );
        if event.outcome == Outcome::Denied {
            assert_eq!((&event.before, &event.after), (&None, &None), "{event:?}");
            assert!(event.description.is_some(), "{event:?}");
        }
    }
}

#[test]
fn only_the_system_is_nobody_and_addresses_are_from_the_ranges_for_documentation() {
    for (event, _) in DEFAULT.iter() {
        assert_eq!(
            event.actor.id.is_none(),
            event.actor.kind == ActorKind::System
        );
        assert_eq!(
            event.actor.email.is_some(),
            event.actor.kind == ActorKind::User
        );
        if let Some(email) = &event.actor.email {
            assert!(email.ends_with("@acme.example"), "{email}");
        }
        let ip = event
            .context
            .as_ref()
            .and_then(|context| context["ip"].as_str());
        let documented = ["203.0.113.", "198.51.100.", "192.0.2.", "2001:db8:"];
        if let Some(ip) = ip {
            assert!(documented.iter().any(|range| ip.starts_with(range)), "{ip}");
            assert!(ip.parse::<std::net::IpAddr>().is_ok(), "{ip}");
        }
    }
}

#[test]
fn people_rest_on_weekends_and_automation_works_at_night() {
    use chrono::{Datelike, Timelike};
    let count = |kind: bool, of: fn(&chrono::DateTime<chrono::Utc>) -> bool| {
        let fits = |event: &NewEvent| {
            (event.actor.kind == ActorKind::User) == kind && of(&time(event).datetime())
        };
        DEFAULT.iter().filter(|(event, _)| fits(event)).count()
    };
    let weekend = |at: &chrono::DateTime<chrono::Utc>| at.weekday().number_from_monday() > 5;
    let night = |at: &chrono::DateTime<chrono::Utc>| at.hour() < 3;
    assert!(count(true, weekend) * 10 < count(true, |_| true));
    assert!(count(true, night) * 20 < count(true, |_| true));
    assert!(count(false, night) * 5 > count(false, |_| true));
}

#[test]
fn a_secret_is_rotated_and_two_hours_later_a_job_fails_until_it_is_rotated_again() {
    let rotations: Vec<&NewEvent> = of("sec_4f9d21ab", "SECRET_ROTATED");
    let failures = of("job_reporting", "JOB_FAILED");
    let [.., partial, second] = rotations.as_slice() else {
        panic!("rotations: {rotations:?}");
    };
    assert_eq!(name(partial), "Priya Raman");
    assert!(
        partial
            .description
            .as_deref()
            .unwrap()
            .contains("partial rotation")
    );
    assert_eq!(time(partial).to_string()[..16], *"2026-05-12T06:52");
    assert_eq!(failures.len(), 6);
    let hours = (time(failures[0]).micros() - time(partial).micros()) / 3_600_000_000;
    assert!((1..=2).contains(&hours));
    assert!(failures.iter().all(|event| time(event) < time(second)));
    assert!(
        failures
            .iter()
            .all(|event| event.outcome == Outcome::Failure)
    );
}

/// The events of an object with an action, in the order of time.
fn of(id: &str, action: &str) -> Vec<&'static NewEvent> {
    let all = DEFAULT.iter().map(|(event, _)| event);
    let fits = |event: &&NewEvent| {
        event.target.id.as_deref() == Some(id)
            && (action.is_empty() || event.action.as_str() == action)
    };
    let mut found: Vec<_> = all.filter(fits).collect();
    found.sort_by_key(|event| time(event));
    found
}

#[test]
fn the_questions_of_the_last_week_have_answers() {
    let week = "2026-05-11T11:20:00Z".parse().unwrap();
    let alex = DEFAULT.iter().filter(|(event, _)| {
        name(event) == "Alex Kim"
            && time(event) >= week
            && READINGS.iter().any(|(action, category, _)| {
                *action == event.action.as_str() && *category == Category::Integrations
            })
    });
    assert!(alex.count() >= 5);

    let changed = of("int_rpa_invoice_7a", "RPA_CREDENTIALS_UPDATED");
    let last = changed.last().unwrap();
    assert_eq!(name(last), "Dmitri Volkov");
    let (company, steps) = story(&plan(20_000, 200, 1, "2026-05-18T11:20:00Z")).unwrap();
    let deactivated = steps.into_iter().find_map(|step| match step {
        Step::Deactivate { at, person, .. } if company.people[person].name == "Dmitri Volkov" => {
            Some(at)
        }
        _ => None,
    });
    let hours = (deactivated.unwrap().micros() - time(last).micros()) / 3_600_000_000;
    assert!((8..12).contains(&hours), "{hours}");
    assert!(last.before.as_ref().unwrap()["credentials"]["password"].is_string());

    assert_eq!(name(of("tok_9", "API_TOKEN_CREATED")[0]), "Alex Kim");
    assert_eq!(name(of("usr_0d9e", "MEMBER_REMOVED")[0]), "Ingrid Solheim");
    assert_eq!(name(of("tok_c114", "API_TOKEN_ROTATED")[0]), "Katrin Vogel");
    assert_eq!(
        name(of("int_tracker_19", "INTEGRATION_CONNECTED")[0]),
        "Alex Kim"
    );
}

#[test]
fn the_token_that_the_story_asks_for_is_the_only_one_of_its_name() {
    for plan in plans() {
        for (event, _) in events(&plan) {
            let token = event.target;
            let name = token.name.unwrap_or_default();
            if token.kind.as_str() == "api_token" && name.contains("ci-prod") {
                assert_eq!(token.id.as_deref(), Some("tok_9"), "{plan:?}");
            }
        }
    }
}

#[test]
fn the_model_that_was_thought_to_be_saved_was_saved_over() {
    let saves = of("mdl_8d10", "DATA_MODEL_UPDATED");
    let [.., first, failed, last] = saves.as_slice() else {
        panic!("saves: {saves:?}");
    };
    assert_eq!(
        (name(first), first.outcome),
        ("Lucía Fernández", Outcome::Success)
    );
    assert_eq!(
        (name(failed), failed.outcome),
        ("Lucía Fernández", Outcome::Failure)
    );
    assert_eq!(
        (name(last), last.outcome),
        ("Jonas Weber", Outcome::Success)
    );
    let window = |state: &Option<Object>| state.as_ref().unwrap()["filters"][0]["value"].clone();
    assert_eq!(
        (window(&last.before), window(&last.after)),
        (json!("45 days"), json!("30 days"))
    );
}

#[test]
fn the_robot_has_more_than_two_pages_over_six_months() {
    let all = of("int_rpa_invoice_7a", "");
    assert!(all.len() > 120, "{}", all.len());
    let days = (time(all[all.len() - 1]).micros() - time(all[0]).micros()) / 86_400_000_000;
    assert!(days > 170, "{days}");
}

#[test]
fn twenty_seven_leave_a_process_in_one_operation_and_tokens_are_rotated_in_another() {
    let mut operations: BTreeMap<&str, usize> = BTreeMap::new();
    for operation in DEFAULT
        .iter()
        .filter_map(|(event, _)| event.operation.as_deref())
    {
        *operations.entry(operation).or_default() += 1;
    }
    assert_eq!(operations["access-review-2026-05"], 27);
    assert_eq!(operations["rotate-2026-05"], 14);
}

#[test]
fn nobody_acts_after_they_have_left() {
    let last = |who: &str| {
        let theirs = DEFAULT.iter().filter(|(event, _)| name(event) == who);
        theirs.map(|(event, _)| time(event)).max().unwrap()
    };
    let (company, _) = story(&plan(20_000, 200, 1, "2026-05-18T11:20:00Z")).unwrap();
    let left: Vec<_> = company
        .people
        .iter()
        .filter_map(|person| Some((person.name, person.left?)))
        .collect();
    assert_eq!(left.len(), 2);
    for (name, at) in left {
        assert!(last(name) < at, "{name}");
    }
}

#[test]
fn everyone_has_a_role_before_it_changes_and_ends_with_the_one_that_the_company_says() {
    for plan in plans() {
        let (company, steps) = story(&plan).unwrap();
        let mut roles: BTreeMap<(usize, Option<String>), Role> = BTreeMap::new();
        for step in steps {
            match step {
                Step::AddMember {
                    person,
                    workspace,
                    role,
                    ..
                } => {
                    let place = workspace.map(String::from);
                    assert_eq!(roles.insert((person, place), role), None);
                }
                Step::ChangeRole {
                    person,
                    workspace,
                    role,
                    by,
                    ..
                } => {
                    let old = roles.insert((person, Some(workspace.into())), role);
                    assert!(
                        old.is_some_and(|old| old != role),
                        "{}",
                        company.people[person].name
                    );
                    assert_ne!(person, by);
                }
                _ => {}
            }
        }
        let told = company
            .people
            .iter()
            .enumerate()
            .flat_map(|(person, about)| {
                let roles = about.memberships.iter();
                roles.map(move |one| ((person, one.workspace.clone().map(String::from)), one.role))
            });
        assert_eq!(roles, told.collect());
    }
}

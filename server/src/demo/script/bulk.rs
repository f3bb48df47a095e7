//! Many things at once: rotations, an access review, and the freezes of production.

use super::{Beat, Clock, oslo, who};
use crate::demo::{
    bots::{SYSTEM, TERRAFORM},
    calendar::{is_frozen, weekday_from},
    people::{CAST, Place::Growth, Place::Revenue},
    scene::{Who, object},
};
use chrono::{Datelike, Days, TimeDelta};
use serde_json::{Value, json};

/// How far back they are written.
const DAYS: u64 = 400;

/// How many leave the process at once.
const LEAVING: usize = 27;

const PROCESS: (&str, &str) = ("process", "prc_vendor_onb");
const PRODUCTION: (&str, &str) = ("environment", "env_production");

/// All of them.
pub fn beats(clock: Clock) -> Vec<Beat> {
    let mut beats = review(clock);
    beats.extend(freezes(clock));
    for days in 1..DAYS {
        let day = clock.ago(days);
        if day.day() == 1 {
            beats.extend(rotation(weekday_from(day)));
        }
    }
    beats
}

/// The first workday of a month: the tokens that automation uses get new values.
fn rotation(day: chrono::NaiveDate) -> impl Iterator<Item = Beat> {
    let operation = format!("rotate-{}", day.format("%Y-%m"));
    (0..14).map(move |nth| {
        let at = oslo(day, (7, 30, 4)).plus(TimeDelta::milliseconds(
            740 * i64::try_from(nth).unwrap_or(0),
        ));
        Beat::new(
            at,
            Growth,
            who("Aylin Demir"),
            "API_TOKEN_ROTATED",
            ("api_token", ""),
        )
        .routinely(nth)
        .via(&TERRAFORM)
        .note("monthly rotation")
        .operation(&operation)
    })
}

/// Those who no longer have to do with vendors leave the process.
fn review(clock: Clock) -> Vec<Beat> {
    let first = [
        "Anders", "Marit", "Lena", "Paulo", "Joana", "Kevin", "Sara", "Nikhil", "Divya",
    ];
    let last = ["Nilsen", "Schmidt", "Costa", "Miller"];
    let guests = (0..LEAVING).map(|at| {
        let name = format!("{} {}", first[at % first.len()], last[at / first.len()]);
        json!({"id": format!("usr_g{at:03}"), "name": name, "role": "participant"})
    });
    let staff = CAST
        .iter()
        .filter(|person| person.revenue.is_some())
        .take(6);
    let staff = staff.map(|one| json!({"id": one.id, "name": one.name, "role": "approver"}));
    let mut members: Vec<Value> = guests.chain(staff).collect();

    let day = clock.workday(9);
    let mut beats = vec![
        Beat::new(
            oslo(clock.workday(140), (10, 30, 12)),
            Revenue,
            who("Helena Braga"),
            "PROCESS_CREATED",
            PROCESS,
        )
        .creates(
            "Vendor onboarding",
            object!({
                "steps": [
                    {"id": "capture", "by": "participant", "hours": 24},
                    {"id": "screen", "by": "approver", "hours": 72},
                    {"id": "approve", "by": "approver", "hours": 48},
                ],
                "limit_eur": 25_000,
                "escalation": "controller",
                "members": members,
                "runs": 0,
            }),
        ),
    ];
    let start = oslo(day, (15, 4, 20));
    for nth in 0..LEAVING {
        let gone = members.remove(0);
        let at = start.plus(TimeDelta::milliseconds(
            183 * i64::try_from(nth).unwrap_or(0),
        ));
        let mut beat = Beat::new(
            at,
            Revenue,
            who("Helena Braga"),
            "PROCESS_MEMBER_REMOVED",
            PROCESS,
        )
        .sets([("members", json!(members))])
        .note("access review: contracts have ended")
        .operation(&format!("access-review-{}", day.format("%Y-%m")));
        let text = |name: &str| gone[name].as_str().map(str::to_owned);
        beat.related
            .extend("user".parse().ok().map(|kind| domain::event::Target {
                kind,
                id: text("id"),
                name: text("name"),
                url: None,
            }));
        beats.push(beat);
    }
    beats
}

/// Production is locked and unlocked with every freeze.
fn freezes(clock: Clock) -> Vec<Beat> {
    let beat = |day, time, who, action| Beat::new(oslo(day, time), Growth, who, action, PRODUCTION);
    let begin = clock.ago(DAYS + 1);
    let mut beats = vec![
        beat(begin, (8, 0, 0), Who::Bot(&SYSTEM), "ENVIRONMENT_CREATED").creates(
            "production",
            object!({
                "tier": "production",
                "region": "eu-north-1",
                "locked": is_frozen(begin),
                "configuration": {"log_level": "info", "rate_limit_per_minute": 2_400, "maintenance": false},
            }),
        ),
    ];
    for days in (0..=DAYS).rev() {
        let day = clock.ago(days);
        match (is_frozen(day - Days::new(1)), is_frozen(day)) {
            (false, true) => beats.push(
                beat(day, (7, 0, 1), who("Tom Okafor"), "ENVIRONMENT_LOCKED")
                    .sets([("locked", json!(true))])
                    .note(if day.month() == 12 {
                        "freeze until 3 January: fixes only, with two approvals"
                    } else {
                        "freeze until the quarter is closed"
                    }),
            ),
            (true, false) => beats.push(
                beat(day, (8, 0, 1), Who::Bot(&SYSTEM), "ENVIRONMENT_UNLOCKED")
                    .sets([("locked", json!(false))])
                    .note("freeze is over"),
            ),
            _ => {}
        }
    }
    beats
}

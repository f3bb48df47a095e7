//! Half a year of one integration: the robot that reads invoices, from its first day to the evening
//! on which its account was changed.

use super::{Beat, Clock, oslo, who};
use crate::demo::{
    bots::{FINANCE_ASSISTANT, INVOICE_BOT, SYSTEM},
    calendar::City,
    people::Place::Growth,
    scene::{Who, object},
};
use chrono::{Datelike, Days};
use serde_json::{Value, json};

const ROBOT: (&str, &str) = ("integration", "int_rpa_invoice_7a");

/// How many days ago it was connected.
const CONNECTED: u64 = 182;

fn schedule(cron: &str, zone: &str) -> (&'static str, Value) {
    ("schedule", json!({"cron": cron, "time_zone": zone}))
}

fn credentials(username: &str, password: &str) -> (&'static str, Value) {
    (
        "credentials",
        json!({"username": username, "password": password}),
    )
}

/// All of it.
pub fn beats(clock: Clock) -> Vec<Beat> {
    let mut beats = changes(clock);
    beats.extend(last_week(clock));
    beats.extend(runs(clock));
    beats
}

fn changes(clock: Clock) -> Vec<Beat> {
    let beat = |days, time, name: &str, action| {
        let who = if name.is_empty() {
            Who::Bot(&SYSTEM)
        } else {
            who(name)
        };
        Beat::new(oslo(clock.workday(days), time), Growth, who, action, ROBOT)
    };
    vec![
        beat(CONNECTED, (9, 40, 55), "Lucía Fernández", "INTEGRATION_CONNECTED")
            .creates(
                "RPA invoice bot",
                object!({
                    "name": "RPA invoice bot",
                    "enabled": true,
                    "status": "connected",
                    "product": "Robotic process automation",
                    "schedule": {"cron": "0 6 * * *", "time_zone": "UTC"},
                    "credentials": {"username": "svc_rpa", "password": "Fjord-4417-Kestrel"},
                    "inbox": {"address": "invoices@acme.example", "folders": ["Invoices"]},
                    "limits": {"max_amount_eur": 10_000, "per_run": 200},
                    "owners": ["dmitri.volkov@acme.example"],
                }),
            )
            .note("reads invoices from the shared inbox and books what is below the limit"),
        beat(176, (14, 3, 27), "Dmitri Volkov", "RPA_CREDENTIALS_UPDATED")
            .sets([credentials("svc_rpa", "Solvang-9920-Tagus")])
            .note("first password was in the ticket"),
        beat(148, (9, 15, 9), "Moritz Keller", "integration:update")
            .sets([("limits", json!({"max_amount_eur": 15_000, "per_run": 200}))])
            .denied("needs the role admin"),
        beat(148, (11, 2, 40), "Ingrid Solheim", "integration:update")
            .sets([("limits", json!({"max_amount_eur": 15_000, "per_run": 200}))])
            .note("asked for by Moritz Keller"),
        beat(119, (10, 22, 19), "Mara Lindqvist", "integration:update")
            .sets([("inbox", json!({"address": "invoices@acme.example", "folders": ["Invoices", "Invoices/Late"]}))])
            .via(&FINANCE_ASSISTANT),
        beat(101, (15, 48, 2), "Dmitri Volkov", "RPA_CREDENTIALS_UPDATED")
            .sets([credentials("svc_rpa", "Alster-0358-Monsun")])
            .note("quarterly"),
        beat(77, (16, 20, 11), "Dmitri Volkov", "integration:disable")
            .sets([("enabled", json!(false))])
            .note("month-end close, booked by hand until it is done"),
        beat(74, (8, 10, 36), "Dmitri Volkov", "integration:enable").sets([("enabled", json!(true))]),
        beat(52, (11, 31, 55), "Ingrid Solheim", "integration:update")
            .sets([("limits", json!({"max_amount_eur": 25_000, "per_run": 400}))])
            .note("agreed with the auditors, four eyes above 10,000"),
        beat(31, (9, 58, 21), "Dmitri Volkov", "RPA_CREDENTIALS_UPDATED")
            .sets([credentials("svc_rpa", "Juniper-7764-Hafen")])
            .note("quarterly"),
        beat(20, (13, 11, 2), "Jonas Weber", "integration:update").denied("needs the role admin"),
        beat(20, (13, 15, 40), "Alex Kim", "integration:update")
            .sets([schedule("0 5 * * 1-5", "Europe/Oslo")])
            .note("before the office opens, and not on weekends"),
    ]
}

/// The evening before Dmitri was deactivated, and the morning after.
fn last_week(clock: Clock) -> Vec<Beat> {
    let evening = clock.dmitris_last();
    let morning = evening + Days::new(1);
    let beat = |day, time, name: &str, action| {
        let who = if name.is_empty() {
            Who::Bot(&SYSTEM)
        } else {
            who(name)
        };
        Beat::new(oslo(day, time), Growth, who, action, ROBOT)
    };
    vec![
        beat(
            evening,
            (22, 48, 9),
            "Dmitri Volkov",
            "RPA_CREDENTIALS_UPDATED",
        )
        .sets([credentials("svc_rpa_2", "Nordlicht-2086-Deccan")])
        .note("bot account locked by the bank, moved to the spare one"),
        beat(morning, (6, 0, 2), "", "integration:disable")
            .sets([("enabled", json!(false))])
            .note("three failed sign-ins"),
        beat(morning, (9, 20, 44), "Alex Kim", "INTEGRATION_TESTED")
            .fails("svc_rpa_2 signs in, but may not read the folder Invoices/Late"),
        beat(morning, (10, 5, 17), "Alex Kim", "integration:update")
            .sets([(
                "owners",
                json!(["alex.kim@acme.example", "moritz.keller@acme.example"]),
            )])
            .note("taken over from Dmitri Volkov")
            .concerns("Dmitri Volkov"),
        beat(morning, (10, 41, 58), "Alex Kim", "integration:enable")
            .sets([("enabled", json!(true))])
            .note("folder permission given; the bank confirmed the account by phone"),
    ]
}

/// Each workday's run.
fn runs(clock: Clock) -> Vec<Beat> {
    let paused = (clock.workday(77), clock.workday(74));
    let disabled = clock.dmitris_last() + Days::new(1);
    let mut beats = Vec::new();
    for days in 1..CONNECTED {
        let day = clock.ago(days);
        if City::Oslo.diligence(day) < 20 || (paused.0 < day && day < paused.1) || day == disabled {
            continue;
        }
        let spread = u64::from(day.ordinal()) * 7 + days * 13;
        let (invoices, second) = (21 + spread % 160, u32::try_from(spread % 50).unwrap_or(0));
        let run = Beat::new(
            oslo(day, (6, 3, second)),
            Growth,
            Who::Bot(&INVOICE_BOT),
            "INTEGRATION_SYNCED",
            ROBOT,
        );
        beats.push(if spread.is_multiple_of(29) {
            run.fails("two invoices have no purchase order; left in the inbox")
        } else {
            run.sets([(
                "last_run",
                json!({"on": day.to_string(), "invoices": invoices, "booked": invoices - spread % 9}),
            )])
        });
    }
    beats
}

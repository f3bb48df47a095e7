//! The incident: a secret is rotated for most of its readers, and the one left out fails two hours
//! later.

use super::{Beat, Clock, Happening, oslo, who};
use crate::demo::{
    bots::{RELEASE_ASSISTANT, SYSTEM},
    people::Place::Growth,
    scene::{Who, object},
};
use chrono::{Days, NaiveDate};
use domain::time::Timestamp;
use serde_json::{Value, json};

const SECRET: (&str, &str) = ("secret", "sec_4f9d21ab");
const JOB: (&str, &str) = ("job", "job_reporting");
const DEPLOYMENT: (&str, &str) = ("deployment", "dep_7f3k9q2v");
const ALERT: (&str, &str) = ("alert", "alr_5e02c7d1");
const FLAG: (&str, &str) = ("feature_flag", "flag_forecast2");

/// The error that the job meets.
const REFUSED: &str = "authentication failed: invalid_client, the client secret is not valid";

/// All of it, the quiet months before included.
pub fn beats(clock: Clock) -> Vec<Beat> {
    let mut beats = history(clock);
    let day = clock.incident();
    beats.extend(job(day));
    beats.extend(morning(day));
    beats.extend(noise(day));
    beats.extend(repair(day));
    beats
}

fn consumers(versions: [i64; 3]) -> Value {
    json!([
        {"name": "crm-gateway", "version": versions[0]},
        {"name": "nightly-sync", "version": versions[1]},
        {"name": "reporting-job", "version": versions[2]},
    ])
}

fn rotated(version: i64, readers: [i64; 3], fingerprint: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("version", json!(version)),
        ("fingerprint", json!(format!("sha256:{fingerprint}"))),
        ("consumers", consumers(readers)),
    ]
}

fn history(clock: Clock) -> Vec<Beat> {
    let beat = |days, time, name: &str, action| {
        let who = if name.is_empty() {
            Who::Bot(&SYSTEM)
        } else {
            who(name)
        };
        Beat::new(oslo(clock.workday(days), time), Growth, who, action, SECRET)
    };
    vec![
        beat(900, (10, 2, 11), "Tom Okafor", "SECRET_CREATED").creates(
            "SALESFORCE_CLIENT_SECRET",
            object!({
                "version": 3,
                "status": "active",
                "store": "vault",
                "fingerprint": "sha256:07d21c9be4f0",
                "consumers": consumers([3, 3, 3]),
                "allowed_hosts": ["login.salesforce.com", "acme.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com"],
                "expires_on": null,
            }),
        ),
        beat(158, (9, 40, 3), "Tom Okafor", "SECRET_ROTATED")
            .sets(rotated(4, [4, 4, 4], "b3377ac01d52"))
            .note("quarterly rotation, every consumer restarted")
            .tell("reason", "quarterly"),
        beat(93, (3, 0, 8), "", "SECRET_ROTATED")
            .sets(rotated(5, [5, 5, 5], "55e0a8c4179d"))
            .tell("reason", "quarterly")
            .tell("rotated_by_policy", true),
        beat(34, (13, 17, 45), "Priya Raman", "SECRET_ROTATED")
            .sets(rotated(6, [6, 6, 6], "9c1e04b7aad2"))
            .note("the agency's laptop was stolen; rotated within the hour")
            .tell("reason", "exposure")
            .tell("ticket", "SEC-311"),
    ]
}

fn job(day: NaiveDate) -> Vec<Beat> {
    let run =
        |day, hour, action| Beat::new(oslo(day, hour), Growth, Who::Bot(&SYSTEM), action, JOB);
    let start = day - Days::new(200);
    let mut beats = vec![run(start, (8, 0, 0), "JOB_QUEUED").creates(
        "reporting-job",
        object!({
            "name": "reporting-job",
            "status": "completed",
            "schedule": {"cron": "22,52 * * * *", "time_zone": "Europe/Oslo"},
            "reads": {"secret": "SALESFORCE_CLIENT_SECRET", "release": "2026.4"},
            "failures_in_a_row": 0,
        }),
    )];
    // On other days its mornings are enough to know it by.
    for ahead in [10, 7, 6, 5, 4, 3, 2, 1] {
        beats.push(completed(
            run(day - Days::new(ahead), (7, 22, 31), "JOB_COMPLETED"),
            ahead,
        ));
    }
    for (at, hour) in [(8, 22), (8, 52), (9, 22), (9, 52), (10, 22)]
        .into_iter()
        .enumerate()
    {
        let (hour, minute) = hour;
        let rows = u64::try_from(at).unwrap_or(0);
        beats.push(completed(
            run(day, (hour, minute, 29), "JOB_COMPLETED"),
            rows,
        ));
    }
    let failing = [(10, 52), (11, 22), (11, 52), (12, 22), (12, 52), (13, 22)];
    for (count, (hour, minute)) in (1..).zip(failing) {
        beats.push(
            run(day, (hour, minute, 14), "JOB_FAILED")
                .sets([
                    ("status", json!("failed")),
                    ("failures_in_a_row", json!(count)),
                ])
                .fails(REFUSED)
                .tell(
                    "endpoint",
                    "https://login.salesforce.com/services/oauth2/token",
                )
                .tell("http_status", 401)
                .tell("reads_version", 6),
        );
    }
    beats
}

fn completed(beat: Beat, spread: u64) -> Beat {
    let rows = 18_204 + 37 * spread;
    let at = beat.at.datetime().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    beat.sets([
        ("status", json!("completed")),
        ("failures_in_a_row", json!(0)),
        ("last_success", json!({"at": at, "rows": rows})),
    ])
}

/// What was done before anything was seen to be wrong.
fn morning(day: NaiveDate) -> Vec<Beat> {
    vec![
        Beat::new(
            oslo(day, (8, 52, 37)),
            Growth,
            who("Priya Raman"),
            "SECRET_ROTATED",
            SECRET,
        )
        .sets(rotated(7, [7, 7, 6], "41aa8f30c67e"))
        .note("partial rotation: reporting-job still reads version 6 until its next deploy")
        .tell("reason", "quarterly")
        .tell("ticket", "OPS-2214")
        .tell("rotated_by_policy", false),
        Beat::new(
            oslo(day, (9, 14, 3)),
            Growth,
            who("Alex Kim"),
            "API_TOKEN_CREATED",
            ("api_token", "tok_9"),
        )
        .creates(
            "ci-prod-deploy",
            object!({
                "name": "ci-prod-deploy",
                "status": "active",
                "scopes": ["read-workspace", "write-deployments"],
                "last_four": "7c1e",
                "expires_on": (day + Days::new(90)).to_string(),
                "owner": "alex.kim@acme.example",
            }),
        )
        .tell("reason", "the old one is printed in build logs"),
    ]
}

/// The forty minutes before the peak: what looks guilty, and what tells the time.
fn noise(day: NaiveDate) -> Vec<Beat> {
    let beat = |time, name: &str, action, thing| {
        let who = if name.is_empty() {
            Who::Bot(&SYSTEM)
        } else {
            who(name)
        };
        Beat::new(oslo(day, time), Growth, who, action, thing)
    };
    vec![
        Beat::new(
            oslo(day - Days::new(21), (11, 5, 50)),
            Growth,
            who("Jonas Weber"),
            "feature_flag:create",
            FLAG,
        )
        .creates(
            "pipeline-forecast-v2",
            object!({
                "enabled": false,
                "rollout_percent": 0,
                "audiences": ["staff"],
                "default": "off",
                "owner": "jonas.weber@acme.example",
            }),
        ),
        deployed(oslo(day - Days::new(1), (16, 20, 44)), "Mara Lindqvist", ("deployment", "dep_2m8w41xd"), "checkout-api")
            .releases(&release(day - Days::new(1), 4), &release(day - Days::new(4), 1)),
        beat((12, 31, 40), "Jonas Weber", "feature_flag:enable", FLAG)
            .sets([("enabled", json!(true)), ("rollout_percent", json!(25))])
            .note("new forecast for a quarter of the accounts"),
        beat((12, 38, 5), "", "alert:create", ALERT).creates(
            "reporting: numbers are older than 90 minutes",
            object!({"status": "open", "severity": "warning", "service": "reporting", "threshold_minutes": 90}),
        ),
        beat((12, 41, 5), "Mara Lindqvist", "deployment:create", DEPLOYMENT)
            .creates(
                "checkout-api",
                object!({
                    "service": "checkout-api",
                    "environment": "production",
                    "release": release(day, 2),
                    "previous_release": release(day - Days::new(1), 4),
                    "commit": "9f3c01d7be42",
                    "branch": "main",
                    "strategy": "rolling",
                    "replicas": {"wanted": 6, "ready": 0},
                    "status": "running",
                }),
            )
            .via(&RELEASE_ASSISTANT),
        beat((12, 49, 22), "Tom Okafor", "alert:acknowledge", ALERT)
            .sets([("status", json!("acknowledged")), ("acknowledged_by", json!("tom.okafor@acme.example"))])
            .note("on it; checkout is being deployed, looking there first"),
        beat((12, 55, 48), "", "deployment:fail", DEPLOYMENT)
            .sets([("status", json!("failed"))])
            .fails("health check failed three times"),
        beat((12, 57, 19), "", "deployment:rollback", DEPLOYMENT)
            .sets([("release", json!(release(day - Days::new(1), 4))), ("status", json!("rolled_back"))])
            .note("health check failed three times"),
        beat((13, 6, 33), "Jonas Weber", "feature_flag:disable", FLAG)
            .sets([("enabled", json!(false)), ("rollout_percent", json!(0))])
            .note("switched off to be sure; the numbers stay as old as they were"),
        beat((13, 11, 2), "", "alert:update", ALERT)
            .sets([("severity", json!("critical"))])
            .note("six dashboards and the board's report show numbers of this morning"),
    ]
}

/// How it was found and mended.
fn repair(day: NaiveDate) -> Vec<Beat> {
    let beat = |time, name: &str, action, thing| {
        let who = if name.is_empty() {
            Who::Bot(&SYSTEM)
        } else {
            who(name)
        };
        Beat::new(oslo(day, time), Growth, who, action, thing)
    };
    vec![
        beat((13, 19, 54), "Tom Okafor", "SECRET_READ", SECRET)
            .tell("reason", "on-call")
            .tell("incident", "INC-87"),
        deployed(oslo(day, (13, 31, 27)), "Priya Raman", ("deployment", "dep_4t0c9e6b"), "reporting-job")
            .releases(&release(day, 1), &release(day - Days::new(12), 2))
            .note("reads whichever version is current, no longer a fixed one")
            .tell("incident", "INC-87"),
        beat((13, 35, 50), "", "deployment:complete", ("deployment", "dep_4t0c9e6b"))
            .sets([("status", json!("succeeded"))]),
        beat((13, 38, 9), "Priya Raman", "SECRET_ROTATED", SECRET)
            .sets(rotated(8, [8, 8, 8], "e81b5d6072fc"))
            .note("second rotation: reporting-job deployed first, every consumer reads version 8")
            .tell("reason", "incident")
            .tell("ticket", "OPS-2214")
            .tell("incident", "INC-87"),
        beat((13, 40, 31), "Priya Raman", "JOB_RETRIED", JOB)
            .sets([("status", json!("queued"))])
            .tell("incident", "INC-87"),
        completed(beat((13, 44, 12), "", "JOB_COMPLETED", JOB), 9),
        beat((13, 52, 0), "", "alert:resolve", ALERT)
            .sets([("status", json!("resolved"))])
            .note("numbers are four minutes old"),
        beat((14, 26, 48), "Tom Okafor", "NOTE_CREATED", ("note", "nte_inc87"))
            .creates(
                "INC-87: reporting stood still for three hours",
                object!({
                    "title": "INC-87: reporting stood still for three hours",
                    "text": "The rotation at 08:52 left reporting-job on version 6. Salesforce withdrew version 6 two hours later. The deployment and the flag had nothing to do with it. From now on a rotation waits until every consumer has confirmed.",
                    "pinned": true,
                }),
            )
            .tell("incident", "INC-87"),
    ]
}

/// A deployment to production that somebody begins.
fn deployed(
    at: Timestamp,
    name: &str,
    thing: (&'static str, &'static str),
    service: &'static str,
) -> Beat {
    let state = object!({
        "service": service,
        "environment": "production",
        "branch": "main",
        "strategy": "rolling",
        "replicas": {"wanted": 2, "ready": 0},
        "status": "running",
    });
    Beat::new(at, Growth, who(name), "deployment:create", thing).creates(service, state)
}

impl Beat {
    /// From which release to which a new deployment goes.
    fn releases(mut self, release: &str, previous: &str) -> Self {
        if let Happening::Creates(_, state) = &mut self.happening {
            state.insert("release".to_owned(), json!(release));
            state.insert("previous_release".to_owned(), json!(previous));
        }
        self
    }
}

fn release(day: NaiveDate, number: u32) -> String {
    format!("{}-{number}", day.format("%Y.%m.%d"))
}

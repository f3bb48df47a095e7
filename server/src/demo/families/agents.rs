//! Agents and the routines that they follow.

use crate::demo::{
    bots::{SYSTEM, TRIAGE},
    people::Team,
    scene::{Scene, choose, is_on, object, put, text, toggle, tune},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::{Object, Outcome};
use serde_json::json;

const SPECIALISTS: &[&str] = &[
    "Triage routine",
    "Release assistant",
    "Data steward",
    "Finance assistant",
    "Nightly QA routine",
];

/// Somebody made of software.
pub static AGENT: Kind = Kind {
    name: "agent",
    prefix: "agt",
    share: [100, 70],
    teams: &[Team::Data, Team::Product, Team::Platform],
    whole: false,
    stock: 5,
    most: 24,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Pricing", "Support", "Churn", "Contract", "Release", "Outreach", "Survey",
                "Forecast"
            ]),
            scene.pick(&["assistant", "analyst", "reviewer", "scout", "clerk"]),
        )
    },
    state: |scene, _| {
        object!({
            "enabled": true,
            "model": "small-4",
            "tools": ["search"],
            "instructions": "Answer from the workspace's own data. Say so when it does not hold the answer.",
            "limits": {"steps": 20, "euros_per_day": 15},
            "owner": scene.owner(),
        })
    },
    acts: &[
        Act::new("AGENT_CREATED", Effect::Create).people(8),
        Act::new("AGENT_UPDATED", Effect::Edit(teach))
            .people(34)
            .fails(
                20,
                &[(
                    Outcome::Denied,
                    "the budget of an agent is for admins to raise",
                )],
            ),
        Act::new("AGENT_REASSIGNMENT_QUEUED", Effect::Edit(reassign)).bots(20, &[&TRIAGE, &SYSTEM]),
        Act::new(
            "AGENT_DISABLED",
            Effect::Edit(|state, _| put(state, "enabled", false)),
        )
        .people(4)
        .bots(1, &[&SYSTEM])
        .when(|state| is_on(state, "enabled"))
        .notes(
            600,
            &[
                "wrote to a customer twice",
                "over its daily budget",
                "loops on the same ticket",
            ],
        )
        .then(&[Then::new(
            700,
            (3_600, 150_000),
            "AGENT_ENABLED",
            By::Colleague,
        )]),
        Act::new(
            "AGENT_ENABLED",
            Effect::Edit(|state, _| put(state, "enabled", true)),
        )
        .when(|state| !is_on(state, "enabled")),
        Act::new("AGENT_DELETED", Effect::Delete).people(3),
    ],
};

fn teach(state: &mut Object, scene: &mut Scene) {
    match scene.dice.below(5) {
        0 => {
            choose(
                state,
                scene,
                "model",
                &["small-4", "large-4", "large-5", "local-7b"],
            );
            scene.says(&[
                "same answers in the evaluation, half the price",
                "the other one made up invoice numbers",
            ]);
        }
        1 | 2 => toggle(
            state,
            scene,
            "tools",
            &["search", "sql", "mail", "calendar", "tickets", "invoices"],
        ),
        3 => {
            tune(state, scene, "limits.steps", &[10, 20, 40, 80]);
            scene.says(&["gave up too early", "went round in circles"]);
        }
        _ => choose(
            state,
            scene,
            "instructions",
            &[
                "Answer from the workspace's own data. Say so when it does not hold the answer.",
                "Answer from the workspace's own data, in at most five sentences, and name the table. Say so when it does not hold the answer.",
                "Draft, never send. Ask a person before anything leaves the company.",
                "Summarize each ticket in one line, propose a label, and hand over what concerns payments.",
            ],
        ),
    }
}

fn reassign(state: &mut Object, scene: &mut Scene) {
    let from = text(state, "job.specialist").to_owned();
    choose(state, scene, "job.specialist", SPECIALISTS);
    let queue = scene.pick(&["refunds", "imports", "reviews", "tickets"]);
    put(state, "job.queue", queue);
    put(state, "job.waiting", scene.dice.between(1, 40));
    if !from.is_empty() {
        scene.tell("reason", "the specialist had no free slot for ten minutes");
    }
}

/// What an agent does on a schedule.
pub static ROUTINE: Kind = Kind {
    name: "routine",
    prefix: "rtn",
    share: [100, 60],
    teams: &[Team::Product, Team::Data],
    whole: false,
    stock: 5,
    most: 24,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&["Weekly", "Nightly", "Hourly", "Monday"]),
            scene.pick(&[
                "triage",
                "digest",
                "cleanup",
                "review",
                "forecast",
                "duplicates check"
            ]),
        )
    },
    state: |scene, _| {
        object!({
            "agent": scene.pick(SPECIALISTS),
            "schedule": {"cron": "0 2 * * *", "time_zone": "Europe/Oslo"},
            "inputs": [{"name": "days", "value": 7}],
            "notify": ["#routines"],
        })
    },
    acts: &[
        Act::new("ROUTINE_CREATED", Effect::Create).people(7),
        Act::new(
            "ROUTINE_REASSIGNED",
            Effect::Edit(|state, scene| {
                let kim = scene.colleague();
                scene.concerns(kim);
                choose(state, scene, "agent", SPECIALISTS);
            }),
        )
        .people(14)
        .bots(5, &[&TRIAGE])
        .notes(
            200,
            &["knows the repo better", "while the other one is retrained"],
        ),
        Act::new(
            "ROUTINE_UPDATED",
            Effect::Edit(|state, scene| {
                if scene.dice.chance(500) {
                    choose(
                        state,
                        scene,
                        "schedule.cron",
                        &["0 2 * * *", "0 6 * * 1", "0 * * * *", "30 4 * * 1-5"],
                    );
                } else {
                    let days = scene.dice.between(1, 30);
                    put(state, "inputs", json!([{"name": "days", "value": days}]));
                }
            }),
        )
        .people(18),
        Act::new("ROUTINE_DELETED", Effect::Delete).people(6),
    ],
};

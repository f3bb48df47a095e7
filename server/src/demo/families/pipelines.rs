//! Pipelines and their runs.

use crate::demo::{
    bots::{CI, DBT, GITHUB, NIGHTLY_QA, SYSTEM},
    people::Team,
    scene::{Scene, choose, flip, is, is_on, list, number, object, put, tune},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::{Object, Outcome};
use serde_json::json;

/// What builds and checks.
pub static PIPELINE: Kind = Kind {
    name: "pipeline",
    prefix: "pipe",
    share: [100, 45],
    teams: &[Team::Platform, Team::Data],
    whole: true,
    stock: 10,
    most: 40,
    fleeting: false,
    titled: |scene| {
        format!(
            "{}-{}",
            scene.pick(&[
                "storefront",
                "platform",
                "warehouse",
                "mobile",
                "ledger",
                "pricing",
                "docs",
                "search"
            ]),
            scene.pick(&["build", "nightly", "release", "checks", "refresh", "e2e"]),
        )
    },
    state: |scene, _| {
        object!({
            "enabled": true,
            "schedule": {"cron": "0 2 * * *", "time_zone": "Europe/Oslo"},
            "steps": [
                {"id": "build", "image": "acme/build:24", "timeout_minutes": 20},
                {"id": "test", "image": "acme/test:24", "timeout_minutes": 40},
            ],
            "concurrency": 1,
            "repo": scene.name_of("workspace_repo", "acme/storefront"),
        })
    },
    acts: &[
        Act::new("PIPELINE_CREATED", Effect::Create).people(7),
        Act::new("pipeline:update", Effect::Edit(change_steps)).people(38),
        Act::new(
            "PIPELINE_SCHEDULE_UPDATED",
            Effect::Edit(|state, scene| {
                choose(
                    state,
                    scene,
                    "schedule.cron",
                    &[
                        "0 2 * * *",
                        "0 3 * * 1-5",
                        "30 1 * * *",
                        "0 */6 * * *",
                        "0 22 * * 5",
                    ],
                );
            }),
        )
        .people(12),
        Act::new(
            "PIPELINE_DISABLED",
            Effect::Edit(|state, _| put(state, "enabled", false)),
        )
        .people(4)
        .when(|state| is_on(state, "enabled"))
        .notes(500, &["red since Monday", "until the runners are back"])
        .then(&[Then::new(
            850,
            (3_600, 100_000),
            "PIPELINE_ENABLED",
            By::Colleague,
        )]),
        Act::new(
            "PIPELINE_ENABLED",
            Effect::Edit(|state, _| flip(state, "enabled")),
        )
        .when(|state| !is_on(state, "enabled")),
        Act::new("PIPELINE_DELETED", Effect::Delete).people(3),
    ],
};

fn change_steps(state: &mut Object, scene: &mut Scene) {
    let minutes = scene.dice.between(2, 9) * 10;
    let image = scene.pick(&[
        "acme/build:24",
        "acme/build:25",
        "acme/deploy:7",
        "acme/test:25",
    ]);
    let new = scene.pick(&["lint", "deploy", "scan", "notify"]);
    match scene.dice.below(4) {
        0 => tune(state, scene, "concurrency", &[1, 2, 4]),
        1 => {
            if let Some(step) = list(state, "steps").and_then(|all| all.last_mut()) {
                step["timeout_minutes"] = json!(minutes);
            }
            scene.says(&[
                "took longer than it may, three times",
                "must be done before the stand-up",
            ]);
        }
        2 => {
            if let Some(step) = list(state, "steps").and_then(|all| all.first_mut()) {
                step["image"] = json!(image);
            }
            scene.says(&[
                "new base image",
                "the old image has no security updates any more",
            ]);
        }
        _ => {
            if let Some(steps) = list(state, "steps") {
                match steps.iter().position(|step| step["id"] == new) {
                    Some(at) => {
                        steps.remove(at);
                    }
                    None => steps.push(json!({"id": new, "image": image, "timeout_minutes": 10})),
                }
            }
        }
    }
}

/// One time through a pipeline.
pub static PIPELINE_RUN: Kind = Kind {
    name: "pipeline_run",
    prefix: "prun",
    share: [100, 45],
    teams: &[Team::Platform, Team::Data],
    whole: false,
    stock: 0,
    most: 60,
    fleeting: true,
    titled: |scene| {
        let pipeline = scene.name_of("pipeline", "storefront-build");
        // Numbered by the ten minutes that have gone by.
        format!("{pipeline} #{}", (scene.at.micros() / 600_000_000).rem_euclid(100_000))
    },
    state: |scene, name| {
        object!({
            "pipeline": name.split(' ').next().unwrap_or(name),
            "commit": scene.dice.hex(12),
            "trigger": if scene.who.person().is_some() { "manual" } else { "schedule" },
            "status": "running",
            "started_at": scene.clock(),
            "attempt": 1,
        })
    },
    acts: &[
        Act::new("PIPELINE_RUN_STARTED", Effect::Create)
            .people(44)
            .bots(130, &[&CI, &CI, &GITHUB, &NIGHTLY_QA, &DBT])
            .then(&[
                Then::new(830, (60, 2_400), "PIPELINE_RUN_COMPLETED", By::Bot(&SYSTEM)),
                Then::new(120, (60, 2_400), "PIPELINE_RUN_FAILED", By::Bot(&SYSTEM)),
                Then::new(30, (10, 300), "PIPELINE_RUN_CANCELLED", By::Same),
            ]),
        Act::new(
            "PIPELINE_RUN_COMPLETED",
            Effect::Edit(|state, scene| {
                put(state, "status", "succeeded");
                put(state, "duration_seconds", scene.seconds_since(state, "started_at"));
                put(state, "tests", json!({"passed": scene.dice.between(120, 900), "failed": 0}));
            }),
        )
        .when(|state| is(state, "status", "running"))
        .last(),
        Act::new(
            "PIPELINE_RUN_FAILED",
            Effect::Edit(|state, scene| {
                put(state, "status", "failed");
                put(state, "tests", json!({"passed": scene.dice.between(120, 900), "failed": scene.dice.between(1, 7)}));
                scene.outcome = Outcome::Failure;
                let reason = scene.pick(&[
                    "test: checkout_keeps_the_cart failed",
                    "lint: 3 warnings are errors",
                    "step build timed out after 20 minutes",
                    "registry answered 502",
                ]);
                scene.note = Some(reason.to_owned());
            }),
        )
        .when(|state| is(state, "status", "running"))
        .then(&[Then::new(550, (120, 5_400), "PIPELINE_RUN_RETRIED", By::Colleague)]),
        Act::new(
            "PIPELINE_RUN_RETRIED",
            Effect::Edit(|state, scene| {
                put(state, "status", "running");
                put(state, "started_at", scene.clock());
                put(state, "attempt", number(state, "attempt") + 1);
            }),
        )
        .when(|state| is(state, "status", "failed"))
        .then(&[
            Then::new(850, (60, 2_400), "PIPELINE_RUN_COMPLETED", By::Bot(&SYSTEM)),
            Then::new(100, (60, 2_400), "PIPELINE_RUN_FAILED", By::Bot(&SYSTEM)),
        ]),
        Act::new("PIPELINE_RUN_CANCELLED", Effect::Edit(|state, _| put(state, "status", "cancelled")))
            .when(|state| is(state, "status", "running"))
            .notes(300, &["superseded", "wrong branch"])
            .last(),
    ],
};

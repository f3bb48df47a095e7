//! Environments, their variables, and the runners that build.

use crate::demo::{
    bots::{SYSTEM, TERRAFORM},
    people::Team,
    scene::{Scene, advance, choose, flip, is_on, object, put, text, toggle, tune},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::{Object, Outcome};

/// Where services run.
pub static ENVIRONMENT: Kind = Kind {
    name: "environment",
    prefix: "env",
    share: [100, 40],
    teams: &[Team::Platform],
    whole: false,
    stock: 5,
    most: 14,
    fleeting: false,
    titled: |scene| {
        scene
            .pick(&[
                "staging",
                "preview",
                "load-test",
                "sandbox",
                "demo",
                "training",
            ])
            .to_owned()
    },
    state: |scene, name| {
        object!({
            "tier": if name == "staging" { "pre-production" } else { "development" },
            "region": scene.pick(&["eu-north-1", "eu-central-1"]),
            "locked": false,
            "configuration": {
                "log_level": "info",
                "rate_limit_per_minute": 600,
                "maintenance": false,
                "allowed_origins": ["https://app.acme.example"],
            },
        })
    },
    acts: &[
        Act::new("ENVIRONMENT_CREATED", Effect::Create)
            .people(5)
            .bots(1, &[&TERRAFORM]),
        Act::new("ENVIRONMENT_CONFIGURATION_UPDATED", Effect::Edit(configure))
            .people(46)
            .bots(10, &[&TERRAFORM]),
        Act::new(
            "ENVIRONMENT_LOCKED",
            Effect::Edit(|state, _| put(state, "locked", true)),
        )
        .people(4)
        .when(|state| !is_on(state, "locked"))
        .notes(
            900,
            &[
                "migration in progress",
                "load test is running",
                "do not touch until the demo is over",
            ],
        )
        .then(&[Then::new(
            950,
            (1_800, 22_000),
            "ENVIRONMENT_UNLOCKED",
            By::Same,
        )]),
        Act::new(
            "ENVIRONMENT_UNLOCKED",
            Effect::Edit(|state, _| put(state, "locked", false)),
        )
        .people(2)
        .when(|state| is_on(state, "locked")),
    ],
};

fn configure(state: &mut Object, scene: &mut Scene) {
    match scene.dice.below(4) {
        0 => {
            choose(
                state,
                scene,
                "configuration.log_level",
                &["debug", "info", "warn"],
            );
            scene.says(match text(state, "configuration.log_level") {
                "debug" => &["debug for an hour", "looking for the lost webhooks"],
                _ => &["back to normal", "the logs cost more than the service"],
            });
        }
        1 => {
            tune(
                state,
                scene,
                "configuration.rate_limit_per_minute",
                &[300, 600, 900, 1_200, 2_400],
            );
            scene.says(&[
                "load test tonight",
                "a partner asked",
                "as measured last week",
            ]);
        }
        2 => {
            flip(state, "configuration.maintenance");
            let on = is_on(state, "configuration.maintenance");
            scene.says(if on {
                &["migration until noon"]
            } else {
                &["migration is done"]
            });
        }
        _ => tune(
            state,
            scene,
            "configuration.session_minutes",
            &[15, 30, 60, 120],
        ),
    }
}

/// A setting of an environment that services read.
pub static VARIABLE: Kind = Kind {
    name: "environment_variable",
    prefix: "var",
    share: [100, 40],
    teams: &[Team::Platform, Team::Data],
    whole: true,
    stock: 18,
    most: 90,
    fleeting: false,
    titled: |scene| {
        format!(
            "{}_{}",
            scene.pick(&[
                "CHECKOUT",
                "SEARCH",
                "MAIL",
                "CACHE",
                "WAREHOUSE",
                "QUEUE",
                "PAYMENT",
                "CDN"
            ]),
            scene.pick(&[
                "TIMEOUT_MS",
                "BATCH_SIZE",
                "BASE_URL",
                "MAX_RETRIES",
                "REGION",
                "LOG_LEVEL"
            ]),
        )
    },
    state: |scene, name| {
        object!({
            "value": variable(scene, name),
            "environment": scene.pick(&["production", "production", "staging"]),
            "services": [scene.name_of("service", "storefront-web")],
            "protected": scene.dice.chance(300),
        })
    },
    acts: &[
        Act::new("ENVIRONMENT_VARIABLE_SET", Effect::Create)
            .people(18)
            .bots(3, &[&TERRAFORM]),
        Act::new(
            "ENVIRONMENT_VARIABLE_UPDATED",
            Effect::Edit(|state, scene| {
                if scene.dice.chance(150) {
                    flip(state, "protected");
                } else {
                    let name = match text(state, "value") {
                        old if old.starts_with("http") => "URL",
                        old if old.starts_with("eu-") => "REGION",
                        "info" | "warn" | "debug" => "LEVEL",
                        _ => "SIZE",
                    };
                    put(state, "value", variable(scene, name));
                    scene.says(match name {
                        "URL" => &[
                            "the provider moved",
                            "the old host is switched off on Friday",
                        ],
                        "SIZE" => &[
                            "timeouts at night",
                            "doubled for the import",
                            "measured, this is the best",
                        ],
                        _ => &["same as staging", "same as the other services"],
                    });
                }
            }),
        )
        .people(44)
        .bots(6, &[&TERRAFORM])
        .fails(
            14,
            &[(
                Outcome::Denied,
                "the variable is protected: an admin has to change it",
            )],
        ),
        Act::new("ENVIRONMENT_VARIABLE_DELETED", Effect::Delete)
            .people(9)
            .notes(250, &["no longer read", "lives in the secret store now"]),
    ],
};

fn variable(scene: &mut Scene, name: &str) -> String {
    if name.ends_with("URL") {
        let host = scene.pick(&["cache", "mail", "queue", "cdn", "search"]);
        return format!("https://{host}-{}.acme.example", scene.dice.between(1, 4));
    }
    match name {
        name if name.ends_with("REGION") => scene.pick(&["eu-north-1", "eu-central-1"]).to_owned(),
        name if name.ends_with("LEVEL") => scene.pick(&["info", "warn", "debug"]).to_owned(),
        _ => scene
            .pick(&["3", "5", "50", "100", "250", "500", "1000", "2500", "5000"])
            .to_owned(),
    }
}

/// What builds run on.
pub static RUNNER: Kind = Kind {
    name: "runner",
    prefix: "run",
    share: [100, 20],
    teams: &[Team::Platform],
    whole: false,
    stock: 8,
    most: 26,
    fleeting: false,
    titled: |scene| {
        format!(
            "{}-{:02}",
            scene.pick(&["linux-x64", "linux-arm64", "macos", "gpu"]),
            scene.dice.between(1, 40)
        )
    },
    state: |scene, _| {
        object!({
            "version": "3.41.0",
            "enabled": true,
            "concurrency": 4,
            "labels": ["docker"],
            "region": scene.pick(&["eu-north-1", "eu-central-1"]),
        })
    },
    acts: &[
        Act::new("RUNNER_REGISTERED", Effect::Create)
            .people(3)
            .bots(6, &[&SYSTEM]),
        Act::new(
            "RUNNER_UPDATED",
            Effect::Edit(|state, scene| match scene.dice.below(3) {
                0 => advance(
                    state,
                    "version",
                    &[
                        "3.41.0", "3.41.2", "3.42.0", "3.42.1", "3.43.0", "3.44.0", "3.44.1",
                        "3.45.0",
                    ],
                ),
                1 => tune(state, scene, "concurrency", &[2, 4, 6, 8]),
                _ => toggle(
                    state,
                    scene,
                    "labels",
                    &["docker", "large", "nested", "browser"],
                ),
            }),
        )
        .people(10)
        .bots(22, &[&SYSTEM, &TERRAFORM]),
        Act::new(
            "RUNNER_DISABLED",
            Effect::Edit(|state, _| put(state, "enabled", false)),
        )
        .people(3)
        .bots(4, &[&SYSTEM])
        .when(|state| is_on(state, "enabled"))
        .notes(500, &["disk is full", "draining for the kernel update"])
        .then(&[Then::new(850, (900, 12_000), "RUNNER_ENABLED", By::Same)]),
        Act::new(
            "RUNNER_ENABLED",
            Effect::Edit(|state, _| put(state, "enabled", true)),
        )
        .when(|state| !is_on(state, "enabled")),
        Act::new("RUNNER_REMOVED", Effect::Delete)
            .people(2)
            .bots(5, &[&SYSTEM]),
    ],
};

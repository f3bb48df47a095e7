//! Deployments and feature flags.

use crate::demo::{
    bots::{CI, NIGHTLY_QA, RELEASE_ASSISTANT, SYSTEM},
    calendar::City,
    people::Team,
    scene::{Scene, is, is_on, number, object, put, text, toggle, tune},
    world::{Act, By, Effect, Kind, Then, kind_named},
};
use domain::event::{Object, Outcome};

/// A release on its way to an environment.
pub static DEPLOYMENT: Kind = Kind {
    name: "deployment",
    prefix: "dep",
    share: [100, 35],
    teams: &[Team::Platform],
    whole: false,
    stock: 6,
    most: 60,
    fleeting: true,
    titled: |scene| scene.name_of("service", "storefront-web"),
    state: deployment,
    acts: &[
        Act::new("deployment:create", Effect::Create)
            .people(120)
            .bots(70, &[&CI, &CI, &CI, &RELEASE_ASSISTANT])
            .unless_frozen()
            .notes(
                240,
                &[
                    "retry logic for the payment provider",
                    "smaller image, starts in two seconds",
                    "reads prices from the new table",
                    "behind the flag for now",
                    "hotfix: the cart total was rounded twice",
                    "dependency updates only",
                    "new endpoint for the mobile app",
                    "logs the request id everywhere",
                ],
            )
            .fails(
                12,
                &[
                    (Outcome::Failure, "the image 404s: the build was cleaned up"),
                    (Outcome::Failure, "no runner free for 30 minutes"),
                ],
            )
            .then(&[
                Then::new(560, (90, 620), "deployment:complete", By::Bot(&SYSTEM)),
                Then::new(250, (200, 4_800), "deployment:approve", By::Colleague),
                Then::new(90, (120, 700), "deployment:fail", By::Bot(&SYSTEM)),
                Then::new(80, (20, 240), "deployment:cancel", By::Same),
            ]),
        Act::new("deployment:approve", Effect::Edit(approve))
            .when(|state| is(state, "status", "running"))
            .notes(
                300,
                &[
                    "looks good",
                    "watched it on staging",
                    "go",
                    "after the stand-up, please",
                ],
            )
            .then(&[
                Then::new(900, (60, 500), "deployment:complete", By::Bot(&SYSTEM)),
                Then::new(100, (60, 500), "deployment:fail", By::Bot(&SYSTEM)),
            ]),
        Act::new(
            "deployment:complete",
            Effect::Edit(|state, scene| {
                put(state, "status", "succeeded");
                put(state, "replicas.ready", number(state, "replicas.wanted"));
                put(state, "finished_at", scene.clock());
            }),
        )
        .when(is_running)
        .then(&[Then::new(30, (900, 9_000), "deployment:rollback", By::Same)]),
        Act::new(
            "deployment:fail",
            Effect::Edit(|state, scene| {
                put(state, "status", "failed");
                put(state, "finished_at", scene.clock());
                let reason = scene.pick(&[
                    "health check failed three times",
                    "a migration waits for a lock since 120 s",
                    "out of memory: 512 MiB",
                    "image could not be pulled",
                ]);
                scene.note = Some(reason.to_owned());
                scene.outcome = Outcome::Failure;
            }),
        )
        .when(is_running)
        .then(&[
            Then::new(750, (20, 180), "deployment:rollback", By::Bot(&SYSTEM)),
            Then::new(150, (300, 1_800), "deployment:rollback", By::Colleague),
        ]),
        Act::new(
            "deployment:cancel",
            Effect::Edit(|state, _| put(state, "status", "cancelled")),
        )
        .when(is_running)
        .notes(
            700,
            &[
                "wrong branch",
                "superseded",
                "waiting for the migration",
                "pressed too early",
            ],
        )
        .last(),
        Act::new(
            "deployment:rollback",
            Effect::Edit(|state, _| {
                let previous = text(state, "previous_release").to_owned();
                put(state, "release", previous);
                put(state, "status", "rolled_back");
            }),
        )
        .when(|state| !is_running(state) && !is(state, "status", "rolled_back"))
        .notes(
            650,
            &[
                "health check failed three times",
                "error rate above 2 %",
                "p99 doubled",
                "customers see an empty cart",
            ],
        )
        .last(),
        Act::new("deployment:delete", Effect::Delete)
            .people(8)
            .bots(10, &[&SYSTEM])
            .when(|state| !is_running(state))
            .notes(
                400,
                &[
                    "preview environment torn down",
                    "older than the last thirty",
                ],
            ),
    ],
};

fn is_running(state: &Object) -> bool {
    is(state, "status", "running") || is(state, "status", "approved")
}

fn deployment(scene: &mut Scene, service: &str) -> Object {
    scene.involves("service", service);
    let kind = kind_named("deployment").unwrap_or_default();
    let earlier = scene.world.shelf(kind, scene.place).iter();
    let earlier: Vec<_> = earlier.filter(|one| one.name == service).collect();
    let today = City::Oslo.date(scene.at).format("%Y.%m.%d").to_string();
    let of_today = earlier
        .iter()
        .filter(|one| text(&one.state, "built_on") == today);
    let release = format!("{today}-{}", of_today.count() + 1);
    let live = earlier
        .iter()
        .rfind(|one| is(&one.state, "status", "succeeded"));
    let previous = live.map_or_else(
        || format!("{}-1", scene.days_ago(3).format("%Y.%m.%d")),
        |one| text(&one.state, "release").to_owned(),
    );
    object!({
        "service": service,
        "environment": scene.pick(&["production", "production", "production", "staging", "preview"]),
        "release": release,
        "previous_release": previous,
        "commit": scene.dice.hex(12),
        "built_on": today,
        "branch": scene.pick(&["main", "main", "main", "release", "hotfix/cart"]),
        "strategy": scene.pick(&["rolling", "rolling", "canary", "blue_green"]),
        "replicas": {"wanted": scene.dice.between(2, 9), "ready": 0},
        "status": "running",
    })
}

fn approve(state: &mut Object, scene: &mut Scene) {
    put(state, "status", "approved");
    put(state, "approved_by", scene.owner());
}

/// What is switched on for some.
pub static FEATURE_FLAG: Kind = Kind {
    name: "feature_flag",
    prefix: "flag",
    share: [100, 40],
    teams: &[Team::Platform, Team::Product],
    whole: false,
    stock: 12,
    most: 70,
    fleeting: false,
    titled: |scene| {
        format!(
            "{}-{}",
            scene.pick(&[
                "new", "fast", "guest", "smart", "bulk", "inline", "lazy", "shared"
            ]),
            scene.pick(&[
                "checkout",
                "search",
                "pricing",
                "onboarding",
                "invoices",
                "cart",
                "export",
                "editor"
            ]),
        )
    },
    state: |scene, _| {
        object!({
            "enabled": false,
            "rollout_percent": 0,
            "audiences": ["staff"],
            "default": "off",
            "owner": scene.owner(),
            "remove_by": scene.day(90),
        })
    },
    acts: &[
        Act::new("feature_flag:create", Effect::Create).people(14),
        Act::new(
            "feature_flag:enable",
            Effect::Edit(|state, scene| {
                put(state, "enabled", true);
                tune(state, scene, "rollout_percent", &[1, 5, 10, 25]);
            }),
        )
        .people(20)
        .when(|state| !is_on(state, "enabled"))
        .notes(
            350,
            &[
                "staff first",
                "agreed with support",
                "until Friday, then we look",
            ],
        ),
        Act::new(
            "feature_flag:update",
            Effect::Edit(|state, scene| {
                if scene.dice.chance(650) {
                    tune(state, scene, "rollout_percent", &[5, 10, 25, 50, 75, 100]);
                    scene.says(&["numbers hold", "as planned", "agreed with support"]);
                } else {
                    scene.says(&["they asked for it", "the pilot is over"]);
                    toggle(
                        state,
                        scene,
                        "audiences",
                        &["staff", "beta", "norway", "enterprise", "mobile"],
                    );
                }
            }),
        )
        .people(32)
        .when(|state| is_on(state, "enabled")),
        Act::new(
            "feature_flag:disable",
            Effect::Edit(|state, _| {
                put(state, "enabled", false);
                put(state, "rollout_percent", 0);
            }),
        )
        .people(10)
        .bots(3, &[&SYSTEM, &NIGHTLY_QA])
        .when(|state| is_on(state, "enabled"))
        .notes(
            600,
            &[
                "conversion fell",
                "the empty state was not translated",
                "done with the test",
            ],
        ),
        Act::new("feature_flag:delete", Effect::Delete)
            .people(6)
            .notes(
                500,
                &[
                    "rolled out for good, the code is gone",
                    "nobody remembers what it did",
                ],
            ),
    ],
};

//! Channels that tell people, and the alerts that they tell.

use crate::demo::{
    bots::SYSTEM,
    people::Team,
    scene::{is, object, put, toggle},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::Outcome;

/// Where notifications go.
pub static CHANNEL: Kind = Kind {
    name: "notification_channel",
    prefix: "ntf",
    share: [100, 70],
    teams: &[Team::Platform, Team::Lead, Team::Revenue],
    whole: false,
    stock: 5,
    most: 24,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&["On-call", "Releases", "Billing", "Security", "Nightly"]),
            scene.pick(&["Slack", "e-mail", "pager", "webhook"])
        )
    },
    state: |scene, name| {
        object!({
            "type": name.rsplit(' ').next().unwrap_or(name),
            "to": scene.pick(&["#incidents", "oncall@acme.example", "#releases"]),
            "events": ["deployment.failed"],
            "signing_secret": scene.dice.hex(32),
        })
    },
    acts: &[
        Act::new("notification_channel:create", Effect::Create).people(8),
        Act::new(
            "notification_channel:update",
            Effect::Edit(|state, scene| {
                toggle(
                    state,
                    scene,
                    "events",
                    &[
                        "deployment.failed",
                        "deployment.completed",
                        "alert.critical",
                        "secret.expiring",
                        "budget.80",
                    ],
                );
            }),
        )
        .people(18),
        Act::new(
            "notification_channel:test",
            Effect::Use(|_, scene| scene.tell("delivered", true)),
        )
        .people(8)
        .fails(180, &[(Outcome::Failure, "the webhook answered 410 Gone")]),
        Act::new("notification_channel:delete", Effect::Delete).people(5),
    ],
};

/// Something is wrong.
pub static ALERT: Kind = Kind {
    name: "alert",
    prefix: "alr",
    share: [100, 40],
    teams: &[Team::Platform],
    whole: false,
    stock: 0,
    most: 30,
    fleeting: true,
    titled: |scene| {
        let service = scene.name_of("service", "storefront-web");
        format!(
            "{service}: {}",
            scene.pick(&[
                "p99 above 800 ms",
                "5xx above 1 %",
                "disk 85 % full",
                "queue grows",
                "certificate expires in 14 days"
            ])
        )
    },
    state: |scene, name| {
        object!({
            "status": "open",
            "severity": scene.pick(&["warning", "warning", "critical"]),
            "service": name.split(':').next().unwrap_or(name),
        })
    },
    acts: &[
        Act::new("alert:create", Effect::Create)
            .bots(26, &[&SYSTEM])
            .then(&[
                Then::new(620, (60, 1_500), "alert:acknowledge", By::Colleague),
                Then::new(320, (300, 4_000), "alert:resolve", By::Bot(&SYSTEM)),
            ]),
        Act::new(
            "alert:acknowledge",
            Effect::Edit(|state, scene| {
                put(state, "status", "acknowledged");
                put(state, "acknowledged_by", scene.owner());
            }),
        )
        .when(|state| is(state, "status", "open"))
        .notes(
            250,
            &[
                "on it",
                "the nightly import, it will pass",
                "known, see the ticket",
            ],
        )
        .then(&[Then::new(
            950,
            (300, 9_000),
            "alert:resolve",
            By::Bot(&SYSTEM),
        )]),
        Act::new(
            "alert:resolve",
            Effect::Edit(|state, scene| {
                put(state, "status", "resolved");
                put(state, "resolved_at", scene.clock());
            }),
        )
        .when(|state| !is(state, "status", "resolved"))
        .last(),
    ],
};

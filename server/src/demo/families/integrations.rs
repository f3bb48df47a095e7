//! Connected products.

use crate::demo::{
    bots::{GITHUB, NIGHTLY, SYSTEM},
    people::Team,
    scene::{Scene, choose, is, is_on, list, object, put, toggle, tune},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::{Object, Outcome};
use serde_json::json;

const PRODUCTS: &[&str] = &[
    "HubSpot",
    "Zendesk",
    "Segment",
    "Stripe",
    "Intercom",
    "Snowflake",
    "Mailchimp",
    "Shopify",
    "NetSuite",
    "Google Ads",
    "LinkedIn Ads",
    "Calendly",
];

/// A connected product.
pub static INTEGRATION: Kind = Kind {
    name: "integration",
    prefix: "int",
    share: [90, 100],
    teams: &[Team::Platform, Team::Revenue, Team::Finance],
    whole: false,
    stock: 12,
    most: 46,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(PRODUCTS),
            scene.pick(&["EMEA", "Americas", "APAC", "sandbox", "main"])
        )
    },
    state: integration,
    acts: &[
        Act::new("INTEGRATION_CONNECTED", Effect::Create)
            .people(30)
            .admin()
            .fails(
                60,
                &[(
                    Outcome::Failure,
                    "their consent page was closed before it was done",
                )],
            ),
        Act::new("integration:update", Effect::Edit(reconfigure))
            .people(48)
            .fails(
                30,
                &[
                    (Outcome::Denied, "needs the role admin"),
                    (
                        Outcome::Failure,
                        "the product refuses this schedule: at most every 15 minutes",
                    ),
                ],
            ),
        Act::new(
            "integration:authorize",
            Effect::Edit(|state, scene| {
                put(state, "status", "connected");
                put(state, "authorized_by", scene.owner());
                put(
                    state,
                    "credentials",
                    json!({"access_token": scene.dice.hex(40), "expires_on": scene.day(60)}),
                );
            }),
        )
        .people(12)
        .bots(16, &[&NIGHTLY])
        .fails(
            140,
            &[
                (Outcome::Failure, "invalid_grant: refresh token expired"),
                (Outcome::Failure, "their service answered 503"),
            ],
        )
        .then(&[Then::new(200, (1, 4), "INTEGRATION_TESTED", By::Same)]),
        Act::new(
            "INTEGRATION_SYNCED",
            Effect::Edit(|state, scene| {
                let records = scene.dice.between(0, 4_800);
                put(
                    state,
                    "last_run",
                    json!({"at": scene.clock(), "records": records}),
                );
            }),
        )
        .bots(90, &[&NIGHTLY, &SYSTEM])
        .when(|state| is_on(state, "enabled") && is(state, "status", "connected"))
        .fails(
            45,
            &[
                (
                    Outcome::Failure,
                    "429: their limit of 100 requests in ten seconds",
                ),
                (
                    Outcome::Failure,
                    "the field Region__c is gone on their side",
                ),
                (
                    Outcome::Failure,
                    "timed out after 900 s, will go on from record 41,200",
                ),
            ],
        ),
        Act::new(
            "INTEGRATION_TESTED",
            Effect::Use(|_, scene| {
                let latency = scene.dice.between(80, 900);
                scene.tell("latency_ms", latency);
            }),
        )
        .people(8)
        .fails(
            120,
            &[(Outcome::Failure, "connected, but may not read contacts")],
        ),
        Act::new(
            "integration:disable",
            Effect::Edit(|state, _| put(state, "enabled", false)),
        )
        .people(5)
        .bots(4, &[&SYSTEM])
        .when(|state| is_on(state, "enabled"))
        .notes(
            700,
            &[
                "three failed sign-ins",
                "doubles contacts",
                "paused during the migration",
            ],
        )
        .then(&[Then::new(
            800,
            (1_200, 90_000),
            "integration:enable",
            By::Colleague,
        )]),
        Act::new(
            "integration:enable",
            Effect::Edit(|state, _| put(state, "enabled", true)),
        )
        .people(2)
        .when(|state| !is_on(state, "enabled")),
        Act::new("integration:disconnect", Effect::Delete)
            .people(20)
            .admin()
            .notes(
                600,
                &[
                    "we no longer pay for it",
                    "replaced by the warehouse export",
                ],
            ),
    ],
};

fn integration(scene: &mut Scene, name: &str) -> Object {
    let product = name.rsplit_once(' ').map_or(name, |(product, _)| product);
    object!({
        "product": product,
        "enabled": true,
        "status": "connected",
        "schedule": {"cron": "0 6 * * *", "time_zone": "UTC"},
        "scopes": ["contacts.read"],
        "objects": [{"id": "contact", "direction": "in"}, {"id": "company", "direction": "both"}],
        "limits": {"per_run": 5_000, "per_day": 100_000},
        "credentials": {"access_token": scene.dice.hex(40), "expires_on": scene.day(60)},
        "authorized_by": scene.owner(),
    })
}

fn reconfigure(state: &mut Object, scene: &mut Scene) {
    match scene.dice.below(6) {
        0 | 1 => {
            choose(
                state,
                scene,
                "schedule.cron",
                &[
                    "0 6 * * *",
                    "0 5 * * 1-5",
                    "*/30 * * * *",
                    "15 2 * * *",
                    "0 */4 * * *",
                ],
            );
            scene.says(&[
                "finance wants it before eight",
                "we hit their limit at the full hour",
                "no need for it on weekends",
            ]);
            if scene.dice.chance(400) {
                choose(
                    state,
                    scene,
                    "schedule.time_zone",
                    &["Europe/Oslo", "UTC", "America/New_York"],
                );
            }
        }
        2 => toggle(
            state,
            scene,
            "scopes",
            &[
                "contacts.read",
                "contacts.write",
                "deals.read",
                "deals.write",
                "tickets.read",
            ],
        ),
        3 => {
            tune(
                state,
                scene,
                "limits.per_run",
                &[1_000, 2_500, 5_000, 10_000],
            );
            scene.says(&[
                "as their support advised",
                "the first run of the month is larger",
            ]);
        }
        4 => {
            let id = scene.pick(&["deal", "ticket", "invoice", "product"]);
            let direction = scene.pick(&["in", "out", "both"]);
            if let Some(objects) = list(state, "objects") {
                match objects.iter_mut().find(|one| one["id"] == id) {
                    Some(one) => one["direction"] = json!(direction),
                    None => objects.push(json!({"id": id, "direction": direction})),
                }
            }
        }
        _ => {
            let direction = scene.pick(&["in", "out", "both"]);
            if let Some(first) = list(state, "objects").and_then(|all| all.first_mut()) {
                first["direction"] = json!(direction);
            }
        }
    }
}

/// Which repositories an organization at GitHub lets the product see.
pub static GITHUB_INSTALLATION: Kind = Kind {
    name: "github_installation",
    prefix: "ghi",
    share: [100, 30],
    teams: &[Team::Platform],
    whole: false,
    stock: 1,
    most: 8,
    fleeting: false,
    titled: |scene| {
        scene
            .pick(&["acme", "acme-labs", "acme-mobile", "acme-data", "acme-docs"])
            .to_owned()
    },
    state: |_, name| object!({"account": name, "repositories": ["storefront"], "permissions": {"contents": "read"}}),
    acts: &[
        Act::new("github_installation:link", Effect::Create)
            .people(20)
            .admin(),
        Act::new(
            "github_installation:update",
            Effect::Edit(|state, scene| {
                if scene.dice.chance(300) {
                    choose(state, scene, "permissions.contents", &["read", "write"]);
                } else {
                    toggle(
                        state,
                        scene,
                        "repositories",
                        &[
                            "storefront",
                            "platform",
                            "infra",
                            "data-models",
                            "mobile",
                            "docs",
                        ],
                    );
                }
            }),
        )
        .people(8)
        .bots(8, &[&GITHUB]),
        Act::new("github_installation:unlink", Effect::Delete)
            .people(20)
            .admin()
            .notes(700, &["moved into the main organization", "was a trial"]),
    ],
};

/// A connected Slack.
pub static SLACK: Kind = Kind {
    name: "slack_workspace",
    prefix: "slk",
    share: [100, 80],
    teams: &[Team::Product, Team::Revenue, Team::Lead],
    whole: false,
    stock: 0,
    most: 5,
    fleeting: false,
    titled: |scene| {
        scene
            .pick(&["acme", "acme-partners", "acme-oncall", "acme-sales"])
            .to_owned()
    },
    state: |scene, name| {
        object!({
            "team": format!("{name}.slack.com"),
            "channels": [scene.pick(&["#releases", "#revenue-ops", "#incidents"])],
            "bot_token": scene.dice.hex(32),
        })
    },
    acts: &[
        Act::new("slack:connect", Effect::Create).people(8),
        Act::new("slack:disconnect", Effect::Delete)
            .people(8)
            .notes(500, &["too noisy", "reconnected with fewer permissions"]),
    ],
};

//! Secrets: their values are never sent, only what is known about them.

use crate::demo::{
    bots::{NIGHTLY, SYSTEM},
    people::Team,
    scene::{Scene, list, number, object, put, toggle},
    world::{Act, Effect, Kind},
};
use domain::event::{Object, Outcome};
use serde_json::json;

/// Something that is known to few.
pub static SECRET: Kind = Kind {
    name: "secret",
    prefix: "sec",
    share: [100, 55],
    teams: &[Team::Platform, Team::Data],
    whole: false,
    stock: 18,
    most: 80,
    fleeting: false,
    titled: |scene| {
        format!(
            "{}_{}",
            scene.pick(&[
                "STRIPE",
                "HUBSPOT",
                "SNOWFLAKE",
                "SENDGRID",
                "TWILIO",
                "DATADOG",
                "S3_EXPORT",
                "LEDGER_DB",
                "CDN_PURGE",
                "OPENSEARCH",
                "MAPS",
                "TAX_SERVICE",
            ]),
            scene.pick(&[
                "API_KEY",
                "CLIENT_SECRET",
                "PASSWORD",
                "SIGNING_KEY",
                "WEBHOOK_SECRET"
            ]),
        )
    },
    state: secret,
    acts: &[
        Act::new("SECRET_CREATED", Effect::Create)
            .people(26)
            .admin()
            .notes(
                200,
                &["for the new region", "given by their support", "read-only"],
            ),
        Act::new("SECRET_ROTATED", Effect::Edit(rotate))
            .people(34)
            .admin()
            .bots(16, &[&SYSTEM, &NIGHTLY])
            .notes(
                320,
                &[
                    "quarterly rotation",
                    "somebody left",
                    "seen in a build log, rotated at once",
                    "their side expires it on Friday",
                    "every consumer restarted and checked",
                ],
            )
            .fails(
                30,
                &[
                    (
                        Outcome::Failure,
                        "the provider refused the new value: too many active keys",
                    ),
                    (
                        Outcome::Failure,
                        "reporting-job did not confirm the new version in time",
                    ),
                ],
            ),
        Act::new(
            "SECRET_UPDATED",
            Effect::Edit(|state, scene| {
                if scene.dice.chance(500) {
                    toggle(
                        state,
                        scene,
                        "allowed_hosts",
                        &[
                            "api.eu-north-1.acme.example",
                            "jobs.eu-north-1.acme.example",
                            "reports.eu-north-1.acme.example",
                            "api.us-east-1.acme.example",
                        ],
                    );
                } else {
                    let service = scene.name_of("service", "storefront-web");
                    let version = number(state, "version");
                    let consumers = list(state, "consumers");
                    if let Some(all) = consumers
                        && all.iter().all(|one| one["name"] != service.as_str())
                    {
                        all.push(json!({"name": service, "version": version}));
                    }
                }
            }),
        )
        .people(14)
        .admin(),
        Act::new(
            "SECRET_READ",
            Effect::Use(|_, scene| {
                let reason = scene.pick(&["debugging", "migration", "on-call", "handover"]);
                scene.tell("reason", reason);
            }),
        )
        .people(10)
        .fails(
            160,
            &[
                (Outcome::Denied, "members may not read secrets"),
                (Outcome::Denied, "reading needs a second person's approval"),
            ],
        ),
        Act::new(
            "SECRET_EXPIRED",
            Effect::Edit(|state, _| {
                put(state, "status", "expired");
            }),
        )
        .bots(5, &[&SYSTEM])
        .when(|state| crate::demo::scene::is(state, "status", "active")),
        Act::new("SECRET_DELETED", Effect::Delete)
            .people(16)
            .admin()
            .notes(
                500,
                &["nothing reads it any more", "the contract has ended"],
            ),
    ],
};

fn secret(scene: &mut Scene, _: &str) -> Object {
    let version = scene.dice.between(1, 9);
    let (one, other) = (
        scene.name_of("service", "storefront-web"),
        scene.pick(&["reporting-job", "nightly-sync", "dbt-runner"]),
    );
    object!({
        "version": version,
        "status": "active",
        "store": scene.pick(&["vault", "vault", "aws-secrets-manager"]),
        "fingerprint": format!("sha256:{}", scene.dice.hex(12)),
        "consumers": [{"name": one, "version": version}, {"name": other, "version": version}],
        "allowed_hosts": ["api.eu-north-1.acme.example", "jobs.eu-north-1.acme.example"],
        "expires_on": scene.day(180),
    })
}

fn rotate(state: &mut Object, scene: &mut Scene) {
    let version = number(state, "version") + 1;
    put(state, "version", version);
    put(state, "status", "active");
    put(
        state,
        "fingerprint",
        format!("sha256:{}", scene.dice.hex(12)),
    );
    put(state, "expires_on", scene.day(180));
    for consumer in list(state, "consumers").into_iter().flatten() {
        consumer["version"] = json!(version);
    }
    let reason = scene.pick(&[
        "quarterly",
        "quarterly",
        "offboarding",
        "exposure",
        "expiry",
    ]);
    scene.tell("reason", reason);
    let by_policy = scene.who.person().is_none();
    scene.tell("rotated_by_policy", by_policy);
}

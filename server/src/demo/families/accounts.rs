//! Customers: their accounts and organizations.

use crate::demo::{
    bots::{HUBSPOT, SALESFORCE, SYSTEM},
    people::Team,
    scene::{Scene, choose, flip, is, object, put, text, toggle, tune},
    world::{Act, Effect, Kind},
};
use domain::event::{Object, Outcome};
use serde_json::json;

/// A customer.
pub static ACCOUNT: Kind = Kind {
    name: "account",
    prefix: "acc",
    share: [20, 100],
    teams: &[Team::Revenue, Team::Finance],
    whole: false,
    stock: 24,
    most: 160,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Fjordline",
                "Palmetto",
                "Kestrel",
                "Hafen",
                "Solvang",
                "Tagus",
                "Brightwater",
                "Monsun",
                "Juniper",
                "Nordlicht",
                "Castanho",
                "Empire",
                "Deccan",
                "Birk",
                "Alster",
            ]),
            scene.pick(&[
                "Foods", "Shipping", "Retail", "Energy", "Studios", "Textiles", "Health", "Tools",
                "Travel"
            ]),
        )
    },
    state: |scene, _| {
        object!({
            "status": "active",
            "plan": scene.pick(&["starter", "business", "enterprise"]),
            "country": scene.pick(&["NO", "DE", "PT", "US", "IN", "SE"]),
            "owner": scene.owner(),
            "credit_limit_eur": 10_000,
            "billing": {"currency": "EUR", "terms_days": 30},
            "tags": ["new"],
        })
    },
    acts: &[
        Act::new("ACCOUNT_CREATED", Effect::Create)
            .people(22)
            .bots(8, &[&SALESFORCE]),
        Act::new("ACCOUNT_UPDATED", Effect::Edit(amend))
            .people(90)
            .bots(70, &[&SALESFORCE, &SALESFORCE, &HUBSPOT])
            .fails(
                16,
                &[(
                    Outcome::Denied,
                    "credit limits above 25,000 EUR need a controller",
                )],
            ),
        Act::new(
            "ACCOUNT_DEACTIVATED",
            Effect::Edit(|state, _| put(state, "status", "inactive")),
        )
        .people(6)
        .bots(2, &[&SYSTEM])
        .when(|state| is(state, "status", "active"))
        .notes(500, &["contract ended", "three invoices open"]),
        Act::new(
            "ACCOUNT_ACTIVATED",
            Effect::Edit(|state, _| put(state, "status", "active")),
        )
        .people(5)
        .when(|state| is(state, "status", "inactive")),
    ],
};

fn amend(state: &mut Object, scene: &mut Scene) {
    match scene.dice.below(6) {
        0 => {
            tune(
                state,
                scene,
                "credit_limit_eur",
                &[5_000, 10_000, 15_000, 25_000],
            );
            scene.says(&[
                "as their registry entry allows",
                "agreed with Inês",
                "after the annual accounts",
            ]);
        }
        1 => {
            choose(state, scene, "plan", &["starter", "business", "enterprise"]);
            scene.says(&["signed on Thursday", "from the first of next month"]);
        }
        2 => {
            tune(state, scene, "billing.terms_days", &[14, 30, 45, 60]);
            scene.says(&["frame contract, annex 2", "pays late, agreed with Inês"]);
        }
        3 => choose(
            state,
            scene,
            "billing.currency",
            &["EUR", "NOK", "USD", "INR"],
        ),
        4 => toggle(
            state,
            scene,
            "tags",
            &["new", "key account", "reference", "at risk", "partner"],
        ),
        _ => {
            let owner = scene.colleague();
            if text(state, "owner") != owner.email() {
                scene.concerns(owner);
                put(state, "owner", owner.email());
            }
        }
    }
}

/// A group of accounts under one roof.
pub static ORGANIZATION: Kind = Kind {
    name: "organization",
    prefix: "org",
    share: [60, 100],
    teams: &[Team::Lead, Team::Finance],
    whole: false,
    stock: 4,
    most: 30,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Fjordline",
                "Palmetto",
                "Nordlicht",
                "Castanho",
                "Deccan",
                "Empire",
                "Hafen"
            ]),
            scene.pick(&["Group", "Holding", "Partners", "Labs"])
        )
    },
    state: |scene, _| {
        object!({
            "legal_form": scene.pick(&["AS", "GmbH", "Lda", "Inc", "Pvt Ltd"]),
            "ai": {"enabled": true, "provider": "Nordlys EU", "training": false},
            "audit": {"retention_days": 365, "forward_to": null},
            "accounts": [scene.name_of("account", "Fjordline Foods")],
        })
    },
    acts: &[
        Act::new("organization:create", Effect::Create).people(7),
        Act::new(
            "organization:update",
            Effect::Edit(|state, scene| {
                let account = scene.name_of("account", "Kestrel Foods");
                toggle(state, scene, "accounts", &[&account]);
            }),
        )
        .people(16),
        Act::new(
            "organization:ai_config_update",
            Effect::Edit(|state, scene| match scene.dice.below(3) {
                0 => flip(state, "ai.enabled"),
                1 => choose(
                    state,
                    scene,
                    "ai.provider",
                    &["Nordlys EU", "Meridian EU", "none"],
                ),
                _ => flip(state, "ai.training"),
            }),
        )
        .people(20)
        .admin()
        .notes(400, &["as their contract says", "works council has agreed"]),
        Act::new(
            "organization:audit_config_update",
            Effect::Edit(|state, scene| {
                tune(state, scene, "audit.retention_days", &[90, 180, 365, 730]);
                if scene.dice.chance(400) {
                    put(state, "audit.forward_to", json!("syslog.acme.example:6514"));
                }
            }),
        )
        .people(18)
        .admin(),
        Act::new("organization:delete", Effect::Delete)
            .people(14)
            .admin(),
    ],
};

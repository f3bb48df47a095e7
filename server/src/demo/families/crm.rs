//! What flows between the company's data and its CRM.

use crate::demo::{
    bots::{NIGHTLY, SYSTEM},
    people::Team,
    scene::{Scene, choose, is_on, list, object, put, toggle, tune},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::{Object, Outcome};
use serde_json::json;

/// A flow of records, with its rules.
pub static CRM_SYNC: Kind = Kind {
    name: "crm_sync",
    prefix: "sync",
    share: [25, 100],
    teams: &[Team::Revenue, Team::Data],
    whole: false,
    stock: 9,
    most: 40,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} to {}",
            scene.pick(&[
                "Accounts",
                "Contacts",
                "Leads",
                "Opportunities",
                "Invoices",
                "Usage",
                "Renewals"
            ]),
            scene.pick(&["Salesforce", "HubSpot", "Dynamics"]),
        )
    },
    state: sync,
    acts: &[
        Act::new("CRM_SYNC_CREATED", Effect::Create).people(9),
        Act::new("CRM_SYNC_RULE_UPDATED", Effect::Edit(change_rule))
            .people(60)
            .fails(
                20,
                &[(
                    Outcome::Failure,
                    "the field Territory__c may not be written by this user",
                )],
            ),
        Act::new("CRM_SYNC_RULE_CREATED", Effect::Edit(add_rule)).people(16),
        Act::new(
            "CRM_SYNC_RULE_DELETED",
            Effect::Edit(|state, _| {
                if let Some(rules) = list(state, "rules")
                    && rules.len() > 2
                {
                    rules.pop();
                }
            }),
        )
        .people(8),
        Act::new(
            "CRM_SYNC_RUN",
            Effect::Edit(|state, scene| {
                let (written, skipped) = (scene.dice.between(0, 3_200), scene.dice.between(0, 60));
                put(
                    state,
                    "last_run",
                    json!({"at": scene.clock(), "written": written, "skipped": skipped}),
                );
            }),
        )
        .bots(120, &[&NIGHTLY, &SYSTEM])
        .when(|state| is_on(state, "enabled")),
        Act::new(
            "CRM_SYNC_FAILED",
            Effect::Use(|_, scene| {
                scene.outcome = Outcome::Failure;
                let reason = scene.pick(&[
                    "REQUEST_LIMIT_EXCEEDED: 100,000 calls in 24 hours",
                    "UNABLE_TO_LOCK_ROW after five tries",
                    "FIELD_CUSTOM_VALIDATION_EXCEPTION: close date lies in the past",
                ]);
                scene.note = Some(reason.to_owned());
            }),
        )
        .bots(10, &[&NIGHTLY]),
        Act::new(
            "CRM_SYNC_PAUSED",
            Effect::Edit(|state, _| put(state, "enabled", false)),
        )
        .people(7)
        .bots(2, &[&SYSTEM])
        .when(|state| is_on(state, "enabled"))
        .notes(
            500,
            &["quarter end, no writes", "duplicates since this morning"],
        )
        .then(&[Then::new(
            900,
            (3_600, 200_000),
            "CRM_SYNC_RESUMED",
            By::Colleague,
        )]),
        Act::new(
            "CRM_SYNC_RESUMED",
            Effect::Edit(|state, _| put(state, "enabled", true)),
        )
        .when(|state| !is_on(state, "enabled")),
        Act::new("CRM_SYNC_DELETED", Effect::Delete)
            .people(18)
            .admin(),
    ],
};

fn sync(scene: &mut Scene, name: &str) -> Object {
    object!({
        "enabled": true,
        "object": name.split(' ').next().unwrap_or(name),
        "direction": scene.pick(&["to_crm", "to_crm", "both"]),
        "schedule": {"cron": "*/30 * * * *"},
        "batch_size": 200,
        "rules": [
            {"id": "match", "on": "domain", "on_conflict": "skip"},
            {"id": "owner", "on": "territory", "on_conflict": "overwrite"},
            {"id": "stage", "on": "stage", "on_conflict": "skip"},
        ],
        "fields": ["name", "country"],
    })
}

fn change_rule(state: &mut Object, scene: &mut Scene) {
    let which = scene.dice.index(3);
    let conflict = scene.pick(&["skip", "overwrite", "newest", "ask"]);
    let on = scene.pick(&["domain", "email", "vat_number", "territory"]);
    match scene.dice.below(5) {
        0 => toggle(
            state,
            scene,
            "fields",
            &["name", "country", "phone", "segment", "arr_eur", "owner"],
        ),
        1 => {
            tune(state, scene, "batch_size", &[50, 100, 200, 500]);
            scene.says(&["row locks on their side", "four runs to catch up"]);
        }
        2 => choose(
            state,
            scene,
            "schedule.cron",
            &["*/30 * * * *", "*/15 * * * *", "0 * * * *", "0 3 * * *"],
        ),
        3 => {
            if let Some(rule) = list(state, "rules").and_then(|all| all.first_mut()) {
                rule["on"] = json!(on);
            }
        }
        _ => {
            if let Some(rule) = list(state, "rules").and_then(|all| all.get_mut(which)) {
                rule["on_conflict"] = json!(conflict);
            }
            scene.says(&[
                "sales wants their own value to win",
                "agreed with Grace",
                "until the duplicates are merged",
            ]);
        }
    }
}

fn add_rule(state: &mut Object, scene: &mut Scene) {
    let id = scene.pick(&["currency", "phone", "lifecycle", "parent", "consent"]);
    let conflict = scene.pick(&["skip", "overwrite", "newest"]);
    if let Some(rules) = list(state, "rules")
        && rules.iter().all(|rule| rule["id"] != id)
    {
        rules.push(json!({"id": id, "on": id, "on_conflict": conflict}));
    }
}

/// How a workspace speaks to one CRM.
pub static CRM_SYNC_CONFIGURATION: Kind = Kind {
    name: "crm_sync_configuration",
    prefix: "cfg",
    share: [15, 100],
    teams: &[Team::Revenue],
    whole: true,
    stock: 3,
    most: 10,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&["Salesforce", "HubSpot", "Dynamics"]),
            scene.pick(&["production", "sandbox", "trial"])
        )
    },
    state: |scene, _| {
        object!({
            "instance": format!("acme--{}.my.crm.example", scene.pick(&["eu", "us", "uat"])),
            "api_version": "64.0",
            "calls_per_day": 100_000,
            "currency": "EUR",
            "quiet_hours": {"from": "22:00", "to": "05:00"},
        })
    },
    acts: &[
        Act::new("CRM_SYNC_CONFIGURATION_CREATED", Effect::Create).people(16),
        Act::new(
            "CRM_SYNC_CONFIGURATION_UPDATED",
            Effect::Edit(|state, scene| match scene.dice.below(4) {
                0 => choose(
                    state,
                    scene,
                    "api_version",
                    &["62.0", "63.0", "64.0", "65.0"],
                ),
                1 => tune(state, scene, "calls_per_day", &[50_000, 80_000, 100_000]),
                2 => choose(state, scene, "currency", &["EUR", "NOK", "USD"]),
                _ => choose(
                    state,
                    scene,
                    "quiet_hours.from",
                    &["20:00", "22:00", "23:30"],
                ),
            }),
        )
        .people(18),
        Act::new("CRM_SYNC_CONFIGURATION_DELETED", Effect::Delete)
            .people(24)
            .admin(),
    ],
};

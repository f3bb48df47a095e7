//! Workflows: what happens when something happens.

use crate::demo::{
    bots::{FINANCE_ASSISTANT, SYSTEM},
    people::Team,
    scene::{Scene, choose, is_on, list, object, put, tune},
    world::{Act, Effect, Kind},
};
use domain::event::{Object, Outcome};
use serde_json::json;

/// A trigger and its steps.
pub static WORKFLOW: Kind = Kind {
    name: "workflow",
    prefix: "wfl",
    share: [70, 100],
    teams: &[Team::Revenue, Team::Finance, Team::Product],
    whole: false,
    stock: 9,
    most: 40,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "New lead",
                "Late invoice",
                "Refund",
                "Renewal",
                "Contract",
                "Trial end",
                "Ticket"
            ]),
            scene.pick(&["routing", "reminder", "approval", "hand-over", "escalation"]),
        )
    },
    state: |scene, _| {
        object!({
            "enabled": false,
            "trigger": {"event": scene.pick(&["lead.created", "invoice.overdue", "deal.won"]), "delay_minutes": 0},
            "steps": [
                {"id": "check", "type": "condition", "if": "amount_eur > 500"},
                {"id": "tell", "type": "message", "to": "#revenue-ops"},
            ],
            "owner": scene.owner(),
        })
    },
    acts: &[
        Act::new("workflow:create", Effect::Create).people(12),
        Act::new("workflow:update", Effect::Edit(rework)).people(40),
        Act::new(
            "workflow:enable",
            Effect::Edit(|state, _| put(state, "enabled", true)),
        )
        .people(16)
        .when(|state| !is_on(state, "enabled")),
        Act::new(
            "workflow:disable",
            Effect::Edit(|state, _| put(state, "enabled", false)),
        )
        .people(9)
        .bots(3, &[&SYSTEM])
        .when(|state| is_on(state, "enabled"))
        .notes(
            500,
            &[
                "sent the reminder twice",
                "failed ten times in a row",
                "holidays",
            ],
        ),
        Act::new(
            "workflow:run",
            Effect::Edit(|state, scene| {
                let took = scene.dice.between(1, 40);
                put(
                    state,
                    "last_run",
                    json!({"at": scene.clock(), "seconds": took}),
                );
            }),
        )
        .bots(60, &[&SYSTEM, &SYSTEM, &FINANCE_ASSISTANT])
        .when(|state| is_on(state, "enabled"))
        .fails(
            40,
            &[(Outcome::Failure, "step tell: the channel does not exist")],
        ),
        Act::new("workflow:delete", Effect::Delete).people(5),
    ],
};

fn rework(state: &mut Object, scene: &mut Scene) {
    let amount = scene.pick(&["200", "500", "1000", "2000", "5000"]);
    let channel = scene.pick(&["#revenue-ops", "#finance", "#renewals", "#support"]);
    match scene.dice.below(4) {
        0 => tune(state, scene, "trigger.delay_minutes", &[0, 15, 60, 1_440]),
        1 => choose(
            state,
            scene,
            "trigger.event",
            &[
                "lead.created",
                "invoice.overdue",
                "deal.won",
                "ticket.opened",
            ],
        ),
        2 => {
            if let Some(step) = list(state, "steps").and_then(|all| all.first_mut()) {
                step["if"] = json!(format!("amount_eur > {amount}"));
            }
            scene.says(&["Finance decides above that", "too many small ones"]);
        }
        _ => {
            if let Some(step) = list(state, "steps").and_then(|all| all.last_mut()) {
                step["to"] = json!(channel);
            }
            scene.says(&["the channel was renamed", "they asked to be told"]);
        }
    }
}

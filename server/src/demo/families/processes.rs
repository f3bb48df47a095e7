//! Business processes, who takes part in them, and jobs.

use crate::demo::{
    bots::{DBT, FINANCE_ASSISTANT, NIGHTLY, SYSTEM},
    people::{CAST, Team},
    scene::{Scene, choose, is, list, number, object, put, tune},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::{Object, Outcome};
use serde_json::json;

/// Steps that people take in turn.
pub static PROCESS: Kind = Kind {
    name: "process",
    prefix: "prc",
    share: [50, 100],
    teams: &[Team::Finance, Team::Revenue, Team::Lead],
    whole: false,
    stock: 9,
    most: 40,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Invoice",
                "Vendor",
                "Month-end",
                "Refund",
                "Contract",
                "Expense",
                "Credit"
            ]),
            scene.pick(&["approval", "onboarding", "close", "review", "check"]),
        )
    },
    state: process,
    acts: &[
        Act::new("PROCESS_CREATED", Effect::Create).people(12),
        Act::new("PROCESS_UPDATED", Effect::Edit(rework)).people(44),
        Act::new("PROCESS_MEMBER_ADDED", Effect::Edit(join))
            .people(50)
            .bots(6, &[&FINANCE_ASSISTANT]),
        Act::new("PROCESS_MEMBER_REMOVED", Effect::Edit(leave))
            .people(24)
            .notes(
                250,
                &[
                    "changed teams",
                    "access review",
                    "only needed for the close",
                ],
            ),
        Act::new(
            "PROCESS_STARTED",
            Effect::Edit(|state, scene| {
                put(state, "runs", number(state, "runs") + 1);
                put(state, "last_started", scene.clock());
            }),
        )
        .people(14)
        .bots(22, &[&SYSTEM, &FINANCE_ASSISTANT]),
        Act::new("PROCESS_DELETED", Effect::Delete)
            .people(14)
            .admin(),
    ],
};

fn process(scene: &mut Scene, _: &str) -> Object {
    let (first, second) = (scene.colleague(), scene.colleague());
    let mut members = vec![json!({"id": first.id, "name": first.name, "role": "approver"})];
    if first.id != second.id {
        members.push(json!({"id": second.id, "name": second.name, "role": "participant"}));
    }
    object!({
        "steps": [
            {"id": "capture", "by": "participant", "hours": 24},
            {"id": "approve", "by": "approver", "hours": 48},
            {"id": "book", "by": "system", "hours": 1},
        ],
        "limit_eur": 5_000,
        "escalation": "manager",
        "members": members,
        "runs": 0,
    })
}

fn rework(state: &mut Object, scene: &mut Scene) {
    let hours = [12, 24, 48, 72][scene.dice.index(4)];
    match scene.dice.below(3) {
        0 => {
            tune(
                state,
                scene,
                "limit_eur",
                &[1_000, 2_500, 5_000, 10_000, 25_000],
            );
            scene.says(&[
                "the auditors asked for it",
                "agreed with the controller",
                "small ones waited too long",
            ]);
        }
        1 => choose(
            state,
            scene,
            "escalation",
            &["manager", "controller", "none"],
        ),
        _ => {
            let which = scene.dice.index(2);
            if let Some(step) = list(state, "steps").and_then(|all| all.get_mut(which)) {
                step["hours"] = json!(hours);
            }
            scene.says(&["holidays", "month-end is close"]);
        }
    }
}

fn join(state: &mut Object, scene: &mut Scene) {
    let person = scene.colleague();
    let role = scene.pick(&["participant", "participant", "approver", "reader"]);
    let mut joined = false;
    if let Some(members) = list(state, "members")
        && members.iter().all(|one| one["id"] != person.id)
    {
        members.push(json!({"id": person.id, "name": person.name, "role": role}));
        joined = true;
    }
    if joined {
        scene.concerns(person);
    }
}

fn leave(state: &mut Object, scene: &mut Scene) {
    let gone = list(state, "members")
        .and_then(|members| (members.len() > 1).then(|| members.remove(members.len() - 1)));
    let person = gone.and_then(|one| CAST.iter().find(|person| one["id"] == person.id));
    if let Some(person) = person {
        scene.concerns(person);
    }
}

/// Work that machines do once.
pub static JOB: Kind = Kind {
    name: "job",
    prefix: "job",
    share: [70, 100],
    teams: &[Team::Finance, Team::Data, Team::Platform],
    whole: false,
    stock: 0,
    most: 50,
    fleeting: true,
    titled: |scene| {
        scene
            .pick(&[
                "invoice-import",
                "ledger-export",
                "dunning-run",
                "price-refresh",
                "contact-dedupe",
                "vat-report",
                "usage-rollup",
                "statement-mailing",
                "archive-orders",
                "fx-rates",
            ])
            .to_owned()
    },
    state: |scene, name| {
        object!({
            "name": name,
            "status": "queued",
            "queued_at": scene.clock(),
            "queue": scene.pick(&["default", "nightly", "finance"]),
            "attempt": 1,
            "input": {"rows": scene.dice.between(10, 90_000)},
        })
    },
    acts: &[
        Act::new("JOB_QUEUED", Effect::Create)
            .people(22)
            .bots(110, &[&NIGHTLY, &SYSTEM, &DBT, &FINANCE_ASSISTANT])
            .then(&[
                Then::new(880, (20, 3_000), "JOB_COMPLETED", By::Bot(&SYSTEM)),
                Then::new(80, (20, 3_000), "JOB_FAILED", By::Bot(&SYSTEM)),
                Then::new(20, (10, 600), "JOB_CANCELLED", By::Same),
            ]),
        Act::new(
            "JOB_COMPLETED",
            Effect::Edit(|state, scene| {
                put(state, "status", "completed");
                put(state, "seconds", scene.seconds_since(state, "queued_at"));
            }),
        )
        .when(|state| is(state, "status", "queued"))
        .last(),
        Act::new(
            "JOB_FAILED",
            Effect::Edit(|state, scene| {
                put(state, "status", "failed");
                scene.outcome = Outcome::Failure;
                let reason = scene.pick(&[
                    "row 8,112: the amount is not a number",
                    "lock timeout after 60 s",
                    "the bank's file has not arrived",
                ]);
                scene.note = Some(reason.to_owned());
            }),
        )
        .when(|state| is(state, "status", "queued"))
        .then(&[Then::new(800, (120, 4_000), "JOB_RETRIED", By::Colleague)]),
        Act::new(
            "JOB_RETRIED",
            Effect::Edit(|state, scene| {
                put(state, "status", "queued");
                put(state, "queued_at", scene.clock());
                put(state, "attempt", number(state, "attempt") + 1);
            }),
        )
        .when(|state| is(state, "status", "failed"))
        .then(&[Then::new(
            950,
            (20, 3_000),
            "JOB_COMPLETED",
            By::Bot(&SYSTEM),
        )]),
        Act::new(
            "JOB_CANCELLED",
            Effect::Edit(|state, _| put(state, "status", "cancelled")),
        )
        .when(|state| is(state, "status", "queued"))
        .notes(300, &["yesterday's file", "started twice"])
        .last(),
    ],
};

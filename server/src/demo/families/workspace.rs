//! What everyone does in a workspace: tasks, notes, labels, and the workspace itself.

use crate::demo::{
    bots::{FINANCE_ASSISTANT, TRIAGE},
    people::Team,
    scene::{Scene, choose, is, object, put, text, toggle},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::Object;

/// Something to be done.
pub static TASK: Kind = Kind {
    name: "task",
    prefix: "tsk",
    share: [100, 100],
    teams: &[],
    whole: false,
    stock: 6,
    most: 60,
    fleeting: true,
    titled: |scene| {
        scene
            .pick(&[
                "Ask legal about the new terms",
                "Move the nightly import to two o'clock",
                "Write down how we roll back",
                "Find out why Spain has no orders",
                "Answer the auditors' list",
                "Order licenses for the newcomers",
                "Clean up unused flags",
                "Test the restore",
                "Call Fjordline about the open invoices",
                "Prepare the board's numbers",
                "Renew the certificate of pay.acme.example",
                "Try the new runner image",
            ])
            .to_owned()
    },
    state: |scene, name| {
        object!({
            "title": name,
            "status": "open",
            "priority": scene.pick(&["low", "normal", "normal", "high"]),
            "due_on": scene.day(7),
            "labels": [],
        })
    },
    acts: &[
        Act::new("TASK_CREATED", Effect::Create)
            .people(50)
            .bots(10, &[&TRIAGE, &FINANCE_ASSISTANT])
            .then(&[
                Then::new(350, (300, 90_000), "TASK_ASSIGNED", By::Colleague),
                Then::new(450, (3_600, 400_000), "TASK_COMPLETED", By::Colleague),
            ]),
        Act::new("TASK_ASSIGNED", Effect::Edit(assign))
            .people(8)
            .when(|state| is(state, "status", "open"))
            .then(&[Then::new(
                700,
                (3_600, 400_000),
                "TASK_COMPLETED",
                By::Colleague,
            )]),
        Act::new(
            "TASK_UPDATED",
            Effect::Edit(|state, scene| {
                if scene.dice.chance(500) {
                    choose(state, scene, "priority", &["low", "normal", "high"]);
                } else {
                    put(state, "due_on", scene.day(14));
                }
            }),
        )
        .people(20)
        .when(|state| is(state, "status", "open")),
        Act::new(
            "TASK_COMPLETED",
            Effect::Edit(|state, _| put(state, "status", "done")),
        )
        .when(|state| is(state, "status", "open"))
        .then(&[Then::new(
            60,
            (3_600, 90_000),
            "TASK_REOPENED",
            By::Colleague,
        )]),
        Act::new(
            "TASK_REOPENED",
            Effect::Edit(|state, _| put(state, "status", "open")),
        )
        .when(|state| is(state, "status", "done"))
        .notes(
            600,
            &["still happens on mobile", "the customer called again"],
        ),
        Act::new("TASK_DELETED", Effect::Delete).people(5),
    ],
};

fn assign(state: &mut Object, scene: &mut Scene) {
    let person = scene.colleague();
    scene.concerns(person);
    put(state, "assignee", person.email());
}

/// A few lines that somebody wrote down.
pub static NOTE: Kind = Kind {
    name: "note",
    prefix: "nte",
    share: [100, 100],
    teams: &[],
    whole: false,
    stock: 4,
    most: 60,
    fleeting: true,
    titled: |scene| {
        let (title, _) = NOTES[scene.dice.index(NOTES.len())];
        title.to_owned()
    },
    state: |_, name| {
        object!({
            "title": name,
            "text": texts(name)[0],
            "pinned": false,
        })
    },
    acts: &[
        Act::new("NOTE_CREATED", Effect::Create)
            .people(34)
            .bots(2, &[&FINANCE_ASSISTANT]),
        Act::new(
            "NOTE_UPDATED",
            Effect::Edit(|state, scene| {
                let title = text(state, "title").to_owned();
                choose(state, scene, "text", texts(&title));
            }),
        )
        .people(22),
        Act::new("NOTE_DELETED", Effect::Delete).people(5),
    ],
};

/// What notes say, as first written and as corrected later.
const NOTES: &[(&str, &[&str])] = &[
    (
        "Stand-up",
        &[
            "Two things slow us down: the nightly import and the review queue.",
            "Two things slow us down: the nightly import and the review queue. Sigrid takes the first.",
        ],
    ),
    (
        "Decision: one price list",
        &[
            "We keep one price list from now on. The old one stays readable for the archive.",
            "We keep one price list from now on. The old one stays readable until the end of the year.",
        ],
    ),
    (
        "How to read the churn chart",
        &[
            "The chart counts trials as customers until the model is changed.",
            "The chart no longer counts trials as customers. Older months are computed anew tonight.",
        ],
    ),
    (
        "Hand-over",
        &[
            "Open: the certificate of pay.acme.example, and the partner who cannot sign in.",
            "Open: the partner who cannot sign in. The certificate is done.",
        ],
    ),
    (
        "Call with Kestrel Retail",
        &[
            "Kestrel wants the export by the fifth of the month, as CSV, with the VAT number.",
            "Kestrel wants the export by the third of the month, as CSV, with the VAT number. Grace sends a sample.",
        ],
    ),
    (
        "Open questions for legal",
        &[
            "May the agency see addresses? How long do we keep call recordings?",
            "The agency may not see addresses. Still open: how long we keep call recordings.",
        ],
    ),
    (
        "Runbook: refunds",
        &[
            "Refunds above 500 EUR go to Helena. Below that, support decides.",
            "Refunds above 750 EUR go to Helena. Below that, support decides, and writes down why.",
        ],
    ),
    (
        "Retrospective",
        &[
            "Keep: small releases. Change: fewer alerts that nobody acts on.",
            "Keep: small releases. Change: an alert without a runbook is deleted after two weeks.",
        ],
    ),
];

/// What a note of this title says, as first written and later.
fn texts(title: &str) -> &'static [&'static str] {
    let note = NOTES.iter().find(|(name, _)| *name == title);
    note.map_or(&["…"], |(_, texts)| texts)
}

/// A word that sorts things.
pub static LABEL: Kind = Kind {
    name: "label",
    prefix: "lbl",
    share: [100, 100],
    teams: &[],
    whole: false,
    stock: 8,
    most: 40,
    fleeting: false,
    titled: |scene| {
        format!(
            "{}{}",
            scene.pick(&["team/", "area/", "risk/", "q/", ""]),
            scene.pick(&[
                "growth", "billing", "mobile", "legal", "urgent", "later", "nordics"
            ])
        )
    },
    state: |scene, _| object!({"color": scene.pick(&["blue", "green", "red"]), "used_by": ["tasks"]}),
    acts: &[
        Act::new("LABEL_CREATED", Effect::Create).people(8),
        Act::new(
            "LABEL_UPDATED",
            Effect::Edit(|state, scene| {
                if scene.dice.chance(600) {
                    choose(
                        state,
                        scene,
                        "color",
                        &["blue", "green", "red", "amber", "grey"],
                    );
                } else {
                    toggle(
                        state,
                        scene,
                        "used_by",
                        &["tasks", "notes", "projects", "accounts"],
                    );
                }
            }),
        )
        .people(10),
        Act::new("LABEL_DELETED", Effect::Delete).people(4),
    ],
};

/// The workspace as its applications know it.
pub static WORKSPACE: Kind = Kind {
    name: "workspace",
    prefix: "wsp",
    share: [100, 100],
    teams: &[Team::Lead],
    whole: false,
    stock: 1,
    most: 1,
    fleeting: false,
    titled: |scene| scene.place.name().to_owned(),
    state: |scene, name| {
        object!({
            "name": name,
            "description": format!("Everything of {name} at Acme"),
            "domain": format!("{}.acme.example", scene.place.slug()),
            "color": "teal",
        })
    },
    acts: &[
        Act::new(
            "workspace:update",
            Effect::Edit(|state, scene| {
                if scene.dice.chance(500) {
                    choose(state, scene, "color", &["teal", "blue", "plum", "sand"]);
                } else {
                    choose(
                        state,
                        scene,
                        "description",
                        &[
                            "Everything that makes Acme grow",
                            "Customers, contracts and what they bring",
                            "Ask here first, then in the corridor",
                        ],
                    );
                }
            }),
        )
        .people(10)
        .admin(),
        Act::new(
            "workspace:export",
            Effect::Use(|_, scene| {
                let (parts, megabytes) = (scene.dice.between(1, 6), scene.dice.between(40, 900));
                scene.tell("parts", parts);
                scene.tell("megabytes", megabytes);
            }),
        )
        .people(9)
        .admin()
        .notes(
            400,
            &["yearly copy for the archive", "before the migration"],
        ),
    ],
};

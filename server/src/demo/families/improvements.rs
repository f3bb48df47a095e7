//! What agents propose, and what they ask.

use crate::demo::{
    bots::{NIGHTLY_QA, RELEASE_ASSISTANT, STEWARD, SYSTEM, TRIAGE},
    people::Team,
    scene::{is, object, put},
    world::{Act, By, Effect, Kind, Then},
};

/// A change that an agent proposes.
pub static IMPROVEMENT: Kind = Kind {
    name: "improvement",
    prefix: "imp",
    share: [100, 50],
    teams: &[Team::Product, Team::Platform],
    whole: false,
    stock: 0,
    most: 60,
    fleeting: true,
    titled: |scene| {
        scene
            .pick(&[
                "Cache the price list for a minute",
                "Drop the unused index on orders",
                "Retry the tax service once",
                "Split the slowest test in two",
                "Warn before a card expires",
                "Show the VAT number on the invoice",
                "Merge duplicate contacts by domain",
                "Compress the product images",
                "Skip the build when only docs change",
                "Name the failing field in the error",
                "Ask for the phone number later",
                "Archive boards that nobody opens",
            ])
            .to_owned()
    },
    state: |scene, name| {
        object!({
            "title": name,
            "status": "proposed",
            "effort": scene.pick(&["hours", "a day", "days"]),
            "impact": scene.pick(&["low", "medium", "high"]),
            "repo": scene.name_of("workspace_repo", "acme/storefront"),
            "evidence": [{"id": "runs", "value": scene.dice.between(4, 90)}],
        })
    },
    acts: &[
        Act::new("IMPROVEMENT_PROPOSED", Effect::Create)
            .people(8)
            .bots(44, &[&NIGHTLY_QA, &TRIAGE, &STEWARD, &RELEASE_ASSISTANT])
            .then(&[
                Then::new(480, (3_600, 200_000), "IMPROVEMENT_ACCEPTED", By::Colleague),
                Then::new(300, (3_600, 200_000), "IMPROVEMENT_REJECTED", By::Colleague),
            ]),
        Act::new(
            "IMPROVEMENT_ACCEPTED",
            Effect::Edit(|state, scene| {
                put(state, "status", "accepted");
                put(state, "decided_by", scene.owner());
            }),
        )
        .when(|state| is(state, "status", "proposed"))
        .notes(
            350,
            &[
                "yes, long overdue",
                "small and safe",
                "after the release, please",
            ],
        )
        .then(&[Then::new(
            850,
            (1_800, 90_000),
            "IMPROVEMENT_APPLIED",
            By::Bot(&RELEASE_ASSISTANT),
        )]),
        Act::new(
            "IMPROVEMENT_REJECTED",
            Effect::Edit(|state, scene| {
                put(state, "status", "rejected");
                put(state, "decided_by", scene.owner());
            }),
        )
        .when(|state| is(state, "status", "proposed"))
        .notes(
            650,
            &[
                "the index is used by the yearly report",
                "we tried that in spring",
                "not worth the risk",
            ],
        )
        .last(),
        Act::new(
            "IMPROVEMENT_APPLIED",
            Effect::Edit(|state, scene| {
                put(state, "status", "applied");
                put(state, "pull_request", scene.dice.between(1_200, 4_900));
            }),
        )
        .when(|state| is(state, "status", "accepted"))
        .last(),
    ],
};

/// A question that keeps an agent waiting.
pub static CLARIFICATION: Kind = Kind {
    name: "clarification",
    prefix: "clr",
    share: [100, 60],
    teams: &[Team::Product, Team::Data],
    whole: false,
    stock: 0,
    most: 40,
    fleeting: true,
    titled: |scene| {
        scene
            .pick(&[
                "Which of the two price lists counts?",
                "May the old invoices be archived?",
                "Who approves refunds above 500 EUR?",
                "Is a trial an active customer?",
                "Should the test data be anonymized?",
                "Which region does this partner belong to?",
                "Is the duplicate account merged or closed?",
            ])
            .to_owned()
    },
    state: |_, name| object!({"question": name, "status": "open"}),
    acts: &[
        Act::new("CLARIFICATION_ASKED", Effect::Create)
            .people(4)
            .bots(22, &[&TRIAGE, &STEWARD, &NIGHTLY_QA])
            .then(&[
                Then::new(780, (600, 100_000), "CLARIFICATION_ANSWERED", By::Colleague),
                Then::new(
                    140,
                    (80_000, 180_000),
                    "CLARIFICATION_EXPIRED",
                    By::Bot(&SYSTEM),
                ),
            ]),
        Act::new(
            "CLARIFICATION_ANSWERED",
            Effect::Edit(|state, scene| {
                put(state, "status", "answered");
                let answer = scene.pick(&[
                    "Yes, as of this quarter.",
                    "No. Ask Finance before you touch them.",
                    "The newer one; the other stays for the archive.",
                    "Only where the country is Norway.",
                    "Helena decides, every time.",
                ]);
                put(state, "answer", answer);
            }),
        )
        .when(|state| is(state, "status", "open"))
        .last(),
        Act::new(
            "CLARIFICATION_EXPIRED",
            Effect::Edit(|state, _| put(state, "status", "expired")),
        )
        .when(|state| is(state, "status", "open"))
        .last(),
    ],
};

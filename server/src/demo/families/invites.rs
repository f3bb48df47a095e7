//! Invitations.

use crate::demo::{
    bots::{ONBOARDING, SYSTEM},
    people::Team,
    scene::{Scene, is, object, put},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::Outcome;

fn address(scene: &mut Scene) -> String {
    format!(
        "{}.{}@{}",
        scene.pick(&[
            "anna", "erik", "sofia", "raj", "luis", "emma", "peter", "chloe", "noor", "ben"
        ]),
        scene.pick(&[
            "hansen", "krause", "silva", "shah", "young", "moen", "weiss", "gomes", "sethi"
        ]),
        scene.pick(&[
            "partner.example",
            "acme.example",
            "studio-nord.example",
            "kalkyl.example"
        ]),
    )
}

/// An invitation into a workspace.
pub static INVITE: Kind = Kind {
    name: "invite",
    prefix: "inv",
    share: [100, 50],
    teams: &[Team::Lead, Team::Product, Team::Platform],
    whole: false,
    stock: 0,
    most: 40,
    fleeting: true,
    titled: address,
    state: |scene, name| object!({"email": name, "role": scene.pick(&["viewer", "viewer", "editor"]), "status": "open", "expires_on": scene.day(7)}),
    acts: &[
        Act::new("USER_INVITED", Effect::Create)
            .people(44)
            .admin()
            .fails(
                40,
                &[
                    (Outcome::Denied, "guests of this domain are not allowed"),
                    (Outcome::Failure, "no seats left: 300 of 300"),
                ],
            )
            .then(&[
                Then::new(640, (600, 200_000), "INVITE_ACCEPTED", By::Bot(&ONBOARDING)),
                Then::new(150, (3_600, 90_000), "INVITE_REVOKED", By::Same),
                Then::new(180, (604_800, 605_000), "INVITE_EXPIRED", By::Bot(&SYSTEM)),
            ]),
        Act::new(
            "INVITE_ACCEPTED",
            Effect::Edit(|state, _| put(state, "status", "accepted")),
        )
        .when(|state| is(state, "status", "open"))
        .last(),
        Act::new(
            "INVITE_REVOKED",
            Effect::Edit(|state, _| put(state, "status", "revoked")),
        )
        .when(|state| is(state, "status", "open"))
        .notes(500, &["wrong address", "starts a month later"])
        .last(),
        Act::new(
            "INVITE_EXPIRED",
            Effect::Edit(|state, _| put(state, "status", "expired")),
        )
        .when(|state| is(state, "status", "open"))
        .last(),
    ],
};

/// An invitation into a customer's account.
pub static INVITATION: Kind = Kind {
    name: "invitation",
    prefix: "ivt",
    share: [30, 100],
    teams: &[Team::Revenue, Team::Finance],
    whole: false,
    stock: 0,
    most: 40,
    fleeting: true,
    titled: address,
    state: |scene, name| object!({"email": name, "account": scene.name_of("account", "Fjordline Foods"), "status": "sent"}),
    acts: &[
        Act::new("INVITATION_CREATED", Effect::Create)
            .people(20)
            .then(&[Then::new(
                700,
                (600, 200_000),
                "INVITATION_ACCEPTED",
                By::Bot(&SYSTEM),
            )]),
        Act::new(
            "INVITATION_ACCEPTED",
            Effect::Edit(|state, _| put(state, "status", "accepted")),
        )
        .when(|state| is(state, "status", "sent"))
        .last(),
    ],
};

//! Members of the applications' workspaces beside the staff: contractors, agencies, partners.

use crate::demo::{
    bots::{ONBOARDING, SYSTEM},
    people::Team,
    scene::{Scene, choose, is, number, object, put, text, toggle},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::{Object, Outcome};

const FIRST: &[&str] = &[
    "Anders", "Marit", "Lena", "Paulo", "Joana", "Kevin", "Sara", "Nikhil", "Divya", "Thomas",
    "Elif", "Oskar", "Camila", "Jack", "Maya", "Stefan", "Ida", "Bruno", "Asha", "Leon",
];
const LAST: &[&str] = &[
    "Nilsen", "Haugland", "Schmidt", "Pereira", "Costa", "Miller", "Brooks", "Menon", "Joshi",
    "Wagner", "Yilmaz", "Lund", "Rocha", "Turner", "Patel", "Hoffmann", "Vik", "Lopes", "Bose",
];

fn person(scene: &mut Scene) -> String {
    format!("{} {}", scene.pick(FIRST), scene.pick(LAST))
}

/// An address made of a name.
fn address(name: &str, host: &str) -> String {
    format!("{}@{host}", name.to_lowercase().replace(' ', "."))
}

/// Somebody who may use a workspace.
pub static MEMBER: Kind = Kind {
    name: "member",
    prefix: "usr",
    share: [100, 90],
    teams: &[Team::Lead, Team::Platform],
    whole: false,
    stock: 20,
    most: 120,
    fleeting: false,
    titled: person,
    state: |scene, name| {
        object!({
            "role": "viewer",
            "email": address(name, "acme.example"),
            "company": scene.pick(&["Acme", "Acme", "Brandt & Partner", "Studio Nord", "Kalkyl"]),
            "teams": [scene.pick(&["growth", "sales", "support"])],
        })
    },
    acts: &[
        Act::new("MEMBER_ADDED", Effect::Create)
            .people(30)
            .admin()
            .then(&[Then::new(
                250,
                (1, 3),
                "MEMBERSHIP_DEFAULTED",
                By::Bot(&ONBOARDING),
            )]),
        Act::new(
            "MEMBERSHIP_DEFAULTED",
            Effect::Edit(|state, _| put(state, "default_role", "viewer")),
        )
        .when(|state| !is(state, "default_role", "viewer")),
        Act::new(
            "MEMBER_ROLE_UPDATED",
            Effect::Edit(|state, scene| {
                choose(state, scene, "role", &["viewer", "editor", "admin"]);
                scene.says(match text(state, "role") {
                    "viewer" => &["back to reading", "access review"],
                    "editor" => &["covers for a week", "works on the texts until Friday"],
                    _ => &[
                        "leads the agency's team now",
                        "second admin, as the policy asks",
                    ],
                });
            }),
        )
        .people(30)
        .admin()
        .fails(25, &[(Outcome::Denied, "admins may not make owners")]),
        Act::new(
            "MEMBER_PROMOTED",
            Effect::Edit(|state, _| put(state, "role", "admin")),
        )
        .people(24)
        .admin()
        .when(|state| is(state, "role", "editor")),
        Act::new(
            "MEMBERSHIP_UPDATED",
            Effect::Edit(|state, scene| {
                toggle(
                    state,
                    scene,
                    "teams",
                    &["growth", "sales", "support", "press"],
                );
            }),
        )
        .people(18)
        .admin(),
        Act::new("MEMBER_REMOVED", Effect::Delete)
            .people(18)
            .admin()
            .bots(3, &[&SYSTEM])
            .notes(
                500,
                &[
                    "left the company",
                    "contract has ended",
                    "access review",
                    "no sign-in for 90 days",
                ],
            ),
    ],
};

/// Somebody's account in the directory.
pub static USER: Kind = Kind {
    name: "user",
    prefix: "usr",
    share: [60, 100],
    teams: &[Team::Lead],
    whole: false,
    stock: 10,
    most: 110,
    fleeting: false,
    titled: person,
    state: |scene, name| {
        object!({
            "email": address(name, "partner.example"),
            "role": "viewer",
            "locale": scene.pick(&["nb-NO", "de-DE", "pt-PT", "en-US", "en-IN"]),
            "phone": format!("+47 5550 {:04}", scene.dice.between(100, 9_999)),
            "second_factor": "none",
        })
    },
    acts: &[
        Act::new("USER_CREATED", Effect::Create)
            .people(14)
            .bots(10, &[&ONBOARDING, &SYSTEM]),
        Act::new("USER_UPDATED", Effect::Edit(amend))
            .people(26)
            .bots(6, &[&SYSTEM]),
        Act::new(
            "USER_ROLE_CHANGED",
            Effect::Edit(|state, scene| {
                choose(state, scene, "role", &["viewer", "editor", "billing"]);
            }),
        )
        .people(14)
        .admin(),
        Act::new(
            "USER_IMPERSONATED",
            Effect::Use(|_, scene| {
                let ticket = format!("SUP-{}", scene.dice.between(3_100, 9_800));
                scene.tell("ticket", ticket);
                scene.tell("minutes", 15);
            }),
        )
        .people(26)
        .admin()
        .notes(
            600,
            &[
                "to see the empty cart",
                "the customer asked for it on the phone",
            ],
        )
        .fails(
            150,
            &[(Outcome::Denied, "the user has not agreed to support access")],
        ),
    ],
};

fn amend(state: &mut Object, scene: &mut Scene) {
    match scene.dice.below(3) {
        0 => choose(
            state,
            scene,
            "locale",
            &["nb-NO", "de-DE", "pt-PT", "en-US", "en-IN"],
        ),
        1 => choose(state, scene, "second_factor", &["none", "totp", "passkey"]),
        _ => put(
            state,
            "phone",
            format!("+47 5550 {:04}", scene.dice.between(100, 9_999)),
        ),
    }
}

/// Members who are treated alike.
pub static GROUP: Kind = Kind {
    name: "group",
    prefix: "grp",
    share: [100, 80],
    teams: &[Team::Lead],
    whole: false,
    stock: 5,
    most: 20,
    fleeting: false,
    titled: |scene| {
        scene
            .pick(&[
                "agency",
                "interns",
                "partners-emea",
                "partners-us",
                "contractors",
                "press",
                "beta-testers",
                "board",
                "translators",
                "trainers",
                "auditors",
                "resellers",
                "students",
                "alumni",
            ])
            .to_owned()
    },
    state: |scene, _| object!({"members": scene.dice.between(4, 60), "roles": ["viewer"], "pending": 0}),
    acts: &[
        Act::new("GROUP_CREATED", Effect::Create).people(16),
        Act::new(
            "GROUP_MEMBERSHIP_VOL_QUEUE",
            Effect::Edit(|state, scene| {
                let change = scene.dice.between(-20, 40);
                let members = (number(state, "members") + change).max(1);
                put(state, "members", members);
                scene.tell("batch", format!("members-{}", scene.at.micros() % 100_000));
                scene.tell("requested", change.abs());
            }),
        )
        .bots(20, &[&SYSTEM, &ONBOARDING]),
        Act::new(
            "GROUP_UPDATED",
            Effect::Edit(|state, scene| {
                toggle(state, scene, "roles", &["viewer", "editor", "billing"]);
            }),
        )
        .people(16)
        .admin(),
    ],
};

//! Projects.

use crate::demo::{
    people::Team,
    scene::{Scene, choose, is, list, object, put, text, toggle},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::Object;
use serde_json::json;

/// Work with an end.
pub static PROJECT: Kind = Kind {
    name: "project",
    prefix: "prj",
    share: [100, 70],
    teams: &[Team::Product, Team::Platform, Team::Lead],
    whole: false,
    stock: 8,
    most: 40,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Checkout",
                "Nordics",
                "Partner portal",
                "Invoice",
                "Search",
                "Mobile",
                "Pricing"
            ]),
            scene.pick(&["rewrite", "launch", "pilot", "migration", "cleanup", "2.0"]),
        )
    },
    state: |scene, _| {
        object!({
            "status": "active",
            "lead": scene.owner(),
            "due_on": scene.day(120),
            "members": [],
            "goals": ["faster"],
        })
    },
    acts: &[
        Act::new("project:create", Effect::Create).people(9),
        Act::new(
            "project:update",
            Effect::Edit(|state, scene| match scene.dice.below(3) {
                0 => {
                    let ahead = [30, 60, 90, 120, 180][scene.dice.index(5)];
                    put(state, "due_on", scene.day(ahead));
                    scene.says(&[
                        "the vendor slipped",
                        "as agreed in the steering group",
                        "sooner, the pilot went well",
                    ]);
                }
                1 => choose(state, scene, "health", &["on track", "at risk", "late"]),
                _ => toggle(
                    state,
                    scene,
                    "goals",
                    &[
                        "faster",
                        "cheaper",
                        "accessible",
                        "in Norwegian",
                        "self-service",
                    ],
                ),
            }),
        )
        .people(34),
        Act::new("project:member_add", Effect::Edit(join)).people(20),
        Act::new("project:member_remove", Effect::Edit(leave)).people(8),
        Act::new(
            "project:transfer",
            Effect::Edit(|state, scene| {
                let lead = scene.colleague();
                if text(state, "lead") != lead.email() {
                    scene.concerns(lead);
                    put(state, "lead", lead.email());
                }
            }),
        )
        .people(9)
        .notes(
            400,
            &["parental leave until spring", "closer to the customer"],
        ),
        Act::new(
            "project:archive",
            Effect::Edit(|state, _| put(state, "status", "archived")),
        )
        .people(7)
        .when(|state| is(state, "status", "active"))
        .then(&[Then::new(
            350,
            (7_200, 400_000),
            "project:restore",
            By::Colleague,
        )]),
        Act::new(
            "project:restore",
            Effect::Edit(|state, _| put(state, "status", "active")),
        )
        .people(2)
        .when(|state| is(state, "status", "archived"))
        .notes(500, &["not quite done after all", "archived by mistake"]),
        Act::new("project:delete", Effect::Delete).people(4).admin(),
    ],
};

fn join(state: &mut Object, scene: &mut Scene) {
    let person = scene.colleague();
    let role = scene.pick(&["contributor", "contributor", "reviewer"]);
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
    let gone =
        list(state, "members").and_then(|members| (members.len() > 1).then(|| members.remove(0)));
    let person = gone.and_then(|one| {
        crate::demo::people::CAST
            .iter()
            .find(|person| one["id"] == person.id)
    });
    if let Some(person) = person {
        scene.concerns(person);
    }
}

//! Subscriptions and licenses.

use crate::demo::{
    bots::SYSTEM,
    people::Team,
    scene::{choose, is, number, object, put, tune},
    world::{Act, By, Effect, Kind, Then},
};

/// What a customer pays for.
pub static SUBSCRIPTION: Kind = Kind {
    name: "subscription",
    prefix: "sub",
    share: [10, 100],
    teams: &[Team::Finance, Team::Revenue],
    whole: false,
    stock: 14,
    most: 110,
    fleeting: false,
    titled: |scene| {
        let account = scene.name_of("account", "Fjordline Foods");
        format!(
            "{account} {}",
            scene.pick(&["Business", "Enterprise", "Starter"])
        )
    },
    state: |scene, name| {
        object!({
            "status": "active",
            "plan": name.rsplit(' ').next().unwrap_or(name),
            "seats": scene.dice.between(1, 30) * 10,
            "interval": "year",
            "price": {"currency": "EUR", "per_seat_cents": 2_900},
            "renews_on": scene.day(300),
        })
    },
    acts: &[
        Act::new("subscription:activate", Effect::Create)
            .people(14)
            .bots(6, &[&SYSTEM]),
        Act::new(
            "subscription:scale_up",
            Effect::Edit(|state, scene| {
                let more = scene.dice.between(1, 8) * 10;
                put(state, "seats", number(state, "seats") + more);
            }),
        )
        .people(22)
        .when(|state| is(state, "status", "active"))
        .notes(250, &["a second office", "signed by mail", "season"]),
        Act::new(
            "subscription:scale_down",
            Effect::Edit(|state, _| put(state, "seats", (number(state, "seats") / 20).max(1) * 10)),
        )
        .people(9)
        .when(|state| is(state, "status", "active") && number(state, "seats") > 40)
        .notes(300, &["half the team has moved on", "after the season"]),
        Act::new(
            "subscription:update",
            Effect::Edit(|state, scene| match scene.dice.below(3) {
                0 => choose(state, scene, "interval", &["month", "year"]),
                1 => tune(
                    state,
                    scene,
                    "price.per_seat_cents",
                    &[1_900, 2_400, 2_900, 3_400],
                ),
                _ => put(state, "renews_on", scene.day(365)),
            }),
        )
        .people(22)
        .bots(8, &[&SYSTEM]),
        Act::new(
            "subscription:cancel",
            Effect::Edit(|state, _| put(state, "status", "cancelled")),
        )
        .people(7)
        .bots(3, &[&SYSTEM])
        .when(|state| is(state, "status", "active"))
        .notes(
            600,
            &[
                "went to a competitor, price",
                "company was sold",
                "card declined four times",
            ],
        )
        .last(),
    ],
};

/// A right to use something.
pub static LICENSE: Kind = Kind {
    name: "license",
    prefix: "lic",
    share: [30, 100],
    teams: &[Team::Finance, Team::Lead],
    whole: false,
    stock: 3,
    most: 40,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&["Designer", "Analyst", "Robot", "Auditor", "Developer"]),
            scene.pick(&["seat", "pack of 10", "pack of 50"])
        )
    },
    state: |scene, name| {
        object!({
            "product": name.split(' ').next().unwrap_or(name),
            "status": "active",
            "valid_until": scene.day(365),
            "assigned": 0,
        })
    },
    acts: &[
        Act::new("LICENSE_ACTIVATED", Effect::Create)
            .people(9)
            .then(&[Then::new(400, (60, 5_000), "LICENSE_ASSIGNED", By::Same)]),
        Act::new(
            "LICENSE_ASSIGNED",
            Effect::Edit(|state, scene| {
                let person = scene.colleague();
                scene.concerns(person);
                put(state, "assigned", number(state, "assigned") + 1);
            }),
        )
        .people(12),
        Act::new(
            "LICENSE_UNASSIGNED",
            Effect::Edit(|state, scene| {
                let person = scene.colleague();
                scene.concerns(person);
                put(state, "assigned", number(state, "assigned") - 1);
            }),
        )
        .people(9)
        .when(|state| number(state, "assigned") > 0),
    ],
};

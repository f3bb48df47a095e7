//! The office, which nobody had in mind when the catalogue was written: actions that it does not
//! know are recorded all the same.

use crate::demo::{
    bots::KIOSK,
    scene::{object, put},
    world::{Act, Effect, Kind},
};

/// A tablet at the door.
pub static DEVICE: Kind = Kind {
    name: "office_device",
    prefix: "dev",
    share: [100, 0],
    teams: &[],
    whole: false,
    stock: 4,
    most: 4,
    fleeting: false,
    titled: |scene| {
        scene
            .pick(&[
                "Door Oslo",
                "Door Berlin",
                "Meeting room Fjord",
                "Meeting room Alster",
                "Kitchen",
            ])
            .to_owned()
    },
    state: |scene, _| object!({"battery_percent": 100, "firmware": "3.1", "visitors": scene.dice.between(0, 9)}),
    acts: &[Act::new(
        "kiosk:heartbeat",
        Effect::Edit(|state, scene| {
            put(state, "battery_percent", scene.dice.between(20, 100));
            put(state, "visitors", scene.dice.between(0, 30));
        }),
    )
    .bots(8, &[&KIOSK])],
};

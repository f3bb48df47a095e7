//! Settings of a workspace.

use crate::demo::{
    bots::SYSTEM,
    people::Team,
    scene::{choose, flip, object, put, tune},
    world::{Act, Effect, Kind},
};
use domain::event::Outcome;
use serde_json::json;

/// A page of settings.
pub static SETTINGS: Kind = Kind {
    name: "settings",
    prefix: "set",
    share: [100, 100],
    teams: &[Team::Lead, Team::Finance, Team::Platform],
    whole: false,
    stock: 5,
    most: 5,
    fleeting: false,
    titled: |scene| {
        scene
            .pick(&[
                "General",
                "Security",
                "Notifications",
                "Branding",
                "Currency",
            ])
            .to_owned()
    },
    state: |_, _| defaults(),
    acts: &[
        Act::new(
            "SETTINGS_UPDATED",
            Effect::Edit(|state, scene| match scene.dice.below(5) {
                0 => tune(state, scene, "session.minutes", &[30, 60, 240, 480]),
                1 => flip(state, "session.second_factor"),
                2 => choose(
                    state,
                    scene,
                    "time_zone",
                    &["Europe/Oslo", "UTC", "Europe/Berlin"],
                ),
                3 => choose(state, scene, "week_starts_on", &["monday", "sunday"]),
                _ => choose(state, scene, "language", &["en", "nb", "de", "pt"]),
            }),
        )
        .people(20)
        .admin()
        .notes(200, &["for the workshop", "as IT policy 7 says"])
        .fails(
            50,
            &[(Outcome::Denied, "the tenant requires a second factor")],
        ),
        Act::new(
            "WORKSPACE_SETTINGS_UPDATED",
            Effect::Edit(|state, scene| match scene.dice.below(3) {
                0 => flip(state, "guests"),
                1 => tune(state, scene, "archive_after_days", &[30, 90, 180, 365]),
                _ => choose(state, scene, "default_role", &["viewer", "editor"]),
            }),
        )
        .people(16)
        .admin(),
        Act::new(
            "WORKSPACE_SETTINGS_RESET",
            Effect::Edit(|state, _| *state = defaults()),
        )
        .people(5)
        .admin()
        .bots(1, &[&SYSTEM])
        .notes(
            500,
            &["nobody knew why it was that way", "before the audit"],
        ),
    ],
};

/// What settings are before anyone touches them.
fn defaults() -> domain::event::Object {
    let mut state = object!({
        "time_zone": "Europe/Oslo",
        "week_starts_on": "monday",
        "language": "en",
        "guests": false,
        "archive_after_days": 180,
        "default_role": "viewer",
    });
    put(
        &mut state,
        "session",
        json!({"minutes": 240, "second_factor": true}),
    );
    state
}

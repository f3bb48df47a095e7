//! Journeys: what customers are led through.

use crate::demo::{
    bots::SYSTEM,
    people::Team,
    scene::{Scene, choose, is, list, number, object, put, tune},
    world::{Act, Effect, Kind},
};
use domain::event::{Object, Outcome};
use serde_json::json;

/// Messages and waits, one after the other.
pub static JOURNEY: Kind = Kind {
    name: "journey",
    prefix: "jrn",
    share: [100, 50],
    teams: &[Team::Revenue, Team::Product],
    whole: false,
    stock: 9,
    most: 46,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Welcome",
                "Win-back",
                "Trial",
                "Upgrade",
                "Black Friday",
                "Feedback",
                "Abandoned cart"
            ]),
            scene.pick(&["series", "nudge", "series Norway", "mobile", "for partners"]),
        )
    },
    state: |scene, _| {
        object!({
            "status": "draft",
            "audience": scene.name_of("audience", "Trial customers"),
            "steps": [
                {"id": "hello", "type": "email", "template": "hello-3"},
                {"id": "wait", "type": "wait", "days": 3},
                {"id": "offer", "type": "email", "template": "offer-1"},
            ],
            "access": {"edit": ["growth-team"], "view": ["everyone"]},
            "daily_limit": 5_000,
        })
    },
    acts: &[
        Act::new("JOURNEY_CREATED", Effect::Create).people(14),
        Act::new("JOURNEY_UPDATED", Effect::Edit(reroute)).people(64),
        Act::new(
            "JOURNEY_ACCESS_UPDATED",
            Effect::Edit(|state, scene| {
                let who =
                    scene.pick(&["growth-team", "agency", "support", "revenue-ops", "interns"]);
                let list = if scene.dice.chance(700) {
                    "edit"
                } else {
                    "view"
                };
                let mut access = state.get("access").cloned().unwrap_or_default();
                if let Some(groups) = access[list].as_array_mut() {
                    match groups.iter().position(|one| one == who) {
                        Some(at) if groups.len() > 1 => {
                            groups.remove(at);
                        }
                        Some(_) => {}
                        None => groups.push(json!(who)),
                    }
                }
                put(state, "access", access);
            }),
        )
        .people(18)
        .notes(
            250,
            &[
                "the agency works on the texts until Friday",
                "agency is done",
            ],
        )
        .fails(
            60,
            &[(Outcome::Denied, "only the journey's owners may give access")],
        ),
        Act::new(
            "JOURNEY_PUBLISHED",
            Effect::Edit(|state, _| put(state, "status", "live")),
        )
        .people(18)
        .when(|state| !is(state, "status", "live")),
        Act::new(
            "JOURNEY_RUN",
            Effect::Edit(|state, scene| {
                let sent = scene.dice.between(0, number(state, "daily_limit").max(1));
                put(
                    state,
                    "last_run",
                    json!({"at": scene.clock(), "sent": sent}),
                );
            }),
        )
        .bots(40, &[&SYSTEM])
        .when(|state| is(state, "status", "live")),
        Act::new("JOURNEY_DELETED", Effect::Delete)
            .people(6)
            .notes(300, &["campaign is over", "double of the welcome series"]),
    ],
};

fn reroute(state: &mut Object, scene: &mut Scene) {
    let days = scene.dice.between(1, 9);
    let template = format!("offer-{}", scene.dice.between(1, 14));
    match scene.dice.below(5) {
        0 => tune(state, scene, "daily_limit", &[500, 1_000, 5_000, 20_000]),
        1 => {
            let audience = scene.name_of("audience", "Trial customers");
            choose(state, scene, "audience", &[&audience]);
        }
        2 | 3 => {
            for step in list(state, "steps").into_iter().flatten() {
                if step["type"] == "wait" {
                    step["days"] = json!(days);
                }
            }
            scene.says(&[
                "people had forgotten us by then",
                "felt pushy",
                "as the test showed",
            ]);
        }
        _ => {
            if let Some(step) = list(state, "steps").and_then(|all| all.last_mut()) {
                step["template"] = json!(template);
            }
            scene.says(&["this subject line won the test", "legal changed the footer"]);
        }
    }
}

//! Language models, how they are used, and who may ask through MCP.

use crate::demo::{
    bots::{INSIGHTS, SYSTEM},
    people::Team,
    scene::{choose, flip, is, object, put, toggle, tune},
    world::{Act, Effect, Kind},
};
use domain::event::Outcome;

/// Whose models are used.
pub static LLM_PROVIDER: Kind = Kind {
    name: "llm_provider",
    prefix: "llm",
    share: [100, 40],
    teams: &[Team::Data, Team::Platform],
    whole: false,
    stock: 3,
    most: 9,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&["Nordlys", "Meridian", "Open weights", "Lumen"]),
            scene.pick(&["EU", "US", "on-premises"])
        )
    },
    state: |scene, name| {
        object!({
            "base_url": format!("https://{}.llm.example/v1", name.to_lowercase().replace(' ', "-")),
            "api_key": scene.dice.hex(48),
            "enabled": true,
            "models": ["small-4", "large-4"],
            "euros_per_month": 400,
        })
    },
    acts: &[
        Act::new("LLM_PROVIDER_ADDED", Effect::Create)
            .people(18)
            .admin(),
        Act::new(
            "LLM_PROVIDER_UPDATED",
            Effect::Edit(|state, scene| match scene.dice.below(3) {
                0 => tune(state, scene, "euros_per_month", &[200, 400, 800, 1_500]),
                1 => flip(state, "enabled"),
                _ => toggle(
                    state,
                    scene,
                    "models",
                    &["small-4", "large-4", "large-5", "embed-2"],
                ),
            }),
        )
        .people(16),
        Act::new(
            "LLM_PROVIDER_KEY_ROTATED",
            Effect::Edit(|state, scene| put(state, "api_key", scene.dice.hex(48))),
        )
        .people(7)
        .admin()
        .bots(3, &[&SYSTEM]),
        Act::new("LLM_PROVIDER_REMOVED", Effect::Delete)
            .people(16)
            .admin(),
    ],
};

/// How a model is used for something.
pub static LLM_CONFIGURATION: Kind = Kind {
    name: "llm_configuration",
    prefix: "lcf",
    share: [100, 50],
    teams: &[Team::Data, Team::Product],
    whole: false,
    stock: 5,
    most: 20,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Summaries",
                "Search",
                "Replies",
                "Extraction",
                "Translation"
            ]),
            scene.pick(&["default", "fast", "careful"])
        )
    },
    state: |_, _| {
        object!({
            "model": "large-4",
            "temperature_percent": 20,
            "output_limit": 2_000,
            "guards": ["no-personal-data"],
            "fallback": "small-4",
        })
    },
    acts: &[
        Act::new("LLM_CONFIGURATION_CREATED", Effect::Create).people(6),
        Act::new(
            "LLM_CONFIGURATION_UPDATED",
            Effect::Edit(|state, scene| match scene.dice.below(4) {
                0 => choose(state, scene, "model", &["small-4", "large-4", "large-5"]),
                1 => tune(state, scene, "temperature_percent", &[0, 20, 40, 70]),
                2 => toggle(
                    state,
                    scene,
                    "guards",
                    &["no-personal-data", "no-prices", "cite-sources"],
                ),
                _ => tune(state, scene, "output_limit", &[500, 1_000, 2_000, 4_000]),
            }),
        )
        .people(30)
        .notes(
            200,
            &[
                "evaluation went up by four points",
                "as tried on last week's tickets",
            ],
        ),
    ],
};

/// A program that asks questions for somebody.
pub static MCP_CLIENT: Kind = Kind {
    name: "mcp_client",
    prefix: "mcp",
    share: [100, 80],
    teams: &[Team::Data, Team::Product, Team::Platform],
    whole: false,
    stock: 3,
    most: 24,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&["Insights", "Notebook", "Editor", "Terminal", "Helpdesk"]),
            scene.pick(&["desktop", "web", "pilot", "shared"])
        )
    },
    state: |scene, _| {
        object!({
            "status": "registered",
            "scopes": ["reports:read"],
            "redirect_uri": "http://127.0.0.1:7070/callback",
            "client_secret": scene.dice.hex(40),
        })
    },
    acts: &[
        Act::new("MCP_CLIENT_REGISTERED", Effect::Create).people(10),
        Act::new(
            "MCP_CLIENT_AUTHORIZED",
            Effect::Edit(|state, scene| {
                put(state, "status", "authorized");
                toggle(
                    state,
                    scene,
                    "scopes",
                    &[
                        "reports:read",
                        "data:read",
                        "dashboards:read",
                        "notes:write",
                    ],
                );
            }),
        )
        .people(14)
        .fails(
            60,
            &[(
                Outcome::Denied,
                "the scope secrets:read is not given to clients",
            )],
        ),
        Act::new(
            "MCP_CLIENT_UPDATED",
            Effect::Edit(|state, scene| {
                toggle(
                    state,
                    scene,
                    "scopes",
                    &[
                        "reports:read",
                        "data:read",
                        "dashboards:read",
                        "funnels:read",
                    ],
                );
            }),
        )
        .people(8)
        .bots(3, &[&INSIGHTS]),
        Act::new(
            "MCP_CLIENT_REVOKED",
            Effect::Edit(|state, _| put(state, "status", "revoked")),
        )
        .people(6)
        .when(|state| is(state, "status", "authorized"))
        .notes(400, &["laptop was replaced", "pilot is over"])
        .last(),
    ],
};

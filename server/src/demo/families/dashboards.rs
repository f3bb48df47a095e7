//! Dashboards, charts, reports and funnels.

use crate::demo::{
    bots::{NIGHTLY, SYSTEM},
    people::Team,
    scene::{Scene, choose, get, list, object, put, toggle, tune},
    world::{Act, Effect, Kind},
};
use domain::event::{Object, Outcome};
use serde_json::json;

/// Charts on one page.
pub static DASHBOARD: Kind = Kind {
    name: "dashboard",
    prefix: "dash",
    share: [80, 100],
    teams: &[Team::Data, Team::Product, Team::Revenue, Team::Finance],
    whole: false,
    stock: 9,
    most: 46,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Weekly", "Board", "Sales", "Churn", "Funnel", "Support", "Finance", "Nordic"
            ]),
            scene.pick(&["overview", "numbers", "health", "review", "pulse"]),
        )
    },
    state: |scene, _| {
        object!({
            "tiles": [{"id": "arr", "width": 6}, {"id": "churn", "width": 3}, {"id": "nps", "width": 3}],
            "range": "90 days",
            "shared_with": ["everyone"],
            "refresh_minutes": 60,
            "owner": scene.owner(),
        })
    },
    acts: &[
        Act::new("DASHBOARD_CREATED", Effect::Create).people(12),
        Act::new("DASHBOARD_UPDATED", Effect::Edit(rearrange)).people(40),
        Act::new("DASHBOARD_SHARED", Effect::Edit(share)).people(12),
        Act::new(
            "DASHBOARD_VIEWED",
            Effect::Use(|state, scene| scene.tell("range", get(state, "range").clone())),
        )
        .people(30),
        Act::new(
            "DASHBOARD_EXPORTED",
            Effect::Use(|_, scene| {
                let format = scene.pick(&["pdf", "png", "csv"]);
                scene.tell("format", format);
            }),
        )
        .people(14),
        Act::new("DASHBOARD_DELETED", Effect::Delete).people(5),
    ],
};

fn rearrange(state: &mut Object, scene: &mut Scene) {
    let tile = scene.pick(&[
        "arr", "churn", "nps", "leads", "refunds", "tickets", "cohorts",
    ]);
    let width = scene.dice.between(1, 4) * 3;
    match scene.dice.below(4) {
        0 => choose(
            state,
            scene,
            "range",
            &["30 days", "90 days", "quarter", "year"],
        ),
        1 => tune(state, scene, "refresh_minutes", &[15, 60, 240]),
        _ => {
            if let Some(tiles) = list(state, "tiles") {
                match tiles.iter().position(|one| one["id"] == tile) {
                    Some(at) if tiles.len() > 2 && width == 3 => {
                        tiles.remove(at);
                    }
                    Some(at) => tiles[at]["width"] = json!(width),
                    None => tiles.push(json!({"id": tile, "width": width})),
                }
            }
        }
    }
}

fn share(state: &mut Object, scene: &mut Scene) {
    let reader = scene.colleague();
    let address = reader.email();
    let mut added = false;
    if let Some(readers) = list(state, "shared_with")
        && !readers.iter().any(|one| one == address.as_str())
    {
        readers.push(json!(address));
        added = true;
    }
    if added {
        scene.concerns(reader);
    }
}

/// One picture of numbers.
pub static CHART: Kind = Kind {
    name: "chart",
    prefix: "cht",
    share: [70, 100],
    teams: &[Team::Data, Team::Product],
    whole: false,
    stock: 14,
    most: 70,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} by {}",
            scene.pick(&[
                "Revenue", "Orders", "Sign-ups", "Refunds", "Sessions", "Tickets", "Margin"
            ]),
            scene.pick(&["week", "country", "plan", "channel", "cohort"]),
        )
    },
    state: |scene, _| {
        object!({
            "type": scene.pick(&["line", "bar", "area"]),
            "model": scene.name_of("data_model", "Weekly orders"),
            "measures": ["sum(amount_eur)"],
            "breakdown": "country",
            "color": "blue",
        })
    },
    acts: &[
        Act::new("CHART_CREATED", Effect::Create).people(20),
        Act::new(
            "CHART_UPDATED",
            Effect::Edit(|state, scene| match scene.dice.below(4) {
                0 => choose(state, scene, "type", &["line", "bar", "area", "table"]),
                1 => toggle(
                    state,
                    scene,
                    "measures",
                    &[
                        "sum(amount_eur)",
                        "count(*)",
                        "avg(days_open)",
                        "p90(amount_eur)",
                    ],
                ),
                2 => choose(
                    state,
                    scene,
                    "breakdown",
                    &["country", "plan", "channel", "none"],
                ),
                _ => choose(state, scene, "color", &["blue", "teal", "amber", "plum"]),
            }),
        )
        .people(36),
        Act::new("CHART_DELETED", Effect::Delete).people(8),
    ],
};

/// Numbers that are sent to people.
pub static REPORT: Kind = Kind {
    name: "report",
    prefix: "rep",
    share: [60, 100],
    teams: &[Team::Finance, Team::Product, Team::Revenue],
    whole: false,
    stock: 7,
    most: 36,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Monthly",
                "Quarterly",
                "Board",
                "VAT",
                "Aging",
                "Pipeline",
                "Adoption"
            ]),
            scene.pick(&["report", "statement", "summary", "letter"]),
        )
    },
    state: |scene, _| {
        object!({
            "schedule": {"cron": "0 7 1 * *", "time_zone": "Europe/Oslo"},
            "format": "pdf",
            "recipients": [scene.owner()],
            "sections": ["revenue", "costs"],
        })
    },
    acts: &[
        Act::new("REPORT_CREATED", Effect::Create).people(9),
        Act::new(
            "REPORT_UPDATED",
            Effect::Edit(|state, scene| match scene.dice.below(3) {
                0 => choose(state, scene, "format", &["pdf", "xlsx", "csv"]),
                1 => toggle(
                    state,
                    scene,
                    "sections",
                    &["revenue", "costs", "churn", "headcount", "forecast"],
                ),
                _ => {
                    let reader = scene.colleague();
                    let address = reader.email();
                    toggle(state, scene, "recipients", &[&address]);
                }
            }),
        )
        .people(24),
        Act::new(
            "REPORT_RUN",
            Effect::Edit(|state, scene| {
                let pages = scene.dice.between(2, 48);
                put(
                    state,
                    "last_run",
                    json!({"at": scene.clock(), "pages": pages}),
                );
            }),
        )
        .people(8)
        .bots(26, &[&SYSTEM, &NIGHTLY])
        .fails(
            30,
            &[(
                Outcome::Failure,
                "the model Net revenue was being refreshed for 40 minutes",
            )],
        ),
        Act::new(
            "REPORT_EXPORTED",
            Effect::Use(|state, scene| scene.tell("format", get(state, "format").clone())),
        )
        .people(16),
        Act::new("REPORT_DELETED", Effect::Delete).people(4),
    ],
};

/// Steps that visitors take, and where they leave.
pub static FUNNEL: Kind = Kind {
    name: "funnel",
    prefix: "fun",
    share: [100, 60],
    teams: &[Team::Product, Team::Data],
    whole: true,
    stock: 5,
    most: 26,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&["Checkout", "Sign-up", "Trial", "Invite", "Upgrade"]),
            scene.pick(&[
                "funnel",
                "funnel mobile",
                "funnel Norway",
                "funnel partners"
            ]),
        )
    },
    state: |_, _| {
        object!({
            "steps": [
                {"id": "visit", "event": "page_view"},
                {"id": "try", "event": "trial_started"},
                {"id": "buy", "event": "order_paid"},
            ],
            "window_days": 14,
            "breakdown": "device",
        })
    },
    acts: &[
        Act::new("FUNNEL_CREATED", Effect::Create).people(8),
        Act::new(
            "FUNNEL_UPDATED",
            Effect::Edit(|state, scene| {
                let step = scene.pick(&["invite", "connect", "second_visit", "demo"]);
                match scene.dice.below(3) {
                    0 => tune(state, scene, "window_days", &[7, 14, 30]),
                    1 => choose(
                        state,
                        scene,
                        "breakdown",
                        &["device", "country", "campaign"],
                    ),
                    _ => {
                        if let Some(steps) = list(state, "steps") {
                            match steps.iter().position(|one| one["id"] == step) {
                                Some(at) => {
                                    steps.remove(at);
                                }
                                None => steps.insert(
                                    1,
                                    json!({"id": step, "event": format!("{step}_done")}),
                                ),
                            }
                        }
                    }
                }
            }),
        )
        .people(24),
        Act::new("FUNNEL_DELETED", Effect::Delete).people(7),
    ],
};

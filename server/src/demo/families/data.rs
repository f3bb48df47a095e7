//! Data models, connections, enrichments and audiences.

use crate::demo::{
    bots::{DBT, HUBSPOT, NIGHTLY, STEWARD, SYSTEM},
    people::Team,
    scene::{Scene, choose, flip, is, is_on, list, number, object, put, toggle, tune},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::{Object, Outcome};
use serde_json::json;

/// How data is read: columns, joins, filters.
pub static DATA_MODEL: Kind = Kind {
    name: "data_model",
    prefix: "mdl",
    share: [60, 100],
    teams: &[Team::Data],
    whole: false,
    stock: 14,
    most: 60,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&["Weekly", "Closed", "Net", "Active", "Churned", "Trial", "Partner", "Repeat"]),
            scene.pick(&["orders", "revenue", "accounts", "leads", "pipeline", "sessions", "renewals"]),
        )
    },
    state: model,
    acts: &[
        Act::new("DATA_MODEL_CREATED", Effect::Create).people(14),
        Act::new("DATA_MODEL_UPDATED", Effect::Edit(remodel))
            .people(110)
            .bots(10, &[&STEWARD])
            .fails(28, &[
                (Outcome::Failure, "version conflict: the model was changed by somebody else, reload and save again"),
                (Outcome::Failure, "column amount_eur does not exist in orders"),
            ]),
        Act::new(
            "DATA_MODEL_REFRESHED",
            Effect::Edit(|state, scene| {
                let rows = scene.dice.between(900, 4_200_000);
                put(state, "refreshed", json!({"at": scene.clock(), "rows": rows}));
            }),
        )
        .bots(90, &[&DBT, &DBT, &SYSTEM])
        .fails(35, &[
            (Outcome::Failure, "test not_null_account_id failed: 14 rows"),
            (Outcome::Failure, "warehouse suspended: monthly credit limit"),
        ]),
        Act::new(
            "DATA_MODEL_PUBLISHED",
            Effect::Edit(|state, _| {
                put(state, "status", "published");
                put(state, "version", number(state, "version") + 1);
            }),
        )
        .people(26)
        .when(|state| !is(state, "status", "published"))
        .then(&[Then::new(170, (1_200, 20_000), "DATA_MODEL_ROLLED_BACK", By::Same)]),
        Act::new(
            "DATA_MODEL_ROLLED_BACK",
            Effect::Edit(|state, _| {
                put(state, "status", "draft");
                put(state, "version", number(state, "version") - 1);
            }),
        )
        .when(|state| is(state, "status", "published"))
        .notes(700, &["totals did not match the ledger", "dashboard showed nothing for Spain"]),
        Act::new("DATA_MODEL_DELETED", Effect::Delete)
            .people(6)
            .notes(400, &["merged into the other one", "nobody has asked it since spring"]),
    ],
};

fn model(scene: &mut Scene, _: &str) -> Object {
    object!({
        "version": scene.dice.between(1, 12),
        "status": "draft",
        "source": scene.pick(&["warehouse.orders", "warehouse.accounts", "warehouse.events"]),
        "columns": [
            {"name": "account_id", "type": "text"},
            {"name": "amount_eur", "type": "number"},
            {"name": "closed_on", "type": "date"},
        ],
        "filters": [{"id": "window", "field": "closed_on", "op": "within", "value": "30 days"}],
        "joins": ["accounts"],
        "owner": scene.owner(),
    })
}

fn remodel(state: &mut Object, scene: &mut Scene) {
    let days = scene.pick(&[
        "7 days", "14 days", "30 days", "45 days", "60 days", "90 days",
    ]);
    let column = scene.pick(&[
        "region", "currency", "owner", "segment", "discount", "channel",
    ]);
    let kind = scene.pick(&["text", "number"]);
    match scene.dice.below(6) {
        0 | 1 => {
            for filter in list(state, "filters").into_iter().flatten() {
                if filter["id"] == "window" {
                    filter["value"] = json!(days);
                }
            }
            scene.says(&[
                "as agreed with Sales",
                "the same window as in the board's report",
                "the filter hid last week",
            ]);
        }
        2 | 3 => {
            if let Some(columns) = list(state, "columns") {
                match columns.iter().position(|one| one["name"] == column) {
                    Some(at) => {
                        columns.remove(at);
                    }
                    None => columns.push(json!({"name": column, "type": kind})),
                }
            }
            scene.says(&[
                "for the territory report",
                "as the source has it since the migration",
                "Finance asked for it",
            ]);
        }
        4 => {
            toggle(
                state,
                scene,
                "joins",
                &["accounts", "contacts", "invoices", "products"],
            );
            scene.says(&[
                "one row an order, not one a line",
                "joined twice, rows were doubled",
            ]);
        }
        _ => {
            if let Some(filters) = list(state, "filters") {
                match filters.iter().position(|one| one["field"] == column) {
                    Some(at) => {
                        filters.remove(at);
                    }
                    None => filters.push(
                        json!({"id": column, "field": column, "op": "is_set", "value": true}),
                    ),
                }
            }
        }
    }
    put(state, "status", "draft");
}

/// A way to where data lies.
pub static DATA_CONNECTION: Kind = Kind {
    name: "data_connection",
    prefix: "con",
    share: [60, 100],
    teams: &[Team::Data, Team::Platform],
    whole: false,
    stock: 7,
    most: 26,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Snowflake",
                "BigQuery",
                "Postgres",
                "S3",
                "Kafka",
                "Redshift"
            ]),
            scene.pick(&[
                "analytics",
                "staging",
                "finance",
                "replica",
                "events",
                "archive"
            ]),
        )
    },
    state: |scene, name| {
        object!({
            "driver": name.split(' ').next().unwrap_or(name).to_lowercase(),
            "host": format!("db-{}.acme.example", scene.dice.between(1, 9)),
            "credentials": {"username": "svc_reader", "password": scene.dice.hex(24)},
            "schemas": ["public"],
            "pool": {"size": 8, "timeout_seconds": 30},
            "tls": true,
        })
    },
    acts: &[
        Act::new("DATA_CONNECTION_CREATED", Effect::Create)
            .people(30)
            .admin(),
        Act::new(
            "DATA_CONNECTION_UPDATED",
            Effect::Edit(|state, scene| match scene.dice.below(4) {
                0 => {
                    tune(state, scene, "pool.size", &[4, 8, 16, 32]);
                    scene.says(&[
                        "they count connections",
                        "the dashboards waited for each other",
                    ]);
                }
                1 => toggle(
                    state,
                    scene,
                    "schemas",
                    &["public", "finance", "marketing", "raw"],
                ),
                2 => {
                    put(state, "credentials.password", scene.dice.hex(24));
                    scene.says(&["quarterly", "new value from the vault"]);
                }
                _ => {
                    choose(
                        state,
                        scene,
                        "credentials.username",
                        &["svc_reader", "svc_analytics", "svc_dbt"],
                    );
                    put(state, "credentials.password", scene.dice.hex(24));
                }
            }),
        )
        .people(26),
        Act::new(
            "DATA_CONNECTION_AUTHORIZED",
            Effect::Edit(|state, scene| {
                put(
                    state,
                    "authorized",
                    json!({"by": scene.owner(), "until": scene.day(90)}),
                );
            }),
        )
        .people(12)
        .fails(
            90,
            &[
                (Outcome::Failure, "their administrator has to consent first"),
                (Outcome::Denied, "only admins may authorize a warehouse"),
            ],
        ),
        Act::new("DATA_CONNECTION_DELETED", Effect::Delete)
            .people(24)
            .admin(),
    ],
};

/// What is added to records from elsewhere.
pub static ENRICHMENT: Kind = Kind {
    name: "enrichment",
    prefix: "enr",
    share: [40, 100],
    teams: &[Team::Data, Team::Revenue],
    whole: false,
    stock: 5,
    most: 24,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&["Company", "Contact", "Domain", "Address", "Industry"]),
            scene.pick(&["size", "country", "technology", "credit score", "hierarchy"]),
        )
    },
    state: |scene, _| {
        object!({
            "enabled": true,
            "provider": scene.pick(&["Registry", "Clearfield", "OpenCorp"]),
            "fields": ["employees"],
            "match_on": "domain",
            "euros_per_month": 120,
        })
    },
    acts: &[
        Act::new("ENRICHMENT_CREATED", Effect::Create).people(7),
        Act::new(
            "ENRICHMENT_UPDATED",
            Effect::Edit(|state, scene| {
                if scene.dice.chance(600) {
                    toggle(
                        state,
                        scene,
                        "fields",
                        &["employees", "revenue", "country", "industry", "founded"],
                    );
                } else {
                    tune(state, scene, "euros_per_month", &[60, 120, 240, 500]);
                }
            }),
        )
        .people(16),
        Act::new(
            "ENRICHMENT_ENABLED",
            Effect::Edit(|state, _| flip(state, "enabled")),
        )
        .people(14)
        .when(|state| !is_on(state, "enabled")),
        Act::new(
            "ENRICHMENT_DISABLED",
            Effect::Edit(|state, _| flip(state, "enabled")),
        )
        .people(9)
        .when(|state| is_on(state, "enabled")),
        Act::new(
            "ENRICHMENT_RUN",
            Effect::Edit(|state, scene| {
                let matched = scene.dice.between(10, 900);
                put(
                    state,
                    "last_run",
                    json!({"at": scene.clock(), "matched": matched}),
                );
            }),
        )
        .bots(24, &[&NIGHTLY, &STEWARD])
        .when(|state| is_on(state, "enabled")),
        Act::new("ENRICHMENT_DELETED", Effect::Delete).people(6),
    ],
};

/// People who are spoken to together.
pub static AUDIENCE: Kind = Kind {
    name: "audience",
    prefix: "aud",
    share: [50, 100],
    teams: &[Team::Revenue, Team::Product],
    whole: false,
    stock: 8,
    most: 46,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Lapsed",
                "Trial",
                "Enterprise",
                "Nordic",
                "Newsletter",
                "Beta",
                "High-value"
            ]),
            scene.pick(&["customers", "leads", "partners", "admins", "buyers"]),
        )
    },
    state: |scene, _| {
        object!({
            "rules": [{"id": "country", "op": "in", "value": ["NO", "SE", "DK"]}],
            "size": scene.dice.between(40, 42_000),
            "destinations": ["mailchimp"],
            "consent": "marketing",
        })
    },
    acts: &[
        Act::new("AUDIENCE_CREATED", Effect::Create).people(16),
        Act::new(
            "AUDIENCE_UPDATED",
            Effect::Edit(|state, scene| {
                let rule = scene.pick(&["last_order", "plan", "language", "score", "industry"]);
                let value = scene.pick(&["90 days", "business", "nb", "80", "retail"]);
                if let Some(rules) = list(state, "rules") {
                    match rules.iter().position(|one| one["id"] == rule) {
                        Some(at) => {
                            rules.remove(at);
                        }
                        None => rules.push(json!({"id": rule, "op": "is", "value": value})),
                    }
                }
                put(state, "size", scene.dice.between(40, 42_000));
            }),
        )
        .people(34)
        .notes(
            150,
            &[
                "for the October letter",
                "without open tickets",
                "legal asked for consent",
            ],
        ),
        Act::new(
            "AUDIENCE_EXPORTED",
            Effect::Use(|state, scene| {
                let format = scene.pick(&["csv", "csv", "xlsx"]);
                scene.tell("format", format);
                scene.tell("rows", number(state, "size"));
            }),
        )
        .people(18)
        .fails(
            50,
            &[(
                Outcome::Denied,
                "exports with personal data need the role admin",
            )],
        ),
        Act::new(
            "AUDIENCE_SYNCED",
            Effect::Edit(|state, scene| {
                put(state, "size", scene.dice.between(40, 42_000));
                put(state, "synced_at", scene.clock());
            }),
        )
        .bots(34, &[&NIGHTLY, &HUBSPOT]),
        Act::new("AUDIENCE_DELETED", Effect::Delete).people(9),
    ],
};

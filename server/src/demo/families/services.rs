//! Services, their custom domains, and what the scanner finds in them.

use crate::demo::{
    bots::{CI, SYSTEM, TERRAFORM},
    people::Team,
    scene::{Scene, advance, get, is, list, number, object, put, text, toggle, tune},
    world::{Act, By, Effect, Kind, Then},
};
use domain::event::{Object, Outcome};
use serde_json::{Value, json};

/// What runs.
pub static SERVICE: Kind = Kind {
    name: "service",
    prefix: "svc",
    share: [100, 35],
    teams: &[Team::Platform],
    whole: false,
    stock: 16,
    most: 70,
    fleeting: false,
    titled: |scene| {
        format!(
            "{}-{}",
            scene.pick(&[
                "basket",
                "catalog",
                "pricing",
                "search",
                "identity",
                "billing",
                "ledger",
                "notification",
                "invoice",
                "segment",
                "media",
                "partner",
                "loyalty",
                "reporting",
            ]),
            scene.pick(&["api", "api", "worker", "gateway", "web", "consumer"]),
        )
    },
    state: service,
    acts: &[
        Act::new("service:create", Effect::Create)
            .people(6)
            .bots(2, &[&TERRAFORM])
            .notes(
                300,
                &[
                    "split from the monolith",
                    "spike, two weeks",
                    "takes over from the old cron job",
                ],
            ),
        Act::new("service:update", Effect::Edit(reconfigure))
            .people(70)
            .bots(22, &[&TERRAFORM, &CI])
            .fails(
                15,
                &[
                    (Outcome::Failure, "quota: 64 GiB of 64 GiB are in use"),
                    (
                        Outcome::Failure,
                        "version conflict: changed by somebody else a moment ago",
                    ),
                ],
            ),
        Act::new(
            "service:scale",
            Effect::Edit(|state, scene| {
                let step = if scene.dice.chance(500) { 1 } else { -1 };
                let wanted = (number(state, "scaling.min") + step).clamp(1, 12);
                put(state, "scaling.min", wanted);
                scene.tell("cpu_percent", if step > 0 { 87 } else { 14 });
            }),
        )
        .bots(40, &[&SYSTEM]),
        Act::new(
            "service:custom_domain_add",
            Effect::Edit(|state, scene| {
                let host = format!(
                    "{}.acme.example",
                    scene.pick(&[
                        "shop", "pay", "status", "api", "go", "learn", "partners", "m"
                    ])
                );
                let domains = list(state, "domains");
                let known = domains.is_some_and(|all| {
                    let known = all.iter().any(|one| one["host"] == host.as_str());
                    if !known {
                        all.push(
                            json!({"host": host, "certificate": "pending", "verified": false}),
                        );
                    }
                    known
                });
                if !known {
                    scene.tell("record", "CNAME edge.acme.example");
                }
            }),
        )
        .people(7)
        .then(&[Then::new(
            850,
            (120, 3_000),
            "service:custom_domain_verify",
            By::Bot(&SYSTEM),
        )]),
        Act::new(
            "service:custom_domain_verify",
            Effect::Edit(|state, _| {
                for domain in list(state, "domains").into_iter().flatten() {
                    domain["verified"] = json!(true);
                    domain["certificate"] = json!("valid");
                }
            }),
        ),
        Act::new(
            "service:custom_domain_update",
            Effect::Edit(|state, scene| {
                let redirect = scene.pick(&["https", "www", "apex"]);
                if let Some(domain) = list(state, "domains").and_then(|all| all.first_mut()) {
                    domain["redirect_to"] = json!(redirect);
                }
            }),
        )
        .people(5)
        .when(has_domains),
        Act::new(
            "service:custom_domain_remove",
            Effect::Edit(|state, _| {
                list(state, "domains").and_then(Vec::pop);
            }),
        )
        .people(9)
        .when(has_domains)
        .notes(500, &["campaign is over", "moved to the marketing site"]),
        Act::new(
            "service:ai_scan_start",
            Effect::Edit(|state, scene| {
                put(
                    state,
                    "scan",
                    json!({"status": "running", "started_at": scene.clock()}),
                );
            }),
        )
        .people(5)
        .bots(14, &[&SYSTEM])
        .when(|state| !is(state, "scan.status", "running"))
        .then(&[
            Then::new(860, (60, 900), "service:ai_scan_complete", By::Bot(&SYSTEM)),
            Then::new(110, (60, 900), "service:ai_scan_fail", By::Bot(&SYSTEM)),
        ]),
        Act::new("service:ai_scan_complete", Effect::Edit(finish_scan))
            .when(|state| is(state, "scan.status", "running"))
            .then(&[
                Then::new(400, (1_800, 40_000), "service:ai_scan_apply", By::Colleague),
                Then::new(
                    300,
                    (1_800, 40_000),
                    "service:ai_scan_dismiss",
                    By::Colleague,
                ),
            ]),
        Act::new(
            "service:ai_scan_fail",
            Effect::Edit(|state, scene| {
                put(state, "scan.status", "failed");
                scene.outcome = Outcome::Failure;
                scene.note = Some("the model's provider answered 529 for ten minutes".to_owned());
            }),
        )
        .when(|state| is(state, "scan.status", "running")),
        Act::new(
            "service:ai_scan_apply",
            Effect::Edit(|state, _| put(state, "scan.status", "applied")),
        )
        .when(|state| is(state, "scan.status", "completed"))
        .notes(
            400,
            &[
                "took the first two suggestions",
                "good catch, the header was missing",
            ],
        ),
        Act::new(
            "service:ai_scan_dismiss",
            Effect::Edit(|state, _| put(state, "scan.status", "dismissed")),
        )
        .when(|state| is(state, "scan.status", "completed"))
        .notes(
            600,
            &[
                "test code",
                "known, see the threat model",
                "not reachable from outside",
            ],
        ),
        Act::new("service:delete", Effect::Delete)
            .people(12)
            .admin()
            .notes(
                800,
                &[
                    "no traffic for a month",
                    "replaced by the gateway",
                    "spike is over",
                ],
            ),
    ],
};

fn has_domains(state: &Object) -> bool {
    get(state, "domains")
        .as_array()
        .is_some_and(|all| !all.is_empty())
}

fn service(scene: &mut Scene, name: &str) -> Object {
    object!({
        "region": scene.pick(&["eu-north-1", "eu-north-1", "eu-central-1", "us-east-1"]),
        "runtime": scene.pick(&["rust-1.91", "node-24.9", "python-3.13", "jvm-25"]),
        "memory_mb": 1_024,
        "scaling": {"min": scene.dice.between(1, 4), "max": 12, "target_cpu_percent": 65},
        "health_check": {"path": "/healthz", "interval_seconds": 10, "failures": 3},
        "labels": [scene.pick(&["tier-1", "tier-2", "tier-3"]), name.split('-').next().unwrap_or(name)],
        "owner": scene.owner(),
    })
}

fn reconfigure(state: &mut Object, scene: &mut Scene) {
    match scene.dice.below(7) {
        0 | 1 => {
            let old = number(state, "memory_mb");
            tune(
                state,
                scene,
                "memory_mb",
                &[512, 1_024, 1_536, 2_048, 4_096],
            );
            if number(state, "memory_mb") > old {
                scene.says(&[
                    "restarted twice since Monday",
                    "the import needs it",
                    "sale on Thursday",
                ]);
            } else {
                scene.says(&["never used more than half", "agreed in the capacity review"]);
            }
        }
        2 => {
            scene.says(&[
                "sale on Thursday",
                "agreed in the capacity review",
                "scaled too late last night",
            ]);
            tune(state, scene, "scaling.max", &[8, 12, 16, 24]);
            tune(
                state,
                scene,
                "scaling.target_cpu_percent",
                &[55, 60, 65, 70, 80],
            );
        }
        3 => {
            tune(
                state,
                scene,
                "health_check.interval_seconds",
                &[5, 10, 15, 30],
            );
            scene.says(&["flapped during deployments", "as the runbook says"]);
        }
        4 => {
            let name = text(state, "runtime")
                .split('-')
                .next()
                .unwrap_or("")
                .to_owned();
            let releases: &[&str] = match name.as_str() {
                "rust" => &["rust-1.91", "rust-1.92", "rust-1.93", "rust-1.94"],
                "node" => &["node-24.9", "node-24.11", "node-24.13", "node-26.0"],
                "python" => &["python-3.13", "python-3.14", "python-3.14.2"],
                _ => &["jvm-25", "jvm-25.0.2", "jvm-26"],
            };
            advance(state, "runtime", releases);
        }
        5 => toggle(
            state,
            scene,
            "labels",
            &["pci", "gdpr", "on-call", "public", "batch"],
        ),
        _ => {
            let owner = scene.colleague();
            scene.concerns(owner);
            put(state, "owner", owner.email());
        }
    }
}

fn finish_scan(state: &mut Object, scene: &mut Scene) {
    let findings: Vec<Value> = [
        ("outdated-dependency", "low"),
        ("missing-security-header", "medium"),
        ("unbounded-query", "medium"),
        ("personal-data-in-log", "high"),
    ]
    .iter()
    .filter(|_| scene.dice.chance(450))
    .map(|(rule, severity)| json!({"id": rule, "severity": severity}))
    .collect();
    put(state, "scan.status", "completed");
    put(state, "scan.findings", findings);
}

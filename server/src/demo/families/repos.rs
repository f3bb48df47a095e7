//! Repositories of code and of artifacts.

use crate::demo::{
    bots::{CI, GITHUB, NIGHTLY_QA, ONBOARDING, SYSTEM, TRIAGE},
    people::Team,
    scene::{Scene, choose, flip, is, number, object, put, text, toggle, tune},
    world::{Act, Effect, Kind},
};
use domain::event::{Object, Outcome};
use serde_json::json;

/// A repository that agents work in.
pub static REPO: Kind = Kind {
    name: "workspace_repo",
    prefix: "repo",
    share: [100, 35],
    teams: &[Team::Platform, Team::Product],
    whole: false,
    stock: 10,
    most: 40,
    fleeting: false,
    titled: |scene| {
        format!(
            "acme/{}",
            scene.pick(&[
                "storefront",
                "platform",
                "infra",
                "data-models",
                "mobile",
                "docs",
                "ledger",
                "pricing",
                "search",
                "design-system",
                "partner-sdk",
                "crm-sync",
                "invoices",
                "email-templates",
                "load-tests",
                "runbooks",
                "identity",
                "media",
                "warehouse",
            ]),
        )
    },
    state: |scene, _| {
        object!({
            "default_branch": "main",
            "visibility": "private",
            "protection": {"required_reviews": 1, "linear_history": false, "checks": ["build"]},
            "agents": [scene.pick(&["Triage routine", "Release assistant"])],
            "labels": ["active"],
        })
    },
    acts: &[
        Act::new("REPO_ONBOARDED", Effect::Create)
            .people(8)
            .bots(3, &[&ONBOARDING]),
        Act::new(
            "REPOSITORY_RUN_CLAIM",
            Effect::Edit(|state, scene| {
                let by = scene.who.actor().name.unwrap_or_default();
                let run = format!("run_{}", scene.dice.hex(8));
                scene.tell("schedule", "0 2 * * *");
                put(
                    state,
                    "claimed_run",
                    json!({"id": run, "by": by, "at": scene.clock()}),
                );
            }),
        )
        .bots(70, &[&TRIAGE, &NIGHTLY_QA]),
        Act::new("repo:update", Effect::Edit(protect))
            .people(26)
            .fails(
                25,
                &[(
                    Outcome::Denied,
                    "only maintainers may change branch protection",
                )],
            ),
        Act::new(
            "REPO_ACCESS_UPDATED",
            Effect::Edit(|state, scene| {
                toggle(
                    state,
                    scene,
                    "agents",
                    &[
                        "Triage routine",
                        "Release assistant",
                        "Nightly QA routine",
                        "Data steward",
                    ],
                );
            }),
        )
        .people(12)
        .bots(4, &[&GITHUB]),
        Act::new(
            "repo:archive",
            Effect::Edit(|state, _| put(state, "visibility", "archived")),
        )
        .people(12)
        .admin()
        .when(|state| !is(state, "visibility", "archived"))
        .last(),
        Act::new("REPO_OFFBOARDED", Effect::Delete)
            .people(16)
            .admin(),
    ],
};

fn protect(state: &mut Object, scene: &mut Scene) {
    match scene.dice.below(4) {
        0 => {
            tune(state, scene, "protection.required_reviews", &[0, 1, 2]);
            scene.says(match number(state, "protection.required_reviews") {
                0 => &[
                    "bots merge their own updates here",
                    "until the hotfix is out",
                ],
                1 => &["back to one"],
                _ => &["two reviews, as the audit asked"],
            });
        }
        1 => flip(state, "protection.linear_history"),
        2 => toggle(
            state,
            scene,
            "labels",
            &["active", "tier-1", "frozen", "inner-source"],
        ),
        _ => choose(
            state,
            scene,
            "default_branch",
            &["main", "trunk", "develop"],
        ),
    }
}

/// The version after one: mostly a patch, at times a minor or a major one.
fn next_version(version: &str, drawn: i64) -> String {
    let mut numbers = version
        .split('.')
        .map(|number| number.parse().unwrap_or(0_u32));
    let [major, minor, patch] = [(); 3].map(|()| numbers.next().unwrap_or(0));
    match drawn {
        0 if minor > 9 => format!("{}.0.0", major + 1),
        0..=2 => format!("{major}.{}.0", minor + 1),
        _ => format!("{major}.{minor}.{}", patch + 1),
    }
}

/// Where builds put what they make.
pub static ARTIFACT_REPO: Kind = Kind {
    name: "artifact_repo",
    prefix: "art",
    share: [100, 30],
    teams: &[Team::Platform],
    whole: false,
    stock: 5,
    most: 16,
    fleeting: false,
    titled: |scene| {
        format!(
            "{}-{}",
            scene.pick(&["docker", "npm", "maven", "helm", "pypi"]),
            scene.pick(&["releases", "snapshots", "mirror", "internal"])
        )
    },
    state: |_, name| {
        object!({
            "format": name.split('-').next().unwrap_or(name),
            "public": false,
            "keep_versions": 30,
            "readers": ["ci-deploy"],
            "latest": "1.0.0",
        })
    },
    acts: &[
        Act::new("ARTIFACT_REPO_CONNECTED", Effect::Create).people(8),
        Act::new(
            "ARTIFACT_REPO_UPDATED",
            Effect::Edit(|state, scene| {
                if scene.dice.chance(500) {
                    tune(state, scene, "keep_versions", &[10, 30, 60, 100]);
                } else {
                    toggle(
                        state,
                        scene,
                        "readers",
                        &["ci-deploy", "terraform", "partner-sdk", "everyone"],
                    );
                }
            }),
        )
        .people(14),
        Act::new(
            "ARTIFACT_PUBLISHED",
            Effect::Edit(|state, scene| {
                let version = next_version(text(state, "latest"), scene.dice.below(10));
                put(state, "latest", version);
                let digest = format!("sha256:{}", scene.dice.hex(12));
                scene.tell("digest", digest);
            }),
        )
        .bots(70, &[&CI]),
        Act::new("ARTIFACT_REPO_REMOVED", Effect::Delete)
            .people(5)
            .bots(1, &[&SYSTEM]),
    ],
};

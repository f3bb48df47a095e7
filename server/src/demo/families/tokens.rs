//! API tokens, API keys, and signing in to the applications.

use crate::demo::{
    bots::{ONBOARDING, SYSTEM},
    people::Team,
    scene::{Scene, is, object, put, toggle, tune},
    world::{Act, Effect, Kind},
};
use domain::event::{Object, Outcome};

/// Why a member gets no token.
const MEMBERS_MAY_NOT: &str = "members may not create tokens";

/// What a program shows instead of a password.
pub static API_TOKEN: Kind = Kind {
    name: "api_token",
    prefix: "tok",
    share: [100, 60],
    teams: &[Team::Platform, Team::Data, Team::Lead],
    whole: false,
    stock: 14,
    most: 80,
    fleeting: false,
    titled: token_name,
    state: token,
    acts: &[
        Act::new("API_TOKEN_CREATED", Effect::Create)
            .people(26)
            .admin()
            .fails(
                20,
                &[(
                    Outcome::Failure,
                    "the expiry lies beyond the 365 days that the policy allows",
                )],
            ),
        Act::new("TOKEN_MINTED", Effect::Create).bots(16, &[&ONBOARDING, &SYSTEM]),
        Act::new("API_TOKEN_ROTATED", Effect::Edit(rotate))
            .people(20)
            .admin()
            .bots(12, &[&SYSTEM])
            .when(is_active)
            .notes(
                250,
                &["before it expires", "printed by a script", "new owner"],
            ),
        Act::new(
            "API_TOKEN_UPDATED",
            Effect::Edit(|state, scene| toggle(state, scene, "scopes", SCOPES)),
        )
        .people(14)
        .admin()
        .when(is_active)
        .notes(
            150,
            &["needs to write since Tuesday", "reads only, as agreed"],
        ),
        Act::new(
            "API_TOKEN_EXPIRED",
            Effect::Edit(|state, _| put(state, "status", "expired")),
        )
        .bots(14, &[&SYSTEM])
        .when(is_active)
        .last(),
        Act::new(
            "API_TOKEN_REVOKED",
            Effect::Edit(|state, _| put(state, "status", "revoked")),
        )
        .people(12)
        .admin()
        .when(is_active)
        .notes(
            400,
            &[
                "unused for 90 days",
                "found in a public repo",
                "owner has moved on",
            ],
        )
        .last(),
    ],
};

const SCOPES: &[&str] = &[
    "read-workspace",
    "write-deployments",
    "read-secrets",
    "write-data",
    "read-reports",
    "write-pipelines",
];

/// None is named as the token of the story, so that who asks for that one finds it alone.
fn token_name(scene: &mut Scene) -> String {
    format!(
        "{}-{}",
        scene.pick(&[
            "build", "export", "grafana", "dbt", "zapier", "backup", "mobile", "partner", "local"
        ]),
        scene.pick(&[
            "prod", "staging", "reader", "deploy", "sync", "import", "emea", "test"
        ]),
    )
}

fn is_active(state: &Object) -> bool {
    is(state, "status", "active")
}

fn token(scene: &mut Scene, name: &str) -> Object {
    let scope = scene.pick(SCOPES);
    object!({
        "name": name,
        "status": "active",
        "scopes": [scope],
        "last_four": scene.dice.hex(4),
        "expires_on": scene.day(90),
        "owner": scene.owner(),
    })
}

fn rotate(state: &mut Object, scene: &mut Scene) {
    put(state, "last_four", scene.dice.hex(4));
    put(state, "expires_on", scene.day(90));
}

/// A partner's key to one API.
pub static API_KEY: Kind = Kind {
    name: "api_key",
    prefix: "key",
    share: [40, 100],
    teams: &[Team::Finance, Team::Revenue, Team::Platform],
    whole: false,
    stock: 8,
    most: 50,
    fleeting: false,
    titled: |scene| {
        format!(
            "{} {}",
            scene.pick(&[
                "Nordic Freight",
                "Bankly",
                "Ledgerline",
                "Palmetto",
                "Kestrel",
                "Hafen"
            ]),
            scene.pick(&["production", "sandbox", "reporting"]),
        )
    },
    state: |scene, name| {
        object!({
            "name": name,
            "status": "active",
            "api_key": scene.dice.hex(32),
            "rate_limit": {"per_minute": 120, "burst": 40},
            "allowed_ips": [format!("192.0.2.{}", scene.dice.between(120, 250))],
        })
    },
    acts: &[
        Act::new("API_KEY_CREATED", Effect::Create)
            .people(45)
            .admin()
            .fails(15, &[(Outcome::Denied, MEMBERS_MAY_NOT)]),
        Act::new(
            "API_KEY_UPDATED",
            Effect::Edit(|state, scene| {
                tune(state, scene, "rate_limit.per_minute", &[60, 120, 240, 600]);
            }),
        )
        .people(10)
        .when(is_active),
        Act::new(
            "API_KEY_DEACTIVATED",
            Effect::Edit(|state, _| put(state, "status", "inactive")),
        )
        .people(20)
        .admin()
        .bots(3, &[&SYSTEM])
        .when(is_active)
        .notes(
            500,
            &[
                "the partner has left",
                "no request for half a year",
                "key was mailed in clear",
            ],
        )
        .last(),
    ],
};

/// Somebody's way into the applications.
pub static SESSION: Kind = Kind {
    name: "session",
    prefix: "ses",
    share: [100, 100],
    teams: &[],
    whole: false,
    stock: 0,
    most: 40,
    fleeting: true,
    titled: |scene| {
        scene
            .who
            .person()
            .map_or("session", |person| person.name)
            .to_owned()
    },
    state: |scene, _| {
        object!({
            "method": scene.pick(&["sso", "sso", "sso", "password"]),
            "second_factor": scene.pick(&["passkey", "passkey", "totp"]),
            "device": scene.pick(&["laptop", "laptop", "laptop", "phone"]),
        })
    },
    acts: &[
        Act::new("USER_LOGGED_IN", Effect::Create).people(60).fails(
            40,
            &[
                (Outcome::Failure, "wrong second factor"),
                (Outcome::Failure, "the passkey belongs to another account"),
                (Outcome::Denied, "sign-in from this country is not allowed"),
            ],
        ),
        Act::new("SESSION_REVOKED", Effect::Delete)
            .people(14)
            .admin()
            .notes(500, &["lost phone", "signed in on a meeting room's screen"]),
    ],
};

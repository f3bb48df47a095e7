//! Who reaches what: every address of the server, asked by everybody there is. What each is answered
//! is a table beside this file, to be read by whoever changes it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod exceptions;
mod people;
mod requests;

use super::{ServeConfig, router::router};
use crate::sign_in::{
    Ways,
    oidc::{Provider, Registration},
};
use app::App;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Method, Request, header},
};
use exceptions::WITHOUT_EVENT;
use http_body_util::BodyExt;
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list;
use metrics_exporter_prometheus::PrometheusBuilder;
use people::{Actor, Installation};
use requests::{Asked, REQUESTS};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::{self, Write as _},
    fs,
    net::SocketAddr,
    path::Path,
    sync::Arc,
};
use store::{Store, sign_on::GroupRoles};
use tower::ServiceExt;

/// Write the table anew instead of comparing: then look at what changed.
const WRITE: &str = "DAYBOOK_WRITE_SNAPSHOTS";
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/access/table.txt");

/// Every address that the server knows, with its method: the pages, the functions of the pages, the
/// operations of the API, and what is written in the source as a route of its own.
fn addresses() -> BTreeSet<String> {
    let pages = generate_route_list(App);
    let mut found: BTreeSet<String> = pages
        .iter()
        .map(|page| format!("GET {}", page.path()))
        .collect();
    found.extend(server_fn_paths().map(|(path, method)| format!("{method} {path}")));
    let (_, document) = crate::api::operations().split_for_parts();
    let document = serde_json::to_value(document).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            found.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    written(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut found,
    );
    found
}

/// The routes written in the source files under a folder.
fn written(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            written(&path, found);
            continue;
        }
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        // So that these two words are not found in this file.
        let mark = concat!(".rou", "te(");
        for rest in source.split(mark).skip(1) {
            let mut parts = rest.splitn(3, '"');
            let (_, Some(address), Some(handler)) = (parts.next(), parts.next(), parts.next())
            else {
                panic!(
                    "{}: a route whose address is not written there",
                    path.display()
                );
            };
            let method = handler
                .trim_start_matches(|letter: char| !letter.is_ascii_alphabetic())
                .split('(')
                .next()
                .unwrap();
            found.insert(format!("{} {address}", method.to_uppercase()));
        }
    }
}

/// What somebody was answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Answered {
    status: u16,
    leads_to: String,
    /// What a page's function refuses for, which is no status of HTTP.
    refused: String,
    /// The actions that were recorded meanwhile.
    told: Vec<String>,
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.leads_to.is_empty() {
            write!(f, " to {}", self.leads_to)?;
        }
        if !self.refused.is_empty() {
            write!(f, " {}", self.refused)?;
        }
        if !self.told.is_empty() {
            write!(f, ", {}", self.told.join(" "))?;
        }
        Ok(())
    }
}

fn server(store: &Store) -> Router {
    let provider = Provider::new(Registration {
        // Where nobody listens: it is down.
        issuer: "http://127.0.0.1:9".parse().unwrap(),
        client_id: "daybook".to_owned(),
        client_secret: None,
        public_url: "http://daybook.test".parse().unwrap(),
        groups_claim: "groups".to_owned(),
        roles: GroupRoles::default(),
    });
    let config = Arc::new(ServeConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        public_url: None,
        trusted_proxies: Vec::new(),
        metrics_token: None,
        sign_in: Ways::Both(Arc::new(provider.unwrap())),
    });
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    router(store, &config, metrics).unwrap()
}

/// Sends a request for somebody; what is recorded meanwhile is not known yet.
async fn ask(server: &Router, asked: &Asked, actor: Actor, place: &Installation) -> Answered {
    let mut request = Request::builder()
        .method(asked.method())
        .uri(place.filled(asked.uri))
        .header(header::HOST, "daybook.test")
        .header(header::ACCEPT, asked.accepts());
    for (name, value) in actor.headers(place) {
        request = request.header(name, value);
    }
    if !asked.body.is_empty() {
        request = request.header(header::CONTENT_TYPE, asked.media_type());
    }
    let mut request = request.body(Body::from(place.filled(asked.body))).unwrap();
    // Not from this machine, to which more is told.
    let from = SocketAddr::from(([192, 0, 2, 7], 4_711));
    request.extensions_mut().insert(ConnectInfo(from));
    let answer = server.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let leads_to = answer
        .headers()
        .get(header::LOCATION)
        .map(|location| place.named(location.to_str().unwrap()))
        .unwrap_or_default();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body);
    for secret in actor.hidden() {
        assert!(
            !text.contains(secret),
            "{asked}: {actor} is told of the {secret}"
        );
    }
    let refused = match serde_json::from_str(&text) {
        Ok(Value::Object(answer)) if asked.is_of_a_page() => match answer.get("Err") {
            Some(Value::Object(refusal)) => refusal.keys().next().cloned().unwrap_or_default(),
            Some(refusal) => refusal.as_str().unwrap_or_default().to_owned(),
            None => String::new(),
        },
        _ => String::new(),
    };
    Answered {
        status,
        leads_to,
        refused,
        told: Vec::new(),
    }
}

/// Everybody's answer to everything, each as if nothing had been asked before: where something was
/// recorded, what is asked next is asked of another copy.
async fn answers(place: &Installation) -> BTreeMap<String, BTreeMap<Answered, Vec<Actor>>> {
    let mut table: BTreeMap<String, BTreeMap<Answered, Vec<Actor>>> = BTreeMap::new();
    let reading = place.copy().await;
    let mut changing = place.copy().await;
    for actor in Actor::ALL {
        for asked in REQUESTS {
            let answered = if asked.method() == Method::GET {
                ask(&server(&reading.store), asked, actor, place).await
            } else {
                let before = changing.head().await;
                let mut answered = ask(&server(&changing.store), asked, actor, place).await;
                answered.told = changing.told_after(before).await;
                if changing.head().await != before {
                    changing.close().await;
                    changing = place.copy().await;
                }
                answered
            };
            table
                .entry(asked.to_string())
                .or_default()
                .entry(answered)
                .or_default()
                .push(actor);
        }
    }
    reading.close().await;
    changing.close().await;
    table
}

/// Who they are; most of all there are as who is left.
fn together(actors: &[Actor]) -> String {
    if actors.len() == Actor::ALL.len() {
        return "everybody".to_owned();
    }
    if actors.len() > Actor::ALL.len() / 2 {
        return "everybody else".to_owned();
    }
    let names: Vec<_> = actors.iter().map(ToString::to_string).collect();
    names.join(", ")
}

#[tokio::test]
async fn everybody_reaches_what_is_theirs_and_nothing_else() {
    let asked: BTreeSet<String> = REQUESTS
        .iter()
        .map(|asked| asked.route.to_owned())
        .collect();
    let known = addresses();
    let unasked: Vec<_> = known.difference(&asked).collect();
    assert!(
        unasked.is_empty(),
        "in nobody's table (requests.rs): {unasked:#?}"
    );
    let gone: Vec<_> = asked.difference(&known).collect();
    assert!(
        gone.is_empty(),
        "asked, and no address of the server: {gone:#?}"
    );

    let place = Installation::new().await;
    let table = answers(&place).await;
    let mut text = String::from(
        "What everybody is answered. Written by the tests with DAYBOOK_WRITE_SNAPSHOTS=1; every line \
         that changes is to be read.\n",
    );
    for (asked, answers) in &table {
        writeln!(text, "\n{asked}").unwrap();
        for (answered, actors) in answers {
            writeln!(text, "    {answered}: {}", together(actors)).unwrap();
        }
    }
    if env::var_os(WRITE).is_some() {
        fs::write(TABLE, &text).unwrap();
    }
    let expected = fs::read_to_string(TABLE).unwrap_or_default();
    assert_eq!(
        text, expected,
        "the table has changed: read what did, then write it anew"
    );

    // Nothing changes without an event that tells of it.
    for asked in REQUESTS {
        if asked.method() == Method::GET {
            continue;
        }
        let told = table[&asked.to_string()]
            .keys()
            .any(|answered| !answered.told.is_empty());
        let excepted = WITHOUT_EVENT
            .iter()
            .any(|(request, _)| *request == asked.to_string());
        assert_ne!(
            told, excepted,
            "{asked}: it tells, or it is an exception with its reason"
        );
    }
}

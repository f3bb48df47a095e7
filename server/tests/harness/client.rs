//! Somebody who speaks to the server over HTTP.

use super::PASSWORD;
use serde_json::Value;
use std::{io::Read, time::Duration};
use ureq::{
    Agent,
    http::{HeaderMap, Request},
};

/// Somebody who speaks to the server; a copy of it shares its connections.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    headers: Vec<(String, String)>,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// Somebody whom the server does not know yet.
    pub fn new(base: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_mins(2)))
            .build()
            .into();
        Self {
            agent,
            base: base.to_owned(),
            headers: Vec::new(),
        }
    }

    /// The same, with connections of its own.
    pub fn apart(&self) -> Self {
        self.at(&self.base)
    }

    /// The same, at another server's address.
    pub fn at(&self, base: &str) -> Self {
        Self {
            headers: self.headers.clone(),
            ..Self::new(base)
        }
    }

    /// The same, with an API token.
    pub fn with_token(&self, secret: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {secret}"))
    }

    /// The same, with one more header.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The server's address: `http://127.0.0.1:4711`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks for an address.
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap()
    }

    /// Asks for an address of a server that may be gone.
    ///
    /// # Errors
    ///
    /// There was no answer.
    pub fn try_get(&self, path: &str) -> Result<Answer, ureq::Error> {
        let request = self.request("GET", path).body(()).unwrap();
        Answer::of(self.agent.run(request)?)
    }

    /// Asks for an address, and takes the answer bit by bit.
    pub fn open(&self, path: &str) -> impl Read + use<> {
        let request = self.request("GET", path).body(()).unwrap();
        let answer = self.agent.run(request).unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body().into_reader()
    }

    /// Sends a body.
    pub fn post(&self, path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.try_post(path, media_type, body).unwrap()
    }

    /// Sends a body to a server that may be gone.
    ///
    /// # Errors
    ///
    /// There was no answer.
    pub fn try_post(
        &self,
        path: &str,
        media_type: &str,
        body: impl Into<Vec<u8>>,
    ) -> Result<Answer, ureq::Error> {
        let request = self
            .request("POST", path)
            .header("content-type", media_type)
            .body(body.into())
            .unwrap();
        Answer::of(self.agent.run(request)?)
    }

    /// Sends events: one object, or an array of them.
    pub fn send(&self, events: &Value) -> Answer {
        self.post("/api/v1/events", "application/json", events.to_string())
    }

    /// Sends events as text.
    pub fn send_text(&self, text: impl Into<Vec<u8>>) -> Answer {
        self.post("/api/v1/events", "application/json", text)
    }

    /// Sends events, one a line.
    pub fn send_lines(&self, lines: impl Into<Vec<u8>>) -> Answer {
        self.post("/api/v1/events", "application/x-ndjson", lines)
    }

    /// Puts a JSON document.
    pub fn put(&self, path: &str, document: &Value) -> Answer {
        let request = self
            .request("PUT", path)
            .header("content-type", "application/json")
            .body(document.to_string())
            .unwrap();
        Answer::of(self.agent.run(request).unwrap()).unwrap()
    }

    /// Sends a form.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.post(path, "application/x-www-form-urlencoded", form)
    }

    /// Tries to sign in.
    pub fn try_sign_in(&self, email: &str, password: &str, next: &str) -> Answer {
        let fields = [("email", email), ("password", password), ("next", next)];
        self.form("/login", &fields)
    }

    /// The same client, signed in with the password of all.
    #[track_caller]
    pub fn signed_in(&self, email: &str) -> Self {
        let answer = self.try_sign_in(email, PASSWORD, "");
        let cookie = answer.expect(303).session().expect("a session");
        self.with_header("cookie", &cookie)
    }

    fn request(&self, method: &str, path: &str) -> ureq::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }
}

impl Answer {
    fn of(response: ureq::http::Response<ureq::Body>) -> Result<Self, ureq::Error> {
        let (parts, mut body) = response.into_parts();
        Ok(Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.with_config().limit(256 * 1024 * 1024).read_to_vec()?,
        })
    }

    /// The same, where it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error} in the {} answer {}", self.status, self.text());
        })
    }

    /// A header; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The cookie that signs in, as a browser sends it back; none where there is none.
    pub fn session(&self) -> Option<String> {
        let cookie = self.header("set-cookie").split(';').next()?;
        let (_, secret) = cookie.split_once('=')?;
        (!secret.is_empty()).then(|| cookie.to_owned())
    }

    /// The faults of a refused request: index, field, reason.
    #[track_caller]
    pub fn errors(&self) -> Vec<(u64, String, String)> {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(
            problem["type"].is_string() && problem["title"].is_string(),
            "{problem}"
        );
        let errors = problem["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("{problem}"));
        errors
            .iter()
            .map(|error| {
                let index = error["index"].as_u64().unwrap();
                (index, text(&error["field"]), text(&error["reason"]))
            })
            .collect()
    }

    /// The ids of what was recorded, in the order sent.
    #[track_caller]
    pub fn ids(&self) -> Vec<String> {
        self.json()["events"]
            .as_array()
            .unwrap_or_else(|| panic!("no events in {}", self.text()))
            .iter()
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

//! Witnesses on the web. Where they are is said by the operator alone; no redirect leads elsewhere, what
//! they answer is read as far as it is of use, and shown to nobody.

use data_encoding::BASE64;
use domain::{
    leaf::Hash,
    proof::{Checkpoint, NoteSignature, WitnessKey},
};
use reqwest::{Client, RequestBuilder, StatusCode, header, redirect::Policy};
use serde_json::json;
use std::time::Duration;
use store::{
    Store, StoreError,
    access::Secret,
    proof::witness::{Outcome, ToWitness, Witness},
};

/// How long a connection may take.
const CONNECTION_MOST: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER_MOST: Duration = Duration::from_secs(10);
/// So much of an answer is read.
const READ_MOST: usize = 64 * 1024;
/// So often a witness is asked that says that it holds another size.
const TIMES: usize = 3;

/// Who speaks to witnesses on the web.
#[derive(Clone, Debug)]
pub struct Web(Client);

/// What was answered.
struct Answer {
    status: StatusCode,
    body: String,
}

impl Web {
    /// Somebody who speaks to them by `https`, as the system's certificates say.
    ///
    /// # Errors
    ///
    /// The system's certificates cannot be read.
    pub fn new() -> Result<Self, String> {
        let client = Client::builder()
            .user_agent(concat!("daybook/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECTION_MOST)
            .timeout(ANSWER_MOST)
            .build();
        client.map(Self).map_err(|error| error.to_string())
    }

    /// Sends a checkpoint as a request's body.
    pub async fn post(&self, address: &str, checkpoint: &ToWitness) -> Outcome {
        let request = self
            .0
            .post(address)
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(checkpoint.note.to_string());
        taken(ask(request).await)
    }

    /// Has another Daybook record a checkpoint as an event, once.
    pub async fn record(&self, address: &str, token: &Secret, checkpoint: &ToWitness) -> Outcome {
        let ToWitness {
            origin,
            note,
            size,
            slug,
            ..
        } = checkpoint;
        let event = json!({
            "action": "CHECKPOINT_WITNESSED",
            "actor": { "kind": "system", "name": "Daybook" },
            "target": { "kind": "audit_log", "id": origin.as_str(), "name": slug.as_str() },
            "description": format!("The log of {slug} has {size} entries, which this was signed of."),
            "metadata": { "checkpoint": note.to_string(), "size": size },
            "idempotency_key": key_of(checkpoint),
        });
        let request = self
            .0
            .post(format!("{}/api/v1/events", address.trim_end_matches('/')))
            .bearer_auth(token.reveal())
            .header(header::CONTENT_TYPE, "application/json")
            .body(event.to_string());
        taken(ask(request).await)
    }

    /// Has a witness that speaks C2SP `tlog-witness` cosign a checkpoint; a newer one, where another server
    /// brought it one meanwhile.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn cosign(
        &self,
        store: &Store,
        witness: &Witness,
        (address, key): (&str, &WitnessKey),
        checkpoint: &mut ToWitness,
    ) -> Result<Outcome, StoreError> {
        let mut from = checkpoint.held;
        // It may hold more, or less, than we know of, and says so: then once more from there.
        for _ in 0..TIMES {
            let Some(path) = store.growth_between(checkpoint, from).await? else {
                return Ok(Outcome::Ahead(from));
            };
            let body = add_checkpoint(from, &path, checkpoint);
            let request = self
                .0
                .post(format!("{}/add-checkpoint", address.trim_end_matches('/')))
                .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
                .body(body);
            let answer = match ask(request).await {
                Ok(answer) => answer,
                Err(fault) => return Ok(Outcome::Failed(fault)),
            };
            match answer.status {
                StatusCode::OK => return Ok(cosigned(key, checkpoint, &answer.body)),
                StatusCode::CONFLICT => match size(&answer.body) {
                    // It holds as many, and not these.
                    Some(theirs) if theirs == from && theirs == checkpoint.size => {
                        return Ok(Outcome::Ahead(theirs));
                    }
                    Some(theirs) => {
                        if theirs > checkpoint.size {
                            let newest = store.newest_to_witness(witness, checkpoint).await?;
                            match newest.filter(|newest| newest.size >= theirs) {
                                Some(newest) => *checkpoint = newest,
                                None => return Ok(Outcome::Ahead(theirs)),
                            }
                        }
                        from = theirs;
                    }
                    None => {
                        return Ok(Outcome::Failed(
                            "it answered 409 without the size that it holds".to_owned(),
                        ));
                    }
                },
                // What leads from what it holds to this is no proof to it.
                StatusCode::UNPROCESSABLE_ENTITY if from > 0 => return Ok(Outcome::Ahead(from)),
                StatusCode::NOT_FOUND => {
                    return Ok(Outcome::Failed(format!(
                        "it does not know the log {}: give it the log's verifier key",
                        checkpoint.origin
                    )));
                }
                status => return Ok(Outcome::Failed(format!("it answered {status}"))),
            }
        }
        Ok(Outcome::Failed(
            "it says another size whenever it is asked".to_owned(),
        ))
    }
}

/// A request to cosign a checkpoint, which goes on from a tree of so many entries.
fn add_checkpoint(from: u64, path: &[Hash], checkpoint: &ToWitness) -> String {
    let mut body = format!("old {from}\n");
    if from > 0 {
        for hash in path {
            body.push_str(&BASE64.encode(&hash.0));
            body.push('\n');
        }
    }
    body.push('\n');
    body.push_str(&checkpoint.note.to_string());
    body
}

/// The size in an answer: digits and the end of the line.
fn size(body: &str) -> Option<u64> {
    let digits = body.strip_suffix('\n').unwrap_or(body);
    let size: u64 = digits.parse().ok()?;
    (size.to_string() == digits).then_some(size)
}

/// By which another Daybook knows a checkpoint that it recorded: by its root too, since another of as many
/// entries is just what it is to keep.
fn key_of(checkpoint: &ToWitness) -> String {
    let ToWitness {
        origin, note, size, ..
    } = checkpoint;
    match Checkpoint::try_from(note) {
        Ok(checkpoint) => format!("{origin} {size} {}", BASE64.encode(&checkpoint.root.0)),
        Err(_) => format!("{origin} {size}"),
    }
}

/// The cosignature in an answer, where one is good.
fn cosigned(key: &WitnessKey, checkpoint: &ToWitness, body: &str) -> Outcome {
    let lines: Vec<NoteSignature> = body.lines().filter_map(|line| line.parse().ok()).collect();
    match key.cosignature(&checkpoint.note.text, &lines) {
        Some(cosignature) => Outcome::Signed(Box::new(cosignature), key.clone()),
        None => Outcome::Failed(format!(
            "its answer has no good cosignature of {}",
            key.name()
        )),
    }
}

fn taken(answer: Result<Answer, String>) -> Outcome {
    match answer {
        Ok(answer) if answer.status.is_success() => Outcome::Taken,
        Ok(answer) => Outcome::Failed(format!("it answered {}", answer.status)),
        Err(fault) => Outcome::Failed(fault),
    }
}

/// Sends a request, and reads what of the answer is of use.
async fn ask(request: RequestBuilder) -> Result<Answer, String> {
    // The address may hold a secret: it is not told.
    let words = |error: reqwest::Error| {
        if error.is_timeout() {
            "it did not answer in time".to_owned()
        } else if error.is_connect() {
            "it cannot be reached".to_owned()
        } else {
            format!("its answer cannot be read: {}", error.without_url())
        }
    };
    let mut answer = request.send().await.map_err(words)?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(words)? {
        body.extend_from_slice(&piece);
        if body.len() > READ_MOST {
            return Err("its answer is too long".to_owned());
        }
    }
    Ok(Answer {
        status: answer.status(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_digits_and_nothing_else() {
        assert_eq!(size("12\n"), Some(12));
        assert_eq!(size("0\n"), Some(0));
        for odd in ["", "\n", "012\n", "-1\n", "1 2\n", "12\n\n", "+1"] {
            assert_eq!(size(odd), None, "{odd:?}");
        }
    }
}

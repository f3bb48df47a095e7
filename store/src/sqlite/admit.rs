//! What is done with an event before it waits for the writer: it is checked against its workspace,
//! redacted, and hashed, by the sender's own task.

use crate::{StoreError, keys::random};
use domain::{
    event::{FieldError, NewEvent, Source},
    leaf::{Salt, parts_hash},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An event that was let in, ready to be written.
#[derive(Debug)]
pub struct Admitted {
    pub(crate) ws: i64,
    pub(crate) tenant: i64,
    pub(crate) event: NewEvent,
    pub(crate) occurred_at: Timestamp,
    /// When it became durable, where that is not when it is written.
    pub(crate) recorded_at: Option<Timestamp>,
    pub(crate) source: Option<Source>,
    pub(crate) keep: bool,
    pub(crate) body: Option<String>,
    pub(crate) key: Option<KeyHash>,
    pub(crate) salt: Salt,
    pub(crate) parts: [u8; 32],
}

/// 128 bits that stand for an idempotency key of a workspace, in the two halves that the log keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyHash {
    pub(crate) key: i64,
    pub(crate) rest: i64,
}

/// The hash of an idempotency key: keys are unique in a workspace.
pub(crate) fn key_hash(ws: i64, key: &str) -> KeyHash {
    let hash = Sha256::new()
        .chain_update(ws.to_be_bytes())
        .chain_update(key)
        .finalize();
    let half = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash[at..at + 8]);
        i64::from_be_bytes(bytes)
    };
    KeyHash {
        key: half(0),
        rest: half(8),
    }
}

/// What of an event is read only when it is shown.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Body {
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<String>,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<domain::event::Object>,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<domain::event::Object>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<domain::event::Object>,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<domain::event::Object>,
}

impl Body {
    /// Takes an event's out of it.
    pub(crate) fn taken_from(event: &mut NewEvent) -> Self {
        Self {
            description: event.description.take(),
            idempotency_key: event.idempotency_key.take(),
            before: event.before.take(),
            after: event.after.take(),
            metadata: event.metadata.take(),
            context: event.context.take(),
        }
    }

    /// The text that is kept; none where there is nothing in it.
    pub(crate) fn text(&self) -> Result<Option<String>, StoreError> {
        if self.is_empty() {
            return Ok(None);
        }
        let text = serde_json::to_string(self);
        text.map(Some)
            .map_err(|error| StoreError::Database(error.to_string()))
    }

    fn is_empty(&self) -> bool {
        self.description.is_none()
            && self.idempotency_key.is_none()
            && self.before.is_none()
            && self.after.is_none()
            && self.metadata.is_none()
            && self.context.is_none()
    }
}

impl Admitted {
    /// An event as it will be recorded. `now` is when it occurred, where it does not say.
    pub(crate) fn new(
        ws: i64,
        tenant: i64,
        mut event: NewEvent,
        source: Option<Source>,
        now: Timestamp,
    ) -> Result<Self, Vec<FieldError>> {
        let salt = random::<16>().map_err(|error| fault("", &error.to_string()))?;
        let salt = Salt(salt);
        let parts = parts_hash(&event, source, &salt).0;
        let occurred_at = event.occurred_at.unwrap_or(now);
        let key = event
            .idempotency_key
            .as_deref()
            .map(|key| key_hash(ws, key));
        let body = Body::taken_from(&mut event).text();
        let body = body.map_err(|error| fault("", &error.to_string()))?;
        let keep = source == Some(Source::Daybook) && never_expires(event.action.as_str());
        Ok(Self {
            ws,
            tenant,
            event,
            occurred_at,
            recorded_at: None,
            source,
            keep,
            body,
            key,
            salt,
            parts,
        })
    }

    /// How much of the queue it takes, in KiB.
    pub(crate) fn weight(&self) -> u32 {
        let bytes = 512 + self.body.as_ref().map_or(0, String::len);
        u32::try_from(bytes / 1024)
            .unwrap_or(u32::MAX)
            .saturating_add(1)
    }
}

pub(crate) fn fault(field: &str, reason: &str) -> Vec<FieldError> {
    vec![FieldError {
        field: field.to_owned(),
        reason: reason.to_owned(),
    }]
}

/// Whether Daybook's own events of an action never expire, because others are judged by them:
/// retention passes them by.
pub fn never_expires(action: &str) -> bool {
    matches!(
        action,
        "AUDIT_EVENTS_EXPIRED"
            | "AUDIT_CONTENT_ERASED"
            | "AUDIT_RECORDING_UPDATED"
            | "PLAN_UPDATED"
            | "TENANT_CREATED"
            | "WORKSPACE_CREATED"
            | "AUDIT_SIGNING_KEY_ROTATED"
            | "AUDIT_RESTORE_ACCEPTED"
    ) || action.starts_with("AUDIT_RETENTION_")
        || action.starts_with("AUDIT_HOLD_")
}

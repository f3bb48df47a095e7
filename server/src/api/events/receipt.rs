//! What a sender hears of the events of a request: where they are, or what became of each.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    event::{EventId, FieldError},
    time::Timestamp,
};
use serde::Serialize;
use store::recording::{Placed, Receipt};
use utoipa::ToSchema;

/// Where an event is in the order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlacedEvent {
    /// Its id; for a duplicate that of the event that was recorded first.
    #[schema(value_type = String, format = "uuid")]
    id: EventId,
    /// Its number in the tenant's order of arrival.
    seq: u64,
    /// When it became durable.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
}

impl From<Placed> for PlacedEvent {
    fn from(placed: Placed) -> Self {
        Self {
            id: placed.id,
            seq: placed.seq,
            recorded_at: placed.recorded_at,
        }
    }
}

/// All events of a request are durable.
#[derive(Debug, Default, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the contract's names")]
pub struct Recorded {
    /// How many were recorded now.
    recorded: usize,
    /// How many had been recorded before, by their `idempotency_key`.
    duplicates: usize,
    /// How many were discarded because the recording of their workspace is off. There only where
    /// some of a tenant token's events were discarded and others not.
    #[serde(skip_serializing_if = "Option::is_none")]
    discarded: Option<usize>,
    /// Where each of them is, in the order sent; null for one that was discarded.
    events: Vec<Option<PlacedEvent>>,
}

/// Recording is off: the events are gone.
#[derive(Debug, Serialize, ToSchema)]
pub struct Discarded {
    /// Always 0.
    recorded: usize,
    /// How many were discarded.
    discarded: usize,
}

/// What became of each event of a request whose bad ones are skipped.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Skipped {
    /// How many were recorded now.
    recorded: usize,
    /// How many had been recorded before, by their `idempotency_key`.
    duplicates: usize,
    /// How many are not valid.
    refused: usize,
    /// How many were discarded because recording is off; there only where some were.
    #[serde(skip_serializing_if = "Option::is_none")]
    discarded: Option<usize>,
    /// What became of each, in the order sent.
    results: Vec<EventResult>,
}

/// What became of one event. What does not concern it is null.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventResult {
    status: EventStatus,
    /// Its id; for a duplicate that of the event that was recorded first.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<EventId>,
    /// Its number in the tenant's order of arrival.
    seq: Option<u64>,
    /// When it became durable.
    #[schema(value_type = Option<String>, format = DateTime)]
    recorded_at: Option<Timestamp>,
    /// Refused: the first field that is wrong, as a path.
    field: Option<String>,
    /// Refused: what is wrong with it, and what is accepted.
    reason: Option<String>,
}

/// What became of one event, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventStatus {
    /// It is durable.
    Recorded,
    /// It was recorded before, by its `idempotency_key`.
    Duplicate,
    /// It is not valid.
    Refused,
    /// Recording is off.
    Discarded,
}

/// Tells that all events of a request are durable, or that recording is off.
pub fn tell_all(receipts: &[Receipt]) -> Response {
    let mut told = Recorded::default();
    let mut discarded = 0;
    for receipt in receipts {
        told.events.push(match *receipt {
            Receipt::Recorded(placed) => {
                told.recorded += 1;
                Some(placed.into())
            }
            Receipt::Duplicate(placed) => {
                told.duplicates += 1;
                Some(placed.into())
            }
            Receipt::Discarded => {
                discarded += 1;
                None
            }
        });
    }
    if discarded > 0 && discarded == receipts.len() {
        return tell_discarded(discarded);
    }
    told.discarded = (discarded > 0).then_some(discarded);
    (StatusCode::CREATED, Json(told)).into_response()
}

/// Tells what became of each event of a request whose bad ones are skipped.
pub fn tell_each(results: Vec<EventResult>) -> Response {
    let count = |status| {
        let same = |result: &&EventResult| result.status == status;
        results.iter().filter(same).count()
    };
    let discarded = count(EventStatus::Discarded);
    if discarded > 0 && discarded == results.len() {
        return tell_discarded(discarded);
    }
    let told = Skipped {
        recorded: count(EventStatus::Recorded),
        duplicates: count(EventStatus::Duplicate),
        refused: count(EventStatus::Refused),
        discarded: (discarded > 0).then_some(discarded),
        results,
    };
    (StatusCode::MULTI_STATUS, Json(told)).into_response()
}

fn tell_discarded(discarded: usize) -> Response {
    let told = Discarded {
        recorded: 0,
        discarded,
    };
    (StatusCode::ACCEPTED, Json(told)).into_response()
}

impl EventResult {
    /// What became of an event that was let in.
    pub fn of(receipt: Receipt) -> Self {
        let (status, placed) = match receipt {
            Receipt::Recorded(placed) => (EventStatus::Recorded, Some(placed)),
            Receipt::Duplicate(placed) => (EventStatus::Duplicate, Some(placed)),
            Receipt::Discarded => (EventStatus::Discarded, None),
        };
        Self {
            status,
            id: placed.map(|placed| placed.id),
            seq: placed.map(|placed| placed.seq),
            recorded_at: placed.map(|placed| placed.recorded_at),
            field: None,
            reason: None,
        }
    }

    /// An event that was not let in, and the first of its faults.
    pub fn refused(fault: Option<FieldError>) -> Self {
        let (field, reason) = fault.map(|fault| (fault.field, fault.reason)).unzip();
        Self {
            status: EventStatus::Refused,
            id: None,
            seq: None,
            recorded_at: None,
            field,
            reason,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    fn placed(seq: u64) -> Placed {
        Placed {
            id: "01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11".parse().unwrap(),
            seq,
            recorded_at: "2026-05-12T09:14:03.30122Z".parse().unwrap(),
        }
    }

    async fn told(response: Response) -> (u16, String) {
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_was_recorded_is_told_in_the_order_sent() {
        let receipts = [Receipt::Recorded(placed(7)), Receipt::Duplicate(placed(3))];
        let id = "01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11";
        let at = "2026-05-12T09:14:03.301220Z";
        assert_eq!(
            told(tell_all(&receipts)).await,
            (
                201,
                format!(
                    "{{\"recorded\":1,\"duplicates\":1,\"events\":[\
                     {{\"id\":\"{id}\",\"seq\":7,\"recorded_at\":\"{at}\"}},\
                     {{\"id\":\"{id}\",\"seq\":3,\"recorded_at\":\"{at}\"}}]}}"
                )
            )
        );
    }

    #[tokio::test]
    async fn nothing_sent_is_nothing_recorded() {
        let nothing = "{\"recorded\":0,\"duplicates\":0,\"events\":[]}";
        assert_eq!(told(tell_all(&[])).await, (201, nothing.to_owned()));
    }

    #[tokio::test]
    async fn while_recording_is_off_all_are_counted_as_discarded() {
        let discarded = "{\"recorded\":0,\"discarded\":2}";
        let receipts = [Receipt::Discarded, Receipt::Discarded];
        assert_eq!(told(tell_all(&receipts)).await, (202, discarded.to_owned()));
        let results = receipts.map(EventResult::of).into();
        assert_eq!(told(tell_each(results)).await, (202, discarded.to_owned()));
    }

    #[tokio::test]
    async fn a_skipped_event_is_told_beside_the_others() {
        let fault = FieldError {
            field: "action".to_owned(),
            reason: "is missing".to_owned(),
        };
        let results = vec![
            EventResult::refused(Some(fault)),
            EventResult::of(Receipt::Recorded(placed(1))),
        ];
        let (status, text) = told(tell_each(results)).await;
        assert_eq!(status, 207);
        assert!(
            text.starts_with(
                "{\"recorded\":1,\"duplicates\":0,\"refused\":1,\"results\":[\
                 {\"status\":\"refused\",\"id\":null,\"seq\":null,\"recorded_at\":null,\
                 \"field\":\"action\",\"reason\":\"is missing\"},{\"status\":\"recorded\",\"id\":\""
            ),
            "{text}"
        );
    }
}

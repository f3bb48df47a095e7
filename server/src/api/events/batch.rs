//! The events of one request: from bytes to what may be recorded, or what is wrong with each.

use crate::api::problem::{EventError, Kind, Problem};
use domain::{
    event::{Bounds, FieldError, NewEvent},
    json::{self, Element, Refusal},
};
use store::{
    Store,
    recording::{Admitted, Door},
};

/// How many events one request may have.
pub const EVENTS_MOST: usize = 5_000;
/// How many bytes one event may have, as sent: 64 KiB.
pub const EVENT_MOST: usize = 64 * 1024;
/// How many faults are told of a request that is refused as a whole.
const ERRORS_MOST: usize = 100;

/// How the events of a request are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object, or an array of them.
    Json,
    /// A JSON object a line.
    Lines,
}

impl Format {
    /// What a media type (lowercase, without parameters) stands for; whatever does not name lines
    /// is read as JSON.
    pub fn of(media_type: &str) -> Self {
        match media_type {
            "application/x-ndjson" | "application/ndjson" => Self::Lines,
            _ => Self::Json,
        }
    }
}

/// What becomes of a request of which one event is not valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// Nothing of it is recorded.
    #[default]
    Refuse,
    /// The others are recorded.
    Skip,
}

/// What checking an event comes to.
pub type Checked<T> = Result<T, Vec<FieldError>>;

/// Reads all events of a request and lets each in, or not.
///
/// With [`OnError::Refuse`] all that is given back was let in.
///
/// # Errors
///
/// The whole is not JSON, or too much; with [`OnError::Refuse`] also: an event is not valid.
pub fn read(
    bytes: &[u8],
    format: Format,
    on_error: OnError,
    store: &Store,
    door: &Door,
) -> Result<Vec<Checked<Admitted>>, Problem> {
    let bounds = store.bounds();
    let admit =
        |element: Element<'_>| check(element, bounds).and_then(|event| store.admit(door, event));
    read_each(bytes, format, on_error, admit)
}

fn read_each<T>(
    bytes: &[u8],
    format: Format,
    on_error: OnError,
    admit: impl Fn(Element<'_>) -> Checked<T>,
) -> Result<Vec<Checked<T>>, Problem> {
    match format {
        Format::Json => {
            let batch = json::parse_batch(bytes)?;
            let elements = batch.elements();
            refuse_too_many(elements.len())?;
            gather(elements.iter().map(|element| admit(*element)), on_error)
        }
        Format::Lines => {
            let lines: Vec<_> = json::parse_lines(bytes).take(EVENTS_MOST + 1).collect();
            refuse_too_many(lines.len())?;
            if on_error == OnError::Refuse
                && let Some(syntax) = lines.iter().find_map(|line| line.element.as_ref().err())
            {
                return Err(syntax.clone().into());
            }
            let checked = lines.into_iter().map(|line| match line.element {
                Ok(element) => admit(element),
                Err(syntax) => Err(fault("", format!("is not JSON: {syntax}"))),
            });
            gather(checked, on_error)
        }
    }
}

fn refuse_too_many(events: usize) -> Result<(), Problem> {
    if events > EVENTS_MOST {
        let detail = format!("one request has at most {EVENTS_MOST} events");
        return Err(Problem::new(Kind::TooLarge, detail));
    }
    Ok(())
}

/// All that was checked; or, where nothing is to be skipped, the first faults.
fn gather<T>(
    checked: impl Iterator<Item = Checked<T>>,
    on_error: OnError,
) -> Result<Vec<Checked<T>>, Problem> {
    if on_error == OnError::Skip {
        return Ok(checked.collect());
    }
    let mut good = Vec::new();
    let mut errors: Vec<EventError> = Vec::new();
    for (index, checked) in checked.enumerate() {
        match checked {
            Ok(event) => good.push(Ok(event)),
            Err(faults) => errors.extend(faults.into_iter().map(|fault| EventError {
                index,
                field: fault.field,
                reason: fault.reason,
            })),
        }
        if errors.len() >= ERRORS_MOST {
            errors.truncate(ERRORS_MOST);
            break;
        }
    }
    if errors.is_empty() {
        Ok(good)
    } else {
        Err(Problem::events(errors))
    }
}

fn check(element: Element<'_>, bounds: Bounds) -> Checked<NewEvent> {
    if element.length() > EVENT_MOST {
        let reason = format!(
            "the event has {} bytes, at most {EVENT_MOST} are taken",
            element.length()
        );
        return Err(fault("", reason));
    }
    let value = element.value().map_err(refused)?;
    NewEvent::from_json(value, bounds)
}

fn refused(refusal: Refusal) -> Vec<FieldError> {
    fault(&refusal.path, refusal.reason.to_string())
}

fn fault(field: &str, reason: String) -> Vec<FieldError> {
    vec![FieldError {
        field: field.to_owned(),
        reason,
    }]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use axum::{body::to_bytes, http::StatusCode, response::IntoResponse};
    use serde_json::Value;

    const GOOD: &str = r#"{"actor":{"kind":"system"},"action":"X","target":{"kind":"y"}}"#;

    fn bounds() -> Bounds {
        Bounds {
            now: "2026-05-12T09:14:03Z".parse().unwrap(),
        }
    }

    fn read(
        text: &str,
        format: Format,
        on_error: OnError,
    ) -> Result<Vec<Checked<NewEvent>>, Problem> {
        read_each(text.as_bytes(), format, on_error, |element| {
            check(element, bounds())
        })
    }

    fn good(text: &str, format: Format) -> usize {
        read(text, format, OnError::Refuse).unwrap().len()
    }

    async fn answer(problem: Problem) -> (StatusCode, Value) {
        let response = problem.into_response();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1_000_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn refusal(text: &str, format: Format) -> (StatusCode, Value) {
        answer(read(text, format, OnError::Refuse).unwrap_err()).await
    }

    #[test]
    fn one_object_an_array_and_lines_are_read() {
        assert_eq!(good(GOOD, Format::Json), 1);
        assert_eq!(good(&format!("[{GOOD},{GOOD}]"), Format::Json), 2);
        assert_eq!(good(&format!("{GOOD}\r\n\n{GOOD}"), Format::Lines), 2);
        assert_eq!(good("[]", Format::Json), 0);
        assert_eq!(good("", Format::Lines), 0);
    }

    #[tokio::test]
    async fn what_is_not_json_is_told_with_its_line() {
        let (status, told) = refusal("[1,\n 2,\n", Format::Json).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(told["line"].as_u64().unwrap() >= 2, "{told}");

        let lines = format!("{GOOD}\n{GOOD}\n{{\"actor\":\n{GOOD}");
        let (status, told) = refusal(&lines, Format::Lines).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(told["line"], 3);
        // An empty body is no JSON either.
        assert_eq!(refusal("", Format::Json).await.0, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn a_broken_line_is_refused_alone_where_faults_are_skipped() {
        let lines = format!("{GOOD}\n{{\n{GOOD}");
        let checked = read(&lines, Format::Lines, OnError::Skip).unwrap();
        let good: Vec<bool> = checked.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, false, true]);
        let reason = &checked[1].as_ref().unwrap_err()[0].reason;
        assert!(reason.contains("line 2"), "{reason}");
    }

    #[tokio::test]
    async fn every_bad_event_is_named_by_index_field_and_reason() {
        let batch = format!("[{GOOD}, 5, {{\"a\":1,\"a\":2}}, {GOOD}, {{}}]");
        let (status, told) = refusal(&batch, Format::Json).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let places: Vec<_> = told["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| {
                (
                    error["index"].as_u64().unwrap(),
                    error["field"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            places,
            [
                (1, ""),
                (2, "a"),
                (4, "actor"),
                (4, "action"),
                (4, "target")
            ]
        );
    }

    #[tokio::test]
    async fn no_more_than_a_hundred_faults_are_told() {
        let batch = format!("[{}]", vec!["{}"; 500].join(","));
        let (_, told) = refusal(&batch, Format::Json).await;
        assert_eq!(told["errors"].as_array().unwrap().len(), ERRORS_MOST);
    }

    #[tokio::test]
    async fn five_thousand_events_are_taken_and_not_one_more() {
        let most = vec![GOOD; EVENTS_MOST];
        assert_eq!(good(&most.join("\n"), Format::Lines), EVENTS_MOST);
        assert_eq!(
            good(&format!("[{}]", most.join(",")), Format::Json),
            EVENTS_MOST
        );
        let more = vec![GOOD; EVENTS_MOST + 1];
        for (text, format) in [
            (more.join("\n"), Format::Lines),
            (format!("[{}]", more.join(",")), Format::Json),
        ] {
            let (status, _) = refusal(&text, format).await;
            assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        }
    }

    #[tokio::test]
    async fn an_event_of_64_kib_is_taken_and_not_one_byte_more() {
        let event = |length: usize| {
            let rest = GOOD.len() + r#","description":"""#.len();
            format!(
                "{},\"description\":\"{}\"}}",
                GOOD.strip_suffix('}').unwrap(),
                "x".repeat(length - rest)
            )
        };
        assert_eq!(event(EVENT_MOST).len(), EVENT_MOST);
        assert_eq!(good(&event(EVENT_MOST), Format::Json), 1);
        let (status, told) = refusal(&event(EVENT_MOST + 1), Format::Json).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(told["errors"][0]["index"], 0);
    }

    #[tokio::test]
    async fn ten_thousand_levels_are_refused_like_sixty_five() {
        for levels in [65, 10_000] {
            let deep = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            let event = GOOD.replace("}}", &format!("}},\"before\":{deep}}}"));
            let (status, _) = refusal(&event, Format::Json).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
}

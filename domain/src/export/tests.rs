//! What is written reads back.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::event::Event;
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

/// Everything that a row borrows.
pub(super) struct Kept {
    event: Event,
    texts: [Option<Box<RawValue>>; 7],
}

impl Kept {
    pub(super) fn new(event: Event) -> Self {
        fn raw<T: Serialize>(value: Option<&T>) -> Option<Box<RawValue>> {
            value.map(|value| serde_json::value::to_raw_value(value).unwrap())
        }
        let texts = [
            raw(event.idempotency_key.as_ref()),
            raw(event.operation.as_ref()),
            raw(event.description.as_ref()),
            raw(event.before.as_ref()),
            raw(event.after.as_ref()),
            raw(event.metadata.as_ref()),
            raw(event.context.as_ref()),
        ];
        Self { event, texts }
    }

    pub(super) fn row(&self) -> Row<'_> {
        let event = &self.event;
        let [
            key,
            operation,
            description,
            before,
            after,
            metadata,
            context,
        ] = self.texts.each_ref().map(Option::as_deref);
        Row {
            id: event.id,
            seq: event.seq,
            idempotency_key: key,
            occurred_at: event.occurred_at,
            recorded_at: event.recorded_at,
            tenant: &event.tenant,
            workspace: event.workspace.as_ref(),
            actor: RowActor::new(&event.actor.actor, event.actor.deactivated),
            via: event.via.iter().collect(),
            action: &event.action,
            verb: event.verb,
            category: event.category,
            given: event.given.clone(),
            target: &event.target,
            related: event.related.iter().collect(),
            operation,
            outcome: event.outcome,
            description,
            before,
            after,
            metadata,
            context,
            source: event.source,
            redacted: event.redacted,
            erased: &event.erased,
        }
    }
}

pub(super) fn event() -> Event {
    serde_json::from_value(json!({
        "id": "01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11", "seq": 48211, "idempotency_key": "billing-7731",
        "occurred_at": "2026-05-12T09:14:03.123456Z", "recorded_at": "2026-05-12T09:14:03.301220Z",
        "tenant": "acme", "workspace": "growth",
        "actor": {"kind": "user", "id": "usr_1", "name": "Alex Kim", "email": null, "deactivated": true},
        "via": [{"kind": "agent", "id": "agt_7", "name": "Release assistant", "email": null}],
        "action": "API_TOKEN_CREATED", "verb": "create", "category": "auth_tokens", "given": ["verb"],
        "target": {"kind": "api_token", "id": "tok_9", "name": "ci", "url": null},
        "related": [{"kind": "user", "id": "usr_4", "name": "Kim Berg", "url": null}],
        "operation": "rotate", "outcome": "denied", "description": "partial",
        "before": null, "after": {"name": "ci", "n": 1.5}, "metadata": {}, "context": {"ip": "::1"},
        "source": "import", "redacted": 2, "erased": ["context"]
    }))
    .unwrap()
}

fn file(format: Format, events: &[Event]) -> String {
    let kept: Vec<Kept> = events.iter().cloned().map(Kept::new).collect();
    let mut composer = Composer::new(format);
    let mut file = composer.begin().unwrap();
    // In two pieces.
    let (one, other) = kept.split_at(events.len() / 2);
    for events in [one, other] {
        let mut piece = composer.piece(0);
        for event in events {
            piece.add(&event.row()).unwrap();
        }
        file.extend(piece.finish().unwrap());
    }
    file.extend(composer.end());
    assert_eq!(composer.rows(), events.len() as u64);
    String::from_utf8(file).unwrap()
}

/// Texts that formulas, spreadsheets and CSV itself stumble over.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[=+@'\t\r\n\",;a-é -]{0,6}",
        Just("=HYPERLINK(\"http://x\",\"y\")".to_owned()),
        Just("''".to_owned()),
        Just("-1".to_owned()),
        any::<String>().prop_map(|text| text.replace('\0', "")),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (
        (proptest::option::of(text()), proptest::option::of(text())),
        (proptest::option::of(text()), proptest::option::of(text())),
        (proptest::option::of(text()), text()),
    );
    let one = one.prop_map(
        |((key, name), (description, operation), (target, member))| {
            let mut event = event();
            event.idempotency_key = key;
            event.actor.actor.name = name;
            event.description = description;
            event.operation = operation;
            event.target.name = target;
            event.before = json!({ member.clone(): [member] }).as_object().cloned();
            event
        },
    );
    proptest::collection::vec(one, 0..5)
}

/// An event as its line in a sheet says it, read as the documentation says.
fn read_back(record: &csv::StringRecord) -> Value {
    let cell = |name: &str| {
        let at = COLUMNS.iter().position(|column| *column == name).unwrap();
        record.get(at).unwrap()
    };
    let text = |name: &str| json!(unescaped(cell(name)));
    let parsed = |name: &str| match cell(name) {
        "" => Value::Null,
        json => serde_json::from_str(json).unwrap(),
    };
    json!({
        "id": text("id"), "seq": parsed("seq"), "idempotency_key": text("idempotency_key"),
        "occurred_at": text("occurred_at"), "recorded_at": text("recorded_at"),
        "tenant": text("tenant"), "workspace": text("workspace"),
        "actor": {"kind": text("actor_kind"), "id": text("actor_id"), "name": text("actor_name"),
                  "email": text("actor_email"), "deactivated": parsed("actor_deactivated")},
        "via": parsed("via"), "action": text("action"), "verb": text("verb"),
        "category": text("category"), "given": parsed("given"),
        "target": {"kind": text("target_kind"), "id": text("target_id"),
                   "name": text("target_name"), "url": text("target_url")},
        "related": parsed("related"), "operation": text("operation"), "outcome": text("outcome"),
        "description": text("description"), "before": parsed("before"), "after": parsed("after"),
        "metadata": parsed("metadata"), "context": parsed("context"), "source": text("source"),
        "redacted": parsed("redacted"), "erased": parsed("erased"),
    })
}

proptest! {
    #[test]
    fn every_format_gives_every_field_of_every_event(events in events()) {
        let wanted: Vec<Value> = events.iter().map(|it| serde_json::to_value(it).unwrap()).collect();

        let lines: Vec<String> =
            events.iter().map(|it| serde_json::to_string(it).unwrap() + "\n").collect();
        prop_assert_eq!(file(Format::Ndjson, &events), lines.concat());

        let array: Vec<Value> = serde_json::from_str(&file(Format::Json, &events)).unwrap();
        prop_assert_eq!(&array, &wanted);

        let sheet = file(Format::Csv, &events);
        let mut reader = csv::Reader::from_reader(sheet.as_bytes());
        prop_assert!(reader.headers().unwrap().iter().eq(COLUMNS));
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let read: Vec<Value> = records.iter().map(read_back).collect();
        prop_assert_eq!(&read, &wanted);
        // No cell begins like a formula.
        for cell in records.iter().flatten() {
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        }
    }
}

#[test]
fn a_text_that_could_be_a_formula_gets_an_apostrophe_and_gives_it_back() {
    let mut event = event();
    event.description = Some("=1+1".to_owned());
    event.operation = Some("'quoted".to_owned());
    event.actor.actor.name = Some(String::new());
    let sheet = file(Format::Csv, &[event]);
    assert!(
        sheet.contains(",'=1+1,") && sheet.contains(",''quoted,"),
        "{sheet}"
    );
    assert_eq!(unescaped("'=1+1"), Some("=1+1"));
    assert_eq!(unescaped("''quoted"), Some("'quoted"));
    assert_eq!(unescaped("'"), Some(""));
    assert_eq!(unescaped(""), None);
}

#[test]
fn formats_have_the_names_of_the_contract() {
    for (name, format) in [
        ("csv", Format::Csv),
        ("ndjson", Format::Ndjson),
        ("json", Format::Json),
    ] {
        assert_eq!(name.parse(), Ok(format));
        assert_eq!(format.to_string(), name);
    }
    let refused = "xls".parse::<Format>().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "\"xls\" is not one of csv, ndjson, json"
    );
}

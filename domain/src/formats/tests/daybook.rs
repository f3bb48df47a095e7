use super::*;

const LINES: &str = include_str!("../samples/daybook.ndjson");

#[test]
fn an_exported_event_comes_back_as_it_was_sent() {
    let event = read(Format::Daybook, LINES.as_bytes())
        .swap_remove(0)
        .event
        .unwrap();
    assert_eq!(
        sent(&event),
        json!({
            "idempotency_key": "billing-7731", "occurred_at": "2026-05-12T09:14:03.123456Z",
            "actor": {"kind": "user", "id": "usr_1", "name": "Alex Kim", "email": "alex@example.com"},
            "via": [{"kind": "agent", "id": "agt_7", "name": "Release assistant", "email": null}],
            "action": "API_TOKEN_CREATED", "verb": null, "category": null,
            "target": {"kind": "api_token", "id": "tok_9", "name": "ci-prod-deploy", "url": "https://app.example.com/tokens/tok_9"},
            "related": [{"kind": "user", "id": "usr_4", "name": "Kim Berg", "url": null}],
            "operation": "rotate-2026-05", "outcome": "success", "description": "partial rotation",
            "before": null, "after": {"name": "ci-prod-deploy", "scope": "read-workspace"},
            "metadata": {"reason": "quarterly"},
            "context": {"ip": "203.0.113.9", "user_agent": "curl/8", "request_id": "req_1", "location": "Oslo, NO"},
        })
    );
    assert_eq!(event.workspace, None);
}

#[test]
fn the_id_is_the_key_where_there_is_none_and_only_what_was_given_overrides() {
    let event = read(Format::Daybook, LINES.as_bytes())
        .swap_remove(1)
        .event
        .unwrap();
    let id = "01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a12";
    assert_eq!(event.idempotency_key.as_deref(), Some(id));
    assert_eq!(
        event.verb.map(|verb| verb.to_string()).as_deref(),
        Some("rotate")
    );
    assert_eq!(event.category, None);
}

#[test]
fn an_erased_actor_without_pseudonym_is_taken_over_as_nobody_known() {
    let event = read(Format::Daybook, LINES.as_bytes())
        .swap_remove(2)
        .event
        .unwrap();
    let id = "erased:01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a13";
    assert_eq!(event.actor.id.as_deref(), Some(id));
    assert_eq!(event.via[0].id.as_deref(), Some("erased-4f2a"));
}

#[test]
fn what_is_wrong_is_named_with_its_field() {
    let records = read(Format::Daybook, LINES.as_bytes());
    assert_eq!(records.len(), 4);
    let Err(Unreadable::Refused(faults)) = &records[3].event else {
        panic!("{records:?}");
    };
    let fields: Vec<_> = faults.iter().map(|fault| &*fault.field).collect();
    assert_eq!(fields, ["outcome", "colour"]);
    assert_eq!(records[3].place.to_string(), "line 4");
}

#[test]
fn an_event_without_key_and_id_is_imported_once() {
    let line = r#"{"actor":{"kind":"system"},"action":"X","target":{"kind":"y"}}"#;
    let twice = events(Format::Daybook, &format!("{line}\n{line}\n"));
    assert!(twice[0].idempotency_key.is_some());
    assert_eq!(twice[0], twice[1]);
}

#[test]
fn a_key_that_is_no_text_is_refused() {
    let line = r#"{"idempotency_key":7,"id":"a","actor":{"kind":"system"},"action":"X","target":{"kind":"y"}}"#;
    let records = read(Format::Daybook, line.as_bytes());
    let reason = records[0].event.as_ref().unwrap_err().to_string();
    assert!(
        reason.starts_with("idempotency_key must be a text"),
        "{reason}"
    );
}

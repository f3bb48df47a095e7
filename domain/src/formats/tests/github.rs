use super::*;

const ARRAY: &str = include_str!("../samples/github.json");
const LINES: &str = include_str!("../samples/github.ndjson");

fn event(number: usize) -> NewEvent {
    events(Format::Github, ARRAY).swap_remove(number - 1)
}

#[test]
fn an_array_and_lines_tell_the_same() {
    assert_eq!(events(Format::Github, ARRAY), events(Format::Github, LINES));
}

#[test]
fn who_did_what_to_what() {
    let table: Vec<_> = events(Format::Github, ARRAY)
        .iter()
        .map(|event| {
            let objects: Vec<_> = std::iter::once(&event.target)
                .chain(&event.related)
                .map(what)
                .collect();
            format!(
                "{} {}: {}",
                who(&event.actor),
                event.action,
                objects.join(", ")
            )
        })
        .collect();
    assert_eq!(
        table,
        [
            "user 101 (alexkim) org.add_member: user 104 (kimberg), organization acme (acme)",
            "user 101 (alexkim) org.update_member: user 104 (kimberg), organization acme (acme)",
            "user alexkim (alexkim) repo.access: repo acme/ledger (acme/ledger), organization acme (acme)",
            "user alexkim (alexkim) repo.rename: repo acme/books (acme/books), organization acme (acme)",
            "user alexkim (alexkim) team.add_member: user kimberg (kimberg), team acme/platform (acme/platform), organization acme (acme)",
            "user alexkim (alexkim) team.add_repository: team acme/platform (acme/platform), repo acme/ledger (acme/ledger), organization acme (acme)",
            "user alexkim (alexkim) hook.config_changed: hook 55 (55), repo acme/ledger (acme/ledger), organization acme (acme)",
            "user alexkim (alexkim) protected_branch.destroy: protected_branch main (main), repo acme/ledger (acme/ledger), organization acme (acme)",
            "integration dependabot[bot] (dependabot[bot]) workflows.completed_workflow_run: workflow_run 12345678901 (CI), repo acme/ledger (acme/ledger), organization acme (acme)",
            "anonymous - (-) git.clone: repo acme/ledger (acme/ledger), organization acme (acme)",
            "user alexkim (alexkim) git.push: repo acme/ledger (acme/ledger), organization acme (acme)",
            "user alexkim (alexkim) user.failed_login: user alexkim (alexkim), organization acme (acme)",
            "system - (-) org.secret_scanning_enable: organization acme (acme)",
            "user 1 (alexkim) business.set_policy: enterprise acme-group (acme-group)",
        ]
    );
}

#[test]
fn times_are_milliseconds() {
    let time = event(1).occurred_at.unwrap().to_string();
    assert_eq!(time, "2026-05-12T09:14:03.123000Z");
}

#[test]
fn context_and_metadata_hold_what_is_left() {
    let event = event(1);
    assert_eq!(
        Value::from(event.context.unwrap()),
        json!({"ip": "203.0.113.9", "location": "NO", "user_agent": "Mozilla/5.0"})
    );
    assert_eq!(
        Value::from(event.metadata.unwrap()),
        json!({"operation_type": "create", "org_id": 7, "permission": "read"})
    );
    assert_eq!(event.actor.email.as_deref(), Some("alex@example.com"));
}

#[test]
fn members_that_come_in_pairs_are_before_and_after() {
    let change = |number| {
        let event = event(number);
        json!([event.before, event.after])
    };
    assert_eq!(change(1), json!([null, null]));
    assert_eq!(
        change(2),
        json!([{"permission": "read"}, {"permission": "admin"}])
    );
    assert_eq!(
        change(3),
        json!([{"visibility": "private"}, {"visibility": "public"}])
    );
    assert_eq!(change(4), json!([{"name": "ledger"}, {"name": "books"}]));
    assert_eq!(
        change(7),
        json!([
            {"config": {"url": "https://old.example.com"}},
            {"config": {"url": "https://new.example.com"}}
        ])
    );
}

#[test]
fn a_token_is_found_by_its_hash() {
    let event = event(11);
    let via: Vec<_> = event.via.iter().map(who).collect();
    assert_eq!(
        via,
        ["token q6mV8example= (Personal access token (classic))"]
    );
    assert_eq!(event.metadata.unwrap()["token_id"], 77);
}

#[test]
fn a_failed_sign_in_is_a_failure() {
    assert_eq!(event(12).outcome, Outcome::Failure);
    assert_eq!(event(9).outcome, Outcome::Success);
}

#[test]
fn an_entry_has_a_key_with_and_without_a_document_id() {
    assert!(event(1).idempotency_key.unwrap().starts_with("github:doc-"));
    assert!(
        event(14)
            .idempotency_key
            .unwrap()
            .starts_with("github:sha256:")
    );
    assert_eq!(event(14).metadata.unwrap()["big"], "9007199254740993");
}

#[test]
fn data_under_dotted_names_is_data() {
    let text = r#"{"action":"hook.create","created_at":1778577243123,"actor":"a","repo":"o/r","data.hook_id":5,"data.x":1,"data":{"x":2}}"#;
    let event = events(Format::Github, text).swap_remove(0);
    assert_eq!(what(&event.target), "hook 5 (5)");
    assert_eq!(
        Value::from(event.metadata.unwrap()),
        json!({"data.x": 1, "x": 2})
    );
}

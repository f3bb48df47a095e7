//! Whatever comes in, what comes out may be recorded.

use super::*;
use crate::formats::fit::EVENT_MOST;

/// Any JSON, with a liking for what is hard: large numbers, U+0000, long texts, many members.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[\0\u{1}-\u{7f}é€😀]{0,40}".prop_map(Value::from),
        ("[a\0\"é😀]", 1..40_000_usize).prop_map(|(text, times)| text.repeat(times).into()),
        (1..20_000_usize).prop_map(|times| vec![0; times].into()),
        "arn:aws:(iam|s3|ec2|kms|lambda|rds):[a-z]{0,3}:[0-9]{0,3}:[a-z/:*-]{0,20}"
            .prop_map(Value::from),
        (1..9_i64).prop_map(|part| (1_778_577_243_123 / part).into()),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::btree_map(name(), inner.clone(), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            (inner, 1..100_usize)
                .prop_map(|(value, depth)| { (0..depth).fold(value, |value, _| json!([value])) }),
        ]
    })
}

/// Names that the formats know, and others.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(vec![
            "eventName", "eventSource", "eventID", "userIdentity", "type", "arn", "principalId",
            "userName", "accountId", "accessKeyId", "invokedBy", "sessionContext", "sessionIssuer",
            "attributes", "requestParameters", "responseElements", "accessKey", "resources", "ARN",
            "errorCode", "errorMessage", "bucketName", "key", "roleName", "keyId", "name",
            "sourceIPAddress", "userAgent", "action", "actor", "actor_id", "user", "repo", "team",
            "org", "data", "old_name", "new_name", "actor_location", "country_code",
            "hashed_token", "_document_id", "id", "kind", "target", "via", "metadata", "before",
            "after", "context", "description", "given", "erased", "onBehalfOf", "eventType",
        ]).prop_map(str::to_owned),
        1 => ".{0,12}",
        1 => "[\0\u{fffd}a]{1,3}",
        1 => (1..3_000_usize).prop_map(|times| "n\u{e9}".repeat(times)),
    ]
}

/// A record with what its format asks of every record, and anything else.
fn record() -> impl Strategy<Value = Object> {
    proptest::collection::btree_map(name(), value(), 0..12).prop_map(|members| {
        let mut record: Object = members.into_iter().collect();
        let required = [
            ("eventTime", json!("2026-05-12T09:00:00Z")),
            ("created_at", json!(1_778_577_243_123_i64)),
        ];
        for (name, value) in required {
            record.insert(name.to_owned(), value);
        }
        for name in ["eventName", "action"] {
            if !record.get(name).is_some_and(Value::is_string) {
                record.insert(name.to_owned(), json!("x.y"));
            }
        }
        record
    })
}

fn daybook() -> impl Strategy<Value = Object> {
    let part = || proptest::option::of(proptest::collection::btree_map(name(), value(), 0..6));
    (
        part(),
        part(),
        part(),
        part(),
        proptest::option::of(".{0,9}|(\0é){1,600}"),
    )
        .prop_map(|(before, after, metadata, context, name)| {
            let event = json!({
                "actor": {"kind": "user", "id": "u", "name": name}, "action": "X",
                "target": {"kind": "y", "name": name}, "before": before, "after": after,
                "metadata": metadata, "context": context, "description": name,
            });
            event.as_object().cloned().unwrap_or_default()
        })
}

fn check(format: Format, record: &Object) -> Result<(), TestCaseError> {
    let line = serde_json::to_string(record).unwrap();
    let mut records = read(format, line.as_bytes());
    prop_assert_eq!(records.len(), 1);
    match records.remove(0).event {
        Ok(event) => {
            prop_assert!(event.idempotency_key.is_some());
            let text = serde_json::to_vec(&sent(&event)).unwrap();
            prop_assert!(text.len() <= EVENT_MOST, "{} bytes", text.len());
            // Strict JSON: numbers, U+0000, depth.
            let value =
                json::parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let again = NewEvent::from_json(value, bounds());
            prop_assert_eq!(again.as_ref().map(sent), Ok(sent(&event)));
        }
        Err(reason) => prop_assert!(reason.to_string().len() > 10, "{}", reason),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn of_a_cloudtrail_record(record in record()) {
        check(Format::Cloudtrail, &record)?;
    }

    #[test]
    fn of_a_github_entry(record in record()) {
        check(Format::Github, &record)?;
    }

    #[test]
    fn of_a_daybook_event(record in daybook()) {
        check(Format::Daybook, &record)?;
    }
}

fn cloudtrail(parameters: Value) -> NewEvent {
    let record = json!({
        "eventName": "A", "eventTime": "2026-05-12T09:00:00Z", "requestParameters": parameters,
    });
    events(Format::Cloudtrail, &record.to_string()).swap_remove(0)
}

#[test]
fn the_longest_texts_are_cut_and_the_others_are_whole() {
    let parameters = json!({
        "long": "l".repeat(50_000), "longer": "ø".repeat(50_000), "short": "s".repeat(5_000),
    });
    let metadata = cloudtrail(parameters).metadata.unwrap();
    let kept = &metadata["request_parameters"];
    let text = |name: &str| kept[name].as_str().unwrap();
    assert_eq!(text("short"), "s".repeat(5_000));
    for name in ["long", "longer"] {
        assert!(text(name).ends_with("… (cut)"), "{name}");
        assert!(text(name).len() > 25_000, "{name}: {}", text(name).len());
    }
}

#[test]
fn an_event_that_fits_is_not_touched() {
    let parameters = json!({"a": "x".repeat(60_000), "list": vec![1; 500]});
    let metadata = cloudtrail(parameters.clone()).metadata.unwrap();
    assert_eq!(metadata["request_parameters"], parameters);
}

#[test]
fn where_there_are_no_long_texts_lists_are_cut_and_say_so() {
    let metadata = cloudtrail(json!({"numbers": vec![1_234_567; 100_000]}))
        .metadata
        .unwrap();
    let numbers = metadata["request_parameters"]["numbers"]
        .as_array()
        .unwrap();
    assert_eq!(numbers.len(), 4_097);
    assert_eq!(numbers.last().unwrap(), "… (cut)");
}

#[test]
fn what_lies_too_deep_is_cut() {
    let deep = (0..100).fold(json!(1), |value, _| json!({"a": value}));
    let event = cloudtrail(deep);
    assert!(sent(&event).to_string().contains("… (cut)"));
}

#[test]
fn ids_that_begin_alike_stay_different_when_they_are_cut() {
    let id = |end: &str| {
        let key = format!("{}{end}", "k".repeat(600));
        let record = json!({
            "eventName": "GetObject", "eventSource": "s3.amazonaws.com",
            "eventTime": "2026-05-12T09:00:00Z",
            "requestParameters": {"bucketName": "b", "key": key},
        });
        let event = events(Format::Cloudtrail, &record.to_string()).swap_remove(0);
        event.target.id.unwrap()
    };
    assert_ne!(id("1"), id("2"));
    assert_eq!(id("1").chars().count(), 512);
    assert!(id("1").ends_with("… (cut)"));
}

#[test]
fn members_that_come_to_the_same_name_both_stay() {
    let metadata = cloudtrail(json!({"a\0": 1, "a\u{fffd}": 2}))
        .metadata
        .unwrap();
    let kept = metadata["request_parameters"].as_object().unwrap();
    assert_eq!(kept.len(), 2);
}

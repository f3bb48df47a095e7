//! Which names count, what is taken out, and what a mark tells.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use super::*;
use crate::{event::Actor, time::Timestamp};
use proptest::prelude::*;
use serde_json::json;

const WORKSPACE: &[u8] = b"workspace 1";

/// Names that say that the value is a credential.
const CREDENTIALS: &str = "
    password Password PASSWORD passwd passwords password2 new_password oldPassword dbPassword
    db-password DB_PASSWORD DBPassword db.password spring.datasource.password DBPASSWORD PGPASSWORD
    MYSQL_PWD smtp_pass pass passphrase passWord password_hash passwordHash hashed_password
    password_digest encrypted_password password_encrypted password_confirmation password_hint
    rootpassword secret secrets client_secret clientSecret CLIENT_SECRET clientsecret webhook-secret
    signingSecret secret_value secretString JWT_SECRET_PROD shared_secret totp_seed_phrase
    secret_seed token tokens access_token accessToken refresh-token REFRESH_TOKEN id_token
    bearerToken authtoken _authToken oauth2Token GITHUB_TOKEN npm_token x-csrf-token csrfToken
    session_token sessionToken X-Amz-Security-Token personal_access_token sas_token token_value
    token_github password_reset_token client_token api_key apiKey apikey APIKey APIKEY API_KEYS
    X-Api-Key x-apikey OPENAI_API_KEY API_KEY_OPENAI userApiKey private_key privateKey privatekey
    PRIVATE_KEY_PEM ssh_key sshKeys SSH_PRIVATE_KEY AWS_SECRET_ACCESS_KEY secretAccessKey access_key
    accountKey encryption_key signing-key master_key session_key service_account_key authorization
    Authorization Proxy-Authorization auth basic_auth cookie Set-Cookie session_cookie cookies jwt
    bearer credentials creds aws_credentials connection_string connectionString ConnectionStrings
    DATABASE_URL dsn sentry_dsn recovery_codes backup_code mfa_code authorization_code otp totp pin
    pin_code mnemonic kubeconfig cvv password_reset_link JSESSIONID SAMLResponse samlAssertion
";

/// Names that say nothing of the kind, or speak about a credential.
const NO_CREDENTIALS: &str = "
    token_id tokenId TOKEN_ID token-ids token_name token_type token_count token_limit tokenScopes
    token_expires_at tokenExpiresIn token_endpoint token_endpoint_auth_method token_url token_prefix
    token_last_eight token_last_used token_hash hashed_token access_token_lifetime_seconds
    refresh_token_rotation id_token_signed_response_alg tokens_used tokens_per_minute cost_per_token
    max_tokens maxTokens total_tokens num_tokens next_token nextToken NextPageToken
    continuation-token client_request_token time_to_first_token designTokens stop_tokens tokenizer
    tokenized secret_name secretName secret_arn secret_id secret_version secretKeyRef
    secret_scanning secret_scanning_push_protection secret_scanning_validity_checks
    secretsManagerArn secretsmanager secret_rotation secretary client_secret_expires_at
    password_changed_at passwordLastUsed password_policy password_min_length has_password
    hasPassword requires_password PasswordResetRequired maxPasswordAge password_enabled
    password_strength passwordReusePrevention key keys key_name key_id keyId kms_key_id
    access_key_id accessKeyId AWS_ACCESS_KEY_ID aws_secret_access_key_id api_key_id apiKeyName
    api_key_count private_key_path public_key publicKey ssh_public_key public_api_key
    publishable_api_key ssh_key_fingerprint primary_key foreign_key sort_key partitionKey keyboard
    monkey cookie_banner cookie_domain cookie_policy cookieConsent authorization_endpoint
    authorizationInfo authorization_type author authority authenticated two_factor_auth
    oauth_application_id auth_method credential_id credentials_provider credentialReport passed
    passing passenger compass bypass first_pass_rate pinned_to pinned spin session_id sessions path
    pattern username email database url webhook_url 1 42 _
";

fn key() -> Key {
    Key::new(&[7; 32])
}

fn event() -> NewEvent {
    let target = crate::event::Target {
        kind: "integration".parse().unwrap(),
        id: None,
        name: None,
        url: None,
    };
    NewEvent::new(Actor::SYSTEM, "X".parse().unwrap(), target)
}

/// What becomes of an object in an event's metadata, each mark as "#".
fn redacted(metadata: Value) -> Value {
    let mut event = event();
    event.metadata = Some(metadata.as_object().unwrap().clone());
    redact(&mut event, &Rules::built_in(), &key(), WORKSPACE);
    let mut value = Value::Object(event.metadata.unwrap());
    shorten(&mut value);
    value
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if is_mark(text) => "#".clone_into(text),
        Value::Array(elements) => elements.iter_mut().for_each(shorten),
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

#[test]
fn a_name_that_says_credential_is_one_in_every_notation() {
    let names = Names::built_in();
    for name in CREDENTIALS.split_whitespace().chain(["user pass"]) {
        assert!(names.is_credential(name), "{name}");
    }
}

#[test]
fn a_name_that_only_speaks_about_one_is_none() {
    let names = Names::built_in();
    for name in NO_CREDENTIALS.split_whitespace().chain(["", "\u{6570}"]) {
        assert!(!names.is_credential(name), "{name}");
    }
}

#[test]
fn a_workspace_adds_names_in_any_notation() {
    let names = Names::built_in().with(["national_id", "IBAN", "next-token", "--"]);
    for name in [
        "national_id",
        "nationalId",
        "OLD_NATIONAL_ID",
        "nationalids",
        "iban",
        "token",
        "creditorIban",
        "next_token",
        "nextToken",
    ] {
        assert!(names.is_credential(name), "{name}");
    }
    for name in [
        "national",
        "id",
        "national_id_changed_at",
        "urban",
        "token_id",
        "international",
    ] {
        assert!(!names.is_credential(name), "{name}");
    }
    let built_in = Names::built_in();
    assert!(!built_in.is_credential("national_id") && !built_in.is_credential("iban"));
}

fn added(names: &[&str], places: &[&str]) -> Rules {
    let names = names.iter().map(|name| name.parse().unwrap()).collect();
    let places = places.iter().map(|place| place.parse().unwrap()).collect();
    Rules::with(&Added::new(names, places).unwrap())
}

#[test]
fn what_stands_in_an_added_place_is_taken_out_whatever_its_name() {
    let rules = added(
        &["national_id"],
        &[
            "metadata.customer.iban",
            "after.cards[].number",
            "after.cards[0]",
            "after.tags[]",
            "after[\"odd name\"][1]",
            "before.whole",
            "before.whole.inner",
            "context.missing.way",
        ],
    );
    let mut event = event();
    let object = |value: Value| value.as_object().cloned();
    event.metadata = object(json!({
        "customer": {"iban": "NO93", "name": "Kim", "nationalId": 7},
        "iban": "elsewhere",
    }));
    event.after = object(json!({
        "cards": [{"number": "1", "kind": "x"}, {"number": "2"}, "plain"],
        "tags": ["a", "", null, true],
        "odd name": ["stays", "goes"],
    }));
    event.before = object(json!({"whole": {"inner": "x"}, "cards": [{"number": "1"}]}));
    event.context = object(json!({"missing": "no object"}));
    let same = event.clone();
    let marks = redact(&mut event, &rules, &key(), WORKSPACE);
    assert_eq!(marks, 7);
    let whole = event.before.clone().unwrap();
    let shown = |object: &Option<Object>| {
        let mut value = Value::Object(object.clone().unwrap());
        shorten(&mut value);
        value
    };
    assert_eq!(
        shown(&event.metadata),
        json!({"customer": {"iban": "#", "name": "Kim", "nationalId": "#"}, "iban": "elsewhere"})
    );
    assert_eq!(
        shown(&event.after),
        json!({
            "cards": ["#", {"number": "#"}, "plain"],
            "tags": ["#", "", null, true],
            "odd name": ["stays", "#"],
        })
    );
    assert_eq!(
        shown(&event.before),
        json!({"whole": "#", "cards": [{"number": "1"}]})
    );
    assert_eq!(shown(&event.context), json!({"missing": "no object"}));
    let at = |part: &str, object: &Option<Object>| {
        let places = places_of_marks(part, object.as_ref().unwrap());
        places.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        at("after", &event.after),
        [
            "after.cards[0]",
            "after.cards[1].number",
            "after[\"odd name\"][1]",
            "after.tags[0]"
        ]
    );
    assert_eq!(at("before", &event.before), ["before.whole"]);
    // A mark is of what was sent, whatever else is taken out, and stays.
    let mut alone = same;
    redact(
        &mut alone,
        &added(&[], &["before.whole"]),
        &key(),
        WORKSPACE,
    );
    assert_eq!(alone.before, Some(whole));
    let once = event.clone();
    assert_eq!(redact(&mut event, &rules, &key(), WORKSPACE), marks);
    assert_eq!(event, once);
}

#[test]
fn a_place_is_written_as_a_path_with_a_sign_for_every_element() {
    for (text, written) in [
        ("metadata.customer.iban", "metadata.customer.iban"),
        ("after.cards[0].number", "after.cards[0].number"),
        ("after.cards[*].number", "after.cards[].number"),
        ("before.a[][].b[]", "before.a[][].b[]"),
        ("before.a[][1][\"x y\"]", "before.a[][1][\"x y\"]"),
        ("context[\"a[]\\\"[*]\"].b", "context[\"a[]\\\"[*]\"].b"),
        ("context[\"a\"]", "context.a"),
        ("context.a[][\"b\"]", "context.a[].b"),
    ] {
        let place: Place = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(place.to_string(), written);
        assert_eq!(written.parse(), Ok(place));
    }
    for (text, error) in [
        ("", PlaceError::Length),
        (&*format!("after.{}", "a".repeat(251)), PlaceError::Length),
        ("after", PlaceError::Whole("after")),
        ("after[]", PlaceError::Whole("after")),
        ("after[0].a", PlaceError::Whole("after")),
        ("target.name", PlaceError::Part),
        ("[].a", PlaceError::Part),
        ("After.a", PlaceError::Part),
        ("after.a[]b", PlaceError::Unreadable { at: 10 }),
        ("after.a[].", PlaceError::Unreadable { at: 10 }),
        ("after.a[].[0]", PlaceError::Unreadable { at: 10 }),
        ("after.a b", PlaceError::Unreadable { at: 8 }),
        ("after.é", PlaceError::Unreadable { at: 6 }),
        ("after..a", PlaceError::Unreadable { at: 6 }),
        ("after.a[x]", PlaceError::Unreadable { at: 8 }),
    ] {
        assert_eq!(text.parse::<Place>(), Err(error), "{text}");
    }
}

#[test]
fn what_a_workspace_adds_is_each_once_and_not_too_many() {
    let name = |text: &str| text.parse::<AddedName>().unwrap();
    let place = |text: &str| text.parse::<Place>().unwrap();
    let added = Added::new(
        vec![name("nationalId"), name(" iban "), name("NATIONAL_ID")],
        vec![place("after.b"), place("after.a[*]"), place("after.a[]")],
    )
    .unwrap();
    let names: Vec<_> = added.names().iter().map(AddedName::as_str).collect();
    assert_eq!(names, ["iban", "nationalId"]);
    let places: Vec<_> = added.places().iter().map(ToString::to_string).collect();
    assert_eq!(places, ["after.a[]", "after.b"]);
    for (text, error) in [
        ("  ", AddedNameError::Length),
        (&*"n".repeat(257), AddedNameError::Length),
        ("a\tb", AddedNameError::Control),
        ("--42", AddedNameError::NoWords),
    ] {
        assert_eq!(text.parse::<AddedName>(), Err(error), "{text}");
    }
    let word = |number: usize| {
        let letter = |at: usize| char::from(b'a' + u8::try_from(at % 26).unwrap());
        name(&format!("x{}{}", letter(number / 26), letter(number)))
    };
    let names = |count: usize| (0..count).map(word).collect::<Vec<_>>();
    let places = |count: usize| {
        let place = |number| place(&format!("after.p{number}"));
        (0..count).map(place).collect::<Vec<_>>()
    };
    assert!(Added::new(names(200), places(200)).is_ok());
    assert_eq!(Added::new(names(201), Vec::new()), Err(TooMany::Names));
    assert_eq!(Added::new(Vec::new(), places(201)), Err(TooMany::Places));
}

#[test]
fn every_type_of_value_is_taken_out_whole_but_what_holds_nothing() {
    assert_eq!(
        redacted(json!({
            "text": {"password": "x"}, "number": {"password": 4711},
            "list": {"secrets": ["a", {"b": "c"}]}, "object": {"secret": {"a": {"b": 1}}},
            "null": {"password": null}, "true": {"password": true}, "false": {"token": false},
            "empty": {"password": "", "secrets": [], "token": {}},
        })),
        json!({
            "text": {"password": "#"}, "number": {"password": "#"},
            "list": {"secrets": "#"}, "object": {"secret": "#"},
            "null": {"password": null}, "true": {"password": true}, "false": {"token": false},
            "empty": {"password": "", "secrets": [], "token": {}},
        })
    );
}

#[test]
fn a_credential_is_found_at_any_depth() {
    assert_eq!(
        redacted(json!({"a": [{"b": [[{"c": {"apiKey": "x", "d": "y"}}]]}]})),
        json!({"a": [{"b": [[{"c": {"apiKey": "#", "d": "y"}}]]}]})
    );
}

#[test]
fn all_four_states_are_redacted_and_counted() {
    let mut event = event();
    let object = || json!({"password": "x", "name": "y"}).as_object().cloned();
    (event.before, event.after) = (object(), object());
    (event.metadata, event.context) = (object(), object());
    assert_eq!(redact(&mut event, &Rules::built_in(), &key(), WORKSPACE), 4);
    assert_eq!(count_marks(&event), 4);
    for state in [&event.before, &event.after, &event.metadata, &event.context] {
        let state = state.as_ref().unwrap();
        assert!(is_mark(state["password"].as_str().unwrap()));
        assert_eq!(state["name"], "y");
    }
}

#[test]
fn a_name_beside_a_value_counts() {
    assert_eq!(
        redacted(json!({
            "params": [{"name": "password", "value": "x"}, {"name": "user", "value": "y"}],
            "env": [{"key": "API_KEY", "value": "x", "id": 7}],
            "Tags": [{"Key": "db-password", "Value": "x"}, {"Key": "Owner", "Value": "y"}],
            "fields": [{"field": "client_secret", "from": "x", "to": "y", "author": "z"}],
            "headers": [["Authorization", "Bearer x"], ["Accept", "text/html"]],
        })),
        json!({
            "params": [{"name": "password", "value": "#"}, {"name": "user", "value": "y"}],
            "env": [{"key": "API_KEY", "value": "#", "id": 7}],
            "Tags": [{"Key": "db-password", "Value": "#"}, {"Key": "Owner", "Value": "y"}],
            "fields": [{"field": "client_secret", "from": "#", "to": "#", "author": "z"}],
            "headers": [["Authorization", "#"], ["Accept", "text/html"]],
        })
    );
}

#[test]
fn what_is_called_a_credential_keeps_its_own_state() {
    // An object that is named "deploy token" is not the token.
    let state =
        json!({"name": "deploy token", "before": {"scope": "read"}, "after": {"scope": "all"}});
    assert_eq!(redacted(state.clone()), state);
    let list = json!({"grant_types": ["password", "refresh_token"]});
    assert_eq!(redacted(list.clone()), list);
}

#[test]
fn headers_lose_what_signs_in() {
    assert_eq!(
        redacted(json!({"headers": {
            "authorization": "Bearer x", "cookie": ["a=b", "c=d"], "x-api-key": "k",
            "content-type": "application/json"
        }})),
        json!({"headers": {
            "authorization": "#", "cookie": "#", "x-api-key": "#",
            "content-type": "application/json"
        }})
    );
}

#[test]
fn what_holds_credentials_keeps_what_is_none() {
    assert_eq!(
        redacted(json!({
            "credentials": {"username": "svc_rpa", "password": "x", "value": "x", "key": "x"},
            "auth": {"type": "basic", "user": "y", "inner": {"data": "x"}},
            "authorization": ["Bearer x", {"role": "reader", "token": "x"}],
        })),
        json!({
            "credentials": {"username": "svc_rpa", "password": "#", "value": "#", "key": "#"},
            "auth": {"type": "basic", "user": "y", "inner": {"data": "#"}},
            "authorization": ["#", {"role": "reader", "token": "#"}],
        })
    );
    assert_eq!(
        redacted(json!({"credentials": "x"})),
        json!({"credentials": "#"})
    );
}

#[test]
fn numbers_under_a_plural_are_counts_and_codes_are_not() {
    assert_eq!(
        redacted(json!({
            "tokens": 4521, "usage": {"output_tokens": 17, "tokens": {"input": 3, "output": 4}},
            "pass": 12, "token": 12, "recovery_codes": [123_456], "tokens_left": 3,
        })),
        json!({
            "tokens": 4521, "usage": {"output_tokens": 17, "tokens": {"input": 3, "output": 4}},
            "pass": 12, "token": "#", "recovery_codes": "#", "tokens_left": "#",
        })
    );
}

#[test]
fn a_mark_is_a_prefix_and_32_digits_in_lowercase() {
    let mark = format!("redacted:{}", "0a".repeat(16));
    assert!(is_mark(&mark));
    for text in [
        "redacted:",
        &mark[1..],
        &mark[..mark.len() - 1],
        &format!("{mark}0"),
        &mark.to_uppercase(),
        &mark.replace("0a", "0A"),
        &mark.replace("0a", "0g"),
        &format!(" {mark}"),
        &mark.replace("0a", "å"),
    ] {
        assert!(!is_mark(text), "{text}");
    }
}

#[test]
fn a_mark_that_was_sent_is_left_and_counted() {
    let mark = format!("redacted:{}", "0a".repeat(16));
    let mut event = event();
    event.after = json!({"password": mark, "note": mark, "token": "x"})
        .as_object()
        .cloned();
    assert_eq!(redact(&mut event, &Rules::built_in(), &key(), WORKSPACE), 3);
    assert_eq!(event.after.unwrap()["password"], mark);
}

#[test]
fn a_mark_is_the_same_in_every_installation_with_the_key() {
    // HMAC-SHA256 with 32 bytes 0x07, over the length in 8 bytes, "workspace 1" and "\"x\"".
    let mark = key().mark(WORKSPACE, &json!("x"));
    assert_eq!(mark, "redacted:9f631d39af0764927120bfb4ee8f8370");
}

#[test]
fn equal_values_have_equal_marks_in_a_workspace_only() {
    let mark = |key: &Key, workspace: &[u8], value: Value| key.mark(workspace, &value);
    let one = mark(&key(), b"1", json!({"a": 1, "b": "x"}));
    assert_eq!(one, mark(&key(), b"1", json!({"b": "x", "a": 1.0})));
    assert_ne!(one, mark(&key(), b"2", json!({"a": 1, "b": "x"})));
    assert_ne!(one, mark(&key(), b"1", json!({"a": 2, "b": "x"})));
    assert_ne!(
        one,
        mark(&Key::new(&[8; 32]), b"1", json!({"a": 1, "b": "x"}))
    );
    assert_ne!(mark(&key(), b"1", json!("7")), mark(&key(), b"1", json!(7)));
}

#[test]
fn a_key_is_not_shown() {
    assert_eq!(format!("{:?}", key()), "Key(..)");
}

#[test]
fn an_event_from_a_sender_loses_its_credentials_alone() {
    let bounds = crate::event::Bounds {
        now: Timestamp::from_micros(0),
    };
    let sent = json!({
        "actor": {"kind": "user", "id": "u", "name": "password"}, "action": "PASSWORD_CHANGED",
        "target": {"kind": "secret", "id": "token"}, "description": "password: x",
    });
    let mut event = NewEvent::from_json(sent, bounds).unwrap();
    let before = event.clone();
    assert_eq!(redact(&mut event, &Rules::built_in(), &key(), WORKSPACE), 0);
    assert_eq!(event, before);
}

/// Values whose members are often credentials, their neighbours, or marks.
fn value() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("password"),
        Just("secrets"),
        Just("tokens"),
        Just("credentials"),
        Just("auth"),
        Just("name"),
        Just("key"),
        Just("value"),
        Just("field"),
        Just("to"),
        Just("data"),
        Just("note"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
        name.clone().prop_map(Value::from),
        any::<u128>().prop_map(|digits| format!("redacted:{digits:032x}").into()),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(name.clone(), inner, 0..5).prop_map(|members| members
                .into_iter()
                .map(|(n, v)| (n.to_owned(), v))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn redacting_again_changes_nothing(value in value()) {
        let mut event = event();
        event.after = Some([("after".to_owned(), value)].into_iter().collect());
        let (rules, key) = (Rules::built_in(), key());
        let marks = redact(&mut event, &rules, &key, WORKSPACE);
        let once = event.clone();
        prop_assert_eq!(redact(&mut event, &rules, &key, WORKSPACE), marks);
        prop_assert_eq!(event, once);
    }

    #[test]
    fn no_text_is_left_under_a_password(value in value(), password in "[a-z]{8}") {
        let mut event = event();
        let mut members: Object = [("value".to_owned(), value)].into_iter().collect();
        members.insert("inside".into(), json!([{"dbPassword": password}]));
        event.before = Some(members);
        redact(&mut event, &Rules::built_in(), &key(), WORKSPACE);
        prop_assert!(!canonical(&Value::Object(event.before.unwrap())).contains(&password));
    }

    #[test]
    fn a_place_reads_as_it_was_written(
        text in r#"(after|metadata|before)(\.a|\.b9|\[\]|\[\*\]|\[3\]|\["a b"\]|\["\[\]"\]|"|\\|x|\.){0,7}"#
    ) {
        if let Ok(place) = text.parse::<Place>() {
            prop_assert_eq!(place.to_string().parse(), Ok(place));
        }
    }

    #[test]
    fn any_text_is_answered_whether_it_is_a_place(text in any::<String>()) {
        if let Err(PlaceError::Unreadable { at }) = text.parse::<Place>() {
            prop_assert!(at <= text.chars().count() + 1);
        }
    }

    #[test]
    fn splitting_a_name_never_fails(name in any::<String>()) {
        Names::built_in().is_credential(&name);
    }
}

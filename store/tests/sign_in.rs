//! Signing in with a password.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::role::Role;
use log::Log;
use store::people::SignInError;

#[tokio::test]
async fn whatever_is_typed_as_an_address_is_wrong_and_is_counted() {
    let log = Log::new().await;
    for typed in [String::new(), "a\0b".to_owned(), "é€".repeat(5_000)] {
        let mut tried = 0;
        let refused = loop {
            match log.store.sign_in(&typed, "secret", None, None).await {
                Err(SignInError::Wrong) => tried += 1,
                Err(refused) => break refused,
                Ok(_) => panic!("nobody has an account here"),
            }
        };
        assert!(matches!(refused, SignInError::TooMany { .. }), "{refused}");
        assert!(tried > 1, "{tried}");
    }
}

#[tokio::test]
async fn how_somebody_uses_their_keyboard_is_theirs_wherever_they_sign_in() {
    let log = Log::new().await;
    let olga = log
        .person("olga@acme.example", "acme/growth", Role::Owner)
        .await;
    let kim = log
        .person("kim@acme.example", "acme/growth", Role::Member)
        .await;
    assert!(olga.single_keys && kim.single_keys);
    log.store.note_single_keys(&olga, false).await.unwrap();
    let olga = log.signed_in("olga@acme.example").await;
    assert!(!olga.single_keys);
    assert!(log.signed_in("kim@acme.example").await.single_keys);
    log.store.note_single_keys(&olga, true).await.unwrap();
    assert!(log.signed_in("olga@acme.example").await.single_keys);
}

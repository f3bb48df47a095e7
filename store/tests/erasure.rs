//! Erasure: what is taken out is found nowhere any more, all else is as before, and what may not be taken
//! out is refused.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod erasing;
mod log;

use domain::{
    erasure::Erased,
    event::{Actor, ActorKind, Event, EventId, Part, Parts},
    export::Format,
    question::{Filter, Query},
};
use erasing::{Erasing, JANE, asked, jane, one, parts, without};
use log::{BEGINNING, lines, operator};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use store::erasure::{ErasureError, What};
#[tokio::test]
async fn a_person_goes_from_all_that_they_did_or_carried_out_under_one_pseudonym() {
    let erasing = Erasing::with_jane().await;
    let before = erasing.by_seq().await;
    let what = jane();
    let would = erasing.log.store.would_erase(&erasing.scope, &what);
    let would = would.await.unwrap();
    assert_eq!(erasing.by_seq().await, before, "a look changes nothing");
    erasing.erase(&jane()).await;
    let after = erasing.by_seq().await;
    let is_jane =
        |actor: &Actor| actor.email.as_deref().map(str::to_lowercase).as_deref() == Some(JANE);
    let mut pseudonyms = BTreeSet::new();
    let mut counted: BTreeMap<Parts, u64> = BTreeMap::new();
    for (seq, event) in &before {
        let now = &after[seq];
        let mut expected = event.clone();
        if is_jane(&event.actor.actor) {
            expected.erased.push(Part::Actor);
            let id = now.actor.actor.id.clone();
            pseudonyms.insert(id.clone());
            let kind = ActorKind::User;
            let (name, email) = (None, None);
            expected.actor.actor = Actor {
                kind,
                id,
                name,
                email,
            };
        }
        if event.via.iter().any(is_jane) {
            expected.erased.push(Part::Via);
            expected.via[1] = now.via[1].clone();
            pseudonyms.insert(now.via[1].id.clone());
            assert_eq!((&now.via[1].name, &now.via[1].email), (&None, &None));
        }
        if !expected.erased.is_empty() {
            *counted
                .entry(expected.erased.iter().copied().collect())
                .or_default() += 1;
        }
        assert_eq!(*now, expected);
    }
    assert_eq!(counted, would.events);
    assert_eq!(counted.len(), 3);
    assert_eq!(pseudonyms, BTreeSet::from([would.pseudonym.clone()]));
    assert!(would.pseudonym.unwrap().starts_with("erased-"));
    // The log tells of it, and names nobody.
    let told: Vec<&Event> = after
        .values()
        .filter(|event| !before.contains_key(&event.seq))
        .collect();
    let [told] = told[..] else {
        panic!("one event tells of it")
    };
    assert_eq!(told.action.as_str(), "AUDIT_CONTENT_ERASED");
    assert_eq!(
        told.description.as_deref(),
        Some("Request 4711 under article 17")
    );
    let named = Erased::read(&told.after.as_ref().unwrap()["erased"]).unwrap();
    let expected: Erased = after
        .values()
        .filter(|event| !event.erased.is_empty())
        .map(|event| (event.seq, parts(&event.erased)))
        .collect();
    assert_eq!(named, expected);
    assert!(
        !serde_json::to_string(told)
            .unwrap()
            .to_lowercase()
            .contains("jane")
    );
}

#[tokio::test]
async fn nothing_is_found_by_what_was_erased() {
    let erasing = Erasing::with_jane().await;
    erasing.erase(&jane()).await;
    let scope = erasing.grant.read_scope().unwrap();
    for words in [
        "actor=jane",
        "actor=doe",
        "actor_id=usr_1",
        "via_id=usr_1",
        "q=roe",
    ] {
        let query = asked(words);
        let found = erasing.log.walk(&scope, &query).await;
        assert_eq!(found.len(), 0, "{words}");
        let counted = erasing.log.store.count(&scope, &query).await;
        assert!(counted.is_ok(), "{words}");
    }
    let pseudonym = erasing.events().await.into_iter();
    let pseudonym = pseudonym
        .filter(|event| event.erased.contains(&Part::Actor))
        .find_map(|event| event.actor.actor.id)
        .unwrap();
    let query = asked(&format!("actor_id={pseudonym}"));
    let found = erasing.log.walk(&scope, &query).await;
    let all = erasing.events().await;
    let theirs = all
        .iter()
        .filter(|event| event.erased.contains(&Part::Actor));
    assert_eq!(found.len(), theirs.count());
    // What is exported says the same as the pages.
    let export = erasing.grant.export_scope().unwrap();
    let file = erasing
        .log
        .exported(&export, &Query::default(), Format::Ndjson)
        .await;
    assert_eq!(file, lines(&all));
    if log::postgres().is_some() {
        assert_eq!(erasing.log.miscounted().await, 0);
    }
}

#[tokio::test]
async fn what_mentions_the_address_elsewhere_is_listed_with_its_parts() {
    let erasing = Erasing::with_jane().await;
    let would = erasing.mentions(JANE, true).await;
    erasing.erase(&jane()).await;
    let mentions = erasing.mentions(JANE, false).await;
    assert_eq!(mentions, would);
    let told: Vec<Parts> = mentions.iter().map(|mention| mention.parts).collect();
    assert_eq!(
        told,
        [
            parts(&[Part::Objects]),
            parts(&[Part::Change, Part::Details, Part::Context]),
            parts(&[Part::Facts]),
        ]
    );
}

#[tokio::test]
async fn an_event_loses_all_but_its_facts_and_again_nothing() {
    let erasing = Erasing::new().await;
    let (id, before) = one(&erasing).await;
    erasing.erase(&What::Event(id, None)).await;
    let scope = erasing.grant.read_scope().unwrap();
    let now = erasing.log.store.event(&scope, id).await.unwrap().unwrap();
    let gone = parts(&[
        Part::Actor,
        Part::Via,
        Part::Objects,
        Part::Change,
        Part::Details,
        Part::Context,
    ]);
    assert_eq!(now, without(before, gone, &now));
    assert!(now.actor.actor.id.clone().unwrap().starts_with("erased-"));
    assert_ne!(now.actor.actor.id, now.via[0].id);
    assert!(
        erasing
            .released(&What::Event(id, None))
            .await
            .unwrap()
            .is_empty()
    );
    let inclusion = erasing
        .log
        .store
        .inclusion(&scope, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(inclusion.hashes.keys().copied().collect::<Parts>(), gone);
    assert_eq!(
        inclusion.salts.keys().copied().collect::<Vec<_>>(),
        [Part::Facts]
    );
    let verified = erasing.verified().await.unwrap();
    let [tenant] = &verified.tenants[..] else {
        panic!("{verified:?}")
    };
    let [erased] = &tenant.erased[..] else {
        panic!("{tenant:?}")
    };
    assert_eq!((erased.entries, erased.parts), (1, gone));
    assert_eq!(
        erased.reason.as_deref(),
        Some("Request 4711 under article 17")
    );
    // Its key is gone with it: what is sent under it again is another event.
    one(&erasing).await;
    let all = erasing.events().await;
    assert_eq!(
        all.iter()
            .filter(|event| event.action.as_str() == "secret:rotate")
            .count(),
        2
    );
}

#[tokio::test]
async fn part_after_part_may_go() {
    let erasing = Erasing::new().await;
    let (id, before) = one(&erasing).await;
    let mut gone = Parts::NONE;
    for part in [
        Part::Context,
        Part::Actor,
        Part::Details,
        Part::Objects,
        Part::Change,
        Part::Via,
    ] {
        erasing.erase(&What::Event(id, Some(parts(&[part])))).await;
        gone = gone.with(part);
        let now = erasing
            .events()
            .await
            .into_iter()
            .find(|event| event.id == id)
            .unwrap();
        assert_eq!(now, without(before.clone(), gone, &now));
        erasing.verified().await.unwrap();
    }
}

#[tokio::test]
async fn of_one_chain_two_people_are_erased_one_after_the_other() {
    let erasing = Erasing::with_jane().await;
    erasing.erase(&jane()).await;
    erasing
        .erase(&What::Person("kim.berg@acme.example".parse().unwrap()))
        .await;
    for event in erasing.events().await {
        if event.erased.contains(&Part::Via) {
            assert!(
                event.via.iter().all(|actor| actor.email.is_none()),
                "{event:?}"
            );
            assert_ne!(event.via[0].id, event.via[1].id);
        }
    }
    erasing.verified().await.unwrap();
}

#[tokio::test]
async fn who_comes_again_is_a_new_person_until_they_are_erased_again() {
    let erasing = Erasing::with_jane().await;
    erasing.erase(&jane()).await;
    let (id, _) = one(&erasing).await;
    let find = |events: Vec<Event>| events.into_iter().find(|event| event.id == id).unwrap();
    assert_eq!(
        find(erasing.events().await).actor.actor.name.as_deref(),
        Some("Jane Doe")
    );
    erasing.erase(&jane()).await;
    let all = erasing.events().await;
    let pseudonyms: BTreeSet<_> = all
        .iter()
        .filter(|event| event.erased.contains(&Part::Actor))
        .map(|event| event.actor.actor.id.clone())
        .collect();
    assert_eq!(pseudonyms.len(), 1);
    assert!(find(all).erased.contains(&Part::Actor));
    erasing.verified().await.unwrap();
}

#[tokio::test]
async fn what_may_not_be_erased_is_refused_with_a_reason() {
    let erasing = Erasing::with_jane().await;
    let store = &erasing.log.store;
    let (id, _) = one(&erasing).await;
    let unknown = EventId(uuid::Uuid::nil());
    let refused = erasing.released(&What::Event(unknown, None)).await;
    assert!(matches!(refused, Err(ErasureError::UnknownEvent(_))));
    let facts = Some(parts(&[Part::Facts, Part::Actor]));
    let refused = erasing.released(&What::Event(id, facts)).await;
    assert!(matches!(refused, Err(ErasureError::Facts)));
    let telling = format!("asked for by {}", JANE.to_uppercase())
        .parse()
        .unwrap();
    for what in [jane(), What::Event(id, None)] {
        let refused = store
            .erase(&erasing.scope, &what, &telling, &operator())
            .await;
        assert!(
            matches!(refused, Err(ErasureError::ReasonTells)),
            "{what:?}"
        );
    }
    let mut own = erasing.events().await.into_iter();
    let own = own
        .find(|event| event.action.as_str() == "WORKSPACE_CREATED")
        .unwrap();
    let refused = erasing.released(&What::Event(own.id, None)).await;
    assert!(matches!(refused, Err(ErasureError::Judges { .. })));
    erasing
        .erase(&What::Event(
            own.id,
            Some(parts(&[Part::Objects, Part::Details])),
        ))
        .await;
    erasing.verified().await.unwrap();

    erasing.place_hold().await;
    let Err(ErasureError::Held(stands)) = erasing.released(&jane()).await else {
        panic!("a hold stands");
    };
    assert_eq!(stands.reason, "Lawsuit");
    let would = store.would_erase(&erasing.scope, &jane()).await;
    assert!(matches!(would, Err(ErasureError::Held(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// Random parts of random events, and random people: everything else is as before, what is found is
    /// what the events themselves say, and the log stays provable.
    #[test]
    fn everything_else_is_as_before(
        steps in prop::collection::vec((0_usize..40, 1_u8..64, any::<bool>()), 1..5)
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let erasing = Erasing::with_jane().await;
            let first = erasing.by_seq().await;
            let numbers: Vec<u64> = first
                .values()
                .filter(|event| event.source.is_none())
                .map(|event| event.seq)
                .collect();
            let people = [JANE, "priya.raman@acme.example", "kim.berg@acme.example"];
            for (which, bits, is_person) in steps {
                let before = erasing.by_seq().await;
                let gone = Parts::from_bits(bits << 1).unwrap();
                let seq = numbers[which % numbers.len()];
                let what = if is_person {
                    What::Person(people[which % 3].parse().unwrap())
                } else {
                    What::Event(before[&seq].id, Some(gone))
                };
                erasing.erase(&what).await;
                let after = erasing.by_seq().await;
                for (at, event) in &before {
                    let now = &after[at];
                    let more: Parts = parts(&now.erased).without(parts(&event.erased));
                    prop_assert!(is_person || *at == seq || more.is_empty());
                    if is_person {
                        prop_assert!(more.without(parts(&[Part::Actor, Part::Via])).is_empty());
                        let theirs = |actor: &Actor| actor
                            .email
                            .as_deref()
                            .map(str::to_lowercase)
                            .as_deref() == Some(people[which % 3]);
                        prop_assert!(!theirs(&now.actor.actor) && !now.via.iter().any(theirs));
                        let mut expected = event.clone();
                        expected.erased.clone_from(&now.erased);
                        if theirs(&event.actor.actor) {
                            expected.actor.clone_from(&now.actor);
                        }
                        for (member, now) in expected.via.iter_mut().zip(&now.via) {
                            if theirs(member) {
                                member.clone_from(now);
                            }
                        }
                        prop_assert_eq!(now, &expected);
                    } else {
                        let all = parts(&event.erased).and(more);
                        let mut expected = without(event.clone(), more, now);
                        expected.erased = all.list().to_vec();
                        prop_assert_eq!(now, &expected);
                    }
                }
                let scope = erasing.grant.read_scope().unwrap();
                for words in ["actor=jane", "actor=erased", "q=sales", "actor_id=usr_2", "q=kim"] {
                    let query = asked(words);
                    let found = erasing.log.walk(&scope, &query).await;
                    let found: BTreeSet<u64> = found.iter().map(|event| event.seq).collect();
                    let naive: BTreeSet<u64> = after
                        .values()
                        .filter(|event| matches(&query.filter, event))
                        .map(|event| event.seq)
                        .collect();
                    prop_assert_eq!(found, naive, "{}", words);
                }
            }
            prop_assert!(erasing.verified().await.is_ok());
            if log::postgres().is_some() {
                prop_assert_eq!(erasing.log.miscounted().await, 0);
            }
            Ok(())
        })?;
    }
}

/// Whether a filter finds an event, by its meaning.
fn matches(filter: &Filter, event: &Event) -> bool {
    let catalogue = domain::catalogue::Catalogue::default();
    let label = catalogue.reading(event.action.as_str()).label.to_string();
    filter.matches(event, &label, filter.span(log::time(BEGINNING)))
}

//! What is described is what is there.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use domain::{
    event::{Bounds, NewEvent},
    question::{BlameParameters, FeedQuery, HistogramQuery, Query, Unknown},
};

fn described() -> Value {
    let (_, document) = crate::api::operations().split_for_parts();
    serde_json::to_value(document).unwrap()
}

fn properties(document: &Value, schema: &str) -> Vec<String> {
    let schema = &document["components"]["schemas"][schema]["properties"];
    let mut names: Vec<String> = schema.as_object().unwrap().keys().cloned().collect();
    names.sort();
    names
}

#[test]
fn an_event_is_described_as_it_is_given_back() {
    let document = described();
    let example = event_example();
    let event: domain::event::Event = serde_json::from_value(example.clone()).unwrap();
    let given_back = serde_json::to_value(&event).unwrap();
    assert_eq!(given_back, example);

    let names = |value: &Value| -> Vec<String> {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(properties(&document, "Event"), names(&given_back));
    let actor = names(&given_back["actor"]);
    assert_eq!(properties(&document, "ShownActor"), actor);
    let via = names(&given_back["via"][0]);
    assert_eq!(properties(&document, "Actor"), via);
    let target = names(&given_back["target"]);
    assert_eq!(properties(&document, "Target"), target);
    let required = &document["components"]["schemas"]["Event"]["required"];
    assert_eq!(required.as_array().unwrap().len(), names(&given_back).len());
}

#[test]
fn every_field_that_is_described_for_senders_is_taken_and_no_other() {
    let document = described();
    let bounds = Bounds {
        now: "2026-05-12T09:14:03Z".parse().unwrap(),
    };
    // A sender who gives an unknown field is told which are known.
    let refused = NewEvent::from_json(json!({"colour": "red"}), bounds).unwrap_err();
    let reason = &refused
        .iter()
        .find(|error| error.field == "colour")
        .unwrap()
        .reason;
    let (_, known) = reason.rsplit_once(" are ").unwrap();
    let mut known: Vec<String> = known.split(", ").map(str::to_owned).collect();
    known.sort();
    assert_eq!(properties(&document, "NewEventFields"), known);
}

#[test]
fn every_parameter_that_is_described_is_taken_and_no_other() {
    let document = described();
    let described: Vec<String> = document["paths"]["/api/v1/events"]["get"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
        .collect();
    let refused = Query::read("colour=red", Unknown::Refused).faults;
    let (_, known) = refused[0].reason.rsplit_once(" are ").unwrap();
    let known: Vec<&str> = known.split(", ").collect();
    assert_eq!(described, known);
}

#[test]
fn every_parameter_of_a_feed_that_is_described_is_taken_and_no_other() {
    let document = described();
    let described: Vec<String> = document["paths"]["/api/v1/feed"]["get"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
        .collect();
    let (_, faults) = FeedQuery::read("colour=red");
    let (_, known) = faults[0].reason.rsplit_once(" are ").unwrap();
    let known: Vec<&str> = known.split(", ").collect();
    assert_eq!(described, known);
}

#[test]
fn every_parameter_of_the_histogram_that_is_described_is_taken_and_no_other() {
    let document = described();
    let described: Vec<String> = document["paths"]["/api/v1/events/histogram"]["get"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
        .collect();
    let (_, faults) = HistogramQuery::read("colour=red");
    let (_, known) = faults[0].reason.rsplit_once(" are ").unwrap();
    let known: Vec<&str> = known.split(", ").collect();
    assert_eq!(described, known);
}

#[test]
fn every_parameter_of_blame_that_is_described_is_taken_and_no_other() {
    let document = described();
    let described: Vec<String> =
        document["paths"]["/api/v1/objects/{kind}/{id}/blame"]["get"]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect();
    let (_, faults) = BlameParameters::read("colour=red", Unknown::Refused);
    let (_, known) = faults[0].reason.rsplit_once(" are ").unwrap();
    let known: Vec<&str> = known.split(", ").collect();
    assert_eq!(described, known);
}

#[test]
fn the_examples_that_are_described_are_taken() {
    let document = described();
    let bounds = Bounds {
        now: "2026-05-12T09:14:03Z".parse().unwrap(),
    };
    let body = &document["paths"]["/api/v1/events"]["post"]["requestBody"]["content"];
    let examples = body["application/json"]["examples"].as_object().unwrap();
    assert_eq!(examples.len(), 2);
    for example in examples.values() {
        let events = match example["value"].clone() {
            Value::Array(events) => events,
            event => vec![event],
        };
        for event in events {
            NewEvent::from_json(event, bounds).unwrap();
        }
    }
}

#[test]
fn nothing_that_is_referred_to_is_missing() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    found.push(reference.clone());
                }
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = described();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

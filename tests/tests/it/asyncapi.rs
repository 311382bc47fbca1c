//! `schemas/asyncapi.json` is a valid AsyncAPI 3.0.0 document, and says of the topics what the schemas say of the kinds.

use std::collections::BTreeSet;

use ringtrace_model::Known;
use serde_json::Value;

use crate::files::{json, project};

/// AsyncAPI's own schema, from the npm package `@asyncapi/specs`.
const PUBLISHED: &str = "tests/node_modules/@asyncapi/specs/schemas/3.0.0.json";

fn document() -> Value {
    json("schemas/asyncapi.json")
}

/// Every `$ref` of a document.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// The schema files that the messages of a channel refer to.
fn payloads(document: &Value, channel: &str) -> BTreeSet<String> {
    let messages = document["channels"][channel]["messages"].as_object().unwrap().values();
    let targets = messages.map(|message| message["$ref"].as_str().unwrap().trim_start_matches('#'));
    let messages = targets.map(|target| document.pointer(target).unwrap());
    messages.filter_map(|message| message["payload"]["schema"]["$ref"].as_str()).map(str::to_owned).collect()
}

#[test]
fn it_is_valid_by_asyncapi_s_published_schema() {
    assert!(project(PUBLISHED).exists(), "{PUBLISHED} is missing: run `npm ci` in tests/");
    let published = json(PUBLISHED);
    let validator = jsonschema::options().offline().build(&published).unwrap();
    let document = document();
    let errors: Vec<String> = validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut broken = document;
    broken["channels"]["pushEvents"]["topic"] = "x".into();
    assert!(!validator.is_valid(&broken), "the published schema refuses nothing");
}

#[test]
fn its_topics_are_those_of_the_contract() {
    let document = document();
    let channels = document["channels"].as_object().unwrap().values();
    let topics: BTreeSet<&str> = channels.map(|channel| channel["address"].as_str().unwrap()).collect();
    let expected = [
        "push-events",
        "call-events",
        "device-events",
        "ringtrace.internal",
        "ringtrace.calls",
        "ringtrace.verdicts",
        "ringtrace.dead-letters",
    ];
    assert_eq!(topics, BTreeSet::from(expected));
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    for reference in references(&document) {
        match reference.strip_prefix('#') {
            Some(pointer) => assert!(document.pointer(pointer).is_some(), "{reference}"),
            None => assert!(project("schemas").join(reference).exists(), "{reference}"),
        }
    }
}

#[test]
fn every_kind_is_a_message_of_its_topic() {
    let document = document();
    for kind in Known::ALL.iter().map(|kind| kind.as_str()) {
        let channel = match kind.split_once('.') {
            Some(("push", _)) => "pushEvents",
            Some(("call", _)) => "callEvents",
            _ => "deviceEvents",
        };
        assert!(payloads(&document, channel).contains(&format!("events/{kind}.json")), "{kind} in {channel}");
    }
    assert!(payloads(&document, "verdicts").contains("outputs/verdict.json"));
}

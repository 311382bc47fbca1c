//! The examples of `schemas/examples`: what is valid passes schema and model, what is not passes neither.

use ringtrace_model::{Event, Known, Reject, Rules, Scope};
use serde_json::Value;

use crate::files::{Invalid, lines, texts};
use crate::folding::Calls;
use crate::schemas::SCHEMAS;

/// Every valid example event, with the name of its file.
pub fn valid() -> impl Iterator<Item = (String, Value)> {
    let files = texts("schemas/examples", ".jsonl").into_iter();
    files.flat_map(|(name, text)| lines(&text).map(|event| (name.clone(), event)).collect::<Vec<_>>())
}

fn invalid() -> impl Iterator<Item = Invalid> {
    let files = texts("schemas/examples/invalid", ".jsonl").into_iter();
    files.flat_map(|(_, text)| lines(&text).map(Invalid::of).collect::<Vec<_>>())
}

#[test]
fn every_example_is_valid_by_the_schema_of_its_kind() {
    for (name, event) in valid() {
        assert_eq!(SCHEMAS.refusal(&format!("events/{name}.json"), &event), None, "{event}");
        assert_eq!(SCHEMAS.refusal("events/event.json", &event), None, "{event}");
    }
}

#[test]
fn every_example_parses_and_folds() {
    for (name, event) in valid() {
        let text = event.to_string();
        let (event, log_at) = Event::parse_line(text.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert_eq!(event.kind.as_str() == name, Known::parse(event.kind.as_str()).is_some(), "{name}: {text}");
        let mut calls = Calls::default();
        let key = calls.apply(&event, log_at);
        let evaluation = key.as_ref().and_then(|key| calls.0[key].evaluate(key, &Rules::default(), i64::MAX));
        let legs = evaluation.map(|evaluation| evaluation.legs.len());
        let expected = match event.scope() {
            Scope::Leg => Some(1),
            Scope::Call => Some(0),
            Scope::History => None,
        };
        assert_eq!(legs, expected, "{text}");
    }
}

#[test]
fn every_kind_has_at_least_two_examples() {
    let names: Vec<String> = valid().map(|(name, _)| name).collect();
    for kind in Known::ALL.iter().map(|kind| kind.as_str()).chain(["unknown"]) {
        assert!(names.iter().filter(|name| *name == kind).count() >= 2, "{kind}");
    }
    assert!(names.iter().all(|name| name == "unknown" || Known::parse(name).is_some()));
}

#[test]
fn every_invalid_example_is_refused_by_the_model() {
    for Invalid { why, text, log_at, reason, field, .. } in invalid() {
        let reject = match &text {
            Some(text) => Event::parse(text.as_bytes(), log_at).err(),
            None => Some(Reject::TOMBSTONE),
        };
        let reject = reject.unwrap_or_else(|| panic!("{why}: is valid: {text:?}"));
        assert_eq!(reject.reason.as_str(), reason, "{why}: {text:?}");
        let named = reject.detail.split_once(": ").map(|(named, _)| named);
        assert_eq!(named, Some(&*field), "{why}: {text:?}");
    }
}

#[test]
fn every_invalid_example_is_refused_by_the_schema_where_it_can_say_so() {
    let mut exceptions = 0;
    for Invalid { why, value, schema, .. } in invalid() {
        let Some(value) = value else { continue };
        assert_eq!(!SCHEMAS.accepts("events/event.json", &value), schema, "{why}: {value}");
        let kind = value["kind"].as_str().and_then(Known::parse).map_or("unknown", Known::as_str);
        assert_eq!(!SCHEMAS.accepts(&format!("events/{kind}.json"), &value), schema, "{why}: {value}");
        exceptions += u32::from(!schema);
    }
    assert!(exceptions > 10);
}

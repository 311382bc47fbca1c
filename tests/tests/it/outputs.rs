//! What the model prints is what `schemas/outputs` promises.

use ringtrace_model::{Diagnosis, EndReason, Outcome, Reason, Verdict};
use serde_json::{Value, json};

use crate::files::{self, lines, texts};
use crate::folding::Calls;
use crate::schemas::SCHEMAS;

/// Checks rows of `legs` and `calls` against their schemas.
pub fn check_rows(name: &str, calls: &Calls, now: i64) {
    let (legs, calls) = calls.rows(now);
    for (schema, rows) in [("outputs/leg.json", legs), ("outputs/call.json", calls)] {
        for row in rows {
            assert_eq!(SCHEMAS.refusal(schema, &row), None, "{name}: {row}");
        }
    }
}

#[test]
fn legs_and_calls_of_every_scenario_are_valid() {
    for (name, text) in texts("tests/scenarios", ".jsonl") {
        if name.ends_with(".expected") {
            continue;
        }
        let calls = Calls::of_lines(&text);
        let log_times = lines(&text).filter_map(|event| event["log_at"].as_i64().or(event["occurred_at"].as_i64()));
        for now in log_times.chain([i64::MAX]) {
            check_rows(&name, &calls, now);
        }
    }
}

#[test]
fn expected_legs_of_every_scenario_are_valid() {
    for (name, text) in texts("tests/scenarios", ".expected.jsonl") {
        for leg in lines(&text) {
            assert_eq!(SCHEMAS.refusal("outputs/leg.json", &leg), None, "{name}: {leg}");
        }
    }
}

#[test]
fn examples_of_outputs_are_valid() {
    for (name, text) in texts("schemas/examples/outputs", ".jsonl") {
        for output in lines(&text) {
            assert_eq!(SCHEMAS.refusal(&format!("outputs/{name}.json"), &output), None, "{output}");
        }
    }
}

#[test]
fn evidence_belongs_to_unreported_alone() {
    let (_, text) = &texts("schemas/examples/outputs", "verdict.jsonl")[0];
    for verdict in lines(text) {
        let with = |evidence: Value| {
            let mut changed = verdict.clone();
            changed["evidence"] = evidence;
            SCHEMAS.accepts("outputs/verdict.json", &changed)
        };
        let is_unreported = verdict["verdict"] == "unreported";
        assert_eq!((with(json!("probable")), with(json!(null))), (is_unreported, !is_unreported));
    }
}

#[test]
fn closed_lists_are_the_model_s() {
    let common = files::json("schemas/outputs/common.json");
    let check = |name: &str, list: &Value, words: Vec<&str>| {
        let listed: Vec<&str> = list["enum"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(listed, words, "{name}");
    };
    let defs = &common["$defs"];
    check("verdict", &defs["verdict"], Verdict::ALL.iter().map(|word| word.as_str()).collect());
    check("outcome", &defs["outcome"], Outcome::ALL.iter().map(|word| word.as_str()).collect());
    check("end_reason", &defs["end_reason"], EndReason::ALL.iter().map(|word| word.as_str()).collect());
    check("diagnoses", &defs["diagnoses"]["items"], Diagnosis::ALL.iter().map(|word| word.as_str()).collect());
    let headers = files::json("schemas/outputs/dead-letter-headers.json");
    check("reason", &headers["properties"]["ringtrace.reason"], Reason::ALL.iter().map(|word| word.as_str()).collect());
}

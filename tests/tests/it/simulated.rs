//! Simulated events against the schemas, and what calls show while the log runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use ringtrace_model::{Event, Evidence, Outcome, Rules, Verdict};
use ringtrace_tests::simulated::{EVENTFUL, quarter_of_an_hour, records};
use ringtrace_tests::stack::Given;
use serde_json::Value;

use crate::folding::Calls;
use crate::outputs::check_rows;
use crate::schemas::SCHEMAS;

static RECORDS: LazyLock<Vec<Given>> = LazyLock::new(|| records(EVENTFUL, quarter_of_an_hour()));

/// Gives every event in order of log time.
fn each_event(mut take: impl FnMut(&Event<'_>, i64)) {
    for record in RECORDS.iter() {
        let value = record.value.as_deref().unwrap();
        let event =
            Event::parse(value, record.log_at).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(value)));
        take(&event, record.log_at);
    }
}

#[test]
fn every_event_is_valid_by_its_schema() {
    for record in RECORDS.iter() {
        let event: Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
        assert_eq!(SCHEMAS.refusal("events/event.json", &event), None, "{event}");
    }
}

#[test]
fn keys_are_those_that_producers_use() {
    for record in RECORDS.iter() {
        let event: Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
        let field = if record.topic == "device-events" { "device_id" } else { "call_uuid" };
        let key = record.key.as_deref().map(|key| std::str::from_utf8(key).unwrap().to_owned());
        let expected = event[field].as_str().map(|text| match field {
            "call_uuid" => text.to_ascii_lowercase(),
            _ => text.to_owned(),
        });
        assert_eq!(key, expected, "{event}");
    }
}

#[test]
fn rows_are_valid_by_their_schemas() {
    let mut calls = Calls::default();
    each_event(|event, log_at| drop(calls.apply(event, log_at)));
    check_rows("simulated", &calls, i64::MAX);
}

/// What calls and legs show while the log runs: the lines of the verdict table, and outcomes, each with its legs.
#[derive(Default)]
struct Provisional {
    lines: BTreeMap<u8, BTreeSet<String>>,
    outcomes: BTreeMap<Outcome, BTreeSet<String>>,
    /// Legs that were once held for violating, by silence.
    suspected: BTreeSet<String>,
}

/// Judges each call just before and just after each of its events.
fn provisional(calls: &mut Calls) -> Provisional {
    let mut seen = Provisional::default();
    let rules = Rules::default();
    each_event(|event, log_at| {
        let Some(call_uuid) = event.call_uuid else { return };
        let key = ringtrace_model::CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid };
        for _ in 0..2 {
            let evaluation = calls.0.get(&key).and_then(|call| call.evaluate(&key, &rules, log_at));
            for leg in evaluation.iter().flat_map(|evaluation| &evaluation.legs) {
                let name = format!("{}/{}", leg.call_uuid, leg.device_id);
                seen.lines.entry(leg.decision.line).or_default().insert(name.clone());
                seen.outcomes.entry(leg.outcome).or_default().insert(name.clone());
                if leg.evidence == Some(Evidence::Probable) {
                    seen.suspected.insert(name);
                }
            }
            calls.apply(event, log_at);
        }
    });
    seen
}

#[test]
fn while_the_log_runs_calls_are_pending_and_suspicions_are_withdrawn() {
    let mut calls = Calls::default();
    let seen = provisional(&mut calls);
    for line in [4, 14] {
        assert!(seen.lines[&line].len() >= 3, "line {line}");
    }
    assert!(seen.outcomes[&Outcome::InProgress].len() >= 3);
    let mut withdrawn = 0;
    let mut negative = 0;
    for (key, call) in &calls.0 {
        let Some(evaluation) = call.evaluate(key, &Rules::default(), i64::MAX) else { continue };
        negative += evaluation.negative_latencies;
        for leg in evaluation.legs.iter().filter(|leg| leg.verdict == Verdict::Reported) {
            withdrawn += usize::from(seen.suspected.contains(&format!("{}/{}", leg.call_uuid, leg.device_id)));
        }
    }
    assert!(withdrawn >= 3, "{withdrawn} withdrawn");
    assert!(negative >= 3, "{negative} negative latencies: some clocks are wrong");
}

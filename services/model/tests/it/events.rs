//! Short ways to write events and to fold them.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use proptest::test_runner::{Config as ProptestConfig, RngSeed};
use ringtrace_model::{Call, CallKey, Event, Rules};
use serde_json::{Map, Value, json};

/// The call that [`event`] writes about.
pub const CALL: &str = "7b001eef-5c1e-4b7a-9d3f-001f00c27719";

/// The time that [`event`] counts from, in milliseconds since the Unix epoch.
pub const T0: i64 = 1_790_000_000_000;

/// An event of [`CALL`] on the phone `d1`, `at` milliseconds after [`T0`]; `more` adds fields or, by null, removes them.
pub fn event(id: &str, kind: &str, at: i64, more: Value) -> Value {
    let mut event = json!({
        "event_id": id, "kind": kind, "occurred_at": T0 + at, "app_id": "com.acme.talk", "call_uuid": CALL, "device_id": "d1",
    });
    let fields: &mut Map<String, Value> = event.as_object_mut().unwrap();
    for (key, value) in more.as_object().unwrap() {
        fields.insert(key.clone(), value.clone());
    }
    event
}

/// As [`event`], of the server about the call as a whole.
pub fn server(id: &str, kind: &str, at: i64) -> Value {
    event(id, kind, at, json!({"device_id": null}))
}

/// An event of [`CALL`] on `d1`, an iPhone, with a valid value in every field that its kind requires. Its pushes are voip
/// pushes named `p1`.
pub fn ios(kind: &str, at: i64, more: Value) -> Value {
    let mut fields = json!({"platform": "ios"});
    let defaults = match kind {
        "push.sent" => json!({"push_id": "p1", "channel": "apns_voip"}),
        "push.handler_returned" => json!({"push_id": "p1", "reported": true}),
        "call.report_failed" => json!({"error_domain": "incoming_call", "error_code": 0}),
        kind if kind.starts_with("push.") => json!({"push_id": "p1"}),
        _ => json!({}),
    };
    merge(&mut fields, &defaults);
    merge(&mut fields, &more);
    event(&format!("{kind}@{at}"), kind, at, fields)
}

/// As [`ios`], on an Android phone: its pushes go through FCM.
pub fn android(kind: &str, at: i64, more: Value) -> Value {
    let mut fields = json!({"platform": "android"});
    if kind == "push.sent" {
        merge(&mut fields, &json!({"channel": "fcm"}));
    }
    merge(&mut fields, &more);
    ios(kind, at, fields)
}

fn merge(into: &mut Value, more: &Value) {
    let into = into.as_object_mut().unwrap();
    into.extend(more.as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.clone())));
}

/// Settings of a randomised test: its seed is `RINGTRACE_SEED`, or a new one, and is printed when the test fails.
/// `RINGTRACE_LONG` asks for a hundred times as many cases.
pub fn random(cases: u32) -> ProptestConfig {
    let given = std::env::var("RINGTRACE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
    eprintln!("RINGTRACE_SEED={seed}");
    let factor = if std::env::var_os("RINGTRACE_LONG").is_some() { 100 } else { 1 };
    ProptestConfig {
        cases: cases * factor,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Calls by key, as a linker holds them.
#[derive(Default)]
pub struct Calls(pub BTreeMap<CallKey, Call>);

impl Calls {
    pub fn of(events: &[Value]) -> Self {
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        Self::of_lines(&lines.join("\n"))
    }

    pub fn of_lines(lines: &str) -> Self {
        let mut calls = Self::default();
        for line in lines.lines() {
            let (event, log_at) = Event::parse_line(line.as_bytes()).unwrap_or_else(|e| panic!("{e}: {line}"));
            calls.apply(&event, log_at);
        }
        calls
    }

    pub fn apply(&mut self, event: &Event<'_>, log_at: i64) -> bool {
        let Some(call_uuid) = event.call_uuid else { return false };
        let key = CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid };
        self.0.entry(key).or_default().apply(event, log_at)
    }

    /// The rows of `legs` at a log time, as `explain` prints them.
    pub fn legs(&self, now: i64) -> Vec<Value> {
        let rules = Rules::default();
        let evaluations = self.0.iter().filter_map(|(key, call)| call.evaluate(key, &rules, now));
        evaluations
            .flat_map(|e| e.legs.iter().map(|leg| serde_json::to_value(leg).unwrap()).collect::<Vec<_>>())
            .collect()
    }

    /// The rows of `calls` at a log time, as `explain` prints them.
    pub fn calls(&self, now: i64) -> Vec<Value> {
        let rules = Rules::default();
        let evaluations = self.0.iter().filter_map(|(key, call)| call.evaluate(key, &rules, now));
        evaluations.map(|e| serde_json::to_value(&e.call).unwrap()).collect()
    }
}

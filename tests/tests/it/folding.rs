//! Calls in memory, as a linker holds them.

use std::collections::BTreeMap;

use ringtrace_model::{Call, CallKey, Event, Rules};
use serde_json::Value;

/// Calls by key.
#[derive(Default)]
pub struct Calls(pub BTreeMap<CallKey, Call>);

impl Calls {
    /// Folds the events of a text with one in each line.
    pub fn of_lines(text: &str) -> Self {
        let mut calls = Self::default();
        for line in text.lines() {
            let (event, log_at) = Event::parse_line(line.as_bytes()).unwrap_or_else(|e| panic!("{e}: {line}"));
            calls.apply(&event, log_at);
        }
        calls
    }

    /// Folds an event in; the key of its call, where it names one.
    pub fn apply(&mut self, event: &Event<'_>, log_at: i64) -> Option<CallKey> {
        let key = CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid: event.call_uuid? };
        self.0.entry(key.clone()).or_default().apply(event, log_at);
        Some(key)
    }

    /// The rows of `legs` and of `calls` at a log time, as `explain` prints them.
    pub fn rows(&self, now: i64) -> (Vec<Value>, Vec<Value>) {
        self.rows_by(&Rules::default(), now)
    }

    /// The same, by other rules.
    pub fn rows_by(&self, rules: &Rules, now: i64) -> (Vec<Value>, Vec<Value>) {
        let (mut legs, mut calls) = (Vec::new(), Vec::new());
        for (key, call) in &self.0 {
            let Some(evaluation) = call.evaluate(key, rules, now) else { continue };
            legs.extend(evaluation.legs.iter().map(|leg| serde_json::to_value(leg).unwrap()));
            calls.push(serde_json::to_value(&evaluation.call).unwrap());
        }
        (legs, calls)
    }
}

//! What the contract says of a set of records, by the model's own fold.

use std::collections::{BTreeMap, BTreeSet};

use ringtrace_model::{CallKey, Dimension, Event, Reason, Reject, Rules};
use ringtrace_tests::stack::{Case, Given};
use serde_json::{Map, Value, json};

use crate::folding::Calls;

/// Names of the text dimensions, in the model's order.
const DIMENSIONS: [&str; Dimension::TEXTS] =
    ["os_version", "app_version", "sdk_version", "device_model", "country", "carrier", "network", "build_channel"];

/// A row of `events` or `device_events`, and the sources that it may name; any where there are none.
pub struct EventRow {
    pub row: Map<String, Value>,
    pub log_at: i64,
    pub sources: BTreeSet<String>,
}

/// A record that must be a dead letter.
pub struct DeadLetter {
    pub given: Given,
    pub reject: Reject,
}

/// See the module's text.
#[derive(Default)]
pub struct Expected {
    pub legs: Vec<Value>,
    pub calls: Vec<Value>,
    pub events: BTreeMap<String, EventRow>,
    pub device_events: BTreeMap<String, EventRow>,
    /// By source.
    pub dead_letters: BTreeMap<String, DeadLetter>,
    folded: Calls,
}

impl Expected {
    /// Folds records that were written under `sources`.
    pub fn of(case: &Case, records: &[Given], sources: &[String]) -> Self {
        Expected::by(&Rules::default(), |_| i64::MAX, case, records, sources)
    }

    /// The same by other rules, at a log time for each call.
    pub fn by(
        rules: &Rules,
        now: impl Fn(&CallKey) -> i64,
        case: &Case,
        records: &[Given],
        sources: &[String],
    ) -> Self {
        let mut expected = Expected::default();
        let mut calls = Calls::default();
        for (given, source) in records.iter().zip(sources) {
            let parsed =
                given.value.as_deref().map_or(Err(Reject::TOMBSTONE), |value| Event::parse(value, given.log_at));
            match parsed {
                Ok(event) => expected.take(&mut calls, given, &event, source),
                Err(reject) => {
                    let given = Given { topic: case.topic(&given.topic), ..given.clone() };
                    expected.dead_letters.insert(source.clone(), DeadLetter { given, reject });
                }
            }
        }
        (expected.legs, expected.calls) = calls.rows_by(rules, now);
        expected.folded = calls;
        expected
    }

    /// The same calls, by other rules.
    pub fn judged_by(mut self, rules: &Rules) -> Self {
        (self.legs, self.calls) = self.folded.rows_by(rules, |_| i64::MAX);
        self
    }

    /// A valid record that ClickHouse does not take.
    pub fn refuse(&mut self, case: &Case, given: &Given, source: &str) {
        let given = Given { topic: case.topic(&given.topic), ..given.clone() };
        let reject = Reject { reason: Reason::NotStorable, detail: "value: is refused by ClickHouse".into() };
        self.dead_letters.insert(source.to_owned(), DeadLetter { given, reject });
    }

    /// Lets any source do.
    pub fn forget_sources(&mut self) {
        self.events.values_mut().chain(self.device_events.values_mut()).for_each(|event| event.sources.clear());
    }

    fn take(&mut self, calls: &mut Calls, given: &Given, event: &Event<'_>, source: &str) {
        let is_device_topic = given.topic == "device-events";
        if is_device_topic || !event.is_call_event() {
            let key = format!("{} {:?} {} {}", event.tenant_id, event.device_id, event.event_id, event.contents);
            insert(&mut self.device_events, key, event, given.log_at, source);
        }
        let is_of_call = if is_device_topic { event.is_forwarded() } else { event.is_call_event() };
        if is_of_call {
            let key = format!("{} {:?} {} {}", event.tenant_id, event.call_uuid, event.event_id, event.contents);
            insert(&mut self.events, key, event, given.log_at, source);
            calls.apply(event, given.log_at);
        }
    }
}

fn insert(rows: &mut BTreeMap<String, EventRow>, key: String, event: &Event<'_>, log_at: i64, source: &str) {
    let held = rows.entry(key).or_insert_with(|| EventRow { row: row_of(event), log_at, sources: BTreeSet::new() });
    if log_at < held.log_at {
        held.log_at = log_at;
        held.sources.clear();
    }
    if log_at == held.log_at {
        held.sources.insert(source.to_owned());
    }
}

fn row_of(event: &Event<'_>) -> Map<String, Value> {
    let mut row = Map::new();
    let mut put = |key: &str, value: Value| row.insert(key.to_owned(), value);
    put("tenant_id", json!(event.tenant_id));
    put("call_uuid", json!(event.call_uuid.map(|uuid| uuid.hyphenated().to_string())));
    put("event_id", json!(event.event_id));
    put("kind", json!(event.kind.as_str()));
    put("occurred_at", json!(event.occurred_at));
    put("app_id", json!(event.app_id));
    put("device_id", json!(event.device_id));
    put("platform", json!(event.platform.map(|platform| platform.as_str())));
    for (name, value) in DIMENSIONS.iter().zip(&event.dimensions) {
        put(name, json!(value));
    }
    put("clock_offset_ms", json!(event.clock_offset_ms));
    put("mono_ms", json!(event.mono_ms));
    put("boot_id", json!(event.boot_id));
    put("attributes", json!(event.attributes));
    row
}

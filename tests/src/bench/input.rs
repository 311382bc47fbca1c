//! The input: the example traffic again and again, each round with ids and times of its own.

use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat};
use ringtrace_model::{DAY_MS, Event, Scope, Uuid};
use serde_json::Value;

use crate::stack::{Case, Given};
use crate::traffic::{Record, SEED, START, Topic, generate};

/// When the first round starts: a year before the traffic does, so that nothing lies in the future.
const FIRST_ROUND: i64 = START - 365 * DAY_MS;

/// Records that are held in memory at a time.
const CHUNK: usize = 50_000;

/// What was written, and what has to come of it.
#[derive(Debug, Default)]
pub struct Input {
    /// Records.
    pub events: u64,
    /// Bytes of their values.
    pub value_bytes: u64,
    /// Bytes of their keys.
    pub key_bytes: u64,
    /// Log time from the first to the last, in milliseconds.
    pub span_ms: i64,
    /// Contents of the distinct events of calls.
    pub of_calls: HashSet<u64>,
    /// Contents of the distinct events of the device topic.
    pub of_devices: HashSet<u64>,
    /// Legs: call and device.
    pub legs: HashSet<(Uuid, String)>,
}

/// Fills the case's topics with `events` records, one round of the traffic after the other.
pub fn fill(case: &Case, events: usize) -> Input {
    let records = generate(SEED).records;
    let round_ms = records.last().map_or(0, |record| record.log_at) - START + 1;
    let mut input = Input::default();
    let order: Vec<(usize, &Record)> =
        (0..).flat_map(|round| records.iter().map(move |record| (round, record))).take(events).collect();
    if let Some((rounds, last)) = order.last() {
        input.span_ms = last.log_at - START + *rounds as i64 * round_ms;
    }
    for chunk in order.chunks(CHUNK) {
        let given: Vec<Given> = chunk.iter().map(|(round, record)| again(record, *round, round_ms)).collect();
        given.iter().for_each(|record| input.note(record));
        case.write(&given);
    }
    input
}

/// A record as round `round` has it.
fn again(record: &Record, round: usize, round_ms: i64) -> Given {
    let by = FIRST_ROUND - START + round as i64 * round_ms;
    let mut record = Record { log_at: record.log_at + by, ..record.clone() };
    for (name, value) in &mut record.fields {
        match (name.as_str(), &*value) {
            ("occurred_at" | "expires_at", Value::Number(at)) => {
                let at = at.as_i64().unwrap_or_default();
                *value = if at == 0 { at } else { at + by }.into();
            }
            ("occurred_at", Value::String(at)) => *value = text_time(at, by).into(),
            ("call_uuid" | "push_id" | "event_id", Value::String(id)) => *value = id_of(id, round).into(),
            _ => {}
        }
    }
    Given {
        topic: record.topic.name().to_owned(),
        key: Some(record.key().into_bytes()),
        value: Some(record.value().into_bytes()),
        log_at: record.log_at,
        ..Given::default()
    }
}

fn text_time(at: &str, by: i64) -> String {
    let at = DateTime::parse_from_rfc3339(at).expect("the traffic writes RFC 3339").timestamp_millis();
    let moved = DateTime::from_timestamp_millis(at + by).expect("a time of this century");
    moved.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// An id of a round: a UUID stays one, in its case.
fn id_of(id: &str, round: usize) -> String {
    let Ok(uuid) = Uuid::try_parse(id) else { return format!("{id}.{round}") };
    // Below the version, above the variant.
    let uuid = Uuid::from_u128(uuid.as_u128() ^ (round as u128) << 64).hyphenated().to_string();
    if id.contains(|c: char| c.is_ascii_uppercase()) { uuid.to_ascii_uppercase() } else { uuid }
}

impl Input {
    fn note(&mut self, record: &Given) {
        let value = record.value.as_deref().unwrap_or_default();
        self.events += 1;
        self.value_bytes += value.len() as u64;
        self.key_bytes += record.key.as_ref().map_or(0, Vec::len) as u64;
        let event = Event::parse(value, record.log_at).expect("the traffic is valid");
        let is_of_device = record.topic == Topic::Device.name();
        if is_of_device {
            self.of_devices.insert(event.contents);
        }
        if !is_of_device || event.is_forwarded() {
            self.of_calls.insert(event.contents);
            if let (Scope::Leg, Some(call), Some(device)) = (event.scope(), event.call_uuid, &event.device_id) {
                self.legs.insert((call, device.to_string()));
            }
        }
    }
}

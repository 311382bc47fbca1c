//! Records that are not valid: good ones, damaged in the ways that producers damage them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::record::Record;
use super::rng::Rng;

/// What is wrong, which kind it happens to, the field, its value (null removes it), and the dead letter's reason.
type Damage = (&'static str, &'static str, &'static str, Value, &'static str);

fn damages() -> Vec<Damage> {
    let (missing, invalid) = ("missing_field", "invalid_field");
    vec![
        ("a gateway forgets the call", "push.sent", "call_uuid", Value::Null, missing),
        ("a gateway forgets the device", "push.accepted", "device_id", Value::Null, missing),
        ("a gateway forgets the channel", "push.sent", "channel", Value::Null, missing),
        ("an SDK forgets whether it reported", "push.handler_returned", "reported", Value::Null, missing),
        ("an SDK forgets the error code", "call.report_failed", "error_code", Value::Null, missing),
        ("an SDK forgets the event id", "call.answered", "event_id", Value::Null, missing),
        ("a UUID without hyphens", "call.reported", "call_uuid", json!("0f0e0d0c0b0a49080706050403020100"), invalid),
        ("an empty device id", "push.received", "device_id", json!(""), invalid),
        ("a new channel", "push.sent", "channel", json!("web_push"), invalid),
        ("a new platform", "call.answered", "platform", json!("visionos"), invalid),
        ("another language's word", "push.received", "app_state", json!("Background"), invalid),
        ("a number as a text", "push.accepted", "status", json!("200"), invalid),
        ("a number as a float", "call.ended", "disconnect_cause", json!(3.5), invalid),
        ("a reason that CallKit lacks", "call.ended", "end_reason", json!(6), invalid),
        ("seconds as a float", "push.received", "occurred_at", json!(1_793_520_000.25), invalid),
        ("a time without a zone", "call.initiated", "occurred_at", json!("2026-11-01T08:10:00"), invalid),
        ("microseconds for milliseconds", "call.declined", "occurred_at", json!(1_793_520_000_000_000_i64), invalid),
        ("a clock two days ahead", "call.answered", "clock_offset_ms", json!(172_800_000), invalid),
    ]
}

/// One record of each kind of damage, in the form of `schemas/examples/invalid`, with topic and key.
pub(super) fn bad_records(records: &[Record], rng: &mut Rng) -> Vec<Value> {
    let mut lines = Vec::new();
    for (why, kind, field, value, reason) in damages() {
        let Some(record) = example(records, kind, rng) else { continue };
        let fields = damaged(&record.fields, field, value);
        lines.push(line(record, why, reason, field, "value", json!(fields)));
    }
    if let Some(record) = example(records, "call.answered", rng) {
        let text = record.value();
        let cut = text.get(..text.len() / 2).unwrap_or_default();
        lines.push(line(record, "a message that was cut off", "not_json", "value", "text", json!(cut)));
        lines.push(line(record, "a list of events", "not_json", "value", "text", json!(format!("[{text}]"))));
        lines.push(line(record, "a record without a value", "tombstone", "value", "text", Value::Null));
        let mut large = line(record, "a stack trace of 64 KiB", "too_large", "value", "value", json!(record.fields));
        large["padded_to"] = json!(70_000);
        lines.push(large);
    }
    lines.sort_by_key(|line| line["log_at"].as_i64());
    lines
}

fn example<'a>(records: &'a [Record], kind: &str, rng: &mut Rng) -> Option<&'a Record> {
    let of_kind: Vec<&Record> =
        records.iter().filter(|record| record.fields.get("kind") == Some(&json!(kind))).collect();
    (!of_kind.is_empty()).then(|| of_kind[rng.below(of_kind.len())])
}

fn damaged(fields: &BTreeMap<String, Value>, field: &str, value: Value) -> BTreeMap<String, Value> {
    let mut fields = fields.clone();
    match value {
        Value::Null => drop(fields.remove(field)),
        value => drop(fields.insert(field.to_owned(), value)),
    }
    fields
}

fn line(record: &Record, why: &str, reason: &str, field: &str, form: &str, content: Value) -> Value {
    let mut line = json!({
        "why": why, "reason": reason, "field": field, "topic": record.topic.name(), "key": record.key(), "log_at": record.log_at,
    });
    line[form] = content;
    line
}

//! What happened to a call, event by event, for its story.

use std::collections::{BTreeMap, BTreeSet};

use ringtrace_model::{CallKey, EndReason, Event, Scope};
use serde_json::{Map, Value};

use super::text::plain;

/// How many events of a call are told, the earliest; more are only counted.
pub const MAX_NOTES: usize = 10_000;

/// The fields of contract section 3, in the order in which they are told. No other field is: it may be personal.
const TOLD: [&str; 24] = [
    "push_id",
    "channel",
    "purpose",
    "environment",
    "priority",
    "original_priority",
    "expires_at",
    "status",
    "reason",
    "app_state",
    "active_calls",
    "must_report",
    "reported",
    "reported_uuid",
    "call_ui",
    "error_domain",
    "error_code",
    "end_reason",
    "disconnect_cause",
    "action",
    "exception_reason",
    "termination_namespace",
    "termination_code",
    "inferred",
];

/// One event of a call, in the order of corrected times.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Corrected time, milliseconds since the Unix epoch.
    pub at: i64,
    event_id: String,
    contents: u64,
    /// The leg that it belongs to; `None` for events about the call as a whole.
    pub device_id: Option<String>,
    /// The kind.
    pub kind: String,
    /// The kind's own fields, as `name=value`.
    pub fields: String,
    /// It is history only and changed nothing.
    pub is_history: bool,
}

/// The notes on one call.
#[derive(Debug, Default)]
pub struct CallNotes {
    notes: BTreeSet<Note>,
    /// How many events found no room, duplicates included.
    pub left_out: u64,
}

/// Notes by call.
#[derive(Debug, Default)]
pub struct Notes(BTreeMap<CallKey, CallNotes>);

impl Notes {
    /// Notes an event; a repeated one is noted once.
    pub fn add(&mut self, key: &CallKey, event: &Event<'_>) {
        let of_call = self.0.entry(key.clone()).or_default();
        of_call.notes.insert(Note::of(event));
        if of_call.notes.len() > MAX_NOTES {
            of_call.notes.pop_last();
            of_call.left_out += 1;
        }
    }

    /// The notes on a call.
    pub fn of(&self, key: &CallKey) -> Option<&CallNotes> {
        self.0.get(key)
    }
}

impl CallNotes {
    /// In order of corrected times.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter()
    }
}

impl Note {
    fn of(event: &Event<'_>) -> Self {
        let scope = event.scope();
        let device_id = event.device_id.as_deref().filter(|_| scope != Scope::Call);
        Note {
            at: event.corrected_at(),
            event_id: event.event_id.clone().into_owned(),
            contents: event.contents,
            device_id: device_id.map(str::to_owned),
            kind: plain(event.kind.as_str()),
            fields: told(&event.attributes),
            is_history: scope == Scope::History,
        }
    }
}

/// The told fields of an event's attributes.
fn told(attributes: &str) -> String {
    let attributes: Map<String, Value> = serde_json::from_str(attributes).unwrap_or_default();
    let known = TOLD.iter().filter_map(|name| Some((*name, attributes.get(*name)?)));
    known.map(|(name, value)| format!("{name}={}", in_words(name, value))).collect::<Vec<_>>().join(" ")
}

fn in_words(name: &str, value: &Value) -> String {
    let number = value.as_i64();
    match (name, number, value) {
        ("termination_code", Some(code), _) => format!("0x{code:X}"),
        ("end_reason", Some(raw), _) => EndReason::from_callkit(raw).map_or_else(|| raw.to_string(), |r| r.to_string()),
        (_, _, Value::String(text)) if text.contains(' ') => format!("\"{}\"", plain(text)),
        (_, _, Value::String(text)) => plain(text),
        _ => plain(&value.to_string()),
    }
}

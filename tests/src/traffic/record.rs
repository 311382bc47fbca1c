//! One record: an event, its topic and its log time.

use std::collections::BTreeMap;

use serde_json::Value;

/// An input topic (contract section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// `push-events`
    Push,
    /// `call-events`
    Call,
    /// `device-events`
    Device,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Topic; 3] = [Topic::Push, Topic::Call, Topic::Device];

    /// The default name.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Push => "push-events",
            Topic::Call => "call-events",
            Topic::Device => "device-events",
        }
    }

    /// Where producers send a kind.
    pub(super) fn of(kind: &str) -> Self {
        match kind.split_once('.') {
            Some(("push", _)) => Topic::Push,
            Some(("call", _)) => Topic::Call,
            _ => Topic::Device,
        }
    }
}

/// A record of an input topic.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its topic.
    pub topic: Topic,
    /// Its log time, in milliseconds since the Unix epoch.
    pub log_at: i64,
    /// The event's fields.
    pub fields: BTreeMap<String, Value>,
}

impl Record {
    /// The key that its topic asks for: the call in lower case, or the device.
    pub fn key(&self) -> String {
        let text = |name: &str| self.fields.get(name).and_then(Value::as_str).unwrap_or_default();
        match self.topic {
            Topic::Push | Topic::Call => text("call_uuid").to_ascii_lowercase(),
            Topic::Device => text("device_id").to_owned(),
        }
    }

    /// The record's value.
    pub fn value(&self) -> String {
        // Text keys and plain values can always be written.
        serde_json::to_string(&self.fields).unwrap_or_default()
    }

    /// The event as a line of a file, with its `log_at`.
    pub fn line(&self) -> String {
        let mut fields = self.fields.clone();
        fields.insert("log_at".into(), self.log_at.into());
        serde_json::to_string(&fields).unwrap_or_default()
    }
}

//! A recorded event as it is sent, its times moved.

use anyhow::Context;
use ringtrace_model::Event;
use serde_json::{Map, Value};

use crate::sending::{Ready, Topic};

/// What is changed in every event.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    /// Added to its times, in milliseconds.
    pub by_ms: i64,
}

/// A recorded event with its times moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shifted {
    topic: Topic,
    key: Option<String>,
    value: Vec<u8>,
    timestamp: i64,
}

impl Shifted {
    /// As it is sent.
    pub fn ready(&self) -> Ready<'_> {
        Ready { topic: self.topic, key: self.key.as_deref(), value: &self.value, timestamp: self.timestamp }
    }
}

impl Shift {
    /// The record of a valid line of a recording.
    ///
    /// # Errors
    /// Never for a line that was parsed before.
    pub fn apply(self, line: &[u8], log_at: i64) -> anyhow::Result<Shifted> {
        let (event, _) = Event::parse_line(line).map_err(|reject| anyhow::anyhow!("{reject}"))?;
        let topic = Topic::of(event.kind.as_str());
        let key = match topic {
            Topic::Push | Topic::Call => event.call_uuid.map(|uuid| uuid.hyphenated().to_string()),
            Topic::Device => event.device_id.as_deref().map(str::to_owned),
        };
        let mut object: Map<String, Value> = serde_json::from_slice(line).context("line is no JSON object")?;
        object.remove("log_at");
        if self.by_ms != 0 {
            object.insert("occurred_at".to_owned(), (event.occurred_at + self.by_ms).into());
            if let Some(at) = object.get("expires_at").and_then(Value::as_i64).filter(|at| *at != 0) {
                object.insert("expires_at".to_owned(), (at + self.by_ms).into());
            }
        }
        Ok(Shifted { topic, key, value: serde_json::to_vec(&object)?, timestamp: log_at + self.by_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::{Shift, Topic};

    const LINE: &[u8] = br#"{"event_id":"e1","kind":"push.sent","occurred_at":1000,"app_id":"a","device_id":"d","call_uuid":"A9C2E1D0-0000-4000-8000-000000000001","channel":"apns_voip","expires_at":2000,"log_at":1500}"#;

    #[test]
    fn own_times_leave_everything_but_the_log_time() {
        let ready = Shift { by_ms: 0 }.apply(LINE, 1500).unwrap();
        assert_eq!(ready.topic, Topic::Push);
        assert_eq!(ready.key.as_deref(), Some("a9c2e1d0-0000-4000-8000-000000000001"));
        assert_eq!(ready.timestamp, 1500);
        let value = String::from_utf8(ready.value).unwrap();
        assert!(value.contains("\"occurred_at\":1000") && !value.contains("log_at"), "{value}");
    }

    #[test]
    fn new_times_move_together() {
        let ready = Shift { by_ms: 10_000 }.apply(LINE, 1500).unwrap();
        let value = String::from_utf8(ready.value).unwrap();
        assert_eq!(ready.timestamp, 11_500);
        for part in ["\"occurred_at\":11000", "\"expires_at\":12000", "\"event_id\":\"e1\""] {
            assert!(value.contains(part), "{value}");
        }
    }
}

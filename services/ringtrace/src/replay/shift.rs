//! A recorded event as it is sent: its times moved, its ids those of a round.

use anyhow::Context;
use ringtrace_kit::config::Kafka;
use ringtrace_model::{Event, Uuid};
use serde_json::{Map, Value};

/// What is changed in every event.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    /// Added to its times, in milliseconds.
    pub by_ms: i64,
    /// 0 leaves its ids alone.
    pub round: u32,
}

/// An event on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Which of the input topics.
    pub topic: Topic,
    /// Its key: `call_uuid` in lower case, or `device_id`.
    pub key: Option<String>,
    /// The JSON object.
    pub value: Vec<u8>,
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
}

/// An input topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// `push-events`
    Push,
    /// `call-events`
    Call,
    /// `device-events`
    Device,
}

impl Topic {
    /// Its name.
    pub fn name(self, kafka: &Kafka) -> &str {
        match self {
            Topic::Push => &kafka.push_topic,
            Topic::Call => &kafka.call_topic,
            Topic::Device => &kafka.device_topic,
        }
    }

    /// Where the contract puts a kind.
    fn of(kind: &str) -> Self {
        match kind.split('.').next() {
            Some("push") => Topic::Push,
            Some("call") => Topic::Call,
            _ => Topic::Device,
        }
    }
}

impl Shift {
    /// The record of a valid line of a recording.
    ///
    /// # Errors
    /// Never for a line that was parsed before.
    pub fn apply(self, line: &[u8], log_at: i64) -> anyhow::Result<Ready> {
        let (event, _) = Event::parse_line(line).map_err(|reject| anyhow::anyhow!("{reject}"))?;
        let call_uuid = event.call_uuid.map(|uuid| self.uuid(uuid));
        let topic = Topic::of(event.kind.as_str());
        let key = match topic {
            Topic::Push | Topic::Call => call_uuid.clone(),
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
        if self.round != 0 {
            object.insert("event_id".to_owned(), format!("{}.{}", event.event_id, self.round).into());
            if let Some(uuid) = call_uuid {
                object.insert("call_uuid".to_owned(), uuid.into());
            }
        }
        Ok(Ready { topic, key, value: serde_json::to_vec(&object)?, timestamp: log_at + self.by_ms })
    }

    fn uuid(self, uuid: Uuid) -> String {
        Uuid::from_u128(uuid.as_u128() ^ u128::from(self.round) << 64).hyphenated().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{Shift, Topic};

    const LINE: &[u8] = br#"{"event_id":"e1","kind":"push.sent","occurred_at":1000,"app_id":"a","device_id":"d","call_uuid":"A9C2E1D0-0000-4000-8000-000000000001","channel":"apns_voip","expires_at":2000,"log_at":1500}"#;

    #[test]
    fn own_times_leave_everything_but_the_log_time() {
        let ready = Shift { by_ms: 0, round: 0 }.apply(LINE, 1500).unwrap();
        assert_eq!(ready.topic, Topic::Push);
        assert_eq!(ready.key.as_deref(), Some("a9c2e1d0-0000-4000-8000-000000000001"));
        assert_eq!(ready.timestamp, 1500);
        let value = String::from_utf8(ready.value).unwrap();
        assert!(value.contains("\"occurred_at\":1000") && !value.contains("log_at"), "{value}");
    }

    #[test]
    fn new_times_move_together_and_a_round_has_ids_of_its_own() {
        let ready = Shift { by_ms: 10_000, round: 2 }.apply(LINE, 1500).unwrap();
        let value = String::from_utf8(ready.value).unwrap();
        assert_eq!(ready.timestamp, 11_500);
        for part in ["\"occurred_at\":11000", "\"expires_at\":12000", "\"event_id\":\"e1.2\""] {
            assert!(value.contains(part), "{value}");
        }
        let key = ready.key.unwrap();
        assert!(key != "a9c2e1d0-0000-4000-8000-000000000001" && value.contains(&key), "{key} {value}");
    }
}

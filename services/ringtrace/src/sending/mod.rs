//! Sending events to Kafka: which topic, at which pace.

mod pace;
mod sender;

use ringtrace_kit::config::Kafka;

pub use pace::Pace;
pub use sender::{Sender, enqueue};

/// An event on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready<'a> {
    /// Which of the input topics.
    pub topic: Topic,
    /// Its key: `call_uuid` in lower case, or `device_id`.
    pub key: Option<&'a str>,
    /// The JSON object.
    pub value: &'a [u8],
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
    pub fn of(kind: &str) -> Self {
        match kind.split('.').next() {
            Some("push") => Topic::Push,
            Some("call") => Topic::Call,
            _ => Topic::Device,
        }
    }
}

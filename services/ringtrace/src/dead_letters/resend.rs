//! Sending dead letters back, so that they are linked as if they had been right at first.
//!
//! A letter goes to `ringtrace.internal`, to the partition of its call, with its own key and timestamp and the source of the
//! record that it was: log time and source stay the original's. The slot's owner links it as any other.

use anyhow::{Context, anyhow, ensure};
use rdkafka::message::Header;
use rdkafka::producer::BaseRecord;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::{check_topics, partition_of};
use ringtrace_linker::{REPLAYED_HEADER, SOURCE_HEADER};
use ringtrace_model::{Event, Reject};

use super::Letter;
use crate::sending::Sender;

/// Sends letters, each acknowledged before [`finish`](Self::finish) returns.
pub struct Resender {
    sender: Sender,
    topic: String,
    slots: i32,
}

impl Resender {
    /// A producer of the configured brokers.
    ///
    /// # Errors
    /// The topics are not as they must be, or the brokers don't answer.
    pub fn new(kafka: &Kafka) -> anyhow::Result<Self> {
        let slots = check_topics(kafka)?;
        Ok(Resender { sender: Sender::new(kafka)?, topic: kafka.internal_topic.clone(), slots })
    }

    /// Checks a letter, or a corrected value in the place of its own; gives the partition that it belongs to.
    ///
    /// # Errors
    /// It can't be linked as it is.
    pub fn check(&self, letter: &Letter, corrected: Option<&[u8]>) -> anyhow::Result<i32> {
        ensure!(letter.cut.is_none() || corrected.is_some(), "its value was cut: give the whole one with --value");
        let parsed = match corrected.or(letter.value()) {
            Some(value) => Event::parse(value, letter.log_at),
            None => Err(Reject::TOMBSTONE),
        };
        let event = parsed.map_err(|reject| anyhow!("still not valid: {reject}"))?;
        let call = event.call_uuid.map(|uuid| uuid.hyphenated().to_string());
        Ok(call.map_or(0, |call| partition_of(call.as_bytes(), self.slots)))
    }

    /// Hands a letter that was checked to the producer.
    ///
    /// # Errors
    /// Kafka does not take it.
    pub fn send(&self, letter: &Letter, corrected: Option<&[u8]>, partition: i32) -> anyhow::Result<()> {
        let (key, value, headers) = letter.record();
        let headers = headers
            .insert(Header { key: REPLAYED_HEADER, value: Some(&letter.position.to_string()) })
            .insert(Header { key: SOURCE_HEADER, value: Some(&letter.source) });
        // librdkafka takes 0 for "now".
        let timestamp = letter.log_at.max(1);
        let mut record = BaseRecord::to(&self.topic).partition(partition).timestamp(timestamp).headers(headers);
        record.key = key;
        record.payload = corrected.or(value);
        self.sender.send_record(record).with_context(|| format!("letter {} can't be sent", letter.position))
    }

    /// Waits until everything is acknowledged.
    ///
    /// # Errors
    /// Kafka refused a letter, or does not acknowledge.
    pub fn finish(&self) -> anyhow::Result<()> {
        self.sender.finish().context("not all letters were sent; send them again, nothing is doubled").map(|_| ())
    }
}

//! Whether the linkers have read everything: positions against the ends of the call topics.
//!
//! A slot writes its log clock when it has work. While nothing arrives, its clock in `slots` stands still though it is not
//! late, so the ends of the topics say so. Producers with transactions leave markers that no position passes: with them a
//! pipeline without traffic looks late.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::client_config;

/// How long the brokers may take to say where a partition ends.
const ANSWER: Duration = Duration::from_secs(5);

/// See the module's text. Clones share the connection.
#[derive(Clone)]
pub struct Backlog {
    consumer: Arc<BaseConsumer>,
    topics: [String; 2],
}

impl Backlog {
    /// Of the configured call topics.
    ///
    /// # Errors
    /// The configuration is not accepted.
    pub fn new(kafka: &Kafka) -> Result<Backlog, KafkaError> {
        let consumer = client_config(kafka).create()?;
        Ok(Backlog { consumer: Arc::new(consumer), topics: [kafka.push_topic.clone(), kafka.call_topic.clone()] })
    }

    /// Whether positions (`topic/partition`, the next offset) are at the ends. Blocks.
    ///
    /// # Errors
    /// The brokers don't say.
    pub fn is_read(&self, positions: &BTreeMap<String, i64>) -> Result<bool, KafkaError> {
        for topic in &self.topics {
            let metadata = self.consumer.fetch_metadata(Some(topic), ANSWER)?;
            for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
                let (first, end) = self.consumer.fetch_watermarks(topic, partition.id(), ANSWER)?;
                // A position behind the end is of a topic that was there before: nothing of this one is known to be read.
                let written = positions.get(&format!("{topic}/{}", partition.id())).copied();
                let next = written.filter(|next| *next <= end).unwrap_or(first);
                if next < end {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

//! How far the linker is behind, as its consumer group has committed.

use std::time::Duration;

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::client_config;

/// How long the brokers may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// See the module's text.
pub struct Lag {
    consumer: BaseConsumer,
    topics: [String; 3],
}

impl Lag {
    /// Of the linker's group, which this one never joins.
    ///
    /// # Errors
    /// When librdkafka refuses a setting.
    pub fn new(kafka: &Kafka) -> anyhow::Result<Self> {
        let consumer = client_config(kafka).set("group.id", &kafka.group).create()?;
        let topics = [&kafka.push_topic, &kafka.call_topic, &kafka.device_topic].map(String::clone);
        Ok(Lag { consumer, topics })
    }

    /// Records of the input topics that are not committed yet.
    ///
    /// # Errors
    /// When the brokers don't answer.
    pub fn records(&self) -> anyhow::Result<i64> {
        let mut partitions = TopicPartitionList::new();
        for topic in &self.topics {
            let metadata = self.consumer.fetch_metadata(Some(topic), PATIENCE).context("topics can't be looked up")?;
            for found in metadata.topics().iter().flat_map(|found| found.partitions()) {
                partitions.add_partition(topic, found.id());
            }
        }
        let committed =
            self.consumer.committed_offsets(partitions, PATIENCE).context("the linker's progress is not known")?;
        let mut lag = 0;
        for element in committed.elements() {
            let (first, end) = self.consumer.fetch_watermarks(element.topic(), element.partition(), PATIENCE)?;
            let read = if let Offset::Offset(offset) = element.offset() { offset } else { first };
            lag += (end - read).max(0);
        }
        Ok(lag)
    }
}

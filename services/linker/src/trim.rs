//! Deleting what has done its work: reroutes that were read, and dead letters whose days are over.
//!
//! Both topics keep the timestamps of their originals, so Kafka's own retention by time would delete them at once.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::{Message, Offset, TopicPartitionList};
use ringtrace_kit::clock::wall_ms;
use ringtrace_kit::config::{Config, Kafka};
use ringtrace_kit::kafka::client_config;
use ringtrace_model::DAY_MS;
use tokio::runtime::Handle;

use crate::consumer::reader;
use crate::record::DEAD_AT_HEADER;

/// How often to look. Every instance does: deleting twice deletes nothing more.
const PERIOD: Duration = Duration::from_secs(600);

/// How soon again where the group's coordinator was about to move: so it is when the group is new.
const AGAIN: Duration = Duration::from_secs(10);

/// What brokers say until a group's coordinator is where it belongs.
const MOVING: [RDKafkaErrorCode; 3] = [
    RDKafkaErrorCode::NotCoordinator,
    RDKafkaErrorCode::CoordinatorNotAvailable,
    RDKafkaErrorCode::CoordinatorLoadInProgress,
];

/// How long the brokers may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How many headers of a dead letter are Ringtrace's, at most; they come last.
const OWN_HEADERS: usize = 6;

/// See the module's text.
pub(crate) struct Trimmer {
    kafka: Kafka,
    dead_letters_ms: i64,
    runtime: Handle,
}

impl Trimmer {
    pub(crate) fn new(config: &Config, runtime: &Handle) -> Self {
        let dead_letters_ms = config.retention.dead_letters_days * DAY_MS;
        Trimmer { kafka: config.kafka.clone(), dead_letters_ms, runtime: runtime.clone() }
    }

    /// Runs until the other end of `stop` is dropped.
    pub(crate) fn run(&self, stop: &Receiver<()>) {
        let mut next = PERIOD;
        loop {
            let was_moving = std::mem::replace(&mut next, PERIOD) == AGAIN;
            for (topic, result) in [
                (&self.kafka.internal_topic, self.trim_internal()),
                (&self.kafka.dead_letters_topic, self.trim_dead_letters()),
            ] {
                let Err(error) = result else { continue };
                match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::UnsupportedFeature) => {}
                    Some(code) if MOVING.contains(&code) && !was_moving => next = AGAIN,
                    // Nothing depends on it but disk space: the next round tries again.
                    _ => tracing::warn!(%error, topic, "records that have done their work can't be deleted"),
                }
            }
            if stop.recv_timeout(next) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// Deletes reroutes below the group's committed offsets.
    fn trim_internal(&self) -> KafkaResult<()> {
        let topic = &self.kafka.internal_topic;
        let group: BaseConsumer = client_config(&self.kafka).set("group.id", &self.kafka.group).create()?;
        let mut partitions = TopicPartitionList::new();
        for partition in 0..partitions_of(&group, topic)? {
            partitions.add_partition(topic, partition);
        }
        let mut read = TopicPartitionList::new();
        for element in group.committed_offsets(partitions, TIMEOUT)?.elements() {
            let (first, _) = group.fetch_watermarks(topic, element.partition(), TIMEOUT)?;
            if element.offset().to_raw().is_some_and(|offset| offset > first) {
                read.add_partition_offset(topic, element.partition(), element.offset())?;
            }
        }
        self.delete(&read)
    }

    /// Deletes dead letters that were put there longer ago than they are kept.
    fn trim_dead_letters(&self) -> KafkaResult<()> {
        let topic = &self.kafka.dead_letters_topic;
        let consumer = reader(&self.kafka, "read_uncommitted")?;
        let oldest = wall_ms() - self.dead_letters_ms;
        let mut expired = TopicPartitionList::new();
        for partition in 0..partitions_of(&consumer, topic)? {
            let (first, end) = consumer.fetch_watermarks(topic, partition, TIMEOUT)?;
            let keep = if first == end { end } else { first_younger(&consumer, topic, partition, first, oldest)? };
            if keep > first {
                expired.add_partition_offset(topic, partition, Offset::Offset(keep))?;
            }
        }
        self.delete(&expired)
    }

    fn delete(&self, before: &TopicPartitionList) -> KafkaResult<()> {
        if before.count() == 0 {
            return Ok(());
        }
        let admin: AdminClient<DefaultClientContext> = client_config(&self.kafka).create()?;
        let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
        let deleted = self.runtime.block_on(admin.delete_records(before, &options))?;
        deleted.elements().iter().try_for_each(|element| element.error())
    }
}

fn partitions_of(consumer: &BaseConsumer, topic: &str) -> KafkaResult<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    Ok(metadata.topics().first().map_or(0, |topic| topic.partitions().len() as i32))
}

/// The offset of the first dead letter that was put there at `oldest` or later; the end of the partition without one.
fn first_younger(consumer: &BaseConsumer, topic: &str, partition: i32, first: i64, oldest: i64) -> KafkaResult<i64> {
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, partition, Offset::Offset(first))?;
    consumer.assign(&assignment)?;
    let mut keep = first;
    let mut silent = 0;
    while silent < 2 {
        match consumer.poll(TIMEOUT / 2) {
            Some(Ok(message)) if dead_at(&message) >= oldest => break,
            Some(Ok(message)) => keep = message.offset() + 1,
            Some(Err(KafkaError::PartitionEOF(_))) => break,
            Some(Err(error)) => return Err(error),
            None => silent += 1,
        }
    }
    consumer.unassign()?;
    Ok(keep)
}

/// When a dead letter was put there; its own timestamp where it does not say. Milliseconds since the Unix epoch.
fn dead_at(message: &BorrowedMessage<'_>) -> i64 {
    let own = message.headers().and_then(|headers| {
        let last = (0..headers.count()).rev().take(OWN_HEADERS).filter_map(|index| headers.try_get(index));
        let mut said = last.filter(|header| header.key == DEAD_AT_HEADER).filter_map(|header| header.value);
        said.find_map(|value| std::str::from_utf8(value).ok()?.parse().ok())
    });
    own.or_else(|| message.timestamp().to_millis()).unwrap_or_default()
}

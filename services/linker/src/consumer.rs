//! The consumer of the input topics, and what its rebalances say.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaResult;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::client_config;

use crate::topics::{Input, Inputs, Place};

/// How the input is read, unless `kafka.properties` says otherwise.
pub const CONSUMER_SETTINGS: [(&str, &str); 9] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "earliest"),
    ("isolation.level", "read_committed"),
    ("allow.auto.create.topics", "false"),
    ("session.timeout.ms", "15000"),
    // The default of 1 s throttles a consumer that keeps up (design: traps).
    ("fetch.queue.backoff.ms", "10"),
    ("queued.min.messages", "100000"),
    ("queued.max.messages.kbytes", "65536"),
];

/// A change of what this instance owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Assigned(Vec<Place>),
    Revoked(Vec<Place>),
}

/// Notes rebalances for the loop that polls. Everything assigned is paused until its slot is loaded.
pub(crate) struct Context {
    inputs: Inputs,
    changes: Mutex<Vec<Change>>,
    has_changes: AtomicBool,
}

impl Context {
    /// Takes the changes since the last call, in order; cheap when there are none.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        if !self.has_changes.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there are changes that were not taken.
    pub(crate) fn has_changes(&self) -> bool {
        self.has_changes.load(Ordering::Acquire)
    }

    fn note(&self, change: Change) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
        self.has_changes.store(true, Ordering::Release);
    }

    fn places(&self, partitions: &TopicPartitionList) -> Vec<Place> {
        let place = |topic: &str, partition| self.inputs.find(topic).map(|input| (input, partition));
        partitions.elements().iter().filter_map(|element| place(element.topic(), element.partition())).collect()
    }
}

impl ClientContext for Context {}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            self.note(Change::Revoked(self.places(partitions)));
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                if let Err(error) = consumer.pause(partitions) {
                    tracing::error!(%error, "assigned partitions can't be paused");
                }
                self.note(Change::Assigned(self.places(partitions)));
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(%error, "rebalance failed, the group tries again"),
        }
    }
}

/// The consumer of the group, subscribed to the four input topics.
///
/// # Errors
/// When librdkafka refuses a setting.
pub(crate) fn subscribe(kafka: &Kafka, inputs: &Inputs) -> KafkaResult<BaseConsumer<Context>> {
    let context = Context { inputs: inputs.clone(), changes: Mutex::default(), has_changes: AtomicBool::new(false) };
    let mut config = client_config(kafka);
    for (name, value) in [("group.id", kafka.group.as_str())].into_iter().chain(CONSUMER_SETTINGS) {
        set_default(&mut config, name, value);
    }
    // The partitions of a slot must come together, and all at once: nothing else would do.
    config.set("group.protocol", "classic").set("partition.assignment.strategy", "range");
    let consumer: BaseConsumer<Context> = config.create_with_context(context)?;
    consumer.subscribe(&inputs.all())?;
    Ok(consumer)
}

/// A consumer outside every group, for assigned partitions only.
///
/// # Errors
/// When librdkafka refuses a setting.
pub(crate) fn reader(kafka: &Kafka, isolation: &str) -> KafkaResult<BaseConsumer> {
    let mut config = client_config(kafka);
    for (name, value) in [
        ("group.id", "ringtrace-reader"),
        ("enable.auto.commit", "false"),
        ("enable.partition.eof", "true"),
        ("auto.offset.reset", "earliest"),
        ("isolation.level", isolation),
        ("allow.auto.create.topics", "false"),
        ("fetch.queue.backoff.ms", "10"),
        // The end of a partition is noticed by an empty answer: ask for it at once.
        ("fetch.wait.max.ms", "20"),
    ] {
        set_default(&mut config, name, value);
    }
    config.create()
}

/// Sets what `kafka.properties` does not.
fn set_default(config: &mut ClientConfig, name: &str, value: &str) {
    if config.get(name).is_none() {
        config.set(name, value);
    }
}

/// A list of partitions without offsets.
pub(crate) fn partition_list(inputs: &Inputs, places: impl IntoIterator<Item = Place>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (input, partition) in places {
        list.add_partition(inputs.name(input), partition);
    }
    list
}

/// All places of a slot.
pub(crate) fn places_of(partition: i32) -> impl Iterator<Item = Place> {
    Input::OF_SLOT.into_iter().map(move |input| (input, partition))
}

//! The consumer of the input topics, and what its rebalances say.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::client_config;

use crate::topics::{Input, Inputs, Place};

/// How the input is read, unless `kafka.properties` says otherwise.
pub const CONSUMER_SETTINGS: [(&str, &str); 6] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "earliest"),
    ("isolation.level", "read_committed"),
    ("allow.auto.create.topics", "false"),
    // The default of 1 s throttles a consumer that keeps up (design: traps); 10 ms make many small fetches of many partitions.
    ("fetch.queue.backoff.ms", "50"),
];

/// What may be fetched ahead of all partitions together, in KiB, and librdkafka's own default. To librdkafka it is the limit of
/// each queue, and each partition has one here: it may hold its part, and a fetch asks for no more than that of a partition.
const PREFETCH: &str = "queued.max.messages.kbytes";
const PREFETCH_KIB: &str = "65536";
const LEAST_PREFETCH_KIB: i32 = 256;
/// And its older name: only one of them counts.
const FETCH: [&str; 2] = ["max.partition.fetch.bytes", "fetch.message.max.bytes"];
/// Kafka's default, in KiB.
const FETCH_KIB: i32 = 1_024;

/// A change of what this instance owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Given to this member.
    Assigned(Vec<Place>),
    /// To be given up; this member's until it has done so.
    Revoking(Vec<Place>),
    /// Another's already, perhaps.
    Lost(Vec<Place>),
}

impl Change {
    /// Partitions may be another's already.
    pub(crate) fn is_loss(&self) -> bool {
        matches!(self, Change::Lost(_))
    }

    /// Partitions have to be given up, or are gone.
    pub(crate) fn takes(&self) -> bool {
        !matches!(self, Change::Assigned(_))
    }
}

/// The protocol of the consumer group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// KIP-848, of Kafka 4: the broker assigns, and only what moves is taken away.
    Consumer,
    /// Of older brokers: with every change all members give up everything.
    Classic,
}

/// Notes rebalances for the loop that polls. Everything assigned is paused until its slot is loaded; what is taken away is
/// given up by the loop, when all of it that was read is committed.
pub(crate) struct Context {
    inputs: Inputs,
    changes: Mutex<VecDeque<Change>>,
    /// Nobody will give anything up any more.
    is_leaving: AtomicBool,
}

impl Context {
    pub(crate) fn next_change(&self) -> Option<Change> {
        self.changes().pop_front()
    }

    /// Whether a change of some kind was not taken yet.
    pub(crate) fn has_change(&self, is_kind: impl Fn(&Change) -> bool) -> bool {
        self.changes().iter().any(is_kind)
    }

    /// From now on partitions are given up as soon as they are taken away.
    pub(crate) fn leave(&self) {
        self.is_leaving.store(true, Ordering::Release);
    }

    fn changes(&self) -> MutexGuard<'_, VecDeque<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self, partitions: &TopicPartitionList) -> Vec<Place> {
        let place = |topic: &str, partition| self.inputs.find(topic).map(|input| (input, partition));
        partitions.elements().iter().filter_map(|element| place(element.topic(), element.partition())).collect()
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) -> KafkaResult<Change> {
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions)?,
            _ => consumer.assign(partitions)?,
        }
        consumer.pause(partitions)?;
        Ok(Change::Assigned(self.places(partitions)))
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) -> KafkaResult<Change> {
        let places = self.places(partitions);
        if !consumer.assignment_lost() && !self.is_leaving.load(Ordering::Acquire) {
            return Ok(Change::Revoking(places));
        }
        give_up(consumer, partitions)?;
        Ok(Change::Lost(places))
    }
}

impl ClientContext for Context {}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let change = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assign(consumer, partitions),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => self.revoke(consumer, partitions),
            other => Err(KafkaError::Rebalance(other.into())),
        };
        match change {
            Ok(change) => self.changes().push_back(change),
            // The group notices a member that does not follow, and gives it nothing.
            Err(error) => tracing::error!(%error, "a rebalance failed"),
        }
    }
}

/// Lets go of partitions.
///
/// # Errors
/// When librdkafka refuses.
pub(crate) fn give_up(consumer: &BaseConsumer<Context>, partitions: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
        _ => consumer.unassign(),
    }
}

/// With the consumer protocol the partitions of one index go to one member, since the topics have as many each; the broker
/// decides about sessions.
const CONSUMER_PROTOCOL: [(&str, &str); 2] = [("group.protocol", "consumer"), ("group.remote.assignor", "range")];

/// The same for the classic one, where the client decides.
const CLASSIC_PROTOCOL: [(&str, &str); 3] =
    [("group.protocol", "classic"), ("partition.assignment.strategy", "range"), ("session.timeout.ms", "15000")];

/// The protocol that `kafka.properties` asks for; `None` leaves it to the brokers.
pub(crate) fn protocol_asked_for(kafka: &Kafka) -> Option<Protocol> {
    match client_config(kafka).get("group.protocol")? {
        "consumer" => Some(Protocol::Consumer),
        _ => Some(Protocol::Classic),
    }
}

/// The consumer of the group, subscribed to the four input topics, those of slots with so many partitions each.
///
/// # Errors
/// When librdkafka refuses a setting.
pub(crate) fn subscribe(
    kafka: &Kafka,
    inputs: &Inputs,
    protocol: Protocol,
    partitions: i32,
) -> KafkaResult<BaseConsumer<Context>> {
    let context = Context { inputs: inputs.clone(), changes: Mutex::default(), is_leaving: AtomicBool::new(false) };
    let mut config = client_config(kafka);
    let of_protocol = match protocol {
        Protocol::Consumer => CONSUMER_PROTOCOL.as_slice(),
        Protocol::Classic => CLASSIC_PROTOCOL.as_slice(),
    };
    let prefetch = config.get(PREFETCH).unwrap_or(PREFETCH_KIB).parse::<i32>();
    // What is no number is refused by librdkafka, which says so.
    if let Ok(prefetch) = prefetch {
        let of_one = (prefetch / (partitions.max(1) * Input::ALL.len() as i32)).max(LEAST_PREFETCH_KIB);
        config.set(PREFETCH, of_one.to_string());
        if FETCH.iter().all(|name| config.get(name).is_none()) {
            config.set(FETCH[0], (of_one.min(FETCH_KIB) * 1_024).to_string());
        }
    }
    // Nobody asks for them, and they would count as errors.
    config.set("enable.partition.eof", "false");
    let of_this = [
        ("group.id", kafka.group.as_str()),
        // A broker answers one fetch at a time: one of partitions at their ends keeps those waiting whose queues run empty.
        ("fetch.wait.max.ms", "100"),
    ];
    for (name, value) in of_this.iter().chain(&CONSUMER_SETTINGS).chain(of_protocol) {
        set_default(&mut config, name, value);
    }
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
    // It never joins the group, and may ask for its offsets.
    config.set("group.id", &kafka.group).remove("group.protocol");
    for (name, value) in [
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

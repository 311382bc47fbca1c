//! Records as tests write and read them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::{PATIENCE, wait_for};

/// Topics whose partitions make slots.
pub const SLOT_TOPICS: [&str; 4] = ["push-events", "call-events", "ringtrace.internal", "ringtrace.calls"];

/// The contract's names of the input topics.
pub const INPUT_TOPICS: [&str; 3] = ["push-events", "call-events", "device-events"];

/// Where producers send a kind (contract section 1).
pub fn topic_of(kind: &str) -> &'static str {
    match kind.split('.').next() {
        Some("push") => INPUT_TOPICS[0],
        Some("call") => INPUT_TOPICS[1],
        _ => INPUT_TOPICS[2],
    }
}

/// A record to be written.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The topic's name.
    pub topic: String,
    /// `None` leaves the choice to Kafka's own partitioner.
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Header names and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since the Unix epoch.
    pub log_at: i64,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The partition that it was read from.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// Headers, the last of a name.
    pub headers: BTreeMap<String, String>,
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
}

/// Where records went, by their index.
#[derive(Default)]
struct Places(Mutex<BTreeMap<usize, (i32, i64)>>);

impl ClientContext for Places {}

impl ProducerContext for Places {
    type DeliveryOpaque = Box<usize>;

    fn delivery(&self, result: &DeliveryResult<'_>, index: Box<usize>) {
        let message = match result {
            Ok(message) => message,
            Err((error, _)) => panic!("Kafka did not take record {index}: {error}"),
        };
        self.0.lock().expect("no test panicked here").insert(*index, (message.partition(), message.offset()));
    }
}

/// Writes records; gives `topic/partition/offset` of each.
pub fn write(brokers: &str, records: &[Given]) -> Vec<String> {
    let producer: BaseProducer<Places> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("partitioner", "murmur2_random")
        .set("message.max.bytes", "20971520")
        .set("linger.ms", "5")
        .create_with_context(Places::default())
        .expect("a producer");
    for (index, given) in records.iter().enumerate() {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &given.headers {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let mut record =
            BaseRecord::with_opaque_to(&given.topic, Box::new(index)).timestamp(given.log_at).headers(headers);
        record.key = given.key.as_ref();
        record.payload = given.value.as_ref();
        record.partition = given.partition;
        while let Err((error, back)) = producer.send(record) {
            assert!(matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)), "{error}");
            producer.poll(Duration::from_millis(50));
            record = back;
        }
    }
    producer.flush(PATIENCE).expect("Kafka takes the records");
    let places = producer.context().0.lock().expect("no test panicked here");
    let source = |(given, (partition, offset)): (&Given, &(i32, i64))| format!("{}/{partition}/{offset}", given.topic);
    records.iter().zip(places.values()).map(source).collect()
}

/// Reads all committed records of a topic.
pub fn read(brokers: &str, topic: &str) -> Vec<Read> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "tests")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "20")
        .create()
        .expect("a consumer");
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).expect("metadata");
    let partitions = metadata.topics().iter().map(|topic| topic.partitions().len()).sum::<usize>();
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions as i32 {
        list.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
    }
    consumer.assign(&list).expect("an assignment");
    let (mut found, mut ended) = (Vec::new(), 0);
    let deadline = Instant::now() + PATIENCE;
    while ended < partitions {
        assert!(Instant::now() < deadline, "{topic} can't be read to its end");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => found.push(Read {
                partition: message.partition(),
                offset: message.offset(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers: message.headers().map(headers).unwrap_or_default(),
                timestamp: message.timestamp().to_millis().unwrap_or(-1),
            }),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => panic!("{topic}: {error}"),
            None => {}
        }
    }
    found
}

/// Committed offsets of a group, by topic and partition.
pub fn committed(brokers: &str, group: &str, topics: &[String]) -> BTreeMap<(String, i32), i64> {
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", brokers).set("group.id", group).create().expect("a consumer");
    let mut list = TopicPartitionList::new();
    for topic in topics {
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).expect("metadata");
        let partitions = metadata.topics().iter().map(|topic| topic.partitions().len()).sum::<usize>();
        list.add_partition_range(topic, 0, partitions as i32 - 1);
    }
    let mut committed = None;
    wait_for("the coordinator of a group", || {
        committed = consumer.committed_offsets(list.clone(), PATIENCE).ok();
        committed.is_some()
    });
    let committed = committed.expect("it has answered");
    let places = committed.elements().into_iter().filter_map(|element| {
        let offset = element.offset().to_raw().filter(|offset| *offset >= 0)?;
        Some(((element.topic().to_owned(), element.partition()), offset))
    });
    places.collect()
}

fn headers(headers: &impl Headers) -> BTreeMap<String, String> {
    let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect()
}

//! Kafka clients, partitioning, and the topics that Ringtrace needs.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{Client, ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::config::Kafka;

/// How long a question to the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How often to look whether new topics are there.
const PROPAGATION: Duration = Duration::from_millis(100);

/// Largest record that Ringtrace's own topics take, in bytes: room for the largest input (contract section 2).
pub const MAX_RECORD_BYTES: usize = 16 << 20;

/// What went wrong with Kafka.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The brokers can't be reached, or refuse.
    #[error("Kafka at {brokers} does not answer: is kafka.brokers right?")]
    Unreachable {
        /// `kafka.brokers`.
        brokers: String,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// A topic can't be made.
    #[error("topic {topic} can't be created: {code}")]
    Create {
        /// The topic.
        topic: String,
        /// Kafka's code.
        code: RDKafkaErrorCode,
    },
    /// A topic that is needed is not there.
    #[error("topic {topic} does not exist: `ringtrace migrate` creates it")]
    Missing {
        /// The topic.
        topic: String,
    },
    /// Topics that belong together have different numbers of partitions.
    #[error(
        "{counts}: they must have the same number of partitions; to mend it, stop their producers, and for each that has less \
         run `kafka-topics.sh --bootstrap-server {brokers} --alter --topic TOPIC --partitions {most}`"
    )]
    Partitions {
        /// Each topic with its partitions.
        counts: String,
        /// The largest number.
        most: usize,
        /// `kafka.brokers`.
        brokers: String,
    },
}

/// The configuration of any client: brokers, and `kafka.properties` over it.
pub fn client_config(kafka: &Kafka) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &kafka.brokers);
    for property in &kafka.properties {
        // One without `=` is a flag that is on.
        let (name, value) = property.split_once('=').unwrap_or((property, "true"));
        config.set(name.trim(), value.trim());
    }
    config
}

/// The partition of a key, as Kafka's default partitioner (murmur2) chooses it. `partitions` is at least 1.
pub fn partition_of(key: &[u8], partitions: i32) -> i32 {
    (murmur2(key) & 0x7fff_ffff) as i32 % partitions.max(1)
}

/// The hash of `org.apache.kafka.common.utils.Utils.murmur2`.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let word = chunk.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word.wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ (word ^ word >> 24).wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ hash >> 13).wrapping_mul(M);
    hash ^ hash >> 15
}

/// A topic, and the settings that it should have.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Whether it has as many partitions as the call topics: all but the device and dead-letter topics.
    pub by_slot: bool,
    /// Settings of a new one.
    pub settings: Vec<(&'static str, String)>,
}

/// The topics of contract section 1 and of the design, with recommended settings.
///
/// Records that keep timestamps of their own (reroutes, dead letters) may be of any age: no limit, no retention by time.
pub fn topics(kafka: &Kafka) -> Vec<Topic> {
    let topic = |name: &str, by_slot: bool, settings: &[(&'static str, &str)]| Topic {
        name: name.to_owned(),
        by_slot,
        settings: settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
    };
    let input = [("message.timestamp.type", "LogAppendTime")];
    let most = i64::MAX.to_string();
    let room = MAX_RECORD_BYTES.to_string();
    let any_age = [
        ("message.timestamp.type", "CreateTime"),
        ("message.timestamp.before.max.ms", &most),
        ("message.timestamp.after.max.ms", &most),
        ("retention.ms", "-1"),
        ("max.message.bytes", &room),
    ];
    let state = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "600000"),
        ("segment.bytes", "67108864"),
        ("min.cleanable.dirty.ratio", "0.1"),
        ("delete.retention.ms", "3600000"),
        ("max.message.bytes", &room),
    ];
    vec![
        topic(&kafka.push_topic, true, &input),
        topic(&kafka.call_topic, true, &input),
        topic(&kafka.internal_topic, true, &any_age),
        topic(&kafka.calls_topic, true, &state),
        topic(&kafka.verdicts_topic, true, &[]),
        topic(&kafka.device_topic, false, &input),
        topic(&kafka.dead_letters_topic, false, &any_age),
    ]
}

/// Creates the topics that are missing; gives their names. Existing ones are left as they are.
///
/// # Errors
/// When the brokers don't answer, refuse a topic, or topics of one slot differ in partitions.
pub async fn create_topics(kafka: &Kafka) -> Result<Vec<String>, TopicError> {
    let admin: AdminClient<DefaultClientContext> = client_config(kafka).create().map_err(|e| unreachable(kafka, e))?;
    let present = partitions(admin.inner(), kafka)?;
    let existing = |topic: &Topic| present.iter().find(|(name, _)| *name == topic.name).map(|(_, count)| *count);
    // New topics follow the partitions of the input topics that are there already.
    let by_slot = topics(kafka).iter().filter(|topic| topic.by_slot).find_map(existing);
    let mut created = Vec::new();
    for topic in topics(kafka).into_iter().filter(|topic| existing(topic).is_none()) {
        let count = by_slot.filter(|_| topic.by_slot).map_or(kafka.partitions, |count| count as i32);
        let mut new = NewTopic::new(&topic.name, count, TopicReplication::Fixed(kafka.replication_factor));
        for (key, value) in &topic.settings {
            new = new.set(key, value);
        }
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT));
        let results = admin.create_topics([&new], &options).await.map_err(|e| unreachable(kafka, e))?;
        match results.into_iter().next() {
            Some(Err((topic, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
                return Err(TopicError::Create { topic, code });
            }
            _ => created.push(topic.name),
        }
    }
    await_topics(&admin, kafka).await?;
    Ok(created)
}

/// Waits until every topic is seen by all: brokers tell each other of new ones a little later.
async fn await_topics(admin: &AdminClient<DefaultClientContext>, kafka: &Kafka) -> Result<(), TopicError> {
    let mut tries = TIMEOUT.as_millis() / PROPAGATION.as_millis();
    loop {
        let present = partitions(admin.inner(), kafka)?;
        let missing = topics(kafka).into_iter().find(|topic| present.iter().all(|(name, _)| *name != topic.name));
        let Some(missing) = missing else { return Ok(()) };
        tries -= 1;
        if tries == 0 {
            return Err(TopicError::Missing { topic: missing.name });
        }
        tokio::time::sleep(PROPAGATION).await;
    }
}

/// Checks that all topics are there and fit together; gives the number of slots.
///
/// # Errors
/// When the brokers don't answer, a topic is missing, or topics of one slot differ in partitions.
pub fn check_topics(kafka: &Kafka) -> Result<i32, TopicError> {
    let admin: AdminClient<DefaultClientContext> = client_config(kafka).create().map_err(|e| unreachable(kafka, e))?;
    slots_of(kafka, admin.inner())
}

/// The same, by a client that is there already.
///
/// # Errors
/// As [`check_topics`].
pub fn slots_of<C: ClientContext>(kafka: &Kafka, client: &Client<C>) -> Result<i32, TopicError> {
    let present = partitions(client, kafka)?;
    let mut of_slots = Vec::new();
    for topic in topics(kafka) {
        let Some((_, count)) = present.iter().find(|(name, _)| *name == topic.name) else {
            return Err(TopicError::Missing { topic: topic.name });
        };
        if topic.by_slot && topic.name != kafka.verdicts_topic {
            of_slots.push((topic.name, *count));
        }
    }
    let most = of_slots.iter().map(|(_, count)| *count).max().unwrap_or(0);
    if of_slots.iter().any(|(_, count)| *count != most) {
        let counts: Vec<String> = of_slots.iter().map(|(name, count)| format!("{name} has {count}")).collect();
        return Err(TopicError::Partitions { counts: counts.join(", "), most, brokers: kafka.brokers.clone() });
    }
    Ok(most as i32)
}

/// All topics with their number of partitions. Never asks for a topic by name: that could create it.
fn partitions<C: ClientContext>(client: &Client<C>, kafka: &Kafka) -> Result<Vec<(String, usize)>, TopicError> {
    let metadata = client.fetch_metadata(None, TIMEOUT).map_err(|e| unreachable(kafka, e))?;
    Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), topic.partitions().len())).collect())
}

fn unreachable(kafka: &Kafka, source: KafkaError) -> TopicError {
    TopicError::Unreachable { brokers: kafka.brokers.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::{murmur2, partition_of};

    #[test]
    fn hashes_as_kafka_does() {
        // From org.apache.kafka.common.utils.UtilsTest.testMurmur2.
        let cases: [(&[u8], i32); 6] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
        ];
        for (key, hash) in cases {
            assert_eq!(murmur2(key) as i32, hash, "{key:?}");
        }
        assert_eq!(partition_of(b"abc", 1), 0);
    }
}

//! Writing inferred events to `ringtrace.internal`, each to the slot of its call.

use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use ringtrace_kit::clock;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::{TopicError, client_config, partition_of, slots_of};

use super::inferred::Inferred;

/// How long the brokers may take to acknowledge a record.
const ACKNOWLEDGE: Duration = Duration::from_secs(10);

/// Header that names the record that another one comes from: `topic/partition/offset`. The linker keeps it as the source.
const SOURCE_HEADER: &str = "ringtrace.source";

/// Why events were not written, or not all of them.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The brokers don't say how many slots there are, or topics don't fit together.
    #[error(transparent)]
    Topics(#[from] TopicError),
    /// Kafka did not take an event.
    #[error("{topic} does not take what was inferred")]
    Refused {
        /// The topic.
        topic: String,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// A thread has panicked.
    #[error("asking for the number of slots has panicked")]
    Panicked,
}

/// See the module's text. Clones share the connection.
#[derive(Clone)]
pub struct Sender {
    producer: FutureProducer,
    kafka: Kafka,
}

impl Sender {
    /// A producer of the configured brokers.
    ///
    /// # Errors
    /// The configuration is not accepted.
    pub fn new(kafka: &Kafka) -> Result<Sender, KafkaError> {
        let mut config = client_config(kafka);
        config.set("enable.idempotence", "true").set("linger.ms", "5");
        config.set("message.timeout.ms", ACKNOWLEDGE.as_millis().to_string());
        Ok(Sender { producer: config.create()?, kafka: kafka.clone() })
    }

    /// Sends events, each acknowledged when this returns.
    ///
    /// # Errors
    /// Some may not have been taken; sending all of them again does no harm.
    pub async fn send(&self, events: &[Inferred]) -> Result<(), SendError> {
        if events.is_empty() {
            return Ok(());
        }
        let refused = |source| SendError::Refused { topic: self.kafka.internal_topic.clone(), source };
        let slots = self.slots().await?;
        let mut deliveries = Vec::with_capacity(events.len());
        for event in events {
            // A linker sends it on where the number of slots has changed meanwhile.
            let partition = partition_of(event.call_uuid.as_bytes(), slots);
            let source = Header { key: SOURCE_HEADER, value: Some(&event.source) };
            let record = FutureRecord::to(&self.kafka.internal_topic)
                .partition(partition)
                .key(&event.call_uuid)
                .payload(&event.value)
                .timestamp(clock::wall_ms())
                .headers(OwnedHeaders::new().insert(source));
            deliveries.push(self.producer.send_result(record).map_err(|(error, _)| refused(error))?);
        }
        for delivery in deliveries {
            let delivered = delivery.await.map_err(|_| refused(KafkaError::Canceled))?;
            delivered.map_err(|(error, _)| refused(error))?;
        }
        Ok(())
    }

    async fn slots(&self) -> Result<i32, SendError> {
        let sender = self.clone();
        let asked = tokio::task::spawn_blocking(move || slots_of(&sender.kafka, sender.producer.client()));
        Ok(asked.await.map_err(|_| SendError::Panicked)??)
    }
}

//! Sending requests to slots: where each is, is what to wait for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use rdkafka::Message;
use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::client_config;
use ringtrace_linker::Request;

use crate::sending::enqueue;

/// How long the brokers may take to acknowledge.
const ACKNOWLEDGE: Duration = Duration::from_secs(60);

/// Where requests were acknowledged, by slot: the offset after the last one. Or why one was not.
struct Delivered {
    after: Mutex<Result<BTreeMap<i32, i64>, KafkaError>>,
}

impl Default for Delivered {
    fn default() -> Self {
        Delivered { after: Mutex::new(Ok(BTreeMap::new())) }
    }
}

impl ClientContext for Delivered {}

impl ProducerContext for Delivered {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut after = self.after.lock().unwrap_or_else(PoisonError::into_inner);
        match (result, &mut *after) {
            (Ok(message), Ok(after)) => {
                let after = after.entry(message.partition()).or_default();
                *after = (message.offset() + 1).max(*after);
            }
            (Err((error, _)), Ok(_)) => *after = Err(error.clone()),
            (_, Err(_)) => {}
        }
    }
}

/// See the module's text.
pub struct Requests {
    producer: BaseProducer<Delivered>,
    pub topic: String,
}

impl Requests {
    /// A producer of the configured brokers.
    ///
    /// # Errors
    /// When librdkafka refuses a setting.
    pub fn new(kafka: &Kafka) -> anyhow::Result<Self> {
        let mut config = client_config(kafka);
        config.set("enable.idempotence", "true").set("compression.type", "lz4").set("linger.ms", "5");
        let producer = config.create_with_context(Delivered::default())?;
        Ok(Requests { producer, topic: kafka.internal_topic.clone() })
    }

    /// Sends requests until they are acknowledged; gives the offset after the last one of each slot.
    ///
    /// # Errors
    /// Kafka does not take them.
    pub fn send(&self, requests: impl IntoIterator<Item = (i32, Request)>) -> anyhow::Result<BTreeMap<i32, i64>> {
        for (slot, request) in requests {
            let value = request.encode();
            let record = BaseRecord::<[u8], [u8]>::to(&self.topic).partition(slot);
            enqueue(&self.producer, record.payload(&value).headers(Request::headers()))
                .with_context(|| format!("requests can't be sent to {}", self.topic))?;
        }
        self.producer.flush(ACKNOWLEDGE).with_context(|| format!("{} does not take requests", self.topic))?;
        let mut after = self.producer.context().after.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *after, Ok(BTreeMap::new())) {
            Ok(after) => Ok(after),
            Err(error) => bail!("Kafka refused a request to a slot in {}: {error}", self.topic),
        }
    }
}

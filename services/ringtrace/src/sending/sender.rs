//! Writing records to Kafka, each acknowledged before the end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::ToBytes;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use ringtrace_kit::config::Kafka;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::kafka::{MAX_RECORD_BYTES, client_config};

use super::Ready;

/// How long the brokers may take to acknowledge the last records.
const LAST: Duration = Duration::from_secs(60);

/// Room for key, headers and framing beside the largest value, in bytes.
const ROOM: usize = 1 << 20;

/// Counts what Kafka acknowledged and what it refused.
#[derive(Default)]
struct Deliveries {
    acknowledged: AtomicU64,
    refused: AtomicU64,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let count = if result.is_ok() { &self.acknowledged } else { &self.refused };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// See the module's text.
pub struct Sender {
    producer: BaseProducer<Deliveries>,
    kafka: Kafka,
}

impl Sender {
    /// A producer of the configured brokers.
    ///
    /// # Errors
    /// When librdkafka refuses a setting.
    pub fn new(kafka: &Kafka) -> anyhow::Result<Self> {
        let mut config = client_config(kafka);
        config.set("partitioner", "murmur2_random").set("linger.ms", "5").set("compression.type", "lz4");
        config.set("enable.idempotence", "true").set("message.max.bytes", (MAX_RECORD_BYTES + ROOM).to_string());
        Ok(Sender { producer: config.create_with_context(Deliveries::default())?, kafka: kafka.clone() })
    }

    /// Refuses topics that would replace the recorded times by the time of writing.
    ///
    /// # Errors
    /// When a topic is such a one, or Kafka does not answer.
    pub fn refuse_log_append_time(&self) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = client_config(&self.kafka).create()?;
        let names = [&self.kafka.push_topic, &self.kafka.call_topic, &self.kafka.device_topic];
        let topics = names.map(|name| ResourceSpecifier::Topic(name));
        let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(10)));
        let handle = tokio::runtime::Handle::current();
        let described = handle.block_on(admin.describe_configs(&topics, &options));
        for (name, resource) in names.iter().zip(described.context("topics can't be described")?) {
            let resource = resource.map_err(|code| anyhow::anyhow!("topic {name} can't be described: {code}"))?;
            let kind = resource.entry_map().get("message.timestamp.type").and_then(|entry| entry.value.clone());
            ensure!(
                kind.as_deref() != Some("LogAppendTime"),
                "topic {name} stamps records itself (message.timestamp.type=LogAppendTime), so their own times would be lost: \
                 send them as they happen, or use a topic with CreateTime"
            );
        }
        Ok(())
    }

    /// Waits, serving deliveries, or until the drain starts.
    ///
    /// # Errors
    /// When Kafka refused a record.
    pub fn wait(&self, wait: Duration, drain: &Drain) -> anyhow::Result<()> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.producer.poll(left.min(Duration::from_millis(100)));
            self.check()?;
            if left.is_zero() || drain.is_started() {
                return Ok(());
            }
        }
    }

    /// Hands an event to the producer; waits while its queue is full.
    ///
    /// # Errors
    /// When it can't be sent at all.
    pub fn send(&self, ready: &Ready<'_>) -> anyhow::Result<()> {
        let mut record = BaseRecord::to(ready.topic.name(&self.kafka)).payload(ready.value).timestamp(ready.timestamp);
        record.key = ready.key;
        self.send_record(record)
    }

    /// The same for any record.
    ///
    /// # Errors
    /// When it can't be sent at all.
    pub fn send_record(&self, record: BaseRecord<'_, impl ToBytes + ?Sized, [u8]>) -> anyhow::Result<()> {
        enqueue(&self.producer, record)
    }

    /// Waits for the last acknowledgements; gives their number.
    ///
    /// # Errors
    /// When Kafka did not take every record.
    pub fn finish(&self) -> anyhow::Result<u64> {
        self.producer.flush(LAST).context("Kafka did not acknowledge all records")?;
        self.check()?;
        Ok(self.producer.context().acknowledged.load(Ordering::Relaxed))
    }

    fn check(&self) -> anyhow::Result<()> {
        let refused = self.producer.context().refused.load(Ordering::Relaxed);
        if refused > 0 {
            bail!("Kafka refused {refused} records: do the topics exist (`ringtrace migrate`)?");
        }
        Ok(())
    }
}

/// Hands a record to a producer; waits while its queue is full.
///
/// # Errors
/// When it can't be sent at all.
pub fn enqueue<C, K, V>(producer: &BaseProducer<C>, mut record: BaseRecord<'_, V, K>) -> anyhow::Result<()>
where
    C: ProducerContext<DeliveryOpaque = ()>,
    K: ToBytes + ?Sized,
    V: ToBytes + ?Sized,
{
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                producer.poll(Duration::from_millis(50));
                record = back;
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}

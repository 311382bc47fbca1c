//! One Kafka transaction per flush: states, verdicts, dead letters, reroutes and offsets, all or nothing.

use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::{MAX_RECORD_BYTES, client_config};

use crate::record::Outgoing;
use crate::slot::SlotFlush;
use crate::state::{HEADER_KEY, encode};

/// How long one step of a transaction may take before it is given up, and the linker reads its state again.
const STEP: Duration = Duration::from_secs(60);

/// How long the broker keeps a transaction open whose producer is gone, in milliseconds: readers of the changelog wait as long.
const TRANSACTION_TIMEOUT_MS: &str = "30000";

/// What goes into a transaction.
pub(crate) struct Content<'a> {
    pub(crate) slots: &'a [SlotFlush],
    pub(crate) reroutes: Vec<Outgoing>,
    pub(crate) dead_letters: Vec<Outgoing>,
    /// Offset of the next record of every partition that was read.
    pub(crate) offsets: &'a TopicPartitionList,
    pub(crate) group: &'a ConsumerGroupMetadata,
}

/// The producer of this instance.
pub(crate) struct Transactions {
    /// Its own thread serves deliveries, without which an abort would not end.
    producer: ThreadedProducer<DefaultProducerContext>,
    kafka: Kafka,
}

impl Transactions {
    /// Makes the producer, and ends what an earlier one of the same instance left open.
    ///
    /// # Errors
    /// When a setting is refused, or the brokers don't answer in time.
    pub(crate) fn open(kafka: &Kafka, instance: &str) -> KafkaResult<Self> {
        let room = (MAX_RECORD_BYTES + (1 << 20)).to_string();
        let mut config = client_config(kafka);
        config
            .set("transactional.id", format!("{}-{instance}", kafka.group))
            .set("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS)
            .set("message.max.bytes", room)
            .set("queue.buffering.max.kbytes", "262144")
            .set("compression.type", "lz4")
            .set("linger.ms", "5")
            // The partitioner of Kafka's own clients.
            .set("partitioner", "murmur2_random");
        let producer: ThreadedProducer<DefaultProducerContext> = config.create()?;
        producer.init_transactions(STEP)?;
        Ok(Transactions { producer, kafka: kafka.clone() })
    }

    /// Commits all of the content, or nothing.
    ///
    /// # Errors
    /// Nothing is committed as far as this instance may assume: its state must be read again.
    pub(crate) fn commit(&self, content: &Content<'_>) -> KafkaResult<()> {
        self.producer.begin_transaction()?;
        let written = self.write(content).and_then(|()| self.end());
        if written.is_err() {
            // Best effort: a producer that was fenced can't even abort, and the broker does it after the timeout.
            let _ = self.producer.abort_transaction(STEP);
        }
        written
    }

    fn write(&self, content: &Content<'_>) -> KafkaResult<()> {
        for slot in content.slots {
            self.write_slot(slot)?;
        }
        for reroute in &content.reroutes {
            self.send_outgoing(&self.kafka.internal_topic, reroute)?;
        }
        for dead_letter in &content.dead_letters {
            self.send_outgoing(&self.kafka.dead_letters_topic, dead_letter)?;
        }
        self.retried(|| self.producer.send_offsets_to_transaction(content.offsets, content.group, STEP))
    }

    fn write_slot(&self, slot: &SlotFlush) -> KafkaResult<()> {
        let topic = self.kafka.calls_topic.as_str();
        for (key, value) in &slot.states {
            let mut record = BaseRecord::<[u8], [u8]>::to(topic).key(key).partition(slot.partition);
            record.payload = value.as_deref();
            self.send(record)?;
        }
        let header = encode(&slot.header);
        self.send(BaseRecord::<[u8], [u8]>::to(topic).key(HEADER_KEY).payload(&header).partition(slot.partition))?;
        for (key, message) in &slot.verdicts {
            self.send(BaseRecord::<[u8], [u8]>::to(&self.kafka.verdicts_topic).key(key.as_bytes()).payload(message))?;
        }
        Ok(())
    }

    fn send_outgoing(&self, topic: &str, outgoing: &Outgoing) -> KafkaResult<()> {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).headers(outgoing.headers.clone());
        record.key = outgoing.key.as_deref();
        record.payload = outgoing.value.as_deref();
        record.partition = outgoing.partition;
        // A record without a timestamp takes the wall clock of its writing, and so does one of 0 in librdkafka.
        record.timestamp = (outgoing.timestamp >= 0).then_some(outgoing.timestamp.max(1));
        self.send(record)
    }

    /// Sends, and waits while the producer's queue is full.
    fn send(&self, mut record: BaseRecord<'_, [u8], [u8]>) -> KafkaResult<()> {
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    std::thread::park_timeout(Duration::from_millis(5));
                    record = back;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    fn end(&self) -> KafkaResult<()> {
        self.retried(|| self.producer.commit_transaction(STEP))
    }

    /// Repeats what Kafka says may be repeated.
    fn retried(&self, step: impl Fn() -> KafkaResult<()>) -> KafkaResult<()> {
        let mut tries = 5;
        loop {
            match step() {
                Err(KafkaError::Transaction(error)) if error.is_retriable() && tries > 0 => tries -= 1,
                other => return other,
            }
        }
    }
}

//! The transactional producer of an instance, by librdkafka.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::{MAX_RECORD_BYTES, client_config};

use super::log::LiveLog;
use crate::consumer::partition_list;
use crate::topics::{Inputs, Positions};
use crate::transaction::{NotCommitted, Producer, retried};

/// How long one step of a transaction may take before it is given up, and the linker reads its state again.
const STEP: Duration = Duration::from_secs(60);

/// How long it may take before librdkafka is taken to have forgotten it.
const STUCK: Duration = Duration::from_secs(75);

/// How long the broker keeps a transaction open whose producer is gone, in milliseconds: readers of the changelog wait as long.
const TRANSACTION_TIMEOUT_MS: &str = "30000";

/// How often what the producer has to say is served.
const SERVE_PERIOD: Duration = Duration::from_millis(20);

/// How much of it at a time. An abort waits for what is said of every queue that it empties: one or two of each partition.
const SERVED_AT_ONCE: usize = 64;

/// What brokers say to offsets of a member and generation that the group has left behind (KIP-447, KIP-848).
const GONE_ON: [RDKafkaErrorCode; 5] = [
    RDKafkaErrorCode::IllegalGeneration,
    RDKafkaErrorCode::UnknownMemberId,
    RDKafkaErrorCode::StaleMemberEpoch,
    RDKafkaErrorCode::FencedMemberEpoch,
    RDKafkaErrorCode::RebalanceInProgress,
];

/// How records are written. `kafka.properties` can't say otherwise.
pub const PRODUCER_SETTINGS: [(&str, &str); 5] = [
    ("queue.buffering.max.kbytes", "262144"),
    ("compression.type", "lz4"),
    ("linger.ms", "5"),
    // A commit says that all is written: only what was not needs a report.
    ("delivery.report.only.error", "true"),
    // The partitioner of Kafka's own clients.
    ("partitioner", "murmur2_random"),
];

/// See the module's text.
pub(crate) struct LiveProducer {
    /// Before the producer, which ends when nobody serves it any more.
    _serving: Serving,
    producer: Arc<BaseProducer>,
    inputs: Inputs,
    log: Arc<LiveLog>,
    busy: Busy,
}

/// Since when an open transaction is in its step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Busy(Arc<Mutex<Option<Instant>>>);

impl Busy {
    /// Whether a step lasts longer than it may. librdkafka never looks at the timeout of offsets that wait for a group's
    /// coordinator (confluentinc/librdkafka#5456): where that was restarted, it may wait for ever.
    pub(crate) fn is_stuck(&self) -> bool {
        self.held().is_some_and(|since| since.elapsed() > STUCK)
    }

    /// A step begins, or is repeated.
    fn begin_step(&self) {
        *self.held() = Some(Instant::now());
    }

    fn held(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that serves what a producer has to say: its failed deliveries, without which an abort would not end.
///
/// `rdkafka`'s own (`ThreadedProducer`) waits without sleeping through the last millisecond of every hundred: a hundredth of a core.
struct Serving {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    fn begin(producer: &Arc<BaseProducer>) -> KafkaResult<Self> {
        let (stop, stopped) = channel();
        let producer = Arc::clone(producer);
        let serve = move || {
            while stopped.recv_timeout(SERVE_PERIOD) == Err(RecvTimeoutError::Timeout) {
                // Each serves one thing, if there is one.
                (0..SERVED_AT_ONCE).for_each(|_| producer.poll(Duration::ZERO));
            }
        };
        let thread = std::thread::Builder::new().name("producer".to_owned()).spawn(serve);
        let thread = thread.map_err(|error| KafkaError::ClientCreation(format!("its thread: {error}")))?;
        Ok(Serving { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A thread that panicked has nothing left to end.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl LiveProducer {
    /// Makes the producer, and ends what an earlier one of the same instance left open.
    ///
    /// # Errors
    /// When a setting is refused, or the brokers don't answer in time.
    pub(crate) fn open(
        kafka: &Kafka,
        inputs: &Inputs,
        instance: &str,
        log: &Arc<LiveLog>,
        busy: &Busy,
    ) -> KafkaResult<Self> {
        let room = (MAX_RECORD_BYTES + (1 << 20)).to_string();
        let mut config = client_config(kafka);
        config
            .set("transactional.id", format!("{}-{instance}", kafka.group))
            .set("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS)
            .set("message.max.bytes", room);
        for (name, value) in PRODUCER_SETTINGS {
            config.set(name, value);
        }
        let producer: Arc<BaseProducer> = Arc::new(config.create()?);
        let serving = Serving::begin(&producer)?;
        producer.init_transactions(STEP)?;
        Ok(LiveProducer {
            _serving: serving,
            producer,
            inputs: inputs.clone(),
            log: Arc::clone(log),
            busy: busy.clone(),
        })
    }
}

impl Producer for LiveProducer {
    type Group = ConsumerGroupMetadata;

    fn begin(&self) -> KafkaResult<()> {
        self.busy.begin_step();
        self.producer.begin_transaction()
    }

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

    fn send_offsets(&self, positions: &Positions, group: &ConsumerGroupMetadata) -> Result<(), NotCommitted> {
        let mut offsets = partition_list(&self.inputs, []);
        for (place, position) in positions {
            offsets.add_partition_offset(self.inputs.name(place.0), place.1, Offset::Offset(position.next))?;
        }
        let sent = retried(|| {
            self.busy.begin_step();
            self.producer.send_offsets_to_transaction(&offsets, group, STEP)
        });
        sent.map_err(|error| match error.rdkafka_error_code() {
            Some(code) if GONE_ON.contains(&code) && !is_fatal(&error) => NotCommitted::Refused(error),
            _ => NotCommitted::Failed(error),
        })
    }

    fn slots(&self) -> KafkaResult<i32> {
        self.log.slots()
    }

    fn commit(&self) -> KafkaResult<()> {
        retried(|| {
            self.busy.begin_step();
            self.producer.commit_transaction(STEP)
        })?;
        *self.busy.held() = None;
        Ok(())
    }

    fn abort(&self) -> KafkaResult<()> {
        self.busy.begin_step();
        let aborted = self.producer.abort_transaction(STEP);
        *self.busy.held() = None;
        aborted
    }
}

fn is_fatal(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_fatal())
}

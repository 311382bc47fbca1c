//! The real world of a session: librdkafka, ClickHouse, threads and clocks.

mod producer;
mod store;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Message, Offset};
use ringtrace_kit::clock::wall_ms;
use ringtrace_kit::kafka::check_topics;
use ringtrace_model::CallKey;
use tokio::runtime::Handle;

use crate::changelog::{self, Changelog, ChangelogError};
use crate::consumer::{Change, Context, partition_list, reader, subscribe};
use crate::flusher::{Flusher, Line};
use crate::load::{LoadError, Stored};
use crate::lookup::{self, Answer, Histories};
use crate::probe::{self, End, Readers, Shared};
use crate::record::Record;
use crate::run::{LinkError, Linker};
use crate::topics::{ByPlace, Inputs, Place};
use crate::transaction::Transactions;
use crate::world::{Beside, Log, Member, Polled};
use crate::writer::Writer;
use producer::LiveProducer;
use store::ClickHouseStore;

/// How long the brokers may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long it waits before it asks again.
const PAUSE: Duration = Duration::from_millis(200);

/// How long offsets may stay unstable: as long as transactions of a dead owner, and a little more.
const STABLE: Duration = Duration::from_secs(60);

/// How long a seek may take.
const SEEK: Duration = Duration::from_secs(10);

/// How often a seek is tried.
const SEEKS: u32 = 100;

/// See the module's text.
pub(crate) struct Live<'l> {
    linker: &'l Linker,
    runtime: Handle,
    inputs: Inputs,
    consumer: BaseConsumer<Context>,
    /// Belong to no group: one sees committed records only, the other all.
    committed: BaseConsumer,
    raw: BaseConsumer,
    instance: String,
    probe: Arc<Shared>,
    /// Ends the probe when it is dropped.
    _probe_lives: SyncSender<()>,
    /// Lives as long as the session: its flusher gives up with it.
    lives: Arc<()>,
}

impl<'l> Live<'l> {
    pub(crate) fn start(linker: &'l Linker, runtime: &Handle, instance: &str) -> Result<Self, LinkError> {
        let kafka = &linker.config.kafka;
        let inputs = Inputs::of(kafka);
        let (probe, probe_lives) = start_probe(linker, &inputs)?;
        Ok(Live {
            linker,
            runtime: runtime.clone(),
            consumer: subscribe(kafka, &inputs)?,
            committed: reader(kafka, "read_committed")?,
            raw: reader(kafka, "read_uncommitted")?,
            inputs,
            instance: instance.to_owned(),
            probe,
            _probe_lives: probe_lives,
            lives: Arc::new(()),
        })
    }
}

fn start_probe(linker: &Linker, inputs: &Inputs) -> Result<(Arc<Shared>, SyncSender<()>), LinkError> {
    let kafka = &linker.config.kafka;
    let readers = Readers { committed: reader(kafka, "read_committed")?, raw: reader(kafka, "read_uncommitted")? };
    let shared = Arc::new(Shared::default());
    let (lives, stop) = sync_channel(0);
    let (inputs, theirs) = (inputs.clone(), Arc::clone(&shared));
    let thread = std::thread::Builder::new().name("probe".to_owned());
    thread.spawn(move || probe::run(&readers, &inputs, &theirs, &stop)).map_err(|_| LinkError::Thread("probe"))?;
    Ok((shared, lives))
}

impl Member for Live<'_> {
    type Group = ConsumerGroupMetadata;

    fn poll<T>(&mut self, most: Duration, take: impl FnOnce(&Record<'_>) -> T) -> KafkaResult<Polled<T>> {
        match self.consumer.poll(most) {
            Some(Ok(message)) => match self.inputs.find(message.topic()) {
                Some(input) => Ok(Polled::Record(take(&Record::of(&message, input)))),
                None => Ok(Polled::Event),
            },
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => Err(error),
            Some(Err(error)) => {
                // librdkafka goes on by itself; the probe notices when the brokers stay away.
                tracing::warn!(%error, "Kafka reports");
                Ok(Polled::Event)
            }
            None => Ok(Polled::Nothing),
        }
    }

    /// Refused while librdkafka is still asking for the partition's own offset.
    fn seek(&mut self, (input, partition): Place, offset: i64) -> KafkaResult<()> {
        let mut tries = SEEKS;
        loop {
            match self.consumer.seek(self.inputs.name(input), partition, Offset::Offset(offset), SEEK) {
                Err(KafkaError::Seek(_)) if tries > 0 => {
                    tries -= 1;
                    std::thread::park_timeout(Duration::from_millis(100));
                }
                sought => return sought,
            }
        }
    }

    fn pause(&mut self, places: &[Place]) -> KafkaResult<()> {
        self.consumer.pause(&partition_list(&self.inputs, places.iter().copied()))
    }

    fn resume(&mut self, places: &[Place]) -> KafkaResult<()> {
        self.consumer.resume(&partition_list(&self.inputs, places.iter().copied()))
    }

    fn take_changes(&mut self) -> Vec<Change> {
        self.consumer.context().take_changes()
    }

    fn has_changes(&self) -> bool {
        self.consumer.context().has_changes()
    }

    fn group(&self) -> Option<ConsumerGroupMetadata> {
        self.consumer.group_metadata()
    }

    fn committed(&self, places: &[Place]) -> KafkaResult<Vec<Option<i64>>> {
        let list = partition_list(&self.inputs, places.iter().copied());
        let committed = self.consumer.committed_offsets(list, STABLE)?;
        let offset = |place: &Place| {
            let element = committed.find_partition(self.inputs.name(place.0), place.1);
            element.as_ref().map_or(Ok(()), TopicPartitionListElem::error)?;
            Ok(element.and_then(|element| element.offset().to_raw()).filter(|offset| *offset >= 0))
        };
        places.iter().map(offset).collect()
    }
}

/// Whether a broker that starts, stops or is out of reach says so.
fn may_pass(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, LeaderNotAvailable, NotLeaderForPartition};
    let passing = [AllBrokersDown, BrokerTransportFailure, LeaderNotAvailable, NotLeaderForPartition];
    error.rdkafka_error_code().is_some_and(|code| passing.contains(&code))
}

impl Log for Live<'_> {
    fn partitions(&self) -> Result<i32, LinkError> {
        Ok(check_topics(&self.linker.config.kafka)?)
    }

    fn bounds(&self, (input, partition): Place) -> KafkaResult<(i64, i64)> {
        // A session asks this after every transaction of others. A broker that is being restarted is no reason to drop its state.
        let started = Instant::now();
        loop {
            match self.raw.fetch_watermarks(self.inputs.name(input), partition, TIMEOUT) {
                Err(error) if may_pass(&error) && started.elapsed() < TIMEOUT => std::thread::park_timeout(PAUSE),
                bounds => return bounds,
            }
        }
    }

    fn committed_end(&self, (input, partition): Place) -> KafkaResult<i64> {
        Ok(self.committed.fetch_watermarks(self.inputs.name(input), partition, TIMEOUT)?.1)
    }

    fn changelog(&self, partition: i32) -> Result<Changelog, ChangelogError> {
        changelog::read(&self.committed, &self.raw, &self.linker.config.kafka.calls_topic, partition)
    }
}

impl Beside for Live<'_> {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall_ms(&self) -> i64 {
        wall_ms()
    }

    fn wait<T>(&mut self, receiver: &Receiver<T>, most: Duration) -> Result<T, RecvTimeoutError> {
        receiver.recv_timeout(most)
    }

    fn start_flusher(&mut self) -> Result<Line<Self::Group>, LinkError> {
        let Linker { config, sink, health, drain, .. } = self.linker;
        let writer = Writer {
            sink: sink.clone(),
            database: config.clickhouse.database.clone(),
            health: health.clone(),
            drain: drain.clone(),
            gives_up: self.linker.until_caught_up,
            wanted: Arc::downgrade(&self.lives),
        };
        let producer = LiveProducer::open(&config.kafka, &self.inputs, &self.instance)?;
        let flusher = Flusher {
            transactions: Transactions { producer, kafka: config.kafka.clone() },
            store: ClickHouseStore { writer, runtime: self.runtime.clone() },
            instance: self.instance.clone(),
            inputs: self.inputs.clone(),
        };
        let (flushes, to_write) = sync_channel(1);
        let (done, progress) = sync_channel(1);
        let thread = std::thread::Builder::new().name("flusher".to_owned());
        thread.spawn(move || flusher.run(&to_write, &done)).map_err(|_| LinkError::Thread("flusher"))?;
        Ok((flushes, progress))
    }

    fn tell_probe(&self, positions: ByPlace<i64>) {
        self.probe.set_positions(positions);
    }

    fn ends(&self) -> ByPlace<End> {
        self.probe.ends()
    }

    fn stored(&self) -> Result<Stored, LoadError> {
        store::stored(&self.linker.sink, &self.runtime)
    }

    fn histories(&mut self, keys: Vec<CallKey>) -> Answer<Histories> {
        lookup::histories(&self.runtime, &self.linker.sink, keys)
    }

    fn check(&mut self, calls: Vec<(CallKey, i64)>) -> Answer<(Vec<CallKey>, Histories)> {
        lookup::check(&self.runtime, &self.linker.sink, calls)
    }
}

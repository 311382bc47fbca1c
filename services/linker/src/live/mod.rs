//! The real world of a session: librdkafka, ClickHouse, threads and clocks.

mod fetched;
mod log;
mod producer;
mod rules;
mod sources;
mod store;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset};
use ringtrace_kit::clock::wall_ms;
use ringtrace_model::CallKey;
use tokio::runtime::Handle;

use crate::consumer::{Change, Context, Protocol, give_up, partition_list, reader, subscribe};
use crate::flusher::{Flusher, Line};
use crate::load::{Loaded, Loader, Wanted};
use crate::lookup::{self, Answer, Asked, Histories};
use crate::probe::{self, End, Readers, Shared};
use crate::record::Record;
use crate::run::{LinkError, Linker};
use crate::topics::{ByPlace, Input, Inputs, Place};
use crate::transaction::Transactions;
use crate::world::{Beside, Member, Polled, RulesNumbers};
use crate::writer::Writer;
use fetched::Fetch;
use log::LiveLog;
pub use producer::PRODUCER_SETTINGS;
use producer::{Busy, LiveProducer};
use sources::Sources;
use store::ClickHouseStore;

/// How long a seek may take.
const SEEK: Duration = Duration::from_secs(10);

/// How often a seek is tried.
const SEEKS: u32 = 100;

/// See the module's text.
pub(crate) struct Live<'l> {
    linker: &'l Linker,
    runtime: Handle,
    consumer: Arc<BaseConsumer<Context>>,
    sources: Sources,
    inputs: Inputs,
    stored: Arc<LiveLog>,
    instance: String,
    rules: rules::Watch,
    producer: Busy,
    probe: Arc<Shared>,
    /// Ends the probe when it is dropped.
    _probe_lives: SyncSender<()>,
    /// Lives as long as the session: its flusher gives up with it.
    lives: Arc<()>,
}

/// A record, or an error.
enum Next<'a> {
    /// Of the consumer's own queue.
    OfConsumer(KafkaResult<BorrowedMessage<'a>>),
    /// Of a partition's queue.
    OfPartition(Input, KafkaResult<Fetch<'a>>),
}

impl<'l> Live<'l> {
    pub(crate) fn start(
        linker: &'l Linker,
        runtime: &Handle,
        instance: &str,
        protocol: Protocol,
        partitions: i32,
    ) -> Result<Self, LinkError> {
        let kafka = &linker.config.kafka;
        let inputs = Inputs::of(kafka);
        // Before it joins the group: an instance with other rules takes no slot from one that may have it.
        let rules = rules::Watch::start(linker, runtime)?;
        let (probe, probe_lives) = start_probe(linker, &inputs)?;
        tracing::info!(group = %kafka.group, ?protocol, "joining the consumer group");
        Ok(Live {
            linker,
            runtime: runtime.clone(),
            consumer: Arc::new(subscribe(kafka, &inputs, protocol, partitions)?),
            sources: Sources::default(),
            stored: Arc::new(LiveLog::start(linker, runtime, &inputs)?),
            inputs,
            instance: instance.to_owned(),
            rules,
            producer: Busy::default(),
            probe,
            _probe_lives: probe_lives,
            lives: Arc::new(()),
        })
    }

    /// What comes next. The consumer's own queue has rebalances, and what was fetched of a partition before it had a queue.
    fn next(&self, most: Duration) -> Option<Next<'_>> {
        let of_consumer = || self.consumer.poll(Duration::ZERO).map(Next::OfConsumer);
        let of_partitions = || self.sources.next().map(|(input, taken)| Next::OfPartition(input, taken));
        if most.is_zero() {
            return of_partitions();
        }
        of_consumer().or_else(of_partitions).or_else(|| {
            std::thread::park_timeout(most);
            of_partitions()
        })
    }

    /// After a rebalance librdkafka goes on behind the errors that were taken: back to where they were.
    fn read_what_failed(&self) {
        let failed: Vec<(Place, i64)> = self.sources.failed().collect();
        for (place, offset) in failed {
            self.sources.forget(&[place]);
            // Without waiting: one that is no longer this member's is sought in vain.
            let _ = self.consumer.seek(self.inputs.name(place.0), place.1, Offset::Offset(offset), Duration::ZERO);
        }
    }

    /// librdkafka tells that it can't go on, and keeps why to itself.
    fn fatal(&self, told: RDKafkaErrorCode) -> KafkaError {
        KafkaError::MessageConsumptionFatal(self.consumer.client().fatal_error().map_or(told, |(code, _)| code))
    }
}

impl Drop for Live<'_> {
    /// A consumer can't close while it waits for partitions to be given up.
    fn drop(&mut self) {
        let context = self.consumer.context();
        context.leave();
        while let Some(change) = context.next_change() {
            if let Change::Revoking(places) = change {
                let _ = give_up(&self.consumer, &partition_list(&self.inputs, places));
            }
        }
    }
}

fn start_probe(linker: &Linker, inputs: &Inputs) -> Result<(Arc<Shared>, SyncSender<()>), LinkError> {
    let kafka = &linker.config.kafka;
    let readers = Readers { committed: reader(kafka, "read_committed")?, raw: reader(kafka, "read_uncommitted")? };
    let shared = Arc::new(Shared::default());
    let (lives, stop) = sync_channel(0);
    let (kafka, inputs, theirs) = (kafka.clone(), inputs.clone(), Arc::clone(&shared));
    let thread = std::thread::Builder::new().name("probe".to_owned());
    thread
        .spawn(move || probe::run(&readers, &kafka, &inputs, &theirs, &stop))
        .map_err(|_| LinkError::Thread("probe"))?;
    Ok((shared, lives))
}

impl Member for Live<'_> {
    type Group = ConsumerGroupMetadata;

    fn poll<T>(&mut self, most: Duration, take: impl FnOnce(&Record<'_>) -> T) -> KafkaResult<Polled<T>> {
        let polled = match self.next(most) {
            None => Ok(Polled::Nothing),
            Some(Next::OfPartition(input, taken)) => {
                taken.map(|message| Polled::Record(take(&Record::of(&message, input))))
            }
            Some(Next::OfConsumer(taken)) => taken.map(|message| match self.inputs.find(message.topic()) {
                Some(input) => Polled::Record(take(&Record::of(&message, input))),
                None => Polled::Event,
            }),
        };
        match polled {
            Err(KafkaError::MessageConsumptionFatal(code)) => Err(self.fatal(code)),
            Err(error) => {
                // librdkafka goes on by itself; the probe notices when the brokers stay away.
                tracing::warn!(%error, "Kafka reports");
                Ok(Polled::Event)
            }
            polled => polled,
        }
    }

    fn hold(&mut self, places: &[Place]) {
        self.sources.hold(places);
    }

    /// Refused while librdkafka is still asking for the partition's own offset.
    fn seek(&mut self, (input, partition): Place, offset: i64) -> KafkaResult<()> {
        self.sources.forget(&[(input, partition)]);
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
        self.sources.forget(places);
        self.consumer.pause(&partition_list(&self.inputs, places.iter().copied()))
    }

    fn resume(&mut self, places: &[Place]) -> KafkaResult<()> {
        self.consumer.resume(&partition_list(&self.inputs, places.iter().copied()))
    }

    fn next_change(&mut self) -> Option<Change> {
        let change = self.consumer.context().next_change()?;
        match &change {
            Change::Assigned(places) => self.sources.add(&self.consumer, &self.inputs, places),
            Change::Lost(places) => self.sources.remove(places),
            Change::Revoking(_) => {}
        }
        self.read_what_failed();
        Some(change)
    }

    fn has_change(&self, is_kind: fn(&Change) -> bool) -> bool {
        self.consumer.context().has_change(is_kind)
    }

    fn give_up(&mut self, places: &[Place]) -> KafkaResult<()> {
        self.sources.remove(places);
        give_up(&self.consumer, &partition_list(&self.inputs, places.iter().copied()))
    }

    fn group(&self) -> Option<ConsumerGroupMetadata> {
        self.consumer.group_metadata()
    }
}

impl Beside for Live<'_> {
    type Log = LiveLog;

    fn log(&self) -> &LiveLog {
        &self.stored
    }

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
        self.producer = Busy::default();
        let producer = LiveProducer::open(&config.kafka, &self.inputs, &self.instance, &self.stored, &self.producer)?;
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

    fn check_flusher(&self) -> Result<(), LinkError> {
        if self.producer.is_stuck() { Err(LinkError::OpenTransaction) } else { Ok(()) }
    }

    fn slots(&self) -> Result<Option<i32>, LinkError> {
        Ok(self.probe.take_slots().transpose()?)
    }

    fn load(&mut self, loader: &Loader, wanted: Wanted) -> Answer<Result<Loaded, LinkError>> {
        let (asked, answer) = Asked::new();
        let (loader, stored) = (loader.clone(), Arc::clone(&self.stored));
        let thread = std::thread::Builder::new().name("loader".to_owned());
        // Without a thread nobody answers, which is noticed.
        let _ = thread.spawn(move || asked.answer(loader.load(&*stored, &wanted)));
        answer
    }

    fn rules(&self) -> RulesNumbers {
        self.rules.numbers()
    }

    fn histories(&mut self, keys: Vec<CallKey>) -> Answer<Histories> {
        lookup::histories(&self.runtime, &self.linker.sink, keys)
    }

    fn check(&mut self, calls: Vec<(CallKey, i64)>) -> Answer<(Vec<CallKey>, Histories)> {
        lookup::check(&self.runtime, &self.linker.sink, calls)
    }
}

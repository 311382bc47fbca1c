//! One session with Kafka: the loop that polls and folds, and what is due beside it. `cutting` hands over what was read,
//! `ownership` follows rebalances, `ending` ends it.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use hashbrown::HashSet;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset};
use ringtrace_kit::backoff::Backoff;
use ringtrace_kit::clock::wall_ms;
use ringtrace_model::CallKey;
use tokio::runtime::Handle;

use crate::batch::Routing;
use crate::catch_up::CatchUp;
use crate::consumer::{Context, reader, subscribe};
use crate::flusher::{Flush, Flusher, Progress};
use crate::load::Loader;
use crate::lookup::{Answer, Histories};
use crate::metrics;
use crate::privacy::Privacy;
use crate::probe::{self, Readers, Shared};
use crate::reading::Reading;
use crate::run::{KAFKA, LinkError, Linker};
use crate::slot::Limits;
use crate::topics::{Inputs, Place};
use crate::transaction::Transactions;
use crate::writer::Writer;

/// Records that are taken between two looks at the clock.
const RECORDS_PER_TICK: usize = 1024;

/// How long the loop waits for an answer before it polls meanwhile; `max.poll.interval.ms` is 300 s.
pub(crate) const SILENCE: Duration = Duration::from_secs(5);

/// How long the brokers may be silent before the service is not ready, in milliseconds.
const BROKER_SILENCE_MS: i64 = 15_000;

/// How often state is shown in the metrics.
const GAUGE_PERIOD: Duration = Duration::from_secs(1);

/// See the module's text.
pub(crate) struct Session<'l> {
    pub(crate) linker: &'l Linker,
    pub(crate) runtime: Handle,
    pub(crate) limits: Limits,
    pub(crate) consumer: BaseConsumer<Context>,
    pub(crate) loader: Loader,
    pub(crate) reading: Reading,
    /// What Kafka has assigned, loaded or not.
    pub(crate) owned: HashSet<Place>,
    pub(crate) catch_up: Option<CatchUp>,
    pub(crate) instance: String,
    pub(crate) probe: Arc<Shared>,
    /// Ends the probe when it is dropped.
    _probe_lives: SyncSender<()>,
    pub(crate) flushes: SyncSender<Flush>,
    pub(crate) progress: Receiver<Progress>,
    pub(crate) in_flight: bool,
    /// The flush in flight was cut before partitions were taken away: its failure means nothing.
    pub(crate) is_stale: bool,
    pub(crate) has_committed: bool,
    pub(crate) check: Option<Answer<(Vec<CallKey>, Histories)>>,
    /// Lives as long as the session: its flusher gives up with it.
    pub(crate) lives: Arc<()>,
    pub(crate) last_cut: Instant,
    pub(crate) last_check: Instant,
    last_gauges: Instant,
}

impl<'l> Session<'l> {
    pub(crate) fn start(
        linker: &'l Linker,
        runtime: Handle,
        instance: &str,
        partitions: i32,
        refused: HashSet<String>,
    ) -> Result<Self, LinkError> {
        let kafka = &linker.config.kafka;
        let inputs = Inputs::new(&kafka.push_topic, &kafka.call_topic, &kafka.internal_topic, &kafka.device_topic);
        let privacy = Privacy::new(&linker.config.privacy.fields, linker.config.privacy.key.expose().as_bytes());
        let (probe, probe_lives) = start_probe(linker, &inputs)?;
        let lives = Arc::new(());
        let (flushes, progress) = start_flusher(linker, &runtime, &inputs, instance, &lives)?;
        let now = Instant::now();
        Ok(Session {
            linker,
            runtime,
            limits: Limits { calls: linker.config.link.calls_in_memory, settled_ms: linker.config.link.settled_ms },
            consumer: subscribe(kafka, &inputs)?,
            loader: Loader::new(kafka, &inputs)?,
            reading: Reading::new(Routing { inputs, privacy, partitions, refused }, wall_ms()),
            owned: HashSet::new(),
            catch_up: linker.until_caught_up.then(CatchUp::default),
            instance: instance.to_owned(),
            probe,
            _probe_lives: probe_lives,
            flushes,
            progress,
            in_flight: false,
            is_stale: false,
            has_committed: false,
            check: None,
            lives,
            last_cut: now,
            last_check: now,
            last_gauges: now,
        })
    }

    /// Runs until the drain starts, or everything is caught up.
    pub(crate) fn run(mut self, backoff: &mut Backoff) -> Result<(), LinkError> {
        while !self.linker.drain.is_started() {
            self.pump(Duration::from_millis(20))?;
            self.tick()?;
            if std::mem::take(&mut self.has_committed) {
                backoff.reset();
            }
            if self.is_caught_up()? {
                return self.finish();
            }
        }
        self.drain()
    }

    /// Takes what there is to read; waits no longer than `most` for the first record.
    pub(crate) fn pump(&mut self, most: Duration) -> Result<(), LinkError> {
        self.reading.wall_ms = wall_ms();
        let mut wait = most;
        for _ in 0..RECORDS_PER_TICK {
            if !self.poll(wait)? || self.reading.batch.bytes >= self.linker.config.link.flush_bytes {
                break;
            }
            wait = Duration::ZERO;
        }
        self.follow_changes()
    }

    /// Takes one record; false when there was none.
    pub(crate) fn poll(&mut self, wait: Duration) -> Result<bool, LinkError> {
        match self.consumer.poll(wait) {
            Some(Ok(message)) => {
                if !self.reading.take(&message) {
                    // It was fetched before its partition was paused: it is read again once the slot is loaded.
                    let (topic, partition) = (message.topic().to_owned(), message.partition());
                    let offset = Offset::Offset(message.offset());
                    drop(message);
                    self.consumer.seek(&topic, partition, offset, SILENCE)?;
                }
                Ok(true)
            }
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => Err(error.into()),
            Some(Err(error)) => {
                // librdkafka goes on by itself; the probe notices when the brokers stay away.
                tracing::warn!(%error, "Kafka reports");
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// What is due, beside reading.
    fn tick(&mut self) -> Result<(), LinkError> {
        if self.in_flight
            && let Ok(progress) = self.progress.try_recv()
        {
            self.note(progress)?;
        }
        self.note_check();
        let link = &self.linker.config.link;
        let is_full = self.reading.batch.bytes >= link.flush_bytes;
        if is_full && self.in_flight {
            self.settle()?;
        }
        if !self.in_flight && (is_full || self.last_cut.elapsed() >= Duration::from_millis(link.flush_interval_ms)) {
            self.cut()?;
        }
        if self.last_gauges.elapsed() >= GAUGE_PERIOD {
            self.show();
        }
        Ok(())
    }

    pub(crate) fn tell_probe(&self) {
        self.probe
            .set_positions(self.reading.positions.iter().map(|(place, position)| (*place, position.next)).collect());
    }

    fn show(&mut self) {
        self.last_gauges = Instant::now();
        let ends = self.probe.ends();
        let lag = |(place, position): (&Place, &crate::topics::Position)| {
            ends.get(place).map_or(0, |end| (end.drained_from - position.next).max(0))
        };
        let lag = self.reading.positions.iter().map(lag).sum();
        let now = wall_ms();
        let clock_lag = self.reading.oldest_clock().map_or(0, |clock| now - clock);
        let slots = self.reading.slots.iter().flatten().count();
        metrics::slots(slots, self.reading.open_calls(), clock_lag, lag);
        let answered = ends.values().map(|end| end.asked_at).max();
        match answered {
            Some(at) if now - at > BROKER_SILENCE_MS => self.linker.health.not_ready(KAFKA, "brokers do not answer"),
            Some(_) => self.linker.health.ready(KAFKA),
            None => {}
        }
    }
}

/// The configured name of this instance, or a random one.
pub(crate) fn instance_name(configured: &str) -> String {
    if !configured.is_empty() {
        return configured.to_owned();
    }
    // Keys of the standard library's hashers are random.
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
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

pub(crate) fn start_flusher(
    linker: &Linker,
    runtime: &Handle,
    inputs: &Inputs,
    instance: &str,
    lives: &Arc<()>,
) -> Result<(SyncSender<Flush>, Receiver<Progress>), LinkError> {
    let flusher = Flusher {
        transactions: Transactions::open(&linker.config.kafka, instance)?,
        writer: Writer {
            sink: linker.sink.clone(),
            database: linker.config.clickhouse.database.clone(),
            health: linker.health.clone(),
            drain: linker.drain.clone(),
            wanted: Arc::downgrade(lives),
        },
        instance: instance.to_owned(),
        inputs: inputs.clone(),
        runtime: runtime.clone(),
    };
    let (flushes, to_write) = sync_channel(1);
    let (done, progress) = sync_channel(1);
    let thread = std::thread::Builder::new().name("flusher".to_owned());
    thread.spawn(move || flusher.run(&to_write, &done)).map_err(|_| LinkError::Thread("flusher"))?;
    Ok((flushes, progress))
}

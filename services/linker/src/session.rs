//! One session with Kafka: the loop that polls, folds and cuts flushes.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
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
use crate::consumer::{Context, partition_list, reader, subscribe};
use crate::flusher::{Flush, Flusher, Progress};
use crate::load::Loader;
use crate::lookup::{self, Answer, Histories};
use crate::metrics;
use crate::privacy::Privacy;
use crate::probe::{self, Readers, Shared};
use crate::reading::Reading;
use crate::run::{KAFKA, LinkError, Linker};
use crate::slot::{History, Limits, Slot};
use crate::topics::{Inputs, Place};
use crate::transaction::Transactions;

/// Records that are taken between two looks at the clock.
const RECORDS_PER_TICK: usize = 1024;

/// How long the loop waits for an answer before it polls meanwhile; `max.poll.interval.ms` is 300 s.
const SILENCE: Duration = Duration::from_secs(5);

/// How long the brokers may be silent before the service is not ready, in milliseconds.
const BROKER_SILENCE_MS: i64 = 15_000;

/// How long a stop waits for ClickHouse and Kafka.
const DRAIN_PATIENCE: Duration = Duration::from_secs(25);

/// How often calls that were taken for new are checked.
const CHECK_PERIOD: Duration = Duration::from_secs(5);

/// Checks sooner when so many calls wait for it.
const CHECK_CALLS: usize = 20_000;

/// Calls whose histories are in memory at once.
const LOOK_UP_CALLS: usize = 1_500;

/// Part of the service's health that look-ups decide.
const LOOK_UP: &str = "look-up";

/// How long the end of a catch-up waits for the brokers to say that nothing more is there.
const LAST_WORD: Duration = Duration::from_secs(20);

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
    instance: String,
    probe: Arc<Shared>,
    /// Ends the probe when it is dropped.
    _probe_lives: SyncSender<()>,
    flushes: SyncSender<Flush>,
    progress: Receiver<Progress>,
    in_flight: bool,
    /// The flush in flight was cut before partitions were taken away: its failure means nothing.
    pub(crate) is_stale: bool,
    has_committed: bool,
    check: Option<Answer<(Vec<CallKey>, Histories)>>,
    /// Lives as long as the session: its flusher gives up with it.
    lives: Arc<()>,
    last_cut: Instant,
    last_check: Instant,
    last_gauges: Instant,
}

impl<'l> Session<'l> {
    pub(crate) fn start(
        linker: &'l Linker,
        runtime: Handle,
        instance: &str,
        partitions: i32,
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
            reading: Reading::new(Routing { inputs, privacy, partitions }, wall_ms()),
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
    fn pump(&mut self, most: Duration) -> Result<(), LinkError> {
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
    fn poll(&mut self, wait: Duration) -> Result<bool, LinkError> {
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

    /// Cuts a flush at the log time that the partitions allow, and hands it to the flusher.
    fn cut(&mut self) -> Result<(), LinkError> {
        self.last_cut = Instant::now();
        self.tell_probe();
        self.reading.observe(&self.probe.ends());
        self.reading.advance();
        self.cut_here()
    }

    fn cut_here(&mut self) -> Result<(), LinkError> {
        self.check_gaps()?;
        self.page_in()?;
        let slots = self.reading.cut_slots();
        let moved = self.reading.moved();
        let batch = std::mem::take(&mut self.reading.batch);
        if slots.is_empty() && moved.is_empty() {
            return Ok(());
        }
        let Some(group) = self.consumer.group_metadata() else { return Err(LinkError::Thread("consumer")) };
        if self.consumer.context().has_changes() {
            // The metadata may be of a generation in which the slots that were cut are another's. They are about to be
            // dropped; nothing of this flush was written.
            return Ok(());
        }
        if let Some(catch_up) = &mut self.catch_up {
            catch_up.has_rerouted |= !batch.reroutes.is_empty();
        }
        let inputs = &self.reading.routing.inputs;
        let mut offsets = partition_list(inputs, []);
        for (place, position) in &self.reading.positions {
            // Offsets always go along, so that the transaction of an old owner is refused.
            offsets.add_partition_offset(inputs.name(place.0), place.1, Offset::Offset(position.next))?;
            self.reading.committed.insert(*place, position.next);
        }
        let flush = Flush { slots, batch, positions: self.reading.positions.clone(), offsets, group };
        self.flushes.send(flush).map_err(|_| LinkError::Thread("flusher"))?;
        self.in_flight = true;
        Ok(())
    }

    /// Folds in the histories of calls that came into memory, so that a cut sees whole calls only.
    fn page_in(&mut self) -> Result<(), LinkError> {
        loop {
            let wanted: Vec<CallKey> = self.reading.slots.iter_mut().flatten().flat_map(Slot::take_wanted).collect();
            if wanted.is_empty() {
                return Ok(());
            }
            for keys in wanted.chunks(LOOK_UP_CALLS) {
                let answer = lookup::histories(&self.runtime, &self.linker.sink, keys.to_vec());
                let mut histories = self.await_answer(&answer)?;
                for slot in self.reading.slots.iter_mut().flatten() {
                    for key in keys.iter().filter(|key| slot.holds(key)).cloned().collect::<Vec<_>>() {
                        slot.page_in(&key, histories.remove(&key).unwrap_or_else(History::default));
                    }
                }
            }
        }
    }

    /// Waits for an answer without leaving the group: polls, with everything paused, when it takes long.
    fn await_answer<T>(&mut self, answer: &Answer<T>) -> Result<T, LinkError> {
        let started = Instant::now();
        loop {
            match answer.wait(SILENCE) {
                Ok(answer) => {
                    self.linker.health.ready(LOOK_UP);
                    return Ok(answer);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(LinkError::Thread("look-up")),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.linker.drain.is_started() && started.elapsed() > DRAIN_PATIENCE {
                return Err(LinkError::LookUp("a look-up of calls is not answered".to_owned()));
            }
            self.linker.health.not_ready(LOOK_UP, "ClickHouse does not answer look-ups of calls");
            self.poll_paused()?;
        }
    }

    /// Lets librdkafka see that this member lives, without reading on.
    fn poll_paused(&mut self) -> Result<(), LinkError> {
        let all = partition_list(&self.reading.routing.inputs, self.owned.iter().copied());
        self.consumer.pause(&all)?;
        self.poll(Duration::ZERO)?;
        let loaded = self.reading.positions.keys().copied().filter(|place| self.owned.contains(place));
        self.consumer.resume(&partition_list(&self.reading.routing.inputs, loaded))?;
        Ok(())
    }

    /// Waits until the flush in flight has ended.
    pub(crate) fn settle(&mut self) -> Result<(), LinkError> {
        let started = Instant::now();
        while self.in_flight {
            if self.linker.drain.is_started() && started.elapsed() > DRAIN_PATIENCE {
                return Err(LinkError::LookUp("the last flush is not acknowledged".to_owned()));
            }
            match self.progress.recv_timeout(SILENCE) {
                Ok(progress) => self.note(progress)?,
                Err(RecvTimeoutError::Disconnected) => return Err(LinkError::Thread("flusher")),
                Err(RecvTimeoutError::Timeout) => self.poll_paused()?,
            }
        }
        Ok(())
    }

    fn note(&mut self, progress: Progress) -> Result<(), LinkError> {
        self.in_flight = false;
        let is_stale = std::mem::take(&mut self.is_stale);
        match progress {
            Progress::Done(sequences) => {
                self.has_committed = true;
                for (partition, sequence) in sequences {
                    let slot = self.reading.slots.get_mut(partition as usize).and_then(Option::as_mut);
                    if let Some(slot) = slot.filter(|_| !is_stale) {
                        slot.acknowledge(sequence);
                    }
                }
                Ok(())
            }
            Progress::Failed(error) if is_stale => {
                tracing::info!(
                    error = &error as &dyn std::error::Error,
                    "flush of partitions that were taken away was refused"
                );
                let inputs = &self.reading.routing.inputs;
                (self.flushes, self.progress) =
                    start_flusher(self.linker, &self.runtime, inputs, &self.instance, &self.lives)?;
                Ok(())
            }
            Progress::Failed(error) => Err(error.into()),
        }
    }

    /// Checks calls that were taken for new, in large batches beside reading.
    fn note_check(&mut self) {
        if let Some(Ok((keys, histories))) = self.check.as_ref().map(Answer::try_take) {
            self.check = None;
            self.apply_check(&keys, histories);
        }
        let waiting: usize = self.reading.slots.iter().flatten().map(Slot::unchecked).sum();
        let is_due = self.last_check.elapsed() >= CHECK_PERIOD || waiting >= CHECK_CALLS;
        if self.check.is_none() && waiting > 0 && is_due {
            self.start_check();
        }
    }

    fn start_check(&mut self) {
        self.last_check = Instant::now();
        let calls = self.reading.slots.iter_mut().flatten().flat_map(Slot::take_unchecked).collect();
        self.check = Some(lookup::check(&self.runtime, &self.linker.sink, calls));
    }

    fn apply_check(&mut self, keys: &[CallKey], mut histories: Histories) {
        for slot in self.reading.slots.iter_mut().flatten() {
            for key in keys.iter().filter(|key| slot.holds(key)).cloned().collect::<Vec<_>>() {
                match histories.remove(&key) {
                    Some(history) => slot.page_in(&key, history),
                    None => slot.confirm_new(&key),
                }
            }
        }
    }

    /// A check that is under way is of slots that are gone.
    pub(crate) fn forget_check(&mut self) {
        self.check = None;
    }

    fn check_gaps(&mut self) -> Result<(), LinkError> {
        for (place, expected) in self.reading.gaps.drain() {
            let first = self.loader.first_offset(place)?;
            if first > expected {
                return Err(self.loader.lost(place, expected, first).into());
            }
        }
        Ok(())
    }

    /// Whether everything that was there at the start, and all that was rerouted of it, is read.
    fn is_caught_up(&mut self) -> Result<bool, LinkError> {
        let Some(catch_up) = &mut self.catch_up else { return Ok(false) };
        self.probe
            .set_positions(self.reading.positions.iter().map(|(place, position)| (*place, position.next)).collect());
        if !catch_up.is_reached(&self.reading.positions, &self.probe.ends()) {
            return Ok(false);
        }
        self.settle()?;
        self.cut()?;
        self.settle()?;
        let Some(catch_up) = &mut self.catch_up else { return Ok(false) };
        if catch_up.has_rerouted {
            catch_up.follow_reroutes(&self.loader)?;
            return Ok(false);
        }
        Ok(catch_up.is_reached(&self.reading.positions, &self.probe.ends()))
    }

    /// Lets log time go on to the wall clock, checks what was taken for new, and writes what comes of it. Where producers
    /// keep writing, log time goes as far as they allow: a record that is not read yet accuses nobody.
    fn finish(mut self) -> Result<(), LinkError> {
        let (started, now) = (Instant::now(), wall_ms());
        while !self.reading.is_drained_since(now) && started.elapsed() < LAST_WORD {
            self.pump(Duration::from_millis(20))?;
            self.tell_probe();
            self.reading.observe(&self.probe.ends());
        }
        self.reading.advance();
        self.cut_here()?;
        self.settle()?;
        if let Some(check) = self.check.take() {
            let (keys, histories) = self.await_answer(&check)?;
            self.apply_check(&keys, histories);
        }
        self.start_check();
        if let Some(check) = self.check.take() {
            let (keys, histories) = self.await_answer(&check)?;
            self.apply_check(&keys, histories);
        }
        self.cut_here()?;
        self.settle()
    }

    /// Writes and commits what was read, and stops.
    fn drain(mut self) -> Result<(), LinkError> {
        tracing::info!("draining: what was read is written and committed");
        self.settle()?;
        self.cut()?;
        self.settle()
    }

    fn tell_probe(&self) {
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

fn start_flusher(
    linker: &Linker,
    runtime: &Handle,
    inputs: &Inputs,
    instance: &str,
    lives: &Arc<()>,
) -> Result<(SyncSender<Flush>, Receiver<Progress>), LinkError> {
    let flusher = Flusher {
        transactions: Transactions::open(&linker.config.kafka, instance)?,
        sink: linker.sink.clone(),
        database: linker.config.clickhouse.database.clone(),
        instance: instance.to_owned(),
        wanted: Arc::downgrade(lives),
        inputs: inputs.clone(),
        runtime: runtime.clone(),
        health: linker.health.clone(),
        drain: linker.drain.clone(),
    };
    let (flushes, to_write) = sync_channel(1);
    let (done, progress) = sync_channel(1);
    let thread = std::thread::Builder::new().name("flusher".to_owned());
    thread.spawn(move || flusher.run(&to_write, &done)).map_err(|_| LinkError::Thread("flusher"))?;
    Ok((flushes, progress))
}

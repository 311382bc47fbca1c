//! One session with Kafka: the loop that polls and folds, and what is due beside it. `cutting` hands over what was read,
//! `ownership` follows rebalances, `ending` ends it.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use ringtrace_kit::backoff::Backoff;
use ringtrace_model::CallKey;

use crate::batch::Routing;
use crate::catch_up::CatchUp;
use crate::flusher::{Progress, Writing};
use crate::load::Loader;
use crate::lookup::{Answer, Histories};
use crate::metrics;
use crate::ownership::Loading;
use crate::pace::Pace;
use crate::placement::Placement;
use crate::privacy::Privacy;
use crate::reading::Reading;
use crate::run::{KAFKA, LinkError, Linker};
use crate::slot::Limits;
use crate::topics::{Inputs, Place};
use crate::watchdog::{self, Remedy, Watchdog};
use crate::world::{Polled, World};

/// Records that are taken between two looks at the clock, and at which partition is ahead of others.
const RECORDS_PER_TICK: usize = 256;

/// How long the loop waits for an answer before it polls meanwhile; `max.poll.interval.ms` is 300 s.
pub(crate) const SILENCE: Duration = Duration::from_secs(5);

/// How long the brokers may be silent before the service is not ready, in milliseconds.
const BROKER_SILENCE_MS: i64 = 15_000;

/// Part of the service's health that an instance without partitions is told by.
const SPARE: &str = "spare";

/// How long an instance without partitions may still be given some.
const SPARE_AFTER: Duration = Duration::from_secs(30);

/// Part of the service's health that producers decide.
const PLACEMENT: &str = "placement";

/// See the module's text.
pub(crate) struct Session<'l, W: World> {
    pub(crate) linker: &'l Linker,
    pub(crate) world: W,
    pub(crate) limits: Limits,
    pub(crate) loader: Loader,
    pub(crate) loading: Option<Loading>,
    pub(crate) reading: Reading,
    pace: Pace,
    /// What Kafka has assigned, loaded or not.
    pub(crate) owned: HashSet<Place, FixedState>,
    pub(crate) catch_up: Option<CatchUp>,
    pub(crate) flushes: SyncSender<Box<Writing<W::Group>>>,
    pub(crate) progress: Receiver<Progress<W::Group>>,
    pub(crate) in_flight: bool,
    /// The flush in flight is of slots that were forgotten since: its end means nothing.
    pub(crate) is_stale: bool,
    /// The flush in flight, when the group has refused it, and when that was.
    pub(crate) refused: Option<(Instant, Box<Writing<W::Group>>)>,
    /// Since when the group refuses flushes.
    pub(crate) refused_since: Option<Instant>,
    /// Until when the group waits for partitions that are being handed over.
    pub(crate) deadline: Option<Instant>,
    /// Since when it waits for others, while something else is waited for here.
    pub(crate) awaited_since: Option<Instant>,
    /// When slots are loaded at the earliest.
    pub(crate) load_after: Instant,
    pub(crate) has_committed: bool,
    pub(crate) placement: Placement,
    pub(crate) check: Option<Answer<(Vec<CallKey>, Histories)>>,
    /// Calls whose histories are on their way.
    pub(crate) asked: Option<(Vec<CallKey>, Answer<Histories>)>,
    pub(crate) last_cut: Instant,
    pub(crate) last_check: Instant,
    /// Calls were checked for the flush that is cut next.
    pub(crate) has_checked: bool,
    last_gauges: Instant,
    started: Instant,
    watchdog: Watchdog,
}

impl<'l, W: World> Session<'l, W> {
    pub(crate) fn start(
        linker: &'l Linker,
        mut world: W,
        partitions: i32,
        refused: HashSet<String>,
    ) -> Result<Self, LinkError> {
        let config = &linker.config;
        let inputs = Inputs::of(&config.kafka);
        let privacy = Privacy::new(&config.privacy.fields, config.privacy.key.expose().as_bytes());
        let (flushes, progress) = world.start_flusher()?;
        let now = world.now();
        let wall_ms = world.wall_ms();
        let limits = Limits { calls: config.link.calls_in_memory, settled_ms: config.link.settled_ms };
        Ok(Session {
            linker,
            world,
            limits,
            loader: Loader { inputs: inputs.clone(), group: config.kafka.group.clone(), rules: config.rules, limits },
            loading: None,
            reading: Reading::new(Routing { inputs, privacy, partitions, refused }, wall_ms),
            pace: Pace::default(),
            owned: HashSet::default(),
            catch_up: linker.until_caught_up.then(CatchUp::default),
            flushes,
            progress,
            in_flight: false,
            is_stale: false,
            refused: None,
            refused_since: None,
            deadline: None,
            awaited_since: None,
            load_after: now,
            has_committed: false,
            placement: Placement::default(),
            check: None,
            asked: None,
            last_cut: now,
            last_check: now,
            has_checked: false,
            last_gauges: now,
            started: now,
            watchdog: Watchdog::default(),
        })
    }

    /// Runs until the drain starts, or everything is caught up.
    pub(crate) fn run(mut self, backoff: &mut Backoff) -> Result<(), LinkError> {
        while !self.linker.drain.is_started() {
            self.step()?;
            if std::mem::take(&mut self.has_committed) {
                backoff.reset();
            }
            if self.is_caught_up()? && self.finish()? {
                return Ok(());
            }
        }
        self.drain()
    }

    /// Reads, and does what is due beside it.
    pub(crate) fn step(&mut self) -> Result<(), LinkError> {
        match self.pump(Duration::from_millis(20)).and_then(|()| self.tick()) {
            Err(LinkError::Late) => {
                tracing::warn!("others wait for partitions: what was read is not committed, and is read again");
                self.forget()
            }
            stepped => stepped,
        }
    }

    /// Takes what there is to read; waits no longer than `most` for the first record.
    pub(crate) fn pump(&mut self, most: Duration) -> Result<(), LinkError> {
        self.reading.wall_ms = self.world.wall_ms();
        self.pace.look(&self.reading.positions, &self.world.ends(), self.world.now());
        self.world.hold(self.pace.held());
        let mut wait = most;
        if planted!(FullTablePauses) && self.reading.open_calls() > self.limits.calls {
            let owned: Vec<Place> = self.owned.iter().copied().collect();
            self.world.pause(&owned)?;
        }
        for count in 0..RECORDS_PER_TICK {
            let has_polled = self.poll(wait)?;
            self.watchdog.was_idle |= count == 0 && !has_polled;
            if !has_polled || self.reading.batch.bytes >= self.linker.config.link.flush_bytes {
                break;
            }
            wait = Duration::ZERO;
        }
        self.follow_changes()
    }

    /// Takes one record; false when there was none.
    pub(crate) fn poll(&mut self, wait: Duration) -> Result<bool, LinkError> {
        let reading = &mut self.reading;
        let taken = self.world.poll(wait, |record| match reading.take(record) {
            true => None,
            false => Some(((record.input, record.partition), record.offset)),
        })?;
        match taken {
            Polled::Nothing => return Ok(false),
            // It was fetched before its partition was paused: it is read again once the slot is loaded.
            Polled::Record(Some((place, offset))) => self.world.seek(place, offset)?,
            Polled::Record(None) | Polled::Event => {}
        }
        Ok(true)
    }

    /// What is due, beside reading.
    fn tick(&mut self) -> Result<(), LinkError> {
        if self.in_flight
            && let Ok(progress) = self.progress.try_recv()
        {
            self.note(progress)?;
        }
        self.send_again()?;
        self.note_check();
        self.note_histories();
        let link = &self.linker.config.link;
        let is_full = self.reading.batch.bytes >= link.flush_bytes;
        if is_full && self.in_flight {
            self.settle()?;
        }
        if !self.in_flight
            && (is_full || self.world.now() - self.last_cut >= Duration::from_millis(link.flush_interval_ms))
        {
            self.cut()?;
        }
        if self.world.now() - self.last_gauges >= watchdog::PERIOD {
            self.show();
            self.watch()?;
        }
        Ok(())
    }

    /// Looks whether everything that is there comes, and whether the topics are as they were.
    fn watch(&mut self) -> Result<(), LinkError> {
        self.world.check_flusher()?;
        let slots = self.world.slots()?;
        if slots.is_some_and(|slots| slots != self.reading.routing.partitions) {
            return Err(LinkError::Repartitioned);
        }
        if !self.owned.is_empty() {
            self.linker.health.warn(SPARE, None);
        } else if slots.is_some() && self.world.now() - self.started > SPARE_AFTER {
            self.linker
                .health
                .warn(SPARE, Some("there are fewer partitions than instances: this one has none".to_owned()));
            self.linker.health.ready(KAFKA);
        }
        let ends = self.world.ends();
        for place in self.reading.positions.keys() {
            if ends.get(place).is_some_and(|end| end.end < end.position) {
                return Err(LinkError::Shrunk);
            }
        }
        for (place, remedy) in self.watchdog.look(&self.reading.positions, &ends, self.pace.held()) {
            let topic = self.reading.routing.inputs.name(place.0);
            metrics::stuck(topic);
            let partition = place.1;
            match remedy {
                _ if planted!(NoWatchdog) => {}
                Remedy::BeginAgain => return Err(LinkError::Stuck { topic: topic.to_string(), partition }),
                Remedy::Seek(next) => {
                    tracing::warn!(%topic, partition, next, "there are records, and none of them come: fetched anew");
                    self.world.pause(&[place])?;
                    self.world.seek(place, next)?;
                    self.world.resume(&[place])?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn tell_probe(&self) {
        let positions = self.reading.positions.iter().map(|(place, position)| (*place, position.next));
        self.world.tell_probe(positions.collect());
    }

    /// Shows in metrics and health where it is.
    pub(crate) fn show(&mut self) {
        self.last_gauges = self.world.now();
        let ends = self.world.ends();
        let lag = |(place, position): (&Place, &crate::topics::Position)| {
            ends.get(place).map_or(0, |end| (end.drained_from - position.next).max(0))
        };
        let lag = self.reading.positions.iter().map(lag).sum();
        let now = self.world.wall_ms();
        let clock_lag = self.reading.oldest_clock().map_or(0, |clock| now - clock);
        let slots = self.reading.slots.iter().flatten().count();
        metrics::slots(slots, self.reading.open_calls(), clock_lag, lag);
        self.linker.health.warn(PLACEMENT, self.placement.warning(&self.reading.routing.inputs));
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

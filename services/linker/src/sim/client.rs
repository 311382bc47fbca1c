//! A linker process in the simulated world: its member of the group, and what it asks of the world.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult};
use ringtrace_model::CallKey;

use super::cluster::Cluster;
use super::group;
use super::log::Topic;
use super::writing::{SimFlusher, flusher};
use crate::changelog::{Changelog, ChangelogError};
use crate::consumer::Change;
use crate::flusher::Line;
use crate::load::{LoadError, Loaded, Loader, Stored, Wanted};
use crate::lookup::{Answer, Asked, Histories};
use crate::probe::{self, Broker, End};
use crate::record::Record;
use crate::run::LinkError;
use crate::topics::{ByPlace, Place};
use crate::world::{Beside, Log, Member, Polled, RulesNumbers};

/// A process of the linker, from its start to its end.
pub(super) struct Life {
    pub(super) name: String,
    /// Number of the rules by which it judges.
    rules: u64,
    /// It was killed: nothing that it does has an effect any more.
    pub(super) is_dead: Cell<bool>,
    /// It runs to its end by itself: the world goes on whenever there is nothing to read.
    pub(super) is_alone: Cell<bool>,
    /// How often it found nothing to read then.
    pub(super) idle: Cell<usize>,
    pub(super) client: RefCell<Client>,
    questions: RefCell<Vec<Question>>,
    probe: RefCell<Probe>,
    pub(super) flusher: RefCell<Option<SimFlusher>>,
}

/// The consumer's own view of the group.
#[derive(Default)]
pub(super) struct Client {
    pub(super) member: Option<u64>,
    pub(super) generation: i32,
    /// What was assigned, and where it is read next; `None` before the first fetch.
    pub(super) owned: BTreeMap<Place, Fetch>,
    /// What is to wait for others.
    pub(super) held: Vec<Place>,
    pub(super) changes: VecDeque<Change>,
    /// Assignments that are on their way, piece by piece.
    pub(super) coming: VecDeque<Vec<Place>>,
    /// What the coordinator has answered, and the client has not heard yet.
    pub(super) answer: Option<group::Answer>,
    /// Partitions that it was asked to give up, and has not.
    pub(super) revoking: Vec<Place>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fetch {
    pub(super) next: Option<i64>,
    pub(super) is_paused: bool,
    /// No records come of it until it is sought.
    pub(super) is_wedged: bool,
}

#[derive(Default)]
struct Probe {
    positions: ByPlace<i64>,
    before: ByPlace<i64>,
    ends: ByPlace<End>,
    /// What a round has found, and not told yet.
    found: Option<ByPlace<End>>,
}

/// A question to ClickHouse that is not answered yet.
enum Question {
    Histories { asked: Asked<Histories>, keys: Vec<CallKey>, found: Option<Histories> },
    Check { asked: Asked<(Vec<CallKey>, Histories)>, calls: Vec<(CallKey, i64)>, found: Option<Histories> },
    Load(Box<Load>),
}

/// Slots that are being loaded.
struct Load {
    asked: Asked<Result<Loaded, LinkError>>,
    loader: Loader,
    wanted: Wanted,
    loaded: Option<Result<Loaded, LinkError>>,
}

impl Life {
    pub(super) fn new(name: String, rules: u64) -> Self {
        Life {
            name,
            rules,
            is_dead: Cell::new(false),
            is_alone: Cell::new(false),
            idle: Cell::new(0),
            client: RefCell::default(),
            questions: RefCell::default(),
            probe: RefCell::default(),
            flusher: RefCell::new(None),
        }
    }

    /// Its member of the group.
    pub(super) fn member(&self) -> Option<u64> {
        self.client.borrow().member
    }

    /// What was asked beside the loop goes on.
    pub(super) fn answer(self: &Rc<Self>, cluster: &Rc<Cluster>) {
        if self.questions.borrow().is_empty() {
            return;
        }
        let choice = cluster.random(|random| random.below(self.questions.borrow().len()));
        let question = self.questions.borrow_mut().swap_remove(choice);
        if let Question::Load(load) = question {
            return self.go_on_loading(cluster, load);
        }
        let state = cluster.state.borrow();
        match question {
            Question::Load(_) => {}
            Question::Histories { asked, keys, found: None } => {
                let found = Some(state.store.histories(&keys));
                self.questions.borrow_mut().push(Question::Histories { asked, keys, found });
            }
            Question::Histories { asked, keys, found: Some(mut found) } => {
                state.store.add_verdicts(&keys, &mut found);
                asked.answer(found);
            }
            Question::Check { asked, calls, found: None } => {
                let known = state.store.known_before(&calls);
                let found = Some(state.store.histories(&known));
                self.questions.borrow_mut().push(Question::Check { asked, calls, found });
            }
            Question::Check { asked, calls, found: Some(mut found) } => {
                let known: Vec<CallKey> = found.keys().cloned().collect();
                state.store.add_verdicts(&known, &mut found);
                asked.answer((calls.into_iter().map(|(key, _)| key).collect(), found));
            }
        }
    }

    fn go_on_loading(self: &Rc<Self>, cluster: &Rc<Cluster>, mut load: Box<Load>) {
        if let Some(loaded) = load.loaded.take() {
            return load.asked.answer(loaded);
        }
        let world = SimWorld { cluster: Rc::clone(cluster), life: Rc::clone(self) };
        load.loaded = Some(load.loader.load(&world, &load.wanted));
        self.questions.borrow_mut().push(Question::Load(load));
    }

    /// The probe takes the next of its steps: it asks about all partitions, or tells what it has found.
    pub(super) fn look_at_ends(&self, cluster: &Cluster) {
        let probe = &mut *self.probe.borrow_mut();
        if let Some(found) = probe.found.take() {
            probe.ends = found;
            return;
        }
        let state = cluster.state.borrow();
        let ends = probe::ask(&*state, &probe.positions, &probe.before, &probe.ends);
        probe.before.clone_from(&probe.positions);
        probe.found = Some(ends);
    }
}

impl Broker for super::state::State {
    fn wall_ms(&self) -> i64 {
        self.wall_ms
    }

    fn ends(&self, places: &[Place]) -> ByPlace<(i64, i64)> {
        let end_of = |place: &Place| {
            let partition = (Topic::Input(place.0), place.1);
            (*place, (self.log.stable_end(partition), self.log.bounds(partition).1))
        };
        places.iter().map(end_of).collect()
    }

    fn first_record(&self, place: Place, from: i64) -> KafkaResult<Option<i64>> {
        Ok(self.log.read((Topic::Input(place.0), place.1), from).map(|entry| entry.offset))
    }
}

/// The world as one process sees it.
pub(super) struct SimWorld {
    pub(super) cluster: Rc<Cluster>,
    pub(super) life: Rc<Life>,
}

impl SimWorld {
    fn check_alive(&self) -> KafkaResult<()> {
        if self.life.is_dead.get() { Err(KafkaError::Canceled) } else { Ok(()) }
    }

    /// The next record that there is to read, of any partition.
    fn fetch(&mut self) -> Option<(Place, Rc<super::log::Entry>)> {
        let mut state = self.cluster.state.borrow_mut();
        let mut client = self.life.client.borrow_mut();
        // Rarely a record was fetched before its partition was paused.
        let is_early = state.random.one_in(200);
        // The order is a wish, and what must hold does not rest on it.
        let is_in_step = !state.random.one_in(8);
        let group = &state.group.committed;
        let mut ready = Vec::new();
        let client = &mut *client;
        for (place, fetch) in &mut client.owned {
            let is_stalled = state.stalled.is_some_and(|stalled| stalled == place.0);
            if is_stalled
                || fetch.is_wedged
                || (fetch.is_paused && !is_early)
                || (is_in_step && client.held.contains(place))
            {
                continue;
            }
            let part = (Topic::Input(place.0), place.1);
            let first = state.log.bounds(part).0;
            let next = fetch.next.unwrap_or_else(|| group.get(place).copied().unwrap_or(first)).max(first);
            if let Some(entry) = state.log.read(part, next) {
                ready.push((*place, entry));
            }
        }
        if ready.is_empty() {
            return None;
        }
        let choice = state.random.below(ready.len());
        let (place, entry) = ready.swap_remove(choice);
        if let Some(fetch) = client.owned.get_mut(&place) {
            fetch.next = Some(entry.offset + 1);
        }
        state.tell(|| format!("{} reads {place:?} {}", self.life.name, entry.offset));
        Some((place, entry))
    }
}

impl Member for SimWorld {
    type Group = (u64, i32);

    fn poll<T>(&mut self, _: Duration, take: impl FnOnce(&Record<'_>) -> T) -> KafkaResult<Polled<T>> {
        self.check_alive()?;
        if self.serve_group() {
            return Ok(Polled::Event);
        }
        if self.cluster.random(|random| random.one_in(6)) {
            return Ok(Polled::Nothing);
        }
        let Some(((input, partition), entry)) = self.fetch() else {
            if self.life.is_alone.get() {
                self.cluster.go_on_around(&self.life);
            }
            return Ok(Polled::Nothing);
        };
        Ok(Polled::Record(take(&Record {
            input,
            partition,
            offset: entry.offset,
            log_at: entry.at,
            key: entry.key.as_deref(),
            value: entry.value.as_deref(),
            headers: &*entry,
        })))
    }

    fn seek(&mut self, place: Place, offset: i64) -> KafkaResult<()> {
        self.check_alive()?;
        if let Some(fetch) = self.life.client.borrow_mut().owned.get_mut(&place) {
            fetch.next = Some(offset);
            fetch.is_wedged = false;
        }
        Ok(())
    }

    fn hold(&mut self, places: &[Place]) {
        self.life.client.borrow_mut().held = places.to_vec();
    }

    fn pause(&mut self, places: &[Place]) -> KafkaResult<()> {
        self.check_alive()?;
        self.life.client.borrow_mut().set_paused(places, true);
        Ok(())
    }

    fn resume(&mut self, places: &[Place]) -> KafkaResult<()> {
        self.check_alive()?;
        let mut client = self.life.client.borrow_mut();
        client.set_paused(places, false);
        for place in places {
            if self.cluster.random_fault(|faults| faults.wedges, 60)
                && let Some(fetch) = client.owned.get_mut(place)
            {
                fetch.is_wedged = true;
            }
        }
        Ok(())
    }

    fn next_change(&mut self) -> Option<Change> {
        self.life.client.borrow_mut().changes.pop_front()
    }

    fn has_change(&self, is_kind: fn(&Change) -> bool) -> bool {
        self.life.client.borrow().changes.iter().any(is_kind)
    }

    fn give_up(&mut self, places: &[Place]) -> KafkaResult<()> {
        self.check_alive()?;
        let mut client = self.life.client.borrow_mut();
        client.owned.retain(|place, _| !places.contains(place));
        client.revoking.clear();
        if let Some(member) = client.member {
            self.cluster.state.borrow_mut().group.release(member, places);
        }
        Ok(())
    }

    fn group(&self) -> Option<(u64, i32)> {
        let client = self.life.client.borrow();
        Some((client.member.unwrap_or(0), client.generation))
    }
}

impl Client {
    fn set_paused(&mut self, places: &[Place], is_paused: bool) {
        for place in places {
            if let Some(fetch) = self.owned.get_mut(place) {
                fetch.is_paused = is_paused;
            }
        }
    }
}

impl Log for SimWorld {
    fn committed(&self, places: &[Place]) -> KafkaResult<Vec<Option<i64>>> {
        self.cluster.settle_transactions(|transaction| {
            transaction.offsets.as_ref().is_some_and(|offsets| places.iter().any(|place| offsets.contains_key(place)))
        });
        self.check_alive()?;
        let state = self.cluster.state.borrow();
        state.tell(|| format!("{} begins at {:?}", self.life.name, state.group.committed));
        Ok(places.iter().map(|place| state.group.committed.get(place).copied()).collect())
    }

    fn places(&self) -> Result<Vec<Place>, LinkError> {
        self.check_alive()?;
        Ok(self.cluster.state.borrow().group.places(|partitions| 0..partitions))
    }

    fn let_sink_in(&self) {
        self.cluster.act();
    }

    fn partitions(&self) -> Result<i32, LinkError> {
        self.check_alive()?;
        Ok(self.cluster.state.borrow().group.partitions)
    }

    fn bounds(&self, place: Place) -> KafkaResult<(i64, i64)> {
        self.check_alive()?;
        Ok(self.cluster.state.borrow().log.bounds((Topic::Input(place.0), place.1)))
    }

    fn changelog(&self, partition: i32) -> Result<Changelog, ChangelogError> {
        let part = (Topic::Calls, partition);
        let open_in = |cluster: &Cluster| cluster.state.borrow().log.open_in(part);
        while let Some(id) = open_in(&self.cluster) {
            self.cluster.settle_transaction(id);
        }
        self.check_alive()?;
        let state = self.cluster.state.borrow();
        let (mut changelog, mut next) = (Changelog::default(), 0);
        while let Some(entry) = state.log.read(part, next) {
            next = entry.offset + 1;
            let record = changelog.take(entry.key.as_deref().unwrap_or_default(), entry.value.as_deref());
            record.map_err(|source| ChangelogError::Record { offset: entry.offset, source })?;
        }
        Ok(changelog)
    }

    fn stored(&self) -> Result<Stored, LoadError> {
        self.check_alive()?;
        let (sequence, newest_log_at) = self.cluster.state.borrow().store.stored();
        Ok(Stored { sequence, newest_log_at })
    }
}

impl Beside for SimWorld {
    type Log = SimWorld;

    fn log(&self) -> &SimWorld {
        self
    }

    fn now(&self) -> Instant {
        let state = self.cluster.state.borrow();
        state.began + Duration::from_millis(state.passed_ms)
    }

    fn wall_ms(&self) -> i64 {
        self.cluster.state.borrow().wall_ms
    }

    fn wait<T>(&mut self, receiver: &Receiver<T>, most: Duration) -> Result<T, RecvTimeoutError> {
        let actions = self.cluster.random(|random| random.between(1, 12));
        for _ in 0..actions {
            if self.life.is_dead.get() {
                return Err(RecvTimeoutError::Disconnected);
            }
            match receiver.try_recv() {
                Ok(value) => return Ok(value),
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                Err(std::sync::mpsc::TryRecvError::Empty) => self.cluster.attend(&self.life),
            }
        }
        self.cluster.state.borrow_mut().pass(most.as_millis() as u64);
        Err(RecvTimeoutError::Timeout)
    }

    fn start_flusher(&mut self) -> Result<Line<(u64, i32)>, LinkError> {
        self.check_alive()?;
        let (flushes, to_write) = sync_channel(1);
        let (done, progress) = sync_channel(1);
        let flusher = flusher(&self.cluster, &self.life, to_write, done);
        *self.life.flusher.borrow_mut() = Some(flusher);
        Ok((flushes, progress))
    }

    fn check_flusher(&self) -> Result<(), LinkError> {
        Ok(())
    }

    fn tell_probe(&self, positions: ByPlace<i64>) {
        self.life.probe.borrow_mut().positions = positions;
    }

    fn ends(&self) -> ByPlace<End> {
        self.life.probe.borrow().ends.clone()
    }

    fn slots(&self) -> Result<Option<i32>, LinkError> {
        let is_told = self.cluster.random(|random| random.one_in(4));
        Ok(is_told.then(|| self.cluster.state.borrow().group.partitions))
    }

    fn load(&mut self, loader: &Loader, wanted: Wanted) -> Answer<Result<Loaded, LinkError>> {
        let (asked, answer) = Asked::new();
        let load = Load { asked, loader: loader.clone(), wanted, loaded: None };
        self.life.questions.borrow_mut().push(Question::Load(Box::new(load)));
        answer
    }

    fn rules(&self) -> RulesNumbers {
        let mut state = self.cluster.state.borrow_mut();
        // It asks only now and then.
        let asks = state.random.one_in(3);
        RulesNumbers { own: self.life.rules, newest: if asks { state.rules } else { self.life.rules } }
    }

    fn histories(&mut self, keys: Vec<CallKey>) -> Answer<Histories> {
        let (asked, answer) = Asked::new();
        self.life.questions.borrow_mut().push(Question::Histories { asked, keys, found: None });
        answer
    }

    fn check(&mut self, calls: Vec<(CallKey, i64)>) -> Answer<(Vec<CallKey>, Histories)> {
        let (asked, answer) = Asked::new();
        self.life.questions.borrow_mut().push(Question::Check { asked, calls, found: None });
        answer
    }
}

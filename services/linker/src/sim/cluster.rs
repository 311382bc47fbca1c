//! Everything that there is in a schedule, and what may happen next.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use hashbrown::HashSet;
use ringtrace_kit::kafka::partition_of;

use super::audit::{Around, Audit, Failure};
use super::client::{Life, SimWorld};
use super::group::Group;
use super::input::Given;
use super::log::{Log, Part, Topic, Transaction, Written};
use super::plan::{Faults, Plan, Stamps};
use super::planted;
use super::random::Random;
use super::store::Store;
use crate::run::{LinkError, Linker};
use crate::session::Session;
use crate::topics::{Input, Inputs};
use crate::writer::FlushError;

/// How deep processes may wait for each other.
const MOST_DEPTH: usize = 4;

/// The world outside of the processes.
pub(super) struct State {
    pub(super) plan: Plan,
    pub(super) random: Random,
    pub(super) began: Instant,
    /// Milliseconds of time that only goes on.
    pub(super) passed_ms: u64,
    pub(super) wall_ms: i64,
    pub(super) log: Log,
    pub(super) group: Group,
    pub(super) store: Store,
    pub(super) audit: Audit,
    pub(super) failure: Option<Failure>,
    /// A topic from which no records come, though they are there.
    pub(super) stalled: Option<Input>,
    pub(super) faults: Faults,
    pub(super) to_give: std::vec::IntoIter<Given>,
    /// A producer's open transaction.
    foreign: Option<usize>,
    /// Members that are gone without a word.
    ghosts: Vec<u64>,
    /// Epochs of transactional producers by name, and the transaction that each has begun last.
    producers: BTreeMap<String, (u64, Option<usize>)>,
    inputs: Inputs,
    lives: usize,
    /// A digest of what happened.
    pub(super) trace: u64,
    /// What happens is told, for someone who looks into a seed.
    pub(super) tells: bool,
}

/// A place where a process runs.
pub(super) struct Instance {
    pub(super) session: RefCell<Option<Session<'static, SimWorld>>>,
    pub(super) life: RefCell<Option<Rc<Life>>>,
    /// What ClickHouse has refused, as far as the process knows.
    refused: RefCell<HashSet<String>>,
    /// It is suspended until then.
    asleep_until_ms: Cell<u64>,
}

/// See the module's text.
pub(super) struct Cluster {
    pub(super) state: RefCell<State>,
    pub(super) linker: &'static Linker,
    pub(super) instances: Vec<Instance>,
    /// Processes whose session has ended, and whose flusher goes on for a while.
    orphans: RefCell<Vec<Rc<Life>>>,
    depth: Cell<usize>,
}

impl State {
    /// Says what happens, to someone who looks into a seed.
    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        if self.tells {
            println!("{:>9} {} {}", self.passed_ms, self.wall_ms, what());
        }
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.passed_ms += ms;
        self.wall_ms += ms as i64;
    }

    /// Appends to the log, and tells the audit.
    pub(super) fn append(&mut self, part: Part, written: Written, transaction: Option<usize>) {
        let offset = self.log.append(part, written, transaction);
        self.tell(|| format!("record {part:?} {offset} in transaction {transaction:?}"));
        if let Topic::Input(input) = part.0 {
            let entry = self.log.unread(part, offset).next().map(Rc::clone);
            let topic = self.inputs.name(input);
            self.audit.note((input, part.1), topic, entry.unwrap());
        }
    }

    fn around(&self) -> Around<'_> {
        static RULES: ringtrace_model::Rules = ringtrace_model::Rules {
            report_deadline_ms: 7_000,
            telemetry_grace_ms: 23_000,
            receipt_timeout_ms: 60_000,
            ring_timeout_ms: 120_000,
        };
        Around {
            log: &self.log,
            store: &self.store,
            partitions: self.group.assigned_partitions,
            stamps: self.plan.stamps,
            wall_ms: self.wall_ms,
            rules: &RULES,
        }
    }

    pub(super) fn rules(&self) -> &'static ringtrace_model::Rules {
        self.around().rules
    }

    pub(super) fn take_foreign(&mut self) -> Option<usize> {
        let id = self.foreign.take()?;
        self.log.transactions[id].decision = Some(true);
        Some(id)
    }

    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    /// Writes a marker of a transaction that is decided.
    fn end_somewhere(&mut self, id: usize) {
        let choose = self.random.below(8);
        if let Some(Some(offsets)) = self.log.end_somewhere(id, choose) {
            self.group.committed.extend(offsets);
        }
    }

    /// A producer writes the next record, when its time has come; else time goes on towards it.
    fn give(&mut self) {
        let Some(next) = self.to_give.as_slice().first() else { return };
        if next.at > self.wall_ms {
            let ahead = next.at - self.wall_ms;
            let some = self.random.pick(&[1_000, 1_000, 10_000, 60_000, 600_000, i64::MAX]);
            self.pass(ahead.min(some) as u64);
            return;
        }
        let Some(given) = self.to_give.next() else { return };
        let partitions = match given.input {
            Input::Device => self.group.device_partitions,
            _ => self.group.partitions,
        };
        let partition = match (&given.partition, &given.key) {
            (Some(partition), _) => *partition as i32 % partitions,
            (None, Some(key)) => partition_of(key, partitions),
            (None, None) => self.random.below(partitions as usize) as i32,
        };
        let at = if self.plan.stamps == Stamps::Append { self.wall_ms } else { given.stamp };
        let transaction = self.foreign.filter(|_| self.random.one_in(2));
        let Given { key, value, .. } = given;
        let written = Written { at, key, value, ..Written::default() };
        self.append((Topic::Input(given.input), partition), written, transaction);
        self.trace = self.trace.rotate_left(5) ^ at as u64;
    }

    /// Begins or ends a transaction of a producer.
    fn go_on_foreign(&mut self) {
        match self.foreign.take() {
            Some(id) => {
                self.log.transactions[id].decision = Some(!self.random.one_in(4));
                self.end_somewhere(id);
            }
            None if self.faults.foreign => self.foreign = Some(self.log.begin()),
            None => {}
        }
    }

    /// Markers are written, dead members are noticed, the group goes on.
    fn settle_down(&mut self) {
        for id in self.log.unended.clone() {
            if self.log.transactions[id].decision.is_some() {
                self.end_somewhere(id);
            }
        }
        while let Some(ghost) = self.ghosts.pop() {
            self.group.remove(ghost);
        }
        if self.group.partitions != self.group.assigned_partitions {
            self.group.rebalance();
        }
        self.group.complete();
    }

    /// Something that happens to the brokers or to ClickHouse.
    fn go_wrong(&mut self) {
        let faults = self.faults;
        match self.random.below(12) {
            0 if faults.evictions => {
                let members = self.group.members();
                if !members.is_empty() {
                    let member = self.random.pick(&members);
                    self.group.remove(member);
                }
            }
            1 | 2 => {
                if let Some(ghost) = self.ghosts.pop() {
                    self.group.remove(ghost);
                }
            }
            3 | 4 if !self.store.late.is_empty() => {
                let choice = self.random.below(self.store.late.len());
                let (table, rows) = self.store.late.swap_remove(choice);
                let rows: Vec<_> = rows.into_iter().filter(|row| !super::audit::is_poison(row[2].text())).collect();
                self.store.insert(table, &rows);
            }
            5 => self.store.merge(),
            6 if faults.compaction => {
                let partition = self.random.below(self.group.partitions as usize) as i32;
                let drops_tombstones = self.random.one_in(2);
                self.log.compact(partition, drops_tombstones);
            }
            7 if faults.trims => {
                for (place, offset) in self.group.committed.clone() {
                    if place.0 == Input::Internal {
                        self.log.delete_before((Topic::Input(place.0), place.1), offset);
                    }
                }
            }
            8 if faults.stalls => {
                let input = self.random.pick(&[Input::Push, Input::Call, Input::Internal]);
                self.stalled = if self.stalled.is_some() { None } else { Some(input) };
                if self.random.one_in(4) {
                    self.pass(3_600_000);
                }
            }
            9 if faults.jumps && self.plan.stamps == Stamps::Create => {
                self.wall_ms += self.random.between(-600_000, 600_000);
            }
            10 => self.go_on_foreign(),
            11 if self.group.partitions == self.plan.partitions && self.to_give.len() < self.plan.records / 2 => {
                if let Some(grown) = self.plan.grown {
                    self.group.partitions = grown;
                }
            }
            _ => {}
        }
    }
}

impl Instance {
    /// Its flusher is in the middle of a step: its session might wait for it in vain.
    fn is_writing(&self) -> bool {
        self.life.borrow().as_ref().is_some_and(|life| life.flusher.try_borrow_mut().is_err())
    }
}

impl Cluster {
    pub(super) fn new(plan: Plan, linker: &'static Linker, random: Random, given: Vec<Given>) -> Rc<Self> {
        let instance = || Instance {
            session: RefCell::new(None),
            life: RefCell::new(None),
            refused: RefCell::default(),
            asleep_until_ms: Cell::new(0),
        };
        let instances = (0..plan.instances).map(|_| instance()).collect();
        let state = State {
            random,
            began: Instant::now(),
            passed_ms: 0,
            wall_ms: plan.started_at,
            log: Log::default(),
            group: Group::new(plan.partitions, plan.device_partitions),
            store: Store::default(),
            audit: Audit::default(),
            failure: None,
            stalled: None,
            faults: plan.faults,
            to_give: given.into_iter(),
            foreign: None,
            ghosts: Vec::new(),
            producers: BTreeMap::new(),
            inputs: Inputs::of(&linker.config.kafka),
            lives: 0,
            trace: 0,
            tells: std::env::var_os("RINGTRACE_SEED").is_some(),
            plan,
        };
        Rc::new(Cluster {
            state: RefCell::new(state),
            linker,
            instances,
            orphans: RefCell::default(),
            depth: Cell::new(0),
        })
    }

    pub(super) fn random<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        draw(&mut self.state.borrow_mut().random)
    }

    /// Whether a fault of a kind happens now, once in `times`.
    pub(super) fn random_fault(&self, is_kind: impl FnOnce(&Faults) -> bool, times: usize) -> bool {
        let mut state = self.state.borrow_mut();
        is_kind(&state.faults) && state.random.one_in(times)
    }

    /// Runs a check, and notes when it fails.
    pub(super) fn check(&self, check: impl FnOnce(&mut State) -> Result<(), Failure>) {
        let mut state = self.state.borrow_mut();
        if let Err(failure) = check(&mut state) {
            state.fail(failure);
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.state.borrow().failure.is_some()
    }

    // Transactions.

    /// The next epoch of a producer's name; ends what the one before left open.
    pub(super) fn fence(&self, name: &str) -> u64 {
        let last = self.state.borrow().producers.get(name).and_then(|(_, last)| *last);
        if let Some(last) = last {
            self.settle_transaction(last);
        }
        let mut state = self.state.borrow_mut();
        let producer = state.producers.entry(name.to_owned()).or_default();
        producer.0 += 1;
        producer.0
    }

    pub(super) fn is_fenced(&self, name: &str, epoch: u64) -> bool {
        self.state.borrow().producers.get(name).is_none_or(|producer| producer.0 != epoch)
    }

    pub(super) fn begin(&self, name: &str, epoch: u64) -> usize {
        let mut state = self.state.borrow_mut();
        let id = state.log.begin();
        state.producers.insert(name.to_owned(), (epoch, Some(id)));
        id
    }

    pub(super) fn decide(&self, id: usize, is_commit: bool) {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        state.log.transactions[id].decision = Some(is_commit);
        state.tell(|| {
            let offsets = &state.log.transactions[id].offsets;
            format!("transaction {id}: committed {is_commit}, offsets {offsets:?}")
        });
        if is_commit {
            let offsets = state.log.transactions[id].offsets.clone().unwrap_or_default();
            let mut audit = std::mem::take(&mut state.audit);
            let checked = audit.commit(id, &offsets, &state.around());
            state.audit = audit;
            if let Err(failure) = checked {
                state.fail(failure);
            }
        }
    }

    /// Ends a transaction everywhere; aborts it when it is open.
    pub(super) fn settle_transaction(&self, id: usize) {
        let mut state = self.state.borrow_mut();
        state.log.transactions[id].decision.get_or_insert(false);
        if state.foreign == Some(id) {
            state.foreign = None;
        }
        while state.log.unended.contains(&id) {
            state.end_somewhere(id);
        }
    }

    /// Waits until no transaction of a kind is open: others go on meanwhile, and what takes too long is aborted.
    pub(super) fn settle_transactions(self: &Rc<Self>, is_kind: impl Fn(&Transaction) -> bool) {
        let find = || {
            let state = self.state.borrow();
            state.log.unended.iter().copied().find(|id| is_kind(&state.log.transactions[*id]))
        };
        let mut patience = self.random(|random| random.below(20));
        while let Some(id) = find() {
            if patience == 0 {
                self.settle_transaction(id);
            } else {
                patience -= 1;
                self.act();
            }
        }
    }

    // Processes.

    /// Kills a process.
    pub(super) fn kill(&self, life: &Life) {
        life.is_dead.set(true);
        self.state.borrow().tell(|| format!("{} is killed", life.name));
        self.state.borrow_mut().ghosts.extend(life.member());
    }

    fn start(self: &Rc<Self>, index: usize) {
        let instance = &self.instances[index];
        let name = {
            let mut state = self.state.borrow_mut();
            // A name that is not configured is a new one for each process.
            let is_named = state.random.one_in(2);
            state.lives += 1;
            if is_named { format!("i{index}") } else { format!("i{index}-{}", state.lives) }
        };
        self.start_named(instance, name);
    }

    fn start_named(self: &Rc<Self>, instance: &Instance, name: String) {
        planted::forget_writes();
        let life = Rc::new(Life::new(name));
        let world = SimWorld { cluster: Rc::clone(self), life: Rc::clone(&life) };
        let partitions = self.state.borrow().group.partitions;
        let refused = instance.refused.borrow().clone();
        if let Ok(session) = Session::start(self.linker, world, partitions, refused) {
            *instance.life.borrow_mut() = Some(life);
            *instance.session.borrow_mut() = Some(session);
        }
    }

    /// A process reads, and does what is due.
    pub(super) fn step(self: &Rc<Self>, index: usize) {
        let instance = &self.instances[index];
        if instance.asleep_until_ms.get() > self.state.borrow().passed_ms || instance.is_writing() {
            return;
        }
        let Ok(mut held) = instance.session.try_borrow_mut() else { return };
        let Some(session) = held.as_mut() else {
            drop(held);
            instance.refused.borrow_mut().clear();
            return self.start(index);
        };
        let result = session.step();
        self.check(|_| audit_slots(session));
        drop(held);
        self.follow(index, result);
    }

    /// What comes after a step: a session that has failed is begun again, as `Linker::run` does it.
    fn follow(self: &Rc<Self>, index: usize, result: Result<(), LinkError>) {
        let instance = &self.instances[index];
        let Some(life) = instance.life.borrow().clone() else { return };
        if life.is_dead.get() {
            *instance.session.borrow_mut() = None;
            *instance.life.borrow_mut() = None;
            return;
        }
        let Err(error) = result else { return };
        self.state.borrow().tell(|| format!("{} begins again: {error}", life.name));
        *instance.session.borrow_mut() = None;
        {
            let mut state = self.state.borrow_mut();
            if let Some(member) = life.member() {
                state.group.remove(member);
            }
        }
        match error {
            LinkError::Flush(FlushError::NotStorable { sources }) => instance.refused.borrow_mut().extend(sources),
            error if error.is_transient() => {}
            error => {
                let saw = format!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string));
                self.state.borrow_mut().fail(Failure { check: "the linker goes on by itself", saw });
            }
        }
        let name = life.name.clone();
        self.orphans.borrow_mut().push(life);
        self.start_named(instance, name);
    }

    /// A process is asked to stop, and does.
    fn stop(self: &Rc<Self>, index: usize) {
        let instance = &self.instances[index];
        if instance.is_writing() {
            return;
        }
        let Some(session) = instance.session.try_borrow_mut().ok().and_then(|mut session| session.take()) else {
            return;
        };
        let life = instance.life.borrow_mut().take();
        // Nothing else runs here until it has ended.
        let _busy = instance.session.borrow_mut();
        self.state.borrow().tell(|| format!("instance {index} is asked to stop"));
        let drained = session.drain();
        if let (Some(life), Err(_) | Ok(())) = (life, drained)
            && !life.is_dead.get()
        {
            life.is_dead.set(true);
            if let Some(member) = life.member() {
                self.state.borrow_mut().group.remove(member);
            }
        }
    }

    fn lives(&self) -> Vec<Rc<Life>> {
        let awake = |instance: &&Instance| instance.asleep_until_ms.get() <= self.state.borrow().passed_ms;
        let running = self.instances.iter().filter(awake).filter_map(|instance| instance.life.borrow().clone());
        running.chain(self.orphans.borrow().iter().cloned()).filter(|life| !life.is_dead.get()).collect()
    }

    fn write(&self, life: &Life) {
        if let Ok(mut flusher) = life.flusher.try_borrow_mut()
            && let Some(flusher) = flusher.as_mut()
        {
            let has_work = flusher.step();
            if !has_work {
                self.orphans.borrow_mut().retain(|orphan| !std::ptr::eq(&raw const **orphan, life));
            }
        }
    }

    /// Forgets what holds the cluster itself.
    pub(super) fn bury(&self) {
        self.orphans.borrow_mut().clear();
    }

    /// Everybody is awake.
    pub(super) fn wake(&self) {
        self.instances.iter().for_each(|instance| instance.asleep_until_ms.set(0));
    }

    /// Everything goes on by a step.
    pub(super) fn round(self: &Rc<Self>) {
        for index in 0..self.instances.len() {
            self.step(index);
        }
        for life in self.lives() {
            self.write(&life);
            life.answer(self);
            life.look_at_ends(self);
        }
        // Whatever is open now was left behind.
        let left_open = || {
            let state = self.state.borrow();
            state.log.unended.iter().copied().find(|id| state.log.transactions[*id].decision.is_none())
        };
        while let Some(id) = left_open() {
            self.settle_transaction(id);
        }
        let mut state = self.state.borrow_mut();
        state.settle_down();
        state.pass(300);
    }

    // What happens next.

    /// What a process waits for goes on, or something else happens.
    pub(super) fn attend(self: &Rc<Self>, life: &Rc<Life>) {
        match self.random(|random| random.below(8)) {
            0..=2 => self.write(life),
            3 => life.answer(self),
            _ => self.act(),
        }
    }

    /// One thing happens, whatever it is.
    pub(super) fn act_somewhere(self: &Rc<Self>) {
        let choice = self.random(|random| random.below(100));
        match choice {
            0..=39 => {
                let index = self.random(|random| random.below(self.instances.len()));
                self.step(index);
            }
            40..=57 => self.with_life(|life| self.write(life)),
            58..=63 => self.with_life(|life| life.answer(self)),
            64..=69 => self.with_life(|life| life.look_at_ends(self)),
            70..=73 => self.mark(),
            74..=77 => {
                self.state.borrow_mut().group.complete();
            }
            78..=84 => {
                let mut state = self.state.borrow_mut();
                let ms = state.random.pick(&[1, 20, 100, 500, 2_000, 10_000]);
                state.pass(ms);
            }
            85..=93 => self.state.borrow_mut().give(),
            94 => self.disturb(),
            _ => self.state.borrow_mut().go_wrong(),
        }
    }

    fn with_life(&self, act: impl FnOnce(&Rc<Life>)) {
        let lives = self.lives();
        if !lives.is_empty() {
            let choice = self.random(|random| random.below(lives.len()));
            act(&lives[choice]);
        }
    }

    /// A marker of some transaction is written.
    fn mark(&self) {
        let mut state = self.state.borrow_mut();
        let decided = |id: &&usize| state.log.transactions[**id].decision.is_some();
        let decided: Vec<usize> = state.log.unended.iter().filter(decided).copied().collect();
        if !decided.is_empty() {
            let id = state.random.pick(&decided);
            state.end_somewhere(id);
        }
    }

    /// A process is killed, suspended or stopped; the group notices new partitions; a transaction takes too long.
    fn disturb(self: &Rc<Self>) {
        let (choice, index) = self.random(|random| (random.below(5), random.below(self.instances.len())));
        let faults = self.state.borrow().faults;
        match choice {
            0 if faults.crashes => {
                let life = self.instances[index].life.borrow().clone();
                if let Some(life) = life {
                    self.kill(&life);
                    self.follow_if_free(index);
                }
            }
            1 if faults.naps => {
                let mut state = self.state.borrow_mut();
                let nap = state.random.pick(&[1_000, 60_000, 600_000]);
                self.instances[index].asleep_until_ms.set(state.passed_ms + nap);
            }
            2 if faults.crashes => self.stop(index),
            3 => {
                let mut state = self.state.borrow_mut();
                if state.group.partitions != state.group.assigned_partitions {
                    state.group.rebalance();
                }
            }
            4 if faults.naps || faults.crashes => {
                let open = self.state.borrow().log.unended.iter().next().copied();
                let is_foreign = self.state.borrow().foreign == open;
                if let Some(id) = open.filter(|_| !is_foreign) {
                    self.settle_transaction(id);
                }
            }
            _ => {}
        }
    }

    /// Sweeps up after a process that was killed, unless it is in the middle of a step.
    fn follow_if_free(self: &Rc<Self>, index: usize) {
        if self.instances[index].session.try_borrow_mut().is_ok() {
            self.follow(index, Ok(()));
        }
    }

    /// Processes and partitions go on while one of them waits.
    pub(super) fn act(self: &Rc<Self>) {
        if self.depth.get() >= MOST_DEPTH || self.has_failed() {
            self.state.borrow_mut().pass(100);
            return;
        }
        self.depth.set(self.depth.get() + 1);
        self.act_somewhere();
        self.depth.set(self.depth.get() - 1);
    }

    /// Something may go wrong just now.
    pub(super) fn trouble(self: &Rc<Self>) {
        let choice = self.random(|random| random.below(12));
        match choice {
            0..=2 => self.act(),
            3 => self.state.borrow_mut().go_wrong(),
            _ => {}
        }
    }
}

/// Slots hold what they should, and no more.
fn audit_slots(session: &Session<'static, SimWorld>) -> Result<(), Failure> {
    for slot in session.reading.slots.iter().flatten() {
        slot.audit().map_err(|saw| Failure { check: "memory is bounded, and every call in it will leave", saw })?;
    }
    Ok(())
}

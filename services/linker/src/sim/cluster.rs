//! Everything that there is in a schedule: the world, and the processes in it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hashbrown::HashSet;
use ringtrace_kit::backoff::Backoff;

use super::audit::{Audit, Failure};
use super::client::{Life, SimWorld};
use super::group::Group;
use super::input::Given;
use super::log::{Log, Transaction};
use super::plan::{Faults, Plan};
use super::planted;
use super::random::Random;
use super::relink::{FIRST, SECOND};
use super::state::State;
use super::store::Store;
use crate::run::{LinkError, Linker};
use crate::session::Session;
use crate::topics::Inputs;
use crate::writer::FlushError;

/// How often a process that runs alone may find nothing to read before it should have ended.
const MOST_IDLE: usize = 50_000;

/// A place where a process runs.
pub(super) struct Instance {
    pub(super) session: RefCell<Option<Session<'static, SimWorld>>>,
    pub(super) life: RefCell<Option<Rc<Life>>>,
    /// What ClickHouse has refused, as far as the process knows.
    refused: RefCell<HashSet<String>>,
    /// It is suspended until then.
    pub(super) asleep_until_ms: Cell<u64>,
}

/// See the module's text.
pub(super) struct Cluster {
    pub(super) state: RefCell<State>,
    /// The settings of processes: at first, and once other rules are stored.
    pub(super) linkers: [&'static Linker; 2],
    pub(super) instances: Vec<Instance>,
    /// Processes whose session has ended, and whose flusher goes on for a while.
    orphans: RefCell<Vec<Rc<Life>>>,
    /// Every process that there was: it and its flusher hold each other.
    born: RefCell<Vec<Rc<Life>>>,
    pub(super) depth: Cell<usize>,
}

impl Instance {
    /// Its flusher is in the middle of a step: its session might wait for it in vain.
    fn is_writing(&self) -> bool {
        self.life.borrow().as_ref().is_some_and(|life| life.flusher.try_borrow_mut().is_err())
    }
}

impl Cluster {
    pub(super) fn new(plan: Plan, linkers: [&'static Linker; 2], random: Random, given: Vec<Given>) -> Rc<Self> {
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
            group: Group::new(plan.protocol, plan.partitions, plan.device_partitions),
            store: Store::default(),
            audit: Audit::default(),
            rules: FIRST,
            failure: None,
            stalled: None,
            faults: plan.faults,
            to_give: given.into_iter(),
            foreign: None,
            ghosts: Vec::new(),
            producers: BTreeMap::new(),
            inputs: Inputs::of(&linkers[0].config.kafka),
            lives: 0,
            trace: 0,
            tells: std::env::var_os("RINGTRACE_SEED").is_some(),
            plan,
        };
        Rc::new(Cluster {
            state: RefCell::new(state),
            linkers,
            instances,
            orphans: RefCell::default(),
            born: RefCell::default(),
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

    /// The settings of a process that starts now: with others it would refuse to.
    fn linker(&self) -> &'static Linker {
        self.linkers[usize::from(self.state.borrow().rules == SECOND)]
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
        let life = self.bear(name);
        let world = SimWorld { cluster: Rc::clone(self), life: Rc::clone(&life) };
        let partitions = self.state.borrow().group.partitions;
        let refused = instance.refused.borrow().clone();
        if let Ok(session) = Session::start(self.linker(), world, partitions, refused) {
            *instance.life.borrow_mut() = Some(life);
            *instance.session.borrow_mut() = Some(session);
        }
    }

    fn bear(&self, name: String) -> Rc<Life> {
        let life = Rc::new(Life::new(name, self.state.borrow().rules));
        self.born.borrow_mut().push(Rc::clone(&life));
        life
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
    pub(super) fn follow(self: &Rc<Self>, index: usize, result: Result<(), LinkError>) {
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
    pub(super) fn stop(self: &Rc<Self>, index: usize) {
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

    /// One process alone runs to its end.
    pub(super) fn run_alone(self: &Rc<Self>, linker: &'static Linker) -> Result<(), LinkError> {
        let mut refused = HashSet::new();
        loop {
            let life = self.bear("alone".to_owned());
            life.is_alone.set(true);
            let world = SimWorld { cluster: Rc::clone(self), life: Rc::clone(&life) };
            let partitions = self.state.borrow().group.partitions;
            let mut backoff = Backoff::new(Duration::ZERO, Duration::ZERO);
            let started = Session::start(linker, world, partitions, refused.clone());
            let ended = started.and_then(|session| session.run(&mut backoff));
            if let Some(member) = life.member() {
                self.state.borrow_mut().group.remove(member);
            }
            match ended {
                Err(LinkError::Flush(FlushError::NotStorable { sources })) => refused.extend(sources),
                Err(error) if error.is_transient() && !self.has_failed() => {}
                ended => return ended,
            }
        }
    }

    /// The world around a process that runs alone goes on by a step.
    pub(super) fn go_on_around(self: &Rc<Self>, life: &Rc<Life>) {
        life.idle.set(life.idle.get() + 1);
        if life.idle.get() > MOST_IDLE {
            self.check(|state| Err(Failure { check: "everything is read and committed", saw: state.where_it_is() }));
            life.is_dead.set(true);
            return;
        }
        self.write(life);
        life.answer(self);
        life.look_at_ends(self);
        self.end_left_open();
        let mut state = self.state.borrow_mut();
        state.settle_down();
        state.pass(20);
    }

    pub(super) fn lives(&self) -> Vec<Rc<Life>> {
        let awake = |instance: &&Instance| instance.asleep_until_ms.get() <= self.state.borrow().passed_ms;
        let running = self.instances.iter().filter(awake).filter_map(|instance| instance.life.borrow().clone());
        running.chain(self.orphans.borrow().iter().cloned()).filter(|life| !life.is_dead.get()).collect()
    }

    pub(super) fn write(&self, life: &Life) {
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
        for life in self.born.borrow_mut().drain(..) {
            life.flusher.borrow_mut().take();
        }
    }

    /// Everybody is awake.
    pub(super) fn wake(&self) {
        self.instances.iter().for_each(|instance| instance.asleep_until_ms.set(0));
    }
}

/// Slots hold what they should, and no more.
fn audit_slots(session: &Session<'static, SimWorld>) -> Result<(), Failure> {
    for slot in session.reading.slots.iter().flatten() {
        slot.audit().map_err(|saw| Failure { check: "memory is bounded, and every call in it will leave", saw })?;
    }
    Ok(())
}

//! What may happen next, and chance decides.

use std::rc::Rc;

use super::client::Life;
use super::cluster::Cluster;

/// How deep processes may wait for each other.
const MOST_DEPTH: usize = 4;

impl Cluster {
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
        self.end_left_open();
        let mut state = self.state.borrow_mut();
        state.settle_down();
        state.pass(300);
    }

    /// Ends transactions that were left behind: the brokers' timeout.
    pub(super) fn end_left_open(&self) {
        let left_open = || {
            let state = self.state.borrow();
            state.log.unended.iter().copied().find(|id| state.log.transactions[*id].decision.is_none())
        };
        while let Some(id) = left_open() {
            self.settle_transaction(id);
        }
    }

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

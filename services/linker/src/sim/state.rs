//! What is outside of the processes: the log, the group, ClickHouse, clocks, producers, and what goes wrong with them.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use ringtrace_kit::kafka::partition_of;

use super::audit::{Around, Audit, Failure};
use super::group::Group;
use super::input::Given;
use super::log::{Log, Part, Topic, Written};
use super::plan::{Faults, Plan, Stamps};
use super::random::Random;
use super::relink::rules_of;
use super::store::Store;
use crate::topics::{Input, Inputs};

/// See the module's text.
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
    /// Number of the rules that were stored last.
    pub(super) rules: u64,
    pub(super) failure: Option<Failure>,
    /// A topic from which no records come, though they are there.
    pub(super) stalled: Option<Input>,
    pub(super) faults: Faults,
    pub(super) to_give: std::vec::IntoIter<Given>,
    /// A producer's open transaction.
    pub(super) foreign: Option<usize>,
    /// Members that are gone without a word.
    pub(super) ghosts: Vec<u64>,
    /// Epochs of transactional producers by name, and the transaction that each has begun last.
    pub(super) producers: BTreeMap<String, (u64, Option<usize>)>,
    pub(super) inputs: Inputs,
    pub(super) lives: usize,
    /// A digest of what happened.
    pub(super) trace: u64,
    /// What happens is told, for someone who looks into a seed.
    pub(super) tells: bool,
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

    pub(super) fn around(&self) -> Around<'_> {
        Around { log: &self.log, store: &self.store, stamps: self.plan.stamps, wall_ms: self.wall_ms }
    }

    pub(super) fn rules(&self) -> &'static ringtrace_model::Rules {
        rules_of(self.rules)
    }

    pub(super) fn take_foreign(&mut self) -> Option<usize> {
        let id = self.foreign.take()?;
        self.log.transactions[id].decision = Some(true);
        Some(id)
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    /// Writes a marker of a transaction that is decided.
    pub(super) fn end_somewhere(&mut self, id: usize) {
        let choose = self.random.below(8);
        if let Some(Some(offsets)) = self.log.end_somewhere(id, choose) {
            self.group.committed.extend(offsets);
        }
    }

    /// A producer writes the next record, when its time has come; else time goes on towards it.
    pub(super) fn give(&mut self) {
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
    pub(super) fn settle_down(&mut self) {
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
    pub(super) fn go_wrong(&mut self) {
        let faults = self.faults;
        match self.random.below(14) {
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
            12 if self.plan.raises && self.to_give.len() < self.plan.records / 2 => self.raise(),
            13 if faults.relinks => self.ask_for_some(),
            _ => {}
        }
    }
}

//! Rules that change on the way, and requests to slots.

use std::collections::BTreeMap;
use std::rc::Rc;

use ringtrace_model::{CallKey, Rules};

use super::cluster::Cluster;
use super::log::{Topic, Written};
use super::state::State;
use crate::batch::call_partition;
use crate::request::{Request, Requested};
use crate::topics::Input;
use crate::world::Beside;

/// Number of the rules with which a schedule begins, and of those that are stored on the way.
pub(super) const FIRST: u64 = 1;
pub(super) const SECOND: u64 = 2;

/// The rules of a number. Of the second ones some are stricter, and some are not.
pub(super) fn rules_of(number: u64) -> &'static Rules {
    static RULES: [Rules; 2] = [
        Rules {
            report_deadline_ms: 7_000,
            telemetry_grace_ms: 23_000,
            receipt_timeout_ms: 60_000,
            ring_timeout_ms: 120_000,
        },
        Rules {
            report_deadline_ms: 2_500,
            telemetry_grace_ms: 40_000,
            receipt_timeout_ms: 20_000,
            ring_timeout_ms: 30_000,
        },
    ];
    if number == SECOND { &RULES[1] } else { &RULES[0] }
}

impl State {
    /// Other rules are stored: processes that start from now on have them, those that run notice it at some time.
    pub(super) fn raise(&mut self) {
        if self.rules == FIRST {
            self.tell(|| "other rules are stored".to_owned());
            self.rules = SECOND;
        }
    }

    /// Someone asks for some calls to be linked again.
    pub(super) fn ask_for_some(&mut self) {
        let mut calls = self.store.known_calls();
        calls.retain(|_| self.random.one_in(2));
        // Rarely the number of partitions was another one when the request was written.
        let is_outdated = self.random.one_in(8);
        let partitions = if is_outdated { self.random.between(1, 4) as i32 } else { self.group.partitions };
        self.ask(calls, partitions);
    }

    /// Sends requests, to the slots that the calls have with a number of partitions.
    fn ask(&mut self, calls: Vec<CallKey>, partitions: i32) {
        let mut by_slot = BTreeMap::<i32, Vec<Requested>>::new();
        for key in calls {
            let call = Requested { tenant_id: key.tenant_id.to_string(), call_uuid: key.call_uuid };
            by_slot.entry(call_partition(key.call_uuid, partitions)).or_default().push(call);
        }
        for (slot, calls) in by_slot {
            self.send(slot.min(self.group.partitions - 1), calls);
        }
    }

    fn send(&mut self, slot: i32, calls: Vec<Requested>) {
        let value = Some(Request { rules: self.rules, calls }.encode());
        let written = Written { at: self.wall_ms, key: None, value, headers: Request::headers() };
        self.append((Topic::Input(Input::Internal), slot), written, None);
    }
}

impl Cluster {
    /// The other rules are stored by now, and every slot is asked for an owner that judges by them.
    pub(super) fn raise_everywhere(self: &Rc<Self>) {
        let mut state = self.state.borrow_mut();
        state.raise();
        for slot in 0..state.group.partitions {
            state.send(slot, Vec::new());
        }
    }

    /// Every call is asked for that was not linked again by the rules that hold, and that no owner has in memory: those are
    /// judged by its rules without being asked for.
    pub(super) fn ask_for_the_rest(self: &Rc<Self>) {
        let mut calls = self.state.borrow().store.known_calls();
        for instance in &self.instances {
            let session = instance.session.borrow();
            let session = session.as_ref().filter(|session| session.world.rules().own == SECOND);
            let slots = || session.iter().flat_map(|session| session.reading.slots.iter().flatten());
            calls.retain(|key| !slots().any(|slot| slot.holds(key)));
        }
        let mut state = self.state.borrow_mut();
        calls.retain(|key| !state.audit.relinked.contains(key));
        let partitions = state.group.partitions;
        state.ask(calls, partitions);
    }
}

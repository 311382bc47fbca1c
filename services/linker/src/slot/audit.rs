//! What must always hold of a slot's memory, for the simulation.

use std::cmp::Reverse;

use ringtrace_model::CallKey;

use super::Slot;
use super::entry::{Past, State};

impl Slot {
    /// Whether a call is in memory.
    pub(crate) fn holds(&self, key: &CallKey) -> bool {
        let entry = self.calls.find(key.into()).and_then(|seat| self.calls.get(seat));
        entry.is_some_and(|entry| !entry.is_parked())
    }

    /// Says what does not hold.
    pub(crate) fn audit(&self) -> Result<(), String> {
        let is_timed = |seat, at| self.timers.iter().any(|Reverse(timer)| *timer == (at, seat));
        let mut in_memory = 0;
        for (seat, entry) in self.calls.iter() {
            let (slot, key) = (self.partition, &entry.key);
            if self.calls.find(key.into()) != Some(seat) {
                return Err(format!("slot {slot}: {key:?} is not found by its key"));
            }
            if entry.is_parked() {
                if !entry.next_change_at.is_some_and(|at| is_timed(seat, at)) {
                    return Err(format!("slot {slot}: {key:?} is parked, and nothing wakes it: {entry:?}"));
                }
                continue;
            }
            in_memory += 1;
            let written_in = entry.written_in;
            let is_queued = self.idle.holds(seat, written_in) || self.visitors.contains(&(seat, written_in));
            let is_on_its_way = entry.dirty || entry.past == Past::Wanted || self.wanted.contains(&seat);
            if matches!(entry.state, State::Open(_)) && !is_on_its_way && self.idle.has_rested(seat, written_in) {
                return Err(format!("slot {slot}: {key:?} is at rest, and not packed: {entry:?}"));
            }
            if !is_queued && !is_on_its_way {
                return Err(format!("slot {slot}: {key:?} never leaves memory: {entry:?}"));
            }
            if let Some(at) = entry.next_change_at.filter(|at| !entry.dirty && !is_timed(seat, *at)) {
                return Err(format!("slot {slot}: {key:?} changes at {at}, and nothing wakes it"));
            }
        }
        if in_memory != self.open_calls() {
            return Err(format!("slot {}: {in_memory} calls in memory, {} counted", self.partition, self.open_calls()));
        }
        Ok(())
    }
}

//! What must always hold of a slot's memory, for the simulation.

use std::cmp::Reverse;

use ringtrace_model::CallKey;

use super::Slot;
use super::entry::Past;

impl Slot {
    /// Whether a call is in memory.
    pub(crate) fn holds(&self, key: &CallKey) -> bool {
        self.calls.contains_key(key)
    }

    /// Says what does not hold.
    pub(crate) fn audit(&self) -> Result<(), String> {
        for (key, entry) in &self.calls {
            let is_queued = self
                .idle
                .iter()
                .chain(&self.visitors)
                .any(|idle| idle.key == *key && idle.sequence == entry.written_in);
            let is_on_its_way = entry.dirty || entry.past == Past::Wanted || self.wanted.contains(key);
            if !is_queued && !is_on_its_way {
                return Err(format!("slot {}: {key:?} never leaves memory: {entry:?}", self.partition));
            }
            let is_timed = |at| self.timers.iter().any(|Reverse(timer)| timer.0 == at && timer.1 == *key);
            if let Some(at) = entry.next_change_at.filter(|at| !entry.dirty && !is_timed(*at)) {
                return Err(format!("slot {}: {key:?} changes at {at}, and nothing wakes it", self.partition));
            }
        }
        for (key, at) in &self.parked {
            if !self.timers.iter().any(|Reverse(timer)| timer.0 == *at && timer.1 == *key) {
                return Err(format!("slot {}: {key:?} is parked until {at}, and nothing wakes it", self.partition));
            }
        }
        Ok(())
    }
}

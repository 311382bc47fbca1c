//! How calls come into a slot's memory and leave it.

use std::cmp::Reverse;
use std::hash::BuildHasher;

use ringtrace_model::{Call, CallKey, DecodeError};

use super::entry::{Entry, History, Past};
use super::{Idle, KeyRef, Slot};
use crate::load::MovedCall;
use crate::state::{CallRecord, StateError};
use crate::tables::EVENTS_FIRST_SEEN;

impl Slot {
    /// Lets the log clock run to `now` (it never goes back), and marks the calls that change by themselves until then.
    pub(crate) fn advance(&mut self, now: i64) {
        self.header.log_clock = self.header.log_clock.max(now);
        let now = self.header.log_clock;
        while self.timers.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((at, key))) = self.timers.pop() else { break };
            if self.parked.get(&key) == Some(&at) {
                self.wake(&key);
            }
            let due = self.calls.get_mut(&key).filter(|entry| entry.next_change_at == Some(at));
            if let Some(entry) = due {
                entry.updated_at = entry.updated_at.max(at);
                self.mark_dirty(&key);
            }
        }
    }

    /// Brings a parked call back, without its history yet.
    fn wake(&mut self, key: &CallKey) {
        let at = self.parked.remove(key);
        let mut entry = Entry::begun_at(0, 0);
        entry.recorded = true;
        entry.seen_before = true;
        entry.next_change_at = at;
        self.wanted.push(key.clone());
        self.calls.insert(key.clone(), Box::new(entry));
    }

    /// Takes the calls whose history has to be folded in, by [`Slot::page_in`], before the next flush is cut.
    pub(crate) fn take_wanted(&mut self) -> Vec<CallKey> {
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.retain(|key| self.calls.get(key).is_some_and(|entry| entry.past == Past::Wanted));
        wanted
    }

    /// Takes the calls that were taken for new, with the log time before which ClickHouse should know nothing of them.
    pub(crate) fn take_unchecked(&mut self) -> Vec<(CallKey, i64)> {
        std::mem::take(&mut self.unchecked)
    }

    /// How many calls were taken for new and wait to be checked.
    pub(crate) fn unchecked(&self) -> usize {
        self.unchecked.len()
    }

    /// A call that was taken for new is new indeed: it is judged with the next flush.
    pub(crate) fn confirm_new(&mut self, key: &CallKey) {
        let Some(entry) = self.calls.get_mut(key).filter(|entry| entry.past == Past::Unchecked) else { return };
        entry.past = Past::Known;
        self.mark_dirty(key);
    }

    /// A call that was taken for new is known after all. Where a look-up was faster, because a request has named the call,
    /// this history may be older than what the call has by now.
    pub(crate) fn confirm_known(&mut self, key: &CallKey, history: History) {
        if self.calls.get(key).is_some_and(|entry| entry.past == Past::Unchecked) {
            self.page_in(key, history);
        }
    }

    /// Folds the history of a call in; an empty one for a call that ClickHouse does not know.
    pub(crate) fn page_in(&mut self, key: &CallKey, history: History) {
        let Some(entry) = self.calls.get_mut(key) else { return };
        for past in &history.events {
            match past.event.event() {
                Ok(event) => {
                    entry.call.apply(&event, past.log_at);
                    entry.updated_at = entry.updated_at.max(past.log_at);
                }
                Err(reject) => {
                    tracing::error!(call_uuid = %key.call_uuid, %reject, "row of events is no valid event, left out");
                }
            }
        }
        // Events may have been written under another slice by a flush that was not committed: what counts is where the rows are.
        let of_events = || history.events.iter().map(|past| past.first_seen).filter(|seen| *seen != 0).min();
        if let Some(first_seen) = history.first_seen.or_else(of_events)
            && first_seen != entry.first_seen
            && !planted!(SliceNotKept)
        {
            entry.first_seen = first_seen;
            entry.rows.iter().for_each(|row| self.events.set_seconds(EVENTS_FIRST_SEEN, *row, first_seen));
        }
        for published in history.published {
            if let Err(place) = entry.published.binary_search_by(|held| held.device_id.cmp(&published.device_id)) {
                entry.published.insert(place, published);
            }
        }
        entry.past = Past::Known;
        if !history.events.is_empty() {
            self.mark_dirty(key);
        }
    }

    /// Folds the history of calls in once more, and judges them with the next flush. Those that are not in memory leave it
    /// again as soon as their rows are acknowledged.
    pub(crate) fn relink(&mut self, keys: &[CallKey]) {
        self.has_request = true;
        let now = self.header.log_clock;
        for key in keys {
            let hash = self.calls.hasher().hash_one(key);
            if !self.calls.contains_key(key) {
                self.begin(&KeyRef { tenant_id: &key.tenant_id, call_uuid: key.call_uuid }, hash, now);
                if let Some(entry) = self.calls.get_mut(key) {
                    entry.visits = true;
                }
            } else if let Some(entry) = self.calls.get_mut(key)
                && entry.past != Past::Wanted
            {
                entry.past = Past::Wanted;
                self.wanted.push(key.clone());
            }
            if let Some(entry) = self.calls.get_mut(key) {
                // Whatever comes next, it is looked up.
                entry.seen_before = true;
                entry.updated_at = entry.updated_at.max(now);
            }
            self.mark_dirty(key);
        }
    }

    /// Takes over an open call from another slot, since the number of partitions has changed. Of several records of a call
    /// the one with the highest sequence comes first; all of them have done their work with the next flush.
    ///
    /// # Errors
    /// The record can't be read.
    pub(crate) fn adopt(&mut self, moved: MovedCall) -> Result<(), StateError> {
        let MovedCall { key, record, from, rows_missing } = moved;
        if !self.calls.contains_key(&key) {
            self.take_over(&key, record, rows_missing)?;
            self.mark_dirty(&key);
        }
        self.left_behind.push((from, key));
        Ok(())
    }

    /// Takes in a record of the changelog.
    ///
    /// # Errors
    /// The record can't be read.
    pub(crate) fn restore(&mut self, key: &CallKey, record: CallRecord) -> Result<(), StateError> {
        let rows_missing = record.sequence > self.header.acknowledged && !planted!(RowsNotRepeated);
        self.take_over(key, record, rows_missing)
    }

    fn take_over(&mut self, key: &CallKey, record: CallRecord, rows_missing: bool) -> Result<(), StateError> {
        self.recent.note(self.calls.hasher().hash_one(key), self.header.newest_log_at);
        let mut entry = Entry::begun_at(record.first_seen, record.updated_at);
        entry.recorded = true;
        entry.seen_before = true;
        entry.updated_at = record.updated_at;
        entry.published = record.published;
        entry.written_in = record.sequence;
        if rows_missing {
            entry.removed = record.removed;
        }
        match record.call.map_or(Ok(None), |bytes| read_call(&bytes))? {
            Some(call) => {
                entry.call = call;
                entry.past = Past::Known;
                if let Some(since) = record.unchecked_since {
                    entry.past = Past::Unchecked;
                    entry.unknown_since = since;
                    self.unchecked.push((key.clone(), since));
                }
                if entry.past == Past::Known {
                    let evaluation = entry.call.evaluate(key, &self.rules, self.header.log_clock);
                    entry.next_change_at = evaluation.and_then(|evaluation| evaluation.next_change_at);
                }
            }
            None => self.wanted.push(key.clone()),
        }
        if let Some(at) = entry.next_change_at {
            self.timers.push(Reverse((at, key.clone())));
        }
        let idle = Idle { key: key.clone(), sequence: record.sequence, at: self.header.log_clock };
        self.idle.push_back(idle);
        let is_judged_again = self.judges_again && entry.past == Past::Known;
        let unfinished = rows_missing || is_judged_again || entry.past == Past::Wanted;
        self.calls.insert(key.clone(), Box::new(entry));
        if unfinished {
            self.mark_dirty(key);
        }
        Ok(())
    }

    /// ClickHouse has the rows of a flush: calls that need no place in memory leave it.
    pub(crate) fn acknowledge(&mut self, sequence: u64) {
        self.header.acknowledged = self.header.acknowledged.max(sequence);
        for visitor in std::mem::take(&mut self.visitors) {
            if visitor.sequence <= sequence { self.leave(visitor, true) } else { self.visitors.push(visitor) }
        }
        for _ in 0..self.idle.len() {
            let full = self.calls.len() > self.limits.calls;
            let aged = |idle: &Idle| idle.at.saturating_add(self.limits.settled_ms) <= self.header.log_clock;
            let Some(idle) = self.idle.pop_front_if(|idle| full || aged(idle)) else { return };
            self.leave(idle, full);
        }
    }

    fn leave(&mut self, idle: Idle, full: bool) {
        let Some(entry) = self.calls.get(&idle.key) else { return };
        if entry.written_in != idle.sequence || entry.dirty {
            // A later flush has put the call, or will put it, at the end of the queue again.
            return;
        }
        let waits = entry.past != Past::Known || entry.written_in > self.header.acknowledged;
        match entry.next_change_at {
            _ if waits => self.idle.push_back(Idle { at: self.header.log_clock, ..idle }),
            None => {
                if entry.recorded {
                    self.gone.push(idle.key.clone());
                }
                self.calls.remove(&idle.key);
            }
            Some(at) if full => {
                self.calls.remove(&idle.key);
                self.parked.insert(idle.key, at);
            }
            Some(_) => self.idle.push_back(Idle { at: self.header.log_clock, ..idle }),
        }
    }
}

/// The state of a call; `None` where a version with another layout has written it: its history says the same.
fn read_call(bytes: &[u8]) -> Result<Option<Call>, DecodeError> {
    match Call::decode(bytes) {
        Ok(call) => Ok(Some(call)),
        Err(DecodeError::Layout(_)) => Ok(None),
        Err(damaged) => Err(damaged),
    }
}

#[cfg(test)]
mod tests {
    use ringtrace_model::{CallKey, Rules, Uuid};

    use crate::slot::{Limits, Slot};
    use crate::state::{CallRecord, Header};

    #[test]
    fn a_state_that_another_version_has_written_is_looked_up_and_a_damaged_one_is_an_error() {
        let limits = Limits { calls: 10, settled_ms: 1_000 };
        let mut slot = Slot::new(0, Rules::default(), limits, Header::default());
        let key = CallKey { tenant_id: "acme".into(), call_uuid: Uuid::from_u128(7) };
        let record = |call: &[u8]| CallRecord {
            sequence: 3,
            first_seen: 600,
            updated_at: 1,
            published: Vec::new(),
            unchecked_since: None,
            removed: Vec::new(),
            call: Some(call.to_vec()),
        };
        let layout = ringtrace_model::Call::default().encode(Vec::new())[0];
        slot.restore(&key, record(&[layout - 1, 7, 7])).unwrap();
        assert_eq!(slot.take_wanted().first(), Some(&key));
        assert!(slot.restore(&key, record(&[layout, 255])).is_err());
    }
}

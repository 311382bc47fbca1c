//! How calls come into a slot's memory and leave it.

use std::cmp::Reverse;

use ringtrace_model::CallKey;

use super::Slot;
use super::calls::{KeyRef, Seat};
use super::entry::{Entry, History, Open, Past, State};
use super::queue::Batch;
use crate::load::MovedCall;
use crate::state::CallRecord;
use crate::tables::EVENTS_FIRST_SEEN;

/// How long nothing has happened to a call that is packed, in milliseconds of log time: most events of a call come within
/// seconds of each other, and each one that comes later has to open it.
const REST_MS: i64 = 30_000;

impl Slot {
    /// Lets the log clock run to `now` (it never goes back), and marks the calls that change by themselves until then.
    pub(crate) fn advance(&mut self, now: i64) {
        self.header.log_clock = self.header.log_clock.max(now);
        let now = self.header.log_clock;
        while self.timers.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((at, seat))) = self.timers.pop() else { break };
            if self.calls.get(seat).is_none_or(|entry| entry.next_change_at != Some(at)) {
                continue;
            }
            if !self.unpack(seat) {
                self.wake(seat);
            }
            if let Some(open) = self.calls.get_mut(seat).and_then(Entry::open) {
                open.updated_at = open.updated_at.max(at);
            }
            self.mark_dirty(seat);
        }
    }

    /// Brings a parked call back, without its history yet.
    fn wake(&mut self, seat: Seat) {
        self.calls.wake(seat, Open::begun_at(0, 0));
        if let Some(entry) = self.calls.get_mut(seat) {
            entry.past = Past::Wanted;
            entry.seen_before = true;
            self.wanted.push(seat);
        }
    }

    /// Takes up to `most` of the calls whose history has to be folded in, by [`Slot::page_in`], before the next flush is cut: those
    /// of which no flush is on its way, so that ClickHouse has everything that was written of them.
    pub(crate) fn take_wanted(&mut self, most: usize) -> Vec<CallKey> {
        let Slot { wanted, calls, header, .. } = self;
        let mut taken = Vec::new();
        wanted.retain(|seat| {
            let Some(entry) = calls.get(*seat).filter(|entry| entry.past == Past::Wanted) else { return false };
            let waits = entry.written_in > header.acknowledged || taken.len() == most;
            if !waits {
                taken.push(entry.key.clone());
            }
            waits
        });
        taken
    }

    /// How many calls wait for their histories, at most.
    pub(crate) fn wanted(&self) -> usize {
        self.wanted.len()
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
        let Some(seat) = self.calls.find(key.into()) else { return };
        let Some(entry) = self.calls.get_mut(seat).filter(|entry| entry.past == Past::Unchecked) else { return };
        entry.past = Past::Known;
        self.mark_dirty(seat);
    }

    /// A call that was taken for new is known after all. Where a look-up was faster, because a request has named the call,
    /// this history may be older than what the call has by now.
    pub(crate) fn confirm_known(&mut self, key: &CallKey, history: History) {
        self.fold_history(key, Past::Unchecked, history);
    }

    /// Folds in the history of a call that was asked for; an empty one for a call that ClickHouse does not know.
    pub(crate) fn page_in(&mut self, key: &CallKey, history: History) {
        self.fold_history(key, Past::Wanted, history);
    }

    fn fold_history(&mut self, key: &CallKey, expected: Past, history: History) {
        let Some(seat) = self.calls.find(key.into()) else { return };
        self.unpack(seat);
        let Some(entry) = self.calls.get_mut(seat).filter(|entry| entry.past == expected) else { return };
        let Some(open) = entry.open() else { return };
        for past in &history.events {
            match past.event.event() {
                Ok(event) => {
                    open.call.apply(&event, past.log_at);
                    open.updated_at = open.updated_at.max(past.log_at);
                }
                Err(reject) => {
                    tracing::error!(call_uuid = %key.call_uuid, %reject, "row of events is no valid event, left out");
                }
            }
        }
        // They may be of a flush that was not committed, and are read again then: they are not new to whoever takes the slot over.
        let newest = history.events.iter().filter(|past| past.first_seen != 0).map(|past| past.log_at).max();
        self.header.newest_log_at = self.header.newest_log_at.max(newest.unwrap_or(0));
        // Events may have been written under another slice by a flush that was not committed: what counts is where the rows are.
        let of_events = || history.events.iter().map(|past| past.first_seen).filter(|seen| *seen != 0).min();
        if let Some(first_seen) = history.first_seen.or_else(of_events)
            && first_seen != open.first_seen
            && !open.keeps_slice
            && !planted!(SliceNotKept)
        {
            open.first_seen = first_seen;
            open.rows.iter().for_each(|row| self.events.set_seconds(EVENTS_FIRST_SEEN, *row, first_seen));
        }
        for published in history.published {
            if let Err(place) = open.published.binary_search_by(|held| held.device_id.cmp(&published.device_id)) {
                open.published.insert(place, published);
            }
        }
        entry.past = Past::Known;
        if !history.events.is_empty() {
            self.mark_dirty(seat);
        }
    }

    /// Folds the history of calls in once more, and judges them with the next flush. Those that are not in memory leave it
    /// again as soon as their rows are acknowledged.
    pub(crate) fn relink(&mut self, keys: &[CallKey]) {
        self.has_request = true;
        let now = self.header.log_clock;
        for key in keys.iter().map(KeyRef::from) {
            let seat = match self.calls.find(key) {
                Some(seat) if self.unpack(seat) => {
                    if let Some(entry) = self.calls.get_mut(seat).filter(|entry| entry.past != Past::Wanted) {
                        entry.past = Past::Wanted;
                        self.wanted.push(seat);
                    }
                    seat
                }
                held => {
                    let seat = self.begin(key, self.calls.hash(key), now, held.is_some());
                    self.wanted.push(seat);
                    if let Some(entry) = self.calls.get_mut(seat) {
                        entry.visits = true;
                    }
                    seat
                }
            };
            if let Some(entry) = self.calls.get_mut(seat) {
                // Whatever comes next, it is looked up.
                entry.seen_before = true;
                if let Some(open) = entry.open() {
                    open.updated_at = open.updated_at.max(now);
                }
            }
            self.mark_dirty(seat);
        }
    }

    /// Takes over an open call from another slot, since the number of partitions has changed. Of several records of a call
    /// the one with the highest sequence comes first; all of them have done their work with the next flush.
    pub(crate) fn adopt(&mut self, moved: MovedCall) {
        let MovedCall { key, record, from, acknowledged, .. } = moved;
        if self.calls.find((&key).into()).is_none() {
            let seat = self.take_over(key.clone(), record, acknowledged);
            self.mark_dirty(seat);
        }
        self.left_behind.push((from, key));
    }

    /// Takes in a record of the changelog.
    pub(crate) fn restore(&mut self, key: CallKey, record: Box<[u8]>) {
        self.take_over(key, record, planted!(RowsNotRepeated: u64::MAX, self.header.acknowledged));
    }

    /// Gives a call of the changelog a seat. `acknowledged` is the highest sequence of the slot that wrote it whose rows
    /// ClickHouse has: a call that was written later is written again with the next flush.
    fn take_over(&mut self, key: CallKey, record: Box<[u8]>, acknowledged: u64) -> Seat {
        self.recent.note(self.calls.hash((&key).into()), self.header.newest_log_at);
        let mut entry = Entry::new(key, State::Parked);
        entry.recorded = true;
        entry.seen_before = true;
        entry.past = Past::Known;
        entry.written_in = self.header.acknowledged;
        let stored = CallRecord::decode(&record).ok();
        let rows_missing = stored.as_ref().is_none_or(|stored| stored.sequence > acknowledged);
        let is_whole = planted!(RowsNotRepeated: true, stored.as_ref().is_some_and(|stored| stored.call.is_some()));
        let mut removed = Vec::new();
        if let Some(stored) = stored {
            entry.next_change_at = stored.next_change_at;
            if let Some(since) = stored.unchecked_since {
                entry.past = Past::Unchecked;
                self.unchecked.push((entry.key.clone(), since));
            }
            if rows_missing {
                removed = stored.removed.into_owned();
            }
        }
        let is_judged_again = self.judges_again && entry.past == Past::Known;
        let next_change_at = entry.next_change_at;
        entry.state = State::Packed(record);
        let seat = self.calls.insert(entry);
        if let Some(at) = next_change_at {
            self.timers.push(Reverse((at, seat)));
        }
        self.idle.push(seat, self.header.acknowledged, self.header.log_clock);
        if !is_whole || !removed.is_empty() {
            self.unpack(seat);
            if let Some(open) = self.calls.get_mut(seat).and_then(Entry::open) {
                open.removed = removed;
            }
        }
        if rows_missing || is_judged_again || !is_whole {
            self.mark_dirty(seat);
        }
        seat
    }

    /// ClickHouse has the rows of a flush: calls that need no place in memory leave it, others come to rest.
    pub(crate) fn acknowledge(&mut self, sequence: u64) {
        self.header.acknowledged = self.header.acknowledged.max(sequence);
        for (seat, written_in) in std::mem::take(&mut self.visitors) {
            match written_in <= sequence {
                true => self.leave(seat, written_in, true),
                false => self.visitors.push((seat, written_in)),
            }
        }
        self.forget_settled();
        self.let_leave();
        // Only what stays: catching up, most calls have left by now.
        self.pack_rested();
    }

    /// The changelog needs no record of a settled call whose rows ClickHouse has. The call stays in memory for its late events.
    fn forget_settled(&mut self) {
        let Slot { settled, calls, gone, header, .. } = self;
        for seat in settled.drain(..) {
            let is_done = |entry: &&mut Entry| {
                entry.recorded && entry.is_settled() && !entry.dirty && entry.written_in <= header.acknowledged
            };
            if let Some(entry) = calls.get_mut(seat).filter(is_done) {
                entry.recorded = false;
                gone.push(entry.key.clone());
            }
        }
    }

    /// Calls leave that are settled for long enough, or for which there is no room.
    fn let_leave(&mut self) {
        for _ in 0..self.idle.len() {
            let aged = |batch: &Batch| batch.at.saturating_add(self.limits.settled_ms) <= self.header.log_clock;
            let full = self.is_full();
            let Some(mut batch) = self.idle.pop(|batch| full || aged(batch)) else { return };
            let is_aged = aged(&batch);
            while is_aged || self.is_full() {
                let Some(seat) = batch.seats.pop() else { break };
                self.leave(seat, batch.sequence, self.is_full());
            }
            if !batch.seats.is_empty() {
                return self.idle.give_back(batch);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.calls.in_memory() > self.limits.calls
    }

    fn leave(&mut self, seat: Seat, written_in: u64, full: bool) {
        let Some(entry) = self.calls.get(seat).filter(|entry| !entry.is_parked()) else { return };
        if entry.written_in != written_in || entry.dirty {
            // A later flush has put the call, or will put it, at the end of the queue again.
            return;
        }
        let waits = entry.past != Past::Known || entry.written_in > self.header.acknowledged;
        match entry.next_change_at {
            None if !waits => self.dismiss(seat),
            Some(_) if !waits && full => self.calls.park(seat),
            _ => self.idle.push(seat, written_in, self.header.log_clock),
        }
    }

    /// The call leaves for good, its record in the changelog with the next flush.
    pub(super) fn dismiss(&mut self, seat: Seat) {
        let left = self.calls.remove(seat).filter(|entry| entry.recorded);
        self.gone.extend(left.map(|entry| entry.key));
    }

    /// Packs the calls to which nothing has happened for a while.
    fn pack_rested(&mut self) {
        let Slot { idle, calls, dictionary, header, .. } = self;
        let (mut encoded, mut record) = (Vec::new(), Vec::new());
        while let Some(batch) = idle.rested(header.log_clock.saturating_sub(REST_MS)) {
            for seat in &batch.seats {
                let Some(entry) = calls.get_mut(*seat) else { continue };
                entry.state = match &entry.state {
                    State::Open(open) if entry.written_in == batch.sequence && !entry.dirty => {
                        encoded.clear();
                        encoded = open.call.encode(encoded);
                        let whole = open.record(entry.written_in, entry.next_change_at, entry.past, Some(&encoded));
                        if whole.call.is_none() {
                            continue;
                        }
                        record.clear();
                        whole.write(&mut record);
                        let squeezed = dictionary.squeeze(&record).map(State::Squeezed);
                        squeezed.unwrap_or_else(|| State::Packed(record.as_slice().into()))
                    }
                    State::Packed(record) => match dictionary.squeeze(record) {
                        Some(squeezed) => State::Squeezed(squeezed),
                        None => continue,
                    },
                    State::Open(_) | State::Squeezed(_) | State::Parked => continue,
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use ringtrace_model::{Call, CallKey, Event, Rules, Uuid, Verdict};

    use crate::slot::{History, Limits, Slot, SlotFlush};
    use crate::state::{CallRecord, Header, encode_key};
    use crate::tables::EventMeta;

    const T0: i64 = 1_790_000_000_000;

    const PUSH_SENT: (i64, &str) = (0, r#""kind":"push.sent","platform":"ios","channel":"apns_voip""#);
    const PUSH_RECEIVED: (i64, &str) = (100, r#""kind":"push.received""#);
    const REPORTED: (i64, &str) = (200, r#""kind":"call.reported""#);
    const ENDED: (i64, &str) = (9_000, r#""kind":"call.ended","end_reason":"remote_ended""#);

    fn key() -> CallKey {
        CallKey { tenant_id: "default".into(), call_uuid: Uuid::from_u128(7) }
    }

    fn slot_of(rules: Rules, acknowledged: u64) -> Slot {
        let header = Header { acknowledged, ..Header::default() };
        Slot::new(0, rules, Limits { calls: 10, settled_ms: 3_600_000 }, header)
    }

    /// Folds events of one call, which happen some milliseconds after `T0`.
    fn fold(slot: &mut Slot, events: &[(i64, &str)]) {
        for (at, fields) in events {
            let at = T0 + at;
            let CallKey { call_uuid, .. } = key();
            let value = format!(
                r#"{{"event_id":"{at}","occurred_at":{at},"app_id":"a","device_id":"d","push_id":"p","call_uuid":"{call_uuid}",{fields}}}"#
            );
            let meta = EventMeta { log_at: at, source: "push-events/0/0", attributes: "{}" };
            slot.fold(&Event::parse(value.as_bytes(), at).unwrap(), meta);
        }
    }

    /// Cuts a flush at some milliseconds after `T0`; ClickHouse knows nothing of any call.
    fn cut_at(slot: &mut Slot, at: i64) -> SlotFlush {
        slot.take_wanted(10).iter().for_each(|key| slot.page_in(key, History::default()));
        slot.take_unchecked().iter().for_each(|(key, _)| slot.confirm_new(key));
        slot.advance(T0 + at);
        slot.cut()
    }

    fn records(flush: &SlotFlush) -> Vec<(&[u8], Option<&[u8]>)> {
        flush.states.iter().collect()
    }

    #[test]
    fn of_a_settled_call_the_changelog_says_only_that_its_rows_may_be_missing() {
        let mut slot = slot_of(Rules::default(), 0);
        fold(&mut slot, &[PUSH_SENT, PUSH_RECEIVED, REPORTED]);
        let opened = cut_at(&mut slot, 1_000);
        let whole = CallRecord::decode(records(&opened)[0].1.unwrap()).unwrap();
        assert!(whole.call.is_some() && whole.next_change_at.is_some(), "rings, and waits for its end: {whole:?}");
        fold(&mut slot, &[ENDED]);
        let settled = cut_at(&mut slot, 600_000);
        let record = records(&settled)[0].1.unwrap();
        assert_eq!(CallRecord::decode(record).unwrap().call, None);
        assert_eq!(settled.legs.rows(), 1);

        // Whoever takes the slot over writes rows that are missing again, from the history.
        let mut next = slot_of(Rules::default(), settled.header.sequence - 1);
        next.restore(key(), record.into());
        assert_eq!(next.take_wanted(10), [key()]);

        // The rows are there: the record has done its work, the call waits for late events.
        slot.acknowledge(settled.header.sequence);
        assert!(slot.has_work());
        let buried = cut_at(&mut slot, 600_001);
        assert_eq!(records(&buried), [(encode_key(&key()).as_slice(), None)]);
        assert_eq!((slot.open_calls(), slot.has_work()), (1, false));
        fold(&mut slot, &[(9_500, r#""kind":"call.answered""#)]);
        let late = cut_at(&mut slot, 600_002);
        assert_eq!((records(&late).len(), late.legs.rows()), (1, 1), "no look-up");
        slot.acknowledge(late.header.sequence);
        assert_eq!(records(&cut_at(&mut slot, 600_003)), [(encode_key(&key()).as_slice(), None)]);
        // It leaves when its time has come, without a second tombstone.
        slot.advance(T0 + 10_000_000);
        slot.acknowledge(late.header.sequence + 1);
        assert_eq!((slot.open_calls(), slot.has_work()), (0, false));
    }

    #[test]
    fn open_calls_are_judged_again_by_other_rules() {
        let patient = Rules { report_deadline_ms: 3_600_000, ..Rules::default() };
        let mut slot = slot_of(patient, 0);
        fold(&mut slot, &[PUSH_SENT, PUSH_RECEIVED]);
        let flush = cut_at(&mut slot, 60_000);
        assert_eq!(flush.verdict_changes, [Verdict::Pending]);
        let record = records(&flush)[0].1.unwrap();

        for (judges_again, expected) in [(false, &[][..]), (true, &[Verdict::Unreported])] {
            let mut next = slot_of(Rules::default(), flush.header.sequence);
            next.judges_again = judges_again;
            next.restore(key(), record.into());
            assert_eq!(cut_at(&mut next, 60_000).verdict_changes, expected);
        }
    }

    #[test]
    fn a_state_that_can_not_be_read_is_looked_up() {
        let layout = Call::default().encode(Vec::new())[0];
        let record = |call: Option<&[u8]>| {
            let mut bytes = Vec::new();
            CallRecord {
                sequence: 3,
                first_seen: 600,
                updated_at: 1,
                next_change_at: Some(9),
                published: Cow::default(),
                unchecked_since: None,
                removed: Cow::default(),
                call,
            }
            .write(&mut bytes);
            bytes
        };
        let of_another_layout = [&[0], &record(Some(&[layout]))[1..]].concat();
        for record in [record(Some(&[layout - 1, 7])), record(Some(&[layout, 255])), record(None), of_another_layout] {
            let mut slot = slot_of(Rules::default(), 3);
            slot.restore(key(), record.into());
            slot.advance(10);
            assert_eq!(slot.take_wanted(10), [key()]);
        }
    }
}
